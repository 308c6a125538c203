/*
 * What hospitals told of and nobody registered. Links have no index by record, so a child's person is reached from what its row
 * says: its certificate, or its mother's identity number and her children. Each batch's records lie together in the key, and
 * only those born within the pack's window are looked at.
 */
#include "births.h"

#include <stdlib.h>
#include <string.h>

enum { BATCHES_MAX = 256, LIST_MAX = 200, FEED_PARAMS = BIRTH_FEEDS_MAX };
#define US_PER_DAY INT64_C(86400000000)

/*
 * The person that child record c is linked to; c's mother m is the record after it in its row. Sub-selects that give one value are
 * answered by key row by row; joins are left to the planner, which without statistics (just after a bulk load) may read the
 * whole table for every row.
 */
#define IS_LINKED_TO(person) \
    "(select count(*) from link l where l.person_id = " person " and l.source_record_id = c.id) > 0 "
#define PERSON_BY_CERTIFICATE                                                                     \
    "(select i.person_id from person_identifier i where i.kind = 'certificate_no' and i.value = " \
    "c.certificate_no and " IS_LINKED_TO("i.person_id") "limit 1)"
#define PERSON_BY_MOTHER                                                                                             \
    "(select r.other_id from person_identifier i join relation r on r.person_id = i.person_id and r.kind = 'child' " \
    "where i.kind = 'identity_number' and i.value = m.identity_number and " IS_LINKED_TO("r.other_id") "limit 1)"
#define PERSON_OF_CHILD "coalesce(" PERSON_BY_CERTIFICATE ", " PERSON_BY_MOTHER ", 0)"
#define CHILD_AND_MOTHER                                                                                               \
    "from source_record c left join source_record m on m.id = (select case when x.batch_id = c.batch_id and x.row_no " \
    "= c.row_no and x.role = 3 then x.id end from source_record x where x.id > c.id order by x.id limit 1) "

/* ---- the list ---- */

typedef struct {
    int64_t id, first, last;
    kd_str feed;
} batch_range;

typedef struct {
    kd_register *reg;
    const kd_births_pack *pack;
    int64_t division;
    kd_str like;
    int32_t today, after_day;
    int64_t after_id;
    size_t limit;
    kd_arena *arena;
    kd_delivery_notice *notices;
    size_t count, room;
    int64_t registered_by[FEED_PARAMS]; /* sources; -1 where there are no more */
    kd_error *err;
} listing;

/* A fixed number of placeholders, the last feed repeated. */
static void feed_values(const kd_str *feeds, size_t count, kd_value *out)
{
    for (size_t i = 0; i < FEED_PARAMS; i++) out[i] = kd_text_value(feeds[i < count ? i : count - 1]);
}

static kd_status find_sources(listing *l)
{
    for (size_t i = 0; i < FEED_PARAMS; i++) {
        l->registered_by[i] = -1;
        if (i >= l->pack->registered_by_count) continue;
        KD_TRY(kd_store_int(kd_register_store(l->reg), l->err, &l->registered_by[i],
                            "select coalesce(max(id), -1) from source where feed = $1",
                            KD_VALUES(kd_text_value(l->pack->registered_by[i]))));
    }
    return KD_OK;
}

static kd_status find_batches(listing *l, batch_range *out, size_t *out_count)
{
    kd_value values[FEED_PARAMS + 2];
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    feed_values(l->pack->told_by, l->pack->told_by_count, values);
    values[FEED_PARAMS] = kd_int(kd_now_us() - l->pack->window_days * US_PER_DAY);
    values[FEED_PARAMS + 1] = kd_int(BATCHES_MAX);
    KD_TRY(kd_store_query(kd_register_store(l->reg), l->err, &rows,
                          "select b.id, b.first_record, b.last_record, s.feed from batch b join source s on s.id = "
                          "b.source_id where s.feed in ($1, $2, $3, $4, $5, $6, $7, $8) and b.received_at >= $9 and "
                          "b.first_record is not null order by b.received_at desc, b.id desc limit $10",
                          values, FEED_PARAMS + 2));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, l->err)) == KD_OK && has_row && count < BATCHES_MAX)
        out[count++] = (batch_range){ kd_rows_int(rows, 0), kd_rows_int(rows, 1), kd_rows_int(rows, 2),
                                      kd_arena_str(l->arena, kd_rows_text(rows, 3)) };
    kd_rows_close(rows);
    *out_count = count;
    return status;
}

