/* Who belongs to whom: parents, couples and households, from what rows say of several persons. */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum { KIND_CHILD, KIND_FATHER, KIND_HOUSEHOLD, KIND_MOTHER, KIND_SPOUSE, KIND_COUNT } relation_kind;
static const char *const KIND_NAMES[KIND_COUNT] = { "child", "father", "household", "mother", "spouse" };

/* One statement of one row; households have a family's number in `other`. */
typedef struct {
    uint32_t person, other, record;
    uint8_t kind;
    int32_t from, to;
} statement;

typedef struct {
    kd_link_run *run;
    statement *list;
    size_t count, capacity;
    kd_dict *households; /* "source:number" */
    int64_t *family_id;  /* of household code */
} families;

static kd_status state(families *f, relation_kind kind, uint32_t person, uint32_t other, uint32_t record, int32_t from,
                       int32_t to, kd_error *err)
{
    if (person == other && kind != KIND_HOUSEHOLD) return KD_OK;
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 1 << 16;
        statement *grown = realloc(f->list, capacity * sizeof *grown);
        if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory for the relations");
        f->list = grown;
        f->capacity = capacity;
    }
    f->list[f->count++] = (statement){ person, other, record, (uint8_t)kind, from, to };
    return KD_OK;
}

/* ---- what rows say ---- */

static kd_status parent_and_child(families *f, uint32_t child, uint32_t parent, bool is_mother, uint32_t record,
                                  kd_error *err)
{
    KD_TRY(state(f, is_mother ? KIND_MOTHER : KIND_FATHER, child, parent, record, KD_DAY_NONE, KD_DAY_NONE, err));
    return state(f, KIND_CHILD, parent, child, record, KD_DAY_NONE, KD_DAY_NONE, err);
}

static kd_status couple(families *f, uint32_t a, uint32_t b, uint32_t record, int32_t from, int32_t to, kd_error *err)
{
    KD_TRY(state(f, KIND_SPOUSE, a, b, record, from, to, err));
    return state(f, KIND_SPOUSE, b, a, record, from, to, err);
}

static kd_status read_row(families *f, uint32_t from, uint32_t to, kd_error *err)
{
    const kd_record_table *t = &f->run->table;
    const uint32_t *person = f->run->clusters.cluster;
    for (uint32_t i = from; i < to; i++) {
        for (uint32_t j = from; j < to; j++) {
            bool is_child = t->role[i] == KD_ROLE_CHILD || t->role[i] == KD_ROLE_SUBJECT;
            bool is_parent = t->role[j] == KD_ROLE_MOTHER || t->role[j] == KD_ROLE_FATHER;
            if (i != j && is_child && is_parent)
                KD_TRY(parent_and_child(f, person[i], person[j], t->role[j] == KD_ROLE_MOTHER, i, err));
            if (t->role[i] != KD_ROLE_HUSBAND || t->role[j] != KD_ROLE_WIFE) continue;
            bool is_end = kd_str_is(kd_dict_text(t->texts[KD_TEXT_CODE], t->status[i]), "divorced");
            int32_t day = t->event_day[i];
            KD_TRY(couple(f, person[i], person[j], i, is_end ? KD_DAY_NONE : day, is_end ? day : KD_DAY_NONE, err));
        }
    }
    return KD_OK;
}

/* ---- households: records of one source that share its household number ---- */

typedef struct {
    uint32_t household, record;
} member;

static int by_household(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->household != y->household) return x->household < y->household ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

/* GB/T 4761 begins with 0 for the head, 1 for a spouse, 2 for a son, 3 for a daughter. */
static char relation_of(const kd_record_table *t, uint32_t record)
{
    kd_str code = kd_dict_text(t->texts[KD_TEXT_CODE], t->relation[record]);
    return code.len == 2 ? code.ptr[0] : '\0';
}

static kd_status read_head(families *f, const member *members, size_t count, uint32_t head, kd_error *err)
{
    const kd_record_table *t = &f->run->table;
    const uint32_t *person = f->run->clusters.cluster;
    for (size_t i = 0; i < count; i++) {
        uint32_t record = members[i].record;
        char relation = relation_of(t, record);
        if (relation == '1') KD_TRY(couple(f, person[head], person[record], record, KD_DAY_NONE, KD_DAY_NONE, err));
        bool is_child = relation == '2' || relation == '3';
        if (is_child && (t->sex[head] == 1 || t->sex[head] == 2))
            KD_TRY(parent_and_child(f, person[record], person[head], t->sex[head] == 2, record, err));
    }
    return KD_OK;
}

