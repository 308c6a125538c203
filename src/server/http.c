#include "http.h"

#include <kindred/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void kd_request_free(kd_request *request)
{
    if (!request) return;
    kd_buf_done(&request->head);
    kd_buf_done(&request->body);
    kd_arena_free(request->arena);
    free(request);
}

kd_str kd_request_header(const kd_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (kd_str_is(request->headers[i].name, name)) return request->headers[i].value;
    return (kd_str){ NULL, 0 };
}

kd_str kd_request_cookie(const kd_request *request, const char *name)
{
    kd_str rest = kd_request_header(request, "cookie"), part;
    size_t len = strlen(name);
    while (rest.len && kd_str_next(&rest, ';', &part)) {
        part = kd_str_trim(part);
        if (part.len > len && memcmp(part.ptr, name, len) == 0 && part.ptr[len] == '=')
            return kd_str_sub(part, len + 1, part.len);
    }
    return (kd_str){ NULL, 0 };
}

bool kd_request_has_body(const kd_request *request)
{
    return request->is_chunked || request->content_length > 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool kd_percent_decode(kd_arena *arena, kd_str text, bool plus_is_space, kd_str *out_text)
{
    char *to = kd_arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (!to) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0') return false;
        to[len++] = c;
    }
    *out_text = (kd_str){ to, len };
    return kd_utf8_is_valid(*out_text);
}

/* A decoded segment that a file system or a log could misread. */
static bool is_trick(kd_str segment)
{
    if (segment.len == 0 || kd_str_is(segment, ".") || kd_str_is(segment, "..")) return true;
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\') return true;
    }
    return false;
}

bool kd_path_read(kd_arena *arena, kd_str path, kd_path *out_path)
{
    kd_path found = { .count = 0 };
    if (path.len == 0 || path.ptr[0] != '/') return false;
    kd_str rest = kd_str_sub(path, 1, path.len), part;
    while (rest.len && kd_str_next(&rest, '/', &part)) {
        if (found.count == KD_SEGMENTS_MAX) return false;
        kd_str *segment = &found.segments[found.count++];
        if (!kd_percent_decode(arena, part, false, segment) || is_trick(*segment)) return false;
    }
    if (path.len > 1 && path.ptr[path.len - 1] == '/') return false;
    *out_path = found;
    return true;
}

bool kd_query_get(kd_arena *arena, kd_str query, const char *name, kd_str *out_value, bool *out_is_there)
{
    kd_str rest = query, part;
    *out_is_there = false;
    *out_value = (kd_str){ NULL, 0 };
    while (rest.len && kd_str_next(&rest, '&', &part)) {
        ptrdiff_t equals = kd_str_find(part, KD_STR("="));
        kd_str key = equals < 0 ? part : kd_str_sub(part, 0, (size_t)equals);
        if (!kd_percent_decode(arena, key, true, &key)) return false;
        if (!kd_str_is(key, name)) continue;
        *out_is_there = true;
        if (equals < 0) return true;
        return kd_percent_decode(arena, kd_str_sub(part, (size_t)equals + 1, part.len), true, out_value);
    }
    return true;
}

/* ---- lists with qualities ---- */

static bool is_equal_folded(kd_str a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.ptr, b, a.len) == 0;
}

/* "gzip;q=0.5": the name and its quality in thousandths. */
static int take_quality(kd_str item, kd_str *out_name)
{
    kd_str rest = item, part;
    int quality = 1000;
    *out_name = (kd_str){ NULL, 0 };
    if (kd_str_next(&rest, ';', &part)) *out_name = kd_str_trim(part);
    while (rest.len && kd_str_next(&rest, ';', &part)) {
        part = kd_str_trim(part);
        double value;
        if (part.len > 2 && (part.ptr[0] == 'q' || part.ptr[0] == 'Q') && part.ptr[1] == '=')
            quality = kd_str_double(kd_str_sub(part, 2, part.len), &value) && value >= 0 && value <= 1
                          ? (int)(value * 1000)
                          : 0;
    }
    return quality;
}

bool kd_list_accepts(kd_str list, const char *token)
{
    kd_str rest = list, part, name;
    int any = 0;
    while (rest.len && kd_str_next(&rest, ',', &part)) {
        int quality = take_quality(part, &name);
        if (is_equal_folded(name, token)) return quality > 0;
        if (kd_str_is(name, "*")) any = quality;
    }
    return any > 0;
}

bool kd_prefers_english(kd_str accept_language)
{
    kd_str rest = accept_language, part, name;
    int english = 0, chinese = 0;
    while (rest.len && kd_str_next(&rest, ',', &part)) {
        int quality = take_quality(part, &name);
        kd_str primary = kd_str_sub(name, 0, 2);
        bool is_primary = name.len == 2 || (name.len > 2 && name.ptr[2] == '-');
        if (is_primary && is_equal_folded(primary, "en") && quality > english) english = quality;
        if (is_primary && is_equal_folded(primary, "zh") && quality > chinese) chinese = quality;
    }
    return english > chinese;
}

bool kd_etag_matches(kd_str list, kd_str etag)
{
    kd_str rest = list, part;
    while (rest.len && kd_str_next(&rest, ',', &part)) {
        part = kd_str_trim(part);
        if (kd_str_is(part, "*")) return true;
        if (kd_str_starts(part, KD_STR("W/"))) part = kd_str_sub(part, 2, part.len);
        if (etag.len && kd_str_eq(part, etag)) return true;
    }
    return false;
}

bool kd_host_is_sane(kd_str host)
{
    if (host.len == 0 || host.len > 255) return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && !strchr(".-_:[]%", c)) return false;
    }
    return true;
}

bool kd_token_is_plain(kd_str text, size_t min, size_t max)
{
    if (text.len < min || text.len > max) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.'))
            return false;
    }
    return true;
}

char *kd_http_date(int64_t us, char buf[32])
{
    static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t seconds = us / 1000000;
    int32_t day = (int32_t)(seconds / 86400), rest = (int32_t)(seconds % 86400);
    kd_ymd date = kd_day_to_ymd(day);
    snprintf(buf, 32, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[day % 7], date.day, months[date.month - 1], date.year,
             rest / 3600, rest / 60 % 60, rest % 60);
    return buf;
}

const char *kd_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "Answer";
}
