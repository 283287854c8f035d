#include "mail/unit_directory.h"
#include "mail/janitor.h"

#define S(lit) STR_INIT(lit)
#define NO     STR_INIT("")

static void rules(void **state)
{
    (void)state;
    static const struct unit_directory_op ops[] = {
        { "a domain", DOMAIN_ADD, S("Example.ORG"), NO, 0, OK },
        { "again", DOMAIN_ADD, S("example.org"), NO, 0, ERR_EXISTS },
        { "no domain name", DOMAIN_ADD, S("-x-"), NO, 0, ERR_INVALID },
        { "an internationalised one", DOMAIN_ADD, S("m\xc3\xbcnchen.example"), NO, 0, OK },
        { "is its A-label", DOMAIN_ADD, S("xn--mnchen-3ya.example"), NO, 0, ERR_EXISTS },
        { "catch-all that is none", DOMAIN_SET, S("example.org"), S("nobody"), 0, ERR_INVALID },
        { "catch-all", DOMAIN_SET, S("example.org"), S("ann@example.org"), 0, OK },
        { "set a domain that is not there", DOMAIN_SET, S("x.example"), NO, 0, ERR_NOT_FOUND },
        { "an account", ACCOUNT_ADD, S("Ann@Example.org"), NO, 5, OK },
        { "the same in other letters", ACCOUNT_ADD, S("\"aNN\"@example.ORG"), NO, 0, ERR_EXISTS },
        { "in a foreign domain", ACCOUNT_ADD, S("ann@x.example"), NO, 0, ERR_NOT_FOUND },
        { "no address", ACCOUNT_ADD, S("ann"), NO, 0, ERR_INVALID },
        { "an address literal", ACCOUNT_ADD, S("ann@[127.0.0.1]"), NO, 0, ERR_INVALID },
        { "quoted local part", ACCOUNT_ADD, S("\"ann bee\"@example.org"), NO, 0, OK },
        { "UTF-8 local part", ACCOUNT_ADD, S("\xc3\xa4nn@example.org"), NO, 0, OK },
        { "a local part too long", ACCOUNT_ADD,
          S("0123456789012345678901234567890123456789012345678901234567890123x@example.org"), NO, 0,
          ERR_INVALID },
        { "set", ACCOUNT_SET, S("ann@example.org"), S("off"), 7, OK },
        { "set nobody", ACCOUNT_SET, S("bob@example.org"), NO, 7, ERR_NOT_FOUND },
        { "credentials", CREDENTIALS, S("ann@example.org"), S("secret"), 0, OK },
        { "of nobody", CREDENTIALS, S("bob@example.org"), S("secret"), 0, ERR_NOT_FOUND },
        { "an alias", ALIAS_ADD, S("all@example.org"), S("ann@example.org x@y.example"), 0, OK },
        { "where an account is", ALIAS_ADD, S("ann@example.org"), S("x@y.example"), 0, ERR_EXISTS },
        { "where an alias is", ALIAS_ADD, S("all@example.org"), S("x@y.example"), 0, ERR_EXISTS },
        { "an account where an alias is", ACCOUNT_ADD, S("all@example.org"), NO, 0, ERR_EXISTS },
        { "without target", ALIAS_ADD, S("none@example.org"), NO, 0, ERR_INVALID },
        { "a bad target", ALIAS_ADD, S("none@example.org"), S("x@y.example x y"), 0, ERR_INVALID },
        { "in a foreign domain", ALIAS_ADD, S("all@x.example"), S("x@y.example"), 0,
          ERR_NOT_FOUND },
        { "set an account as alias", ALIAS_SET, S("ann@example.org"), S("x@y.example"), 0,
          ERR_NOT_FOUND },
        { "set", ALIAS_SET, S("ALL@example.org"), S("c@d.example c@d.example e@f.example"), 0, OK },
        { "delete an account as alias", ALIAS_DELETE, S("ann@example.org"), NO, 0, ERR_NOT_FOUND },
        { "delete an alias as account", ACCOUNT_DELETE, S("all@example.org"), NO, 0,
          ERR_NOT_FOUND },
        { "a domain in use", DOMAIN_DELETE, S("example.org"), NO, 0, ERR_DENIED },
        { "an empty domain", DOMAIN_DELETE, S("m\xc3\xbcnchen.example"), NO, 0, OK },
        { "gone", DOMAIN_DELETE, S("xn--mnchen-3ya.example"), NO, 0, ERR_NOT_FOUND },
    };
    struct engine *e = engine_memory_new();
    unit_directory_run(e, ops, UNIT_COUNT(ops));
    UNIT_LOOK(e, t)
    {
        struct account x;
        struct alias alias;
        struct domain d;
        struct str value;
        uint64_t generation;
        size_t changes = 0;
        for (size_t i = 0; i < UNIT_COUNT(ops); i++) changes += ops[i].want == OK;
        unit_case("each change raised the generation once");
        assert_int_equal(directory_generation(t, &generation), OK);
        assert_int_equal(generation, changes);
        unit_case("what is there");
        assert_int_equal(directory_account_get(t, STR("ANN@example.org"), &x), OK);
        assert_str(x.address, STR("ann@example.org"));
        assert_true(x.disabled && x.quota_bytes == 7 && x.created_us == unit_now_us);
        assert_int_equal(directory_account_by_id(t, x.id, &x), OK);
        assert_int_equal(directory_credentials_get(t, x.id, &value), OK);
        assert_str(value, STR("secret"));
        struct account_state s;
        assert_int_equal(account_state_get(t, x.id, &s), OK);
        assert_int_equal(s.quota_bytes, 7);
        assert_int_equal(directory_account_get(t, STR("\"ann bee\"@example.org"), &x), OK);
        assert_str(x.address, STR("\"ann bee\"@example.org"));
        assert_int_equal(directory_credentials_get(t, x.id, &value), ERR_NOT_FOUND);
        assert_int_equal(directory_alias_get(t, STR("all@example.org"), &alias), OK);
        assert_int_equal(alias.target_count, 2);
        assert_str(alias.targets[0], STR("c@d.example"));
        assert_str(alias.targets[1], STR("e@f.example"));
        assert_int_equal(directory_domain_get(t, STR("EXAMPLE.org"), &d), OK);
        assert_str(d.catch_all, STR("ann@example.org"));
    }
    engine_close(&e);
}

