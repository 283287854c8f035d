/* Encoded words: other charsets than ASCII in heads.     Source: RFC 2047, RFC 2231 5, RFC
 * 5322 2.2.3 */
#ifndef SYNTAX_ENCODED_WORD_H
#define SYNTAX_ENCODED_WORD_H

#include "base/arena.h"
#include "base/buf.h"

/* Text of an unfolded header value or display name with its encoded words decoded: always valid
 * UTF-8 without control characters (they become blanks). Blanks between two encoded words go; words
 * of one charset that follow one another are put together before they are converted, since many
 * writers cut characters in two. Words in unknown charsets stay as they are. Raw bytes that are not
 * UTF-8 become U+FFFD. At most three times as long as `text`; linear. */
struct str encoded_word_decode(struct arena *a, struct str text);

/* Append `text` (UTF-8; what is not becomes U+FFFD) as the value of an unstructured field or as a
 * phrase: as it is where it is plain ASCII, else as encoded words in UTF-8, folded with CRLF and a
 * blank so that lines stay within 76 columns where they can.
 *
 *   column  of the line at hand: where it is, and is then */
void encoded_word_put(struct buf *b, struct str text, size_t *column);

#endif
