/* The file of bad rows: what a person mends and sends again. */
#include "exchange/convert.h"

#include <stdio.h>
#include <string.h>

const char *kd_bad_kind_name(kd_bad_kind kind)
{
    static const char *const names[] = { "reject", "problem", "warn" };
    return names[kind];
}

static bool needs_quotes(kd_str text, char delimiter)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == delimiter || text.ptr[i] == '"' || text.ptr[i] == '\n' || text.ptr[i] == '\r') return true;
    return text.len && (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ');
}

static void add_field(kd_buf *out, kd_str text, char delimiter)
{
    if (!needs_quotes(text, delimiter)) {
        kd_buf_str(out, text);
        return;
    }
    kd_buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') kd_buf_char(out, '"');
        kd_buf_char(out, text.ptr[i]);
    }
    kd_buf_char(out, '"');
}

/* A sheet that opens the file must not run what a stranger wrote. */
static void add_guarded(kd_buf *out, kd_str text, kd_buf *scratch)
{
    static const char starts[] = { '=', '+', '-', '@', '\t', '\r' };
    if (text.len == 0 || !memchr(starts, text.ptr[0], sizeof starts)) {
        add_field(out, text, ',');
        return;
    }
    kd_buf_clear(scratch);
    kd_buf_char(scratch, '\'');
    kd_buf_str(scratch, text);
    add_field(out, kd_buf_view(scratch), ',');
}

/* The fields as they were read, delimited as in the file. */
static void row_text(const bad_context *context, int64_t row, kd_buf *out)
{
    kd_buf_clear(out);
    for (size_t i = 0; i < kd_frame_columns(context->frame); i++) {
        if (i) kd_buf_char(out, context->delimiter);
        add_field(out, kd_column_text(kd_frame_column(context->frame, i), row), context->delimiter);
    }
}

void feed_bad_csv(const bad_context *context, const bad_row *bad, size_t count, kd_buf *out)
{
    kd_buf row, scratch;
    kd_buf_init(&row, SIZE_MAX);
    kd_buf_init(&scratch, SIZE_MAX);
    kd_buf_cstr(out, "\xEF\xBB\xBF行号 line,列号 column,列名 name,类别 kind,原因,reason,原文 row\n");
    for (size_t i = 0; i < count; i++) {
        const bad_row *at = &bad[i];
        const reason_text *reason = &context->reasons[at->reason];
        const kd_reject *reject = at->is_reject ? kd_read_report_reject(context->report, (size_t)at->row) : NULL;
        kd_str name = reject       ? reject->name
                      : at->column ? kd_read_report_header(context->report, at->column - 1)
                                   : KD_STR("");
        kd_buf_int(out, (int64_t)at->line);
        kd_buf_char(out, ',');
        if (at->column) kd_buf_int(out, at->column);
        kd_buf_char(out, ',');
        add_guarded(out, name, &scratch);
        kd_buf_fmt(out, ",%s,", kd_bad_kind_name(reason->kind));
        add_field(out, reason->zh, ',');
        kd_buf_char(out, ',');
        add_field(out, reason->en, ',');
        kd_buf_char(out, ',');
        if (!reject) row_text(context, at->row, &row);
        add_guarded(out, reject ? reject->raw : kd_buf_view(&row), &scratch);
        kd_buf_char(out, '\n');
    }
    if (row.status != KD_OK || scratch.status != KD_OK) out->status = KD_LIMIT;
    kd_buf_done(&row);
    kd_buf_done(&scratch);
}
