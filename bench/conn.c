/* The epoll loop and its connections.
 *
 * Invariant: after every call into the owner, `lives` is compared, because the owner may have
 * closed the connection and opened another in the same structure; nothing of the old one is
 * touched after that. Reads go into one buffer for the whole process; only what the owner does not
 * take is copied to the connection, so that an idle one holds no buffer.
 * Weak point: all connections share one thread; a slow owner delays all. */
#include "bench/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

enum { READ_BYTES = 256 * 1024, EVENTS_MAX = 512, OUT_MAX = 1 << 20 };

static char read_space[READ_BYTES];

_Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
}

void loop_open(struct loop *l)
{
    *l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .tick_ms = 50 };
    if (l->epoll_fd < 0) die("epoll_create1");
}

void loop_add(struct loop *l, int fd, struct watch *w, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = w };

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

bool loop_run(struct loop *l, int64_t deadline_us)
{
    static struct epoll_event events[EVENTS_MAX];
    int64_t tick_us = now_us();

    while (!l->stop) {
        int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, l->tick_ms);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            struct watch *w = events[i].data.ptr;
            w->ready(w, events[i].events);
        }
        int64_t now = now_us();
        if (now >= deadline_us) return false;
        if (l->tick != NULL && now - tick_us >= (int64_t)l->tick_ms * 1000) {
            tick_us = now;
            l->tick(l->tick_arg);
        }
    }
    return true;
}

static void go_down(struct conn *c, enum err why)
{
    conn_close(c);
    c->ops->down(c, why);
}

static bool come_up(struct conn *c);

/* Hand untaken and new bytes to the owner. False when the connection is no longer the same. */
static bool feed(struct conn *c, struct str fresh)
{
    unsigned life = c->lives;
    struct str view = fresh;

    if (c->in.n > 0) {
        buf_put(&c->in, fresh);
        if (buf_check(&c->in) != OK) {
            go_down(c, ERR_LIMIT);
            return false;
        }
        view = buf_str(&c->in);
    }
    bool kept = c->in.n > 0;
    size_t taken = c->ops->eat(c, view);
    if (c->lives != life) return false;
    must(taken <= view.n);
    if (kept) {
        buf_drop_front(&c->in, taken);
        if (c->in.n == 0) buf_free(&c->in);
    } else {
        buf_put(&c->in, str_skip(view, taken));
    }
    if (c->shaking) return come_up(c); /* it has just begun: send the first flight */
    conn_flush(c);
    return c->lives == life;
}

/* One read: bytes read, 0 for "nothing now", or an error. */
static enum err read_some(struct conn *c, size_t *n_out)
{
    if (c->ssl != NULL) {
        ERR_clear_error();
        if (SSL_read_ex(c->ssl, read_space, sizeof read_space, n_out) == 1) return OK;
        *n_out = 0;
        int why = SSL_get_error(c->ssl, 0);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return OK;
        return why == SSL_ERROR_ZERO_RETURN ? ERR_CLOSED : ERR_TLS;
    }
    ssize_t n = recv(c->fd, read_space, sizeof read_space, 0);
    if (n == 0) return ERR_CLOSED;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return err_from_errno(errno);
    *n_out = n > 0 ? (size_t)n : 0;
    return OK;
}

static void read_all(struct conn *c)
{
    while (!c->paused && !c->shaking) {
        size_t n;
        enum err e = read_some(c, &n);
        if (e != OK) {
            go_down(c, e);
            return;
        }
        if (n == 0) return;
        if (!feed(c, str_of(read_space, n))) return;
        /* A short read has emptied the socket: the next byte brings a new edge. */
        if (c->ssl == NULL && n < sizeof read_space && !c->hung_up) return;
    }
}

static enum err connect_result(struct conn *c)
{
    int number = 0;
    socklen_t size = sizeof number;

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    return number == 0 ? OK : err_from_errno(number);
}

/* OK: shaken; ERR_AGAIN: goes on with the next event. */
static enum err shake(struct conn *c)
{
    ERR_clear_error();
    int done = SSL_do_handshake(c->ssl);
    if (done == 1) return OK;
    int why = SSL_get_error(c->ssl, done);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? ERR_AGAIN : ERR_TLS;
}

