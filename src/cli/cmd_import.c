#include "cli.h"
#include "exchange/exchange.h"

#include <stdio.h>
#include <string.h>

static const kd_option options[] = {
    { "feed", "NAME", "the feed of the files; else recognised from the header" },
    { "dry-run", NULL, "look only: what would be read, what is wrong; nothing is changed" },
    { "as-of", "DAY", "the day the department cut the files, such as 2026-01-01" },
    { "division", "CODE", "the area the files come from" },
    { "bad", "DIR", "where the files of bad rows go; else beside each input" },
    { "packs", "DIR", "a folder of more feed packs" },
    { "list-feeds", NULL, "name the feeds that can be read" },
    { "check-feed", "FILE", "check a feed pack and say what is wrong with it" },
    { NULL, NULL, NULL },
};

enum { ARENA_BYTES_MAX_SHIFT = 33 }; /* 8 GB: the rows of a wholly bad file are kept to be written */

typedef struct {
    const kd_args *args;
    kd_register *reg;
    kd_feed_packs *packs;
    kd_import_options options;
    kd_json json;
    kd_buf out;
    bool is_english;
    int64_t files, failed, records, rows_bad;
} import_run;

__attribute__((format_arg(2), format_arg(3))) static const char *say(const import_run *run, const char *zh,
                                                                     const char *en)
{
    return run->is_english ? en : zh;
}

static kd_str say_str(const import_run *run, kd_str zh, kd_str en)
{
    return run->is_english ? en : zh;
}

/* ---- JSON ---- */

static void json_problems(kd_json *json, const kd_feed_outcome *outcome)
{
    kd_json_key(json, "problems");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->problem_count; i++) {
        const kd_feed_problem *problem = &outcome->problems[i];
        kd_json_object(json);
        kd_json_kstr(json, "kind", kd_str_of(kd_bad_kind_name(problem->kind)));
        kd_json_kstr(json, "reason", problem->en);
        kd_json_kstr(json, "reason_zh", problem->zh);
        kd_json_kint(json, "count", problem->count);
        kd_json_key(json, "lines");
        kd_json_array(json);
        for (size_t k = 0; k < problem->line_count; k++) kd_json_int(json, (int64_t)problem->lines[k]);
        kd_json_array_end(json);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static const char *encoding_name(kd_encoding encoding)
{
    static const char *const names[] = { "", "UTF-8", "GB18030", "UTF-16LE", "UTF-16BE" };
    return (size_t)encoding < sizeof names / sizeof names[0] ? names[encoding] : "";
}

/* 612729**********: enough to see that the column was read right, too little to know the person. */
static kd_str masked(kd_str number, char buf[24])
{
    size_t shown = number.len > 10 ? 6 : 0, len = number.len < 23 ? number.len : 23;
    for (size_t i = 0; i < len; i++) buf[i] = i < shown ? number.ptr[i] : '*';
    return (kd_str){ buf, len };
}

static void json_samples(kd_json *json, const kd_feed_outcome *outcome)
{
    kd_json_key(json, "samples");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->sample_count; i++) {
        const kd_source_record *record = &outcome->samples[i];
        char buf[24];
        kd_json_object(json);
        kd_json_kint(json, "row", record->row_no);
        kd_json_kstr(json, "role", kd_str_of(kd_role_name(record->role)));
        kd_json_kstr(json, "name", record->name);
        kd_json_kstr(json, "name_written", record->name_written);
        if (record->sex >= 0) kd_json_kint(json, "sex", record->sex);
        kd_json_kday(json, "birth_day", record->birth_day);
        kd_json_kstr(json, "identity_number", masked(record->identity_number, buf));
        if (record->division) kd_json_kint(json, "division", record->division);
        kd_json_kstr(json, "status", record->status);
        kd_json_kday(json, "event_day", record->event_day);
        kd_json_kday(json, "recorded_day", record->recorded_day);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
}

static void json_preview(kd_json *json, const kd_feed_outcome *outcome)
{
    kd_json_kstr(json, "encoding", kd_str_of(encoding_name(outcome->encoding)));
    kd_json_kstr(json, "delimiter", (kd_str){ &outcome->delimiter, outcome->delimiter ? 1 : 0 });
    kd_json_key(json, "columns");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->column_count; i++) {
        kd_json_object(json);
        kd_json_kstr(json, "header", outcome->columns[i].header);
        kd_json_kstr(json, "column", outcome->columns[i].column);
        kd_json_kstr(json, "fills", outcome->columns[i].fills);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_key(json, "missing");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->missing_count; i++) kd_json_str(json, outcome->missing[i]);
    kd_json_array_end(json);
    json_samples(json, outcome);
}

