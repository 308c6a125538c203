/* Register, correct, undo: one transaction each, safe to send twice, the case's version guarding against two at once. */
#include "births.h"

#include <string.h>

enum { WORK_BYTES_MAX = 8 << 20, REASON_BYTES_MAX = 8000 };

typedef struct {
    kd_register *reg;
    const kd_births_pack *pack;
    const kd_case_actor *actor;
    kd_arena *arena;
    kd_birth birth;  /* as it shall be */
    birth_made made; /* its declared records, first the old, then the new */
    int32_t today;
    int64_t version;
    kd_declared declared[BIRTH_RECORDS_MAX];
    size_t declared_count;
    size_t mother_at, father_at; /* in declared; BIRTH_RECORDS_MAX: none */
    kd_error *err;
} work;

/* ---- what stops a registration ---- */

/* Fixed sentences, so that the catalogue of messages has them; the pack's say the same to who fills in the form. */
static const char *sentence(size_t kind)
{
    switch ((birth_remark_kind)kind) {
    case REMARK_NO_DATE: return kd_message("the date of birth is needed, if only about when");
    case REMARK_NO_PLACE: return kd_message("the place of birth is needed, if only in words");
    case REMARK_NO_DECLARANT: return kd_message("the name of an adult who declares the birth is needed");
    case REMARK_DAY_IN_FUTURE: return kd_message("the date of birth lies in the future");
    case REMARK_DAY_TOO_EARLY: return kd_message("the date of birth is too long ago");
    case REMARK_DEATH_IN_FUTURE: return kd_message("the date of death lies in the future");
    default: return kd_message("the date of death lies before the date of birth");
    }
}

static kd_status refuse_blocking(work *w)
{
    kd_birth_remark *remarks;
    size_t count;
    KD_TRY(kd_birth_review(w->reg, w->pack, &w->birth.declaration, w->today, w->arena, &remarks, &count, w->err));
    for (size_t i = 0; i < count; i++) {
        size_t kind = 0;
        if (!remarks[i].is_blocking) continue;
        while (!kd_str_eq(w->pack->remarks[kind].en, remarks[i].en)) kind++;
        return kd_fail(w->err, KD_INVALID, remarks[i].field.ptr, "%s", sentence(kind));
    }
    return KD_OK;
}

/* ---- who it is ---- */

/* The person that an id means now: itself, what it was merged into, or none when it was retired. */
static kd_status present_person(work *w, const char *field, int64_t id, int64_t *out_id)
{
    enum { MERGES_MAX = 16 };
    *out_id = 0;
    for (int step = 0; id && step < MERGES_MAX; step++) {
        kd_rows *rows;
        bool has_row = false;
        KD_TRY(kd_store_query(kd_register_store(w->reg), w->err, &rows,
                              "select state, merged_into from person where id = $1", KD_VALUES(kd_int(id))));
        kd_status status = kd_rows_next(rows, &has_row, w->err);
        bool is_active = status == KD_OK && has_row && kd_str_is(kd_rows_text(rows, 0), "active");
        int64_t next = status == KD_OK && has_row ? kd_rows_int(rows, 1) : 0;
        kd_rows_close(rows);
        if (status != KD_OK) return status;
        if (!has_row) return kd_fail(w->err, KD_INVALID, field, "there is no such person in the register");
        if (is_active) {
            *out_id = id;
            return KD_OK;
        }
        id = next;
    }
    return KD_OK;
}

/* The one active person with a right identity number; none when there are several. */
static kd_status person_of_identity(work *w, const kd_identity *identity, int64_t *out_id)
{
    kd_rows *rows;
    bool has_row = false;
    int64_t id = 0;
    size_t count = 0;
    *out_id = 0;
    if (identity->kind != KD_IDENTITY_OK && identity->kind != KD_IDENTITY_OLD) return KD_OK;
    KD_TRY(kd_store_query(kd_register_store(w->reg), w->err, &rows,
                          "select p.id from person_identifier i join person p on p.id = i.person_id where i.kind = "
                          "'identity_number' and i.value = $1 and p.state = 'active' limit 2",
                          KD_VALUES(kd_text_value(kd_str_of(identity->number)))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, w->err)) == KD_OK && has_row) {
        id = kd_rows_int(rows, 0);
        count++;
    }
    kd_rows_close(rows);
    if (status == KD_OK && count == 1) *out_id = id;
    return status;
}

/* ---- records as the counter's feed keeps them ---- */

