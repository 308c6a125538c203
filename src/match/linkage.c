#include "linkage.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS_SCORED = 4 }; /* of a node, when a pair that blocking did not bring is scored */

void kd_linkage_done(kd_linkage *l)
{
    free(l->node);
    free(l->is_dissolved);
    free(l->member_start);
    free(l->members);
    free(l->edges);
    free(l->cannot);
    free(l->component_nodes);
    free(l->component_start);
    free(l->label);
}

static uint32_t members_end(const kd_linkage *l, uint32_t node)
{
    return l->member_start[node + 1];
}

/* ---- what rules a pair of nodes out ---- */

/* Code of a record for an exclusive column when it counts: identity numbers only when they can be right. */
static uint32_t sound_code(const kd_matcher *m, size_t field, uint32_t record)
{
    uint32_t code = kd_codes(m, record)[field];
    if (!code || m->model->fields[field].kind != KD_FIELD_IDENTITY) return code;
    return m->values[field].entries[code].is_valid ? code : 0;
}

/* Both have sound values and share none. */
static bool values_exclude(const kd_linkage *l, size_t field, uint32_t a, uint32_t b)
{
    bool has_a = false, has_b = false;
    uint32_t end_a = members_end(l, a), end_b = members_end(l, b);
    for (uint32_t i = l->member_start[a]; i < end_a; i++) {
        uint32_t code = sound_code(l->m, field, l->members[i]);
        if (!code) continue;
        has_a = true;
        for (uint32_t j = l->member_start[b]; j < end_b; j++) {
            uint32_t other = sound_code(l->m, field, l->members[j]);
            has_b = has_b || other;
            if (code == other) return false;
        }
        if (!has_b) return false;
    }
    return has_a && has_b;
}

/* A value that two different persons share, such as the row that names them both. */
static bool values_part(const kd_linkage *l, size_t field, uint32_t a, uint32_t b)
{
    uint32_t end_a = members_end(l, a), end_b = members_end(l, b);
    for (uint32_t i = l->member_start[a]; i < end_a; i++) {
        uint32_t code = kd_codes(l->m, l->members[i])[field];
        for (uint32_t j = l->member_start[b]; code && j < end_b; j++)
            if (kd_codes(l->m, l->members[j])[field] == code) return true;
    }
    return false;
}

