#include "rows.h"

#include <string.h>

enum { CHARS_MAX = 24 };

static sim_case case_of(const sim_file *file, const sim_row *row, sim_role role)
{
    const sim_actor *actor = &row->actors[role];
    const sim_village *village = &file->world->s->villages[actor->village];
    return (sim_case){ .feed = file->feed->index,
                       .role = (uint8_t)role,
                       .state = (uint8_t)actor->state,
                       .place = village->is_urban,
                       .birth_day = actor->person->birth_day,
                       .event_day = row->event_day };
}

static bool slips(sim_file *file, sim_row *row, sim_role role, const sim_case *asked, sim_slip slip)
{
    const sim_rules *rules = &file->slips[role][slip];
    return rules->count && sim_chance(&row->rng, sim_rules_rate(rules, asked));
}

/* At most one of a row of slips, each at its own rate. */
static sim_slip one_of(sim_file *file, sim_row *row, sim_role role, const sim_case *asked, const sim_slip *choices)
{
    double drawn = kd_rng_unit(&row->rng);
    for (; *choices != SLIPS; choices++) {
        drawn -= sim_rules_rate(&file->slips[role][*choices], asked);
        if (drawn < 0) return *choices;
    }
    return SLIPS;
}

static void actor_slips(sim_file *file, sim_row *row, sim_role role)
{
    static const sim_slip names[] = { SLIP_NAME_PLACEHOLDER,
                                      SLIP_NAME_HOMOPHONE,
                                      SLIP_NAME_LOOKALIKE,
                                      SLIP_NAME_CHAR_MISSING,
                                      SLIP_NAME_CHAR_ADDED,
                                      SLIP_SURNAME_CHANGED,
                                      SLIPS };
    static const sim_slip births[] = { SLIP_BIRTH_ABSENT, SLIP_BIRTH_DIGIT_OFF, SLIP_BIRTH_JANUARY_FIRST,
                                       SLIP_BIRTH_LUNAR, SLIPS };
    static const sim_slip identities[] = { SLIP_IDENTITY_ABSENT, SLIP_IDENTITY_MISTYPED, SLIP_IDENTITY_15_DIGITS,
                                           SLIPS };
    sim_actor *actor = &row->actors[role];
    sim_case asked = case_of(file, row, role);
    actor->name = one_of(file, row, role, &asked, names);
    actor->birth = one_of(file, row, role, &asked, births);
    actor->identity = one_of(file, row, role, &asked, identities);
    actor->sex_wrong = slips(file, row, role, &asked, SLIP_SEX_WRONG);
    actor->phone_shared = slips(file, row, role, &asked, SLIP_PHONE_SHARED);
    actor->phone_absent = slips(file, row, role, &asked, SLIP_PHONE_ABSENT);
    actor->phone_old = slips(file, row, role, &asked, SLIP_PHONE_OLD);
    actor->phone_mistyped = slips(file, row, role, &asked, SLIP_PHONE_MISTYPED);
    actor->address_short = slips(file, row, role, &asked, SLIP_ADDRESS_SHORT);
    actor->address_absent = slips(file, row, role, &asked, SLIP_ADDRESS_ABSENT);
    actor->certificate_absent = slips(file, row, role, &asked, SLIP_CERTIFICATE_ABSENT);
    actor->certificate_mistyped = slips(file, row, role, &asked, SLIP_CERTIFICATE_MISTYPED);
    actor->handbook_absent = slips(file, row, role, &asked, SLIP_HANDBOOK_ABSENT);
    actor->household_no_absent = slips(file, row, role, &asked, SLIP_HOUSEHOLD_NO_ABSENT);
    if (actor->person->flags & SIM_IS_MOVED && actor->index != SIM_NONE &&
        slips(file, row, role, &asked, SLIP_RESIDENCE_OLD))
        actor->village = actor->person->past;
}

