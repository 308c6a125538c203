#include "show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t DAY_US = INT64_C(86400) * 1000000;
enum { MASK_SHOWN = 4, MASK_LEN_MIN = 15, NUMBER_BYTES = 24, BITS_DECIMALS = 3, PROBABILITY_DECIMALS = 6 };

/* ---- persons ---- */

void kd_show_person(kd_call *call, const char *key, const kd_person_brief *brief)
{
    kd_json *json = &call->out;
    if (key) kd_json_key(json, key);
    if (!brief) {
        kd_json_null(json);
        return;
    }
    kd_json_object(json);
    kd_out_id(json, "id", brief->id);
    kd_json_kstr(json, "name", brief->name);
    kd_json_kint(json, "sex", brief->sex);
    kd_json_kday(json, "birth_date", brief->birth_day);
    kd_out_division(call, "division", brief->division);
    kd_out_text(json, "state", brief->state);
    kd_json_object_end(json);
}

kd_status kd_show_person_of(kd_call *call, const char *key, int64_t person_id, kd_error *err)
{
    kd_person_brief brief;
    kd_status status = person_id ? kd_person_brief_load(call->reg, person_id, call->arena, &brief, err) : KD_NOT_FOUND;
    if (status != KD_OK && status != KD_NOT_FOUND) return status;
    kd_show_person(call, key, status == KD_OK ? &brief : NULL);
    return KD_OK;
}

void kd_show_source(kd_call *call, const char *key, const kd_source_name *source)
{
    kd_json_key(&call->out, key);
    kd_json_object(&call->out);
    kd_out_text(&call->out, "feed", source->feed);
    kd_out_text(&call->out, "title", kd_call_words(call, source->title_zh, source->title_en));
    kd_json_object_end(&call->out);
}

/* ---- values ---- */

static kd_str place_name(kd_call *call, kd_str code)
{
    const kd_divisions *divisions;
    char name[256];
    int64_t division;
    if (!kd_str_int(code, &division) || kd_register_divisions(call->reg, &divisions, NULL) != KD_OK) return code;
    size_t len = kd_division_full_name(divisions, division, name, sizeof name);
    return len ? kd_arena_str(call->arena, (kd_str){ name, len }) : code;
}

