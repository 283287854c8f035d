#include "mail/directory_address.h"
#include "syntax/address.h"
#include "syntax/domain.h"
#include "syntax/utf8.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

/* Beyond ASCII: lower case letter by letter in no language's own way, and NFC, so that two
 * spellings of one letter are one (RFC 6532 3.1). */
static struct str lower_utf8(struct arena *a, struct str s)
{
    size_t n = 0;
    uint8_t *low = u8_tolower((const uint8_t *)s.p, s.n, NULL, UNINORM_NFC, NULL, &n);
    if (low == NULL) return arena_str(a, s); /* only what is no UTF-8, which no grammar lets in */
    struct str out = arena_str(a, str_of(low, n));
    free(low);
    return out;
}

struct str directory_lower(struct arena *a, struct str s)
{
    if (!utf8_is_ascii(s)) return lower_utf8(a, s);
    struct buf b = buf_new(s.n);
    buf_put_lower(&b, s);
    struct str low = arena_str(a, buf_str(&b));
    buf_free(&b);
    return low;
}

enum err directory_domain_normal(struct arena *a, struct str domain, struct str *out)
{
    return domain_normalise(domain, 0, a, out) == OK ? OK : ERR_INVALID;
}

enum err directory_address_split(struct arena *a, struct str address, struct directory_address *out)
{
    struct mail_address x;
    if (address_parse(address, ADDRESS_UTF8 | ADDRESS_LONG_LOCAL, a, &x, NULL) != ADDRESS_FINE) {
        return ERR_INVALID;
    }
    if (x.kind != ADDRESS_DOMAIN) return ERR_UNSUPPORTED;
    if (x.local.n == 0) return ERR_INVALID;
    out->domain = x.domain;
    out->given = x.local;
    out->local = directory_lower(a, x.local);
    return OK;
}

static struct str taken(struct arena *a, struct buf *b)
{
    struct str s = arena_str(a, buf_str(b));
    buf_free(b);
    return s;
}

struct str directory_address_text(struct arena *a, struct str local, struct str domain)
{
    struct buf b = buf_new(2 * local.n + domain.n + 3);
    address_put_local(&b, local);
    buf_put_byte(&b, '@');
    buf_put(&b, domain);
    return taken(a, &b);
}

enum err directory_address_target(struct arena *a, struct str address, struct str *out)
{
    struct mail_address x;
    if (address_parse(address, ADDRESS_UTF8, a, &x, NULL) != ADDRESS_FINE) return ERR_INVALID;
    struct buf b = buf_new(4 * address.n + 1024);
    address_write(&b, &x);
    *out = taken(a, &b);
    return OK;
}
