#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In order; a step is never changed once it has been released. */
static const char *const STEPS[] = { KD_MIGRATION_001, KD_MIGRATION_002 };
enum { VERSION = sizeof STEPS / sizeof STEPS[0], SCRIPT_BYTES_MAX = 1 << 20 };

static const char VERSION_TABLE[] = "create table if not exists schema_version (version integer not null primary key, "
                                    "applied_at bigint not null, program text not null)";

int kd_store_schema_version(void)
{
    return VERSION;
}

static kd_status has_version_table(kd_store *store, bool *out_has, kd_error *err)
{
    int64_t count;
    const char *sql = store->kind == KD_STORE_SQLITE
                          ? "select count(*) from sqlite_master where type = 'table' and name = 'schema_version'"
                          : "select count(*) from (select to_regclass('schema_version') as t) x where t is not null";
    KD_TRY(kd_store_int(store, err, &count, sql, KD_NO_VALUES));
    *out_has = count > 0;
    return KD_OK;
}

kd_status kd_store_version(kd_store *store, int *out_version, kd_error *err)
{
    bool has_table;
    int64_t version = 0;
    KD_TRY(has_version_table(store, &has_table, err));
    if (has_table)
        KD_TRY(
            kd_store_int(store, err, &version, "select coalesce(max(version), 0) from schema_version", KD_NO_VALUES));
    *out_version = (int)version;
    return KD_OK;
}

static kd_status fail_newer(int version, kd_error *err)
{
    kd_fail(err, KD_UNSUPPORTED, "", "this database has schema version %d; this program (%s) knows %d", version,
            KD_VERSION, VERSION);
    kd_hint(err,
            "use the newer kindred that wrote it, or restore a backup made before the upgrade; nothing was changed");
    return KD_UNSUPPORTED;
}

kd_status kd_store_check_version(kd_store *store, kd_error *err)
{
    int version;
    KD_TRY(kd_store_version(store, &version, err));
    if (version == VERSION) return KD_OK;
    if (version > VERSION) return fail_newer(version, err);
    kd_fail(err, KD_UNSUPPORTED, "", version ? "this database has an older schema" : "this database holds no register");
    kd_hint(err, version ? "make a backup, then run `kindred migrate`" : "make one with `kindred init`");
    return KD_UNSUPPORTED;
}

/* What a step's words in {{braces}} are on each database, by kd_store_kind. */
static const struct {
    const char *word, *meaning[2];
} MACROS[] = {
    { "{{clustered}}", { "without rowid", "" } },
    { "{{id}}", { "integer", "bigint" } },
    { "{{on_postgresql}}", { "--", "" } },
};
enum { MACRO_COUNT = sizeof MACROS / sizeof MACROS[0] };

/* A step in the words of this database. */
static void translate(const kd_store *store, const char *step, kd_buf *out)
{
    for (const char *at = step; *at;) {
        size_t plain = strcspn(at, "{");
        kd_buf_add(out, at, plain);
        at += plain;
        size_t macro = 0;
        while (macro < MACRO_COUNT && strncmp(at, MACROS[macro].word, strlen(MACROS[macro].word)) != 0) macro++;
        if (macro < MACRO_COUNT) {
            kd_buf_cstr(out, MACROS[macro].meaning[store->kind]);
            at += strlen(MACROS[macro].word);
        } else if (*at) {
            kd_buf_char(out, *at++);
        }
    }
    kd_buf_char(out, '\0');
}

static kd_status apply(kd_store *store, int version, kd_error *err)
{
    kd_buf script;
    int now = 0;
    KD_TRY(kd_store_version(store, &now, err));
    if (now >= version) return KD_OK; /* another program did this step while we waited */
    kd_buf_init(&script, SCRIPT_BYTES_MAX);
    translate(store, STEPS[version - 1], &script);
    kd_status status = script.status == KD_OK ? store->driver->script(store, script.ptr, err)
                                              : kd_fail(err, KD_LIMIT, "", "no memory for a migration");
    kd_buf_done(&script);
    if (status != KD_OK) return status;
    return kd_store_exec(store, err, NULL,
                         "insert into schema_version (version, applied_at, program) values ($1, $2, $3)",
                         KD_VALUES(kd_int(version), kd_int(kd_now_us()), kd_text_value(KD_STR(KD_VERSION))));
}

