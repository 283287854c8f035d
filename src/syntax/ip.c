/* Text to 16 bytes and back, without the C library's parsers: those take octal, missing numbers and
 * zones, and want a NUL. */
#include "syntax/ip.h"
#include "syntax/scan.h"

enum { V4_PREFIX_BITS = 96, GROUPS = 8 };

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool scan_quad(struct scan *s, uint8_t quad[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0 && !scan_byte(s, '.')) return false;
        struct str digits = scan_while(s, BYTE_DIGIT);
        uint64_t value;
        if (digits.n > 3 || (digits.n > 1 && str_starts(digits, STR("0")))) return false;
        if (str_to_u64(digits, 255, &value) != OK) return false;
        quad[i] = (uint8_t)value;
    }
    return true;
}

enum err ip4_parse(struct str text, struct ip_addr *ip_out)
{
    struct scan s = scan_of(text);
    struct ip_addr ip;
    memcpy(ip.bytes, mapped, sizeof mapped);
    if (!scan_quad(&s, ip.bytes + sizeof mapped) || !scan_end(&s)) return ERR_SYNTAX;
    *ip_out = ip;
    return OK;
}

static bool scan_group(struct scan *s, unsigned *group_out)
{
    unsigned value = 0, digits = 0;
    while (digits < 5 && !scan_end(s) && byte_hex((char)scan_peek(s)) >= 0) {
        value = value << 4 | (unsigned)byte_hex((char)scan_get(s));
        digits++;
    }
    if (digits < 1 || digits > 4) return false;
    *group_out = value;
    return true;
}

/* A dotted quad as the last two groups, if the rest of the text is one. */
static bool scan_tail(struct scan *s, size_t groups, uint8_t *at)
{
    struct scan t = *s;
    if (groups > GROUPS - 2 || !scan_quad(&t, at) || !scan_end(&t)) return false;
    *s = t;
    return true;
}

enum err ip6_parse(struct str text, struct ip_addr *ip_out)
{
    struct scan s = scan_of(text);
    uint8_t found[16] = { 0 };
    size_t groups = 0, gap = GROUPS + 1; /* the gap stands before this group; none yet */

    if (scan_text(&s, STR("::"))) gap = 0;
    while (!scan_end(&s) && groups < GROUPS) {
        unsigned group;
        if (scan_tail(&s, groups, found + 2 * groups)) {
            groups += 2;
            break;
        }
        if (!scan_group(&s, &group)) return ERR_SYNTAX;
        found[2 * groups] = (uint8_t)(group >> 8);
        found[2 * groups + 1] = (uint8_t)group;
        groups++;
        if (scan_end(&s)) break;
        if (gap > GROUPS && scan_text(&s, STR("::"))) {
            gap = groups;
        } else if (!scan_byte(&s, ':') || scan_end(&s)) {
            return ERR_SYNTAX;
        }
    }
    if (!scan_end(&s) || (gap > GROUPS ? groups != GROUPS : groups >= GROUPS)) return ERR_SYNTAX;

    struct ip_addr ip = { 0 };
    size_t head = gap > GROUPS ? GROUPS : gap, tail = groups - (gap > GROUPS ? GROUPS : gap);
    memcpy(ip.bytes, found, 2 * head);
    memcpy(ip.bytes + sizeof ip.bytes - 2 * tail, found + 2 * head, 2 * tail);
    *ip_out = ip;
    return OK;
}

enum err ip_parse(struct str text, struct ip_addr *ip_out)
{
    return str_find(text, ':') == STR_NOWHERE ? ip4_parse(text, ip_out) : ip6_parse(text, ip_out);
}

enum err ip_from_bytes(struct str bytes, struct ip_addr *ip_out)
{
    struct ip_addr ip;
    if (bytes.n == 4) {
        memcpy(ip.bytes, mapped, sizeof mapped);
        memcpy(ip.bytes + sizeof mapped, bytes.p, 4);
    } else if (bytes.n == sizeof ip.bytes) {
        memcpy(ip.bytes, bytes.p, sizeof ip.bytes);
    } else {
        return ERR_SYNTAX;
    }
    *ip_out = ip;
    return OK;
}

