/* All rows in one versioned table; a snapshot is a number. One lock around everything that changes;
 * readers of a snapshot need none. Old versions go when nobody looks and they have become many.
 *
 * A blob's row holds its count, a sum of its bytes, and the bytes. */
#include "store/engine_memory.h"
#include "base/must.h"
#include "base/wire.h"
#include "store/check.h"
#include "store/engine_ops.h"
#include "store/sum.h"
#include "store/txn.h"

#include <pthread.h>
#include <stdlib.h>

enum { FAULTS_MAX = 64, REBUILD_BYTES = 16 << 20, BLOB_ROW_HEAD = 12 };

struct memory_stage {
    struct stage stage;
    struct buf bytes;
    uint32_t chunks;
    bool adopted;
};

struct engine_memory {
    struct engine engine;
    pthread_mutex_t lock;
    struct memtable *rows;
    uint64_t seq;
    size_t rebuild_at_bytes, snapshots;
    struct {
        uint64_t at;
        enum memory_fault fault;
    } faults[FAULTS_MAX];
    size_t fault_count;
    uint64_t commits;
    bool broken, holding;
    struct intent *waiting, **waiting_end;
    engine_watch watch;
    void *watch_ctx;
    struct engine_stats stats;
};

static struct engine_memory *memory_of(struct engine *e)
{
    return (struct engine_memory *)(void *)e;
}

static struct memory_stage *stage_of(struct stage *s)
{
    return (struct memory_stage *)(void *)s;
}

/* ---- transactions ---- */

static void see(struct engine_memory *m, struct txn *t)
{
    t->view.mem[0] = m->rows;
    t->view.mem_count = 1;
    t->view.seq = m->seq;
}

static void keep(struct engine_memory *m, struct txn *t)
{
    uint64_t seq = m->seq + 1;
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        const struct mem_node *n = memtable_first(t->view.own, table, STR_NONE);
        for (; n != NULL; n = memtable_next(n)) {
            struct mem_found row;
            if (!memtable_at(n, MEMTABLE_NEWEST, &row)) continue;
            if (row.gone) {
                memtable_del(m->rows, seq, table, row.key);
            } else {
                memtable_put(m->rows, seq, table, row.key, row.value);
            }
            if (table == TABLE_ROWS) m->stats.row_bytes_written += row.key.n + row.value.n;
        }
    }
    m->seq = seq;
    for (struct txn_blob *b = t->blobs; b != NULL; b = b->next) {
        if (b->stage != NULL) stage_of(b->stage)->adopted = true;
    }
    m->stats.transactions++;
    m->stats.groups++;
}

/* Watchers look at the engine only after the call, so the lock may be held. */
static void tell(struct engine_memory *m, struct txn *t)
{
    if (m->watch == NULL) return;
    const struct mem_node *n = memtable_first(t->view.own, TABLE_ROWS, STR_NONE);
    for (; n != NULL; n = memtable_next(n)) {
        struct mem_found row;
        if (memtable_at(n, MEMTABLE_NEWEST, &row)) m->watch(m->watch_ctx, row.key);
    }
}

/* Copy what is not hidden into a new table. */
static void rebuild(struct engine_memory *m)
{
    if (m->snapshots > 0 || memtable_bytes(m->rows) < m->rebuild_at_bytes) return;
    struct memtable *fresh = memtable_new();
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        const struct mem_node *n = memtable_first(m->rows, table, STR_NONE);
        for (; n != NULL; n = memtable_next(n)) {
            struct mem_found row;
            if (memtable_at(n, m->seq, &row) && !row.gone)
                memtable_put(fresh, m->seq, table, row.key, row.value);
        }
    }
    memtable_free(&m->rows);
    m->rows = fresh;
    m->rebuild_at_bytes = memtable_bytes(fresh) * 2 + REBUILD_BYTES;
}

static bool take_fault(struct engine_memory *m, enum memory_fault *fault_out)
{
    m->commits++;
    for (size_t i = 0; i < m->fault_count; i++) {
        if (m->faults[i].at != m->commits) continue;
        *fault_out = m->faults[i].fault;
        m->faults[i] = m->faults[--m->fault_count];
        return true;
    }
    return false;
}

