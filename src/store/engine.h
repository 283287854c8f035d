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
 *  - Durable intents are acknowledged after the log that holds their bytes is on the disk. Visible
 *    intents are acknowledged when snapshots begun afterwards see them (durable or not is then up
 * to the engine's next sync, at most `ENGINE_VISIBLE_LAG_MS` away).
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
    ENGINE_CHUNK_MAX = 1024 * 1024, /* one staged chunk of a large blob */
    ENGINE_VISIBLE_LAG_MS = 1000,
};

struct engine;
struct txn;

typedef enum err (*txn_body)(struct txn *t, void *ctx);

/* ---- transactions ---- */

enum intent_kind {
    INTENT_DURABLE, /* done() after the log is synced: SMTP's 250 */
    INTENT_VISIBLE, /* done() when new snapshots see it: a user's own change */
};

/* One transaction on its way. The caller owns the memory until done() has been called. */
struct intent {
    txn_body body;
    void *ctx;
    enum intent_kind kind;
    /* Called exactly once, from a thread of the engine's or from within engine_submit(); it may
     * only hand the intent over to its waiting thread. `result` is set before. */
    void (*done)(struct intent *);
    enum err result; /* OK; what the body returned; ERR_CONFLICT, ERR_UNKNOWN, ERR_FULL, ERR_BROKEN,
                        ERR_LIMIT */
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
 * when a key, a value or the transaction grows beyond the maxima above. */
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

/* Begin a consistent read-only view: txn_get and txn_range work on it from the calling thread.
 * Short by law: a snapshot older than a second holds back the reuse of pages. It sees every intent
 * that was acknowledged before it began (a durable one as well: the engine brings its rows up to
 * date first; that can wait for the disk, so a fiber asks through engine_refresh() before).
 * ERR_LIMIT, ERR_IO. */
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
 * is never put into a blob is garbage after a restart or after engine_stage_drop(). */
struct stage;

/* Append a chunk (1..ENGINE_CHUNK_MAX bytes; all but the last the same size for a given stage, so
 * that offsets can be computed). The bytes are in the kernel's hands when this returns; they are
 * made durable by the commit that refers to them. ERR_FULL, ERR_BROKEN. */
enum err engine_stage_new(struct engine *e, struct stage **s_out);
enum err engine_stage_append(struct engine *e, struct stage *s, struct str chunk);
enum err engine_stage_read(struct engine *e, struct stage *s, uint64_t offset, size_t max_bytes,
                           struct buf *out);
uint64_t engine_stage_bytes(const struct stage *s);
void engine_stage_drop(struct engine *e, struct stage **s);

/* In a body: make a blob of `head` followed by `small` or by the staged chunks (`stage` null or
 * given, never both `small` and `stage`); head + small at most 512 KiB. It is counted once for each
 * of `references` (at least 1). The id is chosen by the caller (random or a message's own id); an
 * id that exists already is ERR_EXISTS. The blob is written to the log before the transaction is
 * acknowledged, once. */
enum err txn_blob_put(struct txn *t, struct blob_id id, struct str head, struct str small,
                      struct stage *stage, uint32_t references);

/* In a body: change the count by `add`; at 0 the blob's row goes and its bytes become garbage for
 * the janitor. ERR_NOT_FOUND. */
enum err txn_blob_count(struct txn *t, struct blob_id id, int32_t add);

/* Size in bytes (head + body), from a body or a snapshot. ERR_NOT_FOUND. */
enum err txn_blob_bytes(struct txn *t, struct blob_id id, uint64_t *bytes_out);

/* Append up to `max_bytes` from `offset` to `out`; fewer at the end. The bytes are verified against
 * their checksum: ERR_CORRUPT is returned instead of a damaged byte. From a snapshot's thread. */
enum err txn_blob_read(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                       struct buf *out);

/* ---- watch ---- */

/* Called (from an engine's thread) after a transaction that wrote a key with this prefix has become
 * visible; says only "look again". One callback per engine, keys are its filter's business. */
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

/* Free the space of garbage: a bounded slice of work; *more_out says whether there is more to do.
 */
enum err engine_compact(struct engine *e, size_t max_bytes, bool *more_out);

struct engine_stats {
    uint64_t transactions, groups, syncs, row_commits, log_bytes_written, row_bytes_written,
        replayed_records, torn_bytes, free_bytes;
};
void engine_stats(struct engine *e, struct engine_stats *out);

/* Stop: finish what was submitted, make rows durable, close. Accepts null. */
void engine_close(struct engine **e);

#endif
