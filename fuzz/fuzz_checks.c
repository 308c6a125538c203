#include "register/checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kd_str feeds[] = { { "", 0 }, { "household_registration", 22 }, { "hospital_delivery", 17 } };
    kd_checks *checks;
    kd_error err;
    kd_str text = { (const char *)data, size };
    if (kd_checks_parse(text, "fuzz.yaml", feeds, 3, &checks, &err) != KD_OK) return 0;
    for (size_t i = 0; i < kd_checks_count(checks); i++) {
        const kd_check *check = kd_checks_at(checks, i);
        if (!kd_checks_role(checks, check->role) || check->due_days < 1) __builtin_trap();
        for (size_t source = 0; source < 3; source++) /* nobody is ever looked at as a parent */
            if ((check->known_to.roles[source] | check->unknown_to.roles[source]) &
                (1 << KD_ROLE_MOTHER | 1 << KD_ROLE_FATHER))
                __builtin_trap();
    }
    kd_checks_free(checks);
    return 0;
}
