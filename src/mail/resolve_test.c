#include "mail/resolve.h"
#include "mail/unit_directory.h"

#define S(lit) STR_INIT(lit)
#define NO     STR_INIT("")

static const struct unit_directory_op there[] = {
    { NULL, DOMAIN_ADD, S("plain.example"), NO, 0, OK },
    { NULL, DOMAIN_ADD, S("catch.example"), S("rest@plain.example"), 0, OK },
    { NULL, DOMAIN_ADD, S("off.example"), NO, 1, OK },
    { NULL, ACCOUNT_ADD, S("ann@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("ann-bee@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("exact+one@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("exact@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("\"two words\"@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("\xc3\x84nn@plain.example"), NO, 0, OK },
    { NULL, ACCOUNT_ADD, S("full@plain.example"), NO, 1, OK },
    { NULL, ALIAS_ADD, S("team@plain.example"), S("ann@plain.example x@y.example"), 0, OK },
    { NULL, ALIAS_ADD, S("abuse@plain.example"), S("ann@plain.example"), 0, OK },
    { NULL, ACCOUNT_ADD, S("ann@off.example"), NO, 0, OK },
};

#define ACCOUNT_   DIRECTORY_ACCOUNT
#define ALIAS_     DIRECTORY_ALIAS
#define ONLY       DIRECTORY_DOMAIN_ONLY
#define NOTHING    DIRECTORY_NOTHING
#define EXACT      DIRECTORY_EXACT
#define SUBADDRESS DIRECTORY_SUBADDRESS

/* Account: `to` is its address; alias: its first target. */
static const struct {
    const char *name;
    struct str address, separators, admin;
    enum directory_kind kind;
    enum directory_way way;
    struct str to, detail;
} cases[] = {
    { "an account", S("ann@plain.example"), NO, NO, ACCOUNT_, EXACT, S("ann@plain.example"), NO },
    { "case does not matter", S("ANN@Plain.Example"), NO, NO, ACCOUNT_, EXACT,
      S("ann@plain.example"), NO },
    { "quotes neither", S("\"a\\nn\"@plain.example"), NO, NO, ACCOUNT_, EXACT,
      S("ann@plain.example"), NO },
    { "a quoted local part", S("\"Two Words\"@plain.example"), NO, NO, ACCOUNT_, EXACT,
      S("\"two words\"@plain.example"), NO },
    { "case of other letters", S("\xc3\xa4NN@plain.example"), NO, NO, ACCOUNT_, EXACT,
      S("\xc3\xa4nn@plain.example"), NO },
    { "a letter in two pieces, and a detail", S("A\xcc\x88nn+Shop@plain.example"), S("+"), NO,
      ACCOUNT_, SUBADDRESS, S("\xc3\xa4nn@plain.example"), S("Shop") },
    { "an alias", S("Team@plain.example"), NO, NO, ALIAS_, EXACT, S("ann@plain.example"), NO },
    { "nobody", S("nobody@plain.example"), NO, NO, ONLY, EXACT, NO, NO },
    { "a foreign domain", S("ann@foreign.example"), S("+"), S("ann@plain.example"), NOTHING, EXACT,
      NO, NO },
    { "a subdomain is foreign", S("ann@sub.plain.example"), NO, NO, NOTHING, EXACT, NO, NO },
    { "an address literal", S("ann@[192.0.2.1]"), NO, NO, NOTHING, EXACT, NO, NO },
    { "sub-address", S("Ann+Shop@plain.example"), S("+"), NO, ACCOUNT_, SUBADDRESS,
      S("ann@plain.example"), S("Shop") },
    { "sub-address of an alias", S("team+x@plain.example"), S("+"), NO, ALIAS_, SUBADDRESS,
      S("ann@plain.example"), S("x") },
    { "without separators there are none", S("ann+shop@plain.example"), NO, NO, ONLY, EXACT, NO,
      NO },
    { "exact goes first", S("exact+one@plain.example"), S("+"), NO, ACCOUNT_, EXACT,
      S("exact+one@plain.example"), NO },
    { "a name with a separator in it", S("ann-bee-shop@plain.example"), S("+-"), NO, ACCOUNT_,
      SUBADDRESS, S("ann@plain.example"), S("bee-shop") },
    { "the second of two separators", S("ann-bee+shop@plain.example"), S("+"), NO, ACCOUNT_,
      SUBADDRESS, S("ann-bee@plain.example"), S("shop") },
    { "no empty user", S("+ann@plain.example"), S("+"), NO, ONLY, EXACT, NO, NO },
    { "an empty detail", S("ann+@plain.example"), S("+"), NO, ACCOUNT_, SUBADDRESS,
      S("ann@plain.example"), NO },
    { "many separators end soon", S("x++++++++++++++++++++++++@plain.example"), S("+"), NO, ONLY,
      EXACT, NO, NO },
    { "postmaster goes to the administrator", S("PostMaster@plain.example"), NO,
      S("admin@else.example"), ALIAS_, DIRECTORY_ROLE, S("admin@else.example"), NO },
    { "a role with a row of its own", S("abuse@plain.example"), NO, S("admin@else.example"), ALIAS_,
      EXACT, S("ann@plain.example"), NO },
    { "no administrator", S("postmaster@plain.example"), NO, NO, ONLY, EXACT, NO, NO },
    { "the administrator is postmaster, and missing", S("postmaster@plain.example"), NO,
      S("postmaster@plain.example"), ONLY, EXACT, NO, NO },
    { "a role before the catch-all", S("security@catch.example"), NO, S("admin@else.example"),
      ALIAS_, DIRECTORY_ROLE, S("admin@else.example"), NO },
    { "catch-all", S("Anybody@catch.example"), NO, NO, ALIAS_, DIRECTORY_CATCH_ALL,
      S("rest@plain.example"), NO },
    { "catch-all of a very long local part",
      S("01234567890123456789012345678901234567890123456789012345678901234567890@catch.example"),
      S("+"), NO, ALIAS_, DIRECTORY_CATCH_ALL, S("rest@plain.example"), NO },
    { "a disabled domain says so", S("ann@off.example"), NO, NO, ACCOUNT_, EXACT,
      S("ann@off.example"), NO },
};

static void ways(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    unit_directory_run(e, there, UNIT_COUNT(there));
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        UNIT_LOOK(e, t)
        {
            struct resolve_how how = { cases[i].separators, cases[i].admin };
            struct directory_answer x;
            assert_int_equal(directory_resolve(t, cases[i].address, &how, &x), OK);
            assert_int_equal(x.kind, cases[i].kind);
            assert_int_equal(x.way, cases[i].way);
            assert_str(x.detail, cases[i].detail);
            if (x.kind == ACCOUNT_) assert_str(x.account.address, cases[i].to);
            if (x.kind == ALIAS_) assert_str(x.alias.targets[0], cases[i].to);
            assert_int_equal(x.generation, UNIT_COUNT(there));
            assert_int_equal(x.domain_disabled, str_ends(cases[i].address, STR("@off.example")));
        }
    }
    engine_close(&e);
}

static void use(void **state)
{
    (void)state;
    struct engine *e = engine_memory_new();
    unit_directory_run(e, there, UNIT_COUNT(there));
    for (unsigned full = 0; full < 2; full++) {
        uint64_t id = 0;
        UNIT_LOOK(e, t)
        {
            struct directory_answer x;
            struct resolve_how how = { 0 };
            assert_int_equal(directory_resolve(t, STR("full@plain.example"), &how, &x), OK);
            assert_int_equal(x.over_quota, full);
            assert_int_equal(x.used_messages, full);
            id = x.account.id;
        }
        unit_deliver(e, 77 + full, id, "INBOX");
    }
    engine_close(&e);
}

static void no_address(void **state)
{
    (void)state;
    static const struct str bad[] = { S(""), S("ann"), S("@plain.example"), S("ann@"), S("a b@c") };
    struct engine *e = engine_memory_new();
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        UNIT_LOOK(e, t)
        {
            struct resolve_how how = { 0 };
            struct directory_answer x;
            assert_int_equal(directory_resolve(t, bad[i], &how, &x), ERR_INVALID);
        }
    }
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways),
        cmocka_unit_test(use),
        cmocka_unit_test(no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
