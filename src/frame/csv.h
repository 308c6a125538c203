/** CSV in, step by step: recognise the format, read rows, fill pieces, join the pieces. Private to frame. */
#ifndef KD_FRAME_CSV_H
#define KD_FRAME_CSV_H

#include "encoding.h"
#include "limits.h"
#include "memory.h"
#include "scan.h"

/* ---- what the file is ---- */

typedef struct {
    const char *name;           /* for messages */
    kd_str text;                /* without byte order mark */
    kd_encoding encoding;       /* of the file */
    kd_encoding field_encoding; /* of `text`: UTF8 or GB18030 */
    char delimiter, newline;    /* newline is '\n', or '\r' for files of old Macs */
    bool is_sheet;              /* made from a spreadsheet: a line of text is a row of the sheet */
    kd_buf converted;           /* holds `text` when it was not read in place */
} csv_format;

/** KD_INVALID for what is no table at all: empty, binary, a picture, an old .xls. */
KD_CHECKED kd_status csv_recognise(kd_str bytes, const char *name, const kd_read_options *options,
                                   csv_format *out_format, kd_error *err);
void csv_format_done(csv_format *format);

/* ---- rows ---- */

typedef struct {
    const char *ptr; /* within the text, quotes left out */
    uint32_t len;
    bool is_quoted, has_escape; /* doubled quotes stand in it */
} csv_field;

typedef enum { CSV_ROW_GOOD, CSV_ROW_BLANK, CSV_ROW_BAD } csv_row_kind;

/** Reads one row after another. Fields past `fields_cap` are counted and not kept. */
typedef struct {
    const csv_format *format;
    size_t at;      /* where the next row begins */
    uint64_t lines; /* line ends passed */
    csv_field *fields;
    size_t fields_cap, count;
    size_t row_from, row_to; /* the row just read, without its line end */
    const char *reason;      /* of a bad row */
    uint32_t bad_field;      /* 1-based; 0 is the whole row */
    scanner scan;
} csv_reader;

void csv_reader_init(csv_reader *reader, const csv_format *format, csv_field *fields, size_t fields_cap, size_t at);
/**
 * Read the row at `reader->at`, which must lie before the end of the text. A row whose quotes never close, or that is
 * longer than KD_ROW_BYTES_MAX, is bad and is taken to end with its first line, so that the rest is not lost.
 */
csv_row_kind csv_reader_row(csv_reader *reader);
/** The field with doubled quotes made single, still in the text's encoding; may point into `scratch`. */
kd_str csv_field_text(const csv_field *field, kd_buf *scratch);

/* ---- what becomes of the columns ---- */

/** In rising order of generality within a branch; see kind_join. */
typedef enum { KIND_UNKNOWN, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_DATE, KIND_DICT, KIND_TEXT } column_kind;

typedef struct {
    kd_str name;    /* in the frame */
    uint32_t field; /* 0-based place in the file */
    bool is_fixed;  /* `kind` was asked for: a value that is not of it spoils its row */
    uint8_t kind;   /* asked for, or the least general kind to begin with; in the end that of the frame */
} plan_column;

typedef struct {
    const csv_format *format;
    kd_arena *arena;
    kd_str *headers;
    size_t header_count;
    plan_column *columns;
    size_t count;
    kd_str *nulls; /* null texts in the text's encoding */
    size_t null_count;
    uint64_t null_lengths; /* bit n: some null text has n bytes; bit 63: 63 and more */
    size_t data_from;
    uint64_t data_line; /* physical line where data begins, 1-based */
    double row_bytes;   /* guess of a row's length */
    memory_budget *budget;
} csv_plan;

/** The least kind that holds the values of both. */
column_kind kind_join(column_kind a, column_kind b);
size_t kind_width(column_kind kind);

/** Read the header and decide the columns. KD_INVALID when a name is missing, empty or doubled. */
KD_CHECKED kd_status csv_plan_make(const csv_format *format, const kd_read_options *options, memory_budget *budget,
                                   csv_plan *out_plan, kd_error *err);
void csv_plan_done(csv_plan *plan);

/* ---- pieces ---- */

enum { RECENT_BITS = 8 };
/** A text of at most 16 bytes and its code in the piece's dictionary. */
typedef struct {
    uint64_t first, last;
    uint32_t len, code;
} recent_text;

typedef struct {
    uint8_t kind;
    bool has_quoted_empty; /* taken as null until the kind turns out to be text */
    char *values;          /* by kind; codes for DICT */
    uint8_t *nulls;        /* bit set where null; NULL until the first */
    uint32_t *ends;        /* TEXT: end of each value in `bytes` */
    char *bytes;
    size_t bytes_len, bytes_cap;
    kd_dict *dict;       /* texts in the text's encoding */
    recent_text *recent; /* DICT: by a hash of the text */
    size_t dict_charged, dict_pending;
} piece_column;

typedef struct {
    int64_t row;   /* file row within the piece, 0-based */
    uint64_t line; /* line ends before it within the piece */
    uint32_t field;
    const char *reason;
    kd_str raw;
} piece_reject;

/** From frame row `row` on, file row = row + row_gap and line = row + line_gap; all counted within the piece. */
typedef struct {
    int64_t row, row_gap, line_gap;
} row_mark;

/** The rows that begin in text[from, to), as columns. */
typedef struct {
    const csv_plan *plan;
    size_t from, to;
    size_t end; /* where the first row after the piece begins */
    int64_t rows, rows_cap, rows_seen;
    uint64_t lines;
    piece_column *columns;
    piece_reject *rejects;
    size_t reject_count, reject_cap;
    row_mark *marks;
    size_t mark_count, mark_cap;
    kd_arena *texts; /* of the rejects */
    size_t texts_charged;
    bool is_parsed;
} csv_piece;

/** Parse from `from`; throws away what the piece held. */
KD_CHECKED kd_status csv_piece_parse(csv_piece *piece, const csv_plan *plan, size_t from, kd_error *err);
void csv_piece_done(csv_piece *piece);
void csv_piece_column_done(const csv_plan *plan, const csv_piece *piece, piece_column *column);

/** Parse all of the text and set each plan column's final kind. */
KD_CHECKED kd_status csv_pieces_parse(csv_plan *plan, size_t piece_bytes, unsigned threads, const kd_progress *progress,
                                      csv_piece **out_pieces, size_t *out_count, kd_error *err);
/** Join the pieces' columns into a frame, giving back their memory column by column. */
KD_CHECKED kd_status csv_pieces_join(const csv_plan *plan, csv_piece *pieces, size_t count, unsigned threads,
                                     kd_frame **out_frame, kd_error *err);
/** The report; takes the headers, the rejects and their texts out of plan and pieces. */
KD_CHECKED kd_status report_make(csv_plan *plan, csv_piece *pieces, size_t count, kd_read_report **out_report,
                                 kd_error *err);

/* ---- values ---- */

bool value_int(kd_str text, int64_t *out); /* as it would be written: no leading zero, no plus */
bool value_float(kd_str text, double *out);
bool value_date(kd_str text, int32_t *out);
bool value_bool(kd_str text, bool *out);

/** Text of a whole spreadsheet as CSV in UTF-8, one line a sheet row. `sheet` NULL is the first. */
KD_CHECKED kd_status xlsx_to_csv(const char *path, const char *sheet, int64_t rows_max, const kd_progress *progress,
                                 kd_buf *out, kd_error *err);

#endif
