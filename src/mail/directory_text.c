#include "mail/directory_text.h"
#include "mail/directory_address.h"
#include "mail/directory_words.h"
#include "base/map.h"
#include "base/must.h"
#include "syntax/base64.h"

/* ---- out: one noun, one line ---- */

static void put_number(struct buf *b, const char *name, uint64_t v)
{
    if (v == 0) return;
    buf_put_byte(b, ' ');
    buf_put(b, str_c(name));
    buf_put_byte(b, '=');
    buf_put_u64(b, v);
}

static void put_domain(struct buf *b, const struct domain *d)
{
    buf_put_lit(b, "domain ");
    words_put(b, d->name);
    if (d->catch_all.n > 0) {
        buf_put_byte(b, ' ');
        words_put_pair(b, STR("catch-all"), d->catch_all);
    }
    if (d->disabled) buf_put_lit(b, " disabled");
}

static void put_account(struct buf *b, const struct account *x)
{
    buf_put_lit(b, "account ");
    words_put(b, x->address);
    put_number(b, "quota-bytes", x->quota_bytes);
    put_number(b, "quota-messages", x->quota_messages);
    if (x->disabled) buf_put_lit(b, " disabled");
}

static void put_alias(struct buf *b, struct str address, struct str target)
{
    buf_put_lit(b, "alias ");
    words_put(b, address);
    buf_put_byte(b, ' ');
    words_put(b, target);
}

static enum err put_credentials(struct txn *t, struct buf *b, const struct account *x)
{
    struct str value;
    enum err e = directory_credentials_get(t, x->id, &value);
    if (e == ERR_NOT_FOUND) return OK;
    if (e != OK) return e;
    buf_put_lit(b, "credentials ");
    words_put(b, x->address);
    buf_put_byte(b, ' ');
    base64_put(b, value);
    buf_put_byte(b, '\n');
    return OK;
}

static enum err domains_next(struct txn *t, size_t max, struct directory_page *page,
                             struct buf *out)
{
    struct domain *list = ARENA_MANY(txn_arena(t), struct domain, max);
    enum err e = directory_domain_list(t, max, list, page);
    if (e != OK) return e;
    for (size_t i = 0; i < page->n; i++) {
        put_domain(out, &list[i]);
        buf_put_byte(out, '\n');
    }
    return OK;
}

static enum err accounts_next(struct txn *t, bool credentials, size_t max,
                              struct directory_page *page, struct buf *out)
{
    struct account *list = ARENA_MANY(txn_arena(t), struct account, max);
    enum err e = directory_account_list(t, STR_NONE, max, list, page);
    for (size_t i = 0; e == OK && i < page->n; i++) {
        put_account(out, &list[i]);
        buf_put_byte(out, '\n');
        if (credentials) e = put_credentials(t, out, &list[i]);
    }
    return e;
}

static enum err aliases_next(struct txn *t, size_t max, struct directory_page *page,
                             struct buf *out)
{
    struct alias *list = ARENA_MANY(txn_arena(t), struct alias, max);
    enum err e = directory_alias_list(t, STR_NONE, max, list, page);
    if (e != OK) return e;
    for (size_t i = 0; i < page->n; i++) {
        for (size_t j = 0; j < list[i].target_count; j++) {
            put_alias(out, list[i].address, list[i].targets[j]);
            buf_put_byte(out, '\n');
        }
    }
    return OK;
}

enum err directory_text_next(struct txn *t, bool credentials, size_t max_rows, struct arena *a,
                             struct directory_text_at *at, struct buf *out)
{
    struct directory_page page = { .after = at->after };
    size_t before = out->n;
    enum err e = OK;
    switch (at->part) {
    case DIRECTORY_TEXT_DOMAINS:
        e = domains_next(t, max_rows, &page, out);
        break;
    case DIRECTORY_TEXT_ACCOUNTS:
        e = accounts_next(t, credentials, max_rows, &page, out);
        break;
    case DIRECTORY_TEXT_ALIASES:
        e = aliases_next(t, max_rows, &page, out);
        break;
    case DIRECTORY_TEXT_END:
        return OK;
    }
    if (e == OK) e = buf_check(out);
    if (e != OK) {
        buf_truncate(out, before);
        return e;
    }
    at->after = page.more ? arena_str(a, page.after) : STR_NONE;
    if (!page.more) at->part++;
    return OK;
}

/* ---- in ---- */

struct reader {
    struct arena *a;
    struct directory_text *out;
    struct map domains, accounts, aliases; /* by name or address, to what is in `out` */
    struct map targets;                    /* "alias target": each only once */
    size_t domain_room, account_room, alias_room;
    uint32_t line;
};

static void fault(struct reader *r, const char *what, struct str about)
{
    struct directory_text *x = r->out;
    if (x->fault_count == DIRECTORY_FAULTS_MAX) return;
    struct buf b = buf_new(1024);
    buf_put(&b, str_c(what));
    if (about.n > 0) {
        buf_put_lit(&b, ": ");
        words_put(&b, str_part(about, 0, 200));
    }
    x->faults[x->fault_count++] = (struct directory_fault){ r->line, arena_str(r->a, buf_str(&b)) };
    buf_free(&b);
}

