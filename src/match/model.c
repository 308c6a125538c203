#include "model.h"

#include <math.h>
#include <string.h>

enum { MODEL_BYTES_MAX = 16 << 20, FILE_BYTES_MAX = 4 << 20, BLOCK_RECORDS_MAX = 2000 };

typedef struct {
    const char *name;
    int value;
} word;

static const word FIELD_KINDS[] = { { "text", KD_FIELD_TEXT },         { "chinese_name", KD_FIELD_NAME },
                                    { "identity", KD_FIELD_IDENTITY }, { "date", KD_FIELD_DATE },
                                    { "division", KD_FIELD_DIVISION }, { NULL, 0 } };

static const word KEY_KINDS[] = { { "first", KD_KEY_FIRST },         { "last", KD_KEY_LAST },
                                  { "soundex", KD_KEY_SOUNDEX },     { "sorted", KD_KEY_SORTED },
                                  { "syllables", KD_KEY_SYLLABLES }, { "surname", KD_KEY_SURNAME },
                                  { "given", KD_KEY_GIVEN },         { "year", KD_KEY_YEAR },
                                  { "month", KD_KEY_MONTH },         { "day", KD_KEY_DAY },
                                  { "township", KD_KEY_TOWNSHIP },   { "county", KD_KEY_COUNTY },
                                  { "word", KD_KEY_WORD },           { NULL, 0 } };

static const word LEVEL_KINDS[] = { { "exact", KD_LEVEL_EXACT },
                                    { "jaro_winkler", KD_LEVEL_JARO_WINKLER },
                                    { "levenshtein", KD_LEVEL_LEVENSHTEIN },
                                    { "osa", KD_LEVEL_OSA },
                                    { "swapped", KD_LEVEL_SWAPPED },
                                    { "same_characters", KD_LEVEL_SAME_CHARS },
                                    { "homophone", KD_LEVEL_HOMOPHONE },
                                    { "lookalike", KD_LEVEL_LOOKALIKE },
                                    { "one_differs", KD_LEVEL_ONE_DIFFERS },
                                    { "one_more", KD_LEVEL_SUBSET },
                                    { "same_given", KD_LEVEL_SAME_GIVEN },
                                    { "same_surname", KD_LEVEL_SAME_SURNAME },
                                    { "typo", KD_LEVEL_TYPO },
                                    { "both_valid", KD_LEVEL_BOTH_VALID },
                                    { "one_digit", KD_LEVEL_ONE_DIGIT },
                                    { "digits_swapped", KD_LEVEL_DIGITS_SWAPPED },
                                    { "day_month_swapped", KD_LEVEL_DAY_MONTH },
                                    { "lunar", KD_LEVEL_LUNAR },
                                    { "new_year", KD_LEVEL_NEW_YEAR },
                                    { "same_month", KD_LEVEL_SAME_MONTH },
                                    { "same_day_of_year", KD_LEVEL_SAME_DAY_OF_YEAR },
                                    { "same_year", KD_LEVEL_SAME_YEAR },
                                    { "within", KD_LEVEL_WITHIN },
                                    { "same_township", KD_LEVEL_SAME_TOWNSHIP },
                                    { "same_county", KD_LEVEL_SAME_COUNTY },
                                    { "else", KD_LEVEL_ELSE },
                                    { NULL, 0 } };

static bool find_word(const word *words, kd_str name, int *out_value)
{
    for (; words->name; words++) {
        if (!kd_str_is(name, words->name)) continue;
        *out_value = words->value;
        return true;
    }
    return false;
}

double kd_level_bits(const kd_level *level)
{
    return level->kind == KD_LEVEL_MISSING ? 0 : log2(level->m / level->u);
}

/* ---- columns ---- */

