#include "link.h"
#include "handle.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_BYTES_MAX = 1 << 30, FEEDS_MAX = 256 };
static const char STATE_SETTING[] = "linked_state";

/* ---- stages ---- */

static void stage(kd_link_run *run, const char *name, double *since)
{
    double now = kd_seconds();
    kd_link_report *report = run->report;
    if (report->stage_count < KD_LINK_STAGES_MAX) {
        report->stages[report->stage_count].name = name;
        report->stages[report->stage_count++].seconds = now - *since;
    }
    *since = now;
}

/* ---- is there anything to do ---- */

/* What the result depends on; equal text means an equal result. */
static kd_status state_text(kd_link_run *run, kd_str *out_state, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    int64_t batches, last_batch, decisions, last_decision, undone;
    KD_TRY(kd_store_int(store, err, &batches, "select count(*) from batch", KD_NO_VALUES));
    KD_TRY(kd_store_int(store, err, &last_batch, "select coalesce(max(id), 0) from batch", KD_NO_VALUES));
    KD_TRY(kd_store_int(store, err, &decisions, "select count(*) from decision", KD_NO_VALUES));
    KD_TRY(kd_store_int(store, err, &last_decision, "select coalesce(max(id), 0) from decision", KD_NO_VALUES));
    KD_TRY(
        kd_store_int(store, err, &undone, "select count(*) from decision where undone_at is not null", KD_NO_VALUES));
    *out_state = kd_arena_fmt(run->arena, "%s:%lld:%lld:%lld:%lld:%lld", KD_VERSION, (long long)batches,
                              (long long)last_batch, (long long)decisions, (long long)last_decision, (long long)undone);
    return out_state->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory");
}

static kd_status is_up_to_date(kd_link_run *run, kd_str state, bool *out_is_same, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(run->reg), err, &rows, "select value from setting where name = $1",
                          KD_VALUES(kd_text_value(kd_str_of(STATE_SETTING)))));
    kd_status status = kd_rows_next(rows, &has_row, err);
    if (status == KD_OK) *out_is_same = has_row && kd_str_eq(kd_rows_text(rows, 0), state);
    kd_rows_close(rows);
    return status;
}

/* ---- reading ---- */

static kd_status read_feeds(kd_link_run *run, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    run->feeds = kd_arena_array(run->arena, FEEDS_MAX, sizeof *run->feeds);
    if (!run->feeds) return kd_fail(err, KD_LIMIT, "", "no memory");
    KD_TRY(kd_store_query(kd_register_store(run->reg), err, &rows, "select id, feed from source", KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        size_t id = (size_t)kd_rows_int(rows, 0);
        if (id >= FEEDS_MAX) {
            status = kd_fail(err, KD_LIMIT, "", "a register takes at most %d feeds", FEEDS_MAX - 1);
            break;
        }
        run->feeds[id] = kd_arena_str(run->arena, kd_rows_text(rows, 1));
        if (id >= run->feed_count) run->feed_count = id + 1;
    }
    kd_rows_close(rows);
    return status;
}

static kd_status read_old_links(kd_link_run *run, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    int64_t persons;
    KD_TRY(kd_store_int(store, err, &persons, "select count(*) from person", KD_NO_VALUES));
    run->is_first = persons == 0;
    run->old = calloc((size_t)run->table.count + 1, sizeof *run->old);
    if (!run->old) return kd_fail(err, KD_LIMIT, "", "no memory for the links of the last run");
    if (run->is_first) return KD_OK;
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(store, err, &rows,
                          "select person_id, source_record_id, peer_record_id, weight, decided from link",
                          KD_NO_VALUES));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        uint32_t record = kd_record_table_find(&run->table, kd_rows_int(rows, 1));
        if (record == UINT32_MAX) {
            status = kd_fail(err, KD_INVALID, "", "a link names a source record that is not there");
            kd_hint(err, "run `kindred doctor`");
            break;
        }
        run->old[record] = (kd_old_link){ kd_rows_int(rows, 0), kd_rows_int(rows, 2), (float)kd_rows_real(rows, 3),
                                          kd_rows_int(rows, 4) != 0 };
    }
    kd_rows_close(rows);
    return status;
}

