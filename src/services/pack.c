/* packs/cn/births.yaml: read into closed structures, so that what is not there cannot be configured (G1 to G3). */
#include "births.h"

#include <string.h>

enum { PACK_BYTES_MAX = 1 << 20, TEXT_BYTES_MAX = 600, WALK_DEPTH_MAX = 40 };

const char *const birth_declarant_names[] = {
    "mother", "father", "relative", "guardian", "institution", "proxy", NULL
};
const char *const birth_place_names[] = { "hospital", "home", "elsewhere", "abroad", "found", NULL };
const char *const birth_precision_names[] = { "exact", "month", "year", "about", NULL };
static const char *const action_names[] = { "drafted",  "registered", "corrected", "cancelled",
                                            "notified", "answered",   "printed",   NULL };
static const char *const state_names[] = { "waiting", "sent", "accepted", "rejected", "withdrawn", NULL };

static const char *const remark_names[REMARKS + 1] = {
    [REMARK_NO_DATE] = "no_date",
    [REMARK_NO_PLACE] = "no_place",
    [REMARK_NO_DECLARANT] = "no_declarant",
    [REMARK_DAY_IN_FUTURE] = "day_in_future",
    [REMARK_DAY_TOO_EARLY] = "day_too_early",
    [REMARK_DEATH_IN_FUTURE] = "death_in_future",
    [REMARK_DEATH_BEFORE_BIRTH] = "death_before_birth",
    [REMARK_LATE] = "late",
    [REMARK_DEAD] = "dead",
    [REMARK_NO_NAME] = "no_name",
    [REMARK_NO_SEX] = "no_sex",
    [REMARK_NO_PARENT] = "no_parent",
    [REMARK_SAME_PARENTS] = "same_parents",
    [REMARK_MOTHER_IDENTITY] = "mother_identity",
    [REMARK_FATHER_IDENTITY] = "father_identity",
    [REMARK_MOTHER_BIRTH] = "mother_birth",
    [REMARK_FATHER_BIRTH] = "father_birth",
    [REMARK_MOTHER_AGE] = "mother_age",
    [REMARK_FATHER_AGE] = "father_age",
    [REMARK_WEIGHT] = "weight",
    [REMARK_LENGTH] = "length",
    [REMARK_GESTATION] = "gestation",
    [REMARK_CERTIFICATE] = "certificate",
    [REMARK_CERTIFICATE_TWICE] = "certificate_twice",
    [REMARK_ORDER_TWICE] = "order_twice",
    [REMARK_PHONE] = "phone",
    [REMARK_DIVISION] = "division",
};

static const char *const reason_names[REASONS + 1] = {
    [REASON_SAME_NOTICE] = "same_notice",         [REASON_SAME_CERTIFICATE] = "same_certificate",
    [REASON_SAME_MOTHER_DAY] = "same_mother_day", [REASON_SAME_MOTHER_NEAR] = "same_mother_near",
    [REASON_SAME_NAME_NEAR] = "same_name_near",
};

static const char *const carry_names[CARRIES] = {
    [CARRY_HANDBOOK_NUMBER] = "handbook_number",
    [CARRY_CHILD_NAME] = "child_name",
    [CARRY_CHILD_SEX] = "child_sex",
    [CARRY_BIRTH_DATE] = "birth_date",
    [CARRY_BIRTH_PLACE] = "birth_place",
    [CARRY_CERTIFICATE_NO] = "certificate_no",
    [CARRY_DEATH_DATE] = "death_date",
    [CARRY_MOTHER_NAME] = "mother_name",
    [CARRY_MOTHER_IDENTITY_NUMBER] = "mother_identity_number",
    [CARRY_FATHER_NAME] = "father_name",
    [CARRY_FATHER_IDENTITY_NUMBER] = "father_identity_number",
    [CARRY_RESIDENCE_DIVISION] = "residence_division",
    [CARRY_RESIDENCE_ADDRESS] = "residence_address",
    [CARRY_CONTACT_NAME] = "contact_name",
    [CARRY_CONTACT_PHONE] = "contact_phone",
};