void sim_row_slips(sim_file *file, sim_row *row)
{
    sim_actor *mother = &row->actors[SIM_MOTHER], *father = &row->actors[SIM_FATHER];
    if (father->person) {
        sim_case asked = case_of(file, row, SIM_FATHER);
        if (slips(file, row, SIM_FATHER, &asked, SLIP_FATHER_ABSENT)) father->person = NULL;
    }
    if (father->person && mother->person) {
        sim_case asked = case_of(file, row, SIM_MOTHER);
        if (slips(file, row, SIM_MOTHER, &asked, SLIP_PARENTS_SWAPPED)) {
            sim_actor swapped = *mother;
            *mother = *father;
            *father = swapped;
        }
    }
    bool is_first = true;
    for (sim_role role = 0; role < SIM_GUARDIAN; role++) {
        if (!row->actors[role].person || !(file->feed->roles >> role & 1)) continue;
        actor_slips(file, row, role);
        if (!is_first) continue;
        is_first = false;
        sim_case asked = case_of(file, row, role);
        row->has_old_codes = slips(file, row, role, &asked, SLIP_CODE_OLD);
        row->knows_death = !slips(file, row, role, &asked, SLIP_DEATH_UNKNOWN);
    }
}

/* ---- names ---- */

typedef struct {
    uint16_t chars[CHARS_MAX];
    size_t count, surname_count;
} loose_name;

static kd_str encode(const loose_name *name, char buf[SIM_NAME_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < name->count; i++) len += kd_utf8_encode(name->chars[i], buf + len);
    return (kd_str){ buf, len };
}

static void load_part(loose_name *name, kd_str text)
{
    size_t at = 0;
    while (at < text.len && name->count < CHARS_MAX) name->chars[name->count++] = (uint16_t)kd_utf8_next(text, &at);
}

static void load_name(const sim_settings *s, const sim_person *person, loose_name *out)
{
    *out = (loose_name){ .surname_count = person->surname_count };
    if (person->surname_count) {
        while (out->count < SIM_NAME_CHARS && person->name[out->count]) {
            out->chars[out->count] = person->name[out->count];
            out->count++;
        }
        return;
    }
    for (size_t i = 0; i < s->ethnicity_count; i++) {
        const sim_ethnicity *ethnicity = &s->ethnicities[i];
        if (ethnicity->code != person->ethnicity || !ethnicity->second.count) continue;
        const sim_list *first = person->sex == 1 ? &ethnicity->male : &ethnicity->female;
        load_part(out, first->items[person->name[1] % first->count]);
        if (out->count < CHARS_MAX) out->chars[out->count++] = 0x00B7;
        load_part(out, ethnicity->second.items[person->name[2] % ethnicity->second.count]);
    }
}

/* Another character for one of those that have any in `table`; false when none has. */
static bool replace_char(kd_rng *rng, const uint16_t *const *table, loose_name *name)
{
    size_t start = (size_t)kd_rng_below(rng, name->count);
    for (size_t i = 0; i < name->count; i++) {
        size_t at = (start + i) % name->count;
        const uint16_t *others = table[name->chars[at]];
        size_t count = 0;
        while (others[count]) count++;
        if (!count) continue;
        name->chars[at] = others[kd_rng_below(rng, count)];
        return true;
    }
    return false;
}

static void add_char(sim_file *file, sim_row *row, loose_name *name)
{
    const sim_settings *s = file->world->s;
    if (name->count == CHARS_MAX) return;
    size_t at = name->surname_count + (size_t)kd_rng_below(&row->rng, name->count - name->surname_count + 1);
    memmove(name->chars + at + 1, name->chars + at, (name->count - at) * sizeof name->chars[0]);
    const sim_name_table *table = &s->name_tables[0][SIM_DECADES / 2];
    name->chars[at] = s->chars[sim_weights_draw(&table->second, &row->rng)].code_point;
    name->count++;
}

static void drop_char(sim_file *file, sim_row *row, loose_name *name)
{
    size_t given = name->count - name->surname_count;
    if (given < 2) {
        add_char(file, row, name);
        return;
    }
    size_t at = name->surname_count + (size_t)kd_rng_below(&row->rng, given);
    memmove(name->chars + at, name->chars + at + 1, (name->count - at - 1) * sizeof name->chars[0]);
    name->count--;
}

