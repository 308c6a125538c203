#include "births_place.h"

#include <ctype.h>

/* Every way we could think of to make registration depend on something else (G1), cost something (G2) or tell too much (G3). */

enum { PACK_BYTES_MAX = 1 << 20 };

/* What must appear nowhere: in no key of the pack, no member of the JSON, no name of a field. */
static const char *const NEVER[] = { "parity",  "gravid",   "prior",   "sibling",   "quota",        "fee",
                                     "amount",  "price",    "payment", "charge",    "approv",       "permit",
                                     "licen",   "marital",  "marri",   "wedlock",   "legitim",      "divorc",
                                     "planned", "planning", "in_plan", "contracep", "household_no", "胎次",
                                     "孩次",    "二孩",     "三孩",    "政策内",    "政策外",       "计划生育",
                                     "计生",    "准生",     "审批",    "批准",      "抚养费",       "收费",
                                     "缴费",    "费用",     "婚姻",    "结婚",      "罚款" };

static const char *never_in(const char *text)
{
    static char lowered[PACK_BYTES_MAX];
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof lowered; i++) lowered[i] = (char)tolower((unsigned char)text[i]);
    lowered[i] = '\0';
    for (char *feed = lowered; (feed = strstr(feed, "feed"));) memset(feed, ' ', 4); /* is no fee */
    for (size_t k = 0; k < sizeof NEVER / sizeof NEVER[0]; k++)
        if (strstr(lowered, NEVER[k])) return NEVER[k];
    return NULL;
}

static kd_str shipped(kd_arena *arena)
{
    kd_error err;
    kd_str path, text;
    must(kd_data_path(arena, "packs/cn/births.yaml", &path, &err), &err);
    must(kd_file_read(arena, path.ptr, PACK_BYTES_MAX, &text, &err), &err);
    return text;
}

/* The pack with one text put in the place of another, once. */
static kd_str changed(kd_arena *arena, const char *old, const char *fresh)
{
    kd_str text = shipped(arena);
    ptrdiff_t at = kd_str_find(text, kd_str_of(old));
    if (at < 0) fail_msg("the pack has no '%s'", old);
    kd_str rest = kd_str_sub(text, (size_t)at + strlen(old), text.len);
    kd_str out = kd_arena_alloc(arena, 1) ? kd_arena_fmt(arena, "%.*s%s", (int)at, text.ptr, fresh) : KD_STR("");
    char *whole = kd_arena_alloc(arena, out.len + rest.len + 1);
    memcpy(whole, out.ptr, out.len);
    memcpy(whole + out.len, rest.ptr, rest.len);
    return (kd_str){ whole, out.len + rest.len };
}

static kd_status parse(kd_str text, kd_error *err)
{
    kd_births_pack *made = NULL;
    kd_status status = kd_births_pack_parse(text, "births.yaml", &made, err);
    kd_births_pack_free(made);
    return status;
}

static void the_shipped_pack_has_no_forbidden_word(void **state)
{
    (void)state;
    kd_error err;
    kd_arena *arena = kd_arena_new(16 << 20);
    kd_str text = shipped(arena), line;
    must(parse(text, &err), &err);
    for (kd_str rest = text; kd_str_next(&rest, '\n', &line);) {
        kd_str copy = kd_arena_str(arena, kd_str_trim(line));
        if (copy.len && copy.ptr[0] == '#') continue;
        if (never_in(copy.ptr)) fail_msg("'%s' stands in the pack: %s", never_in(copy.ptr), copy.ptr);
    }
    kd_arena_free(arena);
}

static void no_pack_can_add_a_condition_a_fee_or_an_approval(void **state)
{
    (void)state;
    static const struct {
        const char *old, *fresh;
    } attempts[] = {
        { "version:", "fee: 20\nversion:" },
        { "version:", "approval: {role: county_manager}\nversion:" },
        { "version:", "steps: [register, check]\nversion:" },
        { "version:", "conditions: [{parity: 2}]\nversion:" },
        { "  earliest:", "  parity_most: 3\n  earliest:" },
        { "  earliest:", "  required: [mother.name]\n  earliest:" },
        { "  late_after_days:", "  marital_status: [married]\n  late_after_days:" },
        { "  late_after_days:", "  is_blocking: true\n  late_after_days:" },
        { "  no_date: {zh", "  no_certificate: {zh: 缺出生证, en: x, is_blocking: true}\n  no_date: {zh" },
        { "  no_date: {zh", "  no_date: {is_blocking: true, zh" },
        { "zh: 户籍登记", "zh: 户籍登记（收费）" },
        { "zh: 孩子还没取名", "zh: 二孩须审批" },
        { "en: mother}", "en: married mother}" },
        { "zh: 按期参保的", "zh: 缴费后" },
        { "en: Undone", "en: Not approved" },
        { "    when: alive", "    when: first_child" },
        { "    when: alive", "    when: married" },
        { "    when: alive", "    when: alive\n    after: household_registration" },
        { "    within_days: 90", "    within_days: 90\n    price: 10" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, parity" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, birth_order" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, case_state" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, marital_status" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, mother_children" },
        { "[handbook_number, child_name, child_sex, birth_date, birth_place",
          "[handbook_number, child_name, child_sex, birth_date, note" },
        { "  group: 4", "  group: 4\n  needs_permit: true" },
    };
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        kd_error err;
        kd_arena *arena = kd_arena_new(16 << 20);
        if (parse(changed(arena, attempts[i].old, attempts[i].fresh), &err) != KD_INVALID)
            fail_msg("the pack was taken with: %s", attempts[i].fresh);
        assert_true(err.line > 0);
        assert_string_equal(err.file, "births.yaml");
        kd_arena_free(arena);
    }
}

