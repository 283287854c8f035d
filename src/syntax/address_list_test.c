#include "base/unit.h"

#include "base/clock.h"
#include "syntax/address_list.h"

static const struct {
    const char *name;
    struct str value, want; /* name|route|local|domain, group{ ... } */
    bool broken;
} cases[] = {
    { "bare", STR_INIT("ann@example.org"), STR_INIT("(||ann|example.org)") },
    { "angle", STR_INIT("Ann <ann@example.org>"), STR_INIT("(Ann||ann|example.org)") },
    { "angle alone", STR_INIT("<ann@example.org>"), STR_INIT("(||ann|example.org)") },
    { "two", STR_INIT("a@x, B <b@y>"), STR_INIT("(||a|x)(B||b|y)") },
    { "quoted name", STR_INIT("\"Ann, \\\"the\\\" B.\" <a@x>"),
      STR_INIT("(Ann, \"the\" B.||a|x)") },
    { "dots in the name", STR_INIT("John Q. Public <jq@x>"), STR_INIT("(John Q. Public||jq|x)") },
    { "words and quotes mixed", STR_INIT("Ann \"B\" C <a@x>"), STR_INIT("(Ann B C||a|x)") },
    { "comment as name", STR_INIT("a@x (Ann (B) \\) C)"), STR_INIT("(Ann (B) ) C||a|x)") },
    { "comment before the comma", STR_INIT("a@x (Ann), (of b) b@y"),
      STR_INIT("(Ann||a|x)(of b||b|y)") },
    { "comment and name: the name", STR_INIT("Ann <a@x> (old)"), STR_INIT("(Ann||a|x)") },
    { "comments everywhere", STR_INIT("(1)Ann(2)<(3)a(4)@(5)x(6).(7)y(8)>(9)"),
      STR_INIT("(Ann||a|x.y)") },
    { "comment between words of a name", STR_INIT("Ann(x)B <a@x>"), STR_INIT("(Ann B||a|x)") },
    { "folded", STR_INIT("Ann\r\n B <a@x>,\r\n\tb@y"), STR_INIT("(Ann B||a|x)(||b|y)") },
    { "quoted local part", STR_INIT("\"a b\"@x"), STR_INIT("(||a b|x)") },
    { "quoted local part in an angle", STR_INIT("<\"a\\\"b\"@x>"), STR_INIT("(||a\"b|x)") },
    { "obsolete local part", STR_INIT("a . \"b\" . c @ x . y"), STR_INIT("(||a.b.c|x.y)") },
    { "literal", STR_INIT("a@[127.0.0.1], b@[IPv6:::1]"),
      STR_INIT("(||a|[127.0.0.1])(||b|[IPv6:::1])") },
    { "route", STR_INIT("<@a.example,@b.example:c@d>"), STR_INIT("(|@a.example,@b.example|c|d)") },
    { "route with empty parts", STR_INIT("<@a,,@b:c@d>"), STR_INIT("(|@a,@b|c|d)") },
    { "group", STR_INIT("Friends: a@x, B <b@y>;"), STR_INIT("Friends{(||a|x)(B||b|y)}") },
    { "empty group", STR_INIT("undisclosed-recipients:;"), STR_INIT("undisclosed-recipients{}") },
    { "group among others", STR_INIT("a@x, G: b@y;, c@z"), STR_INIT("(||a|x)G{(||b|y)}(||c|z)") },
    { "group without a comma behind", STR_INIT("G: b@y; c@z"), STR_INIT("G{(||b|y)}(||c|z)") },
    { "quoted group", STR_INIT("\"A: B\": a@x;"), STR_INIT("A: B{(||a|x)}") },
    { "empty entries", STR_INIT(" , a@x,, b@y ,"), STR_INIT("(||a|x)(||b|y)") },
    { "utf-8", STR_INIT("J\xc3\xbcrg <j\xc3\xbcrg@b\xc3\xbc.example>"),
      STR_INIT("(J\xc3\xbcrg||j\xc3\xbcrg|b\xc3\xbc.example)") },
    { "encoded words stay", STR_INIT("=?utf-8?q?J=C3=BCrg?= <j@x>"),
      STR_INIT("(=?utf-8?q?J=C3=BCrg?=||j|x)") },
    { "nothing", STR_INIT("  "), STR_INIT("") },
    { "comment only", STR_INIT("(nobody)"), STR_INIT("") },

    { "open group", STR_INIT("G: a@x"), STR_INIT("G{(||a|x)}"), true },
    { "group in a group", STR_INIT("G: H: a@x; , b@y"), STR_INIT("G{(H||a|x)}(||b|y)"), true },
    { "stray semicolon", STR_INIT("a@x; b@y"), STR_INIT("(||a|x)"), true },
    { "group without a name", STR_INIT(": a@x;"), STR_INIT("{(||a|x)}"), true },
    { "no domain", STR_INIT("ann, b@y"), STR_INIT("(||ann|)(||b|y)"), true },
    { "words only", STR_INIT("undisclosed recipients"), STR_INIT("(||undisclosed recipients|)"),
      true },
    { "no angle", STR_INIT("Ann B a.b@x"), STR_INIT("(Ann B||a.b|x)"), true },
    { "address as name", STR_INIT("ann@x.org <ann@x.org>"), STR_INIT("(ann@x.org||ann|x.org)"),
      true },
    { "open angle", STR_INIT("Ann <a@x, b@y"), STR_INIT("(Ann||a|x)(||b|y)"), true },
    { "null path", STR_INIT("<>"), STR_INIT("(|||)"), true },
    { "no local part", STR_INIT("@x"), STR_INIT("(|||x)"), true },
    { "empty local part", STR_INIT("\"\"@x"), STR_INIT("(|||x)"), true },
    { "no domain behind the at", STR_INIT("a@"), STR_INIT("(||a|)"), true },
    { "two ats", STR_INIT("a@b@c"), STR_INIT("(||a|b)"), true },
    { "words in an angle", STR_INIT("<a b@x>"), STR_INIT("(||a b|x)"), true },
    { "domain ends in a dot", STR_INIT("a@x."), STR_INIT("(||a|x.)"), true },
    { "open quote", STR_INIT("\"Ann <a@x>"), STR_INIT("(||Ann <a@x>|)"), true },
    { "open comment", STR_INIT("a@x (Ann"), STR_INIT("(Ann||a|x)"), true },
    { "route without an end", STR_INIT("<@a>"), STR_INIT("(|@a||)"), true },
    { "trash", STR_INIT(")]>\\,\x01"), STR_INIT(""), true },
    { "control byte", STR_INIT("a\x01@x"), STR_INIT("(||a|x)"), true },
};

