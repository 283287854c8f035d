/* The set is an array sorted by id: finding is a binary search, new members come mostly at the end.
 * A segment's struct is allocated once and lives until it is removed. */
#include "store/segment.h"
#include "base/must.h"
#include "base/rand.h"
#include "base/wire.h"
#include "store/sum.h"
#include "sys/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    HEAD_MAGIC = 0x50527367,
    HEAD_VERSION = 1,
    HEAD_BYTES = 40,
    OPEN_MAX = 256,
    FILE_MODE = 0600,
};

struct segments {
    pthread_mutex_t lock;
    int log_fd;
    uint64_t bytes, clock;
    struct segment **at;
    size_t n, room, open_count;
    uint64_t last[2]; /* log, cold */
};

/* ---- names and headers ---- */

void segment_name(char out[SEGMENT_NAME_BYTES], uint64_t id)
{
    struct buf b = BUF_INIT(SEGMENT_NAME_BYTES);
    buf_put_hex_u64(&b, id, 16);
    buf_put(&b, segment_is_cold(id) ? STR(".cold") : STR(".log"));
    buf_put_byte(&b, 0);
    must(!b.over);
    memcpy(out, b.p, b.n);
    buf_free(&b);
}

static bool name_parse(struct str name, uint64_t *id_out)
{
    uint64_t id = 0;
    if (name.n < 16) return false;
    for (size_t i = 0; i < 16; i++) {
        int digit = byte_hex(name.p[i]);
        if (digit < 0) return false;
        id = id << 4 | (uint64_t)digit;
    }
    *id_out = id;
    return id > 0 && str_eq(str_skip(name, 16), segment_is_cold(id) ? STR(".cold") : STR(".log"));
}

static enum err head_write(int fd, uint64_t id, uint64_t salt)
{
    struct buf b = BUF_INIT(HEAD_BYTES);
    wire_put_u32(&b, HEAD_MAGIC);
    wire_put_u32(&b, HEAD_VERSION);
    wire_put_u64(&b, id);
    wire_put_u64(&b, salt);
    wire_put_u64(&b, 0);
    wire_put_u64(&b, sum_of(buf_str(&b)));
    must(!b.over);
    enum err e = os_write_str(fd, buf_str(&b), 0);
    buf_free(&b);
    return e;
}

/* ERR_CORRUPT: the header is not whole or not this segment's. */
static enum err head_read(int fd, uint64_t id, uint64_t *salt_out)
{
    char bytes[HEAD_BYTES];
    enum err e = os_read_all(fd, bytes, sizeof bytes, 0);
    if (e != OK) return e;
    struct wire w = wire_of(str_of(bytes, sizeof bytes));
    bool good = wire_get_u32(&w) == HEAD_MAGIC;
    good = wire_get_u32(&w) == HEAD_VERSION && good;
    good = wire_get_u64(&w) == id && good;
    uint64_t salt = wire_get_u64(&w);
    (void)wire_get_u64(&w);
    good = wire_get_u64(&w) == sum_of(str_of(bytes, HEAD_BYTES - 8)) && good;
    if (!good) return ERR_CORRUPT;
    *salt_out = salt;
    return OK;
}

/* ---- the set ---- */

/* Index of the first member with an id >= `id`. */
static size_t place_of(const struct segments *s, uint64_t id)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->at[mid]->id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static struct segment *find(const struct segments *s, uint64_t id)
{
    size_t i = place_of(s, id);
    return i < s->n && s->at[i]->id == id ? s->at[i] : NULL;
}

static void add(struct segments *s, struct segment *g)
{
    if (s->n == s->room) {
        s->room = s->room > 0 ? s->room * 2 : 64;
        s->at = reallocarray(s->at, s->room, sizeof *s->at);
        must(s->at != NULL);
    }
    size_t i = place_of(s, g->id);
    memmove(s->at + i + 1, s->at + i, (s->n - i) * sizeof *s->at);
    s->at[i] = g;
    s->n++;
    uint64_t *last = &s->last[segment_is_cold(g->id)];
    if (g->id > *last) *last = g->id;
}

