#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kd_buf_init(kd_buf *buf, size_t bytes_max)
{
    *buf = (kd_buf){ .bytes_max = bytes_max };
}

void kd_buf_done(kd_buf *buf)
{
    free(buf->ptr);
    *buf = (kd_buf){ 0 };
}

void kd_buf_clear(kd_buf *buf)
{
    buf->len = 0;
    buf->status = KD_OK;
}

char *kd_buf_room(kd_buf *buf, size_t len)
{
    if (buf->status != KD_OK) return NULL;
    if (len > buf->bytes_max || buf->len > buf->bytes_max - len) {
        buf->status = KD_LIMIT;
        return NULL;
    }
    size_t need = buf->len + len;
    if (need > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 256;
        while (cap < need) cap *= 2;
        char *grown = realloc(buf->ptr, cap);
        if (!grown) {
            buf->status = KD_LIMIT;
            return NULL;
        }
        buf->ptr = grown;
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

void kd_buf_add(kd_buf *buf, const void *bytes, size_t len)
{
    char *room = len ? kd_buf_room(buf, len) : NULL;
    if (!room) return;
    memcpy(room, bytes, len);
    buf->len += len;
}

void kd_buf_str(kd_buf *buf, kd_str text)
{
    kd_buf_add(buf, text.ptr, text.len);
}

void kd_buf_cstr(kd_buf *buf, const char *text)
{
    kd_buf_add(buf, text, strlen(text));
}

void kd_buf_char(kd_buf *buf, char c)
{
    kd_buf_add(buf, &c, 1);
}

void kd_buf_int(kd_buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) digits[--at] = '-';
    kd_buf_add(buf, digits + at, sizeof digits - at);
}

void kd_buf_fmt(kd_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *room = len < 0 ? NULL : kd_buf_room(buf, (size_t)len + 1);
    if (room) {
        vsnprintf(room, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

kd_str kd_buf_view(const kd_buf *buf)
{
    return (kd_str){ buf->ptr, buf->len };
}
