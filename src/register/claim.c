/* Holding a thing while working on it: a lease that runs out by itself. */
#include "register.h"

enum { OBJECT_BYTES_MAX = 64, NAME_BYTES_MAX = 200 };

static kd_status check_object(kd_str object, kd_error *err)
{
    bool is_right = object.len > 0 && object.len <= OBJECT_BYTES_MAX;
    return is_right ? KD_OK : kd_fail(err, KD_INVALID, "object", "the name of the thing held is too long or empty");
}

/* The lease as it stands, also when it has run out. KD_NOT_FOUND when there is none. */
static kd_status read_claim(kd_register *reg, kd_str object, kd_arena *arena, kd_claim *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_claim claim = { 0 };
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select account_id, until, name from claim where object = $1",
                          KD_VALUES(kd_text_value(object))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row)
        claim = (kd_claim){ kd_rows_int(rows, 0), kd_rows_int(rows, 1), kd_arena_str(arena, kd_rows_text(rows, 2)) };
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "nobody holds it");
    if (!claim.name.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a name");
    *out = claim;
    return KD_OK;
}

kd_status kd_claim_of(kd_register *reg, kd_str object, kd_arena *arena, kd_claim *out_holder, kd_error *err)
{
    kd_claim claim = { 0 };
    KD_TRY(read_claim(reg, object, arena, &claim, err));
    if (claim.until <= kd_now_us()) return kd_fail(err, KD_NOT_FOUND, "", "nobody holds it");
    *out_holder = claim;
    return KD_OK;
}

/* One statement takes a free, an own or a run-out lease: two who ask at once cannot both get it. */
kd_status kd_claim_take(kd_register *reg, kd_str object, int64_t account_id, kd_str name, int64_t lasts_us,
                        kd_arena *arena, kd_claim *out_holder, kd_error *err)
{
    int64_t now = kd_now_us(), taken = 0;
    KD_TRY(check_object(object, err));
    if (name.len > NAME_BYTES_MAX) return kd_fail(err, KD_INVALID, "name", "is longer than %d bytes", NAME_BYTES_MAX);
    KD_TRY(kd_store_exec(kd_register_store(reg), err, &taken,
                         "insert into claim (object, account_id, name, until) values ($1, $2, $3, $4) "
                         "on conflict (object) do update set account_id = excluded.account_id, name = excluded.name, "
                         "until = excluded.until where claim.account_id = excluded.account_id or claim.until <= $5",
                         KD_VALUES(kd_text_value(object), kd_int(account_id),
                                   kd_text_value(name.ptr ? name : KD_STR("")), kd_int(now + lasts_us), kd_int(now))));
    kd_claim holder = { 0 };
    kd_status status = read_claim(reg, object, arena, &holder, err);
    if (status == KD_NOT_FOUND) { /* let go between the two statements */
        kd_fail(err, KD_CONFLICT, "", "somebody else was working on it just now");
        kd_hint(err, "try again");
        return KD_CONFLICT;
    }
    if (status != KD_OK) return status;
    *out_holder = holder;
    if (taken) return KD_OK;
    kd_fail(err, KD_CONFLICT, "", "somebody else is working on it");
    kd_hint(err, "wait until they let go, or agree with them");
    return KD_CONFLICT;
}

kd_status kd_claim_release(kd_register *reg, kd_str object, int64_t account_id, kd_error *err)
{
    return kd_store_exec(kd_register_store(reg), err, NULL, "delete from claim where object = $1 and account_id = $2",
                         KD_VALUES(kd_text_value(object), kd_int(account_id)));
}
