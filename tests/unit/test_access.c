#include "access_place.h"

/* Who may sign in, for how long, and do what; on both databases. */

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
static const int64_t START = INT64_C(1780000000) * SECOND;

static kd_status sign_in(place *p, const char *login, const char *password, const char *address,
                         kd_session_secrets *out, kd_error *err)
{
    kd_account account;
    return kd_session_begin(p->access, kd_str_of(login), kd_str_of(password), kd_str_of(address), p->arena, out,
                            &account, err);
}

static kd_session_secrets signed_in(place *p, const char *login)
{
    kd_error err;
    kd_session_secrets secrets = { .expires_at = 0 };
    must(sign_in(p, login, PASSWORD, "10.0.0.1", &secrets, &err), &err);
    return secrets;
}

static kd_status check(place *p, const char *cookie, const char *csrf, kd_session *out)
{
    kd_account account;
    return kd_session_check(p->access, kd_str_of(cookie), kd_str_of(csrf), p->arena, out, &account, NULL);
}

/* ---- the pack ---- */

static bool gives(const kd_access_pack *pack, const char *role, const char *permission)
{
    kd_account account = { .is_active = true, .roles = { kd_str_of(role) }, .role_count = 1 };
    return kd_account_may(pack, &account, kd_str_of(permission));
}

static void duties_are_separated(void **state)
{
    (void)state;
    kd_error err;
    kd_access_pack *pack;
    must(kd_access_pack_load(NULL, &pack, &err), &err);
    static const char *const blind[] = { "county_manager", "city_manager", "auditor", "administrator",
                                         "office_system" };
    for (size_t i = 0; i < sizeof blind / sizeof blind[0]; i++) {
        assert_false(gives(pack, blind[i], "person.read"));
        assert_false(gives(pack, blind[i], "person.find"));
    }
    for (size_t i = 0; i < kd_access_pack_roles(pack); i++) {
        kd_account account = { .is_active = true, .roles = { kd_access_pack_role_at(pack, i)->name }, .role_count = 1 };
        bool writes = kd_account_may(pack, &account, KD_STR("account.write"));
        assert_int_equal(writes, kd_str_is(account.roles[0], "administrator"));
        if (kd_account_may(pack, &account, KD_STR("audit.read")))
            assert_false(kd_account_may(pack, &account, KD_STR("account.write")));
        if (kd_account_may(pack, &account, KD_STR("person.read")))
            assert_true(kd_access_pack_role_at(pack, i)->purpose_count > 0);
        account.is_active = false;
        assert_false(kd_account_may(pack, &account, KD_STR("today.read")));
    }
    assert_true(gives(pack, "township_clerk", "birth.register"));
    assert_false(gives(pack, "clinician", "birth.register"));
    assert_false(gives(pack, "no_such_role", "today.read"));
    kd_access_pack_free(pack);
}

static void a_token_does_less_than_its_account(void **state)
{
    (void)state;
    kd_error err;
    kd_access_pack *pack;
    must(kd_access_pack_load(NULL, &pack, &err), &err);
    kd_account account = { .is_active = true, .roles = { KD_STR("data_steward") }, .role_count = 1 };
    assert_true(kd_account_may(pack, &account, KD_STR("feed.import")));
    account.scopes = KD_STR("feed.read match.read birth.register");
    assert_true(kd_account_may(pack, &account, KD_STR("match.read")));
    assert_false(kd_account_may(pack, &account, KD_STR("feed.import")));
    assert_false(kd_account_may(pack, &account, KD_STR("birth.register"))); /* in the scopes, not in the role */
    assert_false(kd_account_may(pack, &account, KD_STR("match")));
    kd_access_pack_free(pack);
}

