#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef KD_SOURCE_DIR
#define KD_SOURCE_DIR ""
#endif
#ifndef KD_DATA_DIR
#define KD_DATA_DIR "/usr/share/kindred"
#endif

enum { PATH_BYTES_MAX = 4096 };

kd_status kd_mapping_open(const char *path, kd_mapping *out, kd_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return kd_fail_errno(err, path, "open");
    struct stat info;
    kd_status status = KD_OK;
    kd_mapping mapping = { { "", 0 } };
    if (fstat(fd, &info) != 0) {
        status = kd_fail_errno(err, path, "look at");
    } else if (!S_ISREG(info.st_mode)) {
        status = kd_fail_at(err, KD_INVALID, path, 0, 0, "this is not a file");
    } else if (info.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) status = kd_fail_errno(err, path, "read");
        if (bytes != MAP_FAILED) mapping.bytes = (kd_str){ bytes, (size_t)info.st_size };
    }
    close(fd);
    if (status == KD_OK) *out = mapping;
    return status;
}

void kd_mapping_close(kd_mapping *mapping)
{
    if (mapping->bytes.len) munmap((void *)(uintptr_t)mapping->bytes.ptr, mapping->bytes.len);
    mapping->bytes = (kd_str){ NULL, 0 };
}

kd_status kd_file_read(kd_arena *arena, const char *path, size_t bytes_max, kd_str *out, kd_error *err)
{
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(path, &mapping, err));
    kd_str copy = { NULL, 0 };
    if (mapping.bytes.len <= bytes_max) copy = kd_arena_str(arena, mapping.bytes);
    size_t len = mapping.bytes.len;
    kd_mapping_close(&mapping);
    if (!copy.ptr) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "%zu bytes are more than is read here", len);
    *out = copy;
    return KD_OK;
}

static kd_status write_all(int fd, kd_str bytes, const char *path, kd_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return kd_fail_errno(err, path, "write");
        done += (size_t)n;
    }
    if (fsync(fd) != 0) return kd_fail_errno(err, path, "write");
    return KD_OK;
}

kd_status kd_file_write(const char *path, kd_str bytes, kd_error *err)
{
    char beside[PATH_BYTES_MAX];
    int len = snprintf(beside, sizeof beside, "%s.%d.tmp", path, (int)getpid());
    if (len < 0 || (size_t)len >= sizeof beside) return kd_fail_at(err, KD_LIMIT, path, 0, 0, "the path is too long");
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return kd_fail_errno(err, path, "create");
    kd_status status = write_all(fd, bytes, path, err);
    if (close(fd) != 0 && status == KD_OK) status = kd_fail_errno(err, path, "write");
    if (status == KD_OK && rename(beside, path) != 0) status = kd_fail_errno(err, path, "replace");
    if (status != KD_OK) unlink(beside);
    return status;
}

kd_status kd_dir_make(const char *path, kd_error *err)
{
    char part[PATH_BYTES_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) return kd_fail_at(err, KD_INVALID, path, 0, 0, "not a usable path");
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        char keep = part[i];
        part[i] = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST) return kd_fail_errno(err, path, "create the folder");
        part[i] = keep;
    }
    struct stat info;
    if (stat(path, &info) != 0) return kd_fail_errno(err, path, "look at");
    if (!S_ISDIR(info.st_mode))
        return kd_fail_at(err, KD_INVALID, path, 0, 0, "a file stands where a folder is needed");
    return KD_OK;
}

bool kd_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

kd_str kd_path_join(kd_arena *arena, kd_str dir, kd_str name)
{
    if (dir.len == 0 || (name.len && name.ptr[0] == '/')) return kd_arena_str(arena, name);
    bool has_slash = dir.ptr[dir.len - 1] == '/';
    return kd_arena_fmt(arena, "%.*s%s%.*s", KD_FMT(dir), has_slash ? "" : "/", KD_FMT(name));
}

kd_str kd_path_beside(kd_arena *arena, const char *base_file, kd_str name)
{
    const char *slash = strrchr(base_file, '/');
    kd_str dir = { base_file, slash ? (size_t)(slash - base_file) + 1 : 0 };
    return kd_path_join(arena, dir, name);
}

kd_status kd_data_path(kd_arena *arena, const char *name, kd_str *out_path, kd_error *err)
{
    const char *given = getenv("KINDRED_DATA");
    const char *roots[] = { given ? given : "", KD_SOURCE_DIR, KD_DATA_DIR };
    for (size_t i = 0; i < 3; i++) {
        if (!roots[i][0]) continue;
        kd_str path = kd_path_join(arena, kd_str_of(roots[i]), kd_str_of(name));
        if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
        if (!kd_file_exists(path.ptr)) continue;
        *out_path = path;
        return KD_OK;
    }
    kd_fail(err, KD_NOT_FOUND, "", "the shipped file '%s' is missing", name);
    kd_hint(err, "set KINDRED_DATA to the folder that holds it (looked in %s and %s)", KD_SOURCE_DIR, KD_DATA_DIR);
    return KD_NOT_FOUND;
}
