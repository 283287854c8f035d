#include "base/unit.h"

#include "base/rand.h"
#include "syntax/mbox.h"

enum { TEXT_MAX = 1 << 20 };

/* ---- From_ lines ---- */

static const struct {
    struct str line, sender;
    int64_t time_s; /* -1: none */
} froms[] = {
    { STR_INIT("From ann@example.org Sat Jan  3 01:05:34 1996"), STR_INIT("ann@example.org"),
      820631134 },
    { STR_INIT("From a Thu Jan  1 00:00:00 1970"), STR_INIT("a"), 0 },
    { STR_INIT("From a Thu Jan 1 00:00 1970"), STR_INIT("a"), 0 },
    { STR_INIT("From a Thu Jan  1 02:00:00 +0200 1970"), STR_INIT("a"), 0 },
    { STR_INIT("From a Thu Jan  1 02:00:00 1970 +0200"), STR_INIT("a"), 0 },
    { STR_INIT("From a Thu Jan  1 00:00:00 GMT 1970"), STR_INIT("a"), 0 },
    { STR_INIT("From a Thu Jan  1 00:00:00 1970 remote from b"), STR_INIT("a"), 0 },
    { STR_INIT("From \"a b\"@c.d Thu Jan  1 00:00:00 1970"), STR_INIT("\"a b\"@c.d"), 0 },
    { STR_INIT("From Thu Jan Fri Jan  2 00:00:00 1970"), STR_INIT("Thu Jan"), 86400 },
    { STR_INIT("From  Thu Jan  1 00:00:00 1970"), STR_INIT(""), 0 },
    { STR_INIT("From here on"), STR_INIT(""), -1 },
    { STR_INIT("From a Thu Jan 32 00:00:00 1970"), STR_INIT(""), -1 },
    { STR_INIT("From a Thu Jan  1 00:00:00"), STR_INIT(""), -1 },
    { STR_INIT("From a Thu Jan  1 00:00:00 70"), STR_INIT(""), -1 },
    { STR_INIT("From: a Thu Jan  1 00:00:00 1970"), STR_INIT(""), -1 },
    { STR_INIT("from a Thu Jan  1 00:00:00 1970"), STR_INIT(""), -1 },
    { STR_INIT("From "), STR_INIT(""), -1 },
    { STR_INIT(""), STR_INIT(""), -1 },
};

static void test_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(froms); i++) {
        struct str sender;
        int64_t time_s;
        unit_case(froms[i].line.p);
        enum err want = froms[i].time_s < 0 ? ERR_SYNTAX : OK;
        assert_int_equal(mbox_from_parse(froms[i].line, &sender, &time_s), want);
        if (want != OK) continue;
        assert_str(sender, froms[i].sender);
        assert_int_equal(time_s, froms[i].time_s);
    }
    struct buf b = BUF_INIT(4000);
    mbox_put_from(&b, STR("a@b"), 86400 * 2);
    mbox_put_from(&b, STR("a b"), 86400 * 12 + 3661);
    mbox_put_from(&b, STR_NONE, 0);
    assert_str(buf_str(&b), STR("From a@b Sat Jan  3 00:00:00 1970\n"
                                "From MAILER-DAEMON Tue Jan 13 01:01:01 1970\n"
                                "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"));
    buf_free(&b);
}

/* ---- reading ---- */

#define FROM "From a Thu Jan  1 00:00:00 1970"

