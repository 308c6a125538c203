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

enum { LEADERS_MAX = 8 }; /* different values whose keys have the same number */

/* Records of one key: each joins the first that has its values. */
static void collapse_block(kd_matcher *m, const kd_rule *rule, const uint64_t *packed, size_t count)
{
    uint32_t leaders[LEADERS_MAX] = { 0 };
    size_t leader_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t record = (uint32_t)packed[i];
        kd_side side = kd_side_of(m, record);
        size_t l = 0;
        for (; l < leader_count; l++) {
            kd_side leader = kd_side_of(m, leaders[l]);
            if (kd_rule_holds(m, rule, &leader, &side)) break;
        }
        if (l < leader_count) {
            if (!are_distinct(m, leaders[l], record)) join(m->node, leaders[l], record);
        } else if (leader_count < LEADERS_MAX && is_sound(m, rule, record)) {
            leaders[leader_count++] = record;
        }
    }
}

static kd_status collapse_by(kd_matcher *m, const kd_rule *rule, kd_error *err)
{
    uint64_t *packed;
    size_t count;
    KD_TRY(kd_block_keys(m, rule, true, &packed, &count, err));
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && packed[to] >> 32 == packed[from] >> 32;) to++;
        if (to - from > 1) collapse_block(m, rule, packed + from, to - from);
    }
    free(packed);
    return KD_OK;
}

/* ---- which records say something of their own ---- */

typedef struct {
    kd_matcher *m;
    bool is_used[KD_MATCH_FIELDS_MAX]; /* by a comparison or a blocking key */
    uint32_t *members, *starts;        /* of node, as in cluster.c */
} telling;

enum { TELLING_PIECES = 64, GROUP_RECORDS_MAX = 64 };

static void find_used(telling *t)
{
    const kd_model *model = t->m->model;
    for (size_t i = 0; i < model->comparison_count; i++) {
        t->is_used[model->comparisons[i].field] = true;
        for (size_t l = 1; l < model->comparisons[i].level_count; l++)
            if (model->comparisons[i].levels[l].kind == KD_LEVEL_SWAPPED)
                t->is_used[model->comparisons[i].levels[l].with] = true;
    }
    for (size_t i = 0; i < model->rule_count; i++)
        for (size_t k = 0; k < model->rules[i].key_count; k++) t->is_used[model->rules[i].keys[k].field] = true;
}

typedef struct {
    uint32_t filled, record;
    uint64_t content;
} ranked;

static int fullest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->filled != y->filled) return x->filled < y->filled ? 1 : -1;
    return (x->content > y->content) - (x->content < y->content);
}

/* True when records kept so far show every value of `record`. */
static bool is_shown(const telling *t, const ranked *kept, size_t kept_count, uint32_t record)
{
    const uint32_t *codes = kd_codes(t->m, record);
    for (size_t field = 0; field < t->m->width; field++) {
        if (!t->is_used[field] || !codes[field]) continue;
        size_t i = 0;
        while (i < kept_count && kd_codes(t->m, kept[i].record)[field] != codes[field]) i++;
        if (i == kept_count) return false;
    }
    return true;
}

static void tell_group(const telling *t, const uint32_t *members, size_t count)
{
    ranked list[GROUP_RECORDS_MAX] = { { 0 } };
    size_t n = count < GROUP_RECORDS_MAX ? count : GROUP_RECORDS_MAX, kept = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *codes = kd_codes(t->m, members[i]);
        list[i] = (ranked){ 0, members[i], kd_record_content(t->m, members[i]) };
        for (size_t field = 0; field < t->m->width; field++) list[i].filled += t->is_used[field] && codes[field];
    }
    qsort(list, n, sizeof *list, fullest_first);
    for (size_t i = 0; i < n; i++) {
        if (is_shown(t, list, kept, list[i].record)) {
            t->m->is_told[list[i].record] = 1;
        } else {
            list[kept++] = list[i];
        }
    }
}

static kd_status tell_piece(void *ctx, size_t piece, kd_error *err)
{
    telling *t = ctx;
    uint64_t records = t->m->records, from = records * piece / TELLING_PIECES,
             to = records * (piece + 1) / TELLING_PIECES;
    if (kd_progress_cancelled(t->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (uint64_t node = from; node < to; node++) {
        size_t count = t->starts[node + 1] - t->starts[node];
        if (count > 1) tell_group(t, t->members + t->starts[node], count);
    }
    return KD_OK;
}

/*
 * Within a group that is one already, a record that shows no value of its own brings no new pair: blocking leaves it out.
 */
static kd_status find_told(kd_matcher *m, kd_error *err)
{
    telling t = { .m = m };
    uint64_t records = m->records;
    m->is_told = calloc(records + 1, 1);
    t.starts = calloc(records + 2, sizeof *t.starts);
    t.members = malloc((records + 1) * sizeof *t.members);
    kd_status status = m->is_told && t.starts && t.members
                           ? KD_OK
                           : kd_fail(err, KD_LIMIT, "", "no memory for the groups of equal records");
    if (status == KD_OK) {
        find_used(&t);
        for (uint64_t r = 0; r < records; r++)
            t.starts[m->node[r] + 2]++; /* two ahead: filling moves it to one ahead */
        for (uint64_t r = 0; r < records; r++) t.starts[r + 1] += t.starts[r];
        for (uint64_t r = 0; r < records; r++) t.members[t.starts[m->node[r] + 1]++] = (uint32_t)r;
        status = kd_parallel(m->threads, TELLING_PIECES, tell_piece, &t, err);
    }
    free(t.starts);
    free(t.members);
    return status;
}

kd_status kd_collapse(kd_matcher *m, kd_error *err)
{
    m->node = malloc((m->records + 1) * sizeof *m->node);
    if (!m->node) return kd_fail(err, KD_LIMIT, "", "no memory for the groups of equal records");
    for (uint32_t r = 0; r < m->records; r++) m->node[r] = r;
    for (size_t i = 0; i < m->model->collapse_count; i++) KD_TRY(collapse_by(m, &m->model->collapse[i], err));
    for (uint32_t r = 0; r < m->records; r++) m->node[r] = root_of(m->node, r);
    return m->model->collapse_count ? find_told(m, err) : KD_OK;
}
