#include "jobs_kept.h"

static kd_value instant(int64_t us)
{
    return us ? kd_int(us) : KD_NULL;
}

static kd_value text_or_null(kd_str text)
{
    return text.len ? kd_text_value(text) : KD_NULL;
}

static kd_value text_value(kd_str text)
{
    return kd_text_value(text.ptr ? text : KD_STR(""));
}

kd_status kd_job_keep(kd_store *store, const kd_kept_job *job, kd_error *err)
{
    return kd_store_exec(
        store, err, NULL,
        "insert into job (id, kind, state, account_id, by_name, division, title_zh, title_en, made_at) "
        "values ($1, $2, 'waiting', $3, $4, $5, $6, $7, $8)",
        KD_VALUES(kd_int(job->id), kd_text_value(job->kind), instant(job->account_id), text_value(job->by),
                  kd_int(job->division), text_value(job->title_zh), text_value(job->title_en), kd_int(job->made_at)));
}

kd_status kd_job_keep_end(kd_store *store, const kd_kept_job *job, kd_error *err)
{
    return kd_store_exec(
        store, err, NULL,
        "update job set state = $2, started_at = $3, ended_at = $4, stage = $5, done = $6, total = $7, "
        "result = $8, problem_zh = $9, problem_en = $10 where id = $1",
        KD_VALUES(kd_int(job->id), kd_text_value(job->state), instant(job->started_at), instant(job->ended_at),
                  text_or_null(job->stage), kd_int(job->done), kd_int(job->total), text_or_null(job->result),
                  text_or_null(job->problem_zh), text_or_null(job->problem_en)));
}

kd_status kd_job_drop(kd_store *store, int64_t id, kd_error *err)
{
    return kd_store_exec(store, err, NULL, "delete from job where id = $1", KD_VALUES(kd_int(id)));
}

kd_status kd_jobs_interrupt(kd_store *store, int64_t before_us, kd_error *err)
{
    return kd_store_exec(store, err, NULL,
                         "update job set state = 'interrupted', ended_at = $1 where ended_at is null and made_at < $2",
                         KD_VALUES(kd_int(kd_now_us()), kd_int(before_us)));
}

kd_status kd_jobs_expire(kd_store *store, int64_t before_us, kd_error *err)
{
    return kd_store_exec(store, err, NULL, "delete from job where ended_at < $1", KD_VALUES(kd_int(before_us)));
}

/* ---- reading ---- */

#define JOB_COLUMNS                                                                                          \
    "id, account_id, division, made_at, started_at, ended_at, done, total, kind, state, by_name, title_zh, " \
    "title_en, stage, result, problem_zh, problem_en"

static kd_status read_one(const kd_rows *rows, kd_arena *arena, kd_kept_job *out, kd_error *err)
{
    enum { NUMBERS = 8 };
    kd_kept_job job = { 0 };
    int64_t *const numbers[NUMBERS] = { &job.id,         &job.account_id, &job.division, &job.made_at,
                                        &job.started_at, &job.ended_at,   &job.done,     &job.total };
    kd_str *const texts[] = { &job.kind,  &job.state,  &job.by,         &job.title_zh,  &job.title_en,
                              &job.stage, &job.result, &job.problem_zh, &job.problem_en };
    for (size_t i = 0; i < NUMBERS; i++) *numbers[i] = kd_rows_int(rows, i);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (kd_rows_is_null(rows, NUMBERS + i)) continue;
        *texts[i] = kd_arena_str(arena, kd_rows_text(rows, NUMBERS + i));
        if (!texts[i]->ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a job");
    }
    *out = job;
    return KD_OK;
}

kd_status kd_jobs_kept(kd_store *store, int64_t id, size_t limit, kd_arena *arena, kd_kept_job **out_jobs,
                       size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    size_t count = 0;
    kd_kept_job *jobs = kd_arena_array(arena, limit, sizeof *jobs);
    if (!jobs) return kd_fail(err, KD_LIMIT, "", "no memory for jobs");
    KD_TRY(kd_store_query(store, err, &rows,
                          "select " JOB_COLUMNS " from job where id between $1 and $2 order by id desc limit $3",
                          KD_VALUES(kd_int(id), kd_int(id ? id : INT64_MAX), kd_int((int64_t)limit))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < limit)
        if ((status = read_one(rows, arena, &jobs[count], err)) == KD_OK)
            count++;
        else
            break;
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_jobs = jobs;
    *out_count = count;
    return KD_OK;
}
