/* `checks:` of a pack. */
#include "exchange/pack.h"

#include <string.h>

static const struct {
    const char *key;
    check_kind kind;
} conditions[] = {
    { "when_empty", CHECK_EMPTY },
    { "when_all_empty", CHECK_EMPTY },
    { "when_after_today", CHECK_AFTER_TODAY },
    { "when_before", CHECK_BEFORE },
    { "when_identity_bad", CHECK_IDENTITY_BAD },
    { "when_sex_differs_from_identity", CHECK_SEX_DIFFERS },
    { "when_birth_differs_from_identity", CHECK_BIRTH_DIFFERS },
};
enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

static bool is_day_field(feed_field field)
{
    return field == FIELD_BIRTH_DAY || field == FIELD_DEATH_DAY || field == FIELD_EVENT_DAY ||
           field == FIELD_RECORDED_DAY;
}

static kd_status one_target(const kd_feed_pack *pack, feed_check *check, const kd_yaml *node, kd_error *err)
{
    feed_target target = { EVERY_RECORD, FIELDS };
    KD_TRY(feed_target_parse(pack, node, &target, err));
    if (target.record == EVERY_RECORD) target.record = 0; /* every record of the row has the same */
    if (check->kind != CHECK_EMPTY && !is_day_field(target.field))
        return kd_yaml_fail(err, node, "'%s' is no day", feed_field_name(target.field));
    if (check->target_count == FEED_TARGETS_MAX) return kd_yaml_fail(err, node, "too many fields");
    check->targets[check->target_count++] = target;
    return KD_OK;
}

static kd_status role_target(const kd_feed_pack *pack, feed_check *check, const kd_yaml *node, kd_error *err)
{
    kd_role role;
    if (node->kind == KD_YAML_SCALAR && kd_role_read(node->text, &role))
        for (size_t i = 0; i < pack->info.record_count; i++)
            if (pack->info.records[i] == role)
                check->targets[check->target_count++] = (feed_target){ (int)i, FIELD_IDENTITY_NUMBER };
    return check->target_count ? KD_OK : kd_yaml_fail(err, node, "one of the roles in 'records' is expected");
}

static kd_status day_target(const kd_feed_pack *pack, feed_check *check, const kd_yaml *node, kd_error *err)
{
    static const char *const keys[] = { "field", "day", NULL };
    KD_TRY(kd_yaml_only(node, keys, err));
    const kd_yaml *field = kd_yaml_get(node, "field");
    if (!field) return kd_yaml_fail(err, node, "'field' is missing");
    KD_TRY(one_target(pack, check, field, err));
    if (!kd_day_parse(kd_yaml_text(node, "day", KD_STR("")), &check->day))
        return kd_yaml_fail(err, kd_yaml_get(node, "day") ? kd_yaml_get(node, "day") : node,
                            "day: a date such as 1900-01-01 is expected");
    return KD_OK;
}

static kd_status parse_condition(const kd_feed_pack *pack, feed_check *check, const kd_yaml *node, kd_error *err)
{
    switch (check->kind) {
    case CHECK_EMPTY:
    case CHECK_AFTER_TODAY:
        if (node->kind != KD_YAML_LIST) return one_target(pack, check, node, err);
        if (node->count == 0) return kd_yaml_fail(err, node, "a field is expected");
        for (const kd_yaml *field = node->first; field; field = field->next)
            KD_TRY(one_target(pack, check, field, err));
        return KD_OK;
    case CHECK_BEFORE: return day_target(pack, check, node, err);
    default: return role_target(pack, check, node, err);
    }
}

static kd_status parse_action(feed_check *check, const kd_yaml *map, kd_error *err)
{
    kd_str word = kd_yaml_text(map, "do", KD_STR(""));
    const kd_yaml *place = kd_yaml_get(map, "do") ? kd_yaml_get(map, "do") : map;
    if (kd_str_is(word, "reject")) {
        check->action = DO_REJECT;
    } else if (kd_str_is(word, "warn")) {
        check->action = DO_WARN;
    } else if (kd_str_is(word, "drop_record")) {
        check->action = DO_DROP_RECORD;
    } else {
        return kd_yaml_fail(err, place, "do: reject, warn or drop_record is expected");
    }
    if (check->action != DO_DROP_RECORD) return KD_OK;
    for (size_t i = 1; i < check->target_count; i++)
        if (check->targets[i].record != check->targets[0].record)
            return kd_yaml_fail(err, place, "do: drop_record needs fields of one role");
    return KD_OK;
}

static kd_status parse_check(const kd_feed_pack *pack, const kd_yaml *map, feed_check *out, kd_error *err)
{
    static const char *const keys[] = { "when_empty",
                                        "when_all_empty",
                                        "when_after_today",
                                        "when_before",
                                        "when_identity_bad",
                                        "when_sex_differs_from_identity",
                                        "do",
                                        "when_birth_differs_from_identity",
                                        "zh",
                                        "en",
                                        NULL };
    KD_TRY(kd_yaml_only(map, keys, err));
    feed_check check = { .day = KD_DAY_NONE };
    const kd_yaml *condition = NULL;
    for (size_t i = 0; i < CONDITIONS; i++) {
        const kd_yaml *node = kd_yaml_get(map, conditions[i].key);
        if (!node) continue;
        if (condition) return kd_yaml_fail(err, node, "a check has one condition: make two checks");
        condition = node;
        check.kind = conditions[i].kind;
    }
    if (!condition) return kd_yaml_fail(err, map, "a condition is missing, such as when_empty: child.name");
    KD_TRY(parse_condition(pack, &check, condition, err));
    KD_TRY(parse_action(&check, map, err));
    check.zh = kd_str_trim(kd_yaml_text(map, "zh", KD_STR("")));
    check.en = kd_str_trim(kd_yaml_text(map, "en", KD_STR("")));
    if (check.zh.len == 0 || check.en.len == 0)
        return kd_yaml_fail(err, map, "'zh' and 'en' are needed: people read the reason in either language");
    *out = check;
    return KD_OK;
}

kd_status feed_checks_parse(kd_feed_pack *pack, const kd_yaml *node, kd_error *err)
{
    if (!node) return KD_OK;
    if (node->kind != KD_YAML_LIST) return kd_yaml_fail(err, node, "checks: a list is expected");
    if (node->count > FEED_CHECKS_MAX) return kd_yaml_fail(err, node, "checks: more than %d", FEED_CHECKS_MAX);
    feed_check *list = kd_arena_array(pack->arena, node->count + 1, sizeof *list);
    if (!list) return feed_no_memory(pack, err);
    for (const kd_yaml *map = node->first; map; map = map->next) {
        KD_TRY(parse_check(pack, map, &list[pack->check_count], err));
        pack->check_count++;
    }
    pack->checks = list;
    return KD_OK;
}
