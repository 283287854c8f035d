/* What authd answers: the exchanges that are under way, each with its throttling, its log lines and
 * its end.
 *
 * An exchange belongs to the link that began it; nobody else can go on with it. The first answer
 * may be the last one already (PLAIN with an initial response). Everything that waits, waits
 * through the world; so does a delayed attempt, and with it the call. */
#ifndef AGENT_AUTH_SERVICE_H
#define AGENT_AUTH_SERVICE_H

#include "agent/auth/credential.h"
#include "door/verbs.h"
#include "model/config.h"

struct auth_service;

/* How the service reaches the rest of the world. All may wait. */
struct auth_world {
    void *ctx;
    /* The account of a login and its stored credential (verb credential_get), views in `a`.
     * ERR_NOT_FOUND: no such account, or it has no credential. */
    enum err (*credential_get)(void *ctx, struct str login, struct arena *a,
                               struct credential_get_rep *out);
    /* Store a better credential of an account if the stored one is still `old`. May be null: then
     * none is made. */
    enum err (*credential_renew)(void *ctx, uint64_t account, struct str old, struct str fresh);
    /* Wait so long. ERR_CANCELLED. */
    enum err (*sleep)(void *ctx, int64_t wait_ms);
};

/* From now on the process overwrites all memory that it gives back (secret.h). */
struct auth_service *auth_service_open(const struct auth_world *world, const struct config *config);

/* Take up a new configuration; nothing of it is kept. */
void auth_service_configure(struct auth_service *s, const struct config *config);

/* Verb auth_begin. `owner` tells one link from another (its address). The reply's views live in
 * `a`. A login that is refused is OK, too: the reply says so. ERR_PROTOCOL: a request that our own
 * roles do not make. */
enum err auth_service_begin(struct auth_service *s, const void *owner,
                            const struct auth_begin_req *in, struct arena *a, struct auth_rep *out);

/* Verb auth_step. An exchange that is not known (any more) is refused with "auth-unavailable". */
enum err auth_service_step(struct auth_service *s, const void *owner,
                           const struct auth_step_req *in, struct arena *a, struct auth_rep *out);

/* Verb auth_cancel. Unknown exchanges are none of our concern. */
void auth_service_cancel(struct auth_service *s, const void *owner, uint64_t exchange);

/* The link has ended: so have its exchanges. */
void auth_service_forget(struct auth_service *s, const void *owner);

/* How many exchanges are under way. */
size_t auth_service_count(const struct auth_service *s);

/* Nothing may be waiting in it. Accepts null. */
void auth_service_close(struct auth_service **s);

#endif
