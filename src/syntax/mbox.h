/* mbox files: many messages in one, in the variant mboxrd, which can be read back byte for byte.
 *
 * A message is a From_ line, its text with LF line ends, and one LF more. A line of the text that
 * begins with "From ", or with ">" before that, gets one ">" in front. Other writers' files are
 * taken as they come: CRLF line ends, no empty line before a From_ line, other forms of its date.
 *
 * Texts outside of the file have CRLF line ends. After a way into a file and back a text is the
 * same, byte for byte, unless it has an LF without CR (`altered` tells).
 *
 * Source: RFC 4155 (default format, dates in UTC); https://www.jwz.org/doc/content-length.html on
 * why lengths in heads are not believed */
#ifndef SYNTAX_MBOX_H
#define SYNTAX_MBOX_H

#include "base/arena.h"
#include "base/buf.h"

enum { MBOX_FROM_LINE_MAX = 1000, MBOX_QUOTES_MAX = 4096 };

/* How far the beginning of a line looks like ">>From ". */
struct mbox_start {
    uint32_t quotes, matched; /* '>' seen, and bytes of "From " behind them */
};

/* ---- reading ---- */

enum mbox_event {
    MBOX_MORE,  /* the input is used up */
    MBOX_BEGIN, /* a message begins, the one before it is over; `from` is its From_ line */
};

struct mbox_reader {
    struct buf from; /* without its line end; until the next call */
    bool in_message; /* a From_ line was seen: else what comes is no mbox file */

    /* Inner state. */
    enum { MBOX_AT_START, MBOX_IN_FROM, MBOX_IN_LINE } at;
    struct mbox_start start;
    bool line_end; /* one that waits, because it may be the message's last */
    bool cr;       /* a CR that may belong to a line end */
};

/* Room that `text` needs for `n` bytes of input, at most. */
static inline size_t mbox_text_room(size_t n)
{
    return 2 * n + MBOX_FROM_LINE_MAX + MBOX_QUOTES_MAX + 16;
}

void mbox_reader_init(struct mbox_reader *r);

/* Take bytes off the front of `in` up to the next event and append text of the message at hand to
 * `text`, with CRLF line ends (`text` needs mbox_text_room(in->n)). */
enum mbox_event mbox_next(struct mbox_reader *r, struct str *in, struct buf *text);

/* The file is over. MBOX_BEGIN: it ended in a From_ line; call again then. */
enum mbox_event mbox_finish(struct mbox_reader *r, struct buf *text);

void mbox_reader_free(struct mbox_reader *r);

/* "From ann@example.org Sat Jan  3 01:05:34 1996", with what writers add to it: no seconds, a zone
 * before or behind the year, "remote from". ERR_SYNTAX: no From_ line, or one without a date. A
 * missing zone is UTC. */
enum err mbox_from_parse(struct str line, struct str *sender_out, int64_t *time_s_out);

/* ---- writing ---- */

/* Append the line with its LF. A sender that cannot stand there (empty, with blanks or control
 * bytes) becomes MAILER-DAEMON. */
void mbox_put_from(struct buf *b, struct str sender, int64_t time_s);

struct mbox_writer {
    bool altered; /* some byte of the text will not come back as it was */

    /* Inner state. */
    struct mbox_start start;
    bool in_line; /* it is clear that the line is no From_ line */
    bool cr;      /* a CR that waits for what follows it */
    bool last_cr; /* the last byte written of the line is a CR */
};

/* Append a piece of text as it stands in a file; begin with a zeroed writer. What `b` cannot hold
 * shows in buf_check(b); it needs mbox_text_room(piece.n). */
void mbox_put_text(struct mbox_writer *w, struct str piece, struct buf *b);

/* The text is over: append what waits and the line end that goes with every message. */
void mbox_put_end(struct mbox_writer *w, struct buf *b);

/* ---- what mail readers keep in the head ---- */

enum {
    MBOX_SEEN = 1,     /* Status: R */
    MBOX_OLD = 2,      /* Status: O */
    MBOX_ANSWERED = 4, /* X-Status: A */
    MBOX_FLAGGED = 8,  /* X-Status: F */
    MBOX_DELETED = 16, /* X-Status: D */
    MBOX_DRAFT = 32,   /* X-Status: T */
    MBOX_KEYWORDS_MAX = 200,
};

struct mbox_meta {
    uint32_t uid;                    /* X-UID; 0: none */
    uint32_t uid_validity, uid_last; /* X-IMAPbase or X-IMAP of the first message; 0: none */
    unsigned flags;
    struct str *keywords;
    size_t keyword_count;
};

struct mbox_range {
    size_t from, end;
};

/* Read the fields from a head and say where they stand, so that they can be left out. When the head
 * begins with some of them, they are a block of ours, in its order and each of them once, and
 * further ones belong to the message; else they count wherever they stand. Views into `head`; lists
 * in the arena. */
void mbox_meta_take(struct arena *a, struct str head, struct mbox_meta *meta_out,
                    struct mbox_range **drops_out, size_t *drop_count_out);

/* Append them as a block of lines with LF, to stand before the text. `first`: X-IMAPbase as well.
 * All others are always written, so that the block has an end. */
void mbox_meta_put(struct buf *b, const struct mbox_meta *m, bool first);

#endif
