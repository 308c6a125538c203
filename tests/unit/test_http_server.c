/* The server over real sockets: files, uploads, jobs; how long it waits, how much it takes, how it stops. */
#include "http_place.h"

#include <fcntl.h>
#include <sys/stat.h>

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

static void begin_job(char id[KD_ID_TEXT_BYTES])
{
    kd_buf answer = ask(KD_STR("POST /api/work HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 3000);
    const char *at = strstr(answer.ptr, "\"id\":\"");
    assert_non_null(at);
    snprintf(id, KD_ID_TEXT_BYTES, "%.13s", at + 6);
    kd_buf_done(&answer);
}

static kd_buf events_of(const char *id, const char *language)
{
    kd_buf request;
    kd_buf_init(&request, 1024);
    kd_buf_fmt(&request, "GET /api/work/%s/events HTTP/1.1\r\n" HOST "Accept-Language: %s\r\n\r\n", id, language);
    kd_buf events = ask(kd_buf_view(&request), 3000);
    kd_buf_done(&request);
    return events;
}

static void how_a_job_ended_is_known_after_a_restart(void **state)
{
    (void)state;
    char id[KD_ID_TEXT_BYTES];
    start(NULL);
    begin_job(id);
    kd_buf before = events_of(id, "en");
    stop();
    start(NULL);
    kd_buf after = events_of(id, "en");
    stop();
    assert_non_null(strstr(before.ptr, "event: done\ndata: "));
    assert_string_equal(strstr(after.ptr, "data: "), strstr(strstr(before.ptr, "event: done\n"), "data: "));
    kd_buf_done(&before);
    kd_buf_done(&after);
}

static void a_job_that_a_stop_cuts_off_is_told_as_interrupted(void **state)
{
    (void)state;
    char running[KD_ID_TEXT_BYTES], waiting[KD_ID_TEXT_BYTES];
    start(NULL);
    begin_job(running);
    begin_job(waiting);
    stop();
    for (int restarts = 0; restarts < 2; restarts++) { /* before and after it is marked so in the register */
        start(NULL);
        usleep(100000);
        const char *const ids[] = { running, waiting };
        for (int i = 0; i < 2; i++) {
            kd_buf en = events_of(ids[i], "en"), zh = events_of(ids[i], "zh");
            assert_non_null(strstr(en.ptr, "event: failed\ndata: "));
            assert_non_null(strstr(en.ptr, "\"type\":\"urn:kindred:problem:interrupted\""));
            assert_non_null(strstr(zh.ptr, "因服务停止而中断"));
            kd_buf_done(&en);
            kd_buf_done(&zh);
        }
        stop();
    }
}

/* ---- what is not kept for ever ---- */

static void tidy_often(kd_server_options *options)
{
    options->tidy_ms = 50;
}

static void put_aged(const char *folder, const char *name, int64_t age_s)
{
    char path[256];
    struct timespec times[2] = { { .tv_sec = kd_now_us() / 1000000 - age_s } };
    times[1] = times[0];
    assert_int_equal(kd_dir_make(folder, NULL), KD_OK);
    put(folder, name, KD_STR("张三,1"));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
}

static void what_was_left_behind_is_removed_in_time(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *name;
        int64_t age_s;
        bool is_kept;
    } cases[] = {
        { "uploads/00000000000AA.00000000000AB", "a.csv", 71 * 3600, true },
        { "uploads/00000000000AC.00000000000AB", "a.csv", 73 * 3600, false },
        { "spool", "cut_off", 2 * 3600, false },
        { "spool", "being_read", 60, true },
        { "bad_rows", "00000000000AD.csv", 89 * 86400, true },
        { "bad_rows", "00000000000AE.csv", 91 * 86400, false },
    };
    char path[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", run.reg, cases[i].folder);
        put_aged(path, cases[i].name, cases[i].age_s);
    }
    start(tidy_often);
    usleep(200000);
    put_aged(path, "later", 91 * 86400); /* while it runs, too */
    usleep(300000);
    stop();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", run.reg, cases[i].folder, cases[i].name);
        assert_int_equal(kd_file_exists(path), cases[i].is_kept);
        snprintf(path, sizeof path, "%s/%s", run.reg, cases[i].folder);
        if (strncmp(cases[i].folder, "uploads/", 8) == 0) assert_int_equal(access(path, F_OK) == 0, cases[i].is_kept);
    }
    snprintf(path, sizeof path, "%s/bad_rows/later", run.reg);
    assert_false(kd_file_exists(path));
}

/* ---- plain HTTP on a network ---- */

static const char *listen_on;
static bool is_behind_proxy;

static void listen_so(kd_server_options *options)
{
    options->listen = listen_on;
    options->behind_proxy = is_behind_proxy;
}

static void serving_a_network_in_the_clear_is_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *listen;
        bool is_behind_proxy, is_warned;
    } cases[] = {
        { "0.0.0.0:0", false, true },    { "0.0.0.0:0", true, false },    { "127.0.0.1:0", false, false },
        { "127.8.9.1:0", false, false }, { "localhost:0", false, false }, { "[::]:0", false, true },
        { "[::1]:0", false, false },
    };
    char path[128];
    snprintf(path, sizeof path, "%s/stderr", run.folder);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_str said;
        kd_arena *arena = kd_arena_new(1 << 20);
        listen_on = cases[i].listen;
        is_behind_proxy = cases[i].is_behind_proxy;
        int kept = dup(2), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, 2);
        setenv("KINDRED_LOG", "warn", 1);
        start(listen_so);
        stop();
        setenv("KINDRED_LOG", "error", 1);
        dup2(kept, 2);
        close(kept);
        close(file);
        assert_int_equal(kd_file_read(arena, path, 1 << 16, &said, NULL), KD_OK);
        if ((kd_str_find(said, KD_STR("plain HTTP")) >= 0) != cases[i].is_warned)
            fail_msg("%s: %.*s", cases[i].listen, KD_FMT(said));
        kd_arena_free(arena);
    }
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
        ON_PLAIN(the_console_is_served_with_care),
        ON_PLAIN(large_answers_wait_for_a_slow_reader),
        ON_PLAIN(uploads_are_streamed_within_their_limit),
        ON_PLAIN(an_upload_cut_off_leaves_nothing),
        ON_PLAIN(a_job_is_watched_to_its_end),
        cmocka_unit_test(how_a_job_ended_is_known_after_a_restart),
        cmocka_unit_test(a_job_that_a_stop_cuts_off_is_told_as_interrupted),
        cmocka_unit_test(serving_a_network_in_the_clear_is_warned_of),
        cmocka_unit_test(what_was_left_behind_is_removed_in_time),
        cmocka_unit_test(slow_peers_are_let_go),
        cmocka_unit_test(a_full_queue_is_told_and_health_still_answers),
        cmocka_unit_test(an_address_that_asks_too_much_is_told_when_to_come_back),
        cmocka_unit_test(a_stop_lets_what_runs_be_answered),
    };
    return cmocka_run_group_tests_name("http_server", tests, make_folder, remove_folder);
}
