#include "store_place.h"

#include <sys/wait.h>

FACT(values_come_back_as_they_went_in)
{
    static const char *const texts[] = { "", "亲源", "a'b\"c\\d", "line\nline\ttab\r", "\\N", "𠮷" };
    static const int64_t numbers[] = { 0, -1, INT64_MAX, INT64_MIN };
    kd_error err;
    do_sql(p, "create table t (i bigint, r double precision, s text, n text)");
    for (size_t i = 0; i < 6; i++)
        must(kd_store_exec(p->store, &err, NULL, "insert into t (i, r, s, n) values ($1, $2, $3, $4)",
                           KD_VALUES(kd_int(numbers[i % 4]), kd_real(0.1 * (double)i),
                                     kd_text_value(kd_str_of(texts[i])), KD_NULL)),
             &err);
    for (size_t i = 0; i < 6; i++) {
        kd_rows *rows;
        bool has_row = false;
        must(kd_store_query(p->store, &err, &rows, "select i, r, s, n from t where s = $1",
                            KD_VALUES(kd_text_value(kd_str_of(texts[i])))),
             &err);
        must(kd_rows_next(rows, &has_row, &err), &err);
        assert_true(has_row);
        assert_true(kd_rows_int(rows, 0) == numbers[i % 4]);
        assert_true(kd_rows_real(rows, 1) == 0.1 * (double)i);
        assert_true(kd_str_is(kd_rows_text(rows, 2), texts[i]));
        assert_false(kd_rows_is_null(rows, 2));
        assert_true(kd_rows_is_null(rows, 3));
        assert_null(kd_rows_text(rows, 3).ptr);
        assert_int_equal(kd_rows_day(rows, 3), KD_DAY_NONE);
        must(kd_rows_next(rows, &has_row, &err), &err);
        assert_false(has_row);
        kd_rows_close(rows);
    }
}

FACT(a_text_with_a_nul_is_refused)
{
    kd_error err;
    do_sql(p, "create table t (s text)");
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "insert into t (s) values ($1)",
                                   KD_VALUES(kd_text_value((kd_str){ "a\0b", 3 }))),
                     KD_INVALID);
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
}

FACT(many_rows_load_and_stream)
{
    kd_error err;
    kd_rows *rows;
    bool has_row = false;
    do_sql(p, "create table t (id bigint not null primary key, s text)");
    must(kd_store_begin(p->store, &err), &err);
    load_numbers(p->store, 0, 200000);
    must(kd_store_commit(p->store, &err), &err);
    must(kd_store_query(p->store, &err, &rows, "select id, s from t order by id", KD_NO_VALUES), &err);
    int64_t seen = 0;
    while (kd_rows_next(rows, &has_row, &err) == KD_OK && has_row) {
        char text[32];
        snprintf(text, sizeof text, "行\t%lld\\", (long long)seen);
        assert_int_equal(kd_rows_int(rows, 0), seen);
        assert_true(seen % 3 ? kd_str_is(kd_rows_text(rows, 1), text) : kd_rows_is_null(rows, 1));
        seen++;
    }
    kd_rows_close(rows);
    assert_int_equal(seen, 200000);
    must(kd_store_query(p->store, &err, &rows, "select id from t", KD_NO_VALUES), &err);
    must(kd_rows_next(rows, &has_row, &err), &err);
    kd_rows_close(rows); /* the rest is not wanted; the store goes on */
    assert_int_equal(ask(p->store, "select count(*) from t"), 200000);
}

FACT(a_failed_load_leaves_nothing)
{
    static const char *const columns[] = { "id", "s" };
    kd_error err;
    kd_bulk *bulk;
    do_sql(p, "create table t (id bigint not null primary key, s text)");
    must(kd_store_begin(p->store, &err), &err);
    must(kd_bulk_begin(p->store, "t", columns, 2, &bulk, &err), &err);
    kd_status status = KD_OK;
    for (int i = 0; i < 3 && status == KD_OK; i++) {
        kd_value values[] = { kd_int(7), kd_text_value(KD_STR("secret")) };
        status = kd_bulk_row(bulk, values, &err);
    }
    if (status == KD_OK) {
        status = kd_bulk_finish(bulk, &err);
    } else {
        kd_bulk_cancel(bulk);
    }
    assert_int_equal(status, KD_CONFLICT);
    assert_null(strstr(err.message, "secret"));
    kd_store_rollback(p->store);
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
}

