/* `codes:` of a pack: what a department writes, to the canonical code. */
#include "exchange/pack.h"

#include <stdlib.h>
#include <string.h>

static const char *const statuses[] = { "active", "cancelled", "dead", "moved_out", "married", "divorced", NULL };

static bool is_two_digits(kd_str code)
{
    return code.len == 2 && code.ptr[0] >= '0' && code.ptr[0] <= '9' && code.ptr[1] >= '0' && code.ptr[1] <= '9';
}

/* What is wrong with a code for a field; NULL when nothing. */
static const char *complaint(kd_str code, feed_field field)
{
    int64_t number = 0;
    switch (field) {
    case FIELD_SEX:
        return code.len == 1 && strchr("0129", code.ptr[0]) ? NULL : "0, 1, 2 or 9 (GB/T 2261.1) is expected";
    case FIELD_STATUS:
        for (size_t i = 0; statuses[i]; i++)
            if (kd_str_is(code, statuses[i])) return NULL;
        return "active, cancelled, dead, moved_out, married or divorced is expected";
    case FIELD_BIRTH_ORDER:
        return kd_str_int(code, &number) && number >= 1 && number <= 99 ? NULL : "1 to 99 is expected";
    case FIELD_HOUSEHOLD_RELATION:
    case FIELD_ETHNICITY:
    case FIELD_MARITAL_STATUS:
    case FIELD_EDUCATION: return is_two_digits(code) ? NULL : "two digits in quotes are expected, such as \"02\"";
    default: return "this field takes no code";
    }
}

kd_status feed_codes_check(const kd_feed_pack *pack, const feed_codes *codes, feed_field field, const kd_yaml *place,
                           kd_error *err)
{
    for (size_t i = 0; i <= codes->count; i++) {
        if (i == codes->count && !codes->has_other) break;
        const feed_code *code = i < codes->count ? &codes->codes[i] : &codes->other;
        const char *wrong = code->code.len ? complaint(code->code, field) : NULL;
        if (!wrong) continue;
        kd_yaml_fail(err, place, "codes '%.*s' give '%.*s' to %s: %s", KD_FMT(codes->name), KD_FMT(code->code),
                     feed_field_name(field), wrong);
        kd_hint(err, "the map stands at line %u of %.*s", codes->line, KD_FMT(pack->info.file));
        return KD_INVALID;
    }
    return KD_OK;
}

static kd_status parse_code(kd_feed_pack *pack, const kd_yaml *node, feed_code *out, kd_error *err)
{
    static const char *const keys[] = { "to", "problem", NULL };
    char *buf = kd_arena_alloc(pack->arena, node->key.len + 1);
    if (!buf) return feed_no_memory(pack, err);
    feed_code code = { .text = { buf, feed_fold(node->key, false, buf) } };
    if (node->kind == KD_YAML_SCALAR) {
        bool is_null = node->is_plain && (kd_str_is(node->text, "~") || kd_str_is(node->text, "null"));
        if (!is_null) code.code = node->text;
    } else {
        KD_TRY(kd_yaml_only(node, keys, err));
        code.code = kd_yaml_text(node, "to", KD_STR(""));
        KD_TRY(kd_yaml_bool(node, "problem", false, &code.is_problem, err));
    }
    if (code.code.len > 32) return kd_yaml_fail(err, node, "a code of at most 32 bytes is expected");
    *out = code;
    return KD_OK;
}

static int by_text(const void *a, const void *b)
{
    return kd_str_cmp(((const feed_code *)a)->text, ((const feed_code *)b)->text);
}

static kd_status parse_map(kd_feed_pack *pack, const kd_yaml *map, feed_codes *out, kd_error *err)
{
    if (map->kind != KD_YAML_MAP) return kd_yaml_fail(err, map, "codes: a map of texts to codes is expected");
    if (map->count > FEED_CODES_MAX) return kd_yaml_fail(err, map, "codes: more than %d texts", FEED_CODES_MAX);
    feed_codes codes = { .name = map->key, .line = map->line, .column = map->column };
    feed_code *list = kd_arena_array(pack->arena, map->count + 1, sizeof *list);
    if (!list) return feed_no_memory(pack, err);
    for (const kd_yaml *node = map->first; node; node = node->next) {
        bool is_other = kd_str_is(node->key, "_");
        feed_code *to = is_other ? &codes.other : &list[codes.count];
        KD_TRY(parse_code(pack, node, to, err));
        if (is_other) {
            codes.has_other = true;
            continue;
        }
        if (to->text.len == 0) return kd_yaml_fail(err, node, "codes: a text is expected, not only marks");
        codes.count++;
    }
    if (codes.count) qsort(list, codes.count, sizeof *list, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < codes.count; i++) {
        bool is_same = kept && kd_str_eq(list[kept - 1].text, list[i].text);
        if (is_same && !kd_str_eq(list[kept - 1].code, list[i].code))
            return kd_yaml_fail(err, map, "codes: '%.*s' stands twice with different codes", KD_FMT(list[i].text));
        if (!is_same) list[kept++] = list[i];
    }
    codes.count = kept;
    codes.codes = list;
    *out = codes;
    return KD_OK;
}

kd_status feed_codes_parse(kd_feed_pack *pack, const kd_yaml *node, kd_error *err)
{
    if (!node) return KD_OK;
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "codes: a map of maps is expected");
    feed_codes *list = kd_arena_array(pack->arena, node->count + 1, sizeof *list);
    if (!list) return feed_no_memory(pack, err);
    for (const kd_yaml *map = node->first; map; map = map->next) {
        KD_TRY(parse_map(pack, map, &list[pack->codes_count], err));
        pack->codes_count++;
    }
    pack->codes = list;
    return KD_OK;
}