/* An alias with more targets than one row holds. */
static void long_alias(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct buf targets = buf_new(1 << 20);
    struct engine *e = engine_memory_new();
    for (unsigned i = 0; i < 5000; i++) {
        if (i > 0) buf_put_byte(&targets, ' ');
        buf_put_lit(&targets, "somebody.number.");
        buf_put_u64(&targets, i);
        buf_put_lit(&targets, "@example.net");
    }
    struct unit_directory_op ops[] = {
        { NULL, DOMAIN_ADD, S("example.org"), NO, 0, OK },
        { "5000 targets", ALIAS_ADD, S("all@example.org"), buf_str(&targets), 0, OK },
        { "a neighbour", ALIAS_ADD, S("all2@example.org"), S("a@b.example"), 0, OK },
    };
    unit_directory_run(e, ops, UNIT_COUNT(ops));
    for (unsigned round = 0; round < 2; round++) {
        UNIT_LOOK(e, t)
        {
            struct alias alias;
            assert_int_equal(directory_alias_get(t, STR("all@example.org"), &alias), OK);
            assert_int_equal(alias.target_count, round == 0 ? 5000 : 1);
            if (round == 0)
                assert_str(alias.targets[4999], STR("somebody.number.4999@example.net"));
            struct key k = { .kind = KEY_TARGETS };
            struct rows rows;
            assert_int_equal(row_page(t, &k, 0, STR_NONE, 100, &rows), OK);
            assert_int_equal(rows.n > 0, round == 0);
        }
        struct unit_directory_op shorter = { "made short again", ALIAS_SET, S("all@example.org"),
                                             S("x@y.example"),   0,         OK };
        unit_directory_run(e, &shorter, 1);
    }
    buf_free(&targets);
    arena_free(&a);
    engine_close(&e);
}