static kd_status read_sources(kd_field *field, const kd_yaml *from, kd_error *err)
{
    if (!from) {
        field->sources[field->source_count++] = field->name;
        return KD_OK;
    }
    if (from->kind == KD_YAML_SCALAR) {
        field->sources[field->source_count++] = from->text;
        return KD_OK;
    }
    for (const kd_yaml *child = from->first; child; child = child->next) {
        if (child->kind != KD_YAML_SCALAR || field->source_count == KD_MATCH_SOURCES_MAX)
            return kd_yaml_fail(err, child, "from: up to %d column names are expected here", KD_MATCH_SOURCES_MAX);
        field->sources[field->source_count++] = child->text;
    }
    return field->source_count ? KD_OK : kd_yaml_fail(err, from, "from: names no column");
}

static kd_status read_columns(kd_model *model, const kd_yaml *columns, kd_error *err)
{
    static const char *const keys[] = { "kind", "from", "day_first", NULL };
    if (!columns || columns->kind != KD_YAML_MAP)
        return kd_yaml_fail(err, columns ? columns : model->root, "columns: a map of columns is expected");
    for (const kd_yaml *child = columns->first; child; child = child->next) {
        int kind = KD_FIELD_TEXT;
        if (model->field_count == KD_MATCH_FIELDS_MAX)
            return kd_yaml_fail(err, child, "a model has at most %d columns", KD_MATCH_FIELDS_MAX);
        KD_TRY(kd_yaml_only(child, keys, err));
        if (!find_word(FIELD_KINDS, kd_yaml_text(child, "kind", KD_STR("text")), &kind))
            return kd_yaml_fail(err, kd_yaml_get(child, "kind"),
                                "kind: text, chinese_name, identity, date or division is expected");
        kd_field *field = &model->fields[model->field_count++];
        *field = (kd_field){ .name = child->key, .kind = (kd_field_kind)kind };
        KD_TRY(kd_yaml_bool(child, "day_first", false, &field->is_day_first, err));
        if (field->is_day_first && field->kind != KD_FIELD_DATE)
            return kd_yaml_fail(err, child, "day_first: goes with a column of kind date");
        KD_TRY(read_sources(field, kd_yaml_get(child, "from"), err));
    }
    return model->field_count ? KD_OK : kd_yaml_fail(err, columns, "columns: names no column");
}

static kd_status read_null_texts(kd_model *model, const kd_yaml *list, kd_error *err)
{
    for (const kd_yaml *child = list ? list->first : NULL; child; child = child->next) {
        if (child->kind != KD_YAML_SCALAR || model->null_text_count == KD_MATCH_NULL_TEXTS_MAX)
            return kd_yaml_fail(err, child, "null_texts: up to %d texts are expected", KD_MATCH_NULL_TEXTS_MAX);
        model->null_texts[model->null_text_count++] = child->text;
    }
    return KD_OK;
}

static kd_status find_field(const kd_model *model, const kd_yaml *node, kd_str name, size_t *out_field, kd_error *err)
{
    for (size_t i = 0; i < model->field_count; i++) {
        if (!kd_str_eq(model->fields[i].name, name)) continue;
        *out_field = i;
        return KD_OK;
    }
    return kd_yaml_fail(err, node, "there is no column '%.*s' in columns:", KD_FMT(name));
}

static kd_status read_field_list(const kd_model *model, const kd_yaml *list, size_t *fields, size_t *count,
                                 kd_error *err)
{
    for (const kd_yaml *child = list ? list->first : NULL; child; child = child->next) {
        if (*count == KD_MATCH_FIELDS_MAX) return kd_yaml_fail(err, child, "too many columns");
        KD_TRY(find_field(model, child, child->text, &fields[*count], err));
        (*count)++;
    }
    return KD_OK;
}

/* ---- blocking rules: "surname.first(3)" ---- */

