#include "model/wire_unit.h"

#include "model/outcome.h"

UNIT_READ(outcome, outcome_get(&w, &x))

static void forms_come_back(void **state)
{
    struct buf b = buf_new(10000);
    (void)state;
    outcome_put(&b, &(struct outcome){ .code = 0 });
    unit_wire(buf_str(&b), read_outcome);
    buf_clear(&b);
    outcome_put(&b, &(struct outcome){ .code = 599,
                                       .class = 5,
                                       .subject = 999,
                                       .detail = 999,
                                       .text = STR_INIT("no"),
                                       .reason = STR_INIT("policy"),
                                       .rule = STR_INIT("/c:1"),
                                       .lookup = UINT64_MAX });
    unit_wire(buf_str(&b), read_outcome);
    buf_clear(&b);
    outcome_put(&b, &(struct outcome){ .code = 600 });
    assert_int_equal(read_outcome(buf_str(&b), &(struct arena){ 0 }, NULL), ERR_CORRUPT);
    buf_free(&b);
}

/* RFC 5321 4.2 and RFC 3463 2: the first digits say the same; what a client is told is printable.
 */
static void the_table_is_sound(void **state)
{
    const struct outcome_kind *k;
    (void)state;
    for (size_t i = 0; (k = outcome_kind_at(i)) != NULL; i++) {
        unit_case(k->reason);
        assert_int_equal(k->code / 100, k->class);
        assert_true(k->code / 10 % 10 <= 5 && k->code < 600 && k->subject <= 7);
        assert_true(outcome_kind(str_c(k->reason)) == k); /* no name stands twice */
        struct str text = str_c(k->text);
        assert_true(text.n > 0);
        for (size_t n = 0; n < text.n; n++) {
            assert_true(text.p[n] >= ' ' && text.p[n] < 0x7f);
        }
        struct outcome o = outcome_of(k->reason);
        assert_int_equal(outcome_is_ok(&o), k->class == 2);
    }
    assert_null(outcome_kind(STR("no such reason")));
}

static void errors_become_replies(void **state)
{
    static const struct {
        enum err err;
        const char *reason;
    } rows[] = {
        { OK, "ok" },
        { ERR_OVER_QUOTA, "over-quota" },
        { ERR_FULL, "storage-full" },
        { ERR_BROKEN, "storage-failed" },
        { ERR_UNKNOWN, "storage-failed" },
        { ERR_IO, "storage-failed" },
        { ERR_CORRUPT, "storage-failed" },
        { ERR_LIMIT, "storage-failed" },
        { ERR_TIMEOUT, "internal" },
        { ERR_CLOSED, "internal" },
        { ERR_NOT_FOUND, "internal" },
        { ERR_UNAVAILABLE, "internal" },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_case(err_name(rows[i].err));
        struct outcome have = outcome_from_err(rows[i].err), want = outcome_of(rows[i].reason);
        assert_int_equal(have.code, want.code);
        assert_str(have.reason, want.reason);
    }
    for (int e = 1; e < ERR_COUNT; e++) {
        /* Trouble of our own never refuses for good; a full mailbox is its owner's. */
        struct outcome o = outcome_from_err((enum err)e);
        assert_true(e == ERR_OVER_QUOTA || o.code / 100 == 4);
    }
}

static void look_up_codes_survive_the_telephone(void **state)
{
    static const struct {
        struct str text;
        enum err err;
        uint64_t code;
    } rows[] = {
        { STR_INIT("00000000"), OK, 0 },
        { STR_INIT("ZZZZZZZZ"), OK, (1ull << 40) - 1 },
        { STR_INIT("zzzzzzzz"), OK, (1ull << 40) - 1 },
        { STR_INIT("0000000"), ERR_SYNTAX, 0 },
        { STR_INIT("000000000"), ERR_SYNTAX, 0 },
        { STR_INIT("0000000U"), ERR_SYNTAX, 0 },
        { STR_INIT("0000000I"), ERR_SYNTAX, 0 },
        { STR_INIT("0000-000"), ERR_SYNTAX, 0 },
    };
    struct buf b = buf_new(100);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        uint64_t code = 0;
        assert_int_equal(lookup_parse(rows[i].text, &code), rows[i].err);
        if (rows[i].err == OK) assert_int_equal(code, rows[i].code);
    }
    for (int i = 0; i < 1000; i++) {
        uint64_t code = lookup_new(), again = 0;
        assert_true(code != 0 && code < 1ull << 40);
        buf_clear(&b);
        lookup_put_text(&b, code);
        assert_int_equal(lookup_parse(buf_str(&b), &again), OK);
        assert_int_equal(again, code);
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_come_back),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(errors_become_replies),
        cmocka_unit_test(look_up_codes_survive_the_telephone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
