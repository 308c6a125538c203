/**
 * @file base.h
 * What the whole program stands on: the public base plus buffers, JSON out, YAML in, ids, hashes, files, threads.
 */
#ifndef KD_BASE_H
#define KD_BASE_H

#include <kindred/base.h>

#include <time.h>

/* ---- the language of messages ---- */

typedef enum { KD_ENGLISH, KD_CHINESE } kd_language;
/** Language in which errors are told from now on: by every thread that has not set its own, and by this one. English at first. */
void kd_language_set_all(kd_language language);
void kd_language_set(kd_language language);
kd_language kd_language_now(void);
/**
 * The text in the thread's language: from src/base/messages.csv, itself when it is not there. Formats keep their conversions, so
 * what is safe for one is safe for the other; scripts/messages.py holds both to it.
 */
const char *kd_message(const char *english) __attribute__((format_arg(1)));

/* ---- growable bytes ---- */

/** Grows on the heap up to `bytes_max`; the first failure sticks in `status` and later adds do nothing. */
typedef struct {
    char *ptr;
    size_t len, cap, bytes_max;
    kd_status status;
} kd_buf;

void kd_buf_init(kd_buf *buf, size_t bytes_max);
void kd_buf_done(kd_buf *buf);
void kd_buf_clear(kd_buf *buf); /* keeps the memory */
void kd_buf_add(kd_buf *buf, const void *bytes, size_t len);
void kd_buf_str(kd_buf *buf, kd_str text);
void kd_buf_cstr(kd_buf *buf, const char *text);
void kd_buf_char(kd_buf *buf, char c);
void kd_buf_int(kd_buf *buf, int64_t value);
void kd_buf_fmt(kd_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Room for `len` more bytes at the returned address; count them with `buf->len +=`. NULL past the limit. */
char *kd_buf_room(kd_buf *buf, size_t len);
kd_str kd_buf_view(const kd_buf *buf); /* valid until the next add */

/* ---- JSON out: streaming, commas and escapes made here ---- */

/** Writes RFC 8259 text into a buffer. Bytes that are not UTF-8 become U+FFFD. Depth is at most 64. */
typedef struct {
    kd_buf *out;
    int depth;
    uint64_t has_member; /* bit per depth */
    bool after_key;
} kd_json;

void kd_json_init(kd_json *json, kd_buf *out);
void kd_json_object(kd_json *json);
void kd_json_object_end(kd_json *json);
void kd_json_array(kd_json *json);
void kd_json_array_end(kd_json *json);
void kd_json_key(kd_json *json, const char *key);
void kd_json_str(kd_json *json, kd_str text);
void kd_json_int(kd_json *json, int64_t value);
void kd_json_double(kd_json *json, double value, int decimals); /* not finite becomes null */
void kd_json_bool(kd_json *json, bool value);
void kd_json_null(kd_json *json);
/* key and value together; an empty text or KD_DAY_NONE becomes null */
void kd_json_kstr(kd_json *json, const char *key, kd_str text);
void kd_json_kint(kd_json *json, const char *key, int64_t value);
void kd_json_kdouble(kd_json *json, const char *key, double value, int decimals);
void kd_json_kbool(kd_json *json, const char *key, bool value);
void kd_json_kday(kd_json *json, const char *key, int32_t day);

/* ---- YAML in: libyaml events as a tree that knows its lines ---- */

typedef enum { KD_YAML_SCALAR, KD_YAML_LIST, KD_YAML_MAP } kd_yaml_kind;

/** One node; lives in the document's arena. Children of a map carry `key`. */
typedef struct kd_yaml kd_yaml;
struct kd_yaml {
    kd_yaml_kind kind;
    uint32_t line, column; /* 1-based */
    kd_str key;            /* within a map */
    kd_str text;           /* of a scalar; NUL-terminated past its length */
    bool is_plain;         /* scalar without quotes: ~, true, 12 mean what they look like */
    const kd_yaml *first, *next;
    size_t count; /* children */
    const char *file;
};

/** Parse one document. Duplicate keys, anchors, aliases, tags and depth above 32 are KD_INVALID with line and column. */
KD_CHECKED kd_status kd_yaml_parse(kd_arena *arena, kd_str text, const char *file, const kd_yaml **out_root,
                                   kd_error *err);
KD_CHECKED kd_status kd_yaml_load(kd_arena *arena, const char *path, const kd_yaml **out_root, kd_error *err);
/** Child of a map by key, or NULL (also when `map` is NULL or no map). */
const kd_yaml *kd_yaml_get(const kd_yaml *map, const char *key);
/** Text of a scalar child, or `otherwise`; a plain `~` or `null` counts as absent. */
kd_str kd_yaml_text(const kd_yaml *map, const char *key, kd_str otherwise);
/** Typed children. Absent gives `otherwise`; wrong type fails with line and column, saying what was expected. */
KD_CHECKED kd_status kd_yaml_int(const kd_yaml *map, const char *key, int64_t otherwise, int64_t *out, kd_error *err);
KD_CHECKED kd_status kd_yaml_double(const kd_yaml *map, const char *key, double otherwise, double *out, kd_error *err);
KD_CHECKED kd_status kd_yaml_bool(const kd_yaml *map, const char *key, bool otherwise, bool *out, kd_error *err);
/** KD_INVALID naming the first key of `map` that is not in the NULL-ended list, and the nearest that is. */
KD_CHECKED kd_status kd_yaml_only(const kd_yaml *map, const char *const *keys, kd_error *err);
/** KD_INVALID at the node's place. */
kd_status kd_yaml_fail(kd_error *err, const kd_yaml *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
#ifdef __clang_analyzer__
#define kd_yaml_fail(err, ...) ((void)kd_yaml_fail(err, __VA_ARGS__), KD_INVALID)
#endif

/* ---- hashes and maps ---- */

uint64_t kd_hash(const void *bytes, size_t len, uint64_t seed); /* fast, not for secrets; same on every machine */
uint64_t kd_hash_int(uint64_t value);

/** uint64 to uint64, open addressing. Key UINT64_MAX is reserved. */
typedef struct kd_map kd_map;
kd_map *kd_map_new(size_t expected);
void kd_map_free(kd_map *map);
/** Slot of `key`, made with value 0 when absent (`*out_is_new`, may be NULL). NULL when memory is out. */
uint64_t *kd_map_put(kd_map *map, uint64_t key, bool *out_is_new);
uint64_t *kd_map_get(const kd_map *map, uint64_t key); /* NULL when absent */
size_t kd_map_count(const kd_map *map);
/** Every key and value, in no order that means anything. */
void kd_map_each(const kd_map *map, void (*visit)(void *ctx, uint64_t key, uint64_t value), void *ctx);

/** Distinct texts to dense codes 0, 1, 2 …; keeps its own copies. */
typedef struct kd_dict kd_dict;
#define KD_DICT_NONE UINT32_MAX
kd_dict *kd_dict_new(void);
void kd_dict_free(kd_dict *dict);
uint32_t kd_dict_add(kd_dict *dict, kd_str text); /* KD_DICT_NONE when memory or codes are out */
uint32_t kd_dict_find(const kd_dict *dict, kd_str text);
kd_str kd_dict_text(const kd_dict *dict, uint32_t code); /* valid until the next add */
uint32_t kd_dict_count(const kd_dict *dict);
/** All texts as one Arrow large-string array: count + 1 offsets into the bytes. Valid until the next add. */
const int64_t *kd_dict_offsets(const kd_dict *dict);
const char *kd_dict_bytes(const kd_dict *dict);

/* ---- random numbers: the same everywhere for a seed ---- */

/** xoshiro256**, Blackman & Vigna 2018. */
typedef struct {
    uint64_t s[4];
} kd_rng;
void kd_rng_init(kd_rng *rng, uint64_t seed);
uint64_t kd_rng_next(kd_rng *rng);
double kd_rng_unit(kd_rng *rng);                    /* [0, 1) */
uint64_t kd_rng_below(kd_rng *rng, uint64_t bound); /* unbiased; 0 for bound 0 */
double kd_rng_normal(kd_rng *rng);

/* ---- ids: 41 bits ms since 2020-01-01, 10 bits node, 12 bits count ---- */

/** Makes rising ids; runs ahead of the clock rather than wait. Not thread-safe. */
typedef struct {
    int64_t last;
    uint32_t node; /* 0..1023 */
} kd_id_maker;
int64_t kd_id_next(kd_id_maker *maker);
#define KD_ID_TEXT_BYTES 14
/** 13 characters of Crockford base 32 and NUL. Returns `buf`. */
char *kd_id_format(int64_t id, char buf[KD_ID_TEXT_BYTES]);
/** Reads what kd_id_format wrote, in either case, O as 0, I and L as 1; also plain decimal of 14 digits and more. */
bool kd_id_parse(kd_str text, int64_t *out_id);

/* ---- clock ---- */

int64_t kd_now_us(void);             /* µs since 1970-01-01 UTC. KINDRED_NOW=YYYY-MM-DD fixes the day, for tests */
int32_t kd_today(void);              /* day in China Standard Time (UTC+8) */
double kd_seconds(void);             /* monotonic */
struct timespec kd_deadline(int ms); /* so long from now on CLOCK_MONOTONIC, for waits that end */
uint64_t kd_memory_peak_bytes(void);
char *kd_instant_format(int64_t us, char buf[32]); /* "2026-11-23T16:04:48Z" */

/* ---- files ---- */

/** A whole file mapped read-only; an empty file gives an empty view. */
typedef struct {
    kd_str bytes;
} kd_mapping;
KD_CHECKED kd_status kd_mapping_open(const char *path, kd_mapping *out, kd_error *err);
void kd_mapping_close(kd_mapping *mapping);
/** Whole file in the arena, NUL-terminated. KD_LIMIT above `bytes_max`. */
KD_CHECKED kd_status kd_file_read(kd_arena *arena, const char *path, size_t bytes_max, kd_str *out, kd_error *err);
/** Write beside, fsync, rename over: readers see the old or the new file, never half. */
KD_CHECKED kd_status kd_file_write(const char *path, kd_str bytes, kd_error *err);
KD_CHECKED kd_status kd_dir_make(const char *path, kd_error *err); /* with parents; existing is fine */
bool kd_file_exists(const char *path);
/** `name` as given when absolute, else beside `base_file`. Arena copy. */
kd_str kd_path_beside(kd_arena *arena, const char *base_file, kd_str name);
kd_str kd_path_join(kd_arena *arena, kd_str dir, kd_str name);
/**
 * Path of a shipped data file ("text/pinyin.csv", "packs/cn"): $KINDRED_DATA, then the source tree the program was
 * built from, then the installed data directory. KD_NOT_FOUND names all three.
 */
KD_CHECKED kd_status kd_data_path(kd_arena *arena, const char *name, kd_str *out_path, kd_error *err);

/* ---- threads ---- */

/** Cores this process may use; KINDRED_THREADS overrides. */
unsigned kd_threads(void);
/**
 * Run `work(ctx, item)` for item 0 .. items-1 on up to `threads` threads, the caller's among them; items are handed
 * out in rising order. The status is that of the lowest failing item; no new item starts after a failure.
 */
typedef kd_status (*kd_work)(void *ctx, size_t item, kd_error *err);
KD_CHECKED kd_status kd_parallel(unsigned threads, size_t items, kd_work work, void *ctx, kd_error *err);

/* ---- messages: JSON lines on stderr when not a terminal, plain words when it is ---- */

typedef enum { KD_LOG_DEBUG, KD_LOG_INFO, KD_LOG_WARN, KD_LOG_ERROR } kd_log_level;
/** `message` carries no personal data. Thread-safe. KINDRED_LOG=debug|info|warn|error sets the least level shown. */
void kd_log(kd_log_level level, const char *message, ...) __attribute__((format(printf, 2, 3)));

#endif
