/**
 * @file jobs.h
 * Long work: one thread for each kind, one job of a kind at a time, progress for whoever watches. Thread-safe. The register keeps
 * what was begun and how it ended; here stand those under way and the latest.
 */
#ifndef KD_SERVER_JOBS_H
#define KD_SERVER_JOBS_H

#include "call.h"

typedef struct kd_jobs kd_jobs;

enum { KD_JOB_KINDS_MAX = 8, KD_JOBS_WAITING_MAX = 16, KD_JOBS_KEPT = 100, KD_JOB_RESULT_BYTES_MAX = 1 << 20 };

/** `changed` is called from job threads, without a lock, when a job has gone on. */
kd_jobs *kd_jobs_new(kd_server *server, void (*changed)(kd_server *server));
/** Cancel all, wait for their threads. */
void kd_jobs_free(kd_jobs *jobs);
/** Before any is started: those that the register keeps. What was under way when the process before stopped has failed. */
KD_CHECKED kd_status kd_jobs_load(kd_jobs *jobs, kd_store *store, kd_error *err);
/** Now and then: mark in the register what was interrupted, forget what ended longer ago than `kept_us`. */
KD_CHECKED kd_status kd_jobs_tidy(kd_jobs *jobs, kd_store *store, int64_t kept_us, kd_error *err);
/** Look in the register for one that is not known any more; KD_OK also when it is not there. */
KD_CHECKED kd_status kd_jobs_recall(kd_jobs *jobs, kd_store *store, int64_t id, kd_error *err);
/** It stands in the register before it runs. `is_english`: in which language a failure is told. */
KD_CHECKED kd_status kd_jobs_start(kd_jobs *jobs, kd_store *store, const kd_job_spec *spec, kd_str by, bool is_english,
                                   int64_t *out_id, kd_error *err);
/** KD_NOT_FOUND when there is none; KD_CONFLICT when it has ended. */
KD_CHECKED kd_status kd_jobs_cancel(kd_jobs *jobs, kd_store *store, int64_t id, kd_error *err);

/** What a watcher needs. `version` rises with every change. */
typedef struct {
    uint64_t version;
    kd_job_state state;
    int64_t division;
} kd_job_glance;
bool kd_jobs_glance(kd_jobs *jobs, int64_t id, kd_job_glance *out_glance);
/** The job as JSON of the schema Job; false when there is none. */
bool kd_jobs_write(kd_jobs *jobs, int64_t id, bool is_english, kd_json *json);
/** The elements of a list, newest first, of jobs in a division that `covers` says yes to. */
void kd_jobs_list(kd_jobs *jobs, bool is_english, bool (*covers)(void *ctx, int64_t division), void *ctx,
                  kd_json *json);
void kd_jobs_count(kd_jobs *jobs, size_t *out_waiting, size_t *out_running);
const char *kd_job_state_name(kd_job_state state);

#endif
