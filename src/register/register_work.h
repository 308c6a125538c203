/**
 * @file register_work.h
 * What people do with the register: tasks of disagreement, decisions, corrections, and looking at one person.
 *
 * Included by register.h. Texts of every result live in the arena given.
 */
#ifndef KD_REGISTER_WORK_H
#define KD_REGISTER_WORK_H

#include "register.h"

/* ---- tasks ---- */

/** A question for the people nearest to a fact. Kinds stand in packs/cn/checks.yaml. */
typedef struct {
    int64_t id;
    kd_str kind, subject, state; /* state: open, resolved, closed (no longer true) */
    int severity;                /* 1 to 3 */
    int64_t person_id, other_id; /* other_id 0: none, as the three below */
    int64_t record_a, record_b, division;
    kd_str attribute; /* canonical name; empty when the task is not about one */
    kd_str role, pack_version;
    int32_t due_day;
    kd_str facts; /* JSON object */
    int64_t created_at, resolved_at;
    kd_str resolved_by, answer, note;
} kd_task;

/** How a kind of task is answered. */
typedef enum {
    KD_ANSWER_VALUE,    /* with the right value of the task's attribute */
    KD_ANSWER_SAME,     /* whether two are the same person */
    KD_ANSWER_CONFIRMED /* whether it is so */
} kd_answer_form;

/** What the pack says of a kind, for showing it. Texts are empty when the present pack no longer has the kind. */
typedef struct {
    kd_str title_zh, title_en, ask_zh, ask_en;
    kd_str offer_zh, offer_en; /* of a task about a birth, which is an offer of help */
    kd_str role_zh, role_en;
    kd_answer_form form;
} kd_task_words;

typedef struct {
    int64_t division;   /* 0: everywhere; else this area and what lies in it */
    kd_str kind;        /* empty: every kind */
    kd_str state;       /* empty: every state */
    int32_t overdue_on; /* KD_DAY_NONE: all; else only those due before that day */
    size_t limit;       /* 1 .. KD_PAGE_MAX */
    kd_str cursor;      /* empty: from the beginning */
} kd_task_filter;
enum { KD_PAGE_MAX = 1000 };

typedef struct {
    kd_task *tasks; /* most urgent first: by due day, severity, id */
    size_t count;
    kd_str next; /* cursor of the next page; empty at the end */
} kd_task_page;
/** KD_INVALID for a cursor that no page gave. */
KD_CHECKED kd_status kd_task_list(kd_register *reg, const kd_task_filter *filter, kd_arena *arena,
                                  kd_task_page *out_page, kd_error *err);
KD_CHECKED kd_status kd_task_get(kd_register *reg, int64_t id, kd_arena *arena, kd_task *out_task, kd_error *err);
KD_CHECKED kd_status kd_task_describe(kd_register *reg, const kd_task *task, kd_arena *arena, kd_task_words *out_words,
                                      kd_error *err);
/** Open tasks of a person, the most urgent first. */
KD_CHECKED kd_status kd_task_of_person(kd_register *reg, int64_t person_id, kd_arena *arena, kd_task_page *out_page,
                                       kd_error *err);

typedef struct {
    kd_str kind, state;
    int64_t count;
} kd_task_count;
/** Tasks by kind and state. */
KD_CHECKED kd_status kd_task_counts(kd_register *reg, kd_arena *arena, kd_task_count **out_counts, size_t *out_count,
                                    kd_error *err);

typedef enum {
    KD_SAID_VALUE,     /* `value` is right */
    KD_SAID_SAME,      /* one person */
    KD_SAID_DIFFERENT, /* two persons */
    KD_SAID_CONFIRMED, /* it is as the task supposes */
    KD_SAID_NOT_SO,    /* it is not */
    KD_SAID_UNKNOWN,   /* could not be found out: the task stays open */
} kd_said;

typedef struct {
    kd_said said;
    kd_str value;    /* KD_SAID_VALUE: as people write it */
    kd_str by, note; /* note may be empty */
} kd_answer;

typedef struct {
    bool is_open;           /* the task stays open */
    bool is_link_needed;    /* takes effect with the next `kindred link` */
    int64_t decision_id;    /* 0: none was made */
    int64_t corrections;    /* for the departments that were wrong */
    int64_t changed_values; /* of the person, at once */
} kd_answer_result;
/**
 * Write an answer down and apply it: a value is a decision with the highest trust, chosen for the person at once and by every
 * later link run, and a correction for every source that says otherwise. One transaction. KD_INVALID for an answer that
 * does not fit the kind or a value that cannot be right; KD_CONFLICT when the task is no longer open.
 */
KD_CHECKED kd_status kd_task_resolve(kd_register *reg, int64_t id, const kd_answer *answer,
                                     kd_answer_result *out_result, kd_error *err);
/** Take an answer back: its decisions are undone and kept in history, its unsent corrections withdrawn, the task open again. */
KD_CHECKED kd_status kd_task_reopen(kd_register *reg, int64_t id, kd_str by, kd_str reason,
                                    kd_answer_result *out_result, kd_error *err);

