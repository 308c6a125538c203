#include "text/tables.h"

#include <string.h>

enum { SOUND_SAME = 255 };

uint16_t kd_syllable_find(const kd_text *text, kd_str name)
{
    uint16_t low = 1, high = text->syllable_count;
    while (low <= high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        int order = kd_str_cmp(name, kd_str_of(text->syllables[middle]));
        if (order == 0) return middle;
        if (order < 0)
            high = (uint16_t)(middle - 1);
        else
            low = (uint16_t)(middle + 1);
    }
    return 0;
}

/* ---- sounds.csv ---- */

typedef uint8_t part_likeness[SOUND_PARTS_MAX + 1][SOUND_PARTS_MAX + 1];

static void set_both(kd_text *text, uint16_t a, uint16_t b, uint8_t likeness)
{
    text->likeness[(size_t)a * (KD_SYLLABLES_MAX + 1) + b] = likeness;
    text->likeness[(size_t)b * (KD_SYLLABLES_MAX + 1) + a] = likeness;
}

static bool set_part(const sound_parts *parts, part_likeness likeness, kd_str a, kd_str b, uint8_t value)
{
    if (kd_str_is(a, "*") && kd_str_is(b, "*")) {
        memset(likeness, value, sizeof(part_likeness));
        for (size_t i = 0; i <= SOUND_PARTS_MAX; i++) likeness[i][i] = SOUND_SAME;
        return true;
    }
    uint8_t left = kd_sound_part(parts, a), right = kd_sound_part(parts, b);
    if (!left || !right) return false;
    likeness[left][right] = likeness[right][left] = value;
    return true;
}

static void combine(kd_text *text, const uint8_t (*initials)[SOUND_PARTS_MAX + 1],
                    const uint8_t (*finals)[SOUND_PARTS_MAX + 1])
{
    for (uint16_t a = 1; a <= text->syllable_count; a++)
        for (uint16_t b = a; b <= text->syllable_count; b++) {
            unsigned initial = initials[text->initial_of[a]][text->initial_of[b]];
            unsigned final = finals[text->final_of[a]][text->final_of[b]];
            set_both(text, a, b, (uint8_t)(initial * final / SOUND_SAME));
        }
}

/* Rows of parts come before those of whole syllables, which have the last word. */
kd_status kd_load_sounds(kd_text *text, kd_table *table, kd_error *err)
{
    part_likeness initials = { 0 }, finals = { 0 };
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    bool is_combined = false;
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        bool is_syllable = more && kd_str_is(fields[0], "syllable");
        if (!is_combined && (!more || is_syllable)) {
            combine(text, (const uint8_t(*)[SOUND_PARTS_MAX + 1]) initials,
                    (const uint8_t(*)[SOUND_PARTS_MAX + 1]) finals);
            is_combined = true;
        }
        if (!more) return KD_OK;
        int64_t value;
        if (!kd_str_int(fields[3], &value) || value < 0 || value > 254)
            return kd_table_fail(table, err, "likeness", "not a number of 0 to 254");
        bool is_known = false;
        if (is_syllable) {
            uint16_t a = kd_syllable_find(text, fields[1]), b = kd_syllable_find(text, fields[2]);
            is_known = a && b && a != b;
            if (is_known) set_both(text, a, b, (uint8_t)value);
        } else if (!is_combined && kd_str_is(fields[0], "initial")) {
            is_known = set_part(&text->initials, initials, fields[1], fields[2], (uint8_t)value);
        } else if (!is_combined && kd_str_is(fields[0], "final")) {
            is_known = set_part(&text->finals, finals, fields[1], fields[2], (uint8_t)value);
        }
        if (!is_known) return kd_table_fail(table, err, "", "unknown initial, final or syllable");
    }
}

/* ---- surnames.csv ---- */

static bool read_reading(const kd_text *text, kd_str reading, size_t count, uint16_t out_syllables[2])
{
    out_syllables[0] = out_syllables[1] = 0;
    if (reading.len == 0) return true;
    for (size_t i = 0; i < count; i++) {
        kd_str part;
        if (!kd_str_next(&reading, ' ', &part)) return false;
        out_syllables[i] = kd_syllable_find(text, part);
        if (!out_syllables[i]) return false;
    }
    return reading.ptr == NULL;
}

