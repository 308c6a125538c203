/* What a department should mend, and the file that tells it. */
#include "task.h"

#include <stdio.h>
#include <string.h>

#include <kindred/frame.h>

enum { EXPORT_BYTES_MAX = 1 << 30 };

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the corrections");
}

/* ---- making ---- */

kd_status kd_correction_add(kd_register *reg, int64_t decision_id, const kd_source_record *record, kd_str field,
                            kd_str wrong, kd_str right, kd_error *err)
{
    return kd_store_exec(kd_register_store(reg), err, NULL,
                         "insert into correction (id, source_id, batch_id, row_no, source_record_id, attribute, "
                         "wrong_value, right_value, decision_id, created_at) "
                         "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                         KD_VALUES(kd_int(kd_register_next_id(reg)), kd_int(record->source_id),
                                   kd_int(record->batch_id), kd_int(record->row_no), kd_int(record->id),
                                   kd_text_value(field), kd_text_value(wrong), kd_text_value(right),
                                   kd_int(decision_id), kd_int(kd_now_us())));
}

kd_status kd_correction_make(kd_register *reg, int64_t decision_id, kd_attribute attribute, kd_str right,
                             const kd_evidence *evidence, int64_t *out_count, kd_error *err)
{
    int64_t count = 0;
    kd_str field = kd_str_of(kd_attribute_name(attribute));
    kd_value_of wanted = kd_value_parse(attribute, right);
    for (size_t i = 0; i < evidence->count; i++) {
        char buf[24];
        const kd_source_record *record = &evidence->records[i];
        kd_value_of value = kd_attribute_of(record, attribute);
        if (!value.is_there) continue;
        kd_str text = kd_value_text(attribute, &value, buf),
               wanted_text = wanted.is_there ? right : (kd_str){ NULL, 0 };
        if (kd_str_eq(text, wanted_text)) continue;
        bool is_written = attribute == KD_ATTR_NAME && record->name_written.len;
        KD_TRY(
            kd_correction_add(reg, decision_id, record, field, is_written ? record->name_written : text, right, err));
        count++;
    }
    *out_count = count;
    return KD_OK;
}

kd_status kd_correction_withdraw(kd_register *reg, int64_t decision_id, kd_error *err)
{
    return kd_store_exec(kd_register_store(reg), err, NULL,
                         "delete from correction where decision_id = $1 and exported_at is null",
                         KD_VALUES(kd_int(decision_id)));
}

/* ---- words ---- */

const char *kd_field_title(kd_str field, bool is_english)
{
    kd_attribute attribute = kd_attribute_read(field);
    if (attribute != KD_ATTR_NONE) return kd_attribute_title(attribute, is_english);
    if (kd_str_is(field, "status")) return is_english ? "status" : "人员状态";
    return NULL;
}

