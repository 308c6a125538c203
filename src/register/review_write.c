/*
 * The review queue as rows: the pairs worth most, each with the id it had before. Rows that people have decided stay as they were
 * decided, for the estimates and for undoing, until the decision is undone.
 */
#include "review.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const kd_doubt *doubt;
    double value;
    int64_t division, conflicts;
} ranked;

/* A row of the last run. */
typedef struct {
    int64_t a, b, id;
    bool is_decided;
} old_review;

typedef struct {
    kd_link_run *run;
    ranked *ranked;
    size_t count;
    old_review *old; /* by a, then b */
    size_t old_count;
} writing;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the review queue");
}

/* ---- what an answer is worth ---- */

/*
 * How doubtful it is in bits (Shannon entropy of the chance that the register is wrong), full when it is rather wrong than right:
 * then clustering has overruled the pair, and only a person can say which of the two errs.
 */
static double doubt_of(const kd_review_pack *pack, const kd_doubt *d)
{
    double same = kd_doubt_probability(pack, d->standing, (double)d->weight);
    double wrong = d->standing == KD_TOGETHER ? 1 - same : same;
    if (wrong >= 0.5) return 1;
    return wrong <= 0 ? 0 : -(wrong * log2(wrong) + (1 - wrong) * log2(1 - wrong));
}

static void value_of(const writing *w, ranked *r)
{
    const kd_review_pack *pack = &w->run->doubts->pack;
    double hangs = (double)r->doubt->left + (double)r->doubt->right + pack->conflict_records * (double)r->conflicts;
    r->value = doubt_of(pack, r->doubt) * hangs;
}

static int by_value(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    if (a->value != b->value) return a->value > b->value ? -1 : 1;
    if (a->doubt->a != b->doubt->a) return a->doubt->a < b->doubt->a ? -1 : 1;
    return (a->doubt->b > b->doubt->b) - (a->doubt->b < b->doubt->b);
}

static int64_t person_of(const kd_link_run *run, uint32_t record)
{
    return run->person_id[run->clusters.cluster[record]];
}

