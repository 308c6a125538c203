#include "register/register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A village of invented people, told of by three sources; run on both databases. */

enum { PEOPLE = 300, SOURCES = 3 };

typedef struct {
    char dir[64];
    char url[512]; /* "" is SQLite */
    kd_register *reg;
    int64_t record_of[PEOPLE][SOURCES];
} village;

static void must(kd_status status, const kd_error *err)
{
    if (status == KD_OK) return;
    char text[1200];
    kd_error_text(err, text, sizeof text);
    fail_msg("%s", text);
}

/* A fresh schema of the server that the check script started. */
static void fresh_schema(village *v)
{
    static int count;
    const char *server = getenv("KINDRED_TEST_POSTGRES");
    if (!server) fail_msg("KINDRED_TEST_POSTGRES is not set: run the tests under scripts/with_postgres.sh");
    kd_error err;
    kd_store *store;
    char sql[128], schema[64];
    snprintf(schema, sizeof schema, "register_%d_%d", (int)getpid(), ++count);
    must(kd_store_open(server, true, &store, &err), &err);
    snprintf(sql, sizeof sql, "create schema %s", schema);
    must(kd_store_exec(store, &err, NULL, sql, KD_NO_VALUES), &err);
    kd_store_close(store);
    snprintf(v->url, sizeof v->url, "%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?', schema);
}

static void remove_folder(const char *dir)
{
    char path[128];
    static const char *const names[] = { "register.db",  "register.db-wal", "register.db-shm",
                                         "kindred.yaml", "nodes.lock",      "archive" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    rmdir(dir);
}

static void identity_of(int person, char out[19])
{
    snprintf(out, 19, "610829%04d%02d%02d%03d", 1950 + person % 60, 1 + person % 12, 1 + person % 28, person);
    out[17] = kd_identity_check(out);
    out[18] = '\0';
}

static const char *const SURNAMES[] = { "王", "李", "张", "刘", "高", "马", "白", "薛" };
static const char *const GIVEN[] = { "建国", "秀英", "小红", "志强", "海燕", "文博",
                                     "雅婷", "子涵", "玉兰", "振华", "晓东" };

static void fill_record(int person, int source, kd_source_record *r, char identity[19], char name[32], char phone[16])
{
    identity_of(person, identity);
    snprintf(name, 32, "%s%s%s", SURNAMES[person % 8], GIVEN[person % 11], person % 3 ? "" : "平");
    snprintf(phone, 16, "139%08d", person * 37);
    kd_ymd birth = { 1950 + person % 60, (uint8_t)(1 + person % 12), (uint8_t)(1 + person % 28) };
    *r = (kd_source_record){ .source_id = source + 1,
                             .row_no = person + 1,
                             .role = KD_ROLE_SUBJECT,
                             .name = kd_str_of(name),
                             .sex = (int8_t)(person % 2 ? 1 : 2),
                             .birth_day = kd_day_from_ymd(birth),
                             .identity_number = { identity, 18 },
                             .phone = kd_str_of(phone),
                             .division = 610829101201 + person % 5,
                             .death_day = KD_DAY_NONE,
                             .event_day = KD_DAY_NONE,
                             .recorded_day = 18000 + source };
    if (source == 1 && person % 50 == 0) r->birth_day += 1; /* a disagreement */
    if (source == 2 && person % 7 == 0) r->identity_number = (kd_str){ NULL, 0 };
}

static void write_source(village *v, int source)
{
    static const char *const feeds[SOURCES] = { "household_registration", "population_statistics", "rural_insurance" };
    kd_error err;
    int32_t source_id;
    kd_record_writer *writer;
    kd_store *store = kd_register_store(v->reg);
    kd_batch batch = { .id = kd_register_next_id(v->reg),
                       .file_name = kd_str_of(feeds[source]),
                       .feed_version = KD_STR("1"),
                       .content_hash = kd_str_of(feeds[source]),
                       .rows_seen = PEOPLE,
                       .records = PEOPLE,
                       .received_at = kd_now_us(),
                       .as_of_day = KD_DAY_NONE };
    must(kd_store_begin(store, &err), &err);
    must(kd_source_ensure(
             v->reg, kd_str_of(feeds[source]),
             &(kd_source_words){ KD_STR("甲"), KD_STR("a"), KD_STR("乙"), KD_STR("b"), KD_STR("到"), KD_STR("came") },
             &source_id, &err),
         &err);
    for (int i = 0; i < PEOPLE; i++) v->record_of[i][source] = kd_register_next_id(v->reg);
    batch.source_id = source_id;
    batch.first_record = v->record_of[0][source];
    batch.last_record = v->record_of[PEOPLE - 1][source];
    must(kd_batch_add(v->reg, &batch, &err), &err);
    must(kd_record_writer_new(v->reg, &writer, &err), &err);
    for (int i = 0; i < PEOPLE; i++) {
        kd_source_record r;
        char identity[19], name[32], phone[16];
        fill_record(i, source, &r, identity, name, phone);
        r.id = v->record_of[i][source];
        r.batch_id = batch.id;
        r.source_id = source_id;
        must(kd_record_write(writer, &r, &err), &err);
    }
    must(kd_record_writer_finish(writer, &err), &err);
    must(kd_store_commit(store, &err), &err);
}

static void open_village(village *v, bool is_postgres, int sources)
{
    kd_error err;
    *v = (village){ .dir = "/tmp/kd_register_XXXXXX" };
    assert_non_null(mkdtemp(v->dir));
    if (is_postgres) fresh_schema(v);
    must(kd_register_init(v->dir, is_postgres ? v->url : NULL, NULL, &err), &err);
    must(kd_register_open(v->dir, false, &v->reg, &err), &err);
    for (int i = 0; i < sources; i++) write_source(v, i);
}

static void close_village(village *v)
{
    kd_register_close(v->reg);
    remove_folder(v->dir);
}

static kd_link_report link_now(village *v)
{
    kd_error err;
    kd_link_report report;
    kd_link_options options = { 0 };
    must(kd_register_link(v->reg, &options, &report, &err), &err);
    must(kd_register_check(v->reg, &err), &err);
    return report;
}

static int64_t ask(village *v, const char *sql, int64_t value)
{
    kd_error err;
    int64_t answer = 0;
    must(kd_store_int(kd_register_store(v->reg), &err, &answer, sql, KD_VALUES(kd_int(value))), &err);
    return answer;
}

static int64_t person_of(village *v, int64_t record)
{
    return ask(v, "select person_id from link where source_record_id = $1", record);
}

static int64_t decide(village *v, const char *kind, int64_t a, int64_t b)
{
    kd_error err;
    int64_t id = kd_register_next_id(v->reg);
    must(
        kd_store_exec(
            kd_register_store(v->reg), &err, NULL,
            "insert into decision (id, kind, record_a, record_b, decided_by, decided_at) values ($1, $2, $3, $4, $5, $6)",
            KD_VALUES(kd_int(id), kd_text_value(kd_str_of(kind)), kd_int(a), kd_int(b), kd_text_value(KD_STR("张村医")),
                      kd_int(kd_now_us()))),
        &err);
    return id;
}

static void undo(village *v, int64_t decision)
{
    kd_error err;
    must(kd_store_exec(kd_register_store(v->reg), &err, NULL,
                       "update decision set undone_at = $2, undone_by = 'x' where id = $1",
                       KD_VALUES(kd_int(decision), kd_int(kd_now_us()))),
         &err);
}

static void one_person_each(village *v)
{
    kd_link_report report = link_now(v);
    assert_true(report.was_needed);
    assert_int_equal(report.records, PEOPLE * SOURCES);
    assert_int_equal(report.persons, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) {
        assert_int_equal(person_of(v, v->record_of[i][0]), person_of(v, v->record_of[i][1]));
        assert_int_equal(person_of(v, v->record_of[i][0]), person_of(v, v->record_of[i][2]));
    }
    assert_int_equal(report.conflicts, PEOPLE / 50); /* the birth dates that disagree */
}

static void linking_again_changes_nothing(village *v)
{
    kd_link_report first = link_now(v), second = link_now(v);
    assert_true(first.was_needed);
    assert_false(second.was_needed);
    int64_t person = person_of(v, v->record_of[7][0]),
            events = ask(v, "select count(*) from person_event where id > $1", 0);
    kd_error err;
    kd_link_report third;
    kd_link_options full = { .is_full = true };
    must(kd_register_link(v->reg, &full, &third, &err), &err);
    assert_int_equal(third.created + third.merged + third.split + third.changed, 0);
    assert_int_equal(person_of(v, v->record_of[7][0]), person);
    assert_int_equal(ask(v, "select count(*) from person_event where id > $1", 0), events);
}

static void ids_stay_when_a_source_comes_later(village *v)
{
    link_now(v);
    int64_t before[PEOPLE];
    for (int i = 0; i < PEOPLE; i++) before[i] = person_of(v, v->record_of[i][0]);
    write_source(v, 2);
    kd_link_report report = link_now(v);
    assert_int_equal(report.created, 0);
    assert_int_equal(report.persons, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) assert_int_equal(person_of(v, v->record_of[i][2]), before[i]);
}

static void a_split_is_remembered_and_taken_back(village *v)
{
    link_now(v);
    int64_t person = person_of(v, v->record_of[3][0]);
    int64_t one = decide(v, "different_person", v->record_of[3][0], v->record_of[3][2]);
    int64_t two = decide(v, "different_person", v->record_of[3][1], v->record_of[3][2]);
    kd_link_report report = link_now(v);
    assert_int_equal(report.split, 1);
    assert_int_equal(report.created, 1);
    int64_t other = person_of(v, v->record_of[3][2]);
    assert_int_equal(person_of(v, v->record_of[3][0]), person);
    assert_int_not_equal(other, person);
    assert_int_equal(ask(v, "select count(*) from person_event where kind = 'split_from' and person_id = $1", other),
                     1);
    undo(v, one);
    undo(v, two);
    report = link_now(v);
    assert_int_equal(report.merged, 1);
    assert_int_equal(person_of(v, v->record_of[3][2]), person);
    assert_int_equal(ask(v, "select merged_into from person where id = $1", other), person);
}

static void a_merge_taken_back_gives_the_old_person_back(village *v)
{
    link_now(v);
    int64_t kept = person_of(v, v->record_of[10][0]), lost = person_of(v, v->record_of[11][0]);
    int64_t decision = decide(v, "same_person", v->record_of[10][0], v->record_of[11][0]);
    kd_link_report report = link_now(v);
    assert_int_equal(report.persons, PEOPLE - 1);
    int64_t both = person_of(v, v->record_of[11][0]);
    assert_int_equal(both, person_of(v, v->record_of[10][0]));
    assert_true(both == kept || both == lost);
    undo(v, decision);
    report = link_now(v);
    assert_int_equal(report.persons, PEOPLE);
    assert_int_equal(report.created, 0);
    assert_int_equal(person_of(v, v->record_of[10][0]), kept);
    assert_int_equal(person_of(v, v->record_of[11][0]), lost);
    assert_int_equal(ask(v, "select count(*) from person where state = 'active' and id = $1", lost), 1);
}

static void a_decided_value_outlives_linking(village *v)
{
    kd_error err;
    link_now(v);
    int64_t person = person_of(v, v->record_of[50][0]);
    must(
        kd_store_exec(kd_register_store(v->reg), &err, NULL,
                      "insert into decision (id, kind, record_a, attribute, value, decided_by, decided_at) "
                      "values ($1, 'value', $2, 'birth_day', '1999-09-09', 'x', $3)",
                      KD_VALUES(kd_int(kd_register_next_id(v->reg)), kd_int(v->record_of[50][1]), kd_int(kd_now_us()))),
        &err);
    kd_link_report report = link_now(v);
    int32_t day;
    assert_true(kd_day_parse(KD_STR("1999-09-09"), &day));
    assert_int_equal(ask(v, "select birth_day from person where id = $1", person), day);
    assert_int_equal(report.changed, 1);
    assert_int_equal(ask(v, "select count(*) from person_event where kind = 'value' and person_id = $1", person), 1);
    write_source(v, 2);
    link_now(v);
    assert_int_equal(ask(v, "select birth_day from person where id = $1", person), day);
}

static void run_on_both(void (*test)(village *), int sources)
{
    for (int is_postgres = 0; is_postgres < 2; is_postgres++) {
        village *v = calloc(1, sizeof *v);
        open_village(v, is_postgres, sources);
        test(v);
        close_village(v);
        free(v);
    }
}

#define ON_BOTH(name, sources)            \
    static void test_##name(void **state) \
    {                                     \
        (void)state;                      \
        run_on_both(name, sources);       \
    }
ON_BOTH(one_person_each, 3)
ON_BOTH(linking_again_changes_nothing, 3)
ON_BOTH(ids_stay_when_a_source_comes_later, 2)
ON_BOTH(a_split_is_remembered_and_taken_back, 3)
ON_BOTH(a_merge_taken_back_gives_the_old_person_back, 3)
ON_BOTH(a_decided_value_outlives_linking, 2)

static void a_folder_in_use_is_refused(void **state)
{
    (void)state;
    kd_error err;
    char dir[] = "/tmp/kd_register_XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    must(kd_register_init(dir, NULL, NULL, &err), &err);
    assert_int_equal(kd_register_init(dir, NULL, NULL, &err), KD_CONFLICT);
    assert_string_equal(err.message, "a register stands here already");
    snprintf(path, sizeof path, "%s/kindred.yaml", dir);
    assert_int_equal(unlink(path), 0);
    must(kd_register_init(dir, NULL, NULL, &err), &err); /* what an interrupted init left is made anew */
    remove_folder(dir);
    kd_register *reg;
    assert_int_equal(kd_register_open(dir, false, &reg, &err), KD_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_in_use_is_refused),
        cmocka_unit_test(test_one_person_each),
        cmocka_unit_test(test_linking_again_changes_nothing),
        cmocka_unit_test(test_ids_stay_when_a_source_comes_later),
        cmocka_unit_test(test_a_split_is_remembered_and_taken_back),
        cmocka_unit_test(test_a_merge_taken_back_gives_the_old_person_back),
        cmocka_unit_test(test_a_decided_value_outlives_linking),
    };
    return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