static void a_pack_cut_anywhere_is_refused_or_whole(void **state)
{
    (void)state;
    kd_arena *arena = kd_arena_new(16 << 20);
    kd_str text = shipped(arena);
    for (size_t len = 0; len + 400 < text.len; len += 97) {
        kd_error err;
        assert_int_equal(parse(kd_str_sub(text, 0, len), &err), KD_INVALID);
    }
    kd_arena_free(arena);
}

static void nothing_else_can_be_declared(void **state)
{
    (void)state;
    static const char *const names[] = { "fee",      "amount",    "payment",         "parity",         "birth_quota",
                                         "approval", "permit",    "children_before", "marital_status", "is_in_plan",
                                         "penalty",  "hukou_type" };
    static const char *const places[] = {
        "{\"%s\": 1}",
        "{\"mother\": {\"%s\": 1}}",
        "{\"father\": {\"%s\": 1}}",
        "{\"children\": [{\"%s\": 1}]}",
        "{\"place\": {\"%s\": 1}}",
        "{\"declarant\": {\"%s\": 1}}",
    };
    kd_arena *arena = kd_arena_new(16 << 20);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
            kd_error err;
            kd_birth_declaration d;
            const char *at = strstr(places[k], "%s");
            kd_str text = kd_arena_fmt(arena, "%.*s%s%s", (int)(at - places[k]), places[k], names[i], at + 2);
            assert_int_equal(kd_birth_read_json(text, arena, &d, &err), KD_INVALID);
            assert_non_null(strstr(err.field, names[i]));
        }
    kd_arena_free(arena);
}

static void what_is_written_of_a_declaration_is_what_may_be_declared(void **state)
{
    (void)state;
    kd_error err;
    kd_buf out, again;
    kd_json json;
    kd_birth_declaration d, back;
    kd_arena *arena = kd_arena_new(16 << 20);
    const char *full =
        "{\"birth_date\":\"2026-03-05\",\"precision\":\"about\",\"birth_time\":\"08:09\",\"gestational_days\":270,"
        "\"place\":{\"kind\":\"abroad\",\"text\":\"万象\"},\"children\":[{\"name\":\"甲\",\"sex\":1,\"birth_order\":1,"
        "\"weight_g\":3000,\"length_mm\":500,\"death_date\":\"2026-03-06\"},{}],\"mother\":{\"name\":\"乙\","
        "\"nationality\":\"老挝\",\"division\":\"610829101203\"},\"father\":{},\"declarant\":{\"kind\":\"mother\","
        "\"is_commitment\":true},\"note\":\"a\\\"b\"}";
    kd_buf_init(&out, PACK_BYTES_MAX);
    kd_buf_init(&again, PACK_BYTES_MAX);
    must(kd_birth_read_json(kd_str_of(full), arena, &d, &err), &err);
    assert_true(kd_str_is(d.declarant_name, "乙")); /* a mother who declares need not be named twice */
    kd_json_init(&json, &out);
    must(kd_birth_write_json(&d, &json), &err);
    must(kd_birth_read_json(kd_buf_view(&out), arena, &back, &err), &err);
    kd_json_init(&json, &again);
    must(kd_birth_write_json(&back, &json), &err);
    assert_true(kd_str_eq(kd_buf_view(&out), kd_buf_view(&again)));
    kd_buf_char(&out, '\0');
    assert_null(never_in(out.ptr));
    kd_buf_done(&out);
    kd_buf_done(&again);
    kd_arena_free(arena);
}

static void the_header_has_no_place_for_it(void **state)
{
    (void)state;
    kd_error err;
    kd_str path, line;
    kd_arena *arena = kd_arena_new(16 << 20);
    must(kd_data_path(arena, "src/services/services.h", &path, &err), &err);
    kd_str text;
    bool is_comment = false;
    must(kd_file_read(arena, path.ptr, PACK_BYTES_MAX, &text, &err), &err);
    while (kd_str_next(&text, '\n', &line)) {
        kd_str code = line;
        ptrdiff_t from = kd_str_find(line, KD_STR("/*")), to = kd_str_find(line, KD_STR("*/"));
        if (is_comment)
            code = to >= 0 ? kd_str_sub(line, (size_t)to + 2, line.len) : KD_STR("");
        else if (from >= 0)
            code = kd_str_sub(line, 0, (size_t)from);
        is_comment = is_comment ? to < 0 : from >= 0 && to < from;
        kd_str copy = kd_arena_str(arena, code);
        if (never_in(copy.ptr)) fail_msg("services.h: %s", copy.ptr);
    }
    kd_arena_free(arena);
}

