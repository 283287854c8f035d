#include "base/unit.h"

#include "syntax/xclient.h"

static const struct {
    const char *name;
    struct str in, bad;
    enum err e;
    unsigned given, unavailable, temporary;
} cases[] = {
    { "one", STR_INIT("ADDR=192.0.2.1"), STR_INIT(""), OK, XCLIENT_ADDR },
    { "all",
      STR_INIT("name=mail.example.org addr=IPV6:2001:db8::1 port=4711 proto=ESMTP helo=a+20b "
               "login=ann@example.org destaddr=192.0.2.9 destport=25"),
      STR_INIT(""), OK, 255 },
    { "spaces", STR_INIT("  PORT=1   PROTO=smtp "), STR_INIT(""), OK,
      XCLIENT_PORT | XCLIENT_PROTO },
    { "unavailable", STR_INIT("NAME=[UNAVAILABLE] LOGIN=[tempunavail]"), STR_INIT(""), OK, 0,
      XCLIENT_NAME, XCLIENT_LOGIN },
    { "nothing", STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "no value", STR_INIT("NAME"), STR_INIT("NAME"), ERR_SYNTAX },
    { "unknown", STR_INIT("ADDR=192.0.2.1 FOO=1"), STR_INIT("FOO"), ERR_UNSUPPORTED },
    { "twice", STR_INIT("PORT=1 port=2"), STR_INIT("port"), ERR_SYNTAX },
    { "twice, once unavailable", STR_INIT("PORT=[UNAVAILABLE] PORT=2"), STR_INIT("PORT"),
      ERR_SYNTAX },
    { "bad xtext", STR_INIT("HELO=a+2"), STR_INIT("HELO"), ERR_SYNTAX },
    { "line break in xtext", STR_INIT("HELO=a+0D+0Ab"), STR_INIT("HELO"), ERR_SYNTAX },
    { "NUL in xtext", STR_INIT("LOGIN=a+00"), STR_INIT("LOGIN"), ERR_SYNTAX },
    { "empty login", STR_INIT("LOGIN="), STR_INIT("LOGIN"), ERR_SYNTAX },
    { "bad address", STR_INIT("ADDR=192.0.2"), STR_INIT("ADDR"), ERR_SYNTAX },
    { "IPv6 without its tag", STR_INIT("ADDR=2001:db8::1"), STR_INIT("ADDR"), ERR_SYNTAX },
    { "port too large", STR_INIT("PORT=65536"), STR_INIT("PORT"), ERR_SYNTAX },
    { "foreign protocol", STR_INIT("PROTO=HTTP"), STR_INIT("PROTO"), ERR_SYNTAX },
    { "bad name", STR_INIT("NAME=-a"), STR_INIT("NAME"), ERR_SYNTAX },
};

static void attributes_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct xclient c = { 0 };
        struct str bad = STR_NONE;
        unit_case(cases[i].name);
        assert_int_equal(xclient_parse(cases[i].in, &a, &c, &bad), cases[i].e);
        assert_str(bad, cases[i].bad);
        assert_int_equal(c.given, cases[i].given);
        assert_int_equal(c.unavailable, cases[i].unavailable);
        assert_int_equal(c.temporary, cases[i].temporary);
        arena_free(&a);
    }
}

static void values_are_read(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(100);
    struct xclient c;
    struct str bad;
    assert_int_equal(xclient_parse(cases[1].in, &a, &c, &bad), OK);
    assert_str(c.name, STR("mail.example.org"));
    assert_str(c.helo, STR("a b"));
    assert_str(c.login, STR("ann@example.org"));
    assert_int_equal(c.port, 4711);
    assert_int_equal(c.dest_port, 25);
    assert_true(c.esmtp);
    ip_put(&b, &c.addr);
    buf_put_byte(&b, ' ');
    ip_put(&b, &c.dest_addr);
    assert_str(buf_str(&b), STR("2001:db8::1 192.0.2.9"));
    buf_free(&b);
    arena_free(&a);
}

static void what_is_offered_is_known(void **state)
{
    (void)state;
    struct str names = xclient_attributes(), name;
    while (str_cut(&names, ' ', &name)) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(100);
        struct xclient c;
        struct str bad;
        buf_put(&b, name);
        buf_put_lit(&b, "=[UNAVAILABLE]");
        assert_int_equal(xclient_parse(buf_str(&b), &a, &c, &bad), OK);
        buf_free(&b);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_parsed),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(what_is_offered_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
