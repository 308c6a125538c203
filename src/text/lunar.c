#include "text/tables.h"

static const lunar_year *year_of(const kd_text *text, int32_t year)
{
    return year < LUNAR_FIRST || year >= LUNAR_FIRST + LUNAR_YEARS ? NULL : &text->lunar[year - LUNAR_FIRST];
}

static int month_days(const lunar_year *year, int index)
{
    return 29 + (year->is_long >> index & 1);
}

int32_t kd_lunar_to_day(const kd_text *text, int32_t year, int month, bool is_leap, int day)
{
    const lunar_year *lunar = year_of(text, year);
    if (!lunar || month < 1 || month > 12 || day < 1 || (is_leap && month != lunar->leap_month)) return KD_DAY_NONE;
    int index = month - 1 + (is_leap || (lunar->leap_month && month > lunar->leap_month));
    if (day > month_days(lunar, index)) return KD_DAY_NONE;
    int32_t first = lunar->new_year;
    for (int i = 0; i < index; i++) first += month_days(lunar, i);
    return first + day - 1;
}

bool kd_day_to_lunar(const kd_text *text, int32_t day, int32_t *out_year, int *out_month, bool *out_is_leap,
                     int *out_lunar_day)
{
    if (day < text->lunar[0].new_year || day >= text->lunar[LUNAR_YEARS].new_year) return false;
    int32_t year = kd_day_to_ymd(day).year;
    if (year >= LUNAR_FIRST + LUNAR_YEARS || day < text->lunar[year - LUNAR_FIRST].new_year) year--;
    const lunar_year *lunar = &text->lunar[year - LUNAR_FIRST];
    int32_t rest = day - lunar->new_year;
    int index = 0;
    while (rest >= month_days(lunar, index)) rest -= month_days(lunar, index++);
    bool is_past_leap = lunar->leap_month && index >= lunar->leap_month;
    *out_year = year;
    *out_month = index + 1 - is_past_leap;
    *out_is_leap = lunar->leap_month && index == lunar->leap_month;
    *out_lunar_day = rest + 1;
    return true;
}

int32_t kd_day_if_lunar(const kd_text *text, int32_t day)
{
    if (day == KD_DAY_NONE) return KD_DAY_NONE;
    kd_ymd date = kd_day_to_ymd(day);
    return kd_lunar_to_day(text, date.year, date.month, false, date.day);
}
