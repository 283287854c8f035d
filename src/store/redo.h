/* What a transaction did, as bytes: the operations in its record, each: table and deletion 1 byte,
 * key, value (var lengths). Pure. */
#ifndef STORE_REDO_H
#define STORE_REDO_H

#include "base/wire.h"
#include "store/engine.h"
#include "store/memtable.h"

struct redo {
    enum table table;
    bool gone;
    struct str key, value;
};

void redo_write(struct buf *b, const struct redo *r);

/* The next one; false at the end or when the bytes are bad (then w->bad is set). */
bool redo_next(struct wire *w, struct redo *out);

#endif
