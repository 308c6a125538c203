/** Named limits of reading tables; a file above one is refused with the figure in the message. */
#ifndef KD_FRAME_LIMITS_H
#define KD_FRAME_LIMITS_H

#include <stdint.h>

enum {
    CSV_FIELDS_MAX = 16384,            /* columns of a file; Excel's own limit */
    CSV_PIECE_BYTES = 4 << 20,         /* parsed by one thread at a time */
    CSV_SAMPLE_BYTES = 1 << 16,        /* looked at to recognise delimiter and line ends */
    DICT_TRIAL_ROWS = 512,             /* values seen before a dictionary may be given up */
    SHEET_ROWS_MAX = 1048576,          /* of the XLSX format */
    SHEET_COLUMNS_MAX = 16384,         /* of the XLSX format */
    SHEET_CELL_BYTES_MAX = 4 * 32767,  /* of the XLSX format: 32,767 characters */
    SHEET_SHARED_MAX = 1 << 25,        /* shared strings */
    SHEET_STYLES_MAX = 1 << 16,        /* cell formats; the XLSX format has 64,000 */
    SHEET_DEPTH_MAX = 64,              /* nested elements */
    SHEET_RATIO_MAX = 250,             /* inflated to deflated; honest sheets stay under 50 */
    SHEET_RATIO_FREE_BYTES = 16 << 20, /* below this size the ratio is not looked at */
};
static const uint64_t SHEET_PART_BYTES_MAX = UINT64_C(4) << 30; /* one inflated part */
static const uint64_t SHEET_TEXT_BYTES_MAX = UINT64_C(4) << 30; /* all cells of a sheet */

#endif