FACT(what_is_rolled_back_never_was)
{
    kd_error err;
    do_sql(p, "create table t (id bigint not null primary key)");
    must(kd_store_begin(p->store, &err), &err);
    do_sql(p, "insert into t (id) values (1)");
    assert_int_equal(kd_store_begin(p->store, &err), KD_INVALID);
    kd_store_rollback(p->store);
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
    must(kd_store_begin(p->store, &err), &err);
    do_sql(p, "insert into t (id) values (1)");
    must(kd_store_end(p->store, KD_OK, &err), &err);
    assert_int_equal(ask(p->store, "select count(*) from t"), 1);
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "insert into t (id) values (1)", KD_NO_VALUES), KD_CONFLICT);
}

FACT(a_reader_sees_one_moment_and_writes_nothing)
{
    kd_error err;
    kd_store *reader, *later;
    do_sql(p, "create table t (id bigint not null primary key)");
    must(kd_store_reader(p->store, &reader, &err), &err);
    must(kd_store_begin(p->store, &err), &err);
    do_sql(p, "insert into t (id) values (1)");
    assert_int_equal(ask(reader, "select count(*) from t"), 0);
    must(kd_store_commit(p->store, &err), &err);
    assert_int_equal(ask(reader, "select count(*) from t"), 0);
    must(kd_store_reader(p->store, &later, &err), &err);
    assert_int_equal(ask(later, "select count(*) from t"), 1);
    kd_store_close(later);
    assert_int_equal(kd_store_exec(reader, &err, NULL, "insert into t (id) values (2)", KD_NO_VALUES), KD_UNSUPPORTED);
    kd_store_close(reader);
}

static bool write_beside(const char *url)
{
    kd_error err;
    kd_store *other;
    return kd_store_open(url, false, &other, &err) == KD_OK && kd_store_begin(other, &err) == KD_OK &&
           kd_store_exec(other, &err, NULL, "insert into setting (name, value) values ('b', '2')", KD_NO_VALUES) ==
               KD_OK &&
           kd_store_commit(other, &err) == KD_OK;
}

FACT(a_second_writer_waits)
{
    kd_error err;
    int go[2], status = 0;
    must(kd_store_migrate(p->store, &err), &err);
    pid_t child = fork_beside(p, go);
    if (child == 0) _exit(write_beside(p->url) ? 0 : 1);
    must(kd_store_begin(p->store, &err), &err);
    let_go(go);
    usleep(300000);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0); /* still waiting */
    must(kd_store_exec(p->store, &err, NULL, "insert into setting (name, value) values ('a', '1')", KD_NO_VALUES),
         &err);
    must(kd_store_commit(p->store, &err), &err);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ask(p->store, "select count(*) from setting"), 2);
}

FACT(the_schema_is_made_once_and_a_newer_one_is_refused)
{
    kd_error err;
    int version = -1;
    must(kd_store_version(p->store, &version, &err), &err);
    assert_int_equal(version, 0);
    assert_int_equal(kd_store_check_version(p->store, &err), KD_UNSUPPORTED);
    must(kd_store_migrate(p->store, &err), &err);
    must(kd_store_migrate(p->store, &err), &err);
    must(kd_store_check_version(p->store, &err), &err);
    must(kd_store_check_shards(p->store, &err), &err);
    must(kd_store_check(p->store, &err), &err);
    must(kd_store_exec(p->store, &err, NULL,
                       "insert into schema_version (version, applied_at, program) values (999, 0, 'x')", KD_NO_VALUES),
         &err);
    assert_int_equal(kd_store_migrate(p->store, &err), KD_UNSUPPORTED);
    assert_non_null(strstr(err.message, "999"));
    assert_int_equal(kd_store_check_version(p->store, &err), KD_UNSUPPORTED);
}

FACT(the_shard_map_is_held_to_the_catalogue)
{
    kd_error err;
    must(kd_store_migrate(p->store, &err), &err);
    do_sql(p, "create unique index wrong on person (name)");
    assert_int_equal(kd_store_check_shards(p->store, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "person"));
    do_sql(p, "drop index wrong");
    must(kd_store_check_shards(p->store, &err), &err);
    do_sql(p, "create table stray (id bigint)");
    assert_int_equal(kd_store_check_shards(p->store, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "stray"));
}

FACT(indexes_are_dropped_and_made_again)
{
    kd_error err;
    const char *count =
        kd_store_kind_of(p->store) == KD_STORE_SQLITE
            ? "select count(*) from sqlite_master where type = 'index' and tbl_name = 'person' and sql is not null"
            : "select count(*) from pg_indexes where tablename = 'person' and schemaname = current_schema() "
              "and indexname <> 'person_pkey'";
    must(kd_store_migrate(p->store, &err), &err);
    int64_t before = ask(p->store, count);
    assert_true(before >= 3);
    must(kd_store_drop_indexes(p->store, "person", &err), &err);
    assert_int_equal(ask(p->store, count), 0);
    must(kd_store_make_indexes(p->store, "person", &err), &err);
    assert_int_equal(ask(p->store, count), before);
}

