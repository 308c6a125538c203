/*
 * A backup is one SQLite file with the register's tables and a manifest: rows and a checksum of every table, taken where
 * the rows were read. The checksum is a sum over rows, so it does not depend on their order and both databases give the
 * same.
 */
#include "driver.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = KD_STORE_PARAMETERS_MAX, NAME_BYTES = 64, SQL_BYTES_MAX = 8192, REPORT_EVERY = 1 << 15 };

typedef struct {
    char name[NAME_BYTES]; /* of the table */
    char names[COLUMNS_MAX][NAME_BYTES];
    kd_value_kind kinds[COLUMNS_MAX];
    size_t count;
} table_columns;

typedef struct {
    int64_t rows;
    uint64_t sum;
} digest;

/* One backup or restore on its way. */
typedef struct {
    kd_store *from, *to;
    const char *path; /* of the backup that is read; NULL when one is written */
    const char *stage;
    const kd_progress *progress;
    uint64_t done, total; /* rows; total 0 when unknown */
} copying;

static kd_status fail_damaged(kd_error *err, const char *path)
{
    kd_fail_at(err, KD_INVALID, path, 0, 0, "the backup is damaged: it does not hold what its manifest says");
    kd_hint(err, "take an older backup; nothing was restored");
    return KD_INVALID;
}

/* What a backup cannot be read for is damage; what the target refuses is told as it is. */
static kd_status from_backup(const copying *job, kd_status status, kd_error *err)
{
    bool is_damage = job->path && (status == KD_INVALID || status == KD_NOT_FOUND);
    return is_damage ? fail_damaged(err, job->path) : status;
}

