#include "settings.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *section, *key;
    double *value;
} number_wanted;

static kd_status read_numbers(const kd_yaml *root, const number_wanted *wanted, size_t count, kd_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const kd_yaml *section, *node;
        KD_TRY(sim_need(root, wanted[i].section, &section, err));
        KD_TRY(sim_need(section, wanted[i].key, &node, err));
        KD_TRY(kd_yaml_double(section, wanted[i].key, 0, wanted[i].value, err));
        if (*wanted[i].value < 0) return kd_yaml_fail(err, node, "'%s' must not be negative", wanted[i].key);
    }
    return KD_OK;
}

static kd_status read_people(sim_settings *s, kd_error *err)
{
    const number_wanted wanted[] = {
        { "people", "twin_share", &s->twin_share },
        { "people", "twin_same_sex_share", &s->twin_same_sex_share },
        { "people", "unborn_share", &s->unborn_share },
        { "people", "dead_years", &s->dead_years },
        { "people", "dead_per_year", &s->dead_per_year },
        { "people", "away_share", &s->away_share },
        { "people", "minority_share", &s->minority_share },
        { "villages", "urban_weight", &s->urban_weight },
        { "villages", "rural_weight", &s->rural_weight },
        { "villages", "spread", &s->village_spread },
        { "unions", "wife_age_spread", &s->wife_age_spread },
        { "unions", "same_state_share", &s->same_state_share },
        { "unions", "court_share", &s->court_share },
        { "unions", "remarried_share", &s->remarried_share },
        { "unions", "no_father_share", &s->no_father_share },
        { "households", "widowed_with_son", &s->widowed_with_son },
        { "households", "couple_with_son", &s->couple_with_son },
        { "households", "left_with_grandparents", &s->left_with_grandparents },
        { "households", "son_stays_in_village", &s->son_stays },
        { "households", "children_stay_with_mother", &s->children_stay_with_mother },
        { "households", "wife_registered_elsewhere", &s->wife_registered_elsewhere },
        { "households", "moved_share", &s->moved_share },
        { "households", "moved_within_days", &s->moved_within_days },
        { "households", "number_from_other_county", &s->number_from_other_county },
        { "names", "twin_alike_share", &s->twin_alike_share },
        { "names", "same_name_neighbour_share", &s->same_name_share },
        { "names", "wrong_sex_weight", &s->wrong_sex_weight },
        { "names", "wrong_era_weight", &s->wrong_era_weight },
    };
    KD_TRY(read_numbers(s->root, wanted, sizeof wanted / sizeof wanted[0], err));
    const kd_yaml *people = kd_yaml_get(s->root, "people"), *unions = kd_yaml_get(s->root, "unions");
    const kd_yaml *households = kd_yaml_get(s->root, "households"), *node;
    KD_TRY(sim_need(people, "share_of_mothers_near", &node, err));
    KD_TRY(kd_yaml_double(node, "child", 1, &s->mother_near_child, err));
    KD_TRY(kd_yaml_double(node, "son", 1, &s->mother_near_son, err));
    KD_TRY(kd_yaml_double(node, "daughter", 1, &s->mother_near_daughter, err));
    KD_TRY(sim_need(unions, "age_gap", &node, err));
    KD_TRY(kd_yaml_double(node, "mean", 0, &s->gap_mean, err));
    KD_TRY(kd_yaml_double(node, "spread", 0, &s->gap_spread, err));
    static const char *const registered[2] = { "rural_registered", "urban_registered" };
    for (int urban = 0; urban < 2; urban++) {
        KD_TRY(sim_need(households, registered[urban], &node, err));
        KD_TRY(kd_yaml_double(node, "village_of_county", 0, &s->registered_in_county[urban], err));
        KD_TRY(kd_yaml_double(node, "other_county", 0, &s->registered_other[urban], err));
        KD_TRY(kd_yaml_double(node, "outside", 0, &s->registered_outside[urban], err));
    }
    KD_TRY(sim_read_curve(people, "child_factor", &s->child_factor, err));
    KD_TRY(sim_read_curve(people, "away_by_age", &s->away_by_age, err));
    KD_TRY(sim_read_curve(unions, "married_by_age", &s->married_by_age, err));
    KD_TRY(sim_read_curve(unions, "wife_age", &s->wife_age, err));
    KD_TRY(sim_read_curve(unions, "divorced_share", &s->divorced_share, err));
    return sim_read_curve(households, "unmarried_with_parents", &s->unmarried_with_parents, err);
}

