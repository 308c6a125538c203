#include "handle.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_BYTES_MAX = 1 << 20 };
static const char CONFIG_NAME[] = "kindred.yaml";
static const char DATABASE_NAME[] = "register.db";
static const char DIVISIONS_PACK[] = "packs/cn/shaanxi/yulin";

/* ---- making ---- */

/* Names that an interrupted init may have left; anything else in the folder is not ours to touch. */
static bool is_leftover(const char *name)
{
    static const char *const ours[] = {
        ".", "..", "register.db", "register.db-wal", "register.db-shm", "register.db-journal", "archive"
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(name, ours[i]) == 0) return true;
    return strncmp(name, CONFIG_NAME, strlen(CONFIG_NAME)) == 0 && strlen(name) > strlen(CONFIG_NAME);
}

static kd_status check_folder(const char *dir, kd_error *err)
{
    KD_TRY(kd_dir_make(dir, err));
    DIR *folder = opendir(dir);
    if (!folder) return kd_fail_errno(err, dir, "open the folder");
    kd_status status = KD_OK;
    for (struct dirent *entry; status == KD_OK && (entry = readdir(folder));) {
        if (is_leftover(entry->d_name)) continue;
        bool is_register = strcmp(entry->d_name, CONFIG_NAME) == 0;
        status = kd_fail_at(err, KD_CONFLICT, dir, 0, 0,
                            is_register ? "a register stands here already" : "the folder is not empty");
        kd_hint(err, is_register ? "use it, or name another folder" : "name an empty or a new folder");
    }
    closedir(folder);
    return status;
}

static kd_status remove_leftover_database(kd_arena *arena, const char *dir, kd_error *err)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        kd_str path = kd_arena_fmt(arena, "%s/%s%s", dir, DATABASE_NAME, endings[i]);
        if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
        if (kd_file_exists(path.ptr) && unlink(path.ptr) != 0) return kd_fail_errno(err, path.ptr, "remove");
    }
    return KD_OK;
}

static kd_status load_divisions(kd_store *store, const kd_divisions *divisions, kd_error *err)
{
    static const char *const columns[] = { "code", "level", "name", "parent" };
    kd_bulk *bulk;
    KD_TRY(kd_bulk_begin(store, "division", columns, 4, &bulk, err));
    for (size_t i = 0; i < kd_divisions_count(divisions); i++) {
        const kd_division *division = kd_divisions_at(divisions, i);
        kd_value values[] = { kd_int(division->code), kd_int(division->level), kd_text_value(division->name),
                              division->parent ? kd_int(division->parent) : KD_NULL };
        kd_status status = kd_bulk_row(bulk, values, err);
        if (status == KD_OK) continue;
        kd_bulk_cancel(bulk);
        return status;
    }
    return kd_bulk_finish(bulk, err);
}

static kd_status put_setting(kd_store *store, const char *name, kd_str value, kd_error *err)
{
    return kd_store_exec(store, err, NULL, "insert into setting (name, value) values ($1, $2)",
                         KD_VALUES(kd_text_value(kd_str_of(name)), kd_text_value(value)));
}

static kd_status fill_database(kd_store *store, const kd_divisions *divisions, kd_error *err)
{
    int64_t taken = 0;
    KD_TRY(kd_store_migrate(store, err));
    KD_TRY(kd_store_int(store, err, &taken, "select count(*) from setting where name = 'made_at'", KD_NO_VALUES));
    if (taken) {
        kd_fail(err, KD_CONFLICT, "", "the database already holds a register");
        kd_hint(err, "name an empty database, or a schema of its own");
        return KD_CONFLICT;
    }
    char now[32];
    KD_TRY(kd_store_begin(store, err));
    kd_status status = load_divisions(store, divisions, err);
    if (status == KD_OK) status = put_setting(store, "made_at", kd_str_of(kd_instant_format(kd_now_us(), now)), err);
    return kd_store_end(store, status, err);
}

kd_status kd_divisions_pack_open(kd_arena *arena, kd_str pack, kd_divisions **out, kd_error *err)
{
    kd_str folder = pack, tree, history;
    if (!kd_file_exists(pack.ptr)) KD_TRY(kd_data_path(arena, pack.ptr, &folder, err));
    tree = kd_path_join(arena, folder, KD_STR("divisions.csv"));
    history = kd_path_join(arena, folder, KD_STR("division_history.csv"));
    if (!tree.ptr || !history.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    return kd_divisions_open(tree.ptr, history.ptr, out, err);
}

/* A YAML double-quoted scalar. */
static void add_quoted(kd_buf *out, kd_str text)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_str(&json, text);
}

static kd_status write_config(kd_arena *arena, const char *dir, kd_str database, kd_str divisions, kd_error *err)
{
    kd_buf config;
    kd_buf_init(&config, CONFIG_BYTES_MAX);
    kd_buf_cstr(&config, "# A Kindred register. Keep this file private: the database's address may hold a password.\n"
                         "database: ");
    add_quoted(&config, database);
    kd_buf_cstr(&config, "\ndivisions: ");
    add_quoted(&config, divisions);
    kd_buf_cstr(&config, "\n");
    kd_str path = kd_path_join(arena, kd_str_of(dir), kd_str_of(CONFIG_NAME));
    kd_status status = config.status == KD_OK && path.ptr ? kd_file_write(path.ptr, kd_buf_view(&config), err)
                                                          : kd_fail(err, KD_LIMIT, "", "the configuration is too long");
    kd_buf_done(&config);
    if (status == KD_OK && chmod(path.ptr, 0600) != 0) status = kd_fail_errno(err, path.ptr, "protect");
    return status;
}

