/* Server and client sessions back to back in memory. */
#include "base/unit.h"
#include "base/clock.h"
#include "base/rand.h"
#include "sys/sandbox.h"
#include "sys/sandbox_inner.h"
#include "sys/tls.h"
#include "sys/tls_inner.h"
#include "sys/tls_selfsigned.h"

#include <malloc.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tls_selfsigned certs[3];
static struct tls_config *server_config, *client_config, *client12_config;

static const struct str names_0[] = { STR_INIT("mail.example.org"), STR_INIT("127.0.0.1") };
static const struct str names_1[] = { STR_INIT("*.example.net"), STR_INIT("example.net") };
static const struct str names_2[] = { STR_INIT("deep.sub.example.net") };

struct link {
    struct tls_session *server, *client;
};

/* ---- helpers ---- */

static struct tls_pair pair_of(const struct tls_selfsigned *made, struct str name)
{
    return (struct tls_pair){ buf_str(&made->cert_pem), buf_str(&made->key_pem), name };
}

/* Everything that waits at one end goes to the other. True if there was something. */
static bool carry(struct tls_session *from, struct tls_session *to)
{
    struct buf b = BUF_INIT(1 << 20);
    tls_take_cipher(from, &b);
    struct str left = buf_str(&b);
    bool any = left.n > 0;
    if (any) err_ignore(tls_put_cipher(to, left));
    buf_free(&b);
    return any;
}

static enum err shake(struct link *l)
{
    enum err client = ERR_AGAIN, server = ERR_AGAIN;
    for (int i = 0; i < 20; i++) {
        client = tls_handshake(l->client);
        bool moved = carry(l->client, l->server);
        server = tls_handshake(l->server);
        moved |= carry(l->server, l->client);
        if (!moved) break;
    }
    return server != OK ? server : client;
}

static struct link open_link(struct tls_config *server, struct tls_config *client, struct str host)
{
    return (struct link){ tls_new_server(server), tls_new_client(client, host) };
}

static void close_link(struct link *l)
{
    tls_free(&l->server);
    tls_free(&l->client);
}

static void assert_passes(struct tls_session *from, struct tls_session *to, struct str text)
{
    char room[100];
    size_t got = 0;
    assert_int_equal(tls_write(from, text), OK);
    carry(from, to);
    assert_int_equal(tls_read(to, room, sizeof room, &got), OK);
    assert_str(str_of(room, got), text);
    assert_int_equal(tls_read(to, room, sizeof room, &got), ERR_AGAIN);
}

static bool has(struct str text, struct str part)
{
    if (str_find_str(text, part) != STR_NOWHERE) return true;
    print_message("  have: %.*s\n", (int)text.n, text.p);
    return false;
}

static struct tls_config *new_client(const struct tls_selfsigned *ca, enum tls_versions versions)
{
    struct tls_client_options o = { .verify = true,
                                    .ca_pem = buf_str(&ca->ca_pem),
                                    .versions = versions };
    struct tls_config *config;
    struct buf why = BUF_INIT(500);
    assert_int_equal(tls_config_new_client(&o, &config, &why), OK);
    buf_free(&why);
    return config;
}

static struct tls_config *new_server(const struct tls_pair *pairs, size_t n,
                                     const struct tls_ticket_seed *tickets)
{
    struct tls_server_options o = { .pairs = pairs, .pair_count = n, .tickets = tickets };
    struct tls_config *config = NULL;
    struct buf why = BUF_INIT(500);
    enum err e = tls_config_new_server(&o, &config, &why);
    if (e != OK) print_message("why: %.*s\n", (int)why.n, why.p);
    assert_int_equal(e, OK);
    buf_free(&why);
    return config;
}

/* ---- tests ---- */

static void both_versions_shake_hands(void **state)
{
    struct tls_config *configs[2][2] = { { server_config, client_config },
                                         { server_config, client12_config } };
    static const struct str versions[] = { STR_INIT("TLSv1.3"), STR_INIT("TLSv1.2") };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct link l = open_link(configs[i][0], configs[i][1], STR("mail.example.org"));
        assert_int_equal(shake(&l), OK);
        struct tls_info info = tls_info(l.server);
        assert_str(info.version, versions[i]);
        assert_str(info.sni, STR("mail.example.org"));
        assert_false(info.resumed);
        assert_true(info.bits >= 128);
        assert_true(str_starts(info.cipher, STR("TLS_")));
        assert_str(tls_info(l.client).cipher, info.cipher);
        assert_passes(l.client, l.server, STR("EHLO client\r\n"));
        assert_passes(l.server, l.client, STR("250 hello\r\n"));
        assert_int_equal(tls_error(l.server).n, 0);
        close_link(&l);
    }
}

