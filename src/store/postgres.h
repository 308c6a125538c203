/**
 * @file postgres.h
 * What the two files of the PostgreSQL driver share.
 */
#ifndef KD_STORE_POSTGRES_H
#define KD_STORE_POSTGRES_H

#include "driver.h"

#include <libpq-fe.h>

typedef struct {
    uint64_t hash;
    char *sql;
    char name[16];
    int columns; /* -1: not asked yet */
} kd_pg_statement;

typedef struct {
    kd_store store;
    PGconn *conn;
    kd_pg_statement statements[KD_STORE_STATEMENTS_MAX];
    size_t statement_count;
    size_t names, next_victim; /* names ever given; slot to reuse when all are taken */
} kd_pg_store;

/** Words of the server where they hold no values, never its DETAIL. Clears `result`; NULL is a lost connection. */
kd_status kd_pg_fail(PGresult *result, kd_error *err);

kd_status kd_pg_bulk_begin(kd_store *store, const char *table, const char *const *columns, size_t count,
                           kd_bulk **out_bulk, kd_error *err);
kd_status kd_pg_bulk_row(kd_bulk *bulk, const kd_value *values, kd_error *err);
kd_status kd_pg_bulk_finish(kd_bulk *bulk, kd_error *err);
void kd_pg_bulk_cancel(kd_bulk *bulk);

#endif