/* ---- with a register ---- */

FACT(every_birth_is_registered_whoever_the_parents_are)
{
    for (int i = 0; i < 24; i++) { /* of one mother, one after another: nobody counts */
        kd_birth_declaration d = usual(p, 300 + 330 * i);
        d.children[0].certificate_no = (kd_str){ NULL, 0 };
        if (i % 3 == 1) d.has_father = false;
        if (i % 4 == 2) d.residence_division = 610802001000; /* lives elsewhere */
        if (i % 5 == 3) d.mother.hukou_division = 110101000000;
        if (i % 6 == 4) d.is_commitment = true;
        if (i % 7 == 5) d.mother.name = KD_STR("Nguyen Thi Test");
        if (i % 7 == 6) d.mother.identity_number = KD_STR("不详");
        kd_birth birth = enter(p, &d);
        assert_true(kd_str_is(birth.state, "registered"));
    }
    kd_error err;
    must(kd_register_check(p->reg, &err), &err);
}

FACT(a_likely_duplicate_stops_nothing)
{
    kd_birth_declaration d = usual(p, 30);
    kd_birth first = enter(p, &d), second = enter(p, &d);
    assert_true(first.children[0].person_id != second.children[0].person_id);
}

FACT(a_notice_holds_what_its_office_is_listed_for_and_nothing_of_the_case)
{
    kd_error err;
    kd_office_notice *least, *most;
    size_t least_count, most_count;
    kd_birth_declaration d = usual(p, 10), bare_one = bare(p, 20);
    d.note = KD_STR("不该出现");
    d.children[0].weight_g = 3217;
    d.children[0].birth_order = 1;
    d.gestational_days = 251;
    d.is_commitment = true;
    kd_birth full = enter(p, &d), empty = enter(p, &bare_one);
    must(kd_notice_of_case(p->reg, pack, full.id, p->arena, &most, &most_count, &err), &err);
    must(kd_notice_of_case(p->reg, pack, empty.id, p->arena, &least, &least_count, &err), &err);
    assert_int_equal(most_count, 3);
    assert_int_equal(least_count, 3);
    for (size_t i = 0; i < 3; i++) {
        static const char *const of_the_case[] = { "不该出现", "3217", "251",  "birth_order", "state", "version",
                                                   "draft",    "case", "note", "commitment",  "actor", "account" };
        char payload[4096];
        snprintf(payload, sizeof payload, "%.*s", KD_FMT(most[i].payload));
        assert_null(never_in(payload));
        for (size_t k = 0; k < sizeof of_the_case / sizeof of_the_case[0]; k++) {
            const char *at = strstr(payload, of_the_case[k]);
            if (at && strncmp(at, "notice\":", 8) == 0) at = strstr(at + 8, of_the_case[k]); /* its kind */
            if (at) fail_msg("%s stands in %s", of_the_case[k], payload);
        }
        size_t fields = 0, fewer = 0; /* what is carried does not depend on the case */
        for (size_t c = 0; c < most[i].payload.len; c++) fields += most[i].payload.ptr[c] == ':';
        for (size_t c = 0; c < least[i].payload.len; c++) fewer += least[i].payload.ptr[c] == ':';
        assert_int_equal(fields, fewer);
    }
}

FACT(the_database_has_no_column_for_it)
{
    static const char *const tables[] = { "case_file", "case_action", "notice" };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        kd_error err;
        kd_rows *rows;
        bool has_row = false;
        kd_str table = kd_str_of(tables[i]);
        size_t columns = 0;
        const char *sql = p->is_postgres ? "select column_name from information_schema.columns where table_name = $1"
                                         : "select name from pragma_table_info($1)";
        must(kd_store_query(p->store, &err, &rows, sql, KD_VALUES(kd_text_value(table))), &err);
        for (must(kd_rows_next(rows, &has_row, &err), &err); has_row; must(kd_rows_next(rows, &has_row, &err), &err)) {
            kd_str name = kd_arena_str(p->arena, kd_rows_text(rows, 0));
            if (never_in(name.ptr)) fail_msg("%s.%s", tables[i], name.ptr);
            columns++;
        }
        kd_rows_close(rows);
        assert_true(columns >= 8);
    }
}

#define TEST(name) cmocka_unit_test(name##_)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_pack_has_no_forbidden_word),
        cmocka_unit_test(no_pack_can_add_a_condition_a_fee_or_an_approval),
        cmocka_unit_test(a_pack_cut_anywhere_is_refused_or_whole),
        cmocka_unit_test(nothing_else_can_be_declared),
        cmocka_unit_test(what_is_written_of_a_declaration_is_what_may_be_declared),
        cmocka_unit_test(the_header_has_no_place_for_it),
        TEST(every_birth_is_registered_whoever_the_parents_are),
        TEST(a_likely_duplicate_stops_nothing),
        TEST(a_notice_holds_what_its_office_is_listed_for_and_nothing_of_the_case),
        TEST(the_database_has_no_column_for_it),
    };
    return cmocka_run_group_tests_name("births_limits", tests, load_pack, free_pack);
}
