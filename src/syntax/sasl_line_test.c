#include "base/unit.h"

#include "syntax/sasl_line.h"

static const struct {
    const char *name;
    struct str in, mechanism, initial;
    bool has_initial;
    enum err e;
} starts[] = {
    { "mechanism", STR_INIT("plain"), STR_INIT("PLAIN"), STR_INIT(""), false, OK },
    { "initial response", STR_INIT("PLAIN AGEAYg=="), STR_INIT("PLAIN"), STR_INIT("AGEAYg=="), true,
      OK },
    { "empty initial response", STR_INIT("EXTERNAL ="), STR_INIT("EXTERNAL"), STR_INIT(""), true,
      OK },
    { "hyphen, digits, underscore", STR_INIT("scram-SHA-256_x"), STR_INIT("SCRAM-SHA-256_X"),
      STR_INIT(""), false, OK },
    { "twenty letters", STR_INIT("ABCDEFGHIJKLMNOPQRST"), STR_INIT("ABCDEFGHIJKLMNOPQRST"),
      STR_INIT(""), false, OK },
    { "21 letters", STR_INIT("ABCDEFGHIJKLMNOPQRSTU"), STR_INIT(""), STR_INIT(""), false,
      ERR_SYNTAX },
    { "nothing", STR_INIT(""), STR_INIT(""), STR_INIT(""), false, ERR_SYNTAX },
    { "three words", STR_INIT("PLAIN a b"), STR_INIT(""), STR_INIT(""), false, ERR_SYNTAX },
    { "foreign byte", STR_INIT("PL/AIN"), STR_INIT(""), STR_INIT(""), false, ERR_SYNTAX },
    { "control byte", STR_INIT("PLAIN a\0"), STR_INIT(""), STR_INIT(""), false, ERR_SYNTAX },
};

static void starts_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(starts); i++) {
        struct arena a = ARENA_INIT(0);
        struct sasl_start s = { 0 };
        unit_case(starts[i].name);
        assert_int_equal(sasl_start_parse(starts[i].in, &a, &s), starts[i].e);
        assert_str(s.mechanism, starts[i].mechanism);
        assert_str(s.initial, starts[i].initial);
        assert_int_equal(s.has_initial, starts[i].has_initial);
        arena_free(&a);
    }
}

static void responses_are_decoded(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(SASL_LINE_MAX), line = BUF_INIT(2 * SASL_LINE_MAX);
    assert_int_equal(sasl_response_decode(&b, STR("YW5u")), OK);
    assert_str(buf_str(&b), STR("ann"));
    assert_int_equal(sasl_response_decode(&b, STR("")), OK);
    assert_int_equal(sasl_response_decode(&b, STR("*")), ERR_CANCELLED);
    assert_int_equal(sasl_response_decode(&b, STR("=")), ERR_SYNTAX);
    assert_int_equal(sasl_response_decode(&b, STR("**")), ERR_SYNTAX);
    assert_str(buf_str(&b), STR("ann"));
    while (line.n < SASL_LINE_MAX) {
        buf_put_lit(&line, "AAAA");
    }
    assert_int_equal(sasl_response_decode(&b, buf_str(&line)), OK);
    buf_put_lit(&line, "AAAA");
    assert_int_equal(sasl_response_decode(&b, buf_str(&line)), ERR_LIMIT);
    buf_clear(&b);
    sasl_challenge_put(&b, STR("334 "), STR("Username:"));
    sasl_challenge_put(&b, STR("+ "), STR(""));
    assert_str(buf_str(&b), STR("334 VXNlcm5hbWU6\r\n+ \r\n"));
    buf_free(&b);
    buf_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_parsed),
        cmocka_unit_test(responses_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
