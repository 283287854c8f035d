#include "base/unit.h"

#include "syntax/rfc3339.h"

static const struct {
    const char *name;
    struct str in;
    int64_t seconds;
    enum err e;
} cases[] = {
    { "the beginning", STR_INIT("1970-01-01T00:00:00Z"), 0, OK },
    { "small letters", STR_INIT("2026-01-02t03:04:05z"), 1767323045, OK },
    { "fraction", STR_INIT("2026-01-02T03:04:05.678Z"), 1767323045, OK },
    { "east", STR_INIT("2026-01-02T04:34:05+01:30"), 1767323045, OK },
    { "west", STR_INIT("2026-01-01T19:04:05-08:00"), 1767323045, OK },
    { "leap day", STR_INIT("2024-02-29T00:00:00Z"), 1709164800, OK },
    { "leap second", STR_INIT("2016-12-31T23:59:60Z"), 1483228800, OK },
    { "the end", STR_INIT("9999-12-31T23:59:59Z"), 253402300799, OK },
    { "no leap day", STR_INIT("2026-02-29T00:00:00Z"), 0, ERR_RANGE },
    { "month 13", STR_INIT("2026-13-01T00:00:00Z"), 0, ERR_RANGE },
    { "day 0", STR_INIT("2026-01-00T00:00:00Z"), 0, ERR_RANGE },
    { "hour 24", STR_INIT("2026-01-01T24:00:00Z"), 0, ERR_RANGE },
    { "offset of 24 hours", STR_INIT("2026-01-01T00:00:00+24:00"), 0, ERR_RANGE },
    { "before the beginning", STR_INIT("1969-12-31T23:59:59Z"), 0, ERR_RANGE },
    { "before the beginning by its zone", STR_INIT("1970-01-01T00:00:00+00:01"), 0, ERR_RANGE },
    { "no zone", STR_INIT("2026-01-02T03:04:05"), 0, ERR_SYNTAX },
    { "space for T", STR_INIT("2026-01-02 03:04:05Z"), 0, ERR_SYNTAX },
    { "one digit", STR_INIT("2026-1-02T03:04:05Z"), 0, ERR_SYNTAX },
    { "empty fraction", STR_INIT("2026-01-02T03:04:05.Z"), 0, ERR_SYNTAX },
    { "more behind", STR_INIT("2026-01-02T03:04:05Z "), 0, ERR_SYNTAX },
    { "date alone", STR_INIT("2026-01-02"), 0, ERR_SYNTAX },
    { "empty", STR_INIT(""), 0, ERR_SYNTAX },
};

static void dates_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        int64_t seconds = 0;
        unit_case(cases[i].name);
        assert_int_equal(rfc3339_parse(cases[i].in, &seconds), cases[i].e);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(dates_are_parsed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
