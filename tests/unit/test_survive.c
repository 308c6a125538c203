#include "register/survive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const kd_str FEEDS[] = { { "", 0 }, { "police", 6 }, { "clinic", 6 }, { "school", 6 } };
enum { POLICE = 1, CLINIC = 2, SCHOOL = 3 };

static const char RULE_REST[] = "  sex: {method: vote, trust: {default: 40}, identity: 90}\n"
                                "  death_day: {trust: {default: 40}}\n"
                                "  identity_number: {method: vote, incomplete: 1, trust: {police: 90, default: 50}}\n"
                                "  phone: {method: most_recent, conflict: false, trust: {default: 50}}\n"
                                "  division: {method: most_recent, conflict: false, trust: {default: 50}}\n"
                                "  address: {method: most_recent, conflict: false, trust: {default: 50}}\n"
                                "  hukou_division: {method: most_recent, conflict: false, trust: {police: 90}}\n"
                                "  household_no: {method: most_recent, conflict: false, trust: {police: 90}}\n"
                                "  ethnicity: {trust: {default: 40}}\n"
                                "  marital_status: {trust: {default: 40}}\n"
                                "  education: {trust: {default: 40}}\n";
static const char RULE_FIRST[] =
    "version: \"t\"\nattributes:\n"
    "  name: {method: vote, trust: {police: 90, clinic: 30, clinic.child: 60, default: 40}}\n"
    "  birth_day: {method: vote, incomplete: 5, identity: 90, trust: {police: 80, default: 50}}\n";

static kd_survivorship *load(const char *first, const char *rest, kd_error *err)
{
    char path[] = "/tmp/kd_survive_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, first, strlen(first)), strlen(first));
    assert_int_equal(write(fd, rest, strlen(rest)), strlen(rest));
    close(fd);
    kd_survivorship *rules = NULL;
    kd_status status = kd_survivorship_load(path, FEEDS, 4, &rules, err);
    unlink(path);
    return status == KD_OK ? rules : NULL;
}

static kd_survivorship *rules_for_tests(void)
{
    kd_error err;
    kd_survivorship *rules = load(RULE_FIRST, RULE_REST, &err);
    if (!rules) fail_msg("%s", err.message);
    return rules;
}

static kd_source_record record(int32_t source, kd_role role, const char *name, const char *birth, const char *recorded)
{
    kd_source_record r = { .source_id = source,
                           .role = role,
                           .name = kd_str_of(name),
                           .sex = -1,
                           .birth_day = KD_DAY_NONE,
                           .death_day = KD_DAY_NONE,
                           .event_day = KD_DAY_NONE,
                           .recorded_day = KD_DAY_NONE };
    if (birth) assert_true(kd_day_parse(kd_str_of(birth), &r.birth_day));
    if (recorded) assert_true(kd_day_parse(kd_str_of(recorded), &r.recorded_day));
    return r;
}

static void the_heaviest_vote_wins(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    const kd_source_record records[] = { record(POLICE, KD_ROLE_SUBJECT, "张一", NULL, NULL),
                                         record(CLINIC, KD_ROLE_CHILD, "张义", NULL, NULL),
                                         record(SCHOOL, KD_ROLE_SUBJECT, "张义", NULL, NULL) };
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_NAME, records, 3, NULL, 0, NULL, &choice);
    assert_int_equal(choice.count, 2);
    assert_true(kd_str_is(choice.values[0].value.text, "张义"));
    assert_int_equal(choice.values[0].score, 100); /* clinic.child 60 + school 40 */
    assert_int_equal(choice.values[1].score, 90);
    assert_true(choice.is_conflict);
    kd_survivorship_free(rules);
}

static void a_feed_that_repeats_itself_counts_once(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    const kd_source_record records[] = { record(SCHOOL, KD_ROLE_SUBJECT, "张义", NULL, NULL),
                                         record(SCHOOL, KD_ROLE_SUBJECT, "张义", NULL, NULL),
                                         record(SCHOOL, KD_ROLE_SUBJECT, "张义", NULL, NULL),
                                         record(POLICE, KD_ROLE_SUBJECT, "张一", NULL, NULL) };
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_NAME, records, 4, NULL, 0, NULL, &choice);
    assert_true(kd_str_is(choice.values[0].value.text, "张一"));
    assert_int_equal(choice.values[1].records, 3);
    assert_int_equal(choice.values[1].feeds, 1);
    assert_int_equal(choice.values[1].score, 40);
    kd_survivorship_free(rules);
}

