/*
 * Pictures that belong to a task, kept in the archive by content, as they are: pictures do not compress further. Only what
 * they begin with is trusted to say what they are.
 */
#include "register.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_BYTES = 65, PATH_BYTES = 4096, OBJECT_BYTES_MAX = 64, LISTED_MAX = 200 };

typedef struct {
    const char *content_type, *ending;
    const char *magic, *magic_later; /* what it begins with, and what stands further on; NULL: nothing */
    size_t magic_bytes, later_at, later_bytes;
} picture;

/* Sources: ISO/IEC 10918-1 B.1.1.3 (SOI and the marker after it); ISO/IEC 15948 5.2; RFC 9649 2.4. */
static const picture PICTURES[] = { { "image/jpeg", "jpg", "\xFF\xD8\xFF", NULL, 3, 0, 0 },
                                    { "image/png", "png", "\x89PNG\r\n\x1A\n", "IHDR", 8, 12, 4 },
                                    { "image/webp", "webp", "RIFF", "WEBPVP8", 4, 8, 7 } };
enum { PICTURE_COUNT = sizeof PICTURES / sizeof PICTURES[0] };

static const picture *picture_of(kd_str bytes)
{
    for (size_t i = 0; i < PICTURE_COUNT; i++) {
        const picture *p = &PICTURES[i];
        if (bytes.len < p->magic_bytes || memcmp(bytes.ptr, p->magic, p->magic_bytes) != 0) continue;
        bool is_right = !p->magic_later || (bytes.len >= p->later_at + p->later_bytes &&
                                            memcmp(bytes.ptr + p->later_at, p->magic_later, p->later_bytes) == 0);
        if (is_right) return p;
    }
    return NULL;
}

static const picture *picture_of_type(kd_str content_type)
{
    for (size_t i = 0; i < PICTURE_COUNT; i++)
        if (kd_str_is(content_type, PICTURES[i].content_type)) return &PICTURES[i];
    return NULL;
}

static kd_status hash_bytes(kd_str bytes, char out_hex[HEX_BYTES], kd_error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(), NULL) != 1 || len != 32)
        return kd_fail(err, KD_LIMIT, "", "the hash of the picture cannot be made");
    for (size_t i = 0; i < 32; i++) {
        out_hex[2 * i] = digits[digest[i] >> 4];
        out_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    out_hex[64] = '\0';
    return KD_OK;
}

/* Written whole beside and renamed; a picture that is there already is left alone. */
static kd_status archive(const char *register_dir, const char *hex, const picture *p, kd_str bytes, kd_error *err)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    int a = snprintf(folder, sizeof folder, "%s/archive/%.2s", register_dir, hex);
    int b = snprintf(path, sizeof path, "%s/archive/%.2s/%s.%s", register_dir, hex, hex, p->ending);
    if (a < 0 || b < 0 || (size_t)a >= sizeof folder || (size_t)b >= sizeof path)
        return kd_fail(err, KD_LIMIT, "", "the path of the archive is too long");
    if (kd_file_exists(path)) return KD_OK;
    KD_TRY(kd_dir_make(folder, err));
    return kd_file_write(path, bytes, err);
}

static kd_status add(kd_register *reg, kd_str object, kd_str bytes, int64_t account_id, int64_t *out_id, kd_error *err)
{
    char hex[HEX_BYTES];
    const picture *p = picture_of(bytes);
    if (!p) {
        kd_fail(err, KD_INVALID, "file", "this is no picture that can be kept");
        kd_hint(err, "take a photo as JPEG, PNG or WebP");
        return KD_INVALID;
    }
    KD_TRY(hash_bytes(bytes, hex, err));
    KD_TRY(archive(kd_register_dir(reg), hex, p, bytes, err));
    int64_t id = kd_register_next_id(reg);
    KD_TRY(kd_store_exec(kd_register_store(reg), err, NULL,
                         "insert into attachment (id, object, content_hash, content_type, bytes, account_id, at) "
                         "values ($1, $2, $3, $4, $5, $6, $7)",
                         KD_VALUES(kd_int(id), kd_text_value(object), kd_text_value(kd_str_of(hex)),
                                   kd_text_value(kd_str_of(p->content_type)), kd_int((int64_t)bytes.len),
                                   kd_int(account_id), kd_int(kd_now_us()))));
    *out_id = id;
    return KD_OK;
}

