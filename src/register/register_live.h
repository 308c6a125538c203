/**
 * @file register_live.h
 * The register between two link runs: what people declare at a counter goes in at once; finding and showing persons; what managers
 * and stewards look at.
 *
 * Included by register.h. Texts of every result live in the arena given.
 */
#ifndef KD_REGISTER_LIVE_H
#define KD_REGISTER_LIVE_H

#include "register_work.h"

/** A second register of the same folder with a connection of its own, sharing the loaded text tables and divisions; for one more thread. */
KD_CHECKED kd_status kd_register_attach(const kd_register *reg, kd_register **out_register, kd_error *err);

/* ---- declared at once ---- */

enum { KD_DECLARED_MAX = 12 };
/**
 * One person that a declaration names: the record as the counter's feed keeps it, and the person it is. `person_id` 0 makes a person.
 * `record.id` and `.batch_id` are filled in.
 */
typedef struct {
    kd_source_record record;
    int64_t person_id; /* in: 0 or the person; out: the living person */
    int row; /* rising; members of one row are different persons, related as their roles say: twins share one with their parents */
} kd_declared;
/**
 * Write declared records as a batch of `feed`, link each to its person (as decided by a person), derive again the persons touched, their
 * identifiers and relations. Within the caller's transaction. The next link run keeps all of it: the links are decisions. A link run that
 * began before and ends after keeps it too. A feed that is no source yet takes its words from packs/cn/feeds. KD_NOT_FOUND for a person that
 * is not there, KD_CONFLICT for one that lives no more, KD_INVALID for two of a row that are one.
 */
KD_CHECKED kd_status kd_register_declare(kd_register *reg, kd_str feed, kd_declared *declared, size_t count, kd_str by,
                                         kd_error *err);
/**
 * Withdraw declared records: unlinked, their persons derived again or retired, history kept. Within the caller's transaction.
 * KD_NOT_FOUND for a record that nobody declared, KD_CONFLICT for one withdrawn before.
 */
KD_CHECKED kd_status kd_register_withdraw(kd_register *reg, const int64_t *record_ids, size_t count, kd_str by,
                                          kd_str reason, kd_error *err);

/* ---- finding as one types ---- */

typedef struct {
    kd_person_brief brief;
    kd_str village;      /* county, township and village in one: 吴堡县宋家川街道… */
    const char *matched; /* name, pinyin, initials, identity_number, phone, handbook_no */
    kd_str identity_number, phone;
} kd_person_hit;
typedef struct {
    kd_str text;          /* a name, its beginning, pinyin, initials, an identity number or a phone */
    const int64_t *areas; /* 0 is everywhere */
    size_t area_count;
    int64_t division; /* within; 0 any of the areas */
    size_t limit;     /* 1 .. 50 */
} kd_person_wanted;
/**
 * Living persons, the best first: exact, then beginning; numbers only whole. Everything is found in the areas only. In a wide area no
 * more than some thousand names are looked at, so that the beginning of a common name need not bring all who have it.
 */
KD_CHECKED kd_status kd_person_find(kd_register *reg, const kd_person_wanted *wanted, kd_arena *arena,
                                    kd_person_hit **out_hits, size_t *out_count, kd_error *err);
KD_CHECKED kd_status kd_person_brief_load(kd_register *reg, int64_t id, kd_arena *arena, kd_person_brief *out_brief,
                                          kd_error *err);

/* ---- one person's life, and family ---- */

typedef struct {
    int32_t day;
    kd_str kind; /* birth, record, delivery, vaccination, marriage, moved, death, registered … from the feed's pack */
    kd_str title_zh, title_en, source_zh, source_en;
    int64_t record_id, case_id;
} kd_life_event;
/** By day. What the linked records say happened, each thing once. */
KD_CHECKED kd_status kd_person_timeline(kd_register *reg, int64_t id, kd_arena *arena, kd_life_event **out_events,
                                        size_t *out_count, kd_error *err);
