/* Who may ask for what: sessions, CSRF, purposes, permissions, tokens and keys, over real sockets. */
#include "http_place.h"

static kd_status count_up(kd_call *call, kd_error *err)
{
    static _Atomic int64_t count;
    kd_str name;
    KD_TRY(kd_in_text(kd_call_body(call), "name", true, 100, &name, err));
    call->status = 201;
    kd_json_object(&call->out);
    kd_json_kint(&call->out, "count", ++count);
    kd_json_object_end(&call->out);
    kd_call_set_version(call, count);
    return KD_OK;
}

static kd_status count_slowly(kd_call *call, kd_error *err)
{
    usleep(300000);
    return count_up(call, err);
}

static kd_status tell_purpose(kd_call *call, kd_error *err)
{
    (void)err;
    kd_json_object(&call->out);
    kd_out_text(&call->out, "purpose", call->purpose);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static const kd_route OWN_ROUTES[] = {
    { .method = "POST",
      .path = "/api/count",
      .permission = "birth.write",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .run = count_up },
    { .method = "POST",
      .path = "/api/slow-count",
      .permission = "birth.write",
      .body = KD_BODY_JSON,
      .needs_idempotency = true,
      .run = count_slowly },
    { .method = "GET", .path = "/api/why", .permission = "person.read", .needs_purpose = true, .run = tell_purpose },
    { .method = "GET", .path = "/api/log", .permission = "audit.read", .run = tell_purpose },
    { .method = "POST",
      .path = "/api/photo",
      .permission = "audit.read",
      .body = KD_BODY_FILE,
      .bytes_max = 1 << 20,
      .run = tell_purpose },
    { .method = NULL },
};
static const kd_route *const OWN_TABLES[] = { OWN_ROUTES, kd_routes_session, kd_routes_reference, NULL };
static char first_password[128], token[KD_SECRET_TEXT_BYTES];

/* A clerk whose password need not be changed, one who must, a system with a token of two requests a minute. */
static void make_accounts(void)
{
    static const kd_str clerk[] = { { "township_clerk", 14 } };
    static const int64_t areas[] = { INT64_C(610829000000) };
    kd_error err;
    kd_register *reg;
    kd_access *access;
    kd_access_pack *pack;
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_str password;
    int64_t id;
    const kd_actor actor = { .who = NULL };
    assert_int_equal(kd_register_open(run.reg, false, &reg, &err), KD_OK);
    assert_int_equal(kd_access_pack_load(NULL, &pack, &err), KD_OK);
    assert_int_equal(kd_access_open(reg, pack, &access, &err), KD_OK);
    kd_account_new account = { .login = KD_STR("clerk"),
                               .name = KD_STR("测试甲"),
                               .roles = clerk,
                               .role_count = 1,
                               .areas = areas,
                               .area_count = 1,
                               .password = KD_STR("River-9-and-hill"),
                               .is_password_kept = true };
    if (kd_account_create(access, &account, &actor, arena, &id, &password, &err) != KD_OK) fail_msg("%s", err.message);
    static const kd_str both[] = { { "data_steward", 12 }, { "township_clerk", 14 } };
    account.login = KD_STR("steward");
    account.roles = both;
    account.role_count = 2;
    if (kd_account_create(access, &account, &actor, arena, &id, &password, &err) != KD_OK) fail_msg("%s", err.message);
    account.roles = clerk;
    account.role_count = 1;
    account.login = KD_STR("beginner");
    account.password = (kd_str){ NULL, 0 };
    account.is_password_kept = false;
    assert_int_equal(kd_account_create(access, &account, &actor, arena, &id, &password, &err), KD_OK);
    snprintf(first_password, sizeof first_password, "%.*s", KD_FMT(password));
    account.login = KD_STR("machine");
    account.is_system = true;
    if (kd_account_create(access, &account, &actor, arena, &id, &password, &err) != KD_OK) fail_msg("%s", err.message);
    const kd_token made = { .account_id = id,
                            .title = KD_STR("t"),
                            .scopes = KD_STR("person.read"),
                            .rate_per_minute = 12,
                            .expires_at = kd_now_us() + INT64_C(3600000000) };
    int64_t token_id;
    if (kd_token_create(access, &made, &actor, token, &token_id, &err) != KD_OK) fail_msg("%s", err.message);
    kd_access_close(access);
    kd_access_pack_free(pack);
    kd_register_close(reg);
    kd_arena_free(arena);
}

static void use_own_routes(kd_server_options *options)
{
    options->routes = OWN_TABLES;
}

static int begin(void **state)
{
    if (make_folder(state) != 0) return -1;
    make_accounts();
    start(use_own_routes);
    return 0;
}

static int end(void **state)
{
    stop();
    return remove_folder(state);
}

/* ---- asking ---- */

typedef struct {
    char cookie[128], csrf[128];
} browser;

static kd_buf request(const char *method, const char *path, const char *fields, const char *body)
{
    kd_buf bytes;
    kd_buf_init(&bytes, 1 << 20);
    kd_buf_fmt(&bytes, "%s %s HTTP/1.1\r\n" HOST "Connection: close\r\nAccept-Language: en\r\n%s", method, path,
               fields);
    if (body) kd_buf_fmt(&bytes, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    kd_buf_cstr(&bytes, "\r\n");
    kd_buf_cstr(&bytes, body ? body : "");
    kd_buf answer = ask(kd_buf_view(&bytes), 5000);
    kd_buf_done(&bytes);
    return answer;
}

static void expect(const char *method, const char *path, const char *fields, const char *body, int status,
                   const char *text)
{
    kd_buf answer = request(method, path, fields, body);
    if (status_in(answer.ptr) != status || (text && !strstr(answer.ptr, text)))
        fail_msg("%s %s: expected %d with '%s', got: %.700s", method, path, status, text ? text : "", answer.ptr);
    kd_buf_done(&answer);
}

static void cut(const char *answer, const char *after, char end_char, char *out, size_t out_bytes)
{
    const char *at = strstr(answer, after);
    if (!at) fail_msg("no '%s' in: %.700s", after, answer);
    at += strlen(after);
    size_t len = (size_t)(strchr(at, end_char) - at);
    assert_true(len > 0 && len < out_bytes);
    memcpy(out, at, len);
    out[len] = '\0';
}

static browser sign_in(const char *login, const char *password)
{
    browser b;
    char body[256];
    snprintf(body, sizeof body, "{\"login\":\"%s\",\"password\":\"%s\"}", login, password);
    kd_buf answer = request("POST", "/api/session", "", body);
    assert_int_equal(status_in(answer.ptr), 200);
    assert_non_null(strstr(answer.ptr, "; Path=/; HttpOnly; SameSite=Strict; Max-Age="));
    cut(answer.ptr, "Set-Cookie: ", ';', b.cookie, sizeof b.cookie);
    cut(answer.ptr, "\"csrf\":\"", '"', b.csrf, sizeof b.csrf);
    kd_buf_done(&answer);
    return b;
}

static const char *fields_of(const browser *b, const char *more)
{
    static char text[1024];
    snprintf(text, sizeof text, "Cookie: a=b; %s\r\nKindred-CSRF: %s\r\n%s", b->cookie, b->csrf, more);
    return text;
}

/* ---- facts ---- */

static void a_session_begins_and_ends(void **state)
{
    (void)state;
    expect("POST", "/api/session", "", "{\"login\":\"clerk\",\"password\":\"wrong\"}", 401, "not-signed-in");
    expect("POST", "/api/session", "", "{\"login\":\"clerk\"}", 422, "\"field\":\"/password\"");
    expect("POST", "/api/session", "", "{\"login\":\"clerk\",\"password\":\"x\",\"more\":1}", 422,
           "\"field\":\"/more\"");
    browser b = sign_in("clerk", "River-9-and-hill");
    expect("GET", "/api/session", fields_of(&b, ""), NULL, 200, b.csrf);
    expect("GET", "/api/session", fields_of(&b, ""), NULL, 200, "\"permissions\":[");
    expect("GET", "/api/session", "Cookie: kindred_session=nonsense\r\n", NULL, 401, NULL);
    expect("DELETE", "/api/session", fields_of(&b, ""), NULL, 204, "Max-Age=0");
    expect("GET", "/api/session", fields_of(&b, ""), NULL, 401, NULL);
}

static void a_refused_sign_in_is_written_down_without_what_was_typed(void **state)
{
    (void)state;
    static const struct {
        const char *body, *found;
    } cases[] = {
        { "{\"login\":\"Clerk\",\"password\":\"typed-here\"}",
          "action = 'session.begin' and login = 'clerk' and account_id > 0" },
        { "{\"login\":\"typed-here\",\"password\":\"typed-here\"}",
          "action = 'session.begin' and login is null and account_id is null" },
        { "{\"login\":\"typed-here, too\",\"password\":\"typed-here\"}",
          "action = 'session.begin' and login is null and account_id is null" },
        { "{\"login\":\"machine\",\"password\":\"typed-here\"}", "action = 'session.begin' and login = 'machine'" },
    };
    char sql[512];
    kd_error err;
    kd_register *reg;
    int64_t before, after, typed;
    assert_int_equal(kd_register_open(run.reg, false, &reg, &err), KD_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(sql, sizeof sql,
                 "select count(*) from audit where is_allowed = 0 and address = '127.0.0.1' and request_id is not null "
                 "and %s",
                 cases[i].found);
        assert_int_equal(kd_store_int(kd_register_store(reg), &err, &before, sql, KD_NO_VALUES), KD_OK);
        expect("POST", "/api/session", "", cases[i].body, 401, "not-signed-in");
        assert_int_equal(kd_store_int(kd_register_store(reg), &err, &after, sql, KD_NO_VALUES), KD_OK);
        if (after != before + 1) fail_msg("%s: %d entries", cases[i].body, (int)(after - before));
    }
    assert_int_equal(kd_store_int(kd_register_store(reg), &err, &typed,
                                  "select count(*) from audit where login like '%typed%' or detail like '%typed%' or "
                                  "object like '%typed%'",
                                  KD_NO_VALUES),
                     KD_OK);
    assert_int_equal(typed, 0);
    kd_register_close(reg);
}

static void purposes_stand_in_the_order_of_the_roles(void **state)
{
    (void)state;
    static const char *const names[] = { "stewardship", "verification", "registration", "benefit", "request" };
    browser b = sign_in("steward", "River-9-and-hill");
    kd_buf answer = request("GET", "/api/session", fields_of(&b, ""), NULL);
    const char *at = strstr(answer.ptr, "\"purposes\":["), *end = at ? strchr(at, ']') : NULL;
    assert_non_null(end);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char member[64];
        snprintf(member, sizeof member, "\"code\":\"%s\"", names[i]);
        at = strstr(at, member);
        if (!at || at > end) fail_msg("%s is missing or too early: %.900s", names[i], answer.ptr);
        at++;
    }
    at = strstr(at, "\"code\"");
    assert_true(!at || at > end); /* each once */
    kd_buf_done(&answer);
}

static void a_write_with_a_cookie_needs_its_token(void **state)
{
    (void)state;
    browser b = sign_in("clerk", "River-9-and-hill");
    browser without = b;
    snprintf(without.csrf, sizeof without.csrf, "wrong");
    expect("POST", "/api/count", fields_of(&without, "Idempotency-Key: abcdefgh1\r\n"), "{\"name\":\"a\"}", 403,
           "problem:csrf");
    expect("POST", "/api/count", fields_of(&b, "Idempotency-Key: abcdefgh2\r\n"), "{\"name\":\"a\"}", 201,
           "{\"count\":");
    expect("GET", "/api/session", fields_of(&without, ""), NULL, 200, NULL);
}

static void a_purpose_of_the_role_is_stated(void **state)
{
    (void)state;
    browser b = sign_in("clerk", "River-9-and-hill");
    expect("GET", "/api/why", fields_of(&b, ""), NULL, 400, "problem:purpose-missing");
    expect("GET", "/api/why", fields_of(&b, "Kindred-Purpose: audit\r\n"), NULL, 403, "problem:purpose\"");
    expect("GET", "/api/why", fields_of(&b, "Kindred-Purpose: a b\r\n"), NULL, 403, NULL);
    expect("GET", "/api/why", fields_of(&b, "Kindred-Purpose: registration\r\n"), NULL, 200,
           "{\"purpose\":\"registration\"}");
}

static void what_is_not_permitted_is_refused_and_written_down(void **state)
{
    (void)state;
    kd_error err;
    kd_register *reg;
    int64_t before, after;
    static const char count[] = "select count(*) from audit where is_allowed = 0 and action = 'audit.read'";
    assert_int_equal(kd_register_open(run.reg, false, &reg, &err), KD_OK);
    assert_int_equal(kd_store_int(kd_register_store(reg), &err, &before, count, KD_NO_VALUES), KD_OK);
    browser b = sign_in("clerk", "River-9-and-hill");
    expect("GET", "/api/log", fields_of(&b, ""), NULL, 403, "problem:denied");
    expect("POST", "/api/photo", fields_of(&b, ""), "{}", 403, NULL); /* before its body is kept */
    expect("GET", "/api/log", "", NULL, 401, NULL);
    assert_int_equal(kd_store_int(kd_register_store(reg), &err, &after, count, KD_NO_VALUES), KD_OK);
    assert_int_equal(after - before, 2);
    kd_register_close(reg);
}

static void a_first_password_opens_nothing_but_its_change(void **state)
{
    (void)state;
    char body[256];
    browser b = sign_in("beginner", first_password);
    expect("GET", "/api/codes", fields_of(&b, ""), NULL, 403, "problem:password-change-needed");
    expect("GET", "/api/session", fields_of(&b, ""), NULL, 200, "\"must_change_password\":true");
    snprintf(body, sizeof body, "{\"old\":\"%s\",\"new\":\"short\"}", first_password);
    expect("POST", "/api/session/password", fields_of(&b, ""), body, 422, "\"field\":\"");
    snprintf(body, sizeof body, "{\"old\":\"%s\",\"new\":\"Bridge-7-of-stone\"}", first_password);
    expect("POST", "/api/session/password", fields_of(&b, ""), body, 204, NULL);
    b = sign_in("beginner", "Bridge-7-of-stone");
    expect("GET", "/api/codes", fields_of(&b, ""), NULL, 200, "ethnicity");
}

static void a_key_makes_a_request_happen_once(void **state)
{
    (void)state;
    browser b = sign_in("clerk", "River-9-and-hill");
    char key[64] = "Idempotency-Key: once-and-again\r\n", first[64], again[64], etag[32], etag_again[32];
    expect("POST", "/api/count", fields_of(&b, ""), "{\"name\":\"a\"}", 400, "problem:idempotency-key-missing");
    expect("POST", "/api/count", fields_of(&b, "Idempotency-Key: short\r\n"), "{\"name\":\"a\"}", 400, NULL);
    expect("POST", "/api/count", fields_of(&b, key), "{\"name\":7}", 422,
           "\"field\":\"/name\""); /* a failure keeps no key */
    kd_buf answer = request("POST", "/api/count", fields_of(&b, key), "{\"name\":\"a\"}");
    cut(answer.ptr, "{\"count\":", '}', first, sizeof first);
    cut(answer.ptr, "ETag: ", '\r', etag, sizeof etag);
    kd_buf_done(&answer);
    answer = request("POST", "/api/count", fields_of(&b, key), "{\"name\":\"a\"}");
    assert_int_equal(status_in(answer.ptr), 201);
    cut(answer.ptr, "{\"count\":", '}', again, sizeof again);
    cut(answer.ptr, "ETag: ", '\r', etag_again, sizeof etag_again);
    kd_buf_done(&answer);
    assert_string_equal(first, again);
    assert_string_equal(etag, etag_again);
    expect("POST", "/api/count", fields_of(&b, key), "{\"name\":\"b\"}", 422, "Idempotency-Key");
}

static void *ask_slowly(void *arg)
{
    const browser *b = arg;
    char fields[512];
    snprintf(fields, sizeof fields, "Cookie: %s\r\nKindred-CSRF: %s\r\nIdempotency-Key: at-the-same-time\r\n",
             b->cookie, b->csrf);
    expect("POST", "/api/slow-count", fields, "{\"name\":\"a\"}", 201, NULL);
    return NULL;
}

static void a_key_in_use_is_a_conflict(void **state)
{
    (void)state;
    browser b = sign_in("clerk", "River-9-and-hill");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_slowly, &b), 0);
    usleep(150000);
    expect("POST", "/api/slow-count", fields_of(&b, "Idempotency-Key: at-the-same-time\r\n"), "{\"name\":\"a\"}", 409,
           NULL);
    pthread_join(thread, NULL);
}

