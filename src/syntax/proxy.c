#include "syntax/proxy.h"
#include "base/wire.h"
#include "syntax/scan.h"

static const struct str v1_signature = STR_INIT("PROXY ");
static const struct str v2_signature = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { FAMILY_NONE = 0x00, FAMILY_TCP4 = 0x11, FAMILY_TCP6 = 0x21 };
enum {
    TLV_ALPN = 0x01,
    TLV_AUTHORITY = 0x02,
    TLV_CRC32C = 0x03,
    TLV_UNIQUE_ID = 0x05,
    TLV_TLS = 0x20,
    TLV_TLS_VERSION = 0x21,
    TLV_TLS_NAME = 0x22,
};
enum { CLIENT_TLS = 1, CLIENT_CERTIFICATE = 2 | 4, UNIQUE_ID_MAX = 128 };

static bool take_port(struct scan *s, char end, uint16_t *port_out)
{
    struct str digits = scan_until(s, end);
    uint64_t port;
    if (digits.n > 1 && str_starts(digits, STR("0"))) return false;
    if (str_to_u64(digits, UINT16_MAX, &port) != OK) return false;
    *port_out = (uint16_t)port;
    return true;
}

/* "TCP4 192.0.2.1 192.0.2.2 4711 25": everything behind the signature. */
static bool parse_v1_line(struct str line, struct proxy *p)
{
    struct scan s = scan_of(line);
    struct str family = scan_until(&s, ' ');
    enum err (*parse)(struct str, struct ip_addr *) = ip6_parse;

    if (str_eq(family, STR("UNKNOWN"))) {
        p->local = true;
        return true;
    }
    if (str_eq(family, STR("TCP4"))) parse = ip4_parse;
    if (parse == ip6_parse && !str_eq(family, STR("TCP6"))) return false;
    return scan_byte(&s, ' ') && parse(scan_until(&s, ' '), &p->from) == OK && scan_byte(&s, ' ') &&
           parse(scan_until(&s, ' '), &p->to) == OK && scan_byte(&s, ' ') &&
           take_port(&s, ' ', &p->from_port) && scan_byte(&s, ' ') &&
           take_port(&s, ' ', &p->to_port) && scan_end(&s);
}

static enum err parse_v1(struct str bytes, struct proxy *p, size_t *used_out)
{
    struct str near = str_part(bytes, 0, PROXY_V1_MAX);
    size_t lf = str_find(near, '\n');

    if (lf == STR_NOWHERE) {
        bool may_go_on =
            bytes.n < PROXY_V1_MAX && str_all(str_part(near, 0, near.n - 1), BYTE_PRINT);
        bool last =
            may_go_on && (byte_is(near.p[near.n - 1], BYTE_PRINT) || str_ends(near, STR("\r")));
        return last ? ERR_AGAIN : ERR_SYNTAX;
    }
    struct str line = str_part(near, 0, lf);
    if (!str_ends(line, STR("\r"))) return ERR_SYNTAX;
    line.n--;
    if (!str_all(line, BYTE_PRINT)) return ERR_SYNTAX;
    p->version = 1;
    if (!parse_v1_line(str_skip(line, v1_signature.n), p)) return ERR_SYNTAX;
    *used_out = lf + 1;
    return OK;
}

/* Castagnoli's CRC-32 over the header, with the four bytes of the checksum at `hole` as zero. */
static uint32_t crc32c(struct str header, size_t hole)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < header.n; i++) {
        crc ^= i - hole < 4 ? 0u : (unsigned char)header.p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
        }
    }
    return ~crc;
}

static bool take_tlv(struct wire *w, unsigned *type_out, struct str *value_out)
{
    *type_out = wire_get_u8(w);
    *value_out = wire_get_bytes(w, wire_get_u16(w));
    return !w->bad;
}

static bool parse_tls(struct str value, struct proxy *p)
{
    struct wire w = wire_of(value);
    unsigned client = wire_get_u8(&w), type;
    uint32_t verify = wire_get_u32(&w);
    struct str part;

    if (w.bad) return false;
    p->tls = (client & CLIENT_TLS) != 0;
    p->certificate = p->tls && (client & CLIENT_CERTIFICATE) != 0 && verify == 0;
    while (w.left.n > 0) {
        if (!take_tlv(&w, &type, &part)) return false;
        if (type == TLV_TLS_VERSION) p->tls_version = part;
        if (type == TLV_TLS_NAME) p->tls_name = part;
    }
    return true;
}

