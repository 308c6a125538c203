#include "base.h"

#include <stdlib.h>
#include <string.h>

static uint64_t load64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply-fold over 16-byte steps, the construction of wyhash (public domain). */
uint64_t kd_hash(const void *bytes, size_t len, uint64_t seed)
{
    static const uint64_t K0 = 0xA0761D6478BD642Fu, K1 = 0xE7037ED1A0B428DBu;
    const unsigned char *at = bytes;
    uint64_t a = 0, b = 0;
    size_t rest = len;
    seed ^= K0;
    for (; rest > 16; rest -= 16, at += 16) seed = fold(load64(at) ^ K1, load64(at + 8) ^ seed);
    if (rest >= 8) {
        a = load64(at);
        b = load64(at + rest - 8);
    } else {
        for (size_t i = 0; i < rest; i++) a = a << 8 | at[i];
    }
    return fold(K1 ^ len, fold(a ^ K1, b ^ seed));
}

uint64_t kd_hash_int(uint64_t value)
{
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93u;
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93u;
    return value ^ value >> 32;
}

static size_t capacity_for(size_t count)
{
    size_t capacity = 16;
    while (capacity < count + count / 2) capacity *= 2;
    return capacity;
}

/* ---- kd_map ---- */

typedef struct {
    uint64_t key, value;
} slot;

struct kd_map {
    slot *slots;
    size_t capacity, count;
};

static bool map_reserve(kd_map *map, size_t capacity)
{
    slot *old = map->slots;
    size_t old_capacity = map->capacity;
    slot *fresh = malloc(capacity * sizeof *fresh);
    if (!fresh) return false;
    memset(fresh, 0xFF, capacity * sizeof *fresh);
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].key == UINT64_MAX) continue;
        size_t at = kd_hash_int(old[i].key) & (capacity - 1);
        while (fresh[at].key != UINT64_MAX) at = (at + 1) & (capacity - 1);
        fresh[at] = old[i];
    }
    free(old);
    map->slots = fresh;
    map->capacity = capacity;
    return true;
}

kd_map *kd_map_new(size_t expected)
{
    kd_map *map = calloc(1, sizeof *map);
    if (map && map_reserve(map, capacity_for(expected))) return map;
    free(map);
    return NULL;
}

void kd_map_free(kd_map *map)
{
    if (!map) return;
    free(map->slots);
    free(map);
}

uint64_t *kd_map_get(const kd_map *map, uint64_t key)
{
    size_t at = kd_hash_int(key) & (map->capacity - 1);
    for (; map->slots[at].key != UINT64_MAX; at = (at + 1) & (map->capacity - 1))
        if (map->slots[at].key == key) return &map->slots[at].value;
    return NULL;
}

uint64_t *kd_map_put(kd_map *map, uint64_t key, bool *out_is_new)
{
    uint64_t *found = kd_map_get(map, key);
    if (out_is_new) *out_is_new = !found;
    if (found) return found;
    if ((map->count + 1) * 3 > map->capacity * 2 && !map_reserve(map, map->capacity * 2)) return NULL;
    size_t at = kd_hash_int(key) & (map->capacity - 1);
    while (map->slots[at].key != UINT64_MAX) at = (at + 1) & (map->capacity - 1);
    map->slots[at] = (slot){ key, 0 };
    map->count++;
    return &map->slots[at].value;
}

size_t kd_map_count(const kd_map *map)
{
    return map->count;
}

void kd_map_each(const kd_map *map, void (*visit)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key != UINT64_MAX) visit(ctx, map->slots[i].key, map->slots[i].value);
}

/* ---- kd_dict ---- */

struct kd_dict {
    kd_buf bytes;
    int64_t *offsets; /* of code; offsets[count] is the end */
    uint32_t *table;  /* code + 1; 0 is free */
    uint32_t *tags;   /* upper hash bits, so that most misses touch no text */
    size_t capacity, offsets_cap;
    uint32_t count;
};

