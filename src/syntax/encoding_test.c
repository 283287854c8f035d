#include "base/unit.h"

#include "syntax/encoding.h"

#define QP  ENCODING_QUOTED_PRINTABLE
#define B64 ENCODING_BASE64

static const struct {
    const char *name;
    enum encoding encoding;
    struct str in, want;
    bool clean;
} decoded[] = {
    { "plain", QP, STR_INIT("abc\r\ndef"), STR_INIT("abc\r\ndef"), true },
    { "digits", QP, STR_INIT("=41=62=3D\r\n"), STR_INIT("Ab=\r\n"), true },
    { "lower case digits", QP, STR_INIT("=c3=bc"), STR_INIT("\xc3\xbc"), true },
    { "soft break", QP, STR_INIT("ab=\r\ncd"), STR_INIT("abcd"), true },
    { "soft break with LF", QP, STR_INIT("ab=\ncd\n"), STR_INIT("abcd\n"), true },
    { "soft break with blanks", QP, STR_INIT("ab= \t\r\ncd"), STR_INIT("abcd"), true },
    { "blanks at the end go", QP, STR_INIT("ab \t \r\n c d \r\n"), STR_INIT("ab\r\n c d\r\n"),
      true },
    { "encoded blank at the end stays", QP, STR_INIT("ab=20\r\n"), STR_INIT("ab \r\n"), true },
    { "blanks at the very end go", QP, STR_INIT("ab  "), STR_INIT("ab"), true },
    { "break at the very end", QP, STR_INIT("ab="), STR_INIT("ab"), true },
    { "no digits", QP, STR_INIT("a=zb=4=\r\n=4"), STR_INIT("a=zb=4=4"), false },
    { "equals before equals", QP, STR_INIT("a==41"), STR_INIT("a=A"), false },
    { "bare CR", QP, STR_INIT("a\rb"), STR_INIT("a\rb"), true },
    { "empty lines", QP, STR_INIT("\r\n\r\n=\r\n\r\n"), STR_INIT("\r\n\r\n\r\n"), true },
    { "8-bit passes", QP, STR_INIT("\xc3\xbc"), STR_INIT("\xc3\xbc"), true },
    { "nothing", QP, STR_INIT(""), STR_INIT(""), true },
    { "whole groups", B64, STR_INIT("QUJD\r\nREVG\r\n"), STR_INIT("ABCDEF"), true },
    { "one padding", B64, STR_INIT("QUI="), STR_INIT("AB"), true },
    { "two paddings", B64, STR_INIT("QQ==\r\n"), STR_INIT("A"), true },
    { "no padding", B64, STR_INIT("QUI"), STR_INIT("AB"), true },
    { "behind the padding", B64, STR_INIT("QQ==QUJD"), STR_INIT("A"), true },
    { "groups across lines", B64, STR_INIT("Q\r\nU\r\nJ\r\nD"), STR_INIT("ABC"), true },
    { "foreign bytes", B64, STR_INIT("Q!U-J.D\x80"), STR_INIT("ABC"), false },
    { "one character left", B64, STR_INIT("QUJDQ"), STR_INIT("ABC"), false },
    { "padding first", B64, STR_INIT("=QUJD"), STR_INIT(""), false },
    { "all of the alphabet", B64,
      STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
      STR_INIT(
          "\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b"
          "\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7"
          "\xe3\x9e\xbb\xf3\xdf\xbf"),
      true },
    { "identity", ENCODING_IDENTITY, STR_INIT("a=41 \r\n"), STR_INIT("a=41 \r\n"), true },
    { "unknown", ENCODING_UNKNOWN, STR_INIT("a=41 \r\n"), STR_INIT("a=41 \r\n"), true },
};

static void bodies_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(decoded); i++) {
        unit_case(decoded[i].name);
        for (size_t chunk = 1; chunk < 30; chunk++) {
            struct decoder d;
            struct buf b = BUF_INIT(1000);
            decoder_begin(&d, decoded[i].encoding);
            for (struct str left = decoded[i].in; left.n > 0; left = str_skip(left, chunk)) {
                decoder_feed(&d, str_part(left, 0, chunk), &b);
            }
            decoder_end(&d, &b);
            assert_str(buf_str(&b), decoded[i].want);
            assert_int_equal(d.clean, decoded[i].clean);
            buf_free(&b);
        }
    }
}

