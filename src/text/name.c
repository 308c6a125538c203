#include "text/tables.h"

#include <string.h>

enum { MASKED = 0x67D0 /* 某 */, DOT = 0x00B7 };

static bool is_separator(uint32_t c)
{
    return c == DOT || c == '.' || c == 0x2022 || c == 0x2027 || c == 0x2219 || c == 0x22C5 || c == 0x30FB ||
           c == 0xFF65 || c == 0x3002 || c == 0x25CF;
}

static bool opens_note(uint32_t c)
{
    return c == '(' || c == '[' || c == '{' || c == '<' || c == 0x3010 || c == 0x3014 || c == 0x3008 || c == 0x300A;
}

static bool closes_note(uint32_t c)
{
    return c == ')' || c == ']' || c == '}' || c == '>' || c == 0x3011 || c == 0x3015 || c == 0x3009 || c == 0x300B;
}

/* 张伟、李娜: what follows is another person. */
static bool ends_name(uint32_t c)
{
    return c == '/' || c == ';' || c == 0x3001;
}

static bool is_latin(uint32_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* Letters of any script; neither marks, digits nor what only shapes a glyph. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80) return is_latin(c);
    if (c >= 0x3400 && c <= 0x9FFF) return true;
    return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x3004) &&
           !(c >= 0x3008 && c <= 0x3030) && !(c >= 0xFE00 && c <= 0xFE6F) && !(c >= 0xFF00 && c <= 0xFFFF) &&
           !(c >= 0xE0000 && c <= 0xE0FFF);
}

/* The characters of `raw`, with notes in brackets or without. */
static void read_chars(const kd_text *text, kd_str raw, bool keeps_notes, kd_name *name)
{
    unsigned depth = 0;
    bool part_ended = false, had_space = false;
    for (size_t at = 0; at < raw.len;) {
        uint32_t c = kd_fold_char(text, kd_utf8_next(raw, &at));
        if (opens_note(c))
            depth++;
        else if (closes_note(c))
            depth -= depth > 0;
        if (depth && !keeps_notes) continue;
        if (ends_name(c) && name->count >= 2 && name->chars[name->count - 1] >= 0x3400) return;
        if (c == '*') c = MASKED;
        if (is_separator(c)) {
            part_ended = true;
            continue;
        }
        if (c == ' ') had_space = true;
        if (!is_letter(c)) continue;
        if (name->count == KD_NAME_CHARS_MAX) return;
        bool between_words = had_space && name->count && is_latin(c) && is_latin(name->chars[name->count - 1]);
        if (name->count && (part_ended || between_words)) name->part_ends |= 1u << (name->count - 1);
        part_ended = had_space = false;
        name->chars[name->count++] = c;
    }
}

static bool pattern_matches(const name_pattern *pattern, const kd_name *name)
{
    if (pattern->lead_min ? name->count < pattern->lead_min + pattern->count : name->count != pattern->count)
        return false;
    const uint32_t *tail = name->chars + (name->count - pattern->count);
    for (size_t i = pattern->count; i-- > 0;)
        if (pattern->body[i] && pattern->body[i] != tail[i]) return false;
    return true;
}

static bool may_end_pattern(const kd_text *text, uint32_t c)
{
    return text->pattern_tails[c >> 6 & 15] >> (c & 63) & 1;
}

static void find_kind(const kd_text *text, kd_name *name)
{
    name->kind = KD_NAME_PERSON;
    uint32_t last = name->chars[name->count - 1];
    if (!may_end_pattern(text, last) && (name->count < 2 || !may_end_pattern(text, name->chars[name->count - 2])))
        return;
    for (size_t i = 0; i < text->pattern_count; i++) {
        const name_pattern *pattern = &text->patterns[i];
        if (!pattern_matches(pattern, name)) continue;
        name->kind = pattern->kind;
        name->placeholder_sex = pattern->sex;
        name->parent_count = pattern->lead_min ? (uint8_t)(name->count - pattern->count) : 0;
        return;
    }
}

/* Split off the surname and apply its readings. */
static void find_surname(const kd_text *text, kd_name *name)
{
    if (name->part_ends || name->chars[0] < 0x3400) return;
    name->surname_count = 1;
    size_t named = name->parent_count ? name->parent_count : name->count;
    if (named >= 3) {
        const uint64_t *compound = kd_map_get(text->surnames, surname_key(name->chars[0], name->chars[1]));
        if (compound) {
            name->surname_count = 2;
            for (size_t i = 0; i < 2; i++) {
                uint16_t reading = (uint16_t)(*compound >> 16 * i);
                if (reading) name->syllables[i] = reading;
            }
            return;
        }
    }
    name->syllables[0] = kd_syllable_surname(text, name->chars[0]);
}

void kd_name_read(const kd_text *text, kd_str raw, kd_name *out_name)
{
    memset(out_name, 0, sizeof *out_name);
    read_chars(text, raw, false, out_name);
    if (out_name->count == 0) read_chars(text, raw, true, out_name);
    if (out_name->count) find_kind(text, out_name);
    if (out_name->kind == KD_NAME_EMPTY) {
        memset(out_name, 0, sizeof *out_name);
        return;
    }
    for (size_t i = 0; i < out_name->count; i++) out_name->syllables[i] = kd_syllable(text, out_name->chars[i]);
    find_surname(text, out_name);
}

size_t kd_name_format(const kd_name *name, char buf[KD_NAME_BYTES_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < name->count; i++) {
        char bytes[6];
        size_t count = kd_utf8_encode(name->chars[i], bytes);
        if (name->part_ends >> i & 1 && i + 1u < name->count) count += kd_utf8_encode(DOT, bytes + count);
        if (used + count > KD_NAME_BYTES_MAX) break;
        memcpy(buf + used, bytes, count);
        used += count;
    }
    return used;
}

/* Lower-case letters of the i-th character: its syllable, or itself when it is Latin. */
static kd_str spelling(const kd_text *text, const kd_name *name, size_t i, char letter[1])
{
    if (name->syllables[i]) return kd_str_of(kd_syllable_name(text, name->syllables[i]));
    if (!is_latin(name->chars[i])) return (kd_str){ NULL, 0 };
    letter[0] = (char)(name->chars[i] + 32);
    return (kd_str){ letter, 1 };
}

size_t kd_name_pinyin(const kd_text *text, const kd_name *name, char *buf, size_t buf_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < name->count; i++) {
        char letter[1];
        kd_str syllable = spelling(text, name, i, letter);
        bool starts_word = i > 0 && (i == name->surname_count || (name->part_ends >> (i - 1) & 1));
        size_t space = used && starts_word && syllable.len;
        if (used + space + syllable.len > buf_bytes) break;
        if (space) buf[used++] = ' ';
        if (syllable.len) memcpy(buf + used, syllable.ptr, syllable.len);
        used += syllable.len;
    }
    return used;
}

size_t kd_name_initials(const kd_text *text, const kd_name *name, char *buf, size_t buf_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < name->count && used < buf_bytes; i++) {
        char letter[1];
        kd_str syllable = spelling(text, name, i, letter);
        if (syllable.len) buf[used++] = syllable.ptr[0];
    }
    return used;
}
