/* kindred tasks: what the register asks the people nearest to a fact. */
#include "words.h"

#include <stdio.h>
#include <string.h>

enum { TASKS_BYTES_MAX = 256 << 20, OUT_BYTES_MAX = 64 << 20, LIMIT_DEFAULT = 50 };

static const kd_option OPTIONS[] = {
    { "division", "CODE", "list: only this county, township or village" },
    { "kind", "KIND", "list: only this kind" },
    { "state", "STATE", "list: open (as by default), resolved, closed or all" },
    { "overdue", NULL, "list: only what is past its due day" },
    { "limit", "N", "list: so many at most (50)" },
    { "cursor", "TEXT", "list: go on after a page" },
    { "value", "VALUE", "resolve: the right value" },
    { "same", NULL, "resolve: they are one person" },
    { "different", NULL, "resolve: they are two persons" },
    { "confirmed", NULL, "resolve: it is so" },
    { "not-so", NULL, "resolve: it is not so" },
    { "unknown", NULL, "resolve: it could not be found out; the task stays open" },
    { "by", "NAME", "resolve, reopen: who says so" },
    { "note", "TEXT", "resolve: what else is to be known" },
    { "reason", "TEXT", "reopen: why the answer is taken back" },
    { "unmask", NULL, "show identity numbers in full" },
    { "lang", "zh|en", "language of the words" },
    { NULL, NULL, NULL },
};

typedef struct {
    const kd_args *args;
    kd_register *reg;
    kd_arena *arena;
    kd_buf out;
    kd_cli_words words;
    const char *what;
    int64_t id;
} tasks_run;

static const char *say(const tasks_run *r, const char *zh, const char *en)
{
    return r->words.is_english ? en : zh;
}

/* ---- one task ---- */

static void add_task_json(tasks_run *r, kd_json *json, const kd_task *t, const kd_task_words *w)
{
    kd_json_object(json);
    kd_cli_json_id(json, "id", t->id);
    kd_json_kstr(json, "kind", t->kind);
    kd_json_kstr(json, "title_zh", w->title_zh);
    kd_json_kstr(json, "title_en", w->title_en);
    kd_json_kstr(json, "state", t->state);
    kd_json_kint(json, "severity", t->severity);
    kd_json_kbool(json, "is_offer", w->offer_zh.len > 0);
    kd_cli_json_id(json, "person", t->person_id);
    kd_cli_json_id(json, "other", t->other_id);
    kd_json_kstr(json, "attribute", t->attribute);
    if (t->division) kd_json_kint(json, "division", t->division);
    kd_json_kstr(json, "role", t->role);
    kd_json_kday(json, "due_day", t->due_day);
    kd_json_kbool(json, "is_overdue", kd_str_is(t->state, "open") && t->due_day < kd_today());
    kd_json_kstr(json, "pack_version", t->pack_version);
    kd_json_kstr(json, "resolved_by", t->resolved_by);
    kd_json_kstr(json, "answer", t->answer);
    kd_json_kstr(json, "note", t->note);
    kd_cli_json_raw(json, "facts", t->facts);
    if (strcmp(r->what, "show") == 0) {
        kd_json_kstr(json, "ask_zh", w->ask_zh);
        kd_json_kstr(json, "ask_en", w->ask_en);
        kd_json_kstr(json, "offer_zh", w->offer_zh);
        kd_json_kstr(json, "offer_en", w->offer_en);
    } else {
        kd_json_object_end(json);
    }
}

static const char *state_word(const tasks_run *r, kd_str state)
{
    if (kd_str_is(state, "open")) return say(r, "待办", "open");
    if (kd_str_is(state, "resolved")) return say(r, "已核实", "resolved");
    return say(r, "已不存在", "no longer so");
}

static void add_line(tasks_run *r, const kd_task *t, const kd_task_words *w)
{
    kd_str title = kd_cli_either(&r->words, w->title_zh, w->title_en);
    kd_cli_id_text(t->id, &r->out);
    kd_buf_cstr(&r->out, "  ");
    kd_cli_day(t->due_day, &r->out);
    kd_buf_fmt(&r->out, "  %d  %s  ", t->severity, state_word(r, t->state));
    kd_buf_str(&r->out, title.len ? title : t->kind);
    kd_buf_cstr(&r->out, "  ");
    kd_cli_place(&r->words, t->division, &r->out);
    kd_buf_char(&r->out, '\n');
}

