#include "base/unit.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/wire.h"

static void numbers_are_written(void **state)
{
    struct buf b = BUF_INIT(100);
    (void)state;
    buf_put_u64(&b, 0);
    buf_put_byte(&b, ' ');
    buf_put_u64(&b, UINT64_MAX);
    buf_put_byte(&b, ' ');
    buf_put_i64(&b, INT64_MIN);
    buf_put_byte(&b, ' ');
    buf_put_u64_width(&b, 7, 3);
    buf_put_byte(&b, ' ');
    buf_put_hex(&b, STR("\x01\xff"));
    buf_put_hex_u64(&b, 0xabc, 4);
    assert_str(buf_str(&b), STR("0 18446744073709551615 -9223372036854775808 007 01ff0abc"));
    assert_int_equal(buf_check(&b), OK);
    buf_free(&b);
}

static void the_ceiling_holds_and_sticks(void **state)
{
    struct buf b = BUF_INIT(5);
    (void)state;
    buf_put(&b, STR("abcd"));
    buf_put(&b, STR("ef"));
    assert_int_equal(buf_check(&b), ERR_LIMIT);
    buf_put(&b, STR("g"));
    assert_str(buf_str(&b), STR("abcd"));
    buf_clear(&b);
    buf_put(&b, STR("vwxyz"));
    assert_int_equal(buf_check(&b), OK);
    buf_drop_front(&b, 2);
    assert_str(buf_str(&b), STR("xyz"));
    buf_free(&b);
}

static void wire_round_trip(void **state)
{
    struct buf b = BUF_INIT(1000);
    (void)state;
    wire_put_u8(&b, 200);
    wire_put_u16(&b, 60000);
    wire_put_u32(&b, 4000000000u);
    wire_put_u64(&b, UINT64_MAX - 1);
    wire_put_str(&b, STR("hello"));
    wire_put_var(&b, 127);
    wire_put_var(&b, 128);
    wire_put_var(&b, UINT64_MAX);
    wire_put_vstr(&b, STR(""));
    struct wire w = wire_of(buf_str(&b));
    assert_int_equal(wire_get_u8(&w), 200);
    assert_int_equal(wire_get_u16(&w), 60000);
    assert_int_equal(wire_get_u32(&w), 4000000000u);
    assert_true(wire_get_u64(&w) == UINT64_MAX - 1);
    assert_str(wire_get_str(&w), STR("hello"));
    assert_int_equal(wire_get_var(&w), 127);
    assert_int_equal(wire_get_var(&w), 128);
    assert_true(wire_get_var(&w) == UINT64_MAX);
    assert_int_equal(wire_get_vstr(&w).n, 0);
    assert_int_equal(wire_end(&w), OK);
    buf_free(&b);
}

static void wire_short_input_sticks(void **state)
{
    struct wire w = wire_of(STR("\x00\x00\x00\x05"
                                "abc"));
    (void)state;
    assert_int_equal(wire_get_str(&w).n, 0);
    assert_int_equal(wire_get_u8(&w), 0);
    assert_int_equal(wire_end(&w), ERR_CORRUPT);
    struct wire eleven = wire_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
    assert_int_equal(wire_get_var(&eleven), 0);
    assert_int_equal(wire_end(&eleven), ERR_CORRUPT);
    struct wire left = wire_of(STR("ab"));
    wire_get_u8(&left);
    assert_int_equal(wire_end(&left), ERR_CORRUPT);
}

static void log_lines_hold_no_foreign_line(void **state)
{
    struct buf b = BUF_INIT(LOG_LINE_MAX);
    const struct log_field f[] = { L_ID("conn", 0x5f03), L_U64("rcpts", 2),
                                   L_STR("from", STR("a\r\nx \"q\" \xff")) };
    (void)state;
    log_format_line(&b, LOG_LOGFMT, 1767323045678000, "edge", LOG_INFO, "smtp.accepted", f, 3);
    assert_str(buf_str(&b),
               STR("2026-01-02T03:04:05.678Z edge info smtp.accepted conn=00005f03 rcpts=2 "
                   "from=\"a\\x0d\\x0ax \\\"q\\\" \\xff\""));
    buf_clear(&b);
    log_format_line(&b, LOG_JSON, 1767323045678000, "edge", LOG_INFO, "smtp.accepted", f, 3);
    assert_str(buf_str(&b),
               STR("{\"time\":\"2026-01-02T03:04:05.678Z\",\"role\":\"edge\",\"level\":\"info\","
                   "\"event\":\"smtp.accepted\",\"conn\":\"00005f03\",\"rcpts\":2,"
                   "\"from\":\"a\\u000d\\u000ax \\\"q\\\" \\ufffd\"}"));
    buf_free(&b);
}

static void arena_keeps_what_it_gave(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct str kept[200];
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        struct buf b = BUF_INIT(1000);
        buf_put_u64_width(&b, i, (unsigned)(i % 20 + 1));
        kept[i] = arena_str(&a, buf_str(&b));
        buf_free(&b);
    }
    uint64_t v;
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(str_to_u64(kept[i], 1000, &v), OK);
        assert_int_equal(v, i);
    }
    char *big = arena_alloc(&a, 100, 1000);
    assert_int_equal(big[99999], 0);
    arena_free(&a);
    assert_string_equal(arena_c(&a, STR("x")), "x");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(the_ceiling_holds_and_sticks),
        cmocka_unit_test(wire_round_trip),
        cmocka_unit_test(wire_short_input_sticks),
        cmocka_unit_test(log_lines_hold_no_foreign_line),
        cmocka_unit_test(arena_keeps_what_it_gave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