static void drop(struct segments *s, struct segment *g)
{
    size_t i = place_of(s, g->id);
    must(i < s->n && s->at[i] == g);
    s->n--;
    memmove(s->at + i, s->at + i + 1, (s->n - i) * sizeof *s->at);
}

static void fd_close(struct segments *s, struct segment *g)
{
    if (g->fd < 0) return;
    os->close(g->fd);
    g->fd = -1;
    s->open_count--;
}

static bool close_oldest(struct segments *s)
{
    struct segment *oldest = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct segment *g = s->at[i];
        if (g->fd < 0 || g->holds > 0) continue;
        if (oldest == NULL || g->last_use < oldest->last_use) oldest = g;
    }
    if (oldest != NULL) fd_close(s, oldest);
    return oldest != NULL;
}

/* Open by name; when there are no descriptors left, close one of ours and try again. */
static enum err open_file(struct segments *s, uint64_t id, int flags, int *fd_out)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, id);
    for (;;) {
        int fd = os->openat(s->log_fd, name, flags, FILE_MODE);
        if (fd >= 0) {
            *fd_out = fd;
            return OK;
        }
        enum err e = os_error();
        if (e != ERR_LIMIT || !close_oldest(s)) return e;
    }
}

static enum err fd_open(struct segments *s, struct segment *g)
{
    if (s->open_count >= OPEN_MAX) close_oldest(s);
    int fd;
    enum err e = open_file(s, g->id, O_RDWR, &fd);
    if (e != OK) return e;
    uint64_t salt;
    e = head_read(fd, g->id, &salt);
    if (e == OK && g->salt != salt) e = ERR_CORRUPT;
    if (e != OK) {
        os->close(fd);
        return e;
    }
    g->fd = fd;
    s->open_count++;
    return OK;
}

static enum err hold(struct segments *s, struct segment *g)
{
    enum err e = g->fd < 0 ? fd_open(s, g) : OK;
    if (e != OK) return e;
    g->holds++;
    g->last_use = ++s->clock;
    return OK;
}

/* ---- opening the set ---- */

struct listing {
    struct segments *s;
    uint64_t *ids;
    size_t n, room;
};

static void listing_add(void *ctx, const char *name)
{
    struct listing *l = ctx;
    uint64_t id;
    if (!name_parse(str_c(name), &id)) return;
    if (l->n == l->room) {
        l->room = l->room > 0 ? l->room * 2 : 64;
        l->ids = reallocarray(l->ids, l->room, sizeof *l->ids);
        must(l->ids != NULL);
    }
    l->ids[l->n++] = id;
}

static enum err remove_file(struct segments *s, uint64_t id)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, id);
    return os->unlinkat(s->log_fd, name, 0) == 0 ? OK : os_error();
}

static enum err member_open(struct segments *s, uint64_t id)
{
    int fd;
    struct stat stat;
    uint64_t salt = 0;
    enum err e = open_file(s, id, O_RDONLY, &fd);
    if (e != OK) return e;
    e = head_read(fd, id, &salt);
    if (e == OK && os->fstat(fd, &stat) != 0) e = os_error();
    os->close(fd);
    if (e == ERR_CORRUPT) return remove_file(s, id);
    if (e != OK) return e;
    struct segment *g = calloc(1, sizeof *g);
    must(g != NULL);
    *g = (struct segment){ .id = id,
                           .salt = salt,
                           .file_bytes = (uint64_t)stat.st_size,
                           .end = SEGMENT_FIRST_RECORD,
                           .fd = -1 };
    add(s, g);
    return OK;
}