static void the_name_chooses_the_certificate(void **state)
{
    static const struct {
        const char *name;
        struct str host;
        int cert; /* whose authority the client trusts */
        bool fits;
    } cases[] = {
        { "exact", STR_INIT("mail.example.org"), 0, true },
        { "capital letters", STR_INIT("MAIL.Example.ORG"), 0, true },
        { "wildcard", STR_INIT("a.example.net"), 1, true },
        { "bare name beside the wildcard", STR_INIT("example.net"), 1, true },
        { "wildcard covers one label only", STR_INIT("a.b.example.net"), 1, false },
        { "exact wins where no wildcard reaches", STR_INIT("deep.sub.example.net"), 2, true },
        { "unknown gets the first", STR_INIT("unknown.example.com"), 0, false },
        { "an address gets the first", STR_INIT("127.0.0.1"), 0, true },
        { "another address does not fit", STR_INIT("127.0.0.2"), 0, false },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct tls_config *client = new_client(&certs[cases[i].cert], TLS_12_OR_13);
        struct link l = open_link(server_config, client, cases[i].host);
        enum err e = shake(&l);
        assert_int_equal(e, cases[i].fits ? OK : ERR_TLS);
        if (!cases[i].fits) assert_true(has(tls_error(l.client), STR("certificate verify failed")));
        close_link(&l);
        tls_config_free(&client);
    }
}

static void a_client_that_does_not_verify_gets_in(void **state)
{
    struct tls_client_options o = { .verify = false };
    struct tls_config *client;
    struct buf why = BUF_INIT(500);
    (void)state;
    assert_int_equal(tls_config_new_client(&o, &client, &why), OK);
    struct link l = open_link(server_config, client, STR("whatever.example"));
    assert_int_equal(shake(&l), OK);
    close_link(&l);
    l = open_link(server_config, client, STR(""));
    assert_int_equal(shake(&l), OK);
    assert_int_equal(tls_info(l.server).sni.n, 0);
    close_link(&l);
    tls_config_free(&client);
}

static void protocol_names_are_strict(void **state)
{
    static const struct str pop[] = { STR_INIT("pop3") };
    static const struct str many[] = { STR_INIT("http/1.1"), STR_INIT("imap"), STR_INIT("pop3") };
    static const struct {
        const char *name;
        size_t server_n, client_n;
        const struct str *server, *client;
        struct str agreed;
        enum err e;
    } cases[] = {
        { "agreed", 1, 3, pop, many, STR_INIT("pop3"), OK },
        { "server's order", 3, 3, many, many, STR_INIT("http/1.1"), OK },
        { "nothing in common", 1, 2, pop, many, STR_INIT(""), ERR_TLS },
        { "client offers none", 1, 0, pop, NULL, STR_INIT(""), OK },
        { "server has none", 0, 3, NULL, many, STR_INIT(""), OK },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct link l = open_link(server_config, client_config, STR("mail.example.org"));
        if (cases[i].server_n > 0) tls_set_alpn(l.server, cases[i].server, cases[i].server_n);
        if (cases[i].client_n > 0) tls_set_alpn(l.client, cases[i].client, cases[i].client_n);
        assert_int_equal(shake(&l), cases[i].e);
        if (cases[i].e == OK) {
            assert_str(tls_info(l.server).alpn, cases[i].agreed);
            assert_str(tls_info(l.client).alpn, cases[i].agreed);
        } else {
            assert_true(has(tls_error(l.client), STR("no application protocol")));
        }
        close_link(&l);
    }
}

