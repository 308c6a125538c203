#include "scan.h"

#include <string.h>

/* Masks of 64 blocks; bytes past the end of the text are never structural. */
typedef void (*mask_batch)(const char *from, char delimiter, char newline, uint64_t *masks);

static uint64_t mask_bytes(const char *from, size_t len, char delimiter, char newline)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        mask |= (uint64_t)(c == delimiter || c == newline || c == '"' || c == '\0') << i;
    }
    return mask;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void mask_batch_avx2(const char *from, char delimiter, char newline,
                                                            uint64_t *masks)
{
    const __m256i want[3] = { _mm256_set1_epi8(delimiter), _mm256_set1_epi8(newline), _mm256_set1_epi8('"') };
    const __m256i zero = _mm256_setzero_si256();
    for (size_t block = 0; block < SCAN_BLOCKS; block++) {
        uint64_t mask = 0;
        for (size_t half = 0; half < 2; half++) {
            __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(from + block * 64 + half * 32));
            __m256i hit =
                _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, want[0]), _mm256_cmpeq_epi8(bytes, want[1])),
                                _mm256_or_si256(_mm256_cmpeq_epi8(bytes, want[2]), _mm256_cmpeq_epi8(bytes, zero)));
            mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(hit) << (half * 32);
        }
        masks[block] = mask;
    }
}

/* SSE2 is in every x86-64. */
static void mask_batch_plain(const char *from, char delimiter, char newline, uint64_t *masks)
{
    const __m128i want[3] = { _mm_set1_epi8(delimiter), _mm_set1_epi8(newline), _mm_set1_epi8('"') };
    const __m128i zero = _mm_setzero_si128();
    for (size_t block = 0; block < SCAN_BLOCKS; block++) {
        uint64_t mask = 0;
        for (size_t part = 0; part < 4; part++) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + block * 64 + part * 16));
            __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, want[0]), _mm_cmpeq_epi8(bytes, want[1])),
                                       _mm_or_si128(_mm_cmpeq_epi8(bytes, want[2]), _mm_cmpeq_epi8(bytes, zero)));
            mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (part * 16);
        }
        masks[block] = mask;
    }
}

static mask_batch best_mask_batch(void)
{
    return __builtin_cpu_supports("avx2") ? mask_batch_avx2 : mask_batch_plain;
}
#else
static void mask_batch_plain(const char *from, char delimiter, char newline, uint64_t *masks)
{
    for (size_t block = 0; block < SCAN_BLOCKS; block++)
        masks[block] = mask_bytes(from + block * 64, 64, delimiter, newline);
}

static mask_batch best_mask_batch(void)
{
    return mask_batch_plain;
}
#endif

static void load(scanner *scan, size_t at)
{
    scan->batch = at;
    size_t left = scan->text.len - at;
    const char *from = scan->text.ptr + at;
    if (left >= SCAN_BATCH_BYTES) {
        best_mask_batch()(from, scan->delimiter, scan->newline, scan->masks);
        return;
    }
    for (size_t block = 0; block < SCAN_BLOCKS; block++) {
        size_t done = block * 64, rest = left > done ? left - done : 0;
        scan->masks[block] = rest ? mask_bytes(from + done, rest < 64 ? rest : 64, scan->delimiter, scan->newline) : 0;
    }
}

void scanner_init(scanner *scan, kd_str text, char delimiter, char newline)
{
    scan->text = text;
    scan->delimiter = delimiter;
    scan->newline = newline;
    scan->batch = SIZE_MAX;
    scanner_seek(scan, 0);
}

void scanner_seek(scanner *scan, size_t at)
{
    if (at > scan->text.len) at = scan->text.len;
    bool is_loaded = scan->batch != SIZE_MAX && at >= scan->batch && at - scan->batch < SCAN_BATCH_BYTES;
    if (!is_loaded) load(scan, at);
    scan->block = (unsigned)((at - scan->batch) / 64);
    scan->bits = scan->masks[scan->block] & (UINT64_MAX << ((at - scan->batch) % 64));
}

bool scanner_load_next(scanner *scan)
{
    size_t next = scan->batch + SCAN_BATCH_BYTES;
    if (next >= scan->text.len) return false;
    load(scan, next);
    scan->block = 0;
    scan->bits = scan->masks[0];
    return true;
}
