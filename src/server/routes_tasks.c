/* Tasks of disagreement: lists, one with its evidence, holding, answering, photos. */
#include "core.h"
#include "show.h"

#include <string.h>

enum {
    NOTE_BYTES_MAX = 2000 * 4,
    VALUE_BYTES_MAX = 400 * 4,
    REASON_BYTES_MAX = 2000 * 4,
    PHOTO_BYTES_MAX = 12 << 20,
    RECORDS_SHOWN = 12
};

static kd_str object_of(kd_call *call, const char *kind, int64_t id)
{
    char text[KD_ID_TEXT_BYTES];
    return kd_arena_fmt(call->arena, "%s/%s", kind, kd_id_format(id, text));
}

/* Changes with whatever the page shows of the task itself; who holds it is not part of that. */
static int64_t version_of(const kd_task *task)
{
    uint64_t hash = kd_hash(task->facts.ptr, task->facts.len, 1);
    hash = kd_hash(task->state.ptr, task->state.len, hash);
    hash = kd_hash(task->answer.ptr, task->answer.len, hash);
    hash = kd_hash(task->note.ptr, task->note.len, hash);
    hash = kd_hash_int(hash ^ (uint64_t)task->resolved_at ^ (uint64_t)task->person_id << 1 ^ (uint64_t)task->other_id);
    return (int64_t)(hash >> 1);
}

/* ---- one task as JSON ---- */

kd_status kd_show_task(kd_call *call, const char *key, const kd_task *task, const kd_task_words *words, kd_error *err)
{
    kd_json *json = &call->out;
    kd_claim claim = { 0 };
    kd_status held = kd_claim_of(call->reg, object_of(call, "task", task->id), call->arena, &claim, NULL);
    if (held != KD_OK && held != KD_NOT_FOUND) return kd_fail(err, held, "", "who holds a task cannot be read");
    bool is_open = kd_str_is(task->state, "open"), shows_people = kd_call_may(call, "person.read");
    kd_str title = kd_call_words(call, words->title_zh, words->title_en);
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_id(json, "id", task->id);
    kd_out_text(json, "kind", task->kind);
    kd_out_text(json, "title", title.len ? title : task->kind);
    kd_out_text(json, "state", task->state);
    kd_json_kint(json, "severity", task->severity);
    KD_TRY(kd_show_person_of(call, "person", shows_people ? task->person_id : 0, err));
    KD_TRY(kd_show_person_of(call, "other", shows_people ? task->other_id : 0, err));
    kd_out_division(call, "division", task->division);
    kd_json_kstr(json, "attribute", task->attribute);
    kd_out_text(json, "role", kd_call_words(call, words->role_zh, words->role_en));
    kd_json_kday(json, "due_on", task->due_day);
    kd_json_kbool(json, "is_overdue", is_open && task->due_day < kd_today());
    kd_out_instant(json, "created_at", task->created_at);
    kd_json_kstr(json, "held_by", claim.name);
    kd_json_object_end(json);
    return KD_OK;
}

/* ---- the list ---- */

static kd_status read_filter(kd_call *call, kd_task_filter *filter, kd_error *err)
{
    static const char *const states[] = { "open", "resolved", "closed" };
    bool only_overdue = false, is_known = false;
    kd_str state = kd_call_query(call, "state");
    KD_TRY(kd_call_area(call, &filter->division, err));
    KD_TRY(kd_call_query_text(call, "kind", false, 64, &filter->kind, err));
    KD_TRY(kd_call_query_bool(call, "overdue", false, &only_overdue, err));
    KD_TRY(kd_call_limit(call, &filter->limit, err));
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) is_known = is_known || kd_str_is(state, states[i]);
    if (state.len && !is_known) return kd_fail(err, KD_INVALID, "state", "open, resolved or closed is expected");
    filter->state = only_overdue ? KD_STR("open") : state;
    filter->overdue_on = only_overdue ? kd_today() : KD_DAY_NONE;
    filter->cursor = kd_call_query(call, "cursor");
    return KD_OK;
}

/* What the pack says of a kind, looked up once for each kind of a page. */
static kd_status words_of(kd_call *call, const kd_task_page *page, size_t index, kd_task_words *words, kd_error *err)
{
    const kd_task *task = &page->tasks[index];
    for (size_t i = 0; i < index; i++) {
        if (!kd_str_eq(page->tasks[i].kind, task->kind) || !kd_str_eq(page->tasks[i].role, task->role)) continue;
        words[index] = words[i];
        return KD_OK;
    }
    return kd_task_describe(call->reg, task, call->arena, &words[index], err);
}

