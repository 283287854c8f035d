/* Login names and passwords in their one comparable form.
 *
 * What a user types is prepared with SASLprep as SASL asks for (RFC 4422 3, RFC 5802 2.2, RFC 4616
 * 2), then a login name gets the form in which the directory names accounts: local part in lower
 * case, domain in lower-case A-labels. */
#ifndef AGENT_AUTH_LOGIN_H
#define AGENT_AUTH_LOGIN_H

#include "base/buf.h"

enum {
    LOGIN_RAW_MAX = 1024, /* bytes of a name as it came */
    LOGIN_MAX = 254, /* bytes of a prepared name: a path without brackets (RFC 5321 4.5.3.1.3) */
    PASSWORD_MAX = 1024, /* bytes, as it came and prepared */
};

/* Append the account name that `raw` means to `out`.
 *
 *   raw             as the user typed it: UTF-8, with or without domain
 *   default_domain  what a name without domain gets, prepared already; empty: such a name is
 *                   refused
 *
 * ERR_LIMIT   longer than a name can be
 * ERR_SYNTAX  not UTF-8, prohibited by SASLprep, or not an address (syntax/address.h)
 * ERR_INVALID no domain, and no default for it; or an address literal for domain
 *
 * `out` is unchanged on failure.                             Source: RFC 4013, RFC 5321 2.3.11 */
enum err login_prepare(struct str raw, struct str default_domain, struct buf *out);

/* Append the prepared password to `out`, which should have PASSWORD_MAX bytes reserved (secret.h).
 * Unassigned code points pass, so that a password may hold what Unicode 3.2 did not know yet.
 *
 * ERR_LIMIT   above PASSWORD_MAX bytes before or after
 * ERR_SYNTAX  empty, a NUL, not UTF-8, or prohibited                       Source: RFC 4013 2 */
enum err password_prepare(struct str raw, struct buf *out);

#endif
