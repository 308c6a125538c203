/* One person's life by day, as the linked records tell it. */
#include "task.h"

#include <stdlib.h>

enum { EVENTS_MAX = 4096 };

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    int64_t person_id;
    kd_life_event *events;
    size_t count, cap;
} telling;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the events of a life");
}

static bool is_same(const kd_life_event *a, const kd_life_event *b)
{
    return a->day == b->day && kd_str_eq(a->kind, b->kind) && kd_str_eq(a->title_zh, b->title_zh) &&
           kd_str_eq(a->source_zh, b->source_zh);
}

/* Each thing once: what several rows of a source say of one day is one. */
static void tell(telling *t, const kd_life_event *event)
{
    if (event->day == KD_DAY_NONE || t->count == t->cap) return;
    for (size_t i = 0; i < t->count; i++)
        if (is_same(&t->events[i], event)) return;
    t->events[t->count++] = *event;
}

static kd_status tell_person(telling *t, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(t->reg), err, &rows,
                          "select birth_day, death_day from person where id = $1", KD_VALUES(kd_int(t->person_id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        tell(t, &(kd_life_event){ .day = kd_rows_day(rows, 0),
                                  .kind = KD_STR("birth"),
                                  .title_zh = KD_STR("出生"),
                                  .title_en = KD_STR("born") });
        tell(t, &(kd_life_event){ .day = kd_rows_day(rows, 1),
                                  .kind = KD_STR("death"),
                                  .title_zh = KD_STR("去世"),
                                  .title_en = KD_STR("died") });
    }
    kd_rows_close(rows);
    return status;
}

static kd_status tell_children(telling *t, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(t->reg), err, &rows,
                          "select person.birth_day, relation.source_record_id from relation "
                          "join person on person.id = relation.other_id and person.state = 'active' "
                          "where relation.person_id = $1 and relation.kind = 'child'",
                          KD_VALUES(kd_int(t->person_id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row)
        tell(t, &(kd_life_event){ .day = kd_rows_day(rows, 0),
                                  .kind = KD_STR("child"),
                                  .title_zh = KD_STR("子女出生"),
                                  .title_en = KD_STR("a child born"),
                                  .record_id = kd_rows_int(rows, 1) });
    kd_rows_close(rows);
    return status;
}

/* What a row is the day of, in the words of its source's pack; else when the source wrote it down. */
static void read_record(telling *t, const kd_rows *rows)
{
    bool has_event = !kd_rows_is_null(rows, 1);
    kd_str event_zh = kd_rows_text(rows, 5), event_en = kd_rows_text(rows, 6);
    bool has_words = has_event && event_zh.len && event_en.len;
    kd_life_event event = { .day = has_event ? kd_rows_day(rows, 1) : kd_rows_day(rows, 2),
                            .record_id = kd_rows_int(rows, 0),
                            .case_id = kd_rows_int(rows, 7),
                            .source_zh = kd_arena_str(t->arena, kd_rows_text(rows, 3)),
                            .source_en = kd_arena_str(t->arena, kd_rows_text(rows, 4)) };
    event.kind = event.case_id ? KD_STR("registered") : has_event ? KD_STR("event") : KD_STR("record");
    event.title_zh = has_words ? kd_arena_str(t->arena, event_zh) : KD_STR("有记录");
    event.title_en = has_words ? kd_arena_str(t->arena, event_en) : KD_STR("on record");
    tell(t, &event);
}

/* A declared record tells of the case in which it was declared. */
static kd_status tell_records(telling *t, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(t->reg), err, &rows,
                          "select r.id, r.event_day, r.recorded_day, source.title_zh, source.title_en, "
                          "source.event_zh, source.event_en, case when batch.declared_by is null then 0 else "
                          "coalesce((select max(c.id) from case_file c where c.person_id = $1), 0) end "
                          "from link join source_record r on r.id = link.source_record_id "
                          "join source on source.id = r.source_id join batch on batch.id = r.batch_id "
                          "where link.person_id = $1 order by r.id",
                          KD_VALUES(kd_int(t->person_id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) read_record(t, rows);
    kd_rows_close(rows);
    return status;
}

static int by_day(const void *a, const void *b)
{
    const kd_life_event *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (x->record_id != y->record_id) return x->record_id < y->record_id ? -1 : 1;
    return kd_str_cmp(x->kind, y->kind);
}

kd_status kd_person_timeline(kd_register *reg, int64_t id, kd_arena *arena, kd_life_event **out_events,
                             size_t *out_count, kd_error *err)
{
    telling t = { .reg = reg, .arena = arena, .cap = EVENTS_MAX };
    int64_t total;
    KD_TRY(kd_person_living(reg, id, &t.person_id, err));
    KD_TRY(kd_store_int(kd_register_store(reg), err, &total,
                        "select (select count(*) from link where person_id = $1) + "
                        "(select count(*) from relation where person_id = $1) + 2",
                        KD_VALUES(kd_int(t.person_id))));
    if (total < EVENTS_MAX) t.cap = (size_t)total;
    t.events = kd_arena_array(arena, t.cap, sizeof *t.events);
    if (!t.events) return no_memory(err);
    KD_TRY(tell_person(&t, err));
    KD_TRY(tell_records(&t, err));
    KD_TRY(tell_children(&t, err));
    qsort(t.events, t.count, sizeof *t.events, by_day);
    *out_events = t.events;
    *out_count = t.count;
    return KD_OK;
}
