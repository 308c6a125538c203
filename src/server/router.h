/**
 * @file router.h
 * Which row of the tables answers a method and a path. Made once, then only read.
 */
#ifndef KD_SERVER_ROUTER_H
#define KD_SERVER_ROUTER_H

#include "call.h"
#include "http.h"

typedef struct kd_router kd_router;
/** `tables`: NULL-ended list of tables that end with a NULL method. Two rows alike, or a path that cannot be one, is KD_INVALID. */
KD_CHECKED kd_status kd_router_new(const kd_route *const *tables, kd_router **out_router, kd_error *err);
void kd_router_free(kd_router *router);
size_t kd_router_count(const kd_router *router);
const kd_route *kd_router_at(const kd_router *router, size_t index);

typedef struct {
    const kd_route *route; /* NULL: none for this method */
    size_t index;          /* of it, for counting */
    bool is_path_known;
    kd_str params[KD_PARAMS_MAX];
} kd_routed;
/** A literal segment goes before a parameter. HEAD is answered by GET's row. */
void kd_router_find(const kd_router *router, const char *method, const kd_path *path, kd_routed *out_routed);
/** "GET, HEAD, OPTIONS": what the path takes. */
void kd_router_allowed(const kd_router *router, const kd_path *path, kd_buf *out);

/** All tables of this program. */
extern const kd_route *const kd_all_routes[];

#endif
