/* The loop: one epoll descriptor, one heap of timers, one mailbox for notes from other threads.
 *
 * A turn runs every fiber that was ready at its begin, then the hooks, then asks the kernel.
 * Descriptors are registered once and edge-triggered, so an idle connection costs no system call
 * and a busy one none beyond its reads and writes. */
#include "sys/fiber_inner.h"

#include "base/must.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, TRIM_EVERY_MS = 1000 };

static struct {
    int epoll_fd, note_fd;
    bool stop;
    struct list hooks;
    struct fiber **timers; /* binary heap, earliest first */
    size_t timer_count, timer_cap;
    int64_t trim_at_ms;
    struct loop_note *notes; /* newest first */
} loop = { .epoll_fd = -1, .note_fd = -1 };
static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;

void loop_init(void)
{
    fibers_init();
    list_init(&loop.hooks);
    loop.stop = false;
    loop.timer_count = 0;
    loop.trim_at_ms = CLOCK_NEVER;
    loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop.note_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(loop.epoll_fd >= 0 && loop.note_fd >= 0);
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
    must(epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.note_fd, &ev) == 0);
}

void loop_stop(void)
{
    loop.stop = true;
}

void loop_at_turn_end(struct loop_hook *h)
{
    must(!h->queued);
    h->queued = true;
    list_put(&loop.hooks, &h->link);
}

void loop_post(struct loop_note *n)
{
    pthread_mutex_lock(&notes_lock);
    bool was_empty = loop.notes == NULL;
    n->next = loop.notes;
    loop.notes = n;
    pthread_mutex_unlock(&notes_lock);
    if (was_empty) {
        uint64_t one = 1;
        must(write(loop.note_fd, &one, sizeof one) == sizeof one);
    }
}

static void run_notes(void)
{
    uint64_t count;
    ssize_t got = read(loop.note_fd, &count, sizeof count);
    (void)got; /* only resets the event */
    pthread_mutex_lock(&notes_lock);
    struct loop_note *newest = loop.notes, *oldest = NULL;
    loop.notes = NULL;
    pthread_mutex_unlock(&notes_lock);
    while (newest != NULL) {
        struct loop_note *n = newest;
        newest = n->next;
        n->next = oldest;
        oldest = n;
    }
    while (oldest != NULL) {
        struct loop_note *n = oldest;
        oldest = n->next;
        n->fn(n);
    }
}

/* ---- timers ---- */

static void timer_place(size_t i, struct fiber *f)
{
    loop.timers[i] = f;
    f->timer_at = i;
}

static void timer_up(size_t i, struct fiber *f)
{
    while (i > 0 && loop.timers[(i - 1) / 2]->timer_ms > f->timer_ms) {
        timer_place(i, loop.timers[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    timer_place(i, f);
}

static void timer_down(size_t i, struct fiber *f)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= loop.timer_count) break;
        if (child + 1 < loop.timer_count &&
            loop.timers[child + 1]->timer_ms < loop.timers[child]->timer_ms)
            child++;
        if (loop.timers[child]->timer_ms >= f->timer_ms) break;
        timer_place(i, loop.timers[child]);
        i = child;
    }
    timer_place(i, f);
}

void timer_drop(struct fiber *f)
{
    size_t i = f->timer_at;
    if (i == TIMER_NONE) return;
    f->timer_at = TIMER_NONE;
    struct fiber *last = loop.timers[--loop.timer_count];
    if (last == f) return;
    if (i > 0 && loop.timers[(i - 1) / 2]->timer_ms > last->timer_ms) {
        timer_up(i, last);
    } else {
        timer_down(i, last);
    }
}

void timer_set(struct fiber *f, int64_t deadline_ms)
{
    if (f->timer_at != TIMER_NONE) {
        if (f->timer_ms <= deadline_ms) return; /* fires early and is moved then */
        timer_drop(f);
    }
    if (loop.timer_count == loop.timer_cap) {
        loop.timer_cap = loop.timer_cap > 0 ? loop.timer_cap * 2 : 64;
        loop.timers = realloc(loop.timers, loop.timer_cap * sizeof(struct fiber *));
        must(loop.timers != NULL);
    }
    f->timer_ms = deadline_ms;
    timer_up(loop.timer_count++, f);
}

