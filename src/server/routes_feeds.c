/* Feeds and batches: what came in, bringing a file in, looking at it first, importing it and linking as jobs. */
#include "core.h"
#include "exchange/exchange.h"
#include "show.h"
#include "uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEED_BYTES_MAX = 64, IMPORT_BYTES_MAX = 256 << 20, FILE_NAME_CHARS_MAX = 200 };
#define UPLOAD_BYTES_MAX (UINT64_C(4) << 30)

static kd_str object_of(kd_call *call, const char *kind, int64_t id)
{
    char text[KD_ID_TEXT_BYTES];
    return kd_arena_fmt(call->arena, "%s/%s", kind, kd_id_format(id, text));
}

/* ---- feeds ---- */

static void put_feed(kd_call *call, const kd_feed_status *feed, int64_t late)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_text(json, "feed", feed->source.feed);
    kd_out_text(json, "title", kd_call_words(call, feed->source.title_zh, feed->source.title_en));
    kd_out_text(json, "supplier", kd_call_words(call, feed->supplier_zh, feed->supplier_en));
    kd_json_kint(json, "batches", feed->batches);
    kd_json_kint(json, "rows", feed->rows);
    kd_json_kint(json, "rows_bad", feed->rows_bad);
    kd_json_kint(json, "records", feed->records);
    kd_out_instant(json, "last_batch_at", feed->last_batch_at);
    kd_json_kday(json, "last_as_of", feed->last_as_of_day);
    kd_json_key(json, "days_late");
    if (late >= 0) {
        kd_json_int(json, late);
    } else {
        kd_json_null(json);
    }
    kd_json_object_end(json);
}

