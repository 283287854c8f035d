/* Certificates of our own making, for a demonstration and for tests: an authority that lives only
 * as long as this call, and a server certificate that it signed (P-256, SHA-256). */
#ifndef SYS_TLS_SELFSIGNED_H
#define SYS_TLS_SELFSIGNED_H

#include "base/buf.h"

struct tls_selfsigned {
    struct buf ca_pem;   /* for the clients to trust */
    struct buf cert_pem; /* for the server */
    struct buf key_pem;  /* for the server, PKCS #8 */
};

/* `names`: host names (one may begin with "*.") and IP addresses, at least one; the first is also
 * the common name. Valid from one day ago on for `days` (1 to 3650). The authority's key is thrown
 * away and may sign for these names only. ERR_INVALID: a name that cannot be one. */
enum err tls_selfsigned_new(const struct str *names, size_t n, unsigned days,
                            struct tls_selfsigned *made_out);

/* Write each into its open descriptor (-1: leave out). Blocks. ERR_IO, ERR_FULL. */
enum err tls_selfsigned_write(const struct tls_selfsigned *made, int ca_fd, int cert_fd,
                              int key_fd);

void tls_selfsigned_free(struct tls_selfsigned *made);

#endif
