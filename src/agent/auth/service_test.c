#include "base/unit.h"

#include "agent/auth/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/param.h"

#include <sys/mman.h>
#include <unistd.h>

enum {
    STANDARD = CONFIG_AUTH_PLAIN | CONFIG_AUTH_LOGIN | CONFIG_AUTH_SCRAM_SHA_256 |
               CONFIG_AUTH_SCRAM_SHA_256_PLUS,
};
static const struct config config = { .host = STR_INIT("mail.example.org"),
                                      .auth = { .mechanisms = STANDARD,
                                                .default_domain = STR_INIT("example.org"),
                                                .hash = CONFIG_HASH_YESCRYPT } };
static const char edge[] = "edge", session[] = "session"; /* two links, told apart by address */

static struct {
    struct arena arena;
    struct buf ann, old; /* stored credentials */
    int64_t slept_ms;
    struct buf renewed;
    int log_fd;
    struct auth_service *service;
    /* What happens while a call waits. */
    void (*meanwhile)(void);
} world;

static enum err credential_get(void *ctx, struct str login, struct arena *a,
                               struct credential_get_rep *out)
{
    (void)ctx;
    (void)a;
    *out = (struct credential_get_rep){ .account.id = 7, .account.address = login };
    out->credential = buf_str(&world.ann);
    if (str_eq(login, STR("ann@example.org"))) return OK;
    if (str_eq(login, STR("alias@example.org"))) {
        out->account.address = STR("ann@example.org");
        return OK;
    }
    if (str_eq(login, STR("off@example.org"))) {
        out->account.disabled = true;
        return OK;
    }
    if (str_eq(login, STR("old@example.org"))) {
        out->credential = buf_str(&world.old);
        return OK;
    }
    if (str_eq(login, STR("broken@example.org"))) {
        out->credential = STR("\1rubbish");
        return OK;
    }
    return str_eq(login, STR("down@example.org")) ? ERR_TIMEOUT : ERR_NOT_FOUND;
}

static enum err credential_renew(void *ctx, uint64_t account, struct str old, struct str fresh)
{
    (void)ctx;
    assert_int_equal(account, 7);
    assert_str(old, buf_str(&world.old));
    buf_clear(&world.renewed);
    buf_put(&world.renewed, fresh);
    return OK;
}

static enum err sleep_for(void *ctx, int64_t wait_ms)
{
    (void)ctx;
    world.slept_ms += wait_ms;
    if (world.meanwhile != NULL) world.meanwhile();
    return OK;
}

