#include "mail/changes.h"
#include "mail/queue.h"
#include "mail/structure.h"
#include "mail/trace.h"
#include "mail/unit_mail.h"

static struct mailbox_info inbox_of(struct txn *t, uint64_t account)
{
    struct mailbox_info m;
    assert_int_equal(mailbox_get(t, account, MAILBOX_INBOX, &m), OK);
    return m;
}

static size_t row_count(struct engine *e, const struct key *k, unsigned fields)
{
    size_t n = 0;
    UNIT_LOOK(e, t)
    {
        struct rows rows;
        assert_int_equal(row_page(t, k, fields, STR_NONE, 10000, &rows), OK);
        n = rows.n;
    }
    return n;
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

/* ---- what one item can meet ---- */

static void items(void **state)
{
    (void)state;
    enum { ANN, FULL, NOBODY };
    static const struct {
        const char *name;
        unsigned account;
        const char *mailbox;
        bool strict, whole;
        enum err item, want;
    } cases[] = {
        { "INBOX", ANN, "INBOX", true, false, OK, OK },
        { "a mailbox that is made", ANN, "Lists/dev", true, false, OK, OK },
        { "and is there now", ANN, "Lists/dev", true, false, OK, OK },
        { "a name that is none", ANN, "a//b", true, false, ERR_INVALID, OK },
        { "an account that is gone", NOBODY, "INBOX", true, false, ERR_NOT_FOUND, OK },
        { "over quota", FULL, "INBOX", true, false, ERR_OVER_QUOTA, OK },
        { "over quota, not strict", FULL, "INBOX", false, false, OK, OK },
        { "one fails the whole plan", NOBODY, "INBOX", false, true, OK, ERR_NOT_FOUND },
        { "quota fails the whole plan", FULL, "INBOX", true, true, OK, ERR_OVER_QUOTA },
    };
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ids[] = { unit_account(e, "ann@example.org", 0, 0),
                       unit_account(e, "full@example.org", 50, 0), 4711 };
    uint64_t other = unit_account(e, "other@example.org", 0, 0);
    uint64_t others_mail = 0;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct plan_item two[] = { unit_file(ids[cases[i].account], cases[i].mailbox),
                                   unit_file(other, "INBOX") };
        struct unit_intake *x = unit_plan(&a, 100 + i, two, 2);
        x->plan.strict_quota = cases[i].strict;
        x->plan.whole = cases[i].whole;
        assert_int_equal(unit_commit(e, unit_intake_body, x), cases[i].want);
        if (cases[i].want == OK) {
            assert_int_equal(x->result.items[0], cases[i].item);
            assert_int_equal(x->result.items[1], OK);
            others_mail++;
        }
        UNIT_LOOK(e, t)
        {
            assert_int_equal(inbox_of(t, other).messages, others_mail);
        }
        for (size_t j = 0; j < 2; j++) unit_check_account(e, ids[j]);
        unit_check_account(e, other);
    }
    arena_free(&a);
    engine_close(&e);
}

static void nobody_left(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    struct plan_item item = unit_file(4711, "INBOX");
    struct unit_intake *x = unit_plan(&a, 1, &item, 1);
    x->plan.repeatable = true;
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    assert_int_equal(x->result.items[0], ERR_NOT_FOUND);
    unit_case("nothing was stored, so the same intake can go well later");
    assert_int_equal(row_count(e, &(struct key){ .kind = KEY_REPEAT }, 0), 0);
    UNIT_LOOK(e, t)
    {
        struct trace_intake intake;
        assert_int_equal(trace_intake_get(t, 1, &intake), ERR_NOT_FOUND);
    }
    arena_free(&a);
    engine_close(&e);
}

/* ---- once and only once ---- */

static void again(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item two[] = { unit_file(ann, "INBOX"), unit_file(4711, "INBOX") };

    unit_case("the outcome of the commit is unknown, and it was done");
    struct unit_intake *x = unit_plan(&a, 50, two, 2);
    x->plan.repeatable = true;
    engine_memory_fail(e, 1, MEMORY_UNKNOWN_DONE);
    assert_int_equal(engine_commit(e, INTENT_DURABLE, unit_intake_body, x), ERR_UNKNOWN);
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    assert_true(x->result.repeated);
    assert_int_equal(x->result.items[0], OK);
    assert_int_equal(x->result.items[1], ERR_NOT_FOUND);

    unit_case("it was not done");
    struct unit_intake *y = unit_plan(&a, 51, two, 1);
    engine_memory_fail(e, 1, MEMORY_UNKNOWN_LOST);
    assert_int_equal(engine_commit(e, INTENT_DURABLE, unit_intake_body, y), ERR_UNKNOWN);
    assert_int_equal(unit_commit(e, unit_intake_body, y), OK);
    assert_false(y->result.repeated);

    unit_case("another message with an id that is taken");
    struct unit_intake *z = unit_plan(&a, 50, two, 1);
    z->plan.digest[0] ^= 1;
    assert_int_equal(unit_commit(e, unit_intake_body, z), ERR_EXISTS);

    UNIT_LOOK(e, t)
    {
        assert_int_equal(inbox_of(t, ann).messages, 2);
    }
    unit_check_account(e, ann);
    arena_free(&a);
    engine_close(&e);
}

