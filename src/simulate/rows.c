#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 64, WAITING_ROWS = 40, STRANGER_BANDS = 10, STRANGER_BAND_NUMBERS = 50 };

/* A copy to be written some rows later, as a department's double entries lie apart. */
typedef struct {
    sim_row row;
    int64_t due;
} waiting_row;

typedef struct {
    sim_file *file;
    waiting_row waiting[WAITING_MAX];
    size_t waiting_count;
} row_writer;

static sim_state state_of(const sim_person *person)
{
    if (person->flags & SIM_IS_UNBORN) return SIM_UNBORN;
    if (person->flags & SIM_IS_DEAD) return SIM_DEAD;
    if (person->flags & SIM_IS_AWAY) return SIM_AWAY;
    return person->home != person->hukou ? SIM_MIGRANT : SIM_LIVING;
}

static void cast(const sim_world *world, sim_row *row, sim_role role, uint32_t index)
{
    if (index == SIM_NONE) return;
    const sim_person *person = &world->p->people[index];
    sim_actor *actor = &row->actors[role];
    actor->person = person;
    actor->index = index;
    actor->id = (int64_t)index + 1;
    actor->state = state_of(person);
    actor->village = person->home == SIM_OUTSIDE ? person->hukou : person->home;
}

static double later(kd_rng *rng, double mean_days)
{
    return mean_days > 0 ? 1 - log(1 - kd_rng_unit(rng)) * mean_days : 0;
}

static bool is_covered(const sim_file *file, sim_row *row, const sim_actor *about)
{
    const sim_village *village = &file->world->s->villages[about->village];
    bool is_registered = file->feed->rows == ROWS_REGISTERED && about->person->hukou != SIM_OUTSIDE;
    sim_case asked = { .feed = file->feed->index,
                       .role = SIM_SUBJECT,
                       .state = (uint8_t)about->state,
                       .place =
                           is_registered ? file->world->s->villages[about->person->hukou].is_urban : village->is_urban,
                       .birth_day = about->person->birth_day,
                       .event_day = row->event_day };
    return sim_chance(&row->rng, sim_rules_rate(&file->feed->cover, &asked));
}

/* ---- what one row of each kind is; false: there is none ---- */

static bool person_row(const sim_file *file, sim_row *row, uint32_t index)
{
    enum { PAST_DAYS_MAX = 8000 };
    const sim_world *world = file->world;
    const sim_feed *feed = file->feed;
    const sim_person *person = &world->p->people[index];
    if (person->flags & SIM_IS_UNBORN) return false;
    cast(world, row, SIM_SUBJECT, index);
    cast(world, row, SIM_GUARDIAN, person->mother != SIM_NONE ? person->mother : person->father);
    int32_t as_of = world->s->as_of;
    int32_t known = person->birth_day + (int32_t)later(&row->rng, feed->delay_days);
    if (known > as_of || !is_covered(file, row, &row->actors[SIM_SUBJECT])) return false;
    row->recorded_day = as_of - (int32_t)(kd_rng_unit(&row->rng) * feed->updated_within_days);
    if (row->recorded_day < known) row->recorded_day = known;
    bool is_dead = person->death_day != KD_DAY_NONE;
    if (is_dead && person->death_day + (int32_t)later(&row->rng, feed->delay_days) > as_of)
        row->actors[SIM_SUBJECT].state = person->home == person->hukou ? SIM_LIVING : SIM_MIGRANT;
    else if (is_dead && row->recorded_day < person->death_day)
        row->recorded_day = person->death_day;
    int32_t room = row->recorded_day - person->birth_day;
    row->past_day = row->recorded_day -
                    (int32_t)kd_rng_below(&row->rng, (uint64_t)(room < PAST_DAYS_MAX ? room : PAST_DAYS_MAX) + 1);
    row->event_day = row->past_day;
    return true;
}

