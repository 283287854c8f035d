/* postrider export: an account's messages into files. */
#ifndef TOOL_EXPORT_H
#define TOOL_EXPORT_H

#include "model/message.h"
#include "tool/command.h"

struct exporting {
    struct command *command;
    uint64_t account;
    struct mailbox_info *mailboxes; /* all of the account, by id */
    size_t mailbox_count;
    struct str folder; /* of a Maildir++ */
    uint64_t damaged;  /* messages that could not be read; each has been named */

    /* Told in the end. */
    struct str *rows; /* three cells each: mailbox, written, there already */
    size_t row_count, row_room;
};

/* Read the mailboxes of the account of that address. ERR_NOT_FOUND with words. Waits. */
enum err export_begin(struct exporting *ex, struct command *c, struct str account);

/* The mailbox of that name, or null with words in c->why. */
const struct mailbox_info *export_find(struct exporting *ex, struct str name);

/* A message as it is listed. `content` is empty when it is too large to come along. */
struct export_one {
    uint64_t mailbox;
    struct message_info info;
    struct str keywords; /* with blanks between them */
    struct str content;
};

/* Each message of a mailbox, by UID. An error of `take` ends it, but ERR_CORRUPT, which is told and
 * counted. Views live during the call. Waits. */
typedef enum err (*export_take)(void *ctx, const struct export_one *m);
enum err export_each(struct exporting *ex, uint64_t mailbox, bool contents, export_take take,
                     void *ctx);

/* Its bytes as served, piece by piece. ERR_CORRUPT: it is damaged. Waits. */
typedef enum err (*export_piece)(void *ctx, struct str bytes);
enum err export_bytes(struct exporting *ex, const struct export_one *m, export_piece piece,
                      void *ctx);

/* The first bytes of it, at most `max_bytes`, in `a`. Waits. */
enum err export_beginning(struct exporting *ex, const struct export_one *m, uint32_t max_bytes,
                          struct arena *a, struct str *bytes_out);

/* A mailbox is done. */
void export_add_row(struct exporting *ex, struct str mailbox, uint64_t written, uint64_t present);

/* ---- the files ---- */

/* All mailboxes (`only` null), or one as the folder itself. */
enum err export_maildir(struct exporting *ex, struct str folder, const struct mailbox_info *only);

/* One mailbox into a file that is not there yet ("-": standard output). `plain`: without fields for
 * flags and UIDs. */
enum err export_mbox(struct exporting *ex, struct str path, const struct mailbox_info *mailbox,
                     bool plain);

#endif
