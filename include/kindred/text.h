/**
 * @file text.h
 * Chinese personal data as it is really written: names, identity numbers, phones, dates, addresses.
 *
 * Every function is pure and thread-safe. Those that need tables take a `kd_text`, loaded once and then only read.
 * Any bytes may come in: what is not UTF-8 counts as U+FFFD. Nothing is allocated but by the _open calls. Text written
 * into a caller's buffer is not NUL-terminated, whole characters only, and its length is returned.
 */
#ifndef KINDRED_TEXT_H
#define KINDRED_TEXT_H

#include <kindred/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Pinyin, variants, lunar years, surnames. About 1 MB, 5 ms to open; open once and share. */
typedef struct kd_text kd_text;
/**
 * From the shipped data folder `text/`. KD_NOT_FOUND or KD_INVALID with file and line when a table is missing or broken,
 * KD_LIMIT without memory. The caller closes it.
 */
KD_CHECKED kd_status kd_text_open(kd_text **out_text, kd_error *err);
/** The same from the tables in the folder `dir`. */
KD_CHECKED kd_status kd_text_open_from(const char *dir, kd_text **out_text, kd_error *err);
void kd_text_close(kd_text *text); /* NULL does nothing */

/* ---- characters ---- */

/**
 * Next code point at `*at` (advanced); U+FFFD for a malformed byte, over which it advances by one; U+FFFD without
 * advancing at the end. Never reads past `text`. Source: RFC 3629.
 */
uint32_t kd_utf8_next(kd_str text, size_t *at);
bool kd_utf8_is_valid(kd_str text);                      /* shortest forms, no surrogates */
size_t kd_utf8_encode(uint32_t code_point, char out[4]); /* bytes written, 0 when not a scalar value */
/**
 * One code point folded: full-width to half, traditional and variant hanzi to simplified, compatibility forms, a–z upper.
 * Characters that the Table of General Standard Characters (2013) keeps apart stay apart: 肖 萧, 付 傅, 闫 阎, 锺 钟.
 */
uint32_t kd_fold_char(const kd_text *text, uint32_t code_point);
/** Toneless syllable of the commonest reading, 1..KD_SYLLABLES_MAX; 0 when the character has none. */
uint16_t kd_syllable(const kd_text *text, uint32_t code_point);
/** The reading as a surname when it differs (单 shàn), else kd_syllable. */
uint16_t kd_syllable_surname(const kd_text *text, uint32_t code_point);
/** "shan", "lv" for lü; "" for 0 and unknown numbers. Lives as long as `text`. */
const char *kd_syllable_name(const kd_text *text, uint16_t syllable);
enum { KD_SYLLABLES_MAX = 511 };
/**
 * 0..255: how alike two syllables sound; 255 only for equal ones, 0 when one is unknown. zh/z, n/ng, n/l and the like
 * that the dialects of northern Shaanxi merge score above 200, chance pairs mostly below 60. Source: text/sounds.csv.
 */
uint8_t kd_syllable_likeness(const kd_text *text, uint16_t a, uint16_t b);
/**
 * 0..255: how alike two folded hanzi look, from their components; 255 only for equal ones, 0 when one is unknown. Of chance
 * pairs 9 % reach 90, 1 % reach 140, 0.2 % reach 165; 伟 炜, 未 末, 晴 睛 lie above 125. 30 ns.
 * Source: Cangjie and four-corner codes, strokes and radicals of Unihan.
 */
uint8_t kd_shape_likeness(const kd_text *text, uint32_t a, uint32_t b);

/* ---- names ---- */

enum { KD_NAME_CHARS_MAX = 24 };

typedef enum {
    KD_NAME_EMPTY, /* nothing, or only marks: "/", "无", "不详", "无名氏" */
    KD_NAME_PERSON,
    KD_NAME_PLACEHOLDER, /* 某某之子, 王某女, 未取名: says whose child, names nobody */
} kd_name_kind;

typedef struct {
    kd_name_kind kind;
    uint8_t count;                         /* characters, the separators of minority names not counted */
    uint8_t surname_count;                 /* characters of the surname; 0 for names with · */
    int8_t placeholder_sex;                /* PLACEHOLDER: 1 子/男, 2 女, 0 not told */
    uint32_t chars[KD_NAME_CHARS_MAX];     /* folded */
    uint16_t syllables[KD_NAME_CHARS_MAX]; /* surname readings applied */
    uint32_t part_ends;                    /* bit i: a · stands after chars[i] */
    uint8_t parent_count; /* PLACEHOLDER: leading characters that are a parent's name, 张伟 of 张伟之子 */
} kd_name;

