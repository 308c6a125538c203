/* Looking at doubtful pairs and deciding them. */
#include "review.h"

#include <math.h>
#include <stdio.h>

enum { PAGE_MAX = 1000, NAME_BYTES_MAX = 64, NOTE_BYTES_MAX = 2000, DECIDE_BYTES_MAX = 64 << 20 };

#define REVIEW_COLUMNS \
    "r.id, r.record_a, r.record_b, r.person_a, r.person_b, r.division, r.weight, r.probability, r.value, r.standing"
/* No word of a person stands about the pair, given here or to a task. */
#define IS_OPEN                                                                                           \
    "not exists (select 1 from decision d where d.task_id = r.id and d.undone_at is null) and "           \
    "not exists (select 1 from decision d where d.record_a = r.record_a and d.record_b = r.record_b and " \
    "d.undone_at is null) and not exists (select 1 from decision d where d.record_a = r.record_b and "    \
    "d.record_b = r.record_a and d.undone_at is null)"

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the review queue");
}

static void read_review(const kd_rows *rows, kd_match_review *out)
{
    *out = (kd_match_review){ .id = kd_rows_int(rows, 0),
                              .record_a = { .id = kd_rows_int(rows, 1) },
                              .record_b = { .id = kd_rows_int(rows, 2) },
                              .person_a = kd_rows_int(rows, 3),
                              .person_b = kd_rows_int(rows, 4),
                              .division = kd_rows_int(rows, 5),
                              .weight = kd_rows_real(rows, 6),
                              .probability = kd_rows_real(rows, 7),
                              .value = kd_rows_real(rows, 8),
                              .is_held_apart = kd_rows_int(rows, 9) == KD_HELD_APART };
    out->is_same_now = out->person_a == out->person_b;
}

/* ---- what stands around a row ---- */

static kd_str word_of(kd_str kind)
{
    if (kd_str_is(kind, "same_person")) return KD_STR("same");
    if (kd_str_is(kind, "different_person")) return KD_STR("different");
    return kd_str_is(kind, "unknown_person") ? KD_STR("unknown") : KD_STR("");
}

/* The last word given about the pair: to the review itself, or to a task about the same two records. */
static kd_status read_said(kd_register *reg, kd_match_review *review, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_value id = kd_int(review->id), a = kd_int(review->record_a.id), b = kd_int(review->record_b.id);
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select id, kind from decision where undone_at is null and (task_id = $1 or "
                          "(record_a = $2 and record_b = $3) or (record_a = $4 and record_b = $5)) "
                          "order by id desc limit 1",
                          KD_VALUES(id, a, b, b, a)));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        review->decision_id = kd_rows_int(rows, 0);
        review->said = word_of(kd_rows_text(rows, 1));
    }
    kd_rows_close(rows);
    return status;
}

static kd_status complete(kd_register *reg, kd_arena *arena, kd_match_review *review, kd_error *err)
{
    int64_t a = review->record_a.id, b = review->record_b.id;
    KD_TRY(kd_source_record_get(reg, a, arena, &review->record_a, &review->source_a, &review->file_a, err));
    KD_TRY(kd_source_record_get(reg, b, arena, &review->record_b, &review->source_b, &review->file_b, err));
    return read_said(reg, review, err);
}

/* ---- pages ---- */

/* "value/id" of the last review of a page; no cursor begins above every value. */
static kd_status read_cursor(kd_str cursor, double *out_value, int64_t *out_id, kd_error *err)
{
    kd_str rest = cursor, value;
    *out_value = INFINITY;
    *out_id = INT64_MAX;
    if (!cursor.len) return KD_OK;
    bool is_right = kd_str_next(&rest, '/', &value) && kd_str_double(value, out_value) && kd_str_int(rest, out_id);
    return is_right ? KD_OK : kd_fail(err, KD_INVALID, "cursor", "this is no cursor that a list gave");
}

static kd_status read_page(kd_rows *rows, size_t limit, kd_arena *arena, kd_match_page *page, kd_error *err)
{
    bool has_row = false;
    for (;;) {
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (page->count == limit) break;
        read_review(rows, &page->reviews[page->count++]);
    }
    const kd_match_review *last = &page->reviews[limit - 1];
    page->next = kd_arena_fmt(arena, "%.17g/%lld", last->value, (long long)last->id);
    return page->next.ptr ? KD_OK : no_memory(err);
}