static kd_status count_overdue(kd_call *call, const kd_task_filter *filter, int64_t *out_overdue, kd_error *err)
{
    kd_task_sum *sums;
    size_t count = 0;
    KD_TRY(kd_task_summary(call->reg, &filter->division, 1, kd_today(), call->arena, &sums, &count, err));
    *out_overdue = 0;
    for (size_t i = 0; i < count; i++)
        if (!filter->kind.len || kd_str_eq(filter->kind, sums[i].kind)) *out_overdue += sums[i].overdue;
    return KD_OK;
}

static kd_status list(kd_call *call, kd_error *err)
{
    kd_task_filter filter = { .overdue_on = KD_DAY_NONE };
    kd_task_page page;
    int64_t overdue = 0;
    KD_TRY(read_filter(call, &filter, err));
    KD_TRY(kd_task_list(call->reg, &filter, call->arena, &page, err));
    KD_TRY(count_overdue(call, &filter, &overdue, err));
    KD_TRY(kd_call_audit(call, "task.list", 0, filter.division, KD_STR("task"), err));
    kd_task_words *words = kd_arena_array(call->arena, page.count + 1, sizeof *words);
    if (!words) return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < page.count; i++) {
        KD_TRY(words_of(call, &page, i, words, err));
        KD_TRY(kd_show_task(call, NULL, &page.tasks[i], &words[i], err));
    }
    kd_json_array_end(&call->out);
    kd_json_kstr(&call->out, "next", page.next);
    kd_json_kint(&call->out, "overdue", overdue);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* ---- one, with its evidence ---- */

/* The task of the path, when its area is the account's. */
static kd_status find_task(kd_call *call, kd_task *out, kd_error *err)
{
    int64_t id = 0;
    kd_task task = { 0 };
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_task_get(call->reg, id, call->arena, &task, err));
    KD_TRY(kd_call_allow_division(call, task.division, err));
    *out = task;
    return KD_OK;
}

static const kd_attribute_view *attribute_of(const kd_person_view *view, kd_str attribute)
{
    for (size_t i = 0; i < view->attribute_count; i++)
        if (kd_str_is(attribute, view->attributes[i].attribute)) return &view->attributes[i];
    return NULL;
}

static void put_holder(kd_call *call, const kd_value_holder *holder)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_show_source(call, "source", &holder->source);
    kd_out_text(json, "text", holder->text);
    kd_out_id(json, "record_id", holder->record_id);
    kd_json_kint(json, "trust", holder->trust);
    kd_json_kday(json, "recorded_on", holder->recorded_day);
    kd_json_object_end(json);
}

/* Here the values themselves are what has to be compared: an identity number is shown whole to whom the task is given. */
static void put_choices(kd_call *call, const kd_attribute_view *attribute)
{
    kd_json *json = &call->out;
    kd_json_key(json, "choices");
    kd_json_array(json);
    for (size_t i = 0; attribute && i < attribute->count; i++) {
        const kd_value_view *value = &attribute->values[i];
        bool is_number = strcmp(attribute->attribute, "identity_number") == 0;
        kd_json_object(json);
        kd_out_text(json, "value", value->value);
        kd_out_text(json, "words",
                    is_number ? value->value : kd_show_value(call, kd_str_of(attribute->attribute), value->value));
        kd_json_key(json, "holders");
        kd_json_array(json);
        for (size_t k = 0; k < value->holder_count; k++) put_holder(call, &value->holders[k]);
        kd_json_array_end(json);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static bool holds(const kd_attribute_view *attribute, int64_t record_id)
{
    for (size_t i = 0; attribute && i < attribute->count; i++)
        for (size_t k = 0; k < attribute->values[i].holder_count; k++)
            if (attribute->values[i].holders[k].record_id == record_id) return true;
    return false;
}

/* The two records at issue; of a value those that hold one; else the person's. */
static kd_status put_records(kd_call *call, const kd_task *task, const kd_person_view *view,
                             const kd_attribute_view *attribute, kd_error *err)
{
    size_t shown = 0;
    kd_json_key(&call->out, "records");
    kd_json_array(&call->out);
    if (task->other_id && task->record_a && task->record_b) {
        kd_source_record records[2];
        kd_source_name sources[2];
        kd_str files[2];
        const int64_t ids[] = { task->record_a, task->record_b };
        for (size_t i = 0; i < 2; i++)
            KD_TRY(kd_source_record_get(call->reg, ids[i], call->arena, &records[i], &sources[i], &files[i], err));
        for (size_t i = 0; i < 2; i++)
            kd_show_record(call, NULL, &(kd_shown_record){ &records[i], &sources[i], files[i], &records[1 - i] });
        shown = RECORDS_SHOWN;
    }
    for (size_t i = 0; i < view->link_count && shown < RECORDS_SHOWN; i++) {
        const kd_link_view *link = &view->links[i];
        if (attribute && !holds(attribute, link->record.id)) continue;
        kd_show_record(call, NULL, &(kd_shown_record){ &link->record, &link->source, link->file_name, NULL });
        shown++;
    }
    kd_json_array_end(&call->out);
    return KD_OK;
}

static void put_attachment(kd_call *call, const kd_attachment *photo)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_id(json, "id", photo->id);
    kd_out_text(json, "content_type", photo->content_type);
    kd_json_kint(json, "bytes", photo->bytes);
    kd_out_instant(json, "at", photo->at);
    kd_json_object_end(json);
}

static kd_status put_photos(kd_call *call, kd_str object, kd_error *err)
{
    kd_attachment *photos;
    size_t count = 0;
    KD_TRY(kd_attachment_list(call->reg, object, call->arena, &photos, &count, err));
    kd_json_key(&call->out, "photos");
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) put_attachment(call, &photos[i]);
    kd_json_array_end(&call->out);
    return KD_OK;
}

