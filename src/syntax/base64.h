/* Base64 (RFC 4648 4) for SASL, and tolerantly for message bodies. */
#ifndef SYNTAX_BASE64_H
#define SYNTAX_BASE64_H

#include "base/buf.h"

/* Append the bytes that `text` stands for, and accept nothing but the one right spelling: no
 * foreign byte, no line break, padding to a multiple of four, unused bits zero. Empty is empty.
 * ERR_SYNTAX: anything else; ERR_LIMIT: the buf is full. Nothing is appended on failure. */
enum err base64_decode(struct buf *b, struct str text);

/* Append what can be made of `text` (RFC 2045 6.8): foreign bytes are skipped, padding may be
 * missing, everything behind the first padding is dropped.
 *
 *   clean_out  (may be null) false if anything but line breaks and white space had to be tolerated
 *
 * ERR_LIMIT: the buf is full (nothing is appended). */
enum err base64_decode_lenient(struct buf *b, struct str text, bool *clean_out);

/* Append `bytes` as base64, padded, on one line. */
void base64_put(struct buf *b, struct str bytes);

/* Length of the encoded form of `n` bytes. */
static inline size_t base64_length(size_t n)
{
    return (n / 3 + (n % 3 > 0)) * 4;
}

#endif