static kd_status list_feeds(kd_call *call, kd_error *err)
{
    kd_feed_packs *packs = NULL;
    kd_feed_status *feeds;
    size_t count = 0;
    KD_TRY(kd_feed_statuses(call->reg, call->arena, &feeds, &count, err));
    KD_TRY(kd_feed_packs_of_register(kd_register_dir(call->reg), NULL, &packs, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) put_feed(call, &feeds[i], kd_show_days_late(packs, &feeds[i]));
    for (size_t i = 0; i < kd_feed_packs_count(packs); i++) { /* feeds of which nothing ever came */
        kd_feed_info info = kd_feed_pack_info(kd_feed_packs_at(packs, i));
        bool is_listed = false;
        for (size_t k = 0; k < count; k++) is_listed = is_listed || kd_str_eq(feeds[k].source.feed, info.feed);
        kd_feed_status none = { .source = { 0, info.feed, info.title_zh, info.title_en },
                                .supplier_zh = info.supplier_zh,
                                .supplier_en = info.supplier_en,
                                .last_as_of_day = KD_DAY_NONE };
        if (!is_listed) put_feed(call, &none, -1);
    }
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    kd_feed_packs_close(packs);
    return KD_OK;
}

/* ---- batches ---- */

static void put_batch(kd_call *call, const kd_batch *batch, const kd_source_name *source)
{
    kd_json *json = &call->out;
    kd_str bad = kd_bad_rows_path(call->arena, call->reg, batch->id);
    kd_json_object(json);
    kd_out_id(json, "id", batch->id);
    kd_show_source(call, "source", source);
    kd_out_text(json, "file_name", batch->file_name);
    kd_out_division(call, "division", batch->division);
    kd_json_kint(json, "rows", batch->rows_seen);
    kd_json_kint(json, "rows_bad", batch->rows_bad);
    kd_json_kint(json, "records", batch->records);
    kd_out_instant(json, "received_at", batch->received_at);
    kd_json_kday(json, "as_of", batch->as_of_day);
    kd_json_kbool(json, "has_bad_rows", bad.ptr && kd_file_exists(bad.ptr));
    kd_json_object_end(json);
}

static kd_status list_batches(kd_call *call, kd_error *err)
{
    kd_str feed = { NULL, 0 };
    size_t limit = 0;
    kd_batch_page page;
    KD_TRY(kd_call_query_text(call, "feed", false, FEED_BYTES_MAX, &feed, err));
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(kd_batch_list(call->reg, feed, kd_call_query(call, "cursor"), limit, call->arena, &page, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < page.count; i++) put_batch(call, &page.batches[i], &page.sources[i]);
    kd_json_array_end(&call->out);
    kd_json_kstr(&call->out, "next", page.next);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status find_batch(kd_call *call, kd_batch *out, kd_source_name *out_source, kd_error *err)
{
    int64_t id = 0;
    KD_TRY(kd_call_id(call, 0, &id, err));
    return kd_batch_get(call->reg, id, call->arena, out, out_source, err);
}

static kd_status get_batch(kd_call *call, kd_error *err)
{
    kd_batch batch = { 0 };
    kd_source_name source = { 0 };
    KD_TRY(find_batch(call, &batch, &source, err));
    put_batch(call, &batch, &source);
    return KD_OK;
}

static kd_status get_bad_rows(kd_call *call, kd_error *err)
{
    kd_batch batch = { 0 };
    kd_source_name source = { 0 };
    KD_TRY(find_batch(call, &batch, &source, err));
    KD_TRY(kd_call_allow_division(call, batch.division, err));
    kd_str path = kd_bad_rows_path(call->arena, call->reg, batch.id);
    if (!path.ptr || !kd_file_exists(path.ptr))
        return kd_fail(err, KD_NOT_FOUND, "id", "no rows of this batch were kept back");
    KD_TRY(kd_call_audit(call, "feed.bad_rows", 0, batch.division, object_of(call, "batch", batch.id), err));
    call->send_file = path.ptr;
    call->content_type = "text/csv; charset=utf-8";
    call->download_name = kd_arena_fmt(call->arena, "%.*s.bad.csv", KD_FMT(batch.file_name));
    return KD_OK;
}

/* ---- uploads ---- */

static void put_upload(kd_json *json, const char *key, const kd_upload *upload)
{
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_id(json, "id", upload->id);
    kd_out_text(json, "name", upload->name);
    kd_json_kint(json, "bytes", upload->bytes);
    kd_json_object_end(json);
}

static kd_status upload(kd_call *call, kd_error *err)
{
    kd_str name = { NULL, 0 };
    kd_upload kept = { 0 };
    KD_TRY(kd_call_query_text(call, "name", true, FILE_NAME_CHARS_MAX, &name, err));
    if (!call->file_bytes) return kd_fail(err, KD_INVALID, "", "the file is empty");
    KD_TRY(kd_upload_keep(call, name, &kept, err));
    call->status = 201;
    put_upload(&call->out, NULL, &kept);
    return KD_OK;
}

static kd_status find_upload(kd_call *call, kd_upload *out, kd_error *err)
{
    int64_t id = 0;
    KD_TRY(kd_call_id(call, 0, &id, err));
    return kd_upload_find(call, id, out, err);
}

static kd_status drop_upload(kd_call *call, kd_error *err)
{
    kd_upload kept = { 0 };
    KD_TRY(find_upload(call, &kept, err));
    kd_upload_remove(kept.folder.ptr);
    call->status = 204;
    return KD_OK;
}

/* ---- preview ---- */

static void put_problem(kd_call *call, const kd_feed_problem *problem)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_text(json, "kind", kd_str_of(kd_bad_kind_name(problem->kind)));
    kd_out_text(json, "text", kd_call_words(call, problem->zh, problem->en));
    kd_json_kint(json, "count", problem->count);
    kd_json_key(json, "lines");
    kd_json_array(json);
    for (size_t i = 0; i < problem->line_count; i++) kd_json_int(json, (int64_t)problem->lines[i]);
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static void put_columns(kd_json *json, const kd_feed_outcome *outcome)
{
    kd_json_key(json, "columns");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->column_count; i++) {
        kd_json_object(json);
        kd_out_text(json, "header", outcome->columns[i].header);
        kd_json_kstr(json, "column", outcome->columns[i].column);
        kd_json_kstr(json, "fills", outcome->columns[i].fills);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_key(json, "missing");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->missing_count; i++) kd_json_str(json, outcome->missing[i]);
    kd_json_array_end(json);
}

/* A sample is no record of the register yet: it bears the id of the upload. */
static void put_samples(kd_call *call, const kd_feed_outcome *outcome, const kd_upload *kept,
                        const kd_source_name *source)
{
    kd_json *json = &call->out;
    kd_json_key(json, "samples");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->sample_count; i++) {
        kd_source_record record = outcome->samples[i];
        record.id = kept->id;
        kd_show_record(call, NULL, &(kd_shown_record){ &record, source, kept->name, NULL });
    }
    kd_json_array_end(json);
}

static kd_str encoding_name(kd_encoding encoding)
{
    static const char *const names[] = { "", "UTF-8", "GB18030", "UTF-16LE", "UTF-16BE" };
    return kd_str_of((size_t)encoding < sizeof names / sizeof names[0] ? names[encoding] : "");
}

static void put_preview(kd_call *call, const kd_feed_packs *packs, const kd_upload *kept,
                        const kd_import_result *result)
{
    kd_json *json = &call->out;
    const kd_feed_outcome *outcome = &result->outcome;
    const kd_feed_pack *pack = kd_feed_packs_find(packs, outcome->feed);
    kd_source_name source = { .feed = outcome->feed, .title_zh = outcome->feed, .title_en = outcome->feed };
    if (pack) {
        source.title_zh = kd_feed_pack_info(pack).title_zh;
        source.title_en = kd_feed_pack_info(pack).title_en;
    }
    kd_json_object(json);
    put_upload(json, "upload", kept);
    kd_show_source(call, "source", &source);
    kd_out_text(json, "encoding", encoding_name(outcome->encoding));
    kd_json_kint(json, "rows", outcome->rows_seen);
    kd_json_kint(json, "rows_bad", outcome->rows_bad);
    kd_json_kint(json, "records", outcome->records);
    put_columns(json, outcome);
    kd_json_key(json, "problems");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->problem_count; i++) put_problem(call, &outcome->problems[i]);
    kd_json_array_end(json);
    put_samples(call, outcome, kept, &source);
    kd_json_kbool(json, "already_imported", result->already_imported);
    kd_json_object_end(json);
}

