/*
 * u, the levels of pairs that are no match: from random pairs, for exact levels from the counts of the values, less the true
 * matches among them: (observed - λ m) / (1 - λ). The sample is one of contents: the order of the rows does not matter.
 */
#include "records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_PAIR_BELOW = 2000000, RANDOM_PAIRS = 1 << 20, RECORDS_MAX = 1 << 16, SLOTS = 64 };
static const double PROBABILITY_LEAST = 1e-9;

double kd_all_pairs(const kd_matcher *m)
{
    double n = (double)m->records, pairs = n * (n - 1) / 2;
    uint64_t from = 0;
    for (uint64_t to = 0; m->table && to <= m->records; to++) {
        if (to < m->records && m->table[to] == m->table[from]) continue;
        double rows = (double)(to - from);
        pairs -= rows * (rows - 1) / 2;
        from = to;
    }
    return pairs;
}

uint64_t kd_record_content(const kd_matcher *m, uint32_t record)
{
    const uint32_t *codes = kd_codes(m, record);
    uint64_t hash = 0;
    for (size_t field = 0; field < m->width; field++) {
        const kd_values *v = &m->values[field];
        hash = kd_hash_int(hash * 31 + (v->is_direct ? codes[field] : v->entries[codes[field]].hash));
    }
    return hash;
}

/* ---- records to draw pairs from: those of the lowest hashes, in their order ---- */

typedef struct {
    uint64_t content;
    uint32_t record;
} drawn;

typedef struct {
    const kd_matcher *m;
    drawn *records;
    size_t count;
    bool is_every_pair;
    kd_level_counts *slots;
} drawing;

static int by_content(const void *a, const void *b)
{
    const drawn *x = a, *y = b;
    if (x->content != y->content) return x->content < y->content ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

static kd_status draw_records(drawing *d, kd_error *err)
{
    uint64_t records = d->m->records;
    double share = (double)RECORDS_MAX / (double)(records + 1);
    uint64_t most = share >= 1 ? UINT64_MAX : (uint64_t)(share * 0x1p64);
    size_t room = share >= 1 ? (size_t)records : RECORDS_MAX * 2; /* far above what chance gives */
    d->records = malloc((room + 1) * sizeof *d->records);
    if (!d->records) return kd_fail(err, KD_LIMIT, "", "no memory to draw pairs");
    for (uint64_t r = 0; r < records && d->count < room; r++) {
        uint64_t content = kd_record_content(d->m, (uint32_t)r);
        if (content <= most) d->records[d->count++] = (drawn){ content, (uint32_t)r };
    }
    qsort(d->records, d->count, sizeof *d->records, by_content);
    return KD_OK;
}

static void count_levels(const kd_matcher *m, uint32_t a, uint32_t b, kd_level_counts *counts)
{
    if (m->node[a] == m->node[b] || kd_same_table(m, a, b)) return;
    kd_side x = kd_side_of(m, a), y = kd_side_of(m, b);
    for (size_t i = 0; i < m->model->comparison_count; i++) /* each by itself: silenced ones still have a u */
        counts->counts[i][kd_compare(m, &m->model->comparisons[i], &x, &y)] += 1;
}

static kd_status count_slot(void *ctx, size_t slot, kd_error *err)
{
    drawing *d = ctx;
    kd_rng rng;
    kd_rng_init(&rng, d->m->options.seed * SLOTS + slot + 1);
    if (kd_progress_cancelled(d->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (size_t i = slot; d->is_every_pair && i < d->count; i += SLOTS)
        for (size_t j = i + 1; j < d->count; j++)
            count_levels(d->m, d->records[i].record, d->records[j].record, &d->slots[slot]);
    for (int i = 0; !d->is_every_pair && i < RANDOM_PAIRS / SLOTS; i++) {
        uint32_t a = d->records[kd_rng_below(&rng, d->count)].record,
                 b = d->records[kd_rng_below(&rng, d->count)].record;
        count_levels(d->m, a, b, &d->slots[slot]);
    }
    return KD_OK;
}

kd_status kd_count_random(const kd_matcher *m, kd_level_counts *out_counts, kd_error *err)
{
    drawing d = { .m = m,
                  .is_every_pair = kd_all_pairs(m) <= EVERY_PAIR_BELOW,
                  .slots = calloc(SLOTS, sizeof *d.slots) };
    kd_status status = d.slots ? draw_records(&d, err) : kd_fail(err, KD_LIMIT, "", "no memory to draw pairs");
    if (status == KD_OK && d.count) status = kd_parallel(m->threads, SLOTS, count_slot, &d, err);
    for (size_t s = 0; status == KD_OK && s < SLOTS; s++)
        for (size_t i = 0; i < KD_MATCH_COMPARISONS_MAX; i++)
            for (size_t l = 0; l < KD_MATCH_LEVELS_MAX; l++) out_counts->counts[i][l] += d.slots[s].counts[i][l];
    free(d.slots);
    free(d.records);
    return status;
}

/* ---- from counts to u ---- */

/* Share of pairs with the same value, from how often each value occurs; NAN when it was not counted. */
static double exact_share(const kd_values *values, const kd_level *level)
{
    if (level->kind != KD_LEVEL_EXACT || !values->frequency || values->both_present < 1) return NAN;
    return fmax(values->same_pairs, 0) / values->both_present;
}

static double clean_share(const kd_level *level, double share, double prior, double least)
{
    double m = isnan(level->m) ? 0.9 : level->m;
    return fmax((share - prior * m) / (1 - prior), least);
}

static void set_comparison(const kd_matcher *m, kd_comparison *comparison, const double *counts, double prior)
{
    double known = 0, given = 0, open = 0, u[KD_MATCH_LEVELS_MAX] = { 0 };
    for (size_t l = 1; l < comparison->level_count; l++) known += counts[l];
    for (size_t l = 1; l < comparison->level_count; l++) {
        const kd_level *level = &comparison->levels[l];
        double share = exact_share(&m->values[comparison->field], level);
        if (isnan(share)) {
            double unit = 1 / (known + 0.5 * (double)comparison->level_count);
            u[l] = clean_share(level, (counts[l] + 0.5) * unit, prior, 0.5 * unit);
        } else {
            u[l] = clean_share(level, share, prior, share / 1000);
        }
        if (level->is_u_given) u[l] = level->u;
        *(level->is_u_given ? &given : &open) += u[l];
    }
    for (size_t l = 1; l < comparison->level_count; l++) { /* what is given stays, the rest shares what is left */
        kd_level *level = &comparison->levels[l];
        if (!level->is_u_given && open > 0 && given < 1) u[l] *= (1 - given) / open;
        level->u = fmax(u[l], PROBABILITY_LEAST);
    }
}

void kd_set_u(const kd_matcher *m, kd_model *model, const kd_level_counts *counts, double prior)
{
    for (size_t i = 0; i < model->comparison_count; i++)
        set_comparison(m, &model->comparisons[i], counts->counts[i], prior);
}
