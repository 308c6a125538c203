/*
 * The file beside the register: DIR/audit_waiting.db, entries numbered on from `audit_head.waiting`, the last that the log has taken
 * over. That number moves by the commit that chains them, so each comes into the log once, whenever a process is killed. They have a
 * chain of their own, which goes on from `audit_head.waiting_hash`; what is found altered or missing is taken over as it stands, and
 * an entry behind it says so.
 */
#include "waiting.h"

#include "chain.h"

#include <stdlib.h>
#include <string.h>

static const char FILE_NAME[] = "audit_waiting.db";
static const char MAKE_TABLE[] =
    "create table if not exists waiting (seq integer not null primary key, at bigint not null, account_id bigint, "
    "login text, role text, action text not null, purpose text, object text, person_id bigint, division bigint, "
    "is_allowed integer not null, request_id text, address text, detail text, hash text not null)";

struct kd_audit_waiting {
    char *path;
    kd_store *file;   /* NULL until it is there */
    int64_t last_seq; /* of this process */
    bool has_any;
};

/* ---- opening ---- */

static kd_status open_file(kd_audit_waiting *waiting, bool is_new, kd_error *err)
{
    char url[4096];
    int len = snprintf(url, sizeof url, "sqlite:%s", waiting->path);
    if (len < 0 || (size_t)len >= sizeof url) return kd_fail(err, KD_LIMIT, "", "the path of the register is too long");
    KD_TRY(kd_store_open(url, is_new, &waiting->file, err));
    kd_status status = kd_store_exec(waiting->file, err, NULL, MAKE_TABLE, KD_NO_VALUES);
    if (status == KD_OK) return KD_OK;
    kd_store_close(waiting->file);
    waiting->file = NULL;
    return status;
}

static kd_status open_left(kd_audit_waiting *waiting, kd_error *err)
{
    int64_t count;
    if (!kd_file_exists(waiting->path)) return KD_OK;
    KD_TRY(open_file(waiting, false, err));
    KD_TRY(kd_store_int(waiting->file, err, &count, "select count(*) from waiting", KD_NO_VALUES));
    waiting->has_any = count > 0;
    return KD_OK;
}

kd_status kd_audit_waiting_open(kd_register *reg, kd_audit_waiting **out_waiting, kd_error *err)
{
    kd_audit_waiting *waiting = calloc(1, sizeof *waiting);
    if (!waiting) return kd_access_no_memory(err);
    const char *dir = kd_register_dir(reg);
    size_t bytes = strlen(dir) + sizeof FILE_NAME + 1;
    waiting->path = malloc(bytes);
    if (waiting->path) snprintf(waiting->path, bytes, "%s/%s", dir, FILE_NAME);
    kd_status status = waiting->path ? open_left(waiting, err) : kd_access_no_memory(err);
    if (status != KD_OK) {
        kd_audit_waiting_close(waiting);
        return status;
    }
    *out_waiting = waiting;
    return KD_OK;
}

void kd_audit_waiting_close(kd_audit_waiting *waiting)
{
    if (!waiting) return;
    kd_store_close(waiting->file);
    free(waiting->path);
    free(waiting);
}

bool kd_audit_waiting_has_any(const kd_audit_waiting *waiting)
{
    return waiting && waiting->has_any;
}

/* ---- coming ---- */

static kd_status read_link(kd_store *store, const char *sql, int64_t *seq, char hash[KD_HASH_TEXT_BYTES], kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows, sql, KD_NO_VALUES));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        kd_str text = kd_rows_text(rows, 1);
        *seq = kd_rows_int(rows, 0);
        memcpy(hash, text.len == KD_HASH_TEXT_BYTES - 1 ? text.ptr : KD_AUDIT_FIRST_HASH, KD_HASH_TEXT_BYTES - 1);
        hash[KD_HASH_TEXT_BYTES - 1] = '\0';
    }
    kd_rows_close(rows);
    return status;
}

/* The last that the log has taken over. */
static kd_status taken_over(kd_store *store, int64_t *out_seq, char out_hash[KD_HASH_TEXT_BYTES], kd_error *err)
{
    *out_seq = 0;
    memcpy(out_hash, KD_AUDIT_FIRST_HASH, KD_HASH_TEXT_BYTES);
    return read_link(store, "select waiting, waiting_hash from audit_head where id = 1", out_seq, out_hash, err);
}

static kd_status forget(kd_audit_waiting *waiting, int64_t taken_seq, kd_error *err)
{
    return kd_store_exec(waiting->file, err, NULL, "delete from waiting where seq <= $1", KD_VALUES(kd_int(taken_seq)));
}

/* Within the file's transaction: whoever takes entries over has moved `audit_head.waiting` before they go from here. */
static kd_status add(kd_audit_waiting *waiting, kd_store *store, const kd_audit_entry *const *entries, size_t count,
                     int64_t *out_seq, kd_error *err)
{
    int64_t seq;
    char hash[KD_HASH_TEXT_BYTES];
    KD_TRY(taken_over(store, &seq, hash, err));
    KD_TRY(forget(waiting, seq, err));
    KD_TRY(read_link(waiting->file, "select seq, hash from waiting order by seq desc limit 1", &seq, hash, err));
    for (size_t i = 0; i < count; i++) {
        kd_value values[KD_AUDIT_COLUMN_COUNT];
        kd_audit_values_of(entries[i], ++seq, values);
        KD_TRY(kd_audit_insert(waiting->file, KD_AUDIT_INSERT_INTO("waiting"), values, hash, err));
    }
    *out_seq = seq;
    return KD_OK;
}

