/* Modified UTF-7: names of mailboxes in ASCII, as old IMAP and Maildir++ folders have them.
 * Source: RFC 3501 5.1.3, RFC 2152 */
#ifndef SYNTAX_MUTF7_H
#define SYNTAX_MUTF7_H

#include "base/buf.h"

/* Append `name` (UTF-8; what is not becomes U+FFFD). Bytes of `shift` (ASCII) are encoded although
 * they could stand for themselves. */
void mutf7_put(struct buf *b, struct str name, struct str shift);

/* Append the name that `text` stands for. Takes also what has no need to be encoded, and UTF-8 as
 * it is (RFC 6855). ERR_SYNTAX: not in the grammar, half of a surrogate pair, not UTF-8; then what
 * was appended is cut off again. */
enum err mutf7_decode(struct buf *b, struct str text);

#endif
