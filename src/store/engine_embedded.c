/* Opening and closing, and the parts of the contract that need no room of their own. */
#include "store/engine_embedded.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/wire.h"
#include "store/embedded.h"
#include "sys/os.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

enum { SEGMENT_BYTES_STANDARD = 64 << 20, FOLDER_MODE = 0700, FILE_MODE = 0600 };

PARAM(store_map_bytes, BYTES, 1 << 26, 1ll << 46, 1ll << 40,
      "largest size of the store's rows (address space, not memory or disk)")
PARAM(store_memory_bytes, BYTES, 1 << 18, 1ll << 30, 32 << 20,
      "size at which a table of young rows is written to the tree; twice this may be in use")
PARAM(store_flush_ms, TIME_MS, 100, 3600000, 60000,
      "age at which young rows are written to the tree; the log has them before")
PARAM(store_reserve_bytes, BYTES, 1 << 20, 1ll << 40, 256 << 20,
      "free space of the file system below which no new bodies are accepted")

/* ---- the contract's smaller parts ---- */

static void embedded_refresh(struct engine *engine, struct intent *i)
{
    /* What is acknowledged is visible already. */
    i->result = atomic_load(&embedded_of(engine)->broken) ? ERR_BROKEN : OK;
    i->done(i);
}

static void embedded_watch_set(struct engine *engine, engine_watch f, void *ctx)
{
    struct embedded *e = embedded_of(engine);
    pthread_mutex_lock(&e->view_lock);
    e->watch = f;
    e->watch_ctx = ctx;
    pthread_mutex_unlock(&e->view_lock);
}

static void embedded_stats(struct engine *engine, struct engine_stats *out)
{
    struct embedded *e = embedded_of(engine);
    struct log_stats log;
    log_stats(e->log, &log);
    space_look(e);
    pthread_mutex_lock(&e->view_lock);
    *out = e->stats;
    pthread_mutex_unlock(&e->view_lock);
    out->syncs = log.syncs;
    out->log_bytes_written = log.bytes_written;
    out->free_bytes = atomic_load(&e->free_bytes);
}

enum err engine_embedded_flush(struct engine *engine)
{
    return flush_wait(embedded_of(engine));
}

/* ---- opening ---- */

static void config_fill(struct embedded_config *to, const struct embedded_config *c)
{
    *to = *c;
    if (to->map_bytes == 0) to->map_bytes = (uint64_t)store_map_bytes;
    if (to->segment_bytes == 0) to->segment_bytes = SEGMENT_BYTES_STANDARD;
    if (to->memory_bytes == 0) to->memory_bytes = (uint64_t)store_memory_bytes;
    if (to->flush_ms == 0) to->flush_ms = store_flush_ms;
    if (to->reserve_bytes == 0) to->reserve_bytes = (uint64_t)store_reserve_bytes;
}

