#include "text/csv.h"
#include "text/tables.h"

#include <string.h>

bool kd_one_char(kd_str field, uint32_t *out_char)
{
    size_t at = 0;
    if (field.len == 0) return false;
    *out_char = kd_utf8_next(field, &at);
    return at == field.len;
}

/* ---- pinyin.csv ---- */

uint8_t kd_sound_part(const sound_parts *parts, kd_str name)
{
    for (uint8_t i = 1; i <= parts->count; i++)
        if (kd_str_is(name, parts->names[i])) return i;
    return 0;
}

/* Number of the part from 1; 0 when it is empty, too long or one too many. */
static uint8_t add_part(sound_parts *parts, kd_str name)
{
    uint8_t known = kd_sound_part(parts, name);
    if (known || name.len == 0 || name.len >= SYLLABLE_BYTES || parts->count == SOUND_PARTS_MAX) return known;
    memcpy(parts->names[++parts->count], name.ptr, name.len);
    return parts->count;
}

static bool set_syllable(kd_text *text, uint32_t c, uint16_t syllable)
{
    if (c <= 0xFFFF) {
        text->bmp[c].syllable = syllable;
        return true;
    }
    uint64_t *far = kd_map_put(text->far, c, NULL);
    if (far) *far = (*far & 0xFFFFFFFFu) | (uint64_t)syllable << 32;
    return far != NULL;
}

kd_status kd_load_pinyin(kd_text *text, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        kd_str name = fields[0];
        if (name.len == 0 || name.len >= SYLLABLE_BYTES) return kd_table_fail(table, err, "syllable", "wrong length");
        if (kd_str_cmp(name, kd_str_of(text->syllables[text->syllable_count])) <= 0)
            return kd_table_fail(table, err, "syllable", "not in rising order");
        if (text->syllable_count == KD_SYLLABLES_MAX) return kd_table_fail(table, err, "syllable", "too many");
        uint16_t syllable = ++text->syllable_count;
        memcpy(text->syllables[syllable], name.ptr, name.len);
        text->initial_of[syllable] = add_part(&text->initials, fields[1]);
        text->final_of[syllable] = add_part(&text->finals, fields[2]);
        if (!text->initial_of[syllable] || !text->final_of[syllable])
            return kd_table_fail(table, err, "initial or final", "missing, too long or too many");
        for (size_t at = 0; at < fields[3].len;)
            if (!set_syllable(text, kd_utf8_next(fields[3], &at), syllable))
                return kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
    }
}

/* ---- folds.csv ---- */

static bool set_fold(kd_text *text, uint32_t from, uint32_t to)
{
    if (from <= 0xFFFF && to < FOLD_FAR) {
        text->bmp[from].fold = (uint16_t)to;
        return true;
    }
    if (from <= 0xFFFF) text->bmp[from].fold = FOLD_FAR;
    uint64_t *far = kd_map_put(text->far, from, NULL);
    if (far) *far = (*far & ~UINT64_C(0xFFFFFFFF)) | to;
    return far != NULL;
}

static void fold_forms_by_rule(kd_text *text)
{
    for (uint32_t c = 0; c <= 0xFFFF; c++) text->bmp[c].fold = (uint16_t)c;
    for (uint32_t c = 0xFF01; c <= 0xFF5E; c++) text->bmp[c].fold = (uint16_t)(c - 0xFEE0);
    for (uint32_t c = 'a'; c <= 'z'; c++) text->bmp[c].fold = text->bmp[c + 0xFEE0].fold = (uint16_t)(c - 32);
    text->bmp[0x3000].fold = text->bmp[0xA0].fold = ' ';
}

kd_status kd_load_folds(kd_text *text, kd_table *table, kd_error *err)
{
    fold_forms_by_rule(text);
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        uint32_t to;
        if (!kd_one_char(fields[0], &to)) return kd_table_fail(table, err, "to", "not one character");
        for (size_t at = 0; at < fields[1].len;) {
            uint32_t from = kd_utf8_next(fields[1], &at);
            if (!set_fold(text, from, to)) return kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
            if (!kd_syllable(text, from) && !set_syllable(text, from, kd_syllable(text, to)))
                return kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
        }
    }
}

/* ---- shapes.csv ---- */

static bool read_shape(const kd_str fields[KD_TABLE_COLUMNS_MAX], char_shape *out_shape)
{
    int64_t radical, strokes;
    if (!kd_str_int(fields[1], &radical) || !kd_str_int(fields[2], &strokes) || radical < 1 || radical > 214 ||
        strokes < 1 || strokes > 127 || fields[3].len > 5 || fields[4].len > 5)
        return false;
    uint64_t corner = 0, cangjie = 0;
    for (size_t i = 0; i < fields[3].len; i++) {
        unsigned digit = (unsigned char)fields[3].ptr[i] - (unsigned)'0';
        if (digit > 9) return false;
        corner |= (uint64_t)digit << 4 * i;
    }
    for (size_t i = 0; i < fields[4].len; i++) {
        unsigned letter = (unsigned char)fields[4].ptr[i] - (unsigned)'A';
        if (letter > 25) return false;
        cangjie |= (uint64_t)(letter + 1) << 5 * i;
    }
    *out_shape = (char_shape){ .cangjie = cangjie & 0x1FFFFFF,
                               .four_corner = corner & 0xFFFFF,
                               .has_corner = fields[3].len > 0,
                               .strokes = (uint64_t)strokes & 127,
                               .radical = (uint64_t)radical & 255 };
    return true;
}

kd_status kd_load_shapes(kd_text *text, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        uint32_t c;
        if (!kd_one_char(fields[0], &c) || c < HANZI_FIRST || c >= HANZI_END)
            return kd_table_fail(table, err, "char", "not one character of U+4E00 to U+9FFF");
        if (!read_shape(fields, &text->shapes[c - HANZI_FIRST]))
            return kd_table_fail(table, err, "", "radical, strokes, four-corner or Cangjie code out of range");
    }
}
