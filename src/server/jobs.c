#include "job.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double REPORT_EVERY_S = 0.2;
enum { KEEP_TRIES = 5, KEEP_PAUSE_US = 500000, KEEP_WAIT_MS = 5000 };
static const char *const STATES[] = { "waiting", "running", "done", "failed", "cancelled" };

const char *kd_job_state_name(kd_job_state state)
{
    return STATES[state];
}

kd_jobs *kd_jobs_new(kd_server *server, void (*changed)(kd_server *server))
{
    kd_jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) return NULL;
    jobs->server = server;
    jobs->changed = changed;
    jobs->opened_at = kd_now_us();
    pthread_mutex_init(&jobs->mutex, NULL);
    return jobs;
}

static void free_ctx(job *j)
{
    if (j->ctx && j->free_ctx) j->free_ctx(j->ctx);
    j->ctx = NULL;
}

void kd_job_free(job *j)
{
    free_ctx(j);
    kd_buf_done(&j->result);
    kd_buf_done(&j->problem_zh);
    kd_buf_done(&j->problem_en);
    free(j);
}

void kd_jobs_free(kd_jobs *jobs)
{
    if (!jobs) return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->is_stopping = true;
    for (job *j = jobs->newest; j; j = j->next) __atomic_store_n(&j->cancelled, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < jobs->lane_count; i++) pthread_cond_signal(&jobs->lanes[i].woken);
    pthread_mutex_unlock(&jobs->mutex);
    for (size_t i = 0; i < jobs->lane_count; i++) {
        if (jobs->lanes[i].is_started) pthread_join(jobs->lanes[i].thread, NULL);
        pthread_cond_destroy(&jobs->lanes[i].woken);
    }
    for (job *j = jobs->newest, *older; j; j = older) {
        older = j->next;
        kd_job_free(j);
    }
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}

bool kd_job_has_ended(const job *j)
{
    return j->state >= KD_JOB_DONE;
}

job *kd_job_find(kd_jobs *jobs, int64_t id)
{
    job *j = jobs->newest;
    while (j && j->id != id) j = j->next;
    return j;
}

/* With the lock held. */
void kd_job_touch(job *j)
{
    j->version = ++j->jobs->version;
}

/* ---- the thread of a kind ---- */

static void report(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    job *j = ctx;
    double now = kd_seconds();
    pthread_mutex_lock(&j->jobs->mutex);
    bool is_told = strncmp(j->stage, stage, sizeof j->stage - 1) == 0 && now - j->told_at < REPORT_EVERY_S;
    if (!is_told) {
        size_t len = strnlen(stage, sizeof j->stage - 1);
        memcpy(j->stage, stage, len);
        j->stage[len] = '\0';
        j->done = done;
        j->total = total;
        j->told_at = now;
        kd_job_touch(j);
    }
    pthread_mutex_unlock(&j->jobs->mutex);
    if (!is_told) j->jobs->changed(j->jobs->server);
}

static kd_status run_job(job *j, kd_worker *worker, kd_buf *result, kd_error *err)
{
    const kd_progress progress = { j, report, &j->cancelled };
    kd_language_set(j->is_english ? KD_ENGLISH : KD_CHINESE);
    kd_json json;
    kd_json_init(&json, result);
    KD_TRY(kd_worker_open(worker, err));
    KD_TRY(j->run(worker->reg, j->ctx, &progress, &json, err));
    return result->status == KD_OK ? KD_OK : kd_fail(err, KD_LIMIT, "", "the job's result is too long");
}

/* ---- how it ended ---- */

/* By the thread that runs it or under the lock. */
static kd_kept_job as_kept(const job *j)
{
    return (kd_kept_job){ .id = j->id,
                          .account_id = j->account_id,
                          .division = j->division,
                          .made_at = j->made_at,
                          .started_at = j->started_at,
                          .ended_at = j->ended_at,
                          .done = (int64_t)j->done,
                          .total = (int64_t)j->total,
                          .kind = kd_str_of(j->kind),
                          .title_zh = kd_str_of(j->title_zh),
                          .title_en = kd_str_of(j->title_en),
                          .by = kd_str_of(j->by),
                          .stage = kd_str_of(j->stage),
                          .state = kd_str_of(kd_job_state_name(j->state)) };
}

