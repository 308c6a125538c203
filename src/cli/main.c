#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const kd_command *const COMMANDS[] = {
    &kd_cmd_init,        &kd_cmd_simulate, &kd_cmd_import, &kd_cmd_link,   &kd_cmd_match,   &kd_cmd_tasks,
    &kd_cmd_corrections, &kd_cmd_person,   &kd_cmd_doctor, &kd_cmd_backup, &kd_cmd_restore, &kd_cmd_migrate,
    &kd_cmd_serve,       &kd_cmd_account,  &kd_cmd_audit,  &kd_cmd_verify,
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0], OPTIONS_MAX = 32 };

static const kd_option COMMON[] = {
    { "register", "DIR", "the register's folder (else KINDRED_REGISTER, else the current folder)" },
    { "json", NULL, "results as JSON on standard output" },
    { "help", NULL, "this text" },
    { NULL, NULL, NULL },
};

static int print_help(void)
{
    puts("Kindred 亲源: a population register and family-service platform\n\n"
         "usage: kindred COMMAND [options]      kindred COMMAND --help\n\ncommands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++) printf("  %-12s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    puts("\n  help         this list\n  version      the version of this program\n\n"
         "exit status: 0 success, 1 the work failed, 2 wrong use.");
    return fflush(stdout) == 0 ? KD_EXIT_OK : KD_EXIT_FAILED;
}

static void print_options(const kd_option *options)
{
    for (; options && options->name; options++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", options->name, options->argument ? " " : "",
                 options->argument ? options->argument : "");
        printf("  %-24s %s\n", left, options->help);
    }
}

static int print_command_help(const kd_command *command)
{
    printf("%s\n\nusage: kindred %s\n\noptions:\n", command->summary, command->usage);
    print_options(command->options);
    print_options(COMMON);
    if (command->details && command->details[0]) printf("\n%s\n", command->details);
    return fflush(stdout) == 0 ? KD_EXIT_OK : KD_EXIT_FAILED;
}

/* Index in `options` of the name at `text` (up to '=' or the end), or -1. */
static int find_option(const kd_option *options, const char *text, size_t len)
{
    for (int i = 0; options && options[i].name; i++)
        if (strlen(options[i].name) == len && strncmp(options[i].name, text, len) == 0) return i;
    return -1;
}

typedef struct {
    const char *values[OPTIONS_MAX];
    const char *common[sizeof COMMON / sizeof COMMON[0]];
    const char **positional;
    size_t positional_count;
} parsed;

/* Take one "--name[=value]"; advances *index past a value of its own. False after telling what is wrong. */
static bool take_option(const kd_args *args, char **argv, int argc, int *index, parsed *out)
{
    const char *name = argv[*index] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    int at = find_option(args->command->options, name, len);
    int common_at = at < 0 ? find_option(COMMON, name, len) : -1;
    if (at < 0 && common_at < 0) {
        kd_cli_usage(args, "there is no option --%.*s", (int)len, name);
        return false;
    }
    const kd_option *option = at >= 0 ? &args->command->options[at] : &COMMON[common_at];
    const char **slot = at >= 0 ? &out->values[at] : &out->common[common_at];
    if (!option->argument && equals) {
        kd_cli_usage(args, "--%s takes no value", option->name);
        return false;
    }
    if (option->argument && !equals && *index + 1 >= argc) {
        kd_cli_usage(args, "--%s needs a value: %s", option->name, option->argument);
        return false;
    }
    *slot = !option->argument ? "" : equals ? equals + 1 : argv[++*index];
    return true;
}

static bool parse(const kd_args *args, int argc, char **argv, parsed *out)
{
    bool only_positional = false;
    for (int i = 0; i < argc; i++) {
        if (!only_positional && strcmp(argv[i], "--") == 0) {
            only_positional = true;
        } else if (!only_positional && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(args, argv, argc, &i, out)) return false;
        } else if (!only_positional && argv[i][0] == '-' && argv[i][1]) {
            kd_cli_usage(args, "options begin with two dashes: '%s' is not known", argv[i]);
            return false;
        } else {
            out->positional[out->positional_count++] = argv[i];
        }
    }
    return true;
}

static int run_command(const kd_command *command, int argc, char **argv)
{
    kd_args args = { .command = command };
    parsed found = { .positional = calloc((size_t)argc + 1, sizeof(char *)) };
    if (!found.positional) return KD_EXIT_FAILED;
    for (int i = 0; i < argc; i++) /* so that wrong use, too, is told in JSON */
        if (strcmp(argv[i], "--json") == 0) args.is_json = true;
    int code = KD_EXIT_USAGE;
    if (parse(&args, argc, argv, &found)) {
        const char *environment = getenv("KINDRED_REGISTER");
        args.register_dir = found.common[0] ? found.common[0] : environment && environment[0] ? environment : ".";
        args.is_json = found.common[1] != NULL;
        args.values = found.values;
        args.positional = found.positional;
        args.positional_count = found.positional_count;
        code = found.common[2] ? print_command_help(command) : command->run(&args);
    }
    free(found.positional);
    return code;
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error to be told, as a full disk is */
    signal(SIGPIPE, SIG_IGN);
    kd_language_set_all(kd_cli_is_english() ? KD_ENGLISH : KD_CHINESE);
    if (argc < 2) {
        print_help();
        return KD_EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        for (size_t i = 0; argc > 2 && i < COMMAND_COUNT; i++)
            if (strcmp(COMMANDS[i]->name, argv[2]) == 0) return print_command_help(COMMANDS[i]);
        return print_help();
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)
        return puts("kindred " KD_VERSION) < 0 ? KD_EXIT_FAILED : KD_EXIT_OK;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i]->name, argv[1]) == 0) return run_command(COMMANDS[i], argc - 2, argv + 2);
    fprintf(stderr, "kindred: there is no command '%s'; `kindred help` lists them\n", argv[1]);
    return KD_EXIT_USAGE;
}
