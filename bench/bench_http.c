/*
 * An HTTP client that asks at a constant rate and measures each answer from the moment it was due, so that a server that stalls is charged
 * for everybody who would have waited.
 *
 *     bench_http HOST PORT RATE SECONDS CONNECTIONS FILE
 *
 * FILE holds whole requests, each after a line with its length; they are sent in turn. Prints one JSON object.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, ANSWER_BYTES_MAX = 16 << 20, FILE_BYTES_MAX = 1 << 30, EVENTS = 64 };

typedef struct {
    int fd;
    bool is_busy;
    double due;
    kd_str request;
    size_t sent;
    kd_buf answer;
} connection;

typedef struct {
    struct sockaddr_in address;
    double rate, seconds;
    size_t connection_count, request_count, turn, idle_count;
    kd_str *requests;
    connection connections[CONNECTIONS_MAX];
    size_t idle[CONNECTIONS_MAX];
    int epoll;
    double *waits; /* seconds of each answer */
    size_t answered, asked, planned, by_class[6], broken;
    double last_answer;
} load;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Requests of the file: "LENGTH\n" and that many bytes, again and again. */
static void read_requests(load *l, kd_arena *arena, const char *path)
{
    kd_str text;
    kd_error err;
    if (kd_file_read(arena, path, FILE_BYTES_MAX, &text, &err) != KD_OK) die(path);
    size_t room = 1024;
    l->requests = malloc(room * sizeof *l->requests);
    for (size_t at = 0; at < text.len && l->requests;) {
        kd_str rest = kd_str_sub(text, at, text.len), line;
        int64_t length;
        if (!kd_str_next(&rest, '\n', &line) || !kd_str_int(line, &length) || length <= 0 ||
            (size_t)length > rest.len) {
            fprintf(stderr, "%s: no request at byte %zu\n", path, at);
            exit(2);
        }
        if (l->request_count == room) l->requests = realloc(l->requests, (room *= 2) * sizeof *l->requests);
        if (!l->requests) break;
        l->requests[l->request_count++] = (kd_str){ rest.ptr, (size_t)length };
        at += line.len + 1 + (size_t)length;
    }
    if (!l->requests || !l->request_count) die("no requests");
}

static void open_connection(load *l, size_t index)
{
    connection *c = &l->connections[index];
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&l->address, sizeof l->address) != 0) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = index };
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) die("epoll");
    kd_buf_clear(&c->answer);
    c->is_busy = false;
    l->idle[l->idle_count++] = index;
}

/* Requests are small: what does not go out at once is waited for. */
static bool send_request(connection *c)
{
    while (c->sent < c->request.len) {
        ssize_t n = send(c->fd, c->request.ptr + c->sent, c->request.len - c->sent, MSG_NOSIGNAL);
        if (n > 0) c->sent += (size_t)n;
        if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    }
    return true;
}

static const char *header(const char *head, const char *end, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = head; at < end; at++)
        if (*at == '\n' && strncasecmp(at + 1, name, len) == 0) return at + 1 + len;
    return NULL;
}

/* Whether the whole answer is there. */
static bool is_whole(const kd_buf *answer)
{
    const char *end = memmem(answer->ptr, answer->len, "\r\n\r\n", 4);
    if (!end) return false;
    size_t body = answer->len - (size_t)(end + 4 - answer->ptr);
    const char *length = header(answer->ptr, end, "content-length:");
    if (length) return body >= strtoul(length, NULL, 10);
    if (header(answer->ptr, end, "transfer-encoding:"))
        return answer->len > 5 && memcmp(answer->ptr + answer->len - 5, "0\r\n\r\n", 5) == 0;
    return true;
}

static void finish(load *l, size_t index, bool is_broken)
{
    connection *c = &l->connections[index];
    double now = kd_seconds();
    if (c->is_busy) {
        int class = c->answer.len > 9 ? c->answer.ptr[9] - '0' : 0;
        l->by_class[class > 0 && class < 6 ? class : 0]++;
        l->broken += is_broken;
        l->waits[l->answered++] = now - c->due;
        l->last_answer = now;
    }
    if (is_broken) {
        close(c->fd);
        open_connection(l, index);
        return;
    }
    kd_buf_clear(&c->answer);
    c->is_busy = false;
    l->idle[l->idle_count++] = index;
}

