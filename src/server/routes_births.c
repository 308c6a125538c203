/* Births: hospitals' notices, drafts, registering, correcting, undoing, the confirmation, and the offices that follow. */
#include "core.h"
#include "services/services.h"

enum {
    CHARS_QUERY_MAX = 100,
    REASON_BYTES_MAX = 2000 * 4,
    ANSWER_BYTES_MAX = 1000 * 4,
    OFFICE_BYTES_MAX = 64,
    TAKE_MAX = 200,
    PDF_BYTES_MAX = 4 << 20,
    PROBABILITY_DECIMALS = 4
};

static const kd_births_pack *pack_of(const kd_call *call)
{
    return call->server->births;
}

static kd_str object_of(kd_call *call, const char *kind, int64_t id)
{
    char text[KD_ID_TEXT_BYTES];
    return kd_arena_fmt(call->arena, "%s/%s", kind, kd_id_format(id, text));
}

/* From the area that holds the family's residence or the place of birth; else from the account's first. */
static kd_case_actor actor_of(kd_call *call, const kd_birth_declaration *d)
{
    const kd_account *who = call->who;
    const int64_t wanted[] = { d ? d->residence_division : 0, d ? d->place_division : 0 };
    kd_case_actor actor = { .account_id = who->id,
                            .division = who->area_count ? who->areas[0] : 0,
                            .name = who->name,
                            .role = who->role_count ? who->roles[0] : KD_STR(""),
                            .transaction_id = call->idempotency_key };
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++)
        for (size_t i = 0; wanted[w] && i < who->area_count; i++)
            if (kd_division_within(wanted[w], who->areas[i])) {
                actor.division = who->areas[i];
                return actor;
            }
    return actor;
}

/* ---- parts of answers ---- */

static void put_remarks(kd_call *call, const kd_birth_remark *remarks, size_t count)
{
    kd_json *json = &call->out;
    kd_json_key(json, "remarks");
    kd_json_array(json);
    for (size_t i = 0; i < count; i++) {
        kd_json_object(json);
        kd_json_kbool(json, "is_blocking", remarks[i].is_blocking);
        kd_out_text(json, "field", remarks[i].field);
        kd_out_text(json, "text", kd_call_words(call, remarks[i].zh, remarks[i].en));
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void put_notice(kd_call *call, const kd_office_notice *notice)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_id(json, "id", notice->id);
    kd_out_text(json, "office", notice->office);
    kd_out_text(json, "title", kd_call_words(call, notice->title_zh, notice->title_en));
    kd_out_text(json, "state", notice->state);
    kd_json_key(json, "payload");
    kd_out_raw(json, notice->payload);
    kd_out_instant(json, "created_at", notice->created_at);
    kd_out_instant(json, "sent_at", notice->sent_at);
    kd_out_instant(json, "answered_at", notice->answered_at);
    kd_json_kstr(json, "answer", notice->answer);
    kd_json_object_end(json);
}

static void put_notices(kd_call *call, const char *key, const kd_office_notice *notices, size_t count)
{
    kd_json_key(&call->out, key);
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) put_notice(call, &notices[i]);
    kd_json_array_end(&call->out);
}

static void put_action(kd_call *call, const kd_case_action *action)
{
    size_t count;
    const kd_births_word *words = kd_births_pack_words(pack_of(call), "action", &count);
    kd_str title = action->kind;
    for (size_t i = 0; i < count; i++)
        if (kd_str_eq(words[i].code, action->kind)) title = kd_call_words(call, words[i].zh, words[i].en);
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_instant(json, "at", action->at);
    kd_out_text(json, "kind", action->kind);
    kd_out_text(json, "title", title);
    kd_out_text(json, "status", action->status);
    kd_json_kstr(json, "by", action->name);
    kd_json_kstr(json, "role", action->role);
    kd_json_kstr(json, "reason", action->reason);
    kd_json_object_end(json);
}

