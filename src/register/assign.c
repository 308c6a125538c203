/* Which person each cluster is: ids are permanent, so a person goes where most of its records went. */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>

/* How many records of an old person a cluster holds. */
typedef struct {
    int64_t person_id;
    uint32_t cluster, records;
    uint32_t first; /* record */
} overlap;

static int by_person_then_cluster(const void *a, const void *b)
{
    const overlap *x = a, *y = b;
    if (x->person_id != y->person_id) return x->person_id < y->person_id ? -1 : 1;
    return (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

/* Largest first; equal ones in an order that does not depend on chance. */
static int by_records(const void *a, const void *b)
{
    const overlap *x = a, *y = b;
    if (x->records != y->records) return x->records > y->records ? -1 : 1;
    return by_person_then_cluster(a, b);
}

static size_t count_overlaps(const kd_link_run *run, overlap *overlaps)
{
    size_t n = 0;
    for (uint32_t i = 0; i < run->table.count; i++)
        if (run->old[i].person_id) overlaps[n++] = (overlap){ run->old[i].person_id, run->clusters.cluster[i], 1, i };
    qsort(overlaps, n, sizeof *overlaps, by_person_then_cluster);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && overlaps[kept - 1].person_id == overlaps[i].person_id &&
            overlaps[kept - 1].cluster == overlaps[i].cluster) {
            overlaps[kept - 1].records++;
            if (overlaps[i].first < overlaps[kept - 1].first) overlaps[kept - 1].first = overlaps[i].first;
        } else {
            overlaps[kept++] = overlaps[i];
        }
    }
    return kept;
}

static kd_status keep_old_ids(kd_link_run *run, kd_error *err)
{
    size_t linked = 0;
    for (uint32_t i = 0; i < run->table.count; i++) linked += run->old[i].person_id != 0;
    overlap *overlaps = malloc((linked + 1) * sizeof *overlaps);
    kd_map *taken = kd_map_new(run->clusters.clusters);
    kd_status status = overlaps && taken ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to keep the persons' ids");
    if (status == KD_OK) {
        size_t n = count_overlaps(run, overlaps);
        qsort(overlaps, n, sizeof *overlaps, by_records);
        for (size_t i = 0; i < n && status == KD_OK; i++) {
            bool is_new;
            if (run->person_id[overlaps[i].cluster] || kd_map_get(taken, (uint64_t)overlaps[i].person_id)) continue;
            run->person_id[overlaps[i].cluster] = overlaps[i].person_id;
            if (!kd_map_put(taken, (uint64_t)overlaps[i].person_id, &is_new))
                status = kd_fail(err, KD_LIMIT, "", "no memory to keep the persons' ids");
        }
    }
    free(overlaps);
    kd_map_free(taken);
    return status;
}

/* A merge taken back: the cluster that holds the first record of a person merged earlier is that person again. */
static kd_status restore_merged(kd_link_run *run, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(run->reg), err, &rows,
                          "select e.person_id, e.old_value from person_event e join person p on p.id = e.person_id "
                          "where p.state = 'merged' and e.kind = 'merged_into' and e.attribute = 'first_record' "
                          "order by e.id desc",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t anchor;
        if (!kd_str_int(kd_rows_text(rows, 1), &anchor)) continue;
        uint32_t record = kd_record_table_find(&run->table, anchor);
        if (record == UINT32_MAX || run->person_id[run->clusters.cluster[record]]) continue;
        run->person_id[run->clusters.cluster[record]] = kd_rows_int(rows, 0);
    }
    kd_rows_close(rows);
    return status;
}

kd_status kd_link_assign_persons(kd_link_run *run, kd_error *err)
{
    uint32_t clusters = run->clusters.clusters;
    run->person_id = calloc((size_t)clusters + 1, sizeof *run->person_id);
    run->is_new = calloc((size_t)clusters + 1, sizeof *run->is_new);
    if (!run->person_id || !run->is_new) return kd_fail(err, KD_LIMIT, "", "no memory for %u persons", clusters);
    if (!run->is_first) KD_TRY(keep_old_ids(run, err));
    if (!run->is_first) KD_TRY(restore_merged(run, err));
    for (uint32_t c = 0; c < clusters; c++) {
        if (run->person_id[c]) continue;
        run->person_id[c] = kd_register_next_id(run->reg);
        run->is_new[c] = true;
        run->report->created++;
    }
    return KD_OK;
}