#define LIST_SQL                                                                                                         \
    "select c.id, c.name, m.name, c.sex, c.birth_day, coalesce(m.division, c.division), c.institution " CHILD_AND_MOTHER \
    "where c.id between $1 and $2 and c.batch_id = $3 and c.role = 2 and c.birth_day between $4 and $5 and "             \
    "(c.birth_day > $6 or (c.birth_day = $6 and c.id > $7)) and coalesce(m.division, c.division, 0) between $8 and "     \
    "$9 and ($10 = '%%' or c.name like $10 escape '!' or m.name like $10 escape '!') and coalesce((select 1 from "       \
    "case_file f where f.notice_record_id = c.id and f.state <> 'cancelled' limit 1), 0) = 0 and (select count(*) from " \
    "link k where k.person_id = " PERSON_OF_CHILD " and (select s.source_id from source_record s where s.id = "          \
    "k.source_record_id) in ($12, $13, $14, $15, $16, $17, $18, $19)) = 0 "                                              \
    "order by c.birth_day, c.id limit $11"

static kd_status list_batch(listing *l, const batch_range *batch)
{
    kd_value values[11 + FEED_PARAMS] = { kd_int(batch->first),
                                          kd_int(batch->last),
                                          kd_int(batch->id),
                                          kd_int(l->today - l->pack->window_days),
                                          kd_int(l->today),
                                          kd_int(l->after_day),
                                          kd_int(l->after_id),
                                          kd_int(l->division),
                                          kd_int(l->division ? kd_area_last_code(l->division) : INT64_MAX),
                                          kd_text_value(l->like),
                                          kd_int((int64_t)l->limit + 1) };
    kd_rows *rows;
    bool has_row = false;
    for (size_t i = 0; i < FEED_PARAMS; i++) values[11 + i] = kd_int(l->registered_by[i]);
    KD_TRY(kd_store_query(kd_register_store(l->reg), l->err, &rows, LIST_SQL, values, 11 + FEED_PARAMS));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, l->err)) == KD_OK && has_row && l->count < l->room)
        l->notices[l->count++] = (kd_delivery_notice){ .record_id = kd_rows_int(rows, 0),
                                                       .child_name = kd_arena_str(l->arena, kd_rows_text(rows, 1)),
                                                       .mother_name = kd_arena_str(l->arena, kd_rows_text(rows, 2)),
                                                       .institution = kd_arena_str(l->arena, kd_rows_text(rows, 6)),
                                                       .feed = batch->feed,
                                                       .sex = (int)kd_rows_int(rows, 3),
                                                       .birth_day = kd_rows_day(rows, 4),
                                                       .division = kd_rows_int(rows, 5),
                                                       .days_waiting = l->today - kd_rows_day(rows, 4) };
    kd_rows_close(rows);
    return status;
}

static int oldest_first(const void *a, const void *b)
{
    const kd_delivery_notice *x = a, *y = b;
    if (x->birth_day != y->birth_day) return x->birth_day < y->birth_day ? -1 : 1;
    return (x->record_id > y->record_id) - (x->record_id < y->record_id);
}

/* The smallest of all batches, kept to what a page needs after each, so that memory stays a page's. */
static void keep_page(listing *l)
{
    qsort(l->notices, l->count, sizeof *l->notices, oldest_first);
    if (l->count > l->limit + 1) l->count = l->limit + 1;
}

