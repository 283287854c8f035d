/* Channels. Frames gather in `out` and are written once a turn; when the kernel takes no more, a
 * flusher fiber waits for it and drains the rest. Descriptors travel with the first byte of their
 * frame: the frame begins a sendmsg of its own. Byte order is the machine's: both ends are the same
 * program. */
#include "sys/channel.h"

#include "base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_SCRATCH_BYTES = 256 * 1024, FDS_AT_ONCE = 16, DIRECT_BYTES = 32 * 1024 };

struct header {
    uint32_t bytes, id;
    uint16_t verb;
    uint8_t kind, err;
    uint8_t fds, zero[3];
};

struct held_fd {
    struct list link;
    int fd;
};

static char scratch[IN_SCRATCH_BYTES];

static void flush_hook(struct loop_hook *h);

enum err channel_open(struct channel *c, int fd)
{
    *c = (struct channel){
        .in = BUF_INIT(CHANNEL_FRAME_MAX + IN_SCRATCH_BYTES + sizeof(struct header)),
        .out = BUF_INIT(CHANNEL_OUT_MAX + CHANNEL_FRAME_MAX + sizeof(struct header)),
        .flush = { .fn = flush_hook }
    };
    list_init(&c->fds);
    waitline_init(&c->drained);
    enum err e = watch_open(&c->watch, fd);
    if (e != OK) {
        close(fd);
        c->watch.fd = -1;
        c->broken = true;
    }
    return e;
}

enum err channel_pair(int fds_out[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds_out) != 0)
        return ERR_LIMIT;
    /* Room for a few small messages in flight; a failure to get it costs only speed. */
    int bytes = 1024 * 1024;
    for (int i = 0; i < 2; i++) {
        setsockopt(fds_out[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    return OK;
}

/* ---- sending ---- */

static void break_off(struct channel *c)
{
    c->broken = true;
    buf_free(&c->out);
    waitline_wake_all(&c->drained);
}

/* One sendmsg of `n` bytes at `p`, with a descriptor if `fd` >= 0. Bytes taken, 0 when the kernel
 * is full, -1 on the end. */
static ssize_t send_some(struct channel *c, const char *p, size_t n, int fd)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof fd);
    }
    for (;;) {
        ssize_t sent = sendmsg(c->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) return sent;
        if (errno == EINTR) continue;
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
}

/* Write until all is gone or the kernel is full. */
static void flush_now(struct channel *c)
{
    size_t at = 0;
    while (at < c->out.n && !c->broken) {
        ssize_t n = send_some(c, c->out.p + at, c->out.n - at, -1);
        if (n == 0) break;
        if (n < 0) {
            break_off(c);
            return;
        }
        at += (size_t)n;
    }
    if (c->broken) return;
    buf_drop_front(&c->out, at);
    if (c->out.n == 0 && c->out.cap > 256 * 1024) buf_free(&c->out);
    if (c->out.n < CHANNEL_OUT_MAX / 2) waitline_wake_all(&c->drained);
}

static void flusher_life(void *arg)
{
    struct channel *c = arg;
    /* Try before waiting: the kernel may have made room between the hook's attempt and this fiber's
     * first turn, and that edge is not told again. */
    flush_now(c);
    /* Try before each wait: room may have come between the hook that found none and this fiber's
     * first turn, and an edge that has passed is not told again. */
    for (;;) {
        flush_now(c);
        if (c->broken || c->out.n == 0) break;
        if (watch_wait_write(&c->watch, CLOCK_NEVER) != OK) break;
    }
    c->flusher = NULL;
}

static void flush_hook(struct loop_hook *h)
{
    struct channel *c = LIST_OWNER(h, struct channel, flush);
    if (c->flusher != NULL || c->broken) return;
    flush_now(c);
    if (c->out.n > 0 && !c->broken) c->flusher = fiber_spawn("channel flusher", flusher_life, c);
}

