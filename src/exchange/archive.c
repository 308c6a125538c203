#include "exchange/archive.h"
#include "exchange/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PIECE_BYTES = 1 << 20, PACK_LEVEL = 3 };

static void to_hex(const unsigned char *digest, unsigned len, char out_hex[HASH_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len && i < 32; i++) {
        out_hex[2 * i] = digits[digest[i] >> 4];
        out_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    out_hex[64] = '\0';
}

static kd_status hash_bytes(kd_str bytes, const kd_progress *progress, EVP_MD_CTX *digest, char *out_hex, kd_error *err)
{
    unsigned char result[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool is_right = EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    for (size_t at = 0; is_right && at < bytes.len; at += PIECE_BYTES) {
        if (kd_progress_cancelled(progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
        size_t piece = bytes.len - at < PIECE_BYTES ? bytes.len - at : PIECE_BYTES;
        is_right = EVP_DigestUpdate(digest, bytes.ptr + at, piece) == 1;
        kd_progress_report(progress, "checking", at, bytes.len);
    }
    if (!is_right || EVP_DigestFinal_ex(digest, result, &len) != 1 || len != 32)
        return kd_fail(err, KD_LIMIT, "", "the hash of the file cannot be made");
    to_hex(result, len, out_hex);
    return KD_OK;
}

kd_status archive_hash(const char *path, const kd_progress *progress, char out_hex[HASH_HEX_BYTES], kd_error *err)
{
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(path, &mapping, err));
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    kd_status status = digest ? hash_bytes(mapping.bytes, progress, digest, out_hex, err)
                              : kd_fail(err, KD_LIMIT, "", "no memory to hash the file");
    EVP_MD_CTX_free(digest);
    kd_mapping_close(&mapping);
    return status;
}

kd_str kd_archive_path(kd_arena *arena, kd_str register_dir, kd_str content_hash)
{
    return kd_arena_fmt(arena, "%.*s/archive/%.*s/%.*s.zst", KD_FMT(register_dir),
                        KD_FMT(kd_str_sub(content_hash, 0, 2)), KD_FMT(content_hash));
}

static kd_status write_all(int fd, const char *bytes, size_t len, const char *path, kd_error *err)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return kd_fail_errno(err, path, "write");
        bytes += n;
        len -= (size_t)n;
    }
    return KD_OK;
}

static kd_status pack_bytes(archiving *a, kd_str bytes, int fd, ZSTD_CCtx *packer, char *out)
{
    size_t cap = ZSTD_CStreamOutSize();
    if (ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, PACK_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packer, bytes.len)))
        return kd_fail(&a->error, KD_LIMIT, "", "the file cannot be packed");
    size_t at = 0, rest = 1;
    do {
        if (__atomic_load_n(&a->stop, __ATOMIC_RELAXED)) return kd_fail(&a->error, KD_CANCELLED, "", "stopped");
        size_t piece = bytes.len - at < PIECE_BYTES ? bytes.len - at : PIECE_BYTES;
        ZSTD_EndDirective how = at + piece == bytes.len ? ZSTD_e_end : ZSTD_e_continue;
        ZSTD_inBuffer in = { bytes.ptr + at, piece, 0 };
        do {
            ZSTD_outBuffer to = { out, cap, 0 };
            rest = ZSTD_compressStream2(packer, &to, &in, how);
            if (ZSTD_isError(rest))
                return kd_fail(&a->error, KD_LIMIT, "", "the file cannot be packed: %s", ZSTD_getErrorName(rest));
            KD_TRY(write_all(fd, out, to.pos, a->temporary, &a->error));
        } while (in.pos < in.size || (how == ZSTD_e_end && rest));
        at += piece;
    } while (at < bytes.len);
    return KD_OK;
}

