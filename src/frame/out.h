/** A file being written beside its place and renamed into it when whole. Private to frame. */
#ifndef KD_FRAME_OUT_H
#define KD_FRAME_OUT_H

#include "frame.h"
#include <iconv.h>

enum { OUT_PATH_MAX = 4096, OUT_FLUSH_BYTES = 1 << 20 };

/** Add to `text`, call out_turn after each row: it writes when enough has gathered. */
typedef struct {
    kd_buf text, coded;
    const char *path;
    char beside[OUT_PATH_MAX];
    int fd;
    bool is_coded;
    iconv_t converter;
} out_file;

/** `encoding` is UTF-8, GB18030 or UTF-16; the caller adds a byte order mark. */
KD_CHECKED kd_status out_open(out_file *out, const char *path, kd_encoding encoding, kd_error *err);
KD_CHECKED kd_status out_turn(out_file *out, kd_error *err);
/** Ends the file: with `status` KD_OK it takes its place, else it is removed and `status` comes back. */
KD_CHECKED kd_status out_close(out_file *out, kd_status status, kd_error *err);
/** Path of the file beside; KD_LIMIT when too long. */
KD_CHECKED kd_status out_beside(const char *path, char buf[OUT_PATH_MAX], kd_error *err);

#endif
