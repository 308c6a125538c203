#include "cli.h"
#include "match/match.h"
#include "match_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STAGES_MAX = 8 };

static const kd_option OPTIONS[] = {
    { "model", "FILE.yaml", "the linkage model: columns, blocking rules, comparisons (needed)" },
    { "pairs", "FILE.csv", "write the pairs: tables, rows, names, weight, probability, level of every comparison" },
    { "clusters", "FILE.csv", "write the cluster of every row" },
    { "truth", "TRUTH", "measure against `model`, `column:NAME` or a file of two columns (below)" },
    { "id", "COLUMN", "the column that names a row; else the model's, else rows have numbers from 1" },
    { "explain", "A,B", "show how the weight of two rows, called by their names, comes about" },
    { "trained", "FILE.yaml", "write the model with what was estimated, to be used again as it is" },
    { "threads", "N", "threads; all cores unless given" },
    { NULL, NULL, NULL },
};

/** One run, from tables to measures. */
typedef struct {
    const kd_args *args;
    kd_text *text;
    kd_model *model;
    kd_tables tables;
    kd_matcher *matcher;
    kd_pairs pairs;
    kd_clusters clusters;
    uint32_t *truth;
    kd_quality quality, pairwise; /* of clusters; of the pairs at the best cut */
    float pairwise_cut;
    const char *stage_names[STAGES_MAX];
    double stage_seconds[STAGES_MAX];
    size_t stage_count;
    double began, since;
} run_state;

static void stage(run_state *r, const char *name)
{
    double now = kd_seconds();
    r->stage_names[r->stage_count] = name;
    r->stage_seconds[r->stage_count++] = now - r->since;
    r->since = now;
}

/* Of the pairs across tables, when only those can be one. */
static kd_quality measure_clusters(const run_state *r)
{
    const uint64_t *first = r->tables.first;
    kd_quality q = kd_match_quality(r->clusters.cluster, r->truth, kd_matcher_records(r->matcher));
    if (!kd_model_is_link_only(r->model)) return q;
    for (size_t t = 0; t < r->tables.count; t++) {
        kd_quality within =
            kd_match_quality(r->clusters.cluster + first[t], r->truth + first[t], first[t + 1] - first[t]);
        q.true_pairs -= within.true_pairs;
        q.found_pairs -= within.found_pairs;
        q.shared_pairs -= within.shared_pairs;
    }
    q.precision = q.found_pairs ? (double)q.shared_pairs / (double)q.found_pairs : 1;
    q.recall = q.true_pairs ? (double)q.shared_pairs / (double)q.true_pairs : 1;
    q.f1 = q.found_pairs + q.true_pairs ? 2 * (double)q.shared_pairs / (double)(q.found_pairs + q.true_pairs) : 1;
    return q;
}

/* ---- measuring the pairs: the cut with the best F1, found with the truth, beside what the clusters reach without it ---- */

static int by_weight_down(const void *a, const void *b)
{
    float x = ((const kd_pair *)a)->weight, y = ((const kd_pair *)b)->weight;
    return (x < y) - (x > y);
}

static kd_status measure_pairs(run_state *r, kd_error *err)
{
    uint64_t known = 0, shared = 0;
    kd_pair *sorted = malloc((r->pairs.count + 1) * sizeof *sorted);
    if (!sorted) return kd_fail(err, KD_LIMIT, "", "no memory to measure the pairs");
    for (uint64_t i = 0; i < r->pairs.count; i++) {
        const kd_pair *p = &r->pairs.pairs[i];
        if (r->truth[p->a] != UINT32_MAX && r->truth[p->b] != UINT32_MAX) sorted[known++] = *p;
    }
    qsort(sorted, known, sizeof *sorted, by_weight_down);
    kd_quality best = { .true_pairs = r->quality.true_pairs };
    for (uint64_t i = 0; i < known; i++) {
        shared += r->truth[sorted[i].a] == r->truth[sorted[i].b];
        if (i + 1 < known && sorted[i + 1].weight >= sorted[i].weight) continue;
        double f1 = 2.0 * (double)shared / (double)(i + 1 + best.true_pairs);
        if (f1 <= best.f1) continue;
        best.f1 = f1;
        best.found_pairs = i + 1;
        best.shared_pairs = shared;
        r->pairwise_cut = sorted[i].weight;
    }
    if (best.found_pairs) best.precision = (double)best.shared_pairs / (double)best.found_pairs;
    if (best.true_pairs) best.recall = (double)best.shared_pairs / (double)best.true_pairs;
    r->pairwise = best;
    free(sorted);
    return KD_OK;
}

