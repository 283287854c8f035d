#include "mail/directory_text.h"
#include "mail/directory_words.h"
#include "mail/unit_mail.h"

#define S(lit) STR_INIT(lit)

/* ---- words ---- */

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str line, want; /* words between '|' */
        enum err e;
    } cases[] = {
        { "plain", S("a b  c"), S("a|b|c|"), OK },
        { "nothing", S("   "), S(""), OK },
        { "a comment", S("# a b"), S(""), OK },
        { "a comment behind words", S("a b # c"), S("a|b|"), OK },
        { "tabs and CR", S("\ta\tb\r"), S("a|b|"), OK },
        { "quotes", S("\"a b\" c"), S("a b|c|"), OK },
        { "empty in quotes", S("\"\" x"), S("|x|"), OK },
        { "quotes within a word", S("catch-all=\"a b\"@c"), S("catch-all=a b@c|"), OK },
        { "escapes", S("\"\\\"\\\\\\n\\t\\r\""), S("\"\\\n\t\r|"), OK },
        { "a number sign in quotes", S("\"#\""), S("#|"), OK },
        { "an open quote", S("\"a b"), S(""), ERR_SYNTAX },
        { "a backslash at the end", S("\"a\\"), S(""), ERR_SYNTAX },
        { "an unknown escape", S("\"\\x\""), S(""), ERR_SYNTAX },
        { "a control byte", S("a\1b"), S(""), ERR_SYNTAX },
        { "a bare backslash", S("a\\b"), S(""), ERR_SYNTAX },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct arena a = ARENA_INIT(0);
        struct words w = { 0 };
        struct buf have = buf_new(1000);
        assert_int_equal(words_split(cases[i].line, &a, &w), cases[i].e);
        for (size_t j = 0; j < w.n; j++) {
            buf_put(&have, w.at[j]);
            buf_put_byte(&have, '|');
        }
        assert_str(buf_str(&have), cases[i].want);
        unit_case("... and back");
        buf_clear(&have);
        for (size_t j = 0; j < w.n; j++) {
            words_put(&have, w.at[j]);
            buf_put_byte(&have, ' ');
        }
        struct words back;
        assert_int_equal(words_split(buf_str(&have), &a, &back), OK);
        assert_int_equal(back.n, w.n);
        for (size_t j = 0; j < w.n; j++) assert_str(back.at[j], w.at[j]);
        buf_free(&have);
        arena_free(&a);
    }
}

/* ---- faults ---- */

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str text;
        uint32_t line; /* of the first fault; 0: none */
        size_t count;
    } cases[] = {
        { "all good",
          S("# x\n\ndomain a.example catch-all=x@y.example disabled\n"
            "account ann@a.example quota-bytes=5 quota-messages=6 disabled\n"
            "credentials ann@a.example c2VjcmV0\nalias b@a.example x@y.example z@y.example\n"),
          0, 0 },
        { "no line break at the end", S("domain a.example"), 0, 0 },
        { "unknown word", S("domain a.example\nuser x@y"), 2, 1 },
        { "no domain", S("domain -"), 1, 1 },
        { "domain without name", S("domain"), 1, 1 },
        { "unknown option", S("domain a.example quick"), 1, 1 },
        { "catch-all is no address", S("domain a.example catch-all=x"), 1, 1 },
        { "domain twice", S("domain a.example\ndomain A.Example"), 2, 1 },
        { "account twice", S("account a@b.example\naccount A@b.example"), 2, 1 },
        { "account and alias", S("account a@b.example\nalias a@b.example x@y.example"), 2, 1 },
        { "alias and account", S("alias a@b.example x@y.example\naccount a@b.example"), 2, 1 },
        { "no number", S("account a@b.example quota-bytes=5k"), 1, 1 },
        { "no address", S("account nobody"), 1, 1 },
        { "alias without target", S("alias a@b.example"), 1, 1 },
        { "bad target", S("alias a@b.example x@y.example here"), 1, 1 },
        { "credentials of nobody", S("credentials a@b.example c2VjcmV0"), 1, 1 },
        { "credentials no base64", S("account a@b.example\ncredentials a@b.example ?"), 2, 1 },
        { "credentials missing", S("account a@b.example\ncredentials a@b.example"), 2, 1 },
        { "an open quote", S("account \"a"), 1, 1 },
        { "all in one pass", S("x\ny\nz"), 1, 3 },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct arena a = ARENA_INIT(0);
        struct directory_text x;
        assert_int_equal(directory_text_parse(cases[i].text, &a, &x),
                         cases[i].count > 0 ? ERR_SYNTAX : OK);
        assert_int_equal(x.fault_count, cases[i].count);
        if (x.fault_count > 0) assert_int_equal(x.faults[0].line, cases[i].line);
        arena_free(&a);
    }
}

