/* libxcrypt does yescrypt, bcrypt and SHA-crypt; libargon2 does Argon2. This file decides which,
 * with which cost, and reads enough of a stored hash to know what verifying it will cost before it
 * begins.
 *
 * Weak points: accounts whose hash is of another scheme or cost than wanted answer in another time
 * than logins that do not exist, until they are renewed; and bcrypt ends at 72 bytes. */
#include "agent/auth/hash.h"
#include "agent/auth/login.h"
#include "agent/auth/secret.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"
#include "syntax/base64.h"

#include <argon2.h>
#include <crypt.h>
#include <stdlib.h>
#include <sys/mman.h>

PARAM(auth_hash_yescrypt_cost, COUNT, 1, 11, 5,
      "cost of new yescrypt hashes; 5 takes 16 MiB, each step more doubles memory and time")
PARAM(auth_hash_argon2id_kib, COUNT, 8, 1048576, 19456, "memory of new Argon2id hashes in KiB")
PARAM(auth_hash_argon2id_passes, COUNT, 1, 64, 2, "passes of new Argon2id hashes over their memory")
PARAM(auth_hash_bcrypt_cost, COUNT, 4, 15, 12,
      "cost of new bcrypt hashes; each step more doubles the time")
PARAM(auth_hash_sha512_rounds, COUNT, 1000, 5000000, 500000, "rounds of new SHA-512-crypt hashes")
PARAM(auth_hash_memory_max, BYTES, 1048576, 4294967296, 268435456,
      "stored hashes that need more memory to verify (and more than new ones) are refused")

enum {
    SALT_BYTES = 16,
    ARGON2_HASH_BYTES = 32,
    ARGON2_BYTES_MAX = 64,
    ARGON2_LANES_MAX = 64,
    ARGON2_PASSES_MAX = 64,
    BCRYPT_PASSWORD_MAX = 72,
    BCRYPT_COST_MAX = 15,
    SHA_ROUNDS_STANDARD = 5000,
    SHA_ROUNDS_MAX = 5000000,
};

enum kind { KIND_YESCRYPT, KIND_ARGON2ID, KIND_ARGON2I, KIND_BCRYPT, KIND_SHA512, KIND_SHA256 };

static const struct {
    struct str prefix;
    enum kind kind;
} prefixes[] = {
    { STR_INIT("$y$"), KIND_YESCRYPT },      { STR_INIT("$argon2id$"), KIND_ARGON2ID },
    { STR_INIT("$argon2i$"), KIND_ARGON2I }, { STR_INIT("$2b$"), KIND_BCRYPT },
    { STR_INIT("$2a$"), KIND_BCRYPT },       { STR_INIT("$2y$"), KIND_BCRYPT },
    { STR_INIT("$6$"), KIND_SHA512 },        { STR_INIT("$5$"), KIND_SHA256 },
};

/* Names as Dovecot writes them; any says no more than that the rest is a crypt-like text. */
static const struct {
    struct str name;
    struct str prefix; /* what the rest has to begin with; empty: anything known */
} wrappers[] = {
    { STR_INIT("{CRYPT}"), STR_INIT("") },
    { STR_INIT("{ARGON2ID}"), STR_INIT("$argon2id$") },
    { STR_INIT("{ARGON2I}"), STR_INIT("$argon2i$") },
    { STR_INIT("{BLF-CRYPT}"), STR_INIT("$2") },
    { STR_INIT("{SHA512-CRYPT}"), STR_INIT("$6$") },
    { STR_INIT("{SHA256-CRYPT}"), STR_INIT("$5$") },
};

/* What a stored hash says about itself. */
struct cost {
    enum kind kind;
    uint64_t memory_bytes;
    uint64_t time; /* comparable within a kind only */
    uint32_t lanes;
    struct str salt, hash; /* base64, Argon2 only */
};

/* --- what is wanted today --- */

