/**
 * @file jobs_kept.h
 * Jobs in the register: what was begun and how it ended outlives the process. Private to the server.
 */
#ifndef KD_SERVER_JOBS_KEPT_H
#define KD_SERVER_JOBS_KEPT_H

#include "store/store.h"

/** Texts are borrowed or an arena's. Until it has ended a job is `waiting` here: how far it is only its own process knows. */
typedef struct {
    int64_t id, account_id, division, made_at, started_at, ended_at; /* µs; 0 not yet */
    int64_t done, total;
    kd_str kind, title_zh, title_en, by, stage;
    kd_str state;                  /* waiting, done, failed, cancelled, interrupted */
    kd_str result;                 /* JSON; empty unless it is done */
    kd_str problem_zh, problem_en; /* JSON; empty unless it has failed */
} kd_kept_job;

KD_CHECKED kd_status kd_job_keep(kd_store *store, const kd_kept_job *job, kd_error *err);
KD_CHECKED kd_status kd_job_keep_end(kd_store *store, const kd_kept_job *job, kd_error *err);
KD_CHECKED kd_status kd_job_drop(kd_store *store, int64_t id, kd_error *err);
/** Those made before with no end were under way when their process stopped: they end, interrupted. */
KD_CHECKED kd_status kd_jobs_interrupt(kd_store *store, int64_t before_us, kd_error *err);
/** Those that ended before are forgotten. */
KD_CHECKED kd_status kd_jobs_expire(kd_store *store, int64_t before_us, kd_error *err);
/** Newest first, at most `limit`; all, or the one of `id`. */
KD_CHECKED kd_status kd_jobs_kept(kd_store *store, int64_t id, size_t limit, kd_arena *arena, kd_kept_job **out_jobs,
                                  size_t *out_count, kd_error *err);

#endif
