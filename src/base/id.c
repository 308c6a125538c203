#include "base.h"

/* 2020-01-01: 41 bits of milliseconds last until 2089. */
static const int64_t EPOCH_MS = INT64_C(1577836800000);
enum { NODE_BITS = 10, COUNT_BITS = 12 };

int64_t kd_id_next(kd_id_maker *maker)
{
    int64_t ms = kd_now_us() / 1000 - EPOCH_MS;
    int64_t floor_ms = maker->last >> (NODE_BITS + COUNT_BITS);
    int64_t node = (int64_t)(maker->node & 1023) << COUNT_BITS;
    if (ms > floor_ms) return maker->last = ms << (NODE_BITS + COUNT_BITS) | node;
    int64_t count = (maker->last & ((1 << COUNT_BITS) - 1)) + 1;
    if (count >> COUNT_BITS) {
        count = 0;
        floor_ms++;
    }
    return maker->last = floor_ms << (NODE_BITS + COUNT_BITS) | node | count;
}

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

char *kd_id_format(int64_t id, char buf[KD_ID_TEXT_BYTES])
{
    for (int i = 12; i >= 0; i--) {
        buf[i] = ALPHABET[id & 31];
        id >>= 5;
    }
    buf[13] = '\0';
    return buf;
}

static int crockford(char c)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    if (c == 'o') c = '0';
    if (c == 'i' || c == 'l') c = '1';
    for (int i = 0; i < 32; i++)
        if (ALPHABET[i] == c) return i;
    return -1;
}

bool kd_id_parse(kd_str text, int64_t *out_id)
{
    if (text.len > 13) return kd_str_int(text, out_id) && *out_id > 0;
    if (text.len != 13) return false;
    int64_t id = 0;
    for (size_t i = 0; i < 13; i++) {
        int digit = crockford(text.ptr[i]);
        if (digit < 0 || (i == 0 && digit > 7)) return false;
        id = id << 5 | digit;
    }
    *out_id = id;
    return true;
}
