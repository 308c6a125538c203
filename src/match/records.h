/**
 * @file records.h
 * Records as rows of codes, one 32-bit code a column, and the distinct values behind the codes. Private to match.
 */
#ifndef KD_MATCH_RECORDS_H
#define KD_MATCH_RECORDS_H

#include "model.h"

enum { KD_VALUE_CHARS = 6 };

/** Characters of a name and how they sound. */
typedef struct {
    uint32_t chars[KD_VALUE_CHARS];
    uint16_t syllables[KD_VALUE_CHARS];
} kd_name_parts;

/** A distinct value, parsed once: 24 bytes, for there are many. */
typedef struct {
    const char *ptr; /* normalised text, owned by the dictionary */
    union {
        uint64_t set;              /* texts, identity: bit per character that occurs, by its last six bits */
        int64_t number;            /* division code */
        const kd_name_parts *name; /* names */
    };
    uint32_t hash;             /* of the text */
    uint16_t len;              /* bytes */
    uint8_t length;            /* characters, up to KD_MATCH_TEXT_CHARS_MAX */
    uint8_t is_valid : 1;      /* identity: shape, date and check are right */
    uint8_t is_ascii : 1;      /* and not longer than KD_MATCH_TEXT_CHARS_MAX */
    uint8_t count : 3;         /* name: characters, up to KD_VALUE_CHARS */
    uint8_t surname_count : 3; /* of them the surname */
} kd_entry;

/** Distinct values of one kind; columns of names share one domain, and so do those of identity numbers. */
typedef struct {
    kd_dict *dict;        /* code - 1 of the normalised text */
    kd_entry *entries;    /* of code */
    kd_name_parts *names; /* of code; domains of names */
    uint32_t count;       /* codes, with 0 */
} kd_domain;

/** A column: code 0 is missing; direct columns hold numbers (code = number + offset) and have no entries. */
typedef struct {
    bool is_direct;
    size_t domain;           /* index; values that are not direct */
    const kd_dict *dict;     /* of the domain */
    const kd_entry *entries; /* of the domain, by code */
    uint32_t count;          /* codes, with 0 */
    uint32_t *frequency;     /* of code, records; NULL when nobody asks, and for direct columns of a wide range */
    uint64_t present;        /* records with a value */
    double same_pairs;       /* ordered pairs of records with the same value that could be one */
    double both_present;     /* ordered pairs of records with a value each that could be one */
    float *rare_bits;        /* of code: log2 of 1 / its share of the values; NULL unless a level asks for it */
    float most_rare_bits;
} kd_values;

enum { KD_DAY_OFFSET = 1000000, KD_NUMBER_OFFSET = 1 }; /* days from the year 1 on are above 0 */

/** A record to compare: its codes, and its own entries when it is not one of the matcher's. */
typedef struct {
    const uint32_t *codes;
    const kd_entry *own; /* of column; NULL for the matcher's records */
} kd_side;

struct kd_matcher {
    const kd_model *model;
    kd_match_options options;
    unsigned threads;
    uint64_t records;
    uint8_t *table; /* of record: its frame; NULL unless link_only */
    size_t width;   /* codes a record */
    uint32_t *codes;
    kd_values values[KD_MATCH_FIELDS_MAX];
    kd_domain domains[KD_MATCH_FIELDS_MAX];
    size_t domain_count;
    uint32_t *key_tables[KD_MATCH_KEY_TABLES_MAX]; /* of the model's key: its number for every code; NULL: the code */
    uint32_t *node;                                /* of record: first record of its collapsed group */
    uint8_t *is_told; /* of record: others of its group say all that it says; NULL when nothing was collapsed */
    double bits[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX];
    double u_bits[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX]; /* log2 u; term frequency takes its place */
    double best_after[KD_MATCH_COMPARISONS_MAX + 1]; /* what the comparisons from this one on can add at most */
    double prior_bits;
};

static inline const uint32_t *kd_codes(const kd_matcher *matcher, uint32_t record)
{
    return matcher->codes + (size_t)record * matcher->width;
}
static inline kd_side kd_side_of(const kd_matcher *matcher, uint32_t record)
{
    return (kd_side){ kd_codes(matcher, record), NULL };
}
/** Two records of one table, when the model says that a table holds a person once. */
static inline bool kd_same_table(const kd_matcher *matcher, uint32_t a, uint32_t b)
{
    return matcher->table && matcher->table[a] == matcher->table[b];
}
static inline const kd_entry *kd_entry_of(const kd_matcher *matcher, const kd_side *side, size_t field)
{
    return side->own ? &side->own[field] : &matcher->values[field].entries[side->codes[field]];
}

