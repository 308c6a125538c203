#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void days_agree_with_a_calendar_walk(void **state)
{
    (void)state;
    kd_ymd date = { 1, 1, 1 };
    int32_t day = kd_day_from_ymd(date);
    assert_int_equal(day, -719162);
    static const uint8_t lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    while (date.year < 2500) {
        kd_ymd back = kd_day_to_ymd(day);
        if (kd_day_from_ymd(date) != day || back.year != date.year || back.month != date.month || back.day != date.day)
            fail_msg("day %d", day);
        bool is_leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
        if (++date.day > lengths[date.month - 1] + (date.month == 2 && is_leap)) {
            date.day = 1;
            if (++date.month > 12) {
                date.month = 1;
                date.year++;
            }
        }
        day++;
    }
}

static void impossible_days_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "2023-02-29", "2023-02-30", "1900-02-29", "2023-13-01", "2023-00-10",
                                         "2023-1-05",  "20230105",   "",           "2023-01-32", "abcd-ef-gh" };
    int32_t day = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(kd_day_parse(kd_str_of(wrong[i]), &day));
    assert_int_equal(day, 7);
    assert_true(kd_day_parse(KD_STR("2024-02-29"), &day));
    char buf[16];
    assert_string_equal(kd_day_format(day, buf), "2024-02-29");
}

