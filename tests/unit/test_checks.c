#include "register/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { POLICE = 1, HOSPITAL, CLINIC, OFFICE, INSURER, MARRIAGE, SOURCES };
static const kd_str FEEDS[SOURCES] = { { "", 0 },       { "police", 6 },  { "hospital", 8 }, { "clinic", 6 },
                                       { "office", 6 }, { "insurer", 7 }, { "marriage", 8 } };

static const char HEAD[] = "version: \"t\"\n"
                           "due_days: {1: 60, 2: 30, 3: 10}\n"
                           "roles: {worker: {zh: 工, en: worker}}\n"
                           "checks:\n";
#define CHECK(name) \
    "  - {kind: " name ", title: {zh: 题, en: t}, ask: {zh: 问, en: a}, severity: 2, role: worker, level: village,\n"
#define OFFER "offer: {zh: 帮, en: help}, "

static kd_checks *parse(const char *body, kd_error *err)
{
    char yaml[4000];
    kd_checks *checks = NULL;
    snprintf(yaml, sizeof yaml, "%s%s", HEAD, body);
    kd_status status = kd_checks_parse(kd_str_of(yaml), "t.yaml", FEEDS, SOURCES, &checks, err);
    return status == KD_OK ? checks : NULL;
}

/* ---- the pack ---- */

static void the_shipped_pack_reads(void **state)
{
    (void)state;
    kd_error err;
    kd_checks *checks;
    kd_str path;
    kd_arena *arena = kd_arena_new(1 << 16);
    assert_int_equal(kd_data_path(arena, "packs/cn/checks.yaml", &path, &err), KD_OK);
    if (kd_checks_load(path.ptr, NULL, 0, &checks, &err) != KD_OK) fail_msg("%d: %s", (int)err.line, err.message);
    assert_true(kd_checks_count(checks) >= 10);
    for (size_t i = 0; i < kd_checks_count(checks); i++) {
        const kd_check *check = kd_checks_at(checks, i);
        assert_true(check->due_days > 0);
        assert_non_null(kd_checks_role(checks, check->role));
    }
    assert_true(kd_checks_find(checks, KD_STR("birth_known_to_hospital_only"))->offer_zh.len > 0);
    assert_null(kd_checks_find(checks, KD_STR("no_such_kind")));
    kd_checks_free(checks);
    kd_arena_free(arena);
}

static void wrong_packs_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int line;
        const char *says;
    } cases[] = {
        { "  - 12\n", 5, "a check is a map" },
        { "  - {kind: a}\n", 5, "find: is missing" },
        { "  - {kind: a, find: guess}\n", 5, "is expected here" },
        { CHECK("a") "     find: differing}\n", 5, "attribute: is missing" },
        { CHECK("a") "     find: differing, attribute: shoe_size}\n", 6, "is expected here" },
        { CHECK("a") "     find: differing, attribute: sex, tolerate: [lunar]}\n", 6, "is expected here" },
        { CHECK("a") "     find: differing, attribute: sex, tolerate: lunar}\n", 6, "a list is expected here" },
        { CHECK("a") "     find: differing, attribute: birth_day, placeholder_days: [\"02-30\"]}\n", 6, "\"01-01\"" },
        { CHECK("a") "     find: differing, attribute: sex, trust_min: -1}\n", 6, "a number from" },
        { CHECK("a") "     find: differing, attribute: sex, trust_min: many}\n", 6, "a whole number" },
        { CHECK("A b") "     find: differing, attribute: sex}\n", 5, "small letters" },
        { CHECK("a") "     find: differing, attribute: sex}\n" CHECK("a") "     find: differing, attribute: sex}\n", 7,
          "stands twice" },
        { CHECK("a") "     find: shared_value, identifier: phone}\n", 6, "is expected here" },
        { CHECK("a") "     find: missing, known_to: [police], unknown_to: others}\n", 5, "after_days: is missing" },
        { CHECK("a") "     find: missing, known_to: [], unknown_to: others, after_days: 3}\n", 6, "a list" },
        { CHECK("a") "     find: missing, known_to: [police.uncle], unknown_to: others, after_days: 3}\n", 6,
          "no such role" },
        { CHECK("a") "     find: missing, known_to: [Police], unknown_to: others, after_days: 3}\n", 6,
          "small letters" },
        { CHECK("a") "     find: contradiction, says: {feeds: [police], status: [dead]}, after_days: 3}\n", 5, "but:" },
        { CHECK("a") "     find: contradiction, says: {feeds: [police], status: [asleep]}, after_days: 3}\n", 6,
          "is expected here" },
        { CHECK("a") "     find: partner_unknown, feeds: [marriage], sides: [husband]}\n", 6, "two roles" },
        { CHECK("a") "     find: partner_unknown, feeds: [marriage], sides: [wife, wife]}\n", 6, "two different" },
        { "  - {kind: a, title: {zh: 题}, find: doubtful_pair}\n", 5, "en: is missing" },
        { "  - {kind: a, title: {zh: 题, en: t}, ask: {zh: 问, en: a}, severity: 4, find: doubtful_pair}\n", 5,
          "a number from 1 to 3" },
        { "  - {kind: a, title: {zh: 题, en: t}, ask: {zh: 问, en: a}, severity: 1, role: judge, find: doubtful_pair}\n",
          5, "does not stand under roles" },
        { "  - {kind: a, title: {zh: 题, en: t}, ask: {zh: 问, en: a}, severity: 1, role: worker, level: heaven, find: "
          "doubtful_pair}\n",
          5, "village, township or county" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_error err = { 0 };
        kd_checks *checks = parse(cases[i].body, &err);
        if (checks) fail_msg("case %zu was taken", i);
        assert_int_equal(err.status, KD_INVALID);
        assert_string_equal(err.file, "t.yaml");
        if ((int)err.line != cases[i].line) fail_msg("case %zu: line %d: %s", i, (int)err.line, err.message);
        assert_true(err.column > 0);
        if (!strstr(err.message, cases[i].says)) fail_msg("case %zu says: %s", i, err.message);
    }
}