/* Ids are never used twice, even when the address is. */
static void ids(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    uint64_t first = unit_account(e, "ann@example.org", 0, 0);
    struct unit_directory_op gone = { "deleted", ACCOUNT_DELETE, S("ann@example.org"), NO, 0, OK };
    unit_directory_run(e, &gone, 1);
    uint64_t second = unit_account(e, "ann@example.org", 0, 0);
    assert_true(second > first);
    UNIT_LOOK(e, t)
    {
        struct account x;
        assert_int_equal(directory_account_by_id(t, first, &x), ERR_NOT_FOUND);
        assert_int_equal(directory_account_by_id(t, second, &x), OK);
    }
    engine_close(&e);
}

static void listing(void **state)
{
    (void)state;
    static const struct unit_directory_op ops[] = {
        { NULL, DOMAIN_ADD, S("b.example"), NO, 0, OK },
        { NULL, DOMAIN_ADD, S("a.example"), NO, 0, OK },
        { NULL, DOMAIN_ADD, S("b.example.org"), NO, 0, OK },
        { NULL, ACCOUNT_ADD, S("z@a.example"), NO, 0, OK },
        { NULL, ALIAS_ADD, S("m@b.example"), S("x@y.example"), 0, OK },
        { NULL, ACCOUNT_ADD, S("c@b.example"), NO, 0, OK },
        { NULL, ACCOUNT_ADD, S("p@b.example"), NO, 0, OK },
        { NULL, ALIAS_ADD, S("q@b.example"), S("x@y.example"), 0, OK },
        { NULL, ACCOUNT_ADD, S("a@b.example.org"), NO, 0, OK },
    };
    static const struct {
        const char *name;
        struct str domain, want;
    } cases[] = {
        { "all accounts", NO, S("z@a.example c@b.example p@b.example a@b.example.org ") },
        { "of one domain", S("b.example"), S("c@b.example p@b.example ") },
        { "of none", S("x.example"), NO },
    };
    struct engine *e = engine_memory_new();
    unit_directory_run(e, ops, UNIT_COUNT(ops));
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        for (size_t max = 1; max < 12; max++) {
            struct buf have = buf_new(1000);
            struct directory_page page = { .more = true };
            UNIT_LOOK(e, t)
            {
                while (page.more) {
                    struct account list[12];
                    assert_int_equal(directory_account_list(t, cases[i].domain, max, list, &page),
                                     OK);
                    for (size_t j = 0; j < page.n; j++) {
                        buf_put(&have, list[j].address);
                        buf_put_byte(&have, ' ');
                    }
                }
            }
            assert_str(buf_str(&have), cases[i].want);
            buf_free(&have);
        }
    }
    UNIT_LOOK(e, t)
    {
        struct alias aliases[12];
        struct domain domains[12];
        struct directory_page page = { .more = true };
        unit_case("aliases");
        assert_int_equal(directory_alias_list(t, STR("b.example"), 12, aliases, &page), OK);
        assert_int_equal(page.n, 2);
        assert_str(aliases[1].address, STR("q@b.example"));
        unit_case("domains");
        page = (struct directory_page){ .after = STR("a.example") };
        assert_int_equal(directory_domain_list(t, 1, domains, &page), OK);
        assert_true(page.n == 1 && page.more);
        assert_str(domains[0].name, STR("b.example"));
    }
    engine_close(&e);
}

struct reap {
    struct janitor_job job;
    bool more;
};

