/* Every clever part of the engine beside a slow, obvious twin that reads the people themselves and not the engine's tables. */
#include "match/match.h"
#include "match/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEOPLE_MAX = 400, FIELDS = 5, ID = 0, FORENAME, SURNAME, BIRTH, TOWN };
static const char *const COLUMNS[FIELDS] = { "id", "forename", "surname", "birth", "town" };

static kd_text *text;

static int open_text(void **state)
{
    (void)state;
    kd_error err;
    return kd_text_open(&text, &err) == KD_OK ? 0 : -1;
}

static int close_text(void **state)
{
    (void)state;
    kd_text_close(text);
    return 0;
}

/* ---- invented people ---- */

typedef struct {
    char value[FIELDS][24]; /* "" is missing */
    uint32_t entity;
} person;

typedef struct {
    person list[PEOPLE_MAX];
    uint32_t count;
} people;

static const char *pick(kd_rng *rng, const char *const *words, size_t count)
{
    return words[kd_rng_below(rng, count)];
}

static void invent(kd_rng *rng, person *out)
{
    static const char *const forenames[] = { "anna", "berta", "carla", "dora", "emma", "frieda", "greta", "hanna" };
    static const char *const surnames[] = { "maier", "mayer", "schmidt", "schmitt", "weber", "wagner", "hoffmann" };
    static const char *const towns[] = { "ulm", "bonn", "trier", "kiel" };
    snprintf(out->value[FORENAME], sizeof out->value[0], "%s", pick(rng, forenames, 8));
    snprintf(out->value[SURNAME], sizeof out->value[0], "%s", pick(rng, surnames, 7));
    kd_day_format(kd_day_from_ymd((kd_ymd){ 1950 + (int32_t)kd_rng_below(rng, 30), (uint8_t)(1 + kd_rng_below(rng, 12)),
                                            (uint8_t)(1 + kd_rng_below(rng, 28)) }),
                  out->value[BIRTH]);
    snprintf(out->value[TOWN], sizeof out->value[0], "%s", pick(rng, towns, 4));
}

static void spoil(kd_rng *rng, char *value)
{
    size_t len = strlen(value), at = len ? (size_t)kd_rng_below(rng, len) : 0;
    switch (kd_rng_below(rng, 4)) {
    case 0: value[0] = '\0'; break;
    case 1:
        if (at + 1 < len) {
            char swap = value[at];
            value[at] = value[at + 1];
            value[at + 1] = swap;
        }
        break;
    case 2: memmove(value + at, value + at + (len > 0), len - at + (len == 0)); break;
    default:
        if (len) value[at] = (char)('a' + kd_rng_below(rng, 26));
    }
}

/* Persons of one to four records each, in any order. */
static void invent_people(uint64_t seed, uint32_t count, people *out)
{
    kd_rng rng;
    kd_rng_init(&rng, seed);
    out->count = 0;
    for (uint32_t entity = 0; out->count < count; entity++) {
        person one = { .entity = entity };
        invent(&rng, &one);
        uint64_t copies = 1 + kd_rng_below(&rng, 4);
        for (uint64_t i = 0; i < copies && out->count < count; i++) {
            person copy = one;
            for (int f = FORENAME; f < FIELDS; f++)
                if (f != BIRTH && kd_rng_below(&rng, 4) == 0) spoil(&rng, copy.value[f]);
            if (kd_rng_below(&rng, 5) == 0) copy.value[BIRTH][9] = (char)('1' + kd_rng_below(&rng, 8));
            if (kd_rng_below(&rng, 12) == 0) copy.value[BIRTH][0] = '\0';
            out->list[out->count++] = copy;
        }
    }
    for (uint32_t i = out->count; i-- > 1;) {
        uint32_t j = (uint32_t)kd_rng_below(&rng, i + 1);
        person swap = out->list[i];
        out->list[i] = out->list[j];
        out->list[j] = swap;
    }
    for (uint32_t i = 0; i < out->count; i++) snprintf(out->list[i].value[ID], sizeof out->list[i].value[ID], "r%u", i);
}

static kd_frame *frame_of(const person *list, uint32_t count)
{
    kd_frame_builder *builder = kd_frame_builder_new(0);
    kd_frame *frame = NULL;
    assert_non_null(builder);
    for (int f = 0; f < FIELDS; f++)
        kd_frame_builder_column(builder, COLUMNS[f], f == TOWN ? KD_TYPE_DICT : KD_TYPE_TEXT);
    for (uint32_t i = 0; i < count; i++)
        for (size_t f = 0; f < FIELDS; f++) {
            const char *value = list[i].value[f];
            kd_frame_builder_text(builder, f, value[0] ? kd_str_of(value) : (kd_str){ NULL, 0 });
        }
    assert_int_equal(kd_frame_builder_finish(builder, &frame, NULL), KD_OK);
    kd_frame_builder_free(builder);
    return frame;
}

/* ---- a model whose every number is given, so that a twin can do the sums ---- */

#define TABLE "columns:\n  id: {}\n  forename: {}\n  surname: {}\n  birth: {kind: date}\n  town: {}\n"
#define BLOCKING \
    "blocking:\n  - [birth]\n  - [surname, forename.first(2)]\n  - [forename, birth.year]\n  - [surname.last(3), town]\n"