kd_status kd_audit_waiting_add(kd_audit_waiting *waiting, kd_store *store, const kd_audit_entry *const *entries,
                               size_t count, kd_error *err)
{
    int64_t seq = 0;
    if (!waiting->file) KD_TRY(open_file(waiting, !kd_file_exists(waiting->path), err));
    KD_TRY(kd_store_begin(waiting->file, err));
    KD_TRY(kd_store_end(waiting->file, add(waiting, store, entries, count, &seq, err), err));
    waiting->last_seq = seq;
    waiting->has_any = true;
    return KD_OK;
}

/* ---- going ---- */

typedef struct {
    int64_t seq, log_seq;
    char hash[KD_HASH_TEXT_BYTES], log_hash[KD_HASH_TEXT_BYTES];
    bool is_broken;
} transfer;

static kd_status take_one(kd_store *store, const kd_rows *rows, transfer *t, kd_error *err)
{
    kd_value values[KD_AUDIT_COLUMN_COUNT];
    char right[KD_HASH_TEXT_BYTES];
    kd_str hash = kd_rows_text(rows, KD_AUDIT_COLUMN_COUNT);
    kd_audit_values_of_row(rows, values);
    kd_audit_hash(values, kd_str_of(t->hash), right);
    if (values[0].i != t->seq + 1 || !kd_str_is(hash, right)) t->is_broken = true;
    t->seq = values[0].i;
    memset(t->hash, 0, sizeof t->hash);
    memcpy(t->hash, hash.ptr, hash.len < sizeof t->hash ? hash.len : sizeof t->hash - 1);
    values[0] = kd_int(++t->log_seq);
    return kd_audit_insert(store, KD_AUDIT_INSERT_INTO("audit"), values, t->log_hash, err);
}

static kd_status take_rows(kd_audit_waiting *waiting, kd_store *store, transfer *t, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    KD_TRY(kd_store_query(waiting->file, err, &rows,
                          "select " KD_AUDIT_COLUMNS ", hash from waiting where seq > $1 order by seq",
                          KD_VALUES(kd_int(t->seq))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = take_one(store, rows, t, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

kd_status kd_audit_waiting_take(kd_audit_waiting *waiting, kd_store *store, kd_error *err)
{
    transfer t = { 0 };
    KD_TRY(kd_audit_lock(store, err));
    KD_TRY(taken_over(store, &t.seq, t.hash, err));
    KD_TRY(kd_audit_head_read(store, &t.log_seq, t.log_hash, err));
    KD_TRY(take_rows(waiting, store, &t, err));
    if (t.seq < waiting->last_seq) t.is_broken = true;
    KD_TRY(kd_store_exec(store, err, NULL,
                         "update audit_head set seq = $1, hash = $2, waiting = $3, waiting_hash = $4 where id = 1",
                         KD_VALUES(kd_int(t.log_seq), kd_text_value(kd_str_of(t.log_hash)), kd_int(t.seq),
                                   kd_text_value(kd_str_of(t.hash)))));
    if (!t.is_broken) return KD_OK;
    const kd_audit_entry broken = { .action = KD_STR("audit.waiting"),
                                    .detail = KD_STR("entries that waited were altered or removed before this one") };
    const kd_audit_entry *one = &broken;
    return kd_audit_append(store, &one, 1, err);
}

void kd_audit_waiting_forget(kd_audit_waiting *waiting, kd_store *store)
{
    int64_t taken_seq;
    char hash[KD_HASH_TEXT_BYTES];
    kd_error err;
    kd_status status = taken_over(store, &taken_seq, hash, &err);
    if (status == KD_OK) status = forget(waiting, taken_seq, &err);
    waiting->has_any = false; /* what is left there is not taken again */
    if (status != KD_OK) kd_log(KD_LOG_WARN, "entries of the audit log stand twice on the disk: %s", err.message);
}

static kd_status settle(kd_audit_waiting *waiting, kd_store *store, kd_error *err)
{
    enum { WAIT_MS = 100 };
    kd_status status = kd_store_begin_beside(store, WAIT_MS, err);
    if (status == KD_CONFLICT) return KD_OK;
    KD_TRY(status);
    KD_TRY(kd_store_end(store, kd_audit_waiting_take(waiting, store, err), err));
    kd_audit_waiting_forget(waiting, store);
    return KD_OK;
}

kd_status kd_audit_waiting_settle(kd_register *reg, kd_error *err)
{
    kd_audit_waiting *waiting = NULL;
    kd_store *store = kd_register_store(reg);
    if (kd_store_kind_of(store) != KD_STORE_SQLITE) return KD_OK;
    KD_TRY(kd_audit_waiting_open(reg, &waiting, err));
    kd_status status = kd_audit_waiting_has_any(waiting) ? settle(waiting, store, err) : KD_OK;
    kd_audit_waiting_close(waiting);
    return status;
}