/* ---- writing ---- */

static void add_text(kd_frame_builder *builder, size_t column, const kd_tables *tables, uint64_t record)
{
    char buf[24];
    kd_frame_builder_text(builder, column, kd_tables_name(tables, record, buf));
}

static void add_place(kd_frame_builder *builder, size_t column, const kd_tables *tables, uint64_t record)
{
    size_t table = kd_tables_of(tables, record);
    kd_frame_builder_int(builder, column, (int64_t)table + 1);
    kd_frame_builder_int(builder, column + 1, (int64_t)(record - tables->first[table]) + 1);
    add_text(builder, column + 2, tables, record);
}

static kd_status write_frame(kd_frame_builder *builder, const char *path, kd_error *err)
{
    kd_frame *frame;
    kd_write_options options = { 0 };
    KD_TRY(kd_frame_builder_finish(builder, &frame, err));
    kd_status status = kd_frame_write_csv(frame, path, &options, err);
    kd_frame_free(frame);
    return status;
}

static kd_status add_pairs(const run_state *r, kd_frame_builder *builder, kd_arena *arena, kd_error *err)
{
    static const char *const places[] = { "table_a", "row_a", "id_a", "table_b", "row_b", "id_b" };
    kd_waterfall w;
    for (size_t i = 0; i < 6; i++)
        kd_frame_builder_column(builder, places[i], i % 3 == 2 ? KD_TYPE_TEXT : KD_TYPE_INT64);
    size_t weight = kd_frame_builder_column(builder, "weight", KD_TYPE_FLOAT64);
    size_t probability = kd_frame_builder_column(builder, "probability", KD_TYPE_FLOAT64);
    for (uint64_t i = 0; i < r->pairs.count; i++) {
        const kd_pair *p = &r->pairs.pairs[i];
        kd_arena_reset(arena);
        KD_TRY(kd_matcher_explain(r->matcher, p->a, p->b, arena, &w, err));
        for (size_t s = 0; i == 0 && s < w.count; s++) {
            char name[128];
            snprintf(name, sizeof name, "level_%.*s", KD_FMT(w.steps[s].comparison));
            kd_frame_builder_column(builder, name, KD_TYPE_DICT);
        }
        add_place(builder, 0, &r->tables, p->a);
        add_place(builder, 3, &r->tables, p->b);
        kd_frame_builder_float(builder, weight, round((double)p->weight * 1000) / 1000);
        kd_frame_builder_float(builder, probability, 1 / (1 + exp2(-(double)p->weight)));
        for (size_t s = 0; s < w.count; s++) kd_frame_builder_text(builder, probability + 1 + s, w.steps[s].level);
    }
    return KD_OK;
}

static kd_status write_pairs(const run_state *r, const char *path, kd_error *err)
{
    kd_frame_builder *builder = kd_frame_builder_new(0);
    kd_arena *arena = kd_arena_new(1 << 20);
    kd_status status = builder && arena ? add_pairs(r, builder, arena, err)
                                        : kd_fail(err, KD_LIMIT, "", "no memory to write the pairs");
    if (status == KD_OK) status = write_frame(builder, path, err);
    kd_arena_free(arena);
    kd_frame_builder_free(builder);
    return status;
}

static kd_status write_clusters(const run_state *r, const char *path, kd_error *err)
{
    kd_frame_builder *builder = kd_frame_builder_new(0);
    if (!builder) return kd_fail(err, KD_LIMIT, "", "no memory to write the clusters");
    kd_frame_builder_column(builder, "table", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "row", KD_TYPE_INT64);
    kd_frame_builder_column(builder, "id", KD_TYPE_TEXT);
    size_t cluster = kd_frame_builder_column(builder, "cluster", KD_TYPE_INT64);
    for (uint64_t record = 0; record < kd_matcher_records(r->matcher); record++) {
        add_place(builder, 0, &r->tables, record);
        kd_frame_builder_int(builder, cluster, (int64_t)r->clusters.cluster[record] + 1);
    }
    kd_status status = write_frame(builder, path, err);
    kd_frame_builder_free(builder);
    return status;
}

