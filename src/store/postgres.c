#include "postgres.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    kd_rows rows;
    PGresult *result; /* the row at hand; NULL before the first */
} pg_rows;

static const kd_store_driver DRIVER;

/* ---- failing ---- */

/* Source: PostgreSQL 15, appendix A, error codes. */
static kd_status fail_state(kd_error *err, const char *state, const char *message)
{
    bool is_class_23 = strncmp(state, "23", 2) == 0;
    if (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0)
        return kd_store_fail_busy(err);
    if (strcmp(state, "53100") == 0) return kd_store_fail_full(err, "the database server is out of disk");
    if (strncmp(state, "53", 2) == 0) {
        kd_fail(err, KD_LIMIT, "", "the database server is out of resources (%s)", state);
        kd_hint(err, "try again when fewer programs use it");
        return KD_LIMIT;
    }
    if (strncmp(state, "22", 2) == 0) /* the message quotes the value */
        return kd_fail(err, KD_INVALID, "", "a value does not fit its column (%s)", state);
    if (strcmp(state, "23502") == 0 || strcmp(state, "23514") == 0)
        return kd_fail(err, KD_INVALID, "", "the database refused a row: %s", message);
    if (is_class_23) return kd_fail(err, KD_CONFLICT, "", "the database refused a row: %s", message);
    if (strcmp(state, "25006") == 0) return kd_fail(err, KD_UNSUPPORTED, "", "this connection only reads");
    if (strcmp(state, "57014") == 0) return kd_fail(err, KD_CANCELLED, "", "stopped");
    if (strcmp(state, "08P01") == 0) return kd_fail(err, KD_INVALID, "", "the values do not match the statement");
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || state[0] == '\0') {
        kd_fail(err, KD_IO, "", "the connection to the database was lost");
        kd_hint(err, "is the server running? what was not committed is undone");
        return KD_IO;
    }
    if (strncmp(state, "58", 2) == 0 || strncmp(state, "XX", 2) == 0) {
        kd_fail(err, KD_IO, "", "the database server failed (%s)", state);
        kd_hint(err, "look into the server's log; if it tells of damage, restore the last backup into a new database");
        return KD_IO;
    }
    return kd_fail(err, KD_INVALID, "", "the database said: %s", message);
}

kd_status kd_pg_fail(PGresult *result, kd_error *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    kd_status status = fail_state(err, state ? state : "", message ? message : "");
    PQclear(result);
    return status;
}

/* ---- statements ---- */

enum { PARAMETER_BYTES_MAX = 256 << 20 };

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
            KD_TRY(kd_store_check_value(&values[i], err));
            text = kd_arena_str(p->arena, values[i].text);
            break;
        }
        if (!text.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the values of a statement");
        p->values[i] = text.ptr;
    }
    return KD_OK;
}

static kd_status script(kd_store *store, const char *sql, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)store;
    PGresult *result = PQexec(s->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return kd_pg_fail(result, err);
    PQclear(result);
    return KD_OK;
}

/* A slot for one more statement; when all are taken the oldest is forgotten, here and on the server. */
static kd_status take_slot(kd_pg_store *s, kd_pg_statement **out, kd_error *err)
{
    if (s->statement_count < KD_STORE_STATEMENTS_MAX) {
        *out = &s->statements[s->statement_count++];
        return KD_OK;
    }
    char sql[40];
    kd_pg_statement *victim = &s->statements[s->next_victim++ % KD_STORE_STATEMENTS_MAX];
    if (victim->sql) {
        snprintf(sql, sizeof sql, "deallocate %s", victim->name);
        KD_TRY(script(&s->store, sql, err));
    }
    free(victim->sql);
    *victim = (kd_pg_statement){ 0 };
    *out = victim;
    return KD_OK;
}

/* The prepared statement of a text. */
static kd_status prepare(kd_pg_store *s, const char *sql, kd_pg_statement **out, kd_error *err)
{
    uint64_t hash = kd_hash(sql, strlen(sql), 0);
    for (size_t i = 0; i < s->statement_count; i++) {
        kd_pg_statement *known = &s->statements[i];
        if (!known->sql || known->hash != hash || strcmp(known->sql, sql) != 0) continue;
        *out = known;
        return KD_OK;
    }
    kd_pg_statement fresh = { .hash = hash, .columns = -1 }, *slot;
    snprintf(fresh.name, sizeof fresh.name, "k%zu", ++s->names % 100000000);
    PGresult *result = PQprepare(s->conn, fresh.name, sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) return kd_pg_fail(result, err);
    PQclear(result);
    KD_TRY(take_slot(s, &slot, err));
    fresh.sql = strdup(sql);
    if (!fresh.sql) return kd_fail(err, KD_LIMIT, "", "no memory for a statement");
    *slot = fresh;
    *out = slot;
    return KD_OK;
}

