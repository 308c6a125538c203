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
    if (kind == KD_KEY_SYLLABLES) return number_of(entry->syllables, (size_t)to * sizeof entry->syllables[0]);
    return number_of(entry->chars + from, (size_t)(to - from) * sizeof entry->chars[0]);
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

static const kd_key_table *find_table(const kd_matcher *m, const kd_key *key)
{
    for (size_t i = 0; i < m->table_count; i++) {
        const kd_key *known = &m->tables[i].key;
        if (known->field == key->field && known->kind == key->kind && known->count == key->count) return &m->tables[i];
    }
    return NULL;
}

static kd_status add_table(kd_matcher *m, const kd_key *key, kd_error *err)
{
    const kd_values *values = &m->values[key->field];
    if (key->kind == KD_KEY_WHOLE || values->is_direct || find_table(m, key)) return KD_OK;
    kd_key_table *grown = realloc(m->tables, (m->table_count + 1) * sizeof *grown);
    if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory for the blocking keys");
    m->tables = grown;
    kd_key_table *table = &m->tables[m->table_count];
    *table = (kd_key_table){ *key, calloc(values->count, sizeof(uint32_t)) };
    if (!table->of_code) return kd_fail(err, KD_LIMIT, "", "no memory for the blocking keys");
    m->table_count++;
    for (uint32_t code = 1; code < values->count; code++) table->of_code[code] = derive(&values->entries[code], key);
    return KD_OK;
}

static kd_status add_rules(kd_matcher *m, const kd_rule *rules, size_t count, kd_error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rules[i].key_count; k++) KD_TRY(add_table(m, &rules[i].keys[k], err));
    return KD_OK;
}

kd_status kd_keys_prepare(kd_matcher *m, kd_error *err)
{
    KD_TRY(add_rules(m, m->model->rules, m->model->rule_count, err));
    KD_TRY(add_rules(m, m->model->training, m->model->training_count, err));
    return add_rules(m, m->model->collapse, m->model->collapse_count, err);
}

uint32_t kd_key_of(const kd_matcher *m, const kd_key *key, const kd_side *side)
{
    uint32_t code = side->codes[key->field];
    if (!code) return 0;
    if (m->values[key->field].is_direct)
        return m->model->fields[key->field].kind == KD_FIELD_DATE ? date_part(code, key->kind) : code;
    if (key->kind == KD_KEY_WHOLE) return code; /* a stranger's value meets nobody */
    if (side->own) return derive(&side->own[key->field], key);
    return find_table(m, key)->of_code[code];
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
