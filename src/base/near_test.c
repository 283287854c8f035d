#include "base/unit.h"

#include "base/near.h"

static const struct {
    struct str a, b;
    size_t distance;
} distances[] = {
    { STR_INIT(""), STR_INIT(""), 0 },
    { STR_INIT("host"), STR_INIT("host"), 0 },
    { STR_INIT("Host"), STR_INIT("hOST"), 0 },
    { STR_INIT("catch_all"), STR_INIT("catch-all"), 0 },
    { STR_INIT("hots"), STR_INIT("host"), 1 },
    { STR_INIT("hst"), STR_INIT("host"), 1 },
    { STR_INIT("hosst"), STR_INIT("host"), 1 },
    { STR_INIT("hast"), STR_INIT("host"), 1 },
    { STR_INIT(""), STR_INIT("abc"), 3 },
    { STR_INIT("kitten"), STR_INIT("sitting"), 3 },
    { STR_INIT("abcd"), STR_INIT("badc"), 2 },
    { STR_INIT("0123456789012345678901234567890123456789012345678"), STR_INIT("x"), SIZE_MAX },
};

static void test_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(distances); i++) {
        unit_case(distances[i].a.p);
        assert_int_equal(near_distance(distances[i].a, distances[i].b), distances[i].distance);
        assert_int_equal(near_distance(distances[i].b, distances[i].a), distances[i].distance);
    }
}

static const struct {
    struct str word, best;
} bests[] = {
    { STR_INIT("hots"), STR_INIT("host") },
    { STR_INIT("lisetn"), STR_INIT("listen") },
    { STR_INIT("listner"), STR_INIT("listen") },
    { STR_INIT("certificates"), STR_INIT("certificate") },
    { STR_INIT("cert"), STR_INIT("certificate") },
    { STR_INIT("sto"), STR_INIT("store") },
    { STR_INIT("to"), STR_INIT("") },
    { STR_INIT("x"), STR_INIT("") },
    { STR_INIT("banana"), STR_INIT("") },
    { STR_INIT(""), STR_INIT("") },
};

static void test_best(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(bests); i++) {
        struct near n = near_of(bests[i].word);
        unit_case(bests[i].word.p);
        near_offer(&n, STR("host"));
        near_offer(&n, STR("listen"));
        near_offer(&n, STR("certificate"));
        near_offer(&n, STR("store"));
        near_offer(&n, STR("log"));
        assert_str(near_best(&n), bests[i].best);
    }
    struct near n = near_of(STR("sub"));
    near_offer(&n, STR("submission"));
    near_offer(&n, STR("submissions"));
    assert_str(near_best(&n), STR(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