static kd_status query_page(kd_register *reg, int64_t division, bool only_open, kd_str cursor, size_t limit,
                            kd_rows **out_rows, kd_error *err)
{
    static const char all[] = "select " REVIEW_COLUMNS " from match_review r where (r.value < $1 or (r.value = $2 and "
                              "r.id > $3)) and coalesce(r.division, 0) >= $4 and coalesce(r.division, 0) <= $5 "
                              "order by r.value desc, r.id limit $6";
    static const char open[] = "select " REVIEW_COLUMNS " from match_review r where (r.value < $1 or (r.value = $2 and "
                               "r.id > $3)) and coalesce(r.division, 0) >= $4 and coalesce(r.division, 0) <= $5 "
                               "and " IS_OPEN " order by r.value desc, r.id limit $6";
    double value = 0;
    int64_t id = 0;
    KD_TRY(read_cursor(cursor, &value, &id, err));
    if (isinf(value)) value = 1e300; /* SQL text has no word for it that both databases read */
    int64_t last = division ? kd_area_last_code(division) : INT64_MAX;
    return kd_store_query(kd_register_store(reg), err, out_rows, only_open ? open : all,
                          KD_VALUES(kd_real(value), kd_real(value), kd_int(id), kd_int(division), kd_int(last),
                                    kd_int((int64_t)limit + 1)));
}

kd_status kd_match_list(kd_register *reg, int64_t division, bool only_open, kd_str cursor, size_t limit,
                        kd_arena *arena, kd_match_page *out_page, kd_error *err)
{
    kd_rows *rows;
    if (limit < 1 || limit > PAGE_MAX) return kd_fail(err, KD_INVALID, "limit", "a page holds 1 to %d pairs", PAGE_MAX);
    kd_match_page page = { .reviews = kd_arena_array(arena, limit, sizeof *page.reviews) };
    if (!page.reviews) return no_memory(err);
    KD_TRY(query_page(reg, division, only_open, cursor, limit, &rows, err));
    kd_status status = read_page(rows, limit, arena, &page, err);
    kd_rows_close(rows);
    for (size_t i = 0; i < page.count && status == KD_OK; i++) status = complete(reg, arena, &page.reviews[i], err);
    if (status == KD_OK) *out_page = page;
    return status;
}

kd_status kd_match_count(kd_register *reg, int64_t division, int64_t *out_open, kd_error *err)
{
    int64_t last = division ? kd_area_last_code(division) : INT64_MAX;
    return kd_store_int(kd_register_store(reg), err, out_open,
                        "select count(*) from match_review r where coalesce(r.division, 0) >= $1 and "
                        "coalesce(r.division, 0) <= $2 and " IS_OPEN,
                        KD_VALUES(kd_int(division), kd_int(last)));
}

static kd_status read_one(kd_register *reg, int64_t id, kd_match_review *out, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " REVIEW_COLUMNS " from match_review r where r.id = $1", KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) read_review(rows, out);
    kd_rows_close(rows);
    if (status != KD_OK || has_row) return status;
    kd_fail(err, KD_NOT_FOUND, "", "this pair is not in the review queue any more");
    kd_hint(err, "a later link run settled it");
    return KD_NOT_FOUND;
}

/* As for a person: the two records beside each other, under the model of the last run. */
static kd_status explain(kd_register *reg, const kd_match_review *review, kd_arena *arena, kd_waterfall *out,
                         kd_error *err)
{
    kd_str model;
    kd_link_reason *reasons;
    kd_link_view links[] = { { .record = review->record_a,
                               .source = review->source_a,
                               .peer_id = review->record_b.id,
                               .weight = review->weight },
                             { .record = review->record_b,
                               .source = review->source_b,
                               .peer_id = review->record_a.id,
                               .weight = review->weight } };
    kd_person_view view = { .links = links, .link_count = 2 };
    KD_TRY(kd_person_explain(reg, &view, arena, &reasons, &model, err));
    *out = reasons[0].waterfall;
    return KD_OK;
}

kd_status kd_match_get(kd_register *reg, int64_t id, kd_arena *arena, kd_match_review *out_review,
                       kd_waterfall *out_waterfall, kd_error *err)
{
    kd_match_review review = { 0 };
    kd_waterfall waterfall = { 0 };
    KD_TRY(read_one(reg, id, &review, err));
    KD_TRY(complete(reg, arena, &review, err));
    KD_TRY(explain(reg, &review, arena, &waterfall, err));
    *out_review = review;
    *out_waterfall = waterfall;
    return KD_OK;
}

/* ---- deciding ---- */

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    int64_t id, decision_id;
    kd_said said;
    kd_str by, note;
} deciding;

