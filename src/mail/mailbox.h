/* Mailboxes: names, numbers and counters.
 *
 * Names are UTF-8 in NFC with '/' between levels; INBOX is the same in any case (RFC 9051 5.1) and
 * always there. A name that is used again gets another UIDVALIDITY (RFC 9051 2.3.1.1).
 * Invariants: counters are the sums over the mailbox's message rows; uid_next is above every uid;
 * modseq is the newest of any change in it. */
#ifndef MAIL_MAILBOX_H
#define MAIL_MAILBOX_H

#include "mail/account.h"
#include "model/message.h"

enum {
    MAILBOX_INBOX = 1,         /* id of INBOX in every account */
    MAILBOX_RENAME_MAX = 1000, /* mailboxes below the one that is renamed */
};

/* A name in its one form, in the arena. ERR_INVALID: empty, too long, not UTF-8, control
 * characters, an empty level, or '/' at an end. */
enum err mailbox_name_normal(struct arena *a, struct str name, struct str *out);

/* By id or by name (in any form); views live as long as the transaction. ERR_NOT_FOUND. */
enum err mailbox_get(struct txn *t, uint64_t account, uint64_t mailbox, struct mailbox_info *out);
enum err mailbox_find(struct txn *t, uint64_t account, struct str name, struct mailbox_info *out);

/* Mailboxes by id, behind `after` (0: from the first), at most `max` into `out`. ERR_INVALID: no id
 * can be above `after`. */
enum err mailbox_list(struct txn *t, uint64_t account, uint64_t after, size_t max,
                      struct mailbox_info *out, size_t *n_out, bool *more_out);

/* ERR_EXISTS, ERR_INVALID, ERR_LIMIT (mailboxes per account), ERR_NOT_FOUND (account). */
enum err mailbox_create(struct txn *t, uint64_t account, struct str name, uint32_t attributes,
                        int64_t now_us, struct mailbox_info *out);

/* New name; mailboxes below it ("name/...") go along. ERR_NOT_FOUND, ERR_EXISTS (a target name is
 * taken), ERR_INVALID (also into itself), ERR_DENIED (INBOX), ERR_LIMIT (MAILBOX_RENAME_MAX). */
enum err mailbox_rename(struct txn *t, uint64_t account, struct str from, struct str to);

/* Attributes as given. ERR_NOT_FOUND, ERR_INVALID. */
enum err mailbox_attributes_set(struct txn *t, uint64_t account, uint64_t mailbox,
                                uint32_t attributes);

/* The name is free at once; the messages go in slices (mailbox_reap). Mailboxes below it stay.
 * ERR_NOT_FOUND, ERR_DENIED (INBOX). */
enum err mailbox_delete(struct txn *t, uint64_t account, struct str name);

/* Remove a slice of the messages of deleted mailboxes of the account; quota is given back with
 * them. *more_out: there is more to do. ERR_NOT_FOUND (account). */
enum err mailbox_reap(struct txn *t, uint64_t account, size_t max_rows, bool *more_out);

/* ---- for mail/ itself: within a change whose state row the caller reads and writes ---- */

/* Whether one more may be made. */
bool mailbox_has_room(const struct account_state *s);

/* Make a mailbox of a name in its one form that is free; raises modseq, logs the change. */
enum err mailbox_make(struct txn *t, struct account_state *s, struct str name, uint32_t attributes,
                      int64_t now_us, struct mailbox_info *out);

enum err mailbox_put(struct txn *t, uint64_t account, const struct mailbox_info *m);

/* Repair: make its name lead to it; a name that leads to another mailbox stays there, and this one
 * gets a new one. */
enum err mailbox_name_mend(struct txn *t, uint64_t account, const struct mailbox_info *m);

#endif
