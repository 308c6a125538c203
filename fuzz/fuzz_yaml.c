#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kd_arena *arena = kd_arena_new(1 << 20);
    const kd_yaml *root;
    kd_error err;
    if (arena && kd_yaml_parse(arena, (kd_str){ (const char *)data, size }, "fuzz.yaml", &root, &err) == KD_OK)
        (void)kd_yaml_get(root, "a");
    kd_arena_free(arena);
    return 0;
}
