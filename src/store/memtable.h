/* Ordered rows in memory, with versions: what is newer than the tree on disk.
 *
 * One writer and any number of readers at the same time, without locks: rows are only added, a
 * reader looks at the newest version that is not newer than its own number. Three users: the rows
 * of the log that the tree has not taken over yet, the write set of one transaction, and all rows
 * of the engine in memory.
 *
 * Values live until the table is reset or freed. */
#ifndef STORE_MEMTABLE_H
#define STORE_MEMTABLE_H

#include "base/str.h"

/* Separate ordered spaces within one table (and within the tree on disk). */
enum table {
    TABLE_ROWS,     /* the callers' rows */
    TABLE_BLOBS,    /* blob id -> count, size, where the bytes lie */
    TABLE_STAGES,   /* stage number -> blob id: whose a chunk in a segment is */
    TABLE_SEGMENTS, /* segment number -> what lies in it */
    TABLE_COUNT,
};

#define MEMTABLE_NEWEST UINT64_MAX /* a reader's number that sees everything */

struct memtable;
struct mem_node;

struct memtable *memtable_new(void);
void memtable_free(struct memtable **m);

/* Forget all rows, keep some memory. No reader may be there. */
void memtable_reset(struct memtable *m);

/* Add a version of a row; `seq` not below any given before. The writer's thread only. A deletion is
 * a version as well (it hides what lies below). Key at most 64 KiB - 1 bytes. */
struct mem_node *memtable_put(struct memtable *m, uint64_t seq, enum table table, struct str key,
                              struct str value);
struct mem_node *memtable_del(struct memtable *m, uint64_t seq, enum table table, struct str key);

/* Take back the versions of a row that are newer than `seq`, which no reader has been shown. */
void memtable_undo(struct mem_node *node, uint64_t seq);

/* What a reader with number `seq` finds: false when the table says nothing about the key. */
struct mem_found {
    struct str key, value;
    uint64_t seq;
    bool gone; /* it says: deleted */
};
bool memtable_get(const struct memtable *m, uint64_t seq, enum table table, struct str key,
                  struct mem_found *out);

/* Walking. A node may have no version for the reader: memtable_at() is then false, walk on.
 * first: the first with key >= from; last: the last with key < until (an empty `until`: the last of
 * all). Null behind the end. Going down costs a search a step. */
const struct mem_node *memtable_first(const struct memtable *m, enum table table, struct str from);
const struct mem_node *memtable_last(const struct memtable *m, enum table table, struct str until);
const struct mem_node *memtable_next(const struct mem_node *at);
const struct mem_node *memtable_prev(const struct memtable *m, const struct mem_node *at);
bool memtable_at(const struct mem_node *at, uint64_t seq, struct mem_found *out);

/* Memory taken so far, and versions added so far. */
size_t memtable_bytes(const struct memtable *m);
size_t memtable_versions(const struct memtable *m);

#endif
