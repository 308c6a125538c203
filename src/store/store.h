/**
 * @file store.h
 * SQLite and PostgreSQL behind one small interface: statements with values bound, streaming rows, bulk load, transactions,
 * migrations, backup.
 *
 * SQL given here is the portable subset (docs/architecture.md): `$1`-style parameters, ON CONFLICT … DO UPDATE SET c=excluded.c,
 * RETURNING, no triggers, no sequences. A store is one connection and belongs to one thread at a time; open another with
 * kd_store_reader for parallel reading.
 *
 * Both databases answer alike. KD_CONFLICT: another writer, or a key that is taken. KD_IO: disk full, connection lost.
 * KD_INVALID: a damaged database, a wrong statement, a value that does not fit, a text holding a NUL. KD_UNSUPPORTED: a
 * write on a reader. KD_LIMIT: memory, length. No value stands in an error. The first failure inside a transaction is its
 * end: everything but kd_store_rollback (or kd_store_end) is refused from then on.
 */
#ifndef KD_STORE_H
#define KD_STORE_H

#include "base/base.h"

typedef struct kd_store kd_store;
typedef enum { KD_STORE_SQLITE, KD_STORE_POSTGRESQL } kd_store_kind;

/**
 * `url` is "sqlite:PATH" or "postgresql://…" (libpq's URL; `?options` may name a search_path). `is_new` makes the SQLite file.
 * Errors never hold the password. A new SQLite file is its owner's alone (mode 0600). KD_NOT_FOUND when there is no such
 * database, KD_INVALID when the file is no SQLite database or the address cannot be read. Whether it holds a register of
 * this version tells kd_store_check_version.
 */
KD_CHECKED kd_status kd_store_open(const char *url, bool is_new, kd_store **out_store, kd_error *err);
void kd_store_close(kd_store *store); /* an open transaction is rolled back; NULL does nothing */
kd_store_kind kd_store_kind_of(const kd_store *store);
/** A second connection that only reads: all its statements see what was committed when the first of them ran. Close it soon. */
KD_CHECKED kd_status kd_store_reader(const kd_store *store, kd_store **out_reader, kd_error *err);

/* ---- values ---- */

typedef enum { KD_VALUE_NULL, KD_VALUE_INT, KD_VALUE_REAL, KD_VALUE_TEXT } kd_value_kind;
typedef struct {
    kd_value_kind kind;
    union {
        int64_t i;
        double real;
        kd_str text; /* borrowed for the call */
    };
} kd_value;
#define KD_NULL ((kd_value){ .kind = KD_VALUE_NULL })
static inline kd_value kd_int(int64_t i)
{
    return (kd_value){ .kind = KD_VALUE_INT, .i = i };
}
static inline kd_value kd_real(double real)
{
    return (kd_value){ .kind = KD_VALUE_REAL, .real = real };
}
/** A NULL ptr binds NULL. */
static inline kd_value kd_text_value(kd_str text)
{
    return (kd_value){ .kind = text.ptr ? KD_VALUE_TEXT : KD_VALUE_NULL, .text = text };
}
static inline kd_value kd_day_value(int32_t day)
{
    return day == KD_DAY_NONE ? KD_NULL : kd_int(day);
}
/** `KD_VALUES(kd_int(1), kd_text_value(s))` as the last two arguments of a call. */
#define KD_VALUES(...) (const kd_value[]){ __VA_ARGS__ }, sizeof((const kd_value[]){ __VA_ARGS__ }) / sizeof(kd_value)
#define KD_NO_VALUES NULL, 0

/* ---- statements (prepared once per text and kept) ---- */

/** Run a statement that returns no rows. `out_changed` (may be NULL) is the number of rows changed. */
KD_CHECKED kd_status kd_store_exec(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql,
                                   const kd_value *values, size_t value_count);

typedef struct kd_rows kd_rows;
/** Rows come as a stream; no other statement may run on this store until kd_rows_close. */
KD_CHECKED kd_status kd_store_query(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql,
                                    const kd_value *values, size_t value_count);
/** Step to the next row; `*out_has_row` false at the end. */
KD_CHECKED kd_status kd_rows_next(kd_rows *rows, bool *out_has_row, kd_error *err);
size_t kd_rows_columns(const kd_rows *rows);
bool kd_rows_is_null(const kd_rows *rows, size_t column);
int64_t kd_rows_int(const kd_rows *rows, size_t column); /* 0 when null */
double kd_rows_real(const kd_rows *rows, size_t column);
kd_str kd_rows_text(const kd_rows *rows, size_t column); /* `{NULL, 0}` when null; valid until the next step */
int32_t kd_rows_day(const kd_rows *rows, size_t column); /* KD_DAY_NONE when null */
void kd_rows_close(kd_rows *rows);                       /* NULL does nothing */

