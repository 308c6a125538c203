/* packs/cn/access.yaml: roles, purposes, limits. */
#include "inner.h"

#include <stdlib.h>
#include <string.h>

static const char SHIPPED[] = "packs/cn/access.yaml";

/* ---- roles and purposes ---- */

static kd_status read_title(const kd_yaml *node, kd_str *out_zh, kd_str *out_en, kd_error *err)
{
    static const char *const keys[] = { "zh", "en", NULL };
    KD_TRY(kd_yaml_only(node, keys, err));
    *out_zh = kd_yaml_text(node, "zh", (kd_str){ NULL, 0 });
    *out_en = kd_yaml_text(node, "en", (kd_str){ NULL, 0 });
    if (!out_zh->len || !out_en->len) return kd_yaml_fail(err, node, "a title in zh and en is expected here");
    return KD_OK;
}

static bool has(const kd_str *names, size_t count, kd_str name)
{
    for (size_t i = 0; i < count; i++)
        if (kd_str_eq(names[i], name)) return true;
    return false;
}

/* A list of names, each once and each among `known` (NULL: anything). */
static kd_status read_names(kd_arena *arena, const kd_yaml *node, size_t max, const kd_str *known, size_t known_count,
                            const kd_str **out_names, size_t *out_count, kd_error *err)
{
    if (node->kind != KD_YAML_LIST) return kd_yaml_fail(err, node, "a list of names is expected here");
    if (node->count > max) return kd_yaml_fail(err, node, "more than %zu names", max);
    kd_str *names = kd_arena_array(arena, node->count + 1, sizeof *names);
    size_t count = 0;
    if (!names) return kd_access_no_memory(err);
    for (const kd_yaml *child = node->first; child; child = child->next) {
        if (child->kind != KD_YAML_SCALAR || !child->text.len)
            return kd_yaml_fail(err, child, "a name is expected here");
        if (known && !has(known, known_count, child->text))
            return kd_yaml_fail(err, child, "%.*s is declared nowhere in this file", KD_FMT(child->text));
        if (has(names, count, child->text)) return kd_yaml_fail(err, child, "%.*s stands twice", KD_FMT(child->text));
        names[count++] = child->text;
    }
    *out_names = names;
    *out_count = count;
    return KD_OK;
}

static kd_status read_purposes(kd_access_pack *pack, const kd_yaml *node, kd_error *err)
{
    if (node->count > KD_PACK_PURPOSES_MAX)
        return kd_yaml_fail(err, node, "more than %d purposes", KD_PACK_PURPOSES_MAX);
    for (const kd_yaml *child = node->first; child; child = child->next) {
        kd_purpose_info *purpose = &pack->purposes[pack->purpose_count];
        purpose->name = child->key;
        if (child->kind != KD_YAML_MAP) return kd_yaml_fail(err, child, "a title in zh and en is expected here");
        KD_TRY(read_title(child, &purpose->title_zh, &purpose->title_en, err));
        pack->purpose_count++;
    }
    return KD_OK;
}

typedef struct {
    const kd_str *permissions;
    size_t permission_count;
    kd_str purposes[KD_PACK_PURPOSES_MAX];
} names_known;

static kd_status read_role(kd_access_pack *pack, const kd_yaml *node, const names_known *known, kd_error *err)
{
    static const char *const keys[] = { "title", "permissions", "purposes", "gives_roles", "alone", NULL };
    kd_role_info *role = &pack->roles[pack->role_count];
    if (node->kind != KD_YAML_MAP) return kd_yaml_fail(err, node, "what a role may do is expected here");
    KD_TRY(kd_yaml_only(node, keys, err));
    const kd_yaml *title = kd_yaml_get(node, "title"), *permissions = kd_yaml_get(node, "permissions"),
                  *purposes = kd_yaml_get(node, "purposes");
    if (!title || !permissions || !purposes || title->kind != KD_YAML_MAP)
        return kd_yaml_fail(err, node, "title:, permissions: and purposes: are needed");
    role->name = node->key;
    KD_TRY(read_title(title, &role->title_zh, &role->title_en, err));
    KD_TRY(read_names(pack->arena, permissions, KD_PACK_PERMISSIONS_MAX, known->permissions, known->permission_count,
                      &role->permissions, &role->permission_count, err));
    KD_TRY(read_names(pack->arena, purposes, KD_PACK_PURPOSES_MAX, known->purposes, pack->purpose_count,
                      &role->purposes, &role->purpose_count, err));
    KD_TRY(kd_yaml_bool(node, "gives_roles", false, &role->gives_roles, err));
    KD_TRY(kd_yaml_bool(node, "alone", false, &role->is_alone, err));
    pack->role_count++;
    return KD_OK;
}