static kd_status read_areas(const kd_yaml *node, const char *key, int32_t *out, size_t *out_count, kd_error *err)
{
    sim_list list;
    KD_TRY(sim_read_list(node, key, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        int64_t code;
        if (!kd_str_int(list.items[i], &code) || code < 100000 || code > 999999)
            return kd_yaml_fail(err, kd_yaml_get(node, key), "area codes have six digits");
        out[i] = (int32_t)code;
    }
    if (!list.count) return kd_yaml_fail(err, node, "'%s' must not be empty", key);
    *out_count = list.count;
    return KD_OK;
}

static kd_status read_numbers_of_papers(sim_settings *s, kd_error *err)
{
    const kd_yaml *identity, *certificates, *phones, *series;
    KD_TRY(sim_need(s->root, "identity", &identity, err));
    KD_TRY(sim_need(s->root, "certificates", &certificates, err));
    KD_TRY(sim_need(s->root, "phones", &phones, err));
    KD_TRY(kd_yaml_int(identity, "first_issue_year", 1985, &s->first_issue_year, err));
    KD_TRY(read_areas(identity, "outside_areas", s->outside_areas, &s->outside_area_count, err));
    KD_TRY(read_areas(identity, "stranger_areas", s->stranger_areas, &s->stranger_area_count, err));
    KD_TRY(kd_yaml_int(certificates, "since_year", 1996, &s->certificate_since, err));
    s->certificate_prefix = kd_yaml_text(certificates, "number_prefix", KD_STR("00"));
    KD_TRY(sim_read_curve(certificates, "share", &s->certificate_share, err));
    KD_TRY(sim_need(certificates, "series", &series, err));
    for (const kd_yaml *pair = series->first; pair; pair = pair->next) {
        int64_t year;
        if (pair->count != 2 || s->series_count == SIM_LIST_MAX || !kd_str_int(pair->first->text, &year) ||
            pair->first->next->text.len != 1)
            return kd_yaml_fail(err, pair, "a series is [first year, letter]");
        s->series_years[s->series_count] = (int32_t)year;
        s->series_letters[s->series_count++] = pair->first->next->text.ptr[0];
    }
    if (!s->series_count) return kd_yaml_fail(err, series, "no series of certificates");
    KD_TRY(sim_read_list(phones, "prefixes", &s->phone_prefixes, err));
    return s->phone_prefixes.count ? KD_OK : kd_yaml_fail(err, phones, "no phone prefixes");
}

static kd_status read_addresses(sim_settings *s, kd_error *err)
{
    const kd_yaml *node;
    KD_TRY(sim_need(s->root, "addresses", &node, err));
    struct {
        const char *key;
        sim_list *list;
    } lists[] = { { "rural", &s->address_rural }, { "urban", &s->address_urban }, { "short", &s->address_short },
                  { "roads", &s->roads },         { "estates", &s->estates },     { "suffixes", &s->suffixes } };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        KD_TRY(sim_read_list(node, lists[i].key, lists[i].list, err));
        if (!lists[i].list->count) return kd_yaml_fail(err, node, "'%s' must not be empty", lists[i].key);
    }
    return KD_OK;
}

