/* Which feed a file is of, from its header. */
#include "exchange/pack.h"

#include <string.h>

/* A second pack whose share of common columns is this much lower or more does not make the choice doubtful. */
static const double clear_lead = 0.08;
/* A feed named by the caller is doubted when another's share of common columns is this much higher. */
static const double doubt_lead = 0.30;

static int find_column(const kd_feed_pack *pack, kd_str folded)
{
    if (folded.len == 0) return -1;
    for (size_t i = 0; i < pack->column_count; i++)
        for (size_t k = 0; k < pack->columns[i].folded_count; k++)
            if (kd_str_eq(pack->columns[i].folded[k], folded)) return (int)i;
    return -1;
}

kd_status feed_fit_header(const kd_feed_pack *pack, const kd_str *headers, size_t header_count, kd_arena *arena,
                          feed_fit *out_fit, kd_error *err)
{
    feed_fit fit = { .doubled = -1 };
    fit.pack_column = kd_arena_array(arena, header_count + 1, sizeof *fit.pack_column);
    fit.file_column = kd_arena_array(arena, pack->column_count, sizeof *fit.file_column);
    if (!fit.pack_column || !fit.file_column) return kd_fail(err, KD_LIMIT, "", "the header is too long");
    for (size_t i = 0; i < pack->column_count; i++) fit.file_column[i] = -1;
    for (size_t i = 0; i < header_count; i++) fit.pack_column[i] = -1;
    /* whole texts first, so that a note in brackets cannot take the column of one that matches as it stands */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < header_count; i++) {
            char buf[FEED_HEADER_BYTES_MAX];
            if (fit.pack_column[i] >= 0 || headers[i].len > sizeof buf) continue;
            int column = find_column(pack, (kd_str){ buf, feed_fold(headers[i], pass == 1, buf) });
            if (column < 0) continue;
            if (fit.file_column[column] >= 0) {
                if (pass == 0 && fit.doubled < 0) {
                    fit.doubled = (int)i;
                    fit.doubled_of = fit.file_column[column];
                    fit.doubled_column = column;
                }
                continue;
            }
            fit.pack_column[i] = column;
            fit.file_column[column] = (int)i;
            fit.matched++;
        }
    }
    for (size_t i = 0; i < pack->column_count; i++)
        fit.missing += pack->columns[i].is_required && fit.file_column[i] < 0;
    size_t either = header_count + pack->column_count - fit.matched;
    fit.score = either ? (double)fit.matched / (double)either : 0;
    *out_fit = fit;
    return KD_OK;
}

typedef struct {
    const kd_feed_pack *best, *second; /* with all required columns */
    double best_score, second_score;
    const kd_feed_pack *nearest; /* required columns or not */
    double nearest_score;
} ranking;

static kd_status rank(const kd_feed_packs *packs, const kd_str *headers, size_t header_count, kd_arena *arena,
                      ranking *out, kd_error *err)
{
    ranking r = { 0 };
    for (size_t i = 0; i < kd_feed_packs_count(packs); i++) {
        const kd_feed_pack *pack = kd_feed_packs_at(packs, i);
        feed_fit fit = { 0 };
        KD_TRY(feed_fit_header(pack, headers, header_count, arena, &fit, err));
        if (fit.score > r.nearest_score) {
            r.nearest = pack;
            r.nearest_score = fit.score;
        }
        if (fit.missing) continue;
        if (!r.best || fit.score > r.best_score) {
            r.second = r.best;
            r.second_score = r.best_score;
            r.best = pack;
            r.best_score = fit.score;
        } else if (!r.second || fit.score > r.second_score) {
            r.second = pack;
            r.second_score = fit.score;
        }
    }
    *out = r;
    return KD_OK;
}

static void list_missing(const kd_feed_pack *pack, const feed_fit *fit, kd_buf *out)
{
    size_t told = 0;
    for (size_t i = 0; i < pack->column_count; i++) {
        if (!pack->columns[i].is_required || fit->file_column[i] >= 0) continue;
        if (told == UNKNOWN_COLUMNS_TOLD) {
            kd_buf_cstr(out, " …");
            return;
        }
        kd_buf_fmt(out, "%s'%.*s'", told++ ? ", " : "", KD_FMT(pack->columns[i].name));
    }
}

static void hint_header(kd_error *err, const kd_str *headers, size_t header_count)
{
    kd_buf list;
    kd_buf_init(&list, 1 << 16);
    for (size_t i = 0; i < header_count && i < UNKNOWN_COLUMNS_TOLD; i++)
        kd_buf_fmt(&list, "%s%.*s", i ? " | " : "", KD_FMT(kd_str_sub(headers[i], 0, 48)));
    kd_hint(err, "the header reads: %.*s%s", KD_FMT(kd_buf_view(&list)),
            header_count > UNKNOWN_COLUMNS_TOLD ? " …" : "");
    kd_buf_done(&list);
}

