/* Areas and codes, the contract, and how the server is. */
#include "core.h"

/* ---- areas ---- */

static void write_parents(kd_call *call, const kd_divisions *divisions, const kd_division *division)
{
    kd_json_key(&call->out, "parents");
    kd_json_array(&call->out);
    for (kd_division_level level = KD_LEVEL_PROVINCE; level < division->level; level++) {
        int64_t parent = kd_division_at_level(division->code, level);
        if (kd_divisions_find(divisions, parent)) kd_out_area(call, NULL, parent);
    }
    kd_json_array_end(&call->out);
}

/* In code order a division stands right before the first of its children. */
static bool has_children(const kd_divisions *divisions, size_t index)
{
    return index + 1 < kd_divisions_count(divisions) &&
           kd_divisions_at(divisions, index + 1)->parent == kd_divisions_at(divisions, index)->code;
}

static void write_division(kd_call *call, const kd_divisions *divisions, size_t index)
{
    const kd_division *division = kd_divisions_at(divisions, index);
    kd_json *out = &call->out;
    kd_json_object(out);
    kd_out_area_members(call, division->code);
    kd_json_kint(out, "level", division->level);
    write_parents(call, divisions, division);
    kd_json_kbool(out, "has_children", has_children(divisions, index));
    kd_json_object_end(out);
}

/* The index of a code; the count when there is none. */
static size_t index_of(const kd_divisions *divisions, int64_t code)
{
    size_t low = 0, count = kd_divisions_count(divisions), high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kd_divisions_at(divisions, middle)->code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && kd_divisions_at(divisions, low)->code == code ? low : count;
}

/* Below `parent`: with words anywhere below, without only right below. */
static kd_status list_divisions(kd_call *call, kd_error *err)
{
    const kd_divisions *divisions;
    kd_str wanted, parent_text = kd_call_query(call, "parent");
    int64_t parent = 0;
    size_t limit, count = 0;
    KD_TRY(kd_call_limit(call, &limit, err));
    KD_TRY(kd_call_query_text(call, "q", false, 100, &wanted, err));
    if (parent_text.ptr) KD_TRY(kd_division_read(parent_text, "parent", &parent, err));
    KD_TRY(kd_register_divisions(call->reg, &divisions, err));
    kd_json_object(&call->out);
    kd_json_key(&call->out, "items");
    kd_json_array(&call->out);
    for (size_t i = 0; i < kd_divisions_count(divisions) && count < limit; i++) {
        const kd_division *division = kd_divisions_at(divisions, i);
        bool fits = wanted.len ? kd_str_find(division->name, wanted) >= 0 && division->code != parent &&
                                     kd_division_within(division->code, parent)
                               : division->parent == parent;
        if (!fits) continue;
        write_division(call, divisions, i);
        count++;
    }
    kd_json_array_end(&call->out);
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status get_division(kd_call *call, kd_error *err)
{
    const kd_divisions *divisions;
    int64_t code;
    KD_TRY(kd_division_read(call->params[0], "code", &code, err));
    KD_TRY(kd_register_divisions(call->reg, &divisions, err));
    size_t index = index_of(divisions, code);
    if (index == kd_divisions_count(divisions)) return kd_fail(err, KD_NOT_FOUND, "code", "there is no such division");
    write_division(call, divisions, index);
    return KD_OK;
}

static kd_status get_codes(kd_call *call, kd_error *err)
{
    kd_str json;
    KD_TRY(kd_codes_json(call->server->codes, call->server->pack, &json, err));
    kd_buf_str(&call->out_bytes, json);
    return KD_OK;
}

static kd_status get_contract(kd_call *call, kd_error *err)
{
    if (call->server->contract.len == 0) return kd_fail(err, KD_NOT_FOUND, "", "the contract is not installed");
    call->content_type = "application/yaml";
    kd_buf_str(&call->out_bytes, call->server->contract);
    return KD_OK;
}

/* ---- how the server is ---- */

static kd_status get_health(kd_call *call, kd_error *err)
{
    (void)err;
    kd_json_object(&call->out);
    kd_json_kstr(&call->out, "status", KD_STR("ok"));
    kd_json_object_end(&call->out);
    return KD_OK;
}

static kd_status get_readiness(kd_call *call, kd_error *err)
{
    int64_t one;
    KD_TRY(kd_store_int(kd_register_store(call->reg), err, &one, "select count(*) from setting where name = 'made_at'",
                        KD_NO_VALUES));
    return get_health(call, err);
}

/* From the machine itself the loop answers; here comes who asks from elsewhere. */
static kd_status get_metrics(kd_call *call, kd_error *err)
{
    if (!kd_call_may(call, "metrics.read"))
        return kd_fail(err, KD_DENIED, "", "metrics are for the machine itself and for who has the permission");
    call->exchange->answer.wants_metrics = true; /* the loop knows the figures */
    return KD_OK;
}

const kd_route kd_routes_reference[] = {
    { .method = "GET", .path = "/api/divisions", .run = list_divisions },
    { .method = "GET", .path = "/api/divisions/{code}", .run = get_division },
    { .method = "GET", .path = "/api/codes", .run = get_codes },
    { .method = "GET", .path = "/api/openapi.yaml", .permission = "-", .run = get_contract },
    { .method = "GET", .path = "/healthz", .permission = "-", .run = get_health },
    { .method = "GET", .path = "/readyz", .permission = "-", .run = get_readiness },
    { .method = "GET", .path = "/metrics", .permission = "-", .run = get_metrics },
    { .method = NULL },
};