static void put_claim(kd_call *call, const char *key, const kd_claim *claim)
{
    kd_json *json = &call->out;
    if (key) kd_json_key(json, key);
    if (!claim) {
        kd_json_null(json);
        return;
    }
    kd_json_object(json);
    kd_out_text(json, "name", claim->name);
    kd_json_kbool(json, "is_mine", claim->account_id == call->who->id);
    kd_out_instant(json, "until", claim->until);
    kd_json_object_end(json);
}

static kd_status put_claim_of(kd_call *call, kd_str object, kd_error *err)
{
    kd_claim claim = { 0 };
    kd_status status = kd_claim_of(call->reg, object, call->arena, &claim, err);
    if (status != KD_OK && status != KD_NOT_FOUND) return status;
    put_claim(call, "claim", status == KD_OK ? &claim : NULL);
    return KD_OK;
}

static kd_status put_people(kd_call *call, const kd_task *task, kd_error *err)
{
    const int64_t ids[] = { task->person_id, task->other_id };
    kd_json_key(&call->out, "people");
    kd_json_array(&call->out);
    for (size_t i = 0; i < 2; i++) {
        kd_person_brief brief;
        if (!ids[i]) continue;
        kd_status status = kd_person_brief_load(call->reg, ids[i], call->arena, &brief, err);
        if (status == KD_NOT_FOUND) continue;
        KD_TRY(status);
        kd_show_person(call, NULL, &brief);
    }
    kd_json_array_end(&call->out);
    return KD_OK;
}

static kd_status put_detail(kd_call *call, const kd_task *task, kd_error *err)
{
    static const char *const forms[] = { "value", "same", "confirmed" };
    kd_json *json = &call->out;
    kd_task_words words = { 0 };
    kd_person_view view = { 0 };
    kd_str object = object_of(call, "task", task->id);
    KD_TRY(kd_task_describe(call->reg, task, call->arena, &words, err));
    KD_TRY(kd_person_view_load(call->reg, task->person_id, call->arena, &view, err));
    const kd_attribute_view *attribute = attribute_of(&view, task->attribute);
    kd_json_object(json);
    KD_TRY(kd_show_task(call, "task", task, &words, err));
    kd_out_text(json, "ask", kd_call_words(call, words.ask_zh, words.ask_en));
    kd_out_text(json, "offer", kd_call_words(call, words.offer_zh, words.offer_en));
    kd_out_text(json, "form", kd_str_of(forms[words.form]));
    put_choices(call, words.form == KD_ANSWER_VALUE ? attribute : NULL);
    KD_TRY(put_records(call, task, &view, attribute, err));
    KD_TRY(put_people(call, task, err));
    KD_TRY(put_photos(call, object, err));
    kd_json_kstr(json, "answer", task->answer);
    kd_json_kstr(json, "answered_by", task->resolved_by);
    kd_out_instant(json, "answered_at", task->resolved_at);
    kd_json_kstr(json, "note", task->note);
    KD_TRY(put_claim_of(call, object, err));
    kd_json_object_end(json);
    return KD_OK;
}

