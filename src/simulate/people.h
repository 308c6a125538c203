/* The invented people and how they are made. Private to simulate/. */
#ifndef KD_SIMULATE_PEOPLE_H
#define KD_SIMULATE_PEOPLE_H

#include "settings.h"

#include <pthread.h>
#include <stdatomic.h>

#define SIM_NONE UINT32_MAX
enum { SIM_OUTSIDE = 0xFFFF, SIM_NAME_CHARS = 4 };

enum {
    SIM_IS_AWAY = 1, /* registered here, lives outside */
    SIM_IS_DEAD = 2,
    SIM_IS_UNBORN = 4, /* a pregnancy under way; never a person of any file */
    SIM_HAS_CERTIFICATE = 8,
    SIM_IS_MOVED = 16, /* `past` is an earlier home */
    SIM_REMARRIED = 32,
};

/** 56 bytes, so that a look at a parent touches one or two cache lines. */
typedef struct {
    int32_t birth_day, death_day, moved_day;
    uint32_t mother, father, spouse, household;
    uint16_t name[SIM_NAME_CHARS]; /* surname, given; ended by 0. First 0: two-part name, [1] and [2] index its lists */
    uint16_t area, number;         /* of the identity number: index of sim_population.areas, order code 0..999 */
    uint16_t home, hukou, past;    /* villages, or SIM_OUTSIDE */
    uint16_t flags;
    uint8_t sex, surname_count, relation, marital, education, ethnicity, multiple;
    uint8_t unused;
} sim_person;

typedef struct {
    uint32_t husband, wife;
    int32_t married_day, ended_day; /* KD_DAY_NONE: lasts, or ended by death */
    bool is_court;
} sim_union;

/** A township's people: people sorted by home and household, indexes local. */
typedef struct {
    sim_person *people;
    sim_union *unions;
    size_t count, union_count, households;
} sim_block;

typedef struct {
    sim_person *people;
    sim_union *unions;
    size_t count, union_count, households;
    int32_t *areas; /* codes of first issue */
    size_t area_count;
} sim_population;

/** Where `county`'s identity numbers were issued to those born in `birth_year`; index into areas. */
uint16_t sim_area_of(const sim_settings *s, uint16_t county, int32_t birth_year);
/** Make one township's people. Heap arrays, to be freed by the caller. */
KD_CHECKED kd_status sim_block_make(const sim_settings *s, uint64_t seed, uint16_t township, sim_block *out,
                                    kd_error *err);
/** Make everybody: blocks on all threads, joined in the order of the townships; then identity numbers, which need all. */
KD_CHECKED kd_status sim_population_make(const sim_settings *s, uint64_t seed, unsigned threads,
                                         const kd_progress *progress, sim_population *out, kd_error *err);
void sim_population_done(sim_population *population);
/** A surname and a given name for a person of known sex and birth who belongs to nobody here. */
void sim_name_draw(const sim_settings *s, kd_rng *rng, sim_person *person);

/** How far a parallel loop is, told only from the thread that began it, as kd_progress asks. */
typedef struct {
    const kd_progress *progress;
    const char *stage;
    size_t total;
    atomic_size_t done;
    pthread_t caller;
} sim_progress;
void sim_progress_start(sim_progress *steps, const kd_progress *progress, const char *stage, size_t total);
void sim_progress_step(sim_progress *steps); /* from any thread */

/* ---- within the making of one block ---- */

typedef struct {
    const sim_settings *s;
    kd_rng rng;
    uint16_t township;
    sim_person *people; /* sorted by day of birth, oldest first */
    size_t count, cap;
    sim_union *unions;
    size_t union_count, union_cap;
    uint32_t *latest_union, *first_union; /* per person, SIM_NONE */
    uint32_t *last_child;                 /* per woman */
    uint8_t *births;                      /* per woman */
    uint32_t *household_village;          /* per household, SIM_NONE before it is placed */
    size_t households;
    int32_t first_year; /* of birth */
    size_t years;
    uint32_t *year_start; /* first person born in year first_year + i; years + 1 entries */
} sim_maker;

KD_CHECKED kd_status sim_make_unions(sim_maker *m, kd_error *err);
KD_CHECKED kd_status sim_make_births(sim_maker *m, kd_error *err);
KD_CHECKED kd_status sim_make_households(sim_maker *m, kd_error *err);
void sim_make_names(sim_maker *m);
void sim_make_facts(sim_maker *m); /* marital status, education, registration, papers */

#endif
