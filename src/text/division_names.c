#include "text/divisions.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char text[25];
    uint8_t len;
    uint8_t classes;
} suffix_form;

#define SUFFIX(literal, classes)              \
    {                                         \
        literal, sizeof(literal) - 1, classes \
    }

/* Longer before their own endings. */
static const suffix_form suffixes[] = {
    SUFFIX("社区居民委员会", CLASS_COMMUNITY),
    SUFFIX("街道办事处", CLASS_TOWNSHIP),
    SUFFIX("社区居委会", CLASS_COMMUNITY),
    SUFFIX("社区村委会", CLASS_COMMUNITY | CLASS_VILLAGE),
    SUFFIX("村民委员会", CLASS_VILLAGE),
    SUFFIX("村委员会", CLASS_VILLAGE),
    SUFFIX("居民委员会", CLASS_COMMUNITY),
    SUFFIX("街道办", CLASS_TOWNSHIP),
    SUFFIX("办事处", CLASS_TOWNSHIP),
    SUFFIX("自治区", CLASS_PROVINCE),
    SUFFIX("自治州", CLASS_PREFECTURE),
    SUFFIX("自治县", CLASS_COUNTY),
    SUFFIX("村委会", CLASS_VILLAGE),
    SUFFIX("居委会", CLASS_COMMUNITY),
    SUFFIX("行政村", CLASS_VILLAGE),
    SUFFIX("街道", CLASS_TOWNSHIP),
    SUFFIX("街办", CLASS_TOWNSHIP),
    SUFFIX("公社", CLASS_TOWNSHIP),
    SUFFIX("地区", CLASS_PREFECTURE),
    SUFFIX("社区", CLASS_COMMUNITY),
    SUFFIX("大队", CLASS_VILLAGE),
    SUFFIX("省", CLASS_PROVINCE),
    SUFFIX("市", CLASS_PROVINCE | CLASS_PREFECTURE | CLASS_COUNTY),
    SUFFIX("县", CLASS_COUNTY),
    SUFFIX("縣", CLASS_COUNTY),
    SUFFIX("区", CLASS_COUNTY),
    SUFFIX("旗", CLASS_COUNTY),
    SUFFIX("盟", CLASS_PREFECTURE),
    SUFFIX("镇", CLASS_TOWNSHIP),
    SUFFIX("鎮", CLASS_TOWNSHIP),
    SUFFIX("乡", CLASS_TOWNSHIP),
    SUFFIX("鄉", CLASS_TOWNSHIP),
    SUFFIX("村", CLASS_VILLAGE),
};

size_t kd_division_suffix(kd_str text, uint8_t *out_classes)
{
    if (text.len < 3 || (unsigned char)text.ptr[0] < 0x80) return 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const suffix_form *suffix = &suffixes[i];
        if (text.len < suffix->len || memcmp(text.ptr, suffix->text, suffix->len) != 0) continue;
        *out_classes = suffix->classes;
        return suffix->len;
    }
    return 0;
}

kd_str kd_division_stem(kd_str name, uint8_t class)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const suffix_form *suffix = &suffixes[i];
        if (!(suffix->classes & class) || name.len <= suffix->len) continue;
        if (kd_str_ends(name, (kd_str){ suffix->text, suffix->len }))
            return kd_str_sub(name, 0, name.len - suffix->len);
    }
    return name;
}

static uint64_t edge_key(uint32_t node, uint32_t c)
{
    return (uint64_t)node << 21 | c;
}

uint32_t kd_divisions_step(const kd_divisions *divisions, uint32_t node, uint32_t c)
{
    const uint64_t *next = kd_map_get(divisions->edges, edge_key(node, c));
    return next ? (uint32_t)*next : 0;
}

/* ---- building ---- */

typedef struct {
    uint32_t node, index;
} name_entry;

typedef struct {
    kd_divisions *divisions;
    name_entry *entries;
    size_t count, cap;
} name_builder;

