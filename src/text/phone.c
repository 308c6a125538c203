#include "base/base.h"
#include "text/text.h"

#include <string.h>

enum { DIGITS_MAX = 24 };

/* Digits that a mobile number needs, with the country's prefix when it stands before it. */
static size_t whole_number(const char *digits, size_t count)
{
    if (count >= 4 && memcmp(digits, "0086", 4) == 0) return 15;
    return count >= 2 && memcmp(digits, "86", 2) == 0 ? 13 : 11;
}

/* Digits of the first number in `raw`; what separates it from a second number or an extension ends it. */
static size_t first_number(kd_str raw, char out[DIGITS_MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < raw.len && count < DIGITS_MAX;) {
        unsigned char byte = (unsigned char)raw.ptr[at];
        uint32_t c = byte;
        if (byte < 0x80)
            at++;
        else
            c = kd_utf8_next(raw, &at);
        if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
        if (c >= '0' && c <= '9') {
            out[count++] = (char)c;
            continue;
        }
        bool is_between = c == ' ' || c == '-' || c == '(' || c == ')' || c == '.' || c == '+' || c == 0xA0 ||
                          (c >= 0x2010 && c <= 0x2015) || c == 0x3000;
        if (count >= 7 && !is_between) break;
        if (count >= whole_number(out, count)) break;   /* a second number or an extension: 0912-8881234-801 */
        if (count && (c == 'E' || c == 'e')) return 0;  /* 1.38E+10: a spreadsheet has eaten the digits */
        if (c == '*' || c == 'X' || c == 'x') return 0; /* masked */
    }
    return count;
}

static bool is_one_digit(const char *digits, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (digits[i] != digits[0]) return false;
    return true;
}

size_t kd_phone_read(kd_str raw, char buf[KD_PHONE_BYTES_MAX])
{
    char digits[DIGITS_MAX];
    size_t count = first_number(raw, digits), from = 0;
    if (count > 11 && memcmp(digits, "0086", 4) == 0)
        from = 4;
    else if (count > 11 && memcmp(digits, "86", 2) == 0)
        from = 2;
    const char *number = digits + from;
    count -= from;
    if (count == 12 && number[0] == '0' && number[1] == '1' && number[2] >= '3') { /* trunk 0 before a mobile */
        number++;
        count--;
    }
    /* After +86 the trunk 0 of an area code is left out: no mobile has 10 digits. */
    bool lacks_trunk = from && (count == 10 || (count == 11 && number[0] != '1' && number[0] != '0'));
    if (count < 7 || count > 12 || is_one_digit(number, count)) return 0;
    bool is_mobile = count == 11 && number[0] == '1' && number[1] >= '3';
    bool is_landline = number[0] == '0' ? count >= 10 : count <= 8 && number[0] != '1';
    if (!is_mobile && !is_landline && !lacks_trunk) return 0;
    size_t at = 0;
    if (lacks_trunk && !is_mobile) buf[at++] = '0';
    memcpy(buf + at, number, count);
    return at + count;
}
