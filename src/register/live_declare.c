/* What people declare at a counter, in the register at once; and withdrawn again. */
#include "live.h"

#include <openssl/evp.h>

enum { CANONICAL_BYTES_MAX = 1 << 20, HEX_BYTES = 65, WITHDRAWN_MAX = 64, PACK_PATH_BYTES = 160 };

/* ---- the source ---- */

static kd_status read_words(kd_arena *arena, kd_str feed, kd_source_words *out, kd_error *err)
{
    kd_str name = kd_arena_fmt(arena, "packs/cn/feeds/%.*s.yaml", KD_FMT(feed)), path;
    const kd_yaml *root;
    if (!name.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    KD_TRY(kd_data_path(arena, name.ptr, &path, err));
    KD_TRY(kd_yaml_load(arena, path.ptr, &root, err));
    const kd_yaml *title = kd_yaml_get(root, "title"), *supplier = kd_yaml_get(root, "supplier"),
                  *event = kd_yaml_get(root, "event");
    *out = (kd_source_words){ kd_yaml_text(title, "zh", feed),
                              kd_yaml_text(title, "en", feed),
                              kd_yaml_text(supplier, "zh", KD_STR("")),
                              kd_yaml_text(supplier, "en", KD_STR("")),
                              kd_yaml_text(event, "zh", (kd_str){ NULL, 0 }),
                              kd_yaml_text(event, "en", (kd_str){ NULL, 0 }) };
    return KD_OK;
}

static bool is_feed_name(kd_str feed)
{
    for (size_t i = 0; i < feed.len; i++)
        if (!(feed.ptr[i] >= 'a' && feed.ptr[i] <= 'z') && feed.ptr[i] != '_') return false;
    return feed.len > 0 && feed.len < PACK_PATH_BYTES / 2;
}

/* The source of the feed, made from its pack the first time. Before the packs are loaded: trust is resolved against the sources. */
static kd_status find_source(kd_register *reg, kd_str feed, int32_t *out_source_id, kd_error *err)
{
    int64_t id;
    kd_source_words words;
    kd_status status = kd_store_int(kd_register_store(reg), err, &id, "select id from source where feed = $1",
                                    KD_VALUES(kd_text_value(feed)));
    if (status == KD_OK) *out_source_id = (int32_t)id;
    if (status != KD_NOT_FOUND) return status;
    if (!is_feed_name(feed)) return kd_fail(err, KD_INVALID, "feed", "this is not the name of a feed");
    kd_arena *arena = kd_arena_new(CANONICAL_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory for a feed");
    status = read_words(arena, feed, &words, err);
    if (status == KD_OK) status = kd_source_ensure(reg, feed, &words, out_source_id, err);
    kd_arena_free(arena);
    return status;
}

/* ---- the batch ---- */

static void add_record(kd_buf *out, const kd_source_record *r)
{
    const kd_str texts[] = { r->name,           r->name_written, r->identity_number,    r->phone,
                             r->address,        r->household_no, r->household_relation, r->ethnicity,
                             r->marital_status, r->education,    r->certificate_no,     r->handbook_no,
                             r->status };
    const int64_t numbers[] = { r->row_no,      r->role,          r->sex,       r->birth_day,
                                r->birth_kind,  r->identity_kind, r->division,  r->hukou_division,
                                r->birth_order, r->death_day,     r->event_day, r->recorded_day };
    kd_json json;
    kd_json_init(&json, out);
    kd_json_array(&json);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) kd_json_str(&json, texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) kd_json_int(&json, numbers[i]);
    kd_json_array_end(&json);
}

/* The batch's number is part of what is hashed: the same words may be declared again after they were withdrawn. */
static kd_status hash_declared(const kd_declared *declared, size_t count, char out_hex[HEX_BYTES], kd_error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    kd_buf text;
    kd_buf_init(&text, CANONICAL_BYTES_MAX);
    kd_buf_int(&text, declared[0].record.batch_id);
    for (size_t i = 0; i < count; i++) add_record(&text, &declared[i].record);
    bool is_done = text.status == KD_OK && EVP_Digest(text.ptr, text.len, digest, &len, EVP_sha256(), NULL) == 1;
    kd_buf_done(&text);
    if (!is_done || len != 32) return kd_fail(err, KD_LIMIT, "", "the hash of a declaration cannot be made");
    for (size_t i = 0; i < 32; i++) {
        out_hex[2 * i] = digits[digest[i] >> 4];
        out_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    out_hex[64] = '\0';
    return KD_OK;
}

static kd_status write_records(kd_register *reg, const kd_declared *declared, size_t count, kd_error *err)
{
    kd_record_writer *writer;
    KD_TRY(kd_record_writer_new(reg, &writer, err));
    for (size_t i = 0; i < count; i++) {
        kd_status status = kd_record_write(writer, &declared[i].record, err);
        if (status == KD_OK) continue;
        kd_record_writer_cancel(writer);
        return status;
    }
    return kd_record_writer_finish(writer, err);
}

static kd_status write_batch(kd_register *reg, int32_t source_id, kd_declared *declared, size_t count, kd_str by,
                             kd_error *err)
{
    char hex[HEX_BYTES];
    int64_t batch_id = kd_register_next_id(reg);
    for (size_t i = 0; i < count; i++) {
        kd_source_record *record = &declared[i].record;
        record->id = kd_register_next_id(reg);
        record->batch_id = batch_id;
        record->source_id = source_id;
        record->row_no = declared[i].row;
    }
    KD_TRY(hash_declared(declared, count, hex, err));
    const kd_batch batch = { .id = batch_id,
                             .source_id = source_id,
                             .content_hash = kd_str_of(hex),
                             .file_name = KD_STR(""),
                             .feed_version = KD_STR(""),
                             .rows_seen = declared[count - 1].row - declared[0].row + 1,
                             .records = (int64_t)count,
                             .received_at = kd_now_us(),
                             .as_of_day = KD_DAY_NONE,
                             .first_record = declared[0].record.id,
                             .last_record = declared[count - 1].record.id,
                             .declared_by = by };
    KD_TRY(kd_batch_add(reg, &batch, err));
    return write_records(reg, declared, count, err);
}

/* ---- checking ---- */

static kd_status check_declared(const kd_declared *declared, size_t count, kd_str by, kd_error *err)
{
    if (count < 1 || count > KD_DECLARED_MAX)
        return kd_fail(err, KD_LIMIT, "", "a declaration names 1 to %d persons", KD_DECLARED_MAX);
    if (!by.len) return kd_fail(err, KD_INVALID, "by", "is missing");
    for (size_t i = 0; i < count; i++) {
        if (!kd_role_name(declared[i].record.role)) return kd_fail(err, KD_INVALID, "role", "this is no role");
        if (i && declared[i].row < declared[i - 1].row)
            return kd_fail(err, KD_INVALID, "row", "the rows of a declaration must rise");
        for (size_t k = 0; k < i; k++)
            if (declared[k].row == declared[i].row && declared[i].person_id &&
                declared[k].person_id == declared[i].person_id)
                return kd_fail(err, KD_INVALID, "", "two of one row cannot be the same person");
    }
    return KD_OK;
}

/* Where the records of persons already there are: the living person, and the first of its records. */
static kd_status find_person(kd_register *reg, int64_t *person_id, int64_t *out_anchor, kd_error *err)
{
    KD_TRY(kd_person_living(reg, *person_id, person_id, err));
    KD_TRY(kd_store_int(kd_register_store(reg), err, out_anchor,
                        "select coalesce(min(source_record_id), 0) from link where person_id = $1",
                        KD_VALUES(kd_int(*person_id))));
    return *out_anchor ? KD_OK : kd_fail(err, KD_CONFLICT, "", "this person is in the register no more");
}

/* ---- linking ---- */

static kd_status decide(kd_live *live, const char *kind, int64_t batch_id, int64_t record_a, int64_t record_b,
                        kd_error *err)
{
    int64_t id;
    const kd_decision decision = { .kind = kind,
                                   .record_a = record_a,
                                   .record_b = record_b,
                                   .batch_id = batch_id,
                                   .reason = live->reason,
                                   .by = live->by };
    return kd_decision_add(live->reg, &decision, &id, err);
}

static kd_status link_one(kd_live *live, kd_declared *d, kd_error *err)
{
    int64_t anchor = d->record.id;
    if (d->person_id) {
        KD_TRY(find_person(live->reg, &d->person_id, &anchor, err));
        KD_TRY(decide(live, "same_person", d->record.batch_id, anchor, d->record.id, err));
    } else {
        KD_TRY(kd_live_person_make(live, &d->person_id, err));
    }
    return kd_live_link(live, &d->record, d->person_id, anchor, err);
}

static kd_status link_all(kd_live *live, kd_declared *declared, size_t count, kd_error *err)
{
    kd_source_record records[KD_DECLARED_MAX];
    int64_t persons[KD_DECLARED_MAX];
    for (size_t i = 0; i < count; i++) {
        KD_TRY(link_one(live, &declared[i], err));
        records[i] = declared[i].record;
        persons[i] = declared[i].person_id;
    }
    KD_TRY(kd_live_relate(live, records, persons, count, err));
    return kd_live_derive(live, err);
}

kd_status kd_register_declare(kd_register *reg, kd_str feed, kd_declared *declared, size_t count, kd_str by,
                              kd_error *err)
{
    kd_live live;
    int32_t source_id;
    KD_TRY(check_declared(declared, count, by, err));
    KD_TRY(find_source(reg, feed, &source_id, err));
    KD_TRY(write_batch(reg, source_id, declared, count, by, err));
    KD_TRY(kd_live_begin(reg, by, &live, err));
    kd_status status = link_all(&live, declared, count, err);
    kd_live_done(&live);
    return status;
}

/* ---- withdrawing ---- */

static kd_status read_declared(kd_live *live, int64_t record_id, kd_source_record *out_record, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(live->reg), err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where id = $1 and exists "
                          "(select 1 from batch where batch.id = source_record.batch_id and declared_by is not null)",
                          KD_VALUES(kd_int(record_id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        kd_source_record record;
        kd_record_read(rows, &record);
        status = kd_record_copy(live->arena, &record, out_record, err);
    }
    kd_rows_close(rows);
    if (status != KD_OK || has_row) return status;
    return kd_fail(err, KD_NOT_FOUND, "", "there is no declared record with this id");
}

/* What was tied together through the record stays together without it. */
static kd_status tie_rest(kd_live *live, const kd_source_record *record, kd_error *err)
{
    enum { TIES_MAX = 256 };
    int64_t tied[TIES_MAX];
    size_t count = 0;
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(live->reg), err, &rows,
                          "select case when record_a = $1 then record_b else record_a end from decision "
                          "where kind = 'same_person' and undone_at is null and (record_a = $1 or record_b = $1) "
                          "order by id",
                          KD_VALUES(kd_int(record->id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < TIES_MAX)
        tied[count++] = kd_rows_int(rows, 0);
    kd_rows_close(rows);
    for (size_t i = 1; status == KD_OK && i < count; i++)
        status = decide(live, "same_person", record->batch_id, tied[0], tied[i], err);
    return status;
}

static kd_status withdraw_one(kd_live *live, int64_t record_id, kd_error *err)
{
    kd_source_record record;
    int64_t person;
    KD_TRY(read_declared(live, record_id, &record, err));
    KD_TRY(kd_live_person_of(live->reg, record_id, &person, err));
    if (!person) return kd_fail(err, KD_CONFLICT, "", "this record was withdrawn already");
    KD_TRY(kd_live_unlink(live, &record, err));
    KD_TRY(tie_rest(live, &record, err));
    return decide(live, "withdrawn", record.batch_id, record_id, 0, err);
}

static kd_status withdraw_all(kd_live *live, const int64_t *record_ids, size_t count, kd_error *err)
{
    for (size_t i = 0; i < count; i++) KD_TRY(withdraw_one(live, record_ids[i], err));
    return kd_live_derive(live, err);
}

kd_status kd_register_withdraw(kd_register *reg, const int64_t *record_ids, size_t count, kd_str by, kd_str reason,
                               kd_error *err)
{
    kd_live live;
    if (count > WITHDRAWN_MAX)
        return kd_fail(err, KD_LIMIT, "", "at most %d records are withdrawn at once", WITHDRAWN_MAX);
    if (!by.len) return kd_fail(err, KD_INVALID, "by", "is missing");
    KD_TRY(kd_live_begin(reg, by, &live, err));
    live.reason = reason;
    kd_status status = withdraw_all(&live, record_ids, count, err);
    kd_live_done(&live);
    return status;
}
