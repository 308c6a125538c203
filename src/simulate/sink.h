/* Where rows go: CSV in the department's encoding, or XLSX. Private to simulate/. */
#ifndef KD_SIMULATE_SINK_H
#define KD_SIMULATE_SINK_H

#include "layout.h"

/** What all sinks share. */
typedef struct {
    uint8_t gb18030[65536][5]; /* of each character of the basic plane: count, then up to four bytes */
    pthread_mutex_t workbooks; /* held while one is closed: libxlsxwriter calls gmtime there */
} sim_sinks;
KD_CHECKED kd_status sim_sinks_init(sim_sinks *out, kd_error *err);
void sim_sinks_done(sim_sinks *sinks);

typedef struct sim_sink sim_sink;
KD_CHECKED kd_status sim_sink_open(const char *path, sim_format format, char delimiter, sim_sinks *sinks,
                                   sim_sink **out, kd_error *err);
void sim_sink_field(sim_sink *sink, kd_str text);
/** Ends a row. The first failure of any write is told here and by every later call. */
KD_CHECKED kd_status sim_sink_end_row(sim_sink *sink, kd_error *err);
/** Frees the sink, also on failure. */
KD_CHECKED kd_status sim_sink_close(sim_sink *sink, int64_t *out_bytes, kd_error *err);
void sim_sink_abandon(sim_sink *sink); /* NULL does nothing */

#endif
