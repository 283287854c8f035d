/* Invariants
 *  - [SEGMENT_FIRST_RECORD, tail) of the active segment is records without gaps, but for places
 * that the writer has reserved and not yet written; all of these belong to one group.
 *  - A group lies in one segment. Chunks may stand between its records.
 *  - A sync covers every segment with bytes that are not synced: `unsynced` and the active one.
 *  - The group's number goes up when a sync begins, and syncs come one after the other. So a record
 *    with number n proves that everything up to number n - 2 was on the disk before it was written;
 *    recovery tells damage from a torn tail by this. */
#include "store/log.h"
#include "base/must.h"
#include "store/sum.h"
#include "sys/os.h"

#include <pthread.h>
#include <stdlib.h>

enum { UNSYNCED_MAX = 8, OPEN_PAYLOAD_BYTES = 17 };

struct log {
    struct segments *segments;
    pthread_mutex_t lock;
    pthread_cond_t spare_changed;
    struct segment *active, *group_in; /* group_in: where the group at hand lies, or null */
    int active_fd;
    uint64_t tail, group;
    struct segment *unsynced[UNSYNCED_MAX];
    size_t unsynced_count;
    struct segment *spare;
    int spare_fd;
    enum err spare_error;
    bool spare_asked;
    void (*on_want)(void *ctx);
    void *want_ctx;
    bool broken;
    struct log_stats stats;
};

/* ---- small things, with the lock held ---- */

static enum err broken(struct log *l)
{
    l->broken = true;
    pthread_cond_broadcast(&l->spare_changed);
    return ERR_BROKEN;
}

/* A write that failed for room may be answered; any other failure is the end. */
static enum err write_failed(struct log *l, enum err e)
{
    return e == ERR_FULL ? ERR_FULL : broken(l);
}

static bool fits(const struct log *l, uint64_t bytes)
{
    return l->tail + bytes <= l->active->file_bytes;
}

/* Larger than any segment? */
static bool never_fits(const struct log *l, uint64_t bytes)
{
    uint64_t first = SEGMENT_FIRST_RECORD + record_bytes(OPEN_PAYLOAD_BYTES, 0);
    return first + bytes > segments_size(l->segments);
}

static void want_spare(struct log *l)
{
    l->spare_asked = true;
    if (l->on_want != NULL) l->on_want(l->want_ctx);
}

/* ---- segments one after the other ---- */

/* The first record of a segment names the one before it and where it ended. */
static enum err begin_segment(struct log *l, struct segment *g, int fd, struct place before)
{
    char header[RECORD_HEADER_BYTES];
    struct buf payload = BUF_INIT(OPEN_PAYLOAD_BYTES), b = BUF_INIT(200);
    wire_put_var(&payload, 0);
    wire_put_u64(&payload, before.segment);
    wire_put_u64(&payload, before.offset);
    must(!payload.over);
    struct record r = { .type = RECORD_OPEN,
                        .salt = g->salt,
                        .group = l->group,
                        .payload_bytes = (uint32_t)payload.n,
                        .payload_sum = sum_of(buf_str(&payload)) };
    record_write(header, &r);
    buf_put(&b, str_of(header, sizeof header));
    buf_put(&b, buf_str(&payload));
    while (b.n % 8 != 0) {
        buf_put_byte(&b, 0);
    }
    enum err e = os_write_str(fd, buf_str(&b), SEGMENT_FIRST_RECORD);
    if (e == OK) {
        l->active = g;
        l->active_fd = fd;
        l->tail = SEGMENT_FIRST_RECORD + b.n;
        l->stats.bytes_written += b.n;
    }
    buf_free(&payload);
    buf_free(&b);
    return e;
}

/* No room for more segments that wait for a sync: do the oldest now. */
static enum err make_unsynced_room(struct log *l)
{
    if (l->unsynced_count < UNSYNCED_MAX) return OK;
    struct segment *g = l->unsynced[0];
    if (os->fdatasync(g->fd) != 0) return broken(l);
    l->stats.syncs++;
    segment_release(l->segments, g);
    l->unsynced_count--;
    memmove(l->unsynced, l->unsynced + 1, l->unsynced_count * sizeof l->unsynced[0]);
    return OK;
}

static enum err await_spare(struct log *l)
{
    if (l->spare == NULL && !l->spare_asked) want_spare(l);
    while (l->spare == NULL && l->spare_asked && !l->broken) {
        pthread_cond_wait(&l->spare_changed, &l->lock);
    }
    if (l->broken) return ERR_BROKEN;
    return l->spare != NULL ? OK : l->spare_error;
}

/* Go on in the spare segment. */
static enum err switch_segment(struct log *l)
{
    struct segment *before = l->active;
    enum err e = await_spare(l);
    /* While we waited, another thread may have switched. */
    if (e != OK || l->active != before) return e;
    e = make_unsynced_room(l);
    if (e != OK) return e;
    struct place ended = { before->id, l->tail };
    e = begin_segment(l, l->spare, l->spare_fd, ended);
    if (e != OK) return write_failed(l, e);
    segment_retire(l->segments, before, ended.offset);
    l->unsynced[l->unsynced_count++] = before;
    l->spare = NULL;
    want_spare(l);
    return OK;
}

