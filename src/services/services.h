/**
 * @file services.h
 * Services to families, run as cases: births registered at the counter; their confirmation; the notices that follow.
 *
 * A case is its declaration as it stands and a list of append-only actions (requested, accepted, rejected). Registering writes a
 * source record of the counter's own feed into the register (kd_register_declare): one source more, beside the departments'.
 *
 * G1: the only things needed are a date (may be approximate), a place, and one adult who declares. No function here looks at parity,
 * marital status, household registration, papers or any other case. G2: no fee can be told or kept. G3: a notice holds what
 * packs/cn/births.yaml lists for its office, checked when the pack is read against what no office may get.
 */
#ifndef KD_SERVICES_H
#define KD_SERVICES_H

#include "access/access.h"
#include "exchange/exchange.h"
#include "register/register.h"

/** packs/cn/births.yaml: fields of the declaration, offices and what their notices carry, texts of the confirmation. */
typedef struct kd_births_pack kd_births_pack;
KD_CHECKED kd_status kd_births_pack_load(const char *path, kd_births_pack **out_pack,
                                         kd_error *err); /* NULL: the shipped one */
/** Parse and check; `name` stands in messages. KD_INVALID with line and column for anything the pack may not say (G1 to G3). */
KD_CHECKED kd_status kd_births_pack_parse(kd_str text, const char *name, kd_births_pack **out_pack, kd_error *err);
void kd_births_pack_free(kd_births_pack *pack);

/** A code and what it is called. */
typedef struct {
    kd_str code, zh, en;
} kd_births_word;
/** Words of "declarant", "place", "action" or "notice_state", in their order; NULL for any other group. Live as long as the pack. */
const kd_births_word *kd_births_pack_words(const kd_births_pack *pack, const char *group, size_t *out_count);
typedef struct {
    kd_str name, title_zh, title_en;
} kd_office_info;
size_t kd_births_pack_offices(const kd_births_pack *pack);
kd_office_info kd_births_pack_office_at(const kd_births_pack *pack, size_t index);

/** A person named in a declaration. `person_id` 0 when not found in the register. Every text may be empty, every day none. */
typedef struct {
    int64_t person_id;
    kd_str name, identity_number, phone, ethnicity, nationality;
    int sex; /* 0 unknown */
    int32_t birth_day;
    int64_t division, hukou_division;
    kd_str address;
} kd_birth_person;

/** How exactly the birth date is known. */
typedef enum { KD_BIRTH_DAY_EXACT, KD_BIRTH_DAY_MONTH, KD_BIRTH_DAY_YEAR, KD_BIRTH_DAY_ABOUT } kd_birth_precision;
/** Where it was born. */
typedef enum {
    KD_BIRTH_IN_HOSPITAL,
    KD_BIRTH_AT_HOME,
    KD_BIRTH_ELSEWHERE,
    KD_BIRTH_ABROAD,
    KD_BIRTH_FOUND
} kd_birth_place_kind;
typedef enum {
    KD_DECLARANT_MOTHER,
    KD_DECLARANT_FATHER,
    KD_DECLARANT_RELATIVE,
    KD_DECLARANT_GUARDIAN,
    KD_DECLARANT_INSTITUTION,
    KD_DECLARANT_PROXY
} kd_declarant_kind;

typedef struct {
    kd_str name;             /* may be empty: not named yet */
    int sex;                 /* 0 unknown */
    int birth_order;         /* among multiples, from 1; 0 single */
    int weight_g, length_mm; /* 0 unknown */
    kd_str certificate_no;
    int32_t death_day; /* KD_DAY_NONE */
} kd_birth_child;

enum { KD_BIRTH_CHILDREN_MAX = 8 };
typedef struct {
    int64_t notice_record_id; /* hospital's record it begins with; 0 none */
    int32_t birth_day;
    kd_birth_precision precision;
    int birth_minute; /* of the day, -1 unknown */
    kd_birth_place_kind place_kind;
    int64_t place_division; /* where it is handled when the place is unknown or abroad */
    kd_str place_text, institution;
    int gestational_days;                           /* 0 unknown */
    kd_birth_child children[KD_BIRTH_CHILDREN_MAX]; /* twins are one declaration */
    size_t child_count;
    kd_birth_person mother, father; /* has_ tells whether known */
    bool has_mother, has_father;
    kd_declarant_kind declarant_kind;
    kd_str declarant_name, declarant_phone, declarant_relation;
    bool is_commitment; /* told on the declarant's word, papers come later or never */
    kd_str note;
    int64_t residence_division; /* where the family lives: care is offered there */
    kd_str residence_address;
} kd_birth_declaration;

