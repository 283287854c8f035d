#include "model/wire_unit.h"

#include "model/plan.h"

UNIT_READ(plan, plan_get(&w, a, &x))
UNIT_READ(plan_result, plan_result_get(&w, a, &x))

static struct recipient to[] = { { .address = STR_INIT("ann@example.org") },
                                 { .address = STR_INIT("bob@example.com") } };
static struct plan_item items[] = {
    { .act = PLAN_FILE,
      .rcpt = 0,
      .address = STR_INIT("ann@example.org"),
      .account = 7,
      .mailbox = STR_INIT("INBOX"),
      .flags = 3,
      .prefix = STR_INIT("Return-Path: <>\r\n") },
    { .act = PLAN_QUEUE,
      .rcpt = 1,
      .address = STR_INIT("bob@example.com"),
      .next_hop = STR_INIT("example.com") },
    { .act = PLAN_DISCARD, .rcpt = 1 },
};

static struct plan some(void)
{
    return (struct plan){
        .message = 0x0123456789abcdef,
        .digest = { 1, 2, 3, 255 },
        .repeatable = true,
        .whole = true,
        .received_us = -1,
        .peer = { .conn = 9, .ip = STR_INIT("192.0.2.1") },
        .envelope = { .reverse_path = STR_INIT("eve@example.com"), .rcpts = to, .rcpt_count = 2 },
        .head = STR_INIT("Received: x\r\n"),
        .stage = 5,
        .content = STR_INIT("Subject: a\r\n\r\nb\r\n"),
        .structure = STR_INIT("\1\2\0\3"),
        .total_bytes = 29,
        .items = items,
        .item_count = 3
    };
}

static void forms_come_back(void **state)
{
    static uint8_t errors[] = { OK, ERR_OVER_QUOTA, OK };
    struct buf b = buf_new(100000);
    struct plan p = some();
    (void)state;
    plan_put(&b, &p);
    unit_wire(buf_str(&b), read_plan);
    buf_clear(&b);
    plan_put(&b, &(struct plan){ .message = 1 });
    unit_wire(buf_str(&b), read_plan);
    buf_clear(&b);
    plan_result_put(&b, &(struct plan_result){
                            .message = 4, .repeated = true, .items = errors, .item_count = 3 });
    unit_wire(buf_str(&b), read_plan_result);
    buf_free(&b);
}

static void every_flag_is_read(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = buf_new(100000);
    (void)state;
    for (unsigned bits = 0; bits < 8; bits++) {
        struct plan p = some(), q;
        p.repeatable = (bits & 1) != 0;
        p.strict_quota = (bits & 2) != 0;
        p.whole = (bits & 4) != 0;
        buf_clear(&b);
        plan_put(&b, &p);
        struct wire w = wire_of(buf_str(&b));
        plan_get(&w, &a, &q);
        assert_int_equal(wire_end(&w), OK);
        assert_true(q.repeatable == p.repeatable && q.strict_quota == p.strict_quota &&
                    q.whole == p.whole);
        assert_int_equal(q.received_us, -1);
        assert_memory_equal(q.digest, p.digest, PLAN_DIGEST_BYTES);
    }
    buf_free(&b);
    arena_free(&a);
}

static void odd_plans_are_refused(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = buf_new(1 << 20);
    struct plan p = some();
    static struct plan_item many[PLAN_ITEM_MAX + 1];
    struct plan_item odd = { .act = PLAN_FILE, .rcpt = 2 };
    (void)state;
    unit_case("an item for a recipient that is not there");
    p.items = &odd;
    p.item_count = 1;
    plan_put(&b, &p);
    assert_int_equal(read_plan(buf_str(&b), &a, NULL), ERR_CORRUPT);
    unit_case("an act that does not exist");
    odd = (struct plan_item){ .act = (enum plan_act)(PLAN_DISCARD + 1), .rcpt = 0 };
    buf_clear(&b);
    plan_put(&b, &p);
    assert_int_equal(read_plan(buf_str(&b), &a, NULL), ERR_CORRUPT);
    unit_case("too many items");
    p.items = many;
    p.item_count = PLAN_ITEM_MAX + 1;
    buf_clear(&b);
    plan_put(&b, &p);
    assert_int_equal(read_plan(buf_str(&b), &a, NULL), ERR_CORRUPT);
    unit_case("as many as there may be");
    p.item_count = PLAN_ITEM_MAX;
    buf_clear(&b);
    plan_put(&b, &p);
    assert_int_equal(read_plan(buf_str(&b), &a, NULL), OK);
    unit_case("a result that is no error of the list");
    uint8_t none = ERR_COUNT;
    buf_clear(&b);
    plan_result_put(&b, &(struct plan_result){ .items = &none, .item_count = 1 });
    assert_int_equal(read_plan_result(buf_str(&b), &a, NULL), ERR_CORRUPT);
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_come_back),
        cmocka_unit_test(every_flag_is_read),
        cmocka_unit_test(odd_plans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
