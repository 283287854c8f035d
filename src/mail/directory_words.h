/* Words of the directory's text: separated by spaces and tabs, in double quotes where needed, '#'
 * begins a comment. */
#ifndef MAIL_DIRECTORY_WORDS_H
#define MAIL_DIRECTORY_WORDS_H

#include "base/arena.h"
#include "base/buf.h"

enum { WORDS_MAX = 1000 };

struct words {
    struct str *at;
    size_t n;
};

/* ERR_SYNTAX: a quote is not closed, or a backslash stands before a byte it has no meaning for;
 * ERR_LIMIT: too many words. Words live as long as the arena. */
enum err words_split(struct str line, struct arena *a, struct words *out);

/* Append a word, in quotes if it has to be; and name=value as one word. */
void words_put(struct buf *b, struct str word);
void words_put_pair(struct buf *b, struct str name, struct str value);

/* Whether `word` is name=value. */
bool words_is_pair(struct str word, struct str name, struct str *value_out);

#endif
