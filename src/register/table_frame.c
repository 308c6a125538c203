/* The record table as the frame that linkage models of persons read, handed over through the Arrow structs. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* Columns whose texts come from another record of the same row. */
typedef struct {
    uint32_t *mother_name, *mother_identity, *father_name, *father_identity, *spouse_name, *spouse_identity;
    int64_t *group;
} context;

static void context_done(context *c)
{
    free(c->mother_name);
    free(c->mother_identity);
    free(c->father_name);
    free(c->father_identity);
    free(c->spouse_name);
    free(c->spouse_identity);
    free(c->group);
}

static kd_status context_new(size_t count, context *out, kd_error *err)
{
    uint32_t **codes[] = { &out->mother_name,     &out->mother_identity, &out->father_name,
                           &out->father_identity, &out->spouse_name,     &out->spouse_identity };
    bool is_full = !(out->group = calloc(count + 1, sizeof *out->group));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        is_full = !(*codes[i] = calloc(count + 1, sizeof **codes[i])) || is_full;
    return is_full ? kd_fail(err, KD_LIMIT, "", "no memory for %zu records", count) : KD_OK;
}

/* What the other persons of a row say of this one: a child's parents, a parent's partner, the two of a couple. */
static void relate(const kd_record_table *t, uint32_t from, uint32_t to, context *c)
{
    for (uint32_t i = from; i < to; i++) {
        for (uint32_t j = from; j < to; j++) {
            if (i == j) continue;
            bool is_child = t->role[i] == KD_ROLE_CHILD || t->role[i] == KD_ROLE_SUBJECT;
            if (is_child && t->role[j] == KD_ROLE_MOTHER) {
                c->mother_name[i] = t->name[j];
                c->mother_identity[i] = t->identity[j];
            } else if (is_child && t->role[j] == KD_ROLE_FATHER) {
                c->father_name[i] = t->name[j];
                c->father_identity[i] = t->identity[j];
            } else if (t->role[i] != KD_ROLE_CHILD && t->role[j] != KD_ROLE_CHILD) {
                c->spouse_name[i] = t->name[j];
                c->spouse_identity[i] = t->identity[j];
            }
        }
        c->group[i] = (int64_t)from + 1;
    }
}

/* ---- Arrow arrays that borrow: they live only for the import call ---- */

enum { COLUMNS_MAX = 32 };

typedef struct {
    struct ArrowArray arrays[COLUMNS_MAX], dictionaries[COLUMNS_MAX], *children[COLUMNS_MAX];
    struct ArrowSchema schemas[COLUMNS_MAX], dictionary_schemas[COLUMNS_MAX], *schema_children[COLUMNS_MAX];
    const void *buffers[COLUMNS_MAX][2], *dictionary_buffers[COLUMNS_MAX][3];
    int64_t rows;
    size_t count;
    uint8_t *validity[COLUMNS_MAX];
} borrowed;

static void done_borrowed(borrowed *b)
{
    for (size_t i = 0; i < b->count; i++) free(b->validity[i]);
}

static size_t add_column(borrowed *b, const char *name, const char *format, const void *values)
{
    size_t i = b->count++;
    b->buffers[i][1] = values;
    b->arrays[i] = (struct ArrowArray){ .length = b->rows, .n_buffers = 2, .buffers = b->buffers[i] };
    b->schemas[i] = (struct ArrowSchema){ .format = format, .name = name, .flags = ARROW_FLAG_NULLABLE };
    b->children[i] = &b->arrays[i];
    b->schema_children[i] = &b->schemas[i];
    return i;
}

/* Validity of the rows for which `is_missing(values, row)`; true when memory sufficed. */
#define SET_VALIDITY(b, i, missing)                                              \
    do {                                                                         \
        uint8_t *bits_ = calloc(1, (size_t)((b)->rows + 7) / 8 + 1);             \
        if (!bits_) return kd_fail(err, KD_LIMIT, "", "no memory for a column"); \
        int64_t nulls_ = 0;                                                      \
        for (int64_t row = 0; row < (b)->rows; row++) {                          \
            if (missing) {                                                       \
                nulls_++;                                                        \
            } else {                                                             \
                bits_[row >> 3] |= (uint8_t)(1 << (row & 7));                    \
            }                                                                    \
        }                                                                        \
        (b)->validity[i] = bits_;                                                \
        (b)->buffers[i][0] = bits_;                                              \
        (b)->arrays[i].null_count = nulls_;                                      \
    } while (0)