/* A full handshake that leaves a ticket. */
static struct tls_ticket *get_ticket(struct tls_config *server, struct tls_config *client)
{
    struct tls_ticket *ticket = NULL;
    struct link l = open_link(server, client, STR("mail.example.org"));
    assert_int_equal(shake(&l), OK);
    assert_passes(l.server, l.client, STR("220 ready\r\n"));
    assert_int_equal(tls_ticket_take(l.client, &ticket), OK);
    close_link(&l);
    return ticket;
}

static bool resumes(struct tls_config *server, struct tls_config *client, struct tls_ticket *ticket)
{
    struct link l = open_link(server, client, STR("mail.example.org"));
    tls_ticket_use(l.client, ticket);
    assert_int_equal(shake(&l), OK);
    assert_passes(l.client, l.server, STR("QUIT\r\n"));
    bool resumed = tls_info(l.server).resumed;
    assert_int_equal(tls_info(l.client).resumed, resumed);
    close_link(&l);
    return resumed;
}

static void sessions_resume(void **state)
{
    static const int64_t hour_ms = 3600000, start_ms = 400 * 3600000LL;
    struct tls_config *clients[] = { client_config, NULL };
    struct tls_pair pair = pair_of(&certs[0], STR("first"));
    struct tls_ticket_seed seed, kept;
    (void)state;
    /* Certificates must be valid in the stopped time; OpenSSL itself uses the real one. */
    clock_test_set(start_ms, clock_wall_us());
    tls_ticket_seed_new(&seed);
    kept = seed;
    clients[1] = client12_config;
    for (size_t i = 0; i < 2; i++) {
        clock_test_set(start_ms, clock_wall_us());
        struct tls_config *a = new_server(&pair, 1, &seed), *b = new_server(&pair, 1, &seed);
        struct tls_config *other = new_server(&pair, 1, NULL);
        struct tls_ticket *ticket = get_ticket(a, clients[i]);
        unit_case("at the same process");
        assert_true(resumes(a, clients[i], ticket));
        unit_case("at another process with the same seed");
        assert_true(resumes(b, clients[i], ticket));
        unit_case("not at one with another seed");
        assert_false(resumes(other, clients[i], ticket));
        unit_case("in the next period");
        clock_test_set(start_ms + 13 * hour_ms, clock_wall_us());
        assert_true(resumes(a, clients[i], ticket));
        unit_case("at a process that was started with the seed brought up to date");
        kept = seed;
        tls_ticket_seed_advance(&kept);
        assert_true(kept.period == seed.period + 1);
        assert_memory_not_equal(kept.secret, seed.secret, sizeof seed.secret);
        struct tls_config *late = new_server(&pair, 1, &kept);
        assert_true(resumes(late, clients[i], ticket));
        unit_case("not after two periods");
        clock_test_set(start_ms + 25 * hour_ms, clock_wall_us());
        assert_false(resumes(a, clients[i], ticket));
        tls_ticket_free(&ticket);
        tls_config_free(&a);
        tls_config_free(&b);
        tls_config_free(&other);
        tls_config_free(&late);
    }
    clock_test_off();
}

static void bindings_agree(void **state)
{
    static const struct {
        const char *name;
        enum tls_binding kind;
        bool tls13, resumed;
        size_t bytes; /* 0: unsupported */
    } cases[] = {
        { "exporter in 1.3", TLS_EXPORTER, true, false, 32 },
        { "exporter in 1.2", TLS_EXPORTER, false, false, 32 },
        { "unique in 1.3", TLS_UNIQUE, true, false, 0 },
        { "unique in 1.2", TLS_UNIQUE, false, false, 12 },
        { "unique in 1.2, resumed", TLS_UNIQUE, false, true, 12 },
        { "end point in 1.3", TLS_SERVER_END_POINT, true, false, 32 },
        { "end point in 1.2", TLS_SERVER_END_POINT, false, false, 32 },
        { "end point in 1.3, resumed", TLS_SERVER_END_POINT, true, true, 32 },
        { "exporter in 1.3, resumed", TLS_EXPORTER, true, true, 32 },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf a = BUF_INIT(100), b = BUF_INIT(100);
        struct tls_config *client = cases[i].tls13 ? client_config : client12_config;
        unit_case(cases[i].name);
        struct link l = open_link(server_config, client, STR("mail.example.org"));
        if (cases[i].resumed) {
            struct tls_ticket *ticket = get_ticket(server_config, client);
            tls_ticket_use(l.client, ticket);
            tls_ticket_free(&ticket);
        }
        assert_int_equal(shake(&l), OK);
        assert_int_equal(tls_info(l.server).resumed, cases[i].resumed);
        enum err want = cases[i].bytes > 0 ? OK : ERR_UNSUPPORTED;
        assert_int_equal(tls_channel_binding(l.server, cases[i].kind, &a), want);
        assert_int_equal(tls_channel_binding(l.client, cases[i].kind, &b), want);
        assert_int_equal(a.n, cases[i].bytes);
        assert_str(buf_str(&a), buf_str(&b));
        close_link(&l);
        buf_free(&a);
        buf_free(&b);
    }
}

