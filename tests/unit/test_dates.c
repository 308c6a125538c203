#include "base/base.h"
#include "text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static kd_text *text;

static int open_text(void **state)
{
    (void)state;
    kd_error err;
    return kd_text_open(&text, &err) == KD_OK ? 0 : -1;
}

static int close_text(void **state)
{
    (void)state;
    kd_text_close(text);
    return 0;
}

typedef struct {
    const char *raw;
    kd_date_kind kind;
    const char *day;
} written_date;

static void check_dates(const written_date *cases, size_t count, kd_date_style style, bool is_lunar)
{
    for (size_t i = 0; i < count; i++) {
        kd_date date;
        char day[16];
        size_t len = strlen(cases[i].raw);
        char *exact = malloc(len + 1); /* its own block without a NUL, so that reading past it is seen */
        assert_non_null(exact);
        memcpy(exact, cases[i].raw, len);
        kd_date_read_style(text, (kd_str){ exact, len }, style, &date);
        free(exact);
        kd_day_format(date.day, day);
        if (date.kind != cases[i].kind || strcmp(day, cases[i].day) != 0 || date.is_lunar != is_lunar)
            fail_msg("%s: kind %d, day %s, lunar %d", cases[i].raw, (int)date.kind, day, date.is_lunar);
    }
}

static void solar_dates_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const written_date cases[] = {
        { "2020-01-05", KD_DATE_DAY, "2020-01-05" },
        { "2020-1-5", KD_DATE_DAY, "2020-01-05" },
        { "2020/01/05", KD_DATE_DAY, "2020-01-05" },
        { "2020/1/5", KD_DATE_DAY, "2020-01-05" },
        { "2020.1.5", KD_DATE_DAY, "2020-01-05" },
        { "2020,1,5", KD_DATE_DAY, "2020-01-05" },
        { "2020 1 5", KD_DATE_DAY, "2020-01-05" },
        { "20200105", KD_DATE_DAY, "2020-01-05" },
        { "20200105.0", KD_DATE_DAY, "2020-01-05" },
        { " 2020-01-05 ", KD_DATE_DAY, "2020-01-05" },
        { "2020－01－05", KD_DATE_DAY, "2020-01-05" },
        { "２０２０年１月５日", KD_DATE_DAY, "2020-01-05" },
        { "2020年1月5日", KD_DATE_DAY, "2020-01-05" },
        { "2020年01月05", KD_DATE_DAY, "2020-01-05" },
        { "2020年1月5号", KD_DATE_DAY, "2020-01-05" },
        { "2020 年 1 月 5 日", KD_DATE_DAY, "2020-01-05" },
        { "二〇二〇年一月五日", KD_DATE_DAY, "2020-01-05" },
        { "二零二零年十二月三十一日", KD_DATE_DAY, "2020-12-31" },
        { "二○二○年十月二十日", KD_DATE_DAY, "2020-10-20" },
        { "一九八五年十一月廿三日", KD_DATE_DAY, "1985-11-23" },
        { "一九八五年五月卅一日", KD_DATE_DAY, "1985-05-31" },
        { "公元1985年8月15日", KD_DATE_DAY, "1985-08-15" },
        { "1985年8月15日出生", KD_DATE_DAY, "1985-08-15" },
        { "1985年8月15日（农历六月廿九）", KD_DATE_DAY, "1985-08-15" },
        { "1985年8月15日（公历）", KD_DATE_DAY, "1985-08-15" },
        { "2020年1月5日（星期日）", KD_DATE_DAY, "2020-01-05" },
        { "民国三十八年五月一日", KD_DATE_DAY, "1949-05-01" },
        { "民國38年5月1日", KD_DATE_DAY, "1949-05-01" },
        { "民国38.5.1", KD_DATE_DAY, "1949-05-01" },
        { "民国元年", KD_DATE_YEAR, "1912-01-01" },
        { "85年8月15日", KD_DATE_DAY, "1985-08-15" },
        { "85-8-15", KD_DATE_DAY, "1985-08-15" },
        { "20-1-5", KD_DATE_DAY, "2020-01-05" },
        { "200105", KD_DATE_DAY, "2020-01-05" },
        { "850815", KD_DATE_DAY, "1985-08-15" },
        { "310101", KD_DATE_DAY, "1931-01-01" },
        { "300101", KD_DATE_DAY, "2030-01-01" },
        { "05/01/2020", KD_DATE_DAY, "2020-05-01" },
        { "25/01/2020", KD_DATE_DAY, "2020-01-25" },
        { "1/25/20", KD_DATE_DAY, "2020-01-25" },
        { "5-Jan-2020", KD_DATE_DAY, "2020-01-05" },
        { "5-Jan-20", KD_DATE_DAY, "2020-01-05" },
        { "January 5, 2020", KD_DATE_DAY, "2020-01-05" },
        { "2020-Jan-05", KD_DATE_DAY, "2020-01-05" },
        { "43835", KD_DATE_DAY, "2020-01-05" },
        { "43835.5", KD_DATE_DAY, "2020-01-05" },
        { "43835.0000", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-05 10:20:30", KD_DATE_DAY, "2020-01-05" },
        { "2020/1/5 0:00:00", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-05T10:20:30", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-05T10:20:30+08:00", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-04T16:00:00Z", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-04T15:59:59.999Z", KD_DATE_DAY, "2020-01-04" },
        { "2020-01-05 10：20", KD_DATE_DAY, "2020-01-05" },
        { "2020年1月5日　１０：２０", KD_DATE_DAY, "2020-01-05" },
        { "20200105102030", KD_DATE_DAY, "2020-01-05" },
        { "202001051020", KD_DATE_DAY, "2020-01-05" },
        { "2020年1月5日10时20分", KD_DATE_DAY, "2020-01-05" },
        { "2020年1月5日 上午10点", KD_DATE_DAY, "2020-01-05" },
        { "2020-02-29", KD_DATE_DAY, "2020-02-29" },
        { "1985-08", KD_DATE_MONTH, "1985-08-01" },
        { "1985.8", KD_DATE_MONTH, "1985-08-01" },
        { "1985年8月", KD_DATE_MONTH, "1985-08-01" },
        { "199805", KD_DATE_MONTH, "1998-05-01" },
        { "8/1985", KD_DATE_MONTH, "1985-08-01" },
        { "1985-08-00", KD_DATE_MONTH, "1985-08-01" },
        { "一九八五年八月", KD_DATE_MONTH, "1985-08-01" },
        { "1985", KD_DATE_YEAR, "1985-01-01" },
        { "1985年", KD_DATE_YEAR, "1985-01-01" },
        { "85年", KD_DATE_YEAR, "1985-01-01" },
        { "1985-00-00", KD_DATE_YEAR, "1985-01-01" },
        { "19850000", KD_DATE_YEAR, "1985-01-01" },
    };
    check_dates(cases, COUNT(cases), KD_DATE_STYLE_DEFAULT, false);
}