static enum err run_body(struct engine_memory *m, struct txn *t, struct intent *i, bool keep_it)
{
    txn_start(t, &m->engine);
    see(m, t);
    enum err e = i->body(t, i->ctx);
    if (e == OK && keep_it) {
        keep(m, t);
        tell(m, t);
    }
    txn_finish(t);
    return e;
}

static enum err evaluate_faulty(struct engine_memory *m, struct txn *t, struct intent *i,
                                enum memory_fault fault)
{
    static const struct {
        bool kept;
        enum err then;
    } rows[] = {
        [MEMORY_FULL] = { false, ERR_FULL },
        [MEMORY_CONFLICT] = { false, ERR_CONFLICT },
        [MEMORY_RERUN] = { false, OK },
        [MEMORY_UNKNOWN_DONE] = { true, ERR_UNKNOWN },
        [MEMORY_UNKNOWN_LOST] = { false, ERR_UNKNOWN },
        [MEMORY_BROKEN] = { false, ERR_BROKEN },
    };
    if (fault == MEMORY_BROKEN) m->broken = true;
    enum err e = run_body(m, t, i, rows[fault].kept);
    if (fault == MEMORY_RERUN) return run_body(m, t, i, true);
    return e == OK || fault == MEMORY_BROKEN ? rows[fault].then : e;
}

/* With the lock held. */
static enum err evaluate(struct engine_memory *m, struct intent *i)
{
    if (m->broken) return ERR_BROKEN;
    struct txn t = { 0 };
    enum memory_fault fault;
    enum err e =
        take_fault(m, &fault) ? evaluate_faulty(m, &t, i, fault) : run_body(m, &t, i, true);
    memtable_free(&t.view.own);
    rebuild(m);
    return e;
}

static void memory_submit(struct engine *e, struct intent *i)
{
    struct engine_memory *m = memory_of(e);
    pthread_mutex_lock(&m->lock);
    if (m->holding) {
        *m->waiting_end = i;
        m->waiting_end = &i->next;
        pthread_mutex_unlock(&m->lock);
        return;
    }
    i->result = evaluate(m, i);
    pthread_mutex_unlock(&m->lock);
    i->done(i);
}

size_t engine_memory_run(struct engine *e, size_t max)
{
    struct engine_memory *m = memory_of(e);
    size_t ran = 0;
    for (; ran < max; ran++) {
        pthread_mutex_lock(&m->lock);
        struct intent *i = m->waiting;
        if (i != NULL) {
            m->waiting = i->next;
            if (m->waiting == NULL) m->waiting_end = &m->waiting;
            i->next = NULL;
            i->result = evaluate(m, i);
        }
        pthread_mutex_unlock(&m->lock);
        if (i == NULL) break;
        i->done(i);
    }
    return ran;
}

void engine_memory_hold(struct engine *e, bool hold)
{
    struct engine_memory *m = memory_of(e);
    pthread_mutex_lock(&m->lock);
    m->holding = hold;
    pthread_mutex_unlock(&m->lock);
    if (!hold) engine_memory_run(e, SIZE_MAX);
}

void engine_memory_fail(struct engine *e, uint64_t nth, enum memory_fault fault)
{
    struct engine_memory *m = memory_of(e);
    must(nth > 0);
    pthread_mutex_lock(&m->lock);
    must(m->fault_count < FAULTS_MAX);
    m->faults[m->fault_count].at = m->commits + nth;
    m->faults[m->fault_count++].fault = fault;
    pthread_mutex_unlock(&m->lock);
}

/* ---- snapshots ---- */

static void memory_refresh(struct engine *e, struct intent *i)
{
    (void)e;
    i->result = OK;
    i->done(i);
}

static enum err memory_snapshot_begin(struct engine *e, struct txn **t_out)
{
    struct engine_memory *m = memory_of(e);
    struct txn *t = calloc(1, sizeof *t);
    must(t != NULL);
    t->engine = e;
    pthread_mutex_lock(&m->lock);
    see(m, t);
    m->snapshots++;
    pthread_mutex_unlock(&m->lock);
    *t_out = t;
    return OK;
}

static void memory_snapshot_end(struct txn *t)
{
    struct engine_memory *m = memory_of(t->engine);
    pthread_mutex_lock(&m->lock);
    m->snapshots--;
    pthread_mutex_unlock(&m->lock);
    arena_free(&t->arena);
    free(t);
}