/* One birth told of by two feeds is shown once: the delivery and the certificate say the same. */
static bool is_told_before(const kd_delivery_notice *notices, size_t count, const kd_delivery_notice *notice)
{
    for (size_t i = count; i-- > 0 && notices[i].birth_day == notice->birth_day;)
        if (!kd_str_eq(notices[i].feed, notice->feed) && notice->mother_name.len && notices[i].sex == notice->sex &&
            kd_str_eq(notices[i].mother_name, notice->mother_name))
            return true;
    return false;
}

static bool read_cursor(kd_str cursor, int32_t *out_day, int64_t *out_id)
{
    kd_str part;
    int64_t day;
    if (!kd_str_next(&cursor, '.', &part) || !kd_str_int(part, &day) || day < INT32_MIN || day > INT32_MAX)
        return false;
    *out_day = (int32_t)day;
    return kd_str_int(cursor, out_id);
}

static void finish_page(listing *l, kd_delivery_page *page)
{
    size_t taken = l->count < l->limit ? l->count : l->limit;
    page->notices = l->notices;
    if (l->count > l->limit)
        page->next = kd_arena_fmt(l->arena, "%d.%lld", l->notices[taken - 1].birth_day,
                                  (long long)l->notices[taken - 1].record_id);
    for (size_t i = 0; i < taken; i++) {
        kd_delivery_notice notice = l->notices[i];
        if (!is_told_before(l->notices, page->count, &notice)) l->notices[page->count++] = notice;
    }
}

kd_status kd_delivery_list(kd_register *reg, const kd_births_pack *pack, int64_t division, kd_str query, kd_str cursor,
                           size_t limit, kd_arena *arena, kd_delivery_page *out_page, kd_error *err)
{
    listing l = { .reg = reg,
                  .pack = pack,
                  .division = division,
                  .today = kd_today(),
                  .after_day = INT32_MIN,
                  .limit = limit,
                  .arena = arena,
                  .err = err };
    kd_delivery_page page = { .notices = NULL };
    size_t batch_count;
    if (limit < 1 || limit > LIST_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page brings 1 to %d notices", LIST_MAX);
    if (cursor.len && !read_cursor(cursor, &l.after_day, &l.after_id))
        return kd_fail(err, KD_INVALID, "cursor", "no page gave this cursor");
    KD_TRY(birth_like_pattern(reg, query, arena, &l.like, err));
    batch_range *batches = kd_arena_array(arena, BATCHES_MAX, sizeof *batches);
    l.room = 2 * (limit + 1);
    l.notices = kd_arena_array(arena, l.room, sizeof *l.notices);
    if (!batches || !l.notices) return birth_no_memory(err);
    KD_TRY(find_sources(&l));
    KD_TRY(find_batches(&l, batches, &batch_count));
    for (size_t i = 0; i < batch_count; i++) {
        KD_TRY(list_batch(&l, &batches[i]));
        keep_page(&l);
    }
    finish_page(&l, &page);
    *out_page = page;
    return KD_OK;
}

/* ---- one notice ---- */

typedef struct {
    kd_source_record child, mother, father;
    bool has_mother, has_father;
    int64_t mother_person, batch_division;
} row;

/* Texts of a record outlive its row of the result. */
static kd_status keep_record(const kd_rows *rows, kd_arena *arena, kd_source_record *out, kd_error *err)
{
    kd_record_read(rows, out);
    kd_str *texts[] = { &out->name,      &out->name_written,   &out->identity_number, &out->phone,  &out->address,
                        &out->ethnicity, &out->certificate_no, &out->handbook_no,     &out->status, &out->institution };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!texts[i]->ptr) continue;
        *texts[i] = kd_arena_str(arena, *texts[i]);
        if (!texts[i]->ptr) return birth_no_memory(err);
    }
    return KD_OK;
}

static kd_status read_child(kd_register *reg, const kd_births_pack *pack, int64_t id, kd_arena *arena, row *out,
                            kd_error *err)
{
    kd_value values[1 + FEED_PARAMS] = { kd_int(id) };
    kd_rows *rows;
    bool has_row = false;
    feed_values(pack->told_by, pack->told_by_count, values + 1);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where id = $1 and role = 2 and source_id in "
                          "(select id from source where feed in ($2, $3, $4, $5, $6, $7, $8, $9))",
                          values, 1 + FEED_PARAMS));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && !has_row) status = kd_fail(err, KD_NOT_FOUND, "id", "no hospital told of such a birth");
    if (status == KD_OK) status = keep_record(rows, arena, &out->child, err);
    kd_rows_close(rows);
    return status;
}

