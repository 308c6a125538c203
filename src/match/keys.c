/* Blocking keys: numbers made once for every distinct value, so that records only look them up. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

static uint32_t number_of(const void *bytes, size_t len)
{
    uint32_t number = (uint32_t)(kd_hash(bytes, len, 1) >> 16);
    return number ? number : 1;
}

/* American Soundex, four characters. */
static uint32_t soundex(const kd_entry *entry)
{
    static const char codes[] = "01230120022455012623010202";
    char out[4] = { 0 };
    size_t n = 0;
    char last = 0;
    for (uint32_t i = 0; i < entry->len && n < 4; i++) {
        char c = entry->ptr[i];
        if (c < 'a' || c > 'z') continue;
        char code = codes[c - 'a'];
        if (n == 0) {
            out[n++] = c;
        } else if (code != '0' && code != last) {
            out[n++] = code;
        }
        if (c != 'h' && c != 'w') last = code;
    }
    return n ? number_of(out, sizeof out) : 0;
}

static int by_char(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t decode(const kd_entry *entry, uint32_t chars[KD_MATCH_TEXT_CHARS_MAX])
{
    size_t n = 0;
    kd_str text = { entry->ptr, entry->len };
    for (size_t at = 0; at < text.len && n < KD_MATCH_TEXT_CHARS_MAX;) chars[n++] = kd_utf8_next(text, &at);
    return n;
}

static uint32_t first_word(const kd_entry *entry)
{
    uint32_t len = 0;
    while (len < entry->len && entry->ptr[len] != ' ') len++;
    return len ? number_of(entry->ptr, len) : 0;
}

static uint32_t name_part(const kd_entry *entry, kd_key_kind kind)
{
    int from = kind == KD_KEY_GIVEN ? entry->surname_count : 0;
    int to = kind == KD_KEY_SURNAME ? entry->surname_count : entry->count;
    if (to <= from) return 0;
    if (kind == KD_KEY_SYLLABLES)
        return number_of(entry->name->syllables, (size_t)to * sizeof entry->name->syllables[0]);
    return number_of(entry->name->chars + from, (size_t)(to - from) * sizeof entry->name->chars[0]);
}

static uint32_t division_part(const kd_entry *entry, int64_t unit)
{
    int64_t part = entry->number / unit;
    return part && entry->number >= 100000000000 ? number_of(&part, sizeof part) : 0;
}

static uint32_t derive(const kd_entry *entry, const kd_key *key)
{
    uint32_t chars[KD_MATCH_TEXT_CHARS_MAX];
    size_t n;
    switch (key->kind) {
    case KD_KEY_FIRST:
    case KD_KEY_LAST:
        n = decode(entry, chars);
        if (n < (size_t)key->count) return 0;
        return number_of(key->kind == KD_KEY_FIRST ? chars : chars + n - key->count,
                         (size_t)key->count * sizeof *chars);
    case KD_KEY_SORTED:
        n = decode(entry, chars);
        qsort(chars, n, sizeof *chars, by_char);
        return n ? number_of(chars, n * sizeof *chars) : 0;
    case KD_KEY_SOUNDEX: return soundex(entry);
    case KD_KEY_WORD: return first_word(entry);
    case KD_KEY_SYLLABLES:
    case KD_KEY_SURNAME:
    case KD_KEY_GIVEN: return name_part(entry, key->kind);
    case KD_KEY_TOWNSHIP: return entry->number / 1000 % 1000 ? division_part(entry, 1000) : 0;
    case KD_KEY_COUNTY: return division_part(entry, 1000000);
    default: return number_of(entry->ptr, entry->len);
    }
}

static uint32_t date_part(uint32_t code, kd_key_kind kind)
{
    kd_ymd date = kd_day_to_ymd((int32_t)code - KD_DAY_OFFSET);
    if (kind == KD_KEY_YEAR) return (uint32_t)date.year + 1;
    if (kind == KD_KEY_MONTH) return (uint32_t)date.year * 16 + date.month;
    if (kind == KD_KEY_DAY) return (uint32_t)date.month * 32 + date.day;
    return code;
}

/* Numbers of a key for all values of its column; whole values and plain numbers need none. */
static kd_status make_table(void *ctx, size_t index, kd_error *err)
{
    kd_matcher *m = ctx;
    const kd_key *key = &m->model->keys[index];
    const kd_values *values = &m->values[key->field];
    bool is_date = m->model->fields[key->field].kind == KD_FIELD_DATE;
    if (key->kind == KD_KEY_WHOLE || (values->is_direct && !is_date)) return KD_OK;
    uint32_t *of_code = calloc((size_t)values->count + 1, sizeof *of_code);
    if (!of_code) return kd_fail(err, KD_LIMIT, "", "no memory for the blocking keys");
    for (uint32_t code = 1; code < values->count; code++)
        of_code[code] = is_date ? date_part(code, key->kind) : derive(&values->entries[code], key);
    m->key_tables[index] = of_code;
    return KD_OK;
}

kd_status kd_keys_prepare(kd_matcher *m, kd_error *err)
{
    return kd_parallel(m->threads, m->model->key_count, make_table, m, err);
}

uint32_t kd_key_of(const kd_matcher *m, const kd_key *key, const kd_side *side)
{
    uint32_t code = side->codes[key->field];
    const uint32_t *of_code = m->key_tables[key->table];
    if (!of_code || !code) return code; /* whole: a stranger's value meets nobody */
    if (code < m->values[key->field].count) return of_code[code];
    return m->values[key->field].is_direct ? date_part(code, key->kind) : derive(&side->own[key->field], key);
}

uint32_t kd_rule_key(const kd_matcher *m, const kd_rule *rule, const kd_side *side)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < rule->key_count; i++) {
        uint32_t key = kd_key_of(m, &rule->keys[i], side);
        if (!key) return 0;
        hash = kd_hash_int(hash * 31 + key + i);
    }
    uint32_t folded = (uint32_t)(hash >> 32) ^ (uint32_t)hash;
    return folded ? folded : 1;
}

uint64_t kd_rule_content(const kd_matcher *m, const kd_rule *rule, const kd_side *side)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < rule->key_count; i++) {
        const kd_key *key = &rule->keys[i];
        bool is_code = key->kind == KD_KEY_WHOLE && !m->values[key->field].is_direct;
        uint32_t part = is_code ? kd_entry_of(m, side, key->field)->hash : kd_key_of(m, key, side);
        hash = kd_hash_int(hash * 31 + part + i);
    }
    return hash;
}

bool kd_rule_holds(const kd_matcher *m, const kd_rule *rule, const kd_side *a, const kd_side *b)
{
    if (rule->is_near) return false; /* such pairs may be brought twice; what keeps pairs keeps one of them */
    for (size_t i = 0; i < rule->key_count; i++) {
        uint32_t key = kd_key_of(m, &rule->keys[i], a);
        if (!key || key != kd_key_of(m, &rule->keys[i], b)) return false;
    }
    return true;
}
