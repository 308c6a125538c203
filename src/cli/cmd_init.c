#include "cli.h"
#include "register/register.h"
#include "services/services.h"

static const kd_option OPTIONS[] = {
    { "db", "URL", "sqlite (in the folder) or postgresql://USER@HOST/DATABASE; default sqlite" },
    { "divisions", "DIR", "folder with divisions.csv and division_history.csv" },
    { NULL, NULL, NULL },
};

static int run(const kd_args *args)
{
    if (args->positional_count > 1) return kd_cli_usage(args, "one folder is expected");
    const char *dir = args->positional_count ? args->positional[0] : args->register_dir;
    kd_error err;
    if (kd_register_init(dir, kd_arg(args, "db"), kd_arg(args, "divisions"), &err) != KD_OK ||
        kd_keys_ensure(dir, &err) != KD_OK)
        return kd_cli_fail(args, &err);
    kd_buf out;
    kd_buf_init(&out, 1 << 16);
    if (args->is_json) {
        kd_json json;
        kd_json_init(&json, &out);
        kd_json_object(&json);
        kd_json_kstr(&json, "register", kd_str_of(dir));
        kd_json_object_end(&json);
    } else if (kd_cli_is_english()) {
        kd_buf_fmt(&out, "A new register stands in %s. Next: kindred import --register %s FILE", dir, dir);
    } else {
        kd_buf_fmt(&out, "新登记库已建在 %s。下一步：kindred import --register %s 文件", dir, dir);
    }
    int code = kd_cli_print(&out);
    kd_buf_done(&out);
    return code;
}

const kd_command kd_cmd_init = {
    .name = "init",
    .summary = "make a new register",
    .usage = "init DIR [--db URL]",
    .details = "The folder must be empty or absent. An interrupted init can simply be run again.",
    .options = OPTIONS,
    .run = run,
};
