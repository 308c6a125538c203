#include "people.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const sim_settings *s;
    uint64_t seed;
    sim_block *blocks;
    const kd_progress *progress;
    sim_progress steps;
} making;

void sim_progress_start(sim_progress *steps, const kd_progress *progress, const char *stage, size_t total)
{
    *steps = (sim_progress){ .progress = progress, .stage = stage, .total = total, .caller = pthread_self() };
    kd_progress_report(progress, stage, 0, total);
}

void sim_progress_step(sim_progress *steps)
{
    size_t done = atomic_fetch_add(&steps->done, 1) + 1;
    if (pthread_equal(pthread_self(), steps->caller))
        kd_progress_report(steps->progress, steps->stage, done, steps->total);
}

static kd_status make_one(void *ctx, size_t item, kd_error *err)
{
    making *m = ctx;
    if (kd_progress_cancelled(m->progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    KD_TRY(sim_block_make(m->s, m->seed, (uint16_t)item, &m->blocks[item], err));
    sim_progress_step(&m->steps);
    return KD_OK;
}

static void move_references(sim_person *people, size_t count, uint32_t offset, uint32_t household_offset)
{
    for (size_t i = 0; i < count; i++) {
        sim_person *person = &people[i];
        if (person->mother != SIM_NONE) person->mother += offset;
        if (person->father != SIM_NONE) person->father += offset;
        if (person->spouse != SIM_NONE) person->spouse += offset;
        person->household += household_offset;
    }
}

static kd_status join_blocks(sim_block *blocks, size_t count, sim_population *out, kd_error *err)
{
    for (size_t i = 0; i < count; i++) {
        out->count += blocks[i].count;
        out->union_count += blocks[i].union_count;
    }
    if (out->count >= SIM_NONE) return kd_fail(err, KD_LIMIT, "persons", "too many people");
    out->people = malloc((out->count + 1) * sizeof *out->people);
    out->unions = malloc((out->union_count + 1) * sizeof *out->unions);
    if (!out->people || !out->unions) return kd_fail(err, KD_LIMIT, "", "no memory for %zu people", out->count);
    size_t at = 0, union_at = 0;
    for (size_t i = 0; i < count; i++) {
        sim_block *block = &blocks[i];
        move_references(block->people, block->count, (uint32_t)at, (uint32_t)out->households);
        if (block->count) memcpy(out->people + at, block->people, block->count * sizeof *out->people);
        for (size_t u = 0; u < block->union_count; u++) {
            out->unions[union_at] = block->unions[u];
            out->unions[union_at].husband += (uint32_t)at;
            out->unions[union_at++].wife += (uint32_t)at;
        }
        at += block->count;
        out->households += block->households;
        free(block->people);
        free(block->unions);
        *block = (sim_block){ 0 };
    }
    return KD_OK;
}

static kd_status list_areas(const sim_settings *s, sim_population *out, kd_error *err)
{
    out->area_count = s->old_code_count + s->county_count + s->outside_area_count + s->stranger_area_count;
    out->areas = malloc(out->area_count * sizeof *out->areas);
    if (!out->areas) return kd_fail(err, KD_LIMIT, "", "no memory for area codes");
    size_t at = 0;
    for (size_t i = 0; i < s->old_code_count; i++) out->areas[at++] = s->old_codes[i].code;
    for (size_t i = 0; i < s->county_count; i++) out->areas[at++] = (int32_t)(s->counties[i].code / 1000000);
    for (size_t i = 0; i < s->outside_area_count; i++) out->areas[at++] = s->outside_areas[i];
    for (size_t i = 0; i < s->stranger_area_count; i++) out->areas[at++] = s->stranger_areas[i];
    return KD_OK;
}

/*
 * Order codes in a scattered row for each area, day and sex, so that no number is given twice. 500 numbers a sex are what
 * the form has room for; no invented county comes near it.
 */
static kd_status number_everybody(sim_population *p, kd_error *err)
{
    enum { ORDER_CODES = 500, STEP = 167 };
    int32_t first = INT32_MAX, last = INT32_MIN;
    for (size_t i = 0; i < p->count; i++) {
        if (p->people[i].birth_day < first) first = p->people[i].birth_day;
        if (p->people[i].birth_day > last) last = p->people[i].birth_day;
    }
    if (!p->count) return KD_OK;
    size_t days = (size_t)(last - first) + 1;
    uint16_t *used = calloc(p->area_count * days * 2, sizeof *used);
    if (!used) return kd_fail(err, KD_LIMIT, "", "no memory to number the people");
    kd_status status = KD_OK;
    for (size_t i = 0; i < p->count && status == KD_OK; i++) {
        sim_person *person = &p->people[i];
        if (person->flags & SIM_IS_UNBORN) continue;
        size_t slot = (size_t)person->area * days + (size_t)(person->birth_day - first);
        uint16_t *count = &used[slot * 2 + person->sex - 1];
        if (*count == ORDER_CODES)
            status = kd_fail(err, KD_LIMIT, "persons", "more births on a day than identity numbers");
        uint64_t scattered = (kd_hash_int(slot) + (uint64_t)*count * STEP) % ORDER_CODES;
        person->number = (uint16_t)(scattered * 2 + (person->sex == 1));
        ++*count;
    }
    free(used);
    return status;
}

static kd_status make(making *m, unsigned threads, sim_population *out, kd_error *err)
{
    sim_progress_start(&m->steps, m->progress, "people", m->s->township_count);
    KD_TRY(kd_parallel(threads, m->s->township_count, make_one, m, err));
    KD_TRY(join_blocks(m->blocks, m->s->township_count, out, err));
    KD_TRY(list_areas(m->s, out, err));
    return number_everybody(out, err);
}

kd_status sim_population_make(const sim_settings *s, uint64_t seed, unsigned threads, const kd_progress *progress,
                              sim_population *out, kd_error *err)
{
    making m = { .s = s, .seed = seed, .blocks = calloc(s->township_count, sizeof(sim_block)), .progress = progress };
    if (!m.blocks) return kd_fail(err, KD_LIMIT, "", "no memory for the townships");
    sim_population made = { 0 };
    kd_status status = make(&m, threads, &made, err);
    for (size_t i = 0; i < s->township_count; i++) {
        free(m.blocks[i].people); // NOLINT(clang-analyzer-unix.Malloc): joining takes them and leaves NULL
        free(m.blocks[i].unions); // NOLINT(clang-analyzer-unix.Malloc)
    }
    free(m.blocks);
    if (status == KD_OK)
        *out = made;
    else
        sim_population_done(&made);
    return status;
}

void sim_population_done(sim_population *population)
{
    free(population->people);
    free(population->unions);
    free(population->areas);
    *population = (sim_population){ 0 };
}
