/* One row of a file to the source records of the people it tells of. */
#include "exchange/convert.h"

#include <stdlib.h>
#include <string.h>

/* What the checks need to know of a record besides its columns. */
typedef struct {
    int8_t identity_sex;
    int8_t placeholder_sex;
    int32_t identity_day;
    bool is_dropped;
} record_facts;

typedef struct {
    const feed_job *job;
    feed_worker *worker;
    int64_t row;
    size_t record_count;
    kd_source_record records[FEED_ROLES_MAX];
    record_facts facts[FEED_ROLES_MAX];
    bool is_rejected;
} row_state;

static kd_status add_bad(row_state *state, uint32_t column, int reason, kd_error *err)
{
    feed_worker *worker = state->worker;
    if (worker->bad_count == worker->bad_cap) {
        size_t cap = worker->bad_cap ? worker->bad_cap * 2 : 256;
        bad_row *grown = realloc(worker->bad, cap * sizeof *grown);
        if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory for the list of bad rows");
        worker->bad = grown;
        worker->bad_cap = cap;
    }
    worker->bad[worker->bad_count++] = (bad_row){ .row = state->row, .column = column, .reason = (uint16_t)reason };
    return KD_OK;
}

static void fill_text(kd_str *to, kd_str text)
{
    if (to->len == 0) *to = text;
}

static void fill_day(int32_t *to, const feed_value *value)
{
    if (*to == KD_DAY_NONE) *to = (int32_t)value->number;
}

static void fill_name(kd_source_record *record, record_facts *facts, const feed_value *value)
{
    if (record->name.len || record->name_written.len) return;
    record->name = value->text;
    record->name_written = value->written;
    if (value->kind == KD_NAME_PLACEHOLDER) facts->placeholder_sex = value->sex;
}

static void fill_identity(kd_source_record *record, record_facts *facts, const feed_value *value)
{
    if (record->identity_number.len) return;
    record->identity_number = value->text;
    record->identity_kind = (int8_t)(value->kind == KD_IDENTITY_OK ? 0 : value->kind);
    facts->identity_sex = value->sex;
    facts->identity_day = value->day;
}

static void fill_birth(kd_source_record *record, const feed_value *value)
{
    if (record->birth_day != KD_DAY_NONE) return;
    record->birth_day = (int32_t)value->number;
    record->birth_kind = (int8_t)(value->kind == KD_DATE_DAY ? 0 : value->kind);
}

static void fill_area(int64_t *to, const feed_job *job, feed_worker *worker, const column_plan *plan,
                      const feed_value *value)
{
    if (*to) return;
    bool is_address = plan->column->type == FEED_ADDRESS;
    *to = is_address ? feed_address_division(job, worker, value->text, job->within) : value->number;
}

/* Where two columns fill one field, the first of the pack that has a value counts. */
static void fill(row_state *state, size_t at, feed_field field, const column_plan *plan, const feed_value *value)
{
    kd_source_record *record = &state->records[at];
    switch (field) {
    case FIELD_NAME: fill_name(record, &state->facts[at], value); return;
    case FIELD_SEX:
        if (record->sex < 0) record->sex = (int8_t)value->number;
        return;
    case FIELD_BIRTH_DAY: fill_birth(record, value); return;
    case FIELD_IDENTITY_NUMBER: fill_identity(record, &state->facts[at], value); return;
    case FIELD_PHONE: fill_text(&record->phone, value->text); return;
    case FIELD_DIVISION: fill_area(&record->division, state->job, state->worker, plan, value); return;
    case FIELD_ADDRESS: fill_text(&record->address, value->text); return;
    case FIELD_HUKOU_DIVISION: fill_area(&record->hukou_division, state->job, state->worker, plan, value); return;
    case FIELD_HOUSEHOLD_NO: fill_text(&record->household_no, value->text); return;
    case FIELD_HOUSEHOLD_RELATION: fill_text(&record->household_relation, value->text); return;
    case FIELD_ETHNICITY: fill_text(&record->ethnicity, value->text); return;
    case FIELD_MARITAL_STATUS: fill_text(&record->marital_status, value->text); return;
    case FIELD_EDUCATION: fill_text(&record->education, value->text); return;
    case FIELD_CERTIFICATE_NO: fill_text(&record->certificate_no, value->text); return;
    case FIELD_HANDBOOK_NO: fill_text(&record->handbook_no, value->text); return;
    case FIELD_BIRTH_ORDER:
        if (!record->birth_order) record->birth_order = (int16_t)value->number;
        return;
    case FIELD_STATUS: fill_text(&record->status, value->text); return;
    case FIELD_DEATH_DAY: fill_day(&record->death_day, value); return;
    case FIELD_EVENT_DAY: fill_day(&record->event_day, value); return;
    case FIELD_RECORDED_DAY: fill_day(&record->recorded_day, value); return;
    case FIELD_INSTITUTION: fill_text(&record->institution, value->text); return;
    default: return;
    }
}

