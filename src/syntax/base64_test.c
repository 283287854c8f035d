#include "base/unit.h"

#include "syntax/base64.h"

static const struct {
    const char *name;
    struct str text, bytes;
    enum err e;
} strict[] = {
    { "empty", STR_INIT(""), STR_INIT(""), OK },
    { "one byte", STR_INIT("Zg=="), STR_INIT("f"), OK },
    { "two bytes", STR_INIT("Zm8="), STR_INIT("fo"), OK },
    { "three bytes", STR_INIT("Zm9v"), STR_INIT("foo"), OK },
    { "six bytes", STR_INIT("Zm9vYmFy"), STR_INIT("foobar"), OK },
    { "all letters' ends", STR_INIT("AZaz09+/"), STR_INIT("\x01\x96\xb3\xd3\xdf\xbf"), OK },
    { "NUL inside", STR_INIT("AGFubgBwdw=="), STR_INIT("\0ann\0pw"), OK },
    { "padding missing", STR_INIT("Zg"), STR_INIT(""), ERR_SYNTAX },
    { "padding cut", STR_INIT("Zg="), STR_INIT(""), ERR_SYNTAX },
    { "padding alone", STR_INIT("===="), STR_INIT(""), ERR_SYNTAX },
    { "three of padding", STR_INIT("Z==="), STR_INIT(""), ERR_SYNTAX },
    { "padding in the middle", STR_INIT("Zg==Zg=="), STR_INIT(""), ERR_SYNTAX },
    { "one letter more", STR_INIT("Zm9vZ"), STR_INIT(""), ERR_SYNTAX },
    { "unused bits set", STR_INIT("Zh=="), STR_INIT(""), ERR_SYNTAX },
    { "unused bits set, two", STR_INIT("Zm9="), STR_INIT(""), ERR_SYNTAX },
    { "space", STR_INIT("Zm 9"), STR_INIT(""), ERR_SYNTAX },
    { "line break", STR_INIT("Zm9v\r\n"), STR_INIT(""), ERR_SYNTAX },
    { "other alphabet", STR_INIT("__--"), STR_INIT(""), ERR_SYNTAX },
    { "high byte", STR_INIT("Zm9\xff"), STR_INIT(""), ERR_SYNTAX },
};

static void strict_takes_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(strict); i++) {
        struct buf b = BUF_INIT(100), back = BUF_INIT(100);
        unit_case(strict[i].name);
        assert_int_equal(base64_decode(&b, strict[i].text), strict[i].e);
        assert_str(buf_str(&b), strict[i].bytes);
        base64_put(&back, buf_str(&b));
        if (strict[i].e == OK) assert_str(buf_str(&back), strict[i].text);
        assert_int_equal(base64_length(b.n), back.n);
        buf_free(&b);
        buf_free(&back);
    }
}

static const struct {
    const char *name;
    struct str text, bytes;
    bool clean;
} lenient[] = {
    { "empty", STR_INIT(""), STR_INIT(""), true },
    { "whole", STR_INIT("Zm9vYmE="), STR_INIT("fooba"), true },
    { "lines", STR_INIT("Zm\r\n9v\r\n YmE=\r\n"), STR_INIT("fooba"), true },
    { "padding missing", STR_INIT("Zm9vYmE"), STR_INIT("fooba"), false },
    { "foreign bytes", STR_INIT("Zm!9\0v"), STR_INIT("foo"), false },
    { "letters behind padding", STR_INIT("Zg==Zg=="), STR_INIT("f"), false },
    { "one letter too many", STR_INIT("Zm9vZ"), STR_INIT("foo"), false },
    { "too much padding", STR_INIT("Zm9v===="), STR_INIT("foo"), false },
    { "unused bits set", STR_INIT("Zh=="), STR_INIT("f"), false },
};

static void lenient_takes_what_it_can(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(lenient); i++) {
        struct buf b = BUF_INIT(100);
        bool clean;
        unit_case(lenient[i].name);
        assert_int_equal(base64_decode_lenient(&b, lenient[i].text, &clean), OK);
        assert_str(buf_str(&b), lenient[i].bytes);
        assert_int_equal(clean, lenient[i].clean);
        buf_free(&b);
    }
}

static void ceilings_hold(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(5);
    assert_int_equal(base64_decode(&b, STR("Zm9vYmFy")), ERR_LIMIT);
    assert_int_equal(b.n, 0);
    buf_clear(&b);
    assert_int_equal(base64_decode_lenient(&b, STR("Zm9v"), NULL), ERR_LIMIT);
    buf_clear(&b);
    base64_put(&b, STR("foobar"));
    assert_int_equal(buf_check(&b), ERR_LIMIT);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_takes_one_spelling),
        cmocka_unit_test(lenient_takes_what_it_can),
        cmocka_unit_test(ceilings_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
