/* Our parser of addresses against the C library's, and networks there and back. */
#include "base/must.h"
#include "syntax/ip.h"

#include <arpa/inet.h>

static void compare(struct str in, const struct ip_addr *ip, bool parsed)
{
    char text[64];
    unsigned char bytes[16];
    if (in.n >= sizeof text || str_find(in, 0) != STR_NOWHERE) return;
    if (in.n > 0) memcpy(text, in.p, in.n);
    text[in.n] = 0;
    bool v4 = str_find(in, ':') == STR_NOWHERE;
    bool good = inet_pton(v4 ? AF_INET : AF_INET6, text, bytes) == 1;
    must(good == parsed);
    if (parsed) must(memcmp(ip->bytes + (v4 ? 12 : 0), bytes, v4 ? 4 : 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct buf b = BUF_INIT(100);
    struct ip_addr ip = { 0 }, again;
    struct ip_net net, net_again;

    bool parsed = ip_parse(in, &ip) == OK;
    compare(in, &ip, parsed);
    if (parsed) {
        ip_put(&b, &ip);
        must(b.n <= IP_TEXT_MAX && ip_parse(buf_str(&b), &again) == OK && ip_eq(&ip, &again));
    }
    buf_clear(&b);
    if (ip_net_parse(in, &net) == OK) {
        ip_net_put(&b, &net);
        must(b.n <= IP_NET_TEXT_MAX && ip_net_parse(buf_str(&b), &net_again) == OK);
        must(ip_eq(&net.base, &net_again.base) && net.prefix_bits == net_again.prefix_bits);
    }
    buf_free(&b);
    return 0;
}
