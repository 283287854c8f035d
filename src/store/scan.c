#include "store/scan.h"
#include "base/must.h"
#include "store/sum.h"
#include "sys/os.h"

#include <stdlib.h>

enum { WINDOW_BYTES = 1 << 20, STEP = 8 };

void scan_init(struct scan *s, struct segments *segments)
{
    *s = (struct scan){ .segments = segments };
}

void scan_free(struct scan *s)
{
    free(s->bytes);
    *s = (struct scan){ 0 };
}

static void make_room(struct scan *s, size_t n)
{
    if (n <= s->room) return;
    s->bytes = realloc(s->bytes, n);
    must(s->bytes != NULL);
    s->room = n;
}

/* `n` bytes of the file, from memory if they are there. ERR_CORRUPT: the file ends before. */
static enum err see(struct scan *s, struct segment *g, uint64_t at, size_t n, struct str *out)
{
    bool here = s->in == g && at >= s->at && at - s->at <= s->n && n <= s->n - (at - s->at);
    if (!here) {
        if (at > g->file_bytes || n > g->file_bytes - at) return ERR_CORRUPT;
        int fd;
        enum err e = segment_hold(s->segments, g, &fd);
        if (e != OK) return e;
        make_room(s, n > WINDOW_BYTES ? n : WINDOW_BYTES);
        s->in = g;
        s->at = at;
        s->n = 0;
        e = os_read_upto(fd, s->bytes, n > WINDOW_BYTES ? n : WINDOW_BYTES, at, &s->n);
        segment_release(s->segments, g);
        if (e != OK) s->in = NULL;
        if (e != OK) return e;
        if (s->n < n) return ERR_CORRUPT;
    }
    *out = str_of(s->bytes + (at - s->at), n);
    return OK;
}

enum err scan_header(struct scan *s, struct segment *g, uint64_t at, struct record *out)
{
    struct str bytes;
    enum err e = see(s, g, at, RECORD_HEADER_BYTES, &bytes);
    return e == OK ? record_parse(bytes, g->salt, out) : e;
}

enum err scan_payload(struct scan *s, struct segment *g, uint64_t at, struct record *record_out,
                      struct str *payload_out)
{
    struct record r;
    struct str all;
    enum err e = scan_header(s, g, at, &r);
    if (e == OK) e = see(s, g, at, (size_t)record_data_at(r.payload_bytes), &all);
    if (e != OK) return e;
    struct str payload = str_part(all, RECORD_HEADER_BYTES, r.payload_bytes);
    if (sum_of(payload) != r.payload_sum) return ERR_CORRUPT;
    *record_out = r;
    *payload_out = payload;
    return OK;
}

/* Every byte of data belongs to a part, and every part has its sums. */
static bool parts_are_whole(struct str payload, struct str data)
{
    struct parts parts = parts_begin(payload, (uint32_t)data.n);
    struct part part;
    while (parts_next(&parts, &part)) {
        if (!part_is_whole(str_part(data, part.at, part.bytes), part.sums)) return false;
    }
    return !parts.wire.bad && parts.left == 0 && parts.at == data.n;
}

enum err scan_record(struct scan *s, struct segment *g, uint64_t at, uint64_t min_group,
                     struct scanned *out)
{
    struct scanned r = { 0 };
    enum err e = scan_header(s, g, at, &r.record);
    if (e != OK) return e;
    if (r.record.group < min_group) return ERR_CORRUPT;
    bool skip = r.record.type == RECORD_SKIP;
    r.bytes = record_bytes(r.record.payload_bytes, r.record.data_bytes);
    if (r.bytes > g->file_bytes - at) return ERR_CORRUPT;
    struct str all;
    e = see(s, g, at, skip ? RECORD_HEADER_BYTES : (size_t)r.bytes, &all);
    if (e != OK) return e;
    r.payload = str_part(all, RECORD_HEADER_BYTES, r.record.payload_bytes);
    if (!skip) {
        size_t data_at = (size_t)record_data_at(r.record.payload_bytes);
        r.data = str_part(all, data_at, r.record.data_bytes);
        if (sum_of(r.payload) != r.record.payload_sum) return ERR_CORRUPT;
        if (!parts_are_whole(r.payload, r.data)) return ERR_CORRUPT;
    }
    *out = r;
    return OK;
}

/* In the bytes at hand from `at` on: the next place that begins like a header, or where they end.
 */
static uint64_t skip_to_magic(const struct scan *s, uint64_t at)
{
    for (; at - s->at + RECORD_HEADER_BYTES <= s->n; at += STEP) {
        if (record_may_begin(s->bytes + (at - s->at))) break;
    }
    return at;
}

enum err scan_ahead(struct scan *s, struct segment *g, uint64_t at, uint64_t *at_out)
{
    at = record_pad(at);
    while (at + RECORD_HEADER_BYTES <= g->file_bytes) {
        struct str bytes;
        struct record r;
        enum err e = see(s, g, at, RECORD_HEADER_BYTES, &bytes);
        if (e == ERR_CORRUPT) return ERR_NOT_FOUND; /* shorter than it was */
        if (e != OK) return e;
        if (record_parse(bytes, g->salt, &r) == OK) {
            *at_out = at;
            return OK;
        }
        at = skip_to_magic(s, at + STEP);
    }
    return ERR_NOT_FOUND;
}

enum err scan_open(struct scan *s, struct segment *g, struct scan_open *out)
{
    struct scanned r;
    enum err e = scan_record(s, g, SEGMENT_FIRST_RECORD, 0, &r);
    if (e != OK) return e;
    if (r.record.type != RECORD_OPEN) return ERR_CORRUPT;
    struct wire w = parts_begin(r.payload, 0).wire;
    struct scan_open o = { .group = r.record.group, .next_at = SEGMENT_FIRST_RECORD + r.bytes };
    o.before.segment = wire_get_u64(&w);
    o.before.offset = wire_get_u64(&w);
    e = wire_end(&w);
    if (e == OK) *out = o;
    return e;
}
