/* All routes, one table a file. To add one: write routes_NAME.c, declare its table in call.h, name it here. */
#include "router.h"

/* clang-format off: one a line, so that two who add one do not meet */
const kd_route *const kd_all_routes[] = {
    kd_routes_session, kd_routes_reference, kd_routes_jobs,     kd_routes_persons,  kd_routes_tasks, kd_routes_births,
    kd_routes_matches, kd_routes_feeds,     kd_routes_overview, kd_routes_accounts, kd_routes_audit, NULL,
};
