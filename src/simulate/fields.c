#include "rows.h"

#include <string.h>

enum { TEXT_BYTES = 512 };

/* One field being written, on the stack. */
typedef struct {
    char bytes[TEXT_BYTES];
    size_t len;
} field_text;

static void add(field_text *field, kd_str text)
{
    if (text.len > sizeof field->bytes - field->len) return;
    if (text.len) memcpy(field->bytes + field->len, text.ptr, text.len);
    field->len += text.len;
}

static void add_number(field_text *field, uint64_t value, size_t digits)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value || sizeof text - at < digits);
    add(field, (kd_str){ text + at, sizeof text - at });
}

static void add_day(field_text *field, sim_dates dates, int32_t day)
{
    if (day == KD_DAY_NONE) return;
    kd_ymd date = kd_day_to_ymd(day);
    static const struct {
        kd_str year, month, day;
        size_t digits;
    } spellings[] = {
        [DATES_COMPACT] = { { "", 0 }, { "", 0 }, { "", 0 }, 2 },
        [DATES_DASHES] = { { "-", 1 }, { "-", 1 }, { "", 0 }, 2 },
        [DATES_SLASHES] = { { "/", 1 }, { "/", 1 }, { "", 0 }, 1 },
        [DATES_DOTS] = { { ".", 1 }, { ".", 1 }, { "", 0 }, 1 },
        [DATES_CHINESE] = { { "年", 3 }, { "月", 3 }, { "日", 3 }, 1 },
    };
    add_number(field, (uint64_t)date.year, 4);
    add(field, spellings[dates].year);
    add_number(field, date.month, spellings[dates].digits);
    add(field, spellings[dates].month);
    add_number(field, date.day, spellings[dates].digits);
    add(field, spellings[dates].day);
}

static const char LEVEL_LETTERS[] = "pctv";

/* One {…} of a pattern: a level whole or cut short ({c}, {cs}), a number, a road, an estate. */
static void add_part(field_text *field, const sim_world *world, kd_str part, const sim_place *place, uint64_t hash)
{
    enum { HOUSES = 180, ROOMS = 1800 };
    const sim_settings *s = world->s;
    const char *level = part.len ? strchr(LEVEL_LETTERS, part.ptr[0]) : NULL;
    if (level && part.len <= 2) {
        const kd_str *names = part.len == 2 ? place->cut : place->whole;
        add(field, names[level - LEVEL_LETTERS]);
    } else if (kd_str_is(part, "n")) {
        add_number(field, hash % HOUSES + 1, 1);
    } else if (kd_str_is(part, "m")) {
        add_number(field, (hash >> 16) % ROOMS + 101, 1);
    } else if (kd_str_is(part, "r")) {
        add(field, s->roads.items[(hash >> 32) % s->roads.count]);
    } else if (kd_str_is(part, "e")) {
        add(field, s->estates.items[(hash >> 40) % s->estates.count]);
    }
}

static void add_pattern(field_text *field, const sim_world *world, kd_str pattern, uint32_t village, uint64_t hash)
{
    const sim_place *place = &world->places[village];
    for (size_t at = 0; at < pattern.len;) {
        size_t from = at;
        while (at < pattern.len && pattern.ptr[at] != '{') at++;
        add(field, kd_str_sub(pattern, from, at));
        if (at == pattern.len) break;
        size_t open = ++at;
        while (at < pattern.len && pattern.ptr[at] != '}') at++;
        add_part(field, world, kd_str_sub(pattern, open, at), place, hash);
        at++;
    }
}

static void add_address(field_text *field, sim_file *file, sim_row *row, const sim_actor *actor)
{
    const sim_settings *s = file->world->s;
    if (actor->address_absent) return;
    uint64_t hash = kd_hash_int(actor->person->household * UINT64_C(31) + actor->village);
    const sim_list *patterns = s->villages[actor->village].is_urban ? &s->address_urban : &s->address_rural;
    kd_str pattern = patterns->items[(hash >> 48) % patterns->count];
    if (actor->address_short) pattern = s->address_short.items[kd_rng_below(&row->rng, s->address_short.count)];
    add_pattern(field, file->world, pattern, actor->village, hash);
}

