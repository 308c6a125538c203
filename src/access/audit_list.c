/* Reading the audit log, newest first. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

enum { SQL_BYTES = 4000, VALUES_MAX = KD_AREAS_MAX + 16, LIST_MAX = 1000 };

/* A statement put together from fixed parts; the values are bound. */
typedef struct {
    char sql[SQL_BYTES];
    size_t len;
    kd_value values[VALUES_MAX];
    size_t count;
} statement;

/* `part` with each `?` as the next parameter. */
static void add(statement *s, const char *part, kd_value value)
{
    bool is_bound = false;
    for (; *part && s->len + 8 < sizeof s->sql; part++) {
        if (*part != '?') {
            s->sql[s->len++] = *part;
            continue;
        }
        if (!is_bound) s->values[s->count++] = value;
        is_bound = true;
        s->len += (size_t)snprintf(s->sql + s->len, sizeof s->sql - s->len, "$%zu", s->count);
    }
    s->sql[s->len] = '\0';
}

static void add_area(statement *s, const char *before, int64_t area)
{
    add(s, before, KD_NULL);
    if (area % 1000) {
        add(s, "division = ?", kd_int(area));
    } else if (area % 1000000) {
        add(s, "(division >= ? and division < ? + 1000)", kd_int(area));
    } else if (area % 100000000) {
        add(s, "(division >= ? and division < ? + 1000000)", kd_int(area));
    } else if (area % 10000000000) {
        add(s, "(division >= ? and division < ? + 100000000)", kd_int(area));
    } else {
        add(s, "(division >= ? and division < ? + 10000000000)", kd_int(area));
    }
}

static kd_status add_areas(statement *s, const kd_audit_filter *filter, kd_error *err)
{
    if (filter->area_count > KD_AREAS_MAX) return kd_fail(err, KD_LIMIT, "", "more than %d areas", KD_AREAS_MAX);
    for (size_t i = 0; i < filter->area_count; i++)
        if (filter->areas[i] == 0) return KD_OK;
    for (size_t i = 0; i < filter->area_count; i++) add_area(s, i ? " or " : " and (", filter->areas[i]);
    if (filter->area_count) add(s, ")", KD_NULL);
    return KD_OK;
}

static kd_status build(const kd_audit_filter *filter, kd_arena *arena, statement *s, kd_error *err)
{
    int64_t before = 0;
    kd_value like;
    if (filter->cursor.len && (!kd_str_int(filter->cursor, &before) || before < 1))
        return kd_fail(err, KD_INVALID, "cursor", "this is no cursor of a page of the audit log");
    add(s, "select " KD_AUDIT_COLUMNS ", hash from audit where seq > 0", KD_NULL);
    if (before) add(s, " and seq < ?", kd_int(before));
    if (filter->account_id) add(s, " and account_id = ?", kd_int(filter->account_id));
    if (filter->person_id) add(s, " and person_id = ?", kd_int(filter->person_id));
    if (filter->from) add(s, " and at >= ?", kd_int(filter->from));
    if (filter->to) add(s, " and at < ?", kd_int(filter->to));
    if (filter->division) add_area(s, " and ", filter->division);
    KD_TRY(add_areas(s, filter, err));
    if (filter->action.len) {
        KD_TRY(kd_like_pattern(arena, filter->action, false, &like, err));
        add(s, " and action like ? escape '!'", like);
    }
    if (filter->text.len) {
        KD_TRY(kd_like_pattern(arena, filter->text, true, &like, err));
        add(s,
            " and (lower(login) like ? escape '!' or lower(object) like ? escape '!' or lower(detail) like ? escape '!')",
            like);
    }
    add(s, " order by seq desc limit ?", kd_int((int64_t)filter->limit + 1));
    return KD_OK;
}

static kd_status read_texts(const kd_rows *rows, kd_arena *arena, kd_audit_row *out, kd_error *err)
{
    const struct {
        kd_str *text;
        size_t column;
    } texts[] = { { &out->entry.login, 3 },    { &out->entry.role, 4 },    { &out->entry.action, 5 },
                  { &out->entry.purpose, 6 },  { &out->entry.object, 7 },  { &out->entry.request_id, 11 },
                  { &out->entry.address, 12 }, { &out->entry.detail, 13 }, { &out->hash, 14 } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kd_str text = kd_rows_text(rows, texts[i].column);
        if (!text.len) continue;
        *texts[i].text = kd_arena_str(arena, text);
        if (!texts[i].text->ptr) return kd_access_no_memory(err);
    }
    return KD_OK;
}

static kd_status read_row(const kd_rows *rows, kd_arena *arena, kd_audit_row *out, kd_error *err)
{
    *out = (kd_audit_row){ .seq = kd_rows_int(rows, 0),
                           .entry = { .at = kd_rows_int(rows, 1),
                                      .account_id = kd_rows_int(rows, 2),
                                      .person_id = kd_rows_int(rows, 8),
                                      .division = kd_rows_int(rows, 9),
                                      .is_allowed = kd_rows_int(rows, 10) != 0 } };
    return read_texts(rows, arena, out, err);
}

static kd_status read_page(kd_rows *rows, size_t limit, kd_arena *arena, kd_audit_page *page, kd_error *err)
{
    bool has_row;
    for (;;) {
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (page->count == limit) break;
        KD_TRY(read_row(rows, arena, &page->rows[page->count], err));
        page->count++;
    }
    page->next = kd_arena_fmt(arena, "%lld", (long long)page->rows[page->count - 1].seq);
    return page->next.ptr ? KD_OK : kd_access_no_memory(err);
}

kd_status kd_audit_list(kd_access *access, const kd_audit_filter *filter, kd_arena *arena, kd_audit_page *out_page,
                        kd_error *err)
{
    statement s = { .len = 0 };
    kd_rows *rows;
    if (filter->limit < 1 || filter->limit > LIST_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a page has 1 to %d entries", LIST_MAX);
    KD_TRY(build(filter, arena, &s, err));
    kd_audit_page page = { .rows = kd_arena_array(arena, filter->limit, sizeof *page.rows) };
    if (!page.rows) return kd_access_no_memory(err);
    KD_TRY(kd_store_query(access->store, err, &rows, s.sql, s.values, s.count));
    kd_status status = read_page(rows, filter->limit, arena, &page, err);
    kd_rows_close(rows);
    if (status == KD_OK) *out_page = page;
    return status;
}
