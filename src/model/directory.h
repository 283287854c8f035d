/* The directory: domains, accounts, aliases. They live in the store (the same on every node), are
 * changed by the command line, and are looked up by the filter and authd. */
#ifndef MODEL_DIRECTORY_H
#define MODEL_DIRECTORY_H

#include "base/arena.h"
#include "base/wire.h"

enum { ALIAS_TARGET_MAX = 10000 };

struct domain {
    struct str name;      /* normalised A-label form */
    struct str catch_all; /* address that gets what no account or alias takes; empty: refuse */
    bool disabled;
};

struct account {
    uint64_t id;        /* never reused */
    struct str address; /* primary address and name: local part lower case, domain normalised */
    bool disabled;
    uint64_t quota_bytes, quota_messages; /* 0 = none */
    int64_t created_us;
};

struct alias {
    struct str address;
    struct str *targets; /* addresses: local or remote */
    size_t target_count;
};

/* What a local address leads to, in one look-up (the filter's question and its cache's content). */
enum directory_kind {
    DIRECTORY_NOTHING,
    DIRECTORY_ACCOUNT,
    DIRECTORY_ALIAS,
    DIRECTORY_DOMAIN_ONLY
};

/* Wire forms, as in envelope.h. */
void domain_put(struct buf *b, const struct domain *d);
void domain_get(struct wire *w, struct domain *out);
void account_put(struct buf *b, const struct account *x);
void account_get(struct wire *w, struct account *out);
void alias_put(struct buf *b, const struct alias *x);
void alias_get(struct wire *w, struct arena *a, struct alias *out);

#endif
