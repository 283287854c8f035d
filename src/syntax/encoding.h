/* Content transfer encodings of bodies, streaming: chunks of any size go in, what comes out does
 * not depend on how the input was cut (except in a run of more than 1,000 blanks, which no encoder
 * of quoted-printable writes).
 *
 * Source: RFC 2045 6; RFC 2049 3 (what a cautious encoder avoids) */
#ifndef SYNTAX_ENCODING_H
#define SYNTAX_ENCODING_H

#include "base/buf.h"

enum encoding {
    ENCODING_IDENTITY, /* 7bit, 8bit, binary, or nothing said */
    ENCODING_QUOTED_PRINTABLE,
    ENCODING_BASE64,
    ENCODING_UNKNOWN, /* RFC 2045 6.4: to be treated as application/octet-stream */
};

/* Encoding by the word of a Content-Transfer-Encoding; empty is identity. */
enum encoding encoding_of(struct str word);

/* ---- decoding ---- */

struct decoder {
    enum encoding encoding;
    bool clean;      /* false: something had to be tolerated */
    bool ended;      /* base64: padding was seen, the rest is dropped */
    uint32_t bits;   /* base64: of the present group */
    unsigned have;   /* how many characters of it */
    struct buf held; /* quoted-printable: a tail that may turn out to be something else */
};

/* Begin. An unknown encoding passes through unchanged. */
void decoder_begin(struct decoder *d, enum encoding encoding);

/* Append what the next chunk decodes to: never more than the chunk's size and 1100 bytes. Cannot
 * fail; a buf that is full says so. */
void decoder_feed(struct decoder *d, struct str chunk, struct buf *out);

/* Append what was held back, give the memory back. */
void decoder_end(struct decoder *d, struct buf *out);

/* ---- encoding ---- */

struct encoder {
    enum encoding encoding;
    bool text;       /* CRLF is a line end and stays one; else it is data */
    unsigned column; /* of the present output line */
    struct buf held; /* bytes that wait for what follows them */
};

/* Begin. `encoding` is identity, quoted-printable or base64. Encoded lines have at most 76
 * characters and end in CRLF; quoted-printable leaves no line that begins with "From " or ".". */
void encoder_begin(struct encoder *e, enum encoding encoding, bool text);
void encoder_feed(struct encoder *e, struct str chunk, struct buf *out);
void encoder_end(struct encoder *e, struct buf *out);

#endif
