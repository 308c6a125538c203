#include "births_place.h"

/* ---- what is needed, and nothing else ---- */

FACT(three_things_are_enough)
{
    for (int i = 0; i < 8; i++) {
        kd_birth_declaration d = bare(p, 3 + 400 * i);
        d.precision = (kd_birth_precision)(i % 4);
        d.place_kind = (kd_birth_place_kind)(i % 5);
        d.declarant_kind = (kd_declarant_kind)(i % 6);
        d.is_commitment = i % 2;
        if (i % 2) d.place_text = (kd_str){ NULL, 0 };
        if (i % 2) d.place_division = HOME;
        kd_birth birth = enter(p, &d);
        assert_true(kd_str_is(birth.state, "registered"));
        assert_true(birth.children[0].person_id != 0);
        assert_true(birth.children[0].number.len > 10);
        assert_int_equal(ask(p, "select birth_day from person where id = $1", birth.children[0].person_id),
                         d.birth_day);
    }
    kd_error err;
    must(kd_register_check(p->reg, &err), &err);
}

FACT(each_of_the_three_things_is_asked_for)
{
    static const char *const fields[] = { "/birth_date",           "/place",      "/declarant/name",
                                          "/birth_date",           "/birth_date", "/children/0/death_date",
                                          "/children/0/death_date" };
    for (int i = 0; i < 7; i++) {
        kd_error err;
        kd_birth_declaration d = bare(p, 3);
        if (i == 0) d.birth_day = KD_DAY_NONE;
        if (i == 1) d.place_text = (kd_str){ NULL, 0 };
        if (i == 2) d.declarant_name = (kd_str){ NULL, 0 };
        if (i == 3) d.birth_day = kd_today() + 1;
        if (i == 4) d.birth_day = kd_day_from_ymd((kd_ymd){ 1899, 12, 31 });
        if (i == 5) d.children[0].death_day = kd_today() + 1;
        if (i == 6) d.children[0].death_day = d.birth_day - 1;
        assert_int_equal(try_enter(p, &d, &err), KD_INVALID);
        assert_string_equal(err.field, fields[i]);
        assert_true(strlen(err.message) > 10);
    }
    assert_int_equal(ask(p, "select count(*) from case_file where state <> 'draft' and id > $1", 0), 0);
    assert_int_equal(ask(p, "select count(*) from setting where name like 'handbook/%' and $1 = 0", 0), 0);
}

FACT(odd_things_are_told_and_stop_nothing)
{
    kd_error err;
    kd_birth_remark *remarks;
    size_t count, blocking = 0;
    kd_birth_declaration d = usual(p, 5000);
    d.mother.identity_number = KD_STR("610829199001010000");
    d.mother.phone = KD_STR("12");
    d.mother.birth_day = d.birth_day - 365 * 9;
    d.mother.division = 999999999999;
    d.residence_division = 123456789012;
    d.children[0].weight_g = 20;
    d.children[0].length_mm = 999;
    d.children[0].certificate_no = KD_STR("编号?");
    d.gestational_days = 20;
    must(kd_birth_review(p->reg, pack, &d, kd_today(), p->arena, &remarks, &count, &err), &err);
    assert_true(count >= 9);
    for (size_t i = 0; i < count; i++) {
        blocking += remarks[i].is_blocking;
        assert_true(remarks[i].zh.len > 0 && remarks[i].en.len > 0 && remarks[i].field.ptr[0] == '/');
    }
    assert_int_equal(blocking, 0);
    enter(p, &d);
    must(kd_register_check(p->reg, &err), &err);
}

/* ---- what is made ---- */

