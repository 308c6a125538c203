/* What the packs under packs/cn/simulate say, read once and then only read. Private to simulate/. */
#ifndef KD_SIMULATE_SETTINGS_H
#define KD_SIMULATE_SETTINGS_H

#include "base/base.h"

#include <kindred/text.h>

enum {
    SIM_CURVE_MAX = 24,
    SIM_LIST_MAX = 64,
    SIM_AGES = 101,
    SIM_LINEAGES = 4,
    SIM_TABLE_BYTES_MAX = 16 << 20,
    SIM_VILLAGES_MAX = 60000, /* so that a village fits 16 bits with room for "outside" */
};

/** Straight lines between points; flat before the first and after the last. */
typedef struct {
    size_t count;
    double x[SIM_CURVE_MAX], y[SIM_CURVE_MAX];
} sim_curve;

/** Rising sums of weights, for drawing an index in proportion. */
typedef struct {
    size_t count;
    double *sums;
} sim_weights;

typedef struct {
    size_t count;
    kd_str items[SIM_LIST_MAX];
} sim_list;

typedef struct {
    int64_t code; /* 12 digits */
    kd_str name;
    uint16_t township, county; /* indexes */
    bool is_urban;
    double weight;
    uint32_t residents; /* to be placed there; 0 outside the simulated division */
    uint16_t lineages[SIM_LINEAGES];
} sim_village;

typedef struct {
    int64_t code;
    kd_str name;
    uint16_t county;
    uint32_t first_village, village_count, residents;
} sim_township;

typedef struct {
    int64_t code;
    kd_str name;
    int64_t published; /* residents; 0 unknown */
    uint32_t first_township, township_count;
    bool is_simulated;
} sim_county;

/** A code under which identity numbers were issued: for `county`, until `until_year`. */
typedef struct {
    int32_t code;
    uint16_t county;
    int32_t until_year;
} sim_old_code;

typedef struct {
    uint16_t chars[2];
    uint8_t count;
} sim_surname;

typedef struct {
    uint16_t chars[2];
    uint8_t count, sex; /* 1, 2 */
    int32_t born_from, born_to;
    double weight;
} sim_given;

typedef struct {
    uint16_t code_point;
    double first, second, single;
    uint8_t sex; /* 0 either, 1, 2 */
    uint8_t era; /* 0 any, 1 old, 2 new */
} sim_char;

typedef struct {
    uint8_t code; /* GB/T 3304 */
    double weight;
    sim_list male, female, second; /* empty: names as the Han have them */
} sim_ethnicity;

/* given names are drawn from tables made for each sex and decade of birth */
enum { SIM_DECADE_FIRST = 1900, SIM_DECADES = 14 };
typedef struct {
    sim_weights common;                /* over the given names */
    sim_weights first, second, single; /* over the characters */
} sim_name_table;