/* ---- list ---- */

static kd_status add_page(tasks_run *r, const kd_task_page *page, kd_error *err)
{
    kd_json json;
    kd_task_words words = { 0 };
    kd_str kind = { NULL, 0 };
    kd_json_init(&json, &r->out);
    if (r->args->is_json) {
        kd_json_object(&json);
        kd_json_key(&json, "tasks");
        kd_json_array(&json);
    }
    for (size_t i = 0; i < page->count; i++) {
        const kd_task *task = &page->tasks[i];
        if (i == 0 || !kd_str_eq(kind, task->kind)) KD_TRY(kd_task_describe(r->reg, task, r->arena, &words, err));
        kind = task->kind;
        if (r->args->is_json) {
            add_task_json(r, &json, task, &words);
        } else {
            add_line(r, task, &words);
        }
    }
    if (r->args->is_json) {
        kd_json_array_end(&json);
        kd_json_kstr(&json, "next", page->next);
        kd_json_object_end(&json);
    } else if (page->count == 0) {
        kd_buf_cstr(&r->out, say(r, "没有任务。\n", "There are no tasks.\n"));
    } else if (page->next.len) {
        kd_buf_fmt(&r->out, "%s --cursor %.*s\n", say(r, "下一页：", "more:"), KD_FMT(page->next));
    }
    return KD_OK;
}

static kd_status list(tasks_run *r, kd_error *err)
{
    const char *state = kd_arg(r->args, "state");
    kd_task_page page;
    kd_task_filter filter = { .kind = kd_str_of(kd_arg(r->args, "kind")),
                              .state = kd_str_of(state ? state : "open"),
                              .overdue_on = kd_arg(r->args, "overdue") ? kd_today() : KD_DAY_NONE,
                              .cursor = kd_str_of(kd_arg(r->args, "cursor")) };
    int64_t limit = 0;
    if (!kd_arg_int(r->args, "limit", LIMIT_DEFAULT, &limit)) return KD_INVALID;
    if (!kd_cli_division(r->args, r->reg, &filter.division, err)) return KD_INVALID;
    if (kd_str_is(filter.state, "all")) filter.state = (kd_str){ NULL, 0 };
    filter.limit = limit < 0 ? 0 : (size_t)limit;
    KD_TRY(kd_task_list(r->reg, &filter, r->arena, &page, err));
    return add_page(r, &page, err);
}

static kd_status count(tasks_run *r, kd_error *err)
{
    kd_task_count *counts;
    size_t n;
    KD_TRY(kd_task_counts(r->reg, r->arena, &counts, &n, err));
    kd_json json;
    kd_json_init(&json, &r->out);
    if (r->args->is_json) kd_json_array(&json);
    for (size_t i = 0; i < n; i++) {
        if (!r->args->is_json) {
            const kd_task task = { .kind = counts[i].kind };
            kd_buf_fmt(&r->out, "%10lld  %s  ", (long long)counts[i].count, state_word(r, counts[i].state));
            kd_cli_task_title(&r->words, &task, &r->out);
            kd_buf_fmt(&r->out, " (%.*s)\n", KD_FMT(counts[i].kind));
            continue;
        }
        kd_json_object(&json);
        kd_json_kstr(&json, "kind", counts[i].kind);
        kd_json_kstr(&json, "state", counts[i].state);
        kd_json_kint(&json, "count", counts[i].count);
        kd_json_object_end(&json);
    }
    if (r->args->is_json) kd_json_array_end(&json);
    return KD_OK;
}

/* ---- show: the sources side by side ---- */

static bool is_shown(const kd_task *task, kd_str attribute)
{
    static const char *const identifying[] = { "name", "sex", "birth_day", "identity_number", "division" };
    if (task->attribute.len && kd_str_eq(task->attribute, attribute)) return true;
    for (size_t i = 0; i < sizeof identifying / sizeof identifying[0]; i++)
        if (kd_str_is(attribute, identifying[i])) return true;
    return false;
}

