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
    DIRECTORY_NOTHING,    /* the domain is not ours */
    DIRECTORY_ACCOUNT,    /* `account` */
    DIRECTORY_ALIAS,      /* `alias`: go on with each of its targets */
    DIRECTORY_DOMAIN_ONLY /* the domain is ours, the address is nobody's */
};
enum directory_way {
    DIRECTORY_EXACT,      /* the local part as it is */
    DIRECTORY_SUBADDRESS, /* user + separator + detail (RFC 5233 1) */
    DIRECTORY_ROLE,       /* a role name (RFC 2142) that leads to the administrator */
    DIRECTORY_CATCH_ALL   /* the domain takes the rest */
};

struct directory_answer {
    enum directory_kind kind;
    enum directory_way way;
    bool domain_disabled; /* the domain is ours but switched off */
    struct account account;
    bool over_quota; /* the account's use has reached a limit */
    uint64_t used_bytes, used_messages;
    struct alias alias;  /* also for catch-all and role: one target */
    struct str detail;   /* DIRECTORY_SUBADDRESS: as given, case kept */
    uint64_t generation; /* of the directory when it was asked */
};

/* Wire forms, as in envelope.h. */
void domain_put(struct buf *b, const struct domain *d);
void domain_get(struct wire *w, struct domain *out);
void account_put(struct buf *b, const struct account *x);
void account_get(struct wire *w, struct account *out);
void alias_put(struct buf *b, const struct alias *x);
void alias_get(struct wire *w, struct arena *a, struct alias *out);
void directory_answer_put(struct buf *b, const struct directory_answer *x);
void directory_answer_get(struct wire *w, struct arena *a, struct directory_answer *out);

#endif