static void wrong_heads_are_refused(void **state)
{
    (void)state;
    static const char *const packs[] = {
        "",
        "[]",
        "version: \"t\"\n",
        "version: \"t\"\ndue_days: {1: 60, 2: 30}\nroles: {}\nchecks: []\n",
        "version: \"t\"\ndue_days: {1: 60, 2: 30, 3: 10, 4: 2}\nroles: {w: {zh: 工, en: w}}\nchecks: []\n",
        "version: \"t\"\ndue_days: {1: 60, 2: 30, 3: 10}\nroles: {}\nchecks: []\n",
        "version: \"t\"\ndue_days: {1: 60, 2: 30, 3: 10}\nroles: {w: {zh: 工, en: w}}\nchecks: {}\n",
        "version: \"t\"\ndue_days: {1: 60, 2: 30, 3: 10}\nroles: {w: {zh: 工, en: w}}\nchecks: []\nscores: []\n",
    };
    for (size_t i = 0; i < sizeof packs / sizeof packs[0]; i++) {
        kd_error err = { 0 };
        kd_checks *checks;
        assert_int_equal(kd_checks_parse(kd_str_of(packs[i]), "t.yaml", NULL, 0, &checks, &err), KD_INVALID);
        assert_true(err.line > 0);
    }
}

/* G1, G4: every way of writing a check that counts, ranks or looks for pregnancies, births, children or fathers. */
static void a_check_on_births_or_parents_cannot_be_written(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        CHECK("a") "     find: differing, attribute: parity}\n",
        CHECK("a") "     find: differing, attribute: children}\n",
        CHECK("a") "     find: differing, attribute: birth_order}\n",
        CHECK("a") "     find: differing, attribute: handbook_no}\n",
        CHECK("a") "     find: differing, attribute: marital_status}\n",
        CHECK("a") "     find: shared_value, identifier: handbook_no}\n",
        CHECK("a") "     find: count, role: mother, more_than: 2}\n",
        CHECK("a") "     find: differing, attribute: sex, min_children: 2}\n",
        CHECK("a") "     find: differing, attribute: sex, parity: 3}\n",
        CHECK("a") "     find: differing, attribute: sex, order_by: births}\n",
        CHECK("a") OFFER "     find: missing, known_to: [clinic.mother], unknown_to: others, after_days: 3}\n",
        CHECK("a") OFFER "     find: missing, known_to: [office.child], unknown_to: [office.father], after_days: 3}\n",
        CHECK("a") OFFER
        "     find: missing, known_to: [clinic.mother], unknown_to: [hospital.mother], after_days: 9}\n",
        CHECK("a") "     find: missing, known_to: [marriage.wife], unknown_to: [clinic.mother], after_days: 9}\n",
        CHECK("a") "     find: contradiction, says: {feeds: [hospital.mother], status: [active]}, but: {feeds: "
                   "[marriage], status: [divorced]}, after_days: 3}\n",
        CHECK("a") "     find: partner_unknown, feeds: [office], sides: [mother, father]}\n",
        CHECK("a") "     find: partner_unknown, feeds: [office.mother], sides: [husband, wife]}\n",
        CHECK("a") OFFER
        "     find: missing, known_to: [hospital.child], unknown_to: others, after_days: 3, fee: 100}\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        kd_error err = { 0 };
        kd_checks *checks = parse(bodies[i], &err);
        if (checks) fail_msg("case %zu was taken", i);
        assert_int_equal(err.status, KD_INVALID);
    }
}