/* Codes as a clerk reads them. */
static kd_str in_words(kd_str field, kd_str value)
{
    static const struct {
        const char *field, *value, *word;
    } words[] = { { "sex", "1", "男" },
                  { "sex", "2", "女" },
                  { "status", "active", "正常" },
                  { "status", "dead", "死亡" },
                  { "status", "cancelled", "注销" },
                  { "status", "moved_out", "迁出" },
                  { "status", "married", "已婚" },
                  { "status", "divorced", "离婚" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (kd_str_is(field, words[i].field) && kd_str_is(value, words[i].value)) return kd_str_of(words[i].word);
    return value;
}

/* ---- listing ---- */

static kd_status read_correction(const kd_rows *rows, kd_arena *arena, kd_correction *out, kd_error *err)
{
    kd_str *const texts[] = { &out->feed,      &out->source_zh,   &out->source_en,  &out->file_name,
                              &out->attribute, &out->wrong_value, &out->right_value };
    *out = (kd_correction){ .id = kd_rows_int(rows, 7),
                            .row_no = kd_rows_int(rows, 8),
                            .source_record_id = kd_rows_int(rows, 9),
                            .created_at = kd_rows_int(rows, 10),
                            .exported_at = kd_rows_int(rows, 11) };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = kd_arena_str(arena, kd_rows_text(rows, i));
        if (!texts[i]->ptr && kd_rows_text(rows, i).len) return no_memory(err);
    }
    return KD_OK;
}

#define CORRECTION_SELECT                                                                                             \
    "select source.feed, source.title_zh, source.title_en, batch.file_name, correction.attribute, "                   \
    "correction.wrong_value, correction.right_value, correction.id, correction.row_no, correction.source_record_id, " \
    "correction.created_at, correction.exported_at from correction join source on source.id = correction.source_id "  \
    "join batch on batch.id = correction.batch_id "

static kd_status check_feed(kd_register *reg, kd_str feed, kd_error *err)
{
    int64_t id;
    kd_status status = kd_store_int(kd_register_store(reg), err, &id, "select id from source where feed = $1",
                                    KD_VALUES(kd_text_value(feed)));
    if (status != KD_NOT_FOUND) return status;
    kd_fail(err, KD_NOT_FOUND, "feed", "no file of the feed '%.*s' was ever imported", KD_FMT(feed));
    kd_hint(err, "`kindred corrections list` names the feeds that have any");
    return KD_NOT_FOUND;
}

static kd_status query_list(kd_register *reg, kd_str feed, bool only_new, int64_t after_id, size_t limit,
                            kd_rows **out_rows, kd_error *err)
{
    kd_store *store = kd_register_store(reg);
    kd_value rows_wanted = kd_int((int64_t)limit + 1);
    if (feed.len && only_new)
        return kd_store_query(store, err, out_rows,
                              CORRECTION_SELECT "where correction.exported_at is null and correction.id > $1 and "
                                                "source.feed = $3 order by correction.id limit $2",
                              KD_VALUES(kd_int(after_id), rows_wanted, kd_text_value(feed)));
    if (feed.len)
        return kd_store_query(store, err, out_rows,
                              CORRECTION_SELECT "where correction.id > $1 and source.feed = $3 "
                                                "order by correction.id limit $2",
                              KD_VALUES(kd_int(after_id), rows_wanted, kd_text_value(feed)));
    if (only_new)
        return kd_store_query(store, err, out_rows,
                              CORRECTION_SELECT "where correction.exported_at is null and correction.id > $1 "
                                                "order by correction.id limit $2",
                              KD_VALUES(kd_int(after_id), rows_wanted));
    return kd_store_query(store, err, out_rows,
                          CORRECTION_SELECT "where correction.id > $1 order by correction.id limit $2",
                          KD_VALUES(kd_int(after_id), rows_wanted));
}

kd_status kd_correction_list(kd_register *reg, kd_str feed, bool only_new, int64_t after_id, size_t limit,
                             kd_arena *arena, kd_correction_page *out_page, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    if (limit < 1 || limit > KD_PAGE_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page holds 1 to %d rows", KD_PAGE_MAX);
    if (feed.len) KD_TRY(check_feed(reg, feed, err));
    kd_correction_page page = { .corrections = kd_arena_array(arena, limit, sizeof *page.corrections) };
    if (!page.corrections) return no_memory(err);
    KD_TRY(query_list(reg, feed, only_new, after_id, limit, &rows, err));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        if (page.count == limit) {
            page.next_after = page.corrections[limit - 1].id;
            break;
        }
        status = read_correction(rows, arena, &page.corrections[page.count], err);
        if (status != KD_OK) break;
        page.count++;
    }
    kd_rows_close(rows);
    if (status == KD_OK) *out_page = page;
    return status;
}

/* ---- exporting ---- */

/* What a department needs to find the row, then what to mend. Nothing else of the person goes out (G3). */
static const char *const HEADERS[] = { "文件名", "行号",   "姓名", "身份证号", "出生日期", "出生证编号",
                                       "户号",   "更正项", "原值", "正确值",   "核实日期" };
enum { EXPORT_COLUMNS = sizeof HEADERS / sizeof HEADERS[0], CHINA_OFFSET_SECONDS = 8 * 3600 };

static void add_row(kd_frame_builder *b, const kd_rows *rows)
{
    kd_str field = kd_rows_text(rows, 7), name = kd_rows_text(rows, 12);
    char title_bytes[64];
    const char *title = kd_field_title(field, false);
    snprintf(title_bytes, sizeof title_bytes, "%s", title ? title : "");
    kd_frame_builder_text(b, 0, kd_rows_text(rows, 0));
    kd_frame_builder_int(b, 1, kd_rows_int(rows, 1));
    kd_frame_builder_text(b, 2, name.len ? name : kd_rows_text(rows, 2));
    kd_frame_builder_text(b, 3, kd_rows_text(rows, 3));
    kd_frame_builder_day(b, 4, kd_rows_day(rows, 4));
    kd_frame_builder_text(b, 5, kd_rows_text(rows, 5));
    kd_frame_builder_text(b, 6, kd_rows_text(rows, 6));
    kd_frame_builder_text(b, 7, title ? kd_str_of(title_bytes) : field);
    kd_frame_builder_text(b, 8, in_words(field, kd_rows_text(rows, 8)));
    kd_frame_builder_text(b, 9, in_words(field, kd_rows_text(rows, 9)));
    kd_frame_builder_day(b, 10, (int32_t)((kd_rows_int(rows, 10) / 1000000 + CHINA_OFFSET_SECONDS) / 86400));
}

static kd_status query_export(kd_register *reg, kd_str feed, bool again, kd_rows **out_rows, kd_error *err)
{
#define EXPORT_SELECT                                                                                           \
    "select batch.file_name, correction.row_no, source_record.name, source_record.identity_number, "            \
    "source_record.birth_day, source_record.certificate_no, source_record.household_no, correction.attribute, " \
    "correction.wrong_value, correction.right_value, correction.created_at, correction.id, "                    \
    "source_record.name_written from correction join source on source.id = correction.source_id "               \
    "join batch on batch.id = correction.batch_id "                                                             \
    "join source_record on source_record.id = correction.source_record_id where source.feed = $1 "
    const char *sql = again ? EXPORT_SELECT "order by batch.file_name, correction.row_no, correction.id"
                            : EXPORT_SELECT "and correction.exported_at is null "
                                            "order by batch.file_name, correction.row_no, correction.id";
    return kd_store_query(kd_register_store(reg), err, out_rows, sql, KD_VALUES(kd_text_value(feed)));
}

static kd_status collect(kd_register *reg, kd_str feed, bool again, kd_frame_builder *b, int64_t *out_count,
                         kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t count = 0;
    for (size_t i = 0; i < EXPORT_COLUMNS; i++)
        kd_frame_builder_column(b, HEADERS[i],
                                i == 1              ? KD_TYPE_INT64
                                : i == 4 || i == 10 ? KD_TYPE_DATE
                                                    : KD_TYPE_TEXT);
    KD_TRY(query_export(reg, feed, again, &rows, err));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        add_row(b, rows);
        count++;
    }
    kd_rows_close(rows);
    if (status == KD_OK) *out_count = count;
    return status;
}