static void much_passes_both_ways(void **state)
{
    enum { TOTAL = 3000000, CHUNK = 50000 };
    char *sent = malloc(TOTAL), *got = malloc(CHUNK);
    (void)state;
    assert_non_null(sent);
    assert_non_null(got);
    rand_bytes(sent, TOTAL);
    struct link l = open_link(server_config, client_config, STR("mail.example.org"));
    assert_int_equal(shake(&l), OK);
    for (int turn = 0; turn < 2; turn++) {
        struct tls_session *from = turn == 0 ? l.client : l.server;
        struct tls_session *to = turn == 0 ? l.server : l.client;
        size_t written = 0, read_bytes = 0, n = 0;
        while (read_bytes < TOTAL) {
            size_t part = TOTAL - written < CHUNK ? TOTAL - written : CHUNK;
            assert_int_equal(tls_write(from, str_of(sent + written, part)), OK);
            written += part;
            carry(from, to);
            while (tls_read(to, got, CHUNK, &n) == OK) {
                assert_memory_equal(got, sent + read_bytes, n);
                read_bytes += n;
            }
        }
        assert_int_equal(read_bytes, TOTAL);
    }
    close_link(&l);
    free(sent);
    free(got);
}

static void bytes_may_come_one_by_one(void **state)
{
    struct link l = open_link(server_config, client_config, STR("mail.example.org"));
    struct buf b = BUF_INIT(1 << 20);
    enum err e = ERR_AGAIN;
    (void)state;
    for (int turn = 0; turn < 10 && e != OK; turn++) {
        assert_int_equal(tls_handshake(l.client) == ERR_TLS, false);
        tls_take_cipher(l.client, &b);
        for (size_t i = 0; i < b.n; i++) {
            assert_int_equal(tls_put_cipher(l.server, str_of(b.p + i, 1)), OK);
            e = tls_handshake(l.server);
            assert_true(e == ERR_AGAIN || e == OK);
        }
        buf_clear(&b);
        carry(l.server, l.client);
    }
    assert_int_equal(e, OK);
    buf_free(&b);
    close_link(&l);
}

static void limits_hold(void **state)
{
    struct link l = open_link(server_config, client_config, STR("mail.example.org"));
    struct buf junk = BUF_INIT(TLS_WRITE_MAX);
    enum err e = OK;
    (void)state;
    assert_int_equal(shake(&l), OK);
    assert_passes(l.server, l.client, STR("ready")); /* and the client has read its ticket */
    memset(buf_reserve(&junk, TLS_WRITE_MAX), 'x', TLS_WRITE_MAX);
    buf_commit(&junk, TLS_WRITE_MAX);

    unit_case("a writer must let go of what is written");
    int writes = 0;
    while ((e = tls_write(l.server, buf_str(&junk))) == OK) {
        writes++;
    }
    assert_int_equal(e, ERR_AGAIN);
    assert_int_equal(writes, 2);

    unit_case("a reader must read");
    struct buf cipher = BUF_INIT(1 << 20);
    tls_take_cipher(l.server, &cipher);
    assert_true(cipher.n > TLS_PUT_MAX);
    assert_int_equal(tls_put_cipher(l.client, buf_str(&cipher)), ERR_LIMIT);
    assert_int_equal(tls_put_cipher(l.client, str_part(buf_str(&cipher), 0, TLS_PUT_MAX)), OK);
    assert_int_equal(tls_put_cipher(l.client, STR("x")), ERR_LIMIT);
    buf_free(&cipher);
    buf_free(&junk);
    close_link(&l);
}

