#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    kd_rows rows;
    PGresult *result; /* the row at hand; NULL before the first */
    bool is_done;
} pg_rows;

static const kd_store_driver DRIVER;

/* ---- failing ---- */

static kd_status fail_state(kd_error *err, const char *state, const char *message)
{
    if (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0) {
        kd_fail(err, KD_CONFLICT, "", "another program is writing to this register");
        kd_hint(err, "wait until it is done and try again; nothing was changed");
        return KD_CONFLICT;
    }
    if (strncmp(state, "53", 2) == 0) {
        bool is_disk = strcmp(state, "53100") == 0;
        kd_fail(err, is_disk ? KD_IO : KD_LIMIT, "", "the database server is out of %s",
                is_disk ? "disk" : "resources");
        kd_hint(err, is_disk ? "free space and run the command again; nothing was changed" : "try again later");
        return is_disk ? KD_IO : KD_LIMIT;
    }
    if (strncmp(state, "23", 2) == 0) return kd_fail(err, KD_CONFLICT, "", "the database refused a row: %s", message);
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || state[0] == '\0') {
        kd_fail(err, KD_IO, "", "the connection to the database was lost");
        kd_hint(err, "is the server running? nothing was changed");
        return KD_IO;
    }
    return kd_fail(err, KD_INVALID, "", "the database said: %s", message);
}

kd_status kd_pg_fail(const kd_pg_store *s, PGresult *result, kd_error *err)
{
    (void)s;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    kd_status status = fail_state(err, state ? state : "", message ? message : "");
    PQclear(result);
    return status;
}

/* ---- statements ---- */

typedef struct {
    const char *values[KD_STORE_PARAMETERS_MAX];
    kd_arena *arena;
} parameters;

/* Parameters as text; their types are the server's to infer. */
static kd_status fill(parameters *p, const kd_value *values, size_t count, kd_error *err)
{
    if (count > KD_STORE_PARAMETERS_MAX) return kd_fail(err, KD_LIMIT, "", "a statement has too many parameters");
    for (size_t i = 0; i < count; i++) {
        kd_str text = { NULL, 0 };
        switch (values[i].kind) {
        case KD_VALUE_NULL: p->values[i] = NULL; continue;
        case KD_VALUE_INT: text = kd_arena_fmt(p->arena, "%lld", (long long)values[i].i); break;
        case KD_VALUE_REAL: text = kd_arena_fmt(p->arena, "%.17g", values[i].real); break;
        case KD_VALUE_TEXT:
            if (values[i].text.len && memchr(values[i].text.ptr, 0, values[i].text.len))
                return kd_fail(err, KD_INVALID, "", "a text holds a NUL character");
            text = kd_arena_str(p->arena, values[i].text);
            break;
        }
        if (!text.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the values of a statement");
        p->values[i] = text.ptr;
    }
    return KD_OK;
}

/* Name of the prepared statement of a text. */
static kd_status prepare(kd_pg_store *s, const char *sql, const char **out_name, kd_error *err)
{
    uint64_t hash = kd_hash(sql, strlen(sql), 0);
    for (size_t i = 0; i < s->statement_count; i++) {
        if (s->statements[i].hash != hash || strcmp(s->statements[i].sql, sql) != 0) continue;
        *out_name = s->statements[i].name;
        return KD_OK;
    }
    if (s->statement_count == KD_STORE_STATEMENTS_MAX)
        return kd_fail(err, KD_LIMIT, "", "too many different statements");
    kd_pg_statement *fresh = &s->statements[s->statement_count];
    *fresh = (kd_pg_statement){ .hash = hash, .sql = strdup(sql) };
    if (!fresh->sql) return kd_fail(err, KD_LIMIT, "", "no memory for a statement");
    snprintf(fresh->name, sizeof fresh->name, "k%zu", ++s->names % 100000000);
    PGresult *result = PQprepare(s->conn, fresh->name, sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        free(fresh->sql);
        return kd_pg_fail(s, result, err);
    }
    PQclear(result);
    s->statement_count++;
    *out_name = fresh->name;
    return KD_OK;
}

static kd_status exec_prepared(kd_pg_store *s, kd_error *err, int64_t *out_changed, const char *sql,
                               const kd_value *values, size_t count, parameters *p)
{
    const char *name;
    KD_TRY(fill(p, values, count, err));
    KD_TRY(prepare(s, sql, &name, err));
    PGresult *result = PQexecPrepared(s->conn, name, (int)count, p->values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return kd_pg_fail(s, result, err);
    *out_changed = 0;
    if (!kd_str_int(kd_str_of(PQcmdTuples(result)), out_changed)) *out_changed = 0;
    PQclear(result);
    return KD_OK;
}

static kd_status exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                      size_t count)
{
    parameters p = { .arena = kd_arena_new(256 << 20) };
    if (!p.arena) return kd_fail(err, KD_LIMIT, "", "no memory for a statement");
    kd_status status = exec_prepared((kd_pg_store *)store, err, out_changed, sql, values, count, &p);
    kd_arena_free(p.arena);
    return status;
}

static kd_status script(kd_store *store, const char *sql, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)store;
    PGresult *result = PQexec(s->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return kd_pg_fail(s, result, err);
    PQclear(result);
    return KD_OK;
}

/* ---- rows, one at a time: a large result is never held whole ---- */

static kd_status send(kd_pg_store *s, const char *sql, const kd_value *values, size_t count, parameters *p,
                      kd_error *err)
{
    const char *name;
    KD_TRY(fill(p, values, count, err));
    KD_TRY(prepare(s, sql, &name, err));
    if (!PQsendQueryPrepared(s->conn, name, (int)count, p->values, NULL, NULL, 0)) return kd_pg_fail(s, NULL, err);
    PQsetSingleRowMode(s->conn);
    return KD_OK;
}

static kd_status query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                       size_t count)
{
    kd_pg_store *s = (kd_pg_store *)store;
    parameters p = { .arena = kd_arena_new(256 << 20) };
    pg_rows *rows = calloc(1, sizeof *rows);
    kd_status status =
        p.arena && rows ? send(s, sql, values, count, &p, err) : kd_fail(err, KD_LIMIT, "", "no memory for a query");
    kd_arena_free(p.arena);
    if (status != KD_OK) {
        free(rows);
        return status;
    }
    rows->rows.store = store;
    *out_rows = &rows->rows;
    return KD_OK;
}

