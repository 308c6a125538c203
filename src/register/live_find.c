/*
 * Finding a person as one types. First ids, from indexes alone: in a township or a village by walking its people, in a wider area by
 * walking the names and looking at where they live, no more than SCANNED_MAX of them. Then the rows of the few that were found.
 */
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum {
    FOUND_MAX = 50,
    SPARE = 14,          /* asked for beyond the limit: some are merged into others */
    SCANNED_MAX = 20000, /* names looked at in a wide area */
    PEOPLE_MAX = 100000, /* people looked at in a narrow one */
    TYPED_MAX = 64,      /* characters */
    TYPED_BYTES = 4 * TYPED_MAX,
    IDS_MAX = 512,
    ROWS_AT_ONCE = FOUND_MAX + SPARE
};
static const int64_t EVERYWHERE_LAST = INT64_C(999999999999);

/* How one column is asked for in a wide area. */
typedef struct {
    const char *exact;    /* $1 the text; $2, $3 the area; $4 how many */
    const char *prefix;   /* $1, $2 the range; $3, $4 the area; $5 how many; $6 how many to look at */
    const char *anywhere; /* $1, $2 the range; $3 how many */
} column;

#define WIDE_EXACT(name) \
    "select id from person where " name " = $1 and division between $2 and $3 order by " name ", division, id limit $4"
#define WIDE_PREFIX(name)                                                                                   \
    "select id from (select id, division from person where " name " >= $1 and " name " < $2 order by " name \
    ", division, id limit $6) t where division between $3 and $4 limit $5"
#define ANYWHERE(name) \
    "select id from person where " name " >= $1 and " name " < $2 order by " name ", division, id limit $3"
#define NARROW_FROM                                                                                   \
    "from (select id, name, name_pinyin, name_initials from person where division between $3 and $4 " \
    "order by division, name limit $6) t "
#define COLUMN(name)                                        \
    {                                                       \
        WIDE_EXACT(name), WIDE_PREFIX(name), ANYWHERE(name) \
    }

static const column NAME = COLUMN("name"), PINYIN = COLUMN("name_pinyin"), INITIALS = COLUMN("name_initials");

/* All people of a narrow area are looked at once, so that the space in a spelling need not be guessed. */
static const char NARROW_NAME[] =
    "select id, 0 " NARROW_FROM "where name >= $1 and name < $2 order by name, id limit $5";
static const char NARROW_SPELLING[] =
    "select id, is_initials from (select id, name_pinyin, name_initials, case when "
    "replace(name_pinyin, ' ', '') >= $1 and replace(name_pinyin, ' ', '') < $2 then 0 "
    "when name_initials >= $1 and name_initials < $2 then 1 else 2 end as is_initials " NARROW_FROM
    ") u where is_initials < 2 order by is_initials, case when is_initials = 0 then name_pinyin else name_initials end, "
    "id limit $5";

typedef struct {
    int64_t id;
    int rank; /* the lower, the better */
    int at;   /* in the order found */
    const char *matched;
} found_id;

typedef struct {
    int64_t first, last; /* division codes */
    bool is_narrow;
} area;

typedef struct {
    kd_register *reg;
    const kd_person_wanted *wanted;
    kd_arena *arena;
    area *areas;
    size_t area_count;
    bool is_everywhere;
    size_t asked; /* ids a question may bring */
    found_id ids[IDS_MAX];
    size_t count;
} finding;

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for what was found");
}

/* ---- areas ---- */

static void add_area(finding *f, int64_t code, int64_t within)
{
    if (within && code && !kd_division_within(code, within)) {
        if (!kd_division_within(within, code)) return;
        code = within;
    }
    if (!code) code = within;
    f->is_everywhere = f->is_everywhere || !code;
    bool is_narrow = kd_division_at_level(code, KD_LEVEL_TOWNSHIP) != 0;
    f->areas[f->area_count++] = (area){ code, code ? kd_area_last_code(code) : EVERYWHERE_LAST, is_narrow };
}

