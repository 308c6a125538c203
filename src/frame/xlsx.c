#include "xlsx.h"
#include "csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sheet as it is read; `out` gathers one line of CSV for each of its rows. */
typedef struct {
    kd_buf *out;
    int64_t rows_max, rows_written; /* rows that hold anything, the header among them */
    int64_t row;                    /* 1-based, of the open row */
    size_t row_from;                /* where its line begins in `out` */
    size_t column, columns_written; /* 0-based next cell; cells in the line */
    size_t width;                   /* of the header */
    char type; /* of the open cell: n number, s shared, i inline or formula text, b bool, e error */
    size_t format;
    bool in_value;
    int phonetic;
    kd_buf value;
} sheet_state;

/* ---- numbers as a person would see them ---- */

static void add_date(kd_buf *out, double serial, bool is_1904)
{
    /* days before 1 March 1900 count a 29 February that never was */
    int64_t whole = (int64_t)floor(serial), seconds = (int64_t)floor((serial - floor(serial)) * 86400 + 0.5);
    whole += seconds / 86400;
    seconds %= 86400;
    int32_t day = (int32_t)(whole + (is_1904 ? -24107 : whole < 60 ? -25568 : -25569));
    char text[16];
    if (whole > 0 || is_1904) kd_buf_cstr(out, kd_day_format(day, text));
    if (seconds == 0 && whole > 0) return;
    if (whole > 0) kd_buf_char(out, ' ');
    kd_buf_fmt(out, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* Programs write 1.3812345678E10 for a telephone number, and 0.10000000000000001 for a tenth. */
static void add_number(kd_buf *out, kd_str text, double value)
{
    bool is_plain = !memchr(text.ptr, 'e', text.len) && !memchr(text.ptr, 'E', text.len);
    if (is_plain && text.len <= 16) {
        kd_buf_str(out, text);
    } else if (fabs(value) < 9.2e18 && value == floor(value)) {
        kd_buf_int(out, (int64_t)value);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            char shown[40];
            int len = snprintf(shown, sizeof shown, "%.*g", digits, value);
            double back;
            for (char *c = shown; *c; c++)
                if (*c == ',') *c = '.';
            if (digits < 17 && (!kd_str_double((kd_str){ shown, (size_t)len }, &back) || fabs(back - value) > 0))
                continue;
            kd_buf_cstr(out, shown);
            return;
        }
    }
}

static void put_number(const workbook *book, kd_buf *out, const sheet_state *sheet, kd_str text)
{
    enum { SERIAL_MAX = 2958465 }; /* 9999-12-31 */
    double value;
    if (!kd_str_double(text, &value)) {
        kd_buf_str(out, text);
        return;
    }
    bool is_date = sheet->format < book->format_count && book->is_date[sheet->format];
    if (is_date && value >= 0 && value <= SERIAL_MAX) {
        add_date(out, value, book->is_1904);
    } else {
        add_number(out, text, value);
    }
}

/* ---- texts ---- */

/* "_x000D_" is how a control character stands in a workbook. Source: ECMA-376 part 1, 22.9.2.19. */
static bool control_escape(kd_str text, char *out)
{
    if (text.len < 7 || memcmp(text.ptr, "_x00", 4) != 0 || text.ptr[6] != '_') return false;
    unsigned value = 0;
    for (size_t i = 4; i < 6; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                           : -1;
        if (digit < 0) return false;
        value = value * 16 + (unsigned)digit;
    }
    if (value == 0 || (value >= 0x20 && value != 0x5F)) return false;
    *out = (char)value;
    return true;
}

static void put_text(kd_buf *out, kd_str text)
{
    kd_buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '_' && control_escape(kd_str_sub(text, i, text.len), &c)) i += 6;
        if (c == '"') kd_buf_char(out, '"');
        kd_buf_char(out, c);
    }
    kd_buf_char(out, '"');
}

