/* The server over real sockets: what it refuses, what it answers, how it waits and stops. */
#include "server/call.h"
#include "server/server.h"

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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- routes that need nobody signed in ---- */

enum { UPLOAD_MAX = 1 << 20, BIG_BYTES = 6 << 20 };

static kd_status hello(kd_call *call, kd_error *err)
{
    (void)err;
    kd_json_object(&call->out);
    kd_out_text(&call->out, "words", kd_call_words(call, KD_STR("你好"), KD_STR("hello")));
    kd_out_text(&call->out, "q", kd_call_query(call, "q"));
    kd_json_object_end(&call->out);
    kd_call_set_version(call, 7);
    return KD_OK;
}

static kd_status echo(kd_call *call, kd_error *err)
{
    kd_str name;
    KD_TRY(kd_in_text(kd_call_body(call), "name", true, 100, &name, err));
    kd_json_object(&call->out);
    kd_out_text(&call->out, "name", name);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status upload(kd_call *call, kd_error *err)
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

static kd_status big(kd_call *call, kd_error *err)
{
    (void)err;
    call->content_type = "text/plain";
    for (int i = 0; i < BIG_BYTES / 16; i++) kd_buf_cstr(&call->out_bytes, "0123456789abcde\n");
    return KD_OK;
}

static kd_status send_file(kd_call *call, kd_error *err)
{
    kd_str path = kd_path_join(call->arena, kd_str_of(kd_register_dir(call->reg)), KD_STR("big.bin"));
    (void)err;
    call->content_type = "application/octet-stream";
    call->download_name = KD_STR("大.bin");
    call->send_file = path.ptr;
    return KD_OK;
}

static kd_status sleep_a_while(kd_call *call, kd_error *err)
{
    (void)err;
    usleep(300000);
    return hello(call, err);
}

static kd_status fail_io(kd_call *call, kd_error *err)
{
    (void)call;
    return kd_fail(err, KD_IO, "", "the secret place is away");
}

static kd_status change(kd_call *call, kd_error *err)
{
    KD_TRY(kd_call_match_version(call, 7, true, err));
    return hello(call, err);
}

static kd_status work(kd_register *reg, void *ctx, const kd_progress *progress, kd_json *result, kd_error *err)
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

static kd_status start_job(kd_call *call, kd_error *err)
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

static kd_status watch(kd_call *call, kd_error *err)
{
    return kd_call_id(call, 0, &call->watched_job, err);
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

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void *serve(void *arg)
{
    kd_error err;
    (void)arg;
    assert_int_equal(kd_server_run(run.server, &err), KD_OK);
    return NULL;
}

static void start(void (*change_options)(kd_server_options *options))
{
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

static void stop(void)
{
    kd_server_stop(run.server);
    pthread_join(run.thread, NULL);
    kd_server_close(run.server);
}

static void put(const char *dir, const char *name, kd_str bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(kd_file_write(path, bytes, NULL), KD_OK);
}

static int make_folder(void **state)
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

static int remove_folder(void **state)
{
    (void)state;
    return nftw(run.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int start_plain(void **state)
{
    (void)state;
    start(NULL);
    return 0;
}

static int stop_plain(void **state)
{
    (void)state;
    stop();
    return 0;
}

/* ---- a client that hides nothing ---- */

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)run.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, kd_str bytes)
{
    while (bytes.len) {
        ssize_t len = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (len <= 0) return; /* the server may have had enough */
        bytes = kd_str_sub(bytes, (size_t)len, bytes.len);
    }
}

/* All that comes until the server closes, or is silent for `silence_ms`. */
static void hear(int fd, int silence_ms, kd_buf *out)
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

static kd_buf ask(kd_str bytes, int silence_ms)
{
    kd_buf answer;
    kd_buf_init(&answer, 64 << 20);
    int fd = dial();
    say(fd, bytes);
    hear(fd, silence_ms, &answer);
    close(fd);
    return answer;
}

static int status_in(const char *answer)
{
    int64_t status = 0;
    if (strncmp(answer, "HTTP/1.1 ", 9) == 0) (void)kd_str_int((kd_str){ answer + 9, 3 }, &status);
    return (int)status;
}

static size_t count_in(const kd_buf *answer, const char *text)
{
    size_t count = 0;
    for (const char *at = answer->ptr; at && (at = strstr(at, text)); at += strlen(text)) count++;
    return count;
}

/* The status of the only answer to these bytes, after which the server closes. */
static void expect_only(const char *what, kd_str bytes, int status)
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

/* ---- what is refused ---- */

static void doubtful_requests_are_refused_once_and_the_connection_ends(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        kd_str bytes;
        int status;
    } cases[] = {
        { "two lengths", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}X"),
          400 },
        { "two equal lengths",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), 400 },
        { "length and coding",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST
              "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/hello HTTP/1.1\r\n" HOST
              "\r\n"),
          400 },
        { "space before colon", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length : 2\r\n\r\n{}"), 400 },
        { "unknown coding", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
          400 },
        { "coding before chunked",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501 },
        { "line feed in a chunk",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST
              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"),
          400 },
        { "folded field", RAW("GET /api/hello HTTP/1.1\r\n" HOST "X-A: b\r\n c\r\n\r\n"), 400 },
        { "bare line feeds", RAW("GET /api/hello HTTP/1.1\nHost: a\n\n"), 400 },
        { "bare carriage return", RAW("GET /api/hello HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), 400 },
        { "no host", RAW("GET /api/hello HTTP/1.1\r\n\r\n"), 400 },
        { "two hosts", RAW("GET /api/hello HTTP/1.1\r\n" HOST HOST "\r\n"), 400 },
        { "host that is none", RAW("GET /api/hello HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400 },
        { "NUL in a value", RAW("GET /api/hello HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), 400 },
        { "NUL in the path", RAW("GET /api/\0hello HTTP/1.1\r\n" HOST "\r\n"), 400 },
        { "signed length", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length: +2\r\n\r\n{}"), 400 },
        { "huge length", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n{}"),
          400 },
        { "length beyond the limit", RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n{}"),
          413 },
        { "unknown method", RAW("BREW /api/hello HTTP/1.1\r\n" HOST "\r\n"), 501 },
        { "HTTP/2 by its preface", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
        { "no version", RAW("GET /api/hello\r\n\r\n"), 505 },
        { "no path", RAW("GET api/hello HTTP/1.1\r\n" HOST "\r\n"), 400 },
        { "bad chunk size",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST
              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
          400 },
        { "unknown expectation",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST "Expect: miracles\r\nContent-Length: 2\r\n\r\n{}"), 417 },
        { "blank lines", RAW("\r\n\r\n\r\n\r\n"), 400 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_only(cases[i].what, cases[i].bytes, cases[i].status);
}

static void too_much_head_is_refused(void **state)
{
    (void)state;
    kd_buf request;
    kd_buf_init(&request, 1 << 20);
    kd_buf_cstr(&request, "GET /api/hello?q=");
    for (int i = 0; i < 5000; i++) kd_buf_char(&request, 'a');
    kd_buf_cstr(&request, " HTTP/1.1\r\n" HOST "\r\n");
    expect_only("a long address", kd_buf_view(&request), 414);
    kd_buf_clear(&request);
    kd_buf_cstr(&request, "GET /api/hello HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 80; i++) kd_buf_fmt(&request, "X-%d: a\r\n", i);
    kd_buf_cstr(&request, "\r\n");
    expect_only("many fields", kd_buf_view(&request), 431);
    kd_buf_clear(&request);
    kd_buf_cstr(&request, "GET /api/hello HTTP/1.1\r\n" HOST "X: ");
    for (int i = 0; i < 20000; i++) kd_buf_char(&request, 'a');
    kd_buf_cstr(&request, "\r\n\r\n");
    expect_only("a long field", kd_buf_view(&request), 431);
    kd_buf_done(&request);
}

static int get_status(const char *method, const char *path, const char *fields)
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

static void tricks_with_paths_reach_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        { "/../kindred.yaml", 400 },
        { "/%2e%2e/kindred.yaml", 400 },
        { "/assets/..%2f..%2fkindred.yaml", 400 },
        { "/..%5ckindred.yaml", 400 },
        { "//etc/passwd", 400 },
        { "/%00", 400 },
        { "/assets/%zz", 400 },
        { "/%c0%ae%c0%ae/a", 400 },
        { "/assets/%ff", 400 },
        { "/assets/nothing.js", 404 },
        { "/api/nothing", 404 },
        { "/a/b/c/d/e/f/g/h/i/j/k/l/m", 400 },
        { "/api/work/short/events", 404 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (get_status("GET", cases[i].path, "") != cases[i].status) fail_msg("%s", cases[i].path);
}

/* ---- what is answered ---- */

static void expect_in(const char *request, const char *const *texts)
{
    kd_buf answer = ask(kd_str_of(request), 3000);
    for (; *texts; texts++)
        if (!strstr(answer.ptr, *texts)) fail_msg("no '%s' in: %.600s", *texts, answer.ptr);
    kd_buf_done(&answer);
}
#define EXPECT_IN(request, ...) \
    expect_in("" request "Connection: close\r\n\r\n", (const char *const[]){ __VA_ARGS__, NULL })

static void plain_requests_are_answered(void **state)
{
    (void)state;
    EXPECT_IN("GET /api/hello?q=%E5%90%B4+b HTTP/1.1\r\n" HOST, "200 OK", "{\"words\":\"你好\",\"q\":\"吴 b\"}",
              "ETag: \"7\"", "Cache-Control: no-store", "X-Request-Id: ", "nosniff");
    EXPECT_IN("GET http://b:80/api/hello HTTP/1.1\r\n" HOST "Accept-Language: en-GB, zh;q=0.5\r\n", "200 OK", "hello");
    EXPECT_IN("GET /api/hello HTTP/1.1\r\n" HOST "X-Request-Id: from-outside-1\r\n",
              "X-Request-Id: from-outside-1\r\n");
    EXPECT_IN("GET /api/hello HTTP/1.1\r\n" HOST "If-None-Match: \"7\"\r\n", "304 Not Modified");
    EXPECT_IN("GET /api/hello HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n", "200 OK");
    EXPECT_IN("OPTIONS /api/hello HTTP/1.1\r\n" HOST, "204 No Content", "Allow: GET, HEAD, PUT, OPTIONS");
    EXPECT_IN("OPTIONS * HTTP/1.1\r\n" HOST, "204 No Content");
    EXPECT_IN("DELETE /api/hello HTTP/1.1\r\n" HOST, "405 Method", "Allow: GET, HEAD, PUT, OPTIONS", "problem+json");
    EXPECT_IN("GET /api/closed HTTP/1.1\r\n" HOST, "401 Unauthorized", "urn:kindred:problem:not-signed-in",
              "WWW-Authenticate");
    EXPECT_IN("GET /api/hello?q=%zz HTTP/1.1\r\n" HOST, "400 Bad");
    EXPECT_IN("PUT /api/hello HTTP/1.1\r\n" HOST, "428 Precondition Required");
    EXPECT_IN("PUT /api/hello HTTP/1.1\r\n" HOST "If-Match: \"6\"\r\n", "412 Precondition Failed");
    EXPECT_IN("PUT /api/hello HTTP/1.1\r\n" HOST "If-Match: \"7\"\r\n", "200 OK");
    EXPECT_IN("GET /healthz HTTP/1.1\r\n" HOST, "{\"status\":\"ok\"}");
    EXPECT_IN("GET /readyz HTTP/1.1\r\n" HOST, "{\"status\":\"ok\"}");
    EXPECT_IN("GET /metrics HTTP/1.1\r\n" HOST,
              "kindred_requests_total{method=\"GET\",route=\"/api/hello\",status=\"200\"}",
              "kindred_request_seconds_bucket");
}

static void head_has_the_length_and_no_body(void **state)
{
    (void)state;
    kd_buf answer = ask(KD_STR("HEAD /api/hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 3000);
    assert_non_null(strstr(answer.ptr, "Content-Length: 25\r\n"));
    assert_non_null(strstr(answer.ptr, "\r\n\r\n"));
    assert_string_equal(strstr(answer.ptr, "\r\n\r\n"), "\r\n\r\n");
    kd_buf_done(&answer);
}

static void a_failure_is_a_problem_document_and_tells_no_secret(void **state)
{
    (void)state;
    EXPECT_IN("GET /api/away HTTP/1.1\r\n" HOST, "503 Service", "Retry-After: ", "urn:kindred:problem:unavailable");
    kd_buf answer = ask(KD_STR("GET /api/away HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 3000);
    assert_null(strstr(answer.ptr, "secret"));
    kd_buf_done(&answer);
    EXPECT_IN("GET /api/hello HTTP/1.1\r\n" HOST, "200 OK"); /* on a fresh connection to the database */
}

static int post_json(const char *type, const char *body, const char *expected)
{
    kd_buf request;
    kd_buf_init(&request, 4 << 20);
    kd_buf_fmt(&request,
               "POST /api/echo HTTP/1.1\r\n" HOST
               "Connection: close\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
               type, strlen(body));
    kd_buf_cstr(&request, body);
    kd_buf answer = ask(kd_buf_view(&request), 3000);
    int status = status_in(answer.ptr);
    if (expected && !strstr(answer.ptr, expected)) fail_msg("no '%s' in: %.400s", expected, answer.ptr);
    kd_buf_done(&answer);
    kd_buf_done(&request);
    return status;
}

static void bodies_are_read_strictly(void **state)
{
    (void)state;
    assert_int_equal(post_json("application/json; charset=utf-8", "{\"name\":\"吴\"}", "{\"name\":\"吴\"}"), 200);
    assert_int_equal(post_json("text/plain", "{\"name\":\"a\"}", "unsupported-media"), 415);
    assert_int_equal(post_json("application/json", "{\"name\":\"a\",\"name\":\"b\"}", "malformed"), 400);
    assert_int_equal(post_json("application/json", "[]", NULL), 400);
    assert_int_equal(post_json("application/json", "{\"name\":\"a\xff\"}", NULL), 400);
    assert_int_equal(post_json("application/json", "{\"name\":\"a\\u0000\"}", NULL), 400);
    assert_int_equal(post_json("application/json", "{\"name\":\"a\\u0001\"}", "\"field\":\"/name\""), 422);
    assert_int_equal(post_json("application/json", "{\"name\":7}", "\"field\":\"/name\""), 422);
    assert_int_equal(post_json("application/json", "{}", "\"field\":\"/name\""), 422);
}

static void answers_keep_the_order_of_pipelined_requests(void **state)
{
    (void)state;
    kd_buf request;
    kd_buf_init(&request, 1 << 20);
    for (int i = 0; i < 40; i++) {
        kd_buf_fmt(&request, "GET /api/%s?q=n%02d HTTP/1.1\r\n" HOST "\r\n", i % 13 == 3 ? "slow" : "hello", i);
        kd_buf_cstr(&request, "GET /assets/index-4f2a.js HTTP/1.1\r\n" HOST "\r\n");
        kd_buf_fmt(&request,
                   "POST /api/echo HTTP/1.1\r\n" HOST
                   "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "4\r\n{\"na\r\n%x\r\nme\":\"m%02d\"}\r\n0\r\nTrailer: a\r\n\r\n",
                   10, i);
    }
    kd_buf answer = ask(kd_buf_view(&request), 1500);
    assert_int_equal(count_in(&answer, "HTTP/1.1 200 OK"), 120);
    const char *at = answer.ptr;
    for (int i = 0; i < 40; i++) {
        char first[16], second[16];
        snprintf(first, sizeof first, "\"n%02d\"", i);
        snprintf(second, sizeof second, "\"m%02d\"", i);
        assert_non_null(at = strstr(at, first));
        assert_non_null(at = strstr(at, "plain"));
        assert_non_null(at = strstr(at, second));
    }
    kd_buf_done(&answer);
    kd_buf_done(&request);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    static const char request[] =
        "POST /api/echo HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Type: application/json\r\n"
        "Content-Length: 12\r\n\r\n{\"name\":\"a\"}";
    int fd = dial();
    kd_buf answer;
    kd_buf_init(&answer, 1 << 20);
    for (size_t i = 0; i < sizeof request - 1; i++) say(fd, (kd_str){ request + i, 1 });
    hear(fd, 3000, &answer);
    close(fd);
    assert_int_equal(status_in(answer.ptr), 200);
    kd_buf_done(&answer);
}

/* ---- files ---- */

static void the_console_is_served_with_care(void **state)
{
    (void)state;
    EXPECT_IN("GET / HTTP/1.1\r\n" HOST, "200 OK", "<title>亲源</title>", "Cache-Control: no-cache",
              "frame-ancestors 'none'", "default-src 'self'");
    EXPECT_IN("GET /persons/01K9 HTTP/1.1\r\n" HOST, "200 OK", "<title>亲源</title>");
    EXPECT_IN("GET /assets/index-4f2a.js HTTP/1.1\r\n" HOST, "'plain'", "max-age=31536000, immutable",
              "Vary: Accept-Encoding", "Content-Type: text/javascript");
    EXPECT_IN("GET /assets/index-4f2a.js HTTP/1.1\r\n" HOST "Accept-Encoding: gzip, br\r\n", "pretend brotli",
              "Content-Encoding: br");
    EXPECT_IN("GET /assets/index-4f2a.js HTTP/1.1\r\n" HOST "Accept-Encoding: gzip, br;q=0\r\n", "pretend gzip");
    EXPECT_IN("GET /assets/index-4f2a.js HTTP/1.1\r\n" HOST "If-None-Match: *\r\n", "304 Not Modified");
    EXPECT_IN("POST /assets/index-4f2a.js HTTP/1.1\r\n" HOST, "405 Method");
}

static size_t body_bytes(const kd_buf *answer)
{
    const char *body = strstr(answer->ptr, "\r\n\r\n");
    return body ? answer->len - (size_t)(body + 4 - answer->ptr) : 0;
}

static void large_answers_wait_for_a_slow_reader(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t bytes;
    } cases[] = { { "/api/big", BIG_BYTES }, { "/api/file", 3 << 20 } };
    for (size_t i = 0; i < 2; i++) {
        kd_buf answer, request;
        kd_buf_init(&answer, 64 << 20);
        kd_buf_init(&request, 1024);
        kd_buf_fmt(&request, "GET %s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", cases[i].path);
        int fd = dial(), small = 65536;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        say(fd, kd_buf_view(&request));
        usleep(200000);
        hear(fd, 3000, &answer);
        assert_int_equal(body_bytes(&answer), cases[i].bytes);
        close(fd);
        kd_buf_done(&answer);
        kd_buf_done(&request);
    }
}

static size_t count_spooled(void)
{
    char path[160];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/spool", run.reg);
    DIR *folder = opendir(path);
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void uploads_are_streamed_within_their_limit(void **state)
{
    (void)state;
    kd_buf request;
    kd_buf_init(&request, 4 << 20);
    kd_buf_fmt(&request, "POST /api/upload HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: %d\r\n\r\n",
               900000);
    for (int i = 0; i < 900000; i++) kd_buf_char(&request, 'a');
    kd_buf answer = ask(kd_buf_view(&request), 3000);
    assert_non_null(strstr(answer.ptr, "{\"bytes\":900000,\"sum\":87300000}"));
    kd_buf_done(&answer);
    kd_buf_clear(&request);
    kd_buf_cstr(&request,
                "POST /api/upload HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 300; i++) kd_buf_fmt(&request, "1000\r\n%04096d\r\n", i);
    kd_buf_cstr(&request, "0\r\n\r\n");
    answer = ask(kd_buf_view(&request), 3000);
    assert_non_null(strstr(answer.ptr, "100 Continue"));
    assert_non_null(strstr(answer.ptr, "413 Content Too Large")); /* 1.2 MB without having told */
    kd_buf_done(&answer);
    kd_buf_done(&request);
    assert_int_equal(count_spooled(), 0);
}

static void an_upload_cut_off_leaves_nothing(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, KD_STR("POST /api/upload HTTP/1.1\r\n" HOST "Content-Length: 500000\r\n\r\n"));
    for (int i = 0; i < 100; i++) say(fd, KD_STR("0123456789"));
    usleep(200000);
    assert_int_equal(count_spooled(), 1);
    close(fd);
    usleep(300000);
    assert_int_equal(count_spooled(), 0);
}

/* ---- jobs ---- */

static void a_job_is_watched_to_its_end(void **state)
{
    (void)state;
    kd_buf answer = ask(KD_STR("POST /api/work HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 3000);
    const char *id = strstr(answer.ptr, "\"id\":\"");
    assert_non_null(id);
    kd_buf request;
    kd_buf_init(&request, 1024);
    kd_buf_fmt(&request, "GET /api/work/%.13s/events HTTP/1.1\r\n" HOST "Accept-Language: en\r\n\r\n", id + 6);
    kd_buf events = ask(kd_buf_view(&request), 3000);
    assert_non_null(strstr(events.ptr, "Content-Type: text/event-stream"));
    assert_non_null(strstr(events.ptr, "event: progress\ndata: {\"id\":\""));
    assert_non_null(strstr(events.ptr, "event: done\ndata: "));
    assert_non_null(strstr(events.ptr, "\"result\":{\"made\":42}"));
    assert_non_null(strstr(events.ptr, "\"title\":\"A trial\""));
    kd_buf_done(&events);
    kd_buf_done(&request);
    kd_buf_done(&answer);
}

/* ---- limits of time and number ---- */

static void be_impatient(kd_server_options *options)
{
    options->head_ms = options->body_ms = options->write_ms = 400;
    options->idle_ms = 800;
    options->connections_max = 20;
}

static void slow_peers_are_let_go(void **state)
{
    (void)state;
    start(be_impatient);
    static const struct {
        kd_str bytes;
        const char *expected;
    } cases[] = {
        { RAW("GET /api/hello HTTP/1.1\r\nHos"), " 408 " },
        { RAW("POST /api/echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"),
          " 408 " },
        { RAW("POST /api/upload HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n{"), " 408 " },
        { RAW(""), "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double began = kd_seconds();
        kd_buf answer = ask(cases[i].bytes, 5000);
        assert_true(kd_seconds() - began < 4);
        assert_non_null(strstr(answer.ptr, cases[i].expected));
        kd_buf_done(&answer);
    }
    int fd = dial(), small = 4096; /* asks for much and reads nothing */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, KD_STR("GET /api/big HTTP/1.1\r\n" HOST "\r\n"));
    usleep(100000);
    int fds[19];
    for (int i = 0; i < 19; i++) fds[i] = dial();
    kd_buf refused = ask(KD_STR("GET /healthz HTTP/1.1\r\n" HOST "\r\n"), 1000);
    assert_int_equal(refused.len, 0); /* the twenty-first */
    kd_buf_done(&refused);
    for (int i = 0; i < 19; i++) close(fds[i]);
    close(fd);
    stop();
}

static void be_small(kd_server_options *options)
{
    options->workers = 1;
    options->queue_max = 2;
    options->rate_per_s = 0;
}

static void a_full_queue_is_told_and_health_still_answers(void **state)
{
    (void)state;
    start(be_small);
    int fds[12];
    size_t busy = 0, done = 0;
    for (int i = 0; i < 12; i++) {
        fds[i] = dial();
        say(fds[i], KD_STR("GET /api/slow HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    }
    assert_int_equal(get_status("GET", "/healthz", ""), 200);
    for (int i = 0; i < 12; i++) {
        kd_buf answer;
        kd_buf_init(&answer, 1 << 16);
        hear(fds[i], 5000, &answer);
        busy += status_in(answer.ptr) == 503 && strstr(answer.ptr, "Retry-After: ") != NULL;
        done += status_in(answer.ptr) == 200;
        kd_buf_done(&answer);
        close(fds[i]);
    }
    assert_true(done >= 2 && busy >= 8);
    assert_int_equal(done + busy, 12);
    stop();
}

static void be_strict(kd_server_options *options)
{
    options->rate_per_s = 1;
    options->rate_burst = 5;
}

static void an_address_that_asks_too_much_is_told_when_to_come_back(void **state)
{
    (void)state;
    start(be_strict);
    int too_many = 0;
    for (int i = 0; i < 10; i++) too_many += get_status("GET", "/api/hello", "") == 429;
    assert_in_range(too_many, 4, 5);
    assert_int_equal(get_status("GET", "/healthz", ""), 200);
    stop();
}

static void a_stop_lets_what_runs_be_answered(void **state)
{
    (void)state;
    start(NULL);
    int fd = dial(), idle = dial();
    say(fd, KD_STR("GET /api/slow HTTP/1.1\r\n" HOST "\r\n"));
    usleep(100000);
    double began = kd_seconds();
    kd_server_stop(run.server);
    kd_buf answer;
    kd_buf_init(&answer, 1 << 16);
    hear(fd, 3000, &answer);
    assert_int_equal(status_in(answer.ptr), 200);
    assert_non_null(strstr(answer.ptr, "Connection: close"));
    close(fd);
    close(idle);
    stop();
    assert_true(kd_seconds() - began < 3);
    kd_buf_done(&answer);
}

int main(void)
{
#define ON_PLAIN(test) cmocka_unit_test_setup_teardown(test, start_plain, stop_plain)
    const struct CMUnitTest tests[] = {
        ON_PLAIN(doubtful_requests_are_refused_once_and_the_connection_ends),
        ON_PLAIN(too_much_head_is_refused),
        ON_PLAIN(tricks_with_paths_reach_nothing),
        ON_PLAIN(plain_requests_are_answered),
        ON_PLAIN(head_has_the_length_and_no_body),
        ON_PLAIN(a_failure_is_a_problem_document_and_tells_no_secret),
        ON_PLAIN(bodies_are_read_strictly),
        ON_PLAIN(answers_keep_the_order_of_pipelined_requests),
        ON_PLAIN(a_request_may_come_byte_by_byte),
        ON_PLAIN(the_console_is_served_with_care),
        ON_PLAIN(large_answers_wait_for_a_slow_reader),
        ON_PLAIN(uploads_are_streamed_within_their_limit),
        ON_PLAIN(an_upload_cut_off_leaves_nothing),
        ON_PLAIN(a_job_is_watched_to_its_end),
        cmocka_unit_test(slow_peers_are_let_go),
        cmocka_unit_test(a_full_queue_is_told_and_health_still_answers),
        cmocka_unit_test(an_address_that_asks_too_much_is_told_when_to_come_back),
        cmocka_unit_test(a_stop_lets_what_runs_be_answered),
    };
    return cmocka_run_group_tests_name("http", tests, make_folder, remove_folder);
}
