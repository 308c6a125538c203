/* Reading packs/cn/match_review.yaml. */
#include "review.h"

enum { PACK_BYTES_MAX = 1 << 20 };

typedef struct {
    const char *key;
    double least, most, *out;
} number;

static kd_status read_numbers(const kd_yaml *root, kd_review_pack *pack, kd_error *err)
{
    const number numbers[] = { { "weak_join_bits", 0, 100, &pack->weak_join_bits },
                               { "parted_bits", -20, 100, &pack->parted_bits },
                               { "held_apart_bits", -20, 100, &pack->held_apart_bits },
                               { "held_apart_same", 0, 1, &pack->held_apart_same },
                               { "conflict_records", 0, 1000, &pack->conflict_records },
                               { "prior_mistakes", 0.01, 1000, &pack->prior_mistakes },
                               { "prior_doubt", 0.0000001, 0.5, &pack->prior_doubt } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const number *n = &numbers[i];
        const kd_yaml *node = kd_yaml_get(root, n->key);
        if (!node) return kd_yaml_fail(err, root, "'%s' is missing", n->key);
        KD_TRY(kd_yaml_double(root, n->key, 0, n->out, err));
        if (*n->out < n->least || *n->out > n->most)
            return kd_yaml_fail(err, node, "%s: a number from %g to %g is expected", n->key, n->least, n->most);
    }
    return KD_OK;
}

static kd_status read_bounds(const kd_yaml *strata, const char *key, double *bounds, size_t *out_strata, kd_error *err)
{
    const kd_yaml *list = kd_yaml_get(strata, key);
    size_t count = 0;
    if (!list || list->kind != KD_YAML_LIST || list->count >= KD_STRATA_MAX)
        return kd_yaml_fail(err, list ? list : strata, "%s: a list of at most %d weights is expected", key,
                            KD_STRATA_MAX - 1);
    for (const kd_yaml *node = list->first; node; node = node->next) {
        if (!kd_str_double(node->text, &bounds[count]) || (count && bounds[count] <= bounds[count - 1]))
            return kd_yaml_fail(err, node, "%s: rising weights in bits are expected", key);
        count++;
    }
    *out_strata = count + 1;
    return KD_OK;
}

static kd_status read_pack(const kd_yaml *root, kd_review_pack *pack, kd_error *err)
{
    static const char *const keys[] = { "version",
                                        "most",
                                        "weak_join_bits",
                                        "parted_bits",
                                        "held_apart_bits",
                                        "held_apart_same",
                                        "conflict_records",
                                        "strata",
                                        "prior_mistakes",
                                        "prior_doubt",
                                        NULL };
    static const char *const sides[] = { "together", "apart", NULL };
    int64_t most = 0;
    if (root->kind != KD_YAML_MAP) return kd_yaml_fail(err, root, "a map is expected here");
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(kd_yaml_int(root, "most", 0, &most, err));
    if (most < 1 || most > KD_REVIEWS_MAX)
        return kd_yaml_fail(err, root, "most: a number of pairs up to %d is expected", KD_REVIEWS_MAX);
    pack->most = (size_t)most;
    KD_TRY(read_numbers(root, pack, err));
    const kd_yaml *strata = kd_yaml_get(root, "strata");
    if (!strata || strata->kind != KD_YAML_MAP)
        return kd_yaml_fail(err, root, "strata: the bounds of together and apart are expected");
    KD_TRY(kd_yaml_only(strata, sides, err));
    KD_TRY(read_bounds(strata, "apart", pack->bounds[KD_APART], &pack->strata[KD_APART], err));
    pack->strata[KD_HELD_APART] = 1;
    return read_bounds(strata, "together", pack->bounds[KD_TOGETHER], &pack->strata[KD_TOGETHER], err);
}

static kd_status load(kd_arena *arena, const char *path, kd_review_pack *pack, kd_error *err)
{
    const kd_yaml *root;
    kd_str shipped = kd_str_of(path);
    if (!path) KD_TRY(kd_data_path(arena, "packs/cn/match_review.yaml", &shipped, err));
    KD_TRY(kd_yaml_load(arena, shipped.ptr, &root, err));
    return read_pack(root, pack, err);
}

kd_status kd_review_pack_load(const char *path, kd_review_pack *out_pack, kd_error *err)
{
    kd_review_pack pack = { 0 };
    kd_arena *arena = kd_arena_new(PACK_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory for a pack");
    kd_status status = load(arena, path, &pack, err);
    kd_arena_free(arena);
    if (status == KD_OK) *out_pack = pack;
    return status;
}
