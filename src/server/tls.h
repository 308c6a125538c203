/**
 * @file tls.h
 * TLS 1.2 and 1.3 between bytes and bytes: OpenSSL over memory, no sockets.
 */
#ifndef KD_SERVER_TLS_H
#define KD_SERVER_TLS_H

#include "base/base.h"

typedef struct kd_tls kd_tls;
typedef struct kd_tls_session kd_tls_session;

/** Certificate chain and key as PEM files. KD_INVALID when they do not belong together. */
KD_CHECKED kd_status kd_tls_new(const char *cert_path, const char *key_path, kd_tls **out_tls, kd_error *err);
void kd_tls_free(kd_tls *tls);
kd_tls_session *kd_tls_session_new(kd_tls *tls); /* NULL without memory */
void kd_tls_session_free(kd_tls_session *session);

/** Bytes from the peer go in, plain ones come to `plain`. False: the session is broken and ends. */
KD_CHECKED bool kd_tls_read(kd_tls_session *session, kd_str sealed,
                            void (*plain)(void *ctx, const char *bytes, size_t len), void *ctx);
/** Seal plain bytes; what is to be sent is added to `out`. */
KD_CHECKED bool kd_tls_write(kd_tls_session *session, kd_str plain, kd_buf *out);
/** What the session itself has to send: handshake, alerts. */
void kd_tls_pending(kd_tls_session *session, kd_buf *out);
void kd_tls_end(kd_tls_session *session, kd_buf *out); /* close_notify */

#endif
