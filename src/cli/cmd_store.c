/* The commands that keep a register in order: doctor, backup, restore, migrate. */
#include "cli.h"
#include "register/register.h"

static const kd_option NO_OPTIONS[] = { { NULL, NULL, NULL } };

/* One line of words, or one JSON object with `key` true. */
static int tell(const kd_args *args, const char *key, const char *zh, const char *en)
{
    kd_buf out;
    kd_buf_init(&out, 1 << 12);
    if (args->is_json) {
        kd_json json;
        kd_json_init(&json, &out);
        kd_json_object(&json);
        kd_json_kbool(&json, key, true);
        kd_json_object_end(&json);
    } else {
        kd_buf_cstr(&out, kd_cli_is_english() ? en : zh);
    }
    int code = kd_cli_print(&out);
    kd_buf_done(&out);
    return code;
}

typedef kd_status (*with_register)(const kd_args *args, kd_register *reg, kd_error *err);

static int with(const kd_args *args, size_t positional, bool any_version, with_register work, const char *key,
                const char *zh, const char *en)
{
    if (args->positional_count != positional)
        return kd_cli_usage(args, positional ? "one file is expected" : "no argument is expected");
    kd_error err;
    kd_register *reg;
    if (kd_register_open(args->register_dir, any_version, &reg, &err) != KD_OK) return kd_cli_fail(args, &err);
    kd_status status = work(args, reg, &err);
    kd_register_close(reg);
    kd_cli_progress_end();
    return status == KD_OK ? tell(args, key, zh, en) : kd_cli_fail(args, &err);
}

static kd_status migrate(const kd_args *args, kd_register *reg, kd_error *err)
{
    (void)args;
    return kd_store_migrate(kd_register_store(reg), err);
}

static int run_migrate(const kd_args *args)
{
    return with(args, 0, true, migrate, "migrated", "数据库结构已是最新。", "The database has this program's schema.");
}

static kd_status backup(const kd_args *args, kd_register *reg, kd_error *err)
{
    return kd_store_backup(kd_register_store(reg), args->positional[0], kd_cli_progress(), err);
}

static int run_backup(const kd_args *args)
{
    return with(args, 1, false, backup, "saved", "备份已写好。", "The backup is written.");
}

static const kd_option RESTORE_OPTIONS[] = {
    { "db", "URL", "where the restored database goes: sqlite (in the folder) or postgresql://…; default sqlite" },
    { NULL, NULL, NULL },
};

static int run_restore(const kd_args *args)
{
    if (args->positional_count != 1) return kd_cli_usage(args, "one backup file is expected");
    kd_error err;
    kd_status status =
        kd_register_restore(args->register_dir, kd_arg(args, "db"), args->positional[0], kd_cli_progress(), &err);
    kd_cli_progress_end();
    if (status != KD_OK) return kd_cli_fail(args, &err);
    return tell(args, "restored", "登记库已从备份恢复。", "The register is restored from the backup.");
}

static kd_status examine(const kd_args *args, kd_register *reg, kd_error *err)
{
    (void)args;
    return kd_register_check(reg, err);
}

static int run_doctor(const kd_args *args)
{
    return with(args, 0, true, examine, "healthy", "登记库完好。", "The register is in order.");
}

const kd_command kd_cmd_migrate = {
    .name = "migrate",
    .summary = "bring a register's database up to this program's version",
    .usage = "migrate [--register DIR]",
    .details = "Make a backup first. Each step is whole or not done.",
    .options = NO_OPTIONS,
    .run = run_migrate,
};

const kd_command kd_cmd_backup = {
    .name = "backup",
    .summary = "copy the whole database into one file while others work",
    .usage = "backup [--register DIR] FILE",
    .details = "The file can be restored into a register of either database. Keep the folder `archive` beside it.",
    .options = NO_OPTIONS,
    .run = run_backup,
};

const kd_command kd_cmd_restore = {
    .name = "restore",
    .summary = "make a register from a backup",
    .usage = "restore --register DIR [--db URL] FILE",
    .details =
        "DIR must be empty or absent; nothing that stands is overwritten. Put the old register's folder `archive` into it.",
    .options = RESTORE_OPTIONS,
    .run = run_restore,
};

const kd_command kd_cmd_doctor = {
    .name = "doctor",
    .summary = "examine a register: schema, shard map, integrity, links",
    .usage = "doctor [--register DIR]",
    .details = "Changes nothing.",
    .options = NO_OPTIONS,
    .run = run_doctor,
};
