/* A connection: what it reads, when it is late, how it ends. */
#include "loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_BYTES_MAX = 4 << 20 };

void kd_client_phase(kd_client *client, kd_phase phase)
{
    if (client->phase == phase || client->phase == KD_PHASE_CLOSED) return;
    client->phase = phase;
    client->phase_at_ms = uv_now(&client->loop->uv);
    client->phase_bytes = 0;
}

/* ---- the end ---- */

/* An exchange that is with the pool comes back without a client and is freed then. */
static void let_go(kd_client *client)
{
    kd_exchange *exchange = client->exchange;
    client->exchange = NULL;
    if (exchange && client->is_out)
        exchange->client = NULL;
    else
        kd_exchange_free(exchange);
    client->is_out = false;
}

void kd_client_release(kd_client *client)
{
    if (!client->is_handle_closed || client->is_file_busy) return;
    let_go(client);
    kd_tls_session_free(client->tls);
    kd_buf_done(&client->head);
    kd_buf_done(&client->sealed);
    kd_buf_done(&client->event);
    kd_buf_done(&client->spool);
    kd_buf_done(&client->spooling);
    free(client->chunk);
    if (client->spool_fd >= 0) close(client->spool_fd);
    free(client);
}

static void on_closed(uv_handle_t *handle)
{
    kd_client *client = handle->data;
    client->is_handle_closed = true;
    kd_client_release(client);
}

void kd_client_close(kd_client *client)
{
    kd_loop *loop = client->loop;
    if (client->phase == KD_PHASE_CLOSED) return;
    if (client->is_watching) loop->watcher_count--;
    loop->body_memory -= client->memory_bytes;
    client->memory_bytes = 0;
    client->phase = KD_PHASE_CLOSED;
    kd_conn_done(&client->conn);
    if (client->previous)
        client->previous->next = client->next;
    else
        loop->clients = client->next;
    if (client->next) client->next->previous = client->previous;
    loop->client_count--;
    uv_close(&client->socket.handle, on_closed);
}

/* ---- a body on its way to the spool folder ---- */

static void on_spooled(uv_fs_t *request);
static void on_opened(uv_fs_t *request);

static void spool_failed(kd_client *client, const char *what)
{
    kd_log(KD_LOG_ERROR, "an upload could not be kept: %s", what);
    if (client->spool_fd >= 0) close(client->spool_fd);
    client->spool_fd = -1;
    client->is_spooling = false;
    kd_conn_refuse(&client->conn, 503, NULL);
}

static void submit(kd_client *client)
{
    kd_exchange *exchange = client->exchange;
    kd_client_phase(client, KD_PHASE_WORK);
    exchange->client = client;
    if (kd_pool_submit(client->loop->server->pool, exchange)) {
        client->is_out = true;
        client->loop->out_count++;
        return;
    }
    kd_problem_answer(exchange, 503, "too many requests wait already", 0);
    if (exchange->is_admitting) client->ends_after = true;
    kd_client_answer(client);
}

/* Write what has gathered; when all is written and the body is whole, hand the request on. */
static void pump_spool(kd_client *client)
{
    if (client->is_file_busy || client->spool_fd < 0) return;
    if (client->spool.len == 0) {
        if (!client->is_body_done) return;
        close(client->spool_fd);
        client->spool_fd = -1;
        client->is_spooling = false;
        submit(client);
        return;
    }
    kd_buf free_one = client->spooling;
    client->spooling = client->spool;
    client->spool = free_one;
    kd_buf_clear(&client->spool);
    uv_buf_t bytes = uv_buf_init(client->spooling.ptr, (unsigned)client->spooling.len);
    client->is_file_busy = true;
    client->fs.data = client;
    uv_fs_write(&client->loop->uv, &client->fs, client->spool_fd, &bytes, 1, -1, on_spooled);
}

