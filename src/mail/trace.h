/* What happened to a message, in rows of their own under its id: one at intake, in its transaction,
 * that says who brought it, for whom, and what became of each recipient; one for each later event.
 * The intake row is at the same time the proof that this id was committed.
 *
 * Ids grow with time, so rows lie in the order of intake, new ones go to the end of the tree, and
 * forgetting deletes from the front. */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include "mail/row.h"
#include "model/plan.h"
#include "model/trace.h"

/* What became of one item of a plan. */
struct trace_item {
    enum plan_act act;
    enum err result;
    struct str address; /* final recipient */
    struct str given;   /* the envelope's recipient, empty when it is the same */
    struct str place;   /* mailbox or next hop */
    uint64_t account;   /* PLAN_FILE */
    uint32_t uid;
};

/* The intake row as it was written; views live as long as the transaction. */
struct trace_intake {
    int64_t committed_us, received_us;
    struct str digest;
    struct peer peer;
    struct str reverse_path, envid;
    enum body_kind body;
    bool smtputf8;
    uint64_t bytes;
    struct trace_item *items;
    size_t item_count;
};

enum err trace_intake_put(struct txn *t, const struct plan *p, int64_t now_us,
                          const struct trace_item *items, size_t n);

/* ERR_NOT_FOUND: no message of this id was committed, or it is forgotten. */
enum err trace_intake_get(struct txn *t, uint64_t message, struct trace_intake *out);

/* Write what happened later. Facts are cut at TRACE_FACT_MAX bytes each. */
enum { TRACE_FACT_MAX = 512 };
enum err trace_event_add(struct txn *t, uint64_t message, const struct trace_event *event);

/* Everything known about a message as events in the order of time: the intake, each of its items,
 * what came later. Behind the first `skip`, at most `max` into `out`. ERR_NOT_FOUND. */
enum err trace_list(struct txn *t, uint64_t message, size_t skip, size_t max,
                    struct trace_event *out, size_t *n_out, bool *more_out);

/* Whether anything is older than the retention (parameter trace_keep_ms); forget a slice of that.
 */
enum err trace_is_old(struct txn *t, int64_t now_us, bool *old_out);
enum err trace_expire(struct txn *t, int64_t now_us, size_t max_rows, bool *more_out);

#endif
