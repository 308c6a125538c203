#include "text/date_words.h"
#include "text/text.h"

#include <string.h>

enum { HOURS_AHEAD_OF_UTC = 8, DIGITS_MAX = 17 };

typedef enum {
    SAYS_KIND,
    SAYS_LUNAR,
    SAYS_SOLAR,
    SAYS_REPUBLIC,
    SAYS_LEAP,
    SAYS_FIRST_DECADE,
    SAYS_NOTHING,
    SAYS_END, /* the time of day or the day of the week follows */
    SAYS_BLANK,
} meaning;

typedef struct {
    char text[10];
    uint8_t len;
    uint8_t meaning;
    uint8_t value;
} date_lexeme;

#define LEXEME(literal, what, number)              \
    {                                              \
        literal, sizeof(literal) - 1, what, number \
    }

/* Longer forms before their beginnings. */
static const date_lexeme lexicon[] = {
    LEXEME("年", SAYS_KIND, WORD_YEAR), LEXEME("月", SAYS_KIND, WORD_MONTH), LEXEME("日", SAYS_KIND, WORD_DAY),
    LEXEME("号", SAYS_KIND, WORD_DAY),  LEXEME("號", SAYS_KIND, WORD_DAY),   LEXEME("农历", SAYS_LUNAR, 0),
    LEXEME("農曆", SAYS_LUNAR, 0),      LEXEME("农暦", SAYS_LUNAR, 0),       LEXEME("阴历", SAYS_LUNAR, 0),
    LEXEME("陰曆", SAYS_LUNAR, 0),      LEXEME("旧历", SAYS_LUNAR, 0),       LEXEME("舊曆", SAYS_LUNAR, 0),
    LEXEME("夏历", SAYS_LUNAR, 0),      LEXEME("古历", SAYS_LUNAR, 0),       LEXEME("农", SAYS_LUNAR, 0),
    LEXEME("阴", SAYS_LUNAR, 0),        LEXEME("公历", SAYS_SOLAR, 0),       LEXEME("公曆", SAYS_SOLAR, 0),
    LEXEME("阳历", SAYS_SOLAR, 0),      LEXEME("陽曆", SAYS_SOLAR, 0),       LEXEME("新历", SAYS_SOLAR, 0),
    LEXEME("西历", SAYS_SOLAR, 0),      LEXEME("公元", SAYS_SOLAR, 0),       LEXEME("西元", SAYS_SOLAR, 0),
    LEXEME("民国", SAYS_REPUBLIC, 0),   LEXEME("民國", SAYS_REPUBLIC, 0),    LEXEME("闰", SAYS_LEAP, 0),
    LEXEME("閏", SAYS_LEAP, 0),         LEXEME("初", SAYS_FIRST_DECADE, 0),  LEXEME("出生", SAYS_NOTHING, 0),
    LEXEME("生日", SAYS_NOTHING, 0),    LEXEME("生", SAYS_NOTHING, 0),       LEXEME("（", SAYS_NOTHING, 0),
    LEXEME("）", SAYS_NOTHING, 0),      LEXEME("　", SAYS_NOTHING, 0),       LEXEME("上午", SAYS_END, 0),
    LEXEME("下午", SAYS_END, 0),        LEXEME("凌晨", SAYS_END, 0),         LEXEME("早", SAYS_END, 0),
    LEXEME("晚", SAYS_END, 0),          LEXEME("星期", SAYS_END, 0),         LEXEME("周", SAYS_END, 0),
    LEXEME("时", SAYS_END, 1),          LEXEME("時", SAYS_END, 1),           LEXEME("点", SAYS_END, 1),
    LEXEME("無", SAYS_BLANK, 0),        LEXEME("无", SAYS_BLANK, 0),         LEXEME("不详", SAYS_BLANK, 0),
    LEXEME("不祥", SAYS_BLANK, 0),      LEXEME("不明", SAYS_BLANK, 0),       LEXEME("未知", SAYS_BLANK, 0),
    LEXEME("未填", SAYS_BLANK, 0),      LEXEME("空", SAYS_BLANK, 0),
};

static const char english_months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";

static bool starts_with(kd_str text, size_t at, const char *word, size_t len)
{
    return text.len - at >= len && memcmp(text.ptr + at, word, len) == 0;
}