static void strangers_speak_other_things(void **state)
{
    static const struct {
        const char *name;
        struct str in, words;
    } cases[] = {
        { "SMTP in clear", STR_INIT("EHLO client.example\r\n"), STR_INIT("wrong version number") },
        { "HTTP", STR_INIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), STR_INIT("http request") },
        { "zeros", STR_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), STR_INIT("wrong version number") },
        { "a hello of 128 KiB is announced",
          STR_INIT("\x16\x03\x01\x40\x00\x01\x01\xff\xff\x03\x03"),
          STR_INIT("the hello is too long") },
        { "a hello in crumbs", STR_INIT("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00"),
          STR_INIT("the hello comes in crumbs") },
        { "an alert first", STR_INIT("\x15\x03\x01\x00\x02\x02\x28\x00\x00\x00\x00"),
          STR_INIT("unexpected message") },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        struct tls_session *s = tls_new_server(server_config);
        assert_int_equal(tls_handshake(s), ERR_AGAIN);
        assert_int_equal(tls_put_cipher(s, cases[i].in), OK);
        assert_int_equal(tls_handshake(s), ERR_TLS);
        assert_true(has(tls_error(s), cases[i].words));
        assert_int_equal(tls_put_cipher(s, STR("more")), ERR_CLOSED);
        assert_int_equal(tls_handshake(s), ERR_TLS);
        tls_close_notify(s);
        tls_free(&s);
    }
}

static void damage_is_seen(void **state)
{
    struct link l = open_link(server_config, client_config, STR("mail.example.org"));
    struct buf b = BUF_INIT(1 << 20);
    char room[10];
    size_t got = 77;
    (void)state;
    assert_int_equal(shake(&l), OK);
    assert_int_equal(tls_write(l.client, STR("MAIL FROM:<>\r\n")), OK);
    tls_take_cipher(l.client, &b);
    unit_case("cut short: nothing comes out");
    assert_int_equal(tls_put_cipher(l.server, str_part(buf_str(&b), 0, b.n - 1)), OK);
    assert_int_equal(tls_read(l.server, room, sizeof room, &got), ERR_AGAIN);
    unit_case("the last byte changed");
    b.p[b.n - 1] = (char)(b.p[b.n - 1] ^ 1);
    assert_int_equal(tls_put_cipher(l.server, str_skip(buf_str(&b), b.n - 1)), OK);
    assert_int_equal(tls_read(l.server, room, sizeof room, &got), ERR_TLS);
    assert_int_equal(got, 77);
    assert_true(has(tls_error(l.server), STR("bad record mac")));
    unit_case("ended for good, and the alert is told");
    assert_int_equal(tls_read(l.server, room, sizeof room, &got), ERR_TLS);
    assert_int_equal(tls_write(l.server, STR("x")), ERR_TLS);
    assert_true(tls_has_cipher(l.server));
    carry(l.server, l.client);
    assert_int_equal(tls_read(l.client, room, sizeof room, &got), ERR_TLS);
    assert_true(has(tls_error(l.client), STR("alert bad record mac")));
    buf_free(&b);
    close_link(&l);
}

static void goodbye_is_for_ever(void **state)
{
    struct tls_config *clients[] = { client_config, client12_config };
    struct buf b = BUF_INIT(1 << 20);
    char room[100];
    size_t got;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct link l = open_link(server_config, clients[i], STR("mail.example.org"));
        assert_int_equal(shake(&l), OK);
        carry(l.server, l.client);
        assert_int_equal(tls_write(l.client, STR("BDAT 5\r\n")), OK);
        tls_close_notify(l.client);
        assert_int_equal(tls_write(l.client, STR("more")), ERR_CLOSED);
        tls_take_cipher(l.client, &b);
        unit_case("clear text right behind the goodbye");
        buf_put_lit(&b, "hello");
        assert_int_equal(tls_put_cipher(l.server, buf_str(&b)), OK);
        assert_int_equal(tls_read(l.server, room, sizeof room, &got), OK);
        assert_str(str_of(room, got), STR("BDAT 5\r\n"));
        assert_int_equal(tls_read(l.server, room, sizeof room, &got), ERR_CLOSED);
        unit_case("clear text later");
        assert_int_equal(tls_put_cipher(l.server, STR("NOOP\r\n")), ERR_CLOSED);
        assert_int_equal(tls_read(l.server, room, sizeof room, &got), ERR_CLOSED);
        assert_int_equal(tls_handshake(l.server), ERR_CLOSED);
        unit_case("an answer may still go out");
        assert_int_equal(tls_write(l.server, STR("221 bye\r\n")), OK);
        tls_close_notify(l.server);
        tls_close_notify(l.server);
        carry(l.server, l.client);
        assert_int_equal(tls_read(l.client, room, sizeof room, &got), OK);
        assert_str(str_of(room, got), STR("221 bye\r\n"));
        assert_int_equal(tls_read(l.client, room, sizeof room, &got), ERR_CLOSED);
        buf_clear(&b);
        close_link(&l);
    }
    buf_free(&b);
}