static kd_str word_of(const kd_call *call, kd_str attribute, kd_str value)
{
    static const struct {
        const char *attribute, *value, *zh, *en;
    } words[] = { { "sex", "1", "男", "male" },
                  { "sex", "2", "女", "female" },
                  { "sex", "0", "未知", "unknown" },
                  { "sex", "9", "未说明", "not said" },
                  { "status", "active", "正常", "active" },
                  { "status", "dead", "死亡", "dead" },
                  { "status", "cancelled", "注销", "cancelled" },
                  { "status", "moved_out", "迁出", "moved out" },
                  { "status", "married", "已婚", "married" },
                  { "status", "divorced", "离婚", "divorced" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (kd_str_is(attribute, words[i].attribute) && kd_str_is(value, words[i].value))
            return kd_str_of(call->is_english ? words[i].en : words[i].zh);
    return value;
}

kd_str kd_show_value(kd_call *call, kd_str attribute, kd_str value)
{
    char number[NUMBER_BYTES];
    if (kd_str_is(attribute, "identity_number")) return kd_arena_str(call->arena, kd_identity_masked(value, number));
    if (kd_str_is(attribute, "division") || kd_str_is(attribute, "hukou_division")) return place_name(call, value);
    return word_of(call, attribute, value);
}

/* Masked but for its ends, and for where it differs from the other: that is what has to be looked at. */
static kd_str masked_beside(kd_str number, kd_str other, char buf[NUMBER_BYTES])
{
    bool is_long = number.len >= MASK_LEN_MIN && number.len < NUMBER_BYTES;
    if (!is_long) return kd_identity_masked(number, buf);
    for (size_t i = 0; i < number.len; i++) {
        bool is_end = i < MASK_SHOWN || i + MASK_SHOWN >= number.len;
        bool differs = other.len == number.len && other.ptr[i] != number.ptr[i];
        buf[i] = is_end || differs ? number.ptr[i] : '*';
    }
    return (kd_str){ buf, number.len };
}

/* ---- records ---- */

typedef struct {
    const char *field, *title_zh, *title_en;
    kd_str value;
} field;

static void put_field(kd_call *call, const field *f)
{
    kd_json *json = &call->out;
    if (!f->value.len) return;
    kd_json_object(json);
    kd_out_text(json, "field", kd_str_of(f->field));
    kd_out_text(json, "title", kd_call_words(call, kd_str_of(f->title_zh), kd_str_of(f->title_en)));
    kd_out_text(json, "value", f->value);
    kd_json_object_end(json);
}

static kd_str number_text(kd_call *call, int64_t number, bool is_there)
{
    return is_there ? kd_arena_fmt(call->arena, "%lld", (long long)number) : (kd_str){ NULL, 0 };
}

/* As much of a date as is known. */
static kd_str day_text(kd_call *call, int32_t day, int kind)
{
    char text[16];
    if (day == KD_DAY_NONE) return (kd_str){ NULL, 0 };
    kd_day_format(day, text);
    size_t len = kind == KD_DATE_YEAR ? 4 : kind == KD_DATE_MONTH ? 7 : strlen(text);
    return kd_arena_str(call->arena, (kd_str){ text, len });
}

static void put_fields(kd_call *call, const kd_source_record *r, const kd_source_record *beside)
{
    char masked[NUMBER_BYTES];
    kd_str other = beside ? beside->identity_number : (kd_str){ NULL, 0 };
    kd_str sex = number_text(call, r->sex, r->sex >= 0), place = number_text(call, r->division, r->division != 0);
    kd_str hukou = number_text(call, r->hukou_division, r->hukou_division != 0);
    const field fields[] = {
        { "name", "姓名", "name", r->name_written.len ? r->name_written : r->name },
        { "sex", "性别", "sex", word_of(call, KD_STR("sex"), sex) },
        { "birth_day", "出生日期", "date of birth", day_text(call, r->birth_day, r->birth_kind) },
        { "identity_number", "身份证号", "identity number", masked_beside(r->identity_number, other, masked) },
        { "phone", "电话", "phone", r->phone },
        { "division", "居住地", "residence", place.len ? place_name(call, place) : place },
        { "address", "地址", "address", r->address },
        { "hukou_division", "户籍地", "household registration", hukou.len ? place_name(call, hukou) : hukou },
        { "household_no", "户号", "household number", r->household_no },
        { "household_relation", "与户主关系", "relation to the head", r->household_relation },
        { "ethnicity", "民族", "ethnicity", r->ethnicity },
        { "marital_status", "婚姻状况", "marital status", r->marital_status },
        { "education", "文化程度", "education", r->education },
        { "certificate_no", "出生证编号", "birth certificate", r->certificate_no },
        { "handbook_no", "保健手册号", "handbook number", r->handbook_no },
        { "birth_order", "多胎顺序", "order among multiples", number_text(call, r->birth_order, r->birth_order != 0) },
        { "status", "人员状态", "status", word_of(call, KD_STR("status"), r->status) },
        { "death_day", "死亡日期", "date of death", day_text(call, r->death_day, 0) },
        { "event_day", "事件日期", "date of the event", day_text(call, r->event_day, 0) },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) put_field(call, &fields[i]);
}

void kd_show_record(kd_call *call, const char *key, const kd_shown_record *shown)
{
    kd_json *json = &call->out;
    const kd_source_record *r = shown->record;
    const char *role = kd_role_name(r->role);
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_out_id(json, "id", r->id);
    kd_show_source(call, "source", shown->source);
    kd_out_text(json, "file_name", shown->file_name);
    kd_json_kint(json, "row", r->row_no);
    kd_out_text(json, "role", kd_str_of(role));
    kd_json_kday(json, "recorded_on", r->recorded_day);
    kd_json_key(json, "fields");
    kd_json_array(json);
    put_fields(call, r, shown->beside);
    kd_json_array_end(json);
    kd_json_object_end(json);
}

/* ---- explanations ---- */

/* What a model compares, by the names that the shipped models give it; another name is shown as it is. */
static kd_str comparison_title(const kd_call *call, kd_str comparison)
{
    static const struct {
        const char *name, *zh, *en;
    } titles[] = { { "identity", "身份证号", "identity number" },
                   { "mother_identity", "母亲身份证号", "mother's identity number" },
                   { "mother_name", "母亲姓名", "mother's name" },
                   { "father_identity", "父亲身份证号", "father's identity number" },
                   { "father_name", "父亲姓名", "father's name" },
                   { "spouse", "配偶身份证号", "partner's identity number" },
                   { "spouse_name", "配偶姓名", "partner's name" },
                   { "certificate_no", "出生证编号", "birth certificate" },
                   { "handbook_no", "保健手册号", "handbook number" },
                   { "birth_order", "多胎顺序", "order among multiples" } };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (kd_str_is(comparison, titles[i].name)) return kd_str_of(call->is_english ? titles[i].en : titles[i].zh);
    const char *title = kd_field_title(comparison, call->is_english);
    return title ? kd_str_of(title) : comparison;
}

static void put_step(kd_call *call, const kd_waterfall_step *step)
{
    kd_json *json = &call->out;
    kd_str level = kd_call_words(call, step->title_zh, step->title_en);
    kd_json_object(json);
    kd_out_text(json, "title", comparison_title(call, step->comparison));
    kd_out_text(json, "level", level.len ? level : step->level);
    kd_json_kdouble(json, "bits", step->bits, BITS_DECIMALS);
    kd_json_kdouble(json, "tf_bits", step->tf_bits, BITS_DECIMALS);
    kd_json_object_end(json);
}

void kd_show_waterfall(kd_call *call, const char *key, const kd_waterfall *w)
{
    kd_json *json = &call->out;
    double told = w->prior_bits;
    if (key) kd_json_key(json, key);
    kd_json_object(json);
    kd_json_kdouble(json, "prior_bits", w->prior_bits, BITS_DECIMALS);
    kd_json_key(json, "steps");
    kd_json_array(json);
    for (size_t i = 0; i < w->count; i++) {
        put_step(call, &w->steps[i]);
        told += w->steps[i].bits + w->steps[i].tf_bits;
    }
    kd_json_array_end(json);
    kd_json_kdouble(json, "rest_bits", w->total_bits - told, BITS_DECIMALS);
    kd_json_kdouble(json, "total_bits", w->total_bits, BITS_DECIMALS);
    kd_json_kdouble(json, "probability", w->probability, PROBABILITY_DECIMALS);
    kd_json_object_end(json);
}

/* ---- feeds ---- */

int64_t kd_show_days_late(const kd_feed_packs *packs, const kd_feed_status *feed)
{
    const kd_feed_pack *pack = kd_feed_packs_find(packs, feed->source.feed);
    int period = pack ? kd_feed_pack_info(pack).period_days : 0;
    if (!period || !feed->batches) return -1;
    int32_t last = feed->last_as_of_day;
    if (last == KD_DAY_NONE) last = kd_today() - (int32_t)((kd_now_us() - feed->last_batch_at) / DAY_US);
    int64_t late = (int64_t)kd_today() - last - period;
    return late > 0 ? late : 0;
}