static kd_status preview_with(kd_call *call, const kd_feed_packs *packs, const kd_upload *kept, kd_arena *arena,
                              kd_error *err)
{
    kd_import_result result;
    kd_import_options options = { .as_of_day = KD_DAY_NONE, .is_dry_run = true };
    KD_TRY(kd_call_query_text(call, "feed", false, FEED_BYTES_MAX, &options.feed, err));
    KD_TRY(kd_import_file(call->reg, packs, kept->path.ptr, &options, arena, &result, err));
    put_preview(call, packs, kept, &result);
    return KD_OK;
}

static kd_status preview(kd_call *call, kd_error *err)
{
    kd_upload kept = { 0 };
    kd_feed_packs *packs = NULL;
    KD_TRY(find_upload(call, &kept, err));
    KD_TRY(kd_call_audit(call, "feed.preview", 0, 0, object_of(call, "upload", kept.id), err));
    KD_TRY(kd_feed_packs_of_register(kd_register_dir(call->reg), NULL, &packs, err));
    kd_arena *arena = kd_arena_new(IMPORT_BYTES_MAX);
    kd_status status = arena ? preview_with(call, packs, &kept, arena, err)
                             : kd_fail(err, KD_LIMIT, "", "no memory to look at the file");
    kd_arena_free(arena);
    kd_feed_packs_close(packs);
    return status;
}

/* ---- importing as a job ---- */

typedef struct {
    char *folder, *path, *feed; /* feed may be empty: recognised */
    int64_t division;
    int32_t as_of_day;
} import_work;

static void import_free(void *ctx)
{
    import_work *work = ctx;
    if (!work) return;
    free(work->folder);
    free(work->path);
    free(work->feed);
    free(work);
}

