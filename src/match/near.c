/*
 * Values one edit apart, by leaving out each place in turn: two that differ there give the same rest, and one with a
 * character more gives the other whole. Source: SymSpell.
 */
#include "records.h"

#include <stdlib.h>
#include <string.h>

enum { CODES_A_PIECE = 1 << 14, RECORDS_A_PIECE = 1 << 16 };
static const uint64_t BASE = 0x9E3779B97F4A7C15u;

size_t kd_near_keys_of(const kd_entry *entry, uint32_t keys[KD_NEAR_KEYS_MAX])
{
    uint64_t after[KD_NEAR_KEYS_MAX + 1] = { 0 }, before = 0, power = 1;
    size_t len = entry->len < KD_NEAR_KEYS_MAX ? entry->len : KD_NEAR_KEYS_MAX - 1, n = 0;
    for (size_t i = len; i-- > 0; power *= BASE) after[i] = after[i + 1] + ((unsigned char)entry->ptr[i] + 1u) * power;
    uint64_t powers[KD_NEAR_KEYS_MAX + 1] = { 1 };
    for (size_t i = 1; i <= len; i++) powers[i] = powers[i - 1] * BASE;
    for (size_t i = 0; i < len; i++) {
        bool is_repeated = i > 0 && entry->ptr[i] == entry->ptr[i - 1]; /* leaves the same rest as the one before */
        uint32_t key = (uint32_t)(kd_hash_int(before * powers[len - 1 - i] + after[i + 1]) >> 32);
        if (!is_repeated) keys[n++] = key ? key : 1;
        before = before * BASE + (unsigned char)entry->ptr[i] + 1u;
    }
    uint32_t whole = (uint32_t)(kd_hash_int(before) >> 32);
    keys[n++] = whole ? whole : 1;
    return n;
}

/** Rests of numbers that cannot be right, and a coarse picture of them that fits the cache. */
typedef struct {
    const kd_matcher *m;
    const kd_values *values;
    size_t field;
    bool only_wrong;
    uint32_t *rests; /* sorted, each once */
    size_t count;
    uint64_t *picture;
    int shift;
    uint8_t *is_near;  /* of code: has such a rest */
    uint64_t **packed; /* of piece of records */
    size_t *found;
} nearing;

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool is_rest(const nearing *n, uint32_t key)
{
    if (!(n->picture[key >> n->shift >> 6] >> (key >> n->shift & 63) & 1)) return false;
    return bsearch(&key, n->rests, n->count, sizeof key, by_number) != NULL;
}

static kd_status collect_rests(nearing *n, kd_error *err)
{
    size_t most = 0;
    uint32_t keys[KD_NEAR_KEYS_MAX];
    for (uint32_t code = 1; code < n->values->count; code++)
        if (!n->values->entries[code].is_valid) most += n->values->entries[code].len + 1u;
    n->rests = malloc((most + 1) * sizeof *n->rests);
    for (n->shift = 16; n->shift > 4 && (UINT64_C(1) << (32 - n->shift)) < most * 16;) n->shift--;
    n->picture = calloc((UINT64_C(1) << (32 - n->shift)) / 64 + 1, sizeof *n->picture);
    n->is_near = calloc(n->values->count + 1, 1);
    if (!n->rests || !n->picture || !n->is_near) return kd_fail(err, KD_LIMIT, "", "no memory to block by likeness");
    for (uint32_t code = 1; code < n->values->count; code++) {
        if (n->values->entries[code].is_valid) continue;
        size_t k = kd_near_keys_of(&n->values->entries[code], keys);
        for (size_t i = 0; i < k; i++) {
            n->rests[n->count++] = keys[i];
            n->picture[keys[i] >> n->shift >> 6] |= UINT64_C(1) << (keys[i] >> n->shift & 63);
        }
    }
    qsort(n->rests, n->count, sizeof *n->rests, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < n->count; i++)
        if (!kept || n->rests[kept - 1] != n->rests[i]) n->rests[kept++] = n->rests[i];
    n->count = kept;
    return KD_OK;
}

