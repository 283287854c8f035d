/* Domain names as mail uses them: one normal form, and comparison in that form only. */
#ifndef SYNTAX_DOMAIN_H
#define SYNTAX_DOMAIN_H

#include "base/arena.h"
#include "base/buf.h"

enum { DOMAIN_MAX = 255, DOMAIN_LABEL_MAX = 63 };

/* Accept underscores as if they were letters: some hosts have them in spite of the grammar. */
enum domain_option { DOMAIN_UNDERSCORE = 1 << 0 };

/* Bring a domain name into its normal form: ASCII letters in lower case, every label with other
 * characters as its A-label.
 *
 *   text        as written; UTF-8 allowed
 *   domain_out  lives as long as the arena
 *
 * ERR_SYNTAX: not a domain name (empty label, leading or trailing dot or hyphen, foreign byte);
 * ERR_LIMIT: a label over 63 or the name over 255 bytes in its normal form (or as it came);
 * ERR_INVALID: not UTF-8, or a label that IDNA2008 refuses (also one that came as A-label, and any
 * dot that is not U+002E).
 *                     Source: RFC 5321 4.1.2, 4.5.3.1.2; RFC 5890, 5891 (lookup); RFC 6531 3.3 */
enum err domain_normalise(struct str text, unsigned options, struct arena *a,
                          struct str *domain_out);

/* Two names in normal form: is `name` the domain or one below it? */
bool domain_is_below(struct str name, struct str domain);

/* Append the name for human eyes: each A-label as its U-label where that is one. Never compare the
 * result. `domain` is in normal form. */
void domain_put_shown(struct buf *b, struct str domain);

#endif
