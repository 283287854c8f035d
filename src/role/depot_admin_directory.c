/* domain, account and alias commands. */
#include "role/depot_admin.h"

#include "mail/account.h"
#include "mail/directory.h"

/* What is wrong with a name, in words that name it. */
static enum err told(struct admin *a, enum err e, struct str about)
{
    static const struct {
        enum err e;
        const char *words;
    } words[] = {
        { ERR_EXISTS, "this name is taken already: " },
        { ERR_NOT_FOUND, "there is no such name, or its domain is not ours: " },
        { ERR_INVALID, "this is not a valid name: " },
        { ERR_DENIED,
          "the domain still has accounts or aliases (--force removes them with their mail): " },
        { ERR_BUSY, "a domain of that name is still being removed, try again: " },
        { ERR_LIMIT, "too many targets: " },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].e == e) return admin_fail(a, e, words[i].words, about);
    }
    return e;
}

/* ---- domains ---- */

static struct domain domain_given(struct admin *a)
{
    struct str off;
    struct domain d = { .name = admin_arg(a, 0) };
    if (!admin_option(a, "catch-all", &d.catch_all)) d.catch_all = STR_NONE;
    d.disabled = admin_option(a, "disabled", &off);
    return d;
}

static enum err domain_add_body(struct txn *t, struct admin *a)
{
    struct domain d = domain_given(a);
    return told(a, directory_domain_add(t, &d), d.name);
}

static enum err domain_set_body(struct txn *t, struct admin *a)
{
    struct domain d, given = domain_given(a);
    struct str off;
    enum err e = directory_domain_get(t, given.name, &d);
    if (e == OK && admin_option(a, "catch-all", &off)) d.catch_all = given.catch_all;
    if (e == OK && admin_option(a, "disabled", &off)) d.disabled = true;
    if (e == OK && admin_option(a, "enabled", &off)) d.disabled = false;
    if (e == OK) e = directory_domain_set(t, &d);
    return told(a, e, given.name);
}

static enum err domain_delete_body(struct txn *t, struct admin *a)
{
    struct str off;
    return told(a, directory_domain_delete(t, admin_arg(a, 0), admin_option(a, "force", &off)),
                admin_arg(a, 0));
}

static void domain_row(struct admin *a, const struct domain *d)
{
    admin_cell(a, d->name);
    admin_cell(a, d->catch_all);
    admin_cell_flag(a, d->disabled);
}

static enum err domain_show_body(struct txn *t, struct admin *a)
{
    struct domain d;
    enum err e = directory_domain_get(t, admin_arg(a, 0), &d);
    if (e == OK) domain_row(a, &d);
    return told(a, e, admin_arg(a, 0));
}

static enum err domain_list_body(struct txn *t, struct admin *a)
{
    struct domain *list = ARENA_MANY(txn_arena(t), struct domain, ADMIN_PAGE);
    struct directory_page page = { .after = a->resume };
    enum err e = directory_domain_list(t, ADMIN_PAGE, list, &page);
    for (size_t i = 0; e == OK && i < page.n; i++) {
        domain_row(a, &list[i]);
    }
    if (e == OK && page.more) admin_more(a, page.after);
    return e;
}

static enum err domain_columns(struct admin *a, admin_body body)
{
    ADMIN_COLUMNS(a, STR("domain"), STR("catch-all"), STR("?disabled"));
    return admin_read(a, body);
}

static enum err domain_add(struct admin *a)
{
    return admin_commit(a, domain_add_body);
}
static enum err domain_set(struct admin *a)
{
    return admin_commit(a, domain_set_body);
}
static enum err domain_delete(struct admin *a)
{
    return admin_commit(a, domain_delete_body);
}
static enum err domain_show(struct admin *a)
{
    return domain_columns(a, domain_show_body);
}
static enum err domain_list(struct admin *a)
{
    return domain_columns(a, domain_list_body);
}

