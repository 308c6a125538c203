/* The words of GET /api/codes, gathered from the packs at the first question and kept. */
#include "codes.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CODES_ARENA_BYTES = 16 << 20, CODES_BYTES_MAX = 1 << 20, FEEDS_MAX = 64 };

struct kd_codes {
    pthread_mutex_t mutex; /* guards bytes until it is filled; then it is only read */
    kd_buf bytes;
};

kd_codes *kd_codes_new(void)
{
    kd_codes *codes = calloc(1, sizeof *codes);
    if (!codes) return NULL;
    pthread_mutex_init(&codes->mutex, NULL);
    kd_buf_init(&codes->bytes, CODES_BYTES_MAX);
    return codes;
}

void kd_codes_free(kd_codes *codes)
{
    if (!codes) return;
    pthread_mutex_destroy(&codes->mutex);
    kd_buf_done(&codes->bytes);
    free(codes);
}

typedef struct {
    kd_arena *arena;
    kd_json json;
    const kd_access_pack *pack;
} writing;

static kd_status load(writing *w, const char *name, const kd_yaml **out_root, kd_error *err)
{
    kd_str path;
    KD_TRY(kd_data_path(w->arena, name, &path, err));
    return kd_yaml_load(w->arena, path.ptr, out_root, err);
}

static void write_word(writing *w, kd_str code, const kd_yaml *words)
{
    kd_str zh = kd_yaml_text(words, "zh", code);
    kd_out_word(&w->json, NULL, code, zh, kd_yaml_text(words, "en", zh));
}

static void begin(writing *w, const char *name)
{
    kd_json_key(&w->json, name);
    kd_json_array(&w->json);
}

static kd_status write_code_lists(writing *w, kd_error *err)
{
    static const char *const names[] = {
        "sex", "ethnicity", "marital_status", "education", "household_relation", NULL
    };
    const kd_yaml *root;
    KD_TRY(load(w, "packs/cn/codes.yaml", &root, err));
    KD_TRY(kd_yaml_only(root, names, err));
    for (size_t i = 0; names[i]; i++) {
        const kd_yaml *list = kd_yaml_get(root, names[i]);
        begin(w, names[i]);
        for (const kd_yaml *word = list ? list->first : NULL; word; word = word->next) write_word(w, word->key, word);
        kd_json_array_end(&w->json);
    }
    return KD_OK;
}

static void write_access(writing *w)
{
    begin(w, "purposes");
    for (size_t i = 0; i < kd_access_pack_purposes(w->pack); i++) {
        const kd_purpose_info *purpose = kd_access_pack_purpose_at(w->pack, i);
        kd_out_word(&w->json, NULL, purpose->name, purpose->title_zh, purpose->title_en);
    }
    kd_json_array_end(&w->json);
    begin(w, "roles");
    for (size_t i = 0; i < kd_access_pack_roles(w->pack); i++) {
        const kd_role_info *role = kd_access_pack_role_at(w->pack, i);
        kd_out_word(&w->json, NULL, role->name, role->title_zh, role->title_en);
    }
    kd_json_array_end(&w->json);
}

/* A list of maps with a name and a title. */
static void write_titled(writing *w, const char *name, const kd_yaml *list, const char *key)
{
    begin(w, name);
    for (const kd_yaml *item = list ? list->first : NULL; item; item = item->next)
        write_word(w, kd_yaml_text(item, key, (kd_str){ NULL, 0 }), kd_yaml_get(item, "title"));
    kd_json_array_end(&w->json);
}

static kd_status write_attributes(writing *w, kd_error *err)
{
    const kd_yaml *root;
    KD_TRY(load(w, "packs/cn/survivorship.yaml", &root, err));
    const kd_yaml *attributes = kd_yaml_get(root, "attributes");
    begin(w, "attributes");
    for (const kd_yaml *item = attributes ? attributes->first : NULL; item; item = item->next) {
        const char *zh = kd_field_title(item->key, false), *en = kd_field_title(item->key, true);
        if (zh && en) kd_out_word(&w->json, NULL, item->key, kd_str_of(zh), kd_str_of(en));
    }
    kd_json_array_end(&w->json);
    return KD_OK;
}

