#include "base.h"

#ifdef __clang_analyzer__
#undef kd_yaml_fail
#endif

#include <assert.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 32, FILE_BYTES_MAX = 64 << 20 };

typedef struct {
    yaml_parser_t parser;
    kd_arena *arena;
    kd_error *err;
    const char *file;
} reader;

typedef struct {
    kd_yaml *node;
    kd_yaml *last;
    kd_str key; /* of the value to come, within a map */
    bool has_key;
} level;

kd_status kd_yaml_fail(kd_error *err, const kd_yaml *node, const char *fmt, ...)
{
    char text[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, kd_message(fmt), args);
    va_end(args);
    return kd_fail_at(err, KD_INVALID, node->file, node->line, node->column, "%s", text);
}

static kd_status fail_mark(reader *r, yaml_mark_t mark, const char *message)
{
    return kd_fail_at(r->err, KD_INVALID, r->file, mark.line + 1, mark.column + 1, "%s", message);
}

static kd_status fail_parser(reader *r)
{
    const char *problem = r->parser.problem ? r->parser.problem : "not YAML";
    if (r->parser.error == YAML_MEMORY_ERROR) return kd_fail_at(r->err, KD_LIMIT, r->file, 0, 0, "out of memory");
    return fail_mark(r, r->parser.problem_mark, problem);
}

static kd_status attach(reader *r, level *parent, kd_yaml *node, yaml_mark_t mark)
{
    if (parent->node->kind == KD_YAML_MAP) {
        if (kd_yaml_get(parent->node, parent->key.ptr)) return fail_mark(r, mark, "this key stands twice in the map");
        node->key = parent->key;
        parent->has_key = false;
    }
    if (parent->last) {
        parent->last->next = node;
    } else {
        parent->node->first = node;
    }
    parent->last = node;
    parent->node->count++;
    return KD_OK;
}

static kd_status new_node(reader *r, const yaml_event_t *event, kd_yaml **out)
{
    kd_yaml *node = kd_arena_alloc(r->arena, sizeof *node);
    if (!node) return kd_fail_at(r->err, KD_LIMIT, r->file, 0, 0, "the document is too large");
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    node->file = r->file;
    bool is_scalar = event->type == YAML_SCALAR_EVENT;
    const void *anchor = is_scalar                                 ? event->data.scalar.anchor
                         : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor
                                                                   : event->data.sequence_start.anchor;
    const void *tag = is_scalar                                 ? event->data.scalar.tag
                      : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.tag
                                                                : event->data.sequence_start.tag;
    if (anchor || tag)
        return fail_mark(r, event->start_mark, "anchors and tags are not read here: write the value out");
    node->kind = is_scalar ? KD_YAML_SCALAR : event->type == YAML_MAPPING_START_EVENT ? KD_YAML_MAP : KD_YAML_LIST;
    if (is_scalar) {
        node->text =
            kd_arena_str(r->arena, (kd_str){ (const char *)event->data.scalar.value, event->data.scalar.length });
        if (!node->text.ptr) return kd_fail_at(r->err, KD_LIMIT, r->file, 0, 0, "the document is too large");
        node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
    *out = node;
    return KD_OK;
}

static kd_status take_event(reader *r, const yaml_event_t *event, level *levels, int *depth, kd_yaml **root)
{
    if (event->type == YAML_ALIAS_EVENT)
        return fail_mark(r, event->start_mark, "aliases are not read here: write the value out");
    if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT) {
        (*depth)--;
        return KD_OK;
    }
    if (event->type != YAML_SCALAR_EVENT && event->type != YAML_MAPPING_START_EVENT &&
        event->type != YAML_SEQUENCE_START_EVENT)
        return KD_OK;
    level *parent = *depth ? &levels[*depth - 1] : NULL;
    kd_yaml *node = NULL;
    assert(!parent || parent->node);
    KD_TRY(new_node(r, event, &node));
    if (parent && parent->node->kind == KD_YAML_MAP && !parent->has_key) {
        if (node->kind != KD_YAML_SCALAR) return fail_mark(r, event->start_mark, "a key must be a plain word");
        if (memchr(node->text.ptr, 0, node->text.len)) return fail_mark(r, event->start_mark, "a key holds a NUL");
        parent->key = node->text;
        parent->has_key = true;
        return KD_OK;
    }
    if (parent) {
        KD_TRY(attach(r, parent, node, event->start_mark));
    } else if (*root) {
        return fail_mark(r, event->start_mark, "a second document stands in the file");
    } else {
        *root = node;
    }
    if (node->kind == KD_YAML_SCALAR) return KD_OK;
    if (*depth == DEPTH_MAX) return fail_mark(r, event->start_mark, "nested deeper than 32 levels");
    levels[(*depth)++] = (level){ .node = node };
    return KD_OK;
}

