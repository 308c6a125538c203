/**
 * @file linkage.h
 * One clustering at work: nodes, the edges between them, components. Private to match.
 */
#ifndef KD_MATCH_LINKAGE_H
#define KD_MATCH_LINKAGE_H

#include "records.h"

/** The strongest pair between two nodes, a < b. */
typedef struct {
    uint32_t a, b;
    float weight;
    uint32_t pair; /* index of that pair; UINT32_MAX when blocking did not bring it */
} kd_edge;

typedef struct {
    const kd_matcher *m;
    uint32_t *node;         /* of record: its node, named by its first record */
    bool *is_dissolved;     /* of a group of records: a person's word took it apart */
    uint32_t *member_start; /* of node: where its records begin in members; they end where those of node + 1 begin */
    uint32_t *members;
    kd_edge *edges; /* by a, then b */
    uint64_t edge_count;
    uint64_t *cannot; /* pairs of nodes that people hold apart, sorted */
    size_t cannot_count;
    uint32_t *component_nodes, *component_start;
    uint32_t components;
    uint32_t *label; /* of node: the lowest node of its cluster */
} kd_linkage;

/** Average linkage within component `index`; writes the labels of its nodes. Components share nothing: any thread. */
KD_CHECKED kd_status kd_linkage_component(kd_linkage *linkage, uint32_t index, kd_error *err);
/** True when something rules out that two nodes are one: values, rows, or a person's word. */
bool kd_linkage_is_vetoed(const kd_linkage *linkage, uint32_t a, uint32_t b);
void kd_linkage_done(kd_linkage *linkage);

#endif
