#include "base/unit.h"

#include "base/buf.h"
#include "base/str.h"

static void numbers(void **state)
{
    static const struct {
        const char *name;
        struct str in;
        uint64_t max;
        enum err want;
        uint64_t value;
    } cases[] = {
        { "zero", STR_INIT("0"), 10, OK, 0 },
        { "at the ceiling", STR_INIT("10"), 10, OK, 10 },
        { "above the ceiling", STR_INIT("11"), 10, ERR_RANGE, 0 },
        { "largest", STR_INIT("18446744073709551615"), UINT64_MAX, OK, UINT64_MAX },
        { "one more than largest", STR_INIT("18446744073709551616"), UINT64_MAX, ERR_RANGE, 0 },
        { "empty", STR_INIT(""), 10, ERR_SYNTAX, 0 },
        { "sign", STR_INIT("+1"), 10, ERR_SYNTAX, 0 },
        { "letter behind", STR_INIT("1a"), 10, ERR_SYNTAX, 0 },
        { "letter behind a huge number", STR_INIT("99999999999999999999a"), 10, ERR_SYNTAX, 0 },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        uint64_t value = 0;
        unit_case(cases[i].name);
        assert_int_equal(str_to_u64(cases[i].in, cases[i].max, &value), cases[i].want);
        assert_int_equal(value, cases[i].value);
    }
}

static void finding(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("abcb"), 'b'), 1);
    assert_int_equal(str_rfind(STR("abcb"), 'b'), 3);
    assert_int_equal(str_find(STR(""), 'b'), STR_NOWHERE);
    assert_int_equal(str_find_str(STR("one two"), STR("two")), 4);
    assert_int_equal(str_find_str(STR("one"), STR("three")), STR_NOWHERE);
    assert_true(str_eq_nocase(STR("HeLLo"), STR("hEllO")));
    assert_false(str_eq_nocase(STR("a@"), STR("a`")));
    assert_true(str_starts_nocase(STR("MAIL FROM:"), STR("mail from:")));
    assert_true(str_ends(STR("a.eml"), STR(".eml")));
    assert_false(str_ends(STR("l"), STR(".eml")));
    assert_true(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")));
    assert_true(str_cmp(STR("ab"), STR("abc")) < 0);
    assert_true(str_cmp(STR("b"), STR("abc")) > 0);
}

static void cutting(void **state)
{
    struct str s = STR("a,,b"), head;
    (void)state;
    assert_true(str_cut(&s, ',', &head) && str_eq(head, STR("a")));
    assert_true(str_cut(&s, ',', &head) && head.n == 0);
    assert_true(str_cut(&s, ',', &head) && str_eq(head, STR("b")));
    assert_false(str_cut(&s, ',', &head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(finding),
        cmocka_unit_test(cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
