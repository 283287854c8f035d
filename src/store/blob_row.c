#include "store/blob_row.h"
#include "store/record.h"

enum err blob_row_parse(struct str row, struct blob_row *out)
{
    struct blob_row r = { .wire = wire_of(row) };
    r.count = wire_get_u32(&r.wire);
    r.stage = wire_get_var(&r.wire);
    r.bytes = wire_get_var(&r.wire);
    r.extents = r.left = wire_get_var(&r.wire);
    if (r.wire.bad) return ERR_CORRUPT;
    *out = r;
    return OK;
}

bool extent_next(struct blob_row *row, struct extent *out)
{
    if (row->left == 0 || row->wire.bad) return false;
    struct extent x = { .segment = wire_get_var(&row->wire) };
    x.offset = wire_get_var(&row->wire);
    uint64_t bytes = wire_get_var(&row->wire);
    if (bytes > RECORD_DATA_MAX) row->wire.bad = true;
    if (row->wire.bad) return false;
    x.bytes = (uint32_t)bytes;
    if (x.segment != 0)
        x.sums = wire_get_bytes(&row->wire, part_sum_count(bytes) * sizeof(uint64_t));
    if (row->wire.bad) return false;
    row->left--;
    *out = x;
    return true;
}

void blob_row_write(struct buf *b, const struct blob_row *row)
{
    wire_put_u32(b, row->count);
    wire_put_var(b, row->stage);
    wire_put_var(b, row->bytes);
    wire_put_var(b, row->extents);
}

void extent_write(struct buf *b, const struct extent *x)
{
    wire_put_var(b, x->segment);
    wire_put_var(b, x->offset);
    wire_put_var(b, x->bytes);
    if (x->segment != 0) buf_put(b, x->sums);
}
