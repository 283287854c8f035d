#include "base/unit.h"

#include "base/buf.h"
#include "syntax/message_id.h"

static const struct {
    const char *name;
    struct str value, ids;
    bool sound;
} cases[] = {
    { "one", STR_INIT(" <a@b>"), STR_INIT("[a@b]"), true },
    { "folded", STR_INIT("\r\n <a@b>\r\n"), STR_INIT("[a@b]"), true },
    { "several", STR_INIT("<a@b> <c@d>\r\n\t<e@f>"), STR_INIT("[a@b][c@d][e@f]"), false },
    { "without blanks", STR_INIT("<a@b><c@d>"), STR_INIT("[a@b][c@d]"), false },
    { "with commas", STR_INIT("<a@b>,<c@d>"), STR_INIT("[a@b][c@d]"), false },
    { "words around", STR_INIT("Message of Ann <a@b> (yes)"), STR_INIT("[a@b]"), false },
    { "no at", STR_INIT("<abc>"), STR_INIT("[abc]"), false },
    { "empty", STR_INIT("<>"), STR_INIT(""), false },
    { "nothing on the left", STR_INIT("<@b>"), STR_INIT("[@b]"), false },
    { "nothing on the right", STR_INIT("<a@>"), STR_INIT("[a@]"), false },
    { "no value", STR_INIT(""), STR_INIT(""), false },
    { "no brackets", STR_INIT("a@b"), STR_INIT(""), false },
    { "open", STR_INIT("<a@b"), STR_INIT(""), false },
    { "a blank inside", STR_INIT("<a b@c> <d@e>"), STR_INIT("[d@e]"), false },
    { "a fold inside", STR_INIT("<a\r\n b@c> <d@e>"), STR_INIT("[d@e]"), false },
    { "NUL inside", STR_INIT("<a\0b@c>"), STR_INIT(""), false },
    { "brackets in brackets", STR_INIT("<<a@b>>"), STR_INIT("[a@b]"), false },
    { "utf-8", STR_INIT("<\xc3\xbc@b>"), STR_INIT("[\xc3\xbc@b]"), true },
    { "quoted left side", STR_INIT("<\"a\"@b>"), STR_INIT("[\"a\"@b]"), true },
};

static void ids_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf b = BUF_INIT(1000);
        struct scan s = scan_of(cases[i].value);
        struct str id;
        unit_case(cases[i].name);
        while (message_id_next(&s, &id)) {
            buf_put_byte(&b, '[');
            buf_put(&b, id);
            buf_put_byte(&b, ']');
        }
        assert_str(buf_str(&b), cases[i].ids);
        assert_int_equal(message_id_is_sound(cases[i].value), cases[i].sound);
        buf_free(&b);
    }
}

static void long_ids_are_passed_over(void **state)
{
    char text[MESSAGE_ID_MAX + 3];
    struct str id;
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '<';
    text[sizeof text - 1] = '>';
    struct scan s = scan_of(str_of(text, sizeof text));
    assert_false(message_id_next(&s, &id));
    text[sizeof text - 2] = '>';
    s = scan_of(str_of(text, sizeof text));
    assert_true(message_id_next(&s, &id));
    assert_int_equal(id.n, MESSAGE_ID_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found),
        cmocka_unit_test(long_ids_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