FACT(no_value_of_a_person_stands_in_an_error)
{
    static const char *const wrong[] = {
        "insert into t (id, s) values (1, $1)",    /* a key that is taken */
        "insert into t (id, s) values (2, $1)",    /* a text that is taken */
        "insert into t (id) values ($1)",          /* no number */
        "insert into t (id, s) values (null, $1)", /* no key */
        "insert into t (id, s) values (3, null)",  /* no text; the value is not used */
    };
    kd_error err;
    char text[1200];
    do_sql(p, "create table t (id bigint not null primary key, s text not null unique)");
    do_sql(p, "insert into t (id, s) values (1, 'wangxiaoming')");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (kd_error){ 0 };
        kd_status status =
            kd_store_exec(p->store, &err, NULL, wrong[i], KD_VALUES(kd_text_value(KD_STR("wangxiaoming"))));
        assert_int_equal(status, i < 2 ? KD_CONFLICT : KD_INVALID);
        kd_error_text(&err, text, sizeof text);
        assert_null(strstr(text, "wangxiaoming"));
    }
}

FACT(more_statements_run_than_are_kept)
{
    kd_error err;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 600; i++) {
            char sql[64];
            int64_t value;
            snprintf(sql, sizeof sql, "select %d + cast($1 as bigint)", i);
            must(kd_store_int(p->store, &err, &value, sql, KD_VALUES(kd_int(1000))), &err);
            assert_int_equal(value, 1000 + i);
        }
}

FACT(columns_are_counted_before_the_first_row)
{
    kd_error err;
    kd_rows *rows;
    bool has_row = true;
    do_sql(p, "create table t (a bigint, b text, c text)");
    must(kd_store_query(p->store, &err, &rows, "select a, b, c from t", KD_NO_VALUES), &err);
    assert_int_equal(kd_rows_columns(rows), 3);
    for (int i = 0; i < 2; i++) { /* asking again after the end is answered alike */
        must(kd_rows_next(rows, &has_row, &err), &err);
        assert_false(has_row);
    }
    kd_rows_close(rows);
}

FACT(nothing_else_runs_while_rows_are_open)
{
    kd_error err;
    kd_rows *rows, *more;
    bool has_row = false;
    do_sql(p, "create table t (a bigint)");
    do_sql(p, "insert into t (a) values (1), (2)");
    must(kd_store_query(p->store, &err, &rows, "select a from t order by a", KD_NO_VALUES), &err);
    must(kd_rows_next(rows, &has_row, &err), &err);
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "delete from t", KD_NO_VALUES), KD_INVALID);
    assert_int_equal(kd_store_query(p->store, &err, &more, "select a from t", KD_NO_VALUES), KD_INVALID);
    assert_int_equal(kd_store_begin(p->store, &err), KD_INVALID);
    must(kd_rows_next(rows, &has_row, &err), &err);
    assert_int_equal(kd_rows_int(rows, 0), 2); /* and the rows go on */
    kd_rows_close(rows);
    assert_int_equal(ask(p->store, "select count(*) from t"), 2);
}

FACT(a_failed_statement_ends_its_transaction)
{
    kd_error err;
    do_sql(p, "create table t (id bigint not null primary key)");
    must(kd_store_begin(p->store, &err), &err);
    do_sql(p, "insert into t (id) values (1)");
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "insert into t (id) values (1)", KD_NO_VALUES), KD_CONFLICT);
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "insert into t (id) values (2)", KD_NO_VALUES), KD_INVALID);
    assert_int_equal(kd_store_commit(p->store, &err), KD_INVALID);
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
    do_sql(p, "insert into t (id) values (3)");
    assert_int_equal(ask(p->store, "select count(*) from t"), 1);
}

FACT(a_rollback_in_the_middle_of_a_load_leaves_nothing)
{
    static const char *const columns[] = { "id", "s" };
    kd_error err;
    kd_bulk *bulk;
    do_sql(p, "create table t (id bigint not null primary key, s text)");
    must(kd_store_begin(p->store, &err), &err);
    must(kd_bulk_begin(p->store, "t", columns, 2, &bulk, &err), &err);
    for (int i = 0; i < 50000; i++) must(kd_bulk_row(bulk, (const kd_value[]){ kd_int(i), KD_NULL }, &err), &err);
    kd_store_rollback(p->store);
    kd_bulk_cancel(bulk);
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
    must(kd_store_begin(p->store, &err), &err);
    must(kd_bulk_begin(p->store, "t", columns, 2, &bulk, &err), &err);
    must(kd_bulk_row(bulk, (const kd_value[]){ kd_int(1), KD_NULL }, &err), &err);
    kd_bulk_cancel(bulk);
    assert_int_equal(kd_store_commit(p->store, &err), KD_INVALID); /* part of a load is not committed */
    assert_int_equal(ask(p->store, "select count(*) from t"), 0);
}

