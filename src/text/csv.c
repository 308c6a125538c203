#include "text/csv.h"

#include <string.h>

static bool next_line(kd_table *table, kd_str *out_line)
{
    if (table->rest.len == 0 || !kd_str_next(&table->rest, '\n', out_line)) return false;
    table->line++;
    if (out_line->len && out_line->ptr[out_line->len - 1] == '\r') out_line->len--;
    return true;
}

kd_status kd_table_open(kd_table *table, const char *path, const char *header, kd_error *err)
{
    *table = (kd_table){ .path = path, .columns = 1 };
    for (const char *c = header; *c; c++) table->columns += *c == ',';
    KD_TRY(kd_mapping_open(path, &table->mapping, err));
    table->rest = table->mapping.bytes;
    if (kd_str_starts(table->rest, KD_STR("\xEF\xBB\xBF"))) table->rest = kd_str_sub(table->rest, 3, table->rest.len);
    kd_str line;
    if (next_line(table, &line) && kd_str_is(line, header)) return KD_OK;
    kd_table_close(table);
    kd_status status = kd_fail_at(err, KD_INVALID, path, 1, 1, "the table does not begin with its header");
    kd_hint(err, "the first line must be %s", header);
    return status;
}

kd_status kd_table_next(kd_table *table, kd_str fields[KD_TABLE_COLUMNS_MAX], bool *out_more, kd_error *err)
{
    kd_str line;
    do {
        if (!next_line(table, &line)) {
            *out_more = false;
            return KD_OK;
        }
    } while (line.len == 0);
    size_t count = 0;
    while (count < table->columns && kd_str_next(&line, ',', &fields[count])) count++;
    if (count < table->columns || line.ptr) return kd_table_fail(table, err, "", "wrong number of fields");
    *out_more = true;
    return KD_OK;
}

kd_status kd_table_fail(const kd_table *table, kd_error *err, const char *field, const char *what)
{
    kd_status status =
        kd_fail_at(err, KD_INVALID, table->path, table->line, 0, "%s%s%s", field, *field ? ": " : "", what);
    kd_hint(err, "restore the file as it was shipped, or mend this line");
    return status;
}

void kd_table_close(kd_table *table)
{
    kd_mapping_close(&table->mapping);
}
