/* The packs at hand: the shipped folder and those people add. */
#include "exchange/pack.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    kd_feed_pack *pack;
    int folder; /* it came from, by number */
} slot;

struct kd_feed_packs {
    slot slots[FEED_PACKS_MAX]; /* by feed */
    size_t count;
};

static const char shipped_folder[] = "packs/cn/feeds";

static int by_feed(const void *a, const void *b)
{
    return kd_str_cmp(((const slot *)a)->pack->info.feed, ((const slot *)b)->pack->info.feed);
}

static int by_path(const void *a, const void *b)
{
    return kd_str_cmp(*(const kd_str *)a, *(const kd_str *)b);
}

/* A pack of the same feed from an earlier folder gives way; two in one folder are a mistake. */
static kd_status add_pack(kd_feed_packs *packs, kd_feed_pack *take_pack, int folder, kd_error *err)
{
    for (size_t i = 0; i < packs->count; i++) {
        if (!kd_str_eq(packs->slots[i].pack->info.feed, take_pack->info.feed)) continue;
        if (packs->slots[i].folder == folder) {
            kd_fail_at(err, KD_INVALID, take_pack->info.file.ptr, 1, 1, "feed '%.*s' is described twice in this folder",
                       KD_FMT(take_pack->info.feed));
            kd_hint(err, "the other description is %.*s", KD_FMT(packs->slots[i].pack->info.file));
            kd_feed_pack_free(take_pack);
            return KD_INVALID;
        }
        kd_feed_pack_free(packs->slots[i].pack);
        packs->slots[i].pack = take_pack;
        packs->slots[i].folder = folder;
        return KD_OK;
    }
    if (packs->count == FEED_PACKS_MAX) {
        kd_feed_pack_free(take_pack);
        return kd_fail(err, KD_LIMIT, "", "more than %d feeds are described", FEED_PACKS_MAX);
    }
    packs->slots[packs->count].folder = folder;
    packs->slots[packs->count++].pack = take_pack;
    return KD_OK;
}

/* Names of the *.yaml of a folder as paths, in order, so that messages do not depend on the file system. */
static kd_status list_folder(kd_arena *arena, const char *folder, kd_str *paths, size_t *out_count, kd_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir) return kd_fail_errno(err, folder, "open the folder of feed packs");
    size_t count = 0;
    kd_status status = KD_OK;
    for (const struct dirent *entry; status == KD_OK && (entry = readdir(dir));) {
        kd_str name = kd_str_of(entry->d_name);
        if (name.ptr[0] == '.' || !kd_str_ends(name, KD_STR(".yaml"))) continue;
        kd_str path = kd_path_join(arena, kd_str_of(folder), name);
        if (!path.ptr || count == FEED_PACKS_MAX) {
            status = kd_fail_at(err, KD_LIMIT, folder, 0, 0, "too many packs in this folder");
        } else {
            paths[count++] = path;
        }
    }
    closedir(dir);
    if (count) qsort(paths, count, sizeof *paths, by_path);
    *out_count = count;
    return status;
}

static kd_status add_folder(kd_feed_packs *packs, const char *folder, int number, kd_error *err)
{
    kd_arena *arena = kd_arena_new(FEED_PACK_ARENA_BYTES);
    kd_str *paths = arena ? kd_arena_array(arena, FEED_PACKS_MAX, sizeof *paths) : NULL;
    size_t count = 0;
    kd_status status =
        paths ? list_folder(arena, folder, paths, &count, err) : kd_fail(err, KD_LIMIT, "", "out of memory");
    for (size_t i = 0; status == KD_OK && i < count; i++) {
        kd_feed_pack *pack = NULL;
        status = kd_feed_pack_load(paths[i].ptr, &pack, err);
        if (status == KD_OK) status = add_pack(packs, pack, number, err);
    }
    kd_arena_free(arena);
    return status;
}

