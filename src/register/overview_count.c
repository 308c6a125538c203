/*
 * The counts of every area, made while a link run writes its persons: one pass, nothing read back. Each person is counted
 * where they live; the areas above are summed from those below at the end.
 */
#include "overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEARS = 160, FEEDS_MAX = 256, NO_AREA = UINT32_MAX };

typedef struct {
    int64_t code; /* 0: the whole register */
    uint32_t parent;
    int64_t persons, households;
    uint32_t born[2][YEARS];  /* years before this one */
    uint32_t *births;         /* months before this one */
    uint32_t *known, *should; /* of source id */
} area;

struct kd_area_counts {
    kd_overview_pack pack;
    kd_arena *arena;
    area *areas; /* 0 is the whole register; parents before children */
    uint32_t count;
    kd_map *by_code;                      /* to index */
    kd_map *households;                   /* hash of a household's number, once counted */
    const kd_covered *covered[FEEDS_MAX]; /* of source id; NULL: nobody in particular */
    size_t source_count;
    int32_t today, this_month; /* months since year 0 */
    int this_year;
};

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the counts of the areas");
}

void kd_area_counts_free(kd_area_counts *counts)
{
    if (!counts) return;
    kd_overview_pack_done(&counts->pack);
    kd_map_free(counts->by_code);
    kd_map_free(counts->households);
    kd_arena_free(counts->arena);
    free(counts);
}

/* ---- making ---- */

static kd_status make_area(kd_area_counts *counts, uint32_t index, int64_t code, int64_t parent, kd_error *err)
{
    area *a = &counts->areas[index];
    const uint64_t *above = parent ? kd_map_get(counts->by_code, (uint64_t)parent) : NULL;
    *a = (area){ .code = code, .parent = index == 0 ? (uint32_t)NO_AREA : above ? (uint32_t)*above : 0 };
    a->births = kd_arena_array(counts->arena, (size_t)counts->pack.birth_months, sizeof *a->births);
    a->known = kd_arena_array(counts->arena, counts->source_count + 1, sizeof *a->known);
    a->should = kd_arena_array(counts->arena, counts->source_count + 1, sizeof *a->should);
    uint64_t *slot = kd_map_put(counts->by_code, (uint64_t)code, NULL);
    if (!a->births || !a->known || !a->should || !slot) return no_memory(err);
    *slot = index;
    return KD_OK;
}

static kd_status make_areas(kd_area_counts *counts, const kd_divisions *divisions, kd_error *err)
{
    size_t count = kd_divisions_count(divisions);
    counts->by_code = kd_map_new(count + 1);
    counts->households = kd_map_new(1024);
    counts->areas = kd_arena_array(counts->arena, count + 1, sizeof *counts->areas);
    if (!counts->by_code || !counts->households || !counts->areas) return no_memory(err);
    KD_TRY(make_area(counts, counts->count++, 0, 0, err));
    for (size_t i = 0; i < count; i++) {
        const kd_division *division = kd_divisions_at(divisions, i);
        KD_TRY(make_area(counts, counts->count, division->code, division->parent, err));
        counts->count++;
    }
    return KD_OK;
}

static kd_status fill(kd_area_counts *counts, const kd_link_run *run, kd_error *err)
{
    const kd_divisions *divisions;
    KD_TRY(kd_overview_pack_load(NULL, &counts->pack, err));
    KD_TRY(kd_register_divisions(run->reg, &divisions, err));
    counts->arena = kd_arena_new((size_t)1 << 30);
    if (!counts->arena) return no_memory(err);
    counts->today = kd_today();
    kd_ymd today = kd_day_to_ymd(counts->today);
    counts->this_year = today.year;
    counts->this_month = today.year * 12 + today.month - 1;
    counts->source_count = run->feed_count < FEEDS_MAX ? run->feed_count : FEEDS_MAX;
    for (size_t id = 0; id < counts->source_count; id++)
        for (size_t i = 0; i < counts->pack.source_count; i++)
            if (kd_str_eq(run->feeds[id], counts->pack.sources[i].feed)) counts->covered[id] = &counts->pack.sources[i];
    return make_areas(counts, divisions, err);
}