static void a_valid_identity_number_votes(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    kd_identity identity = { .kind = KD_IDENTITY_OK, .sex = 2 };
    assert_true(kd_day_parse(KD_STR("2000-05-06"), &identity.birth_day));
    const kd_source_record records[] = { record(POLICE, KD_ROLE_SUBJECT, "", "2000-05-09", NULL),
                                         record(SCHOOL, KD_ROLE_SUBJECT, "", "2000-05-06", NULL) };
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_BIRTH_DAY, records, 2, NULL, 0, &identity, &choice);
    assert_int_equal(choice.values[0].value.number, identity.birth_day);
    assert_true(choice.values[0].by_identity);
    kd_survive_choose(rules, KD_ATTR_SEX, records, 2, NULL, 0, &identity, &choice);
    assert_int_equal(choice.values[0].value.number, 2);
    assert_int_equal(choice.values[0].records, 0);
    kd_survivorship_free(rules);
}

static void what_a_person_decided_wins_and_the_last_word_counts(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    const kd_source_record records[] = { record(POLICE, KD_ROLE_SUBJECT, "张一", NULL, NULL),
                                         record(SCHOOL, KD_ROLE_SUBJECT, "张义", NULL, NULL) };
    const kd_decided_value decided[] = { { KD_ATTR_NAME, KD_STR("张仪") }, { KD_ATTR_NAME, KD_STR("张义") } };
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_NAME, records, 2, decided, 2, NULL, &choice);
    assert_true(kd_str_is(choice.values[0].value.text, "张义"));
    assert_true(choice.values[0].is_decided);
    assert_false(choice.is_conflict);
    kd_survivorship_free(rules);
}

static void a_year_never_beats_a_day(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    kd_source_record year = record(POLICE, KD_ROLE_SUBJECT, "", "1961-01-01", NULL);
    year.birth_kind = KD_DATE_YEAR;
    const kd_source_record records[] = { year, record(SCHOOL, KD_ROLE_SUBJECT, "", "1961-07-03", NULL) };
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_BIRTH_DAY, records, 2, NULL, 0, NULL, &choice);
    char buf[24];
    assert_true(kd_str_is(kd_value_text(KD_ATTR_BIRTH_DAY, &choice.values[0].value, buf), "1961-07-03"));
    assert_true(kd_str_is(kd_value_text(KD_ATTR_BIRTH_DAY, &choice.values[1].value, buf), "1961"));
    assert_false(choice.is_conflict);
    kd_survivorship_free(rules);
}

static void the_most_recent_phone_is_chosen_and_is_no_conflict(void **state)
{
    (void)state;
    kd_survivorship *rules = rules_for_tests();
    kd_source_record records[] = { record(POLICE, KD_ROLE_SUBJECT, "", NULL, "2019-01-01"),
                                   record(CLINIC, KD_ROLE_SUBJECT, "", NULL, "2024-01-01"),
                                   record(SCHOOL, KD_ROLE_SUBJECT, "", NULL, NULL) };
    records[0].phone = KD_STR("13900000001");
    records[1].phone = KD_STR("13900000002");
    records[2].phone = KD_STR("13900000003");
    kd_choice choice;
    kd_survive_choose(rules, KD_ATTR_PHONE, records, 3, NULL, 0, NULL, &choice);
    assert_true(kd_str_is(choice.values[0].value.text, "13900000002"));
    assert_false(choice.is_conflict);
    kd_survivorship_free(rules);
}