/* What a hash made today would cost. */
static struct cost cost_of(enum config_hash scheme)
{
    switch (scheme) {
    case CONFIG_HASH_ARGON2ID:
        return (struct cost){ .kind = KIND_ARGON2ID,
                              .memory_bytes = (uint64_t)auth_hash_argon2id_kib * 1024,
                              .time = (uint64_t)auth_hash_argon2id_passes };
    case CONFIG_HASH_BCRYPT:
        return (struct cost){ .kind = KIND_BCRYPT, .time = (uint64_t)auth_hash_bcrypt_cost };
    case CONFIG_HASH_SHA512_CRYPT:
        return (struct cost){ .kind = KIND_SHA512, .time = (uint64_t)auth_hash_sha512_rounds };
    case CONFIG_HASH_YESCRYPT:
        break;
    }
    /* crypt(5): costs 1 and 2 mean 1 and 2 MiB, from 3 on it is 4 MiB and doubling. */
    unsigned doublings = (unsigned)auth_hash_yescrypt_cost - 1;
    return (struct cost){ .kind = KIND_YESCRYPT, .memory_bytes = (uint64_t)1048576 << doublings };
}

/* What verifying a stored hash may take: never less than what we ask for ourselves. */
static uint64_t memory_limit(void)
{
    uint64_t limit = (uint64_t)auth_hash_memory_max;
    uint64_t yescrypt = cost_of(CONFIG_HASH_YESCRYPT).memory_bytes;
    uint64_t argon2id = cost_of(CONFIG_HASH_ARGON2ID).memory_bytes;
    if (yescrypt > limit) limit = yescrypt;
    return argon2id > limit ? argon2id : limit;
}

/* --- reading stored hashes --- */

static bool is_crypt64(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && c != '.' && c != '/') return false;
    }
    return true;
}

static unsigned crypt64_value(char c)
{
    if (c == '.') return 0;
    if (c == '/') return 1;
    if (byte_is_digit(c)) return (unsigned)(c - '0') + 2;
    return c >= 'a' ? (unsigned)(c - 'a') + 38 : (unsigned)(c - 'A') + 12;
}

/* FLAVOUR LOG2N R, one character each (as crypt_gensalt writes), then $salt$hash. */
static enum err read_yescrypt(struct str rest, struct cost *out)
{
    enum { R_ONE_CHARACTER_MAX = 47, HASH_CHARACTERS = 43, SALT_CHARACTERS_MAX = 86 };
    struct str how, salt;

    if (!str_cut(&rest, '$', &how) || !str_cut(&rest, '$', &salt)) return ERR_SYNTAX;
    if (!is_crypt64(how) || !is_crypt64(salt) || !is_crypt64(rest)) return ERR_SYNTAX;
    if (salt.n > SALT_CHARACTERS_MAX || rest.n != HASH_CHARACTERS) return ERR_SYNTAX;
    if (how.n != 3 || how.p[0] != 'j') return ERR_UNSUPPORTED;

    unsigned log2_n = crypt64_value(how.p[1]) + 1, r = crypt64_value(how.p[2]) + 1;
    if (log2_n > 40 || r > R_ONE_CHARACTER_MAX + 1) return ERR_LIMIT;
    out->memory_bytes = ((uint64_t)128 * r) << log2_n;
    out->time = out->memory_bytes;
    return OK;
}

/* "m=65536" and the like. */
static enum err read_number(struct str *left, char end, struct str name, uint64_t *value_out)
{
    struct str field;
    if (!str_cut(left, end, &field) || !str_starts(field, name)) return ERR_SYNTAX;
    return str_to_u64(str_skip(field, name.n), UINT32_MAX, value_out);
}

/* v=19$m=KIB,t=PASSES,p=LANES$salt$hash */
static enum err read_argon2(struct str rest, struct cost *out)
{
    uint64_t version, kib, passes, lanes;
    enum err e = read_number(&rest, '$', STR("v="), &version);
    if (e == OK) e = read_number(&rest, ',', STR("m="), &kib);
    if (e == OK) e = read_number(&rest, ',', STR("t="), &passes);
    if (e == OK) e = read_number(&rest, '$', STR("p="), &lanes);
    if (e != OK) return e;
    if (version != ARGON2_VERSION_13) return ERR_UNSUPPORTED;
    if (!str_cut(&rest, '$', &out->salt) || out->salt.n == 0 || rest.n == 0) return ERR_SYNTAX;
    if (lanes == 0 || passes == 0 || kib < 8 * lanes) return ERR_SYNTAX;
    if (lanes > ARGON2_LANES_MAX) return ERR_LIMIT;

    out->hash = rest;
    out->lanes = (uint32_t)lanes;
    out->memory_bytes = kib * 1024;
    out->time = passes;
    return passes > ARGON2_PASSES_MAX ? ERR_LIMIT : OK;
}