static kd_status read_parents(kd_register *reg, kd_arena *arena, row *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " KD_RECORD_COLUMNS " from source_record where id > $1 order by id limit 2",
                          KD_VALUES(kd_int(out->child.id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        kd_source_record record;
        if ((status = keep_record(rows, arena, &record, err)) != KD_OK) break;
        if (record.batch_id != out->child.batch_id || record.row_no != out->child.row_no) break;
        if (record.role == KD_ROLE_MOTHER) out->mother = record;
        if (record.role == KD_ROLE_FATHER) out->father = record;
        out->has_mother = out->has_mother || record.role == KD_ROLE_MOTHER;
        out->has_father = out->has_father || record.role == KD_ROLE_FATHER;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status find_person(kd_register *reg, kd_str identity, int64_t *out_id, kd_error *err)
{
    *out_id = 0;
    if (!identity.len) return KD_OK;
    return kd_store_int(
        kd_register_store(reg), err, out_id,
        "select coalesce(max(p.id), 0) from person_identifier i join person p on p.id = i.person_id where "
        "i.kind = 'identity_number' and i.value = $1 and p.state = 'active'",
        KD_VALUES(kd_text_value(identity)));
}

static kd_status read_row(kd_register *reg, const kd_births_pack *pack, int64_t id, kd_arena *arena, row *out,
                          kd_error *err)
{
    *out = (row){ .mother_person = 0 };
    KD_TRY(read_child(reg, pack, id, arena, out, err));
    KD_TRY(read_parents(reg, arena, out, err));
    KD_TRY(kd_store_int(kd_register_store(reg), err, &out->batch_division,
                        "select coalesce(division, 0) from batch where id = $1",
                        KD_VALUES(kd_int(out->child.batch_id))));
    return out->has_mother ? find_person(reg, out->mother.identity_number, &out->mother_person, err) : KD_OK;
}

static birth_told told_of(const kd_source_record *r, int64_t person_id)
{
    return (birth_told){ .record_id = r->id,
                         .person_id = person_id,
                         .name = r->name,
                         .certificate_no = r->certificate_no,
                         .address = r->address,
                         .sex = r->sex > 0 ? r->sex : 0,
                         .birth_order = r->birth_order,
                         .birth_day = r->birth_day,
                         .death_day = r->death_day,
                         .division = r->division };
}

/* ---- born together ---- */

#define TOLD_COLUMNS \
    "c.id, c.name, c.sex, c.birth_day, c.certificate_no, c.birth_order, c.death_day, c.division, c.address"

/* Records of one person are one child; twins that the linking took for one are still two. */
static bool is_same_child(const birth_told *a, const birth_told *b)
{
    bool is_twin = a->birth_order && b->birth_order && a->birth_order != b->birth_order;
    return a->person_id && a->person_id == b->person_id && !is_twin;
}

static void add_told(birth_told *list, size_t *count, const birth_told *told)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i].record_id == told->record_id) {
            list[i].person_id = told->person_id;
            return;
        }
        if (is_same_child(&list[i], told)) { /* in another feed: fill what is missing */
            if (!list[i].name.len) list[i].name = told->name;
            if (!list[i].certificate_no.len) list[i].certificate_no = told->certificate_no;
            if (!list[i].birth_order) list[i].birth_order = told->birth_order;
            return;
        }
    }
    if (*count < KD_BIRTH_CHILDREN_MAX) list[(*count)++] = *told;
}

