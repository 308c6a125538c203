/* On a worker: who asks, whether they may, the handler, its answer. */
#include "core.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES_MIN = 8, KEY_BYTES_MAX = 64, RATE_BURST_MIN = 10 };

static kd_status fail_as(kd_call *call, int status, const char *problem, kd_error *err, kd_status code,
                         const char *field, const char *what)
{
    call->status = status;
    call->problem = problem;
    return kd_fail(err, code, field, "%s", kd_message(what));
}

static bool is_reading(const kd_call *call)
{
    return strcmp(call->route->method, "GET") == 0;
}

static bool is_open(const kd_route *route)
{
    return route->permission && strcmp(route->permission, "-") == 0;
}

/* ---- who asks ---- */

static kd_status check_token_rate(kd_call *call, const kd_token *token, kd_error *err)
{
    double wait_s = 0, per_minute = token->rate_per_minute;
    if (per_minute <= 0) return KD_OK;
    uint64_t key = kd_hash_int((uint64_t)token->id ^ UINT64_C(0x746f6b656e));
    double burst = per_minute < RATE_BURST_MIN ? RATE_BURST_MIN : per_minute;
    if (kd_rates_take(call->server->rates, key, per_minute / 60, burst, kd_seconds(), &wait_s)) return KD_OK;
    call->retry_after_s = (int)wait_s + 1;
    return fail_as(call, 429, NULL, err, KD_LIMIT, "", kd_message("the token's requests of this minute are used up"));
}

static kd_status check_bearer(kd_call *call, kd_str secret, kd_account *who, kd_error *err)
{
    kd_token token;
    KD_TRY(kd_token_check(call->access, secret, call->arena, &token, who, err));
    call->token_id = token.id;
    call->session.fresh.expires_at = token.expires_at;
    call->who = who;
    return check_token_rate(call, &token, err);
}

static kd_status check_cookie(kd_call *call, kd_str cookie, kd_account *who, kd_error *err)
{
    kd_str csrf = kd_call_header(call, "kindred-csrf");
    KD_TRY(kd_session_check(call->access, cookie, csrf, call->arena, &call->session, who, err));
    call->who = who;
    if (call->session.is_rotated) kd_call_set_cookie(call, &call->session.fresh);
    if (is_reading(call) || call->session.is_csrf_right) return KD_OK;
    fail_as(call, 403, "csrf", err, KD_DENIED, "Kindred-CSRF",
            kd_message("the request does not prove that it comes from the console"));
    kd_hint(err, "send the token that GET /api/session gives as Kindred-CSRF");
    return KD_DENIED;
}

/* On an open route a cookie that is no longer good is as none. */
static kd_status authenticate(kd_call *call, kd_error *err)
{
    kd_str authorization = kd_call_header(call, "authorization");
    kd_str cookie = kd_request_cookie(call->exchange->request, "kindred_session");
    kd_account *who = kd_arena_alloc(call->arena, sizeof *who);
    if (!who) return kd_fail(err, KD_LIMIT, "", "no memory");
    if (is_open(call->route) && strcmp(call->route->path, "/metrics") != 0) return KD_OK;
    if (authorization.len > 7 && strncasecmp(authorization.ptr, "bearer ", 7) == 0)
        return check_bearer(call, kd_str_trim(kd_str_sub(authorization, 7, authorization.len)), who, err);
    if (cookie.len) return check_cookie(call, cookie, who, err);
    if (is_open(call->route)) return KD_OK;
    return kd_fail(err, KD_DENIED, "", "nobody is signed in");
}

/* ---- whether they may ---- */

static kd_status check_permission(kd_call *call, kd_error *err)
{
    const kd_route *route = call->route;
    if (is_open(route)) return KD_OK;
    if (call->who->must_change_password && strncmp(route->path, "/api/session", 12) != 0) {
        fail_as(call, 403, "password-change-needed", err, KD_DENIED, "",
                kd_message("the first password must be changed"));
        kd_hint(err, "change it with POST /api/session/password");
        return KD_DENIED;
    }
    if (route->permission && !kd_call_may(call, route->permission))
        return kd_fail(err, KD_DENIED, "", "the roles of this account do not give this permission");
    return KD_OK;
}

static kd_status check_purpose(kd_call *call, kd_error *err)
{
    if (!call->route->needs_purpose) return KD_OK;
    kd_str purpose = kd_call_header(call, "kindred-purpose");
    if (purpose.len == 0) {
        fail_as(call, 400, "purpose-missing", err, KD_INVALID, "Kindred-Purpose", kd_message("no purpose is stated"));
        kd_hint(err, "send one of the purposes that GET /api/session gives as Kindred-Purpose");
        return KD_INVALID;
    }
    if (!kd_token_is_plain(purpose, 1, 40) || !kd_account_has_purpose(call->server->pack, call->who, purpose))
        return fail_as(call, 403, "purpose", err, KD_DENIED, "Kindred-Purpose",
                       kd_message("this account has no such purpose"));
    call->purpose = purpose;
    return KD_OK;
}

