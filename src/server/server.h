/**
 * @file server.h
 * The HTTP server: routes over a register, the console's files, long jobs. Opened, run and stopped from here.
 *
 * One loop thread holds every connection; a few worker threads, each with a register connection of its own, run the handlers;
 * one thread for each kind of long job. docs/server.md tells how it is run, README.md how it is built.
 */
#ifndef KD_SERVER_H
#define KD_SERVER_H

#include "base/base.h"

typedef struct kd_server kd_server;
struct kd_route;

typedef struct {
    const char *register_dir;
    const char *listen;             /* "127.0.0.1:8080", "[::]:80"; port 0 picks one; unused under socket activation */
    const char *web_dir;            /* of the built console; NULL: $KINDRED_WEB, else the shipped web/dist */
    const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
    unsigned workers;               /* 0: by the cores */
    bool behind_proxy;              /* the peer is a proxy of ours: believe its X-Forwarded-For and -Proto */
    bool handles_signals;           /* SIGTERM and SIGINT stop it */
    size_t connections_max, queue_max, watchers_max;
    size_t body_memory_max; /* bytes of all bodies kept in memory at once */
    int head_ms, body_ms, idle_ms,
        write_ms;                  /* how long a peer may take; bodies and answers then go on at 1 kB/s and more */
    int stop_ms;                   /* how long a stop waits for what runs */
    int tidy_ms;                   /* how often what is too old to be kept is looked for */
    double rate_per_s, rate_burst; /* of one address; 0: unlimited */
    const struct kd_route *const *routes; /* NULL: all of this program */
} kd_server_options;

kd_server_options kd_server_defaults(void);

/** Open the register, load what is served, bind the address. KD_IO when it is taken. */
KD_CHECKED kd_status kd_server_open(const kd_server_options *options, kd_server **out_server, kd_error *err);
/** "http://127.0.0.1:8080", with the port that was picked. */
const char *kd_server_address(const kd_server *server);
/** Serve until stopped. The program ignores SIGPIPE: a peer may be gone. */
void kd_server_run(kd_server *server);
/** Stop accepting, finish what runs, up to `stop_ms`. From any thread or a signal handler. */
void kd_server_stop(kd_server *server);
void kd_server_close(kd_server *server); /* NULL does nothing */

#endif
