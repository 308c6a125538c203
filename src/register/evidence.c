/* What a person is derived from, read from the store: the packs, the linked records, the decisions. */
#include "task.h"

#include <string.h>

enum { PACKS_BYTES_MAX = 4 << 20, SOURCES_MAX = KD_CHECK_SOURCES_MAX, MERGES_MAX = 1000 };

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for a person's records");
}

/* ---- packs ---- */

static kd_status read_sources(kd_register *reg, kd_packs *packs, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    packs->sources = kd_arena_array(packs->arena, SOURCES_MAX, sizeof *packs->sources);
    packs->feeds = kd_arena_array(packs->arena, SOURCES_MAX, sizeof *packs->feeds);
    if (!packs->sources || !packs->feeds) return no_memory(err);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, "select id, feed, title_zh, title_en from source",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t id = kd_rows_int(rows, 0);
        if (id < 0 || id >= SOURCES_MAX) {
            status = kd_fail(err, KD_LIMIT, "", "a register takes at most %d feeds", SOURCES_MAX - 1);
            break;
        }
        packs->sources[id] = (kd_source_title){ kd_arena_str(packs->arena, kd_rows_text(rows, 1)),
                                                kd_arena_str(packs->arena, kd_rows_text(rows, 2)),
                                                kd_arena_str(packs->arena, kd_rows_text(rows, 3)) };
        packs->feeds[id] = packs->sources[id].feed;
        if ((size_t)id >= packs->source_count) packs->source_count = (size_t)id + 1;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status load(kd_register *reg, kd_packs *packs, kd_error *err)
{
    kd_str rules, checks;
    KD_TRY(read_sources(reg, packs, err));
    KD_TRY(kd_data_path(packs->arena, "packs/cn/survivorship.yaml", &rules, err));
    KD_TRY(kd_data_path(packs->arena, "packs/cn/checks.yaml", &checks, err));
    KD_TRY(kd_survivorship_load(rules.ptr, packs->feeds, packs->source_count, &packs->rules, err));
    return kd_checks_load(checks.ptr, packs->feeds, packs->source_count, &packs->checks, err);
}

kd_status kd_packs_load(kd_register *reg, kd_packs *out_packs, kd_error *err)
{
    kd_packs packs = { .arena = kd_arena_new(PACKS_BYTES_MAX) };
    kd_status status = packs.arena ? load(reg, &packs, err) : no_memory(err);
    if (status != KD_OK) {
        kd_packs_done(&packs);
        return status;
    }
    *out_packs = packs;
    return KD_OK;
}

void kd_packs_done(kd_packs *packs)
{
    kd_checks_free(packs->checks);
    kd_survivorship_free(packs->rules);
    kd_arena_free(packs->arena);
}

/* ---- records ---- */

kd_status kd_record_copy(kd_arena *arena, const kd_source_record *record, kd_source_record *out_copy, kd_error *err)
{
    kd_source_record copy = *record;
    kd_str *const texts[] = { &copy.name,           &copy.name_written, &copy.identity_number,    &copy.phone,
                              &copy.address,        &copy.household_no, &copy.household_relation, &copy.ethnicity,
                              &copy.marital_status, &copy.education,    &copy.certificate_no,     &copy.handbook_no,
                              &copy.status,         &copy.institution };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!texts[i]->ptr) continue;
        *texts[i] = kd_arena_str(arena, *texts[i]);
        if (!texts[i]->ptr) return no_memory(err);
    }
    *out_copy = copy;
    return KD_OK;
}

