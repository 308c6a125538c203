#include "text/tables.h"

#include <string.h>

uint32_t kd_fold_char(const kd_text *text, uint32_t code_point)
{
    if (code_point <= 0xFFFF && text->bmp[code_point].fold != FOLD_FAR) return text->bmp[code_point].fold;
    const uint64_t *far = kd_map_get(text->far, code_point);
    return far && (uint32_t)*far ? (uint32_t)*far : code_point;
}

uint16_t kd_syllable(const kd_text *text, uint32_t code_point)
{
    if (code_point <= 0xFFFF) return text->bmp[code_point].syllable;
    const uint64_t *far = kd_map_get(text->far, code_point);
    return far ? (uint16_t)(*far >> 32) : 0;
}

uint16_t kd_syllable_surname(const kd_text *text, uint32_t code_point)
{
    const uint64_t *surname = kd_map_get(text->surnames, surname_key(code_point, 0));
    uint16_t reading = surname ? (uint16_t)*surname : 0;
    return reading ? reading : kd_syllable(text, code_point);
}

const char *kd_syllable_name(const kd_text *text, uint16_t syllable)
{
    return syllable <= text->syllable_count ? text->syllables[syllable] : "";
}

uint8_t kd_syllable_likeness(const kd_text *text, uint16_t a, uint16_t b)
{
    if (a > KD_SYLLABLES_MAX || b > KD_SYLLABLES_MAX) return 0;
    return text->likeness[(size_t)a * (KD_SYLLABLES_MAX + 1) + b];
}

double kd_surname_share(const kd_text *text, const uint32_t *chars, size_t count)
{
    if (count < 1 || count > 2) return 0;
    const uint64_t *surname = kd_map_get(text->surnames, surname_key(chars[0], count == 2 ? chars[1] : 0));
    return surname ? (double)(*surname >> 32) / 1e6 : 0;
}

/* ---- looks ---- */

/* Letters in the longest common subsequence of two Cangjie codes, and both lengths. */
static unsigned common_letters(uint64_t a, uint64_t b, unsigned *out_a, unsigned *out_b)
{
    uint8_t before[6] = { 0 };
    unsigned a_letters = 0, b_letters = 0;
    while (b_letters < 5 && b >> 5 * b_letters & 31) b_letters++;
    for (; a_letters < 5 && a >> 5 * a_letters & 31; a_letters++) {
        unsigned letter = a >> 5 * a_letters & 31;
        uint8_t diagonal = 0;
        for (unsigned j = 0; j < b_letters; j++) {
            uint8_t above = before[j + 1];
            uint8_t longest = above > before[j] ? above : before[j];
            before[j + 1] = letter == (b >> 5 * j & 31) ? (uint8_t)(diagonal + 1) : longest;
            diagonal = above;
        }
    }
    *out_a = a_letters;
    *out_b = b_letters;
    return before[b_letters];
}

static unsigned equal_corners(uint64_t a, uint64_t b)
{
    unsigned equal = 0;
    for (unsigned corner = 0; corner < 4; corner++) equal += (a >> 4 * corner & 15) == (b >> 4 * corner & 15);
    return equal;
}

/*
 * Components as Cangjie names them weigh most, then the four corners, then how much ink, then the radical. The weights
 * put pairs that registers confuse (伟 炜, 未 末, 己 已) above 150 and chance pairs mostly below 90.
 */
uint8_t kd_shape_likeness(const kd_text *text, uint32_t a, uint32_t b)
{
    if (a == b) return 255;
    if (a < HANZI_FIRST || a >= HANZI_END || b < HANZI_FIRST || b >= HANZI_END) return 0;
    char_shape left = text->shapes[a - HANZI_FIRST], right = text->shapes[b - HANZI_FIRST];
    if (!left.strokes || !right.strokes) return 0;
    unsigned left_letters, right_letters;
    unsigned common = common_letters(left.cangjie, right.cangjie, &left_letters, &right_letters);
    unsigned components = left_letters && right_letters ? 256 * 2 * common / (left_letters + right_letters) : 0;
    unsigned fewer = left.strokes < right.strokes ? left.strokes : right.strokes;
    unsigned more = left.strokes < right.strokes ? right.strokes : left.strokes;
    unsigned ink = 256 * fewer / more;
    unsigned radical = left.radical == right.radical ? 256 : 0;
    unsigned corners = left.has_corner && right.has_corner ? 64 * equal_corners(left.four_corner, right.four_corner)
                                                           : components; /* not known: as alike as the components */
    unsigned score = (46 * components + 30 * corners + 14 * ink + 10 * radical) / 100;
    return (uint8_t)(score > 254 ? 254 : score); /* 255 is the same character */
}
