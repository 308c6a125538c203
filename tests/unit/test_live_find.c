#include "register_place.h"

/* Finding persons as one types, and what is shown of one: life and family. */

static const int64_t TOWNSHIP = 610829101000, COUNTY = 610829000000, OTHER_COUNTY = 610802000000, EVERYWHERE = 0;

static kd_person_hit *find_in(place *p, const char *text, const int64_t *areas, size_t area_count, int64_t division,
                              size_t limit, size_t *out_count)
{
    kd_error err;
    kd_person_hit *hits;
    const kd_person_wanted wanted = { kd_str_of(text), areas, area_count, division, limit };
    must(kd_person_find(p->reg, &wanted, p->arena, &hits, out_count, &err), &err);
    return hits;
}

FACT(a_person_is_found_however_one_types)
{
    char identity[19];
    villager_identity(10, identity); /* 张晓东 */
    static const struct {
        const char *text, *matched;
        size_t more; /* at least so many */
    } cases[] = { { "张晓东", "name", 1 },           { "张晓", "name", 1 },
                  { "張曉東", "name", 1 },           { " 张 晓 东 ", "name", 1 },
                  { "zhang xiaodong", "pinyin", 1 }, { "zhangxiaodong", "pinyin", 1 },
                  { "zhangxiaod", "pinyin", 1 },     { "Zhāng Xiǎodōng", "pinyin", 1 },
                  { "zhang", "pinyin", 1 },          { "zxd", "initials", 1 },
                  { "ZX", "initials", 1 },           { "13900000381", "phone", 1 },
                  { "139 0000 0381", "phone", 1 } };
    const int64_t areas[] = { EVERYWHERE, COUNTY, TOWNSHIP };
    for (size_t a = 0; a < 3; a++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            size_t count, at = 0;
            const kd_person_hit *hits = find_in(p, cases[i].text, &areas[a], 1, 0, 50, &count);
            while (at < count && !kd_str_is(hits[at].brief.name, "张晓东")) at++;
            if (at == count) fail_msg("'%s' does not find in area %zu", cases[i].text, a);
            assert_string_equal(hits[at].matched, cases[i].matched);
            assert_true(kd_str_starts(hits[at].village, KD_STR("吴堡县")));
        }
        size_t count;
        const kd_person_hit *hits = find_in(p, identity, &areas[a], 1, 0, 10, &count);
        assert_int_equal(count, 1);
        assert_int_equal(hits[0].brief.id, person_of(p, p->record_of[10]));
        assert_string_equal(hits[0].matched, "identity_number");
    }
}

FACT(nobody_is_found_outside_the_areas)
{
    static const char *const texts[] = { "张晓东", "zhang", "zxd", "13900000381", "" };
    char identity[19];
    size_t count;
    villager_identity(10, identity);
    const int64_t both[] = { OTHER_COUNTY, TOWNSHIP };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        find_in(p, texts[i], &OTHER_COUNTY, 1, 0, 50, &count);
        assert_int_equal(count, 0);
        find_in(p, texts[i], NULL, 0, 0, 50, &count);
        assert_int_equal(count, 0);
        find_in(p, texts[i], &TOWNSHIP, 1, OTHER_COUNTY, 50, &count); /* asked for what is not theirs */
        assert_int_equal(count, 0);
        find_in(p, texts[i], both, 2, OTHER_COUNTY, 50, &count);
        assert_int_equal(count, 0);
    }
    find_in(p, identity, &OTHER_COUNTY, 1, 0, 50, &count);
    assert_int_equal(count, 0);
    find_in(p, identity, both, 2, 0, 50, &count);
    assert_int_equal(count, 1);
}

/* The slow and obvious way: every person is looked at. */
static size_t count_beginning(place *p, const char *name, int64_t division)
{
    kd_error err;
    kd_rows *rows;
    bool has_row;
    size_t count = 0;
    must(
        kd_store_query(p->store, &err, &rows, "select name, division from person where state = 'active'", KD_NO_VALUES),
        &err);
    for (;;) {
        must(kd_rows_next(rows, &has_row, &err), &err);
        if (!has_row) break;
        count +=
            kd_str_starts(kd_rows_text(rows, 0), kd_str_of(name)) && kd_division_within(kd_rows_int(rows, 1), division);
    }
    kd_rows_close(rows);
    return count;
}

FACT(all_whose_name_begins_so_are_found_exact_ones_first)
{
    static const char *const texts[] = { "王", "李", "张", "王建", "高玉兰", "薛", "欧" };
    const int64_t areas[] = { EVERYWHERE, COUNTY, TOWNSHIP, VILLAGE, VILLAGE + 1 };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t a = 0; a < sizeof areas / sizeof areas[0]; a++) {
            size_t count;
            const kd_person_hit *hits = find_in(p, texts[i], &areas[a], 1, 0, 50, &count);
            assert_int_equal(count, count_beginning(p, texts[i], areas[a]));
            for (size_t k = 1; k < count; k++)
                assert_false(kd_str_is(hits[k].brief.name, texts[i]) && !kd_str_is(hits[k - 1].brief.name, texts[i]));
            find_in(p, texts[i], &areas[a], 1, 0, 2, &count);
            assert_true(count <= 2);
        }
    }
    kd_error err;
    kd_person_hit *hits;
    size_t count;
    kd_person_wanted wanted = { KD_STR("王"), &EVERYWHERE, 1, 0, 51 };
    assert_int_equal(kd_person_find(p->reg, &wanted, p->arena, &hits, &count, &err), KD_INVALID);
    wanted.limit = 5;
    wanted.text = KD_STR("\xff\xfe");
    assert_int_equal(kd_person_find(p->reg, &wanted, p->arena, &hits, &count, &err), KD_INVALID);
}

