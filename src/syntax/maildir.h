/* Maildir++: names of files and folders, and the small files beside them that Dovecot keeps.
 *
 *     FOLDER/cur/1700000000.M1P2.host,S=123,W=130:2,FS     a message; "FS" are its flags
 *     FOLDER/.Work.2026/cur/...                            mailbox Work/2026
 *     FOLDER/dovecot-uidlist                               UIDs
 *     FOLDER/dovecot-keywords                              what the letters a to z mean
 *
 * Source: https://cr.yp.to/proto/maildir.html, the Maildir++ and Maildir pages of Courier's and
 * Dovecot's documentation */
#ifndef SYNTAX_MAILDIR_H
#define SYNTAX_MAILDIR_H

#include "base/buf.h"

/* ---- messages ---- */

enum {
    MAILDIR_DRAFT = 1,    /* D */
    MAILDIR_FLAGGED = 2,  /* F */
    MAILDIR_PASSED = 4,   /* P: resent, forwarded or bounced */
    MAILDIR_REPLIED = 8,  /* R */
    MAILDIR_SEEN = 16,    /* S */
    MAILDIR_TRASHED = 32, /* T */
    MAILDIR_KEYWORD_MAX = 26,
};

struct maildir_name {
    struct str base;   /* without flags: what stays the same when they change */
    unsigned flags;    /* MAILDIR_* */
    uint32_t keywords; /* bit 0 is letter a */
    bool has_sizes;
    uint64_t file_bytes, wire_bytes; /* S= and W=: with line ends as in the file, and as CRLF */
};

/* ERR_SYNTAX: no message (it begins with a dot, has a slash or a control byte in it, or is empty).
 * Flags that are not known are passed over. */
enum err maildir_name_parse(struct str name, struct maildir_name *out);

/* Append base ":2," and the letters in the order of the alphabet. */
void maildir_put_name(struct buf *b, struct str base, unsigned flags, uint32_t keywords);

/* ---- line ends ---- */

/* Between files, which end lines in LF, and texts, which end them in CRLF. Begin with a zeroed
 * state; each appends what it makes of a piece, at most twice its size (and one byte).
 *
 * To a file: CRLF becomes LF, but keeps its CR behind another one. An LF without CR would not come
 * back as it was: `altered` says so, and such a text is kept in CRLF form, in a file of which W= is
 * as large as S=. */
struct maildir_line_ends {
    bool cr;      /* the last byte of the last piece was one */
    bool cr_cr;   /* to a file: that one is behind another */
    bool altered; /* to a file */
};
void maildir_to_file(struct maildir_line_ends *s, struct str piece, struct buf *file);
/* The text is over: a CR may wait. */
void maildir_to_file_end(struct maildir_line_ends *s, struct buf *file);
/* From a file: an LF without CR becomes CRLF. */
void maildir_from_file(struct maildir_line_ends *s, struct str piece, struct buf *text);

/* ---- folders ---- */

/* Append the folder of a mailbox ("Work/2026" to ".Work.2026"), in modified UTF-7, with the dots of
 * names encoded. */
void maildir_put_folder(struct buf *b, struct str mailbox);

/* Append the mailbox of a folder. ERR_SYNTAX: it is none (no dot before it, an empty level). Names
 * that are not modified UTF-7 are taken as UTF-8 when they are that. */
enum err maildir_folder_parse(struct str folder, struct buf *mailbox);

/* ---- dovecot-uidlist ---- */

struct maildir_uidlist {
    unsigned version; /* 1 or 3 */
    uint32_t uid_validity, uid_next;
};

/* Its first line, without line end. ERR_SYNTAX, ERR_UNSUPPORTED (another version). */
enum err maildir_uidlist_parse(struct str line, struct maildir_uidlist *out);

/* Each further line: the base of a file's name, and its UID. ERR_SYNTAX. */
enum err maildir_uid_parse(const struct maildir_uidlist *list, struct str line, uint32_t *uid_out,
                           struct str *base_out);

/* Append lines with their LF, as version 3 has them. `guid`: of the mailbox, 16 bytes. */
void maildir_put_uidlist(struct buf *b, const struct maildir_uidlist *list, struct str guid);
void maildir_put_uid(struct buf *b, uint32_t uid, struct str base);

/* ---- dovecot-keywords ---- */

/* "0 $Forwarded". ERR_SYNTAX: not that, or beyond MAILDIR_KEYWORD_MAX. */
enum err maildir_keyword_parse(struct str line, unsigned *index_out, struct str *name_out);
void maildir_put_keyword(struct buf *b, unsigned index, struct str name);

/* ---- subscriptions ---- */

/* A line of the file `subscriptions`: the mailbox is appended. Version 1 has a name a line, version
 * 2 begins with "V\t2" and has tabs between levels; `version` is 1 at the first line and is kept
 * up. ERR_NOT_FOUND: a line without a name. ERR_SYNTAX. */
enum err maildir_subscription_parse(struct str line, unsigned *version, struct buf *mailbox);

#endif
