/* Reading tasks: pages, one, counts, and what the pack says of a kind. */
#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTS_MAX = 4 * KD_CHECKS_MAX, SQL_BYTES = 1400, VALUES_MAX = 12 };

#define TASK_COLUMNS                                                                                           \
    "id, kind, subject, state, severity, person_id, other_id, record_a, record_b, attribute, division, role, " \
    "due_day, pack_version, facts, created_at, resolved_at, resolved_by, answer, note"

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
}

static kd_status read_task(const kd_rows *rows, kd_arena *arena, kd_task *out, kd_error *err)
{
    *out = (kd_task){ .id = kd_rows_int(rows, 0),
                      .severity = (int)kd_rows_int(rows, 4),
                      .person_id = kd_rows_int(rows, 5),
                      .other_id = kd_rows_int(rows, 6),
                      .record_a = kd_rows_int(rows, 7),
                      .record_b = kd_rows_int(rows, 8),
                      .division = kd_rows_int(rows, 10),
                      .due_day = kd_rows_day(rows, 12),
                      .created_at = kd_rows_int(rows, 15),
                      .resolved_at = kd_rows_int(rows, 16) };
    const struct {
        kd_str *text;
        size_t column;
    } texts[] = { { &out->kind, 1 },    { &out->subject, 2 },       { &out->state, 3 },  { &out->attribute, 9 },
                  { &out->role, 11 },   { &out->pack_version, 13 }, { &out->facts, 14 }, { &out->resolved_by, 17 },
                  { &out->answer, 18 }, { &out->note, 19 } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kd_str text = kd_rows_text(rows, texts[i].column);
        if (!text.len) continue;
        *texts[i].text = kd_arena_str(arena, text);
        if (!texts[i].text->ptr) return no_memory(err);
    }
    return KD_OK;
}

/* ---- pages ---- */

/* A statement put together from fixed parts; the values are bound. */
typedef struct {
    char sql[SQL_BYTES];
    size_t len;
    kd_value values[VALUES_MAX];
    size_t count;
} statement;

static void add(statement *s, const char *part)
{
    int wanted = snprintf(s->sql + s->len, sizeof s->sql - s->len, "%s", part);
    if (wanted > 0) s->len += (size_t)wanted;
}

static void add_value(statement *s, const char *part, kd_value value)
{
    char number[16];
    s->values[s->count++] = value;
    snprintf(number, sizeof number, "$%zu", s->count);
    add(s, part);
    add(s, number);
}

int64_t kd_area_last_code(int64_t area)
{
    static const struct {
        kd_division_level level;
        int64_t step;
    } steps[] = { { KD_LEVEL_PROVINCE, INT64_C(10000000000) },
                  { KD_LEVEL_PREFECTURE, 100000000 },
                  { KD_LEVEL_COUNTY, 1000000 },
                  { KD_LEVEL_TOWNSHIP, 1000 } };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (area % steps[i].step == 0) return area + steps[i].step - 1;
    return area;
}

/* "due.severity.id" of the last task of a page. */
static kd_status add_cursor(statement *s, kd_str cursor, kd_error *err)
{
    kd_str rest = cursor, part;
    int64_t numbers[3];
    for (size_t i = 0; i < 3; i++)
        if (!kd_str_next(&rest, '.', &part) || !kd_str_int(part, &numbers[i]))
            return kd_fail(err, KD_INVALID, "cursor", "this is no cursor that a list gave");
    if (numbers[0] < INT32_MIN || numbers[0] > INT32_MAX || numbers[1] < 0 || numbers[1] > 9)
        return kd_fail(err, KD_INVALID, "cursor", "this is no cursor that a list gave");
    add_value(s, " and (due_day > ", kd_int(numbers[0]));
    add_value(s, " or (due_day = ", kd_int(numbers[0]));
    add_value(s, " and (severity < ", kd_int(numbers[1]));
    add_value(s, " or (severity = ", kd_int(numbers[1]));
    add_value(s, " and id > ", kd_int(numbers[2]));
    add(s, "))))");
    return KD_OK;
}

static kd_status compose(statement *s, const kd_task_filter *f, kd_error *err)
{
    s->len = s->count = 0;
    add(s, "select " TASK_COLUMNS " from task where 1 = 1");
    if (f->division) {
        add_value(s, " and division >= ", kd_int(f->division));
        add_value(s, " and division <= ", kd_int(kd_area_last_code(f->division)));
    }
    if (f->kind.len) add_value(s, " and kind = ", kd_text_value(f->kind));
    if (f->state.len) add_value(s, " and state = ", kd_text_value(f->state));
    if (f->overdue_on != KD_DAY_NONE) add_value(s, " and due_day < ", kd_int(f->overdue_on));
    if (f->cursor.len) KD_TRY(add_cursor(s, f->cursor, err));
    add_value(s, " order by due_day, severity desc, id limit ", kd_int((int64_t)f->limit + 1));
    return KD_OK;
}

