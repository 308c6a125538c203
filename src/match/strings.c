/*
 * Likeness of texts, by character and not by byte: bit-parallel, one word a text, after filters that look at lengths and at
 * which characters occur at all.
 */
#include "records.h"

#include <string.h>

enum { MAX = KD_MATCH_TEXT_CHARS_MAX, SLOTS = 128 };
_Static_assert(MAX <= 64, "a text is one machine word of positions");

static size_t decode(kd_str text, uint32_t out[MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < text.len && count < MAX;) out[count++] = kd_utf8_next(text, &at);
    return count;
}

void kd_entry_measure(kd_entry *entry, kd_field_kind kind)
{
    uint32_t chars[MAX];
    size_t count = decode((kd_str){ entry->ptr, entry->len }, chars);
    uint64_t set = 0;
    bool is_ascii = entry->len <= MAX;
    for (size_t i = 0; i < count; i++) {
        set |= UINT64_C(1) << (chars[i] & 63);
        is_ascii = is_ascii && chars[i] < 0x80;
    }
    entry->length = (uint8_t)count;
    entry->is_ascii = is_ascii;
    entry->hash = (uint32_t)(kd_hash(entry->ptr, entry->len, 3) >> 32);
    if (kind == KD_FIELD_TEXT || kind == KD_FIELD_IDENTITY) entry->set = set;
}

/* ---- where each character stands in a text ---- */

typedef struct {
    uint64_t at[SLOTS];    /* positions of the character in slot */
    uint32_t chars[SLOTS]; /* whose; unused when all is ASCII, for then the slot is the character */
    bool is_ascii;
} places;

static uint64_t places_of(const places *p, uint32_t c)
{
    if (p->is_ascii) return c < SLOTS ? p->at[c] : 0;
    for (uint32_t slot = c * 0x9E3779B1u >> 25;; slot = (slot + 1) % SLOTS) {
        if (!p->at[slot]) return 0;
        if (p->chars[slot] == c) return p->at[slot];
    }
}

static void put_place(places *p, uint32_t c, size_t position)
{
    uint32_t slot = p->is_ascii ? c : c * 0x9E3779B1u >> 25;
    while (!p->is_ascii && p->at[slot] && p->chars[slot] != c) slot = (slot + 1) % SLOTS;
    p->chars[slot] = c;
    p->at[slot] |= UINT64_C(1) << position;
}

/** Two texts taken apart: the places of the first, the characters of the second. */
typedef struct {
    places first;
    uint32_t second[MAX], head[4];
    size_t first_length, second_length;
} meeting;

static uint32_t next_char(const kd_entry *entry, size_t *at)
{
    kd_str text = { entry->ptr, entry->len };
    return entry->is_ascii ? (unsigned char)entry->ptr[(*at)++] : kd_utf8_next(text, at);
}

static void meet(meeting *m, const kd_entry *a, const kd_entry *b)
{
    size_t at = 0;
    m->first_length = m->second_length = 0;
    m->first.is_ascii = a->is_ascii && b->is_ascii;
    memset(m->first.at, 0, sizeof m->first.at);
    memset(m->head, 0, sizeof m->head);
    while (at < a->len && m->first_length < MAX) {
        uint32_t c = next_char(a, &at);
        if (m->first_length < 4) m->head[m->first_length] = c;
        put_place(&m->first, c, m->first_length++);
    }
    at = 0;
    while (at < b->len && m->second_length < MAX) m->second[m->second_length++] = next_char(b, &at);
}

static int lacking(const kd_entry *a, const kd_entry *b)
{
    return __builtin_popcountll(a->set & ~b->set); /* characters of a, by their last six bits, that b has nowhere */
}

/* ---- Jaro-Winkler. Source: Jaro 1989, Winkler 1990: each of up to 4 leading characters weighs 0.1 ---- */

static double jaro_winkler(double la, double lb, double matches, double moved, int prefix)
{
    double jaro = (matches / la + matches / lb + (matches - moved) / matches) / 3;
    return jaro + prefix * 0.1 * (1 - jaro);
}

