/* Tasks brought up to date by a link run: new ones loaded in bulk, the others updated only where something changed. */
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum { WRITER_BYTES_MAX = 1 << 30 };

typedef enum { STATE_OPEN, STATE_RESOLVED, STATE_CLOSED } task_state;

typedef struct {
    int64_t id;
    uint64_t hash;
    kd_str facts; /* of resolved ones only: their marks decide whether the answer still stands */
    task_state state;
    bool is_seen;
} standing;

/* What is written of a finding, kept until the table was read and the bulk load is over. */
typedef struct {
    kd_task_found found; /* texts in the arena */
    uint64_t hash;
    size_t standing; /* index, or SIZE_MAX for a new one */
} pending;

struct kd_task_writer {
    kd_register *reg;
    const kd_checks *checks;
    kd_arena *arena;
    kd_map *by_subject; /* hash of kind and subject to index of `tasks` */
    standing *tasks;
    size_t task_count, task_room;
    pending *list;
    size_t count, room;
    int32_t today;
    int64_t now_us;
};

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
}

static uint64_t subject_key(kd_str kind, kd_str subject)
{
    uint64_t key = kd_hash(subject.ptr, subject.len, kd_hash(kind.ptr, kind.len, 1));
    return key == UINT64_MAX ? 0 : key;
}

/* Everything of a task that a run may change, but for its state. */
static uint64_t hash_found(const kd_task_found *f, kd_str role, kd_str version, int severity)
{
    int64_t numbers[] = { f->person_id, f->other_id, f->record_a, f->record_b, f->residence, severity };
    uint64_t hash = kd_hash(numbers, sizeof numbers, 1);
    hash = kd_hash(role.ptr, role.len, hash);
    hash = kd_hash(version.ptr, version.len, hash);
    return kd_hash(f->facts.ptr, f->facts.len, hash);
}

static bool grow(void **array, size_t *room, size_t each)
{
    size_t wanted = *room ? *room * 2 : 1024;
    void *grown = reallocarray(*array, wanted, each);
    if (!grown) return false;
    *array = grown;
    *room = wanted;
    return true;
}

static kd_status add_standing(kd_task_writer *w, const kd_rows *rows, kd_error *err)
{
    if (w->task_count == w->task_room && !grow((void **)&w->tasks, &w->task_room, sizeof *w->tasks))
        return no_memory(err);
    kd_str state = kd_rows_text(rows, 3), facts = kd_rows_text(rows, 12);
    kd_task_found found = { .facts = facts,
                            .person_id = kd_rows_int(rows, 5),
                            .other_id = kd_rows_int(rows, 6),
                            .record_a = kd_rows_int(rows, 7),
                            .record_b = kd_rows_int(rows, 8),
                            .residence = kd_rows_int(rows, 9) };
    standing *task = &w->tasks[w->task_count];
    *task = (standing){ .id = kd_rows_int(rows, 0),
                        .state = kd_str_is(state, "open")       ? STATE_OPEN
                                 : kd_str_is(state, "resolved") ? STATE_RESOLVED
                                                                : STATE_CLOSED };
    task->hash = hash_found(&found, kd_rows_text(rows, 10), kd_rows_text(rows, 11), (int)kd_rows_int(rows, 4));
    if (task->state == STATE_RESOLVED) {
        task->facts = kd_arena_str(w->arena, facts);
        if (!task->facts.ptr) return no_memory(err);
    }
    uint64_t *slot = kd_map_put(w->by_subject, subject_key(kd_rows_text(rows, 1), kd_rows_text(rows, 2)), NULL);
    if (!slot) return no_memory(err);
    *slot = w->task_count++;
    return KD_OK;
}

