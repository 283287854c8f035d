/* One step function per family of mechanisms; each leaves in `result` what became known on the way.
 *
 * Invariants: nothing is compared with a stored secret but in constant time; a look-up that finds
 * nobody goes on with a decoy; disabled and authzid are judged only after the proof was good, so
 * that neither tells a guesser anything. While the look-up waits, the caller must not touch the
 * exchange. */
#include "agent/auth/sasl.h"
#include "agent/auth/hash.h"
#include "agent/auth/login.h"
#include "agent/auth/recall.h"
#include "agent/auth/secret.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"
#include "syntax/base64.h"
#include "syntax/sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

PARAM(
    auth_renew, BOOL, 0, 1, 1,
    "make stored credentials anew at a login when their scheme or cost is no longer the wanted one")

enum { ARENA_MAX = 262144, SERVER_NONCE_BYTES = 18, MD5_BYTES = 16, DECOY_KEY_BYTES = 32 };

typedef enum sasl_state (*step_function)(struct sasl *s, struct str input, struct buf *out);

struct mechanism {
    struct str name;
    step_function step;
    unsigned bit; /* CONFIG_AUTH_* */
    bool clear_password, plus;
    enum scram_hash hash;
};

struct sasl_room {
    struct sasl_backend backend;
    struct arena arena, settings_arena;
    struct sasl_settings settings;
    struct str decoy_key;
    struct recall recall;
};

struct sasl {
    struct sasl_room *room;
    const struct mechanism *mechanism;
    struct arena arena;
    struct scram_bindings bindings;
    void *who;
    unsigned stage; /* how many of our messages have gone out */
    bool over;
    struct scram scram;
    struct str said;    /* LOGIN: the user name; CRAM-MD5: the challenge */
    struct str authzid; /* as it came */
    bool found;         /* `account` is one; else its keys are decoys */
    struct sasl_account account;
    struct sasl_result result;
};

static enum sasl_state fail(struct sasl *s, enum sasl_why why)
{
    s->over = true;
    s->result.why = why;
    return SASL_FAIL;
}

/* --- what all mechanisms do --- */

/* Whose login is it? Leaves it in `result`, the account (if there is one) in `account`.
 * False: the exchange has failed, not the login. */
static bool look_up(struct sasl *s, struct str login)
{
    struct buf prepared = BUF_INIT(LOGIN_MAX);
    enum err e = login_prepare(login, s->room->settings.default_domain, &prepared);
    s->result.login = arena_str(&s->arena, e == OK ? buf_str(&prepared) : login);
    buf_free(&prepared);
    if (e == OK) {
        e = s->room->backend.lookup(s->room->backend.ctx, s->who, s->result.login, &s->arena,
                                    &s->account);
    } else {
        e = ERR_NOT_FOUND; /* no account has such a name */
    }
    s->found = e == OK;
    s->result.err = e == ERR_NOT_FOUND ? OK : e;
    return e == OK || e == ERR_NOT_FOUND;
}

/* RFC 4422 3.4.1: nobody acts for anybody else here; to say one's own name is fine. */
static bool authzid_is_own(const struct sasl *s)
{
    if (s->authzid.n == 0) return true;
    struct buf prepared = BUF_INIT(LOGIN_MAX);
    bool own = login_prepare(s->authzid, s->room->settings.default_domain, &prepared) == OK &&
               (str_eq(buf_str(&prepared), s->result.login) ||
                str_eq_nocase(buf_str(&prepared), s->account.name));
    buf_free(&prepared);
    return own;
}

/* The proof has been judged; who failed for which reason, or may come in? */
static enum sasl_why judge(const struct sasl *s, bool has_keys, bool proof_is_good)
{
    if (!s->found) return SASL_NO_ACCOUNT;
    if (!has_keys) return SASL_NO_KEYS;
    if (!proof_is_good) return SASL_BAD_PASSWORD;
    if (s->account.credential.disabled) return SASL_DISABLED;
    return authzid_is_own(s) ? SASL_FINE : SASL_BAD_AUTHZID;
}

static enum sasl_state done(struct sasl *s)
{
    s->over = true;
    s->result.why = SASL_FINE;
    s->result.account = s->account.name;
    s->result.account_id = s->account.id;
    return SASL_DONE;
}

/* --- PLAIN and LOGIN --- */

