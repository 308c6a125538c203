/* Reading accounts. */
#include "inner.h"

#include <string.h>

enum { ACCOUNTS_MAX = 1000 };

kd_status kd_login_fold(kd_str login, char out[KD_LOGIN_MAX + 1], kd_error *err)
{
    bool is_fine = login.len >= KD_LOGIN_MIN && login.len <= KD_LOGIN_MAX;
    for (size_t i = 0; is_fine && i < login.len; i++) {
        char c = login.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        is_fine = (out[i] >= 'a' && out[i] <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    if (!is_fine) {
        kd_fail(err, KD_INVALID, "login", "this cannot be a login");
        kd_hint(err, "%d to %d letters a to z, digits, dots, hyphens or underscores", KD_LOGIN_MIN, KD_LOGIN_MAX);
        return KD_INVALID;
    }
    out[login.len] = '\0';
    return KD_OK;
}

kd_status kd_words_check(kd_str text, size_t min, size_t max, const char *field, kd_error *err)
{
    size_t count = 0;
    bool is_fine = kd_utf8_is_valid(text);
    for (size_t i = 0; is_fine && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        is_fine = c >= ' ' && c != 0x7F;
        count += (c & 0xC0) != 0x80;
    }
    if (is_fine && count >= min && count <= max) return KD_OK;
    return kd_fail(err, KD_INVALID, field, "a text of %zu to %zu characters is expected", min, max);
}

static kd_status keep(kd_arena *arena, kd_str text, kd_str *out, kd_error *err)
{
    *out = (kd_str){ NULL, 0 };
    if (!text.len) return KD_OK;
    *out = kd_arena_str(arena, text);
    return out->ptr ? KD_OK : kd_access_no_memory(err);
}

kd_status kd_account_read(const kd_rows *rows, size_t first, kd_arena *arena, kd_account *out, kd_error *err)
{
    *out = (kd_account){ .id = kd_rows_int(rows, first),
                         .is_system = kd_rows_int(rows, first + 4) != 0,
                         .is_active = kd_rows_int(rows, first + 5) != 0,
                         .must_change_password = kd_rows_int(rows, first + 6) != 0,
                         .created_at = kd_rows_int(rows, first + 7),
                         .last_seen_at = kd_rows_int(rows, first + 8),
                         .locked_until = kd_rows_int(rows, first + 9),
                         .version = kd_rows_int(rows, first + 10) };
    KD_TRY(keep(arena, kd_rows_text(rows, first + 1), &out->login, err));
    KD_TRY(keep(arena, kd_rows_text(rows, first + 2), &out->name, err));
    return keep(arena, kd_rows_text(rows, first + 3), &out->phone, err);
}

static kd_status add_grant(const kd_rows *rows, kd_arena *arena, kd_account *account, kd_error *err)
{
    kd_str kind = kd_rows_text(rows, 0), value = kd_rows_text(rows, 1);
    if (kd_str_is(kind, "role") && account->role_count < KD_ROLES_MAX)
        return keep(arena, value, &account->roles[account->role_count++], err);
    int64_t area;
    if (kd_str_is(kind, "area") && account->area_count < KD_AREAS_MAX && kd_str_int(value, &area) && area >= 0) {
        account->areas[account->area_count++] = area;
        return KD_OK;
    }
    return kd_fail(err, KD_INVALID, "", "what an account may do is damaged in the database");
}

kd_status kd_account_grants(kd_access *access, kd_arena *arena, kd_account *account, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    account->role_count = account->area_count = 0;
    KD_TRY(kd_store_query(access->store, err, &rows,
                          "select kind, value from account_grant where account_id = $1 order by kind, value",
                          KD_VALUES(kd_int(account->id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = add_grant(rows, arena, account, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status get_by(kd_access *access, const char *sql, kd_value value, kd_arena *arena, kd_account *out_account,
                        kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_account account;
    KD_TRY(kd_store_query(access->store, err, &rows, sql, &value, 1));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = kd_account_read(rows, 0, arena, &account, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "id", "there is no such account");
    KD_TRY(kd_account_grants(access, arena, &account, err));
    *out_account = account;
    return KD_OK;
}

kd_status kd_account_get(kd_access *access, int64_t id, kd_arena *arena, kd_account *out_account, kd_error *err)
{
    return get_by(access, "select " KD_ACCOUNT_COLUMNS " from account as a where a.id = $1", kd_int(id), arena,
                  out_account, err);
}

kd_status kd_account_find(kd_access *access, kd_str login, kd_arena *arena, kd_account *out_account, kd_error *err)
{
    char folded[KD_LOGIN_MAX + 1];
    if (kd_login_fold(login, folded, NULL) != KD_OK)
        return kd_fail(err, KD_NOT_FOUND, "login", "there is no such account");
    return get_by(access, "select " KD_ACCOUNT_COLUMNS " from account as a where a.login = $1",
                  kd_text_value(kd_str_of(folded)), arena, out_account, err);
}

/* ---- pages ---- */

static kd_status read_page(kd_rows *rows, size_t limit, kd_arena *arena, kd_account_page *page, kd_error *err)
{
    bool has_row;
    for (;;) {
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (page->count == limit) break;
        KD_TRY(kd_account_read(rows, 0, arena, &page->accounts[page->count], err));
        page->count++;
    }
    page->next = page->accounts[page->count - 1].login;
    return KD_OK;
}

kd_status kd_account_list(kd_access *access, kd_str query, kd_str cursor, size_t limit, kd_arena *arena,
                          kd_account_page *out_page, kd_error *err)
{
    char after[KD_LOGIN_MAX + 1] = "";
    kd_rows *rows;
    kd_value like;
    if (limit < 1 || limit > ACCOUNTS_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page has 1 to %d accounts", ACCOUNTS_MAX);
    if (cursor.len && kd_login_fold(cursor, after, NULL) != KD_OK)
        return kd_fail(err, KD_INVALID, "cursor", "this is no cursor of a page of accounts");
    KD_TRY(kd_like_pattern(arena, query, true, &like, err));
    kd_account_page page = { .accounts = kd_arena_array(arena, limit, sizeof *page.accounts) };
    if (!page.accounts) return kd_access_no_memory(err);
    KD_TRY(kd_store_query(access->store, err, &rows,
                          "select " KD_ACCOUNT_COLUMNS
                          " from account as a where a.login > $1 and (a.login like $2 escape '!' or lower(a.name) like "
                          "$2 escape '!') order by a.login limit $3",
                          KD_VALUES(kd_text_value(kd_str_of(after)), like, kd_int((int64_t)limit + 1))));
    kd_status status = read_page(rows, limit, arena, &page, err);
    kd_rows_close(rows);
    for (size_t i = 0; status == KD_OK && i < page.count; i++)
        status = kd_account_grants(access, arena, &page.accounts[i], err);
    if (status == KD_OK) *out_page = page;
    return status;
}