/**
 * From JSON as api/openapi.yaml's BirthDeclaration has it; texts are copied into the arena. An unknown member, a wrong type, a text too long are
 * KD_INVALID with the member's JSON Pointer in err->field. No children is one child of whom nothing is known yet.
 */
KD_CHECKED kd_status kd_birth_read_json(kd_str text, kd_arena *arena, kd_birth_declaration *out_declaration,
                                        kd_error *err);
struct json_t;
/** The same from a parsed value; `where` is its JSON Pointer ("" or "/declaration"). */
KD_CHECKED kd_status kd_birth_read_value(const struct json_t *value, const char *where, kd_arena *arena,
                                         kd_birth_declaration *out_declaration, kd_error *err);
/** Back: every member is there, null for what is not known. */
KD_CHECKED kd_status kd_birth_write_json(const kd_birth_declaration *declaration, kd_json *json);

typedef struct {
    int64_t account_id, division; /* who does it, from where */
    kd_str name, role;
    kd_str transaction_id; /* safe to send twice */
    int64_t done_at;       /* µs, clock of the device; 0: now */
} kd_case_actor;

typedef struct {
    int64_t id, notice_record_id, created_by, created_at, changed_at, version, division;
    kd_str state; /* draft, registered, corrected, cancelled */
    kd_birth_declaration declaration;
    struct {
        int64_t person_id;
        kd_str number; /* of the mother-and-child handbook: one number and code from birth to school */
    } children[KD_BIRTH_CHILDREN_MAX];
} kd_birth;

/** Save as a draft (id 0: a new one). `version` must be the present one. What is missing or odd is told by kd_birth_review, never refused here. */
KD_CHECKED kd_status kd_birth_save(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                                   const kd_birth_declaration *declaration, const kd_case_actor *actor, int64_t *out_id,
                                   int64_t *out_version, kd_error *err);

typedef struct {
    bool is_blocking; /* only for a missing date, place or declarant, or a value that cannot be (a day in the future) */
    kd_str field;     /* JSON Pointer in the declaration */
    kd_str zh, en;
} kd_birth_remark;
/** What is missing, odd, or must be put right before it can be registered. */
KD_CHECKED kd_status kd_birth_review(kd_register *reg, const kd_births_pack *pack,
                                     const kd_birth_declaration *declaration, int32_t today, kd_arena *arena,
                                     kd_birth_remark **out_remarks, size_t *out_count, kd_error *err);

/** A person or a case that may be the same birth. */
typedef struct {
    int64_t person_id, case_id; /* one may be 0 */
    kd_str name, mother_name;
    int sex;
    int32_t birth_day;
    int64_t division;
    double probability;    /* that it is the same child */
    kd_str why_zh, why_en; /* "same mother, same day" */
} kd_birth_candidate;
/** Children of the register and open cases that this birth may be: same mother within 270 days, same certificate, same name and day … */
KD_CHECKED kd_status kd_birth_duplicates(kd_register *reg, const kd_births_pack *pack,
                                         const kd_birth_declaration *declaration, int64_t except_case, kd_arena *arena,
                                         kd_birth_candidate **out_candidates, size_t *out_count, kd_error *err);

/**
 * Register: children, relations, birth event, handbook number, notices, in one transaction, acknowledged when durable. Doing it twice with the
 * same transaction id gives the first result. KD_INVALID with the field for what kd_birth_review calls blocking; KD_CONFLICT when registered already.
 * `same_as` is the person that the declared child is, when the clerk found it in the register (0: a new one).
 */
KD_CHECKED kd_status kd_birth_register(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                                       const int64_t same_as[KD_BIRTH_CHILDREN_MAX], const kd_case_actor *actor,
                                       kd_birth *out_birth, kd_arena *arena, kd_error *err);
/** A correction with a reason; the offices that had a notice get one again when what they hold has changed. */
KD_CHECKED kd_status kd_birth_correct(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                                      const kd_birth_declaration *declaration, kd_str reason,
                                      const kd_case_actor *actor, kd_birth *out_birth, kd_arena *arena, kd_error *err);
/** Undo: the case stays readable, the child's declared records are withdrawn, notices not yet answered too. */
KD_CHECKED kd_status kd_birth_cancel(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                                     kd_str reason, const kd_case_actor *actor, kd_error *err);
KD_CHECKED kd_status kd_birth_get(kd_register *reg, int64_t id, kd_arena *arena, kd_birth *out_birth, kd_error *err);

