/* Reading the pack of cross-source checks. */
#include "checks.h"

#include <string.h>

enum { SEVERITY_MAX = 3, ROLES_MAX = 16, DAYS_MAX = 40000, WORD_BYTES_MAX = 64, TEXT_BYTES_MAX = 600 };

struct kd_checks {
    kd_arena *arena;
    kd_str version;
    const kd_str *feeds;
    size_t feed_count;
    int due_days[SEVERITY_MAX + 1];
    kd_check_role roles[ROLES_MAX];
    size_t role_count;
    kd_check checks[KD_CHECKS_MAX];
    size_t count;
};

static const char NEVER[] =
    "a check compares what sources say of one person; pregnancies, births, children and parents "
    "are never counted, ranked or asked for (guarantees G1, G4)";

/* ---- small parts ---- */

static kd_status read_text(const kd_yaml *map, const char *key, size_t bytes_max, kd_str *out, kd_error *err)
{
    kd_str text = kd_yaml_text(map, key, (kd_str){ NULL, 0 });
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!text.len) return kd_yaml_fail(err, node ? node : map, "%s: is missing", key);
    if (text.len > bytes_max) return kd_yaml_fail(err, node, "%s: longer than %zu bytes", key, bytes_max);
    *out = text;
    return KD_OK;
}

/* A name that stands in tables and on the command line. */
static kd_status read_word(const kd_yaml *node, kd_str text, kd_error *err)
{
    bool is_word = text.len > 0 && text.len <= WORD_BYTES_MAX;
    for (size_t i = 0; i < text.len && is_word; i++) {
        char c = text.ptr[i];
        is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
    return is_word ? KD_OK : kd_yaml_fail(err, node, "a name of small letters, digits and _ is expected here");
}

static kd_status read_titles(const kd_yaml *map, const char *key, kd_str *out_zh, kd_str *out_en, kd_error *err)
{
    static const char *const keys[] = { "zh", "en", NULL };
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node) return kd_yaml_fail(err, map, "%s: is missing", key);
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(read_text(node, "zh", TEXT_BYTES_MAX, out_zh, err));
    return read_text(node, "en", TEXT_BYTES_MAX, out_en, err);
}

static kd_status read_int(const kd_yaml *map, const char *key, int64_t otherwise, int64_t low, int64_t high, int *out,
                          kd_error *err)
{
    int64_t value;
    KD_TRY(kd_yaml_int(map, key, otherwise, &value, err));
    const kd_yaml *node = kd_yaml_get(map, key);
    if (value < low || value > high) {
        if (!node) return kd_yaml_fail(err, map, "%s: is missing", key);
        return kd_yaml_fail(err, node, "%s: a number from %lld to %lld is expected here", key, (long long)low,
                            (long long)high);
    }
    *out = (int)value;
    return KD_OK;
}

static kd_status list_of(const kd_yaml *map, const char *key, const kd_yaml **out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node) {
        kd_yaml_fail(err, map, "%s: is missing", key);
        return KD_INVALID;
    }
    if (node->kind != KD_YAML_LIST || !node->count) {
        kd_yaml_fail(err, node, "%s: a list is expected here", key);
        return KD_INVALID;
    }
    for (const kd_yaml *item = node->first; item; item = item->next) {
        if (item->kind == KD_YAML_SCALAR) continue;
        kd_yaml_fail(err, item, "%s: a word is expected here", key);
        return KD_INVALID;
    }
    *out = node;
    return KD_OK;
}

/* ---- which records a check looks at ---- */

static const uint8_t ROLES_SEEN =
    1 << KD_ROLE_SUBJECT | 1 << KD_ROLE_CHILD | 1 << KD_ROLE_HUSBAND | 1 << KD_ROLE_WIFE; /* nobody as a parent */

