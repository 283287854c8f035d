#include "mail/queue.h"
#include "mail/unit_mail.h"

static struct str hop_name(struct arena *a, uint64_t i)
{
    struct buf b = buf_new(64);
    buf_put_lit(&b, "hop");
    buf_put_u64(&b, i);
    buf_put_lit(&b, ".example");
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

/* A message for `n` recipients over `hops` next hops. */
static void put(struct engine *e, uint64_t message, size_t n, size_t hops, int64_t now_us)
{
    struct arena a = ARENA_INIT(0);
    struct plan_item *items = ARENA_MANY(&a, struct plan_item, n);
    for (size_t i = 0; i < n; i++) {
        items[i] = (struct plan_item){ .act = PLAN_QUEUE,
                                       .address = STR("x@y.example"),
                                       .next_hop = hop_name(&a, i % hops) };
    }
    struct unit_intake *x = unit_plan(&a, message, items, n);
    x->now_us = now_us;
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    arena_free(&a);
}

enum verb { DROP, RCPT_DROP, RCPT_SET };

struct step {
    enum verb verb;
    uint64_t message;
    struct str hop;
    uint32_t index;
    int64_t due_us;
    bool more;
};

static enum err body(struct txn *t, void *ctx)
{
    struct step *s = ctx;
    struct queue_rcpt r = { .message = s->message,
                            .index = s->index,
                            .next_hop = s->hop,
                            .address = STR("x@y.example"),
                            .due_us = s->due_us,
                            .attempts = 1,
                            .answer = STR("450 later") };
    switch (s->verb) {
    case DROP:
        return queue_drop(t, s->message, &s->more);
    case RCPT_DROP:
        return queue_rcpt_drop(t, s->hop, s->message, s->index);
    case RCPT_SET:
        return queue_rcpt_set(t, &r);
    }
    must(false);
}

static size_t queue_rows(struct engine *e)
{
    size_t n = 0;
    UNIT_LOOK(e, t)
    {
        for (uint8_t shard = 0; shard < QUEUE_SHARDS; shard++) {
            struct key k = { .kind = KEY_QUEUE_RCPT, .shard = shard };
            struct rows rows;
            assert_int_equal(
                row_range(t, key_owner_range(txn_arena(t), &k), STR_NONE, 10000, &rows), OK);
            n += rows.n;
        }
    }
    return n;
}

static void shards(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    unsigned used[QUEUE_SHARDS] = { 0 };
    for (uint64_t i = 0; i < 1000; i++) used[queue_shard(hop_name(&a, i))]++;
    for (unsigned i = 0; i < QUEUE_SHARDS; i++) assert_true(used[i] > 60);
    unit_case("fixed for ever: it is part of stored keys");

    assert_int_equal(queue_shard(STR("example.org")), 3);
    arena_free(&a);
}

static void put_and_drop(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    put(e, 7, 20, 5, unit_now_us);
    put(e, 8, 3, 3, unit_now_us + 5);
    UNIT_LOOK(e, t)
    {
        struct queue_message m, list[1];
        struct queue_rcpt r[20];
        struct queue_hop hop;
        struct queue_at at = { 0 };
        size_t n, seen = 0;
        bool more;
        assert_int_equal(queue_show(t, 7, &m), OK);
        assert_int_equal(m.waiting, 20);
        assert_str(m.reverse_path, STR("sender@elsewhere.example"));
        assert_int_equal(queue_rcpts(t, 7, 0, 20, r, &n, &more), OK);
        assert_true(n == 20 && !more);
        assert_int_equal(queue_rcpts(t, 7, 15, 3, r, &n, &more), OK);
        assert_true(n == 3 && more);
        while (!at.end) {
            assert_int_equal(queue_list(t, &at, 1, list, &n), OK);
            seen += n > 0 ? list[0].waiting : 0;
        }
        assert_int_equal(seen, 23);
        assert_int_equal(queue_hop_get(t, STR("hop0.example"), &hop), OK);
        assert_true(hop.waiting == 5 && hop.due_us == unit_now_us);
        assert_int_equal(queue_show(t, 9, &m), ERR_NOT_FOUND);
    }
    struct step s = { .verb = DROP, .message = 7 };
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_false(s.more);
    assert_int_equal(unit_commit(e, body, &s), ERR_NOT_FOUND);
    UNIT_LOOK(e, t)
    {
        struct queue_hop hop;
        uint64_t bytes;
        assert_int_equal(queue_hop_get(t, STR("hop0.example"), &hop), OK);
        assert_true(hop.waiting == 1 && hop.due_us == unit_now_us + 5);
        assert_int_equal(queue_hop_get(t, STR("hop4.example"), &hop), ERR_NOT_FOUND);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(7), &bytes), ERR_NOT_FOUND);
        assert_int_equal(txn_blob_bytes(t, blob_of_message(8), &bytes), OK);
    }
    s.message = 8;
    assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(queue_rows(e), 0);
    engine_close(&e);
}

