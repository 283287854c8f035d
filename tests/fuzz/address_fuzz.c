/* What is parsed can be written, and what is written means the same and is spelled the same again.
 * First byte of the input: options. */
#include "base/must.h"
#include "syntax/address.h"
#include "syntax/utf8.h"

static void same(const struct mail_address *x, const struct mail_address *y)
{
    must(address_eq(x, y) && x->kind == y->kind && x->local_utf8 == y->local_utf8);
    must(utf8_valid(x->local) && utf8_is_ascii(x->domain));
    must(x->kind == ADDRESS_BARE ? x->domain.n == 0 : x->domain.n > 0);
    must(x->local_utf8 == !utf8_is_ascii(x->local));
    must(x->domain_utf8 == !utf8_is_ascii(x->domain_shown));
}

static void path(struct str in, unsigned options, struct arena *a)
{
    struct scan s = scan_of(in);
    struct buf b = BUF_INIT(4096), again_text = BUF_INIT(4096);
    struct path p, again;

    if (path_parse(&s, options, a, &p) == ADDRESS_FINE) {
        must(str_eq(p.text, str_part(in, 0, in.n - s.left.n)) && p.text.n <= ADDRESS_PATH_MAX);
        path_write(&b, &p);
        struct scan t = scan_of(buf_str(&b));
        /* The normal form of a domain may be longer than what was written. */
        if (b.n <= ADDRESS_PATH_MAX) {
            must(path_parse(&t, options & ~(unsigned)ADDRESS_NO_BRACKETS, a, &again) ==
                 ADDRESS_FINE);
            must(scan_end(&t) && again.null == p.null && again.route.n == 0);
            if (!p.null) same(&p.address, &again.address);
            path_write(&again_text, &again);
            must(str_eq(buf_str(&b), buf_str(&again_text)));
        }
    }
    buf_free(&b);
    buf_free(&again_text);
}

static void bare(struct str in, unsigned options, struct arena *a)
{
    struct buf b = BUF_INIT(4096);
    struct mail_address x, y;
    size_t at = SIZE_MAX;

    if (address_parse(in, options, a, &x, &at) == ADDRESS_FINE) {
        address_write(&b, &x);
        if (b.n <= ADDRESS_PATH_MAX - 2) {
            must(address_parse(buf_str(&b), options, a, &y, NULL) == ADDRESS_FINE);
            same(&x, &y);
        }
    } else {
        must(at <= in.n);
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    if (size == 0) return 0;
    path(str_of(data + 1, size - 1), data[0], &a);
    bare(str_of(data + 1, size - 1), data[0], &a);
    arena_free(&a);
    return 0;
}