static kd_status read_areas(finding *f, kd_error *err)
{
    f->areas = kd_arena_array(f->arena, f->wanted->area_count + 1, sizeof *f->areas);
    if (!f->areas) return no_memory(err);
    for (size_t i = 0; i < f->wanted->area_count; i++) add_area(f, f->wanted->areas[i], f->wanted->division);
    return KD_OK;
}

static bool is_allowed(const finding *f, int64_t division)
{
    if (f->is_everywhere) return true;
    for (size_t i = 0; i < f->area_count; i++)
        if (division >= f->areas[i].first && division <= f->areas[i].last) return true;
    return false;
}

/* ---- ids ---- */

static void keep(finding *f, int64_t id, int rank, const char *matched)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->ids[i].id != id) continue;
        if (rank < f->ids[i].rank) f->ids[i] = (found_id){ id, rank, (int)i, matched };
        return;
    }
    if (f->count == IDS_MAX) return;
    f->ids[f->count] = (found_id){ id, rank, (int)f->count, matched };
    f->count++;
}

static kd_status ask(finding *f, const char *sql, const kd_value *values, size_t value_count, int rank,
                     const char *matched, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(f->reg), err, &rows, sql, values, value_count));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row)
        keep(f, kd_rows_int(rows, 0), rank, matched);
    kd_rows_close(rows);
    return status;
}

/* The first text after all that begin with `text`: no character's bytes begin with 0xFF. */
static kd_status end_of(finding *f, kd_str text, kd_str *out_end, kd_error *err)
{
    char *end = kd_arena_alloc(f->arena, text.len + 4);
    size_t tail = 0;
    if (!end) return no_memory(err);
    memcpy(end, text.ptr, text.len);
    tail = kd_utf8_encode(0x10FFFF, end + text.len);
    *out_end = (kd_str){ end, text.len + tail };
    return KD_OK;
}

static kd_status ask_area(finding *f, const area *a, const column *c, kd_str text, kd_str end, int exact_rank,
                          const char *matched, kd_error *err)
{
    const kd_value from = kd_text_value(text), to = kd_text_value(end), first = kd_int(a->first),
                   last = kd_int(a->last), limit = kd_int((int64_t)f->asked);
    if (!a->first) return ask(f, c->anywhere, KD_VALUES(from, to, limit), exact_rank + 2, matched, err);
    size_t before = f->count;
    KD_TRY(ask(f, c->exact, KD_VALUES(from, first, last, limit), exact_rank, matched, err));
    if (f->count - before >= f->asked) return KD_OK;
    return ask(f, c->prefix, KD_VALUES(from, to, first, last, limit, kd_int(SCANNED_MAX)), exact_rank + 2, matched,
               err);
}

static kd_status ask_wide(finding *f, const column *c, kd_str text, int exact_rank, const char *matched, kd_error *err)
{
    kd_str end = { NULL, 0 };
    KD_TRY(end_of(f, text, &end, err));
    for (size_t i = 0; i < f->area_count; i++)
        if (!f->areas[i].is_narrow) KD_TRY(ask_area(f, &f->areas[i], c, text, end, exact_rank, matched, err));
    return KD_OK;
}

static kd_status ask_narrow(finding *f, const char *sql, kd_str text, int rank, const char *const matched[2],
                            kd_error *err)
{
    kd_str end = { NULL, 0 };
    KD_TRY(end_of(f, text, &end, err));
    for (size_t i = 0; i < f->area_count; i++) {
        const area *a = &f->areas[i];
        kd_rows *rows;
        bool has_row = false;
        if (!a->is_narrow) continue;
        KD_TRY(kd_store_query(kd_register_store(f->reg), err, &rows, sql,
                              KD_VALUES(kd_text_value(text), kd_text_value(end), kd_int(a->first), kd_int(a->last),
                                        kd_int((int64_t)f->asked), kd_int(PEOPLE_MAX))));
        kd_status status;
        while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
            bool is_second = kd_rows_int(rows, 1) != 0;
            keep(f, kd_rows_int(rows, 0), rank + is_second, matched[is_second]);
        }
        kd_rows_close(rows);
        if (status != KD_OK) return status;
    }
    return KD_OK;
}

