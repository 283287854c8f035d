/* TLS sessions: OpenSSL's SSL object between two buffers.
 *
 * A BIO of our own reads from `in` and appends to `out`. Both give their memory back whenever they
 * are empty, and OpenSSL does the same with its record buffers (SSL_MODE_RELEASE_BUFFERS): an idle
 * session holds its state and nothing else.
 *
 * Invariants: `failed`, `read_ended` and `write_ended` are never taken back; after the first two
 * `in` is empty for good. SSL_write never finds `out` full, because tls_write() looks before; so it
 * never stops half-way. */
#include "sys/tls_inner.h"
#include "base/must.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { OUT_MAX = 512 * 1024, ERROR_MAX = 512, HOST_BYTES_MAX = 255 };

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *to, size_t n, size_t *got)
{
    struct tls_session *s = BIO_get_data(bio);
    size_t left = s->in.n - s->in_at;

    BIO_clear_retry_flags(bio);
    if (left == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    if (n > left) n = left;
    memcpy(to, s->in.p + s->in_at, n);
    s->in_at += n;
    if (s->in_at == s->in.n) {
        buf_free(&s->in);
        s->in_at = 0;
    }
    *got = n;
    return 1;
}

static int bio_write(BIO *bio, const char *from, size_t n, size_t *done)
{
    struct tls_session *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    buf_put(&s->out, str_of(from, n));
    if (buf_check(&s->out) != OK) return 0; /* the peer made us answer without end; see fail() */
    *done = n;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;
    if (method != NULL) return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
    must(method != NULL);
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    BIO_meth_set_create(method, bio_create);
    return method;
}

/* ---- life ---- */

static struct tls_session *new_session(struct tls_config *config)
{
    struct tls_session *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->config = tls_config_ref(config);
    s->in = buf_new(TLS_PUT_MAX);
    s->out = buf_new(OUT_MAX);
    s->error = buf_new(ERROR_MAX);
    s->ssl = SSL_new(config->hosts[0].ctx);
    must(s->ssl != NULL);
    BIO *bio = BIO_new(bio_method());
    must(bio != NULL);
    BIO_set_data(bio, s);
    SSL_set_bio(s->ssl, bio, bio); /* owns it now, once for both directions */
    must(SSL_set_app_data(s->ssl, s) == 1);
    return s;
}

struct tls_session *tls_new_server(struct tls_config *config)
{
    must(config->is_server);
    struct tls_session *s = new_session(config);
    SSL_set_accept_state(s->ssl);
    return s;
}

static bool is_ip(const char *host)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

struct tls_session *tls_new_client(struct tls_config *config, struct str host)
{
    must(!config->is_server);
    must(host.n <= HOST_BYTES_MAX && str_find(host, '\0') == STR_NOWHERE);
    struct tls_session *s = new_session(config);
    char name[HOST_BYTES_MAX + 1];
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';

    SSL_set_connect_state(s->ssl);
    if (host.n > 0 && is_ip(name)) {
        must(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), name) == 1);
    } else if (host.n > 0) {
        must(SSL_set_tlsext_host_name(s->ssl, name) == 1);
        SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        must(SSL_set1_host(s->ssl, name) == 1);
    }
    return s;
}

void tls_free(struct tls_session **session)
{
    struct tls_session *s = *session;
    *session = NULL;
    if (s == NULL) return;
    SSL_free(s->ssl); /* and the BIO */
    buf_free(&s->in);
    buf_free(&s->out);
    buf_free(&s->error);
    tls_config_free(&s->config);
    free(s);
}

/* ---- what OpenSSL asks ---- */

int tls_on_server_name(SSL *ssl, int *alert, void *arg)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    (void)alert;
    (void)arg;
    const struct tls_host *host =
        tls_host_find(s->config, str_c(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));
    if (host == NULL) return SSL_TLSEXT_ERR_NOACK; /* unknown: the default certificate */
    must(SSL_set_SSL_CTX(ssl, host->ctx) != NULL);
    return SSL_TLSEXT_ERR_OK;
}

void tls_set_alpn(struct tls_session *s, const struct str *names, size_t n)
{
    s->alpn = names;
    s->alpn_count = n;
    if (s->config->is_server) return;
    struct buf wire = BUF_INIT(1024);
    for (size_t i = 0; i < n; i++) {
        must(names[i].n > 0 && names[i].n <= 255);
        buf_put_byte(&wire, (char)(unsigned char)names[i].n);
        buf_put(&wire, names[i]);
    }
    must(buf_check(&wire) == OK);
    must(SSL_set_alpn_protos(s->ssl, (const unsigned char *)wire.p, (unsigned)wire.n) == 0);
    buf_free(&wire);
}

/* The view of `name` within the client's list (one length byte before each name), or an empty one.
 * OpenSSL has checked the list's form. */
static struct str offered(struct str list, struct str name)
{
    while (list.n > 0) {
        size_t n = (unsigned char)list.p[0];
        struct str one = str_part(list, 1, n);
        if (str_eq(one, name)) return one;
        list = str_skip(list, 1 + n);
    }
    return STR_NONE;
}

int tls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                const unsigned char *in, unsigned in_bytes, void *arg)
{
    const struct tls_session *s = SSL_get_app_data(ssl);
    (void)arg;
    if (s->alpn_count == 0) return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < s->alpn_count; i++) {
        struct str found = offered(str_of(in, in_bytes), s->alpn[i]);
        if (found.n == 0) continue;
        *out = (const unsigned char *)found.p;
        *out_bytes = (unsigned char)found.n;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol, RFC 7301 3.2 */
}

/* ---- cipher bytes ---- */

