#include "store/layer.h"
#include "base/must.h"
#include "store/blob_row.h"

#include <stdlib.h>

/* Sorted by segment: whoever empties an old mailbox touches many. */
void live_add(struct live *l, uint64_t segment, int64_t bytes, uint64_t end)
{
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->at[mid].segment < segment) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low < l->n && l->at[low].segment == segment) {
        l->at[low].bytes += bytes;
        if (end > l->at[low].end) l->at[low].end = end;
        return;
    }
    if (l->n == l->room) {
        l->room = l->room > 0 ? l->room * 2 : 8;
        l->at = reallocarray(l->at, l->room, sizeof *l->at);
        must(l->at != NULL);
    }
    memmove(l->at + low + 1, l->at + low, (l->n - low) * sizeof *l->at);
    l->at[low] = (struct live_change){ segment, end, bytes };
    l->n++;
}

void live_merge(struct live *into, const struct live *from)
{
    for (size_t i = 0; i < from->n; i++) {
        live_add(into, from->at[i].segment, from->at[i].bytes, from->at[i].end);
    }
}

void live_clear(struct live *l)
{
    l->n = 0;
}

void live_free(struct live *l)
{
    free(l->at);
    *l = (struct live){ 0 };
}

enum err live_add_row(struct live *l, struct str row, int sign)
{
    struct blob_row b;
    struct extent x;
    enum err e = blob_row_parse(row, &b);
    if (e != OK) return e;
    while (extent_next(&b, &x)) {
        live_add(l, x.segment, sign * (int64_t)x.bytes, sign > 0 ? x.offset + x.bytes : 0);
    }
    return b.wire.bad ? ERR_CORRUPT : OK;
}

struct layer *layer_new(void)
{
    struct layer *l = calloc(1, sizeof *l);
    must(l != NULL);
    l->mem = memtable_new();
    l->refs = 1;
    return l;
}

void layer_free(struct layer **l)
{
    if (*l == NULL) return;
    memtable_free(&(*l)->mem);
    live_free(&(*l)->live);
    free(*l);
    *l = NULL;
}

bool layer_is_empty(const struct layer *l)
{
    return memtable_versions(l->mem) == 0;
}
