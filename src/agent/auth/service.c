/* Exchanges stand in a map by id and in a list by last use. One that is being served (`busy`) is
 * not touched by anybody else: who wants it gone marks it, and it goes when the serving call
 * returns.
 *
 * Weak point: a delayed attempt keeps its call, and so its place in the table, for as long as it
 * waits; the table is bounded, and those who only wait for their client go first. */
#include "agent/auth/service.h"
#include "agent/auth/sasl.h"
#include "agent/auth/secret.h"
#include "agent/auth/throttle.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"

#include <stdlib.h>

PARAM(auth_exchanges_max, COUNT, 16, 100000, 4000,
      "logins under way at once; beyond it those that wait for their client longest are dropped")
PARAM(auth_exchange_ms, TIME_MS, 1000, 3600000, 120000,
      "how long a login may stand still before it is forgotten")
COUNTER(auth_accepted, "logins accepted")
COUNTER(auth_refused, "logins refused: name, password, or account")
COUNTER(auth_throttled, "logins refused without a look at the password, after too many failed ones")
COUNTER(auth_unavailable, "logins that could not be judged: no directory, no memory, no place")
COUNTER(auth_dropped, "logins that were given up by the client, timed out or were crowded out")
COUNTER(auth_renewed, "stored credentials made anew at a login")

enum { EXCHANGES_CEILING = 100000 };

struct exchange {
    uint64_t id;
    struct list by_use;
    const void *owner;
    struct auth_service *service;
    int64_t until_ms;
    bool busy, unwanted;
    struct arena arena;
    struct sasl *sasl;
    uint32_t conn;
    struct str ip, service_name;
    bool tls;
    /* The attempt as the throttle counted it. */
    bool counted;
    struct str name; /* account, or the login of nobody */
    struct throttle_verdict verdict;
    struct str stored; /* the credential as it was found */
};

struct auth_service {
    struct auth_world world;
    struct sasl_room *room;
    struct throttle *throttle;
    struct map exchanges;
    struct list by_use; /* longest unused first */
};

/* --- the table --- */

static struct str key_of(const uint64_t *id)
{
    return str_of(id, sizeof *id);
}

static void settle(struct exchange *x, enum throttle_end how)
{
    if (!x->counted) return;
    x->counted = false;
    throttle_end(x->service->throttle, x->name, x->ip, &x->verdict, how);
}

static void drop(struct exchange *x)
{
    settle(x, THROTTLE_NEITHER);
    map_del(&x->service->exchanges, key_of(&x->id));
    list_take(&x->by_use);
    sasl_free(&x->sasl);
    arena_free(&x->arena);
    free(x);
}

/* Not wanted any more by its client, its link or us. */
static void give_up(struct exchange *x)
{
    if (x->unwanted) return;
    auth_dropped++;
    x->unwanted = true;
    if (!x->busy) drop(x);
}

static void sweep(struct auth_service *s)
{
    LIST_EACH(at, &s->by_use)
    {
        struct exchange *x = LIST_OWNER(at, struct exchange, by_use);
        if (x->until_ms > clock_now()) return;
        if (!x->busy) give_up(x);
    }
}

/* Make room for one more. False: everybody is being served. */
static bool make_room(struct auth_service *s)
{
    sweep(s);
    if (s->exchanges.members < (size_t)auth_exchanges_max) return true;
    LIST_EACH(at, &s->by_use)
    {
        struct exchange *x = LIST_OWNER(at, struct exchange, by_use);
        if (x->busy) continue;
        give_up(x);
        return true;
    }
    return false;
}

static void use(struct exchange *x)
{
    x->until_ms = clock_deadline(auth_exchange_ms);
    list_take(&x->by_use);
    list_put(&x->service->by_use, &x->by_use);
}

