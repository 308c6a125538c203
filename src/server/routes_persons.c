/* Persons: found as one types, and one with its life, family, records and history, and who has looked. */
#include "show.h"

#include <string.h>

enum {
    QUERY_CHARS_MAX = 100,
    HITS_MAX = 50,
    HITS_USUAL = 20,
    IDENTITY_DIGITS_MIN = 15,
    PHONE_SHOWN = 3,
    MASK_BYTES = 24
};

/* ---- finding ---- */

/* "139****0012": the first and the last digits. */
static kd_str masked_phone(kd_call *call, kd_str phone)
{
    char text[MASK_BYTES];
    if (phone.len >= sizeof text) return (kd_str){ NULL, 0 };
    for (size_t i = 0; i < phone.len; i++) {
        bool is_shown = phone.len > 3 * PHONE_SHOWN && (i < PHONE_SHOWN || i + PHONE_SHOWN + 1 >= phone.len);
        text[i] = is_shown ? phone.ptr[i] : '*';
    }
    return kd_arena_str(call->arena, (kd_str){ text, phone.len });
}

static void put_hit(kd_call *call, const kd_person_hit *hit)
{
    char number[MASK_BYTES];
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_show_person(call, "person", &hit->brief);
    kd_out_text(json, "matched", kd_str_of(hit->matched));
    kd_json_kstr(json, "identity_number", kd_identity_masked(hit->identity_number, number));
    kd_json_kstr(json, "phone", masked_phone(call, hit->phone));
    kd_json_object_end(json);
}

static kd_status answer_hits(kd_call *call, kd_str text, int64_t division, size_t limit, kd_error *err)
{
    kd_person_hit *hits;
    size_t count = 0;
    const kd_person_wanted wanted = { .text = text,
                                      .areas = call->who->areas,
                                      .area_count = call->who->area_count,
                                      .division = division,
                                      .limit = limit < HITS_MAX ? limit : HITS_MAX };
    KD_TRY(kd_person_find(call->reg, &wanted, call->arena, &hits, &count, err));
    KD_TRY(kd_call_audit(call, "person.find", 0, division ? division : call->who->areas[0], (kd_str){ NULL, 0 }, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) put_hit(call, &hits[i]);
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* Addresses are kept in logs on their way: what names one person for good must not stand there. */
static bool holds_identity(kd_str text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) digits += text.ptr[i] >= '0' && text.ptr[i] <= '9';
    kd_identity identity;
    kd_identity_read(text, &identity);
    return identity.kind == KD_IDENTITY_OK || identity.kind == KD_IDENTITY_OLD ||
           (digits >= IDENTITY_DIGITS_MIN && identity.kind != KD_IDENTITY_EMPTY);
}

static kd_status find_persons(kd_call *call, kd_error *err)
{
    kd_str text;
    size_t limit;
    int64_t area, division = 0;
    bool is_there = kd_call_query(call, "division").len > 0;
    KD_TRY(kd_call_query_text(call, "q", true, QUERY_CHARS_MAX, &text, err));
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(kd_call_area(call, &area, err)); /* refuses what is not theirs */
    if (is_there) division = area;
    if (holds_identity(text)) {
        kd_fail(err, KD_INVALID, "q", "an identity number does not belong in an address");
        kd_hint(err, "send it with POST /api/persons/lookup");
        return KD_INVALID;
    }
    return answer_hits(call, text, division, limit, err);
}

static kd_status look_up(kd_call *call, kd_error *err)
{
    static const char *const names[] = { "text", "division", "limit", NULL };
    kd_str text;
    int64_t division, limit;
    bool is_there;
    kd_in in = kd_call_body(call);
    KD_TRY(kd_in_only(in, names, err));
    KD_TRY(kd_in_text(in, "text", true, QUERY_CHARS_MAX * 4, &text, err));
    KD_TRY(kd_in_division(in, "division", false, &division, &is_there, err));
    KD_TRY(kd_in_int(in, "limit", false, 1, HITS_MAX, HITS_USUAL, &limit, err));
    if (is_there) KD_TRY(kd_call_allow_division(call, division, err));
    return answer_hits(call, text, division, (size_t)limit, err);
}

/* ---- one person ---- */

/* The person of the path, opened for this reader; a merged one leads to the one that it is now. */
static kd_status open_person(kd_call *call, const char *action, int64_t *out_id, kd_error *err)
{
    int64_t id = 0;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_call_open_person(call, id, action, err));
    *out_id = id;
    return KD_OK;
}

static void put_holder(kd_call *call, kd_str attribute, const kd_value_holder *holder)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_show_source(call, "source", &holder->source);
    kd_out_text(json, "text", kd_show_value(call, attribute, holder->text));
    kd_out_id(json, "record_id", holder->record_id);
    kd_json_kint(json, "trust", holder->trust);
    kd_json_kday(json, "recorded_on", holder->recorded_day);
    kd_json_object_end(json);
}