/* ---- cells and rows ---- */

/* "BC12" is column 54; SIZE_MAX when it is no cell's name. */
static size_t column_of(const char *name)
{
    size_t column = 0, letters = 0;
    for (; name[letters] >= 'A' && name[letters] <= 'Z' && letters < 4; letters++)
        column = column * 26 + (size_t)(name[letters] - 'A') + 1;
    return letters && letters < 4 ? column - 1 : SIZE_MAX;
}

static kd_status open_cell(xml_walk *walk, const char **attributes)
{
    sheet_state *sheet = walk->ctx;
    const char *name = xml_attribute(attributes, "r"), *type = xml_attribute(attributes, "t"),
               *style = xml_attribute(attributes, "s");
    size_t column = name ? column_of(name) : sheet->column;
    if (column >= SHEET_COLUMNS_MAX) return xlsx_fail(walk->book, "a cell lies outside the sheet");
    if (column < sheet->column) return xlsx_fail(walk->book, "its cells are out of order");
    sheet->column = column;
    sheet->type = !type || strcmp(type, "n") == 0 ? 'n'
                  : strcmp(type, "s") == 0        ? 's'
                  : strcmp(type, "b") == 0        ? 'b'
                  : strcmp(type, "e") == 0        ? 'e'
                                                  : 'i'; /* inlineStr, str (a formula's text), d (an ISO date) */
    int64_t format = 0;
    if (style && (!kd_str_int(kd_str_of(style), &format) || format < 0)) format = 0;
    sheet->format = (size_t)format;
    kd_buf_clear(&sheet->value);
    return KD_OK;
}

static kd_status put_cell(xml_walk *walk, kd_str value)
{
    sheet_state *sheet = walk->ctx;
    size_t index = 0;
    if (sheet->type == 's') {
        int64_t given;
        bool is_known =
            kd_str_int(kd_str_trim(value), &given) && given >= 0 && (size_t)given < xlsx_shared_count(walk->book);
        if (!is_known) return xlsx_fail(walk->book, "a cell names a text that is not there");
        index = (size_t)given;
        value = xlsx_shared(walk->book, index);
    }
    if (value.len == 0) return KD_OK;
    if (value.len > SHEET_CELL_BYTES_MAX) return xlsx_fail(walk->book, "a cell holds more than 32,767 characters");
    for (; sheet->columns_written <= sheet->column; sheet->columns_written++)
        if (sheet->columns_written) kd_buf_char(sheet->out, ',');
    switch (sheet->type) {
    case 'n': put_number(walk->book, sheet->out, sheet, kd_str_trim(value)); break;
    case 'b': kd_buf_cstr(sheet->out, value.ptr[0] == '1' || value.ptr[0] == 't' ? "true" : "false"); break;
    case 'e':
        kd_buf_char(sheet->out, ENCODING_SHEET_ERROR);
        kd_buf_str(sheet->out, value);
        break;
    default: put_text(sheet->out, value); break;
    }
    return KD_OK;
}

static kd_status open_row(xml_walk *walk, const char **attributes)
{
    sheet_state *sheet = walk->ctx;
    const char *number = xml_attribute(attributes, "r");
    int64_t row = sheet->row + 1;
    if (number && (!kd_str_int(kd_str_of(number), &row) || row <= sheet->row))
        return xlsx_fail(walk->book, "its rows are out of order");
    if (row > SHEET_ROWS_MAX) return xlsx_fail(walk->book, "a row lies outside the sheet");
    for (; sheet->row + 1 < row; sheet->row++) kd_buf_char(sheet->out, '\n'); /* rows that are not there */
    sheet->row = row;
    sheet->row_from = sheet->out->len;
    sheet->column = sheet->columns_written = 0;
    return KD_OK;
}

