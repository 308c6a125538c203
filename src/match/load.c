/*
 * Reading: values become codes through dictionaries that are shared by columns of one kind; then all codes of a record are
 * written side by side, a block of rows at a time so that a record's cache line is touched once.
 */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_PIECE = 1 << 12 };

typedef enum { LOAD_DIRECT, LOAD_DICT, LOAD_NUMBERS, LOAD_ROWS } load_kind;

/** How one column of one frame becomes codes. */
typedef struct {
    load_kind kind;
    kd_sources sources;
    const uint32_t *code_of; /* DICT: of the column's dictionary */
    uint32_t *owned;         /* what this one has to free: code_of, or the codes of ROWS */
    kd_map *numbers;         /* NUMBERS: number to code */
} plan;

typedef struct {
    kd_matcher *m;
    const kd_frame *const *frames;
    size_t frame_count;
    plan *plans;     /* field * frame_count + frame */
    uint64_t *first; /* of frame: record of its row 0 */
} loading;

static plan *plan_of(const loading *l, size_t field, size_t frame)
{
    return &l->plans[field * l->frame_count + frame];
}

/* ---- values into dictionaries ---- */

/* UINT32_MAX when memory is out, 0 when the text means nothing. */
static uint32_t add_value(const kd_matcher *m, size_t field, kd_dict *dict, kd_str raw)
{
    char buf[KD_NORMAL_BYTES_MAX];
    kd_entry entry;
    kd_name_parts parts;
    if (raw.len == 0 || !kd_entry_read(m->model, field, raw, &entry, &parts, buf)) return 0;
    uint32_t code = kd_dict_add(dict, (kd_str){ entry.ptr, entry.len });
    return code == KD_DICT_NONE ? UINT32_MAX : code + 1;
}

static bool is_same_dictionary(const kd_column *a, const kd_column *b)
{
    if (a->dict_count != b->dict_count) return false;
    size_t offsets = ((size_t)a->dict_count + 1) * sizeof *a->dict_offsets;
    if (a->dict_count == 0 || memcmp(a->dict_offsets, b->dict_offsets, offsets) != 0) return false;
    return memcmp(a->dict_bytes, b->dict_bytes, (size_t)a->dict_offsets[a->dict_count]) == 0;
}

/* Codes of the same dictionary, when another column of the domain has it. */
static const uint32_t *find_codes(const loading *l, size_t field, size_t frame)
{
    const kd_column *column = plan_of(l, field, frame)->sources.columns[0];
    for (size_t f = 0; f <= field; f++) {
        if (l->m->values[f].is_direct || l->m->values[f].domain != l->m->values[field].domain) continue;
        for (size_t i = 0; i < (f == field ? frame : l->frame_count); i++) {
            const plan *other = plan_of(l, f, i);
            if (other->kind == LOAD_DICT && other->code_of && is_same_dictionary(other->sources.columns[0], column))
                return other->code_of;
        }
    }
    return NULL;
}

static bool add_dictionary(const loading *l, size_t field, size_t frame, kd_dict *dict)
{
    plan *p = plan_of(l, field, frame);
    const kd_column *c = p->sources.columns[0];
    p->code_of = find_codes(l, field, frame);
    if (p->code_of) return true;
    p->owned = malloc(((size_t)c->dict_count + 1) * sizeof *p->owned);
    p->code_of = p->owned;
    for (uint32_t i = 0; p->owned && i < c->dict_count; i++) {
        kd_str raw = { c->dict_bytes + c->dict_offsets[i], (size_t)(c->dict_offsets[i + 1] - c->dict_offsets[i]) };
        p->owned[i] = add_value(l->m, field, dict, raw);
        if (p->owned[i] == UINT32_MAX) return false;
    }
    return p->owned != NULL;
}

static uint64_t map_key(int64_t number)
{
    return (uint64_t)number ^ (UINT64_C(1) << 63); /* the reserved key is then the largest number */
}

