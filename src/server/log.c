/* One line a request: what was asked by its route, never the address with its query, never a body. */
#include "core.h"

void kd_log_request(kd_buf *out, const kd_exchange *exchange, double seconds, uint64_t bytes_out)
{
    char when[32];
    const kd_request *request = exchange->request;
    bool is_file = exchange->route_index == kd_metrics_static(exchange->server->metrics);
    kd_json json;
    kd_json_init(&json, out);
    kd_json_object(&json);
    kd_json_kstr(&json, "time", kd_str_of(kd_instant_format(kd_now_us(), when)));
    kd_json_kstr(&json, "level", KD_STR("info"));
    kd_json_kstr(&json, "message", KD_STR("request"));
    kd_json_kstr(&json, "request_id", kd_str_of(exchange->request_id));
    kd_json_kstr(&json, "method", kd_str_of(request ? request->method : ""));
    kd_json_kstr(&json, "route", kd_str_of(exchange->route ? exchange->route->path : is_file ? "static" : ""));
    kd_json_kint(&json, "status", exchange->answer.status);
    kd_json_kdouble(&json, "ms", seconds * 1000, 2);
    kd_json_kint(&json, "bytes_in", request ? (int64_t)request->body_bytes : 0);
    kd_json_kint(&json, "bytes_out", (int64_t)bytes_out);
    kd_json_kstr(&json, "address", kd_str_of(exchange->address));
    kd_out_id(&json, "account", exchange->account_id);
    kd_json_object_end(&json);
    kd_buf_char(out, '\n');
}