static void drain(BIO *bio, struct buf *to)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    assert_true(n > 0);
    buf_put(to, str_of(p, (size_t)n));
    BIO_free(bio);
}

/* A private key under a password. */
static struct buf sealed_key(void)
{
    struct buf pem = BUF_INIT(10000);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
    drain(bio, &pem);
    EVP_PKEY_free(key);
    return pem;
}

static void bad_pairs_are_explained(void **state)
{
    struct str c0 = buf_str(&certs[0].cert_pem), k0 = buf_str(&certs[0].key_pem);
    struct str k1 = buf_str(&certs[1].key_pem);
    struct buf sealed = sealed_key();
    struct buf broken = BUF_INIT(10000);
    (void)state;
    buf_put(&broken, c0);
    buf_put_lit(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const struct {
        const char *name;
        struct tls_pair pair;
        struct str words;
    } cases[] = {
        { "wrong key",
          { c0, k1, STR("a.pem") },
          STR("a.pem: the private key belongs to another certificate") },
        { "no certificate", { k0, k0, STR("a.pem") }, STR("a.pem: no certificate in the PEM") },
        { "no key", { c0, c0, STR("a.pem") }, STR("a.pem: no private key in the PEM") },
        { "nothing", { STR_NONE, STR_NONE, STR("a.pem") }, STR("a.pem: no certificate") },
        { "text", { STR("hello"), STR("hello"), STR("a.pem") }, STR("a.pem: no certificate") },
        { "sealed key",
          { c0, buf_str(&sealed), STR("a.pem") },
          STR("a.pem: the private key is sealed") },
        { "broken chain", { buf_str(&broken), k0, STR("a.pem") }, STR("chain is broken") },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct tls_pair pairs[] = { pair_of(&certs[1], STR("good")), cases[i].pair };
        struct tls_server_options o = { .pairs = pairs, .pair_count = 2 };
        struct tls_config *config = NULL;
        struct buf why = BUF_INIT(500);
        unit_case(cases[i].name);
        assert_int_equal(tls_config_new_server(&o, &config, &why), ERR_INVALID);
        assert_null(config);
        assert_true(has(buf_str(&why), cases[i].words));
        buf_free(&why);
    }
    unit_case("bad cipher list");
    struct tls_pair good = pair_of(&certs[0], STR("good"));
    struct tls_server_options o = { .pairs = &good, .pair_count = 1, .tls12_ciphers = "NONSENSE" };
    struct tls_config *config = NULL;
    struct buf why = BUF_INIT(500);
    assert_int_equal(tls_config_new_server(&o, &config, &why), ERR_INVALID);
    assert_true(has(buf_str(&why), STR("not a usable list")));
    buf_free(&why);
    buf_free(&broken);
    buf_free(&sealed);
}

static void files_are_read(void **state)
{
    char cert[] = "/tmp/tls_test_cert.XXXXXX", key[] = "/tmp/tls_test_key.XXXXXX";
    struct arena a = ARENA_INIT(0);
    struct buf why = BUF_INIT(500);
    struct tls_pair pair;
    (void)state;
    int cert_fd = mkstemp(cert), key_fd = mkstemp(key);
    assert_int_equal(tls_selfsigned_write(&certs[0], -1, cert_fd, key_fd), OK);
    close(cert_fd);
    close(key_fd);
    assert_int_equal(tls_pair_read(cert, key, &a, &pair, &why), OK);
    assert_str(pair.cert_pem, buf_str(&certs[0].cert_pem));
    assert_str(pair.key_pem, buf_str(&certs[0].key_pem));
    struct tls_config *config = new_server(&pair, 1, NULL);
    struct str name;
    int64_t left_us = tls_config_expires_us(config, &name) - clock_wall_us();
    assert_true(left_us > 29 * 86400000000LL && left_us <= 30 * 86400000000LL);
    assert_str(name, str_c(cert));
    tls_config_free(&config);
    unlink(key);
    assert_int_equal(tls_pair_read(cert, key, &a, &pair, &why), ERR_NOT_FOUND);
    assert_true(has(buf_str(&why), str_c(key)));
    unlink(cert);
    arena_free(&a);
    buf_free(&why);
}

static void old_sessions_keep_the_old_configuration(void **state)
{
    struct tls_pair first = pair_of(&certs[0], STR("first"));
    struct tls_config *config = new_server(&first, 1, NULL);
    (void)state;
    struct link l = open_link(config, client_config, STR("mail.example.org"));
    tls_config_free(&config); /* replaced by a new one */
    assert_null(config);
    assert_int_equal(shake(&l), OK);
    assert_passes(l.client, l.server, STR("NOOP\r\n"));
    close_link(&l);
}

/* A certificate for mail.example.org and 127.0.0.1 with an RSA key, signed by itself. */
static void rsa_pair(struct buf *cert_pem, struct buf *key_pem)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *cert = X509_new();
    X509_EXTENSION *ext =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:mail.example.org");
    BIO *a = BIO_new(BIO_s_mem()), *b = BIO_new(BIO_s_mem());
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(a, cert), 1);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
    drain(a, cert_pem);
    drain(b, key_pem);
    X509_EXTENSION_free(ext);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void two_key_types_share_a_name(void **state)
{
    struct buf cert = BUF_INIT(10000), key = BUF_INIT(10000), why = BUF_INIT(500);
    struct tls_client_options o = { .versions = TLS_ONLY_12 };
    struct tls_config *client;
    (void)state;
    rsa_pair(&cert, &key);
    assert_int_equal(tls_config_new_client(&o, &client, &why), OK);
    struct tls_pair pairs[] = { pair_of(&certs[0], STR("a")),
                                { buf_str(&cert), buf_str(&key), STR("b") } };
    struct tls_config *config = new_server(pairs, 2, NULL);
    struct link l = open_link(config, client, STR("mail.example.org"));
    assert_int_equal(shake(&l), OK);
    assert_true(has(tls_info(l.server).cipher, STR("ECDHE_ECDSA")));
    close_link(&l);
    unit_case("a client that knows RSA only");
    l = open_link(config, client, STR("mail.example.org"));
    char rsa_only[] = "RSA+SHA256"; /* the macro casts const away */
    assert_int_equal(SSL_set1_sigalgs_list(l.client->ssl, rsa_only), 1);
    assert_int_equal(shake(&l), OK);
    assert_true(has(tls_info(l.server).cipher, STR("ECDHE_RSA")));
    close_link(&l);
    tls_config_free(&client);
    tls_config_free(&config);
    buf_free(&cert);
    buf_free(&key);
    buf_free(&why);
}

