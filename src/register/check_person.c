/* Asking the questions of the checks pack of one person's records. Pure: reads its arguments and nothing else. */
#include "checks.h"

#include <string.h>

typedef struct {
    const kd_check *check;
    const kd_check_context *context;
    const kd_source_record *records;
    size_t count;
    const kd_identity *identity; /* NULL unless the person's number is valid */
    kd_buf *buffer;
    kd_finding_emit emit;
    void *emit_ctx;
    kd_error *err;
} asking;

static kd_status emit(const asking *a, int64_t record_a, int64_t record_b)
{
    if (a->buffer->status != KD_OK) return kd_fail(a->err, KD_LIMIT, "", "the facts of a finding are too long");
    kd_finding finding = { a->check, record_a, record_b, kd_buf_view(a->buffer) };
    return a->emit(a->emit_ctx, &finding, a->err);
}

/* ---- facts ---- */

static void add_record(const asking *a, kd_json *json, const kd_source_record *record)
{
    char id[KD_ID_TEXT_BYTES];
    kd_json_object(json);
    kd_json_kstr(json, "record", kd_str_of(kd_id_format(record->id, id)));
    if (record->source_id >= 0 && (size_t)record->source_id < a->context->source_count) {
        const kd_source_title *source = &a->context->sources[record->source_id];
        kd_json_kstr(json, "feed", source->feed);
        kd_json_kstr(json, "zh", source->title_zh);
        kd_json_kstr(json, "en", source->title_en);
    }
    kd_json_object_end(json);
}

static uint64_t mark_of_text(kd_str text)
{
    return kd_hash(text.ptr, text.len, 1);
}

/* Records in the order of their ids, so that the facts do not depend on the order of arrival. */
static void add_holders(const asking *a, kd_json *json, kd_attribute attribute, const kd_value_of *value)
{
    kd_json_key(json, "records");
    kd_json_array(json);
    for (int64_t last = 0;;) {
        const kd_source_record *next = NULL;
        for (size_t i = 0; i < a->count; i++) {
            const kd_source_record *record = &a->records[i];
            kd_value_of held = kd_attribute_of(record, attribute);
            if (record->id <= last || (next && record->id > next->id) || !kd_value_same(attribute, &held, value))
                continue;
            next = record;
        }
        if (!next) break;
        add_record(a, json, next);
        last = next->id;
    }
    kd_json_array_end(json);
}

/* ---- sources that hold different values ---- */

static bool is_placeholder(const kd_check *check, int64_t day)
{
    if (!check->placeholder_count) return false;
    kd_ymd date = kd_day_to_ymd((int32_t)day);
    for (size_t i = 0; i < check->placeholder_count; i++)
        if (date.month == check->placeholder_month[i] && date.day == check->placeholder_day[i]) return true;
    return false;
}

static bool is_lunar_reading(const asking *a, int64_t x, int64_t y)
{
    return kd_day_if_lunar(a->context->text, (int32_t)x) == (int32_t)y ||
           kd_day_if_lunar(a->context->text, (int32_t)y) == (int32_t)x;
}

static bool sounds_the_same(const asking *a, kd_str x, kd_str y)
{
    kd_name one, other;
    kd_name_read(a->context->text, x, &one);
    kd_name_read(a->context->text, y, &other);
    return one.count == other.count && memcmp(one.syllables, other.syllables, one.count * sizeof one.syllables[0]) == 0;
}

/* Whether `value` says something other than `kept` that is worth asking about. */
static bool differs(const asking *a, const kd_value_of *kept, const kd_value_of *value)
{
    const kd_check *check = a->check;
    if (check->tolerates_lunar && is_lunar_reading(a, kept->number, value->number)) return false;
    if (check->tolerates_same_sound && sounds_the_same(a, kept->text, value->text)) return false;
    return true;
}