FACT(a_child_its_parents_and_their_relation_are_in_the_register)
{
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d);
    int64_t child = birth.children[0].person_id, mother = person_of(p, p->record_of[MOTHER]);
    assert_int_equal(birth.declaration.mother.person_id, mother);
    assert_int_equal(birth.declaration.father.person_id, person_of(p, p->record_of[FATHER]));
    assert_int_equal(ask(p, "select other_id from relation where person_id = $1 and kind = 'mother'", child), mother);
    assert_int_equal(ask(p, "select count(*) from relation where kind = 'child' and other_id = $1", child), 2);
    assert_int_equal(ask(p, "select count(*) from notice where case_id = $1 and state = 'waiting'", birth.id), 3);
    assert_int_equal(ask(p, "select count(*) from case_action where case_id = $1", birth.id), 3);
    link_now(p, true);
    assert_int_equal(ask(p, "select other_id from relation where person_id = $1 and kind = 'mother'", child), mother);
}

FACT(one_number_given_for_both_parents_stops_nothing)
{
    kd_birth_declaration d = usual(p, 10);
    d.father = d.mother;
    d.father.name = KD_STR("高明亮");
    kd_birth birth = enter(p, &d);
    assert_int_not_equal(birth.declaration.mother.person_id, birth.declaration.father.person_id);
}

FACT(twins_are_one_declaration_with_a_number_each)
{
    kd_birth_declaration d = usual(p, 10);
    d.child_count = 3;
    d.children[1] = d.children[2] = d.children[0];
    for (int i = 0; i < 3; i++) d.children[i].birth_order = i + 1;
    d.children[1].certificate_no = KD_STR("Z610000002");
    d.children[2].certificate_no = (kd_str){ NULL, 0 };
    d.children[2].name = (kd_str){ NULL, 0 };
    kd_birth birth = enter(p, &d);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < i; k++) {
            assert_int_not_equal(birth.children[i].person_id, birth.children[k].person_id);
            assert_false(kd_str_eq(birth.children[i].number, birth.children[k].number));
        }
        assert_int_equal(ask(p, "select other_id from relation where person_id = $1 and kind = 'mother'",
                             birth.children[i].person_id),
                         birth.declaration.mother.person_id);
    }
    assert_int_equal(ask(p, "select count(*) from notice where case_id = $1", birth.id), 9);
    link_now(p, true);
    assert_int_equal(ask(p, "select count(*) from relation where person_id = $1 and kind = 'child'",
                         birth.declaration.mother.person_id),
                     3);
}

FACT(numbers_are_for_life_and_never_given_twice)
{
    enum { BIRTHS = 12 };
    kd_str numbers[BIRTHS];
    for (int i = 0; i < BIRTHS; i++) {
        kd_birth_declaration d = bare(p, 3);
        numbers[i] = enter(p, &d).children[0].number;
        assert_int_equal(numbers[i].len, 16);
        assert_true(kd_str_starts(numbers[i], KD_STR("610829")));
        for (int k = 0; k < i; k++) assert_false(kd_str_eq(numbers[i], numbers[k]));
    }
}

FACT(the_same_transaction_is_done_once)
{
    kd_error err;
    kd_birth first, again;
    kd_case_actor actor = clerk("once"), other = clerk("twice");
    kd_birth_declaration d = usual(p, 10);
    int64_t id = draft(p, &d);
    must(kd_birth_register(p->reg, pack, id, 1, NULL, &actor, &first, p->arena, &err), &err);
    must(kd_birth_register(p->reg, pack, id, 1, NULL, &actor, &again, p->arena, &err), &err);
    assert_true(kd_str_eq(first.children[0].number, again.children[0].number));
    assert_int_equal(first.children[0].person_id, again.children[0].person_id);
    assert_int_equal(first.version, again.version);
    assert_int_equal(kd_birth_register(p->reg, pack, id, 2, NULL, &other, &again, p->arena, &err), KD_CONFLICT);
    assert_int_equal(ask(p, "select count(*) from notice where case_id = $1", id), 3);
}