static kd_status read_columns(row_state *state, kd_error *err)
{
    const feed_job *job = state->job;
    for (size_t i = 0; i < job->plan_count; i++) {
        const column_plan *plan = &job->plans[i];
        if (kd_column_is_null(plan->data, state->row)) continue;
        feed_value value;
        feed_value_read(job, state->worker, plan, kd_column_text(plan->data, state->row), &value);
        if (value.reason != REASON_NONE) KD_TRY(add_bad(state, plan->file_column, value.reason, err));
        if (value.is_empty) continue;
        for (size_t k = 0; k < plan->column->fill_count; k++) {
            const feed_target *target = &plan->column->fills[k];
            size_t from = target->record == EVERY_RECORD ? 0 : (size_t)target->record;
            size_t to = target->record == EVERY_RECORD ? state->record_count : from + 1;
            for (size_t at = from; at < to; at++) fill(state, at, target->field, plan, &value);
        }
    }
    return KD_OK;
}

/* An address may tell the place more exactly than the code beside it, but does not contradict it. */
static void derive(row_state *state)
{
    for (size_t i = 0; i < state->record_count; i++) {
        kd_source_record *record = &state->records[i];
        int8_t told = state->facts[i].placeholder_sex;
        if (told && record->sex != 1 && record->sex != 2) record->sex = told;
        if (record->address.len == 0) continue;
        int64_t within = record->division ? record->division : state->job->within;
        if (kd_division_at_level(record->division, KD_LEVEL_VILLAGE)) continue;
        int64_t code = feed_address_division(state->job, state->worker, record->address, within);
        if (!code) continue;
        if (!record->division || kd_division_within(code, record->division)) record->division = code;
    }
}

static bool field_is_empty(const kd_source_record *record, feed_field field)
{
    switch (field) {
    case FIELD_NAME: return record->name.len == 0 && record->name_written.len == 0;
    case FIELD_SEX: return record->sex < 0;
    case FIELD_BIRTH_DAY: return record->birth_day == KD_DAY_NONE;
    case FIELD_IDENTITY_NUMBER: return record->identity_number.len == 0;
    case FIELD_PHONE: return record->phone.len == 0;
    case FIELD_DIVISION: return record->division == 0;
    case FIELD_ADDRESS: return record->address.len == 0;
    case FIELD_HUKOU_DIVISION: return record->hukou_division == 0;
    case FIELD_HOUSEHOLD_NO: return record->household_no.len == 0;
    case FIELD_HOUSEHOLD_RELATION: return record->household_relation.len == 0;
    case FIELD_ETHNICITY: return record->ethnicity.len == 0;
    case FIELD_MARITAL_STATUS: return record->marital_status.len == 0;
    case FIELD_EDUCATION: return record->education.len == 0;
    case FIELD_CERTIFICATE_NO: return record->certificate_no.len == 0;
    case FIELD_HANDBOOK_NO: return record->handbook_no.len == 0;
    case FIELD_BIRTH_ORDER: return record->birth_order == 0;
    case FIELD_STATUS: return record->status.len == 0;
    case FIELD_DEATH_DAY: return record->death_day == KD_DAY_NONE;
    case FIELD_EVENT_DAY: return record->event_day == KD_DAY_NONE;
    case FIELD_RECORDED_DAY: return record->recorded_day == KD_DAY_NONE;
    case FIELD_INSTITUTION: return record->institution.len == 0;
    default: return true;
    }
}

static int32_t field_day(const kd_source_record *record, feed_field field)
{
    return field == FIELD_BIRTH_DAY   ? record->birth_day
           : field == FIELD_DEATH_DAY ? record->death_day
           : field == FIELD_EVENT_DAY ? record->event_day
                                      : record->recorded_day;
}

