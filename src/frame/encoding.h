/** Character encodings of tables: what a file is in, and its bytes as UTF-8. Private to frame. */
#ifndef KD_FRAME_ENCODING_H
#define KD_FRAME_ENCODING_H

#include "frame.h"

/** Stands for what could not be decoded: never part of UTF-8, so that validation finds it again. */
#define ENCODING_BAD_BYTE '\xFF'
/** Begins a value that a spreadsheet shows as an error. */
#define ENCODING_SHEET_ERROR '\xFE'

bool utf8_is_valid(kd_str text);
/** Bytes of the well-formed sequence at the start, 0 when there is none. */
size_t utf8_sequence(const char *text, size_t len);

/** Room that encoding_to_utf8 needs for `len` bytes. */
static inline size_t encoding_room(size_t len)
{
    return len * 2 + 8;
}

/**
 * GB18030-2005 as glibc's iconv reads it, by tables that are built on first use. Returns the bytes written to `out`
 * (room for encoding_room), or SIZE_MAX when a sequence is not valid. Thread-safe. About 1 ns a character.
 */
size_t gb18030_to_utf8(kd_str raw, char *out);
/** Build the tables, before threads start. KD_UNSUPPORTED when the system's iconv knows no GB18030. */
KD_CHECKED kd_status gb18030_prepare(kd_error *err);

/** All of `raw` as UTF-8 in `out`, ENCODING_BAD_BYTE where it is not valid. */
void encoding_convert(kd_encoding encoding, kd_str raw, kd_buf *out);
/** The same, up to `bytes_max` of output cut on a character's edge, U+FFFD where it is not valid: for people to read. */
void encoding_mend(kd_encoding encoding, kd_str raw, size_t bytes_max, kd_buf *out);

/** What a file is in, and how many bytes of byte order mark stand before its text. */
kd_encoding encoding_detect(kd_str bytes, size_t *out_mark_bytes);

#endif
