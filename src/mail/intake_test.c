#include "mail/unit_mail.h"
#include "mail/changes.h"
#include "mail/queue.h"
#include "mail/structure.h"
#include "mail/trace.h"

static struct mailbox_info inbox_of(struct txn *t, uint64_t account)
{
    struct mailbox_info m;
    assert_int_equal(mailbox_get(t, account, MAILBOX_INBOX, &m), OK);
    return m;
}

static void one_recipient(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_deliver(e, 0x1234, ann, "INBOX");
    UNIT_LOOK(e, t)
    {
        struct mailbox_info m = inbox_of(t, ann);
        struct message_row row;
        struct message_fixed fixed;
        struct buf body = buf_new(1000);
        assert_int_equal(m.messages, 1);
        assert_int_equal(m.unseen, 1);
        assert_int_equal(m.uid_next, 2);
        assert_int_equal(message_get(t, ann, MAILBOX_INBOX, 1, &row), OK);
        assert_int_equal(row.info.message, 0x1234);
        assert_int_equal(row.info.received_us, unit_now_us - 1000);
        assert_int_equal(message_fixed_get(t, ann, MAILBOX_INBOX, 1, &fixed), OK);
        assert_str(fixed.structure, STR("structure of it"));
        assert_str(fixed.prefix, STR("Return-Path: <sender@elsewhere.example>\r\n"));
        assert_int_equal(txn_blob_read(t, blob_of_message(0x1234), 0, 1000, &body), OK);
        assert_str(buf_str(&body), STR("Received: from client\r\nSubject: hi\r\n\r\nhello\r\n"));
        assert_int_equal(row.info.bytes, fixed.prefix.n + body.n);
        buf_free(&body);
    }
    unit_check_account(e, ann);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_recipient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