/* Shorter first, then by bytes: the likeness must not depend on which record comes first. */
static bool goes_first(const kd_entry *a, const kd_entry *b)
{
    if (a->length != b->length) return a->length < b->length;
    if (a->len != b->len) return a->len < b->len;
    return memcmp(a->ptr, b->ptr, a->len) <= 0;
}

/* Leading characters in common, up to 4; 4 when it takes decoding to know. */
static int prefix_at_most(const kd_entry *a, const kd_entry *b)
{
    int prefix = 0;
    if (!a->is_ascii || !b->is_ascii) return 4;
    while (prefix < 4 && prefix < a->len && prefix < b->len && a->ptr[prefix] == b->ptr[prefix]) prefix++;
    return prefix;
}

double kd_jaro_winkler(const kd_entry *x, const kd_entry *y, double at_least)
{
    const kd_entry *a = goes_first(x, y) ? x : y, *b = a == x ? y : x;
    double la = a->length, lb = b->length;
    double most = la - lacking(a, b) < lb - lacking(b, a) ? la - lacking(a, b) : lb - lacking(b, a);
    if (most <= 0) return 0;
    if (jaro_winkler(la, lb, most, 0, 4) < at_least) return 0;
    if (jaro_winkler(la, lb, most, 0, prefix_at_most(a, b)) < at_least)
        return 0; /* looks at the texts, elsewhere in memory */
    meeting m;
    meet(&m, a, b);
    unsigned window = b->length > 3 ? b->length / 2u - 1 : 0;
    uint64_t taken_a = 0, taken_b = 0;
    for (unsigned j = 0; j < m.second_length; j++) {
        unsigned below = j > window ? j - window : 0;
        uint64_t reach = j + window >= 63 ? UINT64_MAX : (UINT64_C(1) << (j + window + 1)) - 1;
        reach &= UINT64_MAX << below;
        uint64_t open = places_of(&m.first, m.second[j]) & reach & ~taken_a;
        taken_a |= open & -open;
        taken_b |= (uint64_t)(open != 0) << j;
    }
    if (!taken_a) return 0;
    int matches = __builtin_popcountll(taken_a), moved = 0, prefix = 0;
    while (taken_b) {
        int j = __builtin_ctzll(taken_b);
        uint64_t i = taken_a & -taken_a;
        moved += (places_of(&m.first, m.second[j]) & i) == 0;
        taken_a ^= i;
        taken_b &= taken_b - 1;
    }
    while (prefix < 4 && prefix < (int)a->length && m.head[prefix] == m.second[prefix]) prefix++;
    int swaps = moved / 2; /* half a swap is none */
    return jaro_winkler(la, lb, matches, swaps, prefix);
}

/* ---- edits. Source: Myers 1999; Hyyrö 2003 for swaps of neighbours ---- */

int kd_edit_distance(const kd_entry *a, const kd_entry *b, int most, bool with_swaps)
{
    int apart = (int)a->length - (int)b->length;
    if (apart > most || -apart > most || lacking(a, b) > most || lacking(b, a) > most) return most + 1;
    meeting m;
    meet(&m, a, b);
    if (!m.first_length || !m.second_length) return apart > 0 ? apart : -apart;
    uint64_t up = UINT64_MAX, down = 0, diagonal = 0, last = 0, end = UINT64_C(1) << (m.first_length - 1);
    int edits = (int)m.first_length;
    for (size_t j = 0; j < m.second_length; j++) {
        uint64_t here = places_of(&m.first, m.second[j]);
        uint64_t swap = with_swaps ? ((~diagonal & here) << 1) & last : 0;
        diagonal = (((here & up) + up) ^ up) | here | down | swap;
        uint64_t plus = down | ~(diagonal | up), minus = diagonal & up;
        edits += (plus & end) != 0;
        edits -= (minus & end) != 0;
        plus = plus << 1 | 1;
        up = minus << 1 | ~(diagonal | plus);
        down = plus & diagonal;
        last = here;
    }
    return edits > most ? most + 1 : edits;
}