static bool add_numbers(const loading *l, size_t field, size_t frame, kd_dict *dict)
{
    plan *p = plan_of(l, field, frame);
    const kd_column *c = p->sources.columns[0];
    p->numbers = kd_map_new(1 << 10);
    for (int64_t row = 0; p->numbers && row < c->rows; row++) {
        if (kd_column_is_null(c, row) || c->ints[row] == INT64_MAX) continue;
        bool is_new = false;
        uint64_t *code = kd_map_put(p->numbers, map_key(c->ints[row]), &is_new);
        if (!code) return false;
        if (!is_new) continue;
        char digits[32];
        *code = add_value(l->m, field, dict, kd_row_text(&p->sources, row, digits, sizeof digits));
        if (*code == UINT32_MAX) return false;
    }
    return p->numbers != NULL;
}

static bool add_rows(const loading *l, size_t field, size_t frame, kd_dict *dict)
{
    plan *p = plan_of(l, field, frame);
    int64_t rows = p->sources.columns[0]->rows;
    char joined[KD_NORMAL_BYTES_MAX];
    p->owned = malloc(((size_t)rows + 1) * sizeof *p->owned);
    for (int64_t row = 0; p->owned && row < rows; row++) {
        p->owned[row] = add_value(l->m, field, dict, kd_row_text(&p->sources, row, joined, sizeof joined));
        if (p->owned[row] == UINT32_MAX) return false;
    }
    return p->owned != NULL;
}

/* Entries of the distinct values: their texts now stay where they are. */
static bool parse_domain(const loading *l, size_t field, kd_domain *domain)
{
    kd_name_parts scratch;
    bool has_names = l->m->model->fields[field].kind == KD_FIELD_NAME;
    domain->count = kd_dict_count(domain->dict) + 1;
    domain->entries = calloc(domain->count, sizeof *domain->entries);
    if (has_names) domain->names = calloc(domain->count, sizeof *domain->names);
    if (!domain->entries || (has_names && !domain->names)) return false;
    for (uint32_t code = 1; code < domain->count; code++) {
        char buf[KD_NORMAL_BYTES_MAX];
        kd_str text = kd_dict_text(domain->dict, code - 1);
        kd_entry *entry = &domain->entries[code];
        (void)kd_entry_read(l->m->model, field, text, entry, has_names ? &domain->names[code] : &scratch, buf);
        entry->ptr = text.ptr;
        entry->len = (uint16_t)text.len;
    }
    return true;
}

