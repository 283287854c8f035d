#include "base/unit.h"

#include "base/clock.h"
#include "syntax/charset.h"
#include "syntax/encoded_word.h"
#include "syntax/utf8.h"

static const struct {
    const char *name;
    struct str text, want;
} cases[] = {
    { "plain", STR_INIT("Hello  there"), STR_INIT("Hello  there") },
    { "nothing", STR_INIT(""), STR_INIT("") },
    { "RFC 2047 8: one", STR_INIT("(=?ISO-8859-1?Q?a?=)"), STR_INIT("(a)") },
    { "RFC 2047 8: word and text", STR_INIT("(=?ISO-8859-1?Q?a?= b)"), STR_INIT("(a b)") },
    { "RFC 2047 8: two words", STR_INIT("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"),
      STR_INIT("(ab)") },
    { "RFC 2047 8: many blanks", STR_INIT("(=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=)"),
      STR_INIT("(ab)") },
    { "RFC 2047 8: underscore", STR_INIT("(=?ISO-8859-1?Q?a_b?=)"), STR_INIT("(a b)") },
    { "RFC 2047 8: blank in a word of its own",
      STR_INIT("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)"), STR_INIT("(a b)") },
    { "RFC 2047 8: names", STR_INIT("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>"),
      STR_INIT("Keith Moore <moore@cs.utk.edu>") },
    { "RFC 2047 8: Danish", STR_INIT("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>"),
      STR_INIT("Keld J\xc3\xb8rn Simonsen <keld@dkuug.dk>") },
    { "RFC 2047 8: two in base64",
      STR_INIT("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
               "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="),
      STR_INIT("If you can read this you understand the example.") },
    { "a character cut in two", STR_INIT("=?utf-8?b?w7zD?= =?UTF-8?B?vA==?="),
      STR_INIT("\xc3\xbc\xc3\xbc") },
    { "language", STR_INIT("=?iso-8859-15*fr?q?10=A4?="), STR_INIT("10\xe2\x82\xac") },
    { "latin-1 as the world writes it", STR_INIT("=?iso-8859-1?q?=93x=94?="),
      STR_INIT("\xe2\x80\x9cx\xe2\x80\x9d") },
    { "cyrillic", STR_INIT("=?koi8-r?b?0NLJ18XU?= =?windows-1251?q?=FF?="),
      STR_INIT("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\xd1\x8f") },
    { "unknown charset", STR_INIT("=?x-nothing?q?a=20b?= =?x-nothing?q?c?= d"),
      STR_INIT("=?x-nothing?q?a=20b?= =?x-nothing?q?c?= d") },
    { "control characters become blanks", STR_INIT("=?utf-8?q?a=0D=0ABcc:_x=00?="),
      STR_INIT("a  Bcc: x ") },
    { "raw control characters too", STR_INIT("a\tb\x01"), STR_INIT("a b ") },
    { "raw utf-8", STR_INIT("\xc3\xbc =?utf-8?q?=C3=BC?="), STR_INIT("\xc3\xbc \xc3\xbc") },
    { "raw bytes that are nothing",
      STR_INIT("a\xfc"
               "b"),
      STR_INIT("a\xef\xbf\xbd"
               "b") },
    { "invalid utf-8 in a word", STR_INIT("=?utf-8?q?=C3x?="), STR_INIT("\xef\xbf\xbdx") },
    { "undefined byte", STR_INIT("=?windows-1253?q?=FF?="), STR_INIT("\xef\xbf\xbd") },
    { "words without a blank between", STR_INIT("=?utf-8?q?a?==?utf-8?q?b?="), STR_INIT("ab") },
    { "inside of a word", STR_INIT("x=?utf-8?q?a?=y"), STR_INIT("xay") },
    { "no end", STR_INIT("=?utf-8?q?abc"), STR_INIT("=?utf-8?q?abc") },
    { "blank inside", STR_INIT("=?utf-8?q?a b?="), STR_INIT("=?utf-8?q?a b?=") },
    { "unknown encoding", STR_INIT("=?utf-8?x?ab?="), STR_INIT("=?utf-8?x?ab?=") },
    { "no charset", STR_INIT("=??q?ab?="), STR_INIT("=??q?ab?=") },
    { "empty text", STR_INIT("a =?utf-8?q?\?= b"), STR_INIT("a  b") },
    { "bad digits", STR_INIT("=?utf-8?q?=4?= =?utf-8?q?=zz?="), STR_INIT("=4=zz") },
    { "base64 without padding", STR_INIT("=?utf-8?b?QUI?="), STR_INIT("AB") },
    { "a beginning before a word", STR_INIT("=?=?utf-8?q?a?="), STR_INIT("=?a") },
    { "blanks at the end", STR_INIT("=?utf-8?q?a?=  "), STR_INIT("a  ") },
};

static void words_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        unit_case(cases[i].name);
        assert_str(encoded_word_decode(&a, cases[i].text), cases[i].want);
        arena_free(&a);
    }
}

