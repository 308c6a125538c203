/* Parts of the server without sockets: reading in any pieces, the router, small grammars, buckets. */
#include "server/conn.h"
#include "server/rate.h"
#include "server/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* ---- a reading side whose requests are told as text ---- */

typedef struct {
    kd_conn conn;
    kd_request *out;
    kd_buf told;
} peer;

static kd_take on_head(void *ctx, kd_request *request)
{
    peer *p = ctx;
    p->out = request;
    p->conn.body_max = 64;
    kd_buf_fmt(&p->told, "%s %.*s?%.*s", request->method, KD_FMT(request->path), KD_FMT(request->query));
    return KD_TAKE_MEMORY;
}

static bool on_body(void *ctx, kd_request *request, const char *bytes, size_t len)
{
    (void)ctx;
    (void)request;
    (void)bytes;
    (void)len;
    return true;
}

static void on_done(void *ctx, kd_request *request)
{
    peer *p = ctx;
    kd_buf_fmt(&p->told, " [%.*s]%s\n", KD_FMT(kd_buf_view(&request->body)), request->keeps_alive ? "" : " last");
}

static void on_refused(void *ctx, kd_request *request, int status, const char *reason)
{
    peer *p = ctx;
    (void)request;
    (void)reason;
    kd_buf_fmt(&p->told, "refused %d\n", status);
}

static const kd_conn_events EVENTS = { on_head, on_body, on_done, on_refused };

static void answer_all(peer *p)
{
    while (p->conn.state == KD_CONN_ANSWERING) {
        kd_request *answered = p->out;
        p->out = NULL;
        kd_conn_next(&p->conn);
        kd_request_free(answered);
    }
}

/* What is made of `bytes` cut at two places. */
static kd_buf read_cut(kd_str bytes, size_t first, size_t second)
{
    peer p = { .out = NULL };
    kd_buf_init(&p.told, 1 << 16);
    kd_conn_init(&p.conn, &EVENTS, &p);
    const kd_str pieces[] = { kd_str_sub(bytes, 0, first), kd_str_sub(bytes, first, second),
                              kd_str_sub(bytes, second, bytes.len) };
    for (size_t i = 0; i < 3; i++) {
        kd_conn_feed(&p.conn, pieces[i].ptr, pieces[i].len);
        answer_all(&p);
    }
    kd_conn_done(&p.conn);
    kd_request_free(p.out);
    kd_buf_char(&p.told, '\0');
    return p.told;
}

static void where_the_bytes_are_cut_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *told;
    } cases[] = {
        { "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\nPOST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyzGET /e HTTP/1.0\r\n\r\n",
          "GET /a?b=c []\nPOST /d? [xyz]\nGET /e? [] last\n" },
        { "\r\nPUT /f HTTP/1.1\r\nHost:h\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nxy\r\n1\r\nz\r\n0\r\nT: u\r\n\r\nGET * HTTP/1.1\r\nHost: h\r\n\r\n",
          "PUT /f? [xyz]\nrefused 400\n" },
        { "GET /a HTTP/1.1\r\nHost: h\r\n b\r\n\r\n", "refused 400\n" },
        { "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\nabc", "POST /a?refused 413\n" },
        { "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc", "POST /a?refused 400\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_str bytes = kd_str_of(cases[i].bytes);
        for (size_t first = 0; first <= bytes.len; first++)
            for (size_t second = first; second <= bytes.len; second += 1 + second % 7) {
                kd_buf told = read_cut(bytes, first, second);
                if (strcmp(told.ptr, cases[i].told) != 0)
                    fail_msg("case %zu cut at %zu and %zu: %s", i, first, second, told.ptr);
                kd_buf_done(&told);
            }
    }
}

/* ---- the router ---- */

static const kd_route ROUTES[] = {
    { .method = "GET", .path = "/api/persons" },
    { .method = "GET", .path = "/api/persons/{id}" },
    { .method = "DELETE", .path = "/api/persons/{id}" },
    { .method = "POST", .path = "/api/persons/lookup" },
    { .method = "GET", .path = "/api/{kind}/{id}/of/{other}" },
    { .method = "GET", .path = "/" },
    { .method = NULL },
};
static const kd_route *const TABLES[] = { ROUTES, NULL };

static void a_literal_goes_before_a_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *expected;
        bool is_known;
        const char *param;
    } cases[] = {
        { "GET", "/api/persons", "/api/persons", true, "" },
        { "HEAD", "/api/persons/01K", "/api/persons/{id}", true, "01K" },
        { "POST", "/api/persons/lookup", "/api/persons/lookup", true, "" },
        { "GET", "/api/persons/lookup", NULL, true, "" },
        { "PUT", "/api/persons/01K", NULL, true, "" },
        { "GET", "/api/a%20b/1/of/2", "/api/{kind}/{id}/of/{other}", true, "a b" },
        { "GET", "/api/persons/1/2", NULL, false, "" },
        { "GET", "/", "/", true, "" },
    };
    kd_router *router;
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_error err;
    assert_int_equal(kd_router_new(TABLES, &router, &err), KD_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_path path;
        kd_routed routed;
        assert_true(kd_path_read(arena, kd_str_of(cases[i].path), &path));
        kd_router_find(router, cases[i].method, &path, &routed);
        assert_int_equal(routed.is_path_known, cases[i].is_known);
        assert_int_equal(routed.route != NULL, cases[i].expected != NULL);
        if (routed.route) assert_string_equal(routed.route->path, cases[i].expected);
        if (routed.route) assert_ptr_equal(kd_router_at(router, routed.index), routed.route);
        if (cases[i].param[0]) assert_true(kd_str_is(routed.params[0], cases[i].param));
    }
    kd_router_free(router);
    kd_arena_free(arena);
}

