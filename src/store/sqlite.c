#include "driver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t hash;
    char *sql;
    sqlite3_stmt *stmt;
    bool is_busy;
} statement;

typedef struct {
    kd_store store;
    sqlite3 *db;
    statement statements[KD_STORE_STATEMENTS_MAX];
    size_t statement_count;
} sqlite_store;

typedef struct {
    kd_rows rows;
    sqlite3_stmt *stmt;
    statement *cached; /* NULL: finalised when closed */
} sqlite_rows;

typedef struct {
    kd_bulk bulk;
    sqlite3_stmt *stmt;
} sqlite_bulk;

static const kd_store_driver DRIVER;

/* ---- failing: SQLite's own words name tables and columns, never values ---- */

static kd_status fail_as(kd_error *err, int code, int extended, const char *message)
{
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kd_fail(err, KD_CONFLICT, "", "another program is writing to this register");
        kd_hint(err, "wait until it is done and try again; nothing was changed");
        return KD_CONFLICT;
    case SQLITE_FULL:
        kd_fail(err, KD_IO, "", "the disk is full");
        kd_hint(err, "free space and run the command again; nothing was changed");
        return KD_IO;
    case SQLITE_CONSTRAINT: return kd_fail(err, KD_CONFLICT, "", "the database refused a row: %s", message);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        kd_fail(err, KD_INVALID, "", "the database is damaged or no SQLite database: %s", message);
        kd_hint(err, "restore the last backup into a new register: kindred restore");
        return KD_INVALID;
    case SQLITE_NOMEM: return kd_fail(err, KD_LIMIT, "", "no memory for the database");
    case SQLITE_TOOBIG: return kd_fail(err, KD_LIMIT, "", "a value is too long for the database");
    case SQLITE_READONLY: return kd_fail(err, KD_IO, "", "the database may not be written: %s", message);
    case SQLITE_IOERR:
        kd_fail(err, KD_IO, "", "the database could not be read or written: %s", message);
        kd_hint(err, extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_FSYNC
                         ? "is the disk full? free space and run the command again; nothing was changed"
                         : "look at the disk; nothing was changed");
        return KD_IO;
    default: return kd_fail(err, KD_INVALID, "", "the database said: %s", message);
    }
}

static kd_status fail(const sqlite_store *s, kd_error *err)
{
    return fail_as(err, sqlite3_errcode(s->db), sqlite3_extended_errcode(s->db), sqlite3_errmsg(s->db));
}

/* ---- statements ---- */

static void forget_statements(sqlite_store *s)
{
    for (size_t i = 0; i < s->statement_count; i++) {
        sqlite3_finalize(s->statements[i].stmt);
        free(s->statements[i].sql);
    }
    s->statement_count = 0;
}

static kd_status prepare_new(sqlite_store *s, const char *sql, sqlite3_stmt **out, kd_error *err)
{
    int code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return code == SQLITE_OK ? KD_OK : fail(s, err);
}

/* The prepared statement of a text; `*out_cached` is NULL when the cache's is at work and this one must be finalised. */
static kd_status prepare(sqlite_store *s, const char *sql, sqlite3_stmt **out, statement **out_cached, kd_error *err)
{
    uint64_t hash = kd_hash(sql, strlen(sql), 0);
    *out_cached = NULL;
    for (size_t i = 0; i < s->statement_count; i++) {
        statement *known = &s->statements[i];
        if (known->hash != hash || strcmp(known->sql, sql) != 0) continue;
        if (known->is_busy) return prepare_new(s, sql, out, err);
        known->is_busy = true;
        *out = known->stmt;
        *out_cached = known;
        return KD_OK;
    }
    KD_TRY(prepare_new(s, sql, out, err));
    char *copy = s->statement_count < KD_STORE_STATEMENTS_MAX ? strdup(sql) : NULL;
    if (!copy) return KD_OK;
    statement *fresh = &s->statements[s->statement_count++];
    *fresh = (statement){ hash, copy, *out, true };
    *out_cached = fresh;
    return KD_OK;
}

