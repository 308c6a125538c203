#include "cli.h"

#include <kindred/simulate.h>

#include <stdio.h>

enum { DIVISION_DIGITS = 12, YEARS_FROM = 1980 };

/* 4, 6, 9 or 12 digits, made 12 with zeros at the end; 0 when it is none. */
static int64_t read_division(const char *text)
{
    kd_str digits = kd_str_of(text);
    int64_t code;
    bool has_length = digits.len == 4 || digits.len == 6 || digits.len == 9 || digits.len == DIVISION_DIGITS;
    if (!has_length || !kd_str_int(digits, &code) || code <= 0) return 0;
    for (size_t len = digits.len; len < DIVISION_DIGITS; len++) code *= 10;
    return code;
}

static int print_result(const kd_args *args, const kd_simulate_options *options, const kd_simulate_result *result,
                        double seconds)
{
    if (!args->is_json) {
        kd_cli_progress_end();
        bool is_printed = printf("%lld residents, %lld people, %lld rows in %lld files (%lld MB), %lld people named, "
                                 "%.1f s\n%s/manifest.yaml\n",
                                 (long long)result->residents, (long long)result->people, (long long)result->rows,
                                 (long long)result->files, (long long)(result->bytes >> 20),
                                 (long long)result->mentions, seconds, options->folder) > 0;
        return is_printed && fflush(stdout) == 0 ? KD_EXIT_OK : KD_EXIT_FAILED;
    }
    kd_buf out;
    kd_buf_init(&out, 1 << 16);
    kd_json json;
    kd_json_init(&json, &out);
    kd_json_object(&json);
    kd_json_kstr(&json, "folder", kd_str_of(options->folder));
    kd_json_kint(&json, "residents", result->residents);
    kd_json_kint(&json, "people", result->people);
    kd_json_kint(&json, "rows", result->rows);
    kd_json_kint(&json, "mentions", result->mentions);
    kd_json_kint(&json, "files", result->files);
    kd_json_kint(&json, "bytes", result->bytes);
    kd_json_kint(&json, "memory_peak_bytes", (int64_t)kd_memory_peak_bytes());
    kd_json_kdouble(&json, "seconds", seconds, 3);
    kd_json_object_end(&json);
    int code = kd_cli_print(&out);
    kd_buf_done(&out);
    return code;
}

static int run(const kd_args *args)
{
    const char *division = kd_arg(args, "division"), *folder = kd_arg(args, "out"), *as_of = kd_arg(args, "as-of");
    kd_simulate_options options = { .errors = kd_arg(args, "errors"), .folder = folder };
    int64_t seed;
    if (args->positional_count) return kd_cli_usage(args, "'%s' is not expected here", args->positional[0]);
    if (!division || !folder) return kd_cli_usage(args, "--division and --out are needed");
    options.division = read_division(division);
    if (!options.division) return kd_cli_usage(args, "a division's code has 4, 6, 9 or 12 digits, not '%s'", division);
    if (!kd_arg_int(args, "persons", 0, &options.persons) || !kd_arg_int(args, "seed", 1, &seed)) return KD_EXIT_USAGE;
    if (kd_arg(args, "persons") && options.persons < 1) return kd_cli_usage(args, "--persons wants at least 1");
    if (as_of && (!kd_day_parse(kd_str_of(as_of), &options.as_of) || kd_day_to_ymd(options.as_of).year < YEARS_FROM))
        return kd_cli_usage(args, "--as-of wants a day such as 2026-06-30, not '%s'", as_of);
    options.seed = (uint64_t)seed;
    options.progress = kd_cli_progress();
    kd_simulate_result result;
    kd_error err = { 0 };
    double start = kd_seconds();
    if (kd_simulate(&options, &result, &err) != KD_OK) return kd_cli_fail(args, &err);
    return print_result(args, &options, &result, kd_seconds() - start);
}

static const kd_option OPTIONS[] = {
    { "division", "CODE", "where: a prefecture (6108), a county (610829), a township or a village" },
    { "persons", "N", "how many residents (else the published number)" },
    { "errors", "MODEL", "plain, hard, or the path of an error model in YAML (else plain)" },
    { "seed", "S", "another number gives another population (else 1)" },
    { "as-of", "DAY", "the day on which the departments write their files" },
    { "out", "DIR", "folder for the files, manifest.yaml and truth.csv" },
    { NULL, NULL, NULL },
};

const kd_command kd_cmd_simulate = {
    .name = "simulate",
    .summary = "invent a population and the files that eleven departments would send about it",
    .usage =
        "simulate --division CODE [--persons N] [--errors plain|hard|FILE.yaml] [--seed S] [--as-of DAY] --out DIR",
    .details =
        "Nobody in the files exists. The same options give the same bytes. A county has one file a feed; a prefecture\n"
        "has one a feed and county. truth.csv tells for every row and role which invented person is meant.",
    .options = OPTIONS,
    .run = run,
};
