#include "people.h"

#include <math.h>
#include <stdlib.h>

enum { GAP_YEARS_MAX = 9 };

/* Unmarried men by year of birth, those away apart from those at home; each list is used up from its end. */
typedef struct {
    uint32_t *men;
    uint32_t *start, *left; /* [state * years + year] */
} men_pool;

static bool fill_pool(const sim_maker *m, men_pool *pool)
{
    pool->men = malloc((m->count + 1) * sizeof *pool->men);
    pool->start = calloc(m->years * 2, sizeof *pool->start);
    pool->left = calloc(m->years * 2, sizeof *pool->left);
    if (!pool->men || !pool->start || !pool->left) return false;
    uint32_t at = 0;
    for (size_t state = 0; state < 2; state++) {
        for (size_t year = 0; year < m->years; year++) {
            pool->start[state * m->years + year] = at;
            for (uint32_t i = m->year_start[year]; i < m->year_start[year + 1]; i++) {
                const sim_person *person = &m->people[i];
                bool is_away = person->flags & SIM_IS_AWAY;
                if (person->sex == 1 && is_away == (state == 1) && !(person->flags & SIM_IS_UNBORN))
                    pool->men[at++] = i;
            }
            pool->left[state * m->years + year] = at - pool->start[state * m->years + year];
        }
    }
    return true;
}

/* A man born near `year`, nearest first. The list is shuffled as it is used. */
static uint32_t take_man(sim_maker *m, men_pool *pool, size_t state, int64_t year)
{
    for (int step = 0; step <= 2 * GAP_YEARS_MAX; step++) {
        int64_t at = year + (step % 2 ? (step + 1) / 2 : -(step / 2));
        if (at < 0 || at >= (int64_t)m->years) continue;
        uint32_t *left = &pool->left[state * m->years + (size_t)at];
        if (*left == 0) continue;
        uint32_t *list = pool->men + pool->start[state * m->years + (size_t)at];
        size_t pick = (size_t)kd_rng_below(&m->rng, *left);
        uint32_t man = list[pick];
        list[pick] = list[--*left];
        return man;
    }
    return SIM_NONE;
}

static void give_back(const sim_maker *m, men_pool *pool, uint32_t man)
{
    size_t state = m->people[man].flags & SIM_IS_AWAY ? 1 : 0;
    size_t year = (size_t)(kd_day_to_ymd(m->people[man].birth_day).year - m->first_year);
    size_t at = state * m->years + year;
    pool->men[pool->start[at] + pool->left[at]++] = man;
}

static int32_t last_day_of(const sim_maker *m, const sim_person *person)
{
    return person->death_day == KD_DAY_NONE ? m->s->as_of : person->death_day;
}

/* A wedding day that both could live to see, or KD_DAY_NONE. */
static int32_t wedding_day(sim_maker *m, const sim_person *wife, const sim_person *husband, int32_t year)
{
    enum { ADULT_DAYS = 6650, MAN_DAYS = 6950 };
    double age = sim_curve_at(&m->s->wife_age, year) + kd_rng_normal(&m->rng) * m->s->wife_age_spread;
    int32_t day = wife->birth_day + (int32_t)(age * 365.2425);
    int32_t latest = last_day_of(m, wife), other = last_day_of(m, husband);
    if (other < latest) latest = other;
    latest -= 20;
    int32_t earliest = wife->birth_day + ADULT_DAYS;
    if (husband->birth_day + MAN_DAYS > earliest) earliest = husband->birth_day + MAN_DAYS;
    if (earliest > latest) return KD_DAY_NONE;
    if (day < earliest) day = earliest + (int32_t)kd_rng_below(&m->rng, 200);
    if (day > latest) day = latest - (int32_t)kd_rng_below(&m->rng, (uint64_t)(latest - earliest) / 2 + 1);
    return day;
}

