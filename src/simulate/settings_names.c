#include "settings.h"

#include <string.h>

static kd_status name_table(sim_settings *s, const char *key, size_t columns, sim_table *out, size_t *out_rows,
                            kd_error *err)
{
    const kd_yaml *tables;
    KD_TRY(sim_need(s->root, "tables", &tables, err));
    kd_str name = kd_yaml_text(tables, key, KD_STR(""));
    kd_str path = { NULL, 0 };
    if (kd_str_find(name, KD_STR("/")) >= 0)
        KD_TRY(kd_data_path(s->arena, name.ptr, &path, err));
    else
        path = kd_path_beside(s->arena, s->root->file, name);
    KD_TRY(sim_table_open(s->arena, path, columns, out, err));
    sim_table count = *out;
    *out_rows = 0;
    while (sim_table_next(&count)) ++*out_rows;
    return *out_rows ? KD_OK : kd_fail_at(err, KD_INVALID, path.ptr, 0, 0, "no rows");
}

static kd_status load_surnames(sim_settings *s, kd_error *err)
{
    sim_table table;
    size_t rows;
    KD_TRY(name_table(s, "surnames", 3, &table, &rows, err));
    s->surnames = kd_arena_array(s->arena, rows, sizeof *s->surnames);
    KD_TRY(sim_weights_make(s->arena, rows, &s->surname_weights, err));
    if (!s->surnames) return kd_fail(err, KD_LIMIT, "", "no room for surnames");
    double sum = 0;
    while (sim_table_next(&table)) {
        double percent = 0;
        size_t count;
        if (!table.fields[1].len) continue; /* known as a surname, without a frequency */
        KD_TRY(sim_table_double(&table, 1, &percent, err));
        sim_surname *surname = &s->surnames[s->surname_count];
        KD_TRY(sim_chars(table.fields[0], surname->chars, 2, &count, err));
        surname->count = (uint8_t)count;
        s->surname_weights.sums[s->surname_count++] = sum += percent;
    }
    s->surname_weights.count = s->surname_count;
    return s->surname_count ? KD_OK : kd_fail(err, KD_INVALID, "", "no surname has a frequency");
}

static uint8_t sex_of(kd_str text)
{
    return kd_str_is(text, "M") ? 1 : kd_str_is(text, "F") ? 2 : 0;
}

static kd_status load_given(sim_settings *s, kd_error *err)
{
    sim_table table;
    size_t rows;
    KD_TRY(name_table(s, "given_names", 5, &table, &rows, err));
    s->given = kd_arena_array(s->arena, rows, sizeof *s->given);
    if (!s->given) return kd_fail(err, KD_LIMIT, "", "no room for given names");
    while (sim_table_next(&table)) {
        sim_given *given = &s->given[s->given_count++];
        int64_t from, to;
        size_t count;
        KD_TRY(sim_chars(table.fields[0], given->chars, 2, &count, err));
        KD_TRY(sim_table_int(&table, 2, &from, err));
        KD_TRY(sim_table_int(&table, 3, &to, err));
        KD_TRY(sim_table_double(&table, 4, &given->weight, err));
        given->count = (uint8_t)count;
        given->sex = sex_of(table.fields[1]);
        given->born_from = (int32_t)from;
        given->born_to = (int32_t)to;
    }
    return KD_OK;
}

static kd_status load_chars(sim_settings *s, kd_error *err)
{
    sim_table table;
    size_t rows;
    KD_TRY(name_table(s, "given_chars", 6, &table, &rows, err));
    s->chars = kd_arena_array(s->arena, rows, sizeof *s->chars);
    if (!s->chars) return kd_fail(err, KD_LIMIT, "", "no room for characters");
    while (sim_table_next(&table)) {
        sim_char *c = &s->chars[s->char_count++];
        size_t count;
        KD_TRY(sim_chars(table.fields[0], &c->code_point, 1, &count, err));
        KD_TRY(sim_table_double(&table, 1, &c->first, err));
        KD_TRY(sim_table_double(&table, 2, &c->second, err));
        KD_TRY(sim_table_double(&table, 3, &c->single, err));
        c->sex = sex_of(table.fields[4]);
        c->era = kd_str_is(table.fields[5], "old") ? 1 : kd_str_is(table.fields[5], "new") ? 2 : 0;
    }
    return KD_OK;
}

static const uint16_t *keep_chars(sim_settings *s, kd_str text, kd_error *err)
{
    enum { ALTERNATIVES_MAX = 16 };
    uint16_t chars[ALTERNATIVES_MAX];
    size_t count;
    if (sim_chars(text, chars, ALTERNATIVES_MAX, &count, err) != KD_OK) return NULL;
    uint16_t *kept = kd_arena_array(s->arena, count + 1, sizeof *kept);
    if (kept) memcpy(kept, chars, count * sizeof *kept);
    return kept;
}

