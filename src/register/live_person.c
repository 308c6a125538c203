/* A declared record linked to its person and unlinked again, and what follows for the person. */
#include "live.h"

#include <stdlib.h>

enum { LIVE_BYTES_MAX = 64 << 20, TOUCHED_FIRST = 16 };

kd_status kd_live_begin(kd_register *reg, kd_str by, kd_live *out_live, kd_error *err)
{
    kd_live live = { .reg = reg, .by = by, .arena = kd_arena_new(LIVE_BYTES_MAX) };
    if (!live.arena) return kd_fail(err, KD_LIMIT, "", "no memory for a declaration");
    kd_status status = kd_packs_load(reg, &live.packs, err);
    if (status != KD_OK) {
        kd_arena_free(live.arena);
        return status;
    }
    *out_live = live;
    return KD_OK;
}

void kd_live_done(kd_live *live)
{
    kd_packs_done(&live->packs);
    kd_arena_free(live->arena);
    free(live->touched);
}

kd_status kd_live_touch(kd_live *live, int64_t person_id, kd_error *err)
{
    for (size_t i = 0; i < live->touched_count; i++)
        if (live->touched[i] == person_id) return KD_OK;
    if (live->touched_count == live->touched_cap) {
        size_t cap = live->touched_cap ? live->touched_cap * 2 : TOUCHED_FIRST;
        int64_t *grown = realloc(live->touched, cap * sizeof *grown);
        if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory for a declaration");
        live->touched = grown;
        live->touched_cap = cap;
    }
    live->touched[live->touched_count++] = person_id;
    return KD_OK;
}

kd_status kd_live_person_of(kd_register *reg, int64_t record_id, int64_t *out_person_id, kd_error *err)
{
    return kd_store_int(kd_register_store(reg), err, out_person_id,
                        "select coalesce(max(person_id), 0) from link where source_record_id = $1 and decided = 1",
                        KD_VALUES(kd_int(record_id)));
}

