/* Making and changing accounts. What is looked at before a change is looked at with the log's end in hand, so that two never cross. */
#include "inner.h"

static const kd_actor COMMAND_LINE = { .who = NULL };

/* ---- what may be given ---- */

kd_status kd_actor_covers(const kd_actor *actor, const int64_t *areas, size_t count, kd_error *err)
{
    for (size_t i = 0; actor->who && i < count; i++)
        if (!kd_account_covers(actor->who, areas[i]))
            return kd_fail(err, KD_DENIED, "areas", "an area lies outside those of this account");
    return KD_OK;
}

static bool gives_roles(const kd_access_pack *pack, const kd_account *account)
{
    for (size_t i = 0; i < account->role_count; i++) {
        const kd_role_info *role = kd_access_pack_role(pack, account->roles[i]);
        if (role && role->gives_roles) return true;
    }
    return false;
}

static bool has_role(const kd_str *roles, size_t count, kd_str name)
{
    for (size_t i = 0; i < count; i++)
        if (kd_str_eq(roles[i], name)) return true;
    return false;
}

static kd_status check_roles(const kd_access_pack *pack, const kd_str *roles, size_t count, const kd_actor *actor,
                             kd_error *err)
{
    if (count < 1 || count > KD_ROLES_MAX)
        return kd_fail(err, KD_INVALID, "roles", "an account has 1 to %d roles", KD_ROLES_MAX);
    bool gives_any = !actor->who || gives_roles(pack, actor->who);
    for (size_t i = 0; i < count; i++) {
        const kd_role_info *role = kd_access_pack_role(pack, roles[i]);
        if (!role) return kd_fail(err, KD_INVALID, "roles", "there is no such role");
        if (has_role(roles, i, roles[i])) return kd_fail(err, KD_INVALID, "roles", "a role stands twice");
        if (role->is_alone && count > 1) {
            kd_fail(err, KD_INVALID, "roles", "an account with the role %.*s has no other", KD_FMT(role->name));
            kd_hint(err, "make a second account for the other duties");
            return KD_INVALID;
        }
        if (!gives_any && !has_role(actor->who->roles, actor->who->role_count, roles[i]))
            return kd_fail(err, KD_DENIED, "roles", "nobody gives a role that they have not");
    }
    return KD_OK;
}

static kd_status check_areas(kd_access *access, const int64_t *areas, size_t count, const kd_actor *actor,
                             kd_error *err)
{
    const kd_divisions *divisions;
    if (count < 1 || count > KD_AREAS_MAX)
        return kd_fail(err, KD_INVALID, "areas", "an account has 1 to %d areas", KD_AREAS_MAX);
    KD_TRY(kd_register_divisions(access->reg, &divisions, err));
    for (size_t i = 0; i < count; i++) {
        if (areas[i] != 0 && !kd_divisions_find(divisions, areas[i])) {
            kd_fail(err, KD_INVALID, "areas", "there is no division with this code");
            kd_hint(err, "twelve digits, zeros at the end; 000000000000 is the whole register");
            return KD_INVALID;
        }
        for (size_t k = 0; k < i; k++)
            if (areas[k] == areas[i]) return kd_fail(err, KD_INVALID, "areas", "an area stands twice");
    }
    return kd_actor_covers(actor, areas, count, err);
}

static kd_status check_person(kd_str name, kd_str phone, kd_error *err)
{
    KD_TRY(kd_words_check(name, 1, KD_TITLE_MAX, "name", err));
    return kd_words_check(phone, 0, KD_PHONE_MAX, "phone", err);
}

/* ---- writing ---- */

static kd_status write_grant(kd_access *access, int64_t account_id, const char *kind, kd_str value,
                             const kd_actor *actor, kd_error *err)
{
    return kd_store_exec(
        access->store, err, NULL,
        "insert into account_grant (account_id, kind, value, granted_by, granted_at) values ($1, $2, $3, "
        "$4, $5)",
        KD_VALUES(kd_int(account_id), kd_text_value(kd_str_of(kind)), kd_text_value(value),
                  actor->who ? kd_int(actor->who->id) : KD_NULL, kd_int(kd_access_now(access))));
}