static int64_t known_division(work *w, int64_t code)
{
    const kd_divisions *divisions;
    if (!code || kd_register_divisions(w->reg, &divisions, NULL) != KD_OK) return 0;
    return kd_divisions_find(divisions, code) ? code : 0;
}

static kd_status set_name(work *w, kd_source_record *record, kd_str raw)
{
    KD_TRY(birth_fold_name(w->reg, raw, w->arena, &record->name, w->err));
    if (raw.len && !kd_str_eq(raw, record->name)) record->name_written = raw;
    if (!record->name.len) record->name = (kd_str){ NULL, 0 };
    return KD_OK;
}

static kd_source_record empty_record(const work *w, kd_role role)
{
    return (kd_source_record){ .row_no = 1,
                               .role = role,
                               .sex = -1,
                               .birth_day = KD_DAY_NONE,
                               .death_day = KD_DAY_NONE,
                               .event_day = w->today,
                               .recorded_day = w->today };
}

/* About when is kept as the month: no source's full date should yield to it. */
static int8_t kind_of_day(kd_birth_precision precision)
{
    if (precision == KD_BIRTH_DAY_EXACT) return 0;
    return (int8_t)(precision == KD_BIRTH_DAY_YEAR ? KD_DATE_YEAR : KD_DATE_MONTH);
}

/* No two of a declaration are one person. */
static bool is_taken(const work *w, int64_t id)
{
    for (size_t i = 0; id && i < w->declared_count; i++)
        if (w->declared[i].person_id == id) return true;
    return false;
}

/* Where the child lives: as told; else with a mother from around here; else where it is registered, so that it is found there. */
static int64_t home_of(work *w)
{
    const kd_birth_declaration *d = &w->birth.declaration;
    int64_t told = known_division(w, d->residence_division), mother = known_division(w, d->mother.division);
    int64_t here = w->birth.division, township = kd_division_at_level(here, KD_LEVEL_TOWNSHIP);
    if (told) return told;
    return mother && kd_division_within(mother, township ? township : here) ? mother : known_division(w, here);
}

static kd_status add_child(work *w, size_t i)
{
    const kd_birth_declaration *d = &w->birth.declaration;
    const kd_birth_child *child = &d->children[i];
    kd_source_record record = empty_record(w, KD_ROLE_CHILD);
    KD_TRY(set_name(w, &record, child->name));
    if (child->sex) record.sex = (int8_t)child->sex;
    record.birth_day = d->birth_day;
    record.birth_kind = kind_of_day(d->precision);
    record.division = home_of(w);
    record.address = d->residence_address;
    record.certificate_no = child->certificate_no;
    record.handbook_no = w->birth.children[i].number;
    record.birth_order = (int16_t)child->birth_order;
    record.death_day = child->death_day;
    if (child->death_day != KD_DAY_NONE) record.status = KD_STR("dead");
    if (is_taken(w, w->birth.children[i].person_id))
        return kd_fail(w->err, KD_INVALID, "/same_as", "two of the children cannot be the same person");
    w->declared[w->declared_count++] =
        (kd_declared){ .record = record, .person_id = w->birth.children[i].person_id, .row = 1 };
    return KD_OK;
}

static kd_status add_parent(work *w, kd_role role, kd_birth_person *person, size_t *out_at)
{
    kd_identity identity;
    char phone[KD_PHONE_BYTES_MAX];
    const char *field = role == KD_ROLE_MOTHER ? "/mother/person_id" : "/father/person_id";
    kd_source_record record = empty_record(w, role);
    int64_t id;
    kd_identity_read(person->identity_number, &identity);
    KD_TRY(present_person(w, field, person->person_id, &id));
    if (!id) KD_TRY(person_of_identity(w, &identity, &id));
    if (is_taken(w, id)) id = 0; /* the same number was given for two: a remark, never a hindrance */
    if (!id && !person->name.len && identity.kind == KD_IDENTITY_EMPTY) return KD_OK; /* nobody is named */
    KD_TRY(set_name(w, &record, person->name));
    record.sex = (int8_t)(person->sex ? person->sex : role == KD_ROLE_MOTHER ? 2 : 1);
    record.birth_day = person->birth_day;
    record.identity_number = kd_arena_str(w->arena, kd_str_of(identity.number));
    record.identity_kind = (int8_t)(identity.kind == KD_IDENTITY_OK ? 0 : identity.kind);
    record.phone = kd_arena_str(w->arena, (kd_str){ phone, kd_phone_read(person->phone, phone) });
    record.division = known_division(w, person->division);
    if (!record.division && role == KD_ROLE_MOTHER) record.division = home_of(w);
    record.address = person->address;
    record.hukou_division = known_division(w, person->hukou_division);
    record.ethnicity = person->ethnicity;
    *out_at = w->declared_count;
    w->declared[w->declared_count++] = (kd_declared){ .record = record, .person_id = id, .row = 1 };
    return KD_OK;
}

