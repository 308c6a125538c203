/* The overview's counts against the obvious queries over the persons themselves, on both databases; feeds, batches, tasks to do. */
#include "live_place.h"

#include <math.h>

static kd_area_overview overview_of(live_place *p, int64_t division)
{
    kd_error err;
    kd_area_overview o;
    live_must(kd_area_overview_load(p->reg, division, p->arena, &o, &err), &err);
    return o;
}

/* Where a person is counted, and that they live. */
#define LIVING "state = 'active' and death_day is null"
#define PLACE "coalesce(division, hukou_division, 0)"

static int64_t in_area(live_place *p, const char *what, int64_t area)
{
    char sql[600];
    kd_error err;
    int64_t answer = 0;
    snprintf(sql, sizeof sql, "select %s from person where " LIVING " and " PLACE " >= $1 and " PLACE " <= $2", what);
    live_must(kd_store_int(kd_register_store(p->reg), &err, &answer, sql,
                           KD_VALUES(kd_int(area), kd_int(area ? kd_area_last_code(area) : INT64_MAX))),
              &err);
    return answer;
}

static void check_area(live_place *p, int64_t area)
{
    kd_area_overview o = overview_of(p, area);
    int64_t of_sex[2] = { 0, 0 }, within = 0;
    assert_int_equal(o.division, area);
    assert_int_equal(o.persons, in_area(p, "count(*)", area));
    for (size_t age = 0; age < KD_AGES; age++)
        for (size_t s = 0; s < 2; s++) of_sex[s] += o.pyramid[s][age];
    assert_int_equal(of_sex[0], in_area(p, "count(case when sex = 1 and birth_day is not null then 1 end)", area));
    assert_int_equal(of_sex[1], in_area(p, "count(case when sex = 2 and birth_day is not null then 1 end)", area));
    for (size_t i = 0; i < o.part_count; i++) within += o.parts[i].persons;
    assert_true(within <= o.persons);
    for (size_t i = 0; i < o.source_count; i++)
        assert_true(o.sources[i].of == 0 || o.sources[i].count <= o.sources[i].of);
}

static void every_level_counts_what_lives_there(live_place *p)
{
    const kd_divisions *divisions;
    kd_error err;
    size_t checked = 0;
    live_must(kd_register_divisions(p->reg, &divisions, &err), &err);
    for (size_t i = 0; i < kd_divisions_count(divisions); i++) {
        const kd_division *d = kd_divisions_at(divisions, i);
        if (!kd_division_within(d->code, LIVE_COUNTY) && !kd_division_within(LIVE_COUNTY, d->code)) continue;
        check_area(p, d->code);
        checked++;
    }
    assert_true(checked > 50);
    check_area(p, 0);
    kd_area_overview o;
    assert_int_equal(kd_area_overview_load(p->reg, 999, p->arena, &o, &err), KD_NOT_FOUND);
}

static void ages_are_those_reached_this_year(live_place *p)
{
    kd_area_overview o = overview_of(p, LIVE_COUNTY);
    int year = kd_day_to_ymd(kd_today()).year;
    for (int age = 0; age < KD_AGES - 1; age += 7) {
        char what[200];
        snprintf(what, sizeof what, "count(case when sex = 2 and birth_day >= %d and birth_day < %d then 1 end)",
                 kd_day_from_ymd((kd_ymd){ year - age, 1, 1 }), kd_day_from_ymd((kd_ymd){ year - age + 1, 1, 1 }));
        assert_int_equal(o.pyramid[1][age], in_area(p, what, LIVE_COUNTY));
    }
}

static void births_of_every_month_are_there(live_place *p)
{
    kd_area_overview o = overview_of(p, LIVE_COUNTY);
    kd_ymd today = kd_day_to_ymd(kd_today());
    assert_int_equal(o.birth_count, 24);
    for (int i = 0; i < 24; i++) {
        char what[200], key[16];
        int month = today.year * 12 + today.month - 1 - 23 + i, next = month + 1;
        snprintf(key, sizeof key, "%04d-%02d", month / 12, month % 12 + 1);
        assert_true(kd_str_is(o.births[i].key, key));
        snprintf(what, sizeof what,
                 "count(case when birth_kind is null and birth_day >= %d and birth_day < %d then 1 end)",
                 kd_day_from_ymd((kd_ymd){ month / 12, (uint8_t)(month % 12 + 1), 1 }),
                 kd_day_from_ymd((kd_ymd){ next / 12, (uint8_t)(next % 12 + 1), 1 }));
        assert_int_equal(o.births[i].count, in_area(p, what, LIVE_COUNTY));
    }
}

