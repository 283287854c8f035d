#include "base/unit.h"

#include "syntax/mutf7.h"

static const struct {
    const char *name;
    struct str text, mutf7;
} pairs[] = {
    { "empty", STR_INIT(""), STR_INIT("") },
    { "plain", STR_INIT("INBOX"), STR_INIT("INBOX") },
    { "ampersand", STR_INIT("a&b"), STR_INIT("a&-b") },
    { "two of them", STR_INIT("&&"), STR_INIT("&-&-") },
    { "of RFC 3501",
      STR_INIT("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"),
      STR_INIT("~peter/mail/&U,BTFw-/&ZeVnLIqe-") },
    { "one", STR_INIT("\xc3\xa4"), STR_INIT("&AOQ-") },
    { "three fill the groups", STR_INIT("\xc3\xa4\xc3\xb6\xc3\xbc"), STR_INIT("&AOQA9gD8-") },
    { "in the middle", STR_INIT("Entw\xc3\xbcrfe"), STR_INIT("Entw&APw-rfe") },
    { "a pair", STR_INIT("\xf0\x9f\x98\x80"), STR_INIT("&2D3eAA-") },
    { "a control byte", STR_INIT("a\x01"), STR_INIT("a&AAE-") },
    { "ampersand behind", STR_INIT("\xc3\xa4&"), STR_INIT("&AOQ-&-") },
    { "minus behind", STR_INIT("\xc3\xa4-"), STR_INIT("&AOQ--") },
};

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(pairs); i++) {
        struct buf b = BUF_INIT(1000), back = BUF_INIT(1000);
        unit_case(pairs[i].name);
        mutf7_put(&b, pairs[i].text, STR_NONE);
        assert_str(buf_str(&b), pairs[i].mutf7);
        assert_int_equal(mutf7_decode(&back, pairs[i].mutf7), OK);
        assert_str(buf_str(&back), pairs[i].text);
        buf_free(&b);
        buf_free(&back);
    }
}

static const struct {
    const char *name;
    struct str in;
    enum err want;
    struct str text;
} reads[] = {
    { "encoded without need", STR_INIT("a&AC4-b"), OK, STR_INIT("a.b") },
    { "UTF-8 as it is", STR_INIT("\xc3\xa4"), OK, STR_INIT("\xc3\xa4") },
    { "not closed", STR_INIT("a&AOQ"), ERR_SYNTAX, STR_INIT("") },
    { "nothing behind", STR_INIT("&"), ERR_SYNTAX, STR_INIT("") },
    { "padding", STR_INIT("&AOQ=-"), ERR_SYNTAX, STR_INIT("") },
    { "slash of base64", STR_INIT("&U/BTFw-"), ERR_SYNTAX, STR_INIT("") },
    { "half a pair", STR_INIT("&2D0-"), ERR_SYNTAX, STR_INIT("") },
    { "second half first", STR_INIT("&3gDYPQ-"), ERR_SYNTAX, STR_INIT("") },
    { "bits left over", STR_INIT("&AOR-"), ERR_SYNTAX, STR_INIT("") },
    { "a whole digit left over", STR_INIT("&AOQA-"), ERR_SYNTAX, STR_INIT("") },
    { "not UTF-8", STR_INIT("\xff"), ERR_SYNTAX, STR_INIT("") },
};

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(reads); i++) {
        struct buf b = BUF_INIT(1000);
        unit_case(reads[i].name);
        buf_put_lit(&b, "x");
        assert_int_equal(mutf7_decode(&b, reads[i].in), reads[i].want);
        assert_str(str_skip(buf_str(&b), 1), reads[i].text);
        buf_free(&b);
    }
}

static void test_shift(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1000);
    mutf7_put(&b, STR("a.b\xff"), STR("./"));
    assert_str(buf_str(&b), STR("a&AC4-b&,,0-"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
