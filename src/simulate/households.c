#include "people.h"

#include <stdlib.h>

/* GB/T 4761 */
enum {
    HEAD = 2,
    HUSBAND = 11,
    WIFE = 12,
    ONLY_SON = 21,
    ELDEST_SON = 22,
    OTHER_SON = 29,
    ONLY_DAUGHTER = 31,
    ELDEST_DAUGHTER = 32,
    OTHER_DAUGHTER = 39,
    GRANDSON = 41,
    GRANDDAUGHTER = 42,
    DAUGHTERS_SON = 43,
    DAUGHTERS_DAUGHTER = 44,
    FATHER = 51,
    MOTHER = 52,
    OTHER_RELATIVE = 97,
};
enum { YEAR_DAYS = 365, OLD_DAYS = 60 * YEAR_DAYS };

static uint32_t new_household(sim_maker *m)
{
    uint32_t made = (uint32_t)m->households++;
    m->household_village[made] = SIM_NONE;
    return made;
}

static bool is_living(const sim_person *person)
{
    return !(person->flags & (SIM_IS_DEAD | SIM_IS_UNBORN));
}

static void settle(sim_person *person, uint32_t household, uint8_t relation)
{
    person->household = household;
    person->relation = relation;
}

/* Couples first: each union that lasts, and what is left of it when one has died. */
static void house_couples(sim_maker *m)
{
    for (size_t i = 0; i < m->union_count; i++) {
        const sim_union *u = &m->unions[i];
        if (u->ended_day != KD_DAY_NONE || m->latest_union[u->wife] != i || m->latest_union[u->husband] != i) continue;
        uint32_t household = new_household(m);
        sim_person *husband = &m->people[u->husband], *wife = &m->people[u->wife];
        bool wife_leads = !is_living(husband) && is_living(wife);
        settle(husband, household, wife_leads ? HUSBAND : HEAD);
        settle(wife, household, wife_leads ? HEAD : WIFE);
    }
}

/* The old move in with a married son. `sons` is the first such son by parent. */
static void join_sons(sim_maker *m, const uint32_t *sons)
{
    const sim_settings *s = m->s;
    for (uint32_t i = 0; i < m->count; i++) {
        sim_person *person = &m->people[i];
        if (person->household == SIM_NONE || person->relation != HEAD || s->as_of - person->birth_day < OLD_DAYS)
            continue;
        uint32_t other = person->spouse,
                 son = sons[i]; // NOLINT(clang-analyzer-core.uninitialized.Assign): the caller fills all
        if (son == SIM_NONE && other != SIM_NONE) son = sons[other];
        if (son == SIM_NONE || m->people[son].household == SIM_NONE || m->people[son].relation != HEAD) continue;
        bool are_two = other != SIM_NONE && is_living(&m->people[other]) && is_living(person);
        if (!sim_chance(&m->rng, are_two ? s->couple_with_son : s->widowed_with_son)) continue;
        uint32_t household = m->people[son].household;
        settle(person, household, person->sex == 1 ? FATHER : MOTHER);
        if (other != SIM_NONE) settle(&m->people[other], household, person->sex == 1 ? MOTHER : FATHER);
    }
}

static uint8_t child_relation(const sim_person *child, unsigned order, bool is_only)
{
    bool is_son = child->sex == 1;
    if (is_only) return is_son ? ONLY_SON : ONLY_DAUGHTER;
    uint8_t numbered = (uint8_t)((is_son ? ELDEST_SON : ELDEST_DAUGHTER) + order - 1);
    return order <= 3 ? numbered : is_son ? OTHER_SON : OTHER_DAUGHTER;
}

static uint32_t living_grandparent(const sim_maker *m, uint32_t parent)
{
    if (parent == SIM_NONE) return SIM_NONE;
    uint32_t tries[2] = { m->people[parent].father, m->people[parent].mother };
    for (int i = 0; i < 2; i++) {
        if (tries[i] == SIM_NONE) continue;
        const sim_person *person = &m->people[tries[i]];
        if (is_living(person) && !(person->flags & SIM_IS_AWAY) && person->household != SIM_NONE) return tries[i];
    }
    return SIM_NONE;
}

