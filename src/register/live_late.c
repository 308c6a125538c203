/*
 * What was declared and withdrawn while a link run was at work. The run reads one moment of the register and writes from it; under
 * its write lock it then does again what came in since, with the same calls as the counter: so it ends as if that had come after it.
 */
#include "live.h"

#include <stdlib.h>

/* A declared record that the run did not read. */
typedef struct {
    kd_source_record record;
    int64_t before, after; /* its person now, and once the run has written */
    int64_t peer;
} late_record;

struct kd_late {
    kd_live live;
    kd_map *left; /* persons whose rows are derived at the end */
    int64_t *batches;
    size_t batch_count;
    late_record *declared; /* by batch, then id */
    size_t declared_count, declared_cap;
    uint32_t *withdrawn; /* of the run's records */
    size_t withdrawn_count;
};

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for what was declared meanwhile");
}

void kd_late_free(kd_late *late)
{
    if (!late) return;
    kd_live_done(&late->live);
    kd_map_free(late->left);
    free(late->batches);
    free(late->declared);
    free(late->withdrawn);
    free(late);
}

bool kd_late_has(const kd_late *late, int64_t person_id)
{
    return late && kd_map_get(late->left, (uint64_t)person_id);
}

/* ---- what the run read itself ---- */

static uint32_t first_from(const kd_record_table *t, int64_t id)
{
    uint32_t low = 0, high = t->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->id[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

kd_status kd_late_mark_declared(kd_link_run *run, kd_error *err)
{
    const kd_record_table *t = &run->table;
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(run->reg), err, &rows,
                          "select id, first_record, last_record from batch where declared_by is not null",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t batch = kd_rows_int(rows, 0), last = kd_rows_int(rows, 2);
        for (uint32_t i = first_from(t, kd_rows_int(rows, 1)); i < t->count && t->id[i] <= last; i++)
            if (t->batch_id[i] == batch) run->is_decided[i] = true;
    }
    kd_rows_close(rows);
    return status;
}

/* ---- what came in ---- */

/* A batch is read whole or not at all: the run knows one of its records, or none. */
static bool is_known(const kd_record_table *t, int64_t batch, int64_t first, int64_t last)
{
    for (uint32_t i = first_from(t, first); i < t->count && t->id[i] <= last; i++)
        if (t->batch_id[i] == batch) return true;
    return false;
}

static kd_status list_batches(kd_link_run *run, kd_late *late, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    int64_t total;
    KD_TRY(kd_store_int(store, err, &total, "select count(*) from batch where declared_by is not null", KD_NO_VALUES));
    late->batches = calloc((size_t)total + 1, sizeof *late->batches);
    if (!late->batches) return no_memory(err);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select id, first_record, last_record from batch where declared_by is not null order by id",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && late->batch_count < (size_t)total) {
        int64_t batch = kd_rows_int(rows, 0);
        if (!is_known(&run->table, batch, kd_rows_int(rows, 1), kd_rows_int(rows, 2)))
            late->batches[late->batch_count++] = batch;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status leave(kd_late *late, int64_t person_id, kd_error *err)
{
    return kd_map_put(late->left, (uint64_t)person_id, NULL) ? KD_OK : no_memory(err);
}

static const late_record *find_late(const kd_late *late, int64_t record_id)
{
    for (size_t i = 0; i < late->declared_count; i++)
        if (late->declared[i].record.id == record_id) return &late->declared[i];
    return NULL;
}

/* Where a record goes: where the run put the record that it was declared beside, else where it is. */
static kd_status follow(kd_link_run *run, kd_late *late, late_record *l, kd_error *err)
{
    int64_t anchor = 0;
    kd_status status = kd_store_int(kd_register_store(run->reg), err, &anchor,
                                    "select record_a from decision where record_b = $1 and batch_id = $2 "
                                    "and kind = 'same_person' and undone_at is null order by id limit 1",
                                    KD_VALUES(kd_int(l->record.id), kd_int(l->record.batch_id)));
    if (status != KD_OK && status != KD_NOT_FOUND) return status;
    uint32_t known = anchor ? kd_record_table_find(&run->table, anchor) : UINT32_MAX;
    const late_record *other = anchor ? find_late(late, anchor) : NULL;
    l->peer = anchor ? anchor : l->record.id;
    l->after = known != UINT32_MAX ? run->person_id[run->clusters.cluster[known]] : other ? other->after : l->before;
    KD_TRY(leave(late, l->before, err));
    return leave(late, l->after, err);
}

static kd_status keep(kd_late *late, const late_record *l, kd_error *err)
{
    if (late->declared_count == late->declared_cap) {
        size_t cap = late->declared_cap ? late->declared_cap * 2 : 64;
        late_record *grown = realloc(late->declared, cap * sizeof *grown);
        if (!grown) return no_memory(err);
        late->declared = grown;
        late->declared_cap = cap;
    }
    late->declared[late->declared_count++] = *l;
    return KD_OK;
}

static kd_status read_declared(kd_link_run *run, kd_late *late, kd_error *err)
{
    KD_TRY(list_batches(run, late, err));
    for (size_t b = 0; b < late->batch_count; b++) {
        kd_source_record *records;
        size_t count;
        KD_TRY(kd_live_batch_records(&late->live, late->batches[b], &records, &count, err));
        for (size_t i = 0; i < count; i++) {
            late_record l = { .record = records[i] };
            KD_TRY(kd_live_person_of(run->reg, records[i].id, &l.before, err));
            if (!l.before) continue; /* withdrawn again */
            KD_TRY(follow(run, late, &l, err));
            KD_TRY(keep(late, &l, err));
        }
    }
    return KD_OK;
}

static kd_status read_withdrawn(kd_link_run *run, kd_late *late, kd_error *err)
{
    static const char FROM[] = "select record_a from decision where kind = 'withdrawn' and undone_at is null";
    kd_rows *rows;
    bool has_row = false;
    size_t cap = 0;
    KD_TRY(kd_store_query(kd_register_store(run->reg), err, &rows, FROM, KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        uint32_t known = kd_record_table_find(&run->table, kd_rows_int(rows, 0));
        if (known == UINT32_MAX) continue;
        if (late->withdrawn_count == cap) {
            cap = cap ? cap * 2 : 64;
            uint32_t *grown = realloc(late->withdrawn, cap * sizeof *grown);
            if (grown) late->withdrawn = grown;
            if (!grown) status = no_memory(err);
        }
        if (status != KD_OK) break;
        late->withdrawn[late->withdrawn_count++] = known;
        status = leave(late, run->person_id[run->clusters.cluster[known]], err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

kd_status kd_late_read(kd_link_run *run, kd_error *err)
{
    kd_late *late = calloc(1, sizeof *late);
    if (!late) return no_memory(err);
    kd_status status = kd_live_begin(run->reg, (kd_str){ NULL, 0 }, &late->live, err);
    if (status != KD_OK) {
        free(late);
        return status;
    }
    run->late = late;
    late->left = kd_map_new(64);
    if (!late->left) return no_memory(err);
    KD_TRY(read_declared(run, late, err));
    return read_withdrawn(run, late, err);
}

/* ---- doing it again ---- */

static kd_status move_link(kd_late *late, const late_record *l, kd_error *err)
{
    if (l->before != l->after) {
        KD_TRY(kd_store_exec(kd_register_store(late->live.reg), err, NULL,
                             "delete from link where person_id = $1 and source_record_id = $2",
                             KD_VALUES(kd_int(l->before), kd_int(l->record.id))));
        KD_TRY(kd_live_touch(&late->live, l->before, err));
    }
    return kd_live_link(&late->live, &l->record, l->after, l->peer, err);
}

static kd_status declare_again(kd_late *late, kd_error *err)
{
    for (size_t from = 0, to; from < late->declared_count; from = to) {
        kd_source_record records[KD_DECLARED_MAX];
        int64_t persons[KD_DECLARED_MAX];
        size_t count = 0;
        for (to = from; to < late->declared_count && count < KD_DECLARED_MAX &&
                        late->declared[to].record.batch_id == late->declared[from].record.batch_id;
             to++) {
            KD_TRY(move_link(late, &late->declared[to], err));
            records[count] = late->declared[to].record;
            persons[count++] = late->declared[to].after;
        }
        KD_TRY(kd_live_relate(&late->live, records, persons, count, err));
    }
    return KD_OK;
}

/* All links are there before the first goes: a row is taken back from both its ends. */
static kd_status withdraw_again(kd_link_run *run, kd_late *late, kd_error *err)
{
    kd_source_record record;
    for (size_t i = 0; i < late->withdrawn_count; i++) {
        uint32_t at = late->withdrawn[i];
        kd_record_table_get(&run->table, at, &record);
        KD_TRY(kd_live_link(&late->live, &record, run->person_id[run->clusters.cluster[at]], record.id, err));
    }
    for (size_t i = 0; i < late->withdrawn_count; i++) {
        kd_record_table_get(&run->table, late->withdrawn[i], &record);
        KD_TRY(kd_live_unlink(&late->live, &record, err));
    }
    return KD_OK;
}

kd_status kd_late_apply(kd_link_run *run, kd_error *err)
{
    KD_TRY(withdraw_again(run, run->late, err));
    KD_TRY(declare_again(run->late, err));
    return kd_live_derive(&run->late->live, err);
}