/* Columns as the SQLite schema declares them; the same migrations made the other database. */
static kd_status read_columns(kd_store *sqlite, const char *table, table_columns *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    *out = (table_columns){ 0 };
    snprintf(out->name, sizeof out->name, "%s", table);
    KD_TRY(kd_store_query(sqlite, err, &rows, "select name, type from pragma_table_info($1) order by cid",
                          KD_VALUES(kd_text_value(kd_str_of(table)))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_str name = kd_rows_text(rows, 0), type = kd_rows_text(rows, 1);
        if (out->count == COLUMNS_MAX || name.len >= NAME_BYTES) {
            status = kd_fail(err, KD_LIMIT, "", "table %s is too wide", table);
            break;
        }
        char kind = type.len ? type.ptr[0] : '\0';
        memcpy(out->names[out->count], name.ptr, name.len);
        out->kinds[out->count++] = kind == 't' || kind == 'T'   ? KD_VALUE_TEXT
                                   : kind == 'd' || kind == 'D' ? KD_VALUE_REAL
                                                                : KD_VALUE_INT;
    }
    kd_rows_close(rows);
    if (status == KD_OK && out->count == 0) status = kd_fail(err, KD_INVALID, "", "there is no table %s", table);
    return status;
}

static kd_status select_text(const table_columns *table, char sql[SQL_BYTES_MAX], kd_error *err)
{
    kd_buf text;
    kd_buf_init(&text, SQL_BYTES_MAX - 1);
    kd_buf_cstr(&text, "select ");
    for (size_t i = 0; i < table->count; i++) kd_buf_fmt(&text, "%s%s", i ? ", " : "", table->names[i]);
    kd_buf_fmt(&text, " from %s", table->name);
    kd_status status = text.status;
    if (status == KD_OK) memcpy(sql, text.ptr, text.len);
    if (status == KD_OK) sql[text.len] = '\0';
    kd_buf_done(&text);
    return status == KD_OK ? KD_OK : kd_fail(err, KD_LIMIT, "", "table %s is too wide", table->name);
}

static kd_value cell(const kd_rows *rows, kd_value_kind kind, size_t column)
{
    if (kind == KD_VALUE_TEXT) return kd_text_value(kd_rows_text(rows, column));
    if (kd_rows_is_null(rows, column)) return KD_NULL;
    return kind == KD_VALUE_REAL ? kd_real(kd_rows_real(rows, column)) : kd_int(kd_rows_int(rows, column));
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

static kd_status count_row(copying *job, digest *d, uint64_t hash, kd_error *err)
{
    d->sum += hash;
    d->rows++;
    if (++job->done % REPORT_EVERY) return KD_OK;
    kd_progress_report(job->progress, job->stage, job->done, job->total);
    return kd_progress_cancelled(job->progress) ? kd_fail(err, KD_CANCELLED, "", "stopped") : KD_OK;
}

/* Walk a table: into `bulk` when there is one, and into the digest. */
static kd_status walk(copying *job, const table_columns *table, kd_bulk *bulk, digest *out, kd_error *err)
{
    char sql[SQL_BYTES_MAX];
    kd_rows *rows;
    digest d = { 0, 0 };
    KD_TRY(select_text(table, sql, err));
    KD_TRY(from_backup(job, kd_store_query(job->from, err, &rows, sql, KD_NO_VALUES), err));
    kd_status status = KD_OK;
    while (status == KD_OK) {
        kd_value values[COLUMNS_MAX];
        uint64_t hash = 0;
        bool has_row = false;
        status = from_backup(job, kd_rows_next(rows, &has_row, err), err);
        if (status != KD_OK || !has_row) break;
        for (size_t i = 0; i < table->count; i++) {
            values[i] = cell(rows, table->kinds[i], i);
            hash = hash_cell(&values[i], hash);
        }
        if (bulk) status = kd_bulk_row(bulk, values, err);
        if (status == KD_OK) status = count_row(job, &d, hash, err);
    }
    kd_rows_close(rows);
    if (status == KD_OK) *out = d;
    return status;
}

static kd_status copy_table(copying *job, const table_columns *table, digest *out, kd_error *err)
{
    const char *names[COLUMNS_MAX];
    kd_bulk *bulk;
    for (size_t i = 0; i < table->count; i++) names[i] = table->names[i];
    KD_TRY(kd_store_drop_indexes(job->to, table->name, err));
    KD_TRY(kd_bulk_begin(job->to, table->name, names, table->count, &bulk, err));
    kd_status status = walk(job, table, bulk, out, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* ---- writing a backup ---- */

/* Every table into `backup`, or only read there when `job->from` is the backup itself; its digest into the manifest. */
static kd_status fill_tables(copying *job, kd_store *backup, kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    KD_TRY(backup->driver->script(backup,
                                  "create table backup_manifest (name text not null primary key, "
                                  "rows bigint not null, checksum bigint not null)",
                                  err));
    for (size_t i = 0; i < count; i++) {
        table_columns table;
        digest d;
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%.*s", KD_FMT(shards[i].table));
        KD_TRY(read_columns(backup, name, &table, err));
        KD_TRY(job->from == backup ? walk(job, &table, NULL, &d, err) : copy_table(job, &table, &d, err));
        if (job->from != backup) KD_TRY(kd_store_make_indexes(backup, name, err));
        KD_TRY(kd_store_exec(backup, err, NULL,
                             "insert into backup_manifest (name, rows, checksum) values ($1, $2, $3)",
                             KD_VALUES(kd_text_value(shards[i].table), kd_int(d.rows), kd_int((int64_t)d.sum))));
    }
    return KD_OK;
}

static kd_status fill_from_postgres(copying *job, kd_error *err)
{
    KD_TRY(kd_store_migrate(job->to, err));
    KD_TRY(job->from->driver->script(job->from, "begin isolation level repeatable read read only", err));
    kd_status status = kd_store_begin(job->to, err);
    if (status == KD_OK) status = kd_store_end(job->to, fill_tables(job, job->to, err), err);
    job->from->driver->rollback(job->from);
    return status;
}

static kd_status fill_backup(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    kd_store *backup;
    if (store->kind == KD_STORE_SQLITE) KD_TRY(kd_sqlite_copy(store, path, progress, err));
    KD_TRY(kd_sqlite_open(path, KD_SQLITE_MAKING, &backup, err));
    copying job = { .from = store, .to = backup, .stage = "backup", .progress = progress };
    kd_status status;
    if (store->kind == KD_STORE_SQLITE) {
        job.from = backup;
        job.stage = "checksum";
        status = kd_store_begin(backup, err);
        if (status == KD_OK) status = kd_store_end(backup, fill_tables(&job, backup, err), err);
    } else {
        status = fill_from_postgres(&job, err);
    }
    kd_store_close(backup);
    return status;
}

static kd_status sync_path(const char *path, int flags, kd_error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return kd_fail_errno(err, path, "open");
    kd_status status = fsync(fd) == 0 ? KD_OK : kd_fail_errno(err, path, "write");
    close(fd);
    return status;
}

/* The name appears when all bytes are on the disk, and stays after a power cut. */
static kd_status put_in_place(const char *beside, const char *path, kd_error *err)
{
    KD_TRY(sync_path(beside, O_RDONLY, err));
    if (rename(beside, path) != 0) return kd_fail_errno(err, path, "write");
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return sync_path(folder, O_RDONLY | O_DIRECTORY, err);
}

static void remove_all(const char *path)
{
    static const char *const endings[] = { "", "-journal", "-wal", "-shm" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s%s", path, endings[i]);
        unlink(file);
    }
}

kd_status kd_store_backup(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    enum { PATH_BYTES_MAX = 4000 };
    char beside[PATH_BYTES_MAX];
    if (store->is_in_transaction)
        return kd_fail(err, KD_INVALID, "", "a transaction is open: commit it before a backup");
    KD_TRY(kd_store_check_version(store, err));
    int len = snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid());
    if (len < 0 || (size_t)len >= sizeof beside) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the path is too long");
    remove_all(beside);
    kd_status status = fill_backup(store, beside, progress, err);
    if (status == KD_OK) status = put_in_place(beside, path, err);
    if (status != KD_OK) remove_all(beside);
    return status;
}

/* ---- restoring ---- */

typedef struct {
    char name[NAME_BYTES];
    digest expected;
} manifest_line;

static kd_status read_manifest(copying *job, manifest_line lines[KD_SHARDS_MAX], size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    KD_TRY(kd_store_query(job->from, err, &rows, "select name, rows, checksum from backup_manifest order by name",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        manifest_line *line = &lines[count];
        kd_str name = kd_rows_text(rows, 0);
        snprintf(line->name, sizeof line->name, "%.*s", KD_FMT(name));
        line->expected = (digest){ kd_rows_int(rows, 1), (uint64_t)kd_rows_int(rows, 2) };
        if (!kd_store_is_name(line->name) || line->expected.rows < 0) status = fail_damaged(err, job->path);
        job->total += (uint64_t)line->expected.rows;
        if (++count == KD_SHARDS_MAX) status = fail_damaged(err, job->path);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    if (status == KD_OK) *out_count = count;
    return status;
}

/* A line that was lost from the manifest must not be a table that is silently left out. */
static kd_status check_manifest(copying *job, kd_error *err)
{
    int64_t missing;
    KD_TRY(kd_store_int(job->from, err, &missing,
                        "select count(*) from sqlite_master m where m.type = 'table' and m.name not like 'sqlite_%' "
                        "and m.name not in ('schema_version', 'backup_manifest') "
                        "and m.name not in (select name from backup_manifest)",
                        KD_NO_VALUES));
    return missing ? fail_damaged(err, job->path) : KD_OK;
}

static kd_status restore_table(copying *job, const manifest_line *line, kd_error *err)
{
    table_columns table;
    digest d;
    KD_TRY(from_backup(job, read_columns(job->from, line->name, &table, err), err));
    KD_TRY(copy_table(job, &table, &d, err));
    if (d.rows != line->expected.rows || d.sum != line->expected.sum) return fail_damaged(err, job->path);
    return kd_store_make_indexes(job->to, line->name, err);
}

static kd_status restore_tables(copying *job, const manifest_line *lines, size_t count, kd_error *err)
{
    for (size_t i = 0; i < count; i++) KD_TRY(restore_table(job, &lines[i], err));
    return KD_OK;
}

static kd_status check_is_backup(const copying *job, int *out_version, kd_error *err)
{
    int64_t manifests = 0;
    kd_status status = kd_store_int(job->from, err, &manifests,
                                    "select count(*) from sqlite_master where name = 'backup_manifest'", KD_NO_VALUES);
    if (status != KD_OK) return from_backup(job, status, err);
    if (!manifests) {
        kd_fail_at(err, KD_INVALID, job->path, 0, 0, "this is no backup of a register");
        kd_hint(err, "backups are written by `kindred backup FILE`");
        return KD_INVALID;
    }
    return from_backup(job, kd_store_version(job->from, out_version, err), err);
}

/* Empty: no schema yet, or that of the backup without a row. */
static kd_status check_empty(kd_store *store, int backup_version, const manifest_line *lines, size_t count,
                             kd_error *err)
{
    int version;
    KD_TRY(kd_store_version(store, &version, err));
    if (version == 0) return KD_OK;
    int64_t rows = version == backup_version ? 0 : 1;
    for (size_t i = 0; i < count && rows == 0; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "select count(*) from (select 1 from %.63s limit 1) x", lines[i].name);
        KD_TRY(kd_store_int(store, err, &rows, sql, KD_NO_VALUES));
    }
    if (rows == 0) return KD_OK;
    kd_fail(err, KD_CONFLICT, "", "the database already holds a register; nothing was changed");
    kd_hint(err, "restore into an empty database or a new folder");
    return KD_CONFLICT;
}

/* An older backup is restored into its own schema, which is then brought up to date. */
static kd_status restore(copying *job, kd_error *err)
{
    manifest_line lines[KD_SHARDS_MAX];
    size_t count = 0;
    int version = 0;
    KD_TRY(check_is_backup(job, &version, err));
    KD_TRY(from_backup(job, read_manifest(job, lines, &count, err), err));
    KD_TRY(from_backup(job, check_manifest(job, err), err));
    if (version < 1 || count == 0) return fail_damaged(err, job->path);
    KD_TRY(check_empty(job->to, version, lines, count, err));
    KD_TRY(kd_store_migrate_to(job->to, version, err));
    KD_TRY(kd_store_begin(job->to, err));
    KD_TRY(kd_store_end(job->to, restore_tables(job, lines, count, err), err));
    return kd_store_migrate(job->to, err);
}

kd_status kd_store_restore(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    kd_store *backup;
    if (store->is_in_transaction)
        return kd_fail(err, KD_INVALID, "", "a transaction is open: commit it before a restore");
    kd_status status = kd_sqlite_open(path, KD_SQLITE_FILE, &backup, err);
    if (status == KD_INVALID) {
        kd_fail_at(err, KD_INVALID, path, 0, 0, "this is no backup of a register, or it is damaged");
        kd_hint(err, "take another backup; they are written by `kindred backup FILE`");
    }
    if (status != KD_OK) return status;
    copying job = { .from = backup, .to = store, .path = path, .stage = "restore", .progress = progress };
    status = restore(&job, err);
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
