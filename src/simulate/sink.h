/* Where rows go: CSV in the department's encoding, or XLSX. Private to simulate/. */
#ifndef KD_SIMULATE_SINK_H
#define KD_SIMULATE_SINK_H

#include "layout.h"

/** GB18030 bytes of each character of the basic plane: count, then up to four bytes. Made once. */
typedef struct {
    uint8_t bytes[65536][5];
} sim_gb18030;
KD_CHECKED kd_status sim_gb18030_make(sim_gb18030 *out, kd_error *err);

typedef struct sim_sink sim_sink;
KD_CHECKED kd_status sim_sink_open(const char *path, sim_format format, char delimiter, const sim_gb18030 *gb18030,
                                   sim_sink **out, kd_error *err);
void sim_sink_field(sim_sink *sink, kd_str text);
/** Ends a row. The first failure of any write is told here and by every later call. */
KD_CHECKED kd_status sim_sink_end_row(sim_sink *sink, kd_error *err);
/** Frees the sink, also on failure. */
KD_CHECKED kd_status sim_sink_close(sim_sink *sink, int64_t *out_bytes, kd_error *err);
void sim_sink_abandon(sim_sink *sink); /* NULL does nothing */

#endif
