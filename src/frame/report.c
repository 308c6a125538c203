#include "csv.h"

#include <stdlib.h>
#include <string.h>

struct kd_read_report {
    kd_encoding encoding;
    char delimiter;
    kd_arena *arena; /* headers, and what is below but the rejects' texts */
    kd_arena **texts;
    size_t text_count;
    kd_str *headers;
    size_t header_count;
    kd_reject *rejects;
    size_t reject_count;
    row_mark *marks; /* counted over the whole file */
    size_t mark_count;
    int64_t rows_seen;
};

static void add_rejects(kd_read_report *report, const csv_piece *piece, int64_t rows_before, uint64_t line)
{
    for (size_t i = 0; i < piece->reject_count; i++) {
        const piece_reject *from = &piece->rejects[i];
        bool has_name = from->field && from->field <= report->header_count;
        report->rejects[report->reject_count++] = (kd_reject){
            .row = rows_before + from->row + 1,
            .line = line + from->line,
            .column = from->field,
            .name = has_name ? report->headers[from->field - 1] : (kd_str){ NULL, 0 },
            .reason = from->reason,
            .raw = from->raw,
        };
    }
}

static void add_marks(kd_read_report *report, const csv_piece *piece, int64_t frame_rows, int64_t rows_before,
                      uint64_t line)
{
    for (size_t i = 0; i < piece->mark_count; i++) {
        const row_mark *from = &piece->marks[i];
        row_mark mark = { from->row + frame_rows, from->row_gap + rows_before - frame_rows + 1,
                          from->line_gap + (int64_t)line - frame_rows };
        const row_mark *last = report->mark_count ? &report->marks[report->mark_count - 1] : NULL;
        if (last && last->row_gap == mark.row_gap && last->line_gap == mark.line_gap) continue;
        report->marks[report->mark_count++] = mark;
    }
}

static bool fill(kd_read_report *report, csv_plan *plan, csv_piece *pieces, size_t count)
{
    size_t rejects = 0, marks = 0;
    for (size_t i = 0; i < count; i++) {
        rejects += pieces[i].reject_count;
        marks += pieces[i].mark_count;
    }
    report->rejects = calloc(rejects + 1, sizeof *report->rejects);
    report->marks = calloc(marks + 1, sizeof(row_mark));
    report->texts = calloc(count + 1, sizeof(kd_arena *));
    if (!report->rejects || !report->marks || !report->texts) return false;
    int64_t frame_rows = 0;
    uint64_t line = plan->data_line;
    for (size_t i = 0; i < count; i++) {
        add_rejects(report, &pieces[i], report->rows_seen, line);
        add_marks(report, &pieces[i], frame_rows, report->rows_seen, line);
        frame_rows += pieces[i].rows;
        report->rows_seen += pieces[i].rows_seen;
        line += pieces[i].lines;
        if (!pieces[i].texts) continue;
        report->texts[report->text_count++] = pieces[i].texts;
        pieces[i].texts = NULL;
    }
    return true;
}

kd_status report_make(csv_plan *plan, csv_piece *pieces, size_t count, kd_read_report **out_report, kd_error *err)
{
    kd_read_report *report = calloc(1, sizeof *report);
    if (!report) return memory_fail(err, plan->budget);
    report->encoding = plan->format->encoding;
    report->delimiter = plan->format->delimiter;
    report->headers = plan->headers;
    report->header_count = plan->header_count;
    if (!fill(report, plan, pieces, count)) {
        kd_read_report_free(report);
        return memory_fail(err, plan->budget);
    }
    report->arena = plan->arena;
    plan->arena = NULL;
    *out_report = report;
    return KD_OK;
}

void kd_read_report_free(kd_read_report *report)
{
    if (!report) return;
    for (size_t i = 0; i < report->text_count; i++) kd_arena_free(report->texts[i]);
    free(report->texts);
    free(report->rejects);
    free(report->marks);
    kd_arena_free(report->arena);
    free(report);
}

size_t kd_read_report_rejects(const kd_read_report *report)
{
    return report->reject_count;
}

const kd_reject *kd_read_report_reject(const kd_read_report *report, size_t index)
{
    return index < report->reject_count ? &report->rejects[index] : NULL;
}

kd_encoding kd_read_report_encoding(const kd_read_report *report)
{
    return report->encoding;
}

char kd_read_report_delimiter(const kd_read_report *report)
{
    return report->delimiter;
}

int64_t kd_read_report_rows_seen(const kd_read_report *report)
{
    return report->rows_seen;
}

/* The last mark at or before `row`. */
static const row_mark *mark_of(const kd_read_report *report, int64_t row)
{
    size_t low = 0, high = report->mark_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (report->marks[middle].row <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &report->marks[low];
}

int64_t kd_read_report_file_row(const kd_read_report *report, int64_t row)
{
    return row + mark_of(report, row)->row_gap;
}

uint64_t kd_read_report_file_line(const kd_read_report *report, int64_t row)
{
    return (uint64_t)(row + mark_of(report, row)->line_gap);
}

size_t kd_read_report_headers(const kd_read_report *report)
{
    return report->header_count;
}

kd_str kd_read_report_header(const kd_read_report *report, size_t index)
{
    return index < report->header_count ? report->headers[index] : (kd_str){ NULL, 0 };
}