#define LEVELS                                                                                                          \
    "comparisons:\n"                                                                                                    \
    "  - column: forename\n"                                                                                            \
    "    levels: [{is: exact, m: 0.7, u: 0.1}, {is: jaro_winkler, at_least: 0.88, m: 0.2, u: 0.05},\n"                  \
    "             {is: else, m: 0.1, u: 0.85}]\n"                                                                       \
    "  - column: surname\n"                                                                                             \
    "    levels: [{is: exact, m: 0.75, u: 0.14, term_frequency: true}, {is: osa, at_most: 1, m: 0.15, u: 0.1},\n"       \
    "             {is: levenshtein, at_most: 2, m: 0.05, u: 0.06}, {is: else, m: 0.05, u: 0.7}]\n"                      \
    "  - column: birth\n"                                                                                               \
    "    levels: [{is: exact, m: 0.85, u: 0.0001}, {is: same_month, m: 0.1, u: 0.003}, {is: else, m: 0.05, u: 0.99}]\n" \
    "  - column: town\n"                                                                                                \
    "    levels: [{is: exact, m: 0.8, u: 0.25}, {is: else, m: 0.2, u: 0.75}]\n"
#define GIVEN TABLE BLOCKING LEVELS "prior: {probability: 0.004}\ntrained: true\n"

typedef struct {
    kd_model *model;
    kd_matcher *matcher;
    kd_pairs pairs;
    kd_clusters clusters;
} linked;

static kd_model *parse(const char *yaml)
{
    kd_model *model = NULL;
    kd_error err = { 0 };
    if (kd_model_parse(kd_str_of(yaml), "t.yaml", text, &model, &err) != KD_OK)
        fail_msg("%d:%d: %s", (int)err.line, (int)err.column, err.message);
    return model;
}

static void run_frames(const char *yaml, const kd_frame *const *frames, size_t count, unsigned threads, linked *out)
{
    kd_match_options options = { .threads = threads, .seed = 7 };
    kd_error err = { 0 };
    *out = (linked){ .model = parse(yaml) };
    kd_status status = kd_matcher_new(out->model, frames, count, &options, &out->matcher, &err);
    if (status == KD_OK) status = kd_matcher_train(out->matcher, out->model, &err);
    if (status == KD_OK) status = kd_matcher_pairs(out->matcher, &out->pairs, &err);
    if (status == KD_OK) status = kd_matcher_cluster(out->matcher, &out->pairs, NULL, &out->clusters, &err);
    if (status != KD_OK) fail_msg("%s", err.message);
}

static void run_people(const char *yaml, const people *list, unsigned threads, linked *out)
{
    kd_frame *frame = frame_of(list->list, list->count);
    run_frames(yaml, (const kd_frame *const[]){ frame }, 1, threads, out);
    kd_frame_free(frame);
}

static void linked_done(linked *l)
{
    kd_clusters_done(&l->clusters);
    kd_pairs_done(&l->pairs);
    kd_matcher_free(l->matcher);
    kd_model_free(l->model);
}

/* ---- texts ---- */

