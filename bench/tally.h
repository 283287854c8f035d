/* What a run of the load driver counts, and how it is printed. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "base/buf.h"

struct tally {
    const char *what;      /* what is counted: "messages", "sessions" ... */
    uint64_t wanted;       /* how many were asked for */
    uint64_t done, failed; /* how many went well, how many did not */
    uint64_t bytes;        /* of content, of those that went well */
    int64_t begin_us, end_us;
    uint32_t *latency_us; /* of each that went well, room for `wanted` */
    struct buf first_failure;
};

/* Begin to count up to `wanted`. Ends the process when there is no memory for it. */
void tally_begin(struct tally *t, const char *what, uint64_t wanted);

/* One went well; it began at `since_us` (of now_us()). */
void tally_done(struct tally *t, int64_t since_us, uint64_t bytes);

/* One did not. The first reason is kept and printed. */
void tally_failed(struct tally *t, struct str why);

/* True when all that were wanted are done or failed. */
bool tally_is_full(const struct tally *t);

/* Print all as one JSON object in one line on standard output. */
void tally_print(struct tally *t);

#endif