/* ---- what became of persons that lost their records, and of records that left their person ---- */

typedef struct {
    kd_link_run *run;
    kd_map *cluster_of; /* living person id to cluster */
    int64_t at;
    int64_t first_record; /* of the old person being followed */
} ending;

static kd_status write_event(ending *e, int64_t person, const char *kind, int64_t other, int64_t first_record,
                             kd_error *err)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)first_record);
    return kd_store_exec(kd_register_store(e->run->reg), err, NULL,
                         "insert into person_event (person_id, id, kind, at, run_id, other_id, attribute, old_value) "
                         "values ($1, $2, $3, $4, $5, $6, 'first_record', $7)",
                         KD_VALUES(kd_int(person), kd_int(kd_register_next_id(e->run->reg)),
                                   kd_text_value(kd_str_of(kind)), kd_int(e->at), kd_int(e->run->run_id), kd_int(other),
                                   kd_text_value(kd_str_of(text))));
}

/* Records of one old person in one cluster that is not that person's any more. */
static kd_status write_departure(ending *e, const overlap *o, bool still_lives, kd_error *err)
{
    int64_t to = e->run->person_id[o->cluster], first = e->run->table.id[o->first];
    if (still_lives) {
        e->run->report->split++;
        KD_TRY(write_event(e, o->person_id, "split_to", to, first, err));
        return write_event(e, to, "split_from", o->person_id, first, err);
    }
    e->run->report->merged++;
    KD_TRY(write_event(e, o->person_id, "merged_into", to, e->first_record, err));
    return write_event(e, to, "merged_from", o->person_id, first, err);
}

static kd_status end_person(ending *e, const overlap *largest, kd_error *err)
{
    return kd_store_exec(
        kd_register_store(e->run->reg), err, NULL,
        "update person set state = 'merged', merged_into = $1, version = version + 1, changed_at = $2 "
        "where id = $3",
        KD_VALUES(kd_int(e->run->person_id[largest->cluster]), kd_int(e->at), kd_int(largest->person_id)));
}

/* Overlaps of one old person, from..to. */
static kd_status follow_person(ending *e, const overlap *overlaps, size_t from, size_t to, kd_error *err)
{
    bool still_lives = kd_map_get(e->cluster_of, (uint64_t)overlaps[from].person_id) != NULL;
    size_t largest = from;
    uint32_t first = overlaps[from].first;
    for (size_t i = from; i < to; i++) first = overlaps[i].first < first ? overlaps[i].first : first;
    e->first_record = e->run->table.id[first];
    for (size_t i = from; i < to; i++) {
        if (overlaps[i].records > overlaps[largest].records) largest = i;
        if (e->run->person_id[overlaps[i].cluster] == overlaps[i].person_id) continue;
        KD_TRY(write_departure(e, &overlaps[i], still_lives, err));
    }
    return still_lives ? KD_OK : end_person(e, &overlaps[largest], err);
}

static kd_status follow_all(ending *e, kd_error *err)
{
    const kd_link_run *run = e->run;
    overlap *overlaps = malloc(((size_t)run->table.count + 1) * sizeof *overlaps);
    if (!overlaps) return kd_fail(err, KD_LIMIT, "", "no memory to follow the persons");
    size_t n = count_overlaps(run, overlaps);
    kd_status status = KD_OK;
    for (size_t from = 0, to; from < n && status == KD_OK; from = to) {
        for (to = from + 1; to < n && overlaps[to].person_id == overlaps[from].person_id;) to++;
        status = follow_person(e, overlaps, from, to, err);
    }
    free(overlaps);
    return status;
}

kd_status kd_link_write_ends(kd_link_run *run, kd_error *err)
{
    if (run->is_first) return KD_OK;
    ending e = { run, kd_map_new(run->clusters.clusters), run->started_us, 0 };
    kd_status status = e.cluster_of ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to follow the persons");
    for (uint32_t c = 0; status == KD_OK && c < run->clusters.clusters; c++) {
        uint64_t *slot = kd_map_put(e.cluster_of, (uint64_t)run->person_id[c], NULL);
        if (!slot) status = kd_fail(err, KD_LIMIT, "", "no memory to follow the persons");
        if (slot) *slot = c;
    }
    if (status == KD_OK) status = follow_all(&e, err);
    kd_map_free(e.cluster_of);
    return status;
}