static void put_children(kd_call *call, const kd_birth *birth)
{
    kd_json *json = &call->out;
    kd_json_key(json, "children");
    kd_json_array(json);
    for (size_t i = 0; i < birth->declaration.child_count; i++) {
        kd_json_object(json);
        kd_out_id(json, "person_id", birth->children[i].person_id);
        kd_json_kstr(json, "number", birth->children[i].number);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static kd_status put_birth(kd_call *call, const kd_birth *birth, kd_error *err)
{
    kd_json *json = &call->out;
    kd_birth_remark *remarks;
    kd_office_notice *notices;
    kd_case_action *actions;
    size_t remark_count, notice_count, action_count;
    KD_TRY(kd_birth_review(call->reg, pack_of(call), &birth->declaration, kd_today(), call->arena, &remarks,
                           &remark_count, err));
    KD_TRY(kd_notice_of_case(call->reg, pack_of(call), birth->id, call->arena, &notices, &notice_count, err));
    KD_TRY(kd_case_actions(call->reg, birth->id, call->arena, &actions, &action_count, err));
    kd_json_object(json);
    kd_out_id(json, "id", birth->id);
    kd_out_text(json, "state", birth->state);
    kd_json_kint(json, "version", birth->version);
    kd_out_division(call, "division", birth->division);
    kd_json_key(json, "declaration");
    KD_TRY(kd_birth_write_json(&birth->declaration, json));
    put_children(call, birth);
    put_remarks(call, remarks, remark_count);
    put_notices(call, "notices", notices, notice_count);
    kd_json_key(json, "actions");
    kd_json_array(json);
    for (size_t i = 0; i < action_count; i++) put_action(call, &actions[i]);
    kd_json_array_end(json);
    kd_out_instant(json, "created_at", birth->created_at);
    kd_out_instant(json, "changed_at", birth->changed_at);
    kd_json_object_end(json);
    kd_call_set_version(call, birth->version);
    return KD_OK;
}

/* ---- hospitals' notices ---- */

static kd_status list_deliveries(kd_call *call, kd_error *err)
{
    int64_t division;
    size_t limit;
    kd_str query;
    kd_delivery_page page;
    KD_TRY(kd_call_area(call, &division, err));
    KD_TRY(kd_call_query_text(call, "q", false, CHARS_QUERY_MAX, &query, err));
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(kd_delivery_list(call->reg, pack_of(call), division, query, kd_call_query(call, "cursor"), limit,
                            call->arena, &page, err));
    KD_TRY(kd_call_audit(call, "delivery.list", 0, division, KD_STR("delivery"), err));
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_json_key(json, "items");
    kd_json_array(json);
    for (size_t i = 0; i < page.count; i++) {
        const kd_delivery_notice *notice = &page.notices[i];
        kd_json_object(json);
        kd_out_id(json, "id", notice->record_id);
        kd_json_kstr(json, "child_name", notice->child_name);
        kd_json_kstr(json, "mother_name", notice->mother_name);
        kd_json_kint(json, "sex", notice->sex);
        kd_json_kday(json, "birth_date", notice->birth_day);
        kd_json_kstr(json, "institution", notice->institution);
        kd_out_division(call, "division", notice->division);
        kd_json_kint(json, "days_waiting", notice->days_waiting);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_kstr(json, "next", page.next);
    kd_json_object_end(json);
    return KD_OK;
}

static kd_status prefill(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_birth_declaration d;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_birth_prefill(call->reg, pack_of(call), id, call->arena, &d, err));
    int64_t division = d.residence_division ? d.residence_division : d.place_division;
    KD_TRY(kd_call_allow_division(call, division, err));
    KD_TRY(kd_call_audit(call, "birth.prefill", d.mother.person_id, division, object_of(call, "delivery", id), err));
    return kd_birth_write_json(&d, &call->out);
}

/* ---- lists and drafts ---- */

static kd_status read_state(kd_call *call, kd_str *out_state, kd_error *err)
{
    static const char *const states[] = { "draft", "registered", "corrected", "cancelled" };
    kd_str state = kd_call_query(call, "state");
    bool is_known = state.len == 0;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) is_known = is_known || kd_str_is(state, states[i]);
    if (!is_known) return kd_fail(err, KD_INVALID, "state", "draft, registered, corrected or cancelled is expected");
    *out_state = state;
    return KD_OK;
}

static kd_status list_births(kd_call *call, kd_error *err)
{
    kd_birth_filter filter = { .cursor = kd_call_query(call, "cursor") };
    kd_birth_page page;
    KD_TRY(kd_call_area(call, &filter.division, err));
    KD_TRY(read_state(call, &filter.state, err));
    KD_TRY(kd_call_query_text(call, "q", false, CHARS_QUERY_MAX, &filter.query, err));
    KD_TRY(kd_call_limit(call, &filter.limit, err));
    KD_TRY(kd_birth_list(call->reg, &filter, call->arena, &page, err));
    KD_TRY(kd_call_audit(call, "birth.list", 0, filter.division, KD_STR("birth"), err));
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_json_key(json, "items");
    kd_json_array(json);
    for (size_t i = 0; i < page.count; i++) {
        const kd_birth_brief *brief = &page.births[i];
        kd_json_object(json);
        kd_out_id(json, "id", brief->id);
        kd_out_text(json, "state", brief->state);
        kd_json_kstr(json, "number", brief->number);
        kd_json_kstr(json, "child_name", brief->child_name);
        kd_json_kstr(json, "mother_name", brief->mother_name);
        kd_json_kday(json, "birth_date", brief->birth_day);
        kd_out_division(call, "division", brief->division);
        kd_out_instant(json, "created_at", brief->created_at);
        kd_out_instant(json, "changed_at", brief->changed_at);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_kstr(json, "next", page.next);
    kd_json_object_end(json);
    return KD_OK;
}

/* The case of the path, when its area is the account's; `action` is what is being done to it. */
static kd_status open_birth(kd_call *call, const char *action, kd_birth *out, kd_error *err)
{
    int64_t id;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_birth_get(call->reg, id, call->arena, out, err));
    if (!kd_account_covers(call->who, out->division))
        return kd_call_deny(call, action, out->children[0].person_id, out->division, object_of(call, "birth", id), err);
    return kd_call_audit(call, action, out->children[0].person_id, out->division, object_of(call, "birth", id), err);
}

static kd_status create(kd_call *call, kd_error *err)
{
    int64_t id, version;
    kd_birth birth;
    kd_birth_declaration d;
    KD_TRY(kd_birth_read_value(call->body, "", call->arena, &d, err));
    kd_case_actor actor = actor_of(call, &d);
    KD_TRY(kd_birth_save(call->reg, pack_of(call), 0, 0, &d, &actor, &id, &version, err));
    KD_TRY(kd_birth_get(call->reg, id, call->arena, &birth, err));
    KD_TRY(kd_call_audit(call, "birth.create", 0, birth.division, object_of(call, "birth", id), err));
    call->status = 201;
    return put_birth(call, &birth, err);
}

static kd_status save(kd_call *call, kd_error *err)
{
    int64_t id, version;
    kd_birth birth;
    kd_birth_declaration d;
    KD_TRY(kd_birth_read_value(call->body, "", call->arena, &d, err));
    KD_TRY(open_birth(call, "birth.save", &birth, err));
    KD_TRY(kd_call_match_version(call, birth.version, true, err));
    kd_case_actor actor = actor_of(call, &d);
    KD_TRY(kd_birth_save(call->reg, pack_of(call), birth.id, birth.version, &d, &actor, &id, &version, err));
    KD_TRY(kd_birth_get(call->reg, id, call->arena, &birth, err));
    return put_birth(call, &birth, err);
}

static kd_status get(kd_call *call, kd_error *err)
{
    kd_birth birth;
    KD_TRY(open_birth(call, "birth.read", &birth, err));
    return put_birth(call, &birth, err);
}

/* Of somebody outside the account's area only that there is somebody, and where. */
static void put_candidate(kd_call *call, const kd_birth_candidate *candidate)
{
    bool is_open = kd_account_covers(call->who, candidate->division);
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_id(json, "person_id", candidate->person_id);
    kd_out_id(json, "birth_id", candidate->case_id);
    kd_json_kstr(json, "name", is_open ? candidate->name : KD_STR(""));
    kd_json_kstr(json, "mother_name", is_open ? candidate->mother_name : KD_STR(""));
    kd_json_kint(json, "sex", candidate->sex);
    kd_json_kday(json, "birth_date", candidate->birth_day);
    kd_out_division(call, "division", candidate->division);
    kd_json_kdouble(json, "probability", candidate->probability, PROBABILITY_DECIMALS);
    kd_out_text(json, "why", kd_call_words(call, candidate->why_zh, candidate->why_en));
    kd_json_object_end(json);
}

static kd_status review(kd_call *call, kd_error *err)
{
    kd_birth_declaration d;
    kd_birth_remark *remarks;
    kd_birth_candidate *candidates;
    size_t remark_count, candidate_count;
    KD_TRY(kd_birth_read_value(call->body, "", call->arena, &d, err));
    KD_TRY(kd_birth_review(call->reg, pack_of(call), &d, kd_today(), call->arena, &remarks, &remark_count, err));
    KD_TRY(kd_birth_duplicates(call->reg, pack_of(call), &d, 0, call->arena, &candidates, &candidate_count, err));
    if (candidate_count)
        KD_TRY(kd_call_audit(call, "birth.review", candidates[0].person_id, actor_of(call, &d).division,
                             KD_STR("birth"), err));
    kd_json *json = &call->out;
    kd_json_object(json);
    put_remarks(call, remarks, remark_count);
    kd_json_key(json, "candidates");
    kd_json_array(json);
    for (size_t i = 0; i < candidate_count; i++) put_candidate(call, &candidates[i]);
    kd_json_array_end(json);
    kd_json_object_end(json);
    return KD_OK;
}

/* ---- registering ---- */

static kd_status read_same_as(kd_call *call, int64_t out[KD_BIRTH_CHILDREN_MAX], kd_error *err)
{
    static const char *const members[] = { "same_as", NULL };
    const json_t *list = json_object_get(call->body, "same_as");
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    for (size_t i = 0; i < KD_BIRTH_CHILDREN_MAX; i++) out[i] = 0;
    if (!list) return KD_OK;
    if (!json_is_array(list) || json_array_size(list) > KD_BIRTH_CHILDREN_MAX)
        return kd_fail(err, KD_INVALID, "/same_as", "a list of at most %d persons is expected", KD_BIRTH_CHILDREN_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        const kd_str text = { json_string_value(id), json_string_length(id) };
        char field[40];
        snprintf(field, sizeof field, "/same_as/%zu", i);
        if (json_is_null(id)) continue;
        if (text.len != KD_ID_TEXT_BYTES - 1 || !kd_id_parse(text, &out[i]))
            return kd_fail(err, KD_INVALID, field, "the id of a person is expected");
    }
    return KD_OK;
}

static kd_status register_it(kd_call *call, kd_error *err)
{
    int64_t same_as[KD_BIRTH_CHILDREN_MAX];
    kd_birth birth;
    KD_TRY(read_same_as(call, same_as, err));
    KD_TRY(open_birth(call, "birth.register", &birth, err));
    KD_TRY(kd_call_match_version(call, birth.version, true, err));
    kd_case_actor actor = actor_of(call, &birth.declaration);
    KD_TRY(kd_birth_register(call->reg, pack_of(call), birth.id, birth.version, same_as, &actor, &birth, call->arena,
                             err));
    return put_birth(call, &birth, err);
}

static kd_status correct(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "reason", "declaration", NULL };
    kd_in declaration;
    kd_str reason;
    kd_birth birth;
    kd_birth_declaration d;
    KD_TRY(open_birth(call, "birth.correct", &birth, err));
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_text(kd_call_body(call), "reason", true, REASON_BYTES_MAX, &reason, err));
    KD_TRY(kd_in_object(kd_call_body(call), "declaration", true, &declaration, err));
    KD_TRY(kd_birth_read_value(declaration.object, "/declaration", call->arena, &d, err));
    KD_TRY(kd_call_match_version(call, birth.version, true, err));
    kd_case_actor actor = actor_of(call, &d);
    KD_TRY(kd_birth_correct(call->reg, pack_of(call), birth.id, birth.version, &d, reason, &actor, &birth, call->arena,
                            err));
    return put_birth(call, &birth, err);
}

