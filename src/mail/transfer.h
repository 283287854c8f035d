/* Bringing single messages in and taking them out: import, export, a client's own upload. Only
 * what needs keys is here; file formats are somebody else's. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "mail/message.h"

struct import_message {
    uint64_t account, mailbox; /* mailbox id */
    uint64_t message;          /* a new id */
    struct str head, content;  /* the blob: head, then content or the stage */
    struct str prefix, structure;
    uint32_t flags;
    const struct str *keywords; /* names; beyond KEYWORD_MAX of the account they are left out */
    size_t keyword_count;
    int64_t received_us;
    uint32_t uid;      /* wanted: taken when it is above all the mailbox has, else the next one */
    bool strict_quota; /* ERR_OVER_QUOTA instead of filing above the quota */
};

/* Where an import goes. */
struct import_mailbox {
    uint64_t account;
    struct str name;
    uint32_t uid_validity, uid_next; /* of where the messages come from; 0: not known */
    uint32_t attributes;             /* MAILBOX_*, for one that is made */
};

/* Find it, or make it. A mailbox that never had a message takes the UIDVALIDITY over, so that
 * clients need not fetch anew what they have; with the same UIDVALIDITY uid_next is raised to the
 * one wanted. What the mailbox is like now into `out`. ERR_INVALID (name), ERR_LIMIT (mailboxes),
 * ERR_NOT_FOUND (account). */
enum err import_mailbox(struct txn *t, const struct import_mailbox *want, int64_t now_us,
                        struct mailbox_info *out);

/* ERR_NOT_FOUND (account or mailbox), ERR_EXISTS (the message id is taken), ERR_INVALID (no bytes,
 * flags, keywords), ERR_LIMIT (prefix, uids), ERR_OVER_QUOTA. */
enum err import_message(struct txn *t, const struct import_message *m, struct stage *stage,
                        int64_t now_us, uint32_t *uid_out);

/* Where an export stands; zeroed: at the beginning. */
struct export_at {
    uint32_t mailbox, uid;
    bool end;
};

struct export_message {
    uint64_t mailbox;
    struct message_row row;
    struct str prefix;
    struct str *keywords; /* names */
    size_t keyword_count;
};

/* The account's messages, mailbox by mailbox (by id) and by uid within; at most `max` (1..1000)
 * into `out`; at->end when there are no more. The body is the blob of row.info.message. */
enum err export_next(struct txn *t, uint64_t account, struct export_at *at, size_t max,
                     struct export_message *out, size_t *n_out);

#endif