enum err segments_open(int log_fd, uint64_t bytes, struct segments **out)
{
    must(bytes >= SEGMENT_BYTES_MIN && bytes <= SEGMENT_BYTES_MAX);
    struct segments *s = calloc(1, sizeof *s);
    must(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    s->log_fd = log_fd;
    s->bytes = bytes;
    struct listing l = { .s = s };
    enum err e = os->list(log_fd, listing_add, &l) == 0 ? OK : os_error();
    for (size_t i = 0; e == OK && i < l.n; i++) {
        e = member_open(s, l.ids[i]);
    }
    free(l.ids);
    if (e != OK) {
        segments_close(&s);
        return e;
    }
    *out = s;
    return OK;
}

void segments_close(struct segments **s)
{
    if (*s == NULL) return;
    for (size_t i = 0; i < (*s)->n; i++) {
        fd_close(*s, (*s)->at[i]);
        free((*s)->at[i]);
    }
    free((*s)->at);
    pthread_mutex_destroy(&(*s)->lock);
    free(*s);
    *s = NULL;
}

uint64_t segments_size(const struct segments *s)
{
    return s->bytes;
}

struct segment *segment_find(struct segments *s, uint64_t id)
{
    pthread_mutex_lock(&s->lock);
    struct segment *g = find(s, id);
    pthread_mutex_unlock(&s->lock);
    return g;
}

struct segment *segment_after(struct segments *s, uint64_t id)
{
    pthread_mutex_lock(&s->lock);
    size_t i = place_of(s, id + 1);
    struct segment *g = i < s->n ? s->at[i] : NULL;
    pthread_mutex_unlock(&s->lock);
    return g;
}

uint64_t segments_last(struct segments *s, bool cold)
{
    pthread_mutex_lock(&s->lock);
    uint64_t id = s->last[cold];
    pthread_mutex_unlock(&s->lock);
    return id;
}

/* ---- making and giving up ---- */

static enum err allocate(int fd, uint64_t bytes)
{
    if (os->fallocate(fd, 0, 0, (off_t)bytes) == 0) return OK;
    /* A file system without it: room is then not promised, and a write may still find it full. */
    if (errno != EOPNOTSUPP && errno != ENOSYS) return os_error();
    return os->ftruncate(fd, (off_t)bytes) == 0 ? OK : os_error();
}

/* Fill a file that is ours and in nobody's way: room, header, sync. */
static enum err prepare(struct segments *s, struct segment *g)
{
    enum err e = allocate(g->fd, s->bytes);
    if (e == OK) e = head_write(g->fd, g->id, g->salt);
    if (e == OK && os->fsync(g->fd) != 0) e = os_error();
    if (e == OK && os->fsync(s->log_fd) != 0) e = os_error();
    return e;
}

static struct segment *member_new(struct segments *s, uint64_t id)
{
    struct segment *g = calloc(1, sizeof *g);
    must(g != NULL);
    *g = (struct segment){ .id = id,
                           .salt = rand_u64(),
                           .file_bytes = s->bytes,
                           .end = SEGMENT_FIRST_RECORD,
                           .fd = -1,
                           .in_use = true };
    return g;
}

/* The old file gets the new name; from then on the old segment does not exist. */
static enum err take_over(struct segments *s, struct segment *from, uint64_t id)
{
    char old_name[SEGMENT_NAME_BYTES], new_name[SEGMENT_NAME_BYTES];
    segment_name(old_name, from->id);
    segment_name(new_name, id);
    must(from->holds == 0);
    fd_close(s, from);
    if (os->renameat(s->log_fd, old_name, s->log_fd, new_name) != 0) return os_error();
    drop(s, from);
    free(from);
    return OK;
}

/* The first half of making, under the lock: a file of this name that nobody knows yet. */
static enum err begin_member(struct segments *s, uint64_t id, struct segment *from,
                             struct segment **out)
{
    must(id > s->last[segment_is_cold(id)]);
    enum err e = from != NULL ? take_over(s, from, id) : OK;
    if (e != OK) return e;
    struct segment *g = member_new(s, id);
    e = open_file(s, id, O_RDWR | (from != NULL ? 0 : O_CREAT | O_EXCL), &g->fd);
    if (e != OK) {
        free(g);
        return e;
    }
    s->open_count++;
    *out = g;
    return OK;
}

enum err segment_make(struct segments *s, uint64_t id, struct segment *from, struct segment **out)
{
    struct segment *g = NULL;
    pthread_mutex_lock(&s->lock);
    enum err e = begin_member(s, id, from, &g);
    pthread_mutex_unlock(&s->lock);
    if (e != OK) return e;