static kd_status look_at_codes(void *ctx, size_t piece, kd_error *err)
{
    nearing *n = ctx;
    uint32_t from = (uint32_t)(piece * CODES_A_PIECE), keys[KD_NEAR_KEYS_MAX];
    uint32_t to = n->values->count - from < CODES_A_PIECE ? n->values->count : from + CODES_A_PIECE;
    if (kd_progress_cancelled(n->m->options.progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    for (uint32_t code = from ? from : 1; code < to; code++) {
        const kd_entry *entry = &n->values->entries[code];
        if (n->only_wrong) {
            n->is_near[code] = !entry->is_valid;
            continue;
        }
        size_t k = kd_near_keys_of(entry, keys);
        for (size_t i = 0; i < k && !n->is_near[code]; i++) n->is_near[code] = is_rest(n, keys[i]);
    }
    return KD_OK;
}

static kd_status add_records(void *ctx, size_t piece, kd_error *err)
{
    nearing *n = ctx;
    const kd_matcher *m = n->m;
    uint64_t from = (uint64_t)piece * RECORDS_A_PIECE;
    uint64_t to = m->records - from < RECORDS_A_PIECE ? m->records : from + RECORDS_A_PIECE;
    size_t room = 0;
    uint32_t keys[KD_NEAR_KEYS_MAX];
    for (uint64_t r = from; r < to; r++) {
        uint32_t code = kd_codes(m, (uint32_t)r)[n->field];
        if (!n->is_near[code] || (m->is_told && m->is_told[r])) continue;
        size_t k = kd_near_keys_of(&n->values->entries[code], keys);
        for (size_t i = 0; i < k; i++) {
            if (!is_rest(n, keys[i])) continue;
            if (n->found[piece] == room) {
                uint64_t *grown = realloc(n->packed[piece], (room * 2 + 64) * sizeof *grown);
                if (!grown) return kd_fail(err, KD_LIMIT, "", "no memory to block by likeness");
                n->packed[piece] = grown;
                room = room * 2 + 64;
            }
            n->packed[piece][n->found[piece]++] = (uint64_t)keys[i] << 32 | r;
        }
    }
    return KD_OK;
}

static kd_status join(const nearing *n, size_t pieces, uint64_t **out_packed, size_t *out_count, kd_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < pieces; i++) count += n->found[i];
    uint64_t *packed = malloc((count + 1) * sizeof *packed), *spare = malloc((count + 1) * sizeof *spare);
    kd_status status = packed && spare ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory to block by likeness");
    size_t at = 0;
    for (size_t i = 0; status == KD_OK && i < pieces; i++) {
        if (n->found[i]) memcpy(packed + at, n->packed[i], n->found[i] * sizeof *packed);
        at += n->found[i];
    }
    if (status == KD_OK) status = kd_sort_packed(n->m->threads, packed, spare, count, err);
    free(spare);
    if (status != KD_OK) {
        free(packed);
        return status;
    }
    *out_packed = packed;
    *out_count = count;
    return KD_OK;
}

static kd_status find_near(nearing *n, size_t pieces, uint64_t **out_packed, size_t *out_count, kd_error *err)
{
    const kd_matcher *m = n->m;
    if (!n->packed || !n->found) return kd_fail(err, KD_LIMIT, "", "no memory to block by likeness");
    KD_TRY(collect_rests(n, err));
    KD_TRY(kd_parallel(m->threads, (n->values->count + CODES_A_PIECE - 1) / CODES_A_PIECE, look_at_codes, n, err));
    KD_TRY(kd_parallel(m->threads, pieces, add_records, n, err));
    return join(n, pieces, out_packed, out_count, err);
}

kd_status kd_near_keys(const kd_matcher *m, const kd_rule *rule, bool only_wrong, uint64_t **out_packed,
                       size_t *out_count, kd_error *err)
{
    size_t field = rule->keys[0].field, pieces = (size_t)((m->records + RECORDS_A_PIECE - 1) / RECORDS_A_PIECE);
    nearing n = { .m = m, .values = &m->values[field], .field = field, .only_wrong = only_wrong };
    n.packed = calloc(pieces + 1, sizeof *n.packed);
    n.found = calloc(pieces + 1, sizeof *n.found);
    kd_status status = find_near(&n, pieces, out_packed, out_count, err);
    for (size_t i = 0; n.packed && i < pieces; i++) free(n.packed[i]);
    free(n.packed);
    free(n.found);
    free(n.rests);
    free(n.picture);
    free(n.is_near);
    return status;
}
