/**
 * @file uploads.h
 * Files that were brought in and wait to be imported: DIR/uploads/ID.ACCOUNT/NAME, each its owner's alone, for a time that the pack
 * says. Private to the server.
 */
#ifndef KD_SERVER_UPLOADS_H
#define KD_SERVER_UPLOADS_H

#include "call.h"

typedef struct {
    int64_t id, bytes;
    kd_str name, folder, path; /* arena text */
} kd_upload;

/** Take the call's spooled file over. KD_INVALID for a name that is none, KD_LIMIT when the account keeps too many. */
KD_CHECKED kd_status kd_upload_keep(kd_call *call, kd_str name, kd_upload *out_upload, kd_error *err);
/** The account's own; KD_NOT_FOUND otherwise. */
KD_CHECKED kd_status kd_upload_find(kd_call *call, int64_t id, kd_upload *out_upload, kd_error *err);
/** It is to be imported: its time begins anew. */
void kd_upload_touch(const kd_upload *upload);
/** Remove a folder of an upload with what is in it. */
void kd_upload_remove(const char *folder);
/** Remove what was last touched more than `kept_us` ago: files in a folder, and in its folders. */
void kd_remove_old(const char *folder, int64_t kept_us);
/** Path of the bad rows of a batch: DIR/bad_rows/ID.csv. */
kd_str kd_bad_rows_path(kd_arena *arena, const kd_register *reg, int64_t batch_id);

#endif