static bool parse_tlv(unsigned type, struct str value, struct str header, size_t at,
                      struct proxy *p)
{
    struct wire w = wire_of(value);
    switch (type) {
    case TLV_ALPN:
        p->alpn = value;
        return true;
    case TLV_AUTHORITY:
        p->authority = value;
        return true;
    case TLV_UNIQUE_ID:
        p->unique_id = value;
        return value.n <= UNIQUE_ID_MAX;
    case TLV_CRC32C:
        return value.n == 4 && wire_get_u32(&w) == crc32c(header, at);
    case TLV_TLS:
        return parse_tls(value, p);
    default:
        return true;
    }
}

/* What stands behind the addresses. */
static bool parse_tlvs(struct str header, struct wire *w, struct proxy *p)
{
    while (w->left.n > 0) {
        unsigned type;
        struct str value;
        if (!take_tlv(w, &type, &value)) return false;
        if (!parse_tlv(type, value, header, header.n - w->left.n - value.n, p)) return false;
    }
    return true;
}

static enum err parse_v2_addresses(unsigned family, struct wire *w, struct proxy *p)
{
    if (family == FAMILY_NONE) {
        p->local = true;
        return OK;
    }
    if (family != FAMILY_TCP4 && family != FAMILY_TCP6) return ERR_UNSUPPORTED;
    size_t n = family == FAMILY_TCP4 ? 4 : 16;
    struct str from = wire_get_bytes(w, n), to = wire_get_bytes(w, n);
    p->from_port = wire_get_u16(w);
    p->to_port = wire_get_u16(w);
    if (w->bad || ip_from_bytes(from, &p->from) != OK) return ERR_SYNTAX;
    return ip_from_bytes(to, &p->to);
}

static enum err parse_v2(struct str bytes, struct proxy *p, size_t *used_out)
{
    struct wire w = wire_of(str_skip(bytes, v2_signature.n));
    if (bytes.n > v2_signature.n) {
        unsigned command = (unsigned char)bytes.p[v2_signature.n];
        if (command != COMMAND_LOCAL && command != COMMAND_PROXY) return ERR_SYNTAX;
    }
    if (bytes.n < PROXY_V2_MIN) return ERR_AGAIN;
    unsigned command = wire_get_u8(&w), family = wire_get_u8(&w);
    size_t header_bytes = PROXY_V2_MIN + (size_t)wire_get_u16(&w);
    if (header_bytes > PROXY_MAX) return ERR_LIMIT;
    if (bytes.n < header_bytes) return ERR_AGAIN;

    struct str header = str_part(bytes, 0, header_bytes);
    w = wire_of(str_skip(header, PROXY_V2_MIN));
    p->version = 2;
    p->local = command == COMMAND_LOCAL;
    if (!p->local) {
        enum err e = parse_v2_addresses(family, &w, p);
        if (e != OK) return e;
    }
    /* Without a family nothing tells where TLVs begin; they are skipped, as with LOCAL. */
    if (!p->local && !parse_tlvs(header, &w, p)) return ERR_SYNTAX;
    *used_out = header_bytes;
    return OK;
}

/* Do the bytes so far fit the signature? */
static bool fits(struct str bytes, struct str signature)
{
    return str_eq(str_part(bytes, 0, signature.n), str_part(signature, 0, bytes.n));
}

enum err proxy_parse(struct str bytes, struct proxy *proxy_out, size_t *used_out)
{
    struct proxy p = { 0 };
    size_t used = 0;
    enum err e = ERR_SYNTAX;

    if (bytes.n == 0) return ERR_AGAIN;
    if (fits(bytes, v1_signature)) {
        e = bytes.n > v1_signature.n ? parse_v1(bytes, &p, &used) : ERR_AGAIN;
    } else if (fits(bytes, v2_signature)) {
        e = parse_v2(bytes, &p, &used);
    }
    if (e != OK) return e;
    *proxy_out = p;
    *used_out = used;
    return OK;
}
