/* Who a declared birth may be already: children of the same mother, holders of the certificate, namesakes near in day and place, drafts. */
#include "births.h"

#include <stdlib.h>

enum { FOUND_MAX = 400, DRAFTS_MAX = 5000, MOTHERS_MAX = 4 };

/* One person or draft, with every reason found for it. */
typedef struct {
    int64_t person_id, case_id, division;
    kd_str name, mother_name;
    int sex;
    int32_t birth_day;
    uint32_t reasons; /* bits of birth_reason_kind */
} found;

typedef struct {
    kd_register *reg;
    const kd_births_pack *pack;
    const kd_birth_declaration *d;
    int64_t except_case;
    int64_t own_persons[KD_BIRTH_CHILDREN_MAX]; /* what the excepted case made */
    kd_arena *arena;
    kd_str names[KD_BIRTH_CHILDREN_MAX], mother_name;
    int64_t mothers[MOTHERS_MAX];
    size_t mother_count;
    found *found;
    size_t count;
    kd_error *err;
} search;

static found *find_slot(search *s, int64_t person_id, int64_t case_id)
{
    for (size_t i = 0; i < KD_BIRTH_CHILDREN_MAX; i++)
        if (person_id && s->own_persons[i] == person_id) return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (person_id ? s->found[i].person_id == person_id : s->found[i].case_id == case_id) return &s->found[i];
    if (s->count == FOUND_MAX) return NULL;
    s->found[s->count] = (found){ .person_id = person_id, .case_id = case_id };
    return &s->found[s->count++];
}

/* ---- persons of the register ---- */

#define CHILD_COLUMNS "select p.id, p.name, p.sex, p.birth_day, p.division "

static kd_status take_persons(search *s, kd_rows *rows, birth_reason_kind reason)
{
    bool has_row = false;
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, s->err)) == KD_OK && has_row) {
        found *f = find_slot(s, kd_rows_int(rows, 0), 0);
        if (!f) continue;
        f->name = kd_arena_str(s->arena, kd_rows_text(rows, 1));
        f->sex = (int)kd_rows_int(rows, 2);
        f->birth_day = kd_rows_day(rows, 3);
        f->division = kd_rows_int(rows, 4);
        bool is_same_day = reason == REASON_SAME_MOTHER_NEAR && f->birth_day == s->d->birth_day;
        f->reasons |= 1U << (is_same_day ? REASON_SAME_MOTHER_DAY : reason);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status search_mother(search *s, int64_t mother)
{
    kd_rows *rows;
    if (s->d->birth_day == KD_DAY_NONE) return KD_OK;
    int64_t day = s->d->birth_day, days = s->pack->mother_days;
    KD_TRY(kd_store_query(kd_register_store(s->reg), s->err, &rows,
                          CHILD_COLUMNS "from relation r join person p on p.id = r.other_id where r.person_id = $1 and "
                                        "r.kind = 'child' and p.state = 'active' and p.birth_day between $2 and $3 "
                                        "order by p.id limit $4",
                          KD_VALUES(kd_int(mother), kd_int(day - days), kd_int(day + days), kd_int(FOUND_MAX / 4))));
    return take_persons(s, rows, REASON_SAME_MOTHER_NEAR);
}

static kd_status search_certificate(search *s, kd_str no)
{
    kd_rows *rows;
    KD_TRY(kd_store_query(kd_register_store(s->reg), s->err, &rows,
                          CHILD_COLUMNS
                          "from person_identifier i join person p on p.id = i.person_id where i.kind = "
                          "'certificate_no' and i.value = $1 and p.state = 'active' order by p.id limit $2",
                          KD_VALUES(kd_text_value(no), kd_int(FOUND_MAX / 4))));
    return take_persons(s, rows, REASON_SAME_CERTIFICATE);
}

static kd_status search_name(search *s, kd_str name)
{
    kd_rows *rows;
    int64_t place = s->d->residence_division ? s->d->residence_division : s->d->place_division;
    int64_t county = kd_division_at_level(place, KD_LEVEL_COUNTY), day = s->d->birth_day, days = s->pack->name_days;
    if (s->d->birth_day == KD_DAY_NONE) return KD_OK;
    KD_TRY(kd_store_query(kd_register_store(s->reg), s->err, &rows,
                          CHILD_COLUMNS
                          "from person p where p.name = $1 and p.state = 'active' and p.birth_day between "
                          "$2 and $3 and coalesce(p.division, 0) between $4 and $5 order by p.id limit $6",
                          KD_VALUES(kd_text_value(name), kd_int(day - days), kd_int(day + days), kd_int(county),
                                    kd_int(county ? kd_area_last_code(county) : INT64_MAX), kd_int(FOUND_MAX / 4))));
    return take_persons(s, rows, REASON_SAME_NAME_NEAR);
}

static void add_mother(search *s, int64_t id)
{
    for (size_t i = 0; i < s->mother_count; i++)
        if (s->mothers[i] == id) return;
    if (s->mother_count < MOTHERS_MAX) s->mothers[s->mother_count++] = id;
}

static kd_status find_mothers(search *s)
{
    kd_rows *rows;
    bool has_row = false;
    kd_identity identity;
    kd_identity_read(s->d->mother.identity_number, &identity);
    if (s->d->mother.person_id) add_mother(s, s->d->mother.person_id);
    if (identity.kind == KD_IDENTITY_EMPTY) return KD_OK;
    KD_TRY(
        kd_store_query(kd_register_store(s->reg), s->err, &rows,
                       "select i.person_id from person_identifier i join person p on p.id = i.person_id where i.kind = "
                       "'identity_number' and i.value = $1 and p.state = 'active' order by i.person_id limit $2",
                       KD_VALUES(kd_text_value(kd_str_of(identity.number)), kd_int(MOTHERS_MAX))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, s->err)) == KD_OK && has_row) add_mother(s, kd_rows_int(rows, 0));
    kd_rows_close(rows);
    return status;
}

