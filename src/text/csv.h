/** @file csv.h The shipped tables: a header line, then plain fields between commas, no quotes. Private to text. */
#ifndef KD_TEXT_CSV_H
#define KD_TEXT_CSV_H

#include "base/base.h"

enum { KD_TABLE_COLUMNS_MAX = 8 };

typedef struct {
    kd_mapping mapping;
    kd_str rest;
    const char *path;
    uint64_t line; /* of the row last read */
    size_t columns;
} kd_table;

/** Open `path`, whose header line must be `header`, comma for comma. `path` is kept, not copied. */
KD_CHECKED kd_status kd_table_open(kd_table *table, const char *path, const char *header, kd_error *err);
/** Next row that is not empty; `*out_more` false at the end. KD_INVALID when it has not as many fields as the header. */
KD_CHECKED kd_status kd_table_next(kd_table *table, kd_str fields[KD_TABLE_COLUMNS_MAX], bool *out_more, kd_error *err);
/** KD_INVALID at the row last read. */
kd_status kd_table_fail(const kd_table *table, kd_error *err, const char *field, const char *what)
    __attribute__((cold));
void kd_table_close(kd_table *table);

#endif
