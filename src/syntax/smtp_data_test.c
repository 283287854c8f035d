#include "base/unit.h"

#include "syntax/smtp_data.h"
#include "syntax/smtp_stuff.h"

enum {
    CR = SMTP_DATA_BARE_CR,
    LF = SMTP_DATA_BARE_LF,
    NUL = SMTP_DATA_NUL,
    LONG = SMTP_DATA_LONG_LINE,
    BIG = SMTP_DATA_TOO_BIG,
    STRICT = CR | LF | NUL | LONG,
};

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X499 X50 X50 X50 X50 X50 X50 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct smtp_data_rules refusing = { .refuse = STRICT,
                                                 .line_max_bytes = SMTP_TEXT_LINE_MAX };
static const struct smtp_data_rules taking = { .line_max_bytes = SMTP_TEXT_LINE_MAX };
static const struct smtp_data_rules mending = { .mend = true,
                                                .line_max_bytes = SMTP_TEXT_LINE_MAX };
static const struct smtp_data_rules small = { .refuse = STRICT, .bytes_max = 8 };

/* What comes out, whether the end was seen and what is left behind it. */
static const struct data_case {
    const char *name;
    struct str in, want, rest;
    unsigned faults;
    bool open; /* no end in sight */
    const struct smtp_data_rules *rules;
} cases[] = {
    { "text", STR_INIT("hi\r\n.\r\n"), STR_INIT("hi\r\n"), STR_INIT("") },
    { "no text at all", STR_INIT(".\r\n"), STR_INIT(""), STR_INIT("") },
    { "an empty line", STR_INIT("\r\n.\r\n"), STR_INIT("\r\n"), STR_INIT("") },
    { "what follows stays", STR_INIT("hi\r\n.\r\nMAIL FROM:<>\r\n"), STR_INIT("hi\r\n"),
      STR_INIT("MAIL FROM:<>\r\n") },
    { "stuffed dot goes", STR_INIT("..hi\r\n.\r\n"), STR_INIT(".hi\r\n"), STR_INIT("") },
    { "stuffed lone dot", STR_INIT("a\r\n..\r\n.\r\n"), STR_INIT("a\r\n.\r\n"), STR_INIT("") },
    { "a dot that nobody stuffed goes too", STR_INIT(".hi\r\n.\r\n"), STR_INIT("hi\r\n"),
      STR_INIT("") },
    { "dots inside stay", STR_INIT("a.b\r\nc.\r\n.\r\n"), STR_INIT("a.b\r\nc.\r\n"), STR_INIT("") },
    { "dot and no more", STR_INIT("hi\r\n."), STR_INIT("hi\r\n"), STR_INIT(""), 0, true },
    { "open", STR_INIT("hi\r\n.\r"), STR_INIT("hi\r\n"), STR_INIT(""), 0, true },
    { "LF.LF is no end", STR_INIT("a\n.\nb\r\n.\r\n"), STR_INIT("a\n.\nb\r\n"), STR_INIT(""), LF },
    { "LF.CRLF is no end", STR_INIT("a\n.\r\nb\r\n.\r\n"), STR_INIT("a\n.\r\nb\r\n"), STR_INIT(""),
      LF },
    { "CRLF.LF is no end", STR_INIT("a\r\n.\nb\r\n.\r\n"), STR_INIT("a\r\n\nb\r\n"), STR_INIT(""),
      LF },
    { "CR.CR is no end", STR_INIT("a\r.\rb\r\n.\r\n"), STR_INIT("a\r.\rb\r\n"), STR_INIT(""), CR },
    { "CRLF.CR is no end", STR_INIT("a\r\n.\rb\r\n.\r\n"), STR_INIT("a\r\n\rb\r\n"), STR_INIT(""),
      CR },
    { "CR.CRLF is no end", STR_INIT("a\r.\r\nb\r\n.\r\n"), STR_INIT("a\r.\r\nb\r\n"), STR_INIT(""),
      CR },
    { "CRLF.CRCRLF is no end", STR_INIT("a\r\n.\r\r\nb\r\n.\r\n"), STR_INIT("a\r\n\r\r\nb\r\n"),
      STR_INIT(""), CR },
    { "CRCRLF ends a line", STR_INIT("a\r\r\n.\r\n"), STR_INIT("a\r\r\n"), STR_INIT(""), CR },
    { "CRLF NUL . is no end", STR_INIT("a\r\n\0.\r\nb\r\n.\r\n"), STR_INIT("a\r\n\0.\r\nb\r\n"),
      STR_INIT(""), NUL },
    { "refused text is silent to its end", STR_INIT("\nb\r\n.\r\nQUIT"), STR_INIT(""),
      STR_INIT("QUIT"), LF, false, &refusing },
    { "a bare CR is refused", STR_INIT("\rb\r\n.\r\n"), STR_INIT(""), STR_INIT(""), CR, false,
      &refusing },
    { "a NUL is refused", STR_INIT("\0b\r\n.\r\n"), STR_INIT(""), STR_INIT(""), NUL, false,
      &refusing },
    { "line of 998", STR_INIT(X499 X499 "\r\n.\r\n"), STR_INIT(X499 X499 "\r\n"), STR_INIT(""), 0,
      false, &refusing },
    { "line of 998 behind a stuffed dot", STR_INIT("." X499 X499 "\r\n.\r\n"),
      STR_INIT(X499 X499 "\r\n"), STR_INIT(""), 0, false, &refusing },
    { "line of 999", STR_INIT(X499 X499 "y\r\n.\r\n"), STR_INIT(X499 X499 "y\r\n"), STR_INIT(""),
      LONG },
    { "line of 999 whose dot is not stuffed text", STR_INIT(".." X499 X499 "\r\n.\r\n"),
      STR_INIT("." X499 X499 "\r\n"), STR_INIT(""), LONG },
    { "eight bytes are not too many", STR_INIT("..aaaaa\r\n.\r\n"), STR_INIT(".aaaaa\r\n"),
      STR_INIT(""), 0, false, &small },
    { "mended LF", STR_INIT("a\nb\r\n.\r\n"), STR_INIT("a\r\nb\r\n"), STR_INIT(""), LF, false,
      &mending },
    { "mended CR", STR_INIT("a\rb\r\n.\r\n"), STR_INIT("a b\r\n"), STR_INIT(""), CR, false,
      &mending },
    { "mended CRCRLF", STR_INIT("a\r\r\n.\r\n"), STR_INIT("a \r\n"), STR_INIT(""), CR, false,
      &mending },
    { "mended LF.LF is no end", STR_INIT("a\n.\nb\r\n.\r\n"), STR_INIT("a\r\n.\r\nb\r\n"),
      STR_INIT(""), LF, false, &mending },
    { "mended LF.CRLF is no end", STR_INIT("a\n.\r\nb\r\n.\r\n"), STR_INIT("a\r\n.\r\nb\r\n"),
      STR_INIT(""), LF, false, &mending },
    { "mended CRLF.LF is no end", STR_INIT("a\r\n.\nb\r\n.\r\n"), STR_INIT("a\r\n\r\nb\r\n"),
      STR_INIT(""), LF, false, &mending },
    { "mended CRLF.CRCRLF is no end", STR_INIT("a\r\n.\r\r\nb\r\n.\r\n"),
      STR_INIT("a\r\n \r\nb\r\n"), STR_INIT(""), CR, false, &mending },
};

