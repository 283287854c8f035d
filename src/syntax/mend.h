/* Mending of a submitted message's head: what to put before it, what to take out, what to refuse.
 *
 * Looks at the head only and copies nothing of it: the answer is text to write first and ranges of
 * the head to leave out while the rest goes on as it is.
 *
 * Source: RFC 6409 8 and 6; RFC 5322 3.6; RFC 5321 4.4 (Return-Path) */
#ifndef SYNTAX_MEND_H
#define SYNTAX_MEND_H

#include "syntax/address_list.h"

struct mend_rules {
    int64_t time_s; /* of a Date that is missing or malformed */
    int zone_minutes;
    struct str message_id; /* "id@host" for a Message-ID that is missing or malformed */
    /* Address of the login, to be named as Sender when the author is somebody else; empty: the
     * author is not looked at. */
    struct str login;
    const struct str *own; /* further addresses that the login may write as, "user@domain" */
    size_t own_count;
    char detail_separator; /* '+': ann+x@ counts as ann@; 0: none */
};

#define MEND_FAULTS(X)                                                                             \
    X(MEND_FINE, "the head is fine")                                                               \
    X(MEND_TOO_LONG, "the header has too many fields or bytes")                                    \
    X(MEND_NO_FROM, "the header has no From field")                                                \
    X(MEND_BAD_FROM, "the From field names no mailbox")                                            \
    X(MEND_DOUBLED, "the header has a field twice that may stand there once")

enum mend_fault {
#define X(name, words) name,
    MEND_FAULTS(X)
#undef X
        MEND_FAULT_COUNT
};

struct mend_range {
    size_t from, end; /* offsets of the head */
};

struct mend {
    struct str prepend;       /* lines with CRLF to write before the head; may be empty */
    struct mend_range *drops; /* ascending, not overlapping: whole fields with their line ends */
    size_t drop_count;
    struct address_list from; /* authors of the message; of a resent one, who resent it */
    bool author_is_own;       /* every one of them may be written as by the login */
    bool added_date, added_message_id, added_sender;
    bool has_8bit; /* bytes from 0x80 on in the head: goes only where SMTPUTF8 is spoken */
    uint32_t junk; /* lines that are no field */
};

/* Look through `head` (bytes behind its empty line are not looked at). On a fault `mend_out` is not
 * touched, and `which_out` is the name of the field it is about (a view; empty for none).
 *
 *  - Date and Message-ID are added, and replaced where they are malformed.
 *  - Sender is added when not every author is the login's own, or when there are several authors;
 *    one that names somebody else is taken out. Of a message that was resent (RFC 5322 3.6.6) the
 *    latest Resent-From and Resent-Sender count instead.
 *  - Bcc, Resent-Bcc, Return-Path are taken out, and a first line that is folded or the "From " of
 *    mbox.
 *  - Faults: From missing or without a mailbox; From, Sender, Reply-To, Date, Subject, Message-ID
 *    more than once; more than the limits of header.h. */
enum mend_fault mend_head(struct arena *a, struct str head, const struct mend_rules *rules,
                          struct mend *mend_out, struct str *which_out);

/* Words for a reply. Static lifetime. */
struct str mend_fault_words(enum mend_fault fault);

#endif