static kd_status check_key(kd_call *call, kd_error *err)
{
    if (!call->route->needs_idempotency) return KD_OK;
    call->idempotency_key = kd_call_header(call, "idempotency-key");
    kd_str key = call->idempotency_key;
    if (kd_token_is_plain(key, KEY_BYTES_MIN, KEY_BYTES_MAX) && kd_str_find(key, KD_STR(".")) < 0) return KD_OK;
    fail_as(call, 400, "idempotency-key-missing", err, KD_INVALID, "Idempotency-Key",
            key.len ? kd_message("this cannot be a key") : kd_message("the key is missing"));
    kd_hint(err, "a new UUID for each thing done; the same again for a repeat");
    return KD_INVALID;
}

/* Every part can be decoded; kd_call_query relies on it. */
static kd_status check_query(kd_call *call, kd_error *err)
{
    kd_str rest = call->exchange->request->query, part, text;
    while (rest.len && kd_str_next(&rest, '&', &part))
        if (!kd_percent_decode(call->arena, part, true, &text))
            return fail_as(call, 400, NULL, err, KD_INVALID, "", kd_message("the query cannot be read"));
    return KD_OK;
}

static bool is_json(kd_str content_type)
{
    kd_str rest = content_type, type = { NULL, 0 };
    if (rest.len) (void)kd_str_next(&rest, ';', &type);
    type = kd_str_trim(type);
    return type.len == 16 && strncasecmp(type.ptr, "application/json", 16) == 0;
}

static kd_status read_body(kd_call *call, kd_error *err)
{
    const kd_request *request = call->exchange->request;
    if (call->route->body == KD_BODY_NONE) {
        if (request->body_bytes == 0) return KD_OK;
        return fail_as(call, 400, NULL, err, KD_INVALID, "", kd_message("a body where none belongs"));
    }
    if (call->route->body == KD_BODY_FILE) {
        call->file = call->exchange->spool;
        call->file_bytes = request->body_bytes;
        return KD_OK;
    }
    if (!is_json(kd_call_header(call, "content-type")))
        return fail_as(call, 415, NULL, err, KD_INVALID, "Content-Type", kd_message("application/json is wanted"));
    json_error_t why;
    kd_str text = kd_buf_view(&request->body);
    call->body = json_loadb(text.len ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!call->body) {
        fail_as(call, 400, NULL, err, KD_INVALID, "", kd_message("the body is no JSON"));
        kd_hint(err, "line %d, column %d", why.line, why.column);
        return KD_INVALID;
    }
    if (!json_is_object(call->body))
        return fail_as(call, 400, NULL, err, KD_INVALID, "", kd_message("the body is no JSON object"));
    return KD_OK;
}

static kd_status admit(kd_call *call, kd_error *err)
{
    KD_TRY(authenticate(call, err));
    KD_TRY(check_permission(call, err));
    KD_TRY(check_purpose(call, err));
    KD_TRY(check_key(call, err));
    return check_query(call, err);
}

/* ---- the answer ---- */

static kd_status open_file(kd_call *call, kd_error *err)
{
    kd_answer_out *out = &call->exchange->answer;
    struct stat info;
    int fd = open(call->send_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return kd_fail_errno(err, call->send_file, "open");
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return kd_fail(err, KD_IO, "", "what is to be sent is no file");
    }
    out->file_fd = fd;
    out->file_bytes = (uint64_t)info.st_size;
    return KD_OK;
}

/* "attachment" with the name in ASCII and, as RFC 8187 has it, in UTF-8. */
static void add_disposition(kd_call *call)
{
    kd_buf *out = &call->exchange->answer.fields;
    kd_str name = call->download_name;
    if (name.len == 0) return;
    kd_buf_cstr(out, "Content-Disposition: attachment; filename*=UTF-8''");
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                        c == '-' || c == '_';
        if (is_plain)
            kd_buf_char(out, (char)c);
        else
            kd_buf_fmt(out, "%%%02X", c);
    }
    kd_buf_cstr(out, "\r\n");
}