static void unite(sim_maker *m, uint32_t husband, uint32_t wife, int32_t day)
{
    if (m->union_count == m->union_cap) return; /* more unions than people: no more weddings */
    uint32_t made = (uint32_t)m->union_count++;
    m->unions[made] = (sim_union){ .husband = husband, .wife = wife, .married_day = day, .ended_day = KD_DAY_NONE };
    uint32_t both[2] = { husband, wife };
    for (int i = 0; i < 2; i++) {
        if (m->first_union[both[i]] == SIM_NONE)
            m->first_union[both[i]] = made;
        else
            m->people[both[i]].flags |= SIM_REMARRIED;
        m->latest_union[both[i]] = made;
        m->people[both[i]].spouse = both[1 - i];
    }
}

static void divorce(sim_maker *m, uint32_t which)
{
    sim_union *u = &m->unions[which];
    int32_t room = m->s->as_of - u->married_day - 400;
    if (room < 1 || m->people[u->husband].death_day != KD_DAY_NONE || m->people[u->wife].death_day != KD_DAY_NONE)
        return;
    u->ended_day = u->married_day + 400 + (int32_t)kd_rng_below(&m->rng, (uint64_t)room);
    u->is_court = sim_chance(&m->rng, m->s->court_share);
    m->people[u->husband].spouse = m->people[u->wife].spouse = SIM_NONE;
}

static void marry_women(sim_maker *m, men_pool *pool)
{
    const sim_settings *s = m->s;
    for (uint32_t i = 0; i < m->count; i++) {
        const sim_person *woman = &m->people[i];
        if (woman->sex != 2 || woman->flags & SIM_IS_UNBORN) continue;
        double age = (last_day_of(m, woman) - woman->birth_day) / 365.2425;
        if (!sim_chance(&m->rng, sim_curve_at(&s->married_by_age, age))) continue;
        int32_t year = kd_day_to_ymd(woman->birth_day).year;
        double gap = s->gap_mean + kd_rng_normal(&m->rng) * s->gap_spread;
        size_t state = woman->flags & SIM_IS_AWAY ? 1 : 0;
        if (!sim_chance(&m->rng, s->same_state_share)) state = 1 - state;
        int64_t wanted = year - m->first_year - lround(gap);
        uint32_t man = take_man(m, pool, state, wanted);
        if (man == SIM_NONE) man = take_man(m, pool, 1 - state, wanted);
        if (man == SIM_NONE) continue;
        int32_t day = wedding_day(m, woman, &m->people[man], year);
        if (day == KD_DAY_NONE) {
            give_back(m, pool, man);
            continue;
        }
        unite(m, man, i, day);
        if (sim_chance(&m->rng, sim_curve_at(&s->divorced_share, year))) divorce(m, (uint32_t)m->union_count - 1);
    }
}

/* Divorced women find divorced men of about their age, not the one they left. */
static void remarry(sim_maker *m)
{
    enum { LOOK_BACK = 200, DAYS_APART_MAX = 3300 };
    size_t first_unions = m->union_count;
    for (size_t i = 0; i < first_unions; i++) {
        const sim_union left = m->unions[i];
        if (left.ended_day == KD_DAY_NONE || m->people[left.wife].spouse != SIM_NONE) continue;
        if (!sim_chance(&m->rng, m->s->remarried_share)) continue;
        for (size_t back = 1; back <= LOOK_BACK && back <= i; back++) {
            const sim_union other = m->unions[i - back];
            int32_t apart = m->people[other.husband].birth_day - m->people[left.wife].birth_day;
            if (other.ended_day == KD_DAY_NONE || m->people[other.husband].spouse != SIM_NONE ||
                abs(apart) > DAYS_APART_MAX)
                continue;
            int32_t day = left.ended_day > other.ended_day ? left.ended_day : other.ended_day;
            day += 150 + (int32_t)kd_rng_below(&m->rng, 1500);
            if (day <= m->s->as_of) unite(m, other.husband, left.wife, day);
            break;
        }
    }
}

kd_status sim_make_unions(sim_maker *m, kd_error *err)
{
    men_pool pool = { 0 };
    bool is_fine = fill_pool(m, &pool);
    if (is_fine) {
        marry_women(m, &pool);
        remarry(m);
    }
    free(pool.men);
    free(pool.start);
    free(pool.left);
    return is_fine ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the unions of a township");
}
