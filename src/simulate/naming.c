#include "people.h"

#include <string.h>

enum { FULL_NAME = sizeof((sim_person *)0)->name };

static int decade_of(int32_t year)
{
    int decade = (year - SIM_DECADE_FIRST) / 10;
    return decade < 0 ? 0 : decade >= SIM_DECADES ? SIM_DECADES - 1 : decade;
}

static void copy_surname(sim_person *person, const sim_person *from)
{
    person->surname_count = from->surname_count;
    memcpy(person->name, from->name, from->surname_count * sizeof person->name[0]);
}

static void take_surname(const sim_settings *s, sim_person *person, size_t index)
{
    const sim_surname *surname = &s->surnames[index];
    person->surname_count = surname->count;
    memcpy(person->name, surname->chars, surname->count * sizeof person->name[0]);
}

static void found_surname(sim_maker *m, sim_person *person)
{
    const sim_settings *s = m->s;
    const sim_village *village = &s->villages[m->household_village[person->household]];
    bool married_in = person->sex == 2 && person->spouse != SIM_NONE; /* from another village */
    if (!married_in && sim_chance(&m->rng, s->lineage_share[village->is_urban])) {
        double drawn = kd_rng_unit(&m->rng) * s->lineage_split[SIM_LINEAGES - 1];
        size_t lineage = 0;
        while (lineage < SIM_LINEAGES - 1 && s->lineage_split[lineage] <= drawn) lineage++;
        take_surname(s, person, village->lineages[lineage]);
    } else {
        take_surname(s, person, sim_weights_draw(&s->surname_weights, &m->rng));
    }
}

static const sim_ethnicity *ethnicity_of(const sim_settings *s, uint8_t code)
{
    for (size_t i = 0; i < s->ethnicity_count; i++)
        if (s->ethnicities[i].code == code) return &s->ethnicities[i];
    return NULL;
}

static void choose_ethnicity(sim_maker *m, sim_person *person)
{
    const sim_settings *s = m->s;
    if (person->father != SIM_NONE)
        person->ethnicity = m->people[person->father].ethnicity;
    else if (person->mother != SIM_NONE)
        person->ethnicity = m->people[person->mother].ethnicity;
    else if (sim_chance(&m->rng, s->minority_share))
        person->ethnicity = s->ethnicities[sim_weights_draw(&s->ethnicity_weights, &m->rng)].code;
}

/* Names in two parts, for those whose people write them so. */
static bool two_part_name(sim_maker *m, sim_person *person)
{
    const sim_ethnicity *ethnicity = person->ethnicity == 1 ? NULL : ethnicity_of(m->s, person->ethnicity);
    if (!ethnicity || !ethnicity->second.count) return false;
    const sim_list *first = person->sex == 1 ? &ethnicity->male : &ethnicity->female;
    person->surname_count = 0;
    person->name[0] = 0;
    person->name[1] = (uint16_t)kd_rng_below(&m->rng, first->count);
    person->name[2] = (uint16_t)kd_rng_below(&m->rng, ethnicity->second.count);
    return true;
}

static void put_given(sim_person *person, uint16_t first, uint16_t second)
{
    person->name[person->surname_count] = first;
    if (person->surname_count + 1 < SIM_NAME_CHARS) person->name[person->surname_count + 1] = second;
    if (person->surname_count + 2 < SIM_NAME_CHARS) person->name[person->surname_count + 2] = 0;
}

static uint16_t draw_char(const sim_settings *s, kd_rng *rng, const sim_weights *weights)
{
    return s->chars[sim_weights_draw(weights, rng)].code_point;
}

/* The character that a father's children of one sex share, the same each time it is asked for. */
static uint16_t shared_char(const sim_maker *m, uint32_t father, uint8_t sex, int decade)
{
    kd_rng rng;
    const sim_person *person = &m->people[father];
    kd_rng_init(&rng, kd_hash_int(((uint64_t)(uint32_t)person->birth_day << 32 | father) * 2 + sex));
    return m->s->chars[sim_weights_draw(&m->s->name_tables[sex - 1][decade].first, &rng)].code_point;
}

/* A name of one's own: a common one, or one or two characters of the time and sex. */
static void own_name(const sim_settings *s, kd_rng *rng, sim_person *person)
{
    int32_t year = kd_day_to_ymd(person->birth_day).year;
    int sex = person->sex - 1;
    const sim_name_table *table = &s->name_tables[sex][decade_of(year)];
    if (sim_chance(rng, sim_curve_at(&s->common_name_share, year))) {
        const sim_given *given = &s->given[sim_weights_draw(&table->common, rng)];
        put_given(person, given->chars[0], given->count > 1 ? given->chars[1] : 0);
    } else if (sim_chance(rng, sim_curve_at(&s->single_char_share, year))) {
        put_given(person, draw_char(s, rng, &table->single), 0);
    } else {
        uint16_t first = draw_char(s, rng, &table->first);
        put_given(person, first, sim_chance(rng, s->doubled_share[sex]) ? first : draw_char(s, rng, &table->second));
    }
}