static void cast_birth(const sim_world *world, sim_row *row, uint32_t index)
{
    const sim_person *child = &world->p->people[index];
    cast(world, row, SIM_CHILD, index);
    cast(world, row, SIM_MOTHER, child->mother);
    cast(world, row, SIM_FATHER, child->father);
    row->pregnancy_mother = child->mother;
    row->pregnancy_day = child->birth_day;
}

static bool birth_row(const sim_file *file, sim_row *row, uint32_t index)
{
    const sim_world *world = file->world;
    const sim_person *child = &world->p->people[index];
    if (child->flags & SIM_IS_UNBORN || child->mother == SIM_NONE) return false;
    if (file->feed->needs_certificate && !(child->flags & SIM_HAS_CERTIFICATE)) return false;
    cast_birth(world, row, index);
    row->event_day = child->birth_day;
    row->recorded_day = child->birth_day + (int32_t)later(&row->rng, file->feed->delay_days);
    row->past_day = row->recorded_day;
    return row->recorded_day <= world->s->as_of && is_covered(file, row, &row->actors[SIM_CHILD]);
}

static bool pregnancy_row(const sim_file *file, sim_row *row, uint32_t index)
{
    enum { DUE_SPREAD_DAYS = 7, BOOKING_SPREAD_DAYS = 22 };
    const sim_world *world = file->world;
    const sim_person *child = &world->p->people[index];
    if (child->mother == SIM_NONE || child->multiple == 2) return false;
    cast_birth(world, row, index);
    row->event_day = child->birth_day + (int32_t)(kd_rng_normal(&row->rng) * DUE_SPREAD_DAYS);
    row->recorded_day =
        row->event_day + (int32_t)(file->feed->delay_days + kd_rng_normal(&row->rng) * BOOKING_SPREAD_DAYS);
    row->past_day = row->recorded_day;
    bool is_there = row->recorded_day <= world->s->as_of && is_covered(file, row, &row->actors[SIM_CHILD]);
    row->actors[SIM_CHILD].person = NULL;
    return is_there;
}

/* `index` counts unions twice: the wedding, then the divorce. */
static bool union_row(const sim_file *file, sim_row *row, uint32_t index)
{
    const sim_world *world = file->world;
    const sim_union *u = &world->p->unions[index / 2];
    bool is_divorce = index % 2;
    if (is_divorce && u->ended_day == KD_DAY_NONE) return false;
    cast(world, row, SIM_HUSBAND, u->husband);
    cast(world, row, SIM_WIFE, u->wife);
    row->event_day = is_divorce ? u->ended_day : u->married_day;
    row->recorded_day = row->event_day + (int32_t)later(&row->rng, file->feed->delay_days);
    row->past_day = row->recorded_day;
    row->kind = !is_divorce ? KIND_MARRIED : u->is_court ? KIND_COURT : KIND_DIVORCED;
    return row->recorded_day <= world->s->as_of && is_covered(file, row, &row->actors[SIM_HUSBAND]);
}

static bool make_row(const sim_file *file, uint32_t index, sim_row *row)
{
    const sim_world *world = file->world;
    memset(row, 0, sizeof *row);
    row->pregnancy_mother = SIM_NONE;
    row->serial = kd_hash_int(kd_hash_int(world->seed + file->feed->index) ^ index);
    kd_rng_init(&row->rng, row->serial);
    switch (file->feed->rows) {
    case ROWS_LIVING:
    case ROWS_REGISTERED: return person_row(file, row, index);
    case ROWS_BIRTHS: return birth_row(file, row, index);
    case ROWS_PREGNANCIES: return pregnancy_row(file, row, index);
    case ROWS_UNIONS: return union_row(file, row, index);
    }
    return false;
}

/* ---- strangers: people of elsewhere whose rows came here by mistake ---- */

