#include "exchange/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kd_feed_pack *pack = NULL;
    kd_error err = { 0 };
    if (kd_feed_pack_parse((kd_str){ (const char *)data, size }, "fuzz.yaml", &pack, &err) != KD_OK) return 0;
    kd_feed_info info = kd_feed_pack_info(pack);
    if (info.record_count == 0 || info.required_columns == 0 || info.feed.len == 0) __builtin_trap();
    kd_feed_pack_free(pack);
    return 0;
}
