#include "base/unit.h"

#include "syntax/domain.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
    const char *name;
    struct str in, want;
    enum err e;
    unsigned options;
} cases[] = {
    { "letters are folded", STR_INIT("Mail.Example.ORG"), STR_INIT("mail.example.org"), OK },
    { "one label", STR_INIT("localhost"), STR_INIT("localhost"), OK },
    { "digits", STR_INIT("1.2.3.4"), STR_INIT("1.2.3.4"), OK },
    { "hyphens in third and fourth place", STR_INIT("r3---sn.example"), STR_INIT("r3---sn.example"),
      OK },
    { "label of 63", STR_INIT(L63 ".org"), STR_INIT(L63 ".org"), OK },
    { "label of 64", STR_INIT(L63 "x.org"), STR_INIT(""), ERR_LIMIT },
    { "name of 255", STR_INIT(L63 "." L63 "." L63 "." L63), STR_INIT(L63 "." L63 "." L63 "." L63),
      OK },
    { "name of 256", STR_INIT("a." L63 "." L63 "." L63 "." L63), STR_INIT(""), ERR_LIMIT },
    { "empty", STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "dot alone", STR_INIT("."), STR_INIT(""), ERR_SYNTAX },
    { "trailing dot", STR_INIT("example.org."), STR_INIT(""), ERR_SYNTAX },
    { "leading dot", STR_INIT(".example.org"), STR_INIT(""), ERR_SYNTAX },
    { "two dots", STR_INIT("example..org"), STR_INIT(""), ERR_SYNTAX },
    { "leading hyphen", STR_INIT("-a.org"), STR_INIT(""), ERR_SYNTAX },
    { "trailing hyphen", STR_INIT("a-.org"), STR_INIT(""), ERR_SYNTAX },
    { "underscore", STR_INIT("my_host.org"), STR_INIT(""), ERR_SYNTAX },
    { "underscore tolerated", STR_INIT("My_Host.org"), STR_INIT("my_host.org"), OK,
      DOMAIN_UNDERSCORE },
    { "space", STR_INIT("a b"), STR_INIT(""), ERR_SYNTAX },
    { "NUL", STR_INIT("a\0b"), STR_INIT(""), ERR_SYNTAX },
    { "U-label",
      STR_INIT("b\xc3\xbc"
               "cher.example"),
      STR_INIT("xn--bcher-kva.example"), OK },
    { "U-label with ASCII capitals",
      STR_INIT("B\xc3\xbc"
               "cher.Example"),
      STR_INIT("xn--bcher-kva.example"), OK },
    { "decomposed form",
      STR_INIT("bu\xcc\x88"
               "cher.example"),
      STR_INIT("xn--bcher-kva.example"), OK },
    { "sharp s stays one", STR_INIT("fa\xc3\x9f.de"), STR_INIT("xn--fa-hia.de"), OK },
    { "capital outside ASCII",
      STR_INIT("B\xc3\x9c"
               "CHER.example"),
      STR_INIT(""), ERR_INVALID },
    { "A-label", STR_INIT("XN--Bcher-KVA.example"), STR_INIT("xn--bcher-kva.example"), OK },
    { "A-label that is none", STR_INIT("xn--a.example"), STR_INIT(""), ERR_INVALID },
    { "A-label with nothing in it", STR_INIT("xn--abc-.example"), STR_INIT(""), ERR_SYNTAX },
    { "A-label of a symbol", STR_INIT("xn--ls8h.example"), STR_INIT(""), ERR_INVALID },
    { "ideographic full stop",
      STR_INIT("a\xe3\x80\x82"
               "b"),
      STR_INIT(""), ERR_INVALID },
    { "zero width space",
      STR_INIT("a\xe2\x80\x8b"
               "b"),
      STR_INIT(""), ERR_INVALID },
    { "not UTF-8", STR_INIT("a\xff.org"), STR_INIT(""), ERR_INVALID },
    { "hyphen before a U-label", STR_INIT("-\xc3\xbc.org"), STR_INIT(""), ERR_SYNTAX },
    { "underscore in a U-label", STR_INIT("_\xc3\xbc.org"), STR_INIT(""), ERR_INVALID,
      DOMAIN_UNDERSCORE },
};

static void domains_get_their_normal_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct str domain = STR_NONE, again = STR_NONE;
        unit_case(cases[i].name);
        assert_int_equal(domain_normalise(cases[i].in, cases[i].options, &a, &domain), cases[i].e);
        assert_str(domain, cases[i].want);
        if (cases[i].e == OK) {
            assert_int_equal(domain_normalise(domain, cases[i].options, &a, &again), OK);
            assert_str(again, domain);
        }
        arena_free(&a);
    }
}

static void domains_are_below_one_another(void **state)
{
    (void)state;
    assert_true(domain_is_below(STR("example.org"), STR("example.org")));
    assert_true(domain_is_below(STR("mail.example.org"), STR("example.org")));
    assert_false(domain_is_below(STR("badexample.org"), STR("example.org")));
    assert_false(domain_is_below(STR("org"), STR("example.org")));
    assert_false(domain_is_below(STR("org"), STR("")));
}

static void domains_are_shown(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1000);
    domain_put_shown(&b, STR("mail.xn--bcher-kva.example"));
    buf_put_byte(&b, ' ');
    domain_put_shown(&b, STR("xn--zzzzzzzzz9999.example"));
    assert_str(buf_str(&b), STR("mail.b\xc3\xbc"
                                "cher.example xn--zzzzzzzzz9999.example"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_get_their_normal_form),
        cmocka_unit_test(domains_are_below_one_another),
        cmocka_unit_test(domains_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
