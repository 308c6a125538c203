/* kindred corrections: what departments should mend, found by people's answers. */
#include "words.h"

#include <string.h>

enum { CORRECTIONS_BYTES_MAX = 64 << 20, OUT_BYTES_MAX = 64 << 20, LIMIT_DEFAULT = 100 };

static const kd_option OPTIONS[] = {
    { "feed", "NAME", "only this department's file; needed to export" },
    { "out", "FILE", "export: the file to write, .csv or .xlsx" },
    { "since-last", NULL, "export: only what was not sent yet (as by default); list: the same" },
    { "all", NULL, "export: also what was sent before" },
    { "limit", "N", "list: so many at most (100)" },
    { "cursor", "ID", "list: go on after a page" },
    { "unmask", NULL, "list: show identity numbers in full" },
    { "lang", "zh|en", "language of the words" },
    { NULL, NULL, NULL },
};

static void add_json(const kd_cli_words *words, kd_json *json, const kd_correction *c)
{
    kd_json_object(json);
    kd_cli_json_id(json, "id", c->id);
    kd_json_kstr(json, "feed", c->feed);
    kd_json_kstr(json, "file", c->file_name);
    kd_json_kint(json, "row", c->row_no);
    kd_cli_json_id(json, "record", c->source_record_id);
    kd_json_kstr(json, "attribute", c->attribute);
    kd_cli_json_value(words, json, "wrong_value", c->attribute, c->wrong_value);
    kd_cli_json_value(words, json, "right_value", c->attribute, c->right_value);
    kd_json_kbool(json, "is_exported", c->exported_at != 0);
    kd_json_object_end(json);
}

static void add_line(const kd_cli_words *words, kd_buf *out, const kd_correction *c)
{
    kd_buf_fmt(out, "%.*s  %.*s:%lld  ", KD_FMT(kd_cli_either(words, c->source_zh, c->source_en)), KD_FMT(c->file_name),
               (long long)c->row_no);
    kd_cli_field(words, c->attribute, out);
    kd_buf_cstr(out, "  ");
    kd_cli_value(words, c->attribute, c->wrong_value, out);
    kd_buf_cstr(out, " → ");
    kd_cli_value(words, c->attribute, c->right_value, out);
    if (c->exported_at) kd_buf_cstr(out, words->is_english ? "  (sent)" : "  （已送出）");
    kd_buf_char(out, '\n');
}

static void add_page(const kd_args *args, const kd_cli_words *words, const kd_correction_page *page, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    if (args->is_json) {
        kd_json_object(&json);
        kd_json_key(&json, "corrections");
        kd_json_array(&json);
    }
    for (size_t i = 0; i < page->count; i++) {
        if (args->is_json) {
            add_json(words, &json, &page->corrections[i]);
        } else {
            add_line(words, out, &page->corrections[i]);
        }
    }
    if (args->is_json) {
        kd_json_array_end(&json);
        kd_cli_json_id(&json, "next", page->next_after);
        kd_json_object_end(&json);
    } else if (page->next_after) {
        kd_buf_cstr(out, words->is_english ? "more: --cursor " : "下一页：--cursor ");
        kd_cli_id_text(page->next_after, out);
        kd_buf_char(out, '\n');
    } else if (page->count == 0) {
        kd_buf_cstr(out, words->is_english ? "There are no corrections.\n" : "没有待更正的内容。\n");
    }
}

static int list(const kd_args *args, const kd_cli_words *words, kd_arena *arena, kd_buf *out)
{
    kd_error err;
    kd_correction_page page;
    int64_t limit = 0, after = 0;
    const char *cursor = kd_arg(args, "cursor");
    if (!kd_arg_int(args, "limit", LIMIT_DEFAULT, &limit)) return KD_EXIT_USAGE;
    if (cursor && !kd_cli_id(args, cursor, &after)) return KD_EXIT_USAGE;
    if (kd_correction_list(words->reg, kd_str_of(kd_arg(args, "feed")), kd_arg(args, "since-last") != NULL, after,
                           limit < 0 ? 0 : (size_t)limit, arena, &page, &err) != KD_OK)
        return kd_cli_fail(args, &err);
    add_page(args, words, &page, out);
    return kd_cli_print(out);
}

static int export(const kd_args *args, const kd_cli_words *words, kd_buf *out)
{
    kd_error err;
    int64_t count;
    const char *feed = kd_arg(args, "feed"), *path = kd_arg(args, "out");
    if (!feed || !path) return kd_cli_usage(args, "export needs --feed NAME and --out FILE");
    if (kd_arg(args, "all") && kd_arg(args, "since-last")) return kd_cli_usage(args, "--all or --since-last, not both");
    if (kd_correction_export(words->reg, kd_str_of(feed), path, kd_arg(args, "all") != NULL, &count, &err) != KD_OK)
        return kd_cli_fail(args, &err);
    if (args->is_json) {
        kd_json json;
        kd_json_init(&json, out);
        kd_json_object(&json);
        kd_json_kstr(&json, "feed", kd_str_of(feed));
        kd_json_kint(&json, "corrections", count);
        kd_json_kstr(&json, "file", kd_str_of(count ? path : NULL));
        kd_json_object_end(&json);
    } else if (count) {
        kd_buf_int(out, count);
        kd_buf_cstr(out, words->is_english ? " corrections written to " : " 条更正已写入 ");
        kd_buf_cstr(out, path);
    } else {
        kd_buf_cstr(out, words->is_english ? "Nothing new; no file was written." : "没有新的更正，未写文件。");
    }
    return kd_cli_print(out);
}

static int run(const kd_args *args)
{
    kd_error err;
    kd_buf out;
    kd_cli_words words = { .is_unmasked = kd_arg(args, "unmask") != NULL };
    const char *what = args->positional_count == 1 ? args->positional[0] : "";
    bool is_export = strcmp(what, "export") == 0;
    if (!is_export && strcmp(what, "list") != 0) return kd_cli_usage(args, "list or export is expected");
    if (!kd_cli_language(args, &words.is_english)) return KD_EXIT_USAGE;
    if (kd_register_open(args->register_dir, false, &words.reg, &err) != KD_OK) return kd_cli_fail(args, &err);
    kd_arena *arena = kd_arena_new(CORRECTIONS_BYTES_MAX);
    kd_buf_init(&out, OUT_BYTES_MAX);
    int code = KD_EXIT_FAILED;
    if (arena) code = is_export ? export(args, &words, &out) : list(args, &words, arena, &out);
    kd_buf_done(&out);
    kd_arena_free(arena);
    kd_register_close(words.reg);
    return code;
}

const kd_command kd_cmd_corrections = {
    .name = "corrections",
    .summary = "what departments should mend, as people found out",
    .usage = "corrections list [--feed NAME] | export --feed NAME --out FILE.csv|.xlsx [--since-last|--all] [--json]",
    .details =
        "The file holds what that department needs to find its row, the wrong value and the right one, nothing else of the\n"
        "person. It holds identity numbers: hand it over as such data is handed over. Exporting again writes only what came\n"
        "since; --all writes everything.",
    .options = OPTIONS,
    .run = run,
};
