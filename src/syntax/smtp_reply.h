/* Replies of SMTP and LMTP: written by the server, read by the client.
 *
 *     250-mail.example.org greets client.example
 *     250-PIPELINING
 *     250 SIZE 52428800
 *     550 5.1.1 no such user here
 *                                  Source: RFC 5321 4.2, 4.5.3.1.5; RFC 2034 4; RFC 3463 2; RFC
 * 6531 3.7.4 */
#ifndef SYNTAX_SMTP_REPLY_H
#define SYNTAX_SMTP_REPLY_H

#include "base/buf.h"

enum {
    SMTP_REPLY_LINE_MAX = 512,  /* with CRLF, of what we write */
    SMTP_REPLY_LINES_MAX = 200, /* of what a server may send for one reply */
    SMTP_REPLY_TEXT_MAX = 8192, /* kept of a server's reply */
};

/* class.subject.detail; class 0: none. */
struct smtp_enhanced {
    uint16_t class, subject, detail;
};
#define SMTP_ENHANCED(c, s, d) ((struct smtp_enhanced){ (c), (s), (d) })
#define SMTP_NO_ENHANCED       ((struct smtp_enhanced){ 0, 0, 0 })

/* Append a whole reply, with the enhanced code on each line.
 *
 *   code      200 to 599
 *   enhanced  its class is the first digit of `code` (or none: greeting, EHLO, 3xx)
 *   text      one line a LF; lines that are too long are cut at a space into several
 *   utf8      valid UTF-8 may stand (after EHLO to a client that said SMTPUTF8)
 *
 * Control bytes and whatever else may not stand become '?', a CR before the LF vanishes: nothing in
 * `text` makes a line or a reply of its own. */
void smtp_reply_put(struct buf *b, unsigned code, struct smtp_enhanced enhanced, struct str text,
                    bool utf8);

/* Append "5.1.1"; nothing for none. */
void smtp_enhanced_put(struct buf *b, struct smtp_enhanced enhanced);

/* Take an enhanced code off the front of `text`, with the space behind it. False (and nothing is
 * taken) if there is none, or not one of class `class`. */
bool smtp_enhanced_take(struct str *text, unsigned class, struct smtp_enhanced *enhanced_out);

/* One line of a server's reply. */
struct smtp_reply_line {
    unsigned code;   /* 200 to 599 */
    bool more;       /* a hyphen behind the code */
    struct str text; /* view into the line */
};

/* Parse a line without its CRLF. ERR_SYNTAX. */
enum err smtp_reply_line_parse(struct str line, struct smtp_reply_line *line_out);

/* A server's reply, gathered line by line. */
struct smtp_reply {
    unsigned code;                 /* 0 before the first line */
    struct smtp_enhanced enhanced; /* of the first line */
    struct str text; /* all lines, each without codes, with LF between; lives in `kept` */
    bool cut;        /* there was more text than SMTP_REPLY_TEXT_MAX */
    uint32_t lines;
    struct buf kept;
};

void smtp_reply_begin(struct smtp_reply *r);

/* Add a line (without CRLF).
 * OK: the reply is complete; ERR_AGAIN: more lines follow; ERR_PROTOCOL: not a reply line, or
 * another code than on the first line; ERR_LIMIT: more than SMTP_REPLY_LINES_MAX lines. */
enum err smtp_reply_add(struct smtp_reply *r, struct str line);

/* Accepts one that was never begun, if it is all zero. */
void smtp_reply_free(struct smtp_reply *r);

#endif
