/** @file date_words.h The words and numbers of a written date, before their meaning is weighed. Private to text. */
#ifndef KD_TEXT_DATE_WORDS_H
#define KD_TEXT_DATE_WORDS_H

#include "base/base.h"

enum { DATE_WORDS_MAX = 12 };

typedef enum {
    WORD_NUMBER,
    WORD_YEAR,  /* 年 */
    WORD_MONTH, /* 月 */
    WORD_DAY,   /* 日 号 */
    WORD_MARK,  /* - / . and the like */
    WORD_ENGLISH_MONTH,
} date_word_kind;

typedef struct {
    date_word_kind kind;
    uint8_t digits; /* of a number; 0 when it was written with 十 */
    int64_t value;
} date_word;

typedef struct {
    date_word words[DATE_WORDS_MAX];
    size_t count;
    bool says_lunar; /* 农历, or a word only the lunar calendar has: 腊月, 初八, 闰 */
    bool says_solar;
    bool is_republic; /* 民国 */
    bool is_leap;     /* 闰 before the month */
    bool is_blank;    /* nothing but marks */
    bool is_unreadable;
    int32_t day_shift; /* 1 when a time in UTC falls on the next day in China */
} date_words;

void kd_date_words(kd_str raw, date_words *out_words);

#endif