static kd_str database_url(kd_arena *arena, kd_str dir, kd_str database)
{
    if (!kd_str_starts(database, KD_STR("sqlite:"))) return kd_arena_str(arena, database);
    kd_str path = kd_path_join(arena, dir, kd_str_sub(database, 7, database.len));
    return path.ptr ? kd_arena_fmt(arena, "sqlite:%s", path.ptr) : path;
}

/* How the database of a new register is filled: from nothing, or from a backup. */
typedef struct {
    const char *dir, *db_url;
    kd_str divisions_pack;
    const char *backup; /* NULL: from nothing */
    const kd_progress *progress;
} making;

static kd_status fill(const making *m, kd_store *store, const kd_divisions *divisions, kd_error *err)
{
    return m->backup ? kd_store_restore(store, m->backup, m->progress, err) : fill_database(store, divisions, err);
}

static kd_status make(kd_arena *arena, const making *m, kd_error *err)
{
    bool is_sqlite = !m->db_url || strcmp(m->db_url, "sqlite") == 0;
    kd_str database = is_sqlite ? kd_arena_fmt(arena, "sqlite:%s", DATABASE_NAME) : kd_str_of(m->db_url);
    kd_str archive = kd_path_join(arena, kd_str_of(m->dir), KD_STR("archive"));
    kd_str url = database_url(arena, kd_str_of(m->dir), database);
    if (!archive.ptr || !url.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    kd_divisions *divisions;
    KD_TRY(kd_divisions_pack_open(arena, m->divisions_pack, &divisions, err));
    kd_store *store = NULL;
    kd_status status = check_folder(m->dir, err);
    if (status == KD_OK && is_sqlite) status = remove_leftover_database(arena, m->dir, err);
    if (status == KD_OK) status = kd_store_open(url.ptr, true, &store, err);
    if (status == KD_OK) status = fill(m, store, divisions, err);
    kd_store_close(store);
    kd_divisions_close(divisions);
    if (status == KD_OK) status = kd_dir_make(archive.ptr, err);
    /* last: a folder with this file is a whole register */
    return status == KD_OK ? write_config(arena, m->dir, database, m->divisions_pack, err) : status;
}

static kd_status make_register(const making *m, kd_error *err)
{
    kd_arena *arena = kd_arena_new(CONFIG_BYTES_MAX);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory");
    kd_status status = make(arena, m, err);
    kd_arena_free(arena);
    return status;
}

kd_status kd_register_init(const char *dir, const char *db_url, const char *divisions_pack, kd_error *err)
{
    const making m = { dir, db_url, kd_str_of(divisions_pack ? divisions_pack : DIVISIONS_PACK), NULL, NULL };
    return make_register(&m, err);
}

kd_status kd_register_restore(const char *dir, const char *db_url, const char *backup, const kd_progress *progress,
                              kd_error *err)
{
    const making m = { dir, db_url, kd_str_of(DIVISIONS_PACK), backup, progress };
    return make_register(&m, err);
}

/* ---- opening ---- */

static kd_status read_config(kd_register_shared *shared, kd_error *err)
{
    static const char *const keys[] = { "database", "divisions", "packs", NULL };
    kd_str path = kd_path_join(shared->arena, shared->dir, kd_str_of(CONFIG_NAME));
    const kd_yaml *root;
    if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    if (!kd_file_exists(path.ptr)) {
        kd_fail_at(err, KD_NOT_FOUND, shared->dir.ptr, 0, 0, "no register stands in this folder");
        kd_hint(err, "make one with `kindred init DIR`, or name its folder with --register DIR");
        return KD_NOT_FOUND;
    }
    KD_TRY(kd_yaml_load(shared->arena, path.ptr, &root, err));
    KD_TRY(kd_yaml_only(root, keys, err));
    kd_str database = kd_yaml_text(root, "database", (kd_str){ NULL, 0 });
    if (!database.len) return kd_yaml_fail(err, root, "database: is missing");
    shared->divisions_pack = kd_yaml_text(root, "divisions", kd_str_of(DIVISIONS_PACK));
    shared->url = database_url(shared->arena, shared->dir, database);
    return shared->url.ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for a path");
}

static kd_status open_in(kd_register *reg, const char *dir, bool any_version, kd_error *err)
{
    KD_TRY(kd_register_shared_new(4 * CONFIG_BYTES_MAX, &reg->shared, err));
    reg->shared->dir = kd_arena_str(reg->shared->arena, kd_str_of(dir));
    if (!reg->shared->dir.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    KD_TRY(read_config(reg->shared, err));
    KD_TRY(kd_store_open(reg->shared->url.ptr, false, &reg->store, err));
    KD_TRY(kd_node_take(reg, err));
    return any_version ? KD_OK : kd_store_check_version(reg->store, err);
}

kd_status kd_register_open(const char *dir, bool any_version, kd_register **out_register, kd_error *err)
{
    kd_register *reg = calloc(1, sizeof *reg);
    if (!reg) return kd_fail(err, KD_LIMIT, "", "no memory to open the register");
    reg->node_file = -1;
    kd_status status = open_in(reg, dir, any_version, err);
    if (status != KD_OK) {
        kd_register_close(reg);
        return status;
    }
    *out_register = reg;
    return KD_OK;
}

void kd_register_close(kd_register *reg)
{
    if (!reg) return;
    kd_store_close(reg->store);
    kd_node_give_back(reg);
    if (reg->shared) kd_register_shared_leave(reg->shared);
    free(reg);
}

kd_store *kd_register_store(kd_register *reg)
{
    return reg->store;
}

const char *kd_register_dir(const kd_register *reg)
{
    return reg->shared->dir.ptr;
}

int64_t kd_register_next_id(kd_register *reg)
{
    return kd_id_next(&reg->ids);
}
