/**
 * @file chain.h
 * The chain of the audit log, as its writer and its checker share it. Private.
 */
#ifndef KD_ACCESS_CHAIN_H
#define KD_ACCESS_CHAIN_H

#include "inner.h"

/** Before the first entry. */
extern const char KD_AUDIT_FIRST_HASH[KD_HASH_TEXT_BYTES];
/** Of an entry's columns in the order of KD_AUDIT_COLUMNS. */
void kd_audit_hash(const kd_value values[KD_AUDIT_COLUMN_COUNT], kd_str before, char out_hex[KD_HASH_TEXT_BYTES]);
/** Number and hash of the last entry; 0 and the first hash when there is no head. */
KD_CHECKED kd_status kd_audit_head_read(kd_store *store, int64_t *out_seq, char out_hash[KD_HASH_TEXT_BYTES],
                                        kd_error *err);

/** The columns of an entry as they are hashed: from its row, or from what happened. */
void kd_audit_values_of_row(const kd_rows *rows, kd_value out_values[KD_AUDIT_COLUMN_COUNT]);
void kd_audit_values_of(const kd_audit_entry *entry, int64_t seq, kd_value out_values[KD_AUDIT_COLUMN_COUNT]);
/** Insert them, chained to `hash`, which becomes theirs. `sql` has a parameter for each column and one for the hash. */
KD_CHECKED kd_status kd_audit_insert(kd_store *store, const char *sql, const kd_value values[KD_AUDIT_COLUMN_COUNT],
                                     char hash[KD_HASH_TEXT_BYTES], kd_error *err);
#define KD_AUDIT_INSERT_INTO(table)            \
    "insert into " table " (" KD_AUDIT_COLUMNS \
    ", hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"

#endif
