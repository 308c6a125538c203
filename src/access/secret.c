/* Random secrets, and what is stored of them. */
#include "inner.h"

#include <sodium.h>
#include <string.h>

enum { SECRET_BYTES = 32, SECRET_TEXT_LEN = 43 };

static void encode(const unsigned char bytes[SECRET_BYTES], char out[KD_SECRET_TEXT_BYTES])
{
    sodium_bin2base64(out, KD_SECRET_TEXT_BYTES, bytes, SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void kd_secret_make(char out[KD_SECRET_TEXT_BYTES])
{
    unsigned char bytes[SECRET_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    encode(bytes, out);
    sodium_memzero(bytes, sizeof bytes);
}

void kd_secret_hash(kd_str secret, char out_hex[KD_HASH_TEXT_BYTES])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const unsigned char *)(secret.ptr ? secret.ptr : ""), secret.len);
    sodium_bin2hex(out_hex, KD_HASH_TEXT_BYTES, digest, sizeof digest);
}

bool kd_secret_is_plausible(kd_str text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text.len != SECRET_TEXT_LEN) return false;
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(alphabet, text.ptr[i], sizeof alphabet - 1)) return false;
    return true;
}

void kd_csrf_of(kd_str seed, char out[KD_SECRET_TEXT_BYTES])
{
    static const unsigned char label[] = "kindred csrf";
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, label, sizeof label);
    crypto_hash_sha256_update(&state, (const unsigned char *)seed.ptr, seed.len);
    crypto_hash_sha256_final(&state, digest);
    encode(digest, out);
}

bool kd_secret_eq(kd_str a, kd_str b)
{
    return a.len == b.len && a.len > 0 && sodium_memcmp(a.ptr, b.ptr, a.len) == 0;
}
