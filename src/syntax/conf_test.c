#include "base/unit.h"

#include "syntax/conf.h"
#include "syntax/conf_value.h"

/* Files by name, for the reader. */
struct file {
    const char *name;
    struct str bytes;
};

static enum err read_file(void *ctx, struct str path, struct arena *a, struct str *bytes_out)
{
    for (const struct file *f = ctx; f->name != NULL; f++) {
        if (!str_eq(str_c(f->name), path)) continue;
        *bytes_out = arena_str(a, f->bytes);
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* The tree on one line: words joined by blanks, quoted ones in '', blocks in {}, lines in "; ". A
 * line that is bad has a '!' before it. Blocks nest at most 8 deep, so an array is the stack. */
static void put_tree(struct buf *b, const struct conf_line *line)
{
    const struct conf_line *stack[CONF_BLOCK_DEPTH_MAX + 1];
    size_t depth = 0;

    stack[0] = line;
    for (;;) {
        line = stack[depth];
        if (line == NULL) {
            if (depth == 0) return;
            buf_put_lit(b, "}");
            depth--;
            if (stack[depth] != NULL) buf_put_lit(b, "; ");
            continue;
        }
        if (line->bad) buf_put_lit(b, "!");
        for (size_t i = 0; i < line->n; i++) {
            if (i > 0) buf_put_lit(b, " ");
            if (line->words[i].quoted) buf_put_lit(b, "'");
            buf_put(b, line->words[i].text);
            if (line->words[i].quoted) buf_put_lit(b, "'");
        }
        stack[depth] = line->next;
        if (line->has_block) {
            buf_put_lit(b, "{");
            stack[++depth] = line->block;
        } else if (line->next != NULL) {
            buf_put_lit(b, "; ");
        }
    }
}

static void put_faults(struct buf *b, const struct conf_faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (i > 0) buf_put_lit(b, "\n");
        conf_fault_put(b, &f->list[i]);
    }
}

static void check(const char *name, const struct file *files, struct str tree, struct str faults)
{
    struct arena a = ARENA_INIT(0);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct conf conf;
    struct buf b = buf_new(1 << 20);

    unit_case(name);
    conf_parse(&a, str_c(files[0].name),
               &(struct conf_reader){ .read = read_file, .ctx = (void *)(uintptr_t)files }, &conf,
               &f);
    conf_faults_sort(&f, &conf);
    put_tree(&b, conf.lines);
    if (!str_eq(buf_str(&b), tree)) print_message("have: %.*s\n", (int)b.n, b.p);
    assert_str(buf_str(&b), tree);
    buf_clear(&b);
    put_faults(&b, &f);
    if (!str_eq(buf_str(&b), faults)) print_message("have: %.*s\n", (int)b.n, b.p);
    assert_str(buf_str(&b), faults);
    buf_free(&b);
    conf_faults_free(&f);
    arena_free(&a);
}

static const struct {
    const char *name;
    struct str text, tree, faults;
} cases[] = {
    { "empty", STR_INIT(""), STR_INIT(""), STR_INIT("") },
    { "only comments", STR_INIT("# a\n\n  # b"), STR_INIT(""), STR_INIT("") },
    { "words", STR_INIT("host  mail.example.org\t# x"), STR_INIT("host mail.example.org"),
      STR_INIT("") },
    { "lines end with CR LF", STR_INIT("a b\r\nc\r\n"), STR_INIT("a b; c"), STR_INIT("") },
    { "byte order mark", STR_INIT("\xef\xbb\xbfhost a"), STR_INIT("host a"), STR_INIT("") },
    { "block", STR_INIT("log {\n to stderr\n level info\n}\nhost a"),
      STR_INIT("log{to stderr; level info}; host a"), STR_INIT("") },
    { "block on one line", STR_INIT("store /x { map 1T; reserve 64M }"),
      STR_INIT("store /x{map 1T; reserve 64M}"), STR_INIT("") },
    { "empty block, close ends the line", STR_INIT("a{}b{c{}}d"), STR_INIT("a{}; b{c{}}; d"),
      STR_INIT("") },
    { "semicolons", STR_INIT(";;a;b c;;"), STR_INIT("a; b c"), STR_INIT("") },
    { "joined lines", STR_INIT("trust a \\\n b \\  \r\n c"), STR_INIT("trust a b c"),
      STR_INIT("") },
    { "quotes", STR_INIT("say \"a b\" \"\" \"{};#\""), STR_INIT("say 'a b' '' '{};#'"),
      STR_INIT("") },
    { "escapes", STR_INIT("say \"a\\\"b\\\\c\\n\\t\\x41\""), STR_INIT("say 'a\"b\\c\n\tA'"),
      STR_INIT("") },
    { "words in UTF-8", STR_INIT("gr\xc3\xbc\xc3\x9f \"\xe2\x82\xac\""),
      STR_INIT("gr\xc3\xbc\xc3\x9f '\xe2\x82\xac'"), STR_INIT("") },
    { "comment in another encoding", STR_INIT("a # K\xf6ln \x01\nb"), STR_INIT("a; b"),
      STR_INIT("") },
    { "addresses are words", STR_INIT("listen smtp [::]:25"), STR_INIT("listen smtp [::]:25"),
      STR_INIT("") },
    { "include is a word when quoted", STR_INIT("\"include\" x"), STR_INIT("'include' x"),
      STR_INIT("") },

    { "open quote", STR_INIT("a \"b\nc"), STR_INIT("!a 'b'; c"),
      STR_INIT("/t:1:3: error: this quotation mark is never closed; end the word with \" on the "
               "same line") },
    { "open quote at the end", STR_INIT("a \"b\\"), STR_INIT("!a 'b'"),
      STR_INIT("/t:1:3: error: this quotation mark is never closed; end the word with \" on the "
               "same line") },
    { "unknown escape, column in characters", STR_INIT("a \"\xc3\xbc\\q\""),
      STR_INIT("!a '\xc3\xbc'"),
      STR_INIT("/t:1:5: error: unknown escape in a quoted word; known are \\\" \\\\ \\n \\t and "
               "\\xHH with two hexadecimal digits") },
    { "half a hexadecimal escape", STR_INIT("a \"\\x4\""), STR_INIT("!a ''"),
      STR_INIT("/t:1:4: error: unknown escape in a quoted word; known are \\\" \\\\ \\n \\t and "
               "\\xHH with two hexadecimal digits") },
    { "quote inside a word", STR_INIT("a b\"c d"), STR_INIT("!a b\"c d"),
      STR_INIT("/t:1:4: error: a quotation mark in the middle of a word; put the whole word into "
               "quotes, or a blank before the mark") },
    { "word behind a quote", STR_INIT("a \"b\"c"), STR_INIT("!a 'b' c"),
      STR_INIT("/t:1:6: error: no blank after the closing quotation mark; put a blank between two "
               "words; a \" inside quotes is written \\\"") },
    { "hash inside a word", STR_INIT("a b#c\nd"), STR_INIT("!a b#c; d"),
      STR_INIT("/t:1:4: error: '#' in the middle of a word; put a blank before it for a comment, "
               "or the word into quotes") },
    { "backslash", STR_INIT("user DOM\\ann x"), STR_INIT("!user DOM\\ann x"),
      STR_INIT("/t:1:9: error: '\\' outside quotes; it joins lines when it is the last thing on a "
               "line after a blank; else put the word into quotes and write \\\\") },
    { "typographic quotes", STR_INIT("a \xe2\x80\x9cx y\xe2\x80\x9d\nb"),
      STR_INIT("!a \xe2\x80\x9cx y\xe2\x80\x9d; b"),
      STR_INIT("/t:1:3: error: typographic quotation mark; write a plain \"") },
    { "no-break space", STR_INIT("host\xc2\xa0mail"), STR_INIT("!host mail"),
      STR_INIT("/t:1:5: error: invisible character U+00a0, not a blank; write a plain blank") },
    { "another encoding", STR_INIT("host K\xf6ln.example"), STR_INIT("!host K\xf6ln.example"),
      STR_INIT("/t:1:7: error: byte 0xf6 is not UTF-8; save the file as UTF-8") },
    { "overlong UTF-8", STR_INIT("a \xc0\xaf"), STR_INIT("!a \xc0\xaf"),
      STR_INIT("/t:1:3: error: byte 0xc0 is not UTF-8; save the file as UTF-8") },
    { "surrogate in UTF-8", STR_INIT("a \"\xed\xa0\x80\""), STR_INIT("!a '\xed\xa0\x80'"),
      STR_INIT("/t:1:4: error: byte 0xed is not UTF-8; save the file as UTF-8") },
    { "control characters, one fault a line", STR_INIT("a \x01\x02\nb \x7f"),
      STR_INIT("!a \x01\x02; !b \x7f"),
      STR_INIT("/t:1:3: error: control character 0x01; take it out\n"
               "/t:2:3: error: control character 0x7f; take it out") },
    { "lone CR", STR_INIT("a\rb"), STR_INIT("!a\rb"),
      STR_INIT("/t:1:2: error: control character 0x0d; lines end with LF or CR LF") },
    { "NUL", STR_INIT("a \"b\0c\""), STR_INIT("!a 'b\0c'"),
      STR_INIT("/t:1:5: error: control character 0x00; take it out") },

    { "close without open", STR_INIT("a\n}\nb"), STR_INIT("a; b"),
      STR_INIT("/t:2:1: error: '}' without a block to close; take it out, or look for the '{' that "
               "is missing above") },
    { "block never closed", STR_INIT("log {\n to stderr\nhost a\n"),
      STR_INIT("log{to stderr; host a}"),
      STR_INIT("/t:1:5: error: this block is never closed; a '}' is missing") },
    { "two blocks never closed", STR_INIT("a {\nb {"), STR_INIT("a{b{}}"),
      STR_INIT("/t:1:3: error: this block is never closed; a '}' is missing\n"
               "/t:2:3: error: this block is never closed; a '}' is missing") },
    { "open on the next line", STR_INIT("log\n{ to stderr }\nhost a"), STR_INIT("log; host a"),
      STR_INIT("/t:2:1: error: '{' without a setting before it; put it on the line of the setting "
               "that the block belongs to") },
    { "nested too deep", STR_INIT("a{a{a{a{a{a{a{a{a{b}}}}}}}}}"),
      STR_INIT("a{a{a{a{a{a{a{a{}}}}}}}}"),
      STR_INIT("/t:1:18: error: blocks inside blocks more than 8 deep; reading ends here") },
    { "include without a name", STR_INIT("include"), STR_INIT(""),
      STR_INIT("/t:1:1: error: include takes one file name; write: include other.conf") },
    { "include with two", STR_INIT("include a b"), STR_INIT(""),
      STR_INIT("/t:1:11: error: include takes one file name; write: include other.conf") },
    { "include with a pattern", STR_INIT("include d/*.conf"), STR_INIT(""),
      STR_INIT("/t:1:9: error: include takes one file name, no pattern; write a line for each "
               "file") },
    { "include with a block", STR_INIT("include a { b }"), STR_INIT(""),
      STR_INIT("/t:1:1: error: include takes no block") },
    { "include of nothing", STR_INIT("include missing"), STR_INIT(""),
      STR_INIT("/t:1:9: error: cannot read /missing: not found") },
    { "include of itself", STR_INIT("include /t"), STR_INIT(""),
      STR_INIT("/t:1:9: error: /t includes itself; take this line out") },
    { "name with NUL", STR_INIT("include \"a\\x00b\""), STR_INIT(""),
      STR_INIT("/t:1:1: error: include takes one file name; write: include other.conf") },
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct file files[] = { { "/t", cases[i].text }, { 0 } };
        check(cases[i].name, files, cases[i].tree, cases[i].faults);
    }
}