/* Names of the mothers of what was found, and the case that registered it. */
static kd_status describe(search *s, found *f)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(s->reg), s->err, &rows,
                          "select p.name, (select max(c.id) from case_file c where c.person_id = $1 and c.state <> "
                          "'cancelled') from person child left join relation r on r.person_id = child.id and r.kind = "
                          "'mother' and r.is_chosen = 1 left join person p on p.id = r.other_id where child.id = $1",
                          KD_VALUES(kd_int(f->person_id))));
    kd_status status = kd_rows_next(rows, &has_row, s->err);
    if (status == KD_OK && has_row) {
        f->mother_name = kd_arena_str(s->arena, kd_rows_text(rows, 0));
        f->case_id = kd_rows_int(rows, 1);
    }
    kd_rows_close(rows);
    return status;
}

/* ---- drafts, and cases begun with the same notice ---- */

static bool same_text(kd_str a, kd_str b)
{
    return a.len && kd_str_eq(a, b);
}

static bool is_near(int32_t a, int32_t b, int64_t days)
{
    return a != KD_DAY_NONE && b != KD_DAY_NONE && llabs((long long)a - b) <= days;
}

static uint32_t reasons_of_case(const search *s, const kd_birth_declaration *other)
{
    uint32_t reasons = 0;
    bool is_mother = same_text(s->d->mother.identity_number, other->mother.identity_number) ||
                     (s->d->mother.person_id && s->d->mother.person_id == other->mother.person_id) ||
                     (same_text(s->d->mother.name, other->mother.name) && s->d->mother.birth_day != KD_DAY_NONE &&
                      s->d->mother.birth_day == other->mother.birth_day);
    if (s->d->notice_record_id && s->d->notice_record_id == other->notice_record_id)
        reasons |= 1U << REASON_SAME_NOTICE;
    if (is_mother && is_near(s->d->birth_day, other->birth_day, s->pack->mother_days))
        reasons |= 1U << (s->d->birth_day == other->birth_day ? REASON_SAME_MOTHER_DAY : REASON_SAME_MOTHER_NEAR);
    for (size_t i = 0; i < s->d->child_count; i++)
        for (size_t j = 0; j < other->child_count; j++) {
            if (same_text(s->d->children[i].certificate_no, other->children[j].certificate_no))
                reasons |= 1U << REASON_SAME_CERTIFICATE;
            if (same_text(s->d->children[i].name, other->children[j].name) &&
                is_near(s->d->birth_day, other->birth_day, s->pack->name_days))
                reasons |= 1U << REASON_SAME_NAME_NEAR;
        }
    return reasons;
}

