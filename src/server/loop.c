#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 1 << 20 };

/* ---- from other threads ---- */

void kd_loop_answer(kd_loop *loop, kd_exchange *exchange)
{
    exchange->next = NULL;
    pthread_mutex_lock(&loop->mutex);
    if (loop->last)
        loop->last->next = exchange;
    else
        loop->first = exchange;
    loop->last = exchange;
    pthread_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
}

void kd_loop_poke(kd_loop *loop)
{
    atomic_store(&loop->is_poked, true);
    uv_async_send(&loop->wake);
}

void kd_loop_stop(kd_loop *loop)
{
    atomic_store(&loop->is_stop_wanted, true);
    uv_async_send(&loop->wake);
}

/* ---- stopping ---- */

static void stop_accepting(kd_loop *loop)
{
    for (size_t i = 0; i < loop->listener_count; i++)
        if (!uv_is_closing(&loop->listeners[i].handle)) uv_close(&loop->listeners[i].handle, NULL);
    loop->listener_count = 0;
}

static bool is_resting(const kd_client *client)
{
    return client->phase == KD_PHASE_IDLE || client->phase == KD_PHASE_HEAD || client->phase == KD_PHASE_LINGER;
}

static void begin_stop(kd_loop *loop)
{
    if (loop->is_stopping) return;
    loop->is_stopping = true;
    loop->stop_at_ms = uv_now(&loop->uv) + (uint64_t)loop->server->options.stop_ms;
    sd_notify(0, "STOPPING=1");
    kd_log(KD_LOG_INFO, "stopping: %zu connections, %zu requests with the workers", loop->client_count,
           loop->out_count);
    stop_accepting(loop);
    for (kd_client *client = loop->clients, *next; client; client = next) {
        next = client->next;
        if (is_resting(client))
            kd_client_close(client);
        else
            kd_client_watch(client);
    }
}

/* Everything is answered, or the time is over. */
static void end_when_done(kd_loop *loop)
{
    if (!loop->is_stopping) return;
    bool is_late = uv_now(&loop->uv) >= loop->stop_at_ms;
    for (kd_client *client = loop->clients, *next; client; client = next) {
        next = client->next;
        if (is_late || is_resting(client)) kd_client_close(client);
    }
    if (loop->client_count == 0 && (loop->out_count == 0 || is_late)) uv_stop(&loop->uv);
}

/* ---- what wakes the loop ---- */

static void drain(kd_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    kd_exchange *exchange = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->mutex);
    for (kd_exchange *next; exchange; exchange = next) {
        next = exchange->next;
        loop->out_count--;
        if (exchange->client)
            kd_client_answered(exchange->client, exchange);
        else
            kd_exchange_free(exchange);
    }
}

static void on_wake(uv_async_t *wake)
{
    kd_loop *loop = wake->data;
    drain(loop);
    if (atomic_exchange(&loop->is_poked, false))
        for (kd_client *client = loop->clients, *next; client; client = next) {
            next = client->next;
            kd_client_watch(client);
        }
    if (atomic_load(&loop->is_stop_wanted)) begin_stop(loop);
    end_when_done(loop);
}

static void on_sweep(uv_timer_t *timer)
{
    kd_loop *loop = timer->data;
    uint64_t now_ms = uv_now(&loop->uv);
    for (kd_client *client = loop->clients, *next; client; client = next) {
        next = client->next;
        kd_client_sweep(client, now_ms);
    }
    end_when_done(loop);
}

/* Before the loop sleeps: the request log of this round in one write. */
static void on_flush(uv_prepare_t *prepare)
{
    kd_loop *loop = prepare->data;
    if (loop->log.len == 0) return;
    if (write(STDERR_FILENO, loop->log.ptr, loop->log.len) < 0) (void)0; /* nowhere to tell it */
    kd_buf_clear(&loop->log);
    loop->log.status = KD_OK;
}

static void on_signal(uv_signal_t *signal, int number)
{
    kd_loop *loop = signal->data;
    (void)number;
    if (loop->is_stopping) /* asked twice */
        loop->stop_at_ms = uv_now(&loop->uv);
    begin_stop(loop);
    end_when_done(loop);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0) kd_client_accept(listener->data, listener);
}

/* ---- making and running ---- */

void kd_loop_gauges(const kd_loop *loop, kd_gauges *out_gauges)
{
    *out_gauges = (kd_gauges){ .connections = loop->client_count,
                               .connections_max = loop->server->options.connections_max,
                               .watchers = loop->watcher_count,
                               .accepted = loop->accepted,
                               .refused = loop->refused,
                               .timed_out = loop->timed_out };
    kd_pool_count(loop->server->pool, &out_gauges->workers, &out_gauges->busy, &out_gauges->queued);
    kd_jobs_count(loop->server->jobs, &out_gauges->jobs_waiting, &out_gauges->jobs_running);
}

static bool logs_requests(void)
{
    const char *least = getenv("KINDRED_LOG");
    return !least || strcmp(least, "info") == 0 || strcmp(least, "debug") == 0;
}

static void init_handles(kd_loop *loop)
{
    uv_async_init(&loop->uv, &loop->wake, on_wake);
    uv_timer_init(&loop->uv, &loop->sweep);
    uv_prepare_init(&loop->uv, &loop->flush);
    uv_signal_init(&loop->uv, &loop->signals[0]);
    uv_signal_init(&loop->uv, &loop->signals[1]);
    loop->wake.data = loop->sweep.data = loop->flush.data = loop;
    loop->signals[0].data = loop->signals[1].data = loop;
}

/* From now on: a signal that comes before the loop runs waits for it. */
static kd_status await_signals(kd_loop *loop, kd_error *err)
{
    if (uv_signal_start(&loop->signals[0], on_signal, SIGTERM) != 0 ||
        uv_signal_start(&loop->signals[1], on_signal, SIGINT) != 0)
        return kd_fail(err, KD_IO, "", "no signals can be waited for");
    return KD_OK;
}

kd_status kd_loop_new(kd_server *server, kd_loop **out_loop, kd_error *err)
{
    const kd_server_options *options = &server->options;
    kd_loop *loop = calloc(1, sizeof *loop);
    if (!loop || uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return kd_fail(err, KD_LIMIT, "", "no memory for the loop");
    }
    loop->server = server;
    loop->date_s = -1;
    pthread_mutex_init(&loop->mutex, NULL);
    kd_buf_init(&loop->log, LOG_BYTES_MAX);
    loop->logs_requests = logs_requests();
    init_handles(loop);
    kd_status status = KD_OK;
    if (options->tls_cert) status = kd_tls_new(options->tls_cert, options->tls_key, &loop->tls, err);
    if (status == KD_OK) status = kd_listen(loop, on_connection, err);
    if (status == KD_OK && options->handles_signals) status = await_signals(loop, err);
    if (status != KD_OK) {
        kd_loop_free(loop);
        return status;
    }
    *out_loop = loop;
    return KD_OK;
}

void kd_loop_run(kd_loop *loop)
{
    uv_timer_start(&loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    uv_prepare_start(&loop->flush, on_flush);
    sd_notify(0, "READY=1");
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    on_flush(&loop->flush);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void kd_loop_free(kd_loop *loop)
{
    if (!loop) return;
    drain(loop); /* what came back after the loop had ended */
    while (loop->clients) kd_client_close(loop->clients);
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    kd_tls_free(loop->tls);
    kd_buf_done(&loop->log);
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}
