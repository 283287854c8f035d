#include "base/unit.h"

#include "agent/auth/identity.h"
#include "base/param.h"

/* A small directory: what each address leads to. */
static const struct {
    const char *address, *account, *targets;
    enum directory_way way;
    bool disabled;
} rows[] = {
    { "ann@example.org", "ann@example.org", NULL, DIRECTORY_EXACT, false },
    { "bob@example.org", "bob@example.org", NULL, DIRECTORY_EXACT, false },
    { "ann+shop@example.org", "ann@example.org", NULL, DIRECTORY_SUBADDRESS, false },
    { "sales@example.org", NULL, "ann@example.org", DIRECTORY_EXACT, false },
    { "staff@example.org", NULL, "bob@example.org inner@example.org", DIRECTORY_EXACT, false },
    { "inner@example.org", NULL, "x@elsewhere.example Ann@Example.org", DIRECTORY_EXACT, false },
    { "sales+eu@example.org", NULL, "ann@example.org", DIRECTORY_SUBADDRESS, false },
    { "loop1@example.org", NULL, "loop2@example.org", DIRECTORY_EXACT, false },
    { "loop2@example.org", NULL, "loop1@example.org", DIRECTORY_EXACT, false },
    { "postmaster@example.org", NULL, "ann@example.org", DIRECTORY_ROLE, false },
    { "anything@catch.example", NULL, "ann@example.org", DIRECTORY_CATCH_ALL, false },
    { "ann@off.example", "ann@example.org", NULL, DIRECTORY_EXACT, true },
    { "bobs@example.org", NULL, "bob@example.org", DIRECTORY_EXACT, false },
};

static unsigned look_ups;

static enum err look_up(void *ctx, struct str address, struct arena *a,
                        struct directory_answer *out)
{
    assert_null(ctx);
    look_ups++;
    *out = (struct directory_answer){ .kind = DIRECTORY_NOTHING };
    if (str_eq(address, STR("down@example.org"))) return ERR_TIMEOUT;
    if (str_starts(address, STR("deep"))) { /* deepN leads to deepN+1, without end */
        struct buf next = BUF_INIT(64);
        buf_put(&next, str_part(address, 0, str_find(address, '@')));
        buf_put_lit(&next, "x@example.org");
        out->kind = DIRECTORY_ALIAS;
        out->alias.target_count = 1;
        out->alias.targets = ARENA_NEW(a, struct str);
        out->alias.targets[0] = arena_str(a, buf_str(&next));
        buf_free(&next);
        return OK;
    }
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        if (!str_eq_nocase(address, str_c(rows[i].address))) continue;
        out->way = rows[i].way;
        out->domain_disabled = rows[i].disabled;
        if (rows[i].account != NULL) {
            out->kind = DIRECTORY_ACCOUNT;
            out->account.address = str_c(rows[i].account);
            return OK;
        }
        struct str targets = str_c(rows[i].targets), target;
        out->kind = DIRECTORY_ALIAS;
        out->alias.targets = ARENA_MANY(a, struct str, 4);
        while (str_cut(&targets, ' ', &target)) {
            out->alias.targets[out->alias.target_count++] = target;
        }
        return OK;
    }
    return OK;
}

static const struct identity_world world = { look_up, NULL };

static const struct {
    const char *name;
    struct str address;
    enum err err;
    bool catch_all, no_subaddress;
} cases[] = {
    { "own address", STR_INIT("ann@example.org"), OK, false, false },
    { "own address in capitals", STR_INIT("Ann@Example.ORG"), OK, false, false },
    { "null reverse-path", STR_INIT(""), OK, false, false },
    { "somebody else's", STR_INIT("bob@example.org"), ERR_DENIED, false, false },
    { "nobody's here", STR_INIT("eve@example.org"), ERR_DENIED, false, false },
    { "somewhere else", STR_INIT("ann@elsewhere.example"), ERR_DENIED, false, false },
    { "sub-address", STR_INIT("ann+shop@example.org"), OK, false, false },
    { "sub-address, not permitted", STR_INIT("ann+shop@example.org"), ERR_DENIED, false, true },
    { "alias", STR_INIT("sales@example.org"), OK, false, false },
    { "sub-address of an alias", STR_INIT("sales+eu@example.org"), OK, false, false },
    { "alias of an alias, among others", STR_INIT("staff@example.org"), OK, false, false },
    { "alias of somebody else", STR_INIT("bobs@example.org"), ERR_DENIED, false, false },
    { "role name", STR_INIT("postmaster@example.org"), OK, false, false },
    { "aliases in a circle", STR_INIT("loop1@example.org"), ERR_DENIED, false, false },
    { "aliases without end", STR_INIT("deep@example.org"), ERR_DENIED, false, false },
    { "catch-all", STR_INIT("anything@catch.example"), ERR_DENIED, false, false },
    { "catch-all, permitted", STR_INIT("anything@catch.example"), OK, true, false },
    { "domain that is switched off", STR_INIT("ann@off.example"), ERR_DENIED, false, false },
    { "address literal", STR_INIT("ann@[127.0.0.1]"), ERR_DENIED, false, false },
    { "no domain", STR_INIT("ann"), ERR_SYNTAX, false, false },
    { "two addresses", STR_INIT("ann@example.org,bob@example.org"), ERR_SYNTAX, false, false },
    { "line break", STR_INIT("ann@example.org\r\n"), ERR_SYNTAX, false, false },
    { "directory is down", STR_INIT("down@example.org"), ERR_TIMEOUT, false, false },
};

static void logins_use_their_own_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        param_reset();
        assert_int_equal(param_set(STR("auth_identity_catch_all"), cases[i].catch_all), OK);
        assert_int_equal(param_set(STR("auth_identity_subaddress"), !cases[i].no_subaddress), OK);
        look_ups = 0;
        assert_int_equal(identity_check(&world, STR("ann@example.org"), cases[i].address),
                         cases[i].err);
        assert_true(look_ups <= 200);
    }
    param_reset();
}

static void all_of_from_must_fit(void **state)
{
    static const struct str good[] = { STR_INIT("ann@example.org"), STR_INIT("sales@example.org") };
    static const struct str bad[] = { STR_INIT("ann@example.org"), STR_INIT("bob@example.org") };
    size_t at = 9;
    (void)state;
    assert_int_equal(identity_check_all(&world, STR("ann@example.org"), good, 2, &at), OK);
    assert_int_equal(at, 9);
    assert_int_equal(identity_check_all(&world, STR("ann@example.org"), bad, 2, &at), ERR_DENIED);
    assert_int_equal(at, 1);
    assert_int_equal(identity_check_all(&world, STR("ann@example.org"), bad, 2, NULL), ERR_DENIED);
    assert_int_equal(identity_check_all(&world, STR("ann@example.org"), NULL, 0, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_use_their_own_addresses),
        cmocka_unit_test(all_of_from_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
