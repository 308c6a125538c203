#include "people.h"

enum { SINGLE = 10, MARRIED = 20, REMARRIED = 22, WIDOWED = 30, DIVORCED = 40, WIFE_CODE = 12 };

uint16_t sim_area_of(const sim_settings *s, uint16_t county, int32_t birth_year)
{
    int32_t issued = birth_year < s->first_issue_year ? (int32_t)s->first_issue_year : birth_year;
    size_t best = s->old_code_count + county;
    int32_t best_until = INT32_MAX;
    for (size_t i = 0; i < s->old_code_count; i++) {
        const sim_old_code *old = &s->old_codes[i];
        if (old->county != county || issued >= old->until_year || old->until_year >= best_until) continue;
        best = i;
        best_until = old->until_year;
    }
    return (uint16_t)best;
}

static uint8_t marital_of(const sim_maker *m, uint32_t index)
{
    const sim_person *person = &m->people[index];
    if (m->latest_union[index] == SIM_NONE) return SINGLE;
    if (person->spouse == SIM_NONE) return DIVORCED;
    int32_t spouse_death = m->people[person->spouse].death_day;
    bool died_first =
        spouse_death != KD_DAY_NONE && (person->death_day == KD_DAY_NONE || spouse_death < person->death_day);
    return died_first ? WIDOWED : person->flags & SIM_REMARRIED ? REMARRIED : MARRIED;
}

static uint8_t education_of(sim_maker *m, const sim_person *person, int32_t year)
{
    const sim_settings *s = m->s;
    size_t row = 0;
    while (row + 1 < s->education_count && s->education_years[row + 1] <= year) row++;
    double drawn = kd_rng_unit(&m->rng) * s->education_shares[row][7];
    int level = 0;
    while (level < 7 && s->education_shares[row][level] <= drawn) level++;
    double age = (s->as_of - person->birth_day) / 365.2425;
    while (level > 0 && age < s->education_ages[level]) level--;
    return (uint8_t)s->education_levels[level];
}

/* A rural village of the county, for those who live in town but are registered where they come from. */
static uint16_t village_of_county(sim_maker *m, uint16_t county)
{
    const sim_settings *s = m->s;
    const sim_county *c = &s->counties[county];
    const sim_township *first = &s->townships[c->first_township];
    const sim_township *last = &s->townships[c->first_township + c->township_count - 1];
    uint32_t from = first->first_village, count = last->first_village + last->village_count - from;
    uint32_t village = from;
    for (int i = 0; i < 8; i++) {
        village = from + (uint32_t)kd_rng_below(&m->rng, count);
        if (!s->villages[village].is_urban) break;
    }
    return (uint16_t)village;
}

typedef struct {
    uint16_t hukou, past;
    int32_t moved_day;
} household_facts;

static household_facts draw_household(sim_maker *m, uint32_t village)
{
    const sim_settings *s = m->s;
    const sim_village *home = &s->villages[village];
    household_facts facts = { .hukou = (uint16_t)village, .moved_day = KD_DAY_NONE };
    double drawn = kd_rng_unit(&m->rng);
    double in_county = s->registered_in_county[home->is_urban], other = in_county + s->registered_other[home->is_urban];
    if (drawn < in_county)
        facts.hukou = village_of_county(m, home->county);
    else if (drawn < other)
        facts.hukou = village_of_county(m, (uint16_t)kd_rng_below(&m->rng, s->county_count));
    else if (drawn < other + s->registered_outside[home->is_urban])
        facts.hukou = SIM_OUTSIDE;
    if (sim_chance(&m->rng, s->moved_share)) {
        facts.past = village_of_county(m, home->county);
        facts.moved_day = s->as_of - (int32_t)(kd_rng_unit(&m->rng) * s->moved_within_days);
    }
    return facts;
}

static uint16_t area_for(sim_maker *m, const sim_person *person, int32_t year)
{
    const sim_settings *s = m->s;
    if (person->hukou == SIM_OUTSIDE) {
        size_t outside = kd_hash_int(person->household * UINT64_C(2654435761) + m->township) % s->outside_area_count;
        return (uint16_t)(s->old_code_count + s->county_count + outside);
    }
    uint16_t county = s->villages[person->hukou].county;
    bool married_in = person->sex == 2 && person->father == SIM_NONE && person->spouse != SIM_NONE;
    if (married_in && sim_chance(&m->rng, s->number_from_other_county))
        county = (uint16_t)kd_rng_below(&m->rng, s->county_count);
    return sim_area_of(s, county, year);
}

static void facts_of(sim_maker *m, uint32_t index, const household_facts *facts)
{
    const sim_settings *s = m->s;
    sim_person *person = &m->people[index];
    uint32_t village = m->household_village[person->household];
    int32_t year = kd_day_to_ymd(person->birth_day).year;
    bool is_away = person->flags & SIM_IS_AWAY;
    person->home = is_away ? SIM_OUTSIDE : (uint16_t)village;
    person->hukou = is_away ? (uint16_t)village : facts->hukou;
    if (person->relation == WIFE_CODE && !is_away && sim_chance(&m->rng, s->wife_registered_elsewhere))
        person->hukou = village_of_county(m, s->villages[village].county);
    if (facts->moved_day != KD_DAY_NONE && facts->moved_day > person->birth_day && !is_away) {
        person->flags |= SIM_IS_MOVED;
        person->past = facts->past;
        person->moved_day = facts->moved_day;
    }
    person->marital = marital_of(m, index);
    person->education = education_of(m, person, year);
    person->area = area_for(m, person, year);
    if (year >= s->certificate_since && sim_chance(&m->rng, sim_curve_at(&s->certificate_share, year)))
        person->flags |= SIM_HAS_CERTIFICATE;
}

void sim_make_facts(sim_maker *m)
{
    /* a household is met first through its oldest member, but its facts are drawn once: from a stream of its own */
    kd_rng people_rng = m->rng;
    uint64_t base = kd_rng_next(&people_rng);
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t household = m->people[i].household;
        kd_rng_init(&m->rng, kd_hash_int(base + household));
        household_facts facts = draw_household(m, m->household_village[household]);
        m->rng = people_rng;
        facts_of(m, i, &facts);
        people_rng = m->rng;
    }
}
