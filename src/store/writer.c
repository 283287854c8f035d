/* The writer: takes what has been submitted, evaluates it one after the other, writes the records
 * of the group, syncs, shows, answers. While it waits for the disk the next group comes together by
 * itself; it never waits for company.
 *
 * Numbers: every transaction with writes gets the next `seq`. Rows of a group are in the active
 * table at once (so that later intents see them), but snapshots read up to `published`, which moves
 * when the group is on the disk. */
#include "store/group.h"
#include "base/clock.h"
#include "base/must.h"

#include <stdlib.h>

enum {
    GROUP_BYTES = 8 * 1024 * 1024,       /* records in one group, steered */
    GROUP_INTENTS = 2048,                /* answers wait for the slowest of them */
    LAYER_LOG_BYTES = 256 * 1024 * 1024, /* log that a table may stand for: bounds replay */
    LAYER_OVER = 2,                      /* tables grow so many times their size, then all wait */
};

struct writer {
    struct embedded *e;
    struct txn txn;
    struct look look;
    struct group group;
    struct intent *first, **end; /* evaluated, to be answered */
    size_t count;
    uint64_t seq_before;
};

/* ---- the queue ---- */

void embedded_submit(struct engine *engine, struct intent *i)
{
    struct embedded *e = embedded_of(engine);
    pthread_mutex_lock(&e->queue_lock);
    must(!e->stopping);
    bool was_empty = e->queue == NULL;
    *e->queue_end = i;
    e->queue_end = &i->next;
    if (was_empty) pthread_cond_signal(&e->queue_filled);
    pthread_mutex_unlock(&e->queue_lock);
}

void writer_ask_rotate(struct embedded *e)
{
    pthread_mutex_lock(&e->queue_lock);
    e->rotate = true;
    pthread_cond_signal(&e->queue_filled);
    pthread_mutex_unlock(&e->queue_lock);
}

/* All that has come; waits until there is something to do. False: the end. */
static bool take(struct embedded *e, struct intent **batch_out, bool *rotate_out)
{
    pthread_mutex_lock(&e->queue_lock);
    while (e->queue == NULL && !e->rotate && !e->stopping) {
        pthread_cond_wait(&e->queue_filled, &e->queue_lock);
    }
    bool go_on = e->queue != NULL || e->rotate;
    *batch_out = e->queue;
    e->queue = NULL;
    e->queue_end = &e->queue;
    *rotate_out = e->rotate;
    e->rotate = false;
    pthread_mutex_unlock(&e->queue_lock);
    return go_on;
}

/* ---- tables ---- */

/* The active table becomes the frozen one. */
static void rotate(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    bool can = e->frozen == NULL && !layer_is_empty(e->active);
    if (can) {
        e->frozen = e->active;
        e->active = layer_new();
        e->active->mark = e->frozen->mark;
    }
    pthread_mutex_unlock(&e->view_lock);
    flusher_wake(e);
}

static bool is_large(const struct embedded *e, uint64_t times)
{
    return memtable_bytes(e->active->mem) >= e->c.memory_bytes * times ||
           e->active->log_bytes >= LAYER_LOG_BYTES * times;
}

/* Before a group: not more than two tables' worth may be waiting for the tree. While the tree
 * cannot take any, nobody waits for it: the flusher tries again by itself. */
static enum err await_tables(struct embedded *e)
{
    enum err r = OK;
    pthread_mutex_lock(&e->tend_lock);
    while (r == OK && is_large(e, LAYER_OVER)) {
        pthread_mutex_lock(&e->view_lock);
        bool frozen = e->frozen != NULL;
        pthread_mutex_unlock(&e->view_lock);
        if (!frozen) break;
        if (atomic_load(&e->broken)) r = ERR_BROKEN;
        if (r == OK) r = e->flush_error;
        if (r == OK) pthread_cond_wait(&e->flushed, &e->tend_lock);
    }
    pthread_mutex_unlock(&e->tend_lock);
    return r;
}

/* ---- one intent ---- */

static void answer_later(struct writer *w, struct intent *i, enum err result)
{
    i->result = result;
    i->next = NULL;
    *w->end = i;
    w->end = &i->next;
    w->count++;
}

/* Why nothing can be done now, or OK. */
static enum err refusal(struct embedded *e)
{
    if (atomic_load(&e->broken)) return ERR_BROKEN;
    return atomic_load(&e->space) == SPACE_NONE ? ERR_FULL : OK;
}

/* `again_out`: it has no place in this group and is to be evaluated once more in the next. */
static enum err evaluate(struct writer *w, struct intent *i, bool *again_out)
{
    struct embedded *e = w->e;
    enum err r = refusal(e);
    *again_out = false;
    if (r != OK) return r;
    txn_start(&w->txn, &e->engine);
    struct memtable *own = w->txn.view.own;
    w->txn.view = w->look.view;
    w->txn.view.own = own;
    w->txn.view.seq = MEMTABLE_NEWEST;
    r = i->body(&w->txn, i->ctx);
    if (r == OK && memtable_versions(own) > 0) {
        r = group_add(&w->group, e, &w->txn, e->last_seq + 1);
        *again_out = r == ERR_AGAIN;
        if (r == OK) e->last_seq++;
    }
    txn_finish(&w->txn);
    return r;
}

