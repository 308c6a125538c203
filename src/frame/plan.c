#include "csv.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* "file.csv has: 姓名, 性别, …" as the hint of an error about columns. */
static void hint_headers(kd_error *err, const csv_plan *plan)
{
    kd_buf list;
    kd_buf_init(&list, 4096);
    for (size_t i = 0; i < plan->header_count && list.len < 280; i++) {
        if (i) kd_buf_cstr(&list, ", ");
        kd_buf_str(&list, plan->headers[i]);
    }
    if (list.status == KD_OK && list.len) kd_hint(err, "the file has: %.*s", KD_FMT(kd_buf_view(&list)));
    kd_buf_done(&list);
}

static kd_status no_memory(kd_error *err, const csv_plan *plan)
{
    return memory_fail(err, plan->budget);
}

static kd_status keep_headers(csv_plan *plan, const csv_reader *reader, kd_error *err)
{
    const csv_format *format = plan->format;
    plan->headers = kd_arena_array(plan->arena, reader->count, sizeof *plan->headers);
    if (!plan->headers) return no_memory(err, plan);
    plan->header_count = reader->count;
    kd_buf single, text;
    kd_buf_init(&single, SIZE_MAX / 4);
    kd_buf_init(&text, SIZE_MAX / 4);
    kd_status status = KD_OK;
    for (size_t i = 0; i < reader->count && status == KD_OK; i++) {
        kd_str raw = csv_field_text(&reader->fields[i], &single);
        kd_buf_clear(&text);
        encoding_convert(format->field_encoding, raw, &text);
        kd_str header = kd_buf_view(&text);
        if (!utf8_is_valid(header)) {
            status = kd_fail_at(err, KD_INVALID, format->name, reader->lines, i + 1,
                                "the column's name is not in the file's encoding");
            kd_hint(err, "save the file as UTF-8 or GB18030");
            break;
        }
        plan->headers[i] = kd_arena_str(plan->arena, header);
        if (!plan->headers[i].ptr || text.status != KD_OK || single.status != KD_OK) status = no_memory(err, plan);
    }
    kd_buf_done(&single);
    kd_buf_done(&text);
    return status;
}

/* Average length of the first rows, so that buffers are made once. */
static double guess_row_bytes(const csv_reader *reader)
{
    kd_str sample = kd_str_sub(reader->format->text, reader->at, reader->at + CSV_SAMPLE_BYTES);
    size_t lines = 1;
    for (size_t i = 0; i < sample.len; i++) lines += sample.ptr[i] == reader->format->newline;
    double guess = (double)sample.len / (double)lines;
    return guess < 2 ? 2 : guess;
}

static kd_status read_header(csv_plan *plan, csv_reader *reader, kd_error *err)
{
    const csv_format *format = plan->format;
    csv_row_kind kind = CSV_ROW_BLANK;
    uint64_t line = 0;
    while (kind == CSV_ROW_BLANK && reader->at < format->text.len) {
        line = reader->lines + 1;
        kind = csv_reader_row(reader);
    }
    if (kind == CSV_ROW_BLANK) return kd_fail_at(err, KD_INVALID, format->name, 1, 0, "the file has no column names");
    if (kind == CSV_ROW_BAD) {
        kd_fail_at(err, KD_INVALID, format->name, line, reader->bad_field, "the line of column names: %s",
                   reader->reason);
        kd_hint(err, "a table begins with a line of column names");
        return KD_INVALID;
    }
    if (reader->count > CSV_FIELDS_MAX)
        return kd_fail_at(err, KD_LIMIT, format->name, line, 0, "%zu columns are more than the %d that are read",
                          reader->count, CSV_FIELDS_MAX);
    KD_TRY(keep_headers(plan, reader, err));
    plan->data_from = reader->at;
    plan->data_line = reader->lines + 1;
    plan->row_bytes = guess_row_bytes(reader);
    return KD_OK;
}

/* ---- which columns ---- */