/* Both persons are opened: that is where purpose and the audit entry stand. Whoever may not read persons reads no evidence. */
static kd_status open_people(kd_call *call, const kd_task *task, const char *action, kd_error *err)
{
    if (!kd_call_may(call, "person.read"))
        return kd_call_deny(call, action, task->person_id, task->division, object_of(call, "task", task->id), err);
    KD_TRY(kd_call_audit(call, action, task->person_id, task->division, object_of(call, "task", task->id), err));
    return task->other_id
               ? kd_call_audit(call, action, task->other_id, task->division, object_of(call, "task", task->id), err)
               : KD_OK;
}

static kd_status get(kd_call *call, kd_error *err)
{
    kd_task task = { 0 };
    KD_TRY(find_task(call, &task, err));
    KD_TRY(open_people(call, &task, "task.read", err));
    kd_call_set_version(call, version_of(&task));
    return put_detail(call, &task, err);
}

/* ---- holding ---- */

static kd_status claim(kd_call *call, kd_error *err)
{
    kd_task task = { 0 };
    kd_claim holder = { 0 };
    KD_TRY(find_task(call, &task, err));
    kd_status status = kd_claim_take(call->reg, object_of(call, "task", task.id), call->who->id, call->who->name,
                                     kd_access_pack_claim_us(call->server->pack), call->arena, &holder, err);
    if (status == KD_CONFLICT) call->holder = holder.name;
    KD_TRY(status);
    put_claim(call, NULL, &holder);
    return KD_OK;
}

static kd_status release(kd_call *call, kd_error *err)
{
    kd_task task = { 0 };
    KD_TRY(find_task(call, &task, err));
    KD_TRY(kd_claim_release(call->reg, object_of(call, "task", task.id), call->who->id, err));
    call->status = 204;
    return KD_OK;
}

/* ---- answering ---- */

static void put_result(kd_json *json, const kd_answer_result *result)
{
    kd_json_object(json);
    kd_json_kbool(json, "is_open", result->is_open);
    kd_json_kbool(json, "is_link_needed", result->is_link_needed);
    kd_json_kint(json, "corrections", result->corrections);
    kd_json_kint(json, "changed_values", result->changed_values);
    kd_json_object_end(json);
}

static kd_status read_answer(kd_call *call, kd_answer *answer, kd_error *err)
{
    static const char *const members[] = { "said", "value", "note", NULL };
    static const char *const words[] = { "value", "same", "different", "confirmed", "not_so", "unknown", NULL };
    static const kd_said said_of[] = { KD_SAID_VALUE,     KD_SAID_SAME,   KD_SAID_DIFFERENT,
                                       KD_SAID_CONFIRMED, KD_SAID_NOT_SO, KD_SAID_UNKNOWN };
    int said = 0;
    kd_in body = kd_call_body(call);
    KD_TRY(kd_in_only(body, members, err));
    KD_TRY(kd_in_word(body, "said", words, -1, &said, err));
    KD_TRY(kd_in_text(body, "value", said_of[said] == KD_SAID_VALUE, VALUE_BYTES_MAX, &answer->value, err));
    KD_TRY(kd_in_text(body, "note", false, NOTE_BYTES_MAX, &answer->note, err));
    answer->said = said_of[said];
    answer->by = call->who->name;
    return KD_OK;
}

/* Somebody else who holds the task goes first. */
static kd_status hold(kd_call *call, kd_str object, bool *out_was_held, kd_error *err)
{
    kd_claim holder = { 0 };
    kd_status status = kd_claim_of(call->reg, object, call->arena, &holder, err);
    *out_was_held = status == KD_OK && holder.account_id == call->who->id;
    if (status != KD_OK && status != KD_NOT_FOUND) return status;
    status = kd_claim_take(call->reg, object, call->who->id, call->who->name,
                           kd_access_pack_claim_us(call->server->pack), call->arena, &holder, err);
    if (status == KD_CONFLICT) call->holder = holder.name;
    return status;
}

/* Held: read again, for what the version was looked at of may have been answered before it was held. */
static kd_status answer_held(kd_call *call, kd_str object, const kd_answer *answer, kd_answer_result *result,
                             kd_error *err)
{
    kd_task task = { 0 };
    KD_TRY(find_task(call, &task, err));
    KD_TRY(kd_call_match_version(call, version_of(&task), true, err));
    KD_TRY(open_people(call, &task, "task.answer", err));
    KD_TRY(kd_task_resolve(call->reg, task.id, answer, result, err));
    return kd_claim_release(call->reg, object, call->who->id, err);
}

