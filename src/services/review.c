/* What is missing or odd in a declaration. Only what comes before REMARK_BLOCKING_END can stop a registration (G1). */
#include "births.h"

enum { REMARKS_MAX = 64 };

typedef struct {
    const kd_births_pack *pack;
    const kd_birth_declaration *d;
    const kd_divisions *divisions;
    int32_t today;
    kd_arena *arena;
    kd_birth_remark *remarks;
    size_t count;
} reviewing;

static void add(reviewing *r, birth_remark_kind kind, const char *field)
{
    if (r->count == REMARKS_MAX) return;
    const birth_words *words = &r->pack->remarks[kind];
    r->remarks[r->count++] = (kd_birth_remark){
        .is_blocking = kind < REMARK_BLOCKING_END, .field = kd_str_of(field), .zh = words->zh, .en = words->en
    };
}

static void add_child(reviewing *r, birth_remark_kind kind, size_t child, const char *field)
{
    kd_str where = kd_arena_fmt(r->arena, "/children/%zu/%s", child, field);
    add(r, kind, where.ptr ? where.ptr : "/children");
}

static bool is_known_division(const reviewing *r, int64_t code)
{
    return code && kd_divisions_find(r->divisions, code);
}

/* ---- the three things ---- */

static void review_needed(reviewing *r)
{
    const kd_birth_declaration *d = r->d;
    if (d->birth_day == KD_DAY_NONE)
        add(r, REMARK_NO_DATE, "/birth_date");
    else if (d->birth_day > r->today)
        add(r, REMARK_DAY_IN_FUTURE, "/birth_date");
    else if (d->birth_day < r->pack->earliest)
        add(r, REMARK_DAY_TOO_EARLY, "/birth_date");
    else if (r->today - d->birth_day > r->pack->late_after_days)
        add(r, REMARK_LATE, "/birth_date");
    if (!is_known_division(r, d->place_division) && !d->place_text.len && !d->institution.len)
        add(r, REMARK_NO_PLACE, "/place");
    if (!d->declarant_name.len) add(r, REMARK_NO_DECLARANT, "/declarant/name");
}

/* ---- children ---- */

static bool is_outside(const birth_range *range, int value)
{
    return value && (value < range->least || value > range->most);
}

/* One letter and nine digits (seventh edition of the certificate). */
static bool is_certificate(kd_str no)
{
    if (no.len != 10 || !((no.ptr[0] >= 'A' && no.ptr[0] <= 'Z') || (no.ptr[0] >= 'a' && no.ptr[0] <= 'z')))
        return false;
    for (size_t i = 1; i < no.len; i++)
        if (no.ptr[i] < '0' || no.ptr[i] > '9') return false;
    return true;
}

static void review_death(reviewing *r, size_t i)
{
    const kd_birth_declaration *d = r->d;
    int32_t death = d->children[i].death_day;
    if (death == KD_DAY_NONE) return;
    add_child(r, REMARK_DEAD, i, "death_date");
    if (death > r->today) add_child(r, REMARK_DEATH_IN_FUTURE, i, "death_date");
    if (d->birth_day != KD_DAY_NONE && d->precision != KD_BIRTH_DAY_ABOUT && death < d->birth_day)
        add_child(r, REMARK_DEATH_BEFORE_BIRTH, i, "death_date");
}

static void review_child(reviewing *r, size_t i)
{
    const kd_birth_child *child = &r->d->children[i];
    review_death(r, i);
    if (!child->name.len) add_child(r, REMARK_NO_NAME, i, "name");
    if (child->sex != 1 && child->sex != 2) add_child(r, REMARK_NO_SEX, i, "sex");
    if (is_outside(&r->pack->weight_g, child->weight_g)) add_child(r, REMARK_WEIGHT, i, "weight_g");
    if (is_outside(&r->pack->length_mm, child->length_mm)) add_child(r, REMARK_LENGTH, i, "length_mm");
    if (child->certificate_no.len && !is_certificate(child->certificate_no))
        add_child(r, REMARK_CERTIFICATE, i, "certificate_no");
    for (size_t j = 0; j < i; j++) {
        const kd_birth_child *other = &r->d->children[j];
        if (child->certificate_no.len && kd_str_eq(child->certificate_no, other->certificate_no))
            add_child(r, REMARK_CERTIFICATE_TWICE, i, "certificate_no");
        if (child->birth_order && child->birth_order == other->birth_order)
            add_child(r, REMARK_ORDER_TWICE, i, "birth_order");
    }
}

