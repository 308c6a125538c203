#include "records.h"

#include <stdlib.h>
#include <string.h>

/* ---- visiting pairs ---- */

enum { ENTRIES_A_PIECE = 1 << 14 };

typedef struct {
    const kd_matcher *m;
    const kd_blocking *blocking;
    const kd_rule *rule;
    size_t rule_index;
    const uint64_t *packed;
    size_t count, pieces;
    uint64_t sample_every;                   /* blocks: 1 is all */
    kd_map *passed_over[KD_MATCH_RULES_MAX]; /* of rule: keys of blocks too full to be walked; NULL: none */
} walking;

static bool came_before(const walking *w, const kd_side *a, const kd_side *b)
{
    if (w->blocking->only != SIZE_MAX) return false;
    for (size_t i = 0; i < w->rule_index; i++) {
        const kd_rule *rule = &w->blocking->rules[i];
        if (!kd_rule_holds(w->m, rule, a, b)) continue;
        if (!w->passed_over[i] || !kd_map_get(w->passed_over[i], kd_rule_key(w->m, rule, a))) return true;
    }
    return false;
}

static kd_status visit_block(const walking *w, size_t slot, size_t from, size_t to, kd_error *err)
{
    const kd_matcher *m = w->m;
    bool with_same_node = w->blocking->with_same_node;
    for (size_t i = from; i < to; i++) {
        uint32_t a = (uint32_t)w->packed[i];
        kd_side side_a = kd_side_of(m, a);
        for (size_t j = i + 1; j < to; j++) {
            uint32_t b = (uint32_t)w->packed[j];
            if (!with_same_node && m->node[a] == m->node[b]) continue;
            if (kd_same_table(m, a, b)) continue;
            kd_side side_b = kd_side_of(m, b);
            if (!w->rule->is_near && !kd_rule_holds(m, w->rule, &side_a, &side_b)) continue; /* keys that collide */
            if (came_before(w, &side_a, &side_b)) continue;
            if (w->blocking->visited) w->blocking->visited[slot]++;
            KD_TRY(w->blocking->visit(w->blocking->ctx, slot, a < b ? a : b, a < b ? b : a, err));
        }
    }
    return KD_OK;
}

static size_t block_end(const walking *w, size_t from)
{
    size_t to = from + 1;
    while (to < w->count && w->packed[to] >> 32 == w->packed[from] >> 32) to++;
    return to;
}

/* The same whatever the order of the rows, so that a sample of blocks is. */
static uint64_t content_of_block(const walking *w, size_t from)
{
    kd_side side = kd_side_of(w->m, (uint32_t)w->packed[from]);
    return kd_rule_content(w->m, w->rule, &side);
}

/* Piece `slot` of the sorted keys: the blocks that begin in it. */
static kd_status walk_piece(void *ctx, size_t slot, kd_error *err)
{
    const walking *w = ctx;
    size_t from = w->count * slot / w->pieces, end = w->count * (slot + 1) / w->pieces;
    while (from > 0 && from < end && w->packed[from] >> 32 == w->packed[from - 1] >> 32) from++;
    if (kd_progress_cancelled(w->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (size_t to; from < end; from = to) {
        to = block_end(w, from);
        if (to - from < 2 || to - from > (uint64_t)w->rule->records_max) continue;
        if (w->sample_every > 1 && content_of_block(w, from) % w->sample_every) continue;
        KD_TRY(visit_block(w, slot, from, to, err));
    }
    return KD_OK;
}

static uint64_t count_pairs(const walking *w)
{
    uint64_t pairs = 0;
    for (size_t from = 0, to; from < w->count; from = to) {
        to = block_end(w, from);
        uint64_t n = to - from;
        if (n <= (uint64_t)w->rule->records_max) pairs += n * (n - 1) / 2;
    }
    return pairs;
}

/* Remember the blocks that are too full: later rules, with more keys, may bring their pairs. */
static kd_status note_full_blocks(walking *w, kd_error *err)
{
    const kd_blocking *blocking = w->blocking;
    for (size_t from = 0, to; from < w->count; from = to) {
        to = block_end(w, from);
        if (to - from <= (uint64_t)w->rule->records_max) continue;
        kd_map **map = &w->passed_over[w->rule_index];
        if (!*map) *map = kd_map_new(64);
        if (!*map || !kd_map_put(*map, w->packed[from] >> 32, NULL))
            return kd_fail(err, KD_LIMIT, "", "no memory to block");
        if (blocking->full_blocks) ++*blocking->full_blocks;
        if (blocking->full_records) *blocking->full_records += to - from;
    }
    return KD_OK;
}

static kd_status block_rule(walking *w, size_t index, kd_error *err)
{
    const kd_matcher *m = w->m;
    uint64_t *packed;
    w->rule = &w->blocking->rules[index];
    w->rule_index = index;
    w->sample_every = 1;
    KD_TRY(w->rule->is_near ? kd_near_keys(m, w->rule, false, &packed, &w->count, err)
                            : kd_block_keys(m, w->rule, w->blocking->with_same_node, &packed, &w->count, err));
    w->packed = packed;
    w->pieces = w->count < ENTRIES_A_PIECE ? 1 : KD_BLOCK_SLOTS;
    if (w->blocking->sample_pairs) w->sample_every = count_pairs(w) / w->blocking->sample_pairs + 1;
    kd_status status = note_full_blocks(w, err);
    if (status == KD_OK) status = kd_parallel(m->threads, w->pieces, walk_piece, w, err);
    if (status == KD_OK && w->blocking->after)
        status = w->blocking->after(w->blocking->ctx, index, w->sample_every, err);
    free(packed);
    return status;
}

kd_status kd_block(const kd_matcher *m, const kd_blocking *blocking, kd_error *err)
{
    walking w = { .m = m, .blocking = blocking };
    kd_status status = KD_OK;
    for (size_t i = 0; i < blocking->rule_count && status == KD_OK; i++) {
        if (blocking->only != SIZE_MAX && blocking->only != i) continue;
        kd_progress_report(m->options.progress, "compare", i, blocking->rule_count);
        status = block_rule(&w, i, err);
    }
    for (size_t i = 0; i < KD_MATCH_RULES_MAX; i++) kd_map_free(w.passed_over[i]);
    return status;
}