static kd_status pack_file(archiving *a)
{
    kd_mapping mapping;
    KD_TRY(kd_mapping_open(a->from, &mapping, &a->error));
    int fd = open(a->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    char *out = malloc(ZSTD_CStreamOutSize());
    kd_status status = KD_OK;
    if (fd < 0) {
        status = kd_fail_errno(&a->error, a->temporary, "create");
    } else if (!packer || !out) {
        status = kd_fail(&a->error, KD_LIMIT, "", "no memory to pack the file");
    } else {
        status = pack_bytes(a, mapping.bytes, fd, packer, out);
    }
    if (status == KD_OK && fsync(fd) != 0) status = kd_fail_errno(&a->error, a->temporary, "write");
    if (fd >= 0 && close(fd) != 0 && status == KD_OK) status = kd_fail_errno(&a->error, a->temporary, "write");
    free(out);
    ZSTD_freeCCtx(packer);
    kd_mapping_close(&mapping);
    return status;
}

static void *pack_thread(void *arg)
{
    archiving *a = arg;
    a->status = pack_file(a);
    return NULL;
}

static kd_status set_paths(archiving *a, const char *register_dir, const char *path, const char *hex, kd_error *err)
{
    int from = snprintf(a->from, sizeof a->from, "%s", path);
    int folder = snprintf(a->folder, sizeof a->folder, "%s/archive/%.2s", register_dir, hex);
    int to = snprintf(a->to, sizeof a->to, "%s/archive/%.2s/%s.zst", register_dir, hex, hex);
    int temporary = snprintf(a->temporary, sizeof a->temporary, "%s/archive/%.2s/%s.zst.%d.tmp", register_dir, hex, hex,
                             (int)getpid());
    bool fits = from >= 0 && folder >= 0 && to >= 0 && temporary >= 0 && (size_t)from < sizeof a->from &&
                (size_t)temporary < sizeof a->temporary && (size_t)to < sizeof a->to;
    return fits ? KD_OK : kd_fail_at(err, KD_LIMIT, path, 0, 0, "the path is too long");
}

kd_status archive_begin(archiving *a, const char *register_dir, const char *path, const char *hex, kd_error *err)
{
    *a = (archiving){ 0 };
    KD_TRY(set_paths(a, register_dir, path, hex, err));
    a->is_there = kd_file_exists(a->to); /* only whole files get that name */
    if (a->is_there) return KD_OK;
    KD_TRY(kd_dir_make(a->folder, err));
    a->is_running = pthread_create(&a->thread, NULL, pack_thread, a) == 0;
    if (!a->is_running) pack_thread(a);
    return KD_OK;
}

static kd_status sync_folder(const char *folder, kd_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return kd_fail_errno(err, folder, "open");
    kd_status status = fsync(fd) == 0 ? KD_OK : kd_fail_errno(err, folder, "write");
    close(fd);
    return status;
}

kd_status archive_finish(archiving *a, kd_error *err)
{
    if (a->is_there) return KD_OK;
    if (a->is_running) pthread_join(a->thread, NULL);
    a->is_running = false;
    if (a->status != KD_OK) {
        if (err) *err = a->error;
        return a->status;
    }
    if (rename(a->temporary, a->to) != 0) return kd_fail_errno(err, a->to, "put in place");
    a->is_there = true;
    KD_TRY(sync_folder(a->folder, err));
    char *slash = strrchr(a->folder, '/');
    *slash = '\0'; /* the folder of two letters may be new too */
    kd_status status = sync_folder(a->folder, err);
    *slash = '/';
    return status;
}

void archive_cancel(archiving *a)
{
    __atomic_store_n(&a->stop, 1, __ATOMIC_RELAXED);
    if (a->is_running) pthread_join(a->thread, NULL);
    a->is_running = false;
    if (!a->is_there && a->temporary[0]) unlink(a->temporary);
}

/* ---- and back ---- */

static kd_status unpack_bytes(kd_str packed, int fd, ZSTD_DCtx *unpacker, EVP_MD_CTX *digest, char *out,
                              const char *path, kd_error *err)
{
    size_t cap = ZSTD_DStreamOutSize(), rest = 1;
    ZSTD_inBuffer in = { packed.ptr, packed.len, 0 };
    while (in.pos < in.size || rest == 0) {
        ZSTD_outBuffer to = { out, cap, 0 };
        size_t before = in.pos;
        rest = ZSTD_decompressStream(unpacker, &to, &in);
        if (ZSTD_isError(rest) || (to.pos == 0 && in.pos == before && rest))
            return kd_fail_at(err, KD_INVALID, path, 0, 0, "the archived file is damaged");
        if (EVP_DigestUpdate(digest, out, to.pos) != 1) return kd_fail(err, KD_LIMIT, "", "the hash cannot be made");
        KD_TRY(write_all(fd, out, to.pos, path, err));
        if (rest == 0) break;
    }
    return rest == 0 ? KD_OK : kd_fail_at(err, KD_INVALID, path, 0, 0, "the archived file is cut short");
}

static kd_status unpack_file(kd_str packed, kd_str content_hash, const char *path, ZSTD_DCtx *unpacker,
                             EVP_MD_CTX *digest, char *out, kd_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return kd_fail_errno(err, path, "create");
    kd_status status = EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1
                           ? unpack_bytes(packed, fd, unpacker, digest, out, path, err)
                           : kd_fail(err, KD_LIMIT, "", "the hash cannot be made");
    if (close(fd) != 0 && status == KD_OK) status = kd_fail_errno(err, path, "write");
    unsigned char result[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char hex[HASH_HEX_BYTES] = "";
    if (status == KD_OK && EVP_DigestFinal_ex(digest, result, &len) == 1) to_hex(result, len, hex);
    if (status == KD_OK && !kd_str_is(content_hash, hex))
        status = kd_fail_at(err, KD_INVALID, path, 0, 0, "the archived file is not what was imported");
    if (status != KD_OK) unlink(path);
    return status;
}

kd_status kd_archive_fetch(const char *register_dir, kd_str content_hash, const char *path, kd_error *err)
{
    kd_arena *arena = kd_arena_new((size_t)ARCHIVE_PATH_BYTES * 2);
    kd_str from = arena ? kd_archive_path(arena, kd_str_of(register_dir), content_hash) : KD_STR("");
    kd_mapping mapping = { { NULL, 0 } };
    kd_status status =
        from.len ? kd_mapping_open(from.ptr, &mapping, err) : kd_fail(err, KD_LIMIT, "", "the path is too long");
    kd_arena_free(arena);
    if (status != KD_OK) return status;
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    char *out = malloc(ZSTD_DStreamOutSize());
    status = unpacker && digest && out ? unpack_file(mapping.bytes, content_hash, path, unpacker, digest, out, err)
                                       : kd_fail(err, KD_LIMIT, "", "out of memory");
    free(out);
    EVP_MD_CTX_free(digest);
    ZSTD_freeDCtx(unpacker);
    kd_mapping_close(&mapping);
    return status;
}
