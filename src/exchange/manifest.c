/* manifest.yaml: which files a delivery has, and of which feed each is. */
#include "exchange/exchange.h"
#include "exchange/limits.h"

#include <string.h>

bool kd_manifest_is(kd_str path)
{
    return kd_str_ends(path, KD_STR(".yaml")) || kd_str_ends(path, KD_STR(".yml"));
}

/* A full division code; shorter ones (610829) get their zeros. */
static kd_status read_division(const kd_yaml *map, int64_t otherwise, int64_t *out, kd_error *err)
{
    int64_t code = 0;
    KD_TRY(kd_yaml_int(map, "division", otherwise, &code, err));
    if (code < 0 || code > 999999999999) return kd_yaml_fail(err, kd_yaml_get(map, "division"), "no division code");
    static const int64_t parts[] = { 10000000000, 100000000, 1000000, 1000 };
    static const int64_t ends[] = { 100, 10000, 1000000, 1000000000 };
    for (size_t i = 0; i < 4; i++)
        if (code && code < ends[i]) {
            code *= parts[i];
            break;
        }
    *out = code;
    return KD_OK;
}

static kd_status read_day(const kd_yaml *map, int32_t otherwise, int32_t *out, kd_error *err)
{
    const kd_yaml *node = kd_yaml_get(map, "as_of");
    int32_t day = otherwise;
    if (node && !kd_day_parse(node->text, &day))
        return kd_yaml_fail(err, node, "as_of: a day such as 2026-01-01 is expected");
    *out = day;
    return KD_OK;
}

static kd_status read_file(kd_arena *arena, const char *path, const kd_yaml *node, const kd_manifest_file *common,
                           kd_manifest_file *out, kd_error *err)
{
    kd_manifest_file file = *common;
    file.line = node->line;
    kd_str name = node->kind == KD_YAML_SCALAR ? node->text : kd_yaml_text(node, "file", KD_STR(""));
    if (name.len == 0) return kd_yaml_fail(err, node, "'file' is missing: the path of a file beside the manifest");
    if (memchr(name.ptr, 0, name.len)) return kd_yaml_fail(err, node, "no usable path");
    file.path = kd_path_beside(arena, path, name);
    if (!file.path.ptr) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the manifest is too large");
    if (node->kind == KD_YAML_MAP) {
        file.feed = kd_yaml_text(node, "feed", KD_STR(""));
        KD_TRY(read_division(node, common->division, &file.division, err));
        KD_TRY(read_day(node, common->as_of_day, &file.as_of_day, err));
    }
    *out = file;
    return KD_OK;
}

kd_status kd_manifest_load(kd_arena *arena, const char *path, kd_manifest *out_manifest, kd_error *err)
{
    const kd_yaml *root = NULL;
    KD_TRY(kd_yaml_load(arena, path, &root, err));
    const kd_yaml *list = kd_yaml_get(root, "feeds");
    if (!list) {
        kd_yaml_fail(err, root, "'feeds' is missing: this is no manifest");
        kd_hint(err, "a manifest has feeds: [{file: A.csv, feed: NAME}]");
        return KD_INVALID;
    }
    if (list->kind != KD_YAML_LIST || list->count == 0)
        return kd_yaml_fail(err, list, "feeds: a list of files is expected");
    if (list->count > MANIFEST_FILES_MAX) return kd_yaml_fail(err, list, "feeds: more than %d", MANIFEST_FILES_MAX);
    kd_manifest_file common = { .as_of_day = KD_DAY_NONE };
    KD_TRY(read_division(root, 0, &common.division, err));
    KD_TRY(read_day(root, KD_DAY_NONE, &common.as_of_day, err));
    kd_manifest_file *files = kd_arena_array(arena, list->count, sizeof *files);
    if (!files) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the manifest is too large");
    size_t count = 0;
    for (const kd_yaml *node = list->first; node; node = node->next)
        KD_TRY(read_file(arena, path, node, &common, &files[count++], err));
    *out_manifest = (kd_manifest){ files, count };
    return KD_OK;
}
