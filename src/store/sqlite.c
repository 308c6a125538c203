#include "driver.h"
#include "turn.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `at` holds the place of $1, $2, … in the statement: SQLite counts names in the order in which they stand. */
typedef struct {
    sqlite3_stmt *stmt;
    size_t count;
    uint8_t at[KD_STORE_PARAMETERS_MAX];
    uint64_t hash;
    char *sql; /* NULL: not kept, finalised after use */
    bool is_busy;
} statement;

typedef struct {
    kd_store store;
    sqlite3 *db;
    kd_turn *turn; /* NULL: it writes nothing that others write */
    bool has_turn;
    statement statements[KD_STORE_STATEMENTS_MAX];
    size_t statement_count, next_victim;
} sqlite_store;

typedef struct {
    kd_rows rows;
    statement own; /* when the kept one is at work */
    statement *used;
} sqlite_rows;

typedef struct {
    kd_bulk bulk;
    sqlite3_stmt *stmt;
} sqlite_bulk;

static const kd_store_driver DRIVER;

/* ---- failing: SQLite's own words name tables and columns, never values ---- */

static kd_status fail_constraint(kd_error *err, int extended, const char *message)
{
    bool is_taken = extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
                    extended == SQLITE_CONSTRAINT_ROWID || extended == SQLITE_CONSTRAINT_FOREIGNKEY;
    return kd_fail(err, is_taken ? KD_CONFLICT : KD_INVALID, "", "the database refused a row: %s", message);
}

static kd_status fail_read_only(kd_error *err, bool is_reader)
{
    if (is_reader) return kd_fail(err, KD_UNSUPPORTED, "", "this connection only reads");
    kd_fail(err, KD_IO, "", "the database may not be written");
    kd_hint(err, "check who owns the file and its folder, and their permissions");
    return KD_IO;
}

static kd_status fail_io(kd_error *err, int extended, const char *message)
{
    bool is_writing = extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_FSYNC ||
                      extended == SQLITE_IOERR_TRUNCATE || extended == SQLITE_IOERR_SHMSIZE;
    kd_fail(err, KD_IO, "", "the database could not be read or written: %s", message);
    kd_hint(err, is_writing ? "is the disk full? free space and run the command again; nothing was changed"
                            : "look at the disk and at the permissions of the folder; nothing was changed");
    return KD_IO;
}

static kd_status fail_as(kd_error *err, int extended, const char *message, bool is_reader)
{
    switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return kd_store_fail_busy(err);
    case SQLITE_FULL: return kd_store_fail_full(err, "the disk is full");
    case SQLITE_CONSTRAINT: return fail_constraint(err, extended, message);
    case SQLITE_READONLY: return fail_read_only(err, is_reader);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_IOERR: return fail_io(err, extended, message);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        kd_fail(err, KD_INVALID, "", "the database is damaged or no SQLite database: %s", message);
        kd_hint(err, "restore the last backup into a new register: kindred restore");
        return KD_INVALID;
    case SQLITE_NOMEM: return kd_fail(err, KD_LIMIT, "", "no memory for the database");
    case SQLITE_TOOBIG: return kd_fail(err, KD_LIMIT, "", "a value is too long for the database");
    default: return kd_fail(err, KD_INVALID, "", "the database said: %s", message);
    }
}

static kd_status fail(const sqlite_store *s, kd_error *err)
{
    return fail_as(err, sqlite3_extended_errcode(s->db), sqlite3_errmsg(s->db), s->store.is_reader);
}

/* ---- statements ---- */

static void forget(statement *used)
{
    sqlite3_finalize(used->stmt);
    free(used->sql);
    *used = (statement){ 0 };
}

static kd_status prepare_new(const sqlite_store *s, const char *sql, sqlite3_stmt **out, kd_error *err)
{
    const char *rest;
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, &rest) != SQLITE_OK) return fail(s, err);
    if (*out && rest[strspn(rest, "; \t\r\n")] == '\0') return KD_OK;
    sqlite3_finalize(*out);
    return kd_fail(err, KD_INVALID, "", "one statement at a time, and not none");
}

static kd_status map_parameters(statement *fresh, kd_error *err)
{
    int count = sqlite3_bind_parameter_count(fresh->stmt);
    if (count > KD_STORE_PARAMETERS_MAX) return kd_fail(err, KD_LIMIT, "", "a statement has too many parameters");
    fresh->count = (size_t)count;
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(fresh->stmt, i);
        int64_t number;
        if (!name || name[0] != '$' || !kd_str_int(kd_str_of(name + 1), &number) || number < 1 || number > count)
            return kd_fail(err, KD_INVALID, "", "parameters are $1, $2 … without a gap");
        fresh->at[number - 1] = (uint8_t)i;
    }
    return KD_OK;
}