/* One text against the stored hash, at the full price unless it was good a moment ago. */
static enum err verify_text(struct sasl *s, struct str text, bool *match_out)
{
    struct str hash = s->account.credential.hash;
    if (!s->found || hash.n == 0) {
        hash_verify_nobody(s->room->settings.wants.hash, text);
        *match_out = false;
        return OK;
    }
    if (recall_has(&s->room->recall, hash, text)) {
        *match_out = true;
        return OK;
    }
    enum err e = hash_verify(hash, text, match_out);
    if (e == OK && *match_out) recall_put(&s->room->recall, hash, text);
    return e;
}

static void renew(struct sasl *s, struct str password)
{
    struct credential fresh;
    const struct sasl_backend *b = &s->room->backend;
    const struct credential_wants *wants = &s->room->settings.wants;
    if (b->renew == NULL || !auth_renew || !credential_is_stale(wants, &s->account.credential))
        return;
    enum err e = credential_make(wants, password, &s->arena, &fresh);
    if (e != OK) return; /* bcrypt takes 72 bytes only; the stored one still does */
    b->renew(b->ctx, s->who, &s->account, &fresh);
}

/* Passwords are hashed prepared; hashes from elsewhere may have been made of the bytes as typed, so
 * these are tried when preparation changed something. */
static enum err verify_password(struct sasl *s, struct str password, bool *match_out)
{
    struct buf prepared = BUF_INIT(PASSWORD_MAX);
    must(buf_reserve(&prepared, PASSWORD_MAX) != NULL);
    enum err e = password_prepare(password, &prepared);
    *match_out = false;
    if (e == OK) {
        e = verify_text(s, buf_str(&prepared), match_out);
        if (e == OK && !*match_out && !str_eq(buf_str(&prepared), password))
            e = verify_text(s, password, match_out);
    } else {
        e = OK; /* RFC 4616 2: what cannot be prepared does not verify */
    }
    secret_buf_free(&prepared);
    return e;
}

static enum sasl_state judge_password(struct sasl *s, struct str login, struct str password)
{
    bool match;
    if (!look_up(s, login)) return fail(s, SASL_LATER);
    enum err e = verify_password(s, password, &match);
    s->result.err = e;
    if (e == ERR_UNAVAILABLE) return fail(s, SASL_LATER);
    enum sasl_why why = judge(s, e == OK && s->account.credential.hash.n > 0, match);
    if (why != SASL_FINE) return fail(s, why);
    renew(s, password);
    return done(s);
}

static enum sasl_state plain_step(struct sasl *s, struct str input, struct buf *out)
{
    struct sasl_plain plain;
    (void)out; /* the only challenge of PLAIN is an empty one */
    if (s->stage == 0 && input.n == 0) {
        s->stage = 1;
        return SASL_CONTINUE;
    }
    if (sasl_plain_parse(input, &plain) != OK) return fail(s, SASL_BAD_SYNTAX);
    s->authzid = arena_str(&s->arena, plain.authzid);
    return judge_password(s, plain.login, plain.password);
}

/* draft-murchison-sasl-login; the prompts are those that every server sends, because some clients
 * compare them. */
static enum sasl_state login_step(struct sasl *s, struct str input, struct buf *out)
{
    if (s->stage == 0 && input.n == 0) {
        buf_put_lit(out, "Username:");
        s->stage = 1;
        return SASL_CONTINUE;
    }
    if (input.n == 0) return fail(s, SASL_BAD_SYNTAX);
    if (s->stage < 2) {
        s->said = arena_str(&s->arena, input);
        buf_put_lit(out, "Password:");
        s->stage = 2;
        return SASL_CONTINUE;
    }
    return judge_password(s, s->said, input);
}

/* --- CRAM-MD5 --- */

static void cram_challenge(struct sasl *s, struct buf *out)
{
    struct buf said = BUF_INIT(1024);
    buf_put_lit(&said, "<");
    buf_put_u64(&said, rand_u64());
    buf_put_lit(&said, ".");
    buf_put_u64(&said, (uint64_t)(clock_wall_us() / 1000000));
    buf_put_lit(&said, "@");
    buf_put(&said, s->room->settings.host);
    buf_put_lit(&said, ">");
    s->said = arena_str(&s->arena, buf_str(&said));
    buf_put(out, s->said);
    buf_free(&said);
}

void sasl_cram_digest(struct str secret, struct str challenge, struct buf *out)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    /* Null from a build of OpenSSL without MD5; then there is no digest, and nothing equals it. */
    if (HMAC(EVP_md5(), secret.p, (int)secret.n, (const unsigned char *)challenge.p, challenge.n,
             md5, &n) != NULL)
        buf_put_hex(out, str_of(md5, n));
}