static kd_status read_roles(kd_access_pack *pack, const kd_yaml *root, kd_error *err)
{
    names_known known = { 0 };
    const kd_yaml *permissions = kd_yaml_get(root, "permissions"), *purposes = kd_yaml_get(root, "purposes"),
                  *roles = kd_yaml_get(root, "roles");
    if (!permissions || !purposes || !roles || purposes->kind != KD_YAML_MAP || roles->kind != KD_YAML_MAP)
        return kd_yaml_fail(err, root, "permissions:, purposes: and roles: are needed");
    KD_TRY(read_names(pack->arena, permissions, KD_PACK_PERMISSIONS_MAX, NULL, 0, &known.permissions,
                      &known.permission_count, err));
    KD_TRY(read_purposes(pack, purposes, err));
    for (size_t i = 0; i < pack->purpose_count; i++) known.purposes[i] = pack->purposes[i].name;
    if (roles->count > KD_PACK_ROLES_MAX) return kd_yaml_fail(err, roles, "more than %d roles", KD_PACK_ROLES_MAX);
    bool has_giver = false;
    for (const kd_yaml *child = roles->first; child; child = child->next) {
        KD_TRY(read_role(pack, child, &known, err));
        has_giver = has_giver || pack->roles[pack->role_count - 1].gives_roles;
    }
    return has_giver ? KD_OK : kd_yaml_fail(err, roles, "no role gives others their roles");
}

/* ---- limits ---- */

static kd_status read_limits(kd_access_pack *pack, const kd_yaml *node, kd_error *err)
{
    enum { KIB = 1024, MEMORY_KIB_MIN = 8192, MEMORY_KIB_MAX = 1 << 20, HOUR_MINUTES = 60, DAY_MINUTES = 1440 };
    kd_access_limits *l = &pack->limits;
    const struct {
        const char *name;
        int64_t min, max, unit;
        int64_t *out;
    } numbers[] = {
        { "failures", 3, 20, 1, &l->failures },
        { "lock_minutes", 1, 1440, KD_MINUTE_US, &l->lock_us },
        { "lock_minutes_max", 1, 10080, KD_MINUTE_US, &l->lock_us_max },
        { "failures_of_address", 5, 100000, 1, &l->address_failures },
        { "address_minutes", 1, 1440, KD_MINUTE_US, &l->address_us },
        { "session_idle_minutes", 1, 1440, KD_MINUTE_US, &l->idle_us },
        { "session_hours", 1, 168, HOUR_MINUTES * KD_MINUTE_US, &l->session_us },
        { "rotation_minutes", 1, 1440, KD_MINUTE_US, &l->rotation_us },
        { "rotation_grace_seconds", 5, 600, KD_SECOND_US, &l->rotation_grace_us },
        { "password_length_min", 8, 64, 1, &l->password_length_min },
        { "argon2id_memory_kib", MEMORY_KIB_MIN, MEMORY_KIB_MAX, KIB, &l->memory_bytes },
        { "argon2id_passes", 1, 20, 1, &l->passes },
        { "claim_minutes", 1, 1440, KD_MINUTE_US, &l->claim_us },
        { "upload_hours", 1, 8760, HOUR_MINUTES * KD_MINUTE_US, &l->upload_us },
        { "job_days", 1, 3650, DAY_MINUTES * KD_MINUTE_US, &l->job_us },
    };
    enum { COUNT = sizeof numbers / sizeof numbers[0] };
    const char *keys[COUNT + 2] = { "common_passwords" };
    for (size_t i = 0; i < COUNT; i++) keys[i + 1] = numbers[i].name;
    KD_TRY(kd_yaml_only(node, keys, err));
    for (size_t i = 0; i < COUNT; i++) {
        int64_t value;
        const kd_yaml *child = kd_yaml_get(node, numbers[i].name);
        KD_TRY(kd_yaml_int(node, numbers[i].name, -1, &value, err));
        if (value < numbers[i].min || value > numbers[i].max)
            return kd_yaml_fail(err, child ? child : node, "%s: a whole number from %lld to %lld is expected",
                                numbers[i].name, (long long)numbers[i].min, (long long)numbers[i].max);
        *numbers[i].out = value * numbers[i].unit;
    }
    return KD_OK;
}

/* ---- common passwords ---- */

static kd_status read_common(kd_access_pack *pack, const char *path, kd_error *err)
{
    enum { COMMON_MAX = 100000 };
    kd_str text, line;
    KD_TRY(kd_file_read(pack->arena, path, KD_PACK_BYTES_MAX / 2, &text, err));
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) lines += text.ptr[i] == '\n';
    if (lines > COMMON_MAX) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "more than %d lines", COMMON_MAX);
    pack->common = kd_arena_array(pack->arena, lines, sizeof *pack->common);
    if (!pack->common) return kd_access_no_memory(err);
    while (text.ptr && kd_str_next(&text, '\n', &line)) {
        line = kd_str_trim(line);
        if (!line.len || line.ptr[0] == '#') continue;
        char *folded = kd_arena_alloc(pack->arena, line.len);
        if (!folded) return kd_access_no_memory(err);
        for (size_t i = 0; i < line.len; i++) {
            char c = line.ptr[i];
            folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        pack->common[pack->common_count++] = (kd_str){ folded, line.len };
    }
    return KD_OK;
}