/* Value of a written numeral of three bytes at `at`, -1 for another character. The tens join with what stands beside. */
static int numeral_at(kd_str text, size_t at)
{
    if (text.len - at < 3) return -1;
    switch (kd_utf8_next(text, &at)) {
    case 0x3007:            /* 〇 */
    case 0x96F6:            /* 零 */
    case 0x25CB: return 0;  /* ○ */
    case 0x4E00:            /* 一 */
    case 0x58F9:            /* 壹 */
    case 0x5143: return 1;  /* 元 */
    case 0x4E8C:            /* 二 */
    case 0x4E24:            /* 两 */
    case 0x8D30: return 2;  /* 贰 */
    case 0x4E09:            /* 三 */
    case 0x53C1: return 3;  /* 叁 */
    case 0x56DB:            /* 四 */
    case 0x8086: return 4;  /* 肆 */
    case 0x4E94:            /* 五 */
    case 0x4F0D: return 5;  /* 伍 */
    case 0x516D:            /* 六 */
    case 0x9646: return 6;  /* 陆 */
    case 0x4E03:            /* 七 */
    case 0x67D2: return 7;  /* 柒 */
    case 0x516B:            /* 八 */
    case 0x634C: return 8;  /* 捌 */
    case 0x4E5D:            /* 九 */
    case 0x7396: return 9;  /* 玖 */
    case 0x5341:            /* 十 */
    case 0x62FE: return 10; /* 拾 */
    case 0x5EFF: return 20; /* 廿 */
    case 0x5345: return 30; /* 卅 */
    default: return -1;
    }
}

/* An ASCII or full-width digit at `at`, with its bytes; -1 for another character. */
static int digit_at(kd_str text, size_t at, size_t *out_bytes)
{
    unsigned char c = (unsigned char)text.ptr[at];
    *out_bytes = 1;
    if (c >= '0' && c <= '9') return c - '0';
    if (text.len - at < 3 || c != 0xEF || (unsigned char)text.ptr[at + 1] != 0xBC) return -1;
    c = (unsigned char)text.ptr[at + 2];
    *out_bytes = 3;
    return c >= 0x90 && c <= 0x99 ? c - 0x90 : -1;
}

static bool add_word(date_words *words, date_word word)
{
    if (words->count == DATE_WORDS_MAX) {
        words->is_unreadable = true;
        return false;
    }
    words->words[words->count++] = word;
    return true;
}

/* Digits, or Chinese numerals one for each digit (一九八五), or with tens (二十三, 廿三, 十). */
static size_t read_number(kd_str text, size_t at, date_words *words)
{
    date_word word = { .kind = WORD_NUMBER };
    bool has_tens = false;
    int64_t units = 0;
    size_t bytes;
    while (at < text.len) {
        int digit = digit_at(text, at, &bytes);
        if (digit < 0) {
            digit = numeral_at(text, at);
            bytes = 3;
        }
        if (digit < 0 || word.digits >= DIGITS_MAX) break;
        if (digit == 10 && word.digits == 1 && !has_tens) {
            word.value *= 10;
            has_tens = true;
        } else if (digit >= 10) {
            if (word.digits || has_tens) break;
            word.value = digit;
            has_tens = true;
        } else if (has_tens) {
            if (units) break;
            units = digit;
        } else {
            word.value = word.value * 10 + digit;
            word.digits++;
        }
        at += bytes;
    }
    word.value += units;
    if (has_tens) word.digits = 0;
    add_word(words, word);
    return at;
}

/* 正月 冬月 腊月: month words of the lunar calendar only. */
static size_t read_lunar_month(kd_str text, size_t at, date_words *words)
{
    static const struct {
        char text[7];
        uint8_t month;
    } months[] = { { "正月", 1 }, { "冬月", 11 }, { "腊月", 12 }, { "臘月", 12 }, { "蜡月", 12 } };
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
        if (!starts_with(text, at, months[i].text, 6)) continue;
        words->says_lunar = true;
        add_word(words, (date_word){ WORD_NUMBER, 0, months[i].month });
        return at + 3;
    }
    return at;
}

static size_t read_english_month(kd_str text, size_t at, date_words *words)
{
    if (text.len - at < 3) return at;
    char upper[3];
    for (size_t i = 0; i < 3; i++) upper[i] = (char)(text.ptr[at + i] & ~0x20);
    for (int month = 0; month < 12; month++) {
        if (memcmp(upper, english_months + 3 * month, 3) != 0) continue;
        add_word(words, (date_word){ WORD_ENGLISH_MONTH, 0, month + 1 });
        at += 3;
        while (at < text.len && ((text.ptr[at] | 0x20) >= 'a' && (text.ptr[at] | 0x20) <= 'z')) at++;
        return at;
    }
    return at;
}

static bool number_follows(kd_str text, size_t at)
{
    size_t bytes;
    return at < text.len && (digit_at(text, at, &bytes) >= 0 || numeral_at(text, at) >= 0);
}

