/* Bulk load by COPY in its text format: values separated by tabs, \N for null. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_BYTES = 1 << 18, LINE_BYTES_MAX = 1 << 28 };

typedef struct {
    kd_bulk bulk;
    kd_buf lines;
} pg_bulk;

kd_status kd_pg_bulk_begin(kd_store *store, const char *table, const char *const *columns, size_t count,
                           kd_bulk **out_bulk, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)store;
    kd_buf sql;
    kd_buf_init(&sql, 1 << 16);
    kd_buf_fmt(&sql, "copy %s (", table);
    for (size_t i = 0; i < count; i++) kd_buf_fmt(&sql, "%s%s", i ? ", " : "", columns[i]);
    kd_buf_cstr(&sql, ") from stdin");
    kd_buf_char(&sql, '\0');
    pg_bulk *bulk = sql.status == KD_OK ? calloc(1, sizeof *bulk) : NULL;
    PGresult *result = bulk ? PQexec(s->conn, sql.ptr) : NULL;
    kd_buf_done(&sql);
    if (!bulk) return kd_fail(err, KD_LIMIT, "", "no memory to load %s", table);
    if (PQresultStatus(result) != PGRES_COPY_IN) {
        free(bulk);
        return kd_pg_fail(result, err);
    }
    PQclear(result);
    bulk->bulk = (kd_bulk){ store, count };
    kd_buf_init(&bulk->lines, LINE_BYTES_MAX);
    *out_bulk = &bulk->bulk;
    return KD_OK;
}

static void add_text(kd_buf *out, kd_str text)
{
    char *room = kd_buf_room(out, text.len * 2);
    if (!room) return;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        char escaped = c == '\\' ? '\\' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : '\0';
        if (escaped) room[n++] = '\\';
        room[n++] = escaped ? escaped : c;
    }
    out->len += n;
}

static kd_status flush(pg_bulk *bulk, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)bulk->bulk.store;
    if (bulk->lines.status != KD_OK) return kd_fail(err, KD_LIMIT, "", "a row is too long for the database");
    if (bulk->lines.len && PQputCopyData(s->conn, bulk->lines.ptr, (int)bulk->lines.len) != 1) {
        PGresult *result = PQgetResult(s->conn);
        return kd_pg_fail(result, err);
    }
    kd_buf_clear(&bulk->lines);
    return KD_OK;
}

kd_status kd_pg_bulk_row(kd_bulk *base, const kd_value *values, kd_error *err)
{
    pg_bulk *bulk = (pg_bulk *)base;
    kd_buf *out = &bulk->lines;
    for (size_t i = 0; i < base->columns; i++) {
        if (i) kd_buf_char(out, '\t');
        switch (values[i].kind) {
        case KD_VALUE_NULL: kd_buf_add(out, "\\N", 2); break;
        case KD_VALUE_INT: kd_buf_int(out, values[i].i); break;
        case KD_VALUE_REAL: kd_buf_fmt(out, "%.17g", values[i].real); break;
        case KD_VALUE_TEXT:
            KD_TRY(kd_store_check_value(&values[i], err));
            add_text(out, values[i].text);
            break;
        }
    }
    kd_buf_char(out, '\n');
    return out->len >= FLUSH_BYTES || out->status != KD_OK ? flush(bulk, err) : KD_OK;
}

static kd_status end(pg_bulk *bulk, const char *refusal, kd_error *err)
{
    kd_pg_store *s = (kd_pg_store *)bulk->bulk.store;
    kd_status status = KD_OK;
    if (PQputCopyEnd(s->conn, refusal) != 1) status = kd_pg_fail(NULL, err);
    for (PGresult *result; (result = PQgetResult(s->conn));) {
        if (status == KD_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
            status = kd_pg_fail(result, err);
        } else {
            PQclear(result);
        }
    }
    kd_buf_done(&bulk->lines);
    free(bulk);
    return status;
}

kd_status kd_pg_bulk_finish(kd_bulk *base, kd_error *err)
{
    pg_bulk *bulk = (pg_bulk *)base;
    kd_status status = flush(bulk, err);
    if (status == KD_OK) return end(bulk, NULL, err);
    kd_status ended = end(bulk, "stopped", NULL);
    (void)ended; /* the first failure is the one to tell */
    return status;
}

void kd_pg_bulk_cancel(kd_bulk *base)
{
    kd_status ended = end((pg_bulk *)base, "stopped", NULL);
    (void)ended;
}
