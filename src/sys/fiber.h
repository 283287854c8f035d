/* Fibers: stackful coroutines of one single-threaded process, and the loop that runs them.
 *
 * A connection is a fiber; its code reads top to bottom like the dialog it speaks. Calls whose
 * contract says "waits" give the processor to other fibers until they can go on. Everything here
 * belongs to the thread that called loop_init(), except loop_post(). */
#ifndef SYS_FIBER_H
#define SYS_FIBER_H

#include "base/clock.h"
#include "base/list.h"
#include "base/str.h"

struct fiber;
typedef void (*fiber_fn)(void *arg);

/* ---- the loop ---- */

/* Set up the loop of this process. Ends the process when the kernel refuses an epoll descriptor. */
void loop_init(void);

/* Run fibers until loop_stop() was called. Fibers that are still parked then stay as they are. */
void loop_run(void);
void loop_stop(void);

/* Run `fn(arg)` once at the end of the present turn, after all ready fibers had theirs: where a
 * channel writes what the turn has gathered. The node must not be queued already (`queued` tells).
 */
struct loop_hook {
    struct list link;
    void (*fn)(struct loop_hook *);
    bool queued;
};
void loop_at_turn_end(struct loop_hook *h);

/* From any thread: run `fn(note)` on the loop's thread soon. The note belongs to the loop until
 * then. */
struct loop_note {
    struct loop_note *next;
    void (*fn)(struct loop_note *);
};
void loop_post(struct loop_note *n);

/* ---- fibers ---- */

/* Start a fiber; it runs for the first time when the caller waits or returns to the loop. `name` is
 * static and shows in status. ERR_LIMIT is not possible here: who accepts work bounds it. */
struct fiber *fiber_spawn(const char *name, fiber_fn fn, void *arg);

/* The running fiber; null outside of any (in the loop itself). */
struct fiber *fiber_self(void);

/* Wait until somebody calls fiber_wake(), or until `deadline_ms` (clock_now() time, CLOCK_NEVER).
 * OK may come without cause: look at your condition again. ERR_TIMEOUT; ERR_CANCELLED once per
 * fiber_cancel(), so that the way out may still say goodbye. */
enum err fiber_park(int64_t deadline_ms);

/* Make a parked fiber ready; remembered for one park when it is not parked. */
void fiber_wake(struct fiber *f);

/* The fiber's present or next wait ends with ERR_CANCELLED. */
void fiber_cancel(struct fiber *f);

/* Wait for a time. ERR_CANCELLED. */
enum err fiber_sleep(int64_t wait_ms);

/* Let the others have a turn, then go on. */
void fiber_yield(void);

/* How many exist, and how many bytes their stacks may take at most. */
size_t fiber_count(void);

/* ---- waiting lines ---- */

/* Fibers that wait for the same thing, first come first served. */
struct waitline {
    struct list fibers;
};
void waitline_init(struct waitline *w);
/* Wait in line. OK when woken (look again), ERR_TIMEOUT, ERR_CANCELLED. */
enum err waitline_wait(struct waitline *w, int64_t deadline_ms);
void waitline_wake_one(struct waitline *w);
void waitline_wake_all(struct waitline *w);

/* ---- descriptors ---- */

/* A descriptor that the loop watches, registered once and edge-triggered: try first, wait on
 * EAGAIN. */
struct watch {
    int fd;
    bool readable, writable;
    struct fiber *reader, *writer;
};

/* Register a non-blocking descriptor. ERR_LIMIT, ERR_IO. */
enum err watch_open(struct watch *w, int fd);

/* Wait until it may be readable/writable again: call only after EAGAIN. One reader, one writer at a
 * time. ERR_TIMEOUT, ERR_CANCELLED. */
enum err watch_wait_read(struct watch *w, int64_t deadline_ms);
enum err watch_wait_write(struct watch *w, int64_t deadline_ms);

/* Unregister and close the descriptor. Nobody may be waiting. Accepts a closed one. */
void watch_close(struct watch *w);

/* Unregister and give the descriptor back open. */
int watch_release(struct watch *w);

#endif
