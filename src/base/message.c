#include "base.h"

#include "messages.h"

#include <string.h>

static _Atomic kd_language of_process = KD_ENGLISH;
static _Thread_local kd_language of_thread;
static _Thread_local bool has_own;

void kd_language_set_all(kd_language language)
{
    of_process = language;
}

void kd_language_set(kd_language language)
{
    of_thread = language;
    has_own = true;
}

kd_language kd_language_now(void)
{
    return has_own ? of_thread : of_process;
}

const char *kd_message(const char *english)
{
    if (kd_language_now() == KD_ENGLISH) return english;
    size_t low = 0, high = KD_MESSAGE_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(english, KD_MESSAGES[middle].english);
        if (order == 0) return KD_MESSAGES[middle].chinese;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return english;
}
