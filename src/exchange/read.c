/* A file of a feed to source records: reading, parallel conversion in order, the account of what was bad. */
#include "exchange/convert.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    feed_job job;
    const kd_feed_read_options *options;
    const char *path;
    kd_arena *arena;
    kd_frame *frame;
    kd_read_report *report;
    feed_fit fit;
    kd_record_sink sink;
    void *ctx;
    pthread_t caller;      /* progress is reported from its thread only */
    pthread_mutex_t mutex; /* guards next_chunk, has_failed, free_workers */
    pthread_cond_t turn;
    size_t next_chunk; /* whose turn it is to be written */
    bool has_failed;
    feed_worker *free_workers;
    /* only touched by the thread whose turn it is */
    bad_row *bad;
    size_t bad_count, bad_cap;
    int64_t records, rows_rejected;
    kd_source_record *samples;
    size_t sample_count, sample_cap;
} reading;

/* ---- planning ---- */

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "out of memory while reading the file");
}

static size_t text_bytes(feed_type type)
{
    switch (type) {
    case FEED_NAME: return KD_NAME_BYTES_MAX;
    case FEED_IDENTITY: return sizeof((kd_identity *)0)->number;
    case FEED_PHONE: return KD_PHONE_BYTES_MAX;
    case FEED_TEXT: return VALUE_TEXT_BYTES_MAX;
    default: return 0;
    }
}

/* Columns that read a text alike share what is remembered: all names, all dates, the columns of one code map. */
static uint64_t memo_seed(const feed_column *column)
{
    return kd_hash_int((uint64_t)column->type + 1) + (column->type == FEED_CODE ? (uint64_t)column->codes : 0);
}

static kd_status plan_columns(reading *r, kd_error *err)
{
    const kd_feed_pack *pack = r->job.pack;
    column_plan *plans = kd_arena_array(r->arena, pack->column_count, sizeof *plans);
    r->job.check_columns = kd_arena_array(r->arena, pack->check_count + 1, sizeof *r->job.check_columns);
    if (!plans || !r->job.check_columns) return no_memory(err);
    for (size_t i = 0; i < pack->column_count; i++) {
        const feed_column *column = &pack->columns[i];
        int at = r->fit.file_column[i];
        if (at < 0 || column->type == FEED_IGNORE) continue;
        plans[r->job.plan_count++] = (column_plan){ .column = column,
                                                    .data = kd_frame_column(r->frame, (size_t)at),
                                                    .file_column = (uint32_t)at + 1,
                                                    .memo_seed = memo_seed(column) };
        r->job.text_bytes_a_row += text_bytes(column->type);
    }
    r->job.plans = plans;
    for (size_t c = 0; c < pack->check_count; c++) {
        const feed_target *target = &pack->checks[c].targets[0];
        for (size_t i = r->job.plan_count; i-- > 0;)
            for (size_t k = 0; k < plans[i].column->fill_count; k++) {
                const feed_target *fill = &plans[i].column->fills[k];
                if (fill->field == target->field && (fill->record == target->record || fill->record == EVERY_RECORD))
                    r->job.check_columns[c] = plans[i].file_column;
            }
    }
    return KD_OK;
}

static kd_status read_frame(reading *r, kd_error *err)
{
    kd_read_options options = { .all_text = true, .threads = r->options->threads, .progress = r->options->progress };
    KD_TRY(kd_frame_read(r->path, &options, &r->frame, &r->report, err));
    size_t count = kd_read_report_headers(r->report);
    kd_str *headers = kd_arena_array(r->arena, count + 1, sizeof *headers);
    if (!headers) return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        kd_str text = kd_read_report_header(r->report, i);
        headers[i] = kd_arena_str(r->arena, text);
        if (text.len && !headers[i].ptr) return no_memory(err);
    }
    if (count > kd_frame_columns(r->frame)) count = kd_frame_columns(r->frame);
    KD_TRY(feed_fit_header(r->job.pack, headers, count, r->arena, &r->fit, err));
    if (r->fit.missing)
        return kd_fail_at(err, KD_INVALID, r->path, 1, 0, "the header lacks %zu columns that feed '%.*s' needs",
                          r->fit.missing, KD_FMT(r->job.pack->info.feed));
    return plan_columns(r, err);
}

/* ---- converting ---- */

