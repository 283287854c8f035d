/* The inside of the embedded engine: what its files share. Nobody else includes this.
 *
 * Locks, in the order in which they may be taken: give_up, log, tend, view, queue, then those of
 * the segments and the rows. No lock is held while a body runs or the disk works, but for the log's
 * while a chunk is written and the segments' while a file is opened. */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/blob_row.h"
#include "store/engine_embedded.h"
#include "store/engine_ops.h"
#include "store/layer.h"
#include "store/log.h"
#include "store/txn.h"

enum { LAYERS_MAX = 2 };

/* How much room the file system has. */
enum space { SPACE_ENOUGH, SPACE_LOW /* no new bodies */, SPACE_NONE /* nothing */ };

/* A consistent look, held: its layers and its reader of the tree. */
struct look {
    struct view view;
    struct layer *layers[LAYERS_MAX];
    size_t layer_count;
    struct rows_reader *reader;
};

struct snapshot {
    struct txn txn; /* first */
    struct look look;
    uint64_t seq; /* at least this much it sees */
    struct snapshot *older, *newer;
};

/* The janitor's place in its work. */
struct compaction {
    pthread_mutex_t lock; /* one at a time */
    uint64_t victim;      /* 0: none chosen */
    struct blob_id *ids;  /* what may lie in it */
    size_t n, room, next;
    struct segment *cold; /* where the living go, or null */
    uint64_t cold_tail;
};

struct embedded {
    struct engine engine; /* first */
    struct embedded_config c;
    int folder_fd, log_fd, lock_fd;
    struct segments *segments;
    struct log *log;
    struct rows_db *rows;

    /* The view lock: what readers see. */
    pthread_mutex_t view_lock;
    struct layer *active, *frozen; /* frozen: being taken over by the tree, or null */
    uint64_t published;            /* the last transaction that snapshots see */
    struct snapshot *oldest, *newest;
    unsigned backups; /* while there are any, no segment is given up */
    engine_watch watch;
    void *watch_ctx;
    struct rows_mark tree_mark; /* of the tree's last commit, and the last transaction in it */
    uint64_t tree_seq;
    struct engine_stats stats;

    /* The queue lock: the way to the writer. */
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled;
    struct intent *queue, **queue_end;
    bool stopping, rotate;

    /* The tend lock: the way to the flusher and the supplier. */
    pthread_mutex_t tend_lock;
    pthread_cond_t flush_wanted, flushed, supply_wanted;
    bool flush_now, flusher_stop, supply_now, supplier_stop, give_up;
    enum err flush_error; /* of the last attempt */
    uint64_t flush_begun, flush_ended;
    uint64_t *removed; /* ids of segments whose row has to go */
    size_t removed_count, removed_room;

    pthread_t writer, flusher, supplier;
    bool started;
    pthread_mutex_t give_up_lock; /* held while segments are given up */
    atomic_bool broken;
    _Atomic(enum space) space;
    atomic_uint_fast64_t free_bytes;

    uint64_t last_seq; /* the writer's: the last transaction evaluated */
    atomic_uint_fast64_t
        live_change; /* counts up before and after the segments' living bytes change */
    struct compaction compaction;

    /* Long work, under the tend lock. */
    pthread_cond_t work_wanted;
    pthread_t worker;
    struct intent *work, **work_end;
    bool worker_stop;
};

struct embedded_stage {
    struct stage stage; /* first */
    uint64_t number;
    struct extent *extents;
    size_t n;
    struct buf sums; /* of all extents, one after the other */
    atomic_bool adopted;
};

static inline struct embedded *embedded_of(struct engine *e)
{
    return (struct embedded *)(void *)e;
}
static inline struct embedded_stage *embedded_stage_of(struct stage *s)
{
    return (struct embedded_stage *)(void *)s;
}

/* ---- look.c: views and snapshots ---- */

