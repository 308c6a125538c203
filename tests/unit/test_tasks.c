#include "register/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A few invented people told of by four sources, linked by hand; every fact is shown on both databases. */

enum { POLICE = 1, OFFICE, INSURER, HOSPITAL, SOURCES };
static const char *const FEEDS[SOURCES] = { "", "household_registration", "birth_certificate", "rural_insurance",
                                            "hospital_delivery" };
enum { ARENA_BYTES = 16 << 20 };

typedef struct {
    char dir[64], url[600];
    kd_register *reg;
    kd_store *store;
    kd_arena *arena;
    int64_t batch[SOURCES], row;
} town;

static void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

static void fresh_schema(town *t)
{
    static int count;
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    kd_error err;
    kd_store *store;
    char sql[128], schema[64];
    snprintf(schema, sizeof schema, "tasks_%d_%d", (int)getpid(), ++count);
    must(kd_store_open(server, true, &store, &err), &err);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(store);
    snprintf(t->url, sizeof t->url, "%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?', schema);
}

static void add_sources(town *t)
{
    kd_error err;
    for (int i = 1; i < SOURCES; i++) {
        int32_t id;
        char hash[8];
        snprintf(hash, sizeof hash, "%d", i);
        must(kd_source_ensure(t->reg, kd_str_of(FEEDS[i]),
                              &(kd_source_words){ KD_STR("甲"), KD_STR("a"), KD_STR("乙"), KD_STR("b"), KD_STR("到"),
                                                  KD_STR("came") },
                              &id, &err),
             &err);
        assert_int_equal(id, i);
        t->batch[i] = kd_register_next_id(t->reg);
        const kd_batch batch = { .id = t->batch[i],
                                 .source_id = i,
                                 .file_name = KD_STR("=file.csv"),
                                 .feed_version = KD_STR("1"),
                                 .content_hash = kd_str_of(hash),
                                 .as_of_day = KD_DAY_NONE };
        must(kd_batch_add(t->reg, &batch, &err), &err);
    }
}

static void remove_folder(const char *dir)
{
    static const char *const names[] = { "register.db",  "register.db-wal", "register.db-shm",
                                         "kindred.yaml", "nodes.lock",      "archive",
                                         "out.csv",      "again.csv",       "out.xlsx" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    rmdir(dir);
}

static void run_on_both(void (*fact)(town *t))
{
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        kd_error err;
        town t = { .dir = "/tmp/kd_tasks_XXXXXX" };
        assert_non_null(mkdtemp(t.dir));
        if (is_postgres) fresh_schema(&t);
        must(kd_register_init(t.dir, is_postgres ? t.url : NULL, NULL, &err), &err);
        must(kd_register_open(t.dir, false, &t.reg, &err), &err);
        t.store = kd_register_store(t.reg);
        t.arena = kd_arena_new(ARENA_BYTES);
        add_sources(&t);
        fact(&t);
        kd_arena_free(t.arena);
        kd_register_close(t.reg);
        remove_folder(t.dir);
    }
}

/* ---- people ---- */

static kd_source_record record(town *t, int source, kd_role role, const char *name, const char *birth)
{
    kd_source_record r = { .id = kd_register_next_id(t->reg),
                           .batch_id = t->batch[source],
                           .source_id = source,
                           .row_no = ++t->row,
                           .role = role,
                           .name = kd_str_of(name),
                           .sex = -1,
                           .birth_day = KD_DAY_NONE,
                           .division = 610829101203,
                           .death_day = KD_DAY_NONE,
                           .event_day = KD_DAY_NONE,
                           .recorded_day = KD_DAY_NONE };
    if (birth) assert_true(kd_day_parse(kd_str_of(birth), &r.birth_day));
    return r;
}

static void store_records(town *t, const kd_source_record *records, size_t count)
{
    kd_error err;
    kd_record_writer *writer;
    must(kd_store_begin(t->store, &err), &err);
    must(kd_record_writer_new(t->reg, &writer, &err), &err);
    for (size_t i = 0; i < count; i++) must(kd_record_write(writer, &records[i], &err), &err);
    must(kd_record_writer_finish(writer, &err), &err);
    must(kd_store_commit(t->store, &err), &err);
}

/* One person of these records, with the values that the rules choose. */
static int64_t make_person(town *t, const kd_source_record *records, size_t count)
{
    kd_error err;
    kd_packs packs;
    int64_t id = kd_register_next_id(t->reg), changed;
    store_records(t, records, count);
    must(kd_store_exec(t->store, &err, NULL,
                       "insert into person (id, state, records, conflicts, version, changed_at) "
                       "values ($1, 'active', $2, 0, 1, 0)",
                       KD_VALUES(kd_int(id), kd_int((int64_t)count))),
         &err);
    for (size_t i = 0; i < count; i++)
        must(kd_store_exec(t->store, &err, NULL,
                           "insert into link (person_id, source_record_id, peer_record_id, weight, decided) "
                           "values ($1, $2, $3, 12.5, 0)",
                           KD_VALUES(kd_int(id), kd_int(records[i].id), kd_int(records[0].id))),
             &err);
    must(kd_packs_load(t->reg, &packs, &err), &err);
    must(kd_person_refresh(t->reg, &packs, id, (kd_str){ NULL, 0 }, &changed, &err), &err);
    kd_packs_done(&packs);
    return id;
}

typedef struct {
    kd_task_writer *writer;
    int64_t person_id, other_id;
} asking;

static kd_status add_finding(void *ctx, const kd_finding *finding, kd_error *err)
{
    asking *a = ctx;
    char subject[KD_ID_TEXT_BYTES];
    const kd_task_found found = { .check = finding->check,
                                  .subject = kd_str_of(kd_id_format(a->person_id, subject)),
                                  .facts = finding->facts,
                                  .person_id = a->person_id,
                                  .other_id = a->other_id,
                                  .record_a = finding->record_a,
                                  .record_b = finding->record_b,
                                  .residence = 610829101203 };
    return kd_task_writer_add(a->writer, &found, err);
}

typedef struct {
    int64_t person_id;
    const kd_source_record *records;
    size_t count;
} told;

/* What a link run does with tasks, for these persons. */
static kd_task_totals bring_up_to_date(town *t, const told *people, size_t count)
{
    kd_error err;
    kd_packs packs;
    kd_buf buffer;
    kd_task_totals totals;
    const kd_text *text;
    int32_t as_of[SOURCES];
    asking a = { 0 };
    kd_buf_init(&buffer, 1 << 16);
    for (int i = 0; i < SOURCES; i++) as_of[i] = i ? kd_today() : KD_DAY_NONE;
    must(kd_register_text(t->reg, &text, &err), &err);
    must(kd_packs_load(t->reg, &packs, &err), &err);
    const kd_check_context context = {
        .rules = packs.rules, .text = text, .sources = packs.sources, .as_of = as_of, .source_count = packs.source_count
    };
    must(kd_store_begin(t->store, &err), &err);
    must(kd_task_writer_new(t->reg, packs.checks, &a.writer, &err), &err);
    for (size_t i = 0; i < count; i++) {
        a.person_id = people[i].person_id;
        must(kd_checks_person(packs.checks, &context, people[i].records, people[i].count, &buffer, add_finding, &a,
                              &err),
             &err);
    }
    must(kd_task_writer_finish(a.writer, &totals, &err), &err);
    must(kd_store_commit(t->store, &err), &err);
    kd_packs_done(&packs);
    kd_buf_done(&buffer);
    return totals;
}

static kd_task_page list(town *t, const char *state, int64_t division)
{
    kd_error err;
    kd_task_page page;
    const kd_task_filter filter = {
        .state = kd_str_of(state), .division = division, .overdue_on = KD_DAY_NONE, .limit = 50
    };
    must(kd_task_list(t->reg, &filter, t->arena, &page, &err), &err);
    return page;
}

static kd_task the_task(town *t, const char *state)
{
    kd_task_page page = list(t, state, 0);
    assert_int_equal(page.count, 1);
    return page.tasks[0];
}

static int64_t number(town *t, const char *sql)
{
    kd_error err;
    int64_t value;
    must(kd_store_int(t->store, &err, &value, sql, KD_NO_VALUES), &err);
    return value;
}

static int32_t birth_day_of(town *t, int64_t person)
{
    kd_error err;
    int64_t value;
    must(kd_store_int(t->store, &err, &value, "select birth_day from person where id = $1", KD_VALUES(kd_int(person))),
         &err);
    return (int32_t)value;
}

/* ---- the life of a task ---- */

static void life(town *t)
{
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06") };
    told person = { make_person(t, records, 2), records, 2 };
    kd_task_totals totals = bring_up_to_date(t, &person, 1);
    assert_int_equal(totals.opened, 1);
    assert_int_equal(totals.open, 1);
    kd_task task = the_task(t, "open");
    assert_true(kd_str_is(task.kind, "birth_day_differs"));
    assert_true(kd_str_is(task.attribute, "birth_day"));
    assert_int_equal(task.division, 610829101203);
    assert_int_equal(task.person_id, person.person_id);
    assert_true(task.due_day > kd_today());
    totals = bring_up_to_date(t, &person, 1); /* nothing new */
    assert_int_equal(totals.opened, 0);
    assert_int_equal(totals.open, 1);
    assert_int_equal(the_task(t, "open").id, task.id);
    records[1].birth_day = records[0].birth_day; /* the office mended it */
    totals = bring_up_to_date(t, &person, 1);
    assert_int_equal(totals.closed, 1);
    assert_int_equal(totals.open, 0);
    assert_int_equal(the_task(t, "closed").id, task.id);
    records[1].birth_day += 40;
    totals = bring_up_to_date(t, &person, 1);
    assert_int_equal(totals.opened, 1);
    assert_int_equal(the_task(t, "open").id, task.id); /* the same task, not a second one */
    assert_int_equal(number(t, "select count(*) from task"), 1);
}

static void a_task_is_opened_kept_closed_and_opened_again(void **state)
{
    (void)state;
    run_on_both(life);
}

static void routes(town *t)
{
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06") };
    told person = { make_person(t, records, 2), records, 2 };
    bring_up_to_date(t, &person, 1);
    static const struct {
        int64_t division;
        size_t count;
    } cases[] = { { 610829101203, 1 }, { 610829101000, 1 }, { 610829000000, 1 }, { 610800000000, 1 },
                  { 610000000000, 1 }, { 610829102000, 0 }, { 610802000000, 0 }, { 610829101204, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(list(t, "open", cases[i].division).count, cases[i].count);
    kd_task_count *counts;
    size_t count;
    kd_error err;
    must(kd_task_counts(t->reg, t->arena, &counts, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(counts[0].count, 1);
    assert_true(kd_str_is(counts[0].kind, "birth_day_differs"));
}

static void tasks_are_found_by_the_area_that_can_settle_them(void **state)
{
    (void)state;
    run_on_both(routes);
}

static void pages(town *t)
{
    enum { PEOPLE = 7 };
    kd_source_record records[PEOPLE][2];
    told people[PEOPLE];
    for (int i = 0; i < PEOPLE; i++) {
        records[i][0] = record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06");
        records[i][1] = record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06");
        people[i] = (told){ make_person(t, records[i], 2), records[i], 2 };
    }
    bring_up_to_date(t, people, PEOPLE);
    kd_error err;
    kd_task_page page;
    kd_task_filter filter = { .state = KD_STR("open"), .overdue_on = KD_DAY_NONE, .limit = 3 };
    size_t seen = 0, rounds = 0;
    int64_t last = 0;
    do {
        must(kd_task_list(t->reg, &filter, t->arena, &page, &err), &err);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(page.tasks[i].id > last); /* same due day and severity: by id */
            last = page.tasks[i].id;
        }
        seen += page.count;
        filter.cursor = page.next;
    } while (page.next.len && ++rounds < 10);
    assert_int_equal(seen, PEOPLE);
    filter.cursor = KD_STR("1.2");
    assert_int_equal(kd_task_list(t->reg, &filter, t->arena, &page, &err), KD_INVALID);
    filter.cursor = (kd_str){ NULL, 0 };
    filter.overdue_on = kd_today();
    must(kd_task_list(t->reg, &filter, t->arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
}

static void pages_show_every_task_once(void **state)
{
    (void)state;
    run_on_both(pages);
}

/* ---- answers ---- */

static kd_status resolve(town *t, int64_t id, kd_said said, const char *value, kd_answer_result *out, kd_error *err)
{
    const kd_answer answer = { said, kd_str_of(value), KD_STR("王小丽"), KD_STR("看了户口簿") };
    return kd_task_resolve(t->reg, id, &answer, out, err);
}

static void settles(town *t)
{
    kd_error err;
    kd_answer_result result;
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06"),
                                   record(t, INSURER, KD_ROLE_SUBJECT, "张伟", "1980-05-06") };
    told person = { make_person(t, records, 3), records, 3 };
    bring_up_to_date(t, &person, 1);
    kd_task task = the_task(t, "open");
    assert_int_equal(birth_day_of(t, person.person_id), records[0].birth_day);
    assert_int_equal(number(t, "select conflicts from person"), 1);
    must(resolve(t, task.id, KD_SAID_VALUE, "1980年6月6日", &result, &err), &err);
    assert_int_equal(result.corrections, 2);
    assert_int_equal(result.changed_values, 1);
    assert_false(result.is_open);
    assert_int_equal(birth_day_of(t, person.person_id), records[1].birth_day);
    assert_int_equal(number(t, "select conflicts from person"), 0);
    assert_int_equal(number(t, "select count(*) from person_event where kind = 'value' and attribute = 'birth_day' "
                               "and decided_by = '王小丽'"),
                     1);
    bring_up_to_date(t, &person, 1); /* the sources still differ: the answer stands */
    assert_int_equal(the_task(t, "resolved").id, task.id);
    assert_int_equal(list(t, "open", 0).count, 0);
    assert_int_equal(resolve(t, task.id, KD_SAID_VALUE, "1980-06-06", &result, &err), KD_CONFLICT);
    kd_source_record more[] = { records[0], records[1], records[2],
                                record(t, HOSPITAL, KD_ROLE_CHILD, "张伟", "1981-02-03") };
    store_records(t, &more[3], 1);
    person = (told){ person.person_id, more, 4 };
    bring_up_to_date(t, &person, 1); /* a new value that nobody has looked at */
    assert_int_equal(the_task(t, "open").id, task.id);
    assert_int_equal(birth_day_of(t, person.person_id), records[1].birth_day); /* what was decided holds */
}

static void an_answer_is_applied_at_once_and_outlives_the_next_run(void **state)
{
    (void)state;
    run_on_both(settles);
}

static void takes_back(town *t)
{
    kd_error err;
    kd_answer_result result;
    const kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                         record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06") };
    told person = { make_person(t, records, 2), records, 2 };
    bring_up_to_date(t, &person, 1);
    kd_task task = the_task(t, "open");
    int32_t before = birth_day_of(t, person.person_id);
    assert_int_equal(kd_task_reopen(t->reg, task.id, KD_STR("王小丽"), KD_STR("写错了"), &result, &err), KD_CONFLICT);
    must(resolve(t, task.id, KD_SAID_VALUE, "1979-01-02", &result, &err), &err);
    assert_int_equal(number(t, "select count(*) from correction"), 2);
    assert_int_equal(kd_task_reopen(t->reg, task.id, KD_STR("王小丽"), (kd_str){ NULL, 0 }, &result, &err), KD_INVALID);
    must(kd_task_reopen(t->reg, task.id, KD_STR("王小丽"), KD_STR("写错了"), &result, &err), &err);
    assert_int_equal(result.changed_values, 1);
    assert_int_equal(birth_day_of(t, person.person_id), before);
    assert_int_equal(number(t, "select count(*) from correction"), 0);
    assert_int_equal(number(t, "select count(*) from decision where undone_by = '王小丽'"), 1);
    assert_int_equal(the_task(t, "open").id, task.id);
    must(resolve(t, task.id, KD_SAID_VALUE, "1980-05-06", &result, &err), &err);
    assert_int_equal(result.corrections, 1);
}

static void an_answer_can_be_taken_back(void **state)
{
    (void)state;
    run_on_both(takes_back);
}

static void refuses(town *t)
{
    kd_error err;
    kd_answer_result result;
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", NULL),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", NULL) };
    records[0].identity_number = KD_STR("610829198005060018");
    records[1].identity_number = KD_STR("610829198005060034");
    told person = { make_person(t, records, 2), records, 2 };
    bring_up_to_date(t, &person, 1);
    kd_task task = the_task(t, "open");
    assert_true(kd_str_is(task.kind, "identity_number_differs"));
    assert_int_equal(task.division, 610829101000); /* the township settles it */
    assert_true(kd_str_find(task.facts, KD_STR("610829198005060018")) < 0);
    static const struct {
        kd_said said;
        const char *value;
    } wrong[] = { { KD_SAID_VALUE, "610829198005060019" },
                  { KD_SAID_VALUE, "1234" },
                  { KD_SAID_VALUE, "" },
                  { KD_SAID_SAME, NULL },
                  { KD_SAID_CONFIRMED, NULL } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(resolve(t, task.id, wrong[i].said, wrong[i].value, &result, &err), KD_INVALID);
        if (wrong[i].value && wrong[i].value[0]) assert_null(strstr(err.message, wrong[i].value));
    }
    const kd_answer nobody = { .said = KD_SAID_UNKNOWN };
    assert_int_equal(kd_task_resolve(t->reg, task.id, &nobody, &result, &err), KD_INVALID);
    assert_int_equal(number(t, "select count(*) from decision"), 0);
    assert_true(kd_str_is(the_task(t, "open").state, "open"));
    must(resolve(t, task.id, KD_SAID_UNKNOWN, NULL, &result, &err), &err);
    assert_true(result.is_open);
    assert_true(kd_str_is(the_task(t, "open").answer, "unknown"));
    must(resolve(t, task.id, KD_SAID_VALUE, "610829198005060034", &result, &err), &err);
    assert_int_equal(result.corrections, 1);
    assert_int_equal(resolve(t, 12345678, KD_SAID_UNKNOWN, NULL, &result, &err), KD_NOT_FOUND);
}

static void an_answer_that_cannot_be_right_changes_nothing(void **state)
{
    (void)state;
    run_on_both(refuses);
}

static void contradicts(town *t)
{
    kd_error err;
    kd_answer_result result;
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", NULL),
                                   record(t, INSURER, KD_ROLE_SUBJECT, "张伟", NULL) };
    records[0].status = KD_STR("dead");
    records[0].death_day = kd_today() - 300;
    records[1].status = KD_STR("active");
    told person = { make_person(t, records, 2), records, 2 };
    bring_up_to_date(t, &person, 1);
    kd_task task = the_task(t, "open");
    assert_true(kd_str_is(task.kind, "dead_but_insured"));
    must(resolve(t, task.id, KD_SAID_CONFIRMED, NULL, &result, &err), &err);
    assert_int_equal(result.corrections, 1);
    kd_correction_page page;
    must(kd_correction_list(t->reg, KD_STR("rural_insurance"), true, 0, 10, t->arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    assert_true(kd_str_is(page.corrections[0].wrong_value, "active"));
    assert_true(kd_str_is(page.corrections[0].right_value, "dead"));
    must(kd_task_reopen(t->reg, task.id, KD_STR("王小丽"), KD_STR("本人健在"), &result, &err), &err);
    must(resolve(t, task.id, KD_SAID_NOT_SO, NULL, &result, &err), &err);
    must(kd_correction_list(t->reg, (kd_str){ NULL, 0 }, true, 0, 10, t->arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    assert_true(kd_str_is(page.corrections[0].feed, "household_registration"));
    assert_true(kd_str_is(page.corrections[0].right_value, "active"));
}

static void whoever_was_wrong_about_a_death_is_told(void **state)
{
    (void)state;
    run_on_both(contradicts);
}

static void pairs(town *t)
{
    kd_error err;
    kd_packs packs;
    kd_answer_result result;
    kd_task_totals totals;
    kd_task_writer *writer;
    const kd_source_record a = record(t, POLICE, KD_ROLE_SUBJECT, "张伟", NULL),
                           b = record(t, INSURER, KD_ROLE_SUBJECT, "张玮", NULL);
    int64_t one = make_person(t, &a, 1), other = make_person(t, &b, 1);
    must(kd_packs_load(t->reg, &packs, &err), &err);
    const kd_task_found found = { .check = kd_checks_find(packs.checks, KD_STR("maybe_one_person")),
                                  .subject = KD_STR("pair"),
                                  .facts = KD_STR("{\"marks\":\"\"}"),
                                  .person_id = one,
                                  .other_id = other,
                                  .record_a = a.id,
                                  .record_b = b.id };
    assert_non_null(found.check);
    must(kd_store_begin(t->store, &err), &err);
    must(kd_task_writer_new(t->reg, packs.checks, &writer, &err), &err);
    must(kd_task_writer_add(writer, &found, &err), &err);
    must(kd_task_writer_finish(writer, &totals, &err), &err);
    must(kd_store_commit(t->store, &err), &err);
    kd_packs_done(&packs);
    kd_task task = the_task(t, "open");
    assert_int_equal(task.division, 0); /* nobody knows where: seen only without an area */
    must(resolve(t, task.id, KD_SAID_DIFFERENT, NULL, &result, &err), &err);
    assert_true(result.is_link_needed);
    assert_int_equal(number(t, "select count(*) from decision where kind = 'different_person' and undone_at is null"),
                     1);
    must(kd_task_reopen(t->reg, task.id, KD_STR("王小丽"), KD_STR("是一个人"), &result, &err), &err);
    assert_true(result.is_link_needed);
    must(resolve(t, task.id, KD_SAID_SAME, NULL, &result, &err), &err);
    assert_int_equal(number(t, "select count(*) from decision where kind = 'same_person' and undone_at is null"), 1);
    assert_int_equal(number(t, "select count(*) from decision where undone_at is null"), 1);
}

static void same_and_different_become_constraints(void **state)
{
    (void)state;
    run_on_both(pairs);
}

/* ---- a whole link run ---- */

enum { CROWD = 200, CROWD_SOURCES = 2 };

static void name_someone(int i, char name[32], char identity[19])
{
    static const char *const surnames[] = { "王", "李", "张", "刘", "高", "马", "白", "薛", "冯", "霍" };
    static const char *const given[] = { "建国", "秀英", "小红", "志强", "海燕", "文博",
                                         "雅婷", "子涵", "玉兰", "振华", "晓东" };
    snprintf(name, 32, "%s%s", surnames[i % 10], given[i % 11]);
    snprintf(identity, 19, "610829%04d%02d%02d%03d", 1950 + i % 60, 1 + i % 12, 1 + i % 28, i);
    identity[17] = kd_identity_check(identity);
    identity[18] = '\0';
}

static void add_crowd(town *t)
{
    static char names[CROWD][32], identities[CROWD][19];
    static const int sources[CROWD_SOURCES] = { POLICE, INSURER };
    kd_source_record records[CROWD];
    for (int s = 0; s < CROWD_SOURCES; s++) {
        for (int i = 0; i < CROWD; i++) {
            name_someone(i, names[i], identities[i]);
            records[i] = record(t, sources[s], KD_ROLE_SUBJECT, names[i], NULL);
            records[i].birth_day =
                kd_day_from_ymd((kd_ymd){ 1950 + i % 60, (uint8_t)(1 + i % 12), (uint8_t)(1 + i % 28) });
            records[i].identity_number = (kd_str){ identities[i], 18 };
            records[i].recorded_day = kd_today();
            records[i].sex = (int8_t)(i % 2 ? 1 : 2);
        }
        if (sources[s] == INSURER) records[7].birth_day += 3; /* with the identity number against it */
        if (sources[s] == INSURER) records[9].status = KD_STR("active");
        if (sources[s] == POLICE) records[7].birth_day += 3;
        if (sources[s] == POLICE) records[9].status = KD_STR("dead");
        if (sources[s] == POLICE) records[9].death_day = kd_today() - 200;
        store_records(t, records, CROWD);
    }
}

static int64_t open_of(town *t, const char *kind)
{
    kd_error err;
    int64_t count;
    must(kd_store_int(t->store, &err, &count, "select count(*) from task where state = 'open' and kind = $1",
                      KD_VALUES(kd_text_value(kd_str_of(kind)))),
         &err);
    return count;
}

static void links(town *t)
{
    kd_error err;
    kd_link_report report;
    kd_answer_result result;
    const kd_link_options options = { .is_full = true };
    add_crowd(t);
    kd_source_record newborn = record(t, HOSPITAL, KD_ROLE_CHILD, "", NULL);
    newborn.birth_day = kd_today() - 90;
    newborn.recorded_day = kd_today() - 80;
    store_records(t, &newborn, 1);
    must(kd_register_link(t->reg, &options, &report, &err), &err);
    assert_int_equal(open_of(t, "birth_day_differs"), 1);
    assert_int_equal(open_of(t, "dead_but_insured"), 1);
    assert_int_equal(open_of(t, "birth_known_to_hospital_only"), 1);
    assert_int_equal(report.tasks_open, list(t, "open", 0).count);
    assert_int_equal(report.tasks_opened, report.tasks_open);
    kd_task_page page = list(t, "open", 0);
    for (size_t i = 0; i < page.count; i++) {
        if (!kd_str_is(page.tasks[i].kind, "birth_day_differs")) continue;
        must(resolve(t, page.tasks[i].id, KD_SAID_VALUE, "1957-08-08", &result, &err), &err);
        must(kd_register_link(t->reg, &options, &report, &err), &err);
        assert_int_equal(report.changed, 0); /* what was applied at once is what the run derives */
        assert_int_equal(report.tasks_opened, 0);
        assert_int_equal(open_of(t, "birth_day_differs"), 0);
    }
    must(kd_register_link(t->reg, &options, &report, &err), &err);
    assert_int_equal(report.tasks_opened, 0);
    assert_int_equal(report.tasks_closed, 0);
}

static void a_link_run_makes_tasks_and_keeps_answers(void **state)
{
    (void)state;
    run_on_both(links);
}

/* ---- corrections ---- */

static kd_str read_text(town *t, const char *name)
{
    kd_error err;
    kd_str text;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", t->dir, name);
    must(kd_file_read(t->arena, path, 1 << 20, &text, &err), &err);
    return text;
}

static int64_t export(town *t, const char *name, bool again)
{
    kd_error err;
    int64_t count;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", t->dir, name);
    must(kd_correction_export(t->reg, KD_STR("birth_certificate"), path, again, &count, &err), &err);
    return count;
}

static void exports(town *t)
{
    kd_error err;
    kd_answer_result result;
    int64_t count;
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张小宝", "2020-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张小宝", "2020-06-06") };
    records[1].certificate_no = KD_STR("=1+2");
    records[1].handbook_no = KD_STR("HB-7788"); /* of a pregnancy: goes to nobody */
    records[1].birth_order = 2;
    records[1].marital_status = KD_STR("10");
    told person = { make_person(t, records, 2), records, 2 };
    assert_int_equal(export(t, "out.csv", false), 0);
    bring_up_to_date(t, &person, 1);
    must(resolve(t, the_task(t, "open").id, KD_SAID_VALUE, "2020-05-06", &result, &err), &err);
    assert_int_equal(export(t, "out.csv", false), 1);
    kd_str text = read_text(t, "out.csv");
    static const char *const wanted[] = { "\xef\xbb\xbf", "文件名", "2020-06-06", "2020-05-06", "出生日期",
                                          "张小宝",       "'=1+2",  "'=file.csv", "\r\n" };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (kd_str_find(text, kd_str_of(wanted[i])) < 0) fail_msg("'%s' is missing", wanted[i]);
    /* G3: nothing else of the person */
    assert_true(kd_str_find(text, KD_STR("HB-7788")) < 0);
    assert_true(kd_str_find(text, KD_STR("胎")) < 0 && kd_str_find(text, KD_STR("孩次")) < 0);
    assert_int_equal(export(t, "again.csv", false), 0); /* sent already */
    assert_int_equal(export(t, "again.csv", true), 1);
    kd_str again = read_text(t, "again.csv");
    assert_true(kd_str_eq(text, again));
    assert_int_equal(export(t, "out.xlsx", true), 1);
    assert_true(kd_str_starts(read_text(t, "out.xlsx"), KD_STR("PK")));
    assert_int_equal(kd_correction_export(t->reg, KD_STR("birth_certificate"), "x.txt", false, &count, &err),
                     KD_INVALID);
    assert_int_equal(kd_correction_export(t->reg, KD_STR("no_feed"), "x.csv", false, &count, &err), KD_NOT_FOUND);
    must(kd_task_reopen(t->reg, the_task(t, "resolved").id, KD_STR("王小丽"), KD_STR("写错了"), &result, &err), &err);
    assert_int_equal(number(t, "select count(*) from correction"), 1); /* what was sent stays on record */
}

static void a_department_is_sent_its_corrections_once(void **state)
{
    (void)state;
    run_on_both(exports);
}

/* ---- looking ---- */

static void looks(town *t)
{
    kd_error err;
    kd_person_view view;
    kd_person_brief *found;
    kd_person_event *events;
    size_t count;
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06") };
    records[0].identity_number = KD_STR("610829198005060018");
    int64_t id = make_person(t, records, 2);
    told person = { id, records, 2 };
    bring_up_to_date(t, &person, 1);
    must(kd_person_view_load(t->reg, id, t->arena, &view, &err), &err);
    assert_int_equal(view.link_count, 2);
    assert_int_equal(view.task_count, 1);
    assert_int_equal(view.attribute_count, KD_ATTR_COUNT);
    const kd_attribute_view *birth = &view.attributes[KD_ATTR_BIRTH_DAY];
    assert_int_equal(birth->count, 2);
    assert_true(birth->is_conflict);
    assert_true(birth->values[0].is_chosen && birth->values[0].by_identity);
    assert_true(kd_str_is(birth->values[0].value, "1980-05-06"));
    assert_int_equal(birth->values[0].holder_count, 1);
    assert_true(kd_str_is(birth->values[0].holders[0].source.feed, "household_registration"));
    static const struct {
        const char *name, *identity, *initials;
        int64_t division;
        size_t count;
    } cases[] = { { "张伟", NULL, NULL, 0, 1 },
                  { " 张 伟 ", NULL, NULL, 610829000000, 1 },
                  { "張偉", NULL, NULL, 610800000000, 1 },
                  { "张伟", NULL, NULL, 610802000000, 0 },
                  { NULL, NULL, "zw", 0, 1 },
                  { "李娜", NULL, NULL, 0, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kd_person_query query = { kd_str_of(cases[i].name), kd_str_of(cases[i].identity),
                                        kd_str_of(cases[i].initials), cases[i].division, 10 };
        must(kd_person_search(t->reg, &query, t->arena, &found, &count, &err), &err);
        if (count != cases[i].count) fail_msg("search %zu found %zu", i, count);
    }
    const kd_person_query nothing = { .limit = 10 };
    assert_int_equal(kd_person_search(t->reg, &nothing, t->arena, &found, &count, &err), KD_INVALID);
    must(kd_person_history(t->reg, id, t->arena, &events, &count, &err), &err);
    assert_true(count > 0);
    assert_int_equal(kd_person_view_load(t->reg, 99, t->arena, &view, &err), KD_NOT_FOUND);
}

static void a_person_is_shown_with_every_value_and_its_source(void **state)
{
    (void)state;
    run_on_both(looks);
}

static void copes(town *t)
{
    kd_source_record records[] = { record(t, POLICE, KD_ROLE_SUBJECT, "张伟", "1980-05-06"),
                                   record(t, OFFICE, KD_ROLE_CHILD, "张伟", "1980-06-06") };
    int64_t id = make_person(t, records, 2);
    kd_error err;
    bool was_short = false, was_enough = false;
    for (size_t bytes = 0; bytes < 1 << 20; bytes = bytes * 2 + 64) {
        kd_arena *arena = kd_arena_new(bytes);
        kd_person_view view;
        kd_status status = kd_person_view_load(t->reg, id, arena, &view, &err);
        assert_true(status == KD_OK || status == KD_LIMIT);
        was_short |= status == KD_LIMIT;
        was_enough |= status == KD_OK;
        kd_arena_free(arena);
    }
    assert_true(was_short && was_enough);
}

static void looking_at_a_person_survives_every_limit(void **state)
{
    (void)state;
    run_on_both(copes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_opened_kept_closed_and_opened_again),
        cmocka_unit_test(tasks_are_found_by_the_area_that_can_settle_them),
        cmocka_unit_test(pages_show_every_task_once),
        cmocka_unit_test(an_answer_is_applied_at_once_and_outlives_the_next_run),
        cmocka_unit_test(an_answer_can_be_taken_back),
        cmocka_unit_test(an_answer_that_cannot_be_right_changes_nothing),
        cmocka_unit_test(whoever_was_wrong_about_a_death_is_told),
        cmocka_unit_test(same_and_different_become_constraints),
        cmocka_unit_test(a_link_run_makes_tasks_and_keeps_answers),
        cmocka_unit_test(a_department_is_sent_its_corrections_once),
        cmocka_unit_test(a_person_is_shown_with_every_value_and_its_source),
        cmocka_unit_test(looking_at_a_person_survives_every_limit),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