static void repeats(void **state)
{
    (void)state;
    static const int64_t minute_us = 60 * 1000000ll;
    static const struct {
        const char *name;
        bool repeatable;
        int64_t after_us;
        uint64_t flip; /* another digest */
        bool repeated;
    } cases[] = {
        { "the first", true, 0, 0, false },
        { "at once", true, 1, 0, true },
        { "an hour later", true, 60 * minute_us, 0, true },
        { "just within two hours", true, 120 * minute_us, 0, true },
        { "another digest", true, 1, 1, false },
        { "not repeatable", false, 1, 0, false },
        { "beyond the window", true, 121 * minute_us, 0, false },
    };
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item item = unit_file(ann, "INBOX");
    uint64_t stored = 0;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct unit_intake *x = unit_plan(&a, 100 + i, &item, 1);
        memset(x->plan.digest, (int)cases[i].flip, sizeof x->plan.digest);
        x->plan.repeatable = cases[i].repeatable;
        x->now_us = unit_now_us + cases[i].after_us;
        assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
        assert_int_equal(x->result.repeated, cases[i].repeated);
        assert_int_equal(x->result.message, cases[i].repeated ? 100 : 100 + i);
        assert_int_equal(x->result.items[0], OK);
        stored += !cases[i].repeated;
        UNIT_LOOK(e, t)
        {
            assert_int_equal(inbox_of(t, ann).messages, stored);
        }
    }
    arena_free(&a);
    engine_close(&e);
}

/* ---- plans that contradict themselves ---- */

static void bad_plans(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item item = unit_file(ann, "INBOX");
    char *many = arena_alloc(&a, 100000, 1);
    memset(many, 'x', 100000);
    for (unsigned i = 0; i < 12; i++) {
        struct unit_intake *x = unit_plan(&a, 1, &item, 1);
        struct plan *p = &x->plan;
        enum err want = ERR_INVALID;
        switch (i) {
        case 0:
            p->message = 0;
            break;
        case 1:
            p->item_count = 0;
            break;
        case 2:
            p->total_bytes++;
            break;
        case 3:
            p->stage = 5;
            break;
        case 4:
            p->items[0].rcpt = 1;
            break;
        case 5:
            p->items[0].flags = 1u << 20;
            break;
        case 6:
            p->items[0].act = PLAN_QUEUE;
            break;
        case 7:
            p->received_us = -1;
            break;
        case 8:
            p->items[0].prefix = str_of(many, MESSAGE_PREFIX_MAX + 1);
            want = ERR_LIMIT;
            break;
        case 9:
            p->items[0].address = str_of(many, 1000);
            want = ERR_LIMIT;
            break;
        case 10:
            p->envelope.reverse_path = str_of(many, 5000);
            want = ERR_LIMIT;
            break;
        case 11:
            p->peer.helo = str_of(many, 100000);
            want = ERR_LIMIT;
            break;
        }
        assert_int_equal(unit_commit(e, unit_intake_body, x), want);
    }
    arena_free(&a);
    engine_close(&e);
}

/* ---- large ones ---- */

struct opened {
    uint64_t ids[PLAN_ITEM_MAX];
    size_t from, n;
};

static enum err open_body(struct txn *t, void *ctx)
{
    struct opened *x = ctx;
    enum err e = directory_domain_add(t, &(struct domain){ .name = STR("example.org") });
    if (e == ERR_EXISTS) e = OK;
    for (size_t i = x->from; e == OK && i < x->from + x->n; i++) {
        struct buf b = buf_new(64);
        buf_put_lit(&b, "user");
        buf_put_u64(&b, i);
        buf_put_lit(&b, "@example.org");
        struct account account = { .address = arena_str(txn_arena(t), buf_str(&b)) };
        buf_free(&b);
        e = directory_account_add(t, &account, unit_now_us, &x->ids[i]);
    }
    return e;
}