static void asian_charsets_are_converted(void **state)
{
    static const struct {
        struct str charset, bytes, want;
    } rows[] = {
        { STR_INIT("ISO-2022-JP"), STR_INIT("\x1b$B$\"\x1b(B!"), STR_INIT("\xe3\x81\x82!") },
        { STR_INIT("shift_jis"), STR_INIT("\x82\xa0"), STR_INIT("\xe3\x81\x82") },
        { STR_INIT("EUC-JP"), STR_INIT("\xa4\xa2"), STR_INIT("\xe3\x81\x82") },
        { STR_INIT("gb2312"), STR_INIT("\xc4\xe3\xba\xc3"), STR_INIT("\xe4\xbd\xa0\xe5\xa5\xbd") },
        { STR_INIT("big5"), STR_INIT("\xa7\x41"), STR_INIT("\xe4\xbd\xa0") },
        { STR_INIT("euc-kr"), STR_INIT("\xb0\xa1"), STR_INIT("\xea\xb0\x80") },
        { STR_INIT("gb2312"),
          STR_INIT("a\xff"
                   "b\xc4"),
          STR_INIT("a\xef\xbf\xbd"
                   "b\xef\xbf\xbd") },
    };
    (void)state;
    if (charset_prepare() > 0) skip(); /* a system without the modules of iconv */
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct buf b = BUF_INIT(100);
        assert_int_equal(charset_to_utf8(&b, rows[i].charset, rows[i].bytes), OK);
        assert_str(buf_str(&b), rows[i].want);
        buf_free(&b);
    }
}

static void characters_are_written(void **state)
{
    struct buf b = BUF_INIT(100);
    (void)state;
    const uint32_t points[] = { 'a', 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff, 0xd800, 0x110000 };
    for (size_t i = 0; i < UNIT_COUNT(points); i++) {
        charset_put_char(&b, points[i]);
    }
    assert_str(buf_str(&b), STR("a\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"
                                "\xef\xbf\xbd\xef\xbf\xbd"));
    assert_int_equal(charset_to_utf8(&b, STR("ISO-2022-CN-EXT"), STR("x")), ERR_UNSUPPORTED);
    assert_int_equal(charset_to_utf8(&b, STR(""), STR("x")), ERR_UNSUPPORTED);
    buf_free(&b);
}

static const struct {
    const char *name;
    struct str text;
    size_t column;
    struct str want;
} encoded[] = {
    { "plain", STR_INIT("Hello there"), 9, STR_INIT("Hello there") },
    { "plain, folded", STR_INIT("one two  three four"), 66, STR_INIT("one two\r\n  three four") },
    { "few foreign letters",
      STR_INIT("Gr\xc3\xbc\xc3\x9f"
               "e"),
      9, STR_INIT("=?utf-8?q?Gr=C3=BC=C3=9Fe?=") },
    { "many foreign letters", STR_INIT("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"), 9,
      STR_INIT("=?utf-8?b?0L/RgNC40LLQtdGC?=") },
    { "looks like an encoded word", STR_INIT("=?x"), 9, STR_INIT("=?utf-8?b?PT94?=") },
    { "a line end cannot get out", STR_INIT("a\r\nBcc: abcdefghijk"), 9,
      STR_INIT("=?utf-8?q?a=0D=0ABcc=3A_abcdefghijk?=") },
    { "not utf-8", STR_INIT("abcdefghijklm\xff"), 9,
      STR_INIT("=?utf-8?q?abcdefghijklm=EF=BF=BD?=") },
    { "little room", STR_INIT("\xc3\xbc"), 60, STR_INIT("\r\n =?utf-8?q?=C3=BC?=") },
    { "nothing", STR_INIT("  "), 9, STR_INIT("") },
};

static void words_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(encoded); i++) {
        struct buf b = BUF_INIT(1000);
        size_t column = encoded[i].column;
        unit_case(encoded[i].name);
        encoded_word_put(&b, encoded[i].text, &column);
        assert_str(buf_str(&b), encoded[i].want);
        buf_free(&b);
    }
}

static void long_texts_stay_within_the_columns(void **state)
{
    static const struct str parts[] = { STR_INIT("word "), STR_INIT("\xc3\xbc"),
                                        STR_INIT("\xe2\x82\xac x"), STR_INIT("\xf0\x9f\x98\x80=") };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(parts); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf text = BUF_INIT(10000), b = BUF_INIT(100000), flat = BUF_INIT(100000);
        struct str left, line;
        size_t column = 9;
        for (int n = 0; n < 200; n++) {
            buf_put(&text, parts[i]);
        }
        encoded_word_put(&b, buf_str(&text), &column);
        bool first = true;
        for (left = buf_str(&b); str_cut(&left, '\n', &line); first = false) {
            if (str_ends(line, STR("\r"))) line.n--;
            assert_true(line.n + (first ? 9 : 0) <= 76);
            assert_true(left.n > 0 || column == line.n);
            buf_put(&flat, line);
        }
        assert_str(encoded_word_decode(&a, buf_str(&flat)), str_trim(buf_str(&text)));
        buf_free(&text);
        buf_free(&b);
        buf_free(&flat);
        arena_free(&a);
    }
}

static void decoding_stays_linear(void **state)
{
    static const struct str shapes[] = { STR_INIT("=?"),
                                         STR_INIT("=?a?q?"),
                                         STR_INIT("=?utf-8?q?a"),
                                         STR_INIT("=?utf-8?q?a?= "),
                                         STR_INIT("=?x?b?a?= "),
                                         STR_INIT("a "),
                                         STR_INIT("=?gb2312?q?=ff?=") };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(shapes); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(2 << 20);
        for (int n = 0; n < 100000; n++) {
            buf_put(&b, shapes[i]);
        }
        int64_t from = clock_now();
        struct str decoded = encoded_word_decode(&a, buf_str(&b));
        assert_true(clock_now() - from < 2000);
        assert_true(utf8_valid(decoded) && decoded.n <= b.n * 3);
        buf_free(&b);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_decoded),
        cmocka_unit_test(asian_charsets_are_converted),
        cmocka_unit_test(characters_are_written),
        cmocka_unit_test(words_are_encoded),
        cmocka_unit_test(long_texts_stay_within_the_columns),
        cmocka_unit_test(decoding_stays_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
