/* The inner waist: ordered keys, transactions, ranges, blobs, watch, backup.
 *
 * Engines: the embedded one (engine_embedded.h: LMDB rows, segments that are log and bodies at
 * once), the one in memory with a fault schedule (engine_memory.h) for tests, later a distributed
 * one. All pass the same conformance test. Everything here holds for each of them.
 *
 * Laws
 *  - A transaction is a function (`txn_body`) that may run twice: it reads and writes through
 * `txn`, waits for nothing, sends nothing, and keeps its results in memory that `ctx` names and
 * that a second run overwrites.
 *  - A body that returns an error leaves no trace. A body that returns OK is committed whole or
 * not.
 *  - Intents are evaluated one after the other; each sees the effects of all evaluated before it.
 *  - An intent that is answered OK is on the disk, and snapshots begun afterwards see it. Snapshots
 *    never show what a crash could take back: a UID that a client has seen is not given out twice.
 *  - An error that a body returned is answered after the intents it may have seen are on the disk.
 *  - After ERR_BROKEN nothing more can be committed: the process has to end and recover.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    ENGINE_KEY_MAX = 511,
    ENGINE_VALUE_MAX = 64 * 1024,
    ENGINE_TXN_BYTES_MAX = 8 * 1024 * 1024, /* keys and values; blobs do not count */
    ENGINE_TXN_OPS_MAX = 10000,
    ENGINE_CHUNK_MAX = 1024 * 1024,             /* one staged chunk of a large blob */
    ENGINE_SUM_BYTES = 256 * 1024,              /* what one checksum covers */
    ENGINE_STAGE_CHUNKS_MAX = 1024,             /* so a blob has at most 1 GiB and its head */
    ENGINE_BLOB_INLINE_MAX = 512 * 1024,        /* head + small of one blob */
    ENGINE_TXN_BLOBS_MAX = 64,                  /* new blobs of one transaction */
    ENGINE_TXN_INLINE_MAX = 8 * 1024 * 1024,    /* head + small of all of them */
    ENGINE_BLOB_COUNT_MAX = 1024 * 1024 * 1024, /* references */
};

struct engine;
struct txn;

typedef enum err (*txn_body)(struct txn *t, void *ctx);

/* ---- transactions ---- */

/* What the caller waits for. The embedded engine and the one in memory give both at once (one sync
 * makes a group durable, then visible); a distributed one may answer the first earlier. */
enum intent_kind {
    INTENT_DURABLE, /* done() when it cannot be lost any more: SMTP's 250 */
    INTENT_VISIBLE, /* done() when new snapshots see it as well: a user's own change */
};

/* One transaction on its way. The caller owns the memory until done() has been called. */
struct intent {
    txn_body body;
    void *ctx;
    enum intent_kind kind;
    /* Called exactly once, from a thread of the engine's or from within engine_submit(); it may
     * only hand the intent over to its waiting thread. `result` is set before. */
    void (*done)(struct intent *);
    /* OK; what the body returned; ERR_CONFLICT (try again), ERR_FULL (nothing was done), ERR_LIMIT
     * (too large), ERR_BROKEN (nothing was done, nothing will be), ERR_UNKNOWN (done or not: only a
     * look after recovery tells). */
    enum err result;
    struct intent *next; /* the engine's, then whoever collects done ones */
};

/* Hand over a transaction. Never blocks on the disk. */
void engine_submit(struct engine *e, struct intent *i);

/* Submit and wait on the calling thread: tools and tests, never a fiber. */
enum err engine_commit(struct engine *e, enum intent_kind kind, txn_body body, void *ctx);

/* Memory that lives until the transaction's body (or the snapshot) ends. */
struct arena *txn_arena(struct txn *t);

/* Value under `key`, copied into the transaction's arena. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
enum err txn_get(struct txn *t, struct str key, struct str *value_out);

/* Write or delete; only in a body, never in a snapshot. Deleting what is not there is OK. ERR_LIMIT
 * when a key (1..ENGINE_KEY_MAX bytes), a value or the transaction grows beyond the maxima above.
 * The bytes are copied. */
enum err txn_put(struct txn *t, struct str key, struct str value);
enum err txn_del(struct txn *t, struct str key);

struct row {
    struct str key, value;
};
struct rows {
    struct row *at;
    size_t n;
    bool more; /* the range goes on behind the last row: resume from its key */
};
enum range_order { RANGE_UP, RANGE_DOWN };

/* Rows with from <= key < until in byte order (RANGE_DOWN: the same rows, last first), at most
 * `max_rows` (1..10000) and about 1 MiB, copied into the transaction's arena. An empty `until`
 * means "to the end". The body sees its own writes. */
enum err txn_range(struct txn *t, struct str from, struct str until, enum range_order order,
                   size_t max_rows, struct rows *out);

/* ---- snapshots ---- */

/* Begin a consistent read-only view: txn_get and txn_range work on it, from one thread at a time.
 * Short by law: a snapshot older than a second holds back the reuse of pages. It sees every intent
 * that was acknowledged before it began, and does not wait (a distributed engine may: a fiber asks
 * through engine_refresh() before). What it copies into its arena is at most 64 MiB.
 * ERR_LIMIT (too many at once), ERR_IO. */
enum err engine_snapshot_begin(struct engine *e, struct txn **t_out);
void engine_snapshot_end(struct txn **t);

/* Ask that snapshots see everything acknowledged so far, without waiting on the calling thread: the
 * intent (body null) is done when they do; at once if they do already. */
void engine_refresh(struct engine *e, struct intent *i);