FACT(a_draft_is_kept_and_changed_by_one_at_a_time)
{
    kd_error err;
    int64_t id, version;
    kd_birth birth;
    kd_case_actor actor = clerk("");
    kd_birth_declaration d = bare(p, 10);
    d.birth_day = KD_DAY_NONE;
    d.declarant_name = (kd_str){ NULL, 0 };
    id = draft(p, &d);
    d.note = KD_STR("再来");
    must(kd_birth_save(p->reg, pack, id, 1, &d, &actor, &id, &version, &err), &err);
    assert_int_equal(version, 2);
    assert_int_equal(kd_birth_save(p->reg, pack, id, 1, &d, &actor, &id, &version, &err), KD_CONFLICT);
    must(kd_birth_get(p->reg, id, p->arena, &birth, &err), &err);
    assert_true(kd_str_is(birth.declaration.note, "再来"));
    assert_int_equal(kd_birth_get(p->reg, id + 1, p->arena, &birth, &err), KD_NOT_FOUND);
    must(kd_birth_cancel(p->reg, pack, id, 2, KD_STR("不登了"), &actor, &err), &err);
    assert_int_equal(kd_birth_save(p->reg, pack, id, 3, &d, &actor, &id, &version, &err), KD_CONFLICT);
}

/* ---- who it may be already ---- */

static const kd_birth_candidate *candidate_of(place *p, const kd_birth_declaration *d, int64_t except, int64_t person,
                                              int64_t case_id)
{
    kd_error err;
    kd_birth_candidate *list;
    size_t count;
    must(kd_birth_duplicates(p->reg, pack, d, except, p->arena, &list, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        assert_true(list[i].why_zh.len > 0 && list[i].why_en.len > 0);
        assert_true(list[i].probability > 0 && list[i].probability <= 1);
        if (i) assert_true(list[i].probability <= list[i - 1].probability);
        if (person ? list[i].person_id == person : list[i].case_id == case_id) return &list[i];
    }
    return NULL;
}

FACT(the_same_birth_is_found_by_mother_certificate_name_and_notice)
{
    kd_birth_declaration d = usual(p, 10), other;
    kd_birth birth = enter(p, &d);
    int64_t child = birth.children[0].person_id;
    const kd_birth_candidate *same = candidate_of(p, &d, 0, child, 0);
    assert_non_null(same);
    assert_true(same->probability > 0.99);
    assert_int_equal(same->case_id, birth.id);
    assert_true(kd_str_is(same->mother_name, birth.declaration.mother.name.ptr));
    assert_null(candidate_of(p, &birth.declaration, birth.id, child, 0));

    other = usual(p, 100); /* the same mother, 90 days apart: one of the two days is wrong */
    other.children[0].certificate_no = (kd_str){ NULL, 0 };
    other.children[0].name = (kd_str){ NULL, 0 };
    same = candidate_of(p, &other, 0, child, 0);
    assert_non_null(same);
    assert_true(same->probability > 0.5 && same->probability < 0.9);

    other = usual(p, 10 + 400);
    other.children[0].certificate_no = (kd_str){ NULL, 0 };
    assert_null(candidate_of(p, &other, 0, child, 0));

    other = bare(p, 11);
    other.residence_division = HOME;
    other.children[0].name = KD_STR("王小满");
    assert_non_null(candidate_of(p, &other, 0, child, 0));
}

FACT(an_open_draft_of_the_same_mother_is_found)
{
    kd_birth_declaration d = usual(p, 10);
    int64_t id = draft(p, &d);
    assert_non_null(candidate_of(p, &d, 0, 0, id));
    assert_null(candidate_of(p, &d, id, 0, id));
    d.mother = villager(p, OTHER_MOTHER);
    d.children[0].certificate_no = (kd_str){ NULL, 0 };
    d.children[0].name = KD_STR("李谷雨");
    assert_null(candidate_of(p, &d, 0, 0, id));
}

FACT(a_person_of_the_register_can_be_the_child)
{
    kd_error err;
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d), again;
    kd_case_actor actor = clerk("");
    int64_t same_as[KD_BIRTH_CHILDREN_MAX] = { birth.children[0].person_id };
    must(kd_birth_cancel(p->reg, pack, birth.id, 2, KD_STR("重来"), &actor, &err), &err);
    same_as[0] = person_of(p, p->record_of[5]);
    must(kd_birth_register(p->reg, pack, draft(p, &d), 1, same_as, &actor, &again, p->arena, &err), &err);
    assert_int_equal(again.children[0].person_id, same_as[0]);
    same_as[0] = 12345;
    assert_int_equal(kd_birth_register(p->reg, pack, draft(p, &d), 1, same_as, &actor, &again, p->arena, &err),
                     KD_INVALID);
    assert_string_equal(err.field, "/same_as");
}

