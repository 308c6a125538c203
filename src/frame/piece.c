#include "csv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef enum { PUT_OK, PUT_BAD, PUT_RESTART, PUT_LIMIT } put_result;

/* What the parsing of one piece needs besides the piece. */
typedef struct {
    const csv_plan *plan;
    csv_piece *piece;
    csv_reader reader;
    kd_buf scratch, decoded;
    uint8_t *floors; /* least kind of each column in this piece */
    const char *reason;
} parsing;

column_kind kind_join(column_kind a, column_kind b)
{
    if (a == b || b == KIND_UNKNOWN) return a;
    if (a == KIND_UNKNOWN) return b;
    if (a == KIND_TEXT || b == KIND_TEXT) return KIND_TEXT;
    bool is_number = (a == KIND_INT || a == KIND_FLOAT) && (b == KIND_INT || b == KIND_FLOAT);
    return is_number ? KIND_FLOAT : KIND_DICT;
}

size_t kind_width(column_kind kind)
{
    switch (kind) {
    case KIND_INT:
    case KIND_FLOAT: return 8;
    case KIND_DATE:
    case KIND_DICT: return 4;
    case KIND_BOOL: return 1;
    case KIND_UNKNOWN:
    case KIND_TEXT: return 0;
    }
    return 0;
}

/* ---- memory ---- */

void csv_piece_column_done(const csv_plan *plan, const csv_piece *piece, piece_column *column)
{
    memory_budget *budget = plan->budget;
    size_t rows = (size_t)piece->rows_cap;
    memory_free(budget, column->values, rows * kind_width(column->kind));
    memory_free(budget, column->nulls, rows / 8);
    memory_free(budget, column->ends, rows * sizeof *column->ends);
    memory_free(budget, column->bytes, column->bytes_cap);
    kd_dict_free(column->dict);
    free(column->recent);
    memory_refund(budget, column->dict_charged);
    *column = (piece_column){ .kind = column->kind };
}

void csv_piece_done(csv_piece *piece)
{
    for (size_t i = 0; piece->columns && i < piece->plan->count; i++)
        csv_piece_column_done(piece->plan, piece, &piece->columns[i]);
    free(piece->columns);
    if (piece->plan) {
        memory_free(piece->plan->budget, piece->rejects, piece->reject_cap * sizeof *piece->rejects);
        memory_free(piece->plan->budget, piece->marks, piece->mark_cap * sizeof *piece->marks);
        memory_refund(piece->plan->budget, piece->texts_charged);
    }
    kd_arena_free(piece->texts);
    *piece = (csv_piece){ .from = piece->from, .to = piece->to };
}

/* Gives the column the buffers of its kind, for the rows there is room for. */
static bool start_kind(memory_budget *budget, const csv_piece *piece, piece_column *column, column_kind kind)
{
    size_t rows = (size_t)piece->rows_cap;
    if (kind == KIND_TEXT) {
        column->ends = memory_resize(budget, NULL, 0, rows * sizeof *column->ends);
        if (!column->ends) return false;
        memset(column->ends, 0, (size_t)piece->rows * sizeof *column->ends);
    } else if (kind != KIND_UNKNOWN) {
        column->values = memory_resize(budget, NULL, 0, rows * kind_width(kind));
        if (!column->values) return false;
        memset(column->values, 0, (size_t)piece->rows * kind_width(kind));
    }
    column->kind = (uint8_t)kind;
    if (kind != KIND_DICT) return true;
    column->dict = kd_dict_new();
    column->recent = calloc((size_t)1 << RECENT_BITS, sizeof *column->recent);
    return column->dict && column->recent;
}

static bool grow_column(memory_budget *budget, piece_column *column, size_t rows, size_t rows_new)
{
    size_t width = kind_width(column->kind);
    if (width) {
        void *grown = memory_resize(budget, column->values, rows * width, rows_new * width);
        if (!grown) return false;
        column->values = grown;
    }
    if (column->kind == KIND_TEXT) {
        void *grown = memory_resize(budget, column->ends, rows * sizeof *column->ends, rows_new * sizeof *column->ends);
        if (!grown) return false;
        column->ends = grown;
    }
    if (column->nulls) {
        uint8_t *grown = memory_resize(budget, column->nulls, rows / 8, rows_new / 8);
        if (!grown) return false;
        memset(grown + rows / 8, 0, (rows_new - rows) / 8);
        column->nulls = grown;
    }
    return true;
}

