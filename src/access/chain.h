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

#endif
