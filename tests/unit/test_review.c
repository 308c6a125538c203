/* The review queue and the estimates on an invented county, against the truth that the simulation knows. */
#include "live_place.h"
#include "register/review.h"

#include <math.h>

static kd_match_page page_of(live_place *p, bool only_open, kd_str cursor, size_t limit)
{
    kd_error err;
    kd_match_page page;
    live_must(kd_match_list(p->reg, LIVE_COUNTY, only_open, cursor, limit, p->arena, &page, &err), &err);
    return page;
}

/* Whom the truth file says a record tells of. */
static kd_str truth_of(live_place *p, const kd_source_record *record, kd_str feed)
{
    kd_error err;
    char wanted[128];
    if (!p->told.ptr) live_must(kd_file_read(p->arena, p->truth, (size_t)64 << 20, &p->told, &err), &err);
    int len = snprintf(wanted, sizeof wanted, "\n%.*s,%lld,", KD_FMT(feed), (long long)record->row_no);
    for (const char *at = p->told.ptr; at && (at = strstr(at, wanted)); at++) {
        kd_str rest = kd_str_of(at + len), line, person, role;
        kd_str_next(&rest, '\n', &line);
        kd_str_next(&line, ',', &person);
        kd_str_next(&line, ',', &role);
        if (kd_str_is(role, kd_role_name(record->role))) return person;
    }
    return (kd_str){ NULL, 0 };
}

static bool is_same_in_truth(live_place *p, const kd_match_review *r)
{
    kd_str a = truth_of(p, &r->record_a, r->source_a.feed), b = truth_of(p, &r->record_b, r->source_b.feed);
    assert_true(a.len > 0 && b.len > 0);
    return kd_str_eq(a, b);
}

/* ---- the queue ---- */

static void pages_hold_every_pair_once_the_most_valuable_first(live_place *p)
{
    kd_match_page whole = page_of(p, false, KD_STR(""), 1000), part;
    assert_true(whole.count > 10);
    assert_int_equal(whole.count, live_ask(p, "select count(*) from match_review where id > $1", 0));
    size_t at = 0;
    kd_str cursor = { NULL, 0 };
    do {
        part = page_of(p, false, cursor, 7);
        for (size_t i = 0; i < part.count; i++) assert_int_equal(part.reviews[i].id, whole.reviews[at++].id);
        cursor = part.next;
    } while (cursor.len);
    assert_int_equal(at, whole.count);
    for (size_t i = 1; i < whole.count; i++) assert_true(whole.reviews[i - 1].value >= whole.reviews[i].value);
    for (size_t i = 0; i < whole.count; i++) {
        const kd_match_review *r = &whole.reviews[i];
        assert_true(r->record_a.id < r->record_b.id && r->source_a.feed.len && r->file_b.len);
        assert_true(r->probability >= 0 && r->probability <= 1 && r->value >= 0);
        assert_int_equal(live_ask(p, "select person_id from link where source_record_id = $1", r->record_a.id),
                         r->person_a);
        assert_int_equal(live_ask(p, "select person_id from link where source_record_id = $1", r->record_b.id),
                         r->person_b);
    }
    kd_error err;
    assert_int_equal(kd_match_list(p->reg, 0, true, KD_STR("nonsense"), 5, p->arena, &part, &err), KD_INVALID);
    live_must(kd_match_list(p->reg, INT64_C(610802000000), false, KD_STR(""), 5, p->arena, &part, &err), &err);
    assert_true(part.count < whole.count); /* another county */
}

static void most_doubtful_pairs_of_two_persons_are_really_one(live_place *p)
{
    kd_match_page page = page_of(p, true, KD_STR(""), 1000);
    size_t apart = 0, same = 0;
    for (size_t i = 0; i < page.count; i++) {
        if (page.reviews[i].is_same_now || page.reviews[i].probability < 0.5) continue;
        apart++;
        same += is_same_in_truth(p, &page.reviews[i]);
    }
    assert_true(apart > 0 && same * 2 >= apart); /* worth asking: each answer mends a person */
}

static void waterfall_adds_up_to_the_weight(live_place *p)
{
    kd_error err;
    kd_match_review review;
    kd_waterfall w;
    kd_match_page page = page_of(p, true, KD_STR(""), 5);
    for (size_t i = 0; i < page.count; i++) {
        live_must(kd_match_get(p->reg, page.reviews[i].id, p->arena, &review, &w, &err), &err);
        assert_true(w.count > 5);
        assert_float_equal(w.total_bits, review.weight, 1e-6);
        assert_float_equal(w.probability, kd_match_probability(review.weight), 1e-9);
    }
    assert_int_equal(kd_match_get(p->reg, 77, p->arena, &review, &w, &err), KD_NOT_FOUND);
}

