/* Looking at one person: everything held, and where it comes from. */
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum { SEARCH_MAX = 200, EVENTS_MAX = 100000, RELATIONS_MAX = 4096 };

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for what is held of a person");
}

/* ---- finding ---- */

static kd_status fold_name(kd_register *reg, kd_str raw, kd_arena *arena, kd_str *out, kd_error *err)
{
    const kd_text *text;
    kd_name name;
    char buf[KD_NAME_BYTES_MAX];
    KD_TRY(kd_register_text(reg, &text, err));
    kd_name_read(text, raw, &name);
    if (name.kind != KD_NAME_PERSON) return kd_fail(err, KD_INVALID, "name", "this is not the name of a person");
    *out = kd_arena_str(arena, (kd_str){ buf, kd_name_format(&name, buf) });
    return out->ptr ? KD_OK : no_memory(err);
}

#define BRIEF_SELECT                                                                                          \
    "select person.id, person.name, person.state, person.sex, person.birth_day, person.division from person " \
    "where person.state = 'active' and (person.division between $2 and $3 or $4 = 0) "
#define BRIEF_ORDER " order by person.name, person.id limit $5"

static kd_status query_brief(kd_register *reg, const kd_person_query *q, kd_arena *arena, kd_rows **out_rows,
                             kd_error *err)
{
    const char *sql;
    kd_str what = { NULL, 0 };
    if (q->identity_number.len) {
        kd_identity identity;
        kd_identity_read(q->identity_number, &identity);
        what = kd_arena_str(arena, kd_str_of(identity.number));
        sql = BRIEF_SELECT "and person.id in (select person_id from person_identifier where kind = 'identity_number' "
                           "and value = $1)" BRIEF_ORDER;
    } else if (q->name.len) {
        KD_TRY(fold_name(reg, q->name, arena, &what, err));
        sql = BRIEF_SELECT "and person.name = $1" BRIEF_ORDER;
    } else {
        what = q->initials;
        sql = BRIEF_SELECT "and person.name_initials = $1" BRIEF_ORDER;
    }
    return kd_store_query(kd_register_store(reg), err, out_rows, sql,
                          KD_VALUES(kd_text_value(what), kd_int(q->division), kd_int(kd_area_last_code(q->division)),
                                    kd_int(q->division ? 1 : 0), kd_int((int64_t)q->limit)));
}

kd_status kd_person_search(kd_register *reg, const kd_person_query *query, kd_arena *arena,
                           kd_person_brief **out_persons, size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    if (!query->identity_number.len && !query->name.len && !query->initials.len)
        return kd_fail(err, KD_INVALID, "", "a name, initials or an identity number is needed to search");
    if (query->limit < 1 || query->limit > SEARCH_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a search brings 1 to %d persons", SEARCH_MAX);
    kd_person_brief *persons = kd_arena_array(arena, query->limit, sizeof *persons);
    if (!persons) return no_memory(err);
    KD_TRY(query_brief(reg, query, arena, &rows, err));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < query->limit)
        persons[count++] = (kd_person_brief){ .id = kd_rows_int(rows, 0),
                                              .name = kd_arena_str(arena, kd_rows_text(rows, 1)),
                                              .state = kd_arena_str(arena, kd_rows_text(rows, 2)),
                                              .sex = (int)kd_rows_int(rows, 3),
                                              .birth_day = kd_rows_day(rows, 4),
                                              .division = kd_rows_int(rows, 5) };
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_persons = persons;
    *out_count = count;
    return KD_OK;
}

/* ---- values ---- */

static kd_source_name source_name(const kd_packs *packs, int32_t id, kd_arena *arena)
{
    kd_source_name name = { .source_id = id };
    if (id < 0 || (size_t)id >= packs->source_count) return name;
    name.feed = kd_arena_str(arena, packs->sources[id].feed);
    name.title_zh = kd_arena_str(arena, packs->sources[id].title_zh);
    name.title_en = kd_arena_str(arena, packs->sources[id].title_en);
    return name;
}

static kd_status view_value(const kd_packs *packs, kd_attribute attribute, const kd_competing *c,
                            const kd_evidence *evidence, kd_arena *arena, kd_value_view *out, kd_error *err)
{
    char buf[24];
    *out = (kd_value_view){ .value = kd_arena_str(arena, kd_value_text(attribute, &c->value, buf)),
                            .score = c->score,
                            .feeds = c->feeds,
                            .record_count = c->records,
                            .latest_day = c->latest_day,
                            .is_decided = c->is_decided,
                            .by_identity = c->by_identity,
                            .is_incomplete = c->value.is_incomplete,
                            .holders = kd_arena_array(arena, evidence->count + 1, sizeof *out->holders) };
    if (!out->holders) return no_memory(err);
    for (size_t i = 0; i < evidence->count; i++) {
        const kd_source_record *record = &evidence->records[i];
        kd_value_of value = kd_attribute_of(record, attribute);
        if (!value.is_there || !kd_value_same(attribute, &value, &c->value)) continue;
        out->holders[out->holder_count++] =
            (kd_value_holder){ .text = out->value,
                               .source = source_name(packs, record->source_id, arena),
                               .record_id = record->id,
                               .trust = kd_survivorship_trust(packs->rules, attribute, record->source_id, record->role),
                               .recorded_day = record->recorded_day };
    }
    return KD_OK;
}

