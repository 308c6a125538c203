#include "out.h"

#include <math.h>
#include <stdlib.h>

static void add_float(kd_json *json, double value)
{
    kd_buf *out = json->out;
    if (!isfinite(value)) {
        kd_json_null(json);
        return;
    }
    kd_json_int(json, 0); /* the comma before it, if any, is the JSON writer's work */
    out->len -= out->status == KD_OK;
    size_t from = out->len;
    kd_buf_fmt(out, "%.17g", value);
    for (size_t i = from; i < out->len; i++) /* a locale may write a comma */
        if (out->ptr[i] == ',') out->ptr[i] = '.';
}

static void add_value(kd_json *json, const kd_column *column, int64_t row)
{
    if (kd_column_is_null(column, row)) {
        kd_json_null(json);
        return;
    }
    char day[16];
    switch (column->type) {
    case KD_TYPE_TEXT:
    case KD_TYPE_DICT: kd_json_str(json, kd_column_text(column, row)); break;
    case KD_TYPE_INT64: kd_json_int(json, column->ints[row]); break;
    case KD_TYPE_FLOAT64: add_float(json, column->floats[row]); break;
    case KD_TYPE_DATE: kd_json_str(json, kd_str_of(kd_day_format(column->days[row], day))); break;
    case KD_TYPE_BOOL: kd_json_bool(json, column->bools[row]); break;
    }
}

static kd_status write_rows(const kd_frame *frame, out_file *out, kd_error *err)
{
    kd_json json;
    kd_json_init(&json, &out->text);
    kd_json_array(&json);
    for (int64_t row = 0; row < kd_frame_rows(frame); row++) {
        kd_json_object(&json);
        for (size_t c = 0; c < kd_frame_columns(frame); c++) {
            const kd_column *column = kd_frame_column(frame, c);
            kd_json_key(&json, column->name.ptr);
            add_value(&json, column, row);
        }
        kd_json_object_end(&json);
        KD_TRY(out_turn(out, err));
    }
    kd_json_array_end(&json);
    kd_buf_char(&out->text, '\n');
    return KD_OK;
}

kd_status kd_frame_write_json(const kd_frame *frame, const char *path, kd_error *err)
{
    out_file *out = calloc(1, sizeof *out);
    if (!out) return kd_fail(err, KD_LIMIT, "", "no memory to write the table");
    kd_status status = out_open(out, path, KD_ENCODING_UTF8, err);
    if (status == KD_OK) status = out_close(out, write_rows(frame, out, err), err);
    free(out);
    return status;
}
