/** @file divisions.h The division tree as the address reader walks it. Private to text. */
#ifndef KD_TEXT_DIVISIONS_H
#define KD_TEXT_DIVISIONS_H

#include "base/base.h"
#include "text/text.h"

enum { DIVISIONS_MAX = 4 << 20 };

/* What a suffix says a name is; a division answers to some of them. */
typedef enum {
    CLASS_PROVINCE = 1,
    CLASS_PREFECTURE = 2,
    CLASS_COUNTY = 4,
    CLASS_TOWNSHIP = 8,
    CLASS_VILLAGE = 16,
    CLASS_COMMUNITY = 32,
} division_class;

struct kd_divisions {
    kd_arena *arena;
    kd_division *items; /* by code, so that a subtree is the run from an item to its `ends` */
    uint32_t *ends;
    uint8_t *classes;
    size_t count;
    kd_map *by_code; /* to index */
    kd_map *history; /* old code to present code */
    /* Names without their suffix, as a trie: node and character to node. Node 0 is the start. */
    kd_map *edges;
    uint32_t *firsts; /* by node: where its divisions begin in `named`; one more than there are nodes */
    uint32_t *named;  /* indexes, rising within a node */
    uint32_t node_count;
};

/** Build the trie of names, those of the history included: pairs of old name and present index. */
typedef struct {
    kd_str name;
    uint32_t index;
} division_alias;
KD_CHECKED kd_status kd_divisions_name(kd_divisions *divisions, const division_alias *aliases, size_t alias_count,
                                       kd_error *err);

/** Longest suffix of a division's name at the start of `text`: its bytes, and the classes that it may mark. */
size_t kd_division_suffix(kd_str text, uint8_t *out_classes);
/** `name` without the suffix of its class; the whole name when nothing would be left. */
kd_str kd_division_stem(kd_str name, uint8_t class);
uint32_t kd_divisions_step(const kd_divisions *divisions, uint32_t node, uint32_t c); /* 0: no such name */
size_t kd_divisions_index(const kd_divisions *divisions, int64_t code);               /* SIZE_MAX unknown */

#endif
