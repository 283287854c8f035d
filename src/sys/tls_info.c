/* What a TLS session can tell: names, channel bindings, and a client's tickets. */
#include "sys/tls_inner.h"
#include "base/must.h"

#include <openssl/err.h>
#include <openssl/x509.h>

struct tls_info tls_info(const struct tls_session *s)
{
    struct tls_info info = { .version = str_c(SSL_get_version(s->ssl)) };
    const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);
    const unsigned char *alpn = NULL;
    unsigned alpn_bytes = 0;

    if (cipher != NULL) {
        const char *name = SSL_CIPHER_standard_name(cipher);
        info.cipher = str_c(name != NULL ? name : SSL_CIPHER_get_name(cipher));
        info.bits = (unsigned)SSL_CIPHER_get_bits(cipher, NULL);
    }
    info.sni = str_c(SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name));
    SSL_get0_alpn_selected(s->ssl, &alpn, &alpn_bytes);
    info.alpn = str_of(alpn, alpn_bytes);
    info.resumed = SSL_session_reused(s->ssl) == 1;
    return info;
}

/* ---- channel binding ---- */

static bool is_tls13(const struct tls_session *s)
{
    return SSL_version(s->ssl) >= TLS1_3_VERSION;
}

/* Without it one secret can belong to two sessions (RFC 7627 1), and a binding binds nothing. */
static bool has_extended_secret(const struct tls_session *s)
{
    return is_tls13(s) || SSL_get_extms_support(s->ssl) == 1;
}

static enum err put_exporter(const struct tls_session *s, struct buf *out)
{
    static const struct str label = STR_INIT("EXPORTER-Channel-Binding");
    unsigned char value[32], nothing = 0;

    if (!has_extended_secret(s)) return ERR_UNSUPPORTED;
    /* "Context value: zero-length string": a context that is there and empty, which makes a
     * difference before TLS 1.3 only. */
    if (SSL_export_keying_material(s->ssl, value, sizeof value, label.p, label.n, &nothing, 0, 1) !=
        1) {
        ERR_clear_error();
        return ERR_UNSUPPORTED;
    }
    buf_put(out, str_of(value, sizeof value));
    return buf_check(out);
}

/* The first Finished message of the handshake: the client's in a full one, the server's when the
 * session was resumed (RFC 5929 3.1). */
static enum err put_unique(const struct tls_session *s, struct buf *out)
{
    unsigned char value[EVP_MAX_MD_SIZE];

    if (is_tls13(s) || !has_extended_secret(s)) return ERR_UNSUPPORTED;
    bool ours = s->config->is_server == (SSL_session_reused(s->ssl) == 1);
    size_t n = ours ? SSL_get_finished(s->ssl, value, sizeof value)
                    : SSL_get_peer_finished(s->ssl, value, sizeof value);
    if (n == 0 || n > sizeof value) return ERR_UNSUPPORTED;
    buf_put(out, str_of(value, n));
    return buf_check(out);
}

/* Hash of the server's certificate with the hash of its signature; MD5 and SHA-1 are lifted to
 * SHA-256; a signature with no single hash has no such binding (RFC 5929 4.1). */
static enum err put_end_point(const struct tls_session *s, struct buf *out)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int digest = NID_undef;
    X509 *cert =
        s->config->is_server ? SSL_get_certificate(s->ssl) : SSL_get0_peer_certificate(s->ssl);

    if (cert == NULL || X509_get_signature_info(cert, &digest, NULL, NULL, NULL) != 1) {
        ERR_clear_error();
        return ERR_UNSUPPORTED;
    }
    if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
    const EVP_MD *md = EVP_get_digestbynid(digest);
    if (md == NULL || X509_digest(cert, md, value, &n) != 1) {
        ERR_clear_error();
        return ERR_UNSUPPORTED;
    }
    buf_put(out, str_of(value, n));
    return buf_check(out);
}

enum err tls_channel_binding(const struct tls_session *s, enum tls_binding kind, struct buf *out)
{
    must(s->handshaken);
    switch (kind) {
    case TLS_EXPORTER:
        return put_exporter(s, out);
    case TLS_UNIQUE:
        return put_unique(s, out);
    case TLS_SERVER_END_POINT:
        return put_end_point(s, out);
    }
    must(kind <= TLS_SERVER_END_POINT);
    return ERR_UNSUPPORTED;
}

/* ---- tickets of a client: OpenSSL's session object under our name ---- */

static SSL_SESSION *session_of(struct tls_ticket *ticket)
{
    return (SSL_SESSION *)(void *)ticket;
}

enum err tls_ticket_take(struct tls_session *s, struct tls_ticket **ticket_out)
{
    SSL_SESSION *session = SSL_get1_session(s->ssl);
    if (session == NULL) return ERR_NOT_FOUND;
    if (s->config->is_server || SSL_SESSION_is_resumable(session) != 1) {
        SSL_SESSION_free(session);
        return ERR_NOT_FOUND;
    }
    /* A copy: OpenSSL spoils the original when the connection ends without a goodbye. */
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    SSL_SESSION_free(session);
    must(copy != NULL);
    *ticket_out = (struct tls_ticket *)(void *)copy;
    return OK;
}

void tls_ticket_use(struct tls_session *s, const struct tls_ticket *ticket)
{
    must(!s->config->is_server && !s->handshaken);
    SSL_SESSION *copy = SSL_SESSION_dup((const SSL_SESSION *)(const void *)ticket);
    must(copy != NULL);
    /* Refused when the ticket is of a protocol version that the config forbids: then it is a full
     * handshake. */
    if (SSL_set_session(s->ssl, copy) != 1) ERR_clear_error();
    SSL_SESSION_free(copy);
}

void tls_ticket_free(struct tls_ticket **ticket)
{
    SSL_SESSION_free(session_of(*ticket));
    *ticket = NULL;
}