static int compare_names(const void *a, const void *b)
{
    return kd_str_cmp(*(const kd_str *)a, *(const kd_str *)b);
}

static kd_status list_feeds(writing *w, kd_str names[FEEDS_MAX], size_t *out_count, kd_error *err)
{
    kd_str dir;
    KD_TRY(kd_data_path(w->arena, "packs/cn/feeds", &dir, err));
    DIR *folder = opendir(dir.ptr);
    if (!folder) return kd_fail_errno(err, dir.ptr, "open the folder");
    size_t count = 0;
    for (struct dirent *entry; count < FEEDS_MAX && (entry = readdir(folder));)
        if (kd_str_ends(kd_str_of(entry->d_name), KD_STR(".yaml")))
            names[count++] = kd_arena_str(w->arena, kd_str_of(entry->d_name));
    closedir(folder);
    qsort(names, count, sizeof *names, compare_names);
    *out_count = count;
    return KD_OK;
}

static kd_status write_feeds(writing *w, const kd_yaml *births, kd_error *err)
{
    kd_str names[FEEDS_MAX];
    size_t count = 0;
    KD_TRY(list_feeds(w, names, &count, err));
    begin(w, "feeds");
    for (size_t i = 0; i < count; i++) {
        const kd_yaml *root;
        kd_str name = kd_arena_fmt(w->arena, "packs/cn/feeds/%.*s", KD_FMT(names[i]));
        KD_TRY(load(w, name.ptr, &root, err));
        write_word(w, kd_yaml_text(root, "feed", names[i]), kd_yaml_get(root, "title"));
    }
    const kd_yaml *counter = kd_yaml_get(births, "feed");
    if (counter) write_word(w, kd_yaml_text(counter, "name", (kd_str){ NULL, 0 }), kd_yaml_get(counter, "title"));
    kd_json_array_end(&w->json);
    return KD_OK;
}

static kd_status write_all(writing *w, kd_error *err)
{
    const kd_yaml *checks, *births;
    KD_TRY(load(w, "packs/cn/checks.yaml", &checks, err));
    KD_TRY(load(w, "packs/cn/births.yaml", &births, err));
    kd_json_object(&w->json);
    KD_TRY(write_code_lists(w, err));
    write_access(w);
    write_titled(w, "task_kinds", kd_yaml_get(checks, "checks"), "kind");
    KD_TRY(write_attributes(w, err));
    write_titled(w, "offices", kd_yaml_get(births, "offices"), "name");
    KD_TRY(write_feeds(w, births, err));
    kd_json_object_end(&w->json);
    return KD_OK;
}

static kd_status fill(kd_codes *codes, const kd_access_pack *pack, kd_error *err)
{
    writing w = { .arena = kd_arena_new(CODES_ARENA_BYTES), .pack = pack };
    if (!w.arena) return kd_fail(err, KD_LIMIT, "", "no memory for the words of codes");
    kd_buf_clear(&codes->bytes);
    kd_json_init(&w.json, &codes->bytes);
    kd_status status = write_all(&w, err);
    if (status == KD_OK) status = codes->bytes.status;
    kd_arena_free(w.arena);
    if (status != KD_OK) kd_buf_clear(&codes->bytes);
    return status;
}

kd_status kd_codes_json(kd_codes *codes, const kd_access_pack *pack, kd_str *out_json, kd_error *err)
{
    kd_status status = KD_OK;
    pthread_mutex_lock(&codes->mutex);
    if (codes->bytes.len == 0) status = fill(codes, pack, err);
    pthread_mutex_unlock(&codes->mutex);
    if (status == KD_OK) *out_json = kd_buf_view(&codes->bytes);
    return status;
}
