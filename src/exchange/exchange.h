/**
 * @file exchange.h
 * Departments' files into the register: feeds described by packs, files recognised by their header, rows turned into source
 * records, one transaction a file.
 *
 * A file is read as docs/feeds.md says. The work is in three layers that can be used alone: packs (what a feed looks like),
 * kd_feed_read (a file to source records, no database), kd_import_file (that, the archive and the batch in a register).
 */
#ifndef KD_EXCHANGE_H
#define KD_EXCHANGE_H

#include "register/register.h"

#include <kindred/frame.h>

/* ---- packs ---- */

/** One feed as its pack describes it. Immutable; may be read from any thread. */
typedef struct kd_feed_pack kd_feed_pack;

/** Parse and check; whatever is wrong is KD_INVALID with line and column of `name`. */
KD_CHECKED kd_status kd_feed_pack_parse(kd_str text, const char *name, kd_feed_pack **out_pack, kd_error *err);
KD_CHECKED kd_status kd_feed_pack_load(const char *path, kd_feed_pack **out_pack, kd_error *err);
void kd_feed_pack_free(kd_feed_pack *pack); /* NULL does nothing */

/** What a pack says of itself; texts live as long as the pack. */
typedef struct {
    kd_str feed, version, title_zh, title_en, supplier_zh, supplier_en, event_zh, event_en, recorded_zh, recorded_en;
    kd_str file; /* where the pack was read */
    kd_role records[6];
    size_t record_count;
    int one_per; /* index into records; -1 when people recur */
    size_t columns, required_columns;
    int period_days; /* the department is expected to send as often as this; 0 not said */
} kd_feed_info;
kd_feed_info kd_feed_pack_info(const kd_feed_pack *pack);

/** All packs of some folders, ordered by feed. */
typedef struct kd_feed_packs kd_feed_packs;
/**
 * Every *.yaml of each folder, later folders' packs standing in for earlier ones of the same feed. NULL-ended list; the shipped
 * packs/cn/feeds comes before it when `with_shipped`.
 */
KD_CHECKED kd_status kd_feed_packs_open(const char *const *folders, bool with_shipped, kd_feed_packs **out_packs,
                                        kd_error *err);
/** The shipped packs, those of the folders under `packs:` in DIR/kindred.yaml, those of `extra_folder` (may be NULL). */
KD_CHECKED kd_status kd_feed_packs_of_register(const char *register_dir, const char *extra_folder,
                                               kd_feed_packs **out_packs, kd_error *err);
void kd_feed_packs_close(kd_feed_packs *packs);
size_t kd_feed_packs_count(const kd_feed_packs *packs);
const kd_feed_pack *kd_feed_packs_at(const kd_feed_packs *packs, size_t index);
const kd_feed_pack *kd_feed_packs_find(const kd_feed_packs *packs, kd_str feed); /* NULL: no such feed */

/**
 * The pack whose columns these header texts are. With `feed` (empty: any) that one, refused when a required column is wanting
 * or another feed fits far better, saying which. Without, KD_INVALID when none fits, KD_CONFLICT when two fit alike.
 * `file` stands in messages.
 */
KD_CHECKED kd_status kd_feed_recognise(const kd_feed_packs *packs, kd_str feed, const kd_str *headers,
                                       size_t header_count, const char *file, const kd_feed_pack **out_pack,
                                       kd_error *err);

/* ---- a file to source records ---- */

/** What happened to a row or a value. */
typedef enum {
    KD_BAD_REJECT,  /* the row is left out */
    KD_BAD_PROBLEM, /* the value is left empty */
    KD_BAD_WARN,    /* told only */
} kd_bad_kind;
const char *kd_bad_kind_name(kd_bad_kind kind); /* "reject" "problem" "warn" */

/** One reason and how often it came. */
typedef struct {
    kd_bad_kind kind;
    kd_str zh, en;
    int64_t count;
    uint64_t lines[5]; /* of the file, the first ones */
    size_t line_count;
} kd_feed_problem;

/** Where one column of the file goes. */
typedef struct {
    kd_str header; /* as it stands in the file */
    kd_str column; /* of the pack; empty when the pack does not know it */
    kd_str fills;  /* "child.name, mother.address"; empty when it stays in the archived file only */
} kd_feed_mapping;