static kd_status read_records(kd_register *reg, int64_t person_id, kd_arena *arena, kd_evidence *out, kd_error *err)
{
    int64_t count;
    kd_store *store = kd_register_store(reg);
    KD_TRY(kd_store_int(store, err, &count, "select count(*) from link where person_id = $1",
                        KD_VALUES(kd_int(person_id))));
    out->records = kd_arena_array(arena, (size_t)count + 1, sizeof *out->records);
    if (!out->records) return no_memory(err);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where id in "
                          "(select source_record_id from link where person_id = $1) order by id",
                          KD_VALUES(kd_int(person_id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && out->count < (size_t)count) {
        kd_source_record record;
        kd_record_read(rows, &record);
        status = kd_record_copy(arena, &record, &out->records[out->count], err);
        if (status != KD_OK) break;
        out->count++;
    }
    kd_rows_close(rows);
    return status;
}

/* ---- decisions ---- */

static kd_status read_decision(const kd_rows *rows, kd_arena *arena, kd_evidence *out, kd_error *err)
{
    kd_attribute attribute = kd_attribute_read(kd_rows_text(rows, 0));
    if (attribute == KD_ATTR_NONE) return KD_OK; /* of a field that no person has */
    kd_str value = kd_arena_str(arena, kd_rows_text(rows, 1)), by = kd_arena_str(arena, kd_rows_text(rows, 2));
    if (!value.ptr || !by.ptr) return no_memory(err);
    out->decided[out->decided_count] = (kd_decided_value){ attribute, value };
    out->decided_by[out->decided_count] = by;
    out->decided_at[out->decided_count++] = kd_rows_int(rows, 3);
    return KD_OK;
}

static kd_status read_decisions(kd_register *reg, int64_t person_id, kd_arena *arena, kd_evidence *out, kd_error *err)
{
    int64_t count;
    kd_store *store = kd_register_store(reg);
    KD_TRY(kd_store_int(store, err, &count,
                        "select count(*) from link join decision on decision.record_a = link.source_record_id "
                        "where link.person_id = $1 and decision.kind = 'value' and decision.undone_at is null",
                        KD_VALUES(kd_int(person_id))));
    out->decided = kd_arena_array(arena, (size_t)count + 1, sizeof *out->decided);
    out->decided_by = kd_arena_array(arena, (size_t)count + 1, sizeof *out->decided_by);
    out->decided_at = kd_arena_array(arena, (size_t)count + 1, sizeof *out->decided_at);
    if (!out->decided || !out->decided_by || !out->decided_at) return no_memory(err);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select decision.attribute, decision.value, decision.decided_by, decision.decided_at "
                          "from link join decision on decision.record_a = link.source_record_id "
                          "where link.person_id = $1 and decision.kind = 'value' and decision.undone_at is null "
                          "order by decision.decided_at, decision.id",
                          KD_VALUES(kd_int(person_id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && out->decided_count < (size_t)count) {
        status = read_decision(rows, arena, out, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

kd_status kd_evidence_load(kd_register *reg, int64_t person_id, kd_arena *arena, kd_evidence *out_evidence,
                           kd_error *err)
{
    kd_evidence evidence = { 0 };
    KD_TRY(read_records(reg, person_id, arena, &evidence, err));
    KD_TRY(read_decisions(reg, person_id, arena, &evidence, err));
    *out_evidence = evidence;
    return KD_OK;
}

void kd_evidence_choose(const kd_survivorship *rules, const kd_evidence *e, kd_choice *out_choices)
{
    kd_identity identity;
    kd_choice *number = &out_choices[KD_ATTR_IDENTITY_NUMBER];
    kd_survive_choose(rules, KD_ATTR_IDENTITY_NUMBER, e->records, e->count, e->decided, e->decided_count, NULL, number);
    kd_identity_read(number->count ? number->values[0].value.text : (kd_str){ NULL, 0 }, &identity);
    for (int a = 0; a < KD_ATTR_COUNT; a++)
        kd_survive_choose(rules, (kd_attribute)a, e->records, e->count, e->decided, e->decided_count,
                          identity.kind == KD_IDENTITY_OK ? &identity : NULL, &out_choices[a]);
}

kd_status kd_person_living(kd_register *reg, int64_t id, int64_t *out_person_id, kd_error *err)
{
    for (int step = 0; step < MERGES_MAX; step++) {
        int64_t into;
        kd_status status =
            kd_store_int(kd_register_store(reg), err, &into,
                         "select coalesce(merged_into, 0) from person where id = $1", KD_VALUES(kd_int(id)));
        if (status == KD_NOT_FOUND) {
            kd_fail(err, KD_NOT_FOUND, "", "there is no person with this id");
            kd_hint(err, "find persons with `kindred person show --name NAME`");
        }
        if (status != KD_OK) return status;
        if (into == 0) {
            *out_person_id = id;
            return KD_OK;
        }
        id = into;
    }
    return kd_fail(err, KD_INVALID, "", "the merges of this person lead in a circle");
}