static bool targets_hold(const row_state *state, const feed_check *check)
{
    bool is_after = check->kind == CHECK_AFTER_TODAY;
    for (size_t i = 0; i < check->target_count; i++) {
        const feed_target *target = &check->targets[i];
        const kd_source_record *record = &state->records[target->record];
        if (check->kind == CHECK_EMPTY) {
            if (!field_is_empty(record, target->field)) return false;
            continue;
        }
        int32_t day = field_day(record, target->field);
        if (day != KD_DAY_NONE && (is_after ? day > state->job->today : day < check->day)) return true;
    }
    return check->kind == CHECK_EMPTY;
}

static bool check_holds(const row_state *state, const feed_check *check)
{
    const kd_source_record *record = &state->records[check->targets[0].record];
    const record_facts *facts = &state->facts[check->targets[0].record];
    switch (check->kind) {
    case CHECK_EMPTY:
    case CHECK_AFTER_TODAY:
    case CHECK_BEFORE: return targets_hold(state, check);
    case CHECK_IDENTITY_BAD:
        return record->identity_kind == KD_IDENTITY_BAD_CHECK || record->identity_kind == KD_IDENTITY_BAD_DATE ||
               record->identity_kind == KD_IDENTITY_BAD_SHAPE;
    case CHECK_SEX_DIFFERS:
        return facts->identity_sex && (record->sex == 1 || record->sex == 2) && record->sex != facts->identity_sex;
    case CHECK_BIRTH_DIFFERS:
        return facts->identity_day != KD_DAY_NONE && record->birth_day != KD_DAY_NONE && record->birth_kind == 0 &&
               record->birth_day != facts->identity_day;
    }
    return false;
}

static kd_status run_checks(row_state *state, kd_error *err)
{
    const kd_feed_pack *pack = state->job->pack;
    for (size_t i = 0; i < pack->check_count; i++) {
        const feed_check *check = &pack->checks[i];
        record_facts *facts = &state->facts[check->targets[0].record];
        if (facts->is_dropped || !check_holds(state, check)) continue;
        if (check->action == DO_DROP_RECORD) {
            facts->is_dropped = true;
            continue;
        }
        if (check->action == DO_REJECT) state->is_rejected = true;
        KD_TRY(add_bad(state, state->job->check_columns[i], REASONS + (int)i, err));
    }
    return KD_OK;
}

/* What columns shared by all people of the row say (an address, a day) makes nobody. */
static bool names_somebody(const kd_source_record *record)
{
    return record->name.len || record->name_written.len || record->identity_number.len || record->certificate_no.len ||
           record->handbook_no.len || record->birth_day != KD_DAY_NONE;
}

static kd_status convert_row(row_state *state, kd_error *err)
{
    static const kd_source_record nothing = { .sex = -1,
                                              .birth_day = KD_DAY_NONE,
                                              .death_day = KD_DAY_NONE,
                                              .event_day = KD_DAY_NONE,
                                              .recorded_day = KD_DAY_NONE };
    state->is_rejected = false;
    for (size_t i = 0; i < state->record_count; i++) {
        state->records[i] = nothing;
        state->records[i].role = state->job->pack->info.records[i];
        state->facts[i] = (record_facts){ .identity_day = KD_DAY_NONE };
    }
    KD_TRY(read_columns(state, err));
    derive(state);
    KD_TRY(run_checks(state, err));
    feed_worker *worker = state->worker;
    size_t before = worker->record_count;
    for (size_t i = 0; i < state->record_count && !state->is_rejected; i++) {
        if (state->facts[i].is_dropped || !names_somebody(&state->records[i])) continue;
        state->records[i].row_no = state->row;
        worker->records[worker->record_count++] = state->records[i];
    }
    if (!state->is_rejected && worker->record_count == before) {
        state->is_rejected = true;
        KD_TRY(add_bad(state, 0, REASON_NOBODY, err));
    }
    worker->rows_rejected += state->is_rejected;
    return KD_OK;
}

kd_status feed_convert_rows(const feed_job *job, feed_worker *worker, int64_t from, int64_t to, kd_error *err)
{
    row_state state = { .job = job, .worker = worker, .record_count = job->pack->info.record_count };
    worker->text_len = 0;
    worker->record_count = 0;
    worker->bad_count = 0;
    worker->rows_rejected = 0;
    for (state.row = from; state.row < to; state.row++) KD_TRY(convert_row(&state, err));
    return KD_OK;
}
