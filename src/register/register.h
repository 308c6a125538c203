/**
 * @file register.h
 * The register of persons and families, derived from source records and never overwriting one.
 *
 * A register is a folder: `kindred.yaml` (where the database is), `archive/` (files as they came, compressed, by content),
 * `models/`, `keys/`, and with SQLite `register.db`.
 */
#ifndef KD_REGISTER_H
#define KD_REGISTER_H

#include "store/store.h"

#include <kindred/match.h>
#include <kindred/text.h>

/** Whom of a row a source record tells. Stored as these numbers: never renumber. */
typedef enum {
    KD_ROLE_SUBJECT = 1,
    KD_ROLE_CHILD = 2,
    KD_ROLE_MOTHER = 3,
    KD_ROLE_FATHER = 4,
    KD_ROLE_HUSBAND = 5,
    KD_ROLE_WIFE = 6,
} kd_role;
const char *kd_role_name(kd_role role); /* "subject" …; NULL for no role */
bool kd_role_read(kd_str name, kd_role *out_role);

/** The canonical columns of a source record, in the order of its table. Texts are borrowed. docs/feeds.md says what each is. */
typedef struct {
    int64_t id, batch_id;
    int32_t source_id;
    int64_t row_no;
    kd_role role;
    kd_str name, name_written;
    int8_t sex;        /* -1 none */
    int32_t birth_day; /* KD_DAY_NONE none, as every day here */
    int8_t birth_kind; /* kd_date_kind when not a full day, else 0 */
    kd_str identity_number;
    int8_t identity_kind; /* kd_identity_kind when not OK, else 0 */
    kd_str phone;
    int64_t division; /* 0 none */
    kd_str address;
    int64_t hukou_division; /* 0 none */
    kd_str household_no, household_relation, ethnicity, marital_status, education, certificate_no, handbook_no;
    kd_str institution;  /* where it was, as written: shown, compared with nothing */
    int16_t birth_order; /* 0 none */
    kd_str status;
    int32_t death_day, event_day, recorded_day;
} kd_source_record;

typedef struct kd_register kd_register;

/** Make a register in `dir` (must be empty or absent); `db` NULL is SQLite inside it. Divisions from `divisions_pack`, NULL the shipped one. */
KD_CHECKED kd_status kd_register_init(const char *dir, const char *db_url, const char *divisions_pack, kd_error *err);
/** Make a register in `dir` (empty or absent) from a backup of either kind of database. */
KD_CHECKED kd_status kd_register_restore(const char *dir, const char *db_url, const char *backup,
                                         const kd_progress *progress, kd_error *err);
/** Open; refuses a wrong schema version unless `any_version`. */
KD_CHECKED kd_status kd_register_open(const char *dir, bool any_version, kd_register **out_register, kd_error *err);
void kd_register_close(kd_register *reg);
kd_store *kd_register_store(kd_register *reg);
const char *kd_register_dir(const kd_register *reg);
int64_t kd_register_next_id(kd_register *reg);
/** Loaded on first use and kept. */
KD_CHECKED kd_status kd_register_text(kd_register *reg, const kd_text **out_text, kd_error *err);
KD_CHECKED kd_status kd_register_divisions(kd_register *reg, const kd_divisions **out_divisions, kd_error *err);

/* ---- sources and batches (called by exchange) ---- */

/** What a feed's pack says of itself that the register keeps. `event` is what a row tells of; may be empty. */
typedef struct {
    kd_str title_zh, title_en, supplier_zh, supplier_en, event_zh, event_en;
} kd_source_words;
/** Id of a feed's source row, made or its words brought up to date. */
KD_CHECKED kd_status kd_source_ensure(kd_register *reg, kd_str feed, const kd_source_words *words,
                                      int32_t *out_source_id, kd_error *err);

typedef struct {
    int64_t id;
    int32_t source_id;
    kd_str content_hash, file_name, feed_version;
    int64_t division; /* 0 none */
    int64_t rows_seen, rows_bad, records;
    int64_t received_at;
    int32_t as_of_day; /* KD_DAY_NONE none */
    int64_t first_record, last_record;
    kd_str declared_by; /* who declared it at a counter; empty for a file */
} kd_batch;
/** The batch of that content and source; KD_NOT_FOUND when the file is new. `text` fields live in the arena. */
KD_CHECKED kd_status kd_batch_find(kd_register *reg, int32_t source_id, kd_str content_hash, kd_arena *arena,
                                   kd_batch *out_batch, kd_error *err);
/** Insert the batch row. Within the caller's transaction. */
KD_CHECKED kd_status kd_batch_add(kd_register *reg, const kd_batch *batch, kd_error *err);

/** Bulk insert of source records; within the caller's transaction, nothing else on the store until finished. */
typedef struct kd_record_writer kd_record_writer;
KD_CHECKED kd_status kd_record_writer_new(kd_register *reg, kd_record_writer **out_writer, kd_error *err);
KD_CHECKED kd_status kd_record_write(kd_record_writer *writer, const kd_source_record *record, kd_error *err);
KD_CHECKED kd_status kd_record_writer_finish(kd_record_writer *writer, kd_error *err);
void kd_record_writer_cancel(kd_record_writer *writer);

/** Columns of source_record as kd_record_read wants them, for `select … from source_record`. */
#define KD_RECORD_COLUMNS                                                                                               \
    "id, batch_id, source_id, row_no, role, name, name_written, sex, birth_day, birth_kind, identity_number, "          \
    "identity_kind, phone, division, address, hukou_division, household_no, household_relation, ethnicity, "            \
    "marital_status, education, certificate_no, handbook_no, birth_order, status, death_day, event_day, recorded_day, " \
    "institution"
/** The current row as a record; texts live until the next step. */
void kd_record_read(const kd_rows *rows, kd_source_record *out_record);

/* ---- linking: source records into persons ---- */

typedef struct {
    const char *model_path; /* NULL: the shipped models/person.yaml */
    bool is_full;           /* also when neither records nor decisions have changed since the last run */
    const kd_progress *progress;
} kd_link_options;

enum { KD_LINK_STAGES_MAX = 16 };

typedef struct {
    bool was_needed; /* false: nothing had changed, nothing was done */
    int64_t records, persons, created, merged, split, retired, changed, conflicts;
    uint64_t compared, pairs;
    int64_t tasks_open, tasks_opened, tasks_closed;
    struct {
        const char *name;
        double seconds;
    } stages[KD_LINK_STAGES_MAX];
    size_t stage_count;
    double seconds;
} kd_link_report;

/**
 * Resolve all source records into persons, families and relations, keep the ids of persons that were there, write history,
 * and bring the tasks up to date; one transaction. The result depends on the records and decisions, not on their arrival.
 */
KD_CHECKED kd_status kd_register_link(kd_register *reg, const kd_link_options *options, kd_link_report *out_report,
                                      kd_error *err);

/**
 * Pairs of source records under one person against a truth file (columns feed, row, person, role, file): records that the
 * truth does not know are left out.
 */
KD_CHECKED kd_status kd_register_quality(kd_register *reg, const char *truth_path, kd_quality *out_quality,
                                         kd_error *err);
/** CSV of feed, file, row, role, person: persons numbered by their first record in the order feed, file, row, role. */
KD_CHECKED kd_status kd_register_write_clusters(kd_register *reg, const char *path, kd_error *err);

/* ---- keeping it in order ---- */

/** Version, integrity, shard map, and that batches, records, links, persons and relations agree. KD_INVALID names the first fault. */
KD_CHECKED kd_status kd_register_check(kd_register *reg, kd_error *err);
#include "register_live.h"
#include "register_work.h"

#endif
