/* The handbook number: county, year, serial, check digit. One number from birth to school (R9.4). */
#include "births.h"

/* Source: ISO/IEC 7064, hybrid system MOD 11,10: 10 is carried through every digit; the check digit closes the sum to 1. */
static int check_digit(const char *digits, size_t count)
{
    int rest = 10;
    for (size_t i = 0; i < count; i++) {
        int sum = (rest + (digits[i] - '0')) % 10;
        rest = (sum ? sum : 10) * 2 % 11;
    }
    return (11 - rest) % 10;
}

bool birth_number_is_valid(kd_str number)
{
    if (number.len < 2 || number.len >= BIRTH_NUMBER_BYTES) return false;
    for (size_t i = 0; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9') return false;
    return number.ptr[number.len - 1] - '0' == check_digit(number.ptr, number.len - 1);
}

kd_status birth_number_next(kd_register *reg, const kd_births_pack *pack, int64_t division, int32_t today,
                            char out[BIRTH_NUMBER_BYTES], kd_error *err)
{
    static const char next[] = "insert into setting (name, value) values ($1, '1') on conflict (name) do update set "
                               "value = cast(cast(setting.value as bigint) + 1 as text) returning value";
    char counter[64];
    kd_rows *rows;
    bool has_row = false;
    int64_t serial = 0, limit = 1;
    int county = (int)(division / 1000000), year = kd_day_to_ymd(today).year;
    snprintf(counter, sizeof counter, "handbook/%06d/%d", county, year);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, next, KD_VALUES(kd_text_value(kd_str_of(counter)))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    bool is_read = status == KD_OK && has_row && kd_str_int(kd_rows_text(rows, 0), &serial);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    for (int64_t i = 0; i < pack->serial_digits; i++) limit *= 10;
    if (!is_read || serial < 1) return kd_fail(err, KD_INVALID, "number", "the counter of handbook numbers is damaged");
    if (serial >= limit)
        return kd_fail(err, KD_LIMIT, "number", "the county's handbook numbers of this year are used up");
    int len = snprintf(out, BIRTH_NUMBER_BYTES - 1, "%06d%04d%0*lld", county, year, (int)pack->serial_digits,
                       (long long)serial);
    out[len] = (char)('0' + check_digit(out, (size_t)len));
    out[len + 1] = '\0';
    return KD_OK;
}