static kd_status compose(kd_call *call, kd_error *err)
{
    kd_exchange *exchange = call->exchange;
    kd_answer_out *out = &exchange->answer;
    if (call->out_bytes.status != KD_OK) return kd_fail(err, KD_UNSUPPORTED, "", "the answer is too long");
    if (call->send_file) KD_TRY(open_file(call, err));
    out->status = call->status ? call->status : 200;
    out->content_type = call->content_type;
    out->watched_job = call->route->is_stream ? call->watched_job : 0;
    if (call->etag.len) kd_answer_field(exchange, "ETag", call->etag);
    if (call->location.len) kd_answer_field(exchange, "Location", call->location);
    add_disposition(call);
    kd_str none_match = kd_call_header(call, "if-none-match");
    if (is_reading(call) && out->status == 200 && call->etag.len && kd_etag_matches(none_match, call->etag))
        out->status = 304;
    bool is_empty = !call->send_file && !out->watched_job && call->out_bytes.len == 0;
    if (out->wants_metrics) return KD_OK;
    if (is_empty || out->status == 304 || out->status == 204) {
        out->content_type = NULL;
        if (out->status == 200) out->status = 204;
        return KD_OK;
    }
    kd_buf_done(&out->bytes);
    out->bytes = call->out_bytes;
    kd_buf_init(&call->out_bytes, KD_ANSWER_BYTES_MAX);
    return KD_OK;
}

static kd_status run_handler(kd_call *call, kd_error *err)
{
    bool is_answered = false;
    if (call->route->needs_idempotency) KD_TRY(kd_idempotency_begin(call, &is_answered, err));
    if (is_answered) return KD_OK;
    kd_status status = call->route->run(call, err);
    if (status == KD_OK && call->out_bytes.status != KD_OK)
        status = kd_fail(err, KD_UNSUPPORTED, "", "the answer is too long");
    if (call->route->needs_idempotency) {
        if (!call->status) call->status = 200;
        int http_status = call->status;
        if (status != KD_OK && http_status == 200) call->status = 0;
        kd_idempotency_end(call, status);
    }
    return status;
}

/* What a signed-in account was refused is written down; that nobody was signed in is not. */
static void audit_denial(kd_call *call, kd_status status)
{
    kd_error err;
    if (status != KD_DENIED || !call->who || call->is_denial_told) return;
    kd_str object = kd_arena_fmt(call->arena, "%s %s", call->route->method, call->route->path);
    const char *action = call->route->permission && !is_open(call->route) ? call->route->permission : "session";
    if (kd_call_deny(call, action, 0, 0, object, &err) != KD_DENIED)
        kd_log(KD_LOG_ERROR, "a denial could not be written to the audit log: %s", err.message);
}

static void log_failure(const kd_call *call, const kd_error *err)
{
    char text[1200];
    kd_error_text(err, text, sizeof text);
    kd_log(KD_LOG_WARN, "request %.*s (%s %s) failed: %s", KD_FMT(call->request_id), call->route->method,
           call->route->path, text);
}

static void fail(kd_worker *worker, kd_call *call, kd_status status, const kd_error *err)
{
    kd_exchange *exchange = call->exchange;
    audit_denial(call, status);
    if (call->status < 400) call->status = 0;
    if (exchange->answer.file_fd >= 0) close(exchange->answer.file_fd);
    exchange->answer.file_fd = -1;
    kd_problem_of_call(call, err);
    /* that a register could not be opened is told once for each try, not for each request */
    if (exchange->answer.status >= 500 && worker->reg) log_failure(call, err);
    if (status == KD_IO) kd_worker_close(worker); /* most likely the connection: a fresh one for the next request */
}

void kd_gate_run(kd_worker *worker, kd_exchange *exchange)
{
    kd_error err = { .status = KD_OK };
    kd_language_set(exchange->is_english ? KD_ENGLISH : KD_CHINESE);
    kd_call call = { .server = worker->server,
                     .arena = exchange->request->arena,
                     .route = exchange->route,
                     .is_english = exchange->is_english,
                     .request_id = kd_str_of(exchange->request_id),
                     .if_match = kd_request_header(exchange->request, "if-match"),
                     .content_type = "application/json",
                     .exchange = exchange };
    memcpy(call.params, exchange->params, sizeof call.params);
    kd_buf_init(&call.out_bytes, KD_ANSWER_BYTES_MAX);
    kd_json_init(&call.out, &call.out_bytes);
    kd_status status = kd_worker_open(worker, &err);
    call.reg = worker->reg;
    call.access = worker->access;
    if (status == KD_OK) status = admit(&call, &err);
    if (status == KD_OK && exchange->is_admitting) {
        exchange->answer.is_admitted = true;
    } else if (status == KD_OK) {
        status = read_body(&call, &err);
        if (status == KD_OK) status = run_handler(&call, &err);
        if (status == KD_OK) status = compose(&call, &err);
    }
    exchange->account_id = call.who ? call.who->id : 0;
    if (status != KD_OK) {
        err.status = status;
        fail(worker, &call, status, &err);
    }
    json_decref(call.body);
    kd_buf_done(&call.out_bytes);
}