static void put_import_result(kd_json *json, const kd_import_result *result)
{
    kd_json_object(json);
    kd_out_id(json, "batch_id", result->batch_id);
    kd_out_text(json, "feed", result->outcome.feed);
    kd_json_kint(json, "rows", result->outcome.rows_seen);
    kd_json_kint(json, "rows_bad", result->outcome.rows_bad);
    kd_json_kint(json, "records", result->outcome.records);
    kd_json_kbool(json, "already_imported", result->already_imported);
    kd_json_object_end(json);
}

/* The bad rows go where their batch finds them; the register is whole without them. */
static void keep_bad_rows(const kd_register *reg, const kd_import_result *result, kd_arena *arena)
{
    kd_str path = kd_bad_rows_path(arena, reg, result->batch_id);
    if (!result->bad_path.len || !result->batch_id || !path.ptr) return;
    if (rename(result->bad_path.ptr, path.ptr) != 0) kd_log(KD_LOG_WARN, "the bad rows of a batch could not be kept");
}

static kd_status import_in(kd_register *reg, import_work *work, const kd_progress *progress, kd_arena *arena,
                           kd_json *out, kd_error *err)
{
    kd_feed_packs *packs = NULL;
    kd_import_result result;
    kd_str bad_dir = kd_arena_fmt(arena, "%s/bad_rows", kd_register_dir(reg));
    if (!bad_dir.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    KD_TRY(kd_dir_make(bad_dir.ptr, err));
    kd_import_options options = { .feed = kd_str_of(work->feed),
                                  .division = work->division,
                                  .as_of_day = work->as_of_day,
                                  .bad_dir = bad_dir.ptr,
                                  .progress = progress };
    KD_TRY(kd_feed_packs_of_register(kd_register_dir(reg), NULL, &packs, err));
    kd_status status = kd_import_file(reg, packs, work->path, &options, arena, &result, err);
    if (status == KD_OK) {
        keep_bad_rows(reg, &result, arena);
        put_import_result(out, &result);
        kd_upload_remove(work->folder);
    }
    kd_feed_packs_close(packs);
    return status;
}

static kd_status import_run(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result, kd_error *err)
{
    kd_arena *arena = kd_arena_new(IMPORT_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory to import the file");
    kd_status status = import_in(reg, ctx, progress, arena, result, err);
    kd_arena_free(arena);
    return status;
}

static kd_status put_job(kd_call *call, int64_t job, kd_error *err)
{
    call->status = 202;
    bool is_there = kd_jobs_write(call->server->jobs, job, call->is_english, &call->out);
    return is_there ? KD_OK : kd_fail(err, KD_NOT_FOUND, "", "the job is gone already");
}

static kd_status make_import(kd_call *call, const kd_upload *kept, import_work **out, kd_error *err)
{
    static const char *const members[] = { "feed", "as_of", NULL };
    kd_str feed = { NULL, 0 };
    int32_t as_of = KD_DAY_NONE;
    int64_t division = 0;
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_text(kd_call_body(call), "feed", false, FEED_BYTES_MAX, &feed, err));
    KD_TRY(kd_in_day(kd_call_body(call), "as_of", false, &as_of, err));
    KD_TRY(kd_call_area(call, &division, err));
    import_work *work = calloc(1, sizeof *work);
    if (work) {
        *work = (import_work){ strdup(kept->folder.ptr), strdup(kept->path.ptr),
                               strndup(feed.len ? feed.ptr : "", feed.len), division, as_of };
        if (work->folder && work->path && work->feed) {
            *out = work;
            return KD_OK;
        }
    }
    import_free(work);
    return kd_fail(err, KD_LIMIT, "", "no memory for a job");
}

static kd_status import_upload(kd_call *call, kd_error *err)
{
    kd_upload kept = { 0 };
    import_work *work = NULL;
    int64_t job = 0;
    KD_TRY(find_upload(call, &kept, err));
    KD_TRY(kd_call_audit(call, "feed.import", 0, 0, object_of(call, "upload", kept.id), err));
    KD_TRY(make_import(call, &kept, &work, err));
    kd_upload_touch(&kept);
    kd_job_spec spec = { .kind = "import",
                         .run = import_run,
                         .ctx = work,
                         .free_ctx = import_free,
                         .account_id = call->who->id,
                         .division = work->division,
                         .title_zh = kd_arena_fmt(call->arena, "导入 %.*s", KD_FMT(kept.name)),
                         .title_en = kd_arena_fmt(call->arena, "Import of %.*s", KD_FMT(kept.name)) };
    KD_TRY(kd_call_start_job(call, &spec, &job, err));
    return put_job(call, job, err);
}

/* ---- linking as a job ---- */

static kd_status link_run(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result, kd_error *err)
{
    kd_link_report r;
    kd_link_options options = { .is_full = *(const bool *)ctx, .progress = progress };
    KD_TRY(kd_register_link(reg, &options, &r, err));
    kd_json_object(result);
    kd_json_kbool(result, "was_needed", r.was_needed);
    kd_json_kint(result, "records", r.records);
    kd_json_kint(result, "persons", r.persons);
    kd_json_kint(result, "created", r.created);
    kd_json_kint(result, "merged", r.merged);
    kd_json_kint(result, "split", r.split);
    kd_json_kint(result, "changed", r.changed);
    kd_json_kint(result, "tasks_opened", r.tasks_opened);
    kd_json_kint(result, "tasks_closed", r.tasks_closed);
    kd_json_kdouble(result, "seconds", r.seconds, 2);
    kd_json_object_end(result);
    return KD_OK;
}

static kd_status start_link(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "is_full", NULL };
    bool is_full = false;
    int64_t job = 0, division = 0;
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_bool(kd_call_body(call), "is_full", false, &is_full, err));
    KD_TRY(kd_call_area(call, &division, err));
    KD_TRY(kd_call_audit(call, "job.link", 0, division, KD_STR("job/link"), err));
    bool *ctx = malloc(sizeof *ctx);
    if (!ctx) return kd_fail(err, KD_LIMIT, "", "no memory for a job");
    *ctx = is_full;
    kd_job_spec spec = { .kind = "link",
                         .run = link_run,
                         .ctx = ctx,
                         .free_ctx = free,
                         .account_id = call->who->id,
                         .division = division,
                         .title_zh = KD_STR("归人"),
                         .title_en = KD_STR("Resolving records into persons") };
    KD_TRY(kd_call_start_job(call, &spec, &job, err));
    return put_job(call, job, err);
}

