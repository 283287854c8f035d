/* May this login send from that address? (RFC 6409 6.1)
 *
 * An account may use its own address, every alias that leads to it (also one that leads to others
 * as well, and through further aliases), sub-addresses of these, role names that lead to it, and,
 * where the administrator permits it, what the catch-all of a domain brings it. The null
 * reverse-path is everybody's: message disposition notifications need it (RFC 8098 3). */
#ifndef AGENT_AUTH_IDENTITY_H
#define AGENT_AUTH_IDENTITY_H

#include "model/directory.h"

/* One step of the directory, as routing asks it, with the configured separators; may wait.
 * ERR_INVALID: no address; other errors are temporary. */
typedef enum err (*identity_look_up)(void *ctx, struct str address, struct arena *a,
                                     struct directory_answer *out);

struct identity_world {
    identity_look_up look_up;
    void *ctx;
};

/* Is `address` one of the account's?
 *   account  name (primary address) of the account that is logged in
 *   address  local@domain in any spelling; empty: the null reverse-path
 *
 * OK          yes
 * ERR_DENIED  no; also when it would take more than auth_identity_steps look-ups to tell
 * ERR_SYNTAX  no address
 * otherwise   the look-up's error: ask again later */
enum err identity_check(const struct identity_world *w, struct str account, struct str address);

/* All of them, as the From field of a message needs it. `bad_out` (may be null) is set to the
 * index of the first that is not OK. No address at all is OK. */
enum err identity_check_all(const struct identity_world *w, struct str account,
                            const struct str *addresses, size_t n, size_t *bad_out);

#endif
