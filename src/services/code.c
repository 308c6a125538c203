/*
 * The code on a confirmation: KD1.PAYLOAD.SIGNATURE.KEYID. The payload is {"n":number,"d":birth date,"c":county,"i":day of issue}
 * and nothing else: no name, nothing of the parents. Ed25519 signs "KD1.PAYLOAD"; payload and signature in base64url (RFC 4648 §5).
 */
#include "births.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 4096, PAYLOAD_BYTES_MAX = 256 };

/* ---- base64url ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(kd_buf *out, const uint8_t *bytes, size_t len)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6) kd_buf_char(out, alphabet[bits >> (count - 6) & 63]);
    }
    if (count) kd_buf_char(out, alphabet[bits << (6 - count) & 63]);
}

/* Strict: bits that are left over must be zero, so that a code has one spelling. */
static bool decode(kd_str text, uint8_t *out, size_t max, size_t *out_len)
{
    uint32_t bits = 0;
    int count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
        if (!at) return false;
        bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xFFFFFF;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        if (len == max) return false;
        out[len++] = (uint8_t)(bits >> count);
    }
    *out_len = len;
    return count < 6 && (bits & ((1U << count) - 1)) == 0;
}

/* ---- taking apart ---- */

bool birth_code_split(kd_str text, birth_code *out)
{
    kd_str parts[4], rest = kd_str_trim(text);
    size_t count = 0, len = 0;
    if (rest.len > BIRTH_CODE_BYTES_MAX) return false;
    const char *start = rest.ptr;
    for (kd_str part; kd_str_next(&rest, '.', &part);) {
        if (count == 4) return false;
        parts[count++] = part;
    }
    if (count != 4 || !kd_str_is(parts[0], "KD1") || parts[3].len != BIRTH_KEY_ID_CHARS) return false;
    for (size_t i = 0; i < BIRTH_KEY_ID_CHARS; i++)
        if (!parts[3].ptr[i] || !strchr("0123456789abcdef", parts[3].ptr[i])) return false;
    if (!decode(parts[2], out->signature, sizeof out->signature, &len) || len != sizeof out->signature) return false;
    if (!decode(parts[1], (uint8_t *)out->payload, sizeof out->payload, &out->payload_len)) return false;
    out->signed_text = (kd_str){ start, (size_t)(parts[1].ptr + parts[1].len - start) };
    memcpy(out->key_id, parts[3].ptr, BIRTH_KEY_ID_CHARS);
    out->key_id[BIRTH_KEY_ID_CHARS] = '\0';
    return true;
}

static bool read_date(kd_str text, int32_t *out_day, kd_birth_precision *out_precision)
{
    static const struct {
        size_t len;
        const char *rest;
        kd_birth_precision precision;
    } shapes[] = { { 10, "", KD_BIRTH_DAY_EXACT },
                   { 7, "-01", KD_BIRTH_DAY_MONTH },
                   { 4, "-01-01", KD_BIRTH_DAY_YEAR } };
    char whole[16];
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (text.len != shapes[i].len) continue;
        snprintf(whole, sizeof whole, "%.*s%s", KD_FMT(text), shapes[i].rest);
        *out_precision = shapes[i].precision;
        return kd_day_parse(kd_str_of(whole), out_day);
    }
    return false;
}

static bool read_members(const json_t *root, birth_code_says *out)
{
    const char *texts[4];
    static const char *const names[4] = { "n", "d", "c", "i" };
    kd_birth_precision issued;
    if (!json_is_object(root) || json_object_size(root) != 4) return false;
    for (size_t i = 0; i < 4; i++)
        if (!(texts[i] = json_string_value(json_object_get(root, names[i])))) return false;
    if (!birth_number_is_valid(kd_str_of(texts[0])) || strlen(texts[2]) != 6) return false;
    for (size_t i = 0; i < 6; i++)
        if (texts[2][i] < '0' || texts[2][i] > '9') return false;
    snprintf(out->number, sizeof out->number, "%s", texts[0]);
    snprintf(out->county, sizeof out->county, "%.6s", texts[2]);
    return read_date(kd_str_of(texts[1]), &out->birth_day, &out->precision) &&
           read_date(kd_str_of(texts[3]), &out->issued_day, &issued) && issued == KD_BIRTH_DAY_EXACT;
}

bool birth_code_read(kd_str payload, birth_code_says *out)
{
    if (payload.len > PAYLOAD_BYTES_MAX) return false;
    json_t *root = json_loadb(payload.ptr ? payload.ptr : "", payload.len, JSON_REJECT_DUPLICATES, NULL);
    bool is_read = root && read_members(root, out);
    json_decref(root);
    return is_read;
}

/* ---- making ---- */

