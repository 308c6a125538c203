/**
 * @file show.h
 * Persons, records and explanations as the answers of several routes show them. Private to the server.
 */
#ifndef KD_SERVER_SHOW_H
#define KD_SERVER_SHOW_H

#include "call.h"
#include "exchange/exchange.h"

/** PersonBrief; null for NULL. `key` NULL within a list. */
void kd_show_person(kd_call *call, const char *key, const kd_person_brief *brief);
/** The same by id; null when there is no such person. */
KD_CHECKED kd_status kd_show_person_of(kd_call *call, const char *key, int64_t person_id, kd_error *err);
void kd_show_source(kd_call *call, const char *key, const kd_source_name *source);

typedef struct {
    const kd_source_record *record;
    const kd_source_name *source;
    kd_str file_name;
    const kd_source_record *beside; /* may be NULL: of a masked identity number, where the two differ is shown */
} kd_shown_record;
/** SourceRecord: the fields that stand in it, with titles; identity numbers masked. */
void kd_show_record(kd_call *call, const char *key, const kd_shown_record *shown);
/** Waterfall; what no step tells is its rest. */
void kd_show_waterfall(kd_call *call, const char *key, const kd_waterfall *waterfall);
/** A canonical value of an attribute in words: sex, status, places; identity numbers masked. Arena text. */
kd_str kd_show_value(kd_call *call, kd_str attribute, kd_str value);
/** Task, as lists and the page of a person show it. `words` are what the pack says of its kind. */
KD_CHECKED kd_status kd_show_task(kd_call *call, const char *key, const kd_task *task, const kd_task_words *words,
                                  kd_error *err);
/** Days past the time when the next file of a feed was due, from the day of the last; -1 when none is expected. */
int64_t kd_show_days_late(const kd_feed_packs *packs, const kd_feed_status *feed);

#endif
