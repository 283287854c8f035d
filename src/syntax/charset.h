/* Charsets of mail to UTF-8.
 *
 * Charsets of one byte are tables here. Those of several bytes (Chinese, Japanese, Korean) are the
 * C library's iconv, by a list of names that is closed: what a stranger names never chooses what is
 * loaded. iconv reads its modules from files, so that a process that is going to lock itself in
 * calls charset_prepare() first; without them such text stays undecoded. One thread at a time. */
#ifndef SYNTAX_CHARSET_H
#define SYNTAX_CHARSET_H

#include "base/buf.h"

/* Append `bytes`, which are in `charset` (ASCII case folded), as UTF-8: at most three bytes for
 * each one. What means nothing becomes U+FFFD; the result is always valid. "us-ascii" and
 * "iso-8859-1" are read as their supersets UTF-8 and windows-1252, as all the world writes them.
 *
 * ERR_UNSUPPORTED  unknown charset, nothing was appended */
enum err charset_to_utf8(struct buf *b, struct str charset, struct str bytes);

/* Append `bytes`, which should be UTF-8, with what is not replaced by U+FFFD. */
void charset_put_utf8(struct buf *b, struct str bytes);

/* Append one character; what is none becomes U+FFFD. */
void charset_put_char(struct buf *b, uint32_t code_point);

/* Load all converters now. Returns how many there are not. */
unsigned charset_prepare(void);

#endif