/* A slot of the cache to fill: a free one, else the next in turn that is not at work, else NULL. */
static statement *take_slot(sqlite_store *s)
{
    if (s->statement_count < KD_STORE_STATEMENTS_MAX) return &s->statements[s->statement_count++];
    for (size_t tries = 0; tries < KD_STORE_STATEMENTS_MAX; tries++) {
        statement *victim = &s->statements[s->next_victim++ % KD_STORE_STATEMENTS_MAX];
        if (victim->is_busy) continue;
        forget(victim);
        return victim;
    }
    return NULL;
}

/* The prepared statement of a text: the kept one, else `own`. */
static kd_status prepare(sqlite_store *s, const char *sql, statement *own, statement **out, kd_error *err)
{
    uint64_t hash = kd_hash(sql, strlen(sql), 0);
    bool is_kept = false;
    for (size_t i = 0; i < s->statement_count; i++) {
        statement *known = &s->statements[i];
        if (!known->sql || known->hash != hash || strcmp(known->sql, sql) != 0) continue;
        is_kept = true;
        if (known->is_busy) break;
        known->is_busy = true;
        *out = known;
        return KD_OK;
    }
    *own = (statement){ .hash = hash, .is_busy = true };
    KD_TRY(prepare_new(s, sql, &own->stmt, err));
    kd_status status = map_parameters(own, err);
    if (status != KD_OK) {
        forget(own);
        return status;
    }
    own->sql = is_kept ? NULL : strdup(sql);
    statement *slot = own->sql ? take_slot(s) : NULL;
    if (slot) *slot = *own;
    *out = slot ? slot : own;
    return KD_OK;
}

static void release(statement *used, const statement *own)
{
    if (used == own) {
        forget(used);
        return;
    }
    sqlite3_reset(used->stmt);
    sqlite3_clear_bindings(used->stmt);
    used->is_busy = false;
}

static int bind_one(sqlite3_stmt *stmt, int at, const kd_value *value, sqlite3_destructor_type keep)
{
    switch (value->kind) {
    case KD_VALUE_INT: return sqlite3_bind_int64(stmt, at, value->i);
    case KD_VALUE_REAL: return sqlite3_bind_double(stmt, at, value->real);
    case KD_VALUE_TEXT:
        if (value->text.len > INT32_MAX) return SQLITE_TOOBIG;
        return sqlite3_bind_text(stmt, at, value->text.ptr, (int)value->text.len, keep);
    case KD_VALUE_NULL: break;
    }
    return sqlite3_bind_null(stmt, at);
}

static kd_status bind(const statement *used, const kd_value *values, size_t count, sqlite3_destructor_type keep,
                      kd_error *err)
{
    if (count != used->count)
        return kd_fail(err, KD_INVALID, "", "the statement has %zu parameters and got %zu values", used->count, count);
    for (size_t i = 0; i < count; i++) {
        KD_TRY(kd_store_check_value(&values[i], err));
        int code = bind_one(used->stmt, used->at[i], &values[i], keep);
        if (code != SQLITE_OK) return fail_as(err, code, sqlite3_errstr(code), false);
    }
    return KD_OK;
}

/* SQLite undoes the whole transaction on some failures; what follows must not be written on its own. */
static kd_status check_still_open(const sqlite_store *s, kd_error *err)
{
    if (!s->store.is_in_transaction || !sqlite3_get_autocommit(s->db)) return KD_OK;
    return kd_fail(err, KD_INVALID, "", "the transaction had failed and was rolled back");
}

static kd_status exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                      size_t count)
{
    sqlite_store *s = (sqlite_store *)store;
    statement own, *used;
    KD_TRY(check_still_open(s, err));
    KD_TRY(prepare(s, sql, &own, &used, err));
    kd_status status = bind(used, values, count, SQLITE_STATIC, err);
    sqlite3_int64 before = sqlite3_total_changes64(s->db);
    int code = SQLITE_ROW;
    while (status == KD_OK && code == SQLITE_ROW) code = sqlite3_step(used->stmt);
    if (status == KD_OK && code != SQLITE_DONE) status = fail(s, err);
    if (status == KD_OK) *out_changed = sqlite3_total_changes64(s->db) - before;
    release(used, &own);
    return status;
}

static kd_status script(kd_store *store, const char *sql, kd_error *err)
{
    sqlite_store *s = (sqlite_store *)store;
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? KD_OK : fail(s, err);
}

/* ---- rows ---- */

