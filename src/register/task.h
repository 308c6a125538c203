/**
 * @file task.h
 * Bringing tasks up to date, and what an answer does. Private to the register.
 */
#ifndef KD_REGISTER_TASK_H
#define KD_REGISTER_TASK_H

#include "checks.h"

/* ---- bringing tasks up to date: within the link run's transaction ---- */

/** A task as the checks find it now. Texts are borrowed for the call. */
typedef struct {
    const kd_check *check;
    kd_str subject, facts;
    int64_t person_id, other_id, record_a, record_b;
    int64_t residence; /* cut to the check's level here; 0 unknown */
} kd_task_found;

typedef struct {
    int64_t opened, closed, open;
} kd_task_totals;

/**
 * Compare what is found with the tasks that stand: new ones are opened, changed ones refreshed, those no longer true
 * closed; a resolved one stays so unless its facts bear a mark that they did not.
 */
typedef struct kd_task_writer kd_task_writer;
KD_CHECKED kd_status kd_task_writer_new(kd_register *reg, const kd_checks *checks, kd_task_writer **out_writer,
                                        kd_error *err);
KD_CHECKED kd_status kd_task_writer_add(kd_task_writer *writer, const kd_task_found *found, kd_error *err);
/** Frees the writer, also on failure. */
KD_CHECKED kd_status kd_task_writer_finish(kd_task_writer *writer, kd_task_totals *out_totals, kd_error *err);
void kd_task_writer_free(kd_task_writer *writer);

/* ---- the packs of an open register ---- */

/** Sources, survivorship rules and checks, loaded together. */
typedef struct {
    kd_arena *arena;
    kd_source_title *sources; /* of source id */
    kd_str *feeds;            /* of source id */
    size_t source_count;
    kd_survivorship *rules;
    kd_checks *checks;
} kd_packs;
KD_CHECKED kd_status kd_packs_load(kd_register *reg, kd_packs *out_packs, kd_error *err);
void kd_packs_done(kd_packs *packs);

/* ---- a person's records and decisions ---- */

typedef struct {
    kd_source_record *records; /* by id */
    size_t count;
    kd_decided_value *decided; /* latest last */
    kd_str *decided_by;        /* of each of `decided` */
    int64_t *decided_at;
    size_t decided_count;
} kd_evidence;
KD_CHECKED kd_status kd_evidence_load(kd_register *reg, int64_t person_id, kd_arena *arena, kd_evidence *out_evidence,
                                      kd_error *err);
/** Choose every attribute from the evidence as a link run does. `out_choices` has KD_ATTR_COUNT elements. */
void kd_evidence_choose(const kd_survivorship *rules, const kd_evidence *evidence, kd_choice *out_choices);
/** Bring a person's row up to what the evidence gives, with an event for every value that changes. In a transaction. */
KD_CHECKED kd_status kd_person_refresh(kd_register *reg, const kd_packs *packs, int64_t person_id, kd_str by,
                                       int64_t *out_changed, kd_error *err);

/* ---- decisions ---- */

typedef struct {
    const char *kind; /* value, same_person, different_person, withdrawn */
    int64_t record_a, record_b, task_id;
    int64_t batch_id; /* of the declaration that it belongs to; 0 none */
    kd_str attribute, value, reason, by;
} kd_decision;
KD_CHECKED kd_status kd_decision_add(kd_register *reg, const kd_decision *decision, int64_t *out_id, kd_error *err);
/**
 * Say that two persons are one: of all that the two hold now, each tied to `decision->record_a`; tying two records alone would only
 * draw one of them across. `out_id` is the last of the decisions, which share their task.
 */
KD_CHECKED kd_status kd_decision_join(kd_register *reg, const kd_decision *decision, int64_t person_a, int64_t person_b,
                                      kd_arena *arena, int64_t *out_id, kd_error *err);
/** The living person that an id leads to through merges. KD_NOT_FOUND when there is none. */
KD_CHECKED kd_status kd_person_living(kd_register *reg, int64_t id, int64_t *out_person_id, kd_error *err);

/* ---- corrections ---- */

/** One for every record of the person whose value of the attribute is another than the right one. */
KD_CHECKED kd_status kd_correction_make(kd_register *reg, int64_t decision_id, kd_attribute attribute, kd_str right,
                                        const kd_evidence *evidence, int64_t *out_count, kd_error *err);
/** For one record, of a canonical field that is no attribute of persons (status). */
KD_CHECKED kd_status kd_correction_add(kd_register *reg, int64_t decision_id, const kd_source_record *record,
                                       kd_str field, kd_str wrong, kd_str right, kd_error *err);
/** Withdraw what was not sent yet of an undone decision. */
KD_CHECKED kd_status kd_correction_withdraw(kd_register *reg, int64_t decision_id, kd_error *err);

/* ---- rows ---- */

/** A copy that outlives the row. */
KD_CHECKED kd_status kd_record_copy(kd_arena *arena, const kd_source_record *record, kd_source_record *out_copy,
                                    kd_error *err);

#endif