static kd_status write_trained(const run_state *r, const char *path, kd_error *err)
{
    kd_arena *arena = kd_arena_new(16 << 20);
    kd_str yaml;
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory to write the model");
    kd_status status = kd_model_write(r->model, arena, &yaml, err);
    if (status == KD_OK) status = kd_file_write(path, yaml, err);
    kd_arena_free(arena);
    return status;
}

static kd_status write_files(const run_state *r, kd_error *err)
{
    const char *pairs = kd_arg(r->args, "pairs"), *clusters = kd_arg(r->args, "clusters");
    if (pairs) KD_TRY(write_pairs(r, pairs, err));
    if (clusters) KD_TRY(write_clusters(r, clusters, err));
    const char *trained = kd_arg(r->args, "trained");
    return trained ? write_trained(r, trained, err) : KD_OK;
}

/* ---- explaining two rows ---- */

static kd_status find_named(const run_state *r, kd_str name, uint32_t *out_record, kd_error *err)
{
    for (uint64_t record = 0; record < kd_matcher_records(r->matcher); record++) {
        char buf[24];
        if (!kd_str_eq(kd_tables_name(&r->tables, record, buf), name)) continue;
        *out_record = (uint32_t)record;
        return KD_OK;
    }
    return kd_fail(err, KD_NOT_FOUND, "explain", "no row of the tables has that name");
}

static void explain_words(const kd_waterfall *w, kd_buf *out)
{
    bool is_english = kd_cli_is_english();
    kd_buf_fmt(out, "%+9.2f  %s\n", w->prior_bits, is_english ? "before anything is compared" : "比较之前");
    for (size_t i = 0; i < w->count; i++) {
        const kd_waterfall_step *s = &w->steps[i];
        kd_str title = is_english ? s->title_en : s->title_zh;
        kd_buf_fmt(out, "%+9.2f  %.*s: %.*s (m %.4g, u %.4g)\n", s->bits, KD_FMT(s->comparison),
                   KD_FMT(title.len ? title : s->level), s->m, s->u);
        if (fabs(s->tf_bits) >= 0.005)
            kd_buf_fmt(out, "%+9.2f  %.*s: %s\n", s->tf_bits, KD_FMT(s->comparison),
                       is_english ? "how rare the shared value is" : "该值的稀有程度");
    }
    kd_buf_fmt(out, "%+9.2f  %s %.6f\n", w->total_bits, is_english ? "in all; probability" : "合计；概率",
               w->probability);
}

static void explain_json(const kd_waterfall *w, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_kdouble(&json, "prior_bits", w->prior_bits, 4);
    kd_json_key(&json, "steps");
    kd_json_array(&json);
    for (size_t i = 0; i < w->count; i++) {
        const kd_waterfall_step *s = &w->steps[i];
        kd_json_object(&json);
        kd_json_kstr(&json, "comparison", s->comparison);
        kd_json_kstr(&json, "level", s->level);
        kd_json_kstr(&json, "title_zh", s->title_zh);
        kd_json_kstr(&json, "title_en", s->title_en);
        kd_json_kdouble(&json, "m", s->m, 9);
        kd_json_kdouble(&json, "u", s->u, 9);
        kd_json_kdouble(&json, "bits", s->bits, 4);
        kd_json_kdouble(&json, "tf_bits", s->tf_bits, 4);
        kd_json_object_end(&json);
    }
    kd_json_array_end(&json);
    kd_json_kdouble(&json, "total_bits", w->total_bits, 4);
    kd_json_kdouble(&json, "probability", w->probability, 9);
    kd_json_object_end(&json);
}

static kd_status explain(const run_state *r, kd_str names, kd_buf *out, kd_error *err)
{
    kd_str first = { NULL, 0 };
    uint32_t a = 0, b = 0;
    kd_waterfall w;
    if (!kd_str_next(&names, ',', &first) || !names.ptr)
        return kd_fail(err, KD_INVALID, "explain", "the names of two rows with a comma between are expected");
    KD_TRY(find_named(r, first, &a, err));
    KD_TRY(find_named(r, names, &b, err));
    kd_arena *arena = kd_arena_new(1 << 20);
    if (!arena) return kd_fail(err, KD_LIMIT, "", "no memory to explain");
    kd_status status = kd_matcher_explain(r->matcher, a, b, arena, &w, err);
    if (status == KD_OK && r->args->is_json) explain_json(&w, out);
    if (status == KD_OK && !r->args->is_json) explain_words(&w, out);
    kd_arena_free(arena);
    return status;
}

