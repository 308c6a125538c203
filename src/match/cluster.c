/*
 * Clusters of nodes (groups of records that are one from the start): connected components at the cluster cut, and within
 * each average linkage under cannot-links. A pair of nodes weighs as its strongest pair of records; pairs that blocking
 * did not bring are scored here, not below `unscored`.
 */
#include "linkage.h"

#include <stdlib.h>
#include <string.h>

enum { COMPONENT_NODES_MAX = 1500, PIECES = 64, DOUBTFUL_MAX = 1 << 20 };
static const uint32_t NO_PAIR = UINT32_MAX;
static const float CUT_STEP_BITS = 4;

static uint32_t root_of(uint32_t *parent, uint32_t x)
{
    while (parent[x] != x) {
        parent[x] = parent[parent[x]];
        x = parent[x];
    }
    return x;
}

static bool unite(uint32_t *parent, uint32_t a, uint32_t b)
{
    uint32_t x = root_of(parent, a), y = root_of(parent, b);
    if (x < y) parent[y] = x;
    if (y < x) parent[x] = y;
    return x != y;
}

static float weight_of(const kd_matcher *m, uint32_t a, uint32_t b)
{
    double bits = 0;
    uint32_t pattern;
    bool is_veto;
    kd_side x = kd_side_of(m, a), y = kd_side_of(m, b);
    return kd_score(m, &x, &y, -1e30, &bits, &pattern, &is_veto) ? (float)bits : 0;
}

/* ---- nodes: collapsed groups and must-links; their members by counting ---- */

/*
 * A person's word that two records are not one holds against their having been grouped from the start: such a group falls
 * apart into its records, which are then weighed against each other as any others.
 */
static kd_status dissolve(kd_linkage *l, const kd_constraints *constraints, kd_error *err)
{
    uint32_t records = (uint32_t)l->m->records;
    const uint32_t *group = l->m->node;
    l->is_dissolved = calloc((size_t)records + 1, sizeof *l->is_dissolved);
    if (!l->is_dissolved) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    for (size_t i = 0; constraints && i < constraints->cannot_count; i++) {
        const uint32_t *pair = constraints->cannot_link[i];
        if (group[pair[0]] == group[pair[1]]) l->is_dissolved[group[pair[0]]] = true;
    }
    for (uint32_t r = 0; r < records; r++) l->node[r] = l->is_dissolved[group[r]] ? r : group[r];
    return KD_OK;
}

static kd_status make_nodes(kd_linkage *l, const kd_constraints *constraints, kd_error *err)
{
    uint32_t records = (uint32_t)l->m->records;
    l->node = malloc(((size_t)records + 1) * sizeof *l->node);
    l->member_start = calloc((size_t)records + 2, sizeof *l->member_start);
    l->members = malloc(((size_t)records + 1) * sizeof *l->members);
    if (!l->node || !l->member_start || !l->members) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    KD_TRY(dissolve(l, constraints, err));
    for (size_t i = 0; constraints && i < constraints->must_count; i++)
        unite(l->node, constraints->must_link[i][0], constraints->must_link[i][1]);
    for (uint32_t r = 0; r < records; r++) l->node[r] = root_of(l->node, r);
    uint32_t *next = malloc(((size_t)records + 1) * sizeof *next);
    if (!next) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    for (uint32_t r = 0; r < records; r++) l->member_start[l->node[r] + 1]++;
    for (uint32_t r = 0; r < records; r++) l->member_start[r + 1] += l->member_start[r];
    memcpy(next, l->member_start, records * sizeof *next);
    for (uint32_t r = 0; r < records; r++) l->members[next[l->node[r]]++] = r;
    free(next);
    return KD_OK;
}

/* ---- edges between nodes ---- */

