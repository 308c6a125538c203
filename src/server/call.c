/* What a handler asks of its request, and whether it may. */
#include "core.h"

#include <string.h>

/* ---- the query ---- */

static kd_str query_value(const kd_call *call, const char *name, bool *out_is_there)
{
    kd_str value;
    /* the gate has refused a query that cannot be decoded */
    return kd_query_get(call->arena, call->exchange->request->query, name, &value, out_is_there) ? value
                                                                                                 : (kd_str){ NULL, 0 };
}

kd_str kd_call_query(const kd_call *call, const char *name)
{
    bool is_there;
    return query_value(call, name, &is_there);
}

static kd_status wrong(const char *name, kd_error *err, const char *what)
{
    return kd_fail(err, KD_INVALID, name, "%s", kd_message(what));
}

kd_status kd_call_query_int(const kd_call *call, const char *name, int64_t otherwise, int64_t min, int64_t max,
                            int64_t *out_value, kd_error *err)
{
    bool is_there;
    kd_str text = query_value(call, name, &is_there);
    int64_t value = otherwise;
    if (is_there && !kd_str_int(text, &value)) return wrong(name, err, kd_message("a whole number is expected"));
    if (is_there && (value < min || value > max)) {
        wrong(name, err, kd_message("the number is out of range"));
        kd_hint(err, "from %lld to %lld", (long long)min, (long long)max);
        return KD_INVALID;
    }
    *out_value = value;
    return KD_OK;
}

kd_status kd_call_limit(const kd_call *call, size_t *out_limit, kd_error *err)
{
    enum { LIMIT_USUAL = 50, LIMIT_MAX = 200 };
    int64_t limit;
    KD_TRY(kd_call_query_int(call, "limit", LIMIT_USUAL, 1, LIMIT_MAX, &limit, err));
    *out_limit = (size_t)limit;
    return KD_OK;
}

kd_status kd_call_query_id(const kd_call *call, const char *name, int64_t *out_id, kd_error *err)
{
    bool is_there;
    kd_str text = query_value(call, name, &is_there);
    int64_t id = 0;
    if (is_there && (text.len != KD_ID_TEXT_BYTES - 1 || !kd_id_parse(text, &id)))
        return wrong(name, err, kd_message("this is no id"));
    *out_id = id;
    return KD_OK;
}

kd_status kd_call_query_bool(const kd_call *call, const char *name, bool otherwise, bool *out_value, kd_error *err)
{
    bool is_there;
    kd_str text = query_value(call, name, &is_there);
    bool value = kd_str_is(text, "true");
    if (is_there && !value && !kd_str_is(text, "false"))
        return wrong(name, err, kd_message("true or false is expected"));
    *out_value = is_there ? value : otherwise;
    return KD_OK;
}

kd_status kd_call_query_day(const kd_call *call, const char *name, int32_t *out_day, kd_error *err)
{
    bool is_there;
    kd_str text = query_value(call, name, &is_there);
    int32_t day = KD_DAY_NONE;
    if (is_there && !kd_day_parse(text, &day)) {
        wrong(name, err, kd_message("this is no date"));
        kd_hint(err, "write it as 2026-11-23");
        return KD_INVALID;
    }
    *out_day = day;
    return KD_OK;
}

kd_status kd_call_query_text(const kd_call *call, const char *name, bool is_required, size_t chars_max,
                             kd_str *out_text, kd_error *err)
{
    bool is_there;
    kd_str text = query_value(call, name, &is_there);
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f) return wrong(name, err, kd_message("the text holds a control character"));
        chars += (c & 0xC0) != 0x80;
    }
    if (is_required && chars == 0) return wrong(name, err, kd_message("this is needed"));
    if (chars > chars_max) return wrong(name, err, kd_message("the text is too long"));
    *out_text = text;
    return KD_OK;
}

kd_str kd_call_header(const kd_call *call, const char *name)
{
    return kd_request_header(call->exchange->request, name);
}

kd_status kd_call_id(const kd_call *call, size_t param, int64_t *out_id, kd_error *err)
{
    kd_str text = call->params[param];
    int64_t id;
    if (text.len != KD_ID_TEXT_BYTES - 1 || !kd_id_parse(text, &id))
        return kd_fail(err, KD_NOT_FOUND, "id", "there is nothing of this id");
    *out_id = id;
    return KD_OK;
}