void sim_name_draw(const sim_settings *s, kd_rng *rng, sim_person *person)
{
    take_surname(s, person, sim_weights_draw(&s->surname_weights, rng));
    own_name(s, rng, person);
}

static void given_name(sim_maker *m, sim_person *person)
{
    const sim_settings *s = m->s;
    int32_t year = kd_day_to_ymd(person->birth_day).year;
    int sex = person->sex - 1, decade = decade_of(year);
    bool shares = person->father != SIM_NONE && sim_chance(&m->rng, sim_curve_at(&s->shared_char_share[sex], year));
    if (!shares) {
        own_name(s, &m->rng, person);
        return;
    }
    uint16_t second = draw_char(s, &m->rng, &s->name_tables[sex][decade].second);
    put_given(person, shared_char(m, person->father, person->sex, decade), second);
}

static bool is_same_name(const sim_person *a, const sim_person *b)
{
    return memcmp(a->name, b->name, FULL_NAME) == 0;
}

/* 张浩然, 张浩天: the first character shared, the second another. */
static bool twin_name(sim_maker *m, sim_person *person, const sim_person *twin)
{
    if (!twin->surname_count || twin->surname_count + 1 >= SIM_NAME_CHARS) return false;
    uint16_t first = twin->name[twin->surname_count], second = twin->name[twin->surname_count + 1];
    if (!second || !sim_chance(&m->rng, m->s->twin_alike_share)) return false;
    int decade = decade_of(kd_day_to_ymd(person->birth_day).year);
    uint16_t other = draw_char(m->s, &m->rng, &m->s->name_tables[person->sex - 1][decade].second);
    if (other == second) return false;
    copy_surname(person, twin);
    put_given(person, first, other);
    return true;
}

/* Now and then two of one age, sex and surname in the same village bear the same name. */
static bool neighbours_name(sim_maker *m, uint32_t index)
{
    enum { LOOK_BACK = 400, AGE_DAYS = 500 };
    sim_person *person = &m->people[index];
    if (!sim_chance(&m->rng, m->s->same_name_share)) return false;
    for (uint32_t back = 1; back <= LOOK_BACK && back <= index; back++) {
        const sim_person *other = &m->people[index - back];
        if (person->birth_day - other->birth_day > AGE_DAYS) break;
        if (other->sex != person->sex || other->surname_count != person->surname_count || !other->surname_count ||
            (other->mother != SIM_NONE && other->mother == person->mother) ||
            memcmp(other->name, person->name, person->surname_count * sizeof person->name[0]) != 0 ||
            m->household_village[other->household] != m->household_village[person->household])
            continue;
        memcpy(person->name, other->name, FULL_NAME);
        return true;
    }
    return false;
}

static void name_one(sim_maker *m, uint32_t index, const sim_person *elder_sibling)
{
    sim_person *person = &m->people[index];
    choose_ethnicity(m, person);
    if (two_part_name(m, person)) return;
    const sim_person *father = person->father == SIM_NONE ? NULL : &m->people[person->father];
    const sim_person *mother = person->mother == SIM_NONE ? NULL : &m->people[person->mother];
    int32_t year = kd_day_to_ymd(person->birth_day).year;
    bool is_mothers =
        mother && mother->surname_count && (!father || sim_chance(&m->rng, sim_curve_at(&m->s->mothers_surname, year)));
    if (is_mothers)
        copy_surname(person, mother);
    else if (father && father->surname_count)
        copy_surname(person, father);
    else
        found_surname(m, person);
    bool is_second = person->multiple == 2 && index > 0 && m->people[index - 1].multiple == 1;
    if (is_second && twin_name(m, person, &m->people[index - 1])) return;
    if (neighbours_name(m, index)) return;
    enum { TRIES = 4 };
    for (int i = 0; i < TRIES; i++) { /* parents give no name twice */
        given_name(m, person);
        if (!elder_sibling || !is_same_name(person, elder_sibling)) break;
    }
}

void sim_make_names(sim_maker *m)
{
    for (size_t i = 0; i < m->count; i++) m->last_child[i] = SIM_NONE;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t mother = m->people[i].mother;
        uint32_t elder = mother == SIM_NONE ? SIM_NONE : m->last_child[mother];
        name_one(m, i, elder == SIM_NONE ? NULL : &m->people[elder]);
        if (mother != SIM_NONE) m->last_child[mother] = i;
    }
}