/** Title of an attribute or of another field that is corrected; NULL for any other. */
const char *kd_field_title(kd_str field, bool is_english);

/* ---- corrections ---- */

/** A value that a department should mend, and where it stands. */
typedef struct {
    int64_t id;
    kd_str feed, source_zh, source_en, file_name;
    int64_t row_no, source_record_id;
    kd_str attribute, wrong_value, right_value;
    int64_t created_at, exported_at; /* exported_at 0: not yet */
} kd_correction;

typedef struct {
    kd_correction *corrections; /* by id */
    size_t count;
    int64_t next_after; /* id to go on after; 0 at the end */
} kd_correction_page;
/** `feed` empty: every department's. */
KD_CHECKED kd_status kd_correction_list(kd_register *reg, kd_str feed, bool only_new, int64_t after_id, size_t limit,
                                        kd_arena *arena, kd_correction_page *out_page, kd_error *err);
/**
 * Write a department's corrections to `path` (.csv or .xlsx): where the row is, what identifies it there, the wrong and the
 * right value; nothing else of the person (G3). Formulas are guarded. They are marked as sent only when the file is whole;
 * without `again` only what was not sent yet. `out_count` 0: no file was written.
 */
KD_CHECKED kd_status kd_correction_export(kd_register *reg, kd_str feed, const char *path, bool again,
                                          int64_t *out_count, kd_error *err);

/* ---- one person ---- */

typedef struct {
    kd_str name, identity_number, initials; /* empty: any; at least one is needed */
    int64_t division;                       /* 0: everywhere */
    size_t limit;
} kd_person_query;

typedef struct {
    int64_t id;
    kd_str name, state;
    int sex; /* 0 unknown */
    int32_t birth_day;
    int64_t division;
} kd_person_brief;
/** Living persons, by name then id. A name is found as written or folded. */
KD_CHECKED kd_status kd_person_search(kd_register *reg, const kd_person_query *query, kd_arena *arena,
                                      kd_person_brief **out_persons, size_t *out_count, kd_error *err);

typedef struct {
    int32_t source_id;
    kd_str feed, title_zh, title_en;
} kd_source_name;

typedef struct {
    kd_str text; /* canonical; empty when no record says so */
    kd_source_name source;
    int64_t record_id;
    int trust;
    int32_t recorded_day;
} kd_value_holder;

typedef struct {
    kd_str value; /* canonical text */
    int score, feeds, record_count;
    int32_t latest_day;
    bool is_chosen, is_decided, by_identity, is_incomplete;
    kd_value_holder *holders;
    size_t holder_count;
} kd_value_view;

typedef struct {
    const char *attribute, *title_zh, *title_en;
    const char *method; /* of the survivorship rule: vote, most_recent */
    bool is_conflict;
    kd_value_view *values; /* chosen first */
    size_t count;
    kd_str decided_by; /* who settled the chosen value; empty when the rules did */
    int64_t decided_at;
} kd_attribute_view;

typedef struct {
    kd_source_record record;
    kd_source_name source;
    kd_str file_name;
    int64_t peer_id; /* record with which its pair is strongest; itself when alone */
    kd_str peer_source_zh, peer_source_en;
    double weight; /* bits */
    bool is_decided;
} kd_link_view;

typedef struct {
    kd_str kind; /* mother, father, child, spouse, household */
    int64_t other_id;
    kd_str name; /* of the other person; empty for a household */
    int32_t birth_day, valid_from, valid_to;
    int records; /* source rows that say so */
    bool is_chosen;
} kd_relation_view;

typedef struct {
    int64_t id, merged_into; /* merged_into 0: not merged */
    kd_str state;
    kd_str rules_version; /* of the survivorship pack */
    int version, conflicts;
    kd_attribute_view *attributes;
    size_t attribute_count;
    kd_link_view *links; /* by record id */
    size_t link_count;
    kd_relation_view *relations;
    size_t relation_count;
    kd_task *tasks; /* open */
    size_t task_count;
} kd_person_view;
/** Everything held about a person: values with who holds them, records, relations, open tasks. */
KD_CHECKED kd_status kd_person_view_load(kd_register *reg, int64_t id, kd_arena *arena, kd_person_view *out_view,
                                         kd_error *err);

typedef struct {
    int64_t id, at, other_id;
    kd_str kind, attribute, old_value, new_value, decided_by;
} kd_person_event;
KD_CHECKED kd_status kd_person_history(kd_register *reg, int64_t id, kd_arena *arena, kd_person_event **out_events,
                                       size_t *out_count, kd_error *err);

typedef struct {
    kd_waterfall
        waterfall;    /* the record beside its peer, under the model of the last run; total_bits is the stored weight */
    double rest_bits; /* of it, what the values' frequency in the whole register adds: in no step's tf_bits */
    bool is_there;    /* false: the record stands alone */
} kd_link_reason;
/** Why each of `view->links` is where it is: `*out_reasons` has one for each. `out_model` names the model. */
KD_CHECKED kd_status kd_person_explain(kd_register *reg, const kd_person_view *view, kd_arena *arena,
                                       kd_link_reason **out_reasons, kd_str *out_model, kd_error *err);

#endif
