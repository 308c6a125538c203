/* The model file: what it may say, what is refused and where, and what each level and key means. */
#include "base/base.h"
#include "match/match.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kd_text *text;

static int open_text(void **state)
{
    (void)state;
    kd_error err;
    return kd_text_open(&text, &err) == KD_OK ? 0 : -1;
}

static int close_text(void **state)
{
    (void)state;
    kd_text_close(text);
    return 0;
}

static kd_model *parse(const char *yaml)
{
    kd_model *model = NULL;
    kd_error err = { 0 };
    if (kd_model_parse(kd_str_of(yaml), "t.yaml", text, &model, &err) != KD_OK)
        fail_msg("%d:%d: %s", (int)err.line, (int)err.column, err.message);
    return model;
}

/* ---- what is refused ---- */

#define NAMES "columns: {a: {}, n: {kind: chinese_name}, i: {kind: identity}, d: {kind: date}, v: {kind: division}}\n"
#define BY_A "blocking: [[a]]\n"
#define EASY "comparisons: [{column: a, levels: [{is: exact}, {is: else}]}]\n"

static void wrong_models_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int line, column;
        const char *says;
    } cases[] = {
        { "", 0, 0, "" },
        { "[1, 2]\n", 0, 0, "" },
        { BY_A EASY, 0, 0, "columns" },
        { "columns: []\n" BY_A EASY, 1, 10, "columns" },
        { "columns: {}\n" BY_A EASY, 1, 10, "columns" },
        { "columns: {a: {kind: colour}}\n" BY_A EASY, 1, 21, "kind" },
        { "columns: {a: {colour: red}}\n" BY_A EASY, 1, 23, "colour" },
        { "columns: {a: {day_first: true}}\n" BY_A EASY, 1, 14, "day_first" },
        { "columns: {a: {from: []}}\n" BY_A EASY, 1, 21, "from" },
        { "columns: {a: {from: [b, c, d, e, f]}}\n" BY_A EASY, 1, 34, "from" },
        { NAMES "blok: 1\n" BY_A EASY, 2, 7, "blok" },
        { NAMES EASY, 1, 1, "blocking" },
        { NAMES "blocking: [[b]]\n" EASY, 2, 13, "'b'" },
        { NAMES "blocking: [[]]\n" EASY, 2, 12, "keys" },
        { NAMES "blocking: [[a.middle]]\n" EASY, 2, 13, "middle" },
        { NAMES "blocking: [[a.first]]\n" EASY, 2, 13, "first(n)" },
        { NAMES "blocking: [[a.first(0)]]\n" EASY, 2, 13, "number" },
        { NAMES "blocking: [[a.first(x)]]\n" EASY, 2, 13, "number" },
        { NAMES "blocking: [[a.soundex(2)]]\n" EASY, 2, 13, "first(n)" },
        { NAMES "blocking: [[a.year]]\n" EASY, 2, 13, "year" },
        { NAMES "blocking: [[d.surname]]\n" EASY, 2, 13, "surname" },
        { NAMES "blocking: [[a.township]]\n" EASY, 2, 13, "township" },
        { NAMES "blocking: [[a, a, a, a, a, a, a]]\n" EASY, 2, 31, "at most" },
        { NAMES "blocking: [{near: a}]\n" EASY, 2, 19, "identity" },
        { NAMES "blocking: [{near: i, keys: [a]}]\n" EASY, 2, 12, "near" },
        { NAMES "blocking: [{keys: [a], max: many}]\n" EASY, 2, 29, "max" },
        { NAMES BY_A, 1, 1, "comparisons" },
        { NAMES BY_A "comparisons: []\n", 3, 14, "comparisons" },
        { NAMES BY_A "comparisons: [{column: b, levels: [{is: exact}, {is: else}]}]\n", 3, 15, "'b'" },
        { NAMES BY_A "comparisons: [{column: a}]\n", 1, 1, "levels" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: else}]}]\n", 3, 35, "two" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: exact}]}]\n", 3, 36, "else" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: else}, {is: exact}]}]\n", 3, 36, "else" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: like}, {is: else}]}]\n", 3, 36, "is" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: homophone}, {is: else}]}]\n", 3, 36, "kind" },
        { NAMES BY_A "comparisons: [{column: d, levels: [{is: typo, at_most: 1}, {is: else}]}]\n", 3, 36, "kind" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: osa}, {is: else}]}]\n", 3, 36, "at_most" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: exact, at_most: 1}, {is: else}]}]\n", 3, 36, "limit" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: exact, m: 1.5}, {is: else}]}]\n", 3, 51, "m:" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: exact, u: 0}, {is: else}]}]\n", 3, 51, "u:" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: exact}, {is: else, term_frequency: true}]}]\n", 3, 49,
          "term_frequency" },
        { NAMES BY_A "comparisons: [{column: a, levels: [{is: swapped, with: z}, {is: else}]}]\n", 3, 36, "'z'" },
        { NAMES BY_A "comparisons: [{column: a, unless: {comparison: b, levels: [exact]}, levels: [{is: exact}, {is: "
                     "else}]}]\n",
          3, 35, "unless" },
        { NAMES BY_A EASY "prior: {probability: 2}\n", 4, 22, "probability" },
        { NAMES BY_A EASY "prior: {matches_per_record: 0}\n", 4, 29, "above 0" },
        { NAMES BY_A EASY "threshold: high\n", 4, 12, "threshold" },
        { NAMES BY_A EASY "cluster: {method: single}\n", 4, 10, "method" },
        { NAMES BY_A EASY "distinct: [x]\n", 4, 12, "'x'" },
        { NAMES BY_A EASY "exclusive: [x]\n", 4, 13, "'x'" },
        { NAMES BY_A EASY "collapse: [[x]]\n", 4, 13, "'x'" },
        { NAMES BY_A EASY "truth: {who: me}\n", 4, 14, "who" },
        { NAMES BY_A EASY "truth: {entity: {pattern: '{N}'}}\n", 4, 17, "from" },
        { NAMES BY_A EASY "truth: {entity: {from: a, pattern: N}}\n", 4, 36, "{N}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_model *model = NULL;
        kd_error err = { 0 };
        if (kd_model_parse(kd_str_of(cases[i].yaml), "t.yaml", text, &model, &err) == KD_OK)
            fail_msg("accepted: %s", cases[i].yaml);
        assert_null(model);
        bool is_there =
            !cases[i].line || (err.line == (uint64_t)cases[i].line && err.column == (uint64_t)cases[i].column);
        if (!is_there || !strstr(err.message, cases[i].says))
            fail_msg("%d:%d: '%s', not %d:%d '%s' in\n%s", (int)err.line, (int)err.column, err.message, cases[i].line,
                     cases[i].column, cases[i].says, cases[i].yaml);
    }
}

