/* The facts of a task: JSON that begins with the marks that an answer rests on. */
#include "checks.h"

#include <string.h>

static const char OPENING[] = "{\"marks\":\"";

static int by_mark(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void kd_facts_begin(kd_json *json, kd_buf *buffer, const uint64_t *marks, size_t mark_count)
{
    uint64_t sorted[KD_MARKS_MAX];
    char text[KD_MARKS_MAX * (KD_MARK_BYTES + 1)];
    size_t count = mark_count < KD_MARKS_MAX ? mark_count : KD_MARKS_MAX, len = 0;
    for (size_t i = 0; i < count; i++) { /* few marks: insertion is quickest */
        size_t at = i;
        for (; at > 0 && by_mark(&marks[i], &sorted[at - 1]) < 0; at--) sorted[at] = sorted[at - 1];
        sorted[at] = marks[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (len) text[len++] = ' ';
        for (int shift = 60; shift >= 0; shift -= 4) text[len++] = "0123456789abcdef"[sorted[i] >> shift & 15];
    }
    kd_buf_clear(buffer);
    kd_json_init(json, buffer);
    kd_json_object(json);
    kd_json_key(json, "marks");
    kd_json_str(json, (kd_str){ text, len });
}

static kd_str marks_of(kd_str facts)
{
    kd_str opening = kd_str_of(OPENING);
    if (!kd_str_starts(facts, opening)) return (kd_str){ NULL, 0 };
    kd_str rest = kd_str_sub(facts, opening.len, facts.len);
    ptrdiff_t end = kd_str_find(rest, KD_STR("\""));
    return end < 0 ? (kd_str){ NULL, 0 } : kd_str_sub(rest, 0, (size_t)end);
}

bool kd_facts_marks_are_new(kd_str before, kd_str now)
{
    kd_str known = marks_of(before), rest = marks_of(now), mark;
    while (kd_str_next(&rest, ' ', &mark))
        if (mark.len && kd_str_find(known, mark) < 0) return true;
    return false;
}

kd_str kd_identity_masked(kd_str number, char buf[24])
{
    size_t len = number.len < 23 ? number.len : 23;
    for (size_t i = 0; i < len; i++) {
        bool is_shown = len >= 15 && (i < 4 || i + 4 >= len);
        buf[i] = is_shown ? number.ptr[i] : '*';
    }
    buf[len] = '\0';
    return (kd_str){ buf, len };
}
