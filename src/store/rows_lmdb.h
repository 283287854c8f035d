/* The tree on disk: rows in LMDB, and the position in the log up to which they are true.
 *
 * Readers: any number of threads, a reader in one thread at a time. Commits: one thread. */
#ifndef STORE_ROWS_LMDB_H
#define STORE_ROWS_LMDB_H

#include "store/segment.h"
#include "store/view.h"

struct rows_db;

/* Up to where the log has been taken over. All zero in a new tree. */
struct rows_mark {
    struct place at;
    uint64_t group; /* no record behind it has a lower number */
    bool clean;     /* the log ended here when the store was closed */
};

/* Open or make `path` with a map of at most `map_bytes` (halved while the process may not have so
 * much address space). ERR_FULL, ERR_LIMIT (no address space at all), ERR_CORRUPT, ERR_IO, ... */
enum err rows_open(const char *path, uint64_t map_bytes, struct rows_db **out);
void rows_close(struct rows_db **r);

enum err rows_mark_get(struct rows_db *r, struct rows_mark *out);

/* ---- reading: the base of a view ---- */

extern const struct base_ops rows_base_ops;

struct rows_reader; /* the `base` of these operations */

/* A consistent look at the tree as it is now. ERR_LIMIT: too many readers. */
enum err rows_reader_begin(struct rows_db *r, struct rows_reader **out);
void rows_reader_end(struct rows_reader **reader);

/* ---- writing ---- */

/* A row that is not in the memtable. */
struct rows_extra {
    enum table table;
    bool gone;
    char key[8];
    char value[16];
};

/* Have the file system set room aside for `bytes` of new pages, so that a commit does not run out
 * of it halfway (LMDB then says EIO, which could be anything). ERR_FULL; OK also where it cannot be
 * promised. */
enum err rows_reserve(struct rows_db *r, uint64_t bytes);

/* Take over the newest version of every row of `m` and the mark, in one transaction. Nothing has
 * changed when it fails: ERR_FULL (may go well later), ERR_IO and others (final).
 * `bytes_out`: of the rows written. */
enum err rows_commit(struct rows_db *r, const struct memtable *m, const struct rows_extra *extra,
                     size_t extra_count, const struct rows_mark *mark, uint64_t *bytes_out);

/* Write out what LMDB leaves to the next commit (its last meta page). ERR_IO. */
enum err rows_sync(struct rows_db *r);

/* A consistent copy of the tree into an open, empty file, and the mark in it. ERR_FULL, ERR_IO. */
enum err rows_copy(struct rows_db *r, int fd);

#endif
