/* What differs between the directory and a text, and making it the same. */
#include "mail/directory_text.h"
#include "base/map.h"
#include "base/must.h"

/* One transaction carries out so many changes, or so many alias targets. */
enum { APPLY_CHANGES = 100, APPLY_TARGETS = 20000 };

struct differ {
    struct txn *t;
    struct arena *a;
    const struct directory_text *text;
    bool remove;
    struct map domains, accounts, aliases; /* what the text names */
    struct directory_change *changes;
    size_t n, room;
};

static void add(struct differ *d, struct directory_change c)
{
    if (d->n == d->room) {
        size_t room = d->room > 0 ? 2 * d->room : 64;
        struct directory_change *bigger = ARENA_MANY(d->a, struct directory_change, room);
        if (d->n > 0) memcpy(bigger, d->changes, d->n * sizeof *bigger);
        d->changes = bigger;
        d->room = room;
    }
    d->changes[d->n++] = c;
}

/* ---- what the text names ---- */

static enum err diff_domain(struct differ *d, const struct domain *want)
{
    struct domain have;
    enum err e = directory_domain_get(d->t, want->name, &have);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    bool same =
        e == OK && have.disabled == want->disabled && str_eq(have.catch_all, want->catch_all);
    if (same) return OK;
    add(d, (struct directory_change){ .kind = e == OK ? DIRECTORY_DOMAIN_SET : DIRECTORY_DOMAIN_ADD,
                                      .domain = *want });
    return OK;
}

static enum err diff_credentials(struct differ *d, const struct directory_account_text *want,
                                 uint64_t id)
{
    struct str have = STR_NONE;
    if (!want->has_credentials) return OK;
    enum err e = id != 0 ? directory_credentials_get(d->t, id, &have) : ERR_NOT_FOUND;
    if (e != OK && e != ERR_NOT_FOUND) return e;
    if (e == OK && str_eq(have, want->credentials)) return OK;
    add(d, (struct directory_change){ .kind = DIRECTORY_CREDENTIALS_SET,
                                      .account = want->account,
                                      .credentials = want->credentials });
    return OK;
}

/* An address that is to be of one kind must not stay of the other. */
static enum err other_kind(struct differ *d, struct str address, bool is_account)
{
    struct account account;
    struct alias alias;
    enum err e = is_account ? directory_alias_get(d->t, address, &alias)
                            : directory_account_get(d->t, address, &account);
    if (e == ERR_NOT_FOUND) return OK;
    if (e != OK) return e;
    return d->remove ? OK : ERR_EXISTS; /* the walk over what is there deletes it */
}

static enum err diff_account(struct differ *d, const struct directory_account_text *want)
{
    struct account have = { 0 };
    const struct account *x = &want->account;
    enum err e = other_kind(d, x->address, true);
    if (e == OK) e = directory_account_get(d->t, x->address, &have);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    bool there = e == OK;
    bool same = there && have.disabled == x->disabled && have.quota_bytes == x->quota_bytes &&
                have.quota_messages == x->quota_messages;
    if (!same) {
        add(d, (struct directory_change){
                   .kind = there ? DIRECTORY_ACCOUNT_SET : DIRECTORY_ACCOUNT_ADD, .account = *x });
    }
    return diff_credentials(d, want, have.id);
}

static bool targets_same(const struct alias *x, const struct alias *y)
{
    if (x->target_count != y->target_count) return false;
    for (size_t i = 0; i < x->target_count; i++) {
        if (!str_eq(x->targets[i], y->targets[i])) return false;
    }
    return true;
}

static enum err diff_alias(struct differ *d, const struct alias *want)
{
    struct alias have;
    enum err e = other_kind(d, want->address, false);
    if (e == OK) e = directory_alias_get(d->t, want->address, &have);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    if (e == OK && targets_same(&have, want)) return OK;
    add(d, (struct directory_change){ .kind = e == OK ? DIRECTORY_ALIAS_SET : DIRECTORY_ALIAS_ADD,
                                      .alias = *want });
    return OK;
}

static enum err diff_named(struct differ *d)
{
    const struct directory_text *x = d->text;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < x->domain_count; i++) {
        must(map_put(&d->domains, x->domains[i].name, d) == OK);
        e = diff_domain(d, &x->domains[i]);
    }
    for (size_t i = 0; e == OK && i < x->account_count; i++) {
        must(map_put(&d->accounts, x->accounts[i].account.address, d) == OK);
        e = diff_account(d, &x->accounts[i]);
    }
    for (size_t i = 0; e == OK && i < x->alias_count; i++) {
        must(map_put(&d->aliases, x->aliases[i].address, d) == OK);
        e = diff_alias(d, &x->aliases[i]);
    }
    return e;
}

/* ---- what it does not name ---- */

enum { WALK_PAGE = 500 };

static enum err walk_domains(struct differ *d)
{
    struct domain *list = ARENA_MANY(txn_arena(d->t), struct domain, WALK_PAGE);
    struct directory_page page = { .more = true };
    while (page.more) {
        enum err e = directory_domain_list(d->t, WALK_PAGE, list, &page);
        if (e != OK) return e;
        for (size_t i = 0; i < page.n; i++) {
            if (map_get(&d->domains, list[i].name) != NULL) continue;
            add(d, (struct directory_change){ .kind = DIRECTORY_DOMAIN_DELETE,
                                              .domain.name = arena_str(d->a, list[i].name) });
        }
    }
    return OK;
}

