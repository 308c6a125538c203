#include "store_place.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
    for (int round = 0; round < 20; round++) {
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

static void backup_path(const place *p, char path[128])
{
    snprintf(path, 128, "%s/b.db", p->dir);
}

static uint64_t hash_file(const char *path)
{
    kd_error err;
    kd_mapping file;
    must(kd_mapping_open(path, &file, &err), &err);
    uint64_t hash = kd_hash(file.bytes.ptr, file.bytes.len, 0);
    kd_mapping_close(&file);
    return hash;
}

FACT(a_backup_is_private_and_only_read_by_a_restore)
{
    kd_error err;
    char path[128];
    struct stat info;
    place other;
    fill_some(p);
    backup_path(p, path);
    must(kd_store_backup(p->store, path, NULL, &err), &err);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    uint64_t before = hash_file(path);
    open_place(&other, false);
    must(kd_store_restore(other.store, path, NULL, &err), &err);
    close_place(&other);
    assert_true(hash_file(path) == before);
}

FACT(a_backup_holds_what_is_committed_while_another_writes)
{
    kd_error err;
    char path[128];
    kd_store *writer;
    place other;
    fill_some(p);
    backup_path(p, path);
    must(kd_store_open(p->url, false, &writer, &err), &err);
    must(kd_store_begin(writer, &err), &err);
    must(kd_store_exec(writer, &err, NULL, "insert into setting (name, value) values ('half', '1')", KD_NO_VALUES),
         &err);
    must(kd_store_backup(p->store, path, NULL, &err), &err);
    must(kd_store_commit(writer, &err), &err);
    kd_store_close(writer);
    assert_int_equal(ask(p->store, "select count(*) from setting"), 2);
    open_place(&other, false);
    must(kd_store_restore(other.store, path, NULL, &err), &err);
    assert_int_equal(ask(other.store, "select count(*) from setting"), 1);
    close_place(&other);
}

FACT(a_cancelled_backup_or_restore_leaves_nothing)
{
    static const volatile int is_cancelled = 1;
    const kd_progress stop = { .cancelled = &is_cancelled };
    static const char *const columns[] = { "name", "value" };
    kd_error err;
    kd_bulk *bulk;
    char path[128];
    place other;
    must(kd_store_migrate(p->store, &err), &err);
    must(kd_store_begin(p->store, &err), &err);
    must(kd_bulk_begin(p->store, "setting", columns, 2, &bulk, &err), &err);
    for (int i = 0; i < 70000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        must(kd_bulk_row(bulk, (const kd_value[]){ kd_text_value(kd_str_of(name)), kd_text_value(KD_STR("v")) }, &err),
             &err);
    }
    must(kd_bulk_finish(bulk, &err), &err);
    must(kd_store_commit(p->store, &err), &err);
    backup_path(p, path);
    assert_int_equal(kd_store_backup(p->store, path, &stop, &err), KD_CANCELLED);
    assert_false(kd_file_exists(path)); /* and close_place finds no other file either */
    must(kd_store_backup(p->store, path, NULL, &err), &err);
    open_place(&other, kd_store_kind_of(p->store) == KD_STORE_POSTGRESQL);
    assert_int_equal(kd_store_restore(other.store, path, &stop, &err), KD_CANCELLED);
    assert_int_equal(ask(other.store, "select count(*) from setting"), 0);
    must(kd_store_restore(other.store, path, NULL, &err), &err); /* it was left empty: the same call again succeeds */
    assert_int_equal(ask(other.store, "select count(*) from setting"), 70000);
    close_place(&other);
}

static void change_file(const char *path, const char *sql)
{
    char url[160];
    kd_error err;
    kd_store *store;
    snprintf(url, sizeof url, "sqlite:%s", path);
    must(kd_store_open(url, false, &store, &err), &err);
    must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    must(kd_store_exec(store, &err, NULL, "pragma journal_mode = delete", KD_NO_VALUES), &err);
    kd_store_close(store);
}

FACT(every_wrong_backup_is_refused)
{
    static const struct {
        const char *change;
        kd_status status;
    } cases[] = {
        { "delete from backup_manifest where name = 'link'", KD_INVALID },
        { "update backup_manifest set name = 'link; drop table link' where name = 'link'", KD_INVALID },
        { "drop table link", KD_INVALID },
        { "delete from link where source_record_id = 3", KD_INVALID },
        { "delete from backup_manifest", KD_INVALID },
        { "drop table schema_version", KD_INVALID },
        { "drop table backup_manifest", KD_INVALID },
        { "insert into schema_version (version, applied_at, program) values (999, 0, 'x')", KD_UNSUPPORTED },
    };
    kd_error err;
    char path[128];
    fill_some(p);
    backup_path(p, path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        place other;
        must(kd_store_backup(p->store, path, NULL, &err), &err);
        change_file(path, cases[i].change);
        open_place(&other, false);
        assert_int_equal(kd_store_restore(other.store, path, NULL, &err), cases[i].status);
        assert_true(err.hint[0]);
        close_place(&other);
    }
    assert_int_equal(kd_store_restore(p->store, "/nonexistent/b.db", NULL, &err), KD_NOT_FOUND);
}

FACT(two_programs_migrate_at_once)
{
    int go[2], status = 0;
    kd_error err;
    pid_t child = fork_beside(p, go);
    if (child == 0) {
        kd_store *own;
        bool is_done = kd_store_open(p->url, false, &own, &err) == KD_OK && kd_store_migrate(own, &err) == KD_OK;
        _exit(is_done ? 0 : 1);
    }
    let_go(go);
    must(kd_store_migrate(p->store, &err), &err);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ask(p->store, "select count(*) from schema_version"), kd_store_schema_version());
}

