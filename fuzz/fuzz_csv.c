#include "frame/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_with(kd_str text, const kd_read_options *options, size_t piece_bytes, int64_t *rows, size_t *rejects)
{
    kd_frame *frame;
    kd_read_report *report;
    kd_error err;
    *rows = -1;
    *rejects = 0;
    if (kd_frame_read_csv_pieces(text, "fuzz.csv", options, piece_bytes, &frame, &report, &err) != KD_OK) return;
    *rows = kd_frame_rows(frame);
    *rejects = kd_read_report_rejects(report);
    kd_read_report_free(report);
    kd_frame_free(frame);
}

/* Two bytes choose the way of reading; what is found must not depend on the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kd_column_want wants[] = { { "a", NULL, KD_TYPE_INT64, false }, { "b", NULL, KD_TYPE_DATE, false } };
    if (size < 2) return 0;
    kd_read_options options = { .encoding = (kd_encoding)(data[0] % 5),
                                .all_text = data[0] & 32,
                                .wants = data[0] & 64 ? wants : NULL,
                                .want_count = 2,
                                .keep_others = data[0] & 128,
                                .threads = 1 };
    kd_str text = { (const char *)data + 2, size - 2 };
    int64_t rows, rows_again;
    size_t rejects, rejects_again;
    read_with(text, &options, 0, &rows, &rejects);
    read_with(text, &options, data[1] + (size_t)1, &rows_again, &rejects_again);
    if (rows != rows_again || rejects != rejects_again) abort();
    return 0;
}