/* Whether a case's search text has anything of this declaration: spares reading its JSON. */
static bool may_be(const search *s, kd_str text)
{
    if (s->mother_name.len && kd_str_find(text, s->mother_name) >= 0) return true;
    if (s->d->mother.identity_number.len && kd_str_find(text, s->d->mother.identity_number) >= 0) return true;
    for (size_t i = 0; i < s->d->child_count; i++) {
        kd_str no = s->d->children[i].certificate_no;
        if (s->names[i].len && kd_str_find(text, s->names[i]) >= 0) return true;
        if (no.len && kd_str_find(text, no) >= 0) return true;
    }
    return false;
}

static kd_status take_case(search *s, const kd_rows *rows)
{
    kd_birth other = { .id = kd_rows_int(rows, 0) };
    birth_made made;
    KD_TRY(birth_facts_read(kd_rows_text(rows, 3), s->arena, &other, &made, s->err));
    uint32_t reasons = reasons_of_case(s, &other.declaration);
    if (!reasons) return KD_OK;
    found *f = find_slot(s, other.children[0].person_id, other.id);
    if (!f) return KD_OK;
    f->reasons |= reasons;
    f->case_id = other.id;
    f->division = kd_rows_int(rows, 1);
    f->name = other.declaration.children[0].name;
    f->mother_name = other.declaration.mother.name;
    f->sex = other.declaration.children[0].sex;
    f->birth_day = other.declaration.birth_day;
    return KD_OK;
}