static kd_status collect_bad(reading *r, const feed_worker *worker, kd_error *err)
{
    if (r->bad_count + worker->bad_count > r->bad_cap) {
        size_t cap = (r->bad_count + worker->bad_count) * 2;
        bad_row *grown = realloc(r->bad, cap * sizeof *grown);
        if (!grown) return no_memory(err);
        r->bad = grown;
        r->bad_cap = cap;
    }
    for (size_t i = 0; i < worker->bad_count; i++) {
        bad_row *to = &r->bad[r->bad_count++];
        *to = worker->bad[i];
        to->line = kd_read_report_file_line(r->report, to->row);
    }
    return KD_OK;
}

static kd_status keep_sample(reading *r, const kd_source_record *record, kd_error *err)
{
    kd_source_record copy = *record;
    kd_str *texts[] = { &copy.name,           &copy.name_written, &copy.identity_number,    &copy.phone,
                        &copy.address,        &copy.household_no, &copy.household_relation, &copy.ethnicity,
                        &copy.marital_status, &copy.education,    &copy.certificate_no,     &copy.handbook_no,
                        &copy.status,         &copy.institution };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]->len == 0) continue;
        *texts[i] = kd_arena_str(r->arena, *texts[i]);
        if (!texts[i]->ptr) return no_memory(err);
    }
    r->samples[r->sample_count++] = copy;
    return KD_OK;
}

static kd_status take_chunk(reading *r, feed_worker *worker, size_t chunk, kd_error *err)
{
    for (size_t i = 0; i < worker->record_count && r->sample_count < r->sample_cap; i++)
        KD_TRY(keep_sample(r, &worker->records[i], err));
    KD_TRY(collect_bad(r, worker, err));
    r->records += (int64_t)worker->record_count;
    r->rows_rejected += worker->rows_rejected;
    if (worker->record_count) KD_TRY(r->sink(r->ctx, worker->records, worker->record_count, err));
    if (pthread_equal(r->caller, pthread_self()))
        kd_progress_report(r->options->progress, "importing", (uint64_t)chunk * CHUNK_ROWS,
                           (uint64_t)kd_frame_rows(r->frame));
    return KD_OK;
}

/* Chunks are converted at once and written one after another: each waits until those before it are written. */
static kd_status convert_chunk(void *ctx, size_t chunk, kd_error *err)
{
    reading *r = ctx;
    pthread_mutex_lock(&r->mutex);
    feed_worker *worker = r->free_workers; /* there are as many as threads */
    r->free_workers = worker->next;
    pthread_mutex_unlock(&r->mutex);

    int64_t from = (int64_t)chunk * CHUNK_ROWS, to = from + CHUNK_ROWS, rows = kd_frame_rows(r->frame);
    kd_status status = kd_progress_cancelled(r->options->progress) ? kd_fail(err, KD_CANCELLED, "", "stopped") : KD_OK;
    if (status == KD_OK) status = feed_convert_rows(&r->job, worker, from, to < rows ? to : rows, err);
    for (size_t i = 0; status == KD_OK && i < worker->record_count; i++)
        worker->records[i].row_no = kd_read_report_file_row(r->report, worker->records[i].row_no);

    pthread_mutex_lock(&r->mutex);
    while (r->next_chunk != chunk && !r->has_failed) pthread_cond_wait(&r->turn, &r->mutex);
    bool is_my_turn = r->next_chunk == chunk;
    pthread_mutex_unlock(&r->mutex);
    if (status == KD_OK && is_my_turn) status = take_chunk(r, worker, chunk, err);
    if (status == KD_OK && !is_my_turn) status = KD_CANCELLED; /* an earlier chunk tells why */

    pthread_mutex_lock(&r->mutex);
    if (status == KD_OK) {
        r->next_chunk++;
    } else {
        r->has_failed = true;
    }
    worker->next = r->free_workers;
    r->free_workers = worker;
    pthread_cond_broadcast(&r->turn);
    pthread_mutex_unlock(&r->mutex);
    return status;
}