static bool add_name(name_builder *builder, kd_str name, uint32_t index)
{
    kd_divisions *divisions = builder->divisions;
    uint32_t node = 0;
    for (size_t at = 0; at < name.len;) {
        bool is_new;
        uint64_t *next = kd_map_put(divisions->edges, edge_key(node, kd_utf8_next(name, &at)), &is_new);
        if (!next) return false;
        if (is_new) *next = divisions->node_count++;
        node = (uint32_t)*next;
    }
    if (node == 0) return true;
    if (builder->count == builder->cap) {
        size_t cap = builder->cap ? builder->cap * 2 : 1024;
        name_entry *grown = realloc(builder->entries, cap * sizeof *grown);
        if (!grown) return false;
        builder->entries = grown;
        builder->cap = cap;
    }
    builder->entries[builder->count++] = (name_entry){ node, index };
    return true;
}

/* A village's name without that of its township in front: 店塔镇店塔社区, 佳州街道办事处城关村委会. */
static kd_str without_township(const kd_divisions *divisions, uint32_t index, kd_str name)
{
    const kd_division *township = kd_divisions_find(divisions, divisions->items[index].parent);
    if (!township) return name;
    kd_str stem = kd_division_stem(township->name, CLASS_TOWNSHIP);
    if (!kd_str_starts(name, stem)) return name;
    uint8_t classes = 0;
    size_t suffix = kd_division_suffix(kd_str_sub(name, stem.len, name.len), &classes);
    bool is_township = suffix && (classes & CLASS_TOWNSHIP) && name.len >= stem.len + suffix + 6;
    return is_township ? kd_str_sub(name, stem.len + suffix, name.len) : name;
}

/* The stem; when it still ends as a village (三道河村 of 三道河村村民委员会) also without that. */
static bool add_stems(name_builder *builder, kd_str name, uint32_t index)
{
    const kd_divisions *divisions = builder->divisions;
    uint8_t class = divisions->classes[index];
    kd_str stem = kd_division_stem(name, class);
    if (class != CLASS_VILLAGE && class != CLASS_COMMUNITY) return add_name(builder, stem, index);
    stem = without_township(divisions, index, stem);
    if (!add_name(builder, stem, index)) return false;
    if (stem.len < 9 || !kd_str_ends(stem, KD_STR("村"))) return true;
    return add_name(builder, kd_str_sub(stem, 0, stem.len - 3), index);
}

static int entry_order(const void *a, const void *b)
{
    const name_entry *left = a, *right = b;
    if (left->node != right->node) return left->node < right->node ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static bool lay_out(name_builder *builder)
{
    kd_divisions *divisions = builder->divisions;
    if (builder->count) qsort(builder->entries, builder->count, sizeof *builder->entries, entry_order);
    divisions->firsts = kd_arena_array(divisions->arena, divisions->node_count + 1u, sizeof *divisions->firsts);
    divisions->named = kd_arena_array(divisions->arena, builder->count + 1, sizeof *divisions->named);
    if (!divisions->firsts || !divisions->named) return false;
    size_t used = 0;
    uint32_t node = 0;
    for (size_t i = 0; i < builder->count; i++) {
        const name_entry *entry = &builder->entries[i];
        bool is_same = i > 0 && entry_order(entry, entry - 1) == 0;
        if (is_same) continue;
        while (node < entry->node) divisions->firsts[++node] = (uint32_t)used;
        divisions->named[used++] = entry->index;
    }
    while (node < divisions->node_count) divisions->firsts[++node] = (uint32_t)used;
    return true;
}

kd_status kd_divisions_name(kd_divisions *divisions, const division_alias *aliases, size_t alias_count, kd_error *err)
{
    name_builder builder = { .divisions = divisions };
    divisions->edges = kd_map_new(divisions->count * 4);
    divisions->node_count = 1;
    bool is_done = divisions->edges != NULL;
    for (size_t i = 0; is_done && i < divisions->count; i++)
        is_done = add_stems(&builder, divisions->items[i].name, (uint32_t)i);
    for (size_t i = 0; is_done && i < alias_count; i++)
        is_done = add_stems(&builder, aliases[i].name, aliases[i].index);
    is_done = is_done && lay_out(&builder);
    free(builder.entries);
    return is_done ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the names of %zu divisions", divisions->count);
}