/* Hold what is there now. ERR_LIMIT, ERR_IO. */
enum err look_take(struct embedded *e, struct look *l);
void look_drop(struct embedded *e, struct look *l);
enum err embedded_snapshot_begin(struct engine *engine, struct txn **t_out);
void embedded_snapshot_end(struct txn *t);

/* The number that every open snapshot has reached. */
uint64_t snapshots_oldest_seq(struct embedded *e);

/* ---- apply.c: operations of a record into the active table; the writer's and recovery's ---- */

/* First half: what dies in the segments when the blobs' rows of this payload change; `view` is what
 * was there before. ERR_CORRUPT, ERR_IO. */
enum err apply_count_before(const struct view *view, struct str payload, uint32_t data_bytes,
                            struct live *live);

/* Second half: the rows, and what is alive through them. Fails only when the payload makes no sense
 * (ERR_CORRUPT). */
struct apply {
    struct embedded *e;
    struct place at; /* of the record */
    uint64_t seq;
    struct live *live;
    /* Nodes written, to undo them; null: not wanted. */
    struct mem_node ***touched;
    size_t *touched_count, *touched_room;
};
enum err apply_rows(const struct apply *a, struct str payload, uint32_t data_bytes);

/* ---- writer.c ---- */

void *writer_run(void *engine);
void embedded_submit(struct engine *engine, struct intent *i);

/* Make the active table a frozen one as soon as a group ends. */
void writer_ask_rotate(struct embedded *e);

/* ---- flusher.c ---- */

void *flusher_run(void *engine);

/* Take a layer over into the tree. The caller sees to it that nobody else does. */
enum err flush_layer(struct embedded *e, struct layer *l, const struct rows_mark *mark);

/* A layer was frozen. */
void flusher_wake(struct embedded *e);

/* Wait until what is published now is in the tree. ERR_FULL, ERR_BROKEN. */
enum err flush_wait(struct embedded *e);

/* ---- supplier.c ---- */

void *supplier_run(void *engine);
void supplier_wake(struct embedded *e, bool give_up);

/* Remove segments that nothing refers to any more; `keep`: up to so many are left for new ones. */
void segments_give_up(struct embedded *e, size_t keep);

/* Ask the file system for its free space and set e->space. */
void space_look(struct embedded *e);

/* ---- blob.c ---- */

enum err embedded_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                           struct stage *stage, uint32_t references);
enum err embedded_blob_count(struct txn *t, struct blob_id id, int32_t add);
enum err embedded_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out);
enum err embedded_blob_read(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                            struct buf *out);

/* Append the bytes [from, from + n) of an extent to `out`, verified. ERR_CORRUPT, ERR_IO, ... */
enum err extent_read(struct segments *s, const struct extent *x, uint64_t from, size_t n,
                     struct buf *out);

/* ---- stage.c ---- */

enum err embedded_stage_new(struct engine *engine, struct stage **s_out);
enum err embedded_stage_append(struct engine *engine, struct stage *s, struct str chunk);
enum err embedded_stage_read(struct engine *engine, struct stage *s, uint64_t offset,
                             size_t max_bytes, struct buf *out);
void embedded_stage_drop(struct engine *engine, struct stage *s);

/* ---- recover.c ---- */

/* Bring the tables in memory up to the end of the log; `end_out`, `group_out`: where it ends and
 * the first number for new groups. ERR_CORRUPT, ERR_IO, ... */
enum err recover(struct embedded *e, struct embedded_opening *how, struct place *end_out,
                 uint64_t *group_out);

/* The segment has gone; its row goes with the next commit. */
void segment_row_remove(struct embedded *e, uint64_t id);

/* ---- worker.c ---- */

void *worker_run(void *engine);
void embedded_work(struct engine *engine, struct engine_work *w);

/* ---- check_embedded.c, backup.c, compact.c ---- */

enum err embedded_check(struct engine *engine, const struct engine_check *how,
                        struct engine_report *out);
enum err embedded_backup(struct engine *engine, int folder_fd);
enum err embedded_compact(struct engine *engine, size_t max_bytes, bool *more_out);

#endif