static kd_status load(kd_access_pack *pack, const char *path, kd_error *err)
{
    static const char *const keys[] = { "version", "purposes", "permissions", "roles", "limits", NULL };
    const kd_yaml *root, *limits;
    kd_str file = kd_str_of(path);
    if (!path) KD_TRY(kd_data_path(pack->arena, SHIPPED, &file, err));
    KD_TRY(kd_yaml_load(pack->arena, file.ptr, &root, err));
    KD_TRY(kd_yaml_only(root, keys, err));
    KD_TRY(read_roles(pack, root, err));
    limits = kd_yaml_get(root, "limits");
    if (!limits || limits->kind != KD_YAML_MAP) return kd_yaml_fail(err, root, "limits: is missing");
    KD_TRY(read_limits(pack, limits, err));
    kd_str common = kd_yaml_text(limits, "common_passwords", (kd_str){ NULL, 0 });
    if (!common.len) return kd_yaml_fail(err, limits, "common_passwords: is missing");
    kd_str beside = kd_path_beside(pack->arena, file.ptr, common);
    return beside.ptr ? read_common(pack, beside.ptr, err) : kd_access_no_memory(err);
}

kd_status kd_access_pack_load(const char *path, kd_access_pack **out_pack, kd_error *err)
{
    kd_access_pack *pack = calloc(1, sizeof *pack);
    if (!pack || !(pack->arena = kd_arena_new(KD_PACK_BYTES_MAX))) {
        free(pack);
        return kd_access_no_memory(err);
    }
    kd_status status = load(pack, path, err);
    if (status != KD_OK) {
        kd_access_pack_free(pack);
        return status;
    }
    *out_pack = pack;
    return KD_OK;
}

void kd_access_pack_free(kd_access_pack *pack)
{
    if (!pack) return;
    kd_arena_free(pack->arena);
    free(pack);
}

size_t kd_access_pack_roles(const kd_access_pack *pack)
{
    return pack->role_count;
}

const kd_role_info *kd_access_pack_role_at(const kd_access_pack *pack, size_t index)
{
    return &pack->roles[index];
}

const kd_role_info *kd_access_pack_role(const kd_access_pack *pack, kd_str name)
{
    for (size_t i = 0; i < pack->role_count; i++)
        if (kd_str_eq(pack->roles[i].name, name)) return &pack->roles[i];
    return NULL;
}

size_t kd_access_pack_purposes(const kd_access_pack *pack)
{
    return pack->purpose_count;
}

const kd_purpose_info *kd_access_pack_purpose_at(const kd_access_pack *pack, size_t index)
{
    return &pack->purposes[index];
}

const kd_purpose_info *kd_access_pack_purpose(const kd_access_pack *pack, kd_str name)
{
    for (size_t i = 0; i < pack->purpose_count; i++)
        if (kd_str_eq(pack->purposes[i].name, name)) return &pack->purposes[i];
    return NULL;
}

int64_t kd_access_pack_claim_us(const kd_access_pack *pack)
{
    return pack->limits.claim_us;
}

int64_t kd_access_pack_upload_us(const kd_access_pack *pack)
{
    return pack->limits.upload_us;
}

int64_t kd_access_pack_job_us(const kd_access_pack *pack)
{
    return pack->limits.job_us;
}

/* ---- what an account may ---- */

static bool scope_has(kd_str scopes, kd_str permission)
{
    kd_str part;
    if (!scopes.len) return true;
    while (scopes.ptr && kd_str_next(&scopes, ' ', &part))
        if (kd_str_eq(part, permission)) return true;
    return false;
}

bool kd_account_may(const kd_access_pack *pack, const kd_account *account, kd_str permission)
{
    if (!account->is_active || !scope_has(account->scopes, permission)) return false;
    for (size_t i = 0; i < account->role_count; i++) {
        const kd_role_info *role = kd_access_pack_role(pack, account->roles[i]);
        if (role && has(role->permissions, role->permission_count, permission)) return true;
    }
    return false;
}

bool kd_account_has_purpose(const kd_access_pack *pack, const kd_account *account, kd_str purpose)
{
    for (size_t i = 0; account->is_active && i < account->role_count; i++) {
        const kd_role_info *role = kd_access_pack_role(pack, account->roles[i]);
        if (role && has(role->purposes, role->purpose_count, purpose)) return true;
    }
    return false;
}

bool kd_account_covers(const kd_account *account, int64_t division)
{
    for (size_t i = 0; i < account->area_count; i++)
        if (account->areas[i] == 0 || (division > 0 && kd_division_within(division, account->areas[i]))) return true;
    return false;
}
