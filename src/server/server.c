#include "core.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"

enum { SERVER_ARENA_BYTES = 8 << 20, CONTRACT_BYTES_MAX = 4 << 20 };

/* KINDRED_HTTP_TIMEOUT_S: one patience for everything a peer may be slow in. */
static void read_patience(kd_server_options *options)
{
    enum { PATIENCE_MAX_S = 3600 };
    const char *text = getenv("KINDRED_HTTP_TIMEOUT_S");
    int64_t seconds;
    if (!text || !kd_str_int(kd_str_of(text), &seconds) || seconds < 1 || seconds > PATIENCE_MAX_S) return;
    options->head_ms = options->body_ms = options->idle_ms = options->write_ms = (int)seconds * 1000;
}

kd_server_options kd_server_defaults(void)
{
    kd_server_options options = {
        .register_dir = ".",
        .listen = "127.0.0.1:8080",
        .connections_max = 8192,
        .queue_max = 256,
        .watchers_max = 256,
        .body_memory_max = 64 << 20,
        .head_ms = 10000,
        .body_ms = 30000,
        .idle_ms = 75000,
        .write_ms = 30000,
        .stop_ms = 20000,
        .tidy_ms = 600000,
        .rate_per_s = 300,
        .rate_burst = 1500,
    };
    read_patience(&options);
    return options;
}

static void on_job_changed(kd_server *server)
{
    kd_loop_poke(server->loop);
}

/* $KINDRED_WEB, --web, or what is shipped; a server without a console is one for systems alone. */
static kd_status load_console(kd_server *server, kd_error *err)
{
    const char *given = server->options.web_dir ? server->options.web_dir : getenv("KINDRED_WEB");
    kd_str shipped = { NULL, 0 };
    if (given && given[0]) return kd_static_load(given, &server->files, err);
    if (kd_data_path(server->arena, "web/dist", &shipped, NULL) != KD_OK) shipped.ptr = NULL;
    return kd_static_load(shipped.ptr, &server->files, err);
}

static kd_status load_contract(kd_server *server, kd_error *err)
{
    kd_str path;
    if (kd_data_path(server->arena, "api/openapi.yaml", &path, NULL) != KD_OK) return KD_OK;
    return kd_file_read(server->arena, path.ptr, CONTRACT_BYTES_MAX, &server->contract, err);
}

static unsigned worker_count(unsigned wanted)
{
    enum { WORKERS_MIN = 2, WORKERS_USUAL_MAX = 16, WORKERS_MAX = 64 };
    unsigned usual = kd_threads() * 2;
    if (wanted) return wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
    return usual < WORKERS_MIN ? WORKERS_MIN : usual > WORKERS_USUAL_MAX ? WORKERS_USUAL_MAX : usual;
}

static kd_status open_register(kd_server *server, kd_error *err)
{
    const char *dir = server->options.register_dir;
    KD_TRY(kd_register_open(dir, false, &server->reg, err));
    server->spool_dir = kd_path_join(server->arena, kd_str_of(dir), KD_STR("spool"));
    if (!server->spool_dir.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    KD_TRY(kd_dir_make(server->spool_dir.ptr, err));
    if (chmod(server->spool_dir.ptr, 0700) != 0) return kd_fail_errno(err, server->spool_dir.ptr, "protect");
    KD_TRY(kd_access_pack_load(NULL, &server->pack, err));
    KD_TRY(kd_births_pack_load(NULL, &server->births, err));
    KD_TRY(kd_jobs_load(server->jobs, kd_register_store(server->reg), err));
    return kd_audit_start(dir, &server->audit, err);
}

static kd_status open_parts(kd_server *server, kd_error *err)
{
    const kd_server_options *options = &server->options;
    KD_TRY(kd_router_new(options->routes ? options->routes : kd_all_routes, &server->router, err));
    KD_TRY(load_console(server, err));
    KD_TRY(load_contract(server, err));
    server->rates = kd_rates_new();
    server->codes = kd_codes_new();
    server->flights = kd_flights_new();
    server->metrics = kd_metrics_new(server->router);
    server->jobs = kd_jobs_new(server, on_job_changed);
    if (!server->rates || !server->codes || !server->flights || !server->metrics || !server->jobs)
        return kd_fail(err, KD_LIMIT, "", "no memory for the server");
    KD_TRY(open_register(server, err));
    KD_TRY(kd_loop_new(server, &server->loop, err));
    KD_TRY(kd_pool_new(server, worker_count(options->workers), options->queue_max, &server->pool, err));
    return kd_keeper_new(server, &server->keeper, err);
}

kd_status kd_server_open(const kd_server_options *options, kd_server **out_server, kd_error *err)
{
    kd_server *server = calloc(1, sizeof *server);
    if (!server || !(server->arena = kd_arena_new(SERVER_ARENA_BYTES))) {
        free(server);
        return kd_fail(err, KD_LIMIT, "", "no memory for the server");
    }
    server->options = *options;
    kd_status status = open_parts(server, err);
    if (status != KD_OK) {
        kd_server_close(server);
        return status;
    }
    *out_server = server;
    return KD_OK;
}

const char *kd_server_address(const kd_server *server)
{
    return server->loop->url;
}

void kd_server_run(kd_server *server)
{
    kd_loop_run(server->loop);
}

void kd_server_stop(kd_server *server)
{
    kd_loop_stop(server->loop);
}

void kd_server_close(kd_server *server)
{
    if (!server) return;
    kd_keeper_free(server->keeper);
    kd_pool_free(server->pool); /* workers and jobs may still tell the loop something */
    kd_jobs_free(server->jobs);
    kd_loop_free(server->loop);
    kd_audit_stop(server->audit);
    kd_access_pack_free(server->pack);
    kd_births_pack_free(server->births);
    kd_register_close(server->reg);
    kd_metrics_free(server->metrics);
    kd_flights_free(server->flights);
    kd_rates_free(server->rates);
    kd_codes_free(server->codes);
    kd_static_free(server->files);
    kd_router_free(server->router);
    kd_arena_free(server->arena);
    free(server);
}