static void test_include(void **state)
{
    (void)state;
    struct file files[] = {
        { "/etc/p/main.conf", STR_INIT("a\nlog { include log.conf; x }\ninclude ./sub/b.conf\n"
                                       "include /abs.conf\ninclude log.conf") },
        { "/etc/p/log.conf", STR_INIT("to \"a\\q\"\nlevel info") },
        { "/etc/p/sub/b.conf", STR_INIT("include c.conf\nb }") },
        { "/etc/p/sub/c.conf", STR_INIT("c {") },
        { "/abs.conf", STR_INIT("z") },
        { 0 },
    };
    check("files in files", files,
          STR("a; log{!to 'a'; level info; x}; c{}; b; z; !to 'a'; level info"),
          STR("/etc/p/log.conf:1:6: error: unknown escape in a quoted word; known are \\\" \\\\ "
              "\\n \\t and \\xHH with two hexadecimal digits\n"
              "/etc/p/log.conf:1:6: error: unknown escape in a quoted word; known are \\\" \\\\ "
              "\\n \\t and \\xHH with two hexadecimal digits\n"
              "/etc/p/sub/b.conf:2:3: error: '}' without a block to close; take it out, or look "
              "for the '{' that is missing above\n"
              "/etc/p/sub/c.conf:1:3: error: this block is never closed; a '}' is missing"));

    struct file circle[] = { { "/a", STR_INIT("include b") },
                             { "/b", STR_INIT("x\ninclude a") },
                             { 0 } };
    check("a circle", circle, STR("x"),
          STR("/b:2:9: error: /a includes itself; take this line out"));
    struct file gone[] = { { "/other", STR_INIT("") }, { 0 } };
    struct arena a = ARENA_INIT(0);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct conf conf;
    struct buf b = buf_new(1000);
    conf_parse(&a, STR("/gone"), &(struct conf_reader){ read_file, gone }, &conf, &f);
    put_faults(&b, &f);
    assert_str(buf_str(&b), STR("/gone: error: cannot read /gone: not found"));
    buf_free(&b);
    conf_faults_free(&f);
    arena_free(&a);
}

