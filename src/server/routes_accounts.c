/* Accounts, roles, tokens. Each change and its audit entry are one commit of the access module. */
#include "core.h"

#include <string.h>

enum { TEXT_BYTES_MAX = 400, DAYS_MAX = 366, RATE_MAX = 100000, GRACE_DEFAULT = 60, GRACE_MAX = 10080 };
static const int64_t MINUTE_US = INT64_C(60000000), DAY_US = INT64_C(86400000000);

static kd_actor actor_of(const kd_call *call)
{
    return (kd_actor){ call->who, call->request_id, kd_str_of(call->exchange->address) };
}

/* ---- showing ---- */

static void put_role_word(kd_call *call, kd_str name)
{
    const kd_role_info *role = kd_access_pack_role(call->server->pack, name);
    kd_out_word(&call->out, NULL, name, role ? role->title_zh : name, role ? role->title_en : name);
}

static void put_account(kd_call *call, const kd_account *account)
{
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_id(json, "id", account->id);
    kd_out_text(json, "login", account->login);
    kd_out_text(json, "name", account->name);
    kd_json_kstr(json, "phone", account->phone);
    kd_json_kbool(json, "is_system", account->is_system);
    kd_json_kbool(json, "is_active", account->is_active);
    kd_json_kbool(json, "must_change_password", account->must_change_password);
    kd_json_key(json, "roles");
    kd_json_array(json);
    for (size_t i = 0; i < account->role_count; i++) put_role_word(call, account->roles[i]);
    kd_json_array_end(json);
    kd_json_key(json, "areas");
    kd_json_array(json);
    for (size_t i = 0; i < account->area_count; i++) kd_out_area(call, NULL, account->areas[i]);
    kd_json_array_end(json);
    kd_out_instant(json, "created_at", account->created_at);
    kd_out_instant(json, "last_seen_at", account->last_seen_at);
    kd_out_instant(json, "locked_until", account->locked_until > kd_now_us() ? account->locked_until : 0);
    kd_json_kint(json, "version", account->version);
    kd_json_object_end(json);
}