static void a_wrong_pack_is_refused_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "failures: 5 ", "failures: 0 " },
        { "session_hours: 12", "session_hours: many" },
        { "purposes: [care,", "purposes: [dancing," },
        { "permissions: [notice.answer]", "permissions: [notice.burn]" },
        { "permissions: [notice.answer]", "permissions: [notice.answer, notice.answer]" },
        { "gives_roles: true", "gives_roles: false" },
        { "claim_minutes: 15", "claim_hours: 15" },
        { "argon2id_memory_kib: 65536", "argon2id_memory_kib: 64" },
        { "zh: 医护人员, ", "" },
        { "\nlimits:", "\nlimit:" },
    };
    char dir[] = "/tmp/kd_access_pack_XXXXXX", path[64];
    kd_arena *arena = kd_arena_new(16 << 20);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.yaml", dir);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_error err = { .line = 0 };
        kd_access_pack *pack;
        must(kd_file_write(path, changed(arena, shipped_pack(arena), cases[i].from, cases[i].to), &err), &err);
        kd_status status = kd_access_pack_load(path, &pack, &err);
        if (status != KD_INVALID || err.line == 0) fail_msg("case %zu: '%s' was taken", i, cases[i].to);
    }
    unlink(path);
    rmdir(dir);
    kd_arena_free(arena);
}

