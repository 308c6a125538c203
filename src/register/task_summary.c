/* Open tasks of areas counted by kind and role, for what is to be done today. */
#include "register.h"

enum { SUMS_MAX = 1024 };

static kd_status add(const kd_rows *rows, kd_arena *arena, kd_task_sum *sums, size_t *count, kd_error *err)
{
    kd_str kind = kd_rows_text(rows, 0), role = kd_rows_text(rows, 1);
    size_t at = 0;
    while (at < *count && !(kd_str_eq(sums[at].kind, kind) && kd_str_eq(sums[at].role, role))) at++;
    if (at == SUMS_MAX) return kd_fail(err, KD_LIMIT, "", "more than %d kinds of task", SUMS_MAX);
    kd_task_sum *sum = &sums[at];
    if (at == *count) {
        *sum = (kd_task_sum){ kd_arena_str(arena, kind), kd_arena_str(arena, role), 0, 0, KD_DAY_NONE };
        if (!sum->kind.ptr || !sum->role.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
        ++*count;
    }
    int32_t oldest = kd_rows_day(rows, 4);
    sum->open += kd_rows_int(rows, 2);
    sum->overdue += kd_rows_int(rows, 3);
    if (sum->oldest_due == KD_DAY_NONE || oldest < sum->oldest_due) sum->oldest_due = oldest;
    return KD_OK;
}

static kd_status read_area(kd_register *reg, int64_t area, int32_t today, kd_arena *arena, kd_task_sum *sums,
                           size_t *count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t last = area ? kd_area_last_code(area) : INT64_MAX;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select kind, role, count(*), cast(sum(case when due_day < $1 then 1 else 0 end) as bigint), "
                          "min(due_day) from task where state = 'open' and division >= $2 and division <= $3 "
                          "group by division, kind, role", /* the order of the index task_open: nothing is sorted */
                          KD_VALUES(kd_int(today), kd_int(area), kd_int(last))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = add(rows, arena, sums, count, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

/* Whether another of the areas, an earlier one when they are equal, holds it: nothing is counted twice. */
static bool is_held(const int64_t *areas, size_t area_count, size_t index)
{
    for (size_t i = 0; i < area_count; i++) {
        if (i == index || (i > index && areas[i] == areas[index])) continue;
        if (kd_division_within(areas[index], areas[i])) return true;
    }
    return false;
}

kd_status kd_task_summary(kd_register *reg, const int64_t *areas, size_t area_count, int32_t today, kd_arena *arena,
                          kd_task_sum **out_sums, size_t *out_count, kd_error *err)
{
    size_t count = 0;
    kd_task_sum *sums = kd_arena_array(arena, SUMS_MAX, sizeof *sums);
    if (!sums) return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
    for (size_t i = 0; i < area_count; i++)
        if (!is_held(areas, area_count, i)) KD_TRY(read_area(reg, areas[i], today, arena, sums, &count, err));
    *out_sums = sums;
    *out_count = count;
    return KD_OK;
}