/**
 * Read a name as written: trims, folds, drops spaces, digits and notes in brackets, one separator · for all its forms,
 * * as 某, of several names the first. Cut after KD_NAME_CHARS_MAX characters. An EMPTY name has no characters. Names
 * of two characters have a surname of one; compound surnames and what counts as EMPTY and PLACEHOLDER stand in
 * text/surnames.csv and text/name_patterns.csv. About 70 ns.
 */
void kd_name_read(const kd_text *text, kd_str raw, kd_name *out_name);
/** The folded name in UTF-8 (· kept between parts). Returns bytes written, at most KD_NAME_BYTES_MAX. */
enum { KD_NAME_BYTES_MAX = 128 };
size_t kd_name_format(const kd_name *name, char buf[KD_NAME_BYTES_MAX]);
/**
 * "wang xiaoming" / initials "wxm"; the parts of a name with · stand apart. Return bytes written, at most
 * `buf_bytes`.
 */
size_t kd_name_pinyin(const kd_text *text, const kd_name *name, char *buf, size_t buf_bytes);
size_t kd_name_initials(const kd_text *text, const kd_name *name, char *buf, size_t buf_bytes);

/**
 * Share (0..1) of the population with this surname of one or two folded characters, 0 when it is none of the
 * common.
 */
double kd_surname_share(const kd_text *text, const uint32_t *chars, size_t count);

/* ---- identity numbers ---- */

typedef enum {
    KD_IDENTITY_EMPTY,
    KD_IDENTITY_OK,        /* 18 characters, real date, right check */
    KD_IDENTITY_OLD,       /* 15 digits with a real date; `number` holds the 18-character form */
    KD_IDENTITY_BAD_CHECK, /* shape right, check character wrong: a typing error somewhere */
    KD_IDENTITY_BAD_DATE,
    KD_IDENTITY_BAD_SHAPE, /* wrong length or characters */
    KD_IDENTITY_OTHER,     /* passport, permit: letters and digits, kept as it is */
} kd_identity_kind;

typedef struct {
    kd_identity_kind kind;
    char number[19];   /* normalised, upper-case X; OTHER and bad kinds as cleaned, cut at 18; NUL-terminated */
    int32_t birth_day; /* KD_DAY_NONE when not OK or OLD */
    int8_t sex;        /* 1 male, 2 female, 0 unknown */
    int32_t area;      /* 6-digit division of first issue, 0 unknown */
} kd_identity;

/**
 * Spaces and marks are dropped, full-width forms and a small x mended. A date that is none is told before a wrong check
 * character. 15-digit serials 996 to 999 belong to people born before 1900. About 50 ns.
 * Source: GB 11643-1999 (layout), ISO 7064 MOD 11-2 (check), 15-digit form of GB 11643-1989.
 */
void kd_identity_read(kd_str raw, kd_identity *out_identity);
char kd_identity_check(const char digits[17]); /* the check character for 17 digits, 0 when they are not digits */

/* ---- phones ---- */

/**
 * Mobile as 11 digits, landline as area code and number without marks; +86, spaces and extensions dropped. 0 bytes
 * when unusable (too short, all one digit).
 */
enum { KD_PHONE_BYTES_MAX = 16 };
size_t kd_phone_read(kd_str raw, char buf[KD_PHONE_BYTES_MAX]);

/* ---- dates ---- */

typedef enum {
    KD_DATE_EMPTY,
    KD_DATE_DAY,        /* a full date */
    KD_DATE_MONTH,      /* only year and month; `day` is the 1st */
    KD_DATE_YEAR,       /* only the year; `day` is 1 January */
    KD_DATE_IMPOSSIBLE, /* 30 February, month 13 */
    KD_DATE_UNREADABLE,
} kd_date_kind;

typedef struct {
    kd_date_kind kind;
    int32_t day;   /* days since 1970-01-01; KD_DAY_NONE when not known */
    bool is_lunar; /* the text said 农历/阴历 and `day` is its Gregorian day */
} kd_date;

/** What a feed's dates leave open. */
typedef struct {
    bool day_first;     /* 05-01-2020 is 5 January, not 1 May; a part above 12 decides by itself */
    int16_t pivot_year; /* a two-digit year is one of the hundred years that end with this one */
} kd_date_style;

/** Month first, as Excel writes 1/5/2020; two-digit years 1931..2030. */
#define KD_DATE_STYLE_DEFAULT ((kd_date_style){ .day_first = false, .pivot_year = 2030 })