typedef struct {
    int64_t division; /* with what lies in it */
    kd_str state;     /* empty: any */
    kd_str query;     /* in a name or a number */
    kd_str cursor;
    size_t limit;
} kd_birth_filter;
typedef struct {
    int64_t id, division, created_at, changed_at;
    kd_str state, number, child_name, mother_name;
    int32_t birth_day;
} kd_birth_brief;
typedef struct {
    kd_birth_brief *births; /* newest change first */
    size_t count;
    kd_str next;
} kd_birth_page;
KD_CHECKED kd_status kd_birth_list(kd_register *reg, const kd_birth_filter *filter, kd_arena *arena,
                                   kd_birth_page *out_page, kd_error *err);

typedef struct {
    int64_t id, at, received_at, account_id, division;
    kd_str kind, status, role, reason, name; /* name of the account */
} kd_case_action;
KD_CHECKED kd_status kd_case_actions(kd_register *reg, int64_t case_id, kd_arena *arena, kd_case_action **out_actions,
                                     size_t *out_count, kd_error *err);

/* ---- hospital's notices ---- */

/** A birth that a hospital told of (delivery or certificate feed) and that no case and no registration feed has yet. */
typedef struct {
    int64_t record_id; /* of the child */
    kd_str child_name, mother_name, institution, feed;
    int sex;
    int32_t birth_day;
    int64_t division; /* of the mother's residence */
    int days_waiting;
} kd_delivery_notice;
typedef struct {
    kd_delivery_notice *notices; /* oldest first */
    size_t count;
    kd_str next;
} kd_delivery_page;
KD_CHECKED kd_status kd_delivery_list(kd_register *reg, const kd_births_pack *pack, int64_t division, kd_str query,
                                      kd_str cursor, size_t limit, kd_arena *arena, kd_delivery_page *out_page,
                                      kd_error *err);
/** A declaration filled from the notice and the parents' persons. */
KD_CHECKED kd_status kd_birth_prefill(kd_register *reg, const kd_births_pack *pack, int64_t notice_record_id,
                                      kd_arena *arena, kd_birth_declaration *out_declaration, kd_error *err);

/* ---- notices to offices ---- */

typedef struct {
    int64_t id, case_id, created_at, sent_at, answered_at;
    kd_str office, title_zh, title_en, state, payload, answer;
} kd_office_notice;
KD_CHECKED kd_status kd_notice_of_case(kd_register *reg, const kd_births_pack *pack, int64_t case_id, kd_arena *arena,
                                       kd_office_notice **out_notices, size_t *out_count, kd_error *err);
/** Waiting notices of an office, oldest first; taken ones become sent. */
KD_CHECKED kd_status kd_notice_take(kd_register *reg, const kd_births_pack *pack, kd_str office, int64_t division,
                                    size_t limit, kd_arena *arena, kd_office_notice **out_notices, size_t *out_count,
                                    kd_error *err);
/** Where the notice's case is handled; KD_NOT_FOUND. */
KD_CHECKED kd_status kd_notice_division(kd_register *reg, int64_t id, int64_t *out_division, kd_error *err);
KD_CHECKED kd_status kd_notice_answer(kd_register *reg, int64_t id, bool is_accepted, kd_str answer,
                                      const kd_case_actor *actor, kd_error *err);

/* ---- the confirmation: one page, with a signed code ---- */

/** Signing keys of the register: made once, by init or on first use. Ed25519; DIR/keys/signing.key (mode 0600) and KEYID.pub. */
KD_CHECKED kd_status kd_keys_ensure(const char *register_dir, kd_error *err);
/** One-page PDF with a QR code holding `KD1.` payload `.` signature; the payload has the handbook number, the date, the place, initials only. */
KD_CHECKED kd_status kd_birth_confirmation(kd_register *reg, const kd_births_pack *pack, const kd_birth *birth,
                                           size_t child, bool is_english, kd_buf *out_pdf, kd_error *err);
/** The text of that code: number, date, county, day of issue, signed. Appended to `out`. */
KD_CHECKED kd_status kd_birth_code(kd_register *reg, const kd_birth *birth, size_t child, int32_t issued_day,
                                   kd_buf *out, kd_error *err);
typedef struct {
    bool is_right;
    kd_str number, issued_by, key_id;
    kd_str birth_date; /* as precise as the code has it: "2026-03-05", "2026-03", "2026" */
    int32_t birth_day, issued_day;
    kd_str fault_zh, fault_en;
} kd_code_verdict;
/** Check a code's text offline with the register's public keys (a folder of .pub files, or one file). */
KD_CHECKED kd_status kd_code_verify(kd_str code, const char *keys_path, kd_arena *arena, kd_code_verdict *out_verdict,
                                    kd_error *err);

#endif