static size_t worth_asking(const asking *a, const kd_choice *choice, const kd_competing *out[KD_COMPETING_MAX])
{
    const kd_check *check = a->check;
    bool is_day = kd_attribute_kind_of(check->attribute) == KD_ATTR_IS_DAY;
    size_t kept = 0;
    for (size_t i = 0; i < choice->count; i++) {
        const kd_competing *c = &choice->values[i];
        if ((check->tolerates_incomplete && c->value.is_incomplete) || c->score < check->trust_min) continue;
        if (is_day && is_placeholder(check, c->value.number)) continue;
        bool is_other = true;
        for (size_t k = 0; k < kept && is_other; k++) is_other = differs(a, &out[k]->value, &c->value);
        if (is_other) out[kept++] = c;
    }
    return kept;
}

static void add_competing(const asking *a, kd_json *json, const kd_competing *c)
{
    char buf[24], masked[24];
    kd_str text = kd_value_text(a->check->attribute, &c->value, buf);
    if (a->check->attribute == KD_ATTR_IDENTITY_NUMBER) text = kd_identity_masked(text, masked);
    kd_json_object(json);
    kd_json_kstr(json, "value", text);
    if (c->by_identity) kd_json_kbool(json, "by_identity_number", true);
    add_holders(a, json, a->check->attribute, &c->value);
    kd_json_object_end(json);
}

static int64_t holder_of(const asking *a, const kd_competing *c)
{
    int64_t first = 0;
    for (size_t i = 0; i < a->count; i++) {
        kd_value_of held = kd_attribute_of(&a->records[i], a->check->attribute);
        if (kd_value_same(a->check->attribute, &held, &c->value) && (!first || a->records[i].id < first))
            first = a->records[i].id;
    }
    return first;
}

/* Most people's sources agree: nothing is to be weighed then. */
static bool all_agree(const asking *a, kd_attribute attribute)
{
    kd_value_of first = { 0 };
    for (size_t i = 0; i < a->count; i++) {
        kd_value_of value = kd_attribute_of(&a->records[i], attribute);
        if (!value.is_there) continue;
        if (!first.is_there) first = value;
        if (!kd_value_same(attribute, &first, &value)) return false;
    }
    if (!a->identity || !first.is_there) return true;
    if (attribute == KD_ATTR_BIRTH_DAY) return first.number == a->identity->birth_day;
    return attribute != KD_ATTR_SEX || first.number == a->identity->sex;
}

static kd_status ask_differing(const asking *a)
{
    kd_choice choice;
    const kd_competing *kept[KD_COMPETING_MAX];
    kd_attribute attribute = a->check->attribute;
    if (all_agree(a, attribute)) return KD_OK;
    kd_survive_choose(a->context->rules, attribute, a->records, a->count, NULL, 0, a->identity, &choice);
    size_t count = choice.count > 1 ? worth_asking(a, &choice, kept) : 0;
    if (count < 2) return KD_OK;
    uint64_t marks[KD_COMPETING_MAX];
    for (size_t i = 0; i < count; i++) {
        char buf[24];
        marks[i] = mark_of_text(kd_value_text(attribute, &kept[i]->value, buf));
    }
    kd_json json;
    kd_facts_begin(&json, a->buffer, marks, count);
    kd_json_key(&json, "values");
    kd_json_array(&json);
    for (size_t i = 0; i < count; i++) add_competing(a, &json, kept[i]);
    kd_json_array_end(&json);
    kd_json_object_end(&json);
    return emit(a, holder_of(a, kept[0]), holder_of(a, kept[1]));
}

/* ---- known here, unknown there ---- */

static bool is_in(const kd_feed_set *set, const kd_source_record *record)
{
    return record->source_id >= 0 && record->source_id < KD_CHECK_SOURCES_MAX &&
           set->roles[record->source_id] >> record->role & 1;
}

static bool is_feed_in(const kd_feed_set *set, int32_t source_id)
{
    return source_id >= 0 && source_id < KD_CHECK_SOURCES_MAX && set->roles[source_id] != 0;
}

static bool is_known_there(const kd_check *check, const kd_source_record *record)
{
    return check->unknown_to_others ? !is_feed_in(&check->known_to, record->source_id)
                                    : is_in(&check->unknown_to, record);
}

