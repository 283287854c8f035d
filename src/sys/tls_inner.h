/* What the files of TLS know of each other, and nobody else. */
#ifndef SYS_TLS_INNER_H
#define SYS_TLS_INNER_H

#include <openssl/ssl.h>

#include "base/map.h"
#include "sys/tls.h"

/* Keys of one period. */
struct ticket_keys {
    unsigned char name[16], cipher[32], mac[32];
};

struct tickets {
    struct tls_ticket_seed seed; /* of the period before the present one */
    struct ticket_keys before, now;
    bool derived;
};

/* One certificate name set: the pairs that bear exactly these names, in one OpenSSL context. */
struct tls_host {
    SSL_CTX *ctx;
    struct buf names; /* lower case, sorted by appearance, each followed by a NUL */
};

struct tls_config {
    unsigned references;
    bool is_server, verify;
    struct tls_host *hosts; /* a client has one; a server at least one, the first is the default */
    size_t host_count;
    struct map by_name; /* name or "*.name" to struct tls_host */
    struct tickets tickets;
    int64_t expires_us;
    struct buf expires_name;
};

struct tls_session {
    SSL *ssl;
    struct tls_config *config;
    struct buf in, out, error;
    size_t in_at; /* what OpenSSL has read of `in` */
    const struct str *alpn;
    size_t alpn_count;
    bool hello_seen, handshaken, read_ended, write_ended, failed;
};

/* tls_config.c */
const struct tls_host *tls_host_find(const struct tls_config *config, struct str name);

/* tls_ticket.c: set the callback of a server's context. */
void tickets_install(SSL_CTX *ctx);

/* tls_session.c: callbacks of a server's context, for SNI and ALPN. */
int tls_on_server_name(SSL *ssl, int *alert, void *arg);
int tls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                const unsigned char *in, unsigned in_bytes, void *arg);

/* The oldest of OpenSSL's queued errors in words, and empty the queue. */
void tls_put_openssl_error(struct buf *b);

#endif
