#include "text/date_words.h"
#include "text/text.h"

enum {
    YEAR_MIN = 1000, /* below, a year of four digits is a slip */
    BARE_YEAR_MIN = 1800,
    BARE_YEAR_MAX = 2199,
    REPUBLIC_YEAR_ZERO = 1911,
    EXCEL_DAY_ZERO = 25569, /* 1970-01-01 as a serial number */
    EXCEL_MIN = 10000,      /* 1927-05-18: shorter numbers are something else */
    EXCEL_MAX = 73050,      /* 2099-12-31 */
};

/* Year, month and day as told; -1 not told. */
typedef struct {
    int64_t year, month, day;
} told_date;

static kd_date nothing(kd_date_kind kind)
{
    return (kd_date){ .kind = kind, .day = KD_DAY_NONE };
}

static int64_t full_year(int64_t year, uint8_t digits, kd_date_style style)
{
    if (digits == 0 || digits > 2) return year;
    int64_t century = style.pivot_year - style.pivot_year % 100;
    return year <= style.pivot_year % 100 ? century + year : century - 100 + year;
}

static kd_date solar(told_date told)
{
    if (told.year == 0 && told.month <= 0 && told.day <= 0) return nothing(KD_DATE_EMPTY); /* 0000-00-00 */
    if (told.year < YEAR_MIN || told.year > 9999 || told.month > 12 || told.day > 31)
        return nothing(KD_DATE_IMPOSSIBLE);
    if (told.month <= 0 && told.day > 0) return nothing(KD_DATE_IMPOSSIBLE);
    kd_ymd date = { (int32_t)told.year, told.month > 0 ? (uint8_t)told.month : 1,
                    told.day > 0 ? (uint8_t)told.day : 1 };
    int32_t day = kd_day_from_ymd(date);
    if (day == KD_DAY_NONE) return nothing(KD_DATE_IMPOSSIBLE);
    kd_date_kind kind = told.month <= 0 ? KD_DATE_YEAR : told.day <= 0 ? KD_DATE_MONTH : KD_DATE_DAY;
    return (kd_date){ .kind = kind, .day = day };
}

static kd_date lunar(const kd_text *text, told_date told, bool is_leap)
{
    if (!text || kd_lunar_to_day(text, (int32_t)told.year, 1, false, 1) == KD_DAY_NONE)
        return nothing(KD_DATE_UNREADABLE);
    if (told.month > 12 || told.day > 30 || (told.month <= 0 && told.day > 0)) return nothing(KD_DATE_IMPOSSIBLE);
    int32_t day = kd_lunar_to_day(text, (int32_t)told.year, told.month > 0 ? (int)told.month : 1, is_leap,
                                  told.day > 0 ? (int)told.day : 1);
    if (day == KD_DAY_NONE) return nothing(KD_DATE_IMPOSSIBLE);
    kd_date_kind kind = told.month <= 0 ? KD_DATE_YEAR : told.day <= 0 ? KD_DATE_MONTH : KD_DATE_DAY;
    return (kd_date){ .kind = kind, .day = day, .is_lunar = true };
}