static kd_status view_attribute(const kd_packs *packs, kd_attribute attribute, const kd_choice *choice,
                                const kd_evidence *evidence, kd_arena *arena, kd_attribute_view *out, kd_error *err)
{
    *out = (kd_attribute_view){ .attribute = kd_attribute_name(attribute),
                                .title_zh = kd_attribute_title(attribute, false),
                                .title_en = kd_attribute_title(attribute, true),
                                .method = kd_survivorship_method(packs->rules, attribute),
                                .is_conflict = choice->is_conflict,
                                .values = kd_arena_array(arena, choice->count + 1, sizeof *out->values),
                                .count = choice->count };
    if (!out->values) return no_memory(err);
    for (size_t i = 0; i < choice->count; i++)
        KD_TRY(view_value(packs, attribute, &choice->values[i], evidence, arena, &out->values[i], err));
    if (choice->count) out->values[0].is_chosen = true;
    for (size_t i = 0; i < evidence->decided_count; i++) {
        if (evidence->decided[i].attribute != attribute) continue;
        out->decided_by = evidence->decided_by[i];
        out->decided_at = evidence->decided_at[i];
    }
    return KD_OK;
}

/* ---- links ---- */

static kd_link_view *find_link(kd_person_view *view, int64_t record_id)
{
    for (size_t i = 0; i < view->link_count; i++)
        if (view->links[i].record.id == record_id) return &view->links[i];
    return NULL;
}

