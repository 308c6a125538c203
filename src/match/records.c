#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_PIECE = 1 << 16 };

/* ---- values ---- */

static bool read_text(kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    kd_str text = kd_str_trim(raw);
    size_t len = text.len < KD_NORMAL_BYTES_MAX ? text.len : KD_NORMAL_BYTES_MAX;
    for (size_t i = 0; i < len; i++)
        buf[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] - 'A' + 'a') : text.ptr[i];
    *out = (kd_entry){ .ptr = buf, .len = (uint32_t)len };
    return len > 0;
}

static bool read_name(const kd_text *text, kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    kd_name name;
    kd_name_read(text, raw, &name);
    if (name.kind != KD_NAME_PERSON || name.count == 0) return false;
    *out = (kd_entry){ .ptr = buf, .len = (uint32_t)kd_name_format(&name, buf), .surname_count = name.surname_count };
    out->count = name.count < KD_VALUE_CHARS ? name.count : KD_VALUE_CHARS;
    for (size_t i = 0; i < out->count; i++) {
        out->chars[i] = name.chars[i];
        out->syllables[i] = name.syllables[i];
    }
    return true;
}

static bool read_identity(kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    kd_identity identity;
    kd_identity_read(raw, &identity);
    if (identity.kind == KD_IDENTITY_EMPTY) return false;
    size_t len = strlen(identity.number);
    memcpy(buf, identity.number, len);
    *out = (kd_entry){ .ptr = buf,
                       .len = (uint32_t)len,
                       .is_valid = identity.kind == KD_IDENTITY_OK || identity.kind == KD_IDENTITY_OLD };
    return len > 0;
}

static bool read_number(kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    int64_t number;
    if (!read_text(raw, out, buf) || !kd_str_int(kd_str_trim(raw), &number) || number <= 0) return false;
    out->number = number;
    return true;
}

bool kd_entry_read(const kd_model *model, size_t field, kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    *out = (kd_entry){ 0 };
    kd_str trimmed = kd_str_trim(raw);
    for (size_t i = 0; i < model->null_text_count; i++)
        if (kd_str_eq(trimmed, model->null_texts[i])) return false;
    switch (model->fields[field].kind) {
    case KD_FIELD_NAME: return read_name(model->text, raw, out, buf);
    case KD_FIELD_IDENTITY: return read_identity(raw, out, buf);
    case KD_FIELD_DIVISION: return read_number(raw, out, buf);
    case KD_FIELD_DATE:
    case KD_FIELD_TEXT: break;
    }
    return read_text(raw, out, buf);
}

/* ---- a column of a frame as codes ---- */

static bool is_number(const kd_column *column)
{
    return column->type == KD_TYPE_INT64 || column->type == KD_TYPE_BOOL;
}

/* Whether a model column can hold the frame's numbers as they are. */
static bool is_direct_kind(kd_field_kind kind, const kd_column *const *columns, size_t count)
{
    if (kind == KD_FIELD_DATE) return true;
    if (kind != KD_FIELD_TEXT || count != 1 || !is_number(columns[0])) return false;
    if (columns[0]->type == KD_TYPE_BOOL) return true;
    for (int64_t row = 0; row < columns[0]->rows; row++)
        if (!kd_column_is_null(columns[0], row) && (columns[0]->ints[row] < 0 || columns[0]->ints[row] >= INT32_MAX))
            return false;
    return true;
}

/* Text of a row, several columns joined by a space. */
static kd_str row_text(const kd_column *const *columns, size_t count, int64_t row, char *buf, size_t buf_bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const kd_column *c = columns[i];
        char digits[32];
        kd_str part = { NULL, 0 };
        if (kd_column_is_null(c, row)) continue;
        if (c->type == KD_TYPE_TEXT || c->type == KD_TYPE_DICT) {
            part = kd_column_text(c, row);
            if (count == 1) return part;
        } else {
            int64_t number = c->type == KD_TYPE_INT64     ? c->ints[row]
                             : c->type == KD_TYPE_BOOL    ? c->bools[row]
                             : c->type == KD_TYPE_FLOAT64 ? (int64_t)c->floats[row]
                                                          : c->days[row];
            int n = c->type == KD_TYPE_DATE ? 0 : snprintf(digits, sizeof digits, "%lld", (long long)number);
            part = c->type == KD_TYPE_DATE ? kd_str_of(kd_day_format((int32_t)number, digits))
                                           : (kd_str){ digits, (size_t)n };
        }
        if (len && part.len && len < buf_bytes) buf[len++] = ' ';
        size_t room = buf_bytes - len < part.len ? buf_bytes - len : part.len;
        if (room) memcpy(buf + len, part.ptr, room);
        len += room;
    }
    return (kd_str){ buf, len };
}