static int start(void **state)
{
    struct auth_world w = { NULL, credential_get, credential_renew, sleep_for };
    struct credential_wants wants = { STANDARD, CONFIG_HASH_YESCRYPT };
    struct credential c;
    (void)state;
    param_reset();
    clock_test_set(1000000, 0);
    assert_int_equal(param_set(STR("auth_hash_yescrypt_cost"), 1), OK);
    assert_int_equal(param_set(STR("auth_scram_iterations"), 4096), OK);
    memset(&world, 0, sizeof world);
    world.ann = buf_new(CREDENTIAL_BYTES_MAX);
    world.old = buf_new(CREDENTIAL_BYTES_MAX);
    world.renewed = buf_new(CREDENTIAL_BYTES_MAX);
    assert_int_equal(credential_make(&wants, STR("pencil"), &world.arena, &c), OK);
    credential_encode(&c, &world.ann);
    assert_int_equal(
        credential_import(STR("$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
                          &world.arena, &c),
        OK); /* U*U* */
    credential_encode(&c, &world.old);
    world.log_fd = memfd_create("log", 0);
    log_setup("authd", LOG_LOGFMT, LOG_INFO, world.log_fd);
    world.service = auth_service_open(&w, &config);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    auth_service_close(&world.service);
    assert_null(world.service);
    buf_free(&world.ann);
    buf_free(&world.old);
    buf_free(&world.renewed);
    arena_free(&world.arena);
    log_setup("-", LOG_LOGFMT, LOG_INFO, 2);
    close(world.log_fd);
    clock_test_off();
    param_reset();
    return 0;
}

/* Does the log hold this text? */
static bool logged(const char *text)
{
    struct buf b = BUF_INIT(1 << 20);
    char *at = buf_reserve(&b, 1 << 19);
    ssize_t n = pread(world.log_fd, at, 1 << 19, 0);
    buf_commit(&b, n > 0 ? (size_t)n : 0);
    bool found = str_find_str(buf_str(&b), str_c(text)) != STR_NOWHERE;
    buf_free(&b);
    return found;
}

static __attribute__((noinline)) struct auth_begin_req request(const char *mechanism,
                                                               struct str initial)
{
    return (struct auth_begin_req){ .peer = { .conn = 0x5f03,
                                              .service = SERVICE_SUBMISSION,
                                              .ip = STR("192.0.2.1"),
                                              .tls = STR("TLSv1.3") },
                                    .mechanism = str_c(mechanism),
                                    .has_initial = initial.n > 0,
                                    .initial = initial };
}

static __attribute__((noinline)) struct auth_rep begin(const void *owner, struct auth_begin_req in)
{
    struct auth_rep out = { .state = 99 };
    assert_int_equal(auth_service_begin(world.service, owner, &in, &world.arena, &out), OK);
    return out;
}

/* One request that is not kept on the stack of the test. */
static __attribute__((noinline)) struct auth_rep login(const void *owner, const char *mechanism,
                                                       struct str initial)
{
    return begin(owner, request(mechanism, initial));
}

static struct auth_rep step(const void *owner, uint64_t exchange, struct str words)
{
    struct auth_step_req in = { .exchange = exchange, .words = words };
    struct auth_rep out = { .state = 99 };
    assert_int_equal(auth_service_step(world.service, owner, &in, &world.arena, &out), OK);
    return out;
}

static const struct {
    const char *name, *mechanism;
    struct str initial;
    uint8_t state;
    const char *reason, *log;
} logins[] = {
    { "good", "PLAIN", STR_INIT("\0ann\0pencil"), AUTH_DONE, "",
      "auth.accepted conn=00005f03 account=\"ann@example.org\" client=\"192.0.2.1\" "
      "mechanism=PLAIN service=submission tls=yes" },
    { "alias", "PLAIN", STR_INIT("\0alias\0pencil"), AUTH_DONE, "", "account=\"ann@example.org\"" },
    { "wrong password", "PLAIN", STR_INIT("\0ann\0x"), AUTH_REFUSED, "auth-failed",
      "auth.refused conn=00005f03 login=\"ann@example.org\" client=\"192.0.2.1\" mechanism=PLAIN "
      "service=submission why=bad-password" },
    { "nobody", "PLAIN", STR_INIT("\0eve\0x"), AUTH_REFUSED, "auth-failed", "why=no-account" },
    { "account switched off", "PLAIN", STR_INIT("\0off\0pencil"), AUTH_REFUSED, "auth-failed",
      "why=disabled" },
    { "for somebody else", "PLAIN", STR_INIT("bob\0ann\0pencil"), AUTH_REFUSED, "auth-failed",
      "why=bad-authzid" },
    { "rubbish", "PLAIN", STR_INIT("rubbish"), AUTH_REFUSED, "bad-syntax", "why=bad-syntax" },
    { "line break in the name", "PLAIN", STR_INIT("\0a\r\nauth.accepted\0x"), AUTH_REFUSED,
      "auth-failed", "login=\"a\\x0d\\x0aauth.accepted\"" },
    { "directory is down", "PLAIN", STR_INIT("\0down\0x"), AUTH_REFUSED, "auth-unavailable",
      "auth.unavailable conn=00005f03 login=\"down@example.org\" client=\"192.0.2.1\" "
      "err=ERR_TIMEOUT" },
    { "damaged credential", "PLAIN", STR_INIT("\0broken\0x"), AUTH_REFUSED, "auth-unavailable",
      "auth.credential_unreadable" },
    { "unknown mechanism", "GSSAPI", STR_INIT("x"), AUTH_REFUSED, "auth-mechanism",
      "mechanism=\"GSSAPI\" service=submission why=no-such-mechanism" },
    { "mechanism that is off", "CRAM-MD5", STR_INIT(""), AUTH_REFUSED, "auth-mechanism",
      "why=no-such-mechanism" },
};

static void one_call_logins(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(logins); i++) {
        unit_case(logins[i].name);
        struct auth_rep out = login(edge, logins[i].mechanism, logins[i].initial);
        assert_int_equal(out.state, logins[i].state);
        assert_true(logged(logins[i].log));
        assert_int_equal(out.words.n, 0);
        assert_int_equal(auth_service_count(world.service), 0);
        if (out.state == AUTH_DONE) {
            assert_str(out.login, STR("ann@example.org"));
            assert_int_equal(out.account, 7);
        } else {
            assert_str(out.outcome.reason, str_c(logins[i].reason));
            assert_int_equal(out.account, 0);
        }
        assert_int_equal(ftruncate(world.log_fd, 0), 0);
        assert_int_equal(lseek(world.log_fd, 0, SEEK_SET), 0);
    }
}

static void clear_connections(void **state)
{
    (void)state;
    struct auth_begin_req in = request("PLAIN", STR("\0ann\0pencil"));
    in.peer.tls = STR_NONE;
    struct auth_rep out = begin(edge, in);
    assert_int_equal(out.state, AUTH_REFUSED);
    assert_str(out.outcome.reason, STR("auth-needs-tls"));
    assert_int_equal(out.outcome.code, 538);
    in.clear_ok = true;
    assert_int_equal(begin(edge, in).state, AUTH_DONE);
}

