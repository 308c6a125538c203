#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HELD_BYTES_MAX = 1 << 20, VERSION_BYTES = 16 };

static int on_url(llhttp_t *parser, const char *at, size_t len);
static int on_field(llhttp_t *parser, const char *at, size_t len);
static int on_value(llhttp_t *parser, const char *at, size_t len);
static int on_body(llhttp_t *parser, const char *at, size_t len);
static int on_complete(llhttp_t *parser);
static int on_headers_complete(llhttp_t *parser);

static const llhttp_settings_t SETTINGS = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void kd_conn_init(kd_conn *conn, const kd_conn_events *events, void *ctx)
{
    *conn = (kd_conn){ .events = events, .ctx = ctx };
    kd_buf_init(&conn->held, HELD_BYTES_MAX);
}

static bool is_taken(const kd_conn *conn)
{
    return conn->state != KD_CONN_IDLE && conn->state != KD_CONN_HEAD;
}

void kd_conn_done(kd_conn *conn)
{
    if (!is_taken(conn)) kd_request_free(conn->request);
    conn->request = NULL;
    conn->state = KD_CONN_DEAD;
    kd_buf_done(&conn->held);
}

void kd_conn_refuse(kd_conn *conn, int status, const char *reason)
{
    if (conn->state == KD_CONN_DEAD) return;
    kd_request *taken = is_taken(conn) ? conn->request : NULL;
    if (!taken) kd_request_free(conn->request);
    conn->request = NULL;
    conn->state = KD_CONN_DEAD;
    kd_buf_clear(&conn->held);
    conn->events->refused(conn->ctx, taken, status, reason);
}

/* ---- what llhttp tells ---- */

static kd_conn *conn_of(llhttp_t *parser)
{
    return parser->data;
}

static int refuse(kd_conn *conn, int status, const char *reason)
{
    if (!conn->fault) {
        conn->fault = reason;
        conn->fault_status = status;
    }
    return -1;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    conn_of(parser)->request->target = (kd_str){ at, len };
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    kd_conn *conn = conn_of(parser);
    kd_request *request = conn->request;
    if (is_taken(conn)) /* a trailer: counted, not kept */
        return ++conn->trailers > KD_TRAILERS_MAX ? refuse(conn, 431, "too many trailer fields") : 0;
    if (request->header_count == KD_HEADERS_MAX) return refuse(conn, 431, "too many header fields");
    request->headers[request->header_count++] = (kd_header){ .name = { at, len } };
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    kd_conn *conn = conn_of(parser);
    if (is_taken(conn)) return 0;
    conn->request->headers[conn->request->header_count - 1].value = kd_str_trim((kd_str){ at, len });
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade = 0; /* no other protocol is spoken here: an offer to change is ignored */
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    kd_conn *conn = conn_of(parser);
    kd_request *request = conn->request;
    request->body_bytes += len;
    uint64_t most = conn->take == KD_TAKE_DISCARD ? KD_DISCARD_BYTES_MAX : conn->body_max;
    if (request->body_bytes > most) return refuse(conn, 413, "the body is too long");
    if (conn->take == KD_TAKE_MEMORY) {
        kd_buf_add(&request->body, at, len);
        if (request->body.status != KD_OK) return refuse(conn, 503, "no memory for the body");
    } else if (conn->take == KD_TAKE_STREAM && !conn->events->body(conn->ctx, request, at, len)) {
        return refuse(conn, 503, "the body could not be kept");
    }
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    conn_of(parser)->is_complete = true;
    return HPE_PAUSED;
}

/* ---- a head ---- */

/* Names are compared in lower case; the bytes are ours. */
static void lower(kd_str text)
{
    char *at = (char *)(uintptr_t)text.ptr;
    for (size_t i = 0; i < text.len; i++)
        if (at[i] >= 'A' && at[i] <= 'Z') at[i] = (char)(at[i] - 'A' + 'a');
}

