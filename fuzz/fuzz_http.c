/* The reading side of a connection: any bytes, in any pieces, bodies taken in every way; and the small grammars over what came out. */
#include "server/conn.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    kd_conn conn;
    kd_request *out;
    uint8_t choice;
    size_t streamed;
    bool is_refused;
} peer;

/* What a server does with a request's texts. */
static void look_at(kd_request *request)
{
    kd_path path;
    kd_str value;
    bool is_there;
    if (kd_path_read(request->arena, request->path, &path))
        for (size_t i = 0; i < path.count; i++)
            if (memchr(path.segments[i].ptr, '/', path.segments[i].len)) abort();
    if (kd_query_get(request->arena, request->query, "q", &value, &is_there) && value.len &&
        memchr(value.ptr, 0, value.len))
        abort();
    (void)kd_request_cookie(request, "kindred_session");
    (void)kd_prefers_english(kd_request_header(request, "accept-language"));
    (void)kd_list_accepts(kd_request_header(request, "accept-encoding"), "br");
    (void)kd_etag_matches(kd_request_header(request, "if-none-match"), KD_STR("\"7\""));
    if (request->minor > 0 && !kd_host_is_sane(request->host)) abort();
    if (request->header_count > KD_HEADERS_MAX || request->head.len > KD_HEAD_BYTES_MAX) abort();
}

static kd_take on_head(void *ctx, kd_request *request)
{
    static const kd_take takes[] = { KD_TAKE_MEMORY, KD_TAKE_STREAM, KD_TAKE_DISCARD, KD_TAKE_WAIT, KD_TAKE_NOTHING };
    peer *p = ctx;
    if (p->out) abort(); /* one at a time */
    p->out = request;
    p->streamed = 0;
    look_at(request);
    p->conn.body_max = 200;
    return takes[p->choice++ % 5];
}

static bool on_body(void *ctx, kd_request *request, const char *bytes, size_t len)
{
    peer *p = ctx;
    if (request != p->out || (len && !bytes)) abort();
    p->streamed += len;
    if (p->streamed > 200) abort();
    return p->choice % 11 != 0;
}

static void on_done(void *ctx, kd_request *request)
{
    peer *p = ctx;
    if (request != p->out) abort();
    if (request->body.len > 200) abort();
}

static void on_refused(void *ctx, kd_request *request, int status, const char *reason)
{
    peer *p = ctx;
    if (p->is_refused || status < 400 || (request && request != p->out)) abort();
    if (reason && !reason[0]) abort();
    p->is_refused = true;
}

static const kd_conn_events EVENTS = { on_head, on_body, on_done, on_refused };

/* The first byte chooses how the rest is cut, and how bodies are taken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    kd_rng rng;
    peer p = { .choice = data[0] };
    kd_rng_init(&rng, data[0]);
    kd_conn_init(&p.conn, &EVENTS, &p);
    for (size_t at = 1; at < size;) {
        size_t len = data[0] & 1 ? size - at : 1 + kd_rng_below(&rng, 40);
        if (len > size - at) len = size - at;
        kd_conn_feed(&p.conn, (const char *)data + at, len);
        at += len;
        if (p.conn.state == KD_CONN_WAIT) kd_conn_take(&p.conn, KD_TAKE_STREAM);
        while (p.conn.state == KD_CONN_ANSWERING) {
            kd_request *answered = p.out;
            bool goes_on = answered->keeps_alive;
            if (!goes_on) kd_conn_refuse(&p.conn, 400, NULL);
            p.out = NULL;
            if (goes_on) kd_conn_next(&p.conn);
            kd_request_free(answered);
            if (p.conn.state == KD_CONN_WAIT) kd_conn_take(&p.conn, KD_TAKE_MEMORY);
        }
    }
    kd_conn_done(&p.conn);
    kd_request_free(p.out);
    return 0;
}
