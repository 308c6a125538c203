/* Reading packs/cn/overview.yaml. */
#include "overview.h"

enum { PACK_BYTES_MAX = 1 << 20, AGE_MAX = 150, FEED_BYTES_MAX = 64 };

static kd_status read_age(const kd_yaml *node, const char *key, int otherwise, int *out, kd_error *err)
{
    int64_t age = otherwise;
    KD_TRY(kd_yaml_int(node, key, otherwise, &age, err));
    if (age < 0 || age > AGE_MAX)
        return kd_yaml_fail(err, kd_yaml_get(node, key), "%s: an age of 0 to %d is expected", key, AGE_MAX);
    *out = (int)age;
    return KD_OK;
}

static kd_status read_source(kd_overview_pack *pack, const kd_yaml *node, kd_error *err)
{
    static const char *const keys[] = { "age_from", "age_to", "sex", NULL };
    int64_t sex = 0;
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "a map is expected, {} for everybody");
    if (pack->source_count == KD_COVERED_MAX)
        return kd_yaml_fail(err, node, "at most %d sources are counted", KD_COVERED_MAX);
    if (node->key.len > FEED_BYTES_MAX) return kd_yaml_fail(err, node, "the name of a feed is shorter");
    KD_TRY(kd_yaml_only(node, keys, err));
    kd_covered *covered = &pack->sources[pack->source_count++];
    *covered = (kd_covered){ .feed = node->key };
    KD_TRY(read_age(node, "age_from", 0, &covered->age_from, err));
    KD_TRY(read_age(node, "age_to", AGE_MAX, &covered->age_to, err));
    KD_TRY(kd_yaml_int(node, "sex", 0, &sex, err));
    if (sex < 0 || sex > 2) return kd_yaml_fail(err, kd_yaml_get(node, "sex"), "sex: 1 male or 2 female is expected");
    covered->sex = (int)sex;
    if (covered->age_from > covered->age_to) return kd_yaml_fail(err, node, "age_from lies above age_to");
    return KD_OK;
}

static kd_status read_pack(kd_overview_pack *pack, const kd_yaml *root, kd_error *err)
{
    static const char *const keys[] = { "version", "birth_months", "completeness", "sources", NULL };
    int64_t months = 0;
    if (root->kind != KD_YAML_MAP) return kd_yaml_fail(err, root, "a map is expected here");
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(kd_yaml_int(root, "birth_months", KD_BIRTH_MONTHS_SHOWN, &months, err));
    if (months < KD_BIRTH_MONTHS_SHOWN || months > KD_BIRTH_MONTHS_MAX)
        return kd_yaml_fail(err, kd_yaml_get(root, "birth_months"), "birth_months: %d to %d are expected",
                            KD_BIRTH_MONTHS_SHOWN, KD_BIRTH_MONTHS_MAX);
    pack->birth_months = (int)months;
    const kd_yaml *sources = kd_yaml_get(root, "sources");
    if (!sources || sources->kind != KD_YAML_MAP) return kd_yaml_fail(err, root, "sources: a map by feed is expected");
    for (const kd_yaml *node = sources->first; node; node = node->next) KD_TRY(read_source(pack, node, err));
    pack->completeness = kd_yaml_text(root, "completeness", KD_STR(""));
    for (size_t i = 0; i < pack->source_count; i++)
        if (kd_str_eq(pack->sources[i].feed, pack->completeness)) return KD_OK;
    return kd_yaml_fail(err, root, "completeness: one of the sources is expected");
}

static kd_status load(kd_overview_pack *pack, const char *path, kd_error *err)
{
    const kd_yaml *root;
    kd_str shipped = kd_str_of(path);
    if (!path) KD_TRY(kd_data_path(pack->arena, "packs/cn/overview.yaml", &shipped, err));
    KD_TRY(kd_yaml_load(pack->arena, shipped.ptr, &root, err));
    return read_pack(pack, root, err);
}

kd_status kd_overview_pack_load(const char *path, kd_overview_pack *out_pack, kd_error *err)
{
    kd_overview_pack pack = { .arena = kd_arena_new(PACK_BYTES_MAX) };
    if (!pack.arena) return kd_fail(err, KD_LIMIT, "", "no memory for a pack");
    kd_status status = load(&pack, path, err);
    if (status == KD_OK) {
        *out_pack = pack;
    } else {
        kd_overview_pack_done(&pack);
    }
    return status;
}

void kd_overview_pack_done(kd_overview_pack *pack)
{
    kd_arena_free(pack->arena);
    pack->arena = NULL;
}
