/* A model written back as YAML, with what was estimated. */
#include "model.h"

#include <math.h>

enum { WRITTEN_BYTES_MAX = 8 << 20 };

static void write_scalar(kd_buf *out, kd_str text, bool is_plain)
{
    kd_json json;
    kd_json_init(&json, out);
    if (is_plain) {
        kd_buf_str(out, text);
    } else {
        kd_json_str(&json, text);
    }
}

/* Flow style throughout: the tree as it was, in YAML that reads back the same. */
static void write_node(kd_buf *out, const kd_yaml *node, int depth)
{
    if (node->kind == KD_YAML_SCALAR) {
        write_scalar(out, node->text, node->is_plain);
        return;
    }
    bool is_map = node->kind == KD_YAML_MAP;
    kd_buf_char(out, is_map ? '{' : '[');
    for (const kd_yaml *child = node->first; child; child = child->next) {
        if (is_map) {
            write_scalar(out, child->key, false);
            kd_buf_cstr(out, ": ");
        }
        if (depth < 32) write_node(out, child, depth + 1);
        if (child->next) kd_buf_cstr(out, ", ");
    }
    kd_buf_char(out, is_map ? '}' : ']');
}

static void write_level(kd_buf *out, const kd_yaml *node, const kd_level *level)
{
    kd_buf_cstr(out, "      - {");
    for (const kd_yaml *child = node->first; child; child = child->next) {
        if (kd_str_is(child->key, "m") || kd_str_is(child->key, "u")) continue;
        kd_buf_fmt(out, "%.*s: ", KD_FMT(child->key));
        write_node(out, child, 0);
        kd_buf_cstr(out, ", ");
    }
    kd_buf_fmt(out, "m: %.9g, u: %.9g}\n", level->m, level->u);
}

static void write_comparisons(const kd_model *model, const kd_yaml *list, kd_buf *out)
{
    size_t i = 0;
    for (const kd_yaml *child = list->first; child; child = child->next, i++) {
        const char *lead = "  - ";
        for (const kd_yaml *part = child->first; part; part = part->next) {
            kd_buf_fmt(out, "%s%.*s:", lead, KD_FMT(part->key));
            lead = "    ";
            if (!kd_str_is(part->key, "levels")) {
                kd_buf_char(out, ' ');
                write_node(out, part, 0);
                kd_buf_char(out, '\n');
                continue;
            }
            kd_buf_char(out, '\n');
            size_t level = 1;
            for (const kd_yaml *node = part->first; node; node = node->next)
                write_level(out, node, &model->comparisons[i].levels[level++]);
        }
    }
}

kd_status kd_model_write(const kd_model *model, kd_arena *arena, kd_str *out_yaml, kd_error *err)
{
    kd_buf out;
    kd_buf_init(&out, WRITTEN_BYTES_MAX);
    for (const kd_yaml *part = model->root->first; part; part = part->next) {
        if (kd_str_is(part->key, "prior") || kd_str_is(part->key, "trained")) continue;
        kd_buf_fmt(&out, "%.*s:", KD_FMT(part->key));
        if (kd_str_is(part->key, "comparisons")) {
            kd_buf_char(&out, '\n');
            write_comparisons(model, part, &out);
            continue;
        }
        kd_buf_char(&out, ' ');
        write_node(&out, part, 0);
        kd_buf_char(&out, '\n');
    }
    if (!isnan(model->prior)) kd_buf_fmt(&out, "prior: {probability: %.9g}\n", model->prior);
    kd_buf_fmt(&out, "trained: %s\n", model->is_trained ? "true" : "false");
    kd_str text = out.status == KD_OK ? kd_arena_str(arena, kd_buf_view(&out)) : (kd_str){ NULL, 0 };
    kd_buf_done(&out);
    if (!text.ptr) return kd_fail(err, KD_LIMIT, "", "no memory to write the model");
    *out_yaml = text;
    return KD_OK;
}