static void on_spooled(uv_fs_t *request)
{
    kd_client *client = request->data;
    ssize_t written = request->result;
    uv_fs_req_cleanup(request);
    client->is_file_busy = false;
    if (client->phase == KD_PHASE_CLOSED) {
        kd_client_release(client);
    } else if (written != (ssize_t)client->spooling.len) {
        spool_failed(client, written < 0 ? uv_strerror((int)written) : "the disk is full");
    } else {
        pump_spool(client);
        kd_client_update_reading(client);
    }
}

static void on_opened(uv_fs_t *request)
{
    kd_client *client = request->data;
    int fd = (int)request->result;
    uv_fs_req_cleanup(request);
    client->is_file_busy = false;
    if (fd >= 0) client->spool_fd = fd;
    if (client->phase == KD_PHASE_CLOSED) {
        kd_client_release(client);
    } else if (fd < 0) {
        spool_failed(client, uv_strerror(fd));
    } else {
        kd_request *asked = client->exchange->request;
        if (asked->expects_continue) kd_client_send_aside(client, KD_STR("HTTP/1.1 100 Continue\r\n\r\n"));
        kd_client_phase(client, KD_PHASE_BODY);
        kd_conn_take(&client->conn, KD_TAKE_STREAM);
        if (client->phase != KD_PHASE_CLOSED) kd_client_update_reading(client);
    }
}

/* The upload may be: make its file, then read on. */
static void begin_spool(kd_client *client)
{
    kd_exchange *exchange = client->exchange;
    kd_server *server = client->loop->server;
    exchange->is_admitting = false;
    exchange->answer.is_admitted = false;
    kd_str path = kd_arena_fmt(exchange->request->arena, "%.*s/%s-%lld", KD_FMT(server->spool_dir),
                               exchange->request_id, (long long)uv_hrtime());
    exchange->spool = (char *)(uintptr_t)path.ptr;
    client->is_spooling = true;
    client->is_file_busy = true;
    client->fs.data = client;
    uv_fs_open(&client->loop->uv, &client->fs, path.ptr ? path.ptr : "", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600,
               on_opened);
}

/* ---- what the reading side tells ---- */

static kd_take on_head(void *ctx, kd_request *request)
{
    kd_client *client = ctx;
    kd_exchange *exchange = kd_exchange_new(client, request);
    client->exchange = exchange;
    client->is_body_done = false;
    client->is_early = false;
    if (!exchange) {
        kd_client_close(client);
        return KD_TAKE_NOTHING;
    }
    kd_take take = kd_client_route(client, exchange);
    if (take == KD_TAKE_WAIT) {
        exchange->is_admitting = true;
        submit(client);
    } else if (kd_request_has_body(request)) {
        if (take == KD_TAKE_MEMORY && request->expects_continue)
            kd_client_send_aside(client, KD_STR("HTTP/1.1 100 Continue\r\n\r\n"));
        kd_client_phase(client, KD_PHASE_BODY);
    }
    return take;
}

static bool on_body(void *ctx, kd_request *request, const char *bytes, size_t len)
{
    kd_client *client = ctx;
    (void)request;
    client->phase_bytes += len;
    kd_buf_add(&client->spool, bytes, len);
    return client->spool.status == KD_OK;
}

static void on_done(void *ctx, kd_request *request)
{
    kd_client *client = ctx;
    (void)request;
    client->is_body_done = true;
    if (client->is_early)
        kd_client_answer(client);
    else if (client->is_spooling)
        pump_spool(client);
    else
        submit(client);
}

