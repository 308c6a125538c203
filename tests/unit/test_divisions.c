#include "base/base.h"
#include "text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FOLDER "packs/cn/shaanxi/yulin/"

static kd_divisions *tree;

static int open_tree(void **state)
{
    (void)state;
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_str csv, history;
    kd_error err;
    bool is_open = kd_data_path(arena, FOLDER "divisions.csv", &csv, &err) == KD_OK &&
                   kd_data_path(arena, FOLDER "division_history.csv", &history, &err) == KD_OK &&
                   kd_divisions_open(csv.ptr, history.ptr, &tree, &err) == KD_OK;
    kd_arena_free(arena);
    return is_open ? 0 : -1;
}

static int close_tree(void **state)
{
    (void)state;
    kd_divisions_close(tree);
    return 0;
}

/* ---- the tree ---- */

static void the_tree_stands_in_code_order_with_parents_first(void **state)
{
    (void)state;
    size_t counts[KD_LEVEL_VILLAGE + 1] = { 0 };
    for (size_t i = 0; i < kd_divisions_count(tree); i++) {
        const kd_division *division = kd_divisions_at(tree, i);
        counts[division->level]++;
        assert_ptr_equal(kd_divisions_find(tree, division->code), division);
        assert_true(i == 0 || kd_divisions_at(tree, i - 1)->code < division->code);
        if (!division->parent) continue;
        const kd_division *parent = kd_divisions_find(tree, division->parent);
        assert_non_null(parent);
        assert_true(parent < division && parent->level + 1 == division->level);
        assert_true(kd_division_within(division->code, parent->code));
        assert_true(kd_division_at_level(division->code, parent->level) == parent->code);
    }
    assert_int_equal(counts[KD_LEVEL_PROVINCE], 1);
    assert_int_equal(counts[KD_LEVEL_PREFECTURE], 1);
    assert_int_equal(counts[KD_LEVEL_COUNTY], 12);
    assert_int_equal(counts[KD_LEVEL_TOWNSHIP], 184);
    assert_int_equal(counts[KD_LEVEL_VILLAGE], 3227);
    assert_null(kd_divisions_at(tree, kd_divisions_count(tree)));
    assert_null(kd_divisions_find(tree, 610899000000));
    assert_null(kd_divisions_find(tree, 0));
    assert_null(kd_divisions_find(tree, -1));
}

