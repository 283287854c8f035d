#include "base/unit.h"
#include "base/rand.h"
#include "store/memtable.h"

#include <stdlib.h>

static void versions(void **state)
{
    (void)state;
    struct memtable *m = memtable_new();
    struct mem_found f;
    memtable_put(m, 5, TABLE_ROWS, STR("k"), STR("five"));
    struct mem_node *n = memtable_put(m, 7, TABLE_ROWS, STR("k"), STR("seven"));
    memtable_del(m, 9, TABLE_ROWS, STR("k"));

    unit_case("nothing is there before the first version");
    assert_false(memtable_get(m, 4, TABLE_ROWS, STR("k"), &f));
    unit_case("each reader sees the newest that is not newer than its number");
    assert_true(memtable_get(m, 6, TABLE_ROWS, STR("k"), &f));
    assert_str(f.value, STR("five"));
    assert_true(memtable_get(m, 8, TABLE_ROWS, STR("k"), &f));
    assert_str(f.value, STR("seven"));
    assert_true(memtable_get(m, MEMTABLE_NEWEST, TABLE_ROWS, STR("k"), &f));
    assert_true(f.gone);
    unit_case("tables are apart");
    assert_false(memtable_get(m, 8, TABLE_BLOBS, STR("k"), &f));
    unit_case("undo takes back what is newer");
    memtable_undo(n, 5);
    assert_true(memtable_get(m, MEMTABLE_NEWEST, TABLE_ROWS, STR("k"), &f));
    assert_str(f.value, STR("five"));
    memtable_undo(n, 0);
    assert_false(memtable_get(m, MEMTABLE_NEWEST, TABLE_ROWS, STR("k"), &f));
    unit_case("after a reset it is empty and works");
    memtable_reset(m);
    assert_null(memtable_first(m, TABLE_ROWS, STR_NONE));
    memtable_put(m, 1, TABLE_ROWS, STR("a"), STR_NONE);
    assert_true(memtable_get(m, 1, TABLE_ROWS, STR("a"), &f));
    assert_int_equal(f.value.n, 0);
    memtable_free(&m);
    assert_null(m);
}

static int key_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct str key_of(uint32_t v, char out[4])
{
    out[0] = (char)(v >> 24);
    out[1] = (char)(v >> 16);
    out[2] = (char)(v >> 8);
    out[3] = (char)v;
    return str_of(out, 4);
}

static void order(void **state)
{
    (void)state;
    enum { N = 20000 };
    rand_test_seed(11);
    struct memtable *m = memtable_new();
    uint32_t *have = calloc(N, sizeof *have);
    assert_non_null(have);
    char k[4];
    for (size_t i = 0; i < N; i++) {
        have[i] = (uint32_t)rand_u64();
        memtable_put(m, i, TABLE_BLOBS, key_of(have[i], k), key_of(have[i], k));
    }
    memtable_put(m, N, TABLE_ROWS, STR("\xff\xff\xff\xff\xff"), STR_NONE);
    memtable_put(m, N, TABLE_STAGES, STR("\x01"), STR_NONE);
    qsort(have, N, sizeof *have, key_cmp);

    unit_case("up, each once, the own table only");
    size_t n = 0;
    struct mem_found f;
    for (const struct mem_node *at = memtable_first(m, TABLE_BLOBS, STR_NONE); at != NULL;
         at = memtable_next(at)) {
        while (n > 0 && n < N && have[n] == have[n - 1]) {
            n++;
        }
        assert_true(memtable_at(at, MEMTABLE_NEWEST, &f));
        assert_str(f.key, key_of(have[n++], k));
    }
    assert_int_equal(n, N);
    unit_case("down, from the end and from a bound");
    const struct mem_node *at = memtable_last(m, TABLE_BLOBS, STR_NONE);
    assert_true(memtable_at(at, MEMTABLE_NEWEST, &f));
    assert_str(f.key, key_of(have[N - 1], k));
    at = memtable_last(m, TABLE_BLOBS, key_of(have[100], k));
    for (n = 100; n > 0; n--) {
        assert_true(memtable_at(at, MEMTABLE_NEWEST, &f));
        assert_str(f.key, key_of(have[n - 1], k));
        at = memtable_prev(m, at);
    }
    assert_null(at);
    free(have);
    memtable_free(&m);
    rand_test_seed(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(versions), cmocka_unit_test(order) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