static struct exchange *make(struct auth_service *s, const void *owner,
                             const struct auth_begin_req *in)
{
    struct exchange *x = calloc(1, sizeof *x);
    must(x != NULL);
    do {
        x->id = rand_u64();
    } while (x->id == 0 || map_get(&s->exchanges, key_of(&x->id)) != NULL);
    x->owner = owner;
    x->service = s;
    x->arena = (struct arena)ARENA_INIT(VERB_SMALL * 2);
    x->conn = in->peer.conn;
    x->ip = arena_str(&x->arena, in->peer.ip);
    x->service_name = str_c(service_name(in->peer.service));
    x->tls = in->peer.tls.n > 0;
    list_init(&x->by_use);
    must(map_put(&s->exchanges, key_of(&x->id), x) == OK);
    use(x);
    return x;
}

static struct exchange *find(struct auth_service *s, const void *owner, uint64_t id)
{
    struct exchange *x = map_get(&s->exchanges, key_of(&id));
    bool usable = x != NULL && x->owner == owner && !x->unwanted && !x->busy;
    return usable ? x : NULL;
}

/* --- what sasl asks --- */

static enum err decode(struct exchange *x, const struct credential_get_rep *rep,
                       struct sasl_account *out)
{
    struct sasl_account account = { .id = rep->account.id, .name = rep->account.address };
    enum err e = credential_decode(rep->credential, &account.credential);
    if (e != OK) {
        log_error("auth.credential_unreadable", L_ID("conn", x->conn),
                  L_STR("account", rep->account.address), L_ERR(e));
        return e;
    }
    if (rep->account.disabled) account.credential.disabled = true;
    *out = account;
    return OK;
}

/* The directory first, so that all logins that lead to an account are counted as one; then the
 * throttle, so that a refused attempt costs no verification. */
static enum err lookup(void *ctx, void *who, struct str login, struct arena *a,
                       struct sasl_account *out)
{
    struct auth_service *s = ctx;
    struct exchange *x = who;
    struct credential_get_rep rep;
    enum err found = s->world.credential_get(s->world.ctx, login, a, &rep);
    if (found == ERR_INVALID || found == ERR_UNSUPPORTED) found = ERR_NOT_FOUND; /* no such name */
    if (found != OK && found != ERR_NOT_FOUND) return found;

    x->name = arena_str(&x->arena, found == OK ? rep.account.address : login);
    throttle_begin(s->throttle, x->name, x->ip, &x->verdict);
    if (x->verdict.refuse) return ERR_BUSY;
    x->counted = true;
    enum err e = OK;
    if (x->verdict.wait_ms > 0) e = s->world.sleep(s->world.ctx, x->verdict.wait_ms);
    if (e == OK && x->unwanted) e = ERR_CANCELLED; /* spare us the verification */
    if (e != OK || found != OK) return e != OK ? e : found;
    x->stored = rep.credential;
    return decode(x, &rep, out);
}

static void renew(void *ctx, void *who, const struct sasl_account *account,
                  const struct credential *fresh)
{
    struct auth_service *s = ctx;
    struct exchange *x = who;
    struct buf row = BUF_INIT(CREDENTIAL_BYTES_MAX);
    credential_encode(fresh, &row);
    enum err e = s->world.credential_renew(s->world.ctx, account->id, x->stored, buf_str(&row));
    secret_buf_free(&row);
    if (e == OK) {
        auth_renewed++;
        log_info("auth.renewed", L_ID("conn", x->conn), L_STR("account", account->name));
    } else {
        log_warn("auth.not_renewed", L_ID("conn", x->conn), L_STR("account", account->name),
                 L_ERR(e));
    }
}

/* --- answers --- */

static void refuse(struct auth_rep *out, const char *reason)
{
    *out = (struct auth_rep){
        .state = AUTH_REFUSED, .words = STR_NONE, .login = STR_NONE, .outcome = outcome_of(reason)
    };
}

static void say_accepted(struct exchange *x, const struct sasl_result *r, struct arena *a,
                         struct auth_rep *out)
{
    auth_accepted++;
    settle(x, THROTTLE_GOOD);
    log_info("auth.accepted", L_ID("conn", x->conn), L_STR("account", r->account),
             L_STR("client", x->ip), L_WORD("mechanism", arena_c(a, r->mechanism)),
             L_WORD("service", arena_c(a, x->service_name)), L_WORD("tls", x->tls ? "yes" : "no"));
    *out = (struct auth_rep){ .state = AUTH_DONE,
                              .words = STR_NONE,
                              .login = arena_str(a, r->account),
                              .account = r->account_id,
                              .outcome = outcome_of("ok") };
}