/*
 * Made before the first step: writers wait for each other in a lock on this table. Of two programs that make it at once,
 * PostgreSQL refuses one, which then finds it made.
 */
static kd_status make_version_table(kd_store *store, kd_error *err)
{
    bool has_table;
    kd_status made = store->driver->script(store, VERSION_TABLE, err);
    if (made == KD_OK) return KD_OK;
    kd_error ignored;
    if (has_version_table(store, &has_table, &ignored) == KD_OK && has_table) return KD_OK;
    return made;
}

kd_status kd_store_migrate_to(kd_store *store, int version, kd_error *err)
{
    int now;
    KD_TRY(kd_store_version(store, &now, err));
    if (now > VERSION || version > VERSION) return fail_newer(now > VERSION ? now : version, err);
    if (now < version) KD_TRY(make_version_table(store, err));
    for (; now < version; now++) {
        KD_TRY(kd_store_begin(store, err));
        KD_TRY(kd_store_end(store, apply(store, now + 1, err), err));
    }
    return KD_OK;
}

kd_status kd_store_migrate(kd_store *store, kd_error *err)
{
    KD_TRY(kd_store_migrate_to(store, VERSION, err));
    return kd_store_check_version(store, err);
}

/* ---- secondary indexes around a bulk load ---- */

/* The next `create [unique] index NAME on TABLE …` statement of the migrations for a table; `*at` moves on. */
static bool next_index(const char **at, const char *table, kd_str *out_statement, kd_str *out_name)
{
    size_t table_len = strlen(table);
    for (const char *hit; (hit = strstr(*at, "index ")); *at = hit + 6) {
        const char *name = hit + 6, *space = strchr(name, ' '), *end = strchr(name, ';');
        const char *start = hit;
        while (start > *at && start[-1] != '\n') start--;
        if (!space || !end || space > end || strncmp(start, "create ", 7) != 0) continue;
        if (strncmp(space, " on ", 4) != 0 || strncmp(space + 4, table, table_len) != 0 || space[4 + table_len] != ' ')
            continue;
        *out_name = (kd_str){ name, (size_t)(space - name) };
        *out_statement = (kd_str){ start, (size_t)(end - start) };
        *at = end;
        return true;
    }
    return false;
}

/* Whether a later step takes the index away again. */
static bool is_dropped_after(size_t step, kd_str name)
{
    char statement[128];
    int len = snprintf(statement, sizeof statement, "\ndrop index %.*s;", KD_FMT(name));
    if (len < 0 || (size_t)len >= sizeof statement) return false;
    for (size_t i = step + 1; i < VERSION; i++)
        if (strstr(STEPS[i], statement)) return true;
    return false;
}

static kd_status for_indexes(kd_store *store, const char *table, bool is_drop, kd_error *err)
{
    if (!kd_store_is_name(table)) return kd_fail(err, KD_INVALID, "", "this is no table");
    for (size_t i = 0; i < VERSION; i++) {
        const char *at = STEPS[i];
        kd_str statement, name;
        while (next_index(&at, table, &statement, &name)) {
            if (is_dropped_after(i, name)) continue;
            char sql[512];
            int len = is_drop ? snprintf(sql, sizeof sql, "drop index if exists %.*s", KD_FMT(name))
                              : snprintf(sql, sizeof sql, "%.*s", KD_FMT(statement));
            if (len < 0 || (size_t)len >= sizeof sql)
                return kd_fail(err, KD_LIMIT, "", "an index of %s is too long", table);
            KD_TRY(store->driver->script(store, sql, err));
        }
    }
    return KD_OK;
}

kd_status kd_store_drop_indexes(kd_store *store, const char *table, kd_error *err)
{
    return for_indexes(store, table, true, err);
}

kd_status kd_store_refresh_statistics(kd_store *store, const char *table, kd_error *err)
{
    char sql[96];
    if (store->kind == KD_STORE_SQLITE) return KD_OK;
    if (!kd_store_is_name(table)) return kd_fail(err, KD_INVALID, "", "this is no table");
    snprintf(sql, sizeof sql, "analyze %s", table);
    return store->driver->script(store, sql, err);
}

kd_status kd_store_make_indexes(kd_store *store, const char *table, kd_error *err)
{
    KD_TRY(for_indexes(store, table, false, err));
    return kd_store_refresh_statistics(store, table, err);
}