static void ids_stay_over_runs(live_place *p)
{
    kd_match_page before = page_of(p, false, KD_STR(""), 1000);
    live_link(p);
    kd_match_page after = page_of(p, false, KD_STR(""), 1000);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        assert_int_equal(after.reviews[i].id, before.reviews[i].id);
        assert_int_equal(after.reviews[i].record_a.id, before.reviews[i].record_a.id);
    }
}

static const kd_match_review *first_where(const kd_match_page *page, bool is_same_now)
{
    for (size_t i = 0; i < page->count; i++)
        if (page->reviews[i].is_same_now == is_same_now && (is_same_now || page->reviews[i].probability > 0.5))
            return &page->reviews[i];
    fail_msg("no such pair in the queue");
    return NULL;
}

static bool are_one(live_place *p, const kd_match_review *r)
{
    return live_ask(p, "select person_id from link where source_record_id = $1", r->record_a.id) ==
           live_ask(p, "select person_id from link where source_record_id = $1", r->record_b.id);
}

static int64_t decide(live_place *p, const kd_match_review *r, kd_said said)
{
    kd_error err;
    int64_t decision = 0;
    live_must(kd_match_decide(p->reg, r->id, said, KD_STR("赵"), KD_STR("看过档案"), &decision, &err), &err);
    assert_true(decision > 0);
    return decision;
}

static void decisions_join_and_part_with_the_next_run_and_go_back(live_place *p)
{
    static const kd_said words[] = { KD_SAID_SAME, KD_SAID_DIFFERENT };
    kd_error err;
    for (size_t i = 0; i < 2; i++) {
        bool joins = words[i] == KD_SAID_SAME;
        kd_match_page page = page_of(p, true, KD_STR(""), 1000);
        const kd_match_review *r = first_where(&page, !joins);
        int64_t decision = decide(p, r, words[i]), again = 0;
        assert_int_equal(kd_match_decide(p->reg, r->id, KD_SAID_SAME, KD_STR("钱"), KD_STR(""), &again, &err),
                         KD_CONFLICT);
        kd_match_page open = page_of(p, true, KD_STR(""), 1000);
        for (size_t k = 0; k < open.count; k++) assert_true(open.reviews[k].id != r->id);
        live_link(p);
        assert_int_equal(are_one(p, r), joins);
        kd_match_review review;
        kd_waterfall w;
        live_must(kd_match_get(p->reg, r->id, p->arena, &review, &w, &err), &err);
        assert_true(kd_str_is(review.said, joins ? "same" : "different"));
        assert_int_equal(review.is_same_now, joins);
        live_must(kd_decision_undo(p->reg, decision, KD_STR("赵"), &err), &err);
        assert_int_equal(kd_decision_undo(p->reg, decision, KD_STR("赵"), &err), KD_CONFLICT);
        live_link(p);
        assert_int_equal(are_one(p, r), !joins);
    }
    assert_int_equal(kd_decision_undo(p->reg, 99, KD_STR("赵"), &err), KD_NOT_FOUND);
}

static void unknown_leaves_the_queue_and_links_nothing(live_place *p)
{
    kd_error err;
    kd_match_page page = page_of(p, true, KD_STR(""), 1000);
    const kd_match_review *r = first_where(&page, false);
    int64_t open = 0, fewer = 0, decision = decide(p, r, KD_SAID_UNKNOWN);
    live_must(kd_match_count(p->reg, LIVE_COUNTY, &fewer, &err), &err);
    assert_int_equal(fewer, page.count - 1);
    live_link(p);
    assert_false(are_one(p, r));
    live_must(kd_decision_undo(p->reg, decision, KD_STR("赵"), &err), &err);
    live_must(kd_match_count(p->reg, LIVE_COUNTY, &open, &err), &err);
    assert_int_equal(open, page.count);
}

static void odd_answers_are_refused(live_place *p)
{
    kd_error err;
    int64_t decision = 0;
    kd_match_page page = page_of(p, true, KD_STR(""), 1);
    int64_t id = page.reviews[0].id;
    assert_int_equal(kd_match_decide(p->reg, id, KD_SAID_VALUE, KD_STR("赵"), KD_STR(""), &decision, &err), KD_INVALID);
    assert_int_equal(kd_match_decide(p->reg, id, KD_SAID_SAME, KD_STR(" "), KD_STR(""), &decision, &err), KD_INVALID);
    assert_int_equal(kd_match_decide(p->reg, id, KD_SAID_SAME, KD_STR("赵"), KD_STR("\xff"), &decision, &err),
                     KD_INVALID);
    assert_int_equal(kd_match_decide(p->reg, 5, KD_SAID_SAME, KD_STR("赵"), KD_STR(""), &decision, &err), KD_NOT_FOUND);
    assert_int_equal(decision, 0);
}