/* Digits without marks. False when they are no date at all. */
static bool from_digits(int64_t value, unsigned digits, kd_date_style style, told_date *out_told, int32_t *out_serial)
{
    switch (digits) {
    case 14: value /= 100;   /* fall through */
    case 12: value /= 10000; /* fall through */
    case 8:
        *out_told = (told_date){ value / 10000, value / 100 % 100, value % 100 };
        if (out_told->year < YEAR_MIN * 2 && out_told->month > 12 && value % 10000 >= BARE_YEAR_MIN) { /* 05012020 */
            int64_t first = value / 1000000, second = value / 10000 % 100;
            bool is_day_first = first > 12 || (style.day_first && second <= 12);
            *out_told = (told_date){ value % 10000, is_day_first ? second : first, is_day_first ? first : second };
        }
        return true;
    case 6: {
        told_date short_year = { full_year(value / 10000, 2, style), value / 100 % 100, value % 100 };
        told_date month = { value / 100, value % 100, -1 };
        bool is_month = month.year >= BARE_YEAR_MIN && month.year <= BARE_YEAR_MAX && month.month <= 12;
        *out_told = solar(short_year).kind == KD_DATE_DAY || !is_month ? short_year : month;
        return true;
    }
    case 5: *out_serial = (int32_t)value; return value >= EXCEL_MIN && value <= EXCEL_MAX;
    case 4:
        *out_told = (told_date){ value, -1, -1 };
        return value == 0 || (value >= BARE_YEAR_MIN && value <= BARE_YEAR_MAX);
    case 1: *out_told = (told_date){ 0, -1, -1 }; return value == 0;
    default: return false;
    }
}

/* Three numbers between marks: year first unless only the last can be it. */
static told_date from_three(const date_word *first, const date_word *second, const date_word *third,
                            kd_date_style style)
{
    bool is_year_last = third->digits == 4 || (first->digits <= 2 && second->kind == WORD_ENGLISH_MONTH);
    if (second->kind == WORD_ENGLISH_MONTH || first->kind == WORD_ENGLISH_MONTH) {
        const date_word *day = first->kind == WORD_ENGLISH_MONTH ? second : first;
        const date_word *month = first->kind == WORD_ENGLISH_MONTH ? first : second;
        if (first->kind == WORD_NUMBER && first->digits == 4)
            return (told_date){ first->value, month->value, third->value };
        return (told_date){ full_year(third->value, third->digits, style), month->value, day->value };
    }
    if (!is_year_last || first->digits > 2) {
        told_date told = { full_year(first->value, first->digits, style), second->value, third->value };
        bool is_month_first = first->digits <= 2 && third->digits <= 2 && solar(told).kind != KD_DATE_DAY;
        if (!is_month_first) return told;
    }
    bool is_day_first = first->value > 12 || (style.day_first && second->value <= 12);
    int64_t year = full_year(third->value, third->digits, style);
    return is_day_first ? (told_date){ year, second->value, first->value }
                        : (told_date){ year, first->value, second->value };
}

/* 年 月 日: the number before each mark, and a day without its mark after the month. */
static bool from_marks(const date_words *words, kd_date_style style, told_date *out_told)
{
    told_date told = { -1, -1, -1 };
    for (size_t i = 0; i < words->count; i++) {
        const date_word *word = &words->words[i];
        if (word->kind != WORD_NUMBER) continue;
        date_word_kind next = i + 1 < words->count ? words->words[i + 1].kind : WORD_DAY;
        if (next == WORD_YEAR && told.year < 0)
            told.year =
                words->is_republic ? word->value + REPUBLIC_YEAR_ZERO : full_year(word->value, word->digits, style);
        else if (next == WORD_MONTH && told.month < 0)
            told.month = word->value;
        else if ((next == WORD_DAY || told.month >= 0) && told.day < 0)
            told.day = word->value;
        else if (next == WORD_MARK && told.year < 0)
            told.year = full_year(word->value, word->digits, style);
        else
            return false;
    }
    *out_told = told;
    return told.year >= 0;
}