/* ---- making the directory like a text ---- */

struct applying {
    struct directory_diff diff;
    size_t at, next, failed;
};

static enum err apply_body(struct txn *t, void *ctx)
{
    struct applying *x = ctx;
    return directory_diff_apply(t, &x->diff, x->at, unit_now_us, &x->next, &x->failed);
}

/* Diff against the store; the changes as text. */
static enum err diff(struct engine *e, struct str text, bool remove, struct arena *a,
                     struct directory_diff *out, struct buf *told)
{
    struct directory_text x;
    enum err err = OK;
    assert_int_equal(directory_text_parse(text, a, &x), OK);
    UNIT_LOOK(e, t)
    {
        err = directory_text_diff(t, &x, remove, a, out);
    }
    for (size_t i = 0; err == OK && i < out->n; i++) {
        directory_change_put_text(told, &out->changes[i]);
        buf_put_byte(told, '\n');
    }
    return err;
}

static void apply(struct engine *e, const struct directory_diff *d)
{
    struct applying x = { .diff = *d };
    for (; x.at < d->n; x.at = x.next) {
        assert_int_equal(unit_commit(e, apply_body, &x), OK);
        assert_true(x.next > x.at);
    }
}

static void snapshot(struct engine *e, size_t max, struct buf *out)
{
    struct arena a = ARENA_INIT(0);
    struct directory_text_at at = { 0 };
    while (at.part != DIRECTORY_TEXT_END) {
        UNIT_LOOK(e, t)
        {
            assert_int_equal(directory_text_next(t, true, max, &a, &at, out), OK);
        }
    }
    arena_free(&a);
}