static kd_status read_told(kd_rows *rows, kd_arena *arena, birth_told *list, size_t *count, kd_error *err)
{
    bool has_row = false;
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        const birth_told told = { .record_id = kd_rows_int(rows, 0),
                                  .name = kd_arena_str(arena, kd_rows_text(rows, 1)),
                                  .sex = (int)kd_rows_int(rows, 2),
                                  .birth_day = kd_rows_day(rows, 3),
                                  .certificate_no = kd_arena_str(arena, kd_rows_text(rows, 4)),
                                  .birth_order = (int)kd_rows_int(rows, 5),
                                  .death_day = kd_rows_day(rows, 6),
                                  .division = kd_rows_int(rows, 7),
                                  .address = kd_arena_str(arena, kd_rows_text(rows, 8)),
                                  .person_id = kd_rows_int(rows, 9) };
        add_told(list, count, &told);
    }
    kd_rows_close(rows);
    return status;
}

/* Records of the mother's children born that day, by the children she has in the register. */
static kd_status read_siblings(kd_register *reg, const kd_births_pack *pack, const row *r, kd_arena *arena,
                               birth_told *list, size_t *count, kd_error *err)
{
    kd_value values[3 + FEED_PARAMS] = { kd_int(r->mother_person), kd_int(r->child.birth_day - 1),
                                         kd_int(r->child.birth_day + 1) };
    kd_rows *rows;
    feed_values(pack->told_by, pack->told_by_count, values + 3);
    KD_TRY(kd_store_query(
        kd_register_store(reg), err, &rows,
        "select " TOLD_COLUMNS ", p.id from relation r join person p on p.id = r.other_id join link l on "
        "l.person_id = p.id join source_record c on c.id = l.source_record_id join source q on q.id = "
        "c.source_id where r.person_id = $1 and r.kind = 'child' and p.state = 'active' and p.birth_day "
        "between $2 and $3 and c.role = 2 and q.feed in ($4, $5, $6, $7, $8, $9, $10, $11) order by c.id",
        values, 3 + FEED_PARAMS));
    return read_told(rows, arena, list, count, err);
}

static int first_born_first(const void *a, const void *b)
{
    const birth_told *x = a, *y = b;
    if (x->birth_order != y->birth_order) return x->birth_order - y->birth_order;
    return (x->record_id > y->record_id) - (x->record_id < y->record_id);
}

static kd_status told_children(kd_register *reg, const kd_births_pack *pack, const row *r, kd_arena *arena,
                               birth_told *list, size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    size_t count = 0;
    list[count++] = told_of(&r->child, 0);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " TOLD_COLUMNS ", " PERSON_OF_CHILD CHILD_AND_MOTHER "where c.id = $1",
                          KD_VALUES(kd_int(r->child.id))));
    KD_TRY(read_told(rows, arena, list, &count, err));
    if (r->mother_person) KD_TRY(read_siblings(reg, pack, r, arena, list, &count, err));
    qsort(list, count, sizeof *list, first_born_first);
    *out_count = count;
    return KD_OK;
}

kd_status birth_told_children(kd_register *reg, const kd_births_pack *pack, int64_t record_id, kd_arena *arena,
                              birth_told out[KD_BIRTH_CHILDREN_MAX], size_t *out_count, kd_error *err)
{
    row r;
    KD_TRY(read_row(reg, pack, record_id, arena, &r, err));
    return told_children(reg, pack, &r, arena, out, out_count, err);
}

/* ---- a declaration filled ---- */

static void prefer(kd_str *value, kd_str otherwise)
{
    if (!value->len) *value = otherwise;
}

static void fill_from_record(kd_birth_person *person, const kd_source_record *record)
{
    person->name = record->name;
    person->identity_number = record->identity_number;
    person->phone = record->phone;
    person->ethnicity = record->ethnicity;
    person->birth_day = record->birth_day;
    person->division = record->division;
    person->hukou_division = record->hukou_division;
    person->address = record->address;
}

