#include "layout.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    sim_value value;
} VALUE_NAMES[] = {
    { "name", VALUE_NAME },
    { "sex", VALUE_SEX },
    { "birth_day", VALUE_BIRTH_DAY },
    { "birth_time", VALUE_BIRTH_TIME },
    { "identity_number", VALUE_IDENTITY },
    { "phone", VALUE_PHONE },
    { "address", VALUE_ADDRESS },
    { "division_code", VALUE_DIVISION_CODE },
    { "division_name", VALUE_DIVISION_NAME },
    { "home_code", VALUE_HOME_CODE },
    { "hukou_code", VALUE_HUKOU_CODE },
    { "hukou_name", VALUE_HUKOU_NAME },
    { "household_no", VALUE_HOUSEHOLD_NO },
    { "family_no", VALUE_FAMILY_NO },
    { "household_relation", VALUE_RELATION },
    { "ethnicity", VALUE_ETHNICITY },
    { "marital_status", VALUE_MARITAL },
    { "education", VALUE_EDUCATION },
    { "certificate_no", VALUE_CERTIFICATE_NO },
    { "handbook_no", VALUE_HANDBOOK_NO },
    { "birth_order", VALUE_BIRTH_ORDER },
    { "status", VALUE_STATUS },
    { "death_day", VALUE_DEATH_DAY },
    { "event_day", VALUE_EVENT_DAY },
    { "recorded_day", VALUE_RECORDED_DAY },
    { "past_day", VALUE_PAST_DAY },
    { "last_period_day", VALUE_LAST_PERIOD_DAY },
    { "kind", VALUE_KIND },
    { "serial", VALUE_SERIAL },
    { "number", VALUE_NUMBER },
    { "any", VALUE_ANY },
    { "by_age", VALUE_BY_AGE },
};
static const char *const CODE_WORDS[] = { "living", "migrant", "away", "dead", "married", "divorced", "court", NULL };
static const char *const FORMATS[] = { "gb18030", "utf8_bom", "utf8", "xlsx", NULL };
static const char *const ROWS[] = { "persons_living", "persons_registered", "births", "pregnancies", "unions", NULL };
static const char *const DATES[] = { "yyyymmdd", "y-m-d", "y/m/d", "y.m.d", "y年m月d日", NULL };
static const char *const DELIMITERS[] = { "comma", "tab", "semicolon", "bar", NULL };

static kd_status read_word(const kd_yaml *map, const char *key, const char *otherwise, const char *const *words,
                           size_t *out, kd_error *err)
{
    kd_str text = kd_yaml_text(map, key, kd_str_of(otherwise));
    for (size_t i = 0; words[i]; i++) {
        if (!kd_str_is(text, words[i])) continue;
        *out = i;
        return KD_OK;
    }
    return kd_yaml_fail(err, map, "'%s' cannot be '%.*s'", key, KD_FMT(text));
}

static kd_status read_code_texts(const kd_yaml *map, kd_str *texts, kd_error *err)
{
    if (!map) return KD_OK;
    for (const kd_yaml *item = map->first; item; item = item->next) {
        int64_t code = -1;
        for (int i = 0; CODE_WORDS[i]; i++)
            if (kd_str_is(item->key, CODE_WORDS[i])) code = i;
        if (code < 0 && (!kd_str_int(item->key, &code) || code < 0 || code > 99))
            return kd_yaml_fail(err, item, "'%.*s' is neither a code 0 to 99 nor a status", KD_FMT(item->key));
        texts[code] = item->text;
    }
    return KD_OK;
}

static kd_status read_codes(const kd_yaml *node, sim_layout *layout, kd_error *err)
{
    for (const kd_yaml *item = node->first; item; item = item->next) {
        if (layout->code_count == SIM_CODES_MAX) return kd_yaml_fail(err, item, "too many code lists");
        sim_codes *codes = &layout->codes[layout->code_count++];
        codes->name = item->key;
        KD_TRY(read_code_texts(kd_yaml_get(item, "new"), codes->texts[0], err));
        KD_TRY(read_code_texts(kd_yaml_get(item, "old"), codes->texts[1], err));
        for (size_t i = 0; i < 100; i++)
            if (!codes->texts[1][i].len) codes->texts[1][i] = codes->texts[0][i];
    }
    return KD_OK;
}

