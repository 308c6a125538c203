/**
 * @file cli.h
 * What the subcommands share. One file a command, one line in the table of main.c; no domain logic here.
 */
#ifndef KD_CLI_H
#define KD_CLI_H

#include "base/base.h"

/** Exit codes: 0 success, 1 the work failed, 2 wrong use. */
enum { KD_EXIT_OK = 0, KD_EXIT_FAILED = 1, KD_EXIT_USAGE = 2 };

/** One option of a command; the table feeds parsing and --help. */
typedef struct {
    const char *name;     /* "register", given as --register VALUE or --register=VALUE */
    const char *argument; /* "DIR"; NULL for a switch */
    const char *help;     /* one line */
} kd_option;

typedef struct kd_args kd_args;

typedef struct {
    const char *name;         /* "import" */
    const char *summary;      /* one line for `kindred help` */
    const char *usage;        /* "import [--register DIR] --feed NAME FILE… | manifest.yaml" */
    const char *details;      /* paragraphs after the options; may be "" */
    const kd_option *options; /* ended by a NULL name; --json, --help and --register are known to every command */
    int (*run)(const kd_args *args);
} kd_command;

/** What stood on the command line. */
struct kd_args {
    const kd_command *command;
    const char **positional; /* NULL-ended */
    size_t positional_count;
    const char *const *values; /* of command->options, in their order; NULL when absent; "" for a given switch */
    const char *register_dir;  /* --register, else KINDRED_REGISTER, else "." */
    bool is_json;
};

/** Value of an option by name, NULL when absent. A switch gives "". */
const char *kd_arg(const kd_args *args, const char *name);
/** True and the value, false with a message for a wrong number. Absent gives `otherwise`. */
bool kd_arg_int(const kd_args *args, const char *name, int64_t otherwise, int64_t *out_value);

/** Tell a failure on standard error (as a JSON object on standard output with --json) and return KD_EXIT_FAILED. */
int kd_cli_fail(const kd_args *args, const kd_error *err);
/** Tell wrong use and how to get help; returns KD_EXIT_USAGE. */
int kd_cli_usage(const kd_args *args, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Write the buffer and a newline to standard output; KD_EXIT_FAILED when that fails (closed pipe, full disk). */
int kd_cli_print(const kd_buf *out);
/** A progress bar on standard error when it is a terminal; Ctrl-C sets its `cancelled`. */
const kd_progress *kd_cli_progress(void);
void kd_cli_progress_end(void);
/** Chinese or English by KINDRED_LANG, else LC_ALL, LC_MESSAGES, LANG; Chinese unless they say another language. */
bool kd_cli_is_english(void);

/* the commands, in the order of `kindred help` */
extern const kd_command kd_cmd_init, kd_cmd_simulate, kd_cmd_import, kd_cmd_link, kd_cmd_match, kd_cmd_tasks,
    kd_cmd_corrections, kd_cmd_person, kd_cmd_doctor, kd_cmd_backup, kd_cmd_restore, kd_cmd_migrate, kd_cmd_verify,
    kd_cmd_serve, kd_cmd_account, kd_cmd_audit;

#endif