/* ---- parents ---- */

typedef struct {
    const kd_birth_person *person;
    const birth_range *age;
    birth_remark_kind identity, birth, odd_age;
    const char *identity_field, *birth_field, *phone_field, *division_field, *hukou_field;
} parent;

static void review_phone(reviewing *r, kd_str phone, const char *field)
{
    char buf[KD_PHONE_BYTES_MAX];
    if (phone.len && kd_phone_read(phone, buf) == 0) add(r, REMARK_PHONE, field);
}

static void review_division(reviewing *r, int64_t code, const char *field)
{
    if (code && !is_known_division(r, code)) add(r, REMARK_DIVISION, field);
}

static void review_parent(reviewing *r, const parent *p)
{
    kd_identity identity;
    int32_t born = p->person->birth_day;
    kd_identity_read(p->person->identity_number, &identity);
    if (identity.kind == KD_IDENTITY_BAD_CHECK || identity.kind == KD_IDENTITY_BAD_DATE ||
        identity.kind == KD_IDENTITY_BAD_SHAPE)
        add(r, p->identity, p->identity_field);
    if (identity.birth_day != KD_DAY_NONE) {
        if (born != KD_DAY_NONE && born != identity.birth_day) add(r, p->birth, p->birth_field);
        if (born == KD_DAY_NONE) born = identity.birth_day;
    }
    if (born != KD_DAY_NONE && r->d->birth_day != KD_DAY_NONE) {
        int32_t age = kd_day_age_years(born, r->d->birth_day);
        if (age < p->age->least || age > p->age->most) add(r, p->odd_age, p->birth_field);
    }
    review_phone(r, p->person->phone, p->phone_field);
    review_division(r, p->person->division, p->division_field);
    review_division(r, p->person->hukou_division, p->hukou_field);
}

static void review_parents(reviewing *r)
{
    const kd_birth_declaration *d = r->d;
    const parent mother = { .person = &d->mother,
                            .age = &r->pack->mother_age,
                            .identity = REMARK_MOTHER_IDENTITY,
                            .birth = REMARK_MOTHER_BIRTH,
                            .odd_age = REMARK_MOTHER_AGE,
                            .identity_field = "/mother/identity_number",
                            .birth_field = "/mother/birth_date",
                            .phone_field = "/mother/phone",
                            .division_field = "/mother/division",
                            .hukou_field = "/mother/hukou_division" };
    const parent father = { .person = &d->father,
                            .age = &r->pack->father_age,
                            .identity = REMARK_FATHER_IDENTITY,
                            .birth = REMARK_FATHER_BIRTH,
                            .odd_age = REMARK_FATHER_AGE,
                            .identity_field = "/father/identity_number",
                            .birth_field = "/father/birth_date",
                            .phone_field = "/father/phone",
                            .division_field = "/father/division",
                            .hukou_field = "/father/hukou_division" };
    if (d->has_mother) review_parent(r, &mother);
    if (d->has_father) review_parent(r, &father);
    if (!d->has_mother && !d->has_father) add(r, REMARK_NO_PARENT, "/mother");
    if (d->has_mother && d->has_father && d->mother.identity_number.len &&
        kd_str_eq(d->mother.identity_number, d->father.identity_number))
        add(r, REMARK_SAME_PARENTS, "/father/identity_number");
}

kd_status kd_birth_review(kd_register *reg, const kd_births_pack *pack, const kd_birth_declaration *declaration,
                          int32_t today, kd_arena *arena, kd_birth_remark **out_remarks, size_t *out_count,
                          kd_error *err)
{
    reviewing r = { .pack = pack, .d = declaration, .today = today, .arena = arena };
    KD_TRY(kd_register_divisions(reg, &r.divisions, err));
    r.remarks = kd_arena_array(arena, REMARKS_MAX, sizeof *r.remarks);
    if (!r.remarks) return birth_no_memory(err);
    review_needed(&r);
    for (size_t i = 0; i < declaration->child_count; i++) review_child(&r, i);
    if (declaration->gestational_days && is_outside(&pack->gestational_days, declaration->gestational_days))
        add(&r, REMARK_GESTATION, "/gestational_days");
    review_parents(&r);
    review_phone(&r, declaration->declarant_phone, "/declarant/phone");
    review_division(&r, declaration->place_division, "/place/division");
    review_division(&r, declaration->residence_division, "/residence_division");
    *out_remarks = r.remarks;
    *out_count = r.count;
    return KD_OK;
}
