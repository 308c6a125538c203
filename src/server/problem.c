/* Failures as RFC 9457 documents. */
#include "core.h"

#include <string.h>

typedef struct {
    int status;
    const char *name, *zh, *en;
} kind;

static const kind KINDS[] = {
    { 400, "malformed", "请求格式不对", "The request is not well formed" },
    { 401, "not-signed-in", "尚未登录或登录已过期", "Nobody is signed in" },
    { 403, "denied", "没有权限", "This account may not do this" },
    { 404, "not-found", "没有找到", "There is nothing here" },
    { 405, "method-not-allowed", "不支持这种操作", "This cannot be done here" },
    { 408, "timeout", "等待请求超时", "The request took too long" },
    { 409, "conflict", "与现状冲突", "It cannot be done as it stands" },
    { 409, "interrupted", "因服务停止而中断", "It was cut off when the server stopped" },
    { 412, "changed", "内容已被他人修改", "It was changed meanwhile" },
    { 413, "too-large", "内容过大", "It is too large" },
    { 414, "address-too-long", "地址过长", "The address is too long" },
    { 415, "unsupported-media", "不支持这种内容类型", "Another type of content is wanted" },
    { 417, "expectation-failed", "不支持该要求", "An expectation that is not met" },
    { 422, "invalid", "填写有误", "Something is filled in wrongly" },
    { 428, "version-missing", "缺少版本号", "The version to be changed is not named" },
    { 429, "too-many", "操作过于频繁，请稍后再试", "Too many requests" },
    { 431, "head-too-large", "请求头过大", "The header fields are too large" },
    { 500, "internal", "系统出错", "Something went wrong here" },
    { 501, "not-implemented", "不支持该请求", "The request is not supported" },
    { 503, "unavailable", "系统繁忙或正在维护，请稍后再试", "The service is busy or away for a moment" },
    { 505, "version", "不支持该 HTTP 版本", "Not a version of HTTP that is spoken here" },
};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };
enum { RETRY_BUSY_S = 2, RETRY_RATE_S = 5 };

static const kind *kind_of(int status)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (KINDS[i].status == status) return &KINDS[i];
    return kind_of(500);
}

/* By its name, where that has words of its own. */
static const kind *kind_named(const char *name, int status)
{
    for (size_t i = 0; name && i < KIND_COUNT; i++)
        if (strcmp(KINDS[i].name, name) == 0) return &KINDS[i];
    return kind_of(status);
}

static int status_of(kd_status status, bool is_somebody)
{
    switch (status) {
    case KD_OK: return 200;
    case KD_INVALID:
    case KD_UNSUPPORTED: return 422;
    case KD_NOT_FOUND: return 404;
    case KD_LIMIT: return 429;
    case KD_CONFLICT: return 409;
    case KD_DENIED: return is_somebody ? 403 : 401;
    case KD_IO: return 503;
    case KD_CANCELLED: return 500;
    }
    return 500;
}

/* What a person is told. Of faults of ours and of the database only that they are; the log has the story. */
typedef struct {
    int status, retry_after_s;
    const char *name;
    const char *detail, *hint, *field;
    kd_str request_id, holder;
    bool is_english;
} told;

static void write_type(kd_json *json, const char *name)
{
    kd_json_key(json, "type");
    char type[96] = "urn:kindred:problem:";
    size_t at = strlen(type), len = strnlen(name, sizeof type - at - 1);
    memcpy(type + at, name, len);
    type[at + len] = '\0';
    kd_json_str(json, kd_str_of(type));
}

static void write_told(kd_json *json, const told *t)
{
    const kind *k = kind_named(t->name, t->status);
    kd_json_object(json);
    write_type(json, t->name ? t->name : k->name);
    kd_json_kstr(json, "title", kd_str_of(t->is_english ? k->en : k->zh));
    kd_json_kint(json, "status", t->status);
    if (t->detail && t->detail[0]) kd_json_kstr(json, "detail", kd_str_of(t->detail));
    if (t->field && t->field[0]) kd_json_kstr(json, "field", kd_str_of(t->field));
    if (t->hint && t->hint[0]) kd_json_kstr(json, "hint", kd_str_of(t->hint));
    kd_json_kstr(json, "request_id", t->request_id);
    if (t->holder.len) kd_json_kstr(json, "holder", t->holder);
    if (t->retry_after_s) kd_json_kint(json, "retry_after_s", t->retry_after_s);
    kd_json_object_end(json);
}

static int retry_after(int status, int given_s)
{
    if (status != 429 && status != 503) return 0;
    if (given_s > 0) return given_s;
    return status == 503 ? RETRY_BUSY_S : RETRY_RATE_S;
}

static void answer(kd_exchange *exchange, const told *t)
{
    kd_answer_out *out = &exchange->answer;
    kd_json json;
    kd_buf_done(&out->bytes);
    kd_buf_init(&out->bytes, KD_ANSWER_BYTES_MAX);
    kd_json_init(&json, &out->bytes);
    write_told(&json, t);
    out->status = t->status;
    out->content_type = "application/problem+json";
    out->fixed = (kd_str){ NULL, 0 };
    out->watched_job = 0;
    if (t->retry_after_s) kd_buf_fmt(&out->fields, "Retry-After: %d\r\n", t->retry_after_s);
    if (t->status == 401) kd_buf_cstr(&out->fields, "WWW-Authenticate: Bearer realm=\"kindred\"\r\n");
}

void kd_problem_answer(kd_exchange *exchange, int status, const char *detail, int retry_after_s)
{
    kd_language_set(exchange->is_english ? KD_ENGLISH : KD_CHINESE); /* the loop serves others in between */
    told t = { .status = status,
               .retry_after_s = retry_after(status, retry_after_s),
               .detail = detail ? kd_message(detail) : NULL,
               .request_id = kd_str_of(exchange->request_id),
               .is_english = exchange->is_english };
    answer(exchange, &t);
}

void kd_problem_of_call(kd_call *call, const kd_error *err)
{
    int status = call->status >= 400 ? call->status : status_of(err->status, call->who != NULL);
    bool is_ours = status >= 500;
    told t = { .status = status,
               .retry_after_s = retry_after(status, call->retry_after_s),
               .name = call->problem,
               .detail = is_ours ? NULL : err->message,
               .hint = is_ours ? NULL : err->hint,
               .field = is_ours ? NULL : err->field,
               .request_id = call->request_id,
               .holder = call->holder,
               .is_english = call->is_english };
    answer(call->exchange, &t);
}

void kd_problem_write(kd_json *json, const kd_error *err, const char *name, bool is_english, kd_str request_id)
{
    int status = status_of(err->status, true);
    told t = { .status = status,
               .name = name,
               .detail = status >= 500 ? NULL : err->message,
               .hint = status >= 500 ? NULL : err->hint,
               .field = err->field,
               .request_id = request_id,
               .is_english = is_english };
    write_told(json, &t);
}
