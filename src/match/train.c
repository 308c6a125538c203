/*
 * Estimating m, u and the prior. u: from random pairs, for exact levels from the counts of the values, less the true
 * matches among them. m: expectation maximisation on the counts of patterns, one run for every training rule, leaving out
 * the comparisons of the rule's own columns; the runs are averaged by the matches they expect. Fellegi & Sunter 1969,
 * Winkler 1988; decontaminated u as (observed - λ m) / (1 - λ).
 */
#include "records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_PAIRS = 3000000, ROUNDS = 100, PRIOR_ROUNDS = 20 };
static const double PROBABILITY_LEAST = 1e-9, CONVERGED = 1e-5;
static const double NOT_BROUGHT = 1.05; /* matches that blocking brings, to all matches */

typedef struct {
    uint32_t pattern;
    double count;
} pattern_count;

typedef struct {
    kd_matcher *m;
    kd_model *model;
    kd_level_counts random;
    kd_map *slots[KD_BLOCK_SLOTS]; /* pattern to count */
    pattern_count *patterns;
    size_t pattern_count;
    double m_sum[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX];
    double m_weight[KD_MATCH_COMPARISONS_MAX];
} training;

/* ---- m: where EM begins, and what stays where no rule can tell ---- */

static void begin_m(kd_comparison *comparison)
{
    size_t levels = comparison->level_count - 1;
    double open = 0, given = 0, share[KD_MATCH_LEVELS_MAX] = { 0 };
    for (size_t l = 1; l <= levels; l++) {
        kd_level *level = &comparison->levels[l];
        share[l] = level->kind == KD_LEVEL_EXACT  ? 0.88
                   : level->kind == KD_LEVEL_ELSE ? 0.04
                                                  : 0.08 / (double)(levels - 1);
        *(level->is_m_given ? &given : &open) += level->is_m_given ? level->m : share[l];
    }
    for (size_t l = 1; l <= levels; l++) {
        kd_level *level = &comparison->levels[l];
        if (!level->is_m_given) level->m = open > 0 && given < 1 ? share[l] * (1 - given) / open : PROBABILITY_LEAST;
    }
}

/* ---- patterns of the pairs that a rule brings ---- */

static kd_status count_pattern(void *ctx, size_t slot, uint32_t a, uint32_t b, kd_error *err)
{
    training *t = ctx;
    kd_side x = kd_side_of(t->m, a), y = kd_side_of(t->m, b);
    uint64_t *count = kd_map_put(t->slots[slot], kd_pattern(t->m, &x, &y), NULL);
    if (!count) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    ++*count;
    return KD_OK;
}

static int by_pattern(const void *a, const void *b)
{
    const pattern_count *x = a, *y = b;
    return (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

/* Room for one list of all patterns. */
static kd_status gather(training *t, kd_map *all, kd_error *err)
{
    free(t->patterns);
    t->pattern_count = 0;
    t->patterns = malloc((kd_map_count(all) + 1) * sizeof *t->patterns);
    return t->patterns ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
}

static void add_entry(void *ctx, uint64_t key, uint64_t value)
{
    training *t = ctx;
    t->patterns[t->pattern_count++] = (pattern_count){ (uint32_t)key, (double)value };
}

typedef struct {
    kd_map *all;
    uint64_t weight;
    bool is_full;
} merging;

static void add_count(merging *merge, uint64_t key, uint64_t value, uint64_t weight)
{
    uint64_t *sum = kd_map_put(merge->all, key, NULL);
    if (sum) *sum += value * weight;
    merge->is_full = merge->is_full || !sum;
}

static void add_weighted(void *ctx, uint64_t key, uint64_t value)
{
    merging *merge = ctx;
    add_count(merge, key, value, merge->weight);
}

/* Take the counts of all slots into one list, in the order of patterns. */
static kd_status merge_slots(training *t, uint64_t weight, kd_error *err)
{
    merging merge = { .all = kd_map_new(1 << 10), .weight = weight };
    if (!merge.all) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    for (size_t i = 0; i < t->pattern_count; i++)
        add_count(&merge, t->patterns[i].pattern, (uint64_t)t->patterns[i].count, 1);
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) kd_map_each(t->slots[i], add_weighted, &merge);
    kd_status status =
        merge.is_full ? kd_fail(err, KD_LIMIT, "", "no memory to count patterns") : gather(t, merge.all, err);
    if (status == KD_OK) {
        kd_map_each(merge.all, add_entry, t);
        qsort(t->patterns, t->pattern_count, sizeof *t->patterns, by_pattern);
    }
    kd_map_free(merge.all);
    return status;
}

static void free_slots(training *t)
{
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++) {
        kd_map_free(t->slots[i]);
        t->slots[i] = NULL;
    }
}