static uint32_t date_code(const kd_model *model, size_t field, kd_str raw)
{
    kd_date date;
    kd_date_style style = KD_DATE_STYLE_DEFAULT;
    style.day_first = model->fields[field].is_day_first;
    kd_date_read_style(model->text, raw, style, &date);
    return date.kind == KD_DATE_DAY ? (uint32_t)(date.day + KD_DAY_OFFSET) : 0;
}

static uint32_t direct_code(const kd_model *model, size_t field, const kd_column *column, int64_t row)
{
    kd_field_kind kind = model->fields[field].kind;
    if (kd_column_is_null(column, row)) return 0;
    if (kind == KD_FIELD_DATE && column->type == KD_TYPE_DATE) return (uint32_t)(column->days[row] + KD_DAY_OFFSET);
    if (kind == KD_FIELD_DATE) {
        char buf[KD_NORMAL_BYTES_MAX];
        return date_code(model, field, row_text(&column, 1, row, buf, sizeof buf));
    }
    int64_t number = column->type == KD_TYPE_BOOL ? column->bools[row] : column->ints[row];
    return (uint32_t)(number + KD_NUMBER_OFFSET);
}

static bool find_columns(const kd_model *model, size_t field, const kd_frame *frame, const kd_column **columns)
{
    for (size_t i = 0; i < model->fields[field].source_count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", KD_FMT(model->fields[field].sources[i]));
        columns[i] = kd_frame_find(frame, name);
        if (!columns[i]) return false;
    }
    return true;
}

uint32_t kd_record_code(const kd_matcher *matcher, const kd_frame *frame, size_t field, int64_t row, kd_entry *own,
                        char buf[KD_NORMAL_BYTES_MAX])
{
    const kd_model *model = matcher->model;
    const kd_values *values = &matcher->values[field];
    const kd_column *columns[KD_MATCH_SOURCES_MAX];
    char joined[KD_NORMAL_BYTES_MAX];
    *own = (kd_entry){ 0 };
    if (!find_columns(model, field, frame, columns)) return 0;
    size_t count = model->fields[field].source_count;
    if (values->is_direct) return direct_code(model, field, columns[0], row);
    if (!kd_entry_read(model, field, row_text(columns, count, row, joined, sizeof joined), own, buf)) return 0;
    kd_entry_measure(own);
    uint32_t code = kd_dict_find(values->dict, (kd_str){ own->ptr, own->len });
    return code == KD_DICT_NONE ? UINT32_MAX : code + 1; /* a value that no record has is still a value */
}

/* ---- loading ---- */

typedef struct {
    kd_matcher *matcher;
    size_t field;
    const kd_column *columns[KD_MATCH_SOURCES_MAX];
    uint64_t first;          /* record of row 0 */
    const uint32_t *code_of; /* of the column's dictionary; NULL for direct columns */
} loading;

static uint32_t add_value(kd_matcher *matcher, size_t field, kd_str raw)
{
    char buf[KD_NORMAL_BYTES_MAX];
    kd_entry entry;
    if (raw.len == 0 || !kd_entry_read(matcher->model, field, raw, &entry, buf)) return 0;
    uint32_t code = kd_dict_add(matcher->values[field].dict, (kd_str){ entry.ptr, entry.len });
    return code == KD_DICT_NONE ? UINT32_MAX : code + 1;
}

static kd_status load_rows(void *ctx, size_t item, kd_error *err)
{
    loading *l = ctx;
    kd_matcher *m = l->matcher;
    const kd_column *column = l->columns[0];
    int64_t from = (int64_t)item * ROWS_A_PIECE,
            to = from + ROWS_A_PIECE < column->rows ? from + ROWS_A_PIECE : column->rows;
    uint32_t *out = m->codes + (l->first + (uint64_t)from) * m->width + l->field;
    (void)err;
    for (int64_t row = from; row < to; row++, out += m->width) {
        if (l->code_of) {
            *out = kd_column_is_null(column, row) ? 0 : l->code_of[column->codes[row]];
        } else {
            *out = direct_code(m->model, l->field, column, row);
        }
    }
    return KD_OK;
}

