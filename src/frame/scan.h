/** Where quotes, delimiters, line ends and NULs stand in CSV text: 64 bytes at a time. Private to frame. */
#ifndef KD_FRAME_SCAN_H
#define KD_FRAME_SCAN_H

#include "frame.h"

enum { SCAN_BLOCKS = 64, SCAN_BATCH_BYTES = SCAN_BLOCKS * 64 };

/** A walk over the structural bytes of `text` in rising order. Copies nothing; the text outlives it. */
typedef struct {
    kd_str text;
    char delimiter, newline;
    size_t batch;   /* offset of the batch that `masks` describes */
    unsigned block; /* the block in it that `bits` belongs to */
    uint64_t bits;  /* what is left of that block */
    uint64_t masks[SCAN_BLOCKS];
} scanner;

void scanner_init(scanner *scan, kd_str text, char delimiter, char newline);
/** Stand before the first structural byte at or after `at`. */
void scanner_seek(scanner *scan, size_t at);
/** Load the batch after the present one; false at the end of the text. */
bool scanner_load_next(scanner *scan);

/** Offset of the next structural byte, or the length of the text. */
static inline size_t scanner_next(scanner *scan)
{
    while (!scan->bits) {
        if (++scan->block == SCAN_BLOCKS) {
            if (!scanner_load_next(scan)) {
                scan->block = SCAN_BLOCKS - 1;
                return scan->text.len;
            }
            continue;
        }
        scan->bits = scan->masks[scan->block];
    }
    size_t at = scan->batch + (size_t)scan->block * 64 + (size_t)__builtin_ctzll(scan->bits);
    scan->bits &= scan->bits - 1;
    return at;
}

#endif
