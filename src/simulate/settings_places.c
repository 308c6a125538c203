#include "settings.h"

#include <string.h>

static kd_status pack_path(sim_settings *s, const char *key, kd_str *out, kd_error *err)
{
    kd_str name = kd_yaml_text(s->root, key, (kd_str){ NULL, 0 });
    if (!name.len) return kd_yaml_fail(err, s->root, "the key '%s' is missing", key);
    kd_str full = kd_arena_fmt(s->arena, "packs/cn/%.*s", KD_FMT(name));
    return kd_data_path(s->arena, full.ptr, out, err);
}

/* A residents' committee or a villagers' committee, by the last three digits of its code. */
static bool is_urban_code(const kd_yaml *ranges, int64_t code)
{
    for (const kd_yaml *range = ranges->first; range; range = range->next) {
        int64_t from, to;
        if (range->count == 2 && kd_str_int(range->first->text, &from) && kd_str_int(range->first->next->text, &to) &&
            code % 1000 >= from && code % 1000 <= to)
            return true;
    }
    return false;
}

static int64_t padded(kd_str code)
{
    int64_t value = 0;
    if (!kd_str_int(code, &value)) return 0;
    for (size_t len = code.len; len < 12; len++) value *= 10;
    return value;
}

typedef struct {
    sim_settings *s;
    const kd_yaml *urban_codes;
    const sim_table *table;
} place_reader;

static kd_status add_place(place_reader *reader, kd_error *err)
{
    sim_settings *s = reader->s;
    const sim_table *table = reader->table;
    int64_t code = padded(table->fields[0]);
    kd_str name = table->fields[1], level = table->fields[2];
    if (kd_str_is(level, "province")) {
        s->province_name = name;
    } else if (kd_str_is(level, "prefecture")) {
        s->prefecture_name = name;
        s->prefecture_code = code;
    } else if (kd_str_is(level, "county")) {
        s->counties[s->county_count++] =
            (sim_county){ .code = code, .name = name, .first_township = (uint32_t)s->township_count };
    } else if (kd_str_is(level, "township") && s->county_count) {
        s->townships[s->township_count++] = (sim_township){ .code = code,
                                                            .name = name,
                                                            .county = (uint16_t)(s->county_count - 1),
                                                            .first_village = (uint32_t)s->village_count };
        s->counties[s->county_count - 1].township_count++;
    } else if (kd_str_is(level, "village") && s->township_count && s->village_count < SIM_VILLAGES_MAX) {
        s->villages[s->village_count++] = (sim_village){ .code = code,
                                                         .name = name,
                                                         .township = (uint16_t)(s->township_count - 1),
                                                         .county = (uint16_t)(s->county_count - 1),
                                                         .is_urban = is_urban_code(reader->urban_codes, code) };
        s->townships[s->township_count - 1].village_count++;
    } else {
        return kd_fail_at(err, KD_INVALID, table->path.ptr, table->line_number, 0, "a division without its parent");
    }
    return KD_OK;
}

static kd_status load_divisions(sim_settings *s, kd_error *err)
{
    kd_str path = { NULL, 0 };
    const kd_yaml *villages;
    sim_table table;
    KD_TRY(sim_need(s->root, "villages", &villages, err));
    place_reader reader = { .s = s, .table = &table };
    KD_TRY(sim_need(villages, "urban_codes", &reader.urban_codes, err));
    KD_TRY(pack_path(s, "divisions", &path, err));
    KD_TRY(sim_table_open(s->arena, path, 4, &table, err));
    sim_table count = table;
    size_t lines = 0;
    while (sim_table_next(&count)) lines++;
    s->villages = kd_arena_array(s->arena, lines + 1, sizeof *s->villages);
    s->townships = kd_arena_array(s->arena, lines + 1, sizeof *s->townships);
    s->counties = kd_arena_array(s->arena, lines + 1, sizeof *s->counties);
    if (!s->villages || !s->townships || !s->counties) return kd_fail(err, KD_LIMIT, "", "no room for the divisions");
    while (sim_table_next(&table)) KD_TRY(add_place(&reader, err));
    if (!s->village_count) return kd_fail_at(err, KD_INVALID, path.ptr, 0, 0, "no villages");
    return KD_OK;
}

static kd_status load_history(sim_settings *s, kd_error *err)
{
    kd_str path = { NULL, 0 };
    sim_table table;
    KD_TRY(pack_path(s, "division_history", &path, err));
    KD_TRY(sim_table_open(s->arena, path, 4, &table, err));
    s->old_codes = kd_arena_array(s->arena, SIM_LIST_MAX, sizeof *s->old_codes);
    if (!s->old_codes) return kd_fail(err, KD_LIMIT, "", "no room for old codes");
    while (s->old_code_count < SIM_LIST_MAX && sim_table_next(&table)) {
        int64_t old_code, year;
        KD_TRY(sim_table_int(&table, 0, &old_code, err));
        KD_TRY(sim_table_int(&table, 3, &year, err));
        int64_t now = padded(table.fields[2]);
        for (size_t i = 0; i < s->county_count; i++)
            if (s->counties[i].code == now)
                s->old_codes[s->old_code_count++] = (sim_old_code){ (int32_t)old_code, (uint16_t)i, (int32_t)year };
    }
    return KD_OK;
}

static kd_status load_published(sim_settings *s, kd_error *err)
{
    const kd_yaml *tables;
    sim_table table;
    KD_TRY(sim_need(s->root, "tables", &tables, err));
    kd_str name = kd_yaml_text(tables, "county_population", KD_STR("county_population.csv"));
    KD_TRY(sim_table_open(s->arena, kd_path_beside(s->arena, s->root->file, name), 3, &table, err));
    while (sim_table_next(&table)) {
        int64_t residents;
        KD_TRY(sim_table_int(&table, 1, &residents, err));
        for (size_t i = 0; i < s->county_count; i++)
            if (s->counties[i].code == padded(table.fields[0])) s->counties[i].published = residents;
    }
    return KD_OK;
}

kd_status sim_load_places(sim_settings *s, kd_error *err)
{
    KD_TRY(load_divisions(s, err));
    KD_TRY(load_history(s, err));
    return load_published(s, err);
}
