#include "text/divisions.h"
#include "text/csv.h"

#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = { "", "province", "prefecture", "county", "township", "village" };
static const uint8_t code_digits[] = { 0, 2, 4, 6, 9, 12 };
/* What a code of the level is a multiple of. */
static const int64_t level_units[] = { 0, 10000000000, 100000000, 1000000, 1000, 1 };

enum { ARENA_BYTES_MAX = 1 << 30, CODE_DIGITS = 12, ALIASES_MAX = 4096 };

static kd_division_level level_of(int64_t code)
{
    kd_division_level level = KD_LEVEL_PROVINCE;
    while (code % level_units[level]) level++;
    return level;
}

/* A code of 2, 4, 6, 9 or 12 digits as twelve; 0 for anything else. */
static int64_t whole_code(kd_str digits)
{
    int64_t code;
    if (digits.len > CODE_DIGITS || !kd_str_int(digits, &code) || code <= 0) return 0;
    bool is_length = false;
    for (size_t level = KD_LEVEL_PROVINCE; level <= KD_LEVEL_VILLAGE; level++)
        is_length |= digits.len == code_digits[level];
    for (size_t i = digits.len; is_length && i < CODE_DIGITS; i++) code *= 10;
    return is_length ? code : 0;
}

int64_t kd_division_at_level(int64_t code, kd_division_level level)
{
    if (code <= 0 || level < KD_LEVEL_PROVINCE || level > KD_LEVEL_VILLAGE || level > level_of(code)) return 0;
    return code - code % level_units[level];
}

bool kd_division_within(int64_t code, int64_t area)
{
    if (area <= 0) return area == 0;
    return code > 0 && code - code % level_units[level_of(area)] == area;
}

/* ---- opening ---- */

static uint8_t class_of(const kd_division *division)
{
    if (division->level < KD_LEVEL_VILLAGE) return (uint8_t)(1u << (division->level - 1));
    bool is_community = kd_str_ends(division->name, KD_STR("社区")) || kd_str_ends(division->name, KD_STR("居委会")) ||
                        kd_str_ends(division->name, KD_STR("居民委员会"));
    return is_community ? CLASS_COMMUNITY : CLASS_VILLAGE;
}

static kd_status read_division(kd_divisions *divisions, kd_table *table, const kd_str fields[], kd_error *err)
{
    kd_division division = { .code = whole_code(fields[0]), .parent = whole_code(fields[3]) };
    for (size_t level = KD_LEVEL_PROVINCE; level <= KD_LEVEL_VILLAGE; level++)
        if (kd_str_is(fields[2], level_names[level])) division.level = (kd_division_level)level;
    if (!division.level)
        return kd_table_fail(table, err, "level", "not province, prefecture, county, township or village");
    if (!division.code || level_of(division.code) > division.level)
        return kd_table_fail(table, err, "code", "no division code of its level");
    if (fields[3].len && (!division.parent || !kd_division_within(division.code, division.parent)))
        return kd_table_fail(table, err, "parent", "not the code of a division around this one");
    if (fields[1].len == 0 || !kd_utf8_is_valid(fields[1]))
        return kd_table_fail(table, err, "name", "empty or not UTF-8");
    division.name = kd_arena_str(divisions->arena, fields[1]);
    if (!division.name.ptr || divisions->count == DIVISIONS_MAX)
        return kd_fail(err, KD_LIMIT, "", "%s: too many divisions", table->path);
    divisions->items[divisions->count++] = division;
    return KD_OK;
}

static int code_order(const void *a, const void *b)
{
    int64_t left = ((const kd_division *)a)->code, right = ((const kd_division *)b)->code;
    return (left > right) - (left < right);
}

static size_t count_lines(kd_str bytes)
{
    size_t lines = 1;
    for (size_t i = 0; i < bytes.len; i++) lines += bytes.ptr[i] == '\n';
    return lines;
}

static kd_status read_divisions(kd_divisions *divisions, kd_table *table, kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    size_t lines = count_lines(table->rest);
    divisions->items = kd_arena_array(divisions->arena, lines, sizeof *divisions->items);
    divisions->ends = kd_arena_array(divisions->arena, lines, sizeof *divisions->ends);
    divisions->classes = kd_arena_array(divisions->arena, lines, sizeof *divisions->classes);
    divisions->by_code = kd_map_new(lines);
    if (!divisions->items || !divisions->ends || !divisions->classes || !divisions->by_code)
        return kd_fail(err, KD_LIMIT, "", "no memory for %zu divisions", lines);
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) break;
        KD_TRY(read_division(divisions, table, fields, err));
    }
    if (divisions->count == 0) return kd_fail_at(err, KD_INVALID, table->path, 0, 0, "no divisions");
    qsort(divisions->items, divisions->count, sizeof *divisions->items, code_order);
    return KD_OK;
}

