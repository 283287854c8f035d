/* The engine in memory: the contract of engine.h without a disk, with a schedule of faults. For
 * tests of everything that stands on an engine.
 *
 * An intent is evaluated within engine_submit() and done() is called there, on the same thread,
 * unless engine_memory_hold() says otherwise. Any number of threads may use it. */
#ifndef STORE_ENGINE_MEMORY_H
#define STORE_ENGINE_MEMORY_H

#include "store/engine.h"

enum memory_fault {
    MEMORY_FULL,         /* body run, nothing kept, ERR_FULL */
    MEMORY_CONFLICT,     /* body run, nothing kept, ERR_CONFLICT: the caller tries again */
    MEMORY_RERUN,        /* body run, nothing kept, run again, goes well */
    MEMORY_UNKNOWN_DONE, /* committed, but ERR_UNKNOWN */
    MEMORY_UNKNOWN_LOST, /* body run, nothing kept, ERR_UNKNOWN */
    MEMORY_BROKEN,       /* ERR_BROKEN now and for ever */
};

struct engine *engine_memory_new(void);

/* The `nth` commit from now on (1: the next one) gets this fault. Up to 64 faults may wait. */
void engine_memory_fail(struct engine *e, uint64_t nth, enum memory_fault fault);

/* Hold: intents wait until engine_memory_run() or until holding ends. */
void engine_memory_hold(struct engine *e, bool hold);

/* Evaluate up to `max` waiting intents in order; says how many. */
size_t engine_memory_run(struct engine *e, size_t max);

/* Damage one byte of a blob, so that reading it is ERR_CORRUPT. False: no such blob. */
bool engine_memory_damage(struct engine *e, struct blob_id id);

#endif