static kd_status convert_all(reading *r, kd_error *err)
{
    size_t chunks = (size_t)((kd_frame_rows(r->frame) + CHUNK_ROWS - 1) / CHUNK_ROWS);
    unsigned threads = r->options->threads ? r->options->threads : kd_threads();
    if (threads > chunks) threads = chunks ? (unsigned)chunks : 1;
    feed_worker *workers = kd_arena_array(r->arena, threads, sizeof *workers);
    r->sample_cap = SAMPLE_ROWS * r->job.pack->info.record_count;
    r->samples = kd_arena_array(r->arena, r->sample_cap, sizeof *r->samples);
    if (!workers || !r->samples) return no_memory(err);
    kd_status status = KD_OK;
    for (unsigned i = 0; i < threads && status == KD_OK; i++) {
        status = feed_worker_init(&workers[i], &r->job, err);
        workers[i].next = r->free_workers;
        r->free_workers = &workers[i];
    }
    r->caller = pthread_self();
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->turn, NULL);
    if (status == KD_OK) status = kd_parallel(threads, chunks, convert_chunk, r, err);
    pthread_cond_destroy(&r->turn);
    pthread_mutex_destroy(&r->mutex);
    for (unsigned i = 0; i < threads; i++) feed_worker_done(&workers[i]);
    return status;
}

/* ---- the account ---- */

/* Words for the reader's reasons; it knows English only. */
static kd_str reject_zh(const char *reason)
{
    static const struct {
        const char *part, *zh;
    } words[] = {
        { "fields where", "列数与表头不符" },   { "quote", "引号没有成对" }, { "longer than", "一行过长" },
        { "encoding", "不是本文件编码的字符" }, { "NUL", "含有空字符" },     { "shows an error", "单元格显示错误" },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(reason, words[i].part)) return kd_str_of(words[i].zh);
    return KD_STR("该行无法读取");
}

/* Reasons by number: built in, the pack's checks, the reader's. */
static kd_status make_reasons(reading *r, reason_text **out_reasons, size_t *out_count, kd_error *err)
{
    const kd_feed_pack *pack = r->job.pack;
    size_t rejects = kd_read_report_rejects(r->report), fixed = REASONS + pack->check_count, count = fixed;
    enum { READER_REASONS_MAX = 64 };
    reason_text *reasons = kd_arena_array(r->arena, fixed + READER_REASONS_MAX, sizeof *reasons);
    bad_row *grown = realloc(r->bad, (r->bad_count + rejects + 1) * sizeof *grown);
    if (grown) r->bad = grown;
    if (!reasons || !grown) return no_memory(err);
    memcpy(reasons, feed_reasons, sizeof feed_reasons);
    for (size_t i = 0; i < pack->check_count; i++)
        reasons[REASONS + i] = (reason_text){ pack->checks[i].action == DO_REJECT ? KD_BAD_REJECT : KD_BAD_WARN,
                                              pack->checks[i].zh, pack->checks[i].en };
    for (size_t i = 0; i < rejects; i++) {
        const kd_reject *reject = kd_read_report_reject(r->report, i);
        kd_str en = kd_str_of(reject->reason);
        size_t at = fixed;
        while (at < count && !kd_str_eq(reasons[at].en, en)) at++;
        if (at == count && count < fixed + READER_REASONS_MAX)
            reasons[count++] = (reason_text){ KD_BAD_REJECT, reject_zh(reject->reason), en };
        if (at == fixed + READER_REASONS_MAX) at--;
        r->bad[r->bad_count++] = (bad_row){
            .row = (int64_t)i, .line = reject->line, .column = reject->column, .reason = (uint16_t)at, .is_reject = true
        };
    }
    *out_reasons = reasons;
    *out_count = count;
    return KD_OK;
}

static int by_place(const void *a, const void *b)
{
    const bad_row *x = a, *y = b;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    return (x->reason > y->reason) - (x->reason < y->reason);
}

static int by_count(const void *a, const void *b)
{
    const kd_feed_problem *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return kd_str_cmp(x->en, y->en);
}

static kd_status tell_problems(reading *r, kd_feed_outcome *outcome, kd_error *err)
{
    reason_text *reasons = NULL;
    size_t reason_count = 0;
    KD_TRY(make_reasons(r, &reasons, &reason_count, err));
    if (r->bad_count == 0) return KD_OK;
    qsort(r->bad, r->bad_count, sizeof *r->bad, by_place);
    kd_feed_problem *problems = kd_arena_array(r->arena, reason_count, sizeof *problems);
    if (!problems) return no_memory(err);
    for (size_t i = 0; i < r->bad_count; i++) {
        kd_feed_problem *problem = &problems[r->bad[i].reason];
        problem->count++;
        if (problem->line_count < EXAMPLE_LINES) problem->lines[problem->line_count++] = r->bad[i].line;
    }
    size_t kept = 0;
    for (size_t i = 0; i < reason_count; i++) {
        if (problems[i].count == 0) continue;
        problems[kept] = problems[i];
        problems[kept].kind = reasons[i].kind;
        problems[kept].zh = reasons[i].zh;
        problems[kept++].en = kd_arena_str(r->arena, reasons[i].en);
    }
    qsort(problems, kept, sizeof *problems, by_count);
    outcome->problems = problems;
    outcome->problem_count = kept;
    kd_buf csv;
    kd_buf_init(&csv, SIZE_MAX);
    bad_context context = { r->frame, r->report, outcome->delimiter ? outcome->delimiter : ',', reasons };
    feed_bad_csv(&context, r->bad, r->bad_count, &csv);
    if (csv.status == KD_OK) outcome->bad_rows = kd_arena_str(r->arena, kd_buf_view(&csv));
    kd_buf_done(&csv);
    return outcome->bad_rows.ptr ? KD_OK : no_memory(err);
}

