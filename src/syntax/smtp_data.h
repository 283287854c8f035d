/* The text of a message as it comes over the wire: behind DATA with its stuffed dots and its end,
 * or in the chunks of BDAT.
 *
 * The decoder is fed with slices cut anywhere and hands out pieces of decoded text, nearly always
 * views into the slice, so nothing is copied here:
 *
 *     while (smtp_data_next(&d, &in, &piece)) keep(piece);
 *     if (d.ended) ... in: what the client has sent behind the end ...
 *
 * Only CRLF ends a line and only CRLF.CRLF ends the text: there is no second opinion that a
 * smuggler could find. A bare CR, a bare LF, a NUL, a line that is too long, a text that is too
 * large are faults; a fault that the rules refuse silences the decoder, which then only looks for
 * the end, so that the dialog stays in step. Source: RFC 5321 2.3.8, 4.1.1.4, 4.5.2, 4.5.3.1.6; RFC
 * 3030 2; RFC 6152 */
#ifndef SYNTAX_SMTP_DATA_H
#define SYNTAX_SMTP_DATA_H

#include "base/buf.h"

enum { SMTP_TEXT_LINE_MAX = 998 }; /* without CRLF */

/* bit, reply code, enhanced code 5.subject.detail, words */
#define SMTP_DATA_FAULTS(X)                                                                        \
    X(SMTP_DATA_BARE_CR, 0, 550, 6, 0, "a carriage return stands without a line feed")             \
    X(SMTP_DATA_BARE_LF, 1, 550, 6, 0, "a line feed stands without a carriage return")             \
    X(SMTP_DATA_NUL, 2, 550, 6, 0, "a NUL byte is in the message")                                 \
    X(SMTP_DATA_LONG_LINE, 3, 550, 6, 0, "a line of the message is too long")                      \
    X(SMTP_DATA_TOO_BIG, 4, 552, 3, 4, "the message is too large")

enum smtp_data_fault {
#define X(name, bit, code, subject, detail, words) name = 1 << (bit),
    SMTP_DATA_FAULTS(X)
#undef X
        SMTP_DATA_ALL_FAULTS = (1 << 5) - 1
};

struct smtp_data_fault_row {
    unsigned code, subject, detail;
    const char *words;
};

struct smtp_data_rules {
    unsigned refuse;         /* faults (bits) that spoil the message; being too big always does */
    bool mend;               /* a bare LF becomes CRLF, a bare CR a space: for submission only */
    uint32_t line_max_bytes; /* without CRLF; 0: no limit */
    uint64_t bytes_max;      /* of decoded text; 0: no limit */
};

struct smtp_data {
    struct smtp_data_rules rules;

    /* What was found so far. */
    bool ended;                  /* the lone dot was seen, or smtp_data_finish() was called */
    bool eight_bit;              /* a byte above 127 */
    bool in_header;              /* no empty line yet */
    unsigned faults;             /* bits; also those that are not refused */
    enum smtp_data_fault first;  /* the first fault that is refused, 0 if there is none */
    uint64_t first_at;           /* where: offset in the bytes as they came */
    uint64_t wire_bytes;         /* taken in */
    uint64_t bytes;              /* decoded, also while silent */
    uint64_t header_bytes;       /* decoded, with the empty line; all of it while in_header */
    uint64_t longest_line_bytes; /* decoded, without CRLF */
    uint32_t header_lines;       /* physical lines before the empty one */
    uint32_t received;           /* "Received:" fields, for the loop count (RFC 5321 6.3) */

    /* Inner state. */
    enum {
        SMTP_DATA_LINE_START,
        SMTP_DATA_IN_LINE,
        SMTP_DATA_CR,
        SMTP_DATA_DOT,
        SMTP_DATA_DOT_CR
    } at;
    bool chunks;
    struct str owed; /* piece to hand out next; static */
    uint64_t line_bytes;
    uint32_t matched;
};

/* Begin the text behind DATA. */
void smtp_data_begin(struct smtp_data *d, const struct smtp_data_rules *rules);

/* Begin a text that comes in BDAT chunks: no dots, no end of its own; it goes on from chunk to
 * chunk until smtp_data_finish(). For BINARYMIME refuse nothing and mend nothing. */
void smtp_data_begin_chunks(struct smtp_data *d, const struct smtp_data_rules *rules);

/* Take bytes off the front of `in` up to the next piece of decoded text. False: all was taken, or
 * the end was reached; what follows the end stays in `in`.
 *
 *   piece_out  never empty; view into `in` or static
 */
bool smtp_data_next(struct smtp_data *d, struct str *in, struct str *piece_out);

/* Behind the last chunk: true if there is one more piece (a CR that was held back; with mending the
 * missing CRLF of the last line). A text that does not end in CRLF is no fault. */
bool smtp_data_finish(struct smtp_data *d, struct str *piece_out);

/* Does the decoded text end in CRLF (or is empty)? */
bool smtp_data_ends_in_line(const struct smtp_data *d);

/* All pieces of `in` appended to `b`; how many bytes were taken comes back. What `b` cannot hold
 * shows in buf_check(b), and the decoder goes on. */
size_t smtp_data_take(struct smtp_data *d, struct str in, struct buf *b);

/* What to reply to one fault. */
const struct smtp_data_fault_row *smtp_data_fault_row(enum smtp_data_fault fault);

#endif