static void hint_other(kd_error *err, const kd_feed_pack *other)
{
    kd_hint(err, "it looks like feed '%.*s' (%.*s): --feed %.*s", KD_FMT(other->info.feed),
            KD_FMT(kd_language_now() == KD_CHINESE ? other->info.title_zh : other->info.title_en),
            KD_FMT(other->info.feed));
}

static kd_status fail_missing(const kd_feed_pack *pack, const feed_fit *fit, const kd_feed_pack *other,
                              const kd_str *headers, size_t header_count, const char *file, kd_error *err)
{
    kd_buf missing;
    kd_buf_init(&missing, 1 << 16);
    list_missing(pack, fit, &missing);
    kd_fail_at(err, KD_INVALID, file, 1, 0, "the header lacks what feed '%.*s' needs: %.*s", KD_FMT(pack->info.feed),
               KD_FMT(kd_buf_view(&missing)));
    kd_buf_done(&missing);
    if (other && other != pack) {
        hint_other(err, other);
    } else {
        hint_header(err, headers, header_count);
    }
    return KD_INVALID;
}

static kd_status fail_doubled(const kd_feed_pack *pack, const feed_fit *fit, size_t header_count, const char *file,
                              kd_error *err)
{
    const feed_column *column = &pack->columns[fit->doubled_column];
    kd_fail_at(err, KD_INVALID, file, 1, 0, "columns %d and %d of the header are both '%.*s'", fit->doubled_of + 1,
               fit->doubled + 1, KD_FMT(column->name));
    kd_hint(err, "delete or rename one of the two (%zu columns)", header_count);
    return KD_INVALID;
}

static kd_status take_named(const kd_feed_pack *pack, const ranking *r, const kd_str *headers, size_t header_count,
                            kd_arena *arena, const char *file, kd_error *err)
{
    feed_fit fit = { 0 };
    KD_TRY(feed_fit_header(pack, headers, header_count, arena, &fit, err));
    if (fit.missing) return fail_missing(pack, &fit, r->best, headers, header_count, file, err);
    if (r->best && r->best != pack && r->best_score > fit.score + doubt_lead) {
        kd_fail_at(err, KD_INVALID, file, 1, 0,
                   "this is hardly a file of feed '%.*s': only %zu of %zu columns are known to it",
                   KD_FMT(pack->info.feed), fit.matched, header_count);
        hint_other(err, r->best);
        return KD_INVALID;
    }
    return fit.doubled >= 0 ? fail_doubled(pack, &fit, header_count, file, err) : KD_OK;
}

static kd_status recognise(const kd_feed_packs *packs, const kd_feed_pack *named, const kd_str *headers,
                           size_t header_count, kd_arena *arena, const char *file, const kd_feed_pack **out_pack,
                           kd_error *err)
{
    ranking r = { 0 };
    KD_TRY(rank(packs, headers, header_count, arena, &r, err));
    if (!named && r.best && r.second && r.second_score > r.best_score - clear_lead) {
        kd_fail_at(err, KD_CONFLICT, file, 1, 0, "the header fits feed '%.*s' and feed '%.*s' alike",
                   KD_FMT(r.best->info.feed), KD_FMT(r.second->info.feed));
        kd_hint(err, "say which: --feed %.*s", KD_FMT(r.best->info.feed));
        return KD_CONFLICT;
    }
    if (!named && !r.best && r.nearest) {
        feed_fit fit = { 0 };
        KD_TRY(feed_fit_header(r.nearest, headers, header_count, arena, &fit, err));
        return fail_missing(r.nearest, &fit, NULL, headers, header_count, file, err);
    }
    if (!named && !r.best) {
        kd_fail_at(err, KD_INVALID, file, 1, 0, "no known feed has a header like this");
        hint_header(err, headers, header_count);
        return KD_INVALID;
    }
    const kd_feed_pack *pack = named ? named : r.best;
    KD_TRY(take_named(pack, &r, headers, header_count, arena, file, err));
    *out_pack = pack;
    return KD_OK;
}

kd_status kd_feed_recognise(const kd_feed_packs *packs, kd_str feed, const kd_str *headers, size_t header_count,
                            const char *file, const kd_feed_pack **out_pack, kd_error *err)
{
    const kd_feed_pack *named = feed.len ? kd_feed_packs_find(packs, feed) : NULL;
    if (feed.len && !named) {
        kd_fail(err, KD_NOT_FOUND, "", "no feed is called '%.*s'", KD_FMT(feed));
        kd_hint(err, "kindred import --list-feeds names them all");
        return KD_NOT_FOUND;
    }
    kd_arena *arena = kd_arena_new(FEED_PACK_ARENA_BYTES);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "out of memory");
    kd_status status = recognise(packs, named, headers, header_count, arena, file, out_pack, err);
    kd_arena_free(arena);
    return status;
}