static kd_status number_key(kd_model *model, const kd_yaml *node, kd_key *key, kd_error *err)
{
    for (key->table = 0; key->table < model->key_count; key->table++) {
        const kd_key *known = &model->keys[key->table];
        if (known->field == key->field && known->kind == key->kind && known->count == key->count) return KD_OK;
    }
    if (model->key_count == KD_MATCH_KEY_TABLES_MAX)
        return kd_yaml_fail(err, node, "the rules name more than %d different keys", KD_MATCH_KEY_TABLES_MAX);
    model->keys[model->key_count++] = *key;
    return KD_OK;
}

static bool fits(kd_key_kind key, kd_field_kind field)
{
    switch (key) {
    case KD_KEY_SYLLABLES:
    case KD_KEY_SURNAME:
    case KD_KEY_GIVEN: return field == KD_FIELD_NAME;
    case KD_KEY_YEAR:
    case KD_KEY_MONTH:
    case KD_KEY_DAY: return field == KD_FIELD_DATE;
    case KD_KEY_TOWNSHIP:
    case KD_KEY_COUNTY: return field == KD_FIELD_DIVISION;
    case KD_KEY_FIRST:
    case KD_KEY_LAST:
    case KD_KEY_SOUNDEX:
    case KD_KEY_SORTED:
    case KD_KEY_WORD: return field != KD_FIELD_DATE;
    default: return true;
    }
}

static kd_status read_key(kd_model *model, const kd_yaml *node, kd_key *out, kd_error *err)
{
    if (node->kind != KD_YAML_SCALAR)
        return kd_yaml_fail(err, node, "a key such as name or birth_day.year is expected");
    ptrdiff_t dot = kd_str_find(node->text, KD_STR("."));
    kd_str field = dot < 0 ? node->text : kd_str_sub(node->text, 0, (size_t)dot);
    *out = (kd_key){ .kind = KD_KEY_WHOLE };
    KD_TRY(find_field(model, node, field, &out->field, err));
    if (dot < 0) return number_key(model, node, out, err);
    kd_str what = kd_str_sub(node->text, (size_t)dot + 1, node->text.len);
    ptrdiff_t open = kd_str_find(what, KD_STR("("));
    int kind = 0;
    if (!find_word(KEY_KINDS, open < 0 ? what : kd_str_sub(what, 0, (size_t)open), &kind))
        return kd_yaml_fail(err, node, "'%.*s' is no part of a value that a key can take", KD_FMT(what));
    out->kind = (kd_key_kind)kind;
    bool has_count = out->kind == KD_KEY_FIRST || out->kind == KD_KEY_LAST;
    if (has_count != (open >= 0)) return kd_yaml_fail(err, node, "only first(n) and last(n) take a number");
    if (has_count && (!kd_str_int(kd_str_sub(what, (size_t)open + 1, what.len - 1), &out->count) || out->count < 1))
        return kd_yaml_fail(err, node, "first(n) and last(n) want a number of characters");
    if (!fits(out->kind, model->fields[out->field].kind))
        return kd_yaml_fail(err, node, "'%.*s' cannot be taken of a column of this kind", KD_FMT(what));
    model->fields[out->field].needs_text = true;
    return number_key(model, node, out, err);
}

static kd_status read_keys(kd_model *model, const kd_yaml *list, kd_rule *out, kd_error *err)
{
    if (list->kind != KD_YAML_LIST || !list->count) return kd_yaml_fail(err, list, "a list of keys is expected here");
    for (const kd_yaml *child = list->first; child; child = child->next) {
        if (out->key_count == KD_MATCH_KEYS_MAX)
            return kd_yaml_fail(err, child, "a rule has at most %d keys", KD_MATCH_KEYS_MAX);
        KD_TRY(read_key(model, child, &out->keys[out->key_count++], err));
    }
    return KD_OK;
}

