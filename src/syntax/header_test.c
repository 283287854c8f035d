#include "base/unit.h"

#include "syntax/header.h"

static const struct {
    const char *name;
    struct str head, fields;
    uint32_t junk;
} heads[] = {
    { "two fields", STR_INIT("A: 1\r\nB: 2\r\n\r\nC: 3\r\n"), STR_INIT("[A|1][B|2]"), 0 },
    { "LF line ends", STR_INIT("A: 1\nB:2\n\nC: 3\n"), STR_INIT("[A|1][B|2]"), 0 },
    { "folded", STR_INIT("A: 1\r\n\t2\r\n 3\r\nB: 4\r\n\r\n"), STR_INIT("[A|1\t2 3][B|4]"), 0 },
    { "a fold of blanks only", STR_INIT("A: 1\r\n \r\nB: 2\r\n\r\n"), STR_INIT("[A|1][B|2]"), 0 },
    { "blanks before the colon", STR_INIT("A \t: 1\r\n\r\n"), STR_INIT("[A|1]"), 0 },
    { "empty value", STR_INIT("A:\r\nB:\r\n\r\n"), STR_INIT("[A|][B|]"), 0 },
    { "no empty line at the end", STR_INIT("A: 1\r\nB: 2"), STR_INIT("[A|1][B|2]"), 0 },
    { "nothing", STR_INIT(""), STR_INIT(""), 0 },
    { "an empty head", STR_INIT("\r\nA: 1\r\n"), STR_INIT(""), 0 },
    { "mbox line", STR_INIT("From ann Sat Nov 21 22:00:00 2026\r\nA: 1\r\n\r\n"), STR_INIT("[A|1]"),
      1 },
    { "no colon", STR_INIT("A: 1\r\nnonsense\r\n folded\r\nB: 2\r\n\r\n"), STR_INIT("[A|1][B|2]"),
      1 },
    { "begins folded", STR_INIT(" x: y\r\nA: 1\r\n\r\n"), STR_INIT("[A|1]"), 1 },
    { "no name", STR_INIT(": y\r\nA: 1\r\n\r\n"), STR_INIT("[A|1]"), 1 },
    { "a control byte in the name", STR_INIT("X\x01: y\r\nA: 1\r\n\r\n"), STR_INIT("[A|1]"), 1 },
    { "8-bit name", STR_INIT("\xc3\xa4: y\r\nA: 1\r\n\r\n"), STR_INIT("[A|1]"), 1 },
    { "colons in the value", STR_INIT("A: b: c\r\n\r\n"), STR_INIT("[A|b: c]"), 0 },
    { "a bare CR ends no line", STR_INIT("A: 1\rB: 2\r\n\r\n"), STR_INIT("[A|1\rB: 2]"), 0 },
    { "a CR alone is no empty line", STR_INIT("A: 1\r\n\r \r\nB: 2\r\n\r\n"),
      STR_INIT("[A|1][B|2]"), 1 },
    { "NUL in the value", STR_INIT("A: 1\0002\r\n\r\n"), STR_INIT("[A|1\0002]"), 0 },
};

static void fields_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(heads); i++) {
        struct buf b = BUF_INIT(1000);
        struct arena a = ARENA_INIT(0);
        struct header_walk w = header_walk_of(heads[i].head);
        struct header_field f;
        unit_case(heads[i].name);
        while (header_next(&w, &f)) {
            buf_put_byte(&b, '[');
            buf_put(&b, f.name);
            buf_put_byte(&b, '|');
            buf_put(&b, header_unfold(&a, f.value));
            buf_put_byte(&b, ']');
            assert_true(str_starts(str_skip(heads[i].head, f.from), f.name));
            assert_true(f.end == heads[i].head.n || heads[i].head.p[f.end - 1] == '\n');
        }
        assert_str(buf_str(&b), heads[i].fields);
        assert_int_equal(w.junk, heads[i].junk);
        assert_false(w.over);
        buf_free(&b);
        arena_free(&a);
    }
}

static void fields_are_found_by_name(void **state)
{
    struct str head = STR("To: a\r\nSubject: x\r\nTO: b\r\n\r\nTo: body\r\n");
    struct header_field f;
    (void)state;
    assert_true(header_find(head, STR("to"), &f));
    assert_str(f.value, STR(" a"));
    assert_int_equal(f.from, 0);
    assert_int_equal(f.end, 7);
    assert_false(header_find(head, STR("Cc"), &f));
    assert_int_equal(header_count(head, STR("To")), 2);
}

static void the_head_ends_at_the_empty_line(void **state)
{
    (void)state;
    assert_int_equal(header_bytes(STR("A: 1\r\n\r\nbody\r\n\r\n")), 8);
    assert_int_equal(header_bytes(STR("A: 1\n\nbody\n\n")), 6);
    assert_int_equal(header_bytes(STR("\r\nbody")), 2);
    assert_true(header_bytes(STR("A: 1\r\n")) == STR_NOWHERE);
    assert_true(header_bytes(STR("A: 1\r\n\r")) == STR_NOWHERE);
    assert_true(header_bytes(STR("")) == STR_NOWHERE);
}

static void limits_hold(void **state)
{
    struct buf b = BUF_INIT(HEADER_BYTES_MAX * 2);
    struct header_field f;
    (void)state;
    for (int i = 0; i < HEADER_FIELDS_MAX; i++) {
        buf_put_lit(&b, "X: y\r\n");
    }
    assert_int_equal(header_count(buf_str(&b), STR("X")), HEADER_FIELDS_MAX);
    struct header_walk w = header_walk_of(buf_str(&b));
    while (header_next(&w, &f)) {
    }
    assert_false(w.over);
    buf_put_lit(&b, "Z: y\r\n");
    assert_false(header_find(buf_str(&b), STR("Z"), &f));
    w = header_walk_of(buf_str(&b));
    while (header_next(&w, &f)) {
    }
    assert_true(w.over);

    buf_clear(&b);
    buf_put_lit(&b, "A: 1\r\nB: 2\r\n");
    while (b.n <= HEADER_BYTES_MAX) {
        buf_put_lit(&b, " folded and folded and folded and folded\r\n");
    }
    assert_true(header_find(buf_str(&b), STR("A"), &f));
    assert_false(header_find(buf_str(&b), STR("B"), &f));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(the_head_ends_at_the_empty_line),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
