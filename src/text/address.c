#include "text/divisions.h"

#include <string.h>

enum {
    PLACES_MAX = 64,      /* divisions still possible at once */
    NAMES_MAX = 8,        /* names that begin at one place of the text */
    LABEL_BYTES_MAX = 48, /* 户籍地址： */
    BARE_BYTES_MIN = 6,   /* one character alone is no name */
    STEPS_MAX = 12,       /* names in one address, repeated ones counted */
    SKIP_CHARS_MAX = 8,   /* an unknown township, or words before the first division */
};

/* The divisions that what was read so far may mean, rising; none read yet is the whole tree. */
typedef struct {
    uint32_t items[PLACES_MAX];
    size_t count;
    bool is_whole;
} place_set;

typedef struct {
    const kd_divisions *divisions;
    kd_str text;
    int64_t within;
    place_set places;
} address_reader;

/* ---- what stands in the text ---- */

static bool is_gap(uint32_t c)
{
    return c == ' ' || c == 0x3000 || c == 0xA0 || c == ',' || c == 0xFF0C || c == 0x3001 || c == '\t' || c == '-' ||
           c == 0x2014 || c == '/' || c == '\r' || c == '\n' || c == 0xB7 || c == ';' || c == '"' || c == '\'';
}

static size_t skip_gaps(kd_str text, size_t at)
{
    while (at < text.len) {
        size_t next = at;
        if (!is_gap(kd_utf8_next(text, &next))) break;
        at = next;
    }
    return at;
}

/* 榆阳西路, 神木大街, 青云小学: the name belongs to a street or a house. */
static bool names_a_street(kd_str text, size_t at)
{
    static const char words[][7] = { "路",   "街",   "巷",   "道",   "桥",   "站",   "园",   "厂",
                                     "矿",   "小区", "花园", "中学", "小学", "学校", "学院", "医院",
                                     "广场", "公司", "公园", "家园", "大道", "大街", "东路", "西路",
                                     "南路", "北路", "中路", "东街", "西街", "南街", "北街" };
    kd_str rest = kd_str_sub(text, at, at + 6);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (kd_str_starts(rest, kd_str_of(words[i]))) return true;
    return false;
}

/*
 * 张家沟 before 门村: the text names another village, whose name only begins so (自然村 is part of the one named); or
 * before 乡: a township, which the tree does not know by that name.
 */
static bool names_another_place(kd_str text, size_t at)
{
    uint8_t classes = 0;
    kd_str rest = kd_str_sub(text, at, text.len);
    if (kd_str_starts(rest, KD_STR("自然村"))) return false;
    if (kd_division_suffix(rest, &classes) && (classes & CLASS_TOWNSHIP)) return true;
    for (size_t i = 0; i < 3 && at < text.len; i++) {
        uint32_t c = kd_utf8_next(text, &at);
        if (c == 0x6751) return i > 0;
        if (c < 0x4E00 || c > 0x9FFF) return false;
    }
    return false;
}

/* ---- which divisions a name may mean ---- */

/* First place in a rising run whose item is not below `least`. */
static size_t lower_bound(const uint32_t *items, size_t count, uint32_t least)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (items[low + half] < least) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static bool is_around(const kd_divisions *divisions, uint32_t outer, uint32_t inner)
{
    return outer <= inner && inner < divisions->ends[outer];
}

/*
 * Add those of `named` that lie in the run from `first` to `end` and bear one of `classes`; of several levels only the
 * highest, for a township is named before the village that shares its name.
 */
static void add_run(const kd_divisions *divisions, const uint32_t *named, size_t count, uint32_t first, uint32_t end,
                    uint8_t classes, place_set *found)
{
    for (size_t i = lower_bound(named, count, first); i < count && named[i] < end; i++) {
        uint32_t item = named[i];
        if (!(divisions->classes[item] & classes)) continue;
        kd_division_level level = divisions->items[item].level;
        if (found->count) {
            kd_division_level known = divisions->items[found->items[0]].level;
            if (level > known) continue;
            if (level < known) found->count = 0;
        }
        if (found->count < PLACES_MAX)
            found->items[found->count++] = item;
        else
            found->items[PLACES_MAX - 1] = item; /* first and last still tell the area around all */
    }
}

/* Nothing was named before: the nearest area around the feed's own that knows the name. */
static void find_from_start(const address_reader *reading, const uint32_t *named, size_t count, uint8_t classes,
                            bool is_bare, place_set *found)
{
    const kd_divisions *divisions = reading->divisions;
    size_t area = kd_divisions_index(divisions, reading->within);
    if (area == SIZE_MAX) {
        add_run(divisions, named, count, 0, (uint32_t)divisions->count, classes, found);
        return;
    }
    for (size_t i = 0; i < count && named[i] <= area; i++) /* the area itself or one around it */
        if (is_around(divisions, named[i], (uint32_t)area) && (divisions->classes[named[i]] & classes)) {
            found->items[0] = named[i];
            found->count = 1;
            return;
        }
    uint8_t wide = is_bare ? classes & (CLASS_PROVINCE | CLASS_PREFECTURE | CLASS_COUNTY) : classes;
    add_run(divisions, named, count, (uint32_t)area, divisions->ends[area], classes, found);
    while (!found->count && area != SIZE_MAX) {
        area = kd_divisions_index(divisions, divisions->items[area].parent);
        if (area != SIZE_MAX) add_run(divisions, named, count, (uint32_t)area, divisions->ends[area], wide, found);
    }
    if (!found->count) add_run(divisions, named, count, 0, (uint32_t)divisions->count, wide, found);
}