static void a_task_about_a_birth_must_say_that_it_is_an_offer(void **state)
{
    (void)state;
    kd_error err = { 0 };
    kd_checks *checks =
        parse(CHECK("a") "     find: missing, known_to: [hospital.child], unknown_to: others, after_days: 3}\n", &err);
    assert_null(checks);
    assert_non_null(strstr(err.message, "offer"));
    assert_non_null(strstr(err.hint, "G4"));
    checks = parse(CHECK("a") OFFER "     find: missing, known_to: [hospital.child], unknown_to: others, "
                                    "after_days: 3}\n",
                   &err);
    assert_non_null(checks);
    kd_checks_free(checks);
    /* without a role the set holds children too */
    assert_null(
        parse(CHECK("a") "     find: missing, known_to: [hospital], unknown_to: others, after_days: 3}\n", &err));
}

/* ---- asking ---- */

enum { FOUND_MAX = 16 };
typedef struct {
    kd_checks *checks;
    kd_survivorship *rules;
    kd_text *text;
    kd_check_context context;
    int32_t as_of[SOURCES];
    kd_source_title titles[SOURCES];
    size_t count;
    char kinds[FOUND_MAX][40], facts[FOUND_MAX][2000];
    int64_t record_a[FOUND_MAX], record_b[FOUND_MAX];
    bool has_partner;
} asker;

static const char RULES[] =
    "version: \"t\"\nattributes:\n"
    "  name: {trust: {police: 90, default: 40}}\n  sex: {identity: 90, trust: {default: 40}}\n"
    "  birth_day: {incomplete: 5, identity: 90, trust: {police: 80, default: 40}}\n"
    "  death_day: {trust: {default: 40}}\n"
    "  identity_number: {incomplete: 1, trust: {police: 95, default: 50}}\n"
    "  phone: {trust: {default: 50}}\n  division: {trust: {default: 50}}\n  address: {trust: {default: 50}}\n"
    "  hukou_division: {trust: {default: 50}}\n  household_no: {trust: {default: 50}}\n"
    "  ethnicity: {trust: {default: 50}}\n  marital_status: {trust: {default: 50}}\n"
    "  education: {trust: {default: 50}}\n";

static const char CHECKS[] = CHECK(
    "birth") "     find: differing, attribute: birth_day, trust_min: 40, tolerate: [incomplete, lunar],\n"
             "     placeholder_days: [\"01-01\"]}\n" CHECK("sex") "     find: differing, attribute: sex, trust_min: 40}\n" CHECK("name") "     find: differing, attribute: name, trust_min: 80, tolerate: [same_sound]}\n" CHECK(
                 "number") "     find: differing, attribute: identity_number, trust_min: 50, tolerate: [incomplete]}\n" CHECK("newborn")
                 OFFER "     find: missing, known_to: [hospital.child], unknown_to: others, after_days: 30,\n"
                       "     within_days: 400, unless_status: [dead, moved_out]}\n" CHECK("uncertified") OFFER
    "     find: missing, known_to: [clinic.child], unknown_to: [office.child], after_days: 90}\n" CHECK(
        "dead") "     find: contradiction, says: {feeds: [police], status: [dead]},\n"
                "     but: {feeds: [insurer], status: [active]}, after_days: 60}\n" CHECK(
                    "spouse") "     find: partner_unknown, feeds: [marriage], sides: [husband, wife]}\n";

static bool partner(void *ctx, const kd_source_record *record, kd_role role, int64_t *out_record_id)
{
    asker *a = ctx;
    *out_record_id = record->id + 1;
    assert_int_equal(role, record->role == KD_ROLE_HUSBAND ? KD_ROLE_WIFE : KD_ROLE_HUSBAND);
    return a->has_partner;
}

