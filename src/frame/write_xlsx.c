#include "limits.h"
#include "out.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

enum { EXCEL_EPOCH_DAY = -25569 };

/* Numbers of more than 15 digits would be cut by a spreadsheet: they go as text. */
static bool fits_number(int64_t value)
{
    static const int64_t limit = INT64_C(1000000000000000);
    return value > -limit && value < limit;
}

static lxw_error write_text(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, kd_str text, kd_buf *scratch)
{
    kd_buf_clear(scratch);
    kd_buf_str(scratch, text);
    kd_buf_char(scratch, '\0');
    if (scratch->status != KD_OK) return LXW_ERROR_MEMORY_MALLOC_FAILED;
    return worksheet_write_string(sheet, row, col, scratch->ptr, NULL);
}

static lxw_error write_value(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, const kd_column *column, int64_t at,
                             lxw_format *day_format, kd_buf *scratch)
{
    if (kd_column_is_null(column, at)) return LXW_NO_ERROR;
    switch (column->type) {
    case KD_TYPE_TEXT:
    case KD_TYPE_DICT: return write_text(sheet, row, col, kd_column_text(column, at), scratch);
    case KD_TYPE_INT64: break;
    case KD_TYPE_FLOAT64: return worksheet_write_number(sheet, row, col, column->floats[at], NULL);
    case KD_TYPE_BOOL: return worksheet_write_boolean(sheet, row, col, column->bools[at], NULL);
    case KD_TYPE_DATE: {
        char text[16];
        int64_t serial = (int64_t)column->days[at] - EXCEL_EPOCH_DAY;
        /* spreadsheets begin in 1900 and count a 29 February of that year that never was */
        if (serial < 61) return write_text(sheet, row, col, kd_str_of(kd_day_format(column->days[at], text)), scratch);
        return worksheet_write_number(sheet, row, col, (double)serial, day_format);
    }
    }
    if (fits_number(column->ints[at])) return worksheet_write_number(sheet, row, col, (double)column->ints[at], NULL);
    char digits[24];
    kd_str text = { digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)column->ints[at]) };
    return write_text(sheet, row, col, text, scratch);
}

static lxw_error write_rows(const kd_frame *frame, lxw_workbook *book, lxw_worksheet *sheet, kd_buf *scratch)
{
    lxw_format *day_format = workbook_add_format(book);
    if (!day_format) return LXW_ERROR_MEMORY_MALLOC_FAILED;
    format_set_num_format(day_format, "yyyy-mm-dd");
    lxw_col_t columns = (lxw_col_t)kd_frame_columns(frame);
    lxw_error code = LXW_NO_ERROR;
    for (lxw_col_t c = 0; c < columns && code == LXW_NO_ERROR; c++)
        code = write_text(sheet, 0, c, kd_frame_column(frame, c)->name, scratch);
    for (int64_t row = 0; row < kd_frame_rows(frame) && code == LXW_NO_ERROR; row++)
        for (lxw_col_t c = 0; c < columns && code == LXW_NO_ERROR; c++)
            code = write_value(sheet, (lxw_row_t)row + 1, c, kd_frame_column(frame, c), row, day_format, scratch);
    return code;
}

static kd_status fail_code(const char *path, lxw_error code, kd_error *err)
{
    if (code == LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED)
        return kd_fail_at(err, KD_LIMIT, path, 0, 0,
                          "a text is longer than the 32,767 characters of a spreadsheet cell");
    kd_status status = code == LXW_ERROR_MEMORY_MALLOC_FAILED ? KD_LIMIT : KD_IO;
    kd_fail_at(err, status, path, 0, 0, "cannot write the workbook: %s", lxw_strerror(code));
    kd_hint(err, "check the sheet's name, the folder and the free space");
    return status;
}

kd_status kd_frame_write_xlsx(const kd_frame *frame, const char *path, const char *sheet, kd_error *err)
{
    if (kd_frame_rows(frame) >= SHEET_ROWS_MAX || kd_frame_columns(frame) > SHEET_COLUMNS_MAX) {
        kd_fail_at(err, KD_LIMIT, path, 0, 0, "%lld rows of %zu columns do not fit a sheet",
                   (long long)kd_frame_rows(frame), kd_frame_columns(frame));
        kd_hint(err, "a sheet holds 1,048,575 rows of 16,384 columns: write CSV instead");
        return KD_LIMIT;
    }
    char beside[OUT_PATH_MAX];
    KD_TRY(out_beside(path, beside, err));
    /* the library tells a file that cannot be made on standard error, and not why */
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return kd_fail_errno(err, path, "create");
    close(fd);
    lxw_workbook_options options = { .constant_memory = LXW_TRUE };
    lxw_workbook *book = workbook_new_opt(beside, &options);
    if (!book) return kd_fail(err, KD_LIMIT, "", "no memory to write the workbook");
    kd_buf scratch;
    kd_buf_init(&scratch, SIZE_MAX / 4);
    lxw_worksheet *page = workbook_add_worksheet(book, sheet);
    lxw_error code = page ? write_rows(frame, book, page, &scratch) : LXW_ERROR_SHEETNAME_LENGTH_EXCEEDED;
    lxw_error closed = workbook_close(book);
    kd_buf_done(&scratch);
    if (code == LXW_NO_ERROR) code = closed;
    kd_status status = code == LXW_NO_ERROR ? KD_OK : fail_code(path, code, err);
    if (status == KD_OK && rename(beside, path) != 0) status = kd_fail_errno(err, path, "replace");
    if (status != KD_OK) unlink(beside);
    return status;
}