static void find_places(const address_reader *reading, uint32_t node, uint8_t classes, bool is_bare, place_set *found)
{
    const kd_divisions *divisions = reading->divisions;
    const uint32_t *named = divisions->named + divisions->firsts[node];
    size_t count = divisions->firsts[node + 1] - divisions->firsts[node];
    found->count = 0;
    found->is_whole = false;
    if (reading->places.is_whole) {
        find_from_start(reading, named, count, classes, is_bare, found);
        return;
    }
    for (size_t i = 0; i < reading->places.count; i++) {
        uint32_t place = reading->places.items[i];
        add_run(divisions, named, count, place + 1, divisions->ends[place], classes, found);
    }
}

/* ---- reading on ---- */

typedef struct {
    uint32_t node;
    size_t end;
} name_hit;

static size_t find_names(const kd_divisions *divisions, kd_str text, size_t at, name_hit hits[NAMES_MAX])
{
    size_t count = 0;
    uint32_t node = 0;
    while (at < text.len && count < NAMES_MAX) {
        node = kd_divisions_step(divisions, node, kd_utf8_next(text, &at));
        if (!node) break;
        if (divisions->firsts[node] < divisions->firsts[node + 1]) hits[count++] = (name_hit){ node, at };
    }
    return count;
}

/* The text goes on with a place inside one of `found`, as 银州东街 does when 银州 has a community 东街. */
static bool goes_on_inside(const address_reader *reading, const place_set *found, size_t at)
{
    address_reader inner = { reading->divisions, reading->text, reading->within, *found };
    name_hit hits[NAMES_MAX];
    place_set inside;
    for (size_t count = find_names(reading->divisions, reading->text, at, hits); count-- > 0;) {
        if (hits[count].end - at < BARE_BYTES_MIN) break;
        find_places(&inner, hits[count].node, UINT8_MAX, true, &inside);
        if (inside.count) return true;
    }
    return false;
}

static bool take_bare(const address_reader *reading, name_hit hit, size_t at, uint8_t classes, place_set *found)
{
    if (hit.end - at < BARE_BYTES_MIN) return false;
    find_places(reading, hit.node, classes, true, found);
    if (!found->count) return false;
    if (names_a_street(reading->text, hit.end) && !goes_on_inside(reading, found, hit.end)) return false;
    bool is_village = reading->divisions->items[found->items[0]].level == KD_LEVEL_VILLAGE;
    return !is_village || !names_another_place(reading->text, hit.end);
}

/* Keep the longer of two readings, and of equally long ones that of the higher level: 高镇 before the village 高镇. */
static void keep_better(const kd_divisions *divisions, const place_set *found, size_t end, place_set *best,
                        size_t *best_end)
{
    if (!found->count || end < *best_end) return;
    if (end == *best_end && divisions->items[found->items[0]].level >= divisions->items[best->items[0]].level) return;
    *best = *found;
    *best_end = end;
}

static bool knows_township(const address_reader *reading)
{
    return !reading->places.is_whole && reading->divisions->items[reading->places.items[0]].level == KD_LEVEL_TOWNSHIP;
}

/* The longest name at `at` that fits what was read so far; 0 when there is none, else where it ends. */
static size_t read_name(address_reader *reading, size_t at, uint8_t marked_classes, uint8_t bare_classes)
{
    const kd_divisions *divisions = reading->divisions;
    name_hit hits[NAMES_MAX];
    place_set best = { .count = 0 }, found;
    size_t best_end = 0;
    for (size_t count = find_names(divisions, reading->text, at, hits); count-- > 0;) {
        name_hit hit = hits[count];
        uint8_t classes = 0;
        size_t suffix = kd_division_suffix(kd_str_sub(reading->text, hit.end, reading->text.len), &classes);
        if (suffix && hit.end + suffix >= best_end) {
            find_places(reading, hit.node, classes & marked_classes, false, &found);
            bool is_deep = classes & (CLASS_VILLAGE | CLASS_COMMUNITY);
            /* In a known township a village that has become a community, or the other way, keeps its name. */
            if (!found.count && is_deep && knows_township(reading) && hit.end - at >= BARE_BYTES_MIN)
                find_places(reading, hit.node, (CLASS_VILLAGE | CLASS_COMMUNITY) & marked_classes, false, &found);
            keep_better(divisions, &found, hit.end + suffix, &best, &best_end);
        }
        if (hit.end >= best_end && take_bare(reading, hit, at, bare_classes, &found))
            keep_better(divisions, &found, hit.end, &best, &best_end);
    }
    if (best_end) reading->places = best;
    return best_end;
}

