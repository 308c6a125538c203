#include "survive.h"

#include <string.h>

typedef struct {
    const char *name, *title_zh, *title_en;
    kd_attribute_kind kind;
} attribute_info;

static const attribute_info ATTRIBUTES[KD_ATTR_COUNT] = {
    [KD_ATTR_NAME] = { "name", "姓名", "name", KD_ATTR_IS_TEXT },
    [KD_ATTR_SEX] = { "sex", "性别", "sex", KD_ATTR_IS_NUMBER },
    [KD_ATTR_BIRTH_DAY] = { "birth_day", "出生日期", "date of birth", KD_ATTR_IS_DAY },
    [KD_ATTR_DEATH_DAY] = { "death_day", "死亡日期", "date of death", KD_ATTR_IS_DAY },
    [KD_ATTR_IDENTITY_NUMBER] = { "identity_number", "身份证号", "identity number", KD_ATTR_IS_TEXT },
    [KD_ATTR_PHONE] = { "phone", "电话", "phone", KD_ATTR_IS_TEXT },
    [KD_ATTR_DIVISION] = { "division", "现居住地", "place of residence", KD_ATTR_IS_NUMBER },
    [KD_ATTR_ADDRESS] = { "address", "住址", "address", KD_ATTR_IS_TEXT },
    [KD_ATTR_HUKOU_DIVISION] = { "hukou_division", "户籍地", "place of household registration", KD_ATTR_IS_NUMBER },
    [KD_ATTR_HOUSEHOLD_NO] = { "household_no", "户号", "household number", KD_ATTR_IS_TEXT },
    [KD_ATTR_ETHNICITY] = { "ethnicity", "民族", "ethnicity", KD_ATTR_IS_TEXT },
    [KD_ATTR_MARITAL_STATUS] = { "marital_status", "婚姻状况", "marital status", KD_ATTR_IS_TEXT },
    [KD_ATTR_EDUCATION] = { "education", "文化程度", "education", KD_ATTR_IS_TEXT },
};

const char *kd_attribute_name(kd_attribute attribute)
{
    return ATTRIBUTES[attribute].name;
}

const char *kd_attribute_title(kd_attribute attribute, bool is_english)
{
    return is_english ? ATTRIBUTES[attribute].title_en : ATTRIBUTES[attribute].title_zh;
}

kd_attribute_kind kd_attribute_kind_of(kd_attribute attribute)
{
    return ATTRIBUTES[attribute].kind;
}

kd_attribute kd_attribute_read(kd_str name)
{
    for (int i = 0; i < KD_ATTR_COUNT; i++)
        if (kd_str_is(name, ATTRIBUTES[i].name)) return (kd_attribute)i;
    return KD_ATTR_NONE;
}

static kd_value_of text_value(kd_str text)
{
    return (kd_value_of){ .text = text, .is_there = text.len > 0 };
}

static kd_value_of number_value(int64_t number, int64_t nothing)
{
    return (kd_value_of){ .number = number, .is_there = number != nothing };
}

kd_value_of kd_attribute_of(const kd_source_record *r, kd_attribute attribute)
{
    kd_value_of value;
    switch (attribute) {
    case KD_ATTR_NAME: return text_value(r->name);
    case KD_ATTR_SEX: return (kd_value_of){ .number = r->sex, .is_there = r->sex == 1 || r->sex == 2 };
    case KD_ATTR_BIRTH_DAY:
        value = number_value(r->birth_day, KD_DAY_NONE);
        value.is_incomplete = r->birth_kind != 0;
        value.quality = r->birth_kind;
        return value;
    case KD_ATTR_DEATH_DAY: return number_value(r->death_day, KD_DAY_NONE);
    case KD_ATTR_IDENTITY_NUMBER:
        value = text_value(r->identity_number);
        value.is_incomplete = r->identity_kind != 0 && r->identity_kind != KD_IDENTITY_OLD;
        value.quality = r->identity_kind;
        return value;
    case KD_ATTR_PHONE: return text_value(r->phone);
    case KD_ATTR_DIVISION: return number_value(r->division, 0);
    case KD_ATTR_ADDRESS: return text_value(r->address);
    case KD_ATTR_HUKOU_DIVISION: return number_value(r->hukou_division, 0);
    case KD_ATTR_HOUSEHOLD_NO: return text_value(r->household_no);
    case KD_ATTR_ETHNICITY: return text_value(r->ethnicity);
    case KD_ATTR_MARITAL_STATUS: return text_value(r->marital_status);
    case KD_ATTR_EDUCATION: return text_value(r->education);
    case KD_ATTR_COUNT: break;
    }
    return (kd_value_of){ 0 };
}

bool kd_value_same(kd_attribute attribute, const kd_value_of *a, const kd_value_of *b)
{
    if (a->is_there != b->is_there) return false;
    if (ATTRIBUTES[attribute].kind == KD_ATTR_IS_TEXT) return kd_str_eq(a->text, b->text);
    return a->number == b->number && a->quality == b->quality;
}

kd_str kd_value_text(kd_attribute attribute, const kd_value_of *value, char buf[24])
{
    if (!value->is_there) return (kd_str){ NULL, 0 };
    if (ATTRIBUTES[attribute].kind == KD_ATTR_IS_TEXT) return value->text;
    if (ATTRIBUTES[attribute].kind == KD_ATTR_IS_DAY) {
        kd_day_format((int32_t)value->number, buf);
        if (value->quality == KD_DATE_YEAR) buf[4] = '\0';
        if (value->quality == KD_DATE_MONTH) buf[7] = '\0';
        return kd_str_of(buf);
    }
    size_t at = 24;
    uint64_t rest = (uint64_t)value->number;
    do {
        buf[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    memmove(buf, buf + at, 24 - at);
    return (kd_str){ buf, 24 - at };
}

/* "2020" and "2020-01", as kd_value_text writes what is less than a day. */
static kd_value_of parse_day(kd_str text)
{
    char whole[] = "0000-01-01";
    kd_value_of value = { 0 };
    int32_t day;
    if (text.len != 4 && text.len != 7 && text.len != 10) return value;
    memcpy(whole, text.ptr, text.len);
    if (!kd_day_parse(kd_str_of(whole), &day)) return value;
    value.number = day;
    value.is_there = true;
    value.quality = text.len == 4 ? KD_DATE_YEAR : text.len == 7 ? KD_DATE_MONTH : 0;
    value.is_incomplete = value.quality != 0;
    return value;
}

kd_value_of kd_value_parse(kd_attribute attribute, kd_str text)
{
    kd_value_of value = { 0 };
    if (ATTRIBUTES[attribute].kind == KD_ATTR_IS_TEXT) return text_value(text);
    if (ATTRIBUTES[attribute].kind == KD_ATTR_IS_DAY) return parse_day(text);
    value.is_there = kd_str_int(text, &value.number) && value.number >= 0;
    return value;
}