static void a_model_takes_no_more_than_it_can_hold(void **state)
{
    (void)state;
    kd_buf yaml;
    kd_model *model = NULL;
    kd_error err;
    kd_buf_init(&yaml, 1 << 20);
    kd_buf_cstr(&yaml, "columns: {");
    for (int i = 0; i < 33; i++) kd_buf_fmt(&yaml, "c%d: {}, ", i);
    kd_buf_cstr(&yaml, "}\n" BY_A EASY);
    assert_int_equal(kd_model_parse(kd_buf_view(&yaml), "t", text, &model, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "at most 32"));
    kd_buf_clear(&yaml);
    kd_buf_cstr(&yaml, NAMES "blocking: [");
    for (int i = 0; i < 33; i++) kd_buf_cstr(&yaml, "[a], ");
    kd_buf_cstr(&yaml, "]\n" EASY);
    assert_int_equal(kd_model_parse(kd_buf_view(&yaml), "t", text, &model, &err), KD_INVALID);
    kd_buf_clear(&yaml);
    kd_buf_cstr(&yaml, NAMES BY_A "comparisons:\n");
    for (int i = 0; i < 24; i++)
        kd_buf_cstr(
            &yaml,
            "  - {column: a, levels: [{is: exact}, {is: osa, at_most: 1}, {is: osa, at_most: 2}, {is: else}]}\n");
    assert_int_equal(kd_model_parse(kd_buf_view(&yaml), "t", text, &model, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "too many levels"));
    kd_buf_done(&yaml);
}

