/* Who answers a request: the loop itself, a file of the console, or a route on a worker. */
#include "loop.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void kd_exchange_free(kd_exchange *exchange)
{
    if (!exchange) return;
    if (exchange->answer.file_fd >= 0) close(exchange->answer.file_fd);
    if (exchange->spool) unlink(exchange->spool); /* gone already when the handler has taken it */
    kd_buf_done(&exchange->answer.fields);
    kd_buf_done(&exchange->answer.bytes);
    kd_request_free(exchange->request);
    free(exchange);
}

static void make_request_id(char out[KD_REQUEST_ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[12];
    if (RAND_bytes(bytes, sizeof bytes) != 1) memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * sizeof bytes] = '\0';
}

static bool is_address(kd_str text)
{
    if (text.len < 2 || text.len >= KD_ADDRESS_BYTES) return false;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdefABCDEF.:", text.ptr[i])) return false;
    return true;
}

/* What a proxy of ours says of the peer; the last address is the one it saw itself. */
static void believe_proxy(kd_exchange *exchange)
{
    kd_str rest = kd_request_header(exchange->request, "x-forwarded-for"), part, last = { NULL, 0 };
    while (rest.len && kd_str_next(&rest, ',', &part)) last = kd_str_trim(part);
    if (last.ptr && is_address(last)) {
        memcpy(exchange->address, last.ptr, last.len);
        exchange->address[last.len] = '\0';
    }
    if (kd_str_is(kd_request_header(exchange->request, "x-forwarded-proto"), "https")) exchange->is_secure = true;
}

kd_exchange *kd_exchange_new(kd_client *client, kd_request *request)
{
    kd_server *server = client->loop->server;
    kd_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        kd_request_free(request);
        return NULL;
    }
    exchange->server = server;
    exchange->client = client;
    exchange->request = request;
    exchange->route_index = kd_metrics_unknown(server->metrics);
    exchange->answer.file_fd = -1;
    kd_buf_init(&exchange->answer.fields, 16 << 10);
    kd_buf_init(&exchange->answer.bytes, KD_ANSWER_BYTES_MAX);
    memcpy(exchange->address, client->address, sizeof exchange->address);
    exchange->is_secure = client->tls != NULL;
    kd_str id = request ? kd_request_header(request, "x-request-id") : (kd_str){ NULL, 0 };
    if (id.ptr && kd_token_is_plain(id, 8, KD_REQUEST_ID_BYTES - 1))
        memcpy(exchange->request_id, id.ptr, id.len);
    else
        make_request_id(exchange->request_id);
    if (!request) return exchange;
    exchange->is_head = strcmp(request->method, "HEAD") == 0;
    exchange->is_english = kd_prefers_english(kd_request_header(request, "accept-language"));
    kd_language_set(exchange->is_english ? KD_ENGLISH : KD_CHINESE);
    if (server->options.behind_proxy) believe_proxy(exchange);
    return exchange;
}

/* ---- answers of the loop's own ---- */

static void answer_allowed(kd_exchange *exchange, const kd_path *path, int status)
{
    kd_buf allowed;
    kd_buf_init(&allowed, 1024);
    if (path)
        kd_router_allowed(exchange->server->router, path, &allowed);
    else
        kd_buf_cstr(&allowed, "GET, HEAD, OPTIONS");
    kd_answer_field(exchange, "Allow", kd_buf_view(&allowed));
    kd_buf_done(&allowed);
    if (status == 204)
        exchange->answer.status = 204;
    else
        kd_problem_answer(exchange, status, NULL, 0);
}

static void answer_health(kd_exchange *exchange)
{
    exchange->answer.status = 200;
    exchange->answer.content_type = "application/json";
    kd_buf_cstr(&exchange->answer.bytes, "{\"status\":\"ok\"}");
}

void kd_client_metrics(kd_client *client, kd_exchange *exchange)
{
    kd_gauges gauges;
    kd_loop_gauges(client->loop, &gauges);
    exchange->answer.status = 200;
    exchange->answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    kd_metrics_write(exchange->server->metrics, &gauges, &exchange->answer.bytes);
}

static void answer_file(kd_exchange *exchange, const kd_static_file *file)
{
    kd_answer_out *out = &exchange->answer;
    bool is_same = kd_etag_matches(kd_request_header(exchange->request, "if-none-match"), file->etag);
    out->status = is_same ? 304 : 200;
    out->content_type = is_same ? NULL : file->content_type;
    if (!is_same) out->fixed = file->bytes;
    kd_answer_field(exchange, "ETag", file->etag);
    kd_answer_field(exchange, "Cache-Control",
                    file->is_immutable ? KD_STR("public, max-age=31536000, immutable") : KD_STR("no-cache"));
    out->has_cache_field = true;
    if (file->varies) kd_answer_field(exchange, "Vary", KD_STR("Accept-Encoding"));
    if (file->encoding && !is_same) kd_answer_field(exchange, "Content-Encoding", kd_str_of(file->encoding));
    kd_answer_security(exchange);
    exchange->route_index = kd_metrics_static(exchange->server->metrics);
}