static kd_status write_grants(kd_access *access, int64_t account_id, const kd_str *roles, size_t role_count,
                              const int64_t *areas, size_t area_count, const kd_actor *actor, kd_error *err)
{
    enum { AREA_BYTES = 24 };
    kd_buf area;
    kd_buf_init(&area, AREA_BYTES);
    kd_status status = KD_OK;
    for (size_t i = 0; status == KD_OK && i < role_count; i++)
        status = write_grant(access, account_id, "role", roles[i], actor, err);
    for (size_t i = 0; status == KD_OK && i < area_count; i++) {
        kd_buf_clear(&area);
        kd_buf_int(&area, areas[i]);
        status = write_grant(access, account_id, "area", kd_buf_view(&area), actor, err);
    }
    kd_buf_done(&area);
    return status;
}

/* Roles and areas as the audit entry tells them: "township_clerk 610829000000". */
static void tell_grants(kd_buf *out, const kd_str *roles, size_t role_count, const int64_t *areas, size_t area_count)
{
    for (size_t i = 0; i < role_count; i++) {
        if (i) kd_buf_char(out, ',');
        kd_buf_str(out, roles[i]);
    }
    for (size_t i = 0; i < area_count; i++) {
        kd_buf_char(out, i ? ',' : ' ');
        kd_buf_fmt(out, "%012lld", (long long)areas[i]);
    }
}

static kd_status note(kd_access *access, const kd_actor *actor, const char *action, kd_str login, const kd_str *roles,
                      size_t role_count, const int64_t *areas, size_t area_count, kd_error *err)
{
    kd_buf object, detail;
    kd_buf_init(&object, KD_AUDIT_TEXT_MAX);
    kd_buf_init(&detail, 1 << 12);
    kd_buf_cstr(&object, "account/");
    kd_buf_str(&object, login);
    tell_grants(&detail, roles, role_count, areas, area_count);
    kd_status status = kd_audit_note(access, actor, action, kd_buf_view(&object), kd_buf_view(&detail), err);
    kd_buf_done(&detail);
    kd_buf_done(&object);
    return status;
}

kd_status kd_session_end_all(kd_access *access, int64_t account_id, int64_t but_id, kd_error *err)
{
    return kd_store_exec(access->store, err, NULL,
                         "update session set ended_at = $1 where account_id = $2 and id <> $3 and ended_at is null",
                         KD_VALUES(kd_int(kd_access_now(access)), kd_int(account_id), kd_int(but_id)));
}

/* ---- a new account ---- */

typedef struct {
    const kd_account_new *wanted;
    const kd_actor *actor;
    char login[KD_LOGIN_MAX + 1];
    char hash[KD_PASSWORD_HASH_BYTES]; /* empty for a system */
    int64_t id;
} making;

static kd_status insert(kd_access *access, const making *m, kd_error *err)
{
    const kd_account_new *w = m->wanted;
    kd_str login = kd_str_of(m->login), hash = kd_str_of(m->hash);
    int64_t taken;
    KD_TRY(kd_audit_lock(access->store, err));
    KD_TRY(kd_store_int(access->store, err, &taken, "select count(*) from account where login = $1",
                        KD_VALUES(kd_text_value(login))));
    if (taken) return kd_fail(err, KD_CONFLICT, "login", "an account with this login is there already");
    bool must_change = !w->is_system && !w->is_password_kept;
    KD_TRY(kd_store_exec(
        access->store, err, NULL,
        "insert into account (id, login, name, phone, is_system, is_active, password_hash, must_change, "
        "failures, created_at, version) values ($1, $2, $3, $4, $5, 1, $6, $7, 0, $8, 1)",
        KD_VALUES(kd_int(m->id), kd_text_value(login), kd_text_value(w->name),
                  w->phone.len ? kd_text_value(w->phone) : KD_NULL, kd_int(w->is_system),
                  hash.len ? kd_text_value(hash) : KD_NULL, kd_int(must_change), kd_int(kd_access_now(access)))));
    KD_TRY(write_grants(access, m->id, w->roles, w->role_count, w->areas, w->area_count, m->actor, err));
    return note(access, m->actor, "account.create", login, w->roles, w->role_count, w->areas, w->area_count, err);
}