static void run_timers(int64_t now_ms)
{
    while (loop.timer_count > 0 && loop.timers[0]->timer_ms <= now_ms) {
        struct fiber *f = loop.timers[0];
        timer_drop(f);
        if (f->state != FIBER_PARKED || f->deadline_ms == CLOCK_NEVER) continue;
        if (f->deadline_ms <= now_ms) {
            fiber_timed_out(f);
        } else {
            timer_set(f, f->deadline_ms);
        }
    }
}

/* ---- turns ---- */

static void run_events(int timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(loop.epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
    must(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;
        if (w == NULL) {
            run_notes();
            continue;
        }
        /* Errors and hang-ups wake both sides: their next call tells what it was. */
        if ((events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) {
            w->readable = true;
            if (w->reader != NULL) fiber_wake(w->reader);
        }
        if ((events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
            w->writable = true;
            if (w->writer != NULL) fiber_wake(w->writer);
        }
    }
}

static int wait_ms(int64_t now_ms)
{
    if (fibers_any_ready() || !list_is_empty(&loop.hooks)) return 0;
    int64_t until = loop.timer_count > 0 ? loop.timers[0]->timer_ms : CLOCK_NEVER;
    if (loop.trim_at_ms < until) until = loop.trim_at_ms;
    if (until == CLOCK_NEVER) return -1;
    int64_t wait = until - now_ms;
    return wait < 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
}

void loop_run(void)
{
    int64_t now_ms = clock_now();
    while (!loop.stop) {
        if (fibers_run_ready(now_ms) && loop.trim_at_ms == CLOCK_NEVER)
            loop.trim_at_ms = now_ms + TRIM_EVERY_MS;
        for (struct list *l; (l = list_take_first(&loop.hooks)) != NULL;) {
            struct loop_hook *h = LIST_OWNER(l, struct loop_hook, link);
            h->queued = false;
            h->fn(h);
        }
        if (loop.stop) break;
        run_events(wait_ms(now_ms));
        now_ms = clock_now();
        run_timers(now_ms);
        if (now_ms >= loop.trim_at_ms)
            loop.trim_at_ms = fibers_trim(now_ms) ? now_ms + TRIM_EVERY_MS : CLOCK_NEVER;
    }
}

/* ---- descriptors ---- */

enum err watch_open(struct watch *w, int fd)
{
    *w = (struct watch){ .fd = fd, .readable = true, .writable = true };
    struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = w };
    if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        return errno == ENOSPC ? ERR_LIMIT : err_from_errno(errno);
    return OK;
}

static enum err wait_for(struct fiber **place, bool *ready, int64_t deadline_ms)
{
    must(*place == NULL);
    *ready = false;
    *place = fiber_self();
    enum err e = OK;
    while (!*ready && e == OK) {
        e = fiber_park(deadline_ms);
    }
    *place = NULL;
    if (e == ERR_CANCELLED) return e;
    return *ready ? OK : e;
}

enum err watch_wait_read(struct watch *w, int64_t deadline_ms)
{
    return wait_for(&w->reader, &w->readable, deadline_ms);
}

enum err watch_wait_write(struct watch *w, int64_t deadline_ms)
{
    return wait_for(&w->writer, &w->writable, deadline_ms);
}

int watch_release(struct watch *w)
{
    int fd = w->fd;
    must(w->reader == NULL && w->writer == NULL);
    if (fd >= 0) must(epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, fd, NULL) == 0);
    w->fd = -1;
    return fd;
}

void watch_close(struct watch *w)
{
    if (w->fd < 0) return;
    must(w->reader == NULL && w->writer == NULL);
    /* Other processes may hold the same file (listening sockets): then its end here is none, and
     * epoll would go on to name a watch that is gone. */
    (void)epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    close(w->fd);
    w->fd = -1;
}
