/* A merge of at most five sorted layers. Each side stands on its next row; the smallest key (or the
 * largest, going down) wins, among equals the uppermost layer, and all sides that stand on this key
 * step on. */
#include "store/view.h"
#include "base/must.h"

#include <stdlib.h>

enum { SIDES_MAX = VIEW_TABLES_MAX + 2 };

struct side {
    const struct memtable *mem; /* null: the base */
    uint64_t seq;
    const struct mem_node *node;
    struct mem_found row;
    bool there;
};

struct view_walk {
    const struct base_ops *base_ops;
    struct base_cursor *cursor;
    enum table table;
    enum range_order order;
    struct str from, until;
    struct side sides[SIDES_MAX];
    size_t side_count;
};

enum err view_get(const struct view *v, enum table table, struct str key, struct str *value_out)
{
    struct mem_found found;
    bool hit = v->own != NULL && memtable_get(v->own, MEMTABLE_NEWEST, table, key, &found);
    for (size_t i = 0; !hit && i < v->mem_count; i++) {
        hit = memtable_get(v->mem[i], v->seq, table, key, &found);
    }
    if (hit) {
        if (found.gone) return ERR_NOT_FOUND;
        *value_out = found.value;
        return OK;
    }
    if (v->base == NULL) return ERR_NOT_FOUND;
    return v->base_ops->get(v->base, table, key, value_out);
}

/* ---- one side ---- */

static bool in_range(const struct view_walk *w, struct str key)
{
    if (w->order == RANGE_UP) return w->until.n == 0 || str_cmp(key, w->until) < 0;
    return str_cmp(key, w->from) >= 0;
}

/* From the node at hand on, stand on the first that has something to say to this reader. */
static void mem_settle(const struct view_walk *w, struct side *s)
{
    while (s->node != NULL && !memtable_at(s->node, s->seq, &s->row)) {
        s->node = w->order == RANGE_UP ? memtable_next(s->node) : memtable_prev(s->mem, s->node);
    }
    s->there = s->node != NULL && in_range(w, s->row.key);
}

static enum err base_settle(const struct view_walk *w, struct side *s, enum err e, struct row row)
{
    s->there = e == OK && in_range(w, row.key);
    s->row = (struct mem_found){ .key = row.key, .value = row.value };
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err side_start(struct view_walk *w, struct side *s)
{
    if (s->mem == NULL) {
        struct row row = { STR_NONE, STR_NONE };
        enum err e =
            w->base_ops->seek(w->cursor, w->order, w->order == RANGE_UP ? w->from : w->until, &row);
        return base_settle(w, s, e, row);
    }
    s->node = w->order == RANGE_UP ? memtable_first(s->mem, w->table, w->from)
                                   : memtable_last(s->mem, w->table, w->until);
    mem_settle(w, s);
    return OK;
}

static enum err side_step(struct view_walk *w, struct side *s)
{
    if (s->mem == NULL) {
        struct row row = { STR_NONE, STR_NONE };
        enum err e = w->base_ops->step(w->cursor, w->order, &row);
        return base_settle(w, s, e, row);
    }
    s->node = w->order == RANGE_UP ? memtable_next(s->node) : memtable_prev(s->mem, s->node);
    mem_settle(w, s);
    return OK;
}

/* ---- the merge ---- */

static void side_add(struct view_walk *w, const struct memtable *mem, uint64_t seq)
{
    must(w->side_count < SIDES_MAX);
    w->sides[w->side_count++] = (struct side){ .mem = mem, .seq = seq };
}

struct view_walk *view_walk_begin(const struct view *v, enum table table, struct str from,
                                  struct str until, enum range_order order, enum err *e_out)
{
    struct view_walk *w = calloc(1, sizeof *w);
    must(w != NULL);
    w->base_ops = v->base_ops;
    w->table = table;
    w->order = order;
    w->from = from;
    w->until = until;
    if (v->own != NULL) side_add(w, v->own, MEMTABLE_NEWEST);
    for (size_t i = 0; i < v->mem_count; i++) {
        side_add(w, v->mem[i], v->seq);
    }
    enum err e = OK;
    if (v->base != NULL) {
        e = v->base_ops->open(v->base, table, &w->cursor);
        if (e == OK) side_add(w, NULL, 0);
    }
    for (size_t i = 0; e == OK && i < w->side_count; i++) {
        e = side_start(w, &w->sides[i]);
    }
    *e_out = e;
    if (e != OK) view_walk_end(&w);
    return w;
}

static struct side *foremost(struct view_walk *w)
{
    struct side *best = NULL;
    for (size_t i = 0; i < w->side_count; i++) {
        struct side *s = &w->sides[i];
        if (!s->there) continue;
        int c = best != NULL ? str_cmp(s->row.key, best->row.key) : 0;
        if (best == NULL || (w->order == RANGE_UP ? c < 0 : c > 0)) best = s;
    }
    return best;
}

enum err view_walk_next(struct view_walk *w, struct row *row_out)
{
    for (;;) {
        struct side *best = foremost(w);
        if (best == NULL) return ERR_NOT_FOUND;
        struct mem_found row = best->row;
        for (size_t i = 0; i < w->side_count; i++) {
            struct side *s = &w->sides[i];
            if (!s->there || !str_eq(s->row.key, row.key)) continue;
            enum err e = side_step(w, s);
            if (e != OK) return e;
        }
        if (row.gone) continue;
        *row_out = (struct row){ .key = row.key, .value = row.value };
        return OK;
    }
}

void view_walk_end(struct view_walk **w)
{
    if (*w == NULL) return;
    if ((*w)->cursor != NULL) (*w)->base_ops->close((*w)->cursor);
    free(*w);
    *w = NULL;
}
