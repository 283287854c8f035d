#include "base/unit.h"

#include "agent/auth/recall.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/param.h"

static void good_passwords_are_recalled_for_a_while(void **state)
{
    struct recall r;
    (void)state;
    param_reset();
    clock_test_set(1000, 0);
    recall_init(&r);
    assert_false(recall_has(&r, STR("$y$hash"), STR("pencil")));
    recall_put(&r, STR("$y$hash"), STR("pencil"));
    assert_true(recall_has(&r, STR("$y$hash"), STR("pencil")));
    assert_false(recall_has(&r, STR("$y$hash"), STR("pencils")));
    assert_false(recall_has(&r, STR("$y$other"), STR("pencil"))); /* the password was changed */
    assert_false(recall_has(&r, STR("$y$hashpen"), STR("cil")));
    clock_test_set(1000 + 300000 - 1, 0);
    assert_true(recall_has(&r, STR("$y$hash"), STR("pencil")));
    clock_test_set(1000 + 300000, 0);
    assert_false(recall_has(&r, STR("$y$hash"), STR("pencil")));
    assert_int_equal(r.marks.members, 0);

    assert_int_equal(param_set(STR("auth_recall_ms"), 0), OK);
    recall_put(&r, STR("$y$hash"), STR("pencil"));
    assert_false(recall_has(&r, STR("$y$hash"), STR("pencil")));
    recall_free(&r);
    clock_test_off();
    param_reset();
}

static void the_oldest_goes_first(void **state)
{
    struct recall r;
    struct buf name = BUF_INIT(32);
    (void)state;
    assert_int_equal(param_set(STR("auth_recall_max"), 10), OK);
    recall_init(&r);
    for (uint64_t i = 0; i < 25; i++) {
        buf_clear(&name);
        buf_put_u64(&name, i);
        recall_put(&r, STR("$y$hash"), buf_str(&name));
        recall_put(&r, STR("$y$hash"), buf_str(&name)); /* twice is once */
    }
    assert_int_equal(r.marks.members, 10);
    for (uint64_t i = 0; i < 25; i++) {
        buf_clear(&name);
        buf_put_u64(&name, i);
        assert_int_equal(recall_has(&r, STR("$y$hash"), buf_str(&name)), i >= 15);
    }
    buf_free(&name);
    recall_free(&r);
    param_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_passwords_are_recalled_for_a_while),
        cmocka_unit_test(the_oldest_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
