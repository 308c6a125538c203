#include "base.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void kd_json_init(kd_json *json, kd_buf *out)
{
    *json = (kd_json){ .out = out };
}

static void before_value(kd_json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    uint64_t bit = UINT64_C(1) << json->depth;
    if (json->has_member & bit) kd_buf_char(json->out, ',');
    json->has_member |= bit;
}

static void open_level(kd_json *json, char c)
{
    before_value(json);
    kd_buf_char(json->out, c);
    json->depth++;
    assert(json->depth < 64);
    json->has_member &= ~(UINT64_C(1) << json->depth);
}

static void close_level(kd_json *json, char c)
{
    assert(json->depth > 0);
    json->depth--;
    kd_buf_char(json->out, c);
}

void kd_json_object(kd_json *json)
{
    open_level(json, '{');
}

void kd_json_object_end(kd_json *json)
{
    close_level(json, '}');
}

void kd_json_array(kd_json *json)
{
    open_level(json, '[');
}

void kd_json_array_end(kd_json *json)
{
    close_level(json, ']');
}

/* Length of the well-formed UTF-8 sequence at `text`, or 0. Unicode 15, table 3-7. */
static size_t utf8_len(const unsigned char *text, size_t len)
{
    unsigned char c = text[0];
    if (c < 0x80) return 1;
    size_t want = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (want == 0 || want > len) return 0;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < want; i++)
        if ((text[i] & 0xC0) != 0x80) return 0;
    return want;
}

static void add_quoted(kd_buf *out, kd_str text)
{
    kd_buf_char(out, '"');
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len;) {
        unsigned char c = bytes[i];
        size_t len = utf8_len(bytes + i, text.len - i);
        if (c == '"' || c == '\\') {
            kd_buf_char(out, '\\');
            kd_buf_char(out, (char)c);
        } else if (c == '\n') {
            kd_buf_cstr(out, "\\n");
        } else if (c < 0x20 || c == 0x7F) {
            kd_buf_fmt(out, "\\u%04x", c);
        } else if (len == 0) {
            kd_buf_cstr(out, "\xEF\xBF\xBD");
            len = 1;
        } else {
            kd_buf_add(out, bytes + i, len);
        }
        i += len;
    }
    kd_buf_char(out, '"');
}

void kd_json_key(kd_json *json, const char *key)
{
    before_value(json);
    add_quoted(json->out, kd_str_of(key));
    kd_buf_char(json->out, ':');
    json->after_key = true;
}

void kd_json_str(kd_json *json, kd_str text)
{
    before_value(json);
    add_quoted(json->out, text);
}

void kd_json_int(kd_json *json, int64_t value)
{
    before_value(json);
    kd_buf_int(json->out, value);
}

void kd_json_double(kd_json *json, double value, int decimals)
{
    if (!isfinite(value)) {
        kd_json_null(json);
        return;
    }
    before_value(json);
    size_t from = json->out->len;
    kd_buf_fmt(json->out, "%.*f", decimals, value);
    for (size_t i = from; i < json->out->len; i++) /* a locale may write a comma */
        if (json->out->ptr[i] == ',') json->out->ptr[i] = '.';
}

void kd_json_bool(kd_json *json, bool value)
{
    before_value(json);
    kd_buf_cstr(json->out, value ? "true" : "false");
}

void kd_json_null(kd_json *json)
{
    before_value(json);
    kd_buf_cstr(json->out, "null");
}

void kd_json_kstr(kd_json *json, const char *key, kd_str text)
{
    kd_json_key(json, key);
    if (text.len) {
        kd_json_str(json, text);
    } else {
        kd_json_null(json);
    }
}

void kd_json_kint(kd_json *json, const char *key, int64_t value)
{
    kd_json_key(json, key);
    kd_json_int(json, value);
}

void kd_json_kdouble(kd_json *json, const char *key, double value, int decimals)
{
    kd_json_key(json, key);
    kd_json_double(json, value, decimals);
}

void kd_json_kbool(kd_json *json, const char *key, bool value)
{
    kd_json_key(json, key);
    kd_json_bool(json, value);
}

void kd_json_kday(kd_json *json, const char *key, int32_t day)
{
    char buf[16];
    kd_json_kstr(json, key, kd_str_of(kd_day_format(day, buf)));
}