/* ---- what was typed ---- */

typedef struct {
    char name[TYPED_BYTES + 4];    /* folded hanzi */
    char letters[TYPED_BYTES + 4]; /* a to z, without tones */
    char code[TYPED_BYTES + 4];    /* digits and capitals: a number */
    size_t name_len, letters_len, code_len, digits;
    bool has_hanzi;
} typed;

static char plain_letter(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        char letter;
    } marked[] = { { 0xC0, 0xC5, 'a' }, { 0xE0, 0xE5, 'a' },   { 0x100, 0x105, 'a' }, { 0x1CD, 0x1CE, 'a' },
                   { 0xC8, 0xCB, 'e' }, { 0xE8, 0xEB, 'e' },   { 0x112, 0x11B, 'e' }, { 0xCC, 0xCF, 'i' },
                   { 0xEC, 0xEF, 'i' }, { 0x128, 0x12D, 'i' }, { 0x1CF, 0x1D0, 'i' }, { 0xD2, 0xD6, 'o' },
                   { 0xF2, 0xF6, 'o' }, { 0x14C, 0x151, 'o' }, { 0x1D1, 0x1D2, 'o' }, { 0xD9, 0xDB, 'u' },
                   { 0xF9, 0xFB, 'u' }, { 0x168, 0x16D, 'u' }, { 0x1D3, 0x1D4, 'u' }, { 0xDC, 0xDC, 'v' },
                   { 0xFC, 0xFC, 'v' }, { 0x1D5, 0x1DC, 'v' } };
    if (c >= 'a' && c <= 'z') return (char)c;
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++)
        if (c >= marked[i].first && c <= marked[i].last) return marked[i].letter;
    return '\0';
}

static void read_typed(const kd_text *text, kd_str raw, typed *out)
{
    size_t at = 0;
    *out = (typed){ 0 };
    for (size_t n = 0; at < raw.len && n < TYPED_MAX; n++) {
        uint32_t c = kd_utf8_next(raw, &at), folded = kd_fold_char(text, c);
        char letter = plain_letter(c) ? plain_letter(c) : folded < 128 ? plain_letter(folded) : '\0';
        bool is_digit = folded >= '0' && folded <= '9';
        if (letter) out->letters[out->letters_len++] = letter;
        if (is_digit) out->digits++;
        if (is_digit) out->code[out->code_len++] = (char)folded;
        if (letter) out->code[out->code_len++] = (char)(letter - 'a' + 'A');
        bool is_mark = folded < 128 || folded == 0xB7 || folded == 0x2022 || folded == 0x3000;
        if (is_mark) continue;
        out->has_hanzi = out->has_hanzi || (!letter && !is_digit);
        out->name_len += kd_utf8_encode(folded, out->name + out->name_len);
    }
}

/* ---- the ways of asking ---- */

static kd_status ask_identifier(finding *f, const char *kind, kd_str value, kd_error *err)
{
    if (!value.len) return KD_OK;
    return ask(f, "select person_id from person_identifier where kind = $1 and value = $2 order by person_id limit $3",
               KD_VALUES(kd_text_value(kd_str_of(kind)), kd_text_value(value), kd_int((int64_t)f->asked)), 0, kind,
               err);
}

static kd_status ask_numbers(finding *f, const typed *t, kd_error *err)
{
    kd_identity identity;
    char phone[KD_PHONE_BYTES_MAX];
    kd_str code = { t->code, t->code_len };
    kd_identity_read(code, &identity);
    if (identity.kind != KD_IDENTITY_EMPTY)
        KD_TRY(ask_identifier(f, "identity_number", kd_str_of(identity.number), err));
    size_t len = kd_phone_read(f->wanted->text, phone);
    KD_TRY(ask_identifier(f, "phone", (kd_str){ phone, len }, err));
    return ask_identifier(f, "handbook_no", code, err);
}

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'v';
}

