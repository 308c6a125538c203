#include "survive.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_BYTES_MAX = 8 << 20, ROLES_MAX = 8, TRUST_MAX = 100, SOURCES_MAX = 256 };

typedef enum { METHOD_VOTE, METHOD_MOST_RECENT } method;

typedef struct {
    method method;
    int incomplete, identity;
    bool is_conflict;
    uint8_t *trust; /* of source id * ROLES_MAX + role */
} rule;

struct kd_survivorship {
    kd_arena *arena;
    kd_str version;
    size_t feed_count;
    rule rules[KD_ATTR_COUNT];
};

/* ---- reading the pack ---- */

static kd_status read_trust_value(const kd_yaml *node, uint8_t *out, kd_error *err)
{
    int64_t value;
    if (node->kind != KD_YAML_SCALAR || !kd_str_int(node->text, &value) || value < 0 || value > TRUST_MAX)
        return kd_yaml_fail(err, node, "trust is a whole number from 0 to %d", TRUST_MAX);
    *out = (uint8_t)value;
    return KD_OK;
}

/* "birth_certificate.child" → feed and role; role 0 stands for every role. */
static bool split_feed(kd_str key, kd_str *out_feed, kd_role *out_role)
{
    ptrdiff_t dot = kd_str_find(key, KD_STR("."));
    *out_role = (kd_role)0;
    *out_feed = dot < 0 ? key : kd_str_sub(key, 0, (size_t)dot);
    return dot < 0 || kd_role_read(kd_str_sub(key, (size_t)dot + 1, key.len), out_role);
}

static kd_status read_trust(const kd_yaml *node, const kd_str *feeds, size_t feed_count, rule *out, kd_error *err)
{
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "trust: a map of feed to number is expected here");
    uint8_t otherwise = 0;
    const kd_yaml *fallback = kd_yaml_get(node, "default");
    if (fallback) KD_TRY(read_trust_value(fallback, &otherwise, err));
    memset(out->trust, otherwise, feed_count * ROLES_MAX);
    for (int pass = 0; pass < 2; pass++) { /* a feed's role counts before the feed, wherever it stands */
        for (const kd_yaml *child = node->first; child; child = child->next) {
            kd_str feed;
            kd_role role;
            uint8_t value = 0;
            if (child == fallback) continue;
            if (!split_feed(child->key, &feed, &role)) return kd_yaml_fail(err, child, "there is no such role");
            KD_TRY(read_trust_value(child, &value, err));
            if ((role != 0) != (pass == 1)) continue;
            for (size_t i = 0; i < feed_count; i++) {
                if (!kd_str_eq(feeds[i], feed)) continue;
                for (size_t r = 0; r < ROLES_MAX; r++)
                    if (role == 0 || r == (size_t)role) out->trust[i * ROLES_MAX + r] = value;
            }
        }
    }
    return KD_OK;
}

static kd_status read_rule(const kd_yaml *node, const kd_str *feeds, size_t feed_count, rule *out, kd_error *err)
{
    static const char *const keys[] = { "method", "trust", "incomplete", "identity", "conflict", NULL };
    KD_TRY(kd_yaml_only(node, keys, err));
    kd_str name = kd_yaml_text(node, "method", KD_STR("vote"));
    if (!kd_str_is(name, "vote") && !kd_str_is(name, "most_recent"))
        return kd_yaml_fail(err, kd_yaml_get(node, "method"), "method: vote or most_recent is expected here");
    out->method = kd_str_is(name, "vote") ? METHOD_VOTE : METHOD_MOST_RECENT;
    int64_t incomplete, identity;
    KD_TRY(kd_yaml_int(node, "incomplete", 1, &incomplete, err));
    KD_TRY(kd_yaml_int(node, "identity", 0, &identity, err));
    if (incomplete < 0 || incomplete > TRUST_MAX || identity < 0 || identity > TRUST_MAX)
        return kd_yaml_fail(err, node, "trust is a whole number from 0 to %d", TRUST_MAX);
    out->incomplete = (int)incomplete;
    out->identity = (int)identity;
    KD_TRY(kd_yaml_bool(node, "conflict", true, &out->is_conflict, err));
    const kd_yaml *trust = kd_yaml_get(node, "trust");
    if (!trust) return kd_yaml_fail(err, node, "trust: is missing");
    return read_trust(trust, feeds, feed_count, out, err);
}

