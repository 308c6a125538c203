/*
 * Gathering what may be wrong while the pairs of a link run stand: weak joins within a person and strong pairs between two.
 *
 * Within a person the joins are the edges of a maximum spanning tree over its records: taken from the strongest down, a join of
 * l records with r others decides l * r pairs of records (Gower and Ross 1969, Applied Statistics 18: single linkage and
 * spanning trees). Strong joins are only united; the few weak ones are kept. Between persons the strongest pair of any two is
 * kept. Memory: four bytes a record while at work, and lists of at most LIST_MAX pairs.
 */
#include "review.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1 << 22, LIST_FIRST = 1 << 12 };

typedef struct {
    const kd_link_run *run;
    kd_doubts *doubts;
    uint32_t *parent;     /* of record: towards the root of those joined so far */
    uint8_t *has_number;  /* of cluster: a sound identity number */
    uint64_t *held_apart; /* pairs of clusters that people hold apart, sorted */
    size_t held_count;
    kd_doubt_list inner, cross;
} gathering;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the doubtful pairs");
}

double kd_match_probability(double bits)
{
    return 1 / (1 + exp2(-bits));
}

double kd_doubt_probability(const kd_review_pack *pack, kd_standing standing, double weight)
{
    return standing == KD_HELD_APART ? pack->held_apart_same : kd_match_probability(weight);
}

size_t kd_stratum_of(const kd_review_pack *pack, kd_standing standing, double weight)
{
    size_t at = 0;
    while (at + 1 < pack->strata[standing] && weight >= pack->bounds[standing][at]) at++;
    return at;
}

/* ---- groups of records ---- */

static uint32_t root_of(uint32_t *parent, uint32_t x)
{
    while (parent[x] != x) {
        parent[x] = parent[parent[x]];
        x = parent[x];
    }
    return x;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
    uint32_t x = root_of(parent, a), y = root_of(parent, b);
    if (x < y) parent[y] = x;
    if (y < x) parent[x] = y;
}

/* ---- lists ---- */

static uint64_t persons_key(const gathering *g, const kd_doubt *d)
{
    const uint32_t *cluster = g->run->clusters.cluster;
    uint64_t a = cluster[d->a], b = cluster[d->b];
    return a < b ? a << 32 | b : b << 32 | a;
}

static int by_persons(const void *x, const void *y, void *ctx)
{
    const kd_doubt *a = x, *b = y;
    uint64_t k = persons_key(ctx, a), l = persons_key(ctx, b);
    if (k != l) return k < l ? -1 : 1;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static int heaviest_first(const void *x, const void *y)
{
    const kd_doubt *a = x, *b = y;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

/* Of any two persons the strongest pair; when that is not enough, the strongest of all. */
static void thin_cross(gathering *g)
{
    kd_doubt_list *l = &g->cross;
    size_t kept = 0;
    if (!l->count) return;
    qsort_r(l->items, l->count, sizeof *l->items, by_persons, g);
    for (size_t i = 0; i < l->count; i++)
        if (!kept || persons_key(g, &l->items[kept - 1]) != persons_key(g, &l->items[i]))
            l->items[kept++] = l->items[i];
    l->count = kept;
    if (kept <= LIST_MAX / 2) return;
    qsort(l->items, kept, sizeof *l->items, heaviest_first);
    l->count = LIST_MAX / 2;
}

/* Pairs whose sides have been joined since tell nothing any more. */
static void thin_inner(gathering *g)
{
    kd_doubt_list *l = &g->inner;
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (root_of(g->parent, l->items[i].a) != root_of(g->parent, l->items[i].b)) l->items[kept++] = l->items[i];
    l->count = kept;
    if (kept <= LIST_MAX / 2) return;
    qsort(l->items, kept, sizeof *l->items, heaviest_first);
    l->count = LIST_MAX / 2;
}

static kd_status push(kd_doubt_list *l, const kd_doubt *d, kd_error *err)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : LIST_FIRST;
        kd_doubt *grown = realloc(l->items, cap * sizeof *grown);
        if (!grown) return no_memory(err);
        l->items = grown;
        l->cap = cap;
    }
    l->items[l->count++] = *d;
    return KD_OK;
}

static kd_status add(gathering *g, kd_doubt_list *l, void (*thin)(gathering *), kd_doubt d, kd_error *err)
{
    if (l->count == LIST_MAX) thin(g); /* to half of it at most */
    return push(l, &d, err);
}

