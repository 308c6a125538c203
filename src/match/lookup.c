#include "records.h"

#include <stdlib.h>
#include <string.h>

enum { HEADS = 1 << 16 };

struct kd_match_index {
    const kd_matcher *m;
    uint64_t *
        packed[KD_MATCH_RULES_MAX]; /* key and record, sorted; of rules by likeness only numbers that cannot be right */
    uint32_t *heads[KD_MATCH_RULES_MAX]; /* of the upper 16 bits of a key: where such keys begin */
    size_t count[KD_MATCH_RULES_MAX];
};

static kd_status add_rule(kd_match_index *index, size_t i, kd_error *err)
{
    const kd_rule *rule = &index->m->model->rules[i];
    KD_TRY(rule->is_near ? kd_near_keys(index->m, rule, true, &index->packed[i], &index->count[i], err)
                         : kd_block_keys(index->m, rule, false, &index->packed[i], &index->count[i], err));
    index->heads[i] = calloc(HEADS + 1, sizeof *index->heads[i]);
    if (!index->heads[i]) return kd_fail(err, KD_LIMIT, "", "no memory for the index");
    for (size_t k = 0; k < index->count[i]; k++) index->heads[i][(index->packed[i][k] >> 48) + 1]++;
    for (size_t h = 0; h < HEADS; h++) index->heads[i][h + 1] += index->heads[i][h];
    return KD_OK;
}

kd_status kd_match_index_new(const kd_matcher *matcher, kd_match_index **out_index, kd_error *err)
{
    kd_match_index *index = calloc(1, sizeof *index);
    if (!index) return kd_fail(err, KD_LIMIT, "", "no memory for the index");
    index->m = matcher;
    kd_status status = KD_OK;
    for (size_t i = 0; i < matcher->model->rule_count && status == KD_OK; i++) status = add_rule(index, i, err);
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
    for (size_t i = 0; i < KD_MATCH_RULES_MAX; i++) {
        free(index->packed[i]);
        free(index->heads[i]);
    }
    free(index);
}

static size_t first_with(const kd_match_index *index, size_t rule, uint32_t key)
{
    size_t low = index->heads[rule][key >> 16], high = index->heads[rule][(key >> 16) + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->packed[rule][middle] >> 32 < key) {
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

/* Records with a key; `probe` is what they must share it with, `side` what they are compared with. */
static void ask_key(const kd_match_index *index, size_t rule, uint32_t key, const kd_side *probe, const kd_side *side,
                    ranking *r)
{
    const kd_matcher *m = index->m;
    const kd_rule *asked = &m->model->rules[rule];
    const uint64_t *packed = index->packed[rule];
    size_t from = first_with(index, rule, key), to = from;
    while (to < index->count[rule] && packed[to] >> 32 == key && to - from <= (uint64_t)asked->records_max) to++;
    if (to - from > (uint64_t)asked->records_max) return;
    for (size_t i = from; i < to; i++) {
        uint32_t record = (uint32_t)packed[i], pattern;
        kd_side other = kd_side_of(m, record);
        double bits, floor_bits = m->model->threshold_bits;
        bool is_veto;
        if (r->count == r->most && r->most && (double)r->best[r->count - 1].weight > floor_bits)
            floor_bits = (double)r->best[r->count - 1].weight;
        if (!asked->is_near && !kd_rule_holds(m, asked, probe, &other)) continue;
        if (!kd_score(m, side, &other, floor_bits, &bits, &pattern, &is_veto) || is_veto) continue;
        offer(r, (kd_candidate){ record, (float)bits, pattern });
    }
}

/* The rule that asks for equal values of a column and nothing else, or SIZE_MAX. */
static size_t find_equal_rule(const kd_model *model, size_t field)
{
    for (size_t i = 0; i < model->rule_count; i++) {
        const kd_rule *rule = &model->rules[i];
        if (!rule->is_near && rule->key_count == 1 && rule->keys[0].field == field &&
            rule->keys[0].kind == KD_KEY_WHOLE)
            return i;
    }
    return SIZE_MAX;
}

/* Records whose value is `text`, for a side that does not have it. */
static void ask_text(const kd_match_index *index, size_t rule, kd_str text, const kd_side *side, ranking *r)
{
    const kd_matcher *m = index->m;
    size_t field = m->model->rules[rule].keys[0].field;
    uint32_t codes[KD_MATCH_FIELDS_MAX], code = kd_dict_find(m->values[field].dict, text);
    if (code == KD_DICT_NONE) return;
    memcpy(codes, side->codes, m->width * sizeof *codes);
    codes[field] = code + 1;
    kd_side probe = { codes, side->own };
    ask_key(index, rule, kd_rule_key(m, &m->model->rules[rule], &probe), &probe, side, r);
}

/*
 * A number that cannot be right is one slip away from the right one: each place with every other character, and neighbours
 * swapped. A number that may be right is looked for among those that cannot.
 */
static void ask_near(const kd_match_index *index, size_t rule, const kd_side *side, ranking *r)
{
    const kd_matcher *m = index->m;
    size_t field = m->model->rules[rule].keys[0].field, equal = find_equal_rule(m->model, field);
    if (!side->codes[field]) return;
    const kd_entry *entry = kd_entry_of(m, side, field);
    uint32_t keys[KD_NEAR_KEYS_MAX];
    size_t count = kd_near_keys_of(entry, keys);
    for (size_t i = 0; i < count; i++) ask_key(index, rule, keys[i], side, side, r);
    char text[KD_NEAR_KEYS_MAX];
    if (entry->is_valid || equal == SIZE_MAX || entry->len > sizeof text) return;
    memcpy(text, entry->ptr, entry->len);
    for (size_t i = 0; i < entry->len; i++) {
        for (const char *c = "0123456789X"; *c; c++) {
            if (*c == entry->ptr[i]) continue;
            text[i] = *c;
            ask_text(index, equal, (kd_str){ text, entry->len }, side, r);
        }
        text[i] = entry->ptr[i];
        if (i == 0 || text[i] == text[i - 1]) continue;
        text[i] = entry->ptr[i - 1];
        text[i - 1] = entry->ptr[i];
        ask_text(index, equal, (kd_str){ text, entry->len }, side, r);
        text[i] = entry->ptr[i];
        text[i - 1] = entry->ptr[i - 1];
    }
}

static void ask_rule(const kd_match_index *index, size_t rule, const kd_side *side, ranking *r)
{
    const kd_matcher *m = index->m;
    if (m->model->rules[rule].is_near) {
        ask_near(index, rule, side, r);
        return;
    }
    uint32_t key = kd_rule_key(m, &m->model->rules[rule], side);
    if (key) ask_key(index, rule, key, side, side, r);
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