/* Any order of the same records gives the same list. */
static void order_does_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = { "张一", "张义", "张仪", "" };
    static const char *const days[] = { "2001-01-01", "2001-01-02", "2010-01-01" };
    kd_survivorship *rules = rules_for_tests();
    kd_rng rng;
    kd_rng_init(&rng, 7);
    for (int round = 0; round < 2000; round++) {
        kd_source_record records[8];
        size_t count = 1 + kd_rng_below(&rng, 8);
        for (size_t i = 0; i < count; i++)
            records[i] =
                record((int32_t)(1 + kd_rng_below(&rng, 3)), kd_rng_below(&rng, 2) ? KD_ROLE_CHILD : KD_ROLE_SUBJECT,
                       names[kd_rng_below(&rng, 4)], days[kd_rng_below(&rng, 3)], days[kd_rng_below(&rng, 3)]);
        for (int a = 0; a < KD_ATTR_COUNT; a++) {
            kd_choice before, after;
            kd_survive_choose(rules, (kd_attribute)a, records, count, NULL, 0, NULL, &before);
            for (size_t i = count; i > 1; i--) {
                size_t j = kd_rng_below(&rng, i);
                kd_source_record keep = records[i - 1];
                records[i - 1] = records[j];
                records[j] = keep;
            }
            kd_survive_choose(rules, (kd_attribute)a, records, count, NULL, 0, NULL, &after);
            assert_int_equal(before.count, after.count);
            for (size_t i = 0; i < before.count; i++) {
                assert_true(kd_value_same((kd_attribute)a, &before.values[i].value, &after.values[i].value));
                assert_int_equal(before.values[i].score, after.values[i].score);
            }
        }
    }
    kd_survivorship_free(rules);
}

static void canonical_texts_read_back(void **state)
{
    (void)state;
    static const struct {
        kd_attribute attribute;
        const char *text;
        bool is_there;
    } cases[] = { { KD_ATTR_BIRTH_DAY, "1999-12-31", true },
                  { KD_ATTR_BIRTH_DAY, "1999-12", true },
                  { KD_ATTR_BIRTH_DAY, "1999", true },
                  { KD_ATTR_BIRTH_DAY, "1999-02-30", false },
                  { KD_ATTR_SEX, "2", true },
                  { KD_ATTR_SEX, "-1", false },
                  { KD_ATTR_DIVISION, "610829101203", true },
                  { KD_ATTR_NAME, "张一", true },
                  { KD_ATTR_NAME, "", false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buf[24];
        kd_value_of value = kd_value_parse(cases[i].attribute, kd_str_of(cases[i].text));
        assert_int_equal(value.is_there, cases[i].is_there);
        if (value.is_there) assert_true(kd_str_is(kd_value_text(cases[i].attribute, &value, buf), cases[i].text));
    }
}

static void wrong_rules_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *first, *rest;
        uint64_t line;
        const char *part;
    } cases[] = {
        { "version: \"t\"\nattributes:\n  nose: {trust: {default: 1}}\n", "", 3, "no attribute" },
        { "version: \"t\"\nattributes:\n  name: {trust: {default: 101}}\n", "", 3, "0 to 100" },
        { "version: \"t\"\nattributes:\n  name: {trust: {police.aunt: 10}}\n", "", 3, "no such role" },
        { "version: \"t\"\nattributes:\n  name: {method: loudest, trust: {default: 1}}\n", "", 3,
          "vote or most_recent" },
        { "version: \"t\"\nattributes:\n  name: {method: vote}\n", "", 3, "trust" },
        { "version: \"t\"\nattributes:\n  name: {trust: {default: 1}}\n", "", 3, "has no rule" },
        { "attributes: {}\n", "", 1, "version" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_error err = { 0 };
        assert_null(load(cases[i].first, cases[i].rest, &err));
        assert_int_equal(err.line, cases[i].line);
        if (!strstr(err.message, cases[i].part)) fail_msg("case %zu: %s", i, err.message);
    }
}

static void the_shipped_rules_are_whole(void **state)
{
    (void)state;
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_survivorship *rules = NULL;
    kd_str path;
    kd_error err = { 0 };
    assert_int_equal(kd_data_path(arena, "packs/cn/survivorship.yaml", &path, &err), KD_OK);
    if (kd_survivorship_load(path.ptr, FEEDS, 4, &rules, &err) != KD_OK) fail_msg("%s", err.message);
    assert_true(kd_survivorship_version(rules).len > 0);
    kd_survivorship_free(rules);
    kd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_vote_wins),
        cmocka_unit_test(a_feed_that_repeats_itself_counts_once),
        cmocka_unit_test(a_valid_identity_number_votes),
        cmocka_unit_test(what_a_person_decided_wins_and_the_last_word_counts),
        cmocka_unit_test(a_year_never_beats_a_day),
        cmocka_unit_test(the_most_recent_phone_is_chosen_and_is_no_conflict),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(canonical_texts_read_back),
        cmocka_unit_test(wrong_rules_are_named),
        cmocka_unit_test(the_shipped_rules_are_whole),
    };
    return cmocka_run_group_tests_name("survive", tests, NULL, NULL);
}
