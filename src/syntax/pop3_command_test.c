#include "base/unit.h"

#include "syntax/pop3_command.h"

static const struct {
    const char *name;
    struct str line;
    enum err want;
    enum pop3_verb verb;
    struct str text, extra;
    uint32_t number, body_lines;
} cases[] = {
    { "user", STR_INIT("USER ann@example.org"), OK, POP3_VERB_USER, STR_INIT("ann@example.org") },
    { "user in utf-8", STR_INIT("user j\xc3\xbcrg"), OK, POP3_VERB_USER, STR_INIT("j\xc3\xbcrg") },
    { "user without a name", STR_INIT("USER"), ERR_SYNTAX },
    { "user with an empty name", STR_INIT("USER "), ERR_SYNTAX },
    { "password keeps its spaces", STR_INIT("PASS  a b "), OK, POP3_VERB_PASS, STR_INIT(" a b ") },
    { "password with a control byte", STR_INIT("PASS a\x01"), ERR_SYNTAX },
    { "password with NUL", STR_INIT("PASS a\0b"), ERR_SYNTAX },
    { "no password", STR_INIT("PASS"), ERR_SYNTAX },
    { "apop", STR_INIT("APOP mrose c4c9334bac560ecc979e58001b3e22fb"), OK, POP3_VERB_APOP,
      STR_INIT("mrose"), STR_INIT("c4c9334bac560ecc979e58001b3e22fb") },
    { "apop with a short digest", STR_INIT("APOP mrose c4c9334bac560ecc"), ERR_SYNTAX },
    { "apop with a digest that is none", STR_INIT("APOP mrose x4c9334bac560ecc979e58001b3e22fb"),
      ERR_SYNTAX },
    { "apop without a digest", STR_INIT("APOP mrose"), ERR_SYNTAX },
    { "auth alone asks for the list", STR_INIT("AUTH"), OK, POP3_VERB_AUTH },
    { "auth with mechanism", STR_INIT("AUTH PLAIN"), OK, POP3_VERB_AUTH, STR_INIT("PLAIN") },
    { "auth with initial response", STR_INIT("auth plain dGVzdAB0ZXN0AHRlc3Q="), OK, POP3_VERB_AUTH,
      STR_INIT("plain"), STR_INIT("dGVzdAB0ZXN0AHRlc3Q=") },
    { "auth with an empty initial response", STR_INIT("AUTH EXTERNAL ="), OK, POP3_VERB_AUTH,
      STR_INIT("EXTERNAL"), STR_INIT("=") },
    { "auth with what is not base64", STR_INIT("AUTH PLAIN a!b"), ERR_SYNTAX },
    { "auth with three arguments", STR_INIT("AUTH PLAIN dGVz dGVz"), ERR_SYNTAX },
    { "auth with a mechanism that is too long", STR_INIT("AUTH ABCDEFGHIJKLMNOPQRSTU"),
      ERR_SYNTAX },
    { "quit", STR_INIT("QUIT"), OK, POP3_VERB_QUIT },
    { "quit in mixed case with a trailing space", STR_INIT("qUiT "), OK, POP3_VERB_QUIT },
    { "quit with an argument", STR_INIT("QUIT now"), ERR_SYNTAX },
    { "stat", STR_INIT("STAT"), OK, POP3_VERB_STAT },
    { "list", STR_INIT("LIST"), OK, POP3_VERB_LIST },
    { "list of one", STR_INIT("LIST 2"), OK, POP3_VERB_LIST, .number = 2 },
    { "list of none", STR_INIT("LIST 0"), ERR_RANGE },
    { "list of two", STR_INIT("LIST 1 2"), ERR_SYNTAX },
    { "retr", STR_INIT("RETR 2147483647"), OK, POP3_VERB_RETR, .number = 2147483647 },
    { "retr beyond the highest", STR_INIT("RETR 2147483648"), ERR_RANGE },
    { "retr of 2^64 + 1", STR_INIT("RETR 18446744073709551617"), ERR_RANGE },
    { "retr without a number", STR_INIT("RETR"), ERR_SYNTAX },
    { "retr of a negative number", STR_INIT("RETR -1"), ERR_SYNTAX },
    { "retr of a word", STR_INIT("RETR one"), ERR_SYNTAX },
    { "dele with two spaces", STR_INIT("DELE  7"), OK, POP3_VERB_DELE, .number = 7 },
    { "noop", STR_INIT("NOOP"), OK, POP3_VERB_NOOP },
    { "rset", STR_INIT("RSET"), OK, POP3_VERB_RSET },
    { "top", STR_INIT("TOP 1 0"), OK, POP3_VERB_TOP, .number = 1 },
    { "top with lines", STR_INIT("TOP 3 10"), OK, POP3_VERB_TOP, .number = 3, .body_lines = 10 },
    { "top with all lines", STR_INIT("TOP 3 99999999999999999999999"), OK, POP3_VERB_TOP,
      .number = 3, .body_lines = POP3_LINES_ALL },
    { "top without lines", STR_INIT("TOP 3"), ERR_SYNTAX },
    { "top with a negative count", STR_INIT("TOP 3 -1"), ERR_SYNTAX },
    { "top of none", STR_INIT("TOP 0 1"), ERR_RANGE },
    { "uidl", STR_INIT("UIDL"), OK, POP3_VERB_UIDL },
    { "uidl of one", STR_INIT("UIDL 12"), OK, POP3_VERB_UIDL, .number = 12 },
    { "capa", STR_INIT("CAPA"), OK, POP3_VERB_CAPA },
    { "stls", STR_INIT("STLS"), OK, POP3_VERB_STLS },
    { "utf8", STR_INIT("UTF8"), OK, POP3_VERB_UTF8 },
    { "lang alone asks for the list", STR_INIT("LANG"), OK, POP3_VERB_LANG },
    { "lang", STR_INIT("LANG de-CH"), OK, POP3_VERB_LANG, STR_INIT("de-CH") },
    { "lang as the user prefers", STR_INIT("LANG *"), OK, POP3_VERB_LANG, STR_INIT("*") },
    { "lang with a strange tag", STR_INIT("LANG d_e"), ERR_SYNTAX },
    { "empty line", STR_INIT(""), ERR_SYNTAX },
    { "space before the verb", STR_INIT(" QUIT"), ERR_SYNTAX },
    { "a verb of another protocol", STR_INIT("GET / HTTP/1.0"), ERR_UNSUPPORTED },
    { "a longer word that begins like a verb", STR_INIT("QUITE"), ERR_UNSUPPORTED },
    { "bare CR inside", STR_INIT("NOOP\rQUIT"), ERR_SYNTAX },
};

