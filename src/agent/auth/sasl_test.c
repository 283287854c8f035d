#include "base/unit.h"

#include "agent/auth/hash.h"
#include "agent/auth/sasl.h"
#include "base/clock.h"
#include "base/param.h"
#include "base/rand.h"
#include "model/mechanism.h"
#include "syntax/base64.h"

#include <gsasl.h>

enum {
    STANDARD = CONFIG_AUTH_PLAIN | CONFIG_AUTH_LOGIN | CONFIG_AUTH_SCRAM_SHA_256 |
               CONFIG_AUTH_SCRAM_SHA_256_PLUS,
    OLD = CONFIG_AUTH_SCRAM_SHA_1 | CONFIG_AUTH_CRAM_MD5,
};

static const struct sasl_settings settings = { .wants = { STANDARD | OLD, CONFIG_HASH_YESCRYPT },
                                               .default_domain = STR_INIT("example.org"),
                                               .host = STR_INIT("mail.example.org") };

/* --- a directory of four --- */

static struct {
    struct arena arena;
    struct credential ann, dan, old;
    unsigned lookups, renewals;
    struct credential renewed;
    struct str seen; /* login of the last look-up */
} world;

static enum err lookup(void *ctx, void *who, struct str login, struct arena *a,
                       struct sasl_account *out)
{
    (void)a;
    assert_ptr_equal(ctx, &world);
    assert_string_equal((const char *)who, "exchange");
    world.lookups++;
    world.seen = arena_str(&world.arena, login);
    struct sasl_account account = { .id = 7 };
    if (str_eq(login, STR("ann@example.org")) || str_eq(login, STR("alias@example.org"))) {
        account.name = STR("ann@example.org");
        account.credential = world.ann;
    } else if (str_eq(login, STR("dan@example.org"))) {
        account.name = STR("dan@example.org");
        account.credential = world.dan;
    } else if (str_eq(login, STR("old@example.org"))) {
        account.name = STR("old@example.org");
        account.credential = world.old;
    } else if (str_eq(login, STR("odd@example.org"))) {
        account.name = STR("odd@example.org");
        account.credential = (struct credential){ .hash = STR("$1$abc$def") };
    } else {
        return str_eq(login, STR("down@example.org")) ? ERR_TIMEOUT : ERR_NOT_FOUND;
    }
    *out = account;
    return OK;
}

static void renew(void *ctx, void *who, const struct sasl_account *account,
                  const struct credential *fresh)
{
    assert_ptr_equal(ctx, &world);
    assert_string_equal((const char *)who, "exchange");
    assert_str(account->name, STR("old@example.org"));
    world.renewals++;
    world.renewed = *fresh;
    world.renewed.hash = arena_str(&world.arena, fresh->hash);
}

static void cheap(void)
{
    param_reset();
    assert_int_equal(param_set(STR("auth_hash_yescrypt_cost"), 1), OK);
    assert_int_equal(param_set(STR("auth_scram_iterations"), 4096), OK);
}

