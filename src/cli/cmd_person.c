/* kindred person: what is held about one person, from where, and why. */
#include "person_words.h"

#include <string.h>

enum { PERSON_BYTES_MAX = 256 << 20, OUT_BYTES_MAX = 64 << 20, FOUND_MAX = 50 };

static const kd_option OPTIONS[] = {
    { "name", "NAME", "show: persons of this name" },
    { "identity", "NUMBER", "show: the person with this identity number" },
    { "initials", "wxm", "show: persons whose name's pinyin has these initials" },
    { "division", "CODE", "show: only who lives in this area" },
    { "unmask", NULL, "show identity numbers in full" },
    { "lang", "zh|en", "language of the words" },
    { NULL, NULL, NULL },
};

typedef struct {
    const kd_args *args;
    kd_cli_words words;
    kd_arena *arena;
    kd_buf out;
} person_run;

/* ---- finding ---- */

static void add_briefs(person_run *r, const kd_person_brief *persons, size_t count)
{
    kd_json json;
    kd_json_init(&json, &r->out);
    if (r->args->is_json) kd_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        const kd_person_brief *p = &persons[i];
        if (r->args->is_json) {
            kd_json_object(&json);
            kd_cli_json_id(&json, "id", p->id);
            kd_json_kstr(&json, "name", p->name);
            kd_json_kint(&json, "sex", p->sex);
            kd_json_kday(&json, "birth_day", p->birth_day);
            if (p->division) kd_json_kint(&json, "division", p->division);
            kd_json_object_end(&json);
            continue;
        }
        kd_cli_id_text(p->id, &r->out);
        kd_buf_fmt(&r->out, "  %.*s  ", KD_FMT(p->name));
        kd_cli_value(&r->words, KD_STR("sex"),
                     p->sex == 1   ? KD_STR("1")
                     : p->sex == 2 ? KD_STR("2")
                                   : KD_STR("0"),
                     &r->out);
        kd_buf_cstr(&r->out, "  ");
        kd_cli_day(p->birth_day, &r->out);
        kd_buf_cstr(&r->out, "  ");
        kd_cli_place(&r->words, p->division, &r->out);
        kd_buf_char(&r->out, '\n');
    }
    if (r->args->is_json) kd_json_array_end(&json);
}

/* `*out_id` 0 when not exactly one was found: then the list is printed. */
static kd_status search(person_run *r, int64_t *out_id, kd_error *err)
{
    kd_person_brief *persons;
    size_t count;
    kd_person_query query = { .name = kd_str_of(kd_arg(r->args, "name")),
                              .identity_number = kd_str_of(kd_arg(r->args, "identity")),
                              .initials = kd_str_of(kd_arg(r->args, "initials")),
                              .limit = FOUND_MAX };
    if (!kd_cli_division(r->args, r->words.reg, &query.division, err)) return err->status;
    KD_TRY(kd_person_search(r->words.reg, &query, r->arena, &persons, &count, err));
    if (count == 0) return kd_fail(err, KD_NOT_FOUND, "", "nobody was found");
    *out_id = count == 1 ? persons[0].id : 0;
    if (count > 1) add_briefs(r, persons, count);
    return KD_OK;
}

/* ---- the three ways of looking ---- */

static kd_status show(person_run *r, int64_t id, kd_error *err)
{
    kd_person_view view;
    if (!id) KD_TRY(search(r, &id, err));
    if (!id) return KD_OK;
    KD_TRY(kd_person_view_load(r->words.reg, id, r->arena, &view, err));
    if (r->args->is_json) {
        kd_cli_show_json(&r->words, &view, &r->out);
    } else {
        kd_cli_show_words(&r->words, &view, &r->out);
    }
    return KD_OK;
}

static kd_status why(person_run *r, int64_t id, kd_error *err)
{
    kd_person_view view;
    kd_link_reason *reasons;
    kd_str model;
    KD_TRY(kd_person_view_load(r->words.reg, id, r->arena, &view, err));
    KD_TRY(kd_person_explain(r->words.reg, &view, r->arena, &reasons, &model, err));
    if (r->args->is_json) {
        kd_cli_why_json(&r->words, &view, reasons, model, &r->out);
    } else {
        kd_cli_why_words(&r->words, &view, reasons, model, &r->out);
    }
    return KD_OK;
}

static kd_status history(person_run *r, int64_t id, kd_error *err)
{
    kd_person_event *events;
    size_t count;
    KD_TRY(kd_person_history(r->words.reg, id, r->arena, &events, &count, err));
    if (r->args->is_json) {
        kd_cli_history_json(&r->words, events, count, &r->out);
    } else {
        kd_cli_history_words(&r->words, events, count, &r->out);
    }
    return KD_OK;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    kd_status (*work)(person_run *r, int64_t id, kd_error *err);
} ACTIONS[] = { { "show", show }, { "why", why }, { "history", history } };
enum { ACTION_COUNT = sizeof ACTIONS / sizeof ACTIONS[0] };

static int work(person_run *r, size_t action, int64_t id)
{
    kd_error err = { 0 };
    if (kd_register_open(r->args->register_dir, false, &r->words.reg, &err) != KD_OK) return kd_cli_fail(r->args, &err);
    kd_buf_init(&r->out, OUT_BYTES_MAX);
    kd_status status = r->arena ? ACTIONS[action].work(r, id, &err) : kd_fail(&err, KD_LIMIT, "", "no memory");
    int code = status == KD_OK ? kd_cli_print(&r->out) : kd_cli_fail(r->args, &err);
    kd_buf_done(&r->out);
    kd_register_close(r->words.reg);
    return code;
}

static int run(const kd_args *args)
{
    person_run r = { .args = args, .words.is_unmasked = kd_arg(args, "unmask") != NULL };
    const char *what = args->positional_count ? args->positional[0] : "";
    bool has_search = kd_arg(args, "name") || kd_arg(args, "identity") || kd_arg(args, "initials");
    int64_t id = 0;
    size_t action = 0;
    while (action < ACTION_COUNT && strcmp(ACTIONS[action].name, what) != 0) action++;
    if (action == ACTION_COUNT) return kd_cli_usage(args, "show, why or history is expected");
    if (has_search && (strcmp(what, "show") != 0 || args->positional_count != 1))
        return kd_cli_usage(args, "--name, --identity and --initials go with show and without an id");
    if (!has_search && args->positional_count != 2) return kd_cli_usage(args, "one person's id is expected");
    if (!has_search && !kd_cli_id(args, args->positional[1], &id)) return KD_EXIT_USAGE;
    if (!kd_cli_language(args, &r.words.is_english)) return KD_EXIT_USAGE;
    r.arena = kd_arena_new(PERSON_BYTES_MAX);
    int code = work(&r, action, id);
    kd_arena_free(r.arena);
    return code;
}

const kd_command kd_cmd_person = {
    .name = "person",
    .summary = "what is held about one person, from where, since when, and why",
    .usage =
        "person show ID | show --name N|--identity N|--initials wxm [--division CODE] | why ID | history ID [--json]",
    .details =
        "Identity numbers are masked unless --unmask is given. `why` explains every chosen value by its rule and sources\n"
        "and every linked record by its match weight.",
    .options = OPTIONS,
    .run = run,
};
