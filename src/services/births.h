/**
 * @file births.h
 * Birth registration inside: the pack as read, and what the files of this folder share. Private to services.
 */
#ifndef KD_SERVICES_BIRTHS_H
#define KD_SERVICES_BIRTHS_H

#include "services/services.h"

enum {
    BIRTH_OFFICES_MAX = 8,
    BIRTH_CARRIES_MAX = 16,
    BIRTH_FEEDS_MAX = 8,
    BIRTH_FACTS_BYTES_MAX = 1 << 18,
    BIRTH_RECORDS_MAX = KD_BIRTH_CHILDREN_MAX + 2,
    BIRTH_NUMBER_BYTES = 32,
    BIRTH_KEY_ID_CHARS = 12,
    BIRTH_CODE_BYTES_MAX = 1024,
};

typedef struct {
    kd_str zh, en;
} birth_words;

/* ---- the pack ---- */

typedef enum {
    REMARK_NO_DATE,
    REMARK_NO_PLACE,
    REMARK_NO_DECLARANT,
    REMARK_DAY_IN_FUTURE,
    REMARK_DAY_TOO_EARLY,
    REMARK_DEATH_IN_FUTURE,
    REMARK_DEATH_BEFORE_BIRTH,
    REMARK_BLOCKING_END, /* those before it stop a registration, those after never */
    REMARK_LATE = REMARK_BLOCKING_END,
    REMARK_DEAD,
    REMARK_NO_NAME,
    REMARK_NO_SEX,
    REMARK_NO_PARENT,
    REMARK_SAME_PARENTS,
    REMARK_MOTHER_IDENTITY,
    REMARK_FATHER_IDENTITY,
    REMARK_MOTHER_BIRTH,
    REMARK_FATHER_BIRTH,
    REMARK_MOTHER_AGE,
    REMARK_FATHER_AGE,
    REMARK_WEIGHT,
    REMARK_LENGTH,
    REMARK_GESTATION,
    REMARK_CERTIFICATE,
    REMARK_CERTIFICATE_TWICE,
    REMARK_ORDER_TWICE,
    REMARK_PHONE,
    REMARK_DIVISION,
    REMARKS
} birth_remark_kind;

typedef enum {
    REASON_SAME_NOTICE,
    REASON_SAME_CERTIFICATE,
    REASON_SAME_MOTHER_DAY,
    REASON_SAME_MOTHER_NEAR,
    REASON_SAME_NAME_NEAR,
    REASONS
} birth_reason_kind;

/* All that a notice can carry: there is no other field, so no pack can add one (G3). */
typedef enum {
    CARRY_HANDBOOK_NUMBER,
    CARRY_CHILD_NAME,
    CARRY_CHILD_SEX,
    CARRY_BIRTH_DATE,
    CARRY_BIRTH_PLACE,
    CARRY_CERTIFICATE_NO,
    CARRY_DEATH_DATE,
    CARRY_MOTHER_NAME,
    CARRY_MOTHER_IDENTITY_NUMBER,
    CARRY_FATHER_NAME,
    CARRY_FATHER_IDENTITY_NUMBER,
    CARRY_RESIDENCE_DIVISION,
    CARRY_RESIDENCE_ADDRESS,
    CARRY_CONTACT_NAME,
    CARRY_CONTACT_PHONE,
    CARRIES
} birth_carry;

typedef enum {
    SAY_TITLE,
    SAY_REGISTER,
    SAY_NUMBER,
    SAY_NUMBER_USE,
    SAY_CHILD,
    SAY_NO_NAME,
    SAY_SEX,
    SAY_MALE,
    SAY_FEMALE,
    SAY_NO_SEX,
    SAY_BIRTH_DATE,
    SAY_ABOUT,
    SAY_PLACE,
    SAY_FOUND_PLACE,
    SAY_MOTHER,
    SAY_FATHER,
    SAY_DECLARANT,
    SAY_DEATH_DATE,
    SAY_TOGETHER,
    SAY_REGISTERED,
    SAY_NEXT,
    SAY_NEXT_LEAD,
    SAY_WITHIN,
    SAY_CONDOLENCE,
    SAY_CONDOLENCE_LEAD,
    SAY_FREE,
    SAY_VERIFY,
    SAY_CODE_HOLDS,
    SAY_PRINTED,
    SAYS
} birth_say;