static enum err folder_open(int in, const char *name, int *fd_out)
{
    bool made = os->mkdirat(in, name, FOLDER_MODE) == 0;
    if (!made) {
        enum err e = os_error();
        if (e != ERR_EXISTS) return e;
    }
    int fd = os->openat(in, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return os_error();
    /* The name lies in the folder above, whose descriptor we may not have. */
    int above = made ? os->openat(fd, "..", O_RDONLY | O_DIRECTORY, 0) : -1;
    bool failed = above >= 0 && os->fsync(above) != 0;
    if (above >= 0) os->close(above);
    if (failed) {
        os->close(fd);
        return ERR_IO;
    }
    *fd_out = fd;
    return OK;
}

static enum err lock_take(struct embedded *e)
{
    e->lock_fd = os->openat(e->folder_fd, "lock", O_RDWR | O_CREAT, FILE_MODE);
    if (e->lock_fd < 0) return os_error();
    if (os->flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0) return OK;
    enum err err = os_error();
    return err == ERR_AGAIN ? ERR_BUSY : err;
}

static enum err rows_begin(struct embedded *e)
{
    struct buf path = BUF_INIT(4096);
    buf_put(&path, str_c(e->c.path));
    buf_put_lit(&path, "/rows.mdb");
    buf_put_byte(&path, 0);
    enum err err = buf_check(&path);
    if (err == OK) err = rows_open(path.p, e->c.map_bytes, &e->rows);
    buf_free(&path);
    /* The last commit must be certain before anything is given up because of it. */
    if (err == OK) err = rows_sync(e->rows);
    if (err == OK && os->fsync(e->folder_fd) != 0) err = ERR_IO; /* the name of a new file */
    if (err == OK) err = rows_mark_get(e->rows, &e->tree_mark);
    return err;
}

/* What the tree says of the segments. */
static enum err live_begin(struct embedded *e)
{
    struct rows_reader *reader;
    enum err err = rows_reader_begin(e->rows, &reader);
    if (err != OK) return err;
    struct view tree = { .base_ops = &rows_base_ops, .base = reader };
    struct view_walk *w =
        view_walk_begin(&tree, TABLE_SEGMENTS, STR_NONE, STR_NONE, RANGE_UP, &err);
    struct row row;
    while (err == OK && (err = view_walk_next(w, &row)) == OK) {
        struct wire key = wire_of(row.key), value = wire_of(row.value);
        uint64_t id = wire_get_u64(&key), end = wire_get_u64(&value);
        int64_t live = (int64_t)wire_get_u64(&value);
        if (wire_end(&key) != OK || wire_end(&value) != OK) err = ERR_CORRUPT;
        segments_live(e->segments, id, live, end, 0);
        if (segment_find(e->segments, id) == NULL) segment_row_remove(e, id);
    }
    view_walk_end(&w);
    rows_reader_end(&reader);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Cold segments that were being filled at the last end keep their room for nothing. */
static enum err cold_cut(struct embedded *e)
{
    enum err err = OK;
    struct segment *g = segment_after(e->segments, 0);
    for (; err == OK && g != NULL; g = segment_after(e->segments, g->id)) {
        if (segment_is_cold(g->id) && g->file_bytes > g->end)
            err = segment_cut(e->segments, g, g->end);
    }
    return err;
}

static enum err log_begin(struct embedded *e, struct embedded_opening *how)
{
    struct place end;
    uint64_t group;
    e->active = layer_new();
    e->active->mark = e->tree_mark;
    enum err err = segments_open(e->log_fd, e->c.segment_bytes, &e->segments);
    if (err == OK) err = live_begin(e);
    if (err == OK) err = recover(e, how, &end, &group);
    if (err != OK) return err;
    e->active->since_ms = clock_now();
    e->published = e->last_seq;
    e->stats.replayed_records = how->replayed_records;
    e->stats.torn_bytes = how->torn_bytes;
    segments_give_up(e, 0);
    err = cold_cut(e);
    return err != OK ? err : log_open(e->segments, end, group, &e->log);
}

static void want_supply(void *ctx)
{
    supplier_wake(ctx, false);
}

static void locks_init(struct embedded *e)
{
    pthread_mutex_init(&e->compaction.lock, NULL);
    pthread_cond_init(&e->work_wanted, NULL);
    pthread_mutex_init(&e->give_up_lock, NULL);
    pthread_mutex_init(&e->view_lock, NULL);
    pthread_mutex_init(&e->queue_lock, NULL);
    pthread_mutex_init(&e->tend_lock, NULL);
    pthread_cond_init(&e->queue_filled, NULL);
    pthread_cond_init(&e->flushed, NULL);
    pthread_cond_init(&e->supply_wanted, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->flush_wanted, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void threads_start(struct embedded *e)
{
    must(pthread_create(&e->writer, NULL, writer_run, e) == 0);
    must(pthread_create(&e->flusher, NULL, flusher_run, e) == 0);
    must(pthread_create(&e->supplier, NULL, supplier_run, e) == 0);
    must(pthread_create(&e->worker, NULL, worker_run, e) == 0);
    e->started = true;
    log_on_want(e->log, want_supply, e);
    supplier_wake(e, false);
}

/* ---- closing ---- */

/* First: what it does needs all the others. */
static void worker_stop(struct embedded *e)
{
    pthread_mutex_lock(&e->tend_lock);
    e->worker_stop = true;
    pthread_cond_signal(&e->work_wanted);
    pthread_mutex_unlock(&e->tend_lock);
    pthread_join(e->worker, NULL);
}

static void writer_stop(struct embedded *e)
{
    pthread_mutex_lock(&e->queue_lock);
    e->stopping = true;
    pthread_cond_signal(&e->queue_filled);
    pthread_mutex_unlock(&e->queue_lock);
    pthread_join(e->writer, NULL);
}

static void others_stop(struct embedded *e)
{
    pthread_mutex_lock(&e->tend_lock);
    e->flusher_stop = e->supplier_stop = true;
    pthread_cond_signal(&e->flush_wanted);
    pthread_cond_signal(&e->supply_wanted);
    pthread_mutex_unlock(&e->tend_lock);
    pthread_join(e->flusher, NULL);
    pthread_join(e->supplier, NULL);
}

/* Everything into the tree, with the mark that the log ends here. What fails is done by the next
 * recovery. */
static void flush_last(struct embedded *e)
{
    if (atomic_load(&e->broken)) return;
    enum err err = OK;
    if (e->frozen != NULL) err = flush_layer(e, e->frozen, &e->frozen->mark);
    struct rows_mark end = { log_tail(e->log), log_group(e->log), true };
    if (err == OK) err = flush_layer(e, e->active, &end);
    if (err == OK) err = rows_sync(e->rows);
    err_ignore(err);
}

static void embedded_free(struct embedded *e)
{
    layer_free(&e->active);
    layer_free(&e->frozen);
    log_close(&e->log);
    segments_close(&e->segments);
    rows_close(&e->rows);
    if (e->log_fd >= 0) os->close(e->log_fd);
    if (e->lock_fd >= 0) os->close(e->lock_fd);
    if (e->folder_fd >= 0) os->close(e->folder_fd);
    pthread_mutex_destroy(&e->give_up_lock);
    pthread_mutex_destroy(&e->view_lock);
    pthread_mutex_destroy(&e->queue_lock);
    pthread_mutex_destroy(&e->tend_lock);
    pthread_mutex_destroy(&e->compaction.lock);
    pthread_cond_destroy(&e->work_wanted);
    free(e->compaction.ids);
    pthread_cond_destroy(&e->queue_filled);
    pthread_cond_destroy(&e->flushed);
    pthread_cond_destroy(&e->supply_wanted);
    pthread_cond_destroy(&e->flush_wanted);
    free(e->removed);
    free(e);
}

static void embedded_close(struct engine *engine)
{
    struct embedded *e = embedded_of(engine);
    must(e->oldest == NULL);
    if (e->started) {
        worker_stop(e);
        writer_stop(e);
        others_stop(e);
        flush_last(e);
    }
    embedded_free(e);
}

static const struct engine_ops embedded_ops = {
    .name = "embedded",
    .submit = embedded_submit,
    .refresh = embedded_refresh,
    .snapshot_begin = embedded_snapshot_begin,
    .snapshot_end = embedded_snapshot_end,
    .stage_new = embedded_stage_new,
    .stage_append = embedded_stage_append,
    .stage_read = embedded_stage_read,
    .stage_drop = embedded_stage_drop,
    .blob_put = embedded_blob_put,
    .blob_count = embedded_blob_count,
    .blob_bytes = embedded_blob_bytes,
    .blob_read = embedded_blob_read,
    .watch_set = embedded_watch_set,
    .check = embedded_check,
    .backup = embedded_backup,
    .compact = embedded_compact,
    .work = embedded_work,
    .stats = embedded_stats,
    .close = embedded_close,
};

enum err engine_embedded_open(const struct embedded_config *c, struct engine **e_out,
                              struct embedded_opening *how_out)
{
    struct embedded_opening how = { 0 };
    struct embedded *e = calloc(1, sizeof *e);
    must(e != NULL);
    e->engine.ops = &embedded_ops;
    config_fill(&e->c, c);
    e->folder_fd = e->log_fd = e->lock_fd = -1;
    e->queue_end = &e->queue;
    e->work_end = &e->work;
    locks_init(e);
    enum err err = folder_open(AT_FDCWD, c->path, &e->folder_fd);
    if (err == OK) err = lock_take(e);
    if (err == OK) err = folder_open(e->folder_fd, "log", &e->log_fd);
    if (err == OK) err = rows_begin(e);
    if (err == OK) err = log_begin(e, &how);
    if (how_out != NULL) *how_out = how;
    if (err != OK) {
        embedded_free(e);
        return err;
    }
    space_look(e);
    threads_start(e);
    *e_out = &e->engine;
    return OK;
}