/* The worst plan: every account another, every mailbox to be made, every field as long as it may
 * be. */
static void most_recipients(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    struct opened *all = ARENA_NEW(&a, struct opened);
    for (all->n = 256; all->from < PLAN_ITEM_MAX; all->from += all->n) {
        assert_int_equal(unit_commit(e, open_body, all), OK);
    }
    struct plan_item *many = ARENA_MANY(&a, struct plan_item, PLAN_ITEM_MAX);
    char *fill = arena_alloc(&a, MESSAGE_PREFIX_MAX, 1);
    memset(fill, 'x', MESSAGE_PREFIX_MAX);
    struct buf structure = buf_new(100000);
    for (unsigned i = 0; i < 50000; i++) buf_put_byte(&structure, (char)i);
    for (size_t i = 0; i < PLAN_ITEM_MAX; i++) {
        struct buf name = buf_new(KEY_MAILBOX_NAME_MAX);
        buf_put_u64(&name, i);
        buf_put(&name, str_of(fill, KEY_MAILBOX_NAME_MAX - name.n));
        many[i] = (struct plan_item){ .act = PLAN_FILE,
                                      .account = all->ids[i],
                                      .address = str_of(fill, 512),
                                      .mailbox = arena_str(&a, buf_str(&name)),
                                      .prefix = str_of(fill, MESSAGE_PREFIX_MAX) };
        buf_free(&name);
    }
    unit_case("to mailboxes");
    struct unit_intake *x = unit_plan(&a, 1, many, PLAN_ITEM_MAX);
    x->plan.structure = buf_str(&structure);
    x->plan.repeatable = true;
    for (size_t i = 0; i < PLAN_ITEM_MAX; i++) {
        x->plan.envelope.rcpts[i].address = str_of(fill, 511);
    }
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    for (size_t i = 0; i < PLAN_ITEM_MAX; i++) assert_int_equal(x->result.items[i], OK);
    for (size_t i = 0; i < PLAN_ITEM_MAX; i += 100) unit_check_account(e, all->ids[i]);
    unit_case("the structure is stored once");
    assert_int_equal(row_count(e, &(struct key){ .kind = KEY_STRUCTURE, .message = 1 }, 0), 2);
    UNIT_LOOK(e, t)
    {
        struct message_fixed fixed;
        assert_int_equal(message_fixed_get(t, all->ids[1023], 2, 1, &fixed), OK);
        assert_str(fixed.structure, buf_str(&structure));
    }

    unit_case("to next hops, each another");
    for (size_t i = 0; i < PLAN_ITEM_MAX; i++) {
        struct buf hop = buf_new(KEY_NEXT_HOP_MAX);
        buf_put_u64(&hop, i);
        buf_put(&hop, str_of(fill, KEY_NEXT_HOP_MAX - hop.n));
        many[i] = (struct plan_item){ .act = PLAN_QUEUE,
                                      .address = str_of(fill, 512),
                                      .next_hop = arena_str(&a, buf_str(&hop)) };
        buf_free(&hop);
    }
    struct unit_intake *y = unit_plan(&a, 2, many, PLAN_ITEM_MAX);
    for (size_t i = 0; i < PLAN_ITEM_MAX; i++) {
        y->plan.envelope.rcpts[i].address = str_of(fill, 511);
        y->plan.envelope.rcpts[i].orcpt = str_of(fill, 2048);
    }
    assert_int_equal(unit_commit(e, unit_intake_body, y), OK);
    UNIT_LOOK(e, t)
    {
        struct queue_message m;
        assert_int_equal(queue_show(t, 2, &m), OK);
        assert_int_equal(m.waiting, PLAN_ITEM_MAX);
    }
    buf_free(&structure);
    arena_free(&a);
    engine_close(&e);
}

/* How many writes a plan costs, by the keys that a watcher is told of. */
static void count_keys(void *ctx, struct str key)
{
    struct key k;
    size_t *n = ctx;
    assert_int_equal(key_parse(key, &k), OK);
    ++*n;
}

static void costs(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    uint64_t bob = unit_account(e, "bob@example.org", 0, 0);
    struct plan_item two[] = { unit_file(ann, "INBOX"), unit_file(bob, "INBOX") };
    size_t keys = 0;
    engine_watch_set(e, count_keys, &keys);
    for (size_t n = 1; n <= 2; n++) {
        struct unit_intake *x = unit_plan(&a, n, two, n);
        x->plan.repeatable = true;
        keys = 0;
        assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
        assert_int_equal(keys, 5 * n + 2); /* and the blob's own row */
    }
    arena_free(&a);
    engine_close(&e);
}

