/**
 * @file live.h
 * Changing the register between two link runs: records linked to their persons at once, and taken out again. Private to the register.
 *
 * Everything runs in a transaction of the caller. A link run carries over what came in while it was at work with the same calls
 * (live_late.c), so that it ends as if that had come after it.
 */
#ifndef KD_REGISTER_LIVE_PRIVATE_H
#define KD_REGISTER_LIVE_PRIVATE_H

#include "link.h"
#include "task.h"

/** A change at work: the persons whose records changed, to be derived again once. */
typedef struct {
    kd_register *reg;
    kd_arena *arena;
    kd_packs packs;
    kd_str by, reason;
    int64_t *touched;
    size_t touched_count, touched_cap;
} kd_live;
KD_CHECKED kd_status kd_live_begin(kd_register *reg, kd_str by, kd_live *out_live, kd_error *err);
void kd_live_done(kd_live *live);
/** Every person touched: its row, or its end when no record is left. */
KD_CHECKED kd_status kd_live_derive(kd_live *live, kd_error *err);
KD_CHECKED kd_status kd_live_touch(kd_live *live, int64_t person_id, kd_error *err);

/** Person of a declared record; 0 when it is linked to none. */
KD_CHECKED kd_status kd_live_person_of(kd_register *reg, int64_t record_id, int64_t *out_person_id, kd_error *err);
/** A person without records yet. */
KD_CHECKED kd_status kd_live_person_make(kd_live *live, int64_t *out_person_id, kd_error *err);
/** Link a declared record, with what identifies it. `peer` is the record it was put beside; itself when alone. */
KD_CHECKED kd_status kd_live_link(kd_live *live, const kd_source_record *record, int64_t person_id, int64_t peer,
                                  kd_error *err);
/** Unlink a declared record: its relations, its identifiers that no other record of the person bears, its link. */
KD_CHECKED kd_status kd_live_unlink(kd_live *live, const kd_source_record *record, kd_error *err);
/** Records of a batch in id order, copied into the arena. */
KD_CHECKED kd_status kd_live_batch_records(kd_live *live, int64_t batch_id, kd_source_record **out_records,
                                           size_t *out_count, kd_error *err);

/* ---- relations ---- */

/** Count what the records of a few rows say of each other's persons; 0 is no person. */
KD_CHECKED kd_status kd_live_relate(kd_live *live, const kd_source_record *records, const int64_t *persons,
                                    size_t count, kd_error *err);
/** Take back what they say of the one at `leaving`. */
KD_CHECKED kd_status kd_live_unrelate(kd_live *live, const kd_source_record *records, const int64_t *persons,
                                      size_t count, size_t leaving, kd_error *err);

#endif