static kd_status read_rule(kd_model *model, const kd_yaml *node, kd_rule *out, kd_error *err)
{
    static const char *const keys[] = { "keys", "near", "max", NULL };
    *out = (kd_rule){ .records_max = BLOCK_RECORDS_MAX };
    if (node->kind == KD_YAML_LIST) return read_keys(model, node, out, err);
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(kd_yaml_int(node, "max", BLOCK_RECORDS_MAX, &out->records_max, err));
    const kd_yaml *near = kd_yaml_get(node, "near"), *list = kd_yaml_get(node, "keys");
    if (!near == !list) return kd_yaml_fail(err, node, "keys: or near: is expected here");
    if (list) return read_keys(model, list, out, err);
    out->is_near = true;
    out->key_count = 1;
    KD_TRY(read_key(model, near, &out->keys[0], err));
    return model->fields[out->keys[0].field].kind == KD_FIELD_IDENTITY
               ? KD_OK
               : kd_yaml_fail(err, near, "near: wants a column of kind identity");
}

static kd_status read_rules(kd_model *model, const kd_yaml *list, kd_rule *rules, size_t *count, kd_error *err)
{
    for (const kd_yaml *child = list ? list->first : NULL; child; child = child->next) {
        if (*count == KD_MATCH_RULES_MAX) return kd_yaml_fail(err, child, "at most %d rules", KD_MATCH_RULES_MAX);
        KD_TRY(read_rule(model, child, &rules[(*count)++], err));
    }
    return KD_OK;
}

/* ---- comparisons ---- */

static kd_status read_probability(const kd_yaml *node, const char *key, double *out, bool *out_is_given, kd_error *err)
{
    KD_TRY(kd_yaml_double(node, key, NAN, out, err));
    *out_is_given = !isnan(*out);
    if (*out_is_given && !(*out > 0 && *out <= 1))
        return kd_yaml_fail(err, kd_yaml_get(node, key), "%s: a probability above 0 and up to 1 is expected", key);
    return KD_OK;
}

static bool level_fits(kd_level_kind level, kd_field_kind field)
{
    switch (level) {
    case KD_LEVEL_SAME_CHARS:
    case KD_LEVEL_HOMOPHONE:
    case KD_LEVEL_LOOKALIKE:
    case KD_LEVEL_ONE_DIFFERS:
    case KD_LEVEL_SUBSET:
    case KD_LEVEL_SAME_GIVEN:
    case KD_LEVEL_SAME_SURNAME: return field == KD_FIELD_NAME;
    case KD_LEVEL_TYPO:
    case KD_LEVEL_BOTH_VALID: return field == KD_FIELD_IDENTITY;
    case KD_LEVEL_ONE_DIGIT:
    case KD_LEVEL_DIGITS_SWAPPED:
    case KD_LEVEL_DAY_MONTH:
    case KD_LEVEL_LUNAR:
    case KD_LEVEL_NEW_YEAR:
    case KD_LEVEL_SAME_MONTH:
    case KD_LEVEL_SAME_DAY_OF_YEAR:
    case KD_LEVEL_SAME_YEAR:
    case KD_LEVEL_WITHIN: return field == KD_FIELD_DATE;
    case KD_LEVEL_SAME_TOWNSHIP:
    case KD_LEVEL_SAME_COUNTY: return field == KD_FIELD_DIVISION;
    case KD_LEVEL_JARO_WINKLER:
    case KD_LEVEL_LEVENSHTEIN:
    case KD_LEVEL_OSA:
    case KD_LEVEL_SWAPPED: return field == KD_FIELD_TEXT;
    default: return true;
    }
}

