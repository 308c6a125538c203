#include "base.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { THREADS_MAX = 256 };

unsigned kd_threads(void)
{
    const char *given = getenv("KINDRED_THREADS");
    int64_t wanted;
    if (given && kd_str_int(kd_str_of(given), &wanted) && wanted >= 1 && wanted <= THREADS_MAX) return (unsigned)wanted;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int cores = CPU_COUNT(&set);
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
}

typedef struct {
    kd_work work;
    void *ctx;
    size_t items, next;
    pthread_mutex_t mutex; /* guards next, status, failed_item, error */
    kd_status status;
    size_t failed_item;
    kd_error error;
} pool;

static bool take(pool *p, size_t *out_item)
{
    pthread_mutex_lock(&p->mutex);
    bool has_item = p->status == KD_OK && p->next < p->items;
    if (has_item) *out_item = p->next++;
    pthread_mutex_unlock(&p->mutex);
    return has_item;
}

static void *run(void *arg)
{
    pool *p = arg;
    size_t item = 0;
    while (take(p, &item)) {
        kd_error error = { 0 };
        kd_status status = p->work(p->ctx, item, &error);
        if (status == KD_OK) continue;
        pthread_mutex_lock(&p->mutex);
        if (p->status == KD_OK || item < p->failed_item) {
            p->status = status;
            p->failed_item = item;
            p->error = error;
        }
        pthread_mutex_unlock(&p->mutex);
    }
    return NULL;
}

kd_status kd_parallel(unsigned threads, size_t items, kd_work work, void *ctx, kd_error *err)
{
    pool p = { .work = work, .ctx = ctx, .items = items, .status = KD_OK };
    pthread_mutex_init(&p.mutex, NULL);
    pthread_t others[THREADS_MAX];
    unsigned started = 0;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    /* a thread that cannot start only makes the work slower */
    while (started + 1 < threads && started + 1 < items && pthread_create(&others[started], NULL, run, &p) == 0)
        started++;
    run(&p);
    for (unsigned i = 0; i < started; i++) pthread_join(others[i], NULL);
    pthread_mutex_destroy(&p.mutex);
    if (p.status != KD_OK && err) *err = p.error;
    return p.status;
}

void kd_progress_report(const kd_progress *progress, const char *stage, uint64_t done, uint64_t total)
{
    if (progress && progress->report) progress->report(progress->ctx, stage, done, total);
}

bool kd_progress_cancelled(const kd_progress *progress)
{
    return progress && progress->cancelled && __atomic_load_n(progress->cancelled, __ATOMIC_RELAXED);
}
