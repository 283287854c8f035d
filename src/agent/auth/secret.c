#include "agent/auth/secret.h"
#include "base/must.h"

#include <gsasl.h>
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

enum err secret_base64_get(struct str text, struct buf *out)
{
    char *bytes = NULL;
    size_t n = 0;
    int rc = gsasl_base64_from(text.p, text.n, &bytes, &n);
    must(rc != GSASL_MALLOC_ERROR);
    if (rc != GSASL_OK) return ERR_SYNTAX;
    buf_put(out, str_of(bytes, n));
    secret_wipe(bytes, n);
    gsasl_free(bytes);
    return buf_check(out);
}

void secret_base64_put(struct buf *out, struct str bytes)
{
    char *text = NULL;
    size_t n = 0;
    must(gsasl_base64_to(bytes.p, bytes.n, &text, &n) == GSASL_OK);
    buf_put(out, str_of(text, n));
    secret_wipe(text, n);
    gsasl_free(text);
}
