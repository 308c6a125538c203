#include "people.h"

#include <stdlib.h>

enum { MOTHER_AGE_FIRST = 15, MOTHER_AGES = 35, YEARS_AROUND = 7, CANDIDATES_MAX = 24, CHILDREN_MAX = 9 };

/* Women by year of birth. */
typedef struct {
    uint32_t *women, *start;
} women_index;

static bool fill_women(const sim_maker *m, women_index *index)
{
    index->women = malloc((m->count + 1) * sizeof *index->women);
    index->start = calloc(m->years + 1, sizeof *index->start);
    if (!index->women || !index->start) return false;
    uint32_t at = 0;
    for (size_t year = 0; year < m->years; year++) {
        index->start[year] = at;
        for (uint32_t i = m->year_start[year]; i < m->year_start[year + 1]; i++)
            if (m->people[i].sex == 2 && !(m->people[i].flags & SIM_IS_UNBORN)) index->women[at++] = i;
    }
    index->start[m->years] = at;
    return true;
}

static int draw_mothers_age(sim_maker *m, int32_t year)
{
    const sim_settings *s = m->s;
    size_t row = 0;
    while (row + 1 < s->birth_year_count && s->birth_years[row + 1] <= year) row++;
    double wanted = kd_rng_unit(&m->rng) * s->birth_ages[row][MOTHER_AGES - 1];
    int age = 0;
    while (age < MOTHER_AGES - 1 && s->birth_ages[row][age] <= wanted) age++;
    return MOTHER_AGE_FIRST + age;
}

/* The union in which a woman would bear on that day, with `slack_days` for weddings soon after; SIM_NONE without one. */
static uint32_t union_on(const sim_maker *m, uint32_t woman, int32_t day, int32_t slack_days)
{
    enum { AFTER_END_DAYS = 240 };
    uint32_t tries[2] = { m->latest_union[woman], m->first_union[woman] };
    for (int i = 0; i < 2; i++) {
        if (tries[i] == SIM_NONE) continue;
        const sim_union *u = &m->unions[tries[i]];
        int32_t father_death = m->people[u->husband].death_day;
        bool has_begun = u->married_day - slack_days <= day;
        bool lasts = u->ended_day == KD_DAY_NONE || u->ended_day + AFTER_END_DAYS >= day;
        if (has_begun && lasts && (father_death == KD_DAY_NONE || father_death + AFTER_END_DAYS >= day))
            return tries[i];
    }
    return SIM_NONE;
}

typedef struct {
    int32_t day;
    int32_t slack_days;
    int births_max;
    bool is_alone; /* no father is to be recorded: any woman of the age */
} wanted_mother;

static bool can_bear(const sim_maker *m, uint32_t woman, const wanted_mother *wanted)
{
    enum { APART_DAYS = 340, YOUNGEST_DAYS = 6200, OLDEST_DAYS = 17400 };
    const sim_person *person = &m->people[woman];
    int32_t age_days = wanted->day - person->birth_day;
    if (age_days < YOUNGEST_DAYS || age_days > OLDEST_DAYS || m->births[woman] >= wanted->births_max) return false;
    if (person->death_day != KD_DAY_NONE && person->death_day < wanted->day) return false;
    uint32_t last = m->last_child[woman];
    if (last != SIM_NONE && m->people[last].birth_day + APART_DAYS > wanted->day) return false;
    return wanted->is_alone || union_on(m, woman, wanted->day, wanted->slack_days) != SIM_NONE;
}

static uint32_t find_mother(sim_maker *m, const women_index *index, int32_t year, const wanted_mother *wanted)
{
    int64_t target = year - draw_mothers_age(m, year) - m->first_year;
    for (int step = 0; step <= 2 * YEARS_AROUND; step++) {
        int64_t at = target + (step % 2 ? (step + 1) / 2 : -(step / 2));
        if (at < 0 || at >= (int64_t)m->years) continue;
        uint32_t first = index->start[at], women = index->start[at + 1] - first;
        uint32_t offset = (uint32_t)kd_rng_below(&m->rng, women);
        for (uint32_t i = 0; i < women && i < CANDIDATES_MAX; i++) {
            uint32_t woman = index->women[first + (offset + i) % women];
            if (can_bear(m, woman, wanted)) return woman;
        }
    }
    return SIM_NONE;
}