static void an_area_covers_what_lies_in_it(void **state)
{
    (void)state;
    static const struct {
        int64_t area, division;
        bool covers;
    } cases[] = {
        { 0, 0, true },
        { 0, 610829101203, true },
        { 610000000000, 610829101203, true },
        { 610800000000, 610829101203, true },
        { 610829000000, 610829101203, true },
        { 610829101000, 610829101203, true },
        { 610829101203, 610829101203, true },
        { 610829000000, 610829000000, true },
        { 610829101203, 610829101000, false },
        { 610829101203, 610829101204, false },
        { 610829101000, 610829102203, false },
        { 610829000000, 610828101203, false },
        { 610829000000, 610800000000, false },
        { 610800000000, 0, false },
        { 610829000000, -1, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_account account = { .areas = { cases[i].area }, .area_count = 1 };
        if (kd_account_covers(&account, cases[i].division) != cases[i].covers) fail_msg("case %zu", i);
    }
    kd_account none = { .area_count = 0 }, two = { .areas = { 610829101203, 610822000000 }, .area_count = 2 };
    assert_false(kd_account_covers(&none, 610829101203));
    assert_true(kd_account_covers(&two, 610822101001));
    assert_false(kd_account_covers(&two, 610829101204));
}

/* ---- accounts ---- */

FACT(weak_passwords_are_refused)
{
    static const struct {
        const char *password;
        bool is_fine;
    } cases[] = {
        { "old-willow-by-the-well", true },
        { "柳树下的一口老井真好喝", true },
        { "short", false },
        { "123456789", false },
        { "1234567890", false },
        { "Password2026!", false },
        { "QWERTYUIOP", false },
        { "abcabcabcabc", false },
        { "aaaaaaaaaaaaaaa", false },
        { "I-am-ZhangSan-hello", false }, /* the login, in another case */
        { "passwords are words that pass", true },
        { "bad \xC0\xAF bytes in it", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kd_str roles[] = { KD_STR("township_clerk") };
        const int64_t areas[] = { COUNTY };
        kd_error err;
        kd_str password;
        int64_t id;
        const kd_account_new wanted = { .login = KD_STR("zhangsan"),
                                        .name = KD_STR("张三"),
                                        .roles = roles,
                                        .role_count = 1,
                                        .areas = areas,
                                        .area_count = 1,
                                        .password = kd_str_of(cases[i].password) };
        kd_status status = kd_account_create(p->access, &wanted, NULL, p->arena, &id, &password, &err);
        if (status != (cases[i].is_fine ? KD_OK : KD_INVALID)) fail_msg("'%s'", cases[i].password);
        if (status == KD_INVALID) assert_string_equal(err.field, "password");
        if (status == KD_OK) do_sql(p, "delete from account");
        if (status == KD_OK) do_sql(p, "delete from account_grant");
    }
}

FACT(a_made_password_is_used_once)
{
    kd_error err;
    kd_str password;
    int64_t id;
    kd_session_secrets secrets;
    kd_session session;
    const kd_str roles[] = { KD_STR("village_worker"), KD_STR("clinician") };
    const int64_t areas[] = { TOWNSHIP };
    const kd_account_new wanted = { .login = KD_STR("Li.Si"),
                                    .name = KD_STR("李四"),
                                    .phone = KD_STR("13900000000"),
                                    .roles = roles,
                                    .role_count = 2,
                                    .areas = areas,
                                    .area_count = 1 };
    must(kd_account_create(p->access, &wanted, NULL, p->arena, &id, &password, &err), &err);
    assert_int_equal(password.len, 19);
    kd_account account = get_account(p, id);
    assert_true(kd_str_is(account.login, "li.si") && account.must_change_password && account.is_active);
    assert_true(account.role_count == 2 && account.area_count == 1 && account.areas[0] == TOWNSHIP);
    must(sign_in(p, "LI.SI", password.ptr, "10.0.0.1", &secrets, &err), &err);
    must(check(p, secrets.cookie, secrets.csrf, &session), &err);
    must(kd_password_change(p->access, id, session.id, password, kd_str_of(PASSWORD), &err), &err);
    assert_false(get_account(p, id).must_change_password);
    assert_int_equal(sign_in(p, "li.si", password.ptr, "10.0.0.1", &secrets, &err), KD_DENIED);
    assert_int_equal(sign_in(p, "li.si", PASSWORD, "10.0.0.1", &secrets, &err), KD_OK);
}

FACT(wrong_accounts_are_refused_by_field)
{
    static const struct {
        const char *login, *name, *role, *second;
        int64_t area;
        const char *field;
    } cases[] = {
        { "a", "某人", "clinician", NULL, COUNTY, "login" },
        { "with space", "某人", "clinician", NULL, COUNTY, "login" },
        { "名字", "某人", "clinician", NULL, COUNTY, "login" },
        { "a2345678901234567890123456789012345678901", "某人", "clinician", NULL, COUNTY, "login" },
        { "ok", "", "clinician", NULL, COUNTY, "name" },
        { "ok", "a\nb", "clinician", NULL, COUNTY, "name" },
        { "ok", "某人", "king", NULL, COUNTY, "roles" },
        { "ok", "某人", "clinician", "clinician", COUNTY, "roles" },
        { "ok", "某人", "administrator", "data_steward", 0, "roles" },
        { "ok", "某人", "auditor", "administrator", 0, "roles" },
        { "ok", "某人", "clinician", NULL, 610829000001, "areas" },
        { "ok", "某人", "clinician", NULL, -1, "areas" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_error err = { .field = "" };
        kd_str password;
        int64_t id;
        const kd_str roles[] = { kd_str_of(cases[i].role), kd_str_of(cases[i].second) };
        const kd_account_new wanted = { .login = kd_str_of(cases[i].login),
                                        .name = kd_str_of(cases[i].name),
                                        .roles = roles,
                                        .role_count = cases[i].second ? 2 : 1,
                                        .areas = &cases[i].area,
                                        .area_count = 1 };
        if (kd_account_create(p->access, &wanted, NULL, p->arena, &id, &password, &err) != KD_INVALID ||
            strcmp(err.field, cases[i].field) != 0)
            fail_msg("case %zu: field '%s'", i, err.field);
    }
    assert_int_equal(ask(p, "select count(*) from account"), 0);
    assert_int_equal(ask(p, "select count(*) from audit"), 0);
    make_account(p, "taken", "clinician", COUNTY);
    int64_t id;
    assert_int_equal(try_account(p, "Taken", "clinician", COUNTY, NULL, &id, NULL), KD_CONFLICT);
}

FACT(nobody_gives_what_they_have_not)
{
    kd_error err;
    int64_t id;
    kd_account root = get_account(p, make_account(p, "root", "administrator", 0));
    kd_account county = get_account(p, make_account(p, "county.admin", "administrator", COUNTY));
    kd_account clerk = get_account(p, make_account(p, "clerk", "township_clerk", COUNTY));
    kd_actor by_county = { .who = &county }, by_clerk = { .who = &clerk };
    assert_int_equal(try_account(p, "a1", "data_steward", COUNTY, &by_county, &id, &err), KD_OK);
    assert_int_equal(try_account(p, "a2", "data_steward", 0, &by_county, &id, &err), KD_DENIED);
    assert_int_equal(try_account(p, "a3", "data_steward", OTHER_COUNTY, &by_county, &id, &err), KD_DENIED);
    assert_int_equal(try_account(p, "a4", "township_clerk", TOWNSHIP, &by_clerk, &id, &err), KD_OK);
    assert_int_equal(try_account(p, "a5", "data_steward", TOWNSHIP, &by_clerk, &id, &err), KD_DENIED);
    /* nor touches who is above */
    kd_str password;
    assert_int_equal(kd_account_reset(p->access, root.id, &by_county, p->arena, &password, &err), KD_DENIED);
    root.is_active = false;
    assert_int_equal(kd_account_change(p->access, &root, &by_county, &err), KD_DENIED);
    /* nor changes what they may do themselves, but their phone */
    county.roles[0] = KD_STR("data_steward");
    assert_int_equal(kd_account_change(p->access, &county, &by_county, &err), KD_DENIED);
    county.roles[0] = KD_STR("administrator");
    county.phone = KD_STR("0912-0000000");
    assert_int_equal(kd_account_change(p->access, &county, &by_county, &err), KD_OK);
    assert_int_equal(kd_account_change(p->access, &county, &by_county, &err), KD_CONFLICT); /* the version is past */
    assert_int_equal(ask(p, "select count(*) from audit where action = 'account.change'"), 1);
}

FACT(the_last_administrator_stays)
{
    kd_error err;
    kd_account first = get_account(p, make_account(p, "first", "administrator", 0));
    first.is_active = false;
    assert_int_equal(kd_account_change(p->access, &first, NULL, &err), KD_CONFLICT);
    first.is_active = true;
    first.roles[0] = KD_STR("data_steward");
    assert_int_equal(kd_account_change(p->access, &first, NULL, &err), KD_CONFLICT);
    int64_t second = make_account(p, "second", "administrator", 0);
    must(kd_account_change(p->access, &first, NULL, &err), &err);
    kd_account other = get_account(p, second);
    other.is_active = false;
    assert_int_equal(kd_account_change(p->access, &other, NULL, &err), KD_CONFLICT);
    assert_true(kd_str_is(get_account(p, first.id).roles[0], "data_steward"));
}

FACT(accounts_come_in_pages)
{
    kd_error err;
    kd_account_page page;
    char login[16];
    for (int i = 0; i < 7; i++) {
        snprintf(login, sizeof login, "w%d", i);
        make_account(p, login, "village_worker", TOWNSHIP);
    }
    make_account(p, "x_y", "clinician", COUNTY);
    size_t seen = 0;
    kd_str cursor = { NULL, 0 };
    do {
        must(kd_account_list(p->access, (kd_str){ NULL, 0 }, cursor, 3, p->arena, &page, &err), &err);
        for (size_t i = 1; i < page.count; i++)
            assert_true(kd_str_cmp(page.accounts[i - 1].login, page.accounts[i].login) < 0);
        seen += page.count;
        cursor = page.next;
    } while (cursor.len);
    assert_int_equal(seen, 8);
    must(kd_account_list(p->access, KD_STR("_"), cursor, 10, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 1); /* what means something in a pattern means itself */
    must(kd_account_list(p->access, KD_STR("X_Y"), cursor, 10, p->arena, &page, &err), &err);
    assert_true(page.count == 1 && page.accounts[0].role_count == 1);
    assert_int_equal(kd_account_list(p->access, cursor, KD_STR("no cursor"), 10, p->arena, &page, &err), KD_INVALID);
}

/* ---- signing in ---- */

FACT(failures_lock_an_account_for_longer_and_longer)
{
    kd_error err;
    kd_session_secrets secrets;
    int64_t now = START;
    make_account(p, "wang.wu", "clinician", COUNTY);
    static const char *const logins[] = { "wang.wu", "nobody.here" }; /* which of them is there is not to be told */
    for (size_t l = 0; l < 2; l++) {
        const char *login = logins[l];
        for (int i = 0; i < 5; i++) {
            kd_access_set_now(p->access, now += SECOND);
            assert_int_equal(sign_in(p, login, "wrong wrong wrong", "10.0.0.2", &secrets, &err), KD_DENIED);
            assert_string_equal(err.message, "the login or the password is wrong");
        }
        assert_int_equal(sign_in(p, login, PASSWORD, "10.0.0.3", &secrets, &err), KD_LIMIT);
        assert_string_equal(err.hint, "try again in 5 minutes");
        kd_access_set_now(p->access, now += 5 * MINUTE + SECOND);
        assert_int_equal(sign_in(p, login, "wrong wrong wrong", "10.0.0.2", &secrets, &err), KD_DENIED);
        assert_int_equal(sign_in(p, login, PASSWORD, "10.0.0.3", &secrets, &err), KD_LIMIT);
        assert_string_equal(err.hint, "try again in 10 minutes");
        kd_access_set_now(p->access, now += 10 * MINUTE + SECOND);
    }
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.0.0.3", &secrets, &err), KD_OK);
    assert_int_equal(ask(p, "select failures from account"), 0);
    assert_int_equal(sign_in(p, "wang.wu", "wrong wrong wrong", "10.0.0.3", &secrets, &err), KD_DENIED);
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.0.0.3", &secrets, &err), KD_OK); /* the count began anew */
}

FACT(a_reset_lifts_the_lock_and_ends_the_sessions)
{
    kd_error err;
    kd_session session;
    kd_str password;
    kd_session_secrets secrets, other;
    int64_t id = make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    secrets = signed_in(p, "wang.wu");
    for (int i = 0; i < 5; i++) {
        kd_access_set_now(p->access, START + i);
        (void)!sign_in(p, "wang.wu", "wrong wrong wrong", "10.0.0.2", &other, NULL);
    }
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_OK); /* whoever is in stays in */
    must(kd_account_reset(p->access, id, NULL, p->arena, &password, &err), &err);
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_DENIED);
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.0.0.2", &other, &err), KD_DENIED);
    must(sign_in(p, "wang.wu", password.ptr, "10.0.0.2", &other, &err), &err);
    assert_true(get_account(p, id).must_change_password);
}

FACT(one_address_cannot_try_many_logins)
{
    kd_error err;
    kd_session_secrets secrets;
    char sql[160];
    make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    for (int i = 0; i < 60; i++) {
        snprintf(sql, sizeof sql, "insert into sign_in_failure (address, at, login) values ('10.9.9.9', %lld, 'u%d')",
                 (long long)START - i, i);
        do_sql(p, sql);
    }
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.9.9.9", &secrets, &err), KD_LIMIT);
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.9.9.8", &secrets, &err), KD_OK);
    kd_access_set_now(p->access, START + 16 * MINUTE);
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "10.9.9.9", &secrets, &err), KD_OK);
}

