#include "xlsx.h"

#include <stdlib.h>
#include <string.h>

/* ---- relations: which part is what ---- */

typedef struct {
    const char *type_end; /* of the relation's type */
    const char *id;       /* or its id, when not NULL */
    kd_str folder;
    kd_str found;
} relation;

static kd_status relation_start(xml_walk *walk, const char *name, const char **attributes)
{
    relation *wanted = walk->ctx;
    const char *id = xml_attribute(attributes, "Id"), *type = xml_attribute(attributes, "Type"),
               *target = xml_attribute(attributes, "Target");
    if (strcmp(name, "Relationship") != 0 || !id || !type || !target) return KD_OK;
    bool is_it = wanted->id ? strcmp(id, wanted->id) == 0 : kd_str_ends(kd_str_of(type), kd_str_of(wanted->type_end));
    if (!is_it) return KD_OK;
    kd_arena *arena = walk->book->arena;
    wanted->found = target[0] == '/' ? kd_arena_str(arena, kd_str_of(target + 1))
                                     : kd_arena_fmt(arena, "%.*s%s", KD_FMT(wanted->folder), target);
    if (!wanted->found.ptr) return kd_fail(walk->book->err, KD_LIMIT, "", "no memory for the workbook");
    walk->is_done = true;
    return KD_OK;
}

/* The part that `part` names by relation type or id; empty when it names none. */
static kd_status find_relation(workbook *book, const char *relations, const char *type_end, const char *id,
                               kd_str *out_part)
{
    static const xml_reader reader = { .start = relation_start };
    relation wanted = { .type_end = type_end, .id = id, .folder = book->folder };
    if (zip_name_locate(book->zip, relations, 0) < 0) {
        *out_part = (kd_str){ NULL, 0 };
        return KD_OK;
    }
    KD_TRY(xlsx_walk(book, kd_str_of(relations), &reader, &wanted));
    *out_part = wanted.found;
    return KD_OK;
}

/* ---- workbook: the sheets ---- */

typedef struct {
    const char *wanted; /* NULL is the first */
    kd_str id;
    kd_buf names; /* for the hint */
} sheet_list;

static kd_status book_start(xml_walk *walk, const char *name, const char **attributes)
{
    sheet_list *sheets = walk->ctx;
    if (strcmp(name, "workbookPr") == 0) {
        const char *flag = xml_attribute(attributes, "date1904");
        walk->book->is_1904 = flag && (strcmp(flag, "1") == 0 || strcmp(flag, "true") == 0);
    }
    const char *title = xml_attribute(attributes, "name"), *id = xml_attribute(attributes, "id");
    if (strcmp(name, "sheet") != 0 || !title || !id) return KD_OK;
    if (sheets->names.len < 256) {
        if (sheets->names.len) kd_buf_cstr(&sheets->names, ", ");
        kd_buf_cstr(&sheets->names, title);
    }
    if (sheets->id.ptr || (sheets->wanted && strcmp(sheets->wanted, title) != 0)) return KD_OK;
    sheets->id = kd_arena_str(walk->book->arena, kd_str_of(id));
    return sheets->id.ptr ? KD_OK : kd_fail(walk->book->err, KD_LIMIT, "", "no memory for the workbook");
}

static kd_status find_sheet(workbook *book, kd_str book_part, const char *relations, const char *sheet)
{
    static const xml_reader reader = { .start = book_start };
    sheet_list sheets = { .wanted = sheet };
    kd_buf_init(&sheets.names, 4096);
    kd_status status = xlsx_walk(book, book_part, &reader, &sheets);
    if (status == KD_OK && !sheets.id.ptr && sheet) {
        status = kd_fail_at(book->err, KD_NOT_FOUND, book->path, 0, 0, "the workbook has no sheet '%s'", sheet);
        if (sheets.names.len) kd_hint(book->err, "it has: %.*s", KD_FMT(kd_buf_view(&sheets.names)));
    } else if (status == KD_OK && !sheets.id.ptr) {
        status = xlsx_fail(book, "it has no sheet");
    }
    kd_buf_done(&sheets.names);
    if (status != KD_OK) return status;
    KD_TRY(find_relation(book, relations, NULL, sheets.id.ptr, &book->sheet_part));
    return book->sheet_part.ptr ? KD_OK : xlsx_fail(book, "its sheet is missing");
}

/* ---- shared strings ---- */

typedef struct {
    bool in_text;
    int phonetic; /* inside a reading aid, which is not part of the text */
} shared_state;

static kd_status shared_start(xml_walk *walk, const char *name, const char **attributes)
{
    (void)attributes;
    shared_state *state = walk->ctx;
    if (strcmp(name, "rPh") == 0) state->phonetic++;
    state->in_text = strcmp(name, "t") == 0 && !state->phonetic;
    return KD_OK;
}

static kd_status shared_end(xml_walk *walk, const char *name)
{
    shared_state *state = walk->ctx;
    workbook *book = walk->book;
    state->in_text = false;
    if (strcmp(name, "rPh") == 0) state->phonetic--;
    if (strcmp(name, "si") != 0) return KD_OK;
    if (xlsx_shared_count(book) >= SHEET_SHARED_MAX)
        return kd_fail_at(book->err, KD_LIMIT, book->path, 0, 0, "the workbook has more than %d texts",
                          SHEET_SHARED_MAX);
    uint64_t end = book->shared.len;
    kd_buf_add(&book->shared_ends, &end, sizeof end);
    bool is_full = book->shared.status != KD_OK || book->shared_ends.status != KD_OK;
    return is_full ? kd_fail_at(book->err, KD_LIMIT, book->path, 0, 0, "the workbook's texts are too large") : KD_OK;
}