static enum sasl_state cram_step(struct sasl *s, struct str input, struct buf *out)
{
    struct sasl_cram cram;
    if (s->stage == 0) {
        if (input.n > 0) return fail(s, SASL_BAD_SYNTAX); /* RFC 4422 3: the server goes first */
        cram_challenge(s, out);
        s->stage = 1;
        return SASL_CONTINUE;
    }
    if (sasl_cram_parse(input, &cram) != OK) return fail(s, SASL_BAD_SYNTAX);
    if (!look_up(s, cram.login)) return fail(s, SASL_LATER);
    struct str secret = s->found ? s->account.credential.clear : STR_NONE;
    struct buf want = BUF_INIT((size_t)2 * MD5_BYTES);
    sasl_cram_digest(secret, s->said, &want);
    enum sasl_why why = judge(s, secret.n > 0, secret_eq(buf_str(&want), cram.digest));
    buf_free(&want);
    return why == SASL_FINE ? done(s) : fail(s, why);
}

/* --- SCRAM --- */

static const struct scram_keys *own_keys(const struct sasl *s)
{
    const struct credential *c = &s->account.credential;
    return s->mechanism->hash == SCRAM_SHA1 ? &c->sha1 : &c->sha256;
}

static bool has_own_keys(const struct sasl *s)
{
    return s->found && own_keys(s)->iterations > 0;
}

static enum sasl_state scram_refusal(struct sasl *s, enum err e)
{
    return fail(s, e == ERR_INVALID || e == ERR_UNSUPPORTED ? SASL_BAD_BINDING : SASL_BAD_SYNTAX);
}

static enum sasl_state scram_begin(struct sasl *s, struct str input, struct buf *out)
{
    char random[SERVER_NONCE_BYTES];
    struct buf nonce = BUF_INIT(64);
    struct scram_keys decoy;

    rand_bytes(random, sizeof random);
    base64_put(&nonce, str_of(random, sizeof random));
    enum err e = scram_first(&s->scram, s->mechanism->hash, s->mechanism->plus, &s->bindings,
                             buf_str(&nonce), input);
    buf_free(&nonce);
    if (e != OK) return scram_refusal(s, e);
    s->authzid = buf_str(&s->scram.authzid);
    if (!look_up(s, buf_str(&s->scram.login))) return fail(s, SASL_LATER);
    scram_keys_decoy(s->mechanism->hash, s->result.login, s->room->decoy_key,
                     credential_scram_iterations(), &s->arena, &decoy);
    scram_challenge(&s->scram, has_own_keys(s) ? own_keys(s) : &decoy, out);
    s->stage = 2;
    return SASL_CONTINUE;
}

/* The server's last message goes out as a challenge, to which the client says nothing (RFC 5802 5,
 * RFC 4422 5): none of our protocols can carry it beside its "ok". */
static enum sasl_state scram_step(struct sasl *s, struct str input, struct buf *out)
{
    if (s->stage == 0 && input.n == 0) {
        s->stage = 1;
        return SASL_CONTINUE;
    }
    if (s->stage < 2) return scram_begin(s, input, out);
    if (s->stage == 3) return input.n == 0 ? done(s) : fail(s, SASL_BAD_SYNTAX);

    struct buf last = BUF_INIT(256);
    enum err e = scram_final(&s->scram, input, &last);
    enum sasl_why why = judge(s, has_own_keys(s), e == OK);
    if (e == OK && why == SASL_FINE) buf_put(out, buf_str(&last));
    buf_free(&last);
    if (e != OK && e != ERR_DENIED) return scram_refusal(s, e);
    if (why != SASL_FINE) return fail(s, why);
    s->stage = 3;
    return SASL_CONTINUE;
}

/* --- the table --- */

static const struct mechanism mechanisms[] = {
    /* best first */
    { STR_INIT("SCRAM-SHA-256-PLUS"), scram_step, CONFIG_AUTH_SCRAM_SHA_256_PLUS, false, true,
      SCRAM_SHA256 },
    { STR_INIT("SCRAM-SHA-256"), scram_step, CONFIG_AUTH_SCRAM_SHA_256, false, false,
      SCRAM_SHA256 },
    { STR_INIT("SCRAM-SHA-1"), scram_step, CONFIG_AUTH_SCRAM_SHA_1, false, false, SCRAM_SHA1 },
    { STR_INIT("PLAIN"), plain_step, CONFIG_AUTH_PLAIN, true, false, 0 },
    { STR_INIT("LOGIN"), login_step, CONFIG_AUTH_LOGIN, true, false, 0 },
    { STR_INIT("CRAM-MD5"), cram_step, CONFIG_AUTH_CRAM_MD5, false, false, 0 },
};