static kd_status load_rules(kd_link_run *run, kd_error *err)
{
    kd_str path;
    KD_TRY(read_feeds(run, err));
    KD_TRY(kd_data_path(run->arena, "packs/cn/survivorship.yaml", &path, err));
    return kd_survivorship_load(path.ptr, run->feeds, run->feed_count, &run->rules, err);
}

/* ---- matching ---- */

/* Members of every cluster, by counting: the records of a cluster stay in id order. */
static kd_status group_members(kd_link_run *run, kd_error *err)
{
    uint32_t clusters = run->clusters.clusters, records = run->table.count;
    const uint32_t *cluster = run->clusters.cluster;
    uint32_t *next = malloc(((size_t)clusters + 1) * sizeof *next);
    run->starts = calloc((size_t)clusters + 1, sizeof *run->starts);
    run->members = malloc(((size_t)records + 1) * sizeof *run->members);
    if (!next || !run->starts || !run->members) {
        free(next);
        return kd_fail(err, KD_LIMIT, "", "no memory for %u persons", clusters);
    }
    for (uint32_t i = 0; i < records; i++) run->starts[cluster[i] + 1]++;
    for (uint32_t c = 0; c < clusters; c++) run->starts[c + 1] += run->starts[c];
    memcpy(next, run->starts, ((size_t)clusters + 1) * sizeof *next);
    for (uint32_t i = 0; i < records; i++) run->members[next[cluster[i]]++] = i;
    free(next);
    return KD_OK;
}

typedef struct {
    kd_model *model;
    kd_matcher *matcher;
    kd_pairs pairs;
} matching;

/* The records and pairs are let go as soon as they have become clusters: writing needs the memory. */
static void forget_records(matching *m)
{
    kd_pairs_done(&m->pairs);
    kd_matcher_free(m->matcher);
    m->matcher = NULL;
}

static void matching_done(matching *m)
{
    forget_records(m);
    kd_model_free(m->model);
}

static kd_status load_model(kd_link_run *run, matching *m, kd_error *err)
{
    const kd_text *text;
    kd_str path = kd_str_of(run->options->model_path);
    KD_TRY(kd_register_text(run->reg, &text, err));
    if (!path.ptr) KD_TRY(kd_data_path(run->arena, "models/person.yaml", &path, err));
    return kd_model_load(path.ptr, text, &m->model, err);
}

static kd_status match(kd_link_run *run, matching *m, double *since, kd_error *err)
{
    kd_frame *frame;
    kd_match_options options = { .seed = 1, .progress = run->options->progress };
    KD_TRY(load_model(run, m, err));
    KD_TRY(kd_record_table_frame(&run->table, run->reg, m->model, &frame, err));
    const kd_frame *frames[] = { frame };
    kd_status status = kd_matcher_new(m->model, frames, 1, &options, &m->matcher, err);
    kd_frame_free(frame);
    if (status != KD_OK) return status;
    stage(run, "prepare", since);
    KD_TRY(kd_matcher_train(m->matcher, m->model, err));
    stage(run, "train", since);
    KD_TRY(kd_matcher_pairs(m->matcher, &m->pairs, err));
    stage(run, "compare", since);
    KD_TRY(kd_link_read_constraints(run, err));
    kd_constraints constraints = { (const uint32_t(*)[2])run->must, run->must_count, (const uint32_t(*)[2])run->cannot,
                                   run->cannot_count };
    KD_TRY(kd_matcher_cluster(m->matcher, &m->pairs, &constraints, &run->clusters, err));
    run->report->compared = m->pairs.compared;
    run->report->pairs = m->pairs.count;
    KD_TRY(group_members(run, err));
    KD_TRY(kd_doubts_collect(run, &m->pairs, err));
    forget_records(m);
    stage(run, "cluster", since);
    return KD_OK;
}

const kd_source_record *kd_link_records(const kd_link_run *run, uint32_t cluster, kd_buf *buffer, size_t *out_count)
{
    uint32_t from = run->starts[cluster], to = run->starts[cluster + 1];
    kd_buf_clear(buffer);
    if (!kd_buf_room(buffer, (to - from) * sizeof(kd_source_record))) return NULL;
    kd_source_record *records = (kd_source_record *)(void *)buffer->ptr;
    for (uint32_t i = from; i < to; i++) kd_record_table_get(&run->table, run->members[i], &records[i - from]);
    *out_count = to - from;
    return records;
}