kd_status kd_live_batch_records(kd_live *live, int64_t batch_id, kd_source_record **out_records, size_t *out_count,
                                kd_error *err)
{
    kd_store *store = kd_register_store(live->reg);
    int64_t total;
    size_t count = 0;
    KD_TRY(kd_store_int(store, err, &total, "select records from batch where id = $1", KD_VALUES(kd_int(batch_id))));
    kd_source_record *records = kd_arena_array(live->arena, (size_t)total + 1, sizeof *records);
    if (!records) return kd_fail(err, KD_LIMIT, "", "no memory for the records of a batch");
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where batch_id = $1 and id between "
                          "(select first_record from batch where id = $1) and "
                          "(select last_record from batch where id = $1) order by id",
                          KD_VALUES(kd_int(batch_id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < (size_t)total) {
        kd_source_record record;
        kd_record_read(rows, &record);
        status = kd_record_copy(live->arena, &record, &records[count++], err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_records = records;
    *out_count = count;
    return KD_OK;
}

/* ---- identifiers ---- */

typedef struct {
    const char *kind;
    kd_str value;       /* empty: none that counts */
    const char *others; /* how many records of person $1 bear $2 */
} identifier;

enum { IDENTIFIER_KINDS = 4 };

#define OTHERS(column)                                                                                \
    "select count(*) from link join source_record on source_record.id = link.source_record_id where " \
    "link.person_id = $1 and source_record." column " = $2"

static void identifiers_of(const kd_source_record *r, identifier out[IDENTIFIER_KINDS])
{
    uint8_t kind = (uint8_t)r->identity_kind; /* as link_write.c: what cannot be a number finds nobody */
    bool is_number = kind == 0 || kind == KD_IDENTITY_OLD || kind == KD_IDENTITY_OTHER;
    out[0] = (identifier){ "certificate_no", r->certificate_no, OTHERS("certificate_no") };
    out[1] = (identifier){ "handbook_no", r->handbook_no, OTHERS("handbook_no") };
    out[2] = (identifier){ "identity_number", is_number ? r->identity_number : (kd_str){ NULL, 0 },
                           OTHERS("identity_number") };
    out[3] = (identifier){ "phone", r->phone, OTHERS("phone") };
}

static kd_status add_identifiers(kd_live *live, const kd_source_record *record, int64_t person_id, kd_error *err)
{
    identifier list[IDENTIFIER_KINDS];
    identifiers_of(record, list);
    for (size_t i = 0; i < IDENTIFIER_KINDS; i++) {
        if (!list[i].value.len) continue;
        KD_TRY(kd_store_exec(
            kd_register_store(live->reg), err, NULL,
            "insert into person_identifier (kind, value, person_id) values ($1, $2, $3) "
            "on conflict (kind, value, person_id) do nothing",
            KD_VALUES(kd_text_value(kd_str_of(list[i].kind)), kd_text_value(list[i].value), kd_int(person_id))));
    }
    return KD_OK;
}

/* After the record was unlinked. */
static kd_status drop_identifiers(kd_live *live, const kd_source_record *record, int64_t person_id, kd_error *err)
{
    identifier list[IDENTIFIER_KINDS];
    kd_store *store = kd_register_store(live->reg);
    identifiers_of(record, list);
    for (size_t i = 0; i < IDENTIFIER_KINDS; i++) {
        int64_t others;
        if (!list[i].value.len) continue;
        KD_TRY(kd_store_int(store, err, &others, list[i].others,
                            KD_VALUES(kd_int(person_id), kd_text_value(list[i].value))));
        if (others) continue;
        KD_TRY(kd_store_exec(
            store, err, NULL, "delete from person_identifier where kind = $1 and value = $2 and person_id = $3",
            KD_VALUES(kd_text_value(kd_str_of(list[i].kind)), kd_text_value(list[i].value), kd_int(person_id))));
    }
    return KD_OK;
}

/* ---- links ---- */

kd_status kd_live_link(kd_live *live, const kd_source_record *record, int64_t person_id, int64_t peer, kd_error *err)
{
    KD_TRY(kd_store_exec(kd_register_store(live->reg), err, NULL,
                         "insert into link (person_id, source_record_id, peer_record_id, weight, decided) "
                         "values ($1, $2, $3, 0, 1) on conflict (person_id, source_record_id) do update set "
                         "decided = excluded.decided",
                         KD_VALUES(kd_int(person_id), kd_int(record->id), kd_int(peer))));
    KD_TRY(add_identifiers(live, record, person_id, err));
    return kd_live_touch(live, person_id, err);
}

kd_status kd_live_unlink(kd_live *live, const kd_source_record *record, kd_error *err)
{
    kd_source_record *records;
    size_t count, at = 0;
    int64_t person;
    KD_TRY(kd_live_person_of(live->reg, record->id, &person, err));
    if (!person) return KD_OK;
    KD_TRY(kd_live_batch_records(live, record->batch_id, &records, &count, err));
    int64_t *persons = kd_arena_array(live->arena, count + 1, sizeof *persons);
    if (!persons) return kd_fail(err, KD_LIMIT, "", "no memory for the records of a batch");
    for (size_t i = 0; i < count; i++) {
        KD_TRY(kd_live_person_of(live->reg, records[i].id, &persons[i], err));
        if (records[i].id == record->id) at = i;
    }
    KD_TRY(kd_live_unrelate(live, records, persons, count, at, err));
    KD_TRY(kd_store_exec(kd_register_store(live->reg), err, NULL,
                         "delete from link where person_id = $1 and source_record_id = $2",
                         KD_VALUES(kd_int(person), kd_int(record->id))));
    KD_TRY(drop_identifiers(live, record, person, err));
    return kd_live_touch(live, person, err);
}

/* ---- persons ---- */

kd_status kd_live_person_make(kd_live *live, int64_t *out_person_id, kd_error *err)
{
    int64_t id = kd_register_next_id(live->reg);
    kd_store *store = kd_register_store(live->reg);
    KD_TRY(kd_store_exec(store, err, NULL,
                         "insert into person (id, state, records, conflicts, version, changed_at) "
                         "values ($1, 'active', 0, 0, 0, $2)",
                         KD_VALUES(kd_int(id), kd_int(kd_now_us()))));
    KD_TRY(kd_store_exec(
        store, err, NULL,
        "insert into person_event (person_id, id, kind, at, decided_by) "
        "values ($1, $2, 'created', $3, $4)",
        KD_VALUES(kd_int(id), kd_int(kd_register_next_id(live->reg)), kd_int(kd_now_us()), kd_text_value(live->by))));
    *out_person_id = id;
    return KD_OK;
}

/* A person of whom no record is left: its row stays for the history, and it is found no more. */
static kd_status retire(kd_live *live, int64_t person_id, kd_error *err)
{
    kd_store *store = kd_register_store(live->reg);
    const kd_value id = kd_int(person_id), now = kd_int(kd_now_us());
    int64_t changed;
    KD_TRY(kd_store_exec(store, err, NULL, "delete from relation where person_id = $1", KD_VALUES(id)));
    KD_TRY(kd_store_exec(store, err, NULL,
                         "update task set state = 'closed', resolved_at = $2 where person_id = $1 and state = 'open'",
                         KD_VALUES(id, now)));
    KD_TRY(kd_store_exec(store, err, &changed,
                         "update person set state = 'retired', records = 0, conflicts = 0, version = version + 1, "
                         "changed_at = $2 where id = $1 and state = 'active'",
                         KD_VALUES(id, now)));
    if (!changed) return KD_OK;
    return kd_store_exec(store, err, NULL,
                         "insert into person_event (person_id, id, kind, at, new_value, decided_by) "
                         "values ($1, $2, 'retired', $3, $4, $5)",
                         KD_VALUES(id, kd_int(kd_register_next_id(live->reg)), now, kd_text_value(live->reason),
                                   kd_text_value(live->by)));
}

/* One that had ended and has records again. */
static kd_status revive(kd_live *live, int64_t person_id, kd_error *err)
{
    kd_store *store = kd_register_store(live->reg);
    int64_t changed;
    KD_TRY(kd_store_exec(store, err, &changed,
                         "update person set state = 'active', merged_into = null where id = $1 and state <> 'active'",
                         KD_VALUES(kd_int(person_id))));
    if (!changed) return KD_OK;
    return kd_store_exec(store, err, NULL,
                         "insert into person_event (person_id, id, kind, at, decided_by) "
                         "values ($1, $2, 'restored', $3, $4)",
                         KD_VALUES(kd_int(person_id), kd_int(kd_register_next_id(live->reg)), kd_int(kd_now_us()),
                                   kd_text_value(live->by)));
}

kd_status kd_live_derive(kd_live *live, kd_error *err)
{
    for (size_t i = 0; i < live->touched_count; i++) {
        int64_t records, changed;
        KD_TRY(kd_store_int(kd_register_store(live->reg), err, &records,
                            "select count(*) from link where person_id = $1", KD_VALUES(kd_int(live->touched[i]))));
        if (records) {
            KD_TRY(revive(live, live->touched[i], err));
            KD_TRY(kd_person_refresh(live->reg, &live->packs, live->touched[i], live->by, &changed, err));
        } else {
            KD_TRY(retire(live, live->touched[i], err));
        }
    }
    live->touched_count = 0;
    return KD_OK;
}
