#include "base/unit.h"

#include "syntax/sasl.h"

static const struct {
    const char *name;
    struct str in;
    enum err err;
    struct str authzid, login, password;
} plains[] = {
    { "RFC 4616 first example", STR_INIT("\0tim\0tanstaaftanstaaf"), OK, STR_INIT(""),
      STR_INIT("tim"), STR_INIT("tanstaaftanstaaf") },
    { "RFC 4616 second example", STR_INIT("Ursel\0Kurt\0xipj3plmq"), OK, STR_INIT("Ursel"),
      STR_INIT("Kurt"), STR_INIT("xipj3plmq") },
    { "empty message", STR_INIT(""), ERR_SYNTAX, STR_INIT(""), STR_INIT(""), STR_INIT("") },
    { "one NUL", STR_INIT("tim\0secret"), ERR_SYNTAX, STR_INIT(""), STR_INIT(""), STR_INIT("") },
    { "three NULs", STR_INIT("\0tim\0sec\0ret"), ERR_SYNTAX, STR_INIT(""), STR_INIT(""),
      STR_INIT("") },
    { "empty login", STR_INIT("\0\0secret"), ERR_SYNTAX, STR_INIT(""), STR_INIT(""), STR_INIT("") },
    { "empty password", STR_INIT("\0tim\0"), ERR_SYNTAX, STR_INIT(""), STR_INIT(""), STR_INIT("") },
};

static void plain_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(plains); i++) {
        unit_case(plains[i].name);
        struct sasl_plain m = { STR_NONE, STR_NONE, STR_NONE };
        assert_int_equal(sasl_plain_parse(plains[i].in, &m), plains[i].err);
        assert_str(m.authzid, plains[i].authzid);
        assert_str(m.login, plains[i].login);
        assert_str(m.password, plains[i].password);
    }
}

static const struct {
    const char *name;
    struct str in;
    enum err err;
    struct str login;
} crams[] = {
    { "RFC 2195 example", STR_INIT("tim b913a602c7eda7a495b4e6e7334d3890"), OK, STR_INIT("tim") },
    { "spaces in the login", STR_INIT("tim o b913a602c7eda7a495b4e6e7334d3890"), OK,
      STR_INIT("tim o") },
    { "no login", STR_INIT(" b913a602c7eda7a495b4e6e7334d3890"), ERR_SYNTAX, STR_INIT("") },
    { "no space", STR_INIT("b913a602c7eda7a495b4e6e7334d3890"), ERR_SYNTAX, STR_INIT("") },
    { "short digest", STR_INIT("tim b913a602c7eda7a495b4e6e7334d389"), ERR_SYNTAX, STR_INIT("") },
    { "upper case", STR_INIT("tim B913A602C7EDA7A495B4E6E7334D3890"), ERR_SYNTAX, STR_INIT("") },
    { "not hexadecimal", STR_INIT("tim g913a602c7eda7a495b4e6e7334d3890"), ERR_SYNTAX,
      STR_INIT("") },
    { "NUL", STR_INIT("t\0m b913a602c7eda7a495b4e6e7334d3890"), ERR_SYNTAX, STR_INIT("") },
    { "empty", STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
};

static void cram_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(crams); i++) {
        unit_case(crams[i].name);
        struct sasl_cram m = { STR_NONE, STR_NONE };
        assert_int_equal(sasl_cram_parse(crams[i].in, &m), crams[i].err);
        assert_str(m.login, crams[i].login);
    }
}

static const struct {
    const char *name;
    struct str in;
    enum err err;
    char flag;
    struct str binding, authzid, login, nonce, header;
} firsts[] = {
    { "RFC 5802 example", STR_INIT("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), OK, 'n', STR_INIT(""),
      STR_INIT(""), STR_INIT("user"), STR_INIT("fyko+d2lbbFgONRv9qkxdawL"), STR_INIT("n,,") },
    { "RFC 7677 example", STR_INIT("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), OK, 'n', STR_INIT(""),
      STR_INIT(""), STR_INIT("user"), STR_INIT("rOprNGfwEbeRWgbNEkqO"), STR_INIT("n,,") },
    { "bound, with authzid", STR_INIT("p=tls-exporter,a=bob,n=ann,r=x"), OK, 'p',
      STR_INIT("tls-exporter"), STR_INIT("bob"), STR_INIT("ann"), STR_INIT("x"),
      STR_INIT("p=tls-exporter,a=bob,") },
    { "client could bind", STR_INIT("y,,n=ann,r=x"), OK, 'y', STR_INIT(""), STR_INIT(""),
      STR_INIT("ann"), STR_INIT("x"), STR_INIT("y,,") },
    { "encoded login", STR_INIT("n,,n=a=2Cb=3D,r=x"), OK, 'n', STR_INIT(""), STR_INIT(""),
      STR_INIT("a=2Cb=3D"), STR_INIT("x"), STR_INIT("n,,") },
    { "optional extension", STR_INIT("n,,n=ann,r=x,z=1"), OK, 'n', STR_INIT(""), STR_INIT(""),
      STR_INIT("ann"), STR_INIT("x"), STR_INIT("n,,") },
    { .name = "mandatory extension", STR_INIT("n,,m=1,n=ann,r=x"), ERR_UNSUPPORTED },
    { .name = "malformed extension", STR_INIT("n,,n=ann,r=x,zz"), ERR_SYNTAX },
    { .name = "trailing comma", STR_INIT("n,,n=ann,r=x,"), ERR_SYNTAX },
    { .name = "other flag", STR_INIT("q,,n=ann,r=x"), ERR_SYNTAX },
    { .name = "empty binding name", STR_INIT("p=,,n=ann,r=x"), ERR_SYNTAX },
    { .name = "binding name with a space", STR_INIT("p=tls unique,,n=ann,r=x"), ERR_SYNTAX },
    { .name = "no GS2 header", STR_INIT("n=ann,r=x"), ERR_SYNTAX },
    { .name = "authzid without name", STR_INIT("n,a=,n=ann,r=x"), ERR_SYNTAX },
    { .name = "something else for authzid", STR_INIT("n,bob,n=ann,r=x"), ERR_SYNTAX },
    { .name = "empty login", STR_INIT("n,,n=,r=x"), ERR_SYNTAX },
    { .name = "no nonce", STR_INIT("n,,n=ann"), ERR_SYNTAX },
    { .name = "empty nonce", STR_INIT("n,,n=ann,r="), ERR_SYNTAX },
    { .name = "space in the nonce", STR_INIT("n,,n=ann,r=a b"), ERR_SYNTAX },
    { .name = "nonce first", STR_INIT("n,,r=x,n=ann"), ERR_SYNTAX },
    { .name = "NUL", STR_INIT("n,,n=a\0n,r=x"), ERR_SYNTAX },
    { .name = "empty", STR_INIT(""), ERR_SYNTAX },
};

static void scram_first_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(firsts); i++) {
        unit_case(firsts[i].name);
        struct sasl_scram_first m;
        assert_int_equal(sasl_scram_first_parse(firsts[i].in, &m), firsts[i].err);
        if (firsts[i].err != OK) continue;
        assert_int_equal(m.flag, firsts[i].flag);
        assert_str(m.binding, firsts[i].binding);
        assert_str(m.authzid, firsts[i].authzid);
        assert_str(m.login, firsts[i].login);
        assert_str(m.nonce, firsts[i].nonce);
        assert_str(m.gs2_header, firsts[i].header);
        assert_str(m.bare, str_skip(firsts[i].in, m.gs2_header.n));
    }
}

