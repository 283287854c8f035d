/* The queue: messages that wait for other hosts.
 *
 * A queue is cut into shards by next hop, so that one courier at a time has all of a destination.
 * In a shard: the message once (it holds one reference to the blob and the number of recipients
 * left), each recipient once, an index of recipients by next hop and due time, and for each next
 * hop how many wait and when the first is due, indexed by that time. What is due is found without
 * looking at what is not, however many rows wait.
 * Invariants: queue_message.waiting is the number of recipient rows of the message in the shard; a
 * hop's count is the number of its index rows, its due time that of the first. */
#ifndef MAIL_QUEUE_H
#define MAIL_QUEUE_H

#include "mail/row.h"
#include "model/queue.h"

enum { QUEUE_SHARDS = 8, QUEUE_BATCH_MAX = 1000 };

/* Which shard a next hop (lower case) belongs to; fixed for ever. */
uint8_t queue_shard(struct str next_hop);

/* Put a message with `n` (1..PLAN_ITEM_MAX) recipients. next_hop is a name of 1..255 bytes without
 * NUL, in lower case; message, index, next_hop and due_us of each are set, the index unique.
 * *references_out: how many references to the blob that makes (one a shard).
 * ERR_INVALID, ERR_EXISTS (the message is queued already). */
enum err queue_put(struct txn *t, const struct queue_message *m, const struct queue_rcpt *rcpts,
                   size_t n, uint32_t *references_out);

/* Where a listing stands; zeroed: at the beginning. */
struct queue_at {
    uint8_t shard;
    uint64_t message; /* behind this one */
    bool end;
};

/* Messages, shard by shard and by id within: who has recipients in several shards comes several
 * times. At most `max` (1..10000) into `out`; at->end when there are no more. */
enum err queue_list(struct txn *t, struct queue_at *at, size_t max, struct queue_message *out,
                    size_t *n_out);

/* One message with recipients of all shards: `waiting` is their number. ERR_NOT_FOUND. */
enum err queue_show(struct txn *t, uint64_t message, struct queue_message *out);
/* Its recipients in the order of shard and index, behind the first `skip`, at most `max`. */
enum err queue_rcpts(struct txn *t, uint64_t message, size_t skip, size_t max,
                     struct queue_rcpt *out, size_t *n_out, bool *more_out);

/* Take recipients out: all of the message, at most QUEUE_BATCH_MAX at a time. With the last of a
 * shard its message row and its reference to the blob go. ERR_NOT_FOUND. */
enum err queue_drop(struct txn *t, uint64_t message, bool *more_out);

/* Take one recipient out. ERR_NOT_FOUND. */
enum err queue_rcpt_drop(struct txn *t, struct str next_hop, uint64_t message, uint32_t index);

/* Write a recipient back whose due time, attempts, tried time or answer changed (next_hop may not).
 * ERR_NOT_FOUND. */
enum err queue_rcpt_set(struct txn *t, const struct queue_rcpt *r);

/* ---- what is due ---- */

struct queue_hop {
    struct str name;
    uint64_t waiting;
    int64_t due_us; /* the earliest */
};

/* Next hops of a shard that have something due at `now_us`, the longest waiting first. */
enum err queue_hops_due(struct txn *t, uint8_t shard, int64_t now_us, size_t max,
                        struct queue_hop *out, size_t *n_out, bool *more_out);

/* One next hop. ERR_NOT_FOUND: nothing waits for it. */
enum err queue_hop_get(struct txn *t, struct str next_hop, struct queue_hop *out);

/* Its recipients that are due at `now_us`, the longest due first; those of one message that are due
 * together stand together. */
enum err queue_hop_rcpts(struct txn *t, struct str next_hop, int64_t now_us, size_t max,
                         struct queue_rcpt *out, size_t *n_out, bool *more_out);

/* ---- for mail/ itself ---- */
enum err queue_message_decode(const struct row *row, struct queue_message *out);
enum err queue_rcpt_decode(const struct row *row, struct queue_rcpt *out);

#endif