static kd_status view_links(kd_register *reg, const kd_packs *packs, const kd_evidence *evidence, kd_arena *arena,
                            kd_person_view *view, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    view->links = kd_arena_array(arena, evidence->count + 1, sizeof *view->links);
    if (!view->links) return no_memory(err);
    view->link_count = evidence->count;
    for (size_t i = 0; i < evidence->count; i++)
        view->links[i] = (kd_link_view){ .record = evidence->records[i],
                                         .source = source_name(packs, evidence->records[i].source_id, arena) };
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select link.source_record_id, link.peer_record_id, link.weight, link.decided, "
                          "batch.file_name from link join source_record on source_record.id = link.source_record_id "
                          "join batch on batch.id = source_record.batch_id where link.person_id = $1",
                          KD_VALUES(kd_int(view->id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_link_view *link = find_link(view, kd_rows_int(rows, 0));
        if (!link) continue;
        link->peer_id = kd_rows_int(rows, 1);
        link->weight = kd_rows_real(rows, 2);
        link->is_decided = kd_rows_int(rows, 3) != 0;
        link->file_name = kd_arena_str(arena, kd_rows_text(rows, 4));
    }
    kd_rows_close(rows);
    for (size_t i = 0; status == KD_OK && i < view->link_count; i++) {
        const kd_link_view *peer = find_link(view, view->links[i].peer_id);
        if (!peer) continue;
        view->links[i].peer_source_zh = peer->source.title_zh;
        view->links[i].peer_source_en = peer->source.title_en;
    }
    return status;
}

/* ---- relations ---- */

static kd_status view_relations(kd_register *reg, kd_arena *arena, kd_person_view *view, kd_error *err)
{
    int64_t count;
    kd_store *store = kd_register_store(reg);
    KD_TRY(kd_store_int(store, err, &count, "select count(*) from relation where person_id = $1",
                        KD_VALUES(kd_int(view->id))));
    if (count > RELATIONS_MAX) count = RELATIONS_MAX;
    view->relations = kd_arena_array(arena, (size_t)count + 1, sizeof *view->relations);
    if (!view->relations) return no_memory(err);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select relation.kind, relation.other_id, person.name, person.birth_day, "
                          "relation.valid_from, relation.valid_to, relation.records, relation.is_chosen from relation "
                          "left join person on person.id = relation.other_id and relation.kind <> 'household' "
                          "where relation.person_id = $1 order by relation.kind, relation.is_chosen desc, "
                          "relation.other_id",
                          KD_VALUES(kd_int(view->id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && view->relation_count < (size_t)count)
        view->relations[view->relation_count++] =
            (kd_relation_view){ .kind = kd_arena_str(arena, kd_rows_text(rows, 0)),
                                .other_id = kd_rows_int(rows, 1),
                                .name = kd_arena_str(arena, kd_rows_text(rows, 2)),
                                .birth_day = kd_rows_day(rows, 3),
                                .valid_from = kd_rows_day(rows, 4),
                                .valid_to = kd_rows_day(rows, 5),
                                .records = (int)kd_rows_int(rows, 6),
                                .is_chosen = kd_rows_int(rows, 7) != 0 };
    kd_rows_close(rows);
    return status;
}

/* ---- the person ---- */

static kd_status read_person(kd_register *reg, int64_t id, kd_arena *arena, kd_person_view *view, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select state, merged_into, version, conflicts from person where id = $1",
                          KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row)
        *view = (kd_person_view){ .id = id,
                                  .state = kd_arena_str(arena, kd_rows_text(rows, 0)),
                                  .merged_into = kd_rows_int(rows, 1),
                                  .version = (int)kd_rows_int(rows, 2),
                                  .conflicts = (int)kd_rows_int(rows, 3) };
    kd_rows_close(rows);
    if (status != KD_OK || has_row) return status;
    kd_fail(err, KD_NOT_FOUND, "", "there is no person with this id");
    kd_hint(err, "find persons with `kindred person show --name NAME`");
    return KD_NOT_FOUND;
}

static kd_status view_values(const kd_packs *packs, const kd_evidence *evidence, kd_arena *arena, kd_person_view *view,
                             kd_error *err)
{
    kd_choice *choices = kd_arena_array(arena, KD_ATTR_COUNT, sizeof *choices);
    view->attributes = kd_arena_array(arena, KD_ATTR_COUNT, sizeof *view->attributes);
    if (!choices || !view->attributes) return no_memory(err);
    kd_evidence_choose(packs->rules, evidence, choices);
    view->attribute_count = KD_ATTR_COUNT;
    for (int a = 0; a < KD_ATTR_COUNT; a++)
        KD_TRY(view_attribute(packs, (kd_attribute)a, &choices[a], evidence, arena, &view->attributes[a], err));
    view->rules_version = kd_arena_str(arena, kd_survivorship_version(packs->rules));
    return KD_OK;
}

static kd_status load_with(kd_register *reg, const kd_packs *packs, int64_t id, kd_arena *arena, kd_person_view *view,
                           kd_error *err)
{
    kd_evidence evidence;
    kd_task_page tasks;
    KD_TRY(read_person(reg, id, arena, view, err));
    KD_TRY(kd_evidence_load(reg, id, arena, &evidence, err));
    KD_TRY(view_values(packs, &evidence, arena, view, err));
    KD_TRY(view_links(reg, packs, &evidence, arena, view, err));
    KD_TRY(view_relations(reg, arena, view, err));
    KD_TRY(kd_task_of_person(reg, id, arena, &tasks, err));
    view->tasks = tasks.tasks;
    view->task_count = tasks.count;
    return KD_OK;
}

kd_status kd_person_view_load(kd_register *reg, int64_t id, kd_arena *arena, kd_person_view *out_view, kd_error *err)
{
    kd_packs packs;
    kd_person_view view = { 0 };
    KD_TRY(kd_packs_load(reg, &packs, err));
    kd_status status = load_with(reg, &packs, id, arena, &view, err);
    kd_packs_done(&packs);
    if (status == KD_OK) *out_view = view;
    return status;
}

/* ---- history ---- */

kd_status kd_person_history(kd_register *reg, int64_t id, kd_arena *arena, kd_person_event **out_events,
                            size_t *out_count, kd_error *err)
{
    int64_t total;
    size_t count = 0;
    kd_person_view person;
    kd_store *store = kd_register_store(reg);
    KD_TRY(read_person(reg, id, arena, &person, err));
    KD_TRY(kd_store_int(store, err, &total, "select count(*) from person_event where person_id = $1",
                        KD_VALUES(kd_int(id))));
    if (total > EVENTS_MAX) total = EVENTS_MAX;
    kd_person_event *events = kd_arena_array(arena, (size_t)total + 1, sizeof *events);
    if (!events) return no_memory(err);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(
        kd_store_query(store, err, &rows,
                       "select id, at, other_id, kind, attribute, old_value, new_value, decided_by from person_event "
                       "where person_id = $1 order by at, id",
                       KD_VALUES(kd_int(id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < (size_t)total)
        events[count++] = (kd_person_event){ .id = kd_rows_int(rows, 0),
                                             .at = kd_rows_int(rows, 1),
                                             .other_id = kd_rows_int(rows, 2),
                                             .kind = kd_arena_str(arena, kd_rows_text(rows, 3)),
                                             .attribute = kd_arena_str(arena, kd_rows_text(rows, 4)),
                                             .old_value = kd_arena_str(arena, kd_rows_text(rows, 5)),
                                             .new_value = kd_arena_str(arena, kd_rows_text(rows, 6)),
                                             .decided_by = kd_arena_str(arena, kd_rows_text(rows, 7)) };
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_events = events;
    *out_count = count;
    return KD_OK;
}
