/* Fibers: how the stack is switched, and who is ready.
 *
 * A fiber's first entry goes through makecontext(); every later switch is a sigsetjmp/siglongjmp
 * pair without the signal mask, which costs no system call (about 20 ns). Finished fibers are kept
 * with their stacks and reused. A stack is 64 KiB of lazily touched memory above a guard page; the
 * fiber's own record lives at its top, so that an idle fiber costs the pages it has really used.
 * Stacks of fibers that have been parked for more than a second are trimmed to the part in use.
 *
 * Weak point: siglongjmp between stacks is outside of what ISO C promises; it is what QEMU has
 * relied on for years with glibc. _FORTIFY_SOURCE's longjmp check knows only one stack and has to
 * be off in this file. */
#undef _FORTIFY_SOURCE
#include "sys/fiber.h"
#include "sys/fiber_inner.h"

#include "base/must.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_include(<valgrind/valgrind.h>) && !defined(NDEBUG)
#include <valgrind/valgrind.h>
#define FIBER_VALGRIND 1
#endif

enum {
#ifdef FIBER_ASAN
    STACK_BYTES = 512 * 1024, /* redzones make frames several times larger */
#else
    STACK_BYTES = 64 * 1024,
#endif
    PAGE_BYTES = 4096,
    POOL_MAX = 64, /* finished fibers kept for reuse */
    TRIM_AFTER_MS = 1000,
};

static struct {
    struct fiber *running;
    sigjmp_buf scheduler;
    struct list ready, parked, asleep, pool; /* asleep: parked for long and trimmed */
    size_t count, pooled;
    int64_t turn_ms; /* when this turn of the loop began */
#ifdef FIBER_ASAN
    void *fake_stack;
    const void *stack_bottom;
    size_t stack_bytes;
#endif
} fibers;

void fibers_init(void)
{
    list_init(&fibers.ready);
    list_init(&fibers.parked);
    list_init(&fibers.asleep);
    list_init(&fibers.pool);
    fibers.running = NULL;
    fibers.count = fibers.pooled = 0;
}

/* From the scheduler into `f`; returns when it parks or ends. */
static void enter(struct fiber *f)
{
    fibers.running = f;
    f->state = FIBER_RUNNING;
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fibers.fake_stack, (char *)f->map + PAGE_BYTES, STACK_BYTES);
#endif
    if (sigsetjmp(fibers.scheduler, 0) == 0) siglongjmp(f->context, 1);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fibers.fake_stack, NULL, NULL);
#endif
    fibers.running = NULL;
}

/* From the running fiber to the scheduler; returns when it is entered again. */
static void leave(struct fiber *f)
{
    f->stack_at = __builtin_frame_address(0);
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&f->fake_stack, fibers.stack_bottom, fibers.stack_bytes);
#endif
    if (sigsetjmp(f->context, 0) == 0) siglongjmp(fibers.scheduler, 1);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->fake_stack, &fibers.stack_bottom, &fibers.stack_bytes);
#endif
}

/* The life of a stack: one function after another. */
static void fiber_life(unsigned low, unsigned high)
{
    struct fiber *f = (struct fiber *)((uintptr_t)high << 32 | (uintptr_t)low);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->fake_stack, &fibers.stack_bottom, &fibers.stack_bytes);
#endif
    leave(f); /* only to fill its context */
    for (;;) {
        f->fn(f->arg);
        f->state = FIBER_DONE;
        leave(f);
    }
}

static struct fiber *fiber_make(void)
{
    size_t map_bytes = PAGE_BYTES + STACK_BYTES;
    char *map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    must(map != MAP_FAILED);
    must(mprotect(map, PAGE_BYTES, PROT_NONE) == 0);

    size_t record_bytes = (sizeof(struct fiber) + 63) & ~(size_t)63;
    struct fiber *f = (struct fiber *)(void *)(map + map_bytes - record_bytes);
    *f = (struct fiber){ .map = map, .map_bytes = map_bytes };
    list_init(&f->link);

    ucontext_t context, back;
    must(getcontext(&context) == 0);
    context.uc_stack.ss_sp = map + PAGE_BYTES;
    context.uc_stack.ss_size = STACK_BYTES - record_bytes;
    context.uc_link = NULL;
#ifdef FIBER_VALGRIND
    f->valgrind_id = VALGRIND_STACK_REGISTER(map + PAGE_BYTES, map + map_bytes);
#endif
    makecontext(&context, (void (*)(void))fiber_life, 2, (unsigned)(uintptr_t)f,
                (unsigned)((uintptr_t)f >> 32));
    struct fiber *outer = fibers.running; /* fiber_spawn() may be called from a fiber */
    sigjmp_buf scheduler;
    memcpy(scheduler, fibers.scheduler, sizeof scheduler);
#ifdef FIBER_ASAN
    void *fake = NULL;
    const void *outer_bottom = fibers.stack_bottom;
    size_t outer_bytes = fibers.stack_bytes;
    __sanitizer_start_switch_fiber(&fake, map + PAGE_BYTES, STACK_BYTES);
#endif
    if (sigsetjmp(fibers.scheduler, 0) == 0) must(swapcontext(&back, &context) == 0);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    fibers.stack_bottom = outer_bottom;
    fibers.stack_bytes = outer_bytes;
#endif
    memcpy(fibers.scheduler, scheduler, sizeof scheduler);
    fibers.running = outer;
    return f;
}

static void fiber_unmake(struct fiber *f)
{
#ifdef FIBER_VALGRIND
    VALGRIND_STACK_DEREGISTER(f->valgrind_id);
#endif
#ifdef FIBER_ASAN
    __asan_unpoison_memory_region((char *)f->map + PAGE_BYTES, STACK_BYTES);
#endif
    must(munmap(f->map, f->map_bytes) == 0);
}