static int32_t day(const char *text)
{
    int32_t result;
    assert_true(kd_day_parse(kd_str_of(text), &result));
    return result;
}

static int set_up(void **state)
{
    kd_error err;
    char path[] = "/tmp/kd_checks_XXXXXX";
    asker *a = calloc(1, sizeof *a);
    int fd = mkstemp(path);
    if (!a || fd < 0 || write(fd, RULES, strlen(RULES)) != (ssize_t)strlen(RULES)) return -1;
    close(fd);
    kd_status status = kd_survivorship_load(path, FEEDS, SOURCES, &a->rules, &err);
    unlink(path);
    a->checks = parse(CHECKS, &err);
    if (status != KD_OK || !a->checks || kd_text_open(&a->text, &err) != KD_OK) {
        fprintf(stderr, "%d: %s\n", (int)err.line, err.message);
        return -1;
    }
    for (int i = 0; i < SOURCES; i++) {
        a->titles[i] = (kd_source_title){ FEEDS[i], KD_STR("甲"), KD_STR("a") };
        a->as_of[i] = i ? day("2026-06-01") : KD_DAY_NONE;
    }
    a->context = (kd_check_context){ a->rules, a->text, a->titles, a->as_of, SOURCES, partner, a };
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    asker *a = *state;
    kd_checks_free(a->checks);
    kd_survivorship_free(a->rules);
    kd_text_close(a->text);
    free(a);
    return 0;
}

static kd_status keep(void *ctx, const kd_finding *finding, kd_error *err)
{
    asker *a = ctx;
    (void)err;
    assert_true(a->count < FOUND_MAX);
    snprintf(a->kinds[a->count], sizeof a->kinds[0], "%.*s", KD_FMT(finding->check->kind));
    snprintf(a->facts[a->count], sizeof a->facts[0], "%.*s", KD_FMT(finding->facts));
    a->record_a[a->count] = finding->record_a;
    a->record_b[a->count++] = finding->record_b;
    return KD_OK;
}

/* What is found, as "birth name" in the order of the pack. */
static const char *ask(asker *a, const kd_source_record *records, size_t count)
{
    static char found[FOUND_MAX * 41];
    kd_error err;
    kd_buf buffer;
    kd_buf_init(&buffer, 1 << 16);
    a->count = 0;
    assert_int_equal(kd_checks_person(a->checks, &a->context, records, count, &buffer, keep, a, &err), KD_OK);
    kd_buf_done(&buffer);
    found[0] = '\0';
    for (size_t i = 0; i < a->count; i++) {
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%s", i ? " " : "", a->kinds[i]);
    }
    return found;
}

static kd_source_record record(int64_t id, int32_t source, kd_role role, const char *name, const char *birth)
{
    kd_source_record r = { .id = id,
                           .batch_id = source,
                           .row_no = id,
                           .source_id = source,
                           .role = role,
                           .name = kd_str_of(name),
                           .sex = -1,
                           .birth_day = birth ? day(birth) : KD_DAY_NONE,
                           .death_day = KD_DAY_NONE,
                           .event_day = KD_DAY_NONE,
                           .recorded_day = KD_DAY_NONE };
    return r;
}

static void agreeing_sources_are_asked_nothing(void **state)
{
    const kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                         record(2, INSURER, KD_ROLE_SUBJECT, "张伟", "1980-05-06") };
    assert_string_equal(ask(*state, records, 2), "");
    assert_string_equal(ask(*state, records, 0), "");
}

static void differing_birth_days_are_found_with_their_sources(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(2, INSURER, KD_ROLE_SUBJECT, "张伟", "1980-06-06"),
                                   record(3, CLINIC, KD_ROLE_SUBJECT, "张伟", "1980-05-06") };
    assert_string_equal(ask(a, records, 3), "birth");
    assert_int_equal(a->record_a[0], 1); /* the heavier value first */
    assert_int_equal(a->record_b[0], 2);
    assert_non_null(strstr(a->facts[0], "1980-05-06"));
    assert_non_null(strstr(a->facts[0], "1980-06-06"));
    assert_non_null(strstr(a->facts[0], "\"insurer\""));
    char before[2000];
    snprintf(before, sizeof before, "%s", a->facts[0]);
    kd_source_record turned[] = { records[2], records[1], records[0] };
    assert_string_equal(ask(a, turned, 3), "birth");
    assert_string_equal(a->facts[0], before);
}

