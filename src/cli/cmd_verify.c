#include "cli.h"
#include "services/services.h"

#include <stdio.h>
#include <string.h>

enum { CODE_BYTES_MAX = 4096, ARENA_BYTES_MAX = 1 << 20 };

static const kd_option OPTIONS[] = {
    { "keys", "DIR|FILE.pub", "public keys of the registers that are believed" },
    { NULL, NULL, NULL },
};

static void add_json(const kd_code_verdict *v, kd_buf *out)
{
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_kbool(&json, "is_right", v->is_right);
    kd_json_kstr(&json, "number", v->number);
    kd_json_kstr(&json, "birth_date", v->birth_date);
    kd_json_kstr(&json, "issued_by", v->issued_by);
    kd_json_kday(&json, "issued_on", v->issued_day);
    kd_json_kstr(&json, "key_id", v->key_id);
    kd_json_kstr(&json, "fault_zh", v->fault_zh);
    kd_json_kstr(&json, "fault_en", v->fault_en);
    kd_json_object_end(&json);
}

static void add_words(const kd_code_verdict *v, kd_buf *out)
{
    bool is_english = kd_cli_is_english();
    char issued[16];
    if (!v->is_right) {
        kd_buf_fmt(out, is_english ? "Not to be believed: %.*s\n" : "不可信：%.*s\n",
                   KD_FMT(is_english ? v->fault_en : v->fault_zh));
        return;
    }
    kd_day_format(v->issued_day, issued);
    kd_buf_fmt(out,
               is_english ? "Right: handbook number %.*s, born %.*s, issued by %.*s on %s (key %.*s)\n"
                          : "属实：手册编号 %.*s，出生日期 %.*s，签发地 %.*s，签发日期 %s（密钥 %.*s）\n",
               KD_FMT(v->number), KD_FMT(v->birth_date), KD_FMT(v->issued_by), issued, KD_FMT(v->key_id));
}

/* The code as given, or the first line of standard input for "-". */
static kd_str read_code(const char *given, char buf[CODE_BYTES_MAX])
{
    if (strcmp(given, "-") != 0) return kd_str_of(given);
    if (!fgets(buf, CODE_BYTES_MAX, stdin)) return KD_STR("");
    return kd_str_trim(kd_str_of(buf));
}

static int run(const kd_args *args)
{
    char buf[CODE_BYTES_MAX];
    kd_error err;
    kd_code_verdict verdict;
    if (args->positional_count != 1) return kd_cli_usage(args, "one code is expected, or - to read it");
    if (!kd_arg(args, "keys")) return kd_cli_usage(args, "--keys is needed: whose signature is believed?");
    kd_arena *arena = kd_arena_new(ARENA_BYTES_MAX);
    if (!arena) {
        kd_fail(&err, KD_LIMIT, "", "no memory");
        return kd_cli_fail(args, &err);
    }
    kd_buf out;
    kd_buf_init(&out, ARENA_BYTES_MAX);
    kd_status status = kd_code_verify(read_code(args->positional[0], buf), kd_arg(args, "keys"), arena, &verdict, &err);
    int code = status == KD_OK ? KD_EXIT_OK : kd_cli_fail(args, &err);
    if (status == KD_OK) {
        if (args->is_json) {
            add_json(&verdict, &out);
        } else {
            add_words(&verdict, &out);
        }
        code = kd_cli_print(&out);
        if (!verdict.is_right) code = KD_EXIT_FAILED;
    }
    kd_buf_done(&out);
    kd_arena_free(arena);
    return code;
}

const kd_command kd_cmd_verify = {
    .name = "verify",
    .summary = "check the code on a confirmation of birth, without a register or a network",
    .usage = "verify CODE|- --keys DIR|FILE.pub [--json]",
    .details =
        "CODE is the text in the square code of the confirmation. The keys are the .pub files of a register's keys\n"
        "folder: copy them to where codes are checked. Exit 1 when the code is not to be believed.",
    .options = OPTIONS,
    .run = run,
};