typedef struct {
    kd_str name;
    birth_words title, next;
    bool is_alive_only;
    uint8_t carries[BIRTH_CARRIES_MAX];
    size_t carry_count;
    int within_days;
} birth_office;

typedef struct {
    int64_t least, most;
} birth_range;

struct kd_births_pack {
    kd_arena *arena;
    kd_str version, feed;
    birth_words feed_title, feed_supplier, feed_event;
    int32_t earliest;
    birth_range mother_age, father_age, weight_g, length_mm, gestational_days;
    int64_t late_after_days;
    birth_words remarks[REMARKS];
    int64_t mother_days, name_days, candidates_max;
    double differing_sex, differing_name;
    struct {
        birth_words words;
        double probability;
    } reasons[REASONS];
    int64_t serial_digits, group;
    kd_str told_by[BIRTH_FEEDS_MAX], registered_by[BIRTH_FEEDS_MAX];
    size_t told_by_count, registered_by_count;
    int64_t window_days;
    kd_births_word declarants[KD_DECLARANT_PROXY + 1], places[KD_BIRTH_FOUND + 1], actions[7], states[5];
    birth_office offices[BIRTH_OFFICES_MAX];
    size_t office_count;
    kd_str fonts;
    birth_words says[SAYS];
};

extern const char *const birth_declarant_names[KD_DECLARANT_PROXY + 2]; /* NULL-ended, as the two below */
extern const char *const birth_place_names[KD_BIRTH_FOUND + 2];
extern const char *const birth_precision_names[KD_BIRTH_DAY_ABOUT + 2];
const char *birth_carry_name(birth_carry carry);
const birth_office *birth_office_find(const kd_births_pack *pack, kd_str name); /* NULL: none */
/** Whether a text or key of a pack has a word that registration must know nothing of; `out_word` is it. */
bool birth_is_forbidden(kd_str text, const char **out_word);

/* ---- a case ---- */

/** What registering made of a child or a parent. */
typedef struct {
    int64_t records[BIRTH_RECORDS_MAX]; /* declared source records */
    size_t record_count;
} birth_made;

kd_status birth_no_memory(kd_error *err);
/** The whole case as stored: declaration, registered children, declared records. */
KD_CHECKED kd_status birth_facts_write(const kd_birth *birth, const birth_made *made, kd_buf *out, kd_error *err);
KD_CHECKED kd_status birth_facts_read(kd_str facts, kd_arena *arena, kd_birth *birth, birth_made *out_made,
                                      kd_error *err);
/** The case and what it made; KD_NOT_FOUND. */
KD_CHECKED kd_status birth_load(kd_register *reg, int64_t id, kd_arena *arena, kd_birth *out_birth,
                                birth_made *out_made, kd_error *err);
/** Names, certificate and handbook numbers of a case, folded, for its list. */
KD_CHECKED kd_status birth_search_text(kd_register *reg, const kd_birth *birth, kd_arena *arena, kd_str *out,
                                       kd_error *err);
/** Name folded as persons have it; empty when it names nobody. */
KD_CHECKED kd_status birth_fold_name(kd_register *reg, kd_str raw, kd_arena *arena, kd_str *out, kd_error *err);
/** "%folded%" for `like … escape '!'`; "%%" for an empty query. */
KD_CHECKED kd_status birth_like_pattern(kd_register *reg, kd_str query, kd_arena *arena, kd_str *out, kd_error *err);
/** A declaration's own copy in the arena. */
KD_CHECKED kd_status birth_copy(const kd_birth_declaration *declaration, kd_arena *arena, kd_birth_declaration *out,
                                kd_error *err);

