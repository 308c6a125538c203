/** The parts of an XLSX workbook (ECMA-376, SpreadsheetML): a ZIP archive of XML files. Private to frame. */
#ifndef KD_FRAME_XLSX_H
#define KD_FRAME_XLSX_H

#include "encoding.h"
#include "limits.h"

#include <expat.h>
#include <zip.h>

/** A workbook being read. */
typedef struct {
    const char *path;
    zip_t *zip;
    kd_arena *arena;
    const kd_progress *progress;
    kd_error *err;
    kd_str folder; /* of the workbook part, with its slash: "xl/" */
    kd_str sheet_part, shared_part, styles_part;
    bool is_1904; /* serial days count from 1904 */
    kd_buf shared, shared_ends;
    uint8_t *is_date; /* by cell format */
    size_t format_count;
} workbook;

typedef struct xml_walk xml_walk;
/** What a part's reader does. `name` is without its namespace prefix; a failure ends the walk. */
typedef struct {
    kd_status (*start)(xml_walk *walk, const char *name, const char **attributes);
    kd_status (*end)(xml_walk *walk, const char *name);
    kd_status (*text)(xml_walk *walk, kd_str text);
} xml_reader;

struct xml_walk {
    workbook *book;
    const xml_reader *reader;
    void *ctx;
    kd_str part;
    XML_Parser parser;
    int depth;
    bool is_done; /* set by a reader that has seen enough */
    kd_status status;
};

/** Value of an attribute, also when its name carries a prefix; NULL when absent. */
const char *xml_attribute(const char **attributes, const char *name);
/** Stream one part through `reader`, holding to every limit. */
KD_CHECKED kd_status xlsx_walk(workbook *book, kd_str part, const xml_reader *reader, void *ctx);
kd_status xlsx_fail(workbook *book, const char *what);

/** Find the sheet and load shared strings and cell formats. */
KD_CHECKED kd_status xlsx_load_parts(workbook *book, const char *sheet);
kd_str xlsx_shared(const workbook *book, size_t index);
size_t xlsx_shared_count(const workbook *book);
/** True for a number format that shows a date or time. */
bool xlsx_is_date_code(kd_str code);

#endif
