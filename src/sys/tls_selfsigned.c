/* A small authority in memory. It is constrained to the names it was made for (RFC 5280 4.2.1.10),
 * so that who trusts it for a demonstration trusts it for nothing else. */
#include "sys/tls_selfsigned.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/rand.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

enum { PEM_MAX = 64 * 1024, NAME_MAX_BYTES = 253, DAY_S = 86400 };

static bool is_host_name(struct str name)
{
    if (str_starts(name, STR("*."))) name = str_skip(name, 2);
    if (name.n == 0 || name.n > NAME_MAX_BYTES) return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return name.p[0] != '.';
}

/* The address in network order, or null when it is a name. */
static ASN1_OCTET_STRING *to_ip(struct str name)
{
    struct buf c = BUF_INIT(64);
    buf_put(&c, name);
    buf_put_byte(&c, '\0');
    ASN1_OCTET_STRING *ip = buf_check(&c) == OK ? a2i_IPADDRESS(c.p) : NULL;
    buf_free(&c);
    return ip;
}

static GENERAL_NAME *general_name(struct str name)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_OCTET_STRING *ip = to_ip(name);
    must(g != NULL);
    if (ip != NULL) {
        GENERAL_NAME_set0_value(g, GEN_IPADD, ip);
        return g;
    }
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    must(text != NULL && ASN1_STRING_set(text, name.p, (int)name.n) == 1);
    GENERAL_NAME_set0_value(g, GEN_DNS, text);
    return g;
}

static void add_names(X509 *cert, const struct str *names, size_t n)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    must(all != NULL);
    for (size_t i = 0; i < n; i++) {
        must(sk_GENERAL_NAME_push(all, general_name(names[i])) > 0);
    }
    must(X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) == 1);
    GENERAL_NAMES_free(all);
}

/* An address in a constraint has a mask behind it; here always of all ones. */
static void widen_ip(GENERAL_NAME *g)
{
    unsigned char both[32];
    if (g->type != GEN_IPADD) return;
    size_t n = (size_t)ASN1_STRING_length(g->d.iPAddress);
    must(n == 4 || n == 16);
    memcpy(both, ASN1_STRING_get0_data(g->d.iPAddress), n);
    memset(both + n, 0xff, n);
    must(ASN1_STRING_set(g->d.iPAddress, both, (int)(2 * n)) == 1);
}

static void add_constraints(X509 *cert, const struct str *names, size_t n)
{
    NAME_CONSTRAINTS *all = NAME_CONSTRAINTS_new();
    must(all != NULL);
    all->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    for (size_t i = 0; i < n; i++) {
        GENERAL_SUBTREE *one = GENERAL_SUBTREE_new();
        must(one != NULL);
        GENERAL_NAME_free(one->base);
        struct str name = names[i];
        if (str_starts(name, STR("*."))) name = str_skip(name, 2);
        one->base = general_name(name);
        widen_ip(one->base);
        must(sk_GENERAL_SUBTREE_push(all->permittedSubtrees, one) > 0);
    }
    must(X509_add1_ext_i2d(cert, NID_name_constraints, all, 1, 0) == 1);
    NAME_CONSTRAINTS_free(all);
}

static void add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void add_common_name(X509_NAME *to, struct str name)
{
    /* The field's ceiling is 64 (RFC 5280 A.1); the full name stands among the alternatives. */
    struct str shown = str_part(name, 0, 64);
    must(X509_NAME_add_entry_by_NID(to, NID_commonName, MBSTRING_UTF8,
                                    (const unsigned char *)shown.p, (int)shown.n, -1, 0) == 1);
}

