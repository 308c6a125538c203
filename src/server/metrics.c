#include "metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Upper bounds in ms of the latency histogram; the last bucket has none. */
static const double BOUNDS_MS[] = { 1, 2.5, 5, 10, 20, 50, 100, 250, 500, 1000, 2500, 10000 };
enum { BOUND_COUNT = sizeof BOUNDS_MS / sizeof BOUNDS_MS[0] };

static const int STATUSES[] = { 200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 412,
                                413, 414, 415, 422, 428, 429, 431, 500, 501, 503, 505, 0 };
enum { STATUS_COUNT = sizeof STATUSES / sizeof STATUSES[0] };

typedef struct {
    atomic_uint_fast64_t by_status[STATUS_COUNT], by_bound[BOUND_COUNT + 1], time_us;
} series;

struct kd_metrics {
    const kd_router *router;
    size_t count; /* the router's rows and two more */
    atomic_uint_fast64_t bytes_in, bytes_out;
    series series[];
};

kd_metrics *kd_metrics_new(const kd_router *router)
{
    size_t count = kd_router_count(router) + 2;
    kd_metrics *metrics = calloc(1, sizeof *metrics + count * sizeof metrics->series[0]);
    if (!metrics) return NULL;
    metrics->router = router;
    metrics->count = count;
    return metrics;
}

void kd_metrics_free(kd_metrics *metrics)
{
    free(metrics);
}

size_t kd_metrics_static(const kd_metrics *metrics)
{
    return metrics->count - 2;
}

size_t kd_metrics_unknown(const kd_metrics *metrics)
{
    return metrics->count - 1;
}

static void add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void kd_metrics_request(kd_metrics *metrics, size_t index, int status, double seconds, uint64_t bytes_in,
                        uint64_t bytes_out)
{
    series *s = &metrics->series[index < metrics->count ? index : metrics->count - 1];
    size_t at = 0, bound = 0;
    while (at < STATUS_COUNT - 1 && STATUSES[at] != status) at++;
    while (bound < BOUND_COUNT && seconds * 1000 > BOUNDS_MS[bound]) bound++;
    add(&s->by_status[at], 1);
    add(&s->by_bound[bound], 1);
    add(&s->time_us, (uint64_t)(seconds * 1e6));
    add(&metrics->bytes_in, bytes_in);
    add(&metrics->bytes_out, bytes_out);
}

static void write_name(const kd_metrics *metrics, size_t index, kd_buf *out)
{
    if (index == kd_metrics_static(metrics)) {
        kd_buf_cstr(out, "method=\"GET\",route=\"static\"");
    } else if (index == kd_metrics_unknown(metrics)) {
        kd_buf_cstr(out, "method=\"\",route=\"none\"");
    } else {
        const kd_route *route = kd_router_at(metrics->router, index);
        kd_buf_fmt(out, "method=\"%s\",route=\"%s\"", route->method, route->path);
    }
}

static void write_latency(const kd_metrics *metrics, size_t index, kd_buf *out)
{
    const series *s = &metrics->series[index];
    uint64_t below = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++) {
        below += get(&s->by_bound[i]);
        kd_buf_cstr(out, "kindred_request_seconds_bucket{");
        write_name(metrics, index, out);
        if (i < BOUND_COUNT)
            kd_buf_fmt(out, ",le=\"%g\"} %llu\n", BOUNDS_MS[i] / 1000, (unsigned long long)below);
        else
            kd_buf_fmt(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)below);
    }
    kd_buf_cstr(out, "kindred_request_seconds_sum{");
    write_name(metrics, index, out);
    kd_buf_fmt(out, "} %.6f\nkindred_request_seconds_count{", (double)get(&s->time_us) / 1e6);
    write_name(metrics, index, out);
    kd_buf_fmt(out, "} %llu\n", (unsigned long long)below);
}

static bool is_used(const series *s)
{
    for (size_t i = 0; i <= BOUND_COUNT; i++)
        if (get(&s->by_bound[i])) return true;
    return false;
}

static void write_figure(kd_buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    kd_buf_fmt(out, "# HELP kindred_%s %s\n# TYPE kindred_%s %s\nkindred_%s %llu\n", name, help, name, type, name,
               (unsigned long long)value);
}

void kd_metrics_write(const kd_metrics *metrics, const kd_gauges *gauges, kd_buf *out)
{
    kd_buf_cstr(out, "# HELP kindred_requests_total Requests answered.\n# TYPE kindred_requests_total counter\n");
    for (size_t i = 0; i < metrics->count; i++)
        for (size_t s = 0; s < STATUS_COUNT; s++) {
            uint64_t count = get(&metrics->series[i].by_status[s]);
            if (!count) continue;
            kd_buf_cstr(out, "kindred_requests_total{");
            write_name(metrics, i, out);
            kd_buf_fmt(out, ",status=\"%d\"} %llu\n", STATUSES[s], (unsigned long long)count);
        }
    kd_buf_cstr(out, "# HELP kindred_request_seconds From the first byte of a request to the last of its answer.\n"
                     "# TYPE kindred_request_seconds histogram\n");
    for (size_t i = 0; i < metrics->count; i++)
        if (is_used(&metrics->series[i])) write_latency(metrics, i, out);
    write_figure(out, "received_bytes_total", "counter", "Bytes of bodies read.", get(&metrics->bytes_in));
    write_figure(out, "sent_bytes_total", "counter", "Bytes of answers sent.", get(&metrics->bytes_out));
    write_figure(out, "connections", "gauge", "Open connections.", gauges->connections);
    write_figure(out, "connections_max", "gauge", "Connections that may be open.", gauges->connections_max);
    write_figure(out, "connections_accepted_total", "counter", "Connections accepted.", gauges->accepted);
    write_figure(out, "connections_refused_total", "counter", "Connections closed because too many were open.",
                 gauges->refused);
    write_figure(out, "connections_timed_out_total", "counter", "Connections closed because the peer was too slow.",
                 gauges->timed_out);
    write_figure(out, "watchers", "gauge", "Streams of events open.", gauges->watchers);
    write_figure(out, "workers", "gauge", "Worker threads.", gauges->workers);
    write_figure(out, "workers_busy", "gauge", "Worker threads with a request.", gauges->busy);
    write_figure(out, "queue_length", "gauge", "Requests that wait for a worker.", gauges->queued);
    write_figure(out, "jobs_waiting", "gauge", "Jobs that wait for their turn.", gauges->jobs_waiting);
    write_figure(out, "jobs_running", "gauge", "Jobs that run.", gauges->jobs_running);
}
