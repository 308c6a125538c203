/* Signing in and out, and what the one signed in may do. */
#include "core.h"

enum { LOGIN_BYTES_MAX = 80 * 4, PASSWORD_BYTES_MAX = 200 * 4, LOCKED_RETRY_S = 60 };

static void write_roles(kd_call *call)
{
    kd_json_key(&call->out, "roles");
    kd_json_array(&call->out);
    for (size_t i = 0; i < call->who->role_count; i++) {
        const kd_role_info *role = kd_access_pack_role(call->server->pack, call->who->roles[i]);
        if (role) kd_out_word(&call->out, NULL, role->name, role->title_zh, role->title_en);
    }
    kd_json_array_end(&call->out);
}

/* What the roles give and the token's scopes let through, each once. */
static void write_permissions(kd_call *call)
{
    const kd_access_pack *pack = call->server->pack;
    kd_json_key(&call->out, "permissions");
    kd_json_array(&call->out);
    for (size_t r = 0; r < call->who->role_count; r++) {
        const kd_role_info *role = kd_access_pack_role(pack, call->who->roles[r]);
        for (size_t p = 0; role && p < role->permission_count; p++) {
            bool is_told = false;
            for (size_t before = 0; before < r && !is_told; before++) {
                const kd_role_info *other = kd_access_pack_role(pack, call->who->roles[before]);
                for (size_t q = 0; other && q < other->permission_count && !is_told; q++)
                    is_told = kd_str_eq(other->permissions[q], role->permissions[p]);
            }
            if (!is_told && kd_account_may(pack, call->who, role->permissions[p]))
                kd_json_str(&call->out, role->permissions[p]);
        }
    }
    kd_json_array_end(&call->out);
}

static bool is_told_before(kd_call *call, size_t role_at, kd_str purpose)
{
    for (size_t r = 0; r < role_at; r++) {
        const kd_role_info *role = kd_access_pack_role(call->server->pack, call->who->roles[r]);
        for (size_t i = 0; role && i < role->purpose_count; i++)
            if (kd_str_eq(role->purposes[i], purpose)) return true;
    }
    return false;
}

/* In the order of the roles, each role's as it lists them: the first is the one to begin with. */
static void write_purposes(kd_call *call)
{
    const kd_access_pack *pack = call->server->pack;
    kd_json_key(&call->out, "purposes");
    kd_json_array(&call->out);
    for (size_t r = 0; r < call->who->role_count; r++) {
        const kd_role_info *role = kd_access_pack_role(pack, call->who->roles[r]);
        for (size_t i = 0; role && i < role->purpose_count; i++) {
            const kd_purpose_info *purpose = kd_access_pack_purpose(pack, role->purposes[i]);
            if (purpose && !is_told_before(call, r, purpose->name))
                kd_out_word(&call->out, NULL, purpose->name, purpose->title_zh, purpose->title_en);
        }
    }
    kd_json_array_end(&call->out);
}

/* The register is called by the root of its divisions. */
static kd_str register_name(kd_call *call)
{
    const kd_divisions *divisions;
    if (kd_register_divisions(call->reg, &divisions, NULL) != KD_OK || kd_divisions_count(divisions) == 0)
        return KD_STR("Kindred");
    size_t at = 0;
    while (at + 1 < kd_divisions_count(divisions) && kd_divisions_at(divisions, at)->level < KD_LEVEL_PREFECTURE) at++;
    return kd_divisions_at(divisions, at)->name;
}

static void write_session(kd_call *call, kd_str csrf, int64_t expires_at)
{
    kd_json *out = &call->out;
    kd_json_object(out);
    kd_json_key(out, "account");
    kd_json_object(out);
    kd_out_id(out, "id", call->who->id);
    kd_out_text(out, "login", call->who->login);
    kd_out_text(out, "name", call->who->name);
    kd_json_object_end(out);
    write_roles(call);
    write_permissions(call);
    write_purposes(call);
    kd_json_key(out, "areas");
    kd_json_array(out);
    for (size_t i = 0; i < call->who->area_count; i++) kd_out_area(call, NULL, call->who->areas[i]);
    kd_json_array_end(out);
    kd_json_kbool(out, "must_change_password", call->who->must_change_password);
    kd_json_kstr(out, "csrf", csrf);
    kd_out_instant(out, "expires_at", expires_at);
    kd_out_text(out, "register", register_name(call));
    kd_json_object_end(out);
}