static void put_list(struct buf *b, const struct address_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct address *at = &list->at[i];
        if (at->kind == ADDRESS_GROUP_END) {
            buf_put_byte(b, '}');
            continue;
        }
        if (at->kind == ADDRESS_MAILBOX) buf_put_byte(b, '(');
        buf_put(b, at->name);
        if (at->kind == ADDRESS_GROUP) {
            buf_put_byte(b, '{');
            continue;
        }
        buf_put_byte(b, '|');
        buf_put(b, at->route);
        buf_put_byte(b, '|');
        buf_put(b, at->local);
        buf_put_byte(b, '|');
        buf_put(b, at->domain);
        buf_put_byte(b, ')');
    }
}

static void lists_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(1000);
        struct address_list list;
        unit_case(cases[i].name);
        address_list_parse(&a, cases[i].value, 100, &list);
        put_list(&b, &list);
        assert_str(buf_str(&b), cases[i].want);
        assert_int_equal(list.broken, cases[i].broken);
        assert_false(list.cut);
        buf_free(&b);
        arena_free(&a);
    }
}

static void lists_are_cut(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1000);
    struct address_list list;
    (void)state;
    address_list_parse(&a, STR("a@x, b@x, c@x"), 2, &list);
    assert_int_equal(list.count, 2);
    assert_true(list.cut);
    address_list_parse(&a, STR("a@x, b@x"), 2, &list);
    assert_false(list.cut);
    address_list_parse(&a, STR("G: a@x, b@x, c@x;"), 3, &list);
    put_list(&b, &list);
    assert_str(buf_str(&b), STR("G{(||a|x)}"));
    assert_true(list.cut);
    address_list_parse(&a, STR("a@x, G: b@x;"), 1, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.at[0].kind, ADDRESS_MAILBOX);
    address_list_parse(&a, STR("a@x, G:;"), 2, &list);
    assert_int_equal(list.count, 1);
    assert_true(list.cut);
    address_list_parse(&a, STR("a@x"), 0, &list);
    assert_int_equal(list.count, 0);
    assert_true(list.cut);
    buf_free(&b);
    arena_free(&a);
}

/* Hundred thousand addresses, and the shapes that made others quadratic, in well under a second. */
static void long_lists_stay_linear(void **state)
{
    static const struct str shapes[] = {
        STR_INIT("a@b.example, "), STR_INIT("\"x\" <a@b>,"), STR_INIT("((((("), STR_INIT("<<<<"),
        STR_INIT("a b "),          STR_INIT("a.b."),         STR_INIT("G:"),    STR_INIT("@a,"),
        STR_INIT("\\\\\\"),        STR_INIT("[[["),          STR_INIT("(a)"),   STR_INIT("\"a\" "),
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(shapes); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(4 << 20);
        struct address_list list;
        for (int n = 0; n < 100000; n++) {
            buf_put(&b, shapes[i]);
        }
        int64_t from = clock_now();
        address_list_parse(&a, buf_str(&b), ADDRESS_LIST_MAX, &list);
        assert_true(clock_now() - from < 2000);
        assert_true(list.count <= ADDRESS_LIST_MAX);
        buf_free(&b);
        arena_free(&a);
    }
}

static void addresses_are_written(void **state)
{
    static const struct {
        struct str local, domain, want;
    } rows[] = {
        { STR_INIT("ann"), STR_INIT("x.org"), STR_INIT("ann@x.org") },
        { STR_INIT("a.b+c"), STR_INIT("[127.0.0.1]"), STR_INIT("a.b+c@[127.0.0.1]") },
        { STR_INIT("a b"), STR_INIT("x"), STR_INIT("\"a b\"@x") },
        { STR_INIT("a\"\\"), STR_INIT("x"), STR_INIT("\"a\\\"\\\\\"@x") },
        { STR_INIT(".a"), STR_INIT("x"), STR_INIT("\".a\"@x") },
        { STR_INIT("a."), STR_INIT("x"), STR_INIT("\"a.\"@x") },
        { STR_INIT("a..b"), STR_INIT("x"), STR_INIT("\"a..b\"@x") },
        { STR_INIT(""), STR_INIT("x"), STR_INIT("\"\"@x") },
        { STR_INIT("a\r\nb"), STR_INIT("x\n"), STR_INIT("\"a?\?b\"@x?") },
        { STR_INIT("postmaster"), STR_INIT(""), STR_INIT("postmaster") },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct buf b = BUF_INIT(100);
        address_put(&b, rows[i].local, rows[i].domain);
        assert_str(buf_str(&b), rows[i].want);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(lists_are_cut),
        cmocka_unit_test(long_lists_stay_linear),
        cmocka_unit_test(addresses_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
