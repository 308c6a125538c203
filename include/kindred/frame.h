/**
 * @file frame.h
 * Tables in memory: typed columns in the Arrow layout, read from CSV and XLSX, written to CSV, XLSX and JSON.
 *
 * A frame is immutable once built and may be read from any number of threads.
 */
#ifndef KINDRED_FRAME_H
#define KINDRED_FRAME_H

#include <kindred/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a column holds and how its buffers look; the Arrow format string stands behind each. */
typedef enum {
    KD_TYPE_TEXT,    /* "U": int64 offsets[rows + 1], UTF-8 bytes */
    KD_TYPE_DICT,    /* int32 codes into a dictionary of distinct texts ("i" with dictionary "U") */
    KD_TYPE_INT64,   /* "l" */
    KD_TYPE_FLOAT64, /* "g" */
    KD_TYPE_DATE,    /* "tdD": int32 days since 1970-01-01 */
    KD_TYPE_BOOL,    /* one byte a value here; "b" (bits) when exported */
} kd_type;

/** One column; everything in it is borrowed from its frame. */
typedef struct {
    kd_str name;
    kd_type type;
    int64_t rows;
    int64_t missing;         /* values that are null */
    const uint8_t *validity; /* Arrow bitmap, least bit first; NULL when nothing is missing */
    const int64_t *offsets;  /* TEXT only */
    const char *bytes;       /* TEXT only */
    union {                  /* the other types */
        const int32_t *codes;
        const int64_t *ints;
        const double *floats;
        const int32_t *days;
        const uint8_t *bools;
    };
    uint32_t dict_count;         /* DICT only: distinct values */
    const int64_t *dict_offsets; /* DICT only: dict_count + 1 */
    const char *dict_bytes;      /* DICT only */
} kd_column;

typedef struct kd_frame kd_frame;

void kd_frame_free(kd_frame *frame); /* NULL does nothing */
int64_t kd_frame_rows(const kd_frame *frame);
size_t kd_frame_columns(const kd_frame *frame);
const kd_column *kd_frame_column(const kd_frame *frame, size_t index);
/** By exact name, or NULL. */
const kd_column *kd_frame_find(const kd_frame *frame, const char *name);

static inline bool kd_column_is_null(const kd_column *column, int64_t row)
{
    return column->validity && !(column->validity[row >> 3] >> (row & 7) & 1);
}
/** Value of a TEXT or DICT column; empty when null. */
static inline kd_str kd_column_text(const kd_column *column, int64_t row)
{
    if (kd_column_is_null(column, row)) return (kd_str){ NULL, 0 };
    const int64_t *at =
        column->type == KD_TYPE_TEXT ? column->offsets + row : column->dict_offsets + column->codes[row];
    const char *bytes = column->type == KD_TYPE_TEXT ? column->bytes : column->dict_bytes;
    return (kd_str){ bytes + at[0], (size_t)(at[1] - at[0]) };
}

/* ---- building by hand ---- */

/** Collects rows column by column; values of all columns must have the same count at the end. */
typedef struct kd_frame_builder kd_frame_builder;
kd_frame_builder *kd_frame_builder_new(size_t bytes_max);
void kd_frame_builder_free(kd_frame_builder *builder);
/** Index of the new column. The first failure of any add sticks and is told by kd_frame_builder_finish. */
size_t kd_frame_builder_column(kd_frame_builder *builder, const char *name, kd_type type);
void kd_frame_builder_text(kd_frame_builder *builder, size_t column, kd_str value); /* TEXT, DICT; a NULL ptr is null */
void kd_frame_builder_int(kd_frame_builder *builder, size_t column, int64_t value); /* INT64, BOOL */
void kd_frame_builder_float(kd_frame_builder *builder, size_t column, double value);
void kd_frame_builder_day(kd_frame_builder *builder, size_t column, int32_t day); /* KD_DAY_NONE is null */
void kd_frame_builder_null(kd_frame_builder *builder, size_t column);
/** Hands the frame over and empties the builder. KD_INVALID when columns differ in length, KD_LIMIT when memory ran out. */
KD_CHECKED kd_status kd_frame_builder_finish(kd_frame_builder *builder, kd_frame **out_frame, kd_error *err);

/* ---- reading CSV and XLSX ---- */

typedef enum {
    KD_ENCODING_AUTO,
    KD_ENCODING_UTF8,
    KD_ENCODING_GB18030,
    KD_ENCODING_UTF16LE,
    KD_ENCODING_UTF16BE
} kd_encoding;

/** A column the caller wants, or how it should be typed. */
typedef struct {
    const char *name;           /* its name in the frame */
    const char *const *aliases; /* header texts taken for it besides `name`, NULL-ended; may be NULL */
    kd_type type;
    bool is_required; /* missing from the header: KD_INVALID */
} kd_column_want;

