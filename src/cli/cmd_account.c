/* kindred account: who may sign in, and the tokens of systems. The first account of a register is made here. */
#include "access/access.h"
#include "words.h"

#include <string.h>
#include <strings.h>

enum { ACCOUNTS_BYTES_MAX = 64 << 20, OUT_BYTES_MAX = 16 << 20, PAGE = 500, DAYS_DEFAULT = 90, RATE_DEFAULT = 600 };

static const kd_option OPTIONS[] = {
    { "login", "NAME", "create, reset, activate, deactivate, token create: the account" },
    { "name", "NAME", "create: the person's or the system's name" },
    { "phone", "NUMBER", "create" },
    { "role", "ROLE,…", "create: what it may do; packs/cn/access.yaml names the roles" },
    { "area", "CODE,…", "create: divisions of 2 to 12 digits with all that lies in them; 0 is the whole register" },
    { "system", NULL, "create: a system, which is given tokens instead of a password" },
    { "password", "TEXT",
      "create: the first password, instead of one that is made; other users of this machine may see it" },
    { "keep-password", NULL, "create: it need not be changed at the first sign-in; for demonstrations and tests" },
    { "title", "TEXT", "token create: what it is for" },
    { "scope", "PERMISSION,…", "token create: what it may do of all that its account may (all)" },
    { "days", "N", "token create: how long it lasts (90)" },
    { "rate", "N", "token create: requests a minute (600)" },
    { NULL, NULL, NULL },
};

typedef struct {
    const kd_args *args;
    kd_cli_words words;
    kd_access_pack *pack;
    kd_access *access;
    kd_arena *arena;
    kd_buf out;
} command;

/* ---- reading what was asked ---- */

static bool read_roles(const command *c, kd_str roles[KD_ROLES_MAX], size_t *out_count)
{
    kd_str rest = kd_str_of(kd_arg(c->args, "role")), part;
    *out_count = 0;
    while (rest.ptr && rest.len && kd_str_next(&rest, ',', &part)) {
        if (*out_count == KD_ROLES_MAX) {
            kd_cli_usage(c->args, "an account has %d roles at most", KD_ROLES_MAX);
            return false;
        }
        roles[(*out_count)++] = kd_str_trim(part);
    }
    return true;
}

static bool is_all_zeros(kd_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '0') return false;
    return text.len > 0;
}

static kd_status read_areas(const command *c, int64_t areas[KD_AREAS_MAX], size_t *out_count, kd_error *err)
{
    const kd_divisions *divisions;
    kd_str rest = kd_str_of(kd_arg(c->args, "area")), part;
    *out_count = 0;
    KD_TRY(kd_register_divisions(c->words.reg, &divisions, err));
    while (rest.ptr && rest.len && kd_str_next(&rest, ',', &part)) {
        kd_str code = kd_str_trim(part);
        int64_t area = is_all_zeros(code) ? 0 : kd_division_code_read(divisions, code, false);
        if (area == 0 && !is_all_zeros(code)) {
            kd_fail(err, KD_NOT_FOUND, "area", "there is no division with this code");
            kd_hint(err, "2, 4, 6, 9 or 12 digits, such as 610829 for a county");
            return KD_NOT_FOUND;
        }
        if (*out_count == KD_AREAS_MAX)
            return kd_fail(err, KD_LIMIT, "area", "an account has %d areas at most", KD_AREAS_MAX);
        areas[(*out_count)++] = area;
    }
    return KD_OK;
}