kd_dict *kd_dict_new(void)
{
    kd_dict *dict = calloc(1, sizeof *dict);
    if (!dict) return NULL;
    kd_buf_init(&dict->bytes, SIZE_MAX / 4);
    dict->capacity = 64;
    dict->offsets_cap = 64;
    dict->table = calloc(dict->capacity, sizeof *dict->table);
    dict->tags = calloc(dict->capacity, sizeof *dict->tags);
    dict->offsets = calloc(dict->offsets_cap, sizeof *dict->offsets);
    if (dict->table && dict->tags && dict->offsets) return dict;
    kd_dict_free(dict);
    return NULL;
}

void kd_dict_free(kd_dict *dict)
{
    if (!dict) return;
    kd_buf_done(&dict->bytes);
    free(dict->offsets);
    free(dict->table);
    free(dict->tags);
    free(dict);
}

kd_str kd_dict_text(const kd_dict *dict, uint32_t code)
{
    if (code >= dict->count) return (kd_str){ NULL, 0 };
    return (kd_str){ dict->bytes.ptr + dict->offsets[code], (size_t)(dict->offsets[code + 1] - dict->offsets[code]) };
}

/* Place of `text` in the table, or of the free slot where it belongs. */
static size_t dict_slot(const kd_dict *dict, kd_str text, uint64_t hash)
{
    size_t at = hash & (dict->capacity - 1);
    for (; dict->table[at]; at = (at + 1) & (dict->capacity - 1))
        if (dict->tags[at] == (uint32_t)(hash >> 32) && kd_str_eq(kd_dict_text(dict, dict->table[at] - 1), text)) break;
    return at;
}

uint32_t kd_dict_find(const kd_dict *dict, kd_str text)
{
    size_t at = dict_slot(dict, text, kd_hash(text.ptr, text.len, 0));
    return dict->table[at] ? dict->table[at] - 1 : KD_DICT_NONE;
}

static bool dict_grow(kd_dict *dict)
{
    size_t capacity = dict->capacity * 2;
    uint32_t *table = calloc(capacity, sizeof *table), *tags = calloc(capacity, sizeof *tags);
    if (!table || !tags) {
        free(table);
        free(tags);
        return false;
    }
    for (uint32_t code = 0; code < dict->count; code++) {
        kd_str text = kd_dict_text(dict, code);
        uint64_t hash = kd_hash(text.ptr, text.len, 0);
        size_t at = hash & (capacity - 1);
        while (table[at]) at = (at + 1) & (capacity - 1);
        table[at] = code + 1;
        tags[at] = (uint32_t)(hash >> 32);
    }
    free(dict->table);
    free(dict->tags);
    dict->table = table;
    dict->tags = tags;
    dict->capacity = capacity;
    return true;
}

uint32_t kd_dict_add(kd_dict *dict, kd_str text)
{
    uint64_t hash = kd_hash(text.ptr, text.len, 0);
    size_t at = dict_slot(dict, text, hash);
    if (dict->table[at]) return dict->table[at] - 1;
    if (dict->count >= UINT32_MAX - 2) return KD_DICT_NONE;
    if ((size_t)dict->count + 2 > dict->offsets_cap) {
        int64_t *grown = realloc(dict->offsets, dict->offsets_cap * 2 * sizeof *grown);
        if (!grown) return KD_DICT_NONE;
        dict->offsets = grown;
        dict->offsets_cap *= 2;
    }
    if (((size_t)dict->count + 1) * 2 > dict->capacity) {
        if (!dict_grow(dict)) return KD_DICT_NONE;
        at = dict_slot(dict, text, hash);
    }
    /* an empty dictionary must still answer with a pointer */
    if (!dict->bytes.ptr && !kd_buf_room(&dict->bytes, 1)) return KD_DICT_NONE;
    dict->offsets[dict->count] = (int64_t)dict->bytes.len;
    kd_buf_str(&dict->bytes, text);
    if (dict->bytes.status != KD_OK) return KD_DICT_NONE;
    dict->table[at] = dict->count + 1;
    dict->tags[at] = (uint32_t)(hash >> 32);
    dict->offsets[++dict->count] = (int64_t)dict->bytes.len;
    return dict->count - 1;
}

uint32_t kd_dict_count(const kd_dict *dict)
{
    return dict->count;
}

const int64_t *kd_dict_offsets(const kd_dict *dict)
{
    return dict->offsets;
}

const char *kd_dict_bytes(const kd_dict *dict)
{
    return dict->bytes.ptr;
}
