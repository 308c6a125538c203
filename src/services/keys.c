/* The register's signing keys: DIR/keys/signing.key, the owner's alone, and DIR/keys/KEYID.pub for whoever checks. */
#include "births.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ARENA_BYTES = 1 << 14, PEM_BYTES_MAX = 4096, RAW_KEY_BYTES = 32 };

static kd_status no_crypto(kd_error *err)
{
    return kd_fail(err, KD_IO, "", "the signing key cannot be made or used");
}

/* First characters of the SHA-256 of the raw public key, in hexadecimal. */
static bool key_id_of(EVP_PKEY *key, char out[BIRTH_KEY_ID_CHARS + 1])
{
    uint8_t raw[RAW_KEY_BYTES], digest[EVP_MAX_MD_SIZE];
    size_t len = sizeof raw;
    unsigned digest_len = 0;
    if (EVP_PKEY_get_raw_public_key(key, raw, &len) != 1 || len != sizeof raw) return false;
    if (EVP_Digest(raw, len, digest, &digest_len, EVP_sha256(), NULL) != 1) return false;
    for (size_t i = 0; i < BIRTH_KEY_ID_CHARS; i++)
        out[i] = "0123456789abcdef"[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
    out[BIRTH_KEY_ID_CHARS] = '\0';
    return true;
}

/* Made under another name and linked, so that of two makers one key stands, whole. */
static kd_status write_private(const char *path, const char *temp, EVP_PKEY *key, kd_error *err)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return kd_fail_errno(err, temp, "create");
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return kd_fail_errno(err, temp, "write");
    }
    bool is_written = PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    is_written = is_written && fflush(file) == 0 && fsync(fd) == 0;
    is_written = fclose(file) == 0 && is_written;
    kd_status status = is_written ? KD_OK : kd_fail_errno(err, temp, "write");
    if (status == KD_OK && link(temp, path) != 0 && errno != EEXIST) status = kd_fail_errno(err, path, "create");
    unlink(temp);
    return status;
}

static kd_status make_key(const char *path, kd_arena *arena, kd_error *err)
{
    char id[BIRTH_KEY_ID_CHARS + 1];
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key) return no_crypto(err);
    kd_status status = key_id_of(key, id) ? KD_OK : no_crypto(err);
    if (status == KD_OK) {
        kd_str temp = kd_arena_fmt(arena, "%s.%s", path, id);
        status = temp.ptr ? write_private(path, temp.ptr, key, err) : birth_no_memory(err);
    }
    EVP_PKEY_free(key);
    return status;
}

static kd_status load_private(const char *path, EVP_PKEY **out_key, kd_error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) return kd_fail_errno(err, path, "open");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (key && EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    if (!key) return kd_fail_at(err, KD_INVALID, path, 0, 0, "this is no Ed25519 signing key");
    *out_key = key;
    return KD_OK;
}

static kd_status write_public(kd_str folder, EVP_PKEY *key, kd_arena *arena, kd_error *err)
{
    char id[BIRTH_KEY_ID_CHARS + 1], *bytes;
    if (!key_id_of(key, id)) return no_crypto(err);
    kd_str path = kd_path_join(arena, folder, kd_arena_fmt(arena, "%s.pub", id));
    if (!path.ptr) return birth_no_memory(err);
    if (kd_file_exists(path.ptr)) return KD_OK;
    BIO *bio = BIO_new(BIO_s_mem());
    kd_status status = bio && PEM_write_bio_PUBKEY(bio, key) == 1 ? KD_OK : no_crypto(err);
    if (status == KD_OK) {
        long len = BIO_get_mem_data(bio, &bytes);
        status = kd_file_write(path.ptr, (kd_str){ bytes, (size_t)len }, err);
    }
    BIO_free(bio);
    return status;
}

static kd_status ensure(const char *register_dir, kd_arena *arena, EVP_PKEY **out_key, kd_error *err)
{
    EVP_PKEY *key = NULL;
    kd_str folder = kd_path_join(arena, kd_str_of(register_dir), KD_STR("keys"));
    kd_str path = kd_path_join(arena, folder, KD_STR("signing.key"));
    if (!path.ptr) return birth_no_memory(err);
    KD_TRY(kd_dir_make(folder.ptr, err));
    if (!kd_file_exists(path.ptr)) KD_TRY(make_key(path.ptr, arena, err));
    KD_TRY(load_private(path.ptr, &key, err));
    kd_status status = write_public(folder, key, arena, err);
    if (status == KD_OK)
        *out_key = key;
    else
        EVP_PKEY_free(key);
    return status;
}

static kd_status open_key(const char *register_dir, EVP_PKEY **out_key, kd_error *err)
{
    kd_arena *arena = kd_arena_new(PATH_ARENA_BYTES);
    if (!arena) return birth_no_memory(err);
    kd_status status = ensure(register_dir, arena, out_key, err);
    kd_arena_free(arena);
    return status;
}

kd_status kd_keys_ensure(const char *register_dir, kd_error *err)
{
    EVP_PKEY *key = NULL;
    KD_TRY(open_key(register_dir, &key, err));
    EVP_PKEY_free(key);
    return KD_OK;
}

kd_status birth_sign(const char *register_dir, kd_str bytes, uint8_t out_signature[64],
                     char out_key_id[BIRTH_KEY_ID_CHARS + 1], kd_error *err)
{
    EVP_PKEY *key = NULL;
    size_t len = 64;
    KD_TRY(open_key(register_dir, &key, err));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_signed = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                     EVP_DigestSign(ctx, out_signature, &len, (const uint8_t *)bytes.ptr, bytes.len) == 1 &&
                     len == 64 && key_id_of(key, out_key_id);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return is_signed ? KD_OK : no_crypto(err);
}

/* ---- checking ---- */

kd_status birth_public_key(const char *path, EVP_PKEY **out_key, char out_key_id[BIRTH_KEY_ID_CHARS + 1], kd_error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) return kd_fail_errno(err, path, "open");
    EVP_PKEY *key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 || !key_id_of(key, out_key_id)) {
        EVP_PKEY_free(key);
        return kd_fail_at(err, KD_INVALID, path, 0, 0, "this is no Ed25519 public key");
    }
    *out_key = key;
    return KD_OK;
}