/* All columns of one domain; domains share nothing: any thread. */
static kd_status load_domain(void *ctx, size_t index, kd_error *err)
{
    loading *l = ctx;
    kd_domain *domain = &l->m->domains[index];
    bool is_fine = (domain->dict = kd_dict_new()) != NULL;
    size_t last = 0;
    if (kd_progress_cancelled(l->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (size_t field = 0; field < l->m->width && is_fine; field++) {
        if (l->m->values[field].is_direct || l->m->values[field].domain != index) continue;
        last = field;
        for (size_t i = 0; i < l->frame_count && is_fine; i++) {
            load_kind kind = plan_of(l, field, i)->kind;
            is_fine = kind == LOAD_DICT      ? add_dictionary(l, field, i, domain->dict)
                      : kind == LOAD_NUMBERS ? add_numbers(l, field, i, domain->dict)
                                             : add_rows(l, field, i, domain->dict);
        }
    }
    if (is_fine) is_fine = parse_domain(l, last, domain);
    return is_fine ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the values of a column");
}

/* ---- codes of rows ---- */

static uint32_t code_of_row(const loading *l, size_t field, const plan *p, int64_t row)
{
    const kd_column *c = p->sources.columns[0];
    switch (p->kind) {
    case LOAD_DIRECT: return kd_direct_code(l->m->model, field, c, row);
    case LOAD_DICT: return kd_column_is_null(c, row) ? 0 : p->code_of[c->codes[row]];
    case LOAD_ROWS: return p->owned[row];
    case LOAD_NUMBERS: break;
    }
    if (kd_column_is_null(c, row) || c->ints[row] == INT64_MAX) return 0;
    const uint64_t *code = kd_map_get(p->numbers, map_key(c->ints[row]));
    return code ? (uint32_t)*code : 0;
}

static kd_status write_rows(void *ctx, size_t item, kd_error *err)
{
    loading *l = ctx;
    kd_matcher *m = l->m;
    uint64_t from = (uint64_t)item * ROWS_A_PIECE,
             to = from + ROWS_A_PIECE < m->records ? from + ROWS_A_PIECE : m->records;
    if (kd_progress_cancelled(m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (size_t frame = 0; frame < l->frame_count; frame++) {
        uint64_t begin = from > l->first[frame] ? from : l->first[frame];
        uint64_t end = to < l->first[frame + 1] ? to : l->first[frame + 1];
        for (size_t field = 0; field < m->width; field++) {
            const plan *p = plan_of(l, field, frame);
            for (uint64_t r = begin; r < end; r++)
                m->codes[r * m->width + field] = code_of_row(l, field, p, (int64_t)(r - l->first[frame]));
        }
    }
    return KD_OK;
}

/* ---- how often values occur ---- */

/* Pairs within one table cannot be one. */
static kd_status subtract_tables(kd_matcher *m, size_t field, uint32_t most, kd_error *err)
{
    kd_values *v = &m->values[field];
    uint32_t *count = calloc((size_t)most + 1, sizeof *count);
    if (!count) return kd_fail(err, KD_LIMIT, "", "no memory to count a column");
    for (uint64_t from = 0, to; from < m->records; from = to) {
        double present = 0;
        for (to = from; to < m->records && m->table[to] == m->table[from]; to++) {
            uint32_t code = m->codes[to * m->width + field];
            if (!code) continue;
            present++;
            v->same_pairs -= 2.0 * count[code]++ + 1; /* the square grows by that */
        }
        v->both_present -= present * present;
        for (uint64_t r = from; r < to; r++) count[m->codes[r * m->width + field]] = 0;
    }
    free(count);
    return KD_OK;
}

/* Only levels of equal values ask how often one occurs. */
static bool is_counted(const kd_model *model, size_t field)
{
    for (size_t i = 0; i < model->comparison_count; i++) {
        const kd_comparison *comparison = &model->comparisons[i];
        for (size_t l = 1; l < comparison->level_count; l++)
            if (comparison->field == field && comparison->levels[l].kind == KD_LEVEL_EXACT) return true;
    }
    return false;
}

static kd_status count_values(void *ctx, size_t field, kd_error *err)
{
    const loading *l = ctx;
    kd_matcher *m = l->m;
    kd_values *v = &m->values[field];
    uint32_t most = 0;
    if (!v->is_direct) v->count = m->domains[v->domain].count;
    for (uint64_t r = 0; v->is_direct && r < m->records; r++)
        if (m->codes[r * m->width + field] > most) most = m->codes[r * m->width + field];
    if (v->is_direct) v->count = most + 1;
    if (!is_counted(m->model, field)) return KD_OK;
    if (v->is_direct && most > m->records * 4 + 4 * KD_DAY_OFFSET) return KD_OK;
    v->frequency = calloc((size_t)v->count + 1, sizeof *v->frequency);
    if (!v->frequency) return kd_fail(err, KD_LIMIT, "", "no memory to count a column");
    for (size_t frame = 0; frame < l->frame_count; frame++) {
        const plan *p = plan_of(l, field, frame);
        for (uint64_t r = l->first[frame]; r < l->first[frame + 1]; r++) {
            uint32_t code = p->kind == LOAD_DICT ? code_of_row(l, field, p, (int64_t)(r - l->first[frame]))
                                                 : m->codes[r * m->width + field];
            v->present += code != 0;
            v->frequency[code] += code != 0;
        }
    }
    for (uint32_t code = 1; code < v->count; code++) v->same_pairs += (double)v->frequency[code] * v->frequency[code];
    v->both_present = (double)v->present * (double)v->present;
    if (m->table) return subtract_tables(m, field, v->count, err);
    v->same_pairs -= (double)v->present;
    v->both_present -= (double)v->present;
    return KD_OK;
}

/* ---- the whole ---- */

static load_kind kind_of(const loading *l, size_t field, const kd_sources *sources)
{
    if (l->m->values[field].is_direct) return LOAD_DIRECT;
    if (sources->count != 1) return LOAD_ROWS;
    if (sources->columns[0]->type == KD_TYPE_DICT) return LOAD_DICT;
    return sources->columns[0]->type == KD_TYPE_INT64 ? LOAD_NUMBERS : LOAD_ROWS;
}

/* Names share a domain, and identity numbers do: a mother's name is somebody's name. */
static size_t domain_of(kd_matcher *m, size_t field)
{
    kd_field_kind kind = m->model->fields[field].kind;
    for (size_t f = 0; f < field && (kind == KD_FIELD_NAME || kind == KD_FIELD_IDENTITY); f++)
        if (m->model->fields[f].kind == kind) return m->values[f].domain;
    return m->domain_count++;
}

static kd_status make_plans(loading *l, kd_error *err)
{
    kd_matcher *m = l->m;
    for (size_t field = 0; field < m->width; field++) {
        kd_values *v = &m->values[field];
        v->is_direct = true;
        for (size_t i = 0; i < l->frame_count; i++) {
            kd_sources *sources = &plan_of(l, field, i)->sources;
            if (!kd_find_sources(m->model, field, l->frames[i], sources)) {
                kd_fail(err, KD_INVALID, "", "the table has no column for '%.*s' of the model",
                        KD_FMT(m->model->fields[field].name));
                kd_hint(err, "name the table's column in the model: {from: COLUMN}");
                return KD_INVALID;
            }
            v->is_direct = v->is_direct && kd_is_direct(m->model, field, sources);
        }
        if (!v->is_direct) v->domain = domain_of(m, field);
        for (size_t i = 0; i < l->frame_count; i++)
            plan_of(l, field, i)->kind = kind_of(l, field, &plan_of(l, field, i)->sources);
    }
    return KD_OK;
}

static kd_status run(loading *l, kd_error *err)
{
    kd_matcher *m = l->m;
    KD_TRY(make_plans(l, err));
    kd_progress_report(m->options.progress, "prepare", 0, 3);
    KD_TRY(kd_parallel(m->threads, m->domain_count, load_domain, l, err));
    kd_progress_report(m->options.progress, "prepare", 1, 3);
    KD_TRY(kd_parallel(m->threads, (size_t)((m->records + ROWS_A_PIECE - 1) / ROWS_A_PIECE), write_rows, l, err));
    kd_progress_report(m->options.progress, "prepare", 2, 3);
    for (size_t field = 0; field < m->width; field++) {
        if (m->values[field].is_direct) continue;
        m->values[field].dict = m->domains[m->values[field].domain].dict;
        m->values[field].entries = m->domains[m->values[field].domain].entries;
    }
    return kd_parallel(m->threads, m->width, count_values, l, err);
}

kd_status kd_load(kd_matcher *m, const kd_frame *const *frames, size_t frame_count, kd_error *err)
{
    loading l = { .m = m, .frames = frames, .frame_count = frame_count };
    l.plans = calloc(m->width * frame_count + 1, sizeof *l.plans);
    l.first = calloc(frame_count + 1, sizeof *l.first);
    kd_status status = l.plans && l.first ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to read the tables");
    for (size_t i = 0; status == KD_OK && i < frame_count; i++)
        l.first[i + 1] = l.first[i] + (uint64_t)kd_frame_rows(frames[i]);
    if (status == KD_OK) status = run(&l, err);
    for (size_t i = 0; l.plans && i < m->width * frame_count; i++) {
        free(l.plans[i].owned);
        kd_map_free(l.plans[i].numbers);
    }
    free(l.plans);
    free(l.first);
    return status;
}