/* Which reply, and was it a guess? Where the mechanism had nothing to compare with, nothing was
 * guessed: many clients try SCRAM before PLAIN. */
static const struct {
    const char *reason;
    enum throttle_end end;
} refusals[SASL_WHY_COUNT] = {
    [SASL_FINE] = { "internal", THROTTLE_NEITHER },
    [SASL_BAD_PASSWORD] = { "auth-failed", THROTTLE_BAD },
    [SASL_NO_ACCOUNT] = { "auth-failed", THROTTLE_BAD },
    [SASL_NO_KEYS] = { "auth-failed", THROTTLE_NEITHER },
    [SASL_DISABLED] = { "auth-failed", THROTTLE_NEITHER },
    [SASL_BAD_AUTHZID] = { "auth-failed", THROTTLE_NEITHER },
    [SASL_BAD_SYNTAX] = { "bad-syntax", THROTTLE_NEITHER },
    [SASL_BAD_BINDING] = { "auth-failed", THROTTLE_NEITHER },
    [SASL_LATER] = { "auth-unavailable", THROTTLE_NEITHER },
};

static void say_refused(struct exchange *x, const struct sasl_result *r, struct arena *a,
                        struct auth_rep *out)
{
    const char *mechanism = arena_c(a, r->mechanism), *service = arena_c(a, x->service_name);
    if (x->verdict.refuse) {
        auth_throttled++;
        log_info("auth.throttled", L_ID("conn", x->conn), L_STR("login", r->login),
                 L_STR("client", x->ip), L_WORD("mechanism", mechanism), L_WORD("service", service),
                 L_WORD("for", x->verdict.why));
        refuse(out, "auth-throttled");
        return;
    }
    settle(x, refusals[r->why].end);
    refuse(out, refusals[r->why].reason);
    if (r->why == SASL_LATER) {
        auth_unavailable++;
        log_warn("auth.unavailable", L_ID("conn", x->conn), L_STR("login", r->login),
                 L_STR("client", x->ip), L_ERR(r->err));
        return;
    }
    auth_refused++;
    if (r->err != OK) /* a stored hash that cannot be verified: act */
        log_error("auth.hash_unusable", L_ID("conn", x->conn), L_STR("login", r->login),
                  L_ERR(r->err));
    log_info("auth.refused", L_ID("conn", x->conn), L_STR("login", r->login),
             L_STR("client", x->ip), L_WORD("mechanism", mechanism), L_WORD("service", service),
             L_WORD("why", sasl_why_word(r->why)));
}

/* One step of an exchange that is in the table; it is gone afterwards unless it goes on. */
static void take_step(struct exchange *x, struct str words, struct arena *a, struct auth_rep *out)
{
    struct buf said = BUF_INIT(SASL_INPUT_MAX);
    x->busy = true;
    enum sasl_state state = sasl_step(x->sasl, words, &said);
    x->busy = false;
    if (state == SASL_CONTINUE && !x->unwanted) {
        use(x);
        *out = (struct auth_rep){ .exchange = x->id,
                                  .state = AUTH_CONTINUE,
                                  .words = arena_str(a, buf_str(&said)),
                                  .login = STR_NONE,
                                  .outcome = outcome_of("ok") };
    } else if (state == SASL_DONE && !x->unwanted) {
        say_accepted(x, sasl_result(x->sasl), a, out);
        drop(x);
    } else if (state == SASL_FAIL) {
        say_refused(x, sasl_result(x->sasl), a, out);
        drop(x);
    } else {
        refuse(out, "auth-unavailable"); /* given up meanwhile; nobody reads this */
        drop(x);
    }
    secret_buf_free(&said);
}

/* --- the verbs --- */

