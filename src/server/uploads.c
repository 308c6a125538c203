#include "uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES_MAX = 200, KEPT_MAX = 50, FOLDER_NAME_BYTES = 2 * KD_ID_TEXT_BYTES, PATH_BYTES = 4096 };

static kd_status no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for a path");
}

static kd_str uploads_folder(kd_call *call)
{
    return kd_arena_fmt(call->arena, "%s/uploads", kd_register_dir(call->reg));
}

static void folder_name(const kd_call *call, int64_t id, char out[FOLDER_NAME_BYTES])
{
    char upload[KD_ID_TEXT_BYTES], account[KD_ID_TEXT_BYTES];
    snprintf(out, FOLDER_NAME_BYTES, "%s.%s", kd_id_format(id, upload), kd_id_format(call->who->id, account));
}

/* A file name and nothing else: no folder, no control character, not hidden. */
static kd_status check_name(kd_str name, kd_error *err)
{
    bool is_right = name.len > 0 && name.len <= NAME_BYTES_MAX && name.ptr[0] != '.' && kd_utf8_is_valid(name);
    for (size_t i = 0; i < name.len && is_right; i++)
        is_right =
            (unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != 0x7f && name.ptr[i] != '/' && name.ptr[i] != '\\';
    if (is_right) return KD_OK;
    kd_fail(err, KD_INVALID, "name", "this is no name of a file");
    kd_hint(err, "give the name alone, without folders, of at most %d bytes", NAME_BYTES_MAX);
    return KD_INVALID;
}

/* Folders of the account; nobody fills the disk by never importing. */
static kd_status check_room(kd_call *call, kd_str parent, kd_error *err)
{
    char ending[KD_ID_TEXT_BYTES + 1], account[KD_ID_TEXT_BYTES];
    size_t kept = 0;
    int len = snprintf(ending, sizeof ending, ".%s", kd_id_format(call->who->id, account));
    DIR *folder = opendir(parent.ptr);
    if (!folder) return kd_fail_errno(err, parent.ptr, "open the folder");
    for (struct dirent *entry; (entry = readdir(folder));)
        kept += kd_str_ends(kd_str_of(entry->d_name), (kd_str){ ending, (size_t)len });
    closedir(folder);
    if (kept < KEPT_MAX) return KD_OK;
    kd_fail(err, KD_CONFLICT, "", "%d files wait already", KEPT_MAX);
    kd_hint(err, "import or drop some of them first");
    return KD_CONFLICT;
}

kd_status kd_upload_keep(kd_call *call, kd_str name, kd_upload *out_upload, kd_error *err)
{
    char folder[FOLDER_NAME_BYTES];
    KD_TRY(check_name(name, err));
    kd_str parent = uploads_folder(call);
    if (!parent.ptr) return no_memory(err);
    KD_TRY(kd_dir_make(parent.ptr, err));
    KD_TRY(check_room(call, parent, err));
    kd_upload upload = { .id = kd_register_next_id(call->reg),
                         .bytes = (int64_t)call->file_bytes,
                         .name = kd_arena_str(call->arena, name) };
    folder_name(call, upload.id, folder);
    upload.folder = kd_path_join(call->arena, parent, kd_str_of(folder));
    upload.path = upload.folder.ptr ? kd_path_join(call->arena, upload.folder, name) : upload.folder;
    if (!upload.name.ptr || !upload.path.ptr) return no_memory(err);
    KD_TRY(kd_dir_make(upload.folder.ptr, err));
    if (rename(call->file, upload.path.ptr) != 0) {
        kd_status status = kd_fail_errno(err, "the upload", "keep");
        kd_upload_remove(upload.folder.ptr);
        return status;
    }
    *out_upload = upload;
    return KD_OK;
}

static kd_status not_there(kd_error *err)
{
    return kd_fail(err, KD_NOT_FOUND, "id", "this file is not kept here");
}

/* The one file in its folder. */
static kd_status find_file(kd_call *call, kd_upload *upload, kd_error *err)
{
    struct stat facts;
    DIR *folder = opendir(upload->folder.ptr);
    if (!folder) return errno == ENOENT ? not_there(err) : kd_fail_errno(err, "the upload", "open");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') upload->name = kd_arena_str(call->arena, kd_str_of(entry->d_name));
    closedir(folder);
    if (!upload->name.ptr) return not_there(err);
    upload->path = kd_path_join(call->arena, upload->folder, upload->name);
    if (!upload->path.ptr) return no_memory(err);
    if (stat(upload->path.ptr, &facts) != 0) return not_there(err);
    upload->bytes = facts.st_size;
    return KD_OK;
}

kd_status kd_upload_find(kd_call *call, int64_t id, kd_upload *out_upload, kd_error *err)
{
    char name[FOLDER_NAME_BYTES];
    kd_upload upload = { .id = id };
    kd_str parent = uploads_folder(call);
    folder_name(call, id, name);
    upload.folder = parent.ptr ? kd_path_join(call->arena, parent, kd_str_of(name)) : parent;
    if (!upload.folder.ptr) return no_memory(err);
    KD_TRY(find_file(call, &upload, err));
    *out_upload = upload;
    return KD_OK;
}

void kd_upload_remove(const char *path)
{
    char file[PATH_BYTES];
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int len = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (len > 0 && (size_t)len < sizeof file && entry->d_name[0] != '.') unlink(file);
    }
    closedir(folder);
    rmdir(path);
}

void kd_upload_touch(const kd_upload *upload)
{
    (void)utimensat(AT_FDCWD, upload->folder.ptr, NULL, 0);
}

void kd_remove_old(const char *path, int64_t kept_us)
{
    char entry_path[PATH_BYTES];
    int64_t before_s = (kd_now_us() - kept_us) / 1000000;
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat info;
        int len = snprintf(entry_path, sizeof entry_path, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || len < 0 || (size_t)len >= sizeof entry_path) continue;
        if (lstat(entry_path, &info) != 0 || info.st_mtime > before_s) continue;
        if (S_ISDIR(info.st_mode))
            kd_upload_remove(entry_path);
        else
            unlink(entry_path);
    }
    closedir(folder);
}

kd_str kd_bad_rows_path(kd_arena *arena, const kd_register *reg, int64_t batch_id)
{
    char id[KD_ID_TEXT_BYTES];
    return kd_arena_fmt(arena, "%s/bad_rows/%s.csv", kd_register_dir(reg), kd_id_format(batch_id, id));
}
