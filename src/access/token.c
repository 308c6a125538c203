/* Tokens of systems. */
#include "inner.h"

#include <string.h>

enum { TOUCH_S = 60, TOKENS_MAX = 1000, RATE_MAX = 100000, DAYS_MAX = 366 };
#define DAY_US (24 * 60 * KD_MINUTE_US)
#define TOKEN_COLUMNS \
    "t.id, t.account_id, t.title, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at, t.rate_per_minute"
enum { TOKEN_COLUMN_COUNT = 9 };

static const kd_actor COMMAND_LINE = { .who = NULL };

static kd_status read_token(const kd_rows *rows, kd_arena *arena, kd_token *out, kd_error *err)
{
    *out = (kd_token){ .id = kd_rows_int(rows, 0),
                       .account_id = kd_rows_int(rows, 1),
                       .title = kd_arena_str(arena, kd_rows_text(rows, 2)),
                       .scopes = kd_arena_str(arena, kd_rows_text(rows, 3)),
                       .created_at = kd_rows_int(rows, 4),
                       .expires_at = kd_rows_int(rows, 5),
                       .last_used_at = kd_rows_int(rows, 6),
                       .revoked_at = kd_rows_int(rows, 7),
                       .rate_per_minute = (int32_t)kd_rows_int(rows, 8) };
    return out->title.ptr && out->scopes.ptr ? KD_OK : kd_access_no_memory(err);
}

