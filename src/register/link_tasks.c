/* What the checks find in the persons of a link run, as tasks. */
#include "link.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_PERSONS = 4096, CHUNKS_AT_ONCE = 16, CHUNK_BYTES_MAX = 64 << 20, FACTS_BYTES_MAX = 1 << 20 };

typedef struct found found;
struct found {
    const kd_check *check;
    uint32_t cluster;
    int64_t record_a, record_b;
    kd_str facts;
    found *next;
};

typedef struct {
    kd_arena *arena;
    found *first, **last;
    uint32_t cluster; /* at work */
} chunk;

typedef struct {
    kd_link_run *run;
    kd_packs packs;
    kd_check_context context;
    kd_task_writer *writer;
    int32_t *as_of;
    uint32_t begin; /* cluster of the first chunk at work */
    chunk chunks[CHUNKS_AT_ONCE];
} work;

/* ---- what is known of the sources and of the other side of a row ---- */

static kd_status read_batch_days(work *w, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(w->run->reg), err, &rows,
                          "select source_id, max(as_of_day) from batch where as_of_day is not null group by source_id",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        int64_t source = kd_rows_int(rows, 0);
        if (source >= 0 && (size_t)source < w->packs.source_count) w->as_of[source] = kd_rows_day(rows, 1);
    }
    kd_rows_close(rows);
    return status;
}

/* A source whose files do not say their day reaches as far as the last day that it wrote something down. */
static kd_status read_as_of(work *w, kd_error *err)
{
    const kd_record_table *t = &w->run->table;
    int32_t today = kd_today(), *recorded = kd_arena_array(w->run->arena, w->packs.source_count + 1, sizeof *recorded);
    w->as_of = kd_arena_array(w->run->arena, w->packs.source_count + 1, sizeof *w->as_of);
    if (!recorded || !w->as_of) return kd_fail(err, KD_LIMIT, "", "no memory for the sources");
    for (size_t i = 0; i < w->packs.source_count; i++) recorded[i] = w->as_of[i] = KD_DAY_NONE;
    for (uint32_t i = 0; i < t->count; i++) {
        size_t source = (size_t)t->source_id[i];
        int32_t day = t->recorded_day[i];
        if (source < w->packs.source_count && day > recorded[source] && day <= today) recorded[source] = day;
    }
    KD_TRY(read_batch_days(w, err));
    for (size_t i = 0; i < w->packs.source_count; i++)
        if (w->as_of[i] == KD_DAY_NONE) w->as_of[i] = recorded[i];
    return KD_OK;
}

static bool partner_is_known(void *ctx, const kd_source_record *record, kd_role role, int64_t *out_record_id)
{
    const kd_link_run *run = ((work *)ctx)->run;
    const kd_record_table *t = &run->table;
    uint32_t at = kd_record_table_find(t, record->id);
    if (at == UINT32_MAX) return false;
    uint32_t from = at;
    while (from > 0 && t->batch_id[from - 1] == t->batch_id[at] && t->row_no[from - 1] == t->row_no[at]) from--;
    for (uint32_t i = from; i < kd_record_table_row_end(t, at); i++) {
        if (t->role[i] != role) continue;
        uint32_t cluster = run->clusters.cluster[i];
        for (uint32_t m = run->starts[cluster]; m < run->starts[cluster + 1]; m++) {
            if (t->source_id[run->members[m]] == t->source_id[at]) continue;
            *out_record_id = t->id[i];
            return true;
        }
    }
    return false;
}

/* ---- persons, chunk by chunk on all cores ---- */

static kd_status keep(void *ctx, const kd_finding *finding, kd_error *err)
{
    chunk *c = ctx;
    found *f = kd_arena_alloc(c->arena, sizeof *f);
    kd_str facts = kd_arena_str(c->arena, finding->facts);
    if (!f || !facts.ptr) return kd_fail(err, KD_LIMIT, "", "no memory for what the checks found");
    *f = (found){ finding->check, c->cluster, finding->record_a, finding->record_b, facts, NULL };
    *c->last = f;
    c->last = &f->next;
    return KD_OK;
}

static uint32_t chunk_end(const work *w, uint32_t from)
{
    uint32_t left = w->run->clusters.clusters - from;
    return from + (left < CHUNK_PERSONS ? left : CHUNK_PERSONS);
}