static size_t count_of(const kd_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) count += kd_str_is(request->headers[i].name, name);
    return count;
}

/* What two readers could frame differently is refused: RFC 9112 6.3, 7.1, 11.2. */
static int check_framing(kd_conn *conn, kd_request *request)
{
    size_t lengths = count_of(request, "content-length"), codings = count_of(request, "transfer-encoding");
    kd_str length = kd_request_header(request, "content-length");
    kd_str coding = kd_request_header(request, "transfer-encoding");
    int64_t told = 0;
    if (lengths > 1) return refuse(conn, 400, "two lengths of content");
    if (codings > 1) return refuse(conn, 400, "two transfer codings");
    if (lengths && codings) return refuse(conn, 400, "both a length and a transfer coding");
    if (codings && request->minor == 0) return refuse(conn, 400, "a transfer coding in HTTP/1.0");
    if (codings && !(coding.len == 7 && strncasecmp(coding.ptr, "chunked", 7) == 0))
        return refuse(conn, 501, "a transfer coding that is not chunked");
    for (size_t i = 0; i < length.len; i++)
        if (length.ptr[i] < '0' || length.ptr[i] > '9') return refuse(conn, 400, "a length that is no number");
    if (lengths && (length.len > 18 || !kd_str_int(length, &told)))
        return refuse(conn, 400, "a length that is no number");
    request->is_chunked = codings > 0;
    request->content_length = (uint64_t)told;
    return 0;
}

static int check_host(kd_conn *conn, kd_request *request)
{
    size_t hosts = count_of(request, "host");
    request->host = kd_request_header(request, "host");
    if (hosts > 1) return refuse(conn, 400, "two hosts");
    if (hosts == 0 && request->minor > 0) return refuse(conn, 400, "no host");
    if (hosts && !kd_host_is_sane(request->host)) return refuse(conn, 400, "a host that is none");
    return 0;
}

/* The target is a path, or an address with one; or `*` with OPTIONS. */
static int split_target(kd_conn *conn, kd_request *request)
{
    kd_str target = request->target;
    if (target.len > KD_TARGET_BYTES_MAX) return refuse(conn, 414, "the address is too long");
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= ' ' || (unsigned char)target.ptr[i] >= 0x7f)
            return refuse(conn, 400, "a character in the address that must be escaped");
    if (kd_str_find(target, KD_STR("#")) >= 0) return refuse(conn, 400, "a fragment in the address");
    if (target.len && target.ptr[0] != '/' && !kd_str_is(target, "*")) {
        ptrdiff_t scheme = kd_str_find(target, KD_STR("://"));
        if (scheme < 4) return refuse(conn, 400, "an address that is no path");
        target = kd_str_sub(target, (size_t)scheme + 3, target.len);
        ptrdiff_t slash = kd_str_find(target, KD_STR("/"));
        request->host = kd_str_sub(target, 0, slash < 0 ? target.len : (size_t)slash);
        if (!kd_host_is_sane(request->host)) return refuse(conn, 400, "a host that is none");
        target = slash < 0 ? KD_STR("/") : kd_str_sub(target, (size_t)slash, target.len);
    }
    if (kd_str_is(target, "*") && strcmp(request->method, "OPTIONS") != 0)
        return refuse(conn, 400, "an address that is no path");
    ptrdiff_t question = kd_str_find(target, KD_STR("?"));
    request->path = question < 0 ? target : kd_str_sub(target, 0, (size_t)question);
    if (question >= 0) request->query = kd_str_sub(target, (size_t)question + 1, target.len);
    return 0;
}

