/*
 * A server over a register of the test's own with routes that need nobody signed in, and a client that hides nothing. Included by
 * each program of tests once.
 */
#ifndef KD_TEST_HTTP_PLACE_H
#define KD_TEST_HTTP_PLACE_H

#include "server/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- routes that need nobody signed in ---- */

enum { UPLOAD_MAX = 1 << 20, BIG_BYTES = 6 << 20 };

__attribute__((unused)) static kd_status hello(kd_call *call, kd_error *err)
{
    (void)err;
    kd_json_object(&call->out);
    kd_out_text(&call->out, "words", kd_call_words(call, KD_STR("你好"), KD_STR("hello")));
    kd_out_text(&call->out, "q", kd_call_query(call, "q"));
    kd_json_object_end(&call->out);
    kd_call_set_version(call, 7);
    return KD_OK;
}

__attribute__((unused)) static kd_status echo(kd_call *call, kd_error *err)
{
    kd_str name;
    KD_TRY(kd_in_text(kd_call_body(call), "name", true, 100, &name, err));
    kd_json_object(&call->out);
    kd_out_text(&call->out, "name", name);
    kd_json_object_end(&call->out);
    return KD_OK;
}

__attribute__((unused)) static kd_status upload(kd_call *call, kd_error *err)
{
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(call->file, &mapping, err));
    uint64_t sum = 0;
    for (size_t i = 0; i < mapping.bytes.len; i++) sum += (unsigned char)mapping.bytes.ptr[i];
    kd_json_object(&call->out);
    kd_json_kint(&call->out, "bytes", (int64_t)mapping.bytes.len);
    kd_json_kint(&call->out, "sum", (int64_t)sum);
    kd_json_object_end(&call->out);
    kd_mapping_close(&mapping);
    return KD_OK;
}

__attribute__((unused)) static kd_status big(kd_call *call, kd_error *err)
{
    (void)err;
    call->content_type = "text/plain";
    for (int i = 0; i < BIG_BYTES / 16; i++) kd_buf_cstr(&call->out_bytes, "0123456789abcde\n");
    return KD_OK;
}

__attribute__((unused)) static kd_status send_file(kd_call *call, kd_error *err)
{
    kd_str path = kd_path_join(call->arena, kd_str_of(kd_register_dir(call->reg)), KD_STR("big.bin"));
    (void)err;
    call->content_type = "application/octet-stream";
    call->download_name = KD_STR("大.bin");
    call->send_file = path.ptr;
    return KD_OK;
}

__attribute__((unused)) static kd_status sleep_a_while(kd_call *call, kd_error *err)
{
    (void)err;
    usleep(300000);
    return hello(call, err);
}

__attribute__((unused)) static kd_status fail_io(kd_call *call, kd_error *err)
{
    (void)call;
    return kd_fail(err, KD_IO, "", "the secret place is away");
}

__attribute__((unused)) static kd_status change(kd_call *call, kd_error *err)
{
    KD_TRY(kd_call_match_version(call, 7, true, err));
    return hello(call, err);
}