static kd_status add_feed(const kd_checks *checks, const kd_yaml *item, kd_feed_set *set, bool *is_of_children,
                          kd_error *err)
{
    kd_str feed = item->text;
    uint8_t roles = ROLES_SEEN;
    ptrdiff_t dot = kd_str_find(feed, KD_STR("."));
    if (dot >= 0) {
        kd_role role;
        if (!kd_role_read(kd_str_sub(feed, (size_t)dot + 1, feed.len), &role))
            return kd_yaml_fail(err, item, "there is no such role");
        roles = (uint8_t)(1u << role);
        feed = kd_str_sub(feed, 0, (size_t)dot);
    }
    if (!(roles & ROLES_SEEN)) {
        kd_yaml_fail(err, item, "nobody is looked at as a mother or father");
        kd_hint(err, "%s", NEVER);
        return KD_INVALID;
    }
    KD_TRY(read_word(item, feed, err));
    if (roles & 1 << KD_ROLE_CHILD) *is_of_children = true;
    for (size_t i = 0; i < checks->feed_count; i++)
        if (kd_str_eq(checks->feeds[i], feed)) set->roles[i] |= roles;
    return KD_OK;
}

static kd_status read_feeds(const kd_checks *checks, const kd_yaml *map, const char *key, kd_feed_set *set,
                            bool *is_of_children, kd_error *err)
{
    const kd_yaml *list = NULL;
    KD_TRY(list_of(map, key, &list, err));
    for (const kd_yaml *item = list->first; item; item = item->next)
        KD_TRY(add_feed(checks, item, set, is_of_children, err));
    return KD_OK;
}

static const char *const STATUSES[] = { "active", "cancelled", "dead", "moved_out", "married", "divorced" };

uint32_t kd_status_bit(kd_str word)
{
    for (unsigned i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++)
        if (kd_str_is(word, STATUSES[i])) return 1u << i;
    return 0;
}

const char *kd_status_word(uint32_t statuses)
{
    return STATUSES[__builtin_ctz(statuses)];
}

static kd_status read_statuses(const kd_yaml *map, const char *key, uint32_t *out, kd_error *err)
{
    const kd_yaml *list = NULL;
    uint32_t bits = 0;
    KD_TRY(list_of(map, key, &list, err));
    for (const kd_yaml *item = list->first; item; item = item->next) {
        uint32_t bit = kd_status_bit(item->text);
        if (!bit)
            return kd_yaml_fail(err, item, "active, cancelled, dead, moved_out, married or divorced is expected here");
        bits |= bit;
    }
    *out = bits;
    return KD_OK;
}

/* ---- each kind of question ---- */

static kd_status read_attribute(const kd_yaml *node, kd_check *check, kd_error *err)
{
    static const kd_attribute askable[] = { KD_ATTR_NAME, KD_ATTR_SEX, KD_ATTR_BIRTH_DAY, KD_ATTR_DEATH_DAY,
                                            KD_ATTR_IDENTITY_NUMBER };
    kd_str name = { NULL, 0 };
    KD_TRY(read_text(node, "attribute", WORD_BYTES_MAX, &name, err));
    for (size_t i = 0; i < sizeof askable / sizeof askable[0]; i++)
        if (kd_str_is(name, kd_attribute_name(askable[i]))) check->attribute = askable[i];
    if (check->attribute != KD_ATTR_NONE) return KD_OK;
    kd_yaml_fail(err, kd_yaml_get(node, "attribute"),
                 "name, sex, birth_day, death_day or identity_number is expected here");
    kd_hint(err, "%s", NEVER);
    return KD_INVALID;
}

static kd_status read_tolerances(const kd_yaml *node, kd_check *check, kd_error *err)
{
    const kd_yaml *list = NULL;
    if (!kd_yaml_get(node, "tolerate")) return KD_OK;
    KD_TRY(list_of(node, "tolerate", &list, err));
    for (const kd_yaml *item = list->first; item; item = item->next) {
        bool is_day = kd_attribute_kind_of(check->attribute) == KD_ATTR_IS_DAY;
        if (kd_str_is(item->text, "incomplete")) {
            check->tolerates_incomplete = true;
        } else if (kd_str_is(item->text, "lunar") && is_day) {
            check->tolerates_lunar = true;
        } else if (kd_str_is(item->text, "same_sound") && check->attribute == KD_ATTR_NAME) {
            check->tolerates_same_sound = true;
        } else {
            return kd_yaml_fail(err, item, "incomplete, lunar (of a day) or same_sound (of a name) is expected here");
        }
    }
    return KD_OK;
}