static bool from_words(const date_words *words, kd_date_style style, told_date *out_told, int32_t *out_serial)
{
    const date_word *parts[DATE_WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < words->count; i++) {
        const date_word *word = &words->words[i];
        if (word->kind == WORD_YEAR || word->kind == WORD_MONTH || word->kind == WORD_DAY)
            return from_marks(words, style, out_told);
        if (word->kind != WORD_MARK) parts[count++] = word;
    }
    if (words->is_republic && count) {
        *out_told = (told_date){ parts[0]->value + REPUBLIC_YEAR_ZERO, count > 1 ? parts[1]->value : -1,
                                 count > 2 ? parts[2]->value : -1 };
        return count <= 3;
    }
    switch (count) {
    case 1:
        return parts[0]->kind == WORD_NUMBER &&
               from_digits(parts[0]->value, parts[0]->digits, style, out_told, out_serial);
    case 2:
        if (parts[0]->kind != WORD_NUMBER || parts[1]->kind != WORD_NUMBER) return false;
        if (parts[0]->digits == 5 || parts[0]->digits == 8) /* 43831.5, 20200105.0 */
            return from_digits(parts[0]->value, parts[0]->digits, style, out_told, out_serial);
        if (parts[0]->digits == 4 && parts[1]->digits <= 2)
            *out_told = (told_date){ parts[0]->value, parts[1]->value, -1 };
        else if (parts[1]->digits == 4 && parts[0]->digits <= 2)
            *out_told = (told_date){ parts[1]->value, parts[0]->value, -1 };
        else
            return false;
        return true;
    case 3:
        for (size_t i = 0; i < 3; i++)
            if (parts[i]->digits == 3 || parts[i]->digits > 4) return false;
        *out_told = from_three(parts[0], parts[1], parts[2], style);
        return true;
    default: return false;
    }
}

/* YYYY-MM-DD, with hh:mm:ss or without, YYYY/M/D and YYYYMMDD in ASCII and nothing else: nearly all there is. */
static bool read_plain(kd_str raw, told_date *out_told)
{
    unsigned parts[3] = { 0, 0, 0 }, digits[3] = { 0, 0, 0 };
    size_t part = 0;
    if (raw.len == 19 && raw.ptr[10] == ' ' && raw.ptr[13] == ':' && raw.ptr[16] == ':') raw.len = 10;
    if (raw.len < 8 || raw.len > 10) return false;
    for (size_t i = 0; i < raw.len; i++) {
        unsigned digit = (unsigned char)raw.ptr[i] - (unsigned)'0';
        if (digit <= 9) {
            parts[part] = parts[part] * 10 + digit;
            digits[part]++;
        } else if ((raw.ptr[i] == '-' || raw.ptr[i] == '/' || raw.ptr[i] == '.') && part < 2) {
            part++;
        } else {
            return false;
        }
    }
    if (part == 0 && raw.len == 8 && parts[0] >= 18000000 && parts[0] <= 21991231) {
        *out_told = (told_date){ parts[0] / 10000, parts[0] / 100 % 100, parts[0] % 100 };
        return true;
    }
    if (part != 2 || digits[0] != 4 || digits[1] - 1 > 1 || digits[2] - 1 > 1) return false;
    *out_told = (told_date){ parts[0], parts[1], parts[2] };
    return true;
}

static kd_date read_words(const kd_text *text, kd_str raw, kd_date_style style)
{
    date_words words;
    kd_date_words(raw, &words);
    if (words.is_unreadable) return nothing(KD_DATE_UNREADABLE);
    if (words.is_blank) return nothing(KD_DATE_EMPTY);
    told_date told = { 0, -1, -1 };
    int32_t serial = 0;
    if (!from_words(&words, style, &told, &serial)) return nothing(KD_DATE_UNREADABLE);
    if (serial) return (kd_date){ .kind = KD_DATE_DAY, .day = serial - EXCEL_DAY_ZERO };
    if (words.says_lunar && !words.says_solar) return lunar(text, told, words.is_leap);
    kd_date date = solar(told);
    if (date.kind == KD_DATE_DAY) date.day += words.day_shift;
    return date;
}

void kd_date_read(const kd_text *text, kd_str raw, kd_date *out_date)
{
    kd_date_read_style(text, raw, KD_DATE_STYLE_DEFAULT, out_date);
}

void kd_date_read_style(const kd_text *text, kd_str raw, kd_date_style style, kd_date *out_date)
{
    told_date told;
    *out_date = read_plain(raw, &told) ? solar(told) : read_words(text, raw, style);
}