static kd_status read_level(const kd_model *model, const kd_yaml *node, size_t field, kd_level *out, kd_error *err)
{
    static const char *const keys[] = { "is",   "at_least",       "at_most", "with", "m", "u",
                                        "veto", "term_frequency", "zh",      "en",   NULL };
    int kind = 0;
    double at_most;
    KD_TRY(kd_yaml_only(node, keys, err));
    *out = (kd_level){ .title_zh = kd_yaml_text(node, "zh", (kd_str){ NULL, 0 }),
                       .title_en = kd_yaml_text(node, "en", (kd_str){ NULL, 0 }) };
    if (!find_word(LEVEL_KINDS, kd_yaml_text(node, "is", (kd_str){ NULL, 0 }), &kind))
        return kd_yaml_fail(err, node, "is: names no level that is known");
    out->kind = (kd_level_kind)kind;
    if (!level_fits(out->kind, model->fields[field].kind))
        return kd_yaml_fail(err, node, "a column of this kind has no such level");
    KD_TRY(kd_yaml_double(node, "at_least", NAN, &out->limit, err));
    KD_TRY(kd_yaml_double(node, "at_most", NAN, &at_most, err));
    if (isnan(out->limit)) out->limit = at_most;
    bool wants_limit = out->kind == KD_LEVEL_JARO_WINKLER || out->kind == KD_LEVEL_LEVENSHTEIN ||
                       out->kind == KD_LEVEL_OSA || out->kind == KD_LEVEL_LOOKALIKE || out->kind == KD_LEVEL_TYPO ||
                       out->kind == KD_LEVEL_WITHIN;
    if (wants_limit == isnan(out->limit))
        return kd_yaml_fail(err, node, wants_limit ? "at_least: or at_most: is missing" : "this level has no limit");
    KD_TRY(read_probability(node, "m", &out->m, &out->is_m_given, err));
    KD_TRY(read_probability(node, "u", &out->u, &out->is_u_given, err));
    KD_TRY(kd_yaml_bool(node, "veto", false, &out->is_veto, err));
    KD_TRY(kd_yaml_bool(node, "term_frequency", false, &out->has_term_frequency, err));
    if (out->has_term_frequency && out->kind != KD_LEVEL_EXACT)
        return kd_yaml_fail(err, node, "term_frequency: goes with the level exact");
    if (out->kind == KD_LEVEL_SWAPPED)
        KD_TRY(find_field(model, node, kd_yaml_text(node, "with", (kd_str){ NULL, 0 }), &out->with, err));
    kd_str is = kd_yaml_text(node, "is", (kd_str){ NULL, 0 });
    out->name = isnan(out->limit) ? is : kd_arena_fmt(model->arena, "%.*s %g", KD_FMT(is), out->limit);
    return out->name.ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the model");
}

static kd_status read_levels(const kd_model *model, const kd_yaml *list, kd_comparison *out, kd_error *err)
{
    out->levels[0] = (kd_level){ .kind = KD_LEVEL_MISSING,
                                 .name = KD_STR("missing"),
                                 .title_zh = KD_STR("缺一方"),
                                 .title_en = KD_STR("not known on one side"),
                                 .m = 1,
                                 .u = 1,
                                 .is_m_given = true,
                                 .is_u_given = true };
    out->level_count = 1;
    out->least_likeness = 1;
    if (!list || list->kind != KD_YAML_LIST)
        return kd_yaml_fail(err, list ? list : model->root, "levels: a list is expected");
    for (const kd_yaml *child = list->first; child; child = child->next) {
        if (out->level_count == KD_MATCH_LEVELS_MAX)
            return kd_yaml_fail(err, child, "a comparison has at most %d levels", KD_MATCH_LEVELS_MAX - 1);
        KD_TRY(read_level(model, child, out->field, &out->levels[out->level_count++], err));
        const kd_level *level = &out->levels[out->level_count - 1];
        if (level->kind == KD_LEVEL_JARO_WINKLER && level->limit < out->least_likeness)
            out->least_likeness = level->limit;
        if (level->limit > out->most_edits) out->most_edits = level->limit;
        bool is_last = child->next == NULL;
        if ((out->levels[out->level_count - 1].kind == KD_LEVEL_ELSE) != is_last)
            return kd_yaml_fail(err, child, is_last ? "the last level is {is: else}" : "else stands last");
    }
    return out->level_count > 2 ? KD_OK : kd_yaml_fail(err, list, "levels: at least two are needed");
}