static kd_status cancel(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "reason", NULL };
    kd_str reason;
    kd_birth birth;
    KD_TRY(open_birth(call, "birth.cancel", &birth, err));
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_text(kd_call_body(call), "reason", true, REASON_BYTES_MAX, &reason, err));
    KD_TRY(kd_call_match_version(call, birth.version, true, err));
    kd_case_actor actor = actor_of(call, &birth.declaration);
    KD_TRY(kd_birth_cancel(call->reg, pack_of(call), birth.id, birth.version, reason, &actor, err));
    KD_TRY(kd_birth_get(call->reg, birth.id, call->arena, &birth, err));
    return put_birth(call, &birth, err);
}

static kd_status confirmation(kd_call *call, kd_error *err)
{
    int64_t child;
    kd_birth birth;
    kd_buf pdf;
    KD_TRY(kd_call_query_int(call, "child", 1, 1, KD_BIRTH_CHILDREN_MAX, &child, err));
    KD_TRY(open_birth(call, "birth.print", &birth, err));
    kd_buf_init(&pdf, PDF_BYTES_MAX);
    kd_status status =
        kd_birth_confirmation(call->reg, pack_of(call), &birth, (size_t)child - 1, call->is_english, &pdf, err);
    if (status == KD_OK) {
        kd_buf_add(&call->out_bytes, pdf.ptr, pdf.len);
        call->content_type = "application/pdf";
        call->download_name = kd_arena_fmt(call->arena, "%.*s.pdf", KD_FMT(birth.children[child - 1].number));
    }
    kd_buf_done(&pdf);
    return status;
}