static kd_status next(kd_rows *base, bool *out_has_row, kd_error *err)
{
    pg_rows *rows = (pg_rows *)base;
    kd_pg_store *s = (kd_pg_store *)base->store;
    PQclear(rows->result);
    rows->result = NULL;
    *out_has_row = false;
    if (rows->is_done) return KD_OK;
    rows->result = PQgetResult(s->conn);
    ExecStatusType status = PQresultStatus(rows->result);
    if (status == PGRES_SINGLE_TUPLE) {
        base->columns = (size_t)PQnfields(rows->result);
        *out_has_row = true;
        return KD_OK;
    }
    rows->is_done = true;
    PGresult *last = rows->result;
    rows->result = NULL;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return kd_pg_fail(s, last, err);
    PQclear(last);
    return KD_OK;
}

static bool is_null(const kd_rows *base, size_t column)
{
    return PQgetisnull(((const pg_rows *)base)->result, 0, (int)column) != 0;
}

static kd_str get_text(const kd_rows *base, size_t column)
{
    const PGresult *result = ((const pg_rows *)base)->result;
    if (PQgetisnull(result, 0, (int)column)) return (kd_str){ NULL, 0 };
    return (kd_str){ PQgetvalue(result, 0, (int)column), (size_t)PQgetlength(result, 0, (int)column) };
}

static int64_t get_int(const kd_rows *base, size_t column)
{
    int64_t value = 0;
    double real;
    kd_str text = get_text(base, column);
    if (text.len && !kd_str_int(text, &value) && kd_str_double(text, &real)) value = (int64_t)real;
    return value;
}

static double get_real(const kd_rows *base, size_t column)
{
    double value = 0;
    return kd_str_double(get_text(base, column), &value) ? value : 0;
}

static void close_rows(kd_rows *base)
{
    pg_rows *rows = (pg_rows *)base;
    kd_pg_store *s = (kd_pg_store *)base->store;
    PQclear(rows->result);
    if (!rows->is_done) { /* the rest is not wanted */
        char reason[256];
        PGcancel *cancel = PQgetCancel(s->conn);
        PGresult *result = PQgetResult(s->conn);
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE && cancel && !s->store.is_in_transaction)
            PQcancel(cancel, reason, sizeof reason);
        PQfreeCancel(cancel);
        for (; result; result = PQgetResult(s->conn)) PQclear(result);
    } else {
        for (PGresult *result; (result = PQgetResult(s->conn));) PQclear(result);
    }
    free(rows);
}