typedef struct {
    kd_job_state state;
    int64_t at;
    kd_buf result, problem_zh, problem_en;
} ending;

void kd_job_write_problem(kd_buf *out, const kd_error *err, const char *name, bool is_english, int64_t id)
{
    kd_json json;
    char text[KD_ID_TEXT_BYTES];
    kd_json_init(&json, out);
    kd_problem_write(&json, err, name, is_english, kd_str_of(kd_id_format(id, text)));
}

static void init_ending(ending *end, kd_job_state state)
{
    *end = (ending){ .state = state, .at = kd_now_us() };
    kd_buf_init(&end->result, KD_JOB_RESULT_BYTES_MAX);
    kd_buf_init(&end->problem_zh, JOB_PROBLEM_BYTES_MAX);
    kd_buf_init(&end->problem_en, JOB_PROBLEM_BYTES_MAX);
}

static kd_status keep_end_once(kd_worker *worker, const kd_kept_job *kept, kd_error *err)
{
    KD_TRY(kd_worker_open(worker, err));
    kd_store *store = kd_register_store(worker->reg);
    KD_TRY(kd_store_begin_beside(store, KEEP_WAIT_MS, err));
    return kd_store_end(store, kd_job_keep_end(store, kept, err), err);
}

static bool is_stopping(kd_jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    bool is_so = jobs->is_stopping;
    pthread_mutex_unlock(&jobs->mutex);
    return is_so;
}

/* Durable before it is told. What cannot be kept counts as interrupted after the next start. */
static void keep_end(const job *j, const ending *end, kd_worker *worker)
{
    kd_kept_job kept = as_kept(j);
    kd_error err;
    kept.state = kd_str_of(kd_job_state_name(end->state));
    kept.ended_at = end->at;
    if (end->state == KD_JOB_DONE) kept.done = kept.total;
    kept.result = kd_buf_view(&end->result);
    kept.problem_zh = kd_buf_view(&end->problem_zh);
    kept.problem_en = kd_buf_view(&end->problem_en);
    for (int tries = 0; tries < KEEP_TRIES; tries++) {
        kd_status status = keep_end_once(worker, &kept, &err);
        if (status == KD_OK) return;
        if (status == KD_IO) kd_worker_close(worker);
        if (is_stopping(j->jobs)) break;
        usleep(KEEP_PAUSE_US);
    }
    kd_log(KD_LOG_WARN, "how a job ended could not be kept: %s", err.message);
}

/* With the lock held; the ending's texts become the job's. */
static void take_end(job *j, const ending *end)
{
    j->state = end->state;
    j->ended_at = end->at;
    j->result = end->result;
    j->problem_zh = end->problem_zh;
    j->problem_en = end->problem_en;
    if (end->state == KD_JOB_DONE && j->total) j->done = j->total;
    free_ctx(j);
    kd_job_touch(j);
}

static void tell_log(const job *j, kd_status status, const kd_error *err)
{
    char text[1200];
    if (status == KD_OK || status == KD_CANCELLED) {
        kd_log(KD_LOG_INFO, "job %s: %s", j->kind, status == KD_OK ? "done" : "cancelled");
        return;
    }
    kd_error_text(err, text, sizeof text);
    kd_log(KD_LOG_WARN, "job %s failed: %s", j->kind, text);
}