static void step_by_step(void **state)
{
    (void)state;
    struct auth_rep out = login(edge, "LOGIN", STR_NONE);
    assert_int_equal(out.state, AUTH_CONTINUE);
    assert_str(out.words, STR("Username:"));
    uint64_t exchange = out.exchange;
    assert_true(exchange != 0);
    assert_int_equal(auth_service_count(world.service), 1);
    /* Another link has no part in it. */
    assert_int_equal(step(session, exchange, STR("ann")).state, AUTH_REFUSED);
    auth_service_cancel(world.service, session, exchange);
    assert_int_equal(auth_service_count(world.service), 1);
    assert_str(step(edge, exchange, STR("ann")).words, STR("Password:"));
    assert_int_equal(step(edge, exchange, STR("pencil")).state, AUTH_DONE);
    assert_int_equal(auth_service_count(world.service), 0);
    out = step(edge, exchange, STR("pencil"));
    assert_int_equal(out.state, AUTH_REFUSED);
    assert_str(out.outcome.reason, STR("auth-unavailable"));
}

static void requests_that_our_roles_do_not_make(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(20000);
    struct auth_rep out;
    for (int i = 0; i < 12289; i++) {
        buf_put_byte(&b, 'x');
    }
    struct auth_begin_req in = request("PLAIN", buf_str(&b));
    assert_int_equal(auth_service_begin(world.service, edge, &in, &world.arena, &out),
                     ERR_PROTOCOL);
    in = request("PLAIN", STR("x"));
    in.has_initial = false;
    assert_int_equal(auth_service_begin(world.service, edge, &in, &world.arena, &out),
                     ERR_PROTOCOL);
    struct auth_step_req step_in = { .exchange = 1, .words = buf_str(&b) };
    assert_int_equal(auth_service_step(world.service, edge, &step_in, &world.arena, &out),
                     ERR_PROTOCOL);
    buf_free(&b);
}

static void standing_still_and_hanging_up(void **state)
{
    (void)state;
    uint64_t a = login(edge, "LOGIN", STR_NONE).exchange;
    uint64_t b = login(edge, "LOGIN", STR_NONE).exchange;
    uint64_t c = login(session, "LOGIN", STR_NONE).exchange;
    auth_service_cancel(world.service, edge, a);
    auth_service_cancel(world.service, edge, a);
    assert_int_equal(step(edge, a, STR("ann")).state, AUTH_REFUSED);
    assert_int_equal(auth_service_count(world.service), 2);
    auth_service_forget(world.service, session);
    assert_int_equal(step(session, c, STR("ann")).state, AUTH_REFUSED);
    clock_test_set(1000000 + 60000, 0);
    assert_int_equal(step(edge, b, STR("ann")).state, AUTH_CONTINUE);
    clock_test_set(1000000 + 60000 + 119999, 0);
    uint64_t d = login(edge, "LOGIN", STR_NONE).exchange;
    assert_int_equal(auth_service_count(world.service), 2);
    clock_test_set(1000000 + 60000 + 120000, 0);
    assert_int_equal(step(edge, b, STR("pencil")).state, AUTH_REFUSED);
    assert_int_equal(auth_service_count(world.service), 1);
    assert_int_equal(step(edge, d, STR("ann")).state, AUTH_CONTINUE);
}

static void the_table_is_bounded(void **state)
{
    uint64_t ids[20];
    (void)state;
    assert_int_equal(param_set(STR("auth_exchanges_max"), 16), OK);
    for (size_t i = 0; i < 20; i++) {
        ids[i] = login(edge, "LOGIN", STR_NONE).exchange;
        assert_true(auth_service_count(world.service) <= 16);
    }
    assert_int_equal(step(edge, ids[3], STR("ann")).state, AUTH_REFUSED);
    assert_int_equal(step(edge, ids[4], STR("ann")).state, AUTH_CONTINUE);
    /* And who logs in at once gets in. */
    assert_int_equal(login(edge, "PLAIN", STR("\0ann\0pencil")).state, AUTH_DONE);
}

