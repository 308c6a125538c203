#include "csv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { GUESS_LINES = 16, GUESS_ROWS = 4 };

/*
 * A piece cannot know whether it begins inside quotes, so it guesses a row's start from the field counts of what
 * follows. When all pieces are parsed the guesses are checked in order: the row after a piece must be where the next
 * one began, else that one is parsed again from the right place. The outcome never depends on the guess.
 */
typedef struct {
    csv_plan *plan;
    csv_piece *pieces;
    size_t count;
    const kd_progress *progress;
    pthread_t caller;
    uint64_t bytes_done; /* atomic */
    const size_t *again; /* pieces to parse once more; NULL for all */
} run;

static bool fits(csv_reader *reader, const csv_plan *plan, size_t at)
{
    reader->at = at;
    scanner_seek(&reader->scan, at);
    for (int i = 0; i < GUESS_ROWS && reader->at < plan->format->text.len; i++) {
        csv_row_kind kind = csv_reader_row(reader);
        if (kind == CSV_ROW_BAD || (kind == CSV_ROW_GOOD && reader->count != plan->header_count)) return false;
    }
    return true;
}

/* Where the first row at or after `from` seems to begin, or `to` when no line does before it. */
static size_t guess_start(const csv_plan *plan, size_t from, size_t to)
{
    kd_str text = plan->format->text;
    csv_reader reader;
    csv_field field;
    csv_reader_init(&reader, plan->format, &field, 1, from);
    size_t first = to;
    const char *at = text.ptr + from - 1, *end = text.ptr + to;
    for (int i = 0; i < GUESS_LINES; i++) {
        at = memchr(at, plan->format->newline, (size_t)(end - at));
        if (!at || ++at >= end) break;
        size_t start = (size_t)(at - text.ptr);
        if (first == to) first = start;
        if (fits(&reader, plan, start)) return start;
    }
    return first;
}

static kd_status parse_piece(void *ctx, size_t item, kd_error *err)
{
    run *r = ctx;
    size_t index = r->again ? r->again[item] : item;
    csv_piece *piece = &r->pieces[index];
    if (kd_progress_cancelled(r->progress)) return kd_fail(err, KD_CANCELLED, "", "reading was stopped");
    size_t from = piece->from;
    if (!r->again && index > 0) from = guess_start(r->plan, piece->from, piece->to);
    KD_TRY(csv_piece_parse(piece, r->plan, from, err));
    uint64_t done = __atomic_add_fetch(&r->bytes_done, piece->to - piece->from, __ATOMIC_RELAXED);
    if (pthread_equal(r->caller, pthread_self()))
        kd_progress_report(r->progress, "read", done, r->plan->format->text.len);
    return KD_OK;
}

static kd_status check_guesses(run *r, kd_error *err)
{
    size_t start = r->plan->data_from;
    for (size_t i = 0; i < r->count; i++) {
        csv_piece *piece = &r->pieces[i];
        if (start >= piece->to) {
            csv_piece_done(piece);
            piece->plan = r->plan;
            piece->end = start;
            continue;
        }
        if (piece->from != start) {
            if (kd_progress_cancelled(r->progress)) return kd_fail(err, KD_CANCELLED, "", "reading was stopped");
            KD_TRY(csv_piece_parse(piece, r->plan, start, err));
        }
        start = piece->end;
    }
    return KD_OK;
}

/* Sets the plan's kinds to what all pieces hold together. */
static void join_kinds(run *r)
{
    for (size_t c = 0; c < r->plan->count; c++) {
        plan_column *column = &r->plan->columns[c];
        for (size_t i = 0; i < r->count && !column->is_fixed; i++)
            if (r->pieces[i].columns)
                column->kind = (uint8_t)kind_join((column_kind)column->kind, (column_kind)r->pieces[i].columns[c].kind);
    }
}

