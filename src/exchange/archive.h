/* The files as they came, compressed, by content: private to the exchange. */
#ifndef KD_EXCHANGE_ARCHIVE_H
#define KD_EXCHANGE_ARCHIVE_H

#include "base/base.h"

#include <pthread.h>

enum { HASH_HEX_BYTES = 65, ARCHIVE_PATH_BYTES = 4096 };

/* SHA-256 of a file in small hexadecimal letters. */
kd_status archive_hash(const char *path, const kd_progress *progress, char out_hex[HASH_HEX_BYTES], kd_error *err);

/* A file being packed by a thread of its own, while it is also being read. */
typedef struct {
    char from[ARCHIVE_PATH_BYTES], to[ARCHIVE_PATH_BYTES], temporary[ARCHIVE_PATH_BYTES], folder[ARCHIVE_PATH_BYTES];
    pthread_t thread;
    bool is_running, is_there; /* is_there: the same content was archived before */
    int stop;                  /* atomic */
    kd_status status;
    kd_error error;
} archiving;
kd_status archive_begin(archiving *a, const char *register_dir, const char *path, const char *hex, kd_error *err);
/* Wait, and put the packed file in its place, on the disk for good. */
kd_status archive_finish(archiving *a, kd_error *err);
/* Stop and leave nothing. Does nothing after archive_finish. */
void archive_cancel(archiving *a);

#endif
