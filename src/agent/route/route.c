#include "agent/route/route.h"

#include "base/map.h"
#include "base/must.h"
#include "base/param.h"

PARAM(route_alias_targets_max, COUNT, 1, 4000, 1000,
      "recipients that one address may lead to through aliases")
PARAM(route_alias_steps_max, COUNT, 1, 100000, 5000,
      "look-ups for one address while its aliases are followed")

enum { PATH_TEXT_MAX = 4096 };

/* One address on its way. The stack of those still to be followed is a list in the arena. */
struct step {
    struct step *next;
    struct str address;
    bool via_alias;
};

struct walk {
    const struct route_world *world;
    const struct config_facts *facts;
    struct arena *arena;
    struct route *route;
    struct step *todo;
    struct map seen; /* addresses, folded */
    size_t pushed;
    size_t leaf_cap;
    struct buf path;
    bool may_relay;
};

static struct str folded(struct arena *a, struct str address)
{
    struct buf b = BUF_INIT(2048);
    buf_put_lower(&b, address);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static void refuse(struct walk *w, const char *reason)
{
    if (outcome_is_ok(&w->route->outcome)) w->route->outcome = outcome_of(reason);
}

static void note(struct walk *w, struct str what, struct str address)
{
    if (w->path.n > 0) buf_put_lit(&w->path, " -> ");
    buf_put(&w->path, what);
    buf_put(&w->path, address);
}

static void push(struct walk *w, struct str address, bool via_alias)
{
    struct step *s = ARENA_NEW(w->arena, struct step);
    *s = (struct step){ .next = w->todo, .address = address, .via_alias = via_alias };
    w->todo = s;
}

static struct route_leaf *leaf_new(struct walk *w)
{
    struct route *r = w->route;
    if (r->leaf_count >= (size_t)route_alias_targets_max) {
        refuse(w, "alias-too-wide");
        return NULL;
    }
    if (r->leaf_count == w->leaf_cap) {
        size_t cap = w->leaf_cap > 0 ? w->leaf_cap * 2 : 2;
        struct route_leaf *more = ARENA_MANY(w->arena, struct route_leaf, cap);
        for (size_t i = 0; i < r->leaf_count; i++) {
            more[i] = r->leaves[i];
        }
        r->leaves = more;
        w->leaf_cap = cap;
    }
    return &r->leaves[r->leaf_count++];
}

static struct str domain_of(struct str address)
{
    size_t at = str_rfind(address, '@');
    return at != STR_NOWHERE ? str_skip(address, at + 1) : STR_NONE;
}

static void to_host(struct walk *w, const struct step *s, struct str via)
{
    struct route_leaf *l = leaf_new(w);
    if (l == NULL) return;
    *l = (struct route_leaf){ .end = ROUTE_HOST,
                              .address = s->address,
                              .next_hop = via.n > 0 ? via : domain_of(s->address),
                              .via_alias = s->via_alias };
    note(w, STR("host "), l->next_hop);
}

static void to_mailbox(struct walk *w, const struct step *s, const struct directory_answer *d)
{
    if (d->account.disabled) {
        refuse(w, "account-disabled");
        return;
    }
    struct route_leaf *l = leaf_new(w);
    if (l == NULL) return;
    *l = (struct route_leaf){ .end = ROUTE_MAILBOX,
                              .address = d->account.address,
                              .detail = d->detail,
                              .account = d->account,
                              .via_alias = s->via_alias };
    note(w, STR("account "), d->account.address);
}

/* Ask the directory and go on from what it says. `rule`: a rule sent us here, so the domain must be
 * ours. */
static enum err to_directory(struct walk *w, const struct step *s, bool rule)
{
    struct directory_answer d;
    enum err e = w->world->look_up(w->world->ctx, s->address, w->arena, &d);
    if (e == ERR_CANCELLED) return e;
    if (e == ERR_INVALID) {
        refuse(w, "bad-recipient");
        return OK;
    }
    if (e != OK) {
        refuse(w, "internal");
        return OK;
    }
    if (d.domain_disabled) {
        refuse(w, "account-disabled");
        return OK;
    }
    switch (d.kind) {
    case DIRECTORY_ACCOUNT:
        to_mailbox(w, s, &d);
        break;
    case DIRECTORY_ALIAS:
        note(w, STR("alias "), s->address);
        /* Also those that will turn out to be known: all of them are held until then. */
        w->pushed += d.alias.target_count;
        if (w->pushed > (size_t)route_alias_steps_max) {
            refuse(w, "alias-too-wide");
            break;
        }
        for (size_t i = d.alias.target_count; i > 0; i--) {
            push(w, d.alias.targets[i - 1], true);
        }
        break;
    case DIRECTORY_DOMAIN_ONLY:
        refuse(w, "unknown-recipient");
        break;
    case DIRECTORY_NOTHING:
        /* Not ours: whoever owns an alias may point it anywhere, everybody else needs the right to
         * relay. */
        if (rule) {
            refuse(w, "unknown-recipient");
        } else if (s->via_alias || w->may_relay) {
            to_host(w, s, STR_NONE);
        } else {
            refuse(w, "relay-denied");
        }
        break;
    }
    return OK;
}

static void answer_by_rule(struct walk *w, const struct config_rule *r)
{
    struct buf at = BUF_INIT(8192);
    conf_at_put(&at, &r->at);
    if (outcome_is_ok(&w->route->outcome)) {
        w->route->outcome =
            (struct outcome){ .code = r->code,
                              .class = r->class,
                              .subject = r->subject,
                              .detail = r->detail,
                              .text = r->text,
                              .reason =
                                  r->action == CONFIG_REFUSE ? STR("policy") : STR("policy-later"),
                              .rule = arena_str(w->arena, buf_str(&at)) };
    }
    buf_free(&at);
}

static enum err follow(struct walk *w, const struct step *s)
{
    struct config_facts facts = *w->facts;
    facts.to = s->address;
    for (size_t i = 0; i < w->world->config->route_count; i++) {
        const struct config_rule *r = &w->world->config->routes[i];
        if (!config_rule_matches(r, &facts)) continue;
        if (r->action == CONFIG_LOCAL) return to_directory(w, s, true);
        if (r->action == CONFIG_DISCARD) {
            struct route_leaf *l = leaf_new(w);
            if (l != NULL)
                *l = (struct route_leaf){ .end = ROUTE_DROP,
                                          .address = s->address,
                                          .via_alias = s->via_alias };
            note(w, STR("discard "), s->address);
            return OK;
        }
        if (r->action == CONFIG_QUEUE) {
            if (!r->strangers && !w->may_relay && !s->via_alias) {
                refuse(w, "relay-denied");
            } else {
                to_host(w, s, r->via);
            }
            return OK;
        }
        if (r->action == CONFIG_REFUSE || r->action == CONFIG_TEMPFAIL) {
            answer_by_rule(w, r);
            return OK;
        }
    }
    return to_directory(w, s, false);
}

enum err route_address(const struct route_world *world, const struct config_facts *facts,
                       bool may_relay, struct arena *a, struct route *out)
{
    *out = (struct route){ .outcome = outcome_of("ok") };
    struct walk w = { .world = world,
                      .facts = facts,
                      .arena = a,
                      .route = out,
                      .may_relay = may_relay,
                      .seen = MAP_INIT((size_t)route_alias_steps_max),
                      .path = BUF_INIT(PATH_TEXT_MAX) };
    enum err e = OK;
    push(&w, facts->to, false);
    while (w.todo != NULL && e == OK && outcome_is_ok(&out->outcome)) {
        struct step *s = w.todo;
        w.todo = s->next;
        struct str key = folded(a, s->address);
        if (map_get(&w.seen, key) != NULL) continue; /* reached twice: one copy is enough */
        if (map_put(&w.seen, key, s) != OK) {
            refuse(&w, "alias-too-wide");
            break;
        }
        e = follow(&w, s);
    }
    /* Aliases that only lead to each other end up nowhere. */
    if (e == OK && outcome_is_ok(&out->outcome) && out->leaf_count == 0) refuse(&w, "alias-loop");
    if (!outcome_is_ok(&out->outcome)) out->leaf_count = 0;
    out->path = arena_str(a, buf_str(&w.path));
    map_free(&w.seen);
    buf_free(&w.path);
    return e;
}
