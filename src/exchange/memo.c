/*
 * The same date, code, name or address stands in many rows: each thread remembers its last conversions, direct-mapped. A hit
 * costs one cache line and the comparison of the text; nothing is ever wrong because of it, only slower without it.
 */
#include "exchange/convert.h"

#include <string.h>

memo_entry *feed_memo(feed_worker *worker, kd_str raw, uint64_t seed, bool *out_is_known)
{
    uint64_t hash = kd_hash(raw.ptr, raw.len, seed) | 1;
    memo_entry *entry = &worker->memo[hash >> 32 & (MEMO_ENTRIES - 1)];
    *out_is_known = entry->hash == hash && entry->raw_len == raw.len && memcmp(entry->raw, raw.ptr, raw.len) == 0;
    if (!*out_is_known)
        *entry = (memo_entry){ .hash = hash, .raw = raw.ptr, .raw_len = (uint16_t)raw.len, .reason = REASON_NONE };
    return entry;
}
