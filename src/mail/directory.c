#include "mail/directory.h"
#include "mail/account.h"
#include "mail/directory_address.h"
#include "mail/quota.h"
#include "base/map.h"

/* What an address row begins with. */
enum { ROW_ACCOUNT = 'A', ROW_ALIAS = 'L' };
/* Targets of an alias are kept in pieces of this size, the first in the address row itself. */
enum { TARGETS_CHUNK = 16 * 1024 };

static enum err raise_generation(struct txn *t)
{
    struct key k = { .kind = KEY_GENERATION };
    uint64_t generation;
    enum err e = row_get_u64(t, &k, &generation);
    return e == OK ? row_put_u64(t, &k, generation + 1) : e;
}

enum err directory_generation(struct txn *t, uint64_t *generation_out)
{
    return row_get_u64(t, &(struct key){ .kind = KEY_GENERATION }, generation_out);
}

static struct key address_key(enum key_kind kind, const struct directory_address *m)
{
    return (struct key){ .kind = kind, .domain = m->domain, .local = m->local };
}

/* An address that an account or alias can have. */
static enum err split(struct txn *t, struct str address, struct directory_address *out)
{
    if (directory_address_split(txn_arena(t), address, out) != OK) return ERR_INVALID;
    return out->local.n > KEY_LOCAL_MAX ? ERR_INVALID : OK;
}

/* ---- domains ---- */

static enum err domain_row_put(struct txn *t, const struct domain *d)
{
    struct key k = { .kind = KEY_DOMAIN, .domain = d->name };
    struct buf b = row_buf();
    domain_put(&b, d);
    enum err e = row_put(t, &k, &b);
    return e == OK ? raise_generation(t) : e;
}

static enum err domain_decode(struct str name, struct str value, struct domain *out)
{
    struct wire w = wire_of(value);
    struct domain d;
    domain_get(&w, &d);
    if (wire_end(&w) != OK || !str_eq(d.name, name)) return ERR_CORRUPT;
    *out = d;
    return OK;
}

static enum err domain_normal(struct txn *t, const struct domain *d, struct domain *out)
{
    *out = *d;
    enum err e = directory_domain_normal(txn_arena(t), d->name, &out->name);
    if (e == OK && d->catch_all.n > 0) {
        e = directory_address_target(txn_arena(t), d->catch_all, &out->catch_all);
    }
    return e;
}

enum err directory_domain_get(struct txn *t, struct str name, struct domain *out)
{
    struct key k = { .kind = KEY_DOMAIN };
    struct str value;
    if (directory_domain_normal(txn_arena(t), name, &k.domain) != OK) return ERR_NOT_FOUND;
    enum err e = row_get(t, &k, &value);
    return e == OK ? domain_decode(k.domain, value, out) : e;
}

enum err directory_domain_add(struct txn *t, const struct domain *d)
{
    struct domain normal;
    bool taken, going;
    enum err e = domain_normal(t, d, &normal);
    if (e != OK) return e;
    struct key k = { .kind = KEY_DOMAIN, .domain = normal.name };
    e = row_exists(t, &k, &taken);
    k.kind = KEY_GONE_DOMAIN;
    if (e == OK) e = row_exists(t, &k, &going);
    if (e != OK) return e;
    if (taken) return ERR_EXISTS;
    return going ? ERR_BUSY : domain_row_put(t, &normal);
}

enum err directory_domain_set(struct txn *t, const struct domain *d)
{
    struct domain normal, old;
    enum err e = directory_domain_get(t, d->name, &old);
    if (e == OK) e = domain_normal(t, d, &normal);
    return e == OK ? domain_row_put(t, &normal) : e;
}

enum err directory_domain_delete(struct txn *t, struct str name, bool force)
{
    struct domain d;
    struct rows rows;
    enum err e = directory_domain_get(t, name, &d);
    if (e != OK) return e;
    struct key k = { .kind = KEY_ADDRESS, .domain = d.name };
    e = row_page(t, &k, 1, STR_NONE, 1, &rows);
    if (e != OK) return e;
    if (rows.n > 0 && !force) return ERR_DENIED;

