#include "base/unit.h"

#include "syntax/scan.h"

/* Each class by its members, written out from the RFC. */
static const struct {
    const char *name;
    unsigned class;
    struct str punctuation; /* besides letters and digits, if those are in it */
    bool letters;
} classes[] = {
    { "atom", BYTE_ATOM, STR_INIT("!#$%&'*+-/=?^_`{|}~"), true },
    { "qtext", BYTE_QTEXT, STR_INIT(" !#$%&'()*+,-./:;<=>?@[]^_`{|}~"), true },
    { "dcontent", BYTE_DCONTENT, STR_INIT("!\"#$%&'()*+,-./:;<=>?@^_`{|}~"), true },
    { "value", BYTE_VALUE, STR_INIT("!\"#$%&'()*+,-./:;<>?@[\\]^_`{|}~"), true },
    { "xchar", BYTE_XCHAR, STR_INIT("!\"#$%&'()*,-./:;<>?@[\\]^_`{|}~"), true },
    { "print", BYTE_PRINT, STR_INIT(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), true },
    { "ldh", BYTE_LDH, STR_INIT("-"), true },
    { "control", BYTE_CONTROL, STR_INIT(""), false },
};

static void classes_have_their_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(classes); i++) {
        unit_case(classes[i].name);
        for (int c = 0; c < 256; c++) {
            bool in = str_find(classes[i].punctuation, (char)c) != STR_NOWHERE;
            if (classes[i].letters && (byte_is_alpha((char)c) || byte_is_digit((char)c))) in = true;
            if (!classes[i].letters) in = c < 32 || c == 127;
            assert_int_equal(byte_is((char)c, classes[i].class), in);
        }
    }
}

static void steps_never_leave_the_view(void **state)
{
    (void)state;
    struct scan s = scan_of(STR("Mail from:x"));
    assert_true(scan_text(&s, STR("MAIL")));
    assert_false(scan_text(&s, STR("FROM")));
    assert_true(scan_byte(&s, ' '));
    struct str from = s.left;
    assert_str(scan_until(&s, ':'), STR("from"));
    assert_str(scan_since(&s, from), STR("from"));
    assert_int_equal(scan_get(&s), ':');
    assert_true(scan_is(&s, BYTE_ATOM));
    assert_str(scan_until(&s, ':'), STR("x"));
    assert_true(scan_end(&s));
    assert_false(scan_is(&s, BYTE_PRINT | BYTE_HIGH | BYTE_CONTROL));
    assert_int_equal(scan_get(&s), -1);
    assert_false(scan_text(&s, STR("x")));
    assert_true(scan_text(&s, STR("")));
    assert_str(scan_until(&s, 'x'), STR(""));
    assert_str(scan_take(&s, 5), STR(""));
    assert_str(scan_since(&s, from), STR("from:x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_their_members),
        cmocka_unit_test(steps_never_leave_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
