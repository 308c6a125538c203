#include "csv.h"

#include <stdlib.h>
#include <string.h>

static const kd_read_options no_options;

/* Parse, join and report, once the plan stands. */
static kd_status read_planned(csv_plan *plan, const kd_read_options *options, size_t piece_bytes, kd_frame **out_frame,
                              kd_read_report **out_report, kd_error *err)
{
    unsigned threads = options->threads ? options->threads : kd_threads();
    csv_piece *pieces;
    size_t count;
    KD_TRY(csv_pieces_parse(plan, piece_bytes, threads, options->progress, &pieces, &count, err));
    kd_frame *frame = NULL;
    kd_read_report *report = NULL;
    kd_status status = csv_pieces_join(plan, pieces, count, threads, &frame, err);
    if (status == KD_OK && out_report) status = report_make(plan, pieces, count, &report, err);
    for (size_t i = 0; i < count; i++) csv_piece_done(&pieces[i]);
    free(pieces);
    if (status != KD_OK) {
        kd_frame_free(frame);
        return status;
    }
    *out_frame = frame;
    if (out_report) *out_report = report;
    return KD_OK;
}

static kd_status read_text(const csv_format *format, const kd_read_options *options, size_t piece_bytes,
                           kd_frame **out_frame, kd_read_report **out_report, kd_error *err)
{
    memory_budget budget = { .bytes_max = options->bytes_max };
    csv_plan plan;
    KD_TRY(csv_plan_make(format, options, &budget, &plan, err));
    kd_status status = read_planned(&plan, options, piece_bytes, out_frame, out_report, err);
    csv_plan_done(&plan);
    return status;
}

kd_status kd_frame_read_csv_pieces(kd_str bytes, const char *name, const kd_read_options *options, size_t piece_bytes,
                                   kd_frame **out_frame, kd_read_report **out_report, kd_error *err)
{
    if (!options) options = &no_options;
    csv_format format;
    KD_TRY(csv_recognise(bytes, name, options, &format, err));
    kd_status status =
        read_text(&format, options, piece_bytes ? piece_bytes : CSV_PIECE_BYTES, out_frame, out_report, err);
    csv_format_done(&format);
    return status;
}

kd_status kd_frame_read_csv(kd_str bytes, const char *name, const kd_read_options *options, kd_frame **out_frame,
                            kd_read_report **out_report, kd_error *err)
{
    return kd_frame_read_csv_pieces(bytes, name, options, 0, out_frame, out_report, err);
}

static kd_status read_sheet(const char *path, const kd_read_options *options, int64_t rows_max, kd_frame **out_frame,
                            kd_read_report **out_report, kd_error *err)
{
    csv_format format = { .name = path,
                          .encoding = KD_ENCODING_UTF8,
                          .field_encoding = KD_ENCODING_UTF8,
                          .delimiter = ',',
                          .newline = '\n',
                          .is_sheet = true };
    kd_buf_init(&format.converted, SHEET_TEXT_BYTES_MAX);
    kd_status status = xlsx_to_csv(path, options->sheet, rows_max, options->progress, &format.converted, err);
    format.text = kd_buf_view(&format.converted);
    if (status == KD_OK) status = read_text(&format, options, CSV_PIECE_BYTES, out_frame, out_report, err);
    csv_format_done(&format);
    return status;
}

/* A ZIP archive is taken for a workbook; if it is none, xlsx_to_csv says so. */
static bool is_workbook(kd_str bytes)
{
    return kd_str_starts(bytes, (kd_str){ "PK\x03\x04", 4 });
}

/* The messages of the engine name no file where the file is not to blame; here it is. */
static kd_status name_file(kd_status status, const char *path, kd_error *err)
{
    if (status != KD_OK && err && !err->file[0]) {
        size_t len = strnlen(path, sizeof err->file - 1);
        memcpy(err->file, path, len);
        err->file[len] = '\0';
    }
    return status;
}

kd_status kd_frame_read(const char *path, const kd_read_options *options, kd_frame **out_frame,
                        kd_read_report **out_report, kd_error *err)
{
    if (!options) options = &no_options;
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(path, &mapping, err));
    kd_status status;
    if (is_workbook(mapping.bytes)) {
        status = read_sheet(path, options, INT64_MAX, out_frame, out_report, err);
    } else {
        status = kd_frame_read_csv(mapping.bytes, path, options, out_frame, out_report, err);
    }
    kd_mapping_close(&mapping);
    return name_file(status, path, err);
}

/* Where the row after the first `rows` and the header ends, so that only those are parsed. */
static size_t end_of_rows(const csv_format *format, int64_t rows)
{
    csv_reader *reader = malloc(sizeof *reader);
    csv_field field;
    if (!reader) return 0;
    csv_reader_init(reader, format, &field, 1, 0);
    for (int64_t seen = -1; seen < rows && reader->at < format->text.len;)
        seen += csv_reader_row(reader) != CSV_ROW_BLANK;
    size_t end = reader->at;
    free(reader);
    return end;
}

kd_status kd_frame_peek(const char *path, int64_t rows_max, kd_frame **out_frame, kd_error *err)
{
    kd_read_options options = { .all_text = true, .threads = 1 };
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(path, &mapping, err));
    kd_status status;
    if (is_workbook(mapping.bytes)) {
        status = read_sheet(path, &options, rows_max, out_frame, NULL, err);
    } else {
        csv_format format;
        status = csv_recognise(mapping.bytes, path, &options, &format, err);
        if (status == KD_OK) {
            format.text.len = end_of_rows(&format, rows_max);
            status = read_text(&format, &options, CSV_PIECE_BYTES, out_frame, NULL, err);
            csv_format_done(&format);
        }
    }
    kd_mapping_close(&mapping);
    return name_file(status, path, err);
}