/* "01-01": month and day in any year; checked in a leap year so that 29 February counts. */
static kd_status read_placeholders(const kd_yaml *node, kd_check *check, kd_error *err)
{
    const kd_yaml *list = NULL;
    if (!kd_yaml_get(node, "placeholder_days")) return KD_OK;
    KD_TRY(list_of(node, "placeholder_days", &list, err));
    for (const kd_yaml *item = list->first; item; item = item->next) {
        char whole[] = "2000-00-00";
        int32_t day;
        if (check->placeholder_count == KD_CHECK_PLACEHOLDERS_MAX)
            return kd_yaml_fail(err, item, "at most %d placeholder days", KD_CHECK_PLACEHOLDERS_MAX);
        bool is_fit = item->text.len == 5;
        if (is_fit) memcpy(whole + 5, item->text.ptr, 5);
        if (!is_fit || !kd_day_parse(kd_str_of(whole), &day))
            return kd_yaml_fail(err, item, "a day of the year as \"01-01\" is expected here");
        kd_ymd date = kd_day_to_ymd(day);
        check->placeholder_month[check->placeholder_count] = date.month;
        check->placeholder_day[check->placeholder_count++] = date.day;
    }
    return KD_OK;
}

static kd_status read_differing(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children,
                                kd_error *err)
{
    (void)checks;
    (void)is_of_children;
    KD_TRY(read_attribute(node, check, err));
    KD_TRY(read_int(node, "trust_min", 0, 0, 10000, &check->trust_min, err));
    KD_TRY(read_tolerances(node, check, err));
    return read_placeholders(node, check, err);
}

static kd_status read_pair(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children, kd_error *err)
{
    (void)checks;
    (void)is_of_children;
    return kd_yaml_double(node, "weight_min", -1000, &check->weight_min, err);
}

static kd_status read_shared(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children,
                             kd_error *err)
{
    (void)checks;
    (void)is_of_children;
    KD_TRY(read_text(node, "identifier", WORD_BYTES_MAX, &check->identifier, err));
    if (kd_str_is(check->identifier, "identity_number")) {
        check->attribute = KD_ATTR_IDENTITY_NUMBER;
        return KD_OK;
    }
    if (kd_str_is(check->identifier, "certificate_no")) return KD_OK;
    kd_yaml_fail(err, kd_yaml_get(node, "identifier"), "identity_number or certificate_no is expected here");
    kd_hint(err, "%s", NEVER);
    return KD_INVALID;
}

static kd_status read_counted_from(const kd_yaml *node, kd_check *check, kd_error *err)
{
    static const char *const names[] = { "birth_day", "event_day", "recorded_day" };
    kd_str name = kd_yaml_text(node, "counted_from", KD_STR("birth_day"));
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!kd_str_is(name, names[i])) continue;
        check->counted_from = (kd_counted_from)i;
        return KD_OK;
    }
    return kd_yaml_fail(err, kd_yaml_get(node, "counted_from"),
                        "birth_day, event_day or recorded_day is expected here");
}

static kd_status read_missing(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children,
                              kd_error *err)
{
    bool ignored = false;
    KD_TRY(read_feeds(checks, node, "known_to", &check->known_to, is_of_children, err));
    const kd_yaml *unknown = kd_yaml_get(node, "unknown_to");
    check->unknown_to_others = unknown && unknown->kind == KD_YAML_SCALAR && kd_str_is(unknown->text, "others");
    if (!check->unknown_to_others) KD_TRY(read_feeds(checks, node, "unknown_to", &check->unknown_to, &ignored, err));
    KD_TRY(read_counted_from(node, check, err));
    KD_TRY(read_int(node, "after_days", -1, 0, DAYS_MAX, &check->after_days, err));
    KD_TRY(read_int(node, "within_days", 0, 0, DAYS_MAX, &check->within_days, err));
    if (kd_yaml_get(node, "unless_status")) KD_TRY(read_statuses(node, "unless_status", &check->unless_statuses, err));
    return KD_OK;
}