static void add_phone(field_text *field, sim_file *file, sim_row *row, const sim_actor *actor)
{
    enum { PHONE_DIGITS = 8, OLD = 7, SHARED = 3 };
    const sim_settings *s = file->world->s;
    if (actor->phone_absent) return;
    uint64_t key = actor->phone_shared ? (uint64_t)actor->person->household * 16 + SHARED : (uint64_t)actor->id * 16;
    uint64_t hash = kd_hash_int(kd_hash_int(file->world->seed) ^ (key + (actor->phone_old ? OLD : 0)));
    char text[24];
    field_text number = { .len = 0 };
    add(&number, s->phone_prefixes.items[(hash >> 40) % s->phone_prefixes.count]);
    add_number(&number, hash % 100000000, PHONE_DIGITS);
    size_t len = number.len < sizeof text ? number.len : sizeof text;
    memcpy(text, number.bytes, len);
    if (actor->phone_mistyped && len > 2) sim_mistype(&row->rng, text, &len);
    add(field, (kd_str){ text, len });
}

/* The same for one birth wherever it is written: series by year of birth, then province and a scattered number. */
static void add_certificate(field_text *field, sim_file *file, sim_row *row, const sim_actor *actor)
{
    enum { NUMBERS = 9000000, STRANGERS = 1000000, SCATTER = 7368787, DIGITS = 7 };
    const sim_settings *s = file->world->s;
    const sim_person *person = actor->person;
    if (!(person->flags & SIM_HAS_CERTIFICATE) || actor->certificate_absent) return;
    int32_t year = kd_day_to_ymd(person->birth_day).year;
    size_t series = 0;
    while (series + 1 < s->series_count && s->series_years[series + 1] <= year) series++;
    add(field, (kd_str){ &s->series_letters[series], 1 });
    field_text number = { .len = 0 };
    add(&number, s->certificate_prefix);
    uint64_t scattered = actor->index == SIM_NONE ? NUMBERS + (uint64_t)actor->id % STRANGERS
                                                  : (uint64_t)actor->index * SCATTER % NUMBERS;
    add_number(&number, scattered, DIGITS);
    if (actor->certificate_mistyped) sim_mistype(&row->rng, number.bytes, &number.len);
    add(field, (kd_str){ number.bytes, number.len });
}

static void add_handbook(field_text *field, const sim_file *file, const sim_row *row, const sim_actor *actor)
{
    enum { NUMBERS = 10000000, SCATTER = 7368787, DIGITS = 7 };
    if (actor->handbook_absent || row->pregnancy_mother == SIM_NONE) return;
    add_number(field, (uint64_t)(file->world->s->counties[file->county].code / 1000000), 6);
    add_number(field, (uint64_t)kd_day_to_ymd(row->pregnancy_day).year, 4);
    add_number(field, (uint64_t)row->pregnancy_mother * SCATTER % NUMBERS, DIGITS);
}

static void add_household_no(field_text *field, const sim_file *file, const sim_actor *actor)
{
    enum { NUMBERS = 1000000000, SCATTER = 7368787, DIGITS = 9, OF_PARENTS = 500000000 };
    const sim_person *person = actor->person;
    if (actor->household_no_absent) return;
    uint64_t number = person->household;
    bool is_apart = person->spouse != SIM_NONE && actor->index != SIM_NONE && person->sex == 2 &&
                    file->world->p->people[person->spouse].hukou != person->hukou;
    if (is_apart) number = OF_PARENTS + (uint64_t)actor->index; /* still registered with her parents */
    add_number(field, number * SCATTER % NUMBERS, DIGITS);
}

static void add_division(field_text *field, const sim_world *world, uint32_t village)
{
    add_number(field, (uint64_t)world->s->villages[village].code, 12);
}

static void add_full_name(field_text *field, const sim_world *world, uint32_t village)
{
    const sim_place *place = &world->places[village];
    add(field, world->s->province_name);
    for (int level = 0; level < 4; level++) add(field, place->whole[level]);
}

