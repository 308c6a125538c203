/* The workers: a bounded queue, threads with handles of their own. */
#include "core.h"

#include <pthread.h>
#include <stdlib.h>

static const double WAIT_FIRST_S = 0.1, WAIT_MOST_S = 5;

typedef struct {
    pthread_t thread;
    kd_worker worker;
    kd_pool *pool;
} hand;

struct kd_pool {
    kd_server *server;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t woken;
    kd_exchange *first, *last;
    size_t queued, queue_max, busy;
    bool is_stopping;
    unsigned count;
    hand *hands;
};

void kd_worker_close(kd_worker *worker)
{
    kd_access_close(worker->access);
    kd_register_close(worker->reg);
    worker->access = NULL;
    worker->reg = NULL;
}

kd_status kd_worker_open(kd_worker *worker, kd_error *err)
{
    if (worker->reg) return KD_OK;
    if (kd_seconds() < worker->retry_at) return kd_fail(err, KD_IO, "", "the database is away");
    kd_status status = kd_register_attach(worker->server->reg, &worker->reg, err);
    if (status == KD_OK) status = kd_access_open(worker->reg, worker->server->pack, &worker->access, err);
    if (status == KD_OK) {
        worker->wait_s = 0;
        return KD_OK;
    }
    kd_worker_close(worker);
    char text[1200];
    if (err) kd_error_text(err, text, sizeof text);
    kd_log(KD_LOG_WARN, "the register cannot be opened: %s", err ? text : "");
    worker->wait_s = worker->wait_s > 0 ? worker->wait_s * 2 : WAIT_FIRST_S;
    if (worker->wait_s > WAIT_MOST_S) worker->wait_s = WAIT_MOST_S;
    worker->retry_at = kd_seconds() + worker->wait_s;
    if (err) err->status = KD_IO; /* whatever it was, the register is not there */
    return KD_IO;
}

static kd_exchange *take(kd_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (!pool->first && !pool->is_stopping) pthread_cond_wait(&pool->woken, &pool->mutex);
    kd_exchange *exchange = pool->first;
    if (exchange) {
        pool->first = exchange->next;
        if (!pool->first) pool->last = NULL;
        exchange->next = NULL;
        pool->queued--;
        pool->busy++;
    }
    pthread_mutex_unlock(&pool->mutex);
    return exchange;
}

static void *run(void *arg)
{
    hand *h = arg;
    for (kd_exchange *exchange; (exchange = take(h->pool));) {
        kd_gate_run(&h->worker, exchange);
        pthread_mutex_lock(&h->pool->mutex);
        h->pool->busy--;
        pthread_mutex_unlock(&h->pool->mutex);
        kd_loop_answer(h->pool->server->loop, exchange);
    }
    kd_worker_close(&h->worker);
    return NULL;
}

kd_status kd_pool_new(kd_server *server, unsigned workers, size_t queue_max, kd_pool **out_pool, kd_error *err)
{
    kd_pool *pool = calloc(1, sizeof *pool);
    if (pool) pool->hands = calloc(workers, sizeof *pool->hands);
    if (!pool || !pool->hands) {
        free(pool);
        return kd_fail(err, KD_LIMIT, "", "no memory for the workers");
    }
    pool->server = server;
    pool->queue_max = queue_max;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->woken, NULL);
    for (; pool->count < workers; pool->count++) {
        hand *h = &pool->hands[pool->count];
        h->pool = pool;
        h->worker.server = server;
        if (pthread_create(&h->thread, NULL, run, h) != 0) {
            kd_pool_free(pool);
            return kd_fail(err, KD_LIMIT, "", "no thread for a worker");
        }
    }
    *out_pool = pool;
    return KD_OK;
}

bool kd_pool_submit(kd_pool *pool, kd_exchange *exchange)
{
    pthread_mutex_lock(&pool->mutex);
    bool has_room = pool->queued < pool->queue_max && !pool->is_stopping;
    if (has_room) {
        exchange->next = NULL;
        if (pool->last)
            pool->last->next = exchange;
        else
            pool->first = exchange;
        pool->last = exchange;
        pool->queued++;
        pthread_cond_signal(&pool->woken);
    }
    pthread_mutex_unlock(&pool->mutex);
    return has_room;
}

void kd_pool_count(kd_pool *pool, size_t *out_workers, size_t *out_busy, size_t *out_queued)
{
    pthread_mutex_lock(&pool->mutex);
    *out_workers = pool->count;
    *out_busy = pool->busy;
    *out_queued = pool->queued;
    pthread_mutex_unlock(&pool->mutex);
}

void kd_pool_free(kd_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->woken);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++) pthread_join(pool->hands[i].thread, NULL);
    pthread_cond_destroy(&pool->woken);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->hands);
    free(pool);
}