static void json_result(import_run *run, const kd_import_result *result)
{
    kd_json *json = &run->json;
    const kd_feed_outcome *outcome = &result->outcome;
    char id[KD_ID_TEXT_BYTES] = "";
    kd_json_object(json);
    kd_json_kbool(json, "ok", true);
    kd_json_kstr(json, "file", result->file);
    kd_json_kstr(json, "feed", outcome->feed);
    kd_json_kbool(json, "already_imported", result->already_imported);
    kd_json_kstr(json, "batch_id", result->batch_id ? kd_str_of(kd_id_format(result->batch_id, id)) : KD_STR(""));
    kd_json_kstr(json, "content_hash", result->content_hash);
    kd_json_kint(json, "rows", outcome->rows_seen);
    kd_json_kint(json, "records", outcome->records);
    kd_json_kint(json, "bad_rows", outcome->rows_bad);
    json_problems(json, outcome);
    kd_json_key(json, "unknown_columns");
    kd_json_array(json);
    for (size_t i = 0; i < outcome->column_count; i++)
        if (outcome->columns[i].column.len == 0) kd_json_str(json, outcome->columns[i].header);
    kd_json_array_end(json);
    if (run->options.is_dry_run) json_preview(json, outcome);
    kd_json_kstr(json, "bad_path", result->bad_path);
    kd_json_kdouble(json, "seconds", result->seconds, 3);
    kd_json_object_end(json);
}

static void json_failure(import_run *run, kd_str path, const kd_error *err)
{
    kd_json *json = &run->json;
    kd_json_object(json);
    kd_json_kbool(json, "ok", false);
    kd_json_kstr(json, "file", path);
    kd_json_kstr(json, "status", kd_str_of(kd_status_name(err->status)));
    if (err->line) kd_json_kint(json, "line", (int64_t)err->line);
    if (err->column) kd_json_kint(json, "column", (int64_t)err->column);
    kd_json_kstr(json, "field", kd_str_of(err->field));
    kd_json_kstr(json, "message", kd_str_of(err->message));
    kd_json_kstr(json, "hint", kd_str_of(err->hint));
    kd_json_object_end(json);
}

/* ---- words ---- */

static void print_sample(const import_run *run, const kd_source_record *record)
{
    char number[24], day[16];
    static const char *const zh[] = { "未知", "男", "女" }, *const en[] = { "unknown", "male", "female" };
    kd_str name = record->name.len ? record->name : record->name_written;
    kd_str id = masked(record->identity_number, number);
    int sex = record->sex == 1 || record->sex == 2 ? record->sex : 0;
    printf(say(run, "  第 %lld 行 %s：%.*s，%s，出生 %s，证件 %.*s，区划 ",
               "  row %lld %s: %.*s, %s, born %s, number %.*s, division "),
           (long long)record->row_no, kd_role_name(record->role), KD_FMT(name), run->is_english ? en[sex] : zh[sex],
           record->birth_day == KD_DAY_NONE ? "-" : kd_day_format(record->birth_day, day),
           KD_FMT(id.len ? id : KD_STR("-")));
    if (record->division) {
        printf("%lld\n", (long long)record->division);
    } else {
        puts("-");
    }
}

static void print_problem(const import_run *run, const kd_feed_problem *problem)
{
    static const char *const zh[] = { "退回", "问题", "提示" }, *const en[] = { "rejected", "problem", "note" };
    kd_str reason = say_str(run, problem->zh, problem->en);
    printf(say(run, "  %s %lld：%.*s（行", "  %s %lld: %.*s (lines"),
           run->is_english ? en[problem->kind] : zh[problem->kind], (long long)problem->count, KD_FMT(reason));
    for (size_t i = 0; i < problem->line_count; i++) printf(" %llu", (unsigned long long)problem->lines[i]);
    printf("%s%s\n", (size_t)problem->count > problem->line_count ? " …" : "", say(run, "）", ")"));
}

