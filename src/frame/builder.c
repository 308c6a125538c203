#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A column being filled; `values` holds int64, double, int32 or bytes as its type says. */
typedef struct {
    char *name;
    kd_type type;
    int64_t rows, missing, rows_cap;
    uint8_t *nulls; /* bit set where null; NULL until the first */
    size_t nulls_bytes;
    char *values;
    int64_t *offsets;
    char *bytes;
    size_t bytes_len, bytes_cap;
    kd_dict *dict;
} building;

struct kd_frame_builder {
    memory_budget budget;
    building *columns;
    size_t count, cap;
    kd_status status;
};

static size_t width_of(kd_type type)
{
    switch (type) {
    case KD_TYPE_INT64:
    case KD_TYPE_FLOAT64: return 8;
    case KD_TYPE_DICT:
    case KD_TYPE_DATE: return 4;
    case KD_TYPE_BOOL: return 1;
    case KD_TYPE_TEXT: return 0;
    }
    return 0;
}

kd_frame_builder *kd_frame_builder_new(size_t bytes_max)
{
    kd_frame_builder *builder = calloc(1, sizeof *builder);
    if (builder) builder->budget.bytes_max = bytes_max;
    return builder;
}

static void drop_columns(kd_frame_builder *builder)
{
    for (size_t i = 0; i < builder->count; i++) {
        building *at = &builder->columns[i];
        free(at->name);
        free(at->nulls);
        free(at->values);
        free(at->offsets);
        free(at->bytes);
        kd_dict_free(at->dict);
    }
    free(builder->columns);
    builder->columns = NULL;
    builder->count = builder->cap = 0;
    builder->budget.used = 0;
    builder->status = KD_OK;
}

void kd_frame_builder_free(kd_frame_builder *builder)
{
    if (!builder) return;
    drop_columns(builder);
    free(builder);
}

size_t kd_frame_builder_column(kd_frame_builder *builder, const char *name, kd_type type)
{
    if (builder->count == builder->cap) {
        size_t cap = builder->cap ? builder->cap * 2 : 8;
        building *grown =
            memory_resize(&builder->budget, builder->columns, builder->cap * sizeof *grown, cap * sizeof *grown);
        if (!grown) {
            builder->status = KD_LIMIT;
            return builder->count;
        }
        builder->columns = grown;
        builder->cap = cap;
    }
    building *at = &builder->columns[builder->count];
    *at = (building){ .type = type, .name = strdup(name) };
    if (type == KD_TYPE_DICT) at->dict = kd_dict_new();
    if (!at->name || (type == KD_TYPE_DICT && !at->dict)) builder->status = KD_LIMIT;
    return builder->count++;
}

static bool grow_rows(kd_frame_builder *builder, building *at)
{
    int64_t cap = at->rows_cap ? at->rows_cap * 2 : 64;
    size_t width = width_of(at->type);
    if (width) {
        void *grown = memory_resize(&builder->budget, at->values, (size_t)at->rows_cap * width, (size_t)cap * width);
        if (!grown) return false;
        at->values = grown;
    } else {
        size_t old = at->offsets ? ((size_t)at->rows_cap + 1) * sizeof(int64_t) : 0;
        int64_t *grown = memory_resize(&builder->budget, at->offsets, old, ((size_t)cap + 1) * sizeof *grown);
        if (!grown) return false;
        grown[0] = 0;
        at->offsets = grown;
    }
    at->rows_cap = cap;
    return true;
}

/* The column with room for one more value, or NULL after a failure; a wrong column or type is the caller's mistake. */
static building *room(kd_frame_builder *builder, size_t column)
{
    if (builder->status != KD_OK || column >= builder->count) return NULL;
    building *at = &builder->columns[column];
    if (at->rows == at->rows_cap && !grow_rows(builder, at)) {
        builder->status = KD_LIMIT;
        return NULL;
    }
    return at;
}

void kd_frame_builder_null(kd_frame_builder *builder, size_t column)
{
    building *at = room(builder, column);
    if (!at) return;
    size_t need = (size_t)(at->rows >> 3) + 1;
    if (need > at->nulls_bytes) {
        size_t bytes = need < 64 ? 64 : need * 2;
        uint8_t *grown = memory_resize(&builder->budget, at->nulls, at->nulls_bytes, bytes);
        if (!grown) {
            builder->status = KD_LIMIT;
            return;
        }
        memset(grown + at->nulls_bytes, 0, bytes - at->nulls_bytes);
        at->nulls = grown;
        at->nulls_bytes = bytes;
    }
    bit_set(at->nulls, at->rows);
    size_t width = width_of(at->type);
    if (width) memset(at->values + (size_t)at->rows * width, 0, width);
    if (at->type == KD_TYPE_TEXT) at->offsets[at->rows + 1] = (int64_t)at->bytes_len;
    at->missing++;
    at->rows++;
}

static void add_bytes(kd_frame_builder *builder, building *at, kd_str value)
{
    if (value.len > at->bytes_cap - at->bytes_len) {
        size_t cap = at->bytes_cap ? at->bytes_cap * 2 : 1024;
        while (cap - at->bytes_len < value.len) cap *= 2;
        char *grown = memory_resize(&builder->budget, at->bytes, at->bytes_cap, cap);
        if (!grown) {
            builder->status = KD_LIMIT;
            return;
        }
        at->bytes = grown;
        at->bytes_cap = cap;
    }
    if (value.len) memcpy(at->bytes + at->bytes_len, value.ptr, value.len);
    at->bytes_len += value.len;
    at->offsets[++at->rows] = (int64_t)at->bytes_len;
}

