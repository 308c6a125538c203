/* Persons with their chosen values: new ones loaded in bulk, changed ones updated with history, equal ones left alone. */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_PERSONS = 1024, CHUNKS_AT_ONCE = 32, CHUNK_BYTES_MAX = 16 << 20, DECIDED_MAX = 64, SPELLING_BYTES = 256 };

/* A person as it shall stand in the table. Texts are borrowed from the record table, the decisions or the chunk's arena. */
typedef struct {
    kd_value_of values[KD_ATTR_COUNT];
    kd_str pinyin, initials;
    int32_t records, conflicts;
    uint64_t hash;
} row;

typedef struct {
    kd_link_run *run;
    const kd_text *text;
    kd_map *old_hash; /* person id to hash of its row; NULL on the first run */
    uint32_t first;   /* cluster of the first chunk at work */
    kd_arena *arenas[CHUNKS_AT_ONCE];
    row *rows;         /* CHUNK_PERSONS * CHUNKS_AT_ONCE */
    uint32_t *changed; /* clusters whose person must be updated */
    size_t changed_count;
} writing;

/* ---- choosing ---- */

static size_t decided_of(const kd_link_run *run, uint32_t cluster, kd_decided_value decided[DECIDED_MAX])
{
    const kd_cluster_decision *first;
    size_t count = kd_link_decisions_of(run, cluster, &first);
    size_t skipped = count > DECIDED_MAX ? count - DECIDED_MAX : 0; /* the latest count */
    for (size_t i = skipped; i < count; i++) decided[i - skipped] = first[i].value;
    return count - skipped;
}

static uint64_t hash_value(kd_attribute attribute, const kd_value_of *value, uint64_t seed)
{
    char buf[24];
    kd_str text = kd_value_text(attribute, value, buf);
    return kd_hash(text.ptr, text.len, seed + 1);
}

static uint64_t hash_row(const row *r)
{
    uint64_t hash = (uint64_t)r->records << 32 | (uint32_t)r->conflicts;
    for (int a = 0; a < KD_ATTR_COUNT; a++) hash = hash_value((kd_attribute)a, &r->values[a], hash);
    return hash;
}

static void choose(const kd_link_run *run, uint32_t cluster, const kd_source_record *records, size_t count, row *out)
{
    kd_decided_value decided[DECIDED_MAX];
    size_t decided_count = decided_of(run, cluster, decided);
    kd_identity identity;
    kd_choice choice;
    *out = (row){ .records = (int32_t)count };
    kd_survive_choose(run->rules, KD_ATTR_IDENTITY_NUMBER, records, count, decided, decided_count, NULL, &choice);
    kd_identity_read(choice.count ? choice.values[0].value.text : (kd_str){ NULL, 0 }, &identity);
    bool is_valid = identity.kind == KD_IDENTITY_OK;
    for (int a = 0; a < KD_ATTR_COUNT; a++) {
        kd_survive_choose(run->rules, (kd_attribute)a, records, count, decided, decided_count,
                          is_valid ? &identity : NULL, &choice);
        if (choice.count) out->values[a] = choice.values[0].value;
        out->conflicts += choice.is_conflict;
    }
    out->hash = hash_row(out);
}

static kd_status spell(const kd_text *text, kd_arena *arena, row *r, kd_error *err)
{
    kd_name name;
    char spelling[SPELLING_BYTES];
    if (!r->values[KD_ATTR_NAME].is_there) return KD_OK;
    kd_name_read(text, r->values[KD_ATTR_NAME].text, &name);
    size_t len = kd_name_pinyin(text, &name, spelling, sizeof spelling);
    r->pinyin = kd_arena_str(arena, (kd_str){ spelling, len });
    len = kd_name_initials(text, &name, spelling, sizeof spelling);
    r->initials = kd_arena_str(arena, (kd_str){ spelling, len });
    return r->pinyin.ptr && r->initials.ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the spelling of names");
}

static uint32_t chunk_end(const writing *w, uint32_t from)
{
    uint32_t left = w->run->clusters.clusters - from;
    return from + (left < CHUNK_PERSONS ? left : CHUNK_PERSONS);
}