static bool people_part(const kd_linkage *l, uint32_t a, uint32_t b)
{
    uint64_t key = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    size_t low = 0, high = l->cannot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->cannot[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < l->cannot_count && l->cannot[low] == key;
}

/* Two rows of one table that holds a person once. */
static bool tables_part(const kd_linkage *l, uint32_t a, uint32_t b)
{
    for (uint32_t i = l->member_start[a]; i < members_end(l, a); i++)
        for (uint32_t j = l->member_start[b]; j < members_end(l, b); j++)
            if (kd_same_table(l->m, l->members[i], l->members[j])) return true;
    return false;
}

bool kd_linkage_is_vetoed(const kd_linkage *l, uint32_t a, uint32_t b)
{
    const kd_model *model = l->m->model;
    for (size_t i = 0; i < model->exclusive_count; i++)
        if (values_exclude(l, model->exclusive[i], a, b)) return true;
    for (size_t i = 0; i < model->distinct_count; i++)
        if (values_part(l, model->distinct[i], a, b)) return true;
    if (l->m->table && tables_part(l, a, b)) return true;
    return l->cannot_count && people_part(l, a, b);
}

/* ---- average linkage ---- */

typedef struct {
    uint64_t hash;
    uint32_t node;
} content;

/* A component at work: weights between its clusters as a full matrix. */
typedef struct {
    const kd_linkage *l;
    uint32_t *nodes;
    uint32_t count;
    float *weight;     /* count * count: average weight between two clusters */
    uint8_t *veto;     /* count * count */
    uint32_t *size;    /* nodes of a cluster; 0: merged away */
    uint32_t *nearest; /* of a cluster: the one it weighs most with */
    uint32_t *first;   /* lowest node of a cluster */
    uint32_t *into;    /* of a node: the cluster it is in */
} component;

static float score_nodes(const kd_linkage *l, uint32_t a, uint32_t b, bool *out_is_veto)
{
    const kd_matcher *m = l->m;
    double best = m->model->unscored_bits;
    uint32_t end_a = members_end(l, a), end_b = members_end(l, b);
    if (end_a - l->member_start[a] > RECORDS_SCORED) end_a = l->member_start[a] + RECORDS_SCORED;
    if (end_b - l->member_start[b] > RECORDS_SCORED) end_b = l->member_start[b] + RECORDS_SCORED;
    for (uint32_t i = l->member_start[a]; i < end_a; i++) {
        for (uint32_t j = l->member_start[b]; j < end_b; j++) {
            kd_side x = kd_side_of(m, l->members[i]), y = kd_side_of(m, l->members[j]);
            double bits;
            uint32_t pattern;
            bool is_veto;
            if (!kd_score(m, &x, &y, best, &bits, &pattern, &is_veto)) continue;
            *out_is_veto = *out_is_veto || is_veto;
            if (bits > best && !is_veto) best = bits;
        }
    }
    return (float)best;
}

static const kd_edge *find_edge(const kd_linkage *l, uint32_t a, uint32_t b)
{
    uint64_t low = 0, high = l->edge_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const kd_edge *e = &l->edges[middle];
        if (e->a < a || (e->a == a && e->b < b)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < l->edge_count && l->edges[low].a == a && l->edges[low].b == b ? &l->edges[low] : NULL;
}

/* What a node holds, wherever its rows stand. */
static uint64_t content_of(const kd_linkage *l, uint32_t node)
{
    const kd_matcher *m = l->m;
    uint64_t sum = 0;
    for (uint32_t i = l->member_start[node]; i < members_end(l, node); i++) {
        const uint32_t *codes = kd_codes(m, l->members[i]);
        uint64_t hash = m->table ? m->table[l->members[i]] : 0;
        for (size_t field = 0; field < m->width; field++) {
            const kd_values *v = &m->values[field];
            hash = kd_hash_int(hash * 31 + (v->is_direct ? codes[field] : v->entries[codes[field]].hash) + field);
        }
        sum += hash;
    }
    return sum;
}

static int by_content(const void *a, const void *b)
{
    const content *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* Equal weights are merged in the order of what the nodes hold, so that the order of rows decides nothing. */
static void order_nodes(component *c, const uint32_t *nodes, content *contents)
{
    for (uint32_t i = 0; i < c->count; i++) contents[i] = (content){ content_of(c->l, nodes[i]), nodes[i] };
    qsort(contents, c->count, sizeof *contents, by_content);
    for (uint32_t i = 0; i < c->count; i++) c->nodes[i] = contents[i].node;
}

static void fill(component *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        c->size[i] = 1;
        c->first[i] = c->nodes[i];
        c->into[i] = i;
        for (uint32_t j = i + 1; j < c->count; j++) {
            uint32_t a = c->nodes[i] < c->nodes[j] ? c->nodes[i] : c->nodes[j], b = c->nodes[i] ^ c->nodes[j] ^ a;
            const kd_edge *edge = find_edge(c->l, a, b);
            bool is_veto = kd_linkage_is_vetoed(c->l, a, b);
            float weight = edge      ? edge->weight
                           : is_veto ? (float)c->l->m->model->unscored_bits
                                     : score_nodes(c->l, a, b, &is_veto);
            c->weight[(size_t)i * c->count + j] = c->weight[(size_t)j * c->count + i] = weight;
            c->veto[(size_t)i * c->count + j] = c->veto[(size_t)j * c->count + i] = is_veto;
        }
    }
}

static void find_nearest(component *c, uint32_t i)
{
    c->nearest[i] = UINT32_MAX;
    for (uint32_t j = 0; j < c->count; j++) {
        if (j == i || !c->size[j] || c->veto[(size_t)i * c->count + j]) continue;
        bool is_nearer = c->nearest[i] == UINT32_MAX ||
                         c->weight[(size_t)i * c->count + j] > c->weight[(size_t)i * c->count + c->nearest[i]];
        if (is_nearer) c->nearest[i] = j;
    }
}

static void merge(component *c, uint32_t i, uint32_t j)
{
    float ni = (float)c->size[i], nj = (float)c->size[j];
    for (uint32_t k = 0; k < c->count; k++) {
        if (k == i || k == j || !c->size[k]) continue;
        size_t ik = (size_t)i * c->count + k, jk = (size_t)j * c->count + k;
        size_t ki = (size_t)k * c->count + i;
        c->weight[ik] = c->weight[ki] = (ni * c->weight[ik] + nj * c->weight[jk]) / (ni + nj);
        c->veto[ik] = c->veto[ki] = c->veto[ik] || c->veto[jk];
    }
    c->size[i] += c->size[j];
    c->size[j] = 0;
    if (c->first[j] < c->first[i]) c->first[i] = c->first[j];
    for (uint32_t n = 0; n < c->count; n++)
        if (c->into[n] == j) c->into[n] = i;
    for (uint32_t k = 0; k < c->count; k++)
        if (c->size[k] && (k == i || c->nearest[k] == i || c->nearest[k] == j)) find_nearest(c, k);
}

static void agglomerate(component *c, float cut)
{
    for (uint32_t i = 0; i < c->count; i++) find_nearest(c, i);
    for (;;) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < c->count; i++) {
            if (!c->size[i] || c->nearest[i] == UINT32_MAX) continue;
            bool is_better = best == UINT32_MAX || c->weight[(size_t)i * c->count + c->nearest[i]] >
                                                       c->weight[(size_t)best * c->count + c->nearest[best]];
            if (is_better) best = i;
        }
        if (best == UINT32_MAX || c->weight[(size_t)best * c->count + c->nearest[best]] < cut) return;
        uint32_t other = c->nearest[best];
        merge(c, best < other ? best : other, best < other ? other : best);
    }
}