static bool has_surname_of(const loose_name *name, const loose_name *other)
{
    return name->surname_count == other->surname_count &&
           memcmp(name->chars, other->chars, name->surname_count * sizeof name->chars[0]) == 0;
}

/* The other parent's surname, or for those whose parents are not known a wholly different one. */
static void change_surname(sim_file *file, sim_row *row, const sim_actor *actor, loose_name *name)
{
    const sim_settings *s = file->world->s;
    loose_name other = { 0 };
    uint32_t parents[2] = { actor->person->mother, actor->person->father };
    bool is_found = false;
    for (int i = 0; i < 2 && !is_found; i++) {
        if (parents[i] == SIM_NONE) continue;
        load_name(s, &file->world->p->people[parents[i]], &other);
        is_found = other.surname_count && !has_surname_of(name, &other);
    }
    enum { TRIES = 8 };
    for (int i = 0; i < TRIES && !is_found; i++) {
        const sim_surname *surname = &s->surnames[sim_weights_draw(&s->surname_weights, &row->rng)];
        other = (loose_name){ .surname_count = surname->count };
        memcpy(other.chars, surname->chars, surname->count * sizeof other.chars[0]);
        is_found = !has_surname_of(name, &other);
    }
    size_t given = name->count - name->surname_count;
    if (!is_found || other.surname_count + given > CHARS_MAX) return;
    memmove(name->chars + other.surname_count, name->chars + name->surname_count, given * sizeof name->chars[0]);
    memcpy(name->chars, other.chars, other.surname_count * sizeof name->chars[0]);
    name->surname_count = other.surname_count;
    name->count = other.surname_count + given;
}

/* 王秀英之子: the pattern with the mother's name in it. */
static bool placeholder(sim_file *file, sim_row *row, const sim_actor *child, char buf[SIM_NAME_BYTES], kd_str *out)
{
    const sim_actor *mother = &row->actors[SIM_MOTHER];
    if (!mother->person) return false;
    const sim_list *patterns = &file->world->errors->placeholders[child->person->sex == 2];
    kd_str pattern = patterns->items[kd_rng_below(&row->rng, patterns->count)];
    ptrdiff_t at = kd_str_find(pattern, KD_STR("{mother}"));
    if (at < 0) return false;
    loose_name name;
    load_name(file->world->s, mother->person, &name);
    char mother_buf[SIM_NAME_BYTES];
    kd_str text = encode(&name, mother_buf), tail = kd_str_sub(pattern, (size_t)at + 8, pattern.len);
    if ((size_t)at + text.len + tail.len > SIM_NAME_BYTES) return false;
    memcpy(buf, pattern.ptr, (size_t)at);
    memcpy(buf + at, text.ptr, text.len);
    memcpy(buf + at + text.len, tail.ptr, tail.len);
    *out = (kd_str){ buf, (size_t)at + text.len + tail.len };
    return true;
}

kd_str sim_written_name(sim_file *file, sim_row *row, sim_role role, char buf[SIM_NAME_BYTES])
{
    const sim_settings *s = file->world->s;
    const sim_actor *actor = &row->actors[role];
    kd_str text;
    if (actor->name == SLIP_NAME_PLACEHOLDER && placeholder(file, row, actor, buf, &text)) return text;
    loose_name name;
    load_name(s, actor->person, &name);
    switch (actor->name) {
    case SLIP_NAME_HOMOPHONE:
        if (!replace_char(&row->rng, s->homophones, &name)) add_char(file, row, &name);
        break;
    case SLIP_NAME_LOOKALIKE:
        if (!replace_char(&row->rng, s->lookalikes, &name)) add_char(file, row, &name);
        break;
    case SLIP_NAME_CHAR_MISSING: drop_char(file, row, &name); break;
    case SLIP_NAME_CHAR_ADDED: add_char(file, row, &name); break;
    case SLIP_SURNAME_CHANGED: change_surname(file, row, actor, &name); break;
    default: break;
    }
    return encode(&name, buf);
}

/* ---- identity numbers ---- */

static void put_digits(char *to, uint64_t value, size_t digits)
{
    for (size_t i = digits; i-- > 0; value /= 10) to[i] = (char)('0' + value % 10);
}

