#include "frame.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void release(const void *memory)
{
    free(without_const(memory));
}

kd_frame *frame_new(size_t columns, int64_t rows)
{
    kd_frame *frame = calloc(1, sizeof *frame);
    if (!frame) return NULL;
    frame->columns = calloc(columns ? columns : 1, sizeof *frame->columns);
    if (!frame->columns) {
        free(frame);
        return NULL;
    }
    frame->count = columns;
    frame->rows = rows;
    return frame;
}

bool frame_name(kd_column *column, kd_str name)
{
    char *copy = malloc(name.len + 1);
    if (!copy) return false;
    if (name.len) memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    column->name.ptr = copy;
    column->name.len = name.len;
    return true;
}

void kd_frame_free(kd_frame *frame)
{
    if (!frame) return;
    for (size_t i = 0; i < frame->count; i++) {
        const kd_column *column = &frame->columns[i];
        release(column->name.ptr);
        release(column->validity);
        release(column->offsets);
        release(column->bytes);
        release(column->ints);
        release(column->dict_offsets);
        release(column->dict_bytes);
    }
    free(frame->columns);
    free(frame);
}

int64_t kd_frame_rows(const kd_frame *frame)
{
    return frame->rows;
}

size_t kd_frame_columns(const kd_frame *frame)
{
    return frame->count;
}

const kd_column *kd_frame_column(const kd_frame *frame, size_t index)
{
    return index < frame->count ? &frame->columns[index] : NULL;
}

const kd_column *kd_frame_find(const kd_frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->count; i++)
        if (kd_str_is(frame->columns[i].name, name)) return &frame->columns[i];
    return NULL;
}