/* What a file of them says: "[from line]text", text in front of the first as "!text". */
static void read_in_pieces(struct str file, size_t piece_bytes, struct buf *out)
{
    struct mbox_reader r;
    struct buf text = BUF_INIT(TEXT_MAX);
    enum mbox_event event = MBOX_MORE;
    mbox_reader_init(&r);
    for (bool end = false; !end || event == MBOX_BEGIN;) {
        struct str piece = str_part(file, 0, piece_bytes);
        file = str_skip(file, piece.n);
        end = piece.n == 0;
        do {
            bool in_message = r.in_message;
            buf_clear(&text);
            event = end ? mbox_finish(&r, &text) : mbox_next(&r, &piece, &text);
            if (text.n > 0 && !in_message && out->n == 0) buf_put_byte(out, '!');
            buf_put(out, buf_str(&text));
            if (event == MBOX_BEGIN) {
                buf_put_byte(out, '[');
                buf_put(out, str_part(buf_str(&r.from), 5, 1));
                buf_put_byte(out, ']');
            }
        } while (event == MBOX_BEGIN);
    }
    mbox_reader_free(&r);
    buf_free(&text);
}

static const struct {
    const char *name;
    struct str file, want;
} reads[] = {
    { "nothing", STR_INIT(""), STR_INIT("") },
    { "one", STR_INIT(FROM "\nS: x\n\nhi\n\n"), STR_INIT("[a]S: x\r\n\r\nhi\r\n") },
    { "two", STR_INIT(FROM "\nA\n\n" FROM "\nB\n\n"), STR_INIT("[a]A\r\n[a]B\r\n") },
    { "no empty line between", STR_INIT(FROM "\nA\n" FROM "\nB\n"), STR_INIT("[a]A[a]B") },
    { "CRLF", STR_INIT(FROM "\r\nA\r\n\r\n" FROM "\r\nB\r\n\r\n"), STR_INIT("[a]A\r\n[a]B\r\n") },
    { "empty messages", STR_INIT(FROM "\n\n" FROM "\n\n"), STR_INIT("[a][a]") },
    { "only From_ lines", STR_INIT(FROM "\n" FROM "\n" FROM), STR_INIT("[a][a][a]") },
    { "cut at the end", STR_INIT(FROM "\nA\nB"), STR_INIT("[a]A\r\nB") },
    { "quoted", STR_INIT(FROM "\n>From x\n>>From y\n> From z\n>Fro\n\n"),
      STR_INIT("[a]From x\r\n>From y\r\n> From z\r\n>Fro\r\n") },
    { "From without a date", STR_INIT(FROM "\nA\n\nFrom here\n\n"),
      STR_INIT("[a]A\r\n\r\nFrom here\r\n") },
    { "From that ends the file", STR_INIT(FROM "\nFrom he"), STR_INIT("[a]From he") },
    { "begins of From", STR_INIT(FROM "\nF\nFr\nFrom\nFrom\r\n>\n\n"),
      STR_INIT("[a]F\r\nFr\r\nFrom\r\nFrom\r\n>\r\n") },
    { "CR in lines", STR_INIT(FROM "\na\rb\r\r\nc\r"), STR_INIT("[a]a\rb\r\r\nc\r") },
    { "blank lines first", STR_INIT("\n\n" FROM "\nA\n\n"), STR_INIT("!\r\n[a]A\r\n") },
    { "something else", STR_INIT("hello\nworld\n"), STR_INIT("!hello\r\nworld") },
    { "empty lines at the end", STR_INIT(FROM "\nA\n\n\n\n"), STR_INIT("[a]A\r\n\r\n\r\n") },
};

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(reads); i++) {
        unit_case(reads[i].name);
        for (size_t n = 1; n < 100; n += n < 20 ? 1 : 17) {
            struct buf out = BUF_INIT(TEXT_MAX);
            read_in_pieces(reads[i].file, n, &out);
            assert_str(buf_str(&out), reads[i].want);
            buf_free(&out);
        }
    }
}

static void test_long_from(void **state)
{
    (void)state;
    struct buf file = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX), want = BUF_INIT(TEXT_MAX);
    buf_put_lit(&file, FROM "\nFrom ");
    buf_put_lit(&want, "[a]From ");
    for (int i = 0; i < 3000; i++) {
        buf_put_byte(&file, 'x');
        buf_put_byte(&want, 'x');
    }
    buf_put_lit(&file, " Thu Jan  1 00:00:00 1970\nB\n\n");
    buf_put_lit(&want, " Thu Jan  1 00:00:00 1970\r\nB\r\n");
    read_in_pieces(buf_str(&file), 700, &out);
    assert_str(buf_str(&out), buf_str(&want));
    buf_free(&file);
    buf_free(&out);
    buf_free(&want);
}

