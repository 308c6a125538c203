/**
 * @file driver.h
 * What a database does for the store. Private: the rest of the program sees store.h only.
 */
#ifndef KD_STORE_DRIVER_H
#define KD_STORE_DRIVER_H

#include "store.h"

enum { KD_STORE_BUSY_MS = 30000, KD_STORE_PARAMETERS_MAX = 64, KD_STORE_STATEMENTS_MAX = 256 };

/** A database's own structs begin with these. */
typedef struct kd_store_driver kd_store_driver;
struct kd_store {
    const kd_store_driver *driver;
    kd_store_kind kind;
    char *url;
    bool is_reader;
    bool is_in_transaction;
    bool has_failed;  /* a call of the open transaction: nothing but a rollback helps */
    bool is_occupied; /* rows or a bulk load are open */
};
struct kd_rows {
    kd_store *store;
    size_t columns;
    bool is_done; /* no further row */
};
struct kd_bulk {
    kd_store *store;
    size_t columns;
};

struct kd_store_driver {
    void (*close)(kd_store *store);
    kd_status (*exec)(kd_store *store, kd_error *err, int64_t *out_changed, const char *sql, const kd_value *values,
                      size_t count);
    kd_status (*script)(kd_store *store, const char *sql, kd_error *err); /* several statements, no values */
    kd_status (*query)(kd_store *store, kd_error *err, kd_rows **out_rows, const char *sql, const kd_value *values,
                       size_t count);
    kd_status (*next)(kd_rows *rows, bool *out_has_row, kd_error *err);
    bool (*is_null)(const kd_rows *rows, size_t column);
    int64_t (*get_int)(const kd_rows *rows, size_t column);
    double (*get_real)(const kd_rows *rows, size_t column);
    kd_str (*get_text)(const kd_rows *rows, size_t column);
    void (*close_rows)(kd_rows *rows);
    kd_status (*begin)(kd_store *store, kd_error *err);
    kd_status (*begin_beside)(kd_store *store, int wait_ms, kd_error *err);
    kd_status (*commit)(kd_store *store, kd_error *err);
    void (*rollback)(kd_store *store);
    kd_status (*bulk_begin)(kd_store *store, const char *table, const char *const *columns, size_t count,
                            kd_bulk **out_bulk, kd_error *err);
    kd_status (*bulk_row)(kd_bulk *bulk, const kd_value *values, kd_error *err);
    kd_status (*bulk_finish)(kd_bulk *bulk, kd_error *err);
    void (*bulk_cancel)(kd_bulk *bulk);
};

typedef enum {
    KD_SQLITE_WRITER,
    KD_SQLITE_NEW,
    KD_SQLITE_READER,
    KD_SQLITE_MAKING, /* a new file nobody else sees, without journal: of no use after a failure */
    KD_SQLITE_FILE,   /* read only, nothing written beside it: a backup */
} kd_sqlite_use;
kd_status kd_sqlite_open(const char *path, kd_sqlite_use use, kd_store **out_store, kd_error *err);
kd_status kd_postgres_open(const char *url, bool is_reader, kd_store **out_store, kd_error *err);

/** Copy of an SQLite database as it stands now into a new file, while others write. */
kd_status kd_sqlite_copy(kd_store *store, const char *path, const kd_progress *progress, kd_error *err);

/** A NUL would cut a text on PostgreSQL, so neither database takes it: KD_INVALID. */
kd_status kd_store_check_value(const kd_value *value, kd_error *err);
kd_status kd_store_fail_busy(kd_error *err);                   /* KD_CONFLICT */
kd_status kd_store_fail_full(kd_error *err, const char *what); /* KD_IO */

/** Names in SQL come from the program's own tables and columns; anything else is a mistake of ours. */
bool kd_store_is_name(const char *name);

/* migrate.c: the schema of an older version, to restore an older backup into; KD_UNSUPPORTED for a newer one */
kd_status kd_store_migrate_to(kd_store *store, int version, kd_error *err);

/* shards.c: the map, in the order of the file */
typedef enum { KD_SHARD_LOCAL, KD_SHARD_REFERENCE, KD_SHARDED } kd_shard_kind;
typedef struct {
    kd_str table, column;
    kd_shard_kind kind;
} kd_shard;
enum { KD_SHARDS_MAX = 128 };
size_t kd_store_shards(kd_shard shards[KD_SHARDS_MAX]);

extern const char KD_SHARD_MAP[];
extern const char KD_MIGRATION_001[], KD_MIGRATION_002[];

#endif