/* Repeat `unit` and parse; returns the last fault. */
static void check_ceiling(const char *name, struct str unit, size_t times, size_t errors,
                          struct str last)
{
    struct arena a = ARENA_INIT(0);
    struct conf_faults f = CONF_FAULTS_INIT;
    struct conf conf;
    struct buf b = buf_new(CONF_BYTES_MAX * 2);

    unit_case(name);
    for (size_t i = 0; i < times; i++) {
        buf_put(&b, unit);
    }
    struct file files[] = { { "/t", buf_str(&b) }, { 0 } };
    conf_parse(&a, STR("/t"), &(struct conf_reader){ read_file, files }, &conf, &f);
    assert_int_equal(f.errors, errors);
    assert_int_equal(f.n, errors < CONF_FAULTS_MAX ? errors : CONF_FAULTS_MAX);
    if (f.n > 0) {
        buf_clear(&b);
        conf_fault_put(&b, &f.list[f.n - 1]);
        assert_str(buf_str(&b), last);
    }
    buf_free(&b);
    conf_faults_free(&f);
    arena_free(&a);
}

static void test_ceilings(void **state)
{
    (void)state;
    check_ceiling("many words", STR("a\n"), CONF_WORDS_MAX, 0, STR(""));
    check_ceiling("too many words", STR("a\n"), CONF_WORDS_MAX + 1, 1,
                  STR("/t:200001:1: error: more than 200000 words of configuration; reading ends "
                      "here"));
    check_ceiling("longest line", STR("a "), CONF_LINE_WORDS_MAX, 0, STR(""));
    check_ceiling("longer line", STR("a "), CONF_LINE_WORDS_MAX + 1, 1,
                  STR("/t:1:2001: error: more than 1000 words on a line; write several lines of "
                      "the same kind"));
    check_ceiling("longest word", STR("a"), CONF_WORD_BYTES_MAX, 0, STR(""));
    check_ceiling("longer word", STR("a"), CONF_WORD_BYTES_MAX + 1, 1,
                  STR("/t:1:1: error: a word of more than 4096 bytes"));
    check_ceiling("too big", STR("# 4567890123456\n"), CONF_BYTES_MAX / 16 + 1, 1,
                  STR("/t: error: more than 1 MiB of configuration; reading ends here"));
    check_ceiling("more faults than kept", STR("}\n"), 1000, 1000,
                  STR("/t:200:1: error: '}' without a block to close; take it out, or look for "
                      "the '{' that is missing above"));
}

