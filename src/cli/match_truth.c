/* Who is who, told by a column of the tables or by a file beside them. */
#include "match_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double LINK_SCORE_LEAST = 0.5; /* a labelled pair below it is told apart */

static bool names_column(const char *truth)
{
    return kd_str_starts(kd_str_of(truth), KD_STR("column:"));
}

/* One of the tables themselves: then the model knows where in it the entity stands. */
static bool is_input(const kd_tables_wanted *wanted)
{
    struct stat truth, table;
    if (stat(wanted->truth, &truth) != 0) return false;
    for (size_t i = 0; i < wanted->path_count; i++)
        if (stat(wanted->paths[i], &table) == 0 && table.st_dev == truth.st_dev && table.st_ino == truth.st_ino)
            return true;
    return false;
}

static bool is_by_model(const kd_tables_wanted *wanted)
{
    return wanted->truth && (strcmp(wanted->truth, "model") == 0 || is_input(wanted));
}

kd_str kd_truth_column(const kd_tables_wanted *wanted)
{
    kd_str truth = kd_str_of(wanted->truth);
    if (wanted->truth && names_column(wanted->truth)) return kd_str_sub(truth, 7, truth.len);
    return is_by_model(wanted) ? kd_model_entity_column(wanted->model) : (kd_str){ NULL, 0 };
}

/* ---- from a column ---- */

static kd_status from_column(const kd_tables_wanted *wanted, const kd_tables *tables, kd_str column, uint32_t *truth,
                             kd_error *err)
{
    char name[256];
    snprintf(name, sizeof name, "%.*s", KD_FMT(column));
    bool has_pattern = kd_str_eq(column, kd_model_entity_column(wanted->model));
    kd_dict *dict = kd_dict_new();
    if (!dict) return kd_fail(err, KD_LIMIT, "", "no memory for the truth");
    kd_status status = KD_OK;
    for (size_t t = 0; t < tables->count && status == KD_OK; t++) {
        const kd_column *c = kd_frame_find(tables->frames[t], name);
        for (int64_t row = 0; c && row < c->rows && status == KD_OK; row++) {
            kd_str value = kd_str_trim(kd_column_text(c, row));
            if (has_pattern) value = kd_model_entity(wanted->model, value);
            uint32_t code = value.len ? kd_dict_add(dict, value) : UINT32_MAX;
            if (value.len && code == KD_DICT_NONE) status = kd_fail(err, KD_LIMIT, "", "no memory for the truth");
            truth[tables->first[t] + (uint64_t)row] = code;
        }
    }
    kd_dict_free(dict);
    return status;
}

/* ---- from a file ---- */

typedef struct {
    const kd_tables *tables;
    kd_dict *names;
    uint32_t *record; /* of the name: the last record called so */
} naming;

static void naming_done(naming *n)
{
    kd_dict_free(n->names);
    free(n->record);
}

static kd_status name_records(naming *n, kd_error *err)
{
    uint64_t records = n->tables->first[n->tables->count];
    n->names = kd_dict_new();
    n->record = malloc((records + 1) * sizeof *n->record);
    for (uint64_t r = 0; n->names && n->record && r < records; r++) {
        char buf[24];
        uint32_t code = kd_dict_add(n->names, kd_tables_name(n->tables, r, buf));
        if (code == KD_DICT_NONE) return kd_fail(err, KD_LIMIT, "", "no memory for the truth");
        n->record[code] = (uint32_t)r;
    }
    return n->names && n->record ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the truth");
}

static uint32_t record_named(const naming *n, const kd_column *column, int64_t row)
{
    uint32_t code = kd_dict_find(n->names, kd_str_trim(kd_column_text(column, row)));
    return code == KD_DICT_NONE ? UINT32_MAX : n->record[code];
}

/* True when most of a column's values name records. */
static bool holds_names(const naming *n, const kd_column *column)
{
    int64_t known = 0, seen = 0;
    for (int64_t row = 0; row < column->rows && seen < 1000; row++, seen++)
        known += record_named(n, column, row) != UINT32_MAX;
    return seen && known * 10 >= seen * 9;
}

static uint32_t root_of(uint32_t *parent, uint32_t x)
{
    while (parent[x] != x) {
        parent[x] = parent[parent[x]];
        x = parent[x];
    }
    return x;
}

/* Everyone is somebody; linked records are one. */
static void from_links(const naming *n, const kd_column *a, const kd_column *b, const kd_column *score, uint32_t *truth)
{
    uint64_t records = n->tables->first[n->tables->count];
    for (uint64_t r = 0; r < records; r++) truth[r] = (uint32_t)r;
    for (int64_t row = 0; row < a->rows; row++) {
        uint32_t x = record_named(n, a, row), y = record_named(n, b, row);
        double likely;
        if (x == UINT32_MAX || y == UINT32_MAX) continue;
        if (score && kd_str_double(kd_str_trim(kd_column_text(score, row)), &likely) && likely < LINK_SCORE_LEAST)
            continue;
        x = root_of(truth, x);
        y = root_of(truth, y);
        if (x < y) truth[y] = x;
        if (y < x) truth[x] = y;
    }
    for (uint64_t r = 0; r < records; r++) truth[r] = root_of(truth, (uint32_t)r);
}