static void an_expired_certificate_is_served_and_told(void **state)
{
    static const int64_t year_2001_us = 1000000000000000;
    struct tls_selfsigned old;
    struct str name;
    (void)state;
    clock_test_set(0, year_2001_us);
    assert_int_equal(tls_selfsigned_new(names_0, 2, 30, &old), OK);
    clock_test_off();
    struct tls_pair pairs[] = { pair_of(&certs[0], STR("new")), pair_of(&old, STR("old")) };
    struct tls_config *config = new_server(pairs, 2, NULL),
                      *client = new_client(&old, TLS_12_OR_13);
    assert_true(tls_config_expires_us(config, &name) == year_2001_us + 30 * 86400000000LL);
    assert_str(name, STR("old"));
    struct link l = open_link(config, client, STR("mail.example.org"));
    assert_int_equal(shake(&l), ERR_TLS);
    assert_true(has(tls_error(l.client), STR("certificate has expired")));
    close_link(&l);
    tls_config_free(&client);
    tls_config_free(&config);
    tls_selfsigned_free(&old);
}

static void bad_names_are_not_signed(void **state)
{
    static const struct str bad[] = { STR_INIT(""), STR_INIT("a b"), STR_INIT("x,DNS:y"),
                                      STR_INIT("a\0b"), STR_INIT("*.") };
    struct tls_selfsigned made;
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
        assert_int_equal(tls_selfsigned_new(&bad[i], 1, 1, &made), ERR_INVALID);
    }
}

