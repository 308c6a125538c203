/**
 * @file match_tables.h
 * The tables that `kindred match` links, how their rows are named, and what is known of who is who.
 */
#ifndef KD_CLI_MATCH_TABLES_H
#define KD_CLI_MATCH_TABLES_H

#include "cli.h"
#include "match/match.h"

enum { KD_TABLES_MAX = 64 };

typedef struct {
    kd_frame *frames[KD_TABLES_MAX];
    uint64_t first[KD_TABLES_MAX + 1]; /* record of row 0; [count] is the number of records */
    size_t count;
    const kd_column *ids[KD_TABLES_MAX]; /* column that names a row; NULL: by number */
} kd_tables;

typedef struct {
    const kd_model *model;
    const char *const *paths;
    size_t path_count;
    const char *id;    /* --id, else the model's; NULL */
    const char *truth; /* --truth; NULL */
} kd_tables_wanted;

/** CSV (also .gz) and XLSX: the model's columns, the one that names rows, and those that the truth needs. */
KD_CHECKED kd_status kd_tables_read(const kd_tables_wanted *wanted, kd_tables *out_tables, kd_error *err);
void kd_tables_done(kd_tables *tables);

/** Table of a record; its row is record - first[table]. */
size_t kd_tables_of(const kd_tables *tables, uint64_t record);
/** The name of a record, its row number (from 1) when the tables name none. `buf` holds the number. */
kd_str kd_tables_name(const kd_tables *tables, uint64_t record, char buf[24]);

/**
 * The entity of every record as `--truth` tells it: "model", "column:NAME", or a file of two columns that is either
 * links (pairs of record names) or entities (record name, entity). UINT32_MAX where nothing is known. Free with free().
 */
KD_CHECKED kd_status kd_truth_read(const kd_tables_wanted *wanted, const kd_tables *tables, uint32_t **out_truth,
                                   kd_error *err);
/** The column of the tables that a truth names; empty for a file. */
kd_str kd_truth_column(const kd_tables_wanted *wanted);

#endif
