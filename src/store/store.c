#include "driver.h"

#include <stdlib.h>
#include <string.h>

kd_status kd_store_open(const char *url, bool is_new, kd_store **out_store, kd_error *err)
{
    if (strncmp(url, "sqlite:", 7) == 0)
        return kd_sqlite_open(url + 7, is_new ? KD_SQLITE_NEW : KD_SQLITE_WRITER, out_store, err);
    if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
        return kd_postgres_open(url, false, out_store, err);
    kd_fail(err, KD_INVALID, "db", "this is no address of a database");
    kd_hint(err, "write sqlite:FILE or postgresql://USER@HOST/DATABASE");
    return KD_INVALID;
}

kd_status kd_store_reader(const kd_store *store, kd_store **out_reader, kd_error *err)
{
    return store->kind == KD_STORE_SQLITE ? kd_sqlite_open(store->url, KD_SQLITE_READER, out_reader, err)
                                          : kd_postgres_open(store->url, true, out_reader, err);
}

void kd_store_close(kd_store *store)
{
    if (!store) return;
    kd_store_rollback(store);
    free(store->url);
    store->driver->close(store);
}

kd_store_kind kd_store_kind_of(const kd_store *store)
{
    return store->kind;
}

/* ---- failing alike on both databases ---- */

kd_status kd_store_check_value(const kd_value *value, kd_error *err)
{
    if (value->kind != KD_VALUE_TEXT || !value->text.len || !memchr(value->text.ptr, 0, value->text.len)) return KD_OK;
    return kd_fail(err, KD_INVALID, "", "a text holds a NUL character");
}

kd_status kd_store_fail_busy(kd_error *err)
{
    kd_fail(err, KD_CONFLICT, "", "another program is writing to this register");
    kd_hint(err, "wait until it is done and try again; nothing was changed");
    return KD_CONFLICT;
}

kd_status kd_store_fail_full(kd_error *err, const char *what)
{
    kd_fail(err, KD_IO, "", "%s", what);
    kd_hint(err, "the disk is full: free space and run the command again; nothing was changed");
    return KD_IO;
}

/* PostgreSQL ends a transaction at its first failure; SQLite is held to the same, so that no half is ever committed. */
static kd_status note(kd_store *store, kd_status status)
{
    if (status != KD_OK && store->is_in_transaction) store->has_failed = true;
    return status;
}

static kd_status check_free(const kd_store *store, kd_error *err)
{
    if (store->is_occupied)
        return kd_fail(err, KD_INVALID, "", "rows are still being read or loaded on this connection");
    if (store->has_failed) return kd_fail(err, KD_INVALID, "", "the transaction has failed and must be rolled back");
    return KD_OK;
}

/* ---- statements ---- */

kd_status kd_store_exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                        size_t value_count)
{
    int64_t changed = 0;
    KD_TRY(check_free(store, err));
    KD_TRY(note(store, store->driver->exec(store, err, &changed, sql, values, value_count)));
    if (out_changed) *out_changed = changed;
    return KD_OK;
}

kd_status kd_store_query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                         size_t value_count)
{
    KD_TRY(check_free(store, err));
    KD_TRY(note(store, store->driver->query(store, err, out_rows, sql, values, value_count)));
    store->is_occupied = true;
    return KD_OK;
}

kd_status kd_rows_next(kd_rows *rows, bool *out_has_row, kd_error *err)
{
    return note(rows->store, rows->store->driver->next(rows, out_has_row, err));
}

size_t kd_rows_columns(const kd_rows *rows)
{
    return rows->columns;
}

bool kd_rows_is_null(const kd_rows *rows, size_t column)
{
    return rows->store->driver->is_null(rows, column);
}

int64_t kd_rows_int(const kd_rows *rows, size_t column)
{
    return rows->store->driver->get_int(rows, column);
}

double kd_rows_real(const kd_rows *rows, size_t column)
{
    return rows->store->driver->get_real(rows, column);
}

kd_str kd_rows_text(const kd_rows *rows, size_t column)
{
    return rows->store->driver->get_text(rows, column);
}

