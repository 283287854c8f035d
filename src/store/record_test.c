#include "store/record.h"
#include "base/unit.h"
#include "store/blob_row.h"
#include "store/redo.h"
#include "store/sum.h"

#include <stdlib.h>

static void headers(void **state)
{
    (void)state;
    char bytes[RECORD_HEADER_BYTES];
    struct record r = { .type = RECORD_TXN,
                        .salt = 0x1122334455667788,
                        .group = 42,
                        .owner = 7,
                        .payload_bytes = 1000,
                        .data_bytes = 5000,
                        .payload_sum = 99 };
    struct record back;
    record_write(bytes, &r);
    unit_case("what was written is read");
    assert_true(record_may_begin(bytes));
    assert_int_equal(record_parse(str_of(bytes, sizeof bytes), r.salt, &back), OK);
    assert_int_equal(back.type, r.type);
    assert_int_equal(back.group, r.group);
    assert_int_equal(back.owner, r.owner);
    assert_int_equal(back.payload_bytes, r.payload_bytes);
    assert_int_equal(back.data_bytes, r.data_bytes);
    assert_int_equal(back.payload_sum, r.payload_sum);
    unit_case("not under another salt");
    assert_int_equal(record_parse(str_of(bytes, sizeof bytes), r.salt + 1, &back), ERR_CORRUPT);
    unit_case("not when it is cut");
    for (size_t n = 0; n < sizeof bytes; n++) {
        assert_int_equal(record_parse(str_of(bytes, n), r.salt, &back), ERR_CORRUPT);
    }
    unit_case("not with any bit changed");
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(record_parse(str_of(bytes, sizeof bytes), r.salt, &back), ERR_CORRUPT);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    unit_case("not of a kind that there is not, or too large");
    r.type = RECORD_TYPE_END;
    record_write(bytes, &r);
    assert_int_equal(record_parse(str_of(bytes, sizeof bytes), r.salt, &back), ERR_CORRUPT);
    r.type = RECORD_TXN;
    r.payload_bytes = RECORD_PAYLOAD_MAX + 1;
    record_write(bytes, &r);
    assert_int_equal(record_parse(str_of(bytes, sizeof bytes), r.salt, &back), ERR_CORRUPT);
}

static void parts(void **state)
{
    (void)state;
    char *bytes = calloc(1, 600000);
    assert_non_null(bytes);
    for (size_t i = 0; i < 600000; i++) {
        bytes[i] = (char)(i * 7 >> 3);
    }
    static const struct {
        const char *name;
        size_t first, second;
    } cases[] = {
        { "one piece", 100, 0 },
        { "two pieces, one block", 17, 4000 },
        { "several blocks", 300, 599000 },
        { "the pieces meet in the second block", 300000, 200000 },
        { "exactly one block", ENGINE_SUM_BYTES, 0 },
        { "one byte more", ENGINE_SUM_BYTES, 1 },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        size_t n = cases[i].first + cases[i].second;
        struct buf b = BUF_INIT(10000);
        wire_put_var(&b, 2);
        part_write(&b, str_of(bytes, cases[i].first),
                   str_of(bytes + cases[i].first, cases[i].second));
        part_write(&b, STR("tail"), STR_NONE);
        buf_put_lit(&b, "rest");
        struct parts p = parts_begin(buf_str(&b), (uint32_t)n + 4);
        struct part one, two, none;
        assert_true(parts_next(&p, &one) && parts_next(&p, &two));
        assert_false(parts_next(&p, &none));
        assert_str(p.wire.left, STR("rest"));
        assert_int_equal(one.bytes, n);
        assert_int_equal(two.at, n);
        assert_true(part_is_whole(str_of(bytes, n), one.sums));
        bytes[n / 2] ^= 1;
        assert_false(part_is_whole(str_of(bytes, n), one.sums));
        bytes[n / 2] ^= 1;
        unit_case("larger than the data: bad");
        p = parts_begin(buf_str(&b), (uint32_t)n + 3);
        assert_true(parts_next(&p, &one));
        assert_false(parts_next(&p, &two));
        assert_true(p.wire.bad);
        buf_free(&b);
    }
    free(bytes);
}

static void operations(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(10000);
    struct redo r;
    redo_write(&b, &(struct redo){ TABLE_ROWS, false, STR_INIT("key"), STR_INIT("value") });
    redo_write(&b, &(struct redo){ TABLE_BLOBS, true, STR_INIT("gone"), STR_INIT("") });
    unit_case("put, deletion, end");
    struct wire w = wire_of(buf_str(&b));
    assert_true(redo_next(&w, &r));
    assert_str(r.key, STR("key"));
    assert_str(r.value, STR("value"));
    assert_false(r.gone);
    assert_true(redo_next(&w, &r));
    assert_true(r.gone && r.table == TABLE_BLOBS);
    assert_false(redo_next(&w, &r));
    assert_false(w.bad);
    unit_case("cut anywhere: bad, or less, never more");
    for (size_t n = 0; n < b.n; n++) {
        size_t seen = 0;
        w = wire_of(str_part(buf_str(&b), 0, n));
        while (redo_next(&w, &r)) {
            seen++;
        }
        assert_true(seen < 2);
    }
    unit_case("a table that there is not, a key that is none");
    w = wire_of(STR("\x09\x01k\x00"));
    assert_false(redo_next(&w, &r));
    assert_true(w.bad);
    w = wire_of(STR("\x00\x00\x00"));
    assert_false(redo_next(&w, &r));
    assert_true(w.bad);
    buf_free(&b);
}

static void blob_rows(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(10000);
    char sums[16] = "sumssumssumssum";
    blob_row_write(&b, &(struct blob_row){ .count = 3, .stage = 9, .bytes = 300100, .extents = 2 });
    extent_write(&b, &(struct extent){ .offset = 4, .bytes = 100 });
    extent_write(&b, &(struct extent){ 6, 1 << 20, 300000, str_of(sums, 16) });
    struct blob_row row;
    struct extent x;
    unit_case("an extent of the record at hand, one of a segment");
    assert_int_equal(blob_row_parse(buf_str(&b), &row), OK);
    assert_int_equal(row.count, 3);
    assert_int_equal(row.stage, 9);
    assert_int_equal(row.bytes, 300100);
    assert_true(extent_next(&row, &x));
    assert_true(x.segment == 0 && x.offset == 4 && x.bytes == 100 && x.sums.n == 0);
    assert_true(extent_next(&row, &x));
    assert_true(x.segment == 6 && x.offset == 1 << 20 && x.bytes == 300000);
    assert_str(x.sums, str_of(sums, 16));
    assert_false(extent_next(&row, &x));
    assert_false(row.wire.bad);
    unit_case("cut: bad");
    for (size_t n = 0; n < b.n; n++) {
        if (blob_row_parse(str_part(buf_str(&b), 0, n), &row) != OK) continue;
        while (extent_next(&row, &x)) {
        }
        assert_true(row.wire.bad);
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(headers), cmocka_unit_test(parts),
                                        cmocka_unit_test(operations), cmocka_unit_test(blob_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
