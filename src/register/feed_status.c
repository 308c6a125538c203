/* What came in from whom: feeds and batches. */
#include "task.h"

enum { FEEDS_MAX = 256, BATCHES_MAX = 1000 };

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the feeds");
}

static kd_status read_feed(const kd_rows *rows, kd_arena *arena, kd_feed_status *out, kd_error *err)
{
    *out = (kd_feed_status){ .source = { .source_id = (int32_t)kd_rows_int(rows, 0) },
                             .batches = kd_rows_int(rows, 6),
                             .rows = kd_rows_int(rows, 7),
                             .rows_bad = kd_rows_int(rows, 8),
                             .records = kd_rows_int(rows, 9),
                             .last_batch_at = kd_rows_int(rows, 10),
                             .last_as_of_day = kd_rows_day(rows, 11),
                             .days_late = -1 };
    kd_str *const texts[] = { &out->source.feed, &out->source.title_zh, &out->source.title_en, &out->supplier_zh,
                              &out->supplier_en };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = kd_arena_str(arena, kd_rows_text(rows, i + 1));
        if (!texts[i]->ptr) return no_memory(err);
    }
    return KD_OK;
}

kd_status kd_feed_statuses(kd_register *reg, kd_arena *arena, kd_feed_status **out_feeds, size_t *out_count,
                           kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    kd_feed_status *feeds = kd_arena_array(arena, FEEDS_MAX, sizeof *feeds);
    if (!feeds) return no_memory(err);
    KD_TRY(
        kd_store_query(kd_register_store(reg), err, &rows,
                       "select s.id, s.feed, s.title_zh, s.title_en, s.supplier_zh, s.supplier_en, count(b.id), "
                       "cast(coalesce(sum(b.rows_seen), 0) as bigint), cast(coalesce(sum(b.rows_bad), 0) as bigint), "
                       "cast(coalesce(sum(b.records), 0) as bigint), coalesce(max(b.received_at), 0), "
                       "max(b.as_of_day) from source s left join batch b on b.source_id = s.id "
                       "group by s.id, s.feed, s.title_zh, s.title_en, s.supplier_zh, s.supplier_en order by s.feed",
                       KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < FEEDS_MAX) {
        status = read_feed(rows, arena, &feeds[count], err);
        if (status != KD_OK) break;
        count++;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_feeds = feeds;
    *out_count = count;
    return KD_OK;
}

/* ---- batches ---- */

#define BATCH_COLUMNS                                                                                       \
    "b.id, b.source_id, b.content_hash, b.file_name, b.feed_version, b.division, b.rows_seen, b.rows_bad, " \
    "b.records, b.received_at, b.as_of_day, b.first_record, b.last_record, s.feed, s.title_zh, s.title_en " \
    "from batch b join source s on s.id = b.source_id"

static kd_status read_batch(const kd_rows *rows, kd_arena *arena, kd_batch *out, kd_source_name *out_source,
                            kd_error *err)
{
    *out = (kd_batch){ .id = kd_rows_int(rows, 0),
                       .source_id = (int32_t)kd_rows_int(rows, 1),
                       .division = kd_rows_int(rows, 5),
                       .rows_seen = kd_rows_int(rows, 6),
                       .rows_bad = kd_rows_int(rows, 7),
                       .records = kd_rows_int(rows, 8),
                       .received_at = kd_rows_int(rows, 9),
                       .as_of_day = kd_rows_day(rows, 10),
                       .first_record = kd_rows_int(rows, 11),
                       .last_record = kd_rows_int(rows, 12) };
    *out_source = (kd_source_name){ .source_id = out->source_id };
    const struct {
        kd_str *text;
        size_t column;
    } texts[] = { { &out->content_hash, 2 }, { &out->file_name, 3 },        { &out->feed_version, 4 },
                  { &out_source->feed, 13 }, { &out_source->title_zh, 14 }, { &out_source->title_en, 15 } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i].text = kd_arena_str(arena, kd_rows_text(rows, texts[i].column));
        if (!texts[i].text->ptr) return no_memory(err);
    }
    return KD_OK;
}

static kd_status read_batches(kd_rows *rows, size_t limit, kd_arena *arena, kd_batch_page *page, kd_error *err)
{
    bool has_row = false;
    for (;;) {
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (page->count == limit) break;
        KD_TRY(read_batch(rows, arena, &page->batches[page->count], &page->sources[page->count], err));
        page->count++;
    }
    page->next = kd_arena_fmt(arena, "%lld", (long long)page->batches[limit - 1].id);
    return page->next.ptr ? KD_OK : no_memory(err);
}

/* The cursor is the id of the last batch of a page: ids rise with time. */
kd_status kd_batch_list(kd_register *reg, kd_str feed, kd_str cursor, size_t limit, kd_arena *arena,
                        kd_batch_page *out_page, kd_error *err)
{
    kd_rows *rows;
    int64_t before = INT64_MAX;
    if (limit < 1 || limit > BATCHES_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page holds 1 to %d batches", BATCHES_MAX);
    if (cursor.len && (!kd_str_int(cursor, &before) || before <= 0))
        return kd_fail(err, KD_INVALID, "cursor", "this is no cursor that a list gave");
    kd_batch_page page = { .batches = kd_arena_array(arena, limit, sizeof *page.batches),
                           .sources = kd_arena_array(arena, limit, sizeof *page.sources) };
    if (!page.batches || !page.sources) return no_memory(err);
    KD_TRY(feed.len
               ? kd_store_query(kd_register_store(reg), err, &rows,
                                "select " BATCH_COLUMNS " where b.id < $1 and s.feed = $2 order by b.id desc limit $3",
                                KD_VALUES(kd_int(before), kd_text_value(feed), kd_int((int64_t)limit + 1)))
               : kd_store_query(kd_register_store(reg), err, &rows,
                                "select " BATCH_COLUMNS " where b.id < $1 order by b.id desc limit $2",
                                KD_VALUES(kd_int(before), kd_int((int64_t)limit + 1))));
    kd_status status = read_batches(rows, limit, arena, &page, err);
    kd_rows_close(rows);
    if (status == KD_OK) *out_page = page;
    return status;
}

kd_status kd_batch_get(kd_register *reg, int64_t id, kd_arena *arena, kd_batch *out_batch, kd_source_name *out_source,
                       kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_batch batch = { 0 };
    kd_source_name source = { 0 };
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, "select " BATCH_COLUMNS " where b.id = $1",
                          KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = read_batch(rows, arena, &batch, &source, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "there is no batch with this id");
    *out_batch = batch;
    *out_source = source;
    return KD_OK;
}

/* ---- one record ---- */

static kd_status read_record(kd_register *reg, int64_t id, kd_arena *arena, kd_source_record *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where id = $1", KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        kd_source_record found;
        kd_record_read(rows, &found);
        status = kd_record_copy(arena, &found, out, err);
    }
    kd_rows_close(rows);
    if (status == KD_OK && !has_row) return kd_fail(err, KD_NOT_FOUND, "", "there is no source record with this id");
    return status;
}

kd_status kd_source_record_get(kd_register *reg, int64_t id, kd_arena *arena, kd_source_record *out_record,
                               kd_source_name *out_source, kd_str *out_file_name, kd_error *err)
{
    kd_source_record record = { 0 };
    kd_batch batch = { 0 };
    kd_source_name source = { 0 };
    KD_TRY(read_record(reg, id, arena, &record, err));
    KD_TRY(kd_batch_get(reg, record.batch_id, arena, &batch, &source, err));
    *out_record = record;
    *out_source = source;
    *out_file_name = batch.file_name;
    return KD_OK;
}