typedef struct {
    kd_arena *arena;
    const kd_yaml *root; /* population.yaml */
    int32_t as_of;

    kd_str province_name, prefecture_name;
    int64_t prefecture_code;
    sim_village *villages;
    size_t village_count;
    sim_township *townships;
    size_t township_count;
    sim_county *counties;
    size_t county_count;
    sim_old_code *old_codes;
    size_t old_code_count;

    double age_share[2][SIM_AGES], death_chance[2][SIM_AGES];
    sim_weights living, away, dead; /* over age * 2 + (sex - 1) */
    size_t birth_year_count;
    int32_t *birth_years;
    double (*birth_ages)[35]; /* rising sums over mother's age 15..49 */

    sim_curve child_factor, away_by_age, married_by_age, wife_age, divorced_share, unmarried_with_parents;
    sim_curve mothers_surname, common_name_share, single_char_share, shared_char_share[2];
    double urban_weight, rural_weight, village_spread;
    double twin_share, twin_same_sex_share, unborn_share, dead_years, dead_per_year, away_share, minority_share;
    double mother_near_child, mother_near_son, mother_near_daughter;
    double gap_mean, gap_spread, wife_age_spread, same_state_share, court_share, remarried_share, no_father_share;
    double widowed_with_son, couple_with_son, left_with_grandparents, son_stays, children_stay_with_mother;
    double registered_in_county[2], registered_other[2], registered_outside[2]; /* [is_urban] */
    double wife_registered_elsewhere, moved_share, moved_within_days, number_from_other_county;
    double lineage_share[2], lineage_split[SIM_LINEAGES];
    double twin_alike_share, same_name_share, wrong_sex_weight, wrong_era_weight, doubled_share[2];
    int64_t era_old_until, era_new_since;
    int64_t first_issue_year, certificate_since;

    sim_surname *surnames;
    sim_weights surname_weights;
    size_t surname_count;
    sim_given *given;
    size_t given_count;
    sim_char *chars;
    size_t char_count;
    sim_name_table name_tables[2][SIM_DECADES];
    /* replacements for slips of the pen, by code point: "" when there are none; UTF-16 texts ended by 0 */
    const uint16_t **homophones, **lookalikes; /* 65,536 each */

    sim_ethnicity ethnicities[16];
    size_t ethnicity_count;
    sim_weights ethnicity_weights;

    sim_curve certificate_share;
    int32_t series_years[SIM_LIST_MAX];
    char series_letters[SIM_LIST_MAX];
    size_t series_count;
    kd_str certificate_prefix;
    int32_t outside_areas[SIM_LIST_MAX], stranger_areas[SIM_LIST_MAX];
    size_t outside_area_count, stranger_area_count;
    sim_list phone_prefixes;
    sim_list address_rural, address_urban, address_short, roads, estates, suffixes;

    double education_shares[SIM_CURVE_MAX][8];
    int32_t education_years[SIM_CURVE_MAX];
    size_t education_count;
    int32_t education_levels[8], education_ages[8];
} sim_settings;

/** Everything in `arena`, which must outlive it. */
KD_CHECKED kd_status sim_settings_load(kd_arena *arena, sim_settings *out, kd_error *err);
/** Fill the age tables, which depend on the day. */
KD_CHECKED kd_status sim_settings_prepare(sim_settings *s, kd_error *err);

/* tables.c: CSV tables of our own packs, no quotes within */
typedef struct {
    kd_str path, rest, line;
    uint64_t line_number;
    kd_str fields[40];
    size_t field_count;
} sim_table;
KD_CHECKED kd_status sim_table_open(kd_arena *arena, kd_str path, size_t columns, sim_table *out, kd_error *err);
bool sim_table_next(sim_table *table); /* splits the next line into fields; missing ones are empty */
KD_CHECKED kd_status sim_table_int(const sim_table *table, size_t field, int64_t *out, kd_error *err);
KD_CHECKED kd_status sim_table_double(const sim_table *table, size_t field, double *out, kd_error *err);

/* yaml helpers */
KD_CHECKED kd_status sim_read_curve(const kd_yaml *node, const char *key, sim_curve *out, kd_error *err);
KD_CHECKED kd_status sim_read_list(const kd_yaml *node, const char *key, sim_list *out, kd_error *err);
KD_CHECKED kd_status sim_need(const kd_yaml *node, const char *key, const kd_yaml **out, kd_error *err);
double sim_curve_at(const sim_curve *curve, double x);
KD_CHECKED kd_status sim_weights_make(kd_arena *arena, size_t count, sim_weights *out, kd_error *err);
size_t sim_weights_draw(const sim_weights *weights, kd_rng *rng);
static inline bool sim_chance(kd_rng *rng, double share)
{
    return kd_rng_unit(rng) < share;
}
/** UTF-8 to code points of the basic plane; KD_INVALID for others or too many. */
KD_CHECKED kd_status sim_chars(kd_str text, uint16_t *out, size_t count_max, size_t *out_count, kd_error *err);

/* settings_names.c, settings_places.c */
KD_CHECKED kd_status sim_load_names(sim_settings *s, kd_error *err);
KD_CHECKED kd_status sim_load_places(sim_settings *s, kd_error *err);

#endif