/* Where somebody near can look, and how many disagreements hang on it. */
static kd_status read_person(const writing *w, int64_t person_id, ranked *r, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(w->run->reg), err, &rows,
                          "select coalesce(division, hukou_division, 0), conflicts from person where id = $1",
                          KD_VALUES(kd_int(person_id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        if (!r->division) r->division = kd_rows_int(rows, 0);
        r->conflicts += kd_rows_int(rows, 1);
    }
    kd_rows_close(rows);
    return status;
}

/* Twice as many as are wanted by records alone, then by the disagreements too. */
static kd_status rank(writing *w, kd_error *err)
{
    const kd_doubts *doubts = w->run->doubts;
    w->ranked = calloc(doubts->kept.count + 1, sizeof *w->ranked);
    if (!w->ranked) return no_memory(err);
    for (size_t i = 0; i < doubts->kept.count; i++) {
        w->ranked[i].doubt = &doubts->kept.items[i];
        value_of(w, &w->ranked[i]);
    }
    qsort(w->ranked, doubts->kept.count, sizeof *w->ranked, by_value);
    w->count = doubts->kept.count < 2 * doubts->pack.most ? doubts->kept.count : 2 * doubts->pack.most;
    for (size_t i = 0; i < w->count; i++) {
        ranked *r = &w->ranked[i];
        int64_t a = person_of(w->run, r->doubt->a), b = person_of(w->run, r->doubt->b);
        KD_TRY(read_person(w, a, r, err));
        if (b != a) KD_TRY(read_person(w, b, r, err));
        value_of(w, r);
    }
    qsort(w->ranked, w->count, sizeof *w->ranked, by_value);
    if (w->count > doubts->pack.most) w->count = doubts->pack.most;
    return KD_OK;
}

/* ---- what stood there ---- */

static int by_pair(const void *x, const void *y)
{
    const old_review *a = x, *b = y;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static kd_status read_old(writing *w, kd_error *err)
{
    kd_store *store = kd_register_store(w->run->reg);
    int64_t count = 0;
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_int(store, err, &count, "select count(*) from match_review", KD_NO_VALUES));
    w->old = malloc(((size_t)count + 1) * sizeof *w->old);
    if (!w->old) return no_memory(err);
    KD_TRY(kd_store_query(store, err, &rows,
                          "select r.record_a, r.record_b, r.id, case when exists (select 1 from decision d where "
                          "d.task_id = r.id and d.undone_at is null) then 1 else 0 end from match_review r",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && w->old_count < (size_t)count)
        w->old[w->old_count++] =
            (old_review){ kd_rows_int(rows, 0), kd_rows_int(rows, 1), kd_rows_int(rows, 2), kd_rows_int(rows, 3) != 0 };
    kd_rows_close(rows);
    qsort(w->old, w->old_count, sizeof *w->old, by_pair);
    return status;
}

/* Decided rows follow their records to the persons of this run. */
static kd_status move_decided(const writing *w, kd_error *err)
{
    const kd_link_run *run = w->run;
    for (size_t i = 0; i < w->old_count; i++) {
        if (!w->old[i].is_decided) continue;
        uint32_t a = kd_record_table_find(&run->table, w->old[i].a), b = kd_record_table_find(&run->table, w->old[i].b);
        if (a == UINT32_MAX || b == UINT32_MAX) continue;
        KD_TRY(kd_store_exec(kd_register_store(run->reg), err, NULL,
                             "update match_review set person_a = $2, person_b = $3 where id = $1",
                             KD_VALUES(kd_int(w->old[i].id), kd_int(person_of(run, a)), kd_int(person_of(run, b)))));
    }
    return KD_OK;
}

/* ---- rows ---- */

static kd_status put(const writing *w, const ranked *r, kd_bulk *bulk, kd_error *err)
{
    const kd_link_run *run = w->run;
    const kd_doubt *d = r->doubt;
    old_review key = { .a = run->table.id[d->a], .b = run->table.id[d->b] };
    const old_review *old = bsearch(&key, w->old, w->old_count, sizeof key, by_pair);
    if (old && old->is_decided) return KD_OK;
    double same = kd_doubt_probability(&run->doubts->pack, d->standing, (double)d->weight);
    const kd_value values[] = { kd_int(old ? old->id : kd_register_next_id(run->reg)),
                                kd_int(key.a),
                                kd_int(key.b),
                                kd_int(person_of(run, d->a)),
                                kd_int(person_of(run, d->b)),
                                r->division ? kd_int(r->division) : KD_NULL,
                                kd_int(d->standing),
                                kd_real((double)d->weight),
                                kd_real(same),
                                kd_real(r->value),
                                kd_int(run->run_id) };
    return kd_bulk_row(bulk, values, err);
}

static kd_status put_all(const writing *w, kd_error *err)
{
    static const char *const columns[] = { "id",       "record_a", "record_b",    "person_a", "person_b", "division",
                                           "standing", "weight",   "probability", "value",    "run_id" };
    kd_bulk *bulk;
    KD_TRY(kd_bulk_begin(kd_register_store(w->run->reg), "match_review", columns, 11, &bulk, err));
    kd_status status = KD_OK;
    for (size_t i = 0; i < w->count && status == KD_OK; i++) status = put(w, &w->ranked[i], bulk, err);
    if (status == KD_OK) return kd_bulk_finish(bulk, err);
    kd_bulk_cancel(bulk);
    return status;
}

static kd_status write(writing *w, kd_error *err)
{
    const kd_doubts *doubts = w->run->doubts;
    KD_TRY(rank(w, err));
    KD_TRY(read_old(w, err));
    KD_TRY(move_decided(w, err));
    KD_TRY(kd_store_exec(kd_register_store(w->run->reg), err, NULL,
                         "delete from match_review where not exists (select 1 from decision d "
                         "where d.task_id = match_review.id and d.undone_at is null)",
                         KD_NO_VALUES));
    KD_TRY(put_all(w, err));
    return kd_strata_store(w->run->reg, &doubts->pack, &doubts->strata, err);
}

kd_status kd_doubts_write(kd_link_run *run, kd_error *err)
{
    writing w = { .run = run };
    kd_status status = write(&w, err);
    free(w.ranked);
    free(w.old);
    return status;
}
