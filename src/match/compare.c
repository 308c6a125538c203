#include "records.h"

#include <math.h>
#include <string.h>

/* ---- names ---- */

static bool same_chars(const kd_entry *a, const kd_entry *b)
{
    if (a->count != b->count) return false;
    unsigned taken = 0;
    for (int i = 0; i < a->count; i++) {
        int j = 0;
        while (j < b->count && (taken >> j & 1 || a->name->chars[i] != b->name->chars[j])) j++;
        if (j == b->count) return false;
        taken |= 1u << j;
    }
    return true;
}

static bool same_sounds(const kd_entry *a, const kd_entry *b)
{
    if (a->count != b->count || a->count < 2) return false;
    for (int i = 0; i < a->count; i++)
        if (a->name->chars[i] != b->name->chars[i] &&
            (a->name->syllables[i] == 0 || a->name->syllables[i] != b->name->syllables[i]))
            return false;
    return true;
}

/* Every character that differs looks or sounds like its counterpart, and at least one is the same. */
static bool alike(const kd_text *text, const kd_entry *a, const kd_entry *b, double at_least)
{
    if (a->count != b->count || a->count < 2) return false;
    int same = 0;
    for (int i = 0; i < a->count; i++) {
        if (a->name->chars[i] == b->name->chars[i]) {
            same++;
            continue;
        }
        if (kd_shape_likeness(text, a->name->chars[i], b->name->chars[i]) >= at_least) continue;
        if (kd_syllable_likeness(text, a->name->syllables[i], b->name->syllables[i]) >= at_least) continue;
        return false;
    }
    return same > 0;
}

static int differing(const kd_entry *a, const kd_entry *b)
{
    int n = 0;
    for (int i = 0; i < a->count; i++) n += a->name->chars[i] != b->name->chars[i];
    return n;
}

/* The shorter is the longer with one character left out. */
static bool one_more(const kd_entry *a, const kd_entry *b)
{
    if (a->count > b->count) {
        const kd_entry *swap = a;
        a = b;
        b = swap;
    }
    if (b->count != a->count + 1 || a->count < 1) return false;
    int i = 0;
    while (i < a->count && a->name->chars[i] == b->name->chars[i]) i++;
    for (; i < a->count; i++)
        if (a->name->chars[i] != b->name->chars[i + 1]) return false;
    return true;
}

static bool same_part(const kd_entry *a, const kd_entry *b, bool is_surname)
{
    int from_a = is_surname ? 0 : a->surname_count, to_a = is_surname ? a->surname_count : a->count;
    int from_b = is_surname ? 0 : b->surname_count, to_b = is_surname ? b->surname_count : b->count;
    if (to_a - from_a != to_b - from_b || to_a <= from_a) return false;
    return memcmp(a->name->chars + from_a, b->name->chars + from_b,
                  (size_t)(to_a - from_a) * sizeof a->name->chars[0]) == 0;
}

/* ---- dates ---- */

static uint64_t digits_of(kd_ymd date)
{
    uint64_t digits = 0; /* one hexadecimal place a digit, so that differing places can be counted */
    unsigned number = (unsigned)date.year * 10000 + date.month * 100u + date.day;
    for (int i = 0; i < 8; i++, number /= 10) digits |= (uint64_t)(number % 10) << (4 * i);
    return digits;
}

static int digits_differing(kd_ymd a, kd_ymd b)
{
    uint64_t x = digits_of(a) ^ digits_of(b);
    x |= x >> 1;
    x |= x >> 2;
    return __builtin_popcountll(x & 0x11111111);
}

/* Two neighbouring digits of the year, the month or the day have changed places. */
static bool digits_swapped(kd_ymd date_a, kd_ymd date_b)
{
    static const unsigned places[] = { 0, 2, 4, 5, 6 }; /* of the lower digit: day, month, year */
    uint64_t a = digits_of(date_a), b = digits_of(date_b);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        unsigned low = places[i] * 4, high = low + 4;
        uint64_t swapped = (a >> low & 15) << high | (a >> high & 15) << low;
        if (a != b && ((a & ~(UINT64_C(255) << low)) | swapped) == b) return true;
    }
    return false;
}

typedef struct {
    int32_t day_a, day_b;
    kd_ymd a, b;
} pair_of_days;

/* Lunar dates read as solar ones are some 20 to 52 days early; only those that may be are looked up. */
static bool is_lunar(const kd_text *text, int32_t early, int32_t late)
{
    enum { DAYS_LEAST = 10, DAYS_MOST = 70 };
    int64_t apart = (int64_t)late - early;
    return apart >= DAYS_LEAST && apart <= DAYS_MOST && kd_day_if_lunar(text, early) == late;
}