/* ---- the result ---- */

static void add_quality(kd_json *json, const kd_quality *q)
{
    kd_json_kint(json, "true_pairs", (int64_t)q->true_pairs);
    kd_json_kint(json, "found_pairs", (int64_t)q->found_pairs);
    kd_json_kint(json, "shared_pairs", (int64_t)q->shared_pairs);
    kd_json_kdouble(json, "precision", q->precision, 6);
    kd_json_kdouble(json, "recall", q->recall, 6);
    kd_json_kdouble(json, "f1", q->f1, 6);
}

static void result_json(const run_state *r, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_kint(&json, "tables", (int64_t)r->tables.count);
    kd_json_kint(&json, "records", (int64_t)kd_matcher_records(r->matcher));
    kd_json_kint(&json, "compared", (int64_t)r->pairs.compared);
    kd_json_kint(&json, "full_blocks", (int64_t)r->pairs.full_blocks);
    kd_json_kint(&json, "full_block_records", (int64_t)r->pairs.full_records);
    kd_json_kint(&json, "pairs", (int64_t)r->pairs.count);
    kd_json_kint(&json, "clusters", r->clusters.clusters);
    kd_json_kint(&json, "doubtful", (int64_t)r->clusters.doubtful_count);
    if (r->truth) {
        add_quality(&json, &r->quality);
        kd_json_key(&json, "pairwise");
        kd_json_object(&json);
        kd_json_kdouble(&json, "weight", (double)r->pairwise_cut, 3);
        add_quality(&json, &r->pairwise);
        kd_json_object_end(&json);
    }
    kd_json_kdouble(&json, "seconds", r->since - r->began, 4);
    kd_json_key(&json, "stages");
    kd_json_object(&json);
    for (size_t i = 0; i < r->stage_count; i++) kd_json_kdouble(&json, r->stage_names[i], r->stage_seconds[i], 4);
    kd_json_object_end(&json);
    kd_json_kint(&json, "peak_memory_bytes", (int64_t)kd_memory_peak_bytes());
    kd_json_object_end(&json);
}

static void result_words(const run_state *r, kd_buf *out)
{
    bool is_english = kd_cli_is_english();
    kd_buf_fmt(out,
               is_english ? "%llu rows are %u clusters; %llu pairs of %llu compared, %llu more to be looked at.\n"
                          : "%llu 行归为 %u 组；比较得 %llu 对（候选 %llu 对），另有 %llu 对待人工判断。\n",
               (unsigned long long)kd_matcher_records(r->matcher), r->clusters.clusters,
               (unsigned long long)r->pairs.count, (unsigned long long)r->pairs.compared,
               (unsigned long long)r->clusters.doubtful_count);
    if (r->pairs.full_blocks)
        kd_buf_fmt(out,
                   is_english
                       ? "%llu blocks of %llu rows in all were too full and passed over: see `max` in the model.\n"
                       : "%llu 个候选块过大（共 %llu 行）未作比较：见模型中的 max。\n",
                   (unsigned long long)r->pairs.full_blocks, (unsigned long long)r->pairs.full_records);
    if (r->truth)
        kd_buf_fmt(out,
                   is_english ? "against truth: precision %.5f, recall %.5f, F1 %.5f (pairs alone, best cut: F1 %.5f)\n"
                              : "与真值相比：查准率 %.5f，查全率 %.5f，F1 %.5f（仅按配对，最佳阈值：F1 %.5f）\n",
                   r->quality.precision, r->quality.recall, r->quality.f1, r->pairwise.f1);
    for (size_t i = 0; i < r->stage_count; i++)
        kd_buf_fmt(out, "  %-10s %8.3f s\n", r->stage_names[i], r->stage_seconds[i]);
    kd_buf_fmt(out, "  %-10s %8.3f s, %.0f MB\n", is_english ? "in all" : "合计", r->since - r->began,
               (double)kd_memory_peak_bytes() / 1e6);
}

/* ---- the run ---- */

