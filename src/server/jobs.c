#include "core.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STAGE_BYTES = 64, TITLE_BYTES = 200, BY_BYTES = 120, KIND_BYTES = 32 };
static const double REPORT_EVERY_S = 0.2;
static const char *const STATES[] = { "waiting", "running", "done", "failed", "cancelled" };

const char *kd_job_state_name(kd_job_state state)
{
    return STATES[state];
}

typedef struct job {
    struct job *next; /* older */
    kd_jobs *jobs;
    int64_t id, division, made_at, started_at, ended_at;
    kd_job_state state;
    uint64_t version, done, total;
    double told_at;
    bool is_english;
    volatile int cancelled; /* read by the work without the lock, as kd_progress has it */
    char kind[KIND_BYTES], title_zh[TITLE_BYTES], title_en[TITLE_BYTES], by[BY_BYTES], stage[STAGE_BYTES];
    kd_job_work run;
    void *ctx;
    void (*free_ctx)(void *ctx);
    kd_buf result; /* JSON; empty until it is done */
    kd_error error;
} job;

typedef struct {
    kd_jobs *jobs;
    char kind[KIND_BYTES];
    pthread_t thread;
    pthread_cond_t woken;
    bool is_started;
} lane;

struct kd_jobs {
    kd_server *server;
    void (*changed)(kd_server *server);
    pthread_mutex_t mutex; /* guards all below and every job's fields */
    job *newest;
    size_t count;
    kd_id_maker ids;
    uint64_t version;
    lane lanes[KD_JOB_KINDS_MAX];
    size_t lane_count;
    bool is_stopping;
};

kd_jobs *kd_jobs_new(kd_server *server, void (*changed)(kd_server *server))
{
    kd_jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) return NULL;
    jobs->server = server;
    jobs->changed = changed;
    pthread_mutex_init(&jobs->mutex, NULL);
    return jobs;
}

static void free_ctx(job *j)
{
    if (j->ctx && j->free_ctx) j->free_ctx(j->ctx);
    j->ctx = NULL;
}

static void free_job(job *j)
{
    free_ctx(j);
    kd_buf_done(&j->result);
    free(j);
}

void kd_jobs_free(kd_jobs *jobs)
{
    if (!jobs) return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->is_stopping = true;
    for (job *j = jobs->newest; j; j = j->next) j->cancelled = 1;
    for (size_t i = 0; i < jobs->lane_count; i++) pthread_cond_signal(&jobs->lanes[i].woken);
    pthread_mutex_unlock(&jobs->mutex);
    for (size_t i = 0; i < jobs->lane_count; i++) {
        if (jobs->lanes[i].is_started) pthread_join(jobs->lanes[i].thread, NULL);
        pthread_cond_destroy(&jobs->lanes[i].woken);
    }
    for (job *j = jobs->newest, *older; j; j = older) {
        older = j->next;
        free_job(j);
    }
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}

static bool has_ended(const job *j)
{
    return j->state >= KD_JOB_DONE;
}

static job *find(kd_jobs *jobs, int64_t id)
{
    job *j = jobs->newest;
    while (j && j->id != id) j = j->next;
    return j;
}

/* With the lock held. */
static void touch(job *j)
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
        touch(j);
    }
    pthread_mutex_unlock(&j->jobs->mutex);
    if (!is_told) j->jobs->changed(j->jobs->server);
}

static kd_status run_job(job *j, kd_buf *result, kd_error *err)
{
    const kd_progress progress = { j, report, &j->cancelled };
    kd_worker worker = { .server = j->jobs->server };
    kd_language_set(j->is_english ? KD_ENGLISH : KD_CHINESE);
    kd_json json;
    kd_json_init(&json, result);
    kd_status status = kd_worker_open(&worker, err);
    if (status == KD_OK) status = j->run(worker.reg, j->ctx, &progress, &json, err);
    if (status == KD_OK && result->status != KD_OK) status = kd_fail(err, KD_LIMIT, "", "the job's result is too long");
    kd_worker_close(&worker);
    return status;
}

static void run_and_tell(job *j)
{
    kd_error err = { .status = KD_OK };
    kd_buf result;
    kd_buf_init(&result, KD_JOB_RESULT_BYTES_MAX);
    kd_status status = run_job(j, &result, &err);
    pthread_mutex_lock(&j->jobs->mutex);
    j->state = status == KD_OK ? KD_JOB_DONE : status == KD_CANCELLED ? KD_JOB_CANCELLED : KD_JOB_FAILED;
    j->ended_at = kd_now_us();
    j->error = err;
    if (status == KD_OK) {
        j->result = result;
        if (j->total) j->done = j->total;
    } else {
        kd_buf_done(&result);
    }
    free_ctx(j);
    touch(j);
    kd_jobs *jobs = j->jobs;
    const char *state = STATES[j->state];
    char kind[KIND_BYTES];
    memcpy(kind, j->kind, sizeof kind);
    pthread_mutex_unlock(&jobs->mutex);
    if (status != KD_OK && status != KD_CANCELLED) {
        char text[1200];
        kd_error_text(&err, text, sizeof text);
        kd_log(KD_LOG_WARN, "job %s failed: %s", kind, text);
    } else {
        kd_log(KD_LOG_INFO, "job %s: %s", kind, state);
    }
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
        touch(j);
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
    memcpy(l->kind, kind, strnlen(kind, KIND_BYTES - 1));
    pthread_cond_init(&l->woken, NULL);
    jobs->lane_count++;
    return l;
}