/**
 * Any way people write a day: 2020-1-5, 2020/01/05, 20200105, 2020.1.5, 2020年1月5日, 二〇二〇年一月五日, 05-01-2020,
 * 5-Jan-2020, 200105, Excel serial numbers of 1927 to 2099, date with time (with a zone: the day in China),
 * 农历二〇二〇年腊月初八, 1985年闰四月初三, 民国三十八年五月一日, year or year and month alone; in KD_DATE_STYLE_DEFAULT.
 * Six digits are YYMMDD, and YYYYMM when they cannot be that. Months and days of 00 are read as not told. A lunar date
 * outside 1900..2100 is KD_DATE_UNREADABLE, a day that its lunar month lacks KD_DATE_IMPOSSIBLE; a lunar month or year
 * alone gives its first day. About 10 ns for digits, 100 ns for words.
 */
void kd_date_read(const kd_text *text, kd_str raw, kd_date *out_date);
/** The same in another style. */
void kd_date_read_style(const kd_text *text, kd_str raw, kd_date_style style, kd_date *out_date);

/**
 * A lunar date of 1900..2100 as a Gregorian day, KD_DAY_NONE when there is no such day. Source:
 * text/lunar_years.csv.
 */
int32_t kd_lunar_to_day(const kd_text *text, int32_t year, int month, bool is_leap, int day);
/** The other way; false outside 1900..2100. */
bool kd_day_to_lunar(const kd_text *text, int32_t day, int32_t *out_year, int *out_month, bool *out_is_leap,
                     int *out_lunar_day);
/**
 * `day` as if its year, month and day numbers had been a lunar date written down as a solar one: the Gregorian day
 * then meant, or KD_DAY_NONE.
 */
int32_t kd_day_if_lunar(const kd_text *text, int32_t day);

/* ---- divisions and addresses ---- */

/** The tree of administrative areas with history and aliases. */
typedef struct kd_divisions kd_divisions;
/**
 * From a table `code,name,level,parent` (codes of 2, 4, 6, 9 or 12 digits; level province, prefecture, county, township,
 * village) and, unless NULL, one of former divisions `old_code,old_name,current_code,changed_about`. KD_NOT_FOUND, or
 * KD_INVALID with file and line: a code twice, a parent that is missing or does not enclose its child. The caller closes
 * it; 2 ms for 3,400 divisions.
 */
KD_CHECKED kd_status kd_divisions_open(const char *csv_path, const char *history_csv_path, kd_divisions **out,
                                       kd_error *err);
void kd_divisions_close(kd_divisions *divisions); /* NULL does nothing */

typedef enum {
    KD_LEVEL_PROVINCE = 1,
    KD_LEVEL_PREFECTURE,
    KD_LEVEL_COUNTY,
    KD_LEVEL_TOWNSHIP,
    KD_LEVEL_VILLAGE
} kd_division_level;
/** Codes are written as 12 digits with zeros at the end: 610829000000 is a county, 610829101203 a village. */
typedef struct {
    int64_t code;
    kd_division_level level;
    kd_str name;
    int64_t parent; /* 0 for the root */
} kd_division;
size_t kd_divisions_count(const kd_divisions *divisions);
const kd_division *kd_divisions_at(const kd_divisions *divisions, size_t index);   /* in code order, parents first */
const kd_division *kd_divisions_find(const kd_divisions *divisions, int64_t code); /* NULL: unknown */
/**
 * 2, 4, 6, 9 or 12 digits; old codes (6127xx) become the present ones, and what stands below an old county keeps its
 * number if such a place exists. 0 when unknown; nearest known ancestor with `or_ancestor`, which also reads other lengths.
 */
int64_t kd_division_code_read(const kd_divisions *divisions, kd_str raw, bool or_ancestor);
/** The code cut to a level: (610829101203, COUNTY) gives 610829000000. 0 when the code is not that deep. */
int64_t kd_division_at_level(int64_t code, kd_division_level level);
/** True when `code` is `area` or lies in it; `area` 0 is the whole world. By the digits alone. */
bool kd_division_within(int64_t code, int64_t area);
/** "陕西省榆林市吴堡县宋家川街道…" into buf, as many whole names as fit; 0 for an unknown code. Returns bytes written. */
size_t kd_division_full_name(const kd_divisions *divisions, int64_t code, char *buf, size_t buf_bytes);

typedef struct {
    int64_t code;    /* deepest division recognised; 0 none */
    kd_str rest;     /* what follows: group, street, door; points into the input */
    bool is_certain; /* false when two villages answer equally well (`code` is the area around both) or none does */
} kd_address;
/**
 * Abbreviations (榆林吴堡宋家川), missing levels, old names and abolished townships are understood. `within` (0: none) is
 * where the feed comes from: it decides between namesakes, and a bare name without 村, 镇 or the like outside it is not
 * taken for a place; what the text says outright outweighs it. About 0.8 µs.
 */
void kd_address_read(const kd_divisions *divisions, kd_str raw, int64_t within, kd_address *out_address);

#ifdef __cplusplus
}
#endif
#endif