/* Make the active segment one that has room. */
static enum err make_room(struct log *l, uint64_t bytes)
{
    if (l->broken) return ERR_BROKEN;
    if (never_fits(l, bytes)) return ERR_LIMIT;
    while (!fits(l, bytes)) {
        enum err e = switch_segment(l);
        if (e != OK) return e;
    }
    return OK;
}

/* ---- opening ---- */

enum err log_open(struct segments *s, struct place last, uint64_t group, struct log **out)
{
    struct log *l = calloc(1, sizeof *l);
    must(l != NULL);
    l->segments = s;
    l->group = group;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->spare_changed, NULL);
    struct segment *g = NULL;
    int fd;
    uint64_t id = segments_last(s, false) + 2;
    enum err e = segment_make(s, id, NULL, &g);
    if (e == OK) e = segment_hold(s, g, &fd);
    if (e == OK) e = begin_segment(l, g, fd, last);
    if (e != OK) {
        log_close(&l);
        return e;
    }
    l->spare_asked = true;
    *out = l;
    return OK;
}

void log_close(struct log **l)
{
    if (*l == NULL) return;
    pthread_mutex_destroy(&(*l)->lock);
    pthread_cond_destroy(&(*l)->spare_changed);
    free(*l);
    *l = NULL;
}

/* ---- the writer's side ---- */

uint64_t log_group(struct log *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t group = l->group;
    pthread_mutex_unlock(&l->lock);
    return group;
}

struct place log_tail(struct log *l)
{
    pthread_mutex_lock(&l->lock);
    struct place p = { l->active->id, l->tail };
    pthread_mutex_unlock(&l->lock);
    return p;
}

static enum err reserve(struct log *l, uint64_t bytes)
{
    if (l->group_in == NULL) return make_room(l, bytes);
    if (l->broken) return ERR_BROKEN;
    if (never_fits(l, bytes)) return ERR_LIMIT;
    bool here = l->group_in == l->active && fits(l, bytes);
    return here ? OK : ERR_AGAIN;
}

enum err log_reserve(struct log *l, uint32_t payload_bytes, uint32_t data_bytes,
                     struct place *place_out, uint64_t *salt_out)
{
    uint64_t bytes = record_bytes(payload_bytes, data_bytes);
    pthread_mutex_lock(&l->lock);
    enum err e = reserve(l, bytes);
    if (e == OK && l->group_in == NULL) {
        int fd;
        e = segment_hold(l->segments, l->active, &fd);
    }
    if (e == OK) {
        *place_out = (struct place){ l->active->id, l->tail };
        *salt_out = l->active->salt;
        l->group_in = l->active;
        l->tail += bytes;
    }
    pthread_mutex_unlock(&l->lock);
    return e;
}

enum err log_write(struct log *l, struct iovec *iov, size_t n, struct place at)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += iov[i].iov_len;
    }
    must(l->group_in != NULL && l->group_in->id == at.segment);
    enum err e = os_write_all(l->group_in->fd, iov, n, at.offset);
    pthread_mutex_lock(&l->lock);
    l->stats.bytes_written += bytes;
    if (e != OK) e = write_failed(l, e);
    pthread_mutex_unlock(&l->lock);
    return e;
}

/* What this sync covers: everything appended before it began, wherever the stages have put their
 * chunks meanwhile. With the lock held; each is held for the sync. */
static size_t sync_list(struct log *l, struct segment *todo[UNSYNCED_MAX + 1])
{
    size_t n = 0;
    for (; n < l->unsynced_count; n++) {
        todo[n] = l->unsynced[n];
    }
    l->unsynced_count = 0;
    int fd;
    must(segment_hold(l->segments, l->active, &fd) == OK); /* it is open: the log holds it */
    todo[n++] = l->active;
    l->group++;
    return n;
}

/* The lock is not held while the disk works. */
enum err log_sync(struct log *l)
{
    struct segment *todo[UNSYNCED_MAX + 1];
    pthread_mutex_lock(&l->lock);
    must(l->group_in != NULL);
    bool bad = l->broken;
    size_t n = sync_list(l, todo);
    pthread_mutex_unlock(&l->lock);

    for (size_t i = 0; i < n; i++) {
        bad = bad || os->fdatasync(todo[i]->fd) != 0;
        segment_release(l->segments, todo[i]);
    }
    segment_release(l->segments, l->group_in);

    pthread_mutex_lock(&l->lock);
    l->stats.syncs += n;
    l->group_in = NULL;
    enum err e = bad ? broken(l) : OK;
    pthread_mutex_unlock(&l->lock);
    return e;
}

static enum err skip(struct log *l, const struct log_run *run)
{
    char header[RECORD_HEADER_BYTES];
    must(run->bytes >= RECORD_HEADER_BYTES && run->at.segment == l->group_in->id);
    struct record r = { .type = RECORD_SKIP,
                        .salt = l->group_in->salt,
                        .group = l->group,
                        .data_bytes = (uint32_t)(run->bytes - RECORD_HEADER_BYTES),
                        .payload_sum = sum_of(STR_NONE) };
    record_write(header, &r);
    return os_write_str(l->group_in->fd, str_of(header, sizeof header), run->at.offset);
}