static enum err permitted(const struct sasl_room *room, const struct mechanism *m,
                          const struct sasl_terms *t)
{
    const struct scram_bindings *b = &t->bindings;
    if ((room->settings.wants.mechanisms & m->bit) == 0) return ERR_UNSUPPORTED;
    if (m->plus && b->exporter.n == 0 && b->unique.n == 0 && b->end_point.n == 0)
        return ERR_UNSUPPORTED;
    return t->private ? OK : ERR_DENIED;
}

/* Is there a -PLUS mechanism beside this one? If not, a client that says "I could bind, but you
 * offered nothing" is right. */
static bool offers_binding(const struct sasl_room *room, const struct mechanism *m)
{
    return m->hash == SCRAM_SHA256 &&
           (room->settings.wants.mechanisms & CONFIG_AUTH_SCRAM_SHA_256_PLUS) != 0;
}

/* --- rooms and exchanges --- */

void sasl_configure(struct sasl_room *room, const struct sasl_settings *settings)
{
    arena_free(&room->settings_arena);
    room->settings.wants = settings->wants;
    room->settings.default_domain = arena_str(&room->settings_arena, settings->default_domain);
    room->settings.host =
        arena_str(&room->settings_arena, settings->host.n > 0 ? settings->host : STR("localhost"));
}

struct sasl_room *sasl_open(const struct sasl_backend *backend,
                            const struct sasl_settings *settings, struct str decoy_key)
{
    struct sasl_room *room = calloc(1, sizeof *room);
    char random[DECOY_KEY_BYTES];
    must(room != NULL && backend->lookup != NULL);
    rand_bytes(random, sizeof random);
    room->backend = *backend;
    room->decoy_key =
        arena_str(&room->arena, decoy_key.n > 0 ? decoy_key : str_of(random, sizeof random));
    sasl_configure(room, settings);
    recall_init(&room->recall);
    return room;
}

void sasl_close(struct sasl_room **room)
{
    if (*room == NULL) return;
    recall_free(&(*room)->recall);
    arena_free(&(*room)->settings_arena);
    arena_free(&(*room)->arena);
    free(*room);
    *room = NULL;
}

enum err sasl_begin(struct sasl_room *room, const struct sasl_terms *terms, struct str mechanism,
                    struct sasl **sasl_out)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
        const struct mechanism *m = &mechanisms[i];
        if (!str_eq_nocase(m->name, mechanism)) continue;
        enum err e = permitted(room, m, terms);
        if (e != OK) return e;

        struct sasl *s = calloc(1, sizeof *s);
        must(s != NULL);
        s->room = room;
        s->mechanism = m;
        s->who = terms->who;
        s->arena = (struct arena)ARENA_INIT(ARENA_MAX);
        if (offers_binding(room, m)) {
            s->bindings.exporter = arena_str(&s->arena, terms->bindings.exporter);
            s->bindings.unique = arena_str(&s->arena, terms->bindings.unique);
            s->bindings.end_point = arena_str(&s->arena, terms->bindings.end_point);
        }
        s->result = (struct sasl_result){ .mechanism = m->name,
                                          .login = STR_NONE,
                                          .account = STR_NONE,
                                          .clear_password = m->clear_password };
        *sasl_out = s;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

enum sasl_state sasl_step(struct sasl *s, struct str input, struct buf *out)
{
    must(!s->over);
    if (input.n > SASL_INPUT_MAX) return fail(s, SASL_BAD_SYNTAX);
    return s->mechanism->step(s, input, out);
}

const struct sasl_result *sasl_result(const struct sasl *s)
{
    return &s->result;
}

const char *sasl_why_word(enum sasl_why why)
{
    static const char *const words[SASL_WHY_COUNT] = {
#define X(name, word) [name] = word,
        SASL_WHYS(X)
#undef X
    };
    must((unsigned)why < SASL_WHY_COUNT);
    return words[why];
}

void sasl_free(struct sasl **s)
{
    if (*s == NULL) return;
    scram_free(&(*s)->scram);
    arena_free(&(*s)->arena);
    free(*s);
    *s = NULL;
}
