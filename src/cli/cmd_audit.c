/* kindred audit: who did what, and whether the log is whole. */
#include "access/access.h"
#include "words.h"

#include <string.h>

enum { AUDIT_BYTES_MAX = 64 << 20, OUT_BYTES_MAX = 16 << 20, LIMIT_DEFAULT = 50 };

static const kd_option OPTIONS[] = {
    { "head", "HASH",
      "verify: the hash noted earlier at the log's end, to see that the log up to there is still in it" },
    { "person", "ID", "list: who has looked at this person" },
    { "action", "TEXT", "list: actions that begin so, such as person." },
    { "text", "TEXT", "list: in login, object or detail" },
    { "limit", "N", "list: so many at most (50)" },
    { "cursor", "N", "list: go on after a page" },
    { NULL, NULL, NULL },
};

/* ---- verify ---- */

static void tell_verdict(const kd_args *args, const kd_cli_words *words, const kd_audit_verdict *verdict, kd_buf *out)
{
    bool is_whole = verdict->first_bad_seq == 0;
    if (args->is_json) {
        kd_json json;
        kd_json_init(&json, out);
        kd_json_object(&json);
        kd_json_kbool(&json, "is_whole", is_whole);
        kd_json_kint(&json, "entries", verdict->entries);
        kd_json_key(&json, "first_bad_seq");
        if (is_whole) {
            kd_json_null(&json);
        } else {
            kd_json_int(&json, verdict->first_bad_seq);
        }
        kd_json_kstr(&json, "fault", kd_cli_either(words, verdict->fault_zh, verdict->fault_en));
        kd_json_kstr(&json, "head_hash", verdict->head_hash);
        kd_json_object_end(&json);
        return;
    }
    kd_str fault = kd_cli_either(words, verdict->fault_zh, verdict->fault_en);
    if (!is_whole) {
        kd_buf_fmt(out, words->is_english ? "entry %lld: %.*s\n" : "第 %lld 条：%.*s\n",
                   (long long)verdict->first_bad_seq, KD_FMT(fault));
        return;
    }
    kd_buf_fmt(out,
               words->is_english ? "The log is whole: %lld entries.\nhead: %.*s\n"
                                 : "日志完整，共 %lld 条。\n末尾：%.*s\n",
               (long long)verdict->entries, KD_FMT(verdict->head_hash));
}

/* The entry whose hash was noted before must still stand in the log. */
static kd_status check_noted(kd_register *reg, kd_str noted, kd_audit_verdict *verdict, kd_error *err)
{
    int64_t count;
    if (!noted.len || verdict->first_bad_seq) return KD_OK;
    KD_TRY(kd_audit_holds(reg, noted, &count, err));
    if (count) return KD_OK;
    verdict->first_bad_seq = verdict->entries + 1;
    verdict->fault_zh = KD_STR("此前记下的末尾已不在日志中：日志被截短或重写");
    verdict->fault_en =
        KD_STR("the end that was noted earlier is no longer in the log: it was cut short or written anew");
    return KD_OK;
}

static int verify(const kd_args *args, const kd_cli_words *words, kd_arena *arena, kd_buf *out)
{
    kd_error err;
    kd_audit_verdict verdict;
    kd_status status = kd_audit_verify(words->reg, kd_cli_progress(), arena, &verdict, &err);
    kd_cli_progress_end();
    if (status == KD_OK) status = check_noted(words->reg, kd_str_of(kd_arg(args, "head")), &verdict, &err);
    if (status != KD_OK) return kd_cli_fail(args, &err);
    tell_verdict(args, words, &verdict, out);
    int code = kd_cli_print(out);
    return verdict.first_bad_seq ? KD_EXIT_FAILED : code;
}

/* ---- list ---- */

static void add_json(kd_json *json, const kd_audit_row *row)
{
    char instant[32];
    const kd_audit_entry *e = &row->entry;
    kd_json_object(json);
    kd_json_kint(json, "seq", row->seq);
    kd_json_kstr(json, "at", kd_str_of(kd_instant_format(e->at, instant)));
    kd_cli_json_id(json, "account_id", e->account_id);
    kd_json_kstr(json, "login", e->login);
    kd_json_kstr(json, "role", e->role);
    kd_json_kstr(json, "action", e->action);
    kd_json_kstr(json, "purpose", e->purpose);
    kd_json_kstr(json, "object", e->object);
    kd_cli_json_id(json, "person_id", e->person_id);
    kd_json_kint(json, "division", e->division);
    kd_json_kbool(json, "is_allowed", e->is_allowed);
    kd_json_kstr(json, "request_id", e->request_id);
    kd_json_kstr(json, "address", e->address);
    kd_json_kstr(json, "detail", e->detail);
    kd_json_kstr(json, "hash", row->hash);
    kd_json_object_end(json);
}