/* ---- offices ---- */

static kd_office_notice *notices_of(place *p, int64_t case_id, size_t *out_count)
{
    kd_error err;
    kd_office_notice *list;
    must(kd_notice_of_case(p->reg, pack, case_id, p->arena, &list, out_count, &err), &err);
    return list;
}

static size_t count_notices(place *p, int64_t case_id, const char *office, const char *state, const char *kind)
{
    size_t count, found = 0;
    kd_office_notice *list = notices_of(p, case_id, &count);
    for (size_t i = 0; i < count; i++)
        found += (!office || kd_str_is(list[i].office, office)) && (!state || kd_str_is(list[i].state, state)) &&
                 (!kind || kd_str_find(list[i].payload, kd_str_of(kind)) >= 0);
    return found;
}

static void take_and_accept(place *p, const char *office, bool is_answered)
{
    kd_error err;
    kd_office_notice *list;
    size_t count;
    kd_case_actor actor = clerk("");
    must(kd_notice_take(p->reg, pack, kd_str_of(office), 610829000000, 50, p->arena, &list, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(kd_str_is(list[0].state, "sent"));
    if (is_answered) must(kd_notice_answer(p->reg, list[0].id, true, KD_STR("已办"), &actor, &err), &err);
    if (is_answered)
        assert_int_equal(kd_notice_answer(p->reg, list[0].id, false, KD_STR(""), &actor, &err), KD_CONFLICT);
    must(kd_notice_take(p->reg, pack, kd_str_of(office), 0, 50, p->arena, &list, &count, &err), &err);
    assert_int_equal(count, 0);
}

FACT(a_correction_is_told_to_who_holds_the_old_value)
{
    kd_error err;
    kd_birth_declaration d = usual(p, 10);
    kd_birth before = enter(p, &d), after;
    kd_case_actor actor = clerk("fix");
    take_and_accept(p, "household_registration", true);
    d = before.declaration;
    d.children[0].certificate_no = KD_STR("Z610000009"); /* of the three offices one holds it */
    assert_int_equal(kd_birth_correct(p->reg, pack, before.id, 2, &d, KD_STR(" "), &actor, &after, p->arena, &err),
                     KD_INVALID);
    must(kd_birth_correct(p->reg, pack, before.id, 2, &d, KD_STR("抄错"), &actor, &after, p->arena, &err), &err);
    assert_true(kd_str_is(after.state, "corrected"));
    assert_int_equal(after.children[0].person_id, before.children[0].person_id);
    assert_true(kd_str_eq(after.children[0].number, before.children[0].number));
    assert_int_equal(after.declaration.mother.person_id, before.declaration.mother.person_id);
    assert_int_equal(count_notices(p, before.id, NULL, NULL, NULL), 4);
    assert_int_equal(count_notices(p, before.id, "household_registration", "waiting", "\"correction\""), 1);
    d.children[0].name = KD_STR("王大满");
    actor = clerk("fix again");
    must(kd_birth_correct(p->reg, pack, before.id, 3, &d, KD_STR("改名"), &actor, &after, p->arena, &err), &err);
    assert_int_equal(count_notices(p, before.id, "household_registration", "waiting", "\"correction\""), 1);
    assert_int_equal(count_notices(p, before.id, "immunisation", "waiting", "\"registration\""), 1);
    assert_int_equal(count_notices(p, before.id, "immunisation", "withdrawn", NULL), 1);
    assert_int_equal(ask(p, "select count(*) from link where person_id = $1", before.children[0].person_id), 1);
    must(kd_register_check(p->reg, &err), &err);
    link_now(p, true);
}

FACT(undoing_takes_the_child_out_and_tells_who_knew)
{
    kd_error err;
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d), after;
    kd_case_actor actor = clerk("undo");
    take_and_accept(p, "household_registration", true);
    take_and_accept(p, "medical_insurance", false);
    must(kd_birth_cancel(p->reg, pack, birth.id, 2, KD_STR("登错了人"), &actor, &err), &err);
    must(kd_birth_cancel(p->reg, pack, birth.id, 2, KD_STR("登错了人"), &actor, &err), &err); /* sent twice */
    must(kd_birth_get(p->reg, birth.id, p->arena, &after, &err), &err);
    assert_true(kd_str_is(after.state, "cancelled"));
    assert_true(kd_str_is(after.declaration.children[0].name, "王小满")); /* stays readable */
    assert_int_equal(ask(p, "select count(*) from link where person_id = $1", birth.children[0].person_id), 0);
    assert_int_equal(
        ask(p, "select count(*) from person where state = 'active' and id = $1", birth.children[0].person_id), 0);
    assert_int_equal(
        ask(p, "select count(*) from relation where kind = 'child' and other_id = $1", birth.children[0].person_id), 0);
    assert_int_equal(count_notices(p, birth.id, "immunisation", "withdrawn", NULL), 1);
    assert_int_equal(count_notices(p, birth.id, "immunisation", NULL, "withdrawal"), 0);
    assert_int_equal(count_notices(p, birth.id, "household_registration", "accepted", NULL), 1);
    assert_int_equal(count_notices(p, birth.id, "household_registration", "waiting", "withdrawal"), 1);
    assert_int_equal(count_notices(p, birth.id, "medical_insurance", "waiting", "withdrawal"), 1);
    actor = clerk("late");
    assert_int_equal(
        kd_birth_correct(p->reg, pack, birth.id, after.version, &d, KD_STR("x"), &actor, &after, p->arena, &err),
        KD_CONFLICT);
    must(kd_register_check(p->reg, &err), &err);
    link_now(p, true);
}

FACT(a_child_who_died_is_registered_and_never_reminded)
{
    kd_error err;
    kd_birth_declaration d = usual(p, 10);
    d.children[0].death_day = d.birth_day + 2;
    kd_birth birth = enter(p, &d), after;
    assert_int_equal(ask(p, "select death_day from person where id = $1", birth.children[0].person_id),
                     d.birth_day + 2);
    assert_int_equal(count_notices(p, birth.id, "immunisation", NULL, NULL), 0);
    assert_int_equal(count_notices(p, birth.id, NULL, "waiting", "death_date"), 2);

    kd_birth_declaration alive = usual(p, 500);
    alive.mother = villager(p, OTHER_MOTHER);
    alive.children[0].certificate_no = (kd_str){ NULL, 0 };
    kd_birth later = enter(p, &alive);
    kd_case_actor actor = clerk("died");
    alive.children[0].death_day = alive.birth_day + 4;
    must(kd_birth_correct(p->reg, pack, later.id, 2, &alive, KD_STR("夭折"), &actor, &after, p->arena, &err), &err);
    assert_int_equal(count_notices(p, later.id, "immunisation", "waiting", NULL), 0);
    assert_int_equal(count_notices(p, later.id, "immunisation", "withdrawn", NULL), 1);
}

/* ---- hospitals ---- */

static void import_delivery(place *p, int mother, int32_t day, const char *certificate, int twins)
{
    char number[19], name[32];
    static const char *const names[] = { "王立夏", "王立秋" };
    static const char *const certificates[] = { "Z610000881", "Z610000992" };
    kd_source_record records[4];
    villager_identity(mother, number);
    villager_name(mother, name);
    size_t count = 0;
    for (int i = 0; i < twins; i++) {
        kd_source_record child = empty_record(KD_ROLE_CHILD), woman = empty_record(KD_ROLE_MOTHER);
        child.birth_day = child.event_day = day;
        child.sex = (int8_t)(1 + i % 2);
        child.institution = KD_STR("吴堡县人民医院");
        child.birth_order = (int16_t)(twins > 1 ? i + 1 : 0);
        if (certificate) child.certificate_no = kd_str_of(certificate);
        if (twins > 1) child.certificate_no = kd_str_of(certificates[i]);
        if (twins > 1) child.name = kd_str_of(names[i]);
        child.division = woman.division = HOME;
        woman.name = kd_str_of(name);
        woman.identity_number = kd_str_of(number);
        child.row_no = woman.row_no = i + 1;
        records[count++] = child;
        records[count++] = woman;
    }
    import_records(p, "hospital_delivery", records, count);
}

static kd_delivery_page deliveries(place *p, kd_str query, kd_str cursor, size_t limit)
{
    kd_error err;
    kd_delivery_page page;
    must(kd_delivery_list(p->reg, pack, 610829000000, query, cursor, limit, p->arena, &page, &err), &err);
    return page;
}

FACT(a_delivery_waits_until_somebody_registers_it)
{
    kd_error err;
    kd_birth_declaration d;
    kd_birth birth;
    kd_case_actor actor = clerk("r");
    import_delivery(p, MOTHER, kd_today() - 20, "Z610000777", 1);
    import_delivery(p, OTHER_MOTHER, kd_today() - 10, NULL, 1);
    link_now(p, true);
    kd_delivery_page page = deliveries(p, KD_STR(""), KD_STR(""), 10);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.notices[0].days_waiting, 20);
    assert_true(kd_str_is(page.notices[0].institution, "吴堡县人民医院"));
    assert_int_equal(deliveries(p, page.notices[1].mother_name, KD_STR(""), 10).count, 1);
    kd_delivery_page first = deliveries(p, KD_STR(""), KD_STR(""), 1);
    assert_int_equal(first.count, 1);
    assert_int_equal(deliveries(p, KD_STR(""), first.next, 1).notices[0].record_id, page.notices[1].record_id);

    int64_t known = person_of(p, page.notices[0].record_id);
    must(kd_birth_prefill(p->reg, pack, page.notices[0].record_id, p->arena, &d, &err), &err);
    assert_int_equal(d.birth_day, kd_today() - 20);
    assert_true(kd_str_is(d.institution, "吴堡县人民医院"));
    assert_true(kd_str_is(d.children[0].certificate_no, "Z610000777"));
    assert_int_equal(d.mother.person_id, person_of(p, p->record_of[MOTHER]));
    assert_true(d.mother.phone.len > 0 && d.declarant_name.len > 0);
    must(kd_birth_register(p->reg, pack, draft(p, &d), 1, NULL, &actor, &birth, p->arena, &err), &err);
    assert_int_equal(birth.children[0].person_id, known); /* no second child is made */
    page = deliveries(p, KD_STR(""), KD_STR(""), 10);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.notices[0].days_waiting, 10);
    assert_int_equal(kd_birth_prefill(p->reg, pack, p->record_of[3], p->arena, &d, &err), KD_NOT_FOUND);
}

