/* What the register holds, record by record, for measuring it against truth and for comparing two registers. */
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where a record comes from and whose it is. */
typedef struct {
    int64_t id, person_id;
    uint32_t batch, row;
    uint8_t role;
} place;

typedef struct {
    int64_t id;
    kd_str feed, file;
    int64_t first, last; /* indexes of its records */
} sent;

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    sent *batches; /* by feed, file, id */
    size_t batch_count;
    place *places; /* by record id */
    size_t count;
} measuring;

static void measuring_done(measuring *m)
{
    free(m->places);
    kd_arena_free(m->arena);
}

static kd_status read_batches(measuring *m, kd_error *err)
{
    int64_t count;
    kd_store *store = kd_register_store(m->reg);
    KD_TRY(kd_store_int(store, err, &count, "select count(*) from batch", KD_NO_VALUES));
    m->batches = kd_arena_array(m->arena, (size_t)count + 1, sizeof *m->batches);
    if (!m->batches) return kd_fail(err, KD_LIMIT, "", "no memory for %lld batches", (long long)count);
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select b.id, s.feed, b.file_name from batch b join source s on s.id = b.source_id "
                          "order by s.feed, b.file_name, b.id",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && m->batch_count < (size_t)count)
        m->batches[m->batch_count++] = (sent){ kd_rows_int(rows, 0), kd_arena_str(m->arena, kd_rows_text(rows, 1)),
                                               kd_arena_str(m->arena, kd_rows_text(rows, 2)), 0, -1 };
    kd_rows_close(rows);
    return status;
}

static uint32_t batch_index(const measuring *m, int64_t id, uint32_t likely)
{
    if (likely < m->batch_count && m->batches[likely].id == id) return likely;
    for (uint32_t i = 0; i < m->batch_count; i++)
        if (m->batches[i].id == id) return i;
    return UINT32_MAX;
}

static kd_status read_places(measuring *m, kd_error *err)
{
    int64_t expected;
    kd_store *store = kd_register_store(m->reg);
    KD_TRY(kd_store_int(store, err, &expected, "select count(*) from source_record", KD_NO_VALUES));
    m->places = malloc(((size_t)expected + 1) * sizeof *m->places);
    if (!m->places) return kd_fail(err, KD_LIMIT, "", "no memory for %lld records", (long long)expected);
    kd_rows *rows;
    bool has_row = false;
    uint32_t batch = 0;
    KD_TRY(kd_store_query(store, err, &rows, "select id, batch_id, row_no, role from source_record order by id",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row && m->count < (size_t)expected) {
        batch = batch_index(m, kd_rows_int(rows, 1), batch);
        if (batch == UINT32_MAX) {
            status = kd_fail(err, KD_INVALID, "", "a record belongs to no batch: run `kindred doctor`");
            break;
        }
        sent *b = &m->batches[batch];
        if (b->last < b->first) b->first = (int64_t)m->count;
        b->last = (int64_t)m->count;
        m->places[m->count++] =
            (place){ kd_rows_int(rows, 0), 0, batch, (uint32_t)kd_rows_int(rows, 2), (uint8_t)kd_rows_int(rows, 3) };
    }
    kd_rows_close(rows);
    return status;
}

static kd_status read_persons(measuring *m, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(m->reg), err, &rows, "select person_id, source_record_id from link",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t id = kd_rows_int(rows, 1);
        size_t low = 0, high = m->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (m->places[middle].id < id) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < m->count && m->places[low].id == id) m->places[low].person_id = kd_rows_int(rows, 0);
    }
    kd_rows_close(rows);
    return status;
}

static kd_status measuring_new(kd_register *reg, measuring *out, kd_error *err)
{
    *out = (measuring){ .reg = reg, .arena = kd_arena_new(256 << 20) };
    if (!out->arena) return kd_fail(err, KD_LIMIT, "", "no memory");
    KD_TRY(read_batches(out, err));
    KD_TRY(read_places(out, err));
    return read_persons(out, err);
}

/* Dense numbers 0, 1, 2 … for persons in the order in which `next` meets them. */
static uint32_t *number_persons(const measuring *m, const size_t *order)
{
    uint32_t *numbers = malloc((m->count + 1) * sizeof *numbers);
    kd_map *seen = kd_map_new(m->count / 4);
    bool is_full = !numbers || !seen;
    for (size_t i = 0; i < m->count && !is_full; i++) {
        size_t at = order ? order[i] : i;
        bool is_new;
        size_t known = kd_map_count(seen);
        uint64_t *slot = kd_map_put(seen, (uint64_t)m->places[at].person_id, &is_new);
        is_full = !slot;
        if (slot && is_new) *slot = known;
        if (slot) numbers[at] = m->places[at].person_id ? (uint32_t)*slot : UINT32_MAX;
    }
    kd_map_free(seen);
    if (!is_full) return numbers;
    free(numbers);
    return NULL;
}

/* ---- against truth ---- */

/* Index of the record at a row in a role of a batch, or SIZE_MAX. */
static size_t find_place(const measuring *m, const sent *batch, int64_t row, kd_role role)
{
    int64_t low = batch->first, high = batch->last + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (m->places[middle].row < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low <= batch->last && m->places[low].row == row; low++)
        if (m->places[low].role == (uint8_t)role) return (size_t)low;
    return SIZE_MAX;
}

typedef struct {
    const kd_column *feed, *row, *person, *role, *file;
} truth_columns;