static bool find_value(kd_str name, sim_value *out)
{
    for (size_t i = 0; i < sizeof VALUE_NAMES / sizeof VALUE_NAMES[0]; i++) {
        if (!kd_str_is(name, VALUE_NAMES[i].name)) continue;
        *out = VALUE_NAMES[i].value;
        return true;
    }
    return false;
}

static kd_status read_value(const kd_yaml *node, kd_str text, sim_column *out, kd_error *err)
{
    kd_str role = { NULL, 0 }, name = text;
    ptrdiff_t dot = kd_str_find(text, KD_STR("."));
    if (dot >= 0) {
        role = kd_str_sub(text, 0, (size_t)dot);
        name = kd_str_sub(text, (size_t)dot + 1, text.len);
    }
    bool is_role = false;
    for (int i = 0; i < SIM_ROLES; i++) {
        if (!role.len || !kd_str_is(role, sim_role_names[i])) continue;
        out->role = (sim_role)i;
        is_role = true;
    }
    if (!find_value(name, &out->value) || is_role != (out->value < VALUE_EVENT_DAY))
        return kd_yaml_fail(err, node, "'%.*s' is no value of a row", KD_FMT(text));
    return KD_OK;
}

static kd_status read_column(const kd_yaml *node, const sim_layout *layout, sim_column *out, kd_error *err)
{
    static const char *const keys[] = { "name", "value",  "codes",           "texts", "from",
                                        "to",   "digits", "empty_below_age", NULL };
    sim_column column = { .header = kd_yaml_text(node, "name", KD_STR("")) };
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(read_value(node, kd_yaml_text(node, "value", KD_STR("")), &column, err));
    KD_TRY(sim_read_list(node, "texts", &column.texts, err));
    KD_TRY(kd_yaml_int(node, "from", 0, &column.from, err));
    KD_TRY(kd_yaml_int(node, "to", column.from, &column.to, err));
    KD_TRY(kd_yaml_int(node, "digits", 12, &column.digits, err));
    KD_TRY(kd_yaml_int(node, "empty_below_age", 0, &column.empty_below_age, err));
    bool needs_texts = column.value == VALUE_ANY || column.value == VALUE_BY_AGE;
    if (needs_texts && !column.texts.count) return kd_yaml_fail(err, node, "this value needs 'texts'");
    if (column.to < column.from || column.digits < 8 || column.digits > 19)
        return kd_yaml_fail(err, node, "'to' lies below 'from', or 'digits' outside 8 to 19");
    kd_str codes = kd_yaml_text(node, "codes", (kd_str){ NULL, 0 });
    for (size_t i = 0; i < layout->code_count; i++)
        if (kd_str_eq(layout->codes[i].name, codes)) column.codes = &layout->codes[i];
    bool needs_codes = column.value == VALUE_SEX || column.value == VALUE_RELATION || column.value == VALUE_ETHNICITY ||
                       column.value == VALUE_MARITAL || column.value == VALUE_EDUCATION ||
                       column.value == VALUE_STATUS || column.value == VALUE_KIND;
    if (needs_codes && !column.codes) return kd_yaml_fail(err, node, "this value needs a list of 'codes'");
    *out = column;
    return KD_OK;
}