/* Empty texts are no values. */
static void drop_empty(kd_source_record *record)
{
    kd_str *texts[] = { &record->identity_number, &record->phone,       &record->address, &record->ethnicity,
                        &record->certificate_no,  &record->handbook_no, &record->status };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!texts[i]->len) *texts[i] = (kd_str){ NULL, 0 };
}

static kd_status declare(work *w)
{
    kd_birth_declaration *d = &w->birth.declaration;
    int32_t source;
    w->declared_count = 0;
    w->mother_at = w->father_at = BIRTH_RECORDS_MAX;
    for (size_t i = 0; i < d->child_count; i++) KD_TRY(add_child(w, i));
    if (d->has_mother) KD_TRY(add_parent(w, KD_ROLE_MOTHER, &d->mother, &w->mother_at));
    if (d->has_father) KD_TRY(add_parent(w, KD_ROLE_FATHER, &d->father, &w->father_at));
    for (size_t i = 0; i < w->declared_count; i++) drop_empty(&w->declared[i].record);
    const kd_source_words words = { w->pack->feed_title.zh,    w->pack->feed_title.en, w->pack->feed_supplier.zh,
                                    w->pack->feed_supplier.en, w->pack->feed_event.zh, w->pack->feed_event.en };
    KD_TRY(kd_source_ensure(w->reg, w->pack->feed, &words, &source, w->err));
    KD_TRY(kd_register_declare(w->reg, w->pack->feed, w->declared, w->declared_count, w->actor->name, w->err));
    for (size_t i = 0; i < d->child_count; i++) w->birth.children[i].person_id = w->declared[i].person_id;
    if (w->mother_at < BIRTH_RECORDS_MAX) d->mother.person_id = w->declared[w->mother_at].person_id;
    if (w->father_at < BIRTH_RECORDS_MAX) d->father.person_id = w->declared[w->father_at].person_id;
    w->made.record_count = w->declared_count;
    for (size_t i = 0; i < w->declared_count; i++) w->made.records[i] = w->declared[i].record.id;
    return KD_OK;
}

/* ---- the case ---- */

static kd_status give_numbers(work *w)
{
    char number[BIRTH_NUMBER_BYTES];
    for (size_t i = 0; i < w->birth.declaration.child_count; i++) {
        if (w->birth.children[i].number.len) continue;
        KD_TRY(birth_number_next(w->reg, w->pack, w->birth.division, w->today, number, w->err));
        w->birth.children[i].number = kd_arena_str(w->arena, kd_str_of(number));
        if (!w->birth.children[i].number.ptr) return birth_no_memory(w->err);
    }
    return KD_OK;
}

static kd_status write_case(work *w, const char *state)
{
    kd_birth *birth = &w->birth;
    kd_buf facts;
    kd_str search;
    int64_t changed = 0;
    KD_TRY(birth_search_text(w->reg, birth, w->arena, &search, w->err));
    birth->changed_at = kd_now_us();
    birth->version = w->version + 1;
    birth->state = kd_str_of(state);
    kd_buf_init(&facts, BIRTH_FACTS_BYTES_MAX);
    kd_status status = birth_facts_write(birth, &w->made, &facts, w->err);
    if (status == KD_OK)
        status = kd_store_exec(kd_register_store(w->reg), w->err, &changed,
                               "update case_file set state = $3, number = $4, person_id = $5, facts = $6, search = $7, "
                               "event_day = $8, changed_at = $9, version = version + 1 where id = $1 and version = $2",
                               KD_VALUES(kd_int(birth->id), kd_int(w->version), kd_text_value(birth->state),
                                         kd_text_value(birth->children[0].number),
                                         birth->children[0].person_id ? kd_int(birth->children[0].person_id) : KD_NULL,
                                         kd_text_value(kd_buf_view(&facts)), kd_text_value(search),
                                         kd_day_value(birth->declaration.birth_day), kd_int(birth->changed_at)));
    kd_buf_done(&facts);
    if (status == KD_OK && !changed)
        status =
            kd_fail(w->err, KD_CONFLICT, "version", "the registration was changed by someone else in the meantime");
    return status;
}

