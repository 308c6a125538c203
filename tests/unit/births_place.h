/**
 * @file births_place.h
 * Declarations of invented births for tests, on the register of register_place.h.
 */
#ifndef KD_TEST_BIRTHS_PLACE_H
#define KD_TEST_BIRTHS_PLACE_H

#include "register_place.h"
#include "services/services.h"

#define HOME INT64_C(610829101203)
enum { MOTHER = 36, FATHER = 37, OTHER_MOTHER = 38 }; /* villagers born in the nineties */

static kd_births_pack *pack;

static inline int load_pack(void **state)
{
    kd_error err;
    (void)state;
    must(kd_births_pack_load(NULL, &pack, &err), &err);
    return 0;
}

static inline int free_pack(void **state)
{
    (void)state;
    kd_births_pack_free(pack);
    return 0;
}

static inline kd_case_actor clerk(const char *transaction)
{
    return (kd_case_actor){ .account_id = 7,
                            .division = 610829101000,
                            .name = KD_STR("薛明"),
                            .role = KD_STR("township_clerk"),
                            .transaction_id = kd_str_of(transaction) };
}

/* Nothing but the three things. */
static inline kd_birth_declaration bare(place *p, int days_ago)
{
    kd_error err;
    kd_birth_declaration d;
    must(kd_birth_read_json(KD_STR("{}"), p->arena, &d, &err), &err);
    d.birth_day = kd_today() - days_ago;
    d.place_text = KD_STR("县医院");
    d.declarant_name = KD_STR("白桂花");
    return d;
}

static inline kd_birth_person villager(place *p, int who)
{
    char name[32], number[19];
    villager_name(who, name);
    villager_identity(who, number);
    return (kd_birth_person){ .name = kd_arena_str(p->arena, kd_str_of(name)),
                              .identity_number = kd_arena_str(p->arena, kd_str_of(number)),
                              .birth_day = KD_DAY_NONE };
}

static inline kd_birth_declaration usual(place *p, int days_ago)
{
    kd_birth_declaration d = bare(p, days_ago);
    d.place_division = HOME;
    d.residence_division = HOME;
    d.children[0].name = KD_STR("王小满");
    d.children[0].sex = 2;
    d.children[0].certificate_no = KD_STR("Z610000001");
    d.has_mother = d.has_father = true;
    d.mother = villager(p, MOTHER);
    d.father = villager(p, FATHER);
    d.declarant_phone = KD_STR("13900000001");
    return d;
}

static inline int64_t draft(place *p, const kd_birth_declaration *d)
{
    kd_error err;
    int64_t id, version;
    kd_case_actor actor = clerk("draft");
    must(kd_birth_save(p->reg, pack, 0, 0, d, &actor, &id, &version, &err), &err);
    assert_int_equal(version, 1);
    return id;
}

static inline kd_birth enter(place *p, const kd_birth_declaration *d)
{
    kd_error err;
    kd_birth birth;
    kd_case_actor actor = clerk("register");
    int64_t id = draft(p, d);
    must(kd_birth_register(p->reg, pack, id, 1, NULL, &actor, &birth, p->arena, &err), &err);
    assert_int_equal(birth.version, 2);
    return birth;
}

static inline kd_status try_enter(place *p, const kd_birth_declaration *d, kd_error *err)
{
    kd_birth birth;
    kd_case_actor actor = clerk("try");
    return kd_birth_register(p->reg, pack, draft(p, d), 1, NULL, &actor, &birth, p->arena, err);
}

#endif