/* ---- writing ---- */

static kd_status write_run(kd_link_run *run, const kd_model *model, kd_str state, kd_error *err)
{
    kd_store *store = kd_register_store(run->reg);
    kd_str yaml;
    const char *name = run->options->model_path ? run->options->model_path : "models/person.yaml";
    KD_TRY(kd_model_write(model, run->arena, &yaml, err));
    double seconds = (double)(kd_now_us() - run->started_us) / 1e6;
    const kd_link_report *r = run->report;
    KD_TRY(kd_store_exec(store, err, NULL,
                         "insert into link_run (id, started_at, seconds, records, persons, merged, split, created, "
                         "model_name, model) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                         KD_VALUES(kd_int(run->run_id), kd_int(run->started_us), kd_real(seconds), kd_int(r->records),
                                   kd_int(r->persons), kd_int(r->merged), kd_int(r->split), kd_int(r->created),
                                   kd_text_value(kd_str_of(name)), kd_text_value(yaml))));
    return kd_store_exec(store, err, NULL,
                         "insert into setting (name, value) values ($1, $2) "
                         "on conflict (name) do update set value = excluded.value",
                         KD_VALUES(kd_text_value(kd_str_of(STATE_SETTING)), kd_text_value(state)));
}

static kd_status write_all(kd_link_run *run, const matching *m, kd_str state, double *since, kd_error *err)
{
    KD_TRY(kd_link_write_links(run, err));
    stage(run, "write links", since);
    KD_TRY(kd_link_write_persons(run, err));
    KD_TRY(kd_link_write_ends(run, err));
    stage(run, "write persons", since);
    KD_TRY(kd_link_write_identifiers(run, err));
    stage(run, "write identifiers", since);
    KD_TRY(kd_link_write_relations(run, err));
    stage(run, "write relations", since);
    KD_TRY(kd_late_apply(run, err));
    KD_TRY(kd_link_write_tasks(run, err));
    stage(run, "write tasks", since);
    KD_TRY(kd_doubts_write(run, err));
    KD_TRY(kd_area_counts_write(run, err));
    stage(run, "write overview", since);
    if (kd_progress_cancelled(run->options->progress)) return kd_fail(err, KD_CANCELLED, "", "stopped");
    return write_run(run, m->model, state, err);
}

/* Everything that is read, before a writer is kept waiting. */
static kd_status read_and_match(kd_link_run *run, matching *m, double *since, kd_error *err)
{
    KD_TRY(load_rules(run, err));
    KD_TRY(kd_record_table_load(run->reg, run->options->progress, &run->table, err));
    KD_TRY(read_old_links(run, err));
    run->report->records = run->table.count;
    stage(run, "read", since);
    KD_TRY(match(run, m, since, err));
    KD_TRY(kd_link_assign_persons(run, err));
    run->report->persons = run->clusters.clusters;
    return KD_OK;
}

/*
 * Text of what makes a run's result useless when it changes under it: other files, other words on who is who, another run. What is
 * declared and withdrawn at counters, and values that people settle, come in all day: the run carries them over.
 */
static kd_status guard_text(kd_link_run *run, kd_str *out_guard, kd_error *err)
{
    static const char *const questions[] = { "select count(*) from batch where declared_by is null",
                                             "select coalesce(max(id), 0) from batch where declared_by is null",
                                             "select count(*) from decision where kind <> 'value' and batch_id is null",
                                             "select coalesce(max(id), 0) from decision where kind <> 'value' "
                                             "and batch_id is null",
                                             "select count(*) from decision where kind <> 'value' and batch_id is null "
                                             "and undone_at is not null",
                                             "select coalesce(max(id), 0) from link_run" };
    enum { QUESTIONS = sizeof questions / sizeof questions[0] };
    long long n[QUESTIONS];
    for (size_t i = 0; i < QUESTIONS; i++) {
        int64_t answer;
        KD_TRY(kd_store_int(kd_register_store(run->reg), err, &answer, questions[i], KD_NO_VALUES));
        n[i] = (long long)answer;
    }
    *out_guard = kd_arena_fmt(run->arena, "%lld:%lld:%lld:%lld:%lld:%lld", n[0], n[1], n[2], n[3], n[4], n[5]);
    return out_guard->ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory");
}