static kd_status read_rules(kd_survivorship *s, const kd_yaml *root, const kd_str *feeds, kd_error *err)
{
    static const char *const keys[] = { "version", "attributes", NULL };
    KD_TRY(kd_yaml_only(root, keys, err));
    s->version = kd_yaml_text(root, "version", (kd_str){ NULL, 0 });
    const kd_yaml *attributes = kd_yaml_get(root, "attributes");
    if (!s->version.len || !attributes) return kd_yaml_fail(err, root, "version: and attributes: are needed");
    for (const kd_yaml *child = attributes->first; child; child = child->next) {
        kd_attribute attribute = kd_attribute_read(child->key);
        if (attribute == KD_ATTR_NONE) return kd_yaml_fail(err, child, "a person has no attribute of this name");
        KD_TRY(read_rule(child, feeds, s->feed_count, &s->rules[attribute], err));
    }
    for (int i = 0; i < KD_ATTR_COUNT; i++)
        if (!kd_yaml_get(attributes, kd_attribute_name((kd_attribute)i)))
            return kd_yaml_fail(err, attributes, "%s: has no rule", kd_attribute_name((kd_attribute)i));
    return KD_OK;
}

kd_status kd_survivorship_load(const char *path, const kd_str *feeds, size_t feed_count, kd_survivorship **out_rules,
                               kd_error *err)
{
    if (feed_count > SOURCES_MAX)
        return kd_fail(err, KD_LIMIT, "", "%zu feeds are more than a register takes (%d)", feed_count, SOURCES_MAX);
    kd_arena *arena = kd_arena_new(RULES_BYTES_MAX);
    kd_survivorship *s = arena ? kd_arena_alloc(arena, sizeof *s) : NULL;
    const kd_yaml *root = NULL;
    kd_status status = s ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the survivorship rules");
    for (int i = 0; status == KD_OK && i < KD_ATTR_COUNT; i++)
        if (!(s->rules[i].trust = kd_arena_alloc(arena, (feed_count + 1) * ROLES_MAX)))
            status = kd_fail(err, KD_LIMIT, "", "no memory for the survivorship rules");
    if (status == KD_OK) {
        s->arena = arena;
        s->feed_count = feed_count;
        status = kd_yaml_load(arena, path, &root, err);
    }
    if (status == KD_OK) status = read_rules(s, root, feeds, err);
    if (status != KD_OK) {
        kd_arena_free(arena);
        return status;
    }
    *out_rules = s;
    return KD_OK;
}

void kd_survivorship_free(kd_survivorship *rules)
{
    if (rules) kd_arena_free(rules->arena);
}

kd_str kd_survivorship_version(const kd_survivorship *rules)
{
    return rules->version;
}

const char *kd_survivorship_method(const kd_survivorship *rules, kd_attribute attribute)
{
    return rules->rules[attribute].method == METHOD_VOTE ? "vote" : "most_recent";
}

bool kd_survivorship_conflicts(const kd_survivorship *rules, kd_attribute attribute)
{
    return rules->rules[attribute].is_conflict;
}

int kd_survivorship_trust(const kd_survivorship *rules, kd_attribute attribute, int32_t source_id, kd_role role)
{
    if (source_id < 0 || (size_t)source_id >= rules->feed_count || (unsigned)role >= ROLES_MAX) return 0;
    return rules->rules[attribute].trust[(size_t)source_id * ROLES_MAX + (size_t)role];
}

/* ---- choosing ---- */

static kd_competing *find_value(kd_choice *choice, kd_attribute attribute, const kd_value_of *value)
{
    for (size_t i = 0; i < choice->count; i++)
        if (kd_value_same(attribute, &choice->values[i].value, value)) return &choice->values[i];
    return NULL;
}

static kd_competing *add_value(kd_choice *choice, kd_attribute attribute, const kd_value_of *value, uint32_t first)
{
    kd_competing *found = find_value(choice, attribute, value);
    if (found || choice->count == KD_COMPETING_MAX) return found;
    found = &choice->values[choice->count++];
    *found = (kd_competing){ .value = *value, .latest_day = KD_DAY_NONE, .first = first };
    return found;
}