static kd_status read_household(families *f, const member *members, size_t count, kd_error *err)
{
    const kd_record_table *t = &f->run->table;
    uint32_t head = UINT32_MAX;
    size_t heads = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t record = members[i].record;
        KD_TRY(state(f, KIND_HOUSEHOLD, f->run->clusters.cluster[record], members[i].household, record, KD_DAY_NONE,
                     KD_DAY_NONE, err));
        if (relation_of(t, record) != '0') continue;
        head = record;
        heads++;
    }
    return heads == 1 ? read_head(f, members, count, head, err) : KD_OK; /* two heads: nobody knows whose child it is */
}

/* A record counts for the household of its source only when that source is one that the pack trusts for it. */
static kd_status collect_members(families *f, member *members, size_t *out_count, kd_error *err)
{
    const kd_record_table *t = &f->run->table;
    size_t n = 0;
    char key[160];
    for (uint32_t i = 0; i < t->count; i++) {
        if (!t->household[i] ||
            !kd_survivorship_trust(f->run->rules, KD_ATTR_HOUSEHOLD_NO, t->source_id[i], (kd_role)t->role[i]))
            continue;
        kd_str number = kd_dict_text(t->texts[KD_TEXT_HOUSEHOLD], t->household[i]);
        int64_t county = kd_division_at_level(t->division[i] ? t->division[i] : t->hukou_division[i], KD_LEVEL_COUNTY);
        int len = snprintf(key, sizeof key, "%d:%lld:%.*s", t->source_id[i], (long long)county,
                           (int)(number.len < 64 ? number.len : 64), number.ptr);
        uint32_t code = kd_dict_add(f->households, (kd_str){ key, (size_t)len });
        if (code == KD_DICT_NONE) return kd_fail(err, KD_LIMIT, "", "no memory for the households");
        members[n++] = (member){ code, i };
    }
    *out_count = n;
    return KD_OK;
}

static kd_status read_households(families *f, kd_error *err)
{
    member *members = malloc(((size_t)f->run->table.count + 1) * sizeof *members);
    if (!members) return kd_fail(err, KD_LIMIT, "", "no memory for the households");
    size_t n = 0;
    kd_status status = collect_members(f, members, &n, err);
    qsort(members, n, sizeof *members, by_household);
    for (size_t from = 0, to; from < n && status == KD_OK; from = to) {
        for (to = from + 1; to < n && members[to].household == members[from].household;) to++;
        status = read_household(f, members + from, to - from, err);
    }
    free(members);
    return status;
}

/* ---- families as rows: ids stay with their key ---- */

