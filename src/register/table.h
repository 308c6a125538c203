/**
 * @file table.h
 * All source records of a register in memory, column by column, texts as codes: about 100 bytes a record.
 */
#ifndef KD_REGISTER_TABLE_H
#define KD_REGISTER_TABLE_H

#include "register.h"

/** Texts that repeat share one dictionary each; code 0 is the empty text. */
typedef enum {
    KD_TEXT_NAME,
    KD_TEXT_IDENTITY,
    KD_TEXT_PHONE,
    KD_TEXT_ADDRESS,
    KD_TEXT_HOUSEHOLD,
    KD_TEXT_CERTIFICATE,
    KD_TEXT_HANDBOOK,
    KD_TEXT_CODE, /* relation, ethnicity, marital status, education, status */
    KD_TEXT_COUNT
} kd_text_column;

typedef struct {
    uint32_t count;
    int64_t *id, *batch_id; /* rising ids */
    int64_t *division, *hukou_division;
    int32_t *row_no, *birth_day, *death_day, *event_day, *recorded_day;
    uint32_t *name, *identity, *phone, *address, *household, *certificate, *handbook;
    uint16_t *relation, *ethnicity, *marital_status, *education, *status;
    int16_t *source_id, *birth_order;
    uint8_t *role, *birth_kind, *identity_kind;
    int8_t *sex;
    kd_dict *texts[KD_TEXT_COUNT];
} kd_record_table;

/** Read every source record that was not withdrawn, in id order. KD_LIMIT above 2^32 - 2 records. Free with kd_record_table_done. */
KD_CHECKED kd_status kd_record_table_load(kd_register *reg, const kd_progress *progress, kd_record_table *out_table,
                                          kd_error *err);
void kd_record_table_done(kd_record_table *table);
/** Record `index` with borrowed texts; `name_written` is not kept. */
void kd_record_table_get(const kd_record_table *table, uint32_t index, kd_source_record *out_record);
/** Index of a record id, or UINT32_MAX. */
uint32_t kd_record_table_find(const kd_record_table *table, int64_t id);
/** First record after `index` that is not of the same row of the same file. */
uint32_t kd_record_table_row_end(const kd_record_table *table, uint32_t index);
/**
 * The columns that `model` reads, texts of parents and spouse taken from the records of the same row. Texts are not copied
 * one by one. Free with kd_frame_free. Columns that a source record does not have are left out: the matcher tells.
 */
KD_CHECKED kd_status kd_record_table_frame(const kd_record_table *table, kd_register *reg, const kd_model *model,
                                           kd_frame **out_frame, kd_error *err);

#endif
