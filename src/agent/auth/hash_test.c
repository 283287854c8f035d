#include "base/unit.h"

#include "agent/auth/hash.h"
#include "agent/auth/secret.h"
#include "base/param.h"

#include <argon2.h>

static const struct {
    const char *name;
    struct str stored, password;
    enum err err;
    bool match;
} cases[] = {
    { "SHA-512-crypt, as OpenSSL makes it",
      STR_INIT("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
               "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
      STR_INIT("Hello world!"), OK, true },
    { "SHA-512-crypt, wrong",
      STR_INIT("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
               "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
      STR_INIT("Hello world"), OK, false },
    { "SHA-512-crypt with rounds, behind Dovecot's name",
      STR_INIT("{SHA512-CRYPT}$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/"
               "pQs.wPvMxQ6Fm7"
               "I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1"),
      STR_INIT("a very much longer text to encrypt.  This one even stretches over morethan one "
               "line."),
      OK, true },
    { "SHA-256-crypt",
      STR_INIT("{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
      STR_INIT("Hello world!"), OK, true },
    { "bcrypt, crypt_blowfish vector",
      STR_INIT("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), STR_INIT("U*U"), OK,
      true },
    { "bcrypt behind {BLF-CRYPT}, name in small letters",
      STR_INIT("{blf-crypt}$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
      STR_INIT("U*U*"), OK, true },
    { "bcrypt, wrong",
      STR_INIT("{CRYPT}$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
      STR_INIT("U*V"), OK, false },
    { "Argon2id, vector of the reference code",
      STR_INIT("{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/"
               "uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("password"), OK, true },
    { "Argon2id with two lanes",
      STR_INIT(
          "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
      STR_INIT("password"), OK, true },
    { "Argon2id, wrong",
      STR_INIT(
          "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("Password"), OK, false },
    { "Argon2i",
      STR_INIT(
          "{ARGON2I}$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLI"
          "UpWRS8"),
      STR_INIT("password"), OK, true },
    { "yescrypt",
      STR_INIT(
          "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZ/.$fOZIIwEy9DYKJ31CR.xnxUlWFmrk8bykzXB/"
          "X3r8HH9"),
      STR_INIT("secret"), OK, true },
    { "yescrypt, wrong",
      STR_INIT(
          "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZ/.$fOZIIwEy9DYKJ31CR.xnxUlWFmrk8bykzXB/"
          "X3r8HH9"),
      STR_INIT("secre"), OK, false },
    { "password with NUL never fits",
      STR_INIT("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), STR_INIT("U*U\0x"),
      OK, false },
    { "empty password never fits",
      STR_INIT("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"), STR_INIT(""), OK,
      false },
    { "nothing stored", STR_INIT(""), STR_INIT("x"), ERR_UNSUPPORTED, false },
    { "locked account of shadow(5)", STR_INIT("!"), STR_INIT("x"), ERR_UNSUPPORTED, false },
    { "DES", STR_INIT("{CRYPT}ab01234567890"), STR_INIT("x"), ERR_UNSUPPORTED, false },
    { "MD5-crypt", STR_INIT("$1$28772684$iEwNOgGugqO9.bIz5sk8k/"), STR_INIT("x"), ERR_UNSUPPORTED,
      false },
    { "clear text", STR_INIT("{PLAIN}secret"), STR_INIT("secret"), ERR_UNSUPPORTED, false },
    { "name and hash disagree",
      STR_INIT("{SHA512-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "bcrypt cut off", STR_INIT("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "bcrypt too dear", STR_INIT("$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
      STR_INIT("x"), ERR_LIMIT, false },
    { "bcrypt too cheap", STR_INIT("$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "yescrypt with 4 GiB",
      STR_INIT(
          "$y$jHT$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZ/.$fOZIIwEy9DYKJ31CR.xnxUlWFmrk8bykzXB/"
          "X3r8HH9"),
      STR_INIT("x"), ERR_LIMIT, false },
    { "yescrypt with parameters beyond ours",
      STR_INIT("$y$j75.3$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZ/"
               ".$fOZIIwEy9DYKJ31CR.xnxUlWFmrk8bykzXB/"
               "X3r8HH9"),
      STR_INIT("x"), ERR_UNSUPPORTED, false },
    { "Argon2id with too much memory",
      STR_INIT("$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/"
               "uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_LIMIT, false },
    { "Argon2id with too many passes",
      STR_INIT("$argon2id$v=19$m=65536,t=100,p=1$c29tZXNhbHQ$nf65EOgLrQMR/"
               "uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_LIMIT, false },
    { "Argon2id of version 16",
      STR_INIT(
          "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_UNSUPPORTED, false },
    { "Argon2id without lanes",
      STR_INIT(
          "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "Argon2id with padded salt",
      STR_INIT(
          "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "Argon2id with a salt of six bytes",
      STR_INIT("$argon2id$v=19$m=256,t=2,p=1$c29tZXNh$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
      STR_INIT("x"), ERR_SYNTAX, false },
    { "SHA-512-crypt with too many rounds",
      STR_INIT("$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817"
               "G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
      STR_INIT("x"), ERR_LIMIT, false },
};

static void stored_hashes_are_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        bool match = false;
        assert_int_equal(hash_verify(cases[i].stored, cases[i].password, &match), cases[i].err);
        assert_int_equal(match, cases[i].match);
    }
}

static void imports_lose_their_wrapper(void **state)
{
    struct buf out = BUF_INIT(HASH_TEXT_MAX);
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        buf_clear(&out);
        enum err e = hash_import(cases[i].stored, &out);
        assert_int_equal(e, cases[i].err);
        if (e != OK) continue;
        assert_true(str_ends(cases[i].stored, buf_str(&out)));
        assert_true(str_starts(buf_str(&out), STR("$")));
    }
    buf_free(&out);
}

static void cheap(void)
{
    param_reset();
    assert_int_equal(param_set(STR("auth_hash_yescrypt_cost"), 1), OK);
    assert_int_equal(param_set(STR("auth_hash_argon2id_kib"), 64), OK);
    assert_int_equal(param_set(STR("auth_hash_argon2id_passes"), 1), OK);
    assert_int_equal(param_set(STR("auth_hash_bcrypt_cost"), 4), OK);
    assert_int_equal(param_set(STR("auth_hash_sha512_rounds"), 1000), OK);
}

enum { SCHEMES = CONFIG_HASH_SHA512_CRYPT + 1 };

static const struct {
    const char *name, *prefix, *cost;
    int64_t dearer;
} schemes[SCHEMES] = {
    [CONFIG_HASH_YESCRYPT] = { "yescrypt", "$y$", "auth_hash_yescrypt_cost", 2 },
    [CONFIG_HASH_ARGON2ID] = { "Argon2id", "$argon2id$", "auth_hash_argon2id_kib", 128 },
    [CONFIG_HASH_BCRYPT] = { "bcrypt", "$2b$", "auth_hash_bcrypt_cost", 5 },
    [CONFIG_HASH_SHA512_CRYPT] = { "SHA-512-crypt", "$6$", "auth_hash_sha512_rounds", 2000 },
};

static void hashes_are_made_and_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        unit_case(schemes[i].name);
        cheap();
        struct buf a = BUF_INIT(HASH_TEXT_MAX), b = BUF_INIT(HASH_TEXT_MAX);
        bool match = false;
        enum config_hash scheme = (enum config_hash)i;
        assert_int_equal(hash_make(scheme, STR("s\xc3\xb6re"), &a), OK);
        assert_int_equal(hash_make(scheme, STR("s\xc3\xb6re"), &b), OK);
        assert_true(str_starts(buf_str(&a), str_c(schemes[i].prefix)));
        assert_false(str_eq(buf_str(&a), buf_str(&b))); /* salted */
        assert_int_equal(hash_verify(buf_str(&a), STR("s\xc3\xb6re"), &match), OK);
        assert_true(match);
        assert_int_equal(hash_verify(buf_str(&a), STR("safe"), &match), OK);
        assert_false(match);
        assert_false(hash_is_stale(buf_str(&a), scheme));
        hash_verify_nobody(scheme, STR("s\xc3\xb6re"));

        assert_int_equal(param_set(str_c(schemes[i].cost), schemes[i].dearer), OK);
        assert_true(hash_is_stale(buf_str(&a), scheme));
        buf_clear(&b);
        assert_int_equal(hash_make(scheme, STR("x"), &b), OK);
        assert_false(hash_is_stale(buf_str(&b), scheme));
        assert_true(hash_is_stale(buf_str(&b), (enum config_hash)((i + 1) % SCHEMES)));
        buf_free(&a);
        buf_free(&b);
    }
    param_reset();
}

static void passwords_that_cannot_be_hashed(void **state)
{
    (void)state;
    cheap();
    struct buf long_one = BUF_INIT(2000), out = BUF_INIT(HASH_TEXT_MAX);
    for (size_t i = 0; i < 73; i++) {
        buf_put_lit(&long_one, "x");
    }
    assert_int_equal(hash_make(CONFIG_HASH_BCRYPT, buf_str(&long_one), &out), ERR_LIMIT);
    assert_int_equal(hash_make(CONFIG_HASH_YESCRYPT, buf_str(&long_one), &out), OK);
    buf_clear(&out);
    for (size_t i = 0; i < 1000; i++) {
        buf_put_lit(&long_one, "x");
    }
    for (int s = 0; s < SCHEMES; s++) {
        assert_int_equal(hash_make((enum config_hash)s, buf_str(&long_one), &out), ERR_LIMIT);
        assert_int_equal(hash_make((enum config_hash)s, STR_NONE, &out), ERR_SYNTAX);
        assert_int_equal(hash_make((enum config_hash)s, STR("a\0b"), &out), ERR_SYNTAX);
    }
    assert_int_equal(out.n, 0);
    buf_free(&long_one);
    buf_free(&out);
    param_reset();
}

/* What the reference encoder writes for several lanes, worked off by several threads, fits here. */
static void lanes_of_the_reference_code(void **state)
{
    (void)state;
    char encoded[256];
    bool match = false;
    assert_int_equal(argon2id_hash_encoded(3, 512, 4, "password", 8, "0123456789abcdef", 16, 24,
                                           encoded, sizeof encoded),
                     ARGON2_OK);
    assert_int_equal(hash_verify(str_c(encoded), STR("password"), &match), OK);
    assert_true(match);
    /* and the other way round */
    struct buf made = BUF_INIT(HASH_TEXT_MAX);
    cheap();
    assert_int_equal(hash_make(CONFIG_HASH_ARGON2ID, STR("password"), &made), OK);
    buf_put_byte(&made, '\0');
    assert_int_equal(argon2id_verify(made.p, "password", 8), ARGON2_OK);
    buf_free(&made);
    param_reset();
}

static void secrets_are_compared(void **state)
{
    (void)state;
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_true(secret_eq(STR_NONE, STR_NONE));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("abc"), STR("abcd")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_hashes_are_verified),
        cmocka_unit_test(imports_lose_their_wrapper),
        cmocka_unit_test(hashes_are_made_and_fit),
        cmocka_unit_test(passwords_that_cannot_be_hashed),
        cmocka_unit_test(lanes_of_the_reference_code),
        cmocka_unit_test(secrets_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
