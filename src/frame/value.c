#include "csv.h"

#include <string.h>

static uint64_t load8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static bool are_digits8(uint64_t word)
{
    return ((word & UINT64_C(0xF0F0F0F0F0F0F0F0)) |
            (((word + UINT64_C(0x0606060606060606)) & UINT64_C(0xF0F0F0F0F0F0F0F0)) >> 4)) ==
           UINT64_C(0x3333333333333333);
}

/* Eight digits at once, first digit in the lowest byte. Source: D. Lemire, Quickly parsing eight digits, 2018. */
static uint64_t digits8(uint64_t word)
{
    word -= UINT64_C(0x3030303030303030);
    word = word * 10 + (word >> 8);
    return ((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
            (word >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
           32;
}

/* Up to 18 digits, which always fit. */
static bool digits(const char *at, size_t len, uint64_t *out)
{
    uint64_t value = 0;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word = load8(at);
        if (!are_digits8(word)) return false;
        value = value * 100000000 + digits8(word);
    }
    for (; len; len--, at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool value_int(kd_str text, int64_t *out)
{
    bool is_negative = text.len && text.ptr[0] == '-';
    const char *at = text.ptr + is_negative;
    size_t len = text.len - is_negative;
    if (len == 0 || len > 19 || (at[0] == '0' && (len > 1 || is_negative))) return false;
    if (len == 19) return kd_str_int(text, out);
    uint64_t value;
    if (!digits(at, len, &value)) return false;
    *out = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* "12.5" exactly: whole numbers below 2^53 and powers of ten up to 10^22 are doubles, so one division rounds once.
 * Source: W. Clinger, How to read floating point numbers accurately, 1990. */
static bool short_decimal(const char *at, size_t len, double *out)
{
    enum { DIGITS_MAX = 15 };
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14 };
    if (len > DIGITS_MAX + 1) return false;
    uint64_t value = 0;
    size_t point = len;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)at[i] - (unsigned)'0';
        if (digit <= 9) {
            value = value * 10 + digit;
        } else if (at[i] == '.' && point == len && i > 0 && i + 1 < len) {
            point = i;
        } else {
            return false;
        }
    }
    size_t decimals = point < len ? len - point - 1 : 0;
    if (point == len && len > DIGITS_MAX) return false;
    *out = (double)value / powers[decimals];
    return true;
}

bool value_float(kd_str text, double *out)
{
    bool is_negative = text.len && text.ptr[0] == '-';
    const char *at = text.ptr + is_negative;
    size_t len = text.len - is_negative;
    if (len == 0 || (len > 1 && at[0] == '0' && at[1] >= '0' && at[1] <= '9')) return false;
    double value;
    if (short_decimal(at, len, &value)) {
        *out = is_negative ? -value : value;
        return true;
    }
    if (!(at[0] == '.' || (at[0] >= '0' && at[0] <= '9'))) return false;
    bool has_mark = memchr(at, '.', len) || memchr(at, 'e', len) || memchr(at, 'E', len);
    /* more digits than an integer holds are a code or an identity number, and would be cut */
    return has_mark && kd_str_double(text, out);
}

bool value_date(kd_str text, int32_t *out)
{
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-') return false;
    const char *at = text.ptr;
    char packed[8] = { at[0], at[1], at[2], at[3], at[5], at[6], at[8], at[9] };
    uint64_t word = load8(packed);
    if (!are_digits8(word)) return false;
    uint32_t number = (uint32_t)digits8(word);
    kd_ymd date = { (int32_t)(number / 10000), (uint8_t)(number / 100 % 100), (uint8_t)(number % 100) };
    int32_t day = kd_day_from_ymd(date);
    if (day == KD_DAY_NONE) return false;
    *out = day;
    return true;
}

bool value_bool(kd_str text, bool *out)
{
    static const struct {
        kd_str text;
        bool value;
    } words[] = { { { "true", 4 }, true },   { { "false", 5 }, false }, { { "True", 4 }, true },
                  { { "False", 5 }, false }, { { "TRUE", 4 }, true },   { { "FALSE", 5 }, false } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!kd_str_eq(text, words[i].text)) continue;
        *out = words[i].value;
        return true;
    }
    return false;
}
