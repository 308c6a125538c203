/**
 * @file loop.h
 * The loop thread: listeners, connections, time-outs. libuv is seen by loop*.c and client*.c alone.
 *
 * A client is one connection. Exactly one write is under way at a time (`send`), small ones beside it excepted; exactly one request is
 * out at a time (conn.h). A client is freed when its handle is closed and no file operation of it is under way.
 */
#ifndef KD_SERVER_LOOP_H
#define KD_SERVER_LOOP_H

#include "conn.h"
#include "core.h"
#include "tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum {
    READ_BYTES = 64 << 10,
    PIECE_BYTES_MAX = 256 << 10, /* of an answer, handed to the socket at once */
    LISTENERS_MAX = 4,
    LINGER_BYTES_MAX = 1 << 20,
    LINGER_MS = 2000,
    SWEEP_MS = 250,
    BEAT_MS = 15000,
    BACKLOG = 1024
};

typedef union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
} kd_socket;

typedef enum {
    KD_PHASE_IDLE,
    KD_PHASE_HEAD,
    KD_PHASE_BODY,
    KD_PHASE_WORK, /* a worker has it, or a file operation */
    KD_PHASE_SEND,
    KD_PHASE_WATCH,  /* a stream of events between two of them */
    KD_PHASE_LINGER, /* answered for the last time: reading what the peer still sends */
    KD_PHASE_CLOSED
} kd_phase;

struct kd_client {
    kd_socket socket;
    kd_loop *loop;
    kd_client *previous, *next;
    kd_conn conn;
    kd_tls_session *tls;
    kd_exchange *exchange; /* being read, worked on or answered */
    char address[KD_ADDRESS_BYTES];
    bool is_loopback, is_reading, is_handle_closed, is_file_busy, has_ended; /* has_ended: the peer sends no more */
    bool ends_after;                                                         /* the answer under way is the last */
    bool is_early; /* the answer is there before the body is read */
    bool is_body_done, is_spooling, is_watching;
    bool is_out; /* its exchange is with the pool */
    kd_phase phase;
    uint64_t phase_at_ms, phase_bytes; /* since when; what has gone through in it */

    uv_write_t write;
    kd_str parts[2]; /* of the answer, left to be handed to the socket */
    size_t part_count;
    void (*after_send)(kd_client *client);
    kd_buf head, sealed, event; /* header bytes; what TLS made of a piece; events */
    uint64_t sent_bytes;
    uv_shutdown_t shutdown;

    uv_fs_t fs;
    char *chunk; /* of a file being sent */
    uint64_t file_at;
    int spool_fd;
    kd_buf spool, spooling; /* of a body: to be written, being written */
    uint64_t memory_bytes;  /* of a body in memory, counted in loop->body_memory */

    uint64_t job_version;
};

struct kd_loop {
    uv_loop_t uv;
    kd_server *server;
    kd_tls *tls; /* NULL: plain */
    uv_async_t wake;
    uv_timer_t sweep;
    uv_prepare_t flush;
    uv_signal_t signals[2];
    kd_socket listeners[LISTENERS_MAX];
    size_t listener_count;
    pthread_mutex_t mutex; /* guards first and last */
    kd_exchange *first, *last;
    atomic_bool is_poked, is_stop_wanted;
    bool is_stopping, is_running;
    uint64_t stop_at_ms;
    kd_client *clients;
    size_t client_count, watcher_count, out_count; /* out_count: exchanges with the pool */
    uint64_t accepted, refused, timed_out;
    size_t body_memory;
    kd_buf log;
    bool logs_requests;
    char date[32];
    int64_t date_s;
    char url[128];
    char bytes[READ_BYTES];
};

KD_CHECKED kd_status kd_loop_new(kd_server *server, kd_loop **out_loop, kd_error *err);
void kd_loop_run(kd_loop *loop);
void kd_loop_free(kd_loop *loop);
void kd_loop_stop(kd_loop *loop); /* thread-safe */
void kd_loop_gauges(const kd_loop *loop, kd_gauges *out_gauges);

/* ---- loop_listen.c ---- */

/** Sockets handed over by the service manager, else the address of the options. */
KD_CHECKED kd_status kd_listen(kd_loop *loop, uv_connection_cb on_connection, kd_error *err);

/* ---- client.c ---- */

void kd_client_accept(kd_loop *loop, uv_stream_t *listener);
void kd_client_close(kd_client *client);
/** Of a closed one: free it, if no file operation is under way. */
void kd_client_release(kd_client *client);
void kd_client_phase(kd_client *client, kd_phase phase);
void kd_client_update_reading(kd_client *client);
/** Its exchange has come back from the pool. */
void kd_client_answered(kd_client *client, kd_exchange *exchange);
void kd_client_sweep(kd_client *client, uint64_t now_ms);

/* ---- client_route.c ---- */

/** The head is read: find who answers, or answer at once. */
kd_take kd_client_route(kd_client *client, kd_exchange *exchange);
void kd_client_metrics(kd_client *client, kd_exchange *exchange);
kd_exchange *kd_exchange_new(kd_client *client, kd_request *request);

/* ---- client_send.c ---- */

/** Send the answer of client->exchange. */
void kd_client_answer(kd_client *client);
/** A job has changed, or it is time for a sign of life. */
void kd_client_watch(kd_client *client);
/** A few bytes beside an answer: 100 Continue, TLS handshake. */
void kd_client_send_aside(kd_client *client, kd_str bytes);
/** What TLS wants to send by itself. */
void kd_client_send_sealed(kd_client *client);

#endif
