#include "base/unit.h"

#include "syntax/header.h"
#include "syntax/mime.h"

/* A tree as text: each part as type[head_from,body_from,body_end lines] with its parts in
 * parentheses; then the flags. */
static void put_tree(struct buf *b, const struct mime_tree *t)
{
    uint32_t at = 0;
    for (;;) {
        const struct mime_part *part = &t->parts[at];
        buf_put(b, part->type);
        buf_put_byte(b, '/');
        buf_put(b, part->subtype);
        buf_put_byte(b, '[');
        buf_put_u64(b, part->head_from);
        buf_put_byte(b, ',');
        buf_put_u64(b, part->body_from);
        buf_put_byte(b, ',');
        buf_put_u64(b, part->body_end);
        buf_put_byte(b, ' ');
        buf_put_u64(b, part->body_lines);
        buf_put_byte(b, ']');
        if (part->first_child != MIME_NO_PART) {
            buf_put_byte(b, '(');
            at = part->first_child;
            continue;
        }
        while (t->parts[at].next == MIME_NO_PART && t->parts[at].parent != MIME_NO_PART) {
            buf_put_byte(b, ')');
            at = t->parts[at].parent;
        }
        if (t->parts[at].next == MIME_NO_PART) break;
        buf_put_byte(b, ' ');
        at = t->parts[at].next;
    }
    if (t->has_8bit) buf_put_lit(b, " 8bit");
    if (t->has_nul) buf_put_lit(b, " nul");
    if (t->broken) buf_put_lit(b, " broken");
    if (t->cut) buf_put_lit(b, " cut");
}

