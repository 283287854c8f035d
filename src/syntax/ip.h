/* Addresses and networks of IPv4 and IPv6, as bytes and as text.
 *
 * One form for both: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. A network of one family
 * never matches an address of the other: 0.0.0.0/0 is all of IPv4, ::/0 all of IPv6. */
#ifndef SYNTAX_IP_H
#define SYNTAX_IP_H

#include "base/buf.h"

/* Longest text: eight groups of four and seven colons; and "/128" for a network. */
enum { IP_TEXT_MAX = 39, IP_NET_TEXT_MAX = 43 };

struct ip_addr {
    uint8_t bytes[16];
};

struct ip_net {
    struct ip_addr base; /* bits behind the prefix are zero */
    uint8_t prefix_bits; /* of the 128; IPv4's /8 is 104 */
};

/* "192.0.2.1": four decimal numbers without leading zeros. ERR_SYNTAX. */
enum err ip4_parse(struct str text, struct ip_addr *ip_out);

/* "2001:db8::1", also with a dotted quad at the end; no zone. An IPv4-mapped address comes out as
 * IPv4. ERR_SYNTAX.                                                     Source: RFC 4291 2.2 */
enum err ip6_parse(struct str text, struct ip_addr *ip_out);

/* Either of them. ERR_SYNTAX. */
enum err ip_parse(struct str text, struct ip_addr *ip_out);

/* From the kernel's or a header's bytes: 4 or 16 of them. ERR_SYNTAX for any other number. */
enum err ip_from_bytes(struct str bytes, struct ip_addr *ip_out);

bool ip_is_v4(const struct ip_addr *ip);
bool ip_eq(const struct ip_addr *a, const struct ip_addr *b);

/* 127.0.0.0/8 or ::1. */
bool ip_is_loopback(const struct ip_addr *ip);

/* Dotted quad, or the canonical form of RFC 5952. */
void ip_put(struct buf *b, const struct ip_addr *ip);

/* "10.0.0.0/8", "2001:db8::/32", or an address alone (then it is a network of one).
 * ERR_SYNTAX; ERR_RANGE: prefix too long; ERR_INVALID: bits set behind the prefix (10.0.0.1/8). */
enum err ip_net_parse(struct str text, struct ip_net *net_out);

void ip_net_put(struct buf *b, const struct ip_net *net);

bool ip_net_has(const struct ip_net *net, const struct ip_addr *ip);

/* The network around `ip`, with the prefix for its family (each cut at 32 and 128): the key under
 * which limits count a peer's neighbours. */
struct ip_net ip_net_around(const struct ip_addr *ip, unsigned v4_bits, unsigned v6_bits);

#endif
