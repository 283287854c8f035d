#include "mail/explain.h"
#include "mail/janitor.h"
#include "mail/repeat.h"
#include "mail/trace.h"
#include "mail/unit_mail.h"
#include "model/outcome.h"

struct later {
    uint64_t message;
    struct trace_event event;
};

static enum err later_body(struct txn *t, void *ctx)
{
    struct later *x = ctx;
    return trace_event_add(t, x->message, &x->event);
}

static void later_events(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_deliver(e, 5, ann, "INBOX");
    struct fact facts[] = { { STR("host"), STR("mx.example") } };
    static const int64_t times[] = { 30, 10, 10, 20 };
    for (size_t i = 0; i < UNIT_COUNT(times); i++) {
        struct later x = { 5, { times[i], STR("queue.tried"), facts, 1 } };
        assert_int_equal(unit_commit(e, later_body, &x), OK);
    }
    UNIT_LOOK(e, t)
    {
        struct trace_event events[10];
        size_t n;
        bool more;
        assert_int_equal(trace_list(t, 5, 0, 10, events, &n, &more), OK);
        assert_int_equal(n, 2 + 4);
        assert_int_equal(events[2].time_us, 10);
        assert_int_equal(events[3].time_us, 10);
        assert_int_equal(events[5].time_us, 30);
        assert_str(events[5].facts[0].value, STR("mx.example"));
        assert_int_equal(trace_list(t, 6, 0, 10, events, &n, &more), ERR_NOT_FOUND);
    }
    engine_close(&e);
}

static void what_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } want[] = {
        { "conn", "00000007" },
        { "service", "smtp" },
        { "ip", "192.0.2.1" },
        { "helo", "client" },
        { "from", "sender@elsewhere.example" },
        { "bytes", "45" },
        { "body", "7BIT" },
        { "rcpts", "1" },
    };
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_deliver(e, 5, ann, "INBOX");
    UNIT_LOOK(e, t)
    {
        struct trace_event events[10];
        size_t n;
        bool more;
        assert_int_equal(trace_list(t, 5, 0, 10, events, &n, &more), OK);
        assert_int_equal(events[0].time_us, unit_now_us - 1000);
        assert_int_equal(events[1].time_us, unit_now_us);
        assert_int_equal(events[0].fact_count, UNIT_COUNT(want));
        for (size_t i = 0; i < UNIT_COUNT(want); i++) {
            assert_str(events[0].facts[i].name, str_c(want[i].name));
            assert_str(events[0].facts[i].value, str_c(want[i].value));
        }
    }
    engine_close(&e);
}

/* ---- forgetting ---- */

struct work {
    struct janitor_job job;
    int64_t now_us;
    bool more;
};

static enum err work_body(struct txn *t, void *ctx)
{
    struct work *x = ctx;
    return janitor_work(t, &x->job, x->now_us, &x->more);
}

/* One round of the janitor at a time; says how many pieces of work of a kind it found. */
static unsigned janitor_round(struct engine *e, int64_t now_us, enum janitor_kind kind)
{
    struct arena a = ARENA_INIT(0);
    struct janitor j = { 0 };
    unsigned found_of_kind = 0;
    for (;;) {
        struct work x = { .now_us = now_us, .more = true };
        enum janitor_found found = JANITOR_REST;
        UNIT_LOOK(e, t)
        {
            assert_int_equal(janitor_look(t, &j, now_us, &a, &x.job, &found), OK);
        }
        if (found == JANITOR_REST) break;
        if (found == JANITOR_ON) continue;
        found_of_kind += x.job.kind == kind;
        while (x.more) assert_int_equal(unit_commit(e, work_body, &x), OK);
    }
    arena_free(&a);
    return found_of_kind;
}

static bool known(struct engine *e, uint64_t message)
{
    bool is = false;
    UNIT_LOOK(e, t)
    {
        struct trace_intake x;
        enum err err = trace_intake_get(t, message, &x);
        assert_true(err == OK || err == ERR_NOT_FOUND);
        is = err == OK;
    }
    return is;
}

static void forgotten(void **state)
{
    (void)state;
    static const int64_t day_us = 86400ll * 1000000;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    uint64_t ids[20];
    for (size_t i = 0; i < UNIT_COUNT(ids); i++) {
        struct plan_item item = unit_file(ann, "INBOX");
        int64_t at_us = unit_now_us + (int64_t)i * day_us;
        ids[i] = message_id_first(at_us) + i;
        struct unit_intake *x = unit_plan(&a, ids[i], &item, 1);
        x->now_us = at_us;
        x->plan.repeatable = true;
        assert_int_equal(unit_commit(e, unit_intake_body, x), OK);
    }
    int64_t now_us = unit_now_us + 19 * day_us;
    assert_int_equal(janitor_round(e, now_us, JANITOR_TRACES), 1);
    for (size_t i = 0; i < UNIT_COUNT(ids); i++) assert_int_equal(known(e, ids[i]), i >= 5);
    unit_case("nothing more to do");
    assert_int_equal(janitor_round(e, now_us, JANITOR_TRACES), 0);
    assert_int_equal(janitor_round(e, now_us, JANITOR_REPEATS), 0);
    UNIT_LOOK(e, t)
    {
        struct rows rows;
        uint64_t message;
        unsigned char digest[KEY_DIGEST_BYTES] = { 0 };
        memcpy(digest, &ids[19], 8);
        unit_case("digests beyond the window are gone, those within are there");
        assert_int_equal(row_page(t, &(struct key){ .kind = KEY_REPEAT }, 0, STR_NONE, 100, &rows),
                         OK);
        assert_int_equal(rows.n, 1);
        assert_int_equal(repeat_find(t, str_of(digest, sizeof digest), now_us, &message), OK);
        assert_int_equal(message, ids[19]);
    }
    unit_check_account(e, ann);
    arena_free(&a);
    engine_close(&e);
}