static void run_and_tell(job *j)
{
    kd_jobs *jobs = j->jobs;
    kd_error err = { .status = KD_OK };
    kd_worker worker = { .server = jobs->server };
    ending end;
    init_ending(&end, KD_JOB_DONE);
    kd_status status = run_job(j, &worker, &end.result, &err);
    end.state = status == KD_OK ? KD_JOB_DONE : status == KD_CANCELLED ? KD_JOB_CANCELLED : KD_JOB_FAILED;
    end.at = kd_now_us();
    if (status != KD_OK) kd_buf_clear(&end.result);
    if (end.state == KD_JOB_FAILED) {
        kd_job_write_problem(&end.problem_zh, &err, NULL, false, j->id);
        kd_job_write_problem(&end.problem_en, &err, NULL, true, j->id);
    }
    tell_log(j, status, &err);
    pthread_mutex_lock(&jobs->mutex);
    bool is_cut_off = status == KD_CANCELLED && !j->is_unwanted;
    pthread_mutex_unlock(&jobs->mutex);
    if (!is_cut_off) keep_end(j, &end, &worker); /* the next start tells of what a stop has cut off */
    kd_worker_close(&worker);
    pthread_mutex_lock(&jobs->mutex);
    take_end(j, &end);
    pthread_mutex_unlock(&jobs->mutex);
    jobs->changed(jobs->server);
}

/* The oldest that waits in a lane; ended or cancelled ones are passed over. With the lock held. */
static job *take(kd_jobs *jobs, const lane *l)
{
    job *oldest = NULL;
    for (job *j = jobs->newest; j; j = j->next)
        if (j->state == KD_JOB_WAITING && strcmp(j->kind, l->kind) == 0) oldest = j;
    return oldest;
}

static void *run_lane(void *arg)
{
    lane *l = arg;
    kd_jobs *jobs = l->jobs;
    pthread_mutex_lock(&jobs->mutex);
    while (!jobs->is_stopping) {
        job *j = take(jobs, l);
        if (!j) {
            pthread_cond_wait(&l->woken, &jobs->mutex);
            continue;
        }
        j->state = KD_JOB_RUNNING;
        j->started_at = kd_now_us();
        kd_job_touch(j);
        pthread_mutex_unlock(&jobs->mutex);
        jobs->changed(jobs->server);
        run_and_tell(j);
        pthread_mutex_lock(&jobs->mutex);
    }
    pthread_mutex_unlock(&jobs->mutex);
    return NULL;
}

/* ---- starting and stopping ---- */

static lane *lane_of(kd_jobs *jobs, const char *kind)
{
    for (size_t i = 0; i < jobs->lane_count; i++)
        if (strcmp(jobs->lanes[i].kind, kind) == 0) return &jobs->lanes[i];
    if (jobs->lane_count == KD_JOB_KINDS_MAX) return NULL;
    lane *l = &jobs->lanes[jobs->lane_count];
    *l = (lane){ .jobs = jobs };
    memcpy(l->kind, kind, strnlen(kind, JOB_KIND_BYTES - 1));
    pthread_cond_init(&l->woken, NULL);
    jobs->lane_count++;
    return l;
}

void kd_job_copy_text(char *to, size_t to_bytes, kd_str text)
{
    size_t len = text.len < to_bytes ? text.len : to_bytes - 1;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) len--; /* whole characters */
    if (len) memcpy(to, text.ptr, len);
    to[len] = '\0';
}

/* Forget the oldest that have ended. With the lock held. */
static void forget_old(kd_jobs *jobs)
{
    while (jobs->count > KD_JOBS_KEPT) {
        job **oldest = NULL;
        for (job **at = &jobs->newest; *at; at = &(*at)->next)
            if (kd_job_has_ended(*at)) oldest = at;
        if (!oldest) return;
        job *gone = *oldest;
        *oldest = gone->next;
        jobs->count--;
        kd_job_free(gone);
    }
}

/* With the lock held. */
static kd_status enqueue(kd_jobs *jobs, job *j, kd_error *err)
{
    lane *l = lane_of(jobs, j->kind);
    size_t waiting = 0;
    for (const job *other = jobs->newest; other; other = other->next) waiting += other->state == KD_JOB_WAITING;
    if (jobs->is_stopping) return kd_fail(err, KD_CONFLICT, "", "the server is stopping");
    if (!l || waiting >= KD_JOBS_WAITING_MAX) {
        kd_fail(err, KD_LIMIT, "", "too many jobs wait already");
        kd_hint(err, "wait for one to end, or cancel one");
        return KD_LIMIT;
    }
    if (!l->is_started && pthread_create(&l->thread, NULL, run_lane, l) != 0)
        return kd_fail(err, KD_LIMIT, "", "no thread for the job");
    l->is_started = true;
    j->next = jobs->newest;
    jobs->newest = j;
    jobs->count++;
    kd_job_touch(j);
    forget_old(jobs);
    pthread_cond_signal(&l->woken);
    return KD_OK;
}