static void put_value(kd_call *call, kd_str attribute, const kd_value_view *value)
{
    kd_json *json = &call->out;
    kd_str words = kd_show_value(call, attribute, value->value);
    kd_json_object(json);
    kd_out_text(json, "value", kd_str_is(attribute, "identity_number") ? words : value->value);
    kd_out_text(json, "words", words);
    kd_json_kint(json, "score", value->score);
    kd_json_kint(json, "records", value->record_count);
    kd_json_kday(json, "latest_on", value->latest_day);
    kd_json_kbool(json, "is_chosen", value->is_chosen);
    kd_json_kbool(json, "is_decided", value->is_decided);
    kd_json_kbool(json, "is_incomplete", value->is_incomplete);
    kd_json_key(json, "holders");
    kd_json_array(json);
    for (size_t i = 0; i < value->holder_count; i++) put_holder(call, attribute, &value->holders[i]);
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static void put_attribute(kd_call *call, const kd_attribute_view *view)
{
    kd_json *json = &call->out;
    kd_str name = kd_str_of(view->attribute);
    kd_json_object(json);
    kd_out_text(json, "attribute", name);
    kd_out_text(json, "title", kd_call_words(call, kd_str_of(view->title_zh), kd_str_of(view->title_en)));
    kd_out_text(json, "method", kd_str_of(view->method));
    kd_json_kbool(json, "is_conflict", view->is_conflict);
    kd_json_kstr(json, "decided_by", view->decided_by);
    kd_out_instant(json, "decided_at", view->decided_at);
    kd_json_key(json, "values");
    kd_json_array(json);
    for (size_t i = 0; i < view->count; i++) put_value(call, name, &view->values[i]);
    kd_json_array_end(json);
    kd_json_object_end(json);
}

/* Of a relative who lives outside the reader's areas only the tie is shown. */
static kd_status put_relation(kd_call *call, const kd_relation_view *relation, kd_error *err)
{
    kd_json *json = &call->out;
    bool is_household = kd_str_is(relation->kind, "household");
    kd_person_brief brief = { 0 };
    kd_status status =
        is_household ? KD_NOT_FOUND : kd_person_brief_load(call->reg, relation->other_id, call->arena, &brief, err);
    if (status != KD_OK && status != KD_NOT_FOUND) return status;
    bool is_shown = status == KD_OK && kd_account_covers(call->who, brief.division);
    kd_json_object(json);
    kd_out_text(json, "kind", relation->kind);
    kd_show_person(call, "person", is_shown ? &brief : NULL);
    kd_out_id(json, "household_id", is_household ? relation->other_id : 0);
    kd_json_kday(json, "valid_from", relation->valid_from);
    kd_json_kday(json, "valid_to", relation->valid_to);
    kd_json_kint(json, "records", relation->records);
    kd_json_kbool(json, "is_chosen", relation->is_chosen);
    kd_json_object_end(json);
    return KD_OK;
}

static kd_status put_lists(kd_call *call, const kd_person_view *view, kd_error *err)
{
    kd_json *json = &call->out;
    bool shows_tasks = kd_call_may(call, "task.read");
    kd_json_key(json, "attributes");
    kd_json_array(json);
    for (size_t i = 0; i < view->attribute_count; i++) put_attribute(call, &view->attributes[i]);
    kd_json_array_end(json);
    kd_json_key(json, "relations");
    kd_json_array(json);
    for (size_t i = 0; i < view->relation_count; i++) KD_TRY(put_relation(call, &view->relations[i], err));
    kd_json_array_end(json);
    kd_json_key(json, "tasks");
    kd_json_array(json);
    for (size_t i = 0; shows_tasks && i < view->task_count; i++) {
        kd_task_words words = { 0 };
        KD_TRY(kd_task_describe(call->reg, &view->tasks[i], call->arena, &words, err));
        KD_TRY(kd_show_task(call, NULL, &view->tasks[i], &words, err));
    }
    kd_json_array_end(json);
    return KD_OK;
}

static kd_status get_person(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_person_view view = { 0 };
    kd_person_brief brief;
    kd_json *json = &call->out;
    KD_TRY(open_person(call, "person.read", &id, err));
    KD_TRY(kd_person_view_load(call->reg, id, call->arena, &view, err));
    KD_TRY(kd_person_brief_load(call->reg, id, call->arena, &brief, err));
    brief.id = id;
    brief.state = view.state;
    kd_call_set_version(call, view.version);
    kd_json_object(json);
    kd_show_person(call, "person", &brief);
    kd_out_id(json, "merged_into", view.merged_into);
    kd_json_kint(json, "version", view.version);
    kd_json_kint(json, "conflicts", view.conflicts);
    kd_out_text(json, "rules_version", view.rules_version);
    KD_TRY(put_lists(call, &view, err));
    kd_json_kint(json, "records", (int64_t)view.link_count);
    kd_json_object_end(json);
    return KD_OK;
}

/* ---- life and family ---- */

static kd_status get_timeline(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_life_event *events;
    size_t count = 0;
    kd_json *json = &call->out;
    KD_TRY(open_person(call, "person.timeline", &id, err));
    KD_TRY(kd_person_timeline(call->reg, id, call->arena, &events, &count, err));
    kd_json_object(json);
    kd_json_key(json, "items");
    kd_json_array(json);
    for (size_t i = 0; i < count; i++) {
        kd_json_object(json);
        kd_json_kday(json, "date", events[i].day);
        kd_out_text(json, "kind", events[i].kind);
        kd_out_text(json, "title", kd_call_words(call, events[i].title_zh, events[i].title_en));
        kd_out_text(json, "source", kd_call_words(call, events[i].source_zh, events[i].source_en));
        kd_out_id(json, "record_id", events[i].record_id);
        kd_out_id(json, "birth_id", events[i].case_id);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_object_end(json);
    return KD_OK;
}

static void put_node(kd_call *call, const kd_family_node *node)
{
    bool is_open = node->is_open && kd_account_covers(call->who, node->brief.division);
    kd_person_brief hidden = { .id = node->brief.id, .birth_day = KD_DAY_NONE, .state = node->brief.state };
    kd_json_object(&call->out);
    kd_show_person(call, "person", is_open ? &node->brief : &hidden);
    kd_json_kint(&call->out, "generation", node->generation);
    kd_json_kbool(&call->out, "is_open", is_open);
    kd_json_object_end(&call->out);
}

static void put_edge(kd_call *call, const kd_family_edge *edge)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_id(json, "from", edge->from);
    kd_out_id(json, "to", edge->to);
    kd_out_text(json, "kind", edge->kind);
    kd_json_kint(json, "records", edge->records);
    kd_json_kbool(json, "is_chosen", edge->is_chosen);
    kd_json_object_end(json);
}

static kd_status get_family(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_family_tree tree;
    kd_json *json = &call->out;
    KD_TRY(open_person(call, "person.family", &id, err));
    KD_TRY(kd_person_family(call->reg, id, call->arena, &tree, err));
    kd_json_object(json);
    kd_json_key(json, "nodes");
    kd_json_array(json);
    for (size_t i = 0; i < tree.node_count; i++) put_node(call, &tree.nodes[i]);
    kd_json_array_end(json);
    kd_json_key(json, "edges");
    kd_json_array(json);
    for (size_t i = 0; i < tree.edge_count; i++) put_edge(call, &tree.edges[i]);
    kd_json_array_end(json);
    kd_json_object_end(json);
    return KD_OK;
}

/* ---- records and why they are here ---- */

static const kd_link_view *peer_of(const kd_person_view *view, const kd_link_view *link)
{
    for (size_t i = 0; i < view->link_count; i++)
        if (view->links[i].record.id == link->peer_id && &view->links[i] != link) return &view->links[i];
    return NULL;
}

static void put_link(kd_call *call, const kd_person_view *view, const kd_link_view *link, const kd_link_reason *reason)
{
    kd_json *json = &call->out;
    const kd_link_view *peer = peer_of(view, link);
    kd_json_object(json);
    kd_show_record(call, "record",
                   &(kd_shown_record){ &link->record, &link->source, link->file_name, peer ? &peer->record : NULL });
    kd_json_kbool(json, "is_decided", link->is_decided);
    kd_json_kdouble(json, "weight", link->weight, 3);
    if (peer) {
        kd_show_source(call, "peer", &peer->source);
    } else {
        kd_json_key(json, "peer");
        kd_json_null(json);
    }
    if (reason->is_there) {
        kd_show_waterfall(call, "waterfall", &reason->waterfall);
    } else {
        kd_json_key(json, "waterfall");
        kd_json_null(json);
    }
    kd_json_object_end(json);
}

static kd_status get_records(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_person_view view = { 0 };
    kd_link_reason *reasons = NULL;
    kd_str model = { NULL, 0 };
    KD_TRY(open_person(call, "person.records", &id, err));
    KD_TRY(kd_person_view_load(call->reg, id, call->arena, &view, err));
    if (view.link_count) KD_TRY(kd_person_explain(call->reg, &view, call->arena, &reasons, &model, err));
    kd_json_object(&call->out);
    kd_out_text(&call->out, "model", model);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < view.link_count; i++) put_link(call, &view, &view.links[i], &reasons[i]);
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* ---- history ---- */

static kd_str title_of(kd_call *call, kd_str kind)
{
    static const struct {
        const char *kind, *zh, *en;
    } titles[] = { { "created", "建立", "made" },
                   { "merged_into", "并入另一人", "merged into another" },
                   { "merged_from", "另一人并入", "another was merged into this one" },
                   { "split_from", "由另一人拆出", "split from another" },
                   { "split_to", "拆出另一人", "another was split off" },
                   { "value", "取值改变", "a value changed" },
                   { "retired", "不再有记录", "no record is left" },
                   { "restored", "恢复", "restored" } };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (kd_str_is(kind, titles[i].kind)) return kd_str_of(call->is_english ? titles[i].en : titles[i].zh);
    return kind;
}

static void put_event(kd_call *call, const kd_person_event *event)
{
    kd_json *json = &call->out;
    bool is_value = kd_str_is(event->kind, "value");
    const char *attribute = is_value ? kd_field_title(event->attribute, call->is_english) : NULL;
    kd_json_object(json);
    kd_out_instant(json, "at", event->at);
    kd_out_text(json, "kind", event->kind);
    kd_out_text(json, "title", title_of(call, event->kind));
    kd_json_kstr(json, "attribute", kd_str_of(attribute));
    kd_json_kstr(json, "old", is_value ? kd_show_value(call, event->attribute, event->old_value) : (kd_str){ NULL, 0 });
    kd_json_kstr(json, "new", is_value ? kd_show_value(call, event->attribute, event->new_value) : event->new_value);
    kd_out_id(json, "other_id", event->other_id);
    kd_json_kstr(json, "by", event->decided_by);
    kd_json_object_end(json);
}

static kd_status get_history(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_person_event *events;
    size_t count = 0;
    KD_TRY(open_person(call, "person.history", &id, err));
    KD_TRY(kd_person_history(call->reg, id, call->arena, &events, &count, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) put_event(call, &events[i]);
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* ---- who has looked ---- */

/* The name of the account; its login when it cannot be read. Read once for each account of a page. */
static kd_str name_of(kd_call *call, const kd_audit_page *page, size_t at, kd_str *names)
{
    const kd_audit_entry *entry = &page->rows[at].entry;
    kd_account account;
    for (size_t i = 0; i < at; i++)
        if (page->rows[i].entry.account_id == entry->account_id) return names[i];
    bool is_known =
        entry->account_id && kd_account_get(call->access, entry->account_id, call->arena, &account, NULL) == KD_OK;
    return is_known ? account.name : entry->login;
}

static kd_status get_accesses(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_audit_page page;
    kd_audit_filter filter = { .areas = call->who->areas,
                               .area_count = call->who->area_count,
                               .cursor = kd_call_query(call, "cursor") };
    kd_json *json = &call->out;
    KD_TRY(kd_call_limit(call, &filter.limit, err));
    KD_TRY(open_person(call, "person.audit", &id, err));
    filter.person_id = id;
    KD_TRY(kd_audit_list(call->access, &filter, call->arena, &page, err));
    kd_str *names = kd_arena_array(call->arena, page.count + 1, sizeof *names);
    if (!names) return kd_fail(err, KD_LIMIT, "", "no memory for the log");
    kd_json_object(json);
    kd_json_key(json, "items");
    kd_json_array(json);
    for (size_t i = 0; i < page.count; i++) {
        const kd_audit_entry *entry = &page.rows[i].entry;
        names[i] = name_of(call, &page, i, names);
        kd_json_object(json);
        kd_out_instant(json, "at", entry->at);
        kd_out_text(json, "name", names[i]);
        kd_out_text(json, "role", entry->role);
        kd_out_text(json, "action", entry->action);
        kd_out_text(json, "purpose", entry->purpose);
        kd_json_kbool(json, "is_allowed", entry->is_allowed);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_kstr(json, "next", page.next);
    kd_json_object_end(json);
    return KD_OK;
}

#define READ(address, needed, handler)                                                                      \
    {                                                                                                       \
        .method = "GET", .path = (address), .permission = (needed), .needs_purpose = true, .run = (handler) \
    }

const kd_route kd_routes_persons[] = {
    READ("/api/persons", "person.find", find_persons),
    { .method = "POST",
      .path = "/api/persons/lookup",
      .permission = "person.find",
      .body = KD_BODY_JSON,
      .needs_purpose = true,
      .run = look_up },
    READ("/api/persons/{id}", "person.read", get_person),
    READ("/api/persons/{id}/timeline", "person.read", get_timeline),
    READ("/api/persons/{id}/family", "person.read", get_family),
    READ("/api/persons/{id}/records", "person.read", get_records),
    READ("/api/persons/{id}/history", "person.read", get_history),
    READ("/api/persons/{id}/accesses", "person.audit", get_accesses),
    { .method = NULL },
};