static kd_status choose_chunk(void *ctx, size_t item, kd_error *err)
{
    writing *w = ctx;
    kd_buf buffer;
    kd_buf_init(&buffer, SIZE_MAX / 2);
    kd_arena_reset(w->arenas[item]);
    uint32_t from = w->first + (uint32_t)item * CHUNK_PERSONS;
    kd_status status = KD_OK;
    for (uint32_t c = from; c < chunk_end(w, from) && status == KD_OK; c++) {
        size_t count = 0;
        const kd_source_record *records = kd_link_records(w->run, c, &buffer, &count);
        if (!records) {
            status = kd_fail(err, KD_LIMIT, "", "no memory for the records of a person");
            break;
        }
        choose(w->run, c, records, count, &w->rows[c - w->first]);
        status = spell(w->text, w->arenas[item], &w->rows[c - w->first], err);
    }
    kd_buf_done(&buffer);
    return status;
}

/* ---- values for the store ---- */

static const char *const COLUMNS[] = {
    "id",        "state",     "merged_into",    "name",         "name_pinyin",     "name_initials",
    "sex",       "birth_day", "birth_kind",     "death_day",    "identity_number", "phone",
    "division",  "address",   "hukou_division", "household_no", "ethnicity",       "marital_status",
    "education", "records",   "conflicts",      "version",      "changed_at"
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };

static kd_value stored(const row *r, kd_attribute attribute)
{
    const kd_value_of *value = &r->values[attribute];
    if (!value->is_there) return KD_NULL;
    return kd_attribute_kind_of(attribute) == KD_ATTR_IS_TEXT ? kd_text_value(value->text) : kd_int(value->number);
}

static void fill_values(const row *r, int64_t id, int64_t version, int64_t at, kd_value out[COLUMN_COUNT])
{
    const kd_value values[COLUMN_COUNT] = {
        kd_int(id),
        kd_text_value(KD_STR("active")),
        KD_NULL,
        stored(r, KD_ATTR_NAME),
        kd_text_value(r->pinyin),
        kd_text_value(r->initials),
        stored(r, KD_ATTR_SEX),
        stored(r, KD_ATTR_BIRTH_DAY),
        r->values[KD_ATTR_BIRTH_DAY].quality ? kd_int(r->values[KD_ATTR_BIRTH_DAY].quality) : KD_NULL,
        stored(r, KD_ATTR_DEATH_DAY),
        stored(r, KD_ATTR_IDENTITY_NUMBER),
        stored(r, KD_ATTR_PHONE),
        stored(r, KD_ATTR_DIVISION),
        stored(r, KD_ATTR_ADDRESS),
        stored(r, KD_ATTR_HUKOU_DIVISION),
        stored(r, KD_ATTR_HOUSEHOLD_NO),
        stored(r, KD_ATTR_ETHNICITY),
        stored(r, KD_ATTR_MARITAL_STATUS),
        stored(r, KD_ATTR_EDUCATION),
        kd_int(r->records),
        kd_int(r->conflicts),
        kd_int(version),
        kd_int(at),
    };
    memcpy(out, values, sizeof values);
}

static kd_status put_rows(writing *w, uint32_t to, kd_bulk *bulk, kd_error *err)
{
    kd_link_run *run = w->run;
    for (uint32_t c = w->first; c < to; c++) {
        row *r = &w->rows[c - w->first];
        run->report->conflicts += r->conflicts;
        KD_TRY(kd_area_count_person(run, c, r->values, err));
        const uint64_t *old = w->old_hash ? kd_map_get(w->old_hash, (uint64_t)run->person_id[c]) : NULL;
        if (old && (*old == r->hash || kd_late_has(run->late, run->person_id[c]))) continue;
        if (old) {
            w->changed[w->changed_count++] = c;
            continue;
        }
        kd_value values[COLUMN_COUNT];
        fill_values(r, run->person_id[c], 1, run->started_us, values);
        KD_TRY(kd_bulk_row(bulk, values, err));
    }
    return KD_OK;
}

