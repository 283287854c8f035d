/* The row of a blob, as bytes: how often it is referred to, and where its bytes lie. Pure.
 *
 *   count 4, stage number var (0: none), bytes var, extents var, each:
 *     segment var, offset var (of the bytes in the segment's file), bytes var, sums 8 each
 *   An extent with segment 0 stands in a transaction's own record: its offset is the index of the
 *   part there, it has no sums. Rows in tables never hold such. */
#ifndef STORE_BLOB_ROW_H
#define STORE_BLOB_ROW_H

#include "base/wire.h"
#include "store/engine.h"

struct extent {
    uint64_t segment, offset;
    uint32_t bytes;
    struct str sums;
};

struct blob_row {
    uint32_t count;
    uint64_t stage, bytes, extents;
    struct wire wire; /* the extents that are still to come */
    uint64_t left;
};

/* ERR_CORRUPT. Then up to `extents` times extent_next(). */
enum err blob_row_parse(struct str row, struct blob_row *out);

/* False at the end, or when the bytes are bad (row->wire.bad). */
bool extent_next(struct blob_row *row, struct extent *out);

/* The head of a row; the caller writes `extents` extents behind it. */
void blob_row_write(struct buf *b, const struct blob_row *row);
void extent_write(struct buf *b, const struct extent *x);

#endif