static void print_preview(const import_run *run, const kd_feed_outcome *outcome)
{
    printf(say(run, "  编码 %s，分隔符 %s\n", "  encoding %s, delimiter %s\n"), encoding_name(outcome->encoding),
           outcome->delimiter == '\t' ? "TAB"
           : outcome->delimiter       ? (char[]){ outcome->delimiter, 0 }
                                      : "-");
    for (size_t i = 0; i < outcome->column_count; i++) {
        const kd_feed_mapping *column = &outcome->columns[i];
        kd_str fills = column->fills.len ? column->fills
                       : column->column.len
                           ? kd_str_of(say(run, "（只留在归档文件中）", "(stays in the archived file)"))
                           : kd_str_of(say(run, "（未知的列，不读取）", "(unknown column, not read)"));
        printf("  %3zu  %.*s -> %.*s\n", i + 1, KD_FMT(column->header), KD_FMT(fills));
    }
    for (size_t i = 0; i < outcome->missing_count; i++)
        printf("%s%.*s", i ? ", " : say(run, "  没有的列：", "  columns wanting: "), KD_FMT(outcome->missing[i]));
    if (outcome->missing_count) putchar('\n');
    for (size_t i = 0; i < outcome->sample_count; i++) print_sample(run, &outcome->samples[i]);
}

static void print_unknown(const import_run *run, const kd_feed_outcome *outcome)
{
    size_t unknown = 0;
    for (size_t i = 0; i < outcome->column_count; i++) {
        if (outcome->columns[i].column.len) continue;
        printf("%s%.*s",
               unknown++ ? ", " : say(run, "  说明：描述中没有的列 ", "  note: columns the pack does not know: "),
               KD_FMT(outcome->columns[i].header));
    }
    if (unknown) putchar('\n');
}

static void print_result(const import_run *run, const kd_import_result *result)
{
    const kd_feed_outcome *outcome = &result->outcome;
    const kd_feed_pack *pack = kd_feed_packs_find(run->packs, outcome->feed);
    kd_feed_info info = kd_feed_pack_info(pack);
    kd_str title = say_str(run, info.title_zh, info.title_en);
    printf("%.*s: %.*s (%.*s)\n", KD_FMT(result->file), KD_FMT(title), KD_FMT(outcome->feed));
    if (result->already_imported)
        printf("%s\n", say(run, "  这个文件以前已经导入，没有任何改动",
                           "  this very file has been imported before: nothing was changed"));
    printf(say(run, "  %lld 行，%lld 条记录，%lld 行未收，%.1f 秒\n",
               "  %lld rows, %lld records, %lld rows left out, %.1f seconds\n"),
           (long long)outcome->rows_seen, (long long)outcome->records, (long long)outcome->rows_bad, result->seconds);
    if (run->options.is_dry_run) {
        print_preview(run, outcome);
    } else {
        print_unknown(run, outcome);
    }
    for (size_t i = 0; i < outcome->problem_count; i++) print_problem(run, &outcome->problems[i]);
    if (result->bad_path.len)
        printf(say(run, "  有问题的行写在 %.*s%s\n", "  the bad rows stand in %.*s%s\n"), KD_FMT(result->bad_path),
               result->bad_elsewhere ? say(run, "（原定的文件夹不能写）", " (the folder wanted cannot be written)")
                                     : "");
    if (run->options.is_dry_run) printf("%s\n", say(run, "  预览：没有任何改动", "  preview: nothing was changed"));
}

/* ---- the work ---- */

static void import_one(import_run *run, kd_str path, const kd_import_options *how)
{
    kd_arena *arena = kd_arena_new((size_t)1 << ARENA_BYTES_MAX_SHIFT);
    kd_import_result result = { 0 };
    kd_error err = { 0 };
    kd_status status = arena ? kd_import_file(run->reg, run->packs, path.ptr, how, arena, &result, &err)
                             : kd_fail(&err, KD_LIMIT, "", "out of memory");
    kd_cli_progress_end();
    run->files++;
    if (status != KD_OK) {
        char text[1200];
        kd_error_text(&err, text, sizeof text);
        fprintf(stderr, "%s%s\n", say(run, "未导入：", "not imported: "), text);
        run->failed++;
        if (run->args->is_json) json_failure(run, path, &err);
    } else if (run->args->is_json) {
        json_result(run, &result);
    } else {
        print_result(run, &result);
        fflush(stdout);
    }
    if (status == KD_OK && !result.already_imported) {
        run->records += result.outcome.records;
        run->rows_bad += result.outcome.rows_bad;
    }
    kd_arena_free(arena);
}

