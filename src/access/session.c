/* Signing in, the cookie that is replaced from time to time, lock-out. */
#include "inner.h"

#include <sodium.h>
#include <string.h>

enum { TOUCH_S = 60, SESSIONS_KEPT_DAYS = 7 };
#define DAY_US (24 * 60 * KD_MINUTE_US)

/* ---- lock-out ---- */

/* How long an account is locked after so many failures in a row; 0 when it is not. */
static int64_t lock_us(const kd_access_limits *limits, int64_t failures)
{
    if (failures < limits->failures) return 0;
    int64_t lasts = limits->lock_us;
    for (int64_t i = limits->failures; i < failures && lasts < limits->lock_us_max; i++) lasts *= 2;
    return lasts < limits->lock_us_max ? lasts : limits->lock_us_max;
}

static kd_status fail_locked(int64_t us, kd_error *err)
{
    kd_fail(err, KD_LIMIT, "", "too many failed attempts to sign in");
    kd_hint(err, "try again in %lld minutes", (long long)kd_access_minutes(us));
    return KD_LIMIT;
}

static kd_status fail_sign_in(kd_error *err)
{
    return kd_fail(err, KD_DENIED, "", "the login or the password is wrong");
}

static kd_status check_address(kd_access *access, kd_str address, kd_error *err)
{
    int64_t failures, now = kd_access_now(access);
    const kd_access_limits *limits = &access->pack->limits;
    if (!address.len) return KD_OK;
    KD_TRY(kd_store_int(access->store, err, &failures,
                        "select count(*) from sign_in_failure where address = $1 and at > $2",
                        KD_VALUES(kd_text_value(address), kd_int(now - limits->address_us))));
    return failures < limits->address_failures ? KD_OK : fail_locked(limits->address_us, err);
}

/* A login that nobody has is locked as one that somebody has, or the difference would tell which there are. */
static kd_status count_unknown(kd_access *access, kd_str login, int64_t *out_locked_until, kd_error *err)
{
    int64_t failures, last, now = kd_access_now(access);
    kd_value values[] = { kd_text_value(login), kd_int(now - DAY_US) };
    KD_TRY(kd_store_int(access->store, err, &failures,
                        "select count(*) from sign_in_failure where login = $1 and at > $2", values, 2));
    KD_TRY(kd_store_int(access->store, err, &last,
                        "select coalesce(max(at), 0) from sign_in_failure where login = $1 and at > $2", values, 2));
    int64_t lasts = lock_us(&access->pack->limits, failures);
    *out_locked_until = lasts ? last + lasts : 0;
    return KD_OK;
}

/* ---- signing in ---- */

typedef struct {
    kd_account account; /* id 0: nobody has the login */
    char login[KD_LOGIN_MAX + 1];
    kd_str hash, address;
    int64_t failures;
} attempt;

