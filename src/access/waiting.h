/**
 * @file waiting.h
 * Entries of the audit log that wait beside an SQLite register: while an import or a link run holds its one writer they are made
 * durable in a file of their own, chained there, and go into the log when the writer is free. PostgreSQL needs none. Private.
 */
#ifndef KD_ACCESS_WAITING_H
#define KD_ACCESS_WAITING_H

#include "inner.h"

typedef struct kd_audit_waiting kd_audit_waiting;

/** Of the register; the file is made when the first entry comes. */
KD_CHECKED kd_status kd_audit_waiting_open(kd_register *reg, kd_audit_waiting **out_waiting, kd_error *err);
void kd_audit_waiting_close(kd_audit_waiting *waiting); /* NULL does nothing */
/** Whether entries of this process wait, or some were found at opening. */
bool kd_audit_waiting_has_any(const kd_audit_waiting *waiting);
KD_CHECKED kd_status kd_audit_waiting_add(kd_audit_waiting *waiting, kd_store *store,
                                          const kd_audit_entry *const *entries, size_t count, kd_error *err);
/** Chain all that wait to the log, within its open transaction. Once that is committed, forget them. */
KD_CHECKED kd_status kd_audit_waiting_take(kd_audit_waiting *waiting, kd_store *store, kd_error *err);
void kd_audit_waiting_forget(kd_audit_waiting *waiting, kd_store *store);

/** What a process that was killed has left goes into the log, unless another writer is at work. */
KD_CHECKED kd_status kd_audit_waiting_settle(kd_register *reg, kd_error *err);

#endif