/* On failure some columns are larger than rows_cap says; they are given back too, only the budget is off, and the read
 * fails anyway. */
static bool grow_rows(csv_piece *piece)
{
    size_t rows = (size_t)piece->rows_cap, rows_new = (rows + rows / 2 + 64) & ~(size_t)63;
    for (size_t i = 0; i < piece->plan->count; i++)
        if (!grow_column(piece->plan->budget, &piece->columns[i], rows, rows_new)) return false;
    piece->rows_cap = (int64_t)rows_new;
    return true;
}

static put_result put_null(parsing *p, piece_column *column)
{
    csv_piece *piece = p->piece;
    if (!column->nulls) {
        size_t bytes = (size_t)piece->rows_cap / 8;
        column->nulls = memory_resize(p->plan->budget, NULL, 0, bytes);
        if (!column->nulls) return PUT_LIMIT;
        memset(column->nulls, 0, bytes);
    }
    bit_set(column->nulls, piece->rows);
    size_t width = kind_width(column->kind);
    if (width) memset(column->values + (size_t)piece->rows * width, 0, width);
    if (column->kind == KIND_TEXT) column->ends[piece->rows] = piece->rows ? column->ends[piece->rows - 1] : 0;
    return PUT_OK;
}

/* ---- text ---- */

static bool text_room(memory_budget *budget, piece_column *column, size_t len)
{
    if (column->bytes && len <= column->bytes_cap - column->bytes_len) return true;
    size_t cap = column->bytes_cap + column->bytes_cap / 2 + len + 4096;
    if (cap > UINT32_MAX) return false;
    char *grown = memory_resize(budget, column->bytes, column->bytes_cap, cap);
    if (!grown) return false;
    column->bytes = grown;
    column->bytes_cap = cap;
    return true;
}

static const char *bad_bytes_reason(kd_str value)
{
    bool is_error = value.len && value.ptr[0] == ENCODING_SHEET_ERROR;
    return is_error ? "the cell shows an error" : "bytes that are not in the file's encoding";
}

static put_result put_text(parsing *p, piece_column *column, kd_str value)
{
    int64_t row = p->piece->rows;
    column->bytes_len = row ? column->ends[row - 1] : 0; /* a row given up may have left bytes */
    bool is_gb = p->plan->format->field_encoding == KD_ENCODING_GB18030;
    if (!text_room(p->plan->budget, column, is_gb ? encoding_room(value.len) : value.len)) return PUT_LIMIT;
    char *to = column->bytes + column->bytes_len;
    size_t len = value.len;
    if (is_gb) {
        len = gb18030_to_utf8(value, to);
        if (len == SIZE_MAX) return PUT_BAD;
    } else {
        if (!utf8_is_valid(value)) return PUT_BAD;
        if (len) memcpy(to, value.ptr, len);
    }
    column->bytes_len += len;
    column->ends[row] = (uint32_t)column->bytes_len;
    return PUT_OK;
}

static bool is_decodable(parsing *p, kd_str value)
{
    if (p->plan->format->field_encoding != KD_ENCODING_GB18030) return utf8_is_valid(value);
    kd_buf_clear(&p->decoded);
    char *room = kd_buf_room(&p->decoded, encoding_room(value.len));
    return room && gb18030_to_utf8(value, room) != SIZE_MAX;
}