/* An identity number that nobody else has: each file has an area and a band of order codes to itself. */
static kd_status number_stranger(sim_file *file, sim_person *person, kd_error *err)
{
    const sim_settings *s = file->world->s;
    size_t area = file->file_index % s->stranger_area_count, band = file->file_index / s->stranger_area_count;
    if (band >= STRANGER_BANDS) return kd_fail(err, KD_LIMIT, "", "too many files for the areas of strangers");
    uint64_t *count = NULL;
    for (;;) {
        uint64_t key = (uint64_t)(person->birth_day + 200000) * 2 + person->sex - 1;
        count = kd_map_put(file->stranger_numbers, key, NULL);
        if (!count) return kd_fail(err, KD_LIMIT, "", "no memory for strangers");
        if (*count < STRANGER_BAND_NUMBERS) break;
        person->birth_day--;
    }
    person->area = (uint16_t)(s->old_code_count + s->county_count + s->outside_area_count + area);
    person->number = (uint16_t)(band * STRANGER_BAND_NUMBERS * 2 + *count * 2 + (person->sex == 1));
    ++*count;
    return KD_OK;
}

static uint16_t village_elsewhere(const sim_file *file, kd_rng *rng)
{
    enum { TRIES = 60 };
    const sim_settings *s = file->world->s;
    uint16_t village = 0;
    for (int i = 0; i < TRIES; i++) {
        village = (uint16_t)kd_rng_below(rng, s->village_count);
        if (s->villages[village].county != file->county) break;
    }
    return village;
}

/* A row like the one before it, about other people of about the same ages. */
static kd_status stranger_row(sim_file *file, const sim_row *like, kd_error *err)
{
    enum { DAYS_APART = 40, FILE_STRANGERS = 10000000 };
    sim_row row = *like;
    sim_person people[SIM_ROLES];
    kd_rng_init(&row.rng, kd_hash_int(like->serial + 1));
    row.serial = kd_rng_next(&row.rng);
    row.pregnancy_mother = SIM_NONE;
    int32_t as_of = file->world->s->as_of;
    uint16_t village = village_elsewhere(file, &row.rng);
    uint32_t household = (uint32_t)kd_rng_below(&row.rng, 400000000);
    for (sim_role role = 0; role < SIM_ROLES; role++) {
        sim_actor *actor = &row.actors[role];
        if (!actor->person) continue;
        sim_person *person = &people[role];
        *person = *actor->person;
        person->birth_day -= (int32_t)kd_rng_below(&row.rng, DAYS_APART);
        if (person->birth_day > as_of) person->birth_day = as_of;
        person->mother = person->father = person->spouse = SIM_NONE;
        person->ethnicity = 1;
        person->household = household;
        person->home = village;
        person->hukou = SIM_OUTSIDE;
        memset(person->name, 0, sizeof person->name);
        sim_name_draw(file->world->s, &row.rng, person);
        KD_TRY(number_stranger(file, person, err));
        actor->person = person;
        actor->index = SIM_NONE;
        actor->id = (int64_t)file->world->p->count + (int64_t)file->file_index * FILE_STRANGERS + ++file->strangers;
        actor->village = village;
    }
    return sim_row_write(file, &row, err);
}

/* ---- the file ---- */

static kd_status write_due(row_writer *writer, bool all, kd_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < writer->waiting_count; i++) {
        waiting_row *waiting = &writer->waiting[i];
        if (all || waiting->due <= writer->file->rows)
            KD_TRY(sim_row_write(writer->file, &waiting->row, err));
        else
            writer->waiting[kept++] = *waiting;
    }
    writer->waiting_count = kept;
    return KD_OK;
}

static void wait(row_writer *writer, const sim_row *row, kd_rng *rng)
{
    if (writer->waiting_count == WAITING_MAX) return;
    waiting_row *waiting = &writer->waiting[writer->waiting_count++];
    waiting->row = *row;
    waiting->due = writer->file->rows + 1 + (int64_t)kd_rng_below(rng, WAITING_ROWS);
}

static double rate_of(const sim_file *file, const sim_row *row, sim_slip slip)
{
    sim_case asked = { .feed = file->feed->index, .event_day = row->event_day };
    const sim_rules *rules = &file->world->errors->slips[slip];
    for (sim_role role = 0; role < SIM_GUARDIAN; role++) {
        if (!row->actors[role].person) continue;
        asked.role = (uint8_t)role;
        asked.state = (uint8_t)row->actors[role].state;
        asked.birth_day = row->actors[role].person->birth_day;
        break;
    }
    return rules->count ? sim_rules_rate(rules, &asked) : 0;
}