static bool date_is_at(const kd_matcher *m, const kd_level *level, const pair_of_days *d)
{
    kd_ymd a = d->a, b = d->b;
    switch (level->kind) {
    case KD_LEVEL_EXACT: return d->day_a == d->day_b;
    case KD_LEVEL_ONE_DIGIT: return digits_differing(a, b) == 1;
    case KD_LEVEL_DIGITS_SWAPPED: return digits_swapped(a, b);
    case KD_LEVEL_DAY_MONTH: return a.year == b.year && a.month == b.day && a.day == b.month;
    case KD_LEVEL_LUNAR:
        return is_lunar(m->model->text, d->day_a, d->day_b) || is_lunar(m->model->text, d->day_b, d->day_a);
    case KD_LEVEL_NEW_YEAR: return a.year == b.year && ((a.month == 1 && a.day == 1) || (b.month == 1 && b.day == 1));
    case KD_LEVEL_SAME_MONTH: return a.year == b.year && a.month == b.month;
    case KD_LEVEL_SAME_DAY_OF_YEAR: return a.month == b.month && a.day == b.day;
    case KD_LEVEL_SAME_YEAR: return a.year == b.year;
    case KD_LEVEL_WITHIN: return fabs((double)d->day_a - (double)d->day_b) <= level->limit;
    default: return level->kind == KD_LEVEL_ELSE;
    }
}

/* ---- one level ---- */

static kd_str text_of(const kd_entry *entry)
{
    return (kd_str){ entry->ptr, entry->len };
}

static bool is_swapped(const kd_matcher *m, const kd_level *level, size_t field, const kd_side *a, const kd_side *b)
{
    if (!a->codes[level->with] || !b->codes[level->with] || m->values[level->with].is_direct) return false;
    return kd_str_eq(text_of(kd_entry_of(m, a, field)), text_of(kd_entry_of(m, b, level->with))) &&
           kd_str_eq(text_of(kd_entry_of(m, b, field)), text_of(kd_entry_of(m, a, level->with)));
}

/** What is worked out once for a pair of values, however many levels ask. */
typedef struct {
    const kd_entry *x, *y;
    double jaro_winkler; /* below 0: not worked out yet */
    int edits, swaps;    /* the same */
} pair_of_values;

static bool is_like(pair_of_values *v, double limit, double least_limit)
{
    if (v->jaro_winkler < 0) v->jaro_winkler = kd_jaro_winkler(v->x, v->y, least_limit);
    return v->jaro_winkler >= limit;
}

static bool is_near(pair_of_values *v, double limit, double most_limit, bool with_swaps)
{
    int *edits = with_swaps ? &v->swaps : &v->edits;
    if (*edits < 0) *edits = kd_edit_distance(v->x, v->y, (int)most_limit, with_swaps);
    return *edits <= (int)limit;
}

static bool entry_is_at(const kd_matcher *m, const kd_comparison *comparison, const kd_level *level, pair_of_values *v)
{
    const kd_entry *x = v->x, *y = v->y;
    switch (level->kind) {
    case KD_LEVEL_JARO_WINKLER: return is_like(v, level->limit, comparison->least_likeness);
    case KD_LEVEL_LEVENSHTEIN: return is_near(v, level->limit, comparison->most_edits, false);
    case KD_LEVEL_OSA: return is_near(v, level->limit, comparison->most_edits, true);
    case KD_LEVEL_SAME_CHARS: return same_chars(x, y);
    case KD_LEVEL_HOMOPHONE: return same_sounds(x, y);
    case KD_LEVEL_LOOKALIKE: return alike(m->model->text, x, y, level->limit);
    case KD_LEVEL_ONE_DIFFERS: return x->count == y->count && x->count > 1 && differing(x, y) == 1;
    case KD_LEVEL_SUBSET: return one_more(x, y);
    case KD_LEVEL_SAME_GIVEN: return same_part(x, y, false);
    case KD_LEVEL_SAME_SURNAME: return same_part(x, y, true);
    case KD_LEVEL_TYPO: return !(x->is_valid && y->is_valid) && is_near(v, level->limit, comparison->most_edits, true);
    case KD_LEVEL_BOTH_VALID: return x->is_valid && y->is_valid;
    case KD_LEVEL_SAME_TOWNSHIP: return x->number / 1000 == y->number / 1000 && x->number / 1000 % 1000 != 0;
    case KD_LEVEL_SAME_COUNTY: return x->number / 1000000 == y->number / 1000000;
    default: return level->kind == KD_LEVEL_ELSE;
    }
}

static size_t compare_dates(const kd_matcher *m, const kd_comparison *comparison, uint32_t code_a, uint32_t code_b)
{
    pair_of_days days = { .day_a = (int32_t)code_a - KD_DAY_OFFSET, .day_b = (int32_t)code_b - KD_DAY_OFFSET };
    days.a = kd_day_to_ymd(days.day_a);
    days.b = kd_day_to_ymd(days.day_b);
    size_t i = 1;
    while (i + 1 < comparison->level_count && !date_is_at(m, &comparison->levels[i], &days)) i++;
    return i; /* the last is else */
}