/* A feed that repeats itself counts once: the best of its records in this person that hold the value. */
static void count_records(const kd_survivorship *rules, kd_attribute attribute, const kd_source_record *records,
                          size_t count, kd_choice *choice)
{
    const rule *r = &rules->rules[attribute];
    uint8_t best_of[KD_COMPETING_MAX][SOURCES_MAX]; /* a value's row is cleared when the value is first seen */
    for (uint32_t i = 0; i < count; i++) {
        kd_value_of value = kd_attribute_of(&records[i], attribute);
        if (!value.is_there) continue;
        int trust = kd_survivorship_trust(rules, attribute, records[i].source_id, records[i].role);
        if (value.is_incomplete && trust > r->incomplete) trust = r->incomplete;
        if (trust == 0) continue;
        size_t before = choice->count;
        kd_competing *c = add_value(choice, attribute, &value, i);
        if (!c) continue;
        uint8_t *best = best_of[c - choice->values];
        if (choice->count > before) memset(best, 0, SOURCES_MAX);
        best += records[i].source_id;
        c->records++;
        if (records[i].recorded_day > c->latest_day) c->latest_day = records[i].recorded_day;
        if (*best == 0) c->feeds++;
        if (trust <= *best) continue;
        c->score = r->method == METHOD_VOTE ? c->score + trust - *best : trust > c->score ? trust : c->score;
        *best = (uint8_t)trust;
    }
}

static void ask_identity(const rule *r, kd_attribute attribute, const kd_identity *identity, kd_choice *choice)
{
    if (!identity || !r->identity) return;
    kd_value_of said = { 0 };
    if (attribute == KD_ATTR_BIRTH_DAY && identity->birth_day != KD_DAY_NONE)
        said = (kd_value_of){ .number = identity->birth_day, .is_there = true };
    if (attribute == KD_ATTR_SEX && identity->sex) said = (kd_value_of){ .number = identity->sex, .is_there = true };
    if (!said.is_there) return;
    kd_competing *c = add_value(choice, attribute, &said, UINT32_MAX);
    if (!c) return;
    c->score += r->identity;
    c->by_identity = true;
}

static int compare_value(kd_attribute attribute, const kd_value_of *a, const kd_value_of *b)
{
    if (kd_attribute_kind_of(attribute) == KD_ATTR_IS_TEXT) return kd_str_cmp(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

/* Negative when `a` comes first. A total order, so that the records' order does not matter. */
static int compare(const rule *r, kd_attribute attribute, const kd_competing *a, const kd_competing *b)
{
    if (a->is_decided != b->is_decided) return a->is_decided ? -1 : 1;
    if (a->value.is_incomplete != b->value.is_incomplete) return a->value.is_incomplete ? 1 : -1;
    int by_score = (a->score < b->score) - (a->score > b->score);
    int by_day = (a->latest_day < b->latest_day) - (a->latest_day > b->latest_day);
    int first = r->method == METHOD_VOTE ? by_score : by_day, second = r->method == METHOD_VOTE ? by_day : by_score;
    if (first) return first;
    if (second) return second;
    if (a->records != b->records) return a->records > b->records ? -1 : 1;
    return compare_value(attribute, &a->value, &b->value);
}

static void sort_values(const rule *r, kd_attribute attribute, kd_choice *choice)
{
    for (size_t i = 1; i < choice->count; i++) { /* few values: insertion is quickest */
        kd_competing moving = choice->values[i];
        size_t at = i;
        for (; at > 0 && compare(r, attribute, &moving, &choice->values[at - 1]) < 0; at--)
            choice->values[at] = choice->values[at - 1];
        choice->values[at] = moving;
    }
}

void kd_survive_choose(const kd_survivorship *rules, kd_attribute attribute, const kd_source_record *records,
                       size_t count, const kd_decided_value *decided, size_t decided_count, const kd_identity *identity,
                       kd_choice *out_choice)
{
    const rule *r = &rules->rules[attribute];
    out_choice->count = 0;
    out_choice->is_conflict = false;
    count_records(rules, attribute, records, count, out_choice);
    ask_identity(r, attribute, identity, out_choice);
    for (size_t i = 0; i < decided_count; i++) {
        if (decided[i].attribute != attribute) continue;
        kd_value_of value = kd_value_parse(attribute, decided[i].value);
        if (!value.is_there) continue;
        for (size_t k = 0; k < out_choice->count; k++)
            out_choice->values[k].is_decided = false; /* the last word counts */
        kd_competing *c = add_value(out_choice, attribute, &value, UINT32_MAX);
        if (c) c->is_decided = true;
    }
    sort_values(r, attribute, out_choice);
    size_t complete = 0;
    for (size_t i = 0; i < out_choice->count; i++) complete += !out_choice->values[i].value.is_incomplete;
    out_choice->is_conflict =
        r->is_conflict && complete > 1 && !(out_choice->count && out_choice->values[0].is_decided);
}
