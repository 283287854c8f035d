/* A header is found at the same place however much of it has arrived, and "need more" is said only
 * as long as more could help. */
#include "base/must.h"
#include "syntax/proxy.h"

static void inside(struct str part, struct str whole)
{
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct proxy p, again;
    size_t used, used_again;

    enum err e = proxy_parse(in, &p, &used);
    must(e != ERR_AGAIN || in.n < PROXY_MAX);
    if (e == OK) {
        must(used <= in.n && used <= PROXY_MAX);
        struct str header = str_part(in, 0, used);
        inside(p.authority, header);
        inside(p.alpn, header);
        inside(p.unique_id, header);
        inside(p.tls_version, header);
        inside(p.tls_name, header);
        must(proxy_parse(header, &again, &used_again) == OK && used_again == used);
        must(again.local == p.local && again.from_port == p.from_port);
        must(ip_eq(&again.from, &p.from) && ip_eq(&again.to, &p.to));
    }
    /* No prefix of a good or unfinished header is refused. */
    size_t good = e == OK ? used : in.n;
    for (size_t n = 0; n < good && n < 300 && (e == OK || e == ERR_AGAIN); n++) {
        must(proxy_parse(str_part(in, 0, n), &again, &used_again) == ERR_AGAIN);
    }
    return 0;
}
