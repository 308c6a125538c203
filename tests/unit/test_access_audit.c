#include "access_place.h"

#include <pthread.h>

/* The log of who did what: every change to it is found, on both databases. */

enum { ENTRIES = 12 };

static kd_audit_entry entry_of(int i)
{
    static const char *const actions[] = { "person.read", "person.search", "task.answer" };
    return (kd_audit_entry){ .account_id = 1000 + i,
                             .login = KD_STR("wang.wu"),
                             .role = KD_STR("clinician"),
                             .action = kd_str_of(actions[i % 3]),
                             .purpose = KD_STR("care"),
                             .object = KD_STR("task/1"),
                             .request_id = KD_STR("r-1"),
                             .address = KD_STR("10.0.0.1"),
                             .person_id = 5000 + i % 4,
                             .division = TOWNSHIP + i % 2,
                             .is_allowed = i % 5 != 0,
                             .detail = KD_STR("备注") };
}

static void fill(place *p, int count)
{
    kd_error err;
    kd_audit *audit;
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    for (int i = 0; i < count; i++) {
        kd_audit_entry entry = entry_of(i);
        must(kd_audit_add(audit, &entry, &err), &err);
    }
    kd_audit_stop(audit);
}

static kd_audit_verdict verify(place *p)
{
    kd_error err;
    kd_audit_verdict verdict = { .entries = -1 };
    must(kd_audit_verify(p->reg, NULL, p->arena, &verdict, &err), &err);
    return verdict;
}

FACT(an_empty_log_is_whole)
{
    kd_audit_verdict verdict = verify(p);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_int_equal(verdict.entries, 0);
    fill(p, 1);
    verdict = verify(p);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_int_equal(verdict.entries, 1);
    int64_t count;
    must(kd_audit_holds(p->reg, verdict.head_hash, &count, NULL), NULL);
    assert_int_equal(count, 1);
}

FACT(every_altered_column_is_found)
{
    static const struct {
        const char *column, *altered;
    } cases[] = {
        { "at", "at + 1" },
        { "account_id", "account_id + 1" },
        { "account_id", "null" },
        { "login", "'li.si'" },
        { "login", "null" },
        { "login", "''" },
        { "role", "'clinician,auditor'" },
        { "action", "'person.reax'" },
        { "purpose", "null" },
        { "purpose", "'benefit'" },
        { "object", "'task/2'" },
        { "person_id", "person_id + 1" },
        { "person_id", "null" },
        { "division", "0" },
        { "is_allowed", "1 - is_allowed" },
        { "is_allowed", "2" },
        { "request_id", "'r-2'" },
        { "address", "'10.0.0.2'" },
        { "detail", "detail || ' '" },
        { "hash", "replace(replace(hash, 'a', 'b'), '0', '1')" },
        { "hash", "''" },
    };
    char sql[200];
    fill(p, ENTRIES);
    do_sql(p, "create table kept as select * from audit");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seq = 1 + (int64_t)i % ENTRIES;
        snprintf(sql, sizeof sql, "update audit set %s = %s where seq = %d", cases[i].column, cases[i].altered,
                 (int)seq);
        do_sql(p, sql);
        kd_audit_verdict verdict = verify(p);
        if (verdict.first_bad_seq != seq || !verdict.fault_zh.len || !verdict.fault_en.len)
            fail_msg("%s = %s of entry %d: told as %d", cases[i].column, cases[i].altered, (int)seq,
                     (int)verdict.first_bad_seq);
        do_sql(p, "delete from audit");
        do_sql(p, "insert into audit select * from kept");
        assert_int_equal(verify(p).first_bad_seq, 0);
    }
    do_sql(p, "drop table kept");
}

