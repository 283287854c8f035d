/* xtext: how DSN parameters carry any byte in graphic ASCII.
 *                                              Source: RFC 3461 4 (xtext); RFC 6533 3 (utf-8
 * address)
 */
#ifndef SYNTAX_XTEXT_H
#define SYNTAX_XTEXT_H

#include "base/buf.h"

/* Append what `text` stands for: "+3D" is '='. Any byte can come out, NUL too.
 * ERR_SYNTAX (and nothing is appended): a byte that is no xchar, or '+' without two hexadecimal
 * digits behind it (lower case is tolerated). */
enum err xtext_decode(struct buf *b, struct str text);

/* Append `bytes` as xtext. */
void xtext_put(struct buf *b, struct str bytes);

/* Append what a utf-8-addr-xtext stands for ("\x{20AC}" is the euro sign), or, with `raw_utf8`, a
 * utf-8-addr-unitext, which may have UTF-8 as it is.
 * ERR_SYNTAX (and nothing is appended): bytes outside the grammar, a code point that does not exist
 * or is a control character. */
enum err xtext_utf8_decode(struct buf *b, struct str text, bool raw_utf8);

/* Append valid UTF-8 as utf-8-addr-xtext (all ASCII), or with `raw_utf8` as utf-8-addr-unitext.
 * Bytes that are not UTF-8 become U+FFFD. */
void xtext_utf8_put(struct buf *b, struct str text, bool raw_utf8);

#endif