static void guesses_are_throttled(void **state)
{
    struct auth_rep out;
    (void)state;
    /* The owner is known at another address. */
    struct auth_begin_req owner = request("PLAIN", STR("\0ann\0pencil"));
    owner.peer.ip = STR("198.51.100.7");
    assert_int_equal(begin(session, owner).state, AUTH_DONE);
    for (int i = 0; i < 20; i++) {
        out = login(edge, "PLAIN", i % 2 ? STR("\0ann\0guess") : STR("\0alias\0guess"));
        assert_str(out.outcome.reason, STR("auth-failed"));
    }
    assert_int_equal(world.slept_ms, 500 + 1000 + 2000 + 4000 + 13 * 8000);
    out = login(edge, "PLAIN", STR("\0ann\0pencil"));
    assert_int_equal(out.state, AUTH_REFUSED);
    assert_str(out.outcome.reason, STR("auth-throttled"));
    assert_int_equal(out.outcome.code, 454);
    assert_true(logged("auth.throttled conn=00005f03 login=\"ann@example.org\" "
                       "client=\"192.0.2.1\" mechanism=PLAIN service=submission for=account"));
    assert_int_equal(begin(session, owner).state, AUTH_DONE);
    clock_test_set(1000000 + 4 * 900000, 0);
    assert_int_equal(login(edge, "PLAIN", STR("\0ann\0pencil")).state, AUTH_DONE);
}

static void trying_scram_first_is_no_guess(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct auth_rep out = login(edge, "SCRAM-SHA-256", STR("n,,n=old,r=abc"));
        assert_int_equal(out.state, AUTH_CONTINUE);
        struct buf final = BUF_INIT(1024);
        struct str nonce = str_part(out.words, 2, str_find(out.words, ',') - 2);
        buf_put_lit(&final, "c=biws,r=");
        buf_put(&final, nonce);
        buf_put_lit(&final, ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        out = step(edge, out.exchange, buf_str(&final));
        assert_str(out.outcome.reason, STR("auth-failed"));
        buf_free(&final);
    }
    assert_int_equal(world.slept_ms, 0);
    assert_true(logged("why=no-keys"));
}

static void stored_credentials_are_renewed(void **state)
{
    struct credential c;
    (void)state;
    assert_int_equal(login(edge, "PLAIN", STR("\0old\0U*U*")).state, AUTH_DONE);
    assert_true(logged("auth.renewed conn=00005f03 account=\"old@example.org\""));
    assert_int_equal(credential_decode(buf_str(&world.renewed), &c), OK);
    assert_true(str_starts(c.hash, STR("$y$")) && c.sha256.iterations == 4096);
}

static uint64_t going_on;

static void hang_up(void)
{
    auth_service_forget(world.service, edge);
}

static void step_twice(void)
{
    assert_int_equal(step(edge, going_on, STR("pencil")).state, AUTH_REFUSED);
}

/* While a call waits, the link may end, or the same exchange may be asked for again. */
static void things_happen_meanwhile(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)login(edge, "PLAIN", STR("\0ann\0guess"));
    }
    world.meanwhile = hang_up;
    struct auth_rep out = login(edge, "PLAIN", STR("\0ann\0pencil"));
    assert_int_equal(out.state, AUTH_REFUSED);
    assert_int_equal(auth_service_count(world.service), 0);

    going_on = login(edge, "LOGIN", STR("ann")).exchange;
    world.meanwhile = step_twice;
    assert_int_equal(step(edge, going_on, STR("pencil")).state, AUTH_DONE);
    assert_int_equal(auth_service_count(world.service), 0);
}

static void configurations_change(void **state)
{
    struct config other = config;
    (void)state;
    uint64_t id = login(edge, "LOGIN", STR("ann")).exchange;
    other.auth.mechanisms = CONFIG_AUTH_SCRAM_SHA_256;
    other.auth.default_domain = STR("other.example");
    auth_service_configure(world.service, &other);
    assert_str(login(edge, "PLAIN", STR("\0ann\0pencil")).outcome.reason, STR("auth-mechanism"));
    assert_int_equal(step(edge, id, STR("pencil")).state, AUTH_REFUSED); /* ann@other.example */
    auth_service_configure(world.service, &config);
    assert_int_equal(login(edge, "PLAIN", STR("\0ann\0pencil")).state, AUTH_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_call_logins, start, stop),
        cmocka_unit_test_setup_teardown(clear_connections, start, stop),
        cmocka_unit_test_setup_teardown(step_by_step, start, stop),
        cmocka_unit_test_setup_teardown(requests_that_our_roles_do_not_make, start, stop),
        cmocka_unit_test_setup_teardown(standing_still_and_hanging_up, start, stop),
        cmocka_unit_test_setup_teardown(the_table_is_bounded, start, stop),
        cmocka_unit_test_setup_teardown(guesses_are_throttled, start, stop),
        cmocka_unit_test_setup_teardown(trying_scram_first_is_no_guess, start, stop),
        cmocka_unit_test_setup_teardown(stored_credentials_are_renewed, start, stop),
        cmocka_unit_test_setup_teardown(things_happen_meanwhile, start, stop),
        cmocka_unit_test_setup_teardown(configurations_change, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