/* The meaning at `at`; false ends the reading there. */
static bool read_lexeme(kd_str text, size_t *at, date_words *words)
{
    for (size_t i = 0; i < sizeof lexicon / sizeof lexicon[0]; i++) {
        const date_lexeme *lexeme = &lexicon[i];
        if (!starts_with(text, *at, lexeme->text, lexeme->len)) continue;
        *at += lexeme->len;
        switch ((meaning)lexeme->meaning) {
        case SAYS_KIND: return add_word(words, (date_word){ (date_word_kind)lexeme->value, 0, 0 });
        case SAYS_LUNAR:
            /* 1985年8月15日（农历六月廿九）: a second date, which adds nothing */
            if (words->count >= 5 && number_follows(text, *at)) return false;
            words->says_lunar = true;
            return true;
        case SAYS_SOLAR: words->says_solar = true; return true;
        case SAYS_REPUBLIC: words->is_republic = true; return true;
        case SAYS_LEAP: words->says_lunar = words->is_leap = true; return true;
        case SAYS_FIRST_DECADE: words->says_lunar = true; return true;
        case SAYS_BLANK: words->is_blank = words->count == 0; return false;
        case SAYS_END:
            if (lexeme->value && words->count) words->count--; /* the hour */
            return false;
        case SAYS_NOTHING: return true;
        }
    }
    words->is_unreadable = true;
    return false;
}

/* The first colon, ASCII or full-width; SIZE_MAX when there is none. */
static size_t find_colon(kd_str text)
{
    const char *ascii = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    ptrdiff_t wide = ascii ? -1 : kd_str_find(text, KD_STR("："));
    return ascii ? (size_t)(ascii - text.ptr) : wide >= 0 ? (size_t)wide : SIZE_MAX;
}

/* Where the one or two digits before `at` begin; `*out_hour` is their number. */
static size_t hour_before(kd_str text, size_t at, int *out_hour)
{
    int hour = 0, weight = 1;
    for (int i = 0; i < 2 && at > 0; i++, weight *= 10) {
        size_t bytes, from = at >= 3 && (unsigned char)text.ptr[at - 1] >= 0x80 ? at - 3 : at - 1;
        int digit = digit_at(text, from, &bytes);
        if (digit < 0) break;
        hour += digit * weight;
        at = from;
    }
    *out_hour = hour;
    return at;
}

/*
 * Cut the time of day off: everything from the hour before the first colon. With a zone the day is that of China, for
 * a midnight there is often stored as 16:00 of the day before in UTC.
 */
static kd_str cut_time(kd_str text, int32_t *out_day_shift)
{
    size_t colon = find_colon(text);
    if (colon == SIZE_MAX) return text;
    int hour;
    size_t hour_at = hour_before(text, colon, &hour), zone = colon;
    while (zone < text.len && text.ptr[zone] != 'Z' && text.ptr[zone] != '+' && text.ptr[zone] != '-') zone++;
    if (zone < text.len && hour_at > 0) {
        int offset = 0;
        for (size_t i = zone + 1; i < text.len && i < zone + 3 && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
            offset = offset * 10 + (text.ptr[i] - '0');
        if (text.ptr[zone] == '-') offset = -offset;
        int in_china = hour - offset + HOURS_AHEAD_OF_UTC;
        *out_day_shift = in_china >= 24 ? 1 : in_china < 0 ? -1 : 0;
    }
    if (hour_at > 0 && text.ptr[hour_at - 1] == 'T') hour_at--;
    return kd_str_trim((kd_str){ text.ptr, hour_at });
}

static bool is_mark(uint32_t c)
{
    return c == '-' || c == '/' || c == '.' || c == ',' || c == '\\' || c == '_' || c == '|' || c == 0xFF0D ||
           c == 0xFF0F || c == 0xFF0E || c == 0x3002 || c == 0x3001 || c == 0xFF0C || c == 0xB7 || c == 0x2022 ||
           (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

void kd_date_words(kd_str raw, date_words *out_words)
{
    date_words words = { .is_blank = true };
    kd_str text = cut_time(kd_str_trim(raw), &words.day_shift);
    size_t at = 0, bytes;
    while (at < text.len && !words.is_unreadable) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (c == ' ' || c == '(' || c == ')' || c == '\'' || c == '"' || (c >= '\t' && c <= '\r')) {
            at++;
            continue;
        }
        size_t next = at;
        uint32_t code = kd_utf8_next(text, &next);
        if (is_mark(code)) {
            at = next;
            if (words.count && !add_word(&words, (date_word){ WORD_MARK, 0, 0 })) break;
            continue;
        }
        words.is_blank = false;
        if (digit_at(text, at, &bytes) >= 0 || numeral_at(text, at) >= 0) {
            at = read_number(text, at, &words);
            continue;
        }
        next = c < 0x80 ? read_english_month(text, at, &words) : read_lunar_month(text, at, &words);
        if (next > at)
            at = next;
        else if (!read_lexeme(text, &at, &words))
            break;
    }
    while (words.count && words.words[words.count - 1].kind == WORD_MARK) words.count--;
    *out_words = words;
}