typedef struct {
    kd_str feed, feed_version;
    kd_encoding encoding;
    char delimiter; /* 0: a sheet */
    int64_t rows_seen, rows_bad, records;
    const kd_feed_mapping *columns;
    size_t column_count;
    const kd_str *missing; /* columns of the pack that the file has not (none required) */
    size_t missing_count;
    const kd_feed_problem *problems; /* most frequent first */
    size_t problem_count;
    const kd_source_record *samples; /* of the first rows */
    size_t sample_count;
    kd_str bad_rows; /* CSV of the bad rows as it will be written; empty when there are none */
} kd_feed_outcome;

/** Takes records in the order of the file; `records` may be changed but live only for the call. Not called twice at once. */
typedef kd_status (*kd_record_sink)(void *ctx, kd_source_record *records, size_t count, kd_error *err);

typedef struct {
    const kd_text *text;
    const kd_divisions *divisions;
    int64_t division;            /* where the file comes from; 0 unknown */
    int32_t today;               /* KD_DAY_NONE: kd_today() */
    unsigned threads;            /* 0: kd_threads() */
    const kd_progress *progress; /* may be NULL */
} kd_feed_read_options;

/**
 * Read a file of a feed. Rows are converted by several threads and handed to the sink in order, by one thread at a time but not
 * always the same; ids and batch are left 0. The outcome lives in `arena`. The result does not depend on the number of threads.
 */
KD_CHECKED kd_status kd_feed_read(const kd_feed_pack *pack, const char *path, const kd_feed_read_options *options,
                                  kd_record_sink sink, void *ctx, kd_arena *arena, kd_feed_outcome *out_outcome,
                                  kd_error *err);

/* ---- into a register ---- */

typedef struct {
    kd_str feed;         /* empty: recognised from the header */
    int64_t division;    /* where the file comes from; 0 unknown */
    int32_t as_of_day;   /* day the department cut the file; KD_DAY_NONE unknown */
    const char *bad_dir; /* for NAME.bad.csv; NULL is beside the input */
    bool is_dry_run;     /* look only: nothing is changed anywhere */
    unsigned threads;    /* 0: kd_threads() */
    const kd_progress *progress;
} kd_import_options;

typedef struct {
    kd_feed_outcome outcome;
    kd_str file;
    bool already_imported; /* the same content of the same feed stands in the register; nothing was changed */
    int64_t batch_id;      /* 0 in a dry run */
    kd_str content_hash;
    kd_str bad_path;    /* empty: no bad rows */
    bool bad_elsewhere; /* the folder wanted could not be written: bad_path is in the register's */
    double seconds;
} kd_import_result;

/**
 * Import one file in one transaction: archive, batch, source records, and the bad rows beside it. On any failure, and when the
 * program is killed, the register is as before. KD_CONFLICT: another import is writing. The result lives in `arena`.
 */
KD_CHECKED kd_status kd_import_file(kd_register *reg, const kd_feed_packs *packs, const char *path,
                                    const kd_import_options *options, kd_arena *arena, kd_import_result *out_result,
                                    kd_error *err);

/** One file of a manifest; paths are beside the manifest. */
typedef struct {
    kd_str path;
    kd_str feed;       /* empty: recognised */
    int64_t division;  /* 0 unknown */
    int32_t as_of_day; /* KD_DAY_NONE unknown */
    uint32_t line;
} kd_manifest_file;
typedef struct {
    const kd_manifest_file *files;
    size_t count;
} kd_manifest;
/** Read `manifest.yaml` (docs/feeds.md). KD_INVALID with line and column. */
KD_CHECKED kd_status kd_manifest_load(kd_arena *arena, const char *path, kd_manifest *out_manifest, kd_error *err);
/** Whether a path is to be read as a manifest: it ends in .yaml or .yml. */
bool kd_manifest_is(kd_str path);

/** Path of the archived file of a content hash within a register's folder: DIR/archive/ab/abcdef….zst. */
kd_str kd_archive_path(kd_arena *arena, kd_str register_dir, kd_str content_hash);
/** Unpack an archived file to `path` and verify that its content has that hash. KD_INVALID when it has not. */
KD_CHECKED kd_status kd_archive_fetch(const char *register_dir, kd_str content_hash, const char *path, kd_error *err);

#endif