/* ---- the estimates ---- */

static kd_match_estimate estimate_now(live_place *p)
{
    kd_error err;
    kd_match_estimate e;
    live_must(kd_match_estimate_of(p->reg, p->arena, &e, &err), &err);
    assert_true(e.precision_low <= e.precision && e.precision <= e.precision_high);
    assert_true(e.recall_low <= e.recall && e.recall <= e.recall_high);
    assert_true(e.precision_low >= 0 && e.precision_high <= 1 && e.recall_low >= 0 && e.recall_high <= 1);
    assert_true(e.method_zh.len > 0 && e.method_en.len > 0);
    return e;
}

/* Every found pair of records is in one stratum: those of a tree of joins, which the slow count over persons must equal. */
static void strata_hold_every_found_pair(live_place *p)
{
    kd_error err;
    kd_rows *rows;
    bool has_row = false;
    double pairs = 0;
    live_must(kd_store_query(kd_register_store(p->reg), &err, &rows, "select value from setting where name = $1",
                             KD_VALUES(kd_text_value(KD_STR("match_strata")))),
              &err);
    live_must(kd_rows_next(rows, &has_row, &err), &err);
    assert_true(has_row);
    kd_str rest = kd_rows_text(rows, 0), line;
    kd_str_next(&rest, '\n', &line);
    while (kd_str_next(&rest, '\n', &line)) {
        double n[6];
        kd_str part;
        for (size_t i = 0; i < 6; i++) assert_true(kd_str_next(&line, ' ', &part) && kd_str_double(part, &n[i]));
        if ((int)n[0] == KD_TOGETHER) pairs += n[3];
    }
    kd_rows_close(rows);
    int64_t found = live_ask(p,
                             "select cast(sum(n * (n - 1) / 2) as bigint) from (select count(*) as n from link "
                             "where person_id > $1 group by person_id) persons",
                             0);
    assert_int_equal((int64_t)(pairs + 0.5), found);
}

/* Precision's interval holds the truth; recall is told to be rather too high, and is. */
static void intervals_keep_what_the_method_says(live_place *p)
{
    kd_error err;
    kd_quality truth;
    kd_match_estimate e = estimate_now(p);
    live_must(kd_register_quality(p->reg, p->truth, &truth, &err), &err);
    assert_true(truth.precision >= e.precision_low);
    assert_true(e.precision <= truth.precision + 0.0001);
    assert_true(truth.precision - e.precision < 0.005);
    assert_true(e.recall >= truth.recall - 0.0005);
    assert_true(e.recall - truth.recall < 0.005);
}

static void reviewing_narrows_the_interval_towards_the_truth(live_place *p)
{
    kd_error err;
    kd_quality truth;
    kd_match_estimate before = estimate_now(p);
    kd_match_page page = page_of(p, true, KD_STR(""), 1000);
    int64_t reviewed = 0, same = 0;
    live_must(kd_register_quality(p->reg, p->truth, &truth, &err), &err);
    for (size_t i = 0; i < page.count; i++) {
        if (!page.reviews[i].is_same_now) continue;
        bool is_same = is_same_in_truth(p, &page.reviews[i]);
        decide(p, &page.reviews[i], is_same ? KD_SAID_SAME : KD_SAID_DIFFERENT);
        reviewed++;
        same += is_same;
    }
    assert_true(reviewed > 5);
    kd_match_estimate after = estimate_now(p);
    assert_int_equal(after.reviewed, reviewed);
    assert_int_equal(after.reviewed_same, same);
    assert_true(after.precision_high - after.precision_low < before.precision_high - before.precision_low);
    assert_true(fabs(after.precision - truth.precision) < fabs(before.precision - truth.precision));
}

/* ---- numbers ---- */

/* The slow twin: the density summed in small steps. */
static double below_slowly(double a, double b, double x)
{
    enum { STEPS = 200000 };
    double sum = 0, scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b));
    for (int i = 0; i < STEPS; i++) {
        double at = x * (i + 0.5) / STEPS;
        sum += pow(at, a - 1) * pow(1 - at, b - 1);
    }
    return sum * scale * x / STEPS;
}