FACT(what_the_township_registered_waits_for_nobody)
{
    import_delivery(p, MOTHER, kd_today() - 20, "Z610000778", 1);
    kd_source_record child = empty_record(KD_ROLE_CHILD), *records = &child;
    char name[32], number[19];
    child.certificate_no = KD_STR("Z610000778");
    child.name = KD_STR("王立春");
    child.birth_day = kd_today() - 20;
    child.sex = 1;
    child.row_no = 1;
    kd_source_record row[2] = { *records, empty_record(KD_ROLE_MOTHER) };
    villager_name(MOTHER, name);
    villager_identity(MOTHER, number);
    row[1].name = kd_str_of(name);
    row[1].identity_number = kd_str_of(number);
    row[1].row_no = 1;
    import_records(p, "birth_registration", row, 2);
    link_now(p, true);
    assert_int_equal(deliveries(p, KD_STR(""), KD_STR(""), 10).count, 0);
}

FACT(twins_of_a_notice_are_filled_in_together)
{
    kd_error err;
    kd_birth_declaration d;
    import_delivery(p, MOTHER, kd_today() - 20, NULL, 2);
    link_now(p, true);
    kd_delivery_page page = deliveries(p, KD_STR(""), KD_STR(""), 10);
    assert_int_equal(page.count, 2);
    must(kd_birth_prefill(p->reg, pack, page.notices[1].record_id, p->arena, &d, &err), &err);
    assert_int_equal(d.child_count, 2);
    assert_int_equal(d.children[0].birth_order, 1);
    assert_int_equal(d.children[1].sex, 2);
    kd_birth birth = enter(p, &d);
    /* The linking may have taken them for one: the declaration never does. */
    assert_int_equal(birth.children[0].person_id, person_of(p, page.notices[0].record_id));
    assert_int_not_equal(birth.children[0].person_id, birth.children[1].person_id);
    assert_int_equal(deliveries(p, KD_STR(""), KD_STR(""), 10).count, 0);
}