static void import_manifest(import_run *run, const char *path)
{
    kd_error err = { 0 };
    kd_manifest manifest = { 0 };
    kd_arena *arena = kd_arena_new((size_t)1 << 28);
    kd_status status =
        arena ? kd_manifest_load(arena, path, &manifest, &err) : kd_fail(&err, KD_LIMIT, "", "out of memory");
    if (status != KD_OK) {
        char text[1200];
        kd_error_text(&err, text, sizeof text);
        fprintf(stderr, "%s%s\n", say(run, "清单无法读取：", "the manifest cannot be read: "), text);
        run->files++;
        run->failed++;
        if (run->args->is_json) json_failure(run, kd_str_of(path), &err);
    }
    for (size_t i = 0; i < manifest.count && !kd_progress_cancelled(run->options.progress); i++) {
        const kd_manifest_file *file = &manifest.files[i];
        kd_import_options how = run->options;
        if (file->feed.len) how.feed = file->feed;
        if (file->division) how.division = file->division;
        if (file->as_of_day != KD_DAY_NONE) how.as_of_day = file->as_of_day;
        import_one(run, file->path, &how);
    }
    kd_arena_free(arena);
}

static int import_all(import_run *run)
{
    double start = kd_seconds();
    kd_buf_init(&run->out, (size_t)1 << 30);
    kd_json_init(&run->json, &run->out);
    kd_json_object(&run->json);
    kd_json_key(&run->json, "files");
    kd_json_array(&run->json);
    for (size_t i = 0; i < run->args->positional_count && !kd_progress_cancelled(run->options.progress); i++) {
        kd_str path = kd_str_of(run->args->positional[i]);
        if (kd_manifest_is(path)) {
            import_manifest(run, path.ptr);
        } else {
            import_one(run, path, &run->options);
        }
    }
    bool is_stopped = kd_progress_cancelled(run->options.progress);
    double seconds = kd_seconds() - start;
    kd_json_array_end(&run->json);
    kd_json_kint(&run->json, "imported", run->files - run->failed);
    kd_json_kint(&run->json, "failed", run->failed);
    kd_json_kint(&run->json, "records", run->records);
    kd_json_kint(&run->json, "bad_rows", run->rows_bad);
    kd_json_kdouble(&run->json, "seconds", seconds, 3);
    kd_json_object_end(&run->json);
    int code = KD_EXIT_OK;
    if (run->args->is_json) {
        code = kd_cli_print(&run->out);
    } else if (run->files > 1) {
        printf(say(run, "共 %lld 个文件，%lld 个未导入，新增 %lld 条记录，%.1f 秒\n",
                   "%lld files, %lld not imported, %lld new records, %.1f seconds\n"),
               (long long)run->files, (long long)run->failed, (long long)run->records, seconds);
    }
    kd_buf_done(&run->out);
    if (is_stopped)
        fprintf(stderr, "%s\n",
                say(run, "已停止；未完成的文件没有导入", "stopped; unfinished files were not imported"));
    return code != KD_EXIT_OK || run->failed || is_stopped ? KD_EXIT_FAILED : KD_EXIT_OK;
}

static void json_feed(kd_json *json, const kd_feed_info *info)
{
    kd_json_object(json);
    kd_json_kstr(json, "feed", info->feed);
    kd_json_kstr(json, "version", info->version);
    kd_json_kstr(json, "title_zh", info->title_zh);
    kd_json_kstr(json, "title_en", info->title_en);
    kd_json_kstr(json, "supplier_zh", info->supplier_zh);
    kd_json_kstr(json, "supplier_en", info->supplier_en);
    kd_json_kint(json, "columns", (int64_t)info->columns);
    kd_json_kint(json, "required_columns", (int64_t)info->required_columns);
    kd_json_kstr(json, "pack", info->file);
    kd_json_object_end(json);
}

static void print_feed(const import_run *run, const kd_feed_info *info)
{
    kd_str title = say_str(run, info->title_zh, info->title_en);
    kd_str supplier = say_str(run, info->supplier_zh, info->supplier_en);
    printf(say(run, "%-24.*s %.*s（%.*s），%zu 列，其中 %zu 列必须有\n",
               "%-24.*s %.*s (%.*s), %zu columns, %zu of them required\n"),
           KD_FMT(info->feed), KD_FMT(title), KD_FMT(supplier), info->columns, info->required_columns);
}

