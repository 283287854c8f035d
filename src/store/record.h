/* Records of the segments, as bytes. Pure.
 *
 * A record is a header of 64 bytes, a payload, data; payload and data are padded to 8 bytes. The
 * payload begins with the list of parts: the lengths of the pieces of data and their checksums, one
 * for each ENGINE_SUM_BYTES. Numbers are big-endian.
 *
 *   header   magic 4, type 1, reserved 3, salt 8, group 8, owner 8, payload bytes 4, data bytes 4,
 *            payload sum 8, reserved 8, header sum 8
 *   payload  parts: count var, then each: bytes var, sums 8 each; then
 *     OPEN   id of the segment before, where it ended (16 bytes)
 *     TXN    operations (redo.h); parts: the inline pieces of its blobs
 *     CHUNK  nothing; one part; owner: the number of the stage
 *     COPY   blob id (16 bytes); one part: an extent that the janitor has moved
 *     SKIP   nothing; the data is the place of a write that failed, and not to be looked at */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/engine.h"
#include "base/wire.h"

enum record_type {
    RECORD_OPEN = 1,
    RECORD_TXN,
    RECORD_CHUNK,
    RECORD_COPY,
    RECORD_SKIP,
    RECORD_TYPE_END,
};

enum {
    RECORD_HEADER_BYTES = 64,
    RECORD_PAYLOAD_MAX = 16 * 1024 * 1024,
    RECORD_DATA_MAX = 64 * 1024 * 1024,
};

struct record {
    enum record_type type;
    uint64_t salt, group, owner;
    uint32_t payload_bytes, data_bytes;
    uint64_t payload_sum;
};

static inline uint64_t record_pad(uint64_t bytes)
{
    return (bytes + 7) & ~(uint64_t)7;
}

/* Where the data begins, from the record's begin; and the size of all. */
static inline uint64_t record_data_at(uint32_t payload_bytes)
{
    return RECORD_HEADER_BYTES + record_pad(payload_bytes);
}
static inline uint64_t record_bytes(uint32_t payload_bytes, uint32_t data_bytes)
{
    return record_data_at(payload_bytes) + record_pad(data_bytes);
}

void record_write(char out[RECORD_HEADER_BYTES], const struct record *r);

/* Do these 8 bytes begin like a header? For searching. */
bool record_may_begin(const char *at);

/* ERR_CORRUPT: no header of this salt. The lengths are within the maxima then. */
enum err record_parse(struct str header, uint64_t salt, struct record *out);

/* ---- parts ---- */

static inline size_t part_sum_count(uint64_t bytes)
{
    return (size_t)((bytes + ENGINE_SUM_BYTES - 1) / ENGINE_SUM_BYTES);
}

/* Write one part that consists of `a` followed by `b`. */
void part_write(struct buf *b, struct str first, struct str second);

struct part {
    uint64_t at; /* from the begin of the data */
    uint32_t bytes;
    struct str sums; /* 8 bytes each */
};

/* Walk the parts of a payload: begin, then `left` times next; what is left of the payload is then
 * in `wire`. Sticky `wire.bad` as always; a part never lies outside of `data_bytes`. */
struct parts {
    struct wire wire;
    uint64_t left, at, data_bytes;
};
struct parts parts_begin(struct str payload, uint32_t data_bytes);
bool parts_next(struct parts *p, struct part *out);

/* Do the bytes have these sums? */
bool part_is_whole(struct str bytes, struct str sums);

/* The sum of block `i`. */
uint64_t part_sum(struct str sums, size_t i);

#endif
