/* A walk through the directory from the address towards the account, breadth first, nothing twice,
 * in a list whose length is bounded. What leads out of our domains leads to nobody. */
#include "agent/auth/identity.h"
#include "base/param.h"
#include "syntax/address.h"

PARAM(auth_identity_subaddress, BOOL, 0, 1, 1,
      "a login may send from sub-addresses (user+detail) of its addresses")
PARAM(auth_identity_catch_all, BOOL, 0, 1, 0,
      "a login to which the catch-all of a domain leads may send from every address that it takes")
PARAM(auth_identity_steps, COUNT, 1, 10000, 200,
      "how many steps from alias to alias are tried to see whether an address leads to the login")

struct walk {
    const struct identity_world *world;
    struct str account;
    struct arena arena;
    struct str *todo;
    size_t count, max;
};

static void enqueue(struct walk *w, struct str address)
{
    for (size_t i = 0; i < w->count; i++) {
        if (str_eq_nocase(w->todo[i], address)) return;
    }
    if (w->count < w->max) w->todo[w->count++] = arena_str(&w->arena, address);
}

static bool way_is_open(const struct directory_answer *d)
{
    if (d->domain_disabled) return false;
    switch (d->way) {
    case DIRECTORY_SUBADDRESS:
        return auth_identity_subaddress != 0;
    case DIRECTORY_CATCH_ALL:
        return auth_identity_catch_all != 0;
    case DIRECTORY_EXACT:
    case DIRECTORY_ROLE:
        break;
    }
    return true;
}

/* The targets that are the account need no look-up of their own, so a long list costs one step. */
static bool leads_on(struct walk *w, const struct alias *alias)
{
    for (size_t i = 0; i < alias->target_count; i++) {
        if (str_eq_nocase(alias->targets[i], w->account)) return true;
    }
    for (size_t i = 0; i < alias->target_count; i++) {
        enqueue(w, alias->targets[i]);
    }
    return false;
}

/* ERR_NOT_FOUND: not from here, go on. */
static enum err step(struct walk *w, struct str address)
{
    struct directory_answer d;
    enum err e = w->world->look_up(w->world->ctx, address, &w->arena, &d);
    if (e == ERR_INVALID) return ERR_NOT_FOUND;
    if (e != OK) return e;
    if (!way_is_open(&d)) return ERR_NOT_FOUND;
    bool found = (d.kind == DIRECTORY_ACCOUNT && str_eq_nocase(d.account.address, w->account)) ||
                 (d.kind == DIRECTORY_ALIAS && leads_on(w, &d.alias));
    return found ? OK : ERR_NOT_FOUND;
}

static enum err run(struct walk *w, struct str address)
{
    w->max = (size_t)auth_identity_steps;
    w->todo = ARENA_MANY(&w->arena, struct str, w->max);
    enqueue(w, address);
    for (size_t i = 0; i < w->count; i++) {
        enum err e = step(w, w->todo[i]);
        if (e != ERR_NOT_FOUND) return e;
    }
    return ERR_DENIED;
}

enum err identity_check(const struct identity_world *world, struct str account, struct str address)
{
    if (address.n == 0) return OK;
    struct walk w = { .world = world, .account = account };
    struct mail_address parsed;
    enum address_fault fault =
        address_parse(address, ADDRESS_UTF8 | ADDRESS_LONG_LOCAL, &w.arena, &parsed, NULL);
    enum err e = fault == ADDRESS_FINE ? run(&w, address) : ERR_SYNTAX;
    arena_free(&w.arena);
    return e;
}

enum err identity_check_all(const struct identity_world *w, struct str account,
                            const struct str *addresses, size_t n, size_t *bad_out)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = identity_check(w, account, addresses[i]);
        if (e == OK) continue;
        if (bad_out != NULL) *bad_out = i;
        return e;
    }
    return OK;
}