kd_status kd_token_get(kd_access *access, int64_t id, kd_arena *arena, kd_token *out_token, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_token token;
    KD_TRY(kd_store_query(access->store, err, &rows, "select " TOKEN_COLUMNS " from token as t where t.id = $1",
                          KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = read_token(rows, arena, &token, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "id", "there is no such token");
    *out_token = token;
    return KD_OK;
}

kd_status kd_token_list(kd_access *access, int64_t account_id, kd_arena *arena, kd_token **out_tokens,
                        size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    size_t count = 0;
    kd_token *tokens = kd_arena_array(arena, TOKENS_MAX, sizeof *tokens);
    if (!tokens) return kd_access_no_memory(err);
    KD_TRY(kd_store_query(
        access->store, err, &rows,
        "select " TOKEN_COLUMNS
        " from token as t where cast($1 as bigint) in (0, t.account_id) order by t.created_at desc, t.id desc limit $2",
        KD_VALUES(kd_int(account_id), kd_int(TOKENS_MAX))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = read_token(rows, arena, &tokens[count], err);
        if (status != KD_OK) break;
        count++;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_tokens = tokens;
    *out_count = count;
    return KD_OK;
}

/* ---- making and changing ---- */

static kd_status note(kd_access *access, const kd_actor *actor, const char *action, int64_t id, kd_str login,
                      kd_str scopes, kd_error *err)
{
    char text[KD_ID_TEXT_BYTES];
    kd_buf object, detail;
    kd_buf_init(&object, KD_AUDIT_TEXT_MAX);
    kd_buf_init(&detail, 1 << 12);
    kd_buf_fmt(&object, "token/%s", kd_id_format(id, text));
    kd_buf_fmt(&detail, "%.*s %.*s", KD_FMT(login), KD_FMT(scopes));
    kd_str told = kd_str_sub(kd_buf_view(&detail), 0, KD_AUDIT_TEXT_MAX);
    kd_status status = kd_audit_note(access, actor, action, kd_buf_view(&object), told, err);
    kd_buf_done(&detail);
    kd_buf_done(&object);
    return status;
}

static kd_status check_scopes(const kd_access_pack *pack, const kd_account *account, kd_str scopes, kd_error *err)
{
    kd_str part;
    if (scopes.len > KD_SCOPES_BYTES_MAX) return kd_fail(err, KD_INVALID, "scopes", "too many permissions");
    while (scopes.ptr && scopes.len && kd_str_next(&scopes, ' ', &part)) {
        if (kd_account_may(pack, account, part)) continue;
        kd_fail(err, KD_INVALID, "scopes", "a permission that the account's roles do not give");
        kd_hint(err, "permissions separated by single spaces, such as person.read");
        return KD_INVALID;
    }
    return KD_OK;
}

static kd_status check_new(kd_access *access, const kd_token *token, const kd_account *account, const kd_actor *actor,
                           kd_error *err)
{
    int64_t now = kd_access_now(access);
    KD_TRY(kd_words_check(token->title, 1, KD_TITLE_MAX, "title", err));
    if (!account->is_active) return kd_fail(err, KD_CONFLICT, "account_id", "the account is not active");
    if (!account->is_system) {
        kd_fail(err, KD_INVALID, "account_id", "a token belongs to a system's account, not to a person's");
        kd_hint(err, "make an account for the system");
        return KD_INVALID;
    }
    if (token->expires_at <= now || token->expires_at > now + DAYS_MAX * DAY_US)
        return kd_fail(err, KD_INVALID, "days", "a token lasts 1 to %d days", DAYS_MAX);
    if (token->rate_per_minute < 1 || token->rate_per_minute > RATE_MAX)
        return kd_fail(err, KD_INVALID, "rate_per_minute", "1 to %d requests a minute", RATE_MAX);
    KD_TRY(kd_actor_covers(actor, account->areas, account->area_count, err));
    return check_scopes(access->pack, account, token->scopes, err);
}

static kd_status insert(kd_access *access, const kd_token *token, const kd_account *account, kd_str hash,
                        const kd_actor *actor, kd_error *err)
{
    KD_TRY(kd_audit_lock(access->store, err));
    KD_TRY(
        kd_store_exec(access->store, err, NULL,
                      "insert into token (id, account_id, title, scopes, secret_hash, rate_per_minute, created_at, "
                      "expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                      KD_VALUES(kd_int(token->id), kd_int(account->id), kd_text_value(token->title),
                                kd_text_value(token->scopes.ptr ? token->scopes : KD_STR("")), kd_text_value(hash),
                                kd_int(token->rate_per_minute), kd_int(token->created_at), kd_int(token->expires_at))));
    return note(access, actor, "token.create", token->id, account->login, token->scopes, err);
}

static kd_status create(kd_access *access, const kd_token *wanted, const kd_actor *actor, kd_arena *arena,
                        char secret[KD_SECRET_TEXT_BYTES], int64_t *out_id, kd_error *err)
{
    kd_account account;
    kd_token token = *wanted;
    char hash[KD_HASH_TEXT_BYTES];
    kd_status status = kd_account_get(access, token.account_id, arena, &account, err);
    if (status == KD_NOT_FOUND) return kd_fail(err, KD_INVALID, "account_id", "there is no such account");
    if (status != KD_OK) return status;
    KD_TRY(check_new(access, &token, &account, actor, err));
    kd_secret_make(secret);
    kd_secret_hash(kd_str_of(secret), hash);
    token.id = kd_register_next_id(access->reg);
    token.created_at = kd_access_now(access);
    KD_TRY(kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err));
    KD_TRY(kd_store_end(access->store, insert(access, &token, &account, kd_str_of(hash), actor, err), err));
    *out_id = token.id;
    return KD_OK;
}

static kd_status in_arena(kd_arena **out_arena, kd_error *err)
{
    enum { TOKEN_BYTES_MAX = 1 << 16 };
    *out_arena = kd_arena_new(TOKEN_BYTES_MAX);
    return *out_arena ? KD_OK : kd_access_no_memory(err);
}

kd_status kd_token_create(kd_access *access, const kd_token *token, const kd_actor *actor,
                          char out_secret[KD_SECRET_TEXT_BYTES], int64_t *out_id, kd_error *err)
{
    kd_arena *arena;
    char secret[KD_SECRET_TEXT_BYTES];
    KD_TRY(in_arena(&arena, err));
    kd_status status = create(access, token, actor ? actor : &COMMAND_LINE, arena, secret, out_id, err);
    if (status == KD_OK) memcpy(out_secret, secret, sizeof secret);
    kd_arena_free(arena);
    return status;
}

/* The token and its account, which whoever acts must cover. */
static kd_status find(kd_access *access, int64_t id, const kd_actor *actor, kd_arena *arena, kd_token *token,
                      kd_account *account, kd_error *err)
{
    KD_TRY(kd_token_get(access, id, arena, token, err));
    KD_TRY(kd_account_get(access, token->account_id, arena, account, err));
    return kd_actor_covers(actor, account->areas, account->area_count, err);
}

/* `hash` empty: revoke. */
static kd_status write_change(kd_access *access, const kd_token *token, const kd_account *account, kd_str hash,
                              int64_t old_until, const kd_actor *actor, kd_error *err)
{
    int64_t changed = 0, now = kd_access_now(access);
    KD_TRY(kd_audit_lock(access->store, err));
    if (hash.len) {
        KD_TRY(kd_store_exec(
            access->store, err, &changed,
            "update token set old_secret_hash = secret_hash, old_until = $1, secret_hash = $2 where id = $3 "
            "and revoked_at is null and expires_at > $4",
            KD_VALUES(kd_int(old_until), kd_text_value(hash), kd_int(token->id), kd_int(now))));
    } else {
        KD_TRY(kd_store_exec(access->store, err, &changed,
                             "update token set revoked_at = $1 where id = $2 and revoked_at is null",
                             KD_VALUES(kd_int(now), kd_int(token->id))));
    }
    if (changed == 0) return kd_fail(err, KD_CONFLICT, "", "the token has ended already");
    return note(access, actor, hash.len ? "token.rotate" : "token.revoke", token->id, account->login,
                (kd_str){ NULL, 0 }, err);
}

static kd_status change(kd_access *access, int64_t id, kd_str hash, int64_t old_until, const kd_actor *actor,
                        kd_error *err)
{
    kd_arena *arena;
    kd_token token;
    kd_account account;
    KD_TRY(in_arena(&arena, err));
    kd_status status = find(access, id, actor, arena, &token, &account, err);
    if (status == KD_OK) status = kd_store_begin_beside(access->store, KD_CHANGE_WAIT_MS, err);
    if (status == KD_OK)
        status = kd_store_end(access->store, write_change(access, &token, &account, hash, old_until, actor, err), err);
    kd_arena_free(arena);
    return status;
}

kd_status kd_token_rotate(kd_access *access, int64_t id, int64_t grace_us, const kd_actor *actor,
                          char out_secret[KD_SECRET_TEXT_BYTES], kd_error *err)
{
    enum { GRACE_DAYS_MAX = 7 };
    char secret[KD_SECRET_TEXT_BYTES], hash[KD_HASH_TEXT_BYTES];
    if (grace_us < 0 || grace_us > GRACE_DAYS_MAX * DAY_US)
        return kd_fail(err, KD_INVALID, "grace_minutes", "the old secret is good for %d days at most", GRACE_DAYS_MAX);
    kd_secret_make(secret);
    kd_secret_hash(kd_str_of(secret), hash);
    KD_TRY(change(access, id, kd_str_of(hash), kd_access_now(access) + grace_us, actor ? actor : &COMMAND_LINE, err));
    memcpy(out_secret, secret, sizeof secret);
    return KD_OK;
}

kd_status kd_token_revoke(kd_access *access, int64_t id, const kd_actor *actor, kd_error *err)
{
    return change(access, id, (kd_str){ NULL, 0 }, 0, actor ? actor : &COMMAND_LINE, err);
}

/* ---- every request ---- */

static kd_status fail_token(kd_error *err)
{
    return kd_fail(err, KD_DENIED, "", "the token is unknown, expired or revoked");
}

static kd_status find_secret(kd_access *access, kd_str hash, kd_arena *arena, kd_token *token, kd_account *account,
                             kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t now = kd_access_now(access);
    KD_TRY(
        kd_store_query(access->store, err, &rows,
                       "select " TOKEN_COLUMNS ", " KD_ACCOUNT_COLUMNS
                       " from token as t join account as a on a.id = t.account_id where (t.secret_hash = $1 or "
                       "(t.old_secret_hash = $1 and t.old_until > $2)) and t.revoked_at is null and t.expires_at > $2",
                       KD_VALUES(kd_text_value(hash), kd_int(now))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = read_token(rows, arena, token, err);
    if (status == KD_OK && has_row) status = kd_account_read(rows, TOKEN_COLUMN_COUNT, arena, account, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    return has_row && account->is_active ? KD_OK : fail_token(err);
}

/* That it is in use, about once a minute; left to a later request when another writer is at work. */
static kd_status touch(kd_access *access, const kd_token *token, kd_error *err)
{
    int64_t now = kd_access_now(access);
    if (now - token->last_used_at < TOUCH_S * KD_SECOND_US) return KD_OK;
    kd_status status = kd_store_begin_beside(access->store, KD_TOUCH_WAIT_MS, err);
    if (status == KD_CONFLICT) return KD_OK;
    if (status != KD_OK) return status;
    status = kd_store_exec(access->store, err, NULL, "update token set last_used_at = $1 where id = $2",
                           KD_VALUES(kd_int(now), kd_int(token->id)));
    if (status == KD_OK)
        status = kd_store_exec(access->store, err, NULL, "update account set last_seen_at = $1 where id = $2",
                               KD_VALUES(kd_int(now), kd_int(token->account_id)));
    status = kd_store_end(access->store, status, err);
    return status == KD_CONFLICT ? KD_OK : status;
}

kd_status kd_token_check(kd_access *access, kd_str secret, kd_arena *arena, kd_token *out_token,
                         kd_account *out_account, kd_error *err)
{
    char hash[KD_HASH_TEXT_BYTES];
    kd_token token;
    kd_account account;
    if (!kd_secret_is_plausible(secret)) return fail_token(err);
    kd_secret_hash(secret, hash);
    KD_TRY(find_secret(access, kd_str_of(hash), arena, &token, &account, err));
    KD_TRY(kd_account_grants(access, arena, &account, err));
    KD_TRY(touch(access, &token, err));
    account.scopes = token.scopes;
    *out_token = token;
    *out_account = account;
    return KD_OK;
}
