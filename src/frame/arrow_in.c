#include "encoding.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* One child of the struct array, seen from the parent: value i of the frame is element `first + i` of its buffers. */
typedef struct {
    const struct ArrowArray *array;
    const struct ArrowSchema *schema;
    int64_t first, rows;
    const uint8_t *parent_validity; /* read from `parent_first` on */
    int64_t parent_first;
    memory_budget *budget;
    kd_column *column;
    kd_error *err;
} import;

static kd_status wrong(const import *in, const char *what)
{
    return kd_fail(in->err, KD_INVALID, in->schema->name, "the Arrow array is not sound: %s", kd_message(what));
}

static bool is_valid_at(const import *in, int64_t i)
{
    const uint8_t *own = in->array->buffers[0];
    return (!own || bit_get(own, in->first + i)) &&
           (!in->parent_validity || bit_get(in->parent_validity, in->parent_first + i));
}

static kd_status import_validity(import *in)
{
    const uint8_t *own = in->array->buffers[0];
    if (!own && !in->parent_validity) return KD_OK;
    uint8_t *validity = memory_column(in->budget, (size_t)(in->rows + 7) / 8);
    in->column->validity = validity;
    if (!validity) return memory_fail(in->err, in->budget);
    memset(validity, 0, (size_t)(in->rows + 7) / 8);
    int64_t present = 0;
    for (int64_t i = 0; i < in->rows; i++) {
        if (!is_valid_at(in, i)) continue;
        bit_set(validity, i);
        present++;
    }
    in->column->missing = in->rows - present;
    return KD_OK;
}

/* Element `at` of an integer buffer; false for a uint64 that int64 does not hold. */
static bool integer_at(char format, const void *buffer, int64_t at, int64_t *out)
{
    switch (format) {
    case 'c': *out = (int64_t)((const int8_t *)buffer)[at]; return true;
    case 'C': *out = ((const uint8_t *)buffer)[at]; return true;
    case 's': *out = ((const int16_t *)buffer)[at]; return true;
    case 'S': *out = ((const uint16_t *)buffer)[at]; return true;
    case 'i': *out = ((const int32_t *)buffer)[at]; return true;
    case 'I': *out = ((const uint32_t *)buffer)[at]; return true;
    case 'l': *out = ((const int64_t *)buffer)[at]; return true;
    default: break;
    }
    uint64_t wide = ((const uint64_t *)buffer)[at];
    *out = (int64_t)wide;
    return wide <= INT64_MAX;
}

static kd_status import_integers(import *in)
{
    int64_t *values = memory_column(in->budget, (size_t)in->rows * sizeof *values);
    in->column->ints = values;
    if (!values) return memory_fail(in->err, in->budget);
    char format = in->schema->format[0];
    for (int64_t i = 0; i < in->rows; i++) {
        values[i] = 0;
        if (!kd_column_is_null(in->column, i) && !integer_at(format, in->array->buffers[1], in->first + i, &values[i]))
            return wrong(in, "a number is above 2^63");
    }
    return KD_OK;
}

static kd_status import_floats(import *in)
{
    double *values = memory_column(in->budget, (size_t)in->rows * sizeof *values);
    in->column->floats = values;
    if (!values) return memory_fail(in->err, in->budget);
    const void *from = in->array->buffers[1];
    bool is_short = in->schema->format[0] == 'f';
    for (int64_t i = 0; i < in->rows; i++)
        values[i] = is_short ? (double)((const float *)from)[in->first + i] : ((const double *)from)[in->first + i];
    return KD_OK;
}

static kd_status import_days(import *in)
{
    int32_t *days = memory_column(in->budget, (size_t)in->rows * sizeof *days);
    in->column->days = days;
    if (!days) return memory_fail(in->err, in->budget);
    if (in->rows) memcpy(days, (const int32_t *)in->array->buffers[1] + in->first, (size_t)in->rows * sizeof *days);
    return KD_OK;
}

static kd_status import_bools(import *in)
{
    uint8_t *bools = memory_column(in->budget, (size_t)in->rows);
    in->column->bools = bools;
    if (!bools) return memory_fail(in->err, in->budget);
    for (int64_t i = 0; i < in->rows; i++) bools[i] = bit_get(in->array->buffers[1], in->first + i);
    return KD_OK;
}

static int64_t offset_at(const struct ArrowArray *array, bool is_large, int64_t at)
{
    return is_large ? ((const int64_t *)array->buffers[1])[at] : ((const int32_t *)array->buffers[1])[at];
}

/* Copies elements [first, first + count) of a text array; those that `column` says are null become empty. */
static kd_status import_texts(import *in, const struct ArrowArray *array, bool is_large, int64_t first, int64_t count,
                              const int64_t **out_offsets, const char **out_bytes)
{
    int64_t *offsets = memory_column(in->budget, ((size_t)count + 1) * sizeof *offsets);
    *out_offsets = offsets;
    if (!offsets) return memory_fail(in->err, in->budget);
    bool has_own_nulls = array == in->array;
    offsets[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t from = offset_at(array, is_large, first + i), to = offset_at(array, is_large, first + i + 1);
        if (from < 0 || to < from) return wrong(in, "its text offsets fall");
        bool is_null = has_own_nulls && kd_column_is_null(in->column, i);
        offsets[i + 1] = offsets[i] + (is_null ? 0 : to - from);
    }
    char *bytes = memory_column(in->budget, (size_t)offsets[count]);
    *out_bytes = bytes;
    if (!bytes) return memory_fail(in->err, in->budget);
    const char *text = array->buffers[2];
    for (int64_t i = 0; i < count; i++) {
        size_t len = (size_t)(offsets[i + 1] - offsets[i]);
        if (!len) continue;
        kd_str value = { text + offset_at(array, is_large, first + i), len };
        if (!utf8_is_valid(value)) return wrong(in, "a text is not UTF-8");
        memcpy(bytes + offsets[i], value.ptr, len);
    }
    return KD_OK;
}