static kd_status answer_task(kd_call *call, kd_error *err)
{
    kd_task task = { 0 };
    kd_answer answer = { .said = KD_SAID_UNKNOWN };
    kd_answer_result result = { 0 };
    bool was_held = false;
    KD_TRY(find_task(call, &task, err));
    KD_TRY(read_answer(call, &answer, err));
    kd_str object = object_of(call, "task", task.id);
    KD_TRY(kd_call_match_version(call, version_of(&task), true, err));
    KD_TRY(hold(call, object, &was_held, err));
    kd_status status = answer_held(call, object, &answer, &result, err);
    if (status != KD_OK && !was_held && kd_claim_release(call->reg, object, call->who->id, NULL) != KD_OK)
        kd_log(KD_LOG_WARN, "a claim on a task stays until it runs out");
    KD_TRY(status);
    put_result(&call->out, &result);
    return KD_OK;
}

static kd_status reopen(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "reason", NULL };
    kd_task task = { 0 };
    kd_answer_result result = { 0 };
    kd_str reason = { NULL, 0 };
    KD_TRY(find_task(call, &task, err));
    KD_TRY(kd_in_only(kd_call_body(call), members, err));
    KD_TRY(kd_in_text(kd_call_body(call), "reason", true, REASON_BYTES_MAX, &reason, err));
    KD_TRY(open_people(call, &task, "task.reopen", err));
    KD_TRY(kd_task_reopen(call->reg, task.id, call->who->name, reason, &result, err));
    put_result(&call->out, &result);
    return KD_OK;
}

/* ---- photos ---- */

static kd_status add_photo(kd_call *call, kd_error *err)
{
    kd_task task = { 0 };
    kd_attachment photo = { 0 };
    int64_t id = 0;
    KD_TRY(find_task(call, &task, err));
    kd_str object = object_of(call, "task", task.id);
    KD_TRY(kd_call_audit(call, "attachment.write", task.person_id, task.division, object, err));
    KD_TRY(kd_attachment_add(call->reg, object, call->file, call->who->id, &id, err));
    KD_TRY(kd_attachment_get(call->reg, id, call->arena, &photo, err));
    call->status = 201;
    put_attachment(call, &photo);
    return KD_OK;
}

static kd_status get_photo(kd_call *call, kd_error *err)
{
    int64_t id = 0, task_id = 0;
    kd_attachment photo = { 0 };
    kd_task task = { 0 };
    kd_str path = { NULL, 0 };
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_attachment_get(call->reg, id, call->arena, &photo, err));
    if (!kd_str_starts(photo.object, KD_STR("task/")) ||
        !kd_id_parse(kd_str_sub(photo.object, 5, photo.object.len), &task_id))
        return kd_fail(err, KD_NOT_FOUND, "id", "there is nothing of this id");
    KD_TRY(kd_task_get(call->reg, task_id, call->arena, &task, err));
    KD_TRY(kd_call_allow_division(call, task.division, err));
    KD_TRY(
        kd_call_audit(call, "attachment.read", task.person_id, task.division, object_of(call, "attachment", id), err));
    KD_TRY(kd_attachment_path(call->reg, &photo, call->arena, &path, err));
    call->send_file = path.ptr;
    call->content_type = photo.content_type.ptr;
    return KD_OK;
}

const kd_route kd_routes_tasks[] = {
    { .method = "GET", .path = "/api/tasks", .permission = "task.read", .needs_purpose = true, .run = list },
    { .method = "GET", .path = "/api/tasks/{id}", .permission = "task.read", .needs_purpose = true, .run = get },
    { .method = "PUT", .path = "/api/tasks/{id}/claim", .permission = "task.answer", .run = claim },
    { .method = "DELETE", .path = "/api/tasks/{id}/claim", .permission = "task.answer", .run = release },
    { .method = "POST",
      .path = "/api/tasks/{id}/answer",
      .permission = "task.answer",
      .body = KD_BODY_JSON,
      .needs_purpose = true,
      .needs_idempotency = true,
      .run = answer_task },
    { .method = "POST",
      .path = "/api/tasks/{id}/reopen",
      .permission = "task.reopen",
      .body = KD_BODY_JSON,
      .needs_purpose = true,
      .needs_idempotency = true,
      .run = reopen },
    { .method = "POST",
      .path = "/api/tasks/{id}/photos",
      .permission = "attachment.write",
      .body = KD_BODY_FILE,
      .bytes_max = PHOTO_BYTES_MAX,
      .run = add_photo },
    { .method = "GET",
      .path = "/api/attachments/{id}",
      .permission = "attachment.read",
      .needs_purpose = true,
      .run = get_photo },
    { .method = NULL },
};
