#include "base.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

kd_str kd_str_of(const char *cstr)
{
    return (kd_str){ cstr, cstr ? strlen(cstr) : 0 };
}

bool kd_str_eq(kd_str a, kd_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool kd_str_is(kd_str a, const char *cstr)
{
    return kd_str_eq(a, kd_str_of(cstr));
}

int kd_str_cmp(kd_str a, kd_str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool kd_str_starts(kd_str text, kd_str prefix)
{
    return text.len >= prefix.len && kd_str_eq((kd_str){ text.ptr, prefix.len }, prefix);
}

bool kd_str_ends(kd_str text, kd_str suffix)
{
    return text.len >= suffix.len && kd_str_eq(kd_str_sub(text, text.len - suffix.len, text.len), suffix);
}

ptrdiff_t kd_str_find(kd_str text, kd_str needle)
{
    if (needle.len == 0) return 0;
    const char *hit = text.len < needle.len ? NULL : memmem(text.ptr, text.len, needle.ptr, needle.len);
    return hit ? hit - text.ptr : -1;
}

static size_t space_at_start(kd_str text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
    if (text.len >= 2 && c == 0xC2 && (unsigned char)text.ptr[1] == 0xA0) return 2;
    return text.len >= 3 && memcmp(text.ptr, "\xE3\x80\x80", 3) == 0 ? 3 : 0;
}

static size_t space_at_end(kd_str text)
{
    unsigned char c = (unsigned char)text.ptr[text.len - 1];
    if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
    if (text.len >= 2 && memcmp(text.ptr + text.len - 2, "\xC2\xA0", 2) == 0) return 2;
    return text.len >= 3 && memcmp(text.ptr + text.len - 3, "\xE3\x80\x80", 3) == 0 ? 3 : 0;
}

kd_str kd_str_trim(kd_str text)
{
    size_t cut;
    while (text.len && (cut = space_at_start(text))) text = (kd_str){ text.ptr + cut, text.len - cut };
    while (text.len && (cut = space_at_end(text))) text.len -= cut;
    return text;
}

kd_str kd_str_sub(kd_str text, size_t from, size_t to)
{
    if (to > text.len) to = text.len;
    if (from >= to) return (kd_str){ NULL, 0 };
    return (kd_str){ text.ptr + from, to - from };
}

bool kd_str_next(kd_str *rest, char sep, kd_str *out_part)
{
    if (!rest->ptr) return false;
    const char *end = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    if (!end) {
        *out_part = *rest;
        *rest = (kd_str){ NULL, 0 };
        return true;
    }
    size_t len = (size_t)(end - rest->ptr);
    *out_part = (kd_str){ rest->ptr, len };
    *rest = (kd_str){ end + 1, rest->len - len - 1 };
    return true;
}

bool kd_str_int(kd_str text, int64_t *out_value)
{
    bool is_negative = text.len && text.ptr[0] == '-';
    size_t i = is_negative;
    if (i == text.len) return false;
    int64_t value = 0;
    for (; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9) return false;
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_sub_overflow(value, digit, &value)) return false; /* negative holds INT64_MIN */
    }
    if (!is_negative && value == INT64_MIN) return false;
    *out_value = is_negative ? value : -value;
    return true;
}

bool kd_str_double(kd_str text, double *out_value)
{
    char buf[64];
    if (text.len == 0 || text.len >= sizeof buf) return false;
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr("0123456789+-.eE", text.ptr[i])) return false;
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    static locale_t c_locale;
    locale_t locale = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (!locale) {
        locale = newlocale(LC_ALL_MASK, "C", NULL);
        locale_t none = NULL;
        if (!__atomic_compare_exchange_n(&c_locale, &none, locale, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            freelocale(locale);
            locale = none;
        }
    }
    char *end;
    double value = strtod_l(buf, &end, locale);
    if (end != buf + text.len || !isfinite(value)) return false;
    *out_value = value;
    return true;
}