/* The lock of an edge process is no hindrance: handshakes, and a configuration made inside. */
static void works_locked_in(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox box = { .calls = SANDBOX_ACCEPT };
        struct buf missing = BUF_INIT(500);
        if (sandbox_enter(&box, &missing) != OK) _exit(1);
        struct tls_pair pair = pair_of(&certs[0], STR("first"));
        struct tls_config *config = new_server(&pair, 1, NULL);
        struct tls_config *clients[] = { client_config, client12_config };
        for (size_t i = 0; i < 2; i++) {
            struct link l = open_link(config, clients[i], STR("mail.example.org"));
            if (shake(&l) != OK) _exit(2);
            if (tls_write(l.client, STR("hello")) != OK) _exit(3);
            close_link(&l);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* Both ends of an idle session together must stay below what one may cost. */
static void idle_sessions_are_small(void **state)
{
    enum { SESSIONS = 200, MAX_BYTES = 64 * 1024 };
    static struct link links[SESSIONS];
    (void)state;
    if (SANDBOX_SANITIZED) skip();
    for (size_t tls13 = 0; tls13 < 2; tls13++) {
        struct tls_config *client = tls13 ? client_config : client12_config;
        size_t before = heap_bytes();
        for (size_t i = 0; i < SESSIONS; i++) {
            links[i] = open_link(server_config, client, STR("mail.example.org"));
            assert_int_equal(shake(&links[i]), OK);
            assert_passes(links[i].server, links[i].client, STR("220 ready\r\n"));
            assert_passes(links[i].client, links[i].server, STR("EHLO x\r\n"));
        }
        size_t both = (heap_bytes() - before) / SESSIONS;
        before = heap_bytes();
        for (size_t i = 0; i < SESSIONS; i++) {
            tls_free(&links[i].client);
        }
        size_t client_bytes = (before - heap_bytes()) / SESSIONS;
        print_message("  bytes per idle session, TLS 1.%d: server %zu, client %zu\n", tls13 ? 3 : 2,
                      both - client_bytes, client_bytes);
        assert_true(both < MAX_BYTES);
        for (size_t i = 0; i < SESSIONS; i++) {
            tls_free(&links[i].server);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    if (tls_selfsigned_new(names_0, 2, 30, &certs[0]) != OK) return 1;
    if (tls_selfsigned_new(names_1, 2, 30, &certs[1]) != OK) return 1;
    if (tls_selfsigned_new(names_2, 1, 30, &certs[2]) != OK) return 1;
    struct tls_pair pairs[] = { pair_of(&certs[0], STR("first")), pair_of(&certs[1], STR("second")),
                                pair_of(&certs[2], STR("third")) };
    server_config = new_server(pairs, 3, NULL);
    client_config = new_client(&certs[0], TLS_12_OR_13);
    client12_config = new_client(&certs[0], TLS_ONLY_12);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tls_selfsigned_free(&certs[i]);
    }
    tls_config_free(&server_config);
    tls_config_free(&client_config);
    tls_config_free(&client12_config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_shake_hands),
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(a_client_that_does_not_verify_gets_in),
        cmocka_unit_test(protocol_names_are_strict),
        cmocka_unit_test(sessions_resume),
        cmocka_unit_test(bindings_agree),
        cmocka_unit_test(much_passes_both_ways),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(strangers_speak_other_things),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(goodbye_is_for_ever),
        cmocka_unit_test(bad_pairs_are_explained),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(old_sessions_keep_the_old_configuration),
        cmocka_unit_test(two_key_types_share_a_name),
        cmocka_unit_test(an_expired_certificate_is_served_and_told),
        cmocka_unit_test(bad_names_are_not_signed),
        cmocka_unit_test(works_locked_in),
        cmocka_unit_test(idle_sessions_are_small),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
