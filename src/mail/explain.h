/* Refusals that can be asked about: look-up code to record, in a ring of slots.
 *
 * A code's low bits are its slot, so there is no second row and nothing to forget: a newer refusal
 * takes the slot of an older one, whatever a flood of them costs. With n refusals since, one is
 * still there with probability e^(-n / 65536). The depot collects refusals for a moment and writes
 * them in one transaction. */
#ifndef MAIL_EXPLAIN_H
#define MAIL_EXPLAIN_H

#include "mail/row.h"
#include "model/trace.h"

enum {
    EXPLAIN_SLOTS = 65536,
    EXPLAIN_BATCH_MAX = 1000,
    EXPLAIN_TEXT_MAX = 512, /* bytes kept of each text and value */
    EXPLAIN_INPUTS_MAX = 32,
};

/* Write up to EXPLAIN_BATCH_MAX; of two with one slot the later stays. */
enum err explain_put(struct txn *t, const struct refusal *refusals, size_t n);

/* ERR_NOT_FOUND: never written, or overwritten since. Views live as long as the transaction. */
enum err explain_get(struct txn *t, uint64_t lookup, struct refusal *out);

#endif