static void each_line_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct pop3_words w = { .verb = POP3_VERB_COUNT };
        unit_case(cases[i].name);
        assert_int_equal(pop3_line_parse(cases[i].line, &w), cases[i].want);
        if (cases[i].want != OK) {
            assert_int_equal(w.verb, POP3_VERB_COUNT);
            continue;
        }
        assert_int_equal(w.verb, cases[i].verb);
        assert_str(w.text, cases[i].text);
        assert_str(w.extra, cases[i].extra);
        assert_int_equal(w.has_extra, cases[i].verb == POP3_VERB_AUTH && cases[i].extra.n > 0);
        assert_int_equal(w.number, cases[i].number);
        assert_int_equal(w.body_lines, cases[i].body_lines);
    }
}

static void every_verb_has_its_name(void **state)
{
    (void)state;
    for (int v = 0; v < POP3_VERB_COUNT; v++) {
        struct pop3_words w;
        enum err e = pop3_line_parse(pop3_verb_name((enum pop3_verb)v), &w);
        assert_true(e == ERR_SYNTAX || (e == OK && w.verb == (enum pop3_verb)v));
    }
}

static void long_lines_are_refused(void **state)
{
    char line[POP3_LINE_MAX - 1];
    struct pop3_words w;
    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "PASS ", 5);
    assert_int_equal(pop3_line_parse(str_of(line, POP3_LINE_MAX - 2), &w), OK);
    assert_int_equal(pop3_line_parse(str_of(line, POP3_LINE_MAX - 1), &w), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_read),
        cmocka_unit_test(every_verb_has_its_name),
        cmocka_unit_test(long_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
