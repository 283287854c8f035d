/* A message in a mailbox, as rooms exchange it. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include "base/arena.h"
#include "base/wire.h"

/* System flags (RFC 9051 2.3.2); keywords are names beside them. */
enum {
    MESSAGE_SEEN = 1,
    MESSAGE_ANSWERED = 2,
    MESSAGE_FLAGGED = 4,
    MESSAGE_DELETED = 8,
    MESSAGE_DRAFT = 16,
};

/* One line of a listing: what POP3 and the command line need. */
struct message_info {
    uint32_t uid;
    uint64_t message; /* id, same as in logs */
    uint64_t bytes;   /* as served: prefix + blob */
    uint64_t modseq;
    uint32_t flags;
    int64_t received_us; /* internal date */
};

struct mailbox_info {
    uint64_t id;
    struct str name;
    uint32_t uid_validity, uid_next;
    uint64_t messages, unseen, bytes, modseq;
};

void message_info_put(struct buf *b, const struct message_info *m);
void message_info_get(struct wire *w, struct message_info *out);
void mailbox_info_put(struct buf *b, const struct mailbox_info *m);
void mailbox_info_get(struct wire *w, struct mailbox_info *out);

#endif