    k.kind = KEY_GONE_DOMAIN;
    if (rows.n > 0) e = row_put_str(t, &k, STR_NONE);
    k.kind = KEY_DOMAIN;
    if (e == OK) e = row_del(t, &k);
    return e == OK ? raise_generation(t) : e;
}

enum err directory_domain_list(struct txn *t, size_t max, struct domain *out,
                               struct directory_page *page)
{
    struct key k = { .kind = KEY_DOMAIN, .domain = page->after };
    struct rows rows;
    if (page->after.n > KEY_DOMAIN_MAX) return ERR_INVALID;
    enum err e = row_page(t, &k, 0, key_make(txn_arena(t), &k), max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = key_parse(rows.at[i].key, &k);
        if (e == OK) e = domain_decode(k.domain, rows.at[i].value, &out[i]);
    }
    if (e != OK) return e;
    page->n = rows.n;
    page->more = rows.more;
    if (rows.n > 0) page->after = out[rows.n - 1].name;
    return OK;
}

static enum err domain_must_be(struct txn *t, struct str name)
{
    bool there;
    enum err e = row_exists(t, &(struct key){ .kind = KEY_DOMAIN, .domain = name }, &there);
    if (e != OK) return e;
    return there ? OK : ERR_NOT_FOUND;
}

/* ---- what stands behind an address ---- */

static enum err targets_collect(struct txn *t, const struct directory_address *m, struct str first,
                                uint64_t chunks, struct str *out)
{
    if (chunks == 0) {
        *out = first;
        return OK;
    }
    struct key k = address_key(KEY_TARGETS, m);
    struct buf all = buf_new((size_t)(chunks + 1) * TARGETS_CHUNK);
    enum err e = OK;
    buf_put(&all, first);
    for (uint64_t i = 1; e == OK && i <= chunks; i++) {
        struct str piece = STR_NONE;
        k.chunk = (uint16_t)i;
        e = row_get(t, &k, &piece);
        buf_put(&all, piece);
    }
    if (e == ERR_NOT_FOUND || buf_check(&all) != OK) e = ERR_CORRUPT;
    if (e == OK) *out = arena_str(txn_arena(t), buf_str(&all));
    buf_free(&all);
    return e;
}

static enum err targets_decode(struct arena *a, struct str bytes, uint64_t n, struct alias *out)
{
    struct wire w = wire_of(bytes);
    if (n > ALIAS_TARGET_MAX) return ERR_CORRUPT;
    out->targets = ARENA_MANY(a, struct str, n);
    out->target_count = n;
    for (size_t i = 0; i < n; i++) {
        out->targets[i] = wire_get_vstr(&w);
    }
    return wire_end(&w) != OK ? ERR_CORRUPT : OK;
}

static enum err alias_decode(struct txn *t, const struct directory_address *m, struct wire *w,
                             struct alias *out)
{
    struct str bytes;
    struct alias x = { .address = directory_address_text(txn_arena(t), m->local, m->domain) };
    uint64_t n = wire_get_var(w), chunks = wire_get_var(w);
    if (w->bad || chunks > UINT16_MAX) return ERR_CORRUPT;
    enum err e = targets_collect(t, m, w->left, chunks, &bytes);
    if (e == OK) e = targets_decode(txn_arena(t), bytes, n, &x);
    if (e == OK) *out = x;
    return e;
}