/* Each letter of the longer text takes the first free equal one within reach in the shorter; ties by the alphabet. */
static double naive_jaro_winkler(const char *x, const char *y)
{
    bool is_swapped = strlen(x) != strlen(y) ? strlen(x) > strlen(y) : strcmp(x, y) > 0;
    const char *a = is_swapped ? y : x, *b = is_swapped ? x : y;
    int la = (int)strlen(a), lb = (int)strlen(b), matches = 0, out_of_order = 0, prefix = 0, n = 0;
    bool used[64] = { false };
    char from_a[64], from_b[64];
    if (!la || !lb) return 0;
    int reach = lb / 2 - 1 > 0 ? lb / 2 - 1 : 0;
    for (int j = 0; j < lb; j++)
        for (int i = 0; i < la; i++) {
            if (used[i] || a[i] != b[j] || abs(i - j) > reach) continue;
            used[i] = true;
            from_b[matches++] = b[j];
            break;
        }
    for (int i = 0; i < la; i++)
        if (used[i]) from_a[n++] = a[i];
    if (!matches) return 0;
    for (int i = 0; i < matches; i++) out_of_order += from_a[i] != from_b[i];
    int moved = out_of_order / 2; /* half of an odd one out counts nothing */
    double m = matches, jaro = (m / la + m / lb + (m - moved) / m) / 3;
    while (prefix < 4 && prefix < la && prefix < lb && a[prefix] == b[prefix]) prefix++;
    return jaro + prefix * 0.1 * (1 - jaro);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int naive_edits(const char *a, const char *b, bool with_swaps)
{
    int la = (int)strlen(a), lb = (int)strlen(b), d[64][64];
    for (int i = 0; i <= la; i++)
        for (int j = 0; j <= lb; j++) {
            if (!i || !j) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = smaller(smaller(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (with_swaps && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[la][lb];
}

static kd_entry entry_of(const char *value)
{
    kd_entry entry = { .ptr = value, .len = (uint16_t)strlen(value) };
    kd_entry_measure(&entry, KD_FIELD_TEXT);
    return entry;
}

/* The same letters as hanzi, so that the kernels are seen to count characters. */
static const char *as_hanzi(const char *letters, char *buf)
{
    size_t n = 0;
    for (size_t i = 0; letters[i]; i++) n += kd_utf8_encode(0x4e00 + (uint32_t)letters[i], buf + n);
    buf[n] = '\0';
    return buf;
}

static void invent_words(kd_rng *rng, int round, char words[2][64])
{
    for (int w = 0; w < 2; w++) {
        size_t len = (size_t)kd_rng_below(rng, round % 50 ? 12 : 60);
        for (size_t i = 0; i < len; i++) words[w][i] = (char)('a' + kd_rng_below(rng, round % 3 ? 4 : 20));
        words[w][len] = '\0';
    }
    if (round % 2 == 0) return;
    memcpy(words[1], words[0], 64);
    for (int i = 0; i <= round % 5; i++) spoil(rng, words[1]);
}

static void texts_compare_as_the_textbook_says(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 11);
    for (int round = 0; round < 20000; round++) {
        char words[2][64], wide[2][256];
        invent_words(&rng, round, words);
        kd_entry a = entry_of(words[0]), b = entry_of(words[1]);
        kd_entry wide_a = entry_of(as_hanzi(words[0], wide[0])), wide_b = entry_of(as_hanzi(words[1], wide[1]));
        double likeness = naive_jaro_winkler(words[0], words[1]);
        for (int limit = 0; limit < 100; limit += 22) { /* below the limit any figure below it will do */
            double at_least = limit / 100.0;
            double found = kd_jaro_winkler(&a, &b, at_least), back = kd_jaro_winkler(&wide_b, &wide_a, at_least);
            bool is_right = likeness < at_least ? found < at_least && back < at_least
                                                : fabs(found - likeness) < 1e-12 && fabs(back - likeness) < 1e-12;
            if (!is_right) fail_msg("'%s' '%s': %.6f, not %.6f %.6f", words[0], words[1], likeness, found, back);
        }
        bool with_swaps = round / 2 % 2;
        int all_edits = naive_edits(words[0], words[1], with_swaps);
        for (int most = 0; most < 5; most++) {
            int edits = smaller(all_edits, most + 1);
            if (kd_edit_distance(&a, &b, most, with_swaps) != edits ||
                kd_edit_distance(&b, &wide_a, 0, with_swaps) < (b.len || a.len) ||
                kd_edit_distance(&wide_b, &wide_a, most, with_swaps) != edits)
                fail_msg("'%s' '%s' up to %d: %d edits", words[0], words[1], most, edits);
        }
    }
}

static void texts_compare_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        double jaro_winkler;
        int edits, edits_with_swaps;
    } cases[] = { { "MARTHA", "MARHTA", 0.9611, 2, 1 },
                  { "DWAYNE", "DUANE", 0.84, 2, 2 },
                  { "DIXON", "DICKSONX", 0.8133, 4, 4 },
                  { "张伟", "张卫", 0.7, 1, 1 },
                  { "张伟", "伟张", 0, 2, 1 },
                  { "李娜", "王芳", 0, 2, 2 },
                  { "ca", "abc", 0, 3, 3 },
                  { "", "a", 0, 1, 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kd_entry a = entry_of(cases[i].a), b = entry_of(cases[i].b);
        if (fabs(kd_jaro_winkler(&a, &b, 0) - cases[i].jaro_winkler) > 5e-5)
            fail_msg("%s %s: %.4f", cases[i].a, cases[i].b, kd_jaro_winkler(&a, &b, 0));
        assert_int_equal(kd_edit_distance(&a, &b, 9, false), cases[i].edits);
        assert_int_equal(kd_edit_distance(&a, &b, 9, true), cases[i].edits_with_swaps);
    }
}

/* ---- pairs: all of them, scored one by one ---- */

static bool both(const person *a, const person *b, int field)
{
    return a->value[field][0] && b->value[field][0];
}

/* A part of a value of both: `len` letters at the start, or at the end when it is negative; false when one is too short. */
static bool same_part(const person *a, const person *b, int field, int len)
{
    const char *x = a->value[field], *y = b->value[field];
    int lx = (int)strlen(x), ly = (int)strlen(y), n = len < 0 ? -len : len;
    if (lx < n || ly < n || n == 0) return false;
    return len > 0 ? strncmp(x, y, (size_t)n) == 0 : strcmp(x + lx - n, y + ly - n) == 0;
}

static bool same(const person *a, const person *b, int field)
{
    return both(a, b, field) && strcmp(a->value[field], b->value[field]) == 0;
}

static bool shares_a_key(const person *a, const person *b)
{
    return same(a, b, BIRTH) || (same(a, b, SURNAME) && same_part(a, b, FORENAME, 2)) ||
           (same(a, b, FORENAME) && both(a, b, BIRTH) && strncmp(a->value[BIRTH], b->value[BIRTH], 4) == 0) ||
           (same_part(a, b, SURNAME, -3) && same(a, b, TOWN));
}

static double frequency(const people *all, int field, const char *value)
{
    double known = 0, equal = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        known += all->list[i].value[field][0] != '\0';
        equal += strcmp(all->list[i].value[field], value) == 0;
    }
    return equal / known;
}

static double naive_weight(const people *all, const person *a, const person *b)
{
    double bits = log2(0.004 / 0.996);
    if (both(a, b, FORENAME)) {
        double likeness = naive_jaro_winkler(a->value[FORENAME], b->value[FORENAME]);
        bits += same(a, b, FORENAME) ? log2(0.7 / 0.1) : likeness >= 0.88 ? log2(0.2 / 0.05) : log2(0.1 / 0.85);
    }
    if (same(a, b, SURNAME)) {
        bits += log2(0.75 / 0.14) + log2(0.14 / frequency(all, SURNAME, a->value[SURNAME]));
    } else if (both(a, b, SURNAME)) {
        const char *x = a->value[SURNAME], *y = b->value[SURNAME];
        bits += naive_edits(x, y, true) <= 1    ? log2(0.15 / 0.1)
                : naive_edits(x, y, false) <= 2 ? log2(0.05 / 0.06)
                                                : log2(0.05 / 0.7);
    }
    if (both(a, b, BIRTH)) {
        bool is_same_month = strncmp(a->value[BIRTH], b->value[BIRTH], 7) == 0;
        bits += same(a, b, BIRTH) ? log2(0.85 / 0.0001) : is_same_month ? log2(0.1 / 0.003) : log2(0.05 / 0.99);
    }
    if (both(a, b, TOWN)) bits += same(a, b, TOWN) ? log2(0.8 / 0.25) : log2(0.2 / 0.75);
    return bits;
}

static void pairs_are_those_of_comparing_everyone_with_everyone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        people all;
        linked l;
        uint64_t at = 0, candidates = 0;
        invent_people(seed, 300, &all);
        run_people(GIVEN "threshold: 1.5\n", &all, 1 + (unsigned)seed % 3, &l);
        for (uint32_t a = 0; a < all.count; a++)
            for (uint32_t b = a + 1; b < all.count; b++) {
                if (!shares_a_key(&all.list[a], &all.list[b])) continue;
                double weight = naive_weight(&all, &all.list[a], &all.list[b]);
                candidates++;
                if (weight < 1.5) continue;
                assert_true(at < l.pairs.count);
                assert_int_equal(l.pairs.pairs[at].a, a);
                assert_int_equal(l.pairs.pairs[at].b, b);
                assert_true(fabs((double)l.pairs.pairs[at].weight - weight) < 1e-4);
                at++;
            }
        assert_int_equal(l.pairs.count, at);
        assert_int_equal(l.pairs.compared, candidates);
        assert_true(at > 100);
        linked_done(&l);
    }
}