/* Feed in slices that end at `first` and `second`, and one byte at a time for first = 0. */
static void feed_case(const struct data_case *c, size_t first, size_t second)
{
    struct smtp_data d;
    struct buf b = BUF_INIT(10000);
    size_t at = 0;

    smtp_data_begin(&d, c->rules != NULL ? c->rules : &taking);
    while (at < c->in.n && !d.ended) {
        size_t end = first == 0 ? at + 1 : at < first ? first : at < second ? second : c->in.n;
        at += smtp_data_take(&d, str_part(c->in, at, end - at), &b);
    }
    assert_str(buf_str(&b), c->want);
    assert_int_equal(d.ended, !c->open);
    assert_str(str_skip(c->in, at), c->rest);
    assert_int_equal(d.faults, c->faults);
    assert_int_equal(d.wire_bytes, at);
    if (d.first == 0) assert_int_equal(d.bytes, c->want.n);
    buf_free(&b);
}

static void text_is_decoded_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        size_t n = cases[i].in.n;
        feed_case(&cases[i], 0, 0);
        for (size_t first = 1; first <= n; first += n > 100 ? 97 : 1) {
            for (size_t second = first; second <= n; second += n > 100 ? 331 : 1) {
                feed_case(&cases[i], first, second);
            }
        }
    }
}