/* Room for one more of something. Arrays may move: maps hold indexes (plus one), not pointers. */
static void *grown(struct arena *a, void *old, size_t n, size_t *room, size_t size)
{
    if (n < *room) return old;
    size_t bigger = *room > 0 ? 2 * *room : 64;
    char *new = arena_alloc(a, bigger, size);
    if (n > 0) memcpy(new, old, n * size);
    *room = bigger;
    return new;
}

static size_t index_of(const struct map *m, struct str name)
{
    return (size_t)(uintptr_t)map_get(m, name); /* 0: not there */
}

static void index_put(struct map *m, struct str name, size_t index)
{
    must(map_put(m, name, (void *)(uintptr_t)(index + 1)) == OK);
}

static bool take_number(struct reader *r, struct str word, const char *name, uint64_t *value_out)
{
    struct str value;
    if (!words_is_pair(word, str_c(name), &value)) return false;
    if (str_to_u64(value, UINT64_MAX, value_out) != OK) fault(r, "not a number", word);
    return true;
}

static void read_domain(struct reader *r, const struct words *w)
{
    struct directory_text *x = r->out;
    struct domain d = { 0 };
    struct str value;
    if (w->n < 2 || directory_domain_normal(r->a, w->at[1], &d.name) != OK) {
        fault(r, "domain: a domain name must follow", w->n > 1 ? w->at[1] : STR_NONE);
        return;
    }
    for (size_t i = 2; i < w->n; i++) {
        if (str_eq(w->at[i], STR("disabled"))) {
            d.disabled = true;
        } else if (words_is_pair(w->at[i], STR("catch-all"), &value)) {
            if (directory_address_target(r->a, value, &d.catch_all) != OK) {
                fault(r, "no address", value);
            }
        } else {
            fault(r, "domain: unknown word", w->at[i]);
        }
    }
    if (index_of(&r->domains, d.name) != 0) {
        fault(r, "domain: named twice", d.name);
        return;
    }
    x->domains = grown(r->a, x->domains, x->domain_count, &r->domain_room, sizeof d);
    index_put(&r->domains, d.name, x->domain_count);
    x->domains[x->domain_count++] = d;
}

/* The address in its one form. */
static bool read_address(struct reader *r, const struct words *w, struct str *out)
{
    struct directory_address m;
    bool ok = w->n >= 2 && directory_address_split(r->a, w->at[1], &m) == OK &&
              m.local.n <= KEY_LOCAL_MAX;
    if (!ok) {
        fault(r, "an address must follow", w->n > 1 ? w->at[1] : STR_NONE);
        return false;
    }
    *out = directory_address_text(r->a, m.local, m.domain);
    return true;
}

static void read_account(struct reader *r, const struct words *w)
{
    struct directory_text *x = r->out;
    struct directory_account_text new = { 0 };
    if (!read_address(r, w, &new.account.address)) return;
    for (size_t i = 2; i < w->n; i++) {
        if (str_eq(w->at[i], STR("disabled"))) {
            new.account.disabled = true;
        } else if (!take_number(r, w->at[i], "quota-bytes", &new.account.quota_bytes) &&
                   !take_number(r, w->at[i], "quota-messages", &new.account.quota_messages)) {
            fault(r, "account: unknown word", w->at[i]);
        }
    }
    if (index_of(&r->accounts, new.account.address) != 0 ||
        index_of(&r->aliases, new.account.address) != 0) {
        fault(r, "address named twice", new.account.address);
        return;
    }
    x->accounts = grown(r->a, x->accounts, x->account_count, &r->account_room, sizeof new);
    index_put(&r->accounts, new.account.address, x->account_count);
    x->accounts[x->account_count++] = new;
}

static void read_credentials(struct reader *r, const struct words *w)
{
    struct str address;
    if (!read_address(r, w, &address)) return;
    size_t at = index_of(&r->accounts, address);
    if (at == 0) {
        fault(r, "credentials: the account must be named before", address);
        return;
    }
    struct buf b = buf_new(CREDENTIALS_MAX);
    if (w->n != 3 || base64_decode(&b, w->at[2]) != OK || b.n == 0) {
        fault(r, "credentials: base64 must follow the address", address);
    } else {
        struct directory_account_text *x = &r->out->accounts[at - 1];
        x->credentials = arena_str(r->a, buf_str(&b));
        x->has_credentials = true;
    }
    buf_free(&b);
}

static bool target_is_new(struct reader *r, const struct alias *x, struct str target)
{
    struct buf b = buf_new(x->address.n + target.n + 1);
    buf_put(&b, x->address);
    buf_put_byte(&b, ' ');
    buf_put(&b, target);
    bool new = map_get(&r->targets, buf_str(&b)) == NULL;
    if (new) must(map_put(&r->targets, buf_str(&b), r) == OK);
    buf_free(&b);
    return new;
}