/* `model` reads the entity out of the value; NULL: the value is the entity. */
static kd_status from_entities(const naming *n, const kd_model *model, const kd_column *ids, const kd_column *entities,
                               uint32_t *truth, kd_error *err)
{
    kd_dict *dict = kd_dict_new();
    kd_status status = dict ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the truth");
    for (int64_t row = 0; row < ids->rows && status == KD_OK; row++) {
        kd_str value = kd_str_trim(kd_column_text(entities, row));
        kd_str entity = model ? kd_model_entity(model, value) : value;
        uint32_t record = record_named(n, ids, row);
        if (record == UINT32_MAX || !entity.len) continue;
        truth[record] = kd_dict_add(dict, entity);
        if (truth[record] == KD_DICT_NONE) status = kd_fail(err, KD_LIMIT, "", "no memory for the truth");
    }
    kd_dict_free(dict);
    return status;
}

/* Whether a header says that the column tells the entity, though its values may look like names of records. */
static bool is_entity(kd_str name)
{
    static const char *const words[] = { "cluster", "entity", "person", "label", "true_id", "ent_id" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (kd_str_find(name, kd_str_of(words[i])) >= 0) return true;
    return false;
}

static bool is_score(kd_str name)
{
    return kd_str_find(name, KD_STR("score")) >= 0 || kd_str_find(name, KD_STR("match")) >= 0;
}

static const kd_column *find(const kd_frame *frame, kd_str name)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", KD_FMT(name));
    return name.len ? kd_frame_find(frame, text) : NULL;
}

static kd_status from_frame(const kd_tables_wanted *wanted, const kd_frame *frame, const kd_tables *tables,
                            uint32_t *truth, kd_error *err)
{
    enum { LINK_COLUMNS = 2 };
    naming n = { .tables = tables };
    const kd_column *ids = find(frame, kd_model_id_column(wanted->model));
    const kd_column *entities = find(frame, kd_model_entity_column(wanted->model));
    bool is_like_tables = ids && entities && kd_frame_columns(frame) > LINK_COLUMNS;
    const kd_column *names[LINK_COLUMNS] = { NULL, NULL }, *score = NULL, *other = NULL;
    size_t found = 0;
    kd_status status = name_records(&n, err);
    for (size_t i = 0; status == KD_OK && i < kd_frame_columns(frame); i++) {
        const kd_column *column = kd_frame_column(frame, i);
        bool is_name =
            found < LINK_COLUMNS && !is_score(column->name) && !is_entity(column->name) && holds_names(&n, column);
        if (is_name) {
            names[found++] = column;
        } else if (is_score(column->name)) {
            score = column;
        } else if (!other || is_entity(column->name)) {
            other = column;
        }
    }
    if (status == KD_OK && is_like_tables) {
        status = from_entities(&n, wanted->model, ids, entities, truth, err);
    } else if (status == KD_OK && found == LINK_COLUMNS) {
        from_links(&n, names[0], names[1], score, truth);
    } else if (status == KD_OK && found == 1 && other) {
        status = from_entities(&n, NULL, names[0], other, truth, err);
    } else if (status == KD_OK) {
        status = kd_fail(err, KD_INVALID, "", "%s: no column in it names records of the tables", wanted->truth);
        kd_hint(err,
                "a truth file has two columns: the names of two linked records, or of a record and its entity; --id "
                "tells which column of the tables holds the names");
    }
    naming_done(&n);
    return status;
}

static kd_status from_file(const kd_tables_wanted *wanted, const kd_tables *tables, uint32_t *truth, kd_error *err)
{
    kd_frame *frame;
    kd_read_options options = { .all_text = true };
    KD_TRY(kd_frame_read(wanted->truth, &options, &frame, NULL, err));
    kd_status status = from_frame(wanted, frame, tables, truth, err);
    kd_frame_free(frame);
    return status;
}

kd_status kd_truth_read(const kd_tables_wanted *wanted, const kd_tables *tables, uint32_t **out_truth, kd_error *err)
{
    uint64_t records = tables->first[tables->count];
    kd_str column = kd_truth_column(wanted);
    bool is_column = names_column(wanted->truth) || is_by_model(wanted);
    if (is_column && !column.len)
        return kd_fail(err, KD_INVALID, "", "the model does not tell the true entity: its truth: has no entity:");
    uint32_t *truth = malloc((records + 1) * sizeof *truth);
    if (!truth) return kd_fail(err, KD_LIMIT, "", "no memory for the truth");
    for (uint64_t r = 0; r < records; r++) truth[r] = UINT32_MAX;
    kd_status status =
        is_column ? from_column(wanted, tables, column, truth, err) : from_file(wanted, tables, truth, err);
    if (status != KD_OK) {
        free(truth);
        return status;
    }
    *out_truth = truth;
    return KD_OK;
}
