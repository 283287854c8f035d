/* Tokens of structured field values: words, quoted strings, literals in brackets, specials; with
 * comments and folding white space skipped.
 *
 * Nothing is refused and nothing is looked at twice: what is not closed reaches to the end.
 * Comments may nest as deep as they like, a counter does it.
 *
 * Source: RFC 5322 3.2, 4.1; RFC 2045 5.1 */
#ifndef SYNTAX_TOKEN_H
#define SYNTAX_TOKEN_H

#include "base/buf.h"
#include "syntax/scan.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,    /* bytes of the walk's word class */
    TOKEN_QUOTED,  /* "..." */
    TOKEN_LITERAL, /* [...] */
    TOKEN_SPECIAL, /* one byte that is nothing of the above */
};

struct token {
    enum token_kind kind;
    struct str raw; /* as it stands, with its quotes or brackets; a view into the value */
    bool spaced;    /* white space or a comment stood before it */
};

struct token_walk {
    struct scan scan;
    unsigned word_class; /* BYTE_ATEXT for RFC 5322 fields, BYTE_TOKEN for those of MIME */
    struct str comment;  /* the last comment that was skipped, without its outer parentheses */
    bool broken;         /* something was not closed */
};

/* Walk through the raw value of a field. */
struct token_walk token_walk_of(struct str value, unsigned word_class);

/* Next token; false at the end, `token_out` is then of kind TOKEN_END. */
bool token_next(struct token_walk *w, struct token *token_out);

/* Is it the special `c`? */
static inline bool token_is(const struct token *t, char c)
{
    return t->kind == TOKEN_SPECIAL && t->raw.p[0] == c;
}

/* Append what the token means: quotes, backslashes and line ends of a quoted string taken off,
 * a literal with its brackets and without line ends, everything else as it stands. */
void token_put(struct buf *b, const struct token *t);

/* Append the text of a comment: backslashes and line ends taken off, inner parentheses kept. */
void token_put_comment(struct buf *b, struct str comment);

#endif