static kd_status read_education(sim_settings *s, kd_error *err)
{
    const kd_yaml *node, *levels, *ages, *shares;
    KD_TRY(sim_need(s->root, "education", &node, err));
    KD_TRY(sim_need(node, "levels", &levels, err));
    KD_TRY(sim_need(node, "ages", &ages, err));
    KD_TRY(sim_need(node, "shares", &shares, err));
    if (levels->count != 8 || ages->count != 8) return kd_yaml_fail(err, node, "education has eight levels and ages");
    const kd_yaml *level = levels->first, *age = ages->first;
    for (int i = 0; i < 8; i++, level = level->next, age = age->next) {
        int64_t code, years;
        if (!kd_str_int(level->text, &code) || !kd_str_int(age->text, &years))
            return kd_yaml_fail(err, level, "levels and ages of education are whole numbers");
        s->education_levels[i] = (int32_t)code;
        s->education_ages[i] = (int32_t)years;
    }
    for (const kd_yaml *row = shares->first; row; row = row->next) {
        if (row->count != 9 || s->education_count == SIM_CURVE_MAX)
            return kd_yaml_fail(err, row, "a row of shares is [year, eight shares]");
        const kd_yaml *item = row->first;
        int64_t year = 0;
        if (!kd_str_int(item->text, &year)) return kd_yaml_fail(err, item, "not a year");
        s->education_years[s->education_count] = (int32_t)year;
        double sum = 0;
        for (int i = 0; i < 8; i++) {
            double share = 0;
            item = item->next;
            if (!kd_str_double(item->text, &share)) return kd_yaml_fail(err, item, "not a number");
            s->education_shares[s->education_count][i] = sum += share;
        }
        s->education_count++;
    }
    return s->education_count ? KD_OK : kd_yaml_fail(err, shares, "no shares of education");
}

static kd_status table_path(sim_settings *s, const char *key, kd_str *out, kd_error *err)
{
    const kd_yaml *tables;
    KD_TRY(sim_need(s->root, "tables", &tables, err));
    kd_str name = kd_yaml_text(tables, key, (kd_str){ NULL, 0 });
    if (!name.len) return kd_yaml_fail(err, tables, "the table '%s' is missing", key);
    *out = kd_path_beside(s->arena, s->root->file, name);
    return out->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no room for a path");
}

static kd_status load_shares(sim_settings *s, const char *key, double out[2][SIM_AGES], kd_error *err)
{
    kd_str path = { NULL, 0 };
    sim_table table;
    KD_TRY(table_path(s, key, &path, err));
    KD_TRY(sim_table_open(s->arena, path, 3, &table, err));
    int64_t expected = 0;
    while (sim_table_next(&table)) {
        int64_t age;
        KD_TRY(sim_table_int(&table, 0, &age, err));
        if (age != expected++ || age >= SIM_AGES)
            return kd_fail_at(err, KD_INVALID, path.ptr, table.line_number, 1, "ages run from 0 to %d", SIM_AGES - 1);
        KD_TRY(sim_table_double(&table, 1, &out[0][age], err));
        KD_TRY(sim_table_double(&table, 2, &out[1][age], err));
    }
    if (expected == SIM_AGES) return KD_OK;
    return kd_fail_at(err, KD_INVALID, path.ptr, 0, 0, "ages run from 0 to %d", SIM_AGES - 1);
}

static kd_status load_birth_ages(sim_settings *s, kd_error *err)
{
    enum { AGES = 35, YEARS_MAX = 200 };
    kd_str path = { NULL, 0 };
    sim_table table;
    KD_TRY(table_path(s, "birth_ages", &path, err));
    KD_TRY(sim_table_open(s->arena, path, AGES + 1, &table, err));
    s->birth_years = kd_arena_array(s->arena, YEARS_MAX, sizeof *s->birth_years);
    s->birth_ages = kd_arena_array(s->arena, YEARS_MAX, sizeof *s->birth_ages);
    if (!s->birth_years || !s->birth_ages) return kd_fail(err, KD_LIMIT, "", "no room for tables");
    while (s->birth_year_count < YEARS_MAX && sim_table_next(&table)) {
        int64_t year;
        double sum = 0;
        KD_TRY(sim_table_int(&table, 0, &year, err));
        for (size_t age = 0; age < AGES; age++) {
            double share;
            KD_TRY(sim_table_double(&table, age + 1, &share, err));
            s->birth_ages[s->birth_year_count][age] = sum += share;
        }
        s->birth_years[s->birth_year_count++] = (int32_t)year;
    }
    if (s->birth_year_count) return KD_OK;
    return kd_fail_at(err, KD_INVALID, path.ptr, 0, 0, "no rows");
}

