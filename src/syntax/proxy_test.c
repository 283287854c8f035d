#include "base/unit.h"

#include "syntax/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      "\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0\x19"

/* Each good header is also fed byte by byte: ERR_AGAIN until it is whole. */
static const struct {
    const char *name;
    struct str in;
    struct str want; /* "from port > to port", or "local" */
    size_t used;
    enum err e;
} cases[] = {
    { "TCP4", STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.9 4711 25\r\nEHLO"),
      STR_INIT("192.0.2.1 4711 > 192.0.2.9 25"), 40, OK },
    { "TCP6", STR_INIT("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n"),
      STR_INIT("2001:db8::1 65535 > ::1 0"), 36, OK },
    { "UNKNOWN", STR_INIT("PROXY UNKNOWN\r\n"), STR_INIT("local"), 15, OK },
    { "UNKNOWN with more", STR_INIT("PROXY UNKNOWN a b c\r\n"), STR_INIT("local"), 21, OK },
    { "the longest",
      STR_INIT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      STR_INIT("local"), 107, OK },
    { "longer than that",
      STR_INIT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655350\r\n"),
      STR_INIT(""), 0, ERR_SYNTAX },
    { "SMTP", STR_INIT("EHLO a\r\n"), STR_INIT(""), 0, ERR_SYNTAX },
    { "small letters", STR_INIT("proxy TCP4"), STR_INIT(""), 0, ERR_SYNTAX },
    { "UDP4", STR_INIT("PROXY UDP4 192.0.2.1 192.0.2.9 1 2\r\n"), STR_INIT(""), 0, ERR_SYNTAX },
    { "bare LF", STR_INIT("PROXY UNKNOWN\n"), STR_INIT(""), 0, ERR_SYNTAX },
    { "control byte", STR_INIT("PROXY UNKNOWN\0"), STR_INIT(""), 0, ERR_SYNTAX },
    { "CR and no LF", STR_INIT("PROXY UNKNOWN\rx"), STR_INIT(""), 0, ERR_SYNTAX },
    { "families mixed", STR_INIT("PROXY TCP4 2001:db8::1 192.0.2.9 1 2\r\n"), STR_INIT(""), 0,
      ERR_SYNTAX },
    { "port too large", STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.9 65536 2\r\n"), STR_INIT(""), 0,
      ERR_SYNTAX },
    { "port with a zero in front", STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.9 01 2\r\n"),
      STR_INIT(""), 0, ERR_SYNTAX },
    { "two spaces", STR_INIT("PROXY TCP4  192.0.2.1 192.0.2.9 1 2\r\n"), STR_INIT(""), 0,
      ERR_SYNTAX },
    { "word too many", STR_INIT("PROXY TCP4 192.0.2.1 192.0.2.9 1 2 3\r\n"), STR_INIT(""), 0,
      ERR_SYNTAX },

    { "v2 TCP4", STR_INIT(SIGNATURE TCP4 "EHLO"), STR_INIT("192.0.2.1 4711 > 192.0.2.9 25"), 28,
      OK },
    { "v2 TCP6",
      STR_INIT(SIGNATURE "\x21\x21\0\x24"
                         " \x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                         "\0\x01\0\x02"),
      STR_INIT("2001:db8::1 1 > ::1 2"), 52, OK },
    { "v2 LOCAL", STR_INIT(SIGNATURE "\x20\0\0\0"), STR_INIT("local"), 16, OK },
    { "v2 LOCAL with something",
      STR_INIT(SIGNATURE "\x20\x11\0\x03"
                         "abc"),
      STR_INIT("local"), 19, OK },
    { "v2 without a family", STR_INIT(SIGNATURE "\x21\0\0\0"), STR_INIT("local"), 16, OK },
    { "v2 UDP", STR_INIT(SIGNATURE "\x21\x12\0\0"), STR_INIT(""), 0, ERR_UNSUPPORTED },
    { "v2 local socket", STR_INIT(SIGNATURE "\x21\x31\0\0"), STR_INIT(""), 0, ERR_UNSUPPORTED },
    { "v2 other version", STR_INIT(SIGNATURE "\x11"), STR_INIT(""), 0, ERR_SYNTAX },
    { "v2 other command", STR_INIT(SIGNATURE "\x22"), STR_INIT(""), 0, ERR_SYNTAX },
    { "v2 broken signature", STR_INIT("\r\n\r\n\r"), STR_INIT(""), 0, ERR_SYNTAX },
    { "v2 addresses cut",
      STR_INIT(SIGNATURE "\x21\x11\0\x0b\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0"), STR_INIT(""), 0,
      ERR_SYNTAX },
    { "v2 too long", STR_INIT(SIGNATURE "\x21\x11\x0f\xf1"), STR_INIT(""), 0, ERR_LIMIT },
    { "v2 with a checksum",
      STR_INIT(SIGNATURE "\x21\x11\0\x13\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0\x19"
                         "\x03\0\x04\x6a\x3c\x6d\x66"),
      STR_INIT("192.0.2.1 4711 > 192.0.2.9 25"), 35, OK },
    { "v2 with a wrong checksum",
      STR_INIT(SIGNATURE "\x21\x11\0\x13\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0\x19"
                         "\x03\0\x04\x6a\x3c\x6d\x67"),
      STR_INIT(""), 0, ERR_SYNTAX },
    { "v2 with a cut TLV",
      STR_INIT(SIGNATURE "\x21\x11\0\x10\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0"
                         "\x19\x02\0\x02"
                         "a"),
      STR_INIT(""), 0, ERR_SYNTAX },
};

static enum err parse(struct str in, struct buf *b, size_t *used)
{
    struct proxy p;
    enum err e = proxy_parse(in, &p, used);
    buf_clear(b);
    if (e != OK) return e;
    if (p.local) {
        buf_put_lit(b, "local");
        return OK;
    }
    ip_put(b, &p.from);
    buf_put_byte(b, ' ');
    buf_put_u64(b, p.from_port);
    buf_put_lit(b, " > ");
    ip_put(b, &p.to);
    buf_put_byte(b, ' ');
    buf_put_u64(b, p.to_port);
    return OK;
}

static void headers_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf b = BUF_INIT(200);
        size_t used = 0;
        unit_case(cases[i].name);
        assert_int_equal(parse(cases[i].in, &b, &used), cases[i].e);
        assert_int_equal(used, cases[i].used);
        assert_str(buf_str(&b), cases[i].want);
        for (size_t n = 0; n < cases[i].used; n++) {
            assert_int_equal(parse(str_part(cases[i].in, 0, n), &b, &used), ERR_AGAIN);
        }
        buf_free(&b);
    }
}

static void extras_are_read(void **state)
{
    (void)state;
    struct proxy p;
    size_t used;
    struct str in = STR(SIGNATURE "\x21\x11\0\x3c\xc0\0\x02\x01\xc0\0\x02\x09\x12\x67\0\x19"
                                  "\x01\0\x04smtp"
                                  "\x02\0\x06mx.org"
                                  "\x04\0\x01z"
                                  "\x05\0\x02id"
                                  "\x20\0\x14\x05\0\0\0\0"
                                  "\x21\0\x07TLSv1.3"
                                  "\x22\0\x02me");
    assert_int_equal(proxy_parse(in, &p, &used), OK);
    assert_int_equal(used, in.n);
    assert_str(p.alpn, STR("smtp"));
    assert_str(p.authority, STR("mx.org"));
    assert_str(p.unique_id, STR("id"));
    assert_true(p.tls);
    assert_true(p.certificate);
    assert_str(p.tls_version, STR("TLSv1.3"));
    assert_str(p.tls_name, STR("me"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_parsed),
        cmocka_unit_test(extras_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