static kd_status ask_name(finding *f, const typed *t, kd_error *err)
{
    static const char *const matched[] = { "name", "name" };
    kd_str name = { t->name, t->name_len };
    KD_TRY(ask_narrow(f, NARROW_NAME, name, 1, matched, err));
    return ask_wide(f, &NAME, name, 0, matched[0], err);
}

/* The register writes "zhang wei": the surname may end after any sound, of up to two characters. */
static kd_status ask_spelling(finding *f, const typed *t, kd_error *err)
{
    enum { SURNAME_LETTERS = 12 };
    static const char *const matched[] = { "pinyin", "initials" };
    kd_str letters = { t->letters, t->letters_len };
    KD_TRY(ask_narrow(f, NARROW_SPELLING, letters, 2, matched, err));
    KD_TRY(ask_wide(f, &PINYIN, letters, 1, matched[0], err));
    bool has_vowel = false;
    for (size_t split = 1; split < letters.len && split <= SURNAME_LETTERS; split++) {
        has_vowel = has_vowel || is_vowel(letters.ptr[split - 1]);
        bool may_end = is_vowel(letters.ptr[split - 1]) || strchr("ngr", letters.ptr[split - 1]);
        if (!has_vowel || !may_end) continue;
        kd_str with_space = kd_arena_fmt(f->arena, "%.*s %.*s", (int)split, letters.ptr, (int)(letters.len - split),
                                         letters.ptr + split);
        if (!with_space.ptr) return no_memory(err);
        KD_TRY(ask_wide(f, &PINYIN, with_space, 1, matched[0], err));
    }
    return ask_wide(f, &INITIALS, letters, 2, matched[1], err);
}

static kd_status ask_all(finding *f, kd_error *err)
{
    enum { NUMBER_DIGITS = 5 };
    const kd_text *text;
    typed *t = kd_arena_alloc(f->arena, sizeof *t);
    if (!t) return no_memory(err);
    KD_TRY(kd_register_text(f->reg, &text, err));
    read_typed(text, f->wanted->text, t);
    if (t->has_hanzi) return ask_name(f, t, err);
    if (t->digits >= NUMBER_DIGITS) return ask_numbers(f, t, err);
    return t->letters_len && !t->digits ? ask_spelling(f, t, err) : KD_OK;
}

/* ---- rows ---- */

