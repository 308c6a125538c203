#include "inner.h"

#include <sodium.h>
#include <stdlib.h>

kd_status kd_access_no_memory(kd_error *err)
{
    return kd_fail(err, KD_LIMIT, "", "no memory for the accounts");
}

kd_status kd_access_open(kd_register *reg, const kd_access_pack *pack, kd_access **out_access, kd_error *err)
{
    if (sodium_init() < 0) return kd_fail(err, KD_UNSUPPORTED, "", "the system gives no random numbers");
    kd_access *access = calloc(1, sizeof *access);
    if (!access) return kd_access_no_memory(err);
    *access = (kd_access){ .reg = reg, .store = kd_register_store(reg), .pack = pack };
    *out_access = access;
    return KD_OK;
}

void kd_access_close(kd_access *access)
{
    free(access);
}

void kd_access_set_now(kd_access *access, int64_t now_us)
{
    access->fixed_now = now_us;
}

int64_t kd_access_now(const kd_access *access)
{
    return access->fixed_now ? access->fixed_now : kd_now_us();
}

int64_t kd_access_minutes(int64_t us)
{
    return us > 0 ? (us + KD_MINUTE_US - 1) / KD_MINUTE_US : 1;
}

kd_status kd_like_pattern(kd_arena *arena, kd_str text, bool is_anywhere, kd_value *out_pattern, kd_error *err)
{
    char *to = kd_arena_alloc(arena, 2 * text.len + 2);
    size_t len = 0;
    if (!to) return kd_access_no_memory(err);
    if (is_anywhere) to[len++] = '%';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' || c == '_' || c == '!') to[len++] = '!';
        to[len++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    to[len++] = '%';
    *out_pattern = kd_text_value((kd_str){ to, len });
    return KD_OK;
}