static void linking_two_tables_makes_only_pairs_across(void **state)
{
    (void)state;
    people all;
    linked l, both_ways;
    invent_people(21, 300, &all);
    kd_frame *first = frame_of(all.list, 140), *second = frame_of(all.list + 140, all.count - 140);
    const kd_frame *frames[] = { first, second };
    run_frames(GIVEN "threshold: 1.5\nlink_only: true\n", frames, 2, 2, &l);
    run_frames(GIVEN "threshold: 1.5\n", frames, 2, 2, &both_ways);
    uint64_t at = 0;
    for (uint64_t i = 0; i < both_ways.pairs.count; i++) {
        const kd_pair *p = &both_ways.pairs.pairs[i];
        if (p->a >= 140 || p->b < 140) continue;
        assert_true(at < l.pairs.count);
        assert_memory_equal(&l.pairs.pairs[at++], p, sizeof *p);
    }
    assert_int_equal(l.pairs.count, at);
    assert_true(at > 50 && at < both_ways.pairs.count);
    linked_done(&l);
    linked_done(&both_ways);
    kd_frame_free(first);
    kd_frame_free(second);
}

/* ---- clusters: average linkage by looking at all pairs at each step ---- */

typedef struct {
    double weight[PEOPLE_MAX][PEOPLE_MAX];
    bool is_vetoed[PEOPLE_MAX][PEOPLE_MAX];
    uint32_t cluster[PEOPLE_MAX]; /* lowest record in it */
    uint32_t count;
} naive_linkage;

static void naive_component(naive_linkage *n, const linked *l, double cut)
{
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (uint64_t i = 0; i < l->pairs.count; i++) {
            uint32_t a = l->pairs.pairs[i].a, b = l->pairs.pairs[i].b;
            if ((double)l->pairs.pairs[i].weight < cut || n->cluster[a] == n->cluster[b]) continue;
            n->cluster[a] = n->cluster[b] = n->cluster[a] < n->cluster[b] ? n->cluster[a] : n->cluster[b];
            is_changed = true;
        }
    }
}

/* Mean weight between two clusters; -INFINITY when something holds any two of their records apart. */
static double mean_weight(const naive_linkage *n, uint32_t x, uint32_t y)
{
    double sum = 0, pairs = 0;
    for (uint32_t a = 0; a < n->count; a++)
        for (uint32_t b = 0; b < n->count; b++) {
            if (n->cluster[a] != x || n->cluster[b] != y) continue;
            if (n->is_vetoed[a][b]) return -INFINITY;
            sum += n->weight[a][b];
            pairs++;
        }
    return sum / pairs;
}

static void naive_merge(naive_linkage *n, const uint32_t *component, double cut)
{
    for (;;) {
        uint32_t best_x = 0, best_y = 0;
        double best = -INFINITY;
        for (uint32_t x = 0; x < n->count; x++)
            for (uint32_t y = x + 1; n->cluster[x] == x && y < n->count; y++) {
                if (n->cluster[y] != y || component[x] != component[y]) continue;
                double mean = mean_weight(n, x, y);
                if (mean <= best) continue;
                best = mean;
                best_x = x;
                best_y = y;
            }
        if (best < cut) return;
        for (uint32_t i = 0; i < n->count; i++)
            if (n->cluster[i] == best_y) n->cluster[i] = best_x;
    }
}

static void naive_average_link(naive_linkage *n, const linked *l, const people *all, double cut, double unscored,
                               const kd_constraints *constraints)
{
    static uint32_t component[PEOPLE_MAX];
    n->count = all->count;
    for (uint32_t a = 0; a < n->count; a++) n->cluster[a] = a;
    naive_component(n, l, cut);
    memcpy(component, n->cluster, sizeof component);
    for (uint32_t a = 0; a < n->count; a++) n->cluster[a] = a;
    for (uint32_t a = 0; a < n->count; a++)
        for (uint32_t b = 0; b < n->count; b++) {
            double weight = naive_weight(all, &all->list[a], &all->list[b]);
            n->weight[a][b] = weight > unscored ? weight : unscored;
            n->is_vetoed[a][b] = false;
        }
    for (uint64_t i = 0; i < l->pairs.count; i++) {
        const kd_pair *p = &l->pairs.pairs[i];
        n->weight[p->a][p->b] = n->weight[p->b][p->a] = (double)p->weight;
    }
    for (size_t i = 0; constraints && i < constraints->cannot_count; i++) {
        uint32_t a = constraints->cannot_link[i][0], b = constraints->cannot_link[i][1];
        n->is_vetoed[a][b] = n->is_vetoed[b][a] = true;
    }
    naive_merge(n, component, cut);
}

