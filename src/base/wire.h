/* Fixed-width values in byte order of the network, for frames between roles and rows in the store.
 *
 * Writing goes to a buf (its `over` is the error). Reading is a view with a sticky `bad`: after the
 * first short or malformed read everything reads as zero or empty, so a decoder is a straight list
 * of gets with one check at its end. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/buf.h"

void wire_put_u8(struct buf *b, uint8_t v);
void wire_put_u16(struct buf *b, uint16_t v);
void wire_put_u32(struct buf *b, uint32_t v);
void wire_put_u64(struct buf *b, uint64_t v);
void wire_put_str(struct buf *b, struct str s); /* u32 length, then the bytes */
void wire_put_var(struct buf *b,
                  uint64_t v); /* 7 bits a byte, low first: small numbers stay small */
void wire_put_vstr(struct buf *b, struct str s); /* length as var, then the bytes */

struct wire {
    struct str left;
    bool bad;
};

static inline struct wire wire_of(struct str s)
{
    return (struct wire){ .left = s };
}

uint8_t wire_get_u8(struct wire *w);
uint16_t wire_get_u16(struct wire *w);
uint32_t wire_get_u32(struct wire *w);
uint64_t wire_get_u64(struct wire *w);
uint64_t wire_get_var(struct wire *w);
struct str wire_get_str(struct wire *w);  /* view into the source */
struct str wire_get_vstr(struct wire *w); /* view into the source */
struct str wire_get_bytes(struct wire *w, size_t n);

/* OK when everything read was there and nothing is left over; else ERR_CORRUPT. */
enum err wire_end(const struct wire *w);

#endif