static kd_status close_row(xml_walk *walk)
{
    sheet_state *sheet = walk->ctx;
    if (sheet->columns_written) {
        if (!sheet->width) sheet->width = sheet->columns_written;
        for (; sheet->columns_written < sheet->width; sheet->columns_written++) kd_buf_char(sheet->out, ',');
        walk->is_done = sheet->rows_written++ >= sheet->rows_max;
    }
    kd_buf_char(sheet->out, '\n');
    if (sheet->out->status == KD_OK) return KD_OK;
    return kd_fail_at(walk->book->err, KD_LIMIT, walk->book->path, 0, 0, "the sheet's texts are too large");
}

/* ---- the sheet's elements ---- */

static kd_status sheet_start(xml_walk *walk, const char *name, const char **attributes)
{
    sheet_state *sheet = walk->ctx;
    if (strcmp(name, "row") == 0) return open_row(walk, attributes);
    if (strcmp(name, "c") == 0) {
        if (!sheet->row) return xlsx_fail(walk->book, "a cell stands outside a row");
        return open_cell(walk, attributes);
    }
    if (strcmp(name, "rPh") == 0) sheet->phonetic++;
    sheet->in_value = strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && !sheet->phonetic);
    return KD_OK;
}

static kd_status sheet_end(xml_walk *walk, const char *name)
{
    sheet_state *sheet = walk->ctx;
    sheet->in_value = false;
    if (strcmp(name, "rPh") == 0) sheet->phonetic--;
    if (strcmp(name, "row") == 0) return close_row(walk);
    if (strcmp(name, "sheetData") == 0) walk->is_done = true;
    if (strcmp(name, "c") != 0) return KD_OK;
    if (sheet->value.status != KD_OK) return xlsx_fail(walk->book, "a cell holds more than 32,767 characters");
    KD_TRY(put_cell(walk, kd_buf_view(&sheet->value)));
    sheet->column++;
    kd_buf_clear(&sheet->value);
    return KD_OK;
}

static kd_status sheet_text(xml_walk *walk, kd_str text)
{
    sheet_state *sheet = walk->ctx;
    if (sheet->in_value) kd_buf_str(&sheet->value, text);
    return KD_OK;
}

static kd_status read_sheet(workbook *book, const char *sheet_name, int64_t rows_max, kd_buf *out)
{
    static const xml_reader reader = { sheet_start, sheet_end, sheet_text };
    KD_TRY(xlsx_load_parts(book, sheet_name));
    sheet_state sheet = { .out = out, .rows_max = rows_max };
    kd_buf_init(&sheet.value, SHEET_CELL_BYTES_MAX + 1);
    kd_status status = xlsx_walk(book, book->sheet_part, &reader, &sheet);
    kd_buf_done(&sheet.value);
    if (status == KD_OK && !sheet.width) {
        status = kd_fail_at(book->err, KD_INVALID, book->path, 0, 0, "the sheet is empty");
        kd_hint(book->err, "a table begins with a row of column names; name another sheet if it stands there");
    }
    return status;
}

kd_status xlsx_to_csv(const char *path, const char *sheet, int64_t rows_max, const kd_progress *progress, kd_buf *out,
                      kd_error *err)
{
    workbook book = { .path = path, .progress = progress, .err = err };
    int code = 0;
    book.zip = zip_open(path, ZIP_RDONLY, &code);
    if (!book.zip) return xlsx_fail(&book, "its ZIP archive is damaged or cut off");
    book.arena = kd_arena_new(64 << 20);
    kd_buf_init(&book.shared, SHEET_TEXT_BYTES_MAX);
    kd_buf_init(&book.shared_ends, SIZE_MAX / 4);
    kd_status status =
        book.arena ? read_sheet(&book, sheet, rows_max, out) : kd_fail(err, KD_LIMIT, "", "no memory for the workbook");
    kd_buf_done(&book.shared);
    kd_buf_done(&book.shared_ends);
    kd_arena_free(book.arena);
    zip_discard(book.zip);
    return status;
}
