#include "model/wire_unit.h"

#include "model/envelope.h"

UNIT_READ(envelope, envelope_get(&w, a, &x))
UNIT_READ(peer, peer_get(&w, &x))

#define NONE STR_INIT("")

static struct recipient two[] = {
    { STR_INIT("ann@example.org"), STR_INIT("rfc822;ann@example.org"),
      DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY },
    { STR_INIT("\"b o\"@[192.0.2.1]"), STR_INIT(""), 0 },
};

static const struct envelope envelopes[] = {
    { .rcpts = NULL },
    { .reverse_path = STR_INIT("eve@example.com"),
      .envid = STR_INIT("QQ314159"),
      .ret = DSN_RET_HDRS,
      .body = BODY_BINARYMIME,
      .smtputf8 = true,
      .require_tls = true,
      .size = UINT64_MAX,
      .rcpts = two,
      .rcpt_count = 2 },
};

static const struct peer peers[] = {
    { .conn = 0 },
    { .conn = UINT32_MAX,
      .service = SERVICE_LOCAL,
      .ip = STR_INIT("2001:db8::1"),
      .port = 65535,
      .local_ip = STR_INIT("::1"),
      .local_port = 25,
      .helo = STR_INIT("host.example"),
      .name = STR_INIT("ptr.example"),
      .extended = true,
      .tls = STR_INIT("TLSv1.3 TLS_AES_256_GCM_SHA384"),
      .login = STR_INIT("ann@example.org"),
      .listener = STR_INIT("/etc/postrider/postrider.conf:7") },
};

static void forms_come_back(void **state)
{
    (void)state;
    struct buf b = buf_new(100000);
    for (size_t i = 0; i < UNIT_COUNT(envelopes); i++) {
        buf_clear(&b);
        envelope_put(&b, &envelopes[i]);
        unit_wire(buf_str(&b), read_envelope);
    }
    for (size_t i = 0; i < UNIT_COUNT(peers); i++) {
        buf_clear(&b);
        peer_put(&b, &peers[i]);
        unit_wire(buf_str(&b), read_peer);
    }
    buf_free(&b);
}

static void every_field_is_read(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = buf_new(100000);
    struct envelope e;
    struct peer p;
    (void)state;
    envelope_put(&b, &envelopes[1]);
    struct wire w = wire_of(buf_str(&b));
    envelope_get(&w, &a, &e);
    assert_str(e.reverse_path, envelopes[1].reverse_path);
    assert_str(e.envid, envelopes[1].envid);
    assert_int_equal(e.ret, DSN_RET_HDRS);
    assert_int_equal(e.body, BODY_BINARYMIME);
    assert_true(e.smtputf8 && e.require_tls && e.size == UINT64_MAX);
    assert_int_equal(e.rcpt_count, 2);
    assert_str(e.rcpts[0].orcpt, two[0].orcpt);
    assert_int_equal(e.rcpts[0].notify, two[0].notify);
    assert_str(e.rcpts[1].address, two[1].address);
    buf_clear(&b);
    peer_put(&b, &peers[1]);
    w = wire_of(buf_str(&b));
    peer_get(&w, &p);
    assert_true(p.conn == UINT32_MAX && p.service == SERVICE_LOCAL && p.extended);
    assert_true(p.port == 65535 && p.local_port == 25);
    assert_str(p.login, peers[1].login);
    assert_str(p.listener, peers[1].listener);
    buf_free(&b);
    arena_free(&a);
}

/* Values outside of their lists, at the place of one octet. */
static void odd_values_are_refused(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        char value;
    } rows[] = { { "ret", 2, 3 }, { "body", 3, 3 } };
    struct arena a = ARENA_INIT(0);
    struct buf b = buf_new(1000);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_case(rows[i].name);
        buf_clear(&b);
        envelope_put(&b, &envelopes[0]);
        b.p[rows[i].at] = rows[i].value;
        assert_int_equal(read_envelope(buf_str(&b), &a, NULL), ERR_CORRUPT);
    }
    buf_clear(&b);
    envelope_put(&b, &(struct envelope){ .size = 0 });
    buf_truncate(&b, b.n - 1); /* the number of recipients */
    wire_put_var(&b, ENVELOPE_RCPT_MAX + 1);
    assert_int_equal(read_envelope(buf_str(&b), &a, NULL), ERR_CORRUPT);
    buf_clear(&b);
    peer_put(&b, &peers[0]);
    b.p[4] = SERVICE_LOCAL + 1;
    assert_int_equal(read_peer(buf_str(&b), &a, NULL), ERR_CORRUPT);
    buf_free(&b);
    arena_free(&a);
}

static void services_have_names(void **state)
{
    (void)state;
    for (int s = 0; s <= SERVICE_LOCAL; s++) {
        assert_non_null(service_name((enum service)s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_come_back),
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(odd_values_are_refused),
        cmocka_unit_test(services_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