static void logs_are_trimmed(void **state)
{
    (void)state;
    assert_int_equal(param_set(STR("changes_keep"), 100), OK);
    struct engine *e = engine_memory_new();
    uint64_t quiet = unit_account(e, "quiet@example.org", 0, 0);
    uint64_t busy = unit_account(e, "busy@example.org", 0, 0);
    int64_t now_us = unit_now_us;
    unit_deliver(e, 1, quiet, "INBOX");
    for (unsigned i = 0; i < 599; i++) {
        unit_deliver(e, message_id_first(now_us) + i, busy, "INBOX");
    }
    assert_int_equal(janitor_round(e, now_us, JANITOR_CHANGES), 0); /* 600 = 100 + slack */
    for (unsigned i = 599; i < 700; i++) {
        unit_deliver(e, message_id_first(now_us) + i, busy, "INBOX");
    }
    assert_int_equal(janitor_round(e, now_us, JANITOR_CHANGES), 1);
    UNIT_LOOK(e, t)
    {
        struct account_state s;
        assert_int_equal(account_state_get(t, busy, &s), OK);
        assert_int_equal(s.modseq - s.changes_floor, 100);
    }
    param_reset();
    engine_close(&e);
}

/* A job that fails does not stop the others. */
static void skipping(void **state)
{
    (void)state;
    struct janitor j = { 0 };
    for (unsigned i = 0; i < JANITOR_KINDS; i++) {
        assert_int_equal(j.kind, i);
        janitor_skip(&j);
    }
    assert_int_equal(j.kind, 0);
}

/* ---- message ids ---- */

static void message_ids(void **state)
{
    (void)state;
    uint64_t last = 0;
    clock_test_set(0, unit_now_us);
    for (unsigned i = 0; i < 10000; i++) {
        if (i == 5000) clock_test_set(0, unit_now_us - 1000000); /* the clock steps back */
        uint64_t id = message_id_new();
        assert_true(id > last);
        last = id;
    }
    clock_test_off();
    assert_int_equal(message_id_time_us(message_id_first(unit_now_us)), unit_now_us);
    assert_true(message_id_time_us(last) >= unit_now_us);
}

/* ---- refusals ---- */

struct refusals {
    struct refusal *list;
    size_t n;
};

static enum err refusals_body(struct txn *t, void *ctx)
{
    struct refusals *x = ctx;
    return explain_put(t, x->list, x->n);
}

static void refusals(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    char *many = arena_alloc(&a, 2000, 1);
    memset(many, 'x', 2000);
    struct fact inputs[40];
    for (size_t i = 0; i < 40; i++) {
        inputs[i] = (struct fact){ STR("helo"), str_of(many, 2000) };
    }
    struct refusal list[] = {
        { .lookup = 0x10001,
          .reason = STR("relay-denied"),
          .text = STR("550 5.7.1 no"),
          .rule = STR("postrider.conf:12"),
          .conn = 9,
          .time_us = 77,
          .inputs = inputs,
          .input_count = 2 },
        { .lookup = 0x20002, .reason = STR("policy"), .inputs = inputs, .input_count = 40 },
        { .lookup = 0x30001, .reason = STR("policy") }, /* the slot of the first */
    };
    static const struct {
        const char *name;
        uint64_t lookup;
        enum err want;
        size_t inputs;
    } cases[] = {
        { "there", 0x20002, OK, EXPLAIN_INPUTS_MAX },
        { "newer took the slot", 0x30001, OK, 0 },
        { "older is gone", 0x10001, ERR_NOT_FOUND, 0 },
        { "never was", 0x12345, ERR_NOT_FOUND, 0 },
    };
    assert_int_equal(unit_commit(e, refusals_body, &(struct refusals){ list, 1 }), OK);
    UNIT_LOOK(e, t)
    {
        struct refusal r;
        assert_int_equal(explain_get(t, 0x10001, &r), OK);
        assert_str(r.reason, STR("relay-denied"));
        assert_str(r.rule, STR("postrider.conf:12"));
        assert_str(r.text, STR("550 5.7.1 no"));
        assert_true(r.conn == 9 && r.time_us == 77 && r.input_count == 2);
        assert_int_equal(r.inputs[1].value.n, EXPLAIN_TEXT_MAX);
    }
    assert_int_equal(unit_commit(e, refusals_body, &(struct refusals){ list, 3 }), OK);
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        UNIT_LOOK(e, t)
        {
            struct refusal r = { 0 };
            assert_int_equal(explain_get(t, cases[i].lookup, &r), cases[i].want);
            assert_int_equal(r.input_count, cases[i].inputs);
        }
    }
    arena_free(&a);
    engine_close(&e);
}

/* A flood leaves no more rows than there are slots. */
static void flood(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    struct refusals x = { ARENA_MANY(&a, struct refusal, EXPLAIN_BATCH_MAX), EXPLAIN_BATCH_MAX };
    rand_test_seed(5);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < x.n; i++) {
            x.list[i] = (struct refusal){ .lookup = lookup_new() };
        }
        assert_int_equal(unit_commit(e, refusals_body, &x), OK);
    }
    rand_test_seed(0);
    UNIT_LOOK(e, t)
    {
        struct refusal r;
        assert_int_equal(explain_get(t, x.list[x.n - 1].lookup, &r), OK);
    }
    arena_free(&a);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_events), cmocka_unit_test(what_is_told),
        cmocka_unit_test(forgotten),    cmocka_unit_test(logs_are_trimmed),
        cmocka_unit_test(skipping),     cmocka_unit_test(message_ids),
        cmocka_unit_test(refusals),     cmocka_unit_test(flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
