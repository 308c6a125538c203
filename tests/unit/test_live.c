#include "register_place.h"

/* What is declared at a counter, beside the link run that is the slow and obvious way to the same register. */

enum { DUMP_BYTES_MAX = 16 << 20 };

/* ---- a register as text ---- */

/* All that is derived. Weights and peers are left out: the model tells them, and only a run has it. */
static const char *const DERIVED[] = {
    ("select id, state, name, name_pinyin, name_initials, sex, birth_day, birth_kind, death_day, identity_number, phone, "
     "division, address, hukou_division, household_no, ethnicity, marital_status, education, records, conflicts "
     "from person where state = 'active' order by id"),
    ("select person_id, source_record_id, decided from link order by person_id, source_record_id"),
    ("select person_id, kind, other_id, records, source_record_id, is_chosen from relation "
     "order by person_id, kind, other_id"),
    ("select kind, value, person_id from person_identifier order by kind, value, person_id"),
};

static kd_str dump(place *p)
{
    kd_error err;
    kd_buf text;
    kd_buf_init(&text, DUMP_BYTES_MAX);
    for (size_t i = 0; i < sizeof DERIVED / sizeof DERIVED[0]; i++) {
        kd_rows *rows;
        bool has_row;
        must(kd_store_query(p->store, &err, &rows, DERIVED[i], KD_NO_VALUES), &err);
        for (;;) {
            must(kd_rows_next(rows, &has_row, &err), &err);
            if (!has_row) break;
            for (size_t c = 0; c < kd_rows_columns(rows); c++) {
                kd_buf_str(&text, kd_rows_text(rows, c));
                kd_buf_char(&text, '|');
            }
            kd_buf_char(&text, '\n');
        }
        kd_rows_close(rows);
    }
    kd_buf_char(&text, '\0');
    kd_str copy = kd_arena_str(p->arena, kd_buf_view(&text));
    assert_non_null(copy.ptr);
    kd_buf_done(&text);
    return copy;
}

static void same_as(kd_str before, kd_str now)
{
    if (kd_str_eq(before, now)) return;
    size_t at = 0;
    while (at < before.len && at < now.len && before.ptr[at] == now.ptr[at]) at++;
    while (at > 0 && before.ptr[at - 1] != '\n') at--;
    fail_msg("before: %.200s\nnow: %.200s", before.ptr + at, now.ptr + at);
}

/* ---- declaring ---- */

static kd_declared villager(place *p, int who, kd_role role)
{
    kd_declared d = { .record = empty_record(role), .person_id = person_of(p, p->record_of[who]), .row = 1 };
    char name[32], number[19];
    villager_name(who, name);
    villager_identity(who, number);
    d.record.name = kd_arena_str(p->arena, kd_str_of(name));
    d.record.identity_number = kd_arena_str(p->arena, kd_str_of(number));
    d.record.division = VILLAGE;
    d.record.recorded_day = 20000;
    return d;
}

static kd_declared child(place *p, const char *name, int sex, int32_t birth_day, const char *handbook)
{
    kd_declared d = { .record = empty_record(KD_ROLE_CHILD), .row = 1 };
    d.record.name = kd_arena_str(p->arena, kd_str_of(name));
    d.record.sex = (int8_t)sex;
    d.record.birth_day = birth_day;
    d.record.handbook_no = kd_arena_str(p->arena, kd_str_of(handbook));
    d.record.division = VILLAGE;
    d.record.event_day = d.record.recorded_day = 20000;
    return d;
}

static void declare_with(kd_register *reg, kd_declared *declared, size_t count)
{
    kd_error err;
    must(kd_store_begin(kd_register_store(reg), &err), &err);
    must(kd_register_declare(reg, KD_STR("birth_counter"), declared, count, KD_STR("窗口员"), &err), &err);
    must(kd_store_commit(kd_register_store(reg), &err), &err);
}

static void withdraw_with(kd_register *reg, const int64_t *records, size_t count)
{
    kd_error err;
    must(kd_store_begin(kd_register_store(reg), &err), &err);
    must(kd_register_withdraw(reg, records, count, KD_STR("窗口员"), KD_STR("重复登记"), &err), &err);
    must(kd_store_commit(kd_register_store(reg), &err), &err);
}

