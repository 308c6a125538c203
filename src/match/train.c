/*
 * Estimating m and the prior (u: train_u.c) by expectation maximisation on the counts of patterns.
 *
 * Every training rule brings pairs that agree in its own columns; how likely they match is judged by all that is compared,
 * rarity of shared values and the common prior included, and m is learned from them for the comparisons of other columns.
 * All rules are learned from together, so that they tell each other's matches from chance. The prior is the share of
 * matches among the pairs of all blocking rules, each pair counted once. Fellegi & Sunter 1969; Winkler 1988.
 */
#include "records.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 200 };
static const double PROBABILITY_LEAST = 1e-9, CONVERGED = 1e-5;
static const double MISSED_MOST = 0.5;                     /* matches that blocking misses, to those that it brings */
static const double FIRST_MATCHES = 0.5;                   /* of a record, before anything is known */
static const double LIKE_SEEN = 2;                         /* pairs that what m begins with counts for */
static const double ELSE_MOST = 0.6;                       /* m of the last level */
static const double EXACT_SHARE = 0.88, ELSE_SHARE = 0.04; /* where m begins */

typedef struct {
    kd_matcher *m;
    kd_model *model;
    kd_level_counts random;
    const kd_rule *rules;
    size_t rule_count;
    kd_patterns of_rule[KD_MATCH_RULES_MAX]; /* training rules */
    kd_patterns of_all;                      /* blocking rules together; empty when the prior is given */
    double begin[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX];
    double log_m[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX]; /* log2 of m / u, of m where rarity takes u's place */
} training;

/* ---- where EM begins ---- */

/* What is given stays; the other levels share what is left in proportion to `wanted`. */
static void set_m(kd_comparison *comparison, const double *wanted)
{
    double open = 0, given = 0;
    for (size_t l = 1; l < comparison->level_count; l++) {
        const kd_level *level = &comparison->levels[l];
        *(level->is_m_given ? &given : &open) += level->is_m_given ? level->m : wanted[l];
    }
    for (size_t l = 1; l < comparison->level_count; l++) {
        kd_level *level = &comparison->levels[l];
        if (level->is_m_given) continue;
        level->m = open > 0 && given < 1 ? fmax(wanted[l] * (1 - given) / open, PROBABILITY_LEAST) : PROBABILITY_LEAST;
    }
}

static void begin_m(training *t, size_t index)
{
    kd_comparison *comparison = &t->model->comparisons[index];
    double between = (1 - EXACT_SHARE - ELSE_SHARE) / (double)(comparison->level_count - 1);
    for (size_t l = 1; l < comparison->level_count; l++) {
        kd_level_kind kind = comparison->levels[l].kind;
        t->begin[index][l] = kind == KD_LEVEL_EXACT ? EXACT_SHARE : kind == KD_LEVEL_ELSE ? ELSE_SHARE : between;
    }
    set_m(comparison, t->begin[index]);
    for (size_t l = 1; l < comparison->level_count; l++) t->begin[index][l] = comparison->levels[l].m;
}

/* ---- one round ---- */

static void take_logs(training *t)
{
    for (size_t i = 0; i < t->model->comparison_count; i++) {
        const kd_comparison *comparison = &t->model->comparisons[i];
        bool is_rare = t->m->values[comparison->field].rare_bits != NULL;
        for (size_t l = 1; l < comparison->level_count; l++) {
            const kd_level *level = &comparison->levels[l];
            t->log_m[i][l] = log2(level->m) - (is_rare && level->has_term_frequency ? 0 : log2(level->u));
        }
    }
}

static double match_probability(const training *t, const kd_pattern_count *p)
{
    double bits = log2(t->model->prior / (1 - t->model->prior)) + p->rare;
    for (size_t i = 0; i < t->model->comparison_count; i++)
        bits += t->log_m[i][kd_pattern_level(&t->model->comparisons[i], p->pattern)];
    return 1 / (1 + exp2(-bits));
}

static bool is_of_rule(const kd_rule *rule, size_t field)
{
    for (size_t i = 0; i < rule->key_count; i++)
        if (rule->keys[i].field == field) return true;
    return false;
}

static void expect(const training *t, size_t rule, double sums[][KD_MATCH_LEVELS_MAX])
{
    bool is_open[KD_MATCH_COMPARISONS_MAX];
    const kd_model *model = t->model;
    for (size_t i = 0; i < model->comparison_count; i++)
        is_open[i] = !is_of_rule(&t->rules[rule], model->comparisons[i].field);
    for (size_t p = 0; p < t->of_rule[rule].count; p++) {
        const kd_pattern_count *pattern = &t->of_rule[rule].patterns[p];
        double expected = pattern->count * match_probability(t, pattern);
        for (size_t i = 0; i < model->comparison_count; i++)
            if (is_open[i]) sums[i][kd_pattern_level(&model->comparisons[i], pattern->pattern)] += expected;
    }
}

/* Pairs that mostly differ are no matches, whatever they share: without this, families can be taken for persons. */
static void cap_else(const kd_comparison *comparison, double *sums)
{
    size_t last = comparison->level_count - 1;
    double alike = 0;
    for (size_t l = 1; l < last; l++) alike += sums[l];
    sums[last] = fmin(sums[last], alike * ELSE_MOST / (1 - ELSE_MOST));
}