static void target_add(struct reader *r, struct alias *x, struct str target)
{
    if (!target_is_new(r, x, target)) return;
    if (x->target_count == ALIAS_TARGET_MAX) {
        fault(r, "alias: too many targets", x->address);
        return;
    }
    /* The array's room is always the power of two at or above its number, so it is not kept. */
    if ((x->target_count & (x->target_count - 1)) == 0) {
        size_t room = x->target_count > 0 ? 2 * x->target_count : 1;
        struct str *bigger = ARENA_MANY(r->a, struct str, room);
        if (x->target_count > 0) memcpy(bigger, x->targets, x->target_count * sizeof *bigger);
        x->targets = bigger;
    }
    x->targets[x->target_count++] = target;
}

static void read_alias(struct reader *r, const struct words *w)
{
    struct directory_text *x = r->out;
    struct str address, target;
    if (!read_address(r, w, &address)) return;
    if (w->n < 3) fault(r, "alias: at least one target must follow", address);
    if (index_of(&r->accounts, address) != 0) {
        fault(r, "address named twice", address);
        return;
    }
    size_t at = index_of(&r->aliases, address);
    if (at == 0) {
        x->aliases = grown(r->a, x->aliases, x->alias_count, &r->alias_room, sizeof *x->aliases);
        index_put(&r->aliases, address, x->alias_count);
        x->aliases[x->alias_count++] = (struct alias){ .address = address };
        at = x->alias_count;
    }
    for (size_t i = 2; i < w->n; i++) {
        if (directory_address_target(r->a, w->at[i], &target) != OK) {
            fault(r, "no address", w->at[i]);
        } else {
            target_add(r, &x->aliases[at - 1], target);
        }
    }
}

static void read_line(struct reader *r, struct str line)
{
    static const struct {
        struct str word;
        void (*read)(struct reader *, const struct words *);
    } verbs[] = {
        { STR_INIT("domain"), read_domain },
        { STR_INIT("account"), read_account },
        { STR_INIT("credentials"), read_credentials },
        { STR_INIT("alias"), read_alias },
    };
    struct words w;
    if (words_split(line, r->a, &w) != OK) {
        fault(r, "a quote is not closed, or a line is too long", STR_NONE);
        return;
    }
    if (w.n == 0) return;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!str_eq(w.at[0], verbs[i].word)) continue;
        verbs[i].read(r, &w);
        return;
    }
    fault(r, "unknown word, expected domain, account, credentials or alias", w.at[0]);
}

enum err directory_text_parse(struct str text, struct arena *a, struct directory_text *out)
{
    if (text.n > DIRECTORY_TEXT_MAX) return ERR_LIMIT;
    struct reader r = { .a = a,
                        .out = out,
                        .domains = MAP_INIT(DIRECTORY_TEXT_MAX),
                        .accounts = MAP_INIT(DIRECTORY_TEXT_MAX),
                        .aliases = MAP_INIT(DIRECTORY_TEXT_MAX),
                        .targets = MAP_INIT(DIRECTORY_TEXT_MAX) };
    *out = (struct directory_text){ .faults = ARENA_MANY(a, struct directory_fault,
                                                         DIRECTORY_FAULTS_MAX) };
    struct str left = text, line;
    while (str_cut(&left, '\n', &line)) {
        r.line++;
        read_line(&r, line);
    }
    map_free(&r.domains);
    map_free(&r.accounts);
    map_free(&r.aliases);
    map_free(&r.targets);
    return out->fault_count > 0 ? ERR_SYNTAX : OK;
}

/* ---- a change as a line ---- */

void directory_change_put_text(struct buf *b, const struct directory_change *c)
{
    static const char signs[DIRECTORY_CHANGE_KINDS] = {
        [DIRECTORY_DOMAIN_ADD] = '+',      [DIRECTORY_DOMAIN_SET] = '~',
        [DIRECTORY_DOMAIN_DELETE] = '-',   [DIRECTORY_ACCOUNT_ADD] = '+',
        [DIRECTORY_ACCOUNT_SET] = '~',     [DIRECTORY_ACCOUNT_DELETE] = '-',
        [DIRECTORY_CREDENTIALS_SET] = '~', [DIRECTORY_ALIAS_ADD] = '+',
        [DIRECTORY_ALIAS_SET] = '~',       [DIRECTORY_ALIAS_DELETE] = '-',
    };
    buf_put_byte(b, signs[c->kind]);
    buf_put_byte(b, ' ');
    if (c->domain.name.n > 0) {
        put_domain(b, &c->domain);
    } else if (c->kind == DIRECTORY_CREDENTIALS_SET) {
        buf_put_lit(b, "credentials ");
        words_put(b, c->account.address);
    } else if (c->account.address.n > 0) {
        put_account(b, &c->account);
    } else {
        buf_put_lit(b, "alias ");
        words_put(b, c->alias.address);
        for (size_t i = 0; i < c->alias.target_count; i++) {
            buf_put_byte(b, ' ');
            words_put(b, c->alias.targets[i]);
        }
    }
}
