/* Real messages, if this machine has any: those of Python's own tests, and whatever the environment
 * variable MAIL_CORPUS names (a folder of files, one message each). Without them nothing is tested
 * here; nothing of them is kept in the tree.
 *
 * What must hold for every message: the structure is the same for every chunking and survives its
 * record, leaves lie inside of the message, bodies decode and encode without loss, a mended head
 * needs no more mending. */
#include "base/unit.h"

#include "syntax/encoded_word.h"
#include "syntax/encoding.h"
#include "syntax/header.h"
#include "syntax/mend.h"
#include "syntax/structure.h"
#include "syntax/utf8.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MESSAGE_MAX = 16 << 20 };

static void compute(struct arena *a, struct str message, size_t chunk, struct buf *record)
{
    struct structure_builder b;
    struct structure s;
    structure_begin(&b, a);
    for (struct str left = message; left.n > 0; left = str_skip(left, chunk)) {
        structure_feed(&b, str_part(left, 0, chunk));
    }
    structure_end(&b, &s);
    assert_int_equal(s.tree.bytes, message.n);
    structure_encode(&s, record);
}

static void check_leaf(const struct mime_part *part, struct str message)
{
    struct str body = str_part(message, part->body_from, part->body_end - part->body_from);
    struct buf plain = BUF_INIT(body.n + 2000), coded = BUF_INIT(body.n * 4 + 2000);
    struct buf again = BUF_INIT(body.n + 2000);
    struct decoder d;
    struct encoder e;
    decoder_begin(&d, encoding_of(part->encoding));
    decoder_feed(&d, body, &plain);
    decoder_end(&d, &plain);
    for (int text = 0; text < 2; text++) {
        buf_clear(&coded);
        buf_clear(&again);
        encoder_begin(&e, ENCODING_QUOTED_PRINTABLE, text == 1);
        encoder_feed(&e, buf_str(&plain), &coded);
        encoder_end(&e, &coded);
        decoder_begin(&d, ENCODING_QUOTED_PRINTABLE);
        decoder_feed(&d, buf_str(&coded), &again);
        decoder_end(&d, &again);
        assert_str(buf_str(&again), buf_str(&plain));
    }
    buf_free(&plain);
    buf_free(&coded);
    buf_free(&again);
}

static void check_mending(struct arena *a, struct str head)
{
    const struct mend_rules rules = { .message_id = STR("i@d"), .login = STR("ann@example.org") };
    struct mend mend, again;
    struct str which;
    if (mend_head(a, head, &rules, &mend, &which) != MEND_FINE) return;
    struct buf b = BUF_INIT(head.n + 10000);
    size_t at = 0;
    buf_put(&b, mend.prepend);
    for (size_t i = 0; i < mend.drop_count; i++) {
        buf_put(&b, str_part(head, at, mend.drops[i].from - at));
        at = mend.drops[i].end;
    }
    buf_put(&b, str_skip(head, at));
    assert_int_equal(mend_head(a, buf_str(&b), &rules, &again, &which), MEND_FINE);
    assert_int_equal(again.prepend.n + again.drop_count, 0);
    buf_free(&b);
}

static void check_message(struct str message)
{
    struct arena a = ARENA_INIT(0);
    struct buf whole = BUF_INIT(STRUCTURE_RECORD_MAX), pieces = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    compute(&a, message, 1 << 20, &whole);
    compute(&a, message, 61, &pieces);
    assert_str(buf_str(&pieces), buf_str(&whole));
    assert_int_equal(structure_decode(&a, buf_str(&whole), &s), OK);
    for (uint32_t i = 0; i < s.tree.count; i++) {
        const struct mime_part *part = &s.tree.parts[i];
        const struct structure_envelope *e = structure_envelope_of(part);
        if (part->kind == MIME_LEAF) check_leaf(part, message);
        if (e != NULL) assert_true(utf8_valid(encoded_word_decode(&a, e->subject)));
    }
    check_mending(&a, str_part(message, 0, s.tree.parts[0].body_from));
    buf_free(&whole);
    buf_free(&pieces);
    arena_free(&a);
}

static bool check_file(const char *path)
{
    struct stat st;
    struct buf b = BUF_INIT(MESSAGE_MAX);
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (f == NULL) return false;
    for (size_t n = 1; n > 0 && b.n + 65536 <= MESSAGE_MAX;) {
        char *to = buf_reserve(&b, 65536);
        n = fread(to, 1, 65536, f);
        buf_commit(&b, n);
    }
    fclose(f);
    check_message(buf_str(&b));
    buf_free(&b);
    return true;
}

static void messages_of_this_machine(void **state)
{
    const char *folder = getenv("MAIL_CORPUS");
    struct buf own = BUF_INIT(4096);
    glob_t found = { 0 };
    size_t checked = 0;
    (void)state;
    buf_put(&own, str_c(folder));
    buf_put_lit(&own, "/*");
    buf_put_byte(&own, 0);
    glob("/usr/lib/python3*/test/test_email/data/msg_*", 0, NULL, &found);
    if (folder != NULL) glob(own.p, GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        unit_case(found.gl_pathv[i]);
        checked += check_file(found.gl_pathv[i]);
    }
    print_message("%zu messages\n", checked);
    globfree(&found);
    buf_free(&own);
    if (checked == 0) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(messages_of_this_machine) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