static void every_route_of_the_program_can_be_reached(void **state)
{
    (void)state;
    kd_router *router;
    kd_error err;
    kd_arena *arena = kd_arena_new(1 << 20);
    assert_int_equal(kd_router_new(kd_all_routes, &router, &err), KD_OK); /* no row twice */
    for (size_t i = 0; i < kd_router_count(router); i++) {
        const kd_route *route = kd_router_at(router, i);
        kd_path path;
        kd_routed routed;
        assert_true(kd_path_read(arena, kd_str_of(route->path), &path));
        kd_router_find(router, route->method, &path, &routed);
        if (routed.route != route) fail_msg("%s %s", route->method, route->path);
        assert_non_null(route->run);
        assert_true(route->body != KD_BODY_FILE || route->bytes_max > 0);
    }
    kd_router_free(router);
    kd_arena_free(arena);
}

static void rows_alike_are_refused(void **state)
{
    (void)state;
    static const kd_route again[] = { { .method = "GET", .path = "/api/persons/{number}" }, { .method = NULL } };
    const kd_route *const tables[] = { ROUTES, again, NULL };
    kd_router *router;
    assert_int_equal(kd_router_new(tables, &router, NULL), KD_INVALID);
}

/* ---- small grammars ---- */

static void languages_and_encodings_are_chosen_by_quality(void **state)
{
    (void)state;
    assert_false(kd_prefers_english(KD_STR("")));
    assert_false(kd_prefers_english(KD_STR("fr, zh-CN;q=0.9, en;q=0.8")));
    assert_false(kd_prefers_english(KD_STR("*")));
    assert_false(kd_prefers_english(KD_STR("eng, enm")));
    assert_true(kd_prefers_english(KD_STR("fr, EN-gb;q=0.1")));
    assert_true(kd_list_accepts(KD_STR("gzip;q=0, br"), "br"));
    assert_false(kd_list_accepts(KD_STR("gzip;q=0, *"), "gzip"));
    assert_true(kd_list_accepts(KD_STR("gzip;q=0, *"), "br"));
    assert_false(kd_list_accepts(KD_STR(""), "br"));
    assert_false(kd_list_accepts(KD_STR("brotli"), "br"));
    assert_true(kd_etag_matches(KD_STR("\"1\", W/\"2\""), KD_STR("\"2\"")));
    assert_false(kd_etag_matches(KD_STR("\"12\""), KD_STR("\"2\"")));
}

static void a_query_is_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query, *value;
        bool is_fine, is_there;
    } cases[] = {
        { "a=1&q=%E5%90%B4+b", "吴 b", true, true },
        { "q", "", true, true },
        { "q=", "", true, true },
        { "Q=1", "", true, false },
        { "%71=x", "x", true, true },
        { "q=%2", "", false, false },
        { "q=%00", "", false, false },
        { "q=%ff", "", false, false },
    };
    kd_arena *arena = kd_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_str value;
        bool is_there, is_fine = kd_query_get(arena, kd_str_of(cases[i].query), "q", &value, &is_there);
        assert_int_equal(is_fine, cases[i].is_fine);
        if (!is_fine) continue;
        assert_int_equal(is_there, cases[i].is_there);
        assert_true(kd_str_is(value, cases[i].value));
    }
    kd_arena_free(arena);
}

static void dates_are_written_as_http_wants_them(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(kd_http_date(INT64_C(784111777000000), text), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(kd_http_date(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
}

/* ---- buckets ---- */

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    kd_rates *rates = kd_rates_new();
    double wait = 0;
    int given = 0;
    for (int i = 0; i < 20; i++) given += kd_rates_take(rates, 7, 2, 10, 100, &wait);
    assert_int_equal(given, 10);
    assert_true(wait > 0.4 && wait <= 0.5);
    assert_true(kd_rates_take(rates, 8, 2, 10, 100, &wait)); /* another's is its own */
    given = 0;
    for (int i = 0; i < 20; i++) given += kd_rates_take(rates, 7, 2, 10, 103, &wait);
    assert_int_equal(given, 6);
    for (uint64_t key = 100; key < 100000; key++) assert_true(kd_rates_take(rates, key, 1, 1, 104, &wait));
    kd_rates_free(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_the_bytes_are_cut_changes_nothing),
        cmocka_unit_test(a_literal_goes_before_a_parameter),
        cmocka_unit_test(every_route_of_the_program_can_be_reached),
        cmocka_unit_test(rows_alike_are_refused),
        cmocka_unit_test(languages_and_encodings_are_chosen_by_quality),
        cmocka_unit_test(a_query_is_decoded_or_refused),
        cmocka_unit_test(dates_are_written_as_http_wants_them),
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
    };
    return cmocka_run_group_tests_name("http_parts", tests, NULL, NULL);
}