static kd_status make(kd_link_run *run, kd_error *err)
{
    kd_area_counts *counts = calloc(1, sizeof *counts);
    if (!counts) return no_memory(err);
    kd_status status = fill(counts, run, err);
    if (status == KD_OK) {
        run->areas = counts;
    } else {
        kd_area_counts_free(counts);
    }
    return status;
}

/* ---- one person ---- */

/* Where a person is counted: where they live, else where they are registered; the nearest area that is known. */
static area *area_of(const kd_area_counts *counts, const kd_value_of values[KD_ATTR_COUNT])
{
    const kd_value_of *place =
        values[KD_ATTR_DIVISION].is_there ? &values[KD_ATTR_DIVISION] : &values[KD_ATTR_HUKOU_DIVISION];
    for (int level = KD_LEVEL_VILLAGE; place->is_there && level >= KD_LEVEL_PROVINCE; level--) {
        int64_t code = kd_division_at_level(place->number, (kd_division_level)level);
        const uint64_t *index = code ? kd_map_get(counts->by_code, (uint64_t)code) : NULL;
        if (index) return &counts->areas[*index];
    }
    return &counts->areas[0];
}

static void count_birth(const kd_area_counts *counts, area *a, const kd_value_of values[KD_ATTR_COUNT])
{
    const kd_value_of *birth = &values[KD_ATTR_BIRTH_DAY], *sex = &values[KD_ATTR_SEX];
    if (!birth->is_there) return;
    kd_ymd born = kd_day_to_ymd((int32_t)birth->number);
    int years = counts->this_year - born.year;
    if (years < 0) return;
    if (sex->is_there && (sex->number == 1 || sex->number == 2))
        a->born[sex->number - 1][years < YEARS ? years : YEARS - 1]++;
    int month = counts->this_month - (born.year * 12 + born.month - 1);
    if (birth->quality == 0 && month >= 0 && month < counts->pack.birth_months) a->births[month]++;
}

static bool should_know(const kd_covered *covered, const kd_value_of values[KD_ATTR_COUNT], int32_t today)
{
    const kd_value_of *birth = &values[KD_ATTR_BIRTH_DAY], *sex = &values[KD_ATTR_SEX];
    if (covered->sex && (!sex->is_there || sex->number != covered->sex)) return false;
    if (covered->age_from == 0 && !birth->is_there) return true;
    if (!birth->is_there) return false;
    int age = kd_day_age_years((int32_t)birth->number, today);
    return age >= covered->age_from && age <= covered->age_to;
}

static void count_sources(const kd_link_run *run, uint32_t cluster, area *a, const kd_value_of values[KD_ATTR_COUNT])
{
    const kd_area_counts *counts = run->areas;
    uint64_t known[FEEDS_MAX / 64] = { 0 };
    for (uint32_t m = run->starts[cluster]; m < run->starts[cluster + 1]; m++) {
        size_t source = (size_t)run->table.source_id[run->members[m]];
        if (source < counts->source_count) known[source / 64] |= UINT64_C(1) << source % 64;
    }
    for (size_t source = 0; source < counts->source_count; source++) {
        bool is_known = known[source / 64] >> source % 64 & 1;
        const kd_covered *covered = counts->covered[source];
        bool counts_here = !covered || should_know(covered, values, counts->today);
        a->known[source] += is_known && counts_here;
        a->should[source] += covered && counts_here;
    }
}

kd_status kd_area_count_person(kd_link_run *run, uint32_t cluster, const kd_value_of values[KD_ATTR_COUNT],
                               kd_error *err)
{
    if (!run->areas) KD_TRY(make(run, err));
    kd_area_counts *counts = run->areas;
    if (values[KD_ATTR_DEATH_DAY].is_there) return KD_OK;
    area *a = area_of(counts, values);
    a->persons++;
    count_birth(counts, a, values);
    count_sources(run, cluster, a, values);
    const kd_value_of *household = &values[KD_ATTR_HOUSEHOLD_NO];
    if (!household->is_there || !household->text.len) return KD_OK;
    bool is_new = false;
    uint64_t key = kd_hash(household->text.ptr, household->text.len, 7) >> 1; /* the highest number is reserved */
    if (!kd_map_put(counts->households, key, &is_new)) return no_memory(err);
    a->households += is_new;
    return KD_OK;
}

