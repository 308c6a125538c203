#include "csv.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const csv_plan *plan;
    csv_piece *pieces;
    size_t count;
    kd_frame *frame;
} joining;

/* ---- which values are there ---- */

/* Appends `rows` bits of `nulls` (NULL: none is null), turned round, to the validity at bit `at`. */
static void add_validity(uint8_t *validity, int64_t at, const uint8_t *nulls, int64_t rows)
{
    int64_t i = 0;
    for (; i < rows && (at + i) % 8; i++)
        if (nulls && bit_get(nulls, i)) bit_clear(validity, at + i);
    if (!nulls) return;
    unsigned shift = (unsigned)(i % 8);
    for (; i + 8 <= rows; i += 8) {
        unsigned both = nulls[i / 8] | (shift ? (unsigned)nulls[i / 8 + 1] << 8 : 0);
        validity[(at + i) / 8] = (uint8_t) ~(both >> shift);
    }
    for (; i < rows; i++)
        if (bit_get(nulls, i)) bit_clear(validity, at + i);
}

static int64_t count_nulls(const uint8_t *nulls, int64_t rows)
{
    int64_t count = 0;
    for (int64_t i = 0; nulls && i < rows / 8; i++) count += __builtin_popcount(nulls[i]);
    for (int64_t i = rows & ~INT64_C(7); nulls && i < rows; i++) count += bit_get(nulls, i);
    return count;
}

static bool join_validity(joining *j, size_t c, kd_column *column)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->pieces[i].columns) column->missing += count_nulls(j->pieces[i].columns[c].nulls, j->pieces[i].rows);
    if (!column->missing) return true;
    size_t bytes = (size_t)(column->rows + 7) / 8;
    uint8_t *validity = memory_column(j->plan->budget, bytes);
    column->validity = validity;
    if (!validity) return false;
    memset(validity, 0xFF, bytes);
    int64_t at = 0;
    for (size_t i = 0; i < j->count; at += j->pieces[i].rows, i++)
        if (j->pieces[i].columns) add_validity(validity, at, j->pieces[i].columns[c].nulls, j->pieces[i].rows);
    return true;
}

/* ---- values of one width ---- */

static bool join_fixed(joining *j, size_t c, kd_column *column)
{
    column_kind kind = (column_kind)j->plan->columns[c].kind;
    size_t width = kind_width(kind);
    char *values = memory_column(j->plan->budget, (size_t)column->rows * width), *to = values;
    column->ints = (const int64_t *)(const void *)values;
    if (!values) return false;
    for (size_t i = 0; i < j->count; i++) {
        csv_piece *piece = &j->pieces[i];
        if (!piece->columns) continue;
        piece_column *part = &piece->columns[c];
        size_t bytes = (size_t)piece->rows * width;
        if (part->kind == KIND_UNKNOWN) {
            memset(to, 0, bytes);
        } else if (part->kind == KIND_INT && kind == KIND_FLOAT) {
            for (int64_t row = 0; row < piece->rows; row++)
                ((double *)(void *)to)[row] = (double)((const int64_t *)(const void *)part->values)[row];
        } else if (bytes) {
            memcpy(to, part->values, bytes);
        }
        to += bytes;
        csv_piece_column_done(j->plan, piece, part);
    }
    return true;
}

/* ---- text ---- */

static kd_str decode(const csv_plan *plan, kd_str raw, kd_buf *decoded)
{
    if (plan->format->field_encoding != KD_ENCODING_GB18030) return raw;
    kd_buf_clear(decoded);
    char *room = kd_buf_room(decoded, encoding_room(raw.len));
    return room ? (kd_str){ room, gb18030_to_utf8(raw, room) } : (kd_str){ NULL, 0 };
}

/* Bytes in UTF-8 of all values of a dictionary column, one after the other. */
static size_t measure_spelled(const csv_plan *plan, const csv_piece *piece, const piece_column *part)
{
    kd_buf decoded;
    kd_buf_init(&decoded, SIZE_MAX / 4);
    size_t bytes = 0;
    for (int64_t row = 0; row < piece->rows; row++) {
        if (part->nulls && bit_get(part->nulls, row)) continue;
        uint32_t code = ((const uint32_t *)(const void *)part->values)[row];
        bytes += decode(plan, kd_dict_text(part->dict, code), &decoded).len;
    }
    kd_buf_done(&decoded);
    return bytes;
}