static int check_head(kd_conn *conn, kd_request *request)
{
    const llhttp_t *parser = &conn->parser;
    request->method = llhttp_method_name((llhttp_method_t)parser->method);
    request->minor = parser->http_minor;
    for (size_t i = 0; i < request->header_count; i++) lower(request->headers[i].name);
    if (parser->http_major != 1 || parser->http_minor > 1) return refuse(conn, 505, "not HTTP/1.1");
    if (check_framing(conn, request) || check_host(conn, request) || split_target(conn, request)) return -1;
    kd_str expect = kd_request_header(request, "expect");
    request->expects_continue = expect.len == 12 && strncasecmp(expect.ptr, "100-continue", 12) == 0;
    if (expect.len && !request->expects_continue) return refuse(conn, 417, "an expectation that is not met");
    kd_str connection = kd_request_header(request, "connection");
    bool says_close = kd_list_accepts(connection, "close"), says_keep = kd_list_accepts(connection, "keep-alive");
    request->keeps_alive = !says_close && (request->minor > 0 || says_keep);
    return 0;
}

static int status_of(llhttp_errno_t code)
{
    return code == HPE_INVALID_METHOD ? 405 : code == HPE_INVALID_VERSION ? 505 : 400;
}

static void finish(kd_conn *conn)
{
    conn->state = KD_CONN_ANSWERING;
    conn->events->done(conn->ctx, conn->request);
}

static void refuse_fault(kd_conn *conn, llhttp_errno_t code)
{
    kd_conn_refuse(conn, conn->fault ? conn->fault_status : status_of(code),
                   conn->fault ? conn->fault : "the request cannot be read");
}

static void feed_held(kd_conn *conn)
{
    if (conn->held.len == 0) return;
    kd_buf early = conn->held;
    kd_buf_init(&conn->held, HELD_BYTES_MAX);
    kd_conn_feed(conn, early.ptr, early.len);
    kd_buf_done(&early);
}

void kd_conn_take(kd_conn *conn, kd_take take)
{
    kd_request *request = conn->request;
    if (conn->state != KD_CONN_WAIT || take == KD_TAKE_WAIT) return;
    conn->take = take;
    if (conn->is_complete) {
        finish(conn);
        return;
    }
    uint64_t most = take == KD_TAKE_DISCARD ? KD_DISCARD_BYTES_MAX : conn->body_max;
    if (take == KD_TAKE_NOTHING) {
        request->keeps_alive = false;
        finish(conn);
    } else if (request->content_length > most) {
        kd_conn_refuse(conn, 413, "the body is too long");
    } else {
        conn->state = KD_CONN_BODY;
        feed_held(conn);
    }
}

/* The blank line has come: parse, check, and hand the request over. */
static void end_head(kd_conn *conn)
{
    kd_request *request = conn->request;
    llhttp_init(&conn->parser, HTTP_REQUEST, &SETTINGS);
    conn->parser.data = conn;
    conn->is_complete = false;
    conn->fault = NULL;
    conn->trailers = 0;
    llhttp_errno_t code = llhttp_execute(&conn->parser, request->head.ptr, request->head.len);
    if ((code != HPE_OK && code != HPE_PAUSED) || (code == HPE_PAUSED && !conn->is_complete) ||
        check_head(conn, request)) {
        refuse_fault(conn, code);
        return;
    }
    conn->state = KD_CONN_WAIT;
    conn->body_max = 0;
    kd_take take = conn->events->head(conn->ctx, request);
    kd_conn_take(conn, take);
}

static bool begin_head(kd_conn *conn)
{
    kd_request *request = calloc(1, sizeof *request);
    if (!request || !(request->arena = kd_arena_new(KD_REQUEST_ARENA_BYTES))) {
        free(request);
        kd_conn_refuse(conn, 503, "no memory");
        return false;
    }
    kd_buf_init(&request->head, KD_HEAD_BYTES_MAX + 1);
    kd_buf_init(&request->body, SIZE_MAX / 4);
    request->began_at = kd_seconds();
    conn->request = request;
    conn->state = KD_CONN_HEAD;
    conn->line_bytes = conn->lines = conn->blank_lines = 0;
    conn->last = 0;
    conn->fault = NULL;
    return true;
}

