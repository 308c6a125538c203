#include "out.h"

#include <stdlib.h>
#include <string.h>

/* Shortest of 15, 16, 17 digits that reads back the same. */
static void add_float(kd_buf *out, double value)
{
    size_t from = out->len;
    for (int digits = 15; digits <= 17; digits++) {
        out->len = from;
        kd_buf_fmt(out, "%.*g", digits, value);
        if (out->status != KD_OK) return;
        for (size_t i = from; i < out->len; i++) /* a locale may write a comma */
            if (out->ptr[i] == ',') out->ptr[i] = '.';
        double back;
        if (kd_str_double((kd_str){ out->ptr + from, out->len - from }, &back) && back == value) return;
    }
}

static bool needs_quotes(kd_str text, char delimiter)
{
    if (text.len == 0) return true; /* an empty text, told apart from a missing one */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == delimiter || c == '"' || c == '\n' || c == '\r') return true;
    }
    return false;
}

static void add_text(kd_buf *out, kd_str text, char delimiter, bool guard)
{
    static const char formula_starts[] = { '=', '+', '-', '@', '\t' };
    bool is_guarded = guard && text.len && memchr(formula_starts, text.ptr[0], sizeof formula_starts);
    if (!is_guarded && !needs_quotes(text, delimiter)) {
        kd_buf_str(out, text);
        return;
    }
    bool is_quoted = needs_quotes(text, delimiter);
    if (is_quoted) kd_buf_char(out, '"');
    if (is_guarded) kd_buf_char(out, '\'');
    for (kd_str rest = text, part; kd_str_next(&rest, '"', &part);) {
        kd_buf_str(out, part);
        if (rest.ptr) kd_buf_cstr(out, "\"\"");
    }
    if (is_quoted) kd_buf_char(out, '"');
}

static void add_value(kd_buf *out, const kd_column *column, int64_t row, const kd_write_options *options)
{
    if (kd_column_is_null(column, row)) return;
    char day[16];
    switch (column->type) {
    case KD_TYPE_TEXT:
    case KD_TYPE_DICT: add_text(out, kd_column_text(column, row), options->delimiter, options->guard_formulas); break;
    case KD_TYPE_INT64: kd_buf_int(out, column->ints[row]); break;
    case KD_TYPE_FLOAT64: add_float(out, column->floats[row]); break;
    case KD_TYPE_DATE: kd_buf_cstr(out, kd_day_format(column->days[row], day)); break;
    case KD_TYPE_BOOL: kd_buf_cstr(out, column->bools[row] ? "true" : "false"); break;
    }
}

static kd_status write_rows(const kd_frame *frame, out_file *out, const kd_write_options *options, kd_error *err)
{
    const char *line_end = options->crlf ? "\r\n" : "\n";
    size_t columns = kd_frame_columns(frame);
    bool is_wide = options->encoding == KD_ENCODING_UTF16LE || options->encoding == KD_ENCODING_UTF16BE;
    bool is_utf8 = options->encoding == KD_ENCODING_AUTO || options->encoding == KD_ENCODING_UTF8;
    if (is_wide || (is_utf8 && options->bom)) kd_buf_cstr(&out->text, "\xEF\xBB\xBF");
    for (size_t c = 0; c < columns; c++) {
        if (c) kd_buf_char(&out->text, options->delimiter);
        add_text(&out->text, kd_frame_column(frame, c)->name, options->delimiter, options->guard_formulas);
    }
    kd_buf_cstr(&out->text, line_end);
    for (int64_t row = 0; row < kd_frame_rows(frame); row++) {
        for (size_t c = 0; c < columns; c++) {
            if (c) kd_buf_char(&out->text, options->delimiter);
            add_value(&out->text, kd_frame_column(frame, c), row, options);
        }
        kd_buf_cstr(&out->text, line_end);
        KD_TRY(out_turn(out, err));
    }
    return KD_OK;
}

kd_status kd_frame_write_csv(const kd_frame *frame, const char *path, const kd_write_options *options, kd_error *err)
{
    kd_write_options with = options ? *options : (kd_write_options){ 0 };
    if (!with.delimiter) with.delimiter = ',';
    out_file *out = calloc(1, sizeof *out);
    if (!out) return kd_fail(err, KD_LIMIT, "", "no memory to write the table");
    kd_status status = out_open(out, path, with.encoding, err);
    if (status == KD_OK) status = out_close(out, write_rows(frame, out, &with, err), err);
    free(out);
    return status;
}
