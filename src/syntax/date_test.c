#include "base/unit.h"

#include "syntax/date.h"

static const struct {
    const char *name;
    struct str value;
    enum err want;
    int64_t time_s;
    int zone_minutes;
    bool zone_known;
} cases[] = {
    { "plain", STR_INIT(" Sat, 21 Nov 2026 22:00:00 +0000"), OK, 1795298400, 0, true },
    { "zone ahead", STR_INIT("Sat, 21 Nov 2026 23:30:00 +0130"), OK, 1795298400, 90, true },
    { "zone behind", STR_INIT("Sat, 21 Nov 2026 17:00:00 -0500"), OK, 1795298400, -300, true },
    { "unknown zone", STR_INIT("Sat, 21 Nov 2026 22:00:00 -0000"), OK, 1795298400, 0, false },
    { "named zone", STR_INIT("Sat, 21 Nov 2026 17:00:00 EST"), OK, 1795298400, -300, true },
    { "GMT", STR_INIT("Sat, 21 Nov 2026 22:00:00 GMT"), OK, 1795298400, 0, true },
    { "military zone says nothing", STR_INIT("Sat, 21 Nov 2026 22:00:00 A"), OK, 1795298400, 0,
      false },
    { "an unknown name says nothing", STR_INIT("Sat, 21 Nov 2026 22:00:00 CEST"), OK, 1795298400, 0,
      false },
    { "no zone", STR_INIT("Sat, 21 Nov 2026 22:00:00"), OK, 1795298400, 0, false },
    { "no weekday", STR_INIT("21 Nov 2026 22:00:00 +0000"), OK, 1795298400, 0, true },
    { "wrong weekday", STR_INIT("Mon, 21 Nov 2026 22:00:00 +0000"), OK, 1795298400, 0, true },
    { "no seconds", STR_INIT("21 Nov 2026 22:00 +0000"), OK, 1795298400, 0, true },
    { "single digits", STR_INIT("1 Jan 1970 0:0:1 +0000"), OK, 1, 0, true },
    { "comments and folds", STR_INIT("Sat (x), (a (b)) 21\r\n Nov 2026 22 : 00 : 00 +0000 (UTC)"),
      OK, 1795298400, 0, true },
    { "two digit years: 2000", STR_INIT("21 Nov 26 22:00:00 GMT"), OK, 1795298400, 0, true },
    { "two digit years: 1900", STR_INIT("21 Nov 97 09:55:06 -0600"), OK, 880127706, -360, true },
    { "three digit years", STR_INIT("21 Nov 126 22:00:00 GMT"), OK, 1795298400, 0, true },
    { "before 1970", STR_INIT("Wed, 31 Dec 1969 23:59:59 +0000"), OK, -1, 0, true },
    { "1900", STR_INIT("1 Jan 1900 00:00:00 +0000"), OK, -2208988800, 0, true },
    { "the last second of 9999", STR_INIT("31 Dec 9999 23:59:59 +0000"), OK, 253402300799, 0,
      true },
    { "leap second", STR_INIT("31 Dec 2016 23:59:60 +0000"), OK, 1483228800, 0, true },
    { "leap day", STR_INIT("29 Feb 2024 00:00:00 +0000"), OK, 1709164800, 0, true },
    { "leap day of 2000", STR_INIT("29 Feb 2000 00:00:00 +0000"), OK, 951782400, 0, true },
    { "no leap day in 1900", STR_INIT("29 Feb 1900 00:00:00 +0000"), ERR_RANGE },
    { "no leap day", STR_INIT("29 Feb 2023 00:00:00 +0000"), ERR_RANGE },
    { "31 April", STR_INIT("31 Apr 2023 00:00:00 +0000"), ERR_RANGE },
    { "day 0", STR_INIT("0 Apr 2023 00:00:00 +0000"), ERR_RANGE },
    { "hour 24", STR_INIT("1 Apr 2023 24:00:00 +0000"), ERR_RANGE },
    { "minute 60", STR_INIT("1 Apr 2023 23:60:00 +0000"), ERR_RANGE },
    { "second 61", STR_INIT("1 Apr 2023 23:00:61 +0000"), ERR_RANGE },
    { "zone minute 60", STR_INIT("1 Apr 2023 23:00:00 +0160"), ERR_RANGE },
    { "widest zone", STR_INIT("1 Apr 2023 23:00:00 +9959"), OK, 1680390000 - 359940, 5999, true },
    { "year before 1900", STR_INIT("1 Apr 1899 23:00:00 +0000"), ERR_RANGE },
    { "year of five digits", STR_INIT("1 Apr 19999 23:00:00 +0000"), ERR_SYNTAX },
    { "year of one digit", STR_INIT("1 Apr 9 23:00:00 +0000"), ERR_SYNTAX },
    { "no month", STR_INIT("1 2023 23:00:00 +0000"), ERR_SYNTAX },
    { "strange month", STR_INIT("1 Foo 2023 23:00:00 +0000"), ERR_SYNTAX },
    { "no time", STR_INIT("1 Apr 2023"), ERR_SYNTAX },
    { "short zone", STR_INIT("1 Apr 2023 23:00:00 +1"), ERR_SYNTAX },
    { "zone with a letter", STR_INIT("1 Apr 2023 23:00:00 +00x0"), ERR_SYNTAX },
    { "weekday alone", STR_INIT("Sat,"), ERR_SYNTAX },
    { "weekday without its comma", STR_INIT("Sat 21 Nov 2026 22:00:00 +0000"), ERR_SYNTAX },
    { "a quoted zone", STR_INIT("1 Apr 2023 23:00:00 \"GMT\""), ERR_SYNTAX },
    { "a negative day", STR_INIT("-1 Apr 2023 23:00:00 +0000"), ERR_SYNTAX },
    { "empty", STR_INIT(""), ERR_SYNTAX },
    { "open comment", STR_INIT("(((((1 Apr 2023 23:00:00 +0000"), ERR_SYNTAX },
};

