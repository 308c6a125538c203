/* Parents and children of a few rows, counted into the relations that a link run made and out of them again. */
#include "live.h"

/* One statement of one row: `person` has a `kind`, who is `other`. */
typedef struct {
    const char *kind;
    int64_t person, other, record;
    int64_t child, parent; /* the same two */
    kd_role parent_role;
} statement;

static bool is_single(const char *kind)
{
    return kind[0] != 'c'; /* mother, father; not child */
}

/* One mother and one father: whom most rows name, of equals the one who was known first. As in family.c. */
static kd_status choose(kd_live *live, int64_t person, const char *kind, kd_error *err)
{
    int64_t chosen;
    kd_store *store = kd_register_store(live->reg);
    kd_status status = kd_store_int(store, err, &chosen,
                                    "select other_id from relation where person_id = $1 and kind = $2 "
                                    "order by records desc, (select min(source_record_id) from link "
                                    "where link.person_id = relation.other_id), other_id limit 1",
                                    KD_VALUES(kd_int(person), kd_text_value(kd_str_of(kind))));
    if (status == KD_NOT_FOUND) return KD_OK;
    if (status != KD_OK) return status;
    return kd_store_exec(store, err, NULL,
                         "update relation set is_chosen = case when other_id = $3 then 1 else 0 end "
                         "where person_id = $1 and kind = $2",
                         KD_VALUES(kd_int(person), kd_text_value(kd_str_of(kind)), kd_int(chosen)));
}

static kd_status add(kd_live *live, const statement *s, kd_error *err)
{
    KD_TRY(kd_store_exec(
        kd_register_store(live->reg), err, NULL,
        "insert into relation (person_id, kind, other_id, records, source_record_id, is_chosen) "
        "values ($1, $2, $3, 1, $4, 1) on conflict (person_id, kind, other_id) do update set "
        "records = relation.records + 1, source_record_id = case when excluded.source_record_id < "
        "relation.source_record_id then excluded.source_record_id else relation.source_record_id end",
        KD_VALUES(kd_int(s->person), kd_text_value(kd_str_of(s->kind)), kd_int(s->other), kd_int(s->record))));
    return is_single(s->kind) ? choose(live, s->person, s->kind, err) : KD_OK;
}

/* Another record of the child whose row names that parent; the first one of the child when only a household does. */
static kd_status another_record(kd_live *live, const statement *s, int64_t *out_record, kd_error *err)
{
    kd_store *store = kd_register_store(live->reg);
    KD_TRY(kd_store_int(store, err, out_record,
                        "select coalesce(min(a.id), 0) from link c join source_record a on a.id = c.source_record_id "
                        "join link p on p.person_id = $2 join source_record b on b.id = p.source_record_id "
                        "where c.person_id = $1 and a.id <> $3 and a.role in ($4, $5) and b.role = $6 "
                        "and a.batch_id = b.batch_id and a.row_no = b.row_no",
                        KD_VALUES(kd_int(s->child), kd_int(s->parent), kd_int(s->record), kd_int(KD_ROLE_CHILD),
                                  kd_int(KD_ROLE_SUBJECT), kd_int(s->parent_role))));
    if (*out_record) return KD_OK;
    return kd_store_int(store, err, out_record,
                        "select coalesce(min(source_record_id), $2) from link "
                        "where person_id = $1 and source_record_id <> $2",
                        KD_VALUES(kd_int(s->child), kd_int(s->record)));
}

static kd_status take_back(kd_live *live, const statement *s, kd_error *err)
{
    kd_store *store = kd_register_store(live->reg);
    int64_t is_left;
    const kd_value key[] = { kd_int(s->person), kd_text_value(kd_str_of(s->kind)), kd_int(s->other) };
    KD_TRY(kd_store_exec(store, err, NULL,
                         "update relation set records = records - 1 where person_id = $1 and kind = $2 "
                         "and other_id = $3",
                         key, 3));
    KD_TRY(kd_store_exec(store, err, NULL,
                         "delete from relation where person_id = $1 and kind = $2 and other_id = $3 and records < 1",
                         key, 3));
    KD_TRY(kd_store_int(store, err, &is_left,
                        "select count(*) from relation where person_id = $1 and kind = $2 and other_id = $3 "
                        "and source_record_id = $4",
                        KD_VALUES(key[0], key[1], key[2], kd_int(s->record))));
    if (is_left) {
        int64_t record;
        KD_TRY(another_record(live, s, &record, err));
        KD_TRY(kd_store_exec(store, err, NULL,
                             "update relation set source_record_id = $4 where person_id = $1 and kind = $2 "
                             "and other_id = $3",
                             KD_VALUES(key[0], key[1], key[2], kd_int(record))));
    }
    return is_single(s->kind) ? choose(live, s->person, s->kind, err) : KD_OK;
}

typedef kd_status (*doing)(kd_live *live, const statement *s, kd_error *err);

/* Both directions of what child `i` and parent `j` of one row say; nothing when they are not such. */
static kd_status state_pair(kd_live *live, const kd_source_record *records, const int64_t *persons, size_t i, size_t j,
                            doing what, kd_error *err)
{
    const kd_source_record *child = &records[i], *parent = &records[j];
    bool is_child = child->role == KD_ROLE_CHILD || child->role == KD_ROLE_SUBJECT;
    bool is_parent = parent->role == KD_ROLE_MOTHER || parent->role == KD_ROLE_FATHER;
    if (!is_child || !is_parent || child->row_no != parent->row_no || child->batch_id != parent->batch_id) return KD_OK;
    if (!persons[i] || !persons[j] || persons[i] == persons[j]) return KD_OK;
    statement s = { parent->role == KD_ROLE_MOTHER ? "mother" : "father",
                    persons[i],
                    persons[j],
                    child->id,
                    persons[i],
                    persons[j],
                    parent->role };
    KD_TRY(what(live, &s, err));
    s.kind = "child";
    s.person = persons[j];
    s.other = persons[i];
    return what(live, &s, err);
}

kd_status kd_live_relate(kd_live *live, const kd_source_record *records, const int64_t *persons, size_t count,
                         kd_error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) KD_TRY(state_pair(live, records, persons, i, j, add, err));
    return KD_OK;
}

kd_status kd_live_unrelate(kd_live *live, const kd_source_record *records, const int64_t *persons, size_t count,
                           size_t leaving, kd_error *err)
{
    for (size_t i = 0; i < count; i++) {
        KD_TRY(state_pair(live, records, persons, leaving, i, take_back, err));
        KD_TRY(state_pair(live, records, persons, i, leaving, take_back, err));
    }
    return KD_OK;
}
