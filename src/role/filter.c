/* The filter: looks into messages, routes, checks, makes the plan and has it committed. No files,
 * no network. */
#include "role/role.h"

#include "agent/auth/identity.h"
#include "agent/check/check.h"
#include "agent/intake/text.h"
#include "agent/route/cache.h"
#include "agent/route/route.h"
#include "base/must.h"
#include "base/param.h"
#include "role/filter_offer.h"

PARAM(filter_ask_wait_ms, TIME_MS, 100, 600000, 20000,
      "how long the filter waits for an answer of the depot")
COUNTER(filter_routes, "recipients routed")
COUNTER(filter_offers, "messages offered by the edges")

enum { LINK_WAIT_MS = 5000, EXPAND_BYTES_MAX = VERB_SMALL / 2 };

static struct route_cache *cache;

/* ---- the depot's answers ---- */

enum err filter_ask_depot(struct role_self *r, enum verb verb, struct buf *request, struct arena *a,
                          struct str *reply_out)
{
    struct door *depot = NULL;
    enum err e = buf_check(request);
    if (e == OK) e = links_pick(&r->links[ROLE_DEPOT], LINK_WAIT_MS, &depot);
    if (e == OK) e = door_call(depot, verb, buf_str(request), filter_ask_wait_ms, a, reply_out);
    buf_free(request);
    return e;
}

static enum err look_up(void *ctx, struct str address, struct arena *a,
                        struct directory_answer *out)
{
    struct role_self *r = ctx;
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct directory_resolve_rep rep;
    struct directory_resolve_req in = { .address = address,
                                        .separators = r->config->address.separators,
                                        .admin = r->config->admin };
    enum err e = route_cache_get(cache, address, a, out);
    if (e == OK) return OK;
    directory_resolve_req_put(&b, &in);
    e = filter_ask_depot(r, VERB_directory_resolve, &b, a, &reply);
    if (e == OK) e = directory_resolve_rep_get(reply, a, &rep);
    if (e != OK) return e;
    *out = rep.answer;
    route_cache_put(cache, address, out);
    return OK;
}

/* RFC 5321 4.5.1: postmaster is always taken, alone and at the host's own name (which HELP tells);
 * where the directory has nobody of that name it is the administrator. */
static bool is_host_postmaster(struct role_self *r, struct str address, struct arena *a)
{
    struct directory_answer d;
    size_t at = str_rfind(address, '@');
    if (r->config->admin.n == 0) return false;
    if (at == STR_NOWHERE) return true; /* the grammar lets only this word go without a domain */
    return str_eq_nocase(str_part(address, 0, at), STR("postmaster")) &&
           str_eq_nocase(str_skip(address, at + 1), r->config->host) &&
           look_up(r, address, a, &d) == OK && d.kind == DIRECTORY_NOTHING;
}

enum err filter_route(struct role_self *r, const struct peer *peer, struct str from,
                      struct str address, struct arena *a, struct route *out)
{
    struct config_facts facts = { .peer = peer, .from = from, .to = address };
    struct route_world w = { .config = r->config, .look_up = look_up, .ctx = r };
    if (is_host_postmaster(r, address, a)) facts.to = r->config->admin;
    return route_address(&w, &facts, check_may_relay(r->config, peer), a, out);
}

enum err filter_owns(struct role_self *r, struct str login, struct str address)
{
    struct identity_world w = { .look_up = look_up, .ctx = r };
    return identity_check(&w, login, address);
}

/* ---- verbs of the edge ---- */