FACT(only_people_of_active_accounts_sign_in)
{
    kd_error err;
    kd_session session;
    kd_session_secrets secrets;
    kd_account account = get_account(p, make_account(p, "wang.wu", "clinician", COUNTY));
    make_account(p, "office", "office_system", COUNTY);
    assert_int_equal(sign_in(p, "office", "", "", &secrets, &err), KD_DENIED);
    assert_int_equal(sign_in(p, "", "", "", &secrets, &err), KD_DENIED);
    assert_int_equal(sign_in(p, "wang.wu' or 1=1 --", PASSWORD, "", &secrets, &err), KD_DENIED);
    assert_int_equal(ask(p, "select count(*) from sign_in_failure where login like '%1=1%'"), 0);
    secrets = signed_in(p, "wang.wu");
    account.is_active = false;
    must(kd_account_change(p->access, &account, NULL, &err), &err);
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_DENIED);
    assert_int_equal(sign_in(p, "wang.wu", PASSWORD, "", &secrets, &err), KD_DENIED);
}

FACT(secrets_are_stored_as_hashes)
{
    kd_error err;
    kd_session_secrets secrets;
    make_account(p, "wang.wu", "clinician", COUNTY);
    secrets = signed_in(p, "wang.wu");
    int64_t count;
    must(kd_store_int(kd_register_store(p->reg), &err, &count,
                      "select count(*) from session where secret_hash = $1 or csrf_seed = $1 or csrf_seed = $2",
                      KD_VALUES(kd_text_value(kd_str_of(secrets.cookie)), kd_text_value(kd_str_of(secrets.csrf)))),
         &err);
    assert_int_equal(count, 0);
    assert_int_equal(ask(p, "select count(*) from account where password_hash like '$argon2id$%'"), 1);
}

