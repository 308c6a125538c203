#include "text/tables.h"

#include <stdlib.h>

enum { PATHS_BYTES_MAX = 1 << 16 };

static const struct {
    const char *name, *header;
    table_loader load;
} tables[] = {
    { "pinyin.csv", "syllable,initial,final,chars", kd_load_pinyin },
    { "folds.csv", "to,from", kd_load_folds },
    { "shapes.csv", "char,radical,strokes,four_corner,cangjie", kd_load_shapes },
    { "sounds.csv", "part,a,b,likeness", kd_load_sounds },
    { "surnames.csv", "surname,percent,reading", kd_load_surnames },
    { "lunar_years.csv", "year,new_year,leap_month,month_is_long", kd_load_lunar_years },
    { "name_patterns.csv", "kind,pattern,sex", kd_load_name_patterns },
};

static kd_status load(kd_text *text, kd_arena *paths, kd_str dir, kd_error *err)
{
    text->far = kd_map_new(1 << 12);
    text->surnames = kd_map_new(1 << 10);
    if (!text->far || !text->surnames) return kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        kd_str path = kd_path_join(paths, dir, kd_str_of(tables[i].name));
        if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
        kd_table table;
        KD_TRY(kd_table_open(&table, path.ptr, tables[i].header, err));
        kd_status status = tables[i].load(text, &table, err);
        kd_table_close(&table);
        KD_TRY(status);
    }
    return KD_OK;
}

kd_status kd_text_open_from(const char *dir, kd_text **out_text, kd_error *err)
{
    kd_arena *paths = kd_arena_new(PATHS_BYTES_MAX);
    kd_text *text = calloc(1, sizeof *text);
    kd_status status = paths && text ? load(text, paths, kd_str_of(dir), err)
                                     : kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
    kd_arena_free(paths);
    if (status == KD_OK)
        *out_text = text;
    else
        kd_text_close(text);
    return status;
}

kd_status kd_text_open(kd_text **out_text, kd_error *err)
{
    kd_arena *paths = kd_arena_new(PATHS_BYTES_MAX);
    kd_str dir = { NULL, 0 };
    kd_status status =
        paths ? kd_data_path(paths, "text", &dir, err) : kd_fail(err, KD_LIMIT, "", "no memory for the text tables");
    if (status == KD_OK) status = kd_text_open_from(dir.ptr, out_text, err);
    kd_arena_free(paths);
    return status;
}

void kd_text_close(kd_text *text)
{
    if (!text) return;
    kd_map_free(text->far);
    kd_map_free(text->surnames);
    free(text);
}