static void on_refused(void *ctx, kd_request *request, int status, const char *reason)
{
    kd_client *client = ctx;
    (void)request;
    client->ends_after = true;
    if (client->is_out || client->phase == KD_PHASE_SEND || client->is_file_busy) {
        kd_client_close(client); /* in the midst of another answer: there is no place for this one */
        return;
    }
    if (!client->exchange) client->exchange = kd_exchange_new(client, NULL);
    if (!client->exchange) {
        kd_client_close(client);
        return;
    }
    kd_problem_answer(client->exchange, status, reason, 0);
    if (status == 405) /* a method that no route has */
        kd_answer_field(client->exchange, "Allow", KD_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    kd_client_answer(client);
}

static const kd_conn_events EVENTS = { on_head, on_body, on_done, on_refused };

/* ---- bytes ---- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    kd_client *client = handle->data;
    (void)wanted; /* one buffer for all: what is read is used up before the next read */
    *out = uv_buf_init(client->loop->bytes, READ_BYTES);
}

static void feed(void *ctx, const char *bytes, size_t len)
{
    kd_client *client = ctx;
    if (client->phase == KD_PHASE_CLOSED) return;
    if (client->phase == KD_PHASE_LINGER) {
        client->phase_bytes += len;
        if (client->phase_bytes > LINGER_BYTES_MAX) kd_client_close(client);
        return;
    }
    kd_conn_feed(&client->conn, bytes, len);
    if (client->phase == KD_PHASE_IDLE && client->conn.state == KD_CONN_HEAD) kd_client_phase(client, KD_PHASE_HEAD);
}

static void on_end(kd_client *client)
{
    client->has_ended = true;
    bool is_answering = client->phase == KD_PHASE_WORK || client->phase == KD_PHASE_SEND;
    if (is_answering && client->conn.held.len == 0) { /* a peer may close its side and still read */
        client->ends_after = true;
        kd_client_update_reading(client);
    } else {
        kd_client_close(client);
    }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    kd_client *client = stream->data;
    if (len < 0) {
        if (len == UV_EOF)
            on_end(client);
        else
            kd_client_close(client);
        return;
    }
    kd_str bytes = { buf->base, (size_t)len };
    if (!client->tls) {
        feed(client, bytes.ptr, bytes.len);
    } else {
        bool is_fine = kd_tls_read(client->tls, bytes, feed, client);
        if (client->phase == KD_PHASE_CLOSED) return;
        kd_client_send_sealed(client);
        if (!is_fine) {
            kd_client_close(client);
            return;
        }
    }
    if (client->is_spooling && client->phase != KD_PHASE_CLOSED) pump_spool(client);
    if (client->phase != KD_PHASE_CLOSED) kd_client_update_reading(client);
}

void kd_client_update_reading(kd_client *client)
{
    if (client->phase == KD_PHASE_CLOSED) return;
    bool is_wanted = !client->has_ended && !kd_conn_is_full(&client->conn) &&
                     !(client->is_spooling && client->is_file_busy) && client->spool.len < SPOOL_BYTES_MAX / 2;
    if (client->phase == KD_PHASE_LINGER) is_wanted = !client->has_ended;
    if (is_wanted && !client->is_reading)
        client->is_reading = uv_read_start(&client->socket.stream, on_alloc, on_read) == 0;
    else if (!is_wanted && client->is_reading) {
        uv_read_stop(&client->socket.stream);
        client->is_reading = false;
    }
}

void kd_client_answered(kd_client *client, kd_exchange *exchange)
{
    client->is_out = false;
    if (exchange->answer.is_admitted) {
        begin_spool(client);
        return;
    }
    if (exchange->answer.wants_metrics) kd_client_metrics(client, exchange);
    if (exchange->is_admitting) client->ends_after = true; /* its body is still to come, and is not wanted */
    kd_client_answer(client);
}

/* ---- late peers ---- */

static void time_out(kd_client *client)
{
    client->loop->timed_out++;
    bool is_asked = client->phase == KD_PHASE_HEAD || client->phase == KD_PHASE_BODY;
    if (!is_asked || client->is_file_busy) {
        kd_client_close(client);
        return;
    }
    kd_conn_refuse(&client->conn, 408, "the request took too long to come");
}

