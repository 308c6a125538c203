/**
 * @file live_place.h
 * A linked register of a small invented township for tests of what people do with it, on SQLite or a real PostgreSQL server.
 */
#ifndef KD_TEST_LIVE_PLACE_H
#define KD_TEST_LIVE_PLACE_H

#include "exchange/exchange.h"

#include <kindred/simulate.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIVE_COUNTY_PERSONS = 8000 };
#define LIVE_COUNTY INT64_C(610829000000)

typedef struct {
    char folder[64], dir[128], feeds[128], truth[160], url[640];
    kd_register *reg;
    kd_arena *arena; /* of one test's results */
    kd_str told;     /* the truth file, once it was read */
} live_place;

static inline void live_must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static inline void live_fresh_schema(live_place *p)
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
    snprintf(schema, sizeof schema, "live_%d_%d", (int)getpid(), ++count);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    live_must(kd_store_open(server, true, &store, &err), &err);
    live_must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(store);
    snprintf(p->url, sizeof p->url, "%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?', schema);
}

static inline void live_import(live_place *p)
{
    kd_error err;
    kd_manifest manifest;
    kd_feed_packs *packs;
    char path[160];
    snprintf(path, sizeof path, "%s/manifest.yaml", p->feeds);
    live_must(kd_manifest_load(p->arena, path, &manifest, &err), &err);
    live_must(kd_feed_packs_of_register(p->dir, NULL, &packs, &err), &err);
    for (size_t i = 0; i < manifest.count; i++) {
        kd_import_result result;
        kd_import_options options = { .feed = manifest.files[i].feed,
                                      .division = manifest.files[i].division,
                                      .as_of_day = manifest.files[i].as_of_day };
        live_must(kd_import_file(p->reg, packs, manifest.files[i].path.ptr, &options, p->arena, &result, &err), &err);
    }
    kd_feed_packs_close(packs);
}

static inline void live_link(live_place *p)
{
    kd_error err;
    kd_link_report report;
    kd_link_options options = { .is_full = true };
    live_must(kd_register_link(p->reg, &options, &report, &err), &err);
    live_must(kd_register_check(p->reg, &err), &err);
}

static inline void live_open(live_place *p, bool is_postgres)
{
    kd_error err;
    kd_simulate_result made;
    *p = (live_place){ .folder = "/tmp/kd_live_XXXXXX" };
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->dir, sizeof p->dir, "%s/register", p->folder);
    snprintf(p->feeds, sizeof p->feeds, "%s/feeds", p->folder);
    snprintf(p->truth, sizeof p->truth, "%s/truth.csv", p->feeds);
    if (is_postgres) live_fresh_schema(p);
    p->arena = kd_arena_new((size_t)1 << 30);
    assert_non_null(p->arena);
    kd_simulate_options options = {
        .division = LIVE_COUNTY, .persons = LIVE_COUNTY_PERSONS, .errors = "hard", .seed = 20, .folder = p->feeds
    };
    live_must(kd_simulate(&options, &made, &err), &err);
    live_must(kd_register_init(p->dir, is_postgres ? p->url : NULL, NULL, &err), &err);
    live_must(kd_register_open(p->dir, false, &p->reg, &err), &err);
    live_import(p);
    live_link(p);
}

static inline void live_close(live_place *p)
{
    kd_register_close(p->reg);
    kd_arena_free(p->arena);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", p->folder, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

static inline int64_t live_ask(live_place *p, const char *sql, int64_t value)
{
    kd_error err;
    int64_t answer = 0;
    live_must(kd_store_int(kd_register_store(p->reg), &err, &answer, sql, KD_VALUES(kd_int(value))), &err);
    return answer;
}

static inline void live_do(live_place *p, const char *sql, const kd_value *values, size_t count)
{
    kd_error err;
    live_must(kd_store_exec(kd_register_store(p->reg), &err, NULL, sql, values, count), &err);
}

#endif
