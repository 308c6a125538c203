#include "csv.h"

#include <ctype.h>
#include <string.h>

/* First bytes of files that people send in place of tables. */
static const struct {
    kd_str mark;
    const char *what;
} others[] = {
    { { "\xD0\xCF\x11\xE0", 4 }, "an old Excel or Word file (.xls, .doc) or a workbook with a password" },
    { { "%PDF", 4 }, "a PDF" },
    { { "\x89PNG", 4 }, "a picture" },
    { { "\xFF\xD8\xFF", 3 }, "a picture" },
    { { "GIF8", 4 }, "a picture" },
    { { "BM", 2 }, "a picture" },
    { { "II*\0", 4 }, "a picture" },
    { { "MM\0*", 4 }, "a picture" },
    { { "PK\x03\x04", 4 }, "a ZIP archive" },
    { { "\x1F\x8B", 2 }, "a gzip archive" },
    { { "7z\xBC\xAF", 4 }, "a 7-Zip archive" },
    { { "Rar!", 4 }, "a RAR archive" },
    { { "\x28\xB5\x2F\xFD", 4 }, "a zstd archive" },
    { { "SQLite format 3", 15 }, "a database" },
    { { "PAR1", 4 }, "a Parquet file" },
    { { "{\\rtf", 5 }, "a text document" },
    { { "<!DOCTYPE", 9 }, "a web page" },
    { { "<html", 5 }, "a web page" },
    { { "<HTML", 5 }, "a web page" },
    { { "<table", 6 }, "a web page" },
    { { "<?xml", 5 }, "an XML file" },
    { { "\x7F"
        "ELF",
        4 },
      "a program" },
    { { "MZ\x90", 3 }, "a program" },
};

static kd_status refuse(kd_error *err, const char *name, const char *what)
{
    kd_fail_at(err, KD_INVALID, name, 0, 0, "this is not a table but %s", kd_message(what));
    kd_hint(err, "open it where it was made and save it as .xlsx or CSV");
    return KD_INVALID;
}

static kd_status refuse_others(kd_str bytes, const char *name, kd_error *err)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (!kd_str_starts(bytes, others[i].mark)) continue;
        bool is_word = others[i].mark.len == 2 && isalpha((unsigned char)bytes.ptr[0]);
        bool has_zero = memchr(bytes.ptr, 0, bytes.len < 64 ? bytes.len : 64) != NULL;
        if (is_word && !has_zero) continue; /* a header may begin with BM */
        return refuse(err, name, others[i].what);
    }
    return KD_OK;
}

/* Control characters that no table holds, in the first lines. */
static bool looks_binary(kd_str text)
{
    size_t len = text.len < 4096 ? text.len : 4096, controls = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == 0) return true;
        controls += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1A && c != 0x1B;
    }
    return controls * 32 > len;
}

/* '\r' only when the sample ends lines with nothing else. */
static char recognise_newline(kd_str sample)
{
    bool is_quoted = false, has_return = false;
    for (size_t i = 0; i < sample.len; i++) {
        char c = sample.ptr[i];
        if (c == '"') is_quoted = !is_quoted;
        if (is_quoted) continue;
        if (c == '\n') return '\n';
        has_return |= c == '\r';
    }
    return has_return ? '\r' : '\n';
}

enum { LINES_JUDGED = 64 };

/* How well `delimiter` cuts the first lines: the fields of the header when most lines have as many, else fewer. */
static size_t judge(kd_str sample, char delimiter, char newline)
{
    size_t fields[LINES_JUDGED], lines = 0, count = 1;
    bool is_quoted = false, is_field_start = true;
    for (size_t i = 0; i < sample.len && lines < LINES_JUDGED; i++) {
        char c = sample.ptr[i];
        if (c == '"' && (is_quoted || is_field_start)) {
            is_quoted = !is_quoted;
            is_field_start = !is_quoted; /* a doubled quote opens again */
            continue;
        }
        is_field_start = false;
        if (is_quoted) continue;
        if (c == delimiter) {
            count++;
            is_field_start = true;
        } else if (c == newline) {
            bool is_blank = i == 0 || sample.ptr[i - 1] == newline;
            if (!is_blank) fields[lines++] = count;
            count = 1;
            is_field_start = true;
        }
    }
    if (lines == 0) return count * LINES_JUDGED;
    size_t same = 0;
    for (size_t i = 0; i < lines; i++) same += fields[i] == fields[0];
    return fields[0] * same * LINES_JUDGED / lines;
}