/* ---- sessions ---- */

FACT(a_session_ends_idle_or_old)
{
    kd_error err;
    kd_session session;
    make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    kd_session_secrets secrets = signed_in(p, "wang.wu");
    kd_access_set_now(p->access, START + 61 * MINUTE);
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_DENIED);
    kd_access_set_now(p->access, START);
    secrets = signed_in(p, "wang.wu");
    char cookie[KD_SECRET_TEXT_BYTES];
    memcpy(cookie, secrets.cookie, sizeof cookie);
    for (int64_t now = START; now < START + 12 * HOUR; now += 30 * MINUTE) { /* in use all the time */
        kd_access_set_now(p->access, now);
        must(check(p, cookie, "", &session), &err);
        if (session.is_rotated) memcpy(cookie, session.fresh.cookie, sizeof cookie);
    }
    kd_access_set_now(p->access, START + 12 * HOUR);
    assert_int_equal(check(p, cookie, "", &session), KD_DENIED);
}

FACT(a_cookie_is_replaced_and_its_late_use_is_theft)
{
    kd_error err;
    kd_session session, next;
    make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    kd_session_secrets secrets = signed_in(p, "wang.wu");
    must(check(p, secrets.cookie, secrets.csrf, &session), &err);
    assert_true(!session.is_rotated && session.is_csrf_right);
    kd_access_set_now(p->access, START + 16 * MINUTE);
    must(check(p, secrets.cookie, secrets.csrf, &session), &err);
    assert_true(session.is_rotated && session.is_csrf_right);
    assert_string_not_equal(session.fresh.cookie, secrets.cookie);
    assert_string_equal(session.fresh.csrf, secrets.csrf); /* the page goes on with the token that it has */
    /* requests that were under way with the old one */
    kd_access_set_now(p->access, START + 16 * MINUTE + 30 * SECOND);
    must(check(p, secrets.cookie, secrets.csrf, &next), &err);
    assert_true(!next.is_rotated && next.id == session.id);
    must(check(p, session.fresh.cookie, secrets.csrf, &next), &err);
    kd_access_set_now(p->access, START + 18 * MINUTE);
    must(check(p, session.fresh.cookie, secrets.csrf, &next), &err);
    assert_int_equal(check(p, secrets.cookie, secrets.csrf, &next), KD_DENIED);
    assert_int_equal(check(p, session.fresh.cookie, secrets.csrf, &next), KD_DENIED); /* for both */
}