static kd_status decide(deciding *d, kd_error *err)
{
    kd_match_review review = { 0 };
    KD_TRY(kd_store_exec(
        kd_register_store(d->reg), err, NULL, "update match_review set run_id = run_id where id = $1",
        KD_VALUES(kd_int(d->id)))); /* locks the row: of two who decide at once the second sees the first */
    KD_TRY(read_one(d->reg, d->id, &review, err));
    KD_TRY(read_said(d->reg, &review, err));
    if (review.decision_id) {
        kd_fail(err, KD_CONFLICT, "", "somebody decided this pair already");
        kd_hint(err, "take that decision back first");
        return KD_CONFLICT;
    }
    kd_decision decision = { .kind = d->said == KD_SAID_SAME        ? "same_person"
                                     : d->said == KD_SAID_DIFFERENT ? "different_person"
                                                                    : "unknown_person",
                             .record_a = review.record_a.id,
                             .record_b = review.record_b.id,
                             .task_id = review.id,
                             .reason = d->note,
                             .by = d->by };
    bool joins = d->said == KD_SAID_SAME && !review.is_same_now;
    return joins ? kd_decision_join(d->reg, &decision, review.person_a, review.person_b, d->arena, &d->decision_id, err)
                 : kd_decision_add(d->reg, &decision, &d->decision_id, err);
}

static kd_status check_text(kd_str text, size_t bytes_max, bool is_needed, const char *field, kd_error *err)
{
    if (is_needed && !kd_str_trim(text).len) return kd_fail(err, KD_INVALID, field, "is missing");
    if (text.len > bytes_max) return kd_fail(err, KD_INVALID, field, "is longer than %zu bytes", bytes_max);
    return kd_utf8_is_valid(text) ? KD_OK : kd_fail(err, KD_INVALID, field, "is not UTF-8 text");
}

kd_status kd_match_decide(kd_register *reg, int64_t id, kd_said said, kd_str by, kd_str note, int64_t *out_decision,
                          kd_error *err)
{
    if (said != KD_SAID_SAME && said != KD_SAID_DIFFERENT && said != KD_SAID_UNKNOWN)
        return kd_fail(err, KD_INVALID, "said", "a pair is the same person, two persons, or not known");
    KD_TRY(check_text(by, NAME_BYTES_MAX, true, "by", err));
    KD_TRY(check_text(note, NOTE_BYTES_MAX, false, "note", err));
    deciding d = { reg, kd_arena_new(DECIDE_BYTES_MAX), id, 0, said, by, note };
    if (!d.arena) return no_memory(err);
    kd_status status = kd_store_begin(kd_register_store(reg), err);
    if (status == KD_OK) status = kd_store_end(kd_register_store(reg), decide(&d, err), err);
    kd_arena_free(d.arena);
    if (status == KD_OK) *out_decision = d.decision_id;
    return status;
}

/* ---- taking back ---- */

/* What the decision answered: a task or a review; all that was written down with it goes back together. */
static kd_status read_answered(kd_register *reg, int64_t decision_id, int64_t *out_answered, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false, is_undone = false;
    int64_t answered = 0;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select coalesce(task_id, 0), case when undone_at is null then 0 else 1 end from decision "
                          "where id = $1",
                          KD_VALUES(kd_int(decision_id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) {
        answered = kd_rows_int(rows, 0);
        is_undone = kd_rows_int(rows, 1) != 0;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "there is no decision with this id");
    if (is_undone) return kd_fail(err, KD_CONFLICT, "", "this decision was taken back already");
    if (!answered) return kd_fail(err, KD_CONFLICT, "", "this decision is taken back where it was made");
    *out_answered = answered;
    return KD_OK;
}

kd_status kd_decision_division(kd_register *reg, int64_t decision_id, int64_t *out_division, kd_error *err)
{
    int64_t answered = 0;
    KD_TRY(read_answered(reg, decision_id, &answered, err));
    return kd_store_int(kd_register_store(reg), err, out_division,
                        "select coalesce(max(division), 0) from (select division from task where id = $1 union all "
                        "select division from match_review where id = $2) answered",
                        KD_VALUES(kd_int(answered), kd_int(answered)));
}

kd_status kd_decision_undo(kd_register *reg, int64_t decision_id, kd_str by, kd_error *err)
{
    int64_t answered = 0, changed = 0, tasks = 0;
    kd_store *store = kd_register_store(reg);
    KD_TRY(check_text(by, NAME_BYTES_MAX, true, "by", err));
    KD_TRY(read_answered(reg, decision_id, &answered, err));
    KD_TRY(kd_store_int(store, err, &tasks, "select count(*) from task where id = $1", KD_VALUES(kd_int(answered))));
    if (tasks) {
        kd_answer_result result;
        return kd_task_reopen(reg, answered, by, KD_STR("decision undone"), &result, err);
    }
    KD_TRY(kd_store_exec(store, err, &changed,
                         "update decision set undone_at = $2, undone_by = $3 where task_id = $1 and undone_at is null",
                         KD_VALUES(kd_int(answered), kd_int(kd_now_us()), kd_text_value(by))));
    return changed ? KD_OK : kd_fail(err, KD_CONFLICT, "", "this decision was taken back already");
}
