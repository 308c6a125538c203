#include "match.h"

#include <stdlib.h>

typedef struct {
    uint32_t cluster, truth;
} both;

static int by_cluster_then_truth(const void *a, const void *b)
{
    const both *x = a, *y = b;
    if (x->cluster != y->cluster) return x->cluster < y->cluster ? -1 : 1;
    return (x->truth > y->truth) - (x->truth < y->truth);
}

static int by_truth(const void *a, const void *b)
{
    const both *x = a, *y = b;
    return (x->truth > y->truth) - (x->truth < y->truth);
}

static uint64_t pairs_of(uint64_t n)
{
    return n * (n - 1) / 2;
}

kd_quality kd_match_quality(const uint32_t *cluster, const uint32_t *truth, uint64_t records)
{
    kd_quality q = { 0 };
    both *list = malloc((records + 1) * sizeof *list);
    if (!list) return q;
    uint64_t n = 0;
    for (uint64_t i = 0; i < records; i++)
        if (truth[i] != UINT32_MAX) list[n++] = (both){ cluster[i], truth[i] };
    qsort(list, n, sizeof *list, by_cluster_then_truth);
    for (uint64_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && list[to].cluster == list[from].cluster;) {
            uint64_t next = to;
            while (next < n && list[next].cluster == list[to].cluster && list[next].truth == list[to].truth) next++;
            q.shared_pairs += pairs_of(next - to);
            to = next;
        }
        q.found_pairs += pairs_of(to - from);
    }
    qsort(list, n, sizeof *list, by_truth);
    for (uint64_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && list[to].truth == list[from].truth;) to++;
        q.true_pairs += pairs_of(to - from);
    }
    free(list);
    q.precision = q.found_pairs ? (double)q.shared_pairs / (double)q.found_pairs : 1;
    q.recall = q.true_pairs ? (double)q.shared_pairs / (double)q.true_pairs : 1;
    q.f1 = q.precision + q.recall > 0 ? 2 * q.precision * q.recall / (q.precision + q.recall) : 0;
    return q;
}