/** Parse a raw text into `out`; false when it means nothing. The normalised text is written to `buf`. */
enum { KD_NORMAL_BYTES_MAX = 512 };
bool kd_entry_read(const kd_model *model, size_t field, kd_str raw, kd_entry *out, kd_name_parts *parts,
                   char buf[KD_NORMAL_BYTES_MAX]);

/* values.c: a column of a frame for a column of the model */
typedef struct {
    const kd_column *columns[KD_MATCH_SOURCES_MAX];
    size_t count;
} kd_sources;
bool kd_find_sources(const kd_model *model, size_t field, const kd_frame *frame, kd_sources *out_sources);
/** Text of a row, several columns joined by a space; numbers and days written out. */
kd_str kd_row_text(const kd_sources *sources, int64_t row, char *buf, size_t buf_bytes);
/** Whether a model column can hold the frame's numbers as they are. */
bool kd_is_direct(const kd_model *model, size_t field, const kd_sources *sources);
uint32_t kd_direct_code(const kd_model *model, size_t field, const kd_column *column, int64_t row);
/** Code of row `row` of a frame's column as the matcher would give it; `own` is filled for a foreign value. */
uint32_t kd_record_code(const kd_matcher *matcher, const kd_frame *frame, size_t field, int64_t row, kd_entry *own,
                        kd_name_parts *parts, char buf[KD_NORMAL_BYTES_MAX]);

/* load.c */
/** Codes of all records, the distinct values and how often they occur. */
KD_CHECKED kd_status kd_load(kd_matcher *matcher, const kd_frame *const *frames, size_t frame_count, kd_error *err);

/* keys.c */
KD_CHECKED kd_status kd_keys_prepare(kd_matcher *matcher, kd_error *err);
/** Number of a key of a record; 0 when the value is missing or too short. */
uint32_t kd_key_of(const kd_matcher *matcher, const kd_key *key, const kd_side *side);
/** Hash of all keys of a rule, never 0; 0 when one is missing. */
uint32_t kd_rule_key(const kd_matcher *matcher, const kd_rule *rule, const kd_side *side);
/** The same for any order of the rows: for sampling. */
uint64_t kd_rule_content(const kd_matcher *matcher, const kd_rule *rule, const kd_side *side);
bool kd_rule_holds(const kd_matcher *matcher, const kd_rule *rule, const kd_side *a, const kd_side *b);

/* patterns.c */
/** Pairs of one pattern whose shared values are equally rare. */
typedef struct {
    uint32_t pattern;
    uint8_t rare;  /* bits that the rarity of values shared at levels with term frequency adds up to */
    uint8_t times; /* rules that bring the pair: 1, 2, 3 for more; 0 when only one rule was asked */
    double count;
} kd_pattern_count;
typedef struct {
    kd_pattern_count *patterns; /* in their order */
    size_t count;
} kd_patterns;
/**
 * Patterns of the pairs that one rule brings (`only`), or all rules together (SIZE_MAX), every pair once; counts are of a
 * sample of blocks when there are many, scaled up. Free with kd_patterns_done.
 */
KD_CHECKED kd_status kd_patterns_read(const kd_matcher *matcher, const kd_rule *rules, size_t rule_count, size_t only,
                                      kd_patterns *out_patterns, kd_error *err);
void kd_patterns_done(kd_patterns *patterns);

/* train_u.c */
typedef struct {
    double counts[KD_MATCH_COMPARISONS_MAX][KD_MATCH_LEVELS_MAX];
} kd_level_counts;
/** Levels of random pairs of records that are not one from the start: all pairs when there are few. */
KD_CHECKED kd_status kd_count_random(const kd_matcher *matcher, kd_level_counts *out_counts, kd_error *err);
/** Set every u of the model that is not given, less the matches that `prior` lets expect among random pairs. */
void kd_set_u(const kd_matcher *matcher, kd_model *model, const kd_level_counts *counts, double prior);
/** Pairs of records that could be one at all. */
double kd_all_pairs(const kd_matcher *matcher);
/** Hash of what a record says, whatever its place. */
uint64_t kd_record_content(const kd_matcher *matcher, uint32_t record);