static size_t part_bytes(const csv_plan *plan, const csv_piece *piece, const piece_column *part)
{
    if (part->kind == KIND_DICT) return measure_spelled(plan, piece, part);
    return part->kind == KIND_TEXT && piece->rows ? part->ends[piece->rows - 1] : 0;
}

static void add_spelled(const csv_plan *plan, const csv_piece *piece, const piece_column *part, char *bytes, int64_t at,
                        int64_t *ends)
{
    kd_buf decoded;
    kd_buf_init(&decoded, SIZE_MAX / 4);
    for (int64_t row = 0; row < piece->rows; row++) {
        if (!part->nulls || !bit_get(part->nulls, row)) {
            uint32_t code = ((const uint32_t *)(const void *)part->values)[row];
            kd_str text = decode(plan, kd_dict_text(part->dict, code), &decoded);
            if (text.len) memcpy(bytes + at, text.ptr, text.len);
            at += (int64_t)text.len;
        }
        ends[row] = at;
    }
    kd_buf_done(&decoded);
}

static bool join_text(joining *j, size_t c, kd_column *column)
{
    memory_budget *budget = j->plan->budget;
    size_t bytes = 0;
    for (size_t i = 0; i < j->count; i++)
        if (j->pieces[i].columns) bytes += part_bytes(j->plan, &j->pieces[i], &j->pieces[i].columns[c]);
    int64_t *offsets = memory_column(budget, ((size_t)column->rows + 1) * sizeof *offsets);
    column->offsets = offsets;
    char *text = memory_column(budget, bytes);
    column->bytes = text;
    if (!offsets || !text) return false;
    int64_t at = 0;
    *offsets++ = 0;
    for (size_t i = 0; i < j->count; i++) {
        csv_piece *piece = &j->pieces[i];
        if (!piece->columns) continue;
        piece_column *part = &piece->columns[c];
        if (part->kind == KIND_DICT) {
            add_spelled(j->plan, piece, part, text, at, offsets);
        } else if (part->kind == KIND_TEXT) {
            for (int64_t row = 0; row < piece->rows; row++) offsets[row] = at + part->ends[row];
            if (piece->rows && part->bytes) memcpy(text + at, part->bytes, part->ends[piece->rows - 1]);
        } else {
            for (int64_t row = 0; row < piece->rows; row++) offsets[row] = at;
        }
        if (piece->rows) at = offsets[piece->rows - 1];
        offsets += piece->rows;
        csv_piece_column_done(j->plan, piece, part);
    }
    return true;
}

/* ---- dictionaries ---- */

/* Codes of the piece as codes of `all`, in order of first use. */
static bool add_codes(const csv_plan *plan, const csv_piece *piece, const piece_column *part, kd_dict *all,
                      uint32_t *map, kd_buf *decoded, int32_t *to)
{
    memset(map, 0xFF, kd_dict_count(part->dict) * sizeof *map);
    for (int64_t row = 0; row < piece->rows; row++) {
        uint32_t code = ((const uint32_t *)(const void *)part->values)[row];
        if (part->nulls && bit_get(part->nulls, row)) {
            to[row] = 0;
            continue;
        }
        if (map[code] == KD_DICT_NONE) {
            map[code] = kd_dict_add(all, decode(plan, kd_dict_text(part->dict, code), decoded));
            if (map[code] > INT32_MAX) return false;
        }
        to[row] = (int32_t)map[code];
    }
    return true;
}

static bool add_part(joining *j, size_t c, size_t index, kd_dict *all, kd_buf *decoded, int32_t *to)
{
    csv_piece *piece = &j->pieces[index];
    piece_column *part = &piece->columns[c];
    bool is_added = true;
    if (part->kind == KIND_UNKNOWN) {
        memset(to, 0, (size_t)piece->rows * sizeof *to);
    } else {
        uint32_t *map = malloc((kd_dict_count(part->dict) + (size_t)1) * sizeof *map);
        is_added = map && add_codes(j->plan, piece, part, all, map, decoded, to);
        free(map);
    }
    csv_piece_column_done(j->plan, piece, part);
    return is_added;
}

static bool keep_dictionary(joining *j, const kd_dict *all, kd_column *column)
{
    size_t count = kd_dict_count(all), bytes = count ? (size_t)kd_dict_offsets(all)[count] : 0;
    int64_t *offsets = memory_column(j->plan->budget, (count + 1) * sizeof *offsets);
    column->dict_offsets = offsets;
    char *text = memory_column(j->plan->budget, bytes);
    column->dict_bytes = text;
    if (!offsets || !text) return false;
    offsets[0] = 0;
    if (count) memcpy(offsets, kd_dict_offsets(all), (count + 1) * sizeof *offsets);
    if (bytes) memcpy(text, kd_dict_bytes(all), bytes);
    column->dict_count = (uint32_t)count;
    return true;
}