static const struct {
    struct str text;
    enum err time, bytes;
    int64_t ms, size;
} values[] = {
    { STR_INIT("5m"), OK, ERR_SYNTAX, 300000, 0 },
    { STR_INIT("500ms"), OK, ERR_SYNTAX, 500, 0 },
    { STR_INIT("30s"), OK, ERR_SYNTAX, 30000, 0 },
    { STR_INIT("2h"), OK, ERR_SYNTAX, 7200000, 0 },
    { STR_INIT("1d"), OK, ERR_SYNTAX, 86400000, 0 },
    { STR_INIT("1w"), OK, ERR_SYNTAX, 604800000, 0 },
    { STR_INIT("0"), OK, OK, 0, 0 },
    { STR_INIT("10"), ERR_SYNTAX, OK, 0, 10 },
    { STR_INIT("10M"), ERR_SYNTAX, OK, 0, 10 << 20 },
    { STR_INIT("256K"), ERR_SYNTAX, OK, 0, 256 << 10 },
    { STR_INIT("1T"), ERR_SYNTAX, OK, 0, INT64_C(1) << 40 },
    { STR_INIT("8388607T"), ERR_SYNTAX, OK, 0, INT64_C(8388607) << 40 },
    { STR_INIT("8388608T"), ERR_SYNTAX, ERR_RANGE, 0, 0 },
    { STR_INIT("99999999999999999999"), ERR_SYNTAX, ERR_RANGE, 0, 0 },
    { STR_INIT("9223372036854775807w"), ERR_RANGE, ERR_SYNTAX, 0, 0 },
    { STR_INIT(""), ERR_SYNTAX, ERR_SYNTAX, 0, 0 },
    { STR_INIT("m"), ERR_SYNTAX, ERR_SYNTAX, 0, 0 },
    { STR_INIT("5M"), ERR_SYNTAX, OK, 0, 5 << 20 },
    { STR_INIT("5 m"), ERR_SYNTAX, ERR_SYNTAX, 0, 0 },
    { STR_INIT("-5m"), ERR_SYNTAX, ERR_SYNTAX, 0, 0 },
    { STR_INIT("1h30m"), ERR_SYNTAX, ERR_SYNTAX, 0, 0 },
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(values); i++) {
        int64_t ms = 0, size = 0;
        unit_case(values[i].text.p);
        assert_int_equal(conf_parse_time(values[i].text, &ms), values[i].time);
        assert_int_equal(conf_parse_bytes(values[i].text, &size), values[i].bytes);
        assert_int_equal(ms, values[i].ms);
        assert_int_equal(size, values[i].size);
        struct buf b = buf_new(100);
        if (values[i].time == OK) conf_put_time(&b, ms);
        if (values[i].bytes == OK && values[i].time != OK) conf_put_bytes(&b, size);
        if (b.n > 0) assert_str(buf_str(&b), values[i].text);
        buf_free(&b);
    }
    struct buf b = buf_new(100);
    conf_put_time(&b, 90000);
    buf_put_lit(&b, " ");
    conf_put_time(&b, 1500);
    buf_put_lit(&b, " ");
    conf_put_bytes(&b, 1000);
    buf_put_lit(&b, " ");
    conf_put_bytes(&b, 1536);
    assert_str(buf_str(&b), STR("90s 1500ms 1000 1536"));
    buf_free(&b);
}

