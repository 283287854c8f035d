/* Lists of mailboxes and groups, as From, To, Cc and their like hold them.
 *
 * Takes what RFC 5322 allows, its obsolete forms, UTF-8, and what the world sends besides; never
 * refuses, but says `broken` when it had to guess. Each byte is looked at once.
 *
 * Source: RFC 5322 3.4, 4.4; RFC 6532 3.2 */
#ifndef SYNTAX_ADDRESS_LIST_H
#define SYNTAX_ADDRESS_LIST_H

#include "base/arena.h"
#include "base/buf.h"

enum { ADDRESS_LIST_MAX = 10000 }; /* kept of one field, groups' ends included */

enum address_kind {
    ADDRESS_MAILBOX,
    ADDRESS_GROUP,     /* only `name` counts; its members follow */
    ADDRESS_GROUP_END, /* nothing counts */
};

/* Texts are without quotes, backslashes, comments and folds; encoded words (RFC 2047) stay as they
 * are; invalid UTF-8 and control bytes of a quoted string may be in them. */
struct address {
    enum address_kind kind;
    struct str name;   /* display name; without one, the text of the last comment */
    struct str route;  /* "@a.example,@b.example", for listing only */
    struct str local;  /* part before the "@" */
    struct str domain; /* part behind it, a literal with its brackets; empty when it was missing */
};

struct address_list {
    struct address *at;
    size_t count;
    bool cut;    /* there were more than `max` */
    bool broken; /* something was outside of the grammar */
};

/* Parse the raw value of a field; keeps the first `max` entries (at most ADDRESS_LIST_MAX). A group
 * that was begun is always ended. The results live as long as the arena. */
void address_list_parse(struct arena *a, struct str value, size_t max,
                        struct address_list *list_out);

/* Write local@domain, the local part in quotes where it needs them (RFC 5321 4.1.2); control bytes
 * become "?". Without a domain no "@" is written. */
void address_put(struct buf *b, struct str local, struct str domain);

#endif
