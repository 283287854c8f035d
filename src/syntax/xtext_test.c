#include "base/unit.h"

#include "syntax/xtext.h"

static const struct {
    const char *name;
    struct str in, want, written;
    enum err e;
} cases[] = {
    { "plain", STR_INIT("ann@example.org"), STR_INIT("ann@example.org"),
      STR_INIT("ann@example.org"), OK },
    { "hexadecimal", STR_INIT("a+2Bb+3Dc+20"), STR_INIT("a+b=c "), STR_INIT("a+2Bb+3Dc+20"), OK },
    { "small digits", STR_INIT("+2b+0a"), STR_INIT("+\n"), STR_INIT("+2B+0A"), OK },
    { "needless hexadecimal", STR_INIT("+41+00+FF"), STR_INIT("A\0\xff"), STR_INIT("A+00+FF"), OK },
    { "empty", STR_INIT(""), STR_INIT(""), STR_INIT(""), OK },
    { "cut", STR_INIT("ab+4"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "plus alone", STR_INIT("ab+"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "no digits", STR_INIT("+4G"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "equal sign", STR_INIT("a=b"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "space", STR_INIT("a b"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "other bytes", STR_INIT("a\xc3\xbc"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
};

static void xtext_goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf b = BUF_INIT(100), back = BUF_INIT(100);
        unit_case(cases[i].name);
        buf_put_lit(&b, "kept");
        assert_int_equal(xtext_decode(&b, cases[i].in), cases[i].e);
        assert_str(str_skip(buf_str(&b), 4), cases[i].want);
        xtext_put(&back, str_skip(buf_str(&b), 4));
        assert_str(buf_str(&back), cases[i].written);
        buf_free(&b);
        buf_free(&back);
    }
}

static const struct {
    const char *name;
    struct str in, want, written; /* written: all ASCII */
    enum err e;
    bool raw;
} utf8_cases[] = {
    { "plain", STR_INIT("ann@example.org"), STR_INIT("ann@example.org"),
      STR_INIT("ann@example.org"), OK, false },
    { "two bytes", STR_INIT("j\\x{F6}rg"), STR_INIT("j\xc3\xb6rg"), STR_INIT("j\\x{F6}rg"), OK,
      false },
    { "three bytes", STR_INIT("\\x{20ac}"), STR_INIT("\xe2\x82\xac"), STR_INIT("\\x{20AC}"), OK,
      false },
    { "four bytes", STR_INIT("\\x{1F4E7}\\x{10FFFF}"), STR_INIT("\xf0\x9f\x93\xa7\xf4\x8f\xbf\xbf"),
      STR_INIT("\\x{1F4E7}\\x{10FFFF}"), OK, false },
    { "ASCII that xtext has not", STR_INIT("\\x{2B}\\x{3D}\\x{5C}\\x{20}"), STR_INIT("+=\\ "),
      STR_INIT("\\x{2B}\\x{3D}\\x{5C}\\x{20}"), OK, false },
    { "raw", STR_INIT("j\xc3\xb6rg"), STR_INIT("j\xc3\xb6rg"), STR_INIT("j\\x{F6}rg"), OK, true },
    { "raw where it may not", STR_INIT("j\xc3\xb6rg"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX,
      false },
    { "raw and broken", STR_INIT("j\xc3"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, true },
    { "raw C1 control", STR_INIT("\xc2\x85"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, true },
    { "backslash alone", STR_INIT("a\\"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, true },
    { "one digit", STR_INIT("\\x{A}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "control character", STR_INIT("\\x{0A}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "C1 control", STR_INIT("\\x{85}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "surrogate", STR_INIT("\\x{D800}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "too high", STR_INIT("\\x{110000}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "too many digits", STR_INIT("\\x{0000041}"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "stays open", STR_INIT("\\x{41"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
    { "plus", STR_INIT("a+2Bb"), STR_INIT(""), STR_INIT(""), ERR_SYNTAX, false },
};

static void utf8_goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(utf8_cases); i++) {
        struct buf b = BUF_INIT(100), back = BUF_INIT(100);
        unit_case(utf8_cases[i].name);
        assert_int_equal(xtext_utf8_decode(&b, utf8_cases[i].in, utf8_cases[i].raw),
                         utf8_cases[i].e);
        assert_str(buf_str(&b), utf8_cases[i].want);
        xtext_utf8_put(&back, buf_str(&b), false);
        assert_str(buf_str(&back), utf8_cases[i].written);
        buf_free(&b);
        buf_free(&back);
    }
}

static void utf8_is_written_raw(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(100);
    xtext_utf8_put(&b, STR("j\xc3\xb6 +\xff\xe2\x82\xac"), true);
    assert_str(buf_str(&b), STR("j\xc3\xb6\\x{20}\\x{2B}\xef\xbf\xbd\xe2\x82\xac"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xtext_goes_there_and_back),
        cmocka_unit_test(utf8_goes_there_and_back),
        cmocka_unit_test(utf8_is_written_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
