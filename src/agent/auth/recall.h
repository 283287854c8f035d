/* Passwords that were verified a moment ago, so that a client that logs in every minute costs one
 * expensive verification and not a hundred.
 *
 * What is kept is HMAC-SHA-256 of stored hash and password under a random key of this process: no
 * password, nothing that outlives the process, and nothing that fits after the password was
 * changed. Only successes are kept, so that a guess always pays the full price. */
#ifndef AGENT_AUTH_RECALL_H
#define AGENT_AUTH_RECALL_H

#include "base/list.h"
#include "base/map.h"

struct recall {
    struct map marks;   /* tag -> struct mark */
    struct list by_age; /* oldest first */
    unsigned char key[32];
};

void recall_init(struct recall *r);
void recall_free(struct recall *r);

/* Did `password` fit `hash` within the last auth_recall_ms? */
bool recall_has(struct recall *r, struct str hash, struct str password);

/* Remember that it does; forgets the oldest beyond auth_recall_max. */
void recall_put(struct recall *r, struct str hash, struct str password);

#endif