/* compare.c */
/** Level of a comparison for two records; 0 when a side is missing. */
size_t kd_compare(const kd_matcher *matcher, const kd_comparison *comparison, const kd_side *a, const kd_side *b);
/** Pattern of all comparisons. */
uint32_t kd_pattern(const kd_matcher *matcher, const kd_side *a, const kd_side *b);
static inline size_t kd_pattern_level(const kd_comparison *comparison, uint32_t pattern)
{
    return pattern / comparison->stride % comparison->level_count;
}
/** Bits that the value shared at an exact level adds for being rarer than the average, 0 when the level does not ask. */
double kd_tf_bits(const kd_matcher *matcher, const kd_comparison *comparison, size_t level, const kd_side *a);
/**
 * Match weight and pattern. False, with nothing written, as soon as the weight cannot reach `floor_bits` any more.
 * `*out_is_veto` tells a level that rules the pair out.
 */
bool kd_score(const kd_matcher *matcher, const kd_side *a, const kd_side *b, double floor_bits, double *out_bits,
              uint32_t *out_pattern, bool *out_is_veto);
/** Bring the tables of bits up to date with the model's m, u and prior. */
void kd_score_prepare(kd_matcher *matcher);

/* strings.c */
/** Fill in length, is_ascii, hash and, where the kind has one, set from the text. */
void kd_entry_measure(kd_entry *entry, kd_field_kind kind);
/** 0..1; any value below `at_least` when it does not reach that. */
double kd_jaro_winkler(const kd_entry *a, const kd_entry *b, double at_least);
/** Edits up to `most`, else most + 1; with swaps of neighbours as one edit when `with_swaps` (optimal string alignment). */
int kd_edit_distance(const kd_entry *a, const kd_entry *b, int most, bool with_swaps);

/* block.c */
/** One candidate pair, a < b; called from several threads with different `slot`. */
typedef kd_status (*kd_visit)(void *ctx, size_t slot, uint32_t a, uint32_t b, kd_error *err);
typedef struct {
    const kd_rule *rules;
    size_t rule_count;     /* pairs that an earlier rule brought are not visited again */
    size_t only;           /* SIZE_MAX: all rules; else this one, whatever earlier ones brought */
    uint64_t sample_pairs; /* visit about this many a rule at most, whole blocks; 0: all */
    bool with_same_node;   /* also pairs that are one from the start: training looks at them, scoring need not */
    kd_visit visit;
    void *ctx;
    uint64_t *visited; /* count of slot, may be NULL */
    /** After each rule, with the share of its blocks that was visited: one in `sample_every`. May be NULL. */
    kd_status (*after)(void *ctx, size_t rule, uint64_t sample_every, kd_error *err);
    uint64_t *full_blocks, *full_records; /* blocks passed over for being too full, and their records; may be NULL */
} kd_blocking;
enum { KD_BLOCK_SLOTS = 64 };
KD_CHECKED kd_status kd_block(const kd_matcher *matcher, const kd_blocking *blocking, kd_error *err);

/* near.c */
/**
 * Keys of records by the deletion neighbourhood of their value: a number that cannot be right meets every value one edit
 * away. Only neighbourhoods that hold such a number are kept. `only_wrong`: only records with such a number.
 */
KD_CHECKED kd_status kd_near_keys(const kd_matcher *matcher, const kd_rule *rule, bool only_wrong,
                                  uint64_t **out_packed, size_t *out_count, kd_error *err);
enum { KD_NEAR_KEYS_MAX = 64 };
/** Keys of one value, each once; returns how many. */
size_t kd_near_keys_of(const kd_entry *entry, uint32_t keys[KD_NEAR_KEYS_MAX]);

/* sort.c */
/** Sort by the upper 32 bits, stable, on `threads` threads. `spare` holds as many. */
KD_CHECKED kd_status kd_sort_packed(unsigned threads, uint64_t *packed, uint64_t *spare, size_t count, kd_error *err);
/**
 * Key and record of every record that has the rule's keys, sorted by key, then record; of collapsed groups only the
 * records that say something of their own unless `with_told`. Free with free().
 */
KD_CHECKED kd_status kd_block_keys(const kd_matcher *matcher, const kd_rule *rule, bool with_told,
                                   uint64_t **out_packed, size_t *out_count, kd_error *err);

/* collapse.c */
KD_CHECKED kd_status kd_collapse(kd_matcher *matcher, kd_error *err);

#endif
