/* Members of a JSON body, typed and checked. */
#include "call.h"

#include <stdio.h>
#include <string.h>

/* Fill err->field with the member's JSON Pointer. */
static kd_status wrong(kd_in in, const char *name, kd_error *err, const char *what)
{
    char field[256];
    snprintf(field, sizeof field, "%s/%s", in.where, name);
    return kd_fail(err, KD_INVALID, field, "%s", kd_message(what));
}

static const json_t *member(kd_in in, const char *name)
{
    const json_t *value = json_object_get(in.object, name);
    return json_is_null(value) ? NULL : value;
}

static const char *child_pointer(kd_in in, const char *name)
{
    kd_str text = kd_arena_fmt(in.call->arena, "%s/%s", in.where, name);
    return text.ptr ? text.ptr : in.where;
}

kd_status kd_in_only(kd_in in, const char *const *names, kd_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)in.object, key, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0) i++;
        if (!names[i]) return wrong(in, key, err, kd_message("there is no such member"));
    }
    return KD_OK;
}

static kd_status check_text(kd_in in, const char *name, const json_t *value, size_t bytes_max, kd_str *out,
                            kd_error *err)
{
    if (!json_is_string(value)) return wrong(in, name, err, kd_message("a text is expected"));
    kd_str text = { json_string_value(value), json_string_length(value) };
    if (text.len > bytes_max) return wrong(in, name, err, kd_message("the text is too long"));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return wrong(in, name, err, kd_message("the text holds a control character"));
    }
    *out = text;
    return KD_OK;
}

kd_status kd_in_text(kd_in in, const char *name, bool is_required, size_t bytes_max, kd_str *out, kd_error *err)
{
    const json_t *value = member(in, name);
    kd_str text = { NULL, 0 };
    if (value) KD_TRY(check_text(in, name, value, bytes_max, &text, err));
    if (is_required && text.len == 0) return wrong(in, name, err, kd_message("this is needed"));
    *out = text;
    return KD_OK;
}

kd_status kd_in_int(kd_in in, const char *name, bool is_required, int64_t min, int64_t max, int64_t otherwise,
                    int64_t *out, kd_error *err)
{
    const json_t *value = json_object_get(in.object, name);
    if (!value && is_required) return wrong(in, name, err, kd_message("this is needed"));
    if (value && !json_is_integer(value)) return wrong(in, name, err, kd_message("a whole number is expected"));
    int64_t number = value ? json_integer_value(value) : otherwise;
    if (value && (number < min || number > max)) {
        kd_status status = wrong(in, name, err, kd_message("the number is out of range"));
        kd_hint(err, "from %lld to %lld", (long long)min, (long long)max);
        return status;
    }
    *out = number;
    return KD_OK;
}

kd_status kd_in_bool(kd_in in, const char *name, bool otherwise, bool *out, kd_error *err)
{
    const json_t *value = json_object_get(in.object, name);
    if (value && !json_is_boolean(value)) return wrong(in, name, err, kd_message("true or false is expected"));
    *out = value ? json_is_true(value) : otherwise;
    return KD_OK;
}

kd_status kd_in_day(kd_in in, const char *name, bool is_required, int32_t *out, kd_error *err)
{
    kd_str text;
    KD_TRY(kd_in_text(in, name, is_required, 10, &text, err));
    int32_t day = KD_DAY_NONE;
    if (text.len && !kd_day_parse(text, &day)) {
        kd_status status = wrong(in, name, err, kd_message("this is no date"));
        kd_hint(err, "write it as 2026-11-23");
        return status;
    }
    *out = day;
    return KD_OK;
}

kd_status kd_in_id(kd_in in, const char *name, bool is_required, int64_t *out, kd_error *err)
{
    kd_str text;
    KD_TRY(kd_in_text(in, name, is_required, KD_ID_TEXT_BYTES - 1, &text, err));
    int64_t id = 0;
    if (text.len && (text.len != KD_ID_TEXT_BYTES - 1 || !kd_id_parse(text, &id)))
        return wrong(in, name, err, kd_message("this is no id"));
    *out = id;
    return KD_OK;
}

kd_status kd_in_object(kd_in in, const char *name, bool is_required, kd_in *out, kd_error *err)
{
    const json_t *value = member(in, name);
    if (!value && is_required) return wrong(in, name, err, kd_message("this is needed"));
    if (value && !json_is_object(value)) return wrong(in, name, err, kd_message("an object is expected"));
    *out = (kd_in){ in.call, value, child_pointer(in, name) };
    return KD_OK;
}

kd_status kd_in_list(kd_in in, const char *name, size_t max, kd_in *out_list, size_t *out_count, kd_error *err)
{
    const json_t *value = member(in, name);
    if (value && !json_is_array(value)) return wrong(in, name, err, kd_message("a list is expected"));
    size_t count = value ? json_array_size(value) : 0;
    if (count > max) {
        kd_status status = wrong(in, name, err, kd_message("the list is too long"));
        kd_hint(err, "at most %zu", max);
        return status;
    }
    *out_list = (kd_in){ in.call, value, child_pointer(in, name) };
    *out_count = count;
    return KD_OK;
}

kd_status kd_in_at(kd_in list, size_t index, kd_in *out_object, kd_error *err)
{
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    const json_t *value = json_array_get(list.object, index);
    if (!json_is_object(value)) return wrong(list, name, err, kd_message("an object is expected"));
    *out_object = (kd_in){ list.call, value, child_pointer(list, name) };
    return KD_OK;
}

kd_status kd_in_text_at(kd_in list, size_t index, size_t bytes_max, kd_str *out, kd_error *err)
{
    char name[24];
    kd_str text = { NULL, 0 };
    snprintf(name, sizeof name, "%zu", index);
    KD_TRY(check_text(list, name, json_array_get(list.object, index), bytes_max, &text, err));
    if (text.len == 0) return wrong(list, name, err, kd_message("this is needed"));
    *out = text;
    return KD_OK;
}

kd_status kd_in_division(kd_in in, const char *name, bool is_required, int64_t *out, bool *out_is_there, kd_error *err)
{
    kd_str text;
    int64_t division = 0;
    KD_TRY(kd_in_text(in, name, is_required, 12, &text, err));
    if (json_object_get(in.object, name) && kd_division_read(text, name, &division, err) != KD_OK)
        return wrong(in, name, err, kd_message("this is no code of a division"));
    if (out_is_there) *out_is_there = text.len > 0;
    *out = division;
    return KD_OK;
}

kd_status kd_in_word(kd_in in, const char *name, const char *const *words, int otherwise, int *out, kd_error *err)
{
    kd_str text;
    KD_TRY(kd_in_text(in, name, otherwise < 0, 100, &text, err));
    int found = otherwise;
    for (int i = 0; text.len && words[i]; i++)
        if (kd_str_is(text, words[i])) {
            *out = i;
            return KD_OK;
        }
    if (text.len) return wrong(in, name, err, kd_message("this is none of the words that are known here"));
    *out = found;
    return KD_OK;
}