/* The dictionary does not pay: write its texts out one by one. */
static put_result spell_out(parsing *p, piece_column *column)
{
    csv_piece *piece = p->piece;
    piece_column text = { .nulls = column->nulls };
    column->nulls = NULL;
    int64_t rows = piece->rows;
    piece->rows = 0;
    put_result result = start_kind(p->plan->budget, piece, &text, KIND_TEXT) ? PUT_OK : PUT_LIMIT;
    for (; result == PUT_OK && piece->rows < rows; piece->rows++) {
        bool is_null = text.nulls && bit_get(text.nulls, piece->rows);
        uint32_t code = ((const uint32_t *)(const void *)column->values)[piece->rows];
        result = put_text(p, &text, is_null ? (kd_str){ NULL, 0 } : kd_dict_text(column->dict, code));
    }
    piece->rows = rows;
    csv_piece_column_done(p->plan, piece, column);
    *column = text;
    return result;
}

/* Short texts as two words, so that those seen lately are found without hashing; longer ones are not kept. */
static recent_text *recent_slot(const csv_plan *plan, piece_column *column, kd_str value, recent_text *out_key)
{
    const char *text_end = plan->format->text.ptr + plan->format->text.len;
    bool is_inside = value.ptr >= plan->format->text.ptr && value.ptr + 16 <= text_end;
    if (!is_inside || value.len == 0 || value.len > 16) return NULL;
    memcpy(&out_key->first, value.ptr, 8);
    memcpy(&out_key->last, value.ptr + 8, 8);
    size_t len = value.len;
    if (len < 8) out_key->first &= (UINT64_C(1) << (8 * len)) - 1;
    if (len < 16) out_key->last &= len <= 8 ? 0 : (UINT64_C(1) << (8 * (len - 8))) - 1;
    out_key->len = (uint32_t)len;
    uint64_t mix = (out_key->first ^ (out_key->last << 1 | out_key->last >> 63)) * UINT64_C(0x9E3779B97F4A7C15);
    return &column->recent[mix >> (64 - RECENT_BITS)];
}

/* A text the dictionary has not seen is decoded on trial first: what is in it is sound. */
static put_result put_new(parsing *p, size_t index, piece_column *column, kd_str value)
{
    int64_t rows = p->piece->rows, known = kd_dict_count(column->dict);
    if (!is_decodable(p, value)) return PUT_BAD;
    if (!p->plan->columns[index].is_fixed && rows >= DICT_TRIAL_ROWS && known * 2 > rows) {
        put_result result = spell_out(p, column);
        return result == PUT_OK ? put_text(p, column, value) : result;
    }
    column->dict_pending += value.len + 2 * sizeof(int64_t);
    if (column->dict_pending >= 4096 || known < 8) {
        if (!memory_charge(p->plan->budget, column->dict_pending)) return PUT_LIMIT;
        column->dict_charged += column->dict_pending;
        column->dict_pending = 0;
    }
    uint32_t code = kd_dict_add(column->dict, value);
    if (code > INT32_MAX) return PUT_LIMIT;
    ((uint32_t *)(void *)column->values)[rows] = code;
    return PUT_OK;
}

static put_result put_dict(parsing *p, size_t index, piece_column *column, kd_str value)
{
    recent_text key = { 0 }, *slot = recent_slot(p->plan, column, value, &key);
    uint32_t *codes = (uint32_t *)(void *)column->values;
    if (slot && slot->first == key.first && slot->last == key.last && slot->len == key.len) {
        codes[p->piece->rows] = slot->code;
        return PUT_OK;
    }
    key.code = kd_dict_find(column->dict, value);
    if (key.code == KD_DICT_NONE) return put_new(p, index, column, value);
    codes[p->piece->rows] = key.code;
    if (!slot) return PUT_OK;
    *slot = key;
    return PUT_OK;
}

/* ---- values ---- */

static column_kind classify(kd_str value)
{
    int64_t whole;
    double real;
    int32_t day;
    bool truth;
    if (value_int(value, &whole)) return KIND_INT;
    if (value_float(value, &real)) return KIND_FLOAT;
    if (value_date(value, &day)) return KIND_DATE;
    return value_bool(value, &truth) ? KIND_BOOL : KIND_DICT;
}

static put_result put_value(parsing *p, size_t index, piece_column *column, kd_str value);