/* A shared structure goes with the last of its messages. */
static uint64_t expunge_account;
static enum err expunge_body(struct txn *t, void *ctx)
{
    (void)ctx;
    uint32_t uid = 1;
    size_t n;
    return message_expunge(t, expunge_account, MAILBOX_INBOX, &uid, 1, &n);
}

static void structure_goes_last(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ids[] = { unit_account(e, "ann@example.org", 0, 0),
                       unit_account(e, "bob@example.org", 0, 0) };
    struct plan_item two[] = { unit_file(ids[0], "INBOX"), unit_file(ids[1], "INBOX") };
    struct unit_intake *x = unit_plan(&a, 1, two, 2);
    char *large = arena_alloc(&a, 2000, 1);
    x->plan.structure = str_of(large, 2000);
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(row_count(e, &(struct key){ .kind = KEY_STRUCTURE, .message = 1 }, 0), 1);
        expunge_account = ids[i];
        assert_int_equal(unit_commit(e, expunge_body, NULL), OK);
    }
    assert_int_equal(row_count(e, &(struct key){ .kind = KEY_STRUCTURE, .message = 1 }, 0), 0);
    arena_free(&a);
    engine_close(&e);
}

static void staged(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item item = unit_file(ann, "INBOX");
    struct unit_intake *x = unit_plan(&a, 1, &item, 1);
    assert_int_equal(engine_stage_new(e, &x->stage), OK);
    assert_int_equal(engine_stage_append(e, x->stage, STR("first ")), OK);
    assert_int_equal(engine_stage_append(e, x->stage, STR("second")), OK);
    x->plan.stage = 1;
    x->plan.content = STR_NONE;
    x->plan.total_bytes = x->plan.head.n + 12;
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    engine_stage_drop(e, &x->stage);
    UNIT_LOOK(e, t)
    {
        struct buf body = buf_new(1000);
        assert_int_equal(txn_blob_read(t, blob_of_message(1), x->plan.head.n, 100, &body), OK);
        assert_str(buf_str(&body), STR("first second"));
        buf_free(&body);
    }
    arena_free(&a);
    engine_close(&e);
}

/* Local, remote and dropped recipients of one message; and its trace. */
static void mixed(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    struct plan_item three[] = {
        unit_file(ann, "Lists"),
        { .act = PLAN_QUEUE, .address = STR("x@far.example"), .next_hop = STR("Far.Example") },
        { .act = PLAN_DISCARD, .address = STR("y@example.org") },
        unit_file(4711, "INBOX"),
    };
    struct unit_intake *x = unit_plan(&a, 1, three, 4);
    x->plan.envelope.rcpts[0].address = STR("Ann+lists@example.org");
    assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    UNIT_LOOK(e, t)
    {
        struct queue_message m;
        struct queue_rcpt r[4];
        struct trace_event events[10];
        size_t n;
        bool more;
        assert_int_equal(queue_show(t, 1, &m), OK);
        assert_int_equal(m.waiting, 1);
        assert_int_equal(queue_rcpts(t, 1, 0, 4, r, &n, &more), OK);
        assert_str(r[0].next_hop, STR("far.example"));
        assert_int_equal(r[0].index, 1);
        assert_int_equal(trace_list(t, 1, 0, 10, events, &n, &more), OK);
        assert_int_equal(n, 5);
        assert_str(events[0].name, STR("mail.received"));
        assert_str(events[1].name, STR("mail.filed"));
        assert_str(events[1].facts[1].value, STR("Ann+lists@example.org"));
        assert_str(events[2].name, STR("mail.queued"));
        assert_str(events[3].name, STR("mail.discarded"));
        assert_str(events[4].name, STR("mail.refused"));
        assert_int_equal(trace_list(t, 1, 3, 1, events, &n, &more), OK);
        assert_true(n == 1 && more);
        assert_str(events[0].name, STR("mail.discarded"));
    }
    unit_check_account(e, ann);
    arena_free(&a);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_recipient),
        cmocka_unit_test(items),
        cmocka_unit_test(nobody_left),
        cmocka_unit_test(again),
        cmocka_unit_test(repeats),
        cmocka_unit_test(bad_plans),
        cmocka_unit_test(most_recipients),
        cmocka_unit_test(costs),
        cmocka_unit_test(structure_goes_last),
        cmocka_unit_test(staged),
        cmocka_unit_test(mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
