#include "register.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD_COLUMNS = 29 };

static const char *const ROLES[] = { NULL, "subject", "child", "mother", "father", "husband", "wife" };

const char *kd_role_name(kd_role role)
{
    return (unsigned)role < sizeof ROLES / sizeof ROLES[0] ? ROLES[role] : NULL;
}

bool kd_role_read(kd_str name, kd_role *out_role)
{
    for (unsigned i = 1; i < sizeof ROLES / sizeof ROLES[0]; i++) {
        if (!kd_str_is(name, ROLES[i])) continue;
        *out_role = (kd_role)i;
        return true;
    }
    return false;
}

/* ---- sources ---- */

static kd_value some_text(kd_str text)
{
    return text.len ? kd_text_value(text) : KD_NULL;
}

kd_status kd_source_ensure(kd_register *reg, kd_str feed, const kd_source_words *words, int32_t *out_source_id,
                           kd_error *err)
{
    kd_store *store = kd_register_store(reg);
    int64_t id = 0;
    kd_status status =
        kd_store_int(store, err, &id, "select id from source where feed = $1", KD_VALUES(kd_text_value(feed)));
    if (status == KD_NOT_FOUND) {
        KD_TRY(kd_store_int(store, err, &id, "select coalesce(max(id), 0) + 1 from source", KD_NO_VALUES));
    } else if (status != KD_OK) {
        return status;
    }
    KD_TRY(kd_store_exec(
        store, err, NULL,
        "insert into source (id, feed, title_zh, title_en, supplier_zh, supplier_en, event_zh, event_en) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set title_zh = excluded.title_zh, "
        "title_en = excluded.title_en, supplier_zh = excluded.supplier_zh, supplier_en = excluded.supplier_en, "
        "event_zh = excluded.event_zh, event_en = excluded.event_en",
        KD_VALUES(kd_int(id), kd_text_value(feed), kd_text_value(words->title_zh), kd_text_value(words->title_en),
                  kd_text_value(words->supplier_zh), kd_text_value(words->supplier_en), some_text(words->event_zh),
                  some_text(words->event_en))));
    *out_source_id = (int32_t)id;
    return KD_OK;
}

/* ---- batches ---- */

static void read_batch(const kd_rows *rows, kd_arena *arena, kd_batch *out)
{
    *out = (kd_batch){
        .id = kd_rows_int(rows, 0),
        .source_id = (int32_t)kd_rows_int(rows, 1),
        .content_hash = kd_arena_str(arena, kd_rows_text(rows, 2)),
        .file_name = kd_arena_str(arena, kd_rows_text(rows, 3)),
        .feed_version = kd_arena_str(arena, kd_rows_text(rows, 4)),
        .division = kd_rows_int(rows, 5),
        .rows_seen = kd_rows_int(rows, 6),
        .rows_bad = kd_rows_int(rows, 7),
        .records = kd_rows_int(rows, 8),
        .received_at = kd_rows_int(rows, 9),
        .as_of_day = kd_rows_day(rows, 10),
        .first_record = kd_rows_int(rows, 11),
        .last_record = kd_rows_int(rows, 12),
        .declared_by = kd_arena_str(arena, kd_rows_text(rows, 13)),
    };
}

kd_status kd_batch_find(kd_register *reg, int32_t source_id, kd_str content_hash, kd_arena *arena, kd_batch *out_batch,
                        kd_error *err)
{
    kd_rows *rows;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select id, source_id, content_hash, file_name, feed_version, division, rows_seen, rows_bad, "
                          "records, received_at, as_of_day, first_record, last_record, declared_by from batch "
                          "where source_id = $1 and content_hash = $2",
                          KD_VALUES(kd_int(source_id), kd_text_value(content_hash))));
    bool has_row = false;
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) read_batch(rows, arena, out_batch);
    kd_rows_close(rows);
    if (status == KD_OK && !has_row) return KD_NOT_FOUND;
    return status;
}

kd_status kd_batch_add(kd_register *reg, const kd_batch *batch, kd_error *err)
{
    kd_value optional_division = batch->division ? kd_int(batch->division) : KD_NULL;
    return kd_store_exec(
        kd_register_store(reg), err, NULL,
        "insert into batch (id, source_id, content_hash, file_name, feed_version, division, rows_seen, "
        "rows_bad, records, received_at, as_of_day, first_record, last_record, declared_by) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        KD_VALUES(kd_int(batch->id), kd_int(batch->source_id), kd_text_value(batch->content_hash),
                  kd_text_value(batch->file_name), kd_text_value(batch->feed_version), optional_division,
                  kd_int(batch->rows_seen), kd_int(batch->rows_bad), kd_int(batch->records), kd_int(batch->received_at),
                  kd_day_value(batch->as_of_day), kd_int(batch->first_record), kd_int(batch->last_record),
                  some_text(batch->declared_by)));
}