static kd_str header_name(const csv_plan *plan, size_t index)
{
    return kd_str_trim(plan->headers[index]);
}

static kd_status doubled(const csv_plan *plan, size_t first, size_t second, kd_error *err)
{
    kd_str name = header_name(plan, first);
    kd_fail_at(err, KD_INVALID, plan->format->name, plan->data_line - 1, second + 1,
               "columns %zu and %zu are both named '%.*s'", first + 1, second + 1, KD_FMT(name));
    hint_headers(err, plan);
    return KD_INVALID;
}

/* Place of the header that reads `text`, or header_count. KD_INVALID when two do. */
static kd_status find_header(const csv_plan *plan, kd_str text, size_t *out_index, kd_error *err)
{
    size_t found = plan->header_count;
    for (size_t i = 0; i < plan->header_count; i++) {
        if (!kd_str_eq(header_name(plan, i), text)) continue;
        if (found < plan->header_count) return doubled(plan, found, i, err);
        found = i;
    }
    *out_index = found;
    return KD_OK;
}

static column_kind kind_of(kd_type type)
{
    static const uint8_t kinds[] = {
        [KD_TYPE_TEXT] = KIND_TEXT,     [KD_TYPE_DICT] = KIND_DICT, [KD_TYPE_INT64] = KIND_INT,
        [KD_TYPE_FLOAT64] = KIND_FLOAT, [KD_TYPE_DATE] = KIND_DATE, [KD_TYPE_BOOL] = KIND_BOOL
    };
    return (column_kind)kinds[type];
}

static kd_status find_want(const csv_plan *plan, const kd_column_want *want, size_t *out_index, kd_error *err)
{
    size_t found;
    KD_TRY(find_header(plan, kd_str_of(want->name), &found, err));
    for (const char *const *alias = want->aliases; found == plan->header_count && alias && *alias; alias++)
        KD_TRY(find_header(plan, kd_str_of(*alias), &found, err));
    if (found == plan->header_count && want->is_required) {
        kd_fail_at(err, KD_INVALID, plan->format->name, plan->data_line - 1, 0, "the column '%s' is missing",
                   want->aliases && want->aliases[0] ? want->aliases[0] : want->name);
        if (err) {
            size_t len = strnlen(want->name, sizeof err->field - 1);
            memcpy(err->field, want->name, len);
            err->field[len] = '\0';
        }
        hint_headers(err, plan);
        return KD_INVALID;
    }
    *out_index = found;
    return KD_OK;
}

static kd_status take_wanted(csv_plan *plan, const kd_read_options *options, bool *is_taken, kd_error *err)
{
    for (size_t i = 0; i < options->want_count; i++) {
        const kd_column_want *want = &options->wants[i];
        size_t found;
        KD_TRY(find_want(plan, want, &found, err));
        if (found == plan->header_count) continue;
        is_taken[found] = true;
        plan->columns[plan->count++] = (plan_column){ .name = kd_str_of(want->name),
                                                      .field = (uint32_t)found,
                                                      .is_fixed = true,
                                                      .kind = (uint8_t)kind_of(want->type) };
    }
    return KD_OK;
}

/* All columns that nobody asked for; each needs a name of its own. */
static kd_status take_others(csv_plan *plan, bool is_text, const bool *is_taken, kd_error *err)
{
    kd_dict *names = kd_dict_new();
    kd_status status = names ? KD_OK : no_memory(err, plan);
    for (size_t i = 0; i < plan->header_count && status == KD_OK; i++) {
        kd_str name = header_name(plan, i);
        uint32_t place = kd_dict_find(names, name);
        if (name.len == 0) {
            status = kd_fail_at(err, KD_INVALID, plan->format->name, plan->data_line - 1, i + 1,
                                "column %zu has no name", i + 1);
            hint_headers(err, plan);
        } else if (place != KD_DICT_NONE) {
            status = doubled(plan, place, i, err);
        } else if (kd_dict_add(names, name) == KD_DICT_NONE) {
            status = no_memory(err, plan);
        }
        if (status != KD_OK || is_taken[i]) continue;
        plan->columns[plan->count++] = (plan_column){
            .name = name, .field = (uint32_t)i, .is_fixed = is_text, .kind = is_text ? KIND_TEXT : KIND_UNKNOWN
        };
    }
    kd_dict_free(names);
    return status;
}