kd_status kd_load_surnames(kd_text *text, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        uint32_t chars[2] = { 0, 0 };
        size_t count = 0;
        for (size_t at = 0; at < fields[0].len; count++) {
            uint32_t c = kd_utf8_next(fields[0], &at);
            if (count < 2) chars[count] = c;
        }
        if (count < 1 || count > 2) return kd_table_fail(table, err, "surname", "not one or two characters");
        double percent;
        if (!kd_str_double(fields[1], &percent) || percent < 0 || percent > 100)
            return kd_table_fail(table, err, "percent", "not a number of 0 to 100");
        uint16_t syllables[2];
        if (!read_reading(text, fields[2], count, syllables))
            return kd_table_fail(table, err, "reading", "not a syllable of pinyin.csv for each character");
        uint64_t *slot = kd_map_put(text->surnames, surname_key(chars[0], chars[1]), NULL);
        if (!slot) return kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
        *slot = surname_value(syllables[0], syllables[1], (uint32_t)(percent * 10000 + 0.5));
    }
}

/* ---- lunar_years.csv ---- */

kd_status kd_load_lunar_years(kd_text *text, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    int32_t next_new_year = KD_DAY_NONE;
    for (int32_t i = 0;; i++) {
        bool more;
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) {
            if (i != LUNAR_YEARS) return kd_table_fail(table, err, "year", "the years 1900 to 2100 are not complete");
            text->lunar[LUNAR_YEARS].new_year = next_new_year;
            return KD_OK;
        }
        int64_t year, leap_month;
        int32_t new_year;
        if (i == LUNAR_YEARS || !kd_str_int(fields[0], &year) || year != LUNAR_FIRST + i ||
            !kd_day_parse(fields[1], &new_year) || !kd_str_int(fields[2], &leap_month) || leap_month < 0 ||
            leap_month > 12 || fields[3].len != (leap_month ? 13 : 12))
            return kd_table_fail(table, err, "", "not the next lunar year");
        if (i && new_year != next_new_year)
            return kd_table_fail(table, err, "new_year", "does not follow the year before");
        lunar_year lunar = { new_year, 0, (uint8_t)leap_month, (uint8_t)fields[3].len };
        next_new_year = new_year;
        for (size_t month = 0; month < fields[3].len; month++) {
            bool is_long = fields[3].ptr[month] == '1';
            lunar.is_long |= (uint16_t)(is_long << month);
            next_new_year += 29 + is_long;
        }
        text->lunar[i] = lunar;
    }
}

/* ---- name_patterns.csv ---- */

/* '*' one or more, then '?' and characters; leading '?' after '*' only raise the least length. */
static bool read_pattern(const kd_text *text, kd_str written, name_pattern *pattern)
{
    size_t at = 0;
    if (kd_str_starts(written, KD_STR("*"))) {
        pattern->lead_min = 1;
        for (at = 1; at < written.len && written.ptr[at] == '?'; at++) pattern->lead_min++;
    }
    bool has_char = false;
    while (at < written.len) {
        uint32_t c = kd_utf8_next(written, &at);
        if (pattern->count == PATTERN_CHARS_MAX || c == '*') return false;
        pattern->body[pattern->count++] = c == '?' ? 0 : kd_fold_char(text, c);
        has_char |= c != '?';
    }
    /* The look-up goes by the last two characters: one of them must be told. */
    return has_char && (pattern->body[pattern->count - 1] || (pattern->count > 1 && pattern->body[pattern->count - 2]));
}

kd_status kd_load_name_patterns(kd_text *text, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        if (text->pattern_count == PATTERNS_MAX) return kd_table_fail(table, err, "", "too many patterns");
        name_pattern pattern = { .kind = KD_NAME_PLACEHOLDER };
        if (kd_str_is(fields[0], "empty"))
            pattern.kind = KD_NAME_EMPTY;
        else if (!kd_str_is(fields[0], "placeholder"))
            return kd_table_fail(table, err, "kind", "neither empty nor placeholder");
        int64_t sex;
        if (!kd_str_int(fields[2], &sex) || sex < 0 || sex > 2)
            return kd_table_fail(table, err, "sex", "not 0, 1 or 2");
        pattern.sex = (int8_t)sex;
        if (!read_pattern(text, fields[1], &pattern))
            return kd_table_fail(table, err, "pattern",
                                 "'*' only in front, at most 8 characters, one of the last two told");
        uint32_t tail =
            pattern.body[pattern.count - 1] ? pattern.body[pattern.count - 1] : pattern.body[pattern.count - 2];
        text->pattern_tails[tail >> 6 & 15] |= UINT64_C(1) << (tail & 63);
        text->patterns[text->pattern_count++] = pattern;
    }
}
