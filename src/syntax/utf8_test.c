#include "base/unit.h"

#include "syntax/utf8.h"

/* Markus Kuhn's classes of bad UTF-8, one of each. */
static const struct {
    const char *name;
    struct str in;
    size_t valid_bytes;
} cases[] = {
    { "empty", STR_INIT(""), 0 },
    { "ASCII, longer than a word", STR_INIT("hello, wide world"), 17 },
    { "NUL is a character", STR_INIT("a\0b"), 3 },
    { "two bytes", STR_INIT("\xc3\xa4"), 2 },
    { "three bytes", STR_INIT("\xe2\x82\xac"), 3 },
    { "four bytes", STR_INIT("\xf0\x9f\x93\xa7!"), 5 },
    { "last code point", STR_INIT("\xf4\x8f\xbf\xbf"), 4 },
    { "above the last", STR_INIT("\xf4\x90\x80\x80"), 0 },
    { "lone continuation", STR_INIT("ab\x80"), 2 },
    { "overlong slash", STR_INIT("\xc0\xaf"), 0 },
    { "overlong by c1", STR_INIT("\xc1\xbf"), 0 },
    { "overlong, three bytes", STR_INIT("\xe0\x9f\xbf"), 0 },
    { "overlong, four bytes", STR_INIT("\xf0\x8f\xbf\xbf"), 0 },
    { "surrogate", STR_INIT("x\xed\xa0\x80"), 1 },
    { "just below the surrogates", STR_INIT("\xed\x9f\xbf"), 3 },
    { "just above the surrogates", STR_INIT("\xee\x80\x80"), 3 },
    { "cut short", STR_INIT("abcdefghi\xe2\x82"), 9 },
    { "cut by ASCII",
      STR_INIT("\xe2\x82"
               "a"),
      0 },
    { "five byte form", STR_INIT("\xf8\x88\x80\x80\x80"), 0 },
    { "ff", STR_INIT("\xff"), 0 },
};

static void valid_prefix_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        assert_int_equal(utf8_valid_prefix(cases[i].in), cases[i].valid_bytes);
        assert_int_equal(utf8_valid(cases[i].in), cases[i].valid_bytes == cases[i].in.n);
    }
}

static void code_points_are_taken(void **state)
{
    (void)state;
    struct scan s = scan_of(STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7\x80"));
    assert_int_equal(utf8_take(&s), 'a');
    assert_int_equal(utf8_take(&s), 0xe4);
    assert_int_equal(utf8_take(&s), 0x20ac);
    assert_int_equal(utf8_take(&s), 0x1f4e7);
    assert_int_equal(utf8_take(&s), -1);
    assert_int_equal(s.left.n, 1);
    assert_true(utf8_is_ascii(STR("plain text of some length")));
    assert_false(utf8_is_ascii(STR("plain text of some l\xc3\xa4ngth")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_prefix_is_found),
        cmocka_unit_test(code_points_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
