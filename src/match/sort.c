/* Blocking keys of all records, sorted: by the upper bits on all threads, then each of those parts within the cache. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

enum { PIECES = 64, PARTS = 256, DIGITS = 1 << 12, SMALL = 1 << 14 };

typedef struct {
    uint64_t *from, *to;
    size_t count;
    size_t starts[PIECES][PARTS]; /* where a piece writes what belongs to a part */
    size_t part_start[PARTS + 1];
} sorting;

static size_t piece_start(size_t count, size_t piece)
{
    return (size_t)((unsigned __int128)count * piece / PIECES);
}

static kd_status count_piece(void *ctx, size_t piece, kd_error *err)
{
    sorting *s = ctx;
    (void)err;
    for (size_t i = piece_start(s->count, piece); i < piece_start(s->count, piece + 1); i++)
        s->starts[piece][s->from[i] >> 56]++;
    return KD_OK;
}

static kd_status scatter_piece(void *ctx, size_t piece, kd_error *err)
{
    sorting *s = ctx;
    (void)err;
    for (size_t i = piece_start(s->count, piece); i < piece_start(s->count, piece + 1); i++)
        s->to[s->starts[piece][s->from[i] >> 56]++] = s->from[i];
    return KD_OK;
}

/* One pass by the 12 bits from `shift` on. */
static void pass(const uint64_t *from, uint64_t *to, size_t count, int shift)
{
    uint32_t starts[DIGITS] = { 0 }, sum = 0;
    for (size_t i = 0; i < count; i++) starts[from[i] >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        uint32_t n = starts[d];
        starts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++) to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

static kd_status sort_part(void *ctx, size_t part, kd_error *err)
{
    sorting *s = ctx;
    size_t from = s->part_start[part], count = s->part_start[part + 1] - from;
    (void)err;
    if (count < 2) return KD_OK;
    pass(s->to + from, s->from + from, count, 32);
    pass(s->from + from, s->to + from, count, 44);
    return KD_OK;
}

static kd_status sort(unsigned threads, sorting *s, kd_error *err)
{
    KD_TRY(kd_parallel(threads, PIECES, count_piece, s, err));
    size_t sum = 0;
    for (size_t part = 0; part < PARTS; part++) {
        s->part_start[part] = sum;
        for (size_t piece = 0; piece < PIECES; piece++) {
            size_t n = s->starts[piece][part];
            s->starts[piece][part] = sum;
            sum += n;
        }
    }
    s->part_start[PARTS] = sum;
    KD_TRY(kd_parallel(threads, PIECES, scatter_piece, s, err));
    return kd_parallel(threads, PARTS, sort_part, s, err);
}

static int by_key_then_record(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

kd_status kd_sort_packed(unsigned threads, uint64_t *packed, uint64_t *spare, size_t count, kd_error *err)
{
    if (count < SMALL) {
        qsort(packed, count, sizeof *packed, by_key_then_record);
        return KD_OK;
    }
    sorting *s = calloc(1, sizeof *s);
    if (!s) return kd_fail(err, KD_LIMIT, "", "no memory to sort the keys");
    s->from = packed;
    s->to = spare;
    s->count = count;
    kd_status status = sort(threads, s, err);
    free(s);
    if (status == KD_OK) memcpy(packed, spare, count * sizeof *packed);
    return status;
}

/* ---- keys ---- */

typedef struct {
    const kd_matcher *m;
    const kd_rule *rule;
    bool with_told;
    uint64_t *spare;      /* keys of a piece begin where its records would */
    size_t found[PIECES]; /* keys that a piece has */
} keying;

static kd_status key_piece(void *ctx, size_t piece, kd_error *err)
{
    keying *k = ctx;
    const kd_matcher *m = k->m;
    size_t from = piece_start(m->records, piece), to = piece_start(m->records, piece + 1);
    uint64_t *out = k->spare + from;
    if (kd_progress_cancelled(m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (size_t r = from; r < to; r++) {
        if (!k->with_told && m->is_told && m->is_told[r]) continue;
        kd_side side = kd_side_of(m, (uint32_t)r);
        uint32_t key = kd_rule_key(m, k->rule, &side);
        if (key) *out++ = (uint64_t)key << 32 | r;
    }
    k->found[piece] = (size_t)(out - (k->spare + from));
    return KD_OK;
}

static size_t join_pieces(const keying *k, uint64_t *packed)
{
    size_t count = 0;
    for (size_t piece = 0; piece < PIECES; piece++) {
        memcpy(packed + count, k->spare + piece_start(k->m->records, piece), k->found[piece] * sizeof *packed);
        count += k->found[piece];
    }
    return count;
}

kd_status kd_block_keys(const kd_matcher *m, const kd_rule *rule, bool with_told, uint64_t **out_packed,
                        size_t *out_count, kd_error *err)
{
    keying k = { .m = m, .rule = rule, .with_told = with_told };
    uint64_t *packed = malloc((m->records + 1) * sizeof *packed);
    k.spare = malloc((m->records + 1) * sizeof *k.spare);
    size_t count = 0;
    kd_status status = packed && k.spare ? kd_parallel(m->threads, PIECES, key_piece, &k, err)
                                         : kd_fail(err, KD_LIMIT, "", "no memory to block the records");
    if (status == KD_OK) count = join_pieces(&k, packed);
    if (status == KD_OK) status = kd_sort_packed(m->threads, packed, k.spare, count, err);
    free(k.spare);
    if (status != KD_OK) {
        free(packed);
        return status;
    }
    *out_packed = packed;
    *out_count = count;
    return KD_OK;
}