/* ---- reading the pairs ---- */

static bool is_sound(const kd_record_table *t, uint32_t record)
{
    int kind = t->identity_kind[record];
    return t->identity[record] && (kind == 0 || kind == KD_IDENTITY_OLD);
}

/* Each record with the one it is nearest to: these edges are in every maximum spanning tree. */
static kd_status read_peers(gathering *g, kd_error *err)
{
    const kd_clusters *c = &g->run->clusters;
    for (uint32_t r = 0; r < g->run->table.count; r++) {
        if (is_sound(&g->run->table, r)) g->has_number[c->cluster[r]] = 1;
        if (c->peer[r] == r) continue;
        if ((double)c->weight[r] >= g->doubts->pack.weak_join_bits) {
            unite(g->parent, r, c->peer[r]);
        } else {
            uint32_t a = r < c->peer[r] ? r : c->peer[r], b = r ^ c->peer[r] ^ a;
            KD_TRY(add(g, &g->inner, thin_inner, (kd_doubt){ .a = a, .b = b, .weight = c->weight[r] }, err));
        }
    }
    for (size_t i = 0; i < g->run->must_count; i++) unite(g->parent, g->run->must[i][0], g->run->must[i][1]);
    return KD_OK;
}

static kd_status read_pairs(gathering *g, const kd_pairs *pairs, kd_error *err)
{
    const uint32_t *cluster = g->run->clusters.cluster;
    const kd_review_pack *pack = &g->doubts->pack;
    for (uint64_t i = 0; i < pairs->count; i++) {
        const kd_pair *p = &pairs->pairs[i];
        uint32_t a = cluster[p->a], b = cluster[p->b];
        kd_doubt d = { .a = p->a, .b = p->b, .weight = p->weight };
        if (a == b && (double)p->weight >= pack->weak_join_bits) {
            unite(g->parent, p->a, p->b);
        } else if (a == b) {
            if (root_of(g->parent, p->a) == root_of(g->parent, p->b)) continue;
            KD_TRY(add(g, &g->inner, thin_inner, d, err));
        } else {
            bool is_held = g->has_number[a] && g->has_number[b];
            d.standing = is_held ? KD_HELD_APART : KD_APART;
            if ((double)p->weight < (is_held ? pack->held_apart_bits : pack->parted_bits)) continue;
            KD_TRY(add(g, &g->cross, thin_cross, d, err));
        }
    }
    return KD_OK;
}

/* ---- what is kept ---- */

static void count_in(kd_doubts *doubts, const kd_doubt *d)
{
    double pairs = (double)d->left * (double)d->right;
    size_t at = kd_stratum_of(&doubts->pack, d->standing, (double)d->weight);
    kd_stratum *s = &doubts->strata.strata[d->standing][at];
    s->pairs += pairs;
    s->expected += pairs * kd_doubt_probability(&doubts->pack, d->standing, (double)d->weight);
    s->units++;
}

/* Weak joins from the strongest down: those that still join something, with how many records they join. */
static kd_status keep_joins(gathering *g, kd_error *err)
{
    uint32_t records = g->run->table.count;
    uint32_t *size = calloc((size_t)records + 1, sizeof *size);
    if (!size) return no_memory(err);
    thin_inner(g);
    if (g->inner.count) qsort(g->inner.items, g->inner.count, sizeof *g->inner.items, heaviest_first);
    for (uint32_t r = 0; r < records; r++) size[root_of(g->parent, r)]++;
    kd_status status = KD_OK;
    for (size_t i = 0; i < g->inner.count && status == KD_OK; i++) {
        kd_doubt *d = &g->inner.items[i];
        uint32_t x = root_of(g->parent, d->a), y = root_of(g->parent, d->b);
        if (x == y) continue;
        d->left = size[x];
        d->right = size[y];
        d->standing = KD_TOGETHER;
        unite(g->parent, x, y);
        size[x < y ? x : y] = d->left + d->right;
        count_in(g->doubts, d);
        status = push(&g->doubts->kept, d, err);
    }
    free(size);
    return status;
}

