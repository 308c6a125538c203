/*
 * A backup is one SQLite file with the register's tables and a manifest: rows and a checksum of every table. The checksum
 * is a sum over rows, so it does not depend on their order and both databases give the same.
 */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = KD_STORE_PARAMETERS_MAX, SQL_BYTES_MAX = 4096, REPORT_EVERY = 1 << 16 };

typedef struct {
    kd_str name; /* of the table */
    char names[COLUMNS_MAX][64];
    kd_value_kind kinds[COLUMNS_MAX];
    size_t count;
} table_columns;

typedef struct {
    int64_t rows;
    uint64_t sum;
} digest;

/* Columns as the SQLite schema declares them; the same migrations made the other database. */
static kd_status read_columns(kd_store *sqlite, kd_str table, table_columns *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    *out = (table_columns){ .name = table };
    KD_TRY(kd_store_query(sqlite, err, &rows, "select name, type from pragma_table_info($1) order by cid",
                          KD_VALUES(kd_text_value(table))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && out->count < COLUMNS_MAX) {
        kd_str type = kd_rows_text(rows, 1);
        snprintf(out->names[out->count], sizeof out->names[0], "%.*s", KD_FMT(kd_rows_text(rows, 0)));
        out->kinds[out->count++] =
            kd_str_is(kd_str_sub(type, 0, 4), "TEXT") || kd_str_is(kd_str_sub(type, 0, 4), "text") ? KD_VALUE_TEXT
            : kd_str_find(type, KD_STR("ouble")) >= 0 || kd_str_find(type, KD_STR("OUBLE")) >= 0   ? KD_VALUE_REAL
                                                                                                   : KD_VALUE_INT;
    }
    kd_rows_close(rows);
    if (status == KD_OK && out->count == 0)
        status = kd_fail(err, KD_INVALID, "", "the backup has no table %.*s", KD_FMT(table));
    return status;
}

static kd_status select_text(const table_columns *table, char sql[SQL_BYTES_MAX], kd_error *err)
{
    size_t len = (size_t)snprintf(sql, SQL_BYTES_MAX, "select ");
    for (size_t i = 0; i < table->count && len < SQL_BYTES_MAX; i++)
        len += (size_t)snprintf(sql + len, SQL_BYTES_MAX - len, "%s%s", i ? ", " : "", table->names[i]);
    if (len < SQL_BYTES_MAX) len += (size_t)snprintf(sql + len, SQL_BYTES_MAX - len, " from %.*s", KD_FMT(table->name));
    return len < SQL_BYTES_MAX ? KD_OK : kd_fail(err, KD_LIMIT, "", "table %.*s is too wide", KD_FMT(table->name));
}

static kd_value cell(const kd_rows *rows, const table_columns *table, size_t i)
{
    if (kd_rows_is_null(rows, i)) return KD_NULL;
    if (table->kinds[i] == KD_VALUE_TEXT) return kd_text_value(kd_rows_text(rows, i));
    return table->kinds[i] == KD_VALUE_REAL ? kd_real(kd_rows_real(rows, i)) : kd_int(kd_rows_int(rows, i));
}

static uint64_t hash_cell(const kd_value *value, uint64_t seed)
{
    switch (value->kind) {
    case KD_VALUE_INT: return kd_hash(&value->i, sizeof value->i, seed + 1);
    case KD_VALUE_REAL: return kd_hash(&value->real, sizeof value->real, seed + 2);
    case KD_VALUE_TEXT: return kd_hash(value->text.ptr, value->text.len, seed + 3);
    case KD_VALUE_NULL: break;
    }
    return kd_hash_int(seed + 4);
}

/* Walk a table: into `bulk` when there is one, and into the digest. */
static kd_status walk(kd_store *from, const table_columns *table, kd_bulk *bulk, digest *out,
                      const kd_progress *progress, kd_error *err)
{
    char sql[SQL_BYTES_MAX];
    kd_rows *rows;
    bool has_row = false;
    *out = (digest){ 0, 0 };
    KD_TRY(select_text(table, sql, err));
    KD_TRY(kd_store_query(from, err, &rows, sql, KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_value values[COLUMNS_MAX];
        uint64_t hash = 0;
        for (size_t i = 0; i < table->count; i++) {
            values[i] = cell(rows, table, i);
            hash = hash_cell(&values[i], hash);
        }
        out->sum += hash;
        out->rows++;
        if (bulk) status = kd_bulk_row(bulk, values, err);
        if (status == KD_OK && out->rows % REPORT_EVERY == 0) {
            kd_progress_report(progress, "copy", (uint64_t)out->rows, 0);
            if (kd_progress_cancelled(progress)) status = kd_fail(err, KD_CANCELLED, "", "stopped");
        }
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status copy_table(kd_store *from, kd_store *to, const table_columns *table, digest *out,
                            const kd_progress *progress, kd_error *err)
{
    const char *names[COLUMNS_MAX];
    char name[64];
    kd_bulk *bulk;
    for (size_t i = 0; i < table->count; i++) names[i] = table->names[i];
    snprintf(name, sizeof name, "%.*s", KD_FMT(table->name));
    KD_TRY(kd_bulk_begin(to, name, names, table->count, &bulk, err));
    kd_status status = walk(from, table, bulk, out, progress, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* ---- writing a backup ---- */

static kd_status write_manifest(kd_store *backup, const kd_progress *progress, kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    KD_TRY(backup->driver->script(backup,
                                  "create table if not exists backup_manifest (name text not null primary key, "
                                  "rows bigint not null, checksum bigint not null)",
                                  err));
    for (size_t i = 0; i < count; i++) {
        table_columns table;
        digest d;
        KD_TRY(read_columns(backup, shards[i].table, &table, err));
        KD_TRY(walk(backup, &table, NULL, &d, progress, err));
        KD_TRY(kd_store_exec(backup, err, NULL,
                             "insert into backup_manifest (name, rows, checksum) values ($1, $2, $3)",
                             KD_VALUES(kd_text_value(shards[i].table), kd_int(d.rows), kd_int((int64_t)d.sum))));
    }
    return KD_OK;
}

static kd_status fill_from_postgres(kd_store *store, kd_store *backup, const kd_progress *progress, kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    KD_TRY(kd_store_migrate(backup, err));
    KD_TRY(store->driver->script(store, "begin isolation level repeatable read read only", err));
    kd_status status = kd_store_begin(backup, err);
    for (size_t i = 0; i < count && status == KD_OK; i++) {
        table_columns table;
        digest d;
        status = read_columns(backup, shards[i].table, &table, err);
        if (status == KD_OK) status = copy_table(store, backup, &table, &d, progress, err);
    }
    if (backup->is_in_transaction) status = kd_store_end(backup, status, err);
    kd_status ended = store->driver->script(store, "rollback", NULL);
    return status == KD_OK ? ended : status;
}

static kd_status fill_backup(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    kd_store *backup = NULL;
    if (store->kind == KD_STORE_SQLITE) KD_TRY(kd_sqlite_copy(store, path, progress, err));
    KD_TRY(kd_sqlite_open(path, true, false, &backup, err));
    kd_status status = KD_OK;
    if (store->kind == KD_STORE_POSTGRESQL) status = fill_from_postgres(store, backup, progress, err);
    if (status == KD_OK) status = kd_store_begin(backup, err);
    if (status == KD_OK) status = kd_store_end(backup, write_manifest(backup, progress, err), err);
    if (status == KD_OK) status = backup->driver->script(backup, "pragma journal_mode = delete", err);
    kd_store_close(backup);
    return status;
}

kd_status kd_store_backup(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    char beside[4096];
    KD_TRY(kd_store_check_version(store, err));
    int len = snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid());
    if (len < 0 || (size_t)len >= sizeof beside) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the path is too long");
    unlink(beside);
    kd_status status = fill_backup(store, beside, progress, err);
    if (status == KD_OK && rename(beside, path) != 0) status = kd_fail_errno(err, path, "write");
    if (status == KD_OK) return KD_OK;
    unlink(beside);
    return status;
}

/* ---- restoring ---- */

static kd_status fail_damaged(kd_error *err, const char *path)
{
    kd_fail_at(err, KD_INVALID, path, 0, 0, "the backup is damaged: a table does not hold what its manifest says");
    kd_hint(err, "take another backup; nothing was restored");
    return KD_INVALID;
}

static kd_status restore_table(kd_store *backup, kd_store *store, kd_str name, const char *path,
                               const kd_progress *progress, kd_error *err)
{
    table_columns table;
    digest d;
    int64_t rows, checksum;
    KD_TRY(read_columns(backup, name, &table, err));
    KD_TRY(copy_table(backup, store, &table, &d, progress, err));
    KD_TRY(kd_store_int(backup, err, &rows, "select rows from backup_manifest where name = $1",
                        KD_VALUES(kd_text_value(name))));
    KD_TRY(kd_store_int(backup, err, &checksum, "select checksum from backup_manifest where name = $1",
                        KD_VALUES(kd_text_value(name))));
    return d.rows == rows && (int64_t)d.sum == checksum ? KD_OK : fail_damaged(err, path);
}

static kd_status restore_all(kd_store *backup, kd_store *store, const char *path, const kd_progress *progress,
                             kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    for (size_t i = 0; i < count; i++) KD_TRY(restore_table(backup, store, shards[i].table, path, progress, err));
    return KD_OK;
}

static kd_status check_backup(kd_store *backup, const char *path, kd_error *err)
{
    int64_t manifests;
    KD_TRY(kd_store_int(backup, err, &manifests, "select count(*) from sqlite_master where name = 'backup_manifest'",
                        KD_NO_VALUES));
    if (!manifests) {
        kd_fail_at(err, KD_INVALID, path, 0, 0, "this is no backup of a register");
        kd_hint(err, "backups are written by `kindred backup FILE`");
        return KD_INVALID;
    }
    return kd_store_check_version(backup, err);
}

static kd_status check_empty(kd_store *store, kd_error *err)
{
    int version;
    int64_t batches = 0, settings = 0;
    KD_TRY(kd_store_version(store, &version, err));
    if (version == 0) return kd_store_migrate(store, err);
    KD_TRY(kd_store_check_version(store, err));
    KD_TRY(kd_store_int(store, err, &batches, "select count(*) from batch", KD_NO_VALUES));
    KD_TRY(kd_store_int(store, err, &settings, "select count(*) from setting", KD_NO_VALUES));
    if (!batches && !settings) return KD_OK;
    kd_fail(err, KD_CONFLICT, "", "the database already holds a register; nothing was changed");
    kd_hint(err, "restore into an empty database or a new folder");
    return KD_CONFLICT;
}

kd_status kd_store_restore(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    kd_store *backup;
    KD_TRY(kd_sqlite_open(path, false, true, &backup, err));
    kd_status status = check_backup(backup, path, err);
    if (status == KD_OK) status = check_empty(store, err);
    if (status == KD_OK) status = kd_store_begin(store, err);
    if (status == KD_OK) status = kd_store_end(store, restore_all(backup, store, path, progress, err), err);
    kd_store_close(backup);
    return status;
}

/* ---- integrity ---- */

kd_status kd_store_check(kd_store *store, kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    if (store->kind == KD_STORE_SQLITE) {
        int64_t faults;
        KD_TRY(kd_store_int(store, err, &faults, "select count(*) from pragma_quick_check where quick_check <> 'ok'",
                            KD_NO_VALUES));
        if (faults) {
            kd_fail(err, KD_INVALID, "", "the database is damaged in %lld places", (long long)faults);
            kd_hint(err, "restore the last backup into a new register: kindred restore");
            return KD_INVALID;
        }
    }
    for (size_t i = 0; i < count; i++) {
        char sql[128];
        int64_t rows;
        snprintf(sql, sizeof sql, "select count(*) from %.*s", KD_FMT(shards[i].table));
        KD_TRY(kd_store_int(store, err, &rows, sql, KD_NO_VALUES));
    }
    return KD_OK;
}