static kd_status read_unless(const kd_model *model, const kd_yaml *node, kd_comparison *out, kd_error *err)
{
    static const char *const keys[] = { "comparison", "levels", NULL };
    out->unless_comparison = SIZE_MAX;
    if (!node) return KD_OK;
    KD_TRY(kd_yaml_only(node, keys, err));
    kd_str name = kd_yaml_text(node, "comparison", (kd_str){ NULL, 0 });
    for (size_t i = 0; i < model->comparison_count; i++)
        if (kd_str_eq(model->comparisons[i].name, name)) out->unless_comparison = i;
    if (out->unless_comparison == SIZE_MAX)
        return kd_yaml_fail(err, node, "unless: names no comparison above this one");
    const kd_yaml *levels = kd_yaml_get(node, "levels");
    const kd_comparison *other = &model->comparisons[out->unless_comparison];
    for (const kd_yaml *child = levels ? levels->first : NULL; child; child = child->next) {
        size_t found = 0;
        for (size_t i = 1; i < other->level_count; i++)
            if (kd_str_eq(other->levels[i].name, child->text)) found = i;
        if (!found) return kd_yaml_fail(err, child, "that comparison has no such level");
        out->unless_levels |= 1u << found;
    }
    return out->unless_levels ? KD_OK : kd_yaml_fail(err, node, "unless: names no level");
}

static kd_status read_comparison(kd_model *model, const kd_yaml *node, kd_error *err)
{
    static const char *const keys[] = { "name", "column", "levels", "unless", NULL };
    if (model->comparison_count == KD_MATCH_COMPARISONS_MAX)
        return kd_yaml_fail(err, node, "a model has at most %d comparisons", KD_MATCH_COMPARISONS_MAX);
    KD_TRY(kd_yaml_only(node, keys, err));
    kd_comparison *out = &model->comparisons[model->comparison_count];
    kd_str column = kd_yaml_text(node, "column", (kd_str){ NULL, 0 });
    KD_TRY(find_field(model, node, column, &out->field, err));
    out->name = kd_yaml_text(node, "name", column);
    KD_TRY(read_levels(model, kd_yaml_get(node, "levels"), out, err));
    KD_TRY(read_unless(model, kd_yaml_get(node, "unless"), out, err));
    for (size_t l = 1; l < out->level_count; l++) {
        const kd_level *level = &out->levels[l];
        if (level->kind == KD_LEVEL_EXACT || level->kind == KD_LEVEL_ELSE) continue;
        model->fields[out->field].needs_text = true;
        if (level->kind == KD_LEVEL_SWAPPED) model->fields[level->with].needs_text = true;
    }
    model->comparison_count++;
    return KD_OK;
}

static kd_status read_comparisons(kd_model *model, const kd_yaml *list, kd_error *err)
{
    uint64_t stride = 1;
    if (!list || list->kind != KD_YAML_LIST || !list->count)
        return kd_yaml_fail(err, list ? list : model->root, "comparisons: a list is expected");
    for (const kd_yaml *child = list->first; child; child = child->next) {
        KD_TRY(read_comparison(model, child, err));
        kd_comparison *comparison = &model->comparisons[model->comparison_count - 1];
        comparison->stride = (uint32_t)stride;
        stride *= comparison->level_count;
        if (stride > UINT32_MAX) return kd_yaml_fail(err, child, "the comparisons have too many levels together");
    }
    return KD_OK;
}

/* ---- the rest ---- */

static kd_status read_prior(kd_model *model, const kd_yaml *prior, kd_error *err)
{
    static const char *const keys[] = { "probability", "matches_per_record", NULL };
    bool is_given;
    model->prior = model->matches_per_record = NAN;
    if (!prior) return KD_OK;
    KD_TRY(kd_yaml_only(prior, keys, err));
    KD_TRY(read_probability(prior, "probability", &model->prior, &is_given, err));
    KD_TRY(kd_yaml_double(prior, "matches_per_record", NAN, &model->matches_per_record, err));
    if (model->matches_per_record <= 0)
        return kd_yaml_fail(err, kd_yaml_get(prior, "matches_per_record"),
                            "matches_per_record: a number above 0 is expected");
    return KD_OK;
}

