/* The log: where records are appended. One active segment, one spare one.
 *
 * Two kinds of users: the writer thread, which reserves places for the records of a group, writes
 * them together and syncs; and whoever stages chunks, which are reserved and written in one step
 * under the lock. So when a later record is written, every chunk before it is whole. */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include <sys/uio.h>

#include "store/redo.h"
#include "store/record.h"
#include "store/segment.h"

struct log;

/* Start behind `last` (where the log ended; segment 0: a new log) in a fresh segment. `group`: the
 * number of the first group; no record before has a higher one. */
enum err log_open(struct segments *s, struct place last, uint64_t group, struct log **out);
void log_close(struct log **l);

/* ---- the writer's side ---- */

/* The number that the records of the group at hand carry. */
uint64_t log_group(struct log *l);

/* The salt and the room of a record. First in a group: begins it in the active segment, which
 * may become a new one. ERR_AGAIN: the group has to be written first. ERR_FULL: no room.
 * ERR_LIMIT: larger than a segment. ERR_BROKEN. */
enum err log_reserve(struct log *l, uint32_t payload_bytes, uint32_t data_bytes,
                     struct place *place_out, uint64_t *salt_out);

/* Write a run of what was reserved. ERR_FULL: call log_cancel(). ERR_BROKEN. */
enum err log_write(struct log *l, struct iovec *iov, size_t n, struct place at);

/* Sync the group and everything written before it, and end it. ERR_BROKEN: then nothing
 * will ever be written again. */
enum err log_sync(struct log *l);

/* End the group without its records: "skip" is written over each of its `runs`. ERR_BROKEN. */
struct log_run {
    struct place at;
    uint64_t bytes;
};
enum err log_cancel(struct log *l, const struct log_run *runs, size_t n);

/* Where the next record would go. */
struct place log_tail(struct log *l);

/* ---- chunks ---- */

/* Append a chunk and pin its segment. `*stage` is its stage's number; 0: the first one, and is
 * given a number. `place_out`: of its bytes. `sums`: 8 bytes for each ENGINE_SUM_BYTES. ERR_FULL,
 * ERR_BROKEN. */
enum err log_chunk(struct log *l, uint64_t *stage, struct str chunk, struct place *place_out,
                   struct buf *sums);

/* ---- the spare segment ---- */

/* Does it want one? If so, the id it must have; it is then asked for until it is given. */
bool log_wants_spare(struct log *l, uint64_t *id_out);

/* Called, from any thread, when it begins to want one. */
void log_on_want(struct log *l, void (*f)(void *ctx), void *ctx);

/* A segment, or why there is none (intents are then refused when the active one is full). */
void log_give_spare(struct log *l, struct segment *g, enum err e);

/* ---- numbers ---- */

struct log_stats {
    uint64_t bytes_written, syncs;
};
void log_stats(struct log *l, struct log_stats *out);

/* From now on everything is ERR_BROKEN. */
bool log_is_broken(struct log *l);
void log_break(struct log *l);

#endif