/** First column of the first row; KD_NOT_FOUND when there is none, `otherwise` when it is null. */
KD_CHECKED kd_status kd_store_int(kd_store *store, kd_error *err, int64_t *out_value, const char *sql,
                                  const kd_value *values, size_t value_count);

/* ---- transactions ---- */

/** Begin a write transaction. Another writer: waits up to the store's busy time (30 s), then KD_CONFLICT. */
KD_CHECKED kd_status kd_store_begin(kd_store *store, kd_error *err);
/**
 * A short write transaction on tables that no import or link run writes (sessions, the audit log). On PostgreSQL it does not wait for
 * the register's writer; two such transactions meet in the rows they lock. On SQLite there is one writer. `wait_ms` at most, for the
 * writer or a row, then KD_CONFLICT.
 */
KD_CHECKED kd_status kd_store_begin_beside(kd_store *store, int wait_ms, kd_error *err);
KD_CHECKED kd_status kd_store_commit(kd_store *store, kd_error *err);
void kd_store_rollback(kd_store *store); /* does nothing when no transaction is open */
/** Commit when `status` is KD_OK, else roll back; returns the first failure. */
KD_CHECKED kd_status kd_store_end(kd_store *store, kd_status status, kd_error *err);

/* ---- bulk load ---- */

/** COPY on PostgreSQL, one prepared insert on SQLite. Needs an open transaction; nothing else may run until finished. */
typedef struct kd_bulk kd_bulk;
KD_CHECKED kd_status kd_bulk_begin(kd_store *store, const char *table, const char *const *columns, size_t column_count,
                                   kd_bulk **out_bulk, kd_error *err);
KD_CHECKED kd_status kd_bulk_row(kd_bulk *bulk, const kd_value *values, kd_error *err); /* column_count values */
/** Flush and free; on failure the caller rolls back. `kd_bulk_cancel` frees without flushing. */
KD_CHECKED kd_status kd_bulk_finish(kd_bulk *bulk, kd_error *err);
void kd_bulk_cancel(kd_bulk *bulk);

/* ---- schema ---- */

/** The version this program writes. */
int kd_store_schema_version(void);
/** 0: an empty database. */
KD_CHECKED kd_status kd_store_version(kd_store *store, int *out_version, kd_error *err);
/**
 * Bring the schema up to kd_store_schema_version(), each step in a transaction of its own. A database of a newer version is
 * KD_UNSUPPORTED and says which program it needs. Every other call on a store of the wrong version is refused by
 * kd_store_check_version.
 */
KD_CHECKED kd_status kd_store_migrate(kd_store *store, kd_error *err);
KD_CHECKED kd_status kd_store_check_version(kd_store *store, kd_error *err);
/** Drop and make secondary indexes of a table around a bulk load of a size comparable to the table. Names from the migrations. */
KD_CHECKED kd_status kd_store_drop_indexes(kd_store *store, const char *table, kd_error *err);
KD_CHECKED kd_status kd_store_make_indexes(kd_store *store, const char *table, kd_error *err);
/** After an empty table was filled: PostgreSQL would plan as for an empty one until it looks by itself. */
KD_CHECKED kd_status kd_store_refresh_statistics(kd_store *store, const char *table, kd_error *err);
/** Compare the catalogue with the shard map (src/store/shard_map.csv): every table listed, shard column in every key. */
KD_CHECKED kd_status kd_store_check_shards(kd_store *store, kd_error *err);

/* ---- backup ---- */

/** A consistent copy of the whole database while others work: SQLite's online backup, or every table by COPY, in one snapshot. */
KD_CHECKED kd_status kd_store_backup(kd_store *store, const char *path, const kd_progress *progress, kd_error *err);
/** Into an empty database only. The copy may come from the other kind of database. */
KD_CHECKED kd_status kd_store_restore(kd_store *store, const char *path, const kd_progress *progress, kd_error *err);
/** Integrity: SQLite's quick_check; row counts of tables readable on both. */
KD_CHECKED kd_status kd_store_check(kd_store *store, kd_error *err);

#endif