static void long_nonces_are_refused(void **state)
{
    (void)state;
    struct sasl_scram_first m;
    struct buf b = BUF_INIT(2048);
    buf_put_lit(&b, "n,,n=ann,r=");
    for (size_t i = 0; i < SASL_NONCE_MAX; i++) {
        buf_put_lit(&b, "x");
    }
    assert_int_equal(sasl_scram_first_parse(buf_str(&b), &m), OK);
    buf_put_lit(&b, "x");
    assert_int_equal(sasl_scram_first_parse(buf_str(&b), &m), ERR_LIMIT);
    buf_free(&b);
}

static const struct {
    const char *name;
    struct str in;
    enum err err;
    struct str binding, nonce, proof, without;
} finals[] = {
    { "RFC 5802 example",
      STR_INIT("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
               "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
      OK, STR_INIT("biws"), STR_INIT("fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"),
      STR_INIT("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
      STR_INIT("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j") },
    { "with an extension", STR_INIT("c=biws,r=x,z=1,p=AAAA"), OK, STR_INIT("biws"), STR_INIT("x"),
      STR_INIT("AAAA"), STR_INIT("c=biws,r=x,z=1") },
    { .name = "proof not last", STR_INIT("c=biws,p=AAAA,r=x"), ERR_SYNTAX },
    { .name = "no proof", STR_INIT("c=biws,r=x"), ERR_SYNTAX },
    { .name = "empty proof", STR_INIT("c=biws,r=x,p="), ERR_SYNTAX },
    { .name = "no binding", STR_INIT("r=x,p=AAAA"), ERR_SYNTAX },
    { .name = "empty attribute", STR_INIT("c=biws,r=x,,p=AAAA"), ERR_SYNTAX },
    { .name = "NUL", STR_INIT("c=biws,r=\0,p=AAAA"), ERR_SYNTAX },
    { .name = "empty", STR_INIT(""), ERR_SYNTAX },
};

static void scram_final_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(finals); i++) {
        unit_case(finals[i].name);
        struct sasl_scram_final m;
        assert_int_equal(sasl_scram_final_parse(finals[i].in, &m), finals[i].err);
        if (finals[i].err != OK) continue;
        assert_str(m.binding, finals[i].binding);
        assert_str(m.nonce, finals[i].nonce);
        assert_str(m.proof, finals[i].proof);
        assert_str(m.without_proof, finals[i].without);
    }
}

static const struct {
    const char *name;
    struct str in;
    enum err err;
    struct str want;
} names[] = {
    { "plain", STR_INIT("ann"), OK, STR_INIT("ann") },
    { "comma and equals sign", STR_INIT("a=2Cb=3Dc"), OK, STR_INIT("a,b=c") },
    { "at the end", STR_INIT("ann=3D"), OK, STR_INIT("ann=") },
    { "lower case", STR_INIT("a=2cb"), ERR_SYNTAX, STR_INIT("") },
    { "other code", STR_INIT("a=41"), ERR_SYNTAX, STR_INIT("") },
    { "cut off", STR_INIT("a=3"), ERR_SYNTAX, STR_INIT("") },
    { "bare comma", STR_INIT("a,b"), ERR_SYNTAX, STR_INIT("") },
    { "empty", STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
};

static void names_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        unit_case(names[i].name);
        struct buf b = BUF_INIT(64);
        assert_int_equal(sasl_name_decode(names[i].in, &b), names[i].err);
        if (names[i].err == OK) assert_str(buf_str(&b), names[i].want);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages),          cmocka_unit_test(cram_messages),
        cmocka_unit_test(scram_first_messages),    cmocka_unit_test(scram_final_messages),
        cmocka_unit_test(long_nonces_are_refused), cmocka_unit_test(names_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