static kd_status find_account(kd_access *access, attempt *a, kd_arena *arena, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(access->store, err, &rows,
                          "select " KD_ACCOUNT_COLUMNS
                          ", a.password_hash, a.failures from account as a where a.login = $1",
                          KD_VALUES(kd_text_value(kd_str_of(a->login)))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        status = kd_account_read(rows, 0, arena, &a->account, err);
        a->hash = kd_arena_str(arena, kd_rows_text(rows, KD_ACCOUNT_COLUMN_COUNT));
        a->failures = kd_rows_int(rows, KD_ACCOUNT_COLUMN_COUNT + 1);
        if (status == KD_OK && !a->hash.ptr) status = kd_access_no_memory(err);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status write_failure(kd_access *access, const attempt *a, kd_error *err)
{
    int64_t now = kd_access_now(access);
    KD_TRY(kd_store_exec(access->store, err, NULL,
                         "insert into sign_in_failure (address, at, login) values ($1, $2, $3) on conflict do nothing",
                         KD_VALUES(kd_text_value(a->address.ptr ? a->address : KD_STR("")), kd_int(now),
                                   kd_text_value(kd_str_of(a->login)))));
    if (!a->account.id) return KD_OK;
    int64_t failures;
    KD_TRY(kd_store_exec(access->store, err, NULL, "update account set failures = failures + 1 where id = $1",
                         KD_VALUES(kd_int(a->account.id))));
    KD_TRY(kd_store_int(access->store, err, &failures, "select failures from account where id = $1",
                        KD_VALUES(kd_int(a->account.id))));
    int64_t lasts = lock_us(&access->pack->limits, failures);
    return kd_store_exec(access->store, err, NULL, "update account set locked_until = $1 where id = $2",
                         KD_VALUES(lasts ? kd_int(now + lasts) : KD_NULL, kd_int(a->account.id)));
}

static kd_status note_failure(kd_access *access, const attempt *a, kd_error *err)
{
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    return kd_store_end(access->store, write_failure(access, a, err), err);
}

/* Old failures and ended sessions go as new sessions come. */
static kd_status prune(kd_access *access, kd_error *err)
{
    int64_t now = kd_access_now(access);
    KD_TRY(kd_store_exec(access->store, err, NULL, "delete from sign_in_failure where at < $1",
                         KD_VALUES(kd_int(now - DAY_US))));
    return kd_store_exec(access->store, err, NULL, "delete from session where expires_at < $1",
                         KD_VALUES(kd_int(now - SESSIONS_KEPT_DAYS * DAY_US)));
}

static kd_status write_session(kd_access *access, const attempt *a, kd_str rehashed, kd_session_secrets *secrets,
                               kd_error *err)
{
    char hash[KD_HASH_TEXT_BYTES], seed[KD_SECRET_TEXT_BYTES];
    int64_t now = kd_access_now(access);
    kd_secret_make(secrets->cookie);
    kd_secret_make(seed);
    kd_secret_hash(kd_str_of(secrets->cookie), hash);
    kd_csrf_of(kd_str_of(seed), secrets->csrf);
    secrets->expires_at = now + access->pack->limits.session_us;
    KD_TRY(prune(access, err));
    KD_TRY(
        kd_store_exec(access->store, err, NULL,
                      "update account set failures = 0, locked_until = null, last_seen_at = $1, password_hash = "
                      "coalesce($2, password_hash) where id = $3",
                      KD_VALUES(kd_int(now), rehashed.len ? kd_text_value(rehashed) : KD_NULL, kd_int(a->account.id))));
    return kd_store_exec(
        access->store, err, NULL,
        "insert into session (id, account_id, secret_hash, csrf_seed, created_at, rotated_at, seen_at, "
        "expires_at) values ($1, $2, $3, $4, $5, $5, $5, $6)",
        KD_VALUES(kd_int(kd_register_next_id(access->reg)), kd_int(a->account.id), kd_text_value(kd_str_of(hash)),
                  kd_text_value(kd_str_of(seed)), kd_int(now), kd_int(secrets->expires_at)));
}

static kd_status admit(kd_access *access, attempt *a, kd_str password, kd_session_secrets *secrets, kd_error *err)
{
    char rehashed[KD_PASSWORD_HASH_BYTES] = "";
    if (kd_password_is_outdated(access->pack, a->hash)) KD_TRY(kd_password_hash(access->pack, password, rehashed, err));
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    return kd_store_end(access->store, write_session(access, a, kd_str_of(rehashed), secrets, err), err);
}

static kd_status check_password(kd_access *access, attempt *a, kd_str password, kd_error *err)
{
    bool is_right = false, is_short = password.len <= KD_PASSWORD_BYTES_MAX;
    bool has_password = a->account.id && a->account.is_active && !a->account.is_system && is_short;
    kd_str tried = is_short ? password : kd_str_sub(password, 0, KD_PASSWORD_BYTES_MAX);
    KD_TRY(kd_password_verify(access->pack, has_password ? a->hash : (kd_str){ NULL, 0 }, tried, &is_right, err));
    if (is_right) return KD_OK;
    KD_TRY(note_failure(access, a, err));
    return fail_sign_in(err);
}

kd_status kd_session_begin(kd_access *access, kd_str login, kd_str password, kd_str address, kd_arena *arena,
                           kd_session_secrets *out_secrets, kd_account *out_account, kd_error *err)
{
    attempt a = { .address = kd_str_sub(address, 0, KD_ADDRESS_MAX) };
    kd_session_secrets secrets;
    int64_t now = kd_access_now(access);
    KD_TRY(check_address(access, a.address, err));
    /* what cannot be a login may be a password typed into the wrong box: it is kept nowhere */
    if (kd_login_fold(login, a.login, NULL) != KD_OK) a.login[0] = '\0';
    KD_TRY(find_account(access, &a, arena, err));
    int64_t locked_until = a.account.locked_until;
    if (!a.account.id && a.login[0]) KD_TRY(count_unknown(access, kd_str_of(a.login), &locked_until, err));
    if (locked_until > now) return fail_locked(locked_until - now, err);
    KD_TRY(check_password(access, &a, password, err));
    KD_TRY(kd_account_grants(access, arena, &a.account, err));
    KD_TRY(admit(access, &a, password, &secrets, err));
    a.account.last_seen_at = now;
    a.account.locked_until = 0;
    *out_secrets = secrets;
    *out_account = a.account;
    sodium_memzero(&secrets, sizeof secrets);
    return KD_OK;
}

/* ---- every request after ---- */

typedef struct {
    int64_t id, rotated_at, seen_at, expires_at;
    bool is_ended, is_current; /* is_current: the cookie is not the one before */
    char seed[KD_SECRET_TEXT_BYTES];
    kd_account account;
} found;

static kd_status fail_session(kd_error *err)
{
    kd_fail(err, KD_DENIED, "", "nobody is signed in, or the session has ended");
    kd_hint(err, "sign in again");
    return KD_DENIED;
}

static kd_status read_session(const kd_rows *rows, kd_str hash, kd_arena *arena, found *f, kd_error *err)
{
    kd_str seed = kd_rows_text(rows, 6);
    if (seed.len >= sizeof f->seed) return fail_session(err);
    *f = (found){ .id = kd_rows_int(rows, 0),
                  .is_current = kd_str_eq(kd_rows_text(rows, 1), hash),
                  .rotated_at = kd_rows_int(rows, 2),
                  .seen_at = kd_rows_int(rows, 3),
                  .expires_at = kd_rows_int(rows, 4),
                  .is_ended = !kd_rows_is_null(rows, 5) };
    if (seed.len) memcpy(f->seed, seed.ptr, seed.len);
    return kd_account_read(rows, 7, arena, &f->account, err);
}

static kd_status find_session(kd_access *access, kd_str hash, kd_arena *arena, found *f, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(access->store, err, &rows,
                          "select s.id, s.secret_hash, s.rotated_at, s.seen_at, s.expires_at, s.ended_at, "
                          "s.csrf_seed, " KD_ACCOUNT_COLUMNS
                          " from session as s join account as a on a.id = s.account_id where s.secret_hash = $1 or "
                          "s.old_secret_hash = $1",
                          KD_VALUES(kd_text_value(hash))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = read_session(rows, hash, arena, f, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    return has_row ? KD_OK : fail_session(err);
}

/* A cookie that was replaced long ago is used: by a thief, or by its owner after a thief; nobody knows, so it ends. */
static kd_status end_stolen(kd_access *access, const found *f, kd_error *err)
{
    KD_TRY(kd_session_end(access, f->id, err));
    return fail_session(err);
}

static kd_status write_touch(kd_access *access, const found *f, kd_str hash, const char *fresh_hash, bool *out_rotated,
                             kd_error *err)
{
    int64_t now = kd_access_now(access), changed = 0;
    if (fresh_hash) {
        KD_TRY(kd_store_exec(
            access->store, err, &changed,
            "update session set old_secret_hash = secret_hash, secret_hash = $1, rotated_at = $2, seen_at = "
            "$2 where id = $3 and secret_hash = $4 and ended_at is null",
            KD_VALUES(kd_text_value(kd_str_of(fresh_hash)), kd_int(now), kd_int(f->id), kd_text_value(hash))));
    } else {
        KD_TRY(kd_store_exec(access->store, err, NULL, "update session set seen_at = $1 where id = $2 and seen_at < $1",
                             KD_VALUES(kd_int(now), kd_int(f->id))));
    }
    *out_rotated = changed > 0;
    return kd_store_exec(access->store, err, NULL, "update account set last_seen_at = $1 where id = $2",
                         KD_VALUES(kd_int(now), kd_int(f->account.id)));
}

/*
 * That the session is in use, and a fresh cookie when it is time. When another writer is at work this is left to the next
 * request: a reader never waits for it.
 */
static kd_status touch(kd_access *access, const found *f, kd_str hash, kd_session *session, kd_error *err)
{
    int64_t now = kd_access_now(access);
    bool is_due = f->is_current && now - f->rotated_at >= access->pack->limits.rotation_us, is_rotated = false;
    char cookie[KD_SECRET_TEXT_BYTES], fresh_hash[KD_HASH_TEXT_BYTES];
    if (!is_due && now - f->seen_at < TOUCH_S * KD_SECOND_US) return KD_OK;
    kd_status status = kd_store_begin_beside(access->store, KD_TOUCH_WAIT_MS, err);
    if (status == KD_CONFLICT) return KD_OK;
    if (status != KD_OK) return status;
    if (is_due) {
        kd_secret_make(cookie);
        kd_secret_hash(kd_str_of(cookie), fresh_hash);
    }
    status = write_touch(access, f, hash, is_due ? fresh_hash : NULL, &is_rotated, err);
    status = kd_store_end(access->store, status, err);
    if (status == KD_CONFLICT) return KD_OK;
    if (status != KD_OK || !is_rotated) return status;
    session->is_rotated = true;
    memcpy(session->fresh.cookie, cookie, sizeof cookie);
    return KD_OK;
}

kd_status kd_session_check(kd_access *access, kd_str cookie, kd_str csrf, kd_arena *arena, kd_session *out_session,
                           kd_account *out_account, kd_error *err)
{
    char hash[KD_HASH_TEXT_BYTES];
    found f;
    const kd_access_limits *limits = &access->pack->limits;
    int64_t now = kd_access_now(access);
    if (!kd_secret_is_plausible(cookie)) return fail_session(err);
    kd_secret_hash(cookie, hash);
    KD_TRY(find_session(access, kd_str_of(hash), arena, &f, err));
    if (f.is_ended || f.expires_at <= now || f.seen_at + limits->idle_us <= now || !f.account.is_active)
        return fail_session(err);
    if (!f.is_current && now > f.rotated_at + limits->rotation_grace_us) return end_stolen(access, &f, err);
    KD_TRY(kd_account_grants(access, arena, &f.account, err));
    kd_session session = { .id = f.id, .fresh.expires_at = f.expires_at };
    kd_csrf_of(kd_str_of(f.seed), session.fresh.csrf);
    session.is_csrf_right = kd_secret_eq(csrf, kd_str_of(session.fresh.csrf));
    KD_TRY(touch(access, &f, kd_str_of(hash), &session, err));
    *out_session = session;
    *out_account = f.account;
    return KD_OK;
}

kd_status kd_session_end(kd_access *access, int64_t session_id, kd_error *err)
{
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    kd_status status =
        kd_store_exec(access->store, err, NULL, "update session set ended_at = $1 where id = $2 and ended_at is null",
                      KD_VALUES(kd_int(kd_access_now(access)), kd_int(session_id)));
    return kd_store_end(access->store, status, err);
}

/* ---- a new password ---- */

static kd_status write_password(kd_access *access, int64_t account_id, int64_t session_id, kd_str hash, kd_error *err)
{
    KD_TRY(kd_store_exec(
        access->store, err, NULL,
        "update account set password_hash = $1, must_change = 0, failures = 0, locked_until = null, version "
        "= version + 1 where id = $2",
        KD_VALUES(kd_text_value(hash), kd_int(account_id))));
    return kd_session_end_all(access, account_id, session_id, err);
}

static kd_status find_hash(kd_access *access, int64_t account_id, attempt *a, kd_arena *arena, kd_error *err)
{
    KD_TRY(kd_account_get(access, account_id, arena, &a->account, err));
    memcpy(a->login, a->account.login.ptr, a->account.login.len);
    return find_account(access, a, arena, err);
}

static kd_status change_password(kd_access *access, int64_t account_id, int64_t session_id, kd_str old_password,
                                 kd_str new_password, kd_arena *arena, kd_error *err)
{
    attempt a = { .login = "" };
    char hash[KD_PASSWORD_HASH_BYTES];
    bool is_right = false;
    int64_t now = kd_access_now(access);
    KD_TRY(find_hash(access, account_id, &a, arena, err));
    if (a.account.locked_until > now) return fail_locked(a.account.locked_until - now, err);
    if (old_password.len <= KD_PASSWORD_BYTES_MAX)
        KD_TRY(kd_password_verify(access->pack, a.hash, old_password, &is_right, err));
    if (!is_right) {
        KD_TRY(note_failure(access, &a, err));
        return kd_fail(err, KD_INVALID, "old", "the present password is wrong");
    }
    KD_TRY(kd_password_check(access->pack, new_password, a.account.login, "new", err));
    if (kd_str_eq(old_password, new_password))
        return kd_fail(err, KD_INVALID, "new", "the new password is the present one");
    KD_TRY(kd_password_hash(access->pack, new_password, hash, err));
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    return kd_store_end(access->store, write_password(access, account_id, session_id, kd_str_of(hash), err), err);
}

kd_status kd_password_change(kd_access *access, int64_t account_id, int64_t session_id, kd_str old_password,
                             kd_str new_password, kd_error *err)
{
    enum { CHANGE_BYTES_MAX = 1 << 16 };
    kd_arena *arena = kd_arena_new(CHANGE_BYTES_MAX);
    if (!arena) return kd_access_no_memory(err);
    kd_status status = change_password(access, account_id, session_id, old_password, new_password, arena, err);
    kd_arena_free(arena);
    return status;
}
