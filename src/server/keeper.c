/* What is not kept for ever: files that were cut off or never imported, bad rows, jobs that ended long ago. */
#include "core.h"
#include "uploads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PATH_BYTES = 4096 };
/* Of a body that is being read the file grows all the time; no server writes on at one that stood still for so long. */
static const int64_t SPOOL_KEPT_US = INT64_C(3600) * 1000000;

struct kd_keeper {
    kd_server *server;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool is_stopping;
};

static void tidy_folder(const kd_server *server, const char *name, int64_t kept_us)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", server->options.register_dir, name);
    if (len > 0 && (size_t)len < sizeof path) kd_remove_old(path, kept_us);
}

static void tidy(kd_server *server)
{
    kd_worker worker = { .server = server };
    kd_error err;
    int64_t jobs_us = kd_access_pack_job_us(server->pack);
    tidy_folder(server, "spool", SPOOL_KEPT_US);
    tidy_folder(server, "uploads", kd_access_pack_upload_us(server->pack));
    tidy_folder(server, "bad_rows", jobs_us);
    kd_status status = kd_worker_open(&worker, &err);
    if (status == KD_OK) status = kd_jobs_tidy(server->jobs, kd_register_store(worker.reg), jobs_us, &err);
    if (status != KD_OK && status != KD_CONFLICT) kd_log(KD_LOG_WARN, "old jobs were not removed: %s", err.message);
    kd_worker_close(&worker);
}

static void *run(void *arg)
{
    kd_keeper *keeper = arg;
    int every_ms = keeper->server->options.tidy_ms;
    pthread_mutex_lock(&keeper->mutex);
    while (!keeper->is_stopping) {
        pthread_mutex_unlock(&keeper->mutex);
        tidy(keeper->server);
        pthread_mutex_lock(&keeper->mutex);
        struct timespec until = kd_deadline(every_ms);
        while (!keeper->is_stopping && pthread_cond_timedwait(&keeper->woken, &keeper->mutex, &until) == 0) {
        }
    }
    pthread_mutex_unlock(&keeper->mutex);
    return NULL;
}

kd_status kd_keeper_new(kd_server *server, kd_keeper **out_keeper, kd_error *err)
{
    kd_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) return kd_fail(err, KD_LIMIT, "", "no memory for the server");
    keeper->server = server;
    pthread_mutex_init(&keeper->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->woken, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        free(keeper);
        return kd_fail(err, KD_LIMIT, "", "no memory for the server");
    }
    *out_keeper = keeper;
    return KD_OK;
}

void kd_keeper_free(kd_keeper *keeper)
{
    if (!keeper) return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->is_stopping = true;
    pthread_cond_signal(&keeper->woken);
    pthread_mutex_unlock(&keeper->mutex);
    pthread_join(keeper->thread, NULL);
    pthread_cond_destroy(&keeper->woken);
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
}