static const char *const say_names[SAYS + 2] = {
    [SAY_TITLE] = "title",
    [SAY_REGISTER] = "register",
    [SAY_NUMBER] = "number",
    [SAY_NUMBER_USE] = "number_use",
    [SAY_CHILD] = "child",
    [SAY_NO_NAME] = "no_name",
    [SAY_SEX] = "sex",
    [SAY_MALE] = "male",
    [SAY_FEMALE] = "female",
    [SAY_NO_SEX] = "no_sex",
    [SAY_BIRTH_DATE] = "birth_date",
    [SAY_ABOUT] = "about",
    [SAY_PLACE] = "place",
    [SAY_FOUND_PLACE] = "found_place",
    [SAY_MOTHER] = "mother",
    [SAY_FATHER] = "father",
    [SAY_DECLARANT] = "declarant",
    [SAY_DEATH_DATE] = "death_date",
    [SAY_TOGETHER] = "together",
    [SAY_REGISTERED] = "registered",
    [SAY_NEXT] = "next",
    [SAY_NEXT_LEAD] = "next_lead",
    [SAY_WITHIN] = "within",
    [SAY_CONDOLENCE] = "condolence",
    [SAY_CONDOLENCE_LEAD] = "condolence_lead",
    [SAY_FREE] = "free",
    [SAY_VERIFY] = "verify",
    [SAY_CODE_HOLDS] = "code_holds",
    [SAY_PRINTED] = "printed",
    [SAYS] = "fonts", /* beside the texts, not one of them */
};

const char *birth_carry_name(birth_carry carry)
{
    return carry_names[carry];
}

/* ---- what registration must know nothing of ---- */

/* Not policy but its limit: a pack that could lift it would be no limit. Latin entries match whole words, others anywhere. */
static const char *const forbidden[] = {
    "parity",    "gravida", "fee",      "fees",     "charge",     "charges",    "payment",      "yuan",     "fine",
    "approval",  "approve", "approved", "permit",   "permission", "quota",      "marital",      "marriage", "married",
    "unmarried", "wedlock", "divorced", "planning", "authorized", "authorised", "unauthorized", "sibling",  "siblings",
    "胎次",      "孩次",    "一孩",     "二孩",     "三孩",       "第二胎",     "第三胎",       "政策内",   "政策外",
    "计划生育",  "计生",    "准生",     "审批",     "审核",       "批准",       "许可",         "抚养费",   "收费",
    "费用",      "工本费",  "缴费",     "罚",       "元",         "婚",         "超生",         "指标",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    c = lower(c);
    return c >= 'a' && c <= 'z';
}

static bool has_word(kd_str text, const char *word)
{
    size_t len = strlen(word);
    bool is_latin = is_letter(word[0]);
    for (size_t at = 0; at + len <= text.len; at++) {
        size_t i = 0;
        while (i < len && lower(text.ptr[at + i]) == word[i]) i++;
        if (i < len) continue;
        if (!is_latin) return true;
        if ((at == 0 || !is_letter(text.ptr[at - 1])) && (at + len == text.len || !is_letter(text.ptr[at + len])))
            return true;
    }
    return false;
}

bool birth_is_forbidden(kd_str text, const char **out_word)
{
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        if (!has_word(text, forbidden[i])) continue;
        *out_word = forbidden[i];
        return true;
    }
    return false;
}

static kd_status refuse_forbidden(const kd_yaml *root, kd_error *err)
{
    const kd_yaml *stack[WALK_DEPTH_MAX] = { root };
    size_t depth = 1;
    while (depth) {
        const kd_yaml *node = stack[depth - 1];
        const char *word;
        if (birth_is_forbidden(node->key, &word) ||
            (node->kind == KD_YAML_SCALAR && birth_is_forbidden(node->text, &word))) {
            kd_yaml_fail(err, node, "'%s' has no place in birth registration", word);
            kd_hint(err, "a birth is registered whatever its order, its parents' status or papers, and free of charge");
            return KD_INVALID;
        }
        stack[depth - 1] = node->next;
        if (!node->next) depth--;
        if (!node->first) continue;
        if (depth == WALK_DEPTH_MAX) return kd_yaml_fail(err, node, "nested too deep");
        stack[depth++] = node->first;
    }
    return KD_OK;
}

