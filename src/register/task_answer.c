/* What an answer to a task does, and how it is taken back. */
#include "task.h"

#include <string.h>

enum { ANSWER_BYTES_MAX = 128 << 20, NAME_BYTES_MAX = 64, NOTE_BYTES_MAX = 2000 };

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    kd_packs packs;
    kd_task task;
    const kd_answer *answer;
    kd_answer_result result;
} answering;

static const char *word_of(kd_said said)
{
    switch (said) {
    case KD_SAID_VALUE: return "value";
    case KD_SAID_SAME: return "same";
    case KD_SAID_DIFFERENT: return "different";
    case KD_SAID_CONFIRMED: return "confirmed";
    case KD_SAID_NOT_SO: return "not_so";
    case KD_SAID_UNKNOWN: return "unknown";
    }
    return "unknown";
}

/* ---- does the answer fit ---- */

static kd_status check_form(kd_answer_form form, kd_said said, kd_error *err)
{
    bool fits = said == KD_SAID_UNKNOWN || (form == KD_ANSWER_VALUE && said == KD_SAID_VALUE) ||
                (form == KD_ANSWER_SAME && (said == KD_SAID_SAME || said == KD_SAID_DIFFERENT)) ||
                (form == KD_ANSWER_CONFIRMED && (said == KD_SAID_CONFIRMED || said == KD_SAID_NOT_SO));
    if (fits) return KD_OK;
    kd_fail(err, KD_INVALID, "answer", "this is no answer to a task of this kind");
    kd_hint(err, form == KD_ANSWER_VALUE  ? "give the right value with --value, or --unknown"
                 : form == KD_ANSWER_SAME ? "say --same, --different or --unknown"
                                          : "say --confirmed, --not-so or --unknown");
    return KD_INVALID;
}

static kd_status check_text(kd_str text, size_t bytes_max, bool is_needed, const char *field, kd_error *err)
{
    if (is_needed && !kd_str_trim(text).len) {
        kd_fail(err, KD_INVALID, field, "is missing");
        kd_hint(err, "an answer bears the name of the person who gives it");
        return KD_INVALID;
    }
    if (text.len > bytes_max) return kd_fail(err, KD_INVALID, field, "is longer than %zu bytes", bytes_max);
    return kd_utf8_is_valid(text) ? KD_OK : kd_fail(err, KD_INVALID, field, "is not UTF-8 text");
}

static kd_status read_day(answering *a, const kd_text *text, kd_str *out, kd_error *err)
{
    kd_date date;
    char buf[16];
    kd_date_read(text, a->answer->value, &date);
    if (date.kind != KD_DATE_DAY) {
        kd_fail(err, KD_INVALID, "value", "this is not a whole date");
        kd_hint(err, "write it as 2020-01-05; a lunar date as 农历二〇二〇年腊月初八");
        return KD_INVALID;
    }
    if (date.day > kd_today()) return kd_fail(err, KD_INVALID, "value", "this day lies in the future");
    *out = kd_arena_str(a->arena, kd_str_of(kd_day_format(date.day, buf)));
    return KD_OK;
}

static kd_status read_name(answering *a, const kd_text *text, kd_str *out, kd_error *err)
{
    kd_name name;
    char buf[KD_NAME_BYTES_MAX];
    kd_name_read(text, a->answer->value, &name);
    if (name.kind != KD_NAME_PERSON) return kd_fail(err, KD_INVALID, "value", "this is not the name of a person");
    *out = kd_arena_str(a->arena, (kd_str){ buf, kd_name_format(&name, buf) });
    return KD_OK;
}

static kd_status read_identity(answering *a, kd_str *out, kd_error *err)
{
    kd_identity identity;
    kd_identity_read(a->answer->value, &identity);
    if (identity.kind != KD_IDENTITY_OK && identity.kind != KD_IDENTITY_OLD)
        return kd_fail(err, KD_INVALID, "value",
                       identity.kind == KD_IDENTITY_BAD_CHECK
                           ? "the check character of this number is wrong: a digit is mistyped"
                           : "this is not an identity number of 18 or 15 characters with a real date");
    *out = kd_arena_str(a->arena, kd_str_of(identity.number));
    return KD_OK;
}