FACT(removed_inserted_and_exchanged_entries_are_found)
{
    static const struct {
        const char *sql[4];
        int64_t bad;
    } cases[] = {
        { { "delete from audit where seq = 5" }, 5 },
        { { "delete from audit where seq = 1" }, 1 },
        { { "delete from audit where seq = 12" }, 12 },
        { { "delete from audit where seq > 7" }, 8 },
        { { "delete from audit" }, 1 },
        /* the gap closed again */
        { { "delete from audit where seq = 5", "update audit set seq = -seq where seq > 5",
            "update audit set seq = -seq - 1 where seq < 0", "update audit_head set seq = 11" },
          5 },
        /* two exchanged */
        { { "update audit set seq = 100 where seq = 3", "update audit set seq = 3 where seq = 9",
            "update audit set seq = 9 where seq = 100" },
          3 },
        /* one put in, the others moved on */
        { { "update audit set seq = -seq where seq >= 6", "update audit set seq = -seq + 1 where seq < 0",
            "insert into audit (seq, at, action, is_allowed, hash) values (6, 1, 'person.read', 1, 'x')",
            "update audit_head set seq = 13" },
          6 },
        { { "insert into audit (seq, at, action, is_allowed, hash) values (13, 1, 'x', 1, 'x')" }, 13 },
        { { "insert into audit (seq, at, action, is_allowed, hash) values (0, 1, 'x', 1, 'x')" }, 1 },
        { { "insert into audit (seq, at, action, is_allowed, hash) values (-7, 1, 'x', 1, 'x')" }, 1 },
        { { "delete from audit where seq = 12", "update audit_head set seq = 11" }, 11 }, /* its hash was forgotten */
        { { "update audit_head set hash = 'f'" }, 12 },
        { { "delete from audit_head" }, 1 },
    };
    fill(p, ENTRIES);
    do_sql(p, "create table kept as select * from audit");
    do_sql(p, "create table kept_head as select * from audit_head");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < 4 && cases[i].sql[k]; k++) do_sql(p, cases[i].sql[k]);
        kd_audit_verdict verdict = verify(p);
        if (!verdict.fault_en.len || verdict.first_bad_seq != cases[i].bad)
            fail_msg("case %zu: told as %d", i, (int)verdict.first_bad_seq);
        do_sql(p, "delete from audit");
        do_sql(p, "insert into audit select * from kept");
        do_sql(p, "delete from audit_head");
        do_sql(p, "insert into audit_head select * from kept_head");
        assert_int_equal(verify(p).first_bad_seq, 0);
    }
    do_sql(p, "drop table kept");
    do_sql(p, "drop table kept_head");
}

FACT(a_head_noted_elsewhere_shows_a_log_cut_short)
{
    kd_error err;
    int64_t count;
    fill(p, ENTRIES);
    kd_str noted = verify(p).head_hash;
    do_sql(p, "delete from audit where seq > 6");
    do_sql(p, "update audit_head set seq = 6, hash = (select hash from audit where seq = 6)");
    assert_int_equal(verify(p).first_bad_seq, 0); /* whoever may write everything can cut it */
    must(kd_audit_holds(p->reg, noted, &count, &err), &err);
    assert_int_equal(count, 0);
}

/* ---- many at once ---- */

enum { THREADS = 8, ADDS = 200 };

typedef struct {
    kd_audit *audit;
    int number, failures;
} adder;

static void *add_many(void *ctx)
{
    adder *a = ctx;
    for (int i = 0; i < ADDS; i++) {
        kd_audit_entry entry = entry_of(a->number * ADDS + i);
        a->failures += kd_audit_add(a->audit, &entry, NULL) != KD_OK;
    }
    return NULL;
}

FACT(many_threads_write_one_whole_chain)
{
    kd_error err;
    kd_audit *one, *two; /* two writers, as two processes have them */
    pthread_t threads[THREADS];
    adder adders[THREADS];
    must(kd_audit_start(p->reg_dir, &one, &err), &err);
    must(kd_audit_start(p->reg_dir, &two, &err), &err);
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (adder){ i % 2 ? one : two, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
    }
    make_account(p, "wang.wu", "clinician", COUNTY); /* and a change whose entry is its own commit's */
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(adders[i].failures, 0);
    }
    kd_audit_stop(one);
    kd_audit_stop(two);
    kd_audit_verdict verdict = verify(p);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_int_equal(verdict.entries, THREADS * ADDS + 1);
    assert_int_equal(ask(p, "select count(distinct account_id) from audit"), THREADS * ADDS);
}

