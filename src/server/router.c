#include "router.h"

#include <stdlib.h>
#include <string.h>

/* A row with its path cut into segments; an empty segment is a parameter. */
typedef struct {
    const kd_route *route;
    kd_str segments[KD_SEGMENTS_MAX];
    size_t count, index;
} row;

struct kd_router {
    row *rows; /* by count of segments, then path; a parameter goes after every literal */
    size_t count;
    const kd_route **by_index;
};

static kd_status cut(const kd_route *route, row *out, kd_error *err)
{
    kd_str path = kd_str_of(route->path), part;
    kd_str rest = kd_str_sub(path, 1, path.len);
    size_t params = 0;
    out->route = route;
    while (rest.len && kd_str_next(&rest, '/', &part)) {
        if (out->count == KD_SEGMENTS_MAX || part.len == 0)
            return kd_fail(err, KD_INVALID, "path", "the route %s has a path that cannot be one", route->path);
        bool is_param = part.ptr[0] == '{';
        params += is_param;
        out->segments[out->count++] = is_param ? (kd_str){ NULL, 0 } : part;
    }
    if (params > KD_PARAMS_MAX || path.len == 0 || path.ptr[0] != '/')
        return kd_fail(err, KD_INVALID, "path", "the route %s has a path that cannot be one", route->path);
    return KD_OK;
}

static int compare_paths(const row *a, const row *b)
{
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (size_t i = 0; i < a->count; i++) {
        bool is_a = a->segments[i].ptr == NULL, is_b = b->segments[i].ptr == NULL;
        if (is_a != is_b) return is_a ? 1 : -1;
        int order = kd_str_cmp(a->segments[i], b->segments[i]);
        if (order) return order;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    int order = compare_paths(a, b);
    return order ? order : strcmp(((const row *)a)->route->method, ((const row *)b)->route->method);
}

static kd_status fill(kd_router *router, const kd_route *const *tables, kd_error *err)
{
    for (size_t t = 0; tables[t]; t++)
        for (const kd_route *route = tables[t]; route->method; route++) {
            row *r = &router->rows[router->count];
            r->index = router->count;
            router->by_index[router->count++] = route;
            KD_TRY(cut(route, r, err));
        }
    qsort(router->rows, router->count, sizeof *router->rows, compare_rows);
    for (size_t i = 1; i < router->count; i++)
        if (compare_rows(&router->rows[i - 1], &router->rows[i]) == 0)
            return kd_fail(err, KD_INVALID, "path", "%s %s stands twice in the tables of routes",
                           router->rows[i].route->method, router->rows[i].route->path);
    return KD_OK;
}

kd_status kd_router_new(const kd_route *const *tables, kd_router **out_router, kd_error *err)
{
    size_t count = 0;
    for (size_t t = 0; tables[t]; t++)
        for (const kd_route *route = tables[t]; route->method; route++) count++;
    kd_router *router = calloc(1, sizeof *router);
    if (router) router->rows = calloc(count + 1, sizeof *router->rows);
    if (router) router->by_index = calloc(count + 1, sizeof(kd_route *));
    kd_status status = router && router->rows && router->by_index ? fill(router, tables, err)
                                                                  : kd_fail(err, KD_LIMIT, "", "no memory for routes");
    if (status != KD_OK) {
        kd_router_free(router);
        return status;
    }
    *out_router = router;
    return KD_OK;
}

void kd_router_free(kd_router *router)
{
    if (!router) return;
    free(router->rows);
    free(router->by_index);
    free(router);
}

size_t kd_router_count(const kd_router *router)
{
    return router->count;
}

const kd_route *kd_router_at(const kd_router *router, size_t index)
{
    return router->by_index[index];
}

static bool fits(const row *r, const kd_path *path)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->segments[i].ptr && !kd_str_eq(r->segments[i], path->segments[i])) return false;
    return true;
}

/* The first of the rows that share the path's best pattern, or NULL; `*out_end` is past the last of them. */
static const row *find_pattern(const kd_router *router, const kd_path *path, const row **out_end)
{
    const row *end = router->rows + router->count;
    for (const row *r = router->rows; r < end && r->count <= path->count; r++) {
        if (r->count != path->count || !fits(r, path)) continue;
        const row *last = r + 1;
        while (last < end && compare_paths(r, last) == 0) last++;
        *out_end = last;
        return r;
    }
    return NULL;
}

void kd_router_find(const kd_router *router, const char *method, const kd_path *path, kd_routed *out_routed)
{
    *out_routed = (kd_routed){ .route = NULL };
    const row *end = NULL;
    const row *first = find_pattern(router, path, &end);
    if (!first) return;
    out_routed->is_path_known = true;
    if (strcmp(method, "HEAD") == 0) method = "GET";
    for (const row *r = first; r < end; r++) {
        if (strcmp(r->route->method, method) != 0) continue;
        out_routed->route = r->route;
        out_routed->index = r->index;
        size_t params = 0;
        for (size_t i = 0; i < r->count; i++)
            if (!r->segments[i].ptr) out_routed->params[params++] = path->segments[i];
    }
}

void kd_router_allowed(const kd_router *router, const kd_path *path, kd_buf *out)
{
    const row *end = NULL;
    for (const row *r = find_pattern(router, path, &end); r && r < end; r++) {
        kd_buf_cstr(out, r->route->method);
        kd_buf_cstr(out, strcmp(r->route->method, "GET") == 0 ? ", HEAD, " : ", ");
    }
    kd_buf_cstr(out, "OPTIONS");
}
