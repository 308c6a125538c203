#include "store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Every fact is shown on SQLite and on a real PostgreSQL server, each in a fresh database. */
typedef struct {
    char dir[64];
    char url[600];
    kd_store *store;
} place;

static void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static const char *server_url(void)
{
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    return server;
}

static void open_place(place *p, bool is_postgres)
{
    static int count;
    kd_error err;
    *p = (place){ .dir = "/tmp/kd_store_XXXXXX" };
    assert_non_null(mkdtemp(p->dir));
    if (is_postgres) {
        char sql[96], schema[48];
        kd_store *server;
        snprintf(schema, sizeof schema, "store_%d_%d", (int)getpid(), ++count);
        snprintf(sql, sizeof sql, "create schema %s", schema);
        must(kd_store_open(server_url(), true, &server, &err), &err);
        must(kd_store_exec(server, &err, NULL, sql, KD_NO_VALUES), &err);
        kd_store_close(server);
        snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s", server_url(),
                 strchr(server_url(), '?') ? '&' : '?', schema);
    } else {
        snprintf(p->url, sizeof p->url, "sqlite:%s/t.db", p->dir);
    }
    must(kd_store_open(p->url, true, &p->store, &err), &err);
}

static void close_place(place *p)
{
    static const char *const names[] = { "t.db", "t.db-wal", "t.db-shm", "t.db-journal",
                                         "b.db", "c.db",     "c.db-wal", "c.db-shm" };
    kd_store_close(p->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(p->dir), 0);
}

static void run_on_both(void (*fact)(place *))
{
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        place p;
        open_place(&p, is_postgres);
        fact(&p);
        close_place(&p);
    }
}

#define FACT(name)                \
    static void name(place *);    \
    static void name##_(void **s) \
    {                             \
        (void)s;                  \
        run_on_both(name);        \
    }                             \
    static void name(place *p)

static void do_sql(place *p, const char *sql)
{
    kd_error err;
    must(kd_store_exec(p->store, &err, NULL, sql, KD_NO_VALUES), &err);
}

static int64_t ask(kd_store *store, const char *sql)
{
    kd_error err;
    int64_t value = -1;
    must(kd_store_int(store, &err, &value, sql, KD_NO_VALUES), &err);
    return value;
}

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

