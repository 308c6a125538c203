/**
 * @file job.h
 * A job and the line it stands in, as the files about jobs share them. Private to them.
 */
#ifndef KD_SERVER_JOB_H
#define KD_SERVER_JOB_H

#include "core.h"
#include "jobs_kept.h"

#include <pthread.h>

enum {
    JOB_STAGE_BYTES = 64,
    JOB_TITLE_BYTES = 200,
    JOB_BY_BYTES = 120,
    JOB_KIND_BYTES = 32,
    JOB_PROBLEM_BYTES_MAX = 1 << 14
};

typedef struct job {
    struct job *next; /* older */
    kd_jobs *jobs;
    int64_t id, account_id, division, made_at, started_at, ended_at;
    kd_job_state state;
    uint64_t version, done, total;
    double told_at;
    bool is_english, is_unwanted; /* cancelled by somebody, not by the server's stop */
    volatile int cancelled;       /* read by the work without the lock, as kd_progress has it */
    char kind[JOB_KIND_BYTES], title_zh[JOB_TITLE_BYTES], title_en[JOB_TITLE_BYTES], by[JOB_BY_BYTES],
        stage[JOB_STAGE_BYTES];
    kd_job_work run;
    void *ctx;
    void (*free_ctx)(void *ctx);
    kd_buf result;                 /* JSON; empty until it is done */
    kd_buf problem_zh, problem_en; /* JSON; empty unless it has failed */
} job;

typedef struct {
    kd_jobs *jobs;
    char kind[JOB_KIND_BYTES];
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
    int64_t opened_at;
};

/** These three with the lock held. */
void kd_job_touch(job *j);
job *kd_job_find(kd_jobs *jobs, int64_t id); /* NULL: none */
bool kd_job_has_ended(const job *j);
void kd_job_free(job *j);
/** Whole characters, as many as fit. */
void kd_job_copy_text(char *to, size_t to_bytes, kd_str text);
/** The problem document of a failure; `name` as in kd_call's `problem`. */
void kd_job_write_problem(kd_buf *out, const kd_error *err, const char *name, bool is_english, int64_t id);

#endif