static enum err address_decode(struct txn *t, const struct directory_address *m, struct str value,
                               enum directory_kind *kind_out, struct account *account_out,
                               struct alias *alias_out)
{
    struct wire w = wire_of(value);
    uint8_t tag = wire_get_u8(&w);
    if (tag == ROW_ALIAS) {
        *kind_out = DIRECTORY_ALIAS;
        return alias_decode(t, m, &w, alias_out);
    }
    struct account x;
    account_get(&w, &x);
    bool ours = str_eq(x.address, directory_address_text(txn_arena(t), m->local, m->domain));
    if (tag != ROW_ACCOUNT || wire_end(&w) != OK || x.id == 0 || !ours) return ERR_CORRUPT;
    *kind_out = DIRECTORY_ACCOUNT;
    *account_out = x;
    return OK;
}

static enum err exact(struct txn *t, const struct directory_address *m,
                      enum directory_kind *kind_out, struct account *account_out,
                      struct alias *alias_out)
{
    struct key k = address_key(KEY_ADDRESS, m);
    struct str value;
    if (m->local.n > KEY_LOCAL_MAX) return ERR_NOT_FOUND;
    enum err e = row_get(t, &k, &value);
    return e == OK ? address_decode(t, m, value, kind_out, account_out, alias_out) : e;
}

enum err directory_exact(struct txn *t, struct str domain, struct str local,
                         enum directory_kind *kind_out, struct account *account_out,
                         struct alias *alias_out)
{
    struct directory_address m = { .domain = domain, .local = local };
    return exact(t, &m, kind_out, account_out, alias_out);
}

/* The address is free and its domain is there. */
static enum err address_is_free(struct txn *t, const struct directory_address *m)
{
    struct key k = address_key(KEY_ADDRESS, m);
    bool taken;
    enum err e = domain_must_be(t, m->domain);
    if (e == OK) e = row_exists(t, &k, &taken);
    if (e == OK && taken) e = ERR_EXISTS;
    return e;
}

/* Rows of addresses behind page->after, and the page as it will be when all of them were seen. */
static enum err address_rows(struct txn *t, struct str domain, size_t max,
                             struct directory_page *page, struct rows *out)
{
    struct key k = { .kind = KEY_ADDRESS };
    struct str behind = STR_NONE;
    struct directory_address m;
    if (domain.n > 0 && directory_domain_normal(txn_arena(t), domain, &k.domain) != OK) {
        return ERR_INVALID;
    }
    if (page->after.n > 0) {
        enum err e = split(t, page->after, &m);
        if (e != OK) return e;
        struct key last = address_key(KEY_ADDRESS, &m);
        behind = key_make(txn_arena(t), &last);
    }
    enum err e = row_page(t, &k, domain.n > 0 ? 1 : 0, behind, max, out);
    if (e != OK) return e;
    page->n = 0;
    page->more = out->more;
    if (out->n == 0) return OK;
    e = key_parse(out->at[out->n - 1].key, &k);
    if (e == OK) page->after = directory_address_text(txn_arena(t), k.local, k.domain);
    return e;
}

/* The address row's own address. */
static enum err row_address(const struct row *row, struct directory_address *out)
{
    struct key k;
    enum err e = key_parse(row->key, &k);
    if (e == OK) *out = (struct directory_address){ .domain = k.domain, .local = k.local };
    return e;
}

static bool row_is(const struct row *row, char tag)
{
    return row->value.n > 0 && row->value.p[0] == tag;
}

/* ---- accounts ---- */

static enum err account_row_put(struct txn *t, const struct directory_address *m,
                                const struct account *x)
{
    struct key k = address_key(KEY_ADDRESS, m);
    struct buf b = row_buf();
    wire_put_u8(&b, ROW_ACCOUNT);
    account_put(&b, x);
    return row_put(t, &k, &b);
}

static enum err next_account_id(struct txn *t, uint64_t *id_out)
{
    struct key k = { .kind = KEY_NEXT_ACCOUNT };
    uint64_t next;
    enum err e = row_get_u64(t, &k, &next);
    if (e != OK) return e;
    if (next == 0) next = 1;
    *id_out = next;
    return row_put_u64(t, &k, next + 1);
}

