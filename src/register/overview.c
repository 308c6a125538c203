/* An area at a glance: the counts of the last link run, open tasks as they stand, and what was registered since. */
#include "overview.h"
#include "task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIGURES_MAX = 512, PARTS_MAX = 1024, YEAR_MONTHS = 12 };

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    kd_overview_pack pack;
    const kd_divisions *divisions;
    int64_t division, last; /* codes of the area */
    int64_t run_id;
    int32_t today;
    char since[16];      /* first month of the births of a year */
    char shown_from[16]; /* first month that is shown */
    kd_area_overview out;
} loading;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the overview");
}

static void month_text(int32_t month, char out[16])
{
    snprintf(out, 16, "%04d-%02d", month / 12, month % 12 + 1);
}

/* ---- what the run counted ---- */

static void add_year(loading *l, int sex, kd_str key, int64_t count)
{
    int64_t year;
    if (!kd_str_int(key, &year)) return;
    int64_t age = kd_day_to_ymd(l->today).year - year;
    if (age < 0) return;
    l->out.pyramid[sex][age < KD_AGES ? age : KD_AGES - 1] += count;
}

static kd_status add_figure(loading *l, kd_area_figure *figures, size_t *count, kd_str key, int64_t value, int64_t of,
                            kd_error *err)
{
    if (*count == FIGURES_MAX) return kd_fail(err, KD_LIMIT, "", "more than %d figures of one kind", FIGURES_MAX);
    figures[*count] = (kd_area_figure){ kd_arena_str(l->arena, key), value, of };
    return figures[(*count)++].key.ptr ? KD_OK : no_memory(err);
}

/* Key of the area's counts is (division, kind, key): kinds come in the order of their names, known before should. */
static kd_status read_count(loading *l, const kd_rows *rows, kd_error *err)
{
    kd_str kind = kd_rows_text(rows, 0), key = kd_rows_text(rows, 1);
    int64_t count = kd_rows_int(rows, 2);
    kd_area_overview *out = &l->out;
    if (kd_str_is(kind, KD_COUNT_PERSONS)) out->persons = count;
    if (kd_str_is(kind, KD_COUNT_HOUSEHOLDS)) out->households = count;
    if (kd_str_is(kind, KD_COUNT_MALE)) add_year(l, 0, key, count);
    if (kd_str_is(kind, KD_COUNT_FEMALE)) add_year(l, 1, key, count);
    if (kd_str_is(kind, KD_COUNT_KNOWN)) return add_figure(l, out->sources, &out->source_count, key, count, 0, err);
    if (kd_str_is(kind, KD_COUNT_SHOULD)) {
        for (size_t i = 0; i < out->source_count; i++) {
            if (!kd_str_eq(out->sources[i].key, key)) continue;
            out->sources[i].of = count;
            return KD_OK;
        }
        return add_figure(l, out->sources, &out->source_count, key, 0, count, err);
    }
    if (!kd_str_is(kind, KD_COUNT_BIRTHS)) return KD_OK;
    for (size_t i = 0; i < out->birth_count; i++)
        if (kd_str_eq(out->births[i].key, key)) out->births[i].count += count;
    return KD_OK;
}