static X509 *new_cert(EVP_PKEY *key, unsigned days)
{
    X509 *cert = X509_new();
    unsigned char serial[16];
    time_t now = (time_t)(clock_wall_us() / 1000000);

    must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    rand_bytes(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive, always 16 bytes */
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    must(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL);
    BN_free(number);
    must(X509_time_adj(X509_getm_notBefore(cert), -DAY_S, &now) != NULL);
    must(X509_time_adj(X509_getm_notAfter(cert), (long)days * DAY_S, &now) != NULL);
    must(X509_set_pubkey(cert, key) == 1);
    return cert;
}

static X509 *new_ca(EVP_PKEY *key, const struct str *names, size_t n, unsigned days)
{
    X509 *cert = new_cert(key, days);
    X509_NAME *subject = X509_get_subject_name(cert);
    must(X509_NAME_add_entry_by_NID(subject, NID_organizationName, MBSTRING_UTF8,
                                    (const unsigned char *)"Postrider, for testing", -1, -1,
                                    0) == 1);
    add_common_name(subject, names[0]);
    must(X509_set_issuer_name(cert, subject) == 1);
    add_ext(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_ext(cert, cert, NID_key_usage, "critical,keyCertSign");
    add_ext(cert, cert, NID_subject_key_identifier, "hash");
    add_constraints(cert, names, n);
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static X509 *new_leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const struct str *names, size_t n,
                      unsigned days)
{
    X509 *cert = new_cert(key, days);
    add_common_name(X509_get_subject_name(cert), names[0]);
    must(X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1);
    add_ext(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
    add_ext(cert, ca, NID_key_usage, "critical,digitalSignature");
    add_ext(cert, ca, NID_ext_key_usage, "serverAuth");
    add_ext(cert, ca, NID_subject_key_identifier, "hash");
    add_ext(cert, ca, NID_authority_key_identifier, "keyid");
    add_names(cert, names, n);
    must(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    return cert;
}

/* What the BIO gathered, into the buf; the BIO ends here. */
static void drain(BIO *bio, struct buf *to)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    must(n > 0);
    buf_put(to, str_of(p, (size_t)n));
    must(buf_check(to) == OK);
    BIO_free(bio);
}

static void put_cert(struct buf *to, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
    drain(bio, to);
}

static void put_key(struct buf *to, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    must(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    drain(bio, to);
}

enum err tls_selfsigned_new(const struct str *names, size_t n, unsigned days,
                            struct tls_selfsigned *made_out)
{
    must(n > 0 && days > 0 && days <= 3650);
    for (size_t i = 0; i < n; i++) {
        ASN1_OCTET_STRING *ip = to_ip(names[i]);
        ASN1_OCTET_STRING_free(ip);
        if (ip == NULL && !is_host_name(names[i])) return ERR_INVALID;
    }
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    must(ca_key != NULL && key != NULL);
    X509 *ca = new_ca(ca_key, names, n, days);
    X509 *cert = new_leaf(key, ca, ca_key, names, n, days);

    *made_out = (struct tls_selfsigned){ BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX) };
    put_cert(&made_out->ca_pem, ca);
    put_cert(&made_out->cert_pem, cert);
    put_key(&made_out->key_pem, key);
    X509_free(ca);
    X509_free(cert);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    return OK;
}

static enum err write_all(int fd, struct str bytes)
{
    while (fd >= 0 && bytes.n > 0) {
        ssize_t done = write(fd, bytes.p, bytes.n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return err_from_errno(done < 0 ? errno : EIO);
        bytes = str_skip(bytes, (size_t)done);
    }
    return OK;
}

enum err tls_selfsigned_write(const struct tls_selfsigned *made, int ca_fd, int cert_fd, int key_fd)
{
    enum err e = write_all(ca_fd, buf_str(&made->ca_pem));
    if (e == OK) e = write_all(cert_fd, buf_str(&made->cert_pem));
    if (e == OK) e = write_all(key_fd, buf_str(&made->key_pem));
    return e;
}

void tls_selfsigned_free(struct tls_selfsigned *made)
{
    if (made->key_pem.p != NULL) OPENSSL_cleanse(made->key_pem.p, made->key_pem.cap);
    buf_free(&made->ca_pem);
    buf_free(&made->cert_pem);
    buf_free(&made->key_pem);
}
