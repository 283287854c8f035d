/* A group: the records of many transactions on their way into the log together.
 *
 * Their headers, payloads and heads are in one buffer, the bodies stay where the callers have them;
 * written is what the list of pieces says, in runs of neighbouring places. */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include "store/embedded.h"

struct group_piece {
    const char *p; /* null: in the buffer */
    size_t at, n;
};

struct group_run {
    struct log_run run;
    size_t first_piece;
};

struct group_record {
    size_t payload_at;
    uint32_t payload_bytes;
};

struct group {
    struct buf bytes;
    struct group_piece *pieces;
    struct group_run *runs;
    struct group_record *records;
    size_t piece_count, piece_room, run_count, run_room, record_count, record_room;
    uint64_t log_bytes;
    struct place end; /* of the last record */
    struct live live;
    struct mem_node **touched; /* to take the rows back */
    size_t touched_count, touched_room;
    struct stage **stages; /* that have become blobs */
    size_t stage_count, stage_room;
};

void group_clear(struct group *g);
void group_free(struct group *g);

/* Make the transaction's record, get its place, put its rows into the active table under number
 * `seq`. `look`: what is there before it. ERR_AGAIN (write the group first), ERR_FULL, ERR_LIMIT,
 * ERR_BROKEN, ERR_CORRUPT: nothing has changed then. */
enum err group_add(struct group *g, struct embedded *e, struct txn *t, uint64_t seq);

/* Write all runs. ERR_FULL, ERR_BROKEN. */
enum err group_write(struct group *g, struct log *l);

/* Nothing of it has happened: rows taken back, places in the log skipped. ERR_BROKEN. */
enum err group_cancel(struct group *g, struct log *l, uint64_t seq_before);
void group_undo(struct group *g, uint64_t seq_before);

/* Call `f` for each row written. */
void group_watch(const struct group *g, engine_watch f, void *ctx);

#endif