static void tolerated_differences_are_no_disagreement(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", "1965-03-20"),
                                   record(2, INSURER, KD_ROLE_SUBJECT, "张伟", "1965-01-01") };
    assert_string_equal(ask(a, records, 2), ""); /* a placeholder */
    records[1].birth_day = kd_day_if_lunar(a->text, records[0].birth_day);
    assert_true(records[1].birth_day != KD_DAY_NONE);
    assert_string_equal(ask(a, records, 2), ""); /* the lunar date read as a solar one */
    records[1].birth_day = day("1966-01-01");
    records[1].birth_kind = KD_DATE_YEAR;
    assert_string_equal(ask(a, records, 2), ""); /* only the year was known */
    records[1] = record(2, INSURER, KD_ROLE_SUBJECT, "张玮", NULL);
    records[1].source_id = POLICE; /* trusted enough to count */
    assert_string_equal(ask(a, records, 2), "");
    records[1].name = KD_STR("李娜");
    assert_string_equal(ask(a, records, 2), "name");
    records[1].source_id = INSURER; /* one weak source alone */
    assert_string_equal(ask(a, records, 2), "");
}

static void a_number_is_masked_in_the_facts_and_a_bad_one_is_ignored(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", NULL),
                                   record(2, INSURER, KD_ROLE_SUBJECT, "张伟", NULL) };
    records[0].identity_number = KD_STR("610829198005060018");
    records[1].identity_number = KD_STR("610829198005060034");
    records[1].identity_kind = KD_IDENTITY_BAD_CHECK;
    assert_string_equal(ask(a, records, 2), "");
    records[1].identity_kind = 0;
    assert_string_equal(ask(a, records, 2), "number");
    assert_null(strstr(a->facts[0], "610829198005060018"));
    assert_non_null(strstr(a->facts[0], "6108**********0018"));
}

static void a_birth_only_the_hospital_knows_is_found_in_its_time(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, HOSPITAL, KD_ROLE_CHILD, "", "2026-03-01"),
                                   record(2, OFFICE, KD_ROLE_CHILD, "王小宝", "2026-03-01") };
    assert_string_equal(ask(a, records, 1), "newborn");
    assert_true(kd_checks_find(a->checks, KD_STR("newborn"))->offer_en.len > 0);
    assert_string_equal(ask(a, records, 2), ""); /* the office knows the child */
    records[0].birth_day = day("2026-05-20");
    assert_string_equal(ask(a, records, 1), ""); /* too early to tell */
    records[0].birth_day = day("2024-01-01");
    assert_string_equal(ask(a, records, 1), ""); /* too long ago */
    records[0].birth_day = day("2026-03-01");
    records[0].status = KD_STR("dead");
    assert_string_equal(ask(a, records, 1), ""); /* nobody troubles a family in mourning */
    records[0].status = (kd_str){ NULL, 0 };
    for (int i = 1; i < SOURCES; i++)
        if (i != HOSPITAL) a->as_of[i] = KD_DAY_NONE;
    assert_string_equal(ask(a, records, 1), ""); /* no other source sends anything: nothing can be absent */
    for (int i = 1; i < SOURCES; i++) a->as_of[i] = day("2026-06-01");
}

static void a_vaccinated_child_without_certificate_is_found(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, CLINIC, KD_ROLE_CHILD, "王小宝", "2026-01-01"),
                                   record(2, OFFICE, KD_ROLE_CHILD, "王小宝", "2026-01-01"),
                                   record(3, POLICE, KD_ROLE_SUBJECT, "王小宝", "2026-01-01") };
    assert_string_equal(ask(a, records, 1), "uncertified");
    assert_string_equal(ask(a, records, 2), "");
    kd_source_record known[] = { records[0], records[2] };
    assert_string_equal(ask(a, known, 2), "uncertified"); /* other sources do not count here */
    a->as_of[OFFICE] = day("2026-02-01");
    assert_string_equal(ask(a, records, 1), ""); /* the office's file ends before it could stand there */
    a->as_of[OFFICE] = day("2026-06-01");
}

/* G1, G4 */
static void a_child_without_a_father_is_complete(void **state)
{
    const kd_source_record records[] = { record(1, HOSPITAL, KD_ROLE_CHILD, "王小宝", "2026-01-01"),
                                         record(2, CLINIC, KD_ROLE_CHILD, "王小宝", "2026-01-01"),
                                         record(3, OFFICE, KD_ROLE_CHILD, "王小宝", "2026-01-01"),
                                         record(4, POLICE, KD_ROLE_SUBJECT, "王小宝", "2026-01-01") };
    assert_string_equal(ask(*state, records, 4), "");
}

