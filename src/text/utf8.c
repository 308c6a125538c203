#include "text/text.h"

#define MALFORMED 0xFFFDu

/* Shortest forms only, no surrogates, nothing above U+10FFFF. Source: RFC 3629, syntax of byte sequences. */
uint32_t kd_utf8_next(kd_str text, size_t *at)
{
    if (*at >= text.len) return MALFORMED;
    const unsigned char *bytes = (const unsigned char *)text.ptr + *at;
    size_t left = text.len - *at;
    uint32_t first = bytes[0];
    if (first < 0x80) {
        *at += 1;
        return first;
    }
    if ((first & 0xF0) == 0xE0 && left >= 3 && (bytes[1] & 0xC0) == 0x80 && (bytes[2] & 0xC0) == 0x80) {
        uint32_t code = (first & 0x0F) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
        if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) {
            *at += 3;
            return code;
        }
    } else if (first >= 0xC2 && first <= 0xDF && left >= 2 && (bytes[1] & 0xC0) == 0x80) {
        *at += 2;
        return (first & 0x1F) << 6 | (bytes[1] & 0x3Fu);
    } else if (first >= 0xF0 && first <= 0xF4 && left >= 4 && (bytes[1] & 0xC0) == 0x80 && (bytes[2] & 0xC0) == 0x80 &&
               (bytes[3] & 0xC0) == 0x80) {
        uint32_t code = (first & 0x07) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 | (bytes[3] & 0x3Fu);
        if (code >= 0x10000 && code <= 0x10FFFF) {
            *at += 4;
            return code;
        }
    }
    *at += 1;
    return MALFORMED;
}

bool kd_utf8_is_valid(kd_str text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t before = at;
        if (kd_utf8_next(text, &at) == MALFORMED && at - before == 1) return false; /* a real U+FFFD has three bytes */
    }
    return true;
}

size_t kd_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point >= 0xD800 && code_point <= 0xDFFF) return 0;
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    if (code_point > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}
