#include "base/unit.h"

#include "syntax/address.h"

#define LOCAL64 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"
#define LABEL60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define U       ADDRESS_UTF8

/* Whole paths: what they are written as again, or what is wrong and where. */
static const struct {
    const char *name;
    struct str in, want;
    enum address_fault fault;
    size_t at; /* of the fault, or what stays untaken */
    unsigned options;
} paths[] = {
    { "plain", STR_INIT("<ann@example.org>"), STR_INIT("<ann@example.org>"), 0, 17 },
    { "the rest stays", STR_INIT("<ann@example.org> SIZE=1"), STR_INIT("<ann@example.org>"), 0,
      17 },
    { "case of the local part stays", STR_INIT("<Ann.Bee+X@Example.ORG>"),
      STR_INIT("<Ann.Bee+X@example.org>"), 0, 23 },
    { "all of atext", STR_INIT("<!#$%&'*+-/=?^_`{|}~0@a>"), STR_INIT("<!#$%&'*+-/=?^_`{|}~0@a>"), 0,
      24 },
    { "null", STR_INIT("<>"), STR_INIT("<>"), 0, 2, ADDRESS_NULL },
    { "null where none may be", STR_INIT("<>"), STR_INIT(""), ADDRESS_FAULT_EMPTY, 2 },
    { "postmaster", STR_INIT("<PostMaster>"), STR_INIT("<PostMaster>"), 0, 12, ADDRESS_POSTMASTER },
    { "postmaster where it may not stand alone", STR_INIT("<postmaster>"), STR_INIT(""),
      ADDRESS_FAULT_NO_DOMAIN, 11 },
    { "others may not stand alone", STR_INIT("<ann>"), STR_INIT(""), ADDRESS_FAULT_NO_DOMAIN, 4,
      ADDRESS_POSTMASTER },
    { "quoted", STR_INIT("<\"ann bee\"@a.org>"), STR_INIT("<\"ann bee\"@a.org>"), 0, 17 },
    { "quoted without need", STR_INIT("<\"ann.bee\"@a.org>"), STR_INIT("<ann.bee@a.org>"), 0, 17 },
    { "quoted pairs", STR_INIT("<\"a\\n\\\"\\\\\\@\"@a>"), STR_INIT("<\"an\\\"\\\\@\"@a>"), 0, 15 },
    { "quoted, empty", STR_INIT("<\"\"@a>"), STR_INIT("<\"\"@a>"), 0, 6 },
    { "quoted dots", STR_INIT("<\".a..b.\"@a>"), STR_INIT("<\".a..b.\"@a>"), 0, 12 },
    { "quote stays open", STR_INIT("<\"ann@a>"), STR_INIT(""), ADDRESS_FAULT_QUOTE, 8 },
    { "backslash at the end", STR_INIT("<\"ann\\"), STR_INIT(""), ADDRESS_FAULT_QUOTE, 6 },
    { "control byte in quotes", STR_INIT("<\"a\tb\"@a>"), STR_INIT(""), ADDRESS_FAULT_QUOTE, 3 },
    { "NUL in quotes", STR_INIT("<\"a\0b\"@a>"), STR_INIT(""), ADDRESS_FAULT_QUOTE, 3 },
    { "quoted NUL", STR_INIT("<\"a\\\0b\"@a>"), STR_INIT(""), ADDRESS_FAULT_QUOTE, 4 },
    { "atom behind quotes", STR_INIT("<\"a\"b@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 4 },
    { "two dots", STR_INIT("<a..b@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 3 },
    { "leading dot", STR_INIT("<.a@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 1 },
    { "trailing dot", STR_INIT("<a.@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 3 },
    { "no local part", STR_INIT("<@a>"), STR_INIT(""), ADDRESS_FAULT_ROUTE, 3 },
    { "space", STR_INIT("<a b@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 2 },
    { "parentheses", STR_INIT("<a(b)@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 2 },
    { "two at signs", STR_INIT("<a@b@c>"), STR_INIT(""), ADDRESS_FAULT_CLOSE, 4 },
    { "bracket missing at the end", STR_INIT("<a@b"), STR_INIT(""), ADDRESS_FAULT_CLOSE, 4 },
    { "bracket missing at the front", STR_INIT("a@b>"), STR_INIT(""), ADDRESS_FAULT_OPEN, 0 },
    { "nothing", STR_INIT(""), STR_INIT(""), ADDRESS_FAULT_EMPTY, 0 },
    { "bracket alone", STR_INIT("<"), STR_INIT(""), ADDRESS_FAULT_EMPTY, 1 },
    { "no brackets, tolerated", STR_INIT("ann@a.org SIZE=1"), STR_INIT("<ann@a.org>"), 0, 9,
      ADDRESS_NO_BRACKETS },
    { "local part of 64", STR_INIT("<" LOCAL64 "@a>"), STR_INIT("<" LOCAL64 "@a>"), 0, 68 },
    { "local part of 65", STR_INIT("<" LOCAL64 "x@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL_LONG,
      65 },
    { "local part of 65, tolerated", STR_INIT("<" LOCAL64 "x@a>"), STR_INIT("<" LOCAL64 "x@a>"), 0,
      69, ADDRESS_LONG_LOCAL },
    { "path of 256", STR_INIT("<" LOCAL64 "@" LABEL60 "." LABEL60 "." LABEL60 ".abcdef>"),
      STR_INIT("<" LOCAL64 "@" LABEL60 "." LABEL60 "." LABEL60 ".abcdef>"), 0, 256 },
    { "path of 257", STR_INIT("<" LOCAL64 "@" LABEL60 "." LABEL60 "." LABEL60 ".abcdefg>"),
      STR_INIT(""), ADDRESS_FAULT_LONG, 257 },
    { "domain is folded only, not judged by case", STR_INIT("<a@XN--bcher-KVA.de>"),
      STR_INIT("<a@xn--bcher-kva.de>"), 0, 20 },
    { "bad domain", STR_INIT("<a@-b>"), STR_INIT(""), ADDRESS_FAULT_DOMAIN, 3 },
    { "domain with trailing dot", STR_INIT("<a@b.>"), STR_INIT(""), ADDRESS_FAULT_DOMAIN, 3 },
    { "domain missing", STR_INIT("<a@>"), STR_INIT(""), ADDRESS_FAULT_DOMAIN, 3 },
    { "bad A-label", STR_INIT("<a@xn--a>"), STR_INIT(""), ADDRESS_FAULT_IDNA, 3 },
    { "underscore", STR_INIT("<a@b_c.org>"), STR_INIT(""), ADDRESS_FAULT_DOMAIN, 3 },
    { "underscore, tolerated", STR_INIT("<a@b_c.org>"), STR_INIT("<a@b_c.org>"), 0, 11,
      ADDRESS_UNDERSCORE },
    { "label of 64", STR_INIT("<a@" LOCAL64 ".org>"), STR_INIT(""), ADDRESS_FAULT_DOMAIN_LONG, 3 },
    { "IPv4 literal", STR_INIT("<a@[192.0.2.1]>"), STR_INIT("<a@[192.0.2.1]>"), 0, 15 },
    { "IPv4 literal with zeros", STR_INIT("<a@[192.000.002.010]>"), STR_INIT("<a@[192.0.2.10]>"), 0,
      21 },
    { "IPv4 literal, too large", STR_INIT("<a@[192.0.2.256]>"), STR_INIT(""), ADDRESS_FAULT_LITERAL,
      3 },
    { "IPv4 literal, four digits", STR_INIT("<a@[192.0.2.0001]>"), STR_INIT(""),
      ADDRESS_FAULT_LITERAL, 3 },
    { "IPv6 literal", STR_INIT("<a@[ipv6:2001:DB8::1]>"), STR_INIT("<a@[IPv6:2001:db8::1]>"), 0,
      22 },
    { "IPv6 literal of an IPv4 address", STR_INIT("<a@[IPv6:::ffff:192.0.2.1]>"),
      STR_INIT("<a@[192.0.2.1]>"), 0, 27 },
    { "IPv6 literal, bad", STR_INIT("<a@[IPv6:1::2::3]>"), STR_INIT(""), ADDRESS_FAULT_LITERAL, 3 },
    { "IPv6 without its tag", STR_INIT("<a@[2001:db8::1]>"), STR_INIT("<a@[2001:db8::1]>"), 0, 17 },
    { "general literal", STR_INIT("<a@[x-y:any!thing]>"), STR_INIT("<a@[x-y:any!thing]>"), 0, 19 },
    { "general literal without a tag", STR_INIT("<a@[:x]>"), STR_INIT(""), ADDRESS_FAULT_LITERAL,
      3 },
    { "general literal without content", STR_INIT("<a@[x:]>"), STR_INIT(""), ADDRESS_FAULT_LITERAL,
      3 },
    { "empty literal", STR_INIT("<a@[]>"), STR_INIT(""), ADDRESS_FAULT_LITERAL, 3 },
    { "literal stays open", STR_INIT("<a@[1.2.3.4>"), STR_INIT(""), ADDRESS_FAULT_LITERAL, 12 },
    { "source route", STR_INIT("<@a.org,@b.org:ann@c.org>"), STR_INIT("<ann@c.org>"), 0, 25 },
    { "source route without a colon", STR_INIT("<@a.org,@b.org>"), STR_INIT(""),
      ADDRESS_FAULT_ROUTE, 14 },
    { "source route with a comma too many", STR_INIT("<@a.org,:ann@c.org>"), STR_INIT(""),
      ADDRESS_FAULT_ROUTE, 8 },
    { "source route to nobody", STR_INIT("<@a.org:>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 8 },
    { "UTF-8 local part", STR_INIT("<j\xc3\xb6rg@a>"), STR_INIT("<j\xc3\xb6rg@a>"), 0, 9, U },
    { "UTF-8 in quotes", STR_INIT("<\"j\xc3\xb6 g\"@a>"), STR_INIT("<\"j\xc3\xb6 g\"@a>"), 0, 11,
      U },
    { "UTF-8 quotes without need", STR_INIT("<\"j\xc3\xb6g\"@a>"), STR_INIT("<j\xc3\xb6g@a>"), 0,
      10, U },
    { "UTF-8 domain",
      STR_INIT("<a@b\xc3\xbc"
               "cher.de>"),
      STR_INIT("<a@xn--bcher-kva.de>"), 0, 14, U },
    { "UTF-8 undeclared", STR_INIT("<j\xc3\xb6rg@a>"), STR_INIT(""), ADDRESS_FAULT_NOT_ASCII, 2 },
    { "UTF-8 undeclared in the domain", STR_INIT("<a@\xc3\xb6>"), STR_INIT(""),
      ADDRESS_FAULT_NOT_ASCII, 3 },
    { "overlong UTF-8", STR_INIT("<a\xc0\xafz@a>"), STR_INIT(""), ADDRESS_FAULT_UTF8, 2, U },
    { "cut UTF-8", STR_INIT("<a\xe2\x82@a>"), STR_INIT(""), ADDRESS_FAULT_UTF8, 2, U },
    { "C1 control", STR_INIT("<a\xc2\x85@a>"), STR_INIT(""), ADDRESS_FAULT_UTF8, 2, U },
    { "quoted pair with UTF-8", STR_INIT("<\"\\\xc3\xb6\"@a>"), STR_INIT(""), ADDRESS_FAULT_QUOTE,
      3, U },
    { "line break", STR_INIT("<a\r\n@a>"), STR_INIT(""), ADDRESS_FAULT_LOCAL, 2 },
};

static void paths_are_parsed_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(paths); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(1000);
        struct scan s = scan_of(paths[i].in);
        struct path path = { .text = STR("untouched") };
        unit_case(paths[i].name);
        enum address_fault fault = path_parse(&s, paths[i].options, &a, &path);
        assert_string_equal(address_fault_words(fault), address_fault_words(paths[i].fault));
        assert_int_equal(paths[i].in.n - s.left.n, paths[i].at);
        if (fault == ADDRESS_FINE) {
            path_write(&b, &path);
            assert_str(path.text, str_part(paths[i].in, 0, paths[i].at));
        } else {
            assert_str(path.text, STR("untouched"));
        }
        assert_str(buf_str(&b), paths[i].want);
        buf_free(&b);
        arena_free(&a);
    }
}

static void meaning_is_found(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct path p;
    struct scan s = scan_of(STR("<@A.org,@b.org:\"J\xc3\xb6 \\\"x\"@B\xc3\xbc"
                                "cher.de>"));
    assert_int_equal(path_parse(&s, ADDRESS_UTF8, &a, &p), ADDRESS_FINE);
    assert_str(p.route, STR("@A.org,@b.org"));
    assert_str(p.address.local, STR("J\xc3\xb6 \"x"));
    assert_str(p.address.domain, STR("xn--bcher-kva.de"));
    assert_str(p.address.domain_shown, STR("B\xc3\xbc"
                                           "cher.de"));
    assert_true(p.address.local_utf8);
    assert_true(p.address.domain_utf8);
    assert_int_equal(p.address.kind, ADDRESS_DOMAIN);

    s = scan_of(STR("<a@[IPv6:2001:db8::7]>"));
    assert_int_equal(path_parse(&s, 0, &a, &p), ADDRESS_FINE);
    assert_int_equal(p.address.kind, ADDRESS_IPV6);
    assert_int_equal(p.address.ip.bytes[15], 7);
    assert_false(p.address.local_utf8);
    arena_free(&a);
}

static const struct {
    const char *name;
    struct str in;
    enum address_fault fault;
    size_t at;
    unsigned options;
} bare[] = {
    { "address", STR_INIT("ann@example.org"), 0, 0 },
    { "alone", STR_INIT("ann"), 0, 0, ADDRESS_ANY_BARE },
    { "alone where it may not", STR_INIT("ann"), ADDRESS_FAULT_NO_DOMAIN, 3 },
    { "brackets", STR_INIT("<ann@example.org>"), ADDRESS_FAULT_LOCAL, 0 },
    { "trailing space", STR_INIT("ann@example.org "), ADDRESS_FAULT_TRAILING, 15 },
    { "trailing space behind a bare one", STR_INIT("ann "), ADDRESS_FAULT_LOCAL, 3,
      ADDRESS_ANY_BARE },
    { "empty", STR_INIT(""), ADDRESS_FAULT_EMPTY, 0 },
    { "254 bytes", STR_INIT(LOCAL64 "@" LABEL60 "." LABEL60 "." LABEL60 ".abcdef"), 0, 0 },
    { "255 bytes", STR_INIT(LOCAL64 "@" LABEL60 "." LABEL60 "." LABEL60 ".abcdefg"),
      ADDRESS_FAULT_LONG, 255 },
};

static void bare_addresses_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(bare); i++) {
        struct arena a = ARENA_INIT(0);
        struct mail_address address;
        size_t at = 0;
        unit_case(bare[i].name);
        assert_int_equal(address_parse(bare[i].in, bare[i].options, &a, &address, &at),
                         bare[i].fault);
        assert_int_equal(at, bare[i].at);
        arena_free(&a);
    }
}

static void spelling_does_not_matter(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct mail_address x, y;
    assert_int_equal(address_parse(STR("\"ann\"@EXAMPLE.org"), 0, &a, &x, NULL), ADDRESS_FINE);
    assert_int_equal(address_parse(STR("ann@example.ORG"), 0, &a, &y, NULL), ADDRESS_FINE);
    assert_true(address_eq(&x, &y));
    assert_int_equal(address_parse(STR("Ann@example.ORG"), 0, &a, &y, NULL), ADDRESS_FINE);
    assert_false(address_eq(&x, &y));
    assert_int_equal(address_literal_parse(STR("[127.0.0.1]"), &a, &x), ADDRESS_FINE);
    assert_int_equal(x.kind, ADDRESS_IPV4);
    assert_int_equal(address_literal_parse(STR("[127.0.0.1] "), &a, &x), ADDRESS_FAULT_TRAILING);
    assert_int_equal(address_literal_parse(STR("127.0.0.1"), &a, &x), ADDRESS_FAULT_LITERAL);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_parsed_and_written),
        cmocka_unit_test(meaning_is_found),
        cmocka_unit_test(bare_addresses_are_parsed),
        cmocka_unit_test(spelling_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
