/**
 * @file static.h
 * The built console: every file of a folder, read once, with its .br and .gz neighbours. Read-only afterwards.
 */
#ifndef KD_SERVER_STATIC_H
#define KD_SERVER_STATIC_H

#include "http.h"

enum { KD_STATIC_FILES_MAX = 2000, KD_STATIC_BYTES_MAX = 64 << 20, KD_STATIC_DEPTH_MAX = 8 };

typedef struct kd_static kd_static;
/** `dir` NULL gives an empty set. KD_LIMIT for a folder that is no built console. */
KD_CHECKED kd_status kd_static_load(const char *dir, kd_static **out_static, kd_error *err);
void kd_static_free(kd_static *files);

typedef struct {
    kd_str bytes, etag;                  /* etag with quotes */
    const char *content_type, *encoding; /* encoding NULL: none */
    bool is_immutable;                   /* its name holds a hash of its content */
    bool varies;                         /* other encodings exist */
} kd_static_file;
/**
 * The file for a path in the encoding the peer takes; index.html for any path outside /api whose last segment has no dot, so that the
 * console's own addresses can be opened. False: there is none.
 */
bool kd_static_find(const kd_static *files, const kd_path *path, kd_str accept_encoding, kd_static_file *out_file);

#endif
