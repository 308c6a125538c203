#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MIN = 4096, BLOCK_BYTES_MAX = 1 << 20, ALIGNMENT = 16 };

typedef struct block {
    struct block *next;
    size_t bytes, used;
    _Alignas(ALIGNMENT) char data[];
} block;

struct kd_arena {
    block *first, *current;
    size_t bytes_max, bytes_taken;
};

kd_arena *kd_arena_new(size_t bytes_max)
{
    kd_arena *arena = calloc(1, sizeof *arena);
    if (arena) arena->bytes_max = bytes_max;
    return arena;
}

static block *add_block(kd_arena *arena, size_t bytes)
{
    size_t size = arena->current ? arena->current->bytes * 2 : BLOCK_BYTES_MIN;
    if (size > BLOCK_BYTES_MAX) size = BLOCK_BYTES_MAX;
    if (size < bytes) size = bytes;
    block *fresh = malloc(sizeof *fresh + size);
    if (!fresh) return NULL;
    *fresh = (block){ .bytes = size };
    if (arena->current) {
        fresh->next = arena->current->next;
        arena->current->next = fresh;
    } else {
        arena->first = fresh;
    }
    arena->current = fresh;
    return fresh;
}

void *kd_arena_alloc(kd_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - ALIGNMENT - sizeof(block)) return NULL;
    if (bytes > arena->bytes_max || arena->bytes_taken > arena->bytes_max - bytes) return NULL;
    size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    block *at = arena->current;
    if (!at || at->bytes - at->used < rounded) at = add_block(arena, rounded);
    if (!at) return NULL;
    void *memory = at->data + at->used;
    at->used += rounded;
    arena->bytes_taken += bytes;
    memset(memory, 0, rounded);
    return memory;
}

void *kd_arena_array(kd_arena *arena, size_t count, size_t bytes_each)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, bytes_each, &bytes)) return NULL;
    return kd_arena_alloc(arena, bytes);
}

void kd_arena_reset(kd_arena *arena)
{
    block *keep = arena->first;
    for (block *at = keep ? keep->next : NULL, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    arena->current = keep;
    arena->bytes_taken = 0;
}

size_t kd_arena_used(const kd_arena *arena)
{
    return arena->bytes_taken;
}

void kd_arena_free(kd_arena *arena)
{
    if (!arena) return;
    kd_arena_reset(arena);
    free(arena->first);
    free(arena);
}

kd_str kd_arena_str(kd_arena *arena, kd_str text)
{
    char *copy = kd_arena_alloc(arena, text.len + 1);
    if (!copy) return (kd_str){ NULL, 0 };
    if (text.len) memcpy(copy, text.ptr, text.len);
    return (kd_str){ copy, text.len };
}

kd_str kd_arena_fmt(kd_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : kd_arena_alloc(arena, (size_t)len + 1);
    if (text) vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text ? (kd_str){ text, (size_t)len } : (kd_str){ NULL, 0 };
}
