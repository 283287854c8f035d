/* A look is a set of layers and a reader of the tree, taken together under the view lock. A layer
 * that the tree has taken over meanwhile may still be in it: its rows are then the same in both. */
#include "store/embedded.h"
#include "base/must.h"

#include <stdlib.h>

/* With the view lock held. */
static void layer_take(struct look *l, struct layer *layer)
{
    if (layer == NULL) return;
    layer->refs++;
    l->layers[l->layer_count++] = layer;
    l->view.mem[l->view.mem_count++] = layer->mem;
}

enum err look_take(struct embedded *e, struct look *l)
{
    *l = (struct look){ .view.base_ops = &rows_base_ops };
    pthread_mutex_lock(&e->view_lock);
    enum err r = rows_reader_begin(e->rows, &l->reader);
    if (r == OK) {
        layer_take(l, e->active);
        layer_take(l, e->frozen);
        l->view.seq = e->published;
        l->view.base = l->reader;
    }
    pthread_mutex_unlock(&e->view_lock);
    return r;
}

void look_drop(struct embedded *e, struct look *l)
{
    struct layer *dead[LAYERS_MAX] = { 0 };
    pthread_mutex_lock(&e->view_lock);
    for (size_t i = 0; i < l->layer_count; i++) {
        if (--l->layers[i]->refs == 0) dead[i] = l->layers[i];
    }
    pthread_mutex_unlock(&e->view_lock);
    rows_reader_end(&l->reader);
    for (size_t i = 0; i < LAYERS_MAX; i++) {
        layer_free(&dead[i]);
    }
    *l = (struct look){ 0 };
}

/* ---- snapshots ---- */

enum err embedded_snapshot_begin(struct engine *engine, struct txn **t_out)
{
    struct embedded *e = embedded_of(engine);
    struct snapshot *s = calloc(1, sizeof *s);
    must(s != NULL);
    /* In the list before the look is taken, with a number not above the look's: nothing it may read
     * is given up in between. */
    pthread_mutex_lock(&e->view_lock);
    s->seq = e->published;
    s->older = e->newest;
    if (e->newest != NULL) {
        e->newest->newer = s;
    } else {
        e->oldest = s;
    }
    e->newest = s;
    pthread_mutex_unlock(&e->view_lock);

    enum err r = look_take(e, &s->look);
    s->txn.engine = engine;
    if (r != OK) {
        embedded_snapshot_end(&s->txn);
        return r;
    }
    s->txn.view = s->look.view;
    *t_out = &s->txn;
    return OK;
}

void embedded_snapshot_end(struct txn *t)
{
    struct embedded *e = embedded_of(t->engine);
    struct snapshot *s = (struct snapshot *)(void *)t;
    look_drop(e, &s->look);
    pthread_mutex_lock(&e->view_lock);
    if (s->older != NULL) {
        s->older->newer = s->newer;
    } else {
        e->oldest = s->newer;
    }
    if (s->newer != NULL) {
        s->newer->older = s->older;
    } else {
        e->newest = s->older;
    }
    pthread_mutex_unlock(&e->view_lock);
    arena_free(&t->arena);
    free(s);
}

uint64_t snapshots_oldest_seq(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    uint64_t seq = e->oldest != NULL ? e->oldest->seq : e->published;
    if (e->backups > 0) seq = 0;
    pthread_mutex_unlock(&e->view_lock);
    return seq;
}