/* The first value tells the kind; so does one that the kind does not hold. */
static put_result change_kind(parsing *p, size_t index, piece_column *column, kd_str value)
{
    if (!is_decodable(p, value)) return PUT_BAD;
    column_kind kind = kind_join(column->kind, classify(value));
    memory_budget *budget = p->plan->budget;
    if (column->kind == KIND_INT && kind == KIND_FLOAT) {
        for (int64_t i = 0; i < p->piece->rows; i++) {
            int64_t whole = ((const int64_t *)(const void *)column->values)[i];
            ((double *)(void *)column->values)[i] = (double)whole;
        }
        column->kind = KIND_FLOAT;
        return put_value(p, index, column, value);
    }
    bool keeps_rows = column->kind == KIND_UNKNOWN && !(column->has_quoted_empty && kind >= KIND_DICT);
    if (!keeps_rows) {
        p->floors[index] = (uint8_t)kind;
        return PUT_RESTART;
    }
    if (!start_kind(budget, p->piece, column, kind)) return PUT_LIMIT;
    return put_value(p, index, column, value);
}

static kd_str without_spaces(kd_str text)
{
    while (text.len && text.ptr[0] == ' ') text = (kd_str){ text.ptr + 1, text.len - 1 };
    while (text.len && text.ptr[text.len - 1] == ' ') text.len--;
    return text;
}

static bool asked_bool(kd_str text, bool *out)
{
    bool is_digit = text.len == 1 && (text.ptr[0] == '0' || text.ptr[0] == '1');
    if (is_digit) *out = text.ptr[0] == '1';
    return is_digit || value_bool(text, out);
}

/* A value of a kind that was asked for, with more patience than recognising has: spaces around, leading zeros. */
static put_result put_asked(parsing *p, piece_column *column, kd_str raw)
{
    kd_str value = without_spaces(raw);
    if (value.len == 0) return put_null(p, column);
    size_t row = (size_t)p->piece->rows;
    switch ((column_kind)column->kind) {
    case KIND_INT:
        if (kd_str_int(value, (int64_t *)(void *)column->values + row)) return PUT_OK;
        p->reason = "not a whole number";
        break;
    case KIND_FLOAT:
        if (kd_str_double(value, (double *)(void *)column->values + row)) return PUT_OK;
        p->reason = "not a number";
        break;
    case KIND_DATE:
        if (value_date(value, (int32_t *)(void *)column->values + row)) return PUT_OK;
        p->reason = "not a date of the form YYYY-MM-DD";
        break;
    default:
        if (asked_bool(value, (bool *)column->values + row)) return PUT_OK;
        p->reason = "neither true nor false";
        break;
    }
    if (!is_decodable(p, raw)) p->reason = bad_bytes_reason(raw);
    return PUT_BAD;
}

static bool any_number(kd_str value, double *out)
{
    int64_t whole;
    if (value_float(value, out)) return true;
    if (!value_int(value, &whole)) return false;
    *out = (double)whole;
    return true;
}

static put_result put_value(parsing *p, size_t index, piece_column *column, kd_str value)
{
    size_t row = (size_t)p->piece->rows;
    bool is_held = false;
    switch ((column_kind)column->kind) {
    case KIND_TEXT: return put_text(p, column, value);
    case KIND_DICT: return put_dict(p, index, column, value);
    case KIND_INT: is_held = value_int(value, (int64_t *)(void *)column->values + row); break;
    case KIND_FLOAT: is_held = any_number(value, (double *)(void *)column->values + row); break;
    case KIND_DATE: is_held = value_date(value, (int32_t *)(void *)column->values + row); break;
    case KIND_BOOL: is_held = value_bool(value, (bool *)column->values + row); break;
    case KIND_UNKNOWN: break;
    }
    if (is_held) return PUT_OK;
    if (p->plan->columns[index].is_fixed) return put_asked(p, column, value);
    return change_kind(p, index, column, value);
}

static bool is_null_text(const csv_plan *plan, kd_str value)
{
    if (!(plan->null_lengths >> (value.len < 63 ? value.len : 63) & 1)) return false;
    for (size_t i = 0; i < plan->null_count; i++)
        if (kd_str_eq(value, plan->nulls[i])) return true;
    return false;
}