static void expect_same_clusters(const linked *l, const people *all, const kd_constraints *constraints)
{
    static naive_linkage n;
    kd_clusters found;
    assert_int_equal(kd_matcher_cluster(l->matcher, &l->pairs, constraints, &found, NULL), KD_OK);
    naive_average_link(&n, l, all, -1, -9, constraints);
    for (uint32_t a = 0; a < all->count; a++)
        for (uint32_t b = 0; b < a; b++)
            assert_int_equal(found.cluster[a] == found.cluster[b], n.cluster[a] == n.cluster[b]);
    kd_clusters_done(&found);
}

static void clusters_are_those_of_averaging_by_hand(void **state)
{
    (void)state;
    for (uint64_t seed = 31; seed < 37; seed++) {
        people all;
        linked l;
        uint32_t cannot[20][2];
        kd_rng rng;
        kd_rng_init(&rng, seed);
        invent_people(seed, 120, &all);
        run_people(GIVEN "threshold: -2\ncluster: {at_least: -1, unscored: -9}\n", &all, 2, &l);
        for (uint64_t i = 0; i < l.pairs.count;
             i++) /* no two weights are equal: of equal ones either may be merged first */
            l.pairs.pairs[i].weight += (float)(kd_rng_unit(&rng) * 0.02);
        expect_same_clusters(&l, &all, NULL);
        for (size_t i = 0; i < 20; i++) {
            const kd_pair *p = &l.pairs.pairs[kd_rng_below(&rng, l.pairs.count)];
            cannot[i][0] = i % 2 ? p->a : p->b;
            cannot[i][1] = i % 2 ? p->b : p->a;
        }
        kd_constraints constraints = { .cannot_link = (const uint32_t(*)[2])cannot, .cannot_count = 20 };
        expect_same_clusters(&l, &all, &constraints);
        linked_done(&l);
    }
}

static void words_of_people_hold_against_any_weight(void **state)
{
    (void)state;
    people all;
    linked l;
    kd_clusters c;
    invent_people(41, 200, &all);
    run_people(GIVEN "threshold: 0\n", &all, 1, &l);
    uint32_t together[1][2] = { { 0, 0 } }, apart[1][2] = { { l.pairs.pairs[0].a, l.pairs.pairs[0].b } };
    for (uint32_t r = 1; !together[0][1] && r < all.count; r++)
        if (l.clusters.cluster[r] != l.clusters.cluster[0]) together[0][1] = r;
    kd_constraints constraints = { (const uint32_t(*)[2])together, 1, (const uint32_t(*)[2])apart, 1 };
    assert_int_equal(kd_matcher_cluster(l.matcher, &l.pairs, &constraints, &c, NULL), KD_OK);
    assert_int_equal(c.cluster[together[0][0]], c.cluster[together[0][1]]);
    assert_int_not_equal(c.cluster[apart[0][0]], c.cluster[apart[0][1]]);
    for (uint64_t i = 0; i < c.doubtful_count; i++) /* what people have told apart is not asked again */
        assert_false(c.doubtful[i].a == apart[0][0] && c.doubtful[i].b == apart[0][1]);
    kd_clusters_done(&c);
    linked_done(&l);
}

static void clusters_are_numbered_by_their_first_record_and_name_a_peer(void **state)
{
    (void)state;
    people all;
    linked l;
    invent_people(42, 300, &all);
    run_people(GIVEN "threshold: 0\n", &all, 2, &l);
    uint32_t next = 0;
    for (uint32_t r = 0; r < all.count; r++) {
        assert_true(l.clusters.cluster[r] <= next);
        next += l.clusters.cluster[r] == next;
        uint32_t peer = l.clusters.peer[r];
        assert_int_equal(l.clusters.cluster[peer], l.clusters.cluster[r]);
        double best = -INFINITY;
        for (uint64_t i = 0; i < l.pairs.count; i++) {
            const kd_pair *p = &l.pairs.pairs[i];
            bool is_within = (p->a == r || p->b == r) && l.clusters.cluster[p->a] == l.clusters.cluster[p->b];
            if (is_within && (double)p->weight > best) best = (double)p->weight;
        }
        assert_true(isinf(best) ? peer == r : fabs((double)l.clusters.weight[r] - best) < 1e-9);
    }
    assert_int_equal(next, l.clusters.clusters);
    linked_done(&l);
}

/* ---- what must not matter ---- */

#define LEARNED_LEVELS                                                                                                      \
    "comparisons:\n"                                                                                                        \
    "  - {column: forename, levels: [{is: exact, term_frequency: true}, {is: jaro_winkler, at_least: 0.88}, {is: else}]}\n" \
    "  - {column: surname, levels: [{is: exact, term_frequency: true}, {is: osa, at_most: 1}, {is: else}]}\n"               \
    "  - {column: birth, levels: [{is: exact}, {is: one_digit}, {is: else}]}\n"                                             \
    "  - {column: town, levels: [{is: exact}, {is: else}]}\n"
#define LEARNED TABLE BLOCKING LEARNED_LEVELS "threshold: 0\n"

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    people all;
    linked one, many;
    invent_people(51, PEOPLE_MAX, &all);
    run_people(LEARNED, &all, 1, &one);
    for (unsigned threads = 2; threads < 9; threads += 3) {
        run_people(LEARNED, &all, threads, &many);
        assert_int_equal(many.pairs.count, one.pairs.count);
        assert_memory_equal(many.pairs.pairs, one.pairs.pairs, one.pairs.count * sizeof *one.pairs.pairs);
        assert_memory_equal(many.clusters.cluster, one.clusters.cluster, all.count * sizeof *one.clusters.cluster);
        linked_done(&many);
    }
    linked_done(&one);
}

