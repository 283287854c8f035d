/* The flusher: takes a frozen table over into the tree, with what it changed in the segments and
 * the mark, in one LMDB transaction.
 *
 * It begins when a table is frozen: because it has grown large, old, or because somebody asks. A
 * failure for lack of space leaves everything as it was and is tried again; any other is the end.
 */
#include "store/embedded.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { RETRY_MS = 1000 };

/* ---- what changed in the segments ---- */

static void number_put(char *out, uint64_t v)
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (char)(v >> (8 * (7 - i)));
    }
}

/* The segment's row as it will be: what the tree says plus the change. */
static enum err segment_row(const struct view *tree, const struct live_change *c,
                            struct rows_extra *out)
{
    struct str row;
    int64_t bytes = c->bytes;
    uint64_t end = c->end;
    *out = (struct rows_extra){ .table = TABLE_SEGMENTS };
    number_put(out->key, c->segment);
    enum err e = view_get(tree, TABLE_SEGMENTS, str_of(out->key, sizeof out->key), &row);
    if (e == OK) {
        struct wire w = wire_of(row);
        uint64_t old_end = wire_get_u64(&w);
        bytes += (int64_t)wire_get_u64(&w);
        if (wire_end(&w) != OK) return ERR_CORRUPT;
        if (old_end > end) end = old_end;
    } else if (e != ERR_NOT_FOUND) {
        return e;
    }
    number_put(out->value, end);
    number_put(out->value + 8, (uint64_t)bytes);
    return OK;
}

static enum err segment_rows(struct embedded *e, const struct live *live, struct rows_extra *out)
{
    struct rows_reader *reader;
    enum err r = rows_reader_begin(e->rows, &reader);
    if (r != OK) return r;
    struct view tree = { .base_ops = &rows_base_ops, .base = reader };
    for (size_t i = 0; r == OK && i < live->n; i++) {
        r = segment_row(&tree, &live->at[i], &out[i]);
    }
    rows_reader_end(&reader);
    return r;
}

/* Rows of segments that are not there any more. */
static size_t removed_rows(struct embedded *e, struct rows_extra *out, size_t max)
{
    pthread_mutex_lock(&e->tend_lock);
    size_t n = e->removed_count < max ? e->removed_count : max;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct rows_extra){ .table = TABLE_SEGMENTS, .gone = true };
        number_put(out[i].key, e->removed[i]);
    }
    pthread_mutex_unlock(&e->tend_lock);
    return n;
}

static void removed_done(struct embedded *e, size_t n)
{
    if (n == 0) return;
    pthread_mutex_lock(&e->tend_lock);
    e->removed_count -= n;
    memmove(e->removed, e->removed + n, e->removed_count * sizeof e->removed[0]);
    pthread_mutex_unlock(&e->tend_lock);
}

/* ---- one commit ---- */

/* New pages: about those of the rows, and old ones that are written anew beside them. */
static uint64_t room_for(const struct layer *l)
{
    return 2 * memtable_bytes(l->mem) + (1 << 20);
}

static enum err commit(struct embedded *e, const struct layer *l, const struct rows_extra *extra,
                       size_t n, const struct rows_mark *mark, uint64_t *bytes)
{
    enum err r = rows_reserve(e->rows, room_for(l));
    if (r != OK) return r;
    r = rows_commit(e->rows, l->mem, extra, n, mark, bytes);
    /* A write that came back short for lack of space looks like a broken disk: ask for more room,
     * which tells the two apart. */
    if (r == ERR_IO && rows_reserve(e->rows, 8 * room_for(l)) == ERR_FULL) r = ERR_FULL;
    return r;
}

enum err flush_layer(struct embedded *e, struct layer *l, const struct rows_mark *mark)
{
    enum { REMOVED_MAX = 64 };
    uint64_t bytes = 0;
    struct rows_extra *extra = calloc(l->live.n + REMOVED_MAX, sizeof *extra);
    must(extra != NULL);
    enum err r = segment_rows(e, &l->live, extra);
    /* After the changes: a segment that was removed has nothing to say any more. */
    size_t removed = removed_rows(e, extra + l->live.n, REMOVED_MAX);
    if (r == OK) r = commit(e, l, extra, l->live.n + removed, mark, &bytes);
    free(extra);
    if (r != OK) return r;
    removed_done(e, removed);
    pthread_mutex_lock(&e->view_lock);
    e->stats.row_commits++;
    e->stats.row_bytes_written += bytes;
    pthread_mutex_unlock(&e->view_lock);
    return OK;
}