/* NN$ and 53 characters */
static enum err read_bcrypt(struct str rest, struct cost *out)
{
    enum { CHARACTERS = 53 };
    struct str number;
    uint64_t cost;

    if (!str_cut(&rest, '$', &number) || number.n != 2) return ERR_SYNTAX;
    if (rest.n != CHARACTERS || !is_crypt64(rest)) return ERR_SYNTAX;
    enum err e = str_to_u64(number, 99, &cost);
    if (e != OK) return e;
    if (cost < 4) return ERR_SYNTAX;
    out->time = cost;
    return cost > BCRYPT_COST_MAX ? ERR_LIMIT : OK;
}

/* [rounds=N$]salt$hash */
static enum err read_sha(struct str rest, size_t hash_characters, struct cost *out)
{
    enum { SALT_CHARACTERS_MAX = 16 };
    struct str salt;

    out->time = SHA_ROUNDS_STANDARD;
    if (str_starts(rest, STR("rounds="))) {
        enum err e = read_number(&rest, '$', STR("rounds="), &out->time);
        if (e != OK) return e;
    }
    if (!str_cut(&rest, '$', &salt) || salt.n > SALT_CHARACTERS_MAX) return ERR_SYNTAX;
    if (!is_crypt64(salt) || !is_crypt64(rest) || rest.n != hash_characters) return ERR_SYNTAX;
    return out->time > SHA_ROUNDS_MAX ? ERR_LIMIT : OK;
}

static enum err read_by_kind(enum kind kind, struct str rest, struct cost *out)
{
    switch (kind) {
    case KIND_YESCRYPT:
        return read_yescrypt(rest, out);
    case KIND_ARGON2ID:
    case KIND_ARGON2I:
        return read_argon2(rest, out);
    case KIND_BCRYPT:
        return read_bcrypt(rest, out);
    case KIND_SHA512:
        return read_sha(rest, 86, out);
    case KIND_SHA256:
        return read_sha(rest, 43, out);
    }
    return ERR_UNSUPPORTED;
}

static enum err read_cost(struct str stored, struct cost *out)
{
    if (stored.n > HASH_TEXT_MAX) return ERR_LIMIT;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!str_starts(stored, prefixes[i].prefix)) continue;
        struct cost cost = { .kind = prefixes[i].kind };
        enum err e = read_by_kind(cost.kind, str_skip(stored, prefixes[i].prefix.n), &cost);
        if (e != OK) return e;
        if (cost.memory_bytes > memory_limit()) return ERR_LIMIT;
        *out = cost;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

static enum err unwrap(struct str text, struct str *stored_out)
{
    if (!str_starts(text, STR("{"))) {
        *stored_out = text;
        return OK;
    }
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        if (!str_starts_nocase(text, wrappers[i].name)) continue;
        struct str rest = str_skip(text, wrappers[i].name.n);
        if (!str_starts(rest, wrappers[i].prefix)) return ERR_SYNTAX;
        *stored_out = rest;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

/* --- crypt(3) --- */

/* Append crypt(password, setting). */
static enum err run_crypt(struct str password, struct str setting, struct buf *out)
{
    struct crypt_data *data = calloc(1, sizeof *data); /* 32 KiB: not for a fiber's stack */
    struct buf key = BUF_INIT(PASSWORD_MAX + 1), salt = BUF_INIT(HASH_TEXT_MAX + 1);
    must(data != NULL);
    buf_put(&key, password);
    buf_put_byte(&key, '\0');
    buf_put(&salt, setting);
    buf_put_byte(&salt, '\0');
    must(!key.over && !salt.over);

