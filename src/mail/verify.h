/* `store check`, the part that knows what rows mean: every counter against what it counts, every
 * row against the rows it needs. Works in steps, each on a fresh snapshot, while the system runs:
 * an account that changes meanwhile is begun again (ERR_CONFLICT).
 *
 * A repair writes counters as they were counted, gives messages whose mailbox is lost a mailbox of
 * their own, and begins a change log anew that cannot be trusted (clients look at the rows then);
 * it never deletes a message. */
#ifndef MAIL_VERIFY_H
#define MAIL_VERIFY_H

#include "mail/message.h"

/* Gets one line per finding. */
struct verify_say {
    void (*say)(void *ctx, struct str line);
    void *ctx;
};

enum { VERIFY_ROWS = 2000 }; /* rows of a step */

/* An account under check. Zero it, set `account` and `say`; free it in the end. */
struct verify_account {
    uint64_t account;
    struct verify_say say;
    uint64_t findings;

    /* its own */
    struct arena arena;
    struct account_state state, counted;
    struct verify_mailbox *mailboxes; /* by id, also those that only messages know */
    size_t mailbox_count, mailbox_room;
    uint32_t mailbox, uid; /* behind this message */
    bool log_is_cut;       /* the change log does not end where it should */
    enum { VERIFY_BEGIN, VERIFY_MESSAGES, VERIFY_DONE } phase;
};

/* The next step. *done_out: all was looked at. ERR_CONFLICT: it was changed, and the next step
 * begins anew (findings and all). ERR_NOT_FOUND: no such account (any more). */
enum err verify_account_step(struct txn *t, struct verify_account *v, bool *done_out);

/* In a body: put right what can be. ERR_CONFLICT: the account was changed since it was counted. */
enum err verify_account_repair(struct txn *t, const struct verify_account *v, int64_t now_us);

void verify_account_free(struct verify_account *v);

/* Where the check of directory and queue stands; zeroed: at the beginning. */
struct verify_rows {
    struct verify_say say;
    uint64_t findings;
    struct buf after; /* key of the last row seen; free it in the end */
};

/* Every other row: readable, and with the rows it needs (addresses with their domain and account,
 * queue rows with their message and their next hop). A slice of it. */
enum err verify_rows_step(struct txn *t, struct verify_rows *v, bool *done_out);

#endif
