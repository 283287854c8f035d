/* What a record's operations do to the tables. A blob's row comes with extents that name parts of
 * the record; here they get their places and sums, which makes the row one for ever. */
#include "store/embedded.h"
#include "base/must.h"

#include <stdlib.h>

static void touch(const struct apply *a, struct mem_node *n)
{
    if (a->touched == NULL) return;
    if (*a->touched_count == *a->touched_room) {
        *a->touched_room = *a->touched_room > 0 ? *a->touched_room * 2 : 256;
        *a->touched = reallocarray(*a->touched, *a->touched_room, sizeof **a->touched);
        must(*a->touched != NULL);
    }
    (*a->touched)[(*a->touched_count)++] = n;
}

/* Part `index` of the record. */
static bool part_find(struct str payload, uint32_t data_bytes, uint64_t index, struct part *out)
{
    struct parts parts = parts_begin(payload, data_bytes);
    for (uint64_t i = 0; parts_next(&parts, out); i++) {
        if (i == index) return true;
    }
    return false;
}

static enum err resolve(const struct apply *a, struct str row, struct str payload,
                        uint32_t data_bytes, struct buf *out)
{
    struct blob_row b;
    struct extent x;
    enum err e = blob_row_parse(row, &b);
    if (e != OK) return e;
    blob_row_write(out, &b);
    while (extent_next(&b, &x)) {
        struct part part;
        if (x.segment == 0) {
            if (!part_find(payload, data_bytes, x.offset, &part) || part.bytes != x.bytes)
                return ERR_CORRUPT;
            x.segment = a->at.segment;
            x.offset = a->at.offset + record_data_at((uint32_t)payload.n) + part.at;
            x.sums = part.sums;
        }
        extent_write(out, &x);
    }
    return b.wire.bad || out->over ? ERR_CORRUPT : OK;
}

/* The operations of a payload, which stand behind its parts. */
static struct wire ops_of(struct str payload, uint32_t data_bytes)
{
    struct parts parts = parts_begin(payload, data_bytes);
    struct part part;
    while (parts_next(&parts, &part)) {
    }
    return parts.wire;
}

enum err apply_count_before(const struct view *view, struct str payload, uint32_t data_bytes,
                            struct live *live)
{
    struct wire ops = ops_of(payload, data_bytes);
    struct redo r;
    enum err e = OK;
    while (e == OK && redo_next(&ops, &r)) {
        struct str before;
        if (r.table != TABLE_BLOBS) continue;
        e = view_get(view, TABLE_BLOBS, r.key, &before);
        if (e == OK) e = live_add_row(live, before, -1);
        if (e == ERR_NOT_FOUND) e = OK;
    }
    return e == OK && ops.bad ? ERR_CORRUPT : e;
}

static void put_row(const struct apply *a, const struct redo *r)
{
    struct memtable *m = a->e->active->mem;
    touch(a, r->gone ? memtable_del(m, a->seq, r->table, r->key)
                     : memtable_put(m, a->seq, r->table, r->key, r->value));
}

static enum err put_blob(const struct apply *a, struct redo *r, struct str payload,
                         uint32_t data_bytes, struct buf *row)
{
    buf_clear(row);
    enum err e = resolve(a, r->value, payload, data_bytes, row);
    if (e != OK) return e;
    r->value = buf_str(row);
    put_row(a, r);
    return live_add_row(a->live, r->value, 1);
}

enum err apply_rows(const struct apply *a, struct str payload, uint32_t data_bytes)
{
    struct wire ops = ops_of(payload, data_bytes);
    struct redo r;
    struct buf row = BUF_INIT(ENGINE_VALUE_MAX);
    enum err e = OK;
    while (e == OK && redo_next(&ops, &r)) {
        if (r.table == TABLE_BLOBS && !r.gone) {
            e = put_blob(a, &r, payload, data_bytes, &row);
        } else {
            put_row(a, &r);
        }
    }
    buf_free(&row);
    return e == OK && ops.bad ? ERR_CORRUPT : e;
}