/* The largest message goes in two slices, as the body's limits want it. */
static void drop_in_slices(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    put(e, 7, PLAN_ITEM_MAX, 100, unit_now_us);
    struct step s = { .verb = DROP, .message = 7, .more = true };
    unsigned slices = 0;
    for (; s.more; slices++) assert_int_equal(unit_commit(e, body, &s), OK);
    assert_int_equal(slices, 2);
    assert_int_equal(queue_rows(e), 0);
    engine_close(&e);
}

static void due(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    put(e, 7, 3, 1, unit_now_us);
    put(e, 8, 1, 1, unit_now_us + 10);
    static const struct {
        const char *name;
        int64_t now_us;
        size_t rcpts;
    } cases[] = {
        { "before", -1, 0 },
        { "the first message", 0, 3 },
        { "just before the second", 9, 3 },
        { "both", 10, 4 },
    };
    struct str hop = STR("hop0.example");
    uint8_t shard = queue_shard(hop);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        UNIT_LOOK(e, t)
        {
            struct queue_hop hops[5];
            struct queue_rcpt r[10];
            int64_t now_us = unit_now_us + cases[i].now_us;
            size_t n;
            bool more;
            assert_int_equal(queue_hops_due(t, shard, now_us, 5, hops, &n, &more), OK);
            assert_int_equal(n, cases[i].rcpts > 0);
            assert_int_equal(queue_hop_rcpts(t, hop, now_us, 10, r, &n, &more), OK);
            assert_int_equal(n, cases[i].rcpts);
            for (size_t j = 0; j < n; j++) assert_int_equal(r[j].message, j < 3 ? 7 : 8);
        }
    }
    unit_case("put off: the hop is due when its next row is");
    for (uint32_t i = 0; i < 3; i++) {
        struct step s = {
            .verb = RCPT_SET, .message = 7, .hop = hop, .index = i, .due_us = unit_now_us + 1000 + i
        };
        assert_int_equal(unit_commit(e, body, &s), OK);
    }
    UNIT_LOOK(e, t)
    {
        struct queue_hop h;
        struct queue_rcpt r[10];
        size_t n;
        bool more;
        assert_int_equal(queue_hop_get(t, hop, &h), OK);
        assert_true(h.waiting == 4 && h.due_us == unit_now_us + 10);
        assert_int_equal(queue_hop_rcpts(t, hop, unit_now_us + 2000, 10, r, &n, &more), OK);
        assert_int_equal(n, 4);
        assert_int_equal(r[0].message, 8);
        assert_str(r[1].answer, STR("450 later"));
    }
    unit_case("done one by one: the message goes with the last");
    for (uint32_t i = 0; i < 3; i++) {
        struct step s = { .verb = RCPT_DROP, .message = 7, .hop = hop, .index = i };
        assert_int_equal(unit_commit(e, body, &s), OK);
        assert_int_equal(unit_commit(e, body, &s), ERR_NOT_FOUND);
        UNIT_LOOK(e, t)
        {
            struct queue_message m;
            uint64_t bytes;
            assert_int_equal(queue_show(t, 7, &m), i < 2 ? OK : ERR_NOT_FOUND);
            assert_int_equal(txn_blob_bytes(t, blob_of_message(7), &bytes),
                             i < 2 ? OK : ERR_NOT_FOUND);
        }
    }
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards),
        cmocka_unit_test(put_and_drop),
        cmocka_unit_test(drop_in_slices),
        cmocka_unit_test(due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
