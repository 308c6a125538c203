#include "records.h"

#include <stdlib.h>
#include <string.h>

struct kd_match_index {
    const kd_matcher *m;
    uint64_t *packed[KD_MATCH_RULES_MAX]; /* key and record, sorted; NULL for rules by likeness */
    size_t count[KD_MATCH_RULES_MAX];
};

kd_status kd_match_index_new(const kd_matcher *matcher, kd_match_index **out_index, kd_error *err)
{
    kd_match_index *index = calloc(1, sizeof *index);
    if (!index) return kd_fail(err, KD_LIMIT, "", "no memory for the index");
    index->m = matcher;
    kd_status status = KD_OK;
    for (size_t i = 0; i < matcher->model->rule_count && status == KD_OK; i++)
        if (!matcher->model->rules[i].is_near)
            status = kd_block_keys(matcher, &matcher->model->rules[i], false, &index->packed[i], &index->count[i], err);
    if (status != KD_OK) {
        kd_match_index_free(index);
        return status;
    }
    *out_index = index;
    return KD_OK;
}

void kd_match_index_free(kd_match_index *index)
{
    if (!index) return;
    for (size_t i = 0; i < KD_MATCH_RULES_MAX; i++) free(index->packed[i]);
    free(index);
}

static size_t first_with(const uint64_t *packed, size_t count, uint32_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (packed[middle] >> 32 < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

typedef struct {
    kd_candidate *best;
    size_t count, most;
} ranking;

/* Kept sorted; a record that is in already is not put in again. */
static void offer(ranking *r, kd_candidate candidate)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->best[i].record == candidate.record) return;
    if (r->count == r->most && (r->most == 0 || candidate.weight <= r->best[r->count - 1].weight)) return;
    size_t at = r->count < r->most ? r->count++ : r->count - 1;
    for (; at > 0 && r->best[at - 1].weight < candidate.weight; at--) r->best[at] = r->best[at - 1];
    r->best[at] = candidate;
}

static void ask_rule(const kd_match_index *index, size_t rule, const kd_side *side, ranking *r)
{
    const kd_matcher *m = index->m;
    uint32_t key = kd_rule_key(m, &m->model->rules[rule], side);
    if (!key || !index->packed[rule]) return;
    const uint64_t *packed = index->packed[rule];
    size_t from = first_with(packed, index->count[rule], key), to = from;
    while (to < index->count[rule] && packed[to] >> 32 == key &&
           to - from <= (uint64_t)m->model->rules[rule].records_max)
        to++;
    if (to - from > (uint64_t)m->model->rules[rule].records_max) return;
    for (size_t i = from; i < to; i++) {
        uint32_t record = (uint32_t)packed[i], pattern;
        kd_side other = kd_side_of(m, record);
        double bits, floor_bits = m->model->threshold_bits;
        bool is_veto;
        if (r->count == r->most && r->most && (double)r->best[r->count - 1].weight > floor_bits)
            floor_bits = (double)r->best[r->count - 1].weight;
        if (!kd_rule_holds(m, &m->model->rules[rule], side, &other)) continue;
        if (!kd_score(m, side, &other, floor_bits, &bits, &pattern, &is_veto) || is_veto) continue;
        offer(r, (kd_candidate){ record, (float)bits, pattern });
    }
}

kd_status kd_match_lookup(const kd_match_index *index, const kd_frame *frame, int64_t row, size_t candidates_max,
                          kd_candidate *candidates, size_t *out_count, kd_error *err)
{
    const kd_matcher *m = index->m;
    uint32_t codes[KD_MATCH_FIELDS_MAX];
    kd_entry own[KD_MATCH_FIELDS_MAX];
    kd_name_parts parts[KD_MATCH_FIELDS_MAX];
    char texts[KD_MATCH_FIELDS_MAX][KD_NORMAL_BYTES_MAX];
    if (row < 0 || row >= kd_frame_rows(frame)) return kd_fail(err, KD_NOT_FOUND, "", "the table has no such row");
    for (size_t field = 0; field < m->width; field++)
        codes[field] = kd_record_code(m, frame, field, row, &own[field], &parts[field], texts[field]);
    kd_side side = { codes, own };
    ranking r = { candidates, 0, candidates_max };
    for (size_t i = 0; i < m->model->rule_count; i++) ask_rule(index, i, &side, &r);
    *out_count = r.count;
    return KD_OK;
}
