/* The supplier: keeps a spare segment ready for the log, gives up what nothing refers to, knows how
 * much room there is. */
#include "store/embedded.h"
#include "base/must.h"
#include "sys/os.h"

#include <stdlib.h>

enum { KEEP_DEAD = 2 }; /* dead segments left as material for new ones */

/* ---- free space ---- */

/* Bodies stop at the reserve, everything at a quarter of it: what is left is for the tree, which
 * has to write pages even to delete. */
void space_look(struct embedded *e)
{
    struct statvfs s;
    if (os->fstatvfs(e->folder_fd, &s) != 0) return; /* the writes will tell */
    uint64_t free_bytes = (uint64_t)s.f_bavail * s.f_frsize;
    enum space space = SPACE_ENOUGH;
    if (free_bytes < e->c.reserve_bytes) space = SPACE_LOW;
    if (free_bytes < e->c.reserve_bytes / 4) space = SPACE_NONE;
    atomic_store(&e->free_bytes, free_bytes);
    atomic_store(&e->space, space);
}

/* May a whole new segment be allocated? */
static bool room_for_segment(struct embedded *e)
{
    space_look(e);
    return atomic_load(&e->free_bytes) >= e->c.reserve_bytes / 2 + e->c.segment_bytes;
}

/* ---- giving up ---- */

struct dead_search {
    uint64_t oldest_seq, tree_seq, tree_segment;
    uint64_t full_bytes;
    struct segment **at;
    size_t n, room;
};

/* Rule 4 of docs/crash.md. */
static bool is_dead(const struct dead_search *d, const struct segment *g)
{
    if (g->in_use || g->holds > 0 || g->pins > 0 || g->live_bytes != 0) return false;
    if (g->dead_since > d->oldest_seq || g->dead_since > d->tree_seq) return false;
    return segment_is_cold(g->id) || g->id < d->tree_segment;
}

static void collect_dead(void *ctx, struct segment *g)
{
    struct dead_search *d = ctx;
    if (!is_dead(d, g)) return;
    if (d->n == d->room) {
        d->room = d->room > 0 ? d->room * 2 : 16;
        d->at = reallocarray(d->at, d->room, sizeof *d->at);
        must(d->at != NULL);
    }
    d->at[d->n++] = g;
}

/* As of the tree's last commit, which is made certain before anything is given up because of it
 * (the meta page of a commit may be in the kernel's hands only). Only the supplier (or the thread
 * that opens) removes members, so what was found stays. */
static struct dead_search dead_find(struct embedded *e)
{
    struct dead_search d = { .oldest_seq = snapshots_oldest_seq(e),
                             .full_bytes = segments_size(e->segments) };
    pthread_mutex_lock(&e->view_lock);
    d.tree_seq = e->tree_seq;
    d.tree_segment = e->tree_mark.at.segment;
    bool backup = e->backups > 0;
    pthread_mutex_unlock(&e->view_lock);
    if (!backup) segments_each(e->segments, collect_dead, &d);
    if (d.n > 0 && rows_sync(e->rows) != OK) d.n = 0;
    return d;
}

void segment_row_remove(struct embedded *e, uint64_t id)
{
    pthread_mutex_lock(&e->tend_lock);
    if (e->removed_count == e->removed_room) {
        e->removed_room = e->removed_room > 0 ? e->removed_room * 2 : 64;
        e->removed = reallocarray(e->removed, e->removed_room, sizeof *e->removed);
        must(e->removed != NULL);
    }
    e->removed[e->removed_count++] = id;
    pthread_mutex_unlock(&e->tend_lock);
}

void segments_give_up(struct embedded *e, size_t keep)
{
    pthread_mutex_lock(&e->give_up_lock);
    struct dead_search d = dead_find(e);
    for (size_t i = 0; i < d.n; i++) {
        struct segment *g = d.at[i];
        if (keep > 0 && !segment_is_cold(g->id) && g->file_bytes == d.full_bytes) {
            keep--;
            continue;
        }
        uint64_t id = g->id;
        if (segment_remove(e->segments, g) == OK) segment_row_remove(e, id);
    }
    free(d.at);
    pthread_mutex_unlock(&e->give_up_lock);
}

/* ---- spare segments ---- */

/* A dead log segment of full size, or null. */
static struct segment *material(struct embedded *e)
{
    struct dead_search d = dead_find(e);
    struct segment *found = NULL;
    for (size_t i = 0; i < d.n && found == NULL; i++) {
        if (!segment_is_cold(d.at[i]->id) && d.at[i]->file_bytes == d.full_bytes) found = d.at[i];
    }
    free(d.at);
    return found;
}

static enum err spare_make(struct embedded *e, uint64_t id, struct segment **out)
{
    pthread_mutex_lock(&e->give_up_lock);
    struct segment *from = material(e);
    enum err r = from == NULL && !room_for_segment(e) ? ERR_FULL : OK;
    if (from != NULL) segment_row_remove(e, from->id);
    if (r == OK) r = segment_make(e->segments, id, from, out);
    pthread_mutex_unlock(&e->give_up_lock);
    return r;
}

static void supply(struct embedded *e)
{
    uint64_t id;
    if (!log_wants_spare(e->log, &id)) return;
    struct segment *g = NULL;
    enum err r = spare_make(e, id, &g);
    /* A disk that cannot make a file is as good as full for those who wait, and is asked again by
     * the next of them; one that fails to read or write is broken. */
    if (r == ERR_IO) {
        atomic_store(&e->broken, true);
        log_break(e->log);
    }
    log_give_spare(e->log, g, r == OK ? OK : ERR_FULL);
    /* What was deleted gives room only when the tree knows it. */
    if (r == ERR_FULL) writer_ask_rotate(e);
}

/* ---- the thread ---- */

/* May be called with the log's lock held. */
void supplier_wake(struct embedded *e, bool give_up)
{
    pthread_mutex_lock(&e->tend_lock);
    e->supply_now = true;
    if (give_up) e->give_up = true;
    pthread_cond_signal(&e->supply_wanted);
    pthread_mutex_unlock(&e->tend_lock);
}

void *supplier_run(void *engine)
{
    struct embedded *e = engine;
    for (;;) {
        pthread_mutex_lock(&e->tend_lock);
        while (!e->supplier_stop && !e->supply_now) {
            pthread_cond_wait(&e->supply_wanted, &e->tend_lock);
        }
        bool stop = e->supplier_stop, give_up = e->give_up;
        e->supply_now = e->give_up = false;
        pthread_mutex_unlock(&e->tend_lock);
        if (stop) return NULL;
        supply(e);
        if (give_up) segments_give_up(e, KEEP_DEAD);
    }
}