static void dates_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct date d = { .time_s = 42 };
        unit_case(cases[i].name);
        assert_int_equal(date_parse(cases[i].value, &d), cases[i].want);
        if (cases[i].want != OK) {
            assert_int_equal(d.time_s, 42);
            continue;
        }
        assert_int_equal(d.time_s, cases[i].time_s);
        assert_int_equal(d.zone_minutes, cases[i].zone_minutes);
        assert_int_equal(d.zone_known, cases[i].zone_known);
    }
}

static const struct {
    int64_t time_s;
    int zone_minutes;
    struct str want;
} written[] = {
    { 1795298400, 0, STR_INIT("Sat, 21 Nov 2026 22:00:00 +0000") },
    { 1795298400, 120, STR_INIT("Sun, 22 Nov 2026 00:00:00 +0200") },
    { 1795298400, -210, STR_INIT("Sat, 21 Nov 2026 18:30:00 -0330") },
    { 0, 0, STR_INIT("Thu, 01 Jan 1970 00:00:00 +0000") },
    { -1, 0, STR_INIT("Wed, 31 Dec 1969 23:59:59 +0000") },
    { 951782400, 0, STR_INIT("Tue, 29 Feb 2000 00:00:00 +0000") },
    { INT64_MAX, 60, STR_INIT("Fri, 31 Dec 9999 23:59:59 +0100") },
    { INT64_MIN, -60, STR_INIT("Mon, 01 Jan 0001 00:00:00 -0100") },
    { 0, 100000, STR_INIT("Thu, 01 Jan 1970 00:00:00 +0000") },
};

static void dates_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(written); i++) {
        struct buf b = BUF_INIT(31);
        date_put(&b, written[i].time_s, written[i].zone_minutes);
        assert_str(buf_str(&b), written[i].want);
        buf_free(&b);
    }
}

static void every_day_comes_back(void **state)
{
    (void)state;
    /* All days from 1900 to 2100, and every 97th of the rest. */
    for (int64_t day = -25567; day < 2932896; day += day < 47846 ? 1 : 97) {
        struct date_parts p = date_split(day * 86400 + 3723, 0);
        int64_t back;
        assert_int_equal(date_join(&p, 0, &back), OK);
        assert_int_equal(back, day * 86400 + 3723);
        assert_int_equal(p.weekday, ((day % 7) + 11) % 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(dates_are_written),
        cmocka_unit_test(every_day_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