struct fiber *fiber_spawn(const char *name, fiber_fn fn, void *arg)
{
    struct list *kept = list_take_first(&fibers.pool);
    struct fiber *f;
    if (kept != NULL) {
        f = LIST_OWNER(kept, struct fiber, link);
        fibers.pooled--;
    } else {
        f = fiber_make();
    }
    f->name = name;
    f->fn = fn;
    f->arg = arg;
    f->woken = f->cancelled = f->timed_out = false;
    f->timer_at = TIMER_NONE;
    f->state = FIBER_READY;
    list_put(&fibers.ready, &f->link);
    fibers.count++;
    return f;
}

struct fiber *fiber_self(void)
{
    return fibers.running;
}

size_t fiber_count(void)
{
    return fibers.count;
}

static void make_ready(struct fiber *f)
{
    list_take(&f->link);
    f->state = FIBER_READY;
    list_put(&fibers.ready, &f->link);
}

void fiber_wake(struct fiber *f)
{
    f->woken = true;
    if (f->state == FIBER_PARKED) make_ready(f);
}

void fiber_cancel(struct fiber *f)
{
    f->cancelled = true;
    if (f->state == FIBER_PARKED) make_ready(f);
}

void fiber_timed_out(struct fiber *f)
{
    f->timed_out = true;
    if (f->state == FIBER_PARKED) make_ready(f);
}

enum err fiber_park(int64_t deadline_ms)
{
    struct fiber *f = fibers.running;
    must(f != NULL);
    if (!f->woken && !f->cancelled) {
        f->timed_out = false;
        if (deadline_ms != CLOCK_NEVER) timer_set(f, deadline_ms);
        f->deadline_ms = deadline_ms;
        f->state = FIBER_PARKED;
        f->parked_ms = fibers.turn_ms;
        list_put(&fibers.parked, &f->link);
        leave(f);
        f->deadline_ms = CLOCK_NEVER;
    }
    if (f->cancelled) {
        f->cancelled = false;
        return ERR_CANCELLED;
    }
    if (f->woken) {
        f->woken = false;
        return OK;
    }
    return f->timed_out ? ERR_TIMEOUT : OK;
}

enum err fiber_sleep(int64_t wait_ms)
{
    int64_t deadline_ms = clock_deadline(wait_ms);
    enum err e;
    do {
        e = fiber_park(deadline_ms);
    } while (e == OK);
    return e == ERR_TIMEOUT ? OK : e;
}

void fiber_yield(void)
{
    struct fiber *f = fibers.running;
    must(f != NULL);
    f->state = FIBER_READY;
    list_put(&fibers.ready, &f->link);
    leave(f);
}

bool fibers_run_ready(int64_t now_ms)
{
    struct list batch;
    fibers.turn_ms = now_ms;
    if (list_is_empty(&fibers.ready)) return false;
    /* Take the present batch only: who becomes ready meanwhile waits for the next turn. */
    batch = fibers.ready;
    batch.next->prev = batch.prev->next = &batch;
    list_init(&fibers.ready);
    for (struct list *l; (l = list_take_first(&batch)) != NULL;) {
        struct fiber *f = LIST_OWNER(l, struct fiber, link);
        enter(f);
        if (f->state != FIBER_DONE) continue;
        fibers.count--;
        timer_drop(f);
        if (fibers.pooled < POOL_MAX) {
            list_put(&fibers.pool, &f->link);
            fibers.pooled++;
        } else {
            fiber_unmake(f);
        }
    }
    return true;
}

bool fibers_any_ready(void)
{
    return !list_is_empty(&fibers.ready);
}

/* The stack below the part in use. */
static void stack_trim(struct fiber *f)
{
#ifndef FIBER_ASAN
    /* The red zone and what leave() calls below its own frame stay. */
    uintptr_t keep = ((uintptr_t)f->stack_at - 1024) & ~(uintptr_t)(PAGE_BYTES - 1);
    uintptr_t low = (uintptr_t)f->map + PAGE_BYTES;
    if (keep > low) madvise((void *)low, keep - low, MADV_DONTNEED); /* failing costs memory only */
#else
    (void)f;
#endif
}

bool fibers_trim(int64_t now_ms)
{
    /* In order of parking, so the walk ends at the first young one. */
    LIST_EACH(l, &fibers.parked)
    {
        struct fiber *f = LIST_OWNER(l, struct fiber, link);
        if (now_ms - f->parked_ms < TRIM_AFTER_MS) return true;
        stack_trim(f);
        list_take(l);
        list_put(&fibers.asleep, l);
    }
    return false;
}

void waitline_init(struct waitline *w)
{
    list_init(&w->fibers);
}

struct waiter {
    struct list link;
    struct fiber *fiber;
};

enum err waitline_wait(struct waitline *w, int64_t deadline_ms)
{
    struct waiter me = { .fiber = fiber_self() };
    list_init(&me.link);
    list_put(&w->fibers, &me.link);
    enum err e = fiber_park(deadline_ms);
    bool was_chosen = list_is_empty(&me.link);
    list_take(&me.link);
    /* Chosen and cancelled at once: pass the turn on, or it would be lost. */
    if (was_chosen && e != OK) waitline_wake_one(w);
    return e;
}

void waitline_wake_one(struct waitline *w)
{
    struct list *l = list_take_first(&w->fibers);
    if (l != NULL) fiber_wake(LIST_OWNER(l, struct waiter, link)->fiber);
}

void waitline_wake_all(struct waitline *w)
{
    while (!list_is_empty(&w->fibers)) {
        waitline_wake_one(w);
    }
}