/* G4: however many deliveries and pregnancies stand behind a woman, nothing is asked about her. */
static void a_mother_of_many_makes_no_task(void **state)
{
    kd_source_record records[40];
    for (int i = 0; i < 40; i++)
        records[i] = record(i + 1, i % 2 ? HOSPITAL : CLINIC, KD_ROLE_MOTHER, "高秀英", "1985-04-05");
    assert_string_equal(ask(*state, records, 40), "");
    assert_string_equal(ask(*state, records, 1), ""); /* nor of a pregnancy without a delivery */
}

static void a_death_still_insured_is_found_after_its_time(void **state)
{
    asker *a = *state;
    kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", NULL),
                                   record(2, INSURER, KD_ROLE_SUBJECT, "张伟", NULL) };
    records[0].status = KD_STR("dead");
    records[0].death_day = day("2026-01-10");
    records[1].status = KD_STR("active");
    assert_string_equal(ask(a, records, 2), "dead");
    assert_int_equal(a->record_a[0], 1);
    assert_int_equal(a->record_b[0], 2);
    records[0].death_day = day("2026-05-10");
    assert_string_equal(ask(a, records, 2), "");
    records[0].death_day = day("2026-01-10");
    records[1].status = KD_STR("cancelled");
    assert_string_equal(ask(a, records, 2), "");
}

static void a_spouse_whom_nobody_knows_is_found_when_the_other_is_known(void **state)
{
    asker *a = *state;
    const kd_source_record records[] = { record(1, MARRIAGE, KD_ROLE_HUSBAND, "张伟", NULL),
                                         record(5, POLICE, KD_ROLE_SUBJECT, "张伟", NULL) };
    a->has_partner = true;
    assert_string_equal(ask(a, records, 1), "spouse");
    assert_int_equal(a->record_b[0], 2);
    assert_string_equal(ask(a, records, 2), ""); /* the police know him */
    a->has_partner = false;
    assert_string_equal(ask(a, records, 1), ""); /* both from elsewhere */
}

static void marks_tell_new_values_from_known_ones(void **state)
{
    asker *a = *state;
    char two[2000], three[2000];
    kd_source_record records[] = { record(1, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(2, INSURER, KD_ROLE_SUBJECT, "张伟", "1980-06-06"),
                                   record(3, CLINIC, KD_ROLE_SUBJECT, "张伟", "1980-07-06") };
    ask(a, records, 2);
    snprintf(two, sizeof two, "%s", a->facts[0]);
    ask(a, records, 3);
    snprintf(three, sizeof three, "%s", a->facts[0]);
    assert_true(kd_facts_marks_are_new(kd_str_of(two), kd_str_of(three)));
    assert_false(kd_facts_marks_are_new(kd_str_of(three), kd_str_of(two)));
    assert_false(kd_facts_marks_are_new(kd_str_of(two), kd_str_of(two)));
    assert_true(kd_facts_marks_are_new((kd_str){ NULL, 0 }, kd_str_of(two)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_pack_reads),
        cmocka_unit_test(wrong_packs_are_refused_with_their_place),
        cmocka_unit_test(wrong_heads_are_refused),
        cmocka_unit_test(a_check_on_births_or_parents_cannot_be_written),
        cmocka_unit_test(a_task_about_a_birth_must_say_that_it_is_an_offer),
        cmocka_unit_test(agreeing_sources_are_asked_nothing),
        cmocka_unit_test(differing_birth_days_are_found_with_their_sources),
        cmocka_unit_test(tolerated_differences_are_no_disagreement),
        cmocka_unit_test(a_number_is_masked_in_the_facts_and_a_bad_one_is_ignored),
        cmocka_unit_test(a_birth_only_the_hospital_knows_is_found_in_its_time),
        cmocka_unit_test(a_vaccinated_child_without_certificate_is_found),
        cmocka_unit_test(a_child_without_a_father_is_complete),
        cmocka_unit_test(a_mother_of_many_makes_no_task),
        cmocka_unit_test(a_death_still_insured_is_found_after_its_time),
        cmocka_unit_test(a_spouse_whom_nobody_knows_is_found_when_the_other_is_known),
        cmocka_unit_test(marks_tell_new_values_from_known_ones),
    };
    return cmocka_run_group_tests_name("checks", tests, set_up, tear_down);
}