/* An unknown or abolished township (某某乡) within a known county: where it ends, 0 when there is none. */
static size_t skip_township(const address_reader *reading, size_t at)
{
    if (reading->places.is_whole || reading->divisions->items[reading->places.items[0]].level != KD_LEVEL_COUNTY)
        return 0;
    for (size_t i = 0; i < SKIP_CHARS_MAX && at < reading->text.len; i++) {
        uint8_t classes = 0;
        size_t suffix = kd_division_suffix(kd_str_sub(reading->text, at, reading->text.len), &classes);
        if (i > 0 && suffix && (classes & CLASS_TOWNSHIP)) return at + suffix;
        if (suffix && (classes & (CLASS_VILLAGE | CLASS_COMMUNITY))) return 0;
        uint32_t c = kd_utf8_next(reading->text, &at);
        if (c < 0x3400 || c == 0x8DEF || c == 0x8857 || is_gap(c)) return 0; /* digits, 路, 街 */
    }
    return 0;
}

static size_t skip_label(kd_str text)
{
    static const char *const countries[] = { "中华人民共和国", "中国" };
    size_t at = 0;
    for (size_t i = 0; i < text.len && i < LABEL_BYTES_MAX; i++) {
        if (text.ptr[i] == ':')
            at = i + 1;
        else if (text.len - i >= 3 && memcmp(text.ptr + i, "：", 3) == 0)
            at = i + 3;
    }
    at = skip_gaps(text, at);
    for (size_t i = 0; i < 2; i++)
        if (kd_str_starts(kd_str_sub(text, at, text.len), kd_str_of(countries[i]))) return at + strlen(countries[i]);
    return at;
}

/* The first name; words before it may be passed over when it says that it is a county or more. */
static size_t read_first(address_reader *reading, size_t at)
{
    size_t end = read_name(reading, at, UINT8_MAX, UINT8_MAX);
    for (size_t i = 0; !end && i < SKIP_CHARS_MAX && at < reading->text.len; i++) {
        kd_utf8_next(reading->text, &at);
        end = read_name(reading, at, CLASS_PROVINCE | CLASS_PREFECTURE | CLASS_COUNTY, 0);
    }
    return end;
}

/*
 * A place already named, once more: 榆阳区 before 陕西省榆林市榆阳区 when two columns were joined, 店塔镇 before 店塔镇店塔社区.
 * Where it ends; 0 when it is not so.
 */
static size_t skip_repeated(const address_reader *reading, size_t at)
{
    const kd_divisions *divisions = reading->divisions;
    const place_set *places = &reading->places;
    name_hit hits[NAMES_MAX];
    for (size_t count = find_names(divisions, reading->text, at, hits); count-- > 0;) {
        uint8_t classes = 0;
        size_t end = hits[count].end;
        size_t suffix = kd_division_suffix(kd_str_sub(reading->text, end, reading->text.len), &classes);
        for (uint32_t i = divisions->firsts[hits[count].node]; suffix && i < divisions->firsts[hits[count].node + 1];
             i++) {
            uint32_t item = divisions->named[i];
            if ((divisions->classes[item] & classes) && is_around(divisions, item, places->items[0]) &&
                is_around(divisions, item, places->items[places->count - 1]))
                return end + suffix;
        }
    }
    return 0;
}

/* Read names from `at` on, each inside the one before. Returns where the last ends. */
static size_t read_rest(address_reader *reading, size_t at)
{
    const uint8_t deep = CLASS_VILLAGE | CLASS_COMMUNITY;
    bool has_skipped = false;
    for (int step = 0; step < STEPS_MAX; step++) {
        size_t from = skip_gaps(reading->text, at);
        size_t end = read_name(reading, from, UINT8_MAX, UINT8_MAX);
        if (!end) end = skip_repeated(reading, from);
        if (!end && !has_skipped) {
            has_skipped = true;
            size_t past = skip_township(reading, from);
            if (past) end = read_name(reading, skip_gaps(reading->text, past), deep, deep);
        }
        if (!end) break;
        at = end;
    }
    return at;
}

static int64_t area_around(const kd_divisions *divisions, const place_set *places)
{
    size_t area = places->items[0];
    uint32_t last = places->items[places->count - 1];
    while (area != SIZE_MAX && !is_around(divisions, (uint32_t)area, last))
        area = kd_divisions_index(divisions, divisions->items[area].parent);
    return area == SIZE_MAX ? 0 : divisions->items[area].code;
}

void kd_address_read(const kd_divisions *divisions, kd_str raw, int64_t within, kd_address *out_address)
{
    address_reader reading = { .divisions = divisions, .text = raw, .within = within };
    reading.places.is_whole = true;
    size_t at = skip_label(raw), end = read_first(&reading, at);
    kd_address address = { .rest = kd_str_sub(raw, at, raw.len) };
    if (end) {
        end = read_rest(&reading, end);
        address.code = area_around(divisions, &reading.places);
        address.rest = kd_str_sub(raw, skip_gaps(raw, end), raw.len);
        address.is_certain = reading.places.count == 1;
    }
    *out_address = address;
}