/* True when the column's values cannot be turned into the plan's kind without the file. */
static bool is_lost(const piece_column *column, column_kind kind)
{
    if (column->kind != KIND_UNKNOWN && column->kind == kind) return false;
    if (column->kind == KIND_UNKNOWN) return column->has_quoted_empty && (kind >= KIND_DICT || kind == KIND_UNKNOWN);
    if (column->kind == KIND_INT && kind == KIND_FLOAT) return false;
    return !(column->kind == KIND_DICT && kind == KIND_TEXT);
}

static size_t find_lost(const run *r, size_t *out_again)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        for (size_t c = 0; r->pieces[i].columns && c < r->plan->count; c++) {
            if (!is_lost(&r->pieces[i].columns[c], (column_kind)r->plan->columns[c].kind)) continue;
            out_again[count++] = i;
            break;
        }
    return count;
}

/* Each round makes some column's kind more general, so the rounds end. */
static kd_status settle_kinds(run *r, unsigned threads, kd_error *err)
{
    size_t *again = malloc((r->count + 1) * sizeof *again), count;
    if (!again) return memory_fail(err, r->plan->budget);
    kd_status status = KD_OK;
    for (;;) {
        join_kinds(r);
        count = find_lost(r, again);
        if (count == 0) break;
        for (size_t c = 0; c < r->plan->count; c++) /* nothing but quoted empty values */
            if (r->plan->columns[c].kind == KIND_UNKNOWN) r->plan->columns[c].kind = KIND_DICT;
        r->again = again;
        status = kd_parallel(threads, count, parse_piece, r, err);
        if (status != KD_OK) break;
    }
    free(again);
    return status;
}

/* A dictionary pays when texts repeat: at most half as many of them as rows. */
static void drop_poor_dictionaries(run *r)
{
    int64_t rows = 0;
    for (size_t i = 0; i < r->count; i++) rows += r->pieces[i].rows;
    for (size_t c = 0; c < r->plan->count; c++) {
        plan_column *column = &r->plan->columns[c];
        if (column->kind == KIND_UNKNOWN) column->kind = KIND_TEXT;
        if (column->is_fixed || column->kind != KIND_DICT) continue;
        int64_t texts = 0; /* at least so many */
        for (size_t i = 0; i < r->count; i++) {
            const kd_dict *dict = r->pieces[i].columns ? r->pieces[i].columns[c].dict : NULL;
            if (dict && kd_dict_count(dict) > texts) texts = kd_dict_count(dict);
        }
        if (texts == 0 || texts * 2 > rows) column->kind = KIND_TEXT;
    }
}

static kd_status parse_all(run *r, unsigned threads, kd_error *err)
{
    KD_TRY(kd_parallel(threads, r->count, parse_piece, r, err));
    KD_TRY(check_guesses(r, err));
    KD_TRY(settle_kinds(r, threads, err));
    drop_poor_dictionaries(r);
    return KD_OK;
}

kd_status csv_pieces_parse(csv_plan *plan, size_t piece_bytes, unsigned threads, const kd_progress *progress,
                           csv_piece **out_pieces, size_t *out_count, kd_error *err)
{
    size_t len = plan->format->text.len, from = plan->data_from;
    size_t count = (len - from + piece_bytes - 1) / piece_bytes;
    csv_piece *pieces = calloc(count + 1, sizeof *pieces);
    if (!pieces) return memory_fail(err, plan->budget);
    for (size_t i = 0; i < count; i++) {
        pieces[i].from = from + i * piece_bytes;
        pieces[i].to = i + 1 < count ? pieces[i].from + piece_bytes : len;
        pieces[i].plan = plan;
    }
    run r = { .plan = plan, .pieces = pieces, .count = count, .progress = progress, .caller = pthread_self() };
    kd_status status = parse_all(&r, threads, err);
    if (status != KD_OK) {
        for (size_t i = 0; i < count; i++) csv_piece_done(&pieces[i]);
        free(pieces);
        return status;
    }
    *out_pieces = pieces;
    *out_count = count;
    return KD_OK;
}