static void shipped_models_read(void **state)
{
    (void)state;
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_error err = { 0 };
    kd_str folder;
    int count = 0;
    assert_int_equal(kd_data_path(arena, "models", &folder, &err), KD_OK);
    DIR *dir = opendir(folder.ptr);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        kd_model *model = NULL;
        if (!kd_str_ends(kd_str_of(entry->d_name), KD_STR(".yaml"))) continue;
        kd_str path = kd_path_join(arena, folder, kd_str_of(entry->d_name));
        if (kd_model_load(path.ptr, text, &model, &err) != KD_OK)
            fail_msg("%s:%d:%d: %s", path.ptr, (int)err.line, (int)err.column, err.message);
        assert_true(kd_model_columns(model) > 0);
        kd_model_free(model);
        count++;
    }
    assert_true(count >= 10);
    closedir(dir);
    kd_arena_free(arena);
}

static void a_model_tells_its_columns_and_entities(void **state)
{
    (void)state;
    kd_model *model = parse("columns: {whole: {from: [first, last]}, born: {kind: date, from: dob}}\n"
                            "blocking: [[whole]]\n"
                            "comparisons: [{column: whole, levels: [{is: exact}, {is: else}]}]\n"
                            "truth: {id: rec_id, entity: {from: rec_id, pattern: 'rec-{N}-'}}\n");
    static const char *const columns[] = { "first", "last", "dob" };
    assert_int_equal(kd_model_columns(model), 3);
    for (size_t i = 0; i < 3; i++) assert_true(kd_str_is(kd_model_column(model, i), columns[i]));
    assert_int_equal(kd_model_column(model, 3).len, 0);
    assert_true(kd_str_is(kd_model_id_column(model), "rec_id"));
    assert_true(kd_str_is(kd_model_entity_column(model), "rec_id"));
    assert_true(kd_str_is(kd_model_entity(model, KD_STR(" rec-17-dup-0")), "17"));
    assert_int_equal(kd_model_entity(model, KD_STR("17")).len, 0);
    assert_int_equal(kd_model_entity(model, KD_STR("rec-17")).len, 0);
    assert_false(kd_model_is_trained(model));
    kd_model_free(model);
}

/* ---- what levels and keys mean ---- */

/* Two rows of one column under a model; the level that they are at, and whether blocking brought them together. */
typedef struct {
    char level[64];
    bool is_candidate, is_vetoed, is_one;
} outcome;

static kd_frame *two_rows(const char *a, const char *b)
{
    kd_frame_builder *builder = kd_frame_builder_new(0);
    kd_frame *frame = NULL;
    const char *const rows[] = { a, b };
    kd_frame_builder_column(builder, "x", KD_TYPE_TEXT);
    kd_frame_builder_column(builder, "y", KD_TYPE_TEXT);
    kd_frame_builder_column(builder, "one", KD_TYPE_INT64);
    for (int i = 0; i < 2; i++) { /* "x|y" */
        kd_str rest = kd_str_of(rows[i]), part = { NULL, 0 };
        for (size_t c = 0; c < 2; c++) {
            if (!kd_str_next(&rest, '|', &part)) part = (kd_str){ NULL, 0 };
            kd_frame_builder_text(builder, c, part.len ? part : (kd_str){ NULL, 0 });
        }
        kd_frame_builder_int(builder, 2, 1);
    }
    assert_int_equal(kd_frame_builder_finish(builder, &frame, NULL), KD_OK);
    kd_frame_builder_free(builder);
    return frame;
}