typedef struct {
    kd_encoding encoding;
    char delimiter;              /* 0: recognised among , ; tab | */
    const kd_column_want *wants; /* NULL: every column of the file, types recognised from all its values */
    size_t want_count;
    bool keep_others;  /* with `wants`: also bring the rest as TEXT */
    bool all_text;     /* without `wants`: no types are recognised, every column TEXT */
    const char *sheet; /* XLSX: sheet name; NULL is the first */
    unsigned threads;  /* 0: kd_threads() of the machine */
    size_t bytes_max;  /* of the frame and of what reading it takes; 0: no limit but the machine's */
    const char *const *
        null_texts; /* field texts that mean nothing is there, besides the empty unquoted field; NULL-ended; may be NULL */
    const kd_progress *progress; /* may be NULL */
} kd_read_options;

/** A row that was left out, or a value that was not of its type. */
typedef struct {
    int64_t row;        /* data row in the file, 1-based, header not counted */
    uint64_t line;      /* physical line of the file where the row begins, 1-based */
    uint32_t column;    /* field in the row, 1-based; 0 when the whole row is meant */
    kd_str name;        /* header of that field; may be empty */
    const char *reason; /* English; lives as long as the report */
    kd_str raw;         /* the row as it stood, in UTF-8, cut at KD_REJECT_RAW_MAX */
} kd_reject;
enum { KD_REJECT_RAW_MAX = 65536, KD_ROW_BYTES_MAX = 16 << 20 };

/** What reading found besides the frame. Free with kd_read_report_free. */
typedef struct kd_read_report kd_read_report;
size_t kd_read_report_rejects(const kd_read_report *report);
const kd_reject *kd_read_report_reject(const kd_read_report *report, size_t index); /* in file order */
kd_encoding kd_read_report_encoding(const kd_read_report *report);
char kd_read_report_delimiter(const kd_read_report *report);
int64_t kd_read_report_rows_seen(const kd_read_report *report); /* good and bad */
/** 1-based data row of the file that frame row `row` came from. */
int64_t kd_read_report_file_row(const kd_read_report *report, int64_t row);
uint64_t kd_read_report_file_line(const kd_read_report *report, int64_t row);
/** Header texts as they stand in the file, in order. */
size_t kd_read_report_headers(const kd_read_report *report);
kd_str kd_read_report_header(const kd_read_report *report, size_t index);
void kd_read_report_free(kd_read_report *report);

/**
 * Read a file: XLSX when its first bytes say so, else CSV. Bad rows are left out and stand in the report; the good ones
 * are kept. A file of which nothing can be read (binary, empty, header wanting) is KD_INVALID with line and column.
 * `out_report` may be NULL. Formulas in XLSX give their cached value; a cell that has none is null.
 */
KD_CHECKED kd_status kd_frame_read(const char *path, const kd_read_options *options, kd_frame **out_frame,
                                   kd_read_report **out_report, kd_error *err);
/** The same for CSV bytes in memory; `name` stands in messages. `bytes` need only live for the call. */
KD_CHECKED kd_status kd_frame_read_csv(kd_str bytes, const char *name, const kd_read_options *options,
                                       kd_frame **out_frame, kd_read_report **out_report, kd_error *err);
/** Only the header and up to `rows_max` rows, every column as TEXT, for looking at a file cheaply. */
KD_CHECKED kd_status kd_frame_peek(const char *path, int64_t rows_max, kd_frame **out_frame, kd_error *err);

/* ---- writing ---- */

typedef struct {
    kd_encoding encoding; /* AUTO is UTF-8; GB18030 writes no byte order mark */
    bool bom;             /* UTF-8 byte order mark, which Excel in China wants */
    bool crlf;
    char delimiter;      /* 0 is ',' */
    bool guard_formulas; /* put ' before values beginning with = + - @ tab, so that a sheet does not run them */
} kd_write_options;

KD_CHECKED kd_status kd_frame_write_csv(const kd_frame *frame, const char *path, const kd_write_options *options,
                                        kd_error *err);
KD_CHECKED kd_status kd_frame_write_xlsx(const kd_frame *frame, const char *path, const char *sheet, kd_error *err);
/** One JSON array of objects. */
KD_CHECKED kd_status kd_frame_write_json(const kd_frame *frame, const char *path, kd_error *err);

/* ---- the Arrow C Data Interface. Source: arrow.apache.org/docs/format/CDataInterface ---- */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

/** Export as a struct array without copying fixed-width and text buffers. The frame is owned by the export until released. */
KD_CHECKED kd_status kd_frame_export(kd_frame *take_frame, struct ArrowArray *out_array, struct ArrowSchema *out_schema,
                                     kd_error *err);
/**
 * A frame that copies a struct array of u, U, i, l, s, c, C, S, I, L, f, g, b, tdD, or a dictionary of u/U; honours offset
 * and validity of parent and child. The input is borrowed. KD_UNSUPPORTED names any other format.
 */
KD_CHECKED kd_status kd_frame_import(const struct ArrowArray *array, const struct ArrowSchema *schema,
                                     kd_frame **out_frame, kd_error *err);

#ifdef __cplusplus
}
#endif
#endif