/* ---- reading ---- */

static kd_status need_map(const kd_yaml *map, const char *key, const char *const *keys, const kd_yaml **out,
                          kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "%s: a map is expected here", key);
    KD_TRY(kd_yaml_only(node, keys, err));
    *out = node;
    return KD_OK;
}

static kd_status need_text(const kd_yaml *map, const char *key, kd_str *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    kd_str text = kd_str_trim(kd_yaml_text(map, key, KD_STR("")));
    if (text.len == 0 || text.len > TEXT_BYTES_MAX || memchr(text.ptr, 0, text.len))
        return kd_yaml_fail(err, node, "%s: a text of at most %d bytes is expected here", key, TEXT_BYTES_MAX);
    *out = node->text.len == text.len ? text : node->text; /* a space before "(about)" is meant */
    return KD_OK;
}

static kd_status read_words(const kd_yaml *node, birth_words *out, kd_error *err)
{
    KD_TRY(need_text(node, "zh", &out->zh, err));
    return need_text(node, "en", &out->en, err);
}

static kd_status need_words(const kd_yaml *map, const char *key, birth_words *out, kd_error *err)
{
    static const char *const keys[] = { "zh", "en", NULL };
    const kd_yaml *node;
    KD_TRY(need_map(map, key, keys, &node, err));
    return read_words(node, out, err);
}

static kd_status need_int(const kd_yaml *map, const char *key, int64_t least, int64_t most, int64_t *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    int64_t value;
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    KD_TRY(kd_yaml_int(map, key, least, &value, err));
    if (value < least || value > most)
        return kd_yaml_fail(err, node, "%s: a number from %lld to %lld is expected", key, (long long)least,
                            (long long)most);
    *out = value;
    return KD_OK;
}

static kd_status need_share(const kd_yaml *map, const char *key, double *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    double value;
    if (!node) return kd_yaml_fail(err, map, "'%s' is missing", key);
    KD_TRY(kd_yaml_double(map, key, 0, &value, err));
    if (!(value >= 0 && value < 1)) return kd_yaml_fail(err, node, "%s: a share from 0 to below 1 is expected", key);
    *out = value;
    return KD_OK;
}

static kd_status read_feed(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "name", "title", "supplier", "event", NULL };
    const kd_yaml *node;
    KD_TRY(need_map(root, "feed", keys, &node, err));
    KD_TRY(need_text(node, "name", &pack->feed, err));
    KD_TRY(need_words(node, "title", &pack->feed_title, err));
    KD_TRY(need_words(node, "event", &pack->feed_event, err));
    return need_words(node, "supplier", &pack->feed_supplier, err);
}

static kd_status read_range(const kd_yaml *odd, const char *key, int64_t most, birth_range *out, kd_error *err)
{
    static const char *const keys[] = { "least", "most", NULL };
    const kd_yaml *node;
    KD_TRY(need_map(odd, key, keys, &node, err));
    KD_TRY(need_int(node, "least", 0, most, &out->least, err));
    return need_int(node, "most", out->least, most, &out->most, err);
}

static kd_status read_limits(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const possible_keys[] = { "earliest", NULL };
    static const char *const odd_keys[] = { "mother_age",       "father_age",      "weight_g", "length_mm",
                                            "gestational_days", "late_after_days", NULL };
    const kd_yaml *possible, *odd;
    kd_str earliest;
    KD_TRY(need_map(root, "possible", possible_keys, &possible, err));
    KD_TRY(need_text(possible, "earliest", &earliest, err));
    if (!kd_day_parse(earliest, &pack->earliest))
        return kd_yaml_fail(err, possible, "earliest: a day such as 1900-01-01 is expected");
    KD_TRY(need_map(root, "odd", odd_keys, &odd, err));
    KD_TRY(read_range(odd, "mother_age", 200, &pack->mother_age, err));
    KD_TRY(read_range(odd, "father_age", 200, &pack->father_age, err));
    KD_TRY(read_range(odd, "weight_g", 99999, &pack->weight_g, err));
    KD_TRY(read_range(odd, "length_mm", 9999, &pack->length_mm, err));
    KD_TRY(read_range(odd, "gestational_days", 999, &pack->gestational_days, err));
    return need_int(odd, "late_after_days", 1, 36525, &pack->late_after_days, err);
}