static void steps(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str text;
        bool remove;
        struct str changes;
        struct str after; /* empty: the text itself */
    } cases[] = {
        { "from nothing",
          S("domain a.example\n"
            "domain b.example catch-all=ann@a.example disabled\n"
            "account ann@a.example quota-bytes=100\n"
            "credentials ann@a.example c2VjcmV0\n"
            "account \"\\\"two words\\\"@a.example\"\n"
            "alias all@a.example ann@a.example\n"
            "alias all@a.example Bob@else.example\n"),
          true,
          S("+ domain a.example\n"
            "+ domain b.example catch-all=ann@a.example disabled\n"
            "+ account ann@a.example quota-bytes=100\n"
            "+ account \"\\\"two words\\\"@a.example\"\n"
            "~ credentials ann@a.example\n"
            "+ alias all@a.example ann@a.example Bob@else.example\n"),
          S("") },
        { "the same again: nothing",
          S("# order and spelling do not matter\n"
            "alias ALL@a.example ann@a.example Bob@else.example ann@a.example\n"
            "account \"\\\"two words\\\"@a.example\"\n"
            "account ann@a.example quota-bytes=100\n"
            "domain B.example disabled catch-all=ann@a.example\n"
            "domain a.example\n"),
          true, S(""),
          S("domain a.example\n"
            "domain b.example catch-all=ann@a.example disabled\n"
            "account ann@a.example quota-bytes=100\n"
            "credentials ann@a.example c2VjcmV0\n"
            "account \"\\\"two words\\\"@a.example\"\n"
            "alias all@a.example ann@a.example\n"
            "alias all@a.example Bob@else.example\n") },
        { "changes; what is not named stays",
          S("domain b.example\n"
            "account ann@a.example quota-bytes=200\n"
            "credentials ann@a.example bmV3\n"
            "alias all@a.example ann@a.example\n"),
          false,
          S("~ domain b.example\n"
            "~ account ann@a.example quota-bytes=200\n"
            "~ credentials ann@a.example\n"
            "~ alias all@a.example ann@a.example\n"),
          S("domain a.example\n"
            "domain b.example\n"
            "account ann@a.example quota-bytes=200\n"
            "credentials ann@a.example bmV3\n"
            "account \"\\\"two words\\\"@a.example\"\n"
            "alias all@a.example ann@a.example\n") },
        { "what is not named goes, and an alias becomes an account",
          S("domain a.example\n"
            "account all@a.example\n"),
          true,
          S("- alias all@a.example\n"
            "- account ann@a.example\n"
            "- account \"\\\"two words\\\"@a.example\"\n"
            "+ account all@a.example\n"
            "- domain b.example\n"),
          S("") },
    };
    struct engine *e = engine_memory_new();
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct arena a = ARENA_INIT(0);
        struct buf told = buf_new(10000);
        struct directory_diff d;
        assert_int_equal(diff(e, cases[i].text, cases[i].remove, &a, &d, &told), OK);
        assert_str(buf_str(&told), cases[i].changes);
        apply(e, &d);
        for (size_t max = 1; max < 6; max++) {
            struct buf have = buf_new(10000);
            snapshot(e, max, &have);
            assert_str(buf_str(&have), cases[i].after.n > 0 ? cases[i].after : cases[i].text);
            buf_free(&have);
        }
        buf_free(&told);
        arena_free(&a);
    }
    unit_case("a change of kind needs leave to remove");
    struct arena a = ARENA_INIT(0);
    struct buf told = buf_new(1000);
    struct directory_diff d;
    assert_int_equal(diff(e, STR("alias all@a.example x@y.example"), false, &a, &d, &told),
                     ERR_EXISTS);
    buf_free(&told);
    arena_free(&a);
    engine_close(&e);
}

/* Large ones go in several transactions, and the one that fails is named. */
static void large(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct buf text = buf_new(1 << 20), told = buf_new(1 << 20);
    struct directory_diff d;
    struct engine *e = engine_memory_new();
    buf_put_lit(&text, "domain a.example\n");
    for (unsigned i = 0; i < 1000; i++) {
        buf_put_lit(&text, "account u");
        buf_put_u64_width(&text, i, 4);
        buf_put_lit(&text, "@a.example\n");
    }
    assert_int_equal(diff(e, buf_str(&text), true, &a, &d, &told), OK);
    assert_int_equal(d.n, 1001);
    apply(e, &d);
    struct buf have = buf_new(1 << 20);
    snapshot(e, 300, &have);
    assert_str(buf_str(&have), buf_str(&text));

    unit_case("an account in a domain that is not there");
    assert_int_equal(
        diff(e, STR("account x@a.example\naccount x@zzz.example"), false, &a, &d, &told), OK);
    struct applying x = { .diff = d };
    assert_int_equal(unit_commit(e, apply_body, &x), ERR_NOT_FOUND);
    assert_int_equal(x.failed, 1);
    buf_free(&have);
    buf_free(&told);
    buf_free(&text);
    arena_free(&a);
    engine_close(&e);
}

/* A text that is too long for the page's buf is not half written. */
static void full(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    unit_account(e, "ann@example.org", 0, 0);
    unit_account(e, "bob@example.org", 0, 0);
    struct directory_text_at at = { .part = DIRECTORY_TEXT_ACCOUNTS };
    struct buf out = buf_new(40);
    buf_put_lit(&out, "x");
    UNIT_LOOK(e, t)
    {
        assert_int_equal(directory_text_next(t, false, 10, &a, &at, &out), ERR_LIMIT);
    }
    assert_str(buf_str(&out), STR("x"));
    assert_int_equal(at.part, DIRECTORY_TEXT_ACCOUNTS);
    buf_free(&out);
    arena_free(&a);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words), cmocka_unit_test(faults), cmocka_unit_test(steps),
        cmocka_unit_test(large), cmocka_unit_test(full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
