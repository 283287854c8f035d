/* POP3 TOP: the head of a message, its empty line, and the first lines of its body, cut out of the
 * message while it streams by.                                          Source: RFC 1939 7 */
#ifndef SYNTAX_TOP_H
#define SYNTAX_TOP_H

#include "base/str.h"

struct top {
    uint32_t lines_left; /* body lines that are still wanted */
    bool done;           /* nothing more is wanted; no need to read on */
    bool in_body;
    uint8_t line_bytes; /* of the present line, up to 2 counted */
    bool begins_with_cr;
};

/* Begin; `body_lines` may be 0. */
struct top top_of(uint32_t body_lines);

/* Which bytes at the front of the next chunk are wanted: all of them, or fewer, then with `done`.
 * A view into `chunk`. */
struct str top_take(struct top *t, struct str chunk);

#endif