/* Evaluate from `i` on until the group is full; what is left. */
static struct intent *fill(struct writer *w, struct intent *i)
{
    while (i != NULL && w->count < GROUP_INTENTS && w->group.log_bytes < GROUP_BYTES) {
        struct intent *next = i->next;
        bool again;
        enum err r = evaluate(w, i, &again);
        if (again) break;
        if (r == ERR_BROKEN) atomic_store(&w->e->broken, true);
        answer_later(w, i, r);
        i = next;
    }
    return i;
}

/* ---- one group ---- */

static void adopt_stages(const struct group *g)
{
    for (size_t i = 0; i < g->stage_count; i++) {
        atomic_store(&embedded_stage_of(g->stages[i])->adopted, true);
    }
}

/* What the group did is on the disk: show it. */
static void publish(struct writer *w)
{
    struct embedded *e = w->e;
    struct group *g = &w->group;
    /* Chunks of the same number may stand behind the last record. */
    uint64_t group = log_group(e->log) - 1;
    adopt_stages(g);
    atomic_fetch_add(&e->live_change, 1);
    for (size_t i = 0; i < g->live.n; i++) {
        const struct live_change *c = &g->live.at[i];
        segments_live(e->segments, c->segment, c->bytes, c->end, e->last_seq);
    }
    pthread_mutex_lock(&e->view_lock);
    struct layer *l = e->active;
    if (l->log_bytes == 0) l->since_ms = clock_now();
    l->log_bytes += g->log_bytes;
    l->last_seq = e->last_seq;
    l->mark = (struct rows_mark){ .at = g->end, .group = group };
    live_merge(&l->live, &g->live);
    e->published = e->last_seq;
    e->stats.transactions += g->record_count;
    e->stats.groups++;
    engine_watch watch = e->watch;
    void *ctx = e->watch_ctx;
    pthread_mutex_unlock(&e->view_lock);
    atomic_fetch_add(&e->live_change, 1);
    if (watch != NULL) group_watch(g, watch, ctx);
}

/* The group did not happen: everybody gets the same answer, for what they saw may have been taken
 * back. */
static void fail_all(struct writer *w, enum err result)
{
    for (struct intent *i = w->first; i != NULL; i = i->next) {
        /* Who had no writes in it has nothing that could have happened. */
        i->result = result == ERR_UNKNOWN && i->result != OK ? ERR_BROKEN : result;
    }
    w->e->last_seq = w->seq_before;
}

static void write_group(struct writer *w)
{
    struct embedded *e = w->e;
    enum err r = group_write(&w->group, e->log);
    if (r == ERR_FULL) {
        r = group_cancel(&w->group, e->log, w->seq_before);
        fail_all(w, r == OK ? ERR_FULL : ERR_BROKEN);
    } else {
        if (r == OK) r = log_sync(e->log);
        if (r != OK) {
            group_undo(&w->group, w->seq_before);
            fail_all(w, ERR_UNKNOWN);
        } else {
            publish(w);
        }
    }
    if (r != OK) atomic_store(&e->broken, true);
}

static void answer(struct writer *w)
{
    struct intent *i = w->first;
    w->first = NULL;
    w->end = &w->first;
    w->count = 0;
    while (i != NULL) {
        struct intent *next = i->next; /* done() gives the intent back to its owner */
        i->next = NULL;
        i->done(i);
        i = next;
    }
}

/* One group from the intents at hand; what is left of them. */
static struct intent *run_group(struct writer *w, struct intent *i)
{
    struct embedded *e = w->e;
    space_look(e);
    group_clear(&w->group);
    w->seq_before = e->last_seq;
    enum err r = await_tables(e);
    if (is_large(e, 1)) rotate(e);
    if (r == OK) r = look_take(e, &w->look);
    if (r != OK) {
        for (struct intent *next; i != NULL; i = next) {
            next = i->next;
            answer_later(w, i, r);
        }
        answer(w);
        return NULL;
    }
    i = fill(w, i);
    if (w->group.record_count > 0) write_group(w);
    look_drop(e, &w->look);
    answer(w);
    return i;
}

void *writer_run(void *engine)
{
    struct writer w = { .e = engine };
    struct intent *batch;
    bool asked;
    w.end = &w.first;
    while (take(w.e, &batch, &asked)) {
        while (batch != NULL) {
            batch = run_group(&w, batch);
            if (is_large(w.e, 1)) rotate(w.e);
        }
        if (asked) rotate(w.e);
    }
    memtable_free(&w.txn.view.own);
    group_free(&w.group);
    return NULL;
}
