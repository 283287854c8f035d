/* Keywords: names that users give to messages (RFC 9051 2.3.2). A message row holds one byte for
 * each; the account's table says what they mean. Names differ in more than case; the first spelling
 * is kept. A table row is never taken back, so that no message row has to be rewritten. */
#ifndef MAIL_KEYWORD_H
#define MAIL_KEYWORD_H

#include "mail/row.h"

enum { KEYWORD_MAX = 200, KEYWORD_NAME_MAX = 100 };

/* The account's names; the index is the id. Views live as long as the transaction. */
struct keywords {
    struct str *names;
    size_t n;
};
enum err keywords_get(struct txn *t, uint64_t account, struct keywords *out);

/* Ids of these names, ascending, each once. `make`: names that are new are added to the account's
 * table, else they are left out. ERR_INVALID (no atom, RFC 9051 "flag-keyword", or too long),
 * ERR_LIMIT (KEYWORD_MAX). */
enum err keywords_ids(struct txn *t, uint64_t account, const struct str *names, size_t n, bool make,
                      struct str *ids_out);

#endif