enum err tls_put_cipher(struct tls_session *s, struct str bytes)
{
    if (s->failed || s->read_ended) return ERR_CLOSED;
    if (bytes.n > TLS_PUT_MAX - (s->in.n - s->in_at)) return ERR_LIMIT;
    if (s->in_at > 0) {
        buf_drop_front(&s->in, s->in_at);
        s->in_at = 0;
    }
    buf_put(&s->in, bytes);
    return OK;
}

bool tls_has_cipher(const struct tls_session *s)
{
    return s->out.n > 0;
}

void tls_take_cipher(struct tls_session *s, struct buf *out)
{
    if (s->out.n == 0) return;
    if (out->n == 0 && !out->over && s->out.n <= out->max_bytes) {
        size_t max_bytes = out->max_bytes;
        buf_free(out);
        *out = s->out;
        out->max_bytes = max_bytes;
        s->out = buf_new(OUT_MAX);
        return;
    }
    buf_put(out, buf_str(&s->out));
    buf_free(&s->out);
}

/* ---- failing and ending ---- */

static void drop_input(struct tls_session *s)
{
    buf_free(&s->in);
    s->in_at = 0;
}

/* Why the peer's certificate was refused. */
static void put_verdict(struct tls_session *s)
{
    long verdict = SSL_get_verify_result(s->ssl);
    if (s->config->is_server || !s->config->verify || verdict == X509_V_OK) return;
    buf_put_lit(&s->error, ": ");
    buf_put(&s->error, str_c(X509_verify_cert_error_string(verdict)));
}

static enum err fail(struct tls_session *s, struct str words)
{
    if (!s->failed) {
        if (words.n > 0) {
            buf_put(&s->error, words);
        } else if (s->out.over) {
            buf_put_lit(&s->error, "the peer makes us answer and does not read");
        } else {
            tls_put_openssl_error(&s->error);
            put_verdict(s);
        }
    }
    ERR_clear_error();
    s->failed = true;
    drop_input(s);
    return ERR_TLS;
}

/* After an SSL call that did not succeed. */
static enum err outcome(struct tls_session *s, int result)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        s->read_ended = true;
        drop_input(s);
        return ERR_CLOSED;
    default:
        return fail(s, STR_NONE);
    }
}

static enum err ended(const struct tls_session *s)
{
    return s->failed ? ERR_TLS : s->read_ended ? ERR_CLOSED : OK;
}

/* OpenSSL makes room for a message as soon as it knows the declared length, up to 128 KiB for the
 * hello of a stranger who then may never send it, and 70 KiB of buffers for the first bytes of any.
 * A real hello takes less than 2 KiB. So OpenSSL gets to see nothing before the first record is
 * whole and announces no more than it should: record type, version (2), length (2), message type,
 * length (3). */
static enum err look_at_hello(struct tls_session *s)
{
    enum { RECORD_HANDSHAKE = 22, RECORD_BYTES = 5, LOOK_BYTES = 9 };
    struct str in = str_of(s->in.p + s->in_at, s->in.n - s->in_at);

    if (in.n == 0) return ERR_AGAIN;
    if (in.p[0] == RECORD_HANDSHAKE) {
        if (in.n < LOOK_BYTES) return ERR_AGAIN;
        const unsigned char *p = (const unsigned char *)in.p;
        size_t record = (size_t)p[3] << 8 | p[4];
        size_t message = (size_t)p[6] << 16 | (size_t)p[7] << 8 | p[8];
        if (record < LOOK_BYTES - RECORD_BYTES) return fail(s, STR("the hello comes in crumbs"));
        if (message > TLS_HELLO_MAX) return fail(s, STR("the hello is too long"));
        if (record <= TLS_HELLO_MAX && in.n < RECORD_BYTES + record) return ERR_AGAIN;
    }
    s->hello_seen = true; /* anything else OpenSSL refuses, and can say what it takes it for */
    return OK;
}

enum err tls_handshake(struct tls_session *s)
{
    enum err e = ended(s);
    if (e != OK || s->handshaken) return e;
    if (s->config->is_server && !s->hello_seen) {
        e = look_at_hello(s);
        if (e != OK) return e;
    }
    ERR_clear_error();
    int result = SSL_do_handshake(s->ssl);
    if (result != 1) return outcome(s, result);
    s->handshaken = true;
    return OK;
}

enum err tls_read(struct tls_session *s, void *to, size_t n, size_t *got_out)
{
    size_t got = 0;
    enum err e = ended(s);
    if (e != OK) return e;
    must(s->handshaken && n > 0);
    ERR_clear_error();
    int result = SSL_read_ex(s->ssl, to, n, &got);
    if (result != 1) return outcome(s, result);
    *got_out = got;
    return OK;
}

enum err tls_write(struct tls_session *s, struct str bytes)
{
    size_t done = 0;
    must(s->handshaken && bytes.n <= TLS_WRITE_MAX);
    if (s->failed) return ERR_TLS;
    if (s->write_ended) return ERR_CLOSED;
    if (bytes.n == 0) return OK;
    if (s->out.n > TLS_OUT_HIGH) return ERR_AGAIN;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, bytes.p, bytes.n, &done) != 1) return fail(s, STR_NONE);
    must(done == bytes.n);
    return OK;
}

void tls_close_notify(struct tls_session *s)
{
    if (s->write_ended) return;
    s->write_ended = true;
    if (s->failed || !s->handshaken) return;
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl); /* 0: the peer's own goodbye is not here yet, which is no matter */
    ERR_clear_error();
}

struct str tls_error(const struct tls_session *s)
{
    return buf_str(&s->error);
}
