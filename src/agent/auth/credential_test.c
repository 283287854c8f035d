#include "base/unit.h"

#include "agent/auth/credential.h"
#include "agent/auth/hash.h"
#include "base/clock.h"
#include "base/param.h"

static void cheap(void)
{
    param_reset();
    assert_int_equal(param_set(STR("auth_hash_yescrypt_cost"), 1), OK);
    assert_int_equal(param_set(STR("auth_scram_iterations"), 4096), OK);
}

static void assert_keys(const struct scram_keys *have, const struct scram_keys *want)
{
    assert_int_equal(have->iterations, want->iterations);
    if (want->iterations == 0) return;
    assert_str(have->salt, want->salt);
    assert_str(have->stored_key, want->stored_key);
    assert_str(have->server_key, want->server_key);
}

enum {
    STANDARD = CONFIG_AUTH_PLAIN | CONFIG_AUTH_LOGIN | CONFIG_AUTH_SCRAM_SHA_256 |
               CONFIG_AUTH_SCRAM_SHA_256_PLUS,
};
static const struct credential_wants standard = { STANDARD, CONFIG_HASH_YESCRYPT };

static const struct {
    const char *name;
    unsigned mechanisms;
    bool scram, sha1, cram;
} switches[] = {
    { "as it comes", STANDARD, true, false, false },
    { "hash alone", CONFIG_AUTH_PLAIN, false, false, false },
    { "SCRAM-SHA-1 too", STANDARD | CONFIG_AUTH_SCRAM_SHA_1, true, true, false },
    { "everything", STANDARD | CONFIG_AUTH_SCRAM_SHA_1 | CONFIG_AUTH_CRAM_MD5, true, true, true },
    { "bound SCRAM only", CONFIG_AUTH_SCRAM_SHA_256_PLUS, true, false, false },
};

static void made_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(switches); i++) {
        unit_case(switches[i].name);
        cheap();
        struct credential_wants wants = { switches[i].mechanisms, CONFIG_HASH_YESCRYPT };
        clock_test_set(1, 1700000000000000);

        struct arena a = ARENA_INIT(0);
        struct buf row = BUF_INIT(CREDENTIAL_BYTES_MAX);
        struct credential made, back;
        bool match = false;
        assert_int_equal(credential_make(&wants, STR("I\xc2\xadX"), &a, &made), OK);
        made.disabled = i % 2 == 1;
        credential_encode(&made, &row);
        assert_int_equal(buf_check(&row), OK);
        assert_int_equal(credential_decode(buf_str(&row), &back), OK);

        assert_str(back.hash, made.hash);
        assert_str(back.clear, switches[i].cram ? STR("IX") : STR_NONE);
        assert_keys(&back.sha256, &made.sha256);
        assert_keys(&back.sha1, &made.sha1);
        assert_int_equal(back.sha256.iterations, switches[i].scram ? 4096 : 0);
        assert_int_equal(back.sha1.iterations, switches[i].sha1 ? 4096 : 0);
        assert_int_equal(back.disabled, made.disabled);
        assert_true(back.changed_us == 1700000000000000);
        assert_int_equal(hash_verify(back.hash, STR("IX"), &match), OK); /* prepared, then hashed */
        assert_true(match);
        assert_false(credential_is_stale(&wants, &back));

        /* Cut anywhere, or with a byte more, it is not a credential. */
        for (size_t n = 0; n < row.n; n++) {
            assert_int_equal(credential_decode(str_part(buf_str(&row), 0, n), &back), ERR_CORRUPT);
        }
        buf_put_byte(&row, '\0');
        assert_int_equal(credential_decode(buf_str(&row), &back), ERR_CORRUPT);
        buf_free(&row);
        arena_free(&a);
    }
    clock_test_off();
    param_reset();
}

static const struct {
    const char *name;
    struct str row;
    enum err err;
} rows[] = {
    { "hash only", STR_INIT("\1\0\0\0\0\0\0\0\0\0\1x\0\0\0"), OK },
    { "disabled", STR_INIT("\1\1\0\0\0\0\0\0\0\0\1x\0\0\0"), OK },
    { "later version", STR_INIT("\2\0\0\0\0\0\0\0\0\0\1x\0\0\0"), ERR_UNSUPPORTED },
    { "version 0", STR_INIT("\0\0\0\0\0\0\0\0\0\0\1x\0\0\0"), ERR_CORRUPT },
    { "unknown flag", STR_INIT("\1\2\0\0\0\0\0\0\0\0\1x\0\0\0"), ERR_CORRUPT },
    { "endless hash", STR_INIT("\1\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x0fx\0\0\0"), ERR_CORRUPT },
    { "keys without salt",
      STR_INIT(
          "\1\0\0\0\0\0\0\0\0\0\1x\1\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbb"
          "bbbbb\0\0"),
      ERR_CORRUPT },
    { "too many iterations",
      STR_INIT(
          "\1\0\0\0\0\0\0\0\0\0\1x\xff\xff\xff\x7f\1saaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbb"
          "bbbbbbbbbbbbbbbbbb\0\0"),
      ERR_CORRUPT },
    { "empty", STR_INIT(""), ERR_CORRUPT },
};

static void rows_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unit_case(rows[i].name);
        struct credential c;
        assert_int_equal(credential_decode(rows[i].row, &c), rows[i].err);
    }
}

static void imported_hashes_are_stale(void **state)
{
    (void)state;
    cheap();
    struct arena a = ARENA_INIT(0);
    struct credential c;
    assert_int_equal(
        credential_import(
            STR("{BLF-CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"), &a, &c),
        OK);
    assert_str(c.hash, STR("$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
    assert_int_equal(c.sha256.iterations, 0);
    assert_true(credential_is_stale(&standard, &c));
    assert_int_equal(credential_import(STR("{SSHA}xxxx"), &a, &c), ERR_UNSUPPORTED);
    assert_int_equal(credential_make(&standard, STR(""), &a, &c), ERR_SYNTAX);
    assert_int_equal(credential_make(&standard, STR("a\0b"), &a, &c), ERR_SYNTAX);

    assert_int_equal(credential_make(&standard, STR("secret"), &a, &c), OK);
    assert_false(credential_is_stale(&standard, &c));
    assert_int_equal(param_set(STR("auth_scram_iterations"), 8192), OK);
    assert_true(credential_is_stale(&standard, &c));
    cheap();
    struct credential_wants clear = { STANDARD | CONFIG_AUTH_CRAM_MD5, CONFIG_HASH_YESCRYPT };
    struct credential_wants other = { STANDARD, CONFIG_HASH_BCRYPT };
    assert_false(credential_is_stale(&standard, &c));
    assert_true(credential_is_stale(&clear, &c));
    assert_true(credential_is_stale(&other, &c));
    arena_free(&a);
    param_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_back),
        cmocka_unit_test(rows_are_checked),
        cmocka_unit_test(imported_hashes_are_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