static void codes_are_cut_to_levels(void **state)
{
    (void)state;
    static const struct {
        int64_t code;
        kd_division_level level;
        int64_t cut;
    } cases[] = {
        { 610829101203, KD_LEVEL_VILLAGE, 610829101203 },
        { 610829101203, KD_LEVEL_TOWNSHIP, 610829101000 },
        { 610829101203, KD_LEVEL_COUNTY, 610829000000 },
        { 610829101203, KD_LEVEL_PREFECTURE, 610800000000 },
        { 610829101203, KD_LEVEL_PROVINCE, 610000000000 },
        { 610829000000, KD_LEVEL_COUNTY, 610829000000 },
        { 610829000000, KD_LEVEL_TOWNSHIP, 0 },
        { 610800000000, KD_LEVEL_COUNTY, 0 },
        { 0, KD_LEVEL_PROVINCE, 0 },
        { -5, KD_LEVEL_PROVINCE, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(kd_division_at_level(cases[i].code, cases[i].level) == cases[i].cut);
    assert_true(kd_division_within(610829101203, 610829000000));
    assert_true(kd_division_within(610829000000, 610829000000));
    assert_false(kd_division_within(610829000000, 610829101000));
    assert_false(kd_division_within(610830101203, 610829000000));
    assert_true(kd_division_within(610829101203, 0));
    assert_false(kd_division_within(610829101203, -1));
}

static void codes_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        int64_t exact, or_ancestor;
    } cases[] = {
        { "61", 610000000000, 610000000000 },
        { "6108", 610800000000, 610800000000 },
        { "610829", 610829000000, 610829000000 },
        { " 610829 ", 610829000000, 610829000000 },
        { "６１０８２９", 610829000000, 610829000000 },
        { "610829000000", 610829000000, 610829000000 },
        { "610829001", 610829001000, 610829001000 },
        { "6127", 610800000000, 610800000000 },
        { "612700", 610800000000, 610800000000 },
        { "612701", 610802000000, 610802000000 },
        { "612722", 610881000000, 610881000000 },
        { "612727", 610826000000, 610826000000 },
        { "612727000000", 610826000000, 610826000000 },
        { "610821", 610881000000, 610881000000 },
        { "610823", 610803000000, 610803000000 },
        { "612730001", 610829001000, 610829001000 },
        { "612730001999", 0, 610829000000 },
        { "610829999", 0, 610829000000 },
        { "610829001999", 0, 610829001000 },
        { "610899", 0, 610800000000 },
        { "612799", 0, 610800000000 },
        { "110105", 0, 0 },
        { "61082", 0, 610800000000 },
        { "6108290", 0, 610829000000 },
        { "61082900199912", 0, 610829001000 },
        { "", 0, 0 },
        { "abc", 0, 0 },
        { "610829x", 0, 0 },
        { "00", 0, 0 },
        { "-61", 0, 0 },
        { "6", 0, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t exact = kd_division_code_read(tree, kd_str_of(cases[i].raw), false);
        int64_t nearest = kd_division_code_read(tree, kd_str_of(cases[i].raw), true);
        if (exact != cases[i].exact || nearest != cases[i].or_ancestor)
            fail_msg("%s: %lld, %lld", cases[i].raw, (long long)exact, (long long)nearest);
    }
}

static void full_names_start_at_the_province(void **state)
{
    (void)state;
    char buf[256];
    buf[kd_division_full_name(tree, 610829000000, buf, sizeof buf - 1)] = '\0';
    assert_string_equal(buf, "陕西省榆林市吴堡县");
    for (size_t room = 0; room < 30; room++) {
        char *exact = malloc(room + 1);
        assert_non_null(exact);
        size_t written = kd_division_full_name(tree, 610829000000, exact, room);
        assert_true(written <= room && kd_utf8_is_valid((kd_str){ exact, written }));
        free(exact);
    }
    assert_int_equal(kd_division_full_name(tree, 5, buf, sizeof buf), 0);
}

static void broken_trees_are_refused(void **state)
{
    (void)state;
    char dir[] = "/tmp/kd-tree-XXXXXX";
    assert_non_null(mkdtemp(dir));
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_str path = kd_path_join(arena, kd_str_of(dir), KD_STR("tree.csv"));
    kd_str history = kd_path_join(arena, kd_str_of(dir), KD_STR("history.csv"));
    static const struct {
        const char *rows;
        kd_status status;
    } cases[] = {
        { "", KD_INVALID },
        { "61,甲省,province,\n", KD_OK },
        { "61,甲省,province,\n61,乙省,province,\n", KD_INVALID },
        { "6101,甲市,prefecture,61\n", KD_INVALID },
        { "61,甲省,province,\n6201,甲市,prefecture,61\n", KD_INVALID },
        { "61,甲省,state,\n", KD_INVALID },
        { "6x,甲省,province,\n", KD_INVALID },
        { "612,甲省,province,\n", KD_INVALID },
        { "6101,甲省,province,\n", KD_INVALID },
        { "61,,province,\n", KD_INVALID },
        { "61,\xE4\xB8,province,\n", KD_INVALID },
        { "61,甲省,province\n", KD_INVALID },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char content[256];
        kd_error err;
        kd_divisions *none = NULL;
        int len = snprintf(content, sizeof content, "code,name,level,parent\n%s", cases[i].rows);
        assert_int_equal(kd_file_write(path.ptr, (kd_str){ content, (size_t)len }, &err), KD_OK);
        kd_status status = kd_divisions_open(path.ptr, NULL, &none, &err);
        if (status != cases[i].status) fail_msg("case %zu: %d", i, (int)status);
        assert_int_equal(none != NULL, status == KD_OK);
        kd_divisions_close(none);
    }
    kd_error err;
    kd_divisions *none = NULL;
    kd_str rows = KD_STR("code,name,level,parent\n61,甲省,province,\n");
    kd_str wrong = KD_STR("old_code,old_name,current_code,changed_about\n52,丙省,99,1999\n");
    assert_int_equal(kd_file_write(path.ptr, rows, &err), KD_OK);
    assert_int_equal(kd_file_write(history.ptr, wrong, &err), KD_OK);
    assert_int_equal(kd_divisions_open(path.ptr, history.ptr, &none, &err), KD_INVALID);
    assert_int_equal(err.line, 2);
    unlink(history.ptr);
    assert_int_equal(kd_divisions_open(path.ptr, history.ptr, &none, &err), KD_NOT_FOUND);
    assert_null(none);
    unlink(path.ptr);
    rmdir(dir);
    kd_arena_free(arena);
    kd_divisions_close(NULL);
}

/* ---- addresses ---- */

typedef struct {
    const char *raw;
    int64_t within, code;
    bool is_certain;
    const char *rest;
} written_address;

static void check_address(const written_address *written)
{
    size_t len = strlen(written->raw);
    char *exact = malloc(len + 1); /* its own block without a NUL, so that reading past it is seen */
    assert_non_null(exact);
    memcpy(exact, written->raw, len);
    kd_address address;
    kd_address_read(tree, (kd_str){ exact, len }, written->within, &address);
    bool is_rest = !written->rest || kd_str_is(address.rest, written->rest);
    if (address.code != written->code || address.is_certain != written->is_certain || !is_rest)
        fail_msg("%s: %lld%s, rest '%.*s'", written->raw, (long long)address.code,
                 address.is_certain ? "" : " uncertain", KD_FMT(address.rest));
    free(exact);
}

static int64_t code_of(const char *county, const char *township, const char *village)
{
    const char *const names[] = { county, township, village };
    int64_t area = 610800000000;
    for (size_t n = 0; n < 3 && names[n]; n++) {
        int64_t found = 0;
        for (size_t i = 0; i < kd_divisions_count(tree); i++) {
            const kd_division *division = kd_divisions_at(tree, i);
            if (division->parent == area && kd_str_is(division->name, names[n])) found = division->code;
        }
        if (!found) fail_msg("no %s", names[n]);
        area = found;
    }
    return area;
}

static void addresses_are_read_down_to_the_village(void **state)
{
    (void)state;
    int64_t qingyun = code_of("榆阳区", "青云镇", NULL), songjiachuan = code_of("吴堡县", "宋家川街道", NULL);
    int64_t zhongjiagou = code_of("榆阳区", "青云镇", "钟家沟村委会");
    const written_address cases[] = {
        { "陕西省榆林市榆阳区青云镇钟家沟村委会3组12号", 0, zhongjiagou, true, "3组12号" },
        { "陕西省榆林市榆阳区青云镇钟家沟村3组", 0, zhongjiagou, true, "3组" },
        { "榆阳区青云镇钟家沟村民委员会", 0, zhongjiagou, true, "" },
        { "榆阳青云钟家沟", 0, zhongjiagou, true, "" },
        { "榆林榆阳青云钟家沟12号", 0, zhongjiagou, true, "12号" },
        { "青云镇钟家沟村", 0, zhongjiagou, true, "" },
        { "青云乡钟家沟村", 0, zhongjiagou, true, "" },
        { "青云公社钟家沟大队", 0, zhongjiagou, true, "" },
        { "陕西省 榆林市　榆阳区，青云镇 钟家沟村 1 号", 0, zhongjiagou, true, "1 号" },
        { "榆阳区陕西省榆林市榆阳区青云镇钟家沟村", 0, zhongjiagou, true, "" },
        { "陕西省榆林市榆阳区榆林市榆阳区青云镇青云镇", 0, qingyun, true, "" },
        { "户籍地址：陕西省榆林市榆阳区青云镇钟家沟村", 0, zhongjiagou, true, "" },
        { "中国陕西省榆林市榆阳区青云镇钟家沟村", 0, zhongjiagou, true, "" },
        { "榆林地区榆林县青云镇钟家沟村", 0, zhongjiagou, true, "" },
        { "榆阳区青云镇钟家沟自然村后沟", 0, zhongjiagou, true, NULL },
        { "榆阳区青云镇青云路5号", 0, qingyun, true, "青云路5号" },
        { "陕西榆林吴堡宋家川新建街９号", 0, code_of("吴堡县", "宋家川街道", "新建街社区居民委员会"), true, "９号" },
        { "陕西榆林吴堡宋家川９号", 0, songjiachuan, true, "９号" },
        { "吴堡县宋家川街道办事处", 0, songjiachuan, true, "" },
        { "吴堡县宋家川镇", 0, songjiachuan, true, "" },
        { "陕西省榆林市", 0, 610800000000, true, "" },
        { "陕西", 0, 610000000000, true, "" },
        { "神木县", 0, 610881000000, true, "" },
        { "神木县锦界镇", 0, code_of("神木市", "锦界镇", NULL), true, "" },
        { "陕西省横山县石湾镇", 0, code_of("横山区", "石湾镇", NULL), true, "" },
        { "榆林市府谷县某某乡12号", 0, 610822000000, true, "某某乡12号" },
        { "靖边县张家畔镇", 0, code_of("靖边县", "张家畔街道", NULL), true, "" },
        { "定边县定边镇3号", 0, code_of("定边县", "定边街道", NULL), true, "3号" },
        { "陕西省榆林市榆阳区", 610829000000, 610802000000, true, "" },
        { "榆阳区榆阳路3号", 0, 610802000000, true, "榆阳路3号" },
        { "佳县佳州街道", 0, code_of("佳县", "佳州街道", NULL), true, "" },
        { "横山区高镇", 0, code_of("横山区", "高镇", NULL), true, "" },
        { "榆阳区鱼河峁镇", 0, code_of("榆阳区", "鱼河峁镇", NULL), true, "" },
        { "榆阳区鱼河镇", 0, code_of("榆阳区", "鱼河镇", NULL), true, "" },
        { "榆阳西路12号", 0, 0, false, "榆阳西路12号" },
        { "北京市朝阳区朝阳路12号", 0, 0, false, NULL },
        { "山西省吕梁市临县", 0, 0, false, NULL },
        { "3组12号", 610829000000, 0, false, "3组12号" },
        { "", 0, 0, false, "" },
        { "\xFF\xE6\xA6", 0, 0, false, NULL },
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_address(&cases[i]);
}

static void an_abolished_township_is_passed_over(void **state)
{
    (void)state;
    check_address(
        &(written_address){ "榆阳区刘千河乡钟家沟村3组", 0, code_of("榆阳区", "青云镇", "钟家沟村委会"), true, "3组" });
}

static void the_feeds_area_decides_between_namesakes(void **state)
{
    (void)state;
    const char *name = "张家沟村";
    int64_t first = 0;
    size_t namesakes = 0;
    for (size_t i = 0; i < kd_divisions_count(tree); i++) {
        const kd_division *division = kd_divisions_at(tree, i);
        if (!kd_str_is(division->name, "张家沟村委会")) continue;
        namesakes++;
        if (!first) first = division->code;
        check_address(&(written_address){ name, division->parent, division->code, true, "" });
        check_address(&(written_address){ "张家沟", division->parent, division->code, true, "" });
    }
    assert_true(namesakes > 1);
    check_address(&(written_address){ name, 0, 610800000000, false, "" });
    check_address(&(written_address){ name, 610800000000, 610800000000, false, "" });
    /* The text outweighs the feed's area; a bare name that the area does not know is no proof of another place. */
    check_address(&(written_address){ "榆阳区青云镇", 610829000000, code_of("榆阳区", "青云镇", NULL), true, "" });
    check_address(&(written_address){ "青云镇", 610829000000, code_of("榆阳区", "青云镇", NULL), true, "" });
    check_address(&(written_address){ "青云", 610829000000, 0, false, "青云" });
    check_address(&(written_address){ "吴堡县", 610829000000, 610829000000, true, "" });
}

/* Cut what clerks leave out: the village's suffix. */
static kd_str bare(kd_str name)
{
    static const char *const endings[] = {
        "社区居民委员会", "社区居委会", "村民委员会", "居民委员会", "村委会", "居委会", "社区",
        "街道",           "镇",         "乡",         "市",         "县",     "区"
    };
    for (size_t i = 0; i < COUNT(endings); i++)
        if (kd_str_ends(name, kd_str_of(endings[i])) && name.len > strlen(endings[i]) + 3)
            return kd_str_sub(name, 0, name.len - strlen(endings[i]));
    return name;
}

/* Whether another village of the township bears the same bare name. */
static bool has_twin(const kd_division *village)
{
    kd_str name = bare(village->name);
    size_t twins = 0;
    for (size_t i = 0; i < kd_divisions_count(tree); i++) {
        const kd_division *other = kd_divisions_at(tree, i);
        twins += other->parent == village->parent && kd_str_eq(bare(other->name), name);
    }
    return twins > 1;
}

static void every_village_is_found_by_its_full_and_its_short_name(void **state)
{
    (void)state;
    size_t short_misses = 0, villages = 0;
    for (size_t i = 0; i < kd_divisions_count(tree); i++) {
        const kd_division *village = kd_divisions_at(tree, i);
        char raw[512];
        kd_address address;
        size_t len = kd_division_full_name(tree, village->code, raw, sizeof raw - 8);
        memcpy(raw + len, "12号", 5);
        kd_address_read(tree, (kd_str){ raw, len + 5 }, 0, &address);
        if (address.code != village->code || !address.is_certain || !kd_str_is(address.rest, "12号"))
            fail_msg("%.*s: %lld", (int)len, raw, (long long)address.code);
        if (village->level != KD_LEVEL_VILLAGE || has_twin(village)) continue;
        villages++;
        const kd_division *township = kd_divisions_find(tree, village->parent);
        const kd_division *county = kd_divisions_find(tree, township->parent);
        kd_str parts[] = { bare(county->name), bare(township->name), bare(village->name) };
        len = 0;
        for (size_t p = 0; p < 3; p++) {
            memcpy(raw + len, parts[p].ptr, parts[p].len);
            len += parts[p].len;
        }
        kd_address_read(tree, (kd_str){ raw, len }, 0, &address);
        if (address.code != village->code) {
            short_misses++;
            if (getenv("KD_TEST_SHOW")) print_message("%.*s: %lld\n", (int)len, raw, (long long)address.code);
        }
    }
    assert_true(villages > 3000);
    assert_true(short_misses * 100 <= villages); /* runs that can be cut in two ways */
}

static void random_text_is_read_within_its_bounds(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 5);
    for (int round = 0; round < 100000; round++) {
        char raw[96];
        size_t len = 0;
        for (size_t n = 1 + kd_rng_below(&rng, 4); n > 0; n--) {
            kd_str name = kd_divisions_at(tree, (size_t)kd_rng_below(&rng, kd_divisions_count(tree)))->name;
            size_t cut = (size_t)kd_rng_below(&rng, name.len + 1);
            if (len + cut > sizeof raw) break;
            memcpy(raw + len, name.ptr, cut);
            len += cut;
        }
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, raw, len);
        int64_t within = kd_divisions_at(tree, (size_t)kd_rng_below(&rng, kd_divisions_count(tree)))->code;
        kd_address address;
        kd_address_read(tree, (kd_str){ exact, len }, round % 2 ? within : 0, &address);
        assert_true(address.code == 0 || kd_divisions_find(tree, address.code));
        assert_true(address.rest.len <= len);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_stands_in_code_order_with_parents_first),
        cmocka_unit_test(codes_are_cut_to_levels),
        cmocka_unit_test(codes_are_read_in_every_form),
        cmocka_unit_test(full_names_start_at_the_province),
        cmocka_unit_test(broken_trees_are_refused),
        cmocka_unit_test(addresses_are_read_down_to_the_village),
        cmocka_unit_test(an_abolished_township_is_passed_over),
        cmocka_unit_test(the_feeds_area_decides_between_namesakes),
        cmocka_unit_test(every_village_is_found_by_its_full_and_its_short_name),
        cmocka_unit_test(random_text_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests_name("divisions", tests, open_tree, close_tree);
}
