#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct kd_tls {
    SSL_CTX *ctx;
};

struct kd_tls_session {
    SSL *ssl;
    BIO *in, *out;
};

enum { PLAIN_BYTES = 16 << 10 };

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, ours, sizeof ours - 1, in, in_len) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static kd_status fail_tls(kd_error *err, const char *path, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return kd_fail_at(err, KD_INVALID, path, 0, 0, "%s: %s", what, reason ? reason : "unknown reason");
}

static kd_status load(SSL_CTX *ctx, const char *cert_path, const char *key_path, kd_error *err)
{
    if (!kd_file_exists(cert_path)) return kd_fail_errno(err, cert_path, "open");
    if (!kd_file_exists(key_path)) return kd_fail_errno(err, key_path, "open");
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1)
        return fail_tls(err, cert_path, "this is no certificate in PEM");
    if (SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1)
        return fail_tls(err, key_path, "this is no key in PEM");
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail_tls(err, key_path, "the key does not belong to the certificate");
    return KD_OK;
}

kd_status kd_tls_new(const char *cert_path, const char *key_path, kd_tls **out_tls, kd_error *err)
{
    kd_tls *tls = calloc(1, sizeof *tls);
    if (!tls || !(tls->ctx = SSL_CTX_new(TLS_server_method()))) {
        free(tls);
        return kd_fail(err, KD_LIMIT, "", "no memory for TLS");
    }
    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                      SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS); /* idle connections give their buffers back */
    SSL_CTX_set_cipher_list(tls->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_alpn_select_cb(tls->ctx, choose_protocol, NULL);
    kd_status status = load(tls->ctx, cert_path, key_path, err);
    if (status != KD_OK) {
        kd_tls_free(tls);
        return status;
    }
    *out_tls = tls;
    return KD_OK;
}

void kd_tls_free(kd_tls *tls)
{
    if (!tls) return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

kd_tls_session *kd_tls_session_new(kd_tls *tls)
{
    kd_tls_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->ssl = SSL_new(tls->ctx);
    session->in = BIO_new(BIO_s_mem());
    session->out = BIO_new(BIO_s_mem());
    if (!session->ssl || !session->in || !session->out) {
        BIO_free(session->in);
        BIO_free(session->out);
        SSL_free(session->ssl);
        free(session);
        return NULL;
    }
    SSL_set_bio(session->ssl, session->in, session->out);
    SSL_set_accept_state(session->ssl);
    return session;
}

void kd_tls_session_free(kd_tls_session *session)
{
    if (!session) return;
    SSL_free(session->ssl); /* with its two BIOs */
    free(session);
}

bool kd_tls_read(kd_tls_session *session, kd_str sealed, void (*plain)(void *ctx, const char *bytes, size_t len),
                 void *ctx)
{
    char bytes[PLAIN_BYTES];
    if (BIO_write(session->in, sealed.ptr, (int)sealed.len) != (int)sealed.len) return false;
    for (;;) {
        int len = SSL_read(session->ssl, bytes, sizeof bytes);
        if (len > 0) {
            plain(ctx, bytes, (size_t)len);
            continue;
        }
        int code = SSL_get_error(session->ssl, len);
        ERR_clear_error();
        return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE;
    }
}

void kd_tls_pending(kd_tls_session *session, kd_buf *out)
{
    char *bytes;
    long len = BIO_get_mem_data(session->out, &bytes);
    if (len > 0) kd_buf_add(out, bytes, (size_t)len);
    (void)BIO_reset(session->out);
}

bool kd_tls_write(kd_tls_session *session, kd_str plain, kd_buf *out)
{
    bool is_fine = plain.len == 0 || SSL_write(session->ssl, plain.ptr, (int)plain.len) == (int)plain.len;
    ERR_clear_error();
    kd_tls_pending(session, out);
    return is_fine && out->status == KD_OK;
}

void kd_tls_end(kd_tls_session *session, kd_buf *out)
{
    SSL_shutdown(session->ssl);
    ERR_clear_error();
    kd_tls_pending(session, out);
}
