#include "people.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    sim_person *people;
    size_t count, cap;
} people_list;

static sim_person *add(people_list *list)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 4096;
        sim_person *grown = realloc(list->people, cap * sizeof *grown);
        if (!grown) return NULL;
        list->people = grown;
        list->cap = cap;
    }
    sim_person *person = &list->people[list->count++];
    *person = (sim_person){ .mother = SIM_NONE,
                            .father = SIM_NONE,
                            .spouse = SIM_NONE,
                            .household = SIM_NONE,
                            .death_day = KD_DAY_NONE,
                            .moved_day = KD_DAY_NONE,
                            .ethnicity = 1 };
    return person;
}

static int32_t day_before(kd_rng *rng, int32_t day, size_t age)
{
    return day - (int32_t)(((double)age + kd_rng_unit(rng)) * 365.2425);
}

/* One person of the given kind, and now and then its twin. */
static bool sample(sim_maker *m, people_list *list, const sim_weights *weights, uint16_t flags)
{
    const sim_settings *s = m->s;
    size_t drawn = sim_weights_draw(weights, &m->rng);
    int32_t reference = s->as_of, death_day = KD_DAY_NONE;
    if (flags & SIM_IS_DEAD)
        reference = death_day = s->as_of - (int32_t)(kd_rng_unit(&m->rng) * s->dead_years * 365.2425);
    sim_person *person = add(list);
    if (!person) return false;
    person->sex = (uint8_t)(drawn % 2 + 1);
    person->birth_day = flags & SIM_IS_UNBORN ? s->as_of + 1 + (int32_t)kd_rng_below(&m->rng, 215)
                                              : day_before(&m->rng, reference, drawn / 2);
    if (person->birth_day > reference && !(flags & SIM_IS_UNBORN)) person->birth_day = reference;
    person->death_day = death_day;
    person->flags = flags;
    if (flags || !sim_chance(&m->rng, s->twin_share)) return true;
    sim_person first = *person;
    sim_person *second = add(list);
    if (!second) return false;
    second->birth_day = first.birth_day;
    second->sex = sim_chance(&m->rng, s->twin_same_sex_share) ? first.sex : (uint8_t)(3 - first.sex);
    second->multiple = 2;
    list->people[list->count - 2].multiple = 1;
    return true;
}

typedef struct {
    sim_person person;
    uint32_t order; /* twins stay side by side */
} sorted_person;

