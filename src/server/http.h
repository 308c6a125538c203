/**
 * @file http.h
 * A request as bytes on a wire become it, and the small grammars around it. Private to the server; no sockets here.
 */
#ifndef KD_SERVER_HTTP_H
#define KD_SERVER_HTTP_H

#include "base/base.h"

/** What one request may cost before anybody has looked at it. */
enum {
    KD_HEAD_BYTES_MAX = 16 << 10, /* request line and header fields */
    KD_TARGET_BYTES_MAX = 4 << 10,
    KD_HEADERS_MAX = 64,
    KD_TRAILERS_MAX = 16,
    KD_BLANK_LINES_MAX = 2,             /* before a request line, as RFC 9112 2.2 lets a server skip */
    KD_DISCARD_BYTES_MAX = 64 << 10,    /* of a body that nobody wants; beyond it the connection ends */
    KD_REQUEST_ARENA_BYTES = 128 << 20, /* an answer and what was read for it */
    KD_SEGMENTS_MAX = 12
};

/** A name is lower case; both live as long as the request. */
typedef struct {
    kd_str name, value;
} kd_header;

typedef struct {
    kd_arena *arena;
    kd_buf head; /* the bytes that all texts below point into */
    kd_buf body; /* when it is kept in memory */
    const char *method;
    kd_str target, path, query; /* as sent: not decoded, query without '?' */
    kd_str host;
    kd_header headers[KD_HEADERS_MAX];
    size_t header_count;
    int minor; /* of HTTP/1.x */
    bool keeps_alive, is_chunked, expects_continue;
    uint64_t content_length, body_bytes; /* as told (0 when chunked); as read */
    double began_at;                     /* kd_seconds() of the first byte */
} kd_request;

void kd_request_free(kd_request *request); /* NULL does nothing */
/** Header by lower-case name; empty when absent; of several the first. */
kd_str kd_request_header(const kd_request *request, const char *name);
/** Value of a cookie; empty when absent. */
kd_str kd_request_cookie(const kd_request *request, const char *name);
bool kd_request_has_body(const kd_request *request);

/** The last path segments, decoded, and how many; false for a path with tricks: a bad escape, `.`, `..`, a slash, backslash or
 * control character hidden in an escape, an empty segment, bytes that are not UTF-8, too many segments. */
typedef struct {
    kd_str segments[KD_SEGMENTS_MAX];
    size_t count;
} kd_path;
KD_CHECKED bool kd_path_read(kd_arena *arena, kd_str path, kd_path *out_path);
/** %XX and, with `plus_is_space`, '+'. False for a bad escape, NUL or bytes that are not UTF-8. */
KD_CHECKED bool kd_percent_decode(kd_arena *arena, kd_str text, bool plus_is_space, kd_str *out_text);
/** Value of a query parameter, decoded; `*out_is_there` tells absent from empty. False when it cannot be decoded. */
KD_CHECKED bool kd_query_get(kd_arena *arena, kd_str query, const char *name, kd_str *out_value, bool *out_is_there);

/** Whether `token` stands in a comma list with a quality above 0. `*` counts. */
bool kd_list_accepts(kd_str list, const char *token);
/** Whether the reader prefers English to Chinese; Chinese when neither is named. */
bool kd_prefers_english(kd_str accept_language);
/** Whether one of the entity tags of a list is `etag` (with its quotes), weakly compared; `*` is any. */
bool kd_etag_matches(kd_str list, kd_str etag);
bool kd_host_is_sane(kd_str host);
/** "Mon, 23 Nov 2026 16:04:48 GMT" */
char *kd_http_date(int64_t us, char buf[32]);
const char *kd_http_reason(int status);
/** 1 to 64 of A–Z a–z 0–9 . _ - */
bool kd_token_is_plain(kd_str text, size_t min, size_t max);

#endif