static enum err walk_accounts(struct differ *d)
{
    struct account *list = ARENA_MANY(txn_arena(d->t), struct account, WALK_PAGE);
    struct directory_page page = { .more = true };
    while (page.more) {
        enum err e = directory_account_list(d->t, STR_NONE, WALK_PAGE, list, &page);
        if (e != OK) return e;
        for (size_t i = 0; i < page.n; i++) {
            if (map_get(&d->accounts, list[i].address) != NULL) continue;
            add(d,
                (struct directory_change){ .kind = DIRECTORY_ACCOUNT_DELETE,
                                           .account.address = arena_str(d->a, list[i].address) });
        }
    }
    return OK;
}

static enum err walk_aliases(struct differ *d)
{
    struct alias *list = ARENA_MANY(txn_arena(d->t), struct alias, WALK_PAGE);
    struct directory_page page = { .more = true };
    while (page.more) {
        enum err e = directory_alias_list(d->t, STR_NONE, WALK_PAGE, list, &page);
        if (e != OK) return e;
        for (size_t i = 0; i < page.n; i++) {
            if (map_get(&d->aliases, list[i].address) != NULL) continue;
            add(d, (struct directory_change){ .kind = DIRECTORY_ALIAS_DELETE,
                                              .alias.address = arena_str(d->a, list[i].address) });
        }
    }
    return OK;
}

/* ---- the order in which they can be carried out: that of the kinds ---- */

static struct directory_change *ordered(struct differ *d)
{
    struct directory_change *sorted = ARENA_MANY(d->a, struct directory_change, d->n);
    size_t n = 0;
    for (unsigned kind = 0; kind < DIRECTORY_CHANGE_KINDS; kind++) {
        for (size_t i = 0; i < d->n; i++) {
            if (d->changes[i].kind == kind) sorted[n++] = d->changes[i];
        }
    }
    return sorted;
}

enum err directory_text_diff(struct txn *t, const struct directory_text *text, bool remove,
                             struct arena *a, struct directory_diff *out)
{
    struct differ d = { .t = t,
                        .a = a,
                        .text = text,
                        .remove = remove,
                        .domains = MAP_INIT(DIRECTORY_TEXT_MAX),
                        .accounts = MAP_INIT(DIRECTORY_TEXT_MAX),
                        .aliases = MAP_INIT(DIRECTORY_TEXT_MAX) };
    enum err e = diff_named(&d);
    if (e == OK && remove) e = walk_domains(&d);
    if (e == OK && remove) e = walk_accounts(&d);
    if (e == OK && remove) e = walk_aliases(&d);
    if (e == OK) *out = (struct directory_diff){ .changes = ordered(&d), .n = d.n };
    map_free(&d.domains);
    map_free(&d.accounts);
    map_free(&d.aliases);
    return e;
}

/* ---- carrying out ---- */

static enum err credentials_apply(struct txn *t, const struct directory_change *c)
{
    struct account x;
    enum err e = directory_account_get(t, c->account.address, &x);
    return e == OK ? directory_credentials_set(t, x.id, c->credentials) : e;
}

static enum err apply(struct txn *t, const struct directory_change *c, int64_t now_us)
{
    uint64_t id;
    switch (c->kind) {
    case DIRECTORY_DOMAIN_ADD:
        return directory_domain_add(t, &c->domain);
    case DIRECTORY_DOMAIN_SET:
        return directory_domain_set(t, &c->domain);
    case DIRECTORY_ALIAS_DELETE:
        return directory_alias_delete(t, c->alias.address);
    case DIRECTORY_ACCOUNT_DELETE:
        return directory_account_delete(t, c->account.address, now_us);
    case DIRECTORY_ACCOUNT_ADD:
        return directory_account_add(t, &c->account, now_us, &id);
    case DIRECTORY_ACCOUNT_SET:
        return directory_account_set(t, &c->account);
    case DIRECTORY_CREDENTIALS_SET:
        return credentials_apply(t, c);
    case DIRECTORY_ALIAS_ADD:
        return directory_alias_add(t, &c->alias);
    case DIRECTORY_ALIAS_SET:
        return directory_alias_set(t, &c->alias);
    case DIRECTORY_DOMAIN_DELETE:
        return directory_domain_delete(t, c->domain.name, false);
    case DIRECTORY_CHANGE_KINDS:
        break;
    }
    must(false);
}

enum err directory_diff_apply(struct txn *t, const struct directory_diff *diff, size_t at,
                              int64_t now_us, size_t *next_out, size_t *failed_out)
{
    size_t targets = 0, i = at;
    for (; i < diff->n && i - at < APPLY_CHANGES; i++) {
        targets += diff->changes[i].alias.target_count;
        if (targets > APPLY_TARGETS && i > at) break;
        enum err e = apply(t, &diff->changes[i], now_us);
        if (e == OK) continue;
        *failed_out = i;
        return e;
    }
    *next_out = i;
    return OK;
}