static kd_status read_side(kd_checks *checks, const kd_yaml *node, const char *key, kd_feed_set *set, uint32_t *status,
                           bool *is_of_children, kd_error *err)
{
    static const char *const keys[] = { "feeds", "status", NULL };
    const kd_yaml *side = kd_yaml_get(node, key);
    bool has_children = false;
    if (!side) return kd_yaml_fail(err, node, "%s: is missing", key);
    KD_TRY(kd_yaml_only(side, keys, err));
    KD_TRY(read_feeds(checks, side, "feeds", set, &has_children, err));
    (void)is_of_children; /* what a status says concerns the person, not a birth */
    return read_statuses(side, "status", status, err);
}

static kd_status read_contradiction(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children,
                                    kd_error *err)
{
    KD_TRY(read_side(checks, node, "says", &check->known_to, &check->statuses, is_of_children, err));
    KD_TRY(read_side(checks, node, "but", &check->unknown_to, &check->but_statuses, is_of_children, err));
    return read_int(node, "after_days", -1, 0, DAYS_MAX, &check->after_days, err);
}

static kd_status read_partner(kd_checks *checks, const kd_yaml *node, kd_check *check, bool *is_of_children,
                              kd_error *err)
{
    const kd_yaml *sides = NULL;
    (void)is_of_children;
    bool ignored = false;
    KD_TRY(read_feeds(checks, node, "feeds", &check->known_to, &ignored, err));
    KD_TRY(list_of(node, "sides", &sides, err));
    if (sides->count != 2) return kd_yaml_fail(err, sides, "sides: two roles are expected here");
    size_t i = 0;
    for (const kd_yaml *item = sides->first; item; item = item->next, i++) {
        bool is_role = kd_role_read(item->text, &check->sides[i]);
        if (is_role && (check->sides[i] == KD_ROLE_HUSBAND || check->sides[i] == KD_ROLE_WIFE)) continue;
        kd_yaml_fail(err, item, "husband or wife is expected here");
        kd_hint(err, "a child without a recorded father is complete (guarantees G1, G4)");
        return KD_INVALID;
    }
    return check->sides[0] != check->sides[1] ? KD_OK : kd_yaml_fail(err, sides, "sides: two different roles");
}

/* ---- one check ---- */

#define COMMON_KEYS "kind", "title", "ask", "offer", "severity", "role", "level", "due_days", "find"
static const struct {
    const char *name;
    const char *keys[20];
    kd_status (*read)(kd_checks *, const kd_yaml *, kd_check *, bool *, kd_error *);
} FINDS[] = {
    [KD_FIND_DIFFERING] = { "differing",
                            { COMMON_KEYS, "attribute", "trust_min", "tolerate", "placeholder_days", NULL },
                            read_differing },
    [KD_FIND_DOUBTFUL_PAIR] = { "doubtful_pair", { COMMON_KEYS, "weight_min", NULL }, read_pair },
    [KD_FIND_SHARED_VALUE] = { "shared_value", { COMMON_KEYS, "identifier", NULL }, read_shared },
    [KD_FIND_MISSING] = { "missing",
                          { COMMON_KEYS, "known_to", "unknown_to", "counted_from", "after_days", "within_days",
                            "unless_status", NULL },
                          read_missing },
    [KD_FIND_CONTRADICTION] = { "contradiction",
                                { COMMON_KEYS, "says", "but", "after_days", NULL },
                                read_contradiction },
    [KD_FIND_PARTNER_UNKNOWN] = { "partner_unknown", { COMMON_KEYS, "feeds", "sides", NULL }, read_partner },
};
enum { FIND_COUNT = sizeof FINDS / sizeof FINDS[0] };

static kd_status read_find(const kd_yaml *node, kd_check *check, kd_error *err)
{
    kd_str name = { NULL, 0 };
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "a check is a map");
    KD_TRY(read_text(node, "find", WORD_BYTES_MAX, &name, err));
    for (unsigned i = 0; i < FIND_COUNT; i++) {
        if (!kd_str_is(name, FINDS[i].name)) continue;
        check->find = (kd_find)i;
        return KD_OK;
    }
    kd_yaml_fail(err, kd_yaml_get(node, "find"),
                 "differing, doubtful_pair, shared_value, missing, contradiction or partner_unknown is expected here");
    kd_hint(err, "%s", NEVER);
    return KD_INVALID;
}

