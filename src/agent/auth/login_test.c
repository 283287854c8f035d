#include "base/unit.h"

#include "agent/auth/login.h"

static const struct {
    const char *name;
    struct str raw, domain;
    enum err err;
    struct str want;
} logins[] = {
    { "plain address", STR_INIT("ann@example.org"), STR_INIT(""), OK, STR_INIT("ann@example.org") },
    { "case is folded", STR_INIT("Ann@EXAMPLE.Org"), STR_INIT(""), OK,
      STR_INIT("ann@example.org") },
    { "default domain", STR_INIT("Ann"), STR_INIT("example.org"), OK, STR_INIT("ann@example.org") },
    { "own domain wins", STR_INIT("ann@b.example"), STR_INIT("example.org"), OK,
      STR_INIT("ann@b.example") },
    { "no domain and no default", STR_INIT("ann"), STR_INIT(""), ERR_INVALID, STR_INIT("") },
    { "detail stays", STR_INIT("ann+x@example.org"), STR_INIT(""), OK,
      STR_INIT("ann+x@example.org") },
    { "IDN becomes A-labels",
      STR_INIT("ann@B\xc3\xbc"
               "cher.example"),
      STR_INIT(""), OK, STR_INIT("ann@xn--bcher-kva.example") },
    { "decomposed IDN is the same",
      STR_INIT("ann@bu\xcc\x88"
               "cher.example"),
      STR_INIT(""), OK, STR_INIT("ann@xn--bcher-kva.example") },
    { "ideographic full stop is no dot", STR_INIT("ann@example\xe3\x80\x82org"), STR_INIT(""),
      ERR_SYNTAX, STR_INIT("") },
    { "full-width letters fold", STR_INIT("\xef\xbc\xa1nn@example.org"), STR_INIT(""), OK,
      STR_INIT("ann@example.org") },
    { "full-width at-sign separates nothing", STR_INIT("ann\xef\xbc\xa0x.y"),
      STR_INIT("example.org"), OK, STR_INIT("\"ann@x.y\"@example.org") },
    { "quoted at-sign", STR_INIT("\"a@b\"@example.org"), STR_INIT(""), OK,
      STR_INIT("\"a@b\"@example.org") },
    { "right-to-left at a left-to-right domain", STR_INIT("\xd7\x90\xd7\x91@example.org"),
      STR_INIT(""), OK, STR_INIT("\xd7\x90\xd7\x91@example.org") },
    { "soft hyphen maps to nothing", STR_INIT("a\xc2\xadnn@example.org"), STR_INIT(""), OK,
      STR_INIT("ann@example.org") },
    { "space inside", STR_INIT("ann lee@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "quoted local part", STR_INIT("\"Ann lee\"@example.org"), STR_INIT(""), OK,
      STR_INIT("\"ann lee\"@example.org") },
    { "quoted without need", STR_INIT("\"ann\"@example.org"), STR_INIT(""), OK,
      STR_INIT("ann@example.org") },
    { "empty", STR_INIT(""), STR_INIT("example.org"), ERR_SYNTAX, STR_INIT("") },
    { "empty local part", STR_INIT("@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "empty domain", STR_INIT("ann@"), STR_INIT("example.org"), ERR_SYNTAX, STR_INIT("") },
    { "empty label", STR_INIT("ann@example..org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "trailing dot", STR_INIT("ann@example.org."), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "underscore in domain", STR_INIT("ann@ex_ample.org"), STR_INIT(""), ERR_SYNTAX,
      STR_INIT("") },
    { "leading hyphen", STR_INIT("ann@-example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "address literal", STR_INIT("ann@[127.0.0.1]"), STR_INIT(""), ERR_INVALID, STR_INIT("") },
    { "two at-signs", STR_INIT("ann@b@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "NUL", STR_INIT("ann\0@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "control byte", STR_INIT("ann\r\n@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "not UTF-8", STR_INIT("\xff\xfe@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "overlong UTF-8", STR_INIT("\xc1\xa1nn@example.org"), STR_INIT(""), ERR_SYNTAX,
      STR_INIT("") },
    { "surrogate", STR_INIT("\xed\xa0\x80@example.org"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "cut-off UTF-8", STR_INIT("ann@example.org\xc3"), STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "right-to-left mixed with left-to-right",
      STR_INIT("\xd8\xa7"
               "1@example.org"),
      STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
};

static void logins_are_prepared(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(logins); i++) {
        unit_case(logins[i].name);
        struct buf out = BUF_INIT(LOGIN_MAX + 1);
        buf_put_lit(&out, "<");
        assert_int_equal(login_prepare(logins[i].raw, logins[i].domain, &out), logins[i].err);
        assert_str(str_skip(buf_str(&out), 1), logins[i].want);
        buf_free(&out);
    }
}

static void long_names_are_refused(void **state)
{
    (void)state;
    struct buf raw = BUF_INIT(4096), out = BUF_INIT(LOGIN_MAX);
    for (size_t i = 0; i < 64; i++) {
        buf_put_lit(&raw, "a");
    }
    assert_int_equal(login_prepare(buf_str(&raw), STR("example.org"), &out), OK);
    buf_clear(&out);
    buf_put_lit(&raw, "a");
    assert_int_equal(login_prepare(buf_str(&raw), STR("example.org"), &out), ERR_LIMIT);
    for (size_t i = 0; i < LOGIN_RAW_MAX; i++) {
        buf_put_lit(&raw, "a");
    }
    assert_int_equal(login_prepare(buf_str(&raw), STR("example.org"), &out), ERR_LIMIT);
    buf_clear(&raw);
    buf_put_lit(&raw, "a@");
    for (size_t i = 0; i < 100; i++) {
        buf_put_lit(&raw, "label.");
    }
    buf_put_lit(&raw, "org");
    assert_int_equal(login_prepare(buf_str(&raw), STR_NONE, &out), ERR_LIMIT);
    assert_int_equal(out.n, 0);
    buf_free(&raw);
    buf_free(&out);
}

static const struct {
    const char *name;
    struct str raw;
    enum err err;
    struct str want;
} passwords[] = {
    /* the first five are RFC 4013 3 */
    { "soft hyphen goes", STR_INIT("I\xc2\xadX"), OK, STR_INIT("IX") },
    { "no change", STR_INIT("user"), OK, STR_INIT("user") },
    { "case is kept", STR_INIT("USER"), OK, STR_INIT("USER") },
    { "output is NFKC", STR_INIT("\xc2\xaa"), OK, STR_INIT("a") },
    { "roman numeral nine", STR_INIT("\xe2\x85\xa8"), OK, STR_INIT("IX") },
    { "BEL is prohibited", STR_INIT("\x07"), ERR_SYNTAX, STR_INIT("") },
    { "bidirectional check",
      STR_INIT("\xd8\xa7"
               "1"),
      ERR_SYNTAX, STR_INIT("") },
    { "no-break space is a space",
      STR_INIT("a\xc2\xa0"
               "b"),
      OK, STR_INIT("a b") },
    { "later than Unicode 3.2", STR_INIT("\xf0\x9f\x94\x91"), OK, STR_INIT("\xf0\x9f\x94\x91") },
    { "becomes empty", STR_INIT("\xc2\xad"), ERR_SYNTAX, STR_INIT("") },
    { "empty", STR_INIT(""), ERR_SYNTAX, STR_INIT("") },
    { "NUL", STR_INIT("a\0b"), ERR_SYNTAX, STR_INIT("") },
    { "Latin-1", STR_INIT("caf\xe9"), ERR_SYNTAX, STR_INIT("") },
};

static void passwords_are_prepared(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(passwords); i++) {
        unit_case(passwords[i].name);
        struct buf out = BUF_INIT(PASSWORD_MAX);
        assert_int_equal(password_prepare(passwords[i].raw, &out), passwords[i].err);
        assert_str(buf_str(&out), passwords[i].want);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_are_prepared),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(passwords_are_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