static void ages_count_birthdays(void **state)
{
    (void)state;
    static const struct {
        const char *birth, *day;
        int32_t years;
    } cases[] = { { "2000-02-29", "2001-02-28", 0 },
                  { "2000-02-29", "2001-03-01", 1 },
                  { "2000-02-29", "2004-02-29", 4 },
                  { "1990-06-15", "2026-06-14", 35 },
                  { "1990-06-15", "2026-06-15", 36 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t birth, day;
        assert_true(kd_day_parse(kd_str_of(cases[i].birth), &birth));
        assert_true(kd_day_parse(kd_str_of(cases[i].day), &day));
        assert_int_equal(kd_day_age_years(birth, day), cases[i].years);
    }
}

static void ids_rise_and_survive_text(void **state)
{
    (void)state;
    kd_id_maker maker = { 0 };
    int64_t before = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t id = kd_id_next(&maker), back = 0;
        char text[KD_ID_TEXT_BYTES];
        assert_true(id > before);
        assert_true(kd_id_parse(kd_str_of(kd_id_format(id, text)), &back));
        assert_true(back == id);
        before = id;
    }
    int64_t id;
    assert_false(kd_id_parse(KD_STR("8000000000000"), &id));
    assert_false(kd_id_parse(KD_STR("short"), &id));
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(kd_str_int(KD_STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(kd_str_int(KD_STR("9223372036854775807"), &value));
    static const char *const wrong[] = { "", "-", "9223372036854775808", "1 ", "0x1", "1.0", "--1" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(kd_str_int(kd_str_of(wrong[i]), &value));
    double real = 0;
    assert_true(kd_str_double(KD_STR("-1.5e3"), &real));
    assert_true(real < -1499.9 && real > -1500.1);
    assert_false(kd_str_double(KD_STR("nan"), &real));
    assert_false(kd_str_double(KD_STR("1e999"), &real));
}

static void arena_answers_nothing_past_its_limit(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 64; limit++) {
        kd_arena *arena = kd_arena_new(limit);
        kd_str copy = kd_arena_str(arena, KD_STR("亲源"));
        assert_int_equal(copy.ptr != NULL, limit >= 7);
        kd_arena_free(arena);
    }
}

static void json_escapes_and_mends(void **state)
{
    (void)state;
    kd_buf out;
    kd_buf_init(&out, 4096);
    kd_json json;
    kd_json_init(&json, &out);
    kd_json_object(&json);
    kd_json_kstr(&json, "a\"b", KD_STR("x\n\x01\xFF亲"));
    kd_json_key(&json, "list");
    kd_json_array(&json);
    kd_json_int(&json, -5);
    kd_json_double(&json, 0.25, 3);
    kd_json_null(&json);
    kd_json_array_end(&json);
    kd_json_kbool(&json, "yes", true);
    kd_json_object_end(&json);
    kd_buf_char(&out, '\0');
    assert_string_equal(out.ptr, "{\"a\\\"b\":\"x\\n\\u0001\xEF\xBF\xBD亲\",\"list\":[-5,0.250,null],\"yes\":true}");
    kd_buf_done(&out);
}

static void yaml_knows_its_lines(void **state)
{
    (void)state;
    kd_arena *arena = kd_arena_new(1 << 16);
    const kd_yaml *root;
    kd_error err;
    assert_int_equal(kd_yaml_parse(arena, KD_STR("a: 1\nb:\n  - x\n  - y\nc: ~\n"), "t.yaml", &root, &err), KD_OK);
    assert_int_equal(kd_yaml_get(root, "b")->count, 2);
    int64_t value;
    assert_int_equal(kd_yaml_int(root, "a", 0, &value, &err), KD_OK);
    assert_int_equal(value, 1);
    assert_int_equal(kd_yaml_int(root, "c", 9, &value, &err), KD_OK);
    assert_int_equal(value, 9);
    assert_int_equal(kd_yaml_int(root, "b", 9, &value, &err), KD_INVALID);
    assert_int_equal(err.line, 3);
    static const char *const known[] = { "a", "bee", NULL };
    assert_int_equal(kd_yaml_only(root, known, &err), KD_INVALID);
    assert_string_equal(err.hint, "did you mean 'bee'?");
    kd_arena_free(arena);
}

static void yaml_refuses_what_could_surprise(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t line;
    } cases[] = { { "a: 1\na: 2\n", 2 }, { "a: &x 1\n", 1 },     { "a: *x\n", 1 }, { "a: !!int 1\n", 1 }, { "", 1 },
                  { "a: [1\n", 2 },      { "--- a\n--- b\n", 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_arena *arena = kd_arena_new(1 << 16);
        const kd_yaml *root;
        kd_error err = { 0 };
        assert_int_equal(kd_yaml_parse(arena, kd_str_of(cases[i].text), "t.yaml", &root, &err), KD_INVALID);
        assert_int_equal(err.line, cases[i].line);
        kd_arena_free(arena);
    }
}

static void maps_and_dictionaries_hold_many(void **state)
{
    (void)state;
    kd_map *map = kd_map_new(0);
    kd_dict *dict = kd_dict_new();
    for (uint64_t i = 0; i < 50000; i++) {
        bool is_new;
        *kd_map_put(map, i * 7919, &is_new) = i;
        assert_true(is_new);
        char text[24];
        int len = snprintf(text, sizeof text, "k%llu", (unsigned long long)i);
        assert_int_equal(kd_dict_add(dict, (kd_str){ text, (size_t)len }), i);
    }
    for (uint64_t i = 0; i < 50000; i++) assert_true(*kd_map_get(map, i * 7919) == i);
    assert_null(kd_map_get(map, 1));
    assert_int_equal(kd_map_count(map), 50000);
    assert_int_equal(kd_dict_find(dict, KD_STR("k49999")), 49999);
    assert_int_equal(kd_dict_find(dict, KD_STR("nobody")), KD_DICT_NONE);
    assert_true(kd_str_is(kd_dict_text(dict, 123), "k123"));
    kd_map_free(map);
    kd_dict_free(dict);
}

static kd_status add_up(void *ctx, size_t item, kd_error *err)
{
    if (item == 777) return kd_fail(err, KD_INVALID, "", "item %zu", item);
    __atomic_fetch_add((uint64_t *)ctx, item, __ATOMIC_RELAXED);
    return KD_OK;
}

static void parallel_work_is_done_once_and_fails_once(void **state)
{
    (void)state;
    uint64_t sum = 0;
    kd_error err;
    assert_int_equal(kd_parallel(4, 700, add_up, &sum, &err), KD_OK);
    assert_int_equal(sum, 700 * 699 / 2);
    assert_int_equal(kd_parallel(4, 2000, add_up, &sum, &err), KD_INVALID);
    assert_string_equal(err.message, "item 777");
}

static void error_text_names_the_place(void **state)
{
    (void)state;
    kd_error err;
    kd_fail_at(&err, KD_INVALID, "a.csv", 3, 7, "bad %s", "value");
    kd_hint(&err, "mend it");
    char text[256];
    kd_error_text(&err, text, sizeof text);
    assert_string_equal(text, "a.csv:3:7: bad value (mend it)");
    char small[8];
    assert_int_equal(kd_error_text(&err, small, sizeof small), 7);
}

static void errors_are_told_in_the_threads_language(void **state)
{
    (void)state;
    kd_error err;
    kd_fail_at(&err, KD_INVALID, "a.csv", 0, 0, "columns %zu and %zu are both named '%.*s'", (size_t)2, (size_t)5, 3,
               "abc");
    assert_string_equal(err.message, "columns 2 and 5 are both named 'abc'");
    kd_language_set_all(KD_CHINESE);
    kd_fail_at(&err, KD_INVALID, "a.csv", 0, 0, "columns %zu and %zu are both named '%.*s'", (size_t)2, (size_t)5, 3,
               "abc");
    assert_string_equal(err.message, "第 2 列和第 5 列都叫“abc”");
    assert_string_equal(kd_message("nobody ever said this"), "nobody ever said this");
    kd_language_set(KD_ENGLISH);
    kd_fail(&err, KD_LIMIT, "", "no memory");
    assert_string_equal(err.message, "no memory");
    kd_language_set_all(KD_ENGLISH);
}

static void random_numbers_stay_in_bounds(void **state)
{
    (void)state;
    kd_rng a, b;
    kd_rng_init(&a, 42);
    kd_rng_init(&b, 42);
    size_t counts[7] = { 0 };
    for (int i = 0; i < 70000; i++) {
        uint64_t x = kd_rng_below(&a, 7);
        assert_true(x == kd_rng_below(&b, 7));
        counts[x]++;
    }
    for (int i = 0; i < 7; i++) assert_in_range(counts[i], 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_agree_with_a_calendar_walk),
        cmocka_unit_test(impossible_days_are_refused),
        cmocka_unit_test(ages_count_birthdays),
        cmocka_unit_test(ids_rise_and_survive_text),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(arena_answers_nothing_past_its_limit),
        cmocka_unit_test(json_escapes_and_mends),
        cmocka_unit_test(yaml_knows_its_lines),
        cmocka_unit_test(yaml_refuses_what_could_surprise),
        cmocka_unit_test(maps_and_dictionaries_hold_many),
        cmocka_unit_test(parallel_work_is_done_once_and_fails_once),
        cmocka_unit_test(error_text_names_the_place),
        cmocka_unit_test(errors_are_told_in_the_threads_language),
        cmocka_unit_test(random_numbers_stay_in_bounds),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
