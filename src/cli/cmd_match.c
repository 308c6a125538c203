#include "cli.h"
#include "match/match.h"

static int run(const kd_args *args)
{
    return kd_cli_usage(args, "no table is given");
}

const kd_command kd_cmd_match = {
    .name = "match", .summary = "link the rows of any tables", .usage = "match", .details = "", .run = run
};