typedef struct {
    int64_t case_id;
    const char *kind, *status;
    kd_str reason, facts; /* empty: none */
} birth_action;
/** Append an action; within the caller's transaction. */
KD_CHECKED kd_status birth_action_add(kd_register *reg, const kd_case_actor *actor, const birth_action *action,
                                      kd_error *err);
/** Whether the transaction did this to the case already. */
KD_CHECKED kd_status birth_action_is_done(kd_register *reg, const kd_case_actor *actor, int64_t case_id,
                                          const char *kind, bool *out_is_done, kd_error *err);
/** Where a case is handled: the family's residence or the place of birth when the actor's area holds it, else the actor's own. */
KD_CHECKED kd_status birth_division(kd_register *reg, const kd_birth_declaration *declaration,
                                    const kd_case_actor *actor, int64_t *out_division, kd_error *err);

/** A child that hospitals told of, with the person it is linked to. */
typedef struct {
    int64_t record_id, person_id; /* person_id 0: none yet */
    kd_str name, certificate_no, address;
    int sex, birth_order;
    int32_t birth_day, death_day;
    int64_t division;
} birth_told;
/** The notice's child and those born with it, each once; KD_NOT_FOUND when it is no hospital's record of a child. */
KD_CHECKED kd_status birth_told_children(kd_register *reg, const kd_births_pack *pack, int64_t record_id,
                                         kd_arena *arena, birth_told out[KD_BIRTH_CHILDREN_MAX], size_t *out_count,
                                         kd_error *err);

/** Next handbook number of a county; within the caller's transaction. */
KD_CHECKED kd_status birth_number_next(kd_register *reg, const kd_births_pack *pack, int64_t division, int32_t today,
                                       char out[BIRTH_NUMBER_BYTES], kd_error *err);
/** Whether the check digit is right. Source: ISO 7064, MOD 11,10. */
bool birth_number_is_valid(kd_str number);

/** "陕西省榆林市吴堡县县医院": the division's full name, then the institution or what was written. */
KD_CHECKED kd_status birth_place_text(kd_register *reg, const kd_birth_declaration *declaration, kd_arena *arena,
                                      kd_str *out, kd_error *err);
/** Notices to the offices of a new, a corrected (`before` is how it was) or a cancelled registration; in the caller's transaction. */
KD_CHECKED kd_status birth_notify(kd_register *reg, const kd_births_pack *pack, const kd_birth *birth,
                                  bool is_cancelled, int64_t *out_made, kd_error *err);

/* ---- keys and codes ---- */

/** Sign with the register's key; `key_id` gets BIRTH_KEY_ID_CHARS characters and NUL. */
KD_CHECKED kd_status birth_sign(const char *register_dir, kd_str bytes, uint8_t out_signature[64],
                                char out_key_id[BIRTH_KEY_ID_CHARS + 1], kd_error *err);
struct evp_pkey_st;
/** A .pub file; the caller frees the key. */
KD_CHECKED kd_status birth_public_key(const char *path, struct evp_pkey_st **out_key,
                                      char out_key_id[BIRTH_KEY_ID_CHARS + 1], kd_error *err);

/** A code's text taken apart: what is signed, what it says, by whom. */
typedef struct {
    kd_str signed_text; /* "KD1.PAYLOAD", borrowed */
    char payload[BIRTH_CODE_BYTES_MAX];
    size_t payload_len;
    uint8_t signature[64];
    char key_id[BIRTH_KEY_ID_CHARS + 1];
} birth_code;
bool birth_code_split(kd_str text, birth_code *out); /* false: not the shape of a code */
typedef struct {
    char number[BIRTH_NUMBER_BYTES], county[8];
    int32_t birth_day, issued_day;
    kd_birth_precision precision; /* exact, month or year: as written */
} birth_code_says;
bool birth_code_read(kd_str payload, birth_code_says *out); /* false: not what a code says */
/** Date as precise as it is known: "2026-03-05", "2026-03", "2026". */
char *birth_date_format(int32_t day, kd_birth_precision precision, char buf[16]);

#endif
