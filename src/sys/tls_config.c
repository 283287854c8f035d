/* TLS configurations: certificates, keys, names, algorithms.
 *
 * Pairs whose certificates bear the same set of names share one OpenSSL context, which holds one
 * certificate per key type and chooses by what the client can verify. The map from names leads to
 * contexts; where two sets share a name, the pair that came first has it.
 *
 * Private keys live in OpenSSL's key objects here, and only load_key() makes them: a key whose
 * operations are done by another process is one more way to make such an object. */
#include "sys/tls_inner.h"
#include "base/clock.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NAMES_MAX = 200000, NAME_BYTES_MAX = 253, WHY_MAX = 4096 };

/* Forward secrecy only; old CBC suites stand behind the AEAD ones, because for mail from strangers
 * the other choice is clear text. No RSA key exchange and nothing below 128 bits. No finite-field
 * DH: it lets a stranger burn ten times the processor time of the others (CVE-2002-20001). */
static const char standard_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:"
                                       "!aNULL:!eNULL:!PSK:!ARIA:!CAMELLIA:!AESCCM";

void tls_put_openssl_error(struct buf *b)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    buf_put(b, reason != NULL ? str_c(reason) : STR("no reason given"));
    if (data != NULL && (flags & ERR_TXT_STRING) != 0 && data[0] != '\0') {
        buf_put_lit(b, ": ");
        buf_put(b, str_c(data));
    }
    ERR_clear_error();
}

/* ---- files ---- */

static enum err read_file(const char *path, struct arena *a, struct str *bytes_out)
{
    enum { STEP = 4096 };
    struct buf b = BUF_INIT(TLS_PEM_MAX + STEP);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_from_errno(errno);
    enum err e = OK;
    for (;;) {
        char *room = buf_reserve(&b, STEP);
        if (room == NULL) {
            e = ERR_LIMIT;
            break;
        }
        ssize_t got = read(fd, room, STEP);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) e = err_from_errno(errno);
        if (got <= 0) break;
        buf_commit(&b, (size_t)got);
    }
    close(fd);
    if (e == OK) *bytes_out = arena_str(a, buf_str(&b));
    if (b.n > 0) OPENSSL_cleanse(b.p, b.n); /* it may be a key */
    buf_free(&b);
    return e;
}

enum err tls_pair_read(const char *cert_path, const char *key_path, struct arena *a,
                       struct tls_pair *pair_out, struct buf *why_out)
{
    struct tls_pair pair;
    const char *path = cert_path;

    enum err e = read_file(cert_path, a, &pair.cert_pem);
    if (e == OK) {
        path = key_path;
        e = read_file(key_path, a, &pair.key_pem);
    }
    if (e != OK) {
        buf_put(why_out, str_c(path));
        buf_put_lit(why_out, ": ");
        buf_put(why_out, str_c(err_words(e)));
        return e;
    }
    pair.name = arena_str(a, str_c(cert_path));
    *pair_out = pair;
    return OK;
}

/* ---- one pair ---- */

struct loaded {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

static void loaded_free(struct loaded *l)
{
    X509_free(l->leaf);
    sk_X509_pop_free(l->chain, X509_free);
    EVP_PKEY_free(l->key);
}

/* "NAME: words", and OpenSSL's own if there are any. */
static enum err refuse(struct buf *why, struct str name, struct str words)
{
    buf_put(why, name);
    buf_put_lit(why, ": ");
    buf_put(why, words);
    if (ERR_peek_error() != 0) {
        buf_put_lit(why, " (");
        tls_put_openssl_error(why);
        buf_put_byte(why, ')');
    }
    return ERR_INVALID;
}

static BIO *bio_of(struct str s)
{
    must(s.n <= TLS_PEM_MAX);
    BIO *bio = BIO_new_mem_buf(s.p, (int)s.n);
    must(bio != NULL);
    return bio;
}

/* Never ask at a terminal; remember that it was wanted. */
static int no_password(char *to, int n, int writing, void *asked)
{
    (void)to;
    (void)n;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static enum err load_key(const struct tls_pair *pair, struct loaded *l, struct buf *why)
{
    bool asked = false;
    BIO *bio = bio_of(pair->key_pem);
    l->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
    BIO_free(bio);
    if (l->key != NULL) return OK;
    if (asked) {
        ERR_clear_error();
        return refuse(why, pair->name, STR("the private key is sealed by a password"));
    }
    ERR_clear_error(); /* it only says that some decoder did not like it */
    return refuse(why, pair->name, STR("no private key in the PEM file"));
}

static enum err load_certs(const struct tls_pair *pair, struct loaded *l, struct buf *why)
{
    BIO *bio = bio_of(pair->cert_pem);
    X509 *next;

    l->chain = sk_X509_new_null();
    must(l->chain != NULL);
    l->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    while (l->leaf != NULL && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        must(sk_X509_push(l->chain, next) > 0);
    }
    BIO_free(bio);
    /* The end of the file is an error to OpenSSL too; a broken certificate is another one. */
    unsigned long last = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (at_end) ERR_clear_error();
    if (l->leaf == NULL) return refuse(why, pair->name, STR("no certificate in the PEM file"));
    if (!at_end) return refuse(why, pair->name, STR("a certificate of the chain is broken"));
    return OK;
}

static enum err load_pair(const struct tls_pair *pair, struct loaded *l, struct buf *why)
{
    ERR_clear_error();
    if (pair->cert_pem.n > TLS_PEM_MAX || pair->key_pem.n > TLS_PEM_MAX) {
        return refuse(why, pair->name, STR("the PEM file is too long"));
    }
    enum err e = load_certs(pair, l, why);
    if (e == OK) e = load_key(pair, l, why);
    if (e != OK) return e;
    if (X509_check_private_key(l->leaf, l->key) != 1) {
        ERR_clear_error();
        return refuse(why, pair->name, STR("the private key belongs to another certificate"));
    }
    return OK;
}

static int64_t expiry_us(const X509 *cert)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1) return INT64_MAX;
    return (int64_t)timegm(&tm) * 1000000;
}