    e = prepare(s, g); /* slow; others go on meanwhile */

    pthread_mutex_lock(&s->lock);
    if (e == OK) {
        add(s, g);
        *out = g;
    } else {
        fd_close(s, g);
        err_ignore(remove_file(s, id)); /* what is left has no whole header, or no records */
        free(g);
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err segment_remove(struct segments *s, struct segment *g)
{
    pthread_mutex_lock(&s->lock);
    must(g->holds == 0);
    fd_close(s, g);
    enum err e = remove_file(s, g->id);
    if (e == OK || e == ERR_NOT_FOUND) {
        drop(s, g);
        free(g);
        e = OK;
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err segment_cut(struct segments *s, struct segment *g, uint64_t bytes)
{
    int fd;
    enum err e = segment_hold(s, g, &fd);
    if (e != OK) return e;
    if (os->ftruncate(fd, (off_t)bytes) != 0) e = os_error();
    if (e == OK && os->fsync(fd) != 0) e = os_error();
    if (e == OK) g->file_bytes = bytes;
    segment_release(s, g);
    return e;
}

void segment_retire(struct segments *s, struct segment *g, uint64_t end)
{
    pthread_mutex_lock(&s->lock);
    g->end = end;
    g->in_use = false;
    pthread_mutex_unlock(&s->lock);
}

/* ---- use ---- */

enum err segment_hold(struct segments *s, struct segment *g, int *fd_out)
{
    pthread_mutex_lock(&s->lock);
    enum err e = hold(s, g);
    if (e == OK) *fd_out = g->fd;
    pthread_mutex_unlock(&s->lock);
    return e;
}

void segment_release(struct segments *s, struct segment *g)
{
    pthread_mutex_lock(&s->lock);
    must(g->holds > 0);
    g->holds--;
    pthread_mutex_unlock(&s->lock);
}

enum err segments_read(struct segments *s, uint64_t id, void *to, size_t n, uint64_t offset)
{
    pthread_mutex_lock(&s->lock);
    struct segment *g = find(s, id);
    enum err e = g != NULL ? hold(s, g) : ERR_NOT_FOUND;
    pthread_mutex_unlock(&s->lock);
    if (e != OK) return e;
    e = os_read_all(g->fd, to, n, offset);
    segment_release(s, g);
    return e;
}

void segments_live(struct segments *s, uint64_t id, int64_t add_bytes, uint64_t end, uint64_t seq)
{
    pthread_mutex_lock(&s->lock);
    struct segment *g = find(s, id);
    if (g != NULL) {
        g->live_bytes += add_bytes;
        if (end > g->end) g->end = end;
        if (add_bytes < 0) g->dead_since = seq;
    }
    pthread_mutex_unlock(&s->lock);
}

void segments_pin(struct segments *s, uint64_t id, bool pin)
{
    pthread_mutex_lock(&s->lock);
    struct segment *g = find(s, id);
    if (g != NULL) {
        must(pin || g->pins > 0);
        g->pins = pin ? g->pins + 1 : g->pins - 1;
    }
    pthread_mutex_unlock(&s->lock);
}

void segments_stuck(struct segments *s, uint64_t id)
{
    pthread_mutex_lock(&s->lock);
    struct segment *g = find(s, id);
    if (g != NULL) g->stuck = g->live_bytes > 0;
    pthread_mutex_unlock(&s->lock);
}

void segments_each(struct segments *s, void (*f)(void *ctx, struct segment *g), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n; i++) {
        f(ctx, s->at[i]);
    }
    pthread_mutex_unlock(&s->lock);
}