static kd_status read_level(const kd_yaml *node, kd_check *check, kd_error *err)
{
    static const struct {
        const char *name;
        kd_division_level level;
    } levels[] = { { "village", KD_LEVEL_VILLAGE }, { "township", KD_LEVEL_TOWNSHIP }, { "county", KD_LEVEL_COUNTY } };
    kd_str name = { NULL, 0 };
    KD_TRY(read_text(node, "level", WORD_BYTES_MAX, &name, err));
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (!kd_str_is(name, levels[i].name)) continue;
        check->level = levels[i].level;
        return KD_OK;
    }
    return kd_yaml_fail(err, kd_yaml_get(node, "level"), "village, township or county is expected here");
}

static kd_status read_who_and_when(const kd_checks *checks, const kd_yaml *node, kd_check *check, kd_error *err)
{
    KD_TRY(read_int(node, "severity", 0, 1, SEVERITY_MAX, &check->severity, err));
    KD_TRY(read_int(node, "due_days", checks->due_days[check->severity], 1, DAYS_MAX, &check->due_days, err));
    KD_TRY(read_text(node, "role", WORD_BYTES_MAX, &check->role, err));
    if (!kd_checks_role(checks, check->role))
        return kd_yaml_fail(err, kd_yaml_get(node, "role"), "this role does not stand under roles:");
    return read_level(node, check, err);
}

static kd_status read_offer(const kd_yaml *node, bool is_of_children, kd_check *check, kd_error *err)
{
    if (kd_yaml_get(node, "offer")) return read_titles(node, "offer", &check->offer_zh, &check->offer_en, err);
    if (!is_of_children) return KD_OK;
    kd_yaml_fail(err, node, "offer: is missing");
    kd_hint(err, "a task about a birth is an offer of help and says so (guarantee G4)");
    return KD_INVALID;
}

static kd_status read_check(kd_checks *checks, const kd_yaml *node, kd_error *err)
{
    if (checks->count == KD_CHECKS_MAX) return kd_yaml_fail(err, node, "at most %d checks", KD_CHECKS_MAX);
    kd_check *check = &checks->checks[checks->count];
    check->attribute = KD_ATTR_NONE;
    bool is_of_children = false;
    KD_TRY(read_find(node, check, err));
    if (kd_yaml_only(node, FINDS[check->find].keys, err) != KD_OK) {
        if (err && !err->hint[0]) kd_hint(err, "%s", NEVER);
        return KD_INVALID;
    }
    KD_TRY(read_text(node, "kind", WORD_BYTES_MAX, &check->kind, err));
    KD_TRY(read_word(kd_yaml_get(node, "kind"), check->kind, err));
    if (kd_checks_find(checks, check->kind))
        return kd_yaml_fail(err, kd_yaml_get(node, "kind"), "this kind stands twice in the pack");
    KD_TRY(read_titles(node, "title", &check->title_zh, &check->title_en, err));
    KD_TRY(read_titles(node, "ask", &check->ask_zh, &check->ask_en, err));
    KD_TRY(read_who_and_when(checks, node, check, err));
    KD_TRY(FINDS[check->find].read(checks, node, check, &is_of_children, err));
    KD_TRY(read_offer(node, is_of_children, check, err));
    checks->count++;
    return KD_OK;
}

/* ---- the pack ---- */

static kd_status read_due_days(kd_checks *checks, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "1", "2", "3", NULL };
    const kd_yaml *node = kd_yaml_get(root, "due_days");
    if (!node) return kd_yaml_fail(err, root, "due_days: is missing");
    KD_TRY(kd_yaml_only(node, keys, err));
    for (int i = 1; i <= SEVERITY_MAX; i++)
        KD_TRY(read_int(node, keys[i - 1], 0, 1, DAYS_MAX, &checks->due_days[i], err));
    return KD_OK;
}