/* Wait until nothing is queued: a descriptor must not overtake the frames before its own. */
static enum err wait_empty(struct channel *c)
{
    while (!c->broken && c->out.n > 0) {
        if (!c->flush.queued && c->flusher == NULL) loop_at_turn_end(&c->flush);
        enum err e = waitline_wait(&c->drained, CLOCK_NEVER);
        if (e != OK) return e;
        if (c->out.n > 0) fiber_yield();
    }
    return c->broken ? ERR_CLOSED : OK;
}

/* A frame with a descriptor: its first header byte carries the descriptor, the rest is queued as
 * usual. */
static enum err send_with_fd(struct channel *c, const struct header *h, const struct frame *f)
{
    for (;;) {
        enum err e = wait_empty(c);
        if (e != OK) return e;
        ssize_t n = send_some(c, (const char *)h, 1, f->fd);
        if (n > 0) break;
        if (n < 0) {
            break_off(c);
            return ERR_CLOSED;
        }
        e = fiber_sleep(1); /* the kernel is full: rare, and not worth a second writer's place */
        if (e != OK) return e;
    }
    buf_put(&c->out, str_of((const char *)h + 1, sizeof *h - 1));
    buf_put(&c->out, f->bytes);
    return OK;
}

/* Behind what is queued. A large frame goes to the kernel at once instead, as far as it takes it:
 * what it takes is not copied here. */
