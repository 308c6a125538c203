/**
 * @file survive.h
 * Survivorship: which value of an attribute a person is given, among those that the linked records hold.
 */
#ifndef KD_REGISTER_SURVIVE_H
#define KD_REGISTER_SURVIVE_H

#include "register.h"

/** A person's attributes, in the order of the columns of table person. */
typedef enum {
    KD_ATTR_NAME,
    KD_ATTR_SEX,
    KD_ATTR_BIRTH_DAY,
    KD_ATTR_DEATH_DAY,
    KD_ATTR_IDENTITY_NUMBER,
    KD_ATTR_PHONE,
    KD_ATTR_DIVISION,
    KD_ATTR_ADDRESS,
    KD_ATTR_HUKOU_DIVISION,
    KD_ATTR_HOUSEHOLD_NO,
    KD_ATTR_ETHNICITY,
    KD_ATTR_MARITAL_STATUS,
    KD_ATTR_EDUCATION,
    KD_ATTR_COUNT,
    KD_ATTR_NONE = KD_ATTR_COUNT
} kd_attribute;

typedef enum { KD_ATTR_IS_TEXT, KD_ATTR_IS_DAY, KD_ATTR_IS_NUMBER } kd_attribute_kind;

const char *kd_attribute_name(kd_attribute attribute); /* "birth_day": also its column */
const char *kd_attribute_title(kd_attribute attribute, bool is_english);
kd_attribute_kind kd_attribute_kind_of(kd_attribute attribute);
kd_attribute kd_attribute_read(kd_str name); /* KD_ATTR_NONE when unknown */

/** One value: a text, a day or a number, as the attribute's kind says. */
typedef struct {
    kd_str text;    /* borrowed */
    int64_t number; /* days too; KD_DAY_NONE or INT64_MIN are no value */
    bool is_there;
    bool is_incomplete; /* a year for a date, a number that cannot be right */
    int8_t quality;     /* birth_kind of a birth day, identity_kind of an identity number */
} kd_value_of;

/** What a record says of an attribute. */
kd_value_of kd_attribute_of(const kd_source_record *record, kd_attribute attribute);
bool kd_value_same(kd_attribute attribute, const kd_value_of *a, const kd_value_of *b);
/** Canonical text ("2020-01-05", "1", "610829101203"); days and numbers go into `buf`. */
kd_str kd_value_text(kd_attribute attribute, const kd_value_of *value, char buf[24]);
/** The value that a canonical text means; `is_there` false when it means none. `text` is borrowed. */
kd_value_of kd_value_parse(kd_attribute attribute, kd_str text);

/* ---- the rules: packs/cn/survivorship.yaml ---- */

typedef struct kd_survivorship kd_survivorship;
/** `feeds[i]` is the feed name of source id i (empty for none); trust is resolved against them once. */
KD_CHECKED kd_status kd_survivorship_load(const char *path, const kd_str *feeds, size_t feed_count,
                                          kd_survivorship **out_rules, kd_error *err);
void kd_survivorship_free(kd_survivorship *rules);
kd_str kd_survivorship_version(const kd_survivorship *rules);
/** "vote" or "most_recent", as in the pack. */
const char *kd_survivorship_method(const kd_survivorship *rules, kd_attribute attribute);
/** Trust 0..100 of a feed in a role for an attribute. */
int kd_survivorship_trust(const kd_survivorship *rules, kd_attribute attribute, int32_t source_id, kd_role role);
/** Whether differing values are a disagreement. */
bool kd_survivorship_conflicts(const kd_survivorship *rules, kd_attribute attribute);

enum { KD_COMPETING_MAX = 32 };

/** A value and who holds it. */
typedef struct {
    kd_value_of value;
    int score;          /* vote: sum of trust; most_recent: trust of the best holder */
    int records, feeds; /* how many hold it */
    int32_t latest_day; /* recorded last; KD_DAY_NONE when no holder says */
    uint32_t first;     /* index of its first holder in the records given */
    bool is_decided;    /* a person said so */
    bool by_identity;   /* also what the identity number says */
} kd_competing;

/** The values of one attribute, the chosen one first, the rest by falling score. */
typedef struct {
    kd_competing values[KD_COMPETING_MAX];
    size_t count;     /* 0: no record holds any */
    bool is_conflict; /* complete values differ and the attribute is one that should not */
} kd_choice;

/** What people decided about this person: record-anchored, latest last. */
typedef struct {
    kd_attribute attribute;
    kd_str value; /* canonical text */
} kd_decided_value;

/**
 * Choose. `identity` is the person's chosen identity number when it is valid, else NULL: it votes for birth day and sex.
 * The same records in any order give the same choice. Values past KD_COMPETING_MAX are left out of the list.
 */
void kd_survive_choose(const kd_survivorship *rules, kd_attribute attribute, const kd_source_record *records,
                       size_t count, const kd_decided_value *decided, size_t decided_count, const kd_identity *identity,
                       kd_choice *out_choice);

#endif