kd_status kd_birth_code(kd_register *reg, const kd_birth *birth, size_t child, int32_t issued_day, kd_buf *out,
                        kd_error *err)
{
    char payload[PAYLOAD_BYTES_MAX], born[16], issued[16], key_id[BIRTH_KEY_ID_CHARS + 1];
    uint8_t signature[64];
    const kd_birth_declaration *d = &birth->declaration;
    kd_str number = birth->children[child].number;
    int len = snprintf(payload, sizeof payload, "{\"n\":\"%.*s\",\"d\":\"%s\",\"c\":\"%.6s\",\"i\":\"%s\"}",
                       KD_FMT(number), birth_date_format(d->birth_day, d->precision, born),
                       number.len >= 6 ? number.ptr : "000000", kd_day_format(issued_day, issued));
    size_t start = out->len;
    kd_buf_cstr(out, "KD1.");
    encode(out, (const uint8_t *)payload, (size_t)len);
    if (out->status != KD_OK) return birth_no_memory(err);
    KD_TRY(birth_sign(kd_register_dir(reg), (kd_str){ out->ptr + start, out->len - start }, signature, key_id, err));
    kd_buf_char(out, '.');
    encode(out, signature, sizeof signature);
    kd_buf_char(out, '.');
    kd_buf_cstr(out, key_id);
    return out->status == KD_OK ? KD_OK : birth_no_memory(err);
}

/* ---- checking ---- */

static kd_status fault(kd_code_verdict *verdict, kd_str zh, kd_str en)
{
    verdict->fault_zh = zh;
    verdict->fault_en = en;
    return KD_OK;
}

/* The public key that the code names: KEYID.pub of a folder (or of its keys/), or the one file given. */
static kd_status find_key(const char *keys_path, const char *key_id, EVP_PKEY **out_key, bool *out_is_other,
                          kd_error *err)
{
    static const char *const inner[] = { "", "/keys" };
    char path[PATH_BYTES_MAX], id[BIRTH_KEY_ID_CHARS + 1];
    struct stat info;
    EVP_PKEY *key = NULL;
    *out_is_other = false;
    if (stat(keys_path, &info) != 0) return kd_fail_errno(err, keys_path, "open");
    snprintf(path, sizeof path, "%s", keys_path);
    if (S_ISDIR(info.st_mode)) {
        size_t i = 0;
        for (; i < 2; i++) {
            int len = snprintf(path, sizeof path, "%s%s/%s.pub", keys_path, inner[i], key_id);
            if (len > 0 && (size_t)len < sizeof path && kd_file_exists(path)) break;
        }
        if (i == 2) {
            *out_is_other = true;
            return KD_OK;
        }
    }
    KD_TRY(birth_public_key(path, &key, id, err));
    if (strcmp(id, key_id) != 0) { /* a file named after another key, or not the one that signed */
        EVP_PKEY_free(key);
        *out_is_other = true;
        return KD_OK;
    }
    *out_key = key;
    return KD_OK;
}

static bool is_signed_by(const birth_code *code, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_right = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, code->signature, sizeof code->signature,
                                     (const uint8_t *)code->signed_text.ptr, code->signed_text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_right;
}

static kd_status read_verdict(const birth_code *code, kd_arena *arena, kd_code_verdict *verdict, kd_error *err)
{
    birth_code_says says;
    if (!birth_code_read((kd_str){ code->payload, code->payload_len }, &says))
        return fault(verdict, KD_STR("签名有效，但内容不是出生登记码"),
                     KD_STR("signed rightly, but not the code of a birth"));
    verdict->number = kd_arena_str(arena, kd_str_of(says.number));
    verdict->issued_by = kd_arena_str(arena, kd_str_of(says.county));
    if (!verdict->number.ptr || !verdict->issued_by.ptr) return birth_no_memory(err);
    char born[16];
    verdict->birth_date = kd_arena_str(arena, kd_str_of(birth_date_format(says.birth_day, says.precision, born)));
    if (!verdict->birth_date.ptr) return birth_no_memory(err);
    verdict->birth_day = says.birth_day;
    verdict->issued_day = says.issued_day;
    verdict->is_right = true;
    return KD_OK;
}

kd_status kd_code_verify(kd_str text, const char *keys_path, kd_arena *arena, kd_code_verdict *out_verdict,
                         kd_error *err)
{
    birth_code code;
    EVP_PKEY *key = NULL;
    bool is_other;
    kd_code_verdict verdict = { .birth_day = KD_DAY_NONE, .issued_day = KD_DAY_NONE };
    if (!birth_code_split(text, &code)) {
        *out_verdict = verdict;
        return fault(out_verdict, KD_STR("这不是出生登记码，或没有读全"),
                     KD_STR("this is no code of a birth, or not all of one"));
    }
    verdict.key_id = kd_arena_str(arena, kd_str_of(code.key_id));
    if (!verdict.key_id.ptr) return birth_no_memory(err);
    KD_TRY(find_key(keys_path, code.key_id, &key, &is_other, err));
    kd_status status;
    if (is_other)
        status = fault(&verdict, KD_STR("没有签发它的公钥"), KD_STR("signed with a key that is not among those given"));
    else if (!is_signed_by(&code, key))
        status =
            fault(&verdict, KD_STR("签名不对：内容被改动过"), KD_STR("the signature is wrong: something was altered"));
    else
        status = read_verdict(&code, arena, &verdict, err);
    EVP_PKEY_free(key);
    if (status == KD_OK) *out_verdict = verdict;
    return status;
}