FACT(texts_that_no_database_takes_are_mended)
{
    kd_error err;
    kd_audit *audit;
    char longest[2000];
    memset(longest, 'x', sizeof longest);
    static const char name[] = "亲";
    for (size_t i = 0; i + 3 <= sizeof longest; i += 3) memcpy(longest + i, name, 3);
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    kd_audit_entry entry = { .action = KD_STR("person.read"),
                             .login = { "a\0b\xFF\xC0", 5 },
                             .detail = { longest, 1999 } };
    must(kd_audit_add(audit, &entry, &err), &err);
    entry = (kd_audit_entry){ .is_allowed = true };
    must(kd_audit_add(audit, &entry, &err), &err);
    kd_audit_stop(audit);
    assert_int_equal(ask(p, "select count(*) from audit where login = 'a?b?' || '?'"), 1);
    assert_int_equal(ask(p, "select length(detail) from audit where seq = 1"), 166);
    assert_int_equal(verify(p).first_bad_seq, 0);
}

/* ---- the database goes and comes ---- */

static void write_config(place *p, const char *url)
{
    kd_error err;
    char path[128];
    snprintf(path, sizeof path, "%s/kindred.yaml", p->reg_dir);
    must(kd_file_write(path, kd_arena_fmt(p->arena, "database: \"%s\"\n", url), &err), &err);
}

FACT(the_log_survives_the_database_going_and_coming)
{
    kd_error err;
    kd_audit *audit;
    if (!p->url[0]) return; /* SQLite's database does not go */
    kd_audit_entry entry = entry_of(1);
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    must(kd_audit_add(audit, &entry, &err), &err);
    for (int round = 0; round < 2; round++) {
        /* cut off, and nobody answers any more: as a stopped server */
        static const char sql[] =
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and "
            "application_name = current_setting('application_name')";
        write_config(p, "postgresql://kindred@/postgres?host=%2Fnonexistent");
        (void)ask(p, sql);
        double before = kd_seconds();
        for (int i = 0; i < 20; i++) assert_int_equal(kd_audit_add(audit, &entry, &err), KD_IO);
        assert_true(kd_seconds() - before < 5);
        assert_true(err.hint[0]);
        write_config(p, p->url);
        while (kd_audit_add(audit, &entry, NULL) != KD_OK) {
            usleep(20000);
            assert_true(kd_seconds() - before < 15);
        }
        (void)ask(p, sql); /* cut off while idle: the next entry is written as if nothing had been */
        must(kd_audit_add(audit, &entry, &err), &err);
    }
    kd_audit_stop(audit);
    kd_audit_verdict verdict = verify(p);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_int_equal(verdict.entries, 5);
}

/* ---- another writer of SQLite ---- */

static kd_register *hold_writer(place *p)
{
    kd_error err;
    kd_register *reg;
    must(kd_register_open(p->reg_dir, false, &reg, &err), &err);
    must(kd_store_begin(kd_register_store(reg), &err), &err);
    return reg;
}

static void let_go(kd_register *reg)
{
    kd_store_rollback(kd_register_store(reg));
    kd_register_close(reg);
}

static void add_some(kd_audit *audit, int from, int to)
{
    kd_error err;
    for (int i = from; i < to; i++) {
        kd_audit_entry entry = entry_of(i);
        must(kd_audit_add(audit, &entry, &err), &err);
    }
}

/* The log holds entries 0 to `count` - 1 in their order, whole. */
static void expect_all(place *p, int count)
{
    kd_audit_verdict verdict = verify(p);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_int_equal(verdict.entries, count);
    assert_int_equal(ask(p, "select count(*) from audit where account_id = 999 + seq"), count);
}