/* ---- the list ---- */

FACT(registrations_are_listed_newest_first_and_found_by_name_or_number)
{
    kd_error err;
    kd_birth_page page;
    kd_birth last = { .id = 0 };
    for (int i = 0; i < 5; i++) {
        kd_birth_declaration d = bare(p, 10 + i);
        if (i == 2) d.children[0].name = KD_STR("王小满");
        last = enter(p, &d);
    }
    kd_birth_filter filter = { .division = 610829000000, .limit = 2 };
    size_t seen = 0;
    do {
        must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
        if (!seen) assert_int_equal(page.births[0].id, last.id);
        seen += page.count;
        filter.cursor = page.next;
    } while (page.next.len);
    assert_int_equal(seen, 5);
    filter = (kd_birth_filter){ .query = KD_STR("小滿"), .limit = 9 };
    must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    filter.query = last.children[0].number;
    must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    filter = (kd_birth_filter){ .query = KD_STR("%"), .limit = 9 };
    must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
    filter = (kd_birth_filter){ .state = KD_STR("draft"), .limit = 9 };
    must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
    filter = (kd_birth_filter){ .division = 610802000000, .limit = 9 };
    must(kd_birth_list(p->reg, &filter, p->arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
    filter = (kd_birth_filter){ .cursor = KD_STR("x"), .limit = 9 };
    assert_int_equal(kd_birth_list(p->reg, &filter, p->arena, &page, &err), KD_INVALID);
}

FACT(what_was_done_is_kept_in_order)
{
    kd_error err;
    kd_case_action *actions;
    size_t count;
    kd_birth_declaration d = usual(p, 10);
    kd_birth birth = enter(p, &d);
    must(kd_case_actions(p->reg, birth.id, p->arena, &actions, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_true(kd_str_is(actions[0].kind, "drafted"));
    assert_true(kd_str_is(actions[1].kind, "registered"));
    assert_true(kd_str_is(actions[2].kind, "notified"));
    assert_true(actions[1].at > 0 && actions[1].account_id == 7);
}

#define TEST(name) cmocka_unit_test(name##_)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_things_are_enough),
        TEST(each_of_the_three_things_is_asked_for),
        TEST(odd_things_are_told_and_stop_nothing),
        TEST(a_child_its_parents_and_their_relation_are_in_the_register),
        TEST(one_number_given_for_both_parents_stops_nothing),
        TEST(twins_are_one_declaration_with_a_number_each),
        TEST(numbers_are_for_life_and_never_given_twice),
        TEST(the_same_transaction_is_done_once),
        TEST(a_draft_is_kept_and_changed_by_one_at_a_time),
        TEST(the_same_birth_is_found_by_mother_certificate_name_and_notice),
        TEST(an_open_draft_of_the_same_mother_is_found),
        TEST(a_person_of_the_register_can_be_the_child),
        TEST(a_correction_is_told_to_who_holds_the_old_value),
        TEST(undoing_takes_the_child_out_and_tells_who_knew),
        TEST(a_child_who_died_is_registered_and_never_reminded),
        TEST(a_delivery_waits_until_somebody_registers_it),
        TEST(what_the_township_registered_waits_for_nobody),
        TEST(twins_of_a_notice_are_filled_in_together),
        TEST(registrations_are_listed_newest_first_and_found_by_name_or_number),
        TEST(what_was_done_is_kept_in_order),
    };
    return cmocka_run_group_tests_name("births", tests, load_pack, free_pack);
}