static kd_status read_remarks(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *node;
    KD_TRY(need_map(root, "remarks", remark_names, &node, err));
    for (size_t i = 0; i < REMARKS; i++) KD_TRY(need_words(node, remark_names[i], &pack->remarks[i], err));
    return KD_OK;
}

static kd_status read_duplicates(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "mother_days",    "name_days", "limit", "differing_sex",
                                        "differing_name", "reasons",   NULL };
    static const char *const reason_keys[] = { "probability", "zh", "en", NULL };
    const kd_yaml *node, *reasons, *reason;
    KD_TRY(need_map(root, "duplicates", keys, &node, err));
    KD_TRY(need_int(node, "mother_days", 1, 400, &pack->mother_days, err));
    KD_TRY(need_int(node, "name_days", 0, 400, &pack->name_days, err));
    KD_TRY(need_int(node, "limit", 1, 100, &pack->candidates_max, err));
    KD_TRY(need_share(node, "differing_sex", &pack->differing_sex, err));
    KD_TRY(need_share(node, "differing_name", &pack->differing_name, err));
    KD_TRY(need_map(node, "reasons", reason_names, &reasons, err));
    for (size_t i = 0; i < REASONS; i++) {
        KD_TRY(need_map(reasons, reason_names[i], reason_keys, &reason, err));
        KD_TRY(need_share(reason, "probability", &pack->reasons[i].probability, err));
        KD_TRY(read_words(reason, &pack->reasons[i].words, err));
    }
    return KD_OK;
}

static kd_status read_feeds(const kd_yaml *map, const char *key, kd_str *out, size_t *out_count, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(map, key);
    if (!list || list->kind != KD_YAML_LIST || list->count == 0 || list->count > BIRTH_FEEDS_MAX)
        return kd_yaml_fail(err, list ? list : map, "%s: a list of at most %d feeds is expected", key, BIRTH_FEEDS_MAX);
    size_t count = 0;
    for (const kd_yaml *node = list->first; node; node = node->next) {
        if (node->kind != KD_YAML_SCALAR || node->text.len == 0 || node->text.len > 64)
            return kd_yaml_fail(err, node, "%s: the name of a feed is expected here", key);
        out[count++] = node->text;
    }
    *out_count = count;
    return KD_OK;
}

static kd_status read_deliveries(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "told_by", "registered_by", "window_days", NULL };
    static const char *const handbook_keys[] = { "serial_digits", "group", NULL };
    const kd_yaml *node;
    KD_TRY(need_map(root, "handbook", handbook_keys, &node, err));
    KD_TRY(need_int(node, "serial_digits", 4, 12, &pack->serial_digits, err));
    KD_TRY(need_int(node, "group", 2, 8, &pack->group, err));
    KD_TRY(need_map(root, "deliveries", keys, &node, err));
    KD_TRY(read_feeds(node, "told_by", pack->told_by, &pack->told_by_count, err));
    KD_TRY(read_feeds(node, "registered_by", pack->registered_by, &pack->registered_by_count, err));
    return need_int(node, "window_days", 1, 4000, &pack->window_days, err);
}

static kd_status read_codes(const kd_yaml *root, const char *key, const char *const *names, kd_births_word *out,
                            kd_error *err)
{
    const kd_yaml *node;
    birth_words words;
    KD_TRY(need_map(root, key, names, &node, err));
    for (size_t i = 0; names[i]; i++) {
        KD_TRY(need_words(node, names[i], &words, err));
        out[i] = (kd_births_word){ kd_str_of(names[i]), words.zh, words.en };
    }
    return KD_OK;
}