static kd_status take_cases(search *s, kd_rows *rows, bool is_by_notice)
{
    bool has_row = false;
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, s->err)) == KD_OK && has_row) {
        if (kd_rows_int(rows, 0) == s->except_case) continue;
        if (!is_by_notice && !may_be(s, kd_rows_text(rows, 2))) continue;
        if ((status = take_case(s, rows)) != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status search_cases(search *s)
{
    kd_rows *rows;
    kd_store *store = kd_register_store(s->reg);
    if (s->d->notice_record_id) {
        KD_TRY(
            kd_store_query(store, s->err, &rows,
                           "select id, division, search, facts from case_file where notice_record_id = $1 and state <> "
                           "'cancelled' order by id limit $2",
                           KD_VALUES(kd_int(s->d->notice_record_id), kd_int(FOUND_MAX / 4))));
        KD_TRY(take_cases(s, rows, true));
    }
    if (s->d->birth_day == KD_DAY_NONE) return KD_OK;
    int64_t day = s->d->birth_day, days = s->pack->mother_days;
    KD_TRY(kd_store_query(
        store, s->err, &rows,
        "select id, division, search, facts from case_file where kind = 'birth_registration' and state = "
        "'draft' and event_day between $1 and $2 order by id limit $3",
        KD_VALUES(kd_int(day - days), kd_int(day + days), kd_int(DRAFTS_MAX))));
    return take_cases(s, rows, false);
}

/* ---- how likely, and why ---- */

/* Of the declared children the one most like it: twins of different sex are not each other. */
static double fit(const search *s, const found *f)
{
    double best = 0;
    for (size_t i = 0; i < s->d->child_count; i++) {
        double share = 1;
        int sex = s->d->children[i].sex;
        if ((sex == 1 || sex == 2) && (f->sex == 1 || f->sex == 2) && sex != f->sex) share *= s->pack->differing_sex;
        if (s->names[i].len && f->name.len && !kd_str_eq(s->names[i], f->name)) share *= s->pack->differing_name;
        if (share > best) best = share;
    }
    return best;
}

static kd_status tell(const search *s, const found *f, kd_birth_candidate *out)
{
    double not_same = 1;
    kd_buf zh, en;
    kd_buf_init(&zh, 1024);
    kd_buf_init(&en, 1024);
    for (size_t i = 0; i < REASONS; i++) {
        if (!(f->reasons & 1U << i)) continue;
        not_same *= 1 - s->pack->reasons[i].probability;
        if (zh.len) kd_buf_cstr(&zh, "；");
        if (en.len) kd_buf_cstr(&en, "; ");
        kd_buf_str(&zh, s->pack->reasons[i].words.zh);
        kd_buf_str(&en, s->pack->reasons[i].words.en);
    }
    uint32_t paper = 1U << REASON_SAME_CERTIFICATE | 1U << REASON_SAME_NOTICE;
    *out = (kd_birth_candidate){ .person_id = f->person_id,
                                 .case_id = f->case_id,
                                 .name = f->name,
                                 .mother_name = f->mother_name,
                                 .sex = f->sex,
                                 .birth_day = f->birth_day,
                                 .division = f->division,
                                 .probability = (1 - not_same) * (f->reasons & paper ? 1 : fit(s, f)),
                                 .why_zh = kd_arena_str(s->arena, kd_buf_view(&zh)),
                                 .why_en = kd_arena_str(s->arena, kd_buf_view(&en)) };
    kd_buf_done(&zh);
    kd_buf_done(&en);
    return out->why_zh.ptr && out->why_en.ptr ? KD_OK : birth_no_memory(s->err);
}

static int likelier_first(const void *a, const void *b)
{
    const kd_birth_candidate *x = a, *y = b;
    if (x->probability != y->probability) return x->probability > y->probability ? -1 : 1;
    int64_t id_x = x->person_id ? x->person_id : x->case_id, id_y = y->person_id ? y->person_id : y->case_id;
    return (id_x > id_y) - (id_x < id_y);
}

static kd_status prepare(search *s)
{
    s->found = kd_arena_array(s->arena, FOUND_MAX, sizeof *s->found);
    if (!s->found) return birth_no_memory(s->err);
    if (s->except_case) {
        kd_birth own;
        KD_TRY(kd_birth_get(s->reg, s->except_case, s->arena, &own, s->err));
        for (size_t i = 0; i < KD_BIRTH_CHILDREN_MAX; i++) s->own_persons[i] = own.children[i].person_id;
    }
    for (size_t i = 0; i < s->d->child_count; i++)
        KD_TRY(birth_fold_name(s->reg, s->d->children[i].name, s->arena, &s->names[i], s->err));
    return birth_fold_name(s->reg, s->d->mother.name, s->arena, &s->mother_name, s->err);
}

static kd_status search_all(search *s)
{
    KD_TRY(prepare(s));
    KD_TRY(find_mothers(s));
    for (size_t i = 0; i < s->mother_count; i++) KD_TRY(search_mother(s, s->mothers[i]));
    for (size_t i = 0; i < s->d->child_count; i++) {
        kd_str no = s->d->children[i].certificate_no;
        if (no.len) KD_TRY(search_certificate(s, no));
        if (s->names[i].len) KD_TRY(search_name(s, s->names[i]));
    }
    for (size_t i = 0; i < s->count; i++) KD_TRY(describe(s, &s->found[i]));
    return search_cases(s);
}

kd_status kd_birth_duplicates(kd_register *reg, const kd_births_pack *pack, const kd_birth_declaration *declaration,
                              int64_t except_case, kd_arena *arena, kd_birth_candidate **out_candidates,
                              size_t *out_count, kd_error *err)
{
    search s = { .reg = reg, .pack = pack, .d = declaration, .except_case = except_case, .arena = arena, .err = err };
    KD_TRY(search_all(&s));
    kd_birth_candidate *candidates = kd_arena_array(arena, s.count + 1, sizeof *candidates);
    if (!candidates) return birth_no_memory(err);
    for (size_t i = 0; i < s.count; i++) KD_TRY(tell(&s, &s.found[i], &candidates[i]));
    qsort(candidates, s.count, sizeof *candidates, likelier_first);
    *out_candidates = candidates;
    *out_count = s.count < (size_t)pack->candidates_max ? s.count : (size_t)pack->candidates_max;
    return KD_OK;
}
