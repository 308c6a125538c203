#include "exchange/pack.h"

#include <string.h>

enum { IDEOGRAPHIC_SPACE = 0x3000, FULL_WIDTH_FIRST = 0xFF01, FULL_WIDTH_LAST = 0xFF5E, FULL_WIDTH_SHIFT = 0xFEE0 };

static bool opens_note(uint32_t c)
{
    return c == '(' || c == '[' || c == '{' || c == 0x3010 || c == 0x3014; /* 【 〔 */
}

static bool closes_note(uint32_t c)
{
    return c == ')' || c == ']' || c == '}' || c == 0x3011 || c == 0x3015;
}

static bool is_nothing(uint32_t c)
{
    return c <= ' ' || c == 0x7F || c == '*' || c == ':' || c == 0xA0 || c == 0xFEFF || (c >= 0x2000 && c <= 0x200F) ||
           c == IDEOGRAPHIC_SPACE;
}

size_t feed_fold(kd_str raw, bool without_notes, char *buf)
{
    size_t len = 0;
    int depth = 0;
    for (size_t at = 0; at < raw.len;) {
        size_t start = at;
        uint32_t c = kd_utf8_next(raw, &at);
        size_t bytes = at - start;
        if (c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST) c -= FULL_WIDTH_SHIFT;
        if (opens_note(c) || closes_note(c)) {
            depth += opens_note(c) ? 1 : depth > 0 ? -1 : 0;
            continue;
        }
        if (is_nothing(c) || (without_notes && depth > 0)) continue;
        if (c < 0x80) {
            buf[len++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        } else {
            memcpy(buf + len, raw.ptr + start, bytes);
            len += bytes;
        }
    }
    return len;
}
