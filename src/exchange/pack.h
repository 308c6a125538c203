/* The parsed pack: private to the exchange. */
#ifndef KD_EXCHANGE_PACK_H
#define KD_EXCHANGE_PACK_H

#include "exchange/exchange.h"
#include "exchange/limits.h"

typedef enum {
    FEED_TEXT,
    FEED_NAME,
    FEED_CODE,
    FEED_DATE,
    FEED_IDENTITY,
    FEED_PHONE,
    FEED_DIVISION,
    FEED_ADDRESS,
    FEED_INTEGER,
    FEED_IGNORE,
    FEED_TYPES
} feed_type;

/* The canonical fields, in the order of docs/feeds.md. */
typedef enum {
    FIELD_NAME,
    FIELD_SEX,
    FIELD_BIRTH_DAY,
    FIELD_IDENTITY_NUMBER,
    FIELD_PHONE,
    FIELD_DIVISION,
    FIELD_ADDRESS,
    FIELD_HUKOU_DIVISION,
    FIELD_HOUSEHOLD_NO,
    FIELD_HOUSEHOLD_RELATION,
    FIELD_ETHNICITY,
    FIELD_MARITAL_STATUS,
    FIELD_EDUCATION,
    FIELD_CERTIFICATE_NO,
    FIELD_HANDBOOK_NO,
    FIELD_BIRTH_ORDER,
    FIELD_STATUS,
    FIELD_DEATH_DAY,
    FIELD_EVENT_DAY,
    FIELD_RECORDED_DAY,
    FIELD_INSTITUTION,
    FIELDS
} feed_field;

enum { EVERY_RECORD = -1 };
typedef struct {
    int record; /* index into the pack's records, or EVERY_RECORD */
    feed_field field;
} feed_target;

typedef struct {
    kd_str text;     /* folded; what a file says */
    kd_str code;     /* canonical; empty leaves the field empty */
    bool is_problem; /* told as a value that could not be read */
} feed_code;

typedef struct {
    kd_str name;
    const feed_code *codes; /* sorted by text */
    size_t count;
    bool has_other;
    feed_code other; /* for any text not listed */
    uint32_t line, column;
} feed_codes;

typedef struct {
    kd_str name;
    const kd_str *folded; /* name and aliases, folded */
    size_t folded_count;
    feed_type type;
    bool is_required;
    int codes; /* index into the pack's codes, -1 none */
    feed_target fills[FEED_TARGETS_MAX];
    size_t fill_count;
} feed_column;

typedef enum {
    CHECK_EMPTY, /* all of its targets */
    CHECK_AFTER_TODAY,
    CHECK_BEFORE,
    CHECK_IDENTITY_BAD,
    CHECK_SEX_DIFFERS,
    CHECK_BIRTH_DIFFERS,
} check_kind;
typedef enum { DO_REJECT, DO_WARN, DO_DROP_RECORD } check_action;

typedef struct {
    check_kind kind;
    check_action action;
    feed_target targets[FEED_TARGETS_MAX]; /* of the identity checks: the record only */
    size_t target_count;
    int32_t day; /* CHECK_BEFORE */
    kd_str zh, en;
} feed_check;

struct kd_feed_pack {
    kd_arena *arena;
    kd_feed_info info;
    const feed_column *columns;
    size_t column_count;
    const feed_codes *codes;
    size_t codes_count;
    const feed_check *checks;
    size_t check_count;
    const kd_str *null_texts; /* besides those that are always so */
    size_t null_count;
};

const char *feed_type_name(feed_type type);
const char *feed_field_name(feed_field field);
/* Parts of the parser. */
kd_status feed_codes_parse(kd_feed_pack *pack, const kd_yaml *node, kd_error *err);
kd_status feed_codes_check(const kd_feed_pack *pack, const feed_codes *codes, feed_field field, const kd_yaml *place,
                           kd_error *err);
kd_status feed_checks_parse(kd_feed_pack *pack, const kd_yaml *node, kd_error *err);
kd_status feed_target_parse(const kd_feed_pack *pack, const kd_yaml *node, feed_target *out_target, kd_error *err);
kd_status feed_no_memory(const kd_feed_pack *pack, kd_error *err);

/*
 * A header or code text without what people vary: full-width as half-width, no spaces, brackets, asterisks and byte order
 * marks, letters small. With `without_notes` what stands in brackets goes too. Writes at most `raw.len` bytes.
 */
size_t feed_fold(kd_str raw, bool without_notes, char *buf);

/* Which columns of a pack the columns of a file are. */
typedef struct {
    int *pack_column;   /* of each column of the file; -1 not known */
    int *file_column;   /* of each column of the pack; -1 wanting */
    size_t matched;     /* columns of the file that are known */
    size_t missing;     /* required columns that are wanting */
    int doubled;        /* a column of the file whose pack column already stood earlier; -1 none */
    int doubled_of;     /* the file's column that stood there */
    int doubled_column; /* both are this column of the pack */
    double score;       /* 0..1: shared columns of all columns of either */
} feed_fit;
kd_status feed_fit_header(const kd_feed_pack *pack, const kd_str *headers, size_t header_count, kd_arena *arena,
                          feed_fit *out_fit, kd_error *err);

#endif
