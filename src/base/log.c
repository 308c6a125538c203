#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const LEVELS[] = { "debug", "info", "warn", "error" };

static kd_log_level least(void)
{
    const char *given = getenv("KINDRED_LOG");
    for (int i = 0; given && i < 4; i++)
        if (strcmp(given, LEVELS[i]) == 0) return (kd_log_level)i;
    return KD_LOG_INFO;
}

void kd_log(kd_log_level level, const char *message, ...)
{
    if (level < least()) return;
    char text[1024];
    va_list args;
    va_start(args, message);
    vsnprintf(text, sizeof text, message, args);
    va_end(args);
    kd_buf line;
    kd_buf_init(&line, 16384);
    if (isatty(STDERR_FILENO)) {
        kd_buf_fmt(&line, "%s%s\n", level >= KD_LOG_WARN ? "! " : "", text);
    } else {
        char when[32];
        kd_json json;
        kd_json_init(&json, &line);
        kd_json_object(&json);
        kd_json_kstr(&json, "time", kd_str_of(kd_instant_format(kd_now_us(), when)));
        kd_json_kstr(&json, "level", kd_str_of(LEVELS[level]));
        kd_json_kstr(&json, "message", kd_str_of(text));
        kd_json_object_end(&json);
        kd_buf_char(&line, '\n');
    }
    /* one write, so that lines of threads do not mix */
    if (line.status == KD_OK && write(STDERR_FILENO, line.ptr, line.len) < 0) (void)0;
    kd_buf_done(&line);
}