static int by_nodes(const void *a, const void *b)
{
    const kd_edge *x = a, *y = b;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    if (x->b != y->b) return x->b < y->b ? -1 : 1;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

static kd_status add_edge(kd_linkage *l, uint64_t *capacity, kd_edge edge, kd_error *err)
{
    if (l->edge_count == *capacity) {
        kd_edge *grown = realloc(l->edges, (*capacity * 2 + 16) * sizeof *grown);
        if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
        l->edges = grown;
        *capacity = *capacity * 2 + 16;
    }
    l->edges[l->edge_count++] = edge;
    return KD_OK;
}

typedef struct {
    uint32_t group, record;
} grouped;

static int by_group(const void *a, const void *b)
{
    const grouped *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

/* Pairs within the dissolved groups, which blocking has passed over. */
static kd_status add_group_edges(kd_linkage *l, uint64_t *capacity, kd_error *err)
{
    const uint32_t *group = l->m->node;
    size_t count = 0;
    for (uint32_t r = 0; r < l->m->records; r++) count += l->is_dissolved[group[r]];
    grouped *list = malloc((count + 1) * sizeof *list);
    if (!list) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    count = 0;
    for (uint32_t r = 0; r < l->m->records; r++)
        if (l->is_dissolved[group[r]]) list[count++] = (grouped){ group[r], r };
    qsort(list, count, sizeof *list, by_group);
    kd_status status = KD_OK;
    for (size_t i = 0; i < count && status == KD_OK; i++) {
        for (size_t j = i + 1; j < count && list[j].group == list[i].group && status == KD_OK; j++) {
            uint32_t x = l->node[list[i].record], y = l->node[list[j].record];
            if (x == y) continue;
            float weight = weight_of(l->m, list[i].record, list[j].record);
            status = add_edge(l, capacity, (kd_edge){ x < y ? x : y, x < y ? y : x, weight, NO_PAIR }, err);
        }
    }
    free(list);
    return status;
}

static kd_status make_edges(kd_linkage *l, const kd_pairs *pairs, kd_error *err)
{
    uint64_t capacity = pairs->count + 1;
    l->edges = malloc(capacity * sizeof *l->edges);
    if (!l->edges) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    for (uint64_t i = 0; i < pairs->count; i++) {
        uint32_t a = l->node[pairs->pairs[i].a], b = l->node[pairs->pairs[i].b];
        if (a == b) continue;
        l->edges[l->edge_count++] = (kd_edge){ a < b ? a : b, a < b ? b : a, pairs->pairs[i].weight, (uint32_t)i };
    }
    KD_TRY(add_group_edges(l, &capacity, err));
    qsort(l->edges, l->edge_count, sizeof *l->edges, by_nodes);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < l->edge_count; i++)
        if (!kept || l->edges[kept - 1].a != l->edges[i].a || l->edges[kept - 1].b != l->edges[i].b)
            l->edges[kept++] = l->edges[i];
    l->edge_count = kept;
    return KD_OK;
}

/* ---- components ---- */

typedef struct {
    uint32_t root, node;
} rooted;

static int by_root(const void *a, const void *b)
{
    const rooted *x = a, *y = b;
    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* Nodes of components of two and more, together; those too large fall apart at higher cuts. */
static kd_status find_components(kd_linkage *l, kd_error *err)
{
    uint32_t records = (uint32_t)l->m->records;
    uint32_t *parent = malloc(((size_t)records + 1) * sizeof *parent),
             *size = calloc((size_t)records + 1, sizeof *size);
    uint8_t *is_large = calloc((size_t)records + 1, 1), *is_kept = calloc(l->edge_count + 1, 1);
    bool is_full = !parent || !size || !is_large || !is_kept;
    float cut = (float)l->m->model->cluster_bits;
    for (uint64_t i = 0; !is_full && i < l->edge_count; i++) is_kept[i] = l->edges[i].weight >= cut;
    for (bool has_large = !is_full; has_large; cut += CUT_STEP_BITS) {
        has_large = false;
        for (uint32_t r = 0; r < records; r++) {
            parent[r] = r;
            size[r] = 0;
        }
        for (uint64_t i = 0; i < l->edge_count; i++)
            if (is_kept[i]) unite(parent, l->edges[i].a, l->edges[i].b);
        for (uint32_t r = 0; r < records; r++)
            if (l->node[r] == r) size[root_of(parent, r)]++;
        for (uint64_t i = 0; i < l->edge_count; i++) {
            if (!is_kept[i] || size[root_of(parent, l->edges[i].a)] <= COMPONENT_NODES_MAX) continue;
            has_large = true;
            is_kept[i] = l->edges[i].weight >= cut + CUT_STEP_BITS;
        }
    }
    rooted *list = is_full ? NULL : malloc(((size_t)records + 1) * sizeof *list);
    l->component_nodes = is_full ? NULL : malloc(((size_t)records + 1) * sizeof *l->component_nodes);
    l->component_start = is_full ? NULL : malloc(((size_t)records + 2) * sizeof *l->component_start);
    is_full = is_full || !list || !l->component_nodes || !l->component_start;
    if (!is_full) {
        uint32_t n = 0;
        for (uint32_t r = 0; r < records; r++)
            if (l->node[r] == r && size[root_of(parent, r)] > 1) list[n++] = (rooted){ root_of(parent, r), r };
        qsort(list, n, sizeof *list, by_root);
        for (uint32_t i = 0; i < n; i++) {
            if (i == 0 || list[i].root != list[i - 1].root) l->component_start[l->components++] = i;
            l->component_nodes[i] = list[i].node;
        }
        l->component_start[l->components] = n;
    }
    free(parent);
    free(size);
    free(is_large);
    free(is_kept);
    free(list);
    return is_full ? kd_fail(err, KD_LIMIT, "", "no memory to cluster") : KD_OK;
}

static kd_status cluster_piece(void *ctx, size_t item, kd_error *err)
{
    kd_linkage *l = ctx;
    uint32_t from = (uint32_t)((uint64_t)l->components * item / PIECES),
             to = (uint32_t)((uint64_t)l->components * (item + 1) / PIECES);
    if (kd_progress_cancelled(l->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (uint32_t c = from; c < to; c++) KD_TRY(kd_linkage_component(l, c, err));
    return KD_OK;
}

/* ---- results ---- */

/* Clusters numbered by their first record. */
static void number_clusters(const kd_linkage *l, kd_clusters *out)
{
    uint32_t records = (uint32_t)l->m->records;
    for (uint32_t r = 0; r < records; r++) {
        uint32_t first = l->label[l->node[r]]; /* the lowest node of the cluster: its lowest record */
        out->cluster[r] = first == r ? out->clusters++ : out->cluster[first];
    }
}

static void offer_peer(kd_clusters *out, uint32_t record, uint32_t peer, float weight)
{
    bool is_better = out->peer[record] == record || weight > out->weight[record] ||
                     (weight == out->weight[record] && peer < out->peer[record]);
    if (!is_better) return;
    out->peer[record] = peer;
    out->weight[record] = weight;
}

/* A record that was collapsed with others is explained by the first other record of its group. */
static void peer_within_node(const kd_linkage *l, kd_clusters *out)
{
    for (uint32_t r = 0; r < l->m->records; r++) {
        uint32_t node = l->node[r], from = l->member_start[node];
        if (l->member_start[node + 1] - from < 2) continue;
        uint32_t other = l->members[from] == r ? l->members[from + 1] : l->members[from];
        offer_peer(out, r, other, weight_of(l->m, r, other));
    }
}

static void find_peers(const kd_linkage *l, const kd_pairs *pairs, kd_clusters *out)
{
    for (uint32_t r = 0; r < l->m->records; r++) out->peer[r] = r;
    for (uint64_t i = 0; i < pairs->count; i++) {
        const kd_pair *p = &pairs->pairs[i];
        if (out->cluster[p->a] != out->cluster[p->b]) continue;
        offer_peer(out, p->a, p->b, p->weight);
        offer_peer(out, p->b, p->a, p->weight);
    }
    peer_within_node(l, out);
}

typedef struct {
    uint32_t a, b; /* clusters */
    kd_pair pair;
} doubt;

static int by_clusters(const void *x, const void *y)
{
    const doubt *a = x, *b = y;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    if (a->b != b->b) return a->b < b->b ? -1 : 1;
    return (a->pair.weight < b->pair.weight) - (a->pair.weight > b->pair.weight);
}

/* The strongest pair between any two clusters that may be one. */
static kd_status find_doubtful(const kd_linkage *l, const kd_pairs *pairs, kd_clusters *out, kd_error *err)
{
    uint64_t count = 0, kept = 0;
    float least = (float)l->m->model->review_bits;
    for (uint64_t i = 0; i < l->edge_count; i++) {
        if (l->edges[i].pair == NO_PAIR) continue;
        const kd_pair *p = &pairs->pairs[l->edges[i].pair];
        count += p->weight >= least && out->cluster[p->a] != out->cluster[p->b];
    }
    doubt *doubts = malloc((count + 1) * sizeof *doubts);
    out->doubtful = malloc((count + 1) * sizeof *out->doubtful);
    if (!doubts || !out->doubtful) {
        free(doubts);
        return kd_fail(err, KD_LIMIT, "", "no memory for the doubtful pairs");
    }
    count = 0;
    for (uint64_t i = 0; i < l->edge_count; i++) {
        if (l->edges[i].pair == NO_PAIR) continue;
        const kd_pair *p = &pairs->pairs[l->edges[i].pair];
        uint32_t a = out->cluster[p->a], b = out->cluster[p->b];
        if (p->weight < least || a == b || kd_linkage_is_vetoed(l, l->edges[i].a, l->edges[i].b)) continue;
        doubts[count++] = (doubt){ a < b ? a : b, a < b ? b : a, *p };
    }
    qsort(doubts, count, sizeof *doubts, by_clusters);
    for (uint64_t i = 0; i < count && kept < DOUBTFUL_MAX; i++)
        if (i == 0 || doubts[i].a != doubts[i - 1].a || doubts[i].b != doubts[i - 1].b)
            out->doubtful[kept++] = doubts[i].pair;
    out->doubtful_count = kept;
    free(doubts);
    return KD_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static kd_status read_cannot_links(kd_linkage *l, const kd_constraints *constraints, kd_error *err)
{
    size_t count = constraints ? constraints->cannot_count : 0;
    l->cannot = malloc((count + 1) * sizeof *l->cannot);
    if (!l->cannot) return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    for (size_t i = 0; i < count; i++) {
        uint32_t a = l->node[constraints->cannot_link[i][0]], b = l->node[constraints->cannot_link[i][1]];
        l->cannot[i] = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    }
    l->cannot_count = count;
    qsort(l->cannot, count, sizeof *l->cannot, by_number);
    return KD_OK;
}

static kd_status make_clusters(kd_linkage *l, const kd_pairs *pairs, kd_clusters *out, kd_error *err)
{
    size_t records = l->m->records;
    KD_TRY(find_components(l, err));
    l->label = malloc((records + 1) * sizeof *l->label);
    out->cluster = malloc((records + 1) * sizeof *out->cluster);
    out->peer = malloc((records + 1) * sizeof *out->peer);
    out->weight = calloc(records + 1, sizeof *out->weight);
    if (!l->label || !out->cluster || !out->peer || !out->weight)
        return kd_fail(err, KD_LIMIT, "", "no memory to cluster");
    for (uint32_t r = 0; r < records; r++) l->label[r] = r;
    KD_TRY(kd_parallel(l->m->threads, PIECES, cluster_piece, l, err));
    number_clusters(l, out);
    find_peers(l, pairs, out);
    return find_doubtful(l, pairs, out, err);
}

kd_status kd_matcher_cluster(kd_matcher *matcher, const kd_pairs *pairs, const kd_constraints *constraints,
                             kd_clusters *out_clusters, kd_error *err)
{
    kd_linkage l = { .m = matcher };
    kd_clusters clusters = { 0 };
    kd_status status = make_nodes(&l, constraints, err);
    if (status == KD_OK) status = read_cannot_links(&l, constraints, err);
    if (status == KD_OK) status = make_edges(&l, pairs, err);
    if (status == KD_OK) status = make_clusters(&l, pairs, &clusters, err);
    kd_linkage_done(&l);
    if (status != KD_OK) {
        kd_clusters_done(&clusters);
        return status;
    }
    *out_clusters = clusters;
    return KD_OK;
}

void kd_clusters_done(kd_clusters *clusters)
{
    free(clusters->cluster);
    free(clusters->peer);
    free(clusters->weight);
    free(clusters->doubtful);
    *clusters = (kd_clusters){ 0 };
}
