/* What people decided, as constraints on clusters and as values of persons. */
#include "link.h"

#include <stdlib.h>

static kd_status query(kd_link_run *run, const char *sql, kd_rows **out_rows, kd_error *err)
{
    return kd_store_query(kd_register_store(run->reg), err, out_rows, sql, KD_NO_VALUES);
}

static void read_pair(kd_link_run *run, const kd_rows *rows)
{
    uint32_t a = kd_record_table_find(&run->table, kd_rows_int(rows, 1));
    uint32_t b = kd_record_table_find(&run->table, kd_rows_int(rows, 2));
    if (a == UINT32_MAX || b == UINT32_MAX || a == b) return; /* its records are gone: it says nothing any more */
    bool is_same = kd_str_is(kd_rows_text(rows, 0), "same_person");
    uint32_t *pair = is_same ? run->must[run->must_count++] : run->cannot[run->cannot_count++];
    pair[0] = a < b ? a : b;
    pair[1] = a < b ? b : a;
    if (!is_same) return;
    run->is_decided[b] = true;
    if (kd_rows_is_null(rows, 3)) run->is_decided[a] = true; /* of a declaration only the second one is declared */
}

kd_status kd_link_read_constraints(kd_link_run *run, kd_error *err)
{
    int64_t count;
    KD_TRY(kd_store_int(kd_register_store(run->reg), err, &count,
                        "select count(*) from decision where kind in ('same_person', 'different_person') "
                        "and undone_at is null",
                        KD_NO_VALUES));
    run->must = kd_arena_array(run->arena, (size_t)count + 1, sizeof *run->must);
    run->cannot = kd_arena_array(run->arena, (size_t)count + 1, sizeof *run->cannot);
    run->is_decided = calloc((size_t)run->table.count + 1, sizeof *run->is_decided);
    if (!run->must || !run->cannot || !run->is_decided)
        return kd_fail(err, KD_LIMIT, "", "no memory for %lld decisions", (long long)count);
    KD_TRY(kd_late_mark_declared(run, err));
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(query(
        run,
        "select kind, record_a, record_b, batch_id from decision where kind in ('same_person', 'different_person') "
        "and undone_at is null order by id",
        &rows, err));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) read_pair(run, rows);
    kd_rows_close(rows);
    return status;
}

/* By cluster, then age. */
static int by_cluster(const void *a, const void *b)
{
    const kd_cluster_decision *x = a, *y = b;
    if (x->cluster != y->cluster) return x->cluster < y->cluster ? -1 : 1;
    return (x->age > y->age) - (x->age < y->age);
}

kd_status kd_link_read_decisions(kd_link_run *run, kd_error *err)
{
    int64_t count;
    KD_TRY(kd_store_int(kd_register_store(run->reg), err, &count,
                        "select count(*) from decision where kind = 'value' and undone_at is null", KD_NO_VALUES));
    run->decisions = kd_arena_array(run->arena, (size_t)count + 1, sizeof *run->decisions);
    if (!run->decisions) return kd_fail(err, KD_LIMIT, "", "no memory for %lld decisions", (long long)count);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(query(run,
                 "select record_a, attribute, value from decision where kind = 'value' and undone_at is null "
                 "order by decided_at, id",
                 &rows, err));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        uint32_t record = kd_record_table_find(&run->table, kd_rows_int(rows, 0));
        kd_attribute attribute = kd_attribute_read(kd_rows_text(rows, 1));
        if (record == UINT32_MAX || attribute == KD_ATTR_NONE || run->decision_count == (size_t)count) continue;
        kd_str value = kd_arena_str(run->arena, kd_rows_text(rows, 2));
        size_t at = run->decision_count++;
        run->decisions[at] = (kd_cluster_decision){ run->clusters.cluster[record], (uint32_t)at, { attribute, value } };
    }
    kd_rows_close(rows);
    qsort(run->decisions, run->decision_count, sizeof *run->decisions, by_cluster);
    return status;
}

size_t kd_link_decisions_of(const kd_link_run *run, uint32_t cluster, const kd_cluster_decision **out_first)
{
    size_t low = 0, high = run->decision_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->decisions[middle].cluster < cluster) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t count = 0;
    while (low + count < run->decision_count && run->decisions[low + count].cluster == cluster) count++;
    *out_first = run->decisions + low;
    return count;
}