    const char *made = crypt_r(key.p, salt.p, data);
    enum err e = made == NULL || made[0] == '*' ? ERR_UNAVAILABLE : OK;
    if (e == OK) buf_put(out, str_c(made));
    secret_wipe(data, sizeof *data);
    free(data);
    secret_buf_free(&key);
    buf_free(&salt);
    return e;
}

static enum err make_crypt(const char *prefix, uint64_t cost, struct str password, struct buf *out)
{
    char salt[SALT_BYTES];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    rand_bytes(salt, sizeof salt);
    if (crypt_gensalt_rn(prefix, cost, salt, sizeof salt, setting, sizeof setting) == NULL)
        return ERR_UNAVAILABLE;
    return run_crypt(password, str_c(setting), out);
}

static enum err verify_crypt(struct str stored, struct str password, bool *match_out)
{
    struct buf made = BUF_INIT(HASH_TEXT_MAX);
    enum err e = run_crypt(password, stored, &made);
    if (e == OK) *match_out = secret_eq(buf_str(&made), stored);
    secret_buf_free(&made);
    return e;
}

/* --- Argon2 --- */

/* Straight from the kernel and back to it: the work area does not fragment the heap, and comes back
 * to the kernel unread. */
static int area_get(uint8_t **memory, size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return ARGON2_MEMORY_ALLOCATION_ERROR;
    *memory = p;
    return ARGON2_OK;
}

static void area_put(uint8_t *memory, size_t n)
{
    munmap(memory, n);
}

/* Fill `hash` (its length is the length wanted). The lanes are worked off by one thread: roles have
 * no threads. libargon2 asks for pointers to bytes it does not change, hence the copy. */
static enum err run_argon2(const struct cost *cost, struct str password, struct str salt,
                           unsigned char *hash, size_t hash_bytes)
{
    struct buf in = BUF_INIT(PASSWORD_MAX + ARGON2_BYTES_MAX);
    buf_put(&in, password);
    buf_put(&in, salt);
    must(!in.over && in.n > 0);
    argon2_context context = { .out = hash,
                               .outlen = (uint32_t)hash_bytes,
                               .pwd = (uint8_t *)in.p,
                               .pwdlen = (uint32_t)password.n,
                               .salt = (uint8_t *)in.p + password.n,
                               .saltlen = (uint32_t)salt.n,
                               .t_cost = (uint32_t)cost->time,
                               .m_cost = (uint32_t)(cost->memory_bytes / 1024),
                               .lanes = cost->lanes,
                               .threads = 1,
                               .version = ARGON2_VERSION_13,
                               .allocate_cbk = area_get,
                               .free_cbk = area_put };
    int rc = argon2_ctx(&context, cost->kind == KIND_ARGON2ID ? Argon2_id : Argon2_i);
    secret_buf_free(&in);
    return rc == ARGON2_OK                        ? OK
           : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_UNAVAILABLE
                                                  : ERR_SYNTAX;
}

/* Argon2's base64 has no padding. */
static enum err get_unpadded(struct str text, struct buf *out)
{
    struct buf padded = BUF_INIT(HASH_TEXT_MAX);
    buf_put(&padded, text);
    while (padded.n % 4 != 0 && !padded.over) {
        buf_put_byte(&padded, '=');
    }
    enum err e =
        padded.over || str_ends(text, STR("=")) ? ERR_SYNTAX : base64_decode(out, buf_str(&padded));
    buf_free(&padded);
    return e;
}

/* Salt and hash of a stored Argon2 text, as bytes within libargon2's limits. */
static enum err decode_argon2(const struct cost *cost, struct buf *salt_out, struct buf *hash_out)
{
    enum err e = get_unpadded(cost->salt, salt_out);
    if (e == OK) e = get_unpadded(cost->hash, hash_out);
    if (e != OK) return e;
    if (salt_out->n < ARGON2_MIN_SALT_LENGTH || salt_out->n > ARGON2_BYTES_MAX) return ERR_SYNTAX;
    return hash_out->n < ARGON2_MIN_OUTLEN || hash_out->n > ARGON2_BYTES_MAX ? ERR_SYNTAX : OK;
}

static void put_unpadded(struct buf *out, struct str bytes)
{
    base64_put(out, bytes);
    while (str_ends(buf_str(out), STR("="))) {
        buf_truncate(out, out->n - 1);
    }
}

static enum err make_argon2id(struct str password, struct buf *out)
{
    unsigned char hash[ARGON2_HASH_BYTES];
    char salt[SALT_BYTES];
    struct cost cost = { .kind = KIND_ARGON2ID,
                         .memory_bytes = (uint64_t)auth_hash_argon2id_kib * 1024,
                         .time = (uint64_t)auth_hash_argon2id_passes,
                         .lanes = 1 };
    rand_bytes(salt, sizeof salt);
    enum err e = run_argon2(&cost, password, str_of(salt, sizeof salt), hash, sizeof hash);
    if (e != OK) return e;
    buf_put_lit(out, "$argon2id$v=19$m=");
    buf_put_u64(out, (uint64_t)auth_hash_argon2id_kib);
    buf_put_lit(out, ",t=");
    buf_put_u64(out, cost.time);
    buf_put_lit(out, ",p=1$");
    put_unpadded(out, str_of(salt, sizeof salt));
    buf_put_lit(out, "$");
    put_unpadded(out, str_of(hash, sizeof hash));
    secret_wipe(hash, sizeof hash);
    return buf_check(out);
}

static enum err verify_argon2(const struct cost *cost, struct str password, bool *match_out)
{
    unsigned char made[ARGON2_BYTES_MAX];
    struct buf salt = BUF_INIT(HASH_TEXT_MAX), want = BUF_INIT(HASH_TEXT_MAX);
    enum err e = decode_argon2(cost, &salt, &want);
    if (e == OK) e = run_argon2(cost, password, buf_str(&salt), made, want.n);
    if (e == OK) *match_out = secret_eq(str_of(made, want.n), buf_str(&want));
    secret_wipe(made, sizeof made);
    buf_free(&salt);
    buf_free(&want);
    return e;
}

/* --- the face of the room --- */

static enum err password_check(struct str password)
{
    if (password.n > PASSWORD_MAX) return ERR_LIMIT;
    return password.n == 0 || str_find(password, '\0') != STR_NOWHERE ? ERR_SYNTAX : OK;
}

enum err hash_make(enum config_hash scheme, struct str password, struct buf *out)
{
    enum err e = password_check(password);
    if (e != OK) return e;
    switch (scheme) {
    case CONFIG_HASH_YESCRYPT:
        return make_crypt("$y$", (uint64_t)auth_hash_yescrypt_cost, password, out);
    case CONFIG_HASH_ARGON2ID:
        return make_argon2id(password, out);
    case CONFIG_HASH_BCRYPT:
        if (password.n > BCRYPT_PASSWORD_MAX) return ERR_LIMIT;
        return make_crypt("$2b$", (uint64_t)auth_hash_bcrypt_cost, password, out);
    case CONFIG_HASH_SHA512_CRYPT:
        return make_crypt("$6$", (uint64_t)auth_hash_sha512_rounds, password, out);
    }
    return ERR_UNSUPPORTED;
}

enum err hash_verify(struct str stored, struct str password, bool *match_out)
{
    struct cost cost;
    enum err e = unwrap(stored, &stored);
    if (e == OK) e = read_cost(stored, &cost);
    if (e != OK) return e;
    if (password_check(password) != OK) {
        *match_out = false;
        return OK;
    }
    bool is_argon2 = cost.kind == KIND_ARGON2ID || cost.kind == KIND_ARGON2I;
    return is_argon2 ? verify_argon2(&cost, password, match_out)
                     : verify_crypt(stored, password, match_out);
}

void hash_verify_nobody(enum config_hash scheme, struct str password)
{
    /* Making a hash is one verification and a salt. What cannot be hashed is not verified either.
     */
    struct buf made = BUF_INIT(HASH_TEXT_MAX);
    if (scheme == CONFIG_HASH_BCRYPT) password = str_part(password, 0, BCRYPT_PASSWORD_MAX);
    err_ignore(hash_make(scheme, password, &made)); /* only its time is of use */
    buf_free(&made);
}

enum err hash_import(struct str text, struct buf *out)
{
    struct cost cost;
    struct str stored;
    enum err e = unwrap(text, &stored);
    if (e == OK) e = read_cost(stored, &cost);
    if (e != OK) return e;
    if (cost.kind == KIND_ARGON2ID || cost.kind == KIND_ARGON2I) {
        struct buf salt = BUF_INIT(HASH_TEXT_MAX), hash = BUF_INIT(HASH_TEXT_MAX);
        e = decode_argon2(&cost, &salt, &hash);
        buf_free(&salt);
        buf_free(&hash);
        if (e != OK) return e;
    }
    buf_put(out, stored);
    return buf_check(out);
}

bool hash_is_stale(struct str stored, enum config_hash wanted)
{
    struct cost have, want = cost_of(wanted);
    if (unwrap(stored, &stored) != OK || read_cost(stored, &have) != OK) return true;
    return have.kind != want.kind || have.memory_bytes < want.memory_bytes || have.time < want.time;
}
