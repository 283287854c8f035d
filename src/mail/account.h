/* What an account keeps about itself beside the directory: the sequence of its changes, what it
 * uses, what it may use. Every change of an account writes this row, so it is also its news.
 *
 * Invariants: used_bytes and used_messages are the sums over its message rows (of deleted mailboxes
 * as well, until they are reaped); modseq is the newest key of its change log, or above. */
#ifndef MAIL_ACCOUNT_H
#define MAIL_ACCOUNT_H

#include "mail/row.h"

/* RFC 7162 3.1: a modification sequence has 63 bits. */
#define ACCOUNT_MODSEQ_MAX (1ull << 62)

struct account_state {
    uint64_t account;
    uint64_t modseq;        /* last one given, 0 before the first */
    uint64_t changes_floor; /* changes up to this one are no longer in the log */
    uint32_t next_mailbox, last_uid_validity, mailboxes;
    uint64_t used_bytes, used_messages;
    uint64_t quota_bytes, quota_messages; /* 0 = no limit */
};

/* The row. ERR_NOT_FOUND: there is no such account (any more). */
enum err account_state_get(struct txn *t, uint64_t account, struct account_state *out);
enum err account_state_put(struct txn *t, const struct account_state *s);

/* First state of a new account, with its INBOX. */
enum err account_state_new(struct txn *t, uint64_t account, uint64_t quota_bytes,
                           uint64_t quota_messages, int64_t now_us);

/* Delete a slice of what is left of a deleted account's mail: at most about `max_rows` rows. When
 * nothing is left, *more_out is false. The state row must be gone (the account is deleted). */
enum err account_reap(struct txn *t, uint64_t account, size_t max_rows, bool *more_out);

#endif
