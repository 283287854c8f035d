/* Reading records from segments one after the other, with every check that there is. */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "store/record.h"
#include "store/segment.h"

struct scan {
    struct segments *segments;
    struct segment *in; /* what the bytes at hand are of */
    char *bytes;
    size_t n, room;
    uint64_t at;
};

void scan_init(struct scan *s, struct segments *segments);
void scan_free(struct scan *s);

struct scanned {
    struct record record;
    struct str payload, data; /* live until the next call; no data for SKIP */
    uint64_t bytes;           /* of the whole record */
};

/* The record at this place: header of the segment's salt, group not below `min_group`, payload and
 * parts whole. ERR_CORRUPT: there is none. ERR_IO, ERR_LIMIT. */
enum err scan_record(struct scan *s, struct segment *g, uint64_t at, uint64_t min_group,
                     struct scanned *out);

/* Header and payload, whole; the data is not looked at. */
enum err scan_payload(struct scan *s, struct segment *g, uint64_t at, struct record *record_out,
                      struct str *payload_out);

/* Only the header. */
enum err scan_header(struct scan *s, struct segment *g, uint64_t at, struct record *out);

/* The next place from `at` on where a header of this segment stands. ERR_NOT_FOUND: none. */
enum err scan_ahead(struct scan *s, struct segment *g, uint64_t at, uint64_t *at_out);

/* The place that the "open" of a segment names as the end of the one before, its group, and where
 * its next record is. ERR_CORRUPT: it has none. */
struct scan_open {
    struct place before;
    uint64_t group, next_at;
};
enum err scan_open(struct scan *s, struct segment *g, struct scan_open *out);

#endif
