/* The review queue of doubtful matches: looking, deciding, taking back. */
#include "show.h"

#include <math.h>

enum { NOTE_BYTES_MAX = 2000 * 4, PROBABILITY_DECIMALS = 6, VALUE_DECIMALS = 3 };

static void put_brief(kd_call *call, const char *key, const kd_match_review *m)
{
    kd_json *json = &call->out;
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_id(json, "id", m->id);
    kd_json_kdouble(json, "weight", m->weight, VALUE_DECIMALS);
    kd_json_kdouble(json, "probability", m->probability, PROBABILITY_DECIMALS);
    kd_json_kdouble(json, "value", m->value, VALUE_DECIMALS);
    kd_json_kbool(json, "is_same_now", m->is_same_now);
    kd_json_kbool(json, "is_held_apart", m->is_held_apart);
    kd_json_kstr(json, "said", m->said);
    kd_out_id(json, "decision_id", m->decision_id);
    kd_out_division(call, "division", m->division);
    const kd_shown_record a = { &m->record_a, &m->source_a, m->file_a, &m->record_b };
    const kd_shown_record b = { &m->record_b, &m->source_b, m->file_b, &m->record_a };
    kd_show_record(call, "a", &a);
    kd_show_record(call, "b", &b);
    kd_json_object_end(json);
}

static kd_str object_of(kd_call *call, const char *kind, int64_t id)
{
    char text[KD_ID_TEXT_BYTES];
    return kd_arena_fmt(call->arena, "%s/%s", kind, kd_id_format(id, text));
}

static kd_status list(kd_call *call, kd_error *err)
{
    int64_t division = 0;
    bool only_open = true;
    size_t limit = 0;
    kd_match_page page;
    KD_TRY(kd_call_area(call, &division, err));
    KD_TRY(kd_call_query_bool(call, "open", true, &only_open, err));
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(
        kd_match_list(call->reg, division, only_open, kd_call_query(call, "cursor"), limit, call->arena, &page, err));
    KD_TRY(kd_call_audit(call, "match.list", 0, division, KD_STR("match"), err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < page.count; i++) put_brief(call, NULL, &page.reviews[i]);
    kd_json_array_end(&call->out);
    kd_json_kstr(&call->out, "next", page.next);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* The pair of the path, when its area is the account's. */
static kd_status open_match(kd_call *call, const char *action, kd_match_review *out, kd_waterfall *out_waterfall,
                            kd_error *err)
{
    int64_t id = 0;
    kd_match_review match = { 0 };
    kd_waterfall waterfall = { 0 };
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_match_get(call->reg, id, call->arena, &match, &waterfall, err));
    KD_TRY(kd_call_allow_division(call, match.division, err));
    KD_TRY(kd_call_audit(call, action, match.person_a, match.division, object_of(call, "match", id), err));
    if (!match.is_same_now)
        KD_TRY(kd_call_audit(call, action, match.person_b, match.division, object_of(call, "match", id), err));
    *out = match;
    *out_waterfall = waterfall;
    return KD_OK;
}

static kd_status get(kd_call *call, kd_error *err)
{
    kd_match_review match = { 0 };
    kd_waterfall waterfall = { 0 };
    KD_TRY(open_match(call, "match.read", &match, &waterfall, err));
    kd_json_object(&call->out);
    put_brief(call, "match", &match);
    kd_show_waterfall(call, "waterfall", &waterfall);
    KD_TRY(kd_show_person_of(call, "person_a", match.person_a, err));
    KD_TRY(kd_show_person_of(call, "person_b", match.person_b, err));
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status decide(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "said", "note", NULL };
    static const char *const words[] = { "same", "different", "unknown", NULL };
    static const kd_said said_of[] = { KD_SAID_SAME, KD_SAID_DIFFERENT, KD_SAID_UNKNOWN };
    kd_match_review match = { 0 };
    kd_waterfall waterfall = { 0 };
    int said = 0;
    int64_t decision = 0;
    kd_str note = { NULL, 0 };
    KD_TRY(open_match(call, "match.decide", &match, &waterfall, err));
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_word(kd_call_body(call), "said", words, -1, &said, err));
    KD_TRY(kd_in_text(kd_call_body(call), "note", false, NOTE_BYTES_MAX, &note, err));
    KD_TRY(kd_match_decide(call->reg, match.id, said_of[said], call->who->name, note, &decision, err));
    kd_json_object(&call->out);
    kd_out_id(&call->out, "decision_id", decision);
    kd_json_kbool(&call->out, "is_link_needed", said_of[said] != KD_SAID_UNKNOWN);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status undo(kd_call *call, kd_error *err)
{
    int64_t id = 0, division = 0;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_decision_division(call->reg, id, &division, err));
    KD_TRY(kd_call_allow_division(call, division, err));
    KD_TRY(kd_call_audit(call, "decision.undo", 0, division, object_of(call, "decision", id), err));
    KD_TRY(kd_decision_undo(call->reg, id, call->who->name, err));
    call->status = 204;
    return KD_OK;
}

static void put_estimate(kd_json *json, const char *key, double value, double low, double high)
{
    kd_json_key(json, key);
    kd_json_object(json);
    kd_json_kdouble(json, "value", value, PROBABILITY_DECIMALS);
    kd_json_kdouble(json, "low", low, PROBABILITY_DECIMALS);
    kd_json_kdouble(json, "high", high, PROBABILITY_DECIMALS);
    kd_json_object_end(json);
}

static kd_status quality(kd_call *call, kd_error *err)
{
    kd_match_estimate e = { .precision = 0 };
    kd_status status = kd_match_estimate_of(call->reg, call->arena, &e, err);
    if (status == KD_NOT_FOUND) { /* nothing was linked yet: nothing is known, which is an answer */
        const double none = (double)NAN;
        e = (kd_match_estimate){ .precision = none,
                                 .precision_low = none,
                                 .precision_high = none,
                                 .recall = none,
                                 .recall_low = none,
                                 .recall_high = none };
    } else if (status != KD_OK) {
        return status;
    }
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_instant(json, "run_at", e.run_at);
    kd_json_kint(json, "records", e.records);
    kd_json_kint(json, "persons", e.persons);
    kd_json_kint(json, "reviewed", e.reviewed);
    kd_json_kint(json, "reviewed_same", e.reviewed_same);
    put_estimate(json, "precision", e.precision, e.precision_low, e.precision_high);
    put_estimate(json, "recall", e.recall, e.recall_low, e.recall_high);
    kd_out_text(json, "method", kd_call_words(call, e.method_zh, e.method_en));
    kd_json_object_end(json);
    return KD_OK;
}

const kd_route kd_routes_matches[] = {
    { .method = "GET", .path = "/api/matches", .permission = "match.read", .needs_purpose = true, .run = list },
    { .method = "GET", .path = "/api/matches/quality", .permission = "match.read", .run = quality },
    { .method = "GET", .path = "/api/matches/{id}", .permission = "match.read", .needs_purpose = true, .run = get },
    { .method = "POST",
      .path = "/api/matches/{id}/decision",
      .permission = "match.decide",
      .body = KD_BODY_JSON,
      .needs_purpose = true,
      .needs_idempotency = true,
      .run = decide },
    { .method = "DELETE",
      .path = "/api/decisions/{id}",
      .permission = "decision.undo",
      .needs_purpose = true,
      .run = undo },
    { .method = NULL },
};