static kd_status load_replacements(sim_settings *s, kd_error *err)
{
    sim_table table;
    size_t rows;
    KD_TRY(name_table(s, "characters", 3, &table, &rows, err));
    s->homophones = kd_arena_array(s->arena, 65536, sizeof *s->homophones);
    s->lookalikes = kd_arena_array(s->arena, 65536, sizeof *s->lookalikes);
    static const uint16_t none[1] = { 0 };
    if (!s->homophones || !s->lookalikes) return kd_fail(err, KD_LIMIT, "", "no room for characters");
    for (size_t i = 0; i < 65536; i++) s->homophones[i] = s->lookalikes[i] = none;
    while (sim_table_next(&table)) {
        uint16_t c = 0;
        size_t count;
        KD_TRY(sim_chars(table.fields[0], &c, 1, &count, err));
        s->homophones[c] = keep_chars(s, table.fields[1], err);
        s->lookalikes[c] = keep_chars(s, table.fields[2], err);
        if (!s->homophones[c] || !s->lookalikes[c])
            return kd_fail_at(err, KD_INVALID, table.path.ptr, table.line_number, 0, "too many characters");
    }
    return KD_OK;
}

static kd_status make_decade(sim_settings *s, int sex, int decade, kd_error *err)
{
    sim_name_table *table = &s->name_tables[sex - 1][decade];
    KD_TRY(sim_weights_make(s->arena, s->given_count, &table->common, err));
    KD_TRY(sim_weights_make(s->arena, s->char_count, &table->first, err));
    KD_TRY(sim_weights_make(s->arena, s->char_count, &table->second, err));
    KD_TRY(sim_weights_make(s->arena, s->char_count, &table->single, err));
    int32_t from = SIM_DECADE_FIRST + decade * 10, to = from + 9;
    double sum = 0;
    for (size_t i = 0; i < s->given_count; i++) {
        const sim_given *given = &s->given[i];
        bool is_fitting = given->sex == sex && given->born_from <= to && given->born_to >= from;
        table->common.sums[i] = sum += is_fitting ? given->weight : 0;
    }
    double first = 0, second = 0, single = 0;
    for (size_t i = 0; i < s->char_count; i++) {
        const sim_char *c = &s->chars[i];
        double weight = c->sex == 0 ? 0.5 : c->sex == sex ? 1 : s->wrong_sex_weight;
        bool is_wrong_era = (c->era == 1 && from > s->era_old_until) || (c->era == 2 && to < s->era_new_since);
        if (is_wrong_era) weight *= s->wrong_era_weight;
        table->first.sums[i] = first += weight * c->first;
        table->second.sums[i] = second += weight * c->second;
        table->single.sums[i] = single += weight * c->single;
    }
    bool is_usable = sum > 0 && first > 0 && second > 0 && single > 0;
    return is_usable ? KD_OK : kd_fail(err, KD_INVALID, "", "no given names for those born %d to %d", from, to);
}

static kd_status load_ethnicities(sim_settings *s, kd_error *err)
{
    enum { ETHNICITIES_MAX = sizeof s->ethnicities / sizeof s->ethnicities[0] };
    const kd_yaml *list;
    KD_TRY(sim_need(s->root, "ethnicities", &list, err));
    KD_TRY(sim_weights_make(s->arena, ETHNICITIES_MAX, &s->ethnicity_weights, err));
    double sum = 0;
    for (const kd_yaml *item = list->first; item; item = item->next) {
        int64_t code;
        if (s->ethnicity_count == ETHNICITIES_MAX) return kd_yaml_fail(err, item, "too many ethnicities");
        sim_ethnicity *e = &s->ethnicities[s->ethnicity_count];
        KD_TRY(kd_yaml_int(item, "code", 0, &code, err));
        if (code < 1 || code > 98) return kd_yaml_fail(err, item, "'code' is 01 to 98");
        e->code = (uint8_t)code;
        KD_TRY(kd_yaml_double(item, "weight", 1, &e->weight, err));
        KD_TRY(sim_read_list(item, "male", &e->male, err));
        KD_TRY(sim_read_list(item, "female", &e->female, err));
        KD_TRY(sim_read_list(item, "second", &e->second, err));
        s->ethnicity_weights.sums[s->ethnicity_count++] = sum += e->weight;
    }
    s->ethnicity_weights.count = s->ethnicity_count;
    return sum > 0 ? KD_OK : kd_yaml_fail(err, list, "no ethnicities");
}

kd_status sim_load_names(sim_settings *s, kd_error *err)
{
    KD_TRY(load_surnames(s, err));
    KD_TRY(load_given(s, err));
    KD_TRY(load_chars(s, err));
    KD_TRY(load_replacements(s, err));
    for (int sex = 1; sex <= 2; sex++)
        for (int decade = 0; decade < SIM_DECADES; decade++) KD_TRY(make_decade(s, sex, decade, err));
    return load_ethnicities(s, err);
}
