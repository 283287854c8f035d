/* The directory: domains, accounts, aliases and credentials, as rows.
 *
 * An address belongs to one account or one alias, never to both; its domain must be there. Each
 * change raises the generation, by which caches elsewhere know that they are old. Account ids are
 * never used twice. Deleting an account (or a domain by force) takes effect at once; the mail (or
 * the addresses) behind it goes in slices from a marker row on (reap.h).
 * Addresses and domains may come in any form (case, quotes) and are kept in one (address.h).
 * All results are views that live as long as the transaction or snapshot. */
#ifndef MAIL_DIRECTORY_H
#define MAIL_DIRECTORY_H

#include "mail/row.h"
#include "model/directory.h"

enum { CREDENTIALS_MAX = 16 * 1024 };

/* A listing in pages. Before: `after` is where to begin behind (empty: at the first). Afterwards:
 * `n` of what was asked for (can be fewer than `max`, even none, though there are more), and when
 * `more`, `after` is where the next page begins. */
struct directory_page {
    struct str after;
    size_t n;
    bool more;
};

/* Raised by each change; 0 in an empty store. */
enum err directory_generation(struct txn *t, uint64_t *generation_out);

/* ---- domains ---- */

/* ERR_EXISTS, ERR_INVALID (no host name, or a catch-all that is no address), ERR_BUSY (a domain of
 * this name is still being removed). */
enum err directory_domain_add(struct txn *t, const struct domain *d);
enum err directory_domain_get(struct txn *t, struct str name, struct domain *out);
/* Catch-all and disabled as given. ERR_NOT_FOUND, ERR_INVALID. */
enum err directory_domain_set(struct txn *t, const struct domain *d);
/* ERR_NOT_FOUND; ERR_DENIED: it has accounts or aliases and `force` is not set. */
enum err directory_domain_delete(struct txn *t, struct str name, bool force);
/* In byte order, at most `max` (1..10000) into `out`. */
enum err directory_domain_list(struct txn *t, size_t max, struct domain *out,
                               struct directory_page *page);

/* ---- accounts ---- */

/* `x` names address, disabled and quotas; the new id comes back. INBOX is made.
 * ERR_EXISTS (account or alias), ERR_NOT_FOUND (domain), ERR_INVALID. */
enum err directory_account_add(struct txn *t, const struct account *x, int64_t now_us,
                               uint64_t *id_out);
enum err directory_account_get(struct txn *t, struct str address, struct account *out);
enum err directory_account_by_id(struct txn *t, uint64_t id, struct account *out);
/* Disabled and quotas of x->address as given. ERR_NOT_FOUND. */
enum err directory_account_set(struct txn *t, const struct account *x);
/* ERR_NOT_FOUND. */
enum err directory_account_delete(struct txn *t, struct str address, int64_t now_us);
/* Ordered by domain, then local part; of one domain when `domain` is not empty. */
enum err directory_account_list(struct txn *t, struct str domain, size_t max, struct account *out,
                                struct directory_page *page);
/* Ids above `after`, ascending, for work on every account. */
enum err directory_account_ids(struct txn *t, uint64_t after, size_t max, uint64_t *ids_out,
                               size_t *n_out, bool *more_out);

/* ---- aliases ---- */

/* ERR_EXISTS, ERR_NOT_FOUND (domain), ERR_INVALID (an address, no target), ERR_LIMIT (more than
 * ALIAS_TARGET_MAX targets). A target named twice is kept once. */
enum err directory_alias_add(struct txn *t, const struct alias *x);
enum err directory_alias_get(struct txn *t, struct str address, struct alias *out);
/* Targets as given. ERR_NOT_FOUND and as directory_alias_add. */
enum err directory_alias_set(struct txn *t, const struct alias *x);
enum err directory_alias_delete(struct txn *t, struct str address);
/* As directory_account_list. */
enum err directory_alias_list(struct txn *t, struct str domain, size_t max, struct alias *out,
                              struct directory_page *page);

/* ---- credentials: authd's own value, not looked into here ---- */

/* ERR_NOT_FOUND: no such account, or it has none. */
enum err directory_credentials_get(struct txn *t, uint64_t account, struct str *value_out);
/* An empty value removes them. ERR_NOT_FOUND (account), ERR_LIMIT. */
enum err directory_credentials_set(struct txn *t, uint64_t account, struct str value);

/* ---- for mail/ itself ---- */

/* Remove a slice of the addresses of a domain that was deleted by force; accounts become deleted
 * accounts. The last slice takes the marker away: *more_out false. */
enum err directory_domain_reap(struct txn *t, struct str domain, size_t max_rows, int64_t now_us,
                               bool *more_out);

/* What stands behind an address in its one form: exact, one look-up. ERR_NOT_FOUND. */
enum err directory_exact(struct txn *t, struct str domain, struct str local,
                         enum directory_kind *kind_out, struct account *account_out,
                         struct alias *alias_out);

#endif