/* ---- blobs: immutable, checksummed, counted ---- */

enum { BLOB_ID_BYTES = 16 };
struct blob_id {
    unsigned char bytes[BLOB_ID_BYTES];
};

/* Bytes on their way to become (part of) a blob before any transaction speaks of them. A stage that
 * is never put into a blob is garbage after a restart or after engine_stage_drop(). Dropping it
 * after the commit of its blob frees only the handle, so every stage is dropped in the end; not
 * while an intent that speaks of it is on its way. One stage makes at most one blob. One thread at
 * a time uses a stage. */
struct stage;

/* Append a chunk (1..ENGINE_CHUNK_MAX bytes; full ones but the last, or the number of chunks will
 * limit the size). The bytes are in the kernel's hands when this returns; they are made durable by
 * the commit that refers to them. ERR_FULL, ERR_BROKEN, ERR_LIMIT (ENGINE_STAGE_CHUNKS_MAX). */
enum err engine_stage_new(struct engine *e, struct stage **s_out);
enum err engine_stage_append(struct engine *e, struct stage *s, struct str chunk);
enum err engine_stage_read(struct engine *e, struct stage *s, uint64_t offset, size_t max_bytes,
                           struct buf *out);
uint64_t engine_stage_bytes(const struct stage *s);
void engine_stage_drop(struct engine *e, struct stage **s);

/* In a body: make a blob of `head` followed by `small` or by the staged chunks (`stage` null or
 * given, never both `small` and `stage`). It is counted once for each of `references` (at least 1).
 * The id is chosen by the caller (a message's own id: ids that grow with time keep the tree's pages
 * together; random ones cost a page written each). `head` is copied; `small` is not: its bytes stay
 * where they are, unchanged, until done(). The blob is written to the log before the transaction is
 * acknowledged, once. ERR_EXISTS (the id is taken), ERR_LIMIT, ERR_FULL, ERR_INVALID (the stage is
 * empty or part of a blob already). */
enum err txn_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                      struct stage *stage, uint32_t references);

/* In a body: change the count by `add`; at 0 the blob's row goes and its bytes become garbage for
 * the janitor. ERR_NOT_FOUND, ERR_RANGE (below 0 or above ENGINE_BLOB_COUNT_MAX). */
enum err txn_blob_count(struct txn *t, struct blob_id id, int32_t add);

/* Size in bytes (head + body), from a body or a snapshot. ERR_NOT_FOUND. */
enum err txn_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out);

/* Append up to `max_bytes` from `offset` to `out`; fewer at the end. The bytes are verified against
 * their checksum: ERR_CORRUPT is returned instead of a damaged byte, and nothing is appended then.
 * Only from a snapshot; waits for the disk. Checksums cover ENGINE_SUM_BYTES each, counted from the
 * begin of the inline part and of each chunk: slices of this size at these places are cheapest.
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT (`out` is full). */
enum err txn_blob_read(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                       struct buf *out);

/* ---- watch ---- */

/* Called (from an engine's thread) for each key that a transaction wrote, after it has become
 * visible and before its done(); says only "look again". It may not call the engine and has to be
 * quick. One callback per engine, keys are its filter's business; null ends it. */
typedef void (*engine_watch)(void *ctx, struct str key);
void engine_watch_set(struct engine *e, engine_watch f, void *ctx);

/* ---- keeping it well ---- */

struct engine_report {
    uint64_t rows, blobs, blob_bytes, garbage_bytes, log_bytes, checked_bytes, damaged_blobs,
        wrong_counts, lost_blobs;
};
/* Verify everything: rows readable, each blob's bytes against its checksum, counts against
 * `count_refs` (called for every row; adds the blob ids it refers to through `add`; null skips that
 * part). `say` gets one line per finding. ERR_CORRUPT when something is wrong. */
struct engine_check {
    void (*refs)(struct str key, struct str value, void (*add)(void *, struct blob_id), void *);
    void (*say)(void *ctx, struct str line);
    void *ctx;
};
enum err engine_check(struct engine *e, const struct engine_check *how, struct engine_report *out);

/* A consistent copy into the (empty or new) folder `fd`, openable as a store; work goes on
 * meanwhile. */
enum err engine_backup(struct engine *e, int folder_fd);

/* Free the space of garbage: a bounded slice of work (about `max_bytes` are copied); *more_out says
 * whether there is more to do. ERR_FULL, ERR_BROKEN. */
enum err engine_compact(struct engine *e, size_t max_bytes, bool *more_out);

/* The three above wait for the disk, some for long: for tools and tests. The same for fibers: it is
 * done on a thread of the engine's, one after the other, then intent.done() is called. */
enum engine_work_kind { WORK_CHECK, WORK_BACKUP, WORK_COMPACT };
struct engine_work {
    struct intent intent; /* body null; done, result */
    enum engine_work_kind kind;
    const struct engine_check *check; /* WORK_CHECK; its functions are called on that thread */
    struct engine_report report;
    int folder_fd;    /* WORK_BACKUP */
    size_t max_bytes; /* WORK_COMPACT */
    bool more;
};
void engine_work(struct engine *e, struct engine_work *w);

struct engine_stats {
    uint64_t transactions, groups, syncs, row_commits, log_bytes_written, row_bytes_written,
        replayed_records, torn_bytes, free_bytes;
};
void engine_stats(struct engine *e, struct engine_stats *out);

/* Stop: finish what was submitted, make rows durable, close. Snapshots and stages have been ended
 * before. Accepts null. */
void engine_close(struct engine **e);

#endif