static put_result put_field(parsing *p, size_t index, const csv_field *field)
{
    piece_column *column = &p->piece->columns[index];
    if (field->len == 0) {
        if (!field->is_quoted) return put_null(p, column);
        column->has_quoted_empty = true;
        if (column->kind < KIND_DICT) return put_null(p, column);
    }
    kd_str value = { field->ptr, field->len };
    if (field->has_escape) {
        value = csv_field_text(field, &p->scratch);
        if (p->scratch.status != KD_OK) return PUT_LIMIT;
    }
    if (p->plan->null_lengths && is_null_text(p->plan, value)) return put_null(p, column);
    put_result result = put_value(p, index, column, value);
    if (result == PUT_BAD && !p->reason) p->reason = bad_bytes_reason(value);
    return result;
}

/* ---- rows ---- */

static bool add_reject(parsing *p, uint64_t line, uint32_t field, const char *reason)
{
    csv_piece *piece = p->piece;
    memory_budget *budget = p->plan->budget;
    if (!piece->texts) piece->texts = kd_arena_new(SIZE_MAX / 4);
    if (!piece->texts) return false;
    if (piece->reject_count == piece->reject_cap) {
        size_t cap = piece->reject_cap ? piece->reject_cap * 2 : 16;
        void *grown = memory_resize(budget, piece->rejects, piece->reject_cap * sizeof *piece->rejects,
                                    cap * sizeof *piece->rejects);
        if (!grown) return false;
        piece->rejects = grown;
        piece->reject_cap = cap;
    }
    kd_str text = { p->plan->format->text.ptr + p->reader.row_from, p->reader.row_to - p->reader.row_from };
    if (text.len && text.ptr[text.len - 1] == '\r') text.len--;
    kd_buf_clear(&p->scratch);
    encoding_mend(p->plan->format->field_encoding, text, KD_REJECT_RAW_MAX, &p->scratch);
    if (p->scratch.status != KD_OK || !memory_charge(budget, p->scratch.len)) return false;
    piece->texts_charged += p->scratch.len;
    kd_str raw = kd_arena_str(piece->texts, kd_buf_view(&p->scratch));
    if (!raw.ptr) return false;
    piece->rejects[piece->reject_count++] = (piece_reject){ piece->rows_seen - 1, line, field, reason, raw };
    return true;
}

static bool add_mark(parsing *p, uint64_t line)
{
    csv_piece *piece = p->piece;
    int64_t row_gap = piece->rows_seen - 1 - piece->rows, line_gap = (int64_t)line - piece->rows;
    const row_mark *last = piece->mark_count ? &piece->marks[piece->mark_count - 1] : NULL;
    if (last && last->row_gap == row_gap && last->line_gap == line_gap) return true;
    if (piece->mark_count == piece->mark_cap) {
        size_t cap = piece->mark_cap ? piece->mark_cap * 2 : 4;
        void *grown = memory_resize(p->plan->budget, piece->marks, piece->mark_cap * sizeof *piece->marks,
                                    cap * sizeof *piece->marks);
        if (!grown) return false;
        piece->marks = grown;
        piece->mark_cap = cap;
    }
    assert(piece->marks);
    piece->marks[piece->mark_count++] = (row_mark){ piece->rows, row_gap, line_gap };
    return true;
}

static put_result bad_row(parsing *p, uint64_t line, uint32_t field, const char *reason)
{
    int64_t row = p->piece->rows;
    for (size_t i = 0; row < p->piece->rows_cap && i < p->plan->count; i++)
        if (p->piece->columns[i].nulls) bit_clear(p->piece->columns[i].nulls, row);
    return add_reject(p, line, field, reason) ? PUT_OK : PUT_LIMIT;
}

static put_result wrong_count(parsing *p, uint64_t line)
{
    csv_piece *piece = p->piece;
    if (!piece->texts) piece->texts = kd_arena_new(SIZE_MAX / 4);
    if (!piece->texts) return PUT_LIMIT;
    kd_str reason =
        kd_arena_fmt(piece->texts, "%zu fields where the header has %zu", p->reader.count, p->plan->header_count);
    return reason.ptr ? bad_row(p, line, 0, reason.ptr) : PUT_LIMIT;
}