enum err directory_account_add(struct txn *t, const struct account *x, int64_t now_us,
                               uint64_t *id_out)
{
    struct directory_address m;
    struct account new = *x;
    enum err e = split(t, x->address, &m);
    if (e == OK) e = address_is_free(t, &m);
    if (e == OK) e = next_account_id(t, &new.id);
    if (e != OK) return e;

    new.address = directory_address_text(txn_arena(t), m.local, m.domain);
    new.created_us = now_us;
    struct key k = { .kind = KEY_ACCOUNT, .account = new.id };
    e = account_row_put(t, &m, &new);
    if (e == OK) e = row_put_str(t, &k, new.address);
    if (e == OK) e = account_state_new(t, new.id, x->quota_bytes, x->quota_messages, now_us);
    if (e == OK) e = raise_generation(t);
    if (e == OK) *id_out = new.id;
    return e;
}

static enum err account_find(struct txn *t, const struct directory_address *m, struct account *out)
{
    enum directory_kind kind = DIRECTORY_NOTHING;
    struct alias ignored;
    enum err e = exact(t, m, &kind, out, &ignored);
    return e == OK && kind != DIRECTORY_ACCOUNT ? ERR_NOT_FOUND : e;
}

enum err directory_account_get(struct txn *t, struct str address, struct account *out)
{
    struct directory_address m;
    if (split(t, address, &m) != OK) return ERR_NOT_FOUND;
    /* Of a domain that is being removed nobody is there any more, though rows may be. */
    enum err e = domain_must_be(t, m.domain);
    return e == OK ? account_find(t, &m, out) : e;
}

enum err directory_account_by_id(struct txn *t, uint64_t id, struct account *out)
{
    struct str address;
    enum err e = row_get(t, &(struct key){ .kind = KEY_ACCOUNT, .account = id }, &address);
    struct directory_address m;
    if (e != OK) return e;
    e = split(t, address, &m) == OK ? account_find(t, &m, out) : ERR_NOT_FOUND;
    if (e == OK && out->id != id) return ERR_CORRUPT;
    return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

enum err directory_account_set(struct txn *t, const struct account *x)
{
    struct directory_address m;
    struct account old;
    if (split(t, x->address, &m) != OK) return ERR_NOT_FOUND;
    enum err e = account_find(t, &m, &old);
    if (e != OK) return e;
    old.disabled = x->disabled;
    old.quota_bytes = x->quota_bytes;
    old.quota_messages = x->quota_messages;
    e = account_row_put(t, &m, &old);
    if (e == OK) e = quota_set(t, old.id, x->quota_bytes, x->quota_messages);
    return e == OK ? raise_generation(t) : e;
}

/* The state row goes at once: from here on nothing can be filed into it or changed in it. */
static enum err account_remove(struct txn *t, const struct directory_address *m, uint64_t id,
                               int64_t now_us)
{
    struct key by_address = address_key(KEY_ADDRESS, m);
    struct key by_id = { .kind = KEY_ACCOUNT, .account = id };
    struct key credentials = { .kind = KEY_CREDENTIALS, .account = id };
    struct key state = { .kind = KEY_STATE, .account = id };
    struct key gone = { .kind = KEY_GONE_ACCOUNT, .account = id };
    enum err e = row_del(t, &by_address);
    if (e == OK) e = row_del(t, &by_id);
    if (e == OK) e = row_del(t, &credentials);
    if (e == OK) e = row_del(t, &state);
    return e == OK ? row_put_u64(t, &gone, (uint64_t)now_us) : e;
}

enum err directory_account_delete(struct txn *t, struct str address, int64_t now_us)
{
    struct directory_address m;
    struct account x;
    if (split(t, address, &m) != OK) return ERR_NOT_FOUND;
    enum err e = account_find(t, &m, &x);
    if (e == OK) e = account_remove(t, &m, x.id, now_us);
    return e == OK ? raise_generation(t) : e;
}

enum err directory_account_list(struct txn *t, struct str domain, size_t max, struct account *out,
                                struct directory_page *page)
{
    struct rows rows;
    enum err e = address_rows(t, domain, max, page, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        enum directory_kind kind;
        struct directory_address m;
        if (!row_is(&rows.at[i], ROW_ACCOUNT)) continue;
        e = row_address(&rows.at[i], &m);
        if (e == OK) e = address_decode(t, &m, rows.at[i].value, &kind, &out[page->n++], NULL);
    }
    return e;
}

enum err directory_account_ids(struct txn *t, uint64_t after, size_t max, uint64_t *ids_out,
                               size_t *n_out, bool *more_out)
{
    struct key k = { .kind = KEY_ACCOUNT, .account = after };
    struct rows rows;
    enum err e = row_page(t, &k, 0, key_make(txn_arena(t), &k), max, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = key_parse(rows.at[i].key, &k);
        ids_out[i] = k.account;
    }
    if (e != OK) return e;
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}

/* ---- aliases ---- */

/* Targets in normal form, each once, in the order given. */
static enum err targets_normal(struct arena *a, const struct alias *x, struct alias *out)
{
    if (x->target_count == 0) return ERR_INVALID;
    if (x->target_count > ALIAS_TARGET_MAX) return ERR_LIMIT;
    *out = (struct alias){ .targets = ARENA_MANY(a, struct str, x->target_count) };
    struct map seen = MAP_INIT(ALIAS_TARGET_MAX);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < x->target_count; i++) {
        struct str target;
        e = directory_address_target(a, x->targets[i], &target);
        if (e != OK || map_get(&seen, target) != NULL) continue;
        e = map_put(&seen, target, out);
        out->targets[out->target_count++] = target;
    }
    map_free(&seen);
    return e;
}