static void the_order_of_rows_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 52; seed < 58; seed++) {
        people all, mixed;
        linked straight, crooked;
        uint32_t place[PEOPLE_MAX];
        kd_rng rng;
        kd_rng_init(&rng, seed);
        invent_people(seed, PEOPLE_MAX, &all);
        mixed = all;
        for (uint32_t i = 0; i < all.count; i++) place[i] = i;
        for (uint32_t i = all.count; i-- > 1;) {
            uint32_t j = (uint32_t)kd_rng_below(&rng, i + 1), swap = place[i];
            place[i] = place[j];
            place[j] = swap;
        }
        for (uint32_t i = 0; i < all.count; i++) mixed.list[place[i]] = all.list[i];
        run_people(LEARNED, &all, 1, &straight);
        run_people(LEARNED, &mixed, 2, &crooked);
        assert_int_equal(straight.pairs.count, crooked.pairs.count);
        for (uint32_t a = 0; a < all.count; a++)
            for (uint32_t b = 0; b < a; b++) {
                bool is_one = straight.clusters.cluster[a] == straight.clusters.cluster[b];
                if (is_one != (crooked.clusters.cluster[place[a]] == crooked.clusters.cluster[place[b]]))
                    fail_msg("seed %d: %u and %u", (int)seed, a, b);
            }
        linked_done(&straight);
        linked_done(&crooked);
    }
}

/* ---- look-up ---- */

static float pair_weight(const kd_pairs *pairs, uint32_t a, uint32_t b)
{
    for (uint64_t i = 0; i < pairs->count; i++)
        if (pairs->pairs[i].a == (a < b ? a : b) && pairs->pairs[i].b == (a < b ? b : a)) return pairs->pairs[i].weight;
    return -INFINITY;
}

static void looking_up_finds_what_the_batch_paired(void **state)
{
    (void)state;
    people all;
    linked l;
    kd_match_index *index;
    invent_people(61, 250, &all);
    run_people(LEARNED, &all, 1, &l);
    kd_frame *frame = frame_of(all.list, all.count);
    assert_int_equal(kd_match_index_new(l.matcher, &index, NULL), KD_OK);
    for (uint32_t r = 0; r < all.count; r++) {
        kd_candidate found[PEOPLE_MAX], few[3];
        size_t count, few_count, expected = 0;
        assert_int_equal(kd_match_lookup(index, frame, r, PEOPLE_MAX, found, &count, NULL), KD_OK);
        assert_int_equal(kd_match_lookup(index, frame, r, 3, few, &few_count, NULL), KD_OK);
        for (uint32_t other = 0; other < all.count; other++) expected += pair_weight(&l.pairs, r, other) > -INFINITY;
        size_t others = 0;
        for (size_t i = 0; i < count; i++) {
            assert_true(i == 0 || found[i].weight <= found[i - 1].weight);
            if (found[i].record == r) continue; /* the record meets itself, too */
            others++;
            assert_true(fabsf(found[i].weight - pair_weight(&l.pairs, r, found[i].record)) < 1e-4f);
        }
        assert_int_equal(others, expected);
        assert_int_equal(few_count, count < 3 ? count : 3);
        for (size_t i = 0; i < few_count; i++) assert_true(fabsf(few[i].weight - found[i].weight) < 1e-5f);
    }
    size_t none;
    assert_int_equal(kd_match_lookup(index, frame, all.count, 1, NULL, &none, NULL), KD_NOT_FOUND);
    kd_match_index_free(index);
    kd_frame_free(frame);
    linked_done(&l);
}

static void a_stranger_is_looked_up_by_values_that_no_record_has(void **state)
{
    (void)state;
    people all;
    linked l;
    kd_match_index *index;
    kd_candidate found[4];
    size_t count;
    invent_people(62, 250, &all);
    person stranger = all.list[0];
    snprintf(stranger.value[FORENAME], sizeof stranger.value[0], "annabella");
    snprintf(stranger.value[TOWN], sizeof stranger.value[0], "oberammergau");
    snprintf(stranger.value[SURNAME], sizeof stranger.value[0], "schmidtke");
    snprintf(stranger.value[BIRTH], sizeof stranger.value[0], "1955-05-05");
    snprintf(all.list[7].value[BIRTH], sizeof stranger.value[0], "1955-05-05");
    snprintf(all.list[7].value[SURNAME], sizeof stranger.value[0], "schmidke");
    run_people(GIVEN "threshold: -20\n", &all, 1, &l);
    kd_frame *frame = frame_of(&stranger, 1);
    assert_int_equal(kd_match_index_new(l.matcher, &index, NULL), KD_OK);
    assert_int_equal(kd_match_lookup(index, frame, 0, 4, found, &count, NULL), KD_OK);
    assert_true(count >= 1);
    assert_int_equal(found[0].record, 7);
    assert_true(fabs((double)found[0].weight - naive_weight(&all, &stranger, &all.list[7])) < 1e-4);
    kd_match_index_free(index);
    kd_frame_free(frame);
    linked_done(&l);
}

/* ---- explaining and writing back ---- */

static void an_explanation_adds_up_to_the_weight(void **state)
{
    (void)state;
    people all;
    linked l;
    invent_people(71, PEOPLE_MAX, &all);
    run_people(LEARNED, &all, 1, &l);
    kd_arena *arena = kd_arena_new(1 << 20);
    for (uint64_t i = 0; i < l.pairs.count; i++) {
        kd_waterfall w;
        const kd_pair *p = &l.pairs.pairs[i];
        kd_arena_reset(arena);
        assert_int_equal(kd_matcher_explain(l.matcher, p->a, p->b, arena, &w, NULL), KD_OK);
        double sum = w.prior_bits;
        for (size_t s = 0; s < w.count; s++) {
            sum += w.steps[s].bits + w.steps[s].tf_bits;
            if (!kd_str_is(w.steps[s].level, "missing"))
                assert_true(fabs(w.steps[s].bits - log2(w.steps[s].m / w.steps[s].u)) < 1e-9);
        }
        assert_true(fabs(sum - w.total_bits) < 1e-9 && fabs(sum - (double)p->weight) < 1e-4);
        assert_true(fabs(w.probability - 1 / (1 + exp2(-sum))) < 1e-12);
    }
    kd_waterfall none;
    assert_int_equal(kd_matcher_explain(l.matcher, 0, all.count, arena, &none, NULL), KD_NOT_FOUND);
    kd_arena_free(arena);
    linked_done(&l);
}

