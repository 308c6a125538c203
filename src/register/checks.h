/**
 * @file checks.h
 * The cross-source checks of packs/cn/checks.yaml: a few kinds of question, asked of one person's records. Private to the register.
 *
 * A check sees what sources say of one person. It has no way to count or rank pregnancies, births or children, to look at
 * a person as a parent, or to ask for a father: such a pack cannot be written (guarantees G1, G4).
 */
#ifndef KD_REGISTER_CHECKS_H
#define KD_REGISTER_CHECKS_H

#include "survive.h"

enum { KD_CHECKS_MAX = 64, KD_CHECK_SOURCES_MAX = 256, KD_CHECK_PLACEHOLDERS_MAX = 8, KD_CHECKS_BYTES_MAX = 4 << 20 };

typedef enum {
    KD_FIND_DIFFERING,       /* sources of one person hold different values of an attribute */
    KD_FIND_DOUBTFUL_PAIR,   /* two persons who may be one */
    KD_FIND_SHARED_VALUE,    /* one number on two persons */
    KD_FIND_MISSING,         /* known to some sources, to others not */
    KD_FIND_CONTRADICTION,   /* one source's status denies another's */
    KD_FIND_PARTNER_UNKNOWN, /* one side of a row stands in no other source, the other side does */
} kd_find;

/** Bit (1 << role) of every source id. Records of parents are in no set. */
typedef struct {
    uint8_t roles[KD_CHECK_SOURCES_MAX];
} kd_feed_set;

typedef enum { KD_COUNT_BIRTH_DAY, KD_COUNT_EVENT_DAY, KD_COUNT_RECORDED_DAY } kd_counted_from;

typedef struct {
    kd_find find;
    kd_str kind, title_zh, title_en, ask_zh, ask_en;
    kd_str offer_zh, offer_en; /* of a task about a birth; empty for the others */
    kd_str role;
    int severity, due_days;
    kd_division_level level;

    kd_attribute attribute; /* DIFFERING, SHARED_VALUE; KD_ATTR_NONE for the others */
    kd_str identifier;      /* SHARED_VALUE: kind of table person_identifier */
    int trust_min;
    bool tolerates_incomplete, tolerates_lunar, tolerates_same_sound;
    uint8_t placeholder_month[KD_CHECK_PLACEHOLDERS_MAX], placeholder_day[KD_CHECK_PLACEHOLDERS_MAX];
    size_t placeholder_count;
    double weight_min;               /* DOUBTFUL_PAIR: bits */
    kd_feed_set known_to;            /* MISSING; PARTNER_UNKNOWN: the feeds; CONTRADICTION: says */
    kd_feed_set unknown_to;          /* MISSING; CONTRADICTION: but */
    uint32_t statuses, but_statuses; /* CONTRADICTION; bits of the status list */
    uint32_t unless_statuses;
    bool unknown_to_others;
    kd_counted_from counted_from;
    int32_t after_days, within_days; /* within_days 0: no end */
    kd_role sides[2];
} kd_check;

typedef struct {
    kd_str name, title_zh, title_en;
} kd_check_role;

typedef struct kd_checks kd_checks;
/** `feeds[i]` is the feed name of source id i (empty for none). */
KD_CHECKED kd_status kd_checks_load(const char *path, const kd_str *feeds, size_t feed_count, kd_checks **out_checks,
                                    kd_error *err);
/** `yaml` need only live for the call. Wrong packs are KD_INVALID with line and column. */
KD_CHECKED kd_status kd_checks_parse(kd_str yaml, const char *name, const kd_str *feeds, size_t feed_count,
                                     kd_checks **out_checks, kd_error *err);
void kd_checks_free(kd_checks *checks);
kd_str kd_checks_version(const kd_checks *checks);
size_t kd_checks_count(const kd_checks *checks);
const kd_check *kd_checks_at(const kd_checks *checks, size_t index);
const kd_check *kd_checks_find(const kd_checks *checks, kd_str kind);           /* NULL: not in the pack */
const kd_check_role *kd_checks_role(const kd_checks *checks, kd_str role_name); /* NULL: not in the pack */

/* ---- asking ---- */

typedef struct {
    kd_str feed, title_zh, title_en;
} kd_source_title;

/** What the questions need besides the person's records. All borrowed; only read, so that threads may share it. */
typedef struct {
    const kd_survivorship *rules;
    const kd_text *text;
    const kd_source_title *sources; /* of source id */
    const int32_t *as_of;           /* of source id: the day its files reach to; KD_DAY_NONE when nothing came */
    size_t source_count;
    /** Whether the record of `role` in the same row belongs to someone whom other sources know; NULL: nobody is. */
    bool (*partner_is_known)(void *ctx, const kd_source_record *record, kd_role role, int64_t *out_record_id);
    void *partner_ctx;
} kd_check_context;

/** Something found. Texts live until the emitting call returns. */
typedef struct {
    const kd_check *check;
    int64_t record_a, record_b; /* 0: none */
    kd_str facts;               /* JSON object that begins with its marks */
} kd_finding;
typedef kd_status (*kd_finding_emit)(void *ctx, const kd_finding *finding, kd_error *err);

/**
 * Ask every question that concerns one person alone. At most one finding a check. `buffer` is scratch. The order of the
 * records does not matter to what is found.
 */
KD_CHECKED kd_status kd_checks_person(const kd_checks *checks, const kd_check_context *context,
                                      const kd_source_record *records, size_t count, kd_buf *buffer,
                                      kd_finding_emit emit, void *emit_ctx, kd_error *err);

/* ---- facts ---- */

enum { KD_MARKS_MAX = 64, KD_MARK_BYTES = 16 };
/**
 * What a finding rests on, as hashes in hexadecimal: an answer stays good until a mark appears that was not there.
 * `marks_are_new`: whether `now` has a mark that `before` (facts of the same task) has not.
 */
bool kd_facts_marks_are_new(kd_str before, kd_str now);
/** Begins the facts object with its marks; the caller adds members and ends it. */
void kd_facts_begin(kd_json *json, kd_buf *buffer, const uint64_t *marks, size_t mark_count);
/** Bit of a status word in kd_check's masks; 0 for an unknown word. */
uint32_t kd_status_bit(kd_str word);
/** The first word of a mask of at least one bit. */
const char *kd_status_word(uint32_t statuses);

#endif