static void parse(struct arena *a, struct str message, size_t chunk, struct mime_tree *tree)
{
    struct mime_parser p;
    mime_parser_init(&p, a, NULL, NULL);
    for (struct str left = message; left.n > 0; left = str_skip(left, chunk)) {
        mime_parser_feed(&p, str_part(left, 0, chunk));
    }
    mime_parser_end(&p, tree);
    assert_int_equal(tree->bytes, message.n);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n" /* 45 bytes */

static const struct {
    const char *name;
    struct str message, want;
} cases[] = {
    { "nothing", STR_INIT(""), STR_INIT("text/plain[0,0,0 0]") },
    { "head only", STR_INIT("A: b\r\n"), STR_INIT("text/plain[0,6,6 0]") },
    { "empty body", STR_INIT("A: b\r\n\r\n"), STR_INIT("text/plain[0,8,8 0]") },
    { "empty head", STR_INIT("\r\nabc\r\n"), STR_INIT("text/plain[0,2,7 1]") },
    { "one line", STR_INIT("A: b\r\n\r\nabc\r\n"), STR_INIT("text/plain[0,8,13 1]") },
    { "a last line without its end", STR_INIT("A: b\r\n\r\nabc\r\nd"),
      STR_INIT("text/plain[0,8,14 2]") },
    { "LF line ends", STR_INIT("A: b\n\nabc\n\n"), STR_INIT("text/plain[0,6,11 2]") },
    { "a type", STR_INIT("Content-type: image/png\r\n\r\nx\r\n"),
      STR_INIT("image/png[0,27,30 1]") },
    { "the first type counts", STR_INIT("Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"),
      STR_INIT("a/b[0,40,40 0]") },
    { "a type that is none", STR_INIT("Content-Type: html\r\n\r\nx"),
      STR_INIT("text/plain[0,22,23 1] broken") },
    { "two parts",
      STR_INIT(MIXED "pre\r\n--b\r\n\r\none\r\n--b\r\nA: b\r\n\r\ntwo\r\n\r\n--b--\r\npost\r\n"),
      STR_INIT("multipart/mixed[0,45,95 11](text/plain[55,57,60 1] text/plain[67,75,80 1])") },
    { "parts with LF",
      STR_INIT("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\n\n--b--"),
      STR_INIT("multipart/mixed[0,43,63 7](text/plain[47,48,51 1] text/plain[56,57,57 0])") },
    { "empty parts", STR_INIT(MIXED "--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n"),
      STR_INIT("multipart/mixed[0,45,68 6](text/plain[50,52,52 0] text/plain[57,59,59 0])") },
    { "a part without an empty line", STR_INIT(MIXED "--b\r\nA: b\r\n--b--\r\n"),
      STR_INIT("multipart/mixed[0,45,63 3](text/plain[50,56,56 0]) broken") },
    { "a boundary right after a boundary", STR_INIT(MIXED "--b\r\n--b\r\n\r\nx\r\n--b--\r\n"),
      STR_INIT(
          "multipart/mixed[0,45,67 5](text/plain[50,50,50 0] text/plain[55,57,58 1]) broken") },
    { "no closing boundary", STR_INIT(MIXED "--b\r\n\r\nx\r\n"),
      STR_INIT("multipart/mixed[0,45,55 3](text/plain[50,52,55 1]) broken") },
    { "no boundary at all", STR_INIT(MIXED "x\r\n"),
      STR_INIT("multipart/mixed[0,45,48 1] broken") },
    { "no boundary parameter", STR_INIT("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n"),
      STR_INIT("multipart/mixed[0,33,43 3] broken") },
    { "closed without a part", STR_INIT(MIXED "--b--\r\n"),
      STR_INIT("multipart/mixed[0,45,52 1] broken") },
    { "head of a multipart only", STR_INIT("Content-Type: multipart/mixed; boundary=b\r\n"),
      STR_INIT("multipart/mixed[0,43,43 0] broken") },
    { "blanks behind the boundary", STR_INIT(MIXED "--b \t \r\n\r\nx\r\n--b-- \r\n"),
      STR_INIT("multipart/mixed[0,45,66 4](text/plain[53,55,56 1])") },
    { "no boundaries",
      STR_INIT(MIXED "--b\r\n\r\n--bc\r\n-- b\r\n ---b\r\n-b\r\n--\r\n--b--x\r\n--b--\r\n"),
      STR_INIT("multipart/mixed[0,45,94 9](text/plain[50,52,85 6])") },
    { "boundaries in the epilogue", STR_INIT(MIXED "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n"),
      STR_INIT("multipart/mixed[0,45,72 7](text/plain[50,52,53 1])") },
    { "nested",
      STR_INIT(MIXED "--b\r\nContent-Type: multipart/alternative; boundary=\"c d\"\r\n\r\n"
                     "--c d\r\n\r\n1\r\n--c d\r\n\r\n2\r\n--c d--\r\n--b\r\n\r\n3\r\n--b--\r\n"),
      STR_INIT(
          "multipart/mixed[0,45,155 14](multipart/alternative[50,105,136 7](text/plain[112,114,115 "
          "1] text/plain[124,126,127 1]) text/plain[143,145,146 1])") },
    { "the inner one is not closed",
      STR_INIT(MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
                     "--c\r\n\r\n1\r\n--b\r\n\r\n3\r\n--b--\r\n"),
      STR_INIT(
          "multipart/mixed[0,45,122 10](multipart/mixed[50,95,103 3](text/plain[100,102,103 1])"
          " text/plain[110,112,113 1]) broken") },
    { "the same boundary inside",
      STR_INIT(MIXED "--b\r\n" MIXED "--b\r\n\r\n1\r\n--b--\r\n--b--\r\n"),
      STR_INIT(
          "multipart/mixed[0,45,119 8](multipart/mixed[50,95,110 4](text/plain[100,102,103 1]))") },
    { "a boundary with a charset",
      STR_INIT("Content-Type: multipart/mixed; "
               "boundary*=us-ascii''a%3Ab\r\n\r\n--a:b\r\n\r\nx\r\n--a:b--\r\n"),
      STR_INIT("multipart/mixed[0,60,81 4](text/plain[67,69,70 1])") },
    { "one boundary begins like the other",
      STR_INIT(
          MIXED
          "--b\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\n1\r\n--b1--\r\n"
          "--b--\r\n"),
      STR_INIT(
          "multipart/mixed[0,45,122 8](multipart/mixed[50,96,113 4](text/plain[102,104,105 1]))") },
    { "a boundary that ends in dashes",
      STR_INIT("Content-Type: multipart/mixed; boundary=b--\r\n\r\n--b--\r\n\r\n1\r\n--b----\r\n"),
      STR_INIT("multipart/mixed[0,47,68 4](text/plain[54,56,57 1])") },
    { "message", STR_INIT("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx\r\n"),
      STR_INIT("message/rfc822[0,32,43 3](text/plain[32,40,43 1])") },
    { "message/global", STR_INIT("Content-Type: message/global\r\n\r\nA: b\r\n\r\nx\r\n"),
      STR_INIT("message/global[0,32,43 3](text/plain[32,40,43 1])") },
    { "other messages are leaves",
      STR_INIT("Content-Type: message/delivery-status\r\n\r\nA: b\r\n"),
      STR_INIT("message/delivery-status[0,41,47 1]") },
    { "an encoded message is a leaf",
      STR_INIT("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n"),
      STR_INIT("message/rfc822[0,67,73 1]") },
    { "an empty message", STR_INIT("Content-Type: message/rfc822\r\n\r\n"),
      STR_INIT("message/rfc822[0,32,32 0](text/plain[32,32,32 0])") },
    { "an empty message without an empty line", STR_INIT("Content-Type: message/rfc822\r\n"),
      STR_INIT("message/rfc822[0,30,30 0](text/plain[30,30,30 0])") },
    { "message in a part, cut by its boundary",
      STR_INIT(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n--b--\r\n"),
      STR_INIT("multipart/mixed[0,45,95 5](message/rfc822[50,82,86 1](text/plain[82,88,88 0])) "
               "broken") },
    { "digest",
      STR_INIT(
          "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--b\r\n"
          "Content-Type: text/plain\r\n\r\ny\r\n--b--\r\n"),
      STR_INIT("multipart/digest[0,46,107 10](message/rfc822[51,53,62 3](text/plain[53,61,62 1]) "
               "text/plain[69,97,98 1])") },
    { "8-bit and NUL", STR_INIT("A: b\r\n\r\n01234567890123456789012345678901234\xc3\xbc\r\n\0"),
      STR_INIT("text/plain[0,8,48 2] 8bit nul") },
    { "a bare CR ends nothing", STR_INIT("A: b\r\rc\r\n\r\nx\ry"),
      STR_INIT("text/plain[0,11,14 1]") },
    { "a boundary as the last line, without its end", STR_INIT(MIXED "--b\r\n\r\nx\r\n--b--"),
      STR_INIT("multipart/mixed[0,45,60 4](text/plain[50,52,53 1])") },
    { "an empty line that belongs to the part", STR_INIT(MIXED "--b\r\n\r\nx\r\n\r\n\r\n--b--"),
      STR_INIT("multipart/mixed[0,45,64 6](text/plain[50,52,57 2])") },
};

static void trees_are_the_same_for_all_chunks(void **state)
{
    static const size_t chunks[] = { 1, 2, 3, 5, 7, 16, 64, 4096 };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        for (size_t c = 0; c < UNIT_COUNT(chunks); c++) {
            struct arena a = ARENA_INIT(0);
            struct buf b = BUF_INIT(10000);
            struct mime_tree tree;
            parse(&a, cases[i].message, chunks[c], &tree);
            put_tree(&b, &tree);
            assert_str(buf_str(&b), cases[i].want);
            buf_free(&b);
            arena_free(&a);
        }
    }
}

static void fields_of_a_part_are_kept(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct mime_tree tree;
    (void)state;
    parse(
        &a,
        STR("Content-Type: text/plain; charset=utf-8\r\nContent-ID:\r\n <a@b>\r\n"
            "Content-Description: some\r\n words\r\nContent-Transfer-Encoding: quoted-printable\r\n"
            "Content-Disposition: inline; filename=x\r\nContent-Language: de, en\r\n"
            "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Location: http://x/y\r\n\r\nbody"),
        100, &tree);
    const struct mime_part *part = tree.parts;
    assert_true(mime_part_is(part, STR("TEXT"), STR("Plain")) &&
                mime_part_is(part, STR("text"), STR_NONE) &&
                !mime_part_is(part, STR("text"), STR("html")));
    assert_str(part->id, STR("<a@b>"));
    assert_str(part->description, STR("some words"));
    assert_str(part->encoding, STR("quoted-printable"));
    assert_str(part->disposition, STR("inline"));
    assert_str(part->disposition_params.at[0].value, STR("x"));
    assert_int_equal(part->language_count, 2);
    assert_str(part->languages[1], STR("en"));
    assert_str(part->md5, STR("Q2hlY2sgSW50ZWdyaXR5IQ=="));
    assert_str(part->location, STR("http://x/y"));
    assert_int_equal(part->head_lines, 11);
    arena_free(&a);
}

struct heads {
    struct buf text;
};

static void note_head(void *ctx, struct mime_part *part, struct str head, bool is_message)
{
    struct heads *h = ctx;
    part->extra = h;
    buf_put(&h->text, is_message ? STR("M{") : STR("P{"));
    buf_put(&h->text, head);
    buf_put_byte(&h->text, '}');
}

static void heads_are_shown_to_the_hook(void **state)
{
    struct str message = STR(MIXED "--b\r\nA: 1\r\n\r\nx\r\n--b\r\nB: 2\r\n--b\r\nContent-Type: "
                                   "message/rfc822\r\n\r\nC: 3\r\n\r\nx\r\n--b--\r\n");
    (void)state;
    for (size_t chunk = 1; chunk < message.n; chunk++) {
        struct arena a = ARENA_INIT(0);
        struct heads h = { .text = BUF_INIT(1000) };
        struct mime_parser p;
        struct mime_tree tree;
        mime_parser_init(&p, &a, note_head, &h);
        for (struct str left = message; left.n > 0; left = str_skip(left, chunk)) {
            mime_parser_feed(&p, str_part(left, 0, chunk));
        }
        mime_parser_end(&p, &tree);
        assert_str(buf_str(&h.text), STR("M{" MIXED "}P{A: 1\r\n\r\n}P{B: 2\r\n}P{Content-Type: "
                                         "message/rfc822\r\n\r\n}M{C: 3\r\n\r\n}"));
        assert_int_equal(tree.count, 5);
        assert_true(tree.parts[4].extra == &h);
        buf_free(&h.text);
        arena_free(&a);
    }
}

static void deep_messages_end_at_the_limit(void **state)
{
    static const struct str shapes[] = {
        STR_INIT("Content-Type: message/rfc822\r\n\r\n"),
        STR_INIT("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
    };
    (void)state;
    for (size_t s = 0; s < UNIT_COUNT(shapes); s++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(1 << 20);
        struct mime_tree tree;
        for (int i = 0; i < 1000; i++) {
            buf_put(&b, shapes[s]);
        }
        parse(&a, buf_str(&b), 1000, &tree);
        assert_int_equal(tree.parts[MIME_DEPTH_MAX - 1].depth, MIME_DEPTH_MAX - 1);
        assert_int_equal(tree.parts[MIME_DEPTH_MAX - 1].first_child, MIME_NO_PART);
        assert_true(tree.cut);
        for (uint32_t i = 0; i < tree.count; i++) {
            assert_true(tree.parts[i].depth < MIME_DEPTH_MAX);
            assert_true(tree.parts[i].body_end <= b.n);
        }
        buf_free(&b);
        arena_free(&a);
    }
}

static void many_parts_end_at_the_limit(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(4 << 20);
    struct mime_tree tree;
    (void)state;
    buf_put_lit(&b, MIXED);
    for (int i = 0; i < MIME_PARTS_MAX + 100; i++) {
        buf_put_lit(&b, "--b\r\nContent-Type: a/b; c=d; e=f; g=h; i=j\r\n\r\nx\r\n");
    }
    buf_put_lit(&b, "--b--\r\n");
    parse(&a, buf_str(&b), 4096, &tree);
    assert_int_equal(tree.count, MIME_PARTS_MAX);
    assert_true(tree.cut && !tree.broken);
    assert_int_equal(tree.parts[0].body_end, b.n);
    assert_int_equal(
        tree.parts[MIME_PARTS_MAX - 1].body_end - tree.parts[MIME_PARTS_MAX - 1].body_from, 1);
    buf_free(&b);
    arena_free(&a);
}

static void long_heads_are_cut(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(HEADER_BYTES_MAX + 1000);
    struct mime_tree tree;
    (void)state;
    buf_put_lit(&b, "A: b\r\n");
    while (b.n < HEADER_BYTES_MAX) {
        buf_put_lit(&b,
                    " 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
    }
    buf_put_lit(&b, "Content-Type: a/b\r\n\r\nbody");
    parse(&a, buf_str(&b), 100000, &tree);
    assert_true(tree.cut);
    assert_int_equal(tree.parts[0].body_end - tree.parts[0].body_from, 4);
    assert_str(tree.parts[0].type, STR("text"));
    buf_free(&b);
    arena_free(&a);
}

static void a_long_line_is_no_boundary(void **state)
{
    (void)state;
    for (size_t blanks = 0; blanks < 600; blanks += 3) {
        struct buf b = BUF_INIT(10000);
        uint32_t counts[3];
        buf_put_lit(&b, MIXED "--b\r\n\r\nx\r\n--b");
        for (size_t i = 0; i < blanks; i++) {
            buf_put_byte(&b, ' ');
        }
        buf_put_lit(&b, "\r\n\r\ny\r\n--b--\r\n");
        for (size_t c = 0; c < 3; c++) {
            struct arena a = ARENA_INIT(0);
            struct mime_tree tree;
            parse(&a, buf_str(&b), c == 0 ? b.n : c, &tree);
            counts[c] = tree.count;
            arena_free(&a);
        }
        assert_true(counts[0] == counts[1] && counts[0] == counts[2]);
        assert_int_equal(counts[0], blanks < 300 ? 3 : blanks > 360 ? 2 : counts[0]);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_the_same_for_all_chunks),
        cmocka_unit_test(fields_of_a_part_are_kept),
        cmocka_unit_test(heads_are_shown_to_the_hook),
        cmocka_unit_test(deep_messages_end_at_the_limit),
        cmocka_unit_test(many_parts_end_at_the_limit),
        cmocka_unit_test(long_heads_are_cut),
        cmocka_unit_test(a_long_line_is_no_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
