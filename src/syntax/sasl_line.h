/* The lines of a SASL exchange, as SMTP (RFC 4954), POP3 (RFC 5034) and ManageSieve spell them:
 *
 *     AUTH PLAIN            AUTH PLAIN =            AUTH PLAIN AGFubgBzZWNyZXQ=
 *     (base64)              *                       (cancelled by the client)
 */
#ifndef SYNTAX_SASL_LINE_H
#define SYNTAX_SASL_LINE_H

#include "base/arena.h"
#include "base/buf.h"

/* Longest line of base64 that must be taken, CRLF included (RFC 4954 4), and longest name of a
 * mechanism (RFC 4422 3.1). */
enum { SASL_LINE_MAX = 12288, SASL_MECHANISM_MAX = 20 };

struct sasl_start {
    struct str mechanism; /* in capitals */
    bool has_initial;     /* an initial response came along, perhaps an empty one */
    struct str initial;   /* its base64, not yet decoded; empty for "=" */
};

/* Parse what stands behind the word AUTH: mechanism, and perhaps an initial response, of which only
 * the outer form is looked at here. Result in the arena.
 * ERR_SYNTAX: no mechanism, a name outside the grammar, or more than two words;
 * ERR_LIMIT: longer than SASL_LINE_MAX. */
enum err sasl_start_parse(struct str text, struct arena *a, struct sasl_start *start_out);

/* Decode a client's response line (without CRLF), or an initial response's base64, appending to
 * `b`. ERR_CANCELLED: the line is "*"; ERR_SYNTAX: not base64; ERR_LIMIT: too long. */
enum err sasl_response_decode(struct buf *b, struct str line);

/* Append a server's challenge behind the protocol's prefix ("334 ", "+ "): base64 and CRLF. */
void sasl_challenge_put(struct buf *b, struct str prefix, struct str challenge);

#endif
