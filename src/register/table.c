#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_EVERY = 1 << 16 };

/* Every array of the table with its element size, so that growing and freeing have one place. */
typedef struct {
    void **array;
    size_t bytes;
} part;

enum { PARTS_MAX = 32 };

static size_t list_parts(kd_record_table *t, part parts[PARTS_MAX])
{
    size_t n = 0;
#define PART(field) parts[n++] = (part){ (void **)&t->field, sizeof *t->field }
    PART(id);
    PART(batch_id);
    PART(division);
    PART(hukou_division);
    PART(row_no);
    PART(birth_day);
    PART(death_day);
    PART(event_day);
    PART(recorded_day);
    PART(name);
    PART(identity);
    PART(phone);
    PART(address);
    PART(household);
    PART(certificate);
    PART(handbook);
    PART(relation);
    PART(ethnicity);
    PART(marital_status);
    PART(education);
    PART(status);
    PART(source_id);
    PART(birth_order);
    PART(role);
    PART(birth_kind);
    PART(identity_kind);
    PART(sex);
#undef PART
    return n;
}

void kd_record_table_done(kd_record_table *table)
{
    part parts[PARTS_MAX];
    size_t n = list_parts(table, parts);
    for (size_t i = 0; i < n; i++) free(*parts[i].array);
    for (size_t i = 0; i < KD_TEXT_COUNT; i++) kd_dict_free(table->texts[i]);
    *table = (kd_record_table){ 0 };
}

static kd_status allocate(kd_record_table *table, size_t count, kd_error *err)
{
    part parts[PARTS_MAX];
    size_t n = list_parts(table, parts);
    for (size_t i = 0; i < n; i++)
        if (!(*parts[i].array = malloc(count * parts[i].bytes + 1)))
            return kd_fail(err, KD_LIMIT, "", "no memory for %zu records", count);
    for (size_t i = 0; i < KD_TEXT_COUNT; i++) {
        table->texts[i] = kd_dict_new();
        if (!table->texts[i] || kd_dict_add(table->texts[i], KD_STR("")) != 0)
            return kd_fail(err, KD_LIMIT, "", "no memory for the texts of %zu records", count);
    }
    return KD_OK;
}

static kd_status put(kd_record_table *t, uint32_t i, const kd_source_record *r, kd_error *err)
{
    bool is_full = false;
#define CODE(field, column, text)                              \
    do {                                                       \
        uint32_t code = kd_dict_add(t->texts[column], (text)); \
        is_full = is_full || code == KD_DICT_NONE;             \
        t->field[i] = (__typeof__(*t->field))code;             \
        is_full = is_full || (uint32_t)t->field[i] != code;    \
    } while (0)
    CODE(name, KD_TEXT_NAME, r->name);
    CODE(identity, KD_TEXT_IDENTITY, r->identity_number);
    CODE(phone, KD_TEXT_PHONE, r->phone);
    CODE(address, KD_TEXT_ADDRESS, r->address);
    CODE(household, KD_TEXT_HOUSEHOLD, r->household_no);
    CODE(certificate, KD_TEXT_CERTIFICATE, r->certificate_no);
    CODE(handbook, KD_TEXT_HANDBOOK, r->handbook_no);
    CODE(relation, KD_TEXT_CODE, r->household_relation);
    CODE(ethnicity, KD_TEXT_CODE, r->ethnicity);
    CODE(marital_status, KD_TEXT_CODE, r->marital_status);
    CODE(education, KD_TEXT_CODE, r->education);
    CODE(status, KD_TEXT_CODE, r->status);
#undef CODE
    if (is_full) return kd_fail(err, KD_LIMIT, "", "no memory for the texts of the records");
    t->id[i] = r->id;
    t->batch_id[i] = r->batch_id;
    t->division[i] = r->division;
    t->hukou_division[i] = r->hukou_division;
    t->row_no[i] = (int32_t)r->row_no;
    t->birth_day[i] = r->birth_day;
    t->death_day[i] = r->death_day;
    t->event_day[i] = r->event_day;
    t->recorded_day[i] = r->recorded_day;
    t->source_id[i] = (int16_t)r->source_id;
    t->birth_order[i] = r->birth_order;
    t->role[i] = (uint8_t)r->role;
    t->birth_kind[i] = (uint8_t)r->birth_kind;
    t->identity_kind[i] = (uint8_t)r->identity_kind;
    t->sex[i] = r->sex;
    return KD_OK;
}

