/* Transactions of the depot's fibers: submit and wait without stopping the process. */
#ifndef ROLE_DEPOT_TXN_H
#define ROLE_DEPOT_TXN_H

#include "store/engine.h"

/* Commit and wait. ERR_CONFLICT is tried again a few times. A cancelled fiber waits all the same:
 * the transaction is under way and speaks of our memory. */
enum err depot_commit(struct engine *e, enum intent_kind kind, txn_body body, void *ctx);

/* A snapshot that sees everything acknowledged so far. */
enum err depot_snapshot(struct engine *e, struct txn **t_out);

/* Run `body` on a snapshot; for questions. */
enum err depot_read(struct engine *e, txn_body body, void *ctx);

#endif