size_t kd_compare(const kd_matcher *m, const kd_comparison *comparison, const kd_side *a, const kd_side *b)
{
    size_t field = comparison->field;
    uint32_t code_a = a->codes[field], code_b = b->codes[field];
    if (!code_a || !code_b) return 0;
    const kd_values *values = &m->values[field];
    bool is_same = code_a == code_b && (code_a != UINT32_MAX || values->is_direct); /* strangers are not each other */
    if (is_same && comparison->levels[1].kind == KD_LEVEL_EXACT) return 1;
    if (m->model->fields[field].kind == KD_FIELD_DATE) return compare_dates(m, comparison, code_a, code_b);
    pair_of_values v = { .jaro_winkler = -1, .edits = -1, .swaps = -1 };
    if (!values->is_direct) {
        v.x = kd_entry_of(m, a, field);
        v.y = kd_entry_of(m, b, field);
    }
    size_t i = 1;
    for (; i + 1 < comparison->level_count; i++) { /* the last is else */
        const kd_level *level = &comparison->levels[i];
        bool is_at = false;
        if (level->kind == KD_LEVEL_EXACT) {
            is_at = is_same;
        } else if (level->kind == KD_LEVEL_SWAPPED) {
            is_at = is_swapped(m, level, field, a, b);
        } else if (!values->is_direct) {
            is_at = entry_is_at(m, comparison, level, &v);
        }
        if (is_at) break;
    }
    return i;
}

static bool is_silenced(const kd_comparison *comparison, const uint8_t *levels)
{
    return comparison->unless_comparison != SIZE_MAX &&
           comparison->unless_levels >> levels[comparison->unless_comparison] & 1;
}

uint32_t kd_pattern(const kd_matcher *m, const kd_side *a, const kd_side *b)
{
    uint8_t levels[KD_MATCH_COMPARISONS_MAX];
    uint32_t pattern = 0;
    for (size_t i = 0; i < m->model->comparison_count; i++) {
        const kd_comparison *comparison = &m->model->comparisons[i];
        levels[i] = is_silenced(comparison, levels) ? 0 : (uint8_t)kd_compare(m, comparison, a, b);
        pattern += levels[i] * comparison->stride;
    }
    return pattern;
}

double kd_tf_bits(const kd_matcher *m, const kd_comparison *comparison, size_t level, const kd_side *a)
{
    const kd_values *values = &m->values[comparison->field];
    if (!comparison->levels[level].has_term_frequency || !values->rare_bits) return 0;
    uint32_t code = a->codes[comparison->field];
    if (code >= values->count) return 0;
    return m->u_bits[comparison - m->model->comparisons][level] + (double)values->rare_bits[code];
}

bool kd_score(const kd_matcher *m, const kd_side *a, const kd_side *b, double floor_bits, double *out_bits,
              uint32_t *out_pattern, bool *out_is_veto)
{
    uint8_t levels[KD_MATCH_COMPARISONS_MAX];
    uint32_t pattern = 0;
    double bits = m->prior_bits;
    bool is_veto = false;
    const kd_model *model = m->model;
    for (size_t i = 0; i < model->comparison_count; i++) {
        if (bits + m->best_after[i] < floor_bits) return false;
        const kd_comparison *comparison = &model->comparisons[i];
        size_t level = is_silenced(comparison, levels) ? 0 : kd_compare(m, comparison, a, b);
        levels[i] = (uint8_t)level;
        pattern += (uint32_t)level * comparison->stride;
        bits += m->bits[i][level] + kd_tf_bits(m, comparison, level, a);
        is_veto = is_veto || comparison->levels[level].is_veto;
    }
    if (bits < floor_bits) return false;
    *out_bits = bits;
    *out_pattern = pattern;
    *out_is_veto = is_veto;
    return true;
}

/* The bits that a level can give at most, with the rarest value. */
static double most_bits(const kd_matcher *m, const kd_comparison *comparison, size_t level)
{
    double bits = kd_level_bits(&comparison->levels[level]);
    const kd_values *values = &m->values[comparison->field];
    if (!comparison->levels[level].has_term_frequency || !values->rare_bits) return bits;
    return bits + fmax(0, log2(comparison->levels[level].u) + (double)values->most_rare_bits);
}

void kd_score_prepare(kd_matcher *m)
{
    const kd_model *model = m->model;
    m->prior_bits = isnan(model->prior) ? 0 : log2(model->prior / (1 - model->prior));
    m->best_after[model->comparison_count] = 0;
    for (size_t i = model->comparison_count; i-- > 0;) {
        const kd_comparison *comparison = &model->comparisons[i];
        double best = 0;
        for (size_t level = 0; level < comparison->level_count; level++) {
            double bits = isnan(comparison->levels[level].m) || isnan(comparison->levels[level].u)
                              ? 0
                              : kd_level_bits(&comparison->levels[level]);
            m->bits[i][level] = bits;
            m->u_bits[i][level] = isnan(comparison->levels[level].u) ? 0 : log2(comparison->levels[level].u);
            double most = bits == 0 ? 0 : most_bits(m, comparison, level);
            if (most > best) best = most;
        }
        m->best_after[i] = m->best_after[i + 1] + best;
    }
}