void kd_frame_builder_text(kd_frame_builder *builder, size_t column, kd_str value)
{
    if (!value.ptr) {
        kd_frame_builder_null(builder, column);
        return;
    }
    building *at = room(builder, column);
    if (!at) return;
    if (at->type == KD_TYPE_TEXT) {
        add_bytes(builder, at, value);
        return;
    }
    assert(at->type == KD_TYPE_DICT);
    uint32_t known = kd_dict_count(at->dict), code = kd_dict_add(at->dict, value);
    bool is_new = code == known;
    if (code > INT32_MAX || (is_new && !memory_charge(&builder->budget, value.len + 2 * sizeof(int64_t)))) {
        builder->status = KD_LIMIT;
        return;
    }
    ((int32_t *)(void *)at->values)[at->rows++] = (int32_t)code;
}

void kd_frame_builder_int(kd_frame_builder *builder, size_t column, int64_t value)
{
    building *at = room(builder, column);
    if (!at) return;
    if (at->type == KD_TYPE_BOOL) {
        at->values[at->rows++] = value != 0;
    } else {
        assert(at->type == KD_TYPE_INT64);
        ((int64_t *)(void *)at->values)[at->rows++] = value;
    }
}

void kd_frame_builder_float(kd_frame_builder *builder, size_t column, double value)
{
    building *at = room(builder, column);
    if (!at) return;
    assert(at->type == KD_TYPE_FLOAT64);
    ((double *)(void *)at->values)[at->rows++] = value;
}

void kd_frame_builder_day(kd_frame_builder *builder, size_t column, int32_t day)
{
    if (day == KD_DAY_NONE) {
        kd_frame_builder_null(builder, column);
        return;
    }
    building *at = room(builder, column);
    if (!at) return;
    assert(at->type == KD_TYPE_DATE);
    ((int32_t *)(void *)at->values)[at->rows++] = day;
}

/* An empty column has no buffers yet, and Arrow readers want some. */
static bool settle(kd_frame_builder *builder, building *at)
{
    if (!at->rows_cap && !grow_rows(builder, at)) return false;
    if (at->type == KD_TYPE_TEXT && !at->bytes) {
        at->bytes = memory_resize(&builder->budget, NULL, 0, 1);
        if (!at->bytes) return false;
        at->bytes_cap = 1;
    }
    size_t need = (size_t)(at->rows + 7) >> 3;
    if (!at->nulls || need <= at->nulls_bytes) return true;
    uint8_t *grown = memory_resize(&builder->budget, at->nulls, at->nulls_bytes, need);
    if (!grown) return false;
    memset(grown + at->nulls_bytes, 0, need - at->nulls_bytes);
    at->nulls = grown;
    at->nulls_bytes = need;
    return true;
}

/* Hands the buffers of `at` over to `column`. */
static bool hand_over(kd_frame_builder *builder, building *at, kd_column *column)
{
    if (!settle(builder, at)) return false;
    if (at->dict) {
        size_t count = kd_dict_count(at->dict), bytes = (size_t)kd_dict_offsets(at->dict)[count];
        int64_t *offsets = malloc((count + 1) * sizeof *offsets);
        char *copy = malloc(bytes + 1);
        column->dict_offsets = offsets;
        column->dict_bytes = copy;
        if (!offsets || !copy) return false;
        memcpy(offsets, kd_dict_offsets(at->dict), (count + 1) * sizeof *offsets);
        if (bytes) memcpy(copy, kd_dict_bytes(at->dict), bytes);
        column->dict_count = (uint32_t)count;
    }
    column->name = (kd_str){ at->name, strlen(at->name) };
    column->type = at->type;
    column->rows = at->rows;
    column->missing = at->missing;
    for (size_t i = 0; at->nulls && i < at->nulls_bytes; i++) at->nulls[i] = (uint8_t)~at->nulls[i];
    column->validity = at->nulls;
    column->offsets = at->offsets;
    column->bytes = at->bytes;
    column->ints = (const int64_t *)(const void *)at->values;
    at->name = at->bytes = at->values = NULL;
    at->nulls = NULL;
    at->offsets = NULL;
    return true;
}

kd_status kd_frame_builder_finish(kd_frame_builder *builder, kd_frame **out_frame, kd_error *err)
{
    if (builder->status != KD_OK) return memory_fail(err, &builder->budget);
    int64_t rows = builder->count ? builder->columns[0].rows : 0;
    for (size_t i = 1; i < builder->count; i++)
        if (builder->columns[i].rows != rows)
            return kd_fail(err, KD_INVALID, builder->columns[i].name, "%lld values where other columns have %lld",
                           (long long)builder->columns[i].rows, (long long)rows);
    kd_frame *frame = frame_new(builder->count, rows);
    bool is_whole = frame != NULL;
    for (size_t i = 0; is_whole && i < builder->count; i++)
        is_whole = hand_over(builder, &builder->columns[i], &frame->columns[i]);
    if (!is_whole) {
        kd_frame_free(frame);
        builder->status = KD_LIMIT;
        return memory_fail(err, &builder->budget);
    }
    drop_columns(builder);
    *out_frame = frame;
    return KD_OK;
}
