/* Leases and pictures, on both databases. */
#include "register/register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    char dir[64], url[640];
    kd_register *reg;
    kd_arena *arena;
} place;

static const int64_t MINUTE_US = INT64_C(60000000);

static void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static void fresh_schema(place *p)
{
    static int count;
    kd_error err;
    kd_store *store;
    char sql[128], schema[64];
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) {
        fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
        return; /* never reached, which the analyzer does not know */
    }
    snprintf(schema, sizeof schema, "claim_%d_%d", (int)getpid(), ++count);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    must(kd_store_open(server, true, &store, &err), &err);
    must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(store);
    snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?', schema);
}

static void open_place(place *p, bool is_postgres)
{
    kd_error err;
    *p = (place){ .dir = "/tmp/kd_claim_XXXXXX", .arena = kd_arena_new(1 << 20) };
    assert_non_null(mkdtemp(p->dir));
    if (is_postgres) fresh_schema(p);
    must(kd_register_init(p->dir, is_postgres ? p->url : NULL, NULL, &err), &err);
    must(kd_register_open(p->dir, false, &p->reg, &err), &err);
}

static void close_place(place *p)
{
    kd_register_close(p->reg);
    kd_arena_free(p->arena);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", p->dir, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

static void second_who_asks_learns_who_holds_it(place *p)
{
    kd_error err;
    kd_claim holder = { 0 };
    must(kd_claim_take(p->reg, KD_STR("task/1"), 7, KD_STR("王村医"), MINUTE_US, p->arena, &holder, &err), &err);
    assert_int_equal(holder.account_id, 7);
    assert_int_equal(kd_claim_take(p->reg, KD_STR("task/1"), 8, KD_STR("李村医"), MINUTE_US, p->arena, &holder, &err),
                     KD_CONFLICT);
    assert_int_equal(holder.account_id, 7);
    assert_true(kd_str_is(holder.name, "王村医"));
    must(kd_claim_take(p->reg, KD_STR("task/2"), 8, KD_STR("李村医"), MINUTE_US, p->arena, &holder, &err), &err);
    assert_int_equal(holder.account_id, 8);
}

static void holding_on_moves_the_end(place *p)
{
    kd_error err;
    kd_claim first = { 0 }, second = { 0 };
    must(kd_claim_take(p->reg, KD_STR("task/1"), 7, KD_STR("王"), MINUTE_US, p->arena, &first, &err), &err);
    must(kd_claim_take(p->reg, KD_STR("task/1"), 7, KD_STR("王"), 2 * MINUTE_US, p->arena, &second, &err), &err);
    assert_true(second.until > first.until);
}

static void lease_runs_out_by_itself(place *p)
{
    kd_error err;
    kd_claim holder = { 0 };
    must(kd_claim_take(p->reg, KD_STR("task/1"), 7, KD_STR("王"), -1, p->arena, &holder, &err), &err);
    assert_int_equal(kd_claim_of(p->reg, KD_STR("task/1"), p->arena, &holder, &err), KD_NOT_FOUND);
    must(kd_claim_take(p->reg, KD_STR("task/1"), 8, KD_STR("李"), MINUTE_US, p->arena, &holder, &err), &err);
    assert_int_equal(holder.account_id, 8);
}

static void only_the_holder_lets_go(place *p)
{
    kd_error err;
    kd_claim holder = { 0 };
    must(kd_claim_take(p->reg, KD_STR("task/1"), 7, KD_STR("王"), MINUTE_US, p->arena, &holder, &err), &err);
    must(kd_claim_release(p->reg, KD_STR("task/1"), 8, &err), &err);
    must(kd_claim_of(p->reg, KD_STR("task/1"), p->arena, &holder, &err), &err);
    assert_int_equal(holder.account_id, 7);
    must(kd_claim_release(p->reg, KD_STR("task/1"), 7, &err), &err);
    assert_int_equal(kd_claim_of(p->reg, KD_STR("task/1"), p->arena, &holder, &err), KD_NOT_FOUND);
    must(kd_claim_release(p->reg, KD_STR("task/1"), 7, &err), &err); /* again does nothing */
}

static void odd_names_of_things_are_refused(place *p)
{
    kd_error err;
    kd_claim holder;
    char name[300];
    memset(name, 'x', sizeof name);
    assert_int_equal(kd_claim_take(p->reg, KD_STR(""), 7, KD_STR("王"), 1, p->arena, &holder, &err), KD_INVALID);
    assert_int_equal(kd_claim_take(p->reg, (kd_str){ name, sizeof name }, 7, KD_STR("王"), 1, p->arena, &holder, &err),
                     KD_INVALID);
    assert_int_equal(
        kd_claim_take(p->reg, KD_STR("task/1"), 7, (kd_str){ name, sizeof name }, 1, p->arena, &holder, &err),
        KD_INVALID);
}

/* ---- pictures ---- */

#define JPEG "\xFF\xD8\xFF\xE0 a picture"
#define PNG "\x89PNG\r\n\x1A\n\0\0\0\rIHDR more"
#define WEBP "RIFF\x10\0\0\0WEBPVP8 more"

static kd_status add_file(place *p, const char *object, const char *bytes, size_t len, int64_t *out_id, kd_error *err)
{
    char path[128];
    snprintf(path, sizeof path, "%s/picture.tmp", p->dir);
    must(kd_file_write(path, (kd_str){ bytes, len }, err), err);
    return kd_attachment_add(p->reg, kd_str_of(object), path, 5, out_id, err);
}

static void pictures_are_kept_as_they_came(place *p)
{
    static const struct {
        const char *bytes, *type;
        size_t len;
    } cases[] = { { JPEG, "image/jpeg", sizeof JPEG - 1 },
                  { PNG, "image/png", sizeof PNG - 1 },
                  { WEBP, "image/webp", sizeof WEBP - 1 } };
    kd_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t id = 0;
        kd_attachment found = { 0 };
        kd_str path = { NULL, 0 }, bytes = { NULL, 0 };
        must(add_file(p, "task/9", cases[i].bytes, cases[i].len, &id, &err), &err);
        must(kd_attachment_get(p->reg, id, p->arena, &found, &err), &err);
        assert_true(kd_str_is(found.content_type, cases[i].type));
        assert_int_equal(found.bytes, cases[i].len);
        assert_int_equal(found.account_id, 5);
        must(kd_attachment_path(p->reg, &found, p->arena, &path, &err), &err);
        must(kd_file_read(p->arena, path.ptr, 1 << 16, &bytes, &err), &err);
        assert_true(kd_str_eq(bytes, (kd_str){ cases[i].bytes, cases[i].len }));
    }
    kd_attachment *list;
    size_t count = 0;
    must(kd_attachment_list(p->reg, KD_STR("task/9"), p->arena, &list, &count, &err), &err);
    assert_int_equal(count, 3);
    must(kd_attachment_list(p->reg, KD_STR("task/8"), p->arena, &list, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void the_same_picture_is_kept_once(place *p)
{
    kd_error err;
    int64_t one = 0, two = 0;
    kd_attachment a = { 0 }, b = { 0 };
    must(add_file(p, "task/1", JPEG, sizeof JPEG - 1, &one, &err), &err);
    must(add_file(p, "task/2", JPEG, sizeof JPEG - 1, &two, &err), &err);
    must(kd_attachment_get(p->reg, one, p->arena, &a, &err), &err);
    must(kd_attachment_get(p->reg, two, p->arena, &b, &err), &err);
    assert_true(one != two);
    assert_true(kd_str_eq(a.content_hash, b.content_hash));
}

static void what_is_no_picture_is_refused(place *p)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = { { "", 0 },
                  { "\xFF\xD8", 2 },
                  { "GIF89a......", 12 },
                  { "<svg/>", 6 },
                  { "RIFF\x10\0\0\0WAVEfmt ", 16 },
                  { "RIFF\x10\0\0\0WEBP", 12 },
                  { "MZ\x90\0", 4 },
                  { "\x89PNG\r\n\x1A\n", 8 },
                  { "%PDF-1.7", 8 } };
    kd_error err;
    int64_t id = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(add_file(p, "task/1", cases[i].bytes, cases[i].len, &id, &err), KD_INVALID);
    assert_int_equal(add_file(p, "", JPEG, sizeof JPEG - 1, &id, &err), KD_INVALID);
    kd_attachment found;
    assert_int_equal(kd_attachment_get(p->reg, 12345, p->arena, &found, &err), KD_NOT_FOUND);
}

static void run_on_both(void (*test)(place *))
{
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        place p;
        open_place(&p, is_postgres);
        test(&p);
        close_place(&p);
    }
}

#define ON_BOTH(name)                     \
    static void test_##name(void **state) \
    {                                     \
        (void)state;                      \
        run_on_both(name);                \
    }
ON_BOTH(second_who_asks_learns_who_holds_it)
ON_BOTH(holding_on_moves_the_end)
ON_BOTH(lease_runs_out_by_itself)
ON_BOTH(only_the_holder_lets_go)
ON_BOTH(odd_names_of_things_are_refused)
ON_BOTH(pictures_are_kept_as_they_came)
ON_BOTH(the_same_picture_is_kept_once)
ON_BOTH(what_is_no_picture_is_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_who_asks_learns_who_holds_it),
        cmocka_unit_test(test_holding_on_moves_the_end),
        cmocka_unit_test(test_lease_runs_out_by_itself),
        cmocka_unit_test(test_only_the_holder_lets_go),
        cmocka_unit_test(test_odd_names_of_things_are_refused),
        cmocka_unit_test(test_pictures_are_kept_as_they_came),
        cmocka_unit_test(test_the_same_picture_is_kept_once),
        cmocka_unit_test(test_what_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