static kd_status fail_disturbed(kd_error *err)
{
    kd_fail(err, KD_CONFLICT, "", "records or decisions were added while this run was at work; nothing was changed");
    kd_hint(err, "run `kindred link` again");
    return KD_CONFLICT;
}

typedef struct {
    kd_str state, guard;
    bool is_same;
} footing;

static kd_status read_footing(kd_link_run *run, footing *f, kd_error *err)
{
    KD_TRY(state_text(run, &f->state, err));
    KD_TRY(guard_text(run, &f->guard, err));
    return run->options->is_full ? KD_OK : is_up_to_date(run, f->state, &f->is_same, err);
}

/* All reading is of one moment: what comes in meanwhile is seen only once the run writes. */
static kd_status read_moment(kd_link_run *run, matching *m, footing *f, double *since, kd_error *err)
{
    kd_register *whole = run->reg, *moment;
    KD_TRY(kd_register_snapshot(whole, &moment, err));
    run->reg = moment;
    kd_status status = read_footing(run, f, err);
    run->report->was_needed = !f->is_same;
    if (status == KD_OK && !f->is_same) status = read_and_match(run, m, since, err);
    run->reg = whole;
    kd_register_close(moment);
    return status;
}

static kd_status write_unless_disturbed(kd_link_run *run, const matching *m, const footing *f, double *since,
                                        kd_error *err)
{
    kd_str now;
    KD_TRY(guard_text(run, &now, err));
    if (!kd_str_eq(f->guard, now)) return fail_disturbed(err);
    KD_TRY(kd_link_read_decisions(run, err));
    KD_TRY(kd_late_read(run, err));
    return write_all(run, m, f->state, since, err);
}

/* What is linked stands, with statistics or without. */
static void refresh_statistics(kd_store *store)
{
    static const char *const FILLED[] = { "source_record", "link", "person_identifier", "relation",
                                          "family",        "task", "area_count",        "match_review" };
    kd_error err;
    for (size_t i = 0; i < sizeof FILLED / sizeof *FILLED; i++)
        if (kd_store_refresh_statistics(store, FILLED[i], &err) != KD_OK) kd_log(KD_LOG_WARN, "%s", err.message);
}

static kd_status link_run(kd_link_run *run, matching *m, kd_error *err)
{
    footing f = { 0 };
    double since = kd_seconds();
    KD_TRY(read_moment(run, m, &f, &since, err));
    if (f.is_same) return KD_OK;
    kd_store *store = kd_register_store(run->reg);
    KD_TRY(kd_store_begin(store, err));
    kd_status status = write_unless_disturbed(run, m, &f, &since, err);
    KD_TRY(kd_store_end(store, status, err));
    stage(run, "commit", &since);
    if (run->is_first) refresh_statistics(store);
    stage(run, "statistics", &since);
    return KD_OK;
}

static void run_done(kd_link_run *run)
{
    kd_record_table_done(&run->table);
    kd_clusters_done(&run->clusters);
    free(run->starts);
    free(run->members);
    free(run->old);
    free(run->person_id);
    free(run->is_new);
    free(run->is_decided);
    kd_area_counts_free(run->areas);
    kd_doubts_free(run->doubts);
    kd_late_free(run->late);
    kd_survivorship_free(run->rules);
    kd_arena_free(run->arena);
}

kd_status kd_register_link(kd_register *reg, const kd_link_options *options, kd_link_report *out_report, kd_error *err)
{
    double began = kd_seconds();
    kd_link_report report = { 0 };
    kd_link_run run = { .reg = reg, .arena = kd_arena_new(RUN_BYTES_MAX), .options = options, .report = &report };
    if (!run.arena) return kd_fail(err, KD_LIMIT, "", "no memory");
    matching m = { 0 };
    run.started_us = kd_now_us();
    run.run_id = kd_register_next_id(reg);
    kd_status status = link_run(&run, &m, err);
    matching_done(&m);
    run_done(&run);
    report.seconds = kd_seconds() - began;
    if (status == KD_OK) *out_report = report;
    return status;
}
