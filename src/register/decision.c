/* What people decided, and a person's row brought up to it at once. */
#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERSON_BYTES_MAX = 64 << 20, SPELLING_BYTES = 256 };

static kd_value some_int(int64_t value)
{
    return value ? kd_int(value) : KD_NULL;
}

static kd_value some_text(kd_str text)
{
    return text.len ? kd_text_value(text) : KD_NULL;
}

kd_status kd_decision_add(kd_register *reg, const kd_decision *d, int64_t *out_id, kd_error *err)
{
    int64_t id = kd_register_next_id(reg);
    KD_TRY(kd_store_exec(kd_register_store(reg), err, NULL,
                         "insert into decision (id, kind, record_a, record_b, attribute, value, reason, decided_by, "
                         "decided_at, task_id, batch_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
                         "$11)",
                         KD_VALUES(kd_int(id), kd_text_value(kd_str_of(d->kind)), kd_int(d->record_a),
                                   some_int(d->record_b), some_text(d->attribute), some_text(d->value),
                                   some_text(d->reason), kd_text_value(d->by), kd_int(kd_now_us()),
                                   some_int(d->task_id), some_int(d->batch_id))));
    *out_id = id;
    return KD_OK;
}

kd_status kd_decision_join(kd_register *reg, const kd_decision *decision, int64_t person_a, int64_t person_b,
                           kd_arena *arena, int64_t *out_id, kd_error *err)
{
    const int64_t persons[] = { person_a, person_b };
    kd_decision tie = *decision;
    for (size_t p = 0; p < 2; p++) {
        int64_t living;
        kd_evidence evidence;
        KD_TRY(kd_person_living(reg, persons[p], &living, err));
        KD_TRY(kd_evidence_load(reg, living, arena, &evidence, err));
        for (size_t i = 0; i < evidence.count; i++) {
            tie.record_b = evidence.records[i].id;
            if (tie.record_b != tie.record_a) KD_TRY(kd_decision_add(reg, &tie, out_id, err));
        }
    }
    return KD_OK;
}

/* ---- the person's row ---- */

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    int64_t person_id, version;
    kd_str by;
    kd_str before[KD_ATTR_COUNT]; /* canonical texts; empty when there was none */
    kd_choice choices[KD_ATTR_COUNT];
    int64_t changed, records;
} refresh;