static void beta_quantiles_are_right(void **state)
{
    (void)state;
    static const struct {
        double a, b;
    } cases[] = { { 1, 1 }, { 2, 3 }, { 20, 1.5 }, { 1.5, 300 }, { 1000, 4 }, { 1, 999 } };
    static const double shares[] = { 0.025, 0.5, 0.975 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            double x = kd_beta_quantile(cases[i].a, cases[i].b, shares[k]);
            assert_float_equal(below_slowly(cases[i].a, cases[i].b, x), shares[k], 0.002);
        }
    assert_float_equal(kd_beta_quantile(1, 999, 0.975), (float)(1 - pow(0.025, 1.0 / 999)), 1e-7);
    assert_float_equal(kd_beta_quantile(3, 1, 0.2), (float)pow(0.2, 1.0 / 3), 1e-7);
}

static void packs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const packs[] = {
        "most: 0\n",
        "[]\n",
        "version: \"1\"\nmost: 10\n",
        "version: \"1\"\nmost: 10\nweak_join_bits: 10\nparted_bits: 0\nheld_apart_bits: 10\nheld_apart_same: 2\n"
        "conflict_records: 2\nprior_mistakes: 1\nprior_doubt: 0.1\nstrata: {together: [1], apart: [1]}\n",
        "version: \"1\"\nmost: 10\nweak_join_bits: 10\nparted_bits: 0\nheld_apart_bits: 10\nheld_apart_same: 0.1\n"
        "conflict_records: 2\nprior_mistakes: 1\nprior_doubt: 0.1\nstrata: {together: [2, 1], apart: [1]}\n",
        "version: \"1\"\nodd: 1\n"
    };
    char path[] = "/tmp/kd_review_XXXXXX";
    kd_error err;
    kd_review_pack pack;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof packs / sizeof packs[0]; i++) {
        live_must(kd_file_write(path, kd_str_of(packs[i]), &err), &err);
        assert_int_equal(kd_review_pack_load(path, &pack, &err), KD_INVALID);
        assert_true(err.line > 0);
    }
    unlink(path);
    live_must(kd_review_pack_load(NULL, &pack, &err), &err);
    assert_true(pack.most > 0);
}

static void nothing_is_estimated_before_the_first_run(void **state)
{
    (void)state;
    char dir[] = "/tmp/kd_review_XXXXXX";
    kd_error err;
    live_place p = { .arena = kd_arena_new(1 << 20) };
    kd_match_estimate e;
    kd_match_page page;
    assert_non_null(mkdtemp(dir));
    snprintf(p.folder, sizeof p.folder, "%s", dir);
    live_must(kd_register_init(dir, NULL, NULL, &err), &err);
    live_must(kd_register_open(dir, false, &p.reg, &err), &err);
    assert_int_equal(kd_match_estimate_of(p.reg, p.arena, &e, &err), KD_NOT_FOUND);
    live_must(kd_match_list(p.reg, 0, true, KD_STR(""), 5, p.arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
    live_link(&p); /* of nothing */
    live_must(kd_match_estimate_of(p.reg, p.arena, &e, &err), &err);
    assert_true(isnan(e.precision) && isnan(e.recall));
    live_close(&p);
}

/* One county on each database; the facts that change it come last. */
static void run_all(bool is_postgres)
{
    live_place p;
    live_open(&p, is_postgres);
    pages_hold_every_pair_once_the_most_valuable_first(&p);
    most_doubtful_pairs_of_two_persons_are_really_one(&p);
    waterfall_adds_up_to_the_weight(&p);
    strata_hold_every_found_pair(&p);
    intervals_keep_what_the_method_says(&p);
    ids_stay_over_runs(&p);
    odd_answers_are_refused(&p);
    unknown_leaves_the_queue_and_links_nothing(&p);
    decisions_join_and_part_with_the_next_run_and_go_back(&p);
    reviewing_narrows_the_interval_towards_the_truth(&p);
    live_close(&p);
}

static void queue_and_estimates_hold_on_sqlite(void **state)
{
    (void)state;
    run_all(false);
}

static void queue_and_estimates_hold_on_postgresql(void **state)
{
    (void)state;
    run_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beta_quantiles_are_right),
        cmocka_unit_test(packs_that_cannot_be_are_refused),
        cmocka_unit_test(nothing_is_estimated_before_the_first_run),
        cmocka_unit_test(queue_and_estimates_hold_on_sqlite),
        cmocka_unit_test(queue_and_estimates_hold_on_postgresql),
    };
    return cmocka_run_group_tests_name("review", tests, NULL, NULL);
}