/* A null in the dictionary is a null value. */
static kd_status void_value(import *in, int64_t row)
{
    size_t bytes = (size_t)(in->rows + 7) / 8;
    if (!in->column->validity) {
        void *validity = memory_column(in->budget, bytes);
        if (!validity) return memory_fail(in->err, in->budget);
        memset(validity, 0xFF, bytes);
        in->column->validity = validity;
    }
    bit_clear(without_const(in->column->validity), row);
    in->column->missing++;
    return KD_OK;
}

static kd_status import_codes(import *in)
{
    const struct ArrowArray *dictionary = in->array->dictionary;
    const uint8_t *known = dictionary->buffers[0];
    int32_t *codes = memory_column(in->budget, (size_t)in->rows * sizeof *codes);
    in->column->codes = codes;
    if (!codes) return memory_fail(in->err, in->budget);
    for (int64_t i = 0; i < in->rows; i++) {
        int64_t code = 0;
        codes[i] = 0;
        if (kd_column_is_null(in->column, i)) continue;
        if (!integer_at(in->schema->format[0], in->array->buffers[1], in->first + i, &code) || code < 0 ||
            code >= dictionary->length)
            return wrong(in, "a code is not in its dictionary");
        codes[i] = (int32_t)code;
        if (known && !bit_get(known, dictionary->offset + code)) KD_TRY(void_value(in, i));
    }
    return KD_OK;
}

static kd_status import_dictionary(import *in)
{
    const struct ArrowArray *dictionary = in->array->dictionary;
    const char *format = in->schema->dictionary->format;
    bool is_text = strcmp(format, "u") == 0 || strcmp(format, "U") == 0;
    if (!is_text) {
        return kd_fail(in->err, KD_UNSUPPORTED, in->schema->name, "a dictionary of Arrow format '%s' is not read",
                       format);
    }
    if (dictionary->length > INT32_MAX) return wrong(in, "its dictionary is longer than 2^31");
    in->column->dict_count = (uint32_t)dictionary->length;
    KD_TRY(import_texts(in, dictionary, format[0] == 'U', dictionary->offset, dictionary->length,
                        &in->column->dict_offsets, &in->column->dict_bytes));
    return import_codes(in);
}

static bool is_one_of(const char *format, const char *letters)
{
    return format[0] && !format[1] && strchr(letters, format[0]);
}

static kd_status import_values(import *in)
{
    const char *format = in->schema->format;
    kd_column *column = in->column;
    bool is_coded = in->schema->dictionary && in->array->dictionary && is_one_of(format, "cCsSiIlL");
    if (is_coded) {
        column->type = KD_TYPE_DICT;
        return import_dictionary(in);
    }
    if (is_one_of(format, "cCsSiIlL")) {
        column->type = KD_TYPE_INT64;
        return import_integers(in);
    }
    if (is_one_of(format, "fg")) {
        column->type = KD_TYPE_FLOAT64;
        return import_floats(in);
    }
    if (is_one_of(format, "uU")) {
        column->type = KD_TYPE_TEXT;
        return import_texts(in, in->array, format[0] == 'U', in->first, in->rows, &column->offsets, &column->bytes);
    }
    if (is_one_of(format, "b")) {
        column->type = KD_TYPE_BOOL;
        return import_bools(in);
    }
    if (strcmp(format, "tdD") == 0) {
        column->type = KD_TYPE_DATE;
        return import_days(in);
    }
    kd_fail(in->err, KD_UNSUPPORTED, in->schema->name, "Arrow format '%s' is not read", format);
    kd_hint(in->err, "cast the column to text, a number, a date or a truth value first");
    return KD_UNSUPPORTED;
}

static kd_status import_child(const struct ArrowArray *parent, import *in)
{
    const struct ArrowArray *array = in->array;
    if (array->offset < 0 || array->length < 0 || array->length < parent->offset + parent->length ||
        array->n_buffers < 2)
        return wrong(in, "a column is shorter than its table");
    in->first = array->offset + parent->offset;
    in->rows = parent->length;
    in->column->rows = parent->length;
    if (!frame_name(in->column, kd_str_of(in->schema->name ? in->schema->name : "")))
        return memory_fail(in->err, in->budget);
    KD_TRY(import_validity(in));
    return import_values(in);
}

kd_status kd_frame_import(const struct ArrowArray *array, const struct ArrowSchema *schema, kd_frame **out_frame,
                          kd_error *err)
{
    if (strcmp(schema->format, "+s") != 0)
        return kd_fail(err, KD_UNSUPPORTED, "", "a table is an Arrow struct array, not format '%s'", schema->format);
    if (array->n_children != schema->n_children || array->length < 0 || array->offset < 0)
        return kd_fail(err, KD_INVALID, "", "the Arrow array and its schema do not fit together");
    memory_budget budget = { 0 };
    kd_frame *frame = frame_new((size_t)array->n_children, array->length);
    if (!frame) return memory_fail(err, &budget);
    kd_status status = KD_OK;
    for (int64_t i = 0; i < array->n_children && status == KD_OK; i++) {
import in = {.array = array->children[i], .schema = schema->children[i], .parent_validity = array->n_buffers> 0 ? array->buffers[0] :NULL, .parent_first = array->offset, .budget = & budget, .column = & frame->columns[i], .err = err };
        status = import_child(array, &in);
    }
    if (status != KD_OK) {
        kd_frame_free(frame);
        return status;
    }
    *out_frame = frame;
    return KD_OK;
}
