/* What fiber.c and loop.c know of each other, and nobody else. */
#ifndef SYS_FIBER_INNER_H
#define SYS_FIBER_INNER_H

#include <setjmp.h>

#include "sys/fiber.h"

#define TIMER_NONE SIZE_MAX

struct fiber {
    struct list link; /* in the ready, parked or pool list */
    enum { FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_DONE } state;
    bool woken, cancelled, timed_out;
    sigjmp_buf context;
    fiber_fn fn;
    void *arg;
    const char *name;
    void *map;
    size_t map_bytes;
    void *stack_at;
    int64_t deadline_ms, parked_ms;
    /* Place in the timer heap and the time it stands there for: at most the deadline, since a timer
     * is moved when it fires early rather than at each park. */
    size_t timer_at;
    int64_t timer_ms;
    void *fake_stack; /* address sanitizer */
    unsigned valgrind_id;
};

void fibers_init(void);
bool fibers_run_ready(int64_t now_ms); /* false: there was none */
bool fibers_any_ready(void);
/* Give back unused stack of fibers parked for long; true while younger ones are left to look at
 * later. */
bool fibers_trim(int64_t now_ms);
void fiber_timed_out(struct fiber *f);

/* The fiber's timer fires at `deadline_ms` or earlier. */
void timer_set(struct fiber *f, int64_t deadline_ms);
void timer_drop(struct fiber *f);

#endif