/* ---- family and life ---- */

static kd_source_record of(place *p, int who, kd_role role, int row)
{
    kd_source_record r = empty_record(role);
    char name[32], number[19];
    villager_name(who, name);
    villager_identity(who, number);
    r.name = kd_arena_str(p->arena, kd_str_of(name));
    r.identity_number = kd_arena_str(p->arena, kd_str_of(number));
    r.row_no = row;
    r.event_day = 19000 + row;
    return r;
}

static const kd_family_node *node_of(const kd_family_tree *tree, int64_t id)
{
    for (size_t i = 0; i < tree->node_count; i++)
        if (tree->nodes[i].brief.id == id) return &tree->nodes[i];
    return NULL;
}

/* 0 and 1 are parents of 20 and 22; 20 and 3 of 40; 40 of 58; 2 is the mother of 0. */
static void found_families(place *p)
{
    kd_source_record rows[] = { of(p, 20, KD_ROLE_CHILD, 1), of(p, 0, KD_ROLE_MOTHER, 1),  of(p, 1, KD_ROLE_FATHER, 1),
                                of(p, 22, KD_ROLE_CHILD, 2), of(p, 0, KD_ROLE_MOTHER, 2),  of(p, 1, KD_ROLE_FATHER, 2),
                                of(p, 40, KD_ROLE_CHILD, 3), of(p, 20, KD_ROLE_MOTHER, 3), of(p, 3, KD_ROLE_FATHER, 3),
                                of(p, 58, KD_ROLE_CHILD, 4), of(p, 40, KD_ROLE_MOTHER, 4), of(p, 0, KD_ROLE_CHILD, 5),
                                of(p, 2, KD_ROLE_MOTHER, 5) };
    kd_source_record couple[] = { of(p, 1, KD_ROLE_HUSBAND, 7), of(p, 0, KD_ROLE_WIFE, 7) };
    import_records(p, "birth_certificate", rows, sizeof rows / sizeof rows[0]);
    import_records(p, "marriage", couple, 2);
    link_now(p, false);
}

FACT(a_family_is_two_generations_either_way)
{
    kd_error err;
    kd_family_tree tree;
    static const struct {
        int who, generation;
    } expected[] = { { 20, 0 }, { 0, -1 }, { 1, -1 }, { 2, -2 }, { 22, 0 }, { 40, 1 }, { 58, 2 } };
    found_families(p);
    must(kd_person_family(p->reg, person_of(p, p->record_of[20]), p->arena, &tree, &err), &err);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const kd_family_node *node = node_of(&tree, person_of(p, p->record_of[expected[i].who]));
        if (!node) fail_msg("%d is missing", expected[i].who);
        assert_int_equal(node->generation, expected[i].generation);
    }
    assert_int_equal(tree.node_count, sizeof expected / sizeof expected[0]);
    size_t mothers = 0, fathers = 0, couples = 0;
    for (size_t i = 0; i < tree.edge_count; i++) {
        mothers += kd_str_is(tree.edges[i].kind, "mother");
        fathers += kd_str_is(tree.edges[i].kind, "father");
        couples += kd_str_is(tree.edges[i].kind, "spouse");
        assert_non_null(node_of(&tree, tree.edges[i].from));
        assert_non_null(node_of(&tree, tree.edges[i].to));
    }
    assert_int_equal(mothers, 5);
    assert_int_equal(fathers, 2);
    assert_int_equal(couples, 1);
    assert_int_equal(kd_person_family(p->reg, 99, p->arena, &tree, &err), KD_NOT_FOUND);
}

FACT(a_life_is_told_by_day_and_each_thing_once)
{
    kd_error err;
    kd_life_event *events;
    size_t count, births = 0, children = 0, rows = 0;
    found_families(p);
    must(kd_person_timeline(p->reg, person_of(p, p->record_of[0]), p->arena, &events, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || events[i - 1].day <= events[i].day);
        births += kd_str_is(events[i].kind, "birth");
        children += kd_str_is(events[i].kind, "child");
        rows += kd_str_is(events[i].kind, "event");
        if (kd_str_is(events[i].kind, "event")) assert_true(kd_str_is(events[i].title_zh, "到"));
    }
    assert_int_equal(births, 1);
    assert_int_equal(children, 2);
    assert_int_equal(rows, 4); /* three rows of certificates, one of a marriage */
    assert_int_equal(kd_person_timeline(p->reg, 99, p->arena, &events, &count, &err), KD_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_is_found_however_one_types_),
        cmocka_unit_test(nobody_is_found_outside_the_areas_),
        cmocka_unit_test(all_whose_name_begins_so_are_found_exact_ones_first_),
        cmocka_unit_test(a_family_is_two_generations_either_way_),
        cmocka_unit_test(a_life_is_told_by_day_and_each_thing_once_),
    };
    return cmocka_run_group_tests_name("live_find", tests, NULL, NULL);
}