static kd_status link_tables(run_state *r, unsigned threads, kd_error *err)
{
    kd_match_options options = { .threads = threads, .seed = 1, .progress = kd_cli_progress() };
    KD_TRY(kd_matcher_new(r->model, (const kd_frame *const *)r->tables.frames, r->tables.count, &options, &r->matcher,
                          err));
    stage(r, "prepare");
    KD_TRY(kd_matcher_train(r->matcher, r->model, err));
    stage(r, "train");
    KD_TRY(kd_matcher_pairs(r->matcher, &r->pairs, err));
    stage(r, "compare");
    KD_TRY(kd_matcher_cluster(r->matcher, &r->pairs, NULL, &r->clusters, err));
    stage(r, "cluster");
    return KD_OK;
}

static kd_status match(run_state *r, unsigned threads, kd_buf *out, kd_error *err)
{
    const kd_args *args = r->args;
    const char *explained = kd_arg(args, "explain");
    KD_TRY(kd_text_open(&r->text, err));
    KD_TRY(kd_model_load(kd_arg(args, "model"), r->text, &r->model, err));
    kd_tables_wanted wanted = { r->model, args->positional, args->positional_count, kd_arg(args, "id"),
                                kd_arg(args, "truth") };
    KD_TRY(kd_tables_read(&wanted, &r->tables, err));
    stage(r, "read");
    KD_TRY(link_tables(r, threads, err));
    if (wanted.truth) {
        KD_TRY(kd_truth_read(&wanted, &r->tables, &r->truth, err));
        r->quality = measure_clusters(r);
        KD_TRY(measure_pairs(r, err));
        stage(r, "measure");
    }
    KD_TRY(write_files(r, err));
    stage(r, "write");
    if (explained) return explain(r, kd_str_of(explained), out, err);
    if (args->is_json) {
        result_json(r, out);
    } else {
        result_words(r, out);
    }
    return KD_OK;
}

static void done(run_state *r)
{
    free(r->truth);
    kd_clusters_done(&r->clusters);
    kd_pairs_done(&r->pairs);
    kd_matcher_free(r->matcher);
    kd_tables_done(&r->tables);
    kd_model_free(r->model);
    kd_text_close(r->text);
}

static int run(const kd_args *args)
{
    int64_t threads;
    if (!kd_arg_int(args, "threads", 0, &threads)) return KD_EXIT_USAGE;
    if (threads < 0 || threads > 1024) return kd_cli_usage(args, "--threads wants a number up to 1024");
    if (!kd_arg(args, "model")) return kd_cli_usage(args, "--model is needed: models/ has some to begin with");
    if (!args->positional_count) return kd_cli_usage(args, "no table is given");
    run_state r = { .args = args, .began = kd_seconds() };
    r.since = r.began;
    kd_buf out;
    kd_error err;
    kd_buf_init(&out, 1 << 22);
    kd_status status = match(&r, (unsigned)threads, &out, &err);
    kd_cli_progress_end();
    int code = status == KD_OK ? kd_cli_print(&out) : kd_cli_fail(args, &err);
    kd_buf_done(&out);
    done(&r);
    return code;
}

const kd_command kd_cmd_match = {
    .name = "match",
    .summary = "link the rows of any tables that are about one person",
    .usage = "match --model FILE.yaml TABLE… [--pairs FILE] [--clusters FILE] [--truth TRUTH] [--json]",
    .details =
        "Tables are CSV (also packed: .csv.gz) or XLSX. The model says which columns are compared and how; nothing else\n"
        "is needed: probabilities are estimated from the tables, without labels.\n\n"
        "TRUTH is one of\n"
        "  model         the model's own `truth:` tells the entity, as in the models of public test sets; the path of one\n"
        "                of the tables means the same\n"
        "  column:NAME   rows with the same value there are one\n"
        "  FILE.csv      two columns: the names of two linked rows, or the name of a row and its entity; a third\n"
        "                column called score or match leaves out links below 0.5\n"
        "Precision, recall and F1 are over pairs of rows in one cluster. `pairwise` are the scored pairs at the cut that\n"
        "is best for this truth.\n\n"
        "  kindred match --model models/febrl4.yaml febrl4a.csv febrl4b.csv --truth model --json",
    .options = OPTIONS,
    .run = run,
};
