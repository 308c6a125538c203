#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- out ---- */

/* The array of one column with all that hangs on it. */
typedef struct {
    uint8_t *bits; /* BOOL packed for Arrow */
    const void *buffers[3];
    struct ArrowArray array, dictionary;
    const void *dictionary_buffers[3];
} array_node;

/* A consumer may keep a column and release the rest, so each struct handed out counts as one user of the whole. */
typedef struct {
    kd_frame *frame;
    array_node *nodes;
    struct ArrowArray **children;
    const void *buffers[1];
    size_t count;
    size_t users; /* atomic */
} array_root;

typedef struct {
    struct ArrowSchema *schemas, *dictionaries, **children;
    size_t count;
    size_t users; /* atomic */
} schema_root;

static void free_array_root(array_root *root)
{
    for (size_t i = 0; root->nodes && i < root->count; i++) free(root->nodes[i].bits);
    free(root->nodes);
    free(root->children);
    kd_frame_free(root->frame);
    free(root);
}

static void release_array(struct ArrowArray *array)
{
    array_root *root = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    if (array->dictionary && array->dictionary->release) array->dictionary->release(array->dictionary);
    array->release = NULL;
    if (__atomic_sub_fetch(&root->users, 1, __ATOMIC_ACQ_REL) == 0) free_array_root(root);
}

static bool pack_bits(array_node *node, const kd_column *column)
{
    node->bits = calloc((size_t)(column->rows + 7) / 8 + 1, 1);
    for (int64_t i = 0; node->bits && i < column->rows; i++)
        if (column->bools[i]) bit_set(node->bits, i);
    return node->bits != NULL;
}

static bool fill_array(array_root *root, array_node *node, const kd_column *column)
{
    node->buffers[0] = column->validity;
    node->buffers[1] = column->type == KD_TYPE_TEXT ? (const void *)column->offsets : column->ints;
    node->buffers[2] = column->bytes;
    if (column->type == KD_TYPE_BOOL) {
        if (!pack_bits(node, column)) return false;
        node->buffers[1] = node->bits;
    }
    node->array = (struct ArrowArray){ .length = column->rows,
                                       .null_count = column->missing,
                                       .n_buffers = column->type == KD_TYPE_TEXT ? 3 : 2,
                                       .buffers = node->buffers,
                                       .release = release_array,
                                       .private_data = root };
    root->users++;
    if (column->type != KD_TYPE_DICT) return true;
    node->dictionary_buffers[1] = column->dict_offsets;
    node->dictionary_buffers[2] = column->dict_bytes;
    node->dictionary = (struct ArrowArray){ .length = column->dict_count,
                                            .n_buffers = 3,
                                            .buffers = node->dictionary_buffers,
                                            .release = release_array,
                                            .private_data = root };
    root->users++;
    node->array.dictionary = &node->dictionary;
    return true;
}

static array_root *make_array(kd_frame *frame)
{
    size_t count = kd_frame_columns(frame);
    array_root *root = calloc(1, sizeof *root);
    if (!root) return NULL;
    root->count = count;
    root->users = 1;
    root->nodes = calloc(count + 1, sizeof *root->nodes);
    root->children = calloc(count + 1, sizeof(struct ArrowArray *));
    bool is_whole = root->nodes && root->children;
    for (size_t i = 0; is_whole && i < count; i++) {
        is_whole = fill_array(root, &root->nodes[i], kd_frame_column(frame, i));
        root->children[i] = &root->nodes[i].array;
    }
    if (is_whole) return root;
    free_array_root(root);
    return NULL;
}

static void free_schema_root(schema_root *root)
{
    for (size_t i = 0; root->schemas && i < root->count; i++) free(without_const(root->schemas[i].name));
    free(root->schemas);
    free(root->dictionaries);
    free(root->children);
    free(root);
}

static void release_schema(struct ArrowSchema *schema)
{
    schema_root *root = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    if (schema->dictionary && schema->dictionary->release) schema->dictionary->release(schema->dictionary);
    schema->release = NULL;
    if (__atomic_sub_fetch(&root->users, 1, __ATOMIC_ACQ_REL) == 0) free_schema_root(root);
}

static schema_root *make_schema(const kd_frame *frame)
{
    static const char *const formats[] = { [KD_TYPE_TEXT] = "U",    [KD_TYPE_DICT] = "i",   [KD_TYPE_INT64] = "l",
                                           [KD_TYPE_FLOAT64] = "g", [KD_TYPE_DATE] = "tdD", [KD_TYPE_BOOL] = "b" };
    size_t count = kd_frame_columns(frame);
    schema_root *root = calloc(1, sizeof *root);
    if (!root) return NULL;
    root->count = count;
    root->users = 1;
    root->schemas = calloc(count + 1, sizeof *root->schemas);
    root->dictionaries = calloc(count + 1, sizeof *root->dictionaries);
    root->children = calloc(count + 1, sizeof(struct ArrowSchema *));
    bool is_whole = root->schemas && root->dictionaries && root->children;
    for (size_t i = 0; is_whole && i < count; i++) {
        const kd_column *column = kd_frame_column(frame, i);
        struct ArrowSchema *schema = root->children[i] = &root->schemas[i];
        *schema = (struct ArrowSchema){ .format = formats[column->type],
                                        .name = strdup(column->name.ptr),
                                        .flags = ARROW_FLAG_NULLABLE,
                                        .release = release_schema,
                                        .private_data = root };
        root->users++;
        is_whole = schema->name != NULL;
        if (column->type != KD_TYPE_DICT) continue;
        root->dictionaries[i] =
            (struct ArrowSchema){ .format = "U", .name = "", .release = release_schema, .private_data = root };
        root->users++;
        schema->dictionary = &root->dictionaries[i];
    }
    if (is_whole) return root;
    free_schema_root(root);
    return NULL;
}

kd_status kd_frame_export(kd_frame *take_frame, struct ArrowArray *out_array, struct ArrowSchema *out_schema,
                          kd_error *err)
{
    array_root *array = make_array(take_frame);
    schema_root *schema = array ? make_schema(take_frame) : NULL;
    size_t count = kd_frame_columns(take_frame);
    if (!schema) {
        if (array) free_array_root(array);
        kd_frame_free(take_frame);
        return kd_fail(err, KD_LIMIT, "", "no memory to export the table");
    }
    array->frame = take_frame;
    *out_array = (struct ArrowArray){ .length = kd_frame_rows(take_frame),
                                      .n_buffers = 1,
                                      .n_children = (int64_t)count,
                                      .buffers = array->buffers,
                                      .children = array->children,
                                      .release = release_array,
                                      .private_data = array };
    *out_schema = (struct ArrowSchema){ .format = "+s",
                                        .name = "",
                                        .n_children = (int64_t)count,
                                        .children = schema->children,
                                        .release = release_schema,
                                        .private_data = schema };
    return KD_OK;
}
