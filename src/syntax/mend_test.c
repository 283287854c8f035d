#include "base/unit.h"

#include "syntax/header.h"
#include "syntax/mend.h"

static const struct str own[] = { STR_INIT("ann@example.org"), STR_INIT("Sales@example.org"),
                                  STR_INIT("\"a b\"@example.org") };
static const struct mend_rules rules = {
    .time_s = 1795298400,
    .message_id = STR_INIT("1@mx.example.org"),
    .login = STR_INIT("ann@example.org"),
    .own = own,
    .own_count = 3,
    .detail_separator = '+',
};

#define DATE   "Date: Sat, 21 Nov 2026 22:00:00 +0000\r\n"
#define ID     "Message-ID: <1@mx.example.org>\r\n"
#define SENDER "Sender: <ann@example.org>\r\n"
#define OWN    "From: Ann <ann@example.org>\r\n"
#define WHOLE  OWN "Date: 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <x@y>\r\n"

static const struct {
    const char *name;
    struct str head, want; /* want: the head after mending, or the name of the faulty field */
    enum mend_fault fault;
} cases[] = {
    { "whole", STR_INIT(WHOLE "\r\n"), STR_INIT(WHOLE "\r\n") },
    { "no date", STR_INIT(OWN "Message-ID: <x@y>\r\n\r\n"),
      STR_INIT(DATE OWN "Message-ID: <x@y>\r\n\r\n") },
    { "neither date nor id", STR_INIT(OWN "\r\n"), STR_INIT(DATE ID OWN "\r\n") },
    { "a date that is none", STR_INIT(OWN "Date: today\r\n folded\r\nMessage-ID: <x@y>\r\n\r\n"),
      STR_INIT(DATE OWN "Message-ID: <x@y>\r\n\r\n") },
    { "an id that is none", STR_INIT(WHOLE "X: y\r\n\r\n"), STR_INIT(WHOLE "X: y\r\n\r\n") },
    { "an empty id", STR_INIT(OWN "Message-ID:\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n\r\n"),
      STR_INIT(ID OWN "Date: 1 Jan 2026 00:00:00 +0000\r\n\r\n") },
    { "several Bcc", STR_INIT("Bcc: a@x\r\n" WHOLE "bcc: b@x,\r\n c@x\r\nResent-Bcc: d\r\n\r\n"),
      STR_INIT(WHOLE "\r\n") },
    { "Return-Path", STR_INIT("Return-Path: <x>\r\n" WHOLE "\r\n"), STR_INIT(WHOLE "\r\n") },
    { "mbox line", STR_INIT("From ann Sat Nov 21 22:00:00 2026\r\n" WHOLE "\r\n"),
      STR_INIT(WHOLE "\r\n") },
    { "first line folded", STR_INIT(" x\r\n\ty\r\n" WHOLE "\r\n"), STR_INIT(WHOLE "\r\n") },
    { "mbox line folded", STR_INIT("From x\r\n\ty\r\n" WHOLE "\r\n"), STR_INIT(WHOLE "\r\n") },
    { "no mbox line",
      STR_INIT("From   : a@x\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n"
               "Message-ID: <x@y>\r\n\r\n"),
      STR_INIT(SENDER "From   : a@x\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n"
                      "Message-ID: <x@y>\r\n\r\n") },
    { "all to do, out of order",
      STR_INIT("From x\r\nMessage-ID: x\r\nBcc: a\r\nSender: b@x\r\nDate: y\r\n"
               "From: c@x\r\nReturn-Path: <d>\r\n\r\n"),
      STR_INIT(SENDER DATE ID "From: c@x\r\n\r\n") },
    { "alias as author",
      STR_INIT("From: sales@EXAMPLE.org\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n"
               "Message-ID: <x@y>\r\n\r\n"),
      STR_INIT("From: sales@EXAMPLE.org\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n"
               "Message-ID: <x@y>\r\n\r\n") },
    { "detail of the address", STR_INIT("From: ann+list@example.org\r\n\r\n"),
      STR_INIT(DATE ID "From: ann+list@example.org\r\n\r\n") },
    { "detail alone", STR_INIT("From: +ann@example.org\r\n\r\n"),
      STR_INIT(SENDER DATE ID "From: +ann@example.org\r\n\r\n") },
    { "quoted own address", STR_INIT("From: \"a b\"@example.org\r\n\r\n"),
      STR_INIT(DATE ID "From: \"a b\"@example.org\r\n\r\n") },
    { "foreign author", STR_INIT("From: bob@example.org\r\n\r\n"),
      STR_INIT(SENDER DATE ID "From: bob@example.org\r\n\r\n") },
    { "foreign author, own sender", STR_INIT("From: b@x\r\nSender: ann@example.org\r\n\r\n"),
      STR_INIT(DATE ID "From: b@x\r\nSender: ann@example.org\r\n\r\n") },
    { "own author, foreign sender", STR_INIT(OWN "Sender: b@x\r\n\r\n"),
      STR_INIT(DATE ID OWN "\r\n") },
    { "two authors", STR_INIT("From: ann@example.org, sales@example.org\r\n\r\n"),
      STR_INIT(SENDER DATE ID "From: ann@example.org, sales@example.org\r\n\r\n") },
    { "a foreign author in a group", STR_INIT("From: G: ann@example.org, b@x;\r\n\r\n"),
      STR_INIT(SENDER DATE ID "From: G: ann@example.org, b@x;\r\n\r\n") },
    { "resent by the login", STR_INIT("Resent-From: ann@example.org\r\nFrom: b@x\r\n\r\n"),
      STR_INIT(DATE ID "Resent-From: ann@example.org\r\nFrom: b@x\r\n\r\n") },
    { "resent by another", STR_INIT("Resent-From: c@x\r\nFrom: b@x\r\nSender: d@x\r\n\r\n"),
      STR_INIT("Resent-Sender: <ann@example.org>\r\n" DATE ID
               "Resent-From: c@x\r\nFrom: b@x\r\nSender: d@x\r\n\r\n") },
    { "LF line ends", STR_INIT("From: ann@example.org\nBcc: x\nSubject: y\n\n"),
      STR_INIT(DATE ID "From: ann@example.org\nSubject: y\n\n") },
    { "no empty line", STR_INIT(OWN "Bcc: x"), STR_INIT(DATE ID OWN) },

    { "no From", STR_INIT("Subject: x\r\n\r\nFrom: a@x\r\n"), STR_INIT("From"), MEND_NO_FROM },
    { "empty head", STR_INIT("\r\n"), STR_INIT("From"), MEND_NO_FROM },
    { "nothing", STR_INIT(""), STR_INIT("From"), MEND_NO_FROM },
    { "two From", STR_INIT(OWN OWN "\r\n"), STR_INIT("From"), MEND_DOUBLED },
    { "two From, one with a blank", STR_INIT(OWN "FROM : b@x\r\n\r\n"), STR_INIT("From"),
      MEND_DOUBLED },
    { "two Subject", STR_INIT(OWN "Subject: a\r\nsubject: b\r\n\r\n"), STR_INIT("Subject"),
      MEND_DOUBLED },
    { "two Date", STR_INIT(OWN DATE DATE "\r\n"), STR_INIT("Date"), MEND_DOUBLED },
    { "two Sender", STR_INIT(OWN SENDER SENDER "\r\n"), STR_INIT("Sender"), MEND_DOUBLED },
    { "From without an address", STR_INIT("From: Ann\r\n\r\n"), STR_INIT("From"), MEND_BAD_FROM },
    { "From with an empty group", STR_INIT("From: nobody:;\r\n\r\n"), STR_INIT("From"),
      MEND_BAD_FROM },
    { "empty From", STR_INIT("From:\r\n\r\n"), STR_INIT("From"), MEND_BAD_FROM },
    { "bad Resent-From", STR_INIT(OWN "Resent-From: <>\r\n\r\n"), STR_INIT("Resent-From"),
      MEND_BAD_FROM },
};