static void copy_text(char *to, size_t to_bytes, kd_str text)
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
            if (has_ended(*at)) oldest = at;
        if (!oldest) return;
        job *gone = *oldest;
        *oldest = gone->next;
        jobs->count--;
        free_job(gone);
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
    j->id = kd_id_next(&jobs->ids);
    j->made_at = kd_now_us();
    j->next = jobs->newest;
    jobs->newest = j;
    jobs->count++;
    touch(j);
    forget_old(jobs);
    pthread_cond_signal(&l->woken);
    return KD_OK;
}

kd_status kd_jobs_start(kd_jobs *jobs, const kd_job_spec *spec, kd_str by, bool is_english, int64_t *out_id,
                        kd_error *err)
{
    job *j = calloc(1, sizeof *j);
    if (!j) {
        if (spec->free_ctx && spec->ctx) spec->free_ctx(spec->ctx);
        return kd_fail(err, KD_LIMIT, "", "no memory for the job");
    }
    j->jobs = jobs;
    j->is_english = is_english;
    j->division = spec->division;
    j->run = spec->run;
    j->ctx = spec->ctx;
    j->free_ctx = spec->free_ctx;
    copy_text(j->kind, sizeof j->kind, kd_str_of(spec->kind));
    copy_text(j->title_zh, sizeof j->title_zh, spec->title_zh);
    copy_text(j->title_en, sizeof j->title_en, spec->title_en);
    copy_text(j->by, sizeof j->by, by);
    pthread_mutex_lock(&jobs->mutex);
    kd_status status = enqueue(jobs, j, err);
    int64_t id = j->id;
    pthread_mutex_unlock(&jobs->mutex);
    if (status != KD_OK) {
        free_job(j);
        return status;
    }
    *out_id = id;
    return KD_OK;
}

kd_status kd_jobs_cancel(kd_jobs *jobs, int64_t id, kd_error *err)
{
    kd_status status = KD_OK;
    pthread_mutex_lock(&jobs->mutex);
    job *j = find(jobs, id);
    if (!j) {
        status = kd_fail(err, KD_NOT_FOUND, "id", "there is no such job");
    } else if (has_ended(j)) {
        status = kd_fail(err, KD_CONFLICT, "", "the job has ended already");
    } else {
        j->cancelled = 1;
        if (j->state == KD_JOB_WAITING) {
            j->state = KD_JOB_CANCELLED;
            j->ended_at = kd_now_us();
            free_ctx(j);
        }
        touch(j);
    }
    pthread_mutex_unlock(&jobs->mutex);
    if (status == KD_OK) jobs->changed(jobs->server);
    return status;
}

/* ---- looking ---- */

bool kd_jobs_glance(kd_jobs *jobs, int64_t id, kd_job_glance *out_glance)
{
    pthread_mutex_lock(&jobs->mutex);
    const job *j = find(jobs, id);
    if (j) *out_glance = (kd_job_glance){ j->version, j->state, j->division };
    pthread_mutex_unlock(&jobs->mutex);
    return j != NULL;
}

static void write_instant(kd_json *json, const char *key, int64_t us)
{
    char text[32];
    kd_json_kstr(json, key, us ? kd_str_of(kd_instant_format(us, text)) : (kd_str){ NULL, 0 });
}

static void write_job(const job *j, bool is_english, kd_json *json)
{
    kd_json_object(json);
    kd_out_id(json, "id", j->id);
    kd_json_kstr(json, "kind", kd_str_of(j->kind));
    kd_json_key(json, "title");
    kd_json_str(json, kd_str_of(is_english && j->title_en[0] ? j->title_en : j->title_zh));
    kd_json_kstr(json, "state", kd_str_of(STATES[j->state]));
    kd_json_kstr(json, "stage", kd_str_of(j->stage));
    kd_json_kint(json, "done", (int64_t)j->done);
    kd_json_kint(json, "total", (int64_t)j->total);
    write_instant(json, "started_at", j->started_at);
    write_instant(json, "ended_at", j->ended_at);
    kd_json_key(json, "by");
    kd_json_str(json, kd_str_of(j->by));
    kd_json_key(json, "result");
    kd_out_raw(json, kd_buf_view(&j->result));
    kd_json_key(json, "problem");
    if (j->state == KD_JOB_FAILED) {
        char id[KD_ID_TEXT_BYTES];
        kd_problem_write(json, &j->error, is_english, kd_str_of(kd_id_format(j->id, id)));
    } else {
        kd_json_null(json);
    }
    kd_json_object_end(json);
}

bool kd_jobs_write(kd_jobs *jobs, int64_t id, bool is_english, kd_json *json)
{
    pthread_mutex_lock(&jobs->mutex);
    const job *j = find(jobs, id);
    if (j) write_job(j, is_english, json);
    pthread_mutex_unlock(&jobs->mutex);
    return j != NULL;
}

void kd_jobs_list(kd_jobs *jobs, bool is_english, bool (*covers)(void *ctx, int64_t division), void *ctx, kd_json *json)
{
    pthread_mutex_lock(&jobs->mutex);
    for (const job *j = jobs->newest; j; j = j->next)
        if (covers(ctx, j->division)) write_job(j, is_english, json);
    pthread_mutex_unlock(&jobs->mutex);
}

void kd_jobs_count(kd_jobs *jobs, size_t *out_waiting, size_t *out_running)
{
    *out_waiting = *out_running = 0;
    pthread_mutex_lock(&jobs->mutex);
    for (const job *j = jobs->newest; j; j = j->next) {
        *out_waiting += j->state == KD_JOB_WAITING;
        *out_running += j->state == KD_JOB_RUNNING;
    }
    pthread_mutex_unlock(&jobs->mutex);
}