/* The values are copied: they are borrowed for this call, and rows are read after it. */
static kd_status query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                       size_t count)
{
    sqlite_store *s = (sqlite_store *)store;
    KD_TRY(check_still_open(s, err));
    sqlite_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return kd_fail(err, KD_LIMIT, "", "no memory for a query");
    kd_status status = prepare(s, sql, &rows->own, &rows->used, err);
    if (status == KD_OK) {
        status = bind(rows->used, values, count, SQLITE_TRANSIENT, err);
        if (status != KD_OK) release(rows->used, &rows->own);
    }
    if (status != KD_OK) {
        free(rows);
        return status;
    }
    rows->rows = (kd_rows){ store, (size_t)sqlite3_column_count(rows->used->stmt) };
    *out_rows = &rows->rows;
    return KD_OK;
}

static kd_status next(kd_rows *base, bool *out_has_row, kd_error *err)
{
    sqlite_rows *rows = (sqlite_rows *)base;
    if (base->is_done) {
        *out_has_row = false;
        return KD_OK;
    }
    int code = sqlite3_step(rows->used->stmt);
    if (code != SQLITE_ROW) base->is_done = true;
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail((sqlite_store *)base->store, err);
    *out_has_row = code == SQLITE_ROW;
    return KD_OK;
}

static bool is_null(const kd_rows *base, size_t column)
{
    return sqlite3_column_type(((const sqlite_rows *)base)->used->stmt, (int)column) == SQLITE_NULL;
}

static int64_t get_int(const kd_rows *base, size_t column)
{
    return sqlite3_column_int64(((const sqlite_rows *)base)->used->stmt, (int)column);
}

static double get_real(const kd_rows *base, size_t column)
{
    return sqlite3_column_double(((const sqlite_rows *)base)->used->stmt, (int)column);
}

static kd_str get_text(const kd_rows *base, size_t column)
{
    sqlite3_stmt *stmt = ((const sqlite_rows *)base)->used->stmt;
    const char *text = (const char *)sqlite3_column_text(stmt, (int)column);
    return (kd_str){ text, text ? (size_t)sqlite3_column_bytes(stmt, (int)column) : 0 };
}

static void close_rows(kd_rows *base)
{
    sqlite_rows *rows = (sqlite_rows *)base;
    release(rows->used, &rows->own);
    free(rows);
}

/* ---- transactions ---- */

static void give_turn(sqlite_store *s)
{
    if (s->has_turn) kd_turn_give(s->turn);
    s->has_turn = false;
}

/* First for the threads of this process, then with what is left of the time for other processes. */
static kd_status begin_within(sqlite_store *s, int wait_ms, kd_error *err)
{
    double since = kd_seconds();
    if (s->turn && !(s->has_turn = kd_turn_take(s->turn, wait_ms))) return kd_store_fail_busy(err);
    int left_ms = wait_ms - (int)(1000 * (kd_seconds() - since));
    sqlite3_busy_timeout(s->db, left_ms > 1 ? left_ms : 1);
    kd_status status = script(&s->store, "begin immediate", err);
    sqlite3_busy_timeout(s->db, KD_STORE_BUSY_MS);
    if (status != KD_OK) give_turn(s);
    return status;
}

static kd_status begin(kd_store *store, kd_error *err)
{
    return begin_within((sqlite_store *)store, KD_STORE_BUSY_MS, err);
}

static kd_status begin_beside(kd_store *store, int wait_ms, kd_error *err)
{
    return begin_within((sqlite_store *)store, wait_ms, err);
}

/* A commit that fails is rolled back by the one who asked for it: the turn ends there. */
static kd_status commit(kd_store *store, kd_error *err)
{
    sqlite_store *s = (sqlite_store *)store;
    KD_TRY(check_still_open(s, err));
    KD_TRY(script(store, "commit", err));
    give_turn(s);
    return KD_OK;
}

