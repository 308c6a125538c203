#include "base/base.h"
#include "text/text.h"

#include <string.h>

/* The longest run kept while cleaning; more than any number of any kind has. */
enum { CLEAN_BYTES_MAX = 40 };
enum { BIRTH_YEAR_MIN = 1840, BIRTH_YEAR_MAX = 2199 };

char kd_identity_check(const char digits[17])
{
    static const uint8_t weights[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
    unsigned sum = 0, highest = 0;
    for (size_t i = 0; i < 17; i++) {
        unsigned digit = (unsigned char)digits[i] - (unsigned)'0';
        highest = digit > highest ? digit : highest;
        sum += digit * weights[i];
    }
    return highest > 9 ? 0 : "10X98765432"[sum % 11];
}

static bool is_plain(const char number[18])
{
    unsigned highest = 0;
    for (size_t i = 0; i < 17; i++) {
        unsigned digit = (unsigned char)number[i] - (unsigned)'0';
        highest = digit > highest ? digit : highest;
    }
    return highest <= 9 && ((number[17] >= '0' && number[17] <= '9') || number[17] == 'X');
}

/* Letters (upper-cased), digits and '*' of `raw`, full-width ones included; the rest are marks people put between. */
static size_t clean(kd_str raw, char out[CLEAN_BYTES_MAX])
{
    size_t count = 0;
    if (raw.len == 18 && is_plain(raw.ptr)) { /* nearly all there are */
        memcpy(out, raw.ptr, 18);
        return 18;
    }
    for (size_t at = 0; at < raw.len && count < CLEAN_BYTES_MAX;) {
        unsigned char byte = (unsigned char)raw.ptr[at];
        uint32_t c = byte;
        if (byte < 0x80)
            at++;
        else
            c = kd_utf8_next(raw, &at);
        if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
        if (c >= 'a' && c <= 'z') c -= 32;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '*')
            out[count++] = (char)c;
        else if (c == 0x2169 || c == 0x00D7)
            out[count++] = 'X'; /* the Roman ten and the times sign, typed for X */
    }
    return count;
}

static unsigned pair(const char *digits)
{
    return (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
}

/* The facts in an 18-character number whose first 17 are digits; false when its date is none. */
static bool read_facts(const char number[18], kd_identity *identity)
{
    int32_t year = (int32_t)(pair(number + 6) * 100 + pair(number + 8));
    kd_ymd birth = { year, (uint8_t)pair(number + 10), (uint8_t)pair(number + 12) };
    if (year < BIRTH_YEAR_MIN || year > BIRTH_YEAR_MAX || !kd_ymd_is_valid(birth)) return false;
    identity->birth_day = kd_day_from_ymd(birth);
    identity->sex = (number[16] - '0') % 2 ? 1 : 2;
    identity->area = (int32_t)(pair(number) * 10000 + pair(number + 2) * 100 + pair(number + 4));
    return true;
}

/* 15 digits: the century is left out; serials 996 to 999 were kept for those born before 1900. */
static kd_identity_kind read_old(const char *digits, kd_identity *identity)
{
    char full[18];
    memcpy(full, digits, 6);
    memcpy(full + 6, memcmp(digits + 12, "996", 3) >= 0 ? "18" : "19", 2);
    memcpy(full + 8, digits + 6, 9);
    if (!read_facts(full, identity)) return KD_IDENTITY_BAD_DATE;
    full[17] = kd_identity_check(full);
    memcpy(identity->number, full, 18);
    return KD_IDENTITY_OLD;
}

static kd_identity_kind read_clean(const char *text, size_t count, kd_identity *identity)
{
    size_t digits = 0;
    while (digits < count && text[digits] >= '0' && text[digits] <= '9') digits++;
    if (count == 18 && digits >= 17 && (digits == 18 || text[17] == 'X') && text[0] != '0') {
        if (!read_facts(text, identity)) return KD_IDENTITY_BAD_DATE;
        if (kd_identity_check(text) == text[17]) return KD_IDENTITY_OK;
        identity->birth_day = KD_DAY_NONE;
        identity->sex = 0;
        identity->area = 0;
        return KD_IDENTITY_BAD_CHECK;
    }
    if (count == 15 && digits == 15 && text[0] != '0') return read_old(text, identity);
    bool is_letter_first = text[0] >= 'A' && text[0] <= 'Z';
    size_t letters = 0, numerals = 0;
    for (size_t i = 0; i < count; i++) {
        letters += text[i] >= 'A' && text[i] <= 'Z';
        numerals += text[i] >= '0' && text[i] <= '9';
    }
    bool is_other = is_letter_first && count >= 5 && count <= 18 && letters + numerals == count && numerals >= 4;
    return is_other ? KD_IDENTITY_OTHER : KD_IDENTITY_BAD_SHAPE;
}

void kd_identity_read(kd_str raw, kd_identity *out_identity)
{
    kd_identity identity = { .kind = KD_IDENTITY_EMPTY, .birth_day = KD_DAY_NONE };
    char text[CLEAN_BYTES_MAX];
    size_t count = clean(raw, text);
    if (count) {
        memcpy(identity.number, text, count < 18 ? count : 18);
        identity.kind = read_clean(text, count, &identity);
    }
    *out_identity = identity;
}
