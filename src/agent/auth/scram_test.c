#include "base/unit.h"

#include "agent/auth/scram.h"
#include "syntax/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct str base64(struct arena *a, struct str text)
{
    struct buf b = BUF_INIT(4096);
    assert_int_equal(base64_decode(&b, text), OK);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static const struct {
    const char *name;
    enum scram_hash hash;
    struct str password, salt, server_nonce, first, challenge, final, verifier;
} rfcs[] = {
    { "RFC 5802 5", SCRAM_SHA1, STR_INIT("pencil"), STR_INIT("QSXCR+Q6sek8bf92"),
      STR_INIT("3rfcNHYJY1ZVvWVs7j"), STR_INIT("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"),
      STR_INIT("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"),
      STR_INIT(
          "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
      STR_INIT("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") },
    { "RFC 7677 3", SCRAM_SHA256, STR_INIT("pencil"), STR_INIT("W22ZaJ0SNY7soEsUEjb6gQ=="),
      STR_INIT("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"), STR_INIT("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
      STR_INIT(
          "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
      STR_INIT("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="
               "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
      STR_INIT("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") },
};

static void examples_of_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rfcs); i++) {
        unit_case(rfcs[i].name);
        struct arena a = ARENA_INIT(0);
        struct buf out = BUF_INIT(4096);
        struct scram_bindings none = { .exporter = STR_NONE };
        struct scram_keys keys;
        struct scram s;
        scram_keys_make(rfcs[i].hash, rfcs[i].password, base64(&a, rfcs[i].salt), 4096, &a, &keys);
        assert_int_equal(
            scram_first(&s, rfcs[i].hash, false, &none, rfcs[i].server_nonce, rfcs[i].first), OK);
        assert_str(buf_str(&s.login), STR("user"));
        scram_challenge(&s, &keys, &out);
        assert_str(buf_str(&out), rfcs[i].challenge);
        buf_clear(&out);
        assert_int_equal(scram_final(&s, rfcs[i].final, &out), OK);
        assert_str(buf_str(&out), rfcs[i].verifier);
        scram_free(&s);
        arena_free(&a);
        buf_free(&out);
    }
}

/* A client of our own, from RFC 5802 3, for what libgsasl's does not do. */
static void client_final(struct buf *out, struct str password, struct str salt, struct str bare,
                         struct str challenge, struct str cbind, struct str nonce)
{
    unsigned char salted[32], key[32], stored[32], sign[32];
    unsigned n = 0;
    struct buf message = BUF_INIT(4096);
    PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n, 4096,
                      EVP_sha256(), 32, salted);
    HMAC(EVP_sha256(), salted, 32, (const unsigned char *)"Client Key", 10, key, &n);
    EVP_Digest(key, 32, stored, &n, EVP_sha256(), NULL);
    buf_put_lit(out, "c=");
    base64_put(out, cbind);
    buf_put_lit(out, ",r=");
    buf_put(out, nonce);
    buf_put(&message, bare);
    buf_put_lit(&message, ",");
    buf_put(&message, challenge);
    buf_put_lit(&message, ",");
    buf_put(&message, buf_str(out));
    HMAC(EVP_sha256(), stored, 32, (const unsigned char *)message.p, message.n, sign, &n);
    for (size_t i = 0; i < 32; i++) {
        key[i] ^= sign[i];
    }
    buf_put_lit(out, ",p=");
    base64_put(out, str_of(key, 32));
    buf_free(&message);
}

static const struct {
    const char *name;
    bool plus;
    struct str exporter, unique, end_point; /* what the server has */
    struct str header, cbind;               /* what the client says */
    struct str password, nonce;
    enum err first, final;
} exchanges[] = {
    { "no binding anywhere", false, STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("n,,"),
      STR_INIT("n,,"), STR_INIT("pencil"), STR_INIT("cs"), OK, OK },
    { "client could bind, server could not", false, STR_INIT(""), STR_INIT(""), STR_INIT(""),
      STR_INIT("y,,"), STR_INIT("y,,"), STR_INIT("pencil"), STR_INIT("cs"), OK, OK },
    { "offer was stripped", false, STR_INIT("ex"), STR_INIT(""), STR_INIT(""), STR_INIT("y,,"),
      STR_INIT("y,,"), STR_INIT("pencil"), STR_INIT("cs"), ERR_INVALID, OK },
    { "exporter", true, STR_INIT("ex"), STR_INIT(""), STR_INIT("ep"), STR_INIT("p=tls-exporter,,"),
      STR_INIT("p=tls-exporter,,ex"), STR_INIT("pencil"), STR_INIT("cs"), OK, OK },
    { "unique", true, STR_INIT(""), STR_INIT("un"), STR_INIT("ep"), STR_INIT("p=tls-unique,,"),
      STR_INIT("p=tls-unique,,un"), STR_INIT("pencil"), STR_INIT("cs"), OK, OK },
    { "end point", true, STR_INIT("ex"), STR_INIT(""), STR_INIT("ep\0\xff"),
      STR_INIT("p=tls-server-end-point,,"), STR_INIT("p=tls-server-end-point,,ep\0\xff"),
      STR_INIT("pencil"), STR_INIT("cs"), OK, OK },
    { "another channel", true, STR_INIT("ex"), STR_INIT(""), STR_INIT(""),
      STR_INIT("p=tls-exporter,,"), STR_INIT("p=tls-exporter,,EX"), STR_INIT("pencil"),
      STR_INIT("cs"), OK, ERR_INVALID },
    { "binding left out", true, STR_INIT("ex"), STR_INIT(""), STR_INIT(""),
      STR_INIT("p=tls-exporter,,"), STR_INIT("p=tls-exporter,,"), STR_INIT("pencil"),
      STR_INIT("cs"), OK, ERR_INVALID },
    { "header changed", false, STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("y,,"),
      STR_INIT("n,,"), STR_INIT("pencil"), STR_INIT("cs"), OK, ERR_INVALID },
    { "type that is not to be had", true, STR_INIT("ex"), STR_INIT(""), STR_INIT(""),
      STR_INIT("p=tls-unique,,"), STR_INIT(""), STR_INIT(""), STR_INIT(""), ERR_UNSUPPORTED, OK },
    { "type that does not exist", true, STR_INIT("ex"), STR_INIT(""), STR_INIT(""),
      STR_INIT("p=tls-magic,,"), STR_INIT(""), STR_INIT(""), STR_INIT(""), ERR_UNSUPPORTED, OK },
    { "binding without -PLUS", false, STR_INIT("ex"), STR_INIT(""), STR_INIT(""),
      STR_INIT("p=tls-exporter,,"), STR_INIT(""), STR_INIT(""), STR_INIT(""), ERR_INVALID, OK },
    { "-PLUS without binding", true, STR_INIT("ex"), STR_INIT(""), STR_INIT(""), STR_INIT("n,,"),
      STR_INIT(""), STR_INIT(""), STR_INIT(""), ERR_INVALID, OK },
    { "wrong password", false, STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("n,,"),
      STR_INIT("n,,"), STR_INIT("pencil2"), STR_INIT("cs"), OK, ERR_DENIED },
    { "another nonce", false, STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("n,,"),
      STR_INIT("n,,"), STR_INIT("pencil"), STR_INIT("cx"), OK, ERR_INVALID },
    { "the client's nonce alone", false, STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("n,,"),
      STR_INIT("n,,"), STR_INIT("pencil"), STR_INIT("c"), OK, ERR_INVALID },
};

static void bindings_and_proofs(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct scram_keys keys;
    scram_keys_make(SCRAM_SHA256, STR("pencil"), STR("salt"), 4096, &a, &keys);
    for (size_t i = 0; i < UNIT_COUNT(exchanges); i++) {
        unit_case(exchanges[i].name);
        struct scram_bindings have = { exchanges[i].exporter, exchanges[i].unique,
                                       exchanges[i].end_point };
        struct buf first = BUF_INIT(4096), said = BUF_INIT(4096), final = BUF_INIT(4096),
                   last = BUF_INIT(4096);
        struct scram s;
        buf_put(&first, exchanges[i].header);
        buf_put_lit(&first, "n=ann,r=c");
        assert_int_equal(
            scram_first(&s, SCRAM_SHA256, exchanges[i].plus, &have, STR("s"), buf_str(&first)),
            exchanges[i].first);
        if (exchanges[i].first == OK) {
            scram_challenge(&s, &keys, &said);
            client_final(&final, exchanges[i].password, STR("salt"), STR("n=ann,r=c"),
                         buf_str(&said), exchanges[i].cbind, exchanges[i].nonce);
            assert_int_equal(scram_final(&s, buf_str(&final), &last), exchanges[i].final);
            assert_true((last.n > 0) == (exchanges[i].final == OK));
        }
        scram_free(&s);
        buf_free(&first);
        buf_free(&said);
        buf_free(&final);
        buf_free(&last);
    }
    arena_free(&a);
}

static const struct {
    const char *name;
    struct str message;
    enum err err;
} finals[] = {
    { "binding is not base64", STR_INIT("c=!!!!,r=cs,p=AAAA"), ERR_SYNTAX },
    { "proof is not base64", STR_INIT("c=biws,r=cs,p=A"), ERR_SYNTAX },
    { "proof too short", STR_INIT("c=biws,r=cs,p=AAAA"), ERR_SYNTAX },
    { "proof of another hash", STR_INIT("c=biws,r=cs,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="), ERR_SYNTAX },
    { "nothing", STR_INIT(""), ERR_SYNTAX },
};

static void malformed_finals(void **state)
{
    (void)state;
    struct scram_bindings none = { .exporter = STR_NONE };
    struct arena a = ARENA_INIT(0);
    struct scram_keys keys;
    scram_keys_make(SCRAM_SHA256, STR("pencil"), STR("salt"), 4096, &a, &keys);
    for (size_t i = 0; i < UNIT_COUNT(finals); i++) {
        unit_case(finals[i].name);
        struct buf out = BUF_INIT(4096);
        struct scram s;
        assert_int_equal(scram_first(&s, SCRAM_SHA256, false, &none, STR("s"), STR("n,,n=ann,r=c")),
                         OK);
        scram_challenge(&s, &keys, &out);
        assert_int_equal(scram_final(&s, finals[i].message, &out), finals[i].err);
        scram_free(&s);
        buf_free(&out);
    }
    arena_free(&a);
}

static void decoys_look_like_accounts(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct scram_keys one, again, other;
    scram_keys_decoy(SCRAM_SHA256, STR("ann@example.org"), STR("k"), 4096, &a, &one);
    scram_keys_decoy(SCRAM_SHA256, STR("ann@example.org"), STR("k"), 4096, &a, &again);
    scram_keys_decoy(SCRAM_SHA256, STR("bob@example.org"), STR("k"), 4096, &a, &other);
    assert_int_equal(one.salt.n, SCRAM_SALT_BYTES);
    assert_true(str_eq(one.salt, again.salt));
    assert_false(str_eq(one.salt, other.salt));
    assert_false(str_eq(one.stored_key, again.stored_key));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfcs),
        cmocka_unit_test(bindings_and_proofs),
        cmocka_unit_test(malformed_finals),
        cmocka_unit_test(decoys_look_like_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