static kd_status load_dict_column(loading *l, kd_error *err)
{
    const kd_column *column = l->columns[0];
    uint32_t *code_of = malloc(((size_t)column->dict_count + 1) * sizeof *code_of);
    if (!code_of) return kd_fail(err, KD_LIMIT, "", "no memory for the values of a column");
    bool is_full = false;
    for (uint32_t i = 0; i < column->dict_count && !is_full; i++) {
        kd_str raw = { column->dict_bytes + column->dict_offsets[i],
                       (size_t)(column->dict_offsets[i + 1] - column->dict_offsets[i]) };
        code_of[i] = add_value(l->matcher, l->field, raw);
        is_full = code_of[i] == UINT32_MAX;
    }
    l->code_of = code_of;
    size_t pieces = (size_t)((column->rows + ROWS_A_PIECE - 1) / ROWS_A_PIECE);
    kd_status status = is_full ? kd_fail(err, KD_LIMIT, "", "no memory for the values of a column")
                               : kd_parallel(l->matcher->threads, pieces, load_rows, l, err);
    free(code_of);
    l->code_of = NULL;
    return status;
}

static kd_status load_text_column(loading *l, size_t sources, kd_error *err)
{
    kd_matcher *m = l->matcher;
    char joined[KD_NORMAL_BYTES_MAX];
    for (int64_t row = 0; row < l->columns[0]->rows; row++) {
        kd_str raw = row_text(l->columns, sources, row, joined, sizeof joined);
        uint32_t code = add_value(m, l->field, raw);
        if (code == UINT32_MAX) return kd_fail(err, KD_LIMIT, "", "no memory for the values of a column");
        m->codes[(l->first + (uint64_t)row) * m->width + l->field] = code;
    }
    return KD_OK;
}

static kd_status load_column(kd_matcher *m, size_t field, const kd_frame *frame, uint64_t first, bool is_direct,
                             kd_error *err)
{
    loading l = { .matcher = m, .field = field, .first = first };
    if (!find_columns(m->model, field, frame, l.columns)) {
        kd_fail(err, KD_INVALID, "", "the table has no column for '%.*s' of the model",
                KD_FMT(m->model->fields[field].name));
        kd_hint(err, "name the table's column in the model: {from: COLUMN}");
        return KD_INVALID;
    }
    size_t sources = m->model->fields[field].source_count;
    if (is_direct) {
        size_t pieces = (size_t)((l.columns[0]->rows + ROWS_A_PIECE - 1) / ROWS_A_PIECE);
        return kd_parallel(m->threads, pieces, load_rows, &l, err);
    }
    if (sources == 1 && l.columns[0]->type == KD_TYPE_DICT) return load_dict_column(&l, err);
    return load_text_column(&l, sources, err);
}

/* Entries of the distinct values: their texts now stay where they are. */
static kd_status parse_values(kd_matcher *m, size_t field, kd_error *err)
{
    kd_values *v = &m->values[field];
    v->count = kd_dict_count(v->dict) + 1;
    v->entries = calloc(v->count, sizeof *v->entries);
    if (!v->entries) return kd_fail(err, KD_LIMIT, "", "no memory for the values of a column");
    for (uint32_t code = 1; code < v->count; code++) {
        char buf[KD_NORMAL_BYTES_MAX];
        kd_str text = kd_dict_text(v->dict, code - 1);
        (void)kd_entry_read(m->model, field, text, &v->entries[code], buf);
        v->entries[code].ptr = text.ptr;
        v->entries[code].len = (uint32_t)text.len;
        kd_entry_measure(&v->entries[code]);
    }
    return KD_OK;
}

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

static kd_status count_values(kd_matcher *m, size_t field, kd_error *err)
{
    kd_values *v = &m->values[field];
    uint32_t most = 0;
    for (uint64_t r = 0; r < m->records; r++) {
        uint32_t code = m->codes[r * m->width + field];
        v->present += code != 0;
        if (code > most) most = code;
    }
    if (!v->is_direct) most = v->count - 1;
    if (v->is_direct) v->count = most + 1;
    bool is_wide = v->is_direct && most > m->records * 4 + 4 * KD_DAY_OFFSET;
    if (is_wide) return KD_OK;
    v->frequency = calloc((size_t)most + 1, sizeof *v->frequency);
    if (!v->frequency) return kd_fail(err, KD_LIMIT, "", "no memory to count a column");
    for (uint64_t r = 0; r < m->records; r++) {
        uint32_t code = m->codes[r * m->width + field];
        if (code) v->frequency[code]++;
    }
    for (uint32_t code = 1; code <= most; code++) v->same_pairs += (double)v->frequency[code] * v->frequency[code];
    v->both_present = (double)v->present * (double)v->present;
    if (m->table) return subtract_tables(m, field, most, err);
    v->same_pairs -= (double)v->present;
    v->both_present -= (double)v->present;
    return KD_OK;
}