FACT(only_the_csrf_token_of_the_session_is_right)
{
    kd_error err;
    kd_session session;
    make_account(p, "wang.wu", "clinician", COUNTY);
    kd_session_secrets one = signed_in(p, "wang.wu"), two = signed_in(p, "wang.wu");
    const struct {
        const char *csrf;
        bool is_right;
    } cases[] = { { one.csrf, true }, { two.csrf, false }, { "", false }, { one.cookie, false }, { "x", false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must(check(p, one.cookie, cases[i].csrf, &session), &err);
        assert_int_equal(session.is_csrf_right, cases[i].is_right);
    }
    static const char *const wrong[] = { "", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                         "' or '1'='1                                " };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(check(p, wrong[i], one.csrf, &session), KD_DENIED);
    must(kd_session_end(p->access, session.id, &err), &err);
    assert_int_equal(check(p, one.cookie, one.csrf, &session), KD_DENIED);
    assert_int_equal(check(p, two.cookie, two.csrf, &session), KD_OK);
}

FACT(a_new_password_ends_the_other_sessions)
{
    kd_error err;
    kd_session here, there;
    int64_t id = make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    kd_session_secrets one = signed_in(p, "wang.wu"), two = signed_in(p, "wang.wu");
    must(check(p, one.cookie, one.csrf, &here), &err);
    kd_str old = kd_str_of(PASSWORD), fresh = KD_STR("three crows over a field");
    assert_int_equal(kd_password_change(p->access, id, here.id, KD_STR("wrong"), fresh, &err), KD_INVALID);
    assert_string_equal(err.field, "old");
    assert_int_equal(kd_password_change(p->access, id, here.id, old, KD_STR("short"), &err), KD_INVALID);
    assert_string_equal(err.field, "new");
    assert_int_equal(kd_password_change(p->access, id, here.id, old, old, &err), KD_INVALID);
    assert_string_equal(err.field, "new");
    must(kd_password_change(p->access, id, here.id, old, fresh, &err), &err);
    assert_int_equal(check(p, one.cookie, one.csrf, &here), KD_OK);
    assert_int_equal(check(p, two.cookie, two.csrf, &there), KD_DENIED);
    for (int i = 0; i < 5; i++) { /* nor can a stolen session try passwords without end */
        kd_access_set_now(p->access, START + i + 1);
        assert_int_equal(kd_password_change(p->access, id, here.id, KD_STR("wrong"), old, &err), KD_INVALID);
    }
    assert_int_equal(kd_password_change(p->access, id, here.id, fresh, old, &err), KD_LIMIT);
}

FACT(less_to_do_ends_the_sessions_more_does_not)
{
    kd_error err;
    kd_session session;
    kd_account account = get_account(p, make_account(p, "wang.wu", "clinician", TOWNSHIP));
    kd_session_secrets secrets = signed_in(p, "wang.wu");
    account.areas[0] = COUNTY;
    account.roles[account.role_count++] = KD_STR("village_worker");
    must(kd_account_change(p->access, &account, NULL, &err), &err);
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_OK);
    account = get_account(p, account.id);
    account.areas[0] = TOWNSHIP;
    must(kd_account_change(p->access, &account, NULL, &err), &err);
    assert_int_equal(check(p, secrets.cookie, "", &session), KD_DENIED);
}

