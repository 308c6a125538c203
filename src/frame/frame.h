/**
 * @file frame.h
 * The face of the frame module inside the program: the public header and what only tests and benchmarks turn.
 */
#ifndef KD_FRAME_H
#define KD_FRAME_H

#include <base/base.h>
#include <kindred/frame.h>

/**
 * Bytes of CSV parsed as one piece of work; 0 is the built-in size. Tests make it tiny to drive the edges between pieces.
 * The same as kd_frame_read_csv in all else, whatever the size.
 */
KD_CHECKED kd_status kd_frame_read_csv_pieces(kd_str bytes, const char *name, const kd_read_options *options,
                                              size_t piece_bytes, kd_frame **out_frame, kd_read_report **out_report,
                                              kd_error *err);

#endif
