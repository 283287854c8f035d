/* Notes of refusals for explain: gathered for a moment, then written in one transaction that no
 * client waits for. Two batches: while one is being written the other gathers, so only a flood
 * beyond a whole batch is lost. */
#include "role/depot.h"

#include "base/must.h"
#include "mail/explain.h"

#include <stdlib.h>

COUNTER(depot_refusals_noted, "refusals kept for 'postrider explain'")
COUNTER(depot_refusals_lost, "refusals that came too fast to be kept")

enum { GATHER_MS = 300, HELD_MAX = EXPLAIN_BATCH_MAX };

struct batch {
    struct refusal list[HELD_MAX];
    struct arena arenas[HELD_MAX];
    size_t n;
};

static struct {
    struct batch batches[2];
    size_t gathering; /* index of the one that takes new notes */
    bool writing;     /* the other one belongs to a transaction under way */
    bool timer_runs;
    struct waitline written;
} held = { .written = { LIST_INIT(held.written.fibers) } };

static enum err batch_body(struct txn *t, void *ctx)
{
    struct batch *b = ctx;
    return explain_put(t, b->list, b->n);
}

void depot_refusals_write(void)
{
    while (held.writing) {
        if (waitline_wait(&held.written, CLOCK_NEVER) == ERR_CANCELLED) return;
    }
    struct batch *b = &held.batches[held.gathering];
    if (b->n == 0 || depot.broken) return;
    held.gathering = 1 - held.gathering;
    held.writing = true;
    if (depot_checked(depot_commit(depot.engine, INTENT_VISIBLE, batch_body, b)) == OK)
        depot_refusals_noted += b->n;
    else
        depot_refusals_lost += b->n;
    for (size_t i = 0; i < b->n; i++) {
        arena_free(&b->arenas[i]);
    }
    b->n = 0;
    held.writing = false;
    waitline_wake_all(&held.written);
}

static void timer_life(void *arg)
{
    (void)arg;
    err_ignore(fiber_sleep(GATHER_MS)); /* nobody cancels it */
    held.timer_runs = false;
    depot_refusals_write();
}

enum err depot_serve_refusal_note(void *ctx, struct door_request *q)
{
    struct refusal_note_req in;
    struct batch *b = &held.batches[held.gathering];
    (void)ctx;
    if (b->n == HELD_MAX || depot.broken) {
        depot_refusals_lost++;
        return ERR_LIMIT;
    }
    struct arena *a = &b->arenas[b->n];
    *a = (struct arena)ARENA_INIT(0);
    if (refusal_note_req_get(arena_str(a, q->bytes), a, &in) != OK) {
        arena_free(a);
        return ERR_PROTOCOL;
    }
    b->list[b->n++] = in.refusal;
    if (!held.timer_runs) {
        held.timer_runs = true;
        fiber_spawn("refusals", timer_life, NULL);
    }
    return OK;
}