FACT(a_reader_never_waits_for_a_writer)
{
    kd_error err;
    kd_session session;
    kd_register *other;
    make_account(p, "wang.wu", "clinician", COUNTY);
    kd_access_set_now(p->access, START);
    kd_session_secrets secrets = signed_in(p, "wang.wu");
    must(kd_register_open(p->reg_dir, false, &other, &err), &err);
    must(kd_store_begin(kd_register_store(other), &err), &err);
    must(kd_store_exec(kd_register_store(other), &err, NULL,
                       "insert into setting (name, value) values ('import', 'is under way')", KD_NO_VALUES),
         &err);
    kd_access_set_now(p->access, START + 20 * MINUTE); /* a fresh cookie would be due */
    double before = kd_seconds();
    must(check(p, secrets.cookie, secrets.csrf, &session), &err);
    assert_true(kd_seconds() - before < 2);
    assert_int_equal(session.is_rotated, p->url[0] != '\0'); /* on PostgreSQL sessions do not meet the import at all */
    kd_store_rollback(kd_register_store(other));
    kd_register_close(other);
    must(check(p, session.is_rotated ? session.fresh.cookie : secrets.cookie, secrets.csrf, &session), &err);
}

/* ---- tokens ---- */

static kd_status token_works(place *p, const char *secret)
{
    kd_token token;
    kd_account account;
    kd_status status = kd_token_check(p->access, kd_str_of(secret), p->arena, &token, &account, NULL);
    if (status == KD_OK) assert_true(kd_account_may(p->pack, &account, KD_STR("notice.answer")));
    return status;
}