/* One byte of a head beside the one before it. */
static int check_byte(kd_conn *conn, char c)
{
    unsigned char byte = (unsigned char)c;
    if (c == '\n') return conn->last == '\r' ? 0 : refuse(conn, 400, "a line feed without a carriage return");
    if (conn->last == '\r') return refuse(conn, 400, "a carriage return without a line feed");
    if (byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\r'))
        return refuse(conn, 400, "a control character in the head");
    if (conn->line_bytes == 0 && conn->lines > 0 && (c == ' ' || c == '\t'))
        return refuse(conn, 400, "a folded header field");
    return 0;
}

static int check_line_end(kd_conn *conn)
{
    if (++conn->lines > KD_HEADERS_MAX + 1) return refuse(conn, 431, "too many header fields");
    return 0;
}

/* Take bytes of a head up to its blank line; returns how many were taken. */
static size_t feed_head(kd_conn *conn, const char *bytes, size_t len)
{
    kd_request *request = conn->request;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (check_byte(conn, c)) {
            kd_conn_refuse(conn, conn->fault_status, conn->fault);
            return i;
        }
        conn->last = c;
        if (c != '\n') {
            conn->line_bytes += c != '\r';
            if (conn->lines == 0 && conn->line_bytes > KD_TARGET_BYTES_MAX + VERSION_BYTES + 16) {
                kd_conn_refuse(conn, 414, "the address is too long");
                return i;
            }
        } else if (conn->line_bytes == 0 && conn->lines == 0) {
            if (++conn->blank_lines > KD_BLANK_LINES_MAX) {
                kd_conn_refuse(conn, 400, "blank lines instead of a request");
                return i;
            }
        } else if (conn->line_bytes == 0) {
            kd_buf_add(&request->head, bytes, i + 1);
            if (request->head.len > KD_HEAD_BYTES_MAX || request->head.status != KD_OK)
                kd_conn_refuse(conn, 431, "the head is too long");
            else
                end_head(conn);
            return i + 1;
        } else {
            conn->line_bytes = 0;
            if (check_line_end(conn)) {
                kd_conn_refuse(conn, conn->fault_status, conn->fault);
                return i;
            }
        }
    }
    kd_buf_add(&request->head, bytes, len);
    if (request->head.len > KD_HEAD_BYTES_MAX || request->head.status != KD_OK)
        kd_conn_refuse(conn, 431, "the head is too long");
    return len;
}

/* ---- a body ---- */

static size_t feed_body(kd_conn *conn, const char *bytes, size_t len)
{
    llhttp_errno_t code = llhttp_execute(&conn->parser, bytes, len);
    if (code == HPE_OK) return len;
    if (code == HPE_PAUSED && conn->is_complete) {
        size_t taken = (size_t)(llhttp_get_error_pos(&conn->parser) - bytes);
        finish(conn);
        return taken < len ? taken : len;
    }
    refuse_fault(conn, code);
    return len;
}

void kd_conn_feed(kd_conn *conn, const char *bytes, size_t len)
{
    while (len > 0 && conn->state != KD_CONN_DEAD) {
        size_t taken;
        if (conn->state == KD_CONN_IDLE && !begin_head(conn)) return;
        if (conn->state == KD_CONN_HEAD) {
            taken = feed_head(conn, bytes, len);
        } else if (conn->state == KD_CONN_BODY) {
            taken = feed_body(conn, bytes, len);
        } else {
            kd_buf_add(&conn->held, bytes, len);
            if (conn->held.status != KD_OK) kd_conn_refuse(conn, 503, "no memory");
            return;
        }
        bytes += taken;
        len -= taken;
    }
}

void kd_conn_next(kd_conn *conn)
{
    if (conn->state != KD_CONN_ANSWERING) return;
    conn->state = KD_CONN_IDLE;
    conn->request = NULL;
    feed_held(conn);
}

bool kd_conn_is_full(const kd_conn *conn)
{
    return conn->held.len > 0;
}
