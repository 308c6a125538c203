#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

bool kd_ymd_is_valid(kd_ymd date)
{
    static const uint8_t lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1) return false;
    bool is_leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
    return date.day <= lengths[date.month - 1] + (date.month == 2 && is_leap);
}

int32_t kd_day_from_ymd(kd_ymd date)
{
    if (!kd_ymd_is_valid(date)) return KD_DAY_NONE;
    int32_t year = date.year - (date.month <= 2); /* the year starts in March, so the leap day is last */
    int32_t era = year / 400, year_of_era = year % 400;
    int32_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

kd_ymd kd_day_to_ymd(int32_t day)
{
    int64_t shifted = (int64_t)day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    return (kd_ymd){
        .year = (int32_t)(year_of_era + era * 400 + (month >= 10)),
        .month = (uint8_t)(month < 10 ? month + 3 : month - 9),
        .day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

bool kd_day_parse(kd_str text, int32_t *out_day)
{
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-') return false;
    int64_t year, month, day;
    if (!kd_str_int(kd_str_sub(text, 0, 4), &year) || !kd_str_int(kd_str_sub(text, 5, 7), &month) ||
        !kd_str_int(kd_str_sub(text, 8, 10), &day) || year < 0 || month < 0 || day < 0)
        return false;
    int32_t found = kd_day_from_ymd((kd_ymd){ (int32_t)year, (uint8_t)month, (uint8_t)day });
    if (found == KD_DAY_NONE) return false;
    *out_day = found;
    return true;
}

char *kd_day_format(int32_t day, char buf[16])
{
    buf[0] = '\0';
    if (day == KD_DAY_NONE) return buf;
    kd_ymd date = kd_day_to_ymd(day);
    snprintf(buf, 16, "%04d-%02u-%02u", date.year, date.month, date.day);
    return buf;
}

int32_t kd_day_age_years(int32_t birth_day, int32_t day)
{
    kd_ymd birth = kd_day_to_ymd(birth_day), now = kd_day_to_ymd(day);
    bool had_birthday = now.month > birth.month || (now.month == birth.month && now.day >= birth.day);
    return now.year - birth.year - !had_birthday;
}

static int64_t fixed_now_us(void)
{
    const char *text = getenv("KINDRED_NOW");
    int32_t day;
    return text && kd_day_parse(kd_str_of(text), &day) ? day * INT64_C(86400000000) + INT64_C(14400000000) : 0;
}

int64_t kd_now_us(void)
{
    int64_t fixed = fixed_now_us();
    if (fixed) return fixed;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int32_t kd_today(void)
{
    return (int32_t)((kd_now_us() / 1000000 + 8 * 3600) / 86400);
}

double kd_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct timespec kd_deadline(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

uint64_t kd_memory_peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

char *kd_instant_format(int64_t us, char buf[32])
{
    int64_t seconds = us / 1000000;
    kd_ymd date = kd_day_to_ymd((int32_t)(seconds / 86400));
    int64_t rest = seconds % 86400;
    snprintf(buf, 32, "%04d-%02u-%02uT%02d:%02d:%02dZ", date.year, date.month, date.day, (int)(rest / 3600),
             (int)(rest / 60 % 60), (int)(rest % 60));
    return buf;
}