static void add_value_line(tasks_run *r, const kd_attribute_view *a, const kd_value_view *v)
{
    kd_buf_cstr(&r->out, v->is_chosen ? "    = " : "    ≠ ");
    kd_cli_value(&r->words, kd_str_of(a->attribute), v->value, &r->out);
    kd_buf_cstr(&r->out, "    ");
    kd_cli_sources(&r->words, v, &r->out);
    if (v->is_decided) kd_buf_cstr(&r->out, say(r, "（经核实）", " (checked by a person)"));
    kd_buf_char(&r->out, '\n');
}

static void add_value_json(tasks_run *r, kd_json *json, const kd_attribute_view *a, const kd_value_view *v)
{
    kd_json_object(json);
    kd_cli_json_value(&r->words, json, "value", kd_str_of(a->attribute), v->value);
    kd_json_kbool(json, "is_chosen", v->is_chosen);
    kd_json_kbool(json, "is_decided", v->is_decided);
    kd_json_kbool(json, "by_identity_number", v->by_identity);
    kd_json_key(json, "sources");
    kd_json_array(json);
    for (size_t i = 0; i < v->holder_count; i++) {
        kd_json_object(json);
        kd_cli_json_id(json, "record", v->holders[i].record_id);
        kd_json_kstr(json, "feed", v->holders[i].source.feed);
        kd_json_kstr(json, "title_zh", v->holders[i].source.title_zh);
        kd_json_kstr(json, "title_en", v->holders[i].source.title_en);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static void add_person_json(tasks_run *r, kd_json *json, const kd_task *task, const kd_person_view *view)
{
    kd_json_object(json);
    kd_cli_json_id(json, "person", view->id);
    kd_json_key(json, "evidence");
    kd_json_array(json);
    for (size_t i = 0; i < view->attribute_count; i++) {
        const kd_attribute_view *a = &view->attributes[i];
        if (!is_shown(task, kd_str_of(a->attribute)) || !a->count) continue;
        kd_json_object(json);
        kd_json_kstr(json, "attribute", kd_str_of(a->attribute));
        kd_json_kbool(json, "differs", a->count > 1);
        kd_json_key(json, "values");
        kd_json_array(json);
        for (size_t k = 0; k < a->count; k++) add_value_json(r, json, a, &a->values[k]);
        kd_json_array_end(json);
        kd_json_object_end(json);
    }
    kd_json_array_end(json);
    kd_json_object_end(json);
}

static void add_person(tasks_run *r, const kd_task *task, const kd_person_view *view)
{
    kd_buf_cstr(&r->out, say(r, "\n人员 ", "\nperson "));
    kd_cli_id_text(view->id, &r->out);
    kd_buf_char(&r->out, '\n');
    for (size_t i = 0; i < view->attribute_count; i++) {
        const kd_attribute_view *a = &view->attributes[i];
        if (!is_shown(task, kd_str_of(a->attribute)) || !a->count) continue;
        bool is_asked = task->attribute.len && kd_str_is(task->attribute, a->attribute);
        kd_buf_fmt(&r->out, "  %s%s\n", r->words.is_english ? a->title_en : a->title_zh,
                   is_asked ? say(r, "  ← 待核实", "  <- to be checked") : "");
        for (size_t k = 0; k < a->count; k++) add_value_line(r, a, &a->values[k]);
    }
}

static void add_words(tasks_run *r, const kd_task *t, const kd_task_words *w)
{
    kd_buf_str(&r->out, kd_cli_either(&r->words, w->title_zh, w->title_en));
    kd_buf_cstr(&r->out, "  ");
    kd_cli_id_text(t->id, &r->out);
    kd_buf_fmt(&r->out, "  %s\n", state_word(r, t->state));
    kd_str offer = kd_cli_either(&r->words, w->offer_zh, w->offer_en);
    if (offer.len) kd_buf_fmt(&r->out, "%.*s\n", KD_FMT(offer));
    kd_buf_fmt(&r->out, "%.*s\n", KD_FMT(kd_cli_either(&r->words, w->ask_zh, w->ask_en)));
    kd_buf_cstr(&r->out, say(r, "由 ", "for: "));
    kd_buf_str(&r->out, kd_cli_either(&r->words, w->role_zh, w->role_en));
    kd_buf_cstr(&r->out, "  ");
    kd_cli_place(&r->words, t->division, &r->out);
    kd_buf_cstr(&r->out, say(r, "  期限 ", "  due "));
    kd_cli_day(t->due_day, &r->out);
    kd_buf_char(&r->out, '\n');
    if (t->answer.len || t->note.len)
        kd_buf_fmt(&r->out, "%s%.*s  %.*s  %.*s\n", say(r, "答复：", "answer: "), KD_FMT(t->answer),
                   KD_FMT(t->resolved_by), KD_FMT(t->note));
}

static void add_how(tasks_run *r, const kd_task *t, const kd_task_words *w)
{
    static const char *const how[] = { [KD_ANSWER_VALUE] = "--value …",
                                       [KD_ANSWER_SAME] = "--same | --different",
                                       [KD_ANSWER_CONFIRMED] = "--confirmed | --not-so" };
    if (!kd_str_is(t->state, "open")) return;
    kd_buf_cstr(&r->out, say(r, "\n答复：", "\nanswer with: "));
    kd_buf_cstr(&r->out, "kindred tasks resolve ");
    kd_cli_id_text(t->id, &r->out);
    kd_buf_fmt(&r->out, " %s | --unknown --by %s\n", how[w->form], say(r, "姓名", "NAME"));
}

static kd_status show(tasks_run *r, kd_error *err)
{
    kd_task task;
    kd_task_words words;
    kd_json json;
    KD_TRY(kd_task_get(r->reg, r->id, r->arena, &task, err));
    KD_TRY(kd_task_describe(r->reg, &task, r->arena, &words, err));
    const int64_t persons[] = { task.person_id, task.other_id };
    kd_json_init(&json, &r->out);
    if (r->args->is_json) {
        add_task_json(r, &json, &task, &words);
        kd_json_key(&json, "persons");
        kd_json_array(&json);
    } else {
        add_words(r, &task, &words);
    }
    for (size_t i = 0; i < 2; i++) {
        kd_person_view view;
        if (!persons[i]) continue;
        KD_TRY(kd_person_view_load(r->reg, persons[i], r->arena, &view, err));
        if (r->args->is_json) {
            add_person_json(r, &json, &task, &view);
        } else {
            add_person(r, &task, &view);
        }
    }
    if (r->args->is_json) {
        kd_json_array_end(&json);
        kd_json_object_end(&json);
    } else {
        add_how(r, &task, &words);
    }
    return KD_OK;
}

/* ---- resolve and reopen ---- */

static void add_number(tasks_run *r, int64_t number, const char *before_zh, const char *after_zh, const char *after_en)
{
    if (!number) return;
    kd_buf_cstr(&r->out, say(r, before_zh, " "));
    kd_buf_int(&r->out, number);
    kd_buf_cstr(&r->out, say(r, after_zh, after_en));
}

static void add_result(tasks_run *r, const kd_answer_result *result)
{
    kd_json json;
    if (r->args->is_json) {
        kd_json_init(&json, &r->out);
        kd_json_object(&json);
        kd_cli_json_id(&json, "task", r->id);
        kd_json_kbool(&json, "is_open", result->is_open);
        kd_json_kbool(&json, "is_link_needed", result->is_link_needed);
        kd_cli_json_id(&json, "decision", result->decision_id);
        kd_json_kint(&json, "changed_values", result->changed_values);
        kd_json_kint(&json, "corrections", result->corrections);
        kd_json_object_end(&json);
        return;
    }
    kd_buf_cstr(&r->out, result->is_open ? say(r, "任务仍为待办。", "The task is open.")
                                         : say(r, "已记录，谢谢。", "Noted, thank you."));
    add_number(r, result->changed_values, "本人信息已更新 ", " 项。", " values of the person changed.");
    add_number(r, result->corrections, "待通知部门更正 ", " 条。", " corrections wait for their departments.");
    if (result->is_link_needed)
        kd_buf_cstr(&r->out, say(r, "下次 `kindred link` 时生效。", " It takes effect with the next `kindred link`."));
    kd_buf_char(&r->out, '\n');
}

static bool read_answer(const kd_args *args, kd_answer *out)
{
    static const struct {
        const char *option;
        kd_said said;
    } said[] = { { "value", KD_SAID_VALUE },         { "same", KD_SAID_SAME },     { "different", KD_SAID_DIFFERENT },
                 { "confirmed", KD_SAID_CONFIRMED }, { "not-so", KD_SAID_NOT_SO }, { "unknown", KD_SAID_UNKNOWN } };
    size_t given = 0;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (!kd_arg(args, said[i].option)) continue;
        out->said = said[i].said;
        given++;
    }
    if (given != 1) {
        kd_cli_usage(args, "one answer is expected: --value, --same, --different, --confirmed, --not-so or --unknown");
        return false;
    }
    out->value = kd_str_of(kd_arg(args, "value"));
    out->by = kd_str_of(kd_arg(args, "by"));
    out->note = kd_str_of(kd_arg(args, "note"));
    return true;
}

static kd_status resolve(tasks_run *r, kd_error *err)
{
    kd_answer answer = { 0 };
    kd_answer_result result;
    if (!read_answer(r->args, &answer)) return KD_INVALID;
    KD_TRY(kd_task_resolve(r->reg, r->id, &answer, &result, err));
    add_result(r, &result);
    return KD_OK;
}

static kd_status reopen(tasks_run *r, kd_error *err)
{
    kd_answer_result result;
    KD_TRY(kd_task_reopen(r->reg, r->id, kd_str_of(kd_arg(r->args, "by")), kd_str_of(kd_arg(r->args, "reason")),
                          &result, err));
    add_result(r, &result);
    return KD_OK;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    bool has_id;
    kd_status (*work)(tasks_run *r, kd_error *err);
} ACTIONS[] = {
    { "list", false, list },      { "count", false, count },  { "show", true, show },
    { "resolve", true, resolve }, { "reopen", true, reopen },
};
enum { ACTION_COUNT = sizeof ACTIONS / sizeof ACTIONS[0] };

static int work(tasks_run *r, size_t action)
{
    kd_error err = { 0 };
    if (kd_register_open(r->args->register_dir, false, &r->reg, &err) != KD_OK) return kd_cli_fail(r->args, &err);
    r->words.reg = r->reg;
    kd_buf_init(&r->out, OUT_BYTES_MAX);
    kd_status status = r->arena ? ACTIONS[action].work(r, &err) : kd_fail(&err, KD_LIMIT, "", "no memory");
    int code = status == KD_OK  ? kd_cli_print(&r->out)
               : err.message[0] ? kd_cli_fail(r->args, &err)
                                : KD_EXIT_USAGE; /* told already */
    kd_buf_done(&r->out);
    kd_register_close(r->reg);
    return code;
}

static int run(const kd_args *args)
{
    tasks_run r = { .args = args, .words.is_unmasked = kd_arg(args, "unmask") != NULL };
    size_t action = 0;
    if (args->positional_count) r.what = args->positional[0];
    for (action = 0; r.what && action < ACTION_COUNT && strcmp(ACTIONS[action].name, r.what) != 0;) action++;
    if (!r.what || action == ACTION_COUNT)
        return kd_cli_usage(args, "list, count, show, resolve or reopen is expected");
    if (args->positional_count != (ACTIONS[action].has_id ? 2u : 1u))
        return kd_cli_usage(args, ACTIONS[action].has_id ? "one task id is expected" : "no more words are expected");
    if (ACTIONS[action].has_id && !kd_cli_id(args, args->positional[1], &r.id)) return KD_EXIT_USAGE;
    if (!kd_cli_language(args, &r.words.is_english)) return KD_EXIT_USAGE;
    r.arena = kd_arena_new(TASKS_BYTES_MAX);
    int code = work(&r, action);
    kd_arena_free(r.arena);
    return code;
}

const kd_command kd_cmd_tasks = {
    .name = "tasks",
    .summary = "what the register asks the village or township that can settle it",
    .usage = "tasks list|count|show ID|resolve ID|reopen ID [options] [--json]",
    .details =
        "An answer is a source with the highest trust: it is chosen at once, outlives every later link run, and goes out as\n"
        "a correction for each department that says otherwise (`kindred corrections`). A task about a birth is an offer of\n"
        "help. Answers: --value V; --same or --different; --confirmed or --not-so; --unknown leaves the task open.\n"
        "  kindred tasks list --division 610829 --overdue\n"
        "  kindred tasks resolve ID --value 2019-03-08 --by 王小丽\n"
        "  kindred tasks reopen ID --by 王小丽 --reason 写错了",
    .options = OPTIONS,
    .run = run,
};