static void receive(load *l, size_t index)
{
    connection *c = &l->connections[index];
    char *room = kd_buf_room(&c->answer, 65536);
    ssize_t n = room ? recv(c->fd, room, 65536, 0) : -1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        if (c->is_busy) {
            finish(l, index, true);
        } else {
            die("the server closed an idle connection");
        }
        return;
    }
    c->answer.len += (size_t)n;
    if (c->is_busy && is_whole(&c->answer)) finish(l, index, false);
}

/* Send what is due, as far as connections are free; what must wait is charged from when it was due. */
static void send_due(load *l, double start)
{
    double now = kd_seconds();
    while (l->idle_count && l->asked < l->planned && start + (double)l->asked / l->rate <= now) {
        size_t index = l->idle[--l->idle_count];
        connection *c = &l->connections[index];
        c->due = start + (double)l->asked++ / l->rate;
        c->request = l->requests[l->turn++ % l->request_count];
        c->sent = 0;
        c->is_busy = true;
        if (!send_request(c)) finish(l, index, true);
    }
}

static void run(load *l)
{
    double start = kd_seconds();
    while (l->answered < l->planned && kd_seconds() < start + l->seconds + 60) {
        struct epoll_event events[EVENTS];
        send_due(l, start);
        int n = epoll_wait(l->epoll, events, EVENTS, 1);
        for (int i = 0; i < n; i++) receive(l, events[i].data.u64);
    }
    l->seconds = l->last_answer - start;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(load *l)
{
    qsort(l->waits, l->answered, sizeof *l->waits, by_size);
    kd_buf out;
    kd_json json;
    kd_buf_init(&out, 1 << 16);
    kd_json_init(&json, &out);
    kd_json_object(&json);
    kd_json_kint(&json, "asked", (int64_t)l->asked);
    kd_json_kint(&json, "answered", (int64_t)l->answered);
    kd_json_kint(&json, "ok", (int64_t)l->by_class[2]);
    kd_json_kint(&json, "refused", (int64_t)l->by_class[4]);
    kd_json_kint(&json, "failed", (int64_t)(l->by_class[5] + l->by_class[0]));
    kd_json_kint(&json, "broken", (int64_t)l->broken);
    kd_json_kdouble(&json, "per_second", l->answered ? (double)l->answered / l->seconds : 0, 1);
    static const struct {
        const char *name;
        double share;
    } points[] = { { "p50_ms", 0.5 }, { "p90_ms", 0.9 }, { "p99_ms", 0.99 }, { "max_ms", 1 } };
    for (size_t i = 0; l->answered && i < 4; i++) {
        size_t at = (size_t)(points[i].share * (double)l->answered);
        kd_json_kdouble(&json, points[i].name, 1e3 * l->waits[at < l->answered ? at : l->answered - 1], 3);
    }
    kd_json_object_end(&json);
    printf("%.*s\n", KD_FMT(kd_buf_view(&out)));
    kd_buf_done(&out);
}

int main(int argc, char **argv)
{
    static load l;
    kd_arena *arena = kd_arena_new(FILE_BYTES_MAX);
    if (argc != 7 || !arena) {
        fprintf(stderr, "usage: bench_http HOST PORT RATE SECONDS CONNECTIONS FILE\n");
        return 2;
    }
    l.address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)) };
    l.rate = strtod(argv[3], NULL);
    l.seconds = strtod(argv[4], NULL);
    l.connection_count = strtoul(argv[5], NULL, 10);
    if (inet_pton(AF_INET, argv[1], &l.address.sin_addr) != 1 || l.rate <= 0 || l.seconds <= 0 || !l.connection_count ||
        l.connection_count > CONNECTIONS_MAX)
        return 2;
    read_requests(&l, arena, argv[6]);
    l.planned = (size_t)(l.rate * l.seconds);
    l.waits = calloc(l.planned + 1, sizeof *l.waits);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!l.waits || l.epoll < 0) die("start");
    for (size_t i = 0; i < l.connection_count; i++) {
        kd_buf_init(&l.connections[i].answer, ANSWER_BYTES_MAX);
        open_connection(&l, i);
    }
    run(&l);
    tell(&l);
    return 0;
}