/* ---- accounts ---- */

/* Quotas from options; the account's own stay where none is given. */
static enum err take_options(struct admin *a, struct account *x)
{
    struct str off;
    enum err e = admin_option_u64(a, "quota-bytes", &x->quota_bytes);
    if (e == OK) e = admin_option_u64(a, "quota-messages", &x->quota_messages);
    if (admin_option(a, "disabled", &off)) x->disabled = true;
    if (admin_option(a, "enabled", &off)) x->disabled = false;
    return e;
}

static enum err account_add_body(struct txn *t, struct admin *a)
{
    struct account x = { .address = admin_arg(a, 0) };
    uint64_t id = 0;
    enum err e = take_options(a, &x);
    if (e != OK) return e;
    e = directory_account_add(t, &x, a->now_us, &id);
    /* `data` is the credential that the tool has made of the password; an account may do without.
     */
    if (e == OK && a->data.n > 0) e = directory_credentials_set(t, id, a->data);
    return told(a, e, x.address);
}

static enum err account_set_body(struct txn *t, struct admin *a)
{
    struct account x;
    enum err e = directory_account_get(t, admin_arg(a, 0), &x);
    if (e == OK && (e = take_options(a, &x)) != OK) return e;
    if (e == OK) e = directory_account_set(t, &x);
    return told(a, e, admin_arg(a, 0));
}

static enum err account_passwd_body(struct txn *t, struct admin *a)
{
    struct account x;
    enum err e = directory_account_get(t, admin_arg(a, 0), &x);
    if (e == OK) e = directory_credentials_set(t, x.id, a->data);
    return told(a, e, admin_arg(a, 0));
}

static enum err account_delete_body(struct txn *t, struct admin *a)
{
    return told(a, directory_account_delete(t, admin_arg(a, 0), a->now_us), admin_arg(a, 0));
}

static enum err account_row(struct txn *t, struct admin *a, const struct account *x)
{
    struct account_state s;
    struct str credential;
    enum err e = account_state_get(t, x->id, &s);
    if (e != OK) return e;
    enum err c = directory_credentials_get(t, x->id, &credential);
    if (c != OK && c != ERR_NOT_FOUND) return c;
    admin_cell(a, x->address);
    admin_cell_u64(a, x->id);
    admin_cell_u64(a, s.used_messages);
    admin_cell_u64(a, s.used_bytes);
    admin_cell_u64(a, x->quota_messages);
    admin_cell_u64(a, x->quota_bytes);
    admin_cell_flag(a, c == OK);
    admin_cell_flag(a, x->disabled);
    admin_cell_time(a, x->created_us);
    return OK;
}

static enum err account_show_body(struct txn *t, struct admin *a)
{
    struct account x;
    enum err e = directory_account_get(t, admin_arg(a, 0), &x);
    if (e == OK) e = account_row(t, a, &x);
    return told(a, e, admin_arg(a, 0));
}

static enum err account_list_body(struct txn *t, struct admin *a)
{
    struct account *list = ARENA_MANY(txn_arena(t), struct account, ADMIN_PAGE);
    struct directory_page page = { .after = a->resume };
    enum err e = directory_account_list(t, admin_arg(a, 0), ADMIN_PAGE, list, &page);
    for (size_t i = 0; e == OK && i < page.n; i++) {
        e = account_row(t, a, &list[i]);
    }
    if (e == OK && page.more) admin_more(a, page.after);
    return e;
}

static enum err account_columns(struct admin *a, admin_body body)
{
    ADMIN_COLUMNS(a, STR("account"), STR("#id"), STR("#messages"), STR("#bytes"),
                  STR("#quota-messages"), STR("#quota-bytes"), STR("?password"), STR("?disabled"),
                  STR("created"));
    return admin_read(a, body);
}