/* ---- records ---- */

struct kd_record_writer {
    kd_bulk *bulk;
};

kd_status kd_record_writer_new(kd_register *reg, kd_record_writer **out_writer, kd_error *err)
{
    static const char *const columns[RECORD_COLUMNS] = { "id",
                                                         "batch_id",
                                                         "source_id",
                                                         "row_no",
                                                         "role",
                                                         "name",
                                                         "name_written",
                                                         "sex",
                                                         "birth_day",
                                                         "birth_kind",
                                                         "identity_number",
                                                         "identity_kind",
                                                         "phone",
                                                         "division",
                                                         "address",
                                                         "hukou_division",
                                                         "household_no",
                                                         "household_relation",
                                                         "ethnicity",
                                                         "marital_status",
                                                         "education",
                                                         "certificate_no",
                                                         "handbook_no",
                                                         "birth_order",
                                                         "status",
                                                         "death_day",
                                                         "event_day",
                                                         "recorded_day",
                                                         "institution" };
    kd_record_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return kd_fail(err, KD_LIMIT, "", "no memory to write records");
    kd_status status =
        kd_bulk_begin(kd_register_store(reg), "source_record", columns, RECORD_COLUMNS, &writer->bulk, err);
    if (status != KD_OK) {
        free(writer);
        return status;
    }
    *out_writer = writer;
    return KD_OK;
}

static kd_value some_int(int64_t value, int64_t nothing)
{
    return value == nothing ? KD_NULL : kd_int(value);
}

kd_status kd_record_write(kd_record_writer *writer, const kd_source_record *r, kd_error *err)
{
    const kd_value values[RECORD_COLUMNS] = {
        kd_int(r->id),
        kd_int(r->batch_id),
        kd_int(r->source_id),
        kd_int(r->row_no),
        kd_int(r->role),
        some_text(r->name),
        some_text(r->name_written),
        some_int(r->sex, -1),
        kd_day_value(r->birth_day),
        some_int(r->birth_kind, 0),
        some_text(r->identity_number),
        some_int(r->identity_kind, 0),
        some_text(r->phone),
        some_int(r->division, 0),
        some_text(r->address),
        some_int(r->hukou_division, 0),
        some_text(r->household_no),
        some_text(r->household_relation),
        some_text(r->ethnicity),
        some_text(r->marital_status),
        some_text(r->education),
        some_text(r->certificate_no),
        some_text(r->handbook_no),
        some_int(r->birth_order, 0),
        some_text(r->status),
        kd_day_value(r->death_day),
        kd_day_value(r->event_day),
        kd_day_value(r->recorded_day),
        some_text(r->institution),
    };
    return kd_bulk_row(writer->bulk, values, err);
}

kd_status kd_record_writer_finish(kd_record_writer *writer, kd_error *err)
{
    kd_status status = kd_bulk_finish(writer->bulk, err);
    free(writer);
    return status;
}

void kd_record_writer_cancel(kd_record_writer *writer)
{
    if (!writer) return;
    kd_bulk_cancel(writer->bulk);
    free(writer);
}

void kd_record_read(const kd_rows *rows, kd_source_record *out)
{
    *out = (kd_source_record){
        .id = kd_rows_int(rows, 0),
        .batch_id = kd_rows_int(rows, 1),
        .source_id = (int32_t)kd_rows_int(rows, 2),
        .row_no = kd_rows_int(rows, 3),
        .role = (kd_role)kd_rows_int(rows, 4),
        .name = kd_rows_text(rows, 5),
        .name_written = kd_rows_text(rows, 6),
        .sex = kd_rows_is_null(rows, 7) ? -1 : (int8_t)kd_rows_int(rows, 7),
        .birth_day = kd_rows_day(rows, 8),
        .birth_kind = (int8_t)kd_rows_int(rows, 9),
        .identity_number = kd_rows_text(rows, 10),
        .identity_kind = (int8_t)kd_rows_int(rows, 11),
        .phone = kd_rows_text(rows, 12),
        .division = kd_rows_int(rows, 13),
        .address = kd_rows_text(rows, 14),
        .hukou_division = kd_rows_int(rows, 15),
        .household_no = kd_rows_text(rows, 16),
        .household_relation = kd_rows_text(rows, 17),
        .ethnicity = kd_rows_text(rows, 18),
        .marital_status = kd_rows_text(rows, 19),
        .education = kd_rows_text(rows, 20),
        .certificate_no = kd_rows_text(rows, 21),
        .handbook_no = kd_rows_text(rows, 22),
        .birth_order = (int16_t)kd_rows_int(rows, 23),
        .status = kd_rows_text(rows, 24),
        .death_day = kd_rows_day(rows, 25),
        .event_day = kd_rows_day(rows, 26),
        .recorded_day = kd_rows_day(rows, 27),
        .institution = kd_rows_text(rows, 28),
    };
}