/* Whatever has to be through before bytes can flow. False: not yet, or no longer. */
static bool come_up(struct conn *c)
{
    if (!c->connecting && !c->shaking) return true;

    unsigned life = c->lives;
    enum err e = c->connecting ? connect_result(c) : shake(c);
    if (e == ERR_AGAIN) return false;
    if (e != OK) {
        go_down(c, e);
        return false;
    }
    c->connecting = c->shaking = false;
    if (c->ops->up != NULL) c->ops->up(c);
    if (c->lives != life) return false;
    conn_flush(c);
    return c->lives == life;
}

static void conn_ready(struct watch *w, uint32_t events)
{
    struct conn *c = (struct conn *)(void *)w; /* its first member */

    if (c->fd < 0) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) c->hung_up = true;
    if (c->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    if (!come_up(c)) return;

    unsigned life = c->lives;
    if ((events & EPOLLOUT) != 0) conn_flush(c);
    if (c->lives == life && (events & ~(uint32_t)EPOLLOUT) != 0) read_all(c);
}

void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops, size_t in_max)
{
    *c = (struct conn){ .watch.ready = conn_ready,
                        .loop = l,
                        .ops = ops,
                        .fd = -1,
                        .in = buf_new(in_max),
                        .out = buf_new(OUT_MAX) };
}

void conn_adopt(struct conn *c, int fd)
{
    int on = 1;

    c->fd = fd;
    c->paused = c->hung_up = c->connecting = c->shaking = false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    loop_add(c->loop, fd, &c->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

enum err conn_open(struct conn *c, const struct sockaddr_in *to, struct in_addr from)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return err_from_errno(errno);

    struct sockaddr_in source = { .sin_family = AF_INET, .sin_addr = from };
    int on = 1;
    /* The port is chosen at connect, so that each pair of addresses has all ports for itself. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if ((from.s_addr != 0 && bind(fd, (const struct sockaddr *)&source, sizeof source) != 0) ||
        (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS)) {
        enum err e = err_from_errno(errno);
        close(fd);
        return e;
    }
    conn_adopt(c, fd);
    c->connecting = true;
    return OK;
}

void conn_start_tls(struct conn *c, SSL_CTX *ctx)
{
    c->ssl = SSL_new(ctx);
    must(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1);
    SSL_set_connect_state(c->ssl);
    c->shaking = true;
}

void conn_put(struct conn *c, struct str s)
{
    must(c->shared.n == 0);
    buf_put(&c->out, s);
    must(buf_check(&c->out) == OK);
}

void conn_put_shared(struct conn *c, struct str s)
{
    must(c->shared.n == 0);
    c->shared = s;
}

static enum err write_some(struct conn *c, size_t *n_out)
{
    struct str own = str_skip(buf_str(&c->out), c->out_done);

    if (c->ssl != NULL) {
        struct str first = own.n > 0 ? own : c->shared;
        ERR_clear_error();
        if (SSL_write_ex(c->ssl, first.p, first.n, n_out) == 1) return OK;
        int why = SSL_get_error(c->ssl, 0);
        return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? ERR_AGAIN : ERR_TLS;
    }
    struct iovec parts[2] = { { (void *)(uintptr_t)own.p, own.n },
                              { (void *)(uintptr_t)c->shared.p, c->shared.n } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = c->shared.n > 0 ? 2 : 1 };
    ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : err_from_errno(errno);
    *n_out = (size_t)n;
    return OK;
}

void conn_flush(struct conn *c)
{
    if (c->fd < 0 || c->connecting || c->shaking) return;
    while (c->out.n > c->out_done || c->shared.n > 0) {
        size_t n;
        enum err e = write_some(c, &n);
        if (e == ERR_AGAIN) return;
        if (e != OK) {
            go_down(c, e);
            return;
        }
        size_t own = c->out.n - c->out_done;
        c->out_done += n < own ? n : own;
        c->shared = str_skip(c->shared, n > own ? n - own : 0);
    }
    buf_free(&c->out);
    c->out_done = 0;
}

void conn_resume(struct conn *c)
{
    c->paused = false;
    if (c->in.n > 0 && !feed(c, STR_NONE)) return;
    read_all(c);
}

void conn_close(struct conn *c)
{
    if (c->fd < 0) return;
    if (c->ssl != NULL) {
        if (!c->shaking && !c->hung_up) SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    close(c->fd);
    c->fd = -1;
    c->lives++;
    c->shared = STR_NONE;
    c->out_done = 0;
    c->connecting = c->shaking = false;
    conn_free(c);
}

void conn_free(struct conn *c)
{
    buf_free(&c->in);
    buf_free(&c->out);
}