static kd_status read_roles(kd_checks *checks, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(root, "roles");
    if (!node || node->kind != KD_YAML_MAP || !node->count)
        return kd_yaml_fail(err, node ? node : root, "roles: a map of role to its titles is needed");
    for (const kd_yaml *child = node->first; child; child = child->next) {
        if (checks->role_count == ROLES_MAX) return kd_yaml_fail(err, child, "at most %d roles", ROLES_MAX);
        kd_check_role *role = &checks->roles[checks->role_count++];
        KD_TRY(read_word(child, child->key, err));
        role->name = child->key;
        KD_TRY(read_titles(node, child->key.ptr, &role->title_zh, &role->title_en, err));
    }
    return KD_OK;
}

static kd_status read_pack(kd_checks *checks, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "version", "due_days", "roles", "checks", NULL };
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(read_text(root, "version", WORD_BYTES_MAX, &checks->version, err));
    KD_TRY(read_due_days(checks, root, err));
    KD_TRY(read_roles(checks, root, err));
    const kd_yaml *list = kd_yaml_get(root, "checks");
    if (!list || list->kind != KD_YAML_LIST) return kd_yaml_fail(err, list ? list : root, "checks: a list is needed");
    for (const kd_yaml *node = list->first; node; node = node->next) KD_TRY(read_check(checks, node, err));
    return KD_OK;
}

static kd_status copy_feeds(kd_checks *checks, const kd_str *feeds, size_t feed_count, kd_error *err)
{
    kd_str *copy = kd_arena_array(checks->arena, feed_count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < feed_count; i++) copy[i] = kd_arena_str(checks->arena, feeds[i]);
    checks->feeds = copy;
    checks->feed_count = feed_count;
    return copy ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the checks");
}

static kd_status parse_in(kd_checks *checks, kd_str yaml, const char *name, kd_error *err)
{
    const kd_yaml *root;
    KD_TRY(kd_yaml_parse(checks->arena, yaml, name, &root, err));
    return read_pack(checks, root, err);
}

kd_status kd_checks_parse(kd_str yaml, const char *name, const kd_str *feeds, size_t feed_count, kd_checks **out_checks,
                          kd_error *err)
{
    if (feed_count > KD_CHECK_SOURCES_MAX)
        return kd_fail(err, KD_LIMIT, "", "%zu feeds are more than a register takes (%d)", feed_count,
                       KD_CHECK_SOURCES_MAX);
    kd_arena *arena = kd_arena_new(KD_CHECKS_BYTES_MAX);
    kd_checks *checks = arena ? kd_arena_alloc(arena, sizeof *checks) : NULL;
    if (!checks) {
        kd_arena_free(arena);
        return kd_fail(err, KD_LIMIT, "", "no memory for the checks");
    }
    checks->arena = arena;
    kd_status status = copy_feeds(checks, feeds, feed_count, err);
    if (status == KD_OK) status = parse_in(checks, yaml, name, err);
    if (status != KD_OK) {
        kd_arena_free(arena);
        return status;
    }
    *out_checks = checks;
    return KD_OK;
}

kd_status kd_checks_load(const char *path, const kd_str *feeds, size_t feed_count, kd_checks **out_checks,
                         kd_error *err)
{
    kd_mapping file;
    KD_TRY(kd_mapping_open(path, &file, err));
    kd_status status = kd_checks_parse(file.bytes, path, feeds, feed_count, out_checks, err);
    kd_mapping_close(&file);
    return status;
}

void kd_checks_free(kd_checks *checks)
{
    if (checks) kd_arena_free(checks->arena);
}

kd_str kd_checks_version(const kd_checks *checks)
{
    return checks->version;
}

size_t kd_checks_count(const kd_checks *checks)
{
    return checks->count;
}

const kd_check *kd_checks_at(const kd_checks *checks, size_t index)
{
    return &checks->checks[index];
}

const kd_check *kd_checks_find(const kd_checks *checks, kd_str kind)
{
    for (size_t i = 0; i < checks->count; i++)
        if (kd_str_eq(checks->checks[i].kind, kind)) return &checks->checks[i];
    return NULL;
}

const kd_check_role *kd_checks_role(const kd_checks *checks, kd_str role_name)
{
    for (size_t i = 0; i < checks->role_count; i++)
        if (kd_str_eq(checks->roles[i].name, role_name)) return &checks->roles[i];
    return NULL;
}
