/* The shard map against the catalogue: what a cluster of databases would refuse is found on one. */
#include "driver.h"

#include <stdio.h>
#include <string.h>

size_t kd_store_shards(kd_shard shards[KD_SHARDS_MAX])
{
    kd_str rest = kd_str_of(KD_SHARD_MAP), line, kind;
    size_t n = 0;
    for (bool is_header = true; kd_str_next(&rest, '\n', &line); is_header = false) {
        kd_shard shard = { 0 };
        if (is_header || line.len == 0 || n == KD_SHARDS_MAX) continue;
        if (!kd_str_next(&line, ',', &shard.table) || !kd_str_next(&line, ',', &kind)) continue;
        (void)kd_str_next(&line, ',', &shard.column);
        shard.kind = kd_str_is(kind, "sharded")     ? KD_SHARDED
                     : kd_str_is(kind, "reference") ? KD_SHARD_REFERENCE
                                                    : KD_SHARD_LOCAL;
        shards[n++] = shard;
    }
    return n;
}

static const char SQLITE_TABLES[] = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' "
                                    "and name <> 'schema_version' order by name";
static const char PG_TABLES[] = "select c.relname from pg_class c where c.relkind in ('r', 'p') "
                                "and c.relnamespace = current_schema()::regnamespace "
                                "and c.relname <> 'schema_version' order by c.relname";

/* Counts keys of $1 that lack the column $2: the primary key there must be, and every unique index. */
static const char SQLITE_KEYS[] =
    "select count(*) from (select 1 from pragma_index_list($1) i where i.\"unique\" = 1 and not exists "
    "(select 1 from pragma_index_info(i.name) c where c.name = $2) union all "
    "select 1 where not exists (select 1 from pragma_table_info($1) t where t.name = $2 and t.pk > 0 "
    "and t.\"notnull\" = 1)) x";
static const char PG_KEYS[] =
    "select count(*) from (select 1 from pg_index i where i.indrelid = to_regclass($1::text) and i.indisunique "
    "and not exists (select 1 from pg_attribute a join unnest(i.indkey) with ordinality k (attnum, place) "
    "on k.attnum = a.attnum where a.attrelid = i.indrelid and k.place <= i.indnkeyatts and a.attname = $2::text) "
    "union all select 1 where not exists (select 1 from pg_index p where p.indrelid = to_regclass($1::text) "
    "and p.indisprimary)) x";

/* What a cluster refuses or what would make the two databases differ; the store's own catalogue holds none of it. */
static const struct {
    const char *what, *sqlite, *postgres;
} FORBIDDEN[] = {
    { "a trigger", "select count(*) from sqlite_master where type = 'trigger'",
      "select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid where not t.tgisinternal "
      "and c.relnamespace = current_schema()::regnamespace" },
    { "a sequence",
      "select count(*) from sqlite_master where type = 'table' and (name = 'sqlite_sequence' or sql like "
      "'%autoincrement%')",
      "select count(*) from pg_class s where s.relkind = 'S' and s.relnamespace = current_schema()::regnamespace" },
    { "a foreign key", "select count(*) from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table'",
      "select count(*) from pg_constraint f where f.contype = 'f' "
      "and f.connamespace = current_schema()::regnamespace" },
};

static const kd_shard *find(const kd_shard *shards, size_t count, kd_str table)
{
    for (size_t i = 0; i < count; i++)
        if (kd_str_eq(shards[i].table, table)) return &shards[i];
    return NULL;
}

static kd_status check_tables(kd_store *store, const kd_shard *shards, size_t count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t seen = 0;
    KD_TRY(kd_store_query(store, err, &rows, store->kind == KD_STORE_SQLITE ? SQLITE_TABLES : PG_TABLES, KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_str table = kd_rows_text(rows, 0);
        seen++;
        if (find(shards, count, table)) continue;
        status = kd_fail(err, KD_INVALID, "", "table %.*s is not in the shard map", KD_FMT(table));
        break;
    }
    kd_rows_close(rows);
    if (status == KD_OK && seen != count)
        status = kd_fail(err, KD_INVALID, "", "the shard map names %zu tables, the database has %zu", count, seen);
    return status;
}

static kd_status check_forbidden(kd_store *store, kd_error *err)
{
    for (size_t i = 0; i < sizeof FORBIDDEN / sizeof FORBIDDEN[0]; i++) {
        int64_t found;
        const char *sql = store->kind == KD_STORE_SQLITE ? FORBIDDEN[i].sqlite : FORBIDDEN[i].postgres;
        KD_TRY(kd_store_int(store, err, &found, sql, KD_NO_VALUES));
        if (found) return kd_fail(err, KD_INVALID, "", "the database has %s; Kindred makes none", FORBIDDEN[i].what);
    }
    return KD_OK;
}

kd_status kd_store_check_shards(kd_store *store, kd_error *err)
{
    kd_shard shards[KD_SHARDS_MAX];
    size_t count = kd_store_shards(shards);
    KD_TRY(check_forbidden(store, err));
    KD_TRY(check_tables(store, shards, count, err));
    for (size_t i = 0; i < count; i++) {
        int64_t wrong;
        if (shards[i].kind != KD_SHARDED) continue;
        KD_TRY(kd_store_int(store, err, &wrong, store->kind == KD_STORE_SQLITE ? SQLITE_KEYS : PG_KEYS,
                            KD_VALUES(kd_text_value(shards[i].table), kd_text_value(shards[i].column))));
        if (wrong)
            return kd_fail(err, KD_INVALID, "", "a key of table %.*s lacks its shard column %.*s",
                           KD_FMT(shards[i].table), KD_FMT(shards[i].column));
    }
    return KD_OK;
}
