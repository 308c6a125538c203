#include "frame/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file is written by the process that reads it, so that several may run side by side. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/kindred-fuzz-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return 0;
    bool is_written = write(fd, data, size) == (ssize_t)size;
    close(fd);
    kd_frame *frame;
    kd_read_report *report;
    kd_error err;
    kd_read_options options = { .threads = 1, .bytes_max = 64 << 20 };
    if (is_written && kd_frame_read(path, &options, &frame, &report, &err) == KD_OK) {
        kd_read_report_free(report);
        kd_frame_free(frame);
    }
    unlink(path);
    return 0;
}