/*
 * The day until which the absence from the other sources can be told. Named sources: the day that all of them that send
 * anything reach to. All others: the day that the furthest of them reaches to. KD_DAY_NONE when none sends anything.
 */
static int32_t absence_known_until(const asking *a)
{
    const kd_check *check = a->check;
    int32_t until = KD_DAY_NONE;
    for (size_t i = 0; i < a->context->source_count && i < KD_CHECK_SOURCES_MAX; i++) {
        int32_t day = a->context->as_of[i];
        bool is_other = check->unknown_to_others ? !check->known_to.roles[i] : check->unknown_to.roles[i] != 0;
        if (!is_other || day == KD_DAY_NONE) continue;
        bool is_better = check->unknown_to_others ? day > until : day < until;
        if (until == KD_DAY_NONE || is_better) until = day;
    }
    return until;
}

static int32_t counted_day(const kd_check *check, const kd_source_record *record)
{
    switch (check->counted_from) {
    case KD_COUNT_BIRTH_DAY: return record->birth_kind ? KD_DAY_NONE : record->birth_day;
    case KD_COUNT_EVENT_DAY: return record->event_day;
    case KD_COUNT_RECORDED_DAY: return record->recorded_day;
    }
    return KD_DAY_NONE;
}

static uint32_t status_of(const kd_source_record *record)
{
    uint32_t bit = kd_status_bit(record->status);
    return record->death_day != KD_DAY_NONE ? bit | kd_status_bit(KD_STR("dead")) : bit;
}

static kd_status tell_missing(const asking *a, const kd_source_record *known, int32_t since)
{
    kd_json json;
    kd_facts_begin(&json, a->buffer, NULL, 0);
    kd_json_kday(&json, "since", since);
    kd_json_key(&json, "known_to");
    kd_json_array(&json);
    add_record(a, &json, known);
    kd_json_array_end(&json);
    kd_json_key(&json, "unknown_to");
    kd_json_array(&json);
    for (size_t i = 0; i < a->context->source_count && i < KD_CHECK_SOURCES_MAX; i++)
        if (a->check->unknown_to.roles[i]) kd_json_str(&json, a->context->sources[i].feed);
    if (a->check->unknown_to_others) kd_json_str(&json, KD_STR("others"));
    kd_json_array_end(&json);
    kd_json_object_end(&json);
    return emit(a, known->id, 0);
}

static kd_status ask_missing(const asking *a)
{
    const kd_check *check = a->check;
    const kd_source_record *known = NULL;
    for (size_t i = 0; i < a->count; i++) {
        const kd_source_record *record = &a->records[i];
        if (is_known_there(check, record) || status_of(record) & check->unless_statuses) return KD_OK;
        if (is_in(&check->known_to, record) && counted_day(check, record) != KD_DAY_NONE &&
            (!known || record->id < known->id))
            known = record;
    }
    if (!known) return KD_OK;
    int32_t until = absence_known_until(a), since = counted_day(check, known);
    if (until == KD_DAY_NONE || (int64_t)since + check->after_days > until) return KD_OK;
    if (check->within_days && (int64_t)since + check->within_days < until) return KD_OK;
    return tell_missing(a, known, since);
}

/* ---- one says, another denies ---- */

static kd_status tell_contradiction(const asking *a, const kd_source_record *says, const kd_source_record *but)
{
    uint64_t marks[] = { kd_hash_int((uint64_t)says->source_id), kd_hash_int((uint64_t)but->source_id + (1u << 16)) };
    const kd_source_record *sides[] = { says, but };
    const char *const keys[] = { "says", "but" };
    kd_json json;
    kd_facts_begin(&json, a->buffer, marks, 2);
    for (size_t i = 0; i < 2; i++) {
        kd_json_key(&json, keys[i]);
        kd_json_object(&json);
        kd_json_kstr(&json, "status", sides[i]->status);
        kd_json_kday(&json, "death_day", sides[i]->death_day);
        kd_json_kday(&json, "recorded_day", sides[i]->recorded_day);
        kd_json_key(&json, "source");
        add_record(a, &json, sides[i]);
        kd_json_object_end(&json);
    }
    kd_json_object_end(&json);
    return emit(a, says->id, but->id);
}

