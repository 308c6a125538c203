/**
 * @file metrics.h
 * Counters of the server, as Prometheus reads them. Every call is thread-safe and costs a few atomic adds.
 */
#ifndef KD_SERVER_METRICS_H
#define KD_SERVER_METRICS_H

#include "router.h"

typedef struct kd_metrics kd_metrics;
kd_metrics *kd_metrics_new(const kd_router *router);
void kd_metrics_free(kd_metrics *metrics);
/** Indexes past the router's rows. */
size_t kd_metrics_static(const kd_metrics *metrics);  /* the console's files */
size_t kd_metrics_unknown(const kd_metrics *metrics); /* no such route, unreadable requests */
void kd_metrics_request(kd_metrics *metrics, size_t index, int status, double seconds, uint64_t bytes_in,
                        uint64_t bytes_out);

/** What the parts know at the moment of asking. */
typedef struct {
    size_t connections, connections_max, watchers, workers, busy, queued, jobs_waiting, jobs_running;
    uint64_t accepted, refused, timed_out;
} kd_gauges;
/** Text format 0.0.4. */
void kd_metrics_write(const kd_metrics *metrics, const kd_gauges *gauges, kd_buf *out);

#endif
