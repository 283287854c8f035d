/* A table in memory with what the tree needs to know to take it over; and changes in what is alive
 * in the segments. */
#ifndef STORE_LAYER_H
#define STORE_LAYER_H

#include "store/memtable.h"
#include "store/rows_lmdb.h"

/* By how much the living bytes of each segment change. */
struct live {
    struct live_change {
        uint64_t segment, end; /* end: largest end of an extent that was added */
        int64_t bytes;
    } * at;
    size_t n, room;
};

void live_add(struct live *l, uint64_t segment, int64_t bytes, uint64_t end);
void live_merge(struct live *into, const struct live *from);
void live_clear(struct live *l);
void live_free(struct live *l);

/* Add (sign 1) or subtract (-1) the extents of a blob's row. ERR_CORRUPT. */
enum err live_add_row(struct live *l, struct str row, int sign);

struct layer {
    struct memtable *mem;
    unsigned refs; /* the engine's and the snapshots', under the engine's view lock */
    struct live live;
    struct rows_mark mark; /* the tree's when it has taken this over */
    uint64_t log_bytes;    /* of the records in it */
    int64_t since_ms;      /* of its first record */
    uint64_t last_seq;     /* the last transaction in it */
};

struct layer *layer_new(void);
void layer_free(struct layer **l);
bool layer_is_empty(const struct layer *l);

#endif