static enum err serve_peer_check(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct peer_check_req in;
    struct outcome_rep out;
    if (peer_check_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct config_facts facts = { .peer = &in.peer };
    check_rules(r->config, in.stage == 0 ? CONFIG_AT_CONNECT : CONFIG_AT_HELO, &facts, &q->arena,
                &out.outcome, NULL);
    outcome_rep_put(&q->reply, &out);
    return OK;
}

static enum err serve_sender_check(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct sender_check_req in;
    struct outcome_rep out;
    if (sender_check_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    struct config_facts facts = { .peer = &in.peer, .from = in.envelope.reverse_path };
    check_rules(r->config, CONFIG_AT_MAIL, &facts, &q->arena, &out.outcome, NULL);
    if (outcome_is_ok(&out.outcome) && in.peer.login.n > 0) {
        enum err e = filter_owns(r, in.peer.login, in.envelope.reverse_path);
        if (e == ERR_CANCELLED) return e;
        if (e != OK)
            out.outcome =
                outcome_of(e == ERR_DENIED || e == ERR_SYNTAX ? "sender-not-yours" : "internal");
    }
    outcome_rep_put(&q->reply, &out);
    return OK;
}

static enum err serve_route_rcpt(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct route_rcpt_req in;
    struct route_rcpt_rep out = { .address = STR_NONE };
    struct route route;
    if (route_rcpt_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    filter_routes++;
    struct config_facts facts = { .peer = &in.peer, .from = in.reverse_path, .to = in.address };
    check_rules(r->config, CONFIG_AT_RCPT, &facts, &q->arena, &out.outcome, NULL);
    if (outcome_is_ok(&out.outcome)) {
        enum err e = filter_route(r, &in.peer, in.reverse_path, in.address, &q->arena, &route);
        if (e != OK) return e;
        out.outcome = route.outcome;
        out.leads_to = route.path;
        if (outcome_is_ok(&route.outcome))
            filter_check_quota(r, &route, in.size, &q->arena, &out.outcome);
    }
    out.address = in.address;
    route_rcpt_rep_put(&q->reply, &out);
    return OK;
}

static enum err serve_expand(void *ctx, struct door_request *q)
{
    struct role_self *r = ctx;
    struct address_expand_req in;
    struct address_expand_rep out = { .outcome = outcome_of("ok") };
    struct route route;
    struct buf address = BUF_INIT(1024);
    if (address_expand_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    /* RFC 5321 3.5.1: a user name or an address; a name alone is one of our host's. */
    struct str text = str_trim(in.text);
    if (text.n >= 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
        text = str_part(text, 1, text.n - 2);
    buf_put(&address, text);
    if (str_find(text, '@') == STR_NOWHERE) {
        buf_put_byte(&address, '@');
        buf_put(&address, r->config->auth.default_domain);
    }
    enum err e = filter_route(r, &in.peer, STR_NONE, arena_str(&q->arena, buf_str(&address)),
                              &q->arena, &route);
    buf_free(&address);
    if (e != OK) return e;
    out.outcome = route.outcome;
    size_t n = in.expand || route.leaf_count <= 1 ? route.leaf_count : 0;
    /* RFC 5321 3.5.3: what would be relayed cannot be verified here. */
    if (!in.expand && route.leaf_count == 1 && route.leaves[0].end == ROUTE_HOST)
        out.outcome.code = 252;
    out.lines = ARENA_MANY(&q->arena, struct str, n + 1);
    size_t bytes = 0; /* a list may be longer than an answer: then its begin is the answer */
    for (size_t i = 0; i < n && i < 1000 && bytes < EXPAND_BYTES_MAX; i++) {
        struct buf line = BUF_INIT(2048);
        buf_put_byte(&line, '<');
        buf_put(&line, route.leaves[i].address);
        buf_put_byte(&line, '>');
        bytes += line.n + sizeof(uint32_t);
        out.lines[out.lines_count++] = arena_str(&q->arena, buf_str(&line));
        buf_free(&line);
    }
    if (outcome_is_ok(&out.outcome) && out.lines_count == 0) {
        /* VRFY of a list: it exists, but is not one user (RFC 5321 3.5.1). */
        struct buf line = BUF_INIT(2048);
        buf_put_byte(&line, '<');
        buf_put(&line, text);
        buf_put_byte(&line, '>');
        out.lines[out.lines_count++] = arena_str(&q->arena, buf_str(&line));
        buf_free(&line);
    }
    address_expand_rep_put(&q->reply, &out);
    return OK;
}

static enum err serve_offer(void *ctx, struct door_request *q)
{
    struct offer_req in;
    struct offer_rep out;
    if (offer_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    filter_offers++;
    enum err e = filter_offer(ctx, &in, &q->arena, &out);
    if (e != OK) return e;
    offer_rep_put(&q->reply, &out);
    return OK;
}

/* ---- verbs of the depot ---- */

static enum err serve_directory_changed(void *ctx, struct door_request *q)
{
    struct generation_req in;
    (void)ctx;
    if (generation_req_get(q->bytes, &q->arena, &in) != OK) return ERR_PROTOCOL;
    route_cache_forget(cache, in.generation);
    return OK;
}

static enum err begin(struct role_self *r, struct buf *why)
{
    (void)r;
    (void)why;
    cache = route_cache_new();
    return OK;
}

static void reload(struct role_self *r)
{
    (void)r;
    route_cache_free(&cache); /* separators and administrator may be others now */
    cache = route_cache_new();
}

/* A reload replaces the configuration while a request waits for the depot, and rules and their
 * words are views into it: so whatever waits holds the one that it began with. */
static enum err holding(struct role_self *r, struct door_request *q, door_serve serve)
{
    struct config *held = config_hold(r->config);
    enum err e = serve(r, q);
    config_free(&held);
    return e;
}

#define SERVE_HOLDING(name)                                                                        \
    static enum err serve_##name##_held(void *ctx, struct door_request *q)                         \
    {                                                                                              \
        return holding(ctx, q, serve_##name);                                                      \
    }
SERVE_HOLDING(sender_check)
SERVE_HOLDING(route_rcpt)
SERVE_HOLDING(expand)
SERVE_HOLDING(offer)

static const struct door_service edge_services[] = {
    { VERB_peer_check, serve_peer_check },      { VERB_sender_check, serve_sender_check_held },
    { VERB_route_rcpt, serve_route_rcpt_held }, { VERB_address_expand, serve_expand_held },
    { VERB_offer, serve_offer_held },           { VERB_NONE, NULL },
};
static const struct door_service depot_services[] = {
    { VERB_directory_changed, serve_directory_changed },
    { VERB_NONE, NULL },
};

const struct role_def role_filter = {
    .role = ROLE_FILTER,
    .begin = begin,
    .reload = reload,
    .services = { [ROLE_EDGE] = edge_services, [ROLE_DEPOT] = depot_services },
};