typedef struct {
    kd_person_brief brief;
    int generation; /* 0 the person, -1 parents, -2 grandparents, 1 children */
    bool is_open;   /* false: only that there is one may be shown */
} kd_family_node;
typedef struct {
    int64_t from, to;
    kd_str kind; /* mother, father, spouse */
    int records;
    bool is_chosen;
} kd_family_edge;
typedef struct {
    kd_family_node *nodes;
    size_t node_count;
    kd_family_edge *edges;
    size_t edge_count;
} kd_family_tree;
/** Two generations up and down, spouses and siblings; at most 64 persons. */
KD_CHECKED kd_status kd_person_family(kd_register *reg, int64_t id, kd_arena *arena, kd_family_tree *out_tree,
                                      kd_error *err);

/* ---- the review queue of doubtful matches ---- */

typedef struct {
    int64_t id, person_a, person_b, division;
    kd_source_record record_a, record_b;
    kd_source_name source_a, source_b;
    kd_str file_a, file_b; /* names */
    double weight, probability, value;
    bool is_same_now; /* the register holds them as one person */
    bool
        is_held_apart; /* by two different valid identity numbers, whatever the weight: `probability` is of such pairs */
    kd_str said;       /* what a person decided since; empty: nothing */
    int64_t decision_id;
} kd_match_review;
typedef struct {
    kd_match_review *reviews; /* by value, the highest first */
    size_t count;
    kd_str next;
} kd_match_page;
KD_CHECKED kd_status kd_match_list(kd_register *reg, int64_t division, bool only_open, kd_str cursor, size_t limit,
                                   kd_arena *arena, kd_match_page *out_page, kd_error *err);
KD_CHECKED kd_status kd_match_get(kd_register *reg, int64_t id, kd_arena *arena, kd_match_review *out_review,
                                  kd_waterfall *out_waterfall, kd_error *err);
/** Pairs of the area that nobody has decided. */
KD_CHECKED kd_status kd_match_count(kd_register *reg, int64_t division, int64_t *out_open, kd_error *err);
/**
 * Same, different or unknown; takes effect with the next link run. Returns the decision's id for undo. KD_CONFLICT when somebody
 * decided the pair already; an unknown pair leaves the queue too, without any effect on linking.
 */
KD_CHECKED kd_status kd_match_decide(kd_register *reg, int64_t id, kd_said said, kd_str by, kd_str note,
                                     int64_t *out_decision, kd_error *err);
/** Take back all that was written down with the decision: a task's answer or a review. KD_CONFLICT when that was done before. */
KD_CHECKED kd_status kd_decision_undo(kd_register *reg, int64_t decision_id, kd_str by, kd_error *err);
/** Where the task or the review that a decision answers is; 0 nowhere in particular. */
KD_CHECKED kd_status kd_decision_division(kd_register *reg, int64_t decision_id, int64_t *out_division, kd_error *err);
typedef struct {
    int64_t run_at, records, persons, reviewed, reviewed_same;
    double precision, precision_low, precision_high, recall, recall_low, recall_high; /* estimated, 95 % intervals */
    kd_str method_zh, method_en;
} kd_match_estimate;
/** Of the last run: by the pairs' match probabilities, corrected by what people said of reviewed ones. */
KD_CHECKED kd_status kd_match_estimate_of(kd_register *reg, kd_arena *arena, kd_match_estimate *out_estimate,
                                          kd_error *err);

/** A source record by id with where it came from. KD_NOT_FOUND when there is none. */
KD_CHECKED kd_status kd_source_record_get(kd_register *reg, int64_t id, kd_arena *arena, kd_source_record *out_record,
                                          kd_source_name *out_source, kd_str *out_file_name, kd_error *err);
/** "6127**********0024": the middle of an identity number hidden; short texts wholly. Into `buf`. */
kd_str kd_identity_masked(kd_str number, char buf[24]);

/* ---- what is to be done ---- */

typedef struct {
    kd_str kind, role; /* role: who settles it, as in packs/cn/checks.yaml */
    int64_t open, overdue;
    int32_t oldest_due; /* day */
} kd_task_sum;
/** Open tasks of the areas (0 is everywhere; none is counted twice) by kind and role, from an index alone. */
KD_CHECKED kd_status kd_task_summary(kd_register *reg, const int64_t *areas, size_t area_count, int32_t today,
                                     kd_arena *arena, kd_task_sum **out_sums, size_t *out_count, kd_error *err);
/** The last code that lies within an area: its zeros at the end become nines. */
int64_t kd_area_last_code(int64_t area);