static kd_status exec_prepared(kd_pg_store *s, kd_error *err, int64_t *out_changed, const char *sql,
                               const kd_value *values, size_t count, parameters *p)
{
    kd_pg_statement *used;
    KD_TRY(fill(p, values, count, err));
    KD_TRY(prepare(s, sql, &used, err));
    PGresult *result = PQexecPrepared(s->conn, used->name, (int)count, p->values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return kd_pg_fail(result, err);
    *out_changed = 0;
    if (!kd_str_int(kd_str_of(PQcmdTuples(result)), out_changed)) *out_changed = 0;
    PQclear(result);
    return KD_OK;
}

static kd_status exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                      size_t count)
{
    parameters p = { .arena = kd_arena_new(PARAMETER_BYTES_MAX) };
    if (!p.arena) return kd_fail(err, KD_LIMIT, "", "no memory for a statement");
    kd_status status = exec_prepared((kd_pg_store *)store, err, out_changed, sql, values, count, &p);
    kd_arena_free(p.arena);
    return status;
}

/* ---- rows, one at a time: a large result is never held whole ---- */

/* How many columns a statement returns, asked once: rows are counted before the first has come. */
static kd_status describe(kd_pg_store *s, kd_pg_statement *used, kd_error *err)
{
    if (used->columns >= 0) return KD_OK;
    PGresult *result = PQdescribePrepared(s->conn, used->name);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) return kd_pg_fail(result, err);
    used->columns = PQnfields(result);
    PQclear(result);
    return KD_OK;
}

static kd_status send(kd_pg_store *s, const char *sql, const kd_value *values, size_t count, parameters *p,
                      size_t *out_columns, kd_error *err)
{
    kd_pg_statement *used = NULL;
    KD_TRY(fill(p, values, count, err));
    KD_TRY(prepare(s, sql, &used, err));
    assert(used);
    KD_TRY(describe(s, used, err));
    if (!PQsendQueryPrepared(s->conn, used->name, (int)count, p->values, NULL, NULL, 0)) return kd_pg_fail(NULL, err);
    PQsetSingleRowMode(s->conn);
    *out_columns = (size_t)used->columns;
    return KD_OK;
}

static kd_status query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                       size_t count)
{
    kd_pg_store *s = (kd_pg_store *)store;
    parameters p = { .arena = kd_arena_new(PARAMETER_BYTES_MAX) };
    pg_rows *rows = calloc(1, sizeof *rows);
    size_t columns = 0;
    kd_status status = p.arena && rows ? send(s, sql, values, count, &p, &columns, err)
                                       : kd_fail(err, KD_LIMIT, "", "no memory for a query");
    kd_arena_free(p.arena);
    if (status != KD_OK) {
        free(rows);
        return status;
    }
    rows->rows = (kd_rows){ .store = store, .columns = columns };
    *out_rows = &rows->rows;
    return KD_OK;
}