int32_t kd_rows_day(const kd_rows *rows, size_t column)
{
    return kd_rows_is_null(rows, column) ? KD_DAY_NONE : (int32_t)kd_rows_int(rows, column);
}

void kd_rows_close(kd_rows *rows)
{
    if (!rows) return;
    rows->store->is_occupied = false;
    rows->store->driver->close_rows(rows);
}

kd_status kd_store_int(kd_store *store, kd_error *err, int64_t *out_value, const char *sql, const kd_value *values,
                       size_t value_count)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t value = 0;
    KD_TRY(kd_store_query(store, err, &rows, sql, values, value_count));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) value = kd_rows_int(rows, 0);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "nothing of that kind is there");
    *out_value = value;
    return KD_OK;
}

kd_status kd_store_begin(kd_store *store, kd_error *err)
{
    if (store->is_in_transaction) return kd_fail(err, KD_INVALID, "", "a transaction is open already");
    KD_TRY(check_free(store, err));
    KD_TRY(store->driver->begin(store, err));
    store->is_in_transaction = true;
    return KD_OK;
}

kd_status kd_store_begin_beside(kd_store *store, int wait_ms, kd_error *err)
{
    if (store->is_in_transaction) return kd_fail(err, KD_INVALID, "", "a transaction is open already");
    KD_TRY(check_free(store, err));
    KD_TRY(store->driver->begin_beside(store, wait_ms, err));
    store->is_in_transaction = true;
    return KD_OK;
}

kd_status kd_store_commit(kd_store *store, kd_error *err)
{
    kd_status status = check_free(store, err);
    if (status == KD_OK && !store->is_in_transaction)
        status = kd_fail(err, KD_INVALID, "", "there is no transaction to commit");
    if (status == KD_OK) status = store->driver->commit(store, err);
    if (status == KD_OK) {
        store->is_in_transaction = false;
    } else {
        kd_store_rollback(store);
    }
    return status;
}

void kd_store_rollback(kd_store *store)
{
    if (!store->is_in_transaction) return;
    store->driver->rollback(store);
    store->is_in_transaction = false;
    store->has_failed = false;
}

kd_status kd_store_end(kd_store *store, kd_status status, kd_error *err)
{
    if (status == KD_OK) return kd_store_commit(store, err);
    kd_store_rollback(store);
    return status;
}

bool kd_store_is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return len > 0 && len < 64 && name[len] == '\0';
}

kd_status kd_bulk_begin(kd_store *store, const char *table, const char *const *columns, size_t column_count,
                        kd_bulk **out_bulk, kd_error *err)
{
    bool is_fine = kd_store_is_name(table) && column_count > 0 && column_count <= KD_STORE_PARAMETERS_MAX;
    for (size_t i = 0; i < column_count && is_fine; i++) is_fine = kd_store_is_name(columns[i]);
    if (!is_fine) return kd_fail(err, KD_INVALID, "", "this cannot be loaded: %s", table);
    if (!store->is_in_transaction) return kd_fail(err, KD_INVALID, "", "loading %s needs a transaction", table);
    KD_TRY(check_free(store, err));
    KD_TRY(note(store, store->driver->bulk_begin(store, table, columns, column_count, out_bulk, err)));
    store->is_occupied = true;
    return KD_OK;
}

kd_status kd_bulk_row(kd_bulk *bulk, const kd_value *values, kd_error *err)
{
    return note(bulk->store, bulk->store->driver->bulk_row(bulk, values, err));
}

kd_status kd_bulk_finish(kd_bulk *bulk, kd_error *err)
{
    kd_store *store = bulk->store;
    store->is_occupied = false;
    return note(store, store->driver->bulk_finish(bulk, err));
}

void kd_bulk_cancel(kd_bulk *bulk)
{
    if (!bulk) return;
    kd_store *store = bulk->store;
    store->is_occupied = false;
    store->driver->bulk_cancel(bulk);
    (void)note(store, KD_CANCELLED); /* what was loaded so far is not all */
}