static enum err targets_del(struct txn *t, const struct directory_address *m)
{
    struct key k = address_key(KEY_TARGETS, m);
    struct rows rows;
    enum err e = row_page(t, &k, 2, STR_NONE, 1000, &rows);
    return e == OK ? row_del_all(t, &rows) : e;
}

static enum err targets_put(struct txn *t, const struct directory_address *m, struct str bytes)
{
    struct key k = address_key(KEY_TARGETS, m);
    enum err e = OK;
    for (struct str left = bytes; e == OK && left.n > 0; left = str_skip(left, TARGETS_CHUNK)) {
        k.chunk++;
        e = row_put_str(t, &k, str_part(left, 0, TARGETS_CHUNK));
    }
    return e;
}

static enum err alias_row_put(struct txn *t, const struct directory_address *m,
                              const struct alias *x)
{
    struct key k = address_key(KEY_ADDRESS, m);
    struct buf all = buf_new(ENGINE_TXN_BYTES_MAX / 2);
    for (size_t i = 0; i < x->target_count; i++) {
        wire_put_vstr(&all, x->targets[i]);
    }
    size_t chunks = (all.n + TARGETS_CHUNK - 1) / TARGETS_CHUNK - 1;
    enum err e = buf_check(&all);
    if (e == OK) e = targets_put(t, m, str_skip(buf_str(&all), TARGETS_CHUNK));
    if (e == OK) {
        struct buf b = row_buf();
        wire_put_u8(&b, ROW_ALIAS);
        wire_put_var(&b, x->target_count);
        wire_put_var(&b, chunks);
        buf_put(&b, str_part(buf_str(&all), 0, TARGETS_CHUNK));
        e = row_put(t, &k, &b);
    }
    buf_free(&all);
    return e == OK ? raise_generation(t) : e;
}

enum err directory_alias_add(struct txn *t, const struct alias *x)
{
    struct directory_address m;
    struct alias normal;
    enum err e = split(t, x->address, &m);
    if (e == OK) e = targets_normal(txn_arena(t), x, &normal);
    if (e == OK) e = address_is_free(t, &m);
    return e == OK ? alias_row_put(t, &m, &normal) : e;
}

