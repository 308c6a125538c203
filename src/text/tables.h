/** @file tables.h What kd_text holds: the shipped tables laid out for one or two memory touches a character. Private. */
#ifndef KD_TEXT_TABLES_H
#define KD_TEXT_TABLES_H

#include "base/base.h"
#include "text/csv.h"
#include "text/text.h"

enum {
    HANZI_FIRST = 0x4E00,
    HANZI_END = 0xA000,
    FOLD_FAR = 0xFFFF, /* the folded character stands outside the BMP: look in `far` */
    SYLLABLE_BYTES = 8,
    LUNAR_FIRST = 1900,
    LUNAR_YEARS = 201,
    SOUND_PARTS_MAX = 63,
    PATTERN_CHARS_MAX = 8,
    PATTERNS_MAX = 512,
};

typedef struct {
    uint16_t fold, syllable;
} char_facts;

/* One hanzi's looks in 64 bits; 0 is unknown. */
typedef struct {
    uint64_t cangjie : 25;     /* five letters of five bits, 0 none, first letter lowest */
    uint64_t four_corner : 20; /* five digits of four bits, top left lowest */
    uint64_t has_corner : 1;
    uint64_t strokes : 7;
    uint64_t radical : 8;
} char_shape;

typedef struct {
    int32_t new_year;   /* its Gregorian day */
    uint16_t is_long;   /* bit i: the i-th month from the first, the leap month counted, has 30 days */
    uint8_t leap_month; /* 0 none: the leap month follows the month of this number */
    uint8_t months;
} lunar_year;

/* A name that is no name. `body` closes the name, at least `lead_min` characters before it; 0 in `body` is any one. */
typedef struct {
    kd_name_kind kind;
    int8_t sex;
    uint8_t lead_min; /* 0: the body is the whole name */
    uint8_t count;
    uint32_t body[PATTERN_CHARS_MAX];
} name_pattern;

/* Initials or finals, numbered from 1. */
typedef struct {
    char names[SOUND_PARTS_MAX + 1][SYLLABLE_BYTES];
    uint8_t count;
} sound_parts;

struct kd_text {
    char_facts bmp[0x10000];
    char_shape shapes[HANZI_END - HANZI_FIRST];
    uint8_t likeness[(KD_SYLLABLES_MAX + 1) * (KD_SYLLABLES_MAX + 1)];
    char syllables[KD_SYLLABLES_MAX + 1][SYLLABLE_BYTES];
    uint16_t syllable_count;
    sound_parts initials, finals;
    uint8_t initial_of[KD_SYLLABLES_MAX + 1], final_of[KD_SYLLABLES_MAX + 1];
    kd_map *far;                       /* code point to fold and, in the upper half, syllable */
    kd_map *surnames;                  /* surname_key to surname_value */
    lunar_year lunar[LUNAR_YEARS + 1]; /* and the new year after the last */
    name_pattern patterns[PATTERNS_MAX];
    size_t pattern_count;
    uint64_t
        pattern_tails[16]; /* bit per low ten bits of a character that may end, or stand last but one in, a pattern */
};

/** Key of a surname of one (`second` 0) or two characters. */
static inline uint64_t surname_key(uint32_t first, uint32_t second)
{
    return (uint64_t)second << 32 | first;
}

/* Value: readings of the two characters (0: the ordinary one), then the share in millionths of the population. */
static inline uint64_t surname_value(uint16_t first, uint16_t second, uint32_t share_ppm)
{
    return (uint64_t)share_ppm << 32 | (uint64_t)second << 16 | first;
}

/** Whole field as one character. */
bool kd_one_char(kd_str field, uint32_t *out_char);
/** Number of an initial or final, 0 when no syllable has it. */
uint8_t kd_sound_part(const sound_parts *parts, kd_str name);
/** Number of a syllable by its name, 0 unknown. */
uint16_t kd_syllable_find(const kd_text *text, kd_str name);

/** What each shipped table fills. The pinyin table comes first: others refer to its syllables. */
typedef kd_status (*table_loader)(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_pinyin(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_folds(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_shapes(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_sounds(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_surnames(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_lunar_years(kd_text *text, kd_table *table, kd_error *err);
kd_status kd_load_name_patterns(kd_text *text, kd_table *table, kd_error *err);

#endif