static kd_status read_family_ids(families *f, kd_error *err)
{
    uint32_t count = kd_dict_count(f->households);
    f->family_id = calloc((size_t)count + 1, sizeof *f->family_id);
    if (!f->family_id) return kd_fail(err, KD_LIMIT, "", "no memory for the households");
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(f->run->reg), err, &rows,
                          "select id, key from family where kind = 'household'", KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        uint32_t code = kd_dict_find(f->households, kd_rows_text(rows, 1));
        if (code != KD_DICT_NONE) f->family_id[code] = kd_rows_int(rows, 0);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status put_families(families *f, kd_bulk *bulk, kd_error *err)
{
    for (uint32_t code = 0; code < kd_dict_count(f->households); code++) {
        if (f->family_id[code]) continue;
        f->family_id[code] = kd_register_next_id(f->run->reg);
        kd_value values[] = { kd_int(f->family_id[code]), kd_text_value(KD_STR("household")),
                              kd_text_value(kd_dict_text(f->households, code)) };
        KD_TRY(kd_bulk_row(bulk, values, err));
    }
    return KD_OK;
}

static kd_status write_families(families *f, kd_error *err)
{
    static const char *const columns[] = { "id", "kind", "key" };
    kd_bulk *bulk;
    KD_TRY(read_family_ids(f, err));
    KD_TRY(kd_bulk_begin(kd_register_store(f->run->reg), "family", columns, 3, &bulk, err));
    kd_status status = put_families(f, bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

/* ---- relations as rows ---- */

static int by_key(const void *a, const void *b, void *ctx)
{
    const statement *x = a, *y = b;
    const int64_t *person_id = ctx;
    if (x->person != y->person) return person_id[x->person] < person_id[y->person] ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->other != y->other) return x->other < y->other ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

/* A person has one mother, one father, and lives in one household: the one that most rows name. */
static void choose_one(const statement *list, size_t from, size_t to, uint32_t *out_other)
{
    size_t best = 0;
    for (size_t i = from, next; i < to; i = next) {
        for (next = i + 1; next < to && list[next].other == list[i].other;) next++;
        if (next - i <= best) continue;
        best = next - i;
        *out_other = list[i].other;
    }
}

static kd_status put_relation(const families *f, const statement *list, size_t from, size_t to, bool is_chosen,
                              kd_bulk *bulk, kd_error *err)
{
    const kd_link_run *run = f->run;
    int32_t valid_from = KD_DAY_NONE, valid_to = KD_DAY_NONE;
    for (size_t i = from; i < to; i++) {
        if (list[i].from != KD_DAY_NONE && (valid_from == KD_DAY_NONE || list[i].from > valid_from))
            valid_from = list[i].from;
        if (list[i].to > valid_to) valid_to = list[i].to;
    }
    if (valid_to != KD_DAY_NONE && valid_from != KD_DAY_NONE && valid_to < valid_from)
        valid_to = KD_DAY_NONE; /* married again */
    bool is_household = list[from].kind == KIND_HOUSEHOLD;
    int64_t other = is_household ? f->family_id[list[from].other] : run->person_id[list[from].other];
    kd_value values[] = { kd_int(run->person_id[list[from].person]),
                          kd_text_value(kd_str_of(KIND_NAMES[list[from].kind])),
                          kd_int(other),
                          kd_day_value(valid_from),
                          kd_day_value(valid_to),
                          kd_int((int64_t)(to - from)),
                          kd_int(run->table.id[list[from].record]),
                          kd_int(is_chosen) };
    return kd_bulk_row(bulk, values, err);
}

static kd_status put_relations(const families *f, kd_bulk *bulk, kd_error *err)
{
    const statement *list = f->list;
    for (size_t from = 0, to; from < f->count; from = to) {
        for (to = from + 1; to < f->count && list[to].person == list[from].person && list[to].kind == list[from].kind;)
            to++;
        bool is_single =
            list[from].kind == KIND_MOTHER || list[from].kind == KIND_FATHER || list[from].kind == KIND_HOUSEHOLD;
        uint32_t chosen = UINT32_MAX;
        if (is_single) choose_one(list, from, to, &chosen);
        for (size_t i = from, next; i < to; i = next) {
            for (next = i + 1; next < to && list[next].other == list[i].other;) next++;
            KD_TRY(put_relation(f, list, i, next, !is_single || list[i].other == chosen, bulk, err));
        }
    }
    return KD_OK;
}

static kd_status write_relations(families *f, kd_error *err)
{
    static const char *const columns[] = { "person_id", "kind",    "other_id",         "valid_from",
                                           "valid_to",  "records", "source_record_id", "is_chosen" };
    kd_store *store = kd_register_store(f->run->reg);
    kd_bulk *bulk;
    if (f->count) qsort_r(f->list, f->count, sizeof *f->list, by_key, f->run->person_id);
    KD_TRY(kd_store_exec(store, err, NULL, "delete from relation", KD_NO_VALUES));
    KD_TRY(kd_bulk_begin(store, "relation", columns, 8, &bulk, err));
    kd_status status = put_relations(f, bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

static kd_status read_rows_of_several(families *f, kd_error *err)
{
    const kd_record_table *t = &f->run->table;
    for (uint32_t i = 0, end; i < t->count; i = end) {
        end = kd_record_table_row_end(t, i);
        if (end - i > 1) KD_TRY(read_row(f, i, end, err));
    }
    return KD_OK;
}

kd_status kd_link_write_relations(kd_link_run *run, kd_error *err)
{
    families f = { .run = run, .households = kd_dict_new() };
    kd_status status = f.households ? read_rows_of_several(&f, err) : kd_fail(err, KD_LIMIT, "", "no memory");
    if (status == KD_OK) status = read_households(&f, err);
    if (status == KD_OK) status = write_families(&f, err);
    if (status == KD_OK) status = write_relations(&f, err);
    free(f.list);
    free(f.family_id);
    kd_dict_free(f.households);
    return status;
}