/* The tree has it: readers that come now need the layer no more. */
static void taken_over(struct embedded *e, struct layer *l, uint64_t seq)
{
    pthread_mutex_lock(&e->view_lock);
    e->tree_mark = l->mark;
    e->tree_seq = seq;
    e->frozen = NULL;
    bool last = --l->refs == 0;
    pthread_mutex_unlock(&e->view_lock);
    if (last) layer_free(&l);
    supplier_wake(e, true);
}

static enum err flush_frozen(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    struct layer *l = e->frozen;
    pthread_mutex_unlock(&e->view_lock);
    if (l == NULL) return OK;
    if (atomic_load(&e->broken)) return ERR_BROKEN;
    enum err r = flush_layer(e, l, &l->mark);
    if (r == OK) taken_over(e, l, l->last_seq);
    return r;
}

/* ---- the thread ---- */

void flusher_wake(struct embedded *e)
{
    pthread_mutex_lock(&e->tend_lock);
    e->flush_now = true;
    pthread_cond_signal(&e->flush_wanted);
    pthread_mutex_unlock(&e->tend_lock);
}

/* In how many milliseconds the active table is old enough; CLOCK_NEVER: it is empty. */
static int64_t age_wait(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    bool empty = e->active->log_bytes == 0;
    int64_t since = e->active->since_ms;
    pthread_mutex_unlock(&e->view_lock);
    if (empty) return CLOCK_NEVER;
    int64_t left = since + e->c.flush_ms - clock_now();
    return left > 0 ? left : 0;
}

/* With the tend lock held. */
static void wait_for_work(struct embedded *e, int64_t wait_ms)
{
    if (e->flush_now || e->flusher_stop || wait_ms <= 0) return;
    if (wait_ms == CLOCK_NEVER) {
        pthread_cond_wait(&e->flush_wanted, &e->tend_lock);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&e->flush_wanted, &e->tend_lock, &until);
}

static bool has_frozen(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    bool has = e->frozen != NULL;
    pthread_mutex_unlock(&e->view_lock);
    return has;
}

void *flusher_run(void *engine)
{
    struct embedded *e = engine;
    for (;;) {
        bool waiting = has_frozen(e); /* only after a failure */
        int64_t age_ms = age_wait(e);
        if (age_ms == 0 && !waiting) writer_ask_rotate(e);
        pthread_mutex_lock(&e->tend_lock);
        wait_for_work(e, waiting || age_ms == 0 ? RETRY_MS : age_ms);
        bool stop = e->flusher_stop && !e->flush_now;
        e->flush_now = false;
        e->flush_begun++;
        pthread_mutex_unlock(&e->tend_lock);
        if (stop) return NULL;

        enum err r = flush_frozen(e);
        if (r != OK && r != ERR_FULL) atomic_store(&e->broken, true);
        pthread_mutex_lock(&e->tend_lock);
        e->flush_error = r;
        e->flush_ended = e->flush_begun;
        pthread_cond_broadcast(&e->flushed);
        pthread_mutex_unlock(&e->tend_lock);
    }
}

enum err flush_wait(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    uint64_t wanted = e->published;
    pthread_mutex_unlock(&e->view_lock);
    for (;;) {
        if (atomic_load(&e->broken)) return ERR_BROKEN;
        pthread_mutex_lock(&e->tend_lock);
        uint64_t begun = e->flush_begun; /* what is under way does not count */
        pthread_mutex_unlock(&e->tend_lock);

        pthread_mutex_lock(&e->view_lock);
        bool there = e->tree_seq >= wanted;
        pthread_mutex_unlock(&e->view_lock);
        if (there) return OK;
        writer_ask_rotate(e);

        pthread_mutex_lock(&e->tend_lock);
        while (e->flush_ended <= begun) {
            pthread_cond_wait(&e->flushed, &e->tend_lock);
        }
        enum err r = e->flush_error;
        pthread_mutex_unlock(&e->tend_lock);
        if (r != OK) return r == ERR_FULL ? ERR_FULL : ERR_BROKEN;
    }
}