static void release(sqlite3_stmt *stmt, statement *cached)
{
    if (!cached) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    cached->is_busy = false;
}

static int bind_one(sqlite3_stmt *stmt, int at, const kd_value *value)
{
    switch (value->kind) {
    case KD_VALUE_INT: return sqlite3_bind_int64(stmt, at, value->i);
    case KD_VALUE_REAL: return sqlite3_bind_double(stmt, at, value->real);
    case KD_VALUE_TEXT:
        if (value->text.len > INT32_MAX) return SQLITE_TOOBIG;
        return sqlite3_bind_text(stmt, at, value->text.ptr, (int)value->text.len, SQLITE_STATIC);
    case KD_VALUE_NULL: break;
    }
    return sqlite3_bind_null(stmt, at);
}

/* A NUL would cut the text on PostgreSQL, so neither database takes it. */
static bool holds_nul(const kd_value *value)
{
    return value->kind == KD_VALUE_TEXT && value->text.len && memchr(value->text.ptr, 0, value->text.len);
}

static kd_status bind(const sqlite_store *s, sqlite3_stmt *stmt, const kd_value *values, size_t count, kd_error *err)
{
    for (size_t i = 0; i < count; i++) {
        char name[24];
        if (holds_nul(&values[i])) return kd_fail(err, KD_INVALID, "", "a text holds a NUL character");
        snprintf(name, sizeof name, "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(stmt, name);
        if (at == 0) return kd_fail(err, KD_INVALID, "", "the statement has no parameter %s", name);
        if (bind_one(stmt, at, &values[i]) != SQLITE_OK) return fail(s, err);
    }
    return KD_OK;
}

static kd_status exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                      size_t count)
{
    sqlite_store *s = (sqlite_store *)store;
    sqlite3_stmt *stmt;
    statement *cached;
    KD_TRY(prepare(s, sql, &stmt, &cached, err));
    kd_status status = bind(s, stmt, values, count, err);
    int code = SQLITE_ROW;
    while (status == KD_OK && code == SQLITE_ROW) code = sqlite3_step(stmt);
    if (status == KD_OK && code != SQLITE_DONE) status = fail(s, err);
    *out_changed = sqlite3_changes64(s->db);
    release(stmt, cached);
    return status;
}

static kd_status script(kd_store *store, const char *sql, kd_error *err)
{
    sqlite_store *s = (sqlite_store *)store;
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? KD_OK : fail(s, err);
}

/* ---- rows ---- */

static kd_status query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                       size_t count)
{
    sqlite_store *s = (sqlite_store *)store;
    sqlite_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return kd_fail(err, KD_LIMIT, "", "no memory for a query");
    kd_status status = prepare(s, sql, &rows->stmt, &rows->cached, err);
    if (status != KD_OK) {
        free(rows);
        return status;
    }
    rows->rows = (kd_rows){ store, (size_t)sqlite3_column_count(rows->stmt) };
    status = bind(s, rows->stmt, values, count, err);
    if (status != KD_OK) {
        release(rows->stmt, rows->cached);
        free(rows);
        return status;
    }
    /* values are borrowed for this call only, and rows are read after it */
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind != KD_VALUE_TEXT) continue;
        char name[24];
        snprintf(name, sizeof name, "$%zu", i + 1);
        sqlite3_bind_text(rows->stmt, sqlite3_bind_parameter_index(rows->stmt, name), values[i].text.ptr,
                          (int)values[i].text.len, SQLITE_TRANSIENT);
    }
    *out_rows = &rows->rows;
    return KD_OK;
}

