#include "encoding.h"

#include <iconv.h>
#include <pthread.h>
#include <string.h>

/*
 * Layout of GB18030 (GB 18030-2005, annexes): one byte 00-7F; two bytes 81-FE 40-7E,80-FE; four bytes
 * 81-FE 30-39 81-FE 30-39. Four bytes count linearly: up to 8431A439 they fill the gaps of the BMP, from 90308130
 * on they are U+10000 and up.
 */
enum {
    LEADS = 126,
    TRAILS = 191, /* 0x40..0xFE, 0x7F unused */
    GAPS = 39420, /* four-byte codes of the BMP */
    BEYOND_BMP = 189000,
    BEYOND_BMP_COUNT = 0x100000,
};

/* Written once under pthread_once, then only read. UTF-8 bytes from the lowest on, their count in the top byte; 0: none. */
static uint32_t two_bytes[LEADS * TRAILS];
static uint32_t four_bytes[GAPS];
static bool is_known;

static uint32_t look_up(iconv_t converter, const unsigned char *code, size_t len)
{
    char in[4], out[8];
    memcpy(in, code, len);
    char *in_at = in, *out_at = out;
    size_t in_left = len, out_left = sizeof out;
    iconv(converter, NULL, NULL, NULL, NULL);
    if (iconv(converter, &in_at, &in_left, &out_at, &out_left) == (size_t)-1 || in_left) return 0;
    size_t bytes = sizeof out - out_left;
    if (bytes == 0 || bytes > 3) return 0;
    uint32_t packed = (uint32_t)bytes << 24;
    for (size_t i = 0; i < bytes; i++) packed |= (uint32_t)(unsigned char)out[i] << (8 * i);
    return packed;
}

static void build(void)
{
    iconv_t converter = iconv_open("UTF-8", "GB18030");
    if ((intptr_t)converter == -1) return;
    for (uint32_t lead = 0; lead < LEADS; lead++)
        for (uint32_t trail = 0; trail < TRAILS; trail++) {
            unsigned char code[2] = { (unsigned char)(0x81 + lead), (unsigned char)(0x40 + trail) };
            two_bytes[lead * TRAILS + trail] = look_up(converter, code, 2);
        }
    for (uint32_t i = 0; i < GAPS; i++) {
        unsigned char code[4] = { (unsigned char)(0x81 + i / 12600), (unsigned char)(0x30 + i / 1260 % 10),
                                  (unsigned char)(0x81 + i / 10 % 126), (unsigned char)(0x30 + i % 10) };
        four_bytes[i] = look_up(converter, code, 4);
    }
    iconv_close(converter);
    is_known = true;
}

kd_status gb18030_prepare(kd_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    if (is_known) return KD_OK;
    kd_fail(err, KD_UNSUPPORTED, "", "this system cannot read GB18030");
    kd_hint(err, "save the file as UTF-8, or install the C library's character sets (gconv)");
    return KD_UNSUPPORTED;
}

static char *put(char *out, uint32_t packed)
{
    memcpy(out, &packed, 4); /* the room has slack; the count byte is written over by what follows */
    return out + (packed >> 24);
}

static uint32_t beyond_bmp(uint32_t linear)
{
    uint32_t point = 0x10000 + (linear - BEYOND_BMP);
    return (0xF0 | point >> 18) | (0x80 | (point >> 12 & 0x3F)) << 8 | (0x80 | (point >> 6 & 0x3F)) << 16 |
           (0x80 | (point & 0x3F)) << 24;
}

/* Linear place of a four-byte code, UINT32_MAX when its bytes are out of range. */
static uint32_t linear_of(const unsigned char *at)
{
    if (at[1] < 0x30 || at[1] > 0x39 || at[2] < 0x81 || at[2] > 0xFE || at[3] < 0x30 || at[3] > 0x39) return UINT32_MAX;
    return (((uint32_t)(at[0] - 0x81) * 10 + (at[1] - 0x30u)) * 126 + (at[2] - 0x81u)) * 10 + (at[3] - 0x30u);
}

size_t gb18030_to_utf8(kd_str raw, char *out)
{
    const unsigned char *at = (const unsigned char *)raw.ptr, *end = at + raw.len;
    char *to = out;
    while (at < end) {
        if (at[0] < 0x80) {
            *to++ = (char)*at++;
            continue;
        }
        if (end - at < 2 || at[0] == 0x80 || at[0] == 0xFF) return SIZE_MAX;
        if (at[1] >= 0x40) {
            uint32_t packed = at[1] == 0xFF ? 0 : two_bytes[(at[0] - 0x81) * TRAILS + (at[1] - 0x40)];
            if (!packed) return SIZE_MAX;
            to = put(to, packed);
            at += 2;
            continue;
        }
        uint32_t linear = end - at < 4 ? UINT32_MAX : linear_of(at);
        if (linear < GAPS && four_bytes[linear]) {
            to = put(to, four_bytes[linear]);
        } else if (linear >= BEYOND_BMP && linear - BEYOND_BMP < BEYOND_BMP_COUNT) {
            uint32_t bytes = beyond_bmp(linear);
            memcpy(to, &bytes, 4);
            to += 4;
        } else {
            return SIZE_MAX;
        }
        at += 4;
    }
    return (size_t)(to - out);
}
