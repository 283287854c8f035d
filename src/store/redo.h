/* What a transaction did, as bytes: the operations in its record; and what lies in a segment: the
 * entries of its summary. Pure.
 *
 *   operations  each: table and deletion 1 byte, key, value (var lengths)
 *   summary     each: offset of the record 4, kind 1, blob id (or stage number, 8, then zeros) 16
 */
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

enum summary_kind { SUMMARY_BLOB, SUMMARY_STAGE };
enum { SUMMARY_ENTRY_BYTES = 21 };

struct summary {
    uint32_t offset;
    enum summary_kind kind;
    struct blob_id blob;
    uint64_t stage;
};

void summary_write(struct buf *b, const struct summary *s);
bool summary_next(struct wire *w, struct summary *out);

#endif
