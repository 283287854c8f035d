/* Where does an address lead? One look-up step of routing; whoever routes follows aliases. */
#ifndef MAIL_RESOLVE_H
#define MAIL_RESOLVE_H

#include "mail/directory.h"

struct resolve_how {
    struct str separators; /* bytes that divide user from detail, as "+-"; empty: none */
    struct str admin;      /* address for role names without a row of their own; empty: none */
};

/* In this order: the local part as it is; the part before the first separator that leads somewhere
 * (RFC 5233); a role name (RFC 2142, RFC 5321 4.5.1) to the administrator; the domain's catch-all;
 * nobody. Case does not matter, quotes neither. A disabled domain or account is found and says so.
 *
 *   address     local@domain, or an address that leads nowhere here (a literal): DIRECTORY_NOTHING
 *   answer_out  views live as long as the transaction or snapshot
 *
 * ERR_INVALID: no address at all. */
enum err directory_resolve(struct txn *t, struct str address, const struct resolve_how *how,
                           struct directory_answer *answer_out);

/* The names of RFC 2142 and postmaster. */
bool resolve_is_role(struct str local);

#endif
