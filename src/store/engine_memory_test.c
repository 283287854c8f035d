#include "store/engine_conformance.h"
#include "store/engine_memory.h"

static struct engine *open_new(void *ctx)
{
    (void)ctx;
    return engine_memory_new();
}

static void conforms(void **state)
{
    (void)state;
    conformance_run(&(struct conformance){ .open_new = open_new });
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum memory_fault fault;
        enum err result;
        bool kept, after;
    } cases[] = {
        { "full", MEMORY_FULL, ERR_FULL, false, true },
        { "conflict", MEMORY_CONFLICT, ERR_CONFLICT, false, true },
        { "run twice", MEMORY_RERUN, OK, true, true },
        { "unknown, done", MEMORY_UNKNOWN_DONE, ERR_UNKNOWN, true, true },
        { "unknown, lost", MEMORY_UNKNOWN_LOST, ERR_UNKNOWN, false, true },
        { "broken", MEMORY_BROKEN, ERR_BROKEN, false, false },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct engine *e = engine_memory_new();
        uint64_t runs = 0;
        engine_memory_fail(e, 2, cases[i].fault);
        assert_int_equal(engine_commit(e, INTENT_DURABLE, crowd_body, &runs), OK);
        assert_int_equal(engine_commit(e, INTENT_DURABLE, crowd_body, &runs), cases[i].result);
        if (cases[i].kept) {
            LOOK(e, GET_("counter", "\0\0\0\0\0\0\0\2"));
        } else {
            LOOK(e, GET_("counter", "\0\0\0\0\0\0\0\1"));
        }
        assert_int_equal(engine_commit(e, INTENT_DURABLE, crowd_body, &runs),
                         cases[i].after ? OK : ERR_BROKEN);
        struct stage *s;
        assert_int_equal(engine_stage_new(e, &s), OK);
        assert_int_equal(engine_stage_append(e, s, STR("x")), cases[i].after ? OK : ERR_BROKEN);
        engine_stage_drop(e, &s);
        engine_close(&e);
    }
}

static void holding(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    atomic_bool done[3] = { false, false, false };
    struct ordered o[3];
    engine_memory_hold(e, true);
    for (size_t i = 0; i < 3; i++) {
        o[i] = (struct ordered){
            .intent = { .body = ordered_body, .ctx = &o[i], .done = ordered_done },
            .key = STR_INIT("k"),
            .done = &done[i]
        };
        engine_submit(e, &o[i].intent);
    }
    unit_case("nothing happens until it is run, in order");
    LOOK(e, NONE_("last"));
    assert_int_equal(engine_memory_run(e, 1), 1);
    assert_true(atomic_load(&done[0]));
    assert_false(atomic_load(&done[1]));
    unit_case("the end of holding runs the rest");
    engine_memory_hold(e, false);
    assert_true(atomic_load(&done[2]));
    assert_int_equal(engine_memory_run(e, 1), 0);
    engine_close(&e);
}

static void damage(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    struct buf out = BUF_INIT(100);
    assert_int_equal(SCRIPT(e, BLOB_("b", "bytes", 1)), OK);
    assert_false(engine_memory_damage(e, script_blob_id(STR("c"))));
    assert_true(engine_memory_damage(e, script_blob_id(STR("b"))));
    unit_case("damaged bytes are not served, and the check finds them");
    assert_int_equal(blob_read_all(e, STR("b"), 0, 10, &out), ERR_CORRUPT);
    assert_int_equal(out.n, 0);
    struct engine_report r;
    assert_int_equal(engine_check(e, &(struct engine_check){ 0 }, &r), ERR_CORRUPT);
    assert_int_equal(r.damaged_blobs, 1);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(conforms), cmocka_unit_test(faults),
                                        cmocka_unit_test(holding), cmocka_unit_test(damage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