static kd_status read_standing(kd_task_writer *w, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(
        kd_store_query(kd_register_store(w->reg), err, &rows,
                       "select id, kind, subject, state, severity, person_id, other_id, record_a, record_b, division, "
                       "role, pack_version, facts from task order by id",
                       KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = add_standing(w, rows, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

kd_status kd_task_writer_new(kd_register *reg, const kd_checks *checks, kd_task_writer **out_writer, kd_error *err)
{
    kd_task_writer *w = calloc(1, sizeof *w);
    if (!w) return no_memory(err);
    *w = (kd_task_writer){ .reg = reg,
                           .checks = checks,
                           .arena = kd_arena_new(WRITER_BYTES_MAX),
                           .by_subject = kd_map_new(1024),
                           .today = kd_today(),
                           .now_us = kd_now_us() };
    kd_status status = w->arena && w->by_subject ? read_standing(w, err) : no_memory(err);
    if (status != KD_OK) {
        kd_task_writer_free(w);
        return status;
    }
    *out_writer = w;
    return KD_OK;
}

void kd_task_writer_free(kd_task_writer *w)
{
    if (!w) return;
    kd_map_free(w->by_subject);
    kd_arena_free(w->arena);
    free(w->tasks);
    free(w->list);
    free(w);
}

static int64_t cut_to_level(int64_t residence, kd_division_level level)
{
    int64_t cut = residence ? kd_division_at_level(residence, level) : 0;
    return cut ? cut : residence; /* known less deeply: the office there passes it on */
}

kd_status kd_task_writer_add(kd_task_writer *w, const kd_task_found *found, kd_error *err)
{
    kd_task_found f = *found;
    f.residence = cut_to_level(found->residence, found->check->level);
    uint64_t hash = hash_found(&f, f.check->role, kd_checks_version(w->checks), f.check->severity);
    uint64_t *slot = kd_map_get(w->by_subject, subject_key(f.check->kind, f.subject));
    size_t at = slot ? (size_t)*slot : SIZE_MAX;
    if (at != SIZE_MAX) {
        standing *task = &w->tasks[at];
        task->is_seen = true;
        if (task->state == STATE_OPEN && task->hash == hash) return KD_OK;
        if (task->state == STATE_RESOLVED && !kd_facts_marks_are_new(task->facts, f.facts)) return KD_OK;
    }
    if (w->count == w->room && !grow((void **)&w->list, &w->room, sizeof *w->list)) return no_memory(err);
    f.subject = kd_arena_str(w->arena, f.subject);
    f.facts = kd_arena_str(w->arena, f.facts);
    if (!f.subject.ptr || !f.facts.ptr) return no_memory(err);
    w->list[w->count++] = (pending){ f, hash, at };
    return KD_OK;
}

/* ---- writing ---- */

static kd_value some_int(int64_t value)
{
    return value ? kd_int(value) : KD_NULL;
}

static kd_status put_new(kd_task_writer *w, const pending *p, kd_bulk *bulk, kd_error *err)
{
    const kd_task_found *f = &p->found;
    const kd_check *check = f->check;
    kd_str attribute =
        check->attribute == KD_ATTR_NONE ? (kd_str){ NULL, 0 } : kd_str_of(kd_attribute_name(check->attribute));
    const kd_value values[] = { kd_int(kd_register_next_id(w->reg)),
                                kd_text_value(check->kind),
                                kd_text_value(f->subject),
                                kd_text_value(KD_STR("open")),
                                kd_int(check->severity),
                                kd_int(f->person_id),
                                some_int(f->other_id),
                                some_int(f->record_a),
                                some_int(f->record_b),
                                kd_text_value(attribute),
                                some_int(f->residence),
                                kd_text_value(check->role),
                                kd_int((int64_t)w->today + check->due_days),
                                kd_text_value(kd_checks_version(w->checks)),
                                kd_text_value(f->facts),
                                kd_int(w->now_us) };
    return kd_bulk_row(bulk, values, err);
}

static kd_status insert_new(kd_task_writer *w, kd_task_totals *totals, kd_error *err)
{
    static const char *const columns[] = { "id",       "kind",         "subject",  "state",     "severity", "person_id",
                                           "other_id", "record_a",     "record_b", "attribute", "division", "role",
                                           "due_day",  "pack_version", "facts",    "created_at" };
    kd_bulk *bulk;
    KD_TRY(kd_bulk_begin(kd_register_store(w->reg), "task", columns, sizeof columns / sizeof columns[0], &bulk, err));
    kd_status status = KD_OK;
    for (size_t i = 0; i < w->count && status == KD_OK; i++) {
        if (w->list[i].standing != SIZE_MAX) continue;
        status = put_new(w, &w->list[i], bulk, err);
        totals->opened++;
    }
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* An open task keeps its due day; one that comes back starts anew. */
static kd_status update_one(kd_task_writer *w, const pending *p, kd_error *err)
{
    const kd_task_found *f = &p->found;
    const standing *task = &w->tasks[p->standing];
    kd_store *store = kd_register_store(w->reg);
    KD_TRY(kd_store_exec(store, err, NULL,
                         "update task set severity = $2, person_id = $3, other_id = $4, record_a = $5, record_b = $6, "
                         "division = $7, role = $8, pack_version = $9, facts = $10 where id = $1",
                         KD_VALUES(kd_int(task->id), kd_int(f->check->severity), kd_int(f->person_id),
                                   some_int(f->other_id), some_int(f->record_a), some_int(f->record_b),
                                   some_int(f->residence), kd_text_value(f->check->role),
                                   kd_text_value(kd_checks_version(w->checks)), kd_text_value(f->facts))));
    if (task->state == STATE_OPEN) return KD_OK;
    return kd_store_exec(store, err, NULL,
                         "update task set state = 'open', due_day = $2, resolved_at = null, resolved_by = null, "
                         "answer = null, note = null where id = $1",
                         KD_VALUES(kd_int(task->id), kd_int((int64_t)w->today + f->check->due_days)));
}

static kd_status close_unseen(kd_task_writer *w, kd_task_totals *totals, kd_error *err)
{
    for (size_t i = 0; i < w->task_count; i++) {
        if (w->tasks[i].state != STATE_OPEN) continue;
        if (w->tasks[i].is_seen) {
            totals->open++;
            continue;
        }
        totals->closed++;
        KD_TRY(kd_store_exec(kd_register_store(w->reg), err, NULL,
                             "update task set state = 'closed', resolved_at = $2 where id = $1",
                             KD_VALUES(kd_int(w->tasks[i].id), kd_int(w->now_us))));
    }
    return KD_OK;
}

static kd_status write_all(kd_task_writer *w, kd_task_totals *totals, kd_error *err)
{
    KD_TRY(insert_new(w, totals, err));
    for (size_t i = 0; i < w->count; i++) {
        if (w->list[i].standing == SIZE_MAX) continue;
        KD_TRY(update_one(w, &w->list[i], err));
        if (w->tasks[w->list[i].standing].state != STATE_OPEN) totals->opened++;
    }
    int64_t opened = totals->opened;
    KD_TRY(close_unseen(w, totals, err));
    totals->open += opened;
    return KD_OK;
}

kd_status kd_task_writer_finish(kd_task_writer *w, kd_task_totals *out_totals, kd_error *err)
{
    kd_task_totals totals = { 0 };
    kd_status status = write_all(w, &totals, err);
    kd_task_writer_free(w);
    if (status == KD_OK) *out_totals = totals;
    return status;
}
