/* Slowing down those who guess passwords.
 *
 * Three scores count failures: of an address (IPv4, or the /64 of IPv6), of an account, and of a
 * pair of both that has logged in before. A score halves every auth_throttle_half_life_ms. Beyond a
 * few free failures each attempt waits twice as long as the one before; beyond a limit it is
 * refused for now, without looking at the password.
 *
 * A pair that has logged in before is judged by its own score alone. So whoever guesses at an
 * account from elsewhere, or from behind the same address translation, does not lock its owner out.
 * A success clears the score of the pair and nothing else: knowing one password buys no guesses at
 * others.
 *
 * An attempt is counted when it begins, and given back if it ends well, so that many at once do
 * not all count as the first one. Tables are bounded; the longest unused entries go first. All of
 * it is forgotten with the process. */
#ifndef AGENT_AUTH_THROTTLE_H
#define AGENT_AUTH_THROTTLE_H

#include "base/str.h"

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle **t); /* accepts null */

struct throttle_verdict {
    bool refuse;     /* answer "try again later"; the attempt is not counted */
    int64_t wait_ms; /* else: wait so long before looking at the password */
    const char *why; /* "account", "address" or "pair": whose score it was; null when free */
    bool pair;       /* counted for the pair, not for the account */
};

/* May this attempt go on? Counts it unless refused.
 *   account  its name, or the login when there is no such account; case does not matter
 *   ip       text of the address; other text counts as an address of its own */
void throttle_begin(struct throttle *t, struct str account, struct str ip,
                    struct throttle_verdict *out);

enum throttle_end {
    THROTTLE_GOOD,   /* logged in */
    THROTTLE_BAD,    /* the guess was wrong */
    THROTTLE_NEITHER /* nothing was guessed: cancelled, or we failed */
};

/* How an attempt that was not refused ended; with the same names, and the verdict on it. */
void throttle_end(struct throttle *t, struct str account, struct str ip,
                  const struct throttle_verdict *verdict, enum throttle_end how);

/* How many entries each table holds, for the counters and the tests. */
void throttle_sizes(const struct throttle *t, size_t *addresses_out, size_t *accounts_out,
                    size_t *pairs_out);

#endif
