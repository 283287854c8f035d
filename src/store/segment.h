/* Segments: the files that hold records. One set a store.
 *
 * Ids only grow and are never used twice. Even ids are log segments, in the order of the log; odd
 * ones are cold segments. Descriptors are opened on demand and closed when too many are open; who
 * works with one holds it meanwhile. The set has a lock of its own; each function takes it. */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "store/engine.h"

enum {
    SEGMENT_FIRST_RECORD = 4096, /* what stands before it is the segment's header */
    SEGMENT_BYTES_MIN = 64 * 1024,
    SEGMENT_BYTES_MAX = 1024 * 1024 * 1024,
};

static inline bool segment_is_cold(uint64_t id)
{
    return (id & 1) != 0;
}

/* A place in the log. */
struct place {
    uint64_t segment, offset;
};

struct segment {
    uint64_t id, salt, file_bytes;
    uint64_t end; /* where its records end, as far as known */
    int fd;       /* -1: not open */
    unsigned holds;
    uint64_t last_use;
    bool in_use; /* the log's active one or its spare, or the janitor's: not to be given up */
    bool stuck;  /* the janitor could not move everything */
    /* What the blobs' rows refer to in it, as of everything that is published. */
    int64_t live_bytes;
    uint64_t dead_since; /* the transaction that took the last of it */
    unsigned pins;       /* chunks of stages */
};

struct segments;

/* Every file in `log_fd` becomes a member, if its header is whole; others are removed.
 * Each new file gets `bytes`. ERR_IO, ... */
enum err segments_open(int log_fd, uint64_t bytes, struct segments **out);
void segments_close(struct segments **s);

uint64_t segments_size(const struct segments *s); /* the size of new files */

/* The member with this id, or the one after `id`, or null. Members stay where they are until they
 * are given up. */
struct segment *segment_find(struct segments *s, uint64_t id);
struct segment *segment_after(struct segments *s, uint64_t id);

/* Largest id of its kind so far (log: even, cold: odd), or 0. */
uint64_t segments_last(struct segments *s, bool cold);

/* Make a file with this new id, with room allocated, header and name on the disk: `from` (not null)
 * becomes it, else a new file. It is `in_use`. ERR_FULL, ERR_LIMIT, ERR_IO. */
enum err segment_make(struct segments *s, uint64_t id, struct segment *from, struct segment **out);

/* Take it out of the set and remove its file. Nobody holds it. */
enum err segment_remove(struct segments *s, struct segment *g);

/* Cut the file at `bytes` and sync it. */
enum err segment_cut(struct segments *s, struct segment *g, uint64_t bytes);

/* The log or the janitor is done with writing to it; its records end at `end`. */
void segment_retire(struct segments *s, struct segment *g, uint64_t end);

/* The name of its file in the folder of the log. */
enum { SEGMENT_NAME_BYTES = 32 };
void segment_name(char out[SEGMENT_NAME_BYTES], uint64_t id);

/* Descriptor, open until the release. ERR_LIMIT, ERR_IO, ERR_CORRUPT (the header is another's). */
enum err segment_hold(struct segments *s, struct segment *g, int *fd_out);
void segment_release(struct segments *s, struct segment *g);

/* Read from the segment with this id. ERR_NOT_FOUND (no such segment), ERR_CORRUPT (it ends
 * before), ERR_IO, ERR_LIMIT. */
enum err segments_read(struct segments *s, uint64_t id, void *to, size_t n, uint64_t offset);

/* Change what is alive in a segment; `seq` is the transaction that did it. Unknown ids are ignored
 * (they were given up). */
void segments_live(struct segments *s, uint64_t id, int64_t add_bytes, uint64_t end, uint64_t seq);
void segments_pin(struct segments *s, uint64_t id, bool pin);

/* The janitor has done what it could; what still lives there cannot be moved. */
void segments_stuck(struct segments *s, uint64_t id);

/* Call `f` for each member, under the lock. */
void segments_each(struct segments *s, void (*f)(void *ctx, struct segment *g), void *ctx);

#endif