/* ---- feeds ---- */

typedef struct {
    kd_source_name source;
    kd_str supplier_zh, supplier_en;
    int64_t batches, rows, rows_bad, records, last_batch_at;
    int32_t last_as_of_day;
    int days_late; /* -1: the register knows no periods, see kd_feed_info */
} kd_feed_status;
KD_CHECKED kd_status kd_feed_statuses(kd_register *reg, kd_arena *arena, kd_feed_status **out_feeds, size_t *out_count,
                                      kd_error *err);
typedef struct {
    kd_batch *batches; /* newest first */
    kd_source_name *sources;
    size_t count;
    kd_str next;
} kd_batch_page;
KD_CHECKED kd_status kd_batch_list(kd_register *reg, kd_str feed, kd_str cursor, size_t limit, kd_arena *arena,
                                   kd_batch_page *out_page, kd_error *err);
KD_CHECKED kd_status kd_batch_get(kd_register *reg, int64_t id, kd_arena *arena, kd_batch *out_batch,
                                  kd_source_name *out_source, kd_error *err);

/* ---- the overview ---- */

enum { KD_AGES = 101 };
typedef struct {
    kd_str key; /* feed, "2026-03", task kind */
    int64_t count, of;
} kd_area_figure;
typedef struct {
    int64_t division, persons, births, tasks_open, tasks_overdue; /* births: of the last twelve months */
    double completeness; /* share of persons whom at least the register's own (household) source knows; NAN none */
} kd_area_part;
typedef struct {
    int64_t division, persons, households;
    int64_t pyramid[2][KD_AGES]; /* 0 male, 1 female, by age reached this year; the last is 100 and over */
    kd_area_figure *births;      /* by month of birth, the last 24 */
    size_t birth_count;
    kd_area_figure *sources; /* persons known to each source, of those it should know; `of` 0: nobody in particular */
    size_t source_count;
    kd_area_figure *tasks; /* open by kind; `of` is overdue */
    size_t task_count;
    kd_area_part *parts; /* the divisions below */
    size_t part_count;
    int64_t made_at;
} kd_area_overview;
KD_CHECKED kd_status kd_area_overview_load(kd_register *reg, int64_t division, kd_arena *arena, kd_area_overview *out,
                                           kd_error *err);

/** When the last link run began, µs; 0 when there was none. */
KD_CHECKED kd_status kd_last_link_at(kd_register *reg, int64_t *out_at, kd_error *err);

/* ---- holding a thing while working on it ---- */

typedef struct {
    int64_t account_id, until;
    kd_str name;
} kd_claim;
/** Take or renew; KD_CONFLICT with `out_holder` when another holds it. */
KD_CHECKED kd_status kd_claim_take(kd_register *reg, kd_str object, int64_t account_id, kd_str name, int64_t lasts_us,
                                   kd_arena *arena, kd_claim *out_holder, kd_error *err);
KD_CHECKED kd_status kd_claim_release(kd_register *reg, kd_str object, int64_t account_id, kd_error *err);
/** Who holds it; KD_NOT_FOUND when nobody does. */
KD_CHECKED kd_status kd_claim_of(kd_register *reg, kd_str object, kd_arena *arena, kd_claim *out_holder, kd_error *err);

/** A picture that belongs to a task: kept in the archive by content. JPEG, PNG or WebP by its first bytes; KD_INVALID otherwise. */
KD_CHECKED kd_status kd_attachment_add(kd_register *reg, kd_str object, const char *path, int64_t account_id,
                                       int64_t *out_id, kd_error *err);
typedef struct {
    int64_t id, bytes, account_id, at;
    kd_str object, content_hash, content_type;
} kd_attachment;
KD_CHECKED kd_status kd_attachment_list(kd_register *reg, kd_str object, kd_arena *arena,
                                        kd_attachment **out_attachments, size_t *out_count, kd_error *err);
KD_CHECKED kd_status kd_attachment_get(kd_register *reg, int64_t id, kd_arena *arena, kd_attachment *out_attachment,
                                       kd_error *err);
/** Where the picture stands in the archive. */
KD_CHECKED kd_status kd_attachment_path(const kd_register *reg, const kd_attachment *attachment, kd_arena *arena,
                                        kd_str *out_path, kd_error *err);

#endif
