/**
 * @file store_place.h
 * A fresh database for a test of the store, once on SQLite and once on a real PostgreSQL server.
 */
#ifndef KD_TEST_STORE_PLACE_H
#define KD_TEST_STORE_PLACE_H

#include "store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Every fact is shown on SQLite and on a real PostgreSQL server, each in a fresh database. */
typedef struct {
    char dir[64];
    char url[600];
    kd_store *store;
} place;

static inline void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static inline const char *server_url(void)
{
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    return server;
}

static inline void open_place(place *p, bool is_postgres)
{
    static int count;
    kd_error err;
    const char *address = is_postgres ? server_url() : ""; /* fails before anything is left behind */
    *p = (place){ .dir = "/tmp/kd_store_XXXXXX" };
    assert_non_null(mkdtemp(p->dir));
    if (is_postgres) {
        char sql[96], schema[48];
        kd_store *server;
        snprintf(schema, sizeof schema, "store_%d_%d", (int)getpid(), ++count);
        snprintf(sql, sizeof sql, "create schema %s", schema);
        must(kd_store_open(address, true, &server, &err), &err);
        must(kd_store_exec(server, &err, NULL, sql, KD_NO_VALUES), &err);
        kd_store_close(server);
        snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s", address, strchr(address, '?') ? '&' : '?',
                 schema);
    } else {
        snprintf(p->url, sizeof p->url, "sqlite:%s/t.db", p->dir);
    }
    must(kd_store_open(p->url, true, &p->store, &err), &err);
}

static inline void close_place(place *p)
{
    static const char *const names[] = { "t.db", "t.db-wal", "t.db-shm", "b.db" };
    kd_store_close(p->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(p->dir), 0); /* nothing else was left there */
}

static inline void run_on_both(void (*fact)(place *))
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

static inline void do_sql(place *p, const char *sql)
{
    kd_error err;
    must(kd_store_exec(p->store, &err, NULL, sql, KD_NO_VALUES), &err);
}

static inline int64_t ask(kd_store *store, const char *sql)
{
    kd_error err;
    int64_t value = -1;
    must(kd_store_int(store, &err, &value, sql, KD_NO_VALUES), &err);
    return value;
}

static inline void load_numbers(kd_store *store, int from, int to)
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

/* SQLite must not be carried through fork: the child is made while no connection is open, and waits for a byte. */
static inline pid_t fork_beside(place *p, int go[2])
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

static inline void let_go(int go[2])
{
    assert_int_equal(write(go[1], "x", 1), 1);
    close(go[0]);
    close(go[1]);
}

#endif