static kd_status read_sex(answering *a, kd_str *out, kd_error *err)
{
    static const struct {
        const char *word, *code;
    } words[] = { { "1", "1" },    { "2", "2" },      { "男", "1" }, { "女", "2" },
                  { "male", "1" }, { "female", "2" }, { "m", "1" },  { "f", "2" } };
    kd_str said = kd_str_trim(a->answer->value);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!kd_str_is(said, words[i].word)) continue;
        *out = kd_str_of(words[i].code);
        return KD_OK;
    }
    return kd_fail(err, KD_INVALID, "value", "male or female (男, 女) is expected");
}

/* The canonical text of what was said, or a refusal that does not repeat it. */
static kd_status read_value(answering *a, kd_attribute attribute, kd_str *out, kd_error *err)
{
    const kd_text *text;
    KD_TRY(kd_register_text(a->reg, &text, err));
    kd_status status = KD_OK;
    switch (attribute) {
    case KD_ATTR_BIRTH_DAY:
    case KD_ATTR_DEATH_DAY: status = read_day(a, text, out, err); break;
    case KD_ATTR_NAME: status = read_name(a, text, out, err); break;
    case KD_ATTR_IDENTITY_NUMBER: status = read_identity(a, out, err); break;
    case KD_ATTR_SEX: status = read_sex(a, out, err); break;
    default: return kd_fail(err, KD_INVALID, "value", "a value of this attribute cannot be settled by a task");
    }
    if (status == KD_OK && !out->ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the answer");
    return status;
}

/* ---- what it does ---- */

static kd_status settle_value(answering *a, int64_t person_id, kd_error *err)
{
    kd_evidence evidence;
    kd_str value = { NULL, 0 };
    kd_attribute attribute = kd_attribute_read(a->task.attribute);
    KD_TRY(read_value(a, attribute, &value, err));
    KD_TRY(kd_evidence_load(a->reg, person_id, a->arena, &evidence, err));
    int64_t anchor = a->task.record_a ? a->task.record_a : a->task.record_b;
    if (!anchor && evidence.count) anchor = evidence.records[0].id;
    if (!anchor) return kd_fail(err, KD_CONFLICT, "", "no record stands behind this task any more: run `kindred link`");
    kd_decision decision = { .kind = "value",
                             .record_a = anchor,
                             .task_id = a->task.id,
                             .attribute = a->task.attribute,
                             .value = value,
                             .reason = a->answer->note,
                             .by = a->answer->by };
    KD_TRY(kd_decision_add(a->reg, &decision, &a->result.decision_id, err));
    KD_TRY(kd_correction_make(a->reg, a->result.decision_id, attribute, value, &evidence, &a->result.corrections, err));
    return kd_person_refresh(a->reg, &a->packs, person_id, a->answer->by, &a->result.changed_values, err);
}

static kd_status settle_pair(answering *a, kd_error *err)
{
    bool is_same = a->answer->said == KD_SAID_SAME;
    if (!a->task.record_a || !a->task.record_b)
        return kd_fail(err, KD_CONFLICT, "", "no records stand behind this task any more: run `kindred link`");
    a->result.is_link_needed = true;
    kd_decision decision = { .kind = is_same ? "same_person" : "different_person",
                             .record_a = a->task.record_a,
                             .record_b = a->task.record_b,
                             .task_id = a->task.id,
                             .reason = a->answer->note,
                             .by = a->answer->by };
    return is_same ? kd_decision_join(a->reg, &decision, a->task.person_id, a->task.other_id, a->arena,
                                      &a->result.decision_id, err)
                   : kd_decision_add(a->reg, &decision, &a->result.decision_id, err);
}

static bool says_so(const kd_feed_set *set, uint32_t statuses, const kd_source_record *record)
{
    return record->source_id >= 0 && record->source_id < KD_CHECK_SOURCES_MAX &&
           set->roles[record->source_id] >> record->role & 1 && kd_status_bit(record->status) & statuses;
}

/* Whoever was right, the records of the other side are told. */
static kd_status settle_contradiction(answering *a, const kd_check *check, int64_t person_id, kd_error *err)
{
    kd_evidence evidence;
    bool is_so = a->answer->said == KD_SAID_CONFIRMED;
    int64_t right_id = is_so ? a->task.record_a : a->task.record_b;
    const kd_feed_set *wrong_set = is_so ? &check->unknown_to : &check->known_to;
    uint32_t wrong_statuses = is_so ? check->but_statuses : check->statuses;
    kd_str right = { NULL, 0 };
    KD_TRY(kd_evidence_load(a->reg, person_id, a->arena, &evidence, err));
    for (size_t i = 0; i < evidence.count; i++)
        if (evidence.records[i].id == right_id) right = evidence.records[i].status;
    if (!right.len) right = kd_str_of(kd_status_word(is_so ? check->statuses : check->but_statuses));
    kd_decision decision = { .kind = "value",
                             .record_a = right_id,
                             .task_id = a->task.id,
                             .attribute = KD_STR("status"),
                             .value = right,
                             .reason = a->answer->note,
                             .by = a->answer->by };
    KD_TRY(kd_decision_add(a->reg, &decision, &a->result.decision_id, err));
    for (size_t i = 0; i < evidence.count; i++) {
        const kd_source_record *record = &evidence.records[i];
        if (!says_so(wrong_set, wrong_statuses, record)) continue;
        KD_TRY(kd_correction_add(a->reg, a->result.decision_id, record, KD_STR("status"), record->status, right, err));
        a->result.corrections++;
    }
    return KD_OK;
}

static kd_status close_task(answering *a, kd_error *err)
{
    int64_t changed;
    bool is_open = a->answer->said == KD_SAID_UNKNOWN;
    kd_value note = a->answer->note.len ? kd_text_value(a->answer->note) : KD_NULL;
    KD_TRY(kd_store_exec(kd_register_store(a->reg), err, &changed,
                         "update task set state = $2, resolved_at = $3, resolved_by = $4, answer = $5, note = $6 "
                         "where id = $1 and state = 'open'",
                         KD_VALUES(kd_int(a->task.id), kd_text_value(is_open ? KD_STR("open") : KD_STR("resolved")),
                                   is_open ? KD_NULL : kd_int(kd_now_us()), kd_text_value(a->answer->by),
                                   kd_text_value(kd_str_of(word_of(a->answer->said))), note)));
    a->result.is_open = is_open;
    return changed == 1 ? KD_OK : kd_fail(err, KD_CONFLICT, "", "this task is not open: somebody settled it already");
}

static kd_status apply(answering *a, kd_error *err)
{
    int64_t person_id;
    kd_task_words words;
    KD_TRY(kd_task_get(a->reg, a->task.id, a->arena, &a->task, err));
    KD_TRY(kd_task_describe(a->reg, &a->task, a->arena, &words, err));
    KD_TRY(check_form(words.form, a->answer->said, err));
    KD_TRY(close_task(a, err));
    if (a->answer->said == KD_SAID_UNKNOWN) return KD_OK;
    if (words.form == KD_ANSWER_SAME) return settle_pair(a, err);
    KD_TRY(kd_person_living(a->reg, a->task.person_id, &person_id, err));
    if (words.form == KD_ANSWER_VALUE) return settle_value(a, person_id, err);
    const kd_check *check = kd_checks_find(a->packs.checks, a->task.kind);
    if (check && check->find == KD_FIND_CONTRADICTION) return settle_contradiction(a, check, person_id, err);
    return KD_OK;
}

/* Everything in one transaction, with the packs at hand. */
static kd_status in_transaction(answering *a, kd_status (*work)(answering *, kd_error *), kd_error *err)
{
    kd_store *store = kd_register_store(a->reg);
    a->arena = kd_arena_new(ANSWER_BYTES_MAX);
    if (!a->arena) return kd_fail(err, KD_LIMIT, "", "no memory for the answer");
    kd_status status = kd_packs_load(a->reg, &a->packs, err);
    if (status == KD_OK) {
        status = kd_store_begin(store, err);
        if (status == KD_OK) status = kd_store_end(store, work(a, err), err);
        kd_packs_done(&a->packs);
    }
    kd_arena_free(a->arena);
    return status;
}

kd_status kd_task_resolve(kd_register *reg, int64_t id, const kd_answer *answer, kd_answer_result *out_result,
                          kd_error *err)
{
    answering a = { .reg = reg, .task = { .id = id }, .answer = answer };
    KD_TRY(check_text(answer->by, NAME_BYTES_MAX, true, "by", err));
    KD_TRY(check_text(answer->note, NOTE_BYTES_MAX, false, "note", err));
    KD_TRY(in_transaction(&a, apply, err));
    *out_result = a.result;
    return KD_OK;
}

/* ---- taking back ---- */

static kd_status undo_decisions(answering *a, kd_error *err)
{
    kd_store *store = kd_register_store(a->reg);
    int64_t id;
    for (;;) {
        kd_status status = kd_store_int(store, err, &id,
                                        "select id from decision where task_id = $1 and undone_at is null "
                                        "order by id limit 1",
                                        KD_VALUES(kd_int(a->task.id)));
        if (status == KD_NOT_FOUND) return KD_OK;
        if (status != KD_OK) return status;
        KD_TRY(kd_store_exec(store, err, NULL, "update decision set undone_at = $2, undone_by = $3 where id = $1",
                             KD_VALUES(kd_int(id), kd_int(kd_now_us()), kd_text_value(a->answer->by))));
        KD_TRY(kd_correction_withdraw(a->reg, id, err));
        a->result.decision_id = id;
    }
}

static kd_status reopen(answering *a, kd_error *err)
{
    int64_t changed, person_id;
    kd_store *store = kd_register_store(a->reg);
    KD_TRY(kd_task_get(a->reg, a->task.id, a->arena, &a->task, err));
    KD_TRY(kd_store_exec(store, err, &changed,
                         "update task set state = 'open', resolved_at = null, resolved_by = null, answer = null, "
                         "note = $2 where id = $1 and state = 'resolved'",
                         KD_VALUES(kd_int(a->task.id), kd_text_value(a->answer->note))));
    if (changed != 1) return kd_fail(err, KD_CONFLICT, "", "only a task that was settled can be opened again");
    KD_TRY(undo_decisions(a, err));
    a->result.is_open = true;
    if (!a->result.decision_id) return KD_OK;
    a->result.is_link_needed = kd_str_is(a->task.answer, "same") || kd_str_is(a->task.answer, "different");
    if (!kd_str_is(a->task.answer, "value")) return KD_OK;
    KD_TRY(kd_person_living(a->reg, a->task.person_id, &person_id, err));
    return kd_person_refresh(a->reg, &a->packs, person_id, a->answer->by, &a->result.changed_values, err);
}

kd_status kd_task_reopen(kd_register *reg, int64_t id, kd_str by, kd_str reason, kd_answer_result *out_result,
                         kd_error *err)
{
    kd_answer answer = { .by = by, .note = reason };
    answering a = { .reg = reg, .task = { .id = id }, .answer = &answer };
    KD_TRY(check_text(by, NAME_BYTES_MAX, true, "by", err));
    KD_TRY(check_text(reason, NOTE_BYTES_MAX, true, "reason", err));
    KD_TRY(in_transaction(&a, reopen, err));
    *out_result = a.result;
    return KD_OK;
}
