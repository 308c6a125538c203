/**
 * @file link.h
 * What one link run holds in memory while it turns clusters of records into persons. Private to the register.
 */
#ifndef KD_REGISTER_LINK_H
#define KD_REGISTER_LINK_H

#include "survive.h"
#include "table.h"

/** A person of the last run. */
typedef struct {
    int64_t person_id, peer_record_id; /* 0: the record was not linked yet */
    float weight;
    bool is_decided;
} kd_old_link;

typedef struct kd_area_counts kd_area_counts;
typedef struct kd_doubts kd_doubts;
typedef struct kd_late kd_late;

/** A value that a person decided, for the cluster that holds the decision's record. */
typedef struct {
    uint32_t cluster, age; /* later ones are higher */
    kd_decided_value value;
} kd_cluster_decision;

typedef struct {
    kd_register *reg;
    kd_arena *arena; /* lives as long as the run */
    const kd_link_options *options;
    kd_link_report *report;
    int64_t run_id, started_us;

    kd_record_table table;
    kd_clusters clusters;
    uint32_t *starts;  /* of cluster, clusters + 1: where its members begin */
    uint32_t *members; /* records ordered by cluster, then id */
    kd_old_link *old;  /* of record; NULL when no run came before */
    bool is_first;     /* no persons stood before */

    int64_t *person_id; /* of cluster */
    bool *is_new;       /* of cluster: this run made the id */

    uint32_t (*must)[2], (*cannot)[2];
    size_t must_count, cannot_count;
    bool *is_decided;               /* of record: a person put it where it is */
    kd_cluster_decision *decisions; /* by cluster, then age */
    size_t decision_count;

    kd_survivorship *rules;
    kd_str *feeds; /* of source id */
    size_t feed_count;

    kd_area_counts *areas; /* made with the first person that is counted */
    kd_doubts *doubts;     /* what people may look at; made once the clusters stand */
    kd_late *late;         /* what came in while the run was at work */
} kd_link_run;

/** Decisions of people as constraints (before clustering). Arena memory. */
KD_CHECKED kd_status kd_link_read_constraints(kd_link_run *run, kd_error *err);
/** Decided values by cluster (after clustering). */
KD_CHECKED kd_status kd_link_read_decisions(kd_link_run *run, kd_error *err);
/** Decided values of one cluster: pointer and count into run->decisions. */
size_t kd_link_decisions_of(const kd_link_run *run, uint32_t cluster, const kd_cluster_decision **out_first);

/** Give every cluster its person id: the old person with most of its records there, else a new one. */
KD_CHECKED kd_status kd_link_assign_persons(kd_link_run *run, kd_error *err);

/* writing, within the transaction */
KD_CHECKED kd_status kd_link_write_links(kd_link_run *run, kd_error *err);
KD_CHECKED kd_status kd_link_write_persons(kd_link_run *run, kd_error *err);
/** The look-up table of identity, certificate and handbook numbers and phones. */
KD_CHECKED kd_status kd_link_write_identifiers(kd_link_run *run, kd_error *err);
KD_CHECKED kd_status kd_link_write_relations(kd_link_run *run, kd_error *err);
/** Merges, splits and retirements as person_event rows and the state of the persons that ended. */
KD_CHECKED kd_status kd_link_write_ends(kd_link_run *run, kd_error *err);
KD_CHECKED kd_status kd_link_write_tasks(kd_link_run *run, kd_error *err);

/** Count one person as chosen; its records stand in the run. One thread. */
KD_CHECKED kd_status kd_area_count_person(kd_link_run *run, uint32_t cluster, const kd_value_of values[KD_ATTR_COUNT],
                                          kd_error *err);
KD_CHECKED kd_status kd_area_counts_write(kd_link_run *run, kd_error *err);
void kd_area_counts_free(kd_area_counts *counts); /* NULL does nothing */

/** Gather the joins and partings that may be wrong, while the pairs are still there. */
KD_CHECKED kd_status kd_doubts_collect(kd_link_run *run, const kd_pairs *pairs, kd_error *err);
/** The review queue and what the estimates need. */
KD_CHECKED kd_status kd_doubts_write(kd_link_run *run, kd_error *err);
void kd_doubts_free(kd_doubts *doubts); /* NULL does nothing */

/** Declared records are where a person put them (before writing). */
KD_CHECKED kd_status kd_late_mark_declared(kd_link_run *run, kd_error *err);
/** What was declared and withdrawn since the run read; before it writes, within its transaction. */
KD_CHECKED kd_status kd_late_read(kd_link_run *run, kd_error *err);
/** Do it again on what the run wrote. */
KD_CHECKED kd_status kd_late_apply(kd_link_run *run, kd_error *err);
/** Whether the run leaves the row of this person to kd_late_apply. */
bool kd_late_has(const kd_late *late, int64_t person_id);
void kd_late_free(kd_late *late); /* NULL does nothing */

/** Records of a cluster copied out of the table; `records` grows in the buffer. */
const kd_source_record *kd_link_records(const kd_link_run *run, uint32_t cluster, kd_buf *buffer, size_t *out_count);

#endif