static bool is_within_rate(kd_exchange *exchange)
{
    const kd_server_options *options = &exchange->server->options;
    double wait_s = 0;
    if (options->rate_per_s <= 0) return true;
    uint64_t key = kd_hash(exchange->address, strlen(exchange->address), 1);
    if (kd_rates_take(exchange->server->rates, key, options->rate_per_s, options->rate_burst, kd_seconds(), &wait_s))
        return true;
    kd_problem_answer(exchange, 429, "too many requests from this address", (int)wait_s + 1);
    return false;
}

/* True when the loop has answered; else exchange->route is set. */
static bool answer_early(kd_client *client, kd_exchange *exchange)
{
    const kd_request *request = exchange->request;
    kd_path path;
    kd_routed routed;
    kd_static_file file;
    bool is_reading = exchange->is_head || strcmp(request->method, "GET") == 0;
    if (kd_str_is(request->path, "*")) {
        answer_allowed(exchange, NULL, 204);
        return true;
    }
    if (!kd_path_read(request->arena, request->path, &path)) {
        kd_problem_answer(exchange, 400, "the path cannot be read", 0);
        return true;
    }
    kd_router_find(exchange->server->router, request->method, &path, &routed);
    bool is_options = strcmp(request->method, "OPTIONS") == 0;
    bool is_health = routed.route && strcmp(routed.route->path, "/healthz") == 0;
    if (!is_health && !is_within_rate(exchange)) return true;
    if (routed.route) {
        exchange->route = routed.route;
        exchange->route_index = routed.index;
        memcpy(exchange->params, routed.params, sizeof exchange->params);
        if (is_health) answer_health(exchange);
        if (is_health) return true;
        bool is_direct = client->is_loopback && !kd_request_header(request, "x-forwarded-for").ptr &&
                         !kd_request_header(request, "forwarded").ptr;
        if (strcmp(routed.route->path, "/metrics") != 0 || !is_direct) return false;
        kd_client_metrics(client, exchange);
    } else if (routed.is_path_known) {
        answer_allowed(exchange, &path, is_options ? 204 : 405);
    } else if (!kd_static_find(exchange->server->files, &path, kd_request_header(request, "accept-encoding"), &file)) {
        kd_problem_answer(exchange, 404, NULL, 0);
    } else if (is_reading) {
        answer_file(exchange, &file);
    } else {
        answer_allowed(exchange, NULL, is_options ? 204 : 405);
    }
    return true;
}

/* Bodies in memory have one budget; what is told in advance is booked whole. */
static bool book_memory(kd_client *client, const kd_request *request)
{
    kd_loop *loop = client->loop;
    uint64_t most = request->is_chunked ? client->conn.body_max : request->content_length;
    if (most > client->conn.body_max) return true; /* refused by its length */
    if (loop->body_memory + most > loop->server->options.body_memory_max) return false;
    loop->body_memory += most;
    client->memory_bytes = most;
    return true;
}

static kd_take take_early(kd_client *client, const kd_request *request)
{
    client->is_early = true;
    bool is_short = !request->is_chunked && request->content_length <= KD_DISCARD_BYTES_MAX;
    return is_short && !request->expects_continue ? KD_TAKE_DISCARD : KD_TAKE_NOTHING;
}

kd_take kd_client_route(kd_client *client, kd_exchange *exchange)
{
    const kd_request *request = exchange->request;
    if (answer_early(client, exchange)) {
        if (!kd_request_has_body(request)) {
            client->is_early = true;
            return KD_TAKE_DISCARD;
        }
        return take_early(client, request);
    }
    const kd_route *route = exchange->route;
    if (route->body == KD_BODY_FILE) {
        client->conn.body_max = route->bytes_max;
        return KD_TAKE_WAIT;
    }
    if (route->body == KD_BODY_NONE || !kd_request_has_body(request)) return KD_TAKE_DISCARD;
    client->conn.body_max = KD_JSON_BYTES_MAX;
    if (!book_memory(client, request)) {
        kd_problem_answer(exchange, 503, NULL, 0);
        return take_early(client, request);
    }
    return KD_TAKE_MEMORY;
}
