#include "base/unit.h"

#include "agent/auth/throttle.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/param.h"

static int64_t now_ms;

static int start(void **state)
{
    (void)state;
    param_reset();
    now_ms = 1000000;
    clock_test_set(now_ms, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clock_test_off();
    param_reset();
    return 0;
}

static void pass(int64_t ms)
{
    now_ms += ms;
    clock_test_set(now_ms, 0);
}

/* One attempt; returns its delay, or -1 when it was refused. */
static int64_t attempt(struct throttle *t, const char *account, const char *ip,
                       enum throttle_end how)
{
    struct throttle_verdict v;
    throttle_begin(t, str_c(account), str_c(ip), &v);
    if (v.refuse) return -1;
    throttle_end(t, str_c(account), str_c(ip), &v, how);
    return v.wait_ms;
}

static void failures(struct throttle *t, const char *account, const char *ip, int n)
{
    for (int i = 0; i < n; i++) {
        (void)attempt(t, account, ip, THROTTLE_BAD);
    }
}

static void delays_double_then_refusal(void **state)
{
    static const int64_t want[] = { 0,    0,    0,    500,  1000, 2000, 4000, 8000,
                                    8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000,
                                    8000, 8000, 8000, 8000, -1,   -1 };
    struct throttle *t = throttle_new();
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(want); i++) {
        assert_int_equal(attempt(t, "ann@example.org", "192.0.2.1", THROTTLE_BAD), want[i]);
    }
    throttle_free(&t);
    assert_null(t);
    throttle_free(&t);
}

static void scores_decay(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;
    failures(t, "ann", "192.0.2.1", 30);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_BAD), -1);
    pass(900000); /* 20 are 10 */
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_NEITHER), 8000);
    pass(900000); /* 5 */
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_NEITHER), 2000);
    pass(450000); /* between 5 and 2.5 */
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_NEITHER), 500 * 2);
    pass(900000);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_NEITHER), 0);
    pass(INT64_C(100) * 900000);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_NEITHER), 0);
    throttle_free(&t);
}

static const struct {
    const char *name, *account,
        *ip; /* after 30 failures of ann from 192.0.2.1 and 2001:db8:0:1::1 */
    bool refused;
} neighbours[] = {
    { "the same", "ann", "192.0.2.1", true },
    { "in capitals", "ANN", "192.0.2.1", true },
    { "as an IPv4-mapped address", "ann", "::ffff:192.0.2.1", true },
    { "from elsewhere", "ann", "192.0.2.2", true },
    { "another account", "bob", "192.0.2.2", false },
    { "another account from there", "bob", "192.0.2.1", false },
};

static void accounts_and_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(neighbours); i++) {
        unit_case(neighbours[i].name);
        struct throttle *t = throttle_new();
        failures(t, "ann", "192.0.2.1", 30);
        int64_t wait_ms = attempt(t, neighbours[i].account, neighbours[i].ip, THROTTLE_BAD);
        assert_int_equal(wait_ms == -1, neighbours[i].refused);
        throttle_free(&t);
    }
}

/* One address that tries many accounts is slowed and refused, by network where it is IPv6. */
static void spraying(void **state)
{
    struct throttle *t = throttle_new();
    struct buf name = BUF_INIT(64);
    int64_t last = 0;
    (void)state;
    for (int i = 0; i < 60; i++) {
        buf_clear(&name);
        buf_put_u64(&name, (uint64_t)i);
        buf_put_byte(&name, '\0');
        last = attempt(t, name.p, i % 2 ? "2001:db8:0:1::1" : "2001:db8:0:1:9::2", THROTTLE_BAD);
        assert_true(last >= 0 && (i < 10 ? last == 0 : last > 0));
    }
    assert_int_equal(attempt(t, "ann", "2001:db8:0:1:ffff::", THROTTLE_BAD), -1);
    assert_int_equal(attempt(t, "ann", "2001:db8:0:2::1", THROTTLE_BAD), 0);
    buf_free(&name);
    throttle_free(&t);
}

