/* Rows of a frame to source records: private to the exchange. */
#ifndef KD_EXCHANGE_CONVERT_H
#define KD_EXCHANGE_CONVERT_H

#include "exchange/pack.h"

/* Why a value or a row is bad, apart from the pack's own checks, whose reasons follow these. */
typedef enum {
    REASON_TOO_LONG,
    REASON_CONTROL,
    REASON_FORMULA,
    REASON_DATE_IMPOSSIBLE,
    REASON_DATE_UNREADABLE,
    REASON_CODE_UNKNOWN,
    REASON_PHONE,
    REASON_DIVISION_UNKNOWN,
    REASON_DIVISION_COARSE,
    REASON_INTEGER,
    REASON_NOBODY,
    REASONS,
    REASON_NONE = -1,
} feed_reason;
typedef struct {
    kd_bad_kind kind;
    kd_str zh, en;
} reason_text;
extern const reason_text feed_reasons[REASONS];

/* One line of the file of bad rows. */
typedef struct {
    int64_t row;     /* of the frame; when `is_reject`, index among the report's rejects */
    uint64_t line;   /* of the file */
    uint32_t column; /* 1-based; 0 the whole row */
    uint16_t reason; /* index into the job's reasons */
    bool is_reject;  /* the reader left the row out before it reached the frame */
} bad_row;

/* One column of the file that fills something. */
typedef struct {
    const feed_column *column;
    const kd_column *data;
    uint32_t file_column; /* 1-based */
    uint64_t memo_seed;   /* columns that read a text alike share it */
} column_plan;

enum { NULL_TEXT_BYTES_MAX = 32 };

/* A file being converted; constant while the workers run. */
typedef struct {
    const kd_feed_pack *pack;
    const kd_text *text;
    const kd_divisions *divisions;
    int64_t within;
    int32_t today;
    const column_plan *plans;
    size_t plan_count;
    size_t text_bytes_a_row; /* most that a row adds to a worker's texts */
    bool null_starts[256];   /* first bytes of texts that mean nothing is there */
    uint32_t *check_columns; /* file column a check is told at; 0 none */
} feed_job;

/* One remembered conversion, a cache line. Names longer than its text are not remembered. */
typedef struct {
    uint64_t hash; /* 0: free */
    const char *raw;
    uint16_t raw_len; /* values have limits far below */
    int16_t reason;
    uint8_t kind;
    int8_t sex;
    uint8_t text_len;
    int64_t number;
    char text[32];
} memo_entry;
_Static_assert(sizeof(memo_entry) == 64, "a memo entry is a cache line");

/* What one thread needs to convert a chunk; reused for the next. */
typedef struct feed_worker {
    struct feed_worker *next; /* free ones */
    memo_entry *memo;
    char *texts;
    size_t text_len, text_cap;
    kd_source_record *records;
    size_t record_count;
    bad_row *bad;
    size_t bad_count, bad_cap;
    int64_t rows_rejected;
} feed_worker;

/* A value as it was read. */
typedef struct {
    bool is_empty;
    int reason;     /* feed_reason; the value may stand all the same (a division taken coarser) */
    uint8_t kind;   /* kd_name_kind, kd_identity_kind, kd_date_kind by the column's type */
    int8_t sex;     /* of an identity number or a placeholder */
    int32_t day;    /* birth day in an identity number */
    int64_t number; /* day, division, whole number */
    kd_str text;
    kd_str written; /* of a name: what stood there when that differs */
} feed_value;

/* Fill in null_starts from the pack. */
void feed_job_null_starts(feed_job *job);
kd_status feed_worker_init(feed_worker *worker, const feed_job *job, kd_error *err);
void feed_worker_done(feed_worker *worker);
void feed_value_read(const feed_job *job, feed_worker *worker, const column_plan *plan, kd_str raw, feed_value *out);
/* Division told by an address, `within` the narrowest area known; 0 none. */
int64_t feed_address_division(const feed_job *job, feed_worker *worker, kd_str address, int64_t within);
/* Entry for a text read in the way of `seed`; `*out_is_known` when it holds the result. */
memo_entry *feed_memo(feed_worker *worker, kd_str raw, uint64_t seed, bool *out_is_known);

/* Convert frame rows [from, to) into the worker's records and bad rows (their lines are filled in by the caller). */
kd_status feed_convert_rows(const feed_job *job, feed_worker *worker, int64_t from, int64_t to, kd_error *err);

/* The file of bad rows as CSV. `bad` is in its order. */
typedef struct {
    const kd_frame *frame;
    const kd_read_report *report;
    char delimiter;
    const reason_text *reasons;
} bad_context;
void feed_bad_csv(const bad_context *context, const bad_row *bad, size_t count, kd_buf *out);

#endif
