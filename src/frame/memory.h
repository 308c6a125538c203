/** Memory under a byte limit that several threads share, and frames being made of it. Private to frame. */
#ifndef KD_FRAME_MEMORY_H
#define KD_FRAME_MEMORY_H

#include "frame.h"

/** Bytes taken so far by all threads of one read. `bytes_max` 0 is no limit. */
typedef struct {
    size_t bytes_max;
    size_t used; /* atomic */
} memory_budget;

bool memory_charge(memory_budget *budget, size_t bytes);
void memory_refund(memory_budget *budget, size_t bytes);
/** realloc with the difference charged. NULL past the limit; `old` then still stands. */
void *memory_resize(memory_budget *budget, void *old, size_t old_bytes, size_t bytes);
void memory_free(memory_budget *budget, void *memory, size_t bytes);
/** Memory of a finished column: 64-byte aligned, in huge pages when large, released by free(). Never NULL for 0 bytes. */
void *memory_column(memory_budget *budget, size_t bytes);
kd_status memory_fail(kd_error *err, const memory_budget *budget);

struct kd_frame {
    kd_column *columns;
    size_t count;
    int64_t rows;
};

/** Columns are zeroed: the maker fills them, kd_frame_free frees each buffer that is there. NULL without memory. */
kd_frame *frame_new(size_t columns, int64_t rows);
/** NUL-terminated heap copy of a name. */
bool frame_name(kd_column *column, kd_str name);

/** Takes the const off memory that this module owns. */
static inline void *without_const(const void *memory)
{
    union {
        const void *from;
        void *to;
    } cast = { memory };
    return cast.to;
}

static inline void bit_set(uint8_t *bits, int64_t at)
{
    bits[at >> 3] = (uint8_t)(bits[at >> 3] | 1 << (at & 7));
}
static inline void bit_clear(uint8_t *bits, int64_t at)
{
    bits[at >> 3] = (uint8_t)(bits[at >> 3] & ~(1 << (at & 7)));
}
static inline bool bit_get(const uint8_t *bits, int64_t at)
{
    return bits[at >> 3] >> (at & 7) & 1;
}

#endif