static kd_status get_session(kd_call *call, kd_error *err)
{
    (void)err;
    bool is_cookie = call->token_id == 0;
    write_session(call, is_cookie ? kd_str_of(call->session.fresh.csrf) : (kd_str){ NULL, 0 },
                  call->session.fresh.expires_at);
    return KD_OK;
}

/* Whose account was tried, when there is one: what else was typed as a login may be a password. `err` stays as it was. */
static kd_status note_refused(kd_call *call, kd_str login, kd_error *err)
{
    kd_error other;
    kd_account *account = kd_arena_alloc(call->arena, sizeof *account);
    if (!account) return kd_fail(err, KD_LIMIT, "", "no memory");
    kd_status status = kd_account_find(call->access, login, call->arena, account, &other);
    const kd_audit_entry entry = { .account_id = status == KD_OK ? account->id : 0,
                                   .login = status == KD_OK ? account->login : (kd_str){ NULL, 0 },
                                   .action = KD_STR("session.begin"),
                                   .request_id = call->request_id,
                                   .address = kd_str_of(call->exchange->address),
                                   .detail = status == KD_OK ? KD_STR("wrong password, or not active")
                                                             : KD_STR("no such account") };
    if (status == KD_OK || status == KD_NOT_FOUND) status = kd_audit_add(call->server->audit, &entry, &other);
    if (status != KD_OK) *err = other;
    return status;
}

static kd_status sign_in(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "login", "password", NULL };
    kd_in in = kd_call_body(call);
    kd_str login, password;
    kd_session_secrets secrets;
    KD_TRY(kd_in_only(in, members, err));
    KD_TRY(kd_in_text(in, "login", true, LOGIN_BYTES_MAX, &login, err));
    KD_TRY(kd_in_text(in, "password", true, PASSWORD_BYTES_MAX, &password, err));
    kd_account *account = kd_arena_alloc(call->arena, sizeof *account);
    if (!account) return kd_fail(err, KD_LIMIT, "", "no memory");
    call->retry_after_s = LOCKED_RETRY_S;
    kd_status status = kd_session_begin(call->access, login, password, kd_str_of(call->exchange->address), call->arena,
                                        &secrets, account, err);
    if (status == KD_DENIED) KD_TRY(note_refused(call, login, err));
    if (status == KD_CONFLICT) call->status = 503; /* another writer is at work */
    KD_TRY(status);
    call->who = account;
    KD_TRY(kd_call_audit(call, "session.begin", 0, 0, (kd_str){ NULL, 0 }, err));
    kd_call_set_cookie(call, &secrets);
    write_session(call, kd_str_of(secrets.csrf), secrets.expires_at);
    return KD_OK;
}

static kd_status sign_out(kd_call *call, kd_error *err)
{
    if (call->session.id) KD_TRY(kd_session_end(call->access, call->session.id, err));
    KD_TRY(kd_call_audit(call, "session.end", 0, 0, (kd_str){ NULL, 0 }, err));
    kd_buf_clear(&call->exchange->answer.fields); /* a fresh cookie of this very request, too */
    kd_call_set_cookie(call, NULL);
    call->status = 204;
    return KD_OK;
}

static kd_status change_password(kd_call *call, kd_error *err)
{
    static const char *const members[] = { "old", "new", NULL };
    kd_in in = kd_call_body(call);
    kd_str old_password, new_password;
    KD_TRY(kd_in_only(in, members, err));
    KD_TRY(kd_in_text(in, "old", true, PASSWORD_BYTES_MAX, &old_password, err));
    KD_TRY(kd_in_text(in, "new", true, PASSWORD_BYTES_MAX, &new_password, err));
    KD_TRY(kd_password_change(call->access, call->who->id, call->session.id, old_password, new_password, err));
    KD_TRY(kd_call_audit(call, "session.password", 0, 0, (kd_str){ NULL, 0 }, err));
    call->status = 204;
    return KD_OK;
}

const kd_route kd_routes_session[] = {
    { .method = "GET", .path = "/api/session", .run = get_session },
    { .method = "POST", .path = "/api/session", .permission = "-", .body = KD_BODY_JSON, .run = sign_in },
    { .method = "DELETE", .path = "/api/session", .run = sign_out },
    { .method = "POST", .path = "/api/session/password", .body = KD_BODY_JSON, .run = change_password },
    { .method = NULL },
};