/* ---- writing ---- */

static void add_up(kd_area_counts *counts)
{
    for (uint32_t i = counts->count; i-- > 1;) {
        const area *a = &counts->areas[i];
        area *above = &counts->areas[a->parent];
        above->persons += a->persons;
        above->households += a->households;
        for (size_t y = 0; y < YEARS; y++) {
            above->born[0][y] += a->born[0][y];
            above->born[1][y] += a->born[1][y];
        }
        for (int m = 0; m < counts->pack.birth_months; m++) above->births[m] += a->births[m];
        for (size_t s = 0; s < counts->source_count; s++) {
            above->known[s] += a->known[s];
            above->should[s] += a->should[s];
        }
    }
}

typedef struct {
    kd_bulk *bulk;
    int64_t division;
} writing;

static kd_status put(const writing *w, const char *kind, kd_str key, int64_t count, kd_error *err)
{
    if (count == 0) return KD_OK;
    const kd_value values[] = { kd_int(w->division), kd_text_value(kd_str_of(kind)), kd_text_value(key),
                                kd_int(count) };
    return kd_bulk_row(w->bulk, values, err);
}

static kd_status put_births(const kd_area_counts *counts, const writing *w, const area *a, kd_error *err)
{
    for (int m = counts->pack.birth_months; m-- > 0;) {
        char month[16];
        int32_t at = counts->this_month - m;
        int len = snprintf(month, sizeof month, "%04d-%02d", at / 12, at % 12 + 1);
        KD_TRY(put(w, KD_COUNT_BIRTHS, (kd_str){ month, (size_t)len }, a->births[m], err));
    }
    return KD_OK;
}

static kd_status put_years(const kd_area_counts *counts, const writing *w, const char *kind, const uint32_t *born,
                           kd_error *err)
{
    for (int y = YEARS; y-- > 0;) {
        char year[16];
        int len = snprintf(year, sizeof year, "%04d", counts->this_year - y);
        KD_TRY(put(w, kind, (kd_str){ year, (size_t)len }, born[y], err));
    }
    return KD_OK;
}

static kd_status put_sources(const kd_link_run *run, const writing *w, const char *kind, const uint32_t *of,
                             kd_error *err)
{
    for (size_t s = 0; s < run->areas->source_count; s++)
        if (run->feeds[s].len) KD_TRY(put(w, kind, run->feeds[s], of[s], err));
    return KD_OK;
}

/* Kinds in the order of their names, areas by code: the table's key is written in its order, but for the feeds. */
static kd_status put_area(const kd_link_run *run, const writing *w, const area *a, kd_error *err)
{
    const kd_area_counts *counts = run->areas;
    KD_TRY(put_births(counts, w, a, err));
    KD_TRY(put_years(counts, w, KD_COUNT_FEMALE, a->born[1], err));
    KD_TRY(put(w, KD_COUNT_HOUSEHOLDS, KD_STR(""), a->households, err));
    KD_TRY(put_sources(run, w, KD_COUNT_KNOWN, a->known, err));
    KD_TRY(put_years(counts, w, KD_COUNT_MALE, a->born[0], err));
    KD_TRY(put(w, KD_COUNT_PERSONS, KD_STR(""), a->persons, err));
    return put_sources(run, w, KD_COUNT_SHOULD, a->should, err);
}

kd_status kd_area_counts_write(kd_link_run *run, kd_error *err)
{
    static const char *const columns[] = { "division", "kind", "key", "count" };
    kd_store *store = kd_register_store(run->reg);
    writing w = { 0 };
    if (!run->areas) KD_TRY(make(run, err)); /* a register without persons */
    add_up(run->areas);
    KD_TRY(kd_store_exec(store, err, NULL, "delete from area_count", KD_NO_VALUES));
    KD_TRY(kd_bulk_begin(store, "area_count", columns, 4, &w.bulk, err));
    kd_status status = KD_OK;
    for (uint32_t i = 0; i < run->areas->count && status == KD_OK; i++) {
        w.division = run->areas->areas[i].code;
        status = put_area(run, &w, &run->areas->areas[i], err);
    }
    if (status == KD_OK) return kd_bulk_finish(w.bulk, err);
    kd_bulk_cancel(w.bulk);
    return status;
}