static int by_rank(const void *a, const void *b)
{
    const found_id *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

#define BRIEF_COLUMNS "id, name, state, sex, birth_day, division"

static void read_brief(const kd_rows *rows, kd_arena *arena, kd_person_brief *out)
{
    *out = (kd_person_brief){ .id = kd_rows_int(rows, 0),
                              .name = kd_arena_str(arena, kd_rows_text(rows, 1)),
                              .state = kd_arena_str(arena, kd_rows_text(rows, 2)),
                              .sex = (int)kd_rows_int(rows, 3),
                              .birth_day = kd_rows_day(rows, 4),
                              .division = kd_rows_int(rows, 5) };
}

/* One statement whatever their number: places left over repeat the first. */
static kd_status load_rows(finding *f, size_t count, kd_person_hit *out, kd_error *err)
{
    kd_buf sql;
    kd_value values[ROWS_AT_ONCE];
    kd_buf_init(&sql, 1 << 12);
    kd_buf_cstr(&sql,
                "select " BRIEF_COLUMNS ", identity_number, phone from person where state = 'active' and id in (");
    for (size_t i = 0; i < ROWS_AT_ONCE; i++) {
        kd_buf_fmt(&sql, "%s$%zu", i ? ", " : "", i + 1);
        values[i] = kd_int(f->ids[i < count ? i : 0].id);
    }
    kd_buf_char(&sql, ')');
    kd_buf_char(&sql, '\0');
    kd_rows *rows = NULL;
    bool has_row = false;
    kd_status status = sql.status == KD_OK
                           ? kd_store_query(kd_register_store(f->reg), err, &rows, sql.ptr, values, ROWS_AT_ONCE)
                           : no_memory(err);
    while (status == KD_OK && (status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t id = kd_rows_int(rows, 0);
        for (size_t i = 0; i < count; i++) {
            if (f->ids[i].id != id) continue;
            read_brief(rows, f->arena, &out[i].brief);
            out[i].identity_number = kd_arena_str(f->arena, kd_rows_text(rows, 6));
            out[i].phone = kd_arena_str(f->arena, kd_rows_text(rows, 7));
        }
    }
    kd_rows_close(rows);
    kd_buf_done(&sql);
    return status;
}

/* "吴堡县宋家川街道…": what lies below the prefecture. */
static kd_str village_of(const kd_divisions *divisions, int64_t code, kd_arena *arena)
{
    static const kd_division_level levels[] = { KD_LEVEL_COUNTY, KD_LEVEL_TOWNSHIP, KD_LEVEL_VILLAGE };
    kd_str path = { NULL, 0 };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const kd_division *division = kd_divisions_find(divisions, kd_division_at_level(code, levels[i]));
        if (!division) continue;
        path = path.len ? kd_arena_fmt(arena, "%.*s%.*s", KD_FMT(path), KD_FMT(division->name))
                        : kd_arena_str(arena, division->name);
    }
    return path;
}

static kd_status load_hits(finding *f, kd_person_hit *hits, size_t *out_count, kd_error *err)
{
    kd_person_hit rows[ROWS_AT_ONCE] = { 0 };
    const kd_divisions *divisions;
    size_t hit_count = 0;
    KD_TRY(kd_register_divisions(f->reg, &divisions, err));
    qsort(f->ids, f->count, sizeof f->ids[0], by_rank);
    size_t count = f->count < ROWS_AT_ONCE ? f->count : ROWS_AT_ONCE;
    if (count) KD_TRY(load_rows(f, count, rows, err));
    for (size_t i = 0; i < count && hit_count < f->wanted->limit; i++) {
        if (!rows[i].brief.id || !is_allowed(f, rows[i].brief.division)) continue;
        rows[i].village = village_of(divisions, rows[i].brief.division, f->arena);
        rows[i].matched = f->ids[i].matched;
        hits[hit_count++] = rows[i];
    }
    *out_count = hit_count;
    return KD_OK;
}

kd_status kd_person_find(kd_register *reg, const kd_person_wanted *wanted, kd_arena *arena, kd_person_hit **out_hits,
                         size_t *out_count, kd_error *err)
{
    if (wanted->limit < 1 || wanted->limit > FOUND_MAX)
        return kd_fail(err, KD_INVALID, "limit", "a search brings 1 to %d persons", FOUND_MAX);
    if (!kd_utf8_is_valid(wanted->text)) return kd_fail(err, KD_INVALID, "text", "is not UTF-8 text");
    finding *f = kd_arena_alloc(arena, sizeof *f);
    kd_person_hit *hits = kd_arena_array(arena, wanted->limit, sizeof *hits);
    if (!f || !hits) return no_memory(err);
    *f = (finding){ .reg = reg, .wanted = wanted, .arena = arena, .asked = wanted->limit + SPARE };
    size_t count = 0;
    KD_TRY(read_areas(f, err));
    if (f->area_count) KD_TRY(ask_all(f, err));
    KD_TRY(load_hits(f, hits, &count, err));
    *out_hits = hits;
    *out_count = count;
    return KD_OK;
}

kd_status kd_person_brief_load(kd_register *reg, int64_t id, kd_arena *arena, kd_person_brief *out_brief, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_person_living(reg, id, &id, err));
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, "select " BRIEF_COLUMNS " from person where id = $1",
                          KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) read_brief(rows, arena, out_brief);
    kd_rows_close(rows);
    if (status == KD_OK && !has_row) return kd_fail(err, KD_NOT_FOUND, "", "there is no person with this id");
    return status;
}
