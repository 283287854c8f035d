/* Stored form, version 1: u8 version, u8 flags (1 = disabled), u64 changed_us, vstr hash, keys of
 * SCRAM-SHA-256, keys of SCRAM-SHA-1, vstr clear. Keys are var iterations and, unless that is 0,
 * vstr salt, StoredKey, ServerKey. */
#include "agent/auth/credential.h"
#include "agent/auth/hash.h"
#include "agent/auth/login.h"
#include "agent/auth/secret.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"
#include "base/wire.h"

PARAM(
    auth_scram_iterations, COUNT, SCRAM_ITERATIONS_MIN, 1000000, 100000,
    "iterations of new SCRAM keys: what a guess costs a thief of the store, and a login its client")

enum { VERSION = 1, FLAG_DISABLED = 1 };

static void keys_put(const struct scram_keys *k, enum scram_hash hash, struct buf *out)
{
    wire_put_var(out, k->iterations);
    if (k->iterations == 0) return;
    must(k->iterations <= SCRAM_ITERATIONS_MAX && k->salt.n > 0 && k->salt.n <= SCRAM_SALT_MAX);
    must(k->stored_key.n == scram_key_bytes(hash) && k->server_key.n == scram_key_bytes(hash));
    wire_put_vstr(out, k->salt);
    buf_put(out, k->stored_key);
    buf_put(out, k->server_key);
}

static void keys_get(struct wire *w, enum scram_hash hash, struct scram_keys *out)
{
    uint64_t iterations = wire_get_var(w);
    if (iterations == 0) return;
    if (iterations > SCRAM_ITERATIONS_MAX) {
        w->bad = true;
        return;
    }
    out->iterations = (uint32_t)iterations;
    out->salt = wire_get_vstr(w);
    out->stored_key = wire_get_bytes(w, scram_key_bytes(hash));
    out->server_key = wire_get_bytes(w, scram_key_bytes(hash));
    if (out->salt.n == 0 || out->salt.n > SCRAM_SALT_MAX) w->bad = true;
}

void credential_encode(const struct credential *c, struct buf *out)
{
    must(c->hash.n <= HASH_TEXT_MAX && c->clear.n <= PASSWORD_MAX);
    wire_put_u8(out, VERSION);
    wire_put_u8(out, c->disabled ? FLAG_DISABLED : 0);
    wire_put_u64(out, (uint64_t)c->changed_us);
    wire_put_vstr(out, c->hash);
    keys_put(&c->sha256, SCRAM_SHA256, out);
    keys_put(&c->sha1, SCRAM_SHA1, out);
    wire_put_vstr(out, c->clear);
}

enum err credential_decode(struct str row, struct credential *out)
{
    struct credential c = { .hash = STR_NONE };
    struct wire w = wire_of(row);

    if (row.n == 0 || row.n > CREDENTIAL_BYTES_MAX) return ERR_CORRUPT;
    uint8_t version = wire_get_u8(&w);
    if (version > VERSION) return ERR_UNSUPPORTED;
    uint8_t flags = wire_get_u8(&w);
    c.disabled = (flags & FLAG_DISABLED) != 0;
    c.changed_us = (int64_t)wire_get_u64(&w);
    c.hash = wire_get_vstr(&w);
    keys_get(&w, SCRAM_SHA256, &c.sha256);
    keys_get(&w, SCRAM_SHA1, &c.sha1);
    c.clear = wire_get_vstr(&w);
    if (version == 0 || flags > FLAG_DISABLED || c.hash.n > HASH_TEXT_MAX ||
        c.clear.n > PASSWORD_MAX || wire_end(&w) != OK)
        return ERR_CORRUPT;
    *out = c;
    return OK;
}

static bool wants_sha256(const struct credential_wants *w)
{
    return (w->mechanisms & (CONFIG_AUTH_SCRAM_SHA_256 | CONFIG_AUTH_SCRAM_SHA_256_PLUS)) != 0;
}

static bool wants_sha1(const struct credential_wants *w)
{
    return (w->mechanisms & CONFIG_AUTH_SCRAM_SHA_1) != 0;
}

static bool wants_clear(const struct credential_wants *w)
{
    return (w->mechanisms & CONFIG_AUTH_CRAM_MD5) != 0;
}

static void fill_keys(enum scram_hash hash, struct str password, struct arena *a,
                      struct scram_keys *out)
{
    char salt[SCRAM_SALT_BYTES];
    rand_bytes(salt, sizeof salt);
    scram_keys_make(hash, password, str_of(salt, sizeof salt), credential_scram_iterations(), a,
                    out);
}

/* `password` is prepared. */
static enum err fill(const struct credential_wants *wants, struct str password, struct arena *a,
                     struct credential *c)
{
    struct buf hash = BUF_INIT(HASH_TEXT_MAX);
    enum err e = hash_make(wants->hash, password, &hash);
    if (e == OK) c->hash = arena_str(a, buf_str(&hash));
    secret_buf_free(&hash);
    if (e != OK) return e;
    if (wants_sha256(wants)) fill_keys(SCRAM_SHA256, password, a, &c->sha256);
    if (wants_sha1(wants)) fill_keys(SCRAM_SHA1, password, a, &c->sha1);
    if (wants_clear(wants)) c->clear = arena_str(a, password);
    return OK;
}

enum err credential_make(const struct credential_wants *wants, struct str password, struct arena *a,
                         struct credential *out)
{
    struct credential c = { .hash = STR_NONE, .clear = STR_NONE, .changed_us = clock_wall_us() };
    struct buf prepared = BUF_INIT(PASSWORD_MAX);
    must(buf_reserve(&prepared, PASSWORD_MAX) != NULL);

    enum err e = password_prepare(password, &prepared);
    if (e == OK) e = fill(wants, buf_str(&prepared), a, &c);
    secret_buf_free(&prepared);
    if (e == OK) *out = c;
    return e;
}

enum err credential_import(struct str hash_text, struct arena *a, struct credential *out)
{
    struct buf hash = BUF_INIT(HASH_TEXT_MAX);
    enum err e = hash_import(hash_text, &hash);
    if (e == OK) {
        *out = (struct credential){ .hash = arena_str(a, buf_str(&hash)),
                                    .clear = STR_NONE,
                                    .changed_us = clock_wall_us() };
    }
    secret_buf_free(&hash);
    return e;
}

static bool keys_are_stale(const struct scram_keys *k, bool wanted)
{
    return wanted ? k->iterations < credential_scram_iterations() : k->iterations > 0;
}

bool credential_is_stale(const struct credential_wants *wants, const struct credential *c)
{
    return hash_is_stale(c->hash, wants->hash) || keys_are_stale(&c->sha256, wants_sha256(wants)) ||
           keys_are_stale(&c->sha1, wants_sha1(wants)) || (c->clear.n > 0) != wants_clear(wants);
}

uint32_t credential_scram_iterations(void)
{
    return (uint32_t)auth_scram_iterations;
}