FACT(a_declared_birth_is_there_at_once)
{
    kd_error err;
    kd_declared d[] = { child(p, "王小宝", 1, 19990, "61082920260001"), villager(p, 0, KD_ROLE_MOTHER),
                        villager(p, 1, KD_ROLE_FATHER) };
    int64_t events = ask(p, "select count(*) from person_event where id > $1", 0);
    declare_with(p->reg, d, 3);
    must(kd_register_check(p->reg, &err), &err);
    assert_int_equal(ask(p,
                         "select count(*) from person where id = $1 and state = 'active' and records = 1 and "
                         "name = '王小宝' and name_pinyin = 'wang xiaobao' and name_initials = 'wxb' and version = 1",
                         d[0].person_id),
                     1);
    assert_int_equal(person_of(p, d[0].record.id), d[0].person_id);
    assert_int_equal(person_of(p, d[1].record.id), person_of(p, p->record_of[0]));
    assert_int_equal(ask(p, "select other_id from relation where person_id = $1 and kind = 'mother'", d[0].person_id),
                     d[1].person_id);
    assert_int_equal(ask(p, "select other_id from relation where person_id = $1 and kind = 'child'", d[2].person_id),
                     d[0].person_id);
    assert_int_equal(ask(p,
                         "select person_id from person_identifier where kind = 'handbook_no' and value <> '' "
                         "and person_id = $1",
                         d[0].person_id),
                     d[0].person_id);
    /* the child was made; of the parents only the residence of one changed */
    assert_int_equal(ask(p, "select count(*) from person_event where person_id = $1", d[0].person_id), 1);
    assert_in_range(ask(p, "select count(*) from person_event where id > $1", 0) - events, 1, 3);
}

FACT(the_next_run_leaves_all_of_it)
{
    kd_declared d[] = { child(p, "王小宝", 1, 19990, "61082920260001"), child(p, "王小贝", 2, 19990, "61082920260002"),
                        villager(p, 0, KD_ROLE_MOTHER), villager(p, 1, KD_ROLE_FATHER) };
    d[0].record.birth_order = 1;
    d[1].record.birth_order = 2;
    declare_with(p->reg, d, 4);
    kd_str before = dump(p);
    kd_link_report report = link_now(p, false);
    assert_true(report.was_needed);
    assert_int_equal(report.created + report.merged + report.split + report.changed, 0);
    same_as(before, dump(p));
    assert_false(link_now(p, false).was_needed);
}

FACT(a_hospital_that_reports_later_means_the_same_child)
{
    kd_declared d[] = { child(p, "高星辰", 1, 19990, "61082920260001"), villager(p, 4, KD_ROLE_MOTHER) };
    declare_with(p->reg, d, 2);
    d[0].record.row_no = d[1].record.row_no = 1;
    kd_source_record told[] = { d[0].record, d[1].record };
    import_records(p, "hospital_delivery", told, 2);
    link_now(p, false);
    assert_int_equal(person_of(p, told[0].id), d[0].person_id);
    assert_int_equal(person_of(p, told[1].id), d[1].person_id);
    assert_int_equal(ask(p, "select records from relation where person_id = $1 and kind = 'mother'", d[0].person_id),
                     2);
}

static kd_source_record twin(place *p, const char *name, const char *certificate, int birth_order)
{
    kd_source_record record = child(p, name, 1, 19990, "").record;
    record.handbook_no = (kd_str){ NULL, 0 };
    record.certificate_no = kd_arena_str(p->arena, kd_str_of(certificate));
    record.birth_order = (int16_t)birth_order;
    if (!name[0]) record.name = (kd_str){ NULL, 0 };
    return record;
}