static enum err reap_body(struct txn *t, void *ctx)
{
    struct reap *x = ctx;
    return janitor_work(t, &x->job, unit_now_us, &x->more);
}

/* Run the janitor until its round is over. */
static unsigned clean(struct engine *e)
{
    struct janitor j = { 0 };
    struct arena a = ARENA_INIT(0);
    unsigned jobs = 0;
    for (;;) {
        struct reap x = { .more = true };
        enum janitor_found found = JANITOR_REST;
        UNIT_LOOK(e, t)
        {
            assert_int_equal(janitor_look(t, &j, unit_now_us, &a, &x.job, &found), OK);
        }
        if (found == JANITOR_REST) break;
        if (found == JANITOR_ON) continue;
        jobs++;
        while (x.more) {
            assert_int_equal(unit_commit(e, reap_body, &x), OK);
        }
    }
    arena_free(&a);
    return jobs;
}

static size_t row_count(struct engine *e, struct key_range r)
{
    size_t n = 0;
    UNIT_LOOK(e, t)
    {
        struct rows rows;
        assert_int_equal(row_range(t, r, STR_NONE, 10000, &rows), OK);
        n = rows.n;
    }
    return n;
}

static void removed_by_force(void **state)
{
    (void)state;
    static const struct unit_directory_op ops[] = {
        { "force", DOMAIN_DELETE, S("example.org"), NO, 1, OK },
        { "not again at once", DOMAIN_ADD, S("example.org"), NO, 0, ERR_BUSY },
        { "nothing can be added", ALIAS_ADD, S("x@example.org"), S("a@b.example"), 0,
          ERR_NOT_FOUND },
    };
    static const struct unit_directory_op later[] = {
        { "afterwards it can come back", DOMAIN_ADD, S("example.org"), NO, 0, OK },
    };
    struct arena a = ARENA_INIT(0);
    struct engine *e = engine_memory_new();
    uint64_t ann = unit_account(e, "ann@example.org", 0, 0);
    unit_account(e, "ann@example.net", 0, 0);
    struct unit_directory_op alias = { NULL, ALIAS_ADD, S("all@example.org"), S("a@b.example"),
                                       0,    OK };
    struct unit_directory_op secret = { NULL, CREDENTIALS, S("ann@example.org"), S("s"), 0, OK };
    unit_directory_run(e, &alias, 1);
    unit_directory_run(e, &secret, 1);
    for (unsigned i = 0; i < 1200; i++) unit_deliver(e, 1000 + i, ann, i % 2 ? "INBOX" : "x/y");
    unit_directory_run(e, ops, UNIT_COUNT(ops));
    assert_int_equal(clean(e), 2 + 1); /* the domain, the account, traces of ids from 1970 */
    unit_case("nothing of it is left");
    struct key owner = { .kind = KEY_STATE, .account = ann };
    assert_int_equal(row_count(e, key_owner_range(&a, &owner)), 0);
    struct key addresses = { .kind = KEY_ADDRESS, .domain = STR("example.org") };
    assert_int_equal(row_count(e, key_range(&a, &addresses, 1)), 0);
    struct key credentials = { .kind = KEY_CREDENTIALS };
    assert_int_equal(row_count(e, key_range(&a, &credentials, 0)), 0);
    struct engine_report report;
    struct engine_check how = { .refs = NULL };
    assert_int_equal(engine_check(e, &how, &report), OK);
    assert_int_equal(report.blobs, 0);
    UNIT_LOOK(e, t)
    {
        struct account x;
        assert_int_equal(directory_account_get(t, STR("ann@example.net"), &x), OK);
    }
    unit_directory_run(e, later, UNIT_COUNT(later));
    assert_int_equal(clean(e), 0);
    arena_free(&a);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),   cmocka_unit_test(long_alias),       cmocka_unit_test(ids),
        cmocka_unit_test(listing), cmocka_unit_test(removed_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
