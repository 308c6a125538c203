/* Looking at jobs: for a list, for one, for whoever watches. */
#include "job.h"

bool kd_jobs_glance(kd_jobs *jobs, int64_t id, kd_job_glance *out_glance)
{
    pthread_mutex_lock(&jobs->mutex);
    const job *j = kd_job_find(jobs, id);
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
    kd_json_kstr(json, "state", kd_str_of(kd_job_state_name(j->state)));
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
    kd_out_raw(json, kd_buf_view(is_english ? &j->problem_en : &j->problem_zh));
    kd_json_object_end(json);
}

bool kd_jobs_write(kd_jobs *jobs, int64_t id, bool is_english, kd_json *json)
{
    pthread_mutex_lock(&jobs->mutex);
    const job *j = kd_job_find(jobs, id);
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
