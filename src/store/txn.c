/* Limits are checked before anything is written, so a refused call changes nothing. */
#include "store/txn.h"
#include "base/must.h"

enum { RANGE_BYTES_MAX = 1 << 20, RANGE_ROWS_MAX = 10000 };

void txn_start(struct txn *t, struct engine *e)
{
    t->engine = e;
    if (t->view.own == NULL) t->view.own = memtable_new();
    t->blobs_end = &t->blobs;
}

void txn_finish(struct txn *t)
{
    arena_free(&t->arena);
    if (memtable_versions(t->view.own) > 0) memtable_reset(t->view.own);
    struct memtable *own = t->view.own;
    *t = (struct txn){ .view.own = own };
}

struct arena *txn_arena(struct txn *t)
{
    return &t->arena;
}

enum err txn_get(struct txn *t, struct str key, struct str *value_out)
{
    struct str value = STR_NONE;
    enum err e = view_get(&t->view, TABLE_ROWS, key, &value);
    if (e == OK) *value_out = arena_str(&t->arena, value);
    return e;
}

/* ---- writing ---- */

static enum err count_write(struct txn *t, struct str key, struct str value)
{
    must(t->view.own != NULL); /* a snapshot is for reading */
    if (key.n == 0 || key.n > ENGINE_KEY_MAX || value.n > ENGINE_VALUE_MAX) return ERR_LIMIT;
    if (t->ops >= ENGINE_TXN_OPS_MAX) return ERR_LIMIT;
    if (key.n + value.n > ENGINE_TXN_BYTES_MAX - t->bytes) return ERR_LIMIT;
    t->ops++;
    t->bytes += key.n + value.n;
    return OK;
}

enum err txn_write(struct txn *t, enum table table, struct str key, struct str value)
{
    enum err e = count_write(t, key, value);
    if (e != OK) return e;
    memtable_put(t->view.own, 0, table, key, value);
    return OK;
}

enum err txn_erase(struct txn *t, enum table table, struct str key)
{
    enum err e = count_write(t, key, STR_NONE);
    if (e != OK) return e;
    memtable_del(t->view.own, 0, table, key);
    return OK;
}

enum err txn_put(struct txn *t, struct str key, struct str value)
{
    return txn_write(t, TABLE_ROWS, key, value);
}

enum err txn_del(struct txn *t, struct str key)
{
    return txn_erase(t, TABLE_ROWS, key);
}

enum err txn_blob_note(struct txn *t, const struct txn_blob *b)
{
    size_t bytes = b->head.n + b->small.n;
    if (bytes > ENGINE_BLOB_INLINE_MAX) return ERR_LIMIT;
    if (t->blob_count >= ENGINE_TXN_BLOBS_MAX) return ERR_LIMIT;
    if (bytes > ENGINE_TXN_INLINE_MAX - t->inline_bytes) return ERR_LIMIT;
    struct txn_blob *kept = ARENA_NEW(&t->arena, struct txn_blob);
    *kept = *b;
    kept->next = NULL;
    *t->blobs_end = kept;
    t->blobs_end = &kept->next;
    t->blob_count++;
    t->inline_bytes += bytes;
    return OK;
}

/* ---- ranges ---- */

static struct row copy_row(struct arena *a, struct row row)
{
    return (struct row){ .key = arena_str(a, row.key), .value = arena_str(a, row.value) };
}

/* The result's array grows by doubling: its size is not known before, and `max_rows` is often far
 * above what is there. */
static void rows_add(struct arena *a, struct rows *rows, size_t *room, struct row row)
{
    if (rows->n == *room) {
        size_t bigger = *room > 0 ? *room * 2 : 16;
        struct row *at = ARENA_MANY(a, struct row, bigger);
        if (rows->n > 0) memcpy(at, rows->at, rows->n * sizeof *at);
        rows->at = at;
        *room = bigger;
    }
    rows->at[rows->n++] = copy_row(a, row);
}

static enum err collect(struct arena *a, struct view_walk *w, size_t max_rows, struct rows *out)
{
    size_t bytes = 0, room = 0;
    for (;;) {
        struct row row;
        enum err e = view_walk_next(w, &row);
        if (e == ERR_NOT_FOUND) return OK;
        if (e != OK) return e;
        if (out->n == max_rows || bytes >= RANGE_BYTES_MAX) {
            out->more = true;
            return OK;
        }
        bytes += row.key.n + row.value.n;
        rows_add(a, out, &room, row);
    }
}

enum err txn_range(struct txn *t, struct str from, struct str until, enum range_order order,
                   size_t max_rows, struct rows *out)
{
    must(max_rows >= 1 && max_rows <= RANGE_ROWS_MAX);
    struct rows found = { 0 };
    if (until.n > 0 && str_cmp(from, until) >= 0) {
        *out = found;
        return OK;
    }
    enum err e;
    struct view_walk *w = view_walk_begin(&t->view, TABLE_ROWS, from, until, order, &e);
    if (e != OK) return e;
    e = collect(&t->arena, w, max_rows, &found);
    view_walk_end(&w);
    if (e == OK) *out = found;
    return e;
}
