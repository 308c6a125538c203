/* A connection: what it sends. */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

static void send_parts(kd_client *client);

/* ---- beside an answer ---- */

typedef struct {
    uv_write_t write;
    char bytes[];
} aside;

static void on_aside(uv_write_t *write, int status)
{
    (void)status; /* the connection's own writes and reads will find out */
    free(write->data);
}

static void write_aside(kd_client *client, kd_str bytes)
{
    aside *a = malloc(sizeof *a + bytes.len);
    if (!a) return;
    memcpy(a->bytes, bytes.ptr, bytes.len);
    a->write.data = a;
    uv_buf_t buf = uv_buf_init(a->bytes, (unsigned)bytes.len);
    if (uv_write(&a->write, &client->socket.stream, &buf, 1, on_aside) != 0) free(a);
}

void kd_client_send_sealed(kd_client *client)
{
    kd_buf sealed;
    kd_buf_init(&sealed, 1 << 20);
    kd_tls_pending(client->tls, &sealed);
    if (sealed.len) write_aside(client, kd_buf_view(&sealed));
    kd_buf_done(&sealed);
}

void kd_client_send_aside(kd_client *client, kd_str bytes)
{
    kd_buf sealed;
    kd_buf_init(&sealed, 1 << 16);
    if (!client->tls)
        write_aside(client, bytes);
    else if (kd_tls_write(client->tls, bytes, &sealed))
        write_aside(client, kd_buf_view(&sealed));
    kd_buf_done(&sealed);
}

/* ---- pieces ---- */

static void on_sent(uv_write_t *write, int status)
{
    kd_client *client = write->data;
    if (client->phase == KD_PHASE_CLOSED) return;
    if (status != 0) {
        kd_client_close(client);
        return;
    }
    send_parts(client);
}

/* Cut up to PIECE_BYTES_MAX off what is left. */
static unsigned cut_piece(kd_client *client, uv_buf_t out[2])
{
    unsigned count = 0;
    size_t room = PIECE_BYTES_MAX;
    for (size_t i = 0; i < client->part_count && room > 0; i++) {
        kd_str *part = &client->parts[i];
        size_t len = part->len < room ? part->len : room;
        if (len == 0) continue;
        out[count++] = uv_buf_init((char *)(uintptr_t)part->ptr, (unsigned)len);
        part->ptr += len;
        part->len -= len;
        room -= len;
    }
    return count;
}

static unsigned seal_piece(kd_client *client, uv_buf_t bufs[2], unsigned count)
{
    kd_buf_clear(&client->sealed);
    for (unsigned i = 0; i < count; i++)
        if (!kd_tls_write(client->tls, (kd_str){ bufs[i].base, bufs[i].len }, &client->sealed)) return 0;
    bufs[0] = uv_buf_init(client->sealed.ptr, (unsigned)client->sealed.len);
    return 1;
}

/* Hand the next piece to the socket; when none is left, go on with what follows the answer. */
static void send_parts(kd_client *client)
{
    uv_buf_t bufs[2];
    unsigned count = cut_piece(client, bufs);
    if (count == 0) {
        client->after_send(client);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        client->sent_bytes += bufs[i].len;
        client->phase_bytes += bufs[i].len;
    }
    if (client->tls) count = seal_piece(client, bufs, count);
    client->write.data = client;
    if (count == 0 || uv_write(&client->write, &client->socket.stream, bufs, count, on_sent) != 0)
        kd_client_close(client);
}

static void send_two(kd_client *client, kd_str first, kd_str second, void (*after)(kd_client *client))
{
    client->parts[0] = first;
    client->parts[1] = second;
    client->part_count = 2;
    client->after_send = after;
    send_parts(client);
}

/* ---- when an answer is sent ---- */

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    kd_client *client = shutdown->data;
    if (client->phase == KD_PHASE_CLOSED) return;
    if (status != 0 || client->has_ended)
        kd_client_close(client);
    else
        kd_client_update_reading(client);
}

/* Say that nothing more comes, and read what the peer still sends: closing at once could destroy the answer on its way. */
static void linger(kd_client *client)
{
    if (client->tls) {
        kd_buf sealed;
        kd_buf_init(&sealed, 1 << 16);
        kd_tls_end(client->tls, &sealed);
        if (sealed.len) write_aside(client, kd_buf_view(&sealed));
        kd_buf_done(&sealed);
    }
    kd_client_phase(client, KD_PHASE_LINGER);
    client->shutdown.data = client;
    if (uv_shutdown(&client->shutdown, &client->socket.stream, on_shut) != 0) kd_client_close(client);
}