bool ip_is_v4(const struct ip_addr *ip)
{
    return memcmp(ip->bytes, mapped, sizeof mapped) == 0;
}

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ip_is_loopback(const struct ip_addr *ip)
{
    static const struct ip_addr one = { { [15] = 1 } };
    return ip_is_v4(ip) ? ip->bytes[12] == 127 : ip_eq(ip, &one);
}

static unsigned group_at(const struct ip_addr *ip, size_t i)
{
    return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static size_t zero_run(const struct ip_addr *ip, size_t *n_out)
{
    size_t best = GROUPS, best_n = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t n = 0;
        while (i + n < GROUPS && group_at(ip, i + n) == 0) {
            n++;
        }
        if (n > best_n) {
            best = i;
            best_n = n;
        }
        i += n;
    }
    *n_out = best_n;
    return best;
}

static void put_group(struct buf *b, unsigned group)
{
    unsigned digits = group > 0xfff ? 4 : group > 0xff ? 3 : group > 0xf ? 2 : 1;
    buf_put_hex_u64(b, group, digits);
}

void ip_put(struct buf *b, const struct ip_addr *ip)
{
    if (ip_is_v4(ip)) {
        for (size_t i = sizeof mapped; i < sizeof ip->bytes; i++) {
            if (i > sizeof mapped) buf_put_byte(b, '.');
            buf_put_u64(b, ip->bytes[i]);
        }
        return;
    }
    size_t run_n, run = zero_run(ip, &run_n);
    for (size_t i = 0; i < GROUPS; i++) {
        if (i == run) {
            buf_put_lit(b, "::");
            i += run_n - 1;
            continue;
        }
        if (i > 0 && i != run + run_n) buf_put_byte(b, ':');
        put_group(b, group_at(ip, i));
    }
}

static void clear_behind(struct ip_addr *ip, unsigned bits)
{
    for (unsigned i = 0; i < sizeof ip->bytes; i++) {
        unsigned keep = bits > 8 * i ? bits - 8 * i : 0;
        if (keep < 8) ip->bytes[i] &= (uint8_t)(0xff00u >> keep);
    }
}

enum err ip_net_parse(struct str text, struct ip_net *net_out)
{
    struct scan s = scan_of(text);
    struct ip_addr ip;
    uint64_t bits;

    enum err e = ip_parse(scan_until(&s, '/'), &ip);
    if (e != OK) return e;
    uint64_t max = ip_is_v4(&ip) && str_find(text, ':') == STR_NOWHERE ? 32 : 128;
    if (scan_end(&s)) {
        bits = max;
    } else {
        struct str digits = str_skip(s.left, 1);
        if (digits.n > 1 && str_starts(digits, STR("0"))) return ERR_SYNTAX;
        e = str_to_u64(digits, max, &bits);
        if (e != OK) return e;
    }
    if (max == 32) bits += V4_PREFIX_BITS;

    struct ip_net net = { .base = ip, .prefix_bits = (uint8_t)bits };
    clear_behind(&net.base, net.prefix_bits);
    if (!ip_eq(&net.base, &ip)) return ERR_INVALID;
    *net_out = net;
    return OK;
}

static bool net_is_v4(const struct ip_net *net)
{
    return net->prefix_bits >= V4_PREFIX_BITS && ip_is_v4(&net->base);
}

void ip_net_put(struct buf *b, const struct ip_net *net)
{
    ip_put(b, &net->base);
    buf_put_byte(b, '/');
    buf_put_u64(b, net_is_v4(net) ? net->prefix_bits - (unsigned)V4_PREFIX_BITS : net->prefix_bits);
}

bool ip_net_has(const struct ip_net *net, const struct ip_addr *ip)
{
    if (net_is_v4(net) != ip_is_v4(ip)) return false;
    struct ip_addr base = *ip;
    clear_behind(&base, net->prefix_bits);
    return ip_eq(&base, &net->base);
}

struct ip_net ip_net_around(const struct ip_addr *ip, unsigned v4_bits, unsigned v6_bits)
{
    if (v4_bits > 32) v4_bits = 32;
    if (v6_bits > 128) v6_bits = 128;
    unsigned bits = ip_is_v4(ip) ? V4_PREFIX_BITS + v4_bits : v6_bits;
    struct ip_net net = { .base = *ip, .prefix_bits = (uint8_t)bits };
    clear_behind(&net.base, bits);
    return net;
}
