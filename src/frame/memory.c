#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { COLUMN_ALIGNMENT = 64, HUGE_PAGE_BYTES = 2 << 20 };

bool memory_charge(memory_budget *budget, size_t bytes)
{
    size_t used = __atomic_add_fetch(&budget->used, bytes, __ATOMIC_RELAXED);
    if (!budget->bytes_max || used <= budget->bytes_max) return true;
    __atomic_sub_fetch(&budget->used, bytes, __ATOMIC_RELAXED);
    return false;
}

void memory_refund(memory_budget *budget, size_t bytes)
{
    __atomic_sub_fetch(&budget->used, bytes, __ATOMIC_RELAXED);
}

void *memory_resize(memory_budget *budget, void *old, size_t old_bytes, size_t bytes)
{
    if (bytes > old_bytes && !memory_charge(budget, bytes - old_bytes)) return NULL;
    void *grown = realloc(old, bytes ? bytes : 1);
    if (grown && bytes < old_bytes) memory_refund(budget, old_bytes - bytes);
    if (!grown && bytes > old_bytes) memory_refund(budget, bytes - old_bytes);
    return grown;
}

void memory_free(memory_budget *budget, void *memory, size_t bytes)
{
    if (!memory) return;
    free(memory);
    memory_refund(budget, bytes);
}

void *memory_column(memory_budget *budget, size_t bytes)
{
    if (bytes > SIZE_MAX - HUGE_PAGE_BYTES) return NULL;
    bool is_large = bytes >= 2 * (size_t)HUGE_PAGE_BYTES;
    size_t alignment = is_large ? HUGE_PAGE_BYTES : COLUMN_ALIGNMENT;
    size_t rounded = (bytes + COLUMN_ALIGNMENT) & ~(size_t)(COLUMN_ALIGNMENT - 1);
    if (!memory_charge(budget, bytes)) return NULL;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, rounded) != 0) {
        memory_refund(budget, bytes);
        return NULL;
    }
    /* fewer page faults; a system without huge pages says no and nothing is lost */
    if (is_large) (void)madvise(memory, rounded & ~(size_t)(HUGE_PAGE_BYTES - 1), MADV_HUGEPAGE);
    return memory;
}

kd_status memory_fail(kd_error *err, const memory_budget *budget)
{
    if (!budget->bytes_max) return kd_fail(err, KD_LIMIT, "", "no memory for the table");
    kd_fail(err, KD_LIMIT, "", "the table needs more than the %zu bytes it may take", budget->bytes_max);
    kd_hint(err, "split the file, or raise the limit");
    return KD_LIMIT;
}