/* ---- stages ---- */

static enum err memory_stage_new(struct engine *e, struct stage **s_out)
{
    (void)e;
    struct memory_stage *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->bytes = buf_new((size_t)ENGINE_STAGE_CHUNKS_MAX * ENGINE_CHUNK_MAX);
    *s_out = &s->stage;
    return OK;
}

static enum err memory_stage_append(struct engine *e, struct stage *stage, struct str chunk)
{
    struct engine_memory *m = memory_of(e);
    struct memory_stage *s = stage_of(stage);
    pthread_mutex_lock(&m->lock);
    bool broken = m->broken;
    pthread_mutex_unlock(&m->lock);
    if (broken) return ERR_BROKEN;
    if (s->adopted) return ERR_INVALID;
    if (s->chunks >= ENGINE_STAGE_CHUNKS_MAX) return ERR_LIMIT;
    buf_put(&s->bytes, chunk);
    must(!s->bytes.over);
    s->chunks++;
    stage->bytes = s->bytes.n;
    return OK;
}

static enum err copy_part(struct str bytes, uint64_t offset, size_t max_bytes, struct buf *out)
{
    if (offset >= bytes.n) return OK;
    struct str part = str_part(bytes, (size_t)offset, max_bytes);
    size_t before = out->n;
    buf_put(out, part);
    return out->n - before == part.n ? OK : ERR_LIMIT;
}

static enum err memory_stage_read(struct engine *e, struct stage *s, uint64_t offset,
                                  size_t max_bytes, struct buf *out)
{
    (void)e;
    return copy_part(buf_str(&stage_of(s)->bytes), offset, max_bytes, out);
}

static void memory_stage_drop(struct engine *e, struct stage *stage)
{
    (void)e;
    struct memory_stage *s = stage_of(stage);
    buf_free(&s->bytes);
    free(s);
}

/* ---- blobs ---- */

struct memory_blob {
    uint32_t count;
    uint64_t sum;
    struct str bytes;
};

static struct str id_key(const struct blob_id *id)
{
    return str_of(id->bytes, sizeof id->bytes);
}

static struct memory_blob blob_parse(struct str row)
{
    struct wire w = wire_of(row);
    struct memory_blob b = { .count = wire_get_u32(&w) };
    b.sum = wire_get_u64(&w);
    b.bytes = w.left;
    must(!w.bad);
    return b;
}

static void blob_write(struct txn *t, struct blob_id id, const struct memory_blob *b)
{
    struct buf row = BUF_INIT(BLOB_ROW_HEAD + b->bytes.n);
    wire_put_u32(&row, b->count);
    wire_put_u64(&row, b->sum);
    buf_put(&row, b->bytes);
    memtable_put(t->view.own, 0, TABLE_BLOBS, id_key(&id), buf_str(&row));
    buf_free(&row);
}

static enum err blob_find(struct txn *t, struct blob_id id, struct memory_blob *out)
{
    struct str row;
    enum err e = view_get(&t->view, TABLE_BLOBS, id_key(&id), &row);
    if (e == OK) *out = blob_parse(row);
    return e;
}

static enum err memory_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                                struct stage *stage, uint32_t references)
{
    struct memory_blob b;
    struct memory_stage *s = stage != NULL ? stage_of(stage) : NULL;
    if (blob_find(t, id, &b) == OK) return ERR_EXISTS;
    if (s != NULL && (s->adopted || s->chunks == 0)) return ERR_INVALID;
    for (struct txn_blob *seen = t->blobs; stage != NULL && seen != NULL; seen = seen->next) {
        if (seen->stage == stage) return ERR_INVALID;
    }
    enum err e = txn_blob_note(
        t, &(struct txn_blob){ .id = id, .head = head, .small = small, .stage = stage });
    if (e != OK) return e;

    struct str body = s != NULL ? buf_str(&s->bytes) : small;
    struct buf all = BUF_INIT(head.n + body.n);
    buf_put(&all, head);
    buf_put(&all, body);
    b = (struct memory_blob){ references, sum_of(buf_str(&all)), buf_str(&all) };
    blob_write(t, id, &b);
    buf_free(&all);
    return OK;
}