static void note(kd_client *client)
{
    kd_loop *loop = client->loop;
    kd_exchange *exchange = client->exchange;
    const kd_request *request = exchange->request;
    double seconds = request ? kd_seconds() - request->began_at : 0;
    kd_metrics_request(loop->server->metrics, exchange->route_index, exchange->answer.status, seconds,
                       request ? request->body_bytes : 0, client->sent_bytes);
    if (loop->logs_requests) kd_log_request(&loop->log, exchange, seconds, client->sent_bytes);
}

static void after_answer(kd_client *client)
{
    note(client);
    kd_exchange_free(client->exchange);
    client->exchange = NULL;
    client->loop->body_memory -= client->memory_bytes;
    client->memory_bytes = 0;
    if (client->ends_after || client->loop->is_stopping) {
        linger(client);
        return;
    }
    kd_client_phase(client, KD_PHASE_IDLE);
    kd_conn_next(&client->conn); /* may begin, and even answer, the next */
    if (client->phase == KD_PHASE_IDLE && client->conn.state == KD_CONN_HEAD) kd_client_phase(client, KD_PHASE_HEAD);
    if (client->phase != KD_PHASE_CLOSED) kd_client_update_reading(client);
}

/* ---- a file, chunk by chunk ---- */

static void read_file(kd_client *client);

static void on_file_read(uv_fs_t *request)
{
    kd_client *client = request->data;
    ssize_t len = request->result;
    uv_fs_req_cleanup(request);
    client->is_file_busy = false;
    if (client->phase == KD_PHASE_CLOSED) {
        kd_client_release(client);
        return;
    }
    if (len <= 0) { /* shorter than was told: the peer must see that it is not whole */
        kd_client_close(client);
        return;
    }
    uint64_t left = client->exchange->answer.file_bytes - client->file_at;
    size_t take = (uint64_t)len < left ? (size_t)len : (size_t)left;
    client->file_at += take;
    send_two(client, (kd_str){ client->chunk, take }, (kd_str){ NULL, 0 }, read_file);
}

static void read_file(kd_client *client)
{
    kd_exchange *exchange = client->exchange;
    if (client->file_at >= exchange->answer.file_bytes) {
        after_answer(client);
        return;
    }
    if (!client->chunk && !(client->chunk = malloc(READ_BYTES))) {
        kd_client_close(client);
        return;
    }
    uv_buf_t buf = uv_buf_init(client->chunk, READ_BYTES);
    client->fs.data = client;
    client->is_file_busy = true;
    uv_fs_read(&client->loop->uv, &client->fs, exchange->answer.file_fd, &buf, 1, (int64_t)client->file_at,
               on_file_read);
}

/* ---- events ---- */

static void after_event(kd_client *client);

static void end_watch(kd_client *client)
{
    client->is_watching = false;
    client->loop->watcher_count--;
    client->ends_after = true;
    after_answer(client);
}

static void send_event(kd_client *client, const kd_job_glance *glance)
{
    kd_exchange *exchange = client->exchange;
    kd_json json;
    const char *name = glance->state == KD_JOB_WAITING || glance->state == KD_JOB_RUNNING
                           ? "progress"
                           : kd_job_state_name(glance->state);
    kd_buf_clear(&client->event);
    kd_buf_fmt(&client->event, "id: %llu\nevent: %s\ndata: ", (unsigned long long)glance->version, name);
    kd_json_init(&json, &client->event);
    kd_jobs_write(exchange->server->jobs, exchange->answer.watched_job, exchange->is_english, &json);
    kd_buf_cstr(&client->event, "\n\n");
    client->job_version = glance->version;
    kd_client_phase(client, KD_PHASE_SEND);
    send_two(client, kd_buf_view(&client->event), (kd_str){ NULL, 0 }, after_event);
}

