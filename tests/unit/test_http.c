/* The server over real sockets: what it refuses and what it answers. */
#include "http_place.h"

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
        { "unknown method", RAW("BREW /api/hello HTTP/1.1\r\n" HOST "\r\n"), 405 },
        { "HTTP/2 by its preface", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
        { "no version", RAW("GET /api/hello\r\n\r\n"), 505 },
        { "no path", RAW("GET api/hello HTTP/1.1\r\n" HOST "\r\n"), 400 },
        { "bad chunk size",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST
              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
          400 },
        { "bytes after a chunk",
          RAW("POST /api/echo HTTP/1.1\r\n" HOST
              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}X\r\n0\r\n\r\n"),
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
    };
    return cmocka_run_group_tests_name("http", tests, make_folder, remove_folder);
}
