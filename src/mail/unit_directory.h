/* Changes of the directory as rows of a table. Tests only. */
#ifndef MAIL_UNIT_DIRECTORY_H
#define MAIL_UNIT_DIRECTORY_H

#include "mail/unit_mail.h"

enum unit_directory_verb {
    DOMAIN_ADD,    /* a name, b catch-all, n disabled */
    DOMAIN_SET,    /* the same */
    DOMAIN_DELETE, /* a name, n force */
    ACCOUNT_ADD,   /* a address, n quota bytes */
    ACCOUNT_SET,   /* a address, n quota bytes; b not empty: disabled */
    ACCOUNT_DELETE,
    ALIAS_ADD, /* a address, b targets between spaces */
    ALIAS_SET,
    ALIAS_DELETE,
    CREDENTIALS, /* a address, b value */
};

struct unit_directory_op {
    const char *name;
    enum unit_directory_verb verb;
    struct str a, b;
    uint64_t n;
    enum err want;
};

static inline struct alias unit_alias(struct arena *a, struct str address, struct str targets)
{
    struct alias x = { .address = address, .targets = ARENA_MANY(a, struct str, targets.n + 1) };
    struct str left = targets, target;
    while (str_cut(&left, ' ', &target)) {
        x.targets[x.target_count++] = target;
    }
    return x;
}

static inline enum err unit_credentials(struct txn *t, struct str address, struct str value)
{
    struct account x;
    enum err e = directory_account_get(t, address, &x);
    return e == OK ? directory_credentials_set(t, x.id, value) : e;
}

static inline enum err unit_directory_body(struct txn *t, void *ctx)
{
    const struct unit_directory_op *op = ctx;
    struct domain d = { .name = op->a, .catch_all = op->b, .disabled = op->n != 0 };
    struct account x = { .address = op->a, .quota_bytes = op->n, .disabled = op->b.n > 0 };
    struct alias alias = unit_alias(txn_arena(t), op->a, op->b);
    uint64_t id;
    switch (op->verb) {
    case DOMAIN_ADD:
        return directory_domain_add(t, &d);
    case DOMAIN_SET:
        return directory_domain_set(t, &d);
    case DOMAIN_DELETE:
        return directory_domain_delete(t, op->a, op->n != 0);
    case ACCOUNT_ADD:
        return directory_account_add(t, &x, unit_now_us, &id);
    case ACCOUNT_SET:
        return directory_account_set(t, &x);
    case ACCOUNT_DELETE:
        return directory_account_delete(t, op->a, unit_now_us);
    case ALIAS_ADD:
        return directory_alias_add(t, &alias);
    case ALIAS_SET:
        return directory_alias_set(t, &alias);
    case ALIAS_DELETE:
        return directory_alias_delete(t, op->a);
    case CREDENTIALS:
        return unit_credentials(t, op->a, op->b);
    }
    must(false);
}

static inline void unit_directory_run(struct engine *e, const struct unit_directory_op *ops,
                                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct unit_directory_op op = ops[i];
        if (op.name != NULL) unit_case(op.name);
        assert_int_equal(unit_commit(e, unit_directory_body, &op), op.want);
    }
}

#endif