static kd_status make_slots(training *t, kd_error *err)
{
    for (size_t i = 0; i < KD_BLOCK_SLOTS; i++)
        if (!(t->slots[i] = kd_map_new(64))) return kd_fail(err, KD_LIMIT, "", "no memory to count patterns");
    return KD_OK;
}

/* Each rule is sampled at its own rate: its counts are brought to one scale before the next begins. */
static kd_status take_rule(void *ctx, size_t rule, uint64_t sample_every, kd_error *err)
{
    training *t = ctx;
    (void)rule;
    KD_TRY(merge_slots(t, sample_every, err));
    free_slots(t);
    return make_slots(t, err);
}

/* Patterns of one rule (`only`), or of all rules together (SIZE_MAX), every pair once. */
static kd_status read_patterns(training *t, const kd_rule *rules, size_t rule_count, size_t only, kd_error *err)
{
    const kd_blocking blocking = { .rules = rules,
                                   .rule_count = rule_count,
                                   .only = only,
                                   .sample_pairs = RULE_PAIRS,
                                   .with_same_node = true,
                                   .visit = count_pattern,
                                   .after = take_rule,
                                   .ctx = t };
    t->pattern_count = 0;
    kd_status status = make_slots(t, err);
    if (status == KD_OK) status = kd_block(t->m, &blocking, err);
    free_slots(t);
    return status;
}

/* ---- expectation maximisation ---- */

static bool is_of_rule(const kd_rule *rule, size_t field)
{
    for (size_t i = 0; i < rule->key_count; i++)
        if (rule->keys[i].field == field) return true;
    return false;
}

typedef struct {
    bool active[KD_MATCH_COMPARISONS_MAX];
    double m[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX];
    double lambda, matches;
} estimate;

static double match_probability(const kd_model *model, const estimate *e, uint32_t pattern)
{
    double odds = log(e->lambda / (1 - e->lambda));
    for (size_t i = 0; i < model->comparison_count; i++) {
        size_t level = kd_pattern_level(&model->comparisons[i], pattern);
        if (e->active[i] && level) odds += log(e->m[i][level] / model->comparisons[i].levels[level].u);
    }
    return 1 / (1 + exp(-odds));
}

static double one_round(const training *t, estimate *e)
{
    const kd_model *model = t->model;
    double sums[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX] = { { 0 } };
    double matches = 0, pairs = 0, moved = 0;
    for (size_t p = 0; p < t->pattern_count; p++) {
        double expected = t->patterns[p].count * match_probability(model, e, t->patterns[p].pattern);
        matches += expected;
        pairs += t->patterns[p].count;
        for (size_t i = 0; i < model->comparison_count; i++)
            sums[i][kd_pattern_level(&model->comparisons[i], t->patterns[p].pattern)] += expected;
    }
    e->matches = matches;
    double lambda = (matches + 0.5) / (pairs + 1);
    moved = fabs(lambda - e->lambda);
    e->lambda = lambda;
    for (size_t i = 0; i < model->comparison_count; i++) {
        const kd_comparison *comparison = &model->comparisons[i];
        double known = 0, given = 0, open = 0;
        if (!e->active[i]) continue;
        for (size_t l = 1; l < comparison->level_count; l++) known += sums[i][l];
        if (known < 1) continue;
        for (size_t l = 1; l < comparison->level_count; l++) {
            bool is_given = comparison->levels[l].is_m_given;
            *(is_given ? &given : &open) += is_given ? comparison->levels[l].m : (sums[i][l] + 0.05) / (known + 0.5);
        }
        for (size_t l = 1; l < comparison->level_count; l++) {
            if (comparison->levels[l].is_m_given || open <= 0 || given >= 1) continue;
            double m = (sums[i][l] + 0.05) / (known + 0.5) * (1 - given) / open;
            if (fabs(m - e->m[i][l]) > moved) moved = fabs(m - e->m[i][l]);
            e->m[i][l] = m;
        }
    }
    return moved;
}

static void learn(training *t, const kd_rule *rule)
{
    estimate e = { .lambda = 0.3 };
    for (size_t i = 0; i < t->model->comparison_count; i++) {
        e.active[i] = !rule || !is_of_rule(rule, t->model->comparisons[i].field);
        for (size_t l = 0; l < t->model->comparisons[i].level_count; l++)
            e.m[i][l] = t->model->comparisons[i].levels[l].m;
    }
    if (!t->pattern_count) return;
    for (int round = 0; round < ROUNDS && one_round(t, &e) > CONVERGED;) round++;
    if (e.matches < 5) return; /* nothing to learn from */
    for (size_t i = 0; i < t->model->comparison_count; i++) {
        if (!e.active[i]) continue;
        t->m_weight[i] += e.matches;
        for (size_t l = 1; l < t->model->comparisons[i].level_count; l++) t->m_sum[i][l] += e.matches * e.m[i][l];
    }
}