static kd_status next(kd_rows *base, bool *out_has_row, kd_error *err)
{
    sqlite_rows *rows = (sqlite_rows *)base;
    int code = sqlite3_step(rows->stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail((sqlite_store *)base->store, err);
    *out_has_row = code == SQLITE_ROW;
    return KD_OK;
}

static bool is_null(const kd_rows *base, size_t column)
{
    return sqlite3_column_type(((const sqlite_rows *)base)->stmt, (int)column) == SQLITE_NULL;
}

static int64_t get_int(const kd_rows *base, size_t column)
{
    return sqlite3_column_int64(((const sqlite_rows *)base)->stmt, (int)column);
}

static double get_real(const kd_rows *base, size_t column)
{
    return sqlite3_column_double(((const sqlite_rows *)base)->stmt, (int)column);
}

static kd_str get_text(const kd_rows *base, size_t column)
{
    sqlite3_stmt *stmt = ((const sqlite_rows *)base)->stmt;
    const char *text = (const char *)sqlite3_column_text(stmt, (int)column);
    return (kd_str){ text, text ? (size_t)sqlite3_column_bytes(stmt, (int)column) : 0 };
}

static void close_rows(kd_rows *base)
{
    sqlite_rows *rows = (sqlite_rows *)base;
    release(rows->stmt, rows->cached);
    free(rows);
}

/* ---- transactions ---- */

static kd_status begin(kd_store *store, kd_error *err)
{
    return script(store, "begin immediate", err);
}

static kd_status commit(kd_store *store, kd_error *err)
{
    return script(store, "commit", err);
}

static void rollback(kd_store *store)
{
    sqlite_store *s = (sqlite_store *)store;
    if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "rollback", NULL, NULL, NULL);
}

/* ---- bulk ---- */

static kd_status bulk_begin(kd_store *store, const char *table, const char *const *columns, size_t count,
                            kd_bulk **out_bulk, kd_error *err)
{
    kd_buf sql;
    kd_buf_init(&sql, 1 << 16);
    kd_buf_fmt(&sql, "insert into %s (", table);
    for (size_t i = 0; i < count; i++) kd_buf_fmt(&sql, "%s%s", i ? ", " : "", columns[i]);
    kd_buf_cstr(&sql, ") values (");
    for (size_t i = 0; i < count; i++) kd_buf_cstr(&sql, i ? ", ?" : "?");
    kd_buf_cstr(&sql, ")");
    kd_buf_char(&sql, '\0');
    sqlite_bulk *bulk = sql.status == KD_OK ? calloc(1, sizeof *bulk) : NULL;
    kd_status status = bulk ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to load %s", table);
    if (bulk) bulk->bulk = (kd_bulk){ store, count };
    if (bulk) status = prepare_new((sqlite_store *)store, sql.ptr, &bulk->stmt, err);
    kd_buf_done(&sql);
    if (status != KD_OK) {
        free(bulk);
        return status;
    }
    *out_bulk = &bulk->bulk;
    return KD_OK;
}

static kd_status bulk_row(kd_bulk *base, const kd_value *values, kd_error *err)
{
    sqlite_bulk *bulk = (sqlite_bulk *)base;
    sqlite_store *s = (sqlite_store *)base->store;
    for (size_t i = 0; i < base->columns; i++) {
        if (holds_nul(&values[i])) return kd_fail(err, KD_INVALID, "", "a text holds a NUL character");
        if (bind_one(bulk->stmt, (int)i + 1, &values[i]) != SQLITE_OK) return fail(s, err);
    }
    int code = sqlite3_step(bulk->stmt);
    sqlite3_reset(bulk->stmt);
    return code == SQLITE_DONE ? KD_OK : fail(s, err);
}

static void bulk_cancel(kd_bulk *base)
{
    sqlite3_finalize(((sqlite_bulk *)base)->stmt);
    free(base);
}

static kd_status bulk_finish(kd_bulk *base, kd_error *err)
{
    (void)err;
    bulk_cancel(base);
    return KD_OK;
}

/* ---- opening ---- */

