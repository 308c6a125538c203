/* One file into the register: whole, once, or not at all. */
#include "exchange/archive.h"
#include "exchange/exchange.h"
#include "exchange/limits.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    kd_register *reg;
    const kd_feed_pack *pack;
    const char *path;
    const kd_import_options *options;
    kd_arena *arena;
    kd_import_result *result;
    char hash[HASH_HEX_BYTES];
    kd_batch batch;
    kd_record_writer *writer;
    bool is_open; /* the transaction */
} import_job;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "out of memory");
}

static kd_str file_name(kd_str path)
{
    const char *slash = memrchr(path.ptr, '/', path.len);
    return slash ? kd_str_sub(path, (size_t)(slash - path.ptr) + 1, path.len) : path;
}

/* Look for the batch of the same content and feed; the source may not be there yet. */
static kd_status find_batch(import_job *job, kd_error *err)
{
    int64_t source = 0;
    kd_str feed = kd_feed_pack_info(job->pack).feed;
    kd_batch batch;
    kd_error told = { 0 };
    kd_status status = kd_store_int(kd_register_store(job->reg), &told, &source,
                                    "select id from source where feed = $1", KD_VALUES(kd_text_value(feed)));
    if (status == KD_OK)
        status = kd_batch_find(job->reg, (int32_t)source, kd_str_of(job->hash), job->arena, &batch, &told);
    if (status == KD_NOT_FOUND) return KD_OK;
    if (status != KD_OK) {
        if (err) *err = told;
        return status;
    }
    kd_import_result *result = job->result;
    result->already_imported = true;
    result->batch_id = batch.id;
    result->outcome = (kd_feed_outcome){ .feed = feed,
                                         .feed_version = batch.feed_version,
                                         .rows_seen = batch.rows_seen,
                                         .rows_bad = batch.rows_bad,
                                         .records = batch.records };
    return KD_OK;
}

/* The transaction begins with the first records, not before: reading a large file must not keep others from writing. */
static kd_status open_batch(import_job *job, kd_error *err)
{
    kd_status status = kd_store_begin(kd_register_store(job->reg), err);
    if (status == KD_CONFLICT) kd_hint(err, "another import is writing: run it again; nothing was changed");
    if (status != KD_OK) return status;
    job->is_open = true;
    KD_TRY(find_batch(job, err)); /* another import may have brought it since */
    if (job->result->already_imported) return KD_CONFLICT;
    kd_feed_info info = kd_feed_pack_info(job->pack);
    const kd_source_words words = { info.title_zh,    info.title_en, info.supplier_zh,
                                    info.supplier_en, info.event_zh, info.event_en };
    KD_TRY(kd_source_ensure(job->reg, info.feed, &words, &job->batch.source_id, err));
    job->batch.id = kd_register_next_id(job->reg);
    return kd_record_writer_new(job->reg, &job->writer, err);
}

static kd_status write_records(void *ctx, kd_source_record *records, size_t count, kd_error *err)
{
    import_job *job = ctx;
    if (job->options->is_dry_run) return KD_OK;
    if (!job->is_open) KD_TRY(open_batch(job, err));
    for (size_t i = 0; i < count; i++) {
        kd_source_record *record = &records[i];
        record->id = kd_register_next_id(job->reg);
        record->batch_id = job->batch.id;
        record->source_id = job->batch.source_id;
        if (!job->batch.first_record) job->batch.first_record = record->id;
        job->batch.last_record = record->id;
        KD_TRY(kd_record_write(job->writer, record, err));
    }
    return KD_OK;
}

/* NAME.bad.csv beside the input or in the folder wanted; in the register's when that cannot be written. */
static kd_status write_bad_rows(import_job *job, kd_error *err)
{
    kd_str rows = job->result->outcome.bad_rows;
    if (rows.len == 0) return KD_OK;
    kd_str name = file_name(kd_str_of(job->path));
    const char *dot = memrchr(name.ptr, '.', name.len);
    if (dot && dot > name.ptr) name.len = (size_t)(dot - name.ptr);
    kd_str bad = kd_arena_fmt(job->arena, "%.*s.bad.csv", KD_FMT(name));
    kd_str path = job->options->bad_dir ? kd_path_join(job->arena, kd_str_of(job->options->bad_dir), bad)
                                        : kd_path_beside(job->arena, job->path, bad);
    if (!bad.ptr || !path.ptr) return no_memory(err);
    kd_error first = { 0 };
    if (kd_file_write(path.ptr, rows, &first) != KD_OK) {
        kd_str folder = kd_path_join(job->arena, kd_str_of(kd_register_dir(job->reg)), KD_STR("bad"));
        kd_str other = kd_arena_fmt(job->arena, "%.*s/%.*s.%.8s.bad.csv", KD_FMT(folder), KD_FMT(name), job->hash);
        if (!folder.ptr || !other.ptr) return no_memory(err);
        kd_status status = kd_dir_make(folder.ptr, err);
        if (status == KD_OK) status = kd_file_write(other.ptr, rows, err);
        if (status != KD_OK) {
            if (err) *err = first;
            return first.status;
        }
        path = other;
        job->result->bad_elsewhere = true;
    }
    job->result->bad_path = path;
    return KD_OK;
}