static kd_status read_feed(const kd_yaml *node, sim_layout *layout, int32_t as_of, kd_error *err)
{
    static const char *const keys[] = { "feed",
                                        "file",
                                        "format",
                                        "delimiter",
                                        "rows",
                                        "dates",
                                        "delay_days",
                                        "cover",
                                        "columns",
                                        "updated_within_days",
                                        "needs_certificate",
                                        NULL };
    static const char delimiters[] = ",\t;|";
    KD_TRY(kd_yaml_only(node, keys, err));
    sim_feed *feed = &layout->feeds[layout->feed_count];
    feed->index = (uint32_t)layout->feed_count;
    feed->name = kd_yaml_text(node, "feed", KD_STR(""));
    feed->file = kd_yaml_text(node, "file", feed->name);
    size_t format = 0, rows = 0, dates = 0, delimiter = 0;
    KD_TRY(read_word(node, "format", "utf8_bom", FORMATS, &format, err));
    KD_TRY(read_word(node, "rows", "", ROWS, &rows, err));
    KD_TRY(read_word(node, "dates", "y-m-d", DATES, &dates, err));
    KD_TRY(read_word(node, "delimiter", "comma", DELIMITERS, &delimiter, err));
    feed->format = (sim_format)format;
    feed->rows = (sim_rows)rows;
    feed->dates = (sim_dates)dates;
    feed->delimiter = delimiters[delimiter];
    KD_TRY(kd_yaml_double(node, "delay_days", 0, &feed->delay_days, err));
    KD_TRY(kd_yaml_double(node, "updated_within_days", 365, &feed->updated_within_days, err));
    KD_TRY(kd_yaml_bool(node, "needs_certificate", false, &feed->needs_certificate, err));
    const kd_yaml *cover, *columns;
    KD_TRY(sim_need(node, "cover", &cover, err));
    KD_TRY(sim_rules_read(cover, layout, NULL, as_of, &feed->cover, err));
    KD_TRY(sim_need(node, "columns", &columns, err));
    for (const kd_yaml *item = columns->first; item; item = item->next) {
        if (feed->column_count == SIM_COLUMNS_MAX) return kd_yaml_fail(err, item, "too many columns");
        sim_column *column = &feed->columns[feed->column_count++];
        KD_TRY(read_column(item, layout, column, err));
        if (column->value < VALUE_EVENT_DAY && column->role != SIM_GUARDIAN)
            feed->roles = (uint8_t)(feed->roles | 1u << column->role);
    }
    layout->feed_count++;
    return KD_OK;
}

kd_status sim_layout_load(kd_arena *arena, int32_t as_of, sim_layout *out, kd_error *err)
{
    memset(out, 0, sizeof *out);
    kd_str path = { NULL, 0 };
    const kd_yaml *root, *codes, *feeds;
    KD_TRY(kd_data_path(arena, "packs/cn/simulate/feeds.yaml", &path, err));
    KD_TRY(kd_yaml_load(arena, path.ptr, &root, err));
    KD_TRY(sim_need(root, "codes", &codes, err));
    KD_TRY(sim_need(root, "feeds", &feeds, err));
    KD_TRY(read_codes(codes, out, err));
    for (const kd_yaml *item = feeds->first; item; item = item->next) {
        if (out->feed_count == SIM_FEEDS_MAX) return kd_yaml_fail(err, item, "too many feeds");
        KD_TRY(read_feed(item, out, as_of, err));
    }
    return KD_OK;
}