static void a_trained_model_written_and_read_gives_the_same_weights(void **state)
{
    (void)state;
    people all;
    linked first, again;
    kd_str yaml;
    kd_arena *arena = kd_arena_new(1 << 22);
    invent_people(72, PEOPLE_MAX, &all);
    run_people(LEARNED "truth: {id: id, entity: {from: id, pattern: 'r{N}'}}\nnull_texts: ['?', 'n: a']\n", &all, 1,
               &first);
    assert_int_equal(kd_model_write(first.model, arena, &yaml, NULL), KD_OK);
    run_people(yaml.ptr, &all, 1, &again);
    assert_true(kd_model_is_trained(again.model));
    assert_true(kd_str_is(kd_model_entity(again.model, KD_STR("r12")), "12"));
    assert_int_equal(first.pairs.count, again.pairs.count);
    for (uint64_t i = 0; i < first.pairs.count; i++) {
        assert_int_equal(first.pairs.pairs[i].pattern, again.pairs.pairs[i].pattern);
        assert_true(fabsf(first.pairs.pairs[i].weight - again.pairs.pairs[i].weight) < 1e-5f);
    }
    kd_arena_free(arena);
    linked_done(&first);
    linked_done(&again);
}

/* ---- training ---- */

enum { ENTITIES = 3000, MADE = 4, VALUES = 200 };
static const double AGREEMENT[MADE] = { 0.95, 0.9, 0.85, 0.8 };

/* Two tables of the same people, who agree on each column with a known probability. */
static void make_tables(kd_frame *frames[2])
{
    static const char *const names[MADE] = { "a", "b", "c", "d" };
    kd_rng rng;
    kd_rng_init(&rng, 81);
    kd_frame_builder *builders[2] = { kd_frame_builder_new(0), kd_frame_builder_new(0) };
    for (int side = 0; side < 2; side++)
        for (int c = 0; c < MADE; c++) kd_frame_builder_column(builders[side], names[c], KD_TYPE_INT64);
    for (int i = 0; i < ENTITIES * MADE; i++) {
        size_t c = (size_t)i % MADE;
        int64_t value = (int64_t)kd_rng_below(&rng, VALUES), other = value;
        if (kd_rng_unit(&rng) >= AGREEMENT[c]) other = (value + 1 + (int64_t)kd_rng_below(&rng, VALUES - 1)) % VALUES;
        kd_frame_builder_int(builders[0], c, value);
        kd_frame_builder_int(builders[1], c, other);
    }
    for (int side = 0; side < 2; side++) {
        assert_int_equal(kd_frame_builder_finish(builders[side], &frames[side], NULL), KD_OK);
        kd_frame_builder_free(builders[side]);
    }
}

/* Nobody tells the engine who is who. */
static void training_finds_the_probabilities_that_made_the_data(void **state)
{
    (void)state;
    kd_frame *frames[2];
    linked l;
    make_tables(frames);
    run_frames(
        "columns: {a: {}, b: {}, c: {}, d: {}}\nlink_only: true\nblocking: [[a], [b], [c]]\ncomparisons:\n"
        "  - {column: a, levels: [{is: exact}, {is: else}]}\n  - {column: b, levels: [{is: exact}, {is: else}]}\n"
        "  - {column: c, levels: [{is: exact}, {is: else}]}\n  - {column: d, levels: [{is: exact}, {is: else}]}\n",
        (const kd_frame *const *)frames, 2, 2, &l);
    kd_arena *arena = kd_arena_new(1 << 16);
    kd_waterfall w;
    bool is_seen[MADE] = { false };
    for (uint64_t i = 0; i < l.pairs.count; i++) {
        const kd_pair *p = &l.pairs.pairs[i];
        kd_arena_reset(arena);
        assert_int_equal(kd_matcher_explain(l.matcher, p->a, p->b, arena, &w, NULL), KD_OK);
        for (size_t c = 0; c < MADE; c++) {
            if (!kd_str_is(w.steps[c].level, "exact")) continue;
            is_seen[c] = true;
            if (fabs(w.steps[c].m - AGREEMENT[c]) > 0.03 || fabs(w.steps[c].u * VALUES - 1) > 0.1)
                fail_msg("%zu: m %.4f for %.2f, u %.5f", c, w.steps[c].m, AGREEMENT[c], w.steps[c].u);
        }
    }
    for (size_t c = 0; c < MADE; c++) assert_true(is_seen[c]);
    double expected = log2(1.0 / (ENTITIES - 1));
    if (fabs(w.prior_bits - expected) > 0.3) fail_msg("prior %.2f bits, not %.2f", w.prior_bits, expected);
    kd_arena_free(arena);
    linked_done(&l);
    kd_frame_free(frames[0]);
    kd_frame_free(frames[1]);
}

/* ---- measuring ---- */