void kd_client_sweep(kd_client *client, uint64_t now_ms)
{
    const kd_server_options *options = &client->loop->server->options;
    uint64_t late_ms = now_ms - client->phase_at_ms, given_ms = 0;
    switch (client->phase) {
    case KD_PHASE_IDLE: given_ms = (uint64_t)options->idle_ms; break;
    case KD_PHASE_HEAD: given_ms = (uint64_t)options->head_ms; break;
    case KD_PHASE_BODY: given_ms = (uint64_t)options->body_ms + client->phase_bytes; break; /* 1 byte a ms */
    case KD_PHASE_SEND: {
        uint64_t left = uv_stream_get_write_queue_size(&client->socket.stream);
        uint64_t sent = client->phase_bytes > left ? client->phase_bytes - left : 0;
        given_ms = (uint64_t)options->write_ms + sent;
        break;
    }
    case KD_PHASE_LINGER: given_ms = LINGER_MS; break;
    case KD_PHASE_WATCH:
        if (late_ms >= BEAT_MS) kd_client_watch(client);
        return;
    case KD_PHASE_WORK:
    case KD_PHASE_CLOSED: return;
    }
    if (late_ms > given_ms) time_out(client);
}

/* ---- the beginning ---- */

static void name_peer(kd_client *client)
{
    struct sockaddr_storage peer;
    int len = sizeof peer;
    bool is_tcp = client->socket.handle.type == UV_TCP;
    if (is_tcp && uv_tcp_getpeername(&client->socket.tcp, (struct sockaddr *)&peer, &len) == 0) {
        uv_ip_name((struct sockaddr *)&peer, client->address, sizeof client->address);
        if (strncmp(client->address, "::ffff:", 7) == 0)
            memmove(client->address, client->address + 7, strlen(client->address + 7) + 1);
        client->is_loopback = strncmp(client->address, "127.", 4) == 0 || strcmp(client->address, "::1") == 0;
        uv_tcp_nodelay(&client->socket.tcp, 1);
    } else {
        memcpy(client->address, "local", sizeof "local");
        client->is_loopback = !is_tcp;
    }
}

static kd_client *new_client(kd_loop *loop, uv_handle_type type)
{
    kd_client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    client->loop = loop;
    client->spool_fd = -1;
    int failed =
        type == UV_TCP ? uv_tcp_init(&loop->uv, &client->socket.tcp) : uv_pipe_init(&loop->uv, &client->socket.pipe, 0);
    if (failed) {
        free(client);
        return NULL;
    }
    client->socket.handle.data = client;
    kd_conn_init(&client->conn, &EVENTS, client);
    kd_buf_init(&client->head, 64 << 10);
    kd_buf_init(&client->sealed, 4 * PIECE_BYTES_MAX);
    kd_buf_init(&client->event, 2 * KD_JOB_RESULT_BYTES_MAX);
    kd_buf_init(&client->spool, SPOOL_BYTES_MAX);
    kd_buf_init(&client->spooling, SPOOL_BYTES_MAX);
    client->phase = KD_PHASE_IDLE;
    client->phase_at_ms = uv_now(&loop->uv);
    client->next = loop->clients;
    if (loop->clients) loop->clients->previous = client;
    loop->clients = client;
    loop->client_count++;
    return client;
}

void kd_client_accept(kd_loop *loop, uv_stream_t *listener)
{
    kd_client *client = new_client(loop, listener->type);
    if (!client) return;
    loop->accepted++;
    bool is_fine = uv_accept(listener, &client->socket.stream) == 0;
    if (is_fine && (loop->client_count > loop->server->options.connections_max || loop->is_stopping)) {
        loop->refused++;
        is_fine = false;
    }
    if (is_fine && loop->tls) is_fine = (client->tls = kd_tls_session_new(loop->tls)) != NULL;
    if (!is_fine) {
        kd_client_close(client);
        return;
    }
    name_peer(client);
    kd_client_update_reading(client);
}
