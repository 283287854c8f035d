/* The words and marks of the configuration file; for conf.c only. */
#ifndef SYNTAX_CONF_LEX_H
#define SYNTAX_CONF_LEX_H

#include "syntax/conf.h"

enum conf_token_kind {
    CONF_TOKEN_WORD,
    CONF_TOKEN_OPEN,  /* { */
    CONF_TOKEN_CLOSE, /* } */
    CONF_TOKEN_BREAK, /* end of a line of the file, or ';' */
    CONF_TOKEN_END,   /* of the file */
};

struct conf_token {
    enum conf_token_kind kind;
    struct conf_word word; /* text of words, place of all */
    bool bad;              /* a fault has been noted in or before it */
};

struct conf_lex {
    struct str left; /* what has not been read yet */
    struct conf_at here;
    struct arena *arena; /* of texts that are not as they stand in the file */
    struct conf_faults *faults;
    uint32_t odd_line; /* last line whose odd bytes were reported: once a line is enough */
    bool bad;
};

/* Begin at the front of `bytes`, which outlive everything. */
struct conf_lex conf_lex_of(struct str file, struct str bytes, struct arena *a,
                            struct conf_faults *faults);

struct conf_token conf_lex_next(struct conf_lex *l);

/* The first character of `s`: its code point and length in bytes; CONF_CHAR_NOT_UTF8 (one byte) or
 * CONF_CHAR_END (none). RFC 3629, strictly. */
enum { CONF_CHAR_END = -1, CONF_CHAR_NOT_UTF8 = -2 };
int32_t conf_char(struct str s, size_t *bytes_out);

#endif