static void add_hukou(field_text *field, const sim_file *file, const sim_actor *actor, bool is_name)
{
    const sim_world *world = file->world;
    if (actor->person->hukou != SIM_OUTSIDE) {
        if (is_name)
            add_full_name(field, world, actor->person->hukou);
        else
            add_division(field, world, actor->person->hukou);
    } else if (!is_name) {
        add_number(field, (uint64_t)world->p->areas[actor->person->area] * 1000000, 12);
    }
}

static kd_str code_text(const sim_column *column, const sim_row *row, size_t code)
{
    return code < 100 ? column->codes->texts[row->has_old_codes][code] : (kd_str){ NULL, 0 };
}

static size_t status_of(const sim_row *row, const sim_actor *actor)
{
    if (actor->state == SIM_DEAD && row->knows_death) return STATUS_DEAD;
    return actor->state == SIM_AWAY ? STATUS_AWAY : actor->state == SIM_MIGRANT ? STATUS_MIGRANT : STATUS_LIVING;
}

static void add_birth_time(field_text *field, const sim_file *file, const sim_actor *actor, int32_t day)
{
    if (day == KD_DAY_NONE) return;
    uint64_t minute = kd_hash_int((uint64_t)actor->id) % 1440;
    add_day(field, file->feed->dates, day);
    add(field, KD_STR(" "));
    add_number(field, minute / 60, 2);
    add(field, KD_STR(":"));
    add_number(field, minute % 60, 2);
}

static void add_family_no(field_text *field, const sim_file *file, const sim_actor *actor)
{
    enum { FAMILIES = 1000000, DIGITS = 6 };
    if (actor->household_no_absent) return;
    uint32_t village = actor->person->home == SIM_OUTSIDE ? actor->village : actor->person->home;
    add_division(field, file->world, village);
    add_number(field, actor->person->household % FAMILIES, DIGITS);
}

static bool is_too_young(const sim_file *file, const sim_column *column, const sim_person *person)
{
    return column->empty_below_age &&
           kd_day_age_years(person->birth_day, file->world->s->as_of) < column->empty_below_age;
}

static void add_of_person(field_text *field, sim_file *file, sim_row *row, const sim_column *column)
{
    const sim_actor *actor = &row->actors[column->role];
    const sim_person *person = actor->person;
    const sim_dates dates = file->feed->dates;
    char buf[SIM_NAME_BYTES];
    if (is_too_young(file, column, person)) return;
    switch (column->value) {
    case VALUE_NAME: add(field, sim_written_name(file, row, column->role, buf)); break;
    case VALUE_SEX: add(field, code_text(column, row, actor->sex_wrong ? 3u - person->sex : person->sex)); break;
    case VALUE_BIRTH_DAY: add_day(field, dates, sim_written_birth_day(file, row, column->role)); break;
    case VALUE_BIRTH_TIME: add_birth_time(field, file, actor, sim_written_birth_day(file, row, column->role)); break;
    case VALUE_IDENTITY: add(field, sim_written_identity(file, row, column->role, buf)); break;
    case VALUE_PHONE: add_phone(field, file, row, actor); break;
    case VALUE_ADDRESS: add_address(field, file, row, actor); break;
    case VALUE_DIVISION_CODE: add_division(field, file->world, actor->village); break;
    case VALUE_DIVISION_NAME: add_full_name(field, file->world, actor->village); break;
    case VALUE_HOME_CODE:
        add_division(field, file->world, person->hukou == SIM_OUTSIDE ? actor->village : person->hukou);
        break;
    case VALUE_HUKOU_CODE: add_hukou(field, file, actor, false); break;
    case VALUE_HUKOU_NAME: add_hukou(field, file, actor, true); break;
    case VALUE_HOUSEHOLD_NO: add_household_no(field, file, actor); break;
    case VALUE_FAMILY_NO: add_family_no(field, file, actor); break;
    case VALUE_RELATION: add(field, code_text(column, row, person->relation)); break;
    case VALUE_ETHNICITY: add(field, code_text(column, row, person->ethnicity)); break;
    case VALUE_MARITAL: add(field, code_text(column, row, person->marital)); break;
    case VALUE_EDUCATION: add(field, code_text(column, row, person->education)); break;
    case VALUE_CERTIFICATE_NO: add_certificate(field, file, row, actor); break;
    case VALUE_HANDBOOK_NO: add_handbook(field, file, row, actor); break;
    case VALUE_BIRTH_ORDER:
        if (person->multiple) add_number(field, person->multiple, 1);
        break;
    case VALUE_STATUS: add(field, code_text(column, row, status_of(row, actor))); break;
    case VALUE_DEATH_DAY:
        if (row->knows_death && actor->state == SIM_DEAD) add_day(field, dates, person->death_day);
        break;
    default: break;
    }
}

