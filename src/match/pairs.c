#include "records.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    kd_pair *pairs;
    size_t count, capacity;
} pair_list;

typedef struct {
    const kd_matcher *m;
    pair_list lists[KD_BLOCK_SLOTS];
} collecting;

static kd_status keep(void *ctx, size_t slot, uint32_t a, uint32_t b, kd_error *err)
{
    collecting *c = ctx;
    pair_list *list = &c->lists[slot];
    kd_side x = kd_side_of(c->m, a), y = kd_side_of(c->m, b);
    double bits;
    uint32_t pattern;
    bool is_veto;
    if (!kd_score(c->m, &x, &y, c->m->model->threshold_bits, &bits, &pattern, &is_veto) || is_veto) return KD_OK;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        kd_pair *grown = realloc(list->pairs, capacity * sizeof *grown);
        if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory for the pairs");
        list->pairs = grown;
        list->capacity = capacity;
    }
    list->pairs[list->count++] = (kd_pair){ a, b, (float)bits, pattern };
    return KD_OK;
}

static int by_records(const void *a, const void *b)
{
    const kd_pair *x = a, *y = b;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* By the first record through counting, then each run by the second: runs are short. */
static kd_status sort_pairs(kd_pairs *pairs, uint64_t records, kd_error *err)
{
    uint64_t *starts = calloc(records + 2, sizeof *starts);
    kd_pair *sorted = malloc((pairs->count + 1) * sizeof *sorted);
    if (!starts || !sorted) {
        free(starts);
        free(sorted);
        return kd_fail(err, KD_LIMIT, "", "no memory to sort the pairs");
    }
    for (uint64_t i = 0; i < pairs->count; i++) starts[pairs->pairs[i].a + 1]++;
    for (uint64_t r = 0; r < records; r++) starts[r + 1] += starts[r];
    for (uint64_t i = 0; i < pairs->count; i++) sorted[starts[pairs->pairs[i].a]++] = pairs->pairs[i];
    uint64_t kept = 0;
    for (uint64_t from = 0, to; from < pairs->count; from = to) {
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all of it was filled above
        for (to = from + 1; to < pairs->count && sorted[to].a == sorted[from].a;) to++;
        qsort(sorted + from, to - from, sizeof *sorted, by_records);
        for (uint64_t i = from; i < to; i++)
            if (i == from || sorted[i].b != sorted[i - 1].b) sorted[kept++] = sorted[i];
    }
    free(starts);
    free(pairs->pairs);
    pairs->pairs = sorted;
    pairs->count = kept;
    return KD_OK;
}

static kd_status join_lists(collecting *c, kd_pairs *out, kd_error *err)
{
    uint64_t count = 0;
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) count += c->lists[i].count;
    kd_pair *all = malloc((count + 1) * sizeof *all);
    if (!all) return kd_fail(err, KD_LIMIT, "", "no memory for the pairs");
    uint64_t at = 0;
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) {
        if (c->lists[i].count) memcpy(all + at, c->lists[i].pairs, c->lists[i].count * sizeof *all);
        at += c->lists[i].count;
        free(c->lists[i].pairs);
        c->lists[i] = (pair_list){ 0 };
    }
    out->pairs = all;
    out->count = count;
    return sort_pairs(out, c->m->records, err);
}

kd_status kd_matcher_pairs(kd_matcher *matcher, kd_pairs *out_pairs, kd_error *err)
{
    uint64_t visited[KD_BLOCK_SLOTS] = { 0 };
    collecting *c = calloc(1, sizeof *c);
    if (!c) return kd_fail(err, KD_LIMIT, "", "no memory for the pairs");
    if (!matcher->model->is_trained) {
        free(c);
        return kd_fail(err, KD_INVALID, "", "the model must be trained before pairs are scored");
    }
    c->m = matcher;
    kd_pairs pairs = { 0 };
    const kd_blocking blocking = { .rules = matcher->model->rules,
                                   .rule_count = matcher->model->rule_count,
                                   .only = SIZE_MAX,
                                   .visit = keep,
                                   .ctx = c,
                                   .visited = visited,
                                   .full_blocks = &pairs.full_blocks,
                                   .full_records = &pairs.full_records };
    kd_status status = kd_block(matcher, &blocking, err);
    if (status == KD_OK) status = join_lists(c, &pairs, err);
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) {
        free(c->lists[i].pairs);
        pairs.compared += visited[i];
    }
    free(c);
    if (status != KD_OK) {
        kd_pairs_done(&pairs);
        return status;
    }
    *out_pairs = pairs;
    return KD_OK;
}

void kd_pairs_done(kd_pairs *pairs)
{
    free(pairs->pairs);
    *pairs = (kd_pairs){ 0 };
}