__attribute__((unused)) static kd_status work(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result,
                                              kd_error *err)
{
    (void)reg;
    (void)ctx;
    for (uint64_t i = 0; i < 20; i++) {
        if (kd_progress_cancelled(progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
        kd_progress_report(progress, i < 10 ? "first" : "second", i, 20);
        usleep(10000);
    }
    kd_json_object(result);
    kd_json_kint(result, "made", 42);
    kd_json_object_end(result);
    return KD_OK;
}

__attribute__((unused)) static kd_status start_job(kd_call *call, kd_error *err)
{
    const kd_job_spec spec = { .kind = "test", .run = work, .title_zh = KD_STR("试验"), .title_en = KD_STR("A trial") };
    int64_t id;
    KD_TRY(kd_call_start_job(call, &spec, &id, err));
    call->status = 202;
    kd_json_object(&call->out);
    kd_out_id(&call->out, "id", id);
    kd_json_object_end(&call->out);
    return KD_OK;
}

__attribute__((unused)) static kd_status watch(kd_call *call, kd_error *err)
{
    KD_TRY(kd_call_id(call, 0, &call->watched_job, err));
    return kd_jobs_recall(call->server->jobs, kd_register_store(call->reg), call->watched_job, err);
}

static const kd_route ROUTES[] = {
    { .method = "GET", .path = "/api/hello", .permission = "-", .run = hello },
    { .method = "PUT", .path = "/api/hello", .permission = "-", .run = change },
    { .method = "POST", .path = "/api/echo", .permission = "-", .body = KD_BODY_JSON, .run = echo },
    { .method = "POST",
      .path = "/api/upload",
      .permission = "-",
      .body = KD_BODY_FILE,
      .bytes_max = UPLOAD_MAX,
      .run = upload },
    { .method = "GET", .path = "/api/big", .permission = "-", .run = big },
    { .method = "GET", .path = "/api/file", .permission = "-", .run = send_file },
    { .method = "GET", .path = "/api/slow", .permission = "-", .run = sleep_a_while },
    { .method = "GET", .path = "/api/away", .permission = "-", .run = fail_io },
    { .method = "POST", .path = "/api/work", .permission = "-", .run = start_job },
    { .method = "GET", .path = "/api/work/{id}/events", .permission = "-", .is_stream = true, .run = watch },
    { .method = "GET", .path = "/api/closed", .permission = "overview.read", .run = hello },
    { .method = NULL },
};
static const kd_route *const TABLES[] = { ROUTES, kd_routes_session, kd_routes_reference, NULL };

/* ---- a server for the tests ---- */

static struct {
    char folder[64];
    char reg[96], web[96];
    kd_server *server;
    pthread_t thread;
    int port;
} run;

__attribute__((unused)) static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

__attribute__((unused)) static void *serve(void *arg)
{
    (void)arg;
    kd_server_run(run.server);
    return NULL;
}

__attribute__((unused)) static void start(void (*change_options)(kd_server_options *options))
{
    signal(SIGPIPE, SIG_IGN); /* as the program does: a peer may be gone */
    kd_error err;
    kd_server_options options = kd_server_defaults();
    options.register_dir = run.reg;
    options.web_dir = run.web;
    options.listen = "127.0.0.1:0";
    options.routes = TABLES;
    options.workers = 2;
    options.rate_per_s = 0;
    if (change_options) change_options(&options);
    if (kd_server_open(&options, &run.server, &err) != KD_OK) fail_msg("%s", err.message);
    const char *colon = strrchr(kd_server_address(run.server), ':');
    int64_t port;
    assert_true(kd_str_int(kd_str_of(colon + 1), &port));
    run.port = (int)port;
    assert_int_equal(pthread_create(&run.thread, NULL, serve, NULL), 0);
}

__attribute__((unused)) static void stop(void)
{
    kd_server_stop(run.server);
    pthread_join(run.thread, NULL);
    kd_server_close(run.server);
}

__attribute__((unused)) static void put(const char *dir, const char *name, kd_str bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(kd_file_write(path, bytes, NULL), KD_OK);
}

__attribute__((unused)) static int make_folder(void **state)
{
    (void)state;
    kd_error err;
    char assets[128];
    setenv("KINDRED_LOG", "error", 1);
    snprintf(run.folder, sizeof run.folder, "%s/kd_http_XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(run.folder)) return -1;
    snprintf(run.reg, sizeof run.reg, "%s/reg", run.folder);
    snprintf(run.web, sizeof run.web, "%s/web", run.folder);
    snprintf(assets, sizeof assets, "%s/assets", run.web);
    if (kd_register_init(run.reg, NULL, NULL, &err) != KD_OK) fail_msg("%s", err.message);
    assert_int_equal(kd_dir_make(assets, NULL), KD_OK);
    put(run.web, "index.html", KD_STR("<!doctype html><title>亲源</title>"));
    put(assets, "index-4f2a.js", KD_STR("console.log('plain')"));
    put(assets, "index-4f2a.js.br", KD_STR("pretend brotli"));
    put(assets, "index-4f2a.js.gz", KD_STR("pretend gzip"));
    char *bytes = malloc(3 << 20);
    for (int i = 0; i < 3 << 20; i++) bytes[i] = (char)(i * 31 >> 3);
    put(run.reg, "big.bin", (kd_str){ bytes, 3 << 20 });
    free(bytes);
    return 0;
}

__attribute__((unused)) static int remove_folder(void **state)
{
    (void)state;
    return nftw(run.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static int start_plain(void **state)
{
    (void)state;
    start(NULL);
    return 0;
}

__attribute__((unused)) static int stop_plain(void **state)
{
    (void)state;
    stop();
    return 0;
}

/* ---- a client that hides nothing ---- */

__attribute__((unused)) static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)run.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

__attribute__((unused)) static void say(int fd, kd_str bytes)
{
    while (bytes.len) {
        ssize_t len = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (len <= 0) return; /* the server may have had enough */
        bytes = kd_str_sub(bytes, (size_t)len, bytes.len);
    }
}

/* All that comes until the server closes, or is silent for `silence_ms`. */
__attribute__((unused)) static void hear(int fd, int silence_ms, kd_buf *out)
{
    char bytes[65536];
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    while (poll(&poll_fd, 1, silence_ms) > 0) {
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);
        if (len <= 0) break;
        kd_buf_add(out, bytes, (size_t)len);
    }
    kd_buf_char(out, '\0');
    assert_int_equal(out->status, KD_OK);
    out->len--;
}

__attribute__((unused)) static kd_buf ask(kd_str bytes, int silence_ms)
{
    kd_buf answer;
    kd_buf_init(&answer, 64 << 20);
    int fd = dial();
    say(fd, bytes);
    hear(fd, silence_ms, &answer);
    close(fd);
    return answer;
}

__attribute__((unused)) static int status_in(const char *answer)
{
    int64_t status = 0;
    if (strncmp(answer, "HTTP/1.1 ", 9) == 0) (void)kd_str_int((kd_str){ answer + 9, 3 }, &status);
    return (int)status;
}

__attribute__((unused)) static size_t count_in(const kd_buf *answer, const char *text)
{
    size_t count = 0;
    for (const char *at = answer->ptr; at && (at = strstr(at, text)); at += strlen(text)) count++;
    return count;
}

/* The status of the only answer to these bytes, after which the server closes. */
__attribute__((unused)) static void expect_only(const char *what, kd_str bytes, int status)
{
    kd_buf answer = ask(bytes, 3000);
    if (status_in(answer.ptr) != status || count_in(&answer, "HTTP/1.1 ") != 1)
        fail_msg("%s: expected one %d, got: %.200s", what, status, answer.ptr);
    kd_buf_done(&answer);
}

#define RAW(text)                 \
    {                             \
        "" text, sizeof(text) - 1 \
    }
#define HOST "Host: a\r\n"

__attribute__((unused)) static int get_status(const char *method, const char *path, const char *fields)
{
    kd_buf request;
    kd_buf_init(&request, 1 << 16);
    kd_buf_fmt(&request, "%s %s HTTP/1.1\r\n" HOST "Connection: close\r\n%s\r\n", method, path, fields);
    kd_buf answer = ask(kd_buf_view(&request), 3000);
    int status = status_in(answer.ptr);
    kd_buf_done(&answer);
    kd_buf_done(&request);
    return status;
}

__attribute__((unused)) static void expect_in(const char *request, const char *const *texts)
{
    kd_buf answer = ask(kd_str_of(request), 3000);
    for (; *texts; texts++)
        if (!strstr(answer.ptr, *texts)) fail_msg("no '%s' in: %.600s", *texts, answer.ptr);
    kd_buf_done(&answer);
}
#define EXPECT_IN(request, ...) \
    expect_in("" request "Connection: close\r\n\r\n", (const char *const[]){ __VA_ARGS__, NULL })

#endif