static void a_style_decides_what_the_text_leaves_open(void **state)
{
    (void)state;
    static const written_date day_first[] = {
        { "05-01-2020", KD_DATE_DAY, "2020-01-05" }, { "05/01/2020", KD_DATE_DAY, "2020-01-05" },
        { "01/25/2020", KD_DATE_DAY, "2020-01-25" }, { "05012020", KD_DATE_DAY, "2020-01-05" },
        { "2020-01-05", KD_DATE_DAY, "2020-01-05" },
    };
    check_dates(day_first, COUNT(day_first), (kd_date_style){ .day_first = true, .pivot_year = 2030 }, false);
    static const written_date old[] = { { "25-01-05", KD_DATE_DAY, "1925-01-05" },
                                        { "200105", KD_DATE_DAY, "2020-01-05" },
                                        { "99-1-5", KD_DATE_DAY, "1999-01-05" } };
    check_dates(old, COUNT(old), (kd_date_style){ .pivot_year = 2024 }, false);
}

static void impossible_days_are_not_unreadable(void **state)
{
    (void)state;
    static const written_date cases[] = {
        { "2020-02-30", KD_DATE_IMPOSSIBLE, "" },
        { "2019-02-29", KD_DATE_IMPOSSIBLE, "" },
        { "20190229", KD_DATE_IMPOSSIBLE, "" },
        { "2020-13-01", KD_DATE_IMPOSSIBLE, "" },
        { "2020年2月30日", KD_DATE_IMPOSSIBLE, "" },
        { "2020-04-31", KD_DATE_IMPOSSIBLE, "" },
        { "1985-00-15", KD_DATE_IMPOSSIBLE, "" },
        { "99999999", KD_DATE_IMPOSSIBLE, "" },
        { "0985-01-01", KD_DATE_IMPOSSIBLE, "" },
        { "2020年99月", KD_DATE_IMPOSSIBLE, "" },
        { "很久以前", KD_DATE_UNREADABLE, "" },
        { "hello", KD_DATE_UNREADABLE, "" },
        { "庚子年腊月初八", KD_DATE_UNREADABLE, "" },
        { "123", KD_DATE_UNREADABLE, "" },
        { "99999", KD_DATE_UNREADABLE, "" },
        { "1-2-3-4", KD_DATE_UNREADABLE, "" },
        { "1234567890123456789012", KD_DATE_UNREADABLE, "" },
        { "2020-1-5-", KD_DATE_DAY, "2020-01-05" },
        { "1月5日", KD_DATE_UNREADABLE, "" },
        { "\xFF\xFE", KD_DATE_UNREADABLE, "" },
        { "年月日", KD_DATE_UNREADABLE, "" },
        { "1- - - - - - - - - - - -2", KD_DATE_UNREADABLE, "" },
        { "", KD_DATE_EMPTY, "" },
        { "  ", KD_DATE_EMPTY, "" },
        { "/", KD_DATE_EMPTY, "" },
        { "--", KD_DATE_EMPTY, "" },
        { "无", KD_DATE_EMPTY, "" },
        { "不详", KD_DATE_EMPTY, "" },
        { "0000-00-00", KD_DATE_EMPTY, "" },
        { "00000000", KD_DATE_EMPTY, "" },
        { "0", KD_DATE_EMPTY, "" },
        { "0000-00-00 00:00:00", KD_DATE_EMPTY, "" },
    };
    check_dates(cases, COUNT(cases), KD_DATE_STYLE_DEFAULT, false);
}