/* Index the tree; a code must stand once and under a parent that is there. */
static kd_status link_tree(kd_divisions *divisions, const char *path, kd_error *err)
{
    for (size_t i = 0; i < divisions->count; i++) {
        const kd_division *division = &divisions->items[i];
        bool is_new;
        uint64_t *slot = kd_map_put(divisions->by_code, (uint64_t)division->code, &is_new);
        if (!slot) return kd_fail(err, KD_LIMIT, "", "no memory for %zu divisions", divisions->count);
        if (!is_new)
            return kd_fail_at(err, KD_INVALID, path, 0, 0, "division %lld stands twice", (long long)division->code);
        *slot = i;
        divisions->classes[i] = class_of(division);
        divisions->ends[i] = (uint32_t)i + 1;
        size_t parent = division->parent ? kd_divisions_index(divisions, division->parent) : SIZE_MAX;
        if (division->parent && parent == SIZE_MAX)
            return kd_fail_at(err, KD_INVALID, path, 0, 0, "division %lld has an unknown parent",
                              (long long)division->code);
    }
    for (size_t i = divisions->count; i-- > 0;) { /* children stand behind their parents */
        if (!divisions->items[i].parent) continue;
        size_t parent = kd_divisions_index(divisions, divisions->items[i].parent);
        if (divisions->ends[parent] < divisions->ends[i]) divisions->ends[parent] = divisions->ends[i];
    }
    return KD_OK;
}

static kd_status read_history(kd_divisions *divisions, kd_table *table, division_alias *aliases, size_t *alias_count,
                              kd_error *err)
{
    kd_str fields[KD_TABLE_COLUMNS_MAX];
    for (bool more;;) {
        KD_TRY(kd_table_next(table, fields, &more, err));
        if (!more) return KD_OK;
        int64_t old = whole_code(fields[0]), present = whole_code(fields[2]);
        size_t index = kd_divisions_index(divisions, present);
        if (!old || index == SIZE_MAX) return kd_table_fail(table, err, "", "unknown present code or no old code");
        uint64_t *slot = kd_map_put(divisions->history, (uint64_t)old, NULL);
        if (!slot || *alias_count == ALIASES_MAX)
            return kd_fail(err, KD_LIMIT, "", "%s: too many old divisions", table->path);
        *slot = (uint64_t)present;
        if (fields[1].len) {
            kd_str name = kd_arena_str(divisions->arena, fields[1]);
            if (!name.ptr) return kd_fail(err, KD_LIMIT, "", "%s: too many old divisions", table->path);
            aliases[(*alias_count)++] = (division_alias){ name, (uint32_t)index };
        }
    }
}

static kd_status load_tables(kd_divisions *divisions, const char *csv_path, const char *history_csv_path, kd_error *err)
{
    kd_table table;
    KD_TRY(kd_table_open(&table, csv_path, "code,name,level,parent", err));
    kd_status status = read_divisions(divisions, &table, err);
    kd_table_close(&table);
    KD_TRY(status);
    KD_TRY(link_tree(divisions, csv_path, err));
    divisions->history = kd_map_new(64);
    division_alias *aliases = kd_arena_array(divisions->arena, ALIASES_MAX, sizeof *aliases);
    if (!divisions->history || !aliases) return kd_fail(err, KD_LIMIT, "", "no memory for the old divisions");
    size_t alias_count = 0;
    if (history_csv_path) {
        KD_TRY(kd_table_open(&table, history_csv_path, "old_code,old_name,current_code,changed_about", err));
        status = read_history(divisions, &table, aliases, &alias_count, err);
        kd_table_close(&table);
        KD_TRY(status);
    }
    return kd_divisions_name(divisions, aliases, alias_count, err);
}

