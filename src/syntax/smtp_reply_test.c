#include "base/unit.h"

#include "syntax/smtp_reply.h"

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X496 X50 X50 X50 X50 X50 X50 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NONE                                                                                       \
    {                                                                                              \
        0, 0, 0                                                                                    \
    }

static const struct {
    const char *name;
    unsigned code;
    struct smtp_enhanced enhanced;
    struct str text, want;
    bool utf8;
} written[] = {
    { "one line",
      250,
      { 2, 1, 5 },
      STR_INIT("recipient ok"),
      STR_INIT("250 2.1.5 recipient ok\r\n") },
    { "no enhanced code", 354, NONE, STR_INIT("go on"), STR_INIT("354 go on\r\n") },
    { "several lines", 250, NONE, STR_INIT("host\nPIPELINING\nSIZE 1"),
      STR_INIT("250-host\r\n250-PIPELINING\r\n250 SIZE 1\r\n") },
    { "several lines with enhanced codes",
      550,
      { 5, 7, 1 },
      STR_INIT("no\r\nreally not"),
      STR_INIT("550-5.7.1 no\r\n550 5.7.1 really not\r\n") },
    { "no text", 250, { 2, 0, 0 }, STR_INIT(""), STR_INIT("250 2.0.0\r\n") },
    { "nothing at all", 250, NONE, STR_INIT(""), STR_INIT("250 \r\n") },
    { "line end at the end", 250, NONE, STR_INIT("a\n"), STR_INIT("250-a\r\n250 \r\n") },
    { "control bytes",
      550,
      { 5, 0, 0 },
      STR_INIT("a\r250 ok\t\0\x7f."),
      STR_INIT("550 5.0.0 a?250 ok???.\r\n") },
    { "other bytes",
      550,
      { 5, 0, 0 },
      STR_INIT("j\xc3\xb6rg\xff"),
      STR_INIT("550 5.0.0 j?rg?\r\n") },
    { "UTF-8",
      550,
      { 5, 0, 0 },
      STR_INIT("j\xc3\xb6rg\xff\xc2\x85"),
      STR_INIT("550 5.0.0 j\xc3\xb6rg??\r\n"),
      true },
    { "line that just fits", 250, NONE, STR_INIT(X496), STR_INIT("250 " X496 "\r\n") },
    { "line that is cut at a space", 250, NONE, STR_INIT(X50 " " X496),
      STR_INIT("250-" X50 "\r\n250 " X496 "\r\n") },
    { "line that is cut anywhere",
      550,
      { 5, 1, 1 },
      STR_INIT(X496 "yy"),
      STR_INIT("550-5.1.1 " X496 "\r\n550 5.1.1 yy\r\n") },
    { "line that is cut before a character", 250, NONE, STR_INIT("y" X496 "\xc3\xb6"),
      STR_INIT("250-y" X50 X50 X50 X50 X50 X50 X50 X50 X50
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n250 x\xc3\xb6\r\n"),
      true },
};

static void replies_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(written); i++) {
        struct buf b = BUF_INIT(10000);
        unit_case(written[i].name);
        smtp_reply_put(&b, written[i].code, written[i].enhanced, written[i].text, written[i].utf8);
        assert_str(buf_str(&b), written[i].want);
        buf_free(&b);
    }
}

static const struct {
    const char *name;
    struct str lines, text;
    enum err e; /* of the last line */
    unsigned code;
    struct smtp_enhanced enhanced;
} read[] = {
    { "one line", STR_INIT("250 ok"), STR_INIT("ok"), OK, 250, NONE },
    { "enhanced code",
      STR_INIT("550 5.1.1 no such user"),
      STR_INIT("no such user"),
      OK,
      550,
      { 5, 1, 1 } },
    { "enhanced code alone", STR_INIT("250 2.0.0"), STR_INIT(""), OK, 250, { 2, 0, 0 } },
    { "enhanced code of another class", STR_INIT("550 4.1.1 x"), STR_INIT("4.1.1 x"), OK, 550,
      NONE },
    { "version that looks like a code", STR_INIT("220 2.10.0.1 x"), STR_INIT("2.10.0.1 x"), OK, 220,
      NONE },
    { "code alone", STR_INIT("250"), STR_INIT(""), OK, 250, NONE },
    { "second digit beyond the grammar", STR_INIT("571 no"), STR_INIT("no"), OK, 571, NONE },
    { "several lines", STR_INIT("250-5.0\n250-2.0.0 b\n250 c"), STR_INIT("5.0\nb\nc"), OK, 250,
      NONE },
    { "more to come", STR_INIT("250-a"), STR_INIT("a"), ERR_AGAIN, 250, NONE },
    { "another code", STR_INIT("250-a\n251 b"), STR_INIT("a"), ERR_PROTOCOL, 250, NONE },
    { "two digits", STR_INIT("25 a"), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
    { "four digits", STR_INIT("2500 a"), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
    { "1xx", STR_INIT("199 a"), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
    { "6xx", STR_INIT("600 a"), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
    { "nothing", STR_INIT(""), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
    { "HTTP", STR_INIT("HTTP/1.1 200"), STR_INIT(""), ERR_PROTOCOL, 0, NONE },
};

static void replies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(read); i++) {
        struct smtp_reply r;
        struct str lines = read[i].lines, line = STR_NONE;
        enum err e = ERR_AGAIN;
        unit_case(read[i].name);
        smtp_reply_begin(&r);
        do {
            if (!str_cut(&lines, '\n', &line)) line = STR_NONE;
            e = smtp_reply_add(&r, line);
        } while (lines.n > 0 && e == ERR_AGAIN);
        assert_int_equal(e, read[i].e);
        assert_str(r.text, read[i].text);
        assert_int_equal(r.code, read[i].code);
        assert_int_equal(r.enhanced.class, read[i].enhanced.class);
        assert_int_equal(r.enhanced.subject, read[i].enhanced.subject);
        assert_int_equal(r.enhanced.detail, read[i].enhanced.detail);
        smtp_reply_free(&r);
    }
}

static void floods_are_bounded(void **state)
{
    (void)state;
    struct smtp_reply r;
    enum err e = ERR_AGAIN;
    smtp_reply_begin(&r);
    uint32_t lines = 0;
    while (e == ERR_AGAIN) {
        e = smtp_reply_add(&r, STR("250-" X496));
        lines++;
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_int_equal(lines, SMTP_REPLY_LINES_MAX + 1);
    assert_true(r.cut);
    assert_int_equal(r.text.n, SMTP_REPLY_TEXT_MAX);
    smtp_reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_written),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(floods_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