static void lunar_dates_become_solar_days(void **state)
{
    (void)state;
    static const written_date cases[] = {
        { "农历二〇二〇年腊月初八", KD_DATE_DAY, "2021-01-20" }, { "农历2020年12月8日", KD_DATE_DAY, "2021-01-20" },
        { "農曆2020年臘月初八", KD_DATE_DAY, "2021-01-20" },     { "阴历2020-12-8", KD_DATE_DAY, "2021-01-20" },
        { "2020.12.8（农历）", KD_DATE_DAY, "2021-01-20" },      { "农历20201208", KD_DATE_DAY, "2021-01-20" },
        { "2020年腊月初八", KD_DATE_DAY, "2021-01-20" },         { "二〇二〇年正月初一", KD_DATE_DAY, "2020-01-25" },
        { "2020年冬月十五", KD_DATE_DAY, "2020-12-29" },         { "农历2020年八月十五", KD_DATE_DAY, "2020-10-01" },
        { "农历2020年闰四月初一", KD_DATE_DAY, "2020-05-23" },   { "2020年闰四月初三", KD_DATE_DAY, "2020-05-25" },
        { "农历一九六八年七月廿三", KD_DATE_DAY, "1968-08-16" }, { "农历2020年七月三十", KD_DATE_IMPOSSIBLE, "" },
        { "农历2020年八月", KD_DATE_MONTH, "2020-09-17" },       { "农历2020年", KD_DATE_YEAR, "2020-01-25" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_dates(&cases[i], 1, KD_DATE_STYLE_DEFAULT, cases[i].kind != KD_DATE_IMPOSSIBLE);
    static const written_date wrong[] = {
        { "农历2021年闰四月初一", KD_DATE_IMPOSSIBLE, "" },
        { "农历2020年13月1日", KD_DATE_IMPOSSIBLE, "" },
        { "农历1899年八月十五", KD_DATE_UNREADABLE, "" },
        { "农历2101年八月十五", KD_DATE_UNREADABLE, "" },
    };
    check_dates(wrong, COUNT(wrong), KD_DATE_STYLE_DEFAULT, false);
    kd_date date;
    kd_date_read(NULL, KD_STR("农历2020年八月十五"), &date);
    assert_int_equal(date.kind, KD_DATE_UNREADABLE);
}

/* Walks the days of 201 years one by one: every day has one lunar date, they follow each other, and lead back. */
static void every_lunar_day_of_two_centuries_goes_both_ways(void **state)
{
    (void)state;
    int32_t first = kd_lunar_to_day(text, 1900, 1, false, 1), days = 0;
    int32_t before_year = 1899;
    int before_month = 12, before_day = 30, months = 0;
    for (int32_t day = first;; day++) {
        int32_t year;
        int month, lunar_day;
        bool is_leap;
        if (!kd_day_to_lunar(text, day, &year, &month, &is_leap, &lunar_day)) break;
        if (kd_lunar_to_day(text, year, month, is_leap, lunar_day) != day)
            fail_msg("%d-%d%s-%d", year, month, is_leap ? " leap" : "", lunar_day);
        if (lunar_day == 1) {
            months++;
            assert_in_range(before_day, 29, 30);
            assert_true(is_leap ? month == before_month && year == before_year
                                : month == before_month % 12 + 1 && year == before_year + (month == 1));
        } else {
            assert_true(lunar_day == before_day + 1 && month == before_month && year == before_year);
        }
        before_year = year;
        before_month = month;
        before_day = lunar_day;
        days++;
    }
    assert_int_equal(before_year, 2100);
    assert_int_equal(days, kd_day_from_ymd((kd_ymd){ 2101, 1, 29 }) - first);
    assert_int_equal(months, 201 * 12 + 74); /* leap months of 1900 to 2100 */
}

static void days_outside_the_lunar_table_are_refused(void **state)
{
    (void)state;
    int32_t year;
    int month, day;
    bool is_leap;
    assert_false(kd_day_to_lunar(text, KD_DAY_NONE, &year, &month, &is_leap, &day));
    assert_false(kd_day_to_lunar(text, INT32_MAX, &year, &month, &is_leap, &day));
    assert_false(kd_day_to_lunar(text, kd_lunar_to_day(text, 1900, 1, false, 1) - 1, &year, &month, &is_leap, &day));
    static const struct {
        int32_t year;
        int month, day;
        bool is_leap;
    } none[] = { { 1899, 1, 1, false }, { 2101, 1, 1, false },  { 2020, 0, 1, false }, { 2020, 13, 1, false },
                 { 2020, 1, 0, false }, { 2020, 1, 31, false }, { 2020, 5, 1, true },  { INT32_MAX, 1, 1, false } };
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(kd_lunar_to_day(text, none[i].year, none[i].month, none[i].is_leap, none[i].day), KD_DAY_NONE);
}

static void a_lunar_date_written_as_solar_is_found_again(void **state)
{
    (void)state;
    int32_t written = kd_day_from_ymd((kd_ymd){ 1968, 7, 23 });
    assert_int_equal(kd_day_if_lunar(text, written), kd_day_from_ymd((kd_ymd){ 1968, 8, 16 }));
    assert_int_equal(kd_day_if_lunar(text, kd_day_from_ymd((kd_ymd){ 1968, 8, 31 })), KD_DAY_NONE);
    assert_int_equal(kd_day_if_lunar(text, KD_DAY_NONE), KD_DAY_NONE);
}

static void random_digits_never_make_a_day_out_of_range(void **state)
{
    (void)state;
    static const char *const pieces[] = { "1",  "9",  "0",  "2",  "12", "31",  "2020", "-",    "/",    ".",       "年",
                                          "月", "日", "十", "廿", "初", "闰",  "腊",   "农历", "民国", ":",       " ",
                                          "T",  "Z",  "一", "〇", "三", "Jan", "(",    "时",   "\xE5", "\xE5\xB9" };
    kd_rng rng;
    kd_rng_init(&rng, 9);
    for (int round = 0; round < 200000; round++) {
        char raw[64];
        size_t len = 0;
        for (size_t n = kd_rng_below(&rng, 12); n > 0; n--) {
            const char *piece = pieces[kd_rng_below(&rng, COUNT(pieces))];
            size_t bytes = strlen(piece);
            if (len + bytes > sizeof raw) break;
            memcpy(raw + len, piece, bytes);
            len += bytes;
        }
        kd_date date;
        kd_date_read(text, (kd_str){ raw, len }, &date);
        bool has_day = date.kind == KD_DATE_DAY || date.kind == KD_DATE_MONTH || date.kind == KD_DATE_YEAR;
        assert_int_equal(has_day, date.day != KD_DAY_NONE);
        if (has_day) assert_in_range(kd_day_to_ymd(date.day).year, 999, 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solar_dates_are_read_in_every_spelling),
        cmocka_unit_test(a_style_decides_what_the_text_leaves_open),
        cmocka_unit_test(impossible_days_are_not_unreadable),
        cmocka_unit_test(lunar_dates_become_solar_days),
        cmocka_unit_test(every_lunar_day_of_two_centuries_goes_both_ways),
        cmocka_unit_test(days_outside_the_lunar_table_are_refused),
        cmocka_unit_test(a_lunar_date_written_as_solar_is_found_again),
        cmocka_unit_test(random_digits_never_make_a_day_out_of_range),
    };
    return cmocka_run_group_tests_name("dates", tests, open_text, close_text);
}