static kd_status choose_columns(csv_plan *plan, const kd_read_options *options, kd_error *err)
{
    size_t wants = options->wants ? options->want_count : 0;
    plan->columns = kd_arena_array(plan->arena, plan->header_count + wants, sizeof *plan->columns);
    bool *is_taken = kd_arena_array(plan->arena, plan->header_count, sizeof *is_taken);
    if (!plan->columns || !is_taken) return no_memory(err, plan);
    if (options->wants) KD_TRY(take_wanted(plan, options, is_taken, err));
    if (!options->wants || options->keep_others)
        KD_TRY(take_others(plan, options->all_text || options->wants, is_taken, err));
    return KD_OK;
}

/* ---- texts that mean nothing is there ---- */

static kd_str to_gb18030(kd_arena *arena, kd_str text)
{
    iconv_t converter = iconv_open("GB18030", "UTF-8");
    if ((intptr_t)converter == -1) return (kd_str){ NULL, 0 };
    size_t room = text.len * 2 + 4, left = room, in_left = text.len;
    char *out = kd_arena_alloc(arena, room), *to = out, *from = without_const(text.ptr);
    bool is_whole = out && iconv(converter, &from, &in_left, &to, &left) != (size_t)-1;
    iconv_close(converter);
    return is_whole ? (kd_str){ out, room - left } : (kd_str){ NULL, 0 };
}

static kd_status keep_null_texts(csv_plan *plan, const kd_read_options *options, kd_error *err)
{
    size_t count = 0;
    while (options->null_texts && options->null_texts[count]) count++;
    plan->nulls = kd_arena_array(plan->arena, count, sizeof *plan->nulls);
    if (!plan->nulls) return no_memory(err, plan);
    for (size_t i = 0; i < count; i++) {
        kd_str text = kd_str_of(options->null_texts[i]);
        if (plan->format->field_encoding == KD_ENCODING_GB18030) text = to_gb18030(plan->arena, text);
        if (!text.ptr) return kd_fail(err, KD_INVALID, "null_texts", "text %zu cannot be written in GB18030", i + 1);
        plan->nulls[plan->null_count++] = text;
        plan->null_lengths |= UINT64_C(1) << (text.len < 63 ? text.len : 63);
    }
    return KD_OK;
}

static kd_status make(csv_plan *plan, const kd_read_options *options, csv_reader *reader, kd_error *err)
{
    KD_TRY(read_header(plan, reader, err));
    KD_TRY(choose_columns(plan, options, err));
    return keep_null_texts(plan, options, err);
}

kd_status csv_plan_make(const csv_format *format, const kd_read_options *options, memory_budget *budget,
                        csv_plan *out_plan, kd_error *err)
{
    csv_plan plan = { .format = format, .budget = budget, .arena = kd_arena_new(SIZE_MAX / 4) };
    csv_reader *reader = malloc(sizeof *reader);
    csv_field *fields = calloc(CSV_FIELDS_MAX, sizeof *fields);
    kd_status status = KD_LIMIT;
    if (plan.arena && reader && fields) {
        csv_reader_init(reader, format, fields, CSV_FIELDS_MAX, 0);
        status = make(&plan, options, reader, err);
    } else {
        status = memory_fail(err, budget);
    }
    free(fields);
    free(reader);
    if (status == KD_OK) {
        *out_plan = plan;
    } else {
        csv_plan_done(&plan);
    }
    return status;
}

void csv_plan_done(csv_plan *plan)
{
    kd_arena_free(plan->arena);
    plan->arena = NULL;
}