static kd_status read_carries(birth_office *office, const kd_yaml *node, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(node, "carries");
    if (!list || list->kind != KD_YAML_LIST || list->count == 0 || list->count > BIRTH_CARRIES_MAX)
        return kd_yaml_fail(err, list ? list : node, "carries: a list of fields is expected");
    uint32_t seen = 0;
    for (const kd_yaml *item = list->first; item; item = item->next) {
        size_t carry = 0;
        while (carry < CARRIES && !(item->kind == KD_YAML_SCALAR && kd_str_is(item->text, carry_names[carry]))) carry++;
        if (carry == CARRIES) {
            kd_yaml_fail(err, item, "carries: '%.*s' is nothing that an office may get", KD_FMT(item->text));
            kd_hint(err, "docs/births.md lists what a notice can carry");
            return KD_INVALID;
        }
        if (seen & 1U << carry) return kd_yaml_fail(err, item, "carries: '%s' stands twice", carry_names[carry]);
        seen |= 1U << carry;
        office->carries[office->carry_count++] = (uint8_t)carry;
    }
    if (!(seen & 1U << CARRY_HANDBOOK_NUMBER))
        return kd_yaml_fail(err, list, "carries: handbook_number is needed, by which a correction finds its child");
    return KD_OK;
}

static kd_status read_office(birth_office *office, const kd_yaml *node, kd_error *err)
{
    static const char *const keys[] = { "name", "title", "when", "carries", "within_days", "next", NULL };
    kd_str when;
    int64_t within;
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "offices: a map is expected here");
    KD_TRY(kd_yaml_only(node, keys, err));
    KD_TRY(need_text(node, "name", &office->name, err));
    KD_TRY(need_words(node, "title", &office->title, err));
    KD_TRY(need_words(node, "next", &office->next, err));
    KD_TRY(need_text(node, "when", &when, err));
    office->is_alive_only = kd_str_is(when, "alive");
    if (!office->is_alive_only && !kd_str_is(when, "always"))
        return kd_yaml_fail(err, kd_yaml_get(node, "when"), "when: 'always' or 'alive' is expected");
    KD_TRY(need_int(node, "within_days", 1, 3650, &within, err));
    office->within_days = (int)within;
    return read_carries(office, node, err);
}

static kd_status read_offices(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(root, "offices");
    if (!list || list->kind != KD_YAML_LIST || list->count == 0 || list->count > BIRTH_OFFICES_MAX)
        return kd_yaml_fail(err, list ? list : root, "offices: a list of 1 to %d offices is expected",
                            BIRTH_OFFICES_MAX);
    for (const kd_yaml *node = list->first; node; node = node->next) {
        birth_office *office = &pack->offices[pack->office_count];
        KD_TRY(read_office(office, node, err));
        if (birth_office_find(pack, office->name))
            return kd_yaml_fail(err, node, "offices: the same office stands twice");
        pack->office_count++;
    }
    return KD_OK;
}

/* Texts with numbers in them are printf formats: each must ask for just what it is given. */
static kd_status check_format(const kd_yaml *node, kd_str text, const char *wanted, kd_error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%') continue;
        if (i + 1 >= text.len || text.ptr[++i] != 'd' || wanted[at++] != 'd')
            return kd_yaml_fail(err, node, "%zu places for a number (%%d) are expected in this text", strlen(wanted));
    }
    if (wanted[at])
        return kd_yaml_fail(err, node, "%zu places for a number (%%d) are expected in this text", strlen(wanted));
    return KD_OK;
}

static kd_status read_confirmation(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    const kd_yaml *node;
    KD_TRY(need_map(root, "confirmation", say_names, &node, err));
    KD_TRY(need_text(node, "fonts", &pack->fonts, err));
    for (size_t i = 0; i < SAYS; i++) {
        const char *wanted = i == SAY_TOGETHER ? "dd" : i == SAY_WITHIN ? "d" : "";
        KD_TRY(need_words(node, say_names[i], &pack->says[i], err));
        KD_TRY(check_format(kd_yaml_get(node, say_names[i]), pack->says[i].zh, wanted, err));
        KD_TRY(check_format(kd_yaml_get(node, say_names[i]), pack->says[i].en, wanted, err));
    }
    return KD_OK;
}

