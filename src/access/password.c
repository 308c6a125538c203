/* Rules for passwords, first passwords, Argon2id. */
#include "inner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* ---- rules ---- */

static size_t characters(kd_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* One of the list, or one of the list with nothing but digits and signs after it. */
static bool is_common(const kd_access_pack *pack, kd_str folded)
{
    for (size_t i = 0; i < pack->common_count; i++) {
        if (!kd_str_starts(folded, pack->common[i])) continue;
        size_t at = pack->common[i].len;
        while (at < folded.len && !is_letter(folded.ptr[at])) at++;
        if (at == folded.len) return true;
    }
    return false;
}

/* The same few characters again and again: "abcabcabcabc". */
static bool is_repeated(kd_str text)
{
    enum { UNIT_MAX = 4 };
    for (size_t unit = 1; unit <= UNIT_MAX && unit < text.len; unit++) {
        size_t at = unit;
        while (at < text.len && text.ptr[at] == text.ptr[at - unit]) at++;
        if (at == text.len) return true;
    }
    return false;
}

kd_status kd_password_check(const kd_access_pack *pack, kd_str password, kd_str login, const char *field, kd_error *err)
{
    enum { LOGIN_TOLD_MIN = 3 };
    char folded[KD_PASSWORD_BYTES_MAX];
    kd_str text = { folded, password.len };
    if (password.len > KD_PASSWORD_BYTES_MAX || !kd_utf8_is_valid(password))
        return kd_fail(err, KD_INVALID, field, "the password is too long or no text");
    if ((int64_t)characters(password) < pack->limits.password_length_min)
        return kd_fail(err, KD_INVALID, field, "the password must have at least %lld characters",
                       (long long)pack->limits.password_length_min);
    for (size_t i = 0; i < password.len; i++) folded[i] = lower(password.ptr[i]);
    kd_status status = KD_OK;
    if (login.len >= LOGIN_TOLD_MIN && kd_str_find(text, login) >= 0) {
        status = kd_fail(err, KD_INVALID, field, "the password must not hold the login");
    } else if (is_common(pack, text) || is_repeated(text)) {
        status = kd_fail(err, KD_INVALID, field, "this password is one of those that are tried first");
        kd_hint(err, "three or four words that have nothing to do with one another are easy to keep in mind");
    }
    sodium_memzero(folded, sizeof folded);
    return status;
}

kd_status kd_password_make(kd_arena *arena, kd_str *out_password, kd_error *err)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, none that looks like another */
    enum { GROUPS = 4, GROUP_LEN = 4, LEN = GROUPS * (GROUP_LEN + 1) - 1 };
    char *text = kd_arena_alloc(arena, LEN + 1);
    if (!text) return kd_access_no_memory(err);
    for (size_t i = 0; i < LEN; i++)
        text[i] = i % (GROUP_LEN + 1) == GROUP_LEN ? '-' : alphabet[randombytes_uniform(sizeof alphabet - 1)];
    *out_password = (kd_str){ text, LEN };
    return KD_OK;
}

/* ---- Argon2id, RFC 9106 ---- */

static kd_status fail_cost(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory to check a password");
}

kd_status kd_password_hash(const kd_access_pack *pack, kd_str password, char out[KD_PASSWORD_HASH_BYTES], kd_error *err)
{
    _Static_assert((int)KD_PASSWORD_HASH_BYTES >= (int)crypto_pwhash_STRBYTES, "room for libsodium's text");
    if (crypto_pwhash_str_alg(out, password.ptr ? password.ptr : "", password.len,
                              (unsigned long long)pack->limits.passes, (size_t)pack->limits.memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail_cost(err);
    return KD_OK;
}

kd_status kd_password_verify(const kd_access_pack *pack, kd_str hash, kd_str password, bool *out_is_right,
                             kd_error *err)
{
    static const unsigned char salt[crypto_pwhash_SALTBYTES];
    const char *text = password.ptr ? password.ptr : "";
    if (hash.len == 0) { /* no such account, or one without a password: the same work for nothing */
        unsigned char key[32];
        int code = crypto_pwhash(key, sizeof key, text, password.len, salt, (unsigned long long)pack->limits.passes,
                                 (size_t)pack->limits.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
        if (code != 0) return fail_cost(err);
        *out_is_right = false;
        return KD_OK;
    }
    char kept[KD_PASSWORD_HASH_BYTES] = { 0 };
    if (hash.len >= sizeof kept) return kd_fail(err, KD_INVALID, "", "an account's stored password is damaged");
    memcpy(kept, hash.ptr, hash.len);
    *out_is_right = crypto_pwhash_str_verify(kept, text, password.len) == 0;
    return KD_OK;
}

bool kd_password_is_outdated(const kd_access_pack *pack, kd_str hash)
{
    char kept[KD_PASSWORD_HASH_BYTES] = { 0 };
    if (hash.len == 0 || hash.len >= sizeof kept) return true;
    memcpy(kept, hash.ptr, hash.len);
    return crypto_pwhash_str_needs_rehash(kept, (unsigned long long)pack->limits.passes,
                                          (size_t)pack->limits.memory_bytes) != 0;
}