/* ---- offices ---- */

static kd_status take(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "office", "limit", NULL };
    kd_str office;
    int64_t limit, division;
    kd_office_notice *notices;
    size_t count;
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_text(kd_call_body(call), "office", true, OFFICE_BYTES_MAX, &office, err));
    KD_TRY(kd_in_int(kd_call_body(call), "limit", true, 1, TAKE_MAX, 0, &limit, err));
    KD_TRY(kd_call_area(call, &division, err));
    KD_TRY(kd_call_audit(call, "notice.take", 0, division, office, err));
    KD_TRY(
        kd_notice_take(call->reg, pack_of(call), office, division, (size_t)limit, call->arena, &notices, &count, err));
    kd_json_object(&call->out);
    put_notices(call, "items", notices, count);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status answer(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "is_accepted", "answer", NULL };
    bool is_accepted;
    kd_str text;
    int64_t id, division;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    if (!json_object_get(call->body, "is_accepted")) return kd_fail(err, KD_INVALID, "/is_accepted", "this is needed");
    KD_TRY(kd_in_bool(kd_call_body(call), "is_accepted", false, &is_accepted, err));
    KD_TRY(kd_in_text(kd_call_body(call), "answer", false, ANSWER_BYTES_MAX, &text, err));
    KD_TRY(kd_notice_division(call->reg, id, &division, err));
    KD_TRY(kd_call_allow_division(call, division, err));
    KD_TRY(kd_call_audit(call, "notice.answer", 0, division, object_of(call, "notice", id), err));
    kd_case_actor actor = actor_of(call, NULL);
    KD_TRY(kd_notice_answer(call->reg, id, is_accepted, text, &actor, err));
    call->status = 204;
    return KD_OK;
}

