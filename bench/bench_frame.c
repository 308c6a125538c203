/* Reads one table and prints what it found as JSON: for bench/frame.py, which compares it with its peers. */
#include "frame/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = { "text", "dict", "int64", "float64", "date", "bool" };

static void add_text_sums(kd_json *json, const kd_column *column)
{
    int64_t bytes = 0;
    kd_str least = { NULL, 0 }, most = { NULL, 0 };
    for (int64_t row = 0; row < column->rows; row++) {
        if (kd_column_is_null(column, row)) continue;
        kd_str value = kd_column_text(column, row);
        bytes += (int64_t)value.len;
        if (!least.ptr || kd_str_cmp(value, least) < 0) least = value;
        if (!most.ptr || kd_str_cmp(value, most) > 0) most = value;
    }
    kd_json_kint(json, "bytes", bytes);
    kd_json_kstr(json, "min", least);
    kd_json_kstr(json, "max", most);
}

static int64_t whole_value(const kd_column *column, int64_t row)
{
    if (column->type == KD_TYPE_INT64) return column->ints[row];
    return column->type == KD_TYPE_DATE ? column->days[row] : column->bools[row];
}

static void add_number_sums(kd_json *json, const kd_column *column)
{
    double real = 0;
    uint64_t whole = 0;
    for (int64_t row = 0; row < column->rows; row++) {
        if (kd_column_is_null(column, row)) continue;
        if (column->type == KD_TYPE_FLOAT64) {
            real += column->floats[row];
        } else {
            whole += (uint64_t)whole_value(column, row) % 1000003;
        }
    }
    if (column->type == KD_TYPE_FLOAT64) {
        kd_json_kdouble(json, "sum", real, 3);
    } else {
        kd_json_kint(json, "sum_mod", (int64_t)whole);
    }
}

static void add_column(kd_json *json, const kd_column *column)
{
    bool is_text = column->type == KD_TYPE_TEXT || column->type == KD_TYPE_DICT;
    kd_json_object(json);
    kd_json_kstr(json, "name", column->name);
    kd_json_kstr(json, "type", kd_str_of(type_names[column->type]));
    kd_json_kint(json, "count", column->rows - column->missing);
    if (is_text) add_text_sums(json, column);
    if (!is_text) add_number_sums(json, column);
    kd_json_object_end(json);
}

static void add_frame(kd_json *json, const kd_frame *frame)
{
    kd_json_kint(json, "rows", kd_frame_rows(frame));
    kd_json_key(json, "columns");
    kd_json_array(json);
    for (size_t i = 0; i < kd_frame_columns(frame); i++) add_column(json, kd_frame_column(frame, i));
    kd_json_array_end(json);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_frame FILE\n");
        return 2;
    }
    kd_frame *frame;
    kd_read_report *report;
    kd_error err;
    double start = kd_seconds();
    if (kd_frame_read(argv[1], NULL, &frame, &report, &err) != KD_OK) {
        char text[1024];
        kd_error_text(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    double seconds = kd_seconds() - start;
    uint64_t peak = kd_memory_peak_bytes();
    kd_buf out;
    kd_buf_init(&out, 1 << 20);
    kd_json json;
    kd_json_init(&json, &out);
    kd_json_object(&json);
    kd_json_kdouble(&json, "seconds", seconds, 4);
    kd_json_kint(&json, "peak_bytes", (int64_t)peak);
    kd_json_kint(&json, "rejects", (int64_t)kd_read_report_rejects(report));
    add_frame(&json, frame);
    kd_json_object_end(&json);
    printf("%.*s\n", (int)out.len, out.ptr);
    kd_buf_done(&out);
    kd_read_report_free(report);
    kd_frame_free(frame);
    return 0;
}