static bool join_dict(joining *j, size_t c, kd_column *column)
{
    int32_t *codes = memory_column(j->plan->budget, (size_t)column->rows * sizeof *codes), *to = codes;
    column->codes = codes;
    kd_dict *all = kd_dict_new();
    kd_buf decoded;
    kd_buf_init(&decoded, SIZE_MAX / 4);
    bool is_joined = codes && all;
    for (size_t i = 0; i < j->count && is_joined; i++) {
        if (!j->pieces[i].columns) continue;
        is_joined = add_part(j, c, i, all, &decoded, to);
        to += j->pieces[i].rows;
    }
    is_joined = is_joined && keep_dictionary(j, all, column);
    kd_buf_done(&decoded);
    kd_dict_free(all);
    return is_joined;
}

/* The dictionary holds more than half as many texts as there are rows: plain text takes less and reads faster. */
static bool spell_column(joining *j, kd_column *column)
{
    kd_column coded = *column;
    column->type = KD_TYPE_TEXT;
    column->codes = NULL;
    column->dict_offsets = NULL;
    column->dict_bytes = NULL;
    column->dict_count = 0;
    int64_t *offsets = memory_column(j->plan->budget, ((size_t)column->rows + 1) * sizeof *offsets), bytes = 0;
    column->offsets = offsets;
    for (int64_t row = 0; offsets && row < column->rows; row++) {
        offsets[row] = bytes;
        bytes += (int64_t)kd_column_text(&coded, row).len;
    }
    char *text = memory_column(j->plan->budget, (size_t)bytes);
    column->bytes = text;
    bool is_spelled = offsets && text;
    if (is_spelled) offsets[column->rows] = bytes;
    for (int64_t row = 0; is_spelled && row < column->rows; row++) {
        kd_str value = kd_column_text(&coded, row);
        if (value.len) memcpy(text + offsets[row], value.ptr, value.len);
    }
    memory_free(j->plan->budget, without_const(coded.codes), (size_t)column->rows * sizeof *coded.codes);
    free(without_const(coded.dict_offsets));
    free(without_const(coded.dict_bytes));
    return is_spelled;
}

/* ---- the frame ---- */

static kd_status join_column(void *ctx, size_t item, kd_error *err)
{
    static const kd_type types[] = {
        [KIND_BOOL] = KD_TYPE_BOOL, [KIND_INT] = KD_TYPE_INT64, [KIND_FLOAT] = KD_TYPE_FLOAT64,
        [KIND_DATE] = KD_TYPE_DATE, [KIND_DICT] = KD_TYPE_DICT, [KIND_TEXT] = KD_TYPE_TEXT
    };
    joining *j = ctx;
    kd_column *column = &j->frame->columns[item];
    column_kind kind = (column_kind)j->plan->columns[item].kind;
    column->type = types[kind];
    column->rows = j->frame->rows;
    bool is_joined = frame_name(column, j->plan->columns[item].name) && join_validity(j, item, column);
    if (is_joined && kind == KIND_TEXT) {
        is_joined = join_text(j, item, column);
    } else if (is_joined && kind == KIND_DICT) {
        is_joined = join_dict(j, item, column);
        bool is_poor = !j->plan->columns[item].is_fixed && (int64_t)column->dict_count * 2 > column->rows;
        if (is_joined && is_poor) is_joined = spell_column(j, column);
    } else if (is_joined) {
        is_joined = join_fixed(j, item, column);
    }
    return is_joined ? KD_OK : memory_fail(err, j->plan->budget);
}

kd_status csv_pieces_join(const csv_plan *plan, csv_piece *pieces, size_t count, unsigned threads, kd_frame **out_frame,
                          kd_error *err)
{
    int64_t rows = 0;
    for (size_t i = 0; i < count; i++) rows += pieces[i].rows;
    kd_frame *frame = frame_new(plan->count, rows);
    if (!frame) return memory_fail(err, plan->budget);
    joining j = { plan, pieces, count, frame };
    kd_status status = kd_parallel(threads, plan->count, join_column, &j, err);
    if (status != KD_OK) {
        kd_frame_free(frame);
        return status;
    }
    *out_frame = frame;
    return KD_OK;
}
