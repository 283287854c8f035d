/* The fields of a message's head, as views.
 *
 * The head is everything up to and including the first empty line; lines end in CRLF or, for what
 * old stores hold, LF. Folded lines belong to the field before them. Obsolete forms are taken
 * (blanks before the colon); a line that is no field (no colon, a blank or a control byte in the
 * name, a leading "From " of mbox) is passed over and counted, it never ends the head.
 *
 * Source: RFC 5322 2.2, 3.6.8, 4.5; RFC 6532 3.2 */
#ifndef SYNTAX_HEADER_H
#define SYNTAX_HEADER_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    HEADER_FIELDS_MAX = 1000,   /* fields of one head that are interpreted */
    HEADER_BYTES_MAX = 10 << 20 /* of one head */
};

/* Offsets count from the first byte of the head. */
struct header_field {
    struct str name;  /* as spelled, without blanks and colon; never empty */
    struct str value; /* raw: behind the colon to before the last line end, with its folds */
    size_t from;      /* first byte of the name */
    size_t end;       /* first byte behind the field's last line end */
};

struct header_walk {
    struct str head;
    size_t at;
    uint32_t fields; /* handed out so far */
    uint32_t junk;   /* lines passed over so far */
    bool over;       /* stopped early: a limit above was reached */
};

/* Begin a walk. Bytes behind the empty line are not looked at, so the whole message will do. */
struct header_walk header_walk_of(struct str head);

/* Next field. False at the end of the head or at a limit; `field_out` is then not touched. */
bool header_next(struct header_walk *w, struct header_field *field_out);

/* First field called `name` (ASCII case folded). False when there is none within the limits. */
bool header_find(struct str head, struct str name, struct header_field *field_out);

/* How many fields are called `name`. */
size_t header_count(struct str head, struct str name);

/* Offset behind the line that begins at `at` and all lines that are folded to it. */
size_t header_line_end(struct str head, size_t at);

/* Length of the head with its empty line; STR_NOWHERE when `message` has no empty line. */
size_t header_bytes(struct str message);

/* Value without its folds (RFC 5322 2.2.3: the line ends go, the blanks stay) and without blanks at
 * both ends. A view into `raw` when nothing was folded, else a copy in the arena. */
struct str header_unfold(struct arena *a, struct str raw);

#endif
