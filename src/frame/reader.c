#include "csv.h"

#include <string.h>

static const char *const NEVER_CLOSED = "a quote is opened and never closed";
static const char *const TOO_LONG = "the row is longer than 16 MB";
static const char *const AFTER_QUOTE = "text follows a closing quote";
static const char *const HAS_NUL = "the row holds a NUL byte";

void csv_reader_init(csv_reader *reader, const csv_format *format, csv_field *fields, size_t fields_cap, size_t at)
{
    reader->format = format;
    reader->at = at;
    reader->lines = 0;
    reader->fields = fields;
    reader->fields_cap = fields_cap;
    scanner_init(&reader->scan, format->text, format->delimiter, format->newline);
    scanner_seek(&reader->scan, at);
}

/* The row is bad and ends with the first line end at or after `from`. */
static csv_row_kind give_up(csv_reader *reader, size_t from, const char *reason)
{
    kd_str text = reader->format->text;
    const char *hit = from < text.len ? memchr(text.ptr + from, reader->format->newline, text.len - from) : NULL;
    reader->row_to = hit ? (size_t)(hit - text.ptr) : text.len;
    reader->at = hit ? reader->row_to + 1 : text.len;
    reader->reason = reason;
    reader->bad_field = reason == TOO_LONG ? 0 : (uint32_t)reader->count + 1;
    scanner_seek(&reader->scan, reader->at);
    return CSV_ROW_BAD;
}

static uint64_t count_lines(const csv_reader *reader, size_t from, size_t to)
{
    const char *at = reader->format->text.ptr + from, *end = reader->format->text.ptr + to;
    uint64_t lines = 0;
    while (at < end && (at = memchr(at, reader->format->newline, (size_t)(end - at)))) {
        lines++;
        at++;
    }
    return lines;
}

static void keep(csv_reader *reader, csv_field field)
{
    if (reader->count < reader->fields_cap) reader->fields[reader->count] = field;
    reader->count++;
}

/* Reads the quoted field whose quote stands at `from`. Returns where its delimiter or line end stands, or SIZE_MAX. */
static size_t quoted_field(csv_reader *reader, size_t from, const char **out_reason)
{
    const csv_format *format = reader->format;
    const char *text = format->text.ptr;
    size_t len = format->text.len, at;
    csv_field field = { .ptr = text + from + 1, .is_quoted = true };
    scanner_next(&reader->scan);
    for (;;) {
        at = scanner_next(&reader->scan);
        if (at == len || at - reader->row_from > KD_ROW_BYTES_MAX) {
            *out_reason = at == len ? NEVER_CLOSED : TOO_LONG;
            return SIZE_MAX;
        }
        if (text[at] == '"') {
            if (at + 1 == len || text[at + 1] != '"') break;
            field.has_escape = true;
            scanner_next(&reader->scan);
        } else if (text[at] == format->newline) {
            reader->lines += !format->is_sheet;
        } else if (text[at] == '\0') {
            reader->reason = HAS_NUL;
            reader->bad_field = (uint32_t)reader->count + 1;
        }
    }
    field.len = (uint32_t)(at - from - 1);
    keep(reader, field);
    at++;
    if (at < len && text[at] == '\r' && format->newline == '\n' && (at + 1 == len || text[at + 1] == '\n')) at++;
    if (at == len || text[at] == format->delimiter || text[at] == format->newline) {
        if (at < len) scanner_next(&reader->scan);
        return at;
    }
    reader->count--;
    reader->row_to = at;
    *out_reason = AFTER_QUOTE;
    return SIZE_MAX;
}

/* Reads the field at `from` that has no quote; a quote inside it is text. Returns where its end stands. */
static size_t plain_field(csv_reader *reader, size_t from)
{
    const csv_format *format = reader->format;
    const char *text = format->text.ptr;
    size_t len = format->text.len, at;
    while ((at = scanner_next(&reader->scan)) < len && text[at] != format->delimiter && text[at] != format->newline) {
        if (text[at] != '\0') continue;
        reader->reason = HAS_NUL;
        reader->bad_field = (uint32_t)reader->count + 1;
    }
    size_t to = at;
    bool is_row_end = at == len || text[at] == format->newline;
    if (is_row_end && to > from && text[to - 1] == '\r' && format->newline == '\n') to--;
    keep(reader, (csv_field){ .ptr = text + from, .len = (uint32_t)(to - from) });
    return at;
}

csv_row_kind csv_reader_row(csv_reader *reader)
{
    const csv_format *format = reader->format;
    const char *text = format->text.ptr, *reason = NULL;
    size_t len = format->text.len, at = reader->at;
    uint64_t lines_before = reader->lines;
    reader->row_from = at;
    reader->count = 0;
    reader->reason = NULL;
    for (;;) {
        size_t from = at;
        at = from < len && text[from] == '"' ? quoted_field(reader, from, &reason) : plain_field(reader, from);
        if (at == SIZE_MAX) break;
        if (at == len || text[at] == format->newline) break;
        at++;
    }
    if (at != SIZE_MAX && at - reader->row_from > KD_ROW_BYTES_MAX) reason = TOO_LONG;
    if (reason) {
        /* after a closing quote the row's end is in doubt, so all that may belong to it goes; else its first line */
        csv_row_kind kind = give_up(reader, reason == AFTER_QUOTE ? reader->row_to : reader->row_from, reason);
        reader->lines = lines_before + count_lines(reader, reader->row_from, reader->at);
        return kind;
    }
    reader->row_to = at;
    reader->at = at < len ? at + 1 : len;
    reader->lines += at < len;
    if (reader->reason) return CSV_ROW_BAD;
    bool is_blank = reader->count == 1 && reader->fields[0].len == 0 && !reader->fields[0].is_quoted;
    return is_blank ? CSV_ROW_BLANK : CSV_ROW_GOOD;
}

kd_str csv_field_text(const csv_field *field, kd_buf *scratch)
{
    if (!field->has_escape) return (kd_str){ field->ptr, field->len };
    kd_buf_clear(scratch);
    char *to = kd_buf_room(scratch, field->len);
    if (!to) return (kd_str){ NULL, 0 };
    for (uint32_t i = 0; i < field->len; i++) {
        *to++ = field->ptr[i];
        i += field->ptr[i] == '"';
    }
    return (kd_str){ scratch->ptr, (size_t)(to - scratch->ptr) };
}