void sim_mistype(kd_rng *rng, char *digits, size_t *len)
{
    uint64_t kind = kd_rng_below(rng, 10);
    size_t at = (size_t)kd_rng_below(rng, *len - 1);
    if (kind == 0) { /* a digit left out */
        memmove(digits + at, digits + at + 1, *len - at - 1);
        --*len;
    } else if (kind < 4 && digits[at] != digits[at + 1]) { /* two changed places */
        char kept = digits[at];
        digits[at] = digits[at + 1];
        digits[at + 1] = kept;
    } else {
        char old = digits[at];
        do digits[at] = (char)('0' + kd_rng_below(rng, 10));
        while (digits[at] == old);
    }
}

kd_str sim_written_identity(sim_file *file, sim_row *row, sim_role role, char buf[24])
{
    const sim_actor *actor = &row->actors[role];
    const sim_person *person = actor->person;
    if (actor->identity == SLIP_IDENTITY_ABSENT) return (kd_str){ buf, 0 };
    kd_ymd birth = kd_day_to_ymd(person->birth_day);
    put_digits(buf, (uint64_t)file->world->p->areas[person->area], 6);
    put_digits(buf + 6, (uint64_t)birth.year * 10000 + birth.month * 100u + birth.day, 8);
    put_digits(buf + 14, person->number, 3);
    buf[17] = kd_identity_check(buf);
    size_t len = 18;
    if (actor->identity == SLIP_IDENTITY_15_DIGITS) {
        memmove(buf + 6, buf + 8, 9);
        len = 15;
    } else if (actor->identity == SLIP_IDENTITY_MISTYPED) {
        sim_mistype(&row->rng, buf, &len);
    }
    return (kd_str){ buf, len };
}

/* ---- days of birth ---- */

static int32_t digit_off(sim_file *file, sim_row *row, int32_t day)
{
    enum { TRIES = 40, FIRST_DIGIT = 2, DIGITS = 8 }; /* the century is never mistaken */
    kd_ymd date = kd_day_to_ymd(day);
    char right[DIGITS];
    put_digits(right, (uint64_t)date.year * 10000 + date.month * 100u + date.day, DIGITS);
    for (int i = 0; i < TRIES; i++) {
        char text[DIGITS];
        memcpy(text, right, DIGITS);
        size_t at = FIRST_DIGIT + (size_t)kd_rng_below(&row->rng, DIGITS - FIRST_DIGIT);
        text[at] = (char)('0' + kd_rng_below(&row->rng, 10));
        int64_t value;
        if (text[at] == right[at] || !kd_str_int((kd_str){ text, DIGITS }, &value)) continue;
        kd_ymd wrong = { (int32_t)(value / 10000), (uint8_t)(value / 100 % 100), (uint8_t)(value % 100) };
        int32_t found = kd_day_from_ymd(wrong);
        if (found != KD_DAY_NONE && found <= file->world->s->as_of) return found;
    }
    return day;
}

static int32_t as_lunar(const sim_file *file, int32_t day)
{
    int32_t year;
    int month, lunar_day;
    bool is_leap;
    if (!kd_day_to_lunar(file->world->text, day, &year, &month, &is_leap, &lunar_day)) return day;
    int32_t found = kd_day_from_ymd((kd_ymd){ year, (uint8_t)month, (uint8_t)lunar_day });
    return found == KD_DAY_NONE ? day : found; /* 30 February would have been noticed */
}

int32_t sim_written_birth_day(sim_file *file, sim_row *row, sim_role role)
{
    const sim_actor *actor = &row->actors[role];
    int32_t day = actor->person->birth_day;
    switch (actor->birth) {
    case SLIP_BIRTH_ABSENT: return KD_DAY_NONE;
    case SLIP_BIRTH_DIGIT_OFF: return digit_off(file, row, day);
    case SLIP_BIRTH_JANUARY_FIRST: return kd_day_from_ymd((kd_ymd){ kd_day_to_ymd(day).year, 1, 1 });
    case SLIP_BIRTH_LUNAR: return as_lunar(file, day);
    default: return day;
    }
}