static void add_line(const kd_cli_words *words, kd_buf *out, const kd_audit_row *row)
{
    char instant[32];
    const kd_audit_entry *e = &row->entry;
    kd_buf_fmt(out, "%lld  %s  %.*s  %.*s", (long long)row->seq, kd_instant_format(e->at, instant), KD_FMT(e->login),
               KD_FMT(e->action));
    if (e->object.len) kd_buf_fmt(out, "  %.*s", KD_FMT(e->object));
    if (e->person_id) {
        kd_buf_cstr(out, "  ");
        kd_cli_id_text(e->person_id, out);
    }
    if (e->purpose.len) kd_buf_fmt(out, "  %.*s", KD_FMT(e->purpose));
    if (e->detail.len) kd_buf_fmt(out, "  %.*s", KD_FMT(e->detail));
    if (!e->is_allowed) kd_buf_cstr(out, words->is_english ? "  (refused)" : "  （被拒绝）");
    kd_buf_char(out, '\n');
}

static void add_page(const kd_args *args, const kd_cli_words *words, const kd_audit_page *page, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    if (!args->is_json) {
        for (size_t i = 0; i < page->count; i++) add_line(words, out, &page->rows[i]);
        if (page->next.len)
            kd_buf_fmt(out, words->is_english ? "more: --cursor %.*s\n" : "下一页：--cursor %.*s\n",
                       KD_FMT(page->next));
        if (page->count == 0) kd_buf_cstr(out, words->is_english ? "There are no entries.\n" : "没有记录。\n");
        return;
    }
    kd_json_object(&json);
    kd_json_key(&json, "entries");
    kd_json_array(&json);
    for (size_t i = 0; i < page->count; i++) add_json(&json, &page->rows[i]);
    kd_json_array_end(&json);
    kd_json_kstr(&json, "next", page->next);
    kd_json_object_end(&json);
}

static int list(const kd_args *args, const kd_cli_words *words, kd_access *access, kd_arena *arena, kd_buf *out)
{
    kd_error err;
    kd_audit_page page;
    int64_t limit = 0;
    kd_audit_filter filter = { .action = kd_str_of(kd_arg(args, "action")),
                               .text = kd_str_of(kd_arg(args, "text")),
                               .cursor = kd_str_of(kd_arg(args, "cursor")) };
    const char *person = kd_arg(args, "person");
    if (!kd_arg_int(args, "limit", LIMIT_DEFAULT, &limit)) return KD_EXIT_USAGE;
    if (person && !kd_cli_id(args, person, &filter.person_id)) return KD_EXIT_USAGE;
    filter.limit = limit < 0 ? 0 : (size_t)limit;
    if (kd_audit_list(access, &filter, arena, &page, &err) != KD_OK) return kd_cli_fail(args, &err);
    add_page(args, words, &page, out);
    return kd_cli_print(out);
}

static int run(const kd_args *args)
{
    kd_error err;
    kd_buf out;
    kd_cli_words words = { .is_english = false };
    kd_access_pack *pack = NULL;
    kd_access *access = NULL;
    kd_arena *arena = NULL;
    const char *what = args->positional_count == 1 ? args->positional[0] : "";
    bool is_verify = strcmp(what, "verify") == 0;
    if (!is_verify && strcmp(what, "list") != 0) return kd_cli_usage(args, "verify or list is expected");
    if (!kd_cli_language(args, &words.is_english)) return KD_EXIT_USAGE;
    kd_status status = kd_register_open(args->register_dir, false, &words.reg, &err);
    if (status == KD_OK) status = kd_access_pack_load(NULL, &pack, &err);
    if (status == KD_OK) status = kd_access_open(words.reg, pack, &access, &err);
    if (status == KD_OK && !(arena = kd_arena_new(AUDIT_BYTES_MAX)))
        status = kd_fail(&err, KD_LIMIT, "", "out of memory");
    kd_buf_init(&out, OUT_BYTES_MAX);
    int code = status != KD_OK ? kd_cli_fail(args, &err)
               : is_verify     ? verify(args, &words, arena, &out)
                               : list(args, &words, access, arena, &out);
    kd_buf_done(&out);
    kd_arena_free(arena);
    kd_access_close(access);
    kd_access_pack_free(pack);
    kd_register_close(words.reg);
    return code;
}

const kd_command kd_cmd_audit = {
    .name = "audit",
    .summary = "who looked at whom and did what, and whether the log is whole",
    .usage = "audit verify [--head HASH] | list [--person ID] [--action TEXT] [--text TEXT] [--json]",
    .details =
        "verify walks the whole chain and exits 1 when an entry was altered, removed, exchanged or put in, naming the first.\n"
        "Whoever may write to the database could write the whole log anew: note the head it prints elsewhere, on paper or\n"
        "with another office, and give it back later with --head.",
    .options = OPTIONS,
    .run = run,
};
