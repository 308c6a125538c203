#include "records.h"

#include <math.h>

kd_status kd_matcher_explain(const kd_matcher *m, uint32_t a, uint32_t b, kd_arena *arena, kd_waterfall *out_waterfall,
                             kd_error *err)
{
    const kd_model *model = m->model;
    if (a >= m->records || b >= m->records) return kd_fail(err, KD_NOT_FOUND, "", "there is no such record");
    kd_side x = kd_side_of(m, a), y = kd_side_of(m, b);
    uint32_t pattern = kd_pattern(m, &x, &y);
    kd_waterfall w = { .prior_bits = m->prior_bits, .total_bits = m->prior_bits, .count = model->comparison_count };
    w.steps = kd_arena_array(arena, w.count, sizeof *w.steps);
    if (!w.steps) return kd_fail(err, KD_LIMIT, "", "no memory to explain");
    for (size_t i = 0; i < w.count; i++) {
        const kd_comparison *comparison = &model->comparisons[i];
        size_t at = kd_pattern_level(comparison, pattern);
        const kd_level *level = &comparison->levels[at];
        w.steps[i] =
            (kd_waterfall_step){ comparison->name, level->name, level->title_zh, level->title_en,
                                 level->m,         level->u,    m->bits[i][at],  kd_tf_bits(m, comparison, at, &x) };
        w.total_bits += w.steps[i].bits + w.steps[i].tf_bits;
    }
    w.probability = 1 / (1 + exp2(-w.total_bits));
    *out_waterfall = w;
    return KD_OK;
}
