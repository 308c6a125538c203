/**
 * @file core.h
 * What the parts of the server share: the server, an exchange (a request with its answer), a worker. Private to the server.
 *
 * An exchange belongs to the loop thread, but for the time it is with the pool. Only `client` stays the loop's all the time.
 */
#ifndef KD_SERVER_CORE_H
#define KD_SERVER_CORE_H

#include "call.h"
#include "codes.h"
#include "http.h"
#include "jobs.h"
#include "metrics.h"
#include "rate.h"
#include "router.h"
#include "server.h"
#include "static.h"

#include "services/services.h"

typedef struct kd_client kd_client;
typedef struct kd_loop kd_loop;
typedef struct kd_pool kd_pool;
typedef struct kd_flights kd_flights;
typedef struct kd_keeper kd_keeper;

enum { KD_REQUEST_ID_BYTES = 65, KD_ADDRESS_BYTES = 48, KD_ANSWER_BYTES_MAX = 64 << 20 };

/** What goes back. `bytes` is sent unless `fixed` or `file_fd` is set. */
typedef struct {
    int status;
    const char *content_type; /* NULL: no body */
    kd_buf fields;            /* further header lines, each ended by CRLF */
    kd_buf bytes;
    kd_str fixed; /* outlives the server's loop */
    int file_fd;  /* -1 none; closed with the exchange */
    uint64_t file_bytes;
    int64_t watched_job;  /* 0 none */
    bool wants_metrics;   /* the loop writes them */
    bool has_cache_field; /* `fields` says how it may be cached */
    bool is_admitted;     /* an upload's head has passed: read on */
} kd_answer_out;

typedef struct kd_exchange kd_exchange;
struct kd_exchange {
    kd_exchange *next;
    kd_server *server;
    kd_client *client; /* the loop's alone; NULL when the peer has gone */
    kd_request *request;
    const kd_route *route; /* NULL: answered by the loop */
    size_t route_index;
    kd_str params[KD_PARAMS_MAX];
    char request_id[KD_REQUEST_ID_BYTES], address[KD_ADDRESS_BYTES];
    bool is_secure, is_english, is_head;
    bool is_admitting; /* of an upload: look whether it may be, before its body is read */
    char *spool;       /* path of the streamed body; removed with the exchange */
    int64_t account_id;
    kd_answer_out answer;
};
/** With everything in it: request, spooled body, file. */
void kd_exchange_free(kd_exchange *exchange);

struct kd_server {
    kd_server_options options;
    kd_arena *arena;
    kd_router *router;
    kd_static *files;
    kd_rates *rates;
    kd_metrics *metrics;
    kd_flights *flights;
    kd_codes *codes;
    kd_register *reg; /* the first: workers and jobs attach to it; only read once the server runs */
    kd_access_pack *pack;
    kd_births_pack *births;
    kd_audit *audit;
    kd_jobs *jobs;
    kd_pool *pool;
    kd_keeper *keeper;
    kd_loop *loop;
    kd_str spool_dir, contract; /* of uploads; api/openapi.yaml */
};

/** One thread's handles; closed and opened again when the database was away. */
typedef struct {
    kd_server *server;
    kd_register *reg;
    kd_access *access;
    double retry_at; /* kd_seconds(): not before, after a failure to open */
    double wait_s;
} kd_worker;
KD_CHECKED kd_status kd_worker_open(kd_worker *worker, kd_error *err);
void kd_worker_close(kd_worker *worker);

/* ---- pool.c ---- */

KD_CHECKED kd_status kd_pool_new(kd_server *server, unsigned workers, size_t queue_max, kd_pool **out_pool,
                                 kd_error *err);
/** False when the queue is full: the exchange stays the caller's. */
KD_CHECKED bool kd_pool_submit(kd_pool *pool, kd_exchange *exchange);
void kd_pool_free(kd_pool *pool); /* after what is queued has run */
void kd_pool_count(kd_pool *pool, size_t *out_workers, size_t *out_busy, size_t *out_queued);

/* ---- keeper.c: what is not kept for ever ---- */

/** A thread that removes, now and at times, files that were cut off or never imported, old bad rows and old jobs. */
KD_CHECKED kd_status kd_keeper_new(kd_server *server, kd_keeper **out_keeper, kd_error *err);
void kd_keeper_free(kd_keeper *keeper); /* NULL does nothing */

/* ---- gate.c: on a worker ---- */

/** Check who asks and whether they may, run the handler, write the answer. */
void kd_gate_run(kd_worker *worker, kd_exchange *exchange);

/* ---- idempotency.c ---- */

/** Keys of requests that run now. */
kd_flights *kd_flights_new(void);
void kd_flights_free(kd_flights *flights);
/**
 * Before a handler with a key: `*out_is_answered` when the kept answer has been given. KD_CONFLICT while the first request runs or
 * when nobody knows how it ended; KD_INVALID for the key of another request.
 */
KD_CHECKED kd_status kd_idempotency_begin(kd_call *call, bool *out_is_answered, kd_error *err);
/** After it: keep the answer, or forget the key when the request failed. */
void kd_idempotency_end(kd_call *call, kd_status status);

/* ---- problem.c ---- */

/** Fill `call`'s answer with the problem document of a failure and its status. */
void kd_problem_of_call(kd_call *call, const kd_error *err);
/** One without a call: what the loop answers by itself. `detail` is English or NULL. */
void kd_problem_answer(kd_exchange *exchange, int status, const char *detail, int retry_after_s);
/** The members of a problem document without its request, for a job that failed; `name` as in kd_call's `problem`. */
void kd_problem_write(kd_json *json, const kd_error *err, const char *name, bool is_english, kd_str request_id);

/* ---- loop.c: from a worker ---- */

/** Give an exchange back, answered. */
void kd_loop_answer(kd_loop *loop, kd_exchange *exchange);
/** Something about jobs has changed: whoever watches is told. */
void kd_loop_poke(kd_loop *loop);

/* ---- answering ---- */

void kd_answer_field(kd_exchange *exchange, const char *name, kd_str value); /* control characters are dropped */
void kd_answer_security(kd_exchange *exchange);
/** One line of JSON for the request log. */
void kd_log_request(kd_buf *out, const kd_exchange *exchange, double seconds, uint64_t bytes_out);

#endif