static char recognise_delimiter(kd_str sample, char newline)
{
    static const char candidates[] = { ',', '\t', ';', '|' };
    char best = ',';
    size_t best_score = 0;
    for (size_t i = 0; i < sizeof candidates; i++) {
        size_t score = judge(sample, candidates[i], newline);
        if (score <= best_score) continue;
        best = candidates[i];
        best_score = score;
    }
    return best;
}

/* Structure is read from the bytes as they are. In GB18030 no comma, semicolon, tab, quote or line end is part of a
 * character, but '|' may be; UTF-16 is another width altogether. */
static kd_status settle_text(csv_format *format, kd_error *err)
{
    kd_encoding encoding = format->encoding;
    format->field_encoding = KD_ENCODING_UTF8;
    if (encoding == KD_ENCODING_UTF8) return KD_OK;
    if (encoding == KD_ENCODING_GB18030) {
        KD_TRY(gb18030_prepare(err));
        bool is_in_place = (unsigned char)format->delimiter < 0x30 || format->delimiter == ';';
        if (is_in_place && format->delimiter) {
            format->field_encoding = KD_ENCODING_GB18030;
            return KD_OK;
        }
    }
    encoding_convert(encoding, format->text, &format->converted);
    if (format->converted.status != KD_OK)
        return kd_fail_at(err, KD_LIMIT, format->name, 0, 0, "no memory to convert the file to UTF-8");
    format->text = kd_buf_view(&format->converted);
    return KD_OK;
}

static kd_status fill(kd_str bytes, const kd_read_options *options, csv_format *format, kd_error *err)
{
    size_t mark_bytes = 0;
    kd_encoding found = encoding_detect(bytes, &mark_bytes);
    format->encoding = options->encoding == KD_ENCODING_AUTO ? found : options->encoding;
    if (mark_bytes && found != format->encoding) mark_bytes = 0;
    format->text = kd_str_sub(bytes, mark_bytes, bytes.len);
    format->delimiter = options->delimiter;
    bool is_wide = format->encoding == KD_ENCODING_UTF16LE || format->encoding == KD_ENCODING_UTF16BE;
    if (is_wide) KD_TRY(settle_text(format, err));
    if (format->text.len == 0) {
        kd_fail_at(err, KD_INVALID, format->name, 0, 0, "the file is empty");
        kd_hint(err, "a table begins with a line of column names");
        return KD_INVALID;
    }
    if (looks_binary(format->text)) return refuse(err, format->name, "a binary file");
    kd_buf sample; /* decoded, as a second byte of GB18030 may look like '|' */
    kd_buf_init(&sample, SIZE_MAX / 4);
    if (format->encoding == KD_ENCODING_GB18030) KD_TRY(gb18030_prepare(err));
    encoding_convert(is_wide ? KD_ENCODING_UTF8 : format->encoding, kd_str_sub(format->text, 0, CSV_SAMPLE_BYTES),
                     &sample);
    format->newline = recognise_newline(kd_buf_view(&sample));
    if (!format->delimiter) format->delimiter = recognise_delimiter(kd_buf_view(&sample), format->newline);
    kd_buf_done(&sample);
    return is_wide ? KD_OK : settle_text(format, err);
}

kd_status csv_recognise(kd_str bytes, const char *name, const kd_read_options *options, csv_format *out_format,
                        kd_error *err)
{
    char given = options->delimiter;
    if (given == '"' || given == '\n' || given == '\r' || (given & 0x80))
        return kd_fail(err, KD_INVALID, "delimiter", "a delimiter is one ASCII character, and no quote or line end");
    KD_TRY(refuse_others(bytes, name, err));
    csv_format format = { .name = name };
    kd_buf_init(&format.converted, SIZE_MAX / 4);
    kd_status status = fill(bytes, options, &format, err);
    if (status != KD_OK) {
        csv_format_done(&format);
        return status;
    }
    *out_format = format;
    return KD_OK;
}

void csv_format_done(csv_format *format)
{
    kd_buf_done(&format->converted);
}