static void bear(sim_maker *m, uint32_t child, uint32_t mother, const wanted_mother *wanted)
{
    enum { WEDDING_BEFORE_DAYS = 280, WIFE_DAYS = 6300 };
    sim_person *person = &m->people[child];
    person->mother = mother;
    if (!wanted->is_alone) {
        sim_union *u = &m->unions[union_on(m, mother, wanted->day, wanted->slack_days)];
        person->father = u->husband;
        int32_t earlier = wanted->day - WEDDING_BEFORE_DAYS;
        bool is_first = m->births[mother] == 0 && m->first_union[mother] == (uint32_t)(u - m->unions);
        if (u->married_day > wanted->day && is_first && earlier > m->people[mother].birth_day + WIFE_DAYS)
            u->married_day = earlier;
    }
    if (m->births[mother] < UINT8_MAX) m->births[mother]++;
    m->last_child[mother] = child;
}

/* Young children are where their parents are, or left behind. */
static void follow_parents(sim_maker *m, sim_person *child)
{
    enum { CHILD_DAYS = 5844 };
    if (m->s->as_of - child->birth_day > CHILD_DAYS || child->flags & (SIM_IS_DEAD | SIM_IS_UNBORN)) return;
    bool mother_is_away = m->people[child->mother].flags & SIM_IS_AWAY;
    bool father_is_away = child->father == SIM_NONE || m->people[child->father].flags & SIM_IS_AWAY;
    bool goes_along = mother_is_away && father_is_away && sim_chance(&m->rng, 0.5);
    child->flags = (uint16_t)((child->flags & ~SIM_IS_AWAY) | (goes_along ? SIM_IS_AWAY : 0));
}

kd_status sim_make_births(sim_maker *m, kd_error *err)
{
    enum { GROWN_DAYS = 7300, PASSES = 3, SLACK_DAYS = 60, SLACK_LATE_DAYS = 900 };
    const sim_settings *s = m->s;
    women_index index = { 0 };
    if (!fill_women(m, &index)) {
        free(index.women);
        free(index.start);
        return kd_fail(err, KD_LIMIT, "", "no memory for the births of a township");
    }
    for (uint32_t i = 0; i < m->count; i++) {
        sim_person *child = &m->people[i];
        if (child->multiple == 2 && i > 0 && m->people[i - 1].multiple == 1) {
            child->mother = m->people[i - 1].mother;
            child->father = m->people[i - 1].father;
            if (child->mother != SIM_NONE && m->births[child->mother] < UINT8_MAX) m->births[child->mother]++;
            if (child->mother != SIM_NONE) follow_parents(m, child);
            continue;
        }
        bool is_grown = s->as_of - child->birth_day > GROWN_DAYS;
        double near = !is_grown ? s->mother_near_child : child->sex == 1 ? s->mother_near_son : s->mother_near_daughter;
        if (!sim_chance(&m->rng, near)) continue;
        int32_t year = kd_day_to_ymd(child->birth_day).year;
        wanted_mother wanted = { .day = child->birth_day, .is_alone = sim_chance(&m->rng, s->no_father_share) };
        uint32_t mother = SIM_NONE;
        for (int pass = 0; pass < PASSES && mother == SIM_NONE; pass++) {
            wanted.slack_days = pass == 0 ? SLACK_DAYS : SLACK_LATE_DAYS;
            wanted.births_max = pass == 0 ? 1 + (int)kd_rng_below(&m->rng, 3) : pass == 1 ? 4 : CHILDREN_MAX;
            mother = find_mother(m, &index, year, &wanted);
        }
        if (mother == SIM_NONE) continue;
        bear(m, i, mother, &wanted);
        follow_parents(m, child);
    }
    free(index.women);
    free(index.start);
    return KD_OK;
}