static void load_numbers(kd_store *store, int from, int to)
{
    static const char *const columns[] = { "id", "s" };
    kd_error err;
    kd_bulk *bulk;
    must(kd_bulk_begin(store, "t", columns, 2, &bulk, &err), &err);
    for (int i = from; i < to; i++) {
        char text[32];
        snprintf(text, sizeof text, "行\t%d\\", i);
        kd_value values[] = { kd_int(i), i % 3 ? kd_text_value(kd_str_of(text)) : KD_NULL };
        must(kd_bulk_row(bulk, values, &err), &err);
    }
    must(kd_bulk_finish(bulk, &err), &err);
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

FACT(a_reader_sees_only_what_is_committed_and_writes_nothing)
{
    kd_error err;
    kd_store *reader;
    do_sql(p, "create table t (id bigint not null primary key)");
    must(kd_store_reader(p->store, &reader, &err), &err);
    must(kd_store_begin(p->store, &err), &err);
    do_sql(p, "insert into t (id) values (1)");
    assert_int_equal(ask(reader, "select count(*) from t"), 0);
    must(kd_store_commit(p->store, &err), &err);
    assert_int_equal(ask(reader, "select count(*) from t"), 1);
    assert_int_not_equal(kd_store_exec(reader, &err, NULL, "insert into t (id) values (2)", KD_NO_VALUES), KD_OK);
    kd_store_close(reader);
}

/* SQLite must not be carried through fork: the child is made while no connection is open, and waits for a byte. */
static pid_t fork_beside(place *p, int go[2])
{
    kd_error err;
    kd_store_close(p->store);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    char byte;
    if (child == 0 && read(go[0], &byte, 1) != 1) _exit(2);
    if (child > 0) must(kd_store_open(p->url, false, &p->store, &err), &err);
    return child;
}

static void let_go(int go[2])
{
    assert_int_equal(write(go[1], "x", 1), 1);
    close(go[0]);
    close(go[1]);
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

static void fill_some(place *p)
{
    kd_error err;
    must(kd_store_migrate(p->store, &err), &err);
    for (int i = 0; i < 50; i++)
        must(kd_store_exec(p->store, &err, NULL,
                           "insert into link (person_id, source_record_id, peer_record_id, weight, decided) "
                           "values ($1, $2, $3, $4, 0)",
                           KD_VALUES(kd_int(i / 3), kd_int(i), kd_int(i), kd_real(0.1 * i))),
             &err);
    must(kd_store_exec(p->store, &err, NULL, "insert into setting (name, value) values ('名', '值\n')", KD_NO_VALUES),
         &err);
}

FACT(a_backup_restores_into_either_database)
{
    kd_error err;
    char backup[128];
    fill_some(p);
    snprintf(backup, sizeof backup, "%s/b.db", p->dir);
    must(kd_store_backup(p->store, backup, NULL, &err), &err);
    assert_int_equal(kd_store_restore(p->store, backup, NULL, &err), KD_CONFLICT);
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        place other;
        open_place(&other, is_postgres);
        must(kd_store_restore(other.store, backup, NULL, &err), &err);
        assert_int_equal(ask(other.store, "select count(*) from link"), 50);
        assert_int_equal(ask(other.store, "select count(*) from setting where name = '名' and value = '值\n'"), 1);
        must(kd_store_check_shards(other.store, &err), &err);
        close_place(&other);
    }
}

FACT(a_damaged_backup_restores_nothing)
{
    kd_error err;
    char backup[128], url[160];
    kd_store *damaged;
    fill_some(p);
    snprintf(backup, sizeof backup, "%s/b.db", p->dir);
    snprintf(url, sizeof url, "sqlite:%s", backup);
    must(kd_store_backup(p->store, backup, NULL, &err), &err);
    must(kd_store_open(url, false, &damaged, &err), &err);
    must(kd_store_exec(damaged, &err, NULL, "update link set weight = weight + 1 where source_record_id = 7",
                       KD_NO_VALUES),
         &err);
    must(kd_store_exec(damaged, &err, NULL, "pragma journal_mode = delete", KD_NO_VALUES), &err);
    kd_store_close(damaged);
    place other;
    open_place(&other, false);
    assert_int_equal(kd_store_restore(other.store, backup, NULL, &err), KD_INVALID);
    assert_int_equal(ask(other.store, "select count(*) from link"), 0);
    close_place(&other);
    assert_int_equal(truncate(backup, 20000), 0);
    open_place(&other, false);
    assert_int_equal(kd_store_restore(other.store, backup, NULL, &err), KD_INVALID);
    close_place(&other);
}

/* A child loads and is killed; what it had not committed is not there, what it had is. */
FACT(a_killed_writer_leaves_all_or_nothing)
{
    kd_error err;
    kd_rng rng;
    do_sql(p, "create table t (id bigint not null primary key, s text)");
    kd_rng_init(&rng, 11);
    for (int round = 0; round < 12; round++) {
        int go[2];
        pid_t child = fork_beside(p, go);
        if (child == 0) {
            kd_store *own;
            if (kd_store_open(p->url, false, &own, &err) != KD_OK || kd_store_begin(own, &err) != KD_OK) _exit(1);
            load_numbers(own, round * 40000, round * 40000 + 40000);
            (void)!kd_store_commit(own, &err);
            _exit(0);
        }
        let_go(go);
        usleep((useconds_t)kd_rng_below(&rng, 90000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        char sql[96];
        snprintf(sql, sizeof sql, "select count(*) from t where id >= %d and id < %d", round * 40000,
                 round * 40000 + 40000);
        int64_t count = ask(p->store, sql);
        assert_true(count == 0 || count == 40000);
    }
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    (void)state;
    place p;
    kd_error err;
    open_place(&p, false);
    do_sql(&p, "create table t (id bigint not null primary key, s text)");
    do_sql(&p, "insert into t (id, s) values (1, 'a')");
    struct rlimit before, tight = { 2 << 20, 2 << 20 };
    getrlimit(RLIMIT_FSIZE, &before);
    tight.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    must(kd_store_begin(p.store, &err), &err);
    kd_status status = KD_OK;
    do_sql(&p, "pragma cache_size = 10");
    for (int i = 2; i < 400000 && status == KD_OK; i++)
        status = kd_store_exec(p.store, &err, NULL, "insert into t (id, s) values ($1, 'aaaaaaaaaaaaaaaaaaaaaaaaaa')",
                               KD_VALUES(kd_int(i)));
    assert_int_equal(kd_store_end(p.store, status, &err), KD_IO);
    assert_true(err.hint[0]);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(ask(p.store, "select count(*) from t"), 1);
    must(kd_store_check_version(p.store, &err) == KD_UNSUPPORTED ? KD_OK : KD_INVALID, &err);
    close_place(&p);
}

static void what_is_no_database_is_told(void **state)
{
    (void)state;
    kd_error err;
    kd_store *store;
    char path[] = "/tmp/kd_store_XXXXXX", url[64];
    assert_int_equal(kd_store_open("mysql://x", false, &store, &err), KD_INVALID);
    assert_int_equal(kd_store_open("sqlite:/nonexistent/x.db", false, &store, &err), KD_NOT_FOUND);
    int fd = mkstemp(path);
    for (int i = 0; i < 400; i++) assert_int_equal(write(fd, "this is no database, only words\n", 32), 32);
    close(fd);
    snprintf(url, sizeof url, "sqlite:%s", path);
    assert_int_equal(kd_store_open(url, false, &store, &err), KD_INVALID);
    unlink(path);
    assert_int_equal(kd_store_open("postgresql://kindred:verysecret@127.0.0.1:1/none", false, &store, &err), KD_IO);
    assert_null(strstr(err.message, "verysecret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_went_in_),
        cmocka_unit_test(a_text_with_a_nul_is_refused_),
        cmocka_unit_test(many_rows_load_and_stream_),
        cmocka_unit_test(a_failed_load_leaves_nothing_),
        cmocka_unit_test(what_is_rolled_back_never_was_),
        cmocka_unit_test(a_reader_sees_only_what_is_committed_and_writes_nothing_),
        cmocka_unit_test(a_second_writer_waits_),
        cmocka_unit_test(the_schema_is_made_once_and_a_newer_one_is_refused_),
        cmocka_unit_test(the_shard_map_is_held_to_the_catalogue_),
        cmocka_unit_test(indexes_are_dropped_and_made_again_),
        cmocka_unit_test(a_backup_restores_into_either_database_),
        cmocka_unit_test(a_damaged_backup_restores_nothing_),
        cmocka_unit_test(a_killed_writer_leaves_all_or_nothing_),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(what_is_no_database_is_told),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
