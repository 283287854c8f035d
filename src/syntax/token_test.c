#include "base/unit.h"

#include "syntax/token.h"

static const struct {
    const char *name;
    struct str value;
    unsigned word_class;
    struct str want, comment;
    bool broken;
} cases[] = {
    { "words and specials", STR_INIT("a.b@c"), BYTE_ATEXT, STR_INIT("W:a S:. W:b S:@ W:c "),
      STR_INIT("") },
    { "mime tokens", STR_INIT("text/plain; charset=us-ascii"), BYTE_TOKEN,
      STR_INIT("W:text S:/ W:plain S:; _W:charset S:= W:us-ascii "), STR_INIT("") },
    { "quoted with pairs", STR_INIT("\"a\\\"b\\\\\" c"), BYTE_ATEXT, STR_INIT("Q:a\"b\\ _W:c "),
      STR_INIT("") },
    { "folds go", STR_INIT("\"a\r\n b\"\r\n\tc"), BYTE_ATEXT, STR_INIT("Q:a b _W:c "),
      STR_INIT("") },
    { "comments", STR_INIT("a (b (c) \\) d) e"), BYTE_ATEXT, STR_INIT("W:a _W:e "),
      STR_INIT("b (c) \\) d") },
    { "a comment at the end", STR_INIT("a@b (Ann)"), BYTE_ATEXT, STR_INIT("W:a S:@ W:b "),
      STR_INIT("Ann") },
    { "literal", STR_INIT("a@[127.0.0.1]"), BYTE_ATEXT, STR_INIT("W:a S:@ L:[127.0.0.1] "),
      STR_INIT("") },
    { "open comment", STR_INIT("a ((("), BYTE_ATEXT, STR_INIT("W:a "), STR_INIT("(("), true },
    { "open quote", STR_INIT("\"abc"), BYTE_ATEXT, STR_INIT("Q:abc "), STR_INIT(""), true },
    { "open quote with a quoted end", STR_INIT("\"abc\\\""), BYTE_ATEXT, STR_INIT("Q:abc\" "),
      STR_INIT(""), true },
    { "open quote with a backslash at its end", STR_INIT("\"abc\\"), BYTE_ATEXT,
      STR_INIT("Q:abc\\ "), STR_INIT(""), true },
    { "a quote alone", STR_INIT("\""), BYTE_ATEXT, STR_INIT("Q: "), STR_INIT(""), true },
    { "empty quotes", STR_INIT("\"\""), BYTE_ATEXT, STR_INIT("Q: "), STR_INIT("") },
    { "open literal", STR_INIT("[1"), BYTE_ATEXT, STR_INIT("L:[1 "), STR_INIT(""), true },
    { "control bytes are specials", STR_INIT("a\x01\0b"), BYTE_ATEXT,
      STR_INIT("W:a S:\x01 S:\0 W:b "), STR_INIT("") },
    { "utf-8 is a word", STR_INIT("J\xc3\xbcrg"), BYTE_ATEXT, STR_INIT("W:J\xc3\xbcrg "),
      STR_INIT("") },
    { "nothing", STR_INIT(" \r\n "), BYTE_ATEXT, STR_INIT(""), STR_INIT("") },
};

static void values_fall_into_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf b = BUF_INIT(1000);
        struct token_walk w = token_walk_of(cases[i].value, cases[i].word_class);
        struct token t;
        unit_case(cases[i].name);
        while (token_next(&w, &t)) {
            if (t.spaced) buf_put_byte(&b, '_');
            buf_put_byte(&b, "?WQLS"[t.kind]);
            buf_put_byte(&b, ':');
            token_put(&b, &t);
            buf_put_byte(&b, ' ');
        }
        assert_int_equal(t.kind, TOKEN_END);
        assert_str(buf_str(&b), cases[i].want);
        assert_str(w.comment, cases[i].comment);
        assert_int_equal(w.broken, cases[i].broken);
        buf_free(&b);
    }
}

static void comments_are_unquoted(void **state)
{
    struct buf b = BUF_INIT(100);
    (void)state;
    token_put_comment(&b, STR("Ann (\\)) O\\\\\r\n Neill"));
    assert_str(buf_str(&b), STR("Ann ()) O\\ Neill"));
    buf_free(&b);
}

static void classes_are_those_of_the_grammars(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool visible = c > 32 && c < 127;
        bool special = visible && strchr("()<>[]:;@\\,.\"", c) != NULL;
        bool tspecial = visible && strchr("()<>@,;:\\\"/[]?=", c) != NULL;
        assert_int_equal(byte_is((char)c, BYTE_ATEXT), (visible && !special) || c >= 128);
        assert_int_equal(byte_is((char)c, BYTE_TOKEN), (visible && !tspecial) || c >= 128);
        assert_int_equal(byte_is((char)c, BYTE_FTEXT), visible && c != ':');
        assert_int_equal(byte_is((char)c, BYTE_WSP), c == ' ' || c == '\t');
        assert_int_equal(byte_is((char)c, BYTE_CONTROL), c < 32 || c == 127);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_tokens),
        cmocka_unit_test(comments_are_unquoted),
        cmocka_unit_test(classes_are_those_of_the_grammars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