/* Ids of the records that were taken out of the register, rising. Free it. */
static kd_status read_withdrawn(kd_store *store, int64_t **out_ids, size_t *out_count, kd_error *err)
{
    static const char FROM[] = "from decision where kind = 'withdrawn' and undone_at is null";
    int64_t total;
    char sql[160];
    size_t count = 0;
    snprintf(sql, sizeof sql, "select count(*) %s", FROM);
    KD_TRY(kd_store_int(store, err, &total, sql, KD_NO_VALUES));
    int64_t *ids = malloc(((size_t)total + 1) * sizeof *ids);
    if (!ids) return kd_fail(err, KD_LIMIT, "", "no memory for %lld withdrawn records", (long long)total);
    kd_rows *rows = NULL;
    bool has_row = false;
    snprintf(sql, sizeof sql, "select record_a %s order by record_a", FROM);
    kd_status status = kd_store_query(store, err, &rows, sql, KD_NO_VALUES);
    while (status == KD_OK && (status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && count < (size_t)total)
        ids[count++] = kd_rows_int(rows, 0);
    kd_rows_close(rows);
    if (status != KD_OK) {
        free(ids);
        return status;
    }
    *out_ids = ids;
    *out_count = count;
    return KD_OK;
}

typedef struct {
    size_t expected;
    int64_t *withdrawn;
    size_t withdrawn_count, withdrawn_at;
} reading;

/* Both rise: they are walked side by side. */
static bool is_withdrawn(reading *r, int64_t id)
{
    while (r->withdrawn_at < r->withdrawn_count && r->withdrawn[r->withdrawn_at] < id) r->withdrawn_at++;
    return r->withdrawn_at < r->withdrawn_count && r->withdrawn[r->withdrawn_at] == id;
}

static kd_status read_rows(kd_rows *rows, reading *r, const kd_progress *progress, kd_record_table *table,
                           kd_error *err)
{
    for (;;) {
        bool has_row = false;
        KD_TRY(kd_rows_next(rows, &has_row, err));
        if (!has_row) return KD_OK;
        if (table->count == r->expected)
            return kd_fail(err, KD_CONFLICT, "", "records were added while they were read");
        kd_source_record record;
        kd_record_read(rows, &record);
        if (is_withdrawn(r, record.id)) continue;
        KD_TRY(put(table, table->count++, &record, err));
        if (table->count % REPORT_EVERY) continue;
        kd_progress_report(progress, "read", table->count, r->expected);
        if (kd_progress_cancelled(progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    }
}

kd_status kd_record_table_load(kd_register *reg, const kd_progress *progress, kd_record_table *out_table, kd_error *err)
{
    kd_store *store = kd_register_store(reg);
    int64_t count;
    KD_TRY(kd_store_int(store, err, &count, "select count(*) from source_record", KD_NO_VALUES));
    if (count >= UINT32_MAX - 1)
        return kd_fail(err, KD_LIMIT, "", "%lld records are more than one run links", (long long)count);
    kd_record_table table = { 0 };
    kd_rows *rows = NULL;
    reading r = { .expected = (size_t)count };
    kd_status status = allocate(&table, (size_t)count, err);
    if (status == KD_OK) status = read_withdrawn(store, &r.withdrawn, &r.withdrawn_count, err);
    if (status == KD_OK)
        status = kd_store_query(store, err, &rows, "select " KD_RECORD_COLUMNS " from source_record order by id",
                                KD_NO_VALUES);
    if (status == KD_OK) status = read_rows(rows, &r, progress, &table, err);
    kd_rows_close(rows);
    free(r.withdrawn);
    if (status != KD_OK) {
        kd_record_table_done(&table);
        return status;
    }
    *out_table = table;
    return KD_OK;
}

void kd_record_table_get(const kd_record_table *t, uint32_t i, kd_source_record *out)
{
    *out = (kd_source_record){
        .id = t->id[i],
        .batch_id = t->batch_id[i],
        .source_id = t->source_id[i],
        .row_no = t->row_no[i],
        .role = (kd_role)t->role[i],
        .name = kd_dict_text(t->texts[KD_TEXT_NAME], t->name[i]),
        .sex = t->sex[i],
        .birth_day = t->birth_day[i],
        .birth_kind = (int8_t)t->birth_kind[i],
        .identity_number = kd_dict_text(t->texts[KD_TEXT_IDENTITY], t->identity[i]),
        .identity_kind = (int8_t)t->identity_kind[i],
        .phone = kd_dict_text(t->texts[KD_TEXT_PHONE], t->phone[i]),
        .division = t->division[i],
        .address = kd_dict_text(t->texts[KD_TEXT_ADDRESS], t->address[i]),
        .hukou_division = t->hukou_division[i],
        .household_no = kd_dict_text(t->texts[KD_TEXT_HOUSEHOLD], t->household[i]),
        .household_relation = kd_dict_text(t->texts[KD_TEXT_CODE], t->relation[i]),
        .ethnicity = kd_dict_text(t->texts[KD_TEXT_CODE], t->ethnicity[i]),
        .marital_status = kd_dict_text(t->texts[KD_TEXT_CODE], t->marital_status[i]),
        .education = kd_dict_text(t->texts[KD_TEXT_CODE], t->education[i]),
        .certificate_no = kd_dict_text(t->texts[KD_TEXT_CERTIFICATE], t->certificate[i]),
        .handbook_no = kd_dict_text(t->texts[KD_TEXT_HANDBOOK], t->handbook[i]),
        .birth_order = t->birth_order[i],
        .status = kd_dict_text(t->texts[KD_TEXT_CODE], t->status[i]),
        .death_day = t->death_day[i],
        .event_day = t->event_day[i],
        .recorded_day = t->recorded_day[i],
    };
}

uint32_t kd_record_table_find(const kd_record_table *table, int64_t id)
{
    uint32_t low = 0, high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->id[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < table->count && table->id[low] == id ? low : UINT32_MAX;
}

uint32_t kd_record_table_row_end(const kd_record_table *table, uint32_t index)
{
    uint32_t end = index + 1;
    while (end < table->count && table->batch_id[end] == table->batch_id[index] &&
           table->row_no[end] == table->row_no[index])
        end++;
    return end;
}