static outcome run(const char *yaml, const char *a, const char *b)
{
    kd_error err = { 0 };
    kd_model *model = parse(yaml);
    kd_frame *frame = two_rows(a, b);
    kd_matcher *matcher = NULL;
    kd_pairs pairs = { 0 };
    kd_clusters clusters = { 0 };
    kd_waterfall w = { 0 };
    kd_arena *arena = kd_arena_new(1 << 16);
    outcome out = { .level = "" };
    kd_status status = kd_matcher_new(model, (const kd_frame *const[]){ frame }, 1, NULL, &matcher, &err);
    if (status == KD_OK) status = kd_matcher_train(matcher, model, &err);
    if (status == KD_OK) status = kd_matcher_pairs(matcher, &pairs, &err);
    if (status == KD_OK) status = kd_matcher_cluster(matcher, &pairs, NULL, &clusters, &err);
    if (status == KD_OK) status = kd_matcher_explain(matcher, 0, 1, arena, &w, &err);
    if (status != KD_OK) fail_msg("%s", err.message);
    kd_str level = w.count ? w.steps[w.count - 1].level : (kd_str){ NULL, 0 };
    snprintf(out.level, sizeof out.level, "%.*s", KD_FMT(level));
    out.is_candidate = pairs.compared > 0;
    out.is_vetoed = pairs.compared && !pairs.count;
    out.is_one = clusters.clusters == 1;
    kd_arena_free(arena);
    kd_clusters_done(&clusters);
    kd_pairs_done(&pairs);
    kd_matcher_free(matcher);
    kd_frame_free(frame);
    kd_model_free(model);
    return out;
}

static void levels_are_what_they_are_called(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *level, *a, *b;
        bool is_at;
    } cases[] = {
        { "text", "is: exact", "Ulm", " ulm ", true },
        { "text", "is: exact", "ulm", "ulmer", false },
        { "text", "is: levenshtein, at_most: 1", "maier", "mayer", true },
        { "text", "is: levenshtein, at_most: 1", "maier", "miaer", false },
        { "text", "is: osa, at_most: 1", "maier", "miaer", true },
        { "text", "is: jaro_winkler, at_least: 0.9", "martha", "marhta", true },
        { "text", "is: jaro_winkler, at_least: 0.9", "dixon", "dicksonx", false },
        { "text", "is: swapped, with: y", "ann|lee", "lee|ann", true },
        { "text", "is: swapped, with: y", "ann|lee", "lee|anna", false },
        { "text", "is: swapped, with: y", "ann|lee", "lee|", false },
        { "chinese_name", "is: exact", "张伟", "張偉", true },
        { "chinese_name", "is: homophone", "张伟", "章玮", true },
        { "chinese_name", "is: homophone", "张伟", "张强", false },
        { "chinese_name", "is: lookalike, at_least: 120", "张晴", "张睛", true },
        { "chinese_name", "is: lookalike, at_least: 120", "张一", "张鑫", false },
        { "chinese_name", "is: same_characters", "李小红", "李红小", true },
        { "chinese_name", "is: same_characters", "李小红", "李小小", false },
        { "chinese_name", "is: one_differs", "李小红", "李大红", true },
        { "chinese_name", "is: one_differs", "李小红", "李大白", false },
        { "chinese_name", "is: one_more", "李小红", "李红", true },
        { "chinese_name", "is: one_more", "李小红", "李白", false },
        { "chinese_name", "is: same_given", "李小红", "王小红", true },
        { "chinese_name", "is: same_given", "李小红", "王大红", false },
        { "chinese_name", "is: same_surname", "欧阳明", "欧阳小红", true },
        { "chinese_name", "is: same_surname", "李明", "王明", false },
        { "identity", "is: typo, at_most: 1", "11010519491231002X", "110105194912310021", true },
        { "identity", "is: typo, at_most: 1", "11010519491231002X", "110105194912310121", false },
        { "identity", "is: both_valid", "11010519491231002X", "440524188001010014", true },
        { "identity", "is: both_valid", "11010519491231002X", "110105194912310021", false },
        { "date", "is: exact", "1990-05-06", "19900506", true },
        { "date", "is: one_digit", "1990-05-06", "1991-05-06", true },
        { "date", "is: one_digit", "1990-05-06", "1991-05-07", false },
        { "date", "is: day_month_swapped", "1990-05-06", "1990-06-05", true },
        { "date", "is: day_month_swapped", "1990-05-06", "1991-06-05", false },
        { "date", "is: digits_swapped", "1990-05-06", "1909-05-06", true },
        { "date", "is: digits_swapped", "1990-05-13", "1990-05-31", true },
        { "date", "is: digits_swapped", "1990-05-06", "1990-06-05", false },
        { "date", "is: lunar", "1960-01-28", "1960-01-01", true }, /* new year of 庚子 */
        { "date", "is: lunar", "1960-01-28", "1960-01-02", false },
        { "date", "is: new_year", "1960-07-28", "1960-01-01", true },
        { "date", "is: new_year", "1960-07-28", "1960-01-02", false },
        { "date", "is: same_month", "1960-07-28", "1960-07-02", true },
        { "date", "is: same_month", "1960-07-28", "1961-07-28", false },
        { "date", "is: same_day_of_year", "1960-07-28", "1961-07-28", true },
        { "date", "is: same_day_of_year", "1960-07-28", "1960-07-27", false },
        { "date", "is: same_year", "1960-07-28", "1960-01-02", true },
        { "date", "is: same_year", "1960-12-31", "1961-01-01", false },
        { "date", "is: within, at_most: 3", "1960-12-31", "1961-01-03", true },
        { "date", "is: within, at_most: 3", "1960-12-31", "1961-01-04", false },
        { "division", "is: same_township", "610829100201", "610829100202", true },
        { "division", "is: same_township", "610829100201", "610829101201", false },
        { "division", "is: same_township", "610829000000", "610829000000", false },
        { "division", "is: same_county", "610829100201", "610829101201", true },
        { "division", "is: same_county", "610829100201", "610828101201", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[600], wanted[64];
        snprintf(yaml, sizeof yaml,
                 "columns: {one: {}, y: {}, x: {kind: %s}}\nblocking: [[one]]\n"
                 "comparisons: [{column: x, levels: [{%s, m: 0.9, u: 0.1}, {is: else, m: 0.1, u: 0.9}]}]\n",
                 cases[i].kind, cases[i].level);
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(cases[i].level + 4, ","), cases[i].level + 4);
        outcome out = run(yaml, cases[i].a, cases[i].b);
        if (cases[i].is_at ? strncmp(out.level, wanted, strlen(wanted)) != 0 : strcmp(out.level, "else") != 0)
            fail_msg("%s: %s and %s are %s", cases[i].level, cases[i].a, cases[i].b, out.level);
        out = run(yaml, cases[i].a, "|");
        assert_string_equal(out.level, "missing");
    }
}

