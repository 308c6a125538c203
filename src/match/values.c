/* Values as they are written, parsed; columns of a frame for columns of the model. */
#include "records.h"

#include <stdio.h>
#include <string.h>

/* ---- values ---- */

static bool read_text(kd_str raw, kd_entry *out, char buf[KD_NORMAL_BYTES_MAX])
{
    kd_str text = kd_str_trim(raw);
    size_t len = text.len < KD_NORMAL_BYTES_MAX ? text.len : KD_NORMAL_BYTES_MAX;
    for (size_t i = 0; i < len; i++)
        buf[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] - 'A' + 'a') : text.ptr[i];
    *out = (kd_entry){ .ptr = buf, .len = (uint16_t)len };
    return len > 0;
}

static bool read_name(const kd_text *text, kd_str raw, kd_entry *out, kd_name_parts *parts,
                      char buf[KD_NORMAL_BYTES_MAX])
{
    kd_name name;
    kd_name_read(text, raw, &name);
    if (name.kind != KD_NAME_PERSON || name.count == 0) return false;
    int count = name.count < KD_VALUE_CHARS ? name.count : KD_VALUE_CHARS;
    int surname_count = name.surname_count < count ? name.surname_count : count;
    *out = (kd_entry){ .ptr = buf, .len = (uint16_t)kd_name_format(&name, buf), .name = parts };
    out->count = (uint8_t)(count & 7);
    out->surname_count = (uint8_t)(surname_count & 7);
    for (int i = 0; i < count; i++) {
        parts->chars[i] = name.chars[i];
        parts->syllables[i] = name.syllables[i];
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
                       .len = (uint16_t)len,
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

static bool read_value(const kd_model *model, size_t field, kd_str raw, kd_entry *out, kd_name_parts *parts,
                       char buf[KD_NORMAL_BYTES_MAX])
{
    kd_str trimmed = kd_str_trim(raw);
    for (size_t i = 0; i < model->null_text_count; i++)
        if (kd_str_eq(trimmed, model->null_texts[i])) return false;
    switch (model->fields[field].kind) {
    case KD_FIELD_NAME: return read_name(model->text, raw, out, parts, buf);
    case KD_FIELD_IDENTITY: return read_identity(raw, out, buf);
    case KD_FIELD_DIVISION: return read_number(raw, out, buf);
    case KD_FIELD_DATE:
    case KD_FIELD_TEXT: break;
    }
    return read_text(raw, out, buf);
}

bool kd_entry_read(const kd_model *model, size_t field, kd_str raw, kd_entry *out, kd_name_parts *parts,
                   char buf[KD_NORMAL_BYTES_MAX])
{
    *out = (kd_entry){ 0 };
    *parts = (kd_name_parts){ 0 };
    if (!read_value(model, field, raw, out, parts, buf)) return false;
    kd_entry_measure(out, model->fields[field].kind);
    return true;
}

/* ---- a column of a frame as codes ---- */

static bool is_number(const kd_column *column)
{
    return column->type == KD_TYPE_INT64 || column->type == KD_TYPE_BOOL;
}

bool kd_is_direct(const kd_model *model, size_t field, const kd_sources *sources)
{
    const kd_column *c = sources->columns[0];
    if (model->fields[field].kind == KD_FIELD_DATE) return true;
    if (model->fields[field].kind != KD_FIELD_TEXT || model->fields[field].needs_text) return false;
    if (sources->count != 1 || !is_number(c)) return false;
    if (c->type == KD_TYPE_BOOL) return true;
    for (int64_t row = 0; row < c->rows; row++)
        if (!kd_column_is_null(c, row) && (c->ints[row] < 0 || c->ints[row] >= INT32_MAX)) return false;
    return true;
}

static kd_str value_text(const kd_column *c, int64_t row, char digits[32])
{
    if (c->type == KD_TYPE_TEXT || c->type == KD_TYPE_DICT) return kd_column_text(c, row);
    if (c->type == KD_TYPE_DATE) return kd_str_of(kd_day_format(c->days[row], digits));
    int64_t number = c->type == KD_TYPE_INT64  ? c->ints[row]
                     : c->type == KD_TYPE_BOOL ? c->bools[row]
                                               : (int64_t)c->floats[row];
    return (kd_str){ digits, (size_t)snprintf(digits, 32, "%lld", (long long)number) };
}

kd_str kd_row_text(const kd_sources *sources, int64_t row, char *buf, size_t buf_bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < sources->count; i++) {
        char digits[32];
        if (kd_column_is_null(sources->columns[i], row)) continue;
        kd_str part = value_text(sources->columns[i], row, digits);
        bool is_kept_elsewhere = part.ptr != digits;
        if (sources->count == 1 && is_kept_elsewhere) return part;
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

uint32_t kd_direct_code(const kd_model *model, size_t field, const kd_column *column, int64_t row)
{
    if (kd_column_is_null(column, row)) return 0;
    if (model->fields[field].kind != KD_FIELD_DATE)
        return (uint32_t)((column->type == KD_TYPE_BOOL ? column->bools[row] : column->ints[row]) + KD_NUMBER_OFFSET);
    if (column->type == KD_TYPE_DATE) return (uint32_t)(column->days[row] + KD_DAY_OFFSET);
    char digits[32];
    return date_code(model, field, value_text(column, row, digits));
}

bool kd_find_sources(const kd_model *model, size_t field, const kd_frame *frame, kd_sources *out_sources)
{
    kd_sources sources = { .count = model->fields[field].source_count };
    for (size_t i = 0; i < sources.count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", KD_FMT(model->fields[field].sources[i]));
        sources.columns[i] = kd_frame_find(frame, name);
        if (!sources.columns[i]) return false;
    }
    *out_sources = sources;
    return sources.columns[0] != NULL;
}

/* A number where the records hold numbers; it may be written as text. */
static uint32_t number_code(const kd_column *column, int64_t row)
{
    char digits[32];
    int64_t number;
    if (kd_column_is_null(column, row)) return 0;
    if (column->type == KD_TYPE_INT64) {
        number = column->ints[row];
    } else if (!kd_str_int(kd_str_trim(value_text(column, row, digits)), &number)) {
        return 0;
    }
    return number >= 0 && number < INT32_MAX ? (uint32_t)(number + KD_NUMBER_OFFSET) : 0;
}

uint32_t kd_record_code(const kd_matcher *matcher, const kd_frame *frame, size_t field, int64_t row, kd_entry *own,
                        kd_name_parts *parts, char buf[KD_NORMAL_BYTES_MAX])
{
    const kd_model *model = matcher->model;
    const kd_values *values = &matcher->values[field];
    kd_sources sources;
    char joined[KD_NORMAL_BYTES_MAX];
    *own = (kd_entry){ 0 };
    if (!kd_find_sources(model, field, frame, &sources)) return 0;
    if (values->is_direct && model->fields[field].kind == KD_FIELD_DATE)
        return kd_direct_code(model, field, sources.columns[0], row);
    if (values->is_direct) return number_code(sources.columns[0], row);
    if (!kd_entry_read(model, field, kd_row_text(&sources, row, joined, sizeof joined), own, parts, buf)) return 0;
    uint32_t code = kd_dict_find(values->dict, (kd_str){ own->ptr, own->len });
    return code == KD_DICT_NONE ? UINT32_MAX : code + 1; /* a value that no record has is still a value */
}