/* Puts the row just read into the columns. */
static put_result put_row(parsing *p, csv_row_kind kind, uint64_t line)
{
    csv_piece *piece = p->piece;
    const csv_plan *plan = p->plan;
    piece->rows_seen++;
    if (kind == CSV_ROW_BAD) return bad_row(p, line, p->reader.bad_field, p->reader.reason);
    if (p->reader.count != plan->header_count) return wrong_count(p, line);
    if (piece->rows == piece->rows_cap && !grow_rows(piece)) return PUT_LIMIT;
    for (size_t i = 0; i < plan->count; i++) {
        put_result result = put_field(p, i, &p->reader.fields[plan->columns[i].field]);
        if (result == PUT_OK) continue;
        if (result != PUT_BAD) return result;
        const char *reason = p->reason;
        p->reason = NULL;
        return bad_row(p, line, plan->columns[i].field + 1, reason);
    }
    if (!add_mark(p, line)) return PUT_LIMIT;
    piece->rows++;
    return PUT_OK;
}

static put_result put_rows(parsing *p)
{
    csv_piece *piece = p->piece;
    bool is_one_column = p->plan->header_count == 1 && !p->plan->format->is_sheet;
    put_result result = PUT_OK;
    while (result == PUT_OK && p->reader.at < piece->to) {
        uint64_t line = p->reader.lines;
        csv_row_kind kind = csv_reader_row(&p->reader);
        if (kind == CSV_ROW_BLANK && !is_one_column) continue;
        result = put_row(p, kind, line);
    }
    piece->end = p->reader.at;
    piece->lines = p->reader.lines;
    return result;
}

static bool start_piece(parsing *p, size_t from)
{
    csv_piece *piece = p->piece;
    const csv_plan *plan = p->plan;
    csv_piece_done(piece);
    piece->plan = plan;
    piece->from = from;
    size_t span = piece->to > from ? piece->to - from : 0;
    piece->rows_cap = (int64_t)(((size_t)((double)span / plan->row_bytes * 1.05) + 64) & ~(size_t)63);
    piece->columns = calloc(plan->count ? plan->count : 1, sizeof *piece->columns);
    if (!piece->columns) return false;
    for (size_t i = 0; i < plan->count; i++) {
        const plan_column *column = &plan->columns[i];
        column_kind kind = (column_kind)column->kind;
        if (!column->is_fixed) kind = kind_join(kind, (column_kind)p->floors[i]);
        if (!start_kind(plan->budget, piece, &piece->columns[i], kind)) return false;
    }
    return true;
}

static put_result run(parsing *p, size_t from)
{
    put_result result;
    do {
        if (!start_piece(p, from)) return PUT_LIMIT;
        csv_reader_init(&p->reader, p->plan->format, p->reader.fields, p->plan->header_count, from);
        result = put_rows(p);
    } while (result == PUT_RESTART);
    return result;
}

kd_status csv_piece_parse(csv_piece *piece, const csv_plan *plan, size_t from, kd_error *err)
{
    parsing *p = calloc(1, sizeof *p);
    if (!p) return memory_fail(err, plan->budget);
    p->plan = plan;
    p->piece = piece;
    p->reader.fields = calloc(plan->header_count, sizeof *p->reader.fields);
    p->floors = calloc(plan->count ? plan->count : 1, 1);
    kd_buf_init(&p->scratch, SIZE_MAX / 4);
    kd_buf_init(&p->decoded, SIZE_MAX / 4);
    put_result result = p->reader.fields && p->floors ? run(p, from) : PUT_LIMIT;
    piece->is_parsed = result == PUT_OK;
    kd_buf_done(&p->scratch);
    kd_buf_done(&p->decoded);
    free(p->reader.fields);
    free(p->floors);
    free(p);
    return result == PUT_OK ? KD_OK : memory_fail(err, plan->budget);
}