static kd_status next(kd_rows *base, bool *out_has_row, kd_error *err)
{
    pg_rows *rows = (pg_rows *)base;
    PQclear(rows->result);
    rows->result = base->is_done ? NULL : PQgetResult(((kd_pg_store *)base->store)->conn);
    ExecStatusType status = PQresultStatus(rows->result);
    if (!base->is_done && status != PGRES_SINGLE_TUPLE) {
        PGresult *last = rows->result;
        rows->result = NULL;
        base->is_done = true;
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return kd_pg_fail(last, err);
        PQclear(last);
    }
    *out_has_row = !base->is_done;
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

/* Take what the server still sends, and end a load that was left open, so that the next command finds it idle. */
static void drain(kd_pg_store *s)
{
    for (PGresult *result; (result = PQgetResult(s->conn));) {
        bool is_loading = PQresultStatus(result) == PGRES_COPY_IN;
        PQclear(result);
        if (is_loading && PQputCopyEnd(s->conn, "stopped") != 1) break;
    }
}

/* The server is told to stop a long result that is not wanted, but not inside a transaction, which that would end. */
static void close_rows(kd_rows *base)
{
    pg_rows *rows = (pg_rows *)base;
    kd_pg_store *s = (kd_pg_store *)base->store;
    PQclear(rows->result);
    if (!base->is_done) {
        PGresult *result = PQgetResult(s->conn);
        bool has_more = PQresultStatus(result) == PGRES_SINGLE_TUPLE;
        PQclear(result);
        char reason[256];
        PGcancel *cancel = has_more && !s->store.is_in_transaction ? PQgetCancel(s->conn) : NULL;
        if (cancel) PQcancel(cancel, reason, sizeof reason);
        PQfreeCancel(cancel);
    }
    drain(s);
    free(rows);
}

/* ---- transactions ---- */

/* One writer at a time, as with SQLite: the second waits in the lock, and gives up after the busy time. */
static kd_status begin(kd_store *store, kd_error *err)
{
    static const char BEGIN[] = "begin; do $$ begin if to_regclass('schema_version') is not null then "
                                "lock table schema_version in exclusive mode; end if; end $$";
    kd_status status = script(store, BEGIN, err);
    if (status != KD_OK) PQclear(PQexec(((kd_pg_store *)store)->conn, "rollback"));
    return status;
}

static kd_status begin_beside(kd_store *store, int wait_ms, kd_error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "begin; set local lock_timeout = %d", wait_ms);
    kd_status status = script(store, sql, err);
    if (status != KD_OK) PQclear(PQexec(((kd_pg_store *)store)->conn, "rollback"));
    return status;
}

/* A commit of a failed transaction is answered with ROLLBACK and no error. */
static kd_status commit(kd_store *store, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)store;
    PGresult *result = PQexec(s->conn, "commit");
    if (PQresultStatus(result) != PGRES_COMMAND_OK) return kd_pg_fail(result, err);
    bool is_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return is_committed ? KD_OK : kd_fail(err, KD_INVALID, "", "the transaction had failed and was rolled back");
}

static void rollback(kd_store *store)
{
    kd_pg_store *s = (kd_pg_store *)store;
    drain(s);
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

static kd_status fail_address(kd_error *err)
{
    kd_fail(err, KD_INVALID, "db", "the address of the database cannot be read");
    kd_hint(err, "write postgresql://USER@HOST/DATABASE, other characters than letters and digits as %%XX");
    return KD_INVALID;
}

/* libpq's words on an address it cannot read quote parts of it, so it is parsed before; later ones name host and user. */
static kd_status connect(kd_pg_store *s, kd_error *err)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(s->store.url, &reason);
    PQfreemem(reason);
    PQconninfoFree(options);
    if (!options) return fail_address(err);
    s->conn = PQconnectdb(s->store.url);
    if (PQstatus(s->conn) == CONNECTION_OK) return KD_OK;
    char message[200];
    snprintf(message, sizeof message, "%s", s->conn ? PQerrorMessage(s->conn) : "no memory");
    message[strcspn(message, "\n")] = '\0';
    bool is_absent = strstr(message, "database \"") != NULL && strstr(message, "does not exist") != NULL;
    kd_fail(err, is_absent ? KD_NOT_FOUND : KD_IO, "", "cannot reach the database: %s", message);
    kd_hint(err, is_absent ? "make it with createdb, or check the address in kindred.yaml"
                           : "check the address in kindred.yaml and that the server is running");
    return is_absent ? KD_NOT_FOUND : KD_IO;
}

static kd_status set_up(kd_pg_store *s, kd_error *err)
{
    char settings[160];
    PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
    if (PQsetClientEncoding(s->conn, "UTF8") != 0)
        return kd_fail(err, KD_UNSUPPORTED, "", "the database does not speak UTF-8");
    if (PQserverVersion(s->conn) < 150000)
        return kd_fail(err, KD_UNSUPPORTED, "", "PostgreSQL 15 or later is needed, this is %d",
                       PQserverVersion(s->conn) / 10000);
    snprintf(settings, sizeof settings, "set lock_timeout = %d; set client_min_messages = warning%s", KD_STORE_BUSY_MS,
             s->store.is_reader ? "; begin isolation level repeatable read read only" : "");
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
    s->store = (kd_store){ .driver = &DRIVER, .kind = KD_STORE_POSTGRESQL, .url = copy, .is_reader = is_reader };
    kd_status status = connect(s, err);
    if (status == KD_OK) status = set_up(s, err);
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
                                        begin_beside,
                                        commit,
                                        rollback,
                                        kd_pg_bulk_begin,
                                        kd_pg_bulk_row,
                                        kd_pg_bulk_finish,
                                        kd_pg_bulk_cancel };