FACT(a_token_lives_rotates_and_ends)
{
    kd_error err;
    int64_t id, other;
    char first[KD_SECRET_TEXT_BYTES], second[KD_SECRET_TEXT_BYTES], third[KD_SECRET_TEXT_BYTES];
    int64_t account = make_account(p, "office", "office_system", COUNTY);
    kd_access_set_now(p->access, START);
    const kd_token wanted = { .account_id = account,
                              .title = KD_STR("户籍"),
                              .scopes = KD_STR("notice.answer"),
                              .expires_at = START + 30 * DAY,
                              .rate_per_minute = 60 };
    must(kd_token_create(p->access, &wanted, NULL, first, &id, &err), &err);
    must(kd_token_create(p->access, &wanted, NULL, third, &other, &err), &err);
    must(token_works(p, first), &err);
    must(kd_token_rotate(p->access, id, HOUR, NULL, second, &err), &err);
    must(token_works(p, first), &err);
    must(token_works(p, second), &err);
    kd_access_set_now(p->access, START + HOUR);
    assert_int_equal(token_works(p, first), KD_DENIED);
    must(token_works(p, second), &err);
    must(kd_token_revoke(p->access, id, NULL, &err), &err);
    assert_int_equal(token_works(p, second), KD_DENIED);
    assert_int_equal(kd_token_revoke(p->access, id, NULL, &err), KD_CONFLICT);
    assert_int_equal(kd_token_rotate(p->access, id, 0, NULL, second, &err), KD_CONFLICT);
    assert_int_equal(kd_token_revoke(p->access, 12345, NULL, &err), KD_NOT_FOUND);
    must(token_works(p, third), &err);
    kd_account office = get_account(p, account);
    office.is_active = false;
    must(kd_account_change(p->access, &office, NULL, &err), &err);
    assert_int_equal(token_works(p, third), KD_DENIED);
    office = get_account(p, account);
    office.is_active = true;
    must(kd_account_change(p->access, &office, NULL, &err), &err);
    must(token_works(p, third), &err);
    kd_access_set_now(p->access, START + 30 * DAY);
    assert_int_equal(token_works(p, third), KD_DENIED);
    kd_token *tokens;
    size_t count;
    must(kd_token_list(p->access, account, p->arena, &tokens, &count, &err), &err);
    assert_int_equal(count, 2);
    must(kd_token_list(p->access, account + 1, p->arena, &tokens, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_int_equal(ask(p, "select count(*) from audit where action like 'token.%'"), 4);
}

FACT(wrong_tokens_are_refused_by_field)
{
    int64_t person = make_account(p, "wang.wu", "clinician", COUNTY);
    int64_t office = make_account(p, "office", "office_system", COUNTY);
    kd_access_set_now(p->access, START);
    const struct {
        int64_t account;
        const char *title, *scopes;
        int64_t lasts;
        int32_t rate;
        const char *field;
    } cases[] = {
        { person, "t", "notice.answer", DAY, 60, "account_id" },
        { 77, "t", "notice.answer", DAY, 60, "account_id" },
        { office, "", "notice.answer", DAY, 60, "title" },
        { office, "t", "person.read", DAY, 60, "scopes" },
        { office, "t", "notice.answer person.read", DAY, 60, "scopes" },
        { office, "t", "notice.answer  notice.answer", DAY, 60, "scopes" },
        { office, "t", "notice.answer", 0, 60, "days" },
        { office, "t", "notice.answer", 400 * DAY, 60, "days" },
        { office, "t", "notice.answer", DAY, 0, "rate_per_minute" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_error err = { .field = "" };
        char secret[KD_SECRET_TEXT_BYTES];
        int64_t id;
        const kd_token token = { .account_id = cases[i].account,
                                 .title = kd_str_of(cases[i].title),
                                 .scopes = kd_str_of(cases[i].scopes),
                                 .expires_at = START + cases[i].lasts,
                                 .rate_per_minute = cases[i].rate };
        if (kd_token_create(p->access, &token, NULL, secret, &id, &err) != KD_INVALID ||
            strcmp(err.field, cases[i].field) != 0)
            fail_msg("case %zu: field '%s'", i, err.field);
    }
    assert_int_equal(ask(p, "select count(*) from token"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duties_are_separated),
        cmocka_unit_test(a_token_does_less_than_its_account),
        cmocka_unit_test(a_wrong_pack_is_refused_where_it_is_wrong),
        cmocka_unit_test(an_area_covers_what_lies_in_it),
        cmocka_unit_test(weak_passwords_are_refused_),
        cmocka_unit_test(a_made_password_is_used_once_),
        cmocka_unit_test(wrong_accounts_are_refused_by_field_),
        cmocka_unit_test(nobody_gives_what_they_have_not_),
        cmocka_unit_test(the_last_administrator_stays_),
        cmocka_unit_test(accounts_come_in_pages_),
        cmocka_unit_test(failures_lock_an_account_for_longer_and_longer_),
        cmocka_unit_test(a_reset_lifts_the_lock_and_ends_the_sessions_),
        cmocka_unit_test(one_address_cannot_try_many_logins_),
        cmocka_unit_test(only_people_of_active_accounts_sign_in_),
        cmocka_unit_test(secrets_are_stored_as_hashes_),
        cmocka_unit_test(a_session_ends_idle_or_old_),
        cmocka_unit_test(a_cookie_is_replaced_and_its_late_use_is_theft_),
        cmocka_unit_test(only_the_csrf_token_of_the_session_is_right_),
        cmocka_unit_test(a_new_password_ends_the_other_sessions_),
        cmocka_unit_test(less_to_do_ends_the_sessions_more_does_not_),
        cmocka_unit_test(a_reader_never_waits_for_a_writer_),
        cmocka_unit_test(a_token_lives_rotates_and_ends_),
        cmocka_unit_test(wrong_tokens_are_refused_by_field_),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