/* Named or not yet, with and without the order they came in: declared, and then told of by a hospital, too. */
FACT(declared_twins_with_certificates_of_their_own_stay_two)
{
    static const struct {
        const char *names[2];
        int orders[2];
    } cases[] = {
        { { "高星辰", "高星月" }, { 1, 2 } },
        { { "高星辰", "高星月" }, { 0, 0 } },
        { { "", "" }, { 1, 2 } },
        { { "", "" }, { 0, 0 } },
        { { "高大宝", "高大宝" }, { 0, 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_declared d[3] = { 0 };
        for (int k = 0; k < 2; k++) {
            char certificate[16];
            snprintf(certificate, sizeof certificate, "Z61%07d", (int)i * 2 + k);
            d[k] = (kd_declared){ .record = twin(p, cases[i].names[k], certificate, cases[i].orders[k]), .row = 1 };
            d[k].record.birth_day -= 400 * (int32_t)i;
        }
        d[2] = villager(p, (int)i * 2, KD_ROLE_MOTHER);
        declare_with(p->reg, d, 3);
        assert_int_not_equal(d[0].person_id, d[1].person_id);
        (void)link_now(p, i % 2);
        assert_int_equal(person_of(p, d[0].record.id), d[0].person_id);
        assert_int_equal(person_of(p, d[1].record.id), d[1].person_id);
        kd_source_record told[] = { d[0].record, d[2].record, d[1].record, d[2].record };
        told[0].row_no = told[1].row_no = 1;
        told[2].row_no = told[3].row_no = 2;
        import_records(p, "hospital_delivery", told, 4);
        (void)link_now(p, i % 2);
        assert_int_equal(person_of(p, told[0].id), d[0].person_id);
        assert_int_equal(person_of(p, told[2].id), d[1].person_id);
    }
}

FACT(what_is_withdrawn_leaves_nothing_behind)
{
    kd_error err;
    kd_str before = dump(p);
    kd_declared d[] = { child(p, "王小宝", 1, 19990, "61082920260001"), villager(p, 0, KD_ROLE_MOTHER) };
    d[1].record.phone = KD_STR("13900000999");
    declare_with(p->reg, d, 2);
    assert_false(kd_str_eq(before, dump(p)));
    const int64_t records[] = { d[0].record.id, d[1].record.id };
    withdraw_with(p->reg, records, 2);
    must(kd_register_check(p->reg, &err), &err);
    same_as(before, dump(p));
    assert_int_equal(ask(p, "select count(*) from person where id = $1 and state = 'retired'", d[0].person_id), 1);
    assert_int_equal(ask(p,
                         "select count(*) from person_event where person_id = $1 and kind = 'retired' "
                         "and new_value = '重复登记'",
                         d[0].person_id),
                     1);
    link_now(p, false);
    same_as(before, dump(p));
    assert_int_equal(kd_register_withdraw(p->reg, records, 1, KD_STR("x"), KD_STR("y"), &err), KD_CONFLICT);
    assert_int_equal(kd_register_withdraw(p->reg, p->record_of, 1, KD_STR("x"), KD_STR("y"), &err), KD_NOT_FOUND);
    must(kd_store_begin(p->store, &err), &err); /* nobody is declared to be one who is no more */
    assert_int_equal(kd_register_declare(p->reg, KD_STR("birth_counter"), d, 1, KD_STR("x"), &err), KD_CONFLICT);
    kd_store_rollback(p->store);
}

FACT(what_is_not_right_is_refused_whole)
{
    kd_error err;
    kd_str before = dump(p);
    kd_declared same[] = { villager(p, 0, KD_ROLE_MOTHER), villager(p, 0, KD_ROLE_FATHER) };
    kd_declared nobody = { .record = empty_record(KD_ROLE_CHILD), .person_id = 12345 };
    assert_int_equal(kd_register_declare(p->reg, KD_STR("birth_counter"), same, 2, KD_STR("x"), &err), KD_INVALID);
    assert_int_equal(kd_register_declare(p->reg, KD_STR("birth_counter"), same, 1, KD_STR(""), &err), KD_INVALID);
    assert_int_equal(kd_register_declare(p->reg, KD_STR("birth_counter"), same, 0, KD_STR("x"), &err), KD_LIMIT);
    assert_int_equal(kd_register_declare(p->reg, KD_STR("../feed"), same, 1, KD_STR("x"), &err), KD_INVALID);
    must(kd_store_begin(p->store, &err), &err);
    assert_int_equal(kd_register_declare(p->reg, KD_STR("birth_counter"), &nobody, 1, KD_STR("x"), &err), KD_NOT_FOUND);
    kd_store_rollback(p->store);
    same_as(before, dump(p));
}

/* ---- beside a run ---- */

typedef struct {
    place *p;
    kd_register *counter;
    void (*act)(place *p, kd_register *counter);
    bool is_done;
} interruption;

static void interrupt(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    interruption *i = ctx;
    (void)done;
    (void)total;
    if (i->is_done || strcmp(stage, "read") == 0 || strcmp(stage, "persons") == 0) return;
    i->is_done = true;
    i->act(i->p, i->counter);
}

static kd_status link_interrupted(place *p, void (*act)(place *p, kd_register *counter), kd_error *err)
{
    interruption i = { .p = p, .act = act };
    const kd_progress progress = { .ctx = &i, .report = interrupt };
    const kd_link_options options = { .is_full = true, .progress = &progress };
    kd_link_report report;
    kd_error other;
    must(kd_register_attach(p->reg, &i.counter, &other), &other);
    kd_status status = kd_register_link(p->reg, &options, &report, err);
    kd_register_close(i.counter);
    assert_true(i.is_done);
    return status;
}

/* After the run everything is as if it had come after: a run that reads it finds nothing to change. */
static void carried_over(place *p, void (*act)(place *p, kd_register *counter))
{
    kd_error err;
    must(link_interrupted(p, act, &err), &err);
    must(kd_register_check(p->reg, &err), &err);
    kd_str before = dump(p);
    kd_link_report report = link_now(p, false);
    assert_true(report.was_needed);
    assert_int_equal(report.created + report.merged + report.split, 0);
    same_as(before, dump(p));
}

static int64_t late_records[8];

static void declare_a_birth(place *p, kd_register *counter)
{
    kd_declared d[] = { child(p, "薛明月", 2, 19991, "61082920260009"), villager(p, 6, KD_ROLE_MOTHER),
                        villager(p, 7, KD_ROLE_FATHER) };
    d[1].record.phone = KD_STR("13911112222");
    declare_with(counter, d, 3);
    for (size_t i = 0; i < 3; i++) late_records[i] = d[i].record.id;
    kd_declared next[] = { child(p, "薛明星", 1, 19391, "61082920260010"), d[1] };
    declare_with(counter, next, 2);
    late_records[3] = next[0].record.id;
}

static void withdraw_it(place *p, kd_register *counter)
{
    (void)p;
    withdraw_with(counter, late_records, 3);
}

FACT(what_is_declared_beside_a_run_is_kept)
{
    carried_over(p, declare_a_birth);
    assert_int_equal(person_of(p, late_records[1]), person_of(p, p->record_of[6]));
    assert_int_equal(ask(p,
                         "select other_id from relation where person_id = (select person_id from link where "
                         "source_record_id = $1) and kind = 'mother'",
                         late_records[3]),
                     person_of(p, p->record_of[6]));
    carried_over(p, withdraw_it);
    assert_int_equal(ask(p, "select count(*) from link where source_record_id = $1", late_records[0]), 0);
}

static int64_t decide(kd_register *reg, const char *kind, int64_t a, int64_t b)
{
    kd_error err;
    int64_t id = kd_register_next_id(reg);
    bool is_value = strcmp(kind, "value") == 0;
    must(kd_store_exec(kd_register_store(reg), &err, NULL,
                       "insert into decision (id, kind, record_a, record_b, attribute, value, decided_by, decided_at) "
                       "values ($1, $2, $3, $4, $5, $6, 'x', $7)",
                       KD_VALUES(kd_int(id), kd_text_value(kd_str_of(kind)), kd_int(a), kd_int(b),
                                 is_value ? kd_text_value(KD_STR("birth_day")) : KD_NULL,
                                 is_value ? kd_text_value(KD_STR("1999-09-09")) : KD_NULL, kd_int(kd_now_us()))),
         &err);
    return id;
}

FACT(a_declared_record_goes_where_the_run_puts_its_person)
{
    decide(p->reg, "same_person", p->record_of[6], p->record_of[8]);
    int64_t one = person_of(p, p->record_of[6]), other = person_of(p, p->record_of[8]);
    carried_over(p, declare_a_birth);
    int64_t both = person_of(p, p->record_of[6]);
    assert_true(both == one || both == other);
    assert_int_equal(person_of(p, p->record_of[8]), both);
    assert_int_equal(person_of(p, late_records[1]), both);
    assert_int_equal(ask(p, "select count(*) from link where source_record_id = $1", late_records[1]), 1);
}

static void settle_a_value(place *p, kd_register *counter)
{
    decide(counter, "value", p->record_of[9], 0);
}

static void part_two(place *p, kd_register *counter)
{
    decide(counter, "different_person", p->record_of[9], p->record_of[10]);
}

static kd_source_record arriving;
static void import_one(place *p, kd_register *counter)
{
    place other = *p;
    other.reg = counter;
    other.store = kd_register_store(counter);
    arriving = empty_record(KD_ROLE_SUBJECT);
    arriving.name = KD_STR("白云生");
    import_records(&other, "school_roll", &arriving, 1);
}

FACT(values_settled_beside_a_run_count_and_other_words_stop_it)
{
    kd_error err;
    int32_t day;
    must(link_interrupted(p, settle_a_value, &err), &err);
    assert_true(kd_day_parse(KD_STR("1999-09-09"), &day));
    assert_int_equal(ask(p, "select birth_day from person where id = $1", person_of(p, p->record_of[9])), day);
    kd_str before = dump(p);
    assert_int_equal(link_interrupted(p, part_two, &err), KD_CONFLICT);
    same_as(before, dump(p));
    assert_int_equal(link_interrupted(p, import_one, &err), KD_CONFLICT);
    same_as(before, dump(p));
}

/* ---- many, at random ---- */

static void declare_at_random(place *p, kd_rng *rng, int step, int64_t *out_records, size_t *out_count)
{
    static const char *const first[] = { "一", "若", "浩", "梓", "沐", "语" };
    static const char *const second[] = { "诺", "曦", "然", "睿" };
    char name[32], handbook[32];
    int mother = (int)kd_rng_below(rng, VILLAGERS / 2) * 2, father = (int)kd_rng_below(rng, VILLAGERS / 2) * 2 + 1;
    bool has_father = kd_rng_below(rng, 3) > 0, is_twin = kd_rng_below(rng, 4) == 0;
    snprintf(name, sizeof name, "窦%s%s", first[step % 6], second[step / 6]);
    snprintf(handbook, sizeof handbook, "6108292026%04d", step);
    kd_declared d[4];
    size_t n = 0;
    d[n++] = child(p, name, 1, 9000 + 400 * step, handbook);
    handbook[0] = '7';
    if (is_twin) d[n++] = child(p, name, 2, 9000 + 400 * step, handbook);
    d[n++] = villager(p, mother, KD_ROLE_MOTHER);
    if (has_father) d[n++] = villager(p, father, KD_ROLE_FATHER);
    declare_with(p->reg, d, n);
    for (size_t i = 0; i < n; i++) out_records[i] = d[i].record.id;
    *out_count = n;
}

FACT(any_order_of_declaring_and_withdrawing_ends_where_a_run_does)
{
    enum { STEPS = 24 };
    static int64_t records[STEPS][4];
    size_t counts[STEPS] = { 0 };
    kd_rng rng;
    kd_rng_init(&rng, p->is_postgres ? 5 : 4);
    for (int step = 0; step < STEPS; step++) {
        declare_at_random(p, &rng, step, records[step], &counts[step]);
        int back = (int)kd_rng_below(&rng, STEPS);
        if (back > step || !counts[back]) continue;
        size_t from = kd_rng_below(&rng, counts[back]);
        withdraw_with(p->reg, records[back] + from, counts[back] - from);
        counts[back] = from;
    }
    kd_str before = dump(p);
    kd_link_report report = link_now(p, true);
    same_as(before, dump(p));
    assert_int_equal(report.created + report.merged + report.split + report.changed, 0);
}

/* ---- handles ---- */

FACT(no_two_handles_make_the_same_id)
{
    enum { HANDLES = 5, IDS = 9000 };
    kd_error err;
    kd_register *handles[HANDLES];
    kd_map *seen = kd_map_new(HANDLES * IDS);
    for (int h = 0; h < HANDLES; h++) must(kd_register_attach(p->reg, &handles[h], &err), &err);
    for (int i = 0; i < IDS; i++) {
        bool is_new = false;
        kd_register **h = &handles[i % HANDLES];
        if (i % 1000 == 999) { /* one that ends leaves its number to another, which goes on after it */
            kd_register_close(*h);
            must(kd_register_open(p->dir, false, h, &err), &err);
        }
        for (int h2 = 0; h2 < HANDLES; h2++) {
            assert_non_null(kd_map_put(seen, (uint64_t)kd_register_next_id(handles[h2]), &is_new));
            assert_true(is_new);
        }
    }
    const kd_text *one, *other;
    must(kd_register_text(p->reg, &one, &err), &err);
    kd_register *attached;
    must(kd_register_attach(p->reg, &attached, &err), &err);
    must(kd_register_text(attached, &other, &err), &err);
    assert_ptr_equal(one, other);
    kd_register_close(attached);
    for (int h = 0; h < HANDLES; h++) kd_register_close(handles[h]);
    kd_map_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declared_birth_is_there_at_once_),
        cmocka_unit_test(the_next_run_leaves_all_of_it_),
        cmocka_unit_test(a_hospital_that_reports_later_means_the_same_child_),
        cmocka_unit_test(declared_twins_with_certificates_of_their_own_stay_two_),
        cmocka_unit_test(what_is_withdrawn_leaves_nothing_behind_),
        cmocka_unit_test(what_is_not_right_is_refused_whole_),
        cmocka_unit_test(what_is_declared_beside_a_run_is_kept_),
        cmocka_unit_test(a_declared_record_goes_where_the_run_puts_its_person_),
        cmocka_unit_test(values_settled_beside_a_run_count_and_other_words_stop_it_),
        cmocka_unit_test(any_order_of_declaring_and_withdrawing_ends_where_a_run_does_),
        cmocka_unit_test(no_two_handles_make_the_same_id_),
    };
    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