kd_status kd_division_read(kd_str text, const char *field, int64_t *out_division, kd_error *err)
{
    bool is_code = text.len == 12;
    for (size_t i = 0; is_code && i < text.len; i++) is_code = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (!is_code || !kd_str_int(text, out_division)) {
        wrong(field, err, kd_message("this is no code of a division"));
        kd_hint(err, "twelve digits, zeros at the end");
        return KD_INVALID;
    }
    return KD_OK;
}

/* ---- may they ---- */

bool kd_call_may(const kd_call *call, const char *permission)
{
    return call->who && kd_account_may(call->server->pack, call->who, kd_str_of(permission));
}

static kd_str role_names(const kd_call *call)
{
    kd_str names = { NULL, 0 };
    for (size_t i = 0; call->who && i < call->who->role_count; i++)
        names = i ? kd_arena_fmt(call->arena, "%.*s,%.*s", KD_FMT(names), KD_FMT(call->who->roles[i]))
                  : call->who->roles[i];
    return names;
}

static kd_status audit(kd_call *call, const char *action, int64_t person_id, int64_t division, kd_str object,
                       bool is_allowed, kd_error *err)
{
    kd_audit_entry entry = {
        .account_id = call->who ? call->who->id : 0,
        .login = call->who ? call->who->login : (kd_str){ NULL, 0 },
        .role = role_names(call),
        .action = kd_str_of(action),
        .purpose = call->purpose,
        .object = object,
        .request_id = call->request_id,
        .address = kd_str_of(call->exchange->address),
        .person_id = person_id,
        .division = division,
        .is_allowed = is_allowed,
    };
    return kd_audit_add(call->server->audit, &entry, err);
}

kd_status kd_call_audit(kd_call *call, const char *action, int64_t person_id, int64_t division, kd_str object,
                        kd_error *err)
{
    return audit(call, action, person_id, division, object, true, err);
}

kd_status kd_call_deny(kd_call *call, const char *action, int64_t person_id, int64_t division, kd_str object,
                       kd_error *err)
{
    if (call->who && !call->is_denial_told) {
        call->is_denial_told = true;
        KD_TRY(audit(call, action, person_id, division, object, false, err));
    }
    return kd_fail(err, KD_DENIED, "", "this account may not do this here");
}

kd_status kd_call_allow_division(kd_call *call, int64_t division, kd_error *err)
{
    if (call->who && kd_account_covers(call->who, division)) return KD_OK;
    return kd_fail(err, KD_DENIED, "", "this account has no part in this area");
}

kd_status kd_call_area(kd_call *call, int64_t *out_division, kd_error *err)
{
    bool is_there;
    kd_str asked = query_value(call, "division", &is_there);
    if (!call->who || call->who->area_count == 0) return kd_fail(err, KD_DENIED, "", "this account has no area");
    int64_t division = call->who->areas[0];
    if (is_there) {
        KD_TRY(kd_division_read(asked, "division", &division, err));
        KD_TRY(kd_call_allow_division(call, division, err));
    }
    *out_division = division;
    return KD_OK;
}

kd_status kd_call_open_person(kd_call *call, int64_t person_id, const char *action, kd_error *err)
{
    kd_person_brief brief;
    if (!call->who || call->purpose.len == 0)
        return kd_fail(err, KD_DENIED, "", "no purpose is stated for looking at a person");
    KD_TRY(kd_person_brief_load(call->reg, person_id, call->arena, &brief, err));
    if (!kd_account_covers(call->who, brief.division)) {
        kd_error denied;
        kd_status status = kd_call_deny(call, action, person_id, brief.division, (kd_str){ NULL, 0 }, &denied);
        if (status != KD_DENIED) return kd_fail(err, status, "", "%s", denied.message);
        return kd_fail(err, KD_NOT_FOUND, "id",
                       "there is nothing of this id"); /* that there is one is not theirs to know */
    }
    return audit(call, action, person_id, brief.division, (kd_str){ NULL, 0 }, true, err);
}

kd_status kd_call_start_job(kd_call *call, const kd_job_spec *spec, int64_t *out_job_id, kd_error *err)
{
    return kd_jobs_start(call->server->jobs, kd_register_store(call->reg), spec,
                         call->who ? call->who->name : (kd_str){ NULL, 0 }, call->is_english, out_job_id, err);
}
