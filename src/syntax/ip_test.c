#include "base/unit.h"

#include "syntax/ip.h"

/* What a text is written as after parsing; empty: refused. */
static const struct {
    const char *name;
    struct str in, want;
} addresses[] = {
    { "quad", STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1") },
    { "quad, largest", STR_INIT("255.255.255.255"), STR_INIT("255.255.255.255") },
    { "quad, three numbers", STR_INIT("192.0.2"), STR_INIT("") },
    { "quad, five numbers", STR_INIT("192.0.2.1.1"), STR_INIT("") },
    { "quad, 256", STR_INIT("192.0.2.256"), STR_INIT("") },
    { "quad, octal", STR_INIT("192.0.2.010"), STR_INIT("") },
    { "quad, hexadecimal", STR_INIT("0xc0.0.2.1"), STR_INIT("") },
    { "quad, empty number", STR_INIT("192..2.1"), STR_INIT("") },
    { "quad, dot behind", STR_INIT("192.0.2.1."), STR_INIT("") },
    { "quad, long number", STR_INIT("192.0.2.0000000001"), STR_INIT("") },
    { "quad with a NUL", STR_INIT("192.0.2.1\0"), STR_INIT("") },
    { "full", STR_INIT("2001:DB8:0:1:2:3:4:5"), STR_INIT("2001:db8:0:1:2:3:4:5") },
    { "any", STR_INIT("::"), STR_INIT("::") },
    { "loopback", STR_INIT("::1"), STR_INIT("::1") },
    { "gap at the end", STR_INIT("2001:db8::"), STR_INIT("2001:db8::") },
    { "gap inside", STR_INIT("2001:db8::1"), STR_INIT("2001:db8::1") },
    { "leading zeros", STR_INIT("2001:0db8::0001"), STR_INIT("2001:db8::1") },
    { "gap of one group is written out", STR_INIT("1:2:3::5:6:7:8"), STR_INIT("1:2:3:0:5:6:7:8") },
    { "first of two equal runs", STR_INIT("1:0:0:2:0:0:3:4"), STR_INIT("1::2:0:0:3:4") },
    { "longer run wins", STR_INIT("1:0:0:2:0:0:0:3"), STR_INIT("1:0:0:2::3") },
    { "quad at the end", STR_INIT("64:ff9b::192.0.2.33"), STR_INIT("64:ff9b::c000:221") },
    { "quad behind six groups", STR_INIT("1:2:3:4:5:6:1.2.3.4"), STR_INIT("1:2:3:4:5:6:102:304") },
    { "mapped is IPv4", STR_INIT("::ffff:192.0.2.1"), STR_INIT("192.0.2.1") },
    { "mapped in groups", STR_INIT("::ffff:c000:201"), STR_INIT("192.0.2.1") },
    { "two gaps", STR_INIT("1::2::3"), STR_INIT("") },
    { "gap for nothing", STR_INIT("1:2:3:4::5:6:7:8"), STR_INIT("") },
    { "three colons", STR_INIT("1:::2"), STR_INIT("") },
    { "colon at the front", STR_INIT(":1:2:3:4:5:6:7"), STR_INIT("") },
    { "colon at the end", STR_INIT("1:2:3:4:5:6:7:"), STR_INIT("") },
    { "nine groups", STR_INIT("1:2:3:4:5:6:7:8:9"), STR_INIT("") },
    { "seven groups", STR_INIT("1:2:3:4:5:6:7"), STR_INIT("") },
    { "five digits", STR_INIT("12345::"), STR_INIT("") },
    { "quad in the middle", STR_INIT("::1.2.3.4:5"), STR_INIT("") },
    { "quad too late", STR_INIT("1:2:3:4:5:6:7:1.2.3.4"), STR_INIT("") },
    { "zone", STR_INIT("fe80::1%eth0"), STR_INIT("") },
    { "foreign letter", STR_INIT("2001:dbg::"), STR_INIT("") },
    { "empty", STR_INIT(""), STR_INIT("") },
    { "one colon", STR_INIT(":"), STR_INIT("") },
};

static void addresses_are_parsed_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(addresses); i++) {
        struct buf b = BUF_INIT(IP_TEXT_MAX);
        struct ip_addr ip;
        unit_case(addresses[i].name);
        enum err e = ip_parse(addresses[i].in, &ip);
        assert_int_equal(e, addresses[i].want.n > 0 ? OK : ERR_SYNTAX);
        if (e == OK) ip_put(&b, &ip);
        assert_str(buf_str(&b), addresses[i].want);
        buf_free(&b);
    }
}