static kd_status tell_offices(work *w, bool is_cancelled)
{
    int64_t made = 0;
    KD_TRY(birth_notify(w->reg, w->pack, &w->birth, is_cancelled, &made, w->err));
    if (!made) return KD_OK;
    birth_action action = { .case_id = w->birth.id, .kind = "notified", .status = "accepted" };
    return birth_action_add(w->reg, w->actor, &action, w->err);
}

static kd_status add_action(work *w, const char *kind, kd_str reason)
{
    birth_action action = { .case_id = w->birth.id, .kind = kind, .status = "accepted", .reason = reason };
    return birth_action_add(w->reg, w->actor, &action, w->err);
}

/* ---- register ---- */

static bool is_told_child(const work *w, size_t i, const birth_told *told, size_t told_count)
{
    const kd_birth_child *child = &w->birth.declaration.children[i];
    if (child->certificate_no.len && told->certificate_no.len)
        return kd_str_eq(child->certificate_no, told->certificate_no);
    if (told_count == 1 && w->birth.declaration.child_count == 1) return true;
    return child->birth_order && child->birth_order == told->birth_order;
}

static bool is_chosen(const work *w, int64_t person_id)
{
    for (size_t i = 0; i < KD_BIRTH_CHILDREN_MAX; i++)
        if (w->birth.children[i].person_id == person_id) return true;
    return false;
}

/* The children of the hospital's notice are the persons that its records are linked to, unless the clerk chose others. */
static kd_status take_told(work *w)
{
    birth_told told[KD_BIRTH_CHILDREN_MAX];
    size_t count;
    kd_status status =
        birth_told_children(w->reg, w->pack, w->birth.declaration.notice_record_id, w->arena, told, &count, w->err);
    if (status == KD_NOT_FOUND) return KD_OK; /* the notice is gone; the birth is registered all the same */
    KD_TRY(status);
    for (size_t i = 0; i < w->birth.declaration.child_count; i++)
        for (size_t k = 0; k < count && !w->birth.children[i].person_id; k++)
            if (is_told_child(w, i, &told[k], count) && !is_chosen(w, told[k].person_id))
                w->birth.children[i].person_id = told[k].person_id;
    return KD_OK;
}

static kd_status register_now(work *w, const int64_t *same_as)
{
    if (!kd_str_is(w->birth.state, "draft"))
        return kd_fail(w->err, KD_CONFLICT, "state", "the birth is registered already, or its draft was given up");
    if (w->birth.version != w->version)
        return kd_fail(w->err, KD_CONFLICT, "version", "the registration was changed by someone else in the meantime");
    KD_TRY(refuse_blocking(w));
    for (size_t i = 0; same_as && i < w->birth.declaration.child_count; i++)
        KD_TRY(present_person(w, "/same_as", same_as[i], &w->birth.children[i].person_id));
    if (w->birth.declaration.notice_record_id) KD_TRY(take_told(w));
    KD_TRY(give_numbers(w));
    KD_TRY(declare(w));
    KD_TRY(write_case(w, "registered"));
    KD_TRY(add_action(w, "registered", (kd_str){ NULL, 0 }));
    return tell_offices(w, false);
}

/* Done before by this transaction: `w->birth` is then what stands. */
static kd_status begin(work *w, int64_t id, const char *kind, bool *out_is_done)
{
    KD_TRY(birth_load(w->reg, id, w->arena, &w->birth, &w->made, w->err));
    return birth_action_is_done(w->reg, w->actor, id, kind, out_is_done, w->err);
}

kd_status kd_birth_register(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                            const int64_t same_as[KD_BIRTH_CHILDREN_MAX], const kd_case_actor *actor,
                            kd_birth *out_birth, kd_arena *arena, kd_error *err)
{
    work w = {
        .reg = reg, .pack = pack, .actor = actor, .arena = arena, .today = kd_today(), .version = version, .err = err
    };
    bool is_done = false;
    KD_TRY(kd_store_begin(kd_register_store(reg), err));
    kd_status status = begin(&w, id, "registered", &is_done);
    if (status == KD_OK && !is_done) status = register_now(&w, same_as);
    KD_TRY(kd_store_end(kd_register_store(reg), status, err));
    *out_birth = w.birth;
    return KD_OK;
}