static kd_status ask_chunk(void *ctx, size_t item, kd_error *err)
{
    work *w = ctx;
    chunk *c = &w->chunks[item];
    kd_buf records_buffer, facts;
    kd_buf_init(&records_buffer, SIZE_MAX / 2);
    kd_buf_init(&facts, FACTS_BYTES_MAX);
    kd_arena_reset(c->arena);
    c->first = NULL;
    c->last = &c->first;
    uint32_t from = w->begin + (uint32_t)item * CHUNK_PERSONS, to = chunk_end(w, from);
    kd_status status = KD_OK;
    for (c->cluster = from; c->cluster < to && status == KD_OK; c->cluster++) {
        size_t count = 0;
        const kd_source_record *records = kd_link_records(w->run, c->cluster, &records_buffer, &count);
        status = records ? kd_checks_person(w->packs.checks, &w->context, records, count, &facts, keep, c, err)
                         : kd_fail(err, KD_LIMIT, "", "no memory for the records of a person");
    }
    kd_buf_done(&facts);
    kd_buf_done(&records_buffer);
    return status;
}

/* Where the person lives, else where they are registered; chosen as for the table of persons. */
static int64_t residence_of(work *w, uint32_t cluster, kd_buf *buffer)
{
    size_t count = 0;
    kd_choice choice;
    const kd_attribute places[] = { KD_ATTR_DIVISION, KD_ATTR_HUKOU_DIVISION };
    const kd_source_record *records = kd_link_records(w->run, cluster, buffer, &count);
    for (size_t i = 0; records && i < 2; i++) {
        kd_survive_choose(w->packs.rules, places[i], records, count, NULL, 0, NULL, &choice);
        if (choice.count) return choice.values[0].value.number;
    }
    return 0;
}

static uint32_t cluster_of_record(const kd_link_run *run, int64_t record_id)
{
    uint32_t at = record_id ? kd_record_table_find(&run->table, record_id) : UINT32_MAX;
    return at == UINT32_MAX ? UINT32_MAX : run->clusters.cluster[at];
}

static kd_status add_found(work *w, const found *f, kd_buf *buffer, kd_error *err)
{
    char subject[KD_ID_TEXT_BYTES];
    uint32_t other = cluster_of_record(w->run, f->record_b);
    bool has_other = other != UINT32_MAX && other != f->cluster;
    kd_task_found task = { .check = f->check,
                           .facts = f->facts,
                           .person_id = w->run->person_id[f->cluster],
                           .other_id = has_other ? w->run->person_id[other] : 0,
                           .record_a = f->record_a,
                           .record_b = f->record_b,
                           .residence = residence_of(w, f->cluster, buffer) };
    if (!task.residence && has_other) task.residence = residence_of(w, other, buffer);
    task.subject = kd_str_of(kd_id_format(task.person_id, subject));
    return kd_task_writer_add(w->writer, &task, err);
}