static kd_status find_account(command *c, kd_account *out, kd_error *err)
{
    kd_str wanted = kd_str_of(kd_arg(c->args, "login")), cursor = { NULL, 0 };
    do {
        kd_account_page page;
        KD_TRY(kd_account_list(c->access, wanted, cursor, PAGE, c->arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            if (page.accounts[i].login.len != wanted.len ||
                strncasecmp(page.accounts[i].login.ptr, wanted.ptr, wanted.len) != 0)
                continue;
            *out = page.accounts[i];
            return KD_OK;
        }
        cursor = page.next;
    } while (cursor.len);
    return kd_fail(err, KD_NOT_FOUND, "login", "there is no account with this login");
}

/* ---- showing ---- */

static void add_account_json(kd_json *json, const kd_account *account)
{
    char instant[32];
    kd_json_object(json);
    kd_cli_json_id(json, "id", account->id);
    kd_json_kstr(json, "login", account->login);
    kd_json_kstr(json, "name", account->name);
    kd_json_key(json, "roles");
    kd_json_array(json);
    for (size_t i = 0; i < account->role_count; i++) kd_json_str(json, account->roles[i]);
    kd_json_array_end(json);
    kd_json_key(json, "areas");
    kd_json_array(json);
    for (size_t i = 0; i < account->area_count; i++) kd_json_int(json, account->areas[i]);
    kd_json_array_end(json);
    kd_json_kbool(json, "is_system", account->is_system);
    kd_json_kbool(json, "is_active", account->is_active);
    kd_json_kbool(json, "must_change_password", account->must_change_password);
    bool was_seen = account->last_seen_at != 0;
    kd_json_kstr(json, "last_seen_at", kd_str_of(was_seen ? kd_instant_format(account->last_seen_at, instant) : NULL));
    kd_json_object_end(json);
}

static void add_account_line(command *c, const kd_account *account)
{
    kd_buf_fmt(&c->out, "%.*s  %.*s  ", KD_FMT(account->login), KD_FMT(account->name));
    for (size_t i = 0; i < account->role_count; i++) {
        const kd_role_info *role = kd_access_pack_role(c->pack, account->roles[i]);
        if (i) kd_buf_char(&c->out, ',');
        kd_buf_str(&c->out, role ? kd_cli_either(&c->words, role->title_zh, role->title_en) : account->roles[i]);
    }
    for (size_t i = 0; i < account->area_count; i++) {
        kd_buf_cstr(&c->out, i ? ", " : "  ");
        if (account->areas[i]) {
            kd_cli_place(&c->words, account->areas[i], &c->out);
        } else {
            kd_buf_cstr(&c->out, c->words.is_english ? "everywhere" : "全部");
        }
    }
    if (!account->is_active) kd_buf_cstr(&c->out, c->words.is_english ? "  (not active)" : "  （已停用）");
    kd_buf_char(&c->out, '\n');
}

static int list(command *c)
{
    kd_error err;
    kd_json json;
    kd_account_page page = { .next = { NULL, 0 } };
    kd_json_init(&json, &c->out);
    if (c->args->is_json) {
        kd_json_object(&json);
        kd_json_key(&json, "accounts");
        kd_json_array(&json);
    }
    do {
        if (kd_account_list(c->access, (kd_str){ NULL, 0 }, page.next, PAGE, c->arena, &page, &err) != KD_OK)
            return kd_cli_fail(c->args, &err);
        for (size_t i = 0; i < page.count; i++) {
            if (c->args->is_json) {
                add_account_json(&json, &page.accounts[i]);
            } else {
                add_account_line(c, &page.accounts[i]);
            }
        }
    } while (page.next.len);
    if (c->args->is_json) {
        kd_json_array_end(&json);
        kd_json_object_end(&json);
    } else if (c->out.len == 0) {
        kd_buf_cstr(&c->out, c->words.is_english ? "There are no accounts yet.\n" : "还没有账号。\n");
    }
    return kd_cli_print(&c->out);
}

/* What is told once: a password or a token. */
static int tell(command *c, const char *kind, int64_t id, kd_str login, kd_str secret)
{
    const kd_cli_words *words = &c->words;
    if (c->args->is_json) {
        kd_json json;
        kd_json_init(&json, &c->out);
        kd_json_object(&json);
        kd_cli_json_id(&json, "id", id);
        kd_json_kstr(&json, "login", login);
        if (kind) kd_json_kstr(&json, kind, secret);
        kd_json_object_end(&json);
        return kd_cli_print(&c->out);
    }
    bool is_password = kind && strcmp(kind, "password") == 0;
    kd_buf_fmt(&c->out, "%.*s  ", KD_FMT(login));
    kd_cli_id_text(id, &c->out);
    if (kind && secret.len) {
        kd_buf_cstr(&c->out, is_password         ? words->is_english ? "\nfirst password: " : "\n初始密码："
                             : words->is_english ? "\ntoken: "
                                                 : "\n令牌：");
        kd_buf_str(&c->out, secret);
        kd_buf_cstr(&c->out, words->is_english ? "\nIt is shown this once.\n" : "\n仅显示这一次。\n");
    }
    return kd_cli_print(&c->out);
}

/* ---- what is done ---- */

static int create(command *c)
{
    kd_error err;
    kd_str roles[KD_ROLES_MAX], password;
    int64_t areas[KD_AREAS_MAX], id;
    const kd_args *args = c->args;
    kd_account_new wanted = { .login = kd_str_of(kd_arg(args, "login")),
                              .name = kd_str_of(kd_arg(args, "name")),
                              .phone = kd_str_of(kd_arg(args, "phone")),
                              .roles = roles,
                              .areas = areas,
                              .is_system = kd_arg(args, "system") != NULL,
                              .password = kd_str_of(kd_arg(args, "password")),
                              .is_password_kept = kd_arg(args, "keep-password") != NULL };
    if (!kd_arg(args, "login") || !kd_arg(args, "name") || !kd_arg(args, "role") || !kd_arg(args, "area"))
        return kd_cli_usage(args, "create needs --login, --name, --role and --area");
    if (!read_roles(c, roles, &wanted.role_count)) return KD_EXIT_USAGE;
    if (read_areas(c, areas, &wanted.area_count, &err) != KD_OK) return kd_cli_fail(args, &err);
    if (kd_account_create(c->access, &wanted, NULL, c->arena, &id, &password, &err) != KD_OK)
        return kd_cli_fail(args, &err);
    return tell(c, wanted.is_system ? NULL : "password", id, wanted.login, password);
}

static int reset(command *c)
{
    kd_error err;
    kd_account account;
    kd_str password;
    if (!kd_arg(c->args, "login")) return kd_cli_usage(c->args, "reset needs --login");
    if (find_account(c, &account, &err) != KD_OK ||
        kd_account_reset(c->access, account.id, NULL, c->arena, &password, &err) != KD_OK)
        return kd_cli_fail(c->args, &err);
    return tell(c, "password", account.id, account.login, password);
}

static int set_active(command *c, bool is_active)
{
    kd_error err;
    kd_account account;
    if (!kd_arg(c->args, "login")) return kd_cli_usage(c->args, "--login is needed");
    if (find_account(c, &account, &err) != KD_OK) return kd_cli_fail(c->args, &err);
    account.is_active = is_active;
    if (kd_account_change(c->access, &account, NULL, &err) != KD_OK) return kd_cli_fail(c->args, &err);
    return tell(c, NULL, account.id, account.login, (kd_str){ NULL, 0 });
}

/* "a,b" as "a b" */
static kd_str scopes_of(command *c)
{
    kd_str said = kd_str_of(kd_arg(c->args, "scope"));
    char *to = said.len ? kd_arena_alloc(c->arena, said.len) : NULL;
    for (size_t i = 0; to && i < said.len; i++) to[i] = said.ptr[i] == ',' ? ' ' : said.ptr[i];
    return (kd_str){ to, to ? said.len : 0 };
}

static int create_token(command *c)
{
    static const int64_t day_us = INT64_C(86400000000);
    kd_error err;
    kd_account account;
    int64_t days, rate, id;
    char secret[KD_SECRET_TEXT_BYTES];
    if (!kd_arg(c->args, "login") || !kd_arg(c->args, "title"))
        return kd_cli_usage(c->args, "token create needs --login and --title");
    if (!kd_arg_int(c->args, "days", DAYS_DEFAULT, &days) || !kd_arg_int(c->args, "rate", RATE_DEFAULT, &rate))
        return KD_EXIT_USAGE;
    if (days < 1 || days > 366 || rate < 1 || rate > INT32_MAX)
        return kd_cli_usage(c->args, "--days is 1 to 366, --rate at least 1");
    if (find_account(c, &account, &err) != KD_OK) return kd_cli_fail(c->args, &err);
    kd_token token = { .account_id = account.id,
                       .title = kd_str_of(kd_arg(c->args, "title")),
                       .scopes = scopes_of(c),
                       .expires_at = kd_now_us() + days * day_us,
                       .rate_per_minute = (int32_t)rate };
    if (kd_token_create(c->access, &token, NULL, secret, &id, &err) != KD_OK) return kd_cli_fail(c->args, &err);
    return tell(c, "token", id, account.login, kd_str_of(secret));
}

static int revoke_token(command *c)
{
    kd_error err;
    int64_t id;
    kd_token token;
    if (!kd_cli_id(c->args, c->args->positional_count == 3 ? c->args->positional[2] : NULL, &id)) return KD_EXIT_USAGE;
    if (kd_token_revoke(c->access, id, NULL, &err) != KD_OK ||
        kd_token_get(c->access, id, c->arena, &token, &err) != KD_OK)
        return kd_cli_fail(c->args, &err);
    return tell(c, NULL, id, token.title, (kd_str){ NULL, 0 });
}

static int act(command *c)
{
    const kd_args *args = c->args;
    const char *what = args->positional_count ? args->positional[0] : "";
    const char *more = args->positional_count > 1 ? args->positional[1] : "";
    bool is_token = strcmp(what, "token") == 0;
    if (is_token && strcmp(more, "create") == 0) return create_token(c);
    if (is_token && strcmp(more, "revoke") == 0) return revoke_token(c);
    if (args->positional_count == 1) {
        if (strcmp(what, "create") == 0) return create(c);
        if (strcmp(what, "list") == 0) return list(c);
        if (strcmp(what, "reset") == 0) return reset(c);
        if (strcmp(what, "activate") == 0) return set_active(c, true);
        if (strcmp(what, "deactivate") == 0) return set_active(c, false);
    }
    return kd_cli_usage(args, "create, list, reset, activate, deactivate, token create or token revoke is expected");
}

static int run(const kd_args *args)
{
    kd_error err;
    command c = { .args = args };
    if (!kd_cli_language(args, &c.words.is_english)) return KD_EXIT_USAGE;
    kd_status status = kd_register_open(args->register_dir, false, &c.words.reg, &err);
    if (status == KD_OK) status = kd_access_pack_load(NULL, &c.pack, &err);
    if (status == KD_OK) status = kd_access_open(c.words.reg, c.pack, &c.access, &err);
    if (status == KD_OK && !(c.arena = kd_arena_new(ACCOUNTS_BYTES_MAX)))
        status = kd_fail(&err, KD_LIMIT, "", "out of memory");
    kd_buf_init(&c.out, OUT_BYTES_MAX);
    int code = status == KD_OK ? act(&c) : kd_cli_fail(args, &err);
    kd_buf_done(&c.out);
    kd_arena_free(c.arena);
    kd_access_close(c.access);
    kd_access_pack_free(c.pack);
    kd_register_close(c.words.reg);
    return code;
}

const kd_command kd_cmd_account = {
    .name = "account",
    .summary = "who may sign in, and the tokens of systems",
    .usage =
        "account create --login NAME --name NAME --role ROLE,… --area CODE,… | list | reset | activate | deactivate "
        "--login NAME | token create --login NAME --title TEXT | token revoke ID [--json]",
    .details =
        "The first password is printed once and must be changed at the first sign-in. What is done here stands in the\n"
        "audit log. A token belongs to an account made with --system.",
    .options = OPTIONS,
    .run = run,
};