static void queue_frame(struct channel *c, const struct header *h, struct str bytes)
{
    size_t sent = 0;
    if (bytes.n >= DIRECT_BYTES && c->flusher == NULL) {
        flush_now(c);
        if (c->out.n == 0 && !c->broken) {
            struct iovec iov[2] = { { (void *)(uintptr_t)h, sizeof *h },
                                    { (void *)(uintptr_t)bytes.p, bytes.n } };
            struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
            ssize_t n = sendmsg(c->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent = n > 0 ? (size_t)n : 0; /* an end of the other side shows at the next attempt */
        }
    }
    if (c->broken) return;
    if (sent < sizeof *h) buf_put(&c->out, str_skip(str_of(h, sizeof *h), sent));
    buf_put(&c->out, str_skip(bytes, sent > sizeof *h ? sent - sizeof *h : 0));
}

bool channel_is_full(const struct channel *c)
{
    return !c->broken && c->out.n > CHANNEL_OUT_MAX;
}

enum err channel_send(struct channel *c, const struct frame *f)
{
    struct header h = { .bytes = (uint32_t)f->bytes.n,
                        .id = f->id,
                        .verb = f->verb,
                        .kind = f->kind,
                        .err = f->err,
                        .fds = f->fd >= 0 };
    enum err e = OK;
    must(f->bytes.n <= CHANNEL_FRAME_MAX);
    while (!c->broken && c->out.n > CHANNEL_OUT_MAX && e == OK) {
        e = waitline_wait(&c->drained, CLOCK_NEVER);
    }
    if (c->broken) e = ERR_CLOSED;
    if (e == OK && f->fd >= 0) {
        e = send_with_fd(c, &h, f);
    } else if (e == OK) {
        queue_frame(c, &h, f->bytes);
    }
    if (f->fd >= 0) close(f->fd);
    if (e == OK && !c->flush.queued && c->flusher == NULL) loop_at_turn_end(&c->flush);
    return e;
}

/* ---- receiving ---- */

static enum err receive_some(struct channel *c, struct str *got_out)
{
    struct iovec iov = { .iov_base = scratch, .iov_len = sizeof scratch };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
    } control;
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    ssize_t n;
    do {
        n = recvmsg(c->watch.fd, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_AGAIN : ERR_CLOSED;
    if (n == 0) return ERR_CLOSED;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            struct held_fd *held = malloc(sizeof *held);
            must(held != NULL);
            memcpy(&held->fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            list_put(&c->fds, &held->link);
        }
    }
    if ((m.msg_flags & MSG_CTRUNC) != 0) return ERR_PROTOCOL;
    *got_out = str_of(scratch, (size_t)n);
    return OK;
}

static int claim_fd(struct channel *c)
{
    struct list *l = list_take_first(&c->fds);
    if (l == NULL) return -1;
    struct held_fd *held = LIST_OWNER(l, struct held_fd, link);
    int fd = held->fd;
    free(held);
    return fd;
}

/* Hand out the whole frames in `bytes`; how many bytes they took in `used_out`. */
static enum err cut_frames(struct channel *c, struct str bytes,
                           void (*on_frame)(void *, struct frame *), void *ctx, size_t *used_out)
{
    size_t used = 0;
    while (bytes.n - used >= sizeof(struct header)) {
        struct header h;
        memcpy(&h, bytes.p + used, sizeof h);
        if (h.bytes > CHANNEL_FRAME_MAX || h.fds > 1 || h.err >= ERR_COUNT) return ERR_PROTOCOL;
        if (bytes.n - used - sizeof h < h.bytes) break;
        struct frame f = { .id = h.id,
                           .verb = h.verb,
                           .kind = h.kind,
                           .err = h.err,
                           .fd = -1,
                           .bytes = str_part(bytes, used + sizeof h, h.bytes) };
        if (h.fds > 0 && (f.fd = claim_fd(c)) < 0) return ERR_PROTOCOL;
        on_frame(ctx, &f);
        used += sizeof h + h.bytes;
    }
    *used_out = used;
    return OK;
}

/* How many bytes the frame at the front of `in` still lacks; its header's when that is not whole
 * yet. */
static enum err lacking(const struct channel *c, size_t *lacking_out)
{
    struct header h;
    *lacking_out = sizeof h - c->in.n;
    if (c->in.n < sizeof h) return OK;
    memcpy(&h, c->in.p, sizeof h);
    if (h.bytes > CHANNEL_FRAME_MAX) return ERR_PROTOCOL;
    *lacking_out = sizeof h + h.bytes - c->in.n;
    return OK;
}

/* Whole frames go out straight from the scratch; only one that was cut is put together in `in`. */
static enum err take_in(struct channel *c, struct str got, void (*on_frame)(void *, struct frame *),
                        void *ctx)
{
    size_t used = 0;
    while (c->in.n > 0 && got.n > 0) {
        size_t need = 0;
        enum err e = lacking(c, &need);
        if (e == OK && buf_reserve(&c->in, need) == NULL) e = ERR_PROTOCOL;
        if (e != OK) return e;
        struct str part = str_part(got, 0, need);
        buf_put(&c->in, part);
        got = str_skip(got, part.n);
        e = cut_frames(c, buf_str(&c->in), on_frame, ctx, &used);
        if (e != OK) return e;
        if (used > 0) buf_clear(&c->in);
    }
    enum err e = cut_frames(c, got, on_frame, ctx, &used);
    if (e == OK) buf_put(&c->in, str_skip(got, used));
    if (e == OK && c->in.n == 0 && c->in.cap > 0) buf_free(&c->in);
    return e;
}

enum err channel_serve(struct channel *c, void (*on_frame)(void *ctx, struct frame *f), void *ctx)
{
    unsigned eager = 0;
    for (;;) {
        struct str got;
        enum err e = receive_some(c, &got);
        if (e == OK) {
            e = take_in(c, got, on_frame, ctx);
            if (e == OK && ++eager >= 4) {
                /* Let those who were just told something run before more is taken in. */
                eager = 0;
                fiber_yield();
            }
        } else if (e == ERR_AGAIN) {
            eager = 0;
            e = watch_wait_read(&c->watch, CLOCK_NEVER);
        }
        if (e != OK) {
            break_off(c);
            return e;
        }
    }
}

void channel_close(struct channel *c)
{
    if (!c->broken) flush_now(c);
    if (c->flush.queued) {
        list_take(&c->flush.link);
        c->flush.queued = false;
    }
    break_off(c);
    if (c->flusher != NULL) fiber_cancel(c->flusher);
    while (c->flusher != NULL) {
        fiber_yield();
    }
    for (int fd; (fd = claim_fd(c)) >= 0;) {
        close(fd);
    }
    watch_close(&c->watch);
    buf_free(&c->in);
}