static kd_status set_first_password(kd_access *access, making *m, kd_arena *arena, kd_str *out_password, kd_error *err)
{
    *out_password = (kd_str){ NULL, 0 };
    if (m->wanted->is_system) {
        if (!m->wanted->password.len) return KD_OK;
        return kd_fail(err, KD_INVALID, "password", "a system has no password: it is given a token");
    }
    *out_password = m->wanted->password;
    if (out_password->len) {
        KD_TRY(kd_password_check(access->pack, *out_password, kd_str_of(m->login), "password", err));
    } else {
        KD_TRY(kd_password_make(arena, out_password, err));
    }
    return kd_password_hash(access->pack, *out_password, m->hash, err);
}

kd_status kd_account_create(kd_access *access, const kd_account_new *account, const kd_actor *actor, kd_arena *arena,
                            int64_t *out_id, kd_str *out_password, kd_error *err)
{
    making m = { .wanted = account, .actor = actor ? actor : &COMMAND_LINE };
    kd_str password;
    KD_TRY(kd_login_fold(account->login, m.login, err));
    KD_TRY(check_person(account->name, account->phone, err));
    KD_TRY(check_roles(access->pack, account->roles, account->role_count, m.actor, err));
    KD_TRY(check_areas(access, account->areas, account->area_count, m.actor, err));
    KD_TRY(set_first_password(access, &m, arena, &password, err));
    m.id = kd_register_next_id(access->reg);
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    KD_TRY(kd_store_end(access->store, insert(access, &m, err), err));
    *out_id = m.id;
    *out_password = password;
    return KD_OK;
}

/* ---- changing ---- */

static bool same_roles(const kd_account *a, const kd_account *b)
{
    bool is_same = a->role_count == b->role_count;
    for (size_t i = 0; is_same && i < a->role_count; i++) is_same = has_role(b->roles, b->role_count, a->roles[i]);
    return is_same;
}

static bool same_areas(const kd_account *a, const kd_account *b)
{
    bool is_same = a->area_count == b->area_count;
    for (size_t i = 0; is_same && i < a->area_count; i++) {
        is_same = false;
        for (size_t k = 0; !is_same && k < b->area_count; k++) is_same = a->areas[i] == b->areas[k];
    }
    return is_same;
}

/* May `after` do everything that `before` may? */
static bool is_less(const kd_account *before, const kd_account *after)
{
    if (before->is_active && !after->is_active) return true;
    for (size_t i = 0; i < before->role_count; i++)
        if (!has_role(after->roles, after->role_count, before->roles[i])) return true;
    for (size_t i = 0; i < before->area_count; i++)
        if (!kd_account_covers(after, before->areas[i])) return true;
    return false;
}

/* Somebody must be left who can make accounts. */
static kd_status check_giver_left(kd_access *access, const kd_account *before, const kd_account *after, kd_error *err)
{
    if (!before->is_active || !gives_roles(access->pack, before)) return KD_OK;
    if (after->is_active && gives_roles(access->pack, after)) return KD_OK;
    int64_t others = 0;
    for (size_t i = 0; i < access->pack->role_count; i++) {
        int64_t count;
        if (!access->pack->roles[i].gives_roles) continue;
        KD_TRY(kd_store_int(
            access->store, err, &count,
            "select count(*) from account_grant as g join account as a on a.id = g.account_id where g.kind = "
            "'role' and g.value = $1 and a.is_active = 1 and a.id <> $2",
            KD_VALUES(kd_text_value(access->pack->roles[i].name), kd_int(before->id))));
        others += count;
    }
    if (others) return KD_OK;
    kd_fail(err, KD_CONFLICT, "", "this is the last administrator");
    kd_hint(err, "make another one first");
    return KD_CONFLICT;
}

static kd_status check_change(kd_access *access, const kd_account *before, const kd_account *after,
                              const kd_actor *actor, kd_error *err)
{
    bool is_granting = !same_roles(before, after) || !same_areas(before, after);
    KD_TRY(kd_actor_covers(actor, before->areas, before->area_count, err));
    if (actor->who && actor->who->id == before->id && (is_granting || !after->is_active))
        return kd_fail(err, KD_DENIED, "roles", "nobody changes what they may do themselves");
    if (!same_roles(before, after)) KD_TRY(check_roles(access->pack, after->roles, after->role_count, actor, err));
    if (!same_areas(before, after)) KD_TRY(check_areas(access, after->areas, after->area_count, actor, err));
    return check_giver_left(access, before, after, err);
}