static void owners_are_not_locked_out(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 0);
    failures(t, "ann", "203.0.113.5", 50); /* from elsewhere */
    assert_int_equal(attempt(t, "ann", "203.0.113.5", THROTTLE_GOOD), -1);
    assert_int_equal(attempt(t, "ann", "203.0.113.9", THROTTLE_GOOD), -1);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 0);
    for (char name[] = "a"; name[0] < 'z'; name[0]++) { /* from behind the same address */
        failures(t, name, "192.0.2.1", 5);
    }
    assert_int_equal(attempt(t, "zoe", "192.0.2.1", THROTTLE_GOOD), -1);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 0);
    /* The known pair has its own measure. */
    failures(t, "ann", "192.0.2.1", 30);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), -1);
    pass(INT64_C(2592000001));
    failures(t, "ann", "203.0.113.5", 50);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), -1); /* known no longer */
    throttle_free(&t);
}

static void success_clears_the_pair_only(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;
    failures(t, "ann", "192.0.2.1", 6);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 4000);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 0);
    assert_int_equal(attempt(t, "ann", "192.0.2.2", THROTTLE_NEITHER), 4000); /* the account's */
    failures(t, "bob", "192.0.2.1", 2);
    failures(t, "cat", "192.0.2.1", 2);
    assert_int_equal(attempt(t, "dan", "192.0.2.1", THROTTLE_NEITHER), 500); /* the address's */
    throttle_free(&t);
}

static void attempts_at_once_count_at_once(void **state)
{
    struct throttle *t = throttle_new();
    struct throttle_verdict v[40];
    size_t let_in = 0;
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(v); i++) {
        throttle_begin(t, STR("ann"), STR("192.0.2.1"), &v[i]);
        let_in += !v[i].refuse;
    }
    assert_int_equal(let_in, 20);
    /* They were all cancelled: nothing is left of them. */
    for (size_t i = 0; i < let_in; i++) {
        throttle_end(t, STR("ann"), STR("192.0.2.1"), &v[i], THROTTLE_NEITHER);
    }
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_BAD), 0);
    /* A client that opens four connections and is right in all of them owes nothing either. */
    for (size_t i = 0; i < 4; i++) {
        throttle_begin(t, STR("bob"), STR("192.0.2.7"), &v[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        throttle_end(t, STR("bob"), STR("192.0.2.7"), &v[i], THROTTLE_GOOD);
    }
    failures(t, "bob", "192.0.2.8", 3);
    assert_int_equal(attempt(t, "bob", "192.0.2.8", THROTTLE_BAD), 500);
    throttle_free(&t);
}

static void tables_are_bounded(void **state)
{
    struct throttle *t = throttle_new();
    struct buf name = BUF_INIT(64);
    size_t addresses, accounts, pairs;
    (void)state;
    assert_int_equal(param_set(STR("auth_throttle_max"), 100), OK);
    assert_int_equal(attempt(t, "ann", "192.0.2.1", THROTTLE_GOOD), 0);
    failures(t, "victim", "192.0.2.9", 30);
    for (int i = 0; i < 1000; i++) {
        buf_clear(&name);
        buf_put_lit(&name, "10.0.");
        buf_put_u64(&name, (uint64_t)i / 250);
        buf_put_lit(&name, ".");
        buf_put_u64(&name, (uint64_t)i % 250);
        buf_put_byte(&name, '\0');
        failures(t, name.p, name.p, 1);
        if (i % 50 == 0) assert_int_equal(attempt(t, "victim", "192.0.2.9", THROTTLE_BAD), -1);
    }
    throttle_sizes(t, &addresses, &accounts, &pairs);
    assert_int_equal(addresses, 100);
    assert_int_equal(accounts, 100);
    assert_int_equal(pairs, 1); /* failures never push out who is known */
    buf_free(&name);
    throttle_free(&t);
}

static void odd_addresses(void **state)
{
    struct throttle *t = throttle_new();
    (void)state;
    failures(t, "ann", "unix", 30);
    assert_int_equal(attempt(t, "ann", "unix", THROTTLE_BAD), -1);
    assert_int_equal(attempt(t, "", "", THROTTLE_BAD), 0);
    throttle_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(delays_double_then_refusal, start, stop),
        cmocka_unit_test_setup_teardown(scores_decay, start, stop),
        cmocka_unit_test_setup_teardown(accounts_and_addresses, start, stop),
        cmocka_unit_test_setup_teardown(spraying, start, stop),
        cmocka_unit_test_setup_teardown(owners_are_not_locked_out, start, stop),
        cmocka_unit_test_setup_teardown(success_clears_the_pair_only, start, stop),
        cmocka_unit_test_setup_teardown(attempts_at_once_count_at_once, start, stop),
        cmocka_unit_test_setup_teardown(tables_are_bounded, start, stop),
        cmocka_unit_test_setup_teardown(odd_addresses, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