const kd_route kd_routes_feeds[] = {
    { .method = "GET", .path = "/api/feeds", .permission = "feed.read", .run = list_feeds },
    { .method = "GET", .path = "/api/batches", .permission = "feed.read", .run = list_batches },
    { .method = "GET", .path = "/api/batches/{id}", .permission = "feed.read", .run = get_batch },
    { .method = "GET",
      .path = "/api/batches/{id}/bad-rows",
      .permission = "feed.import",
      .needs_purpose = true,
      .run = get_bad_rows },
    { .method = "POST",
      .path = "/api/uploads",
      .permission = "feed.import",
      .body = KD_BODY_FILE,
      .bytes_max = UPLOAD_BYTES_MAX,
      .run = upload },
    { .method = "GET",
      .path = "/api/uploads/{id}/preview",
      .permission = "feed.import",
      .needs_purpose = true,
      .run = preview },
    { .method = "POST",
      .path = "/api/uploads/{id}/import",
      .permission = "feed.import",
      .body = KD_BODY_JSON,
      .needs_purpose = true,
      .needs_idempotency = true,
      .run = import_upload },
    { .method = "DELETE", .path = "/api/uploads/{id}", .permission = "feed.import", .run = drop_upload },
    { .method = "POST",
      .path = "/api/jobs/link",
      .permission = "job.run",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .run = start_link },
    { .method = NULL },
};