static kd_str fills_text(const kd_feed_pack *pack, const feed_column *column, kd_arena *arena)
{
    kd_buf text;
    kd_buf_init(&text, 4096);
    for (size_t i = 0; i < column->fill_count; i++) {
        const feed_target *fill = &column->fills[i];
        if (i) kd_buf_cstr(&text, ", ");
        if (fill->record != EVERY_RECORD) kd_buf_fmt(&text, "%s.", kd_role_name(pack->info.records[fill->record]));
        kd_buf_cstr(&text, feed_field_name(fill->field));
    }
    kd_str kept = kd_arena_str(arena, kd_buf_view(&text));
    kd_buf_done(&text);
    return kept;
}

static kd_status tell_columns(reading *r, kd_feed_outcome *outcome, kd_error *err)
{
    const kd_feed_pack *pack = r->job.pack;
    size_t count = kd_frame_columns(r->frame);
    kd_feed_mapping *columns = kd_arena_array(r->arena, count + 1, sizeof *columns);
    kd_str *missing = kd_arena_array(r->arena, pack->column_count, sizeof *missing);
    if (!columns || !missing) return no_memory(err);
    for (size_t i = 0; i < count && i < kd_read_report_headers(r->report); i++) {
        int at = r->fit.pack_column[i];
        columns[i].header = kd_arena_str(r->arena, kd_read_report_header(r->report, i));
        if (at < 0) continue;
        columns[i].column = pack->columns[at].name;
        columns[i].fills = fills_text(pack, &pack->columns[at], r->arena);
    }
    for (size_t i = 0; i < pack->column_count; i++)
        if (r->fit.file_column[i] < 0) missing[outcome->missing_count++] = pack->columns[i].name;
    outcome->missing = missing;
    outcome->columns = columns;
    outcome->column_count = count;
    return KD_OK;
}

static kd_status run(reading *r, kd_feed_outcome *out_outcome, kd_error *err)
{
    KD_TRY(read_frame(r, err));
    KD_TRY(convert_all(r, err));
    kd_feed_outcome outcome = { .feed = r->job.pack->info.feed,
                                .feed_version = r->job.pack->info.version,
                                .encoding = kd_read_report_encoding(r->report),
                                .delimiter = kd_read_report_delimiter(r->report),
                                .rows_seen = kd_read_report_rows_seen(r->report),
                                .records = r->records,
                                .samples = r->samples,
                                .sample_count = r->sample_count };
    outcome.rows_bad = outcome.rows_seen - kd_frame_rows(r->frame) + r->rows_rejected;
    KD_TRY(tell_columns(r, &outcome, err));
    KD_TRY(tell_problems(r, &outcome, err));
    *out_outcome = outcome;
    return KD_OK;
}

kd_status kd_feed_read(const kd_feed_pack *pack, const char *path, const kd_feed_read_options *options,
                       kd_record_sink sink, void *ctx, kd_arena *arena, kd_feed_outcome *out_outcome, kd_error *err)
{
    reading r = { .job = { .pack = pack,
                           .text = options->text,
                           .divisions = options->divisions,
                           .within = options->division,
                           .today = options->today == KD_DAY_NONE ? kd_today() : options->today },
                  .options = options,
                  .path = path,
                  .arena = arena,
                  .sink = sink,
                  .ctx = ctx };
    feed_job_null_starts(&r.job);
    kd_status status = run(&r, out_outcome, err);
    free(r.bad);
    kd_read_report_free(r.report);
    kd_frame_free(r.frame);
    return status;
}