enum err auth_service_begin(struct auth_service *s, const void *owner,
                            const struct auth_begin_req *in, struct arena *a, struct auth_rep *out)
{
    if (in->initial.n > SASL_INPUT_MAX || (!in->has_initial && in->initial.n > 0))
        return ERR_PROTOCOL;
    if (!make_room(s)) {
        auth_unavailable++;
        log_warn("auth.full", L_ID("conn", in->peer.conn), L_STR("client", in->peer.ip),
                 L_U64("exchanges", s->exchanges.members));
        refuse(out, "auth-unavailable");
        return OK;
    }
    if (in->has_initial && in->initial.n == 0) {
        /* "=": the client is through with nothing said; no mechanism of ours begins so. */
        refuse(out, "auth-failed");
        return OK;
    }
    struct exchange *x = make(s, owner, in);
    struct sasl_terms terms = { .private = in->clear_ok || x->tls,
                                .bindings = { in->exporter, in->unique, in->end_point },
                                .who = x };
    enum err e = sasl_begin(s->room, &terms, in->mechanism, &x->sasl);
    if (e != OK) {
        log_info("auth.refused", L_ID("conn", x->conn), L_STR("login", STR_NONE),
                 L_STR("client", x->ip), L_STR("mechanism", in->mechanism),
                 L_WORD("service", arena_c(a, x->service_name)),
                 L_WORD("why", e == ERR_DENIED ? "needs-tls" : "no-such-mechanism"));
        refuse(out, e == ERR_DENIED ? "auth-needs-tls" : "auth-mechanism");
        drop(x);
        return OK;
    }
    take_step(x, in->initial, a, out);
    return OK;
}

enum err auth_service_step(struct auth_service *s, const void *owner,
                           const struct auth_step_req *in, struct arena *a, struct auth_rep *out)
{
    if (in->words.n > SASL_INPUT_MAX) return ERR_PROTOCOL;
    sweep(s);
    struct exchange *x = find(s, owner, in->exchange);
    if (x == NULL) {
        refuse(out, "auth-unavailable");
        return OK;
    }
    take_step(x, in->words, a, out);
    return OK;
}

void auth_service_cancel(struct auth_service *s, const void *owner, uint64_t exchange)
{
    struct exchange *x = map_get(&s->exchanges, key_of(&exchange));
    if (x != NULL && x->owner == owner) give_up(x);
}

void auth_service_forget(struct auth_service *s, const void *owner)
{
    LIST_EACH(at, &s->by_use)
    {
        struct exchange *x = LIST_OWNER(at, struct exchange, by_use);
        if (x->owner == owner) give_up(x);
    }
}

size_t auth_service_count(const struct auth_service *s)
{
    return s->exchanges.members;
}

/* --- life --- */

static struct sasl_settings settings_of(const struct config *c)
{
    return (struct sasl_settings){ .wants = { c->auth.mechanisms, c->auth.hash },
                                   .default_domain = c->auth.default_domain,
                                   .host = c->host };
}

struct auth_service *auth_service_open(const struct auth_world *world, const struct config *config)
{
    struct auth_service *s = calloc(1, sizeof *s);
    struct sasl_backend backend = { .ctx = s, .lookup = lookup };
    struct sasl_settings settings = settings_of(config);
    must(s != NULL && world->credential_get != NULL && world->sleep != NULL);
    secret_wipe_freed();
    s->world = *world;
    if (world->credential_renew != NULL) backend.renew = renew;
    s->room = sasl_open(&backend, &settings, STR_NONE);
    s->throttle = throttle_new();
    s->exchanges = (struct map)MAP_INIT(EXCHANGES_CEILING);
    list_init(&s->by_use);
    return s;
}

void auth_service_configure(struct auth_service *s, const struct config *config)
{
    struct sasl_settings settings = settings_of(config);
    sasl_configure(s->room, &settings);
}

void auth_service_close(struct auth_service **s)
{
    if (*s == NULL) return;
    LIST_EACH(at, &(*s)->by_use)
    {
        struct exchange *x = LIST_OWNER(at, struct exchange, by_use);
        must(!x->busy);
        drop(x);
    }
    map_free(&(*s)->exchanges);
    throttle_free(&(*s)->throttle);
    sasl_close(&(*s)->room);
    free(*s);
    *s = NULL;
}
