/* One consistent look at rows that lie in several layers: a transaction's own writes, the tables in
 * memory, the tree on disk. The upper layer decides.
 *
 * Keys and values found are views into the layers: they live as long as the layers are held. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "store/engine.h"
#include "store/memtable.h"

struct base_cursor;

/* The lowest layer, sorted rows. Errors: ERR_NOT_FOUND (nothing there, or the end of the walk),
 * ERR_IO, ERR_CORRUPT. */
struct base_ops {
    enum err (*get)(void *base, enum table table, struct str key, struct str *value_out);
    enum err (*open)(void *base, enum table table, struct base_cursor **c_out);
    /* The first row >= key (RANGE_UP), the last row < key, empty key: the last (RANGE_DOWN). */
    enum err (*seek)(struct base_cursor *c, enum range_order order, struct str key,
                     struct row *row_out);
    enum err (*step)(struct base_cursor *c, enum range_order order, struct row *row_out);
    void (*close)(struct base_cursor *c);
};

enum { VIEW_TABLES_MAX = 3 };

struct view {
    struct memtable *own; /* null: a snapshot */
    struct memtable *mem[VIEW_TABLES_MAX];
    size_t mem_count; /* newest first */
    uint64_t seq;     /* what in `mem` may be seen */
    const struct base_ops *base_ops;
    void *base; /* null: nothing below */
};

/* ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT. */
enum err view_get(const struct view *v, enum table table, struct str key, struct str *value_out);

struct view_walk;

/* Rows with from <= key < until (an empty `until`: to the end). view_walk_next: ERR_NOT_FOUND at
 * the end. No layer may be written to during the walk. */
struct view_walk *view_walk_begin(const struct view *v, enum table table, struct str from,
                                  struct str until, enum range_order order, enum err *e_out);
enum err view_walk_next(struct view_walk *w, struct row *row_out);
void view_walk_end(struct view_walk **w);

#endif
