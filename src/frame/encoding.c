#include "encoding.h"

#include <string.h>

/* Unicode 15, table 3-7. */
size_t utf8_sequence(const char *text, size_t len)
{
    if (len == 0) return 0;
    const unsigned char *at = (const unsigned char *)text;
    unsigned char c = at[0];
    if (c < 0x80) return 1;
    size_t want = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (want == 0 || want > len) return 0;
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < want; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return want;
}

/* Three bytes, neither of the leads that need a closer look; every hanzi of daily use is such. */
static bool is_common_hanzi(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    return len >= 3 && (at[0] & 0xF0) == 0xE0 && at[0] != 0xE0 && at[0] != 0xED && (at[1] & 0xC0) == 0x80 &&
           (at[2] & 0xC0) == 0x80;
}

bool utf8_is_valid(kd_str text)
{
    size_t i = 0;
    while (i < text.len) {
        uint64_t word;
        if (text.len - i >= 8) {
            memcpy(&word, text.ptr + i, 8);
            if (!(word & UINT64_C(0x8080808080808080))) {
                i += 8;
                continue;
            }
        }
        if (is_common_hanzi(text.ptr + i, text.len - i)) {
            i += 3;
            continue;
        }
        size_t step = utf8_sequence(text.ptr + i, text.len - i);
        if (step == 0) return false;
        i += step;
    }
    return true;
}

static char *put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *to++ = (char)(0xE0 | point >> 12);
        } else {
            *to++ = (char)(0xF0 | point >> 18);
            *to++ = (char)(0x80 | (point >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (point >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (point & 0x3F));
    return to;
}

static uint32_t unit16(kd_str raw, size_t at, bool is_big)
{
    const unsigned char *byte = (const unsigned char *)raw.ptr + at;
    return is_big ? (uint32_t)byte[0] << 8 | byte[1] : (uint32_t)byte[1] << 8 | byte[0];
}

static void convert_utf16(kd_str raw, bool is_big, kd_buf *out)
{
    char *room = kd_buf_room(out, raw.len / 2 * 3 + 1), *to = room; /* at most three bytes for a unit */
    if (!room) return;
    for (size_t i = 0; i + 1 < raw.len; i += 2) {
        uint32_t unit = unit16(raw, i, is_big);
        if (unit < 0xD800 || unit > 0xDFFF) {
            to = put_utf8(to, unit);
            continue;
        }
        uint32_t low = i + 3 < raw.len ? unit16(raw, i + 2, is_big) : 0;
        if (unit < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
            to = put_utf8(to, 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00)));
            i += 2;
        } else {
            *to++ = ENCODING_BAD_BYTE;
        }
    }
    if (raw.len % 2) *to++ = ENCODING_BAD_BYTE;
    out->len += (size_t)(to - room);
}

/* Bytes of the GB18030 sequence that seems to stand at the start. */
static size_t gb18030_step(kd_str raw)
{
    const unsigned char *at = (const unsigned char *)raw.ptr;
    if (at[0] < 0x81 || at[0] == 0xFF || raw.len < 2) return 1;
    if (at[1] >= 0x40 && at[1] != 0x7F && at[1] != 0xFF) return 2;
    bool is_four = raw.len >= 4 && at[1] >= 0x30 && at[1] <= 0x39 && at[2] >= 0x81 && at[2] <= 0xFE && at[3] >= 0x30 &&
                   at[3] <= 0x39;
    return is_four ? 4 : 1;
}

static void convert_gb18030(kd_str raw, kd_buf *out)
{
    for (size_t i = 0; i < raw.len;) {
        size_t step = gb18030_step((kd_str){ raw.ptr + i, raw.len - i });
        char *room = kd_buf_room(out, encoding_room(step));
        if (!room) return;
        size_t len = gb18030_to_utf8((kd_str){ raw.ptr + i, step }, room);
        if (len == SIZE_MAX) {
            room[0] = ENCODING_BAD_BYTE;
            len = 1;
        }
        out->len += len;
        i += step;
    }
}

void encoding_convert(kd_encoding encoding, kd_str raw, kd_buf *out)
{
    switch (encoding) {
    case KD_ENCODING_GB18030: convert_gb18030(raw, out); break;
    case KD_ENCODING_UTF16LE:
    case KD_ENCODING_UTF16BE: convert_utf16(raw, encoding == KD_ENCODING_UTF16BE, out); break;
    case KD_ENCODING_AUTO:
    case KD_ENCODING_UTF8: kd_buf_str(out, raw); break;
    }
}