static void size_is_bounded(void **state)
{
    (void)state;
    struct smtp_data d;
    struct buf b = BUF_INIT(100);
    smtp_data_begin(&d, &small);
    assert_int_equal(smtp_data_take(&d, STR("1234\r\n"), &b), 6);
    assert_int_equal(d.first, 0);
    assert_int_equal(smtp_data_take(&d, STR("1234\r\n.\r\nNOOP"), &b), 9);
    assert_int_equal(d.first, BIG);
    assert_true(d.ended);
    assert_int_equal(d.bytes, 12);
    assert_str(buf_str(&b), STR("1234\r\n"));
    assert_int_equal(smtp_data_fault_row(d.first)->code, 552);
    assert_int_equal(smtp_data_fault_row(SMTP_DATA_BARE_LF)->code, 550);
    assert_int_equal(smtp_data_take(&d, STR("NOOP"), &b), 0);
    buf_free(&b);
}

static void fault_is_placed(void **state)
{
    (void)state;
    struct smtp_data d;
    struct buf b = BUF_INIT(100);
    smtp_data_begin(&d, &refusing);
    smtp_data_take(&d, STR("ab\r\n..c"), &b);
    smtp_data_take(&d, STR("de\nf\rg"), &b);
    assert_int_equal(d.first, LF);
    assert_int_equal(d.first_at, 9);
    assert_int_equal(d.faults, LF | CR);
    buf_free(&b);
}

static const struct {
    const char *name;
    struct str in;
    uint32_t header_lines, received;
    uint64_t header_bytes, longest_line_bytes;
    bool eight_bit;
} counts[] = {
    { "one hop", STR_INIT("Received: x\r\nFrom: y\r\n\r\nReceived: z\r\n.\r\n"), 2, 1, 24, 11 },
    { "spelling and folds", STR_INIT("RECEIVED:x\r\n y\r\nreceived:\r\n\r\n.\r\n"), 3, 2, 29, 10 },
    { "nearly", STR_INIT("Receive: x\r\n Received: y\r\nXReceived: z\r\n.\r\n"), 3, 0, 40, 12 },
    { "behind a stuffed dot", STR_INIT(".Received: x\r\n\r\n.\r\n"), 1, 1, 15, 11 },
    { "no header", STR_INIT("\r\nReceived: x\r\n.\r\n"), 0, 0, 2, 11 },
    { "other bytes", STR_INIT("Subject: \xc3\xbc\r\n\r\n" X50 "\r\n.\r\n"), 1, 0, 15, 50, true },
    { "other bytes in a long line", STR_INIT(X50 "\xff" X50 "\r\n.\r\n"), 1, 0, 103, 101, true },
};

static void header_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(counts); i++) {
        unit_case(counts[i].name);
        for (size_t step = 1; step <= counts[i].in.n; step++) {
            struct smtp_data d;
            struct buf b = BUF_INIT(1000);
            smtp_data_begin(&d, &taking);
            for (size_t at = 0; at < counts[i].in.n; at += step) {
                smtp_data_take(&d, str_part(counts[i].in, at, step), &b);
            }
            assert_int_equal(d.header_lines, counts[i].header_lines);
            assert_int_equal(d.received, counts[i].received);
            assert_int_equal(d.header_bytes, counts[i].header_bytes);
            assert_int_equal(d.longest_line_bytes, counts[i].longest_line_bytes);
            assert_int_equal(d.eight_bit, counts[i].eight_bit);
            buf_free(&b);
        }
    }
}

