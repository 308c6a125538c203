/* Jobs of earlier processes, and of long ago: from the register back into the list. */
#include "job.h"

#include <stdlib.h>

enum { LOAD_BYTES_MAX = 256 << 20 };

static void say_interrupted(job *j)
{
    for (int is_english = 0; is_english < 2; is_english++) {
        kd_error err;
        kd_language before = kd_language_now();
        kd_language_set(is_english ? KD_ENGLISH : KD_CHINESE);
        kd_fail(&err, KD_CONFLICT, "",
                "the server was stopped before this had ended, and nobody noted how far it came");
        kd_hint(&err, "start it again: what was done already is not done twice");
        kd_language_set(before);
        kd_job_write_problem(is_english ? &j->problem_en : &j->problem_zh, &err, "interrupted", is_english, j->id);
    }
}

static kd_job_state state_of(kd_str kept)
{
    for (kd_job_state state = KD_JOB_DONE; state <= KD_JOB_CANCELLED; state++)
        if (kd_str_is(kept, kd_job_state_name(state))) return state;
    return KD_JOB_FAILED; /* interrupted, too */
}

static job *of_kept(kd_jobs *jobs, const kd_kept_job *kept)
{
    job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (job){ .jobs = jobs,
                .id = kept->id,
                .account_id = kept->account_id,
                .division = kept->division,
                .made_at = kept->made_at,
                .started_at = kept->started_at,
                .ended_at = kept->ended_at,
                .state = state_of(kept->state),
                .done = (uint64_t)kept->done,
                .total = (uint64_t)kept->total };
    kd_buf_init(&j->result, KD_JOB_RESULT_BYTES_MAX);
    kd_buf_init(&j->problem_zh, JOB_PROBLEM_BYTES_MAX);
    kd_buf_init(&j->problem_en, JOB_PROBLEM_BYTES_MAX);
    kd_job_copy_text(j->kind, sizeof j->kind, kept->kind);
    kd_job_copy_text(j->title_zh, sizeof j->title_zh, kept->title_zh);
    kd_job_copy_text(j->title_en, sizeof j->title_en, kept->title_en);
    kd_job_copy_text(j->by, sizeof j->by, kept->by);
    kd_job_copy_text(j->stage, sizeof j->stage, kept->stage);
    kd_buf_str(&j->result, kept->result);
    kd_buf_str(&j->problem_zh, kept->problem_zh);
    kd_buf_str(&j->problem_en, kept->problem_en);
    if (!kept->ended_at || kd_str_is(kept->state, "interrupted")) say_interrupted(j);
    return j;
}

/* In its place by age, unless it is there. With the lock held. */
static void insert(kd_jobs *jobs, job *j)
{
    job **at = &jobs->newest;
    while (*at && (*at)->id > j->id) at = &(*at)->next;
    if (*at && (*at)->id == j->id) {
        kd_job_free(j);
        return;
    }
    j->next = *at;
    *at = j;
    jobs->count++;
    kd_job_touch(j);
}

static kd_status recall(kd_jobs *jobs, kd_store *store, int64_t id, size_t limit, kd_error *err)
{
    kd_kept_job *kept;
    size_t count;
    kd_arena *arena = kd_arena_new(LOAD_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory for jobs");
    kd_status status = kd_jobs_kept(store, id, limit, arena, &kept, &count, err);
    for (size_t i = 0; status == KD_OK && i < count; i++) {
        bool is_elsewhere = !kept[i].ended_at && kept[i].made_at >= jobs->opened_at; /* another process runs it */
        job *j = is_elsewhere ? NULL : of_kept(jobs, &kept[i]);
        if (!j) continue;
        pthread_mutex_lock(&jobs->mutex);
        insert(jobs, j);
        pthread_mutex_unlock(&jobs->mutex);
    }
    kd_arena_free(arena);
    return status;
}

kd_status kd_jobs_load(kd_jobs *jobs, kd_store *store, kd_error *err)
{
    return recall(jobs, store, 0, KD_JOBS_KEPT, err);
}

kd_status kd_jobs_tidy(kd_jobs *jobs, kd_store *store, int64_t kept_us, kd_error *err)
{
    enum { WAIT_MS = 1000 };
    KD_TRY(kd_store_begin_beside(store, WAIT_MS, err));
    kd_status status = kd_jobs_interrupt(store, jobs->opened_at, err);
    if (status == KD_OK) status = kd_jobs_expire(store, kd_now_us() - kept_us, err);
    return kd_store_end(store, status, err);
}

kd_status kd_jobs_recall(kd_jobs *jobs, kd_store *store, int64_t id, kd_error *err)
{
    kd_job_glance glance;
    return kd_jobs_glance(jobs, id, &glance) ? KD_OK : recall(jobs, store, id, 1, err);
}