static void a_token_has_its_scopes_and_its_rate(void **state)
{
    (void)state;
    char fields[256];
    snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\nKindred-Purpose: registration\r\n", token);
    expect("GET", "/api/session", fields, NULL, 200, "\"csrf\":null");
    expect("GET", "/api/session", "Authorization: Bearer nonsense\r\n", NULL, 401, NULL);
    expect("POST", "/api/count", fields, "{\"name\":\"a\"}", 403, NULL); /* the role may, the token may not */
    expect("GET", "/api/why", fields, NULL, 200, "registration");
    int refused = 0;
    for (int i = 0; i < 14; i++) {
        kd_buf answer = request("GET", "/api/why", fields, NULL);
        if (status_in(answer.ptr) == 429) refused += strstr(answer.ptr, "Retry-After: ") != NULL;
        kd_buf_done(&answer);
    }
    assert_in_range(refused, 4, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_begins_and_ends),
        cmocka_unit_test(a_refused_sign_in_is_written_down_without_what_was_typed),
        cmocka_unit_test(purposes_stand_in_the_order_of_the_roles),
        cmocka_unit_test(a_write_with_a_cookie_needs_its_token),
        cmocka_unit_test(a_purpose_of_the_role_is_stated),
        cmocka_unit_test(what_is_not_permitted_is_refused_and_written_down),
        cmocka_unit_test(a_first_password_opens_nothing_but_its_change),
        cmocka_unit_test(a_key_makes_a_request_happen_once),
        cmocka_unit_test(a_key_in_use_is_a_conflict),
        cmocka_unit_test(a_token_has_its_scopes_and_its_rate),
    };
    return cmocka_run_group_tests_name("http_gate", tests, begin, end);
}