/* What the row leaves open, the register may know. */
static kd_status fill_from_person(kd_register *reg, int64_t id, kd_arena *arena, kd_birth_person *person, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(
        kd_store_query(kd_register_store(reg), err, &rows,
                       "select name, identity_number, phone, ethnicity, birth_day, division, hukou_division, address "
                       "from person where id = $1 and state = 'active'",
                       KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        person->person_id = id;
        prefer(&person->name, kd_arena_str(arena, kd_rows_text(rows, 0)));
        prefer(&person->identity_number, kd_arena_str(arena, kd_rows_text(rows, 1)));
        prefer(&person->phone, kd_arena_str(arena, kd_rows_text(rows, 2)));
        prefer(&person->ethnicity, kd_arena_str(arena, kd_rows_text(rows, 3)));
        if (person->birth_day == KD_DAY_NONE) person->birth_day = kd_rows_day(rows, 4);
        if (!person->division) person->division = kd_rows_int(rows, 5);
        if (!person->hukou_division) person->hukou_division = kd_rows_int(rows, 6);
        prefer(&person->address, kd_arena_str(arena, kd_rows_text(rows, 7)));
    }
    kd_rows_close(rows);
    return status;
}

static kd_status father_of(kd_register *reg, int64_t child_person, int64_t *out_id, kd_error *err)
{
    return kd_store_int(kd_register_store(reg), err, out_id,
                        "select coalesce(max(other_id), 0) from relation where person_id = $1 and kind = 'father' and "
                        "is_chosen = 1",
                        KD_VALUES(kd_int(child_person)));
}

static kd_status fill_parents(kd_register *reg, const row *r, int64_t child_person, kd_arena *arena,
                              kd_birth_declaration *d, kd_error *err)
{
    int64_t father = 0;
    if (r->has_mother) fill_from_record(&d->mother, &r->mother);
    if (r->has_father) fill_from_record(&d->father, &r->father);
    if (r->mother_person) KD_TRY(fill_from_person(reg, r->mother_person, arena, &d->mother, err));
    if (r->has_father) KD_TRY(find_person(reg, r->father.identity_number, &father, err));
    if (!father && child_person) KD_TRY(father_of(reg, child_person, &father, err));
    if (father) KD_TRY(fill_from_person(reg, father, arena, &d->father, err));
    d->has_mother = r->has_mother;
    d->has_father = r->has_father || father;
    return KD_OK;
}

static void fill_rest(const row *r, const birth_told *told, size_t count, kd_birth_declaration *d)
{
    d->notice_record_id = r->child.id;
    d->birth_day = r->child.birth_day;
    d->child_count = count;
    for (size_t i = 0; i < count; i++)
        d->children[i] = (kd_birth_child){ .name = told[i].name,
                                           .sex = told[i].sex,
                                           .birth_order = count > 1 ? told[i].birth_order : 0,
                                           .certificate_no = told[i].certificate_no,
                                           .death_day = told[i].death_day };
    d->residence_division = r->mother.division ? r->mother.division : r->child.division;
    d->residence_address = d->mother.address.len ? d->mother.address : r->child.address;
    d->place_kind = KD_BIRTH_IN_HOSPITAL;
    d->institution = r->child.institution;
    d->place_division =
        r->batch_division ? r->batch_division : kd_division_at_level(d->residence_division, KD_LEVEL_COUNTY);
    d->declarant_kind = KD_DECLARANT_MOTHER;
    d->declarant_name = d->mother.name;
    d->declarant_phone = d->mother.phone;
}

kd_status kd_birth_prefill(kd_register *reg, const kd_births_pack *pack, int64_t notice_record_id, kd_arena *arena,
                           kd_birth_declaration *out_declaration, kd_error *err)
{
    row r;
    birth_told told[KD_BIRTH_CHILDREN_MAX];
    size_t count;
    kd_birth_declaration d;
    KD_TRY(kd_birth_read_json(KD_STR("{}"), arena, &d, err));
    KD_TRY(read_row(reg, pack, notice_record_id, arena, &r, err));
    KD_TRY(told_children(reg, pack, &r, arena, told, &count, err));
    KD_TRY(fill_parents(reg, &r, told[0].person_id, arena, &d, err));
    fill_rest(&r, told, count, &d);
    *out_declaration = d;
    return KD_OK;
}
