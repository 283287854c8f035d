#include "agent/auth/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>

bool secret_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void secret_wipe(void *p, size_t n)
{
    if (n > 0) explicit_bzero(p, n);
}

void secret_buf_free(struct buf *b)
{
    if (b->p != NULL) secret_wipe(b->p, b->cap);
    buf_free(b);
}

void secret_wipe_freed(void)
{
    (void)mallopt(M_PERTURB, 0xa5);
}
