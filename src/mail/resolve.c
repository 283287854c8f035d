#include "mail/resolve.h"
#include "mail/account.h"
#include "mail/directory_address.h"
#include "mail/quota.h"
#include "syntax/address.h"

bool resolve_is_role(struct str local)
{
    static const struct str roles[] = {
        /* RFC 2142 2-6, RFC 5321 4.5.1 */
        STR_INIT("postmaster"), STR_INIT("abuse"),     STR_INIT("noc"),     STR_INIT("security"),
        STR_INIT("hostmaster"), STR_INIT("webmaster"), STR_INIT("www"),     STR_INIT("info"),
        STR_INIT("marketing"),  STR_INIT("sales"),     STR_INIT("support"), STR_INIT("usenet"),
        STR_INIT("news"),       STR_INIT("uucp"),      STR_INIT("ftp"),
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (str_eq_nocase(local, roles[i])) return true;
    }
    return false;
}

static enum err find(struct txn *t, struct str domain, struct str local, struct directory_answer *x)
{
    return directory_exact(t, domain, local, &x->kind, &x->account, &x->alias);
}

/* A name may hold separators itself (ann-bee+shop): so many places are tried. */
enum { SEPARATORS_MAX = 4 };

/* user+detail at the places where a separator stands, the shortest user first. */
static enum err find_user(struct txn *t, const struct directory_address *m, struct str separators,
                          struct directory_answer *x)
{
    unsigned tried = 0;
    for (size_t i = 1; i < m->given.n && tried < SEPARATORS_MAX; i++) {
        if (str_find(separators, m->given.p[i]) == STR_NOWHERE) continue;
        tried++;
        struct str user = directory_lower(txn_arena(t), str_part(m->given, 0, i));
        enum err e = find(t, m->domain, user, x);
        if (e == ERR_NOT_FOUND) continue;
        x->way = DIRECTORY_SUBADDRESS;
        x->detail = str_skip(m->given, i + 1);
        return e;
    }
    return ERR_NOT_FOUND;
}

/* An answer that leads on to one address. */
static void lead_to(struct txn *t, const struct directory_address *m, struct str target,
                    enum directory_way way, struct directory_answer *x)
{
    x->kind = DIRECTORY_ALIAS;
    x->way = way;
    x->alias = (struct alias){
        .address = directory_address_text(txn_arena(t), m->local, m->domain),
        .targets = ARENA_NEW(txn_arena(t), struct str),
        .target_count = 1,
    };
    x->alias.targets[0] = target;
}

/* The administrator's own address must not lead to itself when it is one of the roles. */
static bool is_admin(struct txn *t, const struct directory_address *m, struct str admin)
{
    struct directory_address x;
    return directory_address_split(txn_arena(t), admin, &x) == OK && str_eq(x.domain, m->domain) &&
           str_eq(x.local, m->local);
}

/* What the account uses already: the next message of one byte decides whether it is over. */
static enum err tell_use(struct txn *t, struct directory_answer *x)
{
    struct account_state s;
    if (x->kind != DIRECTORY_ACCOUNT) return OK;
    enum err e = account_state_get(t, x->account.id, &s);
    if (e != OK) return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    x->used_bytes = s.used_bytes;
    x->used_messages = s.used_messages;
    x->over_quota = quota_check(&s, 1, 1) != OK;
    return OK;
}

static enum err resolve_in(struct txn *t, const struct directory_address *m, const struct domain *d,
                           const struct resolve_how *how, struct directory_answer *x)
{
    x->domain_disabled = d->disabled;
    enum err e = find(t, m->domain, m->local, x);
    if (e == ERR_NOT_FOUND) e = find_user(t, m, how->separators, x);
    if (e == OK) return tell_use(t, x);
    if (e != ERR_NOT_FOUND) return e;

    x->kind = DIRECTORY_DOMAIN_ONLY;
    if (how->admin.n > 0 && resolve_is_role(m->local) && !is_admin(t, m, how->admin)) {
        lead_to(t, m, how->admin, DIRECTORY_ROLE, x);
    } else if (d->catch_all.n > 0) {
        lead_to(t, m, d->catch_all, DIRECTORY_CATCH_ALL, x);
    }
    return OK;
}

enum err directory_resolve(struct txn *t, struct str address, const struct resolve_how *how,
                           struct directory_answer *answer_out)
{
    struct directory_address m;
    struct domain d;
    struct directory_answer x = { .kind = DIRECTORY_NOTHING };
    enum err e = directory_generation(t, &x.generation);
    if (e != OK) return e;
    e = directory_address_split(txn_arena(t), address, &m);
    if (e == OK) e = directory_domain_get(t, m.domain, &d);
    if (e == OK) e = resolve_in(t, &m, &d, how, &x);
    if (e == ERR_NOT_FOUND || e == ERR_UNSUPPORTED) e = OK;
    if (e == OK) *answer_out = x;
    return e;
}
