#include "base/unit.h"

#include "base/clock.h"
#include "syntax/structure.h"
#include "tool/message.h"
#include "tool/print.h"

#include <stdio.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct str message, lines;
} cases[] = {
    { "one part", STR_INIT("Subject: =?utf-8?q?=C3=A4?=\r\n\r\nhi\r\n"),
      STR_INIT("subject=\xc3\xa4\npart 1=text/plain; 4 bytes at 131, 1 lines\n") },
    { "nothing", STR_INIT(""), STR_INIT("part 1=text/plain; 0 bytes at 100, 0 lines\n") },
    { "addresses and a group", STR_INIT("To: a@b.c, G: d@e.f, \"g\" <h@i.j>;, k@l.m\r\n\r\n"),
      STR_INIT("to=<a@b.c>, G: <d@e.f>, g <h@i.j>;, <k@l.m>\n"
               "part 1=text/plain; 0 bytes at 144, 0 lines\n") },
    { "a tree",
      STR_INIT("Content-Type: multipart/mixed; boundary=b\r\n\r\n"
               "--b\r\n\r\na\r\n"
               "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
               "--c\r\n\r\nx\r\n--c\r\n\r\ny\r\n--c--\r\n"
               "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nz\r\n"
               "--b\r\nContent-Type: message/rfc822\r\n\r\n"
               "Content-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\r\nw\r\n--d--\r\n"
               "--b--\r\n"),
      STR_INIT("part 0=multipart/mixed; boundary=b; 254 bytes at 145, 29 lines\n"
               "part 1=text/plain; 1 bytes at 152, 1 lines\n"
               "part 2=multipart/alternative; boundary=c; 25 bytes at 211, 7 lines\n"
               "part 2.1=text/plain; 1 bytes at 218, 1 lines\n"
               "part 2.2=text/plain; 1 bytes at 228, 1 lines\n"
               "part 3=message/rfc822; 16 bytes at 275, 3 lines\n"
               "part 3.1=text/plain; 1 bytes at 290, 1 lines\n"
               "3: subject=in\n"
               "part 4=message/rfc822; 60 bytes at 330, 6 lines\n"
               "part 4.0=multipart/mixed; boundary=d; 15 bytes at 375, 4 lines\n"
               "part 4.1=text/plain; 1 bytes at 382, 1 lines\n") },
    { "attachment",
      STR_INIT("Content-Type: application/pdf; name*=utf-8''%C3%A4.pdf\r\n"
               "Content-Transfer-Encoding: BASE64\r\n"
               "Content-Disposition: ATTACHMENT; filename=x\r\n\r\n"),
      STR_INIT(
          "part 1=application/pdf; name=\xc3\xa4.pdf; encoding base64; 0 bytes at 238, 0 lines; "
          "attachment; filename=x\n") },
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct structure_builder b;
        struct structure s;
        struct buf record = BUF_INIT(STRUCTURE_RECORD_MAX), text = BUF_INIT(65536);
        struct str *cells;
        size_t n;
        unit_case(cases[i].name);
        structure_begin(&b, &a);
        structure_feed(&b, cases[i].message);
        structure_end(&b, &s);
        structure_encode(&s, &record);
        assert_int_equal(message_structure_lines(&a, buf_str(&record), 100, &cells, &n), OK);
        for (size_t k = 0; k < n; k += 2) {
            buf_put(&text, cells[k]);
            buf_put_byte(&text, '=');
            buf_put(&text, cells[k + 1]);
            buf_put_byte(&text, '\n');
        }
        assert_str(buf_str(&text), cases[i].lines);
        /* Cut anywhere it is refused, and never more than that. */
        for (size_t k = 0; k < record.n; k++) {
            enum err e =
                message_structure_lines(&a, str_part(buf_str(&record), 0, k), 0, &cells, &n);
            assert_true(e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
        }
        buf_free(&record);
        buf_free(&text);
        arena_free(&a);
    }
}

/* ---- bytes in JSON ---- */

static void printed(struct buf *out, const struct str *pieces, size_t n, enum printer_kind kind,
                    bool fails)
{
    FILE *to = tmpfile();
    struct printer p;
    assert_non_null(to);
    (void)fflush(stdout);
    int kept = dup(1);
    assert_int_equal(dup2(fileno(to), 1), 1);
    printer_begin_as(&p, true, kind);
    for (size_t i = 0; i < n; i++) {
        printer_data(&p, pieces[i]);
    }
    if (fails) printer_message(&p, STR("why"), true);
    printer_end(&p);
    (void)fflush(stdout);
    assert_int_equal(dup2(kept, 1), 1);
    close(kept);
    rewind(to);
    char *at = buf_reserve(out, 4096);
    buf_commit(out, fread(at, 1, 4096, to));
    (void)fclose(to);
}

static void test_json(void **state)
{
    static const struct {
        const char *name;
        struct str pieces[4];
        size_t n;
        enum printer_kind kind;
        bool fails;
        struct str want;
    } jsons[] = {
        { "no bytes", { { "", 0 } }, 0, PRINT_BYTES, false, STR_INIT("{\"base64\":\"\"}\n") },
        { "one piece",
          { STR_INIT("abcd") },
          1,
          PRINT_BYTES,
          false,
          STR_INIT("{\"base64\":\"YWJjZA==\"}\n") },
        { "pieces off the groups",
          { STR_INIT("a"), STR_INIT("bcde"), STR_INIT("f"), STR_INIT("g") },
          4,
          PRINT_BYTES,
          false,
          STR_INIT("{\"base64\":\"YWJjZGVmZw==\"}\n") },
        { "failure in the middle",
          { STR_INIT("ab") },
          1,
          PRINT_BYTES,
          true,
          STR_INIT("{\"base64\":\"YWI=\",\"error\":\"why\"}\n") },
        { "failure at once",
          { { "", 0 } },
          0,
          PRINT_BYTES,
          true,
          STR_INIT("{\"error\":\"why\"}\n") },
        { "text",
          { STR_INIT("a \"b\"\n"), STR_INIT("c") },
          2,
          PRINT_TEXT,
          false,
          STR_INIT("{\"text\":\"a \\\"b\\\"\\u000ac\"}\n") },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(jsons); i++) {
        struct buf out = BUF_INIT(4096);
        unit_case(jsons[i].name);
        printed(&out, jsons[i].pieces, jsons[i].n, jsons[i].kind, jsons[i].fails);
        assert_str(buf_str(&out), jsons[i].want);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
