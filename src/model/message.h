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

/* What a mailbox is for (RFC 6154 2, RFC 8457 3), and whether its user subscribed to it. */
enum {
    MAILBOX_ALL = 1,
    MAILBOX_ARCHIVE = 2,
    MAILBOX_DRAFTS = 4,
    MAILBOX_FLAGGED = 8,
    MAILBOX_JUNK = 16,
    MAILBOX_SENT = 32,
    MAILBOX_TRASH = 64,
    MAILBOX_IMPORTANT = 128,
    MAILBOX_SUBSCRIBED = 256,
    MAILBOX_ATTRIBUTES = 511,
};

struct mailbox_info {
    uint64_t id;
    struct str name; /* UTF-8, NFC, '/' between levels; INBOX in capitals */
    uint32_t uid_validity, uid_next;
    uint64_t messages, unseen, deleted, bytes; /* deleted: flagged MESSAGE_DELETED, still there */
    uint64_t modseq;                           /* of the latest change in it */
    uint32_t attributes;                       /* MAILBOX_* */
};

/* A message that is brought in as it is: by an import. `content` or a stage has its bytes. */
struct message_import {
    uint32_t uid; /* wanted, 0: any */
    uint32_t flags;
    struct str keywords; /* names with blanks between them */
    int64_t received_us;
    struct str structure; /* its record (syntax/structure.h); empty: none */
    struct str content;
    uint64_t stage; /* 0: none */
};

/* A new message's id: unique within this process and strictly growing, and among processes unlike
 * by 12 random bits per microsecond; who stores it finds a collision and asks for another. Ids grow
 * with time, so that rows named by them lie together. */
uint64_t message_id_new(void);

/* When an id was made, microseconds since 1970; and the lowest id of a time. */
int64_t message_id_time_us(uint64_t id);
uint64_t message_id_first(int64_t time_us);

void message_info_put(struct buf *b, const struct message_info *m);
void message_info_get(struct wire *w, struct message_info *out);
void message_import_put(struct buf *b, const struct message_import *m);
void message_import_get(struct wire *w, struct message_import *out);
void mailbox_info_put(struct buf *b, const struct mailbox_info *m);
void mailbox_info_get(struct wire *w, struct mailbox_info *out);

#endif
