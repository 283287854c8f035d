/* Messages in mailboxes: rows, listing, flags, expunging, copying.
 *
 * A message has two rows: a small one that changes (message id, size, flags, modseq) and one that
 * does not (its header prefix, its structure record or a note that all copies share one). Each
 * message row counts as one reference to the blob of its message id. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/keyword.h"
#include "mail/mailbox.h"

enum {
    MESSAGE_BATCH_MAX = 1000,  /* uids in one call: keeps a transaction within its limits */
    MESSAGE_PREFIX_MAX = 2048, /* bytes of Return-Path:, Delivered-To: lines */
    MESSAGE_FLAGS = 31,        /* all of MESSAGE_SEEN .. MESSAGE_DRAFT */
};

struct message_row {
    struct message_info info;
    int64_t saved_us;    /* when it came into this mailbox (RFC 8514) */
    struct str keywords; /* ids of the account's keywords, one byte each, ascending */
};

/* The unchanging part. */
struct message_fixed {
    struct str prefix;
    struct str structure; /* empty: none was kept */
};

/* ERR_NOT_FOUND. Views live as long as the transaction or snapshot. */
enum err message_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                     struct message_row *out);
enum err message_fixed_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                           struct message_fixed *out);

/* What reading the text of a message needs: its row and what is served before its blob; cheaper
 * than the two above. */
enum err message_prefix_get(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t uid,
                            struct message_row *out, struct str *prefix_out);

/* Messages with uid above `after`, ascending, at most `max` (1..10000) into `out`. A page of 5000
 * costs about a megabyte of the transaction's arena, so a mailbox of 100,000 is read in some twenty
 * snapshots. No mailbox at all is an empty page. */
enum err message_list_page(struct txn *t, uint64_t account, uint64_t mailbox, uint32_t after,
                           size_t max, struct message_row *out, size_t *n_out, bool *more_out);

/* ---- changes ---- */

enum flags_how { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };

struct flags_change {
    enum flags_how how;
    uint32_t flags;             /* MESSAGE_* */
    const struct str *keywords; /* names */
    size_t keyword_count;
    uint64_t unchanged_since; /* RFC 7162 3.1.3; messages changed later are left alone. UINT64_MAX:
                                 no condition */
};

/* What became of each uid: OK, ERR_NOT_FOUND, ERR_CONFLICT (changed since); flags and modseq are
 * the new ones. A message that has these flags already keeps its modseq. */
struct flags_result {
    enum err result;
    uint32_t flags;
    uint64_t modseq;
};

/* At most MESSAGE_BATCH_MAX uids, each once; results (n of them) into `out`. ERR_NOT_FOUND
 * (account or mailbox), ERR_INVALID (flag or keyword), ERR_LIMIT (too many keywords). */
enum err message_flags_change(struct txn *t, uint64_t account, uint64_t mailbox,
                              const uint32_t *uids, size_t n, const struct flags_change *how,
                              struct flags_result *out);

/* Remove these messages; who is not there is passed over. At most MESSAGE_BATCH_MAX.
 * *expunged_out: how many there were. ERR_NOT_FOUND (account or mailbox). */
enum err message_expunge(struct txn *t, uint64_t account, uint64_t mailbox, const uint32_t *uids,
                         size_t n, size_t *expunged_out);

/* A larger set in slices, one transaction each: does the next MESSAGE_BATCH_MAX of `uids` from
 * `at`, and says where to go on; done when *next_out is n. */
enum err message_expunge_slice(struct txn *t, uint64_t account, uint64_t mailbox,
                               const uint32_t *uids, size_t n, size_t at, size_t *next_out);

/* Copy or move to another mailbox of the same account (move also within one: new uids). Who is not
 * there gets uid 0. The order of `uids` is the order of the new ones. ERR_NOT_FOUND (account,
 * mailbox), ERR_OVER_QUOTA (copy; nothing is copied). */
enum err message_copy(struct txn *t, uint64_t account, uint64_t from, uint64_t to,
                      const uint32_t *uids, size_t n, int64_t now_us, uint32_t *uids_out);
enum err message_move(struct txn *t, uint64_t account, uint64_t from, uint64_t to,
                      const uint32_t *uids, size_t n, int64_t now_us, uint32_t *uids_out);

/* ---- for mail/ itself ---- */

/* A new message for a mailbox; the blob is put or counted by the caller. */
struct message_new {
    uint64_t message, bytes; /* served bytes: prefix + blob */
    uint32_t flags, uid;     /* uid: wanted, if it is free and above all others; else the next */
    struct str keywords, prefix, structure;
    bool structure_shared; /* it is in rows of its own (structure.h) */
    int64_t received_us, saved_us;
};

/* Write its rows and the change, count it; the caller writes state and mailbox rows.
 * ERR_LIMIT: the mailbox has no more uids. */
enum err message_append(struct txn *t, struct account_state *s, struct mailbox_info *m,
                        const struct message_new *new, uint32_t *uid_out);

/* One reference less for the message's blob; the last one takes the structure rows along. A blob
 * that is lost already does not keep its row alive. */
enum err message_release(struct txn *t, uint64_t message);

/* Delete message rows (of a KEY_MESSAGE range) with their blobs' references, nothing else. */
enum err message_reap_rows(struct txn *t, const struct rows *rows);

enum err message_decode(const struct row *row, struct message_row *out);

#endif
