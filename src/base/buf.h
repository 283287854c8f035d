/* struct buf: bytes that we own, with a ceiling.
 *
 * The one builder of the house. It grows by doubling up to `max_bytes`; an append beyond that
 * changes nothing and sets `over`, which sticks until buf_clear(), so a whole chain of appends
 * needs one check at its end. Views into a buf die with the next append. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap, max_bytes;
    bool over;
};

#define BUF_INIT(max)                                                                              \
    {                                                                                              \
        .max_bytes = (max)                                                                         \
    }

static inline struct buf buf_new(size_t max_bytes)
{
    return (struct buf)BUF_INIT(max_bytes);
}

/* Give the memory back; the buf is empty and usable again. Accepts one that never grew. */
void buf_free(struct buf *b);

/* Empty it, keep the memory, forget `over`. */
void buf_clear(struct buf *b);

/* What has been written; lives until the next change. */
static inline struct str buf_str(const struct buf *b)
{
    return str_of(b->p, b->n);
}

/* OK, or ERR_LIMIT when any append since the last clear did not fit. */
enum err buf_check(const struct buf *b);

void buf_put(struct buf *b, struct str s);
void buf_put_byte(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t value);                       /* decimal */
void buf_put_i64(struct buf *b, int64_t value);                        /* decimal */
void buf_put_u64_width(struct buf *b, uint64_t value, unsigned width); /* decimal, zero padded */
void buf_put_hex(struct buf *b, struct str bytes);                     /* lower case, two a byte */
void buf_put_hex_u64(struct buf *b, uint64_t value, unsigned digits);  /* low `digits` nibbles */
void buf_put_lower(struct buf *b, struct str s);                       /* ASCII letters folded */
#define buf_put_lit(b, lit) buf_put((b), STR(lit))

/* Room for `n` more bytes to be filled in place: returns where, or null (and `over`) when they do
 * not fit. Follow it with buf_commit() of at most `n`. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Drop the first `n` bytes; what is left moves to the front. */
void buf_drop_front(struct buf *b, size_t n);

/* Cut to `n` bytes; `n` at most the present length. */
void buf_truncate(struct buf *b, size_t n);

#endif
