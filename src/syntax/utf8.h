/* UTF-8, strictly (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. The one
 * validator of the house; NUL and control characters are valid UTF-8 and a matter of the grammars.
 */
#ifndef SYNTAX_UTF8_H
#define SYNTAX_UTF8_H

#include "syntax/scan.h"

/* Take one character: its code point, or -1 (and nothing is taken) at the end or before bytes that
 * are not UTF-8. */
int32_t utf8_take(struct scan *s);

/* How many bytes from the front are whole, valid characters. */
size_t utf8_valid_prefix(struct str s);

/* Is all of it UTF-8? Empty is. */
bool utf8_valid(struct str s);

/* Are all bytes below 128? Empty is. */
bool utf8_is_ascii(struct str s);

#endif