/* Batches by the codes of the truth file's feed and file; the newest of a name wins. */
static const sent *find_batch(const measuring *m, const truth_columns *c, int64_t row, const sent *likely)
{
    kd_str feed = kd_column_text(c->feed, row), file = kd_column_text(c->file, row);
    if (likely && kd_str_eq(likely->feed, feed) && kd_str_eq(likely->file, file)) return likely;
    for (size_t i = m->batch_count; i-- > 0;)
        if (kd_str_eq(m->batches[i].feed, feed) && kd_str_eq(m->batches[i].file, file)) return &m->batches[i];
    return NULL;
}

static void read_truth(const measuring *m, const kd_frame *frame, uint32_t *truth)
{
    truth_columns c = { kd_frame_find(frame, "feed"), kd_frame_find(frame, "row"), kd_frame_find(frame, "person"),
                        kd_frame_find(frame, "role"), kd_frame_find(frame, "file") };
    const sent *batch = NULL;
    assert(c.feed && c.row && c.person && c.role && c.file); /* all were required in reading */
    memset(truth, 0xFF, m->count * sizeof *truth);
    for (int64_t i = 0; i < kd_frame_rows(frame); i++) {
        kd_role role;
        batch = find_batch(m, &c, i, batch);
        if (!batch || !kd_role_read(kd_column_text(c.role, i), &role)) continue;
        size_t at = find_place(m, batch, c.row->ints[i], role);
        if (at != SIZE_MAX) truth[at] = (uint32_t)c.person->ints[i];
    }
}

kd_status kd_register_quality(kd_register *reg, const char *truth_path, kd_quality *out_quality, kd_error *err)
{
    static const kd_column_want wants[] = { { "feed", NULL, KD_TYPE_DICT, true },
                                            { "row", NULL, KD_TYPE_INT64, true },
                                            { "person", NULL, KD_TYPE_INT64, true },
                                            { "role", NULL, KD_TYPE_DICT, true },
                                            { "file", NULL, KD_TYPE_DICT, true } };
    kd_read_options options = { .wants = wants, .want_count = 5 };
    kd_frame *frame;
    measuring m;
    KD_TRY(kd_frame_read(truth_path, &options, &frame, NULL, err));
    kd_status status = measuring_new(reg, &m, err);
    uint32_t *truth = malloc((m.count + 1) * sizeof *truth);
    uint32_t *found = status == KD_OK ? number_persons(&m, NULL) : NULL;
    if (status == KD_OK && (!truth || !found)) status = kd_fail(err, KD_LIMIT, "", "no memory to measure");
    if (status == KD_OK) {
        read_truth(&m, frame, truth);
        *out_quality = kd_match_quality(found, truth, m.count);
    }
    free(truth);
    free(found);
    measuring_done(&m);
    kd_frame_free(frame);
    return status;
}

/* ---- as a file ---- */

static int by_place(const void *a, const void *b, void *ctx)
{
    const measuring *m = ctx;
    const place *x = &m->places[*(const size_t *)a], *y = &m->places[*(const size_t *)b];
    if (x->batch != y->batch) return x->batch < y->batch ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->role > y->role) - (x->role < y->role);
}

static kd_status build_frame(measuring *m, kd_frame **out_frame, kd_error *err)
{
    size_t *order = malloc((m->count + 1) * sizeof *order);
    for (size_t i = 0; order && i < m->count; i++) order[i] = i;
    if (order) qsort_r(order, m->count, sizeof *order, by_place, m);
    uint32_t *numbers = order ? number_persons(m, order) : NULL;
    kd_frame_builder *builder = kd_frame_builder_new(SIZE_MAX / 2);
    kd_status status = KD_OK;
    if (numbers && builder) {
        size_t feed = kd_frame_builder_column(builder, "feed", KD_TYPE_DICT);
        size_t file = kd_frame_builder_column(builder, "file", KD_TYPE_DICT);
        size_t row = kd_frame_builder_column(builder, "row", KD_TYPE_INT64);
        size_t role = kd_frame_builder_column(builder, "role", KD_TYPE_DICT);
        size_t person = kd_frame_builder_column(builder, "person", KD_TYPE_INT64);
        for (size_t i = 0; i < m->count; i++) {
            const place *p = &m->places[order[i]];
            kd_frame_builder_text(builder, feed, m->batches[p->batch].feed);
            kd_frame_builder_text(builder, file, m->batches[p->batch].file);
            kd_frame_builder_int(builder, row, p->row);
            kd_frame_builder_text(builder, role, kd_str_of(kd_role_name((kd_role)p->role)));
            kd_frame_builder_int(builder, person, numbers[order[i]] == UINT32_MAX ? -1 : (int64_t)numbers[order[i]]);
        }
        status = kd_frame_builder_finish(builder, out_frame, err);
    } else {
        status = kd_fail(err, KD_LIMIT, "", "no memory to write the persons of the records");
    }
    kd_frame_builder_free(builder);
    free(numbers);
    free(order);
    return status;
}

kd_status kd_register_write_clusters(kd_register *reg, const char *path, kd_error *err)
{
    measuring m;
    kd_frame *frame = NULL;
    kd_write_options options = { 0 };
    kd_status status = measuring_new(reg, &m, err);
    if (status == KD_OK) status = build_frame(&m, &frame, err);
    measuring_done(&m);
    if (status == KD_OK) status = kd_frame_write_csv(frame, path, &options, err);
    kd_frame_free(frame);
    return status;
}