static void keys_bring_those_together_who_share_them(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *key, *a, *b;
        bool is_candidate;
    } cases[] = {
        { "text", "x", "ulm", "ULM", true },
        { "text", "x", "ulm", "bonn", false },
        { "text", "x", "", "", false }, /* nothing is not a key */
        { "text", "x.first(3)", "maier", "mai", true },
        { "text", "x.first(3)", "ma", "ma", false }, /* too short to tell */
        { "text", "x.first(3)", "张小红 a", "张小红 b", true },
        { "text", "x.last(2)", "maier", "mayer", true },
        { "text", "x.last(2)", "maier", "maiet", false },
        { "text", "x.soundex", "robert", "rupert", true },
        { "text", "x.soundex", "robert", "rubin", false },
        { "text", "x.soundex", "tymczak", "tumczik", true },
        { "text", "x.sorted", "martha", "marhta", true },
        { "text", "x.sorted", "martha", "marthe", false },
        { "text", "x.word", "anna maria", "anna luise", true },
        { "text", "x.word", "anna maria", "hanna maria", false },
        { "chinese_name", "x.syllables", "张伟", "章玮", true },
        { "chinese_name", "x.syllables", "张伟", "张强", false },
        { "chinese_name", "x.surname", "张伟", "张强", true },
        { "chinese_name", "x.surname", "欧阳伟", "欧强", false },
        { "chinese_name", "x.given", "张伟", "李伟", true },
        { "chinese_name", "x.given", "张伟", "李伟强", false },
        { "date", "x.year", "1990-05-06", "1990-12-31", true },
        { "date", "x.year", "1990-05-06", "1991-05-06", false },
        { "date", "x.month", "1990-05-06", "1990-05-31", true },
        { "date", "x.month", "1990-05-06", "1991-05-06", false },
        { "date", "x.day", "1990-05-06", "1991-05-06", true },
        { "date", "x.day", "1990-05-06", "1990-06-05", false },
        { "division", "x.township", "610829100201", "610829100202", true },
        { "division", "x.township", "610829100201", "610829101201", false },
        { "division", "x.county", "610829100201", "610829101201", true },
        { "division", "x.county", "610829100201", "610828100201", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[600];
        snprintf(yaml, sizeof yaml,
                 "columns: {one: {}, x: {kind: %s}}\nblocking: [[%s]]\nthreshold: -50\n"
                 "comparisons: [{column: one, levels: [{is: exact, m: 0.9, u: 0.1}, {is: else, m: 0.1, u: 0.9}]}]\n",
                 cases[i].kind, cases[i].key);
        if (run(yaml, cases[i].a, cases[i].b).is_candidate != cases[i].is_candidate)
            fail_msg("%s: %s and %s", cases[i].key, cases[i].a, cases[i].b);
    }
}