/* ---- writing, and back ---- */

static const struct {
    const char *name;
    struct str text, file;
    bool altered;
} writes[] = {
    { "nothing", STR_INIT(""), STR_INIT("\n"), false },
    { "a line", STR_INIT("a\r\n"), STR_INIT("a\n\n"), false },
    { "no line end", STR_INIT("a"), STR_INIT("a\n"), false },
    { "From", STR_INIT("From x\r\n>From y\r\n From z\r\nfrom\r\n"),
      STR_INIT(">From x\n>>From y\n From z\nfrom\n\n"), false },
    { "From at the end", STR_INIT("a\r\nFrom "), STR_INIT("a\n>From \n"), false },
    { "nearly From at the end", STR_INIT(">>Fro"), STR_INIT(">>Fro\n"), false },
    { "CR", STR_INIT("a\rb\r\r\n\r\r\n"), STR_INIT("a\rb\r\r\n\r\r\n\n"), false },
    { "CR at the end", STR_INIT("a\r"), STR_INIT("a\r\r\n"), false },
    { "CR and CRLF at the end", STR_INIT("\r\r\n\r"), STR_INIT("\r\r\n\r\r\n"), false },
    { "LF", STR_INIT("a\nb\r\n"), STR_INIT("a\nb\n\n"), true },
    { "LF first", STR_INIT("\n"), STR_INIT("\n\n"), true },
};

static void write_in_pieces(struct str text, size_t piece_bytes, struct mbox_writer *w,
                            struct buf *out)
{
    while (text.n > 0) {
        mbox_put_text(w, str_part(text, 0, piece_bytes), out);
        text = str_skip(text, piece_bytes);
    }
    mbox_put_end(w, out);
    assert_int_equal(buf_check(out), OK);
}

static void test_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(writes); i++) {
        unit_case(writes[i].name);
        for (size_t n = 1; n < 30; n++) {
            struct mbox_writer w = { 0 };
            struct buf b = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX), back = BUF_INIT(TEXT_MAX),
                       want = BUF_INIT(TEXT_MAX);
            write_in_pieces(writes[i].text, n, &w, &b);
            assert_str(buf_str(&b), writes[i].file);
            assert_int_equal(w.altered, writes[i].altered);
            for (int k = 0; k < 2; k++) {
                buf_put_lit(&file, FROM "\n");
                buf_put(&file, buf_str(&b));
                buf_put_lit(&want, "[a]");
                buf_put(&want, writes[i].text);
            }
            read_in_pieces(buf_str(&file), n, &back);
            if (!w.altered) assert_str(buf_str(&back), buf_str(&want));
            buf_free(&b);
            buf_free(&file);
            buf_free(&back);
            buf_free(&want);
        }
    }
}

/* ---- fields ---- */

