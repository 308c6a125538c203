/**
 * @file conn.h
 * One connection's reading side: bytes in, requests out. No sockets, no clock, no threads, so that it can be fuzzed.
 *
 * The head of a request is gathered whole and held to a stricter grammar than RFC 9112 asks (no bare LF, no folded fields, no
 * NUL, nothing doubtful in framing) before llhttp parses it; bodies go through llhttp as they come. One request at a time:
 * bytes of the next one are held back until kd_conn_next, so that answers keep their order.
 */
#ifndef KD_SERVER_CONN_H
#define KD_SERVER_CONN_H

#include "http.h"

#include <llhttp.h>

typedef enum {
    KD_TAKE_MEMORY,  /* keep the body in request->body, at most the bytes in conn->body_max */
    KD_TAKE_STREAM,  /* hand the body to `body` as it comes, at most conn->body_max */
    KD_TAKE_DISCARD, /* read and forget, then `done` */
    KD_TAKE_WAIT,    /* not yet known: kd_conn_take tells later */
    KD_TAKE_NOTHING  /* the connection ends with the answer: the rest is not read */
} kd_take;

typedef struct {
    /** The head of a request is read: who is asked takes the request over, and says how its body is to be read. */
    kd_take (*head)(void *ctx, kd_request *request);
    /** A piece of a streamed body. False ends it: what follows is discarded and `done` is not called. */
    bool (*body)(void *ctx, kd_request *request, const char *bytes, size_t len);
    void (*done)(void *ctx, kd_request *request);
    /** The connection cannot go on. `request` is NULL when it fell before the head was read; else it has been given to `head`. */
    void (*refused)(void *ctx, kd_request *request, int status, const char *reason);
} kd_conn_events;

typedef enum {
    KD_CONN_IDLE,      /* between requests */
    KD_CONN_HEAD,      /* in a head */
    KD_CONN_WAIT,      /* a head is read, its body waits for kd_conn_take */
    KD_CONN_BODY,      /* in a body */
    KD_CONN_ANSWERING, /* a request is out: waits for kd_conn_next */
    KD_CONN_DEAD       /* refused: nothing is read any more */
} kd_conn_state;

typedef struct {
    llhttp_t parser;
    const kd_conn_events *events;
    void *ctx;
    kd_request *request; /* until `head` has taken it; then only looked at */
    kd_buf held;         /* bytes that came too early */
    uint64_t body_max;   /* set by the one who answers `head` */
    kd_conn_state state;
    kd_take take;
    size_t line_bytes, lines, blank_lines; /* of the head being gathered */
    size_t trailers;
    char last; /* byte of it, seen last */
    bool is_complete;
    const char *fault;
    int fault_status;
} kd_conn;

void kd_conn_init(kd_conn *conn, const kd_conn_events *events, void *ctx);
/** Forget everything; a request that `head` has taken is its owner's to free. */
void kd_conn_done(kd_conn *conn);
/** Bytes from the peer. What comes while a request is out is held: the caller stops reading while kd_conn_is_full. */
void kd_conn_feed(kd_conn *conn, const char *bytes, size_t len);
/** After KD_TAKE_WAIT. */
void kd_conn_take(kd_conn *conn, kd_take take);
/** The request that was out is answered: go on with what was held. */
void kd_conn_next(kd_conn *conn);
/** End it from outside, as a fault in what came would: the peer is late, its body cannot be kept. */
void kd_conn_refuse(kd_conn *conn, int status, const char *reason);
bool kd_conn_is_full(const kd_conn *conn);

#endif
