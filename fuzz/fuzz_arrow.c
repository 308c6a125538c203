#include "frame/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUFFER_BYTES = 256, ROWS_MAX = 16 };

static const char *const formats[] = {
    "u", "U", "i", "l", "s", "c", "C", "S", "I", "L", "f", "g", "b", "tdD", "zz", ""
};

/* Text offsets that stay inside the bytes: an importer can only trust those it is handed. */
static void bound_offsets(uint8_t *buffer, bool is_large)
{
    for (size_t i = 0; i <= ROWS_MAX; i++) {
        int64_t large;
        int32_t small;
        if (is_large) {
            memcpy(&large, buffer + i * 8, 8);
            large %= BUFFER_BYTES;
            memcpy(buffer + i * 8, &large, 8);
        } else {
            memcpy(&small, buffer + i * 4, 4);
            small %= BUFFER_BYTES;
            memcpy(buffer + i * 4, &small, 4);
        }
    }
}

/* A column over the input's bytes, two bytes of which choose its format, lengths and offsets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) return 0;
    _Alignas(16) uint8_t buffers[6][BUFFER_BYTES] = { { 0 } };
    for (size_t i = 4; i < size && i - 4 < sizeof buffers; i++)
        buffers[(i - 4) / BUFFER_BYTES][(i - 4) % BUFFER_BYTES] = data[i];
    const char *format = formats[data[0] % 16], *dict_format = formats[data[1] % 4];
    bound_offsets(buffers[1], format[0] == 'U');
    bound_offsets(buffers[4], dict_format[0] == 'U');
    const void *own[] = { data[2] & 1 ? buffers[0] : NULL, buffers[1], buffers[2] };
    if (format[0] == 'u' || format[0] == 'U') own[1] = buffers[1];
    const void *words[] = { data[2] & 2 ? buffers[3] : NULL, buffers[4], buffers[5] };
    const void *parent[] = { data[2] & 4 ? buffers[3] : NULL };
    struct ArrowArray dictionary = { .length = data[3] % ROWS_MAX, .n_buffers = 3, .buffers = words };
    struct ArrowSchema dictionary_schema = { .format = dict_format, .name = "" };
    struct ArrowArray child = { .length = ROWS_MAX, .n_buffers = 3, .buffers = own };
    struct ArrowSchema child_schema = { .format = format, .name = "c" };
    if (data[2] & 8) {
        child.dictionary = &dictionary;
        child_schema.dictionary = &dictionary_schema;
    }
    struct ArrowArray *children[] = { &child };
    struct ArrowSchema *schemas[] = { &child_schema };
    struct ArrowArray array = { .length = data[3] >> 4,
                                .offset = data[1] >> 5,
                                .n_buffers = 1,
                                .buffers = parent,
                                .n_children = 1,
                                .children = children };
    struct ArrowSchema schema = { .format = "+s", .n_children = 1, .children = schemas };
    kd_frame *frame;
    kd_error err;
    if (kd_frame_import(&array, &schema, &frame, &err) != KD_OK) return 0;
    struct ArrowArray out;
    struct ArrowSchema out_schema;
    if (kd_frame_export(frame, &out, &out_schema, &err) != KD_OK) abort();
    if (out.length != array.length) abort();
    out.release(&out);
    out_schema.release(&out_schema);
    return 0;
}
