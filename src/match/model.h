/**
 * @file model.h
 * A linkage model as read from its YAML file. Private to match.
 */
#ifndef KD_MATCH_MODEL_H
#define KD_MATCH_MODEL_H

#include "base/base.h"
#include "match.h"

enum {
    KD_MATCH_FIELDS_MAX = 32,
    KD_MATCH_COMPARISONS_MAX = 24,
    KD_MATCH_LEVELS_MAX = 12, /* with the missing level */
    KD_MATCH_RULES_MAX = 32,
    KD_MATCH_KEYS_MAX = 6,
    KD_MATCH_KEY_TABLES_MAX = 128,
    KD_MATCH_SOURCES_MAX = 4,
    KD_MATCH_NULL_TEXTS_MAX = 16,
    KD_MATCH_TEXT_CHARS_MAX = 64, /* longer texts are compared by their first characters */
};

typedef enum { KD_FIELD_TEXT, KD_FIELD_NAME, KD_FIELD_IDENTITY, KD_FIELD_DATE, KD_FIELD_DIVISION } kd_field_kind;

/** A column of the model: what is read and how. */
typedef struct {
    kd_str name;
    kd_field_kind kind;
    kd_str sources[KD_MATCH_SOURCES_MAX]; /* columns of the frame, joined by a space */
    size_t source_count;
    bool is_day_first; /* 05-01-2020 is 5 January */
    bool needs_text;   /* a key or a level looks at characters: numbers of a frame are written out */
} kd_field;

/** What a blocking key takes of a value. */
typedef enum {
    KD_KEY_WHOLE,
    KD_KEY_FIRST, /* n characters from the start */
    KD_KEY_LAST,  /* n characters from the end */
    KD_KEY_SOUNDEX,
    KD_KEY_SORTED,    /* characters in order, so that swapped ones meet */
    KD_KEY_SYLLABLES, /* how a Chinese name sounds */
    KD_KEY_SURNAME,
    KD_KEY_GIVEN,
    KD_KEY_YEAR,
    KD_KEY_MONTH, /* year and month */
    KD_KEY_DAY,   /* month and day */
    KD_KEY_TOWNSHIP,
    KD_KEY_COUNTY,
    KD_KEY_WORD, /* first word */
} kd_key_kind;

typedef struct {
    size_t field;
    kd_key_kind kind;
    int64_t count; /* of FIRST and LAST */
    size_t table;  /* index among the model's keys that differ */
} kd_key;

typedef struct {
    kd_key keys[KD_MATCH_KEYS_MAX];
    size_t key_count;
    bool is_near;        /* values one edit apart, of which one cannot be right; keys[0] names the field */
    int64_t records_max; /* a block of more records is passed over */
} kd_rule;

typedef enum {
    KD_LEVEL_MISSING,
    KD_LEVEL_EXACT,
    KD_LEVEL_JARO_WINKLER, /* at_least */
    KD_LEVEL_LEVENSHTEIN,  /* at_most */
    KD_LEVEL_OSA,          /* at_most: with swaps of neighbours */
    KD_LEVEL_SWAPPED,      /* each side's value is the other's `with` column */
    KD_LEVEL_SAME_CHARS,   /* other order */
    KD_LEVEL_HOMOPHONE,
    KD_LEVEL_LOOKALIKE, /* at_least, of 255: characters that differ look or sound alike */
    KD_LEVEL_ONE_DIFFERS,
    KD_LEVEL_SUBSET,     /* one character missing or added */
    KD_LEVEL_SAME_GIVEN, /* the surname differs */
    KD_LEVEL_SAME_SURNAME,
    KD_LEVEL_TYPO,       /* identity: at_most edits and one side cannot be right */
    KD_LEVEL_BOTH_VALID, /* identity: two different good numbers */
    KD_LEVEL_ONE_DIGIT,
    KD_LEVEL_DIGITS_SWAPPED, /* two neighbouring digits of the year, month or day */
    KD_LEVEL_DAY_MONTH,      /* day and month swapped */
    KD_LEVEL_LUNAR,
    KD_LEVEL_NEW_YEAR, /* same year, one side 1 January */
    KD_LEVEL_SAME_MONTH,
    KD_LEVEL_SAME_DAY_OF_YEAR,
    KD_LEVEL_SAME_YEAR,
    KD_LEVEL_WITHIN, /* at_most days */
    KD_LEVEL_SAME_TOWNSHIP,
    KD_LEVEL_SAME_COUNTY,
    KD_LEVEL_ELSE,
} kd_level_kind;

typedef struct {
    kd_level_kind kind;
    kd_str name, title_zh, title_en;
    double limit; /* at_least or at_most */
    size_t with;  /* field of SWAPPED */
    double m, u;  /* NAN until known */
    bool is_m_given, is_u_given;
    bool is_veto; /* such a pair is never one person */
    bool has_term_frequency;
} kd_level;

typedef struct {
    kd_str name;
    size_t field;
    kd_level levels[KD_MATCH_LEVELS_MAX]; /* [0] is the missing one */
    size_t level_count;
    size_t unless_comparison; /* SIZE_MAX: none */
    uint32_t unless_levels;   /* bit per level: there this one counts as missing */
    uint32_t stride;          /* of its level in a pattern */
    double least_likeness;    /* least limit of its Jaro-Winkler levels */
    double most_edits;        /* largest limit of its edit levels */
} kd_comparison;

struct kd_model {
    kd_arena *arena;
    const kd_text *text;
    kd_str name, source; /* the YAML it was read from */
    const kd_yaml *root;
    kd_field fields[KD_MATCH_FIELDS_MAX];
    size_t field_count;
    kd_rule collapse[KD_MATCH_RULES_MAX];
    size_t collapse_count;
    size_t distinct[KD_MATCH_FIELDS_MAX], exclusive[KD_MATCH_FIELDS_MAX];
    size_t distinct_count, exclusive_count;
    kd_rule rules[KD_MATCH_RULES_MAX];
    size_t rule_count;
    kd_rule training[KD_MATCH_RULES_MAX];
    size_t training_count;
    kd_comparison comparisons[KD_MATCH_COMPARISONS_MAX];
    size_t comparison_count;
    kd_key keys[KD_MATCH_KEY_TABLES_MAX]; /* all that rules name, each once */
    size_t key_count;
    bool is_link_only, is_trained;
    double prior;              /* probability that two random records match; NAN until known */
    double matches_per_record; /* expected, given in place of the prior; NAN otherwise */
    double threshold_bits, review_bits, cluster_bits, unscored_bits;
    bool is_average_link;
    kd_str null_texts[KD_MATCH_NULL_TEXTS_MAX]; /* values that mean nothing is there */
    size_t null_text_count;
    kd_str id_column, entity_column, entity_before, entity_after;
};

/** log2(m / u) of a level; 0 for the missing one. */
double kd_level_bits(const kd_level *level);

#endif