static kd_status load_field(kd_matcher *m, size_t field, const kd_frame *const *frames, size_t frame_count,
                            kd_error *err)
{
    kd_values *v = &m->values[field];
    v->is_direct = true;
    for (size_t i = 0; i < frame_count && v->is_direct; i++) {
        const kd_column *columns[KD_MATCH_SOURCES_MAX];
        if (find_columns(m->model, field, frames[i], columns))
            v->is_direct = is_direct_kind(m->model->fields[field].kind, columns, m->model->fields[field].source_count);
    }
    if (!v->is_direct && !(v->dict = kd_dict_new()))
        return kd_fail(err, KD_LIMIT, "", "no memory for the values of a column");
    uint64_t first = 0;
    for (size_t i = 0; i < frame_count; i++) {
        KD_TRY(load_column(m, field, frames[i], first, v->is_direct, err));
        first += (uint64_t)kd_frame_rows(frames[i]);
    }
    if (!v->is_direct) KD_TRY(parse_values(m, field, err));
    return count_values(m, field, err);
}

static kd_status number_tables(kd_matcher *m, const kd_frame *const *frames, size_t frame_count, kd_error *err)
{
    if (frame_count < 2 || frame_count > UINT8_MAX)
        return kd_fail(err, KD_INVALID, "", "the model links tables with each other: 2 to %d are expected, not %zu",
                       UINT8_MAX, frame_count);
    m->table = malloc(m->records + 1);
    if (!m->table) return kd_fail(err, KD_LIMIT, "", "no memory for the records");
    uint64_t at = 0;
    for (size_t i = 0; i < frame_count; i++) {
        memset(m->table + at, (int)i, (size_t)kd_frame_rows(frames[i]));
        at += (uint64_t)kd_frame_rows(frames[i]);
    }
    return KD_OK;
}

static kd_status load(kd_matcher *m, const kd_frame *const *frames, size_t frame_count, kd_error *err)
{
    for (size_t i = 0; i < frame_count; i++) m->records += (uint64_t)kd_frame_rows(frames[i]);
    if (m->records >= UINT32_MAX - 1) return kd_fail(err, KD_LIMIT, "", "more records than one run links");
    if (m->model->is_link_only) KD_TRY(number_tables(m, frames, frame_count, err));
    size_t bytes;
    if (__builtin_mul_overflow(m->records + 1, m->width * sizeof *m->codes, &bytes) ||
        (m->options.bytes_max && bytes > m->options.bytes_max) || !(m->codes = malloc(bytes)))
        return kd_fail(err, KD_LIMIT, "", "no memory for %llu records", (unsigned long long)m->records);
    for (size_t field = 0; field < m->width; field++) {
        kd_progress_report(m->options.progress, "prepare", field, m->width);
        if (kd_progress_cancelled(m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
        KD_TRY(load_field(m, field, frames, frame_count, err));
    }
    KD_TRY(kd_keys_prepare(m, err));
    return kd_collapse(m, err);
}

kd_status kd_matcher_new(const kd_model *model, const kd_frame *const *frames, size_t frame_count,
                         const kd_match_options *options, kd_matcher **out_matcher, kd_error *err)
{
    kd_matcher *m = calloc(1, sizeof *m);
    if (!m) return kd_fail(err, KD_LIMIT, "", "no memory for the records");
    m->model = model;
    if (options) m->options = *options;
    m->threads = m->options.threads ? m->options.threads : kd_threads();
    m->width = model->field_count;
    kd_status status = load(m, frames, frame_count, err);
    if (status != KD_OK) {
        kd_matcher_free(m);
        return status;
    }
    kd_score_prepare(m);
    *out_matcher = m;
    return KD_OK;
}

void kd_matcher_free(kd_matcher *matcher)
{
    if (!matcher) return;
    for (size_t i = 0; i < KD_MATCH_FIELDS_MAX; i++) {
        kd_dict_free(matcher->values[i].dict);
        free(matcher->values[i].entries);
        free(matcher->values[i].frequency);
        free(matcher->values[i].tf_bits);
    }
    for (size_t i = 0; i < matcher->table_count; i++) free(matcher->tables[i].of_code);
    free(matcher->tables);
    free(matcher->codes);
    free(matcher->node);
    free(matcher->table);
    free(matcher);
}

uint64_t kd_matcher_records(const kd_matcher *matcher)
{
    return matcher->records;
}
