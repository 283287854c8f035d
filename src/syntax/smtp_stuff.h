/* Message text onto the wire: the dot-stuffing writer of SMTP's DATA and POP3's long answers, the
 * other side of smtp_data.h.
 *
 *     struct smtp_data_stuff w = { 0 };
 *     while (smtp_data_stuff_next(&w, &in, &piece)) send(piece);      for each slice of the text
 *     send(smtp_data_stuff_end(&w));
 *
 * What comes out has no bare CR and no bare LF whatever goes in (a bare LF is written as CRLF, a
 * bare CR as a space), so nothing that was stored can be taken for an end of text by whoever reads
 * it. Text with CRLF line ends comes out unchanged, apart from the dots.
 *                                                        Source: RFC 5321 4.5.2; RFC 1939 3 */
#ifndef SYNTAX_SMTP_STUFF_H
#define SYNTAX_SMTP_STUFF_H

#include "base/buf.h"

struct smtp_data_stuff {
    bool mended; /* a bare CR or LF was written as something else */

    /* Inner state; all zero at the beginning of a text. */
    enum { SMTP_STUFF_LINE_START, SMTP_STUFF_IN_LINE, SMTP_STUFF_CR } at;
    struct str owed;
};

/* Take bytes off the front of `in` up to the next piece to send; false when all is taken.
 * `piece_out`: never empty; view into `in`, or static. */
bool smtp_data_stuff_next(struct smtp_data_stuff *w, struct str *in, struct str *piece_out);

/* What ends the text: the last line's CRLF if it is missing, and the lone dot. Static lifetime. The
 * writer may then begin another text. */
struct str smtp_data_stuff_end(struct smtp_data_stuff *w);

/* All pieces of `in` appended to `b`. */
void smtp_data_stuff(struct smtp_data_stuff *w, struct str in, struct buf *b);

#endif