FACT(a_migration_that_fails_leaves_the_old_version)
{
    kd_error err;
    int version = -1;
    do_sql(p, "create table correction (id bigint)"); /* in the way of the last table of the step */
    assert_int_equal(kd_store_migrate(p->store, &err), KD_INVALID);
    must(kd_store_version(p->store, &version, &err), &err);
    assert_int_equal(version, 0);
    assert_int_equal(kd_store_exec(p->store, &err, NULL, "select * from batch", KD_NO_VALUES), KD_INVALID);
    do_sql(p, "drop table correction");
    must(kd_store_migrate(p->store, &err), &err);
    must(kd_store_check_shards(p->store, &err), &err);
}

FACT(a_killed_migration_is_whole_or_absent)
{
    kd_error err;
    kd_rng rng;
    kd_rng_init(&rng, 5);
    for (int round = 0; round < 20; round++) {
        place other;
        int go[2], version = -1;
        open_place(&other, kd_store_kind_of(p->store) == KD_STORE_POSTGRESQL);
        pid_t child = fork_beside(&other, go);
        if (child == 0) {
            kd_store *own;
            if (kd_store_open(other.url, false, &own, &err) == KD_OK) (void)!kd_store_migrate(own, &err);
            _exit(0);
        }
        let_go(go);
        usleep((useconds_t)kd_rng_below(&rng, 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        must(kd_store_version(other.store, &version, &err), &err);
        assert_true(version >= 0 && version <= kd_store_schema_version());
        must(kd_store_migrate(other.store, &err), &err);
        must(kd_store_check_shards(other.store, &err), &err);
        close_place(&other);
    }
}

static void a_damaged_database_is_told(void **state)
{
    (void)state;
    place p;
    kd_error err;
    char path[128];
    open_place(&p, false);
    fill_some(&p);
    kd_store_close(p.store);
    snprintf(path, sizeof path, "%s/t.db", p.dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long page = 2; page < 30; page++) { /* all but the first pages of 16 KiB */
        assert_int_equal(fseek(file, page * 16384, SEEK_SET), 0);
        for (int i = 0; i < 64; i++) assert_int_not_equal(fputc(0xA5, file), EOF);
    }
    assert_int_equal(fclose(file), 0);
    must(kd_store_open(p.url, false, &p.store, &err), &err);
    assert_int_equal(kd_store_check(p.store, &err), KD_INVALID);
    assert_non_null(strstr(err.hint, "backup"));
    close_place(&p);
}

static void a_lost_connection_is_told(void **state)
{
    (void)state;
    place p;
    kd_error err;
    char sql[96];
    kd_store *other;
    open_place(&p, true);
    do_sql(&p, "create table t (a bigint)");
    int64_t server = ask(p.store, "select pg_backend_pid()");
    must(kd_store_begin(p.store, &err), &err);
    do_sql(&p, "insert into t (a) values (1)");
    must(kd_store_reader(p.store, &other, &err), &err);
    snprintf(sql, sizeof sql, "select cast(pg_terminate_backend(%lld) as integer)", (long long)server);
    ask(other, sql);
    assert_int_equal(kd_store_exec(p.store, &err, NULL, "insert into t (a) values (2)", KD_NO_VALUES), KD_IO);
    assert_true(err.hint[0]);
    kd_store_rollback(p.store);
    assert_int_equal(ask(other, "select count(*) from t"), 0);
    kd_store_close(other);
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
    assert_int_equal(kd_store_open("postgresql://kindred:very%zzsecret@127.0.0.1/x", false, &store, &err), KD_INVALID);
    assert_null(strstr(err.message, "secret"));
    assert_null(strstr(err.hint, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_restores_into_either_database_),
        cmocka_unit_test(a_damaged_backup_restores_nothing_),
        cmocka_unit_test(a_killed_writer_leaves_all_or_nothing_),
        cmocka_unit_test(a_backup_is_private_and_only_read_by_a_restore_),
        cmocka_unit_test(a_backup_holds_what_is_committed_while_another_writes_),
        cmocka_unit_test(a_cancelled_backup_or_restore_leaves_nothing_),
        cmocka_unit_test(every_wrong_backup_is_refused_),
        cmocka_unit_test(two_programs_migrate_at_once_),
        cmocka_unit_test(a_migration_that_fails_leaves_the_old_version_),
        cmocka_unit_test(a_killed_migration_is_whole_or_absent_),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(a_damaged_database_is_told),
        cmocka_unit_test(a_lost_connection_is_told),
        cmocka_unit_test(what_is_no_database_is_told),
    };
    return cmocka_run_group_tests_name("store_safety", tests, NULL, NULL);
}
