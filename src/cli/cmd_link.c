#include "cli.h"
#include "register/register.h"

static const kd_option OPTIONS[] = {
    { "full", NULL, "link again even when nothing has changed" },
    { "model", "FILE.yaml", "linkage model instead of the shipped models/person.yaml" },
    { "truth", "FILE.csv", "measure against the truth of a simulation: feed,row,person,role,file" },
    { "clusters", "FILE.csv", "write the person of every source record: feed,file,row,role,person" },
    { NULL, NULL, NULL },
};

static void add_json(const kd_link_report *r, const kd_quality *q, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_kbool(&json, "was_needed", r->was_needed);
    kd_json_kint(&json, "source_records", r->records);
    kd_json_kint(&json, "persons", r->persons);
    kd_json_kint(&json, "created", r->created);
    kd_json_kint(&json, "merged", r->merged);
    kd_json_kint(&json, "split", r->split);
    kd_json_kint(&json, "changed", r->changed);
    kd_json_kint(&json, "conflicts", r->conflicts);
    kd_json_kint(&json, "compared", (int64_t)r->compared);
    kd_json_kint(&json, "pairs", (int64_t)r->pairs);
    kd_json_kint(&json, "tasks_open", r->tasks_open);
    kd_json_kint(&json, "tasks_opened", r->tasks_opened);
    kd_json_kint(&json, "tasks_closed", r->tasks_closed);
    kd_json_kdouble(&json, "seconds", r->seconds, 3);
    kd_json_key(&json, "stages");
    kd_json_object(&json);
    for (size_t i = 0; i < r->stage_count; i++) kd_json_kdouble(&json, r->stages[i].name, r->stages[i].seconds, 3);
    kd_json_object_end(&json);
    kd_json_kint(&json, "peak_memory_bytes", (int64_t)kd_memory_peak_bytes());
    if (q) {
        kd_json_kint(&json, "true_pairs", (int64_t)q->true_pairs);
        kd_json_kint(&json, "found_pairs", (int64_t)q->found_pairs);
        kd_json_kint(&json, "shared_pairs", (int64_t)q->shared_pairs);
        kd_json_kdouble(&json, "precision", q->precision, 6);
        kd_json_kdouble(&json, "recall", q->recall, 6);
        kd_json_kdouble(&json, "f1", q->f1, 6);
    }
    kd_json_object_end(&json);
}

static void add_words(const kd_link_report *r, const kd_quality *q, kd_buf *out)
{
    bool is_english = kd_cli_is_english();
    if (!r->was_needed) {
        kd_buf_cstr(out, is_english ? "Nothing has changed since the last run.\n" : "自上次归并以来没有变化。\n");
    } else {
        kd_buf_fmt(out,
                   is_english ? "%lld source records are %lld persons: %lld new, %lld merged, %lld split, %lld with "
                                "changed values.\n%lld disagreements; %lld open tasks.\n"
                              : "%lld 条来源记录归为 %lld 人：新增 %lld，合并 %lld，拆分 %lld，信息有变 %lld。\n"
                                "信息不一致 %lld 处；待办任务 %lld 件。\n",
                   (long long)r->records, (long long)r->persons, (long long)r->created, (long long)r->merged,
                   (long long)r->split, (long long)r->changed, (long long)r->conflicts, (long long)r->tasks_open);
        for (size_t i = 0; i < r->stage_count; i++)
            kd_buf_fmt(out, "  %-18s %8.2f s\n", r->stages[i].name, r->stages[i].seconds);
        kd_buf_fmt(out, "  %-18s %8.2f s, %.2f GB\n", is_english ? "in all" : "合计", r->seconds,
                   (double)kd_memory_peak_bytes() / 1e9);
    }
    if (q)
        kd_buf_fmt(out,
                   is_english ? "against truth: precision %.5f, recall %.5f, F1 %.5f\n"
                              : "与真值相比：查准率 %.5f，查全率 %.5f，F1 %.5f\n",
                   q->precision, q->recall, q->f1);
}

static kd_status work(const kd_args *args, kd_register *reg, kd_link_report *report, kd_quality *quality, kd_error *err)
{
    kd_link_options options = { .model_path = kd_arg(args, "model"),
                                .is_full = kd_arg(args, "full") != NULL,
                                .progress = kd_cli_progress() };
    kd_status status = kd_register_link(reg, &options, report, err);
    kd_cli_progress_end();
    if (status == KD_OK && kd_arg(args, "truth"))
        status = kd_register_quality(reg, kd_arg(args, "truth"), quality, err);
    if (status == KD_OK && kd_arg(args, "clusters"))
        status = kd_register_write_clusters(reg, kd_arg(args, "clusters"), err);
    return status;
}

static int run(const kd_args *args)
{
    if (args->positional_count) return kd_cli_usage(args, "'%s' is not expected", args->positional[0]);
    kd_error err;
    kd_register *reg;
    kd_link_report report = { 0 };
    kd_quality quality = { 0 };
    if (kd_register_open(args->register_dir, false, &reg, &err) != KD_OK) return kd_cli_fail(args, &err);
    kd_status status = work(args, reg, &report, &quality, &err);
    kd_register_close(reg);
    if (status != KD_OK) return kd_cli_fail(args, &err);
    const kd_quality *measured = kd_arg(args, "truth") ? &quality : NULL;
    kd_buf out;
    kd_buf_init(&out, 1 << 20);
    if (args->is_json) {
        add_json(&report, measured, &out);
    } else {
        add_words(&report, measured, &out);
    }
    int code = kd_cli_print(&out);
    kd_buf_done(&out);
    return code;
}

const kd_command kd_cmd_link = {
    .name = "link",
    .summary = "resolve source records into persons and families; make tasks of disagreements",
    .usage = "link [--register DIR] [--full] [--model FILE.yaml] [--truth FILE.csv] [--clusters FILE.csv] [--json]",
    .details =
        "Persons keep their ids from run to run; merges and splits are written to their history. The run is one\n"
        "transaction: stopped at any moment it leaves the register as it was.",
    .options = OPTIONS,
    .run = run,
};