static kd_status ask_persons(work *w, kd_buf *buffer, kd_error *err)
{
    uint32_t persons = w->run->clusters.clusters;
    for (w->begin = 0; w->begin < persons;) {
        uint32_t left = persons - w->begin;
        size_t chunks = ((size_t)left + CHUNK_PERSONS - 1) / CHUNK_PERSONS;
        if (chunks > CHUNKS_AT_ONCE) chunks = CHUNKS_AT_ONCE;
        KD_TRY(kd_parallel(kd_threads(), chunks, ask_chunk, w, err));
        for (size_t i = 0; i < chunks; i++)
            for (const found *f = w->chunks[i].first; f; f = f->next) KD_TRY(add_found(w, f, buffer, err));
        w->begin = chunks * CHUNK_PERSONS < left ? w->begin + (uint32_t)chunks * CHUNK_PERSONS : persons;
        kd_progress_report(w->run->options->progress, "tasks", w->begin, persons);
        if (kd_progress_cancelled(w->run->options->progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    }
    return KD_OK;
}

/* ---- two persons ---- */

/* One task for two persons, whichever of their records brought them together. */
static kd_status add_pair(work *w, const kd_check *check, uint32_t a, uint32_t b, kd_str subject, kd_buf *facts,
                          kd_buf *buffer, kd_error *err)
{
    const kd_link_run *run = w->run;
    uint32_t one = run->clusters.cluster[a], other = run->clusters.cluster[b];
    if (facts->status != KD_OK) return kd_fail(err, KD_LIMIT, "", "the facts of a finding are too long");
    kd_task_found task = { .check = check,
                           .subject = subject,
                           .facts = kd_buf_view(facts),
                           .person_id = run->person_id[one],
                           .other_id = run->person_id[other],
                           .record_a = run->table.id[a],
                           .record_b = run->table.id[b],
                           .residence = residence_of(w, one, buffer) };
    if (!task.residence) task.residence = residence_of(w, other, buffer);
    return kd_task_writer_add(w->writer, &task, err);
}

static void order_pair(const kd_link_run *run, uint32_t *a, uint32_t *b)
{
    const uint32_t *cluster = run->clusters.cluster;
    if (run->person_id[cluster[*a]] <= run->person_id[cluster[*b]]) return;
    uint32_t swap = *a;
    *a = *b;
    *b = swap;
}

static kd_status add_doubtful(work *w, const kd_check *check, const kd_pair *pair, kd_buf *facts, kd_buf *buffer,
                              kd_error *err)
{
    uint32_t a = pair->a, b = pair->b;
    order_pair(w->run, &a, &b);
    int64_t one = w->run->person_id[w->run->clusters.cluster[a]];
    int64_t other = w->run->person_id[w->run->clusters.cluster[b]];
    char id_a[KD_ID_TEXT_BYTES], id_b[KD_ID_TEXT_BYTES], subject[2 * KD_ID_TEXT_BYTES];
    snprintf(subject, sizeof subject, "%s+%s", kd_id_format(one, id_a), kd_id_format(other, id_b));
    uint64_t marks[] = { kd_hash_int((uint64_t)one), kd_hash_int((uint64_t)other) };
    kd_json json;
    kd_facts_begin(&json, facts, marks, 2);
    kd_json_kdouble(&json, "weight_bits", (double)pair->weight, 0);
    kd_json_object_end(&json);
    return add_pair(w, check, a, b, kd_str_of(subject), facts, buffer, err);
}

static int heaviest_first(const void *a, const void *b)
{
    const kd_pair *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static kd_status ask_doubtful(work *w, const kd_check *check, kd_buf *facts, kd_buf *buffer, kd_error *err)
{
    kd_clusters *clusters = &w->run->clusters;
    kd_map *seen = kd_map_new(clusters->doubtful_count);
    if (!seen) return kd_fail(err, KD_LIMIT, "", "no memory for the doubtful pairs");
    kd_status status = KD_OK;
    if (clusters->doubtful_count)
        qsort(clusters->doubtful, clusters->doubtful_count, sizeof *clusters->doubtful, heaviest_first);
    for (uint64_t i = 0; i < clusters->doubtful_count && status == KD_OK; i++) {
        const kd_pair *pair = &clusters->doubtful[i];
        uint32_t one = clusters->cluster[pair->a], other = clusters->cluster[pair->b];
        if ((double)pair->weight < check->weight_min || one == other) continue;
        uint64_t low = one < other ? one : other, high = one < other ? other : one;
        bool is_new = false;
        if (!kd_map_put(seen, low << 32 | high, &is_new)) {
            status = kd_fail(err, KD_LIMIT, "", "no memory for the doubtful pairs");
        } else if (is_new) {
            status = add_doubtful(w, check, pair, facts, buffer, err);
        }
    }
    kd_map_free(seen);
    return status;
}

/* ---- one number on two persons ---- */

typedef struct {
    uint32_t code, record;
} holder;

static int by_code(const void *a, const void *b)
{
    const holder *x = a, *y = b;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

static bool has_number(const kd_record_table *t, const kd_check *check, uint32_t i)
{
    if (check->attribute != KD_ATTR_IDENTITY_NUMBER) return t->certificate[i] != 0;
    int kind = t->identity_kind[i]; /* a number that cannot be right is nobody's */
    return t->identity[i] != 0 && (kind == 0 || kind == KD_IDENTITY_OLD);
}

static kd_status add_shared(work *w, const kd_check *check, kd_text_column column, holder a, holder b, kd_buf *facts,
                            kd_buf *buffer, kd_error *err)
{
    const kd_link_run *run = w->run;
    uint32_t one = a.record, other = b.record;
    kd_str number = kd_dict_text(run->table.texts[column], a.code);
    uint64_t hash = kd_hash(number.ptr, number.len, 1);
    char subject[24], masked[24];
    order_pair(run, &one, &other);
    snprintf(subject, sizeof subject, "%016llx", (unsigned long long)hash);
    uint64_t marks[] = { kd_hash_int((uint64_t)run->person_id[run->clusters.cluster[one]]),
                         kd_hash_int((uint64_t)run->person_id[run->clusters.cluster[other]]) };
    kd_json json;
    kd_facts_begin(&json, facts, marks, 2);
    kd_json_kstr(&json, "number", kd_identity_masked(number, masked));
    kd_json_object_end(&json);
    return add_pair(w, check, one, other, kd_str_of(subject), facts, buffer, err);
}

static kd_status ask_shared_among(work *w, const kd_check *check, holder *holders, size_t count, kd_buf *facts,
                                  kd_buf *buffer, kd_error *err)
{
    kd_text_column column = check->attribute == KD_ATTR_IDENTITY_NUMBER ? KD_TEXT_IDENTITY : KD_TEXT_CERTIFICATE;
    const uint32_t *cluster = w->run->clusters.cluster;
    qsort(holders, count, sizeof *holders, by_code);
    for (size_t i = 0, end; i < count; i = end) {
        size_t other = 0;
        for (end = i + 1; end < count && holders[end].code == holders[i].code; end++)
            if (!other && cluster[holders[end].record] != cluster[holders[i].record]) other = end;
        if (other) KD_TRY(add_shared(w, check, column, holders[i], holders[other], facts, buffer, err));
    }
    return KD_OK;
}

static kd_status ask_shared(work *w, const kd_check *check, kd_buf *facts, kd_buf *buffer, kd_error *err)
{
    const kd_record_table *t = &w->run->table;
    bool is_identity = check->attribute == KD_ATTR_IDENTITY_NUMBER;
    holder *holders = malloc(((size_t)t->count + 1) * sizeof *holders);
    if (!holders) return kd_fail(err, KD_LIMIT, "", "no memory for the numbers");
    size_t count = 0;
    for (uint32_t i = 0; i < t->count; i++)
        if (has_number(t, check, i)) holders[count++] = (holder){ is_identity ? t->identity[i] : t->certificate[i], i };
    kd_status status = ask_shared_among(w, check, holders, count, facts, buffer, err);
    free(holders);
    return status;
}

/* ---- all ---- */

static kd_status ask_pairs(work *w, kd_buf *buffer, kd_error *err)
{
    kd_buf facts;
    kd_buf_init(&facts, FACTS_BYTES_MAX);
    kd_status status = KD_OK;
    for (size_t i = 0; i < kd_checks_count(w->packs.checks) && status == KD_OK; i++) {
        const kd_check *check = kd_checks_at(w->packs.checks, i);
        if (check->find == KD_FIND_DOUBTFUL_PAIR) status = ask_doubtful(w, check, &facts, buffer, err);
        if (check->find == KD_FIND_SHARED_VALUE) status = ask_shared(w, check, &facts, buffer, err);
    }
    kd_buf_done(&facts);
    return status;
}

static kd_status ask_all(work *w, kd_buf *buffer, kd_error *err)
{
    const kd_text *text;
    KD_TRY(kd_register_text(w->run->reg, &text, err));
    KD_TRY(kd_packs_load(w->run->reg, &w->packs, err));
    KD_TRY(read_as_of(w, err));
    for (size_t i = 0; i < CHUNKS_AT_ONCE; i++)
        if (!(w->chunks[i].arena = kd_arena_new(CHUNK_BYTES_MAX)))
            return kd_fail(err, KD_LIMIT, "", "no memory for what the checks find");
    w->context = (kd_check_context){ .rules = w->packs.rules,
                                     .text = text,
                                     .sources = w->packs.sources,
                                     .as_of = w->as_of,
                                     .source_count = w->packs.source_count,
                                     .partner_is_known = partner_is_known,
                                     .partner_ctx = w };
    KD_TRY(kd_task_writer_new(w->run->reg, w->packs.checks, &w->writer, err));
    KD_TRY(ask_persons(w, buffer, err));
    KD_TRY(ask_pairs(w, buffer, err));
    kd_task_totals totals;
    kd_task_writer *writer = w->writer;
    w->writer = NULL;
    KD_TRY(kd_task_writer_finish(writer, &totals, err));
    w->run->report->tasks_open = totals.open;
    w->run->report->tasks_opened = totals.opened;
    w->run->report->tasks_closed = totals.closed;
    return KD_OK;
}

kd_status kd_link_write_tasks(kd_link_run *run, kd_error *err)
{
    work *w = calloc(1, sizeof *w);
    if (!w) return kd_fail(err, KD_LIMIT, "", "no memory for the tasks");
    kd_buf buffer;
    kd_buf_init(&buffer, SIZE_MAX / 2);
    w->run = run;
    kd_status status = ask_all(w, &buffer, err);
    kd_task_writer_free(w->writer);
    for (size_t i = 0; i < CHUNKS_AT_ONCE; i++) kd_arena_free(w->chunks[i].arena);
    kd_packs_done(&w->packs);
    kd_buf_done(&buffer);
    free(w);
    return status;
}