void encoding_mend(kd_encoding encoding, kd_str raw, size_t bytes_max, kd_buf *out)
{
    kd_buf decoded;
    kd_buf_init(&decoded, SIZE_MAX / 4);
    /* no encoding needs more than four bytes for a character that is one byte in UTF-8 */
    encoding_convert(encoding, kd_str_sub(raw, 0, bytes_max * 4), &decoded);
    if (decoded.status != KD_OK) out->status = decoded.status;
    size_t from = out->len;
    for (size_t i = 0; i < decoded.len;) {
        size_t step = utf8_sequence(decoded.ptr + i, decoded.len - i);
        bool is_bad = step == 0;
        if (is_bad) step = 1;
        if (out->len - from + (is_bad ? 3 : step) > bytes_max) break;
        if (!is_bad) {
            kd_buf_add(out, decoded.ptr + i, step);
        } else if (decoded.ptr[i] != ENCODING_SHEET_ERROR) {
            kd_buf_cstr(out, "\xEF\xBF\xBD");
        }
        i += step;
    }
    kd_buf_done(&decoded);
}

/* ---- recognising ---- */

enum { WINDOW_BYTES = 1 << 16, WINDOWS = 16 };

/* Characters of more than one byte that are well-formed, and bytes that are not. */
typedef struct {
    size_t good, bad;
} utf8_tally;

static void tally(kd_str window, bool is_end, utf8_tally *sum)
{
    size_t i = 0;
    while (i < window.len && i < 3 && (window.ptr[i] & 0xC0) == 0x80) i++; /* the window may begin inside a character */
    while (i < window.len) {
        if (!(window.ptr[i] & 0x80)) {
            i++;
            continue;
        }
        size_t step = utf8_sequence(window.ptr + i, window.len - i);
        if (step == 0 && !is_end && window.len - i < 4) return; /* and end inside one */
        sum->good += step > 1;
        sum->bad += step == 0;
        i += step ? step : 1;
    }
}

static size_t first_high_byte(kd_str bytes)
{
    size_t i = 0;
    for (; i + 64 <= bytes.len; i += 64) {
        uint64_t words[8], any = 0;
        memcpy(words, bytes.ptr + i, 64);
        for (int k = 0; k < 8; k++) any |= words[k];
        if (any & UINT64_C(0x8080808080808080)) break;
    }
    while (i < bytes.len && !(bytes.ptr[i] & 0x80)) i++;
    return i;
}

/* UTF-8 unless its rules are broken often: one bad byte in a file of UTF-8 spoils a row, not the file. */
static kd_encoding detect_eight_bit(kd_str bytes)
{
    utf8_tally sum = { 0, 0 };
    size_t stride = bytes.len / WINDOWS;
    if (stride <= WINDOW_BYTES) {
        tally(bytes, true, &sum);
    } else {
        for (size_t i = 0; i < WINDOWS; i++) tally((kd_str){ bytes.ptr + i * stride, WINDOW_BYTES }, false, &sum);
    }
    if (sum.good + sum.bad == 0) {
        size_t at = first_high_byte(bytes);
        tally(kd_str_sub(bytes, at, at + WINDOW_BYTES), bytes.len - at <= WINDOW_BYTES, &sum);
    }
    return sum.bad * 4 > sum.good ? KD_ENCODING_GB18030 : KD_ENCODING_UTF8;
}

/* ASCII in UTF-16 has a zero in every other byte, and Chinese text still has commas and line ends. */
static kd_encoding detect_zeros(kd_str bytes)
{
    size_t zeros[2] = { 0, 0 }, len = bytes.len < 4096 ? bytes.len : 4096;
    for (size_t i = 0; i < len; i++) zeros[i & 1] += bytes.ptr[i] == 0;
    if (bytes.len % 2 || zeros[0] + zeros[1] == 0) return KD_ENCODING_AUTO;
    if (zeros[0] * 16 <= zeros[1] && zeros[1] * 16 >= len / 2) return KD_ENCODING_UTF16LE;
    if (zeros[1] * 16 <= zeros[0] && zeros[0] * 16 >= len / 2) return KD_ENCODING_UTF16BE;
    return KD_ENCODING_AUTO;
}

kd_encoding encoding_detect(kd_str bytes, size_t *out_mark_bytes)
{
    static const struct {
        kd_str mark;
        kd_encoding encoding;
    } marks[] = { { { "\xEF\xBB\xBF", 3 }, KD_ENCODING_UTF8 },
                  { { "\x84\x31\x95\x33", 4 }, KD_ENCODING_GB18030 },
                  { { "\xFF\xFE", 2 }, KD_ENCODING_UTF16LE },
                  { { "\xFE\xFF", 2 }, KD_ENCODING_UTF16BE } };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!kd_str_starts(bytes, marks[i].mark)) continue;
        *out_mark_bytes = marks[i].mark.len;
        return marks[i].encoding;
    }
    *out_mark_bytes = 0;
    kd_encoding wide = detect_zeros(bytes);
    return wide != KD_ENCODING_AUTO ? wide : detect_eight_bit(bytes);
}