static const struct {
    const char *name;
    struct str in, want;
    enum err e;
} nets[] = {
    { "IPv4", STR_INIT("10.0.0.0/8"), STR_INIT("10.0.0.0/8"), OK },
    { "IPv4, odd prefix", STR_INIT("10.128.0.0/9"), STR_INIT("10.128.0.0/9"), OK },
    { "IPv4, all", STR_INIT("0.0.0.0/0"), STR_INIT("0.0.0.0/0"), OK },
    { "IPv4, alone", STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1/32"), OK },
    { "IPv6", STR_INIT("2001:db8::/32"), STR_INIT("2001:db8::/32"), OK },
    { "IPv6, all", STR_INIT("::/0"), STR_INIT("::/0"), OK },
    { "IPv6, alone", STR_INIT("::1"), STR_INIT("::1/128"), OK },
    { "bits behind the prefix", STR_INIT("10.0.0.1/8"), STR_INIT(""), ERR_INVALID },
    { "bits behind the prefix, IPv6", STR_INIT("2001:db8::1/64"), STR_INIT(""), ERR_INVALID },
    { "prefix too long", STR_INIT("10.0.0.0/33"), STR_INIT(""), ERR_RANGE },
    { "prefix too long, IPv6", STR_INIT("::/129"), STR_INIT(""), ERR_RANGE },
    { "no prefix", STR_INIT("10.0.0.0/"), STR_INIT(""), ERR_SYNTAX },
    { "leading zero", STR_INIT("10.0.0.0/08"), STR_INIT(""), ERR_SYNTAX },
    { "sign", STR_INIT("10.0.0.0/+8"), STR_INIT(""), ERR_SYNTAX },
    { "no address", STR_INIT("/8"), STR_INIT(""), ERR_SYNTAX },
    { "two prefixes", STR_INIT("10.0.0.0/8/8"), STR_INIT(""), ERR_SYNTAX },
};

static void networks_are_parsed_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(nets); i++) {
        struct buf b = BUF_INIT(IP_NET_TEXT_MAX);
        struct ip_net net;
        unit_case(nets[i].name);
        enum err e = ip_net_parse(nets[i].in, &net);
        assert_int_equal(e, nets[i].e);
        if (e == OK) ip_net_put(&b, &net);
        assert_str(buf_str(&b), nets[i].want);
        buf_free(&b);
    }
}

static const struct {
    struct str net, ip;
    bool has;
} matches[] = {
    { STR_INIT("10.0.0.0/8"), STR_INIT("10.255.0.1"), true },
    { STR_INIT("10.0.0.0/8"), STR_INIT("11.0.0.1"), false },
    { STR_INIT("10.128.0.0/9"), STR_INIT("10.127.0.1"), false },
    { STR_INIT("10.128.0.0/9"), STR_INIT("10.129.0.1"), true },
    { STR_INIT("0.0.0.0/0"), STR_INIT("203.0.113.9"), true },
    { STR_INIT("0.0.0.0/0"), STR_INIT("2001:db8::1"), false },
    { STR_INIT("::/0"), STR_INIT("2001:db8::1"), true },
    { STR_INIT("::/0"), STR_INIT("203.0.113.9"), false },
    { STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1"), true },
    { STR_INIT("192.0.2.1"), STR_INIT("::ffff:192.0.2.1"), true },
    { STR_INIT("192.0.2.1"), STR_INIT("192.0.2.2"), false },
    { STR_INIT("2001:db8::/33"), STR_INIT("2001:db8:8000::"), false },
};

static void networks_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(matches); i++) {
        struct ip_net net;
        struct ip_addr ip;
        unit_case(matches[i].net.p);
        assert_int_equal(ip_net_parse(matches[i].net, &net), OK);
        assert_int_equal(ip_parse(matches[i].ip, &ip), OK);
        assert_int_equal(ip_net_has(&net, &ip), matches[i].has);
    }
}

static void neighbourhoods(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(200);
    struct ip_addr ip;
    assert_int_equal(ip_from_bytes(STR("\x0a\x01\x02\x03"), &ip), OK);
    struct ip_net net = ip_net_around(&ip, 24, 64);
    ip_net_put(&b, &net);
    buf_put_byte(&b, ' ');
    assert_int_equal(ip_parse(STR("2001:db8:1:2:3:4:5:6"), &ip), OK);
    net = ip_net_around(&ip, 24, 64);
    ip_net_put(&b, &net);
    buf_put_byte(&b, ' ');
    net = ip_net_around(&ip, 24, 1000);
    ip_net_put(&b, &net);
    assert_str(buf_str(&b), STR("10.1.2.0/24 2001:db8:1:2::/64 2001:db8:1:2:3:4:5:6/128"));
    assert_int_equal(ip_from_bytes(STR("12345"), &ip), ERR_SYNTAX);
    assert_int_equal(ip_parse(STR("127.9.9.9"), &ip), OK);
    assert_true(ip_is_loopback(&ip));
    assert_int_equal(ip_parse(STR("::1"), &ip), OK);
    assert_true(ip_is_loopback(&ip));
    assert_int_equal(ip_parse(STR("::2"), &ip), OK);
    assert_false(ip_is_loopback(&ip));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_parsed_and_written),
        cmocka_unit_test(networks_are_parsed_and_written),
        cmocka_unit_test(networks_match),
        cmocka_unit_test(neighbourhoods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