static enum err alias_find(struct txn *t, struct str address, struct directory_address *m_out,
                           struct alias *out)
{
    enum directory_kind kind = DIRECTORY_NOTHING;
    struct account ignored;
    if (split(t, address, m_out) != OK) return ERR_NOT_FOUND;
    enum err e = exact(t, m_out, &kind, &ignored, out);
    return e == OK && kind != DIRECTORY_ALIAS ? ERR_NOT_FOUND : e;
}

enum err directory_alias_get(struct txn *t, struct str address, struct alias *out)
{
    struct directory_address m;
    return alias_find(t, address, &m, out);
}

enum err directory_alias_set(struct txn *t, const struct alias *x)
{
    struct directory_address m;
    struct alias old, normal;
    enum err e = alias_find(t, x->address, &m, &old);
    if (e == OK) e = targets_normal(txn_arena(t), x, &normal);
    if (e == OK) e = targets_del(t, &m);
    return e == OK ? alias_row_put(t, &m, &normal) : e;
}

enum err directory_alias_delete(struct txn *t, struct str address)
{
    struct directory_address m;
    struct alias old;
    enum err e = alias_find(t, address, &m, &old);
    if (e != OK) return e;
    struct key k = address_key(KEY_ADDRESS, &m);
    e = targets_del(t, &m);
    if (e == OK) e = row_del(t, &k);
    return e == OK ? raise_generation(t) : e;
}

enum err directory_alias_list(struct txn *t, struct str domain, size_t max, struct alias *out,
                              struct directory_page *page)
{
    struct rows rows;
    enum err e = address_rows(t, domain, max, page, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        enum directory_kind kind;
        struct directory_address m;
        if (!row_is(&rows.at[i], ROW_ALIAS)) continue;
        e = row_address(&rows.at[i], &m);
        if (e == OK) e = address_decode(t, &m, rows.at[i].value, &kind, NULL, &out[page->n++]);
    }
    return e;
}

/* ---- reaping a domain ---- */

static enum err address_reap(struct txn *t, const struct row *row, int64_t now_us)
{
    struct directory_address m;
    struct account x;
    enum err e = row_address(row, &m);
    if (e == OK && row_is(row, ROW_ALIAS)) {
        e = targets_del(t, &m);
        return e == OK ? txn_del(t, row->key) : e;
    }
    if (e == OK) e = account_find(t, &m, &x);
    return e == OK ? account_remove(t, &m, x.id, now_us) : e;
}

enum err directory_domain_reap(struct txn *t, struct str domain, size_t max_rows, int64_t now_us,
                               bool *more_out)
{
    struct key k = { .kind = KEY_ADDRESS, .domain = domain };
    struct rows rows;
    enum err e = row_page(t, &k, 1, STR_NONE, max_rows, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        e = address_reap(t, &rows.at[i], now_us);
    }
    k.kind = KEY_GONE_DOMAIN;
    if (e == OK && !rows.more) e = row_del(t, &k);
    if (e == OK) e = raise_generation(t);
    if (e == OK) *more_out = rows.more;
    return e;
}

/* ---- credentials ---- */

enum err directory_credentials_get(struct txn *t, uint64_t account, struct str *value_out)
{
    return row_get(t, &(struct key){ .kind = KEY_CREDENTIALS, .account = account }, value_out);
}

enum err directory_credentials_set(struct txn *t, uint64_t account, struct str value)
{
    struct key k = { .kind = KEY_CREDENTIALS, .account = account };
    bool there;
    if (value.n > CREDENTIALS_MAX) return ERR_LIMIT;
    enum err e = row_exists(t, &(struct key){ .kind = KEY_ACCOUNT, .account = account }, &there);
    if (e != OK) return e;
    if (!there) return ERR_NOT_FOUND;
    e = value.n > 0 ? row_put_str(t, &k, value) : row_del(t, &k);
    return e == OK ? raise_generation(t) : e;
}