/*
 * WAL lets readers work beside the one writer and survives kill -9; FULL also survives a power cut. Checkpoints are rare
 * because a batch is one transaction and would otherwise be copied piecemeal while it grows.
 */
static const char SETTINGS[] = "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536; "
                               "pragma foreign_keys = on; "
                               "pragma wal_autocheckpoint = 8192; pragma journal_size_limit = 67108864";

static kd_status set_up(sqlite_store *s, bool is_new, bool is_reader, kd_error *err)
{
    sqlite3_extended_result_codes(s->db, 0);
    sqlite3_busy_timeout(s->db, KD_STORE_BUSY_MS);
    if (is_new) KD_TRY(script(&s->store, "pragma page_size = 16384", err));
    KD_TRY(script(&s->store, SETTINGS, err));
    return is_reader ? script(&s->store, "pragma query_only = on", err) : KD_OK;
}

static void close(kd_store *store)
{
    sqlite_store *s = (sqlite_store *)store;
    forget_statements(s);
    sqlite3_close(s->db);
    free(s);
}

kd_status kd_sqlite_open(const char *path, bool is_new, bool is_reader, kd_store **out_store, kd_error *err)
{
    if (!is_new && !kd_file_exists(path)) {
        kd_fail_at(err, KD_NOT_FOUND, path, 0, 0, "there is no such database");
        kd_hint(err, "make a register with `kindred init`, or restore a backup");
        return KD_NOT_FOUND;
    }
    sqlite_store *s = calloc(1, sizeof *s);
    char *url = strdup(path);
    if (!s || !url) {
        free(s);
        free(url);
        return kd_fail(err, KD_LIMIT, "", "no memory to open the database");
    }
    s->store = (kd_store){ &DRIVER, KD_STORE_SQLITE, url, false };
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_new ? SQLITE_OPEN_CREATE : 0);
    kd_status status = sqlite3_open_v2(path, &s->db, flags, NULL) == SQLITE_OK ? KD_OK : fail(s, err);
    if (status == KD_OK) status = set_up(s, is_new, is_reader, err);
    if (status != KD_OK) {
        kd_store_close(&s->store);
        return status;
    }
    *out_store = &s->store;
    return KD_OK;
}

kd_status kd_sqlite_copy(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    enum { PAGES_AT_ONCE = 4096 };
    sqlite_store *s = (sqlite_store *)store;
    sqlite3 *target;
    if (sqlite3_open_v2(path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
        kd_status status = kd_fail_at(err, KD_IO, path, 0, 0, "cannot write the copy: %s", sqlite3_errmsg(target));
        sqlite3_close(target);
        return status;
    }
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", s->db, "main");
    int code = backup ? SQLITE_OK : sqlite3_errcode(target);
    bool is_cancelled = false;
    while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        code = sqlite3_backup_step(backup, PAGES_AT_ONCE);
        int total = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
        kd_progress_report(progress, "backup", (uint64_t)(total - left), (uint64_t)total);
        if ((is_cancelled = kd_progress_cancelled(progress))) break;
    }
    kd_status status = KD_OK;
    sqlite3_backup_finish(backup);
    if (is_cancelled) status = kd_fail(err, KD_CANCELLED, "", "stopped");
    if (!is_cancelled && code != SQLITE_DONE) status = fail_as(err, code, code, sqlite3_errstr(code));
    /* the copy travels as one file */
    if (status == KD_OK && sqlite3_exec(target, "pragma journal_mode = delete", NULL, NULL, NULL) != SQLITE_OK)
        status = kd_fail_at(err, KD_IO, path, 0, 0, "cannot finish the copy: %s", sqlite3_errmsg(target));
    sqlite3_close(target);
    return status;
}

static const kd_store_driver DRIVER = { close,    exec,       script,   query,       next,       is_null,
                                        get_int,  get_real,   get_text, close_rows,  begin,      commit,
                                        rollback, bulk_begin, bulk_row, bulk_finish, bulk_cancel };