static void rollback(kd_store *store)
{
    sqlite_store *s = (sqlite_store *)store;
    if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "rollback", NULL, NULL, NULL);
    give_turn(s);
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
    KD_TRY(check_still_open(s, err));
    for (size_t i = 0; i < base->columns; i++) {
        KD_TRY(kd_store_check_value(&values[i], err));
        int code = bind_one(bulk->stmt, (int)i + 1, &values[i], SQLITE_STATIC);
        if (code != SQLITE_OK) return fail_as(err, code, sqlite3_errstr(code), false);
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
 * WAL lets readers work beside the one writer and survives kill -9; FULL also survives a power cut. A rollback journal
 * loads no faster and would shut readers out. No memory mapping: it reads no faster here, and a failing disk would be a
 * signal instead of an error. Sorting spills to files, so that an index over 30 million rows does not live in memory.
 */
static const char SETTINGS[] = "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -131072; "
                               "pragma foreign_keys = on; pragma wal_autocheckpoint = 8192; "
                               "pragma journal_size_limit = 67108864; pragma threads = 2";
/* A file being made, which is thrown away on failure and synced by the one who makes it. */
static const char MAKING[] = "pragma journal_mode = delete; pragma journal_mode = off; pragma synchronous = off; "
                             "pragma cache_size = -65536; pragma threads = 2";
enum { PAGE_BYTES = 16384 };

static kd_status set_up(sqlite_store *s, kd_sqlite_use use, kd_error *err)
{
    sqlite3_busy_timeout(s->db, KD_STORE_BUSY_MS);
    if (use == KD_SQLITE_NEW || use == KD_SQLITE_MAKING) {
        char pragma[48];
        snprintf(pragma, sizeof pragma, "pragma page_size = %d", PAGE_BYTES);
        KD_TRY(script(&s->store, pragma, err));
    }
    /* reading the schema tells a file that is no database before anything is set */
    KD_TRY(script(&s->store, "select count(*) from sqlite_master", err));
    if (use == KD_SQLITE_FILE) return KD_OK;
    KD_TRY(script(&s->store, use == KD_SQLITE_MAKING ? MAKING : SETTINGS, err));
    return use == KD_SQLITE_READER ? script(&s->store, "pragma query_only = on; begin", err) : KD_OK;
}

static void close_store(kd_store *store)
{
    sqlite_store *s = (sqlite_store *)store;
    for (size_t i = 0; i < s->statement_count; i++) forget(&s->statements[i]);
    sqlite3_close_v2(s->db);
    give_turn(s);
    kd_turn_leave(s->turn);
    free(s);
}

/* The register is personal data: its file, and the files SQLite puts beside it, are their owner's alone. */
static kd_status make_file(const char *path, kd_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return kd_fail_errno(err, path, "create");
    close(fd);
    return KD_OK;
}

kd_status kd_sqlite_open(const char *path, kd_sqlite_use use, kd_store **out_store, kd_error *err)
{
    bool is_made = use == KD_SQLITE_NEW || use == KD_SQLITE_MAKING;
    if (is_made) KD_TRY(make_file(path, err));
    if (!kd_file_exists(path)) {
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
    s->store = (kd_store){ .driver = &DRIVER, .kind = KD_STORE_SQLITE, .url = url };
    s->store.is_reader = use == KD_SQLITE_READER || use == KD_SQLITE_FILE;
    int flags = SQLITE_OPEN_NOMUTEX | (use == KD_SQLITE_FILE ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    kd_status status = sqlite3_open_v2(path, &s->db, flags, NULL) == SQLITE_OK ? KD_OK : fail(s, err);
    if (status == KD_OK) status = set_up(s, use, err);
    bool has_line = use == KD_SQLITE_WRITER || use == KD_SQLITE_NEW;
    if (status == KD_OK && has_line && !(s->turn = kd_turn_join(path)))
        status = kd_fail(err, KD_LIMIT, "", "no memory to open the database");
    if (status != KD_OK) {
        kd_store_close(&s->store);
        return status;
    }
    *out_store = &s->store;
    return KD_OK;
}

/* ---- copying ---- */

static kd_status copy_pages(sqlite_store *s, sqlite_store *target, const kd_progress *progress, kd_error *err)
{
    enum { PAGES_AT_ONCE = 1024 };
    sqlite3_backup *backup = sqlite3_backup_init(target->db, "main", s->db, "main");
    if (!backup) return fail(target, err);
    int code = SQLITE_OK;
    bool is_cancelled = false;
    while (code == SQLITE_OK && !is_cancelled) {
        code = sqlite3_backup_step(backup, PAGES_AT_ONCE);
        int total = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
        kd_progress_report(progress, "backup", (uint64_t)(total - left), (uint64_t)total);
        is_cancelled = code == SQLITE_OK && kd_progress_cancelled(progress);
    }
    sqlite3_backup_finish(backup);
    if (is_cancelled) return kd_fail(err, KD_CANCELLED, "", "stopped");
    return code == SQLITE_DONE ? KD_OK : fail_as(err, code, sqlite3_errstr(code), false);
}

/* The source is held in one read transaction: without it every write of another program would start the copy again. */
kd_status kd_sqlite_copy(kd_store *store, const char *path, const kd_progress *progress, kd_error *err)
{
    kd_store *target;
    KD_TRY(kd_sqlite_open(path, KD_SQLITE_MAKING, &target, err));
    kd_status status = script(store, "begin; select count(*) from sqlite_master", err);
    if (status == KD_OK) status = copy_pages((sqlite_store *)store, (sqlite_store *)target, progress, err);
    rollback(store);
    kd_store_close(target);
    return status;
}

static const kd_store_driver DRIVER = { close_store, exec,     script,     query,      next,        is_null,
                                        get_int,     get_real, get_text,   close_rows, begin,       begin_beside,
                                        commit,      rollback, bulk_begin, bulk_row,   bulk_finish, bulk_cancel };