static kd_status read_page(kd_rows *rows, size_t limit, kd_arena *arena, kd_task_page *page, kd_error *err)
{
    bool has_row = false;
    for (;;) {
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (page->count < limit) {
            KD_TRY(read_task(rows, arena, &page->tasks[page->count], err));
            page->count++;
            continue;
        }
        const kd_task *last = &page->tasks[limit - 1];
        page->next = kd_arena_fmt(arena, "%d.%d.%lld", (int)last->due_day, last->severity, (long long)last->id);
        return page->next.ptr ? KD_OK : no_memory(err);
    }
}

static kd_status run_page(kd_register *reg, const char *sql, const kd_value *values, size_t value_count, size_t limit,
                          kd_arena *arena, kd_task_page *out_page, kd_error *err)
{
    kd_rows *rows;
    kd_task_page page = { .tasks = kd_arena_array(arena, limit, sizeof *page.tasks) };
    if (!page.tasks) return no_memory(err);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, sql, values, value_count));
    kd_status status = read_page(rows, limit, arena, &page, err);
    kd_rows_close(rows);
    if (status == KD_OK) *out_page = page;
    return status;
}

kd_status kd_task_list(kd_register *reg, const kd_task_filter *filter, kd_arena *arena, kd_task_page *out_page,
                       kd_error *err)
{
    statement s;
    if (filter->limit < 1 || filter->limit > KD_PAGE_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page holds 1 to %d tasks", KD_PAGE_MAX);
    KD_TRY(compose(&s, filter, err));
    return run_page(reg, s.sql, s.values, s.count, filter->limit, arena, out_page, err);
}

kd_status kd_task_of_person(kd_register *reg, int64_t person_id, kd_arena *arena, kd_task_page *out_page, kd_error *err)
{
    return run_page(reg,
                    "select " TASK_COLUMNS " from task where id in (select id from task where person_id = $1 union "
                    "select id from task where other_id = $2) and state = 'open' "
                    "order by due_day, severity desc, id",
                    KD_VALUES(kd_int(person_id), kd_int(person_id)), KD_CHECKS_MAX, arena, out_page, err);
}

kd_status kd_task_get(kd_register *reg, int64_t id, kd_arena *arena, kd_task *out_task, kd_error *err)
{
    kd_task_page page;
    KD_TRY(
        run_page(reg, "select " TASK_COLUMNS " from task where id = $1", KD_VALUES(kd_int(id)), 1, arena, &page, err));
    if (page.count == 0) {
        kd_fail(err, KD_NOT_FOUND, "", "there is no task with this id");
        kd_hint(err, "`kindred tasks list` shows them");
        return KD_NOT_FOUND;
    }
    *out_task = page.tasks[0];
    return KD_OK;
}

kd_status kd_task_counts(kd_register *reg, kd_arena *arena, kd_task_count **out_counts, size_t *out_count,
                         kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    kd_task_count *counts = kd_arena_array(arena, COUNTS_MAX, sizeof *counts);
    if (!counts) return no_memory(err);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select kind, state, count(*) from task group by kind, state order by kind, state",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < COUNTS_MAX)
        counts[count++] = (kd_task_count){ kd_arena_str(arena, kd_rows_text(rows, 0)),
                                           kd_arena_str(arena, kd_rows_text(rows, 1)), kd_rows_int(rows, 2) };
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_counts = counts;
    *out_count = count;
    return KD_OK;
}

/* ---- words ---- */

static kd_answer_form form_of(const kd_check *check, const kd_task *task)
{
    if (!check) return task->attribute.len ? KD_ANSWER_VALUE : task->other_id ? KD_ANSWER_SAME : KD_ANSWER_CONFIRMED;
    switch (check->find) {
    case KD_FIND_DIFFERING: return KD_ANSWER_VALUE;
    case KD_FIND_DOUBTFUL_PAIR:
    case KD_FIND_SHARED_VALUE: return KD_ANSWER_SAME;
    case KD_FIND_MISSING:
    case KD_FIND_CONTRADICTION:
    case KD_FIND_PARTNER_UNKNOWN: break;
    }
    return KD_ANSWER_CONFIRMED;
}

kd_status kd_task_describe(kd_register *reg, const kd_task *task, kd_arena *arena, kd_task_words *out_words,
                           kd_error *err)
{
    kd_packs packs;
    KD_TRY(kd_packs_load(reg, &packs, err));
    const kd_check *check = kd_checks_find(packs.checks, task->kind);
    const kd_check_role *role = kd_checks_role(packs.checks, task->role);
    kd_task_words words = { .form = form_of(check, task) };
    if (check) {
        words.title_zh = kd_arena_str(arena, check->title_zh);
        words.title_en = kd_arena_str(arena, check->title_en);
        words.ask_zh = kd_arena_str(arena, check->ask_zh);
        words.ask_en = kd_arena_str(arena, check->ask_en);
        words.offer_zh = kd_arena_str(arena, check->offer_zh);
        words.offer_en = kd_arena_str(arena, check->offer_en);
    }
    if (role) {
        words.role_zh = kd_arena_str(arena, role->title_zh);
        words.role_en = kd_arena_str(arena, role->title_en);
    }
    kd_packs_done(&packs);
    *out_words = words;
    return KD_OK;
}