/* Largest change of an m. */
static double maximise(training *t, double sums[][KD_MATCH_LEVELS_MAX])
{
    double moved = 0;
    for (size_t i = 0; i < t->model->comparison_count; i++) {
        kd_comparison *comparison = &t->model->comparisons[i];
        double before[KD_MATCH_LEVELS_MAX] = { 0 };
        for (size_t l = 1; l < comparison->level_count; l++) {
            before[l] = comparison->levels[l].m;
            sums[i][l] += LIKE_SEEN * t->begin[i][l];
        }
        cap_else(comparison, sums[i]);
        set_m(comparison, sums[i]);
        for (size_t l = 1; l < comparison->level_count; l++)
            moved = fmax(moved, fabs(comparison->levels[l].m - before[l]));
    }
    return moved;
}

/*
 * The share of matches among all pairs; returns how far it moved, as a share of itself. Matches that no rule brings are
 * told from how many were brought by one rule alone and by just two. Source: Chao 1987, a lower bound.
 */
static double renew_prior(training *t)
{
    double matches = 0, by_times[4] = { 0 }, before = t->model->prior;
    if (!t->of_all.patterns) return 0;
    for (size_t p = 0; p < t->of_all.count; p++) {
        const kd_pattern_count *pattern = &t->of_all.patterns[p];
        double expected = pattern->count * match_probability(t, pattern);
        matches += expected;
        by_times[pattern->times] += expected;
    }
    double missed = by_times[2] > 0 ? by_times[1] * by_times[1] / (2 * by_times[2]) : 0;
    matches += fmin(missed, matches * MISSED_MOST);
    t->model->prior = fmin(0.5, fmax(matches, 1) / kd_all_pairs(t->m));
    return fabs(t->model->prior - before) / before;
}

static kd_status maximise_expectation(training *t, kd_error *err)
{
    double moved = 1;
    for (int round = 0; round < ROUNDS && moved > CONVERGED; round++) {
        double sums[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX] = { { 0 } };
        if (kd_progress_cancelled(t->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
        take_logs(t);
        for (size_t i = 0; i < t->rule_count; i++) expect(t, i, sums);
        moved = renew_prior(t);
        moved = fmax(moved, maximise(t, sums));
        kd_set_u(t->m, t->model, &t->random, t->model->prior);
    }
    return KD_OK;
}

/* ---- term frequencies ---- */

static kd_status fill_rare_bits(kd_matcher *m, size_t field, kd_error *err)
{
    kd_values *values = &m->values[field];
    if (!values->frequency || !values->present || values->rare_bits) return KD_OK;
    values->rare_bits = calloc(values->count, sizeof *values->rare_bits);
    if (!values->rare_bits) return kd_fail(err, KD_LIMIT, "", "no memory for term frequencies");
    for (uint32_t code = 1; code < values->count; code++) {
        if (!values->frequency[code]) continue;
        values->rare_bits[code] = (float)log2((double)values->present / values->frequency[code]);
        if (values->rare_bits[code] > values->most_rare_bits) values->most_rare_bits = values->rare_bits[code];
    }
    return KD_OK;
}

static kd_status fill_term_frequencies(kd_matcher *m, kd_error *err)
{
    for (size_t i = 0; i < m->model->comparison_count; i++) {
        const kd_comparison *comparison = &m->model->comparisons[i];
        for (size_t l = 1; l < comparison->level_count; l++)
            if (comparison->levels[l].has_term_frequency) KD_TRY(fill_rare_bits(m, comparison->field, err));
    }
    return KD_OK;
}

/* ---- the whole ---- */

static kd_status begin_prior(training *t, kd_error *err)
{
    kd_model *model = t->model;
    double pairs = kd_all_pairs(t->m), records = (double)t->m->records;
    bool is_open = isnan(model->prior) && isnan(model->matches_per_record);
    if (pairs < 1) {
        model->prior = 0.5;
        return KD_OK;
    }
    if (isnan(model->prior)) {
        double each = is_open ? FIRST_MATCHES : model->matches_per_record;
        model->prior = fmin(0.5, fmax(records * each, PROBABILITY_LEAST) / pairs);
    }
    if (!is_open) return KD_OK;
    return kd_patterns_read(t->m, model->rules, model->rule_count, SIZE_MAX, &t->of_all, err);
}

static kd_status train(training *t, kd_error *err)
{
    kd_model *model = t->model;
    KD_TRY(kd_count_random(t->m, &t->random, err));
    for (size_t i = 0; i < model->comparison_count; i++) begin_m(t, i);
    KD_TRY(begin_prior(t, err));
    kd_set_u(t->m, model, &t->random, model->prior);
    for (size_t i = 0; i < t->rule_count; i++)
        if (!t->rules[i].is_near) KD_TRY(kd_patterns_read(t->m, t->rules, t->rule_count, i, &t->of_rule[i], err));
    KD_TRY(maximise_expectation(t, err));
    model->is_trained = true;
    return KD_OK;
}

kd_status kd_matcher_train(kd_matcher *matcher, kd_model *model, kd_error *err)
{
    kd_status status = fill_term_frequencies(matcher, err);
    if (status == KD_OK && !model->is_trained) {
        training *t = calloc(1, sizeof *t);
        if (!t) return kd_fail(err, KD_LIMIT, "", "no memory to train");
        t->m = matcher;
        t->model = model;
        t->rules = model->training_count ? model->training : model->rules;
        t->rule_count = model->training_count ? model->training_count : model->rule_count;
        status = train(t, err);
        for (size_t i = 0; i < KD_MATCH_RULES_MAX; i++) kd_patterns_done(&t->of_rule[i]);
        kd_patterns_done(&t->of_all);
        free(t);
    }
    if (status == KD_OK) kd_score_prepare(matcher);
    return status;
}