static kd_status add_text(borrowed *b, const char *name, const kd_dict *dict, const uint32_t *codes, kd_error *err)
{
    size_t i = add_column(b, name, "i", codes);
    b->dictionary_buffers[i][1] = kd_dict_offsets(dict);
    b->dictionary_buffers[i][2] = kd_dict_bytes(dict);
    b->dictionaries[i] =
        (struct ArrowArray){ .length = kd_dict_count(dict), .n_buffers = 3, .buffers = b->dictionary_buffers[i] };
    b->dictionary_schemas[i] = (struct ArrowSchema){ .format = "U" };
    b->arrays[i].dictionary = &b->dictionaries[i];
    b->schemas[i].dictionary = &b->dictionary_schemas[i];
    SET_VALIDITY(b, i, codes[row] == 0);
    return KD_OK;
}

static kd_status add_day(borrowed *b, const char *name, const int32_t *days, kd_error *err)
{
    size_t i = add_column(b, name, "tdD", days);
    SET_VALIDITY(b, i, days[row] == KD_DAY_NONE);
    return KD_OK;
}

static kd_status add_long(borrowed *b, const char *name, const int64_t *values, kd_error *err)
{
    size_t i = add_column(b, name, "l", values);
    SET_VALIDITY(b, i, values[row] == 0);
    return KD_OK;
}

static kd_status add_sex(borrowed *b, const int8_t *sexes, kd_error *err)
{
    size_t i = add_column(b, "sex", "c", sexes);
    SET_VALIDITY(b, i, sexes[row] != 1 && sexes[row] != 2);
    return KD_OK;
}

static kd_status add_birth_order(borrowed *b, const int16_t *orders, kd_error *err)
{
    size_t i = add_column(b, "birth_order", "s", orders);
    SET_VALIDITY(b, i, orders[row] == 0);
    return KD_OK;
}

static kd_status read_sources(kd_register *reg, kd_dict *dict, uint32_t code_of[INT16_MAX + 1], kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows, "select id, feed from source order by id", KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row)
        code_of[kd_rows_int(rows, 0) & INT16_MAX] = kd_dict_add(dict, kd_rows_text(rows, 1));
    kd_rows_close(rows);
    return status;
}

typedef struct {
    kd_dict *sources, *roles;
    uint32_t *source_codes, *role_codes;
} names;

static void names_done(names *n)
{
    kd_dict_free(n->sources);
    kd_dict_free(n->roles);
    free(n->source_codes);
    free(n->role_codes);
}

static kd_status names_new(const kd_record_table *t, kd_register *reg, names *out, kd_error *err)
{
    static const size_t SOURCES = INT16_MAX + 1;
    uint32_t *code_of = calloc(SOURCES, sizeof *code_of);
    out->sources = kd_dict_new();
    out->roles = kd_dict_new();
    out->source_codes = malloc(((size_t)t->count + 1) * sizeof *out->source_codes);
    out->role_codes = malloc(((size_t)t->count + 1) * sizeof *out->role_codes);
    bool is_full = !code_of || !out->sources || !out->roles || !out->source_codes || !out->role_codes;
    if (!is_full) is_full = kd_dict_add(out->sources, KD_STR("")) != 0 || kd_dict_add(out->roles, KD_STR("")) != 0;
    for (int role = 1; !is_full && kd_role_name((kd_role)role); role++)
        is_full = kd_dict_add(out->roles, kd_str_of(kd_role_name((kd_role)role))) == KD_DICT_NONE;
    kd_status status = is_full ? kd_fail(err, KD_LIMIT, "", "no memory for the records' sources")
                               : read_sources(reg, out->sources, code_of, err);
    for (uint32_t i = 0; status == KD_OK && i < t->count; i++) {
        out->source_codes[i] = code_of[t->source_id[i]];
        out->role_codes[i] = t->role[i]; /* codes follow kd_role, as they were added in its order */
    }
    free(code_of);
    return status;
}

typedef enum { SHAPE_TEXT, SHAPE_DAY, SHAPE_LONG, SHAPE_SEX, SHAPE_ORDER } shape;

