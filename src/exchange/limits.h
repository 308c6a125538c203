/**
 * @file limits.h
 * Every bound the exchange puts on what comes from outside.
 */
#ifndef KD_EXCHANGE_LIMITS_H
#define KD_EXCHANGE_LIMITS_H

enum {
    /* a pack */
    FEED_PACK_BYTES_MAX = 4 << 20,
    FEED_PACK_ARENA_BYTES = 64 << 20,
    FEED_ROLES_MAX = 6,
    FEED_COLUMNS_MAX = 512,
    FEED_CODES_MAX = 4096, /* texts in one map of codes */
    FEED_CHECKS_MAX = 128,
    FEED_TARGETS_MAX = 16, /* fields one column fills or one check looks at */
    FEED_PACKS_MAX = 1000,
    FEED_HEADER_BYTES_MAX = 300, /* one header text */

    /* a manifest */
    MANIFEST_FILES_MAX = 100000,

    /* a value, in bytes of UTF-8; what is longer is left out and told */
    VALUE_NAME_BYTES_MAX = 120,
    VALUE_SHORT_BYTES_MAX = 64, /* identity number, phone, date, whole number */
    VALUE_CODE_BYTES_MAX = 160,
    VALUE_TEXT_BYTES_MAX = 128,
    VALUE_ADDRESS_BYTES_MAX = 600, /* also the full name of a division */

    /* the work */
    CHUNK_ROWS = 2048,
    MEMO_ENTRIES = 1 << 15, /* of 64 bytes, a thread */
    PEEK_ROWS = 3,          /* read to look at the header */
    SAMPLE_ROWS = 5,        /* shown by a preview */
    EXAMPLE_LINES = 5,      /* kept of each kind of problem */
    FEED_PERIOD_DAYS_MAX = 3660,
    UNKNOWN_COLUMNS_TOLD = 8, /* named in one message */
};

#endif
