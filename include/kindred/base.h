/**
 * @file base.h
 * What every Kindred engine shares: status and error values, borrowed text, arenas, days, progress.
 *
 * Part of the public C API. Nothing here needs a database, a file or another module.
 */
#ifndef KINDRED_BASE_H
#define KINDRED_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a call went. Anything but KD_OK leaves every `out_` argument untouched. */
typedef enum {
    KD_OK,
    KD_INVALID,     /* the input is wrong: a person can mend it */
    KD_NOT_FOUND,   /* no such file, row, column, name */
    KD_LIMIT,       /* a named limit was reached: memory, size, depth */
    KD_IO,          /* the operating system said no: disk full, permission, broken pipe */
    KD_CONFLICT,    /* someone else holds it or changed it first: try again */
    KD_CANCELLED,   /* the caller asked to stop */
    KD_UNSUPPORTED, /* well-formed, but not something this build reads */
    KD_DENIED,      /* who asks may not */
} kd_status;

#define KD_CHECKED __attribute__((warn_unused_result))

/** Borrowed UTF-8 bytes, not NUL-terminated; `{NULL, 0}` is empty. */
typedef struct {
    const char *ptr;
    size_t len;
} kd_str;

/** A literal as kd_str: `KD_STR("birth_day")`. */
#define KD_STR(literal) ((kd_str){ "" literal, sizeof(literal) - 1 })
/** For printf: `"%.*s", KD_FMT(s)`. */
#define KD_FMT(s) (int)((s).len > 4096 ? 4096 : (s).len), ((s).ptr ? (s).ptr : "")

/** What went wrong, for a person: where, what, and what to do. Texts are cut at their size, on a character's edge. */
typedef struct {
    kd_status status;
    char file[256];    /* "" when no file is to blame */
    uint64_t line;     /* 1-based; 0 when unknown */
    uint64_t column;   /* 1-based; 0 when unknown */
    char field[64];    /* "birth_day"; "" when no field is to blame */
    char message[320]; /* what happened, one line, no personal data */
    char hint[320];    /* what the person can do; may be "" */
} kd_error;

/** Fill `err` (may be NULL) and return `status`, for `return kd_fail(...)`. */
kd_status kd_fail(kd_error *err, kd_status status, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));
/** The same with a place in a file; `line` and `column` are 1-based, 0 is unknown. */
kd_status kd_fail_at(kd_error *err, kd_status status, const char *file, uint64_t line, uint64_t column, const char *fmt,
                     ...) __attribute__((format(printf, 6, 7), cold));
/** KD_IO (or KD_NOT_FOUND, KD_LIMIT as errno tells) with strerror's words: "FILE: cannot VERB: REASON". */
kd_status kd_fail_errno(kd_error *err, const char *file, const char *verb) __attribute__((cold));
/** Add what to do about it; does nothing when `err` is NULL. */
void kd_hint(kd_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));
/** "FILE:LINE:COLUMN: field: message (hint)" with the parts that are known. Returns bytes written, without NUL. */
size_t kd_error_text(const kd_error *err, char *buf, size_t buf_bytes);
/** "invalid", "not_found", …: stable names for machines. */
const char *kd_status_name(kd_status status);

#ifdef __clang_analyzer__ /* which does not see that a failure returns the status it is given */
#define kd_fail(err, status, ...) ((void)kd_fail(err, status, __VA_ARGS__), (status))
#define kd_fail_at(err, status, ...) ((void)kd_fail_at(err, status, __VA_ARGS__), (status))
#define kd_fail_errno(err, file, verb) ((void)kd_fail_errno(err, file, verb), KD_IO)
#endif

/** Pass a failure up unchanged. */
#define KD_TRY(call)                    \
    do {                                \
        kd_status try_ = (call);        \
        if (try_ != KD_OK) return try_; \
    } while (0)

/* ---- text slices ---- */

kd_str kd_str_of(const char *cstr); /* NULL gives empty */
bool kd_str_eq(kd_str a, kd_str b);
bool kd_str_is(kd_str a, const char *cstr);
int kd_str_cmp(kd_str a, kd_str b); /* bytewise, as memcmp; shorter first */
bool kd_str_starts(kd_str text, kd_str prefix);
bool kd_str_ends(kd_str text, kd_str suffix);
/** Index of `needle` in `text` or -1. */
ptrdiff_t kd_str_find(kd_str text, kd_str needle);
/** Without ASCII white space, U+3000 and U+00A0 at either end. */
kd_str kd_str_trim(kd_str text);
kd_str kd_str_sub(kd_str text, size_t from, size_t to); /* clamped */
/** Split off the part before `sep` and advance `rest`; false when `rest` is exhausted (ptr becomes NULL). */
bool kd_str_next(kd_str *rest, char sep, kd_str *out_part);
/** Whole text as decimal int64, optional '-'. False for anything else or overflow. */
bool kd_str_int(kd_str text, int64_t *out_value);
/** Whole text as a finite number in plain or scientific notation, independent of locale. */
bool kd_str_double(kd_str text, double *out_value);

/* ---- arenas ---- */

/** Memory that is freed whole. Not thread-safe: one for each worker. */
typedef struct kd_arena kd_arena;
kd_arena *kd_arena_new(size_t bytes_max);            /* NULL only when the system has no memory */
void *kd_arena_alloc(kd_arena *arena, size_t bytes); /* zeroed, 16-byte aligned; NULL past bytes_max */
void *kd_arena_array(kd_arena *arena, size_t count, size_t bytes_each); /* overflow-checked kd_arena_alloc */
void kd_arena_reset(kd_arena *arena);                                   /* forget everything, keep the first block */
size_t kd_arena_used(const kd_arena *arena);
void kd_arena_free(kd_arena *arena); /* NULL does nothing */
/** Copy of `text`, NUL-terminated past its length. `{NULL, 0}` when the arena is full. */
kd_str kd_arena_str(kd_arena *arena, kd_str text);
/** Formatted text in the arena, NUL-terminated past its length. */
kd_str kd_arena_fmt(kd_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- days: proleptic Gregorian, days since 1970-01-01 ---- */

#define KD_DAY_NONE INT32_MIN

typedef struct {
    int32_t year;
    uint8_t month, day;
} kd_ymd;

bool kd_ymd_is_valid(kd_ymd date); /* a real day of years 1..9999 */
int32_t kd_day_from_ymd(
    kd_ymd date); /* KD_DAY_NONE when not valid. Source: Hinnant, chrono-compatible low-level date algorithms */
kd_ymd kd_day_to_ymd(int32_t day);
/** "2026-11-23" and nothing else. */
bool kd_day_parse(kd_str text, int32_t *out_day);
/** Writes "2026-11-23" and NUL; "" for KD_DAY_NONE. Returns `buf`. */
char *kd_day_format(int32_t day, char buf[16]);
/** Full years between, the birthday of 29 February being 1 March in common years. Negative when `day` is earlier. */
int32_t kd_day_age_years(int32_t birth_day, int32_t day);

/* ---- progress and cancelling ---- */

/** How long work tells where it is and learns that it should stop. All fields may be zero. */
typedef struct {
    void *ctx;
    /** `total` 0 is unknown. Called from the caller's thread of the work, at most a few hundred times a second. */
    void (*report)(void *ctx, const char *stage, uint64_t done, uint64_t total);
    /** Set to non-zero from any thread or a signal handler: the work ends soon with KD_CANCELLED. */
    const volatile int *cancelled;
} kd_progress;

void kd_progress_report(const kd_progress *progress, const char *stage, uint64_t done, uint64_t total);
bool kd_progress_cancelled(const kd_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