static kd_status read_counts(loading *l, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(l->reg), err, &rows,
                          "select kind, key, count from area_count where division = $1 order by kind, key",
                          KD_VALUES(kd_int(l->division))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = read_count(l, rows, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

/* Every month that is shown, so that one without births is there too. */
static kd_status make_months(loading *l, kd_error *err)
{
    kd_ymd today = kd_day_to_ymd(l->today);
    int32_t now = today.year * 12 + today.month - 1;
    month_text(now - YEAR_MONTHS + 1, l->since);
    month_text(now - KD_BIRTH_MONTHS_SHOWN + 1, l->shown_from);
    for (int32_t m = now - KD_BIRTH_MONTHS_SHOWN + 1; m <= now; m++) {
        char month[16];
        month_text(m, month);
        KD_TRY(add_figure(l, l->out.births, &l->out.birth_count, kd_str_of(month), 0, 0, err));
    }
    return KD_OK;
}

/* ---- the areas within ---- */

/* Codes of the areas within differ from one another in steps of this; 0: there are none. */
static int64_t step_within(int64_t division)
{
    static const int64_t steps[] = { INT64_C(10000000000), 100000000, 1000000, 1000, 1 };
    if (division == 0) return steps[0];
    for (size_t i = 0; i + 1 < sizeof steps / sizeof steps[0]; i++)
        if (division % steps[i] == 0) return steps[i + 1];
    return 0;
}

static kd_area_part *part_of(const loading *l, int64_t code)
{
    size_t low = 0, high = l->out.part_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->out.parts[middle].division < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < l->out.part_count && l->out.parts[low].division == code ? &l->out.parts[low] : NULL;
}

static kd_status make_parts(loading *l, kd_error *err)
{
    for (size_t i = 0; i < kd_divisions_count(l->divisions); i++) {
        const kd_division *d = kd_divisions_at(l->divisions, i);
        if (d->parent != l->division) continue;
        if (l->out.part_count == PARTS_MAX) return kd_fail(err, KD_LIMIT, "", "more than %d areas within", PARTS_MAX);
        l->out.parts[l->out.part_count++] = (kd_area_part){ .division = d->code, .completeness = NAN };
    }
    return KD_OK;
}

static kd_status read_part(loading *l, kd_area_part *part, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t known = 0, should = 0;
    KD_TRY(kd_store_query(kd_register_store(l->reg), err, &rows,
                          "select kind, cast(sum(count) as bigint) from area_count where division = $1 and "
                          "((kind = 'births' and key >= $2) or (kind = 'persons' and key = '') or "
                          "(kind = 'known' and key = $3) or (kind = 'should' and key = $4)) group by kind",
                          KD_VALUES(kd_int(part->division), kd_text_value(kd_str_of(l->since)),
                                    kd_text_value(l->pack.completeness), kd_text_value(l->pack.completeness))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_str kind = kd_rows_text(rows, 0);
        int64_t count = kd_rows_int(rows, 1);
        if (kd_str_is(kind, KD_COUNT_PERSONS)) part->persons = count;
        if (kd_str_is(kind, KD_COUNT_BIRTHS)) part->births = count;
        if (kd_str_is(kind, KD_COUNT_KNOWN)) known = count;
        if (kd_str_is(kind, KD_COUNT_SHOULD)) should = count;
    }
    kd_rows_close(rows);
    if (should) part->completeness = (double)known / (double)should;
    return status;
}

/* ---- as it stands now ---- */

static kd_status add_tasks(loading *l, int64_t part_code, kd_str kind, int64_t open, int64_t overdue, kd_error *err)
{
    kd_area_overview *out = &l->out;
    kd_area_part *part = part_of(l, part_code);
    if (part) {
        part->tasks_open += open;
        part->tasks_overdue += overdue;
    }
    for (size_t i = 0; i < out->task_count; i++) {
        if (!kd_str_eq(out->tasks[i].key, kind)) continue;
        out->tasks[i].count += open;
        out->tasks[i].of += overdue;
        return KD_OK;
    }
    return add_figure(l, out->tasks, &out->task_count, kind, open, overdue, err);
}

/* From the index task_open alone and in its order, so that nothing is sorted; summed up here. */
static kd_status read_tasks(loading *l, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t step = step_within(l->division), by = step ? step : 1;
    KD_TRY(
        kd_store_query(kd_register_store(l->reg), err, &rows,
                       "select division, kind, count(*), cast(sum(case when due_day < $1 then 1 else 0 end) as bigint) "
                       "from task where state = 'open' and division >= $2 and division <= $3 group by division, kind",
                       KD_VALUES(kd_int(l->today), kd_int(l->division), kd_int(l->last))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = add_tasks(l, kd_rows_int(rows, 0) / by * by, kd_rows_text(rows, 1), kd_rows_int(rows, 2),
                           kd_rows_int(rows, 3), err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

static void add_registered(loading *l, const kd_rows *rows)
{
    int64_t division = kd_rows_int(rows, 0), step = step_within(l->division);
    int32_t day = kd_rows_day(rows, 1);
    char month[16] = "";
    l->out.persons++;
    if (day != KD_DAY_NONE) {
        kd_ymd born = kd_day_to_ymd(day);
        month_text(born.year * 12 + born.month - 1, month);
        for (size_t i = 0; i < l->out.birth_count; i++)
            if (kd_str_is(l->out.births[i].key, month)) l->out.births[i].count++;
    }
    kd_area_part *part = step ? part_of(l, division / step * step) : NULL;
    if (!part) return;
    part->persons++;
    part->births += day != KD_DAY_NONE && strcmp(month, l->since) >= 0;
}

/*
 * Children registered since the run began: ids rise with time, and theirs were made with the registration. The kind is kept from
 * the index that begins with it: there are few new persons, and many old cases of an area.
 */
static kd_status read_registered(loading *l, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(
        kd_register_store(l->reg), err, &rows,
        "select division, event_day from case_file where person_id > $1 and "
        "coalesce(kind, '') = 'birth_registration' and state in ('registered', 'corrected') and division >= $2 and "
        "division <= $3",
        KD_VALUES(kd_int(l->run_id), kd_int(l->division), kd_int(l->last))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) add_registered(l, rows);
    kd_rows_close(rows);
    return status;
}

static kd_status read_run(loading *l, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(l->reg), err, &rows,
                          "select id, started_at from link_run order by id desc limit 1", KD_NO_VALUES));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        l->run_id = kd_rows_int(rows, 0);
        l->out.made_at = kd_rows_int(rows, 1);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status load(loading *l, kd_error *err)
{
    kd_area_overview *out = &l->out;
    KD_TRY(kd_overview_pack_load(NULL, &l->pack, err));
    KD_TRY(kd_register_divisions(l->reg, &l->divisions, err));
    if (l->division && !kd_divisions_find(l->divisions, l->division))
        return kd_fail(err, KD_NOT_FOUND, "division", "there is no such area");
    out->births = kd_arena_array(l->arena, FIGURES_MAX, sizeof *out->births);
    out->sources = kd_arena_array(l->arena, FIGURES_MAX, sizeof *out->sources);
    out->tasks = kd_arena_array(l->arena, FIGURES_MAX, sizeof *out->tasks);
    out->parts = kd_arena_array(l->arena, PARTS_MAX, sizeof *out->parts);
    if (!out->births || !out->sources || !out->tasks || !out->parts) return no_memory(err);
    KD_TRY(make_months(l, err));
    KD_TRY(make_parts(l, err));
    KD_TRY(read_run(l, err));
    KD_TRY(read_counts(l, err));
    for (size_t i = 0; i < out->part_count; i++) KD_TRY(read_part(l, &out->parts[i], err));
    KD_TRY(read_tasks(l, err));
    return read_registered(l, err);
}

kd_status kd_area_overview_load(kd_register *reg, int64_t division, kd_arena *arena, kd_area_overview *out,
                                kd_error *err)
{
    loading l = { .reg = reg, .arena = arena, .division = division, .today = kd_today() };
    l.last = division ? kd_area_last_code(division) : INT64_MAX;
    l.out.division = division;
    kd_status status = load(&l, err);
    kd_overview_pack_done(&l.pack);
    if (status == KD_OK) *out = l.out;
    return status;
}

kd_status kd_last_link_at(kd_register *reg, int64_t *out_at, kd_error *err)
{
    return kd_store_int(kd_register_store(reg), err, out_at, "select coalesce(max(started_at), 0) from link_run",
                        KD_NO_VALUES);
}
