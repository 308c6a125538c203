#include "words.h"

#include <string.h>

bool kd_cli_language(const kd_args *args, bool *out_is_english)
{
    const char *said = kd_arg(args, "lang");
    if (said && strcmp(said, "zh") != 0 && strcmp(said, "en") != 0) {
        kd_cli_usage(args, "--lang is zh or en");
        return false;
    }
    *out_is_english = said ? strcmp(said, "en") == 0 : kd_cli_is_english();
    return true;
}

bool kd_cli_id(const kd_args *args, const char *text, int64_t *out_id)
{
    if (text && kd_id_parse(kd_str_of(text), out_id)) return true;
    kd_cli_usage(args, "an id of 13 characters is expected, as the lists show it");
    return false;
}

bool kd_cli_division(const kd_args *args, kd_register *reg, int64_t *out_code, kd_error *err)
{
    const kd_divisions *divisions;
    const char *said = kd_arg(args, "division");
    *out_code = 0;
    if (!said) return true;
    if (kd_register_divisions(reg, &divisions, err) != KD_OK) return false;
    *out_code = kd_division_code_read(divisions, kd_str_of(said), false);
    if (*out_code) return true;
    kd_fail(err, KD_NOT_FOUND, "division", "there is no division with this code");
    kd_hint(err, "2, 4, 6, 9 or 12 digits, such as 610829 for a county");
    return false;
}

kd_str kd_cli_either(const kd_cli_words *words, kd_str zh, kd_str en)
{
    return words->is_english ? en : zh;
}

void kd_cli_place(const kd_cli_words *words, int64_t division, kd_buf *out)
{
    const kd_divisions *divisions;
    char name[256];
    if (!division) return;
    bool is_loaded = kd_register_divisions(words->reg, &divisions, NULL) == KD_OK;
    size_t len = is_loaded ? kd_division_full_name(divisions, division, name, sizeof name) : 0;
    if (len) {
        kd_buf_str(out, (kd_str){ name, len });
    } else {
        kd_buf_int(out, division);
    }
}

static void add_masked(kd_str number, kd_buf *out)
{
    enum { SHOWN = 4, LEN_MIN = 15 };
    for (size_t i = 0; i < number.len; i++) {
        bool is_shown = number.len >= LEN_MIN && (i < SHOWN || i + SHOWN >= number.len);
        kd_buf_char(out, is_shown ? number.ptr[i] : '*');
    }
}

static const char *sex_word(bool is_english, kd_str code)
{
    if (kd_str_is(code, "1")) return is_english ? "male" : "男";
    if (kd_str_is(code, "2")) return is_english ? "female" : "女";
    return is_english ? "unknown" : "未知";
}

void kd_cli_value(const kd_cli_words *words, kd_str attribute, kd_str value, kd_buf *out)
{
    int64_t code;
    bool is_place = kd_str_is(attribute, "division") || kd_str_is(attribute, "hukou_division");
    if (kd_str_is(attribute, "identity_number") && !words->is_unmasked) {
        add_masked(value, out);
    } else if (kd_str_is(attribute, "sex")) {
        kd_buf_cstr(out, sex_word(words->is_english, value));
    } else if (is_place && kd_str_int(value, &code)) {
        kd_cli_place(words, code, out);
    } else {
        kd_buf_str(out, value);
    }
}

void kd_cli_field(const kd_cli_words *words, kd_str field, kd_buf *out)
{
    const char *title = kd_field_title(field, words->is_english);
    kd_buf_str(out, title ? kd_str_of(title) : field);
}

void kd_cli_task_title(const kd_cli_words *words, const kd_task *task, kd_buf *out)
{
    enum { WORDS_BYTES_MAX = 1 << 16 };
    kd_task_words said = { 0 };
    kd_arena *arena = kd_arena_new(WORDS_BYTES_MAX);
    bool is_told = arena && kd_task_describe(words->reg, task, arena, &said, NULL) == KD_OK && said.title_zh.len;
    kd_buf_str(out, is_told ? kd_cli_either(words, said.title_zh, said.title_en) : task->kind);
    kd_arena_free(arena);
}

void kd_cli_sources(const kd_cli_words *words, const kd_value_view *value, kd_buf *out)
{
    const char *comma = words->is_english ? ", " : "、";
    for (size_t i = 0; i < value->holder_count; i++) {
        const kd_source_name *source = &value->holders[i].source;
        bool is_again = false;
        for (size_t k = 0; k < i && !is_again; k++) is_again = value->holders[k].source.source_id == source->source_id;
        if (is_again) continue;
        if (i) kd_buf_cstr(out, comma);
        kd_buf_str(out, kd_cli_either(words, source->title_zh, source->title_en));
    }
    if (!value->by_identity) return;
    if (value->holder_count) kd_buf_cstr(out, comma);
    kd_buf_cstr(out, words->is_english ? "the identity number itself" : "身份证号本身");
}

void kd_cli_day(int32_t day, kd_buf *out)
{
    char buf[16];
    kd_buf_cstr(out, day == KD_DAY_NONE ? "-" : kd_day_format(day, buf));
}

void kd_cli_instant_day(int64_t us, kd_buf *out)
{
    enum { CHINA_OFFSET_SECONDS = 8 * 3600, DAY_SECONDS = 86400, SECOND_US = 1000000 };
    kd_cli_day(us ? (int32_t)((us / SECOND_US + CHINA_OFFSET_SECONDS) / DAY_SECONDS) : KD_DAY_NONE, out);
}

void kd_cli_id_text(int64_t id, kd_buf *out)
{
    char buf[KD_ID_TEXT_BYTES];
    kd_buf_cstr(out, kd_id_format(id, buf));
}

void kd_cli_json_id(kd_json *json, const char *key, int64_t id)
{
    char buf[KD_ID_TEXT_BYTES];
    kd_json_kstr(json, key, id ? kd_str_of(kd_id_format(id, buf)) : (kd_str){ NULL, 0 });
}

void kd_cli_json_value(const kd_cli_words *words, kd_json *json, const char *key, kd_str attribute, kd_str value)
{
    if (!kd_str_is(attribute, "identity_number") || words->is_unmasked) {
        kd_json_kstr(json, key, value);
        return;
    }
    kd_buf masked;
    kd_buf_init(&masked, 1 << 12);
    add_masked(value, &masked);
    kd_json_kstr(json, key, kd_buf_view(&masked));
    kd_buf_done(&masked);
}

void kd_cli_json_raw(kd_json *json, const char *key, kd_str ready)
{
    kd_json_key(json, key);
    if (!ready.len) {
        kd_json_null(json);
        return;
    }
    kd_buf_str(json->out, ready);
    json->after_key = false;
}
