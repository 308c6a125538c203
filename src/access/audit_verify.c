/* Walking the chain: rows as a stream, one hash each. */
#include "chain.h"
#include "waiting.h"

#include <string.h>

enum { REPORT_EVERY = 4096 };

typedef struct {
    int64_t seen, bad_seq; /* bad_seq 0: none found */
    const char *fault_zh, *fault_en;
    char hash[KD_HASH_TEXT_BYTES]; /* of the entry before */
} walk;

static void find(walk *w, int64_t seq, const char *fault_zh, const char *fault_en)
{
    if (w->bad_seq) return;
    w->bad_seq = seq;
    w->fault_zh = fault_zh;
    w->fault_en = fault_en;
}

static void check_row(walk *w, const kd_rows *rows)
{
    kd_value values[KD_AUDIT_COLUMN_COUNT];
    char right[KD_HASH_TEXT_BYTES];
    kd_audit_values_of_row(rows, values);
    if (values[0].i != w->seen + 1) {
        find(w, w->seen + 1, "该条目已被删除", "this entry was removed");
        return;
    }
    kd_audit_hash(values, kd_str_of(w->hash), right);
    kd_str hash = kd_rows_text(rows, KD_AUDIT_COLUMN_COUNT);
    if (!kd_str_is(hash, right)) {
        find(w, values[0].i, "该条目被篡改、调换，或是后来插入的",
             "this entry was altered, exchanged, or put in later");
        return;
    }
    memcpy(w->hash, right, sizeof right);
    w->seen++;
}

static kd_status walk_rows(kd_store *store, int64_t head_seq, const kd_progress *progress, walk *w, kd_error *err)
{
    kd_rows *rows;
    bool has_row;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select " KD_AUDIT_COLUMNS ", hash from audit where seq <= $1 order by seq",
                          KD_VALUES(kd_int(head_seq))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && !w->bad_seq) {
        check_row(w, rows);
        if (w->seen % REPORT_EVERY) continue;
        kd_progress_report(progress, "audit", (uint64_t)w->seen, (uint64_t)head_seq);
        if (!kd_progress_cancelled(progress)) continue;
        status = kd_fail(err, KD_CANCELLED, "", "stopped");
        break;
    }
    kd_rows_close(rows);
    return status;
}

/* Past the end: first what stands there, then the head, which by then has reached every entry that was written rightly. */
static kd_status check_past_end(kd_store *store, walk *w, kd_error *err)
{
    int64_t last, head_seq;
    char head_hash[KD_HASH_TEXT_BYTES];
    KD_TRY(kd_store_int(store, err, &last, "select max(seq) from audit", KD_NO_VALUES));
    KD_TRY(kd_audit_head_read(store, &head_seq, head_hash, err));
    if (last > head_seq)
        find(w, head_seq + 1, "该条目是在日志末尾之后插入的", "this entry was put in behind the end of the log");
    return KD_OK;
}

static kd_status check_before_start(kd_store *store, walk *w, kd_error *err)
{
    int64_t first;
    KD_TRY(kd_store_int(store, err, &first, "select coalesce(min(seq), 1) from audit", KD_NO_VALUES));
    if (first < 1) find(w, 1, "该条目之前被插入了内容", "something was put in before this entry");
    return KD_OK;
}

kd_status kd_audit_verify(kd_register *reg, const kd_progress *progress, kd_arena *arena, kd_audit_verdict *out_verdict,
                          kd_error *err)
{
    kd_store *store = kd_register_store(reg);
    int64_t head_seq;
    char head_hash[KD_HASH_TEXT_BYTES];
    walk w = { 0 };
    memcpy(w.hash, KD_AUDIT_FIRST_HASH, sizeof w.hash);
    KD_TRY(kd_audit_waiting_settle(reg, err));
    KD_TRY(kd_audit_head_read(store, &head_seq, head_hash, err));
    KD_TRY(check_before_start(store, &w, err));
    if (!w.bad_seq) KD_TRY(walk_rows(store, head_seq, progress, &w, err));
    if (!w.bad_seq && w.seen < head_seq)
        find(&w, w.seen + 1, "日志末尾缺失：从该条目起已被删除", "the end of the log is missing from this entry on");
    if (!w.bad_seq && strcmp(w.hash, head_hash) != 0)
        find(&w, w.seen ? w.seen : 1, "日志末尾的校验值被篡改", "the hash kept of the end of the log was altered");
    if (!w.bad_seq) KD_TRY(check_past_end(store, &w, err));
    kd_audit_verdict verdict = { .entries = w.seen,
                                 .first_bad_seq = w.bad_seq,
                                 .fault_zh = kd_str_of(w.fault_zh),
                                 .fault_en = kd_str_of(w.fault_en),
                                 .head_hash = kd_arena_str(arena, kd_str_of(head_hash)) };
    if (!verdict.head_hash.ptr) return kd_access_no_memory(err);
    *out_verdict = verdict;
    return KD_OK;
}

kd_status kd_audit_holds(kd_register *reg, kd_str hash, int64_t *out_count, kd_error *err)
{
    return kd_store_int(kd_register_store(reg), err, out_count, "select count(*) from audit where hash = $1",
                        KD_VALUES(kd_text_value(hash)));
}