static int check_feed(import_run *run, const char *path)
{
    kd_feed_pack *pack = NULL;
    kd_error err = { 0 };
    if (kd_feed_pack_load(path, &pack, &err) != KD_OK) return kd_cli_fail(run->args, &err);
    kd_feed_info info = kd_feed_pack_info(pack);
    int code = KD_EXIT_OK;
    if (run->args->is_json) {
        kd_buf_init(&run->out, 1 << 20);
        kd_json_init(&run->json, &run->out);
        json_feed(&run->json, &info);
        code = kd_cli_print(&run->out);
        kd_buf_done(&run->out);
    } else {
        print_feed(run, &info);
        printf("%s\n", say(run, "描述没有错误", "the pack is in order"));
    }
    kd_feed_pack_free(pack);
    return code;
}

static int list_feeds(import_run *run)
{
    kd_buf_init(&run->out, 16 << 20);
    kd_json_init(&run->json, &run->out);
    kd_json_array(&run->json);
    for (size_t i = 0; i < kd_feed_packs_count(run->packs); i++) {
        kd_feed_info info = kd_feed_pack_info(kd_feed_packs_at(run->packs, i));
        if (run->args->is_json) {
            json_feed(&run->json, &info);
        } else {
            print_feed(run, &info);
        }
    }
    kd_json_array_end(&run->json);
    int code = run->args->is_json ? kd_cli_print(&run->out) : KD_EXIT_OK;
    kd_buf_done(&run->out);
    return code;
}

static int import_into(import_run *run)
{
    kd_error err = { 0 };
    if (kd_register_open(run->args->register_dir, false, &run->reg, &err) != KD_OK) return kd_cli_fail(run->args, &err);
    int code = KD_EXIT_OK;
    const char *division = kd_arg(run->args, "division");
    const kd_divisions *divisions = NULL;
    if (division) {
        if (kd_register_divisions(run->reg, &divisions, &err) != KD_OK) {
            code = kd_cli_fail(run->args, &err);
        } else {
            run->options.division = kd_division_code_read(divisions, kd_str_of(division), false);
            if (!run->options.division)
                code = kd_cli_usage(run->args, "--division: no area has the code '%s'", division);
        }
    }
    if (code == KD_EXIT_OK) code = import_all(run);
    kd_register_close(run->reg);
    return code;
}

static int run_import(const kd_args *args)
{
    import_run run = { .args = args, .is_english = kd_cli_is_english() };
    run.options = (kd_import_options){ .feed = kd_str_of(kd_arg(args, "feed")),
                                       .as_of_day = KD_DAY_NONE,
                                       .bad_dir = kd_arg(args, "bad"),
                                       .is_dry_run = kd_arg(args, "dry-run") != NULL,
                                       .progress = kd_cli_progress() };
    const char *as_of = kd_arg(args, "as-of"), *check = kd_arg(args, "check-feed");
    if (as_of && !kd_day_parse(kd_str_of(as_of), &run.options.as_of_day))
        return kd_cli_usage(args, "--as-of wants a day such as 2026-01-01, not '%s'", as_of);
    if (check) return check_feed(&run, check);
    bool only_list = kd_arg(args, "list-feeds") != NULL;
    if (!only_list && args->positional_count == 0) return kd_cli_usage(args, "name a file or a manifest");
    kd_error err = { 0 };
    if (kd_feed_packs_of_register(args->register_dir, kd_arg(args, "packs"), &run.packs, &err) != KD_OK)
        return kd_cli_fail(args, &err);
    int code = only_list ? list_feeds(&run) : import_into(&run);
    kd_feed_packs_close(run.packs);
    return code;
}

const kd_command kd_cmd_import = {
    .name = "import",
    .summary = "read departments' files into the register",
    .usage = "import [--register DIR] [--feed NAME] [--dry-run] [--as-of DAY] [--division CODE] [--bad DIR] "
             "FILE… | manifest.yaml",
    .details =
        "Each file is one transaction: it is imported whole or not at all, and the same file twice changes nothing.\n"
        "Rows that cannot be taken are written to NAME.bad.csv with line, column and reason.\n"
        "docs/feeds.md tells how a feed is described; --check-feed and --dry-run help to write a description.",
    .options = options,
    .run = run_import,
};