static job *make_job(kd_jobs *jobs, const kd_job_spec *spec, kd_str by, bool is_english)
{
    job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    j->jobs = jobs;
    j->is_english = is_english;
    j->account_id = spec->account_id;
    j->division = spec->division;
    j->made_at = kd_now_us();
    j->run = spec->run;
    j->ctx = spec->ctx;
    j->free_ctx = spec->free_ctx;
    kd_job_copy_text(j->kind, sizeof j->kind, kd_str_of(spec->kind));
    kd_job_copy_text(j->title_zh, sizeof j->title_zh, spec->title_zh);
    kd_job_copy_text(j->title_en, sizeof j->title_en, spec->title_en);
    kd_job_copy_text(j->by, sizeof j->by, by);
    pthread_mutex_lock(&jobs->mutex);
    j->id = kd_id_next(&jobs->ids);
    pthread_mutex_unlock(&jobs->mutex);
    return j;
}

static kd_status start_kept(kd_jobs *jobs, kd_store *store, job *j, kd_error *err)
{
    const kd_kept_job kept = as_kept(j);
    KD_TRY(kd_job_keep(store, &kept, err));
    pthread_mutex_lock(&jobs->mutex);
    kd_status status = enqueue(jobs, j, err);
    pthread_mutex_unlock(&jobs->mutex);
    if (status != KD_OK && kd_job_drop(store, kept.id, NULL) != KD_OK)
        kd_log(KD_LOG_WARN, "a job that was refused still stands in the register");
    return status;
}

kd_status kd_jobs_start(kd_jobs *jobs, kd_store *store, const kd_job_spec *spec, kd_str by, bool is_english,
                        int64_t *out_id, kd_error *err)
{
    job *j = make_job(jobs, spec, by, is_english);
    if (!j) {
        if (spec->free_ctx && spec->ctx) spec->free_ctx(spec->ctx);
        return kd_fail(err, KD_LIMIT, "", "no memory for the job");
    }
    int64_t id = j->id; /* once it is in the line it may end and be forgotten */
    kd_status status = start_kept(jobs, store, j, err);
    if (status != KD_OK) {
        kd_job_free(j);
        return status;
    }
    *out_id = id;
    return KD_OK;
}

/* With the lock held; `*out_kept` when it has ended thereby. */
static kd_status cancel(kd_jobs *jobs, int64_t id, bool *out_has_ended, kd_kept_job *out_kept, kd_error *err)
{
    job *j = kd_job_find(jobs, id);
    if (!j) return kd_fail(err, KD_NOT_FOUND, "id", "there is no such job");
    if (kd_job_has_ended(j)) return kd_fail(err, KD_CONFLICT, "", "the job has ended already");
    j->is_unwanted = true;
    __atomic_store_n(&j->cancelled, 1, __ATOMIC_RELAXED);
    *out_has_ended = j->state == KD_JOB_WAITING;
    if (*out_has_ended) {
        j->state = KD_JOB_CANCELLED;
        j->ended_at = kd_now_us();
        free_ctx(j);
        *out_kept = (kd_kept_job){ .id = id, .ended_at = j->ended_at, .state = kd_str_of(kd_job_state_name(j->state)) };
    }
    kd_job_touch(j);
    return KD_OK;
}

kd_status kd_jobs_cancel(kd_jobs *jobs, kd_store *store, int64_t id, kd_error *err)
{
    bool has_ended_so = false;
    kd_kept_job kept;
    pthread_mutex_lock(&jobs->mutex);
    kd_status status = cancel(jobs, id, &has_ended_so, &kept, err);
    pthread_mutex_unlock(&jobs->mutex);
    KD_TRY(status);
    jobs->changed(jobs->server);
    return has_ended_so ? kd_job_keep_end(store, &kept, err) : KD_OK;
}