static kd_status one_row(row_writer *writer, uint32_t index, kd_error *err)
{
    enum { ANOTHER_STREAM = 77 };
    sim_file *file = writer->file;
    sim_row row;
    if (!make_row(file, index, &row)) return KD_OK;
    kd_rng rng;
    kd_rng_init(&rng, kd_hash_int(row.serial + ANOTHER_STREAM));
    double exact = rate_of(file, &row, SLIP_DUPLICATE_EXACT), near = rate_of(file, &row, SLIP_DUPLICATE_NEAR);
    double drawn = kd_rng_unit(&rng);
    sim_row again = row; /* before its slips are drawn: the same stream gives the same bytes */
    KD_TRY(sim_row_write(file, &row, err));
    if (drawn < exact + near) {
        if (drawn >= exact) kd_rng_init(&again.rng, kd_rng_next(&rng));
        wait(writer, &again, &rng);
    }
    if (sim_chance(&rng, rate_of(file, &again, SLIP_STRANGER))) KD_TRY(stranger_row(file, &again, err));
    return writer->waiting_count ? write_due(writer, false, err) : KD_OK;
}

static kd_status write_rows(sim_file *file, kd_error *err)
{
    enum { CANCEL_EVERY = 4096 };
    const sim_world *world = file->world;
    row_writer writer = { .file = file };
    for (size_t i = 0; i < file->feed->column_count; i++) sim_sink_field(file->sink, file->feed->columns[i].header);
    KD_TRY(sim_sink_end_row(file->sink, err));
    bool is_union = file->feed->rows == ROWS_UNIONS, is_registered = file->feed->rows == ROWS_REGISTERED;
    const uint32_t *list = is_union ? world->wed : is_registered ? world->registered : world->living;
    const size_t *start = is_union ? world->wed_start : is_registered ? world->registered_start : world->living_start;
    for (size_t i = start[file->county]; i < start[file->county + 1]; i++) {
        if (i % CANCEL_EVERY == 0 && kd_progress_cancelled(world->progress))
            return kd_fail(err, KD_CANCELLED, "", "stopped");
        if (!is_union) {
            KD_TRY(one_row(&writer, list[i], err));
            continue;
        }
        KD_TRY(one_row(&writer, list[i] * 2, err));
        KD_TRY(one_row(&writer, list[i] * 2 + 1, err));
    }
    return write_due(&writer, true, err);
}

kd_status sim_file_write(sim_file *file, kd_error *err)
{
    const sim_world *world = file->world;
    for (int role = 0; role < SIM_ROLES; role++)
        for (int slip = 0; slip < SLIPS; slip++)
            sim_rules_narrow(&world->errors->slips[slip], file->feed->index, (uint8_t)role, &file->slips[role][slip]);
    file->stranger_numbers = kd_map_new(1024);
    if (!file->stranger_numbers) return kd_fail(err, KD_LIMIT, "", "no memory for strangers");
    int64_t truth_bytes = 0;
    kd_status status =
        sim_sink_open(file->path, file->feed->format, file->feed->delimiter, world->sinks, &file->sink, err);
    if (status == KD_OK) status = sim_sink_open(file->truth_path, FORMAT_UTF8, ',', world->sinks, &file->truth, err);
    if (status == KD_OK) status = write_rows(file, err);
    if (status == KD_OK) {
        sim_sink *sink = file->sink, *truth = file->truth;
        file->sink = file->truth = NULL;
        status = sim_sink_close(sink, &file->bytes, err);
        if (status == KD_OK)
            status = sim_sink_close(truth, &truth_bytes, err);
        else
            sim_sink_abandon(truth);
    }
    sim_sink_abandon(file->sink);
    sim_sink_abandon(file->truth);
    file->sink = file->truth = NULL;
    kd_map_free(file->stranger_numbers);
    file->stranger_numbers = NULL;
    return status;
}