kd_status kd_feed_packs_open(const char *const *folders, bool with_shipped, kd_feed_packs **out_packs, kd_error *err)
{
    kd_feed_packs *packs = calloc(1, sizeof *packs);
    kd_arena *arena = kd_arena_new(1 << 16);
    if (!packs || !arena) {
        free(packs);
        kd_arena_free(arena);
        return kd_fail(err, KD_LIMIT, "", "out of memory");
    }
    kd_status status = KD_OK;
    kd_str shipped = { NULL, 0 };
    if (status == KD_OK && with_shipped) {
        status = kd_data_path(arena, shipped_folder, &shipped, err);
        if (status == KD_OK) status = add_folder(packs, shipped.ptr, 0, err);
    }
    for (int i = 0; status == KD_OK && folders && folders[i]; i++) status = add_folder(packs, folders[i], i + 1, err);
    kd_arena_free(arena);
    if (status != KD_OK) {
        kd_feed_packs_close(packs);
        return status;
    }
    if (packs->count) qsort(packs->slots, packs->count, sizeof packs->slots[0], by_feed);
    *out_packs = packs;
    return KD_OK;
}

enum { OWN_FOLDERS_MAX = 32 };

/* `packs: DIR` or `packs: [DIR, …]` of the register's kindred.yaml, beside it. */
static kd_status own_folders(kd_arena *arena, const char *register_dir, const char **folders, size_t *count,
                             kd_error *err)
{
    kd_str path = kd_path_join(arena, kd_str_of(register_dir), KD_STR("kindred.yaml"));
    if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "out of memory");
    if (!kd_file_exists(path.ptr)) return KD_OK;
    const kd_yaml *root = NULL;
    KD_TRY(kd_yaml_load(arena, path.ptr, &root, err));
    const kd_yaml *packs = kd_yaml_get(root, "packs");
    if (!packs) return KD_OK;
    for (const kd_yaml *node = packs->kind == KD_YAML_LIST ? packs->first : packs; node; node = node->next) {
        if (node->kind != KD_YAML_SCALAR || node->text.len == 0)
            return kd_yaml_fail(err, node, "packs: a folder is expected");
        if (*count == OWN_FOLDERS_MAX) return kd_yaml_fail(err, node, "packs: too many folders");
        folders[*count] = kd_path_beside(arena, path.ptr, node->text).ptr;
        if (!folders[*count]) return kd_fail(err, KD_LIMIT, "", "out of memory");
        (*count)++;
        if (packs->kind != KD_YAML_LIST) break;
    }
    return KD_OK;
}

kd_status kd_feed_packs_of_register(const char *register_dir, const char *extra_folder, kd_feed_packs **out_packs,
                                    kd_error *err)
{
    const char *folders[OWN_FOLDERS_MAX + 2] = { NULL };
    size_t count = 0;
    kd_arena *arena = kd_arena_new(FEED_PACK_ARENA_BYTES);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "out of memory");
    kd_status status = own_folders(arena, register_dir, folders, &count, err);
    if (status == KD_OK && extra_folder) folders[count] = extra_folder;
    if (status == KD_OK) status = kd_feed_packs_open(folders, true, out_packs, err);
    kd_arena_free(arena);
    return status;
}

void kd_feed_packs_close(kd_feed_packs *packs)
{
    for (size_t i = 0; packs && i < packs->count; i++) kd_feed_pack_free(packs->slots[i].pack);
    free(packs);
}

size_t kd_feed_packs_count(const kd_feed_packs *packs)
{
    return packs->count;
}

const kd_feed_pack *kd_feed_packs_at(const kd_feed_packs *packs, size_t index)
{
    return packs->slots[index].pack;
}

const kd_feed_pack *kd_feed_packs_find(const kd_feed_packs *packs, kd_str feed)
{
    for (size_t i = 0; i < packs->count; i++)
        if (kd_str_eq(packs->slots[i].pack->info.feed, feed)) return packs->slots[i].pack;
    return NULL;
}