static const char *const SLIP_NAMES[SLIPS + 1] = {
    [SLIP_IDENTITY_ABSENT] = "identity_absent",
    [SLIP_IDENTITY_MISTYPED] = "identity_mistyped",
    [SLIP_IDENTITY_15_DIGITS] = "identity_15_digits",
    [SLIP_NAME_HOMOPHONE] = "name_homophone",
    [SLIP_NAME_LOOKALIKE] = "name_lookalike",
    [SLIP_NAME_CHAR_MISSING] = "name_char_missing",
    [SLIP_NAME_CHAR_ADDED] = "name_char_added",
    [SLIP_SURNAME_CHANGED] = "surname_changed",
    [SLIP_NAME_PLACEHOLDER] = "name_placeholder",
    [SLIP_BIRTH_DIGIT_OFF] = "birth_digit_off",
    [SLIP_BIRTH_LUNAR] = "birth_lunar",
    [SLIP_BIRTH_JANUARY_FIRST] = "birth_january_first",
    [SLIP_BIRTH_ABSENT] = "birth_absent",
    [SLIP_SEX_WRONG] = "sex_wrong",
    [SLIP_PARENTS_SWAPPED] = "parents_swapped",
    [SLIP_FATHER_ABSENT] = "father_absent",
    [SLIP_PHONE_SHARED] = "phone_shared",
    [SLIP_PHONE_ABSENT] = "phone_absent",
    [SLIP_PHONE_OLD] = "phone_old",
    [SLIP_PHONE_MISTYPED] = "phone_mistyped",
    [SLIP_ADDRESS_SHORT] = "address_short",
    [SLIP_ADDRESS_ABSENT] = "address_absent",
    [SLIP_RESIDENCE_OLD] = "residence_old",
    [SLIP_CERTIFICATE_ABSENT] = "certificate_absent",
    [SLIP_CERTIFICATE_MISTYPED] = "certificate_mistyped",
    [SLIP_HANDBOOK_ABSENT] = "handbook_absent",
    [SLIP_HOUSEHOLD_NO_ABSENT] = "household_no_absent",
    [SLIP_DEATH_UNKNOWN] = "death_unknown",
    [SLIP_CODE_OLD] = "code_old",
    [SLIP_DUPLICATE_EXACT] = "duplicate_exact",
    [SLIP_DUPLICATE_NEAR] = "duplicate_near",
    [SLIP_STRANGER] = "stranger",
};

static kd_status model_path(kd_arena *arena, const char *model, kd_str *out, kd_error *err)
{
    kd_str name = kd_str_of(model);
    bool is_path = kd_str_find(name, KD_STR("/")) >= 0 || kd_str_find(name, KD_STR(".")) >= 0;
    if (is_path) {
        *out = kd_arena_str(arena, name);
        return out->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "errors", "no room for a path");
    }
    kd_str shipped = kd_arena_fmt(arena, "packs/cn/simulate/%.*s.yaml", KD_FMT(name));
    if (kd_data_path(arena, shipped.ptr, out, NULL) == KD_OK) return KD_OK;
    kd_fail(err, KD_NOT_FOUND, "errors", "there is no error model '%.*s'", KD_FMT(name));
    kd_hint(err, "plain, hard, or the path of a YAML file");
    return KD_NOT_FOUND;
}

kd_status sim_errors_load(kd_arena *arena, const char *model, const sim_layout *layout, int32_t as_of, sim_errors *out,
                          kd_error *err)
{
    static const char *const keys[] = { "errors", "groups", "rates", "placeholders", NULL };
    memset(out, 0, sizeof *out);
    kd_str path = { NULL, 0 };
    const kd_yaml *root, *rates;
    KD_TRY(model_path(arena, model, &path, err));
    KD_TRY(kd_yaml_load(arena, path.ptr, &root, err));
    KD_TRY(kd_yaml_only(root, keys, err));
    out->name = kd_yaml_text(root, "errors", KD_STR("own"));
    KD_TRY(sim_need(root, "rates", &rates, err));
    KD_TRY(kd_yaml_only(rates, SLIP_NAMES, err));
    const kd_yaml *groups = kd_yaml_get(root, "groups"), *placeholders = kd_yaml_get(root, "placeholders");
    for (int i = 0; i < SLIPS; i++) {
        const kd_yaml *list = kd_yaml_get(rates, SLIP_NAMES[i]);
        if (list) KD_TRY(sim_rules_read(list, layout, groups, as_of, &out->slips[i], err));
    }
    KD_TRY(sim_read_list(placeholders, "male", &out->placeholders[0], err));
    KD_TRY(sim_read_list(placeholders, "female", &out->placeholders[1], err));
    bool needs_placeholders = out->slips[SLIP_NAME_PLACEHOLDER].count > 0;
    if (needs_placeholders && (!out->placeholders[0].count || !out->placeholders[1].count))
        return kd_yaml_fail(err, root, "'name_placeholder' needs 'placeholders' for male and female");
    return KD_OK;
}