static void quality_counts_pairs_as_by_hand(void **state)
{
    (void)state;
    kd_rng rng;
    kd_rng_init(&rng, 91);
    for (int round = 0; round < 200; round++) {
        enum { MOST = 60 };
        uint32_t found[MOST], truth[MOST], n = (uint32_t)kd_rng_below(&rng, MOST);
        uint64_t found_pairs = 0, true_pairs = 0, shared = 0;
        for (uint32_t i = 0; i < n; i++) {
            found[i] = (uint32_t)kd_rng_below(&rng, 12);
            truth[i] = kd_rng_below(&rng, 10) ? (uint32_t)kd_rng_below(&rng, 15) * 7 : UINT32_MAX;
        }
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < a; b++) {
                if (truth[a] == UINT32_MAX || truth[b] == UINT32_MAX) continue;
                found_pairs += found[a] == found[b];
                true_pairs += truth[a] == truth[b];
                shared += found[a] == found[b] && truth[a] == truth[b];
            }
        kd_quality q = kd_match_quality(found, truth, n);
        assert_int_equal(q.found_pairs, found_pairs);
        assert_int_equal(q.true_pairs, true_pairs);
        assert_int_equal(q.shared_pairs, shared);
        double f1 = found_pairs + true_pairs ? 2.0 * (double)shared / (double)(found_pairs + true_pairs) : 1;
        if (found_pairs && true_pairs) assert_true(fabs(q.f1 - f1) < 1e-12);
    }
}

/* ---- wrong use ---- */

static void wrong_use_is_told(void **state)
{
    (void)state;
    people all;
    kd_matcher *matcher = NULL;
    kd_pairs pairs;
    kd_error err;
    invent_people(101, 50, &all);
    kd_frame *frame = frame_of(all.list, all.count);
    const kd_frame *const frames[] = { frame };
    kd_model *model = parse("columns: {age: {}}\nblocking: [[age]]\n"
                            "comparisons: [{column: age, levels: [{is: exact}, {is: else}]}]\n");
    assert_int_equal(kd_matcher_new(model, frames, 1, NULL, &matcher, &err), KD_INVALID);
    assert_non_null(strstr(err.message, "age"));
    kd_model_free(model);
    model = parse(GIVEN "link_only: true\n");
    assert_int_equal(kd_matcher_new(model, frames, 1, NULL, &matcher, &err), KD_INVALID);
    kd_model_free(model);
    model = parse(LEARNED);
    kd_match_options small = { .bytes_max = 64 };
    assert_int_equal(kd_matcher_new(model, frames, 1, &small, &matcher, &err), KD_LIMIT);
    assert_null(matcher);
    assert_int_equal(kd_matcher_new(model, frames, 1, NULL, &matcher, &err), KD_OK);
    assert_int_equal(kd_matcher_pairs(matcher, &pairs, &err), KD_INVALID); /* nothing is known of m and u yet */
    kd_matcher_free(matcher);
    kd_model_free(model);
    kd_frame_free(frame);
}

static void stopping_is_heeded_at_every_stage(void **state)
{
    (void)state;
    people all;
    linked l;
    volatile int is_cancelled = 0;
    kd_progress progress = { .cancelled = &is_cancelled };
    kd_match_options options = { .threads = 1, .progress = &progress };
    invent_people(102, 200, &all);
    kd_frame *frame = frame_of(all.list, all.count);
    const kd_frame *const frames[] = { frame };
    l = (linked){ .model = parse(LEARNED) };
    assert_int_equal(kd_matcher_new(l.model, frames, 1, &options, &l.matcher, NULL), KD_OK);
    is_cancelled = 1;
    assert_int_equal(kd_matcher_train(l.matcher, l.model, NULL), KD_CANCELLED);
    is_cancelled = 0;
    assert_int_equal(kd_matcher_train(l.matcher, l.model, NULL), KD_OK);
    is_cancelled = 1;
    assert_int_equal(kd_matcher_pairs(l.matcher, &l.pairs, NULL), KD_CANCELLED);
    is_cancelled = 0;
    assert_int_equal(kd_matcher_pairs(l.matcher, &l.pairs, NULL), KD_OK);
    is_cancelled = 1;
    assert_int_equal(kd_matcher_cluster(l.matcher, &l.pairs, NULL, &l.clusters, NULL), KD_CANCELLED);
    linked_done(&l);
    kd_frame_free(frame);
}

static void an_empty_table_links_to_nothing(void **state)
{
    (void)state;
    for (uint32_t count = 0; count < 2; count++) {
        people all;
        linked l;
        invent_people(103, 1, &all);
        all.count = count;
        run_people(LEARNED, &all, 2, &l);
        assert_int_equal(l.pairs.count, 0);
        assert_int_equal(l.clusters.clusters, count);
        linked_done(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_compare_as_the_textbook_says),
        cmocka_unit_test(texts_compare_as_published),
        cmocka_unit_test(pairs_are_those_of_comparing_everyone_with_everyone),
        cmocka_unit_test(linking_two_tables_makes_only_pairs_across),
        cmocka_unit_test(clusters_are_those_of_averaging_by_hand),
        cmocka_unit_test(words_of_people_hold_against_any_weight),
        cmocka_unit_test(clusters_are_numbered_by_their_first_record_and_name_a_peer),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(the_order_of_rows_changes_nothing),
        cmocka_unit_test(looking_up_finds_what_the_batch_paired),
        cmocka_unit_test(a_stranger_is_looked_up_by_values_that_no_record_has),
        cmocka_unit_test(an_explanation_adds_up_to_the_weight),
        cmocka_unit_test(a_trained_model_written_and_read_gives_the_same_weights),
        cmocka_unit_test(training_finds_the_probabilities_that_made_the_data),
        cmocka_unit_test(quality_counts_pairs_as_by_hand),
        cmocka_unit_test(wrong_use_is_told),
        cmocka_unit_test(stopping_is_heeded_at_every_stage),
        cmocka_unit_test(an_empty_table_links_to_nothing),
    };
    return cmocka_run_group_tests_name("match", tests, open_text, close_text);
}