static void take_average(training *t)
{
    for (size_t i = 0; i < t->model->comparison_count; i++) {
        kd_comparison *comparison = &t->model->comparisons[i];
        if (t->m_weight[i] <= 0) continue;
        for (size_t l = 1; l < comparison->level_count; l++) {
            kd_level *level = &comparison->levels[l];
            if (!level->is_m_given) level->m = fmax(t->m_sum[i][l] / t->m_weight[i], PROBABILITY_LEAST);
        }
    }
}

/* ---- the prior: matches expected among all candidate pairs, over all pairs ---- */

static double expected_matches(const training *t, const estimate *e, double *out_pairs)
{
    double expected = 0, all = 0;
    for (size_t p = 0; p < t->pattern_count; p++) {
        expected += t->patterns[p].count * match_probability(t->model, e, t->patterns[p].pattern);
        all += t->patterns[p].count;
    }
    *out_pairs = all;
    return expected;
}

static kd_status estimate_prior(training *t, kd_error *err)
{
    kd_model *model = t->model;
    double pairs = kd_all_pairs(t->m);
    if (pairs < 1) {
        model->prior = 0.5;
        return KD_OK;
    }
    if (!isnan(model->matches_per_record)) {
        model->prior = fmin(0.5, (double)t->m->records * model->matches_per_record / pairs);
        return KD_OK;
    }
    KD_TRY(read_patterns(t, model->rules, model->rule_count, SIZE_MAX, err));
    estimate e = { .lambda = 0.3 };
    for (size_t c = 0; c < model->comparison_count; c++) {
        e.active[c] = true;
        for (size_t l = 0; l < model->comparisons[c].level_count; l++) e.m[c][l] = model->comparisons[c].levels[l].m;
    }
    double matches = 0, all;
    for (int round = 0; round < PRIOR_ROUNDS; round++) {
        matches = expected_matches(t, &e, &all);
        e.lambda = (matches + 0.01) / (all + 1);
    }
    model->prior = fmin(0.5, fmax(matches * NOT_BROUGHT, 1) / pairs);
    return KD_OK;
}

/* ---- term frequencies ---- */

/* log2(u / tf): a rare shared value says more than the average one. */
static kd_status fill_term_frequency(kd_matcher *m, const kd_comparison *comparison, const kd_level *level,
                                     kd_error *err)
{
    kd_values *values = &m->values[comparison->field];
    if (!level->has_term_frequency || !values->frequency || !values->present) return KD_OK;
    if (!values->tf_bits && !(values->tf_bits = calloc(values->count, sizeof *values->tf_bits)))
        return kd_fail(err, KD_LIMIT, "", "no memory for term frequencies");
    for (uint32_t code = 1; code < values->count; code++) {
        double tf = (double)values->frequency[code] / (double)values->present;
        values->tf_bits[code] = tf > 0 ? (float)log2(level->u / tf) : 0;
    }
    return KD_OK;
}

static kd_status fill_term_frequencies(kd_matcher *m, kd_error *err)
{
    for (size_t i = 0; i < m->model->comparison_count; i++) {
        const kd_comparison *comparison = &m->model->comparisons[i];
        for (size_t l = 1; l < comparison->level_count; l++)
            KD_TRY(fill_term_frequency(m, comparison, &comparison->levels[l], err));
    }
    return KD_OK;
}

static kd_status train(training *t, kd_error *err)
{
    kd_model *model = t->model;
    const kd_rule *rules = model->training_count ? model->training : model->rules;
    size_t count = model->training_count ? model->training_count : model->rule_count;
    for (size_t i = 0; i < model->comparison_count; i++) begin_m(&model->comparisons[i]);
    KD_TRY(kd_count_random(t->m, &t->random, err));
    kd_set_u(t->m, model, &t->random, isnan(model->prior) ? 0 : model->prior);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].is_near) continue;
        KD_TRY(read_patterns(t, rules, count, i, err));
        learn(t, &rules[i]);
        if (kd_progress_cancelled(t->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    }
    take_average(t);
    if (isnan(model->prior)) {
        KD_TRY(estimate_prior(t, err));
        kd_set_u(t->m, model, &t->random, model->prior);
    }
    model->is_trained = true;
    return KD_OK;
}

kd_status kd_matcher_train(kd_matcher *matcher, kd_model *model, kd_error *err)
{
    kd_status status = KD_OK;
    if (!model->is_trained) {
        training *t = calloc(1, sizeof *t);
        if (!t) return kd_fail(err, KD_LIMIT, "", "no memory to train");
        t->m = matcher;
        t->model = model;
        status = train(t, err);
        free(t->patterns);
        free(t);
    }
    if (status == KD_OK) status = fill_term_frequencies(matcher, err);
    if (status == KD_OK) kd_score_prepare(matcher);
    return status;
}