static void put_role(kd_call *call, const kd_role_info *role)
{
    const kd_access_pack *pack = call->server->pack;
    kd_json *json = &call->out;
    kd_json_object(json);
    kd_out_text(json, "name", role->name);
    kd_out_text(json, "title", kd_call_words(call, role->title_zh, role->title_en));
    kd_json_key(json, "permissions");
    kd_json_array(json);
    for (size_t i = 0; i < role->permission_count; i++) kd_json_str(json, role->permissions[i]);
    kd_json_array_end(json);
    kd_json_key(json, "purposes");
    kd_json_array(json);
    for (size_t i = 0; i < role->purpose_count; i++)
        for (size_t k = 0; k < kd_access_pack_purposes(pack); k++) {
            const kd_purpose_info *purpose = kd_access_pack_purpose_at(pack, k);
            if (kd_str_eq(purpose->name, role->purposes[i]))
                kd_out_word(json, NULL, purpose->name, purpose->title_zh, purpose->title_en);
        }
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static kd_status list_roles(kd_call *call, kd_error *err)
{
    (void)err;
    const kd_access_pack *pack = call->server->pack;
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < kd_access_pack_roles(pack); i++) put_role(call, kd_access_pack_role_at(pack, i));
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status list_accounts(kd_call *call, kd_error *err)
{
    kd_account_page page;
    kd_str query;
    size_t limit;
    KD_TRY(kd_call_query_text(call, "q", false, 100, &query, err));
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(kd_account_list(call->access, query, kd_call_query(call, "cursor"), limit, call->arena, &page, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < page.count; i++) put_account(call, &page.accounts[i]);
    kd_json_array_end(&call->out);
    kd_json_kstr(&call->out, "next", page.next);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status load(kd_call *call, kd_account *account, kd_error *err)
{
    int64_t id;
    KD_TRY(kd_call_id(call, 0, &id, err));
    return kd_account_get(call->access, id, call->arena, account, err);
}

static kd_status answer_account(kd_call *call, int64_t id, kd_error *err)
{
    kd_account account;
    KD_TRY(kd_account_get(call->access, id, call->arena, &account, err));
    put_account(call, &account);
    kd_call_set_version(call, account.version);
    return KD_OK;
}

static kd_status get_account(kd_call *call, kd_error *err)
{
    int64_t id;
    KD_TRY(kd_call_id(call, 0, &id, err));
    return answer_account(call, id, err);
}

/* ---- changing ---- */

static kd_status read_roles(kd_in in, kd_str roles[KD_ROLES_MAX], size_t *count, kd_error *err)
{
    kd_in list;
    KD_TRY(kd_in_list(in, "roles", KD_ROLES_MAX, &list, count, err));
    for (size_t i = 0; i < *count; i++) KD_TRY(kd_in_text_at(list, i, TEXT_BYTES_MAX, &roles[i], err));
    return KD_OK;
}

static kd_status read_areas(kd_in in, int64_t areas[KD_AREAS_MAX], size_t *count, kd_error *err)
{
    kd_in list;
    kd_str code;
    KD_TRY(kd_in_list(in, "areas", KD_AREAS_MAX, &list, count, err));
    for (size_t i = 0; i < *count; i++) {
        KD_TRY(kd_in_text_at(list, i, TEXT_BYTES_MAX, &code, err));
        KD_TRY(kd_division_read(code, "/areas", &areas[i], err));
    }
    return KD_OK;
}

/* The access module names a member; a problem document points into the body. */
static kd_status point(kd_status status, kd_error *err)
{
    char field[sizeof err->field];
    size_t len = strlen(err->field);
    if (status != KD_INVALID || len == 0 || err->field[0] == '/' || len + 2 > sizeof field) return status;
    field[0] = '/';
    memcpy(field + 1, err->field, len + 1);
    memcpy(err->field, field, len + 2);
    return status;
}

static kd_status create_account(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "login", "name", "phone", "roles", "areas", "is_system", NULL };
    kd_in in = kd_call_body(call);
    kd_str roles[KD_ROLES_MAX], password;
    int64_t areas[KD_AREAS_MAX], id;
    kd_account account;
    kd_account_new wanted = { .roles = roles, .areas = areas };
    kd_actor actor = actor_of(call);
    KD_TRY(kd_in_only(in, members, err));
    KD_TRY(kd_in_text(in, "login", true, TEXT_BYTES_MAX, &wanted.login, err));
    KD_TRY(kd_in_text(in, "name", true, TEXT_BYTES_MAX, &wanted.name, err));
    KD_TRY(kd_in_text(in, "phone", false, TEXT_BYTES_MAX, &wanted.phone, err));
    KD_TRY(kd_in_bool(in, "is_system", false, &wanted.is_system, err));
    KD_TRY(read_roles(in, roles, &wanted.role_count, err));
    KD_TRY(read_areas(in, areas, &wanted.area_count, err));
    KD_TRY(point(kd_account_create(call->access, &wanted, &actor, call->arena, &id, &password, err), err));
    KD_TRY(kd_account_get(call->access, id, call->arena, &account, err));
    call->status = 201;
    kd_json_object(&call->out);
    kd_json_key(&call->out, "account");
    put_account(call, &account);
    kd_json_kstr(&call->out, "password", password);
    kd_json_object_end(&call->out);
    kd_call_set_version(call, account.version);
    return KD_OK;
}

static bool is_given(const kd_call *call, const char *name)
{
    return json_object_get(call->body, name) != NULL;
}

static kd_status read_change(kd_call *call, kd_account *account, kd_error *err)
{
    static const char *const members[] = { "name", "phone", "roles", "areas", "is_active", NULL };
    kd_in in = kd_call_body(call);
    KD_TRY(kd_in_only(in, members, err));
    if (is_given(call, "name")) KD_TRY(kd_in_text(in, "name", true, TEXT_BYTES_MAX, &account->name, err));
    if (is_given(call, "phone")) KD_TRY(kd_in_text(in, "phone", false, TEXT_BYTES_MAX, &account->phone, err));
    if (is_given(call, "roles")) KD_TRY(read_roles(in, account->roles, &account->role_count, err));
    if (is_given(call, "areas")) KD_TRY(read_areas(in, account->areas, &account->area_count, err));
    return kd_in_bool(in, "is_active", account->is_active, &account->is_active, err);
}

static kd_status change_account(kd_call *call, kd_error *err)
{
    kd_account account;
    kd_actor actor = actor_of(call);
    KD_TRY(load(call, &account, err));
    KD_TRY(kd_call_match_version(call, account.version, true, err));
    KD_TRY(read_change(call, &account, err));
    KD_TRY(point(kd_account_change(call->access, &account, &actor, err), err));
    return answer_account(call, account.id, err);
}

static kd_status reset_account(kd_call *call, kd_error *err)
{
    kd_account account;
    kd_str password;
    kd_actor actor = actor_of(call);
    KD_TRY(load(call, &account, err));
    KD_TRY(kd_account_reset(call->access, account.id, &actor, call->arena, &password, err));
    kd_json_object(&call->out);
    kd_out_text(&call->out, "password", password);
    kd_json_object_end(&call->out);
    return KD_OK;
}

/* ---- tokens ---- */

static kd_status put_token(kd_call *call, const char *key, const kd_token *token, kd_error *err)
{
    kd_account account;
    kd_json *json = &call->out;
    kd_str rest = token->scopes, part;
    KD_TRY(kd_account_get(call->access, token->account_id, call->arena, &account, err));
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_id(json, "id", token->id);
    kd_json_key(json, "account");
    kd_json_object(json);
    kd_out_id(json, "id", account.id);
    kd_out_text(json, "login", account.login);
    kd_out_text(json, "name", account.name);
    kd_json_object_end(json);
    kd_out_text(json, "title", token->title);
    kd_json_key(json, "scopes");
    kd_json_array(json);
    while (rest.ptr && rest.len && kd_str_next(&rest, ' ', &part)) kd_json_str(json, part);
    kd_json_array_end(json);
    kd_json_kint(json, "rate_per_minute", token->rate_per_minute);
    kd_out_instant(json, "created_at", token->created_at);
    kd_out_instant(json, "expires_at", token->expires_at);
    kd_out_instant(json, "last_used_at", token->last_used_at);
    kd_out_instant(json, "revoked_at", token->revoked_at);
    kd_json_object_end(json);
    return KD_OK;
}

static kd_status answer_secret(kd_call *call, int64_t id, const char *secret, kd_error *err)
{
    kd_token token;
    KD_TRY(kd_token_get(call->access, id, call->arena, &token, err));
    kd_json_object(&call->out);
    KD_TRY(put_token(call, "token", &token, err));
    kd_out_text(&call->out, "secret", kd_str_of(secret));
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status list_tokens(kd_call *call, kd_error *err)
{
    kd_token *tokens;
    size_t count;
    KD_TRY(kd_token_list(call->access, 0, call->arena, &tokens, &count, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < count; i++) KD_TRY(put_token(call, NULL, &tokens[i], err));
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status read_scopes(kd_call *call, kd_in in, kd_str *out_scopes, kd_error *err)
{
    enum { SCOPES_MAX = 32 };
    kd_in list;
    size_t count;
    kd_str scopes = { NULL, 0 }, part;
    KD_TRY(kd_in_list(in, "scopes", SCOPES_MAX, &list, &count, err));
    if (count == 0) return kd_fail(err, KD_INVALID, "/scopes", "what the token may do must be named");
    for (size_t i = 0; i < count; i++) {
        KD_TRY(kd_in_text_at(list, i, TEXT_BYTES_MAX, &part, err));
        if (part.len == 0 || kd_str_find(part, KD_STR(" ")) >= 0)
            return kd_fail(err, KD_INVALID, "/scopes", "this cannot be the name of a permission");
        scopes = i ? kd_arena_fmt(call->arena, "%.*s %.*s", KD_FMT(scopes), KD_FMT(part)) : part;
        if (!scopes.ptr) return kd_fail(err, KD_LIMIT, "", "no memory");
    }
    *out_scopes = scopes;
    return KD_OK;
}

static kd_status create_token(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "account_id", "title", "scopes", "days", "rate_per_minute", NULL };
    kd_in in = kd_call_body(call);
    kd_token token = { 0 };
    kd_actor actor = actor_of(call);
    char secret[KD_SECRET_TEXT_BYTES];
    int64_t days, rate, id;
    KD_TRY(kd_in_only(in, members, err));
    KD_TRY(kd_in_id(in, "account_id", true, &token.account_id, err));
    KD_TRY(kd_in_text(in, "title", true, TEXT_BYTES_MAX, &token.title, err));
    KD_TRY(kd_in_int(in, "days", true, 1, DAYS_MAX, 0, &days, err));
    KD_TRY(kd_in_int(in, "rate_per_minute", true, 1, RATE_MAX, 0, &rate, err));
    KD_TRY(read_scopes(call, in, &token.scopes, err));
    token.expires_at = kd_now_us() + days * DAY_US - 1; /* a clock read again is not past the most days */
    token.rate_per_minute = (int32_t)rate;
    KD_TRY(point(kd_token_create(call->access, &token, &actor, secret, &id, err), err));
    call->status = 201;
    return answer_secret(call, id, secret, err);
}

static kd_status rotate_token(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "grace_minutes", NULL };
    kd_in in = kd_call_body(call);
    kd_actor actor = actor_of(call);
    char secret[KD_SECRET_TEXT_BYTES];
    int64_t id, grace;
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_in_only(in, members, err));
    KD_TRY(kd_in_int(in, "grace_minutes", false, 0, GRACE_MAX, GRACE_DEFAULT, &grace, err));
    KD_TRY(kd_token_rotate(call->access, id, grace * MINUTE_US, &actor, secret, err));
    return answer_secret(call, id, secret, err);
}

static kd_status revoke_token(kd_call *call, kd_error *err)
{
    int64_t id;
    kd_actor actor = actor_of(call);
    KD_TRY(kd_call_id(call, 0, &id, err));
    KD_TRY(kd_token_revoke(call->access, id, &actor, err));
    call->status = 204;
    return KD_OK;
}

const kd_route kd_routes_accounts[] = {
    { .method = "GET", .path = "/api/roles", .permission = "account.read", .run = list_roles },
    { .method = "GET", .path = "/api/accounts", .permission = "account.read", .run = list_accounts },
    { .method = "POST",
      .path = "/api/accounts",
      .permission = "account.write",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .shows_secret = true,
      .run = create_account },
    { .method = "GET", .path = "/api/accounts/{id}", .permission = "account.read", .run = get_account },
    { .method = "PATCH",
      .path = "/api/accounts/{id}",
      .permission = "account.write",
      .body = KD_BODY_JSON,
      .run = change_account },
    { .method = "POST",
      .path = "/api/accounts/{id}/reset",
      .permission = "account.write",
      .needs_idempotency = true,
      .shows_secret = true,
      .run = reset_account },
    { .method = "GET", .path = "/api/tokens", .permission = "token.write", .run = list_tokens },
    { .method = "POST",
      .path = "/api/tokens",
      .permission = "token.write",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .shows_secret = true,
      .run = create_token },
    { .method = "POST",
      .path = "/api/tokens/{id}/rotate",
      .permission = "token.write",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .shows_secret = true,
      .run = rotate_token },
    { .method = "DELETE", .path = "/api/tokens/{id}", .permission = "token.write", .run = revoke_token },
    { .method = NULL },
};