/* ---- correct ---- */

static kd_status check_reason(kd_str reason, kd_error *err)
{
    if (!kd_str_trim(reason).len) return kd_fail(err, KD_INVALID, "/reason", "a reason is needed");
    if (reason.len > REASON_BYTES_MAX) return kd_fail(err, KD_INVALID, "/reason", "the reason is too long");
    return KD_OK;
}

static kd_status check_registered(const work *w)
{
    if (!kd_str_is(w->birth.state, "registered") && !kd_str_is(w->birth.state, "corrected"))
        return kd_fail(w->err, KD_CONFLICT, "state", "only a registered birth can be corrected");
    if (w->birth.version != w->version)
        return kd_fail(w->err, KD_CONFLICT, "version", "the registration was changed by someone else in the meantime");
    return KD_OK;
}

static kd_status correct_now(work *w, const kd_birth_declaration *declaration, kd_str reason)
{
    birth_made before = w->made;
    KD_TRY(check_registered(w));
    KD_TRY(birth_copy(declaration, w->arena, &w->birth.declaration, w->err));
    for (size_t i = w->birth.declaration.child_count; i < KD_BIRTH_CHILDREN_MAX; i++) {
        w->birth.children[i].person_id = 0;
        w->birth.children[i].number = (kd_str){ NULL, 0 };
    }
    KD_TRY(refuse_blocking(w));
    for (size_t i = 0; i < w->birth.declaration.child_count; i++)
        KD_TRY(present_person(w, "/children", w->birth.children[i].person_id, &w->birth.children[i].person_id));
    KD_TRY(give_numbers(w));
    KD_TRY(declare(w)); /* before the old records go, so that no person is without any between */
    KD_TRY(kd_register_withdraw(w->reg, before.records, before.record_count, w->actor->name, reason, w->err));
    KD_TRY(write_case(w, "corrected"));
    KD_TRY(add_action(w, "corrected", reason));
    return tell_offices(w, false);
}

kd_status kd_birth_correct(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version,
                           const kd_birth_declaration *declaration, kd_str reason, const kd_case_actor *actor,
                           kd_birth *out_birth, kd_arena *arena, kd_error *err)
{
    work w = {
        .reg = reg, .pack = pack, .actor = actor, .arena = arena, .today = kd_today(), .version = version, .err = err
    };
    bool is_done = false;
    KD_TRY(check_reason(reason, err));
    KD_TRY(kd_store_begin(kd_register_store(reg), err));
    kd_status status = begin(&w, id, "corrected", &is_done);
    if (status == KD_OK && !is_done) status = correct_now(&w, declaration, reason);
    KD_TRY(kd_store_end(kd_register_store(reg), status, err));
    *out_birth = w.birth;
    return KD_OK;
}

/* ---- undo ---- */

static kd_status cancel_now(work *w, kd_str reason)
{
    bool is_draft = kd_str_is(w->birth.state, "draft");
    if (kd_str_is(w->birth.state, "cancelled"))
        return kd_fail(w->err, KD_CONFLICT, "state", "the registration is undone already");
    if (w->birth.version != w->version)
        return kd_fail(w->err, KD_CONFLICT, "version", "the registration was changed by someone else in the meantime");
    if (w->made.record_count)
        KD_TRY(kd_register_withdraw(w->reg, w->made.records, w->made.record_count, w->actor->name, reason, w->err));
    w->made.record_count = 0;
    KD_TRY(write_case(w, "cancelled"));
    KD_TRY(add_action(w, "cancelled", reason));
    return is_draft ? KD_OK : tell_offices(w, true);
}

kd_status kd_birth_cancel(kd_register *reg, const kd_births_pack *pack, int64_t id, int64_t version, kd_str reason,
                          const kd_case_actor *actor, kd_error *err)
{
    work w = { .reg = reg, .pack = pack, .actor = actor, .today = kd_today(), .version = version, .err = err };
    bool is_done = false;
    KD_TRY(check_reason(reason, err));
    w.arena = kd_arena_new(WORK_BYTES_MAX);
    if (!w.arena) return birth_no_memory(err);
    kd_status status = kd_store_begin(kd_register_store(reg), err);
    if (status == KD_OK) {
        status = begin(&w, id, "cancelled", &is_done);
        if (status == KD_OK && !is_done) status = cancel_now(&w, reason);
        status = kd_store_end(kd_register_store(reg), status, err);
    }
    kd_arena_free(w.arena);
    return status;
}