static void sources_are_counted_over_those_they_should_know(live_place *p)
{
    kd_area_overview o = overview_of(p, LIVE_COUNTY);
    bool has_household = false, has_care = false;
    for (size_t i = 0; i < o.source_count; i++) {
        const kd_area_figure *f = &o.sources[i];
        if (kd_str_is(f->key, "antenatal_care")) {
            has_care = true;
            assert_int_equal(f->of, 0); /* nobody in particular should be known for a pregnancy */
        }
        if (!kd_str_is(f->key, "household_registration")) continue;
        has_household = true;
        assert_int_equal(f->of, o.persons);
        assert_int_equal(
            f->count,
            in_area(
                p,
                "count(case when exists (select 1 from link l join source_record r on r.id = l.source_record_id join "
                "source s on s.id = r.source_id where l.person_id = person.id and s.feed = 'household_registration') "
                "then 1 end)",
                LIVE_COUNTY));
    }
    assert_true(has_household && has_care);
}

static void households_are_counted_once(live_place *p)
{
    kd_area_overview whole = overview_of(p, 0);
    assert_int_equal(whole.households, in_area(p, "count(distinct household_no)", 0));
}

static void open_tasks_are_counted_as_they_stand(live_place *p)
{
    kd_error err;
    kd_task_sum *sums;
    size_t count = 0;
    int64_t open = 0, of_kinds = 0, of_parts = 0, areas[] = { LIVE_COUNTY, LIVE_COUNTY + 101000, LIVE_COUNTY };
    int32_t someday = kd_today() + 4000;
    live_must(kd_task_summary(p->reg, areas, 3, someday, p->arena, &sums, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        open += sums[i].open;
        assert_int_equal(sums[i].overdue, sums[i].open);
        assert_true(sums[i].oldest_due < someday && sums[i].role.len);
    }
    int64_t truth = live_ask(p, "select count(*) from task where state = 'open' and division / 1000000 = $1", 610829);
    assert_true(truth > 0);
    assert_int_equal(open, truth); /* areas within one another are not counted twice */
    kd_area_overview o = overview_of(p, LIVE_COUNTY);
    for (size_t i = 0; i < o.task_count; i++) of_kinds += o.tasks[i].count;
    for (size_t i = 0; i < o.part_count; i++) of_parts += o.parts[i].tasks_open;
    assert_int_equal(of_kinds, truth);
    assert_true(of_parts <= truth);
    live_do(p, "update task set state = 'closed' where id = (select min(id) from task where state = 'open')",
            KD_NO_VALUES);
    int64_t now = 0;
    o = overview_of(p, LIVE_COUNTY);
    for (size_t i = 0; i < o.task_count; i++) now += o.tasks[i].count;
    assert_int_equal(now, truth - 1);
}

static void children_registered_since_the_run_are_added(live_place *p)
{
    kd_area_overview before = overview_of(p, LIVE_COUNTY);
    int64_t id = kd_register_next_id(p->reg), child = kd_register_next_id(p->reg);
    live_do(p,
            "insert into case_file (id, kind, state, division, person_id, facts, event_day, created_by, created_at, "
            "changed_at, version) values ($1, 'birth_registration', 'registered', $2, $3, '{}', $4, 1, 1, 1, 1)",
            KD_VALUES(kd_int(id), kd_int(LIVE_COUNTY + 101000), kd_int(child), kd_int(kd_today())));
    kd_area_overview after = overview_of(p, LIVE_COUNTY);
    assert_int_equal(after.persons, before.persons + 1);
    assert_int_equal(after.births[23].count, before.births[23].count + 1);
    live_do(p, "update case_file set state = 'cancelled' where id = $1", KD_VALUES(kd_int(id)));
    assert_int_equal(overview_of(p, LIVE_COUNTY).persons, before.persons);
}

static void completeness_is_the_share_known_to_the_household_source(live_place *p)
{
    kd_area_overview o = overview_of(p, LIVE_COUNTY);
    size_t told = 0;
    for (size_t i = 0; i < o.part_count; i++) {
        if (isnan(o.parts[i].completeness)) continue;
        told++;
        assert_true(o.parts[i].completeness > 0.5 && o.parts[i].completeness <= 1);
    }
    assert_true(told > 3);
}

/* ---- feeds ---- */

static void feeds_and_batches_add_up(live_place *p)
{
    kd_error err;
    kd_feed_status *feeds;
    kd_batch_page page = { .next = { NULL, 0 } };
    size_t count = 0, seen = 0;
    int64_t records = 0, last = INT64_MAX;
    live_must(kd_feed_statuses(p->reg, p->arena, &feeds, &count, &err), &err);
    assert_int_equal(count, live_ask(p, "select count(*) from source where id > $1", 0));
    for (size_t i = 0; i < count; i++) {
        records += feeds[i].records;
        assert_true(feeds[i].batches > 0 && feeds[i].last_batch_at > 0 && feeds[i].supplier_zh.len);
        assert_int_equal(feeds[i].days_late, -1);
    }
    assert_int_equal(records, live_ask(p, "select count(*) from source_record where id > $1", 0));
    kd_str cursor = { NULL, 0 };
    do {
        live_must(kd_batch_list(p->reg, KD_STR(""), cursor, 3, p->arena, &page, &err), &err);
        for (size_t i = 0; i < page.count; i++) {
            kd_batch one;
            kd_source_name source;
            assert_true(page.batches[i].id < last);
            last = page.batches[i].id;
            live_must(kd_batch_get(p->reg, last, p->arena, &one, &source, &err), &err);
            assert_true(kd_str_eq(one.file_name, page.batches[i].file_name) &&
                        kd_str_eq(source.feed, page.sources[i].feed));
            seen++;
        }
        cursor = page.next;
    } while (cursor.len);
    assert_int_equal(seen, live_ask(p, "select count(*) from batch where id > $1", 0));
    live_must(kd_batch_list(p->reg, KD_STR("marriage"), KD_STR(""), 100, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    assert_int_equal(kd_batch_list(p->reg, KD_STR(""), KD_STR("x"), 3, p->arena, &page, &err), KD_INVALID);
}

static void shipped_feeds_say_how_often_they_come(void **state)
{
    (void)state;
    kd_error err;
    kd_feed_packs *packs;
    const char *none[] = { NULL };
    live_must(kd_feed_packs_open(none, true, &packs, &err), &err);
    for (size_t i = 0; i < kd_feed_packs_count(packs); i++) {
        kd_feed_info info = kd_feed_pack_info(kd_feed_packs_at(packs, i));
        bool is_counter = kd_str_is(info.feed, "birth_counter"); /* what is declared comes when it comes */
        assert_int_equal(info.period_days > 0, !is_counter);
    }
    kd_feed_packs_close(packs);
}

static void run_all(bool is_postgres)
{
    live_place p;
    live_open(&p, is_postgres);
    every_level_counts_what_lives_there(&p);
    ages_are_those_reached_this_year(&p);
    births_of_every_month_are_there(&p);
    sources_are_counted_over_those_they_should_know(&p);
    households_are_counted_once(&p);
    completeness_is_the_share_known_to_the_household_source(&p);
    feeds_and_batches_add_up(&p);
    children_registered_since_the_run_are_added(&p);
    open_tasks_are_counted_as_they_stand(&p);
    live_close(&p);
}

static void counts_are_right_on_sqlite(void **state)
{
    (void)state;
    run_all(false);
}

static void counts_are_right_on_postgresql(void **state)
{
    (void)state;
    run_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_feeds_say_how_often_they_come),
        cmocka_unit_test(counts_are_right_on_sqlite),
        cmocka_unit_test(counts_are_right_on_postgresql),
    };
    return cmocka_run_group_tests_name("overview", tests, NULL, NULL);
}