/* ---- transactions ---- */

/* One writer at a time, as with SQLite: the second waits in the lock, and gives up after the busy time. */
static kd_status begin(kd_store *store, kd_error *err)
{
    static const char LOCK[] = "do $$ begin if to_regclass('schema_version') is not null then "
                               "lock table schema_version in exclusive mode; end if; end $$";
    KD_TRY(script(store, "begin", err));
    kd_status status = script(store, LOCK, err);
    if (status != KD_OK) {
        PQclear(PQexec(((kd_pg_store *)store)->conn, "rollback"));
    }
    return status;
}

/* A commit of a failed transaction is answered with ROLLBACK and no error. */
static kd_status commit(kd_store *store, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)store;
    PGresult *result = PQexec(s->conn, "commit");
    if (PQresultStatus(result) != PGRES_COMMAND_OK) return kd_pg_fail(s, result, err);
    bool is_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return is_committed ? KD_OK : kd_fail(err, KD_INVALID, "", "the transaction had failed and was rolled back");
}

static void rollback(kd_store *store)
{
    kd_pg_store *s = (kd_pg_store *)store;
    for (PGresult *result; (result = PQgetResult(s->conn));) PQclear(result);
    PQclear(PQexec(s->conn, "rollback"));
}

/* ---- opening ---- */

static void close(kd_store *store)
{
    kd_pg_store *s = (kd_pg_store *)store;
    for (size_t i = 0; i < s->statement_count; i++) free(s->statements[i].sql);
    PQfinish(s->conn);
    free(s);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static kd_status connect(kd_pg_store *s, bool is_reader, kd_error *err)
{
    char settings[160];
    s->conn = PQconnectdb(s->store.url);
    if (PQstatus(s->conn) != CONNECTION_OK) {
        /* libpq's words name host, user and database; the password never */
        char message[200];
        snprintf(message, sizeof message, "%s", PQerrorMessage(s->conn));
        message[strcspn(message, "\n")] = '\0';
        bool is_absent = strstr(message, "does not exist") != NULL;
        kd_fail(err, is_absent ? KD_NOT_FOUND : KD_IO, "", "cannot reach the database: %s", message);
        kd_hint(err, "check the address in kindred.yaml and that the server is running");
        return is_absent ? KD_NOT_FOUND : KD_IO;
    }
    PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
    if (PQsetClientEncoding(s->conn, "UTF8") != 0)
        return kd_fail(err, KD_UNSUPPORTED, "", "the database does not speak UTF-8");
    if (PQserverVersion(s->conn) < 150000)
        return kd_fail(err, KD_UNSUPPORTED, "", "PostgreSQL 15 or later is needed, this is %d",
                       PQserverVersion(s->conn) / 10000);
    snprintf(settings, sizeof settings, "set lock_timeout = %d; set client_min_messages = warning%s", KD_STORE_BUSY_MS,
             is_reader ? "; set default_transaction_read_only = on" : "");
    return script(&s->store, settings, err);
}

kd_status kd_postgres_open(const char *url, bool is_reader, kd_store **out_store, kd_error *err)
{
    kd_pg_store *s = calloc(1, sizeof *s);
    char *copy = strdup(url);
    if (!s || !copy) {
        free(s);
        free(copy);
        return kd_fail(err, KD_LIMIT, "", "no memory to open the database");
    }
    s->store = (kd_store){ &DRIVER, KD_STORE_POSTGRESQL, copy, false };
    kd_status status = connect(s, is_reader, err);
    if (status != KD_OK) {
        kd_store_close(&s->store);
        return status;
    }
    *out_store = &s->store;
    return KD_OK;
}

static const kd_store_driver DRIVER = { close,
                                        exec,
                                        script,
                                        query,
                                        next,
                                        is_null,
                                        get_int,
                                        get_real,
                                        get_text,
                                        close_rows,
                                        begin,
                                        commit,
                                        rollback,
                                        kd_pg_bulk_begin,
                                        kd_pg_bulk_row,
                                        kd_pg_bulk_finish,
                                        kd_pg_bulk_cancel };