static const sim_actor *first_actor(const sim_row *row)
{
    for (sim_role role = 0; role < SIM_GUARDIAN; role++)
        if (row->actors[role].person) return &row->actors[role];
    return NULL;
}

static void add_of_row(field_text *field, sim_file *file, sim_row *row, const sim_column *column)
{
    enum { PREGNANCY_DAYS = 280 };
    const sim_dates dates = file->feed->dates;
    const sim_actor *actor = first_actor(row);
    switch (column->value) {
    case VALUE_EVENT_DAY: add_day(field, dates, row->event_day); break;
    case VALUE_RECORDED_DAY: add_day(field, dates, row->recorded_day); break;
    case VALUE_PAST_DAY: add_day(field, dates, row->past_day); break;
    case VALUE_LAST_PERIOD_DAY: add_day(field, dates, row->event_day - PREGNANCY_DAYS); break;
    case VALUE_KIND: add(field, code_text(column, row, (size_t)row->kind)); break;
    case VALUE_SERIAL: {
        uint64_t limit = 1;
        for (int64_t i = 0; i < column->digits; i++) limit *= 10;
        add_number(field, row->serial % limit, (size_t)column->digits);
        break;
    }
    case VALUE_NUMBER:
        add_number(field, (uint64_t)column->from + kd_rng_below(&row->rng, (uint64_t)(column->to - column->from + 1)),
                   1);
        break;
    case VALUE_ANY:
        add_pattern(field, file->world, column->texts.items[row->serial % column->texts.count], actor->village,
                    row->serial);
        break;
    case VALUE_BY_AGE: {
        int64_t at = kd_day_age_years(actor->person->birth_day, file->world->s->as_of) - column->from;
        at = at < 0 ? 0 : at >= (int64_t)column->texts.count ? (int64_t)column->texts.count - 1 : at;
        add(field, column->texts.items[at]);
        break;
    }
    default: break;
    }
}

static kd_status write_truth(sim_file *file, const sim_row *row, kd_error *err)
{
    for (sim_role role = 0; role < SIM_GUARDIAN; role++) {
        const sim_actor *actor = &row->actors[role];
        if (!actor->person || !(file->feed->roles >> role & 1)) continue;
        field_text number = { .len = 0 }, person = { .len = 0 };
        add_number(&number, (uint64_t)file->rows, 1);
        add_number(&person, (uint64_t)actor->id, 1);
        sim_sink_field(file->truth, file->feed->name);
        sim_sink_field(file->truth, (kd_str){ number.bytes, number.len });
        sim_sink_field(file->truth, (kd_str){ person.bytes, person.len });
        sim_sink_field(file->truth, kd_str_of(sim_role_names[role]));
        sim_sink_field(file->truth, kd_str_of(file->file));
        KD_TRY(sim_sink_end_row(file->truth, err));
        file->mentions++;
    }
    return KD_OK;
}

kd_status sim_row_write(sim_file *file, sim_row *row, kd_error *err)
{
    sim_row_slips(file, row);
    file->rows++;
    for (size_t i = 0; i < file->feed->column_count; i++) {
        const sim_column *column = &file->feed->columns[i];
        field_text field;
        field.len = 0;
        if (column->value >= VALUE_EVENT_DAY)
            add_of_row(&field, file, row, column);
        else if (row->actors[column->role].person)
            add_of_person(&field, file, row, column);
        sim_sink_field(file->sink, (kd_str){ field.bytes, field.len });
    }
    KD_TRY(sim_sink_end_row(file->sink, err));
    return write_truth(file, row, err);
}