static const struct {
    struct str word, written;
} words[] = {
    { STR_INIT("plain.word@x:1"), STR_INIT("plain.word@x:1") },
    { STR_INIT(""), STR_INIT("\"\"") },
    { STR_INIT("two words"), STR_INIT("\"two words\"") },
    { STR_INIT("a\"b\\c"), STR_INIT("\"a\\\"b\\\\c\"") },
    { STR_INIT("{}"), STR_INIT("\"{}\"") },
    { STR_INIT("\n\t\x01\xff"), STR_INIT("\"\\n\\t\\x01\\xff\"") },
    { STR_INIT("gr\xc3\xbc\xc3\x9f"), STR_INIT("\"gr\xc3\xbc\xc3\x9f\"") },
    { STR_INIT("\xc2\x85"), STR_INIT("\"\\xc2\\x85\"") },
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(words); i++) {
        struct buf b = buf_new(100);
        unit_case(words[i].written.p);
        conf_put_word(&b, words[i].word);
        assert_str(buf_str(&b), words[i].written);

        struct arena a = ARENA_INIT(0);
        struct conf_faults f = CONF_FAULTS_INIT;
        struct conf conf;
        struct file files[] = { { "/t", buf_str(&b) }, { 0 } };
        conf_parse(&a, STR("/t"), &(struct conf_reader){ read_file, files }, &conf, &f);
        assert_int_equal(f.n, 0);
        assert_str(conf.lines->words[0].text, words[i].word);
        arena_free(&a);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    cmocka_unit_test(test_include),
        cmocka_unit_test(test_ceilings), cmocka_unit_test(test_values),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