/* ---- names ---- */

/* Add a name in lower case, if it could be a host name at all. */
static void put_name(struct buf *names, const ASN1_STRING *from)
{
    int n = ASN1_STRING_length(from);
    struct str name = str_of(ASN1_STRING_get0_data(from), n > 0 ? (size_t)n : 0);
    if (name.n == 0 || name.n > NAME_BYTES_MAX || str_find(name, '\0') != STR_NOWHERE) return;
    buf_put_lower(names, name);
    buf_put_byte(names, '\0');
}

/* Names of the leaf: those for DNS, or the common name of an old certificate without any. */
static void put_names(struct buf *names, const X509 *leaf)
{
    GENERAL_NAMES *alt = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; alt != NULL && i < sk_GENERAL_NAME_num(alt); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(alt, i);
        if (name->type == GEN_DNS) put_name(names, name->d.dNSName);
    }
    GENERAL_NAMES_free(alt);
    if (names->n > 0) return;

    X509_NAME *subject = X509_get_subject_name(leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return;
    put_name(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

const struct tls_host *tls_host_find(const struct tls_config *config, struct str name)
{
    struct buf lower = BUF_INIT(NAME_BYTES_MAX + 2);
    if (str_ends(name, STR("."))) name = str_part(name, 0, name.n - 1);
    buf_put_lower(&lower, name);
    const struct tls_host *host = NULL;
    if (buf_check(&lower) == OK) host = map_get(&config->by_name, buf_str(&lower));
    size_t dot = str_find(name, '.');
    if (host == NULL && buf_check(&lower) == OK && dot != STR_NOWHERE && dot > 0) {
        buf_clear(&lower);
        buf_put_byte(&lower, '*');
        buf_put_lower(&lower, str_skip(name, dot));
        host = map_get(&config->by_name, buf_str(&lower));
    }
    buf_free(&lower);
    return host;
}

static enum err enter_names(struct tls_config *c, struct tls_host *host)
{
    struct str names = buf_str(&host->names), name;
    while (str_cut(&names, '\0', &name)) {
        if (map_get(&c->by_name, name) != NULL) continue;
        enum err e = map_put(&c->by_name, name, host);
        if (e != OK) return e;
    }
    return OK;
}

/* ---- contexts ---- */

static SSL_CTX *new_ctx(const SSL_METHOD *method, enum tls_versions versions)
{
    int groups[] = { NID_X25519, NID_X9_62_prime256v1, NID_secp384r1 };
    SSL_CTX *ctx = SSL_CTX_new(method);
    must(ctx != NULL);
    int lowest = versions == TLS_ONLY_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    int highest = versions == TLS_ONLY_12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    must(SSL_CTX_set_min_proto_version(ctx, lowest) == 1);
    must(SSL_CTX_set_max_proto_version(ctx, highest) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* An idle session keeps no buffers. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets carry the state */
    must(SSL_CTX_set1_groups(ctx, groups, sizeof groups / sizeof groups[0]) == 1);
    must(SSL_CTX_set_cipher_list(ctx, standard_ciphers) == 1);
    return ctx;
}

static enum err new_server_ctx(const struct tls_server_options *o, struct buf *why,
                               SSL_CTX **ctx_out)
{
    SSL_CTX *ctx = new_ctx(TLS_server_method(), o->versions);
    if (o->tls12_ciphers != NULL && SSL_CTX_set_cipher_list(ctx, o->tls12_ciphers) != 1) {
        SSL_CTX_free(ctx);
        return refuse(why, STR("TLS 1.2 ciphers"), STR("not a usable list"));
    }
    /* One ticket: mail clients come back on one connection at a time. */
    must(SSL_CTX_set_num_tickets(ctx, 1) == 1);
    tickets_install(ctx);
    SSL_CTX_set_tlsext_servername_callback(ctx, tls_on_server_name);
    SSL_CTX_set_alpn_select_cb(ctx, tls_on_alpn, NULL);
    *ctx_out = ctx;
    return OK;
}

static struct tls_host *host_with(struct tls_config *c, struct str names)
{
    for (size_t i = 0; i < c->host_count; i++) {
        if (str_eq(buf_str(&c->hosts[i].names), names)) return &c->hosts[i];
    }
    return NULL;
}

/* The pair into the host of its names, which is made if it is the first with these. */
static enum err enter_pair(struct tls_config *c, const struct tls_server_options *o,
                           const struct tls_pair *pair, struct loaded *l, struct buf *why)
{
    struct buf names = BUF_INIT(TLS_PEM_MAX);
    put_names(&names, l->leaf);
    struct tls_host *host = host_with(c, buf_str(&names));
    if (host == NULL) {
        host = &c->hosts[c->host_count];
        enum err e = new_server_ctx(o, why, &host->ctx);
        if (e != OK) {
            buf_free(&names);
            return e;
        }
        host->names = names;
        c->host_count++;
    } else {
        buf_free(&names);
    }
    if (SSL_CTX_use_cert_and_key(host->ctx, l->leaf, l->key, l->chain, 1) != 1) {
        return refuse(why, pair->name, STR("the certificate cannot be used"));
    }
    int64_t expires_us = expiry_us(l->leaf);
    if (expires_us < c->expires_us) {
        c->expires_us = expires_us;
        buf_clear(&c->expires_name);
        buf_put(&c->expires_name, pair->name);
    }
    return OK;
}

static struct tls_config *new_config(bool is_server, size_t host_max)
{
    struct tls_config *c = calloc(1, sizeof *c);
    must(c != NULL);
    *c = (struct tls_config){ .references = 1,
                              .is_server = is_server,
                              .by_name = MAP_INIT(NAMES_MAX),
                              .expires_us = INT64_MAX,
                              .expires_name = BUF_INIT(WHY_MAX) };
    c->hosts = calloc(host_max, sizeof *c->hosts);
    must(c->hosts != NULL);
    return c;
}

enum err tls_config_new_server(const struct tls_server_options *o, struct tls_config **config_out,
                               struct buf *why_out)
{
    if (o->pair_count == 0) return refuse(why_out, STR("TLS"), STR("no certificate is given"));
    struct tls_config *c = new_config(true, o->pair_count);
    if (o->tickets != NULL) {
        c->tickets.seed = *o->tickets;
    } else {
        tls_ticket_seed_new(&c->tickets.seed);
    }
    enum err e = OK;
    for (size_t i = 0; i < o->pair_count && e == OK; i++) {
        struct loaded l = { 0 };
        e = load_pair(&o->pairs[i], &l, why_out);
        if (e == OK) e = enter_pair(c, o, &o->pairs[i], &l, why_out);
        loaded_free(&l);
    }
    for (size_t i = 0; i < c->host_count && e == OK; i++) {
        e = enter_names(c, &c->hosts[i]);
        if (e != OK) e = refuse(why_out, STR("TLS"), STR("too many names in the certificates"));
    }
    if (e != OK) {
        tls_config_free(&c);
        return e;
    }
    *config_out = c;
    return OK;
}

static enum err trust(SSL_CTX *ctx, struct str ca_pem, struct buf *why)
{
    X509 *cert;
    size_t n = 0;

    if (ca_pem.n == 0) {
        if (SSL_CTX_set_default_verify_paths(ctx) == 1) return OK;
        return refuse(why, STR("TLS"), STR("the system's trusted roots cannot be read"));
    }
    BIO *bio = bio_of(ca_pem);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        must(X509_STORE_add_cert(store, cert) == 1);
        X509_free(cert);
        n++;
    }
    BIO_free(bio);
    ERR_clear_error();
    return n > 0 ? OK : refuse(why, STR("TLS"), STR("no trusted root in the PEM file"));
}

enum err tls_config_new_client(const struct tls_client_options *o, struct tls_config **config_out,
                               struct buf *why_out)
{
    struct tls_config *c = new_config(false, 1);
    SSL_CTX *ctx = new_ctx(TLS_client_method(), o->versions);
    c->hosts[0].ctx = ctx;
    c->host_count = 1;
    c->verify = o->verify;
    SSL_CTX_set_verify(ctx, o->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    enum err e = o->verify ? trust(ctx, o->ca_pem, why_out) : OK;
    if (e != OK) {
        tls_config_free(&c);
        return e;
    }
    *config_out = c;
    return OK;
}

struct tls_config *tls_config_ref(struct tls_config *config)
{
    must(config->references > 0 && config->references < UINT32_MAX);
    config->references++;
    return config;
}

void tls_config_free(struct tls_config **config)
{
    struct tls_config *c = *config;
    *config = NULL;
    if (c == NULL || --c->references > 0) return;
    for (size_t i = 0; i < c->host_count; i++) {
        SSL_CTX_free(c->hosts[i].ctx);
        buf_free(&c->hosts[i].names);
    }
    free(c->hosts);
    map_free(&c->by_name);
    buf_free(&c->expires_name);
    OPENSSL_cleanse(&c->tickets, sizeof c->tickets);
    free(c);
}

int64_t tls_config_expires_us(const struct tls_config *config, struct str *name_out)
{
    *name_out = buf_str(&config->expires_name);
    return config->expires_us;
}
