#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *kd_arg(const kd_args *args, const char *name)
{
    const kd_option *options = args->command->options;
    for (size_t i = 0; options && options[i].name; i++)
        if (strcmp(options[i].name, name) == 0) return args->values[i];
    return NULL;
}

bool kd_arg_int(const kd_args *args, const char *name, int64_t otherwise, int64_t *out_value)
{
    const char *text = kd_arg(args, name);
    if (!text) {
        *out_value = otherwise;
        return true;
    }
    if (kd_str_int(kd_str_of(text), out_value)) return true;
    kd_cli_usage(args, "--%s wants a whole number, not '%s'", name, text);
    return false;
}

int kd_cli_fail(const kd_args *args, const kd_error *err)
{
    kd_cli_progress_end();
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fprintf(stderr, "kindred %s: %s\n", args->command->name, text);
    if (!args->is_json) return KD_EXIT_FAILED;
    kd_buf out;
    kd_buf_init(&out, 1 << 16);
    kd_json json;
    kd_json_init(&json, &out);
    kd_json_object(&json);
    kd_json_key(&json, "error");
    kd_json_object(&json);
    kd_json_kstr(&json, "status", kd_str_of(kd_status_name(err->status)));
    kd_json_kstr(&json, "file", kd_str_of(err->file));
    if (err->line) kd_json_kint(&json, "line", (int64_t)err->line);
    if (err->column) kd_json_kint(&json, "column", (int64_t)err->column);
    kd_json_kstr(&json, "field", kd_str_of(err->field));
    kd_json_kstr(&json, "message", kd_str_of(err->message));
    kd_json_kstr(&json, "hint", kd_str_of(err->hint));
    kd_json_object_end(&json);
    kd_json_object_end(&json);
    kd_cli_print(&out);
    kd_buf_done(&out);
    return KD_EXIT_FAILED;
}

int kd_cli_usage(const kd_args *args, const char *fmt, ...)
{
    fprintf(stderr, "kindred %s: ", args->command->name);
    va_list list;
    va_start(list, fmt);
    vfprintf(stderr, fmt, list);
    va_end(list);
    fprintf(stderr, "\nusage: kindred %s\n`kindred %s --help` tells more\n", args->command->usage, args->command->name);
    return KD_EXIT_USAGE;
}

int kd_cli_print(const kd_buf *out)
{
    if (out->status != KD_OK) {
        fputs("kindred: the result is too large to print\n", stderr);
        return KD_EXIT_FAILED;
    }
    bool is_fine = fwrite(out->ptr, 1, out->len, stdout) == out->len;
    if (out->len == 0 || out->ptr[out->len - 1] != '\n') is_fine = putchar('\n') != EOF && is_fine;
    is_fine = fflush(stdout) == 0 && is_fine;
    if (!is_fine) fprintf(stderr, "kindred: cannot write the result: %s\n", strerror(errno));
    return is_fine ? KD_EXIT_OK : KD_EXIT_FAILED;
}

bool kd_cli_is_english(void)
{
    static const char *const names[] = { "KINDRED_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (!value || !value[0] || strcmp(value, "C") == 0 || strncmp(value, "C.", 2) == 0 ||
            strcmp(value, "POSIX") == 0)
            continue;
        return strncmp(value, "zh", 2) != 0;
    }
    return false;
}

/* ---- progress: a bar on standard error, only where a person looks ---- */

static volatile int is_cancelled;
static double shown_at;
static char shown_stage[64];

static void on_interrupt(int signal_number)
{
    if (is_cancelled) _exit(128 + signal_number); /* asked twice */
    is_cancelled = 1;
}

static void show(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    (void)ctx;
    double now = kd_seconds();
    bool is_new_stage = strcmp(stage, shown_stage) != 0;
    if (!is_new_stage && now - shown_at < 0.1 && (total == 0 || done < total)) return;
    if (is_new_stage && shown_stage[0]) fputc('\n', stderr);
    snprintf(shown_stage, sizeof shown_stage, "%s", stage);
    shown_at = now;
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s %llu", stage, (unsigned long long)done);
        return;
    }
    enum { WIDTH = 30 };
    size_t full = (size_t)((double)done / (double)total * WIDTH);
    char bar[WIDTH + 1];
    for (size_t i = 0; i < WIDTH; i++) bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3.0f%% %s", bar, 100.0 * (double)done / (double)total, stage);
}

const kd_progress *kd_cli_progress(void)
{
    static kd_progress progress;
    struct sigaction action = { .sa_handler = on_interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    progress.cancelled = &is_cancelled;
    progress.report = isatty(STDERR_FILENO) ? show : NULL;
    return &progress;
}

void kd_cli_progress_end(void)
{
    if (shown_stage[0]) fputc('\n', stderr);
    shown_stage[0] = '\0';
}
