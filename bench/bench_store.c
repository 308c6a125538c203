/*
 * Bulk load and streaming read of rows like those of source_record, on SQLite and, when KINDRED_TEST_POSTGRES is set, on
 * PostgreSQL: bench_store [ROWS [FOLDER]]. Every database is made afresh and removed.
 */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 28, TEXT_BYTES = 64 };

static const char *const NAMES[COLUMNS] = {
    "id",
    "batch_id",
    "source_id",
    "row_no",
    "role",
    "name",
    "sex",
    "birth_day",
    "identity_number",
    "phone",
    "division",
    "address",
    "hukou_division",
    "household_no",
    "recorded_day",
    "name_written",
    "birth_kind",
    "identity_kind",
    "household_relation",
    "ethnicity",
    "marital_status",
    "education",
    "certificate_no",
    "handbook_no",
    "birth_order",
    "status",
    "death_day",
    "event_day",
};

static const char SELECT[] =
    "select id, source_id, role, name, sex, birth_day, identity_number, phone, division, address, "
    "household_no, name_written from source_record";

static void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static void load(kd_store *store, int64_t rows)
{
    static const char *const given[] = { "张伟", "王秀英", "李娜", "刘洋", "陈静", "杨柳青", "赵子昂", "黄山" };
    kd_error err;
    kd_bulk *bulk;
    kd_rng rng;
    kd_rng_init(&rng, 7);
    must(kd_store_begin(store, &err), &err);
    must(kd_bulk_begin(store, "source_record", NAMES, COLUMNS, &bulk, &err), &err);
    for (int64_t i = 0; i < rows; i++) {
        char number[TEXT_BYTES], phone[TEXT_BYTES], address[TEXT_BYTES], household[TEXT_BYTES];
        uint64_t random = kd_rng_next(&rng);
        snprintf(number, sizeof number, "610829%012llu", (unsigned long long)(random % 1000000000000));
        snprintf(phone, sizeof phone, "139%08u", (unsigned)(random >> 32) % 100000000);
        snprintf(address, sizeof address, "吴堡县宋家川镇第%u村%u号", (unsigned)(random >> 8) % 300,
                 (unsigned)random % 99);
        snprintf(household, sizeof household, "H%010lld", (long long)i / 3);
        kd_value values[COLUMNS] = {
            kd_int(((int64_t)1 << 50) + i),
            kd_int(((int64_t)1 << 50) + 1),
            kd_int(4),
            kd_int(i + 1),
            kd_int(1),
            kd_text_value(kd_str_of(given[random % 8])),
            kd_int((int64_t)(random & 1) + 1),
            kd_int((int64_t)(random % 20000)),
            kd_text_value(kd_str_of(number)),
            kd_text_value(kd_str_of(phone)),
            kd_int(610829100000 + (int64_t)(random % 1000)),
            kd_text_value(kd_str_of(address)),
            kd_int(610829100000),
            kd_text_value(kd_str_of(household)),
            kd_int(16000),
        };
        must(kd_bulk_row(bulk, values, &err), &err);
    }
    must(kd_bulk_finish(bulk, &err), &err);
    must(kd_store_commit(store, &err), &err);
}

static int64_t read_all(kd_store *store)
{
    kd_error err;
    kd_rows *rows;
    bool has_row = false;
    int64_t count = 0, sum = 0;
    must(kd_store_query(store, &err, &rows, SELECT, KD_NO_VALUES), &err);
    for (;;) {
        must(kd_rows_next(rows, &has_row, &err), &err);
        if (!has_row) break;
        sum += kd_rows_int(rows, 0) + kd_rows_int(rows, 1) + kd_rows_int(rows, 2) + kd_rows_int(rows, 4) +
               kd_rows_day(rows, 5) + kd_rows_int(rows, 8);
        sum += (int64_t)(kd_rows_text(rows, 3).len + kd_rows_text(rows, 6).len + kd_rows_text(rows, 7).len +
                         kd_rows_text(rows, 9).len + kd_rows_text(rows, 10).len + kd_rows_text(rows, 11).len);
        count++;
    }
    kd_rows_close(rows);
    return sum ? count : 0;
}

static void tell(const char *database, const char *what, int64_t rows, double seconds)
{
    printf("%-10s  %-22s  %9lld rows  %7.2f s  %9.0f rows/s\n", database, what, (long long)rows, seconds,
           (double)rows / seconds);
    fflush(stdout);
}

static double look_up(kd_store *store, int count)
{
    kd_error err;
    double start = kd_seconds();
    for (int i = 0; i < count; i++) {
        int64_t found;
        must(kd_store_int(store, &err, &found, "select division from source_record where id = $1",
                          KD_VALUES(kd_int(((int64_t)1 << 50) + i))),
             &err);
    }
    return kd_seconds() - start;
}

static void measure(const char *name, const char *url, const char *backup, int64_t rows)
{
    kd_error err;
    kd_store *store;
    must(kd_store_open(url, true, &store, &err), &err);
    must(kd_store_migrate(store, &err), &err);
    double start = kd_seconds();
    load(store, rows);
    tell(name, "load, 28 columns", rows, kd_seconds() - start);
    start = kd_seconds();
    int64_t read = read_all(store);
    tell(name, "read, 12 columns", read, kd_seconds() - start);
    tell(name, "look up one by one", 20000, look_up(store, 20000));
    start = kd_seconds();
    must(kd_store_backup(store, backup, NULL, &err), &err);
    tell(name, "back up", rows, kd_seconds() - start);
    kd_store_close(store);
}

static void measure_postgres(const char *server, const char *backup, int64_t rows)
{
    char url[1100];
    kd_error err;
    kd_store *store;
    snprintf(url, sizeof url, "%s%coptions=-csearch_path%%3Dbench_store", server, strchr(server, '?') ? '&' : '?');
    must(kd_store_open(server, true, &store, &err), &err);
    must(kd_store_exec(store, &err, NULL, "drop schema if exists bench_store cascade", KD_NO_VALUES), &err);
    must(kd_store_exec(store, &err, NULL, "create schema bench_store", KD_NO_VALUES), &err);
    measure("postgresql", url, backup, rows);
    must(kd_store_exec(store, &err, NULL, "drop schema bench_store cascade", KD_NO_VALUES), &err);
    kd_store_close(store);
}

int main(int argc, char **argv)
{
    int64_t rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
    char folder[512], url[600], path[600], backup[600];
    snprintf(folder, sizeof folder, "%s/kd_bench_XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (rows < 1 || !mkdtemp(folder)) {
        fprintf(stderr, "usage: bench_store [ROWS [FOLDER]]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/register.db", folder);
    snprintf(backup, sizeof backup, "%s/backup.db", folder);
    snprintf(url, sizeof url, "sqlite:%.580s", path);
    measure("sqlite", url, backup, rows);
    unlink(path);
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (server) measure_postgres(server, backup, rows);
    unlink(backup);
    rmdir(folder);
    printf("peak memory %.0f MB\n", (double)kd_memory_peak_bytes() / 1e6);
    return 0;
}