/* Between two events: the next one if there is news, or wait. */
static void after_event(kd_client *client)
{
    kd_job_glance glance;
    bool is_there = kd_jobs_glance(client->loop->server->jobs, client->exchange->answer.watched_job, &glance);
    if (is_there && glance.version != client->job_version)
        send_event(client, &glance);
    else if (!is_there || glance.state >= KD_JOB_DONE || client->loop->is_stopping)
        end_watch(client);
    else
        kd_client_phase(client, KD_PHASE_WATCH);
}

void kd_client_watch(kd_client *client)
{
    kd_job_glance glance;
    if (client->phase != KD_PHASE_WATCH) return; /* after_event looks again by itself */
    bool is_there = kd_jobs_glance(client->loop->server->jobs, client->exchange->answer.watched_job, &glance);
    bool is_late = uv_now(&client->loop->uv) - client->phase_at_ms >= BEAT_MS;
    if (!is_there || glance.version != client->job_version || client->loop->is_stopping) {
        after_event(client);
    } else if (is_late) {
        kd_client_phase(client, KD_PHASE_SEND);
        send_two(client, KD_STR(": still here\n\n"), (kd_str){ NULL, 0 }, after_event);
    }
}

/* ---- an answer's head ---- */

static const char *date_of(kd_loop *loop)
{
    int64_t now = kd_now_us();
    if (now / 1000000 != loop->date_s) {
        loop->date_s = now / 1000000;
        kd_http_date(now, loop->date);
    }
    return loop->date;
}

static bool has_length(int status)
{
    return status != 204 && status != 304;
}

static void compose_head(kd_client *client, uint64_t length, bool is_watching)
{
    const kd_exchange *exchange = client->exchange;
    const kd_answer_out *answer = &exchange->answer;
    kd_buf *head = &client->head;
    kd_buf_clear(head);
    kd_buf_fmt(head, "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Request-Id: %s\r\n", answer->status,
               kd_http_reason(answer->status), date_of(client->loop), exchange->request_id);
    if (is_watching)
        kd_buf_cstr(head, "Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n");
    else if (answer->content_type)
        kd_buf_fmt(head, "Content-Type: %s\r\n", answer->content_type);
    if (!is_watching && has_length(answer->status))
        kd_buf_fmt(head, "Content-Length: %llu\r\n", (unsigned long long)length);
    kd_buf_str(head, kd_buf_view(&answer->fields));
    if (!answer->has_cache_field)
        kd_buf_cstr(head,
                    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    if (exchange->is_secure && !answer->has_cache_field)
        kd_buf_cstr(head, "Strict-Transport-Security: max-age=31536000\r\n");
    kd_buf_cstr(head, client->ends_after                                   ? "Connection: close\r\n\r\n"
                      : exchange->request && exchange->request->minor == 0 ? "Connection: keep-alive\r\n\r\n"
                                                                           : "\r\n");
}

static void after_head(kd_client *client)
{
    const kd_answer_out *answer = &client->exchange->answer;
    if (client->is_watching) {
        client->job_version = 0;
        after_event(client);
    } else if (answer->file_fd >= 0 && !client->exchange->is_head) {
        client->file_at = 0;
        read_file(client);
    } else {
        after_answer(client);
    }
}

void kd_client_answer(kd_client *client)
{
    kd_loop *loop = client->loop;
    kd_exchange *exchange = client->exchange;
    kd_answer_out *answer = &exchange->answer;
    const kd_request *request = exchange->request;
    bool is_watching = answer->watched_job != 0 && answer->status == 200;
    if (is_watching && loop->watcher_count >= loop->server->options.watchers_max) {
        kd_problem_answer(exchange, 503, "too many streams of events are open", 0);
        is_watching = false;
    }
    if (!request || !request->keeps_alive || is_watching || loop->is_stopping) client->ends_after = true;
    kd_str body = answer->fixed.ptr ? answer->fixed : kd_buf_view(&answer->bytes);
    uint64_t length = answer->file_fd >= 0 ? answer->file_bytes : body.len;
    compose_head(client, length, is_watching);
    if (exchange->is_head || !has_length(answer->status) || answer->file_fd >= 0) body = (kd_str){ NULL, 0 };
    client->sent_bytes = 0;
    client->is_watching = is_watching && !exchange->is_head;
    loop->watcher_count += client->is_watching;
    kd_client_phase(client, KD_PHASE_SEND);
    send_two(client, kd_buf_view(&client->head), body, after_head);
}