static kd_status shared_text(xml_walk *walk, kd_str text)
{
    const shared_state *state = walk->ctx;
    if (state->in_text) kd_buf_str(&walk->book->shared, text);
    return KD_OK;
}

size_t xlsx_shared_count(const workbook *book)
{
    return book->shared_ends.len / sizeof(uint64_t);
}

kd_str xlsx_shared(const workbook *book, size_t index)
{
    uint64_t from = 0, to;
    if (index) memcpy(&from, book->shared_ends.ptr + (index - 1) * sizeof from, sizeof from);
    memcpy(&to, book->shared_ends.ptr + index * sizeof to, sizeof to);
    return (kd_str){ book->shared.ptr + from, (size_t)(to - from) };
}

/* ---- styles: which cell formats show dates ---- */

typedef struct {
    kd_map *codes; /* custom number format to 1 when it shows a date */
    bool in_cell_formats;
} styles_state;

bool xlsx_is_date_code(kd_str code)
{
    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        char close = c == '"' ? '"' : c == '[' ? ']' : '\0';
        if (close) {
            i++;
            while (i < code.len && code.ptr[i] != close) i++;
        } else if (c == '\\' || c == '_' || c == '*') {
            i++; /* the next character is shown as it is, or sets the width */
        } else if (c == ';') {
            return false; /* only the form of positive numbers tells */
        } else if (strchr("yYmMdDhHsS", c)) {
            return true;
        }
    }
    return false;
}

/* Number formats that are in no file. Source: ECMA-376 part 1, 18.8.30, with the East Asian ones. */
static bool is_built_in_date(int64_t id)
{
    return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

static kd_status add_cell_format(xml_walk *walk, const char **attributes)
{
    styles_state *state = walk->ctx;
    workbook *book = walk->book;
    int64_t id = 0;
    const char *text = xml_attribute(attributes, "numFmtId");
    if (text && !kd_str_int(kd_str_of(text), &id)) id = 0;
    if (book->format_count == SHEET_STYLES_MAX) return xlsx_fail(book, "it has too many cell formats");
    const uint64_t *custom = kd_map_get(state->codes, (uint64_t)id);
    book->is_date[book->format_count++] = custom ? *custom != 0 : is_built_in_date(id);
    return KD_OK;
}

static kd_status styles_start(xml_walk *walk, const char *name, const char **attributes)
{
    styles_state *state = walk->ctx;
    if (strcmp(name, "cellXfs") == 0) state->in_cell_formats = true;
    if (strcmp(name, "xf") == 0 && state->in_cell_formats) return add_cell_format(walk, attributes);
    const char *text = xml_attribute(attributes, "numFmtId"), *code = xml_attribute(attributes, "formatCode");
    int64_t id;
    if (strcmp(name, "numFmt") != 0 || !text || !code || !kd_str_int(kd_str_of(text), &id) || id < 0) return KD_OK;
    if (kd_map_count(state->codes) >= SHEET_STYLES_MAX) return xlsx_fail(walk->book, "it has too many number formats");
    uint64_t *slot = kd_map_put(state->codes, (uint64_t)id, NULL);
    if (!slot) return kd_fail(walk->book->err, KD_LIMIT, "", "no memory for the workbook");
    *slot = xlsx_is_date_code(kd_str_of(code));
    return KD_OK;
}

static kd_status styles_end(xml_walk *walk, const char *name)
{
    styles_state *state = walk->ctx;
    if (strcmp(name, "cellXfs") == 0) state->in_cell_formats = false;
    return KD_OK;
}

static kd_status load_styles(workbook *book)
{
    static const xml_reader reader = { .start = styles_start, .end = styles_end };
    styles_state state = { .codes = kd_map_new(0) };
    book->is_date = kd_arena_alloc(book->arena, SHEET_STYLES_MAX);
    if (!state.codes || !book->is_date) {
        kd_map_free(state.codes);
        return kd_fail(book->err, KD_LIMIT, "", "no memory for the workbook");
    }
    kd_status status = xlsx_walk(book, book->styles_part, &reader, &state);
    kd_map_free(state.codes);
    return status;
}

kd_status xlsx_load_parts(workbook *book, const char *sheet)
{
    static const xml_reader shared_reader = { shared_start, shared_end, shared_text };
    kd_str part;
    book->folder = KD_STR("");
    KD_TRY(find_relation(book, "_rels/.rels", "/officeDocument", NULL, &part));
    if (!part.ptr || zip_name_locate(book->zip, part.ptr, 0) < 0 || !kd_str_ends(part, KD_STR(".xml")))
        return xlsx_fail(book, "it is a ZIP archive without a workbook in it");
    const char *slash = strrchr(part.ptr, '/');
    book->folder = kd_str_sub(part, 0, slash ? (size_t)(slash - part.ptr) + 1 : 0);
    kd_str file = kd_str_sub(part, book->folder.len, part.len);
    kd_str relations = kd_arena_fmt(book->arena, "%.*s_rels/%.*s.rels", KD_FMT(book->folder), KD_FMT(file));
    if (!relations.ptr) return kd_fail(book->err, KD_LIMIT, "", "no memory for the workbook");
    KD_TRY(find_sheet(book, part, relations.ptr, sheet));
    KD_TRY(find_relation(book, relations.ptr, "/sharedStrings", NULL, &book->shared_part));
    KD_TRY(find_relation(book, relations.ptr, "/styles", NULL, &book->styles_part));
    if (book->shared_part.ptr && zip_name_locate(book->zip, book->shared_part.ptr, 0) >= 0) {
        shared_state state = { 0 };
        KD_TRY(xlsx_walk(book, book->shared_part, &shared_reader, &state));
    }
    return book->styles_part.ptr ? load_styles(book) : KD_OK;
}