static void near_numbers_meet_when_one_of_them_cannot_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_candidate;
    } cases[] = {
        { "11010519491231002X", "110105194912310021", true },  /* the check character */
        { "11010519491231002X", "11010519481231001X", false }, /* two digits */
        { "11010519491231002X", "1101051949123102X", true },   /* one too few */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        outcome out =
            run("columns: {one: {}, x: {kind: identity}}\nblocking: [{near: x}]\nthreshold: -50\n"
                "comparisons: [{column: one, levels: [{is: exact, m: 0.9, u: 0.1}, {is: else, m: 0.1, u: 0.9}]}]\n",
                cases[i].a, cases[i].b);
        if (out.is_candidate != cases[i].is_candidate) fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

/* ---- which pairs blocking brings ---- */

/* Rows "x|y" of which x is a number, linked under a model; what was compared and how many clusters there are. */
static kd_pairs link_rows(const char *yaml, const char *const *rows, size_t count, uint32_t *out_clusters)
{
    kd_error err = { 0 };
    kd_frame_builder *builder = kd_frame_builder_new(0);
    kd_frame *frame = NULL;
    kd_matcher *matcher = NULL;
    kd_pairs pairs = { 0 };
    kd_clusters clusters = { 0 };
    kd_frame_builder_column(builder, "x", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "y", KD_TYPE_TEXT);
    for (size_t i = 0; i < count; i++) {
        kd_str rest = kd_str_of(rows[i]), part = { NULL, 0 };
        int64_t number = 0;
        assert_true(kd_str_next(&rest, '|', &part) && kd_str_int(part, &number));
        kd_frame_builder_int(builder, 0, number);
        kd_frame_builder_text(builder, 1, rest);
    }
    assert_int_equal(kd_frame_builder_finish(builder, &frame, NULL), KD_OK);
    kd_frame_builder_free(builder);
    kd_model *model = parse(yaml);
    kd_status status = kd_matcher_new(model, (const kd_frame *const[]){ frame }, 1, NULL, &matcher, &err);
    if (status == KD_OK) status = kd_matcher_train(matcher, model, &err);
    if (status == KD_OK) status = kd_matcher_pairs(matcher, &pairs, &err);
    if (status == KD_OK) status = kd_matcher_cluster(matcher, &pairs, NULL, &clusters, &err);
    if (status != KD_OK) fail_msg("%s", err.message);
    *out_clusters = clusters.clusters;
    kd_clusters_done(&clusters);
    kd_matcher_free(matcher);
    kd_frame_free(frame);
    kd_model_free(model);
    return pairs;
}

#define ON_Y "comparisons: [{column: y, levels: [{is: exact, m: 0.9, u: 0.001}, {is: else, m: 0.1, u: 0.9}]}]\n"

static void a_block_too_full_leaves_its_pairs_to_later_rules(void **state)
{
    (void)state;
    static const char *const rows[] = { "1|ulm", "1|ulm", "1|bonn", "1|hamm", "2|kiel" };
    uint32_t clusters;
    kd_pairs pairs = link_rows("columns: {x: {}, y: {}}\nblocking: [{keys: [x], max: 3}, [x, y]]\n"
                               "prior: {probability: 0.1}\n" ON_Y,
                               rows, 5, &clusters);
    assert_int_equal(pairs.compared, 1);
    assert_int_equal(pairs.full_blocks, 1);
    assert_int_equal(pairs.full_records, 4);
    assert_int_equal(clusters, 4);
    kd_pairs_done(&pairs);
}

static void records_that_say_nothing_new_are_not_compared_again(void **state)
{
    (void)state;
    static const char *const rows[] = { "7|ulm", "7|ulm", "7|ulm", "8|ulm" };
    uint32_t clusters;
    kd_pairs pairs = link_rows("columns: {x: {}, y: {}}\ncollapse: [[x]]\nblocking: [[y]]\n"
                               "prior: {probability: 0.1}\n" ON_Y,
                               rows, 4, &clusters);
    assert_int_equal(pairs.compared, 1);
    assert_int_equal(clusters, 1);
    kd_pairs_done(&pairs);
}

static void numbers_of_a_table_have_digits_where_a_model_asks_for_them(void **state)
{
    (void)state;
    static const char *const rows[] = { "12345|a", "12354|b", "99999|c" };
    uint32_t clusters;
    kd_pairs pairs = link_rows("columns: {x: {}, y: {}}\nblocking: [[x.first(3)]]\nprior: {probability: 0.1}\n"
                               "comparisons: [{column: x, levels: [{is: osa, at_most: 1, m: 0.9, u: 0.001}, "
                               "{is: else, m: 0.1, u: 0.9}]}]\n",
                               rows, 3, &clusters);
    assert_int_equal(pairs.compared, 1);
    assert_int_equal(pairs.count, 1);
    assert_int_equal(clusters, 2);
    kd_pairs_done(&pairs);
}

static size_t look_up(const char *known, const char *asked)
{
    kd_error err = { 0 };
    kd_model *model = parse("columns: {x: {kind: identity}, y: {}}\nblocking: [[x], {near: x}]\nthreshold: -50\n"
                            "prior: {probability: 0.1}\n"
                            "comparisons: [{column: x, levels: [{is: exact, m: 0.5, u: 0.001}, "
                            "{is: typo, at_most: 1, m: 0.4, u: 0.001}, {is: else, m: 0.1, u: 0.9}]}]\n");
    kd_frame *records = two_rows(known, "440524188001010014"), *question = two_rows(asked, "");
    kd_matcher *matcher = NULL;
    kd_match_index *index = NULL;
    kd_candidate found[4];
    size_t count = 0;
    kd_status status = kd_matcher_new(model, (const kd_frame *const[]){ records }, 1, NULL, &matcher, &err);
    if (status == KD_OK) status = kd_matcher_train(matcher, model, &err);
    if (status == KD_OK) status = kd_match_index_new(matcher, &index, &err);
    if (status == KD_OK) status = kd_match_lookup(index, question, 0, 4, found, &count, &err);
    if (status != KD_OK) fail_msg("%s", err.message);
    if (count) assert_int_equal(found[0].record, 0);
    kd_match_index_free(index);
    kd_matcher_free(matcher);
    kd_frame_free(records);
    kd_frame_free(question);
    kd_model_free(model);
    return count;
}

static void a_mistyped_number_is_looked_up_from_either_side(void **state)
{
    (void)state;
    static const char *const right = "11010519491231002X";
    static const char *const wrong[] = { "110105194912310021", "11010519491231003X", "11010519491213002X" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(look_up(right, wrong[i]), 1);
        assert_int_equal(look_up(wrong[i], right), 1);
        assert_int_equal(look_up(wrong[i], wrong[i]), 1);
    }
    assert_int_equal(look_up(right, right), 1);
    assert_int_equal(look_up(right, "110105194812310021"), 0); /* two slips */
}

/* ---- what groups and holds apart ---- */

#define TWO "columns: {one: {}, x: {kind: identity}, y: {}}\n"
#define ALIKE                                                                                                       \
    "blocking: [[one]]\ncomparisons: [{column: one, levels: [{is: exact, m: 0.9, u: 0.001}, {is: else, m: 0.1, u: " \
    "0.9}]}]\nprior: {probability: 0.5}\n"

static void vetoes_and_groups_decide_before_weights(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *a, *b;
        bool is_one;
    } cases[] = {
        { TWO ALIKE, "|", "|", true },
        { TWO ALIKE "distinct: [y]\n", "|row 1", "|row 1", false },
        { TWO ALIKE "distinct: [y]\n", "|row 1", "|row 2", true },
        { TWO ALIKE "exclusive: [x]\n", "11010519491231002X", "440524188001010014", false },
        { TWO ALIKE "exclusive: [x]\n", "11010519491231002X", "110105194912310021", true }, /* one cannot be right */
        { TWO ALIKE "exclusive: [x]\n", "11010519491231002X", "", true },
        { TWO ALIKE "exclusive: [y]\n", "|a", "|b", false },
        { TWO ALIKE "threshold: 90\ncollapse: [[x]]\n", "11010519491231002X", "11010519491231002x", true },
        { TWO ALIKE "threshold: 90\ncollapse: [[x]]\n", "110105194912310021", "110105194912310021", false },
        { TWO ALIKE "threshold: 90\ncollapse: [[x, y]]\n", "11010519491231002X|a", "11010519491231002X|b", false },
        { TWO ALIKE "threshold: 90\ncollapse: [[x]]\ndistinct: [y]\n", "11010519491231002X|a", "11010519491231002X|a",
          false },
        { TWO ALIKE "threshold: 90\n", "|", "|", false },
        { TWO ALIKE "null_texts: [unknown]\ndistinct: [y]\n", "|unknown", "|unknown", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (run(cases[i].yaml, cases[i].a, cases[i].b).is_one != cases[i].is_one)
            fail_msg("'%s' and '%s' under\n%s", cases[i].a, cases[i].b, cases[i].yaml);
}

static void a_level_with_a_veto_parts_whatever_the_weight(void **state)
{
    (void)state;
    const char *yaml =
        "columns: {one: {}, x: {}}\nblocking: [[one]]\nprior: {probability: 0.5}\n"
        "comparisons: [{column: x, levels: [{is: exact, m: 0.9, u: 0.1}, {is: else, m: 0.9, u: 0.1, veto: true}]}]\n";
    assert_false(run(yaml, "a", "a").is_vetoed);
    assert_true(run(yaml, "a", "a").is_one);
    assert_true(run(yaml, "a", "b").is_vetoed);
    assert_false(run(yaml, "a", "b").is_one);
}

static void unless_silences_what_another_comparison_has_told(void **state)
{
    (void)state;
    const char *yaml = "columns: {one: {}, x: {}, y: {}}\nblocking: [[one]]\n"
                       "comparisons:\n"
                       "  - {column: x, levels: [{is: exact, m: 0.9, u: 0.1}, {is: else, m: 0.1, u: 0.9}]}\n"
                       "  - {column: y, unless: {comparison: x, levels: [exact]},\n"
                       "     levels: [{is: exact, m: 0.9, u: 0.1}, {is: else, m: 0.1, u: 0.9}]}\n";
    assert_string_equal(run(yaml, "a|b", "a|b").level, "missing");
    assert_string_equal(run(yaml, "a|b", "c|b").level, "exact");
    assert_string_equal(run(yaml, "a|b", "|b").level, "exact");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_models_are_refused_with_their_place),
        cmocka_unit_test(a_model_takes_no_more_than_it_can_hold),
        cmocka_unit_test(shipped_models_read),
        cmocka_unit_test(a_model_tells_its_columns_and_entities),
        cmocka_unit_test(levels_are_what_they_are_called),
        cmocka_unit_test(keys_bring_those_together_who_share_them),
        cmocka_unit_test(near_numbers_meet_when_one_of_them_cannot_be_right),
        cmocka_unit_test(a_block_too_full_leaves_its_pairs_to_later_rules),
        cmocka_unit_test(records_that_say_nothing_new_are_not_compared_again),
        cmocka_unit_test(numbers_of_a_table_have_digits_where_a_model_asks_for_them),
        cmocka_unit_test(a_mistyped_number_is_looked_up_from_either_side),
        cmocka_unit_test(vetoes_and_groups_decide_before_weights),
        cmocka_unit_test(a_level_with_a_veto_parts_whatever_the_weight),
        cmocka_unit_test(unless_silences_what_another_comparison_has_told),
    };
    return cmocka_run_group_tests_name("match_model", tests, open_text, close_text);
}
