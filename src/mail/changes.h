/* The change log of an account: what happened, in the order of its modification sequence. One
 * change has one number, and no number is given twice, so the log has no gaps above its floor
 * until rows are trimmed. IMAP (RFC 7162) and JMAP read from it; who asks for more than is left
 * learns so (ERR_RANGE) and looks at the rows themselves. */
#ifndef MAIL_CHANGES_H
#define MAIL_CHANGES_H

#include "mail/account.h"

enum change_kind {
    CHANGE_NEW,      /* a message came */
    CHANGE_FLAGS,    /* its flags or keywords changed */
    CHANGE_EXPUNGED, /* it is gone */
    CHANGE_MAILBOX_CREATED,
    CHANGE_MAILBOX_RENAMED, /* or its attributes changed */
    CHANGE_MAILBOX_DELETED,
    CHANGE_KINDS
};

struct change {
    uint64_t modseq;
    uint32_t mailbox, uid; /* uid 0: about the mailbox */
    enum change_kind kind;
};

/* Changes above `modseq`, oldest first, at most `max` into `out`. ERR_RANGE: some of them are
 * trimmed. ERR_NOT_FOUND: no such account. */
enum err changes_since(struct txn *t, uint64_t account, uint64_t modseq, size_t max,
                       struct change *out, size_t *n_out, bool *more_out);

/* Trim the log to its newest `keep` changes, at most `max_rows` rows at a time. */
enum err changes_trim(struct txn *t, uint64_t account, uint64_t keep, size_t max_rows,
                      bool *more_out);

/* Take the next number and write the change. For mail/ itself; the caller writes the state row. */
enum err change_put(struct txn *t, struct account_state *s, enum change_kind kind, uint64_t mailbox,
                    uint32_t uid, uint64_t *modseq_out);

#endif