kd_status kd_divisions_open(const char *csv_path, const char *history_csv_path, kd_divisions **out, kd_error *err)
{
    kd_divisions *divisions = calloc(1, sizeof *divisions);
    if (divisions) divisions->arena = kd_arena_new(ARENA_BYTES_MAX);
    kd_status status = divisions && divisions->arena ? load_tables(divisions, csv_path, history_csv_path, err)
                                                     : kd_fail(err, KD_LIMIT, "", "no memory for divisions");
    if (status == KD_OK)
        *out = divisions;
    else
        kd_divisions_close(divisions);
    return status;
}

void kd_divisions_close(kd_divisions *divisions)
{
    if (!divisions) return;
    kd_map_free(divisions->by_code);
    kd_map_free(divisions->history);
    kd_map_free(divisions->edges);
    kd_arena_free(divisions->arena);
    free(divisions);
}

/* ---- looking up ---- */

size_t kd_divisions_count(const kd_divisions *divisions)
{
    return divisions->count;
}

const kd_division *kd_divisions_at(const kd_divisions *divisions, size_t index)
{
    return index < divisions->count ? &divisions->items[index] : NULL;
}

size_t kd_divisions_index(const kd_divisions *divisions, int64_t code)
{
    const uint64_t *index = code > 0 ? kd_map_get(divisions->by_code, (uint64_t)code) : NULL;
    return index ? (size_t)*index : SIZE_MAX;
}

const kd_division *kd_divisions_find(const kd_divisions *divisions, int64_t code)
{
    return kd_divisions_at(divisions, kd_divisions_index(divisions, code));
}

/* The present code of an old one, deepest rule first; `*out_area` is how far a rule knew it. 0: no rule or no such place. */
static int64_t present_code(const kd_divisions *divisions, int64_t code, int64_t *out_area)
{
    for (int level = (int)level_of(code); level >= KD_LEVEL_PREFECTURE; level--) {
        int64_t old_area = kd_division_at_level(code, (kd_division_level)level);
        const uint64_t *area = kd_map_get(divisions->history, (uint64_t)old_area);
        if (!area) continue;
        *out_area = (int64_t)*area;
        if (old_area == code) return *out_area;
        bool is_same_level = (int)level_of(*out_area) == level; /* below, the numbers were kept */
        int64_t moved = *out_area + code % level_units[level];
        return is_same_level && kd_divisions_index(divisions, moved) != SIZE_MAX ? moved : 0;
    }
    return 0;
}

int64_t kd_division_code_read(const kd_divisions *divisions, kd_str raw, bool or_ancestor)
{
    char digits[CODE_DIGITS];
    size_t count = 0;
    for (size_t at = 0; at < raw.len;) {
        uint32_t c = kd_utf8_next(raw, &at);
        if (c >= 0xFF10 && c <= 0xFF19) c -= 0xFEE0;
        if (c == ' ' || c == 0x3000 || c == '\t' || c == '\r' || c == '\n' || c == 0xA0 || c == '\'') continue;
        if (c < '0' || c > '9') return 0;
        if (count < CODE_DIGITS)
            digits[count++] = (char)c;
        else if (!or_ancestor)
            return 0;
    }
    int64_t code = whole_code((kd_str){ digits, count });
    while (or_ancestor && !code && count > code_digits[KD_LEVEL_PROVINCE])
        code = whole_code((kd_str){ digits, --count });
    if (!code) return 0;
    if (kd_divisions_index(divisions, code) != SIZE_MAX) return code;
    int64_t area = 0, present = present_code(divisions, code, &area);
    if (present || !or_ancestor) return present;
    if (area) return area;
    for (int level = (int)level_of(code); level >= KD_LEVEL_PROVINCE; level--) {
        int64_t ancestor = kd_division_at_level(code, (kd_division_level)level);
        if (kd_divisions_index(divisions, ancestor) != SIZE_MAX) return ancestor;
    }
    return 0;
}

size_t kd_division_full_name(const kd_divisions *divisions, int64_t code, char *buf, size_t buf_bytes)
{
    kd_str parts[KD_LEVEL_VILLAGE + 1] = { { NULL, 0 } };
    size_t count = 0, used = 0;
    for (const kd_division *at = kd_divisions_find(divisions, code); at && count <= KD_LEVEL_VILLAGE;
         at = kd_divisions_find(divisions, at->parent))
        parts[count++] = at->name;
    while (count-- > 0) {
        if (used + parts[count].len > buf_bytes) break;
        memcpy(buf + used, parts[count].ptr, parts[count].len);
        used += parts[count].len;
    }
    return used;
}
