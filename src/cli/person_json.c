/* A person as JSON. */
#include "person_words.h"

static void add_source(kd_json *json, const kd_source_name *source)
{
    kd_json_kstr(json, "feed", source->feed);
    kd_json_kstr(json, "title_zh", source->title_zh);
    kd_json_kstr(json, "title_en", source->title_en);
}

static void add_value(const kd_cli_words *words, kd_json *json, const kd_attribute_view *a, const kd_value_view *v)
{
    kd_json_object(json);
    kd_cli_json_value(words, json, "value", kd_str_of(a->attribute), v->value);
    kd_json_kbool(json, "is_chosen", v->is_chosen);
    kd_json_kbool(json, "is_decided", v->is_decided);
    kd_json_kbool(json, "is_incomplete", v->is_incomplete);
    kd_json_kbool(json, "by_identity_number", v->by_identity);
    kd_json_kint(json, "score", v->score);
    kd_json_kint(json, "feeds", v->feeds);
    kd_json_kint(json, "records", v->record_count);
    kd_json_kday(json, "latest_day", v->latest_day);
    kd_json_key(json, "sources");
    kd_json_array(json);
    for (size_t i = 0; i < v->holder_count; i++) {
        kd_json_object(json);
        kd_cli_json_id(json, "record", v->holders[i].record_id);
        add_source(json, &v->holders[i].source);
        kd_json_kint(json, "trust", v->holders[i].trust);
        kd_json_kday(json, "recorded_day", v->holders[i].recorded_day);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static void add_attributes(const kd_cli_words *words, kd_json *json, const kd_person_view *view)
{
    kd_json_key(json, "attributes");
    kd_json_array(json);
    for (size_t i = 0; i < view->attribute_count; i++) {
        const kd_attribute_view *a = &view->attributes[i];
        if (!a->count) continue;
        kd_json_object(json);
        kd_json_kstr(json, "attribute", kd_str_of(a->attribute));
        kd_json_kstr(json, "title_zh", kd_str_of(a->title_zh));
        kd_json_kstr(json, "title_en", kd_str_of(a->title_en));
        kd_json_kstr(json, "rule", kd_str_of(a->method));
        kd_json_kbool(json, "is_conflict", a->is_conflict);
        kd_json_kstr(json, "decided_by", a->decided_by);
        kd_json_key(json, "values");
        kd_json_array(json);
        for (size_t k = 0; k < a->count; k++) add_value(words, json, a, &a->values[k]);
        kd_json_array_end(json);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void add_reason(kd_json *json, const kd_link_reason *reason)
{
    const kd_waterfall *w = &reason->waterfall;
    kd_json_kdouble(json, "prior_bits", w->prior_bits, 3);
    kd_json_key(json, "steps");
    kd_json_array(json);
    for (size_t i = 0; i < w->count; i++) {
        const kd_waterfall_step *s = &w->steps[i];
        kd_json_object(json);
        kd_json_kstr(json, "comparison", s->comparison);
        kd_json_kstr(json, "level", s->level);
        kd_json_kstr(json, "title_zh", s->title_zh);
        kd_json_kstr(json, "title_en", s->title_en);
        kd_json_kdouble(json, "m", s->m, 6);
        kd_json_kdouble(json, "u", s->u, 9);
        kd_json_kdouble(json, "bits", s->bits, 3);
        kd_json_kdouble(json, "tf_bits", s->tf_bits, 3);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_kdouble(json, "total_bits", w->total_bits, 3);
    kd_json_kdouble(json, "rest_bits", reason->rest_bits, 3);
    kd_json_kdouble(json, "probability", w->probability, 9);
}

static void add_links(kd_json *json, const kd_person_view *view, const kd_link_reason *reasons)
{
    kd_json_key(json, "records");
    kd_json_array(json);
    for (size_t i = 0; i < view->link_count; i++) {
        const kd_link_view *l = &view->links[i];
        kd_json_object(json);
        kd_cli_json_id(json, "record", l->record.id);
        add_source(json, &l->source);
        kd_json_kstr(json, "file", l->file_name);
        kd_json_kint(json, "row", l->record.row_no);
        kd_json_kstr(json, "role", kd_str_of(kd_role_name(l->record.role)));
        kd_cli_json_id(json, "peer", l->peer_id);
        kd_json_kdouble(json, "weight_bits", l->weight, 3);
        kd_json_kbool(json, "is_decided", l->is_decided);
        if (reasons && reasons[i].is_there) add_reason(json, &reasons[i]);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void add_relations(kd_json *json, const kd_person_view *view)
{
    kd_json_key(json, "relations");
    kd_json_array(json);
    for (size_t i = 0; i < view->relation_count; i++) {
        const kd_relation_view *r = &view->relations[i];
        kd_json_object(json);
        kd_json_kstr(json, "kind", r->kind);
        kd_cli_json_id(json, "other", r->other_id);
        kd_json_kstr(json, "name", r->name);
        kd_json_kday(json, "birth_day", r->birth_day);
        kd_json_kday(json, "valid_from", r->valid_from);
        kd_json_kday(json, "valid_to", r->valid_to);
        kd_json_kint(json, "records", r->records);
        kd_json_kbool(json, "is_chosen", r->is_chosen);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void add_head(kd_json *json, const kd_person_view *view)
{
    kd_cli_json_id(json, "id", view->id);
    kd_json_kstr(json, "state", view->state);
    kd_cli_json_id(json, "merged_into", view->merged_into);
    kd_json_kint(json, "version", view->version);
    kd_json_kint(json, "conflicts", view->conflicts);
    kd_json_kstr(json, "rules_version", view->rules_version);
}

void kd_cli_show_json(const kd_cli_words *words, const kd_person_view *view, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    add_head(&json, view);
    add_attributes(words, &json, view);
    add_relations(&json, view);
    add_links(&json, view, NULL);
    kd_json_key(&json, "tasks");
    kd_json_array(&json);
    for (size_t i = 0; i < view->task_count; i++) {
        kd_json_object(&json);
        kd_cli_json_id(&json, "id", view->tasks[i].id);
        kd_json_kstr(&json, "kind", view->tasks[i].kind);
        kd_json_kday(&json, "due_day", view->tasks[i].due_day);
        kd_json_object_end(&json);
    }
    kd_json_array_end(&json);
    kd_json_object_end(&json);
}

void kd_cli_why_json(const kd_cli_words *words, const kd_person_view *view, const kd_link_reason *reasons, kd_str model,
                     kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    add_head(&json, view);
    kd_json_kstr(&json, "model", model);
    add_attributes(words, &json, view);
    add_links(&json, view, reasons);
    kd_json_object_end(&json);
}

void kd_cli_history_json(const kd_cli_words *words, const kd_person_event *events, size_t count, kd_buf *out)
{
    kd_json json;
    char at[32];
    kd_json_init(&json, out);
    kd_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        const kd_person_event *e = &events[i];
        kd_json_object(&json);
        kd_json_kstr(&json, "at", kd_str_of(kd_instant_format(e->at, at)));
        kd_json_kstr(&json, "kind", e->kind);
        kd_cli_json_id(&json, "other", e->other_id);
        kd_json_kstr(&json, "attribute", e->attribute);
        kd_cli_json_value(words, &json, "old_value", e->attribute, e->old_value);
        kd_cli_json_value(words, &json, "new_value", e->attribute, e->new_value);
        kd_json_kstr(&json, "decided_by", e->decided_by);
        kd_json_object_end(&json);
    }
    kd_json_array_end(&json);
}