static kd_status finish_batch(import_job *job, archiving *archive, kd_error *err)
{
    const kd_feed_outcome *outcome = &job->result->outcome;
    if (outcome->records == 0 && outcome->rows_seen > 0) {
        kd_fail_at(err, KD_INVALID, job->path, 0, 0, "none of the %lld rows can be taken",
                   (long long)outcome->rows_seen);
        if (outcome->problem_count)
            kd_hint(err, "line %llu: %.*s", (unsigned long long)outcome->problems[0].lines[0],
                    KD_FMT(kd_language_now() == KD_CHINESE ? outcome->problems[0].zh : outcome->problems[0].en));
        return KD_INVALID;
    }
    if (!job->is_open) KD_TRY(open_batch(job, err));
    kd_status status = kd_record_writer_finish(job->writer, err);
    job->writer = NULL;
    if (status != KD_OK) return status;
    job->batch.content_hash = kd_str_of(job->hash);
    job->batch.file_name = file_name(kd_str_of(job->path));
    job->batch.feed_version = outcome->feed_version;
    job->batch.division = job->options->division;
    job->batch.rows_seen = outcome->rows_seen;
    job->batch.rows_bad = outcome->rows_bad;
    job->batch.records = outcome->records;
    job->batch.received_at = kd_now_us();
    job->batch.as_of_day = job->options->as_of_day;
    KD_TRY(kd_batch_add(job->reg, &job->batch, err));
    KD_TRY(archive_finish(archive, err));
    KD_TRY(write_bad_rows(job, err));
    job->result->batch_id = job->batch.id;
    return KD_OK;
}

static kd_status read_feed(import_job *job, kd_error *err)
{
    kd_feed_read_options options = { .division = job->options->division,
                                     .today = KD_DAY_NONE,
                                     .threads = job->options->threads,
                                     .progress = job->options->progress };
    KD_TRY(kd_register_text(job->reg, &options.text, err));
    KD_TRY(kd_register_divisions(job->reg, &options.divisions, err));
    return kd_feed_read(job->pack, job->path, &options, write_records, job, job->arena, &job->result->outcome, err);
}

static kd_status import_new(import_job *job, kd_error *err)
{
    archiving archive = { .is_there = true };
    KD_TRY(archive_begin(&archive, kd_register_dir(job->reg), job->path, job->hash, err));
    kd_status status = read_feed(job, err);
    if (status == KD_OK) status = finish_batch(job, &archive, err);
    kd_record_writer_cancel(job->writer);
    job->writer = NULL;
    kd_store *store = kd_register_store(job->reg);
    if (job->is_open) status = kd_store_end(store, status, err);
    archive_cancel(&archive);
    if (job->result->already_imported) return KD_OK;
    if (status != KD_OK && job->result->bad_path.len) remove(job->result->bad_path.ptr);
    return status;
}

static kd_status recognise(import_job *job, const kd_feed_packs *packs, kd_error *err)
{
    kd_frame *frame = NULL;
    KD_TRY(kd_frame_peek(job->path, PEEK_ROWS, &frame, err));
    size_t count = kd_frame_columns(frame);
    kd_str *headers = kd_arena_array(job->arena, count + 1, sizeof *headers);
    kd_status status = headers ? KD_OK : no_memory(err);
    for (size_t i = 0; headers && i < count; i++) headers[i] = kd_frame_column(frame, i)->name;
    if (status == KD_OK)
        status = kd_feed_recognise(packs, job->options->feed, headers, count, job->path, &job->pack, err);
    kd_frame_free(frame);
    return status;
}

static kd_status import(import_job *job, const kd_feed_packs *packs, kd_error *err)
{
    KD_TRY(recognise(job, packs, err));
    KD_TRY(archive_hash(job->path, job->options->progress, job->hash, err));
    job->result->file = kd_arena_str(job->arena, kd_str_of(job->path));
    job->result->content_hash = kd_arena_str(job->arena, kd_str_of(job->hash));
    if (!job->result->file.ptr || !job->result->content_hash.ptr) return no_memory(err);
    KD_TRY(find_batch(job, err));
    if (job->options->is_dry_run) {
        bool was_there = job->result->already_imported;
        int64_t batch_id = job->result->batch_id;
        KD_TRY(read_feed(job, err));
        job->result->already_imported = was_there;
        job->result->batch_id = batch_id;
        return KD_OK;
    }
    return job->result->already_imported ? KD_OK : import_new(job, err);
}

kd_status kd_import_file(kd_register *reg, const kd_feed_packs *packs, const char *path,
                         const kd_import_options *options, kd_arena *arena, kd_import_result *out_result, kd_error *err)
{
    double start = kd_seconds();
    kd_import_result result = { 0 };
    import_job job = { .reg = reg, .path = path, .options = options, .arena = arena, .result = &result };
    kd_status status = import(&job, packs, err);
    if (status != KD_OK) {
        if (err && !err->file[0]) snprintf(err->file, sizeof err->file, "%s", path);
        return status;
    }
    result.seconds = kd_seconds() - start;
    *out_result = result;
    return KD_OK;
}
