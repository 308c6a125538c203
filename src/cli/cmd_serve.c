/* `kindred serve`: the server until it is told to stop. */
#include "cli.h"
#include "server/server.h"

#include <string.h>

static const kd_option OPTIONS[] = {
    { "listen", "ADDR:PORT", "where to listen (127.0.0.1:8080); port 0 picks one" },
    { "workers", "N", "threads for requests (two for each core)" },
    { "web", "DIR", "the built console (else KINDRED_WEB, else the shipped one)" },
    { "tls-cert", "FILE", "certificate chain in PEM: speak TLS" },
    { "tls-key", "FILE", "its key in PEM" },
    { "behind-proxy", NULL, "believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy of yours" },
    { "rate", "N", "requests a second from one address (300; 0: as many as come)" },
    { NULL, NULL, NULL },
};

/* The address goes to standard output when connections are taken: whoever started the server waits for it. */
static bool tell_address(const kd_args *args, const char *address)
{
    kd_buf out;
    kd_buf_init(&out, 1024);
    if (args->is_json) {
        kd_json json;
        kd_json_init(&json, &out);
        kd_json_object(&json);
        kd_json_kstr(&json, "address", kd_str_of(address));
        kd_json_object_end(&json);
    } else {
        kd_buf_cstr(&out, address);
    }
    int code = kd_cli_print(&out);
    kd_buf_done(&out);
    return code == KD_EXIT_OK;
}

static int run_serve(const kd_args *args)
{
    kd_server_options options = kd_server_defaults();
    int64_t workers, rate;
    if (args->positional_count) return kd_cli_usage(args, "no argument is expected");
    if (!kd_arg_int(args, "workers", 0, &workers) || !kd_arg_int(args, "rate", (int64_t)options.rate_per_s, &rate))
        return KD_EXIT_USAGE;
    if (workers < 0 || workers > 64) return kd_cli_usage(args, "--workers wants 1 to 64, or 0 for two a core");
    if (rate < 0) return kd_cli_usage(args, "--rate wants 0 or more");
    options.register_dir = args->register_dir;
    if (kd_arg(args, "listen")) options.listen = kd_arg(args, "listen");
    options.web_dir = kd_arg(args, "web");
    options.tls_cert = kd_arg(args, "tls-cert");
    options.tls_key = kd_arg(args, "tls-key");
    if (!options.tls_cert != !options.tls_key) return kd_cli_usage(args, "--tls-cert and --tls-key go together");
    options.behind_proxy = kd_arg(args, "behind-proxy") != NULL;
    options.workers = (unsigned)workers;
    options.rate_burst = (double)rate / options.rate_per_s * options.rate_burst;
    options.rate_per_s = (double)rate;
    options.handles_signals = true;
    kd_error err;
    kd_server *server;
    kd_status status = kd_server_open(&options, &server, &err);
    if (status == KD_INVALID && strcmp(err.field, "listen") == 0)
        return kd_cli_usage(args, "%s: %s", err.message, err.hint);
    if (status != KD_OK) return kd_cli_fail(args, &err);
    bool is_told = tell_address(args, kd_server_address(server));
    if (is_told) kd_server_run(server);
    kd_server_close(server);
    return is_told ? KD_EXIT_OK : KD_EXIT_FAILED;
}

const kd_command kd_cmd_serve = {
    .name = "serve",
    .summary = "serve the console and the API",
    .usage = "serve [--register DIR] [--listen ADDR:PORT] [--workers N] [--web DIR] [--tls-cert FILE --tls-key FILE] "
             "[--behind-proxy]",
    .details =
        "Prints its address when it takes connections. SIGTERM and SIGINT stop it: it answers what it has begun.\n"
        "Under systemd it takes the sockets it is handed and tells when it is ready. docs/server.md tells more.",
    .options = OPTIONS,
    .run = run_serve,
};