static kd_status read_names(sim_settings *s, kd_error *err)
{
    const kd_yaml *names, *node, *split;
    KD_TRY(sim_need(s->root, "names", &names, err));
    KD_TRY(sim_need(names, "lineage_share", &node, err));
    KD_TRY(kd_yaml_double(node, "rural", 0, &s->lineage_share[0], err));
    KD_TRY(kd_yaml_double(node, "urban", 0, &s->lineage_share[1], err));
    KD_TRY(sim_need(names, "lineages", &split, err));
    size_t count = 0;
    double sum = 0;
    for (const kd_yaml *item = split->first; item; item = item->next, count++) {
        double share;
        if (count == SIM_LINEAGES || !kd_str_double(item->text, &share))
            return kd_yaml_fail(err, item, "lineages are %d shares", SIM_LINEAGES);
        s->lineage_split[count] = sum += share;
    }
    if (count != SIM_LINEAGES) return kd_yaml_fail(err, split, "lineages are %d shares", SIM_LINEAGES);
    KD_TRY(sim_read_curve(names, "mothers_surname", &s->mothers_surname, err));
    KD_TRY(sim_read_curve(names, "common_name_share", &s->common_name_share, err));
    KD_TRY(sim_read_curve(names, "single_char_share", &s->single_char_share, err));
    KD_TRY(sim_need(names, "shared_char_share", &node, err));
    KD_TRY(sim_read_curve(node, "male", &s->shared_char_share[0], err));
    KD_TRY(sim_read_curve(node, "female", &s->shared_char_share[1], err));
    KD_TRY(sim_need(names, "doubled_share", &node, err));
    KD_TRY(kd_yaml_double(node, "male", 0, &s->doubled_share[0], err));
    KD_TRY(kd_yaml_double(node, "female", 0, &s->doubled_share[1], err));
    KD_TRY(kd_yaml_int(names, "era_old_until", 1979, &s->era_old_until, err));
    return kd_yaml_int(names, "era_new_since", 1996, &s->era_new_since, err);
}

kd_status sim_settings_load(kd_arena *arena, sim_settings *out, kd_error *err)
{
    memset(out, 0, sizeof *out);
    out->arena = arena;
    kd_str path = { NULL, 0 };
    KD_TRY(kd_data_path(arena, "packs/cn/simulate/population.yaml", &path, err));
    KD_TRY(kd_yaml_load(arena, path.ptr, &out->root, err));
    if (!kd_day_parse(kd_yaml_text(out->root, "as_of", KD_STR("")), &out->as_of))
        return kd_yaml_fail(err, out->root, "'as_of' is a day such as 2026-06-30");
    KD_TRY(read_people(out, err));
    KD_TRY(read_names(out, err));
    KD_TRY(read_numbers_of_papers(out, err));
    KD_TRY(read_addresses(out, err));
    KD_TRY(read_education(out, err));
    KD_TRY(load_shares(out, "age_structure", out->age_share, err));
    KD_TRY(load_shares(out, "mortality", out->death_chance, err));
    KD_TRY(load_birth_ages(out, err));
    KD_TRY(sim_load_places(out, err));
    return sim_load_names(out, err);
}

kd_status sim_settings_prepare(sim_settings *s, kd_error *err)
{
    KD_TRY(sim_weights_make(s->arena, (size_t)SIM_AGES * 2, &s->living, err));
    KD_TRY(sim_weights_make(s->arena, (size_t)SIM_AGES * 2, &s->away, err));
    KD_TRY(sim_weights_make(s->arena, (size_t)SIM_AGES * 2, &s->dead, err));
    double living = 0, away = 0, dead = 0;
    for (int age = 0; age < SIM_AGES; age++) {
        for (int sex = 0; sex < 2; sex++) {
            int at = age * 2 + sex;
            double share = s->age_share[sex][age] * sim_curve_at(&s->child_factor, age);
            s->living.sums[at] = living += share;
            s->away.sums[at] = away += share * sim_curve_at(&s->away_by_age, age);
            s->dead.sums[at] = dead += share * s->death_chance[sex][age];
        }
    }
    return living > 0 && away > 0 && dead > 0 ? KD_OK : kd_fail(err, KD_INVALID, "", "an age table is empty");
}