static kd_store *waiting_file(place *p)
{
    kd_error err;
    kd_store *file;
    must(kd_store_open(kd_arena_fmt(p->arena, "sqlite:%s/audit_waiting.db", p->reg_dir).ptr, false, &file, &err), &err);
    return file;
}

FACT(an_entry_does_not_wait_for_an_import)
{
    kd_error err;
    kd_audit *audit;
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    add_some(audit, 0, 3);
    for (int round = 0; round < 2; round++) {
        kd_register *import = hold_writer(p);
        double before = kd_seconds();
        add_some(audit, 3 + round * 20, 13 + round * 20);
        assert_true(kd_seconds() - before < 3);
        assert_int_equal(ask(p, "select count(*) from audit"), p->url[0] ? 13 + round * 20 : 3 + round * 20);
        let_go(import);
        add_some(audit, 13 + round * 20, 23 + round * 20);
    }
    kd_audit_stop(audit);
    expect_all(p, 43);
}

FACT(what_waits_goes_into_the_log_by_itself)
{
    kd_error err;
    kd_audit *audit;
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    kd_register *import = hold_writer(p);
    add_some(audit, 0, 5);
    let_go(import);
    for (int tries = 0; tries < 50 && ask(p, "select count(*) from audit") < 5; tries++) usleep(50000);
    expect_all(p, 5);
    kd_audit_stop(audit);
}

FACT(what_waited_when_a_process_was_killed_comes_into_the_log_once)
{
    kd_error err;
    kd_audit *audit;
    fill(p, 2);
    kd_register *import = hold_writer(p);
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    add_some(audit, 2, 9);
    kd_audit_stop(audit); /* with the writer still at work: as one that was killed leaves it */
    let_go(import);
    if (!p->url[0]) { /* killed again between the commit and the forgetting */
        kd_store *file = waiting_file(p);
        must(kd_store_exec(file, &err, NULL, "create table kept as select * from waiting", KD_NO_VALUES), &err);
        expect_all(p, 9); /* the check takes over what waits */
        must(kd_store_exec(file, &err, NULL, "insert into waiting select * from kept", KD_NO_VALUES), &err);
        kd_store_close(file);
    }
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    add_some(audit, 9, 11);
    import = hold_writer(p);
    add_some(audit, 11, 13);
    let_go(import);
    kd_audit_stop(audit);
    expect_all(p, 13);
}

FACT(an_entry_altered_while_it_waits_is_told)
{
    static const char *const alterations[] = { "update waiting set login = 'li.si' where seq % 8 = 3",
                                               "delete from waiting where seq % 8 = 1",
                                               "delete from waiting where seq % 8 = 4",
                                               "delete from waiting where seq % 8 = 7", "delete from waiting" };
    kd_error err;
    kd_audit *audit;
    if (p->url[0]) return; /* nothing waits beside PostgreSQL */
    must(kd_audit_start(p->reg_dir, &audit, &err), &err);
    for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
        kd_register *import = hold_writer(p);
        add_some(audit, 0, 7);
        kd_store *file = waiting_file(p);
        must(kd_store_exec(file, &err, NULL, alterations[i], KD_NO_VALUES), &err);
        kd_store_close(file);
        let_go(import);
        add_some(audit, 0, 1);
        if (ask(p, "select count(*) from audit where action = 'audit.waiting'") != (int64_t)i + 1)
            fail_msg("not told: %s", alterations[i]);
        do_sql(p, "update audit_head set waiting = 8 * ((waiting + 7) / 8)"); /* the next begin at 1 again */
    }
    kd_audit_stop(audit);
    assert_int_equal(verify(p).first_bad_seq, 0);
}

/* ---- reading ---- */

