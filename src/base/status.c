#include "base.h"

#ifdef __clang_analyzer__
#undef kd_fail
#undef kd_fail_at
#undef kd_fail_errno
#endif

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Cut on a character's edge, so a message never ends in half a hanzi. */
static void cut_utf8(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (len - (start - 1) < want) text[start - 1] = '\0';
}

__attribute__((format(printf, 3, 0))) static void fill(char *buf, size_t bytes, const char *fmt, va_list args)
{
    int wanted = vsnprintf(buf, bytes, kd_message(fmt), args);
    if (wanted < 0) buf[0] = '\0';
    if (wanted >= (int)bytes) cut_utf8(buf, bytes - 1);
}

kd_status kd_fail(kd_error *err, kd_status status, const char *field, const char *fmt, ...)
{
    if (!err) return status;
    memset(err, 0, sizeof *err);
    err->status = status;
    if (field) snprintf(err->field, sizeof err->field, "%s", field);
    va_list args;
    va_start(args, fmt);
    fill(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return status;
}

kd_status kd_fail_at(kd_error *err, kd_status status, const char *file, uint64_t line, uint64_t column, const char *fmt,
                     ...)
{
    if (!err) return status;
    memset(err, 0, sizeof *err);
    err->status = status;
    err->line = line;
    err->column = column;
    if (file) snprintf(err->file, sizeof err->file, "%s", file);
    va_list args;
    va_start(args, fmt);
    fill(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return status;
}

kd_status kd_fail_errno(kd_error *err, const char *file, const char *verb)
{
    int code = errno;
    kd_status status = code == ENOENT ? KD_NOT_FOUND : code == ENOMEM ? KD_LIMIT : KD_IO;
    char reason[128] = "";
    const char *text = strerror_r(code, reason, sizeof reason);
    kd_fail_at(err, status, file, 0, 0, "cannot %s: %s", kd_message(verb), text);
    if (code == ENOSPC) kd_hint(err, "the disk is full: free space and run the command again; nothing was changed");
    if (code == EACCES || code == EPERM) kd_hint(err, "check who owns the file and its permissions");
    return status;
}

void kd_hint(kd_error *err, const char *fmt, ...)
{
    if (!err) return;
    va_list args;
    va_start(args, fmt);
    fill(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

__attribute__((format(printf, 4, 5))) static void add(char *buf, size_t bytes, size_t *len, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(buf + *len, bytes - *len, fmt, args);
    va_end(args);
    if (wanted < 0) return;
    *len = (size_t)wanted < bytes - *len ? *len + (size_t)wanted : bytes - 1;
}

size_t kd_error_text(const kd_error *err, char *buf, size_t buf_bytes)
{
    if (!buf_bytes) return 0;
    size_t len = 0;
    buf[0] = '\0';
    if (err->file[0]) add(buf, buf_bytes, &len, "%s:", err->file);
    if (err->line) add(buf, buf_bytes, &len, "%llu:", (unsigned long long)err->line);
    if (err->line && err->column) add(buf, buf_bytes, &len, "%llu:", (unsigned long long)err->column);
    if (len) add(buf, buf_bytes, &len, " ");
    if (err->field[0]) add(buf, buf_bytes, &len, "%s: ", err->field);
    add(buf, buf_bytes, &len, "%s", err->message[0] ? err->message : kd_status_name(err->status));
    if (err->hint[0]) add(buf, buf_bytes, &len, " (%s)", err->hint);
    return len;
}

const char *kd_status_name(kd_status status)
{
    static const char *const names[] = { "ok",       "invalid",   "not_found",   "limit", "io_error",
                                         "conflict", "cancelled", "unsupported", "denied" };
    return (unsigned)status < sizeof names / sizeof names[0] ? names[status] : "unknown";
}
