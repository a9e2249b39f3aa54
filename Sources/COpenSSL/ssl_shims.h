#pragma once
// Function-like macros of libssl and libcrypto's BIO as functions, for Swift cannot import macros that take arguments.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static inline void ssl_context_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline int ssl_context_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, highest);
}
static inline void ssl_context_set_read_ahead(SSL_CTX *context, int on) { SSL_CTX_set_read_ahead(context, on); }
static inline void ssl_context_set_cache_mode(SSL_CTX *context, long mode) { SSL_CTX_set_session_cache_mode(context, mode); }
static inline int ssl_context_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, (char *)list);
}
static inline uint64_t ssl_option_no_renegotiation(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t ssl_option_no_compression(void) { return SSL_OP_NO_COMPRESSION; }
static inline void ssl_set_message_callback_argument(SSL *ssl, void *argument) { SSL_set_msg_callback_arg(ssl, argument); }
static inline int ssl_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

static inline void bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/// Empties this thread's error queue. SSL_get_error looks at it, so it must be empty before each SSL call; peeking first
/// keeps the usual case, nothing there, at a few nanoseconds.
static inline void ssl_clear_errors(void) {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

static inline const unsigned char *ssl_alpn_http11(void) {
    static const unsigned char list[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    return list;
}

/// Chooses http/1.1; a client that offers only others is refused (RFC 7301, section 3.2).
static inline int ssl_alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                                  const unsigned char *in, unsigned int in_length, void *argument) {
    (void)ssl; (void)argument;
    int found = SSL_select_next_proto((unsigned char **)out, out_length, ssl_alpn_http11(), 9, in, in_length);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}
static inline void ssl_context_serve_http11(SSL_CTX *context) {
    SSL_CTX_set_alpn_select_cb(context, ssl_alpn_select, 0);
}