FACT(values_and_parameters_must_agree)
{
    static const struct {
        const char *sql;
        size_t values;
        bool is_right;
    } cases[] = {
        { "select cast($1 as bigint) + cast($2 as bigint)", 2, true },
        { "select cast($2 as bigint) - cast($1 as bigint)", 2, true },
        { "select cast($1 as bigint) + cast($1 as bigint)", 1, true },
        { "select cast($1 as bigint) + cast($2 as bigint)", 1, false },
        { "select cast($1 as bigint)", 2, false },
        { "select 1; select 2", 0, false },
        { "selec", 0, false },
    };
    static const int64_t answers[] = { 5 + 7, 7 - 5, 5 + 5 };
    kd_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kd_value values[] = { kd_int(5), kd_int(7) };
        int64_t answer = 0;
        kd_status status = kd_store_int(p->store, &err, &answer, cases[i].sql, values, cases[i].values);
        assert_int_equal(status, cases[i].is_right ? KD_OK : KD_INVALID);
        if (cases[i].is_right) assert_int_equal(answer, answers[i]);
    }
}

FACT(changed_rows_are_counted)
{
    kd_error err;
    int64_t changed = -1;
    do_sql(p, "create table t (a bigint)");
    must(kd_store_exec(p->store, &err, &changed, "insert into t (a) values (1), (2), (3)", KD_NO_VALUES), &err);
    assert_int_equal(changed, 3);
    must(kd_store_exec(p->store, &err, &changed, "create table u (a bigint)", KD_NO_VALUES), &err);
    assert_int_equal(changed, 0);
    must(kd_store_exec(p->store, &err, &changed, "update t set a = 9 where a > 1", KD_NO_VALUES), &err);
    assert_int_equal(changed, 2);
}

FACT(what_a_cluster_refuses_is_found)
{
    static const struct {
        const char *make[2], *drop[2], *told; /* by kd_store_kind */
    } cases[] = {
        { { "create trigger w after insert on batch begin select 1; end",
            "create trigger w before update on batch for each row execute function suppress_redundant_updates_trigger()" },
          { "drop trigger w", "drop trigger w on batch" },
          "trigger" },
        { { "create table w (id bigint references batch (id))", "create table w (id bigint references batch (id))" },
          { "drop table w", "drop table w" },
          "foreign key" },
        { { "create table w (id integer primary key autoincrement)", "create sequence w" },
          { "drop table w", "drop sequence w" },
          "sequence" },
    };
    kd_error err;
    kd_store_kind kind = kd_store_kind_of(p->store);
    must(kd_store_migrate(p->store, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        do_sql(p, cases[i].make[kind]);
        assert_int_equal(kd_store_check_shards(p->store, &err), KD_INVALID);
        assert_non_null(strstr(err.message, cases[i].told));
        do_sql(p, cases[i].drop[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_went_in_),
        cmocka_unit_test(a_text_with_a_nul_is_refused_),
        cmocka_unit_test(many_rows_load_and_stream_),
        cmocka_unit_test(a_failed_load_leaves_nothing_),
        cmocka_unit_test(what_is_rolled_back_never_was_),
        cmocka_unit_test(a_reader_sees_one_moment_and_writes_nothing_),
        cmocka_unit_test(a_second_writer_waits_),
        cmocka_unit_test(the_schema_is_made_once_and_a_newer_one_is_refused_),
        cmocka_unit_test(the_shard_map_is_held_to_the_catalogue_),
        cmocka_unit_test(indexes_are_dropped_and_made_again_),
        cmocka_unit_test(no_value_of_a_person_stands_in_an_error_),
        cmocka_unit_test(more_statements_run_than_are_kept_),
        cmocka_unit_test(columns_are_counted_before_the_first_row_),
        cmocka_unit_test(nothing_else_runs_while_rows_are_open_),
        cmocka_unit_test(a_failed_statement_ends_its_transaction_),
        cmocka_unit_test(a_rollback_in_the_middle_of_a_load_leaves_nothing_),
        cmocka_unit_test(values_and_parameters_must_agree_),
        cmocka_unit_test(changed_rows_are_counted_),
        cmocka_unit_test(what_a_cluster_refuses_is_found_),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