/* Most components: two nodes, one edge. */
static void link_two(kd_linkage *l, const uint32_t *nodes, float cut)
{
    const kd_edge *edge = find_edge(l, nodes[0], nodes[1]);
    bool is_one = edge && edge->weight >= cut && !kd_linkage_is_vetoed(l, nodes[0], nodes[1]);
    if (is_one) l->label[nodes[1]] = nodes[0];
}

/* Connected components: every vote of one edge counts, and vetoes are not looked at beyond the pair. */
static void link_all(kd_linkage *l, const uint32_t *nodes, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) l->label[nodes[i]] = nodes[0];
}

kd_status kd_linkage_component(kd_linkage *l, uint32_t index, kd_error *err)
{
    const uint32_t *nodes = l->component_nodes + l->component_start[index];
    size_t count = l->component_start[index + 1] - l->component_start[index];
    float cut = (float)l->m->model->cluster_bits;
    if (!l->m->model->is_average_link) {
        link_all(l, nodes, (uint32_t)count);
        return KD_OK;
    }
    if (count == 2) {
        link_two(l, nodes, cut);
        return KD_OK;
    }
    char *memory = calloc(count, sizeof(content) + count * (sizeof(float) + 1) + 5 * sizeof(uint32_t));
    if (!memory) return kd_fail(err, KD_LIMIT, "", "no memory for a component of %zu", count);
    component c = { .l = l, .count = (uint32_t)count };
    content *contents = (content *)(void *)memory;
    c.weight = (float *)(void *)(contents + count);
    c.size = (uint32_t *)(void *)(c.weight + count * count);
    c.nearest = c.size + count;
    c.first = c.nearest + count;
    c.into = c.first + count;
    c.nodes = c.into + count;
    c.veto = (uint8_t *)(c.nodes + count);
    order_nodes(&c, nodes, contents);
    fill(&c);
    agglomerate(&c, cut);
    for (size_t i = 0; i < count; i++) l->label[c.nodes[i]] = c.first[c.into[i]];
    free(memory);
    return KD_OK;
}
