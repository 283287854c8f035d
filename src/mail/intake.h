/* Intake: the one place where messages come into being. A plan is carried out in one transaction:
 * rows in mailboxes, rows in the queue, the body, the trace, and the proof that it was done. */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include "mail/row.h"
#include "model/plan.h"

/* Carry out a plan.
 *
 *   p       from a filter; checked here against the limits of rows
 *   stage   the content when p->stage is not 0, else null
 *   result  its `items` point at p->item_count bytes of the caller's, which a second run overwrites
 *
 * The same message id again (a commit whose outcome was unknown) stores nothing and gives the first
 * result; so does the same digest within the window, if the plan is repeatable: `repeated` is set.
 * An item whose account is gone, whose quota is full (strict_quota) or whose mailbox has no valid
 * name fails by itself, and the others are stored; with `whole`, it fails the plan. When no item is
 * left nothing is stored.
 *
 * ERR_INVALID: the plan contradicts itself. ERR_LIMIT: an item beyond its limits. ERR_EXISTS: the
 * message id belongs to another message; take a new one. With `whole` also the item's own error.
 *
 * One local recipient costs 8 writes: state, mailbox, message, fixed, change, blob, intake, digest.
 */
enum err intake_commit(struct txn *t, const struct plan *p, struct stage *stage, int64_t now_us,
                       struct plan_result *result);

#endif
