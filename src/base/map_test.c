#include "base/unit.h"

#include "base/clock.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/param.h"
#include "base/rand.h"

PARAM(test_wait_ms, TIME_MS, 10, 1000, 100, "a wait that only this test knows")
COUNTER(test_things, "things counted by this test")

static void siphash_vectors(void **state)
{
    /* From the reference paper, appendix A: key 00..0f, input 00..0e. */
    char in[15];
    (void)state;
    for (int i = 0; i < 15; i++) {
        in[i] = (char)i;
    }
    assert_true(hash_siphash(0x0706050403020100u, 0x0f0e0d0c0b0a0908u, str_of(in, 15)) ==
                0xa129ca6149be45e5u);
}

static struct str key_of(struct buf *b, size_t i)
{
    buf_clear(b);
    buf_put_u64(b, i);
    return buf_str(b);
}

static void put_get_del(void **state)
{
    enum { N = 5000 };
    static int values[N];
    struct map m = MAP_INIT(N);
    struct buf b = BUF_INIT(32);
    (void)state;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(map_put(&m, key_of(&b, i), &values[i]), OK);
    }
    assert_int_equal(map_put(&m, STR("one more"), &values[0]), ERR_LIMIT);
    for (size_t i = 0; i < N; i += 3) {
        assert_ptr_equal(map_del(&m, key_of(&b, i)), &values[i]);
    }
    for (size_t i = 0; i < N; i++) {
        assert_ptr_equal(map_get(&m, key_of(&b, i)), i % 3 == 0 ? NULL : &values[i]);
    }
    size_t at = 0, seen = 0;
    struct str key;
    void *value;
    while (map_next(&m, &at, &key, &value)) {
        seen++;
    }
    assert_int_equal(seen, m.members);
    assert_int_equal(seen, N - (N + 2) / 3);
    map_free(&m);
    buf_free(&b);
}

static void params_are_found_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(test_wait_ms, 100);
    assert_int_equal(param_set(STR("test_wait_ms"), 500), OK);
    assert_int_equal(test_wait_ms, 500);
    assert_int_equal(param_set(STR("test_wait_ms"), 5), ERR_RANGE);
    assert_int_equal(param_set(STR("no_such"), 5), ERR_NOT_FOUND);
    param_reset();
    assert_int_equal(test_wait_ms, 100);
    bool found = false;
    const struct counter *c;
    for (size_t i = 0; (c = counter_at(i)) != NULL; i++) {
        found |= c->value == &test_things;
    }
    assert_true(found);
}

static void tests_own_time_and_chance(void **state)
{
    (void)state;
    clock_test_set(1000, 5);
    assert_int_equal(clock_now(), 1000);
    assert_int_equal(clock_wall_us(), 5);
    assert_true(clock_deadline(CLOCK_NEVER) == CLOCK_NEVER);
    assert_int_equal(clock_deadline(5), 1005);
    clock_test_off();
    rand_test_seed(7);
    uint64_t a = rand_u64();
    rand_test_seed(7);
    assert_true(a == rand_u64());
    for (int i = 0; i < 1000; i++) {
        assert_true(rand_below(10) < 10);
    }
    rand_test_seed(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors),
        cmocka_unit_test(put_get_del),
        cmocka_unit_test(params_are_found_and_bounded),
        cmocka_unit_test(tests_own_time_and_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