static const struct {
    const char *name;
    enum encoding encoding;
    bool text;
    struct str in, want;
} encoded[] = {
    { "plain", QP, true, STR_INIT("abc\r\ndef\r\n"), STR_INIT("abc\r\ndef\r\n") },
    { "8-bit and equals", QP, true, STR_INIT("\xc3\xbc=\r\n"), STR_INIT("=C3=BC=3D\r\n") },
    { "blank at the end", QP, true, STR_INIT("a \r\nb\t"), STR_INIT("a=20\r\nb=09") },
    { "blank inside", QP, true, STR_INIT("a \t b"), STR_INIT("a \t b") },
    { "bare CR and LF", QP, true, STR_INIT("a\rb\nc"), STR_INIT("a=0Db=0Ac") },
    { "line ends of data", QP, false, STR_INIT("a\r\nb"), STR_INIT("a=0D=0Ab") },
    { "From and dot", QP, true, STR_INIT("From a\r\n.\r\nFrom\r\nx From y.\r\n"),
      STR_INIT("=46rom a\r\n=2E\r\nFrom\r\nx From y.\r\n") },
    { "long line", QP, true,
      STR_INIT(
          "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"),
      STR_INIT("012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n"
               "5678901") },
    { "a dot behind a break", QP, true,
      STR_INIT("012345678901234567890123456789012345678901234567890123456789012345678901234.x"),
      STR_INIT("012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n"
               "=2Ex") },
    { "nothing", QP, true, STR_INIT(""), STR_INIT("") },
    { "one", B64, false, STR_INIT("A"), STR_INIT("QQ==\r\n") },
    { "a whole line", B64, false,
      STR_INIT("012345678901234567890123456789012345678901234567890123456"),
      STR_INIT(
          "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n") },
    { "a line and one", B64, false,
      STR_INIT("0123456789012345678901234567890123456789012345678901234567"),
      STR_INIT("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"
               "Nw==\r\n") },
    { "no bytes", B64, false, STR_INIT(""), STR_INIT("") },
    { "identity", ENCODING_IDENTITY, true, STR_INIT("\xc3\xbc \r\n"), STR_INIT("\xc3\xbc \r\n") },
};

static void bodies_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(encoded); i++) {
        unit_case(encoded[i].name);
        for (size_t chunk = 1; chunk < 90; chunk++) {
            struct encoder e;
            struct buf b = BUF_INIT(1000);
            encoder_begin(&e, encoded[i].encoding, encoded[i].text);
            for (struct str left = encoded[i].in; left.n > 0; left = str_skip(left, chunk)) {
                encoder_feed(&e, str_part(left, 0, chunk), &b);
            }
            encoder_end(&e, &b);
            assert_str(buf_str(&b), encoded[i].want);
            buf_free(&b);
        }
    }
}

static void words_name_encodings(void **state)
{
    (void)state;
    assert_int_equal(encoding_of(STR("")), ENCODING_IDENTITY);
    assert_int_equal(encoding_of(STR("8BIT")), ENCODING_IDENTITY);
    assert_int_equal(encoding_of(STR("Quoted-Printable")), QP);
    assert_int_equal(encoding_of(STR("BASE64")), B64);
    assert_int_equal(encoding_of(STR("x-uuencode")), ENCODING_UNKNOWN);
}

static void long_runs_of_blanks_are_bounded(void **state)
{
    struct decoder d;
    struct buf b = BUF_INIT(1 << 20);
    (void)state;
    decoder_begin(&d, QP);
    for (int i = 0; i < 10000; i++) {
        decoder_feed(&d, STR("          "), &b);
        assert_true(d.held.n <= 1000);
    }
    decoder_feed(&d, STR("x"), &b);
    decoder_end(&d, &b);
    assert_int_equal(b.n, 100001);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_decoded),
        cmocka_unit_test(bodies_are_encoded),
        cmocka_unit_test(words_name_encodings),
        cmocka_unit_test(long_runs_of_blanks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