static kd_status write_file(kd_frame_builder *b, const char *path, bool is_xlsx, kd_error *err)
{
    static const kd_write_options options = { .bom = true, .crlf = true, .guard_formulas = true };
    kd_frame *frame;
    KD_TRY(kd_frame_builder_finish(b, &frame, err));
    kd_status status =
        is_xlsx ? kd_frame_write_xlsx(frame, path, "更正", err) : kd_frame_write_csv(frame, path, &options, err);
    kd_frame_free(frame);
    return status;
}

static kd_status export_in(kd_register *reg, kd_str feed, const char *path, bool is_xlsx, bool again,
                           kd_frame_builder *b, int64_t *out_count, kd_error *err)
{
    KD_TRY(check_feed(reg, feed, err));
    KD_TRY(collect(reg, feed, again, b, out_count, err));
    if (*out_count == 0) return KD_OK;
    KD_TRY(write_file(b, path, is_xlsx, err));
    return kd_store_exec(kd_register_store(reg), err, NULL,
                         "update correction set exported_at = $2 where exported_at is null and source_id = "
                         "(select id from source where feed = $1)",
                         KD_VALUES(kd_text_value(feed), kd_int(kd_now_us())));
}

kd_status kd_correction_export(kd_register *reg, kd_str feed, const char *path, bool again, int64_t *out_count,
                               kd_error *err)
{
    kd_str name = kd_str_of(path);
    bool is_xlsx = kd_str_ends(name, KD_STR(".xlsx"));
    if (!is_xlsx && !kd_str_ends(name, KD_STR(".csv")))
        return kd_fail_at(err, KD_INVALID, path, 0, 0, "the name of the file must end in .csv or .xlsx");
    kd_frame_builder *b = kd_frame_builder_new(EXPORT_BYTES_MAX);
    if (!b) return no_memory(err);
    int64_t count = 0;
    kd_status status = kd_store_begin(kd_register_store(reg), err);
    if (status == KD_OK) {
        status = export_in(reg, feed, path, is_xlsx, again, b, &count, err);
        status = kd_store_end(kd_register_store(reg), status, err);
    }
    kd_frame_builder_free(b);
    if (status == KD_OK) *out_count = count;
    return status;
}
