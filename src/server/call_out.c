/* What answers are made of. */
#include "core.h"

#include <stdio.h>
#include <string.h>

void kd_out_id(kd_json *json, const char *key, int64_t id)
{
    char text[KD_ID_TEXT_BYTES];
    kd_json_key(json, key);
    if (!id) {
        kd_json_null(json);
        return;
    }
    kd_id_format(id, text);
    for (size_t i = 0; text[i]; i++)
        if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 'a' + 'A');
    kd_json_str(json, kd_str_of(text));
}

void kd_out_instant(kd_json *json, const char *key, int64_t us)
{
    char text[32];
    kd_json_kstr(json, key, us ? kd_str_of(kd_instant_format(us, text)) : (kd_str){ NULL, 0 });
}

void kd_out_text(kd_json *json, const char *key, kd_str text)
{
    kd_json_key(json, key);
    kd_json_str(json, text);
}

void kd_out_raw(kd_json *json, kd_str value)
{
    if (value.len == 0) {
        kd_json_null(json);
        return;
    }
    json->after_key = false;
    kd_buf_str(json->out, value);
}

void kd_out_word(kd_json *json, const char *key, kd_str code, kd_str zh, kd_str en)
{
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_text(json, "code", code);
    kd_out_text(json, "zh", zh);
    kd_out_text(json, "en", en);
    kd_json_object_end(json);
}

kd_str kd_call_words(const kd_call *call, kd_str zh, kd_str en)
{
    return (call->is_english && en.len) || !zh.len ? en : zh;
}

/* "吴堡县宋家川街道…": names from the county down; of what stands above a county its own name. */
static size_t write_path(const kd_divisions *divisions, int64_t code, char *buf, size_t buf_bytes)
{
    size_t len = 0;
    const kd_division *own = kd_divisions_find(divisions, code);
    if (!own) return 0;
    kd_division_level from = own->level < KD_LEVEL_COUNTY ? own->level : KD_LEVEL_COUNTY;
    for (kd_division_level level = from; level <= own->level; level++) {
        const kd_division *part = kd_divisions_find(divisions, kd_division_at_level(code, level));
        if (!part || len + part->name.len > buf_bytes) continue;
        memcpy(buf + len, part->name.ptr, part->name.len);
        len += part->name.len;
    }
    return len;
}

void kd_out_area_members(kd_call *call, int64_t division)
{
    const kd_divisions *divisions;
    char code[24], path[512];
    kd_json *json = &call->out;
    snprintf(code, sizeof code, "%012lld", (long long)division);
    kd_str name = kd_str_of(code), path_text = name;
    if (division == 0) {
        name = path_text = kd_call_words(call, KD_STR("全部地区"), KD_STR("Whole register"));
    } else if (kd_register_divisions(call->reg, &divisions, NULL) == KD_OK) {
        const kd_division *found = kd_divisions_find(divisions, division);
        size_t len = write_path(divisions, division, path, sizeof path);
        if (found) name = found->name;
        if (len) path_text = (kd_str){ path, len };
    }
    kd_out_text(json, "code", kd_str_of(code));
    kd_out_text(json, "name", name);
    kd_out_text(json, "path", path_text);
}

void kd_out_area(kd_call *call, const char *key, int64_t division)
{
    if (key) kd_json_key(&call->out, key);
    kd_json_object(&call->out);
    kd_out_area_members(call, division);
    kd_json_object_end(&call->out);
}

void kd_out_division(kd_call *call, const char *key, int64_t division)
{
    if (division) {
        kd_out_area(call, key, division);
        return;
    }
    if (key) kd_json_key(&call->out, key);
    kd_json_null(&call->out);
}

/* ---- header lines ---- */

void kd_answer_field(kd_exchange *exchange, const char *name, kd_str value)
{
    kd_buf *out = &exchange->answer.fields;
    kd_buf_cstr(out, name);
    kd_buf_cstr(out, ": ");
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] >= 0x20 && value.ptr[i] != 0x7f) kd_buf_char(out, value.ptr[i]);
    kd_buf_cstr(out, "\r\n");
}

void kd_answer_security(kd_exchange *exchange)
{
    kd_buf *out = &exchange->answer.fields;
    /* the console's component library writes style elements of its own; scripts come from here alone */
    kd_buf_cstr(out,
                "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
                "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
                "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
                "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n"
                "Permissions-Policy: camera=(self), geolocation=(), microphone=()\r\n");
    if (exchange->is_secure) kd_buf_cstr(out, "Strict-Transport-Security: max-age=31536000\r\n");
}

void kd_call_set_cookie(kd_call *call, const kd_session_secrets *secrets)
{
    kd_buf *out = &call->exchange->answer.fields;
    int64_t lasts_s = secrets ? (secrets->expires_at - kd_now_us()) / 1000000 : 0;
    kd_buf_fmt(out, "Set-Cookie: kindred_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s\r\n",
               secrets ? secrets->cookie : "", (long long)(lasts_s > 0 ? lasts_s : 0),
               call->exchange->is_secure ? "; Secure" : "");
}

/* ---- versions ---- */

static kd_str etag_of(kd_call *call, int64_t version)
{
    return kd_arena_fmt(call->arena, "\"%lld\"", (long long)version);
}

void kd_call_set_version(kd_call *call, int64_t version)
{
    call->etag = etag_of(call, version);
}

kd_status kd_call_match_version(kd_call *call, int64_t version, bool is_required, kd_error *err)
{
    if (call->if_match.len == 0) {
        if (!is_required) return KD_OK;
        call->status = 428;
        kd_fail(err, KD_CONFLICT, "If-Match", "the version that is to be changed is not named");
        kd_hint(err, "send the ETag of what was read as If-Match");
        return KD_CONFLICT;
    }
    if (kd_etag_matches(call->if_match, etag_of(call, version))) return KD_OK;
    call->status = 412;
    kd_fail(err, KD_CONFLICT, "If-Match", "it was changed meanwhile");
    kd_hint(err, "read it again, and decide anew");
    return KD_CONFLICT;
}
