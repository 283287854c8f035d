/* Message identifiers of Message-ID, In-Reply-To, References.    Source: RFC 5322 3.6.4, 4.5.4 */
#ifndef SYNTAX_MESSAGE_ID_H
#define SYNTAX_MESSAGE_ID_H

#include "syntax/scan.h"

enum { MESSAGE_ID_MAX = 995 }; /* with its brackets it still fits into a line */

/* Next "<...>" of a field's raw value, without the brackets: not empty, no blanks and control bytes
 * in it, at most MESSAGE_ID_MAX bytes; an "@" is not asked for, since many go without. Words,
 * commas and comments around identifiers are passed over, so are malformed ones. False at the end.
 * `id_out` is a view. */
bool message_id_next(struct scan *s, struct str *id_out);

/* Is the raw value of a field exactly one identifier with an "@" in it, as RFC 5322 wants it? */
bool message_id_is_sound(struct str value);

#endif