FACT(the_log_is_listed_newest_first)
{
    kd_error err;
    kd_audit_page page;
    fill(p, 30);
    const int64_t township[] = { TOWNSHIP }, village[] = { TOWNSHIP + 1, OTHER_COUNTY }, all[] = { 0 };
    const struct {
        kd_audit_filter filter;
        size_t count;
    } cases[] = {
        { { .limit = 100 }, 30 },
        { { .limit = 100, .account_id = 1007 }, 1 },
        { { .limit = 100, .person_id = 5001 }, 8 },
        { { .limit = 100, .action = KD_STR("person.") }, 20 },
        { { .limit = 100, .action = KD_STR("person_") }, 0 },
        { { .limit = 100, .text = KD_STR("WANG") }, 30 },
        { { .limit = 100, .text = KD_STR("备") }, 30 },
        { { .limit = 100, .text = KD_STR("%") }, 0 },
        { { .limit = 100, .division = COUNTY }, 30 },
        { { .limit = 100, .division = TOWNSHIP + 1 }, 15 },
        { { .limit = 100, .areas = township, .area_count = 1 }, 30 },
        { { .limit = 100, .areas = village, .area_count = 2 }, 15 },
        { { .limit = 100, .areas = all, .area_count = 1 }, 30 },
        { { .limit = 100, .from = INT64_MAX }, 0 },
        { { .limit = 100, .to = 1 }, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must(kd_audit_list(p->access, &cases[i].filter, p->arena, &page, &err), &err);
        if (page.count != cases[i].count || page.next.len) fail_msg("case %zu: %zu entries", i, page.count);
    }
    kd_audit_filter filter = { .limit = 7 };
    int64_t last = 31;
    do {
        must(kd_audit_list(p->access, &filter, p->arena, &page, &err), &err);
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(page.rows[i].seq, --last);
            assert_int_equal(page.rows[i].hash.len, 64);
            assert_int_equal(page.rows[i].entry.account_id, 1000 + last - 1);
        }
        filter.cursor = page.next;
    } while (page.next.len);
    assert_int_equal(last, 1);
    filter.cursor = KD_STR("x");
    assert_int_equal(kd_audit_list(p->access, &filter, p->arena, &page, &err), KD_INVALID);
}

FACT(a_change_and_its_entry_are_one)
{
    kd_error err;
    int64_t id;
    fill(p, 1);
    do_sql(p, "alter table audit rename to hidden"); /* the log cannot be written */
    assert_int_not_equal(try_account(p, "wang.wu", "clinician", COUNTY, NULL, &id, &err), KD_OK);
    assert_int_equal(ask(p, "select count(*) from account"), 0);
    assert_int_equal(ask(p, "select count(*) from account_grant"), 0);
    do_sql(p, "alter table hidden rename to audit");
    must(try_account(p, "wang.wu", "clinician", COUNTY, NULL, &id, &err), &err);
    assert_int_equal(
        ask(p, "select count(*) from audit where action = 'account.create' and object = 'account/wang.wu'"), 1);
    assert_int_equal(verify(p).first_bad_seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_log_is_whole_),
        cmocka_unit_test(every_altered_column_is_found_),
        cmocka_unit_test(removed_inserted_and_exchanged_entries_are_found_),
        cmocka_unit_test(a_head_noted_elsewhere_shows_a_log_cut_short_),
        cmocka_unit_test(many_threads_write_one_whole_chain_),
        cmocka_unit_test(texts_that_no_database_takes_are_mended_),
        cmocka_unit_test(the_log_survives_the_database_going_and_coming_),
        cmocka_unit_test(an_entry_does_not_wait_for_an_import_),
        cmocka_unit_test(what_waits_goes_into_the_log_by_itself_),
        cmocka_unit_test(what_waited_when_a_process_was_killed_comes_into_the_log_once_),
        cmocka_unit_test(an_entry_altered_while_it_waits_is_told_),
        cmocka_unit_test(the_log_is_listed_newest_first_),
        cmocka_unit_test(a_change_and_its_entry_are_one_),
    };
    return cmocka_run_group_tests_name("access_audit", tests, NULL, NULL);
}
