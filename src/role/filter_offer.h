/* The filter's main job: from an offered message to a committed plan. */
#ifndef ROLE_FILTER_OFFER_H
#define ROLE_FILTER_OFFER_H

#include "agent/route/route.h"
#include "role/role.h"

/* ---- filter.c ---- */

/* Ask the depot; frees `request`. The reply lives in `a`. Waits. */
enum err filter_ask_depot(struct role_self *r, enum verb verb, struct buf *request, struct arena *a,
                          struct str *reply_out);

/* Where an address leads for this peer. Waits. ERR_CANCELLED. */
enum err filter_route(struct role_self *r, const struct peer *peer, struct str from,
                      struct str address, struct arena *a, struct route *out);

/* May the login send from this address (agent/auth/identity.h)? Waits. OK, ERR_DENIED, ERR_SYNTAX,
 * ERR_CANCELLED, or why it cannot be told now. */
enum err filter_owns(struct role_self *r, struct str login, struct str address);

/* ---- filter_offer.c ---- */

/* Plan, commit, outcome: views in `out` live in `a`. Waits. ERR_CANCELLED only; all else is an
 * outcome. */
enum err filter_offer(struct role_self *r, const struct offer_req *in, struct arena *a,
                      struct offer_rep *out);

/* Would a message of this size (0: unknown) fit into the mailboxes of a route? Over quota
 * everywhere makes the outcome a refusal. Waits. */
void filter_check_quota(struct role_self *r, const struct route *route, uint64_t size,
                        struct arena *a, struct outcome *out);

#endif