static int32_t said_day(const kd_source_record *record)
{
    if (record->death_day != KD_DAY_NONE) return record->death_day;
    return record->event_day != KD_DAY_NONE ? record->event_day : record->recorded_day;
}

static kd_status ask_contradiction(const asking *a)
{
    const kd_check *check = a->check;
    const kd_source_record *says = NULL, *but = NULL;
    for (size_t i = 0; i < a->count; i++) {
        const kd_source_record *record = &a->records[i];
        bool is_earlier_says = !says || record->id < says->id, is_earlier_but = !but || record->id < but->id;
        if (is_in(&check->known_to, record) && status_of(record) & check->statuses && is_earlier_says) says = record;
        if (is_in(&check->unknown_to, record) && status_of(record) & check->but_statuses && is_earlier_but)
            but = record;
    }
    if (!says || !but || says == but) return KD_OK;
    int32_t since = said_day(says), reached = a->context->as_of[but->source_id];
    if (since == KD_DAY_NONE || reached == KD_DAY_NONE || (int64_t)since + check->after_days > reached) return KD_OK;
    return tell_contradiction(a, says, but);
}

/* ---- one side of a row links to nobody ---- */

static kd_status ask_partner(const asking *a)
{
    const kd_check *check = a->check;
    const kd_source_record *first = NULL;
    int64_t partner = 0;
    for (size_t i = 0; i < a->count; i++) {
        const kd_source_record *record = &a->records[i];
        if (!is_in(&check->known_to, record)) return KD_OK; /* someone else knows this person */
        if (!first || record->id < first->id) first = record;
    }
    if (!first || (first->role != check->sides[0] && first->role != check->sides[1])) return KD_OK;
    kd_role other = first->role == check->sides[0] ? check->sides[1] : check->sides[0];
    const kd_check_context *context = a->context;
    if (!context->partner_is_known || !context->partner_is_known(context->partner_ctx, first, other, &partner))
        return KD_OK;
    kd_json json;
    kd_facts_begin(&json, a->buffer, NULL, 0);
    kd_json_key(&json, "known_to");
    kd_json_array(&json);
    add_record(a, &json, first);
    kd_json_array_end(&json);
    kd_json_object_end(&json);
    return emit(a, first->id, partner);
}

/* ---- all of them ---- */

static void read_identity(const kd_check_context *context, const kd_source_record *records, size_t count,
                          kd_identity *out_identity)
{
    kd_choice choice;
    kd_survive_choose(context->rules, KD_ATTR_IDENTITY_NUMBER, records, count, NULL, 0, NULL, &choice);
    kd_identity_read(choice.count ? choice.values[0].value.text : (kd_str){ NULL, 0 }, out_identity);
}

static kd_status ask(const asking *a)
{
    switch (a->check->find) {
    case KD_FIND_DIFFERING: return ask_differing(a);
    case KD_FIND_MISSING: return ask_missing(a);
    case KD_FIND_CONTRADICTION: return ask_contradiction(a);
    case KD_FIND_PARTNER_UNKNOWN: return ask_partner(a);
    case KD_FIND_DOUBTFUL_PAIR:
    case KD_FIND_SHARED_VALUE: return KD_OK; /* of two persons: found by the link run */
    }
    return KD_OK;
}

kd_status kd_checks_person(const kd_checks *checks, const kd_check_context *context, const kd_source_record *records,
                           size_t count, kd_buf *buffer, kd_finding_emit emit_finding, void *emit_ctx, kd_error *err)
{
    kd_identity identity;
    read_identity(context, records, count, &identity);
    asking a = { .context = context,
                 .records = records,
                 .count = count,
                 .identity = identity.kind == KD_IDENTITY_OK ? &identity : NULL,
                 .buffer = buffer,
                 .emit = emit_finding,
                 .emit_ctx = emit_ctx,
                 .err = err };
    for (size_t i = 0; i < kd_checks_count(checks); i++) {
        a.check = kd_checks_at(checks, i);
        KD_TRY(ask(&a));
    }
    return KD_OK;
}