/* A column that a model may ask for and where it comes from. */
typedef struct {
    const char *name;
    shape shape;
    const kd_dict *dict; /* of texts */
    const void *values;
} offered;

static kd_status add_offered(borrowed *b, const offered *o, kd_error *err)
{
    switch (o->shape) {
    case SHAPE_TEXT: return add_text(b, o->name, o->dict, o->values, err);
    case SHAPE_DAY: return add_day(b, o->name, o->values, err);
    case SHAPE_LONG: return add_long(b, o->name, o->values, err);
    case SHAPE_SEX: return add_sex(b, o->values, err);
    case SHAPE_ORDER: break;
    }
    return add_birth_order(b, o->values, err);
}

static bool is_asked(const kd_model *model, const char *name)
{
    for (size_t i = 0; i < kd_model_columns(model); i++)
        if (kd_str_is(kd_model_column(model, i), name)) return true;
    return false;
}

static kd_status fill(const kd_record_table *t, const kd_model *model, const context *c, const names *n, borrowed *b,
                      kd_error *err)
{
    kd_dict *const *texts = t->texts;
    const kd_dict *name = texts[KD_TEXT_NAME], *identity = texts[KD_TEXT_IDENTITY];
    const offered all[] = {
        { "source", SHAPE_TEXT, n->sources, n->source_codes },
        { "role", SHAPE_TEXT, n->roles, n->role_codes },
        { "group", SHAPE_LONG, NULL, c->group },
        { "name", SHAPE_TEXT, name, t->name },
        { "identity", SHAPE_TEXT, identity, t->identity },
        { "birth_day", SHAPE_DAY, NULL, t->birth_day },
        { "sex", SHAPE_SEX, NULL, t->sex },
        { "phone", SHAPE_TEXT, texts[KD_TEXT_PHONE], t->phone },
        { "division", SHAPE_LONG, NULL, t->division },
        { "address", SHAPE_TEXT, texts[KD_TEXT_ADDRESS], t->address },
        { "household", SHAPE_TEXT, texts[KD_TEXT_HOUSEHOLD], t->household },
        { "certificate_no", SHAPE_TEXT, texts[KD_TEXT_CERTIFICATE], t->certificate },
        { "handbook_no", SHAPE_TEXT, texts[KD_TEXT_HANDBOOK], t->handbook },
        { "birth_order", SHAPE_ORDER, NULL, t->birth_order },
        { "mother_name", SHAPE_TEXT, name, c->mother_name },
        { "mother_identity", SHAPE_TEXT, identity, c->mother_identity },
        { "father_name", SHAPE_TEXT, name, c->father_name },
        { "father_identity", SHAPE_TEXT, identity, c->father_identity },
        { "spouse_name", SHAPE_TEXT, name, c->spouse_name },
        { "spouse_identity", SHAPE_TEXT, identity, c->spouse_identity },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (is_asked(model, all[i].name)) KD_TRY(add_offered(b, &all[i], err));
    return KD_OK;
}

kd_status kd_record_table_frame(const kd_record_table *table, kd_register *reg, const kd_model *model,
                                kd_frame **out_frame, kd_error *err)
{
    context c = { 0 };
    names n = { 0 };
    borrowed *b = calloc(1, sizeof *b);
    kd_status status = b ? context_new(table->count, &c, err) : kd_fail(err, KD_LIMIT, "", "no memory");
    if (status == KD_OK) status = names_new(table, reg, &n, err);
    if (status == KD_OK) {
        for (uint32_t i = 0, end; i < table->count; i = end) {
            end = kd_record_table_row_end(table, i);
            relate(table, i, end, &c);
        }
        b->rows = table->count;
        status = fill(table, model, &c, &n, b, err);
    }
    if (status == KD_OK) {
        static const void *no_buffers[1] = { NULL };
        struct ArrowArray array = { .length = b->rows,
                                    .n_buffers = 1,
                                    .buffers = no_buffers,
                                    .n_children = (int64_t)b->count,
                                    .children = b->children };
        struct ArrowSchema schema = { .format = "+s", .n_children = (int64_t)b->count, .children = b->schema_children };
        status = kd_frame_import(&array, &schema, out_frame, err);
    }
    if (b) done_borrowed(b);
    free(b);
    names_done(&n);
    context_done(&c);
    return status;
}