static enum err memory_blob_count(struct txn *t, struct blob_id id, int32_t add)
{
    struct memory_blob b;
    enum err e = blob_find(t, id, &b);
    if (e != OK) return e;
    int64_t count = (int64_t)b.count + add;
    if (count < 0 || count > ENGINE_BLOB_COUNT_MAX) return ERR_RANGE;
    b.count = (uint32_t)count;
    if (count > 0) {
        blob_write(t, id, &b);
    } else {
        memtable_del(t->view.own, 0, TABLE_BLOBS, id_key(&id));
    }
    return OK;
}

static enum err memory_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out)
{
    struct memory_blob b;
    enum err e = blob_find(t, id, &b);
    if (e == OK) *bytes_out = b.bytes.n;
    return e;
}

static enum err memory_blob_read(struct txn *t, struct blob_id id, uint64_t offset,
                                 size_t max_bytes, struct buf *out)
{
    struct memory_blob b;
    enum err e = blob_find(t, id, &b);
    if (e != OK) return e;
    if (sum_of(b.bytes) != b.sum) return ERR_CORRUPT;
    return copy_part(b.bytes, offset, max_bytes, out);
}

bool engine_memory_damage(struct engine *e, struct blob_id id)
{
    struct engine_memory *m = memory_of(e);
    struct txn t = { 0 };
    struct memory_blob b;
    pthread_mutex_lock(&m->lock);
    txn_start(&t, e);
    see(m, &t);
    bool found = blob_find(&t, id, &b) == OK;
    if (found) {
        b.sum ^= 1;
        blob_write(&t, id, &b);
        keep(m, &t);
    }
    txn_finish(&t);
    memtable_free(&t.view.own);
    pthread_mutex_unlock(&m->lock);
    return found;
}

/* ---- keeping it well ---- */

static void memory_watch_set(struct engine *e, engine_watch f, void *ctx)
{
    struct engine_memory *m = memory_of(e);
    pthread_mutex_lock(&m->lock);
    m->watch = f;
    m->watch_ctx = ctx;
    pthread_mutex_unlock(&m->lock);
}

static enum err memory_backup(struct engine *e, int folder_fd)
{
    (void)e;
    (void)folder_fd;
    return ERR_UNSUPPORTED;
}

static enum err memory_compact(struct engine *e, size_t max_bytes, bool *more_out)
{
    (void)e;
    (void)max_bytes;
    *more_out = false;
    return OK;
}

static void memory_work(struct engine *e, struct engine_work *w)
{
    engine_work_run(e, w);
    w->intent.done(&w->intent);
}

static void memory_stats(struct engine *e, struct engine_stats *out)
{
    struct engine_memory *m = memory_of(e);
    pthread_mutex_lock(&m->lock);
    *out = m->stats;
    pthread_mutex_unlock(&m->lock);
}

static void memory_close(struct engine *e)
{
    struct engine_memory *m = memory_of(e);
    engine_memory_hold(e, false);
    must(m->snapshots == 0);
    memtable_free(&m->rows);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static const struct engine_ops memory_ops = {
    .name = "memory",
    .submit = memory_submit,
    .refresh = memory_refresh,
    .snapshot_begin = memory_snapshot_begin,
    .snapshot_end = memory_snapshot_end,
    .stage_new = memory_stage_new,
    .stage_append = memory_stage_append,
    .stage_read = memory_stage_read,
    .stage_drop = memory_stage_drop,
    .blob_put = memory_blob_put,
    .blob_count = memory_blob_count,
    .blob_bytes = memory_blob_bytes,
    .blob_read = memory_blob_read,
    .watch_set = memory_watch_set,
    .check = check_all,
    .backup = memory_backup,
    .compact = memory_compact,
    .work = memory_work,
    .stats = memory_stats,
    .close = memory_close,
};

struct engine *engine_memory_new(void)
{
    struct engine_memory *m = calloc(1, sizeof *m);
    must(m != NULL);
    m->engine.ops = &memory_ops;
    pthread_mutex_init(&m->lock, NULL);
    m->rows = memtable_new();
    m->rebuild_at_bytes = REBUILD_BYTES;
    m->waiting_end = &m->waiting;
    return &m->engine;
}
