/* The embedded engine: segments that are the log and hold the bodies, tables in memory for what is
 * young, LMDB for the rest (docs/crash.md).
 *
 * Three threads of its own: the writer (evaluates, writes groups, syncs, answers), the flusher
 * (takes the tables over into LMDB), the supplier (segments, free space). One process at a time. */
#ifndef STORE_ENGINE_EMBEDDED_H
#define STORE_ENGINE_EMBEDDED_H

#include "store/engine.h"

/* 0 means: the parameter of that name in the configuration. */
struct embedded_config {
    const char *path;       /* the folder; made if it is not there (its parent has to be) */
    uint64_t map_bytes;     /* store_map_bytes: largest size of rows.mdb */
    uint64_t segment_bytes; /* 64 MiB; tests take less */
    uint64_t memory_bytes;  /* store_memory_bytes: size of a table in memory that is taken over */
    int64_t flush_ms;       /* store_flush_ms: age at which it is */
    uint64_t reserve_bytes; /* store_reserve_bytes: free space that bodies may not use up */
    bool salvage;           /* step over damage in the log instead of refusing to open */
};

/* What recovery did. */
struct embedded_opening {
    uint64_t replayed_records, torn_bytes, damaged_records;
    /* ERR_CORRUPT in the log: where. */
    uint64_t damage_segment, damage_offset;
};

/* Open or make a store, and recover it. ERR_BUSY (another process has it), ERR_FULL, ERR_CORRUPT
 * (damage in the log or the tree), ERR_DENIED, ERR_IO, ERR_LIMIT. `how_out` may be null; it is
 * filled in on failure as well. */
enum err engine_embedded_open(const struct embedded_config *c, struct engine **e_out,
                              struct embedded_opening *how_out);

/* Take everything acknowledged over into the tree, now; waits for the disk. ERR_FULL, ERR_BROKEN.
 */
enum err engine_embedded_flush(struct engine *e);

#endif