static int make_world(void **state)
{
    (void)state;
    cheap();
    assert_int_equal(credential_make(&settings.wants, STR("pencil"), &world.arena, &world.ann), OK);
    world.dan = world.ann;
    world.dan.disabled = true;
    assert_int_equal(
        credential_import(STR("$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
                          &world.arena, &world.old),
        OK); /* U*U* */
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    arena_free(&world.arena);
    param_reset();
    return 0;
}

static struct sasl_room *open_room(bool with_renew)
{
    struct sasl_backend backend = { &world, lookup, with_renew ? renew : NULL };
    world.lookups = world.renewals = 0;
    return sasl_open(&backend, &settings, STR("decoys"));
}

static char exchange_name[] = "exchange";
static const struct sasl_terms tls_terms = { .private = true, .who = exchange_name };

/* --- the other side: libgsasl's client --- */

struct client {
    const char *login, *authzid, *password;
    struct str exporter, unique;
};

static int client_says(Gsasl *lib, Gsasl_session *session, Gsasl_property property)
{
    const struct client *c = gsasl_session_hook_get(session);
    struct buf b = BUF_INIT(256);
    (void)lib;
    if (c == NULL) return GSASL_NO_CALLBACK;
    switch ((int)property) {
    case GSASL_AUTHID:
        return gsasl_property_set(session, property, c->login);
    case GSASL_AUTHZID:
        return c->authzid != NULL ? gsasl_property_set(session, property, c->authzid)
                                  : GSASL_NO_CALLBACK;
    case GSASL_PASSWORD:
        return gsasl_property_set(session, property, c->password);
    case GSASL_CB_TLS_EXPORTER:
    case GSASL_CB_TLS_UNIQUE:
        base64_put(&b, (int)property == GSASL_CB_TLS_UNIQUE ? c->unique : c->exporter);
        int rc = b.n > 0 ? gsasl_property_set_raw(session, property, b.p, b.n) : GSASL_NO_CALLBACK;
        buf_free(&b);
        return rc;
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* The hook has to be there before libgsasl asks for channel bindings, which it does at the start.
 */
static const struct client *client_now;
static int client_says_early(Gsasl *lib, Gsasl_session *session, Gsasl_property property)
{
    gsasl_session_hook_set(session, (void *)(uintptr_t)client_now);
    return client_says(lib, session, property);
}

/* Run the whole exchange; what the server thought of it goes to `result`, whose views go. */
static enum sasl_state converse(struct sasl_room *room, const struct sasl_terms *terms,
                                const char *mechanism, const struct client *c,
                                struct sasl_result *result)
{
    Gsasl *lib = NULL;
    Gsasl_session *client = NULL;
    struct sasl *s = NULL;
    enum sasl_state state = SASL_CONTINUE;
    struct buf said = BUF_INIT(SASL_INPUT_MAX);

    assert_int_equal(gsasl_init(&lib), GSASL_OK);
    gsasl_callback_set(lib, client_says_early);
    client_now = c;
    assert_int_equal(gsasl_client_start(lib, mechanism, &client), GSASL_OK);
    assert_int_equal(sasl_begin(room, terms, str_c(mechanism), &s), OK);
    bool server_first = strcmp(mechanism, "LOGIN") == 0 || strcmp(mechanism, "CRAM-MD5") == 0;
    if (server_first) state = sasl_step(s, STR_NONE, &said);
    int rc = GSASL_NEEDS_MORE;
    while (state == SASL_CONTINUE) {
        char *answer = NULL;
        size_t n = 0;
        if (rc == GSASL_NEEDS_MORE) rc = gsasl_step(client, said.p, said.n, &answer, &n);
        assert_true(rc == GSASL_OK || rc == GSASL_NEEDS_MORE);
        buf_clear(&said);
        state = sasl_step(s, str_of(answer, n), &said);
        gsasl_free(answer);
    }
    if (state == SASL_DONE) assert_int_equal(rc, GSASL_OK); /* the client believes us, too */
    *result = *sasl_result(s);
    result->login = arena_str(&world.arena, result->login);
    sasl_free(&s);
    buf_free(&said);
    gsasl_finish(client);
    gsasl_done(lib);
    return state;
}

static const struct {
    const char *name, *login, *authzid, *password;
    enum sasl_why clear, scram, cram; /* what the kinds of mechanism think of it */
} logins[] = {
    { "right password", "ann@example.org", NULL, "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "default domain", "ann", NULL, "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "capitals", "Ann@EXAMPLE.org", NULL, "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "an alias", "alias", NULL, "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "own name as authzid", "ann", "ann@example.org", "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "account as authzid of an alias", "alias", "Ann", "pencil", SASL_FINE, SASL_FINE, SASL_FINE },
    { "wrong password", "ann", NULL, "pencils", SASL_BAD_PASSWORD, SASL_BAD_PASSWORD,
      SASL_BAD_PASSWORD },
    { "password in capitals", "ann", NULL, "PENCIL", SASL_BAD_PASSWORD, SASL_BAD_PASSWORD,
      SASL_BAD_PASSWORD },
    { "nobody", "eve", NULL, "pencil", SASL_NO_ACCOUNT, SASL_NO_ACCOUNT, SASL_NO_ACCOUNT },
    { "nobody in a name that is none", "eve@@", NULL, "pencil", SASL_NO_ACCOUNT, SASL_NO_ACCOUNT,
      SASL_NO_ACCOUNT },
    { "disabled", "dan", NULL, "pencil", SASL_DISABLED, SASL_DISABLED, SASL_DISABLED },
    { "disabled, wrong password", "dan", NULL, "x", SASL_BAD_PASSWORD, SASL_BAD_PASSWORD,
      SASL_BAD_PASSWORD },
    { "imported hash", "old", NULL, "U*U*", SASL_FINE, SASL_NO_KEYS, SASL_NO_KEYS },
    { "hash that nobody understands", "odd", NULL, "x", SASL_NO_KEYS, SASL_NO_KEYS, SASL_NO_KEYS },
    { "directory is down", "down", NULL, "x", SASL_LATER, SASL_LATER, SASL_LATER },
};

static const struct {
    const char *name;
    bool clear, cram, takes_authzid;
} mechanisms[] = {
    { "PLAIN", true, false, true },          { "LOGIN", true, false, false },
    { "CRAM-MD5", false, true, false },      { "SCRAM-SHA-1", false, false, true },
    { "SCRAM-SHA-256", false, false, true },
};

static void every_mechanism_with_an_independent_client(void **state)
{
    struct sasl_room *room = open_room(false);
    (void)state;
    for (size_t m = 0; m < UNIT_COUNT(mechanisms); m++) {
        for (size_t i = 0; i < UNIT_COUNT(logins); i++) {
            unit_case(mechanisms[m].name);
            unit_case(logins[i].name);
            struct client c = { logins[i].login, logins[i].authzid, logins[i].password, STR_NONE,
                                STR_NONE };
            struct sasl_result r;
            enum sasl_why want = mechanisms[m].clear  ? logins[i].clear
                                 : mechanisms[m].cram ? logins[i].cram
                                                      : logins[i].scram;
            enum sasl_state end = converse(room, &tls_terms, mechanisms[m].name, &c, &r);
            assert_int_equal(r.why, want);
            assert_int_equal(end, want == SASL_FINE ? SASL_DONE : SASL_FAIL);
            assert_int_equal(r.clear_password, mechanisms[m].clear);
            assert_str(r.mechanism, str_c(mechanisms[m].name));
            if (end == SASL_DONE) {
                assert_str(r.account, strcmp(logins[i].login, "old") == 0 ? STR("old@example.org")
                                                                          : STR("ann@example.org"));
                assert_int_equal(r.account_id, 7);
            } else {
                assert_int_equal(r.account.n, 0);
            }
            assert_int_equal(r.err, want == SASL_LATER                            ? ERR_TIMEOUT
                                    : mechanisms[m].clear && want == SASL_NO_KEYS ? ERR_UNSUPPORTED
                                                                                  : OK);
        }
    }
    sasl_close(&room);
}

static const struct {
    const char *name, *mechanism;
    struct str exporter, unique;           /* the client's */
    struct str have_exporter, have_unique; /* ours */
    enum sasl_why why;
} bindings[] = {
    { "exporter", "SCRAM-SHA-256-PLUS", STR_INIT("ex"), STR_INIT(""), STR_INIT("ex"), STR_INIT(""),
      SASL_FINE },
    { "unique", "SCRAM-SHA-256-PLUS", STR_INIT(""), STR_INIT("un"), STR_INIT("ex"), STR_INIT("un"),
      SASL_FINE },
    { "man in the middle", "SCRAM-SHA-256-PLUS", STR_INIT("ex1"), STR_INIT(""), STR_INIT("ex2"),
      STR_INIT(""), SASL_BAD_BINDING },
    { "type that we have not", "SCRAM-SHA-256-PLUS", STR_INIT(""), STR_INIT("un"), STR_INIT("ex"),
      STR_INIT(""), SASL_BAD_BINDING },
};

/* libgsasl's client cannot say "y" (it fails by itself); scram_test.c says it. */
static void channels_are_bound(void **state)
{
    struct sasl_room *room = open_room(false);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(bindings); i++) {
        unit_case(bindings[i].name);
        struct client c = { "ann", NULL, "pencil", bindings[i].exporter, bindings[i].unique };
        struct sasl_terms terms = tls_terms;
        struct sasl_result r;
        terms.bindings.exporter = bindings[i].have_exporter;
        terms.bindings.unique = bindings[i].have_unique;
        enum sasl_state end = converse(room, &terms, bindings[i].mechanism, &c, &r);
        assert_int_equal(r.why, bindings[i].why);
        assert_int_equal(end, r.why == SASL_FINE ? SASL_DONE : SASL_FAIL);
    }
    sasl_close(&room);
}

/* --- message by message --- */

static const struct {
    const char *name, *mechanism;
    struct {
        struct str in;
        enum sasl_state state;
        struct str out; /* "*": whatever */
    } steps[4];
    enum sasl_why why;
} dialogs[] = {
    { "PLAIN, initial response (RFC 4616)",
      "PLAIN",
      { { STR_INIT("\0ann\0pencil"), SASL_DONE, STR_INIT("") } },
      SASL_FINE },
    { "PLAIN, asked first",
      "PLAIN",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("") },
        { STR_INIT("ann\0ann\0pencil"), SASL_DONE, STR_INIT("") } },
      SASL_FINE },
    { "PLAIN for somebody else",
      "PLAIN",
      { { STR_INIT("dan\0ann\0pencil"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_AUTHZID },
    { "PLAIN for somebody else, wrong password",
      "PLAIN",
      { { STR_INIT("dan\0ann\0pen"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_PASSWORD },
    { "PLAIN with a password that is not UTF-8",
      "PLAIN",
      { { STR_INIT("\0ann\0\xff"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_PASSWORD },
    { "PLAIN with rubbish",
      "PLAIN",
      { { STR_INIT("ann"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "PLAIN, silent twice",
      "PLAIN",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("") }, { STR_INIT(""), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "LOGIN",
      "login",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("Username:") },
        { STR_INIT("ann"), SASL_CONTINUE, STR_INIT("Password:") },
        { STR_INIT("pencil"), SASL_DONE, STR_INIT("") } },
      SASL_FINE },
    { "LOGIN with the name at once",
      "LOGIN",
      { { STR_INIT("ann"), SASL_CONTINUE, STR_INIT("Password:") },
        { STR_INIT("pencil"), SASL_DONE, STR_INIT("") } },
      SASL_FINE },
    { "LOGIN without a name",
      "LOGIN",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("Username:") },
        { STR_INIT(""), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "LOGIN without a password",
      "LOGIN",
      { { STR_INIT("ann"), SASL_CONTINUE, STR_INIT("Password:") },
        { STR_INIT(""), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "LOGIN with NULs",
      "LOGIN",
      { { STR_INIT("an\0n"), SASL_CONTINUE, STR_INIT("Password:") },
        { STR_INIT("pencil"), SASL_FAIL, STR_INIT("") } },
      SASL_NO_ACCOUNT },
    { "LOGIN with a NUL behind the password",
      "LOGIN",
      { { STR_INIT("ann"), SASL_CONTINUE, STR_INIT("Password:") },
        { STR_INIT("pencil\0"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_PASSWORD },
    { "CRAM-MD5 does not let the client begin",
      "CRAM-MD5",
      { { STR_INIT("ann b913a602c7eda7a495b4e6e7334d3890"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "CRAM-MD5 answered with rubbish",
      "CRAM-MD5",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("*") },
        { STR_INIT("ann"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "SCRAM, asked first, then rubbish",
      "SCRAM-SHA-256",
      { { STR_INIT(""), SASL_CONTINUE, STR_INIT("") }, { STR_INIT("x"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "SCRAM with a mandatory extension",
      "SCRAM-SHA-256",
      { { STR_INIT("n,,m=x,n=ann,r=abc"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_BINDING },
    { "SCRAM with an empty login",
      "SCRAM-SHA-256",
      { { STR_INIT("n,,n=,r=abc"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "SCRAM, binding without -PLUS",
      "SCRAM-SHA-256",
      { { STR_INIT("p=tls-unique,,n=ann,r=abc"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_BINDING },
    { "SCRAM, proof left out",
      "SCRAM-SHA-256",
      { { STR_INIT("n,,n=ann,r=abc"), SASL_CONTINUE, STR_INIT("*") },
        { STR_INIT("c=biws,r=abc"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_SYNTAX },
    { "SCRAM, nonce of our own",
      "SCRAM-SHA-256",
      { { STR_INIT("n,,n=ann,r=abc"), SASL_CONTINUE, STR_INIT("*") },
        { STR_INIT("c=biws,r=abc,p=AAAA"), SASL_FAIL, STR_INIT("") } },
      SASL_BAD_BINDING },
};

static void dialogs_step_by_step(void **state)
{
    struct sasl_room *room = open_room(false);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(dialogs); i++) {
        unit_case(dialogs[i].name);
        struct sasl *s = NULL;
        assert_int_equal(sasl_begin(room, &tls_terms, str_c(dialogs[i].mechanism), &s), OK);
        for (size_t k = 0; k < 4 && dialogs[i].steps[k].state != 0; k++) {
            struct buf out = BUF_INIT(4096);
            assert_int_equal(sasl_step(s, dialogs[i].steps[k].in, &out), dialogs[i].steps[k].state);
            if (!str_eq(dialogs[i].steps[k].out, STR("*")))
                assert_str(buf_str(&out), dialogs[i].steps[k].out);
            buf_free(&out);
        }
        assert_int_equal(sasl_result(s)->why, dialogs[i].why);
        sasl_free(&s);
    }
    sasl_close(&room);
}

static void too_long_a_message(void **state)
{
    struct sasl_room *room = open_room(false);
    (void)state;
    for (size_t m = 0; m < UNIT_COUNT(mechanisms); m++) {
        struct buf in = BUF_INIT(SASL_INPUT_MAX + 1), out = BUF_INIT(4096);
        struct sasl *s = NULL;
        for (size_t i = 0; i <= SASL_INPUT_MAX; i++) {
            buf_put_byte(&in, 'a');
        }
        assert_int_equal(sasl_begin(room, &tls_terms, str_c(mechanisms[m].name), &s), OK);
        assert_int_equal(sasl_step(s, buf_str(&in), &out), SASL_FAIL);
        assert_int_equal(sasl_result(s)->why, SASL_BAD_SYNTAX);
        assert_int_equal(world.lookups, 0);
        sasl_free(&s);
        buf_free(&in);
        buf_free(&out);
    }
    sasl_close(&room);
}

static void cram_example_of_rfc_2195(void **state)
{
    struct buf out = BUF_INIT(64);
    (void)state;
    sasl_cram_digest(STR("tanstaaftanstaaf"), STR("<1896.697170952@postoffice.reston.mci.net>"),
                     &out);
    assert_str(buf_str(&out), STR("b913a602c7eda7a495b4e6e7334d3890"));
    buf_free(&out);
}

static void cram_challenges_are_fresh(void **state)
{
    struct sasl_room *room = open_room(false);
    struct buf one = BUF_INIT(256), two = BUF_INIT(256);
    struct sasl *s = NULL;
    (void)state;
    assert_int_equal(sasl_begin(room, &tls_terms, STR("CRAM-MD5"), &s), OK);
    assert_int_equal(sasl_step(s, STR_NONE, &one), SASL_CONTINUE);
    sasl_free(&s);
    assert_int_equal(sasl_begin(room, &tls_terms, STR("CRAM-MD5"), &s), OK);
    assert_int_equal(sasl_step(s, STR_NONE, &two), SASL_CONTINUE);
    sasl_free(&s);
    assert_true(str_starts(buf_str(&one), STR("<")));
    assert_true(str_ends(buf_str(&one), STR("@mail.example.org>")));
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
    buf_free(&one);
    buf_free(&two);
    sasl_close(&room);
}

/* An account that does not exist shows the same salt and iterations every time, like a real one. */
static void strangers_cannot_tell_accounts_from_decoys(void **state)
{
    struct sasl_room *room = open_room(false);
    struct str salts[2] = { STR_NONE, STR_NONE };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sasl *s = NULL;
        struct buf out = BUF_INIT(4096);
        assert_int_equal(sasl_begin(room, &tls_terms, STR("SCRAM-SHA-256"), &s), OK);
        assert_int_equal(sasl_step(s, STR("n,,n=eve,r=abc"), &out), SASL_CONTINUE);
        assert_true(str_starts(buf_str(&out), STR("r=abc")));
        assert_true(str_ends(buf_str(&out), STR(",i=4096")));
        salts[i] = arena_str(&world.arena, str_skip(buf_str(&out), 5 + 24));
        buf_free(&out);
        sasl_free(&s);
    }
    assert_str(salts[0], salts[1]);
    sasl_close(&room);
}

/* --- what is offered --- */

/* Every mechanism that is offered can be begun, and no other. */
static const struct {
    const char *name;
    bool tls, private;
    unsigned mechanisms;
} offers[] = {
    { "TLS", true, true, STANDARD },
    { "TLS and old clients", true, true, STANDARD | OLD },
    { "loopback", false, true, STANDARD | OLD },
    { "clear", false, false, STANDARD | OLD },
    { "PLAIN alone", true, true, CONFIG_AUTH_PLAIN },
    { "bound SCRAM alone", true, true, CONFIG_AUTH_SCRAM_SHA_256_PLUS },
};

static void what_is_offered_can_be_begun(void **state)
{
    static const char *const all[] = { "PLAIN",         "LOGIN",
                                       "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                                       "SCRAM-SHA-1",   "CRAM-MD5",
                                       "DIGEST-MD5",    "" };
    struct sasl_room *room = open_room(false);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(offers); i++) {
        unit_case(offers[i].name);
        struct sasl_settings now = settings;
        struct sasl_terms terms = { .private = offers[i].private };
        struct config config = { .auth.mechanisms = offers[i].mechanisms };
        struct buf names = BUF_INIT(256);
        if (offers[i].tls) terms.bindings.exporter = STR("ex");
        now.wants.mechanisms = offers[i].mechanisms;
        sasl_configure(room, &now);
        mechanisms_put(&names, &config, offers[i].tls, offers[i].private);
        buf_put_lit(&names, " ");
        for (size_t m = 0; m < UNIT_COUNT(all); m++) {
            struct buf name = BUF_INIT(64);
            struct sasl *s = NULL;
            buf_put_lit(&name, " ");
            buf_put(&name, str_c(all[m]));
            buf_put_lit(&name, " ");
            bool offered = str_find_str(buf_str(&names), buf_str(&name)) != STR_NOWHERE;
            unit_case(all[m]);
            assert_int_equal(sasl_begin(room, &terms, str_c(all[m]), &s) == OK, offered);
            sasl_free(&s);
            buf_free(&name);
        }
        buf_free(&names);
    }
    struct sasl_terms clear = { .private = false };
    struct sasl *s = NULL;
    assert_int_equal(sasl_begin(room, &clear, STR("SCRAM-SHA-256-PLUS"), &s), ERR_UNSUPPORTED);
    sasl_configure(room, &settings);
    assert_int_equal(sasl_begin(room, &clear, STR("PLAIN"), &s), ERR_DENIED);
    assert_int_equal(sasl_begin(room, &clear, STR("DIGEST-MD5"), &s), ERR_UNSUPPORTED);
    sasl_close(&room);
}

/* A client that could bind, but was offered nothing, says so; whether that is a lie is for us to
 * know. */
static void stripped_offers_are_noticed(void **state)
{
    struct sasl_room *room = open_room(false);
    struct sasl_terms terms = tls_terms;
    (void)state;
    terms.bindings.exporter = STR("ex");
    for (int offered = 0; offered < 2; offered++) {
        struct sasl_settings now = settings;
        struct buf out = BUF_INIT(4096);
        struct sasl *s = NULL;
        if (!offered) now.wants.mechanisms &= ~(unsigned)CONFIG_AUTH_SCRAM_SHA_256_PLUS;
        sasl_configure(room, &now);
        assert_int_equal(sasl_begin(room, &terms, STR("SCRAM-SHA-256"), &s), OK);
        assert_int_equal(sasl_step(s, STR("y,,n=ann,r=abc"), &out),
                         offered ? SASL_FAIL : SASL_CONTINUE);
        if (offered) assert_int_equal(sasl_result(s)->why, SASL_BAD_BINDING);
        sasl_free(&s);
        buf_free(&out);
    }
    sasl_close(&room);
}

/* --- renewal and recall --- */

static void old_hashes_are_renewed(void **state)
{
    struct sasl_room *room = open_room(true);
    struct client c = { "old", NULL, "U*U*", STR_NONE, STR_NONE };
    struct sasl_result r;
    bool match = false;
    (void)state;
    assert_int_equal(converse(room, &tls_terms, "PLAIN", &c, &r), SASL_DONE);
    assert_int_equal(world.renewals, 1);
    assert_int_equal(hash_verify(world.renewed.hash, STR("U*U*"), &match), OK);
    assert_true(match && str_starts(world.renewed.hash, STR("$y$")));
    assert_int_equal(world.renewed.sha256.iterations, 4096);
    c.login = "ann";
    c.password = "pencil";
    assert_int_equal(converse(room, &tls_terms, "PLAIN", &c, &r), SASL_DONE);
    assert_int_equal(world.renewals, 1); /* nothing to mend there */
    c.login = "old";
    assert_int_equal(converse(room, &tls_terms, "PLAIN", &c, &r), SASL_FAIL);
    assert_int_equal(world.renewals, 1);
    assert_int_equal(param_set(STR("auth_renew"), 0), OK);
    c.password = "U*U*";
    assert_int_equal(converse(room, &tls_terms, "PLAIN", &c, &r), SASL_DONE);
    assert_int_equal(world.renewals, 1);
    cheap();
    sasl_close(&room);
}

static void passwords_from_elsewhere_fit_as_typed(void **state)
{
    struct sasl_room *room = open_room(false);
    struct credential before = world.old;
    struct buf hash = BUF_INIT(HASH_TEXT_MAX);
    struct client c = { "old", NULL, "a\xc2\xa0z", STR_NONE, STR_NONE };
    struct sasl_result r;
    (void)state;
    /* A no-break space: SASLprep makes it a space, the other system did not. */
    assert_int_equal(hash_make(CONFIG_HASH_BCRYPT, STR("a\xc2\xa0z"), &hash), OK);
    world.old.hash = buf_str(&hash);
    assert_int_equal(converse(room, &tls_terms, "LOGIN", &c, &r), SASL_DONE);
    c.password = "a z";
    assert_int_equal(converse(room, &tls_terms, "LOGIN", &c, &r), SASL_FAIL);
    world.old = before;
    buf_free(&hash);
    sasl_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mechanism_with_an_independent_client),
        cmocka_unit_test(channels_are_bound),
        cmocka_unit_test(dialogs_step_by_step),
        cmocka_unit_test(too_long_a_message),
        cmocka_unit_test(cram_example_of_rfc_2195),
        cmocka_unit_test(cram_challenges_are_fresh),
        cmocka_unit_test(strangers_cannot_tell_accounts_from_decoys),
        cmocka_unit_test(what_is_offered_can_be_begun),
        cmocka_unit_test(stripped_offers_are_noticed),
        cmocka_unit_test(old_hashes_are_renewed),
        cmocka_unit_test(passwords_from_elsewhere_fit_as_typed),
    };
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