/* A child whose parents are both away lives with grandparents. */
static bool leave_behind(sim_maker *m, sim_person *child)
{
    bool is_left = !(child->flags & (SIM_IS_AWAY | SIM_IS_DEAD | SIM_IS_UNBORN)) && child->mother != SIM_NONE &&
                   m->people[child->mother].flags & SIM_IS_AWAY && child->father != SIM_NONE &&
                   m->people[child->father].flags & SIM_IS_AWAY;
    if (!is_left || !sim_chance(&m->rng, m->s->left_with_grandparents)) return false;
    uint32_t grandparent = living_grandparent(m, child->father);
    bool is_fathers = grandparent != SIM_NONE;
    if (!is_fathers) grandparent = living_grandparent(m, child->mother);
    if (grandparent == SIM_NONE) return false;
    const sim_person *elder = &m->people[grandparent];
    bool is_boy = child->sex == 1;
    uint8_t relation = is_fathers ? (is_boy ? GRANDSON : GRANDDAUGHTER) : (is_boy ? DAUGHTERS_SON : DAUGHTERS_DAUGHTER);
    if (elder->relation >= FATHER && elder->relation <= MOTHER) relation = OTHER_RELATIVE;
    settle(child, elder->household, relation);
    return true;
}

static void house_child(sim_maker *m, uint32_t index, unsigned order)
{
    sim_person *child = &m->people[index];
    double age = (m->s->as_of - child->birth_day) / 365.2425;
    uint32_t mother = child->mother, father = child->father, parent = mother;
    if (leave_behind(m, child)) return;
    if (father != SIM_NONE && mother != SIM_NONE && m->people[father].household != m->people[mother].household &&
        !sim_chance(&m->rng, m->s->children_stay_with_mother))
        parent = father;
    if (parent == SIM_NONE || m->people[parent].household == SIM_NONE) parent = father;
    bool has_home = parent != SIM_NONE && m->people[parent].household != SIM_NONE;
    if (!has_home || !sim_chance(&m->rng, sim_curve_at(&m->s->unmarried_with_parents, age))) {
        settle(child, new_household(m), HEAD);
        return;
    }
    const sim_person *elder = &m->people[parent];
    uint8_t relation = child_relation(child, order, mother != SIM_NONE && m->births[mother] == 1);
    if (elder->relation >= FATHER) relation = OTHER_RELATIVE; /* the head is a brother or an uncle */
    settle(child, elder->household, relation);
}

static void house_others(sim_maker *m, uint8_t *sons, uint8_t *daughters)
{
    for (uint32_t i = 0; i < m->count; i++) {
        sim_person *person = &m->people[i];
        unsigned order = 1;
        if (person->mother != SIM_NONE) {
            uint8_t *count = person->sex == 1 ? &sons[person->mother] : &daughters[person->mother];
            order = *count < UINT8_MAX ? ++*count : *count;
        }
        if (person->household != SIM_NONE) continue;
        bool is_divorced = m->latest_union[i] != SIM_NONE;
        if (is_divorced)
            settle(person, new_household(m), HEAD);
        else
            house_child(m, i, order);
    }
}

static uint32_t draw_village(sim_maker *m, const sim_weights *weights)
{
    return m->s->townships[m->township].first_village + (uint32_t)sim_weights_draw(weights, &m->rng);
}

/* Sons stay in their fathers' villages; others settle as the villages' sizes ask. */
static void place(sim_maker *m, const sim_weights *weights)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const sim_person *person = &m->people[i];
        uint32_t *village = &m->household_village[person->household];
        if (*village != SIM_NONE || (person->relation != HEAD && person->relation != HUSBAND)) continue;
        uint32_t father = person->father;
        uint32_t fathers = father == SIM_NONE ? SIM_NONE : m->household_village[m->people[father].household];
        bool stays = fathers != SIM_NONE && sim_chance(&m->rng, m->s->son_stays);
        *village = stays ? fathers : draw_village(m, weights);
    }
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t *village = &m->household_village[m->people[i].household];
        if (*village == SIM_NONE) *village = draw_village(m, weights);
    }
}

kd_status sim_make_households(sim_maker *m, kd_error *err)
{
    const sim_township *township = &m->s->townships[m->township];
    uint32_t *sons = malloc(m->count * sizeof *sons);
    uint8_t *counts = calloc(m->count, 2);
    double *sums = malloc(township->village_count * sizeof *sums);
    bool is_fine = sons && counts && sums;
    if (is_fine) {
        for (size_t i = 0; i < m->count; i++) sons[i] = SIM_NONE;
        for (uint32_t i = 0; i < m->count; i++) {
            const sim_person *person = &m->people[i];
            if (person->sex != 1 || person->spouse == SIM_NONE || !is_living(person)) continue;
            if (person->father != SIM_NONE && sons[person->father] == SIM_NONE) sons[person->father] = i;
            if (person->mother != SIM_NONE && sons[person->mother] == SIM_NONE) sons[person->mother] = i;
        }
        double sum = 0;
        for (uint32_t i = 0; i < township->village_count; i++)
            sums[i] = sum += m->s->villages[township->first_village + i].residents;
        house_couples(m);
        join_sons(m, sons);
        house_others(m, counts, counts + m->count);
        place(m, &(sim_weights){ township->village_count, sums });
    }
    free(sons);
    free(counts);
    free(sums);
    return is_fine ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the households of a township");
}