static const struct {
    const char *name;
    struct str first, second, want;
    unsigned faults;
    const struct smtp_data_rules *rules;
} chunks[] = {
    { "dots mean nothing", STR_INIT(".\r\n..a\r\n"), STR_INIT(".\r\n"),
      STR_INIT(".\r\n..a\r\n.\r\n"), 0, &refusing },
    { "CRLF across chunks", STR_INIT("a\r"), STR_INIT("\nb\r\n"), STR_INIT("a\r\nb\r\n"), 0,
      &refusing },
    { "a bare LF at the front of a chunk is refused", STR_INIT("\n"), STR_INIT("\n"), STR_INIT(""),
      LF, &refusing },
    { "a CR at the end is refused", STR_INIT("\r"), STR_INIT(""), STR_INIT(""), CR, &refusing },
    { "no line end", STR_INIT("a"), STR_INIT("b"), STR_INIT("ab"), 0, &refusing },
    { "binary", STR_INIT("\0\r\0\n"), STR_INIT("\r"), STR_INIT("\0\r\0\n\r"), CR | LF | NUL,
      &taking },
    { "no line end, mended", STR_INIT("a"), STR_INIT("b"), STR_INIT("ab\r\n"), 0, &mending },
    { "a CR at the end, mended", STR_INIT("a"), STR_INIT("\r"), STR_INIT("a\r\n"), CR, &mending },
    { "an LF at the end, mended", STR_INIT("a"), STR_INIT("\n"), STR_INIT("a\r\n"), LF, &mending },
    { "nothing", STR_INIT(""), STR_INIT(""), STR_INIT(""), 0, &mending },
};

static void chunks_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(chunks); i++) {
        struct smtp_data d;
        struct buf b = BUF_INIT(1000);
        struct str piece;
        unit_case(chunks[i].name);
        smtp_data_begin_chunks(&d, chunks[i].rules);
        assert_int_equal(smtp_data_take(&d, chunks[i].first, &b), chunks[i].first.n);
        assert_int_equal(smtp_data_take(&d, chunks[i].second, &b), chunks[i].second.n);
        if (smtp_data_finish(&d, &piece)) buf_put(&b, piece);
        assert_false(smtp_data_finish(&d, &piece));
        assert_str(buf_str(&b), chunks[i].want);
        assert_int_equal(d.faults, chunks[i].faults);
        assert_true(d.ended);
        bool line = chunks[i].want.n == 0 || str_ends(chunks[i].want, STR("\r\n"));
        if (d.first == 0) assert_int_equal(smtp_data_ends_in_line(&d), line);
        buf_free(&b);
    }
}

static const struct {
    const char *name;
    struct str in, want;
    bool mended;
} stuffed[] = {
    { "text", STR_INIT("hi\r\n"), STR_INIT("hi\r\n.\r\n"), false },
    { "nothing", STR_INIT(""), STR_INIT(".\r\n"), false },
    { "dots", STR_INIT(".\r\n..a\r\nb.\r\n"), STR_INIT("..\r\n...a\r\nb.\r\n.\r\n"), false },
    { "no line end", STR_INIT("hi"), STR_INIT("hi\r\n.\r\n"), false },
    { "dot alone", STR_INIT("."), STR_INIT("..\r\n.\r\n"), false },
    { "bare LF", STR_INIT("a\n.\nb\n"), STR_INIT("a\r\n..\r\nb\r\n.\r\n"), true },
    { "bare CR", STR_INIT("a\r.\rb\r\n"), STR_INIT("a . b\r\n.\r\n"), true },
    { "CR at the end", STR_INIT("a\r"), STR_INIT("a\r\n.\r\n"), true },
    { "CRCRLF", STR_INIT("a\r\r\n.b"), STR_INIT("a \r\n..b\r\n.\r\n"), true },
    { "LF first", STR_INIT("\n.\r\n"), STR_INIT("\r\n..\r\n.\r\n"), true },
};

static void text_is_stuffed_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(stuffed); i++) {
        unit_case(stuffed[i].name);
        for (size_t step = 1; step <= stuffed[i].in.n + 1; step++) {
            struct smtp_data_stuff w = { 0 };
            struct buf b = BUF_INIT(1000);
            for (size_t at = 0; at < stuffed[i].in.n; at += step) {
                smtp_data_stuff(&w, str_part(stuffed[i].in, at, step), &b);
            }
            buf_put(&b, smtp_data_stuff_end(&w));
            assert_str(buf_str(&b), stuffed[i].want);
            assert_int_equal(w.mended, stuffed[i].mended);
            buf_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_decoded_however_it_is_cut),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(fault_is_placed),
        cmocka_unit_test(header_is_counted),
        cmocka_unit_test(chunks_are_checked),
        cmocka_unit_test(text_is_stuffed_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