static const struct {
    const char *name;
    struct str head, left;
    struct mbox_meta meta;
    struct str keywords; /* joined */
} metas[] = {
    { "none", STR_INIT("A: b\n\n"), STR_INIT("A: b\n\n"), { 0 }, STR_INIT("") },
    { "block at the front",
      STR_INIT("X-UID: 7\nStatus: RO\nX-Status: AF\nX-Keywords: a $b\nA: b\n"
               "Status: x\n\n"),
      STR_INIT("A: b\nStatus: x\n\n"),
      { 7, 0, 0, MBOX_SEEN | MBOX_OLD | MBOX_ANSWERED | MBOX_FLAGGED, NULL, 2 },
      STR_INIT("a $b ") },
    { "fields in the middle",
      STR_INIT("A: b\nstatus: O\nC: d\nX-IMAP: 12 34 x\nX-UID: 99999999999\nX-Status: DT\n\n"),
      STR_INIT("A: b\nC: d\n\n"),
      { 0, 12, 34, MBOX_OLD | MBOX_DELETED | MBOX_DRAFT, NULL, 0 },
      STR_INIT("") },
    { "keywords over lines",
      STR_INIT("A: b\nX-Keywords: a\n  b\nX-Keywords: c      \n\n"),
      STR_INIT("A: b\n\n"),
      { 0, 0, 0, 0, NULL, 3 },
      STR_INIT("a b c ") },
    { "only the block",
      STR_INIT("X-UID: 1\n"),
      STR_INIT(""),
      { 1, 0, 0, 0, NULL, 0 },
      STR_INIT("") },
};

static void check_meta(const struct mbox_meta *have, const struct mbox_meta *want, struct str words)
{
    struct buf b = BUF_INIT(10000);
    assert_int_equal(have->uid, want->uid);
    assert_int_equal(have->uid_validity, want->uid_validity);
    assert_int_equal(have->uid_last, want->uid_last);
    assert_int_equal(have->flags, want->flags);
    assert_int_equal(have->keyword_count, want->keyword_count);
    for (size_t i = 0; i < have->keyword_count; i++) {
        buf_put(&b, have->keywords[i]);
        buf_put_byte(&b, ' ');
    }
    assert_str(buf_str(&b), words);
    buf_free(&b);
}

static void test_metas(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(metas); i++) {
        struct arena a = ARENA_INIT(0);
        struct mbox_meta m;
        struct mbox_range *drops;
        size_t n, at = 0;
        struct buf left = BUF_INIT(10000);
        unit_case(metas[i].name);
        mbox_meta_take(&a, metas[i].head, &m, &drops, &n);
        check_meta(&m, &metas[i].meta, metas[i].keywords);
        for (size_t k = 0; k < n; k++) {
            buf_put(&left, str_part(metas[i].head, at, drops[k].from - at));
            at = drops[k].end;
        }
        buf_put(&left, str_skip(metas[i].head, at));
        assert_str(buf_str(&left), metas[i].left);

        /* What was read is written, and read again. */
        struct buf b = BUF_INIT(100000);
        struct mbox_meta again;
        mbox_meta_put(&b, &m, m.uid_validity > 0);
        buf_put_lit(&b, "Status: of the message\n");
        mbox_meta_take(&a, buf_str(&b), &again, &drops, &n);
        check_meta(&again, &m, metas[i].keywords);
        assert_int_equal(n, 1);
        assert_str(str_skip(buf_str(&b), drops[0].end), STR("Status: of the message\n"));
        buf_free(&b);
        buf_free(&left);
        arena_free(&a);
    }
}

static void test_many_keywords(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct mbox_meta m = { .uid = 1, .keywords = ARENA_MANY(&a, struct str, MBOX_KEYWORDS_MAX) };
    struct buf b = BUF_INIT(100000);
    struct mbox_range *drops;
    size_t n;
    for (; m.keyword_count < MBOX_KEYWORDS_MAX; m.keyword_count++) {
        m.keywords[m.keyword_count] = STR("a-keyword-of-some-length");
    }
    mbox_meta_put(&b, &m, false);
    for (struct str left = buf_str(&b), line; str_cut(&left, '\n', &line);) {
        assert_true(line.n < 998);
    }
    mbox_meta_take(&a, buf_str(&b), &m, &drops, &n);
    assert_int_equal(m.keyword_count, MBOX_KEYWORDS_MAX);
    assert_int_equal(drops[0].end, b.n);
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from),      cmocka_unit_test(test_reads),
        cmocka_unit_test(test_long_from), cmocka_unit_test(test_writes),
        cmocka_unit_test(test_metas),     cmocka_unit_test(test_many_keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
