#include "base/unit.h"

#include "model/config_option.h"
#include "tool/man.h"

PARAM(test_wait_ms, TIME_MS, 10, 300000, 1500, "how long to wait. Not \\ longer - or so")
PARAM(test_switch, BOOL, 0, 1, 1, "whether to wait")

static bool stands_in(const struct buf *b, struct str text)
{
    return str_find_str(buf_str(b), text) != STR_NOWHERE;
}

/* Every row of every table is in the page. */
static void test_whole(void **state)
{
    (void)state;
    struct buf b = buf_new(1 << 20);
    const struct config_option *o;
    const struct config_condition_row *c;
    const struct param *p;

    man_put_conf(&b);
    assert_int_equal(buf_check(&b), OK);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        struct buf tag = buf_new(200);
        unit_case(o->name);
        assert_true(o->doc[0] != 0 && str_ends(str_c(o->doc), STR(".")));
        assert_true(o->kind == CONFIG_KIND_FLAG || o->usage != NULL);
        buf_put_lit(&tag, ".TP\n\\fB");
        for (struct str left = str_c(o->name), part; str_cut(&left, '-', &part);) {
            buf_put(&tag, part);
            if (left.n > 0) buf_put_lit(&tag, "\\-");
        }
        buf_put_lit(&tag, "\\fP");
        assert_true(stands_in(&b, buf_str(&tag)));
        buf_free(&tag);
    }
    for (size_t i = 0; (c = config_condition_at(i)) != NULL; i++) {
        unit_case(c->name.p);
        assert_true(stands_in(&b, c->name));
    }
    for (size_t i = 0; (p = param_at(i)) != NULL; i++) {
        unit_case(p->name);
        assert_true(stands_in(&b, str_c(p->name)));
    }
    buf_free(&b);
}

static void test_rows(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT(".TP\n\\fBhost\\fP \\fINAME\\fP\nThe full name of this host.\nIt is in"),
        STR_INIT("Standard: /var/lib/postrider.\nA change takes effect on a restart.\n.IP\n.nf\n"
                 ".ft CW\nstore /srv/mail { reserve 1G }\n.ft\n.fi\n.RS\n.TP\n\\fBengine\\fP "
                 "embedded|memory\n"),
        STR_INIT("From 64M to 64T.\nStandard: 1T.\n"),
        STR_INIT("\\fBtest_wait_ms\\fP \\fITIME\\fP\nhow long to wait.\nNot \\e longer \\- or so\n"
                 ".br\nFrom 10ms to 5m. Standard: 1500ms.\n"),
        STR_INIT("\\fBtest_switch\\fP yes|no\nwhether to wait\n.br\nStandard: yes.\n"),
    };
    struct buf b = buf_new(1 << 20);

    man_put_conf(&b);
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_case(rows[i].p);
        assert_true(stands_in(&b, rows[i]));
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
