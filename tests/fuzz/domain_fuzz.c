/* The normal form is its own normal form, is ASCII in small letters, and keeps the limits. */
#include "base/must.h"
#include "syntax/domain.h"
#include "syntax/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT(0);
    struct buf shown = BUF_INIT(1 << 16);
    struct str name, again;

    if (size == 0) return 0;
    unsigned options = data[0] & DOMAIN_UNDERSCORE;
    if (domain_normalise(str_of(data + 1, size - 1), options, &a, &name) == OK) {
        must(name.n > 0 && name.n <= DOMAIN_MAX && utf8_is_ascii(name));
        must(domain_normalise(name, options, &a, &again) == OK && str_eq(name, again));
        must(domain_is_below(name, name));
        for (size_t i = 0; i < name.n; i++) {
            must(byte_lower(name.p[i]) == name.p[i]);
        }
        domain_put_shown(&shown, name);
        must(utf8_valid(buf_str(&shown)));
    }
    buf_free(&shown);
    arena_free(&a);
    return 0;
}
