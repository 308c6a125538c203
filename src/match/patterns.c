/* Counting the patterns of candidate pairs: a few hundred numbers stand for millions of pairs. */
#include "records.h"

#include <math.h>
#include <stdlib.h>

enum { RULE_PAIRS = 3000000, RARE_MOST = 255, TIMES_MOST = 3 };

typedef struct {
    const kd_matcher *m;
    const kd_rule *rules;
    size_t rule_count;
    bool is_every_rule;
    kd_map *slots[KD_BLOCK_SLOTS]; /* pattern, rare and times, to count */
    kd_map *all;                   /* the same of all rules so far, brought to one scale */
    uint64_t weight;
    bool is_full;
} counting;

static uint32_t rare_bits(const kd_matcher *m, uint32_t pattern, const kd_side *a)
{
    double bits = 0;
    for (size_t i = 0; i < m->model->comparison_count; i++) {
        const kd_comparison *comparison = &m->model->comparisons[i];
        const kd_values *values = &m->values[comparison->field];
        if (!comparison->levels[kd_pattern_level(comparison, pattern)].has_term_frequency || !values->rare_bits)
            continue;
        bits += (double)values->rare_bits[a->codes[comparison->field]];
    }
    return bits < RARE_MOST ? (uint32_t)lround(bits) : RARE_MOST;
}

static uint32_t times_brought(const counting *c, const kd_side *a, const kd_side *b)
{
    uint32_t times = 0;
    for (size_t i = 0; i < c->rule_count && times < TIMES_MOST; i++) times += kd_rule_holds(c->m, &c->rules[i], a, b);
    return times;
}

static kd_status count_pair(void *ctx, size_t slot, uint32_t a, uint32_t b, kd_error *err)
{
    counting *c = ctx;
    kd_side x = kd_side_of(c->m, a), y = kd_side_of(c->m, b);
    uint32_t pattern = kd_pattern(c->m, &x, &y);
    uint32_t times = c->is_every_rule ? times_brought(c, &x, &y) : 0;
    uint64_t key = (uint64_t)pattern << 16 | rare_bits(c->m, pattern, &x) << 8 | times;
    uint64_t *count = kd_map_put(c->slots[slot], key, NULL);
    if (!count) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    ++*count;
    return KD_OK;
}

static void add_weighted(void *ctx, uint64_t key, uint64_t value)
{
    counting *c = ctx;
    uint64_t *sum = kd_map_put(c->all, key, NULL);
    if (sum) *sum += value * c->weight;
    c->is_full = c->is_full || !sum;
}

static void free_slots(counting *c)
{
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) {
        kd_map_free(c->slots[i]);
        c->slots[i] = NULL;
    }
}

static kd_status make_slots(counting *c, kd_error *err)
{
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++)
        if (!(c->slots[i] = kd_map_new(64))) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    return KD_OK;
}

/* Each rule is sampled at its own rate: its counts are brought to one scale before the next begins. */
static kd_status take_rule(void *ctx, size_t rule, uint64_t sample_every, kd_error *err)
{
    counting *c = ctx;
    (void)rule;
    c->weight = sample_every;
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) kd_map_each(c->slots[i], add_weighted, c);
    free_slots(c);
    return c->is_full ? kd_fail(err, KD_LIMIT, "", "no memory to count patterns") : make_slots(c, err);
}

static int by_pattern(const void *a, const void *b)
{
    const kd_pattern_count *x = a, *y = b;
    if (x->pattern != y->pattern) return x->pattern < y->pattern ? -1 : 1;
    if (x->rare != y->rare) return x->rare < y->rare ? -1 : 1;
    return (x->times > y->times) - (x->times < y->times);
}

static void add_entry(void *ctx, uint64_t key, uint64_t value)
{
    kd_patterns *list = ctx;
    list->patterns[list->count++] =
        (kd_pattern_count){ (uint32_t)(key >> 16), (uint8_t)(key >> 8 & 0xFF), (uint8_t)(key & 0xFF), (double)value };
}

static kd_status to_list(const counting *c, kd_patterns *out, kd_error *err)
{
    kd_patterns list = { .patterns = malloc((kd_map_count(c->all) + 1) * sizeof *list.patterns) };
    if (!list.patterns) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    kd_map_each(c->all, add_entry, &list);
    qsort(list.patterns, list.count, sizeof *list.patterns, by_pattern); /* sums must not depend on the map's order */
    *out = list;
    return KD_OK;
}

kd_status kd_patterns_read(const kd_matcher *m, const kd_rule *rules, size_t rule_count, size_t only,
                           kd_patterns *out_patterns, kd_error *err)
{
    counting c = { .m = m, .rules = rules, .rule_count = rule_count, .is_every_rule = only == SIZE_MAX };
    c.all = kd_map_new(1 << 10);
    const kd_blocking blocking = { .rules = rules,
                                   .rule_count = rule_count,
                                   .only = only,
                                   .sample_pairs = RULE_PAIRS,
                                   .with_same_node = true,
                                   .visit = count_pair,
                                   .after = take_rule,
                                   .ctx = &c };
    kd_status status = c.all ? make_slots(&c, err) : kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    if (status == KD_OK) status = kd_block(m, &blocking, err);
    if (status == KD_OK) status = to_list(&c, out_patterns, err);
    free_slots(&c);
    kd_map_free(c.all);
    return status;
}

void kd_patterns_done(kd_patterns *patterns)
{
    free(patterns->patterns);
    *patterns = (kd_patterns){ 0 };
}
