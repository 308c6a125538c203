#include "layout.h"

const char *const sim_role_names[SIM_ROLES] = { "subject", "child", "mother", "father", "husband", "wife", "guardian" };
static const char *const STATES[] = { "living", "migrant", "away", "dead", "unborn", NULL };
static const char *const PLACES[] = { "rural", "urban", NULL };
static const char *const ROLES[] = { "subject", "child", "mother", "father", "husband", "wife", NULL };

/* A list of words (or one word) as bits. */
static kd_status read_bits(const kd_yaml *node, const char *const *words, uint8_t *out, kd_error *err)
{
    if (!node) return KD_OK;
    if (node->kind != KD_YAML_LIST) return kd_yaml_fail(err, node, "this should be a list");
    for (const kd_yaml *item = node->first; item; item = item->next) {
        size_t i = 0;
        while (words[i] && !kd_str_is(item->text, words[i])) i++;
        if (!words[i]) return kd_yaml_fail(err, item, "'%.*s' is not known here", KD_FMT(item->text));
        *out = (uint8_t)(*out | 1u << i);
    }
    return KD_OK;
}

static kd_status read_feed_names(const kd_yaml *node, const sim_layout *layout, uint32_t *out, kd_error *err)
{
    for (const kd_yaml *item = node->first; item; item = item->next) {
        size_t i = 0;
        while (i < layout->feed_count && !kd_str_eq(layout->feeds[i].name, item->text)) i++;
        if (i == layout->feed_count) return kd_yaml_fail(err, item, "there is no feed '%.*s'", KD_FMT(item->text));
        *out |= 1u << i;
    }
    return KD_OK;
}

static kd_status read_feeds(const kd_yaml *node, const sim_layout *layout, const kd_yaml *groups, uint32_t *out,
                            kd_error *err)
{
    if (!node) return KD_OK;
    if (node->kind == KD_YAML_LIST) return read_feed_names(node, layout, out, err);
    for (const kd_yaml *group = groups ? groups->first : NULL; group; group = group->next)
        if (kd_str_eq(group->key, node->text)) return read_feed_names(group, layout, out, err);
    return kd_yaml_fail(err, node, "there is no group of feeds '%.*s'", KD_FMT(node->text));
}

static kd_status read_day(const kd_yaml *rule, const char *key, int32_t *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(rule, key);
    if (!node || kd_day_parse(node->text, out)) return KD_OK;
    return kd_yaml_fail(err, node, "'%s' is a day such as 1970-01-01", key);
}

static int32_t years_before(int32_t day, int64_t years)
{
    kd_ymd date = kd_day_to_ymd(day);
    if (date.month == 2 && date.day == 29) date = (kd_ymd){ date.year, 3, 1 };
    date.year -= (int32_t)years;
    return kd_day_from_ymd(date);
}

static kd_status read_rule(const kd_yaml *node, const sim_layout *layout, const kd_yaml *groups, int32_t as_of,
                           sim_rule *out, kd_error *err)
{
    static const char *const keys[] = { "rate",        "feeds",        "roles",     "states",   "places", "born_since",
                                        "born_before", "event_before", "age_below", "age_from", NULL };
    sim_rule rule = { .born_since = KD_DAY_NONE, .born_before = KD_DAY_NONE, .event_before = KD_DAY_NONE };
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(kd_yaml_double(node, "rate", -1, &rule.rate, err));
    if (rule.rate < 0 || rule.rate > 1) return kd_yaml_fail(err, node, "a rate lies between 0 and 1");
    KD_TRY(read_feeds(kd_yaml_get(node, "feeds"), layout, groups, &rule.feeds, err));
    KD_TRY(read_bits(kd_yaml_get(node, "roles"), ROLES, &rule.roles, err));
    KD_TRY(read_bits(kd_yaml_get(node, "states"), STATES, &rule.states, err));
    KD_TRY(read_bits(kd_yaml_get(node, "places"), PLACES, &rule.places, err));
    KD_TRY(read_day(node, "born_since", &rule.born_since, err));
    KD_TRY(read_day(node, "born_before", &rule.born_before, err));
    KD_TRY(read_day(node, "event_before", &rule.event_before, err));
    int64_t below, from;
    KD_TRY(kd_yaml_int(node, "age_below", -1, &below, err));
    KD_TRY(kd_yaml_int(node, "age_from", -1, &from, err));
    if (below > 150 || from > 150) return kd_yaml_fail(err, node, "ages lie between 0 and 150");
    if (below >= 0) rule.born_since = years_before(as_of, below) + 1;
    if (from >= 0) rule.born_before = years_before(as_of, from) + 1;
    *out = rule;
    return KD_OK;
}

kd_status sim_rules_read(const kd_yaml *list, const sim_layout *layout, const kd_yaml *groups, int32_t as_of,
                         sim_rules *out, kd_error *err)
{
    sim_rules rules = { 0 };
    if (list->kind != KD_YAML_LIST) return kd_yaml_fail(err, list, "this should be a list of rules {rate: …}");
    for (const kd_yaml *item = list->first; item; item = item->next) {
        if (rules.count == SIM_RULES_MAX) return kd_yaml_fail(err, item, "more than %d rules", SIM_RULES_MAX);
        KD_TRY(read_rule(item, layout, groups, as_of, &rules.rules[rules.count++], err));
    }
    *out = rules;
    return KD_OK;
}

double sim_rules_rate(const sim_rules *rules, const sim_case *asked)
{
    for (size_t i = 0; i < rules->count; i++) {
        const sim_rule *rule = &rules->rules[i];
        bool holds = (!rule->feeds || rule->feeds >> asked->feed & 1) &&
                     (!rule->roles || rule->roles >> asked->role & 1) &&
                     (!rule->states || rule->states >> asked->state & 1) &&
                     (!rule->places || rule->places >> asked->place & 1) &&
                     (rule->born_since == KD_DAY_NONE || asked->birth_day >= rule->born_since) &&
                     (rule->born_before == KD_DAY_NONE || asked->birth_day < rule->born_before) &&
                     (rule->event_before == KD_DAY_NONE || asked->event_day < rule->event_before);
        if (holds) return rule->rate;
    }
    return 0;
}

void sim_rules_narrow(const sim_rules *rules, uint32_t feed, uint8_t role, sim_rules *out)
{
    out->count = 0;
    for (size_t i = 0; i < rules->count; i++) {
        sim_rule rule = rules->rules[i];
        if (rule.feeds && !(rule.feeds >> feed & 1)) continue;
        if (rule.roles && !(rule.roles >> role & 1)) continue;
        rule.feeds = 0;
        rule.roles = 0;
        out->rules[out->count++] = rule;
    }
}
