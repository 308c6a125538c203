/* Every shipped feed pack: in order, told apart from the others, and a file of its own columns is taken for it. */
#include "exchange/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static kd_feed_packs *packs;

static int set_up(void **state)
{
    (void)state;
    kd_error err = { 0 };
    if (kd_feed_packs_open(NULL, true, &packs, &err) == KD_OK) return 0;
    char text[1200];
    kd_error_text(&err, text, sizeof text);
    print_error("%s\n", text);
    return -1;
}

static int tear_down(void **state)
{
    (void)state;
    kd_feed_packs_close(packs);
    return 0;
}

static void the_eleven_feeds_are_described(void **state)
{
    (void)state;
    static const char *const feeds[] = { "antenatal_care",    "birth_certificate",      "birth_registration",
                                         "hospital_delivery", "household_registration", "immunisation",
                                         "marriage",          "population_statistics",  "rural_insurance",
                                         "school_roll",       "urban_insurance" };
    for (size_t i = 0; i < sizeof feeds / sizeof feeds[0]; i++) {
        const kd_feed_pack *pack = kd_feed_packs_find(packs, kd_str_of(feeds[i]));
        if (!pack) fail_msg("no pack describes %s", feeds[i]);
        kd_feed_info info = kd_feed_pack_info(pack);
        assert_true(info.title_zh.len && info.title_en.len && info.supplier_zh.len && info.version.len);
        assert_true(kd_str_ends(info.file, KD_STR(".yaml")));
    }
}

/* Header texts of a pack: those required, or all. */
static size_t headers_of(const kd_yaml *root, bool only_required, kd_str *headers, size_t cap)
{
    size_t count = 0;
    const kd_yaml *columns = kd_yaml_get(root, "columns");
    for (const kd_yaml *node = columns->first; node && count < cap; node = node->next) {
        bool is_required = false;
        assert_int_equal(kd_yaml_bool(node, "required", false, &is_required, NULL), KD_OK);
        if (is_required || !only_required) headers[count++] = kd_yaml_text(node, "name", KD_STR(""));
    }
    return count;
}

static void a_file_of_a_packs_columns_is_recognised_as_its_feed(void **state)
{
    (void)state;
    for (size_t i = 0; i < kd_feed_packs_count(packs); i++) {
        kd_feed_info info = kd_feed_pack_info(kd_feed_packs_at(packs, i));
        kd_arena *arena = kd_arena_new(16 << 20);
        const kd_yaml *root = NULL;
        kd_error err = { 0 };
        assert_int_equal(kd_yaml_load(arena, info.file.ptr, &root, &err), KD_OK);
        for (int only_required = 0; only_required < 2; only_required++) {
            kd_str headers[512];
            size_t count = headers_of(root, only_required, headers, 512);
            const kd_feed_pack *found = NULL;
            kd_str asked = only_required ? info.feed : KD_STR("");
            if (kd_feed_recognise(packs, asked, headers, count, "x.csv", &found, &err) != KD_OK)
                fail_msg("%.*s: %s (%s)", KD_FMT(info.feed), err.message, err.hint);
            assert_true(kd_str_eq(kd_feed_pack_info(found).feed, info.feed));
        }
        kd_arena_free(arena);
    }
}

static void a_file_of_another_feed_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < kd_feed_packs_count(packs); i++) {
        kd_feed_info info = kd_feed_pack_info(kd_feed_packs_at(packs, i));
        kd_feed_info other = kd_feed_pack_info(kd_feed_packs_at(packs, (i + 1) % kd_feed_packs_count(packs)));
        kd_arena *arena = kd_arena_new(16 << 20);
        const kd_yaml *root = NULL;
        kd_error err = { 0 };
        assert_int_equal(kd_yaml_load(arena, info.file.ptr, &root, &err), KD_OK);
        kd_str headers[512];
        size_t count = headers_of(root, false, headers, 512);
        const kd_feed_pack *found = NULL;
        assert_int_equal(kd_feed_recognise(packs, other.feed, headers, count, "x.csv", &found, &err), KD_INVALID);
        char wanted[80];
        snprintf(wanted, sizeof wanted, "--feed %.*s", KD_FMT(info.feed));
        if (!strstr(err.hint, wanted)) fail_msg("%.*s for %.*s: %s", KD_FMT(info.feed), KD_FMT(other.feed), err.hint);
        kd_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_eleven_feeds_are_described),
        cmocka_unit_test(a_file_of_a_packs_columns_is_recognised_as_its_feed),
        cmocka_unit_test(a_file_of_another_feed_is_refused_and_named),
    };
    return cmocka_run_group_tests_name("feed_packs", tests, set_up, tear_down);
}
