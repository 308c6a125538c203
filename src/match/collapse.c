/* Rows that agree on what cannot agree by chance are one before anything is scored: eleven feeds repeat each other. */
#include "records.h"

#include <stdlib.h>

static uint32_t root_of(uint32_t *node, uint32_t record)
{
    while (node[record] != record) {
        node[record] = node[node[record]];
        record = node[record];
    }
    return record;
}

static void join(uint32_t *node, uint32_t a, uint32_t b)
{
    uint32_t x = root_of(node, a), y = root_of(node, b);
    if (x < y) node[y] = x;
    if (y < x) node[x] = y;
}

/* A number that cannot be right proves nothing. */
static bool is_sound(const kd_matcher *m, const kd_rule *rule, uint32_t record)
{
    const uint32_t *codes = kd_codes(m, record);
    for (size_t i = 0; i < rule->key_count; i++) {
        size_t field = rule->keys[i].field;
        if (m->model->fields[field].kind == KD_FIELD_IDENTITY && !m->values[field].entries[codes[field]].is_valid)
            return false;
    }
    return true;
}

static bool are_distinct(const kd_matcher *m, uint32_t a, uint32_t b)
{
    if (kd_same_table(m, a, b)) return true;
    for (size_t i = 0; i < m->model->distinct_count; i++) {
        size_t field = m->model->distinct[i];
        if (kd_codes(m, a)[field] && kd_codes(m, a)[field] == kd_codes(m, b)[field]) return true;
    }
    return false;
}

static kd_status collapse_by(kd_matcher *m, const kd_rule *rule, kd_error *err)
{
    uint64_t *packed;
    size_t count;
    KD_TRY(kd_block_keys(m, rule, &packed, &count, err));
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && packed[to] >> 32 == packed[from] >> 32;) to++;
        uint32_t first = (uint32_t)packed[from];
        kd_side side = kd_side_of(m, first);
        if (!is_sound(m, rule, first)) continue;
        for (size_t i = from + 1; i < to; i++) {
            uint32_t other = (uint32_t)packed[i];
            kd_side side_b = kd_side_of(m, other);
            if (kd_rule_holds(m, rule, &side, &side_b) && !are_distinct(m, first, other)) join(m->node, first, other);
        }
    }
    free(packed);
    return KD_OK;
}

kd_status kd_collapse(kd_matcher *m, kd_error *err)
{
    m->node = malloc((m->records + 1) * sizeof *m->node);
    if (!m->node) return kd_fail(err, KD_LIMIT, "", "no memory for the groups of equal records");
    for (uint32_t r = 0; r < m->records; r++) m->node[r] = r;
    for (size_t i = 0; i < m->model->collapse_count; i++) KD_TRY(collapse_by(m, &m->model->collapse[i], err));
    for (uint32_t r = 0; r < m->records; r++) m->node[r] = root_of(m->node, r);
    return KD_OK;
}
