#include "base/unit.h"

#include "base/buf.h"
#include "syntax/top.h"

static const struct {
    const char *name;
    struct str message;
    uint32_t lines;
    struct str want;
    bool done;
} cases[] = {
    { "head only", STR_INIT("A: b\r\n\r\nx\r\ny\r\n"), 0, STR_INIT("A: b\r\n\r\n"), true },
    { "one line", STR_INIT("A: b\r\n\r\nx\r\ny\r\n"), 1, STR_INIT("A: b\r\n\r\nx\r\n"), true },
    { "empty body lines count", STR_INIT("A: b\r\n\r\n\r\n\r\nx\r\n"), 2,
      STR_INIT("A: b\r\n\r\n\r\n\r\n"), true },
    { "more than there are", STR_INIT("A: b\r\n\r\nx\r\n"), 9, STR_INIT("A: b\r\n\r\nx\r\n"),
      false },
    { "all of it", STR_INIT("A: b\r\n\r\nx"), UINT32_MAX, STR_INIT("A: b\r\n\r\nx"), false },
    { "LF line ends", STR_INIT("A: b\n\nx\ny\n"), 1, STR_INIT("A: b\n\nx\n"), true },
    { "no head", STR_INIT("\r\nx\r\ny\r\n"), 1, STR_INIT("\r\nx\r\n"), true },
    { "no body", STR_INIT("A: b\r\n"), 1, STR_INIT("A: b\r\n"), false },
    { "blank is not empty", STR_INIT("A: b\r\n \r\nC: d\r\n\r\nx\r\n"), 0,
      STR_INIT("A: b\r\n \r\nC: d\r\n\r\n"), true },
    { "CR CR LF is not empty", STR_INIT("A: b\r\n\r\r\n\r\nx\r\n"), 0,
      STR_INIT("A: b\r\n\r\r\n\r\n"), true },
    { "nothing", STR_INIT(""), 3, STR_INIT(""), false },
};

static void tops_are_cut_the_same_for_all_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        for (size_t chunk = 1; chunk < 20; chunk++) {
            struct buf b = BUF_INIT(1000);
            struct top t = top_of(cases[i].lines);
            struct str left = cases[i].message;
            for (; left.n > 0 && !t.done; left = str_skip(left, chunk)) {
                buf_put(&b, top_take(&t, str_part(left, 0, chunk)));
            }
            assert_str(buf_str(&b), cases[i].want);
            assert_int_equal(t.done, cases[i].done);
            if (t.done) assert_int_equal(top_take(&t, STR("more\r\n")).n, 0);
            buf_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tops_are_cut_the_same_for_all_chunks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