/* Which column names a record, and what tells its true entity: a column, or the part of it where a pattern has {N}. */
static kd_status read_truth(kd_model *model, const kd_yaml *truth, kd_error *err)
{
    static const char *const keys[] = { "id", "entity", NULL }, *const entity_keys[] = { "from", "pattern", NULL };
    const kd_str none = { NULL, 0 };
    if (!truth) return KD_OK;
    KD_TRY(kd_yaml_only(truth, keys, err));
    model->id_column = kd_yaml_text(truth, "id", none);
    const kd_yaml *entity = kd_yaml_get(truth, "entity");
    if (!entity) return KD_OK;
    if (entity->kind == KD_YAML_SCALAR) {
        model->entity_column = entity->text;
        return KD_OK;
    }
    KD_TRY(kd_yaml_only(entity, entity_keys, err));
    model->entity_column = kd_yaml_text(entity, "from", none);
    kd_str pattern = kd_yaml_text(entity, "pattern", none);
    if (!model->entity_column.len) return kd_yaml_fail(err, entity, "entity: from: names the column");
    if (!pattern.len) return KD_OK;
    ptrdiff_t at = kd_str_find(pattern, KD_STR("{N}"));
    if (at < 0) return kd_yaml_fail(err, kd_yaml_get(entity, "pattern"), "pattern: {N} marks the entity, as rec-{N}-");
    model->entity_before = kd_str_sub(pattern, 0, (size_t)at);
    model->entity_after = kd_str_sub(pattern, (size_t)at + 3, pattern.len);
    return KD_OK;
}

static kd_status read_cluster(kd_model *model, const kd_yaml *cluster, kd_error *err)
{
    static const char *const keys[] = { "method", "at_least", "unscored", NULL };
    model->is_average_link = true;
    model->cluster_bits = model->threshold_bits;
    model->unscored_bits = model->threshold_bits - 10;
    if (!cluster) return KD_OK;
    KD_TRY(kd_yaml_only(cluster, keys, err));
    kd_str method = kd_yaml_text(cluster, "method", KD_STR("average_link"));
    if (!kd_str_is(method, "average_link") && !kd_str_is(method, "connected_components"))
        return kd_yaml_fail(err, cluster, "method: average_link or connected_components is expected");
    model->is_average_link = kd_str_is(method, "average_link");
    KD_TRY(kd_yaml_double(cluster, "at_least", model->cluster_bits, &model->cluster_bits, err));
    return kd_yaml_double(cluster, "unscored", model->unscored_bits, &model->unscored_bits, err);
}

