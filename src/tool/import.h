/* postrider import: messages from files into an account.
 *
 * Whoever reads files (import_maildir.c, import_mbox.c) opens a mailbox, then hands in message by
 * message; here they get their structure record, are compared with what the mailbox has already,
 * and go to the depot in batches, one transaction each. So an import that was killed leaves whole
 * messages, and the next one goes on where it was: a message is there already when one of the same
 * date, size and bytes is, each of them counted once.
 *
 * Invariant: batches are committed in the order of the messages, one at a time; while one is under
 * way, the next is filled. */
#ifndef TOOL_IMPORT_H
#define TOOL_IMPORT_H

#include "model/message.h"
#include "syntax/structure.h"
#include "tool/command.h"

struct import_known;

/* Messages that go together. */
struct import_batch {
    struct arena arena;
    struct message_import messages[IMPORT_MESSAGES_MAX];
    size_t count, bytes;
};

/* A message that is being handed in. */
struct import_current {
    bool open;
    struct arena arena; /* of the structure */
    struct structure_builder structure;
    void *digest;     /* of its bytes; null when there is nothing to compare them with */
    struct buf first; /* its bytes, until they are too many */
    struct buf chunk; /* bytes on their way to the stage */
    uint64_t stage;   /* 0: not staged */
    uint64_t bytes;
};

struct import {
    struct command *command;
    uint64_t account;
    struct mailbox_info mailbox; /* where messages go; id 0: none */
    bool same_uids;              /* the mailbox has the UIDVALIDITY of the files */
    struct import_known *known;  /* messages that it had before; null: none */
    struct import_current current;
    struct import_batch *filling, *sending; /* `sending` is under way while `busy` */
    bool busy;
    struct waitline sent;
    enum err failed; /* of a batch that was sent */

    /* Told in the end. */
    uint64_t imported, present;
    struct str *rows; /* cells of mailboxes that are done */
    size_t row_count, row_room;
};

/* What goes with a message beside its bytes. */
struct import_facts {
    uint32_t uid, flags;
    struct str keywords; /* with blanks between them */
    int64_t received_us;
};

/* Begin, for the account of that address. ERR_NOT_FOUND with words. Waits. */
enum err import_begin(struct import *im, struct command *c, struct str account);

/* Messages from now on go into this mailbox, which is made when it is missing. uid_validity 0: the
 * files have no UIDs. Waits. */
enum err import_open(struct import *im, struct str name, uint32_t uid_validity,
                     uint32_t attributes);

/* The mailbox is done: send what is left; UIDs below `uid_next` (0: not known) will not be given to
 * others. Waits. */
enum err import_close(struct import *im, uint32_t uid_next);

/* One message: begin, its bytes with CRLF line ends in pieces of any size, and end. All but the
 * first may wait. A message without bytes cannot be stored: ERR_INVALID at its end. */
void import_message_begin(struct import *im);
enum err import_message_bytes(struct import *im, struct str bytes);
enum err import_message_end(struct import *im, const struct import_facts *facts);

/* Free everything; what was not sent is lost, a message in the middle as well. Waits for a batch
 * under way. */
void import_end(struct import *im);

/* ---- import_known.c ---- */

/* Read what the mailbox has. *known_out is null when that is nothing. Waits. */
enum err import_known_read(struct import *im, struct import_known **known_out);

/* Is there a message with this date (in seconds), size and SHA-256 that was not matched yet? It
 * counts as matched then. Waits. */
enum err import_known_match(struct import *im, int64_t received_us, uint64_t bytes,
                            struct str digest, bool *match_out);
void import_known_free(struct import_known **known);

/* ---- the files ---- */

/* All of a Maildir++ folder: into mailboxes of the same names, or below `mailbox` when that is not
 * empty. */
enum err import_maildir(struct import *im, struct str folder, struct str mailbox);

/* A mbox file ("-": standard input) into a mailbox. `plain`: fields of mail readers in the heads
 * are part of the messages. */
enum err import_mbox(struct import *im, struct str path, struct str mailbox, bool plain);

#endif
