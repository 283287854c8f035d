#include "model/wire_unit.h"

#include "base/clock.h"
#include "model/message.h"

UNIT_READ(message_info, message_info_get(&w, &x))
UNIT_READ(mailbox_info, mailbox_info_get(&w, &x))

static void forms_come_back(void **state)
{
    static const struct message_info messages[] = {
        { .uid = 0 },
        { UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX, INT64_MIN },
        { 1, 2, 300, 70000, MESSAGE_SEEN | MESSAGE_DRAFT, 1700000000000000 },
    };
    static const struct mailbox_info mailboxes[] = {
        { .id = 0 },
        { 7, STR_INIT("Sent/2026"), 1, UINT32_MAX, 4, 3, 2, 1 << 20, 99, MAILBOX_ATTRIBUTES },
    };
    struct buf b = buf_new(10000);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(messages); i++) {
        buf_clear(&b);
        message_info_put(&b, &messages[i]);
        unit_wire(buf_str(&b), read_message_info);
    }
    for (size_t i = 0; i < UNIT_COUNT(mailboxes); i++) {
        buf_clear(&b);
        mailbox_info_put(&b, &mailboxes[i]);
        unit_wire(buf_str(&b), read_mailbox_info);
    }
    buf_clear(&b);
    mailbox_info_put(&b, &(struct mailbox_info){ .attributes = MAILBOX_ATTRIBUTES + 1 });
    assert_int_equal(read_mailbox_info(buf_str(&b), &(struct arena){ 0 }, NULL), ERR_CORRUPT);
    buf_free(&b);
}

static void ids_grow_and_tell_the_time(void **state)
{
    uint64_t last = 0;
    int64_t before = clock_wall_us();
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t id = message_id_new();
        assert_true(id > last);
        last = id;
    }
    int64_t time = message_id_time_us(last);
    assert_true(time >= before && time <= clock_wall_us() + 1000000);
    assert_true(message_id_first(time) <= last && message_id_first(time + 1) > last);
    assert_int_equal(message_id_first(-5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_come_back),
        cmocka_unit_test(ids_grow_and_tell_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