static int by_birth(const void *a, const void *b)
{
    const sorted_person *x = a, *y = b;
    if (x->person.birth_day != y->person.birth_day) return x->person.birth_day < y->person.birth_day ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static bool sort_people(people_list *list)
{
    sorted_person *sorted = malloc((list->count + 1) * sizeof *sorted);
    if (!sorted) return false;
    for (size_t i = 0; i < list->count; i++) sorted[i] = (sorted_person){ list->people[i], (uint32_t)i };
    qsort(sorted, list->count, sizeof *sorted, by_birth);
    for (size_t i = 0; i < list->count; i++) list->people[i] = sorted[i].person;
    free(sorted);
    return true;
}

static bool sample_all(sim_maker *m, people_list *list)
{
    const sim_settings *s = m->s;
    const sim_township *township = &s->townships[m->township];
    double residents = township->residents, rural = 0;
    for (uint32_t i = 0; i < township->village_count; i++) {
        const sim_village *village = &s->villages[township->first_village + i];
        if (!village->is_urban) rural += village->residents;
    }
    bool is_fine = true;
    while (is_fine && list->count < (size_t)residents) is_fine = sample(m, list, &s->living, 0);
    struct {
        double count;
        const sim_weights *weights;
        uint16_t flags;
    } others[] = { { rural * s->away_share, &s->away, SIM_IS_AWAY },
                   { residents * s->dead_per_year * s->dead_years, &s->dead, SIM_IS_DEAD },
                   { residents * s->unborn_share, &s->living, SIM_IS_UNBORN } };
    for (size_t kind = 0; kind < 3; kind++)
        for (double i = kd_rng_unit(&m->rng); is_fine && i < others[kind].count; i += 1)
            is_fine = sample(m, list, others[kind].weights, others[kind].flags);
    return is_fine && sort_people(list);
}

static bool index_years(sim_maker *m)
{
    m->first_year = kd_day_to_ymd(m->people[0].birth_day).year;
    int32_t last_year = kd_day_to_ymd(m->people[m->count - 1].birth_day).year;
    m->years = (size_t)(last_year - m->first_year) + 1;
    m->year_start = calloc(m->years + 1, sizeof *m->year_start);
    if (!m->year_start) return false;
    size_t at = 0;
    for (size_t year = 0; year <= m->years; year++) {
        int32_t first_day = kd_day_from_ymd((kd_ymd){ m->first_year + (int32_t)year, 1, 1 });
        while (at < m->count && m->people[at].birth_day < first_day) at++;
        m->year_start[year] = (uint32_t)at;
    }
    return true;
}

static bool allot(sim_maker *m)
{
    m->union_cap = m->count + 16;
    m->unions = malloc(m->union_cap * sizeof *m->unions);
    m->latest_union = malloc(m->count * sizeof *m->latest_union);
    m->first_union = malloc(m->count * sizeof *m->first_union);
    m->last_child = malloc(m->count * sizeof *m->last_child);
    m->births = calloc(m->count, 1);
    m->household_village = malloc((m->count + 1) * sizeof *m->household_village);
    if (!m->unions || !m->latest_union || !m->first_union || !m->last_child || !m->births || !m->household_village)
        return false;
    for (size_t i = 0; i < m->count; i++) m->latest_union[i] = m->first_union[i] = m->last_child[i] = SIM_NONE;
    return true;
}

static void free_work(sim_maker *m)
{
    free(m->latest_union);
    free(m->first_union);
    free(m->last_child);
    free(m->births);
    free(m->household_village);
    free(m->year_start);
}

typedef struct {
    uint32_t village, household, index;
} place_key;

static int by_place(const void *a, const void *b)
{
    const place_key *x = a, *y = b;
    if (x->village != y->village) return x->village < y->village ? -1 : 1;
    if (x->household != y->household) return x->household < y->household ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static uint32_t renamed(const uint32_t *new_index, uint32_t old)
{
    return old == SIM_NONE ? SIM_NONE : new_index[old];
}

/* Neighbours side by side, as a department keeps them; every reference follows. */
static bool sort_by_place(sim_maker *m)
{
    place_key *keys = malloc((m->count + 1) * sizeof *keys);
    uint32_t *new_index = malloc((m->count + 1) * sizeof *new_index);
    sim_person *sorted = malloc((m->count + 1) * sizeof *sorted);
    bool is_fine = keys && new_index && sorted;
    if (is_fine) {
        for (size_t i = 0; i < m->count; i++) {
            uint32_t household = m->people[i].household;
            keys[i] = (place_key){ m->household_village[household], household, (uint32_t)i };
        }
        qsort(keys, m->count, sizeof *keys, by_place);
        for (size_t i = 0; i < m->count; i++) new_index[keys[i].index] = (uint32_t)i;
        for (size_t i = 0; i < m->count; i++) {
            sim_person *person = &sorted[i];
            *person = m->people[keys[i].index];
            person->mother = renamed(new_index, person->mother);
            person->father = renamed(new_index, person->father);
            person->spouse = renamed(new_index, person->spouse);
        }
        for (size_t i = 0; i < m->union_count; i++) {
            m->unions[i].husband = new_index[m->unions[i].husband];
            m->unions[i].wife = new_index[m->unions[i].wife];
        }
        memcpy(m->people, sorted, m->count * sizeof *sorted);
    }
    free(keys);
    free(new_index);
    free(sorted);
    return is_fine;
}

static kd_status make(sim_maker *m, kd_error *err)
{
    if (!index_years(m) || !allot(m)) return kd_fail(err, KD_LIMIT, "", "no memory for %zu people", m->count);
    KD_TRY(sim_make_unions(m, err));
    KD_TRY(sim_make_births(m, err));
    KD_TRY(sim_make_households(m, err));
    sim_make_names(m);
    sim_make_facts(m);
    return sort_by_place(m) ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for %zu people", m->count);
}

kd_status sim_block_make(const sim_settings *s, uint64_t seed, uint16_t township, sim_block *out, kd_error *err)
{
    sim_maker m = { .s = s, .township = township };
    *out = (sim_block){ 0 };
    if (s->townships[township].residents == 0) return KD_OK;
    kd_rng_init(&m.rng, kd_hash_int(seed ^ kd_hash_int((uint64_t)s->townships[township].code)));
    people_list list = { 0 };
    kd_status status = KD_OK;
    if (!sample_all(&m, &list)) {
        status = kd_fail(err, KD_LIMIT, "", "no memory for the people of a township");
    } else {
        m.people = list.people;
        m.count = list.count;
        status = make(&m, err);
    }
    free_work(&m);
    if (status != KD_OK) {
        free(list.people);
        free(m.unions);
        return status;
    }
    *out = (sim_block){ m.people, m.unions, m.count, m.union_count, m.households };
    return KD_OK;
}