#define READS .needs_purpose = true
#define WRITES .body = KD_BODY_JSON, .needs_purpose = true
#define ONCE .body = KD_BODY_JSON, .needs_purpose = true, .needs_idempotency = true
const kd_route kd_routes_births[] = {
    { "GET", "/api/deliveries", "birth.read", READS, .run = list_deliveries },
    { "GET", "/api/deliveries/{id}/prefill", "birth.write", READS, .run = prefill },
    { "GET", "/api/births", "birth.read", READS, .run = list_births },
    { "POST", "/api/births", "birth.write", ONCE, .run = create },
    { "POST", "/api/births/review", "birth.write", WRITES, .run = review },
    { "GET", "/api/births/{id}", "birth.read", READS, .run = get },
    { "PUT", "/api/births/{id}", "birth.write", WRITES, .run = save },
    { "POST", "/api/births/{id}/register", "birth.register", ONCE, .run = register_it },
    { "POST", "/api/births/{id}/correct", "birth.correct", ONCE, .run = correct },
    { "POST", "/api/births/{id}/cancel", "birth.cancel", ONCE, .run = cancel },
    { "GET", "/api/births/{id}/confirmation", "birth.read", READS, .run = confirmation },
    { "POST", "/api/notices/take", "notice.answer", ONCE, .run = take },
    { "POST", "/api/notices/{id}/answer", "notice.answer", ONCE, .run = answer },
    { .method = NULL },
};