static kd_status put_all(writing *w, kd_bulk *bulk, kd_error *err)
{
    uint32_t persons = w->run->clusters.clusters;
    for (w->first = 0; w->first < persons;) {
        uint32_t left = persons - w->first;
        size_t chunks = (left + CHUNK_PERSONS - 1) / CHUNK_PERSONS;
        if (chunks > CHUNKS_AT_ONCE) chunks = CHUNKS_AT_ONCE;
        uint32_t to = chunks * CHUNK_PERSONS < left ? w->first + (uint32_t)chunks * CHUNK_PERSONS : persons;
        KD_TRY(kd_parallel(kd_threads(), chunks, choose_chunk, w, err));
        KD_TRY(put_rows(w, to, bulk, err));
        w->first = to;
        kd_progress_report(w->run->options->progress, "persons", to, persons);
        if (kd_progress_cancelled(w->run->options->progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    }
    return KD_OK;
}

/* ---- what stood there before ---- */

static const char OLD_COLUMNS[] = "name, sex, birth_day, death_day, identity_number, phone, division, address, "
                                  "hukou_division, household_no, ethnicity, marital_status, education, records, "
                                  "conflicts, birth_kind, version";

/* A row of person, from column `at` on as OLD_COLUMNS. Texts live until the next step. */
static void read_old(const kd_rows *rows, size_t at, row *out)
{
    *out = (row){ 0 };
    for (size_t a = 0; a < KD_ATTR_COUNT; a++) {
        kd_value_of *value = &out->values[a];
        value->is_there = !kd_rows_is_null(rows, at + a);
        if (!value->is_there) continue;
        if (kd_attribute_kind_of((kd_attribute)a) == KD_ATTR_IS_TEXT) {
            value->text = kd_rows_text(rows, at + a);
        } else {
            value->number = kd_rows_int(rows, at + a);
        }
    }
    out->records = (int32_t)kd_rows_int(rows, at + KD_ATTR_COUNT);
    out->conflicts = (int32_t)kd_rows_int(rows, at + KD_ATTR_COUNT + 1);
    out->values[KD_ATTR_BIRTH_DAY].quality = (int8_t)kd_rows_int(rows, at + KD_ATTR_COUNT + 2);
    out->hash = hash_row(out);
}

static kd_status read_old_hashes(writing *w, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    char sql[512];
    snprintf(sql, sizeof sql, "select id, state, %s from person order by id", OLD_COLUMNS);
    w->old_hash = kd_map_new(w->run->clusters.clusters);
    if (!w->old_hash) return kd_fail(err, KD_LIMIT, "", "no memory to compare the persons");
    KD_TRY(kd_store_query(kd_register_store(w->run->reg), err, &rows, sql, KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        row old;
        read_old(rows, 2, &old);
        bool is_active = kd_str_is(kd_rows_text(rows, 1), "active");
        uint64_t *slot = kd_map_put(w->old_hash, (uint64_t)kd_rows_int(rows, 0), NULL);
        if (!slot) {
            status = kd_fail(err, KD_LIMIT, "", "no memory to compare the persons");
            break;
        }
        *slot = is_active ? old.hash : ~old.hash; /* a merged person that lives again is always updated */
    }
    kd_rows_close(rows);
    return status;
}

typedef struct {
    kd_attribute attribute;
    kd_str before;
} difference;

static kd_status differences(writing *w, int64_t person, const row *now, kd_arena *arena, difference out[KD_ATTR_COUNT],
                             size_t *out_count, int64_t *out_version, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    char sql[512];
    snprintf(sql, sizeof sql, "select %s from person where id = $1", OLD_COLUMNS);
    KD_TRY(kd_store_query(kd_register_store(w->run->reg), err, &rows, sql, KD_VALUES(kd_int(person))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    *out_count = 0;
    if (status == KD_OK && has_row) {
        row old;
        read_old(rows, 0, &old);
        *out_version = kd_rows_int(rows, KD_ATTR_COUNT + 3);
        for (int a = 0; a < KD_ATTR_COUNT; a++) {
            char buf[24];
            if (hash_value((kd_attribute)a, &old.values[a], 0) == hash_value((kd_attribute)a, &now->values[a], 0))
                continue;
            kd_str before = kd_arena_str(arena, kd_value_text((kd_attribute)a, &old.values[a], buf));
            out[(*out_count)++] =
                (difference){ (kd_attribute)a, old.values[a].is_there ? before : (kd_str){ NULL, 0 } };
        }
    }
    kd_rows_close(rows);
    return status;
}

static kd_status write_difference(writing *w, int64_t person, const difference *d, const row *now, kd_error *err)
{
    char buf[24];
    kd_str after = kd_value_text(d->attribute, &now->values[d->attribute], buf);
    return kd_store_exec(kd_register_store(w->run->reg), err, NULL,
                         "insert into person_event (person_id, id, kind, at, run_id, attribute, old_value, new_value) "
                         "values ($1, $2, 'value', $3, $4, $5, $6, $7)",
                         KD_VALUES(kd_int(person), kd_int(kd_register_next_id(w->run->reg)), kd_int(w->run->started_us),
                                   kd_int(w->run->run_id), kd_text_value(kd_str_of(kd_attribute_name(d->attribute))),
                                   kd_text_value(d->before), kd_text_value(after)));
}

static kd_status update_person(writing *w, uint32_t cluster, kd_buf *buffer, kd_arena *arena, kd_error *err)
{
    kd_link_run *run = w->run;
    row now;
    size_t count = 0;
    kd_arena_reset(arena);
    const kd_source_record *records = kd_link_records(run, cluster, buffer, &count);
    if (!records) return kd_fail(err, KD_LIMIT, "", "no memory for the records of a person");
    choose(run, cluster, records, count, &now);
    KD_TRY(spell(w->text, arena, &now, err));
    difference changed[KD_ATTR_COUNT];
    size_t changed_count;
    int64_t version = 0, person = run->person_id[cluster];
    KD_TRY(differences(w, person, &now, arena, changed, &changed_count, &version, err));
    for (size_t i = 0; i < changed_count; i++) KD_TRY(write_difference(w, person, &changed[i], &now, err));
    kd_value v[COLUMN_COUNT];
    fill_values(&now, person, version + 1, run->started_us, v);
    run->report->changed++;
    return kd_store_exec(kd_register_store(run->reg), err, NULL,
                         "update person set state = $2, merged_into = $3, name = $4, name_pinyin = $5, "
                         "name_initials = $6, sex = $7, birth_day = $8, birth_kind = $9, death_day = $10, "
                         "identity_number = $11, phone = $12, division = $13, address = $14, hukou_division = $15, "
                         "household_no = $16, ethnicity = $17, marital_status = $18, education = $19, records = $20, "
                         "conflicts = $21, version = $22, changed_at = $23 where id = $1",
                         v, COLUMN_COUNT);
}

static kd_status update_changed(writing *w, kd_error *err)
{
    kd_buf buffer;
    kd_buf_init(&buffer, SIZE_MAX / 2);
    kd_arena *arena = kd_arena_new(CHUNK_BYTES_MAX);
    kd_status status = arena ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory");
    for (size_t i = 0; i < w->changed_count && status == KD_OK; i++)
        status = update_person(w, w->changed[i], &buffer, arena, err);
    kd_arena_free(arena);
    kd_buf_done(&buffer);
    return status;
}

/* ---- the table ---- */

static kd_status prepare(writing *w, kd_error *err)
{
    KD_TRY(kd_register_text(w->run->reg, &w->text, err));
    w->rows = malloc((size_t)CHUNK_PERSONS * CHUNKS_AT_ONCE * sizeof *w->rows);
    bool is_full = !w->rows;
    for (size_t i = 0; i < CHUNKS_AT_ONCE; i++) is_full = !(w->arenas[i] = kd_arena_new(CHUNK_BYTES_MAX)) || is_full;
    if (!w->run->is_first)
        is_full = !(w->changed = malloc(((size_t)w->run->clusters.clusters + 1) * sizeof *w->changed)) || is_full;
    if (is_full) return kd_fail(err, KD_LIMIT, "", "no memory to write the persons");
    return w->run->is_first ? KD_OK : read_old_hashes(w, err);
}

static kd_status load_rows(writing *w, kd_error *err)
{
    kd_bulk *bulk;
    KD_TRY(kd_bulk_begin(kd_register_store(w->run->reg), "person", COLUMNS, COLUMN_COUNT, &bulk, err));
    kd_status status = put_all(w, bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* The first run fills the whole table: its indexes are sorted once afterwards rather than grown row by row. */
static kd_status write_rows(writing *w, kd_error *err)
{
    kd_store *store = kd_register_store(w->run->reg);
    KD_TRY(prepare(w, err));
    if (w->run->is_first) KD_TRY(kd_store_drop_indexes(store, "person", err));
    KD_TRY(load_rows(w, err));
    if (w->run->is_first) KD_TRY(kd_store_make_indexes(store, "person", err));
    return update_changed(w, err);
}

kd_status kd_link_write_persons(kd_link_run *run, kd_error *err)
{
    writing w = { .run = run };
    kd_status status = write_rows(&w, err);
    kd_map_free(w.old_hash);
    for (size_t i = 0; i < CHUNKS_AT_ONCE; i++) kd_arena_free(w.arenas[i]);
    free(w.rows);
    free(w.changed);
    return status;
}