static void apply(struct buf *b, struct str head, const struct mend *mend)
{
    size_t at = 0;
    buf_put(b, mend->prepend);
    for (size_t i = 0; i < mend->drop_count; i++) {
        assert_true(mend->drops[i].from >= at && mend->drops[i].end > mend->drops[i].from);
        buf_put(b, str_part(head, at, mend->drops[i].from - at));
        at = mend->drops[i].end;
    }
    buf_put(b, str_skip(head, at));
}

static void heads_are_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(10000);
        struct mend mend = { .drop_count = 99 };
        struct str which;
        unit_case(cases[i].name);
        assert_int_equal(mend_head(&a, cases[i].head, &rules, &mend, &which), cases[i].fault);
        if (cases[i].fault == MEND_FINE) {
            apply(&b, cases[i].head, &mend);
            assert_str(buf_str(&b), cases[i].want);
            assert_int_equal(which.n, 0);
            assert_int_equal(mend.added_date,
                             str_starts(mend.prepend, STR(DATE)) ||
                                 str_find_str(mend.prepend, STR("\n" DATE)) != STR_NOWHERE);
        } else {
            assert_str(which, cases[i].want);
            assert_int_equal(mend.drop_count, 99);
            assert_true(mend_fault_words(cases[i].fault).n > 0);
        }
        buf_free(&b);
        arena_free(&a);
    }
}

static void without_a_login_authors_are_free(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct mend_rules free_rules = { .message_id = STR("i@d") };
    struct mend mend;
    struct str which, head = STR("From: J\xc3\xbcrg <a@x>, b@y\r\nSender: c@z\r\nnonsense\r\n\r\n");
    (void)state;
    assert_int_equal(mend_head(&a, head, &free_rules, &mend, &which), MEND_FINE);
    assert_int_equal(mend.drop_count, 0);
    assert_int_equal(mend.from.count, 2);
    assert_int_equal(mend.junk, 1);
    assert_true(mend.has_8bit && mend.added_date && mend.added_message_id);
    assert_false(mend.added_sender || mend.author_is_own);
    arena_free(&a);
}

static void long_heads_are_refused(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(100000);
    struct mend mend;
    struct str which;
    (void)state;
    buf_put_lit(&b, OWN "Sender: x@y\r\n");
    for (int i = 0; i < HEADER_FIELDS_MAX - 4; i++) {
        buf_put_lit(&b, "Bcc: x\r\n");
    }
    buf_put_lit(&b, "Date: no\r\nMessage-ID: no\r\n");
    assert_int_equal(mend_head(&a, buf_str(&b), &rules, &mend, &which), MEND_FINE);
    assert_int_equal(mend.drop_count, 999);
    buf_put_lit(&b, "Bcc: x\r\n");
    assert_int_equal(mend_head(&a, buf_str(&b), &rules, &mend, &which), MEND_TOO_LONG);
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_mended),
        cmocka_unit_test(without_a_login_authors_are_free),
        cmocka_unit_test(long_heads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
