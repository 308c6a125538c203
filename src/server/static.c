#include "static.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    kd_str path; /* "/assets/index-4f2a.js" */
    kd_str bytes, etag;
} file;

struct kd_static {
    kd_arena *arena;
    file *files; /* by path */
    size_t count, bytes;
};

static int compare(const void *a, const void *b)
{
    return kd_str_cmp(((const file *)a)->path, ((const file *)b)->path);
}

static kd_status add_file(kd_static *s, kd_str disk_path, kd_str path, const struct stat *info, kd_error *err)
{
    if (s->count == KD_STATIC_FILES_MAX || (size_t)info->st_size > KD_STATIC_BYTES_MAX - s->bytes) {
        kd_fail_at(err, KD_LIMIT, disk_path.ptr, 0, 0, "the console's folder holds too much");
        kd_hint(err, "name the folder of the built console: at most %d files and %d MB", KD_STATIC_FILES_MAX,
                KD_STATIC_BYTES_MAX >> 20);
        return KD_LIMIT;
    }
    file *f = &s->files[s->count];
    KD_TRY(kd_file_read(s->arena, disk_path.ptr, KD_STATIC_BYTES_MAX, &f->bytes, err));
    uint64_t hash = kd_hash(f->bytes.ptr, f->bytes.len, 0);
    f->path = path;
    f->etag = kd_arena_fmt(s->arena, "\"%llx-%zx\"", (unsigned long long)hash, f->bytes.len);
    if (!f->etag.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the console");
    s->bytes += f->bytes.len;
    s->count++;
    return KD_OK;
}

/* A folder whose entries are still to be read. */
typedef struct {
    kd_str disk_path, path;
    int depth;
} folder;

static kd_status add_entry(kd_static *s, const folder *f, const char *name, folder *waiting, size_t *waiting_count,
                           kd_error *err)
{
    kd_str disk_path = kd_path_join(s->arena, f->disk_path, kd_str_of(name));
    kd_str path = kd_arena_fmt(s->arena, "%.*s/%s", KD_FMT(f->path), name);
    struct stat info;
    if (!disk_path.ptr || !path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for the console");
    if (stat(disk_path.ptr, &info) != 0) return kd_fail_errno(err, disk_path.ptr, "read");
    if (S_ISREG(info.st_mode)) return add_file(s, disk_path, path, &info, err);
    if (!S_ISDIR(info.st_mode) || f->depth == KD_STATIC_DEPTH_MAX) return KD_OK;
    if (*waiting_count == KD_STATIC_FILES_MAX) return kd_fail(err, KD_LIMIT, "", "the console has too many folders");
    waiting[(*waiting_count)++] = (folder){ disk_path, path, f->depth + 1 };
    return KD_OK;
}

static kd_status walk(kd_static *s, const char *dir, kd_error *err)
{
    folder *waiting = kd_arena_array(s->arena, KD_STATIC_FILES_MAX, sizeof *waiting);
    size_t waiting_count = 1;
    if (!waiting) return kd_fail(err, KD_LIMIT, "", "no memory for the console");
    waiting[0] = (folder){ kd_arena_str(s->arena, kd_str_of(dir)), { "", 0 }, 1 };
    kd_status status = KD_OK;
    while (status == KD_OK && waiting_count > 0) {
        folder f = waiting[--waiting_count];
        DIR *handle = opendir(f.disk_path.ptr);
        if (!handle) return kd_fail_errno(err, f.disk_path.ptr, "open the folder");
        for (struct dirent *entry; status == KD_OK && (entry = readdir(handle));)
            if (entry->d_name[0] != '.') status = add_entry(s, &f, entry->d_name, waiting, &waiting_count, err);
        closedir(handle);
    }
    return status;
}

kd_status kd_static_load(const char *dir, kd_static **out_static, kd_error *err)
{
    kd_static *s = calloc(1, sizeof *s);
    if (s) s->arena = kd_arena_new((size_t)KD_STATIC_BYTES_MAX + (4 << 20));
    if (s && s->arena) s->files = kd_arena_array(s->arena, dir ? KD_STATIC_FILES_MAX : 1, sizeof *s->files);
    kd_status status = s && s->arena && s->files ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the console");
    if (status == KD_OK && dir) status = walk(s, dir, err);
    if (status != KD_OK) {
        kd_static_free(s);
        return status;
    }
    qsort(s->files, s->count, sizeof *s->files, compare);
    *out_static = s;
    return KD_OK;
}

void kd_static_free(kd_static *files)
{
    if (!files) return;
    kd_arena_free(files->arena);
    free(files);
}

static const file *find(const kd_static *s, kd_str path)
{
    file wanted = { .path = path };
    return s->count ? bsearch(&wanted, s->files, s->count, sizeof *s->files, compare) : NULL;
}

static const char *type_of(kd_str path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".geojson", "application/geo+json" },
        { ".webmanifest", "application/manifest+json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".map", "application/json" },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (kd_str_ends(path, kd_str_of(types[i].ending))) return types[i].type;
    return "application/octet-stream";
}

/* The path as the list has it; false when it cannot be that of a file. */
static bool path_text(const kd_path *path, char *buf, size_t buf_bytes, kd_str *out_path)
{
    size_t len = 0;
    for (size_t i = 0; i < path->count; i++) {
        kd_str segment = path->segments[i];
        if (len + segment.len + 8 > buf_bytes) return false;
        buf[len++] = '/';
        memcpy(buf + len, segment.ptr, segment.len);
        len += segment.len;
    }
    *out_path = (kd_str){ buf, len };
    return true;
}

static const file *find_encoded(const kd_static *s, kd_str path, const char *ending)
{
    char name[1100];
    int len = snprintf(name, sizeof name, "%.*s%s", KD_FMT(path), ending);
    return len > 0 && (size_t)len < sizeof name ? find(s, (kd_str){ name, (size_t)len }) : NULL;
}

bool kd_static_find(const kd_static *files, const kd_path *path, kd_str accept_encoding, kd_static_file *out_file)
{
    char buf[1024];
    kd_str text;
    if (!path_text(path, buf, sizeof buf, &text)) return false;
    kd_str last = path->count ? path->segments[path->count - 1] : KD_STR("");
    const file *plain = find(files, text);
    if (!plain && kd_str_find(last, KD_STR(".")) < 0 && !(path->count && kd_str_is(path->segments[0], "api")))
        plain = find(files, text = KD_STR("/index.html"));
    if (!plain) return false;
    const file *br = find_encoded(files, text, ".br"), *gz = find_encoded(files, text, ".gz");
    const file *chosen = plain;
    *out_file = (kd_static_file){ .content_type = type_of(text), .varies = br || gz };
    if (br && kd_list_accepts(accept_encoding, "br")) {
        chosen = br;
        out_file->encoding = "br";
    } else if (gz && kd_list_accepts(accept_encoding, "gzip")) {
        chosen = gz;
        out_file->encoding = "gzip";
    }
    out_file->bytes = chosen->bytes;
    out_file->etag = chosen->etag;
    out_file->is_immutable = kd_str_starts(text, KD_STR("/assets/"));
    return true;
}