static kd_status read_model(kd_model *model, kd_error *err)
{
    static const char *const keys[] = { "model",    "columns",     "link_only", "collapse",   "distinct",  "exclusive",
                                        "blocking", "comparisons", "train",     "prior",      "threshold", "review",
                                        "cluster",  "truth",       "trained",   "null_texts", NULL };
    const kd_yaml *root = model->root;
    KD_TRY(kd_yaml_only(root, keys, err));
    model->name = kd_yaml_text(root, "model", KD_STR("model"));
    KD_TRY(read_columns(model, kd_yaml_get(root, "columns"), err));
    KD_TRY(read_null_texts(model, kd_yaml_get(root, "null_texts"), err));
    KD_TRY(read_truth(model, kd_yaml_get(root, "truth"), err));
    KD_TRY(kd_yaml_bool(root, "link_only", false, &model->is_link_only, err));
    KD_TRY(read_rules(model, kd_yaml_get(root, "collapse"), model->collapse, &model->collapse_count, err));
    KD_TRY(read_field_list(model, kd_yaml_get(root, "distinct"), model->distinct, &model->distinct_count, err));
    KD_TRY(read_field_list(model, kd_yaml_get(root, "exclusive"), model->exclusive, &model->exclusive_count, err));
    KD_TRY(read_rules(model, kd_yaml_get(root, "blocking"), model->rules, &model->rule_count, err));
    KD_TRY(read_rules(model, kd_yaml_get(root, "train"), model->training, &model->training_count, err));
    if (!model->rule_count) return kd_yaml_fail(err, root, "blocking: no rule is given");
    KD_TRY(read_comparisons(model, kd_yaml_get(root, "comparisons"), err));
    KD_TRY(read_prior(model, kd_yaml_get(root, "prior"), err));
    KD_TRY(kd_yaml_double(root, "threshold", 0, &model->threshold_bits, err));
    KD_TRY(kd_yaml_double(root, "review", model->threshold_bits, &model->review_bits, err));
    KD_TRY(kd_yaml_bool(root, "trained", false, &model->is_trained, err));
    return read_cluster(model, kd_yaml_get(root, "cluster"), err);
}

kd_status kd_model_parse(kd_str yaml, const char *name, const kd_text *text, kd_model **out_model, kd_error *err)
{
    kd_arena *arena = kd_arena_new(MODEL_BYTES_MAX);
    kd_model *model = arena ? kd_arena_alloc(arena, sizeof *model) : NULL;
    kd_status status = model ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the model");
    if (status == KD_OK) {
        model->arena = arena;
        model->text = text;
        model->source = kd_arena_str(arena, yaml);
        status = kd_yaml_parse(arena, yaml, name, &model->root, err);
    }
    if (status == KD_OK) status = read_model(model, err);
    if (status != KD_OK) {
        kd_arena_free(arena);
        return status;
    }
    *out_model = model;
    return KD_OK;
}

kd_status kd_model_load(const char *path, const kd_text *text, kd_model **out_model, kd_error *err)
{
    kd_arena *arena = kd_arena_new(FILE_BYTES_MAX);
    kd_str yaml;
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory for the model");
    kd_status status = kd_file_read(arena, path, FILE_BYTES_MAX - 1, &yaml, err);
    if (status == KD_OK) status = kd_model_parse(yaml, path, text, out_model, err);
    kd_arena_free(arena);
    return status;
}

void kd_model_free(kd_model *model)
{
    if (model) kd_arena_free(model->arena);
}

bool kd_model_is_trained(const kd_model *model)
{
    return model->is_trained;
}

bool kd_model_is_link_only(const kd_model *model)
{
    return model->is_link_only;
}

size_t kd_model_columns(const kd_model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < model->field_count; i++) count += model->fields[i].source_count;
    return count;
}

kd_str kd_model_column(const kd_model *model, size_t index)
{
    for (size_t i = 0; i < model->field_count; i++) {
        if (index < model->fields[i].source_count) return model->fields[i].sources[index];
        index -= model->fields[i].source_count;
    }
    return (kd_str){ NULL, 0 };
}

kd_str kd_model_id_column(const kd_model *model)
{
    return model->id_column;
}

kd_str kd_model_entity_column(const kd_model *model)
{
    return model->entity_column;
}

kd_str kd_model_entity(const kd_model *model, kd_str value)
{
    const kd_str none = { NULL, 0 };
    kd_str rest = kd_str_trim(value);
    if (!model->entity_before.len && !model->entity_after.len) return rest;
    if (!kd_str_starts(rest, model->entity_before)) return none;
    rest = kd_str_sub(rest, model->entity_before.len, rest.len);
    ptrdiff_t end = model->entity_after.len ? kd_str_find(rest, model->entity_after) : (ptrdiff_t)rest.len;
    return end > 0 ? kd_str_sub(rest, 0, (size_t)end) : none;
}
