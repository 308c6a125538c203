/**
 * @file access_place.h
 * A fresh register with the access module on it, once on SQLite and once on a real PostgreSQL server, passwords made cheap.
 */
#ifndef KD_TEST_ACCESS_PLACE_H
#define KD_TEST_ACCESS_PLACE_H

#include "access/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    char dir[64], reg_dir[80], pack_path[96];
    char url[600]; /* empty: SQLite */
    kd_register *reg;
    kd_access_pack *pack;
    kd_access *access;
    kd_arena *arena;
} place;

static inline void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

/* `text` with the one `from` in it as `to`. */
static inline kd_str changed(kd_arena *arena, kd_str text, const char *from, const char *to)
{
    ptrdiff_t at = kd_str_find(text, kd_str_of(from));
    if (at < 0) fail_msg("the pack has no '%s'", from);
    return kd_arena_fmt(arena, "%.*s%s%s", (int)at, text.ptr, to, text.ptr + at + strlen(from));
}

static inline kd_str shipped_pack(kd_arena *arena)
{
    kd_error err;
    kd_str path, text;
    must(kd_data_path(arena, "packs/cn/access.yaml", &path, &err), &err);
    must(kd_file_read(arena, path.ptr, 1 << 20, &text, &err), &err);
    kd_str common = kd_path_beside(arena, path.ptr, KD_STR("common_passwords.txt"));
    return changed(arena, text, " common_passwords.txt", kd_arena_fmt(arena, " %s", common.ptr).ptr);
}

static inline void write_pack(place *p)
{
    kd_error err;
    kd_str text = changed(p->arena, shipped_pack(p->arena), "memory_kib: 65536", "memory_kib: 8192");
    text = changed(p->arena, text, "passes: 3", "passes: 1");
    must(kd_file_write(p->pack_path, text, &err), &err);
}

static inline void fresh_schema(place *p)
{
    static int count;
    kd_error err;
    kd_store *server;
    char schema[48], sql[96];
    const char *address = getenv("KINDRED_TEST_POSTGRES");
    if (!address) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    snprintf(schema, sizeof schema, "access_%d_%d", (int)getpid(), ++count);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    must(kd_store_open(address, true, &server, &err), &err);
    must(kd_store_exec(server, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(server);
    snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s&application_name=%s", address,
             strchr(address, '?') ? '&' : '?', schema, schema);
}

static inline void open_place(place *p, bool is_postgres)
{
    kd_error err;
    *p = (place){ .dir = "/tmp/kd_access_XXXXXX", .arena = kd_arena_new(64 << 20) };
    assert_non_null(p->arena);
    if (is_postgres) fresh_schema(p);
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->reg_dir, sizeof p->reg_dir, "%s/reg", p->dir);
    snprintf(p->pack_path, sizeof p->pack_path, "%s/access.yaml", p->dir);
    write_pack(p);
    must(kd_register_init(p->reg_dir, is_postgres ? p->url : NULL, NULL, &err), &err);
    must(kd_register_open(p->reg_dir, false, &p->reg, &err), &err);
    must(kd_access_pack_load(p->pack_path, &p->pack, &err), &err);
    must(kd_access_open(p->reg, p->pack, &p->access, &err), &err);
}

static inline void close_place(place *p)
{
    static const char *const names[] = { "reg/register.db",  "reg/register.db-wal", "reg/register.db-shm",
                                         "reg/kindred.yaml", "reg/nodes.lock",      "reg/audit_waiting.db",
                                         "reg/archive",      "access.yaml",         "reg" };
    char path[128];
    kd_access_close(p->access);
    kd_access_pack_free(p->pack);
    kd_register_close(p->reg);
    kd_arena_free(p->arena);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    rmdir(p->dir);
    assert_int_not_equal(access(p->dir, F_OK), 0); /* nothing else was left there */
}

#define FACT(name)                                                  \
    static void name(place *);                                      \
    static void name##_(void **s)                                   \
    {                                                               \
        (void)s;                                                    \
        for (int is_postgres = 0; is_postgres < 2; is_postgres++) { \
            place at;                                               \
            open_place(&at, is_postgres != 0);                      \
            name(&at);                                              \
            close_place(&at);                                       \
        }                                                           \
    }                                                               \
    static void name(place *p)

static inline int64_t ask(place *p, const char *sql)
{
    kd_error err;
    int64_t value = -1;
    must(kd_store_int(kd_register_store(p->reg), &err, &value, sql, KD_NO_VALUES), &err);
    return value;
}

static inline void do_sql(place *p, const char *sql)
{
    kd_error err;
    must(kd_store_exec(kd_register_store(p->reg), &err, NULL, sql, KD_NO_VALUES), &err);
}

#define TOWNSHIP INT64_C(610829101000)
#define COUNTY INT64_C(610829000000)
#define OTHER_COUNTY INT64_C(610822000000)
static const char PASSWORD[] = "old-willow-by-the-well";

/* One account of a role and an area, with PASSWORD. */
static inline kd_status try_account(place *p, const char *login, const char *role, int64_t area, const kd_actor *actor,
                                    int64_t *out_id, kd_error *err)
{
    const kd_str roles[] = { kd_str_of(role) };
    kd_str password;
    bool is_system = strcmp(role, "office_system") == 0;
    const kd_account_new wanted = { .login = kd_str_of(login),
                                    .name = KD_STR("某人"),
                                    .roles = roles,
                                    .role_count = 1,
                                    .areas = &area,
                                    .area_count = 1,
                                    .is_system = is_system,
                                    .password = kd_str_of(is_system ? NULL : PASSWORD),
                                    .is_password_kept = true };
    return kd_account_create(p->access, &wanted, actor, p->arena, out_id, &password, err);
}

static inline int64_t make_account(place *p, const char *login, const char *role, int64_t area)
{
    kd_error err;
    int64_t id = 0;
    must(try_account(p, login, role, area, NULL, &id, &err), &err);
    return id;
}

static inline kd_account get_account(place *p, int64_t id)
{
    kd_error err;
    kd_account account = { 0 };
    must(kd_account_get(p->access, id, p->arena, &account, &err), &err);
    return account;
}

#endif