static kd_status change(kd_access *access, const kd_account *after, const kd_actor *actor, kd_arena *arena,
                        kd_error *err)
{
    kd_account before;
    int64_t changed = 0;
    KD_TRY(kd_audit_lock(access->store, err));
    KD_TRY(kd_account_get(access, after->id, arena, &before, err));
    KD_TRY(check_change(access, &before, after, actor, err));
    KD_TRY(kd_store_exec(
        access->store, err, &changed,
        "update account set name = $1, phone = $2, is_active = $3, version = version + 1 where id = $4 and "
        "version = $5",
        KD_VALUES(kd_text_value(after->name), after->phone.len ? kd_text_value(after->phone) : KD_NULL,
                  kd_int(after->is_active), kd_int(after->id), kd_int(after->version))));
    if (changed == 0) {
        kd_fail(err, KD_CONFLICT, "version", "the account was changed meanwhile");
        kd_hint(err, "read it again, and decide anew");
        return KD_CONFLICT;
    }
    if (!same_roles(&before, after) || !same_areas(&before, after)) {
        KD_TRY(kd_store_exec(access->store, err, NULL, "delete from account_grant where account_id = $1",
                             KD_VALUES(kd_int(after->id))));
        KD_TRY(write_grants(access, after->id, after->roles, after->role_count, after->areas, after->area_count, actor,
                            err));
    }
    if (is_less(&before, after)) KD_TRY(kd_session_end_all(access, after->id, 0, err));
    bool is_ended = before.is_active && !after->is_active, is_begun = !before.is_active && after->is_active;
    return note(access, actor,
                is_ended   ? "account.deactivate"
                : is_begun ? "account.activate"
                           : "account.change",
                before.login, after->roles, after->role_count, after->areas, after->area_count, err);
}

kd_status kd_account_change(kd_access *access, const kd_account *account, const kd_actor *actor, kd_error *err)
{
    enum { CHANGE_BYTES_MAX = 1 << 16 };
    KD_TRY(check_person(account->name, account->phone, err));
    kd_arena *arena = kd_arena_new(CHANGE_BYTES_MAX);
    if (!arena) return kd_access_no_memory(err);
    kd_status status = kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err);
    if (status == KD_OK)
        status = kd_store_end(access->store, change(access, account, actor ? actor : &COMMAND_LINE, arena, err), err);
    kd_arena_free(arena);
    return status;
}

/* ---- a new first password ---- */

static kd_status write_reset(kd_access *access, const kd_account *account, kd_str hash, const kd_actor *actor,
                             kd_error *err)
{
    KD_TRY(kd_audit_lock(access->store, err));
    KD_TRY(kd_store_exec(
        access->store, err, NULL,
        "update account set password_hash = $1, must_change = 1, failures = 0, locked_until = null, version "
        "= version + 1 where id = $2",
        KD_VALUES(kd_text_value(hash), kd_int(account->id))));
    KD_TRY(kd_store_exec(access->store, err, NULL, "delete from sign_in_failure where login = $1",
                         KD_VALUES(kd_text_value(account->login))));
    KD_TRY(kd_session_end_all(access, account->id, 0, err));
    return note(access, actor, "account.reset", account->login, NULL, 0, NULL, 0, err);
}

kd_status kd_account_reset(kd_access *access, int64_t id, const kd_actor *actor, kd_arena *arena, kd_str *out_password,
                           kd_error *err)
{
    kd_account account;
    kd_str password;
    char hash[KD_PASSWORD_HASH_BYTES];
    const kd_actor *by = actor ? actor : &COMMAND_LINE;
    KD_TRY(kd_account_get(access, id, arena, &account, err));
    KD_TRY(kd_actor_covers(by, account.areas, account.area_count, err));
    if (account.is_system) return kd_fail(err, KD_CONFLICT, "", "a system has no password: it is given a token");
    KD_TRY(kd_password_make(arena, &password, err));
    KD_TRY(kd_password_hash(access->pack, password, hash, err));
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    KD_TRY(kd_store_end(access->store, write_reset(access, &account, kd_str_of(hash), by, err), err));
    *out_password = password;
    return KD_OK;
}
