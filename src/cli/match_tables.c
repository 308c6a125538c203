#include "match_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { COLUMNS_MAX = 160, NAME_BYTES_MAX = 128, UNPACKED_BYTES_MAX_BITS = 36 };

/* ---- .gz ---- */

static bool is_packed(const char *path)
{
    return kd_str_ends(kd_str_of(path), KD_STR(".gz"));
}

static kd_status unpack(const char *path, kd_buf *out, kd_error *err)
{
    gzFile file = gzopen(path, "rb");
    if (!file) return kd_fail_errno(err, path, "open");
    int n;
    char chunk[1 << 16];
    while ((n = gzread(file, chunk, sizeof chunk)) > 0 && out->status == KD_OK) kd_buf_add(out, chunk, (size_t)n);
    bool is_whole = gzclose(file) == Z_OK && n == 0;
    if (out->status != KD_OK) return kd_fail(err, KD_LIMIT, "", "%s: no memory to unpack it", path);
    return is_whole ? KD_OK : kd_fail(err, KD_INVALID, "", "%s: the packed file is broken or cut short", path);
}

static kd_status read_one(const char *path, const kd_read_options *options, kd_frame **out_frame, kd_error *err)
{
    if (!is_packed(path)) return kd_frame_read(path, options, out_frame, NULL, err);
    kd_buf bytes;
    kd_buf_init(&bytes, (size_t)1 << UNPACKED_BYTES_MAX_BITS);
    kd_status status = unpack(path, &bytes, err);
    if (status == KD_OK) status = kd_frame_read_csv(kd_buf_view(&bytes), path, options, out_frame, NULL, err);
    kd_buf_done(&bytes);
    return status;
}

/* ---- which columns ---- */

typedef struct {
    char names[COLUMNS_MAX][NAME_BYTES_MAX];
    kd_column_want wants[COLUMNS_MAX];
    size_t count;
} wanting;

static kd_status want(wanting *w, kd_str name, bool is_required, kd_error *err)
{
    if (!name.len) return KD_OK;
    if (name.len >= NAME_BYTES_MAX || w->count == COLUMNS_MAX)
        return kd_fail(err, KD_LIMIT, "", "too many columns, or a name of more than %d bytes", NAME_BYTES_MAX - 1);
    for (size_t i = 0; i < w->count; i++) {
        if (!kd_str_is(name, w->names[i])) continue;
        w->wants[i].is_required = w->wants[i].is_required || is_required;
        return KD_OK;
    }
    memcpy(w->names[w->count], name.ptr, name.len);
    w->wants[w->count] =
        (kd_column_want){ .name = w->names[w->count], .type = KD_TYPE_DICT, .is_required = is_required };
    w->count++;
    return KD_OK;
}

static kd_str id_column(const kd_tables_wanted *wanted)
{
    return wanted->id ? kd_str_of(wanted->id) : kd_model_id_column(wanted->model);
}

static kd_status want_all(const kd_tables_wanted *wanted, wanting *w, kd_error *err)
{
    for (size_t i = 0; i < kd_model_columns(wanted->model); i++)
        KD_TRY(want(w, kd_model_column(wanted->model, i), true, err));
    KD_TRY(want(w, id_column(wanted), wanted->id != NULL, err));
    return want(w, kd_truth_column(wanted), true, err);
}

/* ---- reading ---- */

static kd_status read_all(const kd_tables_wanted *wanted, const wanting *w, kd_tables *tables, kd_error *err)
{
    kd_read_options options = { .wants = w->wants, .want_count = w->count, .progress = kd_cli_progress() };
    for (size_t i = 0; i < wanted->path_count; i++) {
        KD_TRY(read_one(wanted->paths[i], &options, &tables->frames[i], err));
        tables->count = i + 1;
        tables->first[i + 1] = tables->first[i] + (uint64_t)kd_frame_rows(tables->frames[i]);
        char name[NAME_BYTES_MAX];
        snprintf(name, sizeof name, "%.*s", KD_FMT(id_column(wanted)));
        tables->ids[i] = name[0] ? kd_frame_find(tables->frames[i], name) : NULL;
    }
    return KD_OK;
}

kd_status kd_tables_read(const kd_tables_wanted *wanted, kd_tables *out_tables, kd_error *err)
{
    if (wanted->path_count > KD_TABLES_MAX)
        return kd_fail(err, KD_LIMIT, "", "more than %d tables in one run", KD_TABLES_MAX);
    wanting *w = calloc(1, sizeof *w);
    if (!w) return kd_fail(err, KD_LIMIT, "", "no memory for the tables");
    kd_tables tables = { 0 };
    kd_status status = want_all(wanted, w, err);
    if (status == KD_OK) status = read_all(wanted, w, &tables, err);
    free(w);
    if (status != KD_OK) {
        kd_tables_done(&tables);
        return status;
    }
    *out_tables = tables;
    return KD_OK;
}

void kd_tables_done(kd_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) kd_frame_free(tables->frames[i]);
    *tables = (kd_tables){ 0 };
}

size_t kd_tables_of(const kd_tables *tables, uint64_t record)
{
    size_t table = 0;
    while (table + 1 < tables->count && record >= tables->first[table + 1]) table++;
    return table;
}

kd_str kd_tables_name(const kd_tables *tables, uint64_t record, char buf[24])
{
    size_t table = kd_tables_of(tables, record);
    int64_t row = (int64_t)(record - tables->first[table]);
    const kd_column *ids = tables->ids[table];
    if (ids && !kd_column_is_null(ids, row)) return kd_str_trim(kd_column_text(ids, row));
    int n = snprintf(buf, 24, "%lld", (long long)row + 1);
    return (kd_str){ buf, (size_t)n };
}
