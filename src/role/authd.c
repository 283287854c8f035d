/* authd: credentials and nothing else. It is the only process that sees a password; after a login
 * it fetches the door that is bound to the account and hands it on. No mail, no files, no network.
 */
#include "role/role.h"

#include "agent/auth/service.h"
#include "base/must.h"

#include <unistd.h>

PARAM(authd_ask_wait_ms, TIME_MS, 100, 600000, 20000,
      "how long authd waits for an answer of the depot")

enum { LINK_WAIT_MS = 5000 };

static struct auth_service *service;

static enum err ask_depot(struct role_self *r, enum verb verb, struct buf *request, struct arena *a,
                          struct str *reply_out, int *fd_out)
{
    struct door *depot = NULL;
    enum err e = buf_check(request);
    if (e == OK) e = links_pick(&r->links[ROLE_DEPOT], LINK_WAIT_MS, &depot);
    if (e == OK)
        e = door_call_fd(depot, verb, buf_str(request), -1, authd_ask_wait_ms, a, reply_out,
                         fd_out);
    if (request->n > 0) explicit_bzero(request->p, request->n);
    buf_free(request);
    return e;
}

static enum err credential_get(void *ctx, struct str login, struct arena *a,
                               struct credential_get_rep *out)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct credential_get_req in = { .login = login };
    credential_get_req_put(&b, &in);
    enum err e = ask_depot(ctx, VERB_credential_get, &b, a, &reply, NULL);
    return e == OK ? credential_get_rep_get(reply, a, out) : e;
}

static enum err credential_renew(void *ctx, uint64_t account, struct str old, struct str fresh)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct credential_renew_req in = { .account = account, .old = old, .fresh = fresh };
    credential_renew_req_put(&b, &in);
    return ask_depot(ctx, VERB_credential_renew, &b, NULL, NULL, NULL);
}

static enum err nap(void *ctx, int64_t wait_ms)
{
    (void)ctx;
    return fiber_sleep(wait_ms);
}

/* A session needs the account's door as well; an edge never gets one. */
static enum err add_door(struct role_self *r, struct door_request *q, struct auth_rep *out)
{
    struct buf b = BUF_INIT(64);
    struct account_door_req in = { .account = out->account };
    if (out->state != AUTH_DONE || door_peer(q->door) != ROLE_SESSION) return OK;
    account_door_req_put(&b, &in);
    enum err e = ask_depot(r, VERB_account_door, &b, &q->arena, NULL, &q->reply_fd);
    if (e != OK) {
        log_warn("auth.no_door", L_STR("login", out->login), L_ERR(e));
        out->state = AUTH_REFUSED;
        out->outcome = outcome_of("auth-unavailable");
    }
    return OK;
}

static enum err answer(struct role_self *r, struct door_request *q, enum err e,
                       struct auth_rep *out)
{
    if (e == OK) e = add_door(r, q, out);
    if (e == OK) auth_rep_put(&q->reply, out);
    return e;
}

static enum err serve_begin(void *ctx, struct door_request *q)
{
    struct auth_begin_req in;
    struct auth_rep out;
    if (auth_begin_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    return answer(ctx, q, auth_service_begin(service, q->door, &in, &q->arena, &out), &out);
}

static enum err serve_step(void *ctx, struct door_request *q)
{
    struct auth_step_req in;
    struct auth_rep out;
    if (auth_step_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    return answer(ctx, q, auth_service_step(service, q->door, &in, &q->arena, &out), &out);
}

static enum err serve_cancel(void *ctx, struct door_request *q)
{
    struct auth_cancel_req in;
    (void)ctx;
    if (auth_cancel_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    auth_service_cancel(service, q->door, in.exchange);
    return OK;
}

static enum err begin(struct role_self *r, struct buf *why)
{
    struct auth_world w = { .ctx = r,
                            .credential_get = credential_get,
                            .credential_renew = credential_renew,
                            .sleep = nap };
    (void)why;
    service = auth_service_open(&w, r->config);
    return OK;
}

static void reload(struct role_self *r)
{
    auth_service_configure(service, r->config);
}

static void link_closed(struct role_self *r, struct door *d)
{
    (void)r;
    auth_service_forget(service, d);
}

static const struct door_service services[] = {
    { VERB_auth_begin, serve_begin },
    { VERB_auth_step, serve_step },
    { VERB_auth_cancel, serve_cancel },
    { VERB_NONE, NULL },
};

const struct role_def role_authd = {
    .role = ROLE_AUTHD,
    .begin = begin,
    .reload = reload,
    .link_closed = link_closed,
    .services = { [ROLE_EDGE] = services, [ROLE_SESSION] = services },
};