static kd_status read_pack(kd_births_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "version",    "feed",     "possible",   "odd",          "remarks",
                                        "duplicates", "handbook", "deliveries", "declarants",   "places",
                                        "actions",    "offices",  "states",     "confirmation", NULL };
    if (root->kind != KD_YAML_MAP) return kd_yaml_fail(err, root, "a map is expected here");
    KD_TRY(refuse_forbidden(root, err));
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(need_text(root, "version", &pack->version, err));
    KD_TRY(read_feed(pack, root, err));
    KD_TRY(read_limits(pack, root, err));
    KD_TRY(read_remarks(pack, root, err));
    KD_TRY(read_duplicates(pack, root, err));
    KD_TRY(read_deliveries(pack, root, err));
    KD_TRY(read_codes(root, "declarants", birth_declarant_names, pack->declarants, err));
    KD_TRY(read_codes(root, "places", birth_place_names, pack->places, err));
    KD_TRY(read_codes(root, "actions", action_names, pack->actions, err));
    KD_TRY(read_codes(root, "states", state_names, pack->states, err));
    KD_TRY(read_offices(pack, root, err));
    return read_confirmation(pack, root, err);
}

kd_status kd_births_pack_parse(kd_str text, const char *name, kd_births_pack **out_pack, kd_error *err)
{
    const kd_yaml *root;
    kd_arena *arena = kd_arena_new(PACK_BYTES_MAX);
    kd_births_pack *pack = arena ? kd_arena_alloc(arena, sizeof *pack) : NULL;
    if (!pack) {
        kd_arena_free(arena);
        return kd_fail(err, KD_LIMIT, "", "no memory for the pack of birth registration");
    }
    pack->arena = arena;
    kd_status status = kd_yaml_parse(arena, text, name, &root, err);
    if (status == KD_OK) status = read_pack(pack, root, err);
    if (status == KD_OK)
        *out_pack = pack;
    else
        kd_births_pack_free(pack);
    return status;
}

kd_status kd_births_pack_load(const char *path, kd_births_pack **out_pack, kd_error *err)
{
    kd_arena *arena = kd_arena_new(PACK_BYTES_MAX);
    kd_str text, shipped;
    kd_status status = KD_OK;
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory for the pack of birth registration");
    if (!path) {
        status = kd_data_path(arena, "packs/cn/births.yaml", &shipped, err);
        if (status == KD_OK) path = shipped.ptr;
    }
    if (status == KD_OK) status = kd_file_read(arena, path, PACK_BYTES_MAX / 2, &text, err);
    if (status == KD_OK) status = kd_births_pack_parse(text, path, out_pack, err);
    kd_arena_free(arena);
    return status;
}

void kd_births_pack_free(kd_births_pack *pack)
{
    if (pack) kd_arena_free(pack->arena);
}

const kd_births_word *kd_births_pack_words(const kd_births_pack *pack, const char *group, size_t *out_count)
{
    const struct {
        const char *name;
        const kd_births_word *words;
        size_t count;
    } groups[] = {
        { "declarant", pack->declarants, sizeof pack->declarants / sizeof pack->declarants[0] },
        { "place", pack->places, sizeof pack->places / sizeof pack->places[0] },
        { "action", pack->actions, sizeof pack->actions / sizeof pack->actions[0] },
        { "notice_state", pack->states, sizeof pack->states / sizeof pack->states[0] },
    };
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (strcmp(groups[i].name, group) != 0) continue;
        *out_count = groups[i].count;
        return groups[i].words;
    }
    return NULL;
}

const birth_office *birth_office_find(const kd_births_pack *pack, kd_str name)
{
    for (size_t i = 0; i < pack->office_count; i++)
        if (kd_str_eq(pack->offices[i].name, name)) return &pack->offices[i];
    return NULL;
}

size_t kd_births_pack_offices(const kd_births_pack *pack)
{
    return pack->office_count;
}

kd_office_info kd_births_pack_office_at(const kd_births_pack *pack, size_t index)
{
    const birth_office *office = &pack->offices[index];
    return (kd_office_info){ office->name, office->title.zh, office->title.en };
}