static enum err account_add(struct admin *a)
{
    return admin_commit(a, account_add_body);
}
static enum err account_set(struct admin *a)
{
    return admin_commit(a, account_set_body);
}
static enum err account_passwd(struct admin *a)
{
    return admin_commit(a, account_passwd_body);
}
static enum err account_delete(struct admin *a)
{
    return admin_commit(a, account_delete_body);
}
static enum err account_show(struct admin *a)
{
    return account_columns(a, account_show_body);
}
static enum err account_list(struct admin *a)
{
    return account_columns(a, account_list_body);
}

/* ---- aliases ---- */

static struct alias alias_given(struct admin *a)
{
    struct alias x = { .address = admin_arg(a, 0),
                       .targets = ARENA_MANY(a->arena, struct str, a->arg_count) };
    for (size_t i = 1; admin_arg(a, i).n > 0; i++) {
        x.targets[x.target_count++] = admin_arg(a, i);
    }
    return x;
}

static enum err alias_add_body(struct txn *t, struct admin *a)
{
    struct alias x = alias_given(a);
    return told(a, directory_alias_add(t, &x), x.address);
}

static enum err alias_set_body(struct txn *t, struct admin *a)
{
    struct alias x = alias_given(a);
    return told(a, directory_alias_set(t, &x), x.address);
}

static enum err alias_delete_body(struct txn *t, struct admin *a)
{
    return told(a, directory_alias_delete(t, admin_arg(a, 0)), admin_arg(a, 0));
}

static void alias_rows(struct admin *a, const struct alias *x)
{
    for (size_t i = 0; i < x->target_count; i++) {
        admin_cell(a, x->address);
        admin_cell(a, x->targets[i]);
    }
}

static enum err alias_show_body(struct txn *t, struct admin *a)
{
    struct alias x;
    enum err e = directory_alias_get(t, admin_arg(a, 0), &x);
    if (e == OK) alias_rows(a, &x);
    return told(a, e, admin_arg(a, 0));
}

static enum err alias_list_body(struct txn *t, struct admin *a)
{
    struct alias *list = ARENA_MANY(txn_arena(t), struct alias, ADMIN_PAGE);
    struct directory_page page = { .after = a->resume };
    enum err e = directory_alias_list(t, admin_arg(a, 0), ADMIN_PAGE, list, &page);
    for (size_t i = 0; e == OK && i < page.n; i++) {
        alias_rows(a, &list[i]);
    }
    if (e == OK && page.more) admin_more(a, page.after);
    return e;
}

static enum err alias_columns(struct admin *a, admin_body body)
{
    ADMIN_COLUMNS(a, STR("alias"), STR("target"));
    return admin_read(a, body);
}

static enum err alias_add(struct admin *a)
{
    return admin_commit(a, alias_add_body);
}
static enum err alias_set(struct admin *a)
{
    return admin_commit(a, alias_set_body);
}
static enum err alias_delete(struct admin *a)
{
    return admin_commit(a, alias_delete_body);
}
static enum err alias_show(struct admin *a)
{
    return alias_columns(a, alias_show_body);
}
static enum err alias_list(struct admin *a)
{
    return alias_columns(a, alias_list_body);
}

const struct admin_row admin_directory_rows[] = {
    { "domain", "add", domain_add, true },
    { "domain", "set", domain_set, true },
    { "domain", "delete", domain_delete, true },
    { "domain", "show", domain_show, false },
    { "domain", "list", domain_list, false },
    { "account", "add", account_add, true },
    { "account", "set", account_set, true },
    { "account", "passwd", account_passwd, true },
    { "account", "delete", account_delete, true },
    { "account", "show", account_show, false },
    { "account", "list", account_list, false },
    { "alias", "add", alias_add, true },
    { "alias", "set", alias_set, true },
    { "alias", "delete", alias_delete, true },
    { "alias", "show", alias_show, false },
    { "alias", "list", alias_list, false },
    { NULL, NULL, NULL, false },
};