enum err log_cancel(struct log *l, const struct log_run *runs, size_t n)
{
    enum err e = OK;
    for (size_t i = 0; e == OK && i < n; i++) {
        e = skip(l, &runs[i]);
    }
    if (e != OK) {
        log_break(l);
        return ERR_BROKEN;
    }
    return log_sync(l);
}

/* ---- chunks ---- */

static enum err write_chunk(struct log *l, uint64_t stage, struct str payload, struct str chunk)
{
    static const char zeros[8];
    char header[RECORD_HEADER_BYTES];
    struct record r = { .type = RECORD_CHUNK,
                        .salt = l->active->salt,
                        .group = l->group,
                        .owner = stage,
                        .payload_bytes = (uint32_t)payload.n,
                        .data_bytes = (uint32_t)chunk.n,
                        .payload_sum = sum_of(payload) };
    record_write(header, &r);
    struct buf b = BUF_INIT(RECORD_HEADER_BYTES + ENGINE_CHUNK_MAX / 1024 + 64);
    buf_put(&b, str_of(header, sizeof header));
    buf_put(&b, payload);
    while (b.n % 8 != 0) {
        buf_put_byte(&b, 0);
    }
    must(!b.over);
    struct iovec iov[3] = { { b.p, b.n },
                            { .iov_len = chunk.n },
                            { .iov_len = (size_t)(record_pad(chunk.n) - chunk.n) } };
    /* iovec has no const; writing only reads. */
    const char *pad = zeros;
    memcpy(&iov[1].iov_base, &chunk.p, sizeof chunk.p);
    memcpy(&iov[2].iov_base, &pad, sizeof pad);
    enum err e = os_write_all(l->active_fd, iov, 3, l->tail);
    buf_free(&b);
    return e == OK ? OK : write_failed(l, e);
}

/* Places are never used twice, so that of its first chunk names a stage. */
static uint64_t stage_number(struct place at)
{
    must(at.offset < SEGMENT_BYTES_MAX && at.segment < 1ull << 36);
    return at.segment << 27 | at.offset >> 3;
}

enum err log_chunk(struct log *l, uint64_t *stage, struct str chunk, struct place *place_out,
                   struct buf *sums)
{
    struct buf payload = BUF_INIT(ENGINE_CHUNK_MAX);
    wire_put_var(&payload, 1);
    size_t before = payload.n;
    part_write(&payload, chunk, STR_NONE);
    must(!payload.over);
    uint64_t bytes = record_bytes((uint32_t)payload.n, (uint32_t)chunk.n);
    size_t sum_bytes = part_sum_count(chunk.n) * sizeof(uint64_t);
    must(payload.n - before > sum_bytes);

    pthread_mutex_lock(&l->lock);
    enum err e = make_room(l, bytes);
    if (e == OK) {
        struct place at = { l->active->id, l->tail };
        uint64_t number = *stage != 0 ? *stage : stage_number(at);
        e = write_chunk(l, number, buf_str(&payload), chunk);
        if (e == OK) {
            l->tail += bytes;
            l->stats.bytes_written += bytes;
            segments_pin(l->segments, at.segment, true);
            at.offset += record_data_at((uint32_t)payload.n);
            *place_out = at;
            *stage = number;
            buf_put(sums, str_skip(buf_str(&payload), payload.n - sum_bytes));
        }
    }
    pthread_mutex_unlock(&l->lock);
    buf_free(&payload);
    return e;
}

/* ---- the spare segment ---- */

bool log_wants_spare(struct log *l, uint64_t *id_out)
{
    pthread_mutex_lock(&l->lock);
    bool wants = l->spare == NULL && l->spare_asked && !l->broken;
    *id_out = l->active->id + 2;
    pthread_mutex_unlock(&l->lock);
    return wants;
}

void log_on_want(struct log *l, void (*f)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&l->lock);
    l->on_want = f;
    l->want_ctx = ctx;
    pthread_mutex_unlock(&l->lock);
}

void log_give_spare(struct log *l, struct segment *g, enum err e)
{
    int fd = -1;
    if (g != NULL) e = segment_hold(l->segments, g, &fd);
    pthread_mutex_lock(&l->lock);
    must(l->spare == NULL);
    if (e == OK) {
        l->spare = g;
        l->spare_fd = fd;
    }
    l->spare_error = e;
    l->spare_asked = false;
    pthread_cond_broadcast(&l->spare_changed);
    pthread_mutex_unlock(&l->lock);
}

/* ---- numbers ---- */

void log_stats(struct log *l, struct log_stats *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->stats;
    pthread_mutex_unlock(&l->lock);
}

bool log_is_broken(struct log *l)
{
    pthread_mutex_lock(&l->lock);
    bool is = l->broken;
    pthread_mutex_unlock(&l->lock);
    return is;
}

void log_break(struct log *l)
{
    pthread_mutex_lock(&l->lock);
    (void)broken(l);
    pthread_mutex_unlock(&l->lock);
}