/* Two persons whom one row names are two: nothing to ask. */
static bool share_a_row(const kd_link_run *run, uint32_t one, uint32_t other)
{
    const kd_record_table *t = &run->table;
    for (uint32_t i = run->starts[one]; i < run->starts[one + 1]; i++) {
        uint32_t a = run->members[i];
        for (uint32_t k = run->starts[other]; k < run->starts[other + 1]; k++) {
            uint32_t b = run->members[k];
            if (t->batch_id[a] == t->batch_id[b] && t->row_no[a] == t->row_no[b]) return true;
        }
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static kd_status read_held_apart(gathering *g, kd_error *err)
{
    const kd_link_run *run = g->run;
    g->held_apart = malloc((run->cannot_count + 1) * sizeof *g->held_apart);
    if (!g->held_apart) return no_memory(err);
    for (size_t i = 0; i < run->cannot_count; i++) {
        kd_doubt d = { .a = run->cannot[i][0], .b = run->cannot[i][1] };
        g->held_apart[g->held_count++] = persons_key(g, &d);
    }
    qsort(g->held_apart, g->held_count, sizeof *g->held_apart, by_number);
    return KD_OK;
}

static kd_status keep_partings(gathering *g, kd_error *err)
{
    const kd_link_run *run = g->run;
    KD_TRY(read_held_apart(g, err));
    thin_cross(g);
    for (size_t i = 0; i < g->cross.count; i++) {
        kd_doubt *d = &g->cross.items[i];
        uint32_t a = run->clusters.cluster[d->a], b = run->clusters.cluster[d->b];
        uint64_t key = persons_key(g, d);
        if (bsearch(&key, g->held_apart, g->held_count, sizeof key, by_number) || share_a_row(run, a, b)) continue;
        d->left = run->starts[a + 1] - run->starts[a];
        d->right = run->starts[b + 1] - run->starts[b];
        count_in(g->doubts, d);
        KD_TRY(push(&g->doubts->kept, d, err));
    }
    return KD_OK;
}

/* Pairs of records of one person that no weak join decides: as sure as their records' nearest pairs. */
static void count_sure(gathering *g)
{
    kd_doubts *doubts = g->doubts;
    const kd_link_run *run = g->run;
    const kd_clusters *c = &run->clusters;
    double all = 0, weak = 0, doubted = 0, joined = 0;
    for (uint32_t i = 0; i < c->clusters; i++) {
        double n = run->starts[i + 1] - run->starts[i];
        all += n * (n - 1) / 2;
    }
    for (size_t s = 0; s < doubts->pack.strata[KD_TOGETHER]; s++) weak += doubts->strata.strata[KD_TOGETHER][s].pairs;
    for (uint32_t r = 0; r < run->table.count; r++) {
        if (c->peer[r] == r || (double)c->weight[r] < doubts->pack.weak_join_bits) continue;
        joined++;
        doubted += 1 - kd_match_probability((double)c->weight[r]);
    }
    kd_stratum *sure = &doubts->strata.strata[KD_TOGETHER][doubts->pack.strata[KD_TOGETHER] - 1];
    double pairs = all > weak ? all - weak : 0;
    sure->pairs += pairs;
    sure->units += joined;
    sure->expected += joined > 0 ? pairs * (1 - doubted / joined) : 0;
}

static kd_status gather(gathering *g, const kd_pairs *pairs, kd_error *err)
{
    const kd_link_run *run = g->run;
    g->parent = malloc(((size_t)run->table.count + 1) * sizeof *g->parent);
    g->has_number = calloc((size_t)run->clusters.clusters + 1, 1);
    if (!g->parent || !g->has_number) return no_memory(err);
    for (uint32_t r = 0; r < run->table.count; r++) g->parent[r] = r;
    KD_TRY(read_peers(g, err));
    KD_TRY(read_pairs(g, pairs, err));
    KD_TRY(keep_joins(g, err));
    KD_TRY(keep_partings(g, err));
    count_sure(g);
    return KD_OK;
}

kd_status kd_doubts_collect(kd_link_run *run, const kd_pairs *pairs, kd_error *err)
{
    run->doubts = calloc(1, sizeof *run->doubts);
    if (!run->doubts) return no_memory(err);
    KD_TRY(kd_review_pack_load(NULL, &run->doubts->pack, err));
    run->doubts->strata =
        (kd_strata){ .run_at = run->started_us, .records = run->table.count, .persons = run->clusters.clusters };
    gathering g = { .run = run, .doubts = run->doubts };
    kd_status status = gather(&g, pairs, err);
    free(g.parent);
    free(g.has_number);
    free(g.held_apart);
    free(g.inner.items);
    free(g.cross.items);
    return status;
}

void kd_doubts_free(kd_doubts *doubts)
{
    if (!doubts) return;
    free(doubts->kept.items);
    free(doubts);
}