kd_status kd_attachment_add(kd_register *reg, kd_str object, const char *path, int64_t account_id, int64_t *out_id,
                            kd_error *err)
{
    kd_mapping file;
    if (object.len == 0 || object.len > OBJECT_BYTES_MAX)
        return kd_fail(err, KD_INVALID, "object", "what the picture belongs to is not named rightly");
    KD_TRY(kd_mapping_open(path, &file, err));
    kd_status status = add(reg, object, file.bytes, account_id, out_id, err);
    kd_mapping_close(&file);
    return status;
}

/* ---- reading ---- */

#define ATTACHMENT_COLUMNS "id, bytes, account_id, at, object, content_hash, content_type"

static kd_status read_attachment(const kd_rows *rows, kd_arena *arena, kd_attachment *out, kd_error *err)
{
    *out = (kd_attachment){ .id = kd_rows_int(rows, 0),
                            .bytes = kd_rows_int(rows, 1),
                            .account_id = kd_rows_int(rows, 2),
                            .at = kd_rows_int(rows, 3),
                            .object = kd_arena_str(arena, kd_rows_text(rows, 4)),
                            .content_hash = kd_arena_str(arena, kd_rows_text(rows, 5)),
                            .content_type = kd_arena_str(arena, kd_rows_text(rows, 6)) };
    bool is_whole = out->object.ptr && out->content_hash.ptr && out->content_type.ptr;
    return is_whole ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for the pictures");
}

kd_status kd_attachment_list(kd_register *reg, kd_str object, kd_arena *arena, kd_attachment **out_attachments,
                             size_t *out_count, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    size_t count = 0;
    kd_attachment *list = kd_arena_array(arena, LISTED_MAX, sizeof *list);
    if (!list) return kd_fail(err, KD_LIMIT, "", "no memory for the pictures");
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " ATTACHMENT_COLUMNS " from attachment where object = $1 order by id limit $2",
                          KD_VALUES(kd_text_value(object), kd_int(LISTED_MAX))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < LISTED_MAX) {
        status = read_attachment(rows, arena, &list[count], err);
        if (status != KD_OK) break;
        count++;
    }
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    *out_attachments = list;
    *out_count = count;
    return KD_OK;
}

kd_status kd_attachment_get(kd_register *reg, int64_t id, kd_arena *arena, kd_attachment *out_attachment, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    kd_attachment found = { 0 };
    KD_TRY(kd_store_query(kd_register_store(reg), err, &rows,
                          "select " ATTACHMENT_COLUMNS " from attachment where id = $1", KD_VALUES(kd_int(id))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK && has_row) status = read_attachment(rows, arena, &found, err);
    kd_rows_close(rows);
    if (status != KD_OK) return status;
    if (!has_row) return kd_fail(err, KD_NOT_FOUND, "", "there is no picture with this id");
    *out_attachment = found;
    return KD_OK;
}

kd_status kd_attachment_path(const kd_register *reg, const kd_attachment *attachment, kd_arena *arena, kd_str *out_path,
                             kd_error *err)
{
    const picture *p = picture_of_type(attachment->content_type);
    if (!p) return kd_fail(err, KD_INVALID, "", "a picture of a kind that is not kept");
    kd_str path =
        kd_arena_fmt(arena, "%s/archive/%.*s/%.*s.%s", kd_register_dir(reg),
                     KD_FMT(kd_str_sub(attachment->content_hash, 0, 2)), KD_FMT(attachment->content_hash), p->ending);
    if (!path.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for a path");
    *out_path = path;
    return KD_OK;
}