static kd_status read_events(reader *r, const kd_yaml **out_root)
{
    level levels[DEPTH_MAX] = { { 0 } };
    int depth = 0;
    kd_yaml *root = NULL;
    for (bool is_end = false; !is_end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) return fail_parser(r);
        is_end = event.type == YAML_STREAM_END_EVENT;
        kd_status status = take_event(r, &event, levels, &depth, &root);
        yaml_event_delete(&event);
        if (status != KD_OK) return status;
    }
    if (!root) return kd_fail_at(r->err, KD_INVALID, r->file, 1, 1, "the file is empty");
    *out_root = root;
    return KD_OK;
}

kd_status kd_yaml_parse(kd_arena *arena, kd_str text, const char *file, const kd_yaml **out_root, kd_error *err)
{
    reader r = { .arena = arena, .err = err, .file = kd_arena_str(arena, kd_str_of(file)).ptr };
    if (!r.file) return kd_fail_at(err, KD_LIMIT, file, 0, 0, "no memory to read the file");
    if (!yaml_parser_initialize(&r.parser)) return kd_fail_at(err, KD_LIMIT, file, 0, 0, "no memory to read the file");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    kd_status status = read_events(&r, out_root);
    yaml_parser_delete(&r.parser);
    return status;
}

kd_status kd_yaml_load(kd_arena *arena, const char *path, const kd_yaml **out_root, kd_error *err)
{
    kd_str text;
    KD_TRY(kd_file_read(arena, path, FILE_BYTES_MAX, &text, err));
    return kd_yaml_parse(arena, text, path, out_root, err);
}

const kd_yaml *kd_yaml_get(const kd_yaml *map, const char *key)
{
    if (!map || map->kind != KD_YAML_MAP) return NULL;
    for (const kd_yaml *child = map->first; child; child = child->next)
        if (kd_str_is(child->key, key)) return child;
    return NULL;
}

static bool is_null(const kd_yaml *node)
{
    return node->kind == KD_YAML_SCALAR && node->is_plain &&
           (node->text.len == 0 || kd_str_is(node->text, "~") || kd_str_is(node->text, "null"));
}

kd_str kd_yaml_text(const kd_yaml *map, const char *key, kd_str otherwise)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    return !node || node->kind != KD_YAML_SCALAR || is_null(node) ? otherwise : node->text;
}

kd_status kd_yaml_int(const kd_yaml *map, const char *key, int64_t otherwise, int64_t *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    int64_t value = otherwise;
    if (node && !is_null(node) && !(node->kind == KD_YAML_SCALAR && kd_str_int(node->text, &value)))
        return kd_yaml_fail(err, node, "%s: a whole number is expected here", key);
    *out = value;
    return KD_OK;
}

kd_status kd_yaml_double(const kd_yaml *map, const char *key, double otherwise, double *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    double value = otherwise;
    if (node && !is_null(node) && !(node->kind == KD_YAML_SCALAR && kd_str_double(node->text, &value)))
        return kd_yaml_fail(err, node, "%s: a number is expected here", key);
    *out = value;
    return KD_OK;
}

kd_status kd_yaml_bool(const kd_yaml *map, const char *key, bool otherwise, bool *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, key);
    if (!node || is_null(node)) {
        *out = otherwise;
        return KD_OK;
    }
    bool is_true = kd_str_is(node->text, "true") || kd_str_is(node->text, "yes");
    bool is_false = kd_str_is(node->text, "false") || kd_str_is(node->text, "no");
    if (!is_true && !is_false) return kd_yaml_fail(err, node, "%s: true or false is expected here", key);
    *out = is_true;
    return KD_OK;
}

/* Letters that two keys share in order from the start, a cheap guess at what was meant. */
static size_t likeness(kd_str a, const char *b)
{
    size_t same = 0;
    while (same < a.len && b[same] && a.ptr[same] == b[same]) same++;
    return same;
}

kd_status kd_yaml_only(const kd_yaml *map, const char *const *keys, kd_error *err)
{
    if (map->kind != KD_YAML_MAP) return kd_yaml_fail(err, map, "a map of names to values is expected here");
    for (const kd_yaml *child = map->first; child; child = child->next) {
        const char *nearest = NULL;
        size_t best = 0;
        bool is_known = false;
        for (size_t i = 0; keys[i] && !is_known; i++) {
            is_known = kd_str_is(child->key, keys[i]);
            size_t same = likeness(child->key, keys[i]);
            if (same > best) {
                best = same;
                nearest = keys[i];
            }
        }
        if (is_known) continue;
        kd_status status = kd_yaml_fail(err, child, "'%.*s' is not known here", KD_FMT(child->key));
        if (nearest) kd_hint(err, "did you mean '%s'?", nearest);
        return status;
    }
    return KD_OK;
}