static kd_status read_before(refresh *r, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(r->reg), err, &rows,
                          "select name, sex, birth_day, death_day, identity_number, phone, division, address, "
                          "hukou_division, household_no, ethnicity, marital_status, education, birth_kind, version "
                          "from person where id = $1",
                          KD_VALUES(kd_int(r->person_id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    for (size_t a = 0; status == KD_OK && has_row && a < KD_ATTR_COUNT; a++) {
        char buf[24];
        kd_value_of value = { .is_there = !kd_rows_is_null(rows, a) };
        if (!value.is_there) continue;
        if (kd_attribute_kind_of((kd_attribute)a) == KD_ATTR_IS_TEXT) {
            value.text = kd_rows_text(rows, a);
        } else {
            value.number = kd_rows_int(rows, a);
        }
        if (a == KD_ATTR_BIRTH_DAY) value.quality = (int8_t)kd_rows_int(rows, KD_ATTR_COUNT);
        r->before[a] = kd_arena_str(r->arena, kd_value_text((kd_attribute)a, &value, buf));
    }
    if (status == KD_OK && has_row) r->version = kd_rows_int(rows, KD_ATTR_COUNT + 1);
    kd_rows_close(rows);
    return status;
}

static const kd_value_of *chosen(const refresh *r, kd_attribute attribute)
{
    static const kd_value_of nothing = { 0 };
    return r->choices[attribute].count ? &r->choices[attribute].values[0].value : &nothing;
}

static kd_value stored(const refresh *r, kd_attribute attribute)
{
    const kd_value_of *value = chosen(r, attribute);
    if (!value->is_there) return KD_NULL;
    return kd_attribute_kind_of(attribute) == KD_ATTR_IS_TEXT ? kd_text_value(value->text) : kd_int(value->number);
}

static kd_status tell_changes(refresh *r, kd_error *err)
{
    for (int a = 0; a < KD_ATTR_COUNT; a++) {
        char buf[24];
        kd_str now = kd_value_text((kd_attribute)a, chosen(r, (kd_attribute)a), buf);
        if (kd_str_eq(now, r->before[a])) continue;
        r->changed++;
        KD_TRY(kd_store_exec(kd_register_store(r->reg), err, NULL,
                             "insert into person_event (person_id, id, kind, at, attribute, old_value, new_value, "
                             "decided_by) values ($1, $2, 'value', $3, $4, $5, $6, $7)",
                             KD_VALUES(kd_int(r->person_id), kd_int(kd_register_next_id(r->reg)), kd_int(kd_now_us()),
                                       kd_text_value(kd_str_of(kd_attribute_name((kd_attribute)a))),
                                       some_text(r->before[a]), some_text(now), some_text(r->by))));
    }
    return KD_OK;
}

static kd_status write_row(refresh *r, kd_error *err)
{
    const kd_text *text;
    kd_name name;
    char pinyin[SPELLING_BYTES] = "", initials[SPELLING_BYTES] = "";
    size_t pinyin_len = 0, initials_len = 0;
    int64_t conflicts = 0;
    KD_TRY(kd_register_text(r->reg, &text, err));
    if (chosen(r, KD_ATTR_NAME)->is_there) {
        kd_name_read(text, chosen(r, KD_ATTR_NAME)->text, &name);
        pinyin_len = kd_name_pinyin(text, &name, pinyin, sizeof pinyin);
        initials_len = kd_name_initials(text, &name, initials, sizeof initials);
    }
    for (int a = 0; a < KD_ATTR_COUNT; a++) conflicts += r->choices[a].is_conflict;
    int8_t kind = chosen(r, KD_ATTR_BIRTH_DAY)->quality;
    return kd_store_exec(
        kd_register_store(r->reg), err, NULL,
        "update person set name = $2, name_pinyin = $3, name_initials = $4, sex = $5, birth_day = $6, birth_kind = $7, "
        "death_day = $8, identity_number = $9, phone = $10, division = $11, address = $12, hukou_division = $13, "
        "household_no = $14, ethnicity = $15, marital_status = $16, education = $17, conflicts = $18, version = $19, "
        "changed_at = $20, records = $21 where id = $1",
        KD_VALUES(kd_int(r->person_id), stored(r, KD_ATTR_NAME), some_text((kd_str){ pinyin, pinyin_len }),
                  some_text((kd_str){ initials, initials_len }), stored(r, KD_ATTR_SEX), stored(r, KD_ATTR_BIRTH_DAY),
                  kind ? kd_int(kind) : KD_NULL, stored(r, KD_ATTR_DEATH_DAY), stored(r, KD_ATTR_IDENTITY_NUMBER),
                  stored(r, KD_ATTR_PHONE), stored(r, KD_ATTR_DIVISION), stored(r, KD_ATTR_ADDRESS),
                  stored(r, KD_ATTR_HUKOU_DIVISION), stored(r, KD_ATTR_HOUSEHOLD_NO), stored(r, KD_ATTR_ETHNICITY),
                  stored(r, KD_ATTR_MARITAL_STATUS), stored(r, KD_ATTR_EDUCATION), kd_int(conflicts),
                  kd_int(r->version + 1), kd_int(kd_now_us()), kd_int(r->records)));
}

static kd_status refresh_in(refresh *r, const kd_packs *packs, kd_error *err)
{
    kd_evidence evidence;
    KD_TRY(read_before(r, err));
    KD_TRY(kd_evidence_load(r->reg, r->person_id, r->arena, &evidence, err));
    kd_evidence_choose(packs->rules, &evidence, r->choices);
    r->records = (int64_t)evidence.count;
    if (r->version) KD_TRY(tell_changes(r, err)); /* one made just now had no values to change */
    return write_row(r, err);
}

kd_status kd_person_refresh(kd_register *reg, const kd_packs *packs, int64_t person_id, kd_str by, int64_t *out_changed,
                            kd_error *err)
{
    refresh *r = calloc(1, sizeof *r);
    kd_arena *arena = kd_arena_new(PERSON_BYTES_MAX);
    kd_status status = KD_OK;
    if (r && arena) {
        r->reg = reg;
        r->arena = arena;
        r->person_id = person_id;
        r->by = by;
        status = refresh_in(r, packs, err);
        if (status == KD_OK) *out_changed = r->changed;
    } else {
        status = kd_fail(err, KD_LIMIT, "", "no memory for a person");
    }
    kd_arena_free(arena);
    free(r);
    return status;
}
