/* The face of all engines: checks what holds for each of them, then hands on. */
#include "store/engine.h"
#include "base/must.h"
#include "store/engine_ops.h"
#include "store/txn.h"

#include <pthread.h>

void engine_submit(struct engine *e, struct intent *i)
{
    must(i->body != NULL && i->done != NULL);
    i->next = NULL;
    e->ops->submit(e, i);
}

/* ---- waiting on the calling thread ---- */

struct wait {
    struct intent intent; /* first: done() gets this address */
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool done;
};

static void wait_done(struct intent *i)
{
    struct wait *w = (struct wait *)(void *)i;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->told);
    pthread_mutex_unlock(&w->lock);
}

enum err engine_commit(struct engine *e, enum intent_kind kind, txn_body body, void *ctx)
{
    struct wait w = {
        .intent = { .body = body, .ctx = ctx, .kind = kind, .done = wait_done },
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .told = PTHREAD_COND_INITIALIZER,
    };
    engine_submit(e, &w.intent);
    pthread_mutex_lock(&w.lock);
    while (!w.done) {
        pthread_cond_wait(&w.told, &w.lock);
    }
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.told);
    pthread_mutex_destroy(&w.lock);
    return w.intent.result;
}

/* ---- snapshots ---- */

enum err engine_snapshot_begin(struct engine *e, struct txn **t_out)
{
    return e->ops->snapshot_begin(e, t_out);
}

void engine_snapshot_end(struct txn **t)
{
    if (*t == NULL) return;
    must((*t)->view.own == NULL);
    (*t)->engine->ops->snapshot_end(*t);
    *t = NULL;
}

void engine_refresh(struct engine *e, struct intent *i)
{
    must(i->body == NULL && i->done != NULL);
    i->next = NULL;
    e->ops->refresh(e, i);
}

/* ---- blobs ---- */

enum err engine_stage_new(struct engine *e, struct stage **s_out)
{
    return e->ops->stage_new(e, s_out);
}

enum err engine_stage_append(struct engine *e, struct stage *s, struct str chunk)
{
    must(chunk.n >= 1 && chunk.n <= ENGINE_CHUNK_MAX);
    return e->ops->stage_append(e, s, chunk);
}

enum err engine_stage_read(struct engine *e, struct stage *s, uint64_t offset, size_t max_bytes,
                           struct buf *out)
{
    if (offset >= s->bytes || max_bytes == 0) return OK;
    return e->ops->stage_read(e, s, offset, max_bytes, out);
}

uint64_t engine_stage_bytes(const struct stage *s)
{
    return s->bytes;
}

void engine_stage_drop(struct engine *e, struct stage **s)
{
    if (*s == NULL) return;
    e->ops->stage_drop(e, *s);
    *s = NULL;
}

enum err txn_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                      struct stage *stage, uint32_t references)
{
    must(t->view.own != NULL);
    must(references >= 1 && references <= ENGINE_BLOB_COUNT_MAX);
    must(small.n == 0 || stage == NULL);
    return t->engine->ops->blob_put(t, id, head, small, stage, references);
}

enum err txn_blob_count(struct txn *t, struct blob_id id, int32_t add)
{
    must(t->view.own != NULL);
    return t->engine->ops->blob_count(t, id, add);
}

enum err txn_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out)
{
    return t->engine->ops->blob_bytes(t, id, bytes_out);
}

enum err txn_blob_read(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                       struct buf *out)
{
    must(t->view.own == NULL);
    return t->engine->ops->blob_read(t, id, offset, max_bytes, out);
}

/* ---- the rest ---- */

void engine_watch_set(struct engine *e, engine_watch f, void *ctx)
{
    e->ops->watch_set(e, f, ctx);
}

enum err engine_check(struct engine *e, const struct engine_check *how, struct engine_report *out)
{
    *out = (struct engine_report){ 0 };
    return e->ops->check(e, how, out);
}

enum err engine_backup(struct engine *e, int folder_fd)
{
    return e->ops->backup(e, folder_fd);
}

enum err engine_compact(struct engine *e, size_t max_bytes, bool *more_out)
{
    *more_out = false;
    return e->ops->compact(e, max_bytes, more_out);
}

void engine_work(struct engine *e, struct engine_work *w)
{
    must(w->intent.body == NULL && w->intent.done != NULL);
    w->intent.next = NULL;
    e->ops->work(e, w);
}

void engine_work_run(struct engine *e, struct engine_work *w)
{
    switch (w->kind) {
    case WORK_CHECK:
        w->intent.result = engine_check(e, w->check, &w->report);
        break;
    case WORK_BACKUP:
        w->intent.result = engine_backup(e, w->folder_fd);
        break;
    case WORK_COMPACT:
        w->intent.result = engine_compact(e, w->max_bytes, &w->more);
        break;
    }
}

void engine_stats(struct engine *e, struct engine_stats *out)
{
    *out = (struct engine_stats){ 0 };
    e->ops->stats(e, out);
}

void engine_close(struct engine **e)
{
    if (*e == NULL) return;
    (*e)->ops->close(*e);
    *e = NULL;
}
