/* Is a register in order. */
#include "register.h"

typedef struct {
    const char *sql; /* counts what must not be */
    const char *message;
} rule;

static const rule RULES[] = {
    { "select count(*) from source_record r where not exists (select 1 from batch b where b.id = r.batch_id)",
      "records belong to no batch" },
    { "select count(*) from batch b where b.records <> "
      "(select count(*) from source_record r where r.batch_id = b.id and r.id between b.first_record and b.last_record)",
      "batches hold another number of records than they say" },
    { "select count(*) from link l where not exists (select 1 from source_record r where r.id = l.source_record_id)",
      "links name records that are not there" },
    { "select count(*) from link l where not exists "
      "(select 1 from person p where p.id = l.person_id and p.state = 'active')",
      "links name persons that do not live" },
    { "select count(*) from (select source_record_id from link group by source_record_id having count(*) > 1) t",
      "records are linked to two persons" },
    { "select count(*) from link l join decision d on d.record_a = l.source_record_id and d.kind = 'withdrawn' "
      "and d.undone_at is null",
      "withdrawn records are linked" },
    { "select count(*) from batch b join source_record r on r.batch_id = b.id and r.id between b.first_record and "
      "b.last_record where b.declared_by is not null and not exists (select 1 from link l "
      "where l.source_record_id = r.id and l.decided = 1) and not exists (select 1 from decision d "
      "where d.record_a = r.id and d.kind = 'withdrawn' and d.undone_at is null)",
      "declared records are linked to nobody" },
    { "select count(*) from person p where p.state = 'active' and p.records <> "
      "(select count(*) from link l where l.person_id = p.id)",
      "persons hold another number of records than they say" },
    { "select count(*) from relation r where r.kind in ('mother', 'father', 'child', 'spouse') and not exists "
      "(select 1 from person p where p.id = r.other_id)",
      "relations name persons that are not there" },
};

kd_status kd_register_check(kd_register *reg, kd_error *err)
{
    kd_store *store = kd_register_store(reg);
    KD_TRY(kd_store_check_version(store, err));
    KD_TRY(kd_store_check(store, err));
    KD_TRY(kd_store_check_shards(store, err));
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        int64_t wrong;
        KD_TRY(kd_store_int(store, err, &wrong, RULES[i].sql, KD_NO_VALUES));
        if (!wrong) continue;
        kd_fail(err, KD_INVALID, "", "%lld %s", (long long)wrong, RULES[i].message);
        kd_hint(err, "keep this database as it is, and restore the last backup into a new register");
        return KD_INVALID;
    }
    return KD_OK;
}
