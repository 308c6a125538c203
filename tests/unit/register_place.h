/**
 * @file register_place.h
 * A fresh register with a few invented villagers for a test, once on SQLite and once on a real PostgreSQL server.
 */
#ifndef KD_TEST_REGISTER_PLACE_H
#define KD_TEST_REGISTER_PLACE_H

#include "register/register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { VILLAGERS = 60, PLACE_ARENA_BYTES = 64 << 20 };
static const int64_t VILLAGE = 610829101201;

typedef struct {
    char dir[64], url[600];
    bool is_postgres;
    kd_register *reg;
    kd_store *store;
    kd_arena *arena;
    int64_t record_of[VILLAGERS]; /* in the household registration */
    int sources;
} place;

static inline void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static inline void fresh_schema(place *p)
{
    static int count;
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    kd_error err;
    kd_store *store;
    char sql[128], schema[64];
    snprintf(schema, sizeof schema, "live_%d_%d", (int)getpid(), ++count);
    must(kd_store_open(server, true, &store, &err), &err);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(store);
    snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?', schema);
}

/* Odd ones are men. */
static inline void villager_identity(int who, char out[19])
{
    unsigned n = (unsigned)who;
    snprintf(out, 19, "610829%04u%02u%02u%03u", 1960 + n % 40, 1 + n % 12, 1 + n % 28, (100 + n) % 1000);
    out[17] = kd_identity_check(out);
    out[18] = '\0';
}

static inline void villager_name(int who, char out[32])
{
    static const char *const surnames[] = { "王", "李", "张", "刘", "高", "马", "白", "薛" };
    static const char *const given[] = { "建国", "秀英", "小红", "志强", "海燕", "文博",
                                         "雅婷", "子涵", "玉兰", "振华", "晓东" };
    snprintf(out, 32, "%s%s", surnames[who % 8], given[who % 11]);
}

static inline kd_source_record empty_record(kd_role role)
{
    return (kd_source_record){ .role = role,
                               .sex = -1,
                               .birth_day = KD_DAY_NONE,
                               .death_day = KD_DAY_NONE,
                               .event_day = KD_DAY_NONE,
                               .recorded_day = KD_DAY_NONE };
}

/* Records as one file of a feed. Ids are filled in. */
static inline void import_records(place *p, const char *feed, kd_source_record *records, size_t count)
{
    kd_error err;
    kd_record_writer *writer;
    char hash[16];
    int32_t source_id;
    const kd_source_words words = {
        KD_STR("甲"), KD_STR("a"), KD_STR("乙"), KD_STR("b"), KD_STR("到"), KD_STR("came")
    };
    must(kd_store_begin(p->store, &err), &err);
    must(kd_source_ensure(p->reg, kd_str_of(feed), &words, &source_id, &err), &err);
    snprintf(hash, sizeof hash, "%d", ++p->sources);
    kd_batch batch = { .id = kd_register_next_id(p->reg),
                       .source_id = source_id,
                       .file_name = kd_str_of(feed),
                       .feed_version = KD_STR("1"),
                       .content_hash = kd_str_of(hash),
                       .rows_seen = (int64_t)count,
                       .records = (int64_t)count,
                       .received_at = kd_now_us(),
                       .as_of_day = KD_DAY_NONE };
    for (size_t i = 0; i < count; i++) {
        records[i].id = kd_register_next_id(p->reg);
        records[i].batch_id = batch.id;
        records[i].source_id = source_id;
        if (!records[i].row_no) records[i].row_no = (int64_t)i + 1;
    }
    batch.first_record = records[0].id;
    batch.last_record = records[count - 1].id;
    must(kd_batch_add(p->reg, &batch, &err), &err);
    must(kd_record_writer_new(p->reg, &writer, &err), &err);
    for (size_t i = 0; i < count; i++) must(kd_record_write(writer, &records[i], &err), &err);
    must(kd_record_writer_finish(writer, &err), &err);
    must(kd_store_commit(p->store, &err), &err);
}

static inline void import_village(place *p)
{
    static char names[VILLAGERS][32], numbers[VILLAGERS][19], phones[VILLAGERS][16];
    static kd_source_record records[VILLAGERS];
    for (int i = 0; i < VILLAGERS; i++) {
        villager_name(i, names[i]);
        villager_identity(i, numbers[i]);
        snprintf(phones[i], sizeof phones[i], "139%08d", i * 37 + 11);
        records[i] = empty_record(KD_ROLE_SUBJECT);
        records[i].name = kd_str_of(names[i]);
        records[i].identity_number = kd_str_of(numbers[i]);
        records[i].phone = kd_str_of(phones[i]);
        records[i].sex = i % 2 ? 1 : 2;
        records[i].birth_day = kd_day_from_ymd((kd_ymd){ 1960 + i % 40, (uint8_t)(1 + i % 12), (uint8_t)(1 + i % 28) });
        records[i].division = VILLAGE + i % 3;
        records[i].recorded_day = 18000;
    }
    import_records(p, "household_registration", records, VILLAGERS);
    for (int i = 0; i < VILLAGERS; i++) p->record_of[i] = records[i].id;
}

static inline kd_link_report link_now(place *p, bool is_full)
{
    kd_error err;
    kd_link_report report;
    const kd_link_options options = { .is_full = is_full };
    must(kd_register_link(p->reg, &options, &report, &err), &err);
    must(kd_register_check(p->reg, &err), &err);
    return report;
}

static inline int64_t ask(place *p, const char *sql, int64_t value)
{
    kd_error err;
    int64_t answer = 0;
    must(kd_store_int(p->store, &err, &answer, sql, KD_VALUES(kd_int(value))), &err);
    return answer;
}

static inline int64_t person_of(place *p, int64_t record)
{
    return ask(p, "select person_id from link where source_record_id = $1", record);
}

static inline void open_place(place *p, bool is_postgres)
{
    kd_error err;
    *p = (place){ .dir = "/tmp/kd_live_XXXXXX", .is_postgres = is_postgres, .arena = kd_arena_new(PLACE_ARENA_BYTES) };
    assert_non_null(mkdtemp(p->dir));
    if (is_postgres) fresh_schema(p);
    must(kd_register_init(p->dir, is_postgres ? p->url : NULL, NULL, &err), &err);
    must(kd_register_open(p->dir, false, &p->reg, &err), &err);
    p->store = kd_register_store(p->reg);
    import_village(p);
    link_now(p, false);
}

static inline void close_place(place *p)
{
    static const char *const names[] = { "register.db",  "register.db-wal", "register.db-shm",
                                         "kindred.yaml", "nodes.lock",      "archive" };
    kd_register_close(p->reg);
    kd_arena_free(p->arena);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    assert_int_equal(rmdir(p->dir), 0); /* nothing else was left there */
}

static inline void run_on_both(void (*fact)(place *))
{
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        place *p = calloc(1, sizeof *p);
        open_place(p, is_postgres);
        fact(p);
        close_place(p);
        free(p);
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

#endif
